"""The Surrey face model and others of the eos library, in its binary archives (`.bin`).

What the file has: the bytes of a `cereal` binary archive, little-endian; a version (1 to 4), a
PCA model of shape and one of colour, since version 2 an expression model, since 3 landmarks,
texture coordinates, since 4 their triangles. A PCA model is a mean x1 y1 z1 x2 ..., orthonormal
components as columns, their variances and triangles from 0. Blendshapes are a file of their own,
named offsets from neutral. The Surrey model is in millimetres; +x to the subject's left, +y up,
+z out of the face; its origin lies behind the nose; colours are RGB in 0 to 1; texture
coordinates have (0, 0) at the upper left.

What becomes of it: components times their standard deviation, texture coordinates from the lower
left, the origin between where the eyeballs would be, as in every model without them. Blendshapes
have weights in [0, 1].
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import MorphableModel
from morphface.models.readers.arrays import naming
from morphface.models.readers.assembly import Parts, assemble, positions, triangles
from morphface.models.readers.content import Content, look
from morphface.models.readers.surrey_archive import Archive, Blendshapes, Pca

__all__ = ["NAME", "read", "recognises"]

NAME = "a model of the eos library, such as the Surrey face model (.bin)"

_VERSIONS = (1, 2, 3, 4)
_SURREY_SIZES = (845, 3448, 16759, 29587)
_SURREY_EYES = (177, 181, 614, 610)  # corners; the same vertices in every resolution
_EYES = (37, 40, 43, 46)  # of the 68 landmarks, counted from 1
_SILHOUETTE, _CONFIDENCE = range(17), 0.4


def recognises(content: Content) -> bool:
    """Whether it is a binary archive of eos."""
    return content.kind == "surrey"


def read(
    content: Content,
    *,
    expression: str | Path | None = None,
    landmarks: str | Path | None = None,
) -> MorphableModel:
    """Read a model of the eos library.

    Args:
        content: of the archive.
        expression: a file of blendshapes, instead of an expression model within.
        landmarks: the text file that maps the 68 landmarks to vertices, as `ibug_to_sfm.txt`.

    Raises:
        ModelError: a file is damaged, or is not for this model.
        MissingFileError: `expression` or `landmarks` is not there.
    """
    if not content.has("model"):
        raise ModelError(
            f"{content.path} holds blendshapes alone: read the model, and pass it as expression"
        )
    parts = _Parts(content.path)
    if expression is not None:
        parts.expression = _blendshapes(Path(expression))
    if landmarks is not None:
        parts.landmarks = _table(Path(landmarks))
    parts.check()
    with naming(content.path):
        return _assemble(parts)


class _Parts:
    """What an archive holds, in its order."""

    def __init__(self, path: Path) -> None:
        archive = Archive(path, "a model of the eos library")
        self.path, version = path, archive.whole(4)
        if version not in _VERSIONS:
            raise ModelError(f"{path} has version {version} of eos, known are 1 to 4")
        self.shape, self.colour = archive.pca(), archive.pca()
        self.expression: Pca | Blendshapes | None = None
        if version >= 2 and not archive.flag():
            self.expression = archive.blendshapes() if archive.whole(4) else archive.pca()
        named = {} if version < 3 or archive.flag() else archive.numbered()
        self.landmarks = {int(name): at for name, at in named.items() if name.isdecimal()}
        self.uv = archive.rows("<f8", 2)
        self.uv_faces = archive.rows("<i4", 3) if version >= 4 else np.empty((0, 3), np.int32)
        archive.end()

    def check(self) -> None:
        """Refuse parts that do not belong together."""
        size = len(self.shape.mean)
        if size == 0 or len(self.shape.faces) == 0:
            raise ModelError(f"{self.path} has no shape model with triangles")
        if len(self.colour.mean) not in (0, size):
            raise ModelError(f"{self.path} has {size} vertices, {len(self.colour.mean)} of colour")
        if max(self.landmarks.values(), default=0) >= size:
            raise ModelError(f"landmarks of {self.path} point beyond its {size} vertices")
        moved = size if self.expression is None else self.expression.directions.shape[1]
        if moved != size:
            raise ModelError(f"{self.path} has {size} vertices, but its expressions have {moved}")


def _blendshapes(path: Path) -> Blendshapes:
    content = look(path)
    if not content.has("blendshapes"):
        raise ModelError(f"{path} is {content.describe()}, not blendshapes of the eos library")
    archive = Archive(path, "blendshapes of the eos library")
    shapes = archive.blendshapes()
    archive.end()
    return shapes


def _table(path: Path) -> dict[int, int]:
    """Vertices of the landmarks 1 to 68, from lines such as `9 = 33  # chin`."""
    if not path.is_file():
        raise MissingFileError(f"there is no landmark table at {path}")
    text = path.read_bytes()[:100_000].decode("utf-8", errors="replace")
    pairs = re.findall(r"^\s*\"?(\d{1,2})\"?\s*=\s*(\d{1,7})\s*(?:#.*)?$", text, re.MULTILINE)
    if not pairs:
        raise ModelError(f"{path} maps no landmarks to vertices, as in '9 = 33'")
    return {int(name): int(vertex) for name, vertex in pairs}


def _assemble(parts: _Parts) -> MorphableModel:
    size, colour, shapes = len(parts.shape.mean), parts.colour, parts.expression
    statistical = shapes if isinstance(shapes, Pca) else None
    mean = parts.shape.mean if statistical is None else parts.shape.mean + statistical.mean
    painted = LinearBasis(_tensor(colour.mean), _tensor(colour.directions))
    model = assemble(
        Parts(
            name="surrey" if size in _SURREY_SIZES else "eos",
            mean=positions(mean),
            identity=_tensor(parts.shape.directions),
            faces=triangles(parts.shape.faces, size, first=0),
            expression=None if statistical is None else _tensor(statistical.directions),
            reflectance=painted if len(colour.mean) else None,
            corners=_corners(parts),
        )
    )
    uv, uv_faces = _uv(parts, model.faces)
    landmarks = _embedding(parts, model.faces)
    named = shapes if isinstance(shapes, Blendshapes) else None
    return replace(
        model,
        expression=model.expression if named is None else _named(named),
        uv=uv,
        uv_faces=uv_faces,
        landmarks={} if landmarks is None else {"68": landmarks},
    )


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _named(shapes: Blendshapes) -> ExpressionBasis:
    bounds = torch.tensor([[0.0, 1.0]]).repeat(len(shapes.names), 1)
    return ExpressionBasis(_tensor(shapes.directions), shapes.names, bounds)


def _corners(parts: _Parts) -> torch.Tensor | None:
    """Of the eyes: outer, inner, inner, outer; None where nothing tells."""
    found = [parts.landmarks[k] for k in _EYES if k in parts.landmarks]
    if len(found) < len(_EYES):
        found = list(_SURREY_EYES) if len(parts.shape.mean) in _SURREY_SIZES else []
    return torch.from_numpy(parts.shape.mean[found].astype(np.float64)) if found else None


def _uv(parts: _Parts, faces: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Texture coordinates from the lower left, and their triangles."""
    if len(parts.uv) == 0:
        return None, None
    own = len(parts.uv_faces) > 0
    uv_faces = torch.from_numpy(parts.uv_faces.astype(np.int64)) if own else faces
    if uv_faces.shape != faces.shape or not 0 <= int(uv_faces.max()) < len(parts.uv):
        raise ModelError(f"texture coordinates of {parts.path} do not belong to its triangles")
    return _tensor(parts.uv * [1.0, -1.0] + [0.0, 1.0]), uv_faces


def _embedding(parts: _Parts, faces: torch.Tensor) -> LandmarkEmbedding | None:
    """The 68 points, of which those that the model does not define have confidence 0."""
    known = {name - 1: vertex for name, vertex in parts.landmarks.items() if 1 <= name <= 68}
    if not known:
        return None
    vertices, confidence = faces[0, 0].repeat(68), torch.zeros(68)
    which = torch.tensor(list(known))
    vertices[which], confidence[which] = torch.tensor(list(known.values())), 1.0
    confidence[list(_SILHOUETTE)] *= _CONFIDENCE
    return LandmarkEmbedding.at_vertices(vertices, faces, confidence)
