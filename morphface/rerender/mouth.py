"""Mouths that move: lips with their own skin, and what is behind them.

A mesh has its lips never quite where a photo has them, and would take teeth for lips. So the edges
of the lips are those of the landmarks, and go along with the mesh; either side of the mouth moves
as its own landmarks do. What is between the lips is drawn behind them: teeth of the photo stay
with the skull or go with the jaw, and crowns in their colour go on where it shows none.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.camera import Camera
from morphface.landmarks.tables import INNER_LIPS
from morphface.parameters import FaceParameters
from morphface.render.warp import centres
from morphface.rerender.lip_flow import LipFlow
from morphface.rerender.looks import Look
from morphface.rerender.mouth_inside import SOFT, MouthInside
from morphface.rerender.mouth_move import ABOVE, MovedMouth
from morphface.rerender.mouth_photo import MouthPhoto
from morphface.rerender.ring_axes import sampled
from morphface.rerender.seen_head import SeenHead

__all__ = ["Mouth", "opening"]

SMALLEST = 8.0
"""Pixels between the corners of a mouth below which it is too small for all this."""
SLIT = 0.06, 0.02
"""How far lips are apart from which on what is behind them is seen, and up to which there is a
dark line, in widths of the mouth."""
EDGE = 1.0
"""Half of how wide the edge of a lip is, at least, in pixels."""
FADE = 0.18, 0.42
"""Distances from the edge of the lips between which the mesh takes over, in widths of the mouth."""


@dataclass(frozen=True, eq=False)
class Mouth:
    """The mouth of a fitted head, ready to move.

    Args:
        head: that was fitted, and its photo.
    """

    head: SeenHead

    def over(
        self,
        frame: Float[Tensor, "H W 3"],
        parameters: FaceParameters,
        look: Look,
        camera: Camera,
        *,
        turns: bool = True,
        shown: Float[Tensor, "H W 1"] | None = None,
    ) -> None:
        """Draws a mouth that is not as in the photo over a picture, in place.

        Args:
            frame: of the size of the photo, with the face drawn in it.
            parameters: of the face with resting eyes, one frame.
            look: that they give.
            camera: that sees it; of the same size.
            turns: whether one that only turns is drawn, if it is open.
            shown: how far each pixel shows the face; None is everywhere.
        """
        if self._parts is None or not self._changed(parameters, turns):
            return
        lips, inside = self._parts
        moved = MovedMouth.of(self.head, lips.seen, parameters, look, camera)
        left, top, right, bottom = _box(moved, self.head.photo.size)
        if moved.share <= 0 or right - left < 2 or bottom - top < 2:
            return
        here = centres(bottom - top, right - left, frame) + frame.new_tensor([left, top])
        flat = moved.axes.flat(here)
        lines = sampled(torch.stack([moved.upper, moved.lower], dim=-1), flat[..., 0])
        upper, lower = lines.unbind(-1)
        within = torch.minimum(upper - flat[..., 1], flat[..., 1] - lower)
        soft = max(SOFT, EDGE / moved.axes.width)
        opened = opening(flat[..., 1], upper, lower, soft)
        found = lips.colours(here, moved, look)
        if bool((opened > 0).any()):
            behind = inside.colours(here, moved, look)
            narrow = smoothstep(upper - lower, *SLIT)[..., None]
            behind = torch.lerp(behind, inside.slit(look).expand_as(behind), narrow)
            found = torch.lerp(found, behind, opened[..., None])
        aside = (flat[..., 0] - flat[..., 0].clamp(0, 1)).square()
        away = (aside + within.clamp(max=0).square()).sqrt()[..., None]
        part = frame[top:bottom, left:right]
        weight = moved.share * smoothstep(away, FADE[1], FADE[0])
        if shown is not None:
            weight = weight * shown[top:bottom, left:right]
        part += weight * (found.clamp(0, 1) - part)

    def _changed(self, parameters: FaceParameters, turns: bool) -> bool:
        """Whether lips move, or teeth are seen that turn."""
        fitted = self.head.face.parameters
        names = ["expression", "identity"]
        if turns and self._parts is not None and self._parts[0].seen.wide:
            names.append("rotation")
        return not all(torch.equal(getattr(parameters, n), getattr(fitted, n)) for n in names)

    @cached_property
    def _parts(self) -> tuple[LipFlow, MouthInside] | None:
        """Lips and what is behind them; None if they are too small or not found."""
        landmarks = self.head.face.fit.landmarks
        if landmarks.scheme != "478":
            return None
        ring, above = (landmarks.points[list(chosen)] for chosen in (INNER_LIPS, ABOVE))
        seen = MouthPhoto.of(self.head.photo.pixels, ring, above)
        if seen.axes.width < SMALLEST:
            return None
        return LipFlow(self.head, seen), MouthInside(self.head, seen)


def opening(
    high: Float[Tensor, "*n"], upper: Float[Tensor, "*n"], lower: Float[Tensor, "*n"], soft: float
) -> Float[Tensor, "*n"]:
    """How far places are in an opening, seen through pixels: a narrow slit is a line, and no dots.

    Args:
        high: of the places.
        upper: height of the upper edge at each.
        lower: of the lower edge.
        soft: half of how wide an edge is mixed.
    """
    below, beyond = (smoothstep(line - high, -soft, soft) for line in (upper, lower))
    return (below - beyond) * smoothstep(upper - lower, 0, 2 * soft)


def _box(moved: MovedMouth, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture around a mouth: left, top, right, bottom."""
    ring, away = moved.points[list(INNER_LIPS)], FADE[1] * moved.axes.width + 1
    (left, top), (right, bottom) = (ring.amin(0) - away).tolist(), (ring.amax(0) + away).tolist()
    return max(int(left), 0), max(int(top), 0), min(int(right), size[1]), min(int(bottom), size[0])
