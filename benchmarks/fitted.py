"""The faces that a revision of ours fitted to stored pictures, as `fit_shots` wrote them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.faces import Face, Places, places_of
from benchmarks.nonrigid import Shapes
from benchmarks.peers import Ict

__all__ = ["Fitted"]

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
        return self._face(mean, (weights[..., None] * mean[corners]).sum(1), mean)

    def alone(self, stage: str, picture: Path) -> Face | None:
        """What a stage found in one picture, linear or pixels."""
        path = self.folder / picture.parent.name / picture.name
        if not path.exists():
            return None
        with np.load(path) as data:
            names = ("vertices", "marks", "neutral")
            return self._face(*(data[f"{stage}_{n}"].astype(np.float64) for n in names))

    def together(self, picture: Path) -> Face | None:
        """What all pictures of the person say of one of them."""
        path = self.folder / picture.parent.name / f"{picture.stem.split('-')[0]}.npz"
        if not path.exists():
            return None
        with np.load(path) as data:
            if picture.stem not in data["used"]:
                return None
            row = list(data["used"]).index(picture.stem)
            names = ("vertices", "marks", "neutral")
            return self._face(*(data[n][row].astype(np.float64) for n in names))

    def seconds(self, stage: str, pictures: list[Path]) -> float:
        """How long a stage took for a picture, the median."""
        took = []
        for picture in pictures:
            path = self.folder / picture.parent.name / picture.name
            if path.exists():
                with np.load(path) as data:
                    took.append(float(data[f"{stage}_seconds"]))
        return float(np.median(took))

    def places(self, ict: Ict) -> tuple[Places, np.ndarray]:
        """Where the vertices of ICT-FaceKit lie on its model, and how far off that is."""
        face, modes = self.mean(), self.model["directions"].astype(np.float64)
        shapes = Shapes(face.vertices, modes, face.faces)
        return places_of(ict.target, ict.marks, shapes, face.marks)

    def _face(self, vertices: np.ndarray, marks: np.ndarray, neutral: np.ndarray) -> Face:
        sure = (self.model["confidence"] > SURE)[:, None]
        return Face(vertices, self.model["faces"], np.where(sure, marks, np.nan), neutral)
