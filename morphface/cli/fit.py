"""The command `morphface fit`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Debug, Device, Faces, Focal, Model, Quiet, Stage
from morphface.cli.output import say, status

__all__ = ["fit"]


_Image = Annotated[str, typer.Argument(help="A picture, or sample:astronaut.")]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Folder for the results; by default NAME-face, here.", metavar="DIR"
    ),
]
_Landmarks = Annotated[
    str | None,
    typer.Option(help="Read landmarks from FILE instead of detecting them.", metavar="FILE"),
]


def fit(
    image: _Image,
    out: _Out = None,
    *,
    model: Model = "open-head",
    faces: Faces = "largest",
    landmarks: _Landmarks = None,
    focal: Focal = None,
    stage: Stage = "pixels",
    device: Device = "cpu",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fit a face in a photo: parameters, report, overlay and a rigged head."""
    with status(quiet) as shown:
        from morphface.pipelines import reconstruct

        folder = out or Path(f"{Path(image.removeprefix('sample:')).stem}-face")
        report = reconstruct(
            image,
            folder,
            model=model,
            faces=faces,
            landmarks=landmarks,
            focal=focal,
            stage=stage,
            device=device,
            progress=None if shown is None else shown.update,
        )
    if not quiet:
        _summarise(report, folder)


def _summarise(report: dict[str, Any], folder: Path) -> None:
    for index, face in enumerate(report["faces"]):
        pose = ", ".join(f"{name} {value:+.1f}" for name, value in face["pose_degrees"].items())
        error = face["landmark_nme"]
        known = "unknown" if error is None else f"{100 * error:.1f} % of the eye distance"
        say(f"face {index}: landmark error {known}; {pose} degrees")
        if not face["converged"]:
            say(f"face {index} may not be trusted: {face['reason']}", style="yellow")
    say(f"written to {folder}/")
