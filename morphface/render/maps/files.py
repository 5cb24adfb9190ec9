"""Sets of maps as files: a folder of pictures, or one exact `.npz`.

A folder holds `maps.json` and, for each map, a folder of its name with `000000.png`,
`000001.png`, ... Values from 0 to 1 become 0 to 255, or 0 to 65535 for "depth" and "detail" (16
bits); what is signed is unsigned first, and signed again when it is read. So labels, masks and
numbers of faces are exact, depth is exact to 0.004 mm and other maps to 1/510. "uv" has an empty
blue channel.
The same maps make the same bytes.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.core.errors import ImageError, MissingFileError, MorphfaceError
from morphface.core.files import atomic_write, output_folder
from morphface.render.maps.names import CHANNELS
from morphface.render.maps.parsing import LABELS
from morphface.render.maps.surface import BRIGHTEST, DEPTH_REACH, DETAIL_REACH

__all__ = ["decode_png", "encode_png", "load_maps", "save_maps", "unsigned"]

FORMAT, VERSION, HEADER = "morphface maps", 1, "maps.json"
DEEP = ("depth", "detail")
_MEANING = {
    "diffuse": "albedo times light, clamped",
    "correspondence": "place in the mean shape, 0 to 1 along each axis",
    "correspondence_flat": "the same, one colour for each face",
    "face_index": "number of the face plus one, 24 bits from red to blue; 0 is background",
    "gaze": "openings of the eyes and irises",
    "normal": "x, y, z in the camera frame (+x right, +y up, +z to the viewer), -1 to 1 as 0 to 1",
    "detail": f"1 is {DETAIL_REACH:g} mm out of the mesh, 0.5 on it, 0 as much within",
    "depth": f"1 is {DEPTH_REACH:g} mm nearer than the head's origin, 0 is as much farther",
    "mask": "1 on the head",
    "uv": "texture coordinates, v upwards, over the number of unit tiles that they span",
    "albedo": "colours without light",
    "shading": f"light over {BRIGHTEST:g}",
    "parsing": "index into labels, over 255",
}


Stored = tuple[dict[str, Tensor], bool, float, str]
"""Maps of T frames by name, whether they are signed, their background, and the model's name."""


def save_maps(
    path: str | Path, maps: dict[str, Tensor], signed: bool, background: float, model: str
) -> None:
    """Write a set to an `.npz` or to a folder of pictures, whole or not at all.

    Args:
        path: ends in .npz, or names the folder.
        maps: of T frames, T H W C, by name.
        signed: whether values are in [-1, 1].
        background: the value of pixels without a surface.
        model: name of the model that was drawn.

    Raises:
        OutputError: it cannot be written there.
    """
    header = json.dumps(_header((maps, signed, background, model)), indent=1)
    if Path(path).suffix == ".npz":
        arrays = {name: values.detach().cpu().numpy() for name, values in maps.items()}
        arrays["header"] = np.frombuffer(header.encode(), dtype=np.uint8)
        with atomic_write(path) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)
        return
    with output_folder(path) as folder:
        for name, values in maps.items():
            (folder / name).mkdir()
            for frame, picture in enumerate(unsigned(values, signed)):
                (folder / name / f"{frame:06d}.png").write_bytes(encode_png(name, picture))
        (folder / HEADER).write_text(header + "\n", encoding="utf-8")


def unsigned(values: Tensor, signed: bool) -> Tensor:
    """Values in [0, 1].

    Args:
        values: in [0, 1], or in [-1, 1] if `signed`.
        signed: which of these.
    """
    return values * 0.5 + 0.5 if signed else values


