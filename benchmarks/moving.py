"""A rendered clip whose motion is known, and what is measured on it.

A random open head speaks, turns, blinks and looks about before a textured wall, in a light that
stays: 25 frames a second of 400 x 300 pixels, with a camera's noise, in 8 bits and in memory.

    clip = moving_clip()
    for frame in clip.video(): ...          # as `read_video` gives them

What is drawn, in seconds: still until 1; a turn to the side and back (yaw 25, pitch 6 degrees),
until 2.6; still, with a blink and two saccades, until 3.6; speech with small nods until 5.2. A
still head still blinks and looks about; its 68 points are judged where nothing moves but eyes.

Nothing here knows a tracker: the measures take parameters or points.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from benchmarks.bench_fit import lit_head
from benchmarks.bench_linear_fit import shape
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks import Landmarks, to_scheme
from morphface.media.images import Photo
from morphface.media.video import Frame
from morphface.models import MorphableModel, gaze_rotation, load_model
from morphface.parameters import FaceParameters
from morphface.render import rasterize

__all__ = [
    "MovingClip",
    "detected68",
    "errors",
    "jitter",
    "lag",
    "moving_clip",
    "on_the_true_person",
    "points68",
]

SIZE = (300, 400)
RATE = 25.0
FRAMES = 130
FINER = 2
NOISE = 0.012  # of each channel of each pixel, as a webcam has it
STILL = ((0.0, 1.0), (2.6, 3.6))
SPEECH = (3.7, 5.1)
BLINKS, SACCADES = (0.5, 2.9, 4.4), ((0.7, 8.0, 2.0), (3.1, -10.0, -3.0), (3.4, 0.0, 0.0))
_EYELIDS = tuple(range(36, 48))  # of the 68 points


@dataclass(frozen=True, eq=False)
class MovingClip:
    """A clip and its truth.

    Args:
        model: whose parameters these are.
        parameters: of all frames.
        camera: one for all.
        pictures: of all frames, 8 bits.
        times: in seconds.
        still: frames whose head does not move, nor the frames beside them.
    """

    model: MorphableModel
    parameters: FaceParameters
    camera: Camera
    pictures: tuple[Tensor, ...]
    times: Float[Tensor, " T"]
    still: Bool[Tensor, " T"]

    def video(self) -> Iterator[Frame]:
        """The frames as a video gives them."""
        for index, picture in enumerate(self.pictures):
            yield Frame(Photo(picture.float() / 255), index, float(self.times[index]))


def moving_clip(model: MorphableModel | None = None, *, frames: int = FRAMES) -> MovingClip:
    """The clip, always the same.

    Args:
        model: the open head; None loads it.
        frames: how many from the beginning.
    """
    model = model or load_model()
    times = torch.arange(frames) / RATE
    parameters, camera = _acted(model, times)
    wall = _wall(torch.Generator().manual_seed(7))
    noise = torch.Generator().manual_seed(8)
    pictures = tuple(_drawn(model, parameters[k], camera, wall, noise) for k in range(frames))
    still = torch.zeros(frames, dtype=torch.bool)
    for begin, end in STILL:
        still |= (times >= begin + 1.5 / RATE) & (times <= end - 1.5 / RATE)
    return MovingClip(model, parameters, camera, pictures, times, still)


def _acted(model: MorphableModel, times: Float[Tensor, " T"]) -> tuple[FaceParameters, Camera]:
    head = lit_head(model, torch.Generator().manual_seed(11))
    count, names = len(times), model.expression.names
    weights = {
        "eyeBlinkLeft": _blinks(times),
        "eyeBlinkRight": _blinks(times),
        "mouthSmileLeft": 0.25 * _within(times, 1.2, 2.4),
        "mouthSmileRight": 0.2 * _within(times, 1.2, 2.4),
        "browInnerUp": 0.4 * _within(times, 1.4, 2.2),
    }
    talk, phase = _within(times, *SPEECH), times - SPEECH[0]
    for name, rate, size in (
        ("jawOpen", 4.0, 0.4),
        ("mouthFunnel", 2.3, 0.4),
        ("mouthStretchLeft", 3.1, 0.3),
        ("mouthStretchRight", 3.1, 0.3),
        ("mouthPucker", 1.7, 0.3),
    ):
        weights[name] = size * talk * (0.5 - 0.5 * torch.cos(2 * np.pi * rate * phase))
    expression = torch.zeros(count, len(names))
    for name, value in weights.items():
        expression[:, names.index(name)] = value
    turn = torch.sin(np.pi * ((times - 1.0) / 1.6).clamp(0, 1)) ** 2
    nod = talk * torch.sin(2 * np.pi * 1.5 * phase)
    angles = torch.stack([25 * turn, 6 * turn + 2.5 * nod, 3 * turn], dim=1).deg2rad()
    gaze = torch.zeros(count, 2)
    for begin, yaw, pitch in SACCADES:
        gaze[times >= begin] = torch.tensor([yaw, pitch]).deg2rad()
    p = head.parameters
    parameters = FaceParameters(
        identity=p.identity * 0.8,
        expression=expression,
        reflectance=p.reflectance * 0.8,
        illumination=p.illumination.expand(count, -1, -1).clone(),
        rotation=angles_to_rotvec(angles),
        translation=torch.tensor([4.0, 0.0, -700.0]) + torch.stack([8 * turn, nod, 5 * turn], 1),
        gaze=gaze[:, None].expand(-1, 2, -1).clone(),
    )
    return parameters, Camera.facing(SIZE, focal=560.0)


def _blinks(times: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Lids that close within 80 ms and open within 160."""
    out = torch.zeros_like(times)
    for begin in BLINKS:
        since = times - begin
        out = torch.maximum(out, torch.minimum((since + 0.08) / 0.08, 1 - since / 0.16))
    return out.clamp(0, 1)


