"""Which part of a model's surface is the outside of a face."""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.morphable import MorphableModel

__all__ = ["face_vertices", "mesh_parts", "outer_faces", "skin_faces"]

_NOT_SKIN = (
    "eye_sockets",
    "eyeballs",
    "iris",
    "lashes",
    "mouth",
    "sclera",
    "teeth",
    "tongue",
)


def skin_faces(model: MorphableModel, *, without: tuple[str, ...] = ()) -> Bool[Tensor, " F"]:
    """Faces that are neither of an eyeball nor of an inner part, as the model's regions tell.

    A margin of lid or lip has a vertex on the skin, so its faces count.

    Args:
        model: whose faces these are.
        without: further regions to leave out.
    """
    inner = torch.zeros(model.size, dtype=torch.bool)
    for eye in model.eyes or ():
        inner[eye.vertices] = True
    for name in (*_NOT_SKIN, *without):
        if name in model.regions:
            inner = inner | (model.regions[name] > 0.5)
    return ~inner[model.faces].all(-1)


def outer_faces(model: MorphableModel) -> Int[Tensor, "F 3"]:
    """Faces of skin and eyeballs: what encloses a head, whose mouth is closed.

    Args:
        model: whose faces these are.
    """
    outer = skin_faces(model)
    for eye in model.eyes or ():
        ball = torch.zeros(model.size, dtype=torch.bool)
        ball[eye.vertices] = True
        outer = outer | ball[model.faces].all(-1)
    return model.faces[outer]


def mesh_parts(model: MorphableModel) -> dict[str, Int[Tensor, " n"]]:
    """The faces of skin, eyes, teeth (with their gums) and tongue; none if all of it is skin.

    Args:
        model: whose regions and eyeballs tell.
    """
    inner = {
        name: torch.zeros(model.size, dtype=torch.bool) for name in ("eyes", "teeth", "tongue")
    }
    for eye in model.eyes or ():
        inner["eyes"][eye.vertices] = True
    for part, names in (("teeth", ("teeth", "gums")), ("tongue", ("tongue",))):
        for name in names:
            if name in model.regions:
                inner[part] |= model.regions[name] > 0.5
    faces = {name: mask[model.faces].all(-1) for name, mask in inner.items()}
    skin = ~torch.stack(list(faces.values())).any(0)
    found = {"skin": skin} | faces
    parts = {name: torch.nonzero(which)[:, 0] for name, which in found.items() if which.any()}
    return {} if list(parts) == ["skin"] else parts


def face_vertices(model: MorphableModel, scheme: str) -> Bool[Tensor, " V"]:
    """Vertices of the skin that lie, seen from the front, within a scheme's landmarks.

    Args:
        model: whose landmarks these are.
        scheme: of the landmarks.

    Raises:
        ModelError: the model has no such landmarks, or they have no extent.
    """
    from scipy.spatial import ConvexHull, QhullError

    mean = model.identity.mean
    points = model.landmark_embedding(scheme).points(mean)
    try:
        hull = ConvexHull(points[:, :2].double().numpy())
    except (QhullError, ValueError) as error:
        raise ModelError(
            f"landmarks {scheme!r} of model {model.name!r} have no extent: they enclose no face"
        ) from error
    flat = mean[:, :2].double().numpy()
    inside = (flat @ hull.equations[:, :2].T + hull.equations[:, 2] <= 0).all(1)
    behind = mean[:, 2].numpy() < float(points[:, 2].min())
    on_skin = np.zeros(model.size, bool)
    on_skin[model.faces[skin_faces(model)].unique().numpy()] = True
    return torch.from_numpy(inside & on_skin & ~behind)
