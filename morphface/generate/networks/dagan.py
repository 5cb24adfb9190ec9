"""DaGAN (Hong et al. 2022): a photo moved by key points, where depth guides what is looked at.

Key points and their Jacobians are those of the mesh, and depth is its depth map, so that no network
has to find them; where there is no mesh depth goes on as a plane. What is learnt is the motion of
hair and background, what is hidden, and how to paint. With a prior the flow of the mesh is one more
candidate of the motion. As published, both may be learnt: key points by a detector that is trained
with the rest, depth by a network that was trained before (`FaceDepth`) and stays as it is. Then
there are no maps and there is no fit: frames of a driver tell the motion.
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
from morphface.generate.networks.bent import equivariance, random_bend
from morphface.generate.networks.blocks import for_frames
from morphface.generate.networks.dense_motion import SCALE, DenseMotion, Motion, count_of
from morphface.generate.networks.depth import DepthNetwork
from morphface.generate.networks.dvp import norm_of
from morphface.generate.networks.hourglass import down_block, same_block, up_block
from morphface.generate.networks.key_points import (
    KeyPoints,
    between,
    moved_points,
    near_points,
)
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.warp import warped
from morphface.generate.reference import Reference

__all__ = ["Dagan", "Seen", "plane_filled"]

_RESIDUALS = 6
_FIRM = 1e-3
_RELIEF = {"raster": 2, "learned": 1}
"""Channels of what features of depth are made of: the mesh's has a mask."""


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """What is made of a photo once, for all frames.

    Args:
        features: of its colours.
        depth: of its depth; None where that does not ask.
        motion: key points that were found in it; None where they are those of the mesh.
    """

    features: Float[Tensor, "B C h w"]
    depth: Float[Tensor, "B C h w"] | None
    motion: Float[Tensor, "B N"] | None = None


