"""The surface of a person, front and back, as a net of points over the photo.

The square of the height before a plane through the neck solves Laplace's equation: it is zero at
the outline, the mesh's own where that faces the camera, and at least that of a half-round
elsewhere. So the surface is round where it ends, and it is the mesh where there is one.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.relief import membrane
from morphface.rerender.nets import Net, smoothed
from morphface.rerender.outline import RIM, SMOOTH, Outline
from morphface.rerender.turn import NECK, above_neck
from morphface.segment.filters import blurred, distance, mean_near, widened

__all__ = ["Body"]

HAIR = 8.0
"""How far hair lies over the mesh, in millimetres."""
ROUND = 60.0
"""Radius of what nothing is known about, in millimetres."""
TOP = 90.0
"""The same of hair on an upper head, whose front is as round as the head. `bench_views` gains by it
in nearly all of its turns; hair that hangs is flatter."""
FLATTEST = 0.25
"""How round that is at least, where its outline is before the plane already."""
SKULL = 75.0
"""Radius by which the back curves away from the outline, in millimetres."""
JAW = -70.0, -30.0
"""Heights in the model frame between which a jaw becomes a skull, in millimetres."""
CROWN = -20.0, 50.0
"""Heights in the model frame from which on hair is as deep as the skull, in millimetres."""
SKULLCAP = 0.7
"""How deep, in depths of the skull."""
JOWL = 0.25
"""How much of a half-round is behind a jaw."""
ALIKE = 0.15, 0.36
"""Differences of colour between hair and its continuation: alike up to the first."""
FRINGE = 2.0
"""How wide the faded edge of the rear is, in nodes."""
SEAM = 0.8, 0.2
"""How far beyond the outline, in nodes, the front still covers where the rear begins: from the
first on not, up to the second wholly."""
FADED = 0.5
"""How far from a head a change of its light ends, in sizes of the head."""
EDGE = 10.0, 3.0
"""Millimetres within the outline in which hair is too much stretched by a turn: none, and all."""
STILL = 0.01
"""Share of a turn below which something stays where it is."""
LONG = 110.0
"""Millimetres through which hair that lies on what stays turns ever more, so that it is not bent
into waves; as the next two, by eye on the turns of eight people with long hair."""
DRAPED = -20.0, -80.0
"""Heights in the model frame from the first of which on, downwards, hair does so."""
SHOULDER = 90.0, 120.0
"""Millimetres beside the middle of a head at which what is below its mouth turns with it, and from
which on not, unless it is hair."""
STRANDS = 0.05
"""How far around a place it counts as hair or skin, in sizes of the head."""
BESIDE = 0.015
"""How far beside the mesh of a face its rim may be in the photo, in sizes of the head."""
EARLESS = 0.3, 0.5
"""Sines of a turn at which a relief has ears: its own, flat ones wholly, and only the mesh's."""
OPENED = 0.04
"""The same from which the faded edge of the rear is none, and as far away from the camera all."""
SOLID = 2.0
"""How many times as far it is left out, at most wholly: what little remains is seen as smoke."""
OPEN = 0.35
"""Sine of the turn from which that is so wholly."""
_SKIRT = 2


