"""Where the scanned head stands, and which of its points are its face.

    python -m benchmarks.scan_frame [--data FOLDER]

Writes `scan_frame.npz`, which `benchmarks/subjects.py` reads. Landmarks seen on the scan tell the
similarity to a model's mean head; its face is what lies within 25 mm of the face of that head. The
stored one was made with the open head of version 0.1.0. It is not made anew for another model: then
each would be measured by points of its own choice.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from benchmarks.common import DATA
from benchmarks.independent import LAMPS, Part
from benchmarks.subjects import DISTANCE, FRAME, SIZE, Subject, photograph, read_scan
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel, load_model
from morphface.render import rasterize

REACH = 25.0  # mm


def frame_of(part: Part, model: MorphableModel, detector: MediaPipeDetector) -> dict[str, Tensor]:
    """The similarity to the model's frame, the landmarks there, and which points are the face."""
    scale, turn, shift = torch.tensor(1.0), torch.eye(3), torch.zeros(3)
    marks = torch.empty(0, 3)
    for _ in range(2):  # the second time, the head faces the camera
        placed = replace(
            part,
            vertices=scale * part.vertices @ turn.mT + shift,
            normals=None if part.normals is None else part.normals @ turn.mT,
        )
        marks, (more_turn, more_shift, more_scale) = _brought(placed, model, detector)
        shift = more_scale * more_turn @ shift + more_shift
        scale, turn = more_scale * scale, more_turn @ turn
    near = torch.cdist(scale * part.vertices @ turn.mT + shift, model.identity.mean).min(dim=1)
    face = (model.regions["face"][near.indices] > 0.5) & (near.values < REACH)
    return {"scale": scale, "turn": turn, "shift": shift, "marks": marks, "face": face}


def _brought(
    part: Part, model: MorphableModel, detector: MediaPipeDetector
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Landmarks where they are nearest to those of the mean head, and what brings them there."""
    marks = _cast(part, detector)
    embedding = model.landmarks["478"]
    sure = (embedding.confidence > 0.3) & marks.isfinite().all(1)
    turn, shift, scale = roma.rigid_points_registration(
        marks[sure], embedding.points(model.identity.mean)[sure], compute_scaling=True
    )
    return scale * marks @ turn.mT + shift, (turn, shift, scale)


def _cast(part: Part, detector: MediaPipeDetector) -> Tensor:
    """Landmarks that the detector sees on a part, back on its surface."""
    lamp = LAMPS["soft, from the left"]
    nothing = torch.empty(0, 3)
    shot = photograph(Subject((part,), nothing, nothing), (0, 0), lamp, detector)
    if shot.landmarks is None:
        raise SystemExit("no face is seen on the scan")
    placed = part.vertices + torch.tensor([0.0, 0.0, -DISTANCE])
    found = rasterize(shot.camera.project(placed)[None], part.faces, SIZE)
    column, row = shot.landmarks.points.floor().long().unbind(-1)
    inside = (column >= 0) & (row >= 0) & (column < SIZE[1]) & (row < SIZE[0])
    column, row = column.clamp(0, SIZE[1] - 1), row.clamp(0, SIZE[0] - 1)
    face, weights = found.face[0, row, column], found.barycentric[0, row, column]
    points = (part.vertices[part.faces[face]] * weights[..., None]).sum(1)
    return torch.where((inside & (face >= 0))[:, None], points, torch.nan)


def main() -> None:
    """Find the frame and store it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=DATA)
    part = read_scan(options.parse_args().data / "scans/lee_perry_smith.obj")
    with MediaPipeDetector() as detector:
        found = frame_of(part, load_model(), detector)
    face = np.packbits(found.pop("face").numpy())
    np.savez_compressed(FRAME, face=face, **{name: x.numpy() for name, x in found.items()})


if __name__ == "__main__":
    main()
