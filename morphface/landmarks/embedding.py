"""Where a detector sees the points of a scheme on any model's surface.

The model's mean is rendered from a grid of views and shown to the detector. Each point is cast
back onto the surface that its pixel shows; over the views, the weighted geometric median of
these places is snapped to the surface. Points that wander from view to view, as those of the
silhouette do, get less confidence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import LandmarkError
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.landmarks import tables
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.lips import on_their_lips
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import mirrored
from morphface.landmarks.views import PITCHES, YAWS, View, views
from morphface.media.images import Photo
from morphface.models import LandmarkEmbedding, MorphableModel
from morphface.models.skin import skin_faces

__all__ = ["check_scheme", "measure_embedding"]

_FEWEST_LOOKS = 10  # two for each view: at its picture and at the mirrored one
_REACH = 12  # pixels from a point to the surface that it belongs to
_TRUSTED = 2.0  # spread in mm at which confidence is a half
_ROUNDS = 30
_IRISES = (*tables.RIGHT_IRIS, *tables.LEFT_IRIS)


def check_scheme(scheme: str) -> None:
    """Refuse a scheme that is neither the detector's nor selected from it.

    Raises:
        LandmarkError: it is not one of these.
    """
    if scheme not in ("478", "68"):
        raise LandmarkError(f"scheme must be 478 or 68 to be embedded, got {scheme!r}")


def measure_embedding(
    model: MorphableModel,
    detector: LandmarkDetector,
    scheme: str = "478",
    *,
    skin: Bool[Tensor, " F"] | None = None,
) -> tuple[LandmarkEmbedding, Float[Tensor, " N"]]:
    """Where the detector sees a scheme's landmarks on pictures of the mean.

    Args:
        model: any model whose mean looks like a face.
        detector: one that gives the 478 points.
        scheme: "478", or "68", which is selected from them.
        skin: the faces that landmarks other than irises may lie on; None leaves out the
            eyeballs and what the model's regions call inner parts.

    Returns:
        The positions, and the median distance of each point from its place over the views, in mm.

    Raises:
        LandmarkError: the scheme is not one of these, or the detector sees no face in most
            renderings of the model.
        ShapeError: `skin` has not one entry for each face.
    """
    check_scheme(scheme)
    skin = skin_faces(model, without=("ears",)) if skin is None else skin
    check_shape("skin", skin, len(model.faces))
    casts = _look(model, detector, skin)
    places, spread = _consensus(casts, model)
    faces, weights = _snapped(places, model, skin)
    triangles, weights = on_their_lips(model, model.faces[faces], weights, skin)
    embedding = LandmarkEmbedding(triangles, weights, 1 / (1 + (spread / _TRUSTED) ** 2))
    if scheme == "68":
        order = torch.tensor(tables.MESH_OF_68)
        embedding, spread = embedding.map(lambda values: values[order]), spread[order]
    return embedding, spread


@dataclass(frozen=True, eq=False)
class _Casts:
    """Landmarks cast onto the surface in S views.

    Args:
        places: in the model frame, NaN where a point met no surface.
        towards: unit directions from there to the camera.
    """

    places: Float[Tensor, "S N 3"]
    towards: Float[Tensor, "S N 3"]


def _eyeballs(model: MorphableModel) -> Bool[Tensor, " V"]:
    ball = torch.zeros(model.size, dtype=torch.bool)
    for eye in model.eyes or ():
        ball[eye.vertices] = True
    return ball


def _surfaces(
    model: MorphableModel, skin: Bool[Tensor, " F"]
) -> list[tuple[Int[Tensor, " n"], Bool[Tensor, " F"]]]:
    """Which landmarks lie on which faces: irises on the eyeballs, the others on the skin."""
    if model.eyes is None:
        return [(torch.arange(478), skin)]
    iris = torch.zeros(478, dtype=torch.bool)
    iris[list(_IRISES)] = True
    ball = _eyeballs(model)[model.faces].all(-1)
    return [(torch.nonzero(~iris)[:, 0], skin), (torch.nonzero(iris)[:, 0], ball)]


def _look(model: MorphableModel, detector: LandmarkDetector, skin: Bool[Tensor, " F"]) -> _Casts:
    places, towards = [], []
    surfaces = _surfaces(model, skin)
    for view in views(model):
        for face in _seen(view.photo, detector):
            place = _cast(view, face, surfaces)
            places.append(place)
            towards.append(view.towards(place))
    if len(places) < _FEWEST_LOOKS:
        raise LandmarkError(
            f"the detector saw a face in {len(places)} of {2 * len(YAWS) * len(PITCHES)} pictures "
            f"of model {model.name!r}; give it a reflectance that looks like skin, and eyes"
        )
    return _Casts(torch.stack(places), torch.stack(towards))


def _seen(photo: Photo, detector: LandmarkDetector) -> Iterator[Landmarks]:
    """The landmarks of one face, and as seen in a mirror: neither side is favoured."""
    flipped = Photo(photo.pixels.flip(1), source=photo.source)
    for picture in (photo, flipped):
        found = [face for face in detector.detect(picture) if face.scheme == "478"]
        if found:
            yield found[0] if picture is photo else mirrored(found[0], float(photo.size[1]))


def _cast(
    view: View,
    face: Landmarks,
    surfaces: list[tuple[Int[Tensor, " n"], Bool[Tensor, " F"]]],
) -> Float[Tensor, "N 3"]:
    """Where the surface is that each landmark shows, or the nearest pixel of it."""
    places = torch.full((len(face.points), 3), torch.nan)
    shown = view.fragments.face[0]
    for which, eligible in surfaces:
        there = eligible[shown.clamp(min=0)] & (shown >= 0)
        places[which] = _nearest(view, face.points[which], there)
    return places


def _nearest(
    view: View, points: Float[Tensor, "n 2"], there: Bool[Tensor, "H W"]
) -> Float[Tensor, "n 3"]:
    height, width = there.shape
    reach = torch.arange(-_REACH, _REACH + 1)
    down, right = (grid.flatten() for grid in torch.meshgrid(reach, reach, indexing="ij"))
    columns = points[:, :1].floor().long() + right
    rows = points[:, 1:].floor().long() + down
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    centres = torch.stack([columns, rows], dim=-1) + 0.5
    distance = (centres - points[:, None]).norm(dim=-1)
    distance[~(inside & there[rows, columns])] = torch.inf
    far, best = distance.min(dim=1)
    spot = torch.arange(len(points)), best
    depth = view.fragments.depth[0][rows[spot], columns[spot]]
    # Within its own pixel a point keeps its exact position.
    exact = torch.where((far < 0.75)[:, None], points, centres[spot])
    places = view.to_model(torch.cat([exact, depth[:, None]], dim=1))
    return torch.where((far <= _REACH)[:, None], places, torch.nan)


def _consensus(
    casts: _Casts, model: MorphableModel
) -> tuple[Float[Tensor, "N 3"], Float[Tensor, " N"]]:
    """The place of each landmark, and the median distance of its views from there."""
    hit = casts.places.isfinite().all(-1)
    lost = torch.nonzero(hit.sum(0) == 0)[:, 0]
    if len(lost):
        raise LandmarkError(
            f"{len(lost)} landmarks met no surface of model {model.name!r} in any view; "
            "check which faces are skin"
        )
    vertices = model.identity.mean
    normals = vertex_normals(vertices, model.faces)
    weights = hit.float()
    places = _median(casts.places, weights)
    for _ in range(3):
        nearest = torch.cdist(places, vertices).argmin(-1)
        frontal = torch.einsum("snc,nc->sn", casts.towards.nan_to_num(), normals[nearest])
        weights = hit * frontal.clamp(min=0.02) ** 2
        places = _median(casts.places, weights)
    distance = (casts.places - places).norm(dim=-1)
    seen = hit & (weights >= 0.25 * weights.amax(0))
    return places, torch.where(seen, distance, torch.nan).nanmedian(dim=0).values


def _median(places: Float[Tensor, "S N 3"], weights: Float[Tensor, "S N"]) -> Float[Tensor, "N 3"]:
    """Weighted geometric median (Weiszfeld)."""
    known = places.nan_to_num()
    share = weights
    for _ in range(_ROUNDS):
        middle = (share[..., None] * known).sum(0) / share.sum(0)[:, None]
        share = weights / (known - middle).norm(dim=-1).clamp(min=1e-3)
    return middle


def _snapped(
    places: Float[Tensor, "N 3"], model: MorphableModel, skin: Bool[Tensor, " F"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, "N 3"]]:
    faces = torch.zeros(len(places), dtype=torch.long)
    weights = torch.zeros(len(places), 3)
    for which, eligible in _surfaces(model, skin):
        allowed = torch.nonzero(eligible)[:, 0]
        found, at = closest_on_mesh(places[which], model.identity.mean, model.faces[allowed])
        faces[which], weights[which] = allowed[found], at
    return faces, weights
