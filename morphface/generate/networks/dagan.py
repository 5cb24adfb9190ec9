"""DaGAN (Hong et al. 2022): a photo moved by key points, where depth guides what is looked at.

Key points and their Jacobians are those of the mesh, and depth is its depth map, so that no network
has to find them; where there is no mesh depth goes on as a plane. What is learnt is the motion of
hair and background, what is hidden, and how to paint. With a prior the flow of the mesh is one more
candidate of the motion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.attention import DepthAttention
from morphface.generate.networks.behind import doubled_size
from morphface.generate.networks.blocks import for_frames
from morphface.generate.networks.dense_motion import SCALE, DenseMotion, Motion
from morphface.generate.networks.dvp import norm_of
from morphface.generate.networks.hourglass import down_block, same_block, up_block
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.warp import warped
from morphface.generate.reference import Reference

__all__ = ["Dagan", "Seen", "plane_filled"]

_RESIDUALS = 6
_FIRM = 1e-3


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """What is made of a photo once, for all frames.

    Args:
        features: of its colours.
        depth: of its depth; None where that does not ask.
    """

    features: Float[Tensor, "B C h w"]
    depth: Float[Tensor, "B C h w"] | None


class Dagan(nn.Module):
    """From one photo, its depth and the key points of frames to the frames.

    Args:
        config: resolution, width (64 as published), and what asks in the attention; maps are depth
            and mask, the style the points.

    Raises:
        ParameterError: maps or style are others.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        if config.maps != ("depth", "mask") or config.style != ("points",):
            raise ParameterError(
                f"maps must be depth and mask and style points for dagan, got {config.maps} and "
                f"{config.style}"
            )
        self.move = DenseMotion(config)
        self.colours = _encoder(config, 3)
        asks = config.attention
        self.relief = _encoder(config, 2) if asks == "depth" else None
        self.attend = None if asks == "none" else DepthAttention(4 * width)
        self.residuals = nn.ModuleList(_Residual(config, 4 * width) for _ in range(_RESIDUALS))
        self.up = nn.Sequential(
            up_block(config, 4 * width, 2 * width), up_block(config, 2 * width, width)
        )
        self.last = nn.Conv2d(width, 3, 7, 1, 3)

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
        *,
        features: Sequence[Seen] | None = None,
        details: bool = False,
    ) -> Float[Tensor, "B 3 H W"] | Painted:
        """The frames, in [-1, 1].

        Args:
            window: is not looked at; depth is that of the photo.
            references: one photo, with its maps.
            style: key points, as `render.points_between` gives them.
            features: what `encode` made of the photo, if that is at hand.
            details: give what the frame was made of, too, which training needs.

        Raises:
            ParameterError: there is not one photo, or no points.
            ShapeError: an argument has not the numbers or the size of the configuration.
        """
        count, side = len(window), self.config.resolution
        if len(references) != 1:
            raise ParameterError(f"references must be one photo for dagan, got {len(references)}")
        if style is None:
            raise ParameterError(
                f"style must be given, {self.config.style_dim} numbers of key points"
            )
        check_shape("style", style, count, self.config.style_dim)
        check_shape("flow", references[0].flow, count, 2, side, side)
        reference = references[0]
        known = features[0] if features else self.encode(reference)
        photo = reference.photo.float().expand(count, 3, side, side)
        motion = self.move(photo, style, reference)
        found = self._attended(known, motion, count)
        for block in self.residuals:
            found = block(found)
        painted = self.last(self.up(found)).float()
        flow = motion.flow
        for _ in range(SCALE // 2):
            flow = 2 * doubled_size(flow)
        shown = warped(photo, flow)
        if self.config.blend:
            frame = (shown + 2 * painted.tanh()).clamp(-1, 1)
        else:
            frame = 2 * painted.sigmoid() - 1
        return Painted(frame, (shown,), flows=(flow,)) if details else frame

    def _attended(self, known: Seen, motion: Motion, count: int) -> Float[Tensor, "B C h w"]:
        """Features of the photo, moved, with what attention finds."""
        found = warped(for_frames(known.features, count), motion.flow) * motion.occlusion
        if self.attend is None:
            return found
        if known.depth is None:
            return self.attend(found, found)
        return self.attend(warped(for_frames(known.depth, count), motion.flow), found)

    def encode(self, reference: Reference) -> Seen:
        """Features of a photo and of its depth, which serve all frames that are made from it.

        Args:
            reference: the photo; its flow does not matter.
        """
        check_shape("maps", reference.maps, None, 2, None, None)
        like = self.last.weight.dtype
        features = self.colours(reference.photo.to(like))
        if self.relief is None:
            return Seen(features, None)
        whole = plane_filled(reference.maps[:, :1].float(), reference.maps[:, 1:].float())
        depth = torch.cat([whole, reference.maps[:, 1:]], dim=1)
        return Seen(features, self.relief(depth.to(like)))


def plane_filled(
    depth: Float[Tensor, "B 1 H W"], mask: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 1 H W"]:
    """Depth that goes on beyond the surface as the plane that fits it best.

    Args:
        depth: where there is a surface.
        mask: 1 there, 0 elsewhere.
    """
    height, width = depth.shape[-2:]
    y, x = (torch.linspace(-1, 1, n, device=depth.device) for n in (height, width))
    ones = torch.ones(height, width, device=depth.device)
    basis = torch.stack([x.expand(height, width), y[:, None].expand(height, width), ones])
    rows = basis.flatten(1)
    weight = mask.flatten(1)
    square = (rows * weight[:, None]) @ rows.T + _FIRM * torch.eye(3, device=depth.device)
    right = (rows * (weight * depth.flatten(1))[:, None]).sum(-1)
    plane = (torch.linalg.solve(square, right) @ rows).unflatten(1, (1, height, width))
    return mask * depth + (1 - mask) * plane


class _Residual(nn.Module):
    """Norm, rectifier and convolution, twice, beside what comes in."""

    def __init__(self, config: GeneratorConfig, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(
                part
                for _ in range(2)
                for part in (
                    norm_of(config, channels),
                    nn.ReLU(),
                    nn.Conv2d(channels, channels, 3, 1, 1),
                )
            )
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)


def _encoder(config: GeneratorConfig, inputs: int) -> nn.Sequential:
    """Features of a quarter of the size, with four times the width."""
    width = config.width
    return nn.Sequential(
        same_block(config, inputs, width, 7),
        down_block(config, width, 2 * width),
        down_block(config, 2 * width, 4 * width),
    )
