"""A fit in the file of its parameters, so that a photo that was fitted is not fitted again.

Beside the parameters, `face.npz` holds all that drawing needs of a fit: landmarks, what hides the
face, colours, relief, the verdict. Its header has the fit as a tree of plain values in which a
tensor is the name of an array. The photo is not copied: its path and a hash of its pixels are kept.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morphface.core.errors import MissingFileError, NoFaceError, ParameterError
from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.fit.verdict import Verdict, Warned
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.media.images import Photo, PictureSource, read_image
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.parameters.archive import read_entries
from morphface.parameters.io import load_parameters
from morphface.pipelines.fit_folder import FILE, files_of
from morphface.render import Detail

__all__ = ["holds_fit", "is_kept", "keep", "read_kept"]

_ENTRY = "fit"
_PREFIX = "fit/"
_LARGE = 1 << 16
"""Numbers from which a table or picture is cut to what differs from its first value."""
_RECORDS = {
    kind.__name__: kind
    for kind in (
        *(FitResult, PhotometricResult, FaceParameters, Camera, Landmarks, Verdict, Warned),
        Detail,
    )
}


def is_kept(source: PictureSource) -> bool:
    """Whether a source is no picture but an earlier fit: a `face.npz`, or a folder with one.

    Args:
        source: as of `fit_photo`.
    """
    if not isinstance(source, str | Path):
        return False
    path = Path(source)
    return path.suffix.lower() == ".npz" or (
        path.is_dir() and bool(files_of(path) or _several(path))
    )


def keep(face: FittedFace, photo: Photo) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the header and the arrays of a file of parameters need beside these.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
    """
    arrays: dict[str, np.ndarray] = {}
    record: dict[str, Any] = {"fit": face.fit, "pixels": face.pixels, "verdict": face.verdict}
    record |= {} if face.detail is None else {"detail": face.detail}
    tree = _packed({**record, "seconds": face.seconds}, arrays)
    path = Path(photo.source)
    known = {
        "photo": str(path.absolute() if path.is_file() else photo.source),
        "turns": photo.turns,
    }
    return {_ENTRY: {**known, "pixels_sha256": _digest(photo), "record": tree}}, arrays


def holds_fit(path: str | Path) -> bool:
    """Whether a file of parameters holds a fit that can be drawn.

    Args:
        path: of the file.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no file of parameters.
    """
    return isinstance(load_parameters(path)[2].get("extra", {}).get(_ENTRY), dict)


def read_kept(
    source: str | Path, faces: str | int, named: Callable[[str, str], MorphableModel]
) -> FittedPhoto:
    """The fit of an earlier run, with its photo.

    Args:
        source: a `face.npz`, or the folder of a fit.
        faces: which of a folder's, as of `fit_photo`.
        named: the model of a file, which names it.

    Raises:
        MissingFileError: the photo is neither where it was nor beside the file.
        ParameterError: the file holds parameters alone, the photo is another one now, or the folder
            is that of several photos.
        NoFaceError: there is no such face.
    """
    path = Path(source)
    files = files_of(path) if path.is_dir() else [path]
    if not files and (several := _several(path)):
        raise ParameterError(
            f"{path} holds fits of {len(several)} photos; name one of them, such as {several[0]}"
        )
    found = [_read(file, named) for file in _chosen(files, faces)]
    return FittedPhoto(found[0][0], tuple(face for _, face in found))


def _several(folder: Path) -> list[Path]:
    """The folders of the photos of one person."""
    return sorted(place.parent for place in folder.glob(f"photo_*/{FILE}"))


def _chosen(files: list[Path], faces: str | int) -> list[Path]:
    if faces == "all":
        return files
    number = 0 if faces == "largest" else int(faces) if str(faces).isdecimal() else -1
    if not 0 <= number < len(files):
        raise NoFaceError(f"there is no face {faces}: the fit has {len(files)}, counted from 0")
    return [files[number]]


