"""Files of every kind that people bring, damaged at random: only our own errors may come of it."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from morphface.core.errors import MorphfaceError

__all__ = ["landmark_files", "mutated", "picture_files", "survives"]

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)


def picture_files():
    """A file of each kind by its suffix."""
    import tifffile

    from tests.media.heic import heic
    from tests.media.icc import P3, rgb_profile

    tall = np.kron(PICTURE, np.ones((2, 2, 1), np.uint8))
    tiles = [np.ascontiguousarray(tall[:, k : k + 48]) for k in (0, 48)]
    files = {"heic": heic(tiles, 2, profile=rgb_profile(P3), turn=1)}
    image = Image.fromarray(PICTURE)
    for suffix in ("png", "jpeg", "webp", "avif", "tiff", "gif"):
        memory = io.BytesIO()
        more = {} if suffix == "gif" else {"icc_profile": rgb_profile(P3)}
        image.save(memory, suffix, **more)
        files[suffix] = memory.getvalue()
    for name, values in {
        "16.tiff": PICTURE.astype(np.uint16) * 257,
        "float.tiff": PICTURE.astype(np.float32) / 255,
    }.items():
        memory = io.BytesIO()
        tifffile.imwrite(memory, values, photometric="rgb")
        files[name] = memory.getvalue()
    return files


def landmark_files():
    """A file of each kind by its suffix."""
    points = np.random.default_rng(1).uniform(0, 200, (68, 2)).round(2)
    rows = [f"{x},{y}" for x, y in points]
    memory = io.BytesIO()
    np.save(memory, points)
    head = f"version: 1\nn_points: 68\n{{\n{chr(10).join(rows).replace(',', ' ')}\n}}"
    return {
        "npy": memory.getvalue(),
        "csv": "\n".join(rows).encode(),
        "pts": head.encode(),
        "json": json.dumps({"scheme": "68", "points": points.tolist()}).encode(),
    }


def mutated(data, rng):
    """The file with a few bytes changed, in its first part more often, and perhaps cut off."""
    out = bytearray(data)
    reach = len(out) if rng.random() < 0.5 else min(len(out), 600)
    for place in rng.integers(0, reach, rng.integers(1, 12)):
        out[place] = rng.integers(0, 256)
    return bytes(out[: rng.integers(1, len(out) + 1)] if rng.random() < 0.2 else out)


def survives(read, source):
    """Whether reading gives something; anything but our own errors is not caught."""
    try:
        read(source)
    except MorphfaceError as error:
        return "\n" in str(error) and pytest.fail(f"more than one sentence: {error}")
    return True
