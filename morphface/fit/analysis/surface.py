"""A model laid out for the solver: all that moves a vertex lies together in memory.

It is made once for each model and kept for as long as the model lives. A model that is linear
only around a face keeps which vertices are looked at; its shape is laid out anew for each face.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.kept import once_each
from morphface.core.records import Record
from morphface.models import Eye, MorphableModel
from morphface.render.shadows import blocked_light

__all__ = ["SKIN", "Eyeball", "Surface", "face_weight", "near_landmarks", "surface_of"]

SKIN = (0.69, 0.52, 0.44)  # mean albedo, where nothing better can be borrowed
_REACH = 30.0  # millimetres around landmarks that count as face in a model without regions
_HIDDEN = ("mouth_inner", "mouth", "teeth", "tongue", "lashes")
_PAINTED = ("lips", "eyelids", "brows")
_AROUND = ("eyelids", "brows")
_REACHES = 8.0, 13.0  # millimetres around those: within the first skin is as they are, not beyond
_EYE_WEIGHT = 0.5

_Key = tuple[torch.device, torch.dtype, bool]
_CACHE: "WeakKeyDictionary[MorphableModel, dict[_Key, Surface]]"
_CACHE = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Eyeball(Record):
    """What turns with the gaze.

    Args:
        vertices: of the eyeball.
        centre: of rotation, in the mean face.
        basis: what each shape coefficient adds to it; gaze adds nothing.
    """

    vertices: Int[Tensor, " n"]
    centre: Float[Tensor, "3"]
    basis: Float[Tensor, "3 S"]


@dataclass(frozen=True, eq=False)
class Surface(Record):
    """A linear model of shape and albedo, by vertex: the part of it that the fit looks at.

    Shape columns are identity, expression, then yaw and pitch of the left and of the right eye,
    whose entries are zero at rest.

    Args:
        mean: positions at zero coefficients.
        basis: what each shape coefficient adds to a vertex.
        albedo: at zero coefficients.
        colours: what each reflectance coefficient adds to it.
        faces: vertex indices.
        weight: how far a vertex's colour is that of skin, 0 to 1.
        any_colour: how far it is of eyeballs, whose shine and shade are their own, of lips
            and lids, which people paint, or of brows and what lies between them and lashes.
        blocked: what the mean head hides of the light from itself; see `render.shadows`. Nothing on
            eyeballs, which turn.
        eyes: left and right, or none.
        identity: how many columns are identity.
        place: for each vertex of the model, which one of these it is; -1 where it is left out.
        constant: whether the model is linear, so that the shape is the same for every face.
    """

    mean: Float[Tensor, "V 3"]
    basis: Float[Tensor, "V 3 S"]
    albedo: Float[Tensor, "V 3"]
    colours: Float[Tensor, "V 3 A"]
    faces: Int[Tensor, "F 3"]
    weight: Float[Tensor, " V"]
    any_colour: Float[Tensor, " V"]
    blocked: Float[Tensor, "V 9"]
    eyes: tuple[Eyeball, ...]
    identity: int
    place: Int[Tensor, " M"]
    constant: bool = True

    @property
    def expression(self) -> int:
        """How many columns are expression."""
        return self.basis.shape[2] - self.identity - 4

    @property
    def reflectance(self) -> int:
        """How many reflectance coefficients there are."""
        return self.colours.shape[2]

    @property
    def own_skin(self) -> Float[Tensor, " V"]:
        """The weight of vertices that are not eyeballs'."""
        weight = self.weight.clone()
        for eye in self.eyes:
            weight[eye.vertices] = 0.0
        return weight


def surface_of(
    model: MorphableModel,
    device: torch.device,
    dtype: torch.dtype,
    *,
    linear: MorphableModel | None = None,
    whole: bool = False,
) -> Surface:
    """The layout of `model`, made on the first call.

    Args:
        model: any model.
        device: where to.
        dtype: of the numbers.
        linear: what equals it around a face, where it is not linear; None for itself.
        whole: whether no vertex is left out. Then the weight is that of what may be outlined: the
            face without eyeballs and hair.
    """
    made, key = _CACHE.setdefault(model, {}), (device, dtype, whole)
    with torch.no_grad():
        if key not in made:
            made[key] = _lay_out(model, *key)
        own = made[key]
        if linear is None or linear is model:
            return own
        place = own.place.to(linear.faces.device)
        return replace(own, constant=False, **_shape(linear, place, device, dtype))


def _lay_out(
    model: MorphableModel, device: torch.device, dtype: torch.dtype, whole: bool
) -> Surface:
    weight = _bare(model) if whole else _skin(model)
    kept, place, faces = _part(model, torch.ones_like(weight) if whole else weight)
    albedo, colours = _reflectance(model)

    def moved(values: Tensor) -> Tensor:
        return values.to(device=device, dtype=dtype).contiguous()

    return Surface(
        **_shape(model, place, device, dtype),
        albedo=moved(albedo[kept]),
        colours=moved(colours[:, kept].permute(1, 2, 0)),
        faces=faces.to(device),
        weight=moved(weight[kept]),
        any_colour=moved(_any_colour(model)[kept]),
        blocked=moved(_blocked(model)[kept]),
        identity=model.identity.rank,
        place=place.to(device),
    )


