"""Options that several commands have."""

from typing import Annotated

import typer

__all__ = ["Camera", "Debug", "Device", "Faces", "Focal", "Model", "Quiet", "Stage", "Strict"]

Quiet = Annotated[
    bool, typer.Option("--quiet", help="Say nothing, errors included: the exit code tells.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Model = Annotated[
    str, typer.Option(help="Name or path of a morphable model.", metavar="NAME_OR_PATH")
]
Faces = Annotated[
    str, typer.Option(help="Which faces, the largest is 0.", metavar="largest|all|INDEX")
]
Focal = Annotated[
    str | None,
    typer.Option(
        help="Focal length, if you know it: pixels, or a 35-mm equivalent, as 50mm.",
        metavar="PX|MMmm",
    ),
]
Camera = Annotated[
    str | None,
    typer.Option(
        help="Calibrated camera: fx,fy,cx,cy in pixels, with k1,k2,p1,p2,k3 if it is distorted; or "
        "a cameras.txt of COLMAP, or a transforms.json.",
        metavar="NUMBERS|FILE",
    ),
]
Stage = Annotated[
    str,
    typer.Option(help="linear stops after the landmarks, pixels goes on.", metavar="linear|pixels"),
]
Only = Annotated[
    str | None,
    typer.Option(
        help="Write only these, with commas between them: parameters, report, overlay, glb, obj.",
        metavar="NAMES",
    ),
]
Workers = Annotated[
    int, typer.Option(help="Processes that fit, where there are many photos.", min=1, metavar="N")
]
Device = Annotated[str, typer.Option(help="Where to compute: cpu or cuda.")]
Strict = Annotated[
    str | None,
    typer.Option(
        help="Refuse what has these warnings, with commas between them, or all: names are those "
        "in report.json, such as turned,cut.",
        metavar="NAMES",
    ),
]
