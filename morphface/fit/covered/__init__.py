"""What is before a face: found in a photo once landmarks tell where the face is."""

from morphface.fit.covered.find import find_cover, fit_seen, fit_uncovered, less_sure

__all__ = ["find_cover", "fit_seen", "fit_uncovered", "less_sure"]
