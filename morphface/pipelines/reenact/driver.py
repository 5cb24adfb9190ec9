"""Whose motion it is, and how the target of a run follows it."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import MissingFileError, ParameterError
from morphface.edit import Rule, TransferSettings, neutral, transfer
from morphface.edit.frames import GROUPS
from morphface.edit.settings import find_settings
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.media.crop import Crop
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters, Track, load_track
from morphface.pipelines.actors import Actor, file_of, is_parameters, is_video, read_actor
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.backdrop import there_and_back
from morphface.pipelines.reenact.run import Run

__all__ = [
    "Driver",
    "beyond",
    "chosen_rows",
    "driven",
    "read_driver",
    "rows_at",
    "run_settings",
    "strayed",
]

_LOOKED_AT = 8
_REACH = 2.5
"""Standard deviations of the training's poses that a head may be away from their mean."""
_TURNED, _MOVED = 5.0, 20.0
"""Degrees and mm by which a head may leave the range of its training before that is said."""


@dataclass(frozen=True, eq=False)
class Driver:
    """A person that moves.

    Args:
        actor: who it is.
        times: of the frames, in seconds of the file.
        video: that shows them; None if it is not at hand.
    """

    actor: Actor
    times: Float[Tensor, " T"]
    video: Path | None

    def crop(self, size: int, track: Track, model: MorphableModel) -> Crop:
        """One square about the face in all frames, framed as the target is in its crop.

        Args:
            size: of the result in pixels.
            track: of the target, in its crop's camera.
            model: of the target.
        """
        actor = self.actor
        like = _boxes(model, track.parameters, track.camera).median(dim=0).values
        middle, height = float(like[1] + like[3]) / 2, float(like[3] - like[1])
        side = track.camera.size[0]
        boxes = _boxes(actor.model, actor.parameters, actor.camera)
        return Crop.steady(boxes, size, share=height / side, lift=middle / side - 0.5)


def _boxes(model: MorphableModel, face: FaceParameters, camera: Camera) -> Float[Tensor, "n 4"]:
    """Where the head is in some frames: left, top, right and bottom."""
    rows = torch.linspace(0, face.frames - 1, min(_LOOKED_AT, face.frames)).long()
    shape = model.vertices(face.identity, face.expression[rows])
    seen = camera.project(to_camera(shape, face.rotation[rows], face.translation[rows]))
    return torch.cat([seen[..., :2].amin(dim=1), seen[..., :2].amax(dim=1)], dim=1)


def read_driver(
    path: str | Path, run: Run, *, model: str | None = None, progress: Progress | None = None
) -> Driver:
    """The driver in a file: a video, which is tracked, or what `morphface track` wrote.

    Args:
        path: of the file, or of the folder that holds a track.
        run: that is driven; its model is fitted to a video.
        model: where a model is that is not known by its name.
        progress: is told what begins now.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it holds one picture or one frame, which does not move.
        MorphfaceError: as of `read_actor`.
    """
    file = file_of(path)
    if not Path(file).exists():
        raise MissingFileError(f"there is no driver {file}; name a video, or a track.npz")
    if Path(file).is_dir():
        within = sorted(Path(file).glob("*/track.npz"))
        such = f", such as {within[0]}" if within else ""
        raise MissingFileError(
            f"folder {file} holds no track.npz; name a video, or a track.npz{such}"
        )
    if not (is_parameters(file) or is_video(file)):
        raise ParameterError(
            f"{file} does not move: DRIVER must be a video or a track; "
            "`morphface animate` moves the target without one"
        )
    chosen = model if is_parameters(file) else model or run.target.model
    actor = read_actor(file, chosen, progress=progress)
    frames = actor.parameters.frames
    if frames < 2:
        raise ParameterError(
            f"{file} has 1 frame, which does not move: DRIVER must be a video or a track.npz; "
            "`morphface animate` moves the target without one"
        )
    times = torch.arange(frames, dtype=torch.float64) / actor.rate
    times = times if actor.times is None else actor.times.double()
    return Driver(actor, times, _video(actor))


def _video(actor: Actor) -> Path | None:
    """The video that shows an actor, if it is at hand."""
    if actor.kind == "video":
        return Path(actor.path)
    named = load_track(actor.path)[1]["extra"].get("video") if actor.kind == "track" else None
    found = Path(str(named)) if named else None
    return found if found is not None and found.is_file() else None


