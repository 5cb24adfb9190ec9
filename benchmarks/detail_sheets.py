"""Sheets that show what detail from shading makes of photos, to be looked at.

    python -m benchmarks.detail_sheets OUT PHOTO... [--side PX]

A row for each photo: the photo, normals without detail and with it, grey clay that is lit from the
side without it and with it, and the displacement, 1 mm from black to white. `PHOTO` may be the
folder of a fit.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from morphface.fit import DetailSettings, FittedFace, fit_detail
from morphface.media import write_image
from morphface.media.images import Photo
from morphface.pipelines import fit_photo
from morphface.pipelines.window import window_around
from morphface.render import render_maps

__all__ = ["row_of"]

LAMP = torch.tensor([-0.85, 0.35, 0.4])
CLAY = 0.75


def row_of(
    face: FittedFace, photo: Photo, side: int = 640, settings: DetailSettings | None = None
) -> tuple[Tensor, float]:
    """The pictures of a face side by side, and its largest displacement in millimetres."""
    detail = fit_detail([face], [photo], settings=settings)
    window = window_around(face.fit.landmarks.box, side)
    camera, names = window.camera(face.camera), ("normal", "mask")
    plain = render_maps(face.model, face.parameters, camera, names)
    fine = render_maps(
        face.model, face.parameters, camera, (*names, "detail"), detail=detail, background=0.5
    )
    panels = [window.apply(photo.pixels, (0.1, 0.1, 0.1))]
    panels += [plain["normal"][0], fine["normal"][0]]
    panels += [_relit(found["normal"][0]) for found in (plain, fine)]
    height = ((fine["detail"][0] - 0.5) * 4 + 0.5).clamp(0, 1).expand(-1, -1, 3)
    return torch.cat([*panels, height], dim=1), float(detail.displacement.abs().max())


def _relit(normals: Tensor) -> Tensor:
    lamp = torch.nn.functional.normalize(LAMP, dim=0)
    lit = 0.12 + 0.88 * ((2 * normals - 1) @ lamp).clamp(min=0)
    return (CLAY * lit).pow(1 / 1.6)[..., None].expand(-1, -1, 3)


def main() -> None:
    """Fit photos and write their sheets."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("out", type=Path)
    options.add_argument("photos", nargs="+")
    options.add_argument("--side", type=int, default=640)
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for source in chosen.photos:
        found = fit_photo(source)
        row, most = row_of(found.faces[0], found.photo, chosen.side)
        write_image(chosen.out / f"{Path(source).stem}.png", row)
        print(f"{Path(source).stem}: at most {most:.2f} mm", flush=True)


if __name__ == "__main__":
    main()