def load_maps(path: str | Path) -> Stored:
    """Read what `save_maps` wrote.

    Raises:
        MissingFileError: there is nothing at `path`, or a picture is gone.
        ImageError: a file is damaged or of another kind.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(f"there are no maps at {place}; check the path")
    try:
        return _from_folder(place) if place.is_dir() else _from_npz(place)
    except MorphfaceError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
        raise ImageError(
            f"{place} holds no maps that morphface wrote, or is damaged; write it again"
        ) from error


def encode_png(name: str, values: Float[Tensor, "H W C"]) -> bytes:
    """One frame of a map as a PNG: 16 bits for "depth" and "detail", else 8 bits a channel.

    Args:
        name: of the map.
        values: from 0 to 1, as `MapSet.unit` gives them; those beyond are clamped.
    """
    scale = 65535 if name in DEEP else 255
    steps = (values.detach().clamp(0, 1) * scale).round().cpu().numpy()
    numbers = steps.astype(np.uint16 if name in DEEP else np.uint8)
    if numbers.shape[-1] == 2:
        numbers = np.concatenate([numbers, np.zeros_like(numbers[..., :1])], axis=-1)
    picture = Image.fromarray(numbers[..., 0] if numbers.shape[-1] == 1 else numbers)
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def decode_png(name: str, data: bytes) -> Float[Tensor, "H W C"]:
    """The values, from 0 to 1, of a frame that `encode_png` wrote.

    Args:
        name: of the map.
        data: the PNG.

    Raises:
        ImageError: it is no picture of such a map.
    """
    mode = "I;16" if name in DEEP else "RGB" if CHANNELS[name] > 1 else "L"
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            fits = picture.mode == mode
            numbers = np.array(picture, dtype=np.float32)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"a picture of map {name!r} is damaged; write the maps again") from error
    if not fits:
        raise ImageError(f"a picture of map {name!r} must be of kind {mode}, got {picture.mode}")
    values = torch.from_numpy(numbers).reshape(*numbers.shape[:2], -1)[..., : CHANNELS[name]]
    return values / (65535 if name in DEEP else 255)


def _header(stored: Stored) -> dict[str, Any]:
    maps, signed, background, model = stored
    frames, height, width, _ = next(iter(maps.values())).shape
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "frames": frames,
        "size": [height, width],
        "signed": signed,
        "background": background,
        "maps": {
            name: {
                "channels": CHANNELS[name],
                "bits": 16 if name in DEEP else 8,
                "range": [-1, 1] if signed else [0, 1],
                "meaning": _MEANING[name],
            }
            for name in maps
        },
        "labels": list(LABELS),
    }


def _checked(place: Path, header: dict[str, Any]) -> dict[str, Any]:
    if header["format"] != FORMAT:
        raise ImageError(f"{place} is no set of maps, but of format {header['format']!r}")
    if header["version"] > VERSION:
        raise ImageError(
            f"{place} was made by a newer morphface (format {header['version']}, this one reads "
            f"up to {VERSION}); update morphface to read it"
        )
    return header


def _from_npz(place: Path) -> Stored:
    with np.load(place, allow_pickle=False) as entries:
        header = _checked(place, json.loads(entries["header"].tobytes().decode()))
        maps = {name: torch.from_numpy(entries[name]) for name in header["maps"]}
    return maps, header["signed"], header["background"], header["model"]


def _from_folder(place: Path) -> Stored:
    if not (place / HEADER).exists():
        raise MissingFileError(f"folder {place} has no {HEADER}; name one that holds maps")
    header = _checked(place, json.loads((place / HEADER).read_text(encoding="utf-8")))
    shape = (header["frames"], *header["size"])
    maps = {}
    for name in header["maps"]:
        out = torch.empty(*shape, CHANNELS[name])
        for frame in range(shape[0]):
            picture = place / name / f"{frame:06d}.png"
            if not picture.exists():
                raise MissingFileError(f"{picture} is gone; write the maps again")
            values = decode_png(name, picture.read_bytes())
            if values.shape != out.shape[1:]:
                raise ImageError(f"{picture} has another size than {HEADER} says")
            out[frame] = values
        maps[name] = out * 2 - 1 if header["signed"] else out
    return maps, header["signed"], header["background"], header["model"]
