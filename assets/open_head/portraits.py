"""Pictures of random people whose surface is known, to see where the detector puts its points.

Two kinds of heads: the open head itself, and that of ICT-FaceKit painted with the open head's
colours. Both have random identities, expressions, skins, lights, views and lenses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import sh_basis
from morphface.media.images import Photo
from morphface.models import LinearBasis, MorphableModel, load_model
from morphface.models.skin import skin_faces
from morphface.render import Fragments, Rendered, Renderer, rasterize

SIZE = 512  # pixels, square
TURN = (22.0, 10.0, 6.0)  # standard deviations of yaw, pitch and roll in degrees
LENS = (1.2, 4.0)  # focal lengths, in sizes of the picture
SHARE = (0.35, 0.75)  # of the picture's height that 230 mm of the head take
EXPOSED = (0.3, 0.6)  # brightness of the head in the picture, as cameras are set to show it
WEIGHT = 0.7  # the largest of up to four expressions
PAINT = {"teeth": (0.85, 0.80, 0.74), "gums_tongue": (0.70, 0.40, 0.38)}
DARK = (0.45, 0.25, 0.22)  # the inside of mouth and eye sockets
FACE = 0.3  # of the mask of the face, down to which its points lie; a chin is of the neck, too
LAYING, NEAR = 5, 15.0  # rounds, and mm to a point's partner, when two mean faces are laid together
WHITE, IRIS = (0.85, 0.83, 0.82), (0.35, 0.25, 0.18)


@dataclass(frozen=True)
class Portrait:
    """A picture of somebody.

    Attributes:
        photo: the picture.
        shown: what of the mesh its pixels show.
        facing: cosine of the angle of view at each vertex.
    """

    photo: Photo
    shown: Fragments
    facing: Tensor


@dataclass(frozen=True)
class Cast:
    """A mesh that can be many people.

    Attributes:
        model: shape and colours, its mean in the frame of the open head.
        skin: which faces landmarks may lie on.
        balls: which faces irises may lie on.
        closing: names of expressions that are left out.
    """

    model: MorphableModel
    skin: Tensor
    balls: Tensor
    closing: tuple[str, ...] = ("eyeBlink", "eyeLook")

    def portraits(self, count: int, seed: int) -> Iterator[Portrait]:
        """So many pictures of so many people."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            yield self._portrait(rng)

    def _portrait(self, rng: np.random.Generator) -> Portrait:
        model = self.model
        vertices = model.vertices(_normal(rng, model.identity.rank), self._mood(rng))
        turn = angles_to_rotvec(torch.from_numpy(rng.normal(size=3) * TURN).float().deg2rad())
        camera = Camera.facing((SIZE, SIZE), focal=SIZE * rng.uniform(*LENS))
        away = float(camera.focal) * 230 / (SIZE * rng.uniform(*SHARE))
        place = torch.tensor([*rng.normal(0, 15, 2), -away]).float()
        seen = to_camera(vertices, turn, place)
        albedo = model.albedo(_normal(rng, model.reflectance.rank))
        drawn = _exposed(
            Renderer.of(model, camera)(
                seen[None], colours=albedo[None], illumination=_light(rng)[None]
            ),
            rng.uniform(*EXPOSED),
        )
        picture = drawn.over(torch.from_numpy(rng.uniform(0.05, 0.9, 3)).float())[0]
        picture = picture + 0.01 * torch.from_numpy(rng.normal(size=picture.shape)).float()
        shown = rasterize(camera.project(seen)[None], model.faces, (SIZE, SIZE))
        normals = vertex_normals(seen, model.faces)
        sight = torch.nn.functional.normalize(seen, dim=-1)
        return Portrait(Photo(picture.clamp(0, 1)), shown, -(normals * sight).sum(-1))

    def _mood(self, rng: np.random.Generator) -> Tensor:
        names = self.model.expression.names
        free = [k for k, name in enumerate(names) if not name.startswith(self.closing)]
        weights = np.zeros(len(names))
        weights[rng.permutation(free)[: rng.integers(0, 5)]] = 1
        return torch.from_numpy(weights * rng.uniform(0, WEIGHT, len(names))).float()


