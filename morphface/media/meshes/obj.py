"""Wavefront OBJ: the plainest mesh file, in millimetres, with vertex colours or a texture."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from morphface.core.files import atomic_write
from morphface.media.meshes.surface import Surface
from morphface.media.meshes.texture import encode_png

__all__ = ["write_obj"]

_PREAMBLE = """\
# written by morphface; unit: millimetre
# axes: +x to the subject's left, +y up, +z out of the face
"""
_MATERIAL = """\
newmtl {name}
Ka 0 0 0
Kd 1 1 1
Ks 0 0 0
map_Kd {picture}.png
"""


def write_obj(path: str | Path, surface: Surface) -> None:
    """Write `surface` in the pose it has at its weights.

    Vertex colours follow their vertex as three more numbers, which most programs read. A
    texture goes beside the file as `.png` and is named in an `.mtl` of the same name. Parts are
    groups, each with a material of its name.

    Args:
        path: the file to write or replace.
        surface: what to write; OBJ has no morph targets, so their weights are applied.

    Raises:
        OutputError: the file cannot be written there.
    """
    target = Path(path)
    if surface.texture is not None:
        with atomic_write(target.with_suffix(".png")) as temporary:
            temporary.write_bytes(encode_png(surface.texture))
        with atomic_write(target.with_suffix(".mtl")) as temporary:
            each = list(surface.parts) or [target.stem]
            temporary.write_text(
                "".join(_MATERIAL.format(name=part, picture=target.stem) for part in each)
            )
    with atomic_write(target) as temporary:
        temporary.write_text(_PREAMBLE + "".join(_lines(surface, target.stem)))


def deformed(surface: Surface) -> Tensor:
    """The vertices at the surface's weights."""
    vertices = surface.vertices
    for name, weight in surface.weights.items():
        vertices = vertices + weight * surface.targets[name]
    return vertices


def _lines(surface: Surface, name: str) -> Iterator[str]:
    if surface.texture is not None:
        yield f"mtllib {name}.mtl\n"
    vertices = deformed(surface).detach().cpu().numpy()
    if surface.colours is not None and surface.texture is None:
        vertices = np.concatenate([vertices, surface.colours.detach().cpu().numpy()], axis=1)
    yield _table("v" + " %.4f" * vertices.shape[1], vertices)
    if surface.uv is not None:
        yield _table("vt %.6f %.6f", surface.uv.cpu().numpy())
    if surface.normals is not None and not any(surface.weights.values()):
        yield _table("vn %.4f %.4f %.4f", surface.normals.cpu().numpy())
    textured = surface.texture is not None
    if not surface.parts:
        yield f"usemtl {name}\n" if textured else ""
        yield _faces(surface, torch.arange(len(surface.faces)))
    for part, faces in surface.parts.items():
        yield f"g {part}\n" + (f"usemtl {part}\n" if textured else "")
        yield _faces(surface, faces)


def _faces(surface: Surface, which: Tensor) -> str:
    corners = surface.faces[which].cpu().numpy() + 1
    if surface.uv_faces is None:
        return _table("f %d %d %d", corners)
    both = np.stack([corners, surface.uv_faces[which].cpu().numpy() + 1], axis=-1)
    return _table("f %d/%d %d/%d %d/%d", both.reshape(len(both), 6))


def _table(layout: str, rows: np.ndarray) -> str:
    text = io.StringIO()
    np.savetxt(text, rows, fmt=layout)
    return text.getvalue()