def _any_colour(model: MorphableModel) -> Float[Tensor, " V"]:
    out = torch.zeros(model.size, device=model.faces.device)
    for name in _PAINTED:
        if name in model.regions:
            out = torch.maximum(out, model.regions[name])
    darkest = [model.regions[name] > 0.5 for name in _AROUND if name in model.regions]
    if darkest:
        mean, (near, far) = model.identity.mean, _REACHES
        away = torch.cdist(mean, mean[torch.stack(darkest).any(dim=0)]).amin(dim=1)
        out = torch.maximum(out, ((far - away) / (far - near)).clamp(0, 1))
    for eye in model.eyes or ():
        out[eye.vertices.long()] = 1.0
    return out


@once_each
def _blocked(model: MorphableModel) -> Float[Tensor, "V 9"]:
    """What the mean head hides of the light from itself."""
    light = blocked_light(model.identity.mean.cpu(), model.faces.cpu())
    for eye in model.eyes or ():
        light[eye.vertices.cpu().long()] = 0.0
    return light.to(model.identity.mean)


def _shape(
    model: MorphableModel, place: Tensor, device: torch.device, dtype: torch.dtype
) -> dict[str, Any]:
    """What of a layout says where vertices are: `mean`, `basis` and `eyes`."""

    def moved(values: Tensor) -> Tensor:
        return values.to(device=device, dtype=dtype).contiguous()

    kept = torch.nonzero(place >= 0)[:, 0]
    directions = torch.cat([model.identity.directions, model.expression.directions])[:, kept]
    gaze = directions.new_zeros(4, *directions.shape[1:])
    return {
        "mean": moved(model.identity.mean[kept]),
        "basis": moved(torch.cat([directions, gaze]).permute(1, 2, 0)),
        "eyes": tuple(_eyeball(model, eye, place, moved) for eye in model.eyes or ()),
    }


def _part(model: MorphableModel, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The vertices that are kept, their places, and the faces between them.

    Kept are all faces around vertices that count, so that these have the normals of the whole,
    and what carries landmarks.
    """
    used = torch.zeros(model.size, dtype=torch.bool, device=weight.device)
    used[model.faces[(weight > 0)[model.faces].any(dim=1)].flatten().long()] = True
    for embedding in model.landmarks.values():
        used[embedding.triangles.flatten().long()] = True
    for eye in model.eyes or ():
        used[eye.vertices.long()] = True
    place = torch.where(used, used.long().cumsum(0) - 1, -1)
    inside = used[model.faces].all(dim=1)
    faces = place[model.faces[inside].long()]
    return torch.nonzero(used)[:, 0], place, faces.contiguous()


def _reflectance(model: MorphableModel) -> tuple[Tensor, Tensor]:
    if model.reflectance is not None:
        return model.reflectance.mean, model.reflectance.directions
    mean = model.identity.mean
    return mean.new_tensor(SKIN).expand_as(mean), mean.new_zeros(0, *mean.shape)


def _eyeball(
    model: MorphableModel, eye: Eye, place: Tensor, moved: Callable[[Tensor], Tensor]
) -> Eyeball:
    rank = model.identity.rank + model.expression.rank + 4
    basis = model.identity.mean.new_zeros(3, rank)
    basis[:, : model.identity.rank] = model.identity.directions[:, eye.vertices].mean(dim=1).T
    return Eyeball(
        vertices=place[eye.vertices.long()].to(moved(basis).device),
        centre=moved(eye.centre(model.identity.mean)),
        basis=moved(basis),
    )


def _skin(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex takes part: the face and the eyeballs."""
    weight = face_weight(model)
    if "eyeballs" in model.regions:
        weight = torch.maximum(weight, _EYE_WEIGHT * model.regions["eyeballs"])
    return weight


def face_weight(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex is of the face, without what is behind it."""
    regions = model.regions
    weight = regions["face"].clone() if "face" in regions else near_landmarks(model)
    for name in _HIDDEN:
        if name in regions:
            weight = weight * (1 - regions[name])
    return weight


def _bare(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex is of the face, where no hair grows over it."""
    weight = face_weight(model)
    return weight * (1 - model.regions["scalp"]) if "scalp" in model.regions else weight


def near_landmarks(model: MorphableModel) -> Float[Tensor, " V"]:
    """1 within half the reach of a landmark, falling to 0 at its end; 1 without landmarks."""
    mean = model.identity.mean
    if not model.landmarks:
        return torch.ones(len(mean), device=mean.device)
    embedding = max(model.landmarks.values(), key=len)
    distance = torch.cdist(mean, embedding.points(mean)).amin(dim=1)
    return (2 - distance / (_REACH / 2)).clamp(0, 1)
