"""Which point of one model's surface is which point of another's.

Computed once for a pair of models: their means are aligned by the landmarks that both have, then
the target's is bent onto the source's.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError
from morphface.core.records import Record
from morphface.models.conversion.registration import bent, land, picks_of, skin_surface
from morphface.models.landmark_file import fingerprint
from morphface.models.morphable import MorphableModel
from morphface.models.skin import face_vertices
from morphface.models.storage import write_tensors

__all__ = ["Correspondence", "find_correspondence", "read_correspondence", "save_correspondence"]

_SCHEMES = ("478", "68")
_FAR = 0.15
"""How much a point outside the face counts, beside one of the face."""
_FORMAT = "morphface-correspondence"
_kept: dict[tuple[object, ...], "Correspondence"] = {}
_MOST_KEPT = 8


@dataclass(frozen=True, eq=False)
class Correspondence(Record):
    """For some vertices of a target model, the points of a source model that they are.

    Args:
        models: fingerprints of the source and of the target.
        vertices: of the target.
        triangles: for each, three vertices of the source.
        barycentric: their weights.
        trust: how much each counts in a conversion: 1 on the face where the surfaces coincide,
            little elsewhere.
        face: the source's vertices of the face, where a conversion's error is measured.
    """

    models: tuple[str, str]
    vertices: Int[Tensor, " N"]
    triangles: Int[Tensor, "N 3"]
    barycentric: Float[Tensor, "N 3"]
    trust: Float[Tensor, " N"]
    face: Int[Tensor, " M"]

    def points(self, vertices: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch N 3"]:
        """Where the target's vertices lie on a source mesh with `vertices`."""
        return torch.einsum("nk,...nkc->...nc", self.barycentric, vertices[..., self.triangles, :])


def find_correspondence(from_model: MorphableModel, to_model: MorphableModel) -> Correspondence:
    """The correspondence of two models; those of the last few pairs are kept in memory.

    Args:
        from_model: the source.
        to_model: the target.

    Raises:
        ModelError: the models have no landmark scheme in common.
    """
    scheme = _common_scheme(from_model, to_model)
    pair = (fingerprint(from_model), fingerprint(to_model))
    key = (*pair, scheme, _places(from_model, scheme), _places(to_model, scheme))
    if key not in _kept:
        found = _compute(from_model, to_model, scheme, pair)
        if len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = found
    return _kept[key]


def _places(model: MorphableModel, scheme: str) -> bytes:
    """Where the landmarks are on the mean, so that others lead to another correspondence."""
    points = model.landmarks[scheme].points(model.identity.mean)
    return points.detach().cpu().numpy().tobytes()


def save_correspondence(correspondence: Correspondence, path: str | Path) -> None:
    """Write a correspondence to a file.

    Raises:
        OutputError: the file cannot be written there.
    """
    tensors = {name: getattr(correspondence, name) for name in _TENSORS}
    header = {"format": _FORMAT, "version": 1, "models": correspondence.models}
    write_tensors(path, tensors, header)


def read_correspondence(path: str | Path) -> Correspondence:
    """Read a correspondence from a file.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is not a correspondence of ours.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"there is no correspondence file at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("morphface", "{}"))
            if header.get("format") != _FORMAT or header.get("version") != 1:
                raise ModelError(f"{path} is not a {_FORMAT} file of version 1")
            source, target = header["models"]
            return Correspondence((source, target), **{n: file.get_tensor(n) for n in _TENSORS})
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"{path} is not a {_FORMAT} file: {error}") from None


_TENSORS = ("vertices", "triangles", "barycentric", "trust", "face")


def _compute(
    source: MorphableModel, target: MorphableModel, scheme: str, pair: tuple[str, str]
) -> Correspondence:
    face = face_vertices(target, scheme).numpy()
    (fixed, fixed_rows), (moving, rows) = (
        skin_surface(model, model.identity.mean) for model in (source, target)
    )
    from_picks, from_trust = picks_of(source.landmarks[scheme], source.size, fixed_rows)
    to_picks, to_trust = picks_of(target.landmarks[scheme], target.size, rows)
    trust = from_trust * to_trust
    if len(rows) <= len(fixed_rows):  # the smaller one is bent, which is quicker
        points, surface = bent(moving, fixed, (to_picks, from_picks, trust)), fixed
    else:
        points, surface = moving, bent(fixed, moving, (from_picks, to_picks, trust))
    there = land(points.vertices, surface)
    away = np.linalg.norm(there.points - points.vertices, axis=1)
    same = ((points.normals * there.normals).sum(1) > 0.6) & there.inside & (away < 4)
    counts = np.where(face[rows], 1.0, _FAR)[same]
    return Correspondence(
        models=pair,
        vertices=torch.from_numpy(rows[same]),
        triangles=torch.from_numpy(fixed_rows[fixed.faces[there.face[same]]]),
        barycentric=torch.from_numpy(there.barycentric[same]).float(),
        trust=torch.from_numpy(counts).float(),
        face=torch.nonzero(face_vertices(source, scheme))[:, 0],
    )


def _common_scheme(source: MorphableModel, target: MorphableModel) -> str:
    both = [name for name in source.landmarks if name in target.landmarks]
    best = [name for name in _SCHEMES if name in both] + both
    if not best:
        raise ModelError(
            f"models {source.name!r} and {target.name!r} have no landmarks in common; compute them "
            "with: morphface models embed NAME_OR_PATH"
        )
    return best[0]
