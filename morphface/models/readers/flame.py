"""FLAME 2017, 2020 and 2023 (Li et al. 2017), as its authors' pickles or as archives of arrays.

What the file has: metres; +x to the subject's left, +y up, +z out of the face; origin inside the
head; vertex indices from 0; numpy, chumpy and scipy.sparse objects. Each shape and expression
direction is one standard deviation. The order of the joints is root, neck, jaw, left eye, right
eye; rotations are rotation vectors.

What becomes of it: millimetres, the origin between the eyeballs' joints. Of 400 directions 300 are
identity and 100 expression; a file that was cut does not say how many are what, and is taken as
identity alone, with a warning, unless it is told. Expression ends with six rotations in radians, of
neck and jaw. The
components of a rotation vector of FLAME are (-pitch, yaw, roll). Eyeballs turn with the gaze,
the root not at all: that is the head's pose.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np
import torch
from scipy import sparse

from morphface.core.errors import ModelError, ModelWarning
from morphface.models.articulated import ArticulatedModel, Rig
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.readers.content import Content
from morphface.models.readers.eyeballs import eyeballs
from morphface.models.readers.flame_landmarks import read_landmarks
from morphface.models.readers.flame_texture import Texture, read_texture
from morphface.models.readers.npz import read_npz
from morphface.models.readers.pickles import read_pickle

__all__ = ["NAME", "ROTATIONS", "read", "recognises"]

NAME = "a FLAME model (.pkl, .npz)"
ROTATIONS = {
    "neck_pitch": (-0.8, 0.8),
    "neck_yaw": (-1.2, 1.2),
    "neck_roll": (-0.7, 0.7),
    "jaw_pitch": (-0.7, 0.1),
    "jaw_yaw": (-0.2, 0.2),
    "jaw_roll": (-0.1, 0.1),
}
"""The rotations and their bounds in radians; a jaw that opens has negative pitch."""

_NEEDED = ("v_template", "shapedirs", "posedirs", "weights", "kintree_table", "J_regressor", "f")
_DIRECTIONS, _IDENTITY = 400, 300  # of the files of its authors
_JOINTS, _NECK, _JAW, _EYES = 5, 1, 2, (3, 4)
_METRE = 1000.0
_LARGEST = 1e6


def recognises(content: Content) -> bool:
    """Whether it has the parts of a skinned model; bodies are refused later."""
    return content.kind in ("pickle", "npz") and content.has(*_NEEDED[:-1])


def read(
    content: Content,
    *,
    texture: str | Path | None = None,
    landmarks: str | Path | Sequence[str | Path] | None = None,
    identity: int | None = None,
) -> ArticulatedModel:
    """Read a FLAME model.

    Warns with a `ModelWarning` if the file does not have the 400 directions of its authors' and
    `identity` is not given.

    Args:
        content: of the file.
        texture: the archive of the texture space (`FLAME_texture.npz`), for texture coordinates
            and a reflectance, sampled at the vertices.
        landmarks: one or more files of landmark embeddings, static and dynamic.
        identity: how many of the directions are identity; the rest are expression. None: 300 of
            400, and all of any other number.

    Raises:
        ModelError: a file lacks something, or its parts do not belong together.
        MissingFileError: `texture` or `landmarks` is not there.
    """
    parts = _Parts(content)
    faces = parts.faces()
    painted = None if texture is None else read_texture(Path(texture), faces, parts.size)
    paths = [landmarks] if isinstance(landmarks, str | Path) else landmarks or []
    model = _assemble(parts, faces, painted, identity)
    return model if not paths else _with_landmarks(model, [Path(path) for path in paths])


def _with_landmarks(model: ArticulatedModel, paths: list[Path]) -> ArticulatedModel:
    return replace(model, landmarks=read_landmarks(paths, model.faces))


class _Parts:
    """The arrays of the file, checked for their shapes."""

    def __init__(self, content: Content) -> None:
        path = content.path
        if content.kind == "npz":
            loaded: object = read_npz(path, _NEEDED, matrices=("J_regressor",))
        else:
            loaded = read_pickle(path)
        if not isinstance(loaded, dict):
            raise ModelError(f"{path} is a pickle, but not of a FLAME model's dictionary")
        self.path, self.values = path, loaded
        missing = [name for name in _NEEDED if name not in loaded]
        if missing:
            raise ModelError(f"FLAME model {path} lacks {', '.join(missing)}")
        joints = self.array("kintree_table", 2, None).shape[1]
        if joints != _JOINTS:
            raise ModelError(
                f"{path} has {joints} joints, but FLAME has {_JOINTS}: "
                "it looks like a model of bodies or hands, not of heads"
            )
        self.size = len(self.array("v_template", None, 3))

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        """The values of that name, with the axes of `shape`; None admits any size."""
        value: Any = self.values[name]
        if sparse.issparse(value):
            value = value.toarray()
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
            raise ModelError(f"{name} of FLAME model {self.path} is not an array of numbers")
        fits = value.ndim == len(shape) and all(
            want in (None, got) for want, got in zip(shape, value.shape, strict=True)
        )
        with np.errstate(invalid="ignore"):
            sane = bool((np.abs(value) < _LARGEST).all())
        if not fits or not (sane or name in ("f", "kintree_table")):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ModelError(
                f"{name} of FLAME model {self.path} must be finite numbers of shape ({wanted}), "
                f"got shape {value.shape}"
            )
        return value

    def faces(self) -> torch.Tensor:
        """Triangles, whose indices are all those of vertices."""
        faces = self.array("f", None, 3)
        if len(faces) and not 0 <= int(faces.min()) <= int(faces.max()) < self.size:
            raise ModelError(f"f of FLAME model {self.path} points beyond its vertices")
        return torch.from_numpy(faces.astype(np.int64))

    def parents(self) -> tuple[int, ...]:
        """Of each joint; the file has any number for the root's."""
        above = self.array("kintree_table", 2, _JOINTS)[0].astype(np.int64)
        return (-1, *(int(joint) for joint in above[1:]))

    def weights(self) -> np.ndarray:
        """Of the joints at each vertex."""
        weights = self.array("weights", self.size, _JOINTS)
        if np.abs(weights.sum(axis=1) - 1).max(initial=0) > 1e-2:
            raise ModelError(f"weights of FLAME model {self.path} do not sum to 1 at each vertex")
        return weights

    def identities(self, asked: int | None) -> int:
        """How many of the directions are identity."""
        count = self.array("shapedirs", self.size, 3, None).shape[2]
        if asked is not None:
            if not 0 <= asked <= count:
                raise ModelError(
                    f"identity must be from 0 to {count}, all directions of {self.path}, "
                    f"got {asked}"
                )
            return asked
        if count == _DIRECTIONS:
            return _IDENTITY
        warn(
            f"identity= is not given, and {self.path.name} has {count} directions instead of "
            f"FLAME's {_DIRECTIONS} ({_IDENTITY} of identity, then of expression): all are taken "
            "as identity. If some are expression, say how many are not: load_model(..., "
            "identity=100), or once and for all morphface models convert --identity-count 100",
            ModelWarning,
            stacklevel=2,
        )
        return count

    def directions(self, name: str, count: int | None = None) -> np.ndarray:
        """The last axis of the array comes first."""
        values = self.array(name, self.size, 3, count)
        return np.ascontiguousarray(np.moveaxis(values, -1, 0), dtype=np.float32) * _METRE


