"""Kept frames of a clip: made by a network, or by what a simple opponent would do instead.

Opponents know the frames that were trained on, and the parameters and maps of the kept frame.

- `nearest`: the training frame whose parameters are nearest. The squared distance is the sum over
  rotation, translation, expression and gaze of the squared difference, each divided by its
  variance over the training frames, so that each counts as much as it varies.
- `nearest, best weights`: the same with the weights of the four, from `WEIGHTS`, that give the
  lowest L1 on the kept frames themselves: no choice could do better.
- `nearest, true frame known`: the training frame with the lowest L1 to the true one. Not a method.
- `pasted`: the diffuse render on the mean training frame, where the head is.
- `pasted on nearest`: the same on the training frame that `nearest` takes.
- `mean frame`: the mean training frame.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from morphface.evaluate import l1, psnr, ssim, warping_error
from morphface.generate.checkpoint import load_generator
from morphface.generate.windows import ConditioningWindows, to_signed
from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.reenact.target import read_target
from morphface.render.flow import flow_of_parameters
from morphface.render.maps import DVP, LABELS, render_maps

GROUPS = ("rotation", "translation", "expression", "gaze")
WEIGHTS = (0.0, 0.25, 1.0, 4.0)
NOT_FACE = ("background", "neck", "scalp", "ears")
TOGETHER = 8


@dataclass(frozen=True, eq=False)
class Clip:
    """A prepared clip and which of its frames are which.

    Args:
        dataset: its folder.
        run: whose training part and kept frames are taken.
        train: numbers of the frames that were trained on.
        kept: numbers of the frames that were not.
    """

    dataset: Path
    run: Path
    train: list[int]
    kept: list[int]

    @cached_property
    def _bytes(self) -> dict[str, Tensor]:
        windows = ConditioningWindows(self.dataset, offsets=(0,), maps=DVP, raw=True)
        samples = [windows[number] for number in range(len(windows))]
        maps = torch.stack([sample["window"] for sample in samples]).permute(0, 2, 3, 1)
        frames = torch.stack([sample["frame"] for sample in samples]).permute(0, 2, 3, 1)
        return {"frame": frames, **dict(zip(DVP, maps.split(3, dim=-1), strict=True))}

    def pictures(self, name: str, numbers: list[int]) -> Tensor:
        """Frames, or one of the maps, in [0, 1]."""
        return self._bytes[name][numbers].float() / 255

    @cached_property
    def parameters(self) -> FaceParameters:
        """Of all frames."""
        return self._track.parameters

    @cached_property
    def camera(self) -> Camera:
        """Of the crops."""
        return self._track.camera

    @cached_property
    def _track(self):
        return read_target(self.run).track

    @cached_property
    def head(self) -> Tensor:
        """Where the maps show a head, in the kept frames."""
        return self.pictures("correspondence", self.kept).amax(dim=-1) > 0

    @cached_property
    def face(self) -> Tensor:
        """Where they show a face: the head without neck, scalp and ears."""
        model, some = load_model(), _rows(self.parameters, self.kept)
        parts = render_maps(model, some, self.camera, ("parsing",))["parsing"][..., 0]
        out = torch.tensor([LABELS.index(name) for name in NOT_FACE])
        return ~torch.isin((parts * 255).round().long(), out)

    @cached_property
    def _flow(self):
        model, some = load_model(), _rows(self.parameters, self.kept)
        pairs = [
            flow_of_parameters(model, some[k : k + 1], some[k + 1 : k + 2], self.camera)
            for k in range(len(self.kept) - 1)
        ]
        return torch.cat([p.flow for p in pairs]), torch.cat([p.visible for p in pairs])

    def scores(self, made: Tensor) -> dict[str, float]:
        """How far pictures of the kept frames are from the true ones, and how steady."""
        true, face = self.pictures("frame", self.kept), self.face.float()
        found = {"l1": l1(made, true), "psnr": psnr(made, true), "ssim": ssim(made, true)}
        found |= {
            f"{name}_face": measure(made, true, face)
            for name, measure in {"l1": l1, "psnr": psnr, "ssim": ssim}.items()
        }
        found["warping_error"] = warping_error(made, *self._flow)
        return {name: round(float(values.mean()), 4) for name, values in found.items()}


def made_by(run: Path, dataset: Path, numbers: list[int]) -> Tensor:
    """Frames that a trained network makes."""
    generator = load_generator(run / "generator.safetensors")
    config = generator.config
    windows = ConditioningWindows(dataset, offsets=config.offsets, maps=config.maps, raw=True)
    parts = []
    with torch.no_grad():
        for start in range(0, len(numbers), TOGETHER):
            some = [windows[number]["window"] for number in numbers[start : start + TOGETHER]]
            parts.append(generator(to_signed(torch.stack(some))) / 2 + 0.5)
    return torch.cat(parts).permute(0, 2, 3, 1).clamp(0, 1)


def opponents(clip: Clip) -> dict[str, tuple[Tensor, str]]:
    """Pictures of the kept frames by each opponent, and what is to be said of them."""
    true, trained = (clip.pictures("frame", numbers) for numbers in (clip.kept, clip.train))
    far = _differences(true, trained)
    apart = _distances(clip)
    nearest = sum(apart.values()).argmin(dim=1)
    best, weights = _best(apart, far)
    mean = trained.mean(dim=0).expand_as(true)
    head, diffuse = clip.head[..., None], clip.pictures("diffuse", clip.kept)
    named = ", ".join(f"{name} {weight:g}" for name, weight in zip(GROUPS, weights, strict=True))
    return {
        "nearest": (trained[nearest], "all weights 1"),
        "nearest, best weights": (trained[best], named),
        "nearest, true frame known": (trained[far.argmin(dim=1)], "no method: knows the answer"),
        "pasted": (torch.where(head, diffuse, mean), "on the mean training frame"),
        "pasted on nearest": (torch.where(head, diffuse, trained[nearest]), ""),
        "mean frame": (mean, ""),
    }


def _differences(true: Tensor, trained: Tensor) -> Tensor:
    """L1 of each kept frame to each training frame."""
    return torch.stack([(trained - frame).abs().mean(dim=(1, 2, 3)) for frame in true])


def _distances(clip: Clip) -> dict[str, Tensor]:
    """Squared distance of each kept frame to each training frame, group by group."""
    found = {}
    for name in GROUPS:
        values = getattr(clip.parameters, name).flatten(1)
        train, kept = values[clip.train], values[clip.kept]
        spread = (train - train.mean(dim=0)).square().sum(dim=1).mean()
        found[name] = torch.cdist(kept, train).square() / spread
    return found


def _best(apart: dict[str, Tensor], far: Tensor) -> tuple[Tensor, tuple[float, ...]]:
    """The training frames, and the weights, with the lowest mean L1."""

    def cost(weights: tuple[float, ...]) -> float:
        return float(far.gather(1, _chosen(apart, weights)[:, None]).mean())

    tried = [w for w in itertools.product(WEIGHTS, repeat=len(GROUPS)) if any(w)]
    weights = min(tried, key=cost)
    return _chosen(apart, weights), weights


def _chosen(apart: dict[str, Tensor], weights: tuple[float, ...]) -> Tensor:
    pairs = zip(apart.values(), weights, strict=True)
    return torch.stack([weight * part for part, weight in pairs]).sum(dim=0).argmin(dim=1)


def _rows(parameters: FaceParameters, numbers: list[int]) -> FaceParameters:
    """Consecutive frames."""
    return parameters[numbers[0] : numbers[-1] + 1]
