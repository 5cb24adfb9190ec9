"""Random people of ICT-FaceKit, a model made from light-stage scans, ready to be photographed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.common import SEED
from benchmarks.independent import Part
from benchmarks.subjects import Subject

__all__ = ["IctHeads", "ict_heads"]

IRIS = 5.9  # radius in millimetres
SKIN = (0.47, 0.27, 0.19)  # linear RGB
INNER = {
    "sclera": (0.70, 0.66, 0.63),
    "iris": (0.06, 0.035, 0.02),
    "teeth": (0.65, 0.60, 0.50),
    "gums": (0.35, 0.10, 0.09),
    "mouth": (0.25, 0.07, 0.06),
}
SHOWN = 4  # expressions at once


class IctHeads:
    """The model's content, and the head of given coefficients.

    Args:
        path: `ict_facekit.npz`, `mediapipe478_to_ict.npz` beside it.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as data:
            self.content = {name: data[name] for name in data.files}
        with np.load(path.with_name("mediapipe478_to_ict.npz")) as data:
            self.corners = torch.from_numpy(data["triangles"]).long()
            self.share = torch.from_numpy(data["barycentric"]).float()[..., None]
        content = self.content
        self.parts = [str(name) for name in content["part_names"]]
        mean = content["vertices"].astype(np.float64)
        part = content["vertex_part"]
        eyes = [mean[part == self.parts.index(f"sclera_{s}")] for s in ("left", "right")]
        self.mean = mean - (eyes[0].mean(0) + eyes[1].mean(0)) / 2
        self.identity = content["identity"].astype(np.float64)
        self.expression = content["expression"].astype(np.float64)
        self.count = int(content["narrow_face_count"])

    def head(self, identity: np.ndarray, expression: np.ndarray) -> Subject:
        """The head of these coefficients, in one skin colour."""
        neutral = self.mean + np.tensordot(identity, self.identity, 1)
        vertices = neutral + np.tensordot(expression, self.expression, 1)
        points = torch.from_numpy(vertices * 10).float()
        still = torch.from_numpy(neutral[: self.count] * 10).float()
        parts = _ict_parts(self.content, self.parts, points)
        return Subject(parts, points[: self.count], self.marks(points), still)

    def marks(self, vertices: Tensor) -> Tensor:
        """The 478 landmarks on a head with `vertices`."""
        return (vertices[self.corners] * self.share).sum(1)

    def random_identity(self, rng: np.random.Generator) -> np.ndarray:
        """Of a person as likely as others."""
        return rng.normal(size=len(self.identity))

    def random_expression(self, rng: np.random.Generator) -> np.ndarray:
        """Some at once, none full.

        Eyes stay open: the model's cornea, opaque here, would pierce a closed lid.
        """
        names = [str(name) for name in self.content["expression_names"]]
        free = [k for k, n in enumerate(names) if not n.startswith(("eyeBlink", "eyeLook"))]
        weights = np.zeros(len(names))
        weights[rng.permutation(free)[:SHOWN]] = rng.uniform(size=SHOWN) * 0.7
        return weights


def ict_heads(ict: IctHeads, count: int) -> Iterator[Subject]:
    """Random identities with random expressions, the same at every call."""
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        identity = ict.random_identity(rng)
        yield ict.head(identity, ict.random_expression(rng))


def _ict_parts(
    content: dict[str, np.ndarray], names: Sequence[str], vertices: Tensor
) -> tuple[Part, ...]:
    out = []
    for index, name in enumerate(names):
        faces = torch.from_numpy(content["faces"][content["face_part"] == index]).long()
        if not len(faces) or name.startswith("iris"):  # inside the opaque outer eyeball
            continue
        colour = next((c for key, c in INNER.items() if key in name), SKIN)
        iris = torch.zeros(len(faces), dtype=torch.bool)
        if name.startswith("sclera"):
            iris = _before_iris(torch.from_numpy(content["vertices"]).float() * 10, faces)
        out += [_part(vertices, faces[~iris], colour)]
        out += [_part(vertices, faces[iris], INNER["iris"])] if iris.any() else []
    return tuple(out)


def _before_iris(mean: Tensor, faces: Tensor) -> Tensor:
    """Faces of the cornea, through which one would see the iris."""
    middle = mean[faces].mean(1)
    axis = (mean[faces.unique()].amin(0) + mean[faces.unique()].amax(0)) / 2
    return ((middle - axis)[:, :2].norm(dim=1) < IRIS) & (middle[:, 2] > axis[2])


def _part(vertices: Tensor, faces: Tensor, colour: tuple[float, float, float]) -> Part:
    used, local = faces.unique(return_inverse=True)
    return Part(vertices[used], local, colour)
