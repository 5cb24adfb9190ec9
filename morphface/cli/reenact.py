"""The commands `morphface reenact` and `morphface animate`: a trained run makes videos."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status
from morphface.core.errors import ParameterError

__all__ = ["animate", "reenact"]

_HOW = "keep|absolute|relative|standardised"

_Subject = Annotated[
    list[Path] | None,
    typer.Argument(
        help="What `morphface train dvp` wrote; with --photo, more photos of the same person.",
        metavar="[RUN or PICTURE]...",
        show_default=False,
    ),
]
_Photo = Annotated[
    str | None,
    typer.Option(
        help="Move whom this picture shows, and those named after it, with --generator.",
        metavar="PICTURE",
    ),
]
_Generator = Annotated[
    Path | None,
    typer.Option(help="What `morphface train` of another kind wrote, with --photo.", metavar="RUN"),
]
_Driver = Annotated[
    str,
    typer.Option(help="Whose motion: a video, or a track.npz.", metavar="VIDEO_OR_TRACK"),
]
_Script = Annotated[Path, typer.Option(help="Key frames of edits, in JSON.", metavar="EDITS.json")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="The video to write.", metavar="FILE")]
_Mode = Annotated[
    str, typer.Option(help="What to transfer.", metavar="reenact|dub|pose_only|gaze_only")
]
_Pose = Annotated[
    str | None, typer.Option(help="Another way for the head's rotation.", metavar=_HOW)
]
_Motion = Annotated[
    str,
    typer.Option(
        help="lia, and dagan that finds its points, by a video: changes from its first frame, or "
        "its motion as it is.",
        metavar="relative|absolute",
    ),
]
_Limit = Annotated[
    bool,
    typer.Option("--limit/--no-limit", help="Stop the head where it did in training, about."),
]
_Compare = Annotated[
    bool,
    typer.Option("--compare", help="Also write FILE-compare: source, target, maps, result."),
]
_Label = Annotated[
    bool, typer.Option("--label/--no-label", help="Write `synthetic` into a corner.")
]
_CropOnly = Annotated[
    bool, typer.Option("--crop-only", help="Write what the network makes, without the frame.")
]
_Target = Annotated[
    Path | None,
    typer.Option(help="The clip that the run was trained on, for its frames.", metavar="CLIP"),
]
_Sound = Annotated[str, typer.Option(help="Whose sound.", metavar="driver|target|none")]
_OwnSound = Annotated[str, typer.Option(help="Whose sound.", metavar="target|none")]
_Base = Annotated[
    int | None,
    typer.Option(help="Edit this frame of the target; its whole track by default.", metavar="N"),
]
_Model = Annotated[
    str | None,
    typer.Option(help="Model that is not known by its name.", metavar="NAME_OR_PATH"),
]


def reenact(
    subject: _Subject = None,
    *,
    driver: _Driver,
    out: _Out,
    photo: _Photo = None,
    generator: _Generator = None,
    mode: _Mode = "reenact",
    pose: _Pose = None,
    motion: _Motion = "relative",
    limit: _Limit = True,
    compare: _Compare = False,
    label: _Label = True,
    crop_only: _CropOnly = False,
    target: _Target = None,
    sound: _Sound = "driver",
    model: _Model = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make the person of RUN, or of a photo, do what a driver does."""
    from morphface.pipelines.reenact import reenact_video

    run, more = _subject_of(subject or [], photo, generator)
    common: dict[str, Any] = {"compare": compare, "label": label, "crop_only": crop_only}
    common |= {"sound": sound, "model": model}
    with status(quiet) as shown:
        progress = None if shown is None else shown.update
        if photo is not None and generator is not None:
            from morphface.pipelines.oneshot.films import photo_settings, reenact_photo

            chosen = _posed(photo_settings(mode), pose)
            report = reenact_photo(
                photo,
                driver,
                out,
                generator=generator,
                more=more,
                motion=motion,
                settings=chosen,
                progress=progress,
                **common,
            )
        elif run is not None:
            from morphface.pipelines.reenact.driver import run_settings

            chosen = _posed(run_settings(mode, limit=limit), pose)
            report = reenact_video(
                run, driver, out, settings=chosen, clip=target, progress=progress, **common
            )
    _tell(report, quiet)


def _subject_of(
    named: list[Path], photo: str | None, generator: Path | None
) -> tuple[Path | None, list[Path]]:
    """The run that is named, or more photos of whom a photo shows.

    Raises:
        ParameterError: nobody is named, or two people are.
    """
    folder = photo is not None and any(path.is_dir() for path in named)
    one = len(named) == 1 if photo is None else not folder
    if not one or (photo is None) != (generator is None):
        raise ParameterError(
            "name whom to move: either RUN, which `morphface train dvp` wrote, or pictures with "
            "--photo and what `morphface train` of another kind wrote with --generator"
        )
    return (named[0], []) if photo is None else (None, named)


def _posed(settings: Any, how: str | None) -> Any:
    """Settings of a transfer, with another way for the pose if one is asked for."""
    from dataclasses import replace

    if how is None:
        return settings
    return replace(settings, rotation=replace(settings.rotation, how=how))


def animate(
    subject: _Subject = None,
    *,
    script: _Script,
    out: _Out,
    photo: _Photo = None,
    generator: _Generator = None,
    base: _Base = None,
    compare: _Compare = False,
    label: _Label = True,
    crop_only: _CropOnly = False,
    target: _Target = None,
    sound: _OwnSound = "none",
    model: _Model = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make the person of RUN, or of photos, do what key frames say."""
    run, more = _subject_of(subject or [], photo, generator)
    if photo is not None and (base is not None or target is not None or sound != "none"):
        raise ParameterError("--base, --target and --sound are for RUN: a photo has no clip")
    common: dict[str, Any] = {"compare": compare, "label": label, "crop_only": crop_only}
    with status(quiet) as shown:
        common["progress"] = None if shown is None else shown.update
        if photo is not None and generator is not None:
            from morphface.pipelines.oneshot.films import animate_photo

            report = animate_photo(photo, script, out, generator=generator, more=more, **common)
        elif run is not None:
            from morphface.pipelines.reenact import animate_video

            own: dict[str, Any] = {"base": base, "clip": target, "sound": sound, "model": model}
            report = animate_video(run, script, out, **own, **common)
    _tell(report, quiet)


def _tell(report: dict[str, Any], quiet: bool) -> None:
    for warning in report["warnings"]:
        say(warning, quiet=quiet, style="yellow")
    say(f"background: {report['background']}", quiet=quiet)
    say(f"sound: {report['sound']}", quiet=quiet)
    if report["compare"]:
        say(f"side by side: {report['compare']}", quiet=quiet)
    count = report["frames"]
    say(f"{count} frame{'' if count == 1 else 's'} written to {report['out']}", quiet=quiet)
