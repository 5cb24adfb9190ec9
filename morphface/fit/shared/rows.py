"""The rows of a model's bases that a landmark scheme touches, ready for a small solve.

They are cut out once for each model and scheme and kept for as long as the model lives. The
solve has about 140 unknowns: it runs in float64 numpy on the CPU, whatever the device of the
model and the landmarks, because a step there takes about a millisecond.
"""

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.landmarks.schemes import SCHEMES
from morphface.models import ArticulatedModel, Eye, LandmarkEmbedding, MorphableModel

__all__ = ["LandmarkRows", "landmark_rows", "near_landmarks"]

_IRISES = {"478": range(468, 478)}
_RIGID = 0.1  # of a move's length: what less is left after the pose has taken its part
_CACHE: "WeakKeyDictionary[MorphableModel, dict[str, LandmarkRows]]" = WeakKeyDictionary()
_SMALL: "WeakKeyDictionary[MorphableModel, dict[str, MorphableModel]]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class EyeRows:
    """What moves the irises of one eye.

    Args:
        points: which landmarks lie on the eyeball.
        centre: of rotation, in the mean face.
        basis: what each identity coefficient adds to it.
    """

    points: Int[np.ndarray, " n"]
    centre: Float[np.ndarray, "3"]
    basis: Float[np.ndarray, "3 I"]


@dataclass(frozen=True, eq=False)
class LandmarkRows:
    """A model, seen at its landmarks alone.

    Args:
        mean: positions in the mean face.
        basis: what each coefficient adds; identity first, expression after it.
        normals: outward unit normals in the mean face.
        confidence: of the embedding.
        surface: which landmarks lie on the face, not on an eyeball.
        contour: which landmarks lie on the silhouette and slide over the face as it turns.
        identity: how many of the coefficients are identity.
        lower, upper: bounds of each coefficient, infinite for those in standard deviations; both
            are zero for what only the pose shows, such as a turn of the neck.
        names: of the expressions.
        eyes: left and right, or nothing where the model has no eyes or the scheme no irises.
    """

    mean: Float[np.ndarray, "N 3"]
    basis: Float[np.ndarray, "N 3 K"]
    normals: Float[np.ndarray, "N 3"]
    confidence: Float[np.ndarray, " N"]
    surface: Bool[np.ndarray, " N"]
    contour: Bool[np.ndarray, " N"]
    identity: int
    lower: Float[np.ndarray, " K"]
    upper: Float[np.ndarray, " K"]
    names: tuple[str, ...]
    eyes: tuple[EyeRows, ...]

    @property
    def rank(self) -> int:
        """How many coefficients there are."""
        return self.basis.shape[2]

    @property
    def flat_basis(self) -> Float[np.ndarray, "M K"]:
        """The basis with one row for each coordinate: one large product beats many small."""
        return self.basis.reshape(-1, self.rank)

    @property
    def statistical(self) -> Bool[np.ndarray, " K"]:
        """Which coefficients are in standard deviations: those without bounds."""
        return ~(np.isfinite(self.lower) & np.isfinite(self.upper))

    def points(self, coefficients: Float[np.ndarray, " K"]) -> Float[np.ndarray, "N 3"]:
        """Landmark positions in the model frame, eyes looking ahead."""
        return self.mean + (self.flat_basis @ coefficients).reshape(-1, 3)

    def of_person(self, identity: Float[np.ndarray, " I"]) -> "LandmarkRows":
        """The rows of a person whose identity is known: what is left moves expressions alone."""
        known = self.identity
        eyes = tuple(
            replace(eye, centre=eye.centre + eye.basis @ identity, basis=eye.basis[:, :0])
            for eye in self.eyes
        )
        return replace(
            self,
            mean=self.mean + self.basis[:, :, :known] @ identity,
            basis=np.ascontiguousarray(self.basis[:, :, known:]),
            identity=0,
            lower=self.lower[known:],
            upper=self.upper[known:],
            eyes=eyes,
        )


def landmark_rows(model: MorphableModel, scheme: str) -> LandmarkRows:
    """The rows of `model` at the landmarks of `scheme`, cut out on the first call.

    Raises:
        ModelError: the model has no embedding of the scheme.
    """
    kept = _CACHE.setdefault(model, {})
    if scheme not in kept:
        kept[scheme] = _cut(model, scheme)
    return kept[scheme]


