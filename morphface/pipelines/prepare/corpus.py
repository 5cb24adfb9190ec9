"""What makes clips a corpus of many people: who is in each, and which clips do not serve.

One-shot generators learn from clips that one crop fits (HeadGAN's data), of one shot, in which the
person is seen nearly always. Each clip gets candidates for the photo, spread over pose: rotation
and place are standardised, and frames are taken at even steps along their first principal
component.
"""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.core.errors import MissingFileError, ParameterError, VideoError
from morphface.fit.video.cuts import Cuts
from morphface.geometry.camera import Camera
from morphface.media.video import Video
from morphface.models import MorphableModel
from morphface.parameters import LOST, FaceParameters, Track
from morphface.pipelines.prepare.sources import Clip
from morphface.render.maps.scene import posed
from morphface.render.sight import Sight
from morphface.segment import person_matte

__all__ = ["Rejected", "candidates", "check_clip", "cut_frames", "matte_of", "with_identities"]

CANDIDATES = 8
"""Frames of a clip that may be its photo, as in HeadGAN's data."""
DRIFT = 0.45
"""Drift from which HeadGAN's data leaves a clip out, see `box_drift`."""
LOST_SHARE = 0.25
"""Share of lost frames from which a clip is left out: what is left is in pieces."""
LEAST = 8
"""Frames that a clip must have: a candidate each."""


class Rejected(VideoError):
    """A clip is sound, but a corpus does not want it.

    Args:
        rule: that it breaks, a word for counting.
        words: what is the matter.
    """

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule


def with_identities(clips: Sequence[Clip], table: str | Path) -> list[Clip]:
    """Clips with the names of the people in them.

    Args:
        clips: to name.
        table: "clips" takes each for another person; "folders" takes those in one folder of the
            input for one person, as VoxCeleb has them; else a CSV file with the columns clip and
            identity, whose clips are files or folders as the dataset calls them.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no such table, or names no identity for a clip.
    """
    if str(table) == "clips":
        return [replace(clip, identity=clip.source) for clip in clips]
    if str(table) == "folders":
        return [replace(clip, identity=PurePosixPath(clip.source).parts[0]) for clip in clips]
    names = _read_table(Path(table))
    return [replace(clip, identity=_looked_up(clip, names, table)) for clip in clips]


def _read_table(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise MissingFileError(
            f"there is no table of identities {path}; give a CSV file with the columns clip and "
            "identity, or one of clips and folders"
        )
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not {"clip", "identity"} <= set(rows.fieldnames or ()):
            raise ParameterError(f"{path} must have the columns clip and identity in its first row")
        return {row["clip"]: row["identity"] for row in rows if row["clip"] and row["identity"]}


def _looked_up(clip: Clip, names: dict[str, str], table: str | Path) -> str:
    place = PurePosixPath(clip.source)
    for here in (place, *place.parents):
        if str(here) in names:
            return names[str(here)]
    raise ParameterError(f"{table} names no identity for {clip.source}; add a row for it")


def cut_frames(video: Video) -> list[int]:
    """Numbers of the frames with which another shot begins.

    Args:
        video: that is gone through once.
    """
    cuts = Cuts()
    return [frame.index for frame in video if cuts(frame.photo)]


def check_clip(track: Track, drift: float, cuts: Sequence[int]) -> None:
    """Refuse a clip that a corpus does not want.

    Args:
        track: of its person.
        drift: of the boxes.
        cuts: frames with which another shot begins.

    Raises:
        Rejected: the message says which rule it breaks, and by how much.
    """
    seen = int((track.states != LOST).sum())
    frames = len(track.states)
    if cuts:
        raise Rejected("cuts", f"it has another shot from frame {cuts[0]} on; cut it there")
    if frames - seen > LOST_SHARE * frames:
        raise Rejected("lost", f"the face is lost in {frames - seen} of {frames} frames")
    if seen < LEAST:
        raise Rejected("short", f"the face is seen in {seen} frames, fewer than {LEAST}")
    if drift > DRIFT:
        raise Rejected(
            "drift", f"the face wanders about by {drift:.2f} of the picture, more than {DRIFT}"
        )


def candidates(parameters: FaceParameters, count: int = CANDIDATES) -> list[int]:
    """Frames that may be the photo of a clip, ordered along their poses; all if there are fewer.

    Args:
        parameters: of the frames to choose from.
        count: how many.
    """
    pose = torch.cat([parameters.rotation, parameters.translation], dim=-1).double()
    pose = (pose - pose.mean(0)) / pose.std(dim=0, correction=0).clamp(min=1e-9)
    axis = torch.linalg.svd(pose, full_matrices=False).Vh[0]
    axis = axis * torch.sign(axis[axis.abs().argmax()])
    order = (pose @ axis).argsort(stable=True)
    places = torch.linspace(0, len(order) - 1, min(count, len(order))).round().long()
    return order[places].tolist()


def matte_of(
    model: MorphableModel,
    parameters: FaceParameters,
    camera: Camera,
    picture: Float[Tensor, "S S 3"],
) -> UInt8[Tensor, "S S"]:
    """Where the person is in a crop, hair and clothes included.

    Args:
        model: of the head.
        parameters: of one frame.
        camera: of the crop.
        picture: the crop.
    """
    sight = Sight(picture, camera, posed(model, parameters)[0], model.faces)
    matte = torch.from_numpy(person_matte(sight))[None, None]
    sized = interpolate(matte, picture.shape[:2], mode="bilinear", antialias=True)[0, 0]
    return (sized.clamp(0, 1) * 255).round().to(torch.uint8)