class Dagan(nn.Module):
    """From one photo, its depth and the key points of frames to the frames.

    Args:
        config: resolution, width (64 as published), what asks in the attention, where key points
            and depth come from. Maps are depth and mask, none if depth is learned; the style is
            the points, or the motion if these are learned.

    Raises:
        ParameterError: maps or style are others, or points that are found have the mesh's flow.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        _check(config)
        learned = config.keypoints == "learned"
        self.sight = (
            DepthNetwork(config).requires_grad_(False) if config.depth != "raster" else None
        )
        self.points = KeyPoints(config, count_of(config)) if learned else None
        self.move = DenseMotion(config)
        self.colours = _encoder(config, 3)
        asks = config.attention
        self.relief = _encoder(config, _RELIEF[config.depth]) if asks == "depth" else None
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
        driving: Float[Tensor, "B 3 H W"] | None = None,
        details: bool = False,
    ) -> Float[Tensor, "B 3 H W"] | Painted:
        """The frames, in [-1, 1].

        Args:
            window: maps of the frames; looked at where points are found with their depth alone.
            references: one photo, with its maps.
            style: key points, as `render.points_between` gives them; where they are learned, those
                of the frames, as `motion` gives them.
            features: what `encode` made of the photo, if that is at hand.
            driving: frames in which points are found, instead of a style, where they are learned.
            details: give what the frame was made of, too, which training needs.

        Raises:
            ParameterError: there is not one photo, or no points.
            ShapeError: an argument has not the numbers or the size of the configuration.
        """
        count, side = len(window), self.config.resolution
        if len(references) != 1:
            raise ParameterError(f"references must be one photo for dagan, got {len(references)}")
        check_shape("flow", references[0].flow, count, 2, side, side)
        reference = references[0]
        known = features[0] if features else self.encode(reference)
        found = self._found(style, driving, window)
        points = found if known.motion is None else between(known.motion, found)
        photo = reference.photo.float().expand(count, 3, side, side)
        motion = self.move(photo, points, reference)
        frame, shown, flow = self._drawn(known, motion, photo)
        if not details:
            return frame
        terms = {} if driving is None else self._terms(driving, window, found)
        return Painted(frame, (shown,), flows=(flow,), points=points, terms=terms)

    def motion(
        self, pictures: Float[Tensor, "B 3 H W"], maps: Float[Tensor, "B C H W"] | None = None
    ) -> Float[Tensor, "B N"]:
        """Key points of pictures, where they are learned: x, y and the Jacobian of each.

        Args:
            pictures: from -1 to 1.
            maps: of them, where depth is that of the rasterizer.

        Raises:
            ParameterError: points are those of the mesh, or there is no depth.
        """
        if self.points is None:
            raise ParameterError("keypoints must be learned to be found in pictures, got 'mesh'")
        return self.points(pictures, self._depth(pictures, maps))

    def relative(
        self,
        photo: Float[Tensor, "#B N"],
        driver: Float[Tensor, "B N"],
        start: Float[Tensor, "#B N"],
    ) -> Float[Tensor, "B N"]:
        """The photo's points, moved as the driver's are from its start; see `moved_points`."""
        return moved_points(photo, driver, start)

    def _found(
        self, style: Tensor | None, driving: Tensor | None, maps: Tensor
    ) -> Float[Tensor, "B N"]:
        """Key points of frames: those that are given, or those that are found."""
        if style is None and driving is not None and self.points is not None:
            return self.motion(driving, maps)
        if style is None:
            frames = "" if self.points is None else ", or driving frames to find them in"
            raise ParameterError(
                f"style must be given, {self.config.style_dim} numbers of key points{frames}"
            )
        check_shape("style", style, len(maps), self.config.style_dim)
        return style.float()

    def _terms(self, driving: Tensor, maps: Tensor, found: Tensor) -> dict[str, Tensor]:
        """What the detector learns from pictures alone; nothing where it is not there."""
        if self.points is None:
            return {}
        bend = random_bend(len(driving), driving)
        depth = bend.picture(self._depth(driving, maps))
        value, turn = equivariance(found, self.points(bend.picture(driving), depth), bend)
        return {"equivariance": value, "equivariance_turn": turn, "apart": near_points(found)}

    def _depth(
        self, pictures: Float[Tensor, "B 3 H W"], maps: Float[Tensor, "B C H W"] | None
    ) -> Float[Tensor, "B 1 H W"]:
        """Of pictures, from 0 to 1, the nearest 1: of the mesh and beyond it, or learned."""
        if self.sight is not None:
            with torch.no_grad():
                return self.sight(pictures.to(self.last.weight.dtype))[0]
        if maps is None:
            raise ParameterError(
                "maps must be given with pictures: their depth is that of the rasterizer"
            )
        return plane_filled(maps[:, :1].float(), maps[:, 1:].float())

    def _drawn(
        self, known: Seen, motion: Motion, photo: Float[Tensor, "B 3 H W"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The frame, the moved photo, and the flow in its pixels."""
        found = self._attended(known, motion, len(photo))
        for block in self.residuals:
            found = block(found)
        painted = self.last(self.up(found)).float()
        flow = motion.flow
        for _ in range(SCALE // 2):
            flow = 2 * doubled_size(flow)
        shown = warped(photo, flow)
        if self.config.blend:
            return (shown + 2 * painted.tanh()).clamp(-1, 1), shown, flow
        return 2 * painted.sigmoid() - 1, shown, flow

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
        if self.sight is None:
            check_shape("maps", reference.maps, None, 2, None, None)
        photo, like = reference.photo, self.last.weight.dtype
        features = self.colours(photo.to(like))
        if self.relief is None and self.points is None:
            return Seen(features, None)
        depth = self._depth(photo, reference.maps)
        motion = None if self.points is None else self.points(photo, depth)
        if self.relief is None:
            return Seen(features, None, motion)
        if self.sight is None:
            depth = torch.cat([depth, reference.maps[:, 1:]], dim=1)
        return Seen(features, self.relief(depth.to(like)), motion)


def _check(config: GeneratorConfig) -> None:
    """Refuse a configuration whose parts do not fit."""
    maps = ("depth", "mask") if config.depth == "raster" else ()
    style = ("points",) if config.keypoints == "mesh" else ("motion",)
    if config.maps != maps or config.style != style:
        raise ParameterError(
            f"maps must be {' and '.join(maps) or 'none'} and style {style[0]} for dagan with "
            f"keypoints {config.keypoints} and depth {config.depth}, got {config.maps} and "
            f"{config.style}"
        )
    if config.keypoints == "learned" and config.flow_prior:
        raise ParameterError(
            "flow_prior must be off where keypoints are learned: there is no mesh to move"
        )


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
