"""What is around a face that does not turn: it follows the face's expression and light a little.

A head that turns is drawn in layers instead (`layers.py`).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.media.images import Photo
from morphface.render.relief import Relief
from morphface.render.warp import centres, enlarged, look_up, settled
from morphface.rerender.looks import Look, brightened, part_of
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.turn import turning

__all__ = ["Ground"]

FINEST = 500
"""Pixels along a head in which what is around it is worked out."""
NODES = {False: 110, True: 40}
"""Nodes along a head of the net that carries it, fine and quick."""
AROUND = {False: 0.9, True: 0.2}
"""How far around a head, in its sizes, the net goes, fine and quick."""
BEYOND = 0.35
"""The same beyond the border of the picture, where the head reaches it."""
COARSER = 3
"""How many times coarser it is worked out for a quick picture."""
REACH = 0.1
"""How far, in sizes of the head, expressions and shades reach beyond it."""
_STRIP = 2_000_000


@dataclass(frozen=True, eq=False)
class Ground:
    """The photo that a face is in, ready to follow what the face does.

    Args:
        head: in the photo.
        around: what is behind the person in place of what was there, and the photo before that;
            None leaves it.
        quick: whether it may be less exact.
    """

    head: SeenHead
    around: tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 3"]] | None
    quick: bool

    @property
    def photo(self) -> Photo:
        """In which the face is."""
        return self.head.photo

    @cached_property
    def size(self) -> float:
        """Of the head in the photo, in pixels."""
        screen = self.head.face.camera.project(self.head.look.vertices)[:, :2]
        return max(float((screen.amax(0) - screen.amin(0)).max()), 1.0)

    def moved(
        self, look: Look, shades: Float[Tensor, "V 3"]
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The photo as another look moves it, and where the person is in it.

        Args:
            look: in the pose of the photo.
            shades: logarithms of how many times brighter vertices become.
        """
        coarse = int(-(-self.size // FINEST)) * (COARSER if self.quick else 1)
        left, top, right, bottom = self._box(look, coarse)
        height, width = self.photo.size
        both = self._flow(look, shades, (left, top, right, bottom), coarse)
        frame = (self.photo.pixels if self.around is None else self.around[1]).clone()
        whole = self.around is None and torch.equal(look.light, self.head.look.light)
        person = torch.ones_like(frame[..., :1]) if whole else self.head.matte.clone()
        x, y = slice(max(left, 0), min(right, width)), slice(max(top, 0), min(bottom, height))
        step = max(_STRIP // (right - left), 1)
        for row in range(y.start, y.stop, step):
            rows = row, min(row + step, y.stop)
            inner = enlarged(both, (bottom - top, right - left), (rows[0] - top, rows[1] - top))
            flow, gain = inner[:, x.start - left : x.stop - left].split([2, 3], dim=-1)
            part = slice(*rows), x
            flow, place = _placed(flow, part)
            if not whole:
                person[part] = look_up(self.head.matte[None], place[None], "bilinear")[0]
            # What is behind the person has a light of its own.
            frame[part] = self._part(flow, place, gain * person[part], part)
            if self.around is not None:
                frame[part] = torch.lerp(self.around[0][part], frame[part], person[part])
        return frame, person

    def _flow(
        self, look: Look, shades: Tensor, box: tuple[int, int, int, int], coarse: int
    ) -> Float[Tensor, "h w 5"]:
        """Where each pixel of a part lies in the photo, in its pixels, and its shade."""
        face, now, scale = self.head.face, self.head.look, 1 / coarse
        (left, top, _, _), (height, width) = box, self.photo.size
        relief = Relief(
            part_of(face.camera, box, scale),
            now.vertices,
            face.model.faces,
            turning(face.model),
            (-left * scale, -top * scale, (width - left) * scale, (height - top) * scale),
            spacing=max(self.size / NODES[self.quick] * scale, 1.0),
            reach=REACH * self.size * scale,
        )
        flow, gain = relief.flow(look.vertices, now.vertices, shades)
        return torch.cat([flow * coarse, gain], dim=-1)

    def _part(
        self,
        flow: Float[Tensor, "h w 2"],
        place: Float[Tensor, "h w 2"],
        gain: Float[Tensor, "h w 3"],
        part: tuple[slice, slice],
    ) -> Float[Tensor, "h w 3"]:
        """A part of the moved photo."""
        still = (flow == 0).all(-1, keepdim=True)
        found = self.photo.pixels[part]
        if not bool(still.all()):
            found = torch.where(still, found, look_up(self.photo.pixels[None], place[None])[0])
        return brightened(found, torch.where(gain.abs() < 1e-4, 0.0, gain).exp())

    def _box(self, look: Look, whole: int) -> tuple[int, int, int, int]:
        """The part of the picture that may move, and some beyond its border."""
        both = torch.cat([self.head.look.vertices, look.vertices])
        screen = self.head.face.camera.project(both)[:, :2].nan_to_num()
        height, width = self.photo.size
        away, beyond = AROUND[self.quick] * self.size, BEYOND * self.size
        (left, top), (right, bottom) = (
            (screen.amin(0) - away).tolist(),
            (screen.amax(0) + away).tolist(),
        )
        left, top = int(max(left, -beyond)), int(max(top, -beyond))
        right, bottom = min(right, width + beyond), min(bottom, height + beyond)
        across, down = (-(-max(int(n), 1) // whole) * whole for n in (right - left, bottom - top))
        return left, top, left + across, top + down


def _placed(
    flow: Float[Tensor, "h w 2"], part: tuple[slice, slice]
) -> tuple[Float[Tensor, "h w 2"], Float[Tensor, "h w 2"]]:
    """A flow without what rounding leaves of none, and where in the photo it leads to."""
    flow = settled(flow)
    corner = flow.new_tensor([part[1].start, part[0].start])
    return flow, centres(flow.shape[0], flow.shape[1], flow) + corner + flow
