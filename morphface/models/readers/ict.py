"""The ICT-FaceKit face model: a folder of OBJ files, or the same packed in one `.npz` archive.

What the files have: centimetres; +x to the subject's left, +y up, +z out of the face; indices
from 1 in OBJ and from 0 in `vertex_indices.json`. `identityNNN.obj` is the neutral mesh plus one
standard deviation of a mode, `<expression>.obj` the neutral mesh at weight 1 of an ARKit
blendshape, with _L and _R for the subject's sides. Texture coordinates have one unit square for
each material, side by side, with (0, 0) at the lower left.

What becomes of it: millimetres, quads cut into triangles, the origin between the eyeballs'
centres. Tear film, lashes and shadow planes are left out: all parts after the eyeballs. Names of
expressions are those of ARKit where it has them; the two halves of `browInnerUp` and `cheekPuff`
keep their own. No expression moves the eyeballs: they turn with the gaze.
"""

from math import prod

import numpy as np
import torch

from morphface.core.errors import ModelError
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel
from morphface.models.readers.arrays import naming
from morphface.models.readers.assembly import components, positions, triangles, vertices
from morphface.models.readers.content import Content
from morphface.models.readers.ict_folder import NEUTRAL, Head, read_folder
from morphface.models.readers.npz import read_npz

__all__ = ["NAME", "read", "recognises"]

NAME = "an ICT-FaceKit model (its folder of OBJ files, or one .npz)"

_PACKED = (
    *("vertices", "identity", "expression", "expression_names", "faces", "landmarks68"),
    *("vertex_part", "part_names", "uv", "uv_faces"),
)
_CENTIMETRE = 10.0
_HALVES = ("browInnerUp", "cheekPuff")  # ARKit has them as one
_SIDES = {"_L": "Left", "_R": "Right"}
_REGIONS = {
    "skin": ("face", "head_neck"),
    "face": ("face",),
    "mouth": ("mouth_socket",),
    "eye_sockets": ("eye_socket_left", "eye_socket_right"),
    "tongue": ("gums_tongue",),
    "teeth": ("teeth",),
    "eyeballs": ("sclera_left", "iris_left", "sclera_right", "iris_right"),
}
_IRIS = 5.85  # mm, of the average adult; the model does not mark its own
_SILHOUETTE = 0.4  # confidence of the 17 points of the jaw, which slide


def recognises(content: Content) -> bool:
    """Whether it is the folder, one above it, or the packed archive."""
    if content.kind == "folder":
        return NEUTRAL in content.names or f"FaceXModel/{NEUTRAL}" in content.names
    return content.kind == "npz" and content.has(*_PACKED[:6])


def read(content: Content) -> MorphableModel:
    """Read the ICT face model.

    Raises:
        ModelError: a file lacks something, or its parts do not belong together.
    """
    with naming(content.path):
        if content.kind == "npz":
            return _assemble(_unpacked(read_npz(content.path, _PACKED)))
        inner = content.path / "FaceXModel"
        return _assemble(read_folder(content.path if NEUTRAL in content.names else inner))


def _unpacked(arrays: dict[str, np.ndarray]) -> Head:
    missing = [name for name in _PACKED if name not in arrays]
    if missing:
        raise ModelError(f"it lacks {', '.join(missing)}")
    part, names = arrays["vertex_part"], [str(name) for name in arrays["part_names"]]
    return Head(
        mean=arrays["vertices"],
        identity=arrays["identity"],
        expression=arrays["expression"],
        names=tuple(str(name) for name in arrays["expression_names"]),
        faces=arrays["faces"],
        uv=arrays["uv"],
        uv_faces=arrays["uv_faces"],
        landmarks=arrays["landmarks68"],
        parts={name: np.flatnonzero(part == index) for index, name in enumerate(names)},
    )


def _assemble(head: Head) -> MorphableModel:
    mean = positions(head.mean, _CENTIMETRE)
    size = len(mean)
    faces = torch.from_numpy(triangles(head.faces, size, first=0))
    eyes = _eyes(head, mean)
    if eyes is not None:
        mean = mean - (eyes[0].centre(mean) + eyes[1].centre(mean)) / 2
    uv_faces = triangles(head.uv_faces, len(head.uv), first=0)
    if head.uv.shape[1:] != (2,) or len(uv_faces) != len(faces):
        raise ModelError("its texture coordinates do not belong to its faces")
    return MorphableModel(
        name="ict",
        identity=LinearBasis(mean, _directions(head.identity, size)),
        expression=_expression(head, size),
        faces=faces,
        uv=torch.from_numpy(np.ascontiguousarray(head.uv, np.float32)),
        uv_faces=torch.from_numpy(uv_faces),
        regions=_regions(head, size),
        eyes=eyes,
        landmarks={"68": _embedding(head, faces)},
    )


def _directions(values: np.ndarray, size: int) -> torch.Tensor:
    rows = np.asarray(values, np.float32).reshape(len(values), prod(values.shape[1:]))
    return components(rows.T, _CENTIMETRE, size)


def _expression(head: Head, size: int) -> ExpressionBasis:
    bounds = torch.tensor([[0.0, 1.0]]).repeat(len(head.names), 1)
    names = tuple(_arkit(name) for name in head.names)
    return ExpressionBasis(_directions(head.expression, size), names, bounds)


def _arkit(name: str) -> str:
    stem, side = name[:-2], _SIDES.get(name[-2:])
    return name if side is None or stem in _HALVES else stem + side


def _regions(head: Head, size: int) -> dict[str, torch.Tensor]:
    masks = {}
    for name, parts in _REGIONS.items():
        mask = torch.zeros(size)
        for part in parts:
            mask[torch.from_numpy(head.parts.get(part, np.empty(0, np.int64)))] = 1.0
        if mask.any():
            masks[name] = mask
    return masks


def _eyes(head: Head, mean: torch.Tensor) -> tuple[Eye, Eye] | None:
    """The eyeballs, which turn about the centre of the sphere nearest to the sclera."""
    eyes = []
    for side in ("left", "right"):
        sclera, iris = (head.parts.get(f"{part}_{side}", ()) for part in ("sclera", "iris"))
        if len(sclera) < 4:
            return None
        centre, radius = _sphere(mean[torch.from_numpy(np.asarray(sclera))])
        ball = torch.from_numpy(np.union1d(sclera, iris).astype(np.int64))
        eyes.append(Eye(ball, centre - mean[ball].mean(dim=0), radius, _IRIS))
    return eyes[0], eyes[1]


def _sphere(points: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Centre and radius by linear least squares."""
    middle = points.double().mean(dim=0)
    arms = points.double() - middle
    rows = torch.cat([2 * arms, torch.ones(len(arms), 1, dtype=arms.dtype)], dim=1)
    solved = torch.linalg.lstsq(rows, arms.square().sum(dim=1, keepdim=True)).solution[:, 0]
    radius = float((solved[3] + solved[:3].square().sum()).clamp(min=0).sqrt())
    return (middle + solved[:3]).float(), radius


def _embedding(head: Head, faces: torch.Tensor) -> LandmarkEmbedding:
    if head.landmarks.shape != (68,):
        raise ModelError(f"it has {head.landmarks.size} landmarks, and 68 were expected")
    chosen = vertices(head.landmarks, len(head.mean), 0, "landmarks")
    confidence = torch.ones(68)
    confidence[:17] = _SILHOUETTE
    return LandmarkEmbedding.at_vertices(torch.from_numpy(chosen), faces, confidence)