@dataclass(frozen=True, eq=False)
class Body(Outline):
    """The surface of a person.

    Args:
        person: whose it is.
    """

    def _height(self, *, rear: bool) -> Float[Tensor, "R C"]:
        height, sure = self.mesh(rear=rear)
        cover = torch.ones_like(self.hair) if rear else self.hair
        inside, base = self.within > 0, self.base
        height = height + HAIR * smoothstep(cover, 0.3, 0.9)
        height = (height + base if rear else height - base).clamp(min=1.0)
        sure = sure & inside
        square = membrane((height.square() * sure)[..., None], sure | ~inside)[..., 0]
        # The front of an upper head is rounder; its back is made as deep as the skull.
        radius = ROUND + (0 if rear else TOP - ROUND) * self._crown
        least = radius**2 - (radius - self.within.clamp(min=0)).clamp(min=0).square()
        if rear:  # hair lies on a skull, also where that curves away under it
            least = least * self._longer(height, sure)
            # Short hair is as deep at its outline as its temples are before the ears.
            deep = (1 - self.hanging) * (base * self.hair).clamp(min=0) * inside
            square = torch.maximum(square, (least.sqrt() + deep).square())
        else:  # as far before the plane as if the outline were on it
            least = least * (1 - base / ROUND).clamp(min=FLATTEST).square()
            square = torch.where(sure, square, torch.maximum(square, least))
        height = self._rounded(square).sqrt()
        return height * self._full if rear else height

    def _longer(
        self, height: Float[Tensor, "R C"], sure: Bool[Tensor, "R C"]
    ) -> Float[Tensor, "R C"]:
        """Squares of how many times deeper than round hair is behind: over a skull, as deep as it.

        Hair beside a neck is round.
        """
        most = float(height[sure].quantile(0.9)) if bool(sure.any()) else ROUND
        longer = max(SKULLCAP * most / ROUND, 1.0)
        return torch.lerp(torch.ones(()), torch.tensor(longer), self._crown).square()

    @cached_property
    def _crown(self) -> Float[Tensor, "R C"]:
        """How far each node is of the upper head."""
        flat = self.to_model(self.points(torch.full(self.nodes.shape[:2], self.plane)))
        return smoothstep(flat[..., 1], *CROWN)

    def spread(self, values: Float[Tensor, "V C"]) -> Float[Tensor, "R C D"]:
        """Values of the mesh at the nodes, continued around it and fading out away from it.

        Args:
            values: at the vertices.
        """
        camera, faces = self.window, self.person.sight.faces
        screen = camera.project(self.person.sight.vertices)[None]
        found = rasterize(screen, faces, camera.size, perspective=camera.weak_depth is None)
        seen = interpolate(values[None], faces, found)[0]
        on = found.mask[0]
        away = torch.from_numpy(distance(~on.numpy())).float() * self.step
        far = away > FADED * self.person.work.size
        return membrane(seen * on[..., None], on | far)

    @property
    def on_mesh(self) -> Bool[Tensor, "R C"]:
        """Nodes at which the mesh of the head is seen."""
        return self.mesh(rear=False)[0] != 0

    @cached_property
    def _full(self) -> Float[Tensor, "R C"]:
        """How much of a half-round lies behind each node: a jaw has none, hair and a skull do."""
        hair = self.person.padded(self.person.labels.hair * (self.person.matte > 0.5))
        wide = self.at_nodes(blurred(hair, 0.05 * self.person.work.size))
        flat = self.points(torch.full(self.nodes.shape[:2], self.plane))
        up = self.to_model(flat)[..., 1]
        whole = torch.maximum(smoothstep(wide, 0.2, 0.6), smoothstep(up, *JAW))
        neck = smoothstep(up, JAW[0] - 25, JAW[0] - 45)
        return JOWL + (1 - JOWL) * torch.maximum(whole, neck)

    def _rounded(self, square: Float[Tensor, "R C"]) -> Float[Tensor, "R C"]:
        """Squares of heights that grow evenly from the outline on, without its steps.

        A solution of Laplace's equation is a smooth multiple of the distance there.
        """
        deep = self.within > RIM
        slope = torch.where(deep, square / self.within.clamp(min=RIM), 0.0)
        slope = membrane(slope[..., None], deep)[..., 0]
        for _ in range(SMOOTH):
            slope = smoothed(slope)
        even = slope * self.within.clamp(min=0)
        for _ in range(SMOOTH):
            square = smoothed(square)
        return torch.lerp(even, square, smoothstep(self.within, RIM, 3 * RIM)).clamp(min=0)

    @cached_property
    def front(self) -> Float[Tensor, "R C 3"]:
        """Points of the surface that the photo shows, in the camera frame."""
        return self.points(self.plane - self.base - self._height(rear=False))

    @cached_property
    def rear(self) -> Float[Tensor, "R C 3"]:
        """Points of the surface behind them."""
        return self.points(self.plane - self.base + self._height(rear=True), self.rear_places)

    @cached_property
    def rear_places(self) -> Float[Tensor, "R C 2"]:
        """Places of the nodes of the rear in the photo: those just beyond the outline lie on it.

        So it ends along the outline and not along the cells of the net.
        """
        step = self.step * self.pixel
        beyond = (-self.within).clamp(min=0).where(self.within > -1.5 * step, 0.0)
        return self.places + self.slope * (beyond / self.pixel / self.person.work.scale)[..., None]

    @cached_property
    def front_share(self) -> Float[Tensor, "R C"]:
        """How far each point of the front turns with the head, 0 to 1."""
        return self._share(self.front)

    @cached_property
    def rear_share(self) -> Float[Tensor, "R C"]:
        """The same of the rear."""
        return self._share(self.rear)

    def _share(self, points: Float[Tensor, "R C 3"]) -> Float[Tensor, "R C"]:
        model_places = self.to_model(points)
        share = smoothstep(above_neck(model_places), 0.0, NECK[2])
        bare = ramp(self.hair, 0.5, 0.2)  # a shoulder is no neck
        free = ramp(self.clothes, 0.7, 0.3) * (
            1 - bare * smoothstep(model_places[..., 0].abs(), *SHOULDER)
        )
        share = share * torch.where(model_places[..., 1] < -60.0, free, torch.ones_like(free))
        for _ in range(2 * SMOOTH):
            share = smoothed(share)
        still = (share < STILL) & (self.within > 0)
        if not bool(still.any()):
            return share
        away = torch.from_numpy(distance(~still.numpy())) * self.step * self.pixel
        low = self._hair_beside_skin * ramp(model_places[..., 1], *DRAPED)
        return torch.lerp(share, torch.minimum(share, smoothstep(away, 0.0, LONG)), low)

    @cached_property
    def _hair_beside_skin(self) -> Float[Tensor, "R C"]:
        """How far what is around each node is hair, and not skin."""
        person = self.person
        width = STRANDS * person.work.size
        parts = (person.labels.hair * person.matte, person.labels.skin * person.matte)
        hair, skin = (blurred(person.padded(part), width) for part in parts)
        return smoothstep(self.at_nodes(hair / (hair + skin + 1e-3)), 0.3, 0.7)

    @cached_property
    def front_net(self) -> Net:
        """Triangles between the nodes of the front, and some beyond the outline, to be faded."""
        near = self.within > 0
        for _ in range(_SKIRT):
            near = smoothed(near.float()) > 0
        return Net.of(near, every=False, one_sided=True)

    @cached_property
    def rear_net(self) -> Net:
        """Triangles of the rear, up to the outline: beyond it they would hide others."""
        return Net.of(self.within > 0, every=False, one_sided=False)

    @cached_property
    def slope(self) -> Float[Tensor, "R C 2"]:
        """Direction in the picture in which each node's distance to the outline grows, and how."""
        field = blurred(self.person.depth_within, 2 * self.step)
        down, across = np.gradient(field)
        slope = torch.stack([self.at_nodes(across), self.at_nodes(down)], -1)
        return slope / slope.norm(dim=-1, keepdim=True).clamp(min=0.3)

    @cached_property
    def inwards(self) -> Float[Tensor, "R C 2"]:
        """From each node away from the outline, as far as its surface is longer than the picture.

        That curves away with the radius `SKULL`; in pixels of the photo.
        """
        chord = self.within.clamp(0, 0.6 * SKULL)
        arc = SKULL * torch.acos((1 - chord / SKULL).clamp(-1, 1))
        longer = (arc - chord) / self.pixel / self.person.work.scale
        return self.slope * longer[..., None]

    @cached_property
    def _alike(self) -> Float[Tensor, "R C"]:
        """How far the photo's colours are those that the rear has: flowers are not."""
        person, inside = self.person, self.person.padded(self.person.matte)
        width = 0.02 * person.work.size
        both = person.padded(person.colours), person.rear
        here, there = (mean_near(colours, inside, width)[0] for colours in both)
        off = here - there
        return ramp(self.at_nodes(np.abs(off).max(-1)), ALIKE[1], ALIKE[0])

    def fringe(self, rotation: Float[Tensor, "3"]) -> Float[Tensor, "R C"]:
        """1 where the net of the rear ends, so that its steps are not seen, 0 farther in.

        So it is behind the rim of a face.

        Args:
            rotation: of the head, as a rotation vector in the camera frame.
        """
        end = ramp(self.within, FRINGE * self.step * self.pixel, 0.0)
        edge = end * ramp(self._towards(rotation), OPENED, -OPENED)
        return torch.maximum(edge, self._opened(rotation) * self._on_face)

    def _towards(self, rotation: Float[Tensor, "3"]) -> Float[Tensor, "R C"]:
        """How far the outline's normal turns to the camera, as a sine; negative is away."""
        x, y = (-self.slope).unbind(-1)
        away = torch.stack([x, -y, torch.zeros_like(x)], -1)
        return (away @ roma.rotvec_to_rotmat(rotation).T)[..., 2]

    def opening(self, rotation: Float[Tensor, "3"]) -> Float[Tensor, "R C"]:
        """How far hair that the photo shows edge-on at the outline turns to the camera, 0 to 1.

        It would be stretched; the rear goes on with it.

        Args:
            rotation: of the head, as a rotation vector in the camera frame.
        """
        near = ramp(self.within, *EDGE) * ramp(self.clothes, 0.5, 0.1) * self._alike
        near = near * ramp(self.within, *(-end * self.step * self.pixel for end in SEAM))
        return near * smoothstep(self._towards(rotation), 0.0, OPEN)

    def rim(self, rotation: Float[Tensor, "3"]) -> Float[Tensor, "R C"]:
        """How far the rim of cheeks and ears, which the mesh has, turns to the camera.

        Nets would tear, and there would be two ears.

        Args:
            rotation: of the head, as a rotation vector in the camera frame.
        """
        ears = self._opened(rotation, EARLESS) * self._on_ears
        return torch.maximum(self._opened(rotation) * self._on_face, ears)

    def _opened(
        self, rotation: Float[Tensor, "3"], sines: tuple[float, float] = (0.0, 0.5 * OPEN)
    ) -> Float[Tensor, "R C"]:
        """How far the outline turns to the camera, within it."""
        return ramp(self.within, *EDGE) * smoothstep(self._towards(rotation), *sines)

    @cached_property
    def _on_face(self) -> Float[Tensor, "R C"]:
        """How far the mesh of cheeks and jaw is drawn at each node, or beside it, and no hair.

        A beard is theirs, and stands off them.
        """
        person = self.person
        reach = max(round(BESIDE * person.work.size), 1)
        drawn = person.padded(widened(person.drawn_by_mesh > 0.5, reach))
        near = self.at_nodes(blurred(drawn, 0.5 * reach)).clamp(0, 1)
        hair, beard = person.labels.hair, person.bearded
        near = torch.maximum(near, self.at_nodes(person.padded(hair * beard)))
        up = self.to_model(self.points(torch.full(self.nodes.shape[:2], self.plane)))[..., 1]
        other = self.at_nodes(person.padded(hair * (1 - beard)))
        whole = near * smoothstep(up, *JAW[::-1]) * ramp(other, 0.4, 0.1)
        return (SOLID * whole).clamp(max=1)

    @cached_property
    def _on_ears(self) -> Float[Tensor, "R C"]:
        """How far the photo shows an ear at each node, also where that of the mesh is smaller."""
        person = self.person
        ears = person.near(person.ears) * person.labels.skin * person.matte
        return self.at_nodes(person.padded(ears)).clamp(0, 1)
