"""Parameters in, parameters out: edits by name, interpolation, transfer between people."""
