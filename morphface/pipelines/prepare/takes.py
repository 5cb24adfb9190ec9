"""A prepared corpus as what one-shot generators train with.

Pictures and mattes are read from the shards; maps and flow are drawn from the stored parameters,
because those of a frame depend on the photo that it is made from: frames have the identity of
their photo, which may be of another clip of the same person.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from morphface.core.errors import DatasetError
from morphface.core.kept import Kept
from morphface.generate.config import GeneratorConfig
from morphface.generate.reference import Reference
from morphface.generate.take import Take
from morphface.geometry.camera import Camera
from morphface.media.shards import ShardFolder, open_shards
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot.clip import (
    album_from,
    matte_share,
    reference_of,
    signed,
    style_of,
    taught_of,
    window_of,
)
from morphface.pipelines.prepare.settings import MATTE
from morphface.render import Sitter
from morphface.render.maps.scene import Scene

__all__ = ["CorpusTakes"]

_HELD = 192
"""Scenes that are kept drawn: those of a window and of photos are asked for again."""


@dataclass(frozen=True)
class _Clip:
    """One person through one clip.

    Args:
        number: of the sequence.
        identity: name of the person.
        first: its first sample.
        photos: samples that may be the photo.
        runs: first sample and number of samples of consecutive frames.
    """

    number: int
    identity: str
    first: int
    photos: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> range:
        """All its samples."""
        return range(self.first, self.first + sum(count for _, count in self.runs))


class CorpusTakes:
    """Takes of a corpus: every frame with every photo of its clip, or of its person.

    Args:
        folder: that `morphface prepare --corpus` wrote.
        config: of the generator.
        across: whether photos come from all clips of a person, not from the frame's own alone.
        longest: the most frames of a take.
        identities: only these people; None takes all.
        part: of each clip, from and to so much of its frames, whose frames are made; photos are of
            what comes before its end, or of the first part if it does not begin at 0.
        together: photos of a take.

    Raises:
        DatasetError: it is no corpus, has another size, or nobody of those is in it.
    """

    def __init__(
        self,
        folder: str | Path | ShardFolder,
        config: GeneratorConfig,
        *,
        across: bool = False,
        longest: int = 1,
        identities: Sequence[str] | None = None,
        part: tuple[float, float] = (0.0, 1.0),
        together: int = 1,
    ) -> None:
        self._shards = folder if isinstance(folder, ShardFolder) else open_shards(folder)
        settings = self._shards.manifest["settings"]
        _check(self._shards, settings, config)
        self._config, self.longest, self._together = config, longest, together
        self._clips = [
            kept
            for clip in _clips(self._shards.manifest)
            if identities is None or clip.identity in identities
            for kept in _part_of(clip, part)
        ]
        if not self._clips:
            raise DatasetError(f"{self._shards.path} has nobody of {', '.join(identities or ())}")
        self._photos = {clip.number: self._photos_for(clip, across) for clip in self._clips}
        counts = [len(clip.rows) * len(self._photos[clip.number]) for clip in self._clips]
        self._ends = np.cumsum(counts)
        self._model = load_model(settings["model"])
        self._scenes: Kept[tuple[int, int], Scene] = Kept(_HELD)

    @property
    def people(self) -> tuple[str, ...]:
        """Names of the identities."""
        return tuple(dict.fromkeys(clip.identity for clip in self._clips))

    @property
    def count(self) -> int:
        """Pairs of a frame and a photo."""
        return int(self._ends[-1])

    def take(self, number: int, length: int = 1) -> Take:
        """A photo, and consecutive frames from one on; there are fewer at the end of a run.

        Args:
            number: of the pair, from 0.
            length: of frames at most.
        """
        place = int(np.searchsorted(self._ends, number, side="right"))
        clip = self._clips[place]
        photos = self._photos[clip.number]
        before = int(self._ends[place - 1]) if place else 0
        row, photo = divmod(number - before, len(photos))
        run = _run_of(clip, clip.first + row)
        last = min(clip.first + row + min(length, self.longest), run[0] + run[1])
        rows = range(clip.first + row, last)
        album = album_from(photos, photo, self._together, [(clip, sample) for sample in rows])
        return self.album(clip, album, rows)

    def album(self, clip: _Clip, photos: Sequence[tuple[_Clip, int]], rows: Sequence[int]) -> Take:
        """Photos, and frames to make of them, which have the identity of the first.

        Args:
            clip: of the frames.
            photos: of each its clip, and its sample.
            rows: samples.
        """
        home, sample = photos[0]
        frames = [self._scene(row, sample) for row in rows]
        sitter = Sitter(self._model, self._scene(sample, sample).camera, self._config.maps)
        seen = [self._picture(row) for row in rows]
        return Take(
            tuple(self._reference(sitter, photo, frames) for _, photo in photos),
            window=torch.stack([self._window(sitter, clip, row, sample) for row in rows]),
            frame=torch.cat([signed(frame) for frame, _ in seen]),
            matte=matte_share(torch.stack([cover for _, cover in seen])),
            mouth=torch.cat([sitter.mouth(frame) for frame in frames]),
            style=style_of(sitter, self._scene(sample, sample), frames, self._config),
            person=home.identity,
            clip=str(clip.number),
            named=torch.cat([taught_of(self._model, frame.parameters) for frame in frames]),
        )

    def _reference(self, sitter: Sitter, photo: int, frames: Sequence[Scene]) -> Reference:
        """A photo as its own fit has it, and how it moves into some frames."""
        source = self._scene(photo, photo)
        picture, matte = self._picture(photo)
        priors = [sitter.prior(source, frame) for frame in frames]
        return reference_of(signed(picture), sitter.maps(source), matte_share(matte[None]), priors)

    def posed(self, count: int) -> Iterator[tuple[Float[Tensor, "1 3 S S"], FaceParameters]]:
        """About so many pictures, from -1 to 1, and the parameters of each, clip by clip.

        Args:
            count: of pictures, spread over each clip.
        """
        each = -(-count // len(self._clips))
        for clip in self._clips:
            for sample in clip.rows[:: max(len(clip.rows) // each, 1)]:
                yield signed(self._picture(sample)[0]), self._head(sample)[0]

    def _photos_for(self, clip: _Clip, across: bool) -> tuple[tuple[_Clip, int], ...]:
        homes = [other for other in self._clips if across and other.identity == clip.identity]
        return tuple((home, sample) for home in homes or [clip] for sample in home.photos)

    def _window(self, sitter: Sitter, clip: _Clip, row: int, photo: int) -> Tensor:
        """Maps of the frames about a row; beyond the ends of its run stand the first and last."""
        start, count = _run_of(clip, row)
        near = [min(max(row + o, start), start + count - 1) for o in self._config.offsets]
        return window_of(sitter, [self._scene(sample, photo) for sample in near])

    def _scene(self, sample: int, photo: int) -> Scene:
        """A frame's head with the identity of a photo."""
        return self._scenes.get((sample, photo), lambda: self._made(sample, photo))

    def _made(self, sample: int, photo: int) -> Scene:
        parameters, camera = self._head(sample)
        if photo != sample:
            parameters = replace(parameters, identity=self._head(photo)[0].identity)
        return Sitter(self._model, camera, self._config.maps).scene(parameters)

    def _head(self, sample: int) -> tuple[FaceParameters, Camera]:
        vector = np.load(io.BytesIO(self._shards.read(sample, "params.npy")), allow_pickle=False)
        model = self._model
        sizes = {
            "identity": model.identity.rank,
            "expression": model.expression.rank,
            "reflectance": model.reflectance.rank if model.reflectance else 0,
        }
        facts = _facts(self._shards, sample)
        lens, size = facts["camera"], self._config.resolution
        camera = Camera(torch.tensor(lens["focal"]), torch.tensor(lens["principal"]), (size, size))
        return FaceParameters.from_vector(torch.from_numpy(vector)[None], **sizes), camera

    def _picture(self, sample: int) -> tuple[UInt8[Tensor, "S S 3"], UInt8[Tensor, "S S"]]:
        parts = (self._shards.read(sample, name) for name in ("frame.png", MATTE))
        frame, matte = (np.array(Image.open(io.BytesIO(part))) for part in parts)
        return torch.from_numpy(frame), torch.from_numpy(matte)


