"""Eyes that look elsewhere: the photo's own iris, moved between the photo's own lids.

The lids of a mesh are never quite where those of a photo are, which shows where what is between
them is drawn anew. So the opening is that of the landmarks, and goes along with the lids; sclera
fills the place of the old iris; and the new one comes from the photo, completed where lids hide
it. Highlights move half as far, as on a cornea.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import degrees, sin

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters
from morphface.render.warp import centres, enlarged, look_up, settled
from morphface.rerender.eye_photo import (
    PATCH,
    EyePhoto,
    box_around,
    lids_over,
    shadow,
)
from morphface.rerender.eye_place import (
    LOWER,
    RINGS,
    Ball,
    EyePlace,
    angle_between,
    eye_ball,
)
from morphface.rerender.looks import Look, brightened
from morphface.rerender.seen_head import SeenHead

__all__ = ["Eyes"]

BEGINNING = 1.5
"""Degrees of an eye's turn from which it is drawn wholly anew."""
SMALLEST = 2.0
"""Pixels of an iris' radius below which an eye is too small for all this."""
CLOSED = 0.05, 0.1
"""How far lids are apart, in widths of the eye: not drawn up to the first, wholly from the
second."""
CLOSING = 0.25, 0.35
"""The same beside how far they are apart in the photo."""
MOST = 1.6
"""How many times wider open than in the photo an eye can be."""
ASIDE = 0.9, 1.3
"""The same of an eye's width in radii of the eyeball, which is less where it is seen from aside."""
EDGE = 0.012
"""Half of how wide the edge of the lids is mixed, in widths of the eye."""
NEAR = 0.15, 0.35
"""Where the photo's lids take the place of the mesh's, in widths of the eye from the opening: up to
the first wholly, none from the second."""
LIMBUS = 1.2, 1.0
"""Radii of the iris between which it gives way to sclera."""
REACH = 0.12
"""How far, in widths of the eye, a point of the lids takes others along."""


@dataclass(frozen=True, eq=False)
class Eyes:
    """The eyes of a fitted head, ready to look elsewhere.

    Args:
        head: that was fitted, and its photo.
    """

    head: SeenHead

    def over(
        self, frame: Float[Tensor, "H W 3"], parameters: FaceParameters, look: Look, camera: Camera
    ) -> None:
        """Draws the eyes that look elsewhere than in the photo over a picture, in place.

        Args:
            frame: of the size of the photo, with the face drawn in it.
            parameters: of the face, one frame.
            look: that they give.
            camera: that sees it; of the same size.
        """
        face, gains = self.head.face, None
        for side in range(len(RINGS)):
            if torch.equal(parameters.gaze[0, side], face.parameters.gaze[0, side]):
                continue
            seen = self._seen[side]
            after = (
                None if seen is None else self._after(side, seen.place, parameters, look, camera)
            )
            if seen is not None and after is not None:
                gains = self._gains(look) if gains is None else gains
                self._draw(frame, seen, after, gains[list(RINGS[side][0])])

    @cached_property
    def _seen(self) -> list[EyePhoto | None]:
        return [self._in_photo(side) for side in range(len(RINGS))]

    @cached_property
    def _balls(self) -> list[tuple[Ball, Float[Tensor, "2"]] | None]:
        face = self.head.face
        return [eye_ball(face, face.parameters, face.camera, side) for side in range(len(RINGS))]

    def _in_photo(self, side: int) -> EyePhoto | None:
        """An eye of the photo; None if it is too small, closed or not found."""
        face, pixels = self.head.face, self.head.photo.pixels
        found = self._balls[side]
        if found is None or face.fit.landmarks.scheme != "478":
            return None
        points, (ball, middle) = face.fit.landmarks.points, found
        ring, iris = (points[list(chosen)] for chosen in RINGS[side])
        radius = float((iris[1:] - iris[0]).norm(dim=-1).mean())
        if radius < SMALLEST:
            return None
        ratio = radius / (ball.radius * sin(ball.iris))
        centre = iris[0] - (middle - ball.centre) * ratio
        place = EyePlace(ring, replace(ball, centre=centre, radius=ball.radius * ratio))
        if place.openness < CLOSED[0]:
            return None
        return EyePhoto.of(pixels, place)

    def _after(
        self, side: int, place: EyePlace, parameters: FaceParameters, look: Look, camera: Camera
    ) -> EyePlace | None:
        """Where the eye of the photo is in a look; None without one."""
        face = self.head.face
        embedding = face.model.landmark_embedding("478")
        chosen = list(RINGS[side][0])
        was, now = (
            of.project(embedding.points(each.vertices)[chosen])[:, :2]
            for each, of in ((self.head.look, face.camera), (look, camera))
        )
        before, after = self._balls[side], eye_ball(face, parameters, camera, side)
        if before is None or after is None:
            return None
        ratio = after[0].radius / before[0].radius
        moved = after[0].centre - before[0].centre
        ball = replace(after[0], centre=place.ball.centre + moved, radius=place.ball.radius * ratio)
        return EyePlace(_opened(place.ring, was, now), ball)

    def _gains(self, look: Look) -> Float[Tensor, "N 3"]:
        """Logarithms of how many times brighter the skin at each landmark becomes."""
        return self.head.face.model.landmark_embedding("478").points(self.head.shades(look))

    def _draw(
        self,
        frame: Float[Tensor, "H W 3"],
        seen: EyePhoto,
        after: EyePlace,
        gains: Float[Tensor, "R 3"],
    ) -> None:
        """An eye of the photo in another place."""
        place = seen.place
        share = _share(place, after)
        left, top, right, bottom = box = box_around(after, self.head.photo.size)
        if share <= 0 or right - left < 2 or bottom - top < 2:
            return
        inside, upper = lids_over(after, box).unbind(-1)
        here = centres(bottom - top, right - left, frame) + frame.new_tensor([left, top])
        carried = torch.cat([place.ring - after.ring, gains], dim=-1)
        flow, gain = _carried(carried, after, box).split([2, 3], dim=-1)
        flow = settled(flow)
        photo = self._photo(here, flow, box)
        clean = look_up(seen.clean[None], (here + flow - flow.new_tensor(seen.corner))[None])[0]
        eye = _with_iris(clean, seen, after, here, shadow(inside, upper, after.width))
        eye = eye + _glint(seen, after, here)
        turned = degrees(angle_between(place.ball, after.ball)) / BEGINNING
        edge = max(EDGE * after.width, 0.7)
        drawn = smoothstep(inside, -edge, edge)[..., None] * min(turned, 1.0)
        found = brightened(torch.lerp(photo, eye, drawn), gain.exp())
        near, far = NEAR
        weight = share * smoothstep(inside[..., None], -far * after.width, -near * after.width)
        part = frame[top:bottom, left:right]
        part += weight * (found.clamp(0, 1) - part)

    def _photo(
        self,
        here: Float[Tensor, "h w 2"],
        flow: Float[Tensor, "h w 2"],
        box: tuple[int, int, int, int],
    ) -> Float[Tensor, "h w 3"]:
        """What the photo has where a flow leads."""
        pixels = self.head.photo.pixels
        still = (flow == 0).all(-1, keepdim=True)
        own = pixels[box[1] : box[3], box[0] : box[2]]
        if bool(still.all()):
            return own
        return torch.where(still, own, look_up(pixels[None], (here + flow)[None])[0])


