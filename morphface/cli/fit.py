"""The command `morphface fit`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Camera, Debug, Device, Faces, Focal, Model, Quiet, Stage, Strict
from morphface.cli.output import named, say, status
from morphface.core.errors import ParameterError

__all__ = ["fit"]


_Images = Annotated[
    list[str],
    typer.Argument(
        help="A picture, or sample:astronaut; with --together several, or a folder of them.",
        metavar="IMAGE...",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Folder for the results; by default NAME-face, here.", metavar="DIR"
    ),
]
_Together = Annotated[
    bool,
    typer.Option(
        "--together",
        help="The pictures show one person: fit one identity to all of them. --faces and --focal "
        "then hold for all, or for each, as 0,1,0.",
    ),
]
_Landmarks = Annotated[
    str | None,
    typer.Option(help="Read landmarks from FILE instead of detecting them.", metavar="FILE"),
]
_LandmarksIn = Annotated[
    str | None,
    typer.Option(
        help="Pixels that FILE means: of the picture as shown, upright, or as stored, before EXIF.",
        metavar="shown|stored",
    ),
]
_TextureSize = Annotated[
    int | None,
    typer.Option(
        help="Height and width of the head's texture, 64 to 4096; by default what the photo's "
        "detail needs, up to 2048.",
        metavar="PX",
    ),
]


def fit(
    images: _Images,
    out: _Out = None,
    *,
    together: _Together = False,
    model: Model = "open-head",
    faces: Faces = "largest",
    landmarks: _Landmarks = None,
    landmarks_in: _LandmarksIn = None,
    focal: Focal = None,
    camera: Camera = None,
    stage: Stage = "pixels",
    texture_size: _TextureSize = None,
    strict: Strict = None,
    device: Device = "cpu",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fit a face in a photo: parameters, report, overlay and a rigged head.

    With --together, photos of one person give one head, and parameters and an overlay each.
    """
    _check(images, together, landmarks, strict)
    folder = out or Path(f"{Path(images[0].removeprefix('sample:')).stem}-face")
    options: dict[str, Any] = {"model": model, "stage": stage, "device": device, "camera": camera}
    options["texture_size"] = texture_size
    with status(quiet) as shown:
        from morphface import pipelines

        options["progress"] = None if shown is None else shown.update
        if together:
            options |= {"faces": _each(faces), "focal": None if focal is None else _each(focal)}
            report = pipelines.reconstruct_together(images, folder, **options)
        else:
            options |= {"faces": faces, "focal": focal, "landmarks": landmarks}
            options |= {"landmarks_in": landmarks_in}
            options["strict"] = named(strict)
            report = pipelines.reconstruct(images[0], folder, **options)
    if not quiet:
        _summarise(report, folder, "photo" if together else "face")


def _check(images: list[str], together: bool, landmarks: str | None, strict: str | None) -> None:
    if len(images) > 1 and not together:
        raise ParameterError(
            f"fit takes one picture, got {len(images)}: say --together if they show one person, or "
            "run it once for each"
        )
    if together and landmarks is not None:
        raise ParameterError(
            "--landmarks cannot go with --together: it holds the faces of one picture; leave it out"
        )
    if together and strict is not None:
        raise ParameterError(
            "--strict cannot go with --together, which leaves out photos that cannot be trusted; "
            "leave it out"
        )


def _each(text: str) -> str | list[str]:
    """One value for all pictures, or a list with one for each."""
    return text.split(",") if "," in text else text


def _summarise(report: dict[str, Any], folder: Path, thing: str) -> None:
    for index, face in enumerate(report["faces"]):
        pose = ", ".join(f"{name} {value:+.1f}" for name, value in face["pose_degrees"].items())
        error = face["landmark_nme"]
        known = "unknown" if error is None else f"{100 * error:.1f} % of the eye distance"
        called = f"{thing} {index}" + (f" ({face['image']})" if thing == "photo" else "")
        say(f"{called}: landmark error {known}; {pose} degrees")
        if not face["converged"]:
            say(f"{called} may not be trusted: {face['reason']}", style="yellow")
        for warning in face.get("warnings", []):
            if warning["name"] != "focal" and warning["words"] != face["reason"]:
                say(f"{called}: {warning['words']}", style="yellow")
    say(f"written to {folder}/")
