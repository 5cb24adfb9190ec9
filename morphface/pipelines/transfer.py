"""The motion of one person onto another, from file to file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morphface.core.errors import OutputError, ParameterError
from morphface.core.files import output_folder
from morphface.core.lookahead import computed_ahead
from morphface.edit import MODES, TransferSettings, transfer
from morphface.edit.settings import find_settings
from morphface.fit.fitted import FittedPhoto
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters, save_parameters
from morphface.pipelines.actors import (
    TRACK,
    Actor,
    file_of,
    is_parameters,
    is_video,
    model_of,
    read_actor,
)
from morphface.pipelines.honest import check_turn, doubt, shown_of
from morphface.pipelines.kept import holds_fit
from morphface.pipelines.marks import labelled, made_note, made_tags, write_made
from morphface.pipelines.photo import Progress

if TYPE_CHECKING:
    from morphface.rerender import Rerenderer

__all__ = ["OUTPUTS", "Drawing", "transfer_files"]

SMALLEST = 32
"""Pixels along the longer side of what is drawn, at least."""
_PICTURES = (".png", ".jpg", ".jpeg")
_MOVIES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif")
OUTPUTS = (".npz", *_PICTURES, *_MOVIES)
"""What a transfer can be written as."""


@dataclass(frozen=True)
class Drawing:
    """How a transfer onto a photo is drawn.

    Args:
        size: pixels along the longer side of what is written, at most; None is that of the photo.
        start: the first frame of the source that is drawn.
        end: the one after the last; None draws all.
        label: whether the word `synthetic` is written into a corner.
        force: whether heads are drawn that turn so far that the photo shows nothing of them.

    Raises:
        ParameterError: a number is out of its range.
    """

    size: int | None = None
    start: int = 0
    end: int | None = None
    label: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and self.size < SMALLEST:
            raise ParameterError(f"size must be at least {SMALLEST} pixels, got {self.size}")
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise ParameterError(
                f"start must be 0 or more and end beyond it, got {self.start} and {self.end}"
            )

    def frames(self, count: int) -> range:
        """Which of so many frames are drawn.

        Args:
            count: frames that there are.

        Raises:
            ParameterError: there are none from the start on.
        """
        if self.start >= count:
            raise ParameterError(f"start must be below the number of frames, {count}")
        return range(self.start, count if self.end is None else min(self.end, count))


def transfer_files(
    source: str | Path,
    target: str | Path,
    out: str | Path,
    *,
    settings: str | TransferSettings = "reenact",
    model: str | None = None,
    drawing: Drawing | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Move the person of one file as that of another moves, and write the result.

    Args:
        source: whose motion it is: a fitted `face.npz`, a `track.npz`, the folder that
            holds one, a photo, or a video.
        target: who shall move, likewise; a fit is drawn in its photo, and not fitted again.
        out: parameters (`.npz`), or the photo of the target drawn anew: a picture, or a video
            if the source has several frames.
        settings: as in `morphface.edit.transfer`.
        model: name or path of the model that photos are fitted with; None takes that of the
            other file, or the open head.
        drawing: how a picture or a video of the target is drawn; None is all of it, as large as
            the photo.
        progress: is told what begins now.

    Returns:
        What was done: the two files, the number of frames, warnings, and, of what was drawn, the
        least share of the head that the photo shows, `shown`.

    Raises:
        ParameterError: `out` cannot hold what would be written, the settings are unknown, or the
            head would turn by more than 100 degrees from its photo.
        OutputError: `out` cannot be written.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell = progress or (lambda _: None)
    chosen, source, target = find_settings(settings), file_of(source), file_of(target)
    place = Path(out)
    _check_output(place, target)
    fitted = model or model_of(target) or model_of(source)
    here = read_actor(source, model if is_parameters(source) else fitted, progress=tell)
    own = model if is_parameters(target) else fitted
    there = read_actor(target, own, drawn=place.suffix.lower() != ".npz", progress=tell)
    people = [here, there]
    _check_frames(place, here)
    drawing = drawing or Drawing()
    drawn = drawing.frames(here.parameters.frames)
    tell("transferring")
    moved = transfer(
        here.parameters,
        there.parameters,
        chosen,
        source_model=here.model,
        target_model=there.model,
    )
    warnings = [f"{p.path} may not be trusted: {p.warning}" for p in people if p.warning]
    report = {
        "mode": next((name for name, mode in MODES.items() if mode == chosen), "custom"),
        "settings": asdict(chosen),
        "source": here.provenance(),
        "target": there.provenance(),
        "frames": moved.frames if place.suffix.lower() == ".npz" else len(drawn),
        "warnings": warnings,
    }
    shares = _write(place, moved, people, report, drawing=drawing, tell=tell)
    if shares:
        words = doubt(shares)
        report |= {"shown": min(shares), "warnings": warnings + [words] * bool(words)}
    return report


def _check_output(out: Path, target: str) -> None:
    """What can be known to be wrong before any work is done."""
    suffix = out.suffix.lower()
    if suffix not in OUTPUTS:
        raise ParameterError(f"{out.name!r} must end with one of {', '.join(OUTPUTS)}")
    if suffix != ".npz" and (is_video(target) or (is_parameters(target) and not _fit(target))):
        raise ParameterError(
            f"{out.name} is a picture of the target, which must then be a photo or the fit of one, "
            f"but {target} is not; write .npz, or give the photo"
        )
    if out.is_dir():
        raise OutputError(f"cannot write to {out}: it is a folder; name a file in it")
    with output_folder(out.parent):  # finds out now what would be refused at the end
        pass


def _fit(path: str) -> bool:
    """Whether a file of parameters is the fit of a photo."""
    return Path(path).name != TRACK and holds_fit(path)


def _check_frames(out: Path, source: Actor) -> None:
    frames, suffix = source.parameters.frames, out.suffix.lower()
    if suffix in _PICTURES and frames > 1:
        raise ParameterError(
            f"{out.name} holds one picture, but {source.path} has {frames} frames; write .mp4"
        )
    if suffix in _MOVIES and frames == 1:
        raise ParameterError(
            f"{out.name} is a video, but {source.path} has 1 frame; write .png instead"
        )


def _write(
    out: Path,
    moved: FaceParameters,
    people: list[Actor],
    report: dict[str, Any],
    *,
    drawing: Drawing,
    tell: Progress,
) -> list[float]:
    """Writes what was made; of each frame that was drawn, the share that the photo shows."""
    source, target = people
    if out.suffix.lower() == ".npz":
        camera = _one_camera(target.camera, moved.frames)
        extra = {"transfer": report}
        save_parameters(out, moved, camera, model=target.model.name, extra=extra)
        return []
    from morphface.rerender import Rerenderer
    from morphface.rerender.shrink import shrunk

    if target.face is None or target.photo is None:
        raise ParameterError(f"{out.name} needs a photo of the target, got {target.path}")
    found = FittedPhoto(target.photo, (target.face,))
    found = found if drawing.size is None else shrunk(found, drawing.size)
    face, frames = found.faces[0], drawing.frames(moved.frames)
    check_turn(face, moved[frames.start : frames.stop], force=drawing.force)
    stage = Rerenderer(face, found.photo)
    tell("drawing")
    if out.suffix.lower() in _PICTURES:
        same = target.photo if drawing.size is None else None
        pixels, sure = stage.with_confidence(moved)
        share = shown_of(face, moved, sure)
        note = made_note(target.path, shown=share)
        write_made(out, pixels, note, label=drawing.label, photo=same)
        return [share]
    return _write_video(out, stage, moved, people, drawing=drawing, tell=tell)


def _write_video(
    out: Path,
    stage: "Rerenderer",
    moved: FaceParameters,
    people: list[Actor],
    *,
    drawing: Drawing,
    tell: Progress,
) -> list[float]:
    from morphface.media.video import VideoWriter

    source, target = people
    sound, tags = source.path if source.kind == "video" else None, made_tags(target.path)
    frames, shares = drawing.frames(moved.frames), []
    with VideoWriter(out, stage.photo.size, source.rate, sound_from=sound, tags=tags) as writer:
        drawn = computed_ahead(stage.with_confidence, (moved[frame] for frame in frames))
        for number, (frame, (pixels, sure)) in enumerate(zip(frames, drawn, strict=True)):
            tell(f"drew frame {number + 1} of {len(frames)}")
            shares.append(shown_of(stage.face, moved[frame], sure))
            time = None if source.times is None else float(source.times[frame])
            writer.write(labelled(pixels) if drawing.label else pixels, time)
    return shares


def _one_camera(camera: Camera, frames: int) -> Camera:
    """The camera for another number of frames: its first one, if it had one for each."""
    if camera.focal.ndim == 0 or len(camera.focal) in (1, frames):
        return camera
    weak = camera.weak_depth
    first = None if weak is None else weak[0]
    return Camera(camera.focal[0], camera.principal[0], camera.size, first)
