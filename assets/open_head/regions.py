"""Soft masks over the head's vertices, from the source's own masks and from the mean's geometry."""

import numpy as np
from PIL import Image

from lattice import FOLD, MARGIN, SEAM
from lids import LOWER, UPPER
from source import data_folder, facial_action, read_template, shape_target
from template import EYE_SEGMENTS, FRONT_RINGS, Head, ball_of

PAINTED = {
    "lips": "lips",
    "face": "face",
    "eyelids": "eyelids",
    "ears": "ears",
    "mouth": "inside-mouth",
}
GAPS = ("upper-gaps", "lower-gaps")
BY_TEMPLE = slice(11, 20)  # columns of the lids around the outer corner
WHITE = {SEAM: 0.85, FOLD: 0.85, MARGIN: 0.3}  # how white the conjunctiva is there
FOLDED = (1.2, 3.0)  # mm from a corner of the mouth, between which its fold ends
SHADE, SHADED = 0.45, (5.0, 20.0)  # of back teeth and between teeth; mm behind the front
GUMS = ("upper-gums", "lower-gums")


def _painted(head: Head, name: str) -> np.ndarray:
    """A mask painted in the source's texture space, averaged over each vertex's corners."""
    template = read_template()
    path = data_folder() / f"mpfb2/textures/mpfb_{name}.jpg"
    image = np.asarray(Image.open(path).convert("L"), np.float64) / 255
    at = template.uv * [image.shape[1] - 1, 0] + (1 - template.uv) * [0, image.shape[0] - 1]
    column, row = np.rint(at).astype(int).T
    value = image[row, column]
    total, count = np.zeros((2, len(template.vertices)))
    np.add.at(total, template.quads.ravel(), value[template.quad_uvs.ravel()])
    np.add.at(count, template.quads.ravel(), 1)
    return (total / np.maximum(count, 1))[head.keep]


def _bump(points: np.ndarray, centre: tuple[float, ...], size: tuple[float, ...]) -> np.ndarray:
    """A Gaussian bump; an infinite size leaves an axis out."""
    return np.exp(-0.5 * (((points - centre) / size) ** 2).sum(1))


def _step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _both(points: np.ndarray, centre: tuple[float, ...], size: tuple[float, ...]) -> np.ndarray:
    """The bump of the subject's left side and its mirror image."""
    return _bump(points, centre, size) + _bump(points * [-1, 1, 1], centre, size)


def _moved(head: Head, offsets: np.ndarray, count: int) -> np.ndarray:
    """How far a target moves our vertices, 1 at the most; eyeballs stay at 0."""
    length = np.linalg.norm(offsets[head.keep], axis=1)
    return np.pad(length / length.max(), (0, count - len(length)))


