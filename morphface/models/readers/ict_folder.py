"""The folder of ICT-FaceKit: one OBJ file for the neutral head and for each of its shapes."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphface.core.errors import MissingFileError, ModelError

__all__ = ["NEUTRAL", "Head", "read_folder"]

NEUTRAL = "generic_neutral_mesh.obj"

_INDEX = "vertex_indices.json"
_LIMIT = 2**26  # bytes of one file
_MOST = 1000  # shapes
_PARTS = {
    "M_Face": "face",
    "M_BackHead": "head_neck",
    "M_GumsTongue": "gums_tongue",
    "M_Teeth": "teeth",
    "M_ScleraLeft": "sclera_left",
    "M_IrisLeft": "iris_left",
    "M_ScleraRight": "sclera_right",
    "M_IrisRight": "iris_right",
}
_SOCKETS = {  # share the material of the head; first vertex, and the one after the last
    "mouth_socket": (11248, 13294),
    "eye_socket_left": (13294, 13678),
    "eye_socket_right": (13678, 14062),
}
_SIZE = 24591  # vertices of the head that has its sockets there


@dataclass(frozen=True, eq=False)
class Head:
    """The model's parts, in its own units, indices from 0.

    Args:
        mean: V x 3.
        identity: K x V x 3, what each mode adds.
        expression: likewise, at weight 1.
        names: of the expressions.
        faces: F x 3.
        uv: U x 2.
        uv_faces: F x 3.
        landmarks: vertices of the 68 points.
        parts: vertices of each part, by name.
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    names: tuple[str, ...]
    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    landmarks: np.ndarray
    parts: dict[str, np.ndarray]


def read_folder(folder: Path) -> Head:
    """Read the files of the folder that has the neutral mesh.

    Raises:
        MissingFileError: one of them is not there.
        ModelError: one of them is damaged, or another mesh.
    """
    names, landmarks = _index(folder)
    text = _text(folder / NEUTRAL)
    polygons = _polygons(text)
    corners = np.concatenate([_fan(polygon) for _, polygon in polygons])
    size = int(corners[:, :, 0].max()) + 1
    mean = _positions(text, NEUTRAL, size)
    identities = sorted(folder.glob("identity[0-9][0-9][0-9].obj"))
    used, uv_faces = np.unique(corners[:, :, 1], return_inverse=True)
    return Head(
        mean=mean,
        identity=_shapes(identities, mean),
        expression=_shapes([folder / f"{name}.obj" for name in names], mean),
        names=names,
        faces=corners[:, :, 0],
        uv=_uv(text)[used],
        uv_faces=uv_faces.reshape(-1, 3),
        landmarks=landmarks,
        parts=_vertex_parts(polygons, size),
    )


def _index(folder: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the expressions, and the landmarks' vertices."""
    try:
        index = json.loads(_text(folder / _INDEX))
        names = tuple(str(name) for name in index["expressions"])
        landmarks = np.array([int(vertex) for vertex in index["idx_to_landmark_verts"]])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{_INDEX} has no expressions and landmarks: {error}") from None
    if not 0 < len(names) <= _MOST or not all(name.isidentifier() for name in names):
        raise ModelError(f"{_INDEX} has names of expressions that are none")
    return names, landmarks


def _text(path: Path) -> bytes:
    if not path.is_file():
        raise MissingFileError(f"the ICT model lacks {path}")
    if path.stat().st_size > _LIMIT:
        raise ModelError(f"{path.name} is larger than {_LIMIT // 2**20} MiB")
    return b"\n" + path.read_bytes()


def _shapes(paths: list[Path], mean: np.ndarray) -> np.ndarray:
    """What each file's mesh adds to the mean."""
    if len(paths) > _MOST:
        raise ModelError(f"it has {len(paths)} shapes, at most {_MOST} are known")
    out = np.empty((len(paths), *mean.shape), np.float32)
    for row, path in zip(out, paths, strict=True):
        np.subtract(_positions(_text(path), path.name, len(mean)), mean, out=row)
    return out


def _positions(text: bytes, name: str, size: int) -> np.ndarray:
    """The first `size` vertices."""
    values = _block(text, b"v", name).reshape(-1, 3)
    if len(values) < size:
        raise ModelError(f"{name} has {len(values)} vertices, and {size} were expected")
    return values[:size]


def _uv(text: bytes) -> np.ndarray:
    return _block(text, b"vt", NEUTRAL).reshape(-1, 2)


def _block(text: bytes, key: bytes, name: str) -> np.ndarray:
    """The numbers of all lines that start with `key`, which follow each other."""
    sign = b"\n" + key + b" "
    start, last = text.find(sign), text.rfind(sign)
    end = text.find(b"\n", last + 1)
    block = text[start : end if end > 0 else None].replace(sign, b" ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(block, sep=" ")
        except (ValueError, DeprecationWarning):  # which one depends on numpy
            values = np.empty(0)
    width = 3 if key == b"v" else 2
    if start < 0 or values.size != width * text.count(sign):
        raise ModelError(f"{name} is not a mesh of ICT-FaceKit: its {key.decode()} lines are odd")
    return values


def _polygons(text: bytes) -> list[tuple[str, list[tuple[int, int]]]]:
    """Part and corners, each vertex and texture index, of the polygons that are kept."""
    part, out = "", []
    for line in text[max(text.find(b"\nvt "), 0) :].splitlines():
        if line.startswith(b"usemtl "):
            part = _PARTS.get(line[7:].decode("latin-1").strip(), "")
        elif line.startswith(b"f ") and part:
            out.append((part, [_corner(token) for token in line.split()[1:]]))
    if not out or any(len(polygon) < 3 for _, polygon in out):
        raise ModelError(f"{NEUTRAL} has no polygons of the materials of ICT-FaceKit")
    return out


def _corner(token: bytes) -> tuple[int, int]:
    numbers = token.split(b"/")
    if len(numbers) < 2 or not (numbers[0].isdigit() and numbers[1].isdigit()):
        raise ModelError(f"{NEUTRAL} has a corner {token[:20]!r} without texture coordinates")
    return int(numbers[0]) - 1, int(numbers[1]) - 1


def _fan(polygon: list[tuple[int, int]]) -> np.ndarray:
    """Triangles around the first corner."""
    pairs = zip(polygon[1:], polygon[2:], strict=False)
    return np.array([(polygon[0], one, other) for one, other in pairs])


def _vertex_parts(
    polygons: list[tuple[str, list[tuple[int, int]]]], size: int
) -> dict[str, np.ndarray]:
    """Each vertex belongs to the first part that uses it."""
    found = np.full(size, "", dtype="U16")
    for part, polygon in reversed(polygons):
        found[[vertex for vertex, _ in polygon]] = part
    if size == _SIZE:
        for part, (first, end) in _SOCKETS.items():
            found[first:end] = part
    return {str(part): np.flatnonzero(found == part) for part in np.unique(found)}
