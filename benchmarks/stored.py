"""Records of tensors in a safetensors file with a JSON header; nothing is ever unpickled.

What can be kept are frozen dataclasses of `KNOWN`, tensors, tuples, dictionaries, numbers,
words and None, in one another.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from benchmarks.bench_linear_fit import Head
from morphface.fit import FitResult, PhotometricResult
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from morphface.parameters import FaceParameters

__all__ = ["KNOWN", "read_record", "write_record"]

KNOWN: dict[str, type] = {
    kind.__name__: kind
    for kind in (Camera, FaceParameters, FitResult, Head, Landmarks, PhotometricResult)
}
"""The records that can be kept, by name; others may be added. Of a `Photo` only pixels are."""


def write_record(path: Path, value: Any) -> None:
    """Writes a record; an existing file is replaced only by a whole one.

    Args:
        path: of the file.
        value: what to keep.

    Raises:
        TypeError: there is something in it that cannot be kept.
    """
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_encoded(value, tensors))
    part = path.with_suffix(f".{os.getpid()}")
    save_file(tensors, part, metadata={"record": text})
    part.replace(path)


def read_record(path: Path) -> Any:
    """What `write_record` kept.

    Args:
        path: of the file.
    """
    with safe_open(path, framework="pt") as file:
        record = json.loads(file.metadata()["record"])
        return _decoded(record, iter(file.get_tensor(key) for key in sorted(file.keys())))


def _encoded(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """As JSON; tensors go into their own dictionary, in the order in which they are met."""
    if isinstance(value, torch.Tensor):
        tensors[f"{len(tensors):06d}"] = value.detach().clone().contiguous()
        return {"tensor": 0}
    if isinstance(value, Photo):
        return {"photo": _encoded(value.to_uint8(), tensors)}
    if isinstance(value, tuple):
        return {"tuple": [_encoded(item, tensors) for item in value]}
    if isinstance(value, dict):
        return {"dict": {key: _encoded(item, tensors) for key, item in value.items()}}
    if is_dataclass(value) and type(value).__name__ in KNOWN:
        found = {f.name: _encoded(getattr(value, f.name), tensors) for f in fields(value)}
        return {"record": type(value).__name__, "fields": found}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def _decoded(kept: Any, tensors: Iterator[torch.Tensor]) -> Any:
    if not isinstance(kept, dict):
        return kept
    if "tensor" in kept:
        return next(tensors)
    if "photo" in kept:
        return Photo(_decoded(kept["photo"], tensors).float() / 255)
    if "tuple" in kept:
        return tuple(_decoded(item, tensors) for item in kept["tuple"])
    if "dict" in kept:
        return {key: _decoded(item, tensors) for key, item in kept["dict"].items()}
    found = {name: _decoded(item, tensors) for name, item in kept["fields"].items()}
    return KNOWN[kept["record"]](**found)
