"""Which pixels are compared: photos at several resolutions, and points drawn over the face."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.shading import Head
from morphface.fit.analysis.state import Look
from morphface.fit.analysis.surface import Surface
from morphface.render import Fragments, rasterize

__all__ = ["Lens", "Samples", "View", "box_around", "crop", "draw", "look_up", "see", "seen_weight"]

_MARGIN = 0.15  # of the face's size, around it
_FACING = (0.15, 0.4)  # cosine of the angle of view: below nothing counts, above all does


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
    """

    image: Float[Tensor, "h w 3"]
    gradient: Float[Tensor, "h w 3 2"]
    open: Float[Tensor, "h w"]
    lens: Lens
    mix: Float[Tensor, "3 3"] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.image.shape[:2]
        return height, width

    def mixed(self, colours: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours of the model, as the photo would show them."""
        return colours if self.mix is None else colours @ self.mix.T


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


@dataclass(frozen=True, eq=False)
class Samples(Record):
    """Points of the surface that are seen at pixel centres.

    Args:
        corners: the vertices around each.
        weights: their barycentric weights, correct in perspective.
        pixel: index of the pixel in its view, row by row.
        trust: how much each counts.
    """

    corners: Int[Tensor, "n 3"]
    weights: Float[Tensor, "n 3"]
    pixel: Int[Tensor, " n"]
    trust: Float[Tensor, " n"]

    def blend(self, values: Float[Tensor, "V c"]) -> Float[Tensor, "n c"]:
        """Values at the points."""
        return torch.einsum("nk,nkc->nc", self.weights, values[self.corners])


def see(surface: Surface, head: Head, look: Look, view: View) -> Fragments:
    """What of the head is seen at the view's pixels."""
    screen = view.lens.project(head.points, look.focal)
    perspective = view.lens.weak_depth is None
    return rasterize(screen[None], surface.faces, view.size, perspective=perspective)


def seen_weight(surface: Surface, head: Head) -> Float[Tensor, " V"]:
    """How much each vertex counts: skin, and turned to the viewer."""
    sight = torch.nn.functional.normalize(head.points, dim=-1)
    facing = -(head.normals * sight).sum(dim=-1)
    low, high = _FACING
    return surface.weight * ((facing - low) / (high - low)).clamp(0, 1)


def draw(
    surface: Surface, head: Head, look: Look, view: View, *, count: int, phase: float
) -> Samples:
    """About `count` points, spread evenly over what is seen of the face.

    Every pixel's trust lies on a line, row by row, and points are taken from it at equal steps:
    each stratum of the face gets its share.

    Args:
        surface: the model.
        head: as it stands.
        look: of this photo.
        view: the photo.
        count: how many points.
        phase: where the first lies within its step, 0 to 1.
    """
    found = see(surface, head, look, view)
    index = torch.nonzero(found.mask[0].flatten())[:, 0]
    corners = surface.faces[found.face[0].flatten()[index]]
    weights = found.barycentric[0].reshape(-1, 3)[index].to(surface.mean.dtype)
    everything = Samples(corners, weights, index, torch.ones_like(weights[:, 0]))
    trust = everything.blend(seen_weight(surface, head)[:, None])[:, 0]
    trust = trust * view.open.flatten()[index]
    chosen = _systematic(trust, count, phase)
    picked = Samples(corners[chosen], weights[chosen], index[chosen], trust[chosen])
    if len(chosen) and float(trust.sum()) > count:
        return Samples(picked.corners, picked.weights, picked.pixel, torch.ones_like(picked.trust))
    return picked


def _systematic(trust: Float[Tensor, " n"], count: int, phase: float) -> Int[Tensor, " m"]:
    """Systematic sampling with probability in proportion to `trust`; all where they are few."""
    along = trust.double().cumsum(dim=0)
    whole = float(along[-1]) if len(along) else 0.0
    if whole <= count:
        return torch.nonzero(trust > 0)[:, 0]
    steps = torch.arange(count, device=trust.device, dtype=along.dtype)
    return torch.searchsorted(along, (steps + phase) * (whole / count)).clamp(max=len(trust) - 1)
