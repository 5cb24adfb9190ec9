"""Held-out rendered people and a scan: their photos, the fits of these, and their true surfaces."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from benchmarks.independent import LAMPS
from benchmarks.subjects import DISTANCE, FRAME, Shot, Subject, scan
from benchmarks.subjects import photograph as picture_of
from benchmarks.surfaces import Surface, by_landmarks, register, skin_faces
from morphface.fit.fitted import FittedFace
from morphface.generate.implicit import extracted, occupancy
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.pipelines.photo import fit_photo
from morphface.render.aligned import HIGH, LOW, head_crop
from morphface.render.distance import SignedDistance
from morphface.synthetic import Dice, SyntheticHeads, photograph, solid_of
from morphface.synthetic.light import random_exposure

SEED, SIDE = 1 << 20, 512
"""Of people whom nobody was trained with, and of their photos in pixels."""
STANDS = 3.0
"""Millimetres outside of the head from which the true surface is hair."""
LOWEST = -115.0
"""Height in the model frame below which nothing is measured: there the neck is cut."""
SOFT = 20.0
"""Millimetres in which an analytic answer goes from 0 to 1."""
SCAN, SAMPLES = "scans/lee_perry_smith.obj", 24
"""Never trained with; rays for each pixel of its photo."""
FEWEST = 1500
"""Vertices of hair that someone must have to count."""


@dataclass(frozen=True)
class Held:
    """Somebody whose surface is known, with a fit of the photo.

    Args:
        face: the fit.
        photo: that it was fitted to.
        surface: the true vertices and faces, where the fit has its camera frame.
        regions: which vertices are of what: "head" is all of the head, of rendered people "hair" is
            what the photo shows of it, of a scan "face" is the face and "beyond" the rest.
        near: how vertices of the fit's camera frame are brought to the true ones.
    """

    face: FittedFace
    photo: Photo
    surface: tuple[Tensor, Tensor]
    regions: dict[str, Tensor]
    near: tuple[Tensor, Tensor, Tensor]

    def aligned(self, points: Tensor) -> Tensor:
        """Points of the fit's model frame where the true surface is."""
        p = self.face.parameters
        scale, turn, shift = self.near
        return scale * to_camera(points, p.rotation[0], p.translation[0]) @ turn.T + shift


def held_out(count: int, cache: Path) -> list[Held]:
    """The first people with hair that their photo shows, and fits of these photos.

    Args:
        count: how many.
        cache: a folder in which photos and true surfaces are kept.
    """
    people, found, who = SyntheticHeads(SEED, SIDE), [], 0
    cache.mkdir(parents=True, exist_ok=True)
    while len(found) < count:
        file = cache / f"{who:03d}.pt"
        if not file.is_file():
            torch.save(_truth(people, who), file)
        truth = torch.load(file, weights_only=True)
        found += [truth] if truth and int(truth["hair"].sum()) >= FEWEST else []
        who += 1
    return [_fitted(truth) for truth in found]


@torch.no_grad()
def _truth(people: SyntheticHeads, who: int) -> dict[str, Tensor]:
    """A photo, its camera and the true surface in the camera frame; nothing for who has no hair."""
    dice = Dice(SEED, who, 0)
    person, pose = people.posed(who, dice)
    solid = solid_of(person, pose)
    if solid.hair is None:
        return {}
    crop = head_crop(person.camera, pose, SIDE)
    person = replace(person, camera=crop.camera(person.camera))
    image = photograph(person, pose, random_exposure(dice)).image
    low, high = torch.tensor(LOW), torch.tensor(HIGH)
    values = occupancy(lambda p: (0.5 - solid.distance(p) / SOFT).clamp(0, 1), low, high)
    vertices, faces = extracted(values, low, high)
    head = (vertices[:, 1] > LOWEST) & (vertices > low + 1).all(-1) & (vertices < high - 1).all(-1)
    seen = to_camera(vertices, pose.rotation[0], pose.translation[0])
    place = person.camera.project(seen)[:, :2]
    head &= ((place > 0) & (place < SIDE)).all(-1)
    return {
        "image": (image * 255).round().byte(),
        "focal": person.camera.focal,
        "principal": person.camera.principal,
        "vertices": seen,
        "faces": faces,
        "head": head,
        "hair": head & (solid.head.at(vertices).distance > STANDS),
        "mesh": to_camera(solid.vertices, pose.rotation[0], pose.translation[0]),
    }


def _fitted(truth: dict[str, Tensor]) -> Held:
    """The fit of a photo whose camera is known, and how it is brought to the true mesh."""
    camera = Camera(truth["focal"], truth["principal"], (SIDE, SIDE))
    fitted = fit_photo(truth["image"].numpy(), camera=camera)
    face = fitted.faces[0]
    turn, shift, scale = roma.rigid_points_registration(
        face.vertices_in_camera(), truth["mesh"], compute_scaling=True
    )
    surface, regions = (truth["vertices"], truth["faces"]), {n: truth[n] for n in ("hair", "head")}
    return Held(face, fitted.photo, surface, regions, (scale, turn, shift))


def scan_shot(data: Path) -> tuple[Subject, Shot]:
    """The scanned head, with which nothing was trained, and a photo of it from the front.

    Args:
        data: holds `scans/lee_perry_smith.obj`.
    """
    person, lamp = scan(data / SCAN), LAMPS["soft, from the left"]
    with MediaPipeDetector() as detector:
        return person, picture_of(person, (0.0, 0.0), lamp, detector, samples=SAMPLES)


def held_scan(data: Path) -> Held:
    """The scanned head, the fit of its photo laid on its face by iterated closest points.

    Args:
        data: holds `scans/lee_perry_smith.obj`.
    """
    person, shot = scan_shot(data)
    fitted = fit_photo(shot.photo, focal=float(shot.camera.focal))
    face, part = fitted.faces[0], person.parts[0]
    posed = face.vertices_in_camera().double().numpy()
    pose = register(
        shot.points.double().numpy(),
        Surface(posed, skin_faces(face.model)),
        by_landmarks(face, shot),
    )
    scale, turn = 1 / pose.scale, torch.from_numpy(pose.rotation.T.copy()).float()
    shift = -scale * turn @ torch.from_numpy(pose.shift).float()
    with np.load(FRAME) as frame:
        near = np.unpackbits(frame["face"], count=len(part.vertices)) > 0
    head = part.vertices[:, 1] > LOWEST
    of_face = torch.from_numpy(near) & head
    regions = {"face": of_face, "beyond": head & ~of_face, "head": head}
    surface = part.vertices - torch.tensor([0.0, 0.0, DISTANCE]), part.faces
    return Held(face, fitted.photo, surface, regions, (torch.tensor(scale).float(), turn, shift))


def away(points: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    """Distances of points from a surface, in millimetres."""
    return SignedDistance(vertices, faces).at(points).distance.abs()


def some(points: Tensor, count: int = 4000) -> Tensor:
    """Some of many points, the same each time."""
    return points[Dice(len(points)).whole(len(points), count)]
