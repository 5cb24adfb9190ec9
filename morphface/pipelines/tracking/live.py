"""A window that shows pictures while they are made, where there is a screen."""

import os
import sys

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

__all__ = ["Screen"]

_TITLE = "morphface - q ends"
_ENDS = (ord("q"), 27)


class Screen:
    """A window, to be used in a `with` statement; without a screen it shows nothing.

    `reason` says why there is no window; it is empty where there is one.
    """

    def __init__(self) -> None:
        self.reason = _obstacle()
        self._shown = False

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            import cv2

            cv2.destroyAllWindows()

    def show(self, pixels: UInt8[Tensor, "H W 3"]) -> bool:
        """Show a picture; False once the user closed the window or pressed q."""
        if self.reason:
            return True
        import cv2

        try:
            if self._shown and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return False
            cv2.imshow(_TITLE, np.ascontiguousarray(pixels.numpy()[..., ::-1]))
            self._shown = True
            return cv2.waitKey(1) & 0xFF not in _ENDS
        except cv2.error:
            self.reason = "this build of OpenCV has no windows"
            return True


def _obstacle() -> str:
    windows = sys.platform.startswith(("win", "darwin"))
    if not windows and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display"
    try:
        import cv2  # noqa: F401
    except ImportError:
        return "opencv-python is not installed"
    return ""
