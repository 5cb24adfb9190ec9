"""The person that a run was trained on, in the run's own folder, so that it can be carried away.

`target.npz` is a track (`parameters/track.py`) of the crop's camera: other commands read it, too.
`target.png` is one picture of the person: a whole frame, or the crop where no clip is at hand.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.core.errors import DatasetError, MissingFileError, ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.media.images import Photo, read_image, write_image
from morphface.media.shards import ShardFolder, open_shards
from morphface.media.shards.durable import file_sha256
from morphface.media.video import read_video
from morphface.models import load_model
from morphface.parameters import FaceParameters, Track, load_track, save_track
from morphface.parameters.track import STATES
from morphface.parameters.upgrade import CONVERTED, brought_up
from morphface.pipelines.actors import RATE
from morphface.pipelines.revisions import older_revision

__all__ = [
    "PICTURE",
    "SOURCE",
    "TRACK",
    "Target",
    "find_clip",
    "nearby",
    "read_target",
    "write_target",
]

TRACK, PICTURE = "target.npz", "target.png"
SOURCE = "source.json"
"""Says which dataset a run was trained on."""
_KEY = "run"
_PARTS = ("params.npy", "json", "frame.png")
_SUBFOLDERS = 256
"""How many a folder may have before no more of them are looked into."""
_FIXED = 37
"""Numbers of a frame that are neither identity, nor reflectance, nor expression."""


@dataclass(frozen=True, eq=False)
class Target:
    """Who a run shows.

    Args:
        track: of the frames that it was trained on, in the crop's camera.
        crop: of the clip's frames.
        model: name of the morphable model.
        config: what the generator was made for.
        clip: name, bytes and checksum of the clip, and where it was seen last.
        picture: one frame of the clip, or its crop.
        older: the revision of the model that the run was trained with, if there is a newer one;
            the track is converted.
    """

    track: Track
    crop: Crop
    model: str
    config: GeneratorConfig
    clip: dict[str, Any]
    picture: Photo
    older: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the picture is a whole frame."""
        return bool(self.clip["whole"])

    @property
    def rate(self) -> float:
        """Frames a second."""
        steps = self.track.times.diff()
        return 1 / float(steps.median()) if len(steps) else RATE


def write_target(run: str | Path, folder: ShardFolder, config: GeneratorConfig) -> bool:
    """Keep in a run what using its generator needs besides the weights.

    Of several people or clips, the one with the most frames is the target.

    Args:
        run: its folder, made if it is missing.
        folder: the dataset.
        config: of the generator.

    Returns:
        Whether the dataset tells: those without parameters do not.

    Raises:
        DatasetError: the dataset is damaged.
        OutputError: the run cannot be written to.
    """
    found = _of_dataset(folder, config)
    if found is None:
        return False
    run = Path(run)
    header = {_KEY: _facts(found)}
    save_track(run / TRACK, found.track, model=found.model, extra=header)
    write_image(run / PICTURE, found.picture.pixels)
    return True


def read_target(run: Path) -> Target:
    """Who a run shows: from its folder, or else from its dataset, if that is still there.

    Raises:
        MissingFileError: neither is there.
        ParameterError: the files are damaged.
        DatasetError: the dataset is damaged.
    """
    if not (run / TRACK).is_file():
        return _remade(run)
    track, header = load_track(run / TRACK)
    try:
        facts = header["extra"][_KEY]
        crop, config = Crop(**facts["crop"]), GeneratorConfig.from_json(facts["generator"])
        clip, model = dict(facts["clip"]), str(header["model"])
        {name: clip[name] for name in ("name", "sha256", "path", "whole")}
    except (KeyError, TypeError, ValueError) as error:
        raise ParameterError(
            f"{run / TRACK} is a track, but not of a run; train the run again to mend it"
        ) from error
    if not (run / PICTURE).is_file():
        raise MissingFileError(f"{run} lacks {PICTURE}; copy the whole folder of the run")
    picture = read_image(run / PICTURE)
    return Target(track, crop, model, config, clip, picture, older=header.get(CONVERTED))


def find_clip(name: str, sha256: str, places: Sequence[str | Path]) -> Path | None:
    """A file by its name and content, in the first of some places that has it.

    Args:
        name: of the file.
        sha256: of its content.
        places: folders, or paths of the file itself.
    """
    for place in map(Path, places):
        for path in (place, place / name):
            if path.name == name and path.is_file() and file_sha256(path) == sha256:
                return path.resolve()
    return None


def nearby(*folders: Path) -> list[Path]:
    """Folders and those directly in them, where a clip may lie.

    Args:
        folders: where to look; those that cannot be read are left out.
    """
    places = []
    for folder in folders:
        try:
            inner = sorted(path for path in folder.iterdir() if path.is_dir())
        except OSError:
            continue
        places += [folder, *inner[:_SUBFOLDERS]]
    return places