def _brows(head: Head, mean: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """An arc above each eye: the band that the source's brow targets move most."""
    count = len(read_template().vertices)
    x, y = np.abs(mean[:, 0]), mean[:, 1]
    lift = _moved(head, shape_target("eyebrows/eyebrows-trans-up", count), head.size)
    arc = 19.5 + 4.5 * np.sin(((x - 12) / 44).clip(0, 1) * np.pi * 0.85) - 0.0035 * (x - 12) ** 2
    thickness = 3.4 - 0.035 * (x - 12).clip(0)
    across = np.exp(-0.5 * ((y - arc) / thickness.clip(1.6)) ** 4)
    along = _step(x, 8, 13) * (1 - _step(x, 47, 56))
    return across * along * skin * (lift > 0.02)


def build_regions(
    head: Head, mean: np.ndarray, normals: np.ndarray, sockets: np.ndarray
) -> dict[str, np.ndarray]:
    """All masks, by name, in [0, 1].

    Args:
        head: the mesh.
        mean: vertices of the mean in the model frame, in millimetres.
        normals: unit normals of the mean.
        sockets: the skin behind the lids.
    """
    size = head.size
    masks = {k: np.pad(_painted(head, n), (0, size - len(head.keep))) for k, n in PAINTED.items()}
    hard = _hard(head)
    inside = np.maximum(masks["mouth"] * hard["skin"], sockets)
    skin = hard["skin"] * (1 - inside) * (1 - masks["lips"])
    _, y, z = mean.T
    blink = facial_action("eyeBlinkLeft", len(read_template().vertices))
    lids = _moved(head, blink, size)
    lids = np.maximum(lids, lids[head.mirror])
    eyes, mouth = _eyeballs(head, hard), _teeth(hard, z)
    lining = masks["mouth"] * hard["skin"]
    regions = {
        "skin": skin,
        "face": masks["face"] * hard["skin"] * (1 - inside),
        "lips": masks["lips"] * hard["skin"],
        "brows": _brows(head, mean, skin),
        "eyelids": lids * skin,
        "lashes": _lashes(head) * (1 - sockets),
        "ears": masks["ears"] * skin,
        "nose": _bump(mean, (0, -28, 38), (17, 22, 22)) * skin,
        "cheeks": _both(mean, (38, -28, 12), (15, 14, 24)) * skin,
        "under_eyes": _both(mean, (31, -15, 14), (13, 5, 20)) * skin,
        "scalp": _step(y - 0.35 * z, 78, 96) * skin,
        "beard": _beard(mean, normals, skin),
        "neck": _step(-y + 0.5 * (z + 40), 108, 132) * skin,
        "eye_sockets": sockets,
        "tongue": hard["tongue"],
        **eyes,
        **mouth,
        "mouth": np.maximum(lining, mouth["mouth"]),
        "commissures": _commissures(head, mean),
    }
    return {name: mask.clip(0, 1) for name, mask in regions.items()}


def _hard(head: Head) -> dict[str, np.ndarray]:
    """1 on the vertices of each part; parts that a head lacks are 0 everywhere."""
    masks = {name: np.zeros(head.size) for name in (*GUMS, *GAPS)}
    for name, rows in head.parts.items():
        masks[name] = np.isin(np.arange(head.size), rows).astype(float)
    return masks


def _beard(mean: np.ndarray, normals: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Where a beard grows, with a moustache."""
    x, y, z = mean.T
    below = _step(-y, 40, 62) * _step(-y + 0.55 * (z + 30), 40, 62)
    beard = below * _step(normals[:, 2] + 0.9 - 0.004 * np.abs(x), 0.0, 0.5) * skin
    moustache = _bump(mean, (0, -51, 28), (21, 6.5, 30)) * skin
    return np.maximum(beard * _step(z, -75, -30) * (1 - _step(-y, 112, 128)), moustache)


def _commissures(head: Head, mean: np.ndarray) -> np.ndarray:
    """The folds at the corners of the mouth, where lips hide the light from each other."""
    ring = mean[head.lips[1]]
    corners = ring[[ring[:, 0].argmin(), ring[:, 0].argmax()]]
    away = np.linalg.norm(mean[:, None] - corners, axis=-1).min(1)
    return 1 - _step(away, *FOLDED)


def _eyeballs(head: Head, hard: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The eyeballs and their rings; the limbus is the rim of the iris.

    The conjunctiva is the white that goes on where the lids leave the ball at the temple.
    """
    pupil, iris = (_front(head, rings) for rings in FRONT_RINGS.values())
    whole = hard["left_eye"] + hard["right_eye"]
    return {
        "eyeballs": whole,
        "sclera": whole * (1 - iris),
        "conjunctiva": _rings(head, WHITE, BY_TEMPLE),
        "iris": iris * (1 - pupil),
        "limbus": iris - _front(head, FRONT_RINGS["iris"] - 1),
        "pupil": pupil,
    }


def _teeth(hard: dict[str, np.ndarray], depth: np.ndarray) -> dict[str, np.ndarray]:
    """Teeth, gums, and how much of both is of the mouth's inside: what lies in the shade."""
    whole = hard["upper-teeth"] + hard["lower-teeth"]
    gums, gaps = (sum(hard[name] for name in names) for names in (GUMS, GAPS))
    behind = _step(depth[whole > 0].max() - depth, *SHADED)
    teeth = whole * (1 - SHADE * np.maximum(behind, 0.8 * gaps))
    return {"teeth": teeth, "gums": gums, "mouth": gums + (whole - teeth)}


def sockets(head: Head) -> np.ndarray:
    """The conjunctiva from the margin of the lids inwards, with the caruncle."""
    whole = _rings(head, dict.fromkeys(range(FOLD + 1), 1.0) | {MARGIN: 0.35})
    drawn = _rings(head, {FOLD: 0.4, SEAM: 0.6}, LOWER)  # what a blink may show: it looks like lid
    return whole - drawn


def source_sockets(head: Head, mean: np.ndarray) -> np.ndarray:
    """The skin behind and beside the source's eyeballs, which only shows at the rim."""
    out = np.zeros(head.size)
    skin = head.parts["skin"]
    for side in ("left_eye", "right_eye"):
        centre, radius = ball_of(mean[head.parts[side]])
        away = np.linalg.norm(mean[skin] - centre, axis=1)
        ahead = mean[skin, 2] - centre[2]
        out[skin] = np.maximum(out[skin], (away < radius * 1.06) & (ahead < 0.80 * radius))
    return out


def _front(head: Head, rings: int) -> np.ndarray:
    """The first rings of both eyeballs, with their poles."""
    out = np.zeros(head.size)
    for side in ("left_eye", "right_eye"):
        rows = head.parts[side]
        out[[*rows[: rings * EYE_SEGMENTS], rows[-2]]] = 1
    return out


def _rings(head: Head, values: dict[int, float], columns: slice = slice(None)) -> np.ndarray:
    """A mask with a value for each ring of the lattices around the eyes."""
    out = np.zeros(head.size)
    for lattice in head.lids:
        for ring, value in values.items():
            out[lattice[ring, columns]] = value
    return out


def _lashes(head: Head) -> np.ndarray:
    """The rim of the lids, as a line of lashes darkens it, mostly the upper one."""
    rim = _rings(head, {MARGIN + 1: 0.35, MARGIN + 2: 0.2})
    return np.maximum(rim, _rings(head, {MARGIN: 0.5, MARGIN + 1: 1.0, MARGIN + 2: 0.7}, UPPER))
