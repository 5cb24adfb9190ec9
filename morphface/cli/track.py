"""The command `morphface track`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Camera, Debug, Focal, Model, Quiet, Stage, Strict
from morphface.cli.output import named, progress_bar, say

__all__ = ["track"]


_Video = Annotated[
    str,
    typer.Argument(
        help="A video, a folder of pictures or a pattern of these, as frames/%05d.png, or the "
        "number of a webcam, such as 0.",
        metavar="VIDEO",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Folder for the results; by default NAME-track.", metavar="DIR"
    ),
]
_Start = Annotated[float, typer.Option(help="Where to begin, in seconds.", metavar="SECONDS")]
_End = Annotated[float | None, typer.Option(help="Where to end, in seconds.", metavar="SECONDS")]
_Every = Annotated[int, typer.Option(help="Take one frame of so many.", metavar="N")]
_Rate = Annotated[
    float | None, typer.Option(help="Frames a second of pictures, else 25.", metavar="FPS")
]
_People = Annotated[int, typer.Option(help="The most people to track, in all.", metavar="N")]
_Smooth = Annotated[
    bool, typer.Option("--smooth", help="Smooth the motion, with the frames to come as well.")
]
_NoOverlay = Annotated[
    bool, typer.Option("--no-overlay", help="Leave out the video that shows the track.")
]


def track(
    video: _Video,
    out: _Out = None,
    *,
    model: Model = "open-head",
    start: _Start = 0.0,
    end: _End = None,
    every: _Every = 1,
    rate: _Rate = None,
    people: _People = 1,
    focal: Focal = None,
    camera: Camera = None,
    stage: Stage = "pixels",
    smooth: _Smooth = False,
    strict: Strict = None,
    no_overlay: _NoOverlay = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Track faces through a video: parameters, report and a video that shows them."""
    folder = out or Path(f"{_name(video)}-track")
    with progress_bar("{task.completed:.0f} frames  {task.fields[speed]}", quiet=quiet) as bar:
        task = bar.add_task("loading", total=None, speed="")
        from morphface.pipelines import track_video

        def advance(done: int, total: int | None) -> None:
            speed = bar.tasks[0].speed
            words = "" if speed is None else f"{speed:.1f} frames/s"
            bar.update(task, completed=done, total=total, speed=words)

        report = track_video(
            video,
            folder,
            model=model,
            start=start,
            end=end,
            every=every,
            rate=rate,
            people=people,
            focal=focal,
            camera=camera,
            stage=stage,
            smooth=smooth,
            strict=named(strict),
            overlay=not no_overlay,
            progress=lambda words: bar.update(task, description=words),
            advance=advance,
        )
    _summarise(report, folder, quiet)


def _name(video: str) -> str:
    """What results are named after: of a pattern, the folder that it is in."""
    if not video.strip("0123456789"):
        return "webcam"
    place = Path(video)
    return place.absolute().parent.name if "%" in place.name or "*" in place.name else place.stem


def _summarise(report: dict[str, Any], folder: Path, quiet: bool) -> None:
    say(
        f"{report['frames']} frames at {report['frames_per_second']:.1f} a second: "
        f"{report['frames_tracked']} tracked, {report['frames_predicted']} predicted, "
        f"{report['frames_lost']} lost",
        quiet=quiet,
    )
    for person in report["people"]:
        error = person["landmark_error"]
        known = "unknown" if error is None else f"{100 * error:.1f} % of the eye distance"
        say(
            f"person {person['number']}: landmark error {known}, seen in "
            f"{report['frames'] - person['frames_lost']} frames{_told(person['quality'])}",
            quiet=quiet,
        )
        for warned in person["warnings"]:
            words = f"person {person['number']}: {warned['words']}"
            say(words, quiet=quiet, style="yellow")
    for warning in report["warnings"]:
        say(warning, quiet=quiet, style="yellow")
    say(f"written to {folder}/", quiet=quiet)


def _told(quality: float | None) -> str:
    return "" if quality is None else f", of which about {quality:.0%} are right"
