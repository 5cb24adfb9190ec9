"""A photo at several resolutions: cropped to the face, shrunk, and what projects onto it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record

__all__ = ["Lens", "View", "box_around", "crop", "difference", "look_up"]

_SATURATED = 0.995
_MARGIN = 0.15  # of the face's size, around it


@dataclass(frozen=True, eq=False)
class Lens(Record):
    """From the camera frame to the pixels of a view, but for the focal length.

    Args:
        principal: of the camera, in pixels of the photo.
        corner: of the crop in the photo.
        scale: pixels of the view for one of the photo, x and y.
        weak_depth: the one depth of a weak-perspective camera, or None.
    """

    principal: Float[Tensor, "2"]
    corner: Float[Tensor, "2"]
    scale: Float[Tensor, "2"]
    weak_depth: Float[Tensor, ""] | None = None

    def project(
        self, points: Float[Tensor, "*n 3"], focal: Float[Tensor, ""]
    ) -> Float[Tensor, "*n 3"]:
        """Pixels of the view, and depth."""
        depth = -points[..., 2:]
        divisor = depth if self.weak_depth is None else self.weak_depth
        flat = points[..., :2] * torch.stack([focal, -focal]) / divisor
        screen = (flat + self.principal - self.corner) * self.scale
        return torch.cat([screen, depth], dim=-1)

    def slopes(
        self, points: Float[Tensor, "n 3"], focal: Float[Tensor, ""]
    ) -> Float[Tensor, "n 2 3"]:
        """Derivatives of the first two of `project` by the points."""
        depth = -points[:, 2] if self.weak_depth is None else self.weak_depth.expand(len(points))
        out = points.new_zeros(len(points), 2, 3)
        out[:, 0, 0], out[:, 1, 1] = focal / depth, -focal / depth
        if self.weak_depth is None:
            out[:, 0, 2] = focal * points[:, 0] / depth.square()
            out[:, 1, 2] = -focal * points[:, 1] / depth.square()
        return out * self.scale[:, None]

    def stretch(self, points: Float[Tensor, "n 3"], focal: Tensor) -> Float[Tensor, "n 2"]:
        """Derivatives of the first two of `project` by the logarithm of the focal length."""
        return self.project(points, focal)[:, :2] - (self.principal - self.corner) * self.scale


@dataclass(frozen=True, eq=False)
class View(Record):
    """A photo, cropped to the face and shrunk.

    Args:
        image: its pixels.
        gradient: how they change along x and y, by pixel.
        open: 1 where the face is seen, 0 where something hides it.
        lens: from the camera frame to its pixels.
        mix: from colours of the model to those of the photo; None where they are the same.
        hidden: how likely something hides what is at each pixel, known before; None: nothing.
    """

    image: Float[Tensor, "h w 3"]
    gradient: Float[Tensor, "h w 3 2"]
    open: Float[Tensor, "h w"]
    lens: Lens
    mix: Float[Tensor, "3 3"] | None = None
    hidden: Float[Tensor, "h w"] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.image.shape[:2]
        return height, width

    @property
    def matrix(self) -> Float[Tensor, "3 3"]:
        """`mix`, or the identity."""
        return torch.eye(3).to(self.image) if self.mix is None else self.mix

    def mixed(self, colours: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours of the model, as the photo would show them."""
        return colours if self.mix is None else colours @ self.mix.T

    def mix_rows(self, rows: Float[Tensor, "n 3 p"]) -> Float[Tensor, "n 3 p"]:
        """The same for derivatives of colours."""
        return rows if self.mix is None else self.mix @ rows


def box_around(spots: Float[Tensor, "n 2"], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of a photo that holds `spots` and a margin."""
    height, width = size
    low, high = spots.amin(dim=0), spots.amax(dim=0)
    margin = _MARGIN * float((high - low).max())
    left, top = (low - margin).floor().clamp(min=0).int().tolist()
    right, bottom = (high + margin).ceil().int().tolist()
    left, top = min(left, width - 2), min(top, height - 2)
    return left, top, max(left + 2, min(right, width)), max(top + 2, min(bottom, height))


def crop(
    photo: Float[Tensor, "H W 3"],
    lens: Lens,
    box: tuple[int, int, int, int],
    *,
    ratio: float,
    mix: Float[Tensor, "3 3"] | None,
) -> View:
    """A part of a photo, shrunk by `ratio`; nothing hides its face.

    Args:
        photo: all of it.
        lens: to its pixels.
        box: left, top, right and bottom of the part.
        ratio: pixels of the view for one of the photo; at most 1 is made.
        mix: see `View`.
    """
    left, top, right, bottom = box
    part = photo[top:bottom, left:right]
    size = [max(2, round(side * min(ratio, 1.0))) for side in part.shape[:2]]
    scale = [size[1] / part.shape[1], size[0] / part.shape[0]]
    if scale != [1.0, 1.0]:
        shrunk = torch.nn.functional.interpolate(
            part.permute(2, 0, 1)[None], size, mode="bilinear", antialias=True, align_corners=False
        )
        part = shrunk[0].permute(1, 2, 0)
    part = part.contiguous()
    corner, stretch = lens.corner.new_tensor([left, top]), lens.scale.new_tensor(scale)
    placed = Lens(lens.principal, corner, stretch, lens.weak_depth)
    return View(part, _gradient(part), torch.ones_like(part[..., 0]), placed, mix)


def difference(model: Float[Tensor, "*n 3"], photo: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Model minus photo. Where a channel of the photo is saturated, a brighter model is right."""
    residual = model - photo
    return torch.where((photo >= _SATURATED) & (residual > 0), 0.0, residual)


def _gradient(image: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w 3 2"]:
    """Central differences."""
    rows, columns = torch.gradient(image, dim=(0, 1))
    return torch.stack([columns, rows], dim=-1)


def look_up(image: Float[Tensor, "h w c"], spots: Float[Tensor, "n 2"]) -> Float[Tensor, "n c"]:
    """Colours of an image between its pixels, bilinear; its border goes on outside."""
    height, width = image.shape[:2]
    limits = spots.new_tensor([width - 1.0, height - 1.0])
    inside = (spots - 0.5).clamp(min=0).minimum(limits)
    corner = inside.floor().minimum(limits - 1).long()
    share = inside - corner
    flat, start = image.flatten(0, 1), corner[:, 1] * width + corner[:, 0]
    x, y = share[:, :1], share[:, 1:]
    upper = torch.lerp(flat[start], flat[start + 1], x)
    lower = torch.lerp(flat[start + width], flat[start + width + 1], x)
    return torch.lerp(upper, lower, y)
