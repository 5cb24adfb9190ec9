"""What a photo says of the vertices of a fitted head: colours, and where they are to be had."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import roma
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from morphface.core.threads import beside
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.faces import head_texture
from morphface.fit.texture.inner import rims
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import edges
from morphface.geometry.topology import Topology
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.sight import Sight, View, trust, view_of
from morphface.render.warp import enlarged
from morphface.rerender.bare import bare_skin
from morphface.rerender.looks import Look, light_change
from morphface.rerender.person import Person
from morphface.rerender.turn import Turn, turning

__all__ = ["SeenHead"]

BENT = 0.25
"""How far a neck turns where it begins to show a side that the photo has not, 0 to 1."""
SMOOTHINGS = 12
EXPRESSED = 0.3
"""Share of what expressions do to the light on a mesh that photos are given: its folds are not
quite where those of a photo are."""
INNER = ("eyeballs", "eye_sockets", "mouth", "teeth", "tongue")
WELL = 0.5
"""Confidence from which a vertex counts as seen."""
LARGE = 700
"""Pixels of a head from which its texture has all texels."""


@dataclass(frozen=True, eq=False)
class SeenHead:
    """A fitted head and its photo; what is computed of them is kept.

    Args:
        face: what was fitted.
        photo: to this photo.
        look: of the head in it.
    """

    face: FittedFace
    photo: Photo
    look: Look

    @cached_property
    def neutral(self) -> Float[Tensor, "V 3"]:
        """The head without expression, in its own frame."""
        model = self.face.model
        return model.identity.instance(self.face.parameters.identity).reshape(-1, model.size, 3)[0]

    def landmarks(self, values: Float[Tensor, "V C"]) -> Float[Tensor, "N C"]:
        """Values of vertices at the 478 landmarks.

        Args:
            values: of all vertices.
        """
        return self.face.model.landmark_embedding("478").points(values)

    @cached_property
    def marks(self) -> Float[Tensor, "N 3"]:
        """The 478 landmarks of the head in the photo, in the camera frame."""
        return self.landmarks(self.look.vertices)

    @cached_property
    def shown(self) -> Float[Tensor, "V 1"]:
        """How far each vertex is of the face, or of what its openings show."""
        model = self.face.model
        if "face" not in model.regions:
            return torch.ones(model.size, 1)
        names = [name for name in ("face", *INNER) if name in model.regions]
        parts = [model.regions[name] for name in names]
        return torch.stack([*parts, self.person.ears, _jaw(model)]).amax(0)[:, None]

    @cached_property
    def topology(self) -> Topology:
        """Of its mesh."""
        return Topology.of(self.face.model.faces)

    @cached_property
    def mouth(self) -> Float[Tensor, "V 1"]:
        """How far each vertex is inside the mouth."""
        model, blank = self.face.model, torch.zeros(self.face.model.size)
        parts = [model.regions.get(name, blank) for name in ("mouth", "teeth", "tongue")]
        return torch.stack(parts).amax(0)[:, None]

    @cached_property
    def hidden(self) -> Float[Tensor, "V 1"]:
        """How little the photo shows of each vertex that turns with the head, if only a little."""
        moving = (turning(self.face.model) / BENT).clamp(max=1)
        return (moving * (1 - self.certain / WELL).clamp(0, 1))[:, None]

    @cached_property
    def bare(self) -> Float[Tensor, "V 1"]:
        """How far each vertex is bare, with little between no and yes."""
        person = self.person
        found = bare_skin(
            self.face,
            self.photo,
            person.hair_at_vertices,
            person.hairy,
            person.beard,
            beside=person.hair_beside,
            ears=person.ears,
        )
        return ((found - 0.35) / 0.3).clamp(0, 1)[:, None]

    @cached_property
    def rims(self) -> Float[Tensor, "V 1"]:
        """How near each vertex of a lid is to its edge, 0 to 1."""
        model = self.face.model
        lids = model.regions.get("eyelids", torch.zeros(model.size))
        return (rims(model) * lids)[:, None]

    @cached_property
    def near_rims(self) -> tuple[Int[Tensor, " E"], Int[Tensor, " E"]]:
        """Both ends of all edges of the mesh that begin near the edge of a lid."""
        pairs = edges(self.face.model.faces).long()
        both = torch.cat([pairs, pairs.flip(1)])
        here, beside = both[self.rims[both[:, 0], 0] > 0].unbind(1)
        return here, beside

    @cached_property
    def _trust(self) -> tuple[Float[Tensor, " V"], Bool[Tensor, " V"]]:
        normals = self.look.normals(self.face.model.faces)
        return trust(self.view, self.sight, self.look.vertices, normals)

    @property
    def certain(self) -> Float[Tensor, " V"]:
        """How well the photo shows each vertex, 0 to 1."""
        return self._trust[0]

    @cached_property
    def visible(self) -> Float[Tensor, " V"]:
        """1 for vertices that the photo shows, however well."""
        return self._trust[1].float()

    @cached_property
    def inner(self) -> Float[Tensor, " V"]:
        """How far each vertex is from where the head ends or hides a part of itself; 1 is far."""
        places = self.face.camera.project(self.look.vertices)[:, :2]
        return self.view.at(self.view.place(places))[1]

    @cached_property
    def nearest(self) -> Float[Tensor, "V 2"]:
        """The place in the photo of each vertex, or of the next one that is seen well."""
        vertices = self.look.vertices
        places = self.face.camera.project(vertices)[:, :2].clone()
        seen = torch.nonzero(self.certain > WELL)[:, 0]
        hidden = torch.nonzero(self.certain <= WELL)[:, 0]
        if not len(seen):
            return places
        shape = vertices.numpy()
        _, next_to = cKDTree(shape[seen.numpy()]).query(shape[hidden.numpy()])
        places[hidden] = places[seen[torch.from_numpy(next_to)]]
        pairs = edges(self.face.model.faces)
        both = torch.cat([pairs, pairs.flip(1)])
        count = torch.bincount(both[:, 0], minlength=len(places)).clamp(min=1)[:, None]
        for _ in range(SMOOTHINGS):
            mean = torch.zeros_like(places).index_add(0, both[:, 0], places[both[:, 1]]) / count
            places[hidden] = mean[hidden]
        return places

    @cached_property
    def texture(self) -> tuple[Tensor, Tensor | None]:
        """Colours of vertices and of texels, to be multiplied by light."""
        left, right = self.face.camera.project(self.look.vertices)[:, 0].aminmax()
        wide = float(right - left) > LARGE
        found = head_texture(self.face, self.photo, size=1024 if wide else 512)
        gain = found.gains[0]
        return found.colours * gain, None if found.albedo is None else found.albedo * gain

    def texture_ahead(self) -> AbstractContextManager[None]:
        """While it lasts, a thread works out the texture, if that is not known."""
        return nullcontext() if "texture" in vars(self) else beside(lambda: self.texture)

    @cached_property
    def colours(self) -> Float[Tensor, "V 3"]:
        """Colours of vertices as they were fitted, to be multiplied by light."""
        seen = self.face.pixels
        return self.face.albedo() if seen is None else seen.albedo * seen.gain[0]

    def bent(self, look: Look, parameters: FaceParameters) -> Look:
        """A look whose neck is bent: its lower end stays where the photo has it.

        Args:
            look: in which the mesh is turned as one piece.
            parameters: that it is the look of.
        """
        share, now = turning(self.face.model), self.face.parameters
        turn = Turn.between(now, parameters)
        if turn.angle == 0:
            moved = torch.lerp(self.look.vertices, look.vertices, share[:, None])
            return replace(look, vertices=moved, known=None)
        shape = to_camera(
            look.vertices - parameters.translation[0], -parameters.rotation[0], torch.zeros(3)
        )
        still = to_camera(shape, now.rotation[0], now.translation[0])
        still = torch.lerp(self.look.vertices, still, share[:, None])
        bent = torch.where((share < 1)[:, None], turn.apply(still, share), look.vertices)
        return replace(look, vertices=bent, known=None)

    def shades(self, look: Look) -> Float[Tensor, "V 3"]:
        """Logarithms of how many times brighter each vertex becomes in a look.

        A turn changes the light of skin by its normals; hair and hats have others.

        Args:
            look: of the face.
        """
        kept: Tensor | None = vars(look).get("_on_photo")  # a look is of one head
        if kept is None:
            faces, still = self.face.model.faces, self._turned(look)
            light, turn = light_change(faces, self.look, look)
            rigid = 0.0 if still is None else light_change(faces, self.look, still)[1]
            kept = light + (rigid + EXPRESSED * (turn - rigid)) * self.bare * self.shown
            vars(look)["_on_photo"] = kept
        return kept

    def _turned(self, look: Look) -> Look | None:
        """The head of the photo in the pose of a look; None if that is its own."""
        still = self._skull
        was, now = self.look.vertices[still], look.vertices[still]
        if torch.allclose(was, now, atol=0.01):
            return None
        turn, move = roma.rigid_points_registration(was, now)
        turned = self.look.normals(self.face.model.faces) @ turn.mT
        return Look(self.look.vertices @ turn.mT + move, look.light, turned)

    @cached_property
    def _skull(self) -> Int[Tensor, " S"]:
        """Vertices that no expression moves."""
        scalp = self.face.model.regions.get("scalp", torch.ones(self.face.model.size))
        return torch.nonzero(scalp > 0.5)[:, 0]

    @cached_property
    def person(self) -> Person:
        """Who is seen in the photo."""
        return Person(self.face, self.photo)

    @cached_property
    def matte(self) -> Float[Tensor, "H W 1"]:
        """How far each pixel of the photo shows the person, 0 to 1."""
        return enlarged(torch.from_numpy(self.person.matte)[..., None], self.photo.size)

    @cached_property
    def own(self) -> Float[Tensor, "H W 1"]:
        """How far each pixel of the photo shows the person alone, unmixed with what is behind."""
        return enlarged(torch.from_numpy(self.person.unmixed)[..., None], self.photo.size)

    @cached_property
    def sight(self) -> Sight:
        """The head in the photo."""
        faces = self.face.model.faces
        return Sight(self.photo.pixels, self.face.camera, self.look.vertices, faces)

    @cached_property
    def view(self) -> View:
        """Where it is certain that the photo shows it."""
        return view_of(self.sight)


def _jaw(model: MorphableModel) -> Float[Tensor, " V"]:
    """What lies between the face, an ear and the neck, which a turn uncovers."""
    _, y, z = model.identity.mean.unbind(-1)
    ears = model.regions.get("ears", torch.zeros(model.size))
    high = ((y + 112) / 30).clamp(0, 1) * ((-y - 5) / 15).clamp(0, 1)
    return high * ((z + 112) / 40).clamp(0, 1) * (1 - ears)
