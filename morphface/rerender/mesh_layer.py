"""A head that turns, as its mesh shows it: face and ears over the relief of the person, neck and
jaw under it.

What the photo shows of each vertex is worked out once (`mesh_skin.py`): its place in the photo, how
far it is seen there, and the colour of its texture. A picture then takes one drawing of the mesh.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.geometry.camera import Camera
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres
from morphface.rerender.grain import MOST, fine_light
from morphface.rerender.looks import CONTINUED, Look, brightened, facing, part_around, part_of
from morphface.rerender.lookup import boxed, enlarged_fast, looked_up
from morphface.rerender.mesh_skin import MeshSkin
from morphface.rerender.seen_head import SeenHead
from morphface.segment.filters import grown, mean_around, mean_near, single

__all__ = ["Drawn", "MeshLayer"]

GROWTH = 2.0, 5.0
"""How many times larger a part of the photo is trusted: wholly up to the first, not from the
second."""
FACING = 0.15, 0.55
"""Cosines between normal and line of sight: a vertex counts as not seen, and as seen well."""
SLIGHT = 0.02, 0.2
"""How much better a vertex is seen than in the photo: not at all, and so that edges count."""
CREASE = 3
"""Pixels across a line along which a mesh that folds over hides itself, at least."""
FEW = 0.02
"""Share of a mesh around a place from which on its colours are continued there."""
SLIT = 0.006
"""How far lips reach into the line between them, in sizes of the head: teeth that a mesh has there
are not to be seen."""
ROOM = 3
"""How far around the mouth they are looked for, in such reaches."""
LIPS = 0.05, 0.25
"""Shares of lips around a place between them from which on it counts as that line: not at all, and
wholly."""
INSIDE = 0.8, 0.98
"""Shares of the person in a pixel of the photo: its colour counts as not theirs, and as theirs."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A part of a picture with the mesh in it.

    Args:
        corner: column and row of its upper left pixel.
        colour: of the mesh.
        over: how far it is before the person's relief.
        under: how far it is behind that.
        trust: how far the photo shows it, and not something before it.
        place: where in the photo it is.
    """

    corner: tuple[int, int]
    colour: Float[Tensor, "h w 3"]
    over: Float[Tensor, "h w 1"]
    under: Float[Tensor, "h w 1"]
    trust: Float[Tensor, "h w 1"]
    place: Float[Tensor, "h w 2"]

    def placed(
        self,
        values: Float[Tensor, "h w C"],
        like: Float[Tensor, "H W K"],
        corner: tuple[int, int] = (0, 0),
    ) -> Float[Tensor, "H W C"]:
        """Values of its pixels in a picture, or in a part of one; zero where it is not.

        Args:
            values: such as `over`.
            like: a picture of that size.
            corner: column and row of the picture's upper left pixel.
        """
        found = values.new_zeros(*like.shape[:2], values.shape[-1])
        common = self._common(found, corner)
        if common is not None:
            there, here = common
            found[there] = values[here]
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
        common = self._common(frame, corner)
        if common is None:
            return
        there, here = common
        trust = CONTINUED + (1 - CONTINUED) * self.trust[here]
        for picture, values in ((frame, self.colour[here]), (sure, trust)):
            picture[there] = torch.lerp(picture[there], values, cover[here])

    def beyond(
        self, part: Float[Tensor, "H W 3"], corner: tuple[int, int], reach: float
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """Its colours beside it, where it is behind the person, and how near it is there.

        Args:
            part: a part of a picture.
            corner: column and row of the picture's upper left pixel.
            reach: standard deviation in pixels by which they are continued.
        """
        colour, cover = (self.placed(each, part, corner) for each in (self.colour, self.under))
        mean, near = mean_near(colour.numpy(), cover[..., 0].numpy(), reach)
        share = torch.from_numpy(np.clip(near / FEW, 0, 1))[..., None]
        return torch.from_numpy(single(mean)), share * (1 - cover)

    def locate(self, place: Float[Tensor, "H W 2"], person: Float[Tensor, "H W 1"]) -> None:
        """Writes where in the photo it is over what is behind it, and that it is there, in place.

        Args:
            place: in the photo, of what each pixel of a whole picture shows of the person.
            person: how far each pixel shows them.
        """
        common = self._common(place)
        if common is None:
            return
        there, here = common
        over = self.over[here]
        place[there] = torch.where(over > 0.5, self.place[here], place[there])
        person[there] = torch.lerp(person[there], torch.ones_like(over), over)

    def _common(
        self, picture: Tensor, corner: tuple[int, int] = (0, 0)
    ) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        """The part of a picture that this is in, and the part of this; None if there is none."""
        left, top = (a - b for a, b in zip(self.corner, corner, strict=True))
        (height, width), (rows, columns) = picture.shape[:2], self.over.shape[:2]
        x, y = (
            slice(max(left, 0), min(left + columns, width)),
            slice(max(top, 0), min(top + rows, height)),
        )
        if x.start >= x.stop or y.start >= y.stop:
            return None
        inner = slice(y.start - top, y.stop - top), slice(x.start - left, x.stop - left)
        return (y, x), inner


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
        inner, faces = part_of(camera, box, 1 / coarse), self._faces
        found = rasterize(inner.project(look.vertices)[None], faces, inner.size, perspective=False)
        shades = self.head.shades(look)
        paint = (self._skin.painted * shades.exp()).clamp(0, 1)
        trust = self._trust(look, camera)
        over = self.head.shown * torch.lerp(self.head.bare, torch.ones_like(trust), trust)
        over = over * (1 - self._skin.clothed[:, None])
        places, gain, twins = self._skin.detail
        here = camera.project(look.vertices)[:, :2]
        carried = [self._skin.places - here, shades, trust, paint, over, self._skin.under(angle)]
        known = trust * (1 - self._skin.covered[:, None])
        carried += [places - here, gain + shades, twins, known, *self._grain]
        values = interpolate(torch.cat(carried, -1).nan_to_num()[None], faces, found)[0].numpy()
        mask = found.mask[0].numpy().astype(np.float32)
        soft = mean_around(mask)[..., None]
        values = grown(values, mask, 2)
        mouth = interpolate(self.head.mouth[None], faces, found)[0, ..., 0].numpy()
        values = self._closed(values, mouth, coarse)
        values[..., 9:11] *= np.clip(2 * soft - 0.5, 0, 1)
        large = torch.from_numpy(enlarged_fast(values, (bottom - top, right - left)))
        parts = large.split([2, 3, 1, 3, 1, 1, 2, 3, 1, 1, large.shape[-1] - 18], -1)
        flow, shades, trust, paint, over, under, *other, known, grain = parts
        trust = _without_lines(trust)
        corner = centres(bottom - top, right - left, flow) + flow.new_tensor([left, top])
        place = flow + corner
        both = looked_up(self._photo, place, cubic=True).clamp(0, 1)
        seen, inside = both.split([3, 1], -1)
        inside = ramp(inside, *INSIDE)
        if bool((shades.abs() > 1e-4).any()):
            seen = brightened(seen, shades.exp())
        twin = brightened(looked_up(self._photo, other[0] + corner)[..., :3], other[1].exp())
        paint = torch.lerp(self._grained(paint, grain), twin, other[2])
        colour = torch.lerp(paint, seen, trust * inside)
        return Drawn((left, top), colour, over, under, known * inside, place)

    def _closed(
        self,
        values: Float[np.ndarray, "h w C"],
        inside: Float[np.ndarray, "h w"],
        coarse: int,
    ) -> Float[np.ndarray, "h w C"]:
        """Values where no more than a line of the mouth's inside is seen are those of its lips.

        So that line is the photo's, and not the teeth that the mesh has there.
        """
        place = inside > 0.5
        if not place.any():
            return values
        work = self.head.person.work
        reach = max(SLIT * work.size / work.scale / coarse, 1.0)
        room = ROOM * int(reach + 1)
        spans = boxed(torch.from_numpy(place[..., None]))
        here = tuple(slice(max(span.start - room, 0), span.stop + room) for span in spans)
        part = values[here]
        lips, near = mean_near(part, single(~place[here]), reach)
        share = place[here] * ramp(near, *LIPS)
        part += share[..., None] * (lips - part)
        return values

    @cached_property
    def _faces(self) -> Int[Tensor, "F 3"]:
        """Those of the mesh, without ears that are not drawn: they would hide jaw and neck."""
        model = self.head.face.model
        ears = model.regions.get("ears", torch.zeros(model.size))
        hidden = ears - self.head.person.ears
        return model.faces[(hidden[model.faces] < 0.5).any(-1)]

    @cached_property
    def _grain(self) -> list[Tensor]:
        """Of each vertex, where it is in the patch of grain, and how far it is skin."""
        grain, skin = self._skin.grain, self.head.bare * (1 - self._skin.feature[:, None])
        return [] if grain is None else [grain.coordinates, skin]

    @cached_property
    def _fine(self) -> tuple[Float[np.ndarray, "h w 3"], Float[Tensor, "2"]] | None:
        grain = self._skin.grain
        work = self.head.person.work
        pixels, size = self.head.photo.pixels, work.size / work.scale
        return None if grain is None else fine_light(pixels, grain, size)

    def _grained(
        self, paint: Float[Tensor, "h w 3"], carried: Float[Tensor, "h w C"]
    ) -> Float[Tensor, "h w 3"]:
        """The texture with the grain of the photo's skin."""
        grain = self._skin.grain
        if grain is None or self._fine is None:
            return paint
        coordinates, skin = carried.split([2, 1], -1)
        fine, corner = self._fine
        change = looked_up(fine, grain.places(coordinates) - corner) - 1
        return (paint * (1 + skin * change.clamp(-MOST, MOST))).clamp(0, 1)

    def _trust(self, look: Look, camera: Camera) -> Float[Tensor, "V 1"]:
        """How far each vertex has the photo's own colour in a look.

        What turns towards the camera is shown better than the photo does, near edges at once.
        """
        faces = self.head.face.model.faces
        more = (ramp(facing(faces, look, camera), *FACING) - self._facing).clamp(min=0)
        edge = torch.maximum(0.5 * (1 - self.head.inner), self._skin.strange)
        lost = 0.6 * more + edge * ramp(more, *SLIGHT)
        growth = self._growth(camera.project(look.vertices)[:, :2])
        trust = (1.1 - lost).clamp(0, 1)
        # What is before the face goes with it as a whole: half of it would be a smear.
        trust = torch.maximum(trust, self._skin.covered) * ramp(growth, GROWTH[1], GROWTH[0])
        return (trust * self._skin.shown)[:, None]

    @cached_property
    def _skin(self) -> MeshSkin:
        return MeshSkin(self.head)

    @cached_property
    def _photo(self) -> Float[np.ndarray, "H W 4"]:
        """The photo, and where it shows the person alone."""
        return np.concatenate([self.head.photo.pixels.numpy(), self.head.own.numpy()], -1)

    @cached_property
    def _facing(self) -> Float[Tensor, " V"]:
        """How well the photo shows each vertex, by its angle."""
        return ramp(self._skin.cosine, *FACING)

    @cached_property
    def _areas_before(self) -> Float[Tensor, " F"]:
        return _areas(self._skin.places[self.head.face.model.faces])

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


def _areas(corner: Float[Tensor, "F 3 2"]) -> Float[Tensor, " F"]:
    """Of faces on the screen, zero for those seen from behind."""
    first, second = (corner[:, 1:] - corner[:, :1]).unbind(1)
    return (first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1]).clamp(min=0)


def _without_lines(trust: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w 1"]:
    """Trust that a fold of the mesh does not take from a line: the photo has its crease there."""
    import cv2

    kernel = np.ones((CREASE, CREASE), np.uint8)
    found = cv2.morphologyEx(trust[..., 0].numpy(), cv2.MORPH_CLOSE, kernel)
    return torch.from_numpy(np.asarray(found))[..., None]
