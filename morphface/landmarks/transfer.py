"""Where the points of a scheme lie on any model's surface: computed, not picked by hand.

A detector errs on renderings of one grey mean face, most where there is no feature to see, as on
brows that are not painted. So the open head is bent onto the model, and its own landmarks go along.
What pins the two surfaces together is what the detector sees on either, drawn in the same way,
where it errs alike. Where the bent head does not meet the model, what was detected is all there is.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.errors import LandmarkError
from morphface.core.records import Record
from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import tables
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.embedding import check_scheme, measure_embedding
from morphface.landmarks.lips import on_their_lips
from morphface.models import LandmarkEmbedding, MorphableModel, load_model
from morphface.models.conversion.registration import bent, picks_of, skin_surface
from morphface.models.landmark_file import fingerprint
from morphface.models.skin import skin_faces

__all__ = ["Transfer", "embed", "transfer_embedding"]

_FARTHEST = 3.0
"""Median distance in mm, of what is seen on both models, beyond which they do not correspond."""
_TRUSTED = 2.0  # distance in mm at which confidence is a half
_CANDIDATES = 16


def embed(
    model: MorphableModel,
    detector: LandmarkDetector,
    scheme: str = "478",
    *,
    skin: Bool[Tensor, " F"] | None = None,
) -> LandmarkEmbedding:
    """The positions of a scheme's landmarks on the surface of `model`.

    They are those of the open head, carried over to the model: irises apart, which lie where the
    detector sees them. The open head itself has them in its file.

    Args:
        model: any model whose mean looks like a face.
        detector: one that gives the 478 points.
        scheme: "478", or "68".
        skin: as in `measure_embedding`.

    Raises:
        LandmarkError: the scheme is not one of these, or the detector sees no face in most
            renderings of the model.
        ShapeError: `skin` has not one entry for each face.
    """
    check_scheme(scheme)
    head = load_model("open-head")
    known = head.landmarks.get(scheme)
    if known is not None and fingerprint(model) == fingerprint(head):
        return known
    seen = measure_embedding(model, detector, skin=skin)[0]
    found = _carried(model, seen, detector, skin)
    order = torch.tensor(tables.MESH_OF_68)
    return found.map(lambda values: values[order]) if scheme == "68" else found


@dataclass(frozen=True, eq=False)
class Transfer(Record):
    """Landmarks of one model on another.

    Args:
        embedding: on the other model. Confidence is that of the first, less where what is seen on
            both does not agree.
        distance: of what is seen on the first, carried over, to what is seen on the other, in mm;
            infinite where that is not carried over.
    """

    embedding: LandmarkEmbedding
    distance: Float[Tensor, " N"]

    @property
    def poor(self) -> bool:
        """Whether the models do not correspond."""
        there = self.distance[self.distance.isfinite()]
        return len(there) == 0 or bool(there.median() > _FARTHEST)


def transfer_embedding(
    head: MorphableModel,
    model: MorphableModel,
    pins: tuple[LandmarkEmbedding, LandmarkEmbedding],
    *,
    skin: Bool[Tensor, " F"] | None = None,
) -> Transfer:
    """The 478 landmarks of `head` on `model`.

    Args:
        head: with landmarks.
        model: any other.
        pins: the 478 points as seen on `head` and on `model`. Landmarks that do not lie on the
            skin of both, as the irises, are taken from the second of them.
        skin: as in `embed`.

    Raises:
        ModelError: `head` has no 478 landmarks.
    """
    own, (here, seen) = head.landmark_embedding("478"), pins
    skin = skin_faces(model, without=("ears",)) if skin is None else skin
    fixed, fixed_rows = skin_surface(model, model.identity.mean, skin)
    moving, rows = skin_surface(head, head.identity.mean, skin_faces(head, without=("ears",)))
    picks, trust = picks_of(here, head.size, rows)
    fixed_picks, fixed_trust = picks_of(seen, model.size, fixed_rows)
    carry, on_skin = picks_of(replace(own, confidence=torch.ones(len(own))), head.size, rows)
    there = torch.from_numpy(trust * fixed_trust * on_skin > 0)
    moved = bent(moving, fixed, (picks, fixed_picks, trust * fixed_trust)).vertices
    apart = torch.from_numpy(picks @ moved).float() - seen.points(model.identity.mean)
    distance = apart.norm(dim=-1).where(there, torch.inf)
    triangles, weights = _snapped(model, torch.from_numpy(carry @ moved).float(), skin)
    triangles, weights = on_their_lips(
        model,
        torch.where(there[:, None], triangles, seen.triangles),
        torch.where(there[:, None], weights, seen.barycentric),
        skin,
    )
    agreed = own.confidence / (1 + (distance / _TRUSTED) ** 2)
    confidence = torch.where(there, agreed, seen.confidence)
    return Transfer(LandmarkEmbedding(triangles, weights, confidence), distance)


def _snapped(
    model: MorphableModel, points: Float[Tensor, "N 3"], skin: Bool[Tensor, " F"]
) -> tuple[Int[Tensor, "N 3"], Float[Tensor, "N 3"]]:
    faces = model.faces[skin]
    found, weights = closest_on_mesh(points, model.identity.mean, faces, candidates=_CANDIDATES)
    return faces[found], weights


def _carried(
    model: MorphableModel,
    seen: LandmarkEmbedding,
    detector: LandmarkDetector,
    skin: Bool[Tensor, " F"] | None,
) -> LandmarkEmbedding:
    """The open head's landmarks on `model`; what was seen there if the two do not correspond."""
    head = load_model("open-head")
    if "478" not in head.landmarks:
        return seen
    drawn = head if model.reflectance is not None else replace(head, reflectance=None)
    try:
        here = measure_embedding(drawn, detector)[0]
    except LandmarkError:  # it sees no face in the open head, and has seen one in the model
        return seen
    found = transfer_embedding(head, model, (here, seen), skin=skin)
    return seen if found.poor else found.embedding
