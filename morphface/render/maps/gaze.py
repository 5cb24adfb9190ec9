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
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.errors import ModelError, ParameterError
from morphface.models import Eye, MorphableModel
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

    lids, nearest, closed = lid_outlines(scene)
    irises = torch.where(closed[..., None, None], torch.nan, iris_outlines(scene))
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
    out = torch.full((*depth.shape, 3), background)
    rows = torch.nonzero((opening + disc).amax((0, 2)))[:, 0]
    if len(rows):  # only a few rows of the picture have eyes
        some = slice(int(rows[0]), int(rows[-1]) + 1)
        for part, colour in ((opening, style.opening), (disc, style.iris)):
            out[:, some] += part[:, some, :, None] * (torch.tensor(colour) - background)
    return out.clamp_(0, 1).to(lids.device)


def lid_outlines(
    scene: Scene,
) -> tuple[Float[Tensor, "T 2 P 2"], Float[Tensor, "T 2"], Bool[Tensor, "T 2"]]:
    """Outlines of the left and the right eye on the screen, their least depth, which are closed.

    They go around an eye that is seen from the front clockwise. Behind the camera they are NaN.
    """
    up = roma.rotvec_to_rotmat(scene.parameters.rotation)[..., :, 1]
    points = opened(lids_of(scene.model).points(scene.vertices), up)
    lower, upper = (
        scene.camera.project(points.flatten(1, 3)).unflatten(1, points.shape[1:4]).unbind(2)
    )
    ring = torch.cat([lower, upper[:, :, 1:-1].flip(2)], dim=2)
    ring = torch.stack([ring[:, 0], ring[:, 1].flip(1)], dim=1)
    nearest = ring[..., 2].amin(-1)
    behind = (nearest < NEAR)[..., None, None]
    closed = (points[:, :, 0] == points[:, :, 1]).flatten(2).all(-1)
    return torch.where(behind, torch.nan, ring[..., :2]), nearest, closed


def iris_outlines(scene: Scene) -> Float[Tensor, "T 2 P 2"]:
    """Outlines of the left and the right iris on the screen; NaN where it is turned away."""
    model, camera = scene.model, scene.camera
    neutral = model.identity.instance(scene.parameters.identity)[0]
    outlines = []
    for eye in model.eyes or ():
        centre, radius, reach = _iris(model, eye, neutral)
        turn, shift = _motion(neutral[eye.vertices] - centre, scene.vertices[:, eye.vertices])
        circle = torch.cat([_circle(neutral) * radius, reach.expand(SIDES, 1)], dim=-1)
        points = sum(circle[:, k, None] * turn[:, None, :, k] for k in range(3)) + shift[:, None]
        axis, middle = turn[:, :, 2], points.mean(1)
        towards = -middle if camera.weak_depth is None else axis.new_tensor([[0.0, 0.0, 1.0]])
        seen = camera.project(points)
        shown = ((axis * towards).sum(-1) > 0) & (seen[..., 2].amin(-1) >= NEAR)
        outlines.append(torch.where(shown[:, None, None], seen[..., :2], torch.nan))
    return torch.stack(outlines, dim=1)


def _iris(
    model: MorphableModel, eye: Eye, neutral: Float[Tensor, "V 3"]
) -> tuple[Float[Tensor, "3"], Float[Tensor, ""], Float[Tensor, ""]]:
    """Centre of a person's eyeball, radius of the iris, and how far it is from the centre."""
    centre, mean = eye.centre(neutral), model.identity.mean
    usual = (mean[eye.vertices] - eye.centre(mean)).norm(dim=-1).mean()
    size = (neutral[eye.vertices] - centre).norm(dim=-1).mean() / usual
    reach = max(eye.radius**2 - eye.iris_radius**2, 0.0) ** 0.5
    return centre, eye.iris_radius * size, reach * size


def _motion(
    rest: Float[Tensor, "E 3"], posed: Float[Tensor, "T E 3"]
) -> tuple[Float[Tensor, "T 3 3"], Float[Tensor, "T 3"]]:
    """The matrix and the shift that take an eyeball at rest to where it is in each frame."""
    middle, centre = rest.mean(0), posed.mean(1)
    inverse = torch.linalg.pinv(rest - middle)
    turn = torch.stack([(inverse @ (own - at)).mT for own, at in zip(posed, centre, strict=True)])
    return turn, centre - (turn * middle).sum(-1)


def _circle(like: Tensor) -> Float[Tensor, "P 2"]:
    """A polygon that has the area of the unit circle."""
    angle = torch.arange(SIDES).to(like) * (2 * np.pi / SIDES)
    grown = float(np.sqrt(2 * np.pi / SIDES / np.sin(2 * np.pi / SIDES)))
    return torch.stack([angle.cos(), angle.sin()], dim=-1) * grown
