"""From a portrait and a sound to a film, or to a track."""

import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from morphface.core.errors import OutputError, ParameterError
from morphface.core.files import output_folder
from morphface.edit import Manner, speech_to_motion
from morphface.media import sound_blocks, write_sound
from morphface.media.video.encoding import encoding_for
from morphface.parameters import Track, save_track
from morphface.pipelines.actors import Actor, file_of, is_parameters, is_video, read_actor
from morphface.pipelines.photo import Progress
from morphface.pipelines.speak.dub import dubbed, dubbed_frames
from morphface.pipelines.speak.film import drawn_frames, write_film
from morphface.pipelines.speak.wishes import Script, Showing
from morphface.speech import (
    RATE,
    Phoneme,
    Speech,
    find_recogniser,
    listen,
    load_phonemes,
    save_phonemes,
    say,
)

__all__ = ["speak_files"]

_RATE = 25.0
"""Frames a second of a film of a photo."""
_MUSIC = 0.97
"""Share of the time that a voice is heard above which it may be none: speech pauses."""


def speak_files(
    portrait: str | Path,
    sound: str | Path | None,
    out: str | Path,
    *,
    script: Script | None = None,
    manner: Manner | None = None,
    showing: Showing | None = None,
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a face say what is heard, and write the film of it, or its track.

    Args:
        portrait: who speaks: a photo; a video, which is dubbed; or a `face.npz`, of which there is
            no film but a track.
        sound: what is heard: a file of sound, or a video with sound; None where `script` says a
            text.
        out: a film (`.mp4`, ...), or a track (`.npz`).
        script: what is said, where that is known.
        manner: how it is said.
        showing: how it is shown.
        model: name or path of the model to fit.
        progress: is told what begins now.

    Returns:
        What was made: frames, phonemes, recogniser, and warnings.

    Raises:
        OutputError: `out` cannot be written, or is one of the inputs.
        ParameterError: nothing is said, or a setting does not fit.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell, place = progress or (lambda _: None), Path(out)
    script, manner, showing = script or Script(), manner or Manner(), showing or Showing()
    who = file_of(portrait)
    if (sound is None) == (script.say is None):
        raise ParameterError("give a file of sound, or a text to say (--say), one of them")
    _check(place, who, sound, showing)
    with ExitStack() as stack:
        tell("listening")
        heard = _spoken(script, stack) if sound is None else Heard(Path(sound), None)
        speech, listener = _speech(heard, script, tell)
        actor = read_actor(who, model, progress=tell)
        tell("moving the face")
        act = _acted(actor, speech, showing, manner)
        report = _report(actor, speech, listener, place, act, manner)
        extra = {"speech": report, "video": str(heard.path.resolve())}
        if place.suffix.lower() == ".npz":
            save_track(place, act.track, model=actor.model.name, extra=extra)
            return report
        return report | _filmed(act, actor, heard.path, place, showing, extra, tell)


@dataclass(frozen=True)
class Heard:
    """A sound.

    Args:
        path: of its file.
        phonemes: in it, where that is known.
    """

    path: Path
    phonemes: tuple[Phoneme, ...] | None


@dataclass(frozen=True, eq=False)
class Act:
    """What a face does.

    Args:
        track: as it speaks.
        rate: frames a second.
        rows: of a video's track, whose frames are behind those of `track`; None of a photo.
    """

    track: Track
    rate: float
    rows: Int[Tensor, " T"] | None = None


def _check(out: Path, portrait: str, sound: str | Path | None, showing: Showing) -> None:
    """What can be known to be wrong before any work is done."""
    if out.suffix.lower() != ".npz":
        encoding_for(out, lossless=False)
        if is_parameters(portrait) and showing.generator is None:
            raise ParameterError(
                f"{out.name} is a film of the portrait, which must then be a photo or a video, but "
                f"{portrait} is neither; write .npz, or give the photo"
            )
    if showing.generator is not None:
        from morphface.pipelines.speak.generated import check_generator

        check_generator(showing.generator, portrait)
    if showing.size is not None and (is_video(portrait) or showing.generator is not None):
        raise ParameterError("size is for films of photos; a video and a run keep their own")
    if out.is_dir():
        raise OutputError(f"cannot write to {out}: it is a folder; name a file in it")
    inputs = [Path(path).resolve() for path in (portrait, sound) if path is not None]
    if out.resolve() in inputs:
        raise OutputError(f"cannot write to {out}: it is an input; choose another name")
    with output_folder(out.parent):  # finds out now what would be refused at the end
        pass


def _spoken(script: Script, stack: ExitStack) -> Heard:
    """A text as espeak-ng speaks it, in a file for as long as that is needed."""
    samples, phonemes = say(str(script.say), script.voice)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    write_sound(folder / "said.wav", samples, RATE)
    return Heard(folder / "said.wav", phonemes)


def _speech(heard: Heard, script: Script, tell: Progress) -> tuple[Speech, str]:
    """What is said, and who heard it."""
    recogniser, name = None, "espeak-ng"
    known: tuple[Phoneme, ...] = heard.phonemes or ()
    if script.phonemes is not None:
        known, name = load_phonemes(script.phonemes), str(script.phonemes)
    elif not known:
        recogniser = find_recogniser(script.recogniser, text=script.text is not None)
        name = recogniser.name
    speech = listen(
        sound_blocks(heard.path, RATE),
        recogniser or known,
        text=script.text,
        progress=lambda seconds: tell(f"listening: {seconds:.0f} s so far"),
    )
    if script.written is not None:
        save_phonemes(script.written, speech.phonemes)
    return speech, name


def _acted(actor: Actor, speech: Speech, showing: Showing, manner: Manner) -> Act:
    """What the face does: all of a photo's, only the mouth of a video's."""
    if actor.kind == "video" and actor.track is not None:
        rate = showing.rate or actor.rate
        track, rows = dubbed(actor, actor.track, speech, rate, manner)
        return Act(track, rate, rows)
    rate = showing.rate or _RATE
    times = torch.arange(max(1, round(speech.seconds * rate)), dtype=torch.float64) / rate
    face, model = actor.parameters[0], actor.model
    moved = speech_to_motion(face, speech, times, model=model, manner=manner)
    return Act(Track.unmeasured(moved, actor.camera, times), rate)


def _report(
    actor: Actor, speech: Speech, listener: str, out: Path, act: Act, manner: Manner
) -> dict[str, Any]:
    warnings = [f"{actor.path} may not be trusted: {actor.warning}"] if actor.warning else []
    if float(speech.voice.speaks.float().mean()) > _MUSIC and speech.seconds > 5.0:
        warnings.append(
            "the sound has no pauses: if it is music, or a voice over music, phonemes are guesses"
        )
    return {
        "out": str(out),
        "frames": act.track.frames,
        "phonemes": len(speech.phonemes),
        "recogniser": listener,
        "seconds": speech.seconds,
        "manner": asdict(manner),
        "portrait": actor.provenance(),
        "warnings": warnings,
    }


def _filmed(
    act: Act,
    actor: Actor,
    sound: Path,
    out: Path,
    showing: Showing,
    extra: dict[str, Any],
    tell: Progress,
) -> dict[str, Any]:
    """Write the film; what is known of its sound."""
    warnings = extra["speech"]["warnings"]
    if showing.generator is not None:
        from morphface.pipelines.speak.generated import generated

        made = generated(
            actor,
            act.track,
            act.rate,
            out,
            generator=showing.generator,
            sound=sound,
            label=showing.label,
            extra=extra,
            tell=tell,
        )
        return made | {"warnings": warnings + made["warnings"]}
    if act.rows is not None and actor.track is not None:
        frames = dubbed_frames(actor, actor.track, act.track, act.rows, tell)
    else:
        frames = drawn_frames(actor, act.track, showing.size, tell)
    missing = write_film(
        out, frames, act.rate, sound=sound, portrait=actor.path, label=showing.label
    )
    return {"warnings": warnings + ([f"no sound: {missing}"] if missing else [])}
