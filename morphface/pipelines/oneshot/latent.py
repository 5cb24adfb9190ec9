"""Generators whose motion has no names (LIA, DaGAN with points that it finds) as a run.

They follow a driver's frames without a tracker; parameters with names drive them over a bridge.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingFileError, NoFaceError, ParameterError
from morphface.edit.named import named_values
from morphface.generate.bridge import MotionBridge
from morphface.landmarks.boxes import box_of
from morphface.media.crop import Crop
from morphface.media.shards.durable import file_sha256
from morphface.media.video import read_video
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot.bridging import moved_by
from morphface.pipelines.oneshot.clip import signed
from morphface.pipelines.oneshot.people import PhotoRun, Told
from morphface.pipelines.photo import Progress, faces_of
from morphface.pipelines.reenact.films import written
from morphface.pipelines.reenact.look import Look, Motion
from morphface.render.prior import FlowPrior

__all__ = ["MOTIONS", "LatentRun", "latent_film"]

MOTIONS = ("relative", "absolute")
"""How a driver's numbers are taken: as they change from its first frame, or as they are."""
_TRIED = 50
"""Frames of a driver in which a face is looked for."""


@dataclass(frozen=True, eq=False)
class LatentRun(PhotoRun):
    """A generator that needs no maps, and whom a photo shows.

    Args:
        bridge: from parameters with names to motion; None if there is none.
        driven: motion of each frame, where a driver's frames tell it.
    """

    bridge: MotionBridge | None = None
    driven: Float[Tensor, "T K"] | None = None

    @cached_property
    def own(self) -> Float[Tensor, "1 K"]:
        """Motion of the photo."""
        return self.motion(self.photos[0].photo)

    def motion(self, picture: Float[Tensor, "1 3 S S"]) -> Float[Tensor, "1 K"]:
        """Motion of a picture.

        Args:
            picture: from -1 to 1.
        """
        made: Any = self.generator
        device = next(made.parameters()).device
        with torch.inference_mode():
            return made.motion(picture.to(device)).float().cpu().clone()

    def relative(
        self, driver: Float[Tensor, "T K"], start: Float[Tensor, "1 K"]
    ) -> Float[Tensor, "T K"]:
        """Motion of the photo that changes as a driver's does.

        Args:
            driver: motion of the driver's frames.
            start: of the one that is like the photo.
        """
        made: Any = self.generator
        return made.relative(self.own, driver, start)

    def _styles(self, parameters: FaceParameters) -> Iterator[Float[Tensor, " K"]]:
        if self.driven is not None:
            yield from self.driven
            return
        if self.bridge is None:
            raise MissingFileError(
                f"{self.path} has no bridge from parameters to its motion, which training with "
                "rendered people writes; drive it by a video"
            )
        line, photo = self.bridge.to_motion, named_values(self.target.track.parameters[0])
        yield from self.relative(line(named_values(parameters)), line(photo))

    def _told(self, parameters: FaceParameters) -> Iterator[Told]:
        """Motion alone: it needs no maps and no flow."""
        side = self.config.resolution
        nothing = FlowPrior(torch.zeros(1, side, side, 2), torch.zeros(1, side, side))
        for style in self._styles(parameters):
            yield Told(torch.zeros(1, side, side, 0), (nothing,), style)


def latent_film(
    run: LatentRun,
    driver: Path,
    place: Path,
    look: Look,
    *,
    motion: str = "relative",
    tell: Progress,
) -> dict[str, Any]:
    """Make whom a photo shows move as the frames of a video do; nothing is tracked.

    Args:
        run: who moves.
        driver: a video. What it shows about the first face that is found is looked at.
        place: the video to write.
        look: what is written; without a bridge the crop alone, since it is not known where the
            head goes.
        motion: one of `MOTIONS`.
        tell: is told what begins now.

    Returns:
        As `reenact_video`.

    Raises:
        ParameterError: the motion is none of those, or the video has one frame.
        NoFaceError: none of its first frames shows a face.
        MorphfaceError: the subclass and its message say what is wrong.
    """
    if motion not in MOTIONS:
        raise ParameterError(f"motion must be one of {', '.join(MOTIONS)}, got {motion!r}")
    tell("looking at the driver")
    crop = _crop_of(driver, run.config.resolution)
    times, codes = [], []
    with read_video(driver) as video:
        for frame in video:
            times.append(frame.time)
            pixels = (crop.apply(frame.photo.pixels, fill=0.5) * 255).round().to(torch.uint8)
            codes.append(run.motion(signed(pixels)))
    if len(codes) < 2:
        raise ParameterError(
            f"{driver} has 1 frame, which does not move: DRIVER must be a video; "
            "`morphface animate` moves the photo without one"
        )
    found = torch.cat(codes)
    driven = found if motion == "absolute" else run.relative(found, found[:1])
    parameters, bare = _followed(run, driven), run.bridge is None
    clock = torch.tensor(times, dtype=torch.float64)
    rate = 1 / float(clock.diff().median())
    rows = torch.zeros(len(codes), dtype=torch.long)
    moves = Motion(parameters, rows, clock, rate, driver, crop if look.compare else None)
    facts = {"driver": driver.name, "driver_sha256": file_sha256(driver)}
    shown = replace(look, crop_only=look.crop_only or bare)
    report = written(replace(run, driven=driven), moves, place, shown, facts, tell=tell)
    words = "there is no bridge: the crop alone is written" if bare and not look.crop_only else ""
    return report | {"mode": motion, "warnings": [words] if words else []}


def _followed(run: LatentRun, motion: Float[Tensor, "T K"]) -> FaceParameters:
    """Where the head goes with a motion, about, by which the frame around it is bent."""
    photo = run.target.track.parameters[0]
    if run.bridge is None:
        return moved_by(photo, torch.zeros(len(motion), named_values(photo).shape[1]), run.model)
    line = run.bridge.to_named
    return moved_by(photo, line(motion) - line(run.own), run.model)


def _crop_of(driver: Path, side: int) -> Crop:
    """The square about the first face of a video."""
    with read_video(driver) as video:
        for frame, _ in zip(video, range(_TRIED), strict=False):
            try:
                _, faces = faces_of(frame.photo, "largest", lambda _: None)
            except NoFaceError:
                continue
            return Crop.around(box_of(faces[0].points[:, :2]), side)
    raise NoFaceError(f"no face is seen in the first {_TRIED} frames of {driver}")
