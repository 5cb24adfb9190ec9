"""The commands `morphface export` and `morphface import`."""

from pathlib import Path
from typing import Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status
from morphface.core.errors import ParameterError

__all__ = ["KINDS", "export", "import_"]

KINDS = ("arkit-csv", "arkit-json", "csv", "glb", "flame", "obj", "ply", "npy")
"""The names of `pipelines.EXPORTS`, which takes seconds to import."""

_Source = Annotated[
    str,
    typer.Argument(help="A track.npz, a face.npz, the folder of one, a photo, or a video."),
]
_To = Annotated[
    str,
    typer.Option(
        "--to", help="What to write.", metavar="|".join(KINDS), autocompletion=lambda: list(KINDS)
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="File or folder; by default NAME-..., here.", metavar="PATH"),
]
_Model = Annotated[
    str | None,
    typer.Option(help="Model to fit, or where that of the file is.", metavar="NAME_OR_PATH"),
]
_Pictures = Annotated[
    Path | None,
    typer.Option(help="The video or photo, if it is no longer where it was.", metavar="FILE"),
]
_Rate = Annotated[
    float, typer.Option(help="Frames a second that timecodes count in.", metavar="FPS")
]
_Degrees = Annotated[
    bool, typer.Option("--degrees", help="Angles of arkit-csv in degrees, not radians.")
]
_Look = Annotated[
    str | None,
    typer.Option(
        help="Where EyeLook weights come from: the eyes, or the fitted lids.", metavar="gaze|fitted"
    ),
]
_Scheme = Annotated[
    str | None, typer.Option(help="Landmarks of csv; by default 478.", metavar="SCHEME")
]
_Maps = Annotated[
    str | None, typer.Option(help="Maps of npy, with commas between.", metavar="NAMES")
]
_Flame = Annotated[
    str | None,
    typer.Option(help="FLAME, for --to flame of a face of another model.", metavar="NAME_OR_PATH"),
]
_Curves = Annotated[
    Path,
    typer.Argument(help="A recording of Live Link Face (.csv), or curves (.json).", metavar="FILE"),
]
_Track = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="The track; by default beside FILE.", metavar="NPZ"),
]
_For = Annotated[
    str, typer.Option("--model", help="Model that the track is for.", metavar="NAME_OR_PATH")
]
_ReadRate = Annotated[
    float | None,
    typer.Option("--rate", help="Frames a second of its timecodes.", metavar="FPS"),
]
_Unit = Annotated[
    bool | None,
    typer.Option("--degrees/--radians", help="Unit of its angles; by default by their range."),
]


def export(
    source: _Source,
    to: _To,
    out: _Out = None,
    *,
    model: _Model = None,
    pictures: _Pictures = None,
    rate: _Rate = 60.0,
    degrees: _Degrees = False,
    look: _Look = None,
    scheme: _Scheme = None,
    maps: _Maps = None,
    flame: _Flame = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a fitted face or a track for other programs."""
    with status(quiet) as shown:
        from morphface.pipelines import exports

        options = {} if maps is None else {"maps": tuple(maps.split(","))}
        report = exports.export(
            source,
            to,
            out,
            model=model,
            pictures=pictures,
            rate=rate,
            degrees=degrees,
            look=look,
            scheme=scheme,
            flame=flame,
            progress=None if shown is None else shown.update,
            **options,
        )
    _tell(report["notes"], quiet)
    say(f"{report['frames']} frames written to {report['path']}", quiet=quiet)


def import_(
    source: _Curves,
    out: _Track = None,
    *,
    model: _For = "open-head",
    rate: _ReadRate = None,
    degrees: _Unit = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a track of curves of ARKit, which drives anybody (`transfer`, `reenact`)."""
    if source.suffix.lower() == ".json" and (rate is not None or degrees is not None):
        raise ParameterError("--rate and --degrees are for .csv: curves as .json say their units")
    with status(quiet):
        from morphface.pipelines import exports

        report = exports.import_curves(source, out, model=model, rate=rate, degrees=degrees)
    _tell(report["notes"], quiet)
    words = f"{report['frames']} frames, {report['seconds']:g} s, written to {report['path']}"
    say(words, quiet=quiet)


def _tell(notes: list[str], quiet: bool) -> None:
    for note in notes:
        say(note, quiet=quiet, style="yellow")
