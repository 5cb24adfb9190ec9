"""Teeth and gums: two arches of teeth of human size, each tooth with a shape of its own.

An arch is a strip of vertices, rows from the gum before the teeth over their edges to the gum
behind, columns along the arch from the subject's right to the left. Between two teeth a column
lies deeper, and the gum reaches down. Sizes of crowns are the means of Wheeler's Dental Anatomy
(Nelson 2015); arches are ellipses through them.
"""

from dataclasses import dataclass

import numpy as np

WITHIN = {"front": (0.0, 0.2, 0.5, 0.8), "back": (0.0, 0.3, 0.7)}  # columns of a tooth, by place
FRONT = 3  # teeth of a side that count as front ones
ROWS = 10
GUM_ROWS = (0, 1, 2, 8, 9)


@dataclass(frozen=True)
class Arch:
    """Where the teeth of a jaw stand in the mean face; lengths in millimetres.

    Attributes:
        widths: of the crowns, from the middle back.
        heights: of the crowns.
        shifts: of each edge, towards the other jaw.
        stands: how far each stands before the arch.
        turns: by which each is turned about its root, in radians.
        half_width: of the ellipse.
        length: of its other half axis.
        front: height and depth of the edges in the middle.
        rise: of the edges towards the back.
        lean: by which a tooth stands further forward a millimetre towards its edge.
        up: 1 for roots above, -1 for roots below.
    """

    widths: tuple[float, ...]
    heights: tuple[float, ...]
    shifts: tuple[float, ...]
    stands: tuple[float, ...]
    turns: tuple[float, ...]
    half_width: float
    length: float
    front: tuple[float, float]
    rise: float
    lean: float
    up: float


UPPER = Arch(
    widths=(8.6, 6.6, 7.6, 7.1, 6.6, 10.0, 9.0),
    heights=(10.4, 9.0, 10.0, 8.5, 8.2, 7.5, 7.2),
    shifts=(0.0, -0.7, 0.1, -0.4, -0.6, -0.9, -1.2),
    stands=(0.0, -0.35, 0.25, -0.1, -0.2, 0.0, -0.2),
    turns=(0.03, 0.05, 0.1, 0.05, 0.0, 0.0, 0.0),
    half_width=28.5,
    length=47.0,
    front=(-74.1, 24.0),
    rise=-0.3,
    lean=0.16,
    up=1.0,
)
LOWER = Arch(
    widths=(5.3, 5.7, 6.8, 7.0, 7.1, 10.6, 10.0),
    heights=(8.8, 9.2, 10.4, 8.8, 8.1, 7.7, 7.0),
    shifts=(0.15, -0.35, 0.35, -0.3, -0.4, -0.6, -0.8),
    stands=(0.2, -0.55, 0.5, -0.2, 0.1, 0.0, 0.0),
    turns=(-0.12, 0.16, 0.1, -0.08, 0.05, 0.0, 0.0),
    half_width=25.5,
    length=45.0,
    front=(-72.2, 21.4),
    rise=1.2,
    lean=0.1,
    up=-1.0,
)


@dataclass(frozen=True)
class Strip:
    """The mesh of an arch.

    Attributes:
        positions: rows * columns x 3.
        quads: over them, counter-clockwise seen from before the teeth and from inside the mouth.
        uv: in the unit square.
        gums: which vertices are of gum; the others are of teeth.
        gaps: which lie between two teeth.
        mirror: the vertex on the other side.
    """

    positions: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    gums: np.ndarray
    gaps: np.ndarray
    mirror: np.ndarray


def _columns(arch: Arch) -> np.ndarray:
    """Of the left half: arc length, place within the tooth, and the tooth, columns x 3."""
    rows, start = [], 0.0
    for tooth, width in enumerate(arch.widths):
        kind = "front" if tooth < FRONT else "back"
        rows += [(start + width * part, part, tooth) for part in WITHIN[kind]]
        start += width
    rows.append((start, 1.0, len(arch.widths) - 1))
    return np.array(rows)


