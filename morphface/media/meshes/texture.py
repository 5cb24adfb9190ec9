"""Colours on their way into mesh files."""

import io

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

__all__ = ["PNG_LEVEL", "encode_png", "to_bytes"]

PNG_LEVEL = 1
"""How hard PNG files are compressed, always without loss: Pillow's own 6 takes several times as
long for files that are little smaller."""


def to_bytes(colours: Float[Tensor, "*batch C"]) -> np.ndarray:
    """Values in [0, 1] as whole numbers from 0 to 255."""
    return (colours.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def encode_png(picture: Float[Tensor, "H W 3"]) -> bytes:
    """The PNG file of a picture in [0, 1]."""
    stream = io.BytesIO()
    Image.fromarray(to_bytes(picture)).save(stream, format="PNG", compress_level=PNG_LEVEL)
    return stream.getvalue()
