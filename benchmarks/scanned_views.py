"""A scanned person, photographed from the front by Mitsuba 3, turned, and compared with pictures.

The scan turns with its shoulders, where ours stay, so that only the face is compared.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.independent import LAMPS
from benchmarks.subjects import Shot, photograph, scan
from benchmarks.turned_views import ANGLES, Likeness
from morphface.edit import edit
from morphface.evaluate import psnr, ssim
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import load_model
from morphface.rerender import Rerenderer

__all__ = ["scanned"]

SAMPLES = 24
METHODS = ("copy", "similarity", "morphface")


def scanned(
    data: Path, fit: Callable[..., Any], move: Callable[..., Tensor], likeness: Likeness
) -> list[dict[str, Any]]:
    """A row for each angle.

    Args:
        data: holds `scans/lee_perry_smith.obj`.
        fit: the face of a picture, by model, picture and detector.
        move: a picture moved by the similarity that fits points best.
        likeness: of faces.
    """
    person, lamp = scan(data / "scans/lee_perry_smith.obj"), LAMPS["soft, from the left"]
    out = []
    with MediaPipeDetector() as detector:
        front = photograph(person, (0.0, 0.0), lamp, detector, samples=SAMPLES)
        image, model = front.photo.pixels, load_model()
        found = fit(model, image, detector)
        stage = Rerenderer(found, front.photo)
        start = found.parameters
        for angle in ANGLES:
            truth = photograph(person, (angle, 0.0), lamp, detector, samples=SAMPLES)
            # The scan turns about its eyes' middle, an edit about the neck.
            wanted = replace(edit(start, model=model, yaw=angle), translation=start.translation)
            similar = move(image, *(_marks(shot) for shot in (front, truth)))
            mask = _face(truth)
            case: dict[str, Any] = {"case": f"scan turned by {angle:g} degrees"}
            for name, picture in zip(METHODS, (image, similar, stage(wanted)), strict=True):
                pair = picture.clamp(0, 1)[None], truth.photo.pixels[None]
                case[f"psnr_face_{name}"] = round(float(psnr(*pair, mask[None].float())), 3)
                case[f"ssim_face_{name}"] = round(float(ssim(*pair, mask[None].float())), 3)
                case[f"likeness_{name}"] = round(likeness(picture, truth.photo.pixels), 3)
            out.append(case)
            print(case, flush=True)
    return out


def _marks(shot: Shot) -> Tensor:
    """Landmarks in the picture, those that the scan has."""
    marks = shot.camera.project(shot.marks)[:, :2]
    return torch.where(marks.isfinite(), marks, marks[marks.isfinite().all(-1)].mean(0))


def _face(shot: Shot) -> Tensor:
    """Where the face is, by the outline of its landmarks."""
    import cv2

    marks = shot.camera.project(shot.marks)[:, :2]
    points = marks[marks.isfinite().all(-1)].numpy().astype(np.float32)
    mask = np.zeros(shot.photo.size, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points).round().astype(np.int32), 1)
    return torch.from_numpy(mask) > 0
