"""Cameras, heads and tracks in the files of other programs."""

from morphface.exchange.cameras import camera_of, read_cameras

__all__ = ["camera_of", "read_cameras"]
