"""Maps in, frames out: the windows of maps that conditional generators look at."""
