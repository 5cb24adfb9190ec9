"""Our own model file: safetensors with a JSON header in the metadata entry `morphface`.

Tensors are named after the fields of `MorphableModel`, with dots for nesting. What is loaded is
float32; a tensor that half precision or bytes (masks, k / 255) hold exactly is stored so, and the
others as they are. Version 1 knew masks only as bytes, and no joints; a file gets the lowest
version that can hold it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.core.files import atomic_write
from morphface.models.articulated import ArticulatedModel, Rig
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel

__all__ = [
    "FORMAT",
    "VERSION",
    "landmark_tensors",
    "landmarks_of",
    "read_header",
    "read_model_file",
    "save_model",
    "write_tensors",
]

FORMAT = "morphface-model"
VERSION = 2
_LIMIT = 2**31  # bytes
_BASES = ("identity.directions", "expression.directions", "reflectance.directions")


def save_model(
    model: MorphableModel,
    path: str | Path,
    *,
    half: bool = False,
    notes: Mapping[str, object] | None = None,
) -> None:
    """Write a model in our own format; reading it again gives the same float32 values.

    Args:
        model: to write.
        path: of the file; ".safetensors" is the usual ending. It is replaced at once or not at all.
        half: store the directions of the bases in half precision (11 bits), which halves the file
            and moves a vertex by a few micrometres.
        notes: further entries of the header, such as "source" and "licence".

    Raises:
        OutputError: the file cannot be written there.
        ParameterError: with `half`, a direction does not fit half precision.
    """
    tensors = {name: _smallest(name, value.detach().cpu(), half) for name, value in _tensors(model)}
    header = {
        "format": FORMAT,
        "version": _version(tensors),
        "name": model.name,
        "expression_names": list(model.expression.names),
        **(notes or {}),
    }
    write_tensors(path, tensors, header)


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], header: Mapping[str, object]
) -> None:
    """Write a safetensors file with a JSON header, whole or not at all.

    Raises:
        OutputError: the file cannot be written there.
    """
    with atomic_write(path) as temporary:
        save_file(_owned(tensors), temporary, metadata={"morphface": json.dumps(header)})
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # safetensors lets only the owner read


def read_model_file(path: Path) -> MorphableModel:
    """Read a model in our own format.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is not a model of ours, is of a newer version, or lacks a tensor.
    """
    header, tensors = _read(path)
    try:
        return _check_indices(_assemble(header, tensors))
    except KeyError as error:
        raise ModelError(f"model file {path} lacks {error.args[0]!r}: rebuild it") from None


def read_header(path: Path) -> dict[str, object]:
    """The header of a model in our own format: its name, source and licence among others.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is not a model of ours, or is of a newer version.
    """
    with _opened(path) as (header, _):
        return header


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, object], safe_open]]:
    if not path.is_file():
        raise MissingFileError(f"there is no model file at {path}")
    if path.stat().st_size > _LIMIT:
        raise ModelError(f"model file {path} is larger than {_LIMIT // 2**30} GiB")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("morphface", "{}"))
            _check_header(path, header)
            yield header, file
    except (SafetensorError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f"{path} is not a {FORMAT} file: {error}") from None


def _read(path: Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    with _opened(path) as (header, file):
        return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _check_header(path: Path, header: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelError(f"{path} is a safetensors file, but not a {FORMAT} file")
    version = header.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise ModelError(
            f"{path} has format version {version}, this morphface reads up to {VERSION}: "
            "upgrade morphface"
        )


def _assemble(header: dict[str, object], tensors: dict[str, Tensor]) -> MorphableModel:
    names = header["expression_names"]
    if not isinstance(names, list):
        raise ModelError("the header's expression_names must be a list")
    model = MorphableModel(
        name=str(header["name"]),
        identity=_basis(tensors, "identity"),
        expression=ExpressionBasis(
            tensors["expression.directions"].float(),
            tuple(str(name) for name in names),
            tensors["expression.bounds"].float(),
        ),
        faces=tensors["faces"].long(),
        reflectance=_basis(tensors, "reflectance") if "reflectance.mean" in tensors else None,
        uv=tensors.get("uv"),
        uv_faces=tensors["uv_faces"].long() if "uv_faces" in tensors else None,
        mirror=tensors["mirror"].long() if "mirror" in tensors else None,
        regions={
            name.removeprefix("regions."): _mask(value)
            for name, value in tensors.items()
            if name.startswith("regions.")
        },
        eyes=_eyes(tensors) if "left_eye.vertices" in tensors else None,
        landmarks=landmarks_of(tensors),
    )
    return ArticulatedModel.of(model, _rig(tensors)) if "rig.weights" in tensors else model


def _check_indices(model: MorphableModel) -> MorphableModel:
    """Refuse an index of a vertex that is not there: it would fail later, far from its cause."""
    named = {"faces": model.faces, "mirror": model.mirror}
    named |= {f"landmarks.{name}": item.triangles for name, item in model.landmarks.items()}
    named |= {f"eye {side}": eye.vertices for side, eye in enumerate(model.eyes or ())}
    limits = {name: model.size for name in named}
    named["uv_faces"], limits["uv_faces"] = model.uv_faces, 0 if model.uv is None else len(model.uv)
    for name, indices in named.items():
        if indices is None or indices.numel() == 0:
            continue
        if int(indices.min()) < 0 or int(indices.max()) >= limits[name]:
            raise ModelError(f"{name} of model {model.name!r} points beyond its vertices")
    return model


def _mask(stored: Tensor) -> Tensor:
    return stored.float() / 255 if stored.dtype == torch.uint8 else stored.float()


def _basis(tensors: dict[str, Tensor], name: str) -> LinearBasis:
    return LinearBasis(tensors[f"{name}.mean"].float(), tensors[f"{name}.directions"].float())


def _eyes(tensors: dict[str, Tensor]) -> tuple[Eye, Eye]:
    left, right = (
        Eye(
            tensors[f"{side}.vertices"].long(),
            tensors[f"{side}.centre_offset"].float(),
            *(float(radius) for radius in tensors[f"{side}.radii"]),
        )
        for side in ("left_eye", "right_eye")
    )
    return left, right


def _rig(tensors: dict[str, Tensor]) -> Rig:
    turned, eyes = tensors["rig.turned"].tolist(), tensors["rig.eyes"].tolist()
    return Rig(
        parents=tuple(tensors["rig.parents"].tolist()),
        joints=_basis(tensors, "rig.joints"),
        moves=tensors["rig.moves"].float(),
        weights=tensors["rig.weights"].float(),
        correctives=tensors["rig.correctives"].float(),
        turned=tuple(turned),
        eyes=(eyes[0], eyes[1]),
        origin=tensors["rig.origin"].float() if "rig.origin" in tensors else None,
    )


def landmarks_of(tensors: Mapping[str, Tensor]) -> dict[str, LandmarkEmbedding]:
    """The embeddings among the tensors of a file, by scheme."""
    schemes = {name.split(".")[1] for name in tensors if name.startswith("landmarks.")}
    return {
        scheme: LandmarkEmbedding(
            tensors[f"landmarks.{scheme}.triangles"].long(),
            tensors[f"landmarks.{scheme}.barycentric"].float(),
            tensors[f"landmarks.{scheme}.confidence"].float(),
        )
        for scheme in sorted(schemes)
    }


def landmark_tensors(
    landmarks: Mapping[str, LandmarkEmbedding],
) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of embeddings under its name in a file."""
    for scheme, embedding in landmarks.items():
        for part, kind in (("triangles", torch.int32), ("barycentric", None), ("confidence", None)):
            yield f"landmarks.{scheme}.{part}", getattr(embedding, part).to(kind or torch.float32)


