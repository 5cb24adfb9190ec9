"""What cameras and files do to pictures: light, colour, blur, noise, compression."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from morphface.synthetic.dice import Dice

__all__ = ["spoilt"]

GREY = 0.15
"""Share of pictures without colour."""


def spoilt(picture: UInt8[np.ndarray, "H W 3"], dice: Dice) -> UInt8[np.ndarray, "H W 3"]:
    """A picture as a bad camera has it; many stay good.

    Args:
        picture: RGB.
        dice: what decides.
    """
    import cv2

    values: Any = _coloured(picture.astype(np.float32) / 255, dice)
    if dice.chance(0.35):
        values = cv2.GaussianBlur(values, (0, 0), dice.number(0.3, 1.6))
    if dice.chance(0.25):
        height, width = values.shape[:2]
        share = dice.number(0.4, 0.9)
        small = cv2.resize(values, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        values = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if dice.chance(0.5):
        values = values + dice.number(0.0, 0.06) * dice.normal(*values.shape).numpy()
    out: UInt8[np.ndarray, "H W 3"] = (values.clip(0, 1) * 255).round().astype(np.uint8)
    if dice.chance(0.4):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(dice.number(25, 90))]
        written: Any = cv2.imencode(".jpg", out, quality)[1]
        out = np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR))
    return out


def _coloured(values: np.ndarray, dice: Dice) -> np.ndarray:
    """With other light, contrast and colours."""
    gain = np.exp(0.25 * dice.normal(1).numpy() + 0.08 * dice.normal(3).numpy())
    values = (values * gain.astype(np.float32)).clip(1e-4, 1) ** float(
        np.exp(0.3 * float(dice.normal()))
    )
    grey = values.mean(axis=-1, keepdims=True)
    share = 0.0 if dice.chance(GREY) else dice.number(0.5, 1.3)
    return (grey + share * (values - grey)).clip(0, 1)
