"""Lids that lie on an eyeball of human size, open and closed.

Everything here is in the frame of one eye: the origin at the centre of its ball, +x towards the
temple, +y up, +z out of the face, in millimetres; positions are rings x columns of the lattice
around an eye (`lattice.py`). What is seen from the front keeps its height and its distance from
the nose; lids move in depth alone, so that landmarks stay where they were.
"""

import numpy as np

from lattice import FOLD, MARGIN, SEAM

RADIUS = 12.0  # mm, of an adult's eyeball (Bekerman, Gottlieb and Vaiman 2014: 24.2 mm across)
GAPS = np.array([0.5, 1.15, 1.8])  # mm from the ball, of the margin and the two rings before it
UPPER_GAPS = np.array([0.7, 1.9, 2.7])  # mm, of the upper lid, which is thicker
RETREAT = 3.0  # mm, the most by which a lid is laid back onto the ball
FADING = np.array([0.8, 0.55, 0.3, 0.12, 0.0])  # of that, in the rings beyond
CORNER = 8.5, 12.0  # mm towards the nose, where lids leave the ball and the caruncle lies
TEMPLE = 8.0, 12.0  # mm towards the temple, where lids leave the ball, which is narrower than they
SUNK = 0.3, 2.0  # mm below the ball's surface: the fold of the conjunctiva, and what is behind it
TUCK = 0.5  # mm under a lid, where its back meets the ball
LIFT = 2.0  # mm that a lower lid rises in a blink
OVERLAP = np.array([1.3, 1.0, 0.5])  # mm, so that eyes opened more than the mean's close as well
CLOSED_GAPS = np.array([0.3, 0.9, 1.75])  # mm, of the upper lid in a blink
CURTAIN = 0.6, 2.5  # mm before the ball and above the lower lid: what a blink shows where one gapes
FAR = 2.5  # mm of travel from which a column of a lid counts as a part that closes
LOWER, OUTER, UPPER = slice(1, 15), 15, slice(16, 28)  # columns; column 0 is the inner corner
Points = np.ndarray


