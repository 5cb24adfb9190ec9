"""Writing a fitted face for another program, from file to file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.core.files import output_folder
from morphface.exchange import (
    arkit_curves,
    write_animated_gltf,
    write_arkit_json,
    write_landmark_table,
    write_live_link,
    write_maps,
    write_meshes,
    write_parameter_table,
)
from morphface.exchange.arkit import LOOKS, ArkitCurves
from morphface.exchange.live_link import RATE
from morphface.pipelines.exports.avatar import write_avatar
from morphface.pipelines.exports.heads import deviation, head_of
from morphface.pipelines.exports.source import IMPORTED, Source, read_source
from morphface.pipelines.photo import Progress
from morphface.render.maps import DVP

__all__ = ["EXPORTS", "export"]

_OFF = 1.0
"""Millimetres from which it is said how far a rig of straight moves is off its model."""


@dataclass(frozen=True)
class _Wishes:
    """What `export` was asked for besides files."""

    rate: float
    degrees: bool
    look: str | None
    scheme: str | None
    maps: tuple[str, ...]
    flame: str | Path | None


@dataclass(frozen=True)
class _Kind:
    """A way to write a face.

    Args:
        write: does it, and says what should be known of the result.
        ending: of the file, or of the folder's name.
        words: what it is.
    """

    write: Callable[[Source, Path, _Wishes], list[str]]
    ending: str
    words: str


def export(
    source: str | Path,
    to: str,
    out: str | Path | None = None,
    *,
    model: str | None = None,
    pictures: str | Path | None = None,
    rate: float = RATE,
    degrees: bool = False,
    look: str | None = None,
    scheme: str | None = None,
    maps: Sequence[str] = DVP,
    flame: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a fitted face as another program wants it.

    Args:
        source: a fitted `face.npz`, a `track.npz`, the folder that holds one, a photo, or a
            video; the latter two are fitted first.
        to: one of `EXPORTS`.
        out: the file or folder to write; None: a name like the source's, here.
        model: name or path of the model to fit; for parameters, where their model is.
        pictures: the video of a track or the photo of a face, if it is no longer where it was:
            "glb" takes colours of it, "flame" frames.
        rate: frames a second that the timecodes of "arkit-csv" count in.
        degrees: write angles of "arkit-csv" in degrees instead of radians.
        look: where the `eyeLook` weights of curves come from, as in `arkit_curves`; None takes
            the gaze, but for tracks that were made of curves, which get theirs back.
        scheme: which landmarks "csv" writes; None: 478, or 68 where the model has no others.
        maps: which maps "npy" writes.
        flame: name or path of the FLAME that "flame" converts parameters of other models to.
        progress: is told what begins now.

    Returns:
        What was written: the path, the number of frames, and notes.

    Raises:
        ParameterError: there is no such kind, or the face cannot be written so.
        OutputError: nothing can be written there.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    if to not in EXPORTS:
        raise ParameterError(f"to must be one of {', '.join(EXPORTS)}, got {to!r}")
    if look is not None and look not in LOOKS:
        raise ParameterError(f"look must be one of {', '.join(LOOKS)}, got {look!r}")
    tell = progress or (lambda _: None)
    face = read_source(source, model=model, pictures=pictures, progress=tell)
    kind = EXPORTS[to]
    place = Path(out) if out is not None else Path(f"{_name(source)}-{kind.ending}")
    tell("writing")
    wishes = _Wishes(rate, degrees, look, scheme, tuple(maps), flame)
    notes = [f"{face.path} may not be trusted: {face.warning}"] if face.warning else []
    notes += kind.write(face, place, wishes)
    return {"path": str(place), "kind": to, "frames": face.clip.frames, "notes": notes}


def _name(source: str | Path) -> str:
    """A name for what is made of a source: a file `track.npz` is named by its folder."""
    path = Path(str(source).removeprefix("sample:"))
    folder = path.resolve().parent.name
    named = folder if path.name in ("track.npz", "face.npz") and folder else path.stem
    return named.removesuffix("-track").removesuffix("-face")


def _curves(source: Source, wishes: _Wishes) -> ArkitCurves:
    clip = source.clip
    kept = wishes.look or ("fitted" if IMPORTED in source.extra else "gaze")
    return arkit_curves(clip.parameters, clip.model, times=clip.times, seen=clip.seen, look=kept)


def _arkit_csv(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    write_live_link(out, _curves(source, wishes), rate=wishes.rate, degrees=wishes.degrees)
    unit = "degrees" if wishes.degrees else "radians"
    return [f"timecodes count {wishes.rate:g} frames a second, angles are in {unit}"]


def _arkit_json(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    write_arkit_json(out, _curves(source, wishes))
    return []


def _tables(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    with output_folder(out) as folder:
        write_parameter_table(folder / "parameters.csv", source.clip)
        write_landmark_table(folder / "landmarks.csv", source.clip, scheme=wishes.scheme)
    return []


def _glb(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    head, words = head_of(source)
    write_animated_gltf(out, head, source.clip)
    off = deviation(head, source.clip)
    notes = [f"the head has the colours of {words}"]
    if off > _OFF:
        notes.append(
            f"the rig moves in straight lines, and is up to {off:.1f} mm off model "
            f"{source.clip.model.name!r}, which has joints"
        )
    return notes


def _flame(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    return write_avatar(source, out, wishes.flame)


def _maps(source: Source, out: Path, wishes: _Wishes) -> list[str]:
    write_maps(out, source.clip, wishes.maps)
    return []


def _meshes_as(ending: str) -> Callable[[Source, Path, _Wishes], list[str]]:
    def write(source: Source, out: Path, wishes: _Wishes) -> list[str]:
        write_meshes(out, source.clip, ending)
        return []

    return write


EXPORTS = {
    "arkit-csv": _Kind(_arkit_csv, "arkit.csv", "curves of ARKit, as Live Link Face records them"),
    "arkit-json": _Kind(_arkit_json, "arkit.json", "curves of ARKit, with names and units"),
    "csv": _Kind(_tables, "tables", "a folder of tables: parameters.csv and landmarks.csv"),
    "glb": _Kind(_glb, "head.glb", "the head in its colours, animated: glTF"),
    "flame": _Kind(_flame, "flame", "a folder for VHAP and GaussianAvatars: FLAME, with pictures"),
    "obj": _Kind(_meshes_as("obj"), "obj", "a folder with a mesh a frame, OBJ"),
    "ply": _Kind(_meshes_as("ply"), "ply", "a folder with a mesh a frame, PLY"),
    "npy": _Kind(_maps, "maps", "a folder with an array of each conditioning map"),
}
"""What a face can be written as, by name."""