def _curve(arch: Arch, arc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of the ellipse at lengths of arc from the middle, and outward normals: x and z."""
    t = np.linspace(0, np.pi / 2 * 1.15, 2000)
    curve = np.stack([arch.half_width * np.sin(t), arch.length * (np.cos(t) - 1)], -1)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.interp(arc, along, t)
    place = np.stack([arch.half_width * np.sin(at), arch.length * (np.cos(at) - 1)], -1)
    normal = np.stack([arch.length * np.sin(at), arch.half_width * np.cos(at)], -1)
    return place, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _half(arch: Arch) -> np.ndarray:
    """The left half of an arch, rows x columns x 3."""
    arc, within, tooth = _columns(arch).T
    kind = tooth.astype(int)
    pick = lambda values: np.array(values)[kind]  # noqa: E731
    between = np.abs(2 * within - 1) ** 3  # 1 between teeth
    behind = np.maximum(kind - 1, 0)
    shared = within == 0
    crown = np.where(shared, (pick(arch.heights) + np.array(arch.heights)[behind]) / 2, 0)
    crown = np.where(shared, crown, pick(arch.heights))
    back = ((arc - 18) / 12).clip(0, 1)
    thick = 1.4 + 5.5 * back
    edge = pick(arch.shifts) * (1 - between) - between * (0.9 - 0.3 * back)
    edge = edge - arch.rise * (arc / arc.max()) ** 2
    margin = -crown * (1 - 0.28 * between)
    stand = pick(arch.stands) * (1 - between) + pick(arch.turns) * (within - 0.5) * pick(
        arch.widths
    ) * (1 - between)
    groove = -0.9 * between
    tilt = arch.lean
    rows = (
        (margin - 6.5, -1.6 + 0 * back),
        (margin - 2.8, -0.1 + 0 * back),
        (margin - 0.2, 0.3 + 0.5 * groove),
        (margin + 0.25, -0.15 + stand + 0.8 * groove),
        (margin * 0.45 + edge * 0.55, 0.2 + stand + groove),
        (edge - 0.7, -0.1 + stand + 0.9 * groove),
        (edge, -0.25 - 0.35 * thick + stand + 0.4 * groove),
        (edge - 0.9, -thick + stand - 0.3 * groove),
        (margin + 0.6, -2.4 - 1.2 * thick),
        (margin - 3.0, -4.5 - 1.3 * thick),
    )
    place, normal = _curve(arch, arc)
    out = []
    for towards, out_of_arch in rows:
        flat = place + (out_of_arch + tilt * (towards + 8) - 8 * tilt)[:, None] * normal
        height = arch.front[0] - arch.up * towards
        out.append(np.stack([flat[:, 0], height, arch.front[1] + flat[:, 1]], -1))
    return np.array(out)


def build_arch(arch: Arch) -> Strip:
    """Both halves of an arch."""
    half = _half(arch)
    half[:, 0, 0] = 0.0
    grid = np.concatenate([half[:, :0:-1] * [-1, 1, 1], half], axis=1)
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    quads = np.stack([a, d, c, b], -1) if arch.up > 0 else np.stack([a, b, c, d], -1)
    across, down = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    gums = np.isin(np.arange(rows), GUM_ROWS)
    left = _columns(arch)[:, 1] % 1 == 0
    gaps = np.concatenate([left[:0:-1], left])
    return Strip(
        grid.reshape(-1, 3),
        quads.reshape(-1, 4),
        np.stack([across, (1 - down) if arch.up > 0 else down], -1).reshape(-1, 2),
        np.repeat(gums, columns),
        np.tile(gaps, rows),
        index[:, ::-1].ravel(),
    )


def carried(places: np.ndarray, moves: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Motions, K x N x 3, continued from `places` to the points `onto` by an affine map each."""
    centre, size = places.mean(0), places.std()
    known, wanted = (
        np.concatenate([(p - centre) / size, np.ones((len(p), 1))], 1) for p in (places, onto)
    )
    weights = wanted @ np.linalg.pinv(known)
    return np.einsum("mn,knc->kmc", weights, moves)
