"""The commands `morphface view` and `morphface edit`: a photo in, a changed photo out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.by_hand import edit_by_hand, without_page
from morphface.cli.early import check_early, start_with_picture
from morphface.cli.options import Camera, Debug, Device, Faces, Focal, Model, Quiet, Stage
from morphface.cli.output import say, status
from morphface.core.errors import ParameterError

__all__ = ["edit", "view"]

_Picture = Annotated[
    str, typer.Argument(help="A picture, sample:astronaut, or the folder or face.npz of its fit.")
]
_Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="The file to write.", metavar="FILE")
]
_Yaw = Annotated[
    float | None, typer.Option(help="Degrees; positive to the subject's left.", metavar="DEG")
]
_Pitch = Annotated[float | None, typer.Option(help="Degrees; positive is up.", metavar="DEG")]
_Roll = Annotated[
    float | None, typer.Option(help="Degrees; positive is counter-clockwise.", metavar="DEG")
]
_Weights = Annotated[
    list[str] | None,
    typer.Option("--set", help="Weight of an expression; may be repeated.", metavar="NAME=X"),
]
_Presets = Annotated[
    list[str] | None,
    typer.Option(help="smile, surprise, ...; may be repeated.", metavar="NAME[=STRENGTH]"),
]
_Gaze = Annotated[
    str | None, typer.Option(help="Where the eyes look, degrees.", metavar="YAW,PITCH")
]
_Light = Annotated[float | None, typer.Option(help="Times as much light.", metavar="FACTOR")]
_LightFrom = Annotated[
    str | None, typer.Option(help="Where the light comes from, degrees.", metavar="YAW,PITCH")
]
_Add = Annotated[bool, typer.Option("--add", help="Add to what is there, not set it.")]
_Background = Annotated[
    str,
    typer.Option(
        help="What is behind the person; the original one stays where it is.",
        metavar="original|blurred|plain|PICTURE",
    ),
]
_Label = Annotated[bool, typer.Option("--label", help="Write `synthetic` into a corner.")]
_Force = Annotated[
    bool, typer.Option("--force", help="Draw what is turned too far to be seen in the photo.")
]
_Confidence = Annotated[
    Path | None,
    typer.Option(
        help="Another picture, or video: what the photo shows is white, what is guessed dark.",
        metavar="FILE",
    ),
]
_Generator = Annotated[
    Path | None,
    typer.Option(help="Draw by what `morphface train headgan` wrote.", metavar="RUN"),
]
_Ui = Annotated[
    bool, typer.Option("--ui", help="Open an editor in the browser: sliders, and the mouse.")
]
_Port = Annotated[
    int | None, typer.Option(help="Of the editor; any free one otherwise.", metavar="N")
]
_NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Print the editor's address, open nothing.")
]


def view(
    image: _Picture,
    out: _Out = None,
    *,
    yaw: _Yaw = None,
    pitch: _Pitch = None,
    roll: _Roll = None,
    orbit: Annotated[
        bool, typer.Option("--orbit", help="Write a video in which the head swings.")
    ] = False,
    swing: Annotated[
        float, typer.Option(help="How far an orbit goes to either side.", metavar="DEG")
    ] = 30.0,
    seconds: Annotated[float, typer.Option(help="How long an orbit takes.")] = 4.0,
    background: _Background = "original",
    confidence: _Confidence = None,
    generator: _Generator = None,
    label: _Label = False,
    force: _Force = False,
    model: Model = "open-head",
    faces: Faces = "largest",
    focal: Focal = None,
    camera: Camera = None,
    stage: Stage = "pixels",
    device: Device = "cpu",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Turn the head in a photo; without angles, to look into the camera."""
    options: dict[str, Any] = {"background": background, "model": model, "faces": faces}
    options |= {"focal": focal, "camera": camera, "stage": stage, "device": device}
    options |= {"label": label, "force": force, "generator": generator}
    check_early(options)
    notices: list[str] = []
    with status(quiet) as shown:
        start_with_picture(image)
        from morphface.pipelines.orbit import orbit_photo
        from morphface.pipelines.stage import Changes
        from morphface.pipelines.views import view_photo

        options["progress"] = None if shown is None else shown.update
        options |= {"notice": notices.append, "confidence": confidence}
        if orbit:
            turn = Changes(yaw=yaw, pitch=pitch, roll=roll)
            place = orbit_photo(image, out, swing=swing, seconds=seconds, changes=turn, **options)
        else:
            place = view_photo(image, out, yaw=yaw, pitch=pitch, roll=roll, **options)
    _written(place, notices, quiet)


