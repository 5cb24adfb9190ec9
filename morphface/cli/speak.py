"""The command `morphface speak`: a portrait says what is heard."""

from pathlib import Path
from typing import Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import named, say, status
from morphface.core.errors import ParameterError

__all__ = ["speak"]

_Portrait = Annotated[str, typer.Argument(help="Who speaks: a photo, or a video to dub.")]
_Sound = Annotated[
    str | None, typer.Argument(help="What is heard: a file of sound, or a video.", metavar="SPEECH")
]
_Out = Annotated[
    Path,
    typer.Option("--out", "-o", help="The film, or the track (.npz).", metavar="FILE"),
]
_Text = Annotated[
    str | None, typer.Option(help="The words that are said, for exact times.", metavar="WORDS")
]
_Phonemes = Annotated[
    Path | None,
    typer.Option(help="Phonemes with times, as --write-phonemes writes them.", metavar="FILE"),
]
_Written = Annotated[
    Path | None,
    typer.Option("--write-phonemes", help="Write a label track to edit.", metavar="FILE"),
]
_Recogniser = Annotated[
    str,
    typer.Option(help="Who listens.", metavar="auto|hama|pocketsphinx|pocketsphinx-phones"),
]
_Say = Annotated[
    str | None,
    typer.Option(
        "--say", help="Have espeak-ng say this, where there is no SPEECH.", metavar="WORDS"
    ),
]
_Voice = Annotated[str, typer.Option(help="Voice of espeak-ng, for --say.")]
_Articulation = Annotated[float, typer.Option(help="How far the mouth goes, 0 to 2.")]
_Jaw = Annotated[float, typer.Option(help="How far the jaw goes, of that.")]
_Lips = Annotated[float, typer.Option(help="How far the lips go, of that.")]
_Liveliness = Annotated[
    float, typer.Option(help="How much blinks, brows and head do; 0 leaves them still.")
]
_Preset = Annotated[
    str | None,
    typer.Option(help="Expression under the speech, as smile or smile=0.5.", metavar="NAMES"),
]
_Seed = Annotated[int, typer.Option(help="Of what is left to chance.")]
_Rate = Annotated[
    float | None, typer.Option(help="Frames a second; 25, or that of the video.", metavar="N")
]
_Size = Annotated[
    int | None, typer.Option(help="Longer side of the film; the portrait's.", metavar="PX")
]
_Label = Annotated[
    bool, typer.Option("--label/--no-label", help="Write `synthetic` into a corner.")
]
_Generator = Annotated[
    Path | None,
    typer.Option(
        help="A trained run that makes the frames; of `train dvp`, those of its own person.",
        metavar="RUN",
    ),
]
_TrackOnly = Annotated[
    bool, typer.Option("--track-only", help="Write only the track, FILE with the suffix .npz.")
]
_Model = Annotated[str | None, typer.Option(help="Model that is fitted.", metavar="NAME_OR_PATH")]


def speak(
    portrait: _Portrait,
    sound: _Sound = None,
    *,
    out: _Out,
    text: _Text = None,
    phonemes: _Phonemes = None,
    write_phonemes: _Written = None,
    recogniser: _Recogniser = "auto",
    say_words: _Say = None,
    voice: _Voice = "en-us",
    articulation: _Articulation = 1.0,
    jaw: _Jaw = 1.0,
    lips: _Lips = 1.0,
    liveliness: _Liveliness = 1.0,
    preset: _Preset = None,
    seed: _Seed = 0,
    rate: _Rate = None,
    size: _Size = None,
    label: _Label = True,
    generator: _Generator = None,
    track_only: _TrackOnly = False,
    model: _Model = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a face say what is heard in SPEECH."""
    with status(quiet) as shown:
        from morphface.edit import Manner
        from morphface.pipelines.speak import Script, Showing, speak_files

        report = speak_files(
            portrait,
            sound,
            out.with_suffix(".npz") if track_only else out,
            script=Script(recogniser, text, phonemes, write_phonemes, say_words, voice),
            manner=Manner(articulation, jaw, lips, liveliness, _strengths(preset), seed),
            showing=Showing(rate, size, label, generator),
            model=model,
            progress=None if shown is None else shown.update,
        )
    for warning in report["warnings"]:
        say(warning, quiet=quiet, style="yellow")
    say(f"{report['phonemes']} phonemes, heard by {report['recogniser']}", quiet=quiet)
    say(f"{report['frames']} frames written to {report['out']}", quiet=quiet)


def _strengths(preset: str | None) -> dict[str, float]:
    """Presets with their strengths, as typed."""
    out = {}
    for one in named(preset):
        name, _, strength = one.partition("=")
        try:
            out[name] = float(strength or 1.0)
        except ValueError as error:
            raise ParameterError(f"the strength of a preset must be a number, got {one}") from error
    return out
