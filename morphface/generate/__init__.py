"""Maps in, frames out: generators that turn windows of conditioning maps into video."""
