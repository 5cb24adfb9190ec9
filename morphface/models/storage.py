"""Our own model file: safetensors with a JSON header in the metadata entry `morphface`.

Tensors are named after the fields of `MorphableModel`, with dots for nesting. Bases may be
stored in half precision, masks as bytes; what is loaded is float32.
"""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel

__all__ = ["FORMAT", "VERSION", "read_model_file"]

FORMAT = "morphface-model"
VERSION = 1
_LIMIT = 2**31  # bytes


def read_model_file(path: Path) -> MorphableModel:
    """Read a model in our own format.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is not a model of ours, is of a newer version, or lacks a tensor.
    """
    header, tensors = _read(path)
    try:
        return _assemble(header, tensors)
    except KeyError as error:
        raise ModelError(f"model file {path} lacks {error.args[0]!r}: rebuild it") from None


def _read(path: Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    if not path.is_file():
        raise MissingFileError(f"there is no model file at {path}")
    if path.stat().st_size > _LIMIT:
        raise ModelError(f"model file {path} is larger than {_LIMIT // 2**30} GiB")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("morphface", "{}"))
            _check_header(path, header)
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is not a {FORMAT} file: {error}") from None


def _check_header(path: Path, header: dict[str, object]) -> None:
    if header.get("format") != FORMAT:
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
    return MorphableModel(
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
            name.removeprefix("regions."): value.float() / 255
            for name, value in tensors.items()
            if name.startswith("regions.")
        },
        eyes=_eyes(tensors) if "left_eye.vertices" in tensors else None,
        landmarks=_landmarks(tensors),
    )


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


def _landmarks(tensors: dict[str, Tensor]) -> dict[str, LandmarkEmbedding]:
    schemes = {name.split(".")[1] for name in tensors if name.startswith("landmarks.")}
    return {
        scheme: LandmarkEmbedding(
            tensors[f"landmarks.{scheme}.triangles"].long(),
            tensors[f"landmarks.{scheme}.barycentric"].float(),
            tensors[f"landmarks.{scheme}.confidence"].float(),
        )
        for scheme in sorted(schemes)
    }
