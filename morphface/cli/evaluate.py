"""The command `morphface evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status, table

__all__ = ["evaluate"]

_Result = Annotated[
    str,
    typer.Argument(help="What was made: a video, a folder of pictures, a picture, or an .npz."),
]
_Reference = Annotated[str, typer.Argument(help="What it should be, likewise.")]
_Track = Annotated[
    bool, typer.Option("--track", help="Track the faces, and compare their parameters, too.")
]
_Json = Annotated[
    Path | None, typer.Option("--json", help="Write the values of all frames.", metavar="FILE")
]
_Mask = Annotated[
    str | None, typer.Option(help="Only the reference's face counts.", metavar="face")
]
_Shorter = Annotated[
    bool, typer.Option("--shorter", help="Compare as many frames as the shorter one has.")
]
_Resize = Annotated[
    bool, typer.Option("--resize", help="Scale larger pictures to the size of the smaller ones.")
]
_Model = Annotated[
    str | None, typer.Option(help="Model that faces are tracked with.", metavar="NAME_OR_PATH")
]
_Weights = Annotated[
    Path | None,
    typer.Option(
        help="For LPIPS: torchvision's alexnet-owt-7be5be79.pth; by default it is looked for in "
        "the caches of morphface and of torch hub.",
        metavar="FILE",
    ),
]
_Channels = Annotated[
    Path | None,
    typer.Option(
        help="For LPIPS: v0.1/alex.pth; by default that of the package lpips.", metavar="FILE"
    ),
]
_Sface = Annotated[
    Path | None,
    typer.Option(
        help="For CSIM: OpenCV Zoo's face_recognition_sface_2021dec.onnx; by default that in the "
        "folder of models.",
        metavar="FILE",
    ),
]


def evaluate(
    result: _Result,
    reference: _Reference,
    *,
    track: _Track = False,
    json: _Json = None,
    mask: _Mask = None,
    shorter: _Shorter = False,
    resize: _Resize = False,
    model: _Model = None,
    lpips_weights: _Weights = None,
    lpips_channels: _Channels = None,
    sface: _Sface = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure how far RESULT is from REFERENCE; each number with its convention."""
    with status(quiet) as shown:
        from morphface.pipelines.evaluate import Wishes, evaluate_files

        wishes = Wishes(
            track=track,
            mask=mask,
            shorter=shorter,
            resize=resize,
            model=model,
            lpips_weights=lpips_weights,
            lpips_channels=lpips_channels,
            sface=sface,
        )
        progress = None if shown is None else shown.update
        found = evaluate_files(result, reference, wishes=wishes, progress=progress)
        if json is not None:
            found.write(json)
    if not quiet:
        table(found.rows())
    for note in found.notes:
        say(note, quiet=quiet, style="yellow")
    if json is not None:
        say(f"written to {json}", quiet=quiet)