def _assemble(
    parts: _Parts, faces: torch.Tensor, painted: Texture | None, identity: int | None
) -> ArticulatedModel:
    mean = parts.array("v_template", parts.size, 3) * _METRE
    regressor = parts.array("J_regressor", _JOINTS, parts.size)
    places = regressor @ mean
    origin = places[list(_EYES)].mean(axis=0)
    rank = parts.identities(identity)
    directions = parts.directions("shapedirs")
    moved = np.einsum("jv,kvc->kjc", regressor.astype(np.float32), directions, optimize=True)
    rig = Rig(
        parents=parts.parents(),
        joints=LinearBasis(_tensor(places - origin), _tensor(moved[:rank])),
        moves=_tensor(moved[rank:]),
        weights=_tensor(parts.weights()),
        correctives=_tensor(parts.directions("posedirs", 9 * (_JOINTS - 1))),
        turned=(_NECK, _JAW),
        eyes=_eye_joints(places),
        origin=_tensor(origin),
    )
    centred = _tensor(mean - origin)
    return ArticulatedModel(
        name="flame",
        identity=LinearBasis(centred, _tensor(directions[:rank])),
        expression=_expression(rig, centred, _tensor(directions[rank:])),
        faces=faces,
        reflectance=None if painted is None else painted.reflectance,
        uv=None if painted is None else painted.uv,
        uv_faces=None if painted is None else painted.faces,
        eyes=eyeballs(rig, centred),
        rig=rig,
    )


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _expression(rig: Rig, mean: torch.Tensor, linear: torch.Tensor) -> ExpressionBasis:
    turning = rig.turning(torch.zeros(rig.turns), mean, rig.joints.mean)
    free = torch.tensor([[-torch.inf, torch.inf]]).repeat(len(linear), 1)
    return ExpressionBasis(
        torch.cat([linear, turning]),
        (*(f"expression_{k}" for k in range(len(linear))), *ROTATIONS),
        torch.cat([free, torch.tensor(list(ROTATIONS.values()))]),
    )


def _eye_joints(places: np.ndarray) -> tuple[int, int]:
    """The left one first, which has the larger x."""
    first, second = _EYES
    return (first, second) if places[first, 0] >= places[second, 0] else (second, first)