def _within(times: Float[Tensor, " T"], begin: float, end: float) -> Float[Tensor, " T"]:
    """1 between two times, with soft ends of 150 ms."""
    share = torch.minimum(times - begin, end - times) / 0.15
    return (0.5 - 0.5 * torch.cos(np.pi * share.clamp(0, 1))).float()


def _wall(rng: torch.Generator) -> Float[Tensor, "H W 3"]:
    """A background with structure, as fine as the pictures are drawn."""
    size = [side * FINER for side in SIZE]
    out = torch.tensor([0.5, 0.46, 0.42]).view(1, 3, 1, 1)
    for cells in (4, 12, 40):
        rough = torch.randn(1, 1, cells, cells, generator=rng) * 0.06
        out = out + torch.nn.functional.interpolate(rough, size, mode="bicubic")
    return out[0].permute(1, 2, 0).clamp(0, 1)


def _drawn(
    model: MorphableModel,
    one: FaceParameters,
    camera: Camera,
    wall: Float[Tensor, "H W 3"],
    noise: torch.Generator,
) -> Tensor:
    vertices = to_camera(shape(model, one)[None], one.rotation, one.translation)
    screen = camera.project(vertices) * torch.tensor([FINER, FINER, 1.0])
    found = rasterize(screen, model.faces, (FINER * SIZE[0], FINER * SIZE[1]))
    corners = model.faces[found.face[0][found.mask[0]]]
    values = torch.cat([model.albedo(one.reflectance), vertex_normals(vertices, model.faces)], -1)
    weights = found.barycentric[0][found.mask[0]]
    seen = torch.einsum("nk,nkc->nc", weights, values[0][corners])
    normals = torch.nn.functional.normalize(seen[None, :, 3:], dim=-1)
    image = wall.clone()
    image[found.mask[0]] = seen[:, :3] * irradiance(one.illumination, normals)[0]
    blocks = image.clamp(0, 1).view(SIZE[0], FINER, SIZE[1], FINER, 3).mean(dim=(1, 3))
    blocks = blocks + NOISE * torch.randn(blocks.shape, generator=noise)
    return (blocks.clamp(0, 1) * 255).round().to(torch.uint8)