def edit(
    image: _Picture,
    out: _Out = None,
    *,
    weights: _Weights = None,
    preset: _Presets = None,
    gaze: _Gaze = None,
    yaw: _Yaw = None,
    pitch: _Pitch = None,
    roll: _Roll = None,
    light: _Light = None,
    light_from: _LightFrom = None,
    add: _Add = False,
    background: _Background = "original",
    generator: _Generator = None,
    label: _Label = False,
    force: _Force = False,
    ui: _Ui = False,
    port: _Port = None,
    no_browser: _NoBrowser = False,
    model: Model = "open-head",
    faces: Faces = "largest",
    focal: Focal = None,
    camera: Camera = None,
    stage: Stage = "pixels",
    device: Device = "cpu",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Change the expression, gaze, pose or light of a face in a photo.

    With --ui an editor opens in the browser, on this machine only; Ctrl-C ends it.
    """
    fit: dict[str, Any] = {"model": model, "faces": faces, "focal": focal, "camera": camera}
    fit |= {"stage": stage, "device": device}
    typed: dict[str, Any] = {"--set": weights, "--preset": preset, "--gaze": gaze, "--yaw": yaw}
    typed |= {"--pitch": pitch, "--roll": roll, "--light": light, "--light-from": light_from}
    typed["--background"] = None if background == "original" else background
    if ui:
        typed |= {"--out": out, "--add": add or None, "--generator": generator}
        return edit_by_hand(image, port, typed, browser=not no_browser, quiet=quiet, fit=fit)
    without_page(port, no_browser)
    _some_change(typed)
    chosen: Any = {"yaw": yaw, "pitch": pitch, "roll": roll, "additive": add}
    chosen |= _named(weights, preset, gaze)
    options: dict[str, Any] = {"background": background, "label": label, "force": force, **fit}
    options["generator"] = generator
    turned = any(angle is not None for angle in (yaw, pitch, roll))
    return _edited(
        image, out, chosen, options, lights=(light, light_from), told=turned, quiet=quiet
    )


def _edited(
    image: str,
    out: Path | None,
    chosen: Any,
    options: dict[str, Any],
    *,
    lights: tuple[float | None, str | None],
    told: bool,
    quiet: bool,
) -> None:
    """Writes an edited photo, and says what was guessed of it if that is wanted."""
    check_early(options)
    notices: list[str] = []
    with status(quiet) as shown:
        start_with_picture(image)
        from morphface.pipelines.views import edit_photo

        chosen["light"] = _light(*lights)
        options["progress"] = None if shown is None else shown.update
        options["notice"] = notices.append if told else None
        place = edit_photo(image, out, changes=chosen, **options)
    return _written(place, notices, quiet)


def _written(place: Path, notices: list[str], quiet: bool) -> None:
    for notice in notices:
        say(notice, quiet=quiet, style="yellow")
    say(f"written to {place}", quiet=quiet)


def _named(weights: list[str] | None, preset: list[str] | None, gaze: str | None) -> dict[str, Any]:
    """Expressions and presets with their weights, and where the eyes look."""
    return {
        "expression": dict(_weight("--set", text) for text in weights or ()),
        "preset": dict(_weight("--preset", text, 1.0) for text in preset or ()),
        "gaze": None if gaze is None else _pair("--gaze", gaze),
    }


def _some_change(typed: Mapping[str, Any]) -> None:
    if all(value in (None, []) for value in typed.values()):
        raise ParameterError(
            "there is nothing to change: give --set, --preset, --gaze, --light, an angle or a "
            "--background, or --ui to edit by hand"
        )


def _light(factor: float | None, direction: str | None) -> Any:
    if direction is None:
        return factor
    from morphface.edit.light import Light

    sides = _pair("--light-from", direction)
    return Light(brightness=1.0 if factor is None else factor, direction=sides)


def _weight(option: str, text: str, usual: float | None = None) -> tuple[str, float]:
    """A name and its weight."""
    name, equals, value = text.partition("=")
    if not equals and usual is not None:
        return name, usual
    try:
        return name, float(value)
    except ValueError:
        raise ParameterError(f"{option} must be NAME=NUMBER, got {text!r}") from None


def _pair(option: str, text: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        raise ParameterError(f"{option} must be two numbers, as 10,0, got {text!r}") from None
    return first, second
