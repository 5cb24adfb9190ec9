"""The pictures that fits are measured on: taken once, then kept in a folder.

Sets of pictures, each picture of a person (a group) and a number within it:

- scan: the scanned person in two lights, nine views each;
- ict: random heads of ICT-FaceKit, one picture each;
- views: the first of these heads, four views each;
- people: random identities of ICT-FaceKit, four pictures each with other expressions, poses and
  lights.

A picture is one .npz file, `<set>/<group>-<number>.npz`, with what the detector saw in it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.common import DATA
from benchmarks.fit_shots import read_landmarks
from benchmarks.ict import IctHeads, ict_heads
from benchmarks.independent import LAMPS, Lamp
from benchmarks.subjects import Shot, Subject, photograph, scan
from morphface.geometry.camera import Camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo

__all__ = ["SETS", "read_shot", "take"]

# Yaw and pitch in degrees.
VIEWS = [(-40, 0), (-20, 0), (0, 0), (20, 0), (40, 0), (0, 15), (0, -15), (25, 10), (-25, -10)]
FEW_VIEWS = [(-30, 0), (0, 0), (30, 0), (0, 15)]
VIEWED, EACH = 5, 4
FEW_SAMPLES = 16  # rays a pixel for the many pictures of people

Planned = tuple[str, Subject, tuple[float, float], Lamp]


def take(name: str, data: Path, cache: Path, count: int) -> list[Path]:
    """The files of a set; what is missing is rendered and looked at.

    Args:
        name: of the set, from `SETS`.
        data: holds `scans/lee_perry_smith.obj` and `ict/ict_facekit.npz`.
        cache: where pictures are kept.
        count: how many people of the sets ict and people.
    """
    samples = FEW_SAMPLES if name == "people" else 64
    paths = []
    with MediaPipeDetector() as detector:
        for stem, subject, angles, lamp in SETS[name](data, count):
            path = cache / name / f"{stem}.npz"
            paths.append(path)
            if not path.exists():
                save_shot(path, photograph(subject, angles, lamp, detector, samples=samples))
    return paths


def scan_pictures(data: Path, count: int) -> Iterator[Planned]:
    """The scanned person; a group for each light."""
    person = scan(data / "scans/lee_perry_smith.obj")
    for group, lamp in enumerate(LAMPS.values()):
        for index, angles in enumerate(VIEWS):
            yield f"{group}-{index}", person, angles, lamp


def ict_pictures(data: Path, count: int) -> Iterator[Planned]:
    """Random people of another model, one picture each."""
    rng, lamps = np.random.default_rng(1), list(LAMPS.values())
    for group, head in enumerate(ict_heads(IctHeads(data / "ict/ict_facekit.npz"), count)):
        angles = (float(rng.uniform(-35, 35)), float(rng.uniform(-10, 10)))
        yield f"{group}-0", head, angles, lamps[group % 2]


def ict_views(data: Path, count: int) -> Iterator[Planned]:
    """Some of them from several sides, with one expression."""
    lamps = list(LAMPS.values())
    for group, head in enumerate(ict_heads(IctHeads(data / "ict/ict_facekit.npz"), VIEWED)):
        for index, angles in enumerate(FEW_VIEWS):
            yield f"{group}-{index}", head, angles, lamps[group % 2]


def people_pictures(data: Path, count: int) -> Iterator[Planned]:
    """Random people, each as they look on several occasions."""
    ict, rng = IctHeads(data / "ict/ict_facekit.npz"), np.random.default_rng(2)
    for group in range(count):
        identity = ict.random_identity(rng)
        for index in range(EACH):
            head = ict.head(identity, ict.random_expression(rng))
            angles = (float(rng.uniform(-30, 30)), float(rng.uniform(-12, 12)))
            yield f"{group}-{index}", head, angles, _any_lamp(rng)


SETS = {
    "scan": scan_pictures,
    "ict": ict_pictures,
    "views": ict_views,
    "people": people_pictures,
}


def _any_lamp(rng: np.random.Generator) -> Lamp:
    """One of the known two, or, as often, a random one from anywhere before the face."""
    kind = rng.integers(4)
    sky = rng.uniform(0.3, 0.6) * (1 + rng.uniform(-0.08, 0.08, size=3))
    sun = rng.uniform(0.5, 1.1) * (1 + rng.uniform(-0.12, 0.12, size=3))
    towards = (rng.uniform(-1, 1), rng.uniform(-0.3, 1), rng.uniform(0.4, 1))
    return [*LAMPS.values()][kind] if kind < len(LAMPS) else Lamp(tuple(sky), tuple(sun), towards)


def save_shot(path: Path, shot: Shot) -> None:
    """Writes a picture and all that is known about it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "pixels": shot.photo.pixels.numpy(),
        "focal": np.float64(shot.camera.focal),
        "points": shot.points.numpy(),
        "marks": shot.marks.numpy(),
    }
    if shot.neutral is not None:
        content["neutral"] = shot.neutral.numpy()
    face = shot.landmarks
    if face is not None and face.depth is not None:
        content |= {
            "face_points": face.points.numpy(),
            "face_depth": face.depth.numpy(),
            "face_confidence": face.confidence.numpy(),
            "face_box": np.array(face.box, float),
            "face_score_names": np.array(list(face.scores)),
            "face_scores": np.array(list(face.scores.values()), float),
        }
    part = path.with_suffix(".part.npz")
    np.savez(part, **content)
    part.rename(path)


def read_shot(path: Path) -> Shot:
    """What `save_shot` wrote."""
    with np.load(path) as data:
        content = {name: data[name] for name in data.files}
    photo = Photo(torch.from_numpy(content["pixels"]))
    camera = Camera.facing(photo.size, focal=float(content["focal"]))
    points, marks = (torch.from_numpy(content[n]) for n in ("points", "marks"))
    neutral = torch.from_numpy(content["neutral"]) if "neutral" in content else None
    return Shot(photo, camera, points, marks, read_landmarks(content), neutral)


def main() -> None:
    """Take all pictures of a set that are missing."""
    import argparse

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("set", choices=SETS)
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--cache", type=Path, required=True)
    options.add_argument("--count", type=int, default=20)
    chosen = options.parse_args()
    print(len(take(chosen.set, chosen.data, chosen.cache, chosen.count)), "pictures")


if __name__ == "__main__":
    main()
