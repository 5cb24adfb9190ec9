"""Heads that are not ours, to be photographed by an independent renderer.

`scan` is a real person, `ict_heads` are random draws of a model made from light-stage scans.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from benchmarks.common import SEED
from benchmarks.independent import LAMPS, Lamp, Part, picture
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks, find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render import rasterize

__all__ = ["Shot", "Subject", "ict_heads", "photograph", "scan"]

SIZE = (512, 512)
FOCAL = 900.0
DISTANCE = 620.0
# Yaw and pitch in degrees.
VIEWS = [(-40, 0), (-20, 0), (0, 0), (20, 0), (40, 0), (0, 15), (0, -15), (25, 10), (-25, -10)]
IRIS = 5.9  # radius in millimetres
SKIN = (0.47, 0.27, 0.19)  # linear RGB
INNER = {
    "sclera": (0.70, 0.66, 0.63),
    "iris": (0.06, 0.035, 0.02),
    "teeth": (0.65, 0.60, 0.50),
    "gums": (0.35, 0.10, 0.09),
    "mouth": (0.25, 0.07, 0.06),
}


@dataclass(frozen=True)
class Subject:
    """A head in the model frame, in millimetres.

    Args:
        parts: what is seen.
        points: of the face, which a fit should reach.
        marks: the 478 landmarks on it, absent ones not finite.
    """

    parts: tuple[Part, ...]
    points: Tensor
    marks: Tensor


@dataclass(frozen=True)
class Shot:
    """A picture of a subject.

    Args:
        photo: the picture.
        camera: that took it.
        points: those of the subject, in the camera frame.
        marks: its landmarks, in the camera frame.
        landmarks: of the largest face found, None if there is none.
    """

    photo: Photo
    camera: Camera
    points: Tensor
    marks: Tensor
    landmarks: Landmarks | None


def photograph(
    subject: Subject,
    angles: tuple[float, float],
    lamp: Lamp,
    detector: MediaPipeDetector,
    *,
    focal: float = FOCAL,
    distance: float = DISTANCE,
    samples: int = 64,
) -> Shot:
    """Turn the head by yaw and pitch in degrees, take its picture, and look for the face.

    Args:
        subject: who it is.
        angles: yaw and pitch in degrees.
        lamp: what lights the head.
        detector: finds the face.
        focal: of the camera, in pixels of a picture of `SIZE`.
        distance: from the camera to the middle of the head's eyes, in millimetres.
        samples: rays a pixel.
    """
    camera = Camera.facing(SIZE, focal=focal)
    turn = angles_to_rotvec(torch.tensor([*angles, 0.0]).deg2rad())
    away = torch.tensor([0.0, 0.0, -distance])
    parts = [_moved(part, turn, away) for part in subject.parts]
    photo = Photo(picture(parts, camera, lamp, samples).float())
    photo, faces = find_faces(photo, detector)
    points, marks = (to_camera(x, turn, away) for x in (subject.points, subject.marks))
    return Shot(photo, camera, points, marks, faces[0] if faces else None)


def _moved(part: Part, turn: Tensor, shift: Tensor) -> Part:
    normals = part.normals
    if normals is not None:
        normals = normals @ roma.rotvec_to_rotmat(turn).mT
    return replace(part, vertices=to_camera(part.vertices, turn, shift), normals=normals)


def scan(path: Path, model: MorphableModel, detector: MediaPipeDetector) -> Subject:
    """The head scan in the model's frame, facing forward, in about millimetres.

    It comes in arbitrary units: landmarks seen on it tell the similarity to the model's mean.

    Args:
        path: `lee_perry_smith.obj`, its picture beside it.
        model: whose mean the scan is brought to.
        detector: finds the landmarks.
    """
    part = _read_scan(path)
    for _ in range(2):  # the second time, the head faces the camera
        part, marks = _brought(part, model, detector)
    near = torch.cdist(part.vertices, model.identity.mean).min(dim=1)
    face = model.regions["face"][near.indices] > 0.5
    return Subject((part,), part.vertices[face & (near.values < 25)], marks)


def _read_scan(path: Path) -> Part:
    import trimesh

    mesh = trimesh.load(path, process=False)
    merged = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    merged.merge_vertices(merge_tex=True, merge_norm=True)
    _, place = np.unique(np.round(mesh.vertices, 6), axis=0, return_inverse=True)
    order = np.zeros(place.max() + 1, dtype=np.int64)
    _, first = np.unique(np.round(merged.vertices, 6), axis=0, return_index=True)
    order[: len(first)] = first
    normals = merged.vertex_normals[order[place.ravel()]]
    return Part(
        torch.tensor(np.asarray(mesh.vertices) * 40.0).float(),
        torch.tensor(np.asarray(mesh.faces)).long(),
        texture=path.with_name(path.stem + "_color.jpg"),
        uv=torch.tensor(np.asarray(mesh.visual.uv)).float(),
        normals=torch.tensor(np.array(normals)).float(),
    )


def _brought(part: Part, model: MorphableModel, detector: MediaPipeDetector) -> tuple[Part, Tensor]:
    """The part where its landmarks are nearest to those of the mean head, and these."""
    marks = _cast(part, detector)
    embedding = model.landmarks["478"]
    sure = (embedding.confidence > 0.3) & marks.isfinite().all(1)
    turn, shift, scale = roma.rigid_points_registration(
        marks[sure], embedding.points(model.identity.mean)[sure], compute_scaling=True
    )
    normals = None if part.normals is None else part.normals @ turn.mT
    moved = replace(part, vertices=scale * part.vertices @ turn.mT + shift, normals=normals)
    return moved, scale * marks @ turn.mT + shift


def _cast(part: Part, detector: MediaPipeDetector) -> Tensor:
    """Landmarks that the detector sees on a part, back on its surface."""
    lamp = LAMPS["soft, from the left"]
    nothing = torch.empty(0, 3)
    shot = photograph(Subject((part,), nothing, nothing), (0, 0), lamp, detector)
    if shot.landmarks is None:
        raise SystemExit("no face is seen on the scan")
    placed = part.vertices + torch.tensor([0.0, 0.0, -DISTANCE])
    found = rasterize(shot.camera.project(placed)[None], part.faces, SIZE)
    column, row = shot.landmarks.points.floor().long().unbind(-1)
    inside = (column >= 0) & (row >= 0) & (column < SIZE[1]) & (row < SIZE[0])
    column, row = column.clamp(0, SIZE[1] - 1), row.clamp(0, SIZE[0] - 1)
    face, weights = found.face[0, row, column], found.barycentric[0, row, column]
    points = (part.vertices[part.faces[face]] * weights[..., None]).sum(1)
    return torch.where((inside & (face >= 0))[:, None], points, torch.nan)


def ict_heads(path: Path, count: int) -> Iterator[Subject]:
    """Random identities with four random expressions each, in one skin colour.

    Eyes stay open: the model's cornea, opaque here, would pierce a closed lid.

    Args:
        path: `ict_facekit.npz`, `mediapipe478_to_ict.npz` beside it.
        count: how many.
    """
    with np.load(path) as data:
        content = {name: data[name] for name in data.files}
    with np.load(path.with_name("mediapipe478_to_ict.npz")) as data:
        corners = torch.from_numpy(data["triangles"]).long()
        share = torch.from_numpy(data["barycentric"]).float()[..., None]
    rng = np.random.default_rng(SEED)
    parts = [str(name) for name in content["part_names"]]
    mean = content["vertices"].astype(np.float64)
    eyes = [mean[content["vertex_part"] == parts.index(f"sclera_{s}")] for s in ("left", "right")]
    origin = (eyes[0].mean(0) + eyes[1].mean(0)) / 2
    names = [str(name) for name in content["expression_names"]]
    free = [k for k, name in enumerate(names) if not name.startswith(("eyeBlink", "eyeLook"))]
    for _ in range(count):
        x = rng.normal(size=len(content["identity"]))
        weights = np.zeros(len(names))
        weights[rng.permutation(free)[:4]] = rng.uniform(size=4) * 0.7
        vertices = mean - origin + np.tensordot(x, content["identity"].astype(np.float64), 1)
        vertices = vertices + np.tensordot(weights, content["expression"].astype(np.float64), 1)
        points = torch.from_numpy(vertices * 10).float()
        face = points[: int(content["narrow_face_count"])]
        marks = (points[corners] * share).sum(1)
        yield Subject(_ict_parts(content, parts, points), face, marks)


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