def points68(
    model: MorphableModel, parameters: FaceParameters, camera: Camera
) -> Float[Tensor, "T 68 2"]:
    """The 68 points of a face, projected."""
    p, embedding = parameters, model.landmark_embedding("68")
    points = torch.stack(
        [
            embedding.points(model.vertices(p.identity[0], p.expression[k], p.gaze[k]))
            for k in range(p.frames)
        ]
    )
    return camera.project(to_camera(points, p.rotation, p.translation))[..., :2]


def detected68(found: list[Landmarks | None]) -> Float[Tensor, "T 68 2"]:
    """The detector's 68 points, NaN where it found nothing."""
    nothing = torch.full((68, 2), float("nan"))
    return torch.stack([nothing if one is None else to_scheme(one, "68").points for one in found])


def jitter(
    points: Float[Tensor, "T N 2"], still: Bool[Tensor, " T"], *, lids: bool = False
) -> float:
    """Mean length of the second difference of points in pixels, over still frames.

    Args:
        points: projected or detected.
        still: from the clip; a frame counts if both of its neighbours are still, too.
        lids: whether the points around the eyes count, which blink.
    """
    kept = [k for k in range(points.shape[1]) if lids or k not in _EYELIDS]
    second = points[2:, kept] - 2 * points[1:-1, kept] + points[:-2, kept]
    counted = still[2:] & still[1:-1] & still[:-2]
    return float(second[counted].norm(dim=-1).nanmean())


def lag(found: Float[Tensor, "T k"], true: Float[Tensor, "T k"], *, furthest: int = 4) -> float:
    """Frames by which `found` comes after `true`: the peak of their cross-correlation, by a
    parabola between frames. Columns that do not move do not count.
    """
    found, true = (values - values.mean(dim=0) for values in (found.double(), true.double()))
    inner = slice(furthest, len(true) - furthest)
    likeness = [
        float((found.roll(-late, dims=0) * true)[inner].sum())
        for late in range(-furthest, furthest + 1)
    ]
    best = min(max(int(np.argmax(likeness)), 1), 2 * furthest - 1)
    before, there, after = likeness[best - 1 : best + 2]
    bend = before - 2 * there + after
    return best - furthest + (0.5 * (before - after) / bend if bend else 0.0)


def errors(clip: MovingClip, found: FaceParameters, camera: Camera) -> dict[str, Tensor]:
    """What is wrong in each frame.

    Args:
        clip: with the truth.
        found: as many frames, in the same model.
        camera: that was fitted.

    Returns:
        For each frame: mean absolute error of expression weights, angle of the head's rotation
        and of the eyes' gaze relative to the head (mean of both) in degrees, and mean distance of
        the 68 points in pixels.
    """
    true = clip.parameters
    turn = roma.rotvec_geodesic_distance(found.rotation, true.rotation).rad2deg()
    sight, wanted = (gaze_rotation(p.gaze)[..., 2] for p in (found, true))
    across = torch.linalg.cross(sight, wanted, dim=-1).norm(dim=-1)
    away = torch.atan2(across, (sight * wanted).sum(dim=-1)).rad2deg()
    spots = points68(clip.model, found, camera) - points68(clip.model, true, clip.camera)
    return {
        "expression_mae": (found.expression - true.expression).abs().mean(dim=1),
        "pose_degrees": turn,
        "gaze_degrees": away.mean(dim=1),
        "points_px": spots.norm(dim=-1).mean(dim=1),
    }


def on_the_true_person(clip: MovingClip, found: FaceParameters) -> FaceParameters:
    """The found motion on the true person, to tell errors of motion from those of identity."""
    person = clip.parameters
    return replace(found, identity=person.identity, reflectance=person.reflectance)
