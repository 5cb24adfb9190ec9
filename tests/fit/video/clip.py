"""Clips of toy heads whose motion is known, and a detector that knows it, too."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.images import Photo
from morphface.media.video import Frame
from morphface.parameters import FaceParameters
from morphface.render import interpolate, rasterize

SIZE = (72, 96)
CAMERA = Camera.facing(SIZE, focal=150.0)


def moving(count, *, seed=0, x=0.0, depth=-420.0, speed=0.0):
    """Somebody who turns, smiles and drifts across the picture."""
    rng, t = torch.Generator().manual_seed(seed), torch.arange(count) / 12
    face = FaceParameters.neutral(identity=6, expression=4, reflectance=3, frames=count)
    return replace(
        face,
        identity=torch.randn(1, 6, generator=rng) * 0.8,
        reflectance=torch.randn(1, 3, generator=rng) * 0.8,
        expression=0.4 + 0.3 * torch.sin(t[:, None] * 2 + torch.arange(4)),
        illumination=(torch.randn(9, 3, generator=rng) * 0.05).expand(count, 9, 3).contiguous(),
        rotation=torch.stack([0.1 * torch.sin(t), 0.25 * torch.sin(1.5 * t), 0 * t], dim=1),
        translation=torch.stack([x + speed * t, 4 * torch.sin(t), depth + 0 * t], dim=1),
    )


def picture(model, people, frame, *, wall=0.5):
    """One frame; who comes first stands in front. Its number is written into its first pixel."""
    out = torch.full((*SIZE, 3), wall) * torch.linspace(0.6, 1.0, SIZE[1])[:, None]
    for face in reversed(people):
        points = to_camera(
            model.vertices(face.identity[0], face.expression[frame]),
            face.rotation[frame],
            face.translation[frame],
        )
        light = irradiance(face.illumination[frame], vertex_normals(points, model.faces))
        found = rasterize(CAMERA.project(points)[None], model.faces, SIZE)
        colours = interpolate(
            (model.albedo(face.reflectance)[0] * light)[None], model.faces, found
        )[0]
        out = torch.where(found.mask[0][..., None], colours, out)
    pixels = (out.clamp(0, 1) * 255).round().byte()
    pixels[0, 0] = frame
    return Photo(pixels)


def clip(model, people, **wishes):
    """All frames, 25 a second."""
    count = people[0].frames
    return [Frame(picture(model, people, k, **wishes), k, k / 25) for k in range(count)]


class KnowingDetector:
    """Finds everybody in whole frames, but for the frames that are hidden."""

    def __init__(self, model, people: Sequence[FaceParameters], hidden=()):
        self.hidden, self.calls = set(hidden), 0
        self._found = [[marks(model, face, k) for k in range(face.frames)] for face in people]

    def detect(self, photo):
        self.calls += 1
        frame = int(photo.to_uint8()[0, 0, 0])
        if photo.size != SIZE or frame in self.hidden:
            return []
        return [found[frame] for found in self._found if (frame, id(found)) not in self.hidden]

    def hide(self, person, frames):
        """Hides one person in some frames."""
        self.hidden |= {(frame, id(self._found[person])) for frame in frames}


def marks(model, face, frame):
    """The landmarks of a face, without error."""
    points = model.vertices(face.identity[0], face.expression[frame])
    spots = model.landmarks["toy"].points(points)
    camera = to_camera(spots, face.rotation[frame], face.translation[frame])
    screen = CAMERA.project(camera)[:, :2]
    return Landmarks(screen, "toy", torch.ones(len(screen)), box_of(screen))
