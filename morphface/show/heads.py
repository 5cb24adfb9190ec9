"""Heads as pictures: how parameters look, before a camera that shows the whole head."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.window import DARK
from morphface.render import Renderer, shade_plain
from morphface.render.shade import CLAY
from morphface.show.pictures import Picture, to_picture

__all__ = ["draw_heads", "draw_shapes", "guessed_model"]

_DISTANCE = 7.0
"""Of the camera, in half extents of the head: about that of a portrait."""
_MARGIN = 1.06
_WHITE = (1.0, 1.0, 1.0)


def guessed_model(parameters: FaceParameters) -> MorphableModel | None:
    """The open head, if the parameters have its sizes: they do not tell their model."""
    model = load_model()
    colour = model.reflectance.rank if model.reflectance else 0
    fits = (
        0 < parameters.identity.shape[1] <= model.identity.rank
        and parameters.expression.shape[1] == model.expression.rank
        and parameters.reflectance.shape[1] <= colour
    )
    return model if fits else None


def draw_heads(
    parameters: FaceParameters,
    model: MorphableModel,
    size: int,
    *,
    frames: Sequence[int] | None = None,
) -> list[Picture]:
    """The head in some frames, turned as it is, in the middle of a square picture.

    Args:
        parameters: of the head.
        model: that they belong to.
        size: of the pictures, in pixels.
        frames: which; None takes all.
    """
    chosen = list(range(parameters.frames)) if frames is None else list(frames)
    p = parameters.detach().map(lambda values: values.to(model.identity.mean))
    shapes = model.vertices(p.identity, p.expression[chosen], p.gaze[chosen])
    return draw_shapes(
        model,
        shapes,
        size,
        colours=model.albedo(p.reflectance) if model.reflectance is not None else None,
        rotation=p.rotation[chosen],
        light=p.illumination[chosen],
    )


def draw_shapes(
    model: MorphableModel,
    shapes: Float[Tensor, "B V 3"],
    size: int,
    *,
    colours: Float[Tensor, "#B V 3"] | None = None,
    rotation: Float[Tensor, "#B 3"] | None = None,
    light: Float[Tensor, "#B 9 3"] | None = None,
) -> list[Picture]:
    """Shapes of a model in the middle of square pictures.

    Args:
        model: whose shapes.
        shapes: vertices in the model frame.
        size: of the pictures, in pixels.
        colours: of the vertices; None is grey clay.
        rotation: head to camera; None looks at the camera.
        light: spherical-harmonic coefficients; None, or zero, is a lamp.
    """
    low, high = _plain(model.identity.mean).aminmax(dim=0)
    half = float((high - low).max()) / 2
    turn = torch.zeros(1, 3) if rotation is None else _plain(rotation)
    away = torch.tensor([0.0, 0.0, -_DISTANCE * half])
    placed = to_camera(_plain(shapes) - (low + high) / 2, turn, away.expand(len(turn), 3))
    albedo = torch.tensor(CLAY).expand_as(placed) if colours is None else _plain(colours)
    camera = Camera.facing((size, size), focal=_DISTANCE * size / 2 / _MARGIN)
    renderer = _renderer(model).replace(camera=camera)
    shade = _shade(vertex_normals(placed, renderer.faces), light)
    drawn = renderer(placed, colours=(albedo * shade).clamp(0, 1))
    ground = torch.tensor(DARK) / 255
    return [to_picture(picture) for picture in drawn.over(ground)]


def looking(yaw: float, pitch: float = 0.0) -> Float[Tensor, "1 3"]:
    """The rotation of a head that looks aside, from degrees."""
    return angles_to_rotvec(torch.deg2rad(torch.tensor([[yaw, pitch, 0.0]])))


def _shade(
    normals: Float[Tensor, "B V 3"], light: Float[Tensor, "#B 9 3"] | None
) -> Float[Tensor, "B V 3"]:
    if light is None or not bool(light.any()):
        return shade_plain(normals, _WHITE)
    return irradiance(_plain(light), normals)


@lru_cache(maxsize=4)
def _renderer(model: MorphableModel) -> Renderer:
    return Renderer(model.faces.cpu(), Camera.facing((1, 1)))


def _plain(values: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Where the CPU's kernels want them, and without gradients."""
    return values.detach().cpu().float()
