"""The picture that shows a fit: photo, overlay and mesh side by side."""

import math
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.pipelines.photo import FittedFace
from morphface.render import render_mesh

__all__ = ["draw_overlay"]

PANEL = 640
"""Side of each of the three panels in pixels."""
STRIP = 34
MARGIN = 1.9
"""Side of what is shown, in sizes of the face."""
OPACITY = 0.65
_FINE = 2
_DETECTED = (70, 230, 120, 255)
_RESIDUAL = (255, 70, 70, 255)
_DARK = (24, 26, 30)
_LIGHT = (225, 228, 232)


def draw_overlay(face: FittedFace, photo: Photo) -> Float[Tensor, "H W 3"]:
    """Photo, overlay with landmarks, and mesh alone, side by side, with a caption.

    A dot is a landmark as detected; the line from it leads to where the fitted head has it.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
    """
    corner, side = _view(face)
    scale = PANEL / side
    photo_panel = _crop(photo, corner, side)
    mesh = render_mesh(
        face.vertices_in_camera()[None], face.model.faces, _zoomed(face.camera, corner, scale)
    )[0]
    colour, alpha = mesh[..., :3], mesh[..., 3:]
    overlay = torch.lerp(photo_panel, colour, OPACITY * alpha)
    alone = torch.lerp(torch.tensor(_DARK) / 255.0, colour, alpha)
    panels = [photo_panel, _with_landmarks(overlay, face, corner, scale), alone]
    return torch.cat([torch.cat(panels, dim=1), _caption(face)], dim=0)


def _view(face: FittedFace) -> tuple[tuple[float, float], float]:
    """Upper left corner and side of the square that is shown, in pixels of the photo."""
    left, top, right, bottom = face.fit.landmarks.box
    side = MARGIN * max(right - left, bottom - top, 1.0)
    return ((left + right - side) / 2, (top + bottom - side) / 2 - 0.04 * side), side


def _zoomed(camera: Camera, corner: tuple[float, float], scale: float) -> Camera:
    """The camera of the enlarged crop."""
    principal = (camera.principal - torch.tensor(corner)) * scale
    return replace(camera, focal=camera.focal * scale, principal=principal, size=(PANEL, PANEL))


def _crop(photo: Photo, corner: tuple[float, float], side: float) -> Float[Tensor, "S S 3"]:
    left, top = corner
    image = Image.fromarray(photo.to_uint8().numpy())
    box = (math.floor(left), math.floor(top), math.ceil(left + side), math.ceil(top + side))
    canvas = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), _DARK)
    canvas.paste(image, (-box[0], -box[1]))
    inner = (left - box[0], top - box[1], left - box[0] + side, top - box[1] + side)
    return _tensor(canvas.resize((PANEL, PANEL), Image.Resampling.LANCZOS, box=inner))


def _with_landmarks(
    panel: Float[Tensor, "S S 3"], face: FittedFace, corner: tuple[float, float], scale: float
) -> Float[Tensor, "S S 3"]:
    """Draws at a multiple of the size, so that lines are smooth."""
    layer = Image.new("RGBA", (PANEL * _FINE, PANEL * _FINE))
    pen = ImageDraw.Draw(layer)
    shift, zoom = torch.tensor(corner), scale * _FINE
    present = face.fit.landmarks.confidence > 0
    found = (face.fit.landmarks.points[present] - shift) * zoom
    fitted = (face.fit.predicted[present] - shift) * zoom
    for (x, y), (to_x, to_y) in zip(found.tolist(), fitted.tolist(), strict=True):
        pen.line((x, y, to_x, to_y), fill=_RESIDUAL, width=_FINE)
        pen.ellipse((x - 1.6, y - 1.6, x + 1.6, y + 1.6), fill=_DETECTED)
    small = layer.resize((PANEL, PANEL), Image.Resampling.BOX)
    values = torch.from_numpy(np.array(small)).float() / 255
    return torch.lerp(panel, values[..., :3], values[..., 3:])


def _caption(face: FittedFace) -> Float[Tensor, "s W 3"]:
    pose = "   ".join(
        f"{name} {value:+.1f}\N{DEGREE SIGN}" for name, value in face.pose_degrees.items()
    )
    verdict = "converged" if face.fit.converged else f"not converged: {face.fit.reason}"
    error = f"landmark error {100 * face.fit.landmark_nme:.2f} % of the eye distance"
    text = f"{error}   {pose}   {verdict}"
    strip = Image.new("RGB", (3 * PANEL, STRIP), _DARK)
    pen = ImageDraw.Draw(strip)
    pen.text((12, STRIP / 2), text, fill=_LIGHT, font=ImageFont.load_default(17), anchor="lm")
    return _tensor(strip)


def _tensor(image: Image.Image) -> Float[Tensor, "H W 3"]:
    return torch.from_numpy(np.array(image)).float() / 255
