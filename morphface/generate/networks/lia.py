"""LIA (Wang et al. 2022): motion is a walk along directions of a latent space that are learnt.

A picture is encoded as the way from it to a reference pose, and as a few numbers that say how far
along each direction its motion is. The photo's way and the driver's numbers make a code, of which
flows and masks of the photo's features are drawn, from coarse to fine. There are no maps and there
is no tracker. Unlike the published code, pixels that do not move are where they were: flows are
relative to the centres of pixels, and begin at nearly nothing. As published, colours are those of
features that moved alone: what no photo shows, such as the inside of a mouth that was shut, has no
place to come from. With `blend` the frame is the photo, moved by the finest flow, and what is drawn
is added to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.behind import doubled_size
from morphface.generate.networks.blocks import for_frames
from morphface.generate.networks.equalised import (
    Activation,
    EqualConv,
    EqualLinear,
    HalvingBlock,
    ModulatedConv,
)
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.warp import full_precision, warped
from morphface.generate.reference import Reference

__all__ = ["Coded", "Lia", "relative_motion", "taught_motion", "widths_of"]

_COARSEST = 4
_GROWTH = 8
_LAYERS = 4
"""Matrices between a code and its motion."""
_STILL = 0.05
"""Gain of what flows are made of, so that little moves at first."""
_FAINT = 0.1
"""Gain of what is added to the moved photo, so that little is painted at first."""


@dataclass(frozen=True, eq=False)
class Coded(Record):
    """What is made of a photo once, for all frames.

    Args:
        code: the way from it to the reference pose.
        features: the finest first, down to 8 pixels.
        motion: how far it is along each direction.
    """

    code: Float[Tensor, "B N"]
    features: tuple[Float[Tensor, "B c h w"], ...]
    motion: Float[Tensor, "B K"]


class Lia(nn.Module):
    """From one photo and the motion of a driver to frames.

    Args:
        config: resolution, width (64 as published), as style the numbers of a motion (20), and
            whether what is drawn is added to the moved photo.

    Raises:
        ParameterError: the style is another, or the resolution below 8.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        if config.style != ("motion",):
            raise ParameterError(f"style must be motion alone for lia, got {config.style}")
        widths = widths_of(config)
        size = _GROWTH * config.width
        self.look = Look(widths, size)
        layers = [EqualLinear(size, size) for _ in range(_LAYERS)]
        self.steps = nn.Sequential(*layers, EqualLinear(size, config.style_dim))
        self.basis = nn.Parameter(torch.randn(size, config.style_dim))
        self.draw = Synthesis(widths, size, whole=config.blend)

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
        *,
        features: Sequence[Coded] | None = None,
        driving: Float[Tensor, "B 3 H W"] | None = None,
        taught: Float[Tensor, "B T"] | None = None,
        details: bool = False,
    ) -> Float[Tensor, "B 3 H W"] | Painted:
        """Frames, about in [-1, 1].

        Args:
            window: is not looked at, and may have no channels; its batch is that of the frames.
            references: one photo.
            style: the motion of each frame, in absolute numbers; `relative_motion` makes them of
                changes. Zeros are the reference pose.
            features: what `encode` made of the photo, if that is at hand.
            driving: frames whose motion is taken, instead of a style.
            taught: what the first numbers of driving frames are, in place of those that are read,
                in training; the others are then those of the photo. NaN leaves a frame alone.
            details: give what the frame was made of, too, which training needs.

        Raises:
            ParameterError: there is not one photo, or no motion.
            ShapeError: the motion has not the numbers of the configuration.
        """
        if len(references) != 1:
            raise ParameterError(f"references must be one photo for lia, got {len(references)}")
        if style is None and driving is None:
            raise ParameterError(
                f"style must be given, {self.config.style_dim} numbers of a motion, or driving "
                "frames to take them from"
            )
        known = features[0] if features else self.encode(references[0])
        read = self.motion(driving) if style is None and driving is not None else None
        motion = style if read is None else taught_motion(read, known.motion, taught)
        check_shape("style", motion, len(window), self.config.style_dim)  # type: ignore[arg-type]
        with full_precision(known.code):
            way = known.code.float() + motion.float() @ self.directions.T  # type: ignore[union-attr]
        frame, flow = self.draw(way.to(known.code), known.features)
        if not (details or self.config.blend):
            return frame
        shown = warped(for_frames(references[0].photo.float(), len(frame)), flow)
        if self.config.blend:
            frame = (shown + 2 * (_FAINT * frame).tanh()).clamp(-1, 1)
        return Painted(frame, (shown,), flows=(flow,), motion=read) if details else frame

    @property
    def directions(self) -> Float[Tensor, "N K"]:
        """Of the latent space, orthonormal."""
        with full_precision(self.basis):
            return torch.linalg.qr(self.basis.float() + 1e-8).Q

    def encode(self, reference: Reference) -> Coded:
        """Features and code of a photo, which serve all frames that are made from it.

        Args:
            reference: the photo; nothing else of it is looked at.
        """
        code, features = self.look(reference.photo.to(self.basis.dtype))
        return Coded(code, tuple(features), self.steps(code))

    def motion(self, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """How far pictures are along each direction.

        Args:
            pictures: from -1 to 1.
        """
        return self.steps(self.look(pictures.to(self.basis.dtype))[0])

    def relative(
        self,
        photo: Float[Tensor, "#B K"],
        driver: Float[Tensor, "B K"],
        start: Float[Tensor, "#B K"],
    ) -> Float[Tensor, "B K"]:
        """The photo's motion, changed as the driver's changes; see `relative_motion`."""
        return relative_motion(photo, driver, start)


class Look(nn.Module):
    """The encoder.

    Args:
        widths: channels of the features, the finest first, down to 4 pixels.
        size: of the code.
    """

    def __init__(self, widths: Sequence[int], size: int) -> None:
        super().__init__()
        self.first = nn.Sequential(EqualConv(3, widths[0], 1), Activation(widths[0]))
        self.down = nn.ModuleList(
            HalvingBlock(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        self.last = EqualConv(widths[-1], size, _COARSEST, padded=False)

    def forward(
        self, pictures: Float[Tensor, "B 3 H W"]
    ) -> tuple[Float[Tensor, "B N"], list[Float[Tensor, "B c h w"]]]:
        """Codes, and features, the finest first, down to 8 pixels."""
        found = [self.first(pictures.contiguous(memory_format=torch.channels_last))]
        for block in self.down:
            found.append(block(found[-1]))
        return self.last(found[-1])[..., 0, 0], found[:-1]


class Synthesis(nn.Module):
    """The generator: flows and masks of the photo's features at each size from 8 pixels on.

    Args:
        widths: channels of the features, the finest first, down to 4 pixels.
        size: of the code.
        whole: colours are those of all that is drawn, and not of what moved alone.
    """

    def __init__(self, widths: Sequence[int], size: int, *, whole: bool = False) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, widths[-1], _COARSEST, _COARSEST))
        self.first = _Styled(widths[-1], widths[-1], size)
        coarse = list(widths[::-1])
        self.levels = nn.ModuleList(
            _Level(a, b, size, whole=whole) for a, b in zip(coarse[:-1], coarse[1:], strict=True)
        )

    def forward(
        self, code: Float[Tensor, "B N"], features: Sequence[Float[Tensor, "b c h w"]]
    ) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 2 H W"]]:
        """Frames, and the finest flows in pixels.

        Args:
            code: of each frame.
            features: of the photo, the finest first.
        """
        start = self.start.expand(len(code), -1, -1, -1)
        found = self.first(start.contiguous(memory_format=torch.channels_last), code)
        moves: Tensor | None = None
        colours: Tensor | None = None
        for level, part in zip(self.levels, features[::-1], strict=True):
            part = for_frames(part, len(code))
            found, moves, flow, shown = level(found, code, part, moves)
            colours = shown if colours is None else doubled_size(colours) + shown
        return colours.float(), flow  # type: ignore[union-attr]  # there is one level at least


class _Styled(nn.Module):
    """A modulated convolution and its activation."""

    def __init__(self, inputs: int, outputs: int, size: int, *, doubling: bool = False) -> None:
        super().__init__()
        self.layer = ModulatedConv(inputs, outputs, 3, size, doubling=doubling)
        self.bend = Activation(outputs)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        return self.bend(self.layer(features, code))


class _Level(nn.Module):
    """Twice the size: what is drawn, mixed with what the flow moves there."""

    def __init__(self, inputs: int, outputs: int, size: int, *, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self.up = _Styled(inputs, outputs, size, doubling=True)
        self.same = _Styled(outputs, outputs, size)
        self.moves = ModulatedConv(outputs, 3, 1, size, demodulated=False, gain=_STILL)
        self.bias = nn.Parameter(torch.zeros(3, 1, 1))
        self.colours = EqualConv(outputs, 3, 1)
        self.shade = nn.Parameter(torch.zeros(3, 1, 1))

    def forward(
        self, found: Tensor, code: Tensor, photo: Tensor, moves: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is drawn, what flow and mask are made of, the flow in pixels, and colours."""
        found = self.same(self.up(found, code), code)
        here = self.moves(found, code) + self.bias
        moves = here if moves is None else doubled_size(moves) + here
        with full_precision(moves):
            flow = moves[:, :2].float().tanh() * (moves.shape[-1] / 2)
        mask = moves[:, 2:].sigmoid()
        moved = warped(photo, flow) * mask
        mixed = moved + found * (1 - mask)
        colours = self.colours(mixed if self.whole else moved) + self.shade
        return mixed, moves, flow, colours


def relative_motion(
    photo: Float[Tensor, "#B K"], driver: Float[Tensor, "B K"], start: Float[Tensor, "#B K"]
) -> Float[Tensor, "B K"]:
    """The photo's motion, changed as the driver's changes.

    Args:
        photo: motion of the photo.
        driver: of the driver's frames.
        start: of the driver's frame that is like the photo, usually its first.
    """
    return photo + (driver - start)


def taught_motion(
    read: Float[Tensor, "B K"], photo: Float[Tensor, "#B K"], taught: Float[Tensor, "B T"] | None
) -> Float[Tensor, "B K"]:
    """The motion of frames of which the first numbers are known, so that these have to say it all.

    Args:
        read: off the frames.
        photo: motion of the photo, whose other numbers are taken.
        taught: the first numbers; NaN for frames that keep what was read; None for all of them.
    """
    if taught is None:
        return read
    count = min(taught.shape[1], read.shape[1])
    known = taught[:, :count].isfinite().all(1, keepdim=True)
    told = torch.cat([taught[:, :count].to(read), photo[:, count:].expand(len(read), -1)], dim=1)
    return torch.where(known, told, read)


def widths_of(config: GeneratorConfig) -> list[int]:
    """Channels of features, the finest first, down to 4 pixels: they double up to eight times."""
    count = int(math.log2(config.resolution // _COARSEST)) + 1
    return [config.width * min(2**k, _GROWTH) for k in range(count)]
