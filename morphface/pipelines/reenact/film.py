"""Frames of a run into a file: made, pasted, labelled and written one by one."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import OutputError, ParameterError
from morphface.core.files import output_folder
from morphface.core.version import __version__
from morphface.media.crop import Crop
from morphface.media.video import VideoWriter, read_video
from morphface.media.video.encoding import encoding_for
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.backdrop import ClipFrames, clip_of, pasted
from morphface.pipelines.reenact.panels import WORDS, Label, side_by_side
from morphface.pipelines.reenact.run import Made, Run

__all__ = ["Filmed", "Look", "Motion", "check_out", "compare_path", "film", "provenance"]

SOUNDS = ("driver", "target", "none")
_PANEL = 256


@dataclass(frozen=True)
class Look:
    """What is written.

    Args:
        compare: write a second video with source, target, maps and result side by side.
        label: write `synthetic` into a corner of the frames.
        crop_only: write the square that the network makes, not the frame that it is a part of.
        clip: the clip that the run was trained on; None looks where it was seen last.
        sound: of the "driver", the "target", or "none".

    Raises:
        ParameterError: the sound is none of these.
    """

    compare: bool = False
    label: bool = True
    crop_only: bool = False
    clip: str | Path | None = None
    sound: str = "driver"

    def __post_init__(self) -> None:
        if self.sound not in SOUNDS:
            raise ParameterError(f"sound must be one of {', '.join(SOUNDS)}, got {self.sound!r}")


@dataclass(frozen=True, eq=False)
class Motion:
    """What the target of a run does.

    Args:
        parameters: of the frames to make.
        rows: of the target's track, whose frames are behind the made ones.
        times: of the frames, in seconds; of the driver's file, if there is one.
        rate: frames a second.
        video: that shows the driver; None if there is none.
        crop: of the driver's frames, for the comparison.
    """

    parameters: FaceParameters
    rows: Int[Tensor, " T"]
    times: Float[Tensor, " T"]
    rate: float
    video: Path | None = None
    crop: Crop | None = None


@dataclass(frozen=True, eq=False)
class Filmed:
    """What became of it.

    Args:
        frames: how many were written.
        size: height and width of them.
        background: what they were pasted into, in words.
        sound: where it comes from, in words.
    """

    frames: int
    size: tuple[int, int]
    background: str
    sound: str


def check_out(out: Path, inputs: list[str | Path | None]) -> None:
    """Refuse now what would be refused after all the work.

    Args:
        out: the video to write.
        inputs: files that must not be written over.

    Raises:
        OutputError: it cannot be written, or is one of the inputs.
    """
    encoding_for(out, lossless=False)
    if out.is_dir():
        raise OutputError(f"cannot write to {out}: it is a folder; name a file in it")
    for path in inputs:
        if path is not None and Path(path).resolve() == out.resolve():
            raise OutputError(f"cannot write to {out}: it is an input; choose another name")
    with output_folder(out.parent):
        pass


def compare_path(out: Path) -> Path:
    """Where the comparison is written."""
    return out.with_name(f"{out.stem}-compare{out.suffix}")


def provenance(run: Run, driver: dict[str, str]) -> dict[str, str]:
    """What a made video says about itself, whoever looks at it.

    Args:
        run: that made it.
        driver: what it was made from, and its checksum.
    """
    return {
        "synthesised_by": f"morphface {__version__}",
        "weights_sha256": run.sha256,
        "target_sha256": str(run.target.clip["sha256"]),
        **driver,
    }


def film(
    run: Run, motion: Motion, out: Path, look: Look, *, facts: dict[str, str], tell: Progress
) -> Filmed:
    """Make the frames of a motion, and write them as they are made.

    Args:
        run: that makes them.
        motion: what to show.
        out: the video to write.
        look: what is written.
        facts: what the file says about itself.
        tell: is told how far it is.

    Raises:
        OutputError: the file cannot be written.
        MissingFileError: the clip of the target is not where `look` says.
    """
    stage = _Stage.of(run, motion, look)
    sound = _Sound.of(stage, motion, look)
    labelled = _labels(look)
    times = motion.times - motion.times[0] + sound.begin
    batch = 8 if next(run.generator.parameters()).device.type == "cuda" else 1
    with ExitStack() as stack:
        writer = _writer(out, stage.size, motion, sound, facts)
        stack.enter_context(writer)
        beside = _Beside(stage, motion) if look.compare else None
        second = None
        if beside is not None:
            second = _writer(compare_path(out), beside.size, motion, sound, facts)
            stack.enter_context(second)
        for k, made in enumerate(run.frames(motion.parameters, batch=batch)):
            tell(f"making frame {k + 1} of {motion.parameters.frames}")
            row, time = int(motion.rows[k]), float(times[k])
            writer.write(labelled(stage.finished(row, made.frame)), time)
            if second is not None and beside is not None:
                second.write(labelled(beside.panels(k, row, made)), time)
    missing = sound.missing or writer.sound_missing
    heard = f"none: {missing}" if missing else sound.words
    return Filmed(motion.parameters.frames, stage.size, stage.words, heard)


@dataclass(frozen=True, eq=False)
class _Stage:
    """What made crops are pasted into.

    Args:
        run: that makes them.
        clip: frames of the target's clip; None if it is not at hand.
        still: one frame of it; None if there is none.
        words: which of these, for a report.
    """

    run: Run
    clip: ClipFrames | None
    still: Float[Tensor, "H W 3"] | None
    words: str

    @classmethod
    def of(cls, run: Run, motion: Motion, look: Look) -> "_Stage":
        """The best that is at hand."""
        target = run.target
        path = clip_of(run.path, target, look.clip)
        clip = None if path is None else ClipFrames(path, target.track)
        name = target.clip["name"]
        if look.crop_only:
            return cls(run, clip, None, "none: the crop alone, as asked for")
        if clip is not None:
            again = motion.parameters.frames > target.track.frames
            more = ", back and forth since it is shorter" if again else ""
            return cls(run, clip, None, f"the frames of {path}{more}")
        way = f"{name} is not at hand; say where it is with --target"
        if target.whole:
            return cls(run, None, target.picture.pixels, f"one still frame: {way}")
        return cls(run, None, None, f"none: the crop alone, since {way}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of finished frames."""
        if self.still is not None:
            return self.still.shape[0], self.still.shape[1]
        if self.clip is not None and not self._bare:
            return self.clip.size
        return (self.run.config.resolution,) * 2

    @property
    def _bare(self) -> bool:
        return self.words.startswith("none")

    def finished(self, row: int, made: Float[Tensor, "S S 3"]) -> Float[Tensor, "H W 3"]:
        """A made crop in its place in a frame of the target."""
        if self._bare:
            return made
        frame = self.still if self.clip is None else self.clip[row]
        return made if frame is None else pasted(frame, self.run.target.crop, made)

    def square(self, row: int) -> Float[Tensor, "S S 3"]:
        """What the crop shows of the target itself."""
        target = self.run.target
        if self.clip is not None:
            return target.crop.apply(self.clip[row])
        picture = target.picture.pixels
        return target.crop.apply(picture) if target.whole else picture


