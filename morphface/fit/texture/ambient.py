"""How much of the surrounding light reaches the eyeballs and the inside of the mouth.

Harmonic light knows no shadows: without this, an opened mouth glows like a lamp and the white of
an eye is as bright at the lids as in the middle. The part of the sky that each vertex sees of a
head with an open mouth is counted once for a model and baked into the albedo of these parts, and
of no other: skin has its shades from photos.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.kept import once_each
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.models import MorphableModel
from morphface.render.shadows import reached, spread_directions

__all__ = ["ambient", "inner_parts"]

LEAST = {
    "eye_sockets": 0.3,
    "eyeballs": 0.4,
    "mouth": 0.07,
    "teeth": 0.45,
    "gums": 0.35,
    "tongue": 0.15,
}
"""Light that is left in the deepest corner of each part: it bounces, and lips and lids move."""
BEHIND = 0.06
"""The same of teeth and gums from behind, which only a dark mouth lights."""
OUTWARD = 0.5
"""Cosine between a normal and the way out of the arch of teeth from which it is their front."""
_ARCH = "teeth", "gums"
OPEN = {"jawOpen": 0.7}
ENCODING = 1 / 2.2
"""From an amount of light to what it multiplies picture values by."""
_DIRECTIONS = 32


def inner_parts(model: MorphableModel) -> Float[Tensor, " V"]:
    """Which vertices are not skin but of eyeballs, their sockets, or the mouth's inside."""
    inner = torch.zeros(model.size)
    for name in LEAST:
        if name in model.regions:
            inner = torch.maximum(inner, model.regions[name])
    for eye in model.eyes or ():
        inner[eye.vertices.long()] = 1.0
    return inner


@once_each
@torch.no_grad()
def ambient(model: MorphableModel) -> Float[Tensor, " V"]:
    """What to multiply the albedo of a vertex by, at most 1; 1 on the skin."""
    if model.faces.device.type != "cpu":
        return ambient(model.to("cpu")).to(model.faces.device)
    inner = inner_parts(model)
    if not bool(inner.any()):
        return torch.ones(model.size)
    names = model.expression.names
    weights = torch.tensor([OPEN.get(name, 0.0) for name in names])
    shape = model.vertices(torch.zeros(0), weights)
    least = torch.zeros(model.size)
    for name, value in LEAST.items():
        least = torch.maximum(least, value * model.regions.get(name, torch.zeros(model.size)))
    least = least.where(_outward(model, shape), least.clamp(max=BEHIND))
    light = least + (1 - least) * _sky(shape, model.faces).clamp(0, 1)
    return 1 - inner * (1 - light**ENCODING)


def _outward(model: MorphableModel, shape: Float[Tensor, "V 3"]) -> Bool[Tensor, " V"]:
    """All but what the arch of teeth turns to the tongue and the throat."""
    arch = torch.zeros(model.size, dtype=torch.bool)
    for name in _ARCH:
        arch |= model.regions.get(name, torch.zeros(model.size)) > 0.5
    away = shape * shape.new_tensor([1.0, 0.0, 1.0])
    away[:, 2] -= shape[arch, 2].amin() if bool(arch.any()) else 0.0
    return ~arch | ((vertex_normals(shape, model.faces) * normalized(away)).sum(-1) > OUTWARD)


def _sky(vertices: Float[Tensor, "V 3"], faces: Tensor) -> Float[Tensor, " V"]:
    """Share of the light from the front half of a uniform sky that reaches each vertex."""
    normals = vertex_normals(vertices, faces)
    arrived, all_of = torch.zeros(len(vertices)), torch.zeros(len(vertices))
    for direction in spread_directions(_DIRECTIONS, 2 * math.pi):
        falls = (normals @ direction).clamp(min=0)
        arrived += falls * reached(vertices, faces, direction)
        all_of += falls
    return arrived / all_of.clamp(min=1e-3)
