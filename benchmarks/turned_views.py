"""People with hair, photographed from the front, turned, and compared with true pictures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from benchmarks.persons import Shot, Sitting, sitting
from morphface.edit import edit
from morphface.evaluate import psnr, ssim
from morphface.fit.fitted import FittedFace
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.relief import Relief
from morphface.render.warp import centres, look_up
from morphface.rerender import Rerenderer
from morphface.rerender.face_layer import FaceLayer
from morphface.rerender.looks import Look
from morphface.rerender.turn import Turn, turning

__all__ = ["METHODS", "Likeness", "Turned", "nets"]

ANGLES = (15.0, 30.0, 45.0)
METHODS = ("copy", "similarity", "depth", "net", "morphface")
REGIONS = ("whole", "head", "ring", "background")
RING = 14
"""How far around the head its surroundings reach, in pixels."""
NODES = 110


class Likeness:
    """Cosine similarity of SFace between faces of two pictures (OpenCV's model zoo).

    Args:
        weights: the folder that holds the two networks; None measures nothing.
    """

    def __init__(self, weights: Path | None) -> None:
        import cv2

        self.ready = weights is not None and weights.is_dir()
        if self.ready and weights is not None:
            finder = str(weights / "face_detection_yunet_2023mar.onnx")
            self.finder = cv2.FaceDetectorYN.create(finder, "", (320, 320))
            knower = str(weights / "face_recognition_sface_2021dec.onnx")
            self.knower = cv2.FaceRecognizerSF.create(knower, "")

    def __call__(self, first: Tensor, second: Tensor) -> float:
        """Of two pictures; NaN where a face is not found."""
        found = [self._description(picture) for picture in (first, second)]
        if any(each is None for each in found):
            return float("nan")
        return float(self.knower.match(found[0], found[1], 0))

    def _description(self, picture: Tensor) -> Any:
        if not self.ready:
            return None
        pixels = np.ascontiguousarray((picture.clamp(0, 1) * 255).byte().numpy()[..., ::-1])
        self.finder.setInputSize((pixels.shape[1], pixels.shape[0]))
        _, faces = self.finder.detect(pixels)
        if faces is None:
            return None
        return self.knower.feature(self.knower.alignCrop(pixels, faces[0]))


@dataclass
class Turned:
    """The people, and what is measured of them.

    Args:
        fine: model that makes them.
        coarse: model that is fitted.
        fit: the face of a picture; None if none is found.
        move: a picture moved by the similarity that fits points best.
        likeness: of faces.
        cache: folder that keeps pictures; None keeps none.
    """

    fine: MorphableModel
    coarse: MorphableModel
    fit: Callable[[MorphableModel, Tensor, MediaPipeDetector], FittedFace | None]
    move: Callable[[Tensor, Tensor, Tensor], Tensor]
    likeness: Likeness
    cache: Path | None = None

    def __post_init__(self) -> None:
        self.rows: dict[float, list[dict[str, dict[str, float]]]] = {a: [] for a in ANGLES}
        self.times: dict[str, list[float]] = {"first": [], "next": []}
        self.outlines: list[dict[str, float]] = []

    def person(self, number: int, detector: MediaPipeDetector) -> bool:
        """Measures the next one; whether their face was found in all pictures."""
        who = sitting(self.fine, number)
        photo = self._photograph(who, number, 0.0)
        found = self.fit(self.coarse, photo.image, detector)
        if found is None:
            return False
        stage = Rerenderer(found, Photo(photo.image))
        self.outlines.append(_outlines(stage, photo.person))
        for k, angle in enumerate(ANGLES):
            yaw = angle if (number + k) % 2 else -angle
            truth = self._photograph(who, number, yaw)
            wanted = edit(found.parameters, model=self.coarse, yaw=yaw)
            pictures = self._pictures(stage, wanted, photo.image, self._marks(who, yaw))
            regions = _regions(photo, truth)
            row = {name: self._scores(pictures[name], truth, regions) for name in METHODS}
            self.rows[angle].append(row)
        return True

    def _outlined(self) -> dict[str, Any]:
        """How well outlines agree in the photo's own view."""
        row: dict[str, Any] = {"case": "outlines in the photo's own view", "target": 0.97}
        for name in self.outlines[0]:
            values = [each[name] for each in self.outlines]
            row[f"iou_{name}_mean"] = round(float(np.mean(values)), 4)
            row[f"iou_{name}_least"] = round(min(values), 4)
        return row

    def _photograph(self, who: Sitting, number: int, yaw: float) -> Shot:
        kept = None if self.cache is None else self.cache / f"{number}_{yaw:+g}.npy"
        return who.photograph(who.turned(yaw) if yaw else who.front, kept)

    def _marks(self, who: Sitting, yaw: float) -> Tensor:
        embedding = self.fine.landmark_embedding("478")
        shown = Look.of(self.fine, who.turned(yaw)).vertices
        return who.person.camera.project(embedding.points(shown))[:, :2]

    def _pictures(
        self, stage: Rerenderer, wanted: FaceParameters, image: Tensor, marks: Tensor
    ) -> dict[str, Tensor]:
        began = time.perf_counter()
        name = "next" if self.times["first"] and stage is self._last else "first"
        ours = stage(wanted)
        self.times[name].append(time.perf_counter() - began)
        self._last = stage
        depth, net = nets(stage, image, wanted)
        similar = self.move(image, stage.face.fit.landmarks.points, marks)
        return dict(zip(METHODS, (image, similar, depth, net, ours), strict=True))

    _last: Rerenderer | None = None

    def _scores(self, picture: Tensor, truth: Shot, regions: dict[str, Tensor]) -> dict[str, float]:
        out = {}
        for name, mask in regions.items():
            pair = picture.clamp(0, 1)[None], truth.image[None]
            out[f"psnr_{name}"] = float(psnr(*pair, mask[None].float()))
            out[f"ssim_{name}"] = float(ssim(*pair, mask[None].float()))
        out["likeness"] = self.likeness(picture, truth.image)
        return out

    def table(self) -> list[dict[str, Any]]:
        """One row for each angle, and one for all of them."""
        out = []
        for angle, rows in self.rows.items():
            case: dict[str, Any] = {"case": f"turned by {angle:g} degrees", "people": len(rows)}
            for method in METHODS:
                for name in rows[0][method]:
                    values = [row[method][name] for row in rows]
                    values = [value for value in values if np.isfinite(value)]
                    if values:
                        case[f"{name}_{method}"] = round(float(np.mean(values)), 3)
            out.append(case)
        rows = [row for each in self.rows.values() for row in each]
        case = {"case": "turned, better than the net before it", "target": "55 of 60"}
        for name in ("head", "ring", "background"):
            key = f"psnr_{name}"
            wins = sum(row["morphface"][key] > row["net"][key] for row in rows)
            case[name] = f"{wins} of {len(rows)}"
        least = min(row["morphface"]["psnr_background"] for row in rows)
        mean = float(np.mean([row["morphface"]["psnr_background"] for row in rows]))
        case |= {"background_psnr_mean": round(mean, 2), "background_psnr_least": round(least, 2)}
        out.append(case | {"background_target": 35.0})
        out.append(self._outlined())
        times = {f"{k}_view_median_s": round(float(np.median(v)), 3) for k, v in self.times.items()}
        return [*out, {"case": "speed of turns, 256 pixels"} | times]


def _outlines(stage: Rerenderer, person: Tensor) -> dict[str, float]:
    """Intersections over unions, in the photo's own view, of what the layers cover, of the matte,
    and of the person that there is.
    """
    still = Turn.between(stage.face.parameters, stage.face.parameters)
    far = torch.full((*person.shape, 3), 9.0)
    drawn = stage._layers.draw(still, replace(stage.face.camera), (far, far)).frame
    covered, matte = (drawn < 4.5).all(-1), stage._head.matte[..., 0] > 0.5
    pairs = {"matte": (matte, person), "layers": (covered, person), "agreed": (covered, matte)}
    return {name: float((a & b).sum() / (a | b).sum()) for name, (a, b) in pairs.items()}


def _regions(photo: Shot, truth: Shot) -> dict[str, Tensor]:
    """The whole picture, the head, what is around it, and the background seen in both."""
    around = _grown(truth.head, RING) | truth.hair
    behind = ~_grown(photo.person | truth.person, 3)
    whole = torch.ones_like(truth.head)
    return {
        "whole": whole,
        "head": truth.head,
        "ring": around & (~truth.head | truth.hair),
        "background": behind,
    }


def _grown(mask: Tensor, reach: int) -> Tensor:
    return max_pool2d(mask[None, None].float(), 2 * reach + 1, 1, reach)[0, 0] > 0


def nets(stage: Rerenderer, image: Tensor, wanted: FaceParameters) -> tuple[Tensor, Tensor]:
    """The photo warped by the mesh's depth, and the same with the mesh of the face over it.

    The first is the profile synthesis of Zhu et al. (2016); the second what this package drew
    before heads had layers.

    Args:
        stage: the photo and its face.
        image: the photo.
        wanted: what is drawn.
    """
    head, face = stage._head, stage.face
    now, look = head.look, Look.of(face.model, wanted)
    screen = face.camera.project(now.vertices)[:, :2]
    size = float((screen.amax(0) - screen.amin(0)).max())
    height, width = image.shape[:2]
    inside = (0.0, 0.0, float(width), float(height))
    relief = Relief(
        face.camera,
        now.vertices,
        face.model.faces,
        turning(face.model),
        inside,
        spacing=max(size / NODES, 1.0),
        reach=0.1 * size,
    )
    flow, _ = relief.flow(look.vertices, look.vertices, torch.zeros(face.model.size, 1))
    place = flow + centres(height, width, flow)
    depth = look_up(image[None], place[None])[0]
    net = depth.clone()
    person = torch.ones_like(net[..., :1])
    FaceLayer(head, 2).over(net, person, head.bent(look, wanted), face.camera)
    return depth, net
