"""How adult heads differ: a distribution over the source's shape changes and phenotypes.

Heads are sampled, rigidly aligned, and reduced to principal components under a metric that
counts a millimetre on the face more than one on the neck.
"""

import re
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from source import names_in, shape_target

FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "ears", "chin", "cheek", "neck")
EXCLUDED = re.compile(r"head-trans|head-age|neck-trans|shape-pointed|measure-|breast|trunk|nubian")
OPPOSITE = {
    "decr": "incr",
    "down": "up",
    "in": "out",
    "backward": "forward",
    "compress": "uncompress",
    "concave": "convex",
    "l": "r",
}
SAMPLES = 3000
SIGMA = 0.28  # of a pair of opposite changes, whose extremes are -1 and 1
TYPICAL = 2.0  # mm that a change's own vertices move at one standard deviation, at the most
SIDED = 0.35  # share of a left or right change that the other side does not have
FOLLOWED, WALL = 8, 3.0  # how many vertices of skin a hidden one follows, and how near, in mm
ASYMMETRY = 0.7  # of SIGMA, for changes that make the sides of the face differ


@dataclass(frozen=True)
class Change:
    """One axis of variation: what +1 and -1 add.

    Attributes:
        name: without its direction.
        up: offsets at +1.
        down: offsets at -1; None for a change that has one direction only.
        sigma: standard deviation of its amount.
    """

    name: str
    up: np.ndarray
    down: np.ndarray | None
    sigma: float


def read_changes(keep: np.ndarray, count: int) -> list[Change]:
    """All local shape changes, over the vertices `keep` of the source's `count`."""
    names = [n for folder in FOLDERS for n in names_in(folder) if not EXCLUDED.search(n)]
    asymmetric = [n for n in names_in("asym") if not EXCLUDED.search(n)]
    found, changes = set(names + asymmetric), []
    for name in names + asymmetric:
        stem, _, ending = name.rpartition("-")
        other = f"{stem}-{OPPOSITE.get(ending, '')}"
        if other in found:
            pair = [shape_target(n, count)[keep] for n in (other, name)]
            sigma = _sigma(pair[0], name in asymmetric)
            changes.append(Change(stem, pair[0], pair[1], sigma))
        elif not any(e == ending and f"{stem}-{d}" in found for d, e in OPPOSITE.items()):
            offsets = shape_target(name, count)[keep]
            changes.append(Change(name, offsets, None, _sigma(offsets, False)))
    return changes


def _sigma(offsets: np.ndarray, asymmetric: bool) -> float:
    """Standard deviation of a change, so that it moves its own vertices by a human amount."""
    length = np.linalg.norm(offsets, axis=1)
    moved = np.sqrt((length[length > 0.05] ** 2).mean())
    return float(min(SIGMA * (ASYMMETRY if asymmetric else 1), TYPICAL / moved))


def sample_amounts(changes: list[Change], rng: np.random.Generator) -> np.ndarray:
    """Amounts of each change, samples x changes; left and right ones are alike but not equal."""
    amounts = rng.normal(size=(SAMPLES, len(changes)))
    index = {change.name: k for k, change in enumerate(changes)}
    for name, k in index.items():
        twin = index.get(re.sub(r"(^|/)r-", r"\1l-", name), k)
        if twin != k:
            shared = amounts[:, twin]
            amounts[:, k] = np.sqrt(1 - SIDED**2) * shared + SIDED * amounts[:, k]
    amounts *= np.array([change.sigma for change in changes])
    one_way = np.array([change.down is None for change in changes])
    amounts[:, one_way] = np.abs(amounts[:, one_way])
    return amounts.clip(-1, 1)


def apply_changes(changes: list[Change], amounts: np.ndarray) -> np.ndarray:
    """Offsets of each sample, samples x V x 3."""
    flat = np.zeros((len(amounts), changes[0].up.size))
    for change, amount in zip(changes, amounts.T, strict=True):
        flat += np.outer(amount.clip(0), change.up.ravel())
        if change.down is not None:
            flat += np.outer((-amount).clip(0), change.down.ravel())
    return flat.reshape(len(amounts), -1, 3)


