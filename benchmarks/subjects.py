"""Heads that are not ours, and their pictures.

`scan` is a real person; `benchmarks/ict.py` draws people from a model made from light-stage scans.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from benchmarks.independent import Lamp, Part, picture
from benchmarks.outside import seen_from_outside
from morphface.core.errors import NoFaceError
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks, find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo

__all__ = ["DISTANCE", "SIZE", "Shot", "Subject", "photograph", "read_scan", "scan"]

SIZE = (512, 512)
FOCAL = 900.0
DISTANCE = 620.0
FRAME = Path(__file__).with_name("scan_frame.npz")


@dataclass(frozen=True)
class Subject:
    """A head in the model frame, in millimetres.

    Args:
        parts: what is seen.
        points: of the face, which a fit should reach.
        marks: the 478 landmarks on it, absent ones not finite.
        neutral: the points without expression, where that is known.
        outer: which of the points can be seen from outside; None where all can.
    """

    parts: tuple[Part, ...]
    points: Tensor
    marks: Tensor
    neutral: Tensor | None = None
    outer: Tensor | None = None


@dataclass(frozen=True)
class Shot:
    """A picture of a subject.

    Args:
        photo: the picture.
        camera: that took it.
        points: those of the subject, in the camera frame.
        marks: its landmarks, in the camera frame.
        landmarks: of the largest face found, None if there is none.
        neutral: the subject's points without expression, in its own frame, where that is known.
        outer: which of the points can be seen from outside; None where all can.
    """

    photo: Photo
    camera: Camera
    points: Tensor
    marks: Tensor
    landmarks: Landmarks | None
    neutral: Tensor | None = None
    outer: Tensor | None = None


def photograph(
    subject: Subject,
    angles: tuple[float, float],
    lamp: Lamp,
    detector: MediaPipeDetector,
    *,
    focal: float = FOCAL,
    distance: float = DISTANCE,
    samples: int = 64,
    size: tuple[int, int] = SIZE,
) -> Shot:
    """Turn the head by yaw and pitch in degrees, take its picture, and look for the face.

    Args:
        subject: who it is.
        angles: yaw and pitch in degrees.
        lamp: what lights the head.
        detector: finds the face.
        focal: of the camera, in pixels.
        distance: from the camera to the middle of the head's eyes, in millimetres.
        samples: rays a pixel.
        size: height and width of the picture.
    """
    camera = Camera.facing(size, focal=focal)
    turn = angles_to_rotvec(torch.tensor([*angles, 0.0]).deg2rad())
    away = torch.tensor([0.0, 0.0, -distance])
    parts = [_moved(part, turn, away) for part in subject.parts]
    photo = Photo(picture(parts, camera, lamp, samples).float())
    photo, face = _face(photo, detector)
    points, marks = (to_camera(x, turn, away) for x in (subject.points, subject.marks))
    return Shot(photo, camera, points, marks, face, subject.neutral)


def _face(photo: Photo, detector: MediaPipeDetector) -> tuple[Photo, Landmarks | None]:
    try:
        seen, faces = find_faces(photo, detector)
    except NoFaceError:
        return photo, None
    return seen, faces[0]


def _moved(part: Part, turn: Tensor, shift: Tensor) -> Part:
    normals = part.normals
    if normals is not None:
        normals = normals @ roma.rotvec_to_rotmat(turn).mT
    return replace(part, vertices=to_camera(part.vertices, turn, shift), normals=normals)


def scan(path: Path) -> Subject:
    """The head scan facing forward, in about millimetres.

    It comes in arbitrary units. Where it stands, and which of its points are its face, was found
    once (`benchmarks/scan_frame.py`) and stays, whatever becomes of our model.

    Args:
        path: `lee_perry_smith.obj`, its picture beside it.
    """
    part = read_scan(path)
    with np.load(FRAME) as frame:
        scale = float(frame["scale"])
        turn, shift, marks = (torch.from_numpy(frame[n]) for n in ("turn", "shift", "marks"))
        face = torch.from_numpy(np.unpackbits(frame["face"], count=len(part.vertices)) > 0)
    vertices = scale * part.vertices @ turn.mT + shift
    normals = None if part.normals is None else part.normals @ turn.mT
    placed = replace(part, vertices=vertices, normals=normals)
    outer = seen_from_outside(vertices, placed.faces)[face]
    return Subject((placed,), placed.vertices[face], marks, outer=outer)


def read_scan(path: Path) -> Part:
    """The scan as it comes, forty times as large, with normals that ignore its texture's seams."""
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
