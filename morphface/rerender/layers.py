"""A person drawn from another side: background, back and front, one over the other.

Each layer is a net of points with its own depth test: with a common one, what is transparent in
one hides what is not in another. The face is drawn over them by its mesh.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.core.threads import threaded_as_here
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres, enlarged
from morphface.rerender.body import Body
from morphface.rerender.looks import CONTINUED, brightened, part_of
from morphface.rerender.lookup import boxed, enlarged_fast, evened, looked_up, softened, steps
from morphface.rerender.mesh_layer import Drawn
from morphface.rerender.nets import Net
from morphface.rerender.person import Person
from morphface.rerender.stretched import leave_out_stretched
from morphface.rerender.turn import Turn
from morphface.rerender.turned import Nodes, Seen, Turned
from morphface.segment.filters import blurred, grown, mean_around, single, widened

__all__ = ["Layers"]

GROUND = 250
"""Pixels along a head in which layers are worked out: more are interpolated, but not colours."""
DENSE = 1.3, 2.5
"""Pixels of the photo in a row in one: up to the first they are sharp, from the second blurred."""
OWN = 0.004, 0.012
"""How far within the outline, in sizes of the head, the photo's own colours begin, and are all."""
FOLDED = 4.0
"""Pixels of the photo in a row in one from which a surface hides itself there: it folds over."""
BLURRED, REAR_BLURRED = 1.2, 2.5
"""How far, in pixels of the photo and of the rear."""
BEHIND = 60.0
"""Millimetres by which what lies beyond the outline is moved back, so that it hides nothing."""
ENDS = 0.2, 0.55
"""Means of a layer's coarse pixels between which it ends: all of them span five, a blur."""
INSET = 4
"""Pixels of a layer by which its part of the picture is smaller than its net."""
FEATHERED = 0.008
"""Standard deviation, in sizes of the head, with which that ends."""
WIDER = 0.02
"""By how much a bald head is wider than its mesh, in sizes of the head."""
FILLED = 0.02
"""How far from the person, in sizes of the head, what is behind them is filled in, not kept."""
ONE = torch.ones(())
STILL = 0.08, 0.03
"""Shares of a turn that a person makes: from the first they are drawn, below the second the photo
stays as it is."""


