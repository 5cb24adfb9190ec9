"""Could frames of tracks be told a quality, the share of such frames that is right?

    python -m benchmarks.bench_frame_quality --cache FOLDER [--kept]

Clips of 16 frames, in which a rendered head sways and speaks and one thing is wrong throughout
(`benchmarks/spoilt.py`), are tracked by pixels. Each clip has a person of its own. What is right is
told as in `benchmarks/bench_verdict.py`. Frames of one clip are much alike: a clip counts as one,
however many of its frames are seen, and intervals (90 %) come from drawing clips with replacement.

The number that is judged is the best that was found, a logistic regression on three things: the
person's usual landmark error, whether pixels had a say in the frame, and how much of half a second
around the person is lost. They were chosen among some twenty by cross-validation on the first 140
clips, which alone give the weights; the others, which nobody had looked at, judge it. Size, cut,
turn and the frame's own landmark error did not tell right frames from wrong ones there. Differences
of colour did, but those of real videos are larger than those of renderings, right or wrong.

- `quality`: shares that were said and that were right, with their clips; the `error` is the mean
  difference of the two, `error_if_true` what it would be in as many clips, were every number true
  and a clip's frames as alike as they are; `skill` is how much of the squared error (Brier) of one
  number for all frames, the share of the tuning clips, is gone; `area` how often a right frame has
  the higher number than a wrong one; `within_clips` the same for frames of one clip.
- `good`: precision and recall of "quality at least so much", against all frames that are seen.
- `crossed`: the same `quality` of all clips, each judged by weights of the clips of the other
  parity; most of these clips had a part in the choice of the three things.
- `kind`: how many frames of each kind of clip are right.

Target: an `error` of at most 0.06, and a `skill` whose interval is above 0. It was missed, so that
frames have no quality. Tracks are kept in the cache: the same command goes on where it was; with
`--kept` what is there is judged.
"""

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_verdict import is_right, logistic
from benchmarks.common import report, seed
from benchmarks.spoilt_clips import FRAMES, clip_rows, known_of, track_of
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST

CLIPS = 234
STAGE = "track pixels"
TUNING = 140  # clips
NEAR = 12  # frames either way, half a second
USUAL = 0.015  # eye distances: the usual landmark error of a clear face
LIMITS = [(None, None), *[(None, 0.0)] * 3]  # of the weights: nothing speaks for a frame
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0001)
LEAST = (0.3, 0.5, 0.7)  # of what is called good
DRAWS = 1000
_Rows = list[dict[str, Any]]


class Judged:
    """What was said of the frames of some clips, and whether it is so.

    Args:
        rows: of the frames.
        quality: that each was given.
    """

    def __init__(self, rows: _Rows, quality: np.ndarray) -> None:
        self.quality = quality
        self.right = np.array([is_right(row) for row in rows], dtype=float)
        self.clip = np.unique([row["number"] for row in rows], return_inverse=True)[1]
        self.clips = int(self.clip.max()) + 1
        self.share = 1 / np.bincount(self.clip)[self.clip]  # of its clip

    def interval(self, of: Callable[[np.ndarray], float]) -> list[float]:
        """What 90 % of the draws of clips give.

        Args:
            of: a number, of what each frame weighs.
        """
        rng = np.random.default_rng(0)
        found = []
        for _ in range(DRAWS):
            drawn = np.bincount(rng.integers(self.clips, size=self.clips), minlength=self.clips)
            found.append(of(self.share * drawn[self.clip]))
        return [round(float(value), 3) for value in np.quantile(found, [0.05, 0.95])]

    def bins(self, weight: np.ndarray, right: np.ndarray | None = None) -> list[list[float]]:
        """What was said, what was right, and how many clips' worth of frames, by what was said."""
        right = self.right if right is None else right
        found = []
        for low, high in pairwise(EDGES):
            inside = weight * ((self.quality >= low) & (self.quality < high))
            if inside.sum() > 0:
                said, true = ((inside * v).sum() / inside.sum() for v in (self.quality, right))
                found.append([float(said), float(true), float(inside.sum())])
        return found

    def error(self, weight: np.ndarray, right: np.ndarray | None = None) -> float:
        """The mean difference of what was said and what was right."""
        found = np.array(self.bins(weight, right))
        return float((abs(found[:, 0] - found[:, 1]) * found[:, 2]).sum() / found[:, 2].sum())

    def error_if_true(self) -> float:
        """The mean error in as many clips, were each number the chance that its frame is right.

        Outcomes have a part that the frames of a clip share, a normal number, as large as the
        outcomes at hand have it.
        """
        rng = np.random.default_rng(0)
        alike = self._alike()
        errors = []
        for _ in range(DRAWS):
            shared = rng.normal(size=self.clips)[self.clip] * alike**0.5
            own = rng.normal(size=len(self.clip)) * (1 - alike) ** 0.5
            rank = np.argsort(np.argsort(shared + own)) / len(own)
            errors.append(self.error(self.share, (rank < self.quality).astype(float)))
        return round(float(np.mean(errors)), 3)

    def _alike(self) -> float:
        """The correlation of the normal numbers behind what was missed in two frames of a clip.

        Yes and no at even chances are correlated by 2 / pi times its arc sine (Sheppard, 1899).
        """
        missed = self.right - self.quality
        sums, squares = (np.bincount(self.clip, v) for v in (missed, missed**2))
        count = np.bincount(self.clip)
        pairs = (count * (count - 1)).sum()
        both = (sums**2 - squares).sum() / max(pairs, 1)
        alike = np.clip(both / (self.share * missed**2).sum() * self.clips, 0, 0.99)
        return float(np.sin(np.pi / 2 * alike))

    def skill(self, weight: np.ndarray, constant: float) -> float:
        """How much of the squared error of a constant is gone."""
        own = (weight * (self.quality - self.right) ** 2).sum()
        return float(1 - own / (weight * (constant - self.right) ** 2).sum())

    def area(self, weight: np.ndarray, *, within: bool = False) -> float:
        """How often a right frame has a higher number than a wrong one, of pairs of frames."""
        good, bad = self.right > 0, self.right == 0
        higher = self.quality[good][:, None] - self.quality[bad][None]
        pairs = weight[good][:, None] * weight[bad][None]
        if within:
            pairs = pairs * (self.clip[good][:, None] == self.clip[bad][None])
        won = (higher > 0) + 0.5 * (higher == 0)
        return float((pairs * won).sum() / max(pairs.sum(), 1e-12))

    def good(self, weight: np.ndarray, least: float) -> tuple[float, float]:
        """Precision and recall of what has so much quality."""
        said = self.quality >= least
        both = (weight * said * self.right).sum()
        return (
            float(both / max((weight * said).sum(), 1e-12)),
            float(both / (weight * self.right).sum()),
        )


