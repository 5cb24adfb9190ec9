"""The command `morphface transfer`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status
from morphface.core.ahead import load_torch_ahead

if TYPE_CHECKING:
    from morphface.edit import TransferSettings

__all__ = ["transfer"]

_HOW = "keep|absolute|relative|standardised"


_Source = Annotated[
    str, typer.Argument(help="Whose motion: a face.npz, a track.npz, a photo or a video.")
]
_Target = Annotated[str, typer.Argument(help="Who shall move, likewise; or a fit.")]
_Out = Annotated[
    Path,
    typer.Option("--out", "-o", help="Parameters (.npz), a picture, or a video.", metavar="FILE"),
]
_Mode = Annotated[
    str, typer.Option(help="What to transfer.", metavar="reenact|dub|pose_only|gaze_only")
]
_Pose = Annotated[
    str | None, typer.Option(help="Another way for the head's rotation.", metavar=_HOW)
]
_Expression = Annotated[
    str | None, typer.Option(help="Another way for the expression.", metavar=_HOW)
]
_Gaze = Annotated[str | None, typer.Option(help="Another way for the gaze.", metavar=_HOW)]
_Reference = Annotated[
    str | None,
    typer.Option(help="What relative motion starts from.", metavar="neutral|closest|first"),
]
_Clamp = Annotated[
    float | None,
    typer.Option(help="Stay within K standard deviations of the target.", metavar="K"),
]
_Smooth = Annotated[
    int | None, typer.Option(help="Smooth the head's motion over N frames, odd.", metavar="N")
]
_Model = Annotated[
    str | None,
    typer.Option(help="Model that photos are fitted with.", metavar="NAME_OR_PATH"),
]

_Size = Annotated[
    int | None,
    typer.Option(help="Longer side of what is drawn; that of the photo otherwise.", metavar="PX"),
]
_Start = Annotated[int, typer.Option(help="First frame that is drawn.", metavar="N")]
_End = Annotated[int | None, typer.Option(help="Frame before which it ends.", metavar="N")]
_Label = Annotated[bool, typer.Option("--label", help="Write `synthetic` into a corner.")]
_Force = Annotated[
    bool, typer.Option("--force", help="Draw what is turned too far to be seen in the photo.")
]


def transfer(
    source: _Source,
    target: _Target,
    out: _Out,
    *,
    mode: _Mode = "reenact",
    pose: _Pose = None,
    expression: _Expression = None,
    gaze: _Gaze = None,
    reference: _Reference = None,
    clamp: _Clamp = None,
    smooth: _Smooth = None,
    model: _Model = None,
    size: _Size = None,
    start: _Start = 0,
    end: _End = None,
    label: _Label = False,
    force: _Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Move the person of TARGET as the person of SOURCE moves."""
    with status(quiet) as shown:
        load_torch_ahead()
        from morphface.pipelines.transfer import Drawing, transfer_files

        hows = {"rotation": pose, "expression": expression, "gaze": gaze}
        chosen = _settings(mode, hows, clamp=clamp, smooth=smooth)
        if reference is not None:
            chosen = replace(chosen, reference=reference)
        report = transfer_files(
            source,
            target,
            out,
            settings=chosen,
            model=model,
            drawing=Drawing(size=size, start=start, end=end, label=label, force=force),
            progress=None if shown is None else shown.update,
        )
    for warning in report["warnings"]:
        say(warning, quiet=quiet, style="yellow")
    say(f"{report['frames']} frames written to {out}", quiet=quiet)


def _settings(
    mode: str, hows: dict[str, str | None], *, clamp: float | None, smooth: int | None
) -> "TransferSettings":
    """A mode, and what was asked to be otherwise."""
    from morphface.edit.settings import find_settings

    chosen = find_settings(mode)
    for name, how in hows.items():
        chosen = chosen if how is None else _with(chosen, name, how=how)
    for name, rule in chosen.rules.items():
        if clamp is not None and rule.how != "keep":
            chosen = _with(chosen, name, clamp=clamp)
        if smooth is not None and name in ("rotation", "translation"):
            chosen = _with(chosen, name, smooth=smooth)
    return chosen


def _with(settings: "TransferSettings", name: str, **changes: object) -> "TransferSettings":
    """Settings in which the rule of one group is changed."""
    rule = replace(getattr(settings, name), **changes)
    return replace(settings, **{name: rule})
