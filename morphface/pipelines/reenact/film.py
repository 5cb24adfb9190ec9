"""Frames of a run into a file: made, pasted, labelled and written one by one."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from morphface.core.errors import OutputError
from morphface.core.files import output_folder
from morphface.core.version import __version__
from morphface.media.video import VideoWriter
from morphface.media.video.encoding import encoding_for
from morphface.pipelines.marks import tags_saying
from morphface.pipelines.panels import WORDS, Label
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.beside import Beside
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.run import Run
from morphface.pipelines.reenact.sound import Sound
from morphface.pipelines.reenact.stage import Stage

__all__ = ["Filmed", "check_out", "compare_path", "film", "provenance"]


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


def check_out(out: Path, inputs: list[str | Path | None], look: Look) -> None:
    """Refuse now what would be refused after all the work.

    Args:
        out: the video to write.
        inputs: files that must not be written over.
        look: says whether a comparison is written beside it.

    Raises:
        OutputError: it cannot be written, or is one of the inputs.
    """
    encoding_for(out, lossless=False)
    known = [Path(path).resolve() for path in inputs if path is not None]
    for place in (out, compare_path(out))[: 1 + look.compare]:
        if place.is_dir():
            raise OutputError(f"cannot write to {place}: it is a folder; name a file in it")
        if place.resolve() in known:
            raise OutputError(f"cannot write to {place}: it is an input; choose another name")
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
    stage = Stage.of(run, motion, look)
    sound = Sound.of(stage, look)
    labelled = _labels(look)
    times = motion.times - motion.times[0] + sound.begin
    batch = 8 if next(run.generator.parameters()).device.type == "cuda" else 1
    with ExitStack() as stack:
        writer = _writer(out, stage.size, motion, sound, facts)
        stack.enter_context(writer)
        beside = Beside(stage) if look.compare else None
        second = None
        if beside is not None:
            second = _writer(compare_path(out), beside.size, motion, sound, facts)
            stack.enter_context(second)
        for k, made in enumerate(run.frames(motion.parameters, batch=batch)):
            tell(f"making frame {k + 1} of {motion.parameters.frames}")
            time = float(times[k])
            writer.write(labelled(stage.finished(k, made.frame)), time)
            if second is not None and beside is not None:
                second.write(labelled(beside.panels(k, made)), time)
    missing = sound.missing or writer.sound_missing
    heard = f"none: {missing}" if missing else sound.words
    return Filmed(motion.parameters.frames, stage.size, stage.words, heard)


def _labels(look: Look) -> Callable[[Tensor], Tensor]:
    """Lays the label over frames of any size, if it is wanted."""
    known: dict[tuple[int, int], Label] = {}

    def labelled(picture: Tensor) -> Tensor:
        size = picture.shape[0], picture.shape[1]
        known.setdefault(size, Label.of(WORDS, size))
        return known[size].over(picture, "bottom right")

    return labelled if look.label else lambda picture: picture


def _writer(
    path: Path, size: tuple[int, int], motion: Motion, sound: Sound, facts: dict[str, str]
) -> VideoWriter:
    words = "; ".join(f"{name}={value}" for name, value in facts.items())
    tags = tags_saying(f"Synthesised by a generator, not recorded by a camera: {words}")
    return VideoWriter(path, size, motion.rate, sound_from=sound.path, tags=tags)