def run_settings(settings: str | TransferSettings, *, limit: bool = True) -> TransferSettings:
    """What a transfer onto a run does.

    A network knows only heads that are turned and placed as in its training. So the modes that
    take the driver's rotation as it is take its change from the driver's mean here, as they do
    with the place of the head, and both stop where the training's did. Settings that are given in
    full stay as they are.

    Args:
        settings: a mode by name, or in full.
        limit: whether the head stops; else it goes on, with flaws.

    Raises:
        ParameterError: there is no such mode.
    """
    chosen = find_settings(settings)
    if isinstance(settings, TransferSettings):
        return chosen
    rotation, place = (
        rule if rule.how == "keep" else replace(rule, clamp=_REACH if limit else None)
        for rule in (chosen.rotation, chosen.translation)
    )
    if rotation.how == "absolute":
        rotation = replace(rotation, how="relative")
    return replace(chosen, rotation=rotation, translation=place)


def rows_at(track: Track, times: Float[Tensor, " T"], rate: float) -> Int[Tensor, " T"]:
    """Rows of a track at some times after its start; it is played back and forth.

    Args:
        track: of the target.
        times: in seconds, from 0.
        rate: of the track, in frames a second.
    """
    return there_and_back((times * rate).round().long(), track.frames)


def driven(
    driver: Driver, run: Run, settings: TransferSettings, rows: Int[Tensor, " T"]
) -> FaceParameters:
    """The target that moves as the driver does, before the camera of its crop.

    Args:
        driver: whose motion it is.
        run: who moves.
        settings: of the transfer.
        rows: of the target's track, for what is kept of it.
    """
    target = run.target.track.parameters
    reference = None
    if settings.reference == "neutral":
        reference = neutral(target, run.model)
    kept = any(rule.how == "keep" for rule in settings.rules.values())
    if kept or settings.part != "face":
        target = chosen_rows(target, rows)
    return transfer(
        driver.actor.parameters,
        target,
        settings,
        source_model=driver.actor.model,
        target_model=run.model,
        target_reference=reference,
    )


def chosen_rows(parameters: FaceParameters, rows: Int[Tensor, " T"]) -> FaceParameters:
    """Some frames, in any order."""
    return replace(parameters, **{name: getattr(parameters, name)[rows] for name in GROUPS})


def strayed(driver: Driver, run: Run, settings: TransferSettings, rows: Int[Tensor, " T"]) -> str:
    """How far a driver takes the head beyond the poses of its training; empty if it does not.

    Args:
        driver: whose motion it is.
        run: who moves.
        settings: of the transfer.
        rows: as of `driven`.
    """
    if run.of_photo:
        return ""
    limited = settings.rotation, settings.translation
    turn, place = (replace(rule, clamp=None) for rule in limited)
    free = TransferSettings(turn, place, Rule("keep"), Rule("keep"), reference=settings.reference)
    words = beyond(driven(driver, run, free, rows), run.target.track)
    if words and any(rule.clamp is not None for rule in limited):
        return f"{words}: it stops about there; --no-limit lets it go on, with flaws"
    return f"{words}: expect flaws there" if words else ""


def beyond(parameters: FaceParameters, track: Track) -> str:
    """In how many frames a head leaves the poses of its training; empty if in none.

    Args:
        parameters: of the frames to make.
        track: that the network was trained on.
    """
    both = parameters, track.parameters
    turns = _excess(*(rotvec_to_angles(face.rotation).rad2deg() for face in both))
    moves = _excess(*(face.translation[:, :2] for face in both))
    share = float(((turns > _TURNED) | (moves > _MOVED)).float().mean())
    if share == 0:
        return ""
    found = ((turns, _TURNED, "degrees"), (moves, _MOVED, "mm"))
    far = [f"{float(some.max()):.0f} {unit}" for some, most, unit in found if some.max() > most]
    return (
        f"in {share:.0%} of the frames the head turns or moves further than it did in training, "
        f"by up to {' and '.join(far)}"
    )


def _excess(values: Float[Tensor, "T K"], known: Float[Tensor, "N K"]) -> Float[Tensor, " T"]:
    """How far values are outside of what is known."""
    return torch.maximum(known.amin(0) - values, values - known.amax(0)).amax(dim=1)
