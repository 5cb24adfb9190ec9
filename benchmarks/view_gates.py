"""What must not be seen in turned photos: gates that need no truth."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import label
from torch import Tensor
from torch.nn.functional import max_pool2d

from morphface.core.errors import NoFaceError
from morphface.edit import edit
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.media.images import Photo
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import fit_photo
from morphface.render import Renderer, interpolate, rasterize
from morphface.rerender import Rerenderer
from morphface.rerender.looks import Look
from morphface.rerender.shrink import shrunk

__all__ = ["gates"]

LONGEST = 640
ANGLES = (-25.0, 25.0)
CHANGED = 2 / 255
WIDE = 0.15  # sizes of the head by which the matte is widened
EAR = 0.3  # difference to the usual colour of an ear that is still ear
SMALL = 30  # pixels of an ear that is too small to be told
ALIKE = 0.12  # difference to the usual skin, in colours, that is skin


def gates(folder: Path) -> list[dict[str, Any]]:
    """One row for each face of each photo, at 25 degrees to both sides of the front."""
    out = []
    for path in sorted(folder.glob("*.[jp][pn]g")):
        try:
            found = shrunk(fit_photo(str(path), faces="all"), LONGEST)
        except NoFaceError:
            out.append({"case": f"gates, {path.stem}", "face": "none was found"})
            continue
        for k, face in enumerate(found.faces):
            out.append({"case": f"gates, {path.stem} {k}"} | _face(found, face))
    return out


def _face(found: FittedPhoto, face: FittedFace) -> dict[str, Any]:
    stage = Rerenderer(face, found.photo)
    row: dict[str, Any] = {}
    same = torch.equal(stage(face.parameters), found.photo.pixels)
    row["unchanged_bit_for_bit"] = same
    for angle in ANGLES:
        wanted = edit(face.parameters, model=face.model, yaw=angle)
        row |= {f"{name}_{angle:+g}": v for name, v in _gate(stage, found.photo, wanted).items()}
    return row


def _gate(stage: Rerenderer, photo: Photo, wanted: FaceParameters) -> dict[str, float]:
    picture, sure = stage.with_confidence(wanted)
    face = stage.face
    now, look = (Look.of(face.model, p) for p in (face.parameters, wanted))
    screen = face.camera.project(now.vertices)[:, :2]
    size = float((screen.amax(0) - screen.amin(0)).max())
    changed = (picture - photo.pixels).abs().amax(-1) > CHANGED
    matte = stage._head.matte[..., 0] > 0.5
    far = ~_grown(matte, round(WIDE * size))
    head = Renderer.of(face.model, face.camera)(look.vertices[None]).mask[0] > 0.99
    inner = ~_grown(~head, max(round(0.06 * size), 1))
    chin = int(face.camera.project(look.vertices[face.model.regions["face"] > 0.5])[:, 1].max())
    high = torch.zeros_like(matte)
    high[: max(chin - round(0.15 * size), 0)] = True
    cheeks = face.model.regions["cheeks"] > 0.5
    places = face.camera.project(now.vertices[cheeks])[:, :2].long()
    height, width = matte.shape
    skin = photo.pixels[places[:, 1].clamp(0, height - 1), places[:, 0].clamp(0, width - 1)]
    alike = (picture - skin.median(0).values).abs().amax(-1) < ALIKE
    was = (photo.pixels - skin.median(0).values).abs().amax(-1) < ALIKE
    new = high & alike & ~was & (sure[..., 0] < 0.75)
    return {
        "changed_far_from_person": _share(changed & far, far),
        "plate_within_head": _share((sure[..., 0] < 0.1) & inner, inner),
        "new_skin_of_head": _share(new & head, head),
        "pieces_of_ears": _ear_pieces(stage, picture, look),
        "seen_share_of_head": _share((sure[..., 0] >= 0.75) & head, head),
    }


def _ear_pieces(stage: Rerenderer, picture: Tensor, look: Look) -> int:
    """In how many pieces an ear is seen, at most; 0 where hair covers both."""
    face, ears = stage.face, stage._head.person.ears
    found = rasterize(face.camera.project(look.vertices)[None], face.model.faces, face.camera.size)
    shown = interpolate(ears[None, :, None], face.model.faces, found)[0, ..., 0] > 0.7
    places, _ = label(shown.numpy())
    most = 0
    for number in range(1, places.max() + 1):
        here = torch.from_numpy(places == number)
        if int(here.sum()) < SMALL:
            continue
        near = (picture - picture[here].median(0).values).abs().amax(-1) < EAR
        pieces, _ = label((here & near).numpy())
        sizes = np.bincount(pieces.ravel())[1:]
        most = max(most, int((sizes > 0.15 * int(here.sum())).sum()))
    return most


def _share(part: Tensor, whole: Tensor) -> float:
    return round(float(part.sum() / whole.sum().clamp(min=1)), 4)


def _grown(mask: Tensor, reach: int) -> Tensor:
    found = mask[None, None].float()
    for window in ((2 * reach + 1, 1), (1, 2 * reach + 1)):
        found = max_pool2d(found, window, 1, (window[0] // 2, window[1] // 2))
    return found[0, 0] > 0
