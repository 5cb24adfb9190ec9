"""The faces that a revision of ours fitted to stored pictures, as `fit_shots` wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.faces import Face, Places, places_of
from benchmarks.nonrigid import Shapes
from benchmarks.peers import Ict

__all__ = ["Fitted"]

NAMES = ("vertices", "marks", "neutral")
SURE = 0.3  # confidence of a landmark that takes part in alignments


@dataclass
class Fitted:
    """The content of a folder of fits.

    Args:
        folder: where they are.
    """

    folder: Path
    model: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        with np.load(self.folder / "model.npz") as data:
            self.model = {name: data[name] for name in data.files}

    def mean(self) -> Face:
        """The mean head without expression."""
        mean = self.model["mean"].astype(np.float64)
        corners, weights = self.model["triangles"], self.model["barycentric"]
        return self.face(mean, (weights[..., None] * mean[corners]).sum(1), mean)

    def raw(self, picture: Path) -> dict[str, np.ndarray]:
        """All that was stored of one picture; empty where no face was found."""
        return _content(self.folder / picture.parent.name / picture.name)

    def alone(self, stage: str, picture: Path) -> Face | None:
        """What a stage found in one picture, linear or pixels."""
        data = self.raw(picture)
        return self.face(*(data[f"{stage}_{n}"] for n in NAMES)) if data else None

    def together(self, picture: Path) -> Face | None:
        """What all pictures of the person say of one of them."""
        group = picture.stem.split("-")[0]
        data = _content(self.folder / picture.parent.name / f"{group}.npz")
        used = list(data.get("used", ()))
        if picture.stem not in used:
            return None
        return self.face(*(data[name][used.index(picture.stem)] for name in NAMES))

    def seconds(self, stage: str, pictures: Sequence[Path]) -> float:
        """How long a stage took for a picture, the median."""
        told = [self.raw(picture) for picture in pictures]
        return float(np.median([one[f"{stage}_seconds"] for one in told if one]))

    def places(self, ict: Ict) -> tuple[Places, np.ndarray]:
        """Where the vertices of ICT-FaceKit lie on its model, and how far off that is."""
        face, modes = self.mean(), self.model["directions"].astype(np.float64)
        shapes = Shapes(face.vertices, modes, face.faces)
        return places_of(ict.target, ict.marks, shapes, face.marks)

    def face(self, vertices: np.ndarray, marks: np.ndarray, neutral: np.ndarray) -> Face:
        """A face from all vertices, placed marks and vertices without expression."""
        vertices, marks, neutral = (x.astype(np.float64) for x in (vertices, marks, neutral))
        sure = (self.model["confidence"] > SURE)[:, None]
        return Face(vertices, self.model["faces"], np.where(sure, marks, np.nan), neutral)


def _content(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    with np.load(path) as data:
        return {name: data[name] for name in data.files}