def rows_of(number: int, model: MorphableModel, cache: Path, *, kept: bool) -> _Rows:
    """The frames of a clip in which the person is seen, with `features` of each.

    Args:
        number: of the clip.
        model: the open head.
        cache: where tracks are kept.
        kept: whether to make no track that is not there.
    """
    track = track_of(number, STAGE, model, cache, kept=kept)
    if track is None:
        return []
    known = known_of(number, STAGE, cache)
    lost = (track.states == LOST).double().numpy()
    usual = float(np.clip(np.log(known["usual"] / USUAL), -1, 3))
    seen = [k for k in range(FRAMES) if not lost[k]]
    rows = clip_rows(number, model, track)
    return [
        row | {"features": [1.0, usual, known["blind"][k], _around(lost, k)]}
        for k, row in zip(seen, rows, strict=True)
    ]


def _around(lost: np.ndarray, k: int) -> float:
    return float(lost[max(0, k - NEAR) : k + NEAR + 1].mean())


def rated(tuning: _Rows, rows: _Rows) -> Judged:
    """Frames with the quality that others' weights give them."""
    table, wanted = (np.array([row["features"] for row in part]) for part in (tuning, rows))
    known = Judged(tuning, np.zeros(len(tuning)))
    weights = logistic(table, known.right, LIMITS, known.share)
    return Judged(rows, 1 / (1 + np.exp(-wanted @ weights)))


def right_share(rows: _Rows) -> float:
    """How many frames are right, each clip counting as one."""
    found = Judged(rows, np.zeros(len(rows)))
    return float((found.share * found.right).sum() / found.share.sum())


def reliability(found: Judged, constant: float) -> dict[str, Any]:
    """What is reported of the quality of frames; `constant` is the share of tuning clips."""
    area, share = found.area(found.share), found.share
    return {
        "clips": found.clips,
        "frames": len(found.right),
        "right": round(float((share * found.right).sum() / share.sum()), 3),
        "right_of_tuning": round(constant, 3),
        "said_right_clips": [
            [round(a, 3), round(b, 3), round(n, 1)] for a, b, n in found.bins(share)
        ],
        "error": round(found.error(share), 3),
        "error_interval": found.interval(found.error),
        "error_if_true": found.error_if_true(),
        "brier": round(float((share * (found.quality - found.right) ** 2).sum() / share.sum()), 3),
        "skill": round(found.skill(share, constant), 3),
        "skill_interval": found.interval(lambda weight: found.skill(weight, constant)),
        "area": round(area, 3),
        "area_interval": found.interval(found.area),
        "within_clips": round(found.area(share, within=True), 3),
    }


def cases_of(rows: _Rows) -> list[dict[str, Any]]:
    """All that is reported."""
    tuning = [row for row in rows if row["number"] < TUNING]
    judging = [row for row in rows if row["number"] >= TUNING]
    found = rated(tuning, judging)
    cases = [{"case": "quality", **reliability(found, right_share(tuning))}]
    for least in LEAST:
        numbers: dict[str, Any] = {}
        for k, name in enumerate(("precision", "recall")):
            numbers[name] = round(found.good(found.share, least)[k], 3)
            numbers[f"{name}_interval"] = found.interval(
                lambda w, least=least, k=k: found.good(w, least)[k]
            )
        cases.append({"case": "good", "least": least, **numbers})
    cases.append({"case": "crossed", **reliability(crossed(rows), right_share(rows))})
    for kind in sorted({row["kind"] for row in rows}):
        own = [row for row in rows if row["kind"] == kind]
        clips = len({row["number"] for row in own})
        share = round(right_share(own), 3)
        cases.append({"case": "kind", "name": kind, "clips": clips, "right": share})
    return cases


def crossed(rows: _Rows) -> Judged:
    """All frames, rated by the clips of the other parity."""
    halves = [[row for row in rows if row["number"] % 2 == k] for k in (0, 1)]
    numbers = [rated(halves[1 - k], halves[k]).quality for k in (0, 1)]
    return Judged(halves[0] + halves[1], np.concatenate(numbers))


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--kept", action="store_true", help="track nothing, judge what is there")
    wishes = parser.parse_args()
    seed()
    model = load_model()
    rows: _Rows = []
    for number in range(CLIPS):
        rows += rows_of(number, model, wishes.cache, kept=wishes.kept)
    report("frame_quality", cases_of(rows))


if __name__ == "__main__":
    main()
