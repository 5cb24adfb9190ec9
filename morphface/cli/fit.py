"""The command `morphface fit`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.early import check_early, check_run, is_many, start_with_picture
from morphface.cli.many import fit_many
from morphface.cli.options import (
    Camera,
    Debug,
    Device,
    Faces,
    Focal,
    Model,
    Only,
    Quiet,
    Stage,
    Strict,
    Workers,
)
from morphface.cli.output import named, say, status
from morphface.core.ahead import load_torch_ahead
from morphface.core.errors import ParameterError

__all__ = ["fit"]


_Images = Annotated[
    list[str],
    typer.Argument(
        help="Pictures, folders of them, patterns as 'c*.jpg', or sample:astronaut; or the folder "
        "of a fit. One is written to --out itself, many to a folder each in it.",
        metavar="IMAGE...",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="Folder for the results; by default NAME-face, for many photos faces, here.",
        metavar="DIR",
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
_Detector = Annotated[
    str | None,
    typer.Option(
        help="Who finds faces; parts does so from their parts upward, with --parts-weights.",
        metavar="mediapipe|parts",
    ),
]
_PartsWeights = Annotated[
    Path | None,
    typer.Option(help="Run of `morphface train parts`, for --detector parts.", metavar="RUN"),
]
_TextureSize = Annotated[
    int | None,
    typer.Option(
        help="Height and width of the head's texture, 64 to 4096; by default what the photo's "
        "detail needs, up to 2048.",
        metavar="PX",
    ),
]


_Detail = Annotated[
    bool,
    typer.Option(
        "--detail",
        help="Tell wrinkles and folds from shading: a map of normals in head.glb, and the files "
        "displacement.png and normals.png.",
    ),
]


_Implicit = Annotated[
    Path | None,
    typer.Option(
        "--implicit",
        help="A run of `morphface train implicit`: find the whole head, hair included, for "
        "implicit.ply, and for head.glb in place of the shell of hair.",
        metavar="RUN",
    ),
]


_OpenPose = Annotated[
    bool,
    typer.Option(
        "--openpose",
        help="Write the landmarks that were found as OpenPose does, to openpose.json: 70 points "
        "for each face, in pixels of the picture as shown.",
    ),
]


def fit(
    images: _Images,
    out: _Out = None,
    *,
    together: _Together = False,
    only: Only = None,
    workers: Workers = 2,
    model: Model = "open-head",
    faces: Faces = "largest",
    landmarks: _Landmarks = None,
    landmarks_in: _LandmarksIn = None,
    detector: _Detector = None,
    parts_weights: _PartsWeights = None,
    focal: Focal = None,
    camera: Camera = None,
    stage: Stage = "pixels",
    texture_size: _TextureSize = None,
    detail: _Detail = False,
    implicit: _Implicit = None,
    openpose: _OpenPose = False,
    strict: Strict = None,
    device: Device = "cpu",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fit a face in a photo: parameters, report, overlay and a rigged head.

    Of many photos each is fitted on its own; a run that is repeated goes on where it was. Exit code
    3 says that some had to be skipped. With --together, photos of one person give one head, and
    parameters and an overlay each.
    """
    many = not together and is_many(images)
    _check(landmarks, strict, implicit, together=together, many=many)
    found_by = _found_by(detector, parts_weights, landmarks, together=together)
    options: dict[str, Any] = {"model": model, "stage": stage, "device": device, "camera": camera}
    options |= {"texture_size": texture_size, "only": named(only), "detail": detail}
    options |= {"openpose": True} if openpose else {}
    if together:
        options |= {"faces": _each(faces), "focal": None if focal is None else _each(focal)}
    else:
        options |= {"faces": faces, "focal": focal, "strict": named(strict)}
        options |= {"landmarks": landmarks, "landmarks_in": landmarks_in, **found_by}
        options |= {} if implicit is None else {"implicit": str(implicit)}
    folder = out or Path("faces" if many else f"{_stem(images[0])}-face")
    check_early(options)
    if many:
        code = fit_many(images, folder, options, workers=workers, quiet=quiet)
        if code:
            raise typer.Exit(code)
        return
    _fit_one(images, folder, options, together=together, quiet=quiet)


def _fit_one(
    images: list[str], folder: Path, options: dict[str, Any], *, together: bool, quiet: bool
) -> None:
    """One head, of a photo or of several together."""
    with status(quiet) as shown:
        options["progress"] = None if shown is None else shown.update
        if together:
            load_torch_ahead()
            from morphface import pipelines

            report = pipelines.reconstruct_together(images, folder, **options)
        else:
            start_with_picture(images[0])
            from morphface import pipelines

            report = pipelines.reconstruct(images[0], folder, **options)
    if not quiet:
        _summarise(report, folder, "photo" if together else "face")


def _stem(image: str) -> str:
    return Path(image.removeprefix("sample:")).stem


def _found_by(
    detector: str | None, weights: Path | None, landmarks: str | None, *, together: bool
) -> dict[str, Any]:
    """Who finds faces; nothing where it was not said."""
    from morphface.pipelines.wishes import check_detector

    if detector is None and weights is None:
        return {}
    if together or landmarks is not None:
        raise ParameterError(
            f"--detector cannot go with {'--together' if together else '--landmarks'}; leave it out"
        )
    check_detector(detector or "mediapipe", weights)
    return {"detector": "mediapipe" if weights is None else str(weights)}


def _check(
    landmarks: str | None,
    strict: str | None,
    implicit: Path | None,
    *,
    together: bool,
    many: bool,
) -> None:
    if landmarks is not None and (together or many):
        word = "--together" if together else "several pictures"
        raise ParameterError(
            f"--landmarks cannot go with {word}: it holds the faces of one picture; leave it out"
        )
    if together and strict is not None:
        raise ParameterError(
            "--strict cannot go with --together, which leaves out photos that cannot be trusted; "
            "leave it out"
        )
    if together and implicit is not None:
        raise ParameterError(
            "--implicit cannot go with --together: it finds the head that one photo shows; fit "
            "that photo alone"
        )
    if implicit is not None:
        check_run(implicit)


def _each(text: str) -> str | list[str]:
    """One value for all pictures, or a list with one for each."""
    return text.split(",") if "," in text else text


def _told(quality: float | None) -> str:
    """What share of fits like this one are right."""
    return "" if quality is None else f"; {quality:.0%} of fits like it are right"


def _summarise(report: dict[str, Any], folder: Path, thing: str) -> None:
    for index, face in enumerate(report["faces"]):
        pose = ", ".join(f"{name} {value:+.1f}" for name, value in face["pose_degrees"].items())
        error = face["landmark_nme"]
        known = "unknown" if error is None else f"{100 * error:.1f} % of the eye distance"
        called = f"{thing} {index}" + (f" ({face['image']})" if thing == "photo" else "")
        quality = face.get("quality") if face["converged"] else None
        say(f"{called}: landmark error {known}; {pose} degrees{_told(quality)}")
        if not face["converged"]:
            say(f"{called} may not be trusted: {face['reason']}", style="yellow")
        for warning in face.get("warnings", []):
            if warning["name"] != "focal" and warning["words"] != face["reason"]:
                say(f"{called}: {warning['words']}", style="yellow")
    say(f"written to {folder}/")
