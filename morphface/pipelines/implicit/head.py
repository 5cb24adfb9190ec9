"""The implicit head of a fitted face in files: a closed surface, and a part of the rig."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from morphface.geometry.mesh import vertex_normals
from morphface.media.meshes import Surface, write_ply
from morphface.rerender import ImplicitHead

__all__ = ["IMPLICIT", "describe_implicit", "with_implicit", "write_implicit"]

IMPLICIT = "implicit.ply"
"""The file of the closed surface."""
_PART = "implicit"


def write_implicit(folder: Path, found: ImplicitHead) -> None:
    """Write `implicit.ply`, the closed surface in the fitted expression, with its colours.

    Args:
        folder: where to.
        found: the head.

    Raises:
        OutputError: it cannot be written there.
    """
    normals = vertex_normals(found.vertices, found.faces)
    surface = Surface(found.vertices, found.faces, normals=normals, colours=found.colours)
    write_ply(folder / IMPLICIT, surface)


def describe_implicit(found: ImplicitHead) -> dict[str, Any]:
    """What a report says of it, in plain JSON values."""
    share = len(found.beyond()) / len(found.faces)
    told = {"vertices": len(found.vertices), "faces": len(found.faces)}
    return {"implicit": {**told, "beyond_the_mesh": round(share, 4), "file": IMPLICIT}}


def with_implicit(head: Surface, found: ImplicitHead) -> Surface:
    """The rigged head with what the mesh does not have, hair above all, as a part of its own.

    Its vertices follow expressions and joints as the places do that they are bound to.

    Args:
        head: a rigged one of the same fit.
        found: the implicit head.
    """
    used, faces = torch.unique(found.beyond(), return_inverse=True)
    bound = found.bound.map(lambda values: values[used])
    size, count = len(head.vertices), len(head.faces)
    vertices = found.moved(head.vertices)[used]

    def longer(values: Tensor | None, more: Tensor) -> Tensor | None:
        return None if values is None else torch.cat([values, more.to(values)])

    colours = torch.zeros(size, 3) if head.colours is None else head.colours
    skeleton = head.skeleton
    if skeleton is not None:
        weights = torch.cat([skeleton.weights, bound.carried(skeleton.weights)])
        skeleton = replace(skeleton, weights=weights)
    parts = head.parts or {"skin": torch.arange(count)}
    return replace(
        head,
        vertices=torch.cat([head.vertices, vertices]),
        faces=torch.cat([head.faces, (faces + size).to(head.faces)]),
        normals=longer(head.normals, vertex_normals(vertices, faces)),
        colours=torch.cat([colours, found.colours[used]]),
        uv_faces=None if head.uv_faces is None else pad(head.uv_faces, (0, 0, 0, len(faces))),
        targets={
            name: torch.cat([move, bound.carried(move)]) for name, move in head.targets.items()
        },
        parts=parts | {_PART: torch.arange(count, count + len(faces))},
        painted=head.painted | {_PART},
        skeleton=skeleton,
    )