def _blend(amount: np.ndarray, low: str, high: str) -> dict[str, np.ndarray]:
    return {low: 1 - amount, high: amount}


def sample_phenotypes(keep: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Offsets of adults of all ages, genders, builds and mixed ancestries, samples x V x 3.

    The source's targets are the corners of a multilinear interpolation: the weights of the
    corners of one sample add up to 1.
    """
    gender = _blend(rng.beta(0.5, 0.5, SAMPLES), "female", "male")
    age = _blend(rng.beta(1.0, 1.6, SAMPLES), "young", "old")
    muscle = _blend(rng.beta(2.0, 2.0, SAMPLES), "minmuscle", "maxmuscle")
    build = rng.normal(0, 0.45, SAMPLES).clip(-1, 1)
    weight = {
        "minweight": (-build).clip(0),
        "averageweight": 1 - np.abs(build),
        "maxweight": build.clip(0),
    }
    ancestry = dict(
        zip(
            ("african", "asian", "caucasian"),
            rng.dirichlet((0.6, 0.6, 0.6), SAMPLES).T,
            strict=True,
        )
    )
    corners = [
        (f"macrodetails/universal-{g}-{a}-{m}-{w}", gender[g] * age[a] * muscle[m] * weight[w])
        for g, a, m, w in product(gender, age, muscle, weight)
    ]
    corners += [
        (f"macrodetails/{r}-{g}-{a}", ancestry[r] * gender[g] * age[a])
        for r, g, a in product(ancestry, gender, age)
    ]
    flat = np.zeros((SAMPLES, 3 * len(keep)))
    for name, amount in corners:
        flat += np.outer(amount, shape_target(name, count)[keep].ravel())
    return flat.reshape(SAMPLES, -1, 3)


def align(heads: np.ndarray, weights: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Rigidly align each head (no scale) to the mean of all, weighted by vertex."""
    share = (weights / weights.sum())[:, None]
    mean = heads.mean(0)
    for _ in range(rounds):
        target = mean - (share * mean).sum(0)
        aligned = np.empty_like(heads)
        for k, head in enumerate(heads):
            centred = head - (share * head).sum(0)
            u, _, vt = np.linalg.svd((share * target).T @ centred)
            turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
            aligned[k] = centred @ turn.T
        mean = aligned.mean(0)
    return aligned


def principal_components(
    heads: np.ndarray, weights: np.ndarray, rank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, components scaled to one standard deviation, and all their variances.

    Components are orthogonal under the metric `weights`; their signs are those of `oriented`, so
    that a rebuild gives the same bytes.
    """
    mean = heads.mean(0)
    root = np.sqrt(weights / weights.sum())[:, None]
    rows = ((heads - mean) * root).reshape(len(heads), -1)
    gram = rows @ rows.T / (len(heads) - 1)
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    flat = (heads - mean).reshape(len(heads), -1)
    scale = np.sqrt(len(heads) - 1)
    components = vectors[:, :rank].T @ flat / scale
    return mean, oriented(components.reshape(rank, -1, 3)), values


def oriented(components: np.ndarray) -> np.ndarray:
    """Components, K x V x 3, with the signs that make the largest entry of each positive."""
    flat = components.reshape(len(components), -1)
    largest = flat[np.arange(len(flat)), np.abs(flat).argmax(1)]
    return components * np.sign(largest)[:, None, None]


def follow(
    values: np.ndarray, places: np.ndarray, inside: np.ndarray, outside: np.ndarray
) -> np.ndarray:
    """Motions, K x V x 3, in which hidden vertices go with the skin that is nearest to them.

    The walls of a nostril then never pass through its wing.

    Args:
        values: what each component adds.
        places: of the vertices of the mean.
        inside: those that follow.
        outside: those that they may follow.
    """
    away, near = cKDTree(places[outside]).query(places[inside], FOLLOWED)
    share = np.exp(-0.5 * (away / WALL) ** 2) + 1e-9
    share /= share.sum(1, keepdims=True)
    out = values.copy()
    out[:, inside] = np.einsum("nk,inkc->inc", share, values[:, outside[near]])
    return out
