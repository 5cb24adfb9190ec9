"""The part of a frame that holds a face, as coarse as it is compared."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.lens import Lens, View
from morphface.media.images import Photo

__all__ = ["image_of", "view_of"]


def view_of(
    photo: Photo,
    principal: Float[Tensor, "2"],
    box: tuple[int, int, int, int],
    step: int,
) -> View:
    """A part of a frame, of which squares of `step` pixels become one.

    Squares lie on one grid whatever the box, so that nothing that moves depends on it.
    """
    left, top, right, bottom = box
    left, top = left - left % step, top - top % step
    part = photo.to_uint8()[top:bottom, left:right].float() / 255
    if step > 1:
        planes = torch.nn.functional.avg_pool2d(part.permute(2, 0, 1)[None], step)
        part = planes[0].permute(1, 2, 0).contiguous()
    rows, columns = torch.gradient(part, dim=(0, 1))
    corner = torch.tensor([float(left), float(top)])
    lens = Lens(principal, corner, torch.full((2,), 1 / step))
    gradient = torch.stack([columns, rows], dim=-1)
    return View(part, gradient, torch.ones_like(part[..., 0]), lens)


def image_of(view: View) -> Float[np.ndarray, "h w 9"]:
    """Colours of a view and their slopes, side by side, as the kernels want them."""
    parts = [view.image, view.gradient[..., 0], view.gradient[..., 1]]
    return torch.cat(parts, dim=2).contiguous().numpy()
