"""Add the landmark embeddings to the open head's file. Run after `build.py`.

    python assets/open_head/embed.py PATH/ict_facekit.npz

A detector was trained on photos of people, and puts its points where these show them. So they are
looked for on pictures of many people whose surface is known (`portraits.py`), and cast onto it:
on the mean head a landmark is the geometric median of its casts, and its confidence falls with
their spread. Those of irises are put where the irises are (`irises.py`), with the confidence found.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from build import OUTPUT
from irises import with_irises
from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import tables
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.lips import on_their_lips
from morphface.models import LandmarkEmbedding, MorphableModel, save_model
from morphface.models.storage import read_header, read_model_file
from portraits import Cast, Portrait, open_cast, painted_cast

PEOPLE = 350  # of each kind
FACING = (0.5, 0.2)  # cosine of the angle of view from which a cast counts, and if these are few
FEWEST = 30  # casts
REACH = 10  # pixels to the surface that a point belongs to
TRUSTED = 2.0  # mm of spread at which confidence is a half
HAIRY = 0.2  # confidence of brows and forehead, where hair decides
ROUNDS = 40  # of Weiszfeld's algorithm
CHEEKS = (50, 280)  # right and left
SIDES = (tables.FACE_OVAL[21:35], tables.FACE_OVAL[2:16])  # right and left, from brow to jaw
TURNED = 0.2  # difference of the cosines of both cheeks from which a side is seen
IRISES = (*tables.RIGHT_IRIS, *tables.LEFT_IRIS)


def cast_all(cast: Cast, detector: MediaPipeDetector, seed: int) -> tuple[Tensor, Tensor]:
    """Places of the landmarks on the mean, S x 478 x 3, and the cosines of their angle of view."""
    found = [
        _cast(cast, portrait, faces[0].points)
        for portrait in cast.portraits(PEOPLE, seed)
        if (faces := detector.detect(portrait.photo))
    ]
    places, facing = zip(*found, strict=True)
    return torch.stack(places), torch.stack(facing)


def _cast(cast: Cast, portrait: Portrait, points: Tensor) -> tuple[Tensor, Tensor]:
    iris = torch.zeros(len(points), dtype=torch.bool)
    iris[list(IRISES)] = True
    places = torch.full((len(points), 3), torch.nan)
    facing = torch.zeros(len(points))
    shown = portrait.shown.face[0]
    for which, faces in ((~iris, cast.skin), (iris, cast.balls)):
        there = faces[shown.clamp(min=0)] & (shown >= 0)
        row, column, near = _nearest(there, points[which])
        corners = cast.model.faces[shown[row, column].clamp(min=0)]
        weights = portrait.shown.barycentric[0, row, column]
        place = (cast.model.identity.mean[corners] * weights[..., None]).sum(1)
        places[which] = torch.where(near[:, None], place, torch.nan)
        facing[which] = near * (portrait.facing[corners] * weights).sum(1)
    return places, facing


def _nearest(there: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Row and column of the pixel nearest to each point where `there` is, if it is in reach."""
    reach = torch.arange(-REACH, REACH + 1)
    down, right = (grid.flatten() for grid in torch.meshgrid(reach, reach, indexing="ij"))
    columns = points[:, :1].floor().long() + right
    rows = points[:, 1:].floor().long() + down
    inside = (rows >= 0) & (rows < there.shape[0]) & (columns >= 0) & (columns < there.shape[1])
    rows, columns = rows.clamp(0, there.shape[0] - 1), columns.clamp(0, there.shape[1] - 1)
    far = (torch.stack([columns, rows], dim=-1) + 0.5 - points[:, None]).norm(dim=-1)
    far[~(inside & there[rows, columns])] = torch.inf
    distance, best = far.min(dim=1)
    spot = torch.arange(len(points)), best
    return rows[spot], columns[spot], distance <= REACH