def step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def unit(vectors: Points) -> Points:
    """Vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def depth_on(radius: np.ndarray, points: Points) -> np.ndarray:
    """Z of the front of a ball of `radius` at the x and y of points; 0 beside it."""
    return np.sqrt((radius**2 - (points[..., :2] ** 2).sum(-1)).clip(0))


def near_nose(points: Points) -> np.ndarray:
    """1 at the inner corner of the eye, 0 where lids lie on the ball."""
    return step(-points[..., 0], *CORNER)


def off_the_ball(points: Points) -> np.ndarray:
    """1 at both corners of the eye, 0 where lids lie on the ball."""
    return np.maximum(near_nose(points), step(points[..., 0], *TEMPLE))


def seated(lattice: Points) -> Points:
    """The lids at rest, laid onto the ball, and the walls of the socket inside it."""
    out = lattice.copy()
    edge = lattice[MARGIN : MARGIN + 3]
    gaps = np.repeat(GAPS[:, None], edge.shape[1], 1)
    gaps[:, UPPER] = UPPER_GAPS[:, None]
    wanted = depth_on(RADIUS + gaps, edge)
    back = (edge[..., 2] - wanted).clip(-1.0, RETREAT) * (1 - off_the_ball(edge))
    out[MARGIN : MARGIN + 3, :, 2] -= back
    out[MARGIN + 3 :, :, 2] -= back[2] * FADING[:, None]
    return behind(out, out[MARGIN])


def behind(lattice: Points, rest: Points) -> Points:
    """The lattice with its parts behind the margin where that asks for them.

    Args:
        lattice: rings x columns x 3.
        rest: the margin at rest, which says which way is out of the opening.
    """
    out, margin = lattice.copy(), lattice[MARGIN]
    middle = unit(unit(rest).mean(0))
    ahead = unit(margin)
    away = unit(rest) - middle
    away = unit(away - (away * ahead).sum(-1, keepdims=True) * ahead)
    gap = np.linalg.norm(margin, axis=-1) - RADIUS
    slip = _smooth(TUCK - (gap - 1.0).clip(0))[:, None] / RADIUS
    touch = np.cos(slip) * ahead + np.sin(slip) * away
    free = off_the_ball(rest)[:, None]
    inwards = -np.sign(rest[:, :1]) * [0.3, 0.0, 0.0] + [0.0, 0.0, 0.1]
    bulge = 0.55 * margin + 0.45 * touch * RADIUS + inwards
    out[FOLD] = (1 - free) * touch * (RADIUS - SUNK[0]) + free * bulge
    start = np.arccos((touch @ middle).clip(-1, 1))
    outward = unit(touch - (touch @ middle)[:, None] * middle)
    share = np.linspace(0.06, 1.0, FOLD)[::-1, None]
    angle = (start + share * (2.9 - start))[..., None]
    deep = (RADIUS - SUNK[1]) * (np.cos(angle) * middle + np.sin(angle) * outward)
    out[:FOLD] = deep
    out[SEAM] = (1 - free) * deep[SEAM] + free * touch * (RADIUS - SUNK[0])
    return out


def _smooth(values: np.ndarray) -> np.ndarray:
    """Values around a ring, each the mean of its neighbourhood."""
    for _ in range(3):
        values = (np.roll(values, 1) + 2 * values + np.roll(values, -1)) / 4
    return values


def line_of_closure(lattice: Points) -> tuple[np.ndarray, np.ndarray]:
    """X and y where the lids of a closed eye meet, from the inner to the outer corner."""
    columns = [0, *range(LOWER.start, LOWER.stop), OUTER]
    x, y = lattice[MARGIN + 1, columns, :2].T
    low, high = x.min(), x.max()
    across = ((x - low) / (high - low)).clip(0, 1)
    return x, y + LIFT * (4 * across * (1 - across)) ** 0.75


def closed(lattice: Points, brow: Points) -> Points:
    """The lids of a blink, which meet where the lower one ends.

    Args:
        lattice: at rest, as `seated` gives it.
        brow: the outermost ring in a blink.
    """
    out = lattice.copy()
    out[-1] = brow
    line = line_of_closure(lattice)
    _raise_lower(out, lattice, line)
    _lower_upper(out, lattice, line)
    out[: FOLD + 1] = behind(out, lattice[MARGIN])[: FOLD + 1]
    out[:FOLD] = lattice[:FOLD]
    _draw_curtain(out, line)
    return out


def _raise_lower(out: Points, rest: Points, line: tuple[np.ndarray, np.ndarray]) -> None:
    lower = rest[MARGIN:-1, LOWER]
    rise = np.interp(lower[1, :, 0], *line) - lower[1, :, 1]
    fade = np.array([1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2])[: len(lower), None]
    moved = lower.copy()
    moved[..., 1] += rise * fade
    distance = np.linalg.norm(lower, axis=-1)
    hugging = depth_on(distance, moved)
    moved[..., 2] += (hugging - lower[..., 2]) * fade * (distance < RADIUS + 6)
    out[MARGIN:-1, LOWER] = moved


def _lower_upper(out: Points, rest: Points, line: tuple[np.ndarray, np.ndarray]) -> None:
    """The upper lid: its margin behind the lower one's, its skin spread over the ball."""
    upper = rest[MARGIN:, UPPER]
    target = np.interp(upper[1, :, 0], *line)
    share = step(upper[1, :, 1] - target, 0.0, FAR)
    edge = upper[:3].copy()
    heights = target - OVERLAP[:, None] * share
    edge[..., 1] = np.minimum(edge[..., 1], heights)
    below = rest[MARGIN + 1, [0, *range(LOWER.start, LOWER.stop), OUTER]]
    meets = np.interp(upper[1, :, 0], below[:, 0], np.linalg.norm(below, axis=-1))
    design = meets + (CLOSED_GAPS - GAPS[1])[:, None]
    distance = (1 - share) * np.linalg.norm(upper[:3], axis=-1) + share * design
    edge[..., 2] = (1 - share) * edge[..., 2] + share * depth_on(distance, edge)
    out[MARGIN : MARGIN + 3, UPPER] = edge
    count = len(upper) - 2
    spread = _spread(edge[2], out[-1, UPPER], count)[1:-1]
    out[MARGIN + 3 : -1, UPPER] = (1 - share[:, None]) * upper[3:-1] + share[:, None] * spread


