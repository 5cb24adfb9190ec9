"""How much of the photo the pictures of a session show."""

from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.rerender.shrink import cropped, shrunk
from morphface.rerender.turn import turning

__all__ = ["head_window", "zoomed"]

SMALL = 0.5
"""Share of the photo's shorter side below which a head is shown larger."""
SHARE = 0.6
"""How much of its window a head without its hair fills, so that there is room to turn it."""
LIFT = 0.02
MOST = 2.0
"""How many pixels of a picture there are at most for one of the photo, along each axis."""


def zoomed(found: FittedPhoto, longest: int) -> dict[str, FittedPhoto]:
    """What there is to see, by its name: the face, if it is small in the photo, and the photo.

    Args:
        found: the photo and one face.
        longest: pixels along the longer side of each picture, at most.
    """
    window = head_window(found.faces[0], longest)
    parts = {} if window is None else {"face": cropped(found, window)}
    return parts | {"photo": shrunk(found, longest)}


def head_window(face: FittedFace, longest: int) -> Crop | None:
    """The part of a photo around a head; None if the head is large in it, or not in it.

    Args:
        face: that was fitted.
        longest: pixels along the window, at most.
    """
    camera: Camera = face.camera
    screen = camera.project(face.vertices_in_camera())[:, :2]
    head = screen[turning(face.model) > 0.5]
    if not bool(head.isfinite().all()):
        return None
    low, high = head.amin(0).tolist(), head.amax(0).tolist()
    height, width = camera.size
    shorter = min(height, width)
    inside = high[0] > 0 and high[1] > 0 and low[0] < width and low[1] < height
    if not inside or max(high[0] - low[0], high[1] - low[1]) >= SMALL * shorter:
        return None
    wish = Crop.around((*low, *high), 1, share=SHARE, lift=LIFT)
    side = min(wish.side, float(shorter))
    size = min(longest, max(round(MOST * side), 1))
    left = min(max(wish.left, 0.0), width - side)
    top = min(max(wish.top, 0.0), height - side)
    return Crop(left, top, side, size)
