"""A person drawn from another side: background, back and front, one over the other.

Each layer is a net of points with its own depth test: with a common one, what is transparent in
one hides what is not in another. The face is drawn over them by its mesh.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres, enlarged, look_up
from morphface.rerender.body import Body, Net
from morphface.rerender.looks import part_of
from morphface.rerender.person import Person
from morphface.rerender.turn import Turn

__all__ = ["Layers"]

GROUND = 500
"""Pixels along a head in which layers are worked out: more are interpolated, but not colours."""
STILL = 0.03, 0.005
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

    @cached_property
    def background(self) -> Float[Tensor, "H W 3"]:
        """The photo without the person."""
        return self._large(self.person.plate, self._away)

    @cached_property
    def _away(self) -> Float[Tensor, "H W 1"]:
        """1 where the photo shows nothing but background."""
        import cv2

        plate = np.abs(self.person.plate - self.person.work.pixels).max(-1)
        touched = cv2.GaussianBlur(np.float32(plate > 1e-4), (0, 0), 1.0)
        return enlarged(torch.from_numpy(1 - touched)[..., None], self.photo.size).clamp(0, 1)

    def _large(
        self, small: Float[np.ndarray, "h w 3"], photo: Float[Tensor, "H W 1"]
    ) -> Float[Tensor, "H W 3"]:
        """A picture of the working size, enlarged, and the photo itself where that may be."""
        found = enlarged(torch.from_numpy(np.float32(small)), self.photo.size)
        return torch.lerp(found, self.photo.pixels, photo)

    @cached_property
    def _front(self) -> Float[Tensor, "1 H W 4"]:
        """Colours of the person and how far the relief shows them, padded, as fine as the photo."""
        person = self.person
        sure = ramp(torch.from_numpy(person.matte)[..., None], 0.95, 0.995)
        inner = self._large(person.colours, enlarged(sure, self.photo.size))
        alpha = torch.from_numpy(person.seen_front)[..., None]
        both = torch.cat([inner, enlarged(alpha, self.photo.size)], -1)
        room = self._room
        planes = both.movedim(-1, 0)[None]
        # What the border cuts goes on as the rear does.
        colours = torch.nn.functional.pad(planes[:, :3], (room,) * 4, mode="replicate")
        alpha = torch.nn.functional.pad(planes[:, 3:], (room,) * 4)
        return torch.cat([colours, alpha], 1).movedim(1, -1)

    @cached_property
    def _rear(self) -> Float[Tensor, "1 h w 4"]:
        person = self.person
        alpha = np.ones_like(person.rear[..., :1])
        return torch.from_numpy(np.concatenate([person.rear, alpha], -1))[None]

    @property
    def _room(self) -> int:
        return round(self.person.room / self.person.work.scale)

    def draw(
        self, turn: Turn, camera: Camera, behind: Float[Tensor, "H W 3"] | None = None
    ) -> Float[Tensor, "H W 3"]:
        """The photo with the person turned; their face is missing.

        Args:
            turn: of the head.
            camera: that sees it, of the size of the photo.
            behind: what is behind them; None is what was there.
        """
        body, frame = self.body, self.background if behind is None else behind
        share = body.shares(body.rear, turn)
        faded = body.fringe(turn.rotation)
        nodes = _Nodes(turn.apply(body.rear, share), share, faded, body.inwards)
        frame = self._over(frame, self._rear, self._seen(nodes, body.rear_net, camera))
        share, faded = body.shares(body.front, turn), body.opening(turn.rotation)
        points = turn.apply(body.front, share)
        nodes = _Nodes(points, share, faded, torch.zeros_like(body.places))
        # What lies beyond the outline hides where the surface ends before it: drawn first.
        whole = self._seen(nodes, body.front_net, camera)
        for seen in (whole, self._seen(nodes, body.core_net, camera)):
            frame = self._over(frame, self._front, seen)
        if behind is not None or camera is not self.person.face.camera:
            return frame
        return torch.lerp(frame, self.photo.pixels, whole.cover * ramp(whole.share, *STILL))

    def _over(
        self, frame: Float[Tensor, "H W 3"], picture: Float[Tensor, "1 h w 4"], seen: "_Seen"
    ) -> Float[Tensor, "H W 3"]:
        """A layer over what is behind it."""
        place = centres(*self.photo.size, frame) + seen.shift
        inner, scale, room, mode = place + seen.inwards, 1.0, float(self._room), "bicubic"
        if picture is self._rear:
            scale, room, mode = self.person.work.scale, float(self.person.room), "bilinear"
        alpha = look_up(picture[..., 3:], (place * scale + room)[None], "bilinear")[0]
        colour = look_up(picture[..., :3], (inner * scale + room)[None], mode)[0].clamp(0, 1)
        return torch.lerp(frame, colour, alpha.clamp(0, 1) * seen.cover * (1 - seen.faded))

    def _seen(self, nodes: "_Nodes", net: Net, camera: Camera) -> "_Seen":
        """Where in the photo each pixel of a layer lies, and what its nodes carry."""
        height, width = self.photo.size
        coarse = max(int(-(-self.person.work.size / self.person.work.scale // GROUND)), 1)
        size = -(-height // coarse), -(-width // coarse)
        small = part_of(camera, (0, 0, size[1] * coarse, size[0] * coarse), 1 / coarse)
        screen = small.project(nodes.points.flatten(0, 1))[None]
        found = rasterize(screen, net.faces, small.size, perspective=False, cull=net.one_sided)
        carried = [self.body.places, nodes.inwards, nodes.share[..., None], nodes.faded[..., None]]
        values = interpolate(torch.cat(carried, -1).flatten(0, 1)[None], net.faces, found)[0]
        mask = found.mask[0][..., None].float()
        whole = size[0] * coarse, size[1] * coarse
        here = torch.zeros_like(values)
        here[..., :2] = centres(size[0], size[1], values) * coarse
        values = _grown((values - here) * mask, mask)
        both = enlarged(torch.cat([values, _mean(_mean(mask))], -1), whole)[:height, :width]
        return _Seen(*both.split([2, 2, 1, 1, 1], -1))


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The nodes of a layer, turned.

    Args:
        points: in the camera frame.
        share: how far each turns with the head.
        faded: how far it is left out.
        inwards: from its place in the photo to where its colour is taken from.
    """

    points: Float[Tensor, "R C 3"]
    share: Float[Tensor, "R C"]
    faded: Float[Tensor, "R C"]
    inwards: Float[Tensor, "R C 2"]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is seen of a layer.

    Args:
        shift: from each pixel to its place in the photo.
        inwards: from there to where its colour is taken from.
        share: how far it turns with the head.
        faded: how far it is left out.
        cover: how far there is something.
    """

    shift: Float[Tensor, "H W 2"]
    inwards: Float[Tensor, "H W 2"]
    share: Float[Tensor, "H W 1"]
    faded: Float[Tensor, "H W 1"]
    cover: Float[Tensor, "H W 1"]


def _mean(values: Float[Tensor, "h w C"]) -> Float[Tensor, "h w C"]:
    wide = torch.nn.functional.pad(values.movedim(-1, 0)[None], (1, 1, 1, 1), mode="replicate")
    return torch.nn.functional.avg_pool2d(wide, 3, 1)[0].movedim(0, -1)


def _grown(values: Float[Tensor, "h w C"], mask: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w C"]:
    """Values where there is something, and two pixels beside it those of what is next."""
    for _ in range(2):
        total = _mean(mask)
        values = torch.where(mask > 0, values, _mean(values) / total.clamp(min=1e-6))
        mask = (total > 0).to(mask.dtype)
    return values
