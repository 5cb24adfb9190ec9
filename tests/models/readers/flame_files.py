"""Writes small FLAME files in their genuine layouts."""

import pickle
from functools import cache

import numpy as np
import torch
from scipy import sparse

from tests.models.readers.written import filled, standing_in
from tests.toy import sphere

SHAPES, EXPRESSIONS = 300, 100
BALLS = (np.arange(20), np.arange(20, 40))


@cache
def arrays(seed=0):
    """A head of 114 vertices in metres, its left eye at +x, and all that FLAME knows of it."""
    rng = np.random.default_rng(seed)
    unit, faces = (part.numpy() for part in sphere(9, 14))
    mean = unit * [0.075, 0.105, 0.09] + [0.0, 0.02, 0.01]
    size = len(mean)
    for side, ball in zip((1, -1), BALLS, strict=True):
        mean[ball] = rng.normal(size=(20, 3)) * 0.004 + [side * 0.031, 0.03, 0.07]
    weights = rng.dirichlet(np.ones(3), size)
    weights = np.concatenate([weights, np.zeros((size, 2))], axis=1)
    regressor = rng.dirichlet(np.ones(size), 5)
    for joint, ball in zip((3, 4), BALLS, strict=True):
        weights[ball] = np.eye(5)[joint]
        regressor[joint] = np.isin(np.arange(size), ball) / len(ball)
    return {
        "v_template": mean,
        "shapedirs": rng.normal(size=(size, 3, SHAPES + EXPRESSIONS)) * 1e-3,
        "posedirs": rng.normal(size=(size, 3, 36)) * 1e-3,
        "weights": weights,
        "J_regressor": sparse.csc_matrix(regressor),
        "J": regressor @ mean,
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
        "f": faces.astype(np.uint32),
    }


def flame_2017(given):
    """Everything in chumpy objects, pickled by Python 2; so is FLAME 2020."""
    with standing_in("chumpy.ch.Ch") as chumpy:

        def held(name, value):
            plain = name in ("f", "kintree_table", "J_regressor")
            return value if plain else filled(chumpy.Ch, x=value, _dirty_vars=set())

        content = {name: held(name, value) for name, value in given.items()}
        return pickle.dumps({**content, "bs_style": "lbs", "bs_type": "lrotmin"}, protocol=2)


def flame_2020(given):
    """As 2017, but some arrays are plain, and so is the matrix of joints."""
    with standing_in("chumpy.ch.Ch") as chumpy:
        content = dict(given, J_regressor=given["J_regressor"].toarray())
        for name in ("v_template", "shapedirs", "posedirs"):
            content[name] = filled(chumpy.Ch, x=content[name])
        return pickle.dumps({**content, "bs_style": "lbs"}, protocol=2)


def flame_2023(given):
    """Plain arrays, some in single precision, pickled by Python 3."""
    content = dict(given, posedirs=given["posedirs"].astype(np.float32))
    return pickle.dumps({**content, "J_regressor": given["J_regressor"].tocsr()}, protocol=4)


VERSIONS = {"2017": flame_2017, "2020": flame_2020, "2023": flame_2023}


def static_embedding(rng, count, protocol=0):
    index = rng.integers(0, len(arrays()["f"]), count).astype(np.uint32)
    weights = rng.dirichlet(np.ones(3), count)
    content = {"lmk_face_idx": index, "lmk_b_coords": weights}
    return content, pickle.dumps(content, protocol=protocol)


def dynamic_embedding(rng):
    index = rng.integers(0, len(arrays()["f"]), (79, 17))
    weights = rng.dirichlet(np.ones(3), (79, 17))
    return {"lmk_face_idx": index, "lmk_b_coords": weights}


def deca_embedding(rng):
    """All in one, the dynamic part as tensors of torch."""
    inner, whole = static_embedding(rng, 51)[0], static_embedding(rng, 68)[0]
    moving = dynamic_embedding(rng)
    return {
        "static_lmk_faces_idx": inner["lmk_face_idx"].astype(np.int64),
        "static_lmk_bary_coords": inner["lmk_b_coords"],
        "dynamic_lmk_faces_idx": torch.from_numpy(moving["lmk_face_idx"]),
        "dynamic_lmk_bary_coords": torch.from_numpy(moving["lmk_b_coords"]),
        "full_lmk_faces_idx": whole["lmk_face_idx"][None].astype(np.int64),
        "full_lmk_bary_coords": whole["lmk_b_coords"][None].astype(np.float32),
    }


def texture(rng, order="C"):
    """A texture space of 16 x 20 pixels and 4 directions over its own triangles."""
    faces = len(arrays()["f"])
    return {
        "mean": rng.uniform(20, 235, (16, 20, 3)),
        "tex_dir": np.array(rng.normal(size=(16, 20, 3, 4)) * 9, np.float32, order=order),
        "vt": rng.uniform(0, 1, (200, 2)),
        "ft": rng.integers(0, 200, (faces, 3)),
    }
