"""Eyes, lids and teeth of human size on the head of people, whose skin stays what it was.

The source's eyeballs are too large and its teeth are two plain bands deep in the mouth. Here
eyeballs of 12 mm take their place, lids are laid onto them, a blink is made that closes, and
teeth stand behind the lips. Coefficients mean the same faces as before.
"""

from dataclasses import dataclass, replace

import numpy as np

import lids
import teeth
from layout import BOXES, place
from source import facial_action_names
from template import Head, ball_of, eyeballs, rings, triangulate

BALL = np.array([0.0, -0.7, 4.7])  # mm, from the old centre of an eyeball to that of ours
BLINK = 0.7  # weight at which the source's blink closes
HELD = 1.0  # of a ball's fit to its lids, how much it counts that it stays with the old ball
TONGUE = np.array([0.0, -3.0, -1.5])  # mm, by which the tip of the tongue is laid down
OVER = np.array([0.0, 3.5, 0.0])  # mm, by which it is lifted over teeth and lip on its way out
FLAT, FLOOR = 0.45, -78.0  # share by which it is flattened, towards a height in mm
TIP = -60.0, -15.0  # mm, z of the root and of the front of the tongue
LIPS_OVERLAP, DRAWN = (0.4, 1.0), 3.5  # mm, by which lips overlap inside, and the most that moves
ASIDE = 6.0, 14.0  # mm from the middle, between which the second overlap takes over
RELEASED = 2.0  # of that, undone by an open jaw
CORNERS = 19.5, 22.0  # mm from the middle, where lips meet
SIDES = ("left_eye", "right_eye")


@dataclass(frozen=True)
class Shape:
    """A linear model of the head's shape.

    Attributes:
        mean: V x 3.
        directions: of identity, I x V x 3.
        moves: of expressions, E x V x 3.
    """

    mean: np.ndarray
    directions: np.ndarray
    moves: np.ndarray


def rebuilt(head: Head, shape: Shape) -> tuple[Head, Shape]:
    """The mesh and the shape with human eyes, lids, teeth and tongue; the origin stays."""
    mean, directions, moves = (
        value.copy() for value in (shape.mean, shape.directions, shape.moves)
    )
    balls = []
    for side, name in enumerate(SIDES):
        old, _ = ball_of(mean[head.parts[name]])
        centre = old + BALL
        flip = np.array([-1.0 if side else 1.0, 1.0, 1.0])
        lattice = head.lids[side]
        seated = lids.seated((mean[lattice] - centre) * flip)
        drift = _drift(directions * flip, head.parts[name], lattice, seated)
        mean[lattice] = seated * flip + centre
        directions[:, lattice] = _identity(directions[:, lattice] * flip, drift, seated) * flip
        moves[:, lattice] = lids.along_the_ball(moves[:, lattice] * flip, seated, True) * flip
        _blink(moves, head, side, seated, flip)
        balls.append((centre, drift * flip))
    _close_lips(head, mean, moves)
    _lay_tongue(head, mean, moves)
    return _assembled(head, Shape(mean, directions, moves), balls)


def _drift(
    directions: np.ndarray, ball: np.ndarray, lattice: np.ndarray, seated: np.ndarray
) -> np.ndarray:
    """How each component moves an eyeball, K x 3: with the old one, and with its lids.

    The old ball moves by its front and grows; ours has one size, so that the lids decide.
    """
    edge = lattice[lids.MARGIN : lids.MARGIN + 2]
    points = seated[lids.MARGIN : lids.MARGIN + 2].reshape(-1, 3)
    fits = lids.step(points[:, 2], 4.0, 8.0) * (1 - lids.off_the_ball(points))
    normal = lids.unit(points) * fits[:, None]
    rise = np.einsum("nc,knc->kn", normal, directions[:, edge.ravel()])
    stays = directions[:, ball].mean(1)
    weight = HELD * fits.sum()
    matrix = normal.T @ normal + weight * np.diag([1.0, 1.0, 0.02])
    right = rise @ normal + weight * stays * [1.0, 1.0, 0.02]
    return np.linalg.solve(matrix, right.T).T


def _identity(moves: np.ndarray, drift: np.ndarray, seated: np.ndarray) -> np.ndarray:
    against = moves - drift[:, None, None]
    return lids.along_the_ball(against, seated, False) + drift[:, None, None]


def _blink(moves: np.ndarray, head: Head, side: int, seated: np.ndarray, flip: np.ndarray) -> None:
    """The expression that closes an eye, at weight 1."""
    names = facial_action_names()
    which = names.index("eyeBlinkRight" if side else "eyeBlinkLeft")
    lattice = head.lids[side]
    moves[which] *= BLINK
    brow = seated[-1] + moves[which][lattice[-1]] * flip
    moves[which][lattice] = (lids.closed(seated, brow) - seated) * flip