def _facts(shards: ShardFolder, sample: int) -> dict[str, Any]:
    import json

    return json.loads(shards.read(sample, "json"))


def _clips(manifest: dict[str, Any]) -> list[_Clip]:
    found: list[_Clip] = []
    first = 0
    for clip in manifest["clips"]:
        for sequence in clip["sequences"]:
            runs = tuple((first + start, count) for start, count in sequence["runs"])
            start = runs[0][0] if runs else first
            photos = tuple(start + place for place in sequence["photos"])
            found.append(_Clip(len(found), clip["source"]["identity"], start, photos, runs))
        first += clip["samples"]
    return [clip for clip in found if clip.photos]


def _part_of(clip: _Clip, part: tuple[float, float]) -> list[_Clip]:
    """A stretch of a clip, if there is anything in it; photos are of what was trained with."""
    if part == (0.0, 1.0):
        return [clip]
    rows, known = clip.rows, part[0] or part[1]
    begin, end = (rows.start + round(share * len(rows)) for share in part)
    photos = [photo for photo in clip.photos if photo < rows.start + round(known * len(rows))]
    runs = [(max(first, begin), min(first + count, end)) for first, count in clip.runs]
    kept = tuple((first, last - first) for first, last in runs if last > first)
    if not kept:
        return []
    return [replace(clip, first=begin, photos=tuple(photos) or (rows.start,), runs=kept)]


def _run_of(clip: _Clip, sample: int) -> tuple[int, int]:
    return next(run for run in clip.runs if run[0] <= sample < run[0] + run[1])


def _check(shards: ShardFolder, settings: dict[str, Any], config: GeneratorConfig) -> None:
    if not settings.get("corpus"):
        raise DatasetError(
            f"{shards.path} is no corpus for one-shot generators; prepare the clips with --corpus"
        )
    if settings["size"] != config.resolution:
        raise DatasetError(
            f"{shards.path} has pictures of {settings['size']} pixels, the generator makes "
            f"{config.resolution}; prepare the clips again with --size {config.resolution}"
        )