def _spread(low: Points, high: Points, count: int) -> Points:
    """Skin from a lid's edge to the brow that first follows the ball, count x columns x 3."""
    share = np.linspace(0, 1, count)[:, None]
    tilt, length = (
        [np.arctan2(end[:, 1], end[:, 2]) for end in (low, high)],
        [np.hypot(end[:, 1], end[:, 2]) for end in (low, high)],
    )
    angle = tilt[0] + share * (tilt[1] - tilt[0])
    distance = length[0] + share**2 * (length[1] - length[0])
    x = low[:, 0] + share * (high[:, 0] - low[:, 0])
    return np.stack([x, distance * np.sin(angle), distance * np.cos(angle)], -1)


def _draw_curtain(out: Points, line: tuple[np.ndarray, np.ndarray]) -> None:
    """The conjunctiva of the lower lid, drawn up under the upper one."""
    fold = out[FOLD, LOWER]
    share = step(RADIUS - np.abs(fold[:, 0]), 0.5, 4.0)
    for ring, height in ((FOLD, 0.0), (SEAM, CURTAIN[1])):
        drawn = fold.copy()
        drawn[:, 1] = np.interp(fold[:, 0], *line) + height
        drawn[:, 2] = depth_on(np.array(RADIUS + CURTAIN[0]), drawn)
        out[ring, LOWER] += share[:, None] * (drawn - out[ring, LOWER])


def along_the_ball(moves: Points, lattice: Points, whole: bool) -> Points:
    """Motions of the lids that neither lift them off the ball nor press them into it.

    Args:
        moves: of the lattice, K x rings x columns x 3, against the ball.
        lattice: at rest, as `seated` gives it.
        whole: whether they keep the distance at their end, as expressions do, or at their
            start, as identity components must, which go both ways.
    """
    edge = lattice[MARGIN : MARGIN + 3]
    part = moves[:, MARGIN : MARGIN + 3]
    if whole:
        lift = (edge + part)[..., 2] - depth_on(np.linalg.norm(edge, axis=-1), edge + part)
    else:
        normal = unit(edge)
        rise = (part * normal).sum(-1)
        lift = rise * normal[..., 2] / (normal[..., 2] ** 2 + 0.1)
    lift = lift * (1 - off_the_ball(edge)) * step(edge[..., 2], 3.0, 6.0)
    out = moves.copy()
    out[:, MARGIN : MARGIN + 3, :, 2] -= lift
    out[:, MARGIN + 3 :, :, 2] -= lift[:, 2:] * FADING[:, None]
    if whole:
        inner = np.stack([behind(lattice + move, lattice[MARGIN]) - lattice for move in out])
        out[:, FOLD] = inner[:, FOLD]
        out[:, :FOLD] = 0.0
    else:
        out[:, FOLD] = _sliding(out[:, MARGIN], lattice)
        out[:, :FOLD] = 0.0
    return out


def _sliding(moves: Points, lattice: Points) -> Points:
    """What the fold of the conjunctiva does if the margin moves, on the ball; free at corners."""
    normal = unit(lattice[FOLD])
    rise = (moves * normal).sum(-1, keepdims=True)
    free = off_the_ball(lattice[MARGIN])[:, None]
    return moves - (1 - free) * rise * normal
