"""Frames of a face that speaks as a trained generator makes them.

A one-shot generator makes the portrait's person; one that was trained on a person makes that
person, whoever the portrait shows.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedPhoto
from morphface.generate.checkpoint import load_generator, read_config
from morphface.media.shards.durable import file_sha256
from morphface.parameters import Track, save_track
from morphface.pipelines.actors import Actor, is_parameters, is_video
from morphface.pipelines.oneshot.run import photo_run, weights_at
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact import reenact_video
from morphface.pipelines.reenact.film import film, provenance
from morphface.pipelines.reenact.look import Look, Motion

__all__ = ["check_generator", "generated"]


def check_generator(generator: str | Path, portrait: str) -> None:
    """Refuse now what could not be made after all the work.

    Args:
        generator: the folder of a trained run, or its file of weights.
        portrait: who speaks.

    Raises:
        MissingFileError: there is no such generator.
        ModelError: the file is none.
        ParameterError: it makes a person of a photo, and the portrait is none.
    """
    if _of_one(generator) or not (is_parameters(portrait) or is_video(portrait)):
        return
    raise ParameterError(
        f"the generator of {generator} makes whom a photo shows, but {portrait} is no photo; give "
        "a photo, or leave out the generator"
    )


def generated(
    actor: Actor,
    track: Track,
    rate: float,
    out: Path,
    *,
    generator: str | Path,
    sound: Path,
    label: bool,
    extra: dict[str, Any],
    tell: Progress,
) -> dict[str, Any]:
    """Write the film, and say what was made, and who is seen where that is somebody else.

    Args:
        actor: of the portrait.
        track: what they do.
        rate: frames a second.
        out: the film to write.
        generator: as in `check_generator`.
        sound: what is heard.
        label: whether the word `synthetic` is in a corner.
        extra: what a track says about itself, the sound under "video".
        tell: is told how far it is.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    if _of_one(generator):
        with tempfile.TemporaryDirectory() as folder:
            driver = Path(folder) / "track.npz"
            save_track(driver, track, model=actor.model.name, extra=extra)
            made = reenact_video(str(generator), driver, out, label=label, progress=tell)
        words = (
            f"the film shows whom {generator} was trained on, not {actor.path}: "
            "a generator of `morphface train headgan` shows the portrait's person"
        )
        return {"warnings": [words, *made["warnings"]], "run": made}
    if actor.face is None or actor.photo is None:
        raise ParameterError(f"{actor.path} is no photo, and this generator needs one")
    weights = weights_at(Path(generator))
    found = FittedPhoto(actor.photo, (actor.face,))
    run = photo_run(found, weights.parent, load_generator(weights), name=Path(actor.path).name)
    known = provenance(run, {"driver": sound.name, "driver_sha256": file_sha256(sound)})
    rows = torch.zeros(track.frames, dtype=torch.long)
    motion = Motion(track.parameters, rows, track.times, rate, sound)
    done = film(run, motion, out, Look(label=label), facts=known, tell=tell)
    return {"warnings": [], "run": {"size": list(done.size), "sound": done.sound} | known}


def _of_one(generator: str | Path) -> bool:
    """Whether the generator knows one person only."""
    return read_config(weights_at(Path(generator))).kind == "dvp"
