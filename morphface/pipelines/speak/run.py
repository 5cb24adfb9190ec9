"""From a portrait and a sound to a film, or to a track."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import OutputError, ParameterError
from morphface.core.files import output_folder
from morphface.edit import Manner, speech_to_motion
from morphface.media import sound_blocks
from morphface.media.video.encoding import encoding_for
from morphface.parameters import TRACKED, Track, save_track
from morphface.pipelines.actors import Actor, file_of, is_parameters, read_actor
from morphface.pipelines.photo import Progress
from morphface.pipelines.speak.film import film_photo
from morphface.pipelines.speak.wishes import Script, Showing
from morphface.speech import RATE, Speech, find_recogniser, listen, load_phonemes, save_phonemes

__all__ = ["speak_files"]

_RATE = 25.0
"""Frames a second of a film of a photo."""


def speak_files(
    portrait: str | Path,
    sound: str | Path,
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
        portrait: who speaks: a photo; or a `face.npz`, of which there is no film but a track.
        sound: what is heard: a file of sound, or a video with sound.
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
    _check(place, who, Path(sound), showing)
    speech, listener = _heard(sound, script, tell)
    actor = read_actor(who, model, progress=tell)
    tell("moving the face")
    track = _track(actor, speech, showing.rate or _RATE, manner)
    report = {
        "out": str(out),
        "frames": track.frames,
        "phonemes": len(speech.phonemes),
        "recogniser": listener,
        "seconds": speech.seconds,
        "manner": asdict(manner),
        "portrait": actor.provenance(),
        "sound": str(sound),
        "warnings": [f"{actor.path} may not be trusted: {actor.warning}"] if actor.warning else [],
    }
    _save(track, actor, [place, showing.track], report, Path(sound))
    if place.suffix.lower() != ".npz":
        film_photo(actor, track, Path(sound), place, showing=showing, tell=tell)
    return report


def _check(out: Path, portrait: str, sound: Path, showing: Showing) -> None:
    """What can be known to be wrong before any work is done."""
    if out.suffix.lower() != ".npz":
        encoding_for(out, lossless=False)
        if is_parameters(portrait) and showing.generator is None:
            raise ParameterError(
                f"{out.name} is a film of the portrait, which must then be a photo or a video, but "
                f"{portrait} is neither; write .npz, or give the photo"
            )
    for place in (out, showing.track):
        if place is None:
            continue
        if Path(place).is_dir():
            raise OutputError(f"cannot write to {place}: it is a folder; name a file in it")
        if Path(place).resolve() in (sound.resolve(), Path(portrait).resolve()):
            raise OutputError(f"cannot write to {place}: it is an input; choose another name")
        with output_folder(Path(place).parent):
            pass


def _heard(sound: str | Path, script: Script, tell: Progress) -> tuple[Speech, str]:
    """The speech of a file, and who heard it."""
    tell("listening")
    recogniser = None
    if script.phonemes is None:
        recogniser = find_recogniser(script.recogniser, text=script.text is not None)
    speech = listen(
        sound_blocks(sound, RATE),
        load_phonemes(script.phonemes) if recogniser is None else recogniser,
        text=script.text,
        progress=lambda seconds: tell(f"listening: {seconds:.0f} s so far"),
    )
    if script.written is not None:
        save_phonemes(script.written, speech.phonemes)
    return speech, str(script.phonemes) if recogniser is None else recogniser.name


def _track(actor: Actor, speech: Speech, rate: float, manner: Manner) -> Track:
    """A face that speaks, from its first frame."""
    times = torch.arange(max(1, round(speech.seconds * rate)), dtype=torch.float64) / rate
    face, model = actor.parameters[0], actor.model
    moved = speech_to_motion(face, speech, times, model=model, manner=manner)
    nothing = torch.full((moved.frames, 5), torch.nan)
    states = torch.full((moved.frames,), TRACKED)
    indices = torch.arange(moved.frames)
    return Track(moved, actor.camera, states, times, indices, nothing[:, 0], nothing[:, 1:])


def _save(
    track: Track,
    actor: Actor,
    places: list[Path | str | Path | None],
    report: dict[str, Any],
    sound: Path,
) -> None:
    """The track in each place that is one; it names its sound, for a generator that it drives."""
    extra = {"speech": report, "video": str(sound.resolve())}
    for place in places:
        if place is not None and Path(place).suffix.lower() == ".npz":
            save_track(place, track, model=actor.model.name, extra=extra)
