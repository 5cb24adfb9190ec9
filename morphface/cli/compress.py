"""The commands `morphface compress` and `morphface decompress`."""

from pathlib import Path
from typing import Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status

__all__ = ["compress", "decompress"]

_Video = Annotated[Path, typer.Argument(help="A clip of one person.", metavar="VIDEO")]
_File = Annotated[Path, typer.Argument(help="What `morphface compress` wrote.", metavar="CLIP.mfc")]
_Track = Annotated[
    Path | None,
    typer.Option(
        help="What `morphface track` wrote of it; else it is tracked now.", metavar="FILE"
    ),
]
_Size = Annotated[int, typer.Option(help="Side of the photo in pixels.", metavar="PX")]
_Quality = Annotated[
    float, typer.Option(help="2 halves the steps of the motion, 0.5 doubles them.", metavar="N")
]
_Sound = Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the sound.")]
_Generator = Annotated[
    Path, typer.Option(help="What `morphface train headgan` wrote.", metavar="RUN")
]
_Label = Annotated[
    bool, typer.Option("--label/--no-label", help="Write `synthetic` into a corner.")
]
_Clip = Annotated[Path, typer.Option("--out", "-o", help="The file to write.", metavar="CLIP.mfc")]
_Film = Annotated[Path, typer.Option("--out", "-o", help="The video to write.", metavar="FILE")]


def compress(
    video: _Video,
    out: _Clip,
    *,
    track: _Track = None,
    size: _Size = 256,
    quality: _Quality = 1.0,
    sound: _Sound = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Keep a clip as one photo, the identity once, and what the face does in each frame."""
    with status(quiet) as shown:
        from morphface.pipelines.compress import compress_video

        made = compress_video(
            video,
            out,
            track=track,
            size=size,
            quality=quality,
            sound=sound,
            progress=None if shown is None else shown.update,
        )
    kept = sum(made.sizes.values())
    say(
        f"{made.frames} frames in {kept} bytes (the clip has {made.source}): motion "
        f"{made.motion_bits:.1f} bits a frame, {made.bits:.1f} with the photo; sound "
        f"{made.sizes['sound']} bytes",
        quiet=quiet,
    )
    say(f"written to {out}", quiet=quiet)


def decompress(
    file: _File,
    out: _Film,
    *,
    generator: _Generator,
    label: _Label = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Play what `morphface compress` wrote: a generator moves the photo. The result is a video."""
    with status(quiet) as shown:
        from morphface.pipelines.compress import decompress_video

        frames = decompress_video(
            file,
            out,
            generator=generator,
            label=label,
            progress=None if shown is None else shown.update,
        )
    say(f"{frames} frames written to {out}", quiet=quiet)
