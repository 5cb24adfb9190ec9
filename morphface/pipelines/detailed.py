"""Relief of fitted faces, where it was asked for, and the pictures that hold it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from morphface.core.files import atomic_write
from morphface.fit.fitted import FittedFace
from morphface.media.images import Photo, write_image
from morphface.render.detail import Detail, layout_of
from morphface.render.maps.files import encode_png
from morphface.render.maps.surface import standing_out

__all__ = ["describe_detail", "detailed", "write_detail"]


def detailed(faces: Sequence[FittedFace], photos: Sequence[Photo]) -> tuple[FittedFace, ...]:
    """The faces of one person with the relief that all their photos show.

    Faces that were fitted to landmarks alone, as those that pixels cannot save, stay as they are;
    the others get poses in which their photos agree.

    Args:
        faces: in each photo.
        photos: that they were fitted to.

    Raises:
        ModelError: the model has no texture coordinates.
    """
    told = [n for n, face in enumerate(faces) if face.pixels is not None]
    for face in faces:
        layout_of(face.model)
    if not told:
        return tuple(faces)
    from morphface.fit.detail import align_faces, fit_detail  # here, as most fits want no relief

    shown = [photos[n] for n in told]
    aligned = align_faces([faces[n] for n in told], shown)
    found = fit_detail(aligned, shown)
    out = dict(zip(told, (replace(face, detail=found) for face in aligned), strict=True))
    return tuple(out.get(n, face) for n, face in enumerate(faces))


def describe_detail(face: FittedFace) -> dict[str, Any]:
    """What a report says of the relief, in plain JSON values; nothing where there is none."""
    if face.detail is None:
        return {}
    heights = face.detail.displacement
    spread = {"lowest_mm": heights.min(), "highest_mm": heights.max()}
    told = {name: round(float(value), 4) for name, value in spread.items()}
    return {"detail": {"size": len(heights), **told}}


def write_detail(folder: Path, detail: Detail) -> None:
    """Write `displacement.png` and `normals.png`, in the layout of the texture.

    Heights have 16 bits: 0 is 2 mm below the mesh, 65535 as much above it. Normals are in tangent
    space, green up.

    Args:
        folder: where to.
        detail: relief.

    Raises:
        OutputError: they cannot be written there.
    """
    heights = standing_out(detail.displacement)[..., None]
    with atomic_write(folder / "displacement.png") as temporary:
        temporary.write_bytes(encode_png("detail", heights))
    write_image(folder / "normals.png", 0.5 + 0.5 * detail.normals)
