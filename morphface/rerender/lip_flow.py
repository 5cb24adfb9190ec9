"""Lips and the skin around them, moved as their landmarks do: on either side of the mouth apart."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.mesh import normalized
from morphface.landmarks.tables import INNER_LIPS, OUTER_LIPS
from morphface.render.warp import look_up
from morphface.rerender.looks import Look, brightened
from morphface.rerender.mouth_move import MovedMouth
from morphface.rerender.mouth_photo import OPEN, MouthPhoto
from morphface.rerender.ring_axes import sampled
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.spread import spread

__all__ = ["LipFlow"]

AROUND = 0.75, 0.52
"""How far around the middle of a mouth landmarks steer it, in its widths; and how far aside from it
they steer both what is above and what is below."""
FACING = 0.2
"""How far skin faces the camera at landmarks that count."""
FOLDED = 0.6
"""How near to the opening a landmark may come, beside how near it was, to count."""
TOUCH = 0.014
"""How far from where lips touch it is dark, in widths of the mouth."""
FINEST = 1.2
"""The same in pixels, at least, and then less dark."""
DARK = 0.45
"""How much darker it is there."""
COUNT = 468
"""Landmarks before those of irises."""


@dataclass(frozen=True, eq=False)
class LipFlow:
    """Lips of a photo, ready to move.

    Args:
        head: that was fitted, and its photo.
        seen: its mouth.
    """

    head: SeenHead
    seen: MouthPhoto

    def colours(
        self, here: Float[Tensor, "h w 2"], moved: MovedMouth, look: Look
    ) -> Float[Tensor, "h w 3"]:
        """Lips and skin at places of a picture.

        Args:
            here: the pixels of a box.
            moved: the mouth there.
            look: of the face.
        """
        flat, seen = moved.axes.flat(here), self.seen
        lines = torch.stack([moved.upper, moved.lower, seen.upper, seen.lower], dim=-1)
        upper, lower, *photo = sampled(lines, flat[..., 0]).unbind(-1)
        middle = (upper + lower) / 2
        beyond = ((flat[..., 0] - 0.5).abs() - 0.5).clamp(min=0)
        soft = 0.5 / moved.axes.width + 0.25 * beyond
        above = ((flat[..., 1] - middle) / (2 * soft) + 0.5).clamp(0, 1)[..., None]
        high, low = self._fields(here, moved, self.head.landmarks(self.head.shades(look)))
        flow, gain = torch.lerp(low, high, above).split([2, 3], dim=-1)
        place = here + flow - flow.new_tensor(seen.corner)
        found = brightened(look_up(seen.lips[None], place[None])[0], gain.exp())
        # Lips that close touch in a line.
        was, now = photo[0] - photo[1], upper - lower
        closed = ((was - now) / was.clamp(min=1e-3)).clamp(min=0) * smoothstep(was, 0.0, OPEN)
        thick = max(TOUCH, FINEST / moved.axes.width)
        line = smoothstep((flat[..., 1] - middle).abs(), thick, 0.0) * (TOUCH / thick)
        return found * (1 - DARK * line * closed)[..., None]

    def _fields(
        self, here: Float[Tensor, "h w 2"], moved: MovedMouth, gains: Float[Tensor, "N 3"]
    ) -> list[Float[Tensor, "h w 5"]]:
        """Flow to the photo and gains, of what is above the mouth and of what is below."""
        points, kept = self.head.face.fit.landmarks.points, self._unfolded(moved)
        values = torch.cat([points - moved.points, gains], dim=-1)
        return [
            spread(moved.points[side & kept], values[side & kept], here, moved.axes.width)
            for side in self._sides
        ]

    def _unfolded(self, moved: MovedMouth) -> Bool[Tensor, " N"]:
        """Landmarks that no lip has come too near to: seen from aside, it would be before them."""
        ring, points = list(INNER_LIPS), self.head.face.fit.landmarks.points
        was, now = (torch.cdist(each, each[ring]).amin(-1) for each in (points, moved.points))
        kept = now >= FOLDED * was
        kept[ring] = True
        return kept

    @cached_property
    def _sides(self) -> list[Bool[Tensor, " N"]]:
        """Landmarks that steer what is above the mouth, and those that steer what is below."""
        import cv2

        head, place = self.head, self.head.landmarks(self.head.neutral)
        normals = head.landmarks(head.look.normals(head.face.model.faces))
        towards = -normalized(head.marks)
        faces = ((normals * towards).sum(-1) > FACING) & (torch.arange(len(place)) < COUNT)
        first, last = (place[INNER_LIPS[k]] for k in (0, len(INNER_LIPS) // 2))
        wide, middle = (last - first).norm(), (last + first) / 2
        near = faces & ((place - middle)[:, :2].norm(dim=-1) < AROUND[0] * wide)
        aside = (place - middle)[:, 0].abs() > AROUND[1] * wide
        low = place[:, 1] < middle[1]
        edge = place[list(OUTER_LIPS), :2].numpy()
        away = [cv2.pointPolygonTest(edge, point, True) for point in place[:, :2].tolist()]
        near &= torch.tensor(away) < 0  # what is between both edges of a lip goes with them
        sides = [near & (low ^ above | aside) for above in (True, False)]
        for ring, certain in ((OUTER_LIPS, faces), (INNER_LIPS, torch.ones_like(faces))):
            half = len(ring) // 2
            for side, own in zip(sides, ((*ring[half:], ring[0]), ring[: half + 1]), strict=True):
                side[list(ring)] = False
                side[list(own)] = certain[list(own)]
        return sides