def _remade(run: Path) -> Target:
    """The target from the dataset that the run names."""
    from morphface.generate.checkpoint import read_config

    way = f"{run} lacks {TRACK}, which training writes; copy the whole folder of the run, or "
    try:
        dataset = json.loads((run / SOURCE).read_text(encoding="utf-8"))["dataset"]
        folder = open_shards(dataset)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingFileError(f"{way}train where its dataset is") from error
    found = _of_dataset(folder, read_config(run / "generator.safetensors"))
    if found is None:
        raise DatasetError(f"{way}train on a dataset of `morphface prepare`: {dataset} is none")
    return found


def _of_dataset(folder: ShardFolder, config: GeneratorConfig) -> Target | None:
    numbers, clip = _longest(folder)
    if not numbers or not {"params.npy", "json"} <= _extensions(folder, numbers[0]):
        return None
    try:
        facts = [json.loads(folder.read(number, "json")) for number in numbers]
        vectors = np.stack(
            [np.load(io.BytesIO(folder.read(number, "params.npy"))) for number in numbers]
        )
        model = str(folder.manifest["settings"]["model"])
        camera, crop = _lens(facts[0], config.resolution)
        face = _parameters(torch.from_numpy(vectors), model)
        older = older_revision(folder)
        track = _track(face if older is None else brought_up(face, model, older), camera, facts)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"the samples of {folder.path} are damaged: {error}") from error
    clip |= {"path": str(_clip_path(folder, clip) or "")}
    picture = _whole_frame(clip["path"])
    clip["whole"] = picture is not None
    if picture is None:
        with Image.open(io.BytesIO(folder.read(numbers[0], "frame.png"))) as image:
            picture = Photo(torch.from_numpy(np.array(image.convert("RGB"))))
    return Target(track, crop, load_model(model).name, config, clip, picture, older)


def _longest(folder: ShardFolder) -> tuple[list[int], dict[str, Any]]:
    """Numbers of the samples of the person that has the most of them, and the clip."""
    best: tuple[list[int], dict[str, Any]] = [], {}
    first = 0
    for clip in folder.manifest["clips"]:
        for sequence in clip["sequences"]:
            numbers = [first + start + k for start, count in sequence["runs"] for k in range(count)]
            if len(numbers) > len(best[0]):
                best = numbers, dict(clip["source"])
        first += clip["samples"]
    return best


def _extensions(folder: ShardFolder, number: int) -> set[str]:
    found = set()
    for name in _PARTS:
        try:
            folder.read(number, name)
        except DatasetError:
            continue
        found.add(name)
    return found


def _parameters(vectors: Float[Tensor, "T D"], name: str) -> FaceParameters:
    model = load_model(name)
    sizes = {"identity": model.identity.rank, "expression": model.expression.rank}
    rest = vectors.shape[1] - _FIXED - sum(sizes.values())
    return FaceParameters.from_vector(vectors, reflectance=rest, **sizes)


def _lens(facts: dict[str, Any], size: int) -> tuple[Camera, Crop]:
    lens = facts["camera"]
    camera = Camera(
        torch.tensor(float(lens["focal"])), torch.tensor(lens["principal"]), (size, size)
    )
    return camera, Crop(**{k: float(v) for k, v in facts["crop"].items()}, size=size)


def _track(parameters: FaceParameters, camera: Camera, facts: list[dict[str, Any]]) -> Track:
    errors = [fact.get("landmark_nme") for fact in facts]
    return Track(
        parameters,
        camera,
        states=torch.tensor([STATES.index(fact.get("state", STATES[0])) for fact in facts]),
        times=torch.tensor([float(fact["time"]) for fact in facts], dtype=torch.float64),
        indices=torch.tensor([int(fact["frame"]) for fact in facts]),
        landmark_nme=torch.tensor([float("nan") if e is None else float(e) for e in errors]),
        boxes=torch.full((len(facts), 4), float("nan")),
    )


def _clip_path(folder: ShardFolder, clip: dict[str, Any]) -> Path | None:
    """The clip, if it still lies near the dataset or near where we are."""
    places = nearby(folder.path.resolve().parent, Path.cwd())
    return find_clip(clip["name"], clip["sha256"], places)


def _whole_frame(path: str) -> Photo | None:
    if not path:
        return None
    with read_video(path) as video:
        return next(iter(video)).photo


def _facts(found: Target) -> dict[str, Any]:
    crop = {name: getattr(found.crop, name) for name in ("left", "top", "side", "size")}
    return {"crop": crop, "clip": found.clip, "generator": found.config.to_json()}