def near_landmarks(model: MorphableModel, scheme: str) -> MorphableModel:
    """A model with the same rows that is quicker to linearise, for one with joints.

    Raises:
        ModelError: the model has no embedding of the scheme.
    """
    if not isinstance(model, ArticulatedModel):
        return model
    kept = _SMALL.setdefault(model, {})
    if scheme not in kept:
        parts = [model.landmark_embedding(scheme).triangles.flatten()]
        parts += [eye.vertices for eye in model.eyes or ()]
        kept[scheme] = model.restricted(torch.cat(parts).unique())
    return kept[scheme]


def _cut(model: MorphableModel, scheme: str) -> LandmarkRows:
    embedding = model.landmark_embedding(scheme)
    bases = (model.identity.directions, model.expression.directions)
    directions = torch.cat([_at(embedding, directions) for directions in bases])
    bounds = _array(model.expression.bounds).copy()
    free = np.full(model.identity.rank, np.inf)
    mean = _array(_at(embedding, model.identity.mean))
    basis = np.ascontiguousarray(_array(directions).transpose(1, 2, 0))
    bounds[_rigid(mean, basis[:, :, model.identity.rank :]) & np.isfinite(bounds).all(1)] = 0.0
    eyes = tuple(_eye_rows(model, eye, embedding) for eye in model.eyes or ())
    eyes = eyes if all(len(eye.points) for eye in eyes) else ()
    surface = np.ones(len(embedding), dtype=bool)
    surface[[i for i in _IRISES.get(scheme, ()) if i < len(embedding)]] = False
    for eye in eyes:
        surface[eye.points] = False
    return LandmarkRows(
        mean=mean,
        basis=basis,
        normals=_normals(model.identity.mean, embedding),
        confidence=_array(embedding.confidence),
        surface=surface,
        contour=_contour(scheme, len(embedding)),
        identity=model.identity.rank,
        lower=np.concatenate([-free, bounds[:, 0]]),
        upper=np.concatenate([free, bounds[:, 1]]),
        names=model.expression.names,
        eyes=eyes,
    )


def _array(tensor: Tensor) -> Float[np.ndarray, "..."]:
    return tensor.detach().cpu().double().numpy()


def _at(embedding: LandmarkEmbedding, values: Tensor) -> Float[Tensor, "*batch N 3"]:
    corners = values[..., embedding.triangles, :].double()
    return torch.einsum("nk,...nkc->...nc", embedding.barycentric.double(), corners)


def _rigid(
    points: Float[np.ndarray, "N 3"], moves: Float[np.ndarray, "N 3 K"]
) -> Bool[np.ndarray, " K"]:
    """Which expressions move the points as the pose would, such as a turn of the neck.

    The pose takes that over: from the face alone the two cannot be told apart.
    """
    arms = points - points.mean(axis=0)
    turns = np.cross(np.eye(3), arms[:, None, :]).transpose(0, 2, 1)
    pose = np.concatenate([turns, np.broadcast_to(np.eye(3), turns.shape)], axis=2).reshape(-1, 6)
    flat = moves.reshape(len(pose), -1)
    left = flat - pose @ np.linalg.lstsq(pose, flat, rcond=None)[0]
    return (left**2).sum(axis=0) < _RIGID**2 * (flat**2).sum(axis=0)


def _contour(scheme: str, size: int) -> Bool[np.ndarray, " N"]:
    out = np.zeros(size, dtype=bool)
    if scheme in SCHEMES:
        out[list(SCHEMES[scheme].contour)] = True
    return out


def _eye_rows(model: MorphableModel, eye: Eye, embedding: LandmarkEmbedding) -> EyeRows:
    inside = torch.isin(embedding.triangles, eye.vertices).all(dim=1)
    moved = model.identity.directions[:, eye.vertices].double().mean(dim=1)
    return EyeRows(
        points=inside.nonzero()[:, 0].cpu().numpy(),
        centre=_array(eye.centre(model.identity.mean.double())),
        basis=_array(moved).T.copy(),
    )


def _normals(mean: Tensor, embedding: LandmarkEmbedding) -> Float[np.ndarray, "N 3"]:
    a, b, c = _array(mean)[embedding.triangles.cpu().numpy()].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
