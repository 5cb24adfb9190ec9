"""Networks of parts: data, training and validation."""
