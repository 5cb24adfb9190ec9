"""Benchmarks: one file a capability, run as modules from the root of the repository."""