def agreed(places: Tensor, facing: Tensor) -> tuple[Tensor, Tensor]:
    """The geometric median of each landmark's casts, and the median distance from it, in mm."""
    order = torch.tensor(tables.MIRROR)
    places = torch.cat([places, places[:, order] * torch.tensor([-1.0, 1.0, 1.0])])
    facing = torch.cat([facing, facing[:, order]])
    hit = places.isfinite().all(-1)
    hit &= ~_turned_away(facing)
    counted = hit & (facing > FACING[0])
    few = counted.sum(0) < FEWEST
    counted[:, few] = (hit & (facing > FACING[1]))[:, few]
    known, share = places.nan_to_num(), counted.float()
    for _ in range(ROUNDS):
        middle = (share[..., None] * known).sum(0) / share.sum(0)[:, None]
        away = (known - middle).norm(dim=-1)
        share = counted / away.clamp(min=1e-3)
    return middle, torch.where(counted, away, torch.nan).nanmedian(dim=0).values


def _turned_away(facing: Tensor) -> Tensor:
    """Which landmarks, S x 478, are of a side of the oval that a picture does not show.

    A detector puts these on the outline, wherever it is, and there they are cast onto a cheek.
    """
    out = torch.zeros_like(facing, dtype=torch.bool)
    for side, cheek, other in zip(SIDES, CHEEKS, CHEEKS[::-1], strict=True):
        out[:, list(side)] = (facing[:, cheek] - facing[:, other] < TURNED)[:, None]
    return out


def placed(model: MorphableModel, places: Tensor, spread: Tensor) -> LandmarkEmbedding:
    """The points of the surface nearest to `places`, each inner lip's on its lip."""
    own, mean = open_cast(model), model.identity.mean
    triangles = torch.zeros(len(places), 3, dtype=torch.long)
    weights = torch.zeros(len(places), 3)
    iris = torch.zeros(len(places), dtype=torch.bool)
    iris[list(IRISES)] = True
    for which, faces in ((~iris, own.skin), (iris, own.balls)):
        allowed = model.faces[faces]
        found, weights[which] = closest_on_mesh(places[which], mean, allowed)
        triangles[which] = allowed[found]
    triangles, weights = on_their_lips(model, triangles, weights, own.skin)
    confidence = 1 / (1 + (spread / TRUSTED) ** 2)
    hairy = _hairy(model, triangles, weights)
    confidence = torch.where(hairy, confidence.clamp(max=HAIRY), confidence)
    found = LandmarkEmbedding(
        triangles, torch.from_numpy(_rounded(weights.numpy())), (confidence * 1e3).round() / 1e3
    )
    return with_irises(model, found)


def _hairy(model: MorphableModel, triangles: Tensor, weights: Tensor) -> Tensor:
    """Which landmarks are those of brows and of the forehead above them."""
    height = (model.identity.mean[triangles] * weights[..., None]).sum(1)[:, 1]
    brow = height[[*tables.RIGHT_BROW, *tables.LEFT_BROW]].min()
    return height >= brow


def _rounded(weights: np.ndarray) -> np.ndarray:
    """Four digits, so that the last bits of the detector do not show; the sum stays 1."""
    weights = weights.astype(np.float64).round(4)
    weights[:, 2] = 1 - weights[:, 0] - weights[:, 1]
    return weights.astype(np.float32)


def main() -> None:
    """Look for the landmarks on everybody, and write them into the file of the built head."""
    torch.set_num_threads(1)
    model, notes = read_model_file(OUTPUT), read_header(OUTPUT)
    casts = open_cast(model), painted_cast(Path(sys.argv[1]), model)
    with MediaPipeDetector() as detector, torch.no_grad():
        found = [cast_all(cast, detector, seed) for seed, cast in enumerate(casts)]
    places, facing = (torch.cat(values) for values in zip(*found, strict=True))
    dense = placed(model, *agreed(places, facing))
    order = torch.tensor(tables.MESH_OF_68)
    landmarks = {"478": dense, "68": dense.map(lambda values: values[order])}
    print(f"{len(places)} faces, median confidence {float(dense.confidence.median()):.2f}")
    kept = {name: notes[name] for name in ("source", "revision", "licence") if name in notes}
    save_model(replace(model, landmarks=landmarks), OUTPUT, notes=kept)


if __name__ == "__main__":
    main()