def _exposed(drawn: Rendered, brightness: float) -> Rendered:
    """The same under a light that shows the head in this mean luminance."""
    shown = (drawn.colour * torch.tensor(LUMINANCE)).sum()
    return replace(drawn, colour=drawn.colour * brightness * drawn.mask.sum() / shown)


def _normal(rng: np.random.Generator, count: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=count)).float()


def _light(rng: np.random.Generator) -> Tensor:
    """A sky and a lamp that is before the face, nearly white."""
    towards = np.abs(rng.normal(size=3)) * [1, 0.8, 1] + [0, 0, 0.3]
    towards[0] *= rng.choice([-1, 1])
    lamp = sh_basis(torch.from_numpy(towards / np.linalg.norm(towards))[None].float())[0].numpy()
    lamp *= rng.uniform(0.05, 0.35) * np.repeat([0, 1, 0.4], [1, 3, 5])
    lamp[0] = rng.uniform(-0.35, 0.1)
    tint = 1 + 0.05 * rng.normal(size=3)
    return torch.from_numpy(lamp[:, None] * tint).float()


def open_cast(model: MorphableModel) -> Cast:
    """The open head."""
    ball = torch.zeros(model.size, dtype=torch.bool)
    for eye in model.eyes or ():
        ball[eye.vertices] = True
    face = (model.regions["face"][model.faces] > FACE).all(-1)
    skin = skin_faces(model, without=("ears",)) & face
    return Cast(model, skin, ball[model.faces].all(-1))


def painted_cast(path: Path, like: MorphableModel) -> Cast:
    """The head of ICT-FaceKit in the colours of the open head, and brought into its frame.

    Args:
        path: `ict_facekit.npz`.
        like: the open head.
    """
    plain = _laid_onto(load_model(path), like)
    mean = plain.identity.mean
    regions = plain.regions
    skin = regions["skin"] > 0.5
    face, weights = closest_on_mesh(mean, like.identity.mean, like.faces[skin_faces(like)])
    corners = like.faces[skin_faces(like)][face]

    def carried(values: Tensor) -> Tensor:
        out = torch.einsum("nk,...nkc->...nc", weights, values[..., corners, :])
        return out * skin[:, None]

    colours = carried(like.reflectance.mean) + ~skin[:, None] * torch.tensor(DARK)
    for name, colour in PAINT.items():
        if name in regions:
            colours[regions[name] > 0.5] = torch.tensor(colour)
    ball = regions["eyeballs"] > 0.5
    colours[ball] = torch.tensor(WHITE)
    for eye in plain.eyes or ():
        rows = eye.vertices
        centre = eye.centre(mean)
        front = (mean[rows] - centre)[:, :2].norm(dim=1) < eye.iris_radius
        colours[rows[front & (mean[rows, 2] > centre[2])]] = torch.tensor(IRIS)
    reflectance = LinearBasis(colours, carried(like.reflectance.directions))
    model = replace(plain, reflectance=reflectance)
    inside = regions["face"][plain.faces].amin(1) > 0.5
    return Cast(model, inside, ball[plain.faces].all(-1))


def _laid_onto(model: MorphableModel, like: MorphableModel) -> MorphableModel:
    """The model moved to where its mean face lies on that of another, each with its own eyeballs.

    Both have their origin between the eyes; but the middle of an eyeball lies the deeper under
    the lids the larger it is.
    """
    mean, target = model.identity.mean, like.identity.mean
    skin = like.faces[skin_faces(like)]
    face = model.regions["face"] > 0.5
    for _ in range(LAYING):
        points = mean[face]
        found, weights = closest_on_mesh(points, target, skin)
        away = (target[skin[found]] * weights[..., None]).sum(1) - points
        mean = mean + away[away.norm(dim=1) < NEAR].mean(0)
    return replace(model, identity=replace(model.identity, mean=mean))