def _read(path: Path, named: Callable[[str, str], MorphableModel]) -> tuple[Photo, FittedFace]:
    parameters, _, header = load_parameters(path)
    kept = header.get("extra", {}).get(_ENTRY)
    if not isinstance(kept, dict) or "converted_from_revision" in header:
        raise ParameterError(
            f"{path} holds parameters alone, or those of an older revision of its model; fit the "
            "photo again, or give the photo"
        )
    photo = _photo(path, kept)
    arrays = {
        name.removeprefix(_PREFIX): value
        for name, value in read_entries(path, "parameter file; morphface fit writes it").items()
        if name.startswith(_PREFIX)
    }
    try:
        record = _unpacked(kept["record"], arrays)
        face = FittedFace(
            record["fit"],
            named(str(path), str(header.get("model"))),
            record["seconds"],
            record["pixels"],
            record["verdict"],
            record.get("detail"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParameterError(f"{path} is damaged, or of another morphface; fit again") from error
    return photo, face


def _photo(path: Path, kept: Mapping[str, Any]) -> Photo:
    """The photo of a fit, where it was or beside the file."""
    named = str(kept.get("photo"))
    places = (
        named,
        str(path.parent / Path(named).name),
        str(path.parent.parent / Path(named).name),
    )
    there = [place for place in places if place.startswith("sample:") or Path(place).is_file()]
    if not there:
        raise MissingFileError(
            f"the photo that {path} was fitted to is not there: {named}; put it beside the file"
        )
    photo = read_image(there[0])
    turns = kept.get("turns")
    photo = photo.turned(turns) if isinstance(turns, int) and turns else photo
    if _digest(photo) != kept.get("pixels_sha256"):
        raise ParameterError(
            f"{there[0]} is not the picture that {path} was fitted to, or its lens was undistorted "
            "for that; fit it again"
        )
    return photo


def _digest(photo: Photo) -> str:
    return hashlib.sha256(photo.to_uint8().contiguous().numpy().tobytes()).hexdigest()


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Plain values; tensors go to `arrays`."""
    if isinstance(value, Tensor):
        return _stored(value, arrays)
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": {key: _packed(item, arrays) for key, item in value.items()}}
    if is_dataclass(value) and not isinstance(value, type):
        each = {f.name: _packed(getattr(value, f.name), arrays) for f in fields(value)}
        return {"record": type(value).__name__, "fields": each}
    return value


def _stored(value: Tensor, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The place of a tensor; of a large one, such as what hides a face, the part that counts."""
    name, entry = f"{_PREFIX}{len(arrays)}", value.detach().cpu()
    told: dict[str, Any] = {"tensor": name.removeprefix(_PREFIX)}
    if entry.ndim in (2, 3) and entry.numel() >= _LARGE:
        around = entry[0, 0]
        other = (entry != around).reshape(*entry.shape[:2], -1).any(-1)
        rows, columns = (torch.nonzero(other.any(dim=axis))[:, 0] for axis in (1, 0))
        ends = [(int(k[0]), int(k[-1]) + 1) if len(k) else (0, 0) for k in (rows, columns)]
        told |= {"shape": list(entry.shape), "from": [start for start, _ in ends]}
        told |= {"around": around.tolist()} if around.any() else {}
        entry = entry[ends[0][0] : ends[0][1], ends[1][0] : ends[1][1]]
    arrays[name] = entry.numpy()
    return told


def _unpacked(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        return _restored(tree, torch.from_numpy(np.array(arrays[tree["tensor"]])))
    if "tuple" in tree:
        return tuple(_unpacked(item, arrays) for item in tree["tuple"])
    if "dict" in tree:
        return {key: _unpacked(item, arrays) for key, item in tree["dict"].items()}
    each = {name: _unpacked(item, arrays) for name, item in tree["fields"].items()}
    return _RECORDS[tree["record"]](**each)


def _restored(told: Mapping[str, Any], entry: Tensor) -> Tensor:
    if "shape" not in told:
        return entry
    height, width = entry.shape[:2]
    top, left = told["from"]
    whole = entry.new_zeros(told["shape"]) + entry.new_tensor(told.get("around", 0))
    whole[top : top + height, left : left + width] = entry
    return whole
