"""How skin, hair and eyes differ in colour: a Gaussian process, since no open scans exist.

Skin colour is governed by two pigments, melanin and haemoglobin (Tsumura et al. 2003; Alotaibi and
Smith 2017), so the skin has two colour axes. Each has a mode that is constant over the head
and smooth spatial modes, the eigenfunctions of the skin's Laplacian, whose variance falls
with frequency. Lips, brows, lids, beard, scalp, sclera and iris add their own axes. The sum of
all is one covariance; its leading eigenvectors are the components.

Colours are sRGB values in [0, 1], the field's plain-RGB convention.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

SKIN = np.array([0.705, 0.535, 0.455])
MELANIN = np.array([-0.170, -0.165, -0.155])  # one standard deviation towards dark skin
HAEMOGLOBIN = np.array([0.011, -0.017, -0.015])  # towards red
CAROTENE = np.array([0.004, 0.002, -0.020])  # towards yellow
DARK = np.array([-0.09, -0.085, -0.075])
SPATIAL_MODES = 40

BASE = {
    "lips": ([0.60, 0.36, 0.34], 0.85),
    "brows": ([0.26, 0.19, 0.155], 0.80),
    "lashes": ([0.13, 0.10, 0.09], 0.85),
    "eyelids": ([0.62, 0.44, 0.37], 0.25),
    "under_eyes": ([0.63, 0.45, 0.39], 0.35),
    "cheeks": ([0.74, 0.50, 0.44], 0.30),
    "nose": ([0.72, 0.51, 0.44], 0.25),
    "beard": ([0.55, 0.42, 0.37], 0.18),
    "scalp": ([0.42, 0.33, 0.28], 0.55),
    "mouth": ([0.42, 0.17, 0.16], 1.0),
    "eye_sockets": ([0.66, 0.36, 0.33], 0.9),
    "teeth": ([0.86, 0.82, 0.74], 1.0),
    "tongue": ([0.62, 0.31, 0.31], 1.0),
    "sclera": ([0.88, 0.86, 0.84], 1.0),
    "iris": ([0.30, 0.24, 0.18], 1.0),
    "pupil": ([0.025, 0.025, 0.025], 1.0),
}
# region, and what one standard deviation adds where the mask is 1
AXES = (
    ("lips", [0.026, -0.016, -0.013]),
    ("lips", [-0.045, -0.042, -0.034]),
    ("lips", [0.008, -0.012, -0.016]),
    ("brows", [-0.10, -0.09, -0.08]),
    ("brows", [0.07, 0.035, 0.01]),
    ("lashes", [-0.05, -0.05, -0.05]),
    ("eyelids", [-0.060, -0.060, -0.050]),
    ("eyelids", [0.025, -0.020, -0.010]),
    ("under_eyes", [-0.050, -0.052, -0.036]),
    ("cheeks", [0.014, -0.018, -0.016]),
    ("nose", [0.018, -0.022, -0.020]),
    ("beard", [-0.055, -0.050, -0.042]),
    ("beard", [-0.025, -0.030, -0.032]),
    ("scalp", [-0.13, -0.12, -0.11]),
    ("scalp", [0.08, 0.045, 0.015]),
    ("ears", [0.020, -0.026, -0.024]),
    ("neck", [-0.030, -0.034, -0.034]),
    ("sclera", [-0.035, -0.045, -0.055]),
    ("iris", [-0.10, -0.075, -0.05]),
    ("iris", [-0.03, 0.02, 0.07]),
    ("iris", [-0.01, 0.05, 0.0]),
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
    for name, (paint, strength) in BASE.items():
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
    fields = [(body, MELANIN), (body, HAEMOGLOBIN), (body, CAROTENE)]
    fields += [(regions[name], np.array(colour)) for name, colour in AXES]
    values, functions = smooth_modes(vertices, skin_faces, area)
    for value, function in zip(values, functions, strict=True):
        fall = 1 / (1 + value / values[2])
        fields.append((function * pigmented, 0.28 * fall * DARK))
        fields.append((function * pigmented, 0.22 * fall * HAEMOGLOBIN))
    return np.stack([mask[:, None] * colour for mask, colour in fields])


def reflectance_components(sources: np.ndarray, area: np.ndarray, rank: int) -> np.ndarray:
    """Leading eigenvectors of the covariance of `sources`, one standard deviation each.

    They are orthogonal under the metric of vertex area.
    """
    root = np.sqrt(area / area.sum())[:, None]
    rows = (sources * root).reshape(len(sources), -1)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    order = np.argsort(-values)[:rank]
    components = np.tensordot(vectors[:, order].T, sources, 1)
    flat = components.reshape(len(components), -1)
    largest = np.abs(flat).argmax(1)
    return components * np.sign(flat[np.arange(len(flat)), largest])[:, None, None]
