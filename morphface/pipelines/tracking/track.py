"""A video in, the motion of its people out: parameters, report and overlay. Wiring only."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch

from morphface.core.errors import ParameterError, StoppedError
from morphface.core.files import output_folder, write_json
from morphface.fit.verdict import check_frame_kinds, judge_track
from morphface.fit.video import VideoSettings
from morphface.fit.video.settings import PEOPLE
from morphface.fit.video.smoothing import smooth as without_jitter
from morphface.geometry.focal import FocalLength, focal_pixels
from morphface.media.video import Video, read_video
from morphface.media.video.webcam import Webcam
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST, PREDICTED, TRACKED, Track, save_track
from morphface.parameters.archive import library_versions
from morphface.pipelines.calibration import Calibration, CameraSource, check_camera, lens_of
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.photo import Progress
from morphface.pipelines.tracking.report import describe_track, lost_warnings
from morphface.pipelines.tracking.run import Advance, TrackingRun
from morphface.pipelines.verdicts import refuse_tracked

__all__ = ["OVERLAY", "track_video"]

OVERLAY = "overlay.mp4"
_OF_THE_FIRST = ("landmark_error", "jitter_pixels", "box_drift", "blinks_per_minute")
"""What the report says of the first person at its top, too."""


def track_video(
    video: str | Path | int,
    out: str | Path,
    *,
    model: str | Path = "open-head",
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    rate: float | None = None,
    people: int = 1,
    focal: FocalLength | None = None,
    camera: CameraSource | None = None,
    stage: str = "pixels",
    smooth: bool = False,
    strict: Sequence[str] = (),
    overlay: bool = True,
    progress: Progress | None = None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Track the people of a video and write what was found to a folder.

    Written are `track.npz`, `report.json` and `overlay.mp4`. With `people` above 1 each person's
    track is in a folder of its own, `person_0`, `person_1`, ... Nothing appears in `out` before
    all is done. Ctrl-C ends the video there: what was tracked until then is written.

    Args:
        video: path of a video, of a folder of pictures or a pattern of these (`frames/%05d.png`),
            or the number of a webcam. A webcam is shown live where there is
            a display, until q is pressed.
        out: the folder, made if it is missing; files of the same names are replaced.
        model: name or path of a morphable model.
        start: where to begin in the video, in seconds.
        end: where to end, None: at the end.
        every: one frame of so many is taken.
        rate: frames in a second of pictures, 25 if it is not given.
        people: the most people that are tracked, over the whole video.
        focal: focal length in pixels, or a 35-mm equivalent as text, such as "50mm"; None
            estimates it.
        camera: that took the video, if it is calibrated, as of `fit_photo`; distortion is taken out
            of the frames.
        stage: "linear" tracks landmarks alone, "pixels" pixels as well.
        smooth: smooth the motion afterwards, past and future frames considered.
        strict: names of warnings, see `fit.verdict.FRAME_WARNINGS`, or "all": the person counts as
            lost in frames that have one of them.
        overlay: whether to write the video that shows the track.
        progress: is told what begins now.
        advance: is told how many frames are done.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to; this is found out first.
        StoppedError: it was interrupted; what was tracked until then is in `out`.
        NoFaceError: nobody could be tracked in any frame.
        VerdictError: every frame has a warning of `strict`.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    _check_people(people)
    check_camera(camera, focal)
    refused = check_frame_kinds(tuple(strict))
    tell = progress or (lambda _: None)
    part: _Part = {"start": start, "end": end, "every": every}
    with output_folder(out) as folder, _opened(video, rate, **part) as source:
        settings = VideoSettings(stage=stage, people=people, focal=focal)
        settings = _with_lens(settings, source, camera, str(video))
        head = with_landmarks_for(load_model(model), model, ["478", "68"], tell)
        run = TrackingRun(source, head, settings, folder / OVERLAY if overlay else None)
        run.follow(tell, advance or (lambda *_: None), draw=not smooth)
        changed = run.look_back(tell)
        tracks = refuse_tracked(run.tracks(), refused)
        run.warnings += lost_warnings(tracks)
        if smooth:
            tell("smoothing")
            tracks = {number: without_jitter(track, model=head) for number, track in tracks.items()}
        if smooth or changed or refused:
            run.draw_again(tracks, tell)
        tell("writing the files")
        wishes = {**part, "smooth": smooth, "strict": list(refused), **_plain(settings)}
        report = _header(video, model, run) | _describe(run, tracks) | {"settings": wishes}
        for number, track in tracks.items():
            inner = f"person_{number}" if people > 1 else "."
            person = _saved(folder / inner, number, track, head, str(video))
            report["people"].append({"number": number, "folder": inner, **person})
        report |= {name: report["people"][0][name] for name in _OF_THE_FIRST}
        write_json(folder / "report.json", report)
    if run.interrupted:
        raise _stopped(report, out)
    return report


def _saved(
    folder: Path, number: int, track: Track, model: MorphableModel, video: str
) -> dict[str, Any]:
    """What is said of a person whose track is written, with what its frames are warned of."""
    track = judge_track(track)
    person = describe_track(track, model)
    extra = {"video": video, "person": number, "report": person}
    save_track(folder / "track.npz", track, model=model.name, extra=extra)
    return person


def _stopped(report: dict[str, Any], out: str | Path) -> StoppedError:
    done = f"interrupted after {report['frames']} frames"
    return StoppedError(f"{done}; what was tracked until then is in {out}")


def _with_lens(
    settings: VideoSettings, source: Video | Webcam, camera: CameraSource | None, name: str
) -> VideoSettings:
    """The settings with what is known of the lens, whose distortion the frames lose."""
    if settings.focal is not None:
        return replace(settings, focal=focal_pixels(settings.focal, source.size))
    if camera is None:
        return settings
    size = source.size
    calibration = Calibration(lens_of(camera, name, size).of_picture(size), size)
    source.developed = calibration.photo
    return replace(settings, camera=calibration.lens.camera(size))


class _Part(TypedDict):
    """Which frames."""

    start: float
    end: float | None
    every: int


def _check_people(people: int) -> None:
    least, most = PEOPLE
    if not least <= people <= most:
        raise ParameterError(f"people must be from {least} to {most}, got {people}")


def _opened(video: str | Path | int, rate: float | None, **part: Unpack[_Part]) -> Video | Webcam:
    number = str(video)
    if isinstance(video, int) or (number.isdecimal() and not Path(number).exists()):
        return Webcam(int(number))
    return read_video(video, **part, rate=rate)


def _plain(settings: VideoSettings) -> dict[str, Any]:
    """The settings that are numbers or words."""
    found = {item.name: getattr(settings, item.name) for item in fields(settings)}
    return {k: v for k, v in found.items() if v is None or isinstance(v, int | float | str)}


def _header(video: str | Path | int, model: str | Path, run: TrackingRun) -> dict[str, Any]:
    height, width = run.source.size
    return {
        "video": str(video),
        "model": str(model),
        "size": {"height": height, "width": width},
        "rate": round(run.source.rate, 4),
        "versions": library_versions(),
        "interrupted": run.interrupted,
        "truncated": run.source.truncated,
        "warnings": run.warnings,
    }


def _describe(run: TrackingRun, tracks: dict[int, Track]) -> dict[str, Any]:
    """How many frames show anybody, and how long all took."""
    best = torch.stack([track.states for track in tracks.values()]).amin(dim=0)
    seconds = run.seconds["all"]
    return {
        "frames": len(best),
        "frames_tracked": int((best == TRACKED).sum()),
        "frames_predicted": int((best == PREDICTED).sum()),
        "frames_lost": int((best == LOST).sum()),
        "frames_per_second": round(len(best) / seconds, 2),
        "seconds": {name: round(value, 3) for name, value in run.seconds.items()},
        "people": [],
    }