def _opened(
    ring: Float[Tensor, "R 2"], was: Float[Tensor, "R 2"], now: Float[Tensor, "R 2"]
) -> Float[Tensor, "R 2"]:
    """The lids of the photo, moved and opened as those of a mesh, which may be less wide open."""
    moved = ring + settled(now - was)
    if torch.equal(moved, ring):
        return ring
    lower = torch.arange(1, LOWER)
    upper = len(ring) - lower
    before, after = (points[upper] - points[lower] for points in (was, now))
    size = before.square().sum(-1, keepdim=True).clamp(min=1e-6)
    share = ((after * before).sum(-1, keepdim=True) / size).clamp(0, MOST)
    wide = moved[upper] - moved[lower]
    length = wide.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    wanted = share * (ring[upper] - ring[lower]).norm(dim=-1, keepdim=True)
    moved[upper] = moved[lower] + wide * (wanted / length)
    return ring + settled(moved - ring)


def _share(place: EyePlace, after: EyePlace) -> float:
    """How far an eye is drawn in this way, 0 to 1."""
    least = min(each.width / each.ball.radius for each in (place, after))
    shares = (
        smoothstep(torch.tensor(after.openness), *CLOSED),
        smoothstep(torch.tensor(after.openness / place.openness), *CLOSING),
        smoothstep(torch.tensor(least), *ASIDE),
    )
    return float(torch.stack(shares).prod())


def _carried(
    values: Float[Tensor, "R C"], after: EyePlace, box: tuple[int, int, int, int]
) -> Float[Tensor, "h w C"]:
    """Values of the points of the lids at the pixels of a box."""
    left, top, right, bottom = box
    size = 12, 20
    spacing = values.new_tensor([(right - left) / size[1], (bottom - top) / size[0]])
    nodes = centres(*size, values) * spacing + values.new_tensor([left, top])
    far = (nodes[..., None, :] - after.ring).square().sum(-1) / (REACH * after.width) ** 2
    return enlarged(torch.softmax(-far / 2, dim=-1) @ values, (bottom - top, right - left))


def _with_iris(
    clean: Float[Tensor, "h w 3"],
    seen: EyePhoto,
    after: EyePlace,
    here: Float[Tensor, "h w 2"],
    light: Float[Tensor, "h w 1"],
) -> Float[Tensor, "h w 3"]:
    """The eye with its iris where it looks now."""
    iris = after.ball.iris_at(here)
    return torch.lerp(
        clean,
        _patch(seen.iris, iris) * light,
        smoothstep(iris.norm(dim=-1, keepdim=True), *LIMBUS),
    )


def _glint(seen: EyePhoto, after: EyePlace, here: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
    """Highlights, half as far from where they were as the iris is."""
    place = seen.place
    was, now = place.ball.screen_of(here.new_zeros(2)), after.ball.screen_of(here.new_zeros(2))
    there = (now + was)[:2] / 2 + (after.ball.centre - place.ball.centre) / 2
    back = replace(place.ball, centre=place.ball.centre + there - was[:2])
    on = smoothstep(after.ball.iris_at(here).norm(dim=-1, keepdim=True), *LIMBUS)
    return on * _patch(seen.glint, back.iris_at(here))


def _patch(patch: Float[Tensor, "n n 3"], iris: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
    """Colours of a patch of the iris; beyond it, those of its border."""
    flat = iris * iris.new_tensor([1.0, -1.0]) / PATCH
    return look_up(patch[None], ((flat + 1) / 2 * len(patch))[None])[0]