@dataclass(frozen=True)
class _Sound:
    """Where sound comes from.

    Args:
        path: of the file that has it.
        begin: time in that file at which the made video begins.
        words: for a report.
        missing: why there is none; empty where there is.
    """

    path: Path | None = None
    begin: float = 0.0
    words: str = "none, as asked for"
    missing: str = ""

    @classmethod
    def of(cls, stage: _Stage, motion: Motion, look: Look) -> "_Sound":
        """That of the driver or of the target, if the file is at hand."""
        if look.sound == "none":
            return cls()
        if look.sound == "driver":
            if motion.video is None:
                return cls(missing="there is no video of the driver at hand")
            return cls(motion.video, float(motion.times[0]), f"that of {motion.video}")
        if stage.clip is None:
            return cls(missing=f"{stage.run.target.clip['name']} is not at hand")
        begin = float(stage.run.target.track.times[int(motion.rows[0])])
        return cls(stage.clip.path, begin, f"that of {stage.clip.path}")


class _Beside:
    """Source, target, maps and result in a row, for each frame.

    Args:
        stage: shows the target.
        motion: that is shown.
    """

    def __init__(self, stage: _Stage, motion: Motion) -> None:
        self._stage, self._motion = stage, motion
        self._side = max(_PANEL, stage.run.config.resolution)
        count = len(stage.run.config.maps) + (2 if motion.video is None else 3)
        self.size = self._side, self._side * count
        """Height and width of the row."""
        self._source = iter(()) if motion.video is None else iter(read_video(motion.video))
        self._seen: Tensor | None = None

    def panels(self, k: int, row: int, made: Made) -> Float[Tensor, "S W 3"]:
        """The row of frame `k`.

        Args:
            k: number of the frame.
            row: of the target's track that is behind it.
            made: what the network made.
        """
        source = self._at(float(self._motion.times[k]))
        pictures = {} if source is None else {"source": source}
        pictures["target"] = self._stage.square(row)
        pictures |= {name: values.float() / 255 for name, values in made.maps.items()}
        return side_by_side(pictures | {"result": made.frame}, self._side)

    def _at(self, time: float) -> Float[Tensor, "S S 3"] | None:
        """The driver at a time; times rise."""
        for frame in self._source:
            if frame.time >= time - 1e-3:
                crop = self._motion.crop
                self._seen = frame.photo.pixels if crop is None else crop.apply(frame.photo.pixels)
                break
        return self._seen


def _labels(look: Look) -> Callable[[Tensor], Tensor]:
    """Lays the label over frames of any size, if it is wanted."""
    known: dict[tuple[int, int], Label] = {}

    def labelled(picture: Tensor) -> Tensor:
        size = picture.shape[0], picture.shape[1]
        known.setdefault(size, Label.of(WORDS, size))
        return known[size].over(picture, "bottom right")

    return labelled if look.label else lambda picture: picture


def _writer(
    path: Path, size: tuple[int, int], motion: Motion, sound: _Sound, facts: dict[str, str]
) -> VideoWriter:
    words = "; ".join(f"{name}={value}" for name, value in facts.items())
    tags = {
        "title": "synthesised video",
        "comment": f"Synthesised by a generator, not recorded by a camera: {words}",
        "encoding_tool": f"morphface {__version__}",
    }
    return VideoWriter(path, size, motion.rate, sound_from=sound.path, tags=tags)
