"""The map of gaze: how far each eye is open, and where it looks (Kim et al. 2018, section 5).

The opening is the outline of the lids on the screen. The iris is a circle on the eyeball, which
turns and is seen in perspective as it is. Both are drawn as areas of pixels, so that movements of a
small part of a pixel show. Where a nearer part of the head hides the eye, or the eye is seen from
behind, there is nothing.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError, ParameterError
from morphface.models import MorphableModel
from morphface.render.backends import NEAR, threads
from morphface.render.maps.lids import lids_of, opened
from morphface.render.maps.scene import Scene

__all__ = ["GAZE_STYLES", "GazeStyle", "check_gaze", "draw_gaze", "iris_outlines", "lid_outlines"]

SIDES = 48  # of the polygon that stands for the iris
HIDDEN = 6.0  # mm in front of the lids: what is nearer hides the eye

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class GazeStyle:
    """How the map of gaze is drawn.

    Args:
        opening: colour of what lies between the lids.
        iris: colour of the disc.
        stroke: 0 fills the opening, else the lids are drawn as a line so many pixels wide at 256
            pixels, and wider in larger pictures.
        clipped: whether the lids cut off the disc.
    """

    opening: Colour = (1.0, 1.0, 1.0)
    iris: Colour = (0.0, 0.0, 1.0)
    stroke: float = 0.0
    clipped: bool = True


GAZE_STYLES = {
    "dvp": GazeStyle(),
    "head2head": GazeStyle(iris=(1.0, 0.0, 0.0), stroke=1.5, clipped=False),
}
"""White opening, blue disc (Kim et al. 2018); white lids, red disc (Koujan et al. 2020)."""


def check_gaze(model: MorphableModel, style: str | GazeStyle) -> GazeStyle:
    """The style, for a model that the map can be drawn of.

    Raises:
        ModelError: the model has no eyeballs, or nothing tells where its lids are.
        ParameterError: the style is unknown.
    """
    if isinstance(style, str) and style not in GAZE_STYLES:
        known = ", ".join(GAZE_STYLES)
        raise ParameterError(f"gaze_style must be one of {known}, or a GazeStyle, got {style!r}")
    if model.eyes is None:
        raise ModelError(
            f"map 'gaze' needs eyeballs, and model {model.name!r} has none; leave the map out, or "
            "convert the parameters to a model that has them"
        )
    lids_of(model)
    return GAZE_STYLES[style] if isinstance(style, str) else style


def draw_gaze(scene: Scene, style: GazeStyle, background: float) -> Float[Tensor, "T H W 3"]:
    """The map of each frame.

    Args:
        scene: of a model that `check_gaze` admits.
        style: colours, and what is filled.
        background: value of all that is not drawn.
    """
    from morphface.render.maps import kernels

    lids, nearest = lid_outlines(scene)
    irises = iris_outlines(scene)
    depth = scene.fragments.depth.cpu().contiguous().numpy()
    opening = torch.zeros(depth.shape)
    disc = torch.zeros(depth.shape)
    outlines = [t.double().cpu().contiguous().numpy() for t in (lids, irises, nearest - HIDDEN)]
    covered = opening.numpy(), disc.numpy()
    tasks = min(len(depth), threads.split())
    threads.run(kernels.cover, tasks, *outlines, depth, style.clipped, *covered)
    if style.stroke:
        width = style.stroke * max(1.0, max(scene.camera.size) / 256)
        threads.run(kernels.stroke, tasks, outlines[0], outlines[2], depth, width, *covered)
    colours = [lids.new_tensor(c).cpu() - background for c in (style.opening, style.iris)]
    out = opening[..., None] * colours[0] + disc[..., None] * colours[1] + background
    return out.to(lids.device)


def lid_outlines(
    scene: Scene,
) -> tuple[Float[Tensor, "T 2 P 2"], Float[Tensor, "T 2"]]:
    """Outlines of the openings of the left and the right eye on the screen, and their least depth.

    They go around an eye that is seen from the front clockwise. Behind the camera they are NaN.
    """
    up = roma.rotvec_to_rotmat(scene.parameters.rotation)[..., :, 1]
    points = opened(lids_of(scene.model).points(scene.vertices), up)
    lower, upper = _projected(scene, points.flatten(1, 3)).unflatten(1, points.shape[1:4]).unbind(2)
    ring = torch.cat([lower, upper[:, :, 1:-1].flip(2)], dim=2)
    ring = torch.stack([ring[:, 0], ring[:, 1].flip(1)], dim=1)
    nearest = ring[..., 2].amin(-1)
    behind = (nearest < NEAR)[..., None, None]
    return torch.where(behind, torch.nan, ring[..., :2]), nearest


def iris_outlines(scene: Scene) -> Float[Tensor, "T 2 P 2"]:
    """Outlines of the left and the right iris on the screen; NaN where it is turned away."""
    neutral = scene.model.identity.instance(scene.parameters.identity)[0]
    angle = torch.arange(SIDES, device=neutral.device) * (2 * np.pi / SIDES)
    # As much larger as gives the polygon the area of the circle.
    grown = float(np.sqrt(2 * np.pi / SIDES / np.sin(2 * np.pi / SIDES)))
    outlines = []
    for eye in scene.model.eyes or ():
        centre = eye.centre(neutral)
        rest = neutral[eye.vertices] - centre
        mean = scene.model.identity.mean
        usual = mean[eye.vertices] - eye.centre(mean)
        size = rest.norm(dim=-1).mean() / usual.norm(dim=-1).mean()
        radius = eye.iris_radius * size
        ahead = ((eye.radius * size) ** 2 - radius**2).clamp(min=0).sqrt()
        flat = torch.stack([angle.cos(), angle.sin()], dim=-1) * radius * grown
        circle = torch.cat([flat, ahead.expand(SIDES, 1)], dim=-1)
        ball = scene.vertices[:, eye.vertices]
        turn, shift = roma.rigid_points_registration(rest.expand_as(ball), ball)
        points = circle @ turn.mT + shift[:, None]
        axis = turn[:, :, 2]
        middle = points.mean(1)
        towards = -middle if scene.camera.weak_depth is None else axis.new_tensor([[0.0, 0, 1]])
        facing = (axis * towards).sum(-1) > 0
        seen = _projected(scene, points)
        shown = (facing & (seen[..., 2].amin(-1) >= NEAR))[:, None, None]
        outlines.append(torch.where(shown, seen[..., :2], torch.nan))
    return torch.stack(outlines, dim=1)


def _projected(scene: Scene, points: Float[Tensor, "T N 3"]) -> Float[Tensor, "T N 3"]:
    return scene.camera.project(points)
