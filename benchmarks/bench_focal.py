"""What does a fit lose where it does not know the lens, and what does it expect instead?

    python -m benchmarks.bench_focal [--data FOLDER] [--heads N]

Mitsuba 3 photographs the scanned person and random heads of ICT-FaceKit (`subjects`), each twice:
as a portrait, with a lens of 1.2 to 4 times the longer side of the picture, and as a selfie, 0.72
to 0.85 times, which is that of 26 to 30 mm on film. The face fills 30 to 60 per cent of the height,
which says how far the camera is. The portraits are also fitted as if they were cropped to 65 per
cent. The detector finds the landmarks, and the linear stage fits them:

- `true`: with the focal length that took the picture.
- `as before`: 1.5 times the longer side, with a spread of 0.2 of its logarithm.
- `by angle`: twice the longer side, with a spread of 0.5, about that of photos, and no distance.
- `now`: what `LinearSettings` expect, angle and distance.

The error is that of `bench_scan`: the distance from the subject's face points, here one of four,
to the fitted surface, in millimetres, median of a picture, then over pictures mean and median.
`focal_bias` and `focal_rms` are of the logarithm of found over true. `photos` has what is found in
real photos, where nobody knows the truth: how far the camera would be.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import report, seed
from benchmarks.ict import IctHeads, ict_heads
from benchmarks.independent import LAMPS
from benchmarks.subjects import SIZE, Shot, Subject, photograph, scan
from benchmarks.surfaces import Surface, brought_together, distances, register
from morphface.fit import LinearSettings, fit_linear
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import read_image
from morphface.models import MorphableModel, load_model
from morphface.models.skin import skin_faces
from morphface.parameters import FaceParameters

KINDS = {"portrait": (1.2, 4.0), "selfie": (0.72, 0.85)}  # times the longer side
FACE = 200.0  # millimetres from chin to hairline, roughly
SAMPLES = 16
SCANS = 5  # pictures of the scanned person for each kind
CROP = 0.65  # of the width and height
EVERY = 4  # which of the subject's points is measured
NEVER = math.inf
EXPECTATIONS: dict[str, LinearSettings | None] = {
    "true": None,
    "as before": LinearSettings(focal_mean=1.5, focal_spread=0.2, distance_spread=NEVER),
    "by angle": LinearSettings(focal_mean=2.0, focal_spread=0.5, distance_spread=NEVER),
    "now": LinearSettings(),
}
PHOTOS = ("astronaut.png", "grace_hopper.jpg", "woman_portrait.jpg", "model_face_hand.jpg",
          "laos_two_faces.jpg", "glasses_frontal.jpg", "sunglasses_selfie.jpg")  # fmt: skip

Taken = tuple[str, float, Shot]


def taken(
    subjects: list[Subject], detector: MediaPipeDetector, rng: np.random.Generator
) -> Iterator[Taken]:
    """Each subject as a portrait, whole and cropped, and as a selfie; with the focal length."""
    lamps = list(LAMPS.values())
    for index, subject in enumerate(subjects):
        for kind, (shortest, longest) in KINDS.items():
            focal = math.exp(rng.uniform(math.log(shortest), math.log(longest)))
            distance = focal * FACE / rng.uniform(0.3, 0.6)
            angles = (float(rng.uniform(-35, 35)), float(rng.uniform(-10, 10)))
            shot = photograph(
                subject,
                angles,
                lamps[index % 2],
                detector,
                focal=focal * max(SIZE),
                distance=distance,
                samples=SAMPLES,
            )
            if shot.landmarks is None:
                continue
            shot = replace(shot, points=shot.points[::EVERY])
            yield kind, focal, shot
            if kind == "portrait":
                yield "cropped portrait", focal / CROP, _cropped(shot)


def _cropped(shot: Shot) -> Shot:
    """The landmarks of the middle of a picture; its pixels are not looked at any more."""
    side = round(CROP * max(SIZE))
    camera = Camera.facing((side, side), focal=float(shot.camera.focal))
    marks = shot.landmarks and replace(
        shot.landmarks, points=shot.landmarks.points - (max(SIZE) - side) / 2
    )
    return replace(shot, camera=camera, landmarks=marks)


def bench_rendered(model: MorphableModel, given: list[Taken]) -> list[dict[str, Any]]:
    """Shape and focal length under each expectation."""
    rows: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for kind, true, shot in given:
        if shot.landmarks is None:
            continue
        for name, settings in EXPECTATIONS.items():
            size, lens = shot.camera.size, None if settings else float(shot.camera.focal)
            fit = fit_linear(model, shot.landmarks, size=size, focal=lens, settings=settings)
            off = float(np.median(errors(model, fit.parameters, shot)))
            found = float(fit.camera.focal) / max(size)
            rows[kind, name].append((off, math.log(found / true)))
    return [_summary(f"{kind}, {name}", found) for (kind, name), found in rows.items()]


def errors(model: MorphableModel, parameters: FaceParameters, shot: Shot) -> np.ndarray:
    """Distances of the subject's face points to the fitted head, as in `bench_scan`."""
    p = parameters
    seen = to_camera(model.vertices(p.identity, p.expression, p.gaze), p.rotation, p.translation)[0]
    marks, found = shot.marks, model.landmarks["478"].points(seen)
    both = marks.isfinite().all(1)
    surface = Surface(seen.double().numpy(), model.faces[skin_faces(model)].numpy())
    start = brought_together(marks[both].double().numpy(), found[both].double().numpy())
    points = shot.points.double().numpy()
    return distances(points, surface, register(points, surface, start))


def _summary(case: str, rows: list[tuple[float, float]]) -> dict[str, Any]:
    shape, focal = np.array(rows).T
    return {
        "case": case,
        "pictures": len(rows),
        "mean_mm": round(float(shape.mean()), 4),
        "median_mm": round(float(np.median(shape)), 4),
        "worst_mm": round(float(shape.max()), 4),
        "focal_bias": round(float(focal.mean()), 3),
        "focal_rms": round(float(np.sqrt((focal**2).mean())), 3),
    }


def bench_photos(
    model: MorphableModel, folder: Path, detector: MediaPipeDetector
) -> Iterator[dict[str, Any]]:
    """Focal length and distance that are found in real photos."""
    for name in PHOTOS:
        photo, faces = find_faces(read_image(folder / name), detector)
        for said in ("as before", "now") if faces else ():
            fit = fit_linear(model, faces[0], size=photo.size, settings=EXPECTATIONS[said])
            yield {
                "case": f"photo {name}, {said}",
                "focal": round(float(fit.camera.focal) / max(photo.size), 3),
                "distance_mm": round(-float(fit.parameters.translation[0, 2])),
                "landmark_nme": round(fit.landmark_nme, 4),
            }


def main() -> None:
    """Render, fit, measure, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options.add_argument("--heads", type=int, default=12)
    chosen = options.parse_args()
    seed()
    torch.set_num_threads(1)
    model, rng = load_model(), np.random.default_rng(2)
    with MediaPipeDetector() as detector:
        person = scan(chosen.data / "scans/lee_perry_smith.obj")
        heads = ict_heads(IctHeads(chosen.data / "ict/ict_facekit.npz"), chosen.heads)
        given = list(taken([person] * SCANS + list(heads), detector, rng))
        cases = bench_rendered(model, given)
        cases += bench_photos(model, chosen.data / "photos", detector)
    report("focal", cases)


if __name__ == "__main__":
    main()
