"""Photos of a head whose albedo is known, rendered with a known light."""

import torch

from morphface.fit.texture import PhotoOfHead
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.models import load_model
from morphface.render import Renderer
from morphface.render.sight import Sight

SIZE = 512
WALL = torch.tensor([0.1, 0.9, 0.2])
LIGHT = torch.zeros(9, 3)
LIGHT[0] = torch.tensor([0.05, 0.0, -0.05])
LIGHT[2] = 0.3
LIGHT[3] = torch.tensor([0.12, 0.1, 0.08])


def spotted(model=None):
    """An albedo with marks that the model cannot make, the same on both sides."""
    model = model or load_model()
    x, y, _ = model.identity.mean.unbind(-1)
    wave = torch.sin(x.abs() / 9) * torch.cos(y / 11)
    skin = model.regions["skin"]
    change = 1 + 0.15 * (skin * wave)[:, None] * torch.tensor([1.0, 0.8, 0.6])
    return (model.reflectance.mean * change).clamp(0, 1)


def take(albedo, *, yaw=0.0, light=LIGHT, gain=1.0, expression=None, size=360):
    """A photo of the mean head with `albedo`, and what a perfect fit would say of it.

    The fit does not know the marks: its albedo is the mean.
    """
    model = load_model()
    camera = Camera.facing((size, size), focal=2.1 * size)
    weights = torch.zeros(model.expression.rank) if expression is None else expression
    shape = model.vertices(torch.zeros(0), weights)
    rotation = angles_to_rotvec(torch.tensor([yaw, 0.0, 0.0]))
    vertices = to_camera(shape, rotation, torch.tensor([0.0, 0.0, -700.0]))
    drawn = Renderer.of(model, camera)(
        vertices[None], colours=albedo[None], illumination=light[None]
    )
    pixels = (drawn.over(WALL)[0] * torch.as_tensor(gain)).clamp(0, 1)
    sight = Sight(pixels, camera, vertices, model.faces)
    return PhotoOfHead(sight, model.reflectance.mean, light)


def error_of(texture, albedo, where):
    """Absolute errors of the vertices that `where` chooses."""
    return (texture.colours - albedo).abs().mean(-1)[where]
