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
from morphface.render.unwrap import Unwrapped, sample_photo
from morphface.rerender.ears import beside_bare_ears

__all__ = ["ALIKE", "bare_skin", "continued", "feature"]

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
FEATURES = ("lips", "brows", "eyelids", "eyeballs", "eye_sockets", "mouth", "teeth", "tongue")


def bare_skin(
    face: FittedFace,
    photo: Photo,
    hair: Float[Tensor, " V"] | None = None,
    hairy: float = 0.0,
    beard: Float[Tensor, " V"] | None = None,
    *,
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
    model = face.model
    if face.pixels is None:
        return torch.ones(model.size)
    likely, seen = _alike(face, photo, face.pixels.gain[0])
    blank = torch.zeros(model.size)
    beard = model.regions.get("beard", blank) if beard is None else beard
    covered, near = blank if hair is None else hair, blank
    head = covered * (1 - beard)
    if beside is not None:
        near = hairy * beside * (1 - beard) * _above(model, ears)
    # Hair is told from far around a pixel, so that it is also told where it is seen from aside.
    aside = seen.visible * hairy * head * model.regions.get("scalp", blank)
    certain = torch.stack([seen.confidence, aside, near]).amax(0)
    covered = torch.maximum(covered, near)
    own = feature(model)
    if ears is not None:
        own = torch.maximum(own, ears * (1 - covered))
    likely = torch.maximum(torch.minimum(likely, 1 - head) * (1 - near), own)
    apart = torch.maximum(model.regions.get("ears", blank), model.regions.get("neck", blank))
    weight = STIFF * (certain * (1 - apart * (1 - covered)) + own) ** 2
    if model.mirror is not None and hair is not None:
        twin = model.mirror.long()  # and not its colour: light comes from one side
        there = MIRRORED * weight[twin] * (1 - certain)
        likely = (weight * likely + there * (1 - head[twin])) / (weight + there).clamp(min=1e-6)
        weight = weight + there
    return _guessed(model, likely, weight, hairy)


def _alike(
    face: FittedFace, photo: Photo, gain: Float[Tensor, "3"]
) -> tuple[Float[Tensor, " V"], Unwrapped]:
    """How far the photo shows what the fitted skin should look like, and what it shows."""
    vertices, faces = face.vertices_in_camera(), face.model.faces
    normals = vertex_normals(vertices, faces)
    seen = sample_photo(Sight(photo.pixels, face.camera, vertices, faces), vertices, normals)
    light = irradiance(face.parameters.illumination[0], normals).clamp(min=0.05)
    expected = face.albedo() * light * gain
    different = (torch.log(seen.colour.clamp(min=0) + 0.05) - torch.log(expected + 0.05)).abs()
    return torch.sigmoid((ALIKE - different.mean(-1)) * 12), seen


def feature(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex is of a part that differs from skin by nature: lips, brows, lids, eyes.

    Args:
        model: of a head.
    """
    blank = torch.zeros(model.size)
    return torch.stack([model.regions.get(name, blank) for name in FEATURES]).amax(0)


def _guessed(
    model: MorphableModel, likely: Float[Tensor, " V"], weight: Float[Tensor, " V"], hairy: float
) -> Float[Tensor, " V"]:
    """What is known, spread over the mesh, and guessed far away from that."""
    firm, guess = torch.full_like(weight, GUESS), (model.identity.mean[:, 1] < 0).to(weight)
    grown = GROWN * hairy * model.regions.get("scalp", torch.zeros(model.size))
    firm, guess = firm + grown, guess * firm / (firm + grown)
    likely = (weight * likely + firm * guess) / (weight + firm)
    return _spread(edges(model.faces).numpy(), likely, weight + firm).clamp(0, 1)


def _above(model: MorphableModel, ears: Float[Tensor, " V"] | None) -> Float[Tensor, " V"]:
    """Where there may be hair beside a head: above ears, on sides where these are not under it."""
    if ears is None:
        return torch.ones(model.size)
    low = ramp(model.identity.mean[:, 1], *SHORT[::-1]) * beside_bare_ears(model, ears)
    return 1 - torch.maximum(ears, low)


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