@dataclass(frozen=True, eq=False)
class Layers:
    """A person and what is behind them, ready to be drawn from another side.

    Args:
        person: in the photo.
    """

    person: Person

    @cached_property
    def body(self) -> Body:
        """The surface of the person."""
        return Body(self.person)

    @property
    def photo(self) -> Photo:
        """In which they are."""
        return self.person.photo

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """While something else is computed, a thread works out what all turns share."""
        if "background" in vars(self):
            yield
            return
        _ = self.person.labels  # which both need, so that nobody waits
        with ThreadPoolExecutor(1, thread_name_prefix="morphface-layers") as pool:
            body = self.body
            share = threaded_as_here(lambda: (self._smooth, body.rear, body.front, self.background))
            sharing = pool.submit(share)
            yield
            sharing.result()

    @cached_property
    def background(self) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The photo without what turns of the person, and where that is known."""
        away = self._away(widened(self._moving, self._reach))
        return self._large(self.person.plate, away), away

    @cached_property
    def _cleared(self) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The same without the whole person."""
        away = self._away(np.ones(self.person.matte.shape, bool))
        return self._large(self.person.plate, away), away

    @property
    def _reach(self) -> int:
        return max(round(FILLED * self.person.work.size), 1)

    def _away(self, moving: Bool[np.ndarray, "h w"]) -> Float[Tensor, "H W 1"]:
        """1 where the photo shows nothing but background, or what does not move."""
        near = widened(self.person.covered, self._reach) & moving
        soft = max(FEATHERED * self.person.work.size, 1.0)
        return enlarged(torch.from_numpy(1 - blurred(near, soft))[..., None], self.photo.size)

    @property
    def _moving(self) -> Bool[np.ndarray, "h w"]:
        """What turns with the head, in the picture of the working size."""
        share, (left, top, right, bottom) = self.body.front_share, self.body.box
        moving = np.zeros(self.person.outline.shape, np.float32)
        large = enlarged(share[..., None], (bottom - top, right - left))
        moving[top:bottom, left:right] = large[..., 0].numpy()
        room = self.person.room
        return moving[room:-room, room:-room] > STILL[1]

    def _large(
        self, small: Float[np.ndarray, "h w 3"], photo: Float[Tensor, "H W 1"]
    ) -> Float[Tensor, "H W 3"]:
        """A picture of the working size, enlarged, and the photo itself where that may be."""
        found = enlarged(torch.from_numpy(single(small)), self.photo.size)
        return torch.lerp(found, self.photo.pixels, photo)

    @cached_property
    def _front(self) -> Float[np.ndarray, "H W 4"]:
        """Colours of the person and how far the relief shows them, padded, as fine as the photo."""
        person = self.person
        room = person.room
        deep = person.depth_within[room:-room, room:-room] / person.work.size
        sure = ramp(torch.from_numpy(single(person.matte * deep))[..., None], *OWN)
        inner = self._large(person.colours, enlarged(sure, self.photo.size))
        alpha = torch.from_numpy(person.seen_front)[..., None]
        both = torch.cat([inner, enlarged(alpha, self.photo.size)], -1)
        room = self._room
        planes = both.movedim(-1, 0)[None]
        # What the border cuts goes on as the rear does.
        colours = torch.nn.functional.pad(planes[:, :3], (room,) * 4, mode="replicate")
        alpha = torch.nn.functional.pad(planes[:, 3:], (room,) * 4)
        return np.ascontiguousarray(torch.cat([colours, alpha], 1)[0].movedim(0, -1).numpy())

    @cached_property
    def _smooth(self) -> Float[np.ndarray, "H W 3"]:
        """The colours of the front without what is too fine where a turn makes them dense."""
        return blurred(self._front[..., :3], BLURRED)

    @property
    def _rear(self) -> Float[np.ndarray, "h w 3"]:
        return self.person.rear

    @cached_property
    def _rear_smooth(self) -> Float[np.ndarray, "h w 3"]:
        return blurred(self._rear, REAR_BLURRED)

    @property
    def _room(self) -> int:
        return round(self.person.room / self.person.work.scale)

    def draw(
        self,
        turn: Turn,
        camera: Camera,
        around: tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 3"]] | None = None,
        *,
        light: Float[Tensor, "V 3"] | None = None,
        quick: bool = False,
        mesh: Drawn | None = None,
    ) -> Turned:
        """The photo with the person turned, without their face.

        Args:
            turn: of the head.
            camera: that sees it, of the size of the photo.
            around: what is behind them in place of what was there, and the photo before that.
            light: logarithms of how many times brighter vertices of the mesh become; None is 1.
            quick: whether edges may be less smooth.
            mesh: of the head, of which some is behind the front.
        """
        body, coarse, far = self.body, self._coarse(quick), turn.far
        gain = None if light is None else body.spread(light)
        share, faded = body.rear_share.lerp(ONE, far), body.fringe(turn.rotation)
        moved, inwards = turn.apply(body.rear, share), body.inwards
        rear = Nodes(moved, body.rear_places, inwards, faded, gain)
        share, faded = body.front_share.lerp(ONE, far), body.rim(turn.rotation)
        moved, other = turn.apply(body.front, share), body.opening(turn.rotation)
        front = Nodes(moved, body.places, inwards, faded, gain, share, other)
        view = _View.around(camera, (rear.points, front.points, body.front), coarse)
        plate, known = self.background if far == 0 else self._cleared
        behind, frame = around or (plate, self.photo.pixels)
        part = view.part(behind).clone()
        sure = (view.part(known) if around is None else torch.ones_like(part[..., :1])).clone()
        back = self._seen(rear, body.rear_net, view)
        self._over_rear(part, sure, back)
        if mesh is not None:
            self._bare(part, back, mesh, view)
            mesh.lay(part, sure, mesh.under, view.corner)
        whole = self._seen(front, body.front_net, view)
        if mesh is not None:
            behind = mesh.placed(mesh.under, whole.cover, view.corner)
            leave_out_stretched(whole, behind, self.person)
        cover = self._over_front(part, sure, whole)
        frame, trust = frame.clone(), torch.ones_like(known)
        if camera is self.person.face.camera and light is None:
            still = whole.cover * ramp(whole.share, *STILL)
            part, sure = (
                torch.lerp(now, view.part(picture), still)
                for now, picture in ((part, frame), (sure, trust))
            )
        part = evened(part, whole.step > FOLDED)  # no net ends there to be smoothed
        for picture, found in ((frame, part), (trust, sure)):
            view.part(picture).copy_(found)
        place, person = centres(*self.photo.size, frame), torch.zeros_like(trust)
        view.part(place).copy_(whole.place)
        view.part(person).copy_(cover)
        return Turned(frame, trust, place, person)

    def _coarse(self, quick: bool) -> int:
        """Pixels of the photo for one of those in which layers are worked out."""
        head = self.person.work.size / self.person.work.scale
        return max(int(-(-head // (GROUND // 2 if quick else GROUND))), 1)

    def _over_rear(
        self, frame: Float[Tensor, "h w 3"], sure: Float[Tensor, "h w 1"], seen: Seen
    ) -> None:
        """Draws the rear over what is behind it, and its trust over that, in place."""
        here = boxed(seen.cover)
        colour, share = self._continued(seen, here), (seen.cover * (1 - seen.faded))[here]
        frame[here] = torch.lerp(frame[here], colour, share)
        sure[here] += share * (CONTINUED - sure[here])

    def _bare(self, frame: Float[Tensor, "h w 3"], back: Seen, mesh: Drawn, view: "_View") -> None:
        """Gives the back of a bald head the colours of the mesh that it is wider than, in place."""
        bald = 1 - self.person.hairy
        if bald > 0:
            reach = WIDER * self.person.work.size / self.person.work.scale
            colour, near = mesh.beyond(frame, view.corner, reach)
            frame.lerp_(colour, bald * near * back.cover * (1 - back.faded))

    def _over_front(
        self, frame: Float[Tensor, "h w 3"], sure: Float[Tensor, "h w 1"], seen: Seen
    ) -> Float[Tensor, "h w 1"]:
        """Draws the front over that, and its trust over that of it, in place; where it is."""
        inner, step = seen.place + self._room, seen.step
        colour, alpha = looked_up(self._front, inner, cubic=True).split([3, 1], -1)
        if bool((step > DENSE[0]).any()):
            smooth = looked_up(self._smooth, inner)
            colour = torch.lerp(colour, smooth, ramp(step, *DENSE))
            alpha = softened(alpha, step > FOLDED)
        colour = colour.clamp(0, 1)
        if seen.gain is not None:
            colour = brightened(colour, seen.gain.exp())
        here, cover = boxed(seen.other), seen.cover
        if seen.other[here].numel():
            other = self._continued(seen, here)
            colour[here] = torch.lerp(colour[here], other, seen.other[here])
            # Between the two nothing is to be seen of what the rear hides.
            alpha, cover = torch.maximum(alpha, seen.other), torch.maximum(cover, seen.other)
        share = alpha.clamp(0, 1) * cover * (1 - seen.faded)
        frame.lerp_(colour, share)
        sure.add_(share * (1 + (CONTINUED - 1) * seen.other - sure))
        return share

    def _continued(self, seen: Seen, here: tuple[slice, slice]) -> Float[Tensor, "h w 3"]:
        """Colours of the rear in a part of a layer, blurred where they are dense."""
        scale, room = self.person.work.scale, float(self.person.room)
        there = (seen.place + seen.inwards)[here] * scale + room
        colour, dense = looked_up(self._rear, there), ramp(steps(there) / scale, *DENSE)
        colour = torch.lerp(colour, looked_up(self._rear_smooth, there), dense).clamp(0, 1)
        return colour if seen.gain is None else brightened(colour, seen.gain[here].exp())

    def _seen(self, nodes: Nodes, net: Net, view: "_View") -> Seen:
        """Where in the photo each pixel of a layer lies, and what its nodes carry."""
        screen = view.camera.project(nodes.points.flatten(0, 1))[None]
        if net.one_sided:
            screen[0, :, 2] += BEHIND * (self.body.within <= 0).flatten()
        size = view.camera.size
        found = rasterize(screen, net.faces, size, perspective=False, cull=net.one_sided)
        carried = [nodes.places, nodes.inwards, nodes.faded[..., None]]
        carried += [] if nodes.gain is None else [nodes.gain]
        carried += [each[..., None] for each in (nodes.share, nodes.other) if each is not None]
        values = interpolate(torch.cat(carried, -1).flatten(0, 1)[None], net.faces, found)[0]
        mask = found.mask[0].float().numpy()
        values[..., :2] -= centres(size[0], size[1], values) * view.coarse
        soft = mean_around(mean_around(mask))[..., None]
        both = np.concatenate([grown(values.numpy(), mask, 2), soft], -1)
        height, width = view.size
        large = enlarged_fast(both, (size[0] * view.coarse, size[1] * view.coarse))
        parts = torch.from_numpy(large[:height, :width])
        more = [] if nodes.gain is None else [nodes.gain.shape[-1]]
        more += [1, 1] if nodes.share is not None else []
        cover = ramp(parts[..., -1:], *ENDS)
        shift, inwards, faded, *others, _ = parts.split([2, 2, 1, *more, 1], -1)
        gain = others.pop(0) if nodes.gain is not None else None
        share, other = others or (torch.ones_like(cover),) * 2
        place = shift + centres(height, width, shift)
        return Seen(place, inwards, share, faded, other, gain, cover)


@dataclass(frozen=True, eq=False)
class _View:
    """The part of a picture that layers are drawn in.

    Args:
        camera: that sees it, with its coarser pixels.
        corner: column and row of its upper left pixel.
        size: its height and width in pixels of the picture.
        coarse: pixels of the picture for one of the camera.
    """

    camera: Camera
    corner: tuple[int, int]
    size: tuple[int, int]
    coarse: int

    @classmethod
    def around(cls, camera: Camera, points: tuple[Tensor, ...], coarse: int) -> "_View":
        """The part of a picture in which points are seen."""
        screen = torch.cat([camera.project(each.flatten(0, 1))[:, :2] for each in points])
        most = screen.new_tensor([camera.size[1], camera.size[0]])
        # The outermost nodes are left out: they end the net, and nothing moves there.
        low, high = screen.amin(0).ceil() + INSET * coarse, screen.amax(0).floor() - INSET * coarse
        low = torch.minimum(low.clamp(min=0), most - 1)
        high = torch.maximum(torch.minimum(high, most), low + 1)
        (left, top), (right, bottom) = low.int().tolist(), high.int().tolist()
        size = bottom - top, right - left
        whole = [-(-n // coarse) * coarse for n in size]
        box = left, top, left + whole[1], top + whole[0]
        return cls(part_of(camera, box, 1 / coarse), (left, top), size, coarse)

    def part(self, picture: Float[Tensor, "H W C"]) -> Float[Tensor, "h w C"]:
        """This part of a picture."""
        (left, top), (height, width) = self.corner, self.size
        return picture[top : top + height, left : left + width]
