"""A trained run, opened for use: its generator, made quick, and whom it shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from morphface.core.errors import MissingFileError, ParameterError
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import quickened
from morphface.generate.stream import stream_frames
from morphface.media.shards.durable import file_sha256
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.pipelines.actors import named_model
from morphface.pipelines.reenact.target import Target, read_target
from morphface.pipelines.revisions import outdated
from morphface.render.maps import render_maps

__all__ = ["Made", "Run", "open_run"]

GENERATOR = "generator.safetensors"
_TOGETHER = 8
"""Frames whose maps are rendered in one go."""


@dataclass(frozen=True, eq=False)
class Made:
    """A frame that a generator made.

    Args:
        frame: the crop, in [0, 1].
        maps: what it was made of, by name.
    """

    frame: Float[Tensor, "S S 3"]
    maps: dict[str, UInt8[Tensor, "S S C"]]


@dataclass(frozen=True, eq=False)
class Run:
    """What training left, ready for use.

    Args:
        path: of its folder.
        generator: trained, and made quick.
        config: of the generator.
        target: whom it shows.
        model: that the target's parameters belong to.
    """

    path: Path
    generator: nn.Module
    config: GeneratorConfig
    target: Target
    model: MorphableModel

    @property
    def of_photo(self) -> bool:
        """Whether its target is one photo, and not the clip that it was trained on."""
        return False

    @property
    def warning(self) -> str:
        """Why its frames may be worse than they were; empty if nothing is known."""
        words = outdated(self.target.older, self.config.maps)
        return (
            words and f"{self.path} {words}; if frames are flawed, prepare its clip and train anew"
        )

    @cached_property
    def sha256(self) -> str:
        """Checksum of the file of weights."""
        return file_sha256(self.path / GENERATOR)

    def frames(self, parameters: FaceParameters, *, batch: int = 1) -> Iterator[Made]:
        """What the person looks like with these parameters, frame by frame.

        Frames are made as they are asked for, and memory does not grow with their number.

        Args:
            parameters: of consecutive frames, as the target's track has them: of its person, for
                its crop's camera.
            batch: frames that are made in one go.

        Raises:
            ParameterError: the parameters are those of another model, or `batch` is below 1.
        """
        shown: list[dict[str, Tensor]] = []
        made = stream_frames(self.generator, self._stacked(parameters, shown), batch=batch)
        for frame in made:
            yield Made(frame.permute(1, 2, 0), shown.pop(0))

    def maps(self, parameters: FaceParameters) -> Iterator[dict[str, UInt8[Tensor, "S S C"]]]:
        """The maps of each frame, as bytes, since that is what the network was trained on.

        Args:
            parameters: of consecutive frames.
        """
        camera, names = self.target.track.camera, self.config.maps
        for start in range(0, parameters.frames, _TOGETHER):
            some = parameters[start : start + _TOGETHER]
            drawn = render_maps(self.model, some, camera, names)
            for row in range(some.frames):
                yield {name: _bytes(drawn.unit(name)[row]) for name in names}

    def _stacked(
        self, parameters: FaceParameters, shown: list[dict[str, Tensor]]
    ) -> Iterator[UInt8[Tensor, "C S S"]]:
        """The channels of each frame's maps; the maps themselves are put into `shown`."""
        for maps in self.maps(parameters):
            shown.append(maps)
            yield torch.cat([maps[name].permute(2, 0, 1) for name in self.config.maps])


def open_run(path: str | Path, *, model: str | None = None) -> Run:
    """A run that `morphface train` made, or a copy of its folder.

    Args:
        path: of the folder.
        model: path of the target's morphable model, where its name alone is not known.

    Raises:
        MissingFileError: it is no such folder, or lacks a file.
        ModelError: the weights were made for something else than the rest of the folder, or the
            morphable model is not known.
        ParameterError: a file is damaged.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise MissingFileError(f"there is no folder {folder}; RUN is what `morphface train` wrote")
    if not (folder / GENERATOR).is_file():
        fact = "is no run: it has no"
        if (folder / "settings.json").is_file():
            fact = "is a run whose training has not come to its first checkpoint: it has no"
        raise MissingFileError(
            f"{folder} {fact} {GENERATOR}; RUN is the folder that `morphface train` wrote"
        )
    target = read_target(folder)
    generator = load_generator(folder / GENERATOR, wanted=target.config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    head = named_model(str(folder), target.model, model)
    _check_target(folder, target)
    return Run(folder, quickened(generator.to(device)), target.config, target, head)


def _check_target(folder: Path, target: Target) -> None:
    size = target.track.camera.size
    if size != (target.config.resolution,) * 2:
        raise ParameterError(
            f"{folder} does not fit together: its target is {size[0]} pixels wide, its generator "
            f"makes {target.config.resolution}; copy the whole folder of one run"
        )


def _bytes(values: Float[Tensor, "S S C"]) -> UInt8[Tensor, "S S C"]:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)
