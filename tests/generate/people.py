"""Small takes drawn from a seed: the photo is a smooth picture, the frame the same one, moved."""

from dataclasses import replace

import torch

from morphface.generate import Reference, Take, config_of
from morphface.generate.networks.warp import warped

SIDE, POINTS = 32, 5
CONFIG = config_of("headgan", resolution=SIDE, width=4)


def parameters(network: torch.nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def conv(inputs: int, outputs: int, size: int) -> int:
    """How many of these a convolution has."""
    return inputs * outputs * size**2 + outputs


def smooth(rng: torch.Generator, count: int, channels: int, side: int = SIDE) -> torch.Tensor:
    """Smooth random pictures from -1 to 1."""
    coarse = torch.rand(count, channels, 5, 5, generator=rng) * 2 - 1
    return torch.nn.functional.interpolate(
        coarse, size=(side, side), mode="bicubic", align_corners=True
    ).clamp(-1, 1)


def disc(side: int = SIDE) -> torch.Tensor:
    """1 within a disc in the middle."""
    at = torch.arange(side) + 0.5 - side / 2
    return (at.square() + at.square()[:, None] < (side / 3) ** 2).float()[None, None]


def take_of(number: int, frames: int = 1, *, style: int = 0, references: int = 1) -> Take:
    """A take; the photo moves by a few pixels into each frame."""
    rng = torch.Generator().manual_seed(number)
    photo = smooth(rng, 1, 3)
    shift = (torch.rand(frames, 2, 1, 1, generator=rng) * 8 - 4).expand(frames, 2, SIDE, SIDE)
    matte = disc().expand(frames, -1, -1, -1)
    maps = (smooth(rng, frames, 9) / 2 + 0.5) * matte
    photos = tuple(
        Reference(photo, maps[:1, :3], disc(), shift.contiguous(), matte.contiguous())
        for _ in range(references)
    )
    return Take(
        photos,
        window=maps,
        frame=warped(photo.expand(frames, -1, -1, -1), shift),
        matte=matte.contiguous(),
        mouth=torch.full((frames, 2), SIDE / 2),
        style=torch.randn(frames, style, generator=rng),
    )


def album_of(number: int, photos: int, frames: int = 1) -> Take:
    """A take with photos that differ; only a part of each is valid."""
    takes = [take_of(number + 100 * k, frames) for k in range(photos)]
    parts = [
        replace(take.references[0], valid=take.matte * (smooth_part(k, frames) > 0))
        for k, take in enumerate(takes)
    ]
    return replace(takes[0], references=tuple(parts))


def smooth_part(number: int, frames: int) -> torch.Tensor:
    """A smooth random picture of one channel for some frames."""
    return smooth(torch.Generator().manual_seed(number), frames, 1)


def newest(take: Take) -> Take:
    """With the maps of its last frame alone."""
    return replace(take, window=take.window[:, -3:])


def pointed(number: int, frames: int = 1) -> Take:
    """A take with depth and mask as maps, and key points that follow its shift as the style."""
    take = take_of(number, frames)
    one = take.references[0]
    maps = torch.cat([one.maps[:, :1], one.matte], dim=1)
    rng = torch.Generator().manual_seed(number)
    here = torch.rand(frames, POINTS, 2, generator=rng) - 0.5
    there = here + one.flow[:, None, :, 0, 0] * (2 / SIDE)
    turns = torch.eye(2).flatten().expand(frames, POINTS, 4)
    style = torch.cat([here, there, turns], dim=2).flatten(1)
    references = (replace(one, maps=maps),)
    return replace(take, references=references, window=take.window[:, :2], style=style)


class Pointed:
    """Takes with key points, without end."""

    count, longest = None, 1

    def take(self, number: int, length: int) -> Take:
        return pointed(number)


class Moves:
    """Takes by number; `count` of them, or no end."""

    def __init__(self, count: int | None = None, longest: int = 1) -> None:
        self.count, self.longest = count, longest

    def take(self, number: int, length: int) -> Take:
        return take_of(number, min(length, self.longest))


class Albums:
    """Takes with three photos each, without end."""

    count, longest = None, 1

    def take(self, number: int, length: int) -> Take:
        return newest(album_of(number, 3))