def _close_lips(head: Head, mean: np.ndarray, moves: np.ndarray) -> None:
    """Draw the inner edge of the upper lip down behind the lower one, so that no slit is left."""
    jaw = moves[facial_action_names().index("jawOpen"), :, 1]  # a view: lips part with the jaw
    for ring in head.lips:
        fall, (x, y, _) = -jaw[ring], mean[ring].T
        below = (fall > fall.max() / 2) | (y < y[np.abs(x).argmax()])
        lower = ring[below][np.argsort(x[below])]
        upper = ring[~below]
        x = mean[upper, 0]
        aside = lids.step(np.abs(x), *ASIDE)
        overlap = LIPS_OVERLAP[0] + aside * (LIPS_OVERLAP[1] - LIPS_OVERLAP[0])
        overlap = overlap * (1 - lids.step(np.abs(x), *CORNERS))
        wanted = np.interp(x, mean[lower, 0], mean[lower, 1]) - overlap
        down = (wanted - mean[upper, 1]).clip(-DRAWN, 0)
        mean[upper, 1] += down
        jaw[upper] -= RELEASED * down


def _lay_tongue(head: Head, mean: np.ndarray, moves: np.ndarray) -> None:
    """Lay the tongue behind the lower teeth, and let its tip go with the jaw."""
    rows, names = head.parts["tongue"], facial_action_names()
    jaw = [k for k, name in enumerate(names) if name.startswith("jaw")]
    old, share = head.parts["lower-teeth"], lids.step(mean[rows, 2], *TIP)[:, None]
    along = teeth.carried(mean[old], moves[jaw][:, old], mean[rows])
    moves[np.ix_(jaw, rows)] += share * (along - moves[np.ix_(jaw, rows)])
    before = mean[rows]
    mean[rows, 1] -= FLAT * share[:, 0] * (mean[rows, 1] - FLOOR).clip(0)
    mean[rows] += share * TONGUE
    moves[names.index("tongueOut"), rows] += before - mean[rows] + share * OVER


def _assembled(
    head: Head, shape: Shape, balls: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[Head, Shape]:
    """Skin and tongue as they are, then our teeth, then our eyeballs."""
    old_teeth = np.concatenate([head.parts["upper-teeth"], head.parts["lower-teeth"]])
    first = old_teeth.min()  # the parts that stay come before them
    faces, uv_faces, uvs = _kept_faces(head, first)
    parts = {name: head.parts[name] for name in ("skin", "tongue")}
    mirror, size, points = [head.mirror[:first]], first, len(uvs[0])
    values = [_part(shape, slice(0, first))]
    for name, arch in (("upper", teeth.UPPER), ("lower", teeth.LOWER)):
        strip = teeth.build_arch(arch)
        triangles = triangulate(strip.positions, strip.quads, strip.quads)
        faces.append(triangles[0] + size)
        uv_faces.append(triangles[1] + points)
        uvs.append(place(strip.uv, BOXES[name]))
        rows = size + np.arange(len(strip.positions))
        parts[f"{name}-teeth"], parts[f"{name}-gums"] = rows[~strip.gums], rows[strip.gums]
        parts[f"{name}-gaps"] = rows[strip.gaps & ~strip.gums]
        mirror.append(strip.mirror + size)
        values.append(_carried(shape, head.parts[f"{name}-teeth"], strip.positions))
        size, points = size + len(rows), points + len(strip.uv)
    eyes = eyeballs(rings(lids.RADIUS))
    for side, (centre, drift) in enumerate(balls):
        unit = eyes.units[side]
        parts[SIDES[side]] = size + side * len(unit) + np.arange(len(unit))
        still = np.zeros((len(shape.moves), len(unit), 3))
        along = np.repeat(drift[:, None], len(unit), 1)
        values.append(Shape(centre + lids.RADIUS * unit, along, still))
    joined = Shape(
        *(np.concatenate([getattr(v, f) for v in values], axis=a) for f, a in _AXES.items())
    )
    whole = replace(
        head,
        keep=head.keep[:first],
        faces=np.concatenate([*faces, *eyes.faces_from(size)]),
        uv=np.concatenate([*uvs, *eyes.uvs]),
        uv_faces=np.concatenate([*uv_faces, *eyes.uv_faces_from(points)]),
        parts=parts,
        mirror=np.concatenate([*mirror, parts["right_eye"], parts["left_eye"]]),
        unit_eyes=(eyes.units[0], eyes.units[1]),
    )
    return whole, joined


_AXES = {"mean": 0, "directions": 1, "moves": 1}


def _kept_faces(head: Head, first: int) -> tuple[list, list, list]:
    """Faces, texture faces and texture points of what comes before the teeth."""
    kept = (head.faces < first).all(1)
    used, inverse = np.unique(head.uv_faces[kept], return_inverse=True)
    return [head.faces[kept]], [inverse.reshape(-1, 3)], [head.uv[used]]


def _part(shape: Shape, rows: slice) -> Shape:
    return Shape(shape.mean[rows], shape.directions[:, rows], shape.moves[:, rows])


def _carried(shape: Shape, old: np.ndarray, places: np.ndarray) -> Shape:
    """Teeth that move as the old ones did."""
    moved = (
        teeth.carried(shape.mean[old], m[:, old], places) for m in (shape.directions, shape.moves)
    )
    return Shape(places, *moved)
