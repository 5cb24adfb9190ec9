"""Colours of a surface from a picture that is wrapped around it, at any size on the screen.

Texture coordinates: (0, 0) is the lower left corner of the texture and (1, 1) the upper right;
rows of a texture go from top to bottom, as in any picture, so texel (row i, column j) of H x W
has its centre at u = (j + 0.5) / W, v = 1 - (i + 0.5) / H.

A texture seen from afar is looked up in a smaller copy of it, whose texels are about as large as
the pixels (Williams 1983): `Texture` holds the copies, and `screen_derivatives` says how fast
the coordinates change from pixel to pixel.
"""

from dataclasses import dataclass
from importlib import import_module

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.render.backends import texture_torch

__all__ = ["BORDERS", "Texture", "sample_texture"]

BORDERS = ("clamp", "wrap")
"""What lies beyond a texture: its outermost texels, or the texture again."""


@dataclass(frozen=True, eq=False)
class Texture(Record):
    """A picture and its halvings, each texel the mean of those of the level above it.

    Args:
        texels: of all levels, the finest first, each in the order of a picture.
        size: height and width of the finest level.
    """

    texels: Float[Tensor, "B N C"]
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Float[Tensor, "B H W C"], levels: int | None = None) -> "Texture":
        """The texture whose finest level is `image`, with gradients to it.

        Each level is half as large as the one before, rounded down, and has the same mean.

        Args:
            image: rows from top to bottom.
            levels: how many there are; None goes on until a single texel is left.

        Raises:
            ShapeError: `image` lacks the axes above, or has none of one.
            ParameterError: `levels` is less than 1.
        """
        if image.ndim != 4 or not image.numel():
            raise ShapeError(f"image must have 4 axes, none empty, got {tuple(image.shape)}")
        if levels is not None and levels < 1:
            raise ParameterError(f"levels must be at least 1, got {levels}")
        chain = [image]
        while max(chain[-1].shape[1:3]) > 1 and len(chain) != levels:
            chain.append(_halved(_halved(chain[-1], 1), 2))
        flat = [level.flatten(1, 2) for level in chain]
        size = (image.shape[1], image.shape[2])
        return cls(flat[0] if len(flat) == 1 else torch.cat(flat, dim=1), size)

    def level(self, index: int) -> Float[Tensor, "B h w C"]:
        """The picture at level `index`, 0 the finest."""
        first, height, width = _layout(self)[index]
        return self.texels[:, first : first + height * width].unflatten(1, (height, width))


def sample_texture(
    texture: Float[Tensor, "#B S T C"] | Texture,
    uv: Float[Tensor, "B H W 2"],
    *,
    derivatives: Float[Tensor, "B H W 2 2"] | None = None,
    mask: Bool[Tensor, "B H W"] | None = None,
    border: str = "clamp",
) -> Float[Tensor, "B H W C"]:
    """Colours at texture coordinates: bilinear, and between two levels if `derivatives` are given.

    Differentiable in `texture` and `uv`; the choice of level has no gradient.

    Args:
        texture: a picture, rows from top to bottom, or the `Texture` of one, which holds its
            levels; a batch of one serves every image.
        uv: where to look; (0, 0) is the lower left corner.
        derivatives: of u and v (last axis but one) along x and y of the screen (last axis), as
            `screen_derivatives` returns them. A picture's levels are then built at each call.
        mask: which pixels to look up; the others are zero. None means all.
        border: "clamp" continues the outermost texels, "wrap" repeats the texture.

    Raises:
        ShapeError: an argument lacks the axes above, or the batches differ.
        ParameterError: `border` is unknown.
    """
    check_shape("uv", uv, None, None, None, 2)
    if border not in BORDERS:
        raise ParameterError(f"border must be one of {BORDERS}, got {border!r}")
    if isinstance(texture, Tensor):
        texture = Texture.of(texture, None if derivatives is not None else 1)
    if len(texture.texels) not in (1, len(uv)):
        raise ShapeError(
            f"texture must have a batch of 1 or {len(uv)} like uv, got {len(texture.texels)}"
        )
    level = None
    if derivatives is not None:
        check_shape("derivatives", derivatives, *uv.shape[:3], 2, 2)
        level = _level(derivatives.detach(), texture.size)
    if mask is None:
        spots = torch.arange(uv[..., 0].numel(), device=uv.device)
    else:
        check_shape("mask", mask, *uv.shape[:3])
        spots = torch.nonzero(mask.flatten())[:, 0]
    lookup = texture_torch.Lookup(spots, level, _layout(texture), border == "wrap")
    if not _compiles(uv):
        return texture_torch.look_up(texture.texels, uv, lookup)
    compiled = import_module("morphface.render.backends.texture_cpu")  # on first use: it is heavy
    return compiled.look_up(texture.texels, uv, lookup)


def _compiles(uv: Tensor) -> bool:
    """Whether there are kernels for tensors like `uv`."""
    return uv.device.type == "cpu" and uv.dtype in (torch.float32, torch.float64)


def _halved(image: Tensor, axis: int) -> Tensor:
    """Half as long along `axis`, rounded down; each value the mean of what it covers."""
    size = image.shape[axis]
    half = size // 2
    if half == 0:
        return image
    first, second = image.narrow(axis, 0, 2 * half).unflatten(axis, (half, 2)).unbind(axis + 1)
    if size == 2 * half:
        return (first + second) / 2
    # A texel of an odd length covers one whole texel and a part of each neighbour.
    third = image.index_select(axis, torch.arange(2, size, 2, device=image.device))
    share = torch.arange(half, dtype=image.dtype, device=image.device)
    share = share.reshape(-1, *[1] * (image.ndim - 1 - axis))
    return ((half - share) * first + half * second + (share + 1) * third) / size


def _layout(texture: Texture) -> list[tuple[int, int, int]]:
    """Where each level begins in the texels, and its size."""
    first, (height, width) = 0, texture.size
    levels = []
    while first < texture.texels.shape[1]:
        levels.append((first, height, width))
        first += height * width
        height, width = max(height // 2, 1), max(width // 2, 1)
    return levels


def _level(
    derivatives: Float[Tensor, "B H W 2 2"], size: tuple[int, int]
) -> Float[Tensor, "B H W"]:
    """Whose texels are as long as a pixel is along the axis where more texels pass by."""
    height, width = size
    u, v = derivatives.unbind(-2)
    square = ((u * width).square() + (v * height).square()).amax(-1)
    return torch.nan_to_num(square.log2() / 2, nan=0.0, posinf=64.0, neginf=0.0)
