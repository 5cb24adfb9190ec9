"""A head that turns, as its mesh shows it: face and ears over the relief of the person, neck and
jaw under it.

What the photo shows of each vertex is worked out once. A vertex has a place in the photo, how far
it is seen there, and the colour of its texture, which goes on from what is seen beside it without
a step. A picture then takes one drawing of the mesh.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import edges, normalized
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres, look_up
from morphface.rerender.bare import continued
from morphface.rerender.looks import CONTINUED, Look, brightened, part_around, part_of, shade
from morphface.rerender.lookup import enlarged_fast, looked_up
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.turn import above_neck
from morphface.segment.filters import blurred, grown, mean_around

__all__ = ["Drawn", "MeshLayer"]

GROWTH = 2.0, 5.0
"""How many times larger a part of the photo is trusted: wholly up to the first, not from the
second."""
FACING = 0.15, 0.55
"""Cosines between normal and line of sight: a vertex counts as not seen, and as seen well."""
SLIGHT = 0.02, 0.2
"""How much better a vertex is seen than in the photo: not at all, and so that edges count."""
SHADED = 0.9
"""Most light that reaches the inside of a mouth: lips shade it, which harmonics do not know."""
NEAR = 0.012
"""Standard deviation around a vertex of the colours that its texture goes on from, in sizes of the
head."""
EVENED = 8
"""Times that the colours of skin are smoothed along edges."""
DARK = 0.04
"""Amount of colour below which ratios of colours are not told."""
STRANGE = 0.22, 0.42
"""Log differences of colour between skin and what is seen where it ends: as usual, and strange."""
EDGEWISE = 0.8, 0.98
"""Cosines of view at which that is asked, and from which it is not."""
COLLAR = 12.0
"""Millimetres above the end of the neck up to which it fades."""
WIDER = 0.1, 0.45
"""Turns, in radians, from which on a neck may be wider than the outline: not at all, and wholly."""
BESIDE = 35.0
"""Millimetres beside a neck at which hair hangs over it."""
NAPE = 0.0, -40.0
"""Heights in the model frame between which what is not bare begins to be drawn under the relief:
hair above has a shape of its own."""
FEATURES = ("lips", "brows", "eyelids", "eyeballs", "eye_sockets", "mouth", "teeth", "tongue")


@dataclass(frozen=True, eq=False)
class Drawn:
    """A part of a picture with the mesh in it.

    Args:
        corner: column and row of its upper left pixel.
        colour: of the mesh.
        over: how far it is before the person's relief.
        under: how far it is behind that.
        trust: how far the photo shows it.
    """

    corner: tuple[int, int]
    colour: Float[Tensor, "h w 3"]
    over: Float[Tensor, "h w 1"]
    under: Float[Tensor, "h w 1"]
    trust: Float[Tensor, "h w 1"]

    def cover(self, like: Float[Tensor, "H W 1"]) -> Float[Tensor, "H W 1"]:
        """How far each pixel of a whole picture shows the face.

        Args:
            like: a picture of its size.
        """
        found, (left, top) = torch.zeros_like(like), self.corner
        part = found[top:, left:][: len(self.over), : self.over.shape[1]]
        part.copy_(self.over[: part.shape[0], : part.shape[1]])
        return found

    def lay(
        self,
        frame: Float[Tensor, "H W 3"],
        sure: Float[Tensor, "H W 1"],
        cover: Float[Tensor, "h w 1"],
        corner: tuple[int, int] = (0, 0),
    ) -> None:
        """Draws it over a picture, and its trust over that of the picture, in place.

        Args:
            frame: a picture, or a part of one.
            sure: how far each pixel of it is to be trusted.
            cover: `over`, or `under`.
            corner: column and row of the picture's upper left pixel.
        """
        left, top = (a - b for a, b in zip(self.corner, corner, strict=True))
        (height, width), (rows, columns) = frame.shape[:2], cover.shape[:2]
        x, y = (
            slice(max(left, 0), min(left + columns, width)),
            slice(max(top, 0), min(top + rows, height)),
        )
        if x.start >= x.stop or y.start >= y.stop:
            return
        inner = slice(y.start - top, y.stop - top), slice(x.start - left, x.stop - left)
        trust = CONTINUED + (1 - CONTINUED) * self.trust[inner]
        for picture, values in ((frame, self.colour[inner]), (sure, trust)):
            picture[y, x] = torch.lerp(picture[y, x], values, cover[inner])


@dataclass(frozen=True, eq=False)
class MeshLayer:
    """The mesh of a head in a photo, ready to be drawn from another side.

    Args:
        head: that was fitted, and its photo.
    """

    head: SeenHead

    def draw(self, look: Look, camera: Camera, angle: float, *, coarse: int = 1) -> Drawn | None:
        """The mesh in another look; None if it is not in the picture.

        Args:
            look: of the head.
            camera: that sees it.
            angle: by which it has turned, in radians.
            coarse: pixels of the picture for one that is worked out; colours are always fine.
        """
        box = part_around(camera, look.vertices, None, 1 / coarse)
        left, top, right, bottom = box
        if left >= right or top >= bottom:
            return None
        inner, faces = part_of(camera, box, 1 / coarse), self.head.face.model.faces
        found = rasterize(inner.project(look.vertices)[None], faces, inner.size, perspective=False)
        shades, paint = self.head.shades(look), self._painted(look)
        trust = self._trust(look, camera)
        over = self.head.shown * torch.lerp(self.head.bare, torch.ones_like(trust), trust)
        carried = [self._flow(camera, look), shades, trust, paint, over]
        carried.append(self._under * self._allowed(angle))
        values = interpolate(torch.cat(carried, -1)[None], faces, found)[0].numpy()
        mask = found.mask[0].numpy().astype(np.float32)
        soft = mean_around(mask)[..., None]
        values = grown(values, mask, 2)
        values[..., 9:] *= np.clip(2 * soft - 0.5, 0, 1)
        large = torch.from_numpy(enlarged_fast(values, (bottom - top, right - left)))
        flow, shades, trust, paint, over, under = large.split([2, 3, 1, 3, 1, 1], -1)
        place = flow + centres(bottom - top, right - left, flow) + flow.new_tensor([left, top])
        seen = looked_up(self._photo, place, cubic=True).clamp(0, 1)
        if bool((shades.abs() > 1e-4).any()):
            seen = brightened(seen, shades.exp())
        return Drawn((left, top), torch.lerp(paint, seen, trust), over, under, trust)

    def _flow(self, camera: Camera, look: Look) -> Float[Tensor, "V 2"]:
        """From each vertex in the picture to its place in the photo, in pixels."""
        here = camera.project(look.vertices)[:, :2]
        return torch.nan_to_num(self._places - here)

    def _trust(self, look: Look, camera: Camera) -> Float[Tensor, "V 1"]:
        """How far each vertex has the photo's own colour in a look.

        What turns towards the camera is shown better than the photo does, near edges at once.
        """
        more = (ramp(_facing(look, camera, self.head), *FACING) - self._facing).clamp(min=0)
        lost = 0.6 * more + (1 - self.head.inner) * ramp(more, *SLIGHT)
        growth = self._growth(camera.project(look.vertices)[:, :2])
        trust = (1.1 - lost).clamp(0, 1) * ramp(growth, GROWTH[1], GROWTH[0])
        return (trust * self._shown)[:, None]

    @cached_property
    def _photo(self) -> Float[np.ndarray, "H W 3"]:
        return np.ascontiguousarray(self.head.photo.pixels.numpy())

    @cached_property
    def _places(self) -> Float[Tensor, "V 2"]:
        return self.head.face.camera.project(self.head.look.vertices)[:, :2]

    @cached_property
    def _facing(self) -> Float[Tensor, " V"]:
        """How well the photo shows each vertex, by its angle."""
        return ramp(_facing(self.head.look, self.head.face.camera, self.head), *FACING)

    @cached_property
    def _shown(self) -> Float[Tensor, " V"]:
        """1 for vertices that nothing hides in the photo and that show what they should."""
        return self.head.visible * (1 - self._other) * self._inside

    @cached_property
    def _inside(self) -> Float[Tensor, " V"]:
        """How far the photo shows the person where each vertex is."""
        return smoothstep(self.head.person.at_vertices(self.head.person.matte), 0.3, 0.8)

    def _allowed(self, angle: float) -> Float[Tensor, "V 1"]:
        """How far each vertex may be seen after a turn: at first nothing is beyond the outline."""
        first = torch.maximum(1 - self.head.visible, self._inside)[:, None]
        return first + (1 - first) * smoothstep(torch.tensor(angle), *WIDER)

    @cached_property
    def _areas_before(self) -> Float[Tensor, " F"]:
        return _areas(self._places[self.head.face.model.faces])

    def _growth(self, screen: Float[Tensor, "V 2"]) -> Float[Tensor, " V"]:
        """How many times larger each vertex' surroundings are than in the photo, as areas."""
        faces = self.head.face.model.faces
        areas = torch.stack([self._areas_before, _areas(screen[faces])], -1)
        total = screen.new_zeros(len(screen), 2)
        for corner in range(3):
            total.index_add_(0, faces[:, corner], areas)
        growth = total[:, 1] / total[:, 0].clamp(min=1e-3)
        usual = growth[(total > 1e-3).all(-1) & (self.head.shown[:, 0] > 0.5)]
        return growth / (usual.median() if len(usual) else 1.0)

    def _painted(self, look: Look) -> Float[Tensor, "V 3"]:
        """The texture in the light of a look, as bright as what the photo shows beside it.

        What is not bare has the colour that the back of the hair has.
        """
        return (self._first * self.head.shades(look).exp()).clamp(0, 1)

    @cached_property
    def _first(self) -> Float[Tensor, "V 3"]:
        """The same in the photo."""
        painted = (self._lit() * self._correction.exp()).clamp(0, 1)
        return torch.lerp(self._hair, painted, self.head.bare)

    @cached_property
    def _hair(self) -> Float[Tensor, "V 3"]:
        person = self.head.person
        places = self._places * person.work.scale + person.room
        rear = torch.from_numpy(person.rear)[None]
        return look_up(rear, places[None, None], "bilinear")[0, 0]

    def _lit(self) -> Float[Tensor, "V 3"]:
        """The texture in the light of the photo."""
        head = self.head
        light = shade(head.face.model.faces, head.look)
        light = torch.lerp(light, light.clamp(max=SHADED), head.mouth)
        painted = head.colours * light
        if head.face.pixels is not None and head.face.pixels.grey[0]:
            painted = (painted @ painted.new_tensor(LUMINANCE))[:, None].expand(-1, 3)
        return self._evened(painted.clamp(0, 1))

    def _evened(self, colours: Float[Tensor, "V 3"]) -> Float[Tensor, "V 3"]:
        """Colours of skin without the shades of folds, which a mesh has elsewhere than a photo."""
        here, beside = self._pairs
        count = torch.bincount(here, minlength=len(colours))[:, None].clamp(min=1)
        for _ in range(EVENED):
            mean = torch.zeros_like(colours).index_add(0, here, colours[beside]) / count
            colours = torch.lerp(mean, colours, self._feature[:, None])
        return colours

    @cached_property
    def _feature(self) -> Float[Tensor, " V"]:
        model = self.head.face.model
        blank = torch.zeros(model.size)
        return torch.stack([model.regions.get(name, blank) for name in FEATURES]).amax(0)

    @cached_property
    def _difference(self) -> Float[Tensor, "V 3"]:
        """Logarithm of how many times brighter the photo is than the texture."""
        head = self.head
        smooth = blurred(
            head.photo.pixels.numpy(), NEAR * head.person.work.size / head.person.work.scale
        )
        seen = look_up(torch.from_numpy(smooth)[None], self._places[None, None], "bilinear")[0, 0]
        return (seen.clamp(min=0) + DARK).log() - (self._lit() + DARK).log()

    @cached_property
    def _weight(self) -> Float[Tensor, " V"]:
        """How far each vertex shows skin, and well."""
        head = self.head
        skin = head.person.at_vertices(head.person.labels.skin)
        known = head.certain * head.visible * smoothstep(skin, 0.5, 0.9)
        return known * (1 - self._feature)

    @cached_property
    def _other(self) -> Float[Tensor, " V"]:
        """How far the photo shows another thing than skin where skin ends: hair, or what is behind.

        A mesh is never quite as wide as the head is.
        """
        head = self.head
        usual = continued(
            head.face.model.faces, self._difference, self._weight * (self._weight > 0.6)
        )
        off = (self._difference - usual).abs().mean(-1)
        cosine = _facing(head.look, head.face.camera, head)
        asked = ramp(cosine, EDGEWISE[1], EDGEWISE[0]) * (1 - self._feature) * head.shown[:, 0]
        found = asked * ramp(off, *STRANGE) * head.bare[:, 0]
        here, beside = self._pairs
        return torch.maximum(found, found.scatter_reduce(0, here, found[beside], "amax"))

    @cached_property
    def _pairs(self) -> tuple[Int[Tensor, " E"], Int[Tensor, " E"]]:
        pairs = edges(self.head.face.model.faces).long()
        here, beside = torch.cat([pairs, pairs.flip(1)]).unbind(1)
        return here, beside

    @cached_property
    def _correction(self) -> Float[Tensor, "V 3"]:
        """What makes the texture as bright as the photo where both meet, fading away from there."""
        weight = self._weight * (1 - self._other)
        return continued(self.head.face.model.faces, self._difference, weight).clamp(-0.7, 0.7)

    @cached_property
    def _under(self) -> Float[Tensor, "V 1"]:
        """How far each vertex of a head that turns much is drawn behind the relief: bare skin.

        Hair has a shape of its own, also hair that hangs down over a neck.
        """
        head = self.head
        model, person = head.face.model, head.person
        end = smoothstep(above_neck(model.identity.mean), 0.0, COLLAR)
        blank = torch.zeros(model.size)
        ears = model.regions.get("ears", blank) if person.ears else blank
        nape = ramp(model.identity.mean[:, 1], *NAPE) * (1 - self._long_hair)
        bald = (1 - person.hairy) * head.bare[:, 0]
        face = torch.maximum(model.regions.get("face", 1 + blank), ears)
        kept = torch.stack([face, nape, bald]).amax(0)
        if not person.ears:
            kept = kept * (1 - model.regions.get("ears", blank))
        return (kept * end * (1 - self._feature))[:, None]

    @cached_property
    def _long_hair(self) -> Float[Tensor, " V"]:
        """How far hair hangs beside each vertex of a neck, as seen in the photo."""
        person, camera = self.head.person, self.head.face.camera
        middle = self.head.look.vertices.mean(0)
        away = self.head.look.vertices - middle
        aside = torch.stack([away[:, 0], *torch.zeros(2, len(away))], -1)
        beside = self.head.look.vertices + BESIDE * normalized(aside)
        hair = blurred(person.labels.hair * person.matte, 0.02 * person.work.size)
        return smoothstep(person.at_places(hair, camera.project(beside)[:, :2]), 0.2, 0.6)


def _facing(look: Look, camera: Camera, head: SeenHead) -> Float[Tensor, " V"]:
    """Cosine between the normal of each vertex and the line of sight."""
    vertices = look.vertices
    towards = -vertices if camera.weak_depth is None else vertices.new_tensor([[0.0, 0, 1]])
    normals = look.normals(head.face.model.faces)
    return (normals * normalized(towards.expand_as(vertices))).sum(-1)


def _areas(corner: Float[Tensor, "F 3 2"]) -> Float[Tensor, " F"]:
    """Of faces on the screen, zero for those seen from behind."""
    first, second = (corner[:, 1:] - corner[:, :1]).unbind(1)
    return (first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1]).clamp(min=0)
