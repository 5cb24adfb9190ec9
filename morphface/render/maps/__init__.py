"""Conditioning maps: what generators are told about a face, frame by frame."""
