"""Depth of faces, learnt from films of rendered people and of a clip: a network for DaGAN."""

from pathlib import Path

import torch
from torch import Tensor

from benchmarks.crowd import MAPS, SIDE, Mixed, signed_bytes
from benchmarks.headgan_clip import filmed, rows_of
from morphface.generate import (
    Reference,
    Take,
    TrainSettings,
    config_of,
    load_generator,
    train_generator,
)
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.pipelines.oneshot.clip import ClipTakes
from morphface.synthetic import SyntheticFilms

CONFIG = Path(__file__).parent / "configs" / "depth_small.json"
WIDTH, PEOPLE, FRAMES, LONGEST = 8, 250, 8, 3
"""Width of the networks; people, frames of each, and frames of a film."""
CLIP_SHARE = 6
"""One film in so many is of the clip."""
SHEET = 8


class Films:
    """Films of rendered people, drawn once and kept.

    Args:
        folder: of what is kept.
    """

    longest = LONGEST

    def __init__(self, folder: Path) -> None:
        file = folder / f"films_0_{PEOPLE}.pt"
        if not file.is_file():
            drawer = SyntheticFilms(0, SIDE, frames=FRAMES)
            drawn = torch.stack([drawer.film(who) for who in range(PEOPLE)])
            torch.save(((drawn + 1) * 127.5).round().to(torch.uint8), file)
        self._films = torch.load(file, weights_only=True)
        self.count = PEOPLE * (FRAMES - LONGEST + 1)

    def take(self, number: int, length: int) -> Take:
        """Some consecutive frames."""
        who, first = divmod(number, FRAMES - LONGEST + 1)
        frames = signed_bytes(self._films[who, first : first + length])
        none, one = frames[:, :0], torch.zeros_like(frames[:, :1])
        photo = Reference(frames[:1], none[:1], one[:1], torch.cat([one, one], dim=1), one)
        rows = torch.zeros(len(frames), 2)
        return Take((photo,), none, frames, one, rows, rows[:, :0])


def depth_trained(cache: Path) -> Path:
    """Weights of the network, learnt if they are not there."""
    run = cache / "depth"
    config = config_of("depth", resolution=SIDE, width=WIDTH)
    settings = TrainSettings.from_json(CONFIG.read_text())
    rows = rows_of("first")
    clip = ClipTakes(
        load_model(),
        filmed(cache / "clip", SIDE)[0],
        config,
        photos=rows[:1],
        rows=rows,
        longest=LONGEST,
    )
    data = Mixed(Films(cache / "crowd"), clip, CLIP_SHARE)
    again = (run / "state.pt").is_file()
    train_generator(config, data, run, settings=settings, resume=again)
    return run / "generator.safetensors"


def depth_row(cache: Path, people: list[dict[str, Tensor]]) -> dict:
    """How what is read off a frame of each person goes with the depth of the mesh, where it is."""
    network = load_generator(cache / "depth" / "generator.safetensors")
    frames = torch.stack([signed_bytes(person["frame"][0]) for person in people])
    maps = torch.stack([person["window"][0] for person in people]).float()
    near, mask = maps.unflatten(1, (-1, sum(MAPS.values())))[:, -1, 3:].unbind(1)
    with torch.no_grad():
        found = network.sight(frames)[0][:, 0]  # type: ignore[operator,union-attr]
    each = _together(found, near, mask)
    steps = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    bump = -(steps.square() + steps[:, None].square()).expand_as(near)
    _sheet(cache / "sheet_depth.png", frames, found, near)
    return {
        "test": "depth read off people held out, and the mesh's, on the face",
        "method": "depth network",
        "frames": len(each),
        "parameters": sum(p.numel() for p in network.sight.parameters()),  # type: ignore[union-attr]
        "correlation": round(float(each.mean()), 3),
        "least": round(float(each.min()), 3),
        "share above 0.5": round(float((each > 0.5).float().mean()), 3),
        "of a bump in the middle": round(float(_together(bump, near, mask).mean()), 3),
    }


def _together(found: Tensor, near: Tensor, mask: Tensor) -> Tensor:
    """Correlation of each picture's depth with the mesh's, where that is."""
    return torch.stack(
        [
            torch.corrcoef(torch.stack([one[seen], two[seen]]))[0, 1]
            for one, two, seen in zip(found, near, mask > 0.5, strict=True)
        ]
    )


def _sheet(file: Path, frames: Tensor, found: Tensor, near: Tensor) -> None:
    """Pictures, what is read off them, and the depth of the mesh."""
    some = torch.linspace(0, len(frames) - 1, SHEET).long()
    low, high = (getattr(found, what)((1, 2), keepdim=True) for what in ("amin", "amax"))
    grey = [one[..., None].expand(-1, -1, -1, 3) for one in ((found - low) / (high - low), near)]
    pictures = [frames.permute(0, 2, 3, 1) / 2 + 0.5, *grey]
    strips = torch.cat([one[some] for one in pictures], dim=1)
    write_image(file, torch.cat(list(strips), dim=1).clamp(0, 1))
