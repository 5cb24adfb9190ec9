"""Stanford PLY, binary: positions in millimetres, normals and vertex colours."""

from pathlib import Path

import numpy as np

from morphface.core.files import atomic_write
from morphface.media.meshes.obj import deformed
from morphface.media.meshes.surface import Surface
from morphface.media.meshes.texture import to_bytes

__all__ = ["write_ply"]

_TYPES = {"f": "float", "u": "uchar"}


def write_ply(path: str | Path, surface: Surface) -> None:
    """Write `surface` in the pose it has at its weights.

    Args:
        path: the file to write or replace.
        surface: what to write; PLY has no texture and no morph targets, so its vertex colours
            are written and its weights applied.

    Raises:
        OutputError: the file cannot be written there.
    """
    vertices, faces = _vertex_table(surface), _face_table(surface)
    properties = "".join(
        f"property {_TYPES[vertices.dtype[name].kind]} {name}\n"
        for name in vertices.dtype.names or ()
    )
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        "comment written by morphface; unit: millimetre\n"
        "comment axes: +x to the subject's left, +y up, +z out of the face\n"
        f"element vertex {len(vertices)}\n{properties}"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    with atomic_write(path) as temporary:
        temporary.write_bytes(header.encode() + vertices.tobytes() + faces.tobytes())


def _vertex_table(surface: Surface) -> np.ndarray:
    columns = dict(zip("xyz", deformed(surface).detach().cpu().numpy().T, strict=True))
    if surface.normals is not None and not any(surface.weights.values()):
        columns |= zip(("nx", "ny", "nz"), surface.normals.cpu().numpy().T, strict=True)
    if surface.colours is not None:
        columns |= zip(("red", "green", "blue"), to_bytes(surface.colours).T, strict=True)
    layout = [
        (name, "u1" if values.dtype == np.uint8 else "<f4") for name, values in columns.items()
    ]
    table = np.empty(len(surface.vertices), dtype=layout)
    for name, values in columns.items():
        table[name] = values
    return table


def _face_table(surface: Surface) -> np.ndarray:
    table = np.empty(len(surface.faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    table["count"] = 3
    table["corners"] = surface.faces.cpu().numpy()
    return table
