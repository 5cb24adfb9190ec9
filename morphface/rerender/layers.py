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
from morphface.render.antialias import antialias
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres, enlarged, look_up
from morphface.rerender.body import Body
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
        padded = torch.nn.functional.pad(planes, (room,) * 4, mode="replicate")
        return padded.movedim(1, -1)

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
        frame = self.background if behind is None else behind
        body, person = self.body, self.person
        scale = person.work.scale
        for rear in (True, False):
            points, picture = (body.rear, self._rear) if rear else (body.front, self._front)
            share = body.shares(points, turn.to_model(points))
            open_rim = torch.zeros_like(share) if rear else body.opening(turn.rotation)
            carried = [body.inwards * float(rear), share[..., None], open_rim[..., None]]
            seen = self._seen(turn.apply(points, share), torch.cat(carried, -1), camera, rear)
            place = centres(*self.photo.size, frame) + seen.shift
            inner = place + seen.inwards
            if rear:
                place, inner = (spot * scale + person.room for spot in (place, inner))
            else:
                place, inner = place + self._room, inner + self._room
            alpha = look_up(picture[..., 3:], place[None], "bilinear")[0].clamp(0, 1) * seen.cover
            mode = "bilinear" if rear else "bicubic"
            colour = look_up(picture[..., :3], inner[None], mode)[0].clamp(0, 1)
            frame = torch.lerp(frame, colour, alpha * (1 - seen.faded))
        if behind is not None or camera is not person.face.camera:
            return frame
        return torch.lerp(frame, self.photo.pixels, seen.cover * ramp(seen.share, *STILL))

    def _seen(
        self,
        points: Float[Tensor, "R C 3"],
        carried: Float[Tensor, "R C 4"],
        camera: Camera,
        rear: bool,
    ) -> "_Seen":
        """Where in the photo each pixel of a layer lies, and what its nodes carry."""
        height, width = self.photo.size
        coarse = max(int(-(-self.person.work.size / self.person.work.scale // GROUND)), 1)
        size = -(-height // coarse), -(-width // coarse)
        small = part_of(camera, (0, 0, size[1] * coarse, size[0] * coarse), 1 / coarse)
        screen = small.project(points.flatten(0, 1))[None]
        net = self.body.rear_net if rear else self.body.front_net
        found = rasterize(screen, net.faces, small.size, perspective=False, cull=not rear)
        values = torch.cat([self.body.places, carried], -1).flatten(0, 1)[None]
        values = interpolate(values, net.faces, found)[0]
        mask = found.mask[0][..., None].float()
        whole = size[0] * coarse, size[1] * coarse
        here = torch.zeros_like(values)
        here[..., :2] = centres(size[0], size[1], values) * coarse
        edges = {"topology": net.topology, "perspective": False}
        cover = _mean(antialias(mask[None], screen, net.faces, found, **edges)[0])
        values = _grown((values - here) * mask, mask)
        both = enlarged(torch.cat([values, cover], -1), whole)[:height, :width]
        return _Seen(*both.split([2, 2, 1, 1, 1], -1))


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
    """Values where there is something, and beside it those of what is next."""
    total = _mean(mask)
    return torch.where(mask > 0, values, _mean(values) / total.clamp(min=1e-6))
