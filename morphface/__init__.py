"""Fit, edit, transfer and render 3D morphable faces."""

__version__ = "0.1.0"
