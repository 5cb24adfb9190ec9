"""One photo of a person, any driver: data, training and use of one-shot generators."""
