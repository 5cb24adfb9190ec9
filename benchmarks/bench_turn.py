"""Do the frames of a turn know a head better than one photo does, and do they agree?

    python -m benchmarks.bench_turn --cache FOLDER [--data FOLDER] [--only scan|views ...] [--keep]

The clips are the pictures of `bench_scan` of one head in one light: nine views of the scanned
person, twice, and four of each of five heads of ICT-FaceKit. They go the way that a video goes:
frames are chosen as key frames and fitted as those of one person (`fit/video/keys.py`), with the
settings of tracking, but for the focal length, which is given as it is to the single photos. Every
picture by itself is the fit of pixels that `bench_scan` measures.

All compared are heads without expression, since a person of a clip has none: the distance of the
scan's points to that surface, and of ICT heads without expression each vertex to its own place. The
scan's face is at rest. `apart_mm` is how far two answers about one head are from each other, the
root-mean-square over the face after a rigid motion: those of two single photos, or those of two
halves of a clip, which share no frame, four and five or two and two. How large a head is a picture
hardly tells; `apart_any_size_mm` is after a similarity.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import DATA, report, reported, seed
from benchmarks.faces import Face, Places
from benchmarks.fitted import Fitted
from benchmarks.matching import rms_rigid
from benchmarks.measures import remembered
from benchmarks.peers import Ict
from benchmarks.pictures import read_shot, take
from benchmarks.revisions import Fits
from benchmarks.subjects import Shot, scan
from morphface.fit.video import VideoSettings
from morphface.fit.video.keys import candidate_of, choose_keys, person_of
from morphface.media.video import Frame
from morphface.models import MorphableModel, load_model

TITLES = {"scan": "scan, nine frames", "views": "ICT heads, four frames"}
STRIDE = 3  # of the face's vertices that two answers are compared at


class Turns:
    """Clips of heads and what is made of them.

    Args:
        data: the developers' data.
        fits: what single pictures gave.
    """

    def __init__(self, data: Path, fits: Fitted) -> None:
        self.model: MorphableModel = load_model()
        self.fits, ict = fits, Ict(data / "ict/ict_facekit.npz")
        self.places: Places = fits.places(ict)[0]
        self.outer = {
            "views": torch.from_numpy(ict.outer),
            "scan": scan(data / "scans/lee_perry_smith.obj").outer,
        }

    def shot(self, path: Path) -> Shot:
        """A picture, and which of the subject's points are seen."""
        return replace(read_shot(path), outer=self.outer[path.parent.name])

    def one(self, path: Path) -> np.ndarray:
        """The head without expression that a single picture shows, V x 3."""
        return self.fits.raw(path)["pixels_neutral"].astype(np.float64)

    def clip(self, paths: Sequence[Path]) -> np.ndarray:
        """The head without expression that a clip's key frames show, V x 3."""
        shots = [self.shot(path) for path in paths]
        focal = float(shots[0].camera.focal)
        frames = [
            candidate_of(self.model, Frame(shot.photo, k, k / 25), shot.landmarks, focal)
            for k, shot in enumerate(shots)
            if shot.landmarks is not None
        ]
        settings = VideoSettings(focal=focal)
        keys = choose_keys(frames, settings.key_frames)
        person = person_of(0, self.model, keys, settings)
        return self.model.identity.instance(person.identity)[0].double().numpy()

    def errors(self, neutral: np.ndarray, path: Path, cache: Path) -> tuple[float, float]:
        """Median and mean distance in millimetres of a head from that on a picture."""
        shot = self.shot(path)
        marks = self.model.landmarks["478"].points(torch.from_numpy(neutral).float())
        face: Face = self.fits.face(neutral, marks.double().numpy(), neutral)
        told = remembered(face, shot, self.places, cache / "errors")
        found = told["surface"] if shot.neutral is None else told["neutral_similar"]
        return float(np.median(found)), float(found.mean())

    def apart(self, heads: Sequence[np.ndarray]) -> tuple[float, float]:
        """The mean distance between two answers about one head, in millimetres: as they are, and
        in the same size.
        """
        face = np.stack(heads)[:, (self.model.regions["face"] > 0.5).numpy()][:, ::STRIDE]
        pairs = np.triu_indices(len(heads), 1)
        size = float(np.sqrt(face.var(axis=1).sum(axis=1)).mean())
        rigid, similar = rms_rigid(face), size * rms_rigid(face, scaled=True)
        return float(rigid[pairs].mean()), float(similar[pairs].mean())


def table(turns: Turns, title: str, clips: Sequence[Sequence[Path]], cache: Path) -> list[dict]:
    """A row for single photos, and one for clips."""
    singles, whole, apart = [], [], ([], [])
    for paths in clips:
        heads = [turns.one(path) for path in paths]
        singles += [
            turns.errors(head, path, cache) for head, path in zip(heads, paths, strict=True)
        ]
        whole.append(turns.errors(turns.clip(paths), paths[0], cache))
        apart[0].append(turns.apart(heads))
        apart[1].append(turns.apart([turns.clip(paths[::2]), turns.clip(paths[1::2])]))
    return [
        _row(f"{title}, one photo", singles, apart[0]),
        _row(f"{title}, key frames of the clip", whole, apart[1]),
    ]


def _row(
    case: str, errors: Sequence[tuple[float, float]], apart: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    (median, mean), (rigid, similar) = np.array(errors).T, np.array(apart).T
    return {
        "case": case,
        "answers": len(errors),
        "median_mm": round(float(np.median(median)), 3),
        "mean_mm": round(float(mean.mean()), 3),
        "worst_median_mm": round(float(median.max()), 3),
        "apart_mm": round(float(rigid.mean()), 3),
        "apart_any_size_mm": round(float(similar.mean()), 3),
    }


def main() -> None:
    """Take pictures, fit, compare, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, required=True, help="keeps pictures and fits")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--only", nargs="+", choices=TITLES, default=list(TITLES))
    options.add_argument("--keep", action="store_true", help="keep this checkout's stored fits")
    chosen = options.parse_args()
    seed()
    sets = {name: take(name, chosen.data, chosen.cache, 5) for name in chosen.only}
    paths = [path for found in sets.values() for path in found]
    turns = Turns(chosen.data, Fitted(Fits(chosen.cache).now(paths, keep=chosen.keep)))
    cases = []
    for name, found in sets.items():
        clips = defaultdict(list)
        for path in found:
            clips[path.stem.split("-")[0]].append(path)
        cases += table(turns, TITLES[name], list(clips.values()), chosen.cache)
    done = {case["case"] for case in cases}
    report("turn", [*cases, *reported("turn", lambda case: case["case"] not in done)])


if __name__ == "__main__":
    main()
