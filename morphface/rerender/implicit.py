"""The head of a person in a photo, hair included, as a closed surface that hangs on the mesh.

A network decides point by point what is inside (`generate/implicit`); each vertex of the surface is
bound to the nearest place on skin or eyeballs, and goes where that goes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.core.records import Record
from morphface.fit.fitted import FittedFace
from morphface.generate.implicit import Implicit, extracted, occupancy, space_code
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.render.aligned import HIGH, LOW, AlignedHead, head_crop
from morphface.render.distance import Nearest
from morphface.render.rasterize import rasterize
from morphface.render.warp import look_up
from morphface.rerender.person import Person
from morphface.rerender.shell import DIMMEST

__all__ = ["ImplicitHead", "implicit_head"]

STANDS = 2.0
"""How far from the mesh a surface is no longer skin, in millimetres."""
BEHIND = 3.0
"""How far behind what is seen a vertex may be to count as seen, in millimetres."""
FACING = 0.25
"""Cosine to the line of sight from which a vertex shows its colour."""
AROUND = 32
"""Vertices with a colour from which one without has its."""


@dataclass(frozen=True, eq=False)
class ImplicitHead(Record):
    """A closed surface around a head and its hair.

    Args:
        vertices: in the model frame, in millimetres.
        faces: vertex indices, counter-clockwise seen from outside.
        colours: what it reflects of any light, RGB of each vertex.
        bound: the nearest place on the fitted mesh of each vertex.
        mesh: vertices of the fitted mesh.
    """

    vertices: Float[Tensor, "N 3"]
    faces: Int[Tensor, "F 3"]
    colours: Float[Tensor, "N 3"]
    bound: Nearest
    mesh: Float[Tensor, "V 3"]

    def moved(self, mesh: Float[Tensor, "V 3"]) -> Float[Tensor, "N 3"]:
        """Its vertices where the mesh is another one: each goes with what it is bound to.

        Moves are added, so that a change of expression bends no hair; poses of the head turn mesh
        and surface alike, as both are in the model frame.

        Args:
            mesh: vertices of the same model with other parameters, in the model frame.
        """
        return self.vertices + self.bound.carried(mesh - self.mesh)

    def beyond(self) -> Int[Tensor, "G 3"]:
        """Faces of what the mesh does not have: they have a corner well outside of it."""
        return self.faces[(self.bound.distance[self.faces] > STANDS).any(-1)]


@torch.no_grad()
def implicit_head(
    face: FittedFace, photo: Photo, network: Implicit, *, resolution: int = 128
) -> ImplicitHead:
    """The head of a fitted face with all that is on it.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
        network: a trained one.
        resolution: cells along each side of the box of 360 mm, 32 times a power of two.

    Raises:
        ModelError: the network was made for another model, or sees no head.
        ParameterError: the resolution is none of those.
        MissingDependencyError: scikit-image is not installed.
    """
    config = network.config
    if config.model != face.model.name:
        raise ModelError(
            f"the implicit head was trained with the model {config.model!r}, the photo is fitted "
            f"with {face.model.name!r}; fit it with --model {config.model}"
        )
    person = Person(face, photo)
    crop = head_crop(face.camera, face.parameters, config.resolution)
    head = AlignedHead(face.model, face.parameters, crop.camera(face.camera))
    matte, hair = _segmented(person, crop)
    colours = crop.apply(photo.pixels, fill=0.5)
    seen = network.seen(head.picture(colours, matte, hair, config.maps)[None])

    def ask(points: Float[Tensor, "N 3"]) -> Float[Tensor, " N"]:
        nearest = head.nearest(points)
        space = space_code(nearest.distance, head.mean_places(nearest))
        return network.at(seen, head.places(points)[None], space[None]).inside[0]

    low, high = torch.tensor(LOW), torch.tensor(HIGH)
    vertices, faces = extracted(occupancy(ask, low, high, resolution), low, high)
    bound = head.nearest(vertices)
    shown = _coloured(person, head.in_camera(vertices), faces, bound)
    return ImplicitHead(vertices, faces, shown, bound, head.vertices)


def _segmented(person: Person, crop: Crop) -> tuple[Float[Tensor, "S S"], Float[Tensor, "S S"]]:
    """Matte and hair in the square."""
    scale = person.work.scale
    inner = Crop(crop.left * scale, crop.top * scale, crop.side * scale, crop.size)
    both = np.stack([person.matte, person.matte * person.labels.hair], -1)
    matte, hair = inner.apply(torch.from_numpy(both.astype(np.float32))).unbind(-1)
    return matte, hair


def _coloured(
    person: Person, points: Float[Tensor, "N 3"], faces: Int[Tensor, "F 3"], bound: Nearest
) -> Float[Tensor, "N 3"]:
    """Colours of the photo without its light where it shows a vertex, elsewhere of those near it.

    The light is that on the mesh where a vertex is bound.
    """
    from scipy.spatial import KDTree

    face, work = person.face, person.work
    screen = face.camera.project(points) * torch.tensor([work.scale, work.scale, 1.0])
    size = work.pixels.shape[0], work.pixels.shape[1]
    perspective = face.camera.weak_depth is None
    front = rasterize(screen[None], faces, size, perspective=perspective).depth[0]
    x, y = screen[:, 0].long(), screen[:, 1].long()
    within = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
    nearest = front[y.clamp(0, size[0] - 1), x.clamp(0, size[1] - 1)]
    towards = torch.nn.functional.normalize(-points, dim=-1)
    facing = (vertex_normals(points, faces) * towards).sum(-1) > FACING
    seen = within & facing & (screen[:, 2] < nearest + BEHIND)
    picture = torch.from_numpy(person.colours.astype(np.float32))[None]
    colours = look_up(picture, screen[None, None, :, :2], "bilinear")[0, 0]
    colours = (colours / _light(face, bound)).clamp(0, 1)
    if not seen.any():
        return colours
    places = points[seen].numpy()
    near = KDTree(places).query(points[~seen].numpy(), min(AROUND, len(places)))[1]
    colours[~seen] = colours[seen][torch.from_numpy(near.reshape(len(near), -1))].mean(1)
    return colours


def _light(face: FittedFace, bound: Nearest) -> Float[Tensor, "N 3"]:
    """What falls on the mesh where vertices are bound, times what the camera makes of it."""
    if face.pixels is None:
        return torch.ones_like(bound.weights)
    normals = vertex_normals(face.vertices_in_camera(), face.model.faces)
    smooth = torch.nn.functional.normalize(bound.carried(normals), dim=-1)
    smooth[:, 2] = smooth[:, 2].abs()  # what is seen beside a head faces the photo, as hair does
    light = irradiance(face.parameters.illumination[0], smooth)
    return light.clamp(min=DIMMEST) * face.pixels.gain[0]
