"""Errors, argument checks and records: what every other package stands on."""