def _tensors(model: MorphableModel) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a model under its name in the file."""
    yield from _of_basis("identity", model.identity)
    yield "expression.directions", model.expression.directions
    yield "expression.bounds", model.expression.bounds
    if model.reflectance is not None:
        yield from _of_basis("reflectance", model.reflectance)
    for name in ("faces", "uv", "uv_faces", "mirror"):
        if getattr(model, name) is not None:
            yield name, getattr(model, name)
    for name, mask in model.regions.items():
        yield f"regions.{name}", mask
    for side, eye in zip(("left_eye", "right_eye"), model.eyes or (), strict=False):
        yield f"{side}.vertices", eye.vertices
        yield f"{side}.centre_offset", eye.centre_offset
        yield f"{side}.radii", torch.tensor([eye.radius, eye.iris_radius], dtype=torch.float64)
    yield from landmark_tensors(model.landmarks)
    if isinstance(model, ArticulatedModel):
        yield from _of_rig(model.rig)


def _of_rig(rig: Rig) -> Iterator[tuple[str, Tensor]]:
    yield from _of_basis("rig.joints", rig.joints)
    for name in ("moves", "weights", "correctives", "origin"):
        if getattr(rig, name) is not None:
            yield f"rig.{name}", getattr(rig, name)
    for name in ("parents", "turned", "eyes"):
        yield f"rig.{name}", torch.tensor(getattr(rig, name), dtype=torch.int32)


def _of_basis(name: str, basis: LinearBasis) -> Iterator[tuple[str, Tensor]]:
    yield f"{name}.mean", basis.mean
    yield f"{name}.directions", basis.directions


def _smallest(name: str, value: Tensor, half: bool) -> Tensor:
    """The value in the smallest type that holds it, or with `half` nearly does."""
    if not value.is_floating_point():
        return value.to(torch.int32)
    if name.endswith(".radii"):
        single = value.float()
        return single if torch.equal(single.double(), value) else value
    value = value.float()
    if name in _BASES:
        short = value.half()
        if half and not short.isfinite().all():
            raise ParameterError(f"{name} has values that half precision cannot hold")
        return short if half or torch.equal(short.float(), value) else value
    if name.startswith("regions."):
        levels = (value * 255).round().clamp(0, 255).to(torch.uint8)
        return levels if torch.equal(levels.float() / 255, value) else value
    return value


def _owned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors that share no memory, which safetensors refuses."""
    out: dict[str, Tensor] = {}
    seen = set()
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        memory = value.untyped_storage()
        if memory.data_ptr() in seen or memory.nbytes() != value.nbytes:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        out[name] = value
    return out


def _version(tensors: Mapping[str, Tensor]) -> int:
    new = any(
        name.startswith("rig.") or (name.startswith("regions.") and value.dtype != torch.uint8)
        for name, value in tensors.items()
    )
    return 2 if new else 1
