"""Where a head is bare: not under hair, a hat or a hand."""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csc_matrix, diags
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.fit.fitted import FittedFace
from morphface.geometry.laplacian import graph_laplacian, solved
from morphface.geometry.mesh import edges, vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo

__all__ = ["ALIKE", "bare_skin", "continued"]

ALIKE = 0.45
"""Log difference of colours up to which the photo shows what the fitted skin should look like."""
STIFF = 4.0
"""How strongly a vertex that is seen well keeps what its colour says, in edges."""
GUESS = 0.003
"""The same of the guess that hair covers a head above the eyes, and nothing below them."""
MIRRORED = 0.5
"""What the other side of the head counts for where a side is not seen."""
GROWN = 0.3
"""How strongly, in edges, a scalp that no photo shows is under the hair that someone has."""
SHORT = -35.0, -15.0
"""Heights in the model frame between which hair ends beside ears that are seen, in millimetres."""
_INNER = ("eyeballs", "eye_sockets", "mouth", "teeth", "tongue", "lips", "eyelids", "brows")


def bare_skin(
    face: FittedFace,
    photo: Photo,
    hair: Float[Tensor, " V"] | None = None,
    hairy: float = 0.0,
    beard: Float[Tensor, " V"] | None = None,
    beside: Float[Tensor, " V"] | None = None,
    ears: Float[Tensor, " V"] | None = None,
) -> Float[Tensor, " V"]:
    """How likely each vertex is not covered, 0 to 1.

    Where the photo shows it, its colour tells; what the photo does not show is as the other side
    of the head, and as what is beside it on the mesh; a scalp, as hairy as its owner. Parts that
    differ from skin by nature count as bare.

    Args:
        face: a fitted face.
        photo: that it was fitted to.
        hair: how far the photo shows hair or headwear at each vertex, if that is known.
        hairy: 1 for who has hair or wears something on the head, 0 for who is bald.
        beard: how far hair at each vertex is beard, which is no cover; None is where one may be.
        beside: how far the photo shows hair that stands off each vertex, if that is known.
        ears: how far each vertex is of an ear that is not under hair, if that is known: it is bare
            where nothing is seen on it, and hair beside it ends.
    """
    model, vertices = face.model, face.vertices_in_camera()
    if face.pixels is None:
        return torch.ones(model.size)
    normals = vertex_normals(vertices, model.faces)
    seen = sample_photo(Sight(photo.pixels, face.camera, vertices, model.faces), vertices, normals)
    light = irradiance(face.parameters.illumination[0], normals).clamp(min=0.05)
    expected = face.albedo() * light * face.pixels.gain[0]
    different = (torch.log(seen.colour.clamp(min=0) + 0.05) - torch.log(expected + 0.05)).abs()
    likely = torch.sigmoid((ALIKE - different.mean(-1)) * 12)
    blank = torch.zeros(model.size)
    covered, certain = blank, seen.confidence
    if hair is not None:
        covered = hair
        if beard is None:
            beard = model.regions.get("beard", blank)
        likely = torch.minimum(likely, 1 - hair * (1 - beard))
        # Hair is told from far around a pixel, so that it is also told where it is seen from aside.
        aside = hairy * hair * (1 - beard) * model.regions.get("scalp", blank)
        certain = torch.maximum(certain, seen.visible * aside)
        if beside is not None:
            near = hairy * beside * (1 - beard)
            if ears is not None:
                low = ramp(model.identity.mean[:, 1], *SHORT[::-1])
                near = near * (1 - torch.maximum(ears, low * _beside(model, ears)))
            covered, certain = torch.maximum(covered, near), torch.maximum(certain, near)
            likely = likely * (1 - near)
    own = blank
    for name in _INNER:
        own = torch.maximum(own, model.regions.get(name, own))
    if ears is not None:
        own = torch.maximum(own, ears * (1 - covered))
    likely = torch.maximum(likely, own)
    apart = torch.maximum(model.regions.get("ears", blank), model.regions.get("neck", blank))
    weight = STIFF * (certain * (1 - apart * (1 - covered)) + own) ** 2
    if model.mirror is not None and hair is not None and beard is not None:
        twin = model.mirror.long()
        there = MIRRORED * weight[twin] * (1 - certain)
        other = 1 - (hair * (1 - beard))[twin]  # and not its colour: light comes from one side
        likely = (weight * likely + there * other) / (weight + there).clamp(min=1e-6)
        weight = weight + there
    firm, guess = torch.full_like(weight, GUESS), (model.identity.mean[:, 1] < 0).to(weight)
    grown = GROWN * hairy * model.regions.get("scalp", blank)
    firm, guess = firm + grown, guess * firm / (firm + grown)
    likely = (weight * likely + firm * guess) / (weight + firm)
    return _spread(edges(model.faces).numpy(), likely, weight + firm).clamp(0, 1)


def _beside(model: MorphableModel, ears: Float[Tensor, " V"]) -> Float[Tensor, " V"]:
    """1 on the sides of a head that have such an ear."""
    left = model.identity.mean[:, 0] > 0
    there, other = (float(ears[side].amax() > 0.5) for side in (left, ~left))
    return torch.where(left, there, other)


def continued(
    faces: Int[Tensor, "F 3"], values: Float[Tensor, "V C"], weight: Float[Tensor, " V"]
) -> Float[Tensor, "V C"]:
    """Values where they have weight, continued smoothly over a mesh, to zero far away from them.

    Args:
        faces: of the mesh.
        values: at its vertices.
        weight: how far each is known, 0 to 1.
    """
    strong = STIFF * weight
    firm = torch.full_like(strong, GUESS)
    known = torch.where(weight[:, None] > 0, values, 0.0) * (strong / (strong + firm))[:, None]
    return _spread(edges(faces).numpy(), known, strong + firm)


def _spread(
    pairs: np.ndarray, values: Float[Tensor, "V *C"], weight: Float[Tensor, " V"]
) -> Float[Tensor, "V *C"]:
    """Values where they have weight, continued smoothly over the mesh."""
    data = weight.double().numpy()
    system = csc_matrix(graph_laplacian(pairs, len(values)) + diags(data))
    known = values.double().flatten(1) if values.ndim > 1 else values.double()[:, None]
    found = solved(system, known.numpy() * data[:, None])
    return torch.from_numpy(found).float().reshape(values.shape)
