"""The motion of one person onto another, from file to file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from morphface.core.errors import OutputError, ParameterError
from morphface.core.files import output_folder
from morphface.edit import MODES, TransferSettings, transfer
from morphface.edit.settings import find_settings
from morphface.geometry.camera import Camera
from morphface.media.images import write_photo
from morphface.parameters import FaceParameters, save_parameters
from morphface.pipelines.actors import Actor, file_of, is_parameters, is_video, model_of, read_actor
from morphface.pipelines.photo import Progress

__all__ = ["OUTPUTS", "transfer_files"]

_PICTURES = (".png", ".jpg", ".jpeg")
_MOVIES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif")
OUTPUTS = (".npz", *_PICTURES, *_MOVIES)
"""What a transfer can be written as."""


def transfer_files(
    source: str | Path,
    target: str | Path,
    out: str | Path,
    *,
    settings: str | TransferSettings = "reenact",
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Move the person of one file as that of another moves, and write the result.

    Args:
        source: whose motion it is: a fitted `face.npz`, a `track.npz`, the folder that
            holds one, a photo, or a video.
        target: who shall move, likewise.
        out: parameters (`.npz`), or the photo of the target drawn anew: a picture, or a video
            if the source has several frames.
        settings: as in `morphface.edit.transfer`.
        model: name or path of the model that photos are fitted with; None takes that of the
            other file, or the open head.
        progress: is told what begins now.

    Returns:
        What was done: the two files, the number of frames, and warnings.

    Raises:
        ParameterError: `out` cannot hold what would be written, or the settings are unknown.
        OutputError: `out` cannot be written.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell = progress or (lambda _: None)
    chosen, source, target = find_settings(settings), file_of(source), file_of(target)
    place = Path(out)
    _check_output(place, target)
    fitted = model or model_of(target) or model_of(source)
    people = [
        read_actor(path, model if is_parameters(path) else fitted, progress=tell)
        for path in (source, target)
    ]
    here, there = people
    _check_frames(place, here)
    tell("transferring")
    moved = transfer(
        here.parameters,
        there.parameters,
        chosen,
        source_model=here.model,
        target_model=there.model,
    )
    report = {
        "mode": next((name for name, mode in MODES.items() if mode == chosen), "custom"),
        "settings": asdict(chosen),
        "source": here.provenance(),
        "target": there.provenance(),
        "frames": moved.frames,
        "warnings": [f"{p.path} may not be trusted: {p.warning}" for p in people if p.warning],
    }
    _write(place, moved, people, report, tell)
    return report


def _check_output(out: Path, target: str) -> None:
    """What can be known to be wrong before any work is done."""
    suffix = out.suffix.lower()
    if suffix not in OUTPUTS:
        raise ParameterError(f"{out.name!r} must end with one of {', '.join(OUTPUTS)}")
    if suffix != ".npz" and (is_parameters(target) or is_video(target)):
        raise ParameterError(
            f"{out.name} is a picture of the target, which must then be a photo, "
            f"but {target} is not; write .npz, or give the photo"
        )
    if out.is_dir():
        raise OutputError(f"cannot write to {out}: it is a folder; name a file in it")
    with output_folder(out.parent):  # finds out now what would be refused at the end
        pass


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
    tell: Progress,
) -> None:
    source, target = people
    if out.suffix.lower() == ".npz":
        camera = _one_camera(target.camera, moved.frames)
        extra = {"transfer": report}
        save_parameters(out, moved, camera, model=target.model.name, extra=extra)
        return
    from morphface.rerender import Rerenderer

    if target.face is None or target.photo is None:
        raise ParameterError(f"{out.name} needs a photo of the target, got {target.path}")
    stage = Rerenderer(target.face, target.photo)
    tell("drawing")
    if out.suffix.lower() in _PICTURES:
        write_photo(out, stage(moved), target.photo)
        return
    from morphface.media.video import VideoWriter

    sound = source.path if source.kind == "video" else None
    with VideoWriter(out, target.photo.size, source.rate, sound_from=sound) as writer:
        for frame in range(moved.frames):
            tell(f"drawing frame {frame + 1} of {moved.frames}")
            time = None if source.times is None else float(source.times[frame])
            writer.write(stage(moved[frame]), time)


def _one_camera(camera: Camera, frames: int) -> Camera:
    """The camera for another number of frames: its first one, if it had one for each."""
    if camera.focal.ndim == 0 or len(camera.focal) in (1, frames):
        return camera
    weak = camera.weak_depth
    first = None if weak is None else weak[0]
    return Camera(camera.focal[0], camera.principal[0], camera.size, first)
