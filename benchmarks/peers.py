"""What others make of the same landmarks, and what one has without a photo."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.faces import MARKS, Face, Places, places_of
from benchmarks.ict import IctHeads
from benchmarks.nonrigid import Shapes
from benchmarks.outside import seen_from_outside
from benchmarks.regions import canonical_face
from benchmarks.subjects import Shot
from morphface.landmarks.tables import MESH_OF_68

__all__ = ["Eos", "Ict", "canonical_mean", "eos_if_there", "mediapipe_mesh"]

MESH = 468
ITERATIONS = 5  # eos's default; fifty are no better
FILES = (
    "sfm_shape_3448.bin",
    "expression_blendshapes_3448.bin",
    "ibug_to_sfm.txt",
    "sfm_3448_edge_topology.json",
    "sfm_model_contours.json",
)


class Ict:
    """The mean head of ICT-FaceKit, and the map of MediaPipe's landmarks to it."""

    def __init__(self, path: Path) -> None:
        heads = IctHeads(path)
        self.vertices = heads.mean * 10
        self.marks = heads.marks(torch.from_numpy(self.vertices)).numpy()
        self.target = self.vertices[: heads.count]
        whole = torch.from_numpy(heads.content["faces"]).long()
        seen = seen_from_outside(torch.from_numpy(self.vertices).float(), whole)
        self.outer = seen[: heads.count].numpy()
        names = [heads.parts.index(name) for name in ("face", "head_neck")]
        self.faces = heads.content["faces"][np.isin(heads.content["face_part"], names)]
        with np.load(path.with_name("mediapipe478_to_ict.npz")) as data:
            self.mesh = data["canonical_faces"]

    def face(self) -> Face:
        """The mean head."""
        return Face(self.vertices, self.faces, self.marks, self.vertices)

    def places(self) -> Places:
        """Every vertex of the narrow face at itself."""
        return Places.same(len(self.target))


def mediapipe_mesh(shot: Shot, mesh: np.ndarray) -> Face | None:
    """The detector's own points, depths included, in pixels.

    Args:
        shot: the picture.
        mesh: the triangles of MediaPipe's canonical face.
    """
    seen = shot.landmarks
    if seen is None or seen.depth is None:
        return None
    points = torch.cat([seen.points, seen.depth[:, None]], dim=1).double().numpy()
    marks = points * [1.0, -1.0, -1.0]
    return Face(marks[:MESH], mesh, marks, metric=False)


def canonical_mean(mesh: np.ndarray) -> Face:
    """MediaPipe's canonical face."""
    vertices = canonical_face()
    marks = np.full((MARKS, 3), np.nan)
    marks[:MESH] = vertices
    return Face(vertices, mesh, marks)


def eos_if_there(share: Path | None, ict: Ict) -> "Eos | None":
    """The fit of eos with the Surrey model, or a line that says why it is left out."""
    if importlib.util.find_spec("eos") is None:
        print("NOT MEASURED: eos, which is not installed (pip install eos-py)")
        return None
    missing = [name for name in FILES if share is None or not (share / name).exists()]
    if missing:
        print(f"NOT MEASURED: eos, for --eos must name its folder share/, with {missing[0]}")
        return None
    return Eos(share, ict)


@dataclass
class Eos:
    """The fit of eos: shape, expression and pose from 68 landmarks and contours.

    Args:
        share: the folder of that name of the eos library.
        ict: to whose mean head the Surrey model is brought.
    """

    share: Path
    ict: Ict
    content: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        import eos

        shape, blend, mapper, edges, contours = (str(self.share / name) for name in FILES)
        fitting, models = eos.fitting, eos.morphablemodel
        model = models.load_model(shape)
        self.morphable = models.MorphableModel(
            model.get_shape_model(),
            models.load_blendshapes(blend),
            color_model=models.PcaModel(),
            vertex_definitions=None,
            texture_coordinates=model.get_texture_coordinates(),
        )
        self.mapper = eos.core.LandmarkMapper(mapper)
        self.edges = models.load_edge_topology(edges)
        self.contours = (
            fitting.ContourLandmarks.load(mapper),
            fitting.ModelContour.load(contours),
        )

    def face(self, shot: Shot) -> Face | None:
        """What it makes of a picture's landmarks."""
        import eos

        if shot.landmarks is None:
            return None
        seen = shot.landmarks.points[list(MESH_OF_68)].tolist()
        points = [eos.core.Landmark(str(k + 1), xy) for k, xy in enumerate(seen)]
        height, width = shot.photo.size
        mesh, _, shape, _ = eos.fitting.fit_shape_and_pose(
            self.morphable,
            points,
            self.mapper,
            width,
            height,
            self.edges,
            *self.contours,
            ITERATIONS,
        )
        vertices = np.array(mesh.vertices, dtype=float)[:, :3]
        model = self.morphable.get_shape_model()
        neutral = np.array(model.draw_sample(list(shape)), dtype=float).reshape(-1, 3)
        return Face(vertices, np.array(mesh.tvi), self.marks(vertices), neutral)

    def marks(self, vertices: np.ndarray) -> np.ndarray:
        """The 478 landmarks, of which it has some fifty."""
        marks = np.full((MARKS, 3), np.nan)
        for index, mark in enumerate(MESH_OF_68):
            vertex = self.mapper.convert(str(index + 1))
            if vertex is not None:
                marks[mark] = vertices[int(vertex)]
        return marks

    def places(self) -> tuple[Places, np.ndarray]:
        """Where the vertices of ICT-FaceKit lie on it."""
        model = self.morphable.get_shape_model()
        mean = np.array(model.get_mean(), dtype=float).reshape(-1, 3)
        modes = np.array(model.get_rescaled_pca_basis(), dtype=float).T.reshape(-1, *mean.shape)
        faces = np.array(model.get_triangle_list())
        marks = self.marks(mean)
        return places_of(self.ict.target, self.ict.marks, Shapes(mean, modes, faces), marks)
