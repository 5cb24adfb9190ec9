"""How skin, hair and eyes differ in colour: a Gaussian process, since no open scans exist.

Skin colour is governed by two pigments, melanin and haemoglobin (Tsumura et al. 2003; Alotaibi and
Smith 2017), so the skin has two colour axes, and a small third: those of `pigments.py`, from the
palest to the darkest people. Each has a mode that is constant over the head
and smooth spatial modes, the eigenfunctions of the skin's Laplacian, whose variance falls
with frequency. Lips, brows, lids, beard, scalp, sclera and iris add their own axes. The sum of
all is one covariance; its leading eigenvectors are the components.

Colours are sRGB values in [0, 1], the field's plain-RGB convention.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

import pigments

WIDE = 1.3
"""How much more skins differ than by their standard deviation over the range of people: that range
is even, and a Gaussian that is as wide makes the palest and the darkest too rare."""
SKIN, (MELANIN, HAEMOGLOBIN, CAROTENE) = pigments.tones()
HAIR = ("brows", "lashes", "scalp")
WITH_SKIN = np.array([-0.07, -0.062, -0.055])
"""What hair is darker by where melanin of the skin is one standard deviation more."""
SPATIAL_MODES = 40
UNEVEN = (0.2, 0.3)
"""How uneven melanin and blood are over a face, the largest of its smooth modes as a share of how
much they differ between people."""

# region: how its mean differs from the skin's, and how far the mask mixes it in
TINTED = {
    "lips": ([-0.105, -0.175, -0.115], 0.85),
    "eyelids": ([-0.085, -0.095, -0.085], 0.25),
    "under_eyes": ([-0.075, -0.085, -0.065], 0.35),
    "cheeks": ([0.035, -0.035, -0.015], 0.30),
    "nose": ([0.015, -0.025, -0.015], 0.25),
    "beard": ([-0.155, -0.115, -0.085], 0.18),
}
# region: its mean colour, whoever's it is
PAINTED = {
    "brows": ([0.24, 0.18, 0.145], 0.80),
    "lashes": ([0.13, 0.10, 0.09], 0.85),
    "scalp": ([0.36, 0.28, 0.23], 0.60),
    "mouth": ([0.42, 0.17, 0.16], 1.0),
    "gums": ([0.70, 0.40, 0.37], 1.0),
    "commissures": ([0.20, 0.09, 0.08], 0.75),
    "eye_sockets": ([0.62, 0.34, 0.31], 0.9),
    "conjunctiva": ([0.86, 0.84, 0.82], 1.0),
    "teeth": ([0.84, 0.80, 0.72], 1.0),
    "tongue": ([0.60, 0.30, 0.30], 1.0),
    "sclera": ([0.86, 0.84, 0.82], 1.0),
    "iris": ([0.29, 0.245, 0.20], 1.0),
    "pupil": ([0.025, 0.025, 0.025], 1.0),
}
# region, and what one standard deviation adds where the mask is 1
AXES = (
    ("lips", [0.030, -0.032, -0.024]),
    ("lips", [-0.040, -0.040, -0.034]),
    ("brows", [-0.14, -0.13, -0.12]),
    ("brows", [0.04, 0.015, 0.0]),
    ("lashes", [-0.05, -0.05, -0.05]),
    ("eyelids", [-0.060, -0.060, -0.050]),
    ("eyelids", [0.025, -0.020, -0.010]),
    ("under_eyes", [-0.045, -0.047, -0.032]),
    ("cheeks", [0.016, -0.020, -0.018]),
    ("nose", [0.018, -0.022, -0.020]),
    ("beard", [-0.075, -0.068, -0.058]),
    ("beard", [-0.025, -0.030, -0.032]),
    ("scalp", [-0.17, -0.16, -0.15]),
    ("scalp", [0.04, 0.018, 0.0]),
    ("ears", [0.014, -0.018, -0.016]),
    ("neck", [-0.025, -0.028, -0.028]),
    ("sclera", [-0.035, -0.045, -0.055]),
    ("iris", [-0.07, -0.065, -0.05]),
    ("iris", [0.03, 0.09, 0.13]),
    ("iris", [-0.01, 0.025, -0.02]),
    ("teeth", [-0.045, -0.055, -0.085]),
    ("tongue", [0.04, -0.03, -0.03]),
    ("mouth", [0.05, 0.02, 0.02]),
)


def vertex_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A third of the area of the triangles around each vertex."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    out = np.zeros(len(vertices))
    for corner in range(3):
        np.add.at(out, faces[:, corner], area / 3)
    return out


def laplacian(vertices: np.ndarray, faces: np.ndarray) -> sp.csr_matrix:
    """The cotangent Laplacian, positive semi-definite (Pinkall and Polthier 1993)."""
    size, rows, columns, values = len(vertices), [], [], []
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        u = vertices[faces[:, j]] - vertices[faces[:, i]]
        w = vertices[faces[:, k]] - vertices[faces[:, i]]
        cross = np.linalg.norm(np.cross(u, w), axis=1)
        half_cot = ((u * w).sum(1) / np.maximum(cross, 1e-9)).clip(0.01, 50) / 2
        rows += [faces[:, j], faces[:, k]]
        columns += [faces[:, k], faces[:, j]]
        values += [half_cot, half_cot]
    weights = sp.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (size, size)
    )
    return sp.diags(np.asarray(weights.sum(1)).ravel()) - weights


def smooth_modes(vertices: np.ndarray, faces: np.ndarray, area: np.ndarray) -> tuple:
    """Low eigenvalues of the Laplacian on the skin, and their functions of unit mean square."""
    used = np.unique(faces)
    position = np.full(len(vertices), -1)
    position[used] = np.arange(len(used))
    stiffness = laplacian(vertices[used], position[faces])
    mass = sp.diags(area[used])
    start = np.sin(1.0 + np.arange(len(used)))
    values, functions = eigsh(
        stiffness.tocsc(), SPATIAL_MODES + 1, mass.tocsc(), sigma=-1e-6, v0=start
    )
    out = np.zeros((SPATIAL_MODES, len(vertices)))
    for mode in range(SPATIAL_MODES):
        function = functions[:, mode + 1]
        function = function * np.sign(function[np.abs(function).argmax()])
        norm = (area[used] * function**2).sum() / area[used].sum()
        out[mode, used] = function / np.sqrt(norm)
    return values[1:], out


def mean_albedo(regions: dict[str, np.ndarray], size: int) -> np.ndarray:
    """The mean colour: skin, with each region painted over it."""
    colour = np.tile(SKIN, (size, 1))
    for name, (tint, strength) in TINTED.items():
        colour = colour + (regions[name] * strength)[:, None] * np.array(tint)
    for name, (paint, strength) in PAINTED.items():
        alpha = (regions[name] * strength)[:, None]
        colour = colour * (1 - alpha) + alpha * np.array(paint)
    return colour


def axes(
    vertices: np.ndarray, skin_faces: np.ndarray, area: np.ndarray, regions: dict[str, np.ndarray]
) -> np.ndarray:
    """Independent sources of variation, each scaled to one standard deviation, n x V x 3."""
    pigmented = regions["skin"] + 0.75 * regions["lips"] * (1 - regions["skin"])
    rest = 0.35 * (regions["mouth"] + regions["eye_sockets"] + regions["tongue"]).clip(0, 1)
    body = np.maximum(pigmented, rest)
    fields = [(body, WIDE * MELANIN), (body, HAEMOGLOBIN), (body, CAROTENE)]
    fields += [(regions[name], np.array(colour)) for name, colour in AXES]
    values, functions = smooth_modes(vertices, skin_faces, area)
    for value, function in zip(values, functions, strict=True):
        fall = 1 / (1 + value / values[2])
        fields.append((function * pigmented, UNEVEN[0] * fall * MELANIN))
        fields.append((function * pigmented, UNEVEN[1] * fall * HAEMOGLOBIN))
    return np.stack([mask[:, None] * colour for mask, colour in fields])


def under_hair(sources: np.ndarray, regions: dict[str, np.ndarray]) -> np.ndarray:
    """What hair leaves of the colours of skin, and how dark it is where skin is."""
    covered = np.max([regions[name] * PAINTED[name][1] for name in HAIR], axis=0)[:, None]
    out = sources.copy()
    of_skin = [0, 1, 2, *range(3 + len(AXES), len(sources))]
    out[of_skin] *= 1 - covered
    out[0] += covered * WITH_SKIN
    return out


def reflectance_components(
    sources: np.ndarray, area: np.ndarray, rank: int, regions: dict[str, np.ndarray]
) -> np.ndarray:
    """Leading eigenvectors of the covariance of `sources`, one standard deviation each.

    They are orthogonal under the metric of vertex area, before hair covers its share of them.
    """
    root = np.sqrt(area / area.sum())[:, None]
    rows = (sources * root).reshape(len(sources), -1)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    order = np.argsort(-values)[:rank]
    components = np.tensordot(vectors[:, order].T, under_hair(sources, regions), 1)
    flat = components.reshape(len(components), -1)
    largest = np.abs(flat).argmax(1)
    return components * np.sign(flat[np.arange(len(flat)), largest])[:, None, None]
