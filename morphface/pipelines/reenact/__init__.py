"""A trained run and a driver in, a video out: what the driver does, done by the run's person."""
