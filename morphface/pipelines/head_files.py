"""The files of a fitted head: a rig that moves, and a plain mesh."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from morphface.fit.fitted import FittedFace
from morphface.fit.texture import HeadTexture
from morphface.fit.texture.faces import head_texture, head_texture_from_photos
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.media.meshes import Surface, write_gltf, write_obj
from morphface.models import MorphableModel, mesh_parts, skeleton_of
from morphface.parameters import FaceParameters
from morphface.render.warp import look_up
from morphface.rerender import HairShell, hair_shell

if TYPE_CHECKING:
    from morphface.rerender import ImplicitHead

__all__ = ["reshaped", "rigged_head", "with_hair", "write_head"]

LARGEST = 1024
"""Pixels of a texture that hair takes at most, from top to bottom."""


def rigged_head(face: FittedFace, photo: Photo, texture: HeadTexture | None = None) -> Surface:
    """The fitted person in the albedo that the photo shows, deformable by every expression.

    The base is the fitted identity without expression, its eyes turned as in the photo; the
    targets' weights are the fitted expression. Skin, eyes, teeth and tongue are parts of their own
    where the model has them, and a skeleton turns neck, head, jaw and eyes. Colours and texture
    are albedo, without the light of the photo (`head_texture`): a viewer that lights the head needs
    it so, and puts its own light on it. Detail of the face is a map of normals.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
        texture: that of more photos than this one.
    """
    model, head = face.model, texture or head_texture(face, photo)
    plain = Surface(
        vertices=face.vertices(),
        faces=model.faces,
        colours=head.colours,
        uv=model.uv,
        uv_faces=model.uv_faces,
        texture=head.albedo,
        relief=None if face.detail is None else 0.5 + 0.5 * face.detail.normals,
    )
    return reshaped(plain, model, face.parameters)


def reshaped(head: Surface, model: MorphableModel, parameters: FaceParameters) -> Surface:
    """The head of other parameters, with the colours that it has.

    Args:
        head: of the model.
        model: that the parameters belong to.
        parameters: one frame; identity, expression and gaze count.
    """
    wanted, weights = parameters, parameters.expression[0]
    model = model.linearised(wanted.identity[0], weights)  # a target is a straight move
    still = torch.zeros_like(wanted.expression)
    neutral = model.vertices(wanted.identity, still, wanted.gaze)[0]
    missing = model.identity.rank - wanted.identity.shape[1]
    full = torch.nn.functional.pad(wanted.identity[0], (0, missing))
    each = torch.eye(model.expression.rank)
    moved = model.vertices(wanted.identity, each, wanted.gaze)
    return replace(
        head,
        parts=mesh_parts(model),
        skeleton=skeleton_of(model, full, wanted.gaze[0]),
        vertices=neutral,
        normals=vertex_normals(neutral, model.faces),
        targets=dict(zip(model.expression.names, moved - neutral, strict=True)),
        weights=dict(zip(model.expression.names, weights.tolist(), strict=False)),
    )


def with_hair(head: Surface, hair: HairShell | None) -> Surface:
    """The head with hair as a part of its own, which moves with the skull.

    The picture of the hair lies below that of the head in one texture; a head without texture
    has none, and its hair the colours of its vertices.

    Args:
        head: a rigged one.
        hair: of the same person; None changes nothing.
    """
    if hair is None:
        return head
    size, more, count = len(head.vertices), len(hair.vertices), len(head.faces)
    parts = head.parts or {"skin": torch.arange(count)}
    found = replace(
        head,
        vertices=torch.cat([head.vertices, hair.vertices]),
        faces=torch.cat([head.faces, hair.faces + size]),
        normals=None if head.normals is None else torch.cat([head.normals, hair.normals]),
        colours=None if head.colours is None else torch.cat([head.colours, _colours(hair)]),
        targets={name: pad(move, (0, 0, 0, more)) for name, move in head.targets.items()},
        parts=parts | {"hair": torch.arange(count, count + len(hair.faces))},
        uv=None,
        uv_faces=None,
        texture=None,
        relief=None,
        skeleton=None,
    )
    if head.skeleton is not None:
        skull = head.skeleton.weights[head.vertices[:, 1].argmax()]
        weights = torch.cat([head.skeleton.weights, skull.expand(more, -1)])
        found = replace(found, skeleton=replace(head.skeleton, weights=weights))
    if head.texture is None or head.uv is None or head.uv_faces is None:
        return found
    whole, below = head.texture.shape[0], min(head.texture.shape[0] // 2, LARGEST)
    planes = hair.picture.movedim(-1, 0)[None]
    strip = interpolate(planes, (below, head.texture.shape[1]), mode="bilinear", antialias=True)
    share = below / (whole + below)
    over = torch.stack([head.uv[:, 0], share + (1 - share) * head.uv[:, 1]], -1)
    under = torch.stack([hair.uv[:, 0], share * hair.uv[:, 1]], -1)
    return replace(
        found,
        relief=None if head.relief is None else _over_flat(head.relief, share),
        uv=torch.cat([over, under]),
        uv_faces=torch.cat([head.uv_faces, (hair.faces + len(head.uv)).to(head.uv_faces)]),
        texture=torch.cat([head.texture, strip[0].movedim(0, -1)]),
    )


def _over_flat(relief: Tensor, share: float) -> Tensor:
    """A map of normals over a flat strip, which takes a share of the height of both."""
    below = round(relief.shape[0] * share / (1 - share))
    flat = relief.new_tensor([0.5, 0.5, 1.0]).expand(below, relief.shape[1], 3)
    return torch.cat([relief, flat])


def _colours(hair: HairShell) -> Tensor:
    """Of the vertices."""
    height, width = hair.picture.shape[:2]
    place = hair.uv * torch.tensor([width, -height]) + torch.tensor([0.0, height])
    return look_up(hair.picture[None], place[None, None], "bilinear")[0, 0]


def write_head(
    folder: Path,
    faces: Sequence[FittedFace],
    photos: Sequence[Photo],
    kinds: Collection[str] = ("glb", "obj"),
    *,
    size: int | None = None,
    implicit: "ImplicitHead | None" = None,
) -> HeadTexture:
    """Write `head.glb`, the rig with its hair, and `head.obj`, the head in its fitted expression.

    Both carry the albedo as base colour; see `rigged_head`. A face with detail has
    it as a map of normals. Hair, texture and the two files are worked on at the same time.

    Args:
        folder: where to.
        faces: one person's, a photo each; shape, expression and hair are those of the first.
        photos: that they were fitted to; the texture is from all.
        kinds: which of the two.
        size: height and width of the texture in pixels; None takes what the photos' detail needs.
        implicit: takes the place of the shell of hair in the rig.

    Returns:
        The texture that was written.

    Raises:
        OutputError: the files cannot be written there.
        ParameterError: as of `head_texture_from_photos`.
    """
    with ThreadPoolExecutor(2) as beside:
        shelled = "glb" in kinds and implicit is None
        shell = beside.submit(hair_shell, faces[0], photos[0]) if shelled else None
        texture = head_texture_from_photos(faces, photos, size=size)
        head = rigged_head(faces[0], photos[0], texture)
        plain = beside.submit(_write_plain, folder, faces[0], head) if "obj" in kinds else None
        if "glb" in kinds:
            write_gltf(folder / "head.glb", _whole(head, shell, implicit))
        if plain is not None:
            plain.result()
    return texture


def _whole(
    head: Surface, shell: Future[HairShell | None] | None, implicit: "ImplicitHead | None"
) -> Surface:
    """The rig with its hair, of whichever kind."""
    if implicit is None:
        return head if shell is None else with_hair(head, shell.result())
    from morphface.pipelines.implicit import with_implicit

    return with_implicit(head, implicit)


def _write_plain(folder: Path, face: FittedFace, head: Surface) -> None:
    posed = face.vertices()
    still = replace(head, targets={}, weights={}, skeleton=None)
    plain = replace(still, vertices=posed, normals=vertex_normals(posed, head.faces))
    write_obj(folder / "head.obj", plain)
