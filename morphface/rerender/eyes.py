"""Eyes that look elsewhere: the photo's own iris, moved between the photo's own lids.

The lids of a mesh are never quite where those of a photo are, which shows where what is between
them is drawn anew. So the opening is that of the landmarks, and goes along with the lids; sclera
fills the place of the old iris; and the new one comes from the photo, completed where lids hide
it. Highlights move half as far, as on a cornea.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import sin

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.edit.weights import full_expression
from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks.tables import LEFT_BROW, RIGHT_BROW
from morphface.parameters import FaceParameters
from morphface.render.warp import centres, look_up, settled
from morphface.rerender.blinks import lids_meet, opens, shut
from morphface.rerender.eye_drawn import between_lids
from morphface.rerender.eye_imagined import imagined_eye
from morphface.rerender.eye_photo import EyePhoto, box_around
from morphface.rerender.eye_place import LOWER, RINGS, Ball, EyePlace, eye_ball
from morphface.rerender.lid_cover import LidCover
from morphface.rerender.lid_lines import LidLines, LidMotion
from morphface.rerender.lids import LidPhoto, MovedLids
from morphface.rerender.looks import DIMMEST, Look, brightened
from morphface.rerender.ring_axes import RingAxes
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.spread import spread

__all__ = ["Eyes"]

SMALLEST = 2.0
"""Pixels of an iris' radius below which an eye is too small for all this."""
ASIDE = 2.2, 3.0
"""Width of an eye in radii of its iris, less where it is seen from aside: it is not drawn up to the
first, and wholly from the second."""
HIDDEN = 0.65
"""Share of an eye's rim that a mesh shows up to which a nose hides the eye: 0.55 and less where one
does, 0.79 and more elsewhere."""
EDGE = 0.012
"""Half of how wide the edge of the lids is mixed, in widths of the eye."""
ROUND = 0.87, 1.1
"""How dark and how bright roundness makes a lid, at most."""
NEAR = 0.75
"""How far around an eye it may be drawn, in its widths."""
LIDS = tuple(
    frozenset(
        f"{name}{side}"
        for name in (
            *("eyeBlink", "eyeWide", "eyeSquint"),
            *(f"eyeLook{w}" for w in ("Up", "Down", "In", "Out")),
        )
    )
    for side in ("Left", "Right")
)
"""Expressions that move the lids of the left and of the right eye."""
BROWS = [list(brow[5:]) for brow in (LEFT_BROW, RIGHT_BROW)]
"""Landmarks along the lower edge of each brow."""
CHEEKS = [50, 280, 101, 330, 36, 266, 118, 347, 205, 425]
"""Landmarks of skin that glasses leave bare."""
DARK = 0.3
"""Brightness of skin below an eye, beside that of cheeks, below which dark glasses hide the eye:
0.10 to 0.21 behind those of one man, 0.39 in deep sockets of another."""
BELOW = [448, 449, 450, 451, 452], [228, 229, 230, 231, 232]
"""Landmarks below each eye, about where its socket ends."""


@dataclass(frozen=True, eq=False)
class _SeenEye:
    """An eye of the photo.

    Args:
        place: of it.
        lids: around it.
        shown: what is between them; None if they show too little of it.
        anchors: landmarks that its surroundings follow.
        behind: whether dark glasses are before it.
        shut: whether its lids are closed.
        meeting: how far the lids of the mesh are apart when it closes, in widths of the eye.
    """

    place: EyePlace
    lids: LidPhoto
    shown: EyePhoto | None
    anchors: list[int]
    behind: bool
    shut: bool
    meeting: float


@dataclass(frozen=True, eq=False)
class Eyes:
    """The eyes of a fitted head, ready to close or to look elsewhere.

    Args:
        head: that was fitted, and its photo.
    """

    head: SeenHead

    def resting(self, parameters: FaceParameters) -> FaceParameters:
        """A face whose eyes are as in the photo, if they are drawn here.

        Args:
            parameters: of the face, one frame.
        """
        fitted, model = self.head.face.parameters, self.head.face.model
        expression, gaze = full_expression(parameters, model).clone(), parameters.gaze.clone()
        before, names = full_expression(fitted, model), model.expression.names
        turned = not torch.equal(parameters.rotation, fitted.rotation)
        for side, seen in enumerate(self._seen):
            if seen is None and (turned or not self._hidden[side]):
                continue
            gaze[:, side] = fitted.gaze[:1, side]
            columns = [k for k, name in enumerate(names) if name in LIDS[side]]
            if len(columns) == len(LIDS[side]):
                expression[:, columns] = before[:1, columns]
        same = torch.equal(expression, parameters.expression) and torch.equal(gaze, parameters.gaze)
        return parameters if same else replace(parameters, expression=expression, gaze=gaze)

    def over(
        self,
        frame: Float[Tensor, "H W 3"],
        parameters: FaceParameters,
        looks: tuple[Look, Look],
        camera: Camera,
    ) -> None:
        """Draws the eyes that are not as in the photo over a picture, in place.

        Args:
            frame: of the size of the photo, with the face drawn in it.
            parameters: of the face, one frame.
            looks: of the face with resting eyes, which the picture shows, and with its own.
            camera: that sees it; of the same size.
        """
        face, gains = self.head.face, None
        for side, seen in enumerate(self._seen):
            if seen is None or seen.behind:
                continue
            turned = not torch.equal(parameters.gaze[0, side], face.parameters.gaze[0, side])
            motion, base = self._moved(side, seen, looks, camera)
            if motion.still and not turned:
                continue
            if seen.shut and not opens(self.head, parameters, side):
                continue
            after = self._after(side, seen, base[: len(seen.place.ring)], parameters, camera)
            if after is not None:
                gains = self._gains(looks[0]) if gains is None else gains
                carried = torch.cat(
                    [self._points[seen.anchors] - base, gains[seen.anchors]], dim=-1
                )
                self._draw(frame, seen, after, motion, (base, carried), looks[0].light)

    @property
    def _points(self) -> Float[Tensor, "N 2"]:
        return self.head.face.fit.landmarks.points

    @cached_property
    def _seen(self) -> list[_SeenEye | None]:
        return [self._in_photo(side) for side in range(len(RINGS))]

    @cached_property
    def _hidden(self) -> list[bool]:
        """Whether the photo hardly shows each eye: there is no lid then that could move."""
        if self.head.face.fit.landmarks.scheme != "478":
            return [False] * len(RINGS)
        shown = self.head.landmarks(self.head.visible[:, None].expand(-1, 3))[:, 0]
        return [bool(shown[list(ring)].mean() < HIDDEN) for ring, _ in RINGS]

    @cached_property
    def _balls(self) -> list[tuple[Ball, Float[Tensor, "2"]] | None]:
        face = self.head.face
        return [eye_ball(face, face.parameters, face.camera, side) for side in range(len(RINGS))]

    def _in_photo(self, side: int) -> _SeenEye | None:
        """An eye of the photo; None if it is too small, seen from aside, or not found."""
        face, pixels = self.head.face, self.head.photo.pixels
        found = self._balls[side]
        if found is None or face.fit.landmarks.scheme != "478":
            return None
        points, (ball, middle) = self._points, found
        ring, iris = (points[list(chosen)] for chosen in RINGS[side])
        radius = float((iris[1:] - iris[0]).norm(dim=-1).mean())
        if radius < SMALLEST or float((ring[0] - ring[LOWER]).norm()) < ASIDE[1] * radius:
            return None
        ratio = radius / (ball.radius * sin(ball.iris))
        centre = iris[0] - (middle - ball.centre) * ratio
        place = EyePlace(ring, replace(ball, centre=centre, radius=ball.radius * ratio))
        closed = shut(self.head, place, side)
        if closed:  # where irises are is a guess of the detector's
            expected = face.camera.project(self.head.marks)[:, :2]
            missed = (ring - expected[list(RINGS[side][0])]).mean(0)
            place = EyePlace(ring, replace(ball, centre=ball.centre + missed))
        brow, below = BROWS[side], BELOW[side]
        axes = RingAxes.of(ring, points[brow])
        pixel = face.pixels
        cover = None if pixel is None else LidCover.of(pixels, pixel.occlusion[0], axes)
        lids = LidPhoto.of(pixels, axes, LidLines.of(ring, axes), points[brow], cover)
        shown = imagined_eye(self.head, place) if closed else EyePhoto.of(pixels, place)
        if shown is not None:
            place = shown.place
        light = look_up(pixels[None], points[None, None, [*below, *CHEEKS]], "bilinear")[0, 0]
        light = light @ light.new_tensor(LUMINANCE)
        behind = bool(light[: len(below)].median() < DARK * light[len(below) :].median())
        anchors = [*RINGS[side][0], *brow, *below]
        meeting = lids_meet(self.head, axes, side)
        return _SeenEye(place, lids, shown, anchors, behind, closed, meeting)

    def _moved(
        self, side: int, seen: _SeenEye, looks: tuple[Look, Look], camera: Camera
    ) -> tuple[LidMotion, Float[Tensor, "A 2"]]:
        """How the lids move, and where the landmarks around the eye are without that."""
        face = self.head.face
        embedding = face.model.landmark_embedding("478")
        pairs = ((self.head.look, face.camera), (looks[0], camera), (looks[1], camera))
        was, rest, now = (
            of.project(embedding.points(each.vertices)[seen.anchors])[:, :2] for each, of in pairs
        )
        count = len(seen.place.ring)
        # Back in the photo's own size and roll.
        turn = [torch.view_as_complex((ring[LOWER] - ring[0]).contiguous()) for ring in (was, rest)]
        step = torch.view_as_complex((now - rest)[:count].contiguous()) * turn[0] / turn[1]
        after = was[:count] + settled(torch.view_as_real(step))
        axes, opened = seen.lids.axes, seen.lids.lines.open
        motion = LidMotion.between(was[:count], after, axes, opened, seen.meeting)
        return motion, self._points[seen.anchors] + settled(rest - was)

    def _after(
        self,
        side: int,
        seen: _SeenEye,
        ring: Float[Tensor, "R 2"],
        parameters: FaceParameters,
        camera: Camera,
    ) -> EyePlace | None:
        """Where the eye of the photo is in a look; None without one."""
        place = seen.place
        before, after = self._balls[side], eye_ball(self.head.face, parameters, camera, side)
        if before is None or after is None:
            return None
        ratio = after[0].radius / before[0].radius
        moved = after[0].centre - before[0].centre
        ball = replace(after[0], centre=place.ball.centre + moved, radius=place.ball.radius * ratio)
        return EyePlace(ring, ball)

    def _gains(self, look: Look) -> Float[Tensor, "N 3"]:
        """Logarithms of how many times brighter the skin at each landmark becomes."""
        return self.head.landmarks(self.head.shades(look))

    def _draw(
        self,
        frame: Float[Tensor, "H W 3"],
        seen: _SeenEye,
        after: EyePlace,
        motion: LidMotion,
        around: tuple[Float[Tensor, "A 2"], Float[Tensor, "A 5"]],
        light: Float[Tensor, "9 3"],
    ) -> None:
        """An eye of the photo in another place, with its lids."""
        share = _share(after)
        left, top, right, bottom = box = box_around(after, self.head.photo.size, NEAR)
        if share <= 0 or right - left < 2 or bottom - top < 2:
            return
        here = centres(bottom - top, right - left, frame) + frame.new_tensor([left, top])
        flow, gain = spread(*around, here, after.width).split([2, 3], dim=-1)
        flow = settled(flow)
        place = here + flow
        lids = seen.lids
        flat = lids.axes.flat(place)
        now = MovedLids(lids, motion.of(lids.lines), motion.closed)
        still = MovedLids(lids, lids.lines, 0.0)
        openings = [each.inside(flat) for each in (now, still)]
        eye = self._photo(here, flow, box)
        if seen.shown is not None:
            eye = between_lids(eye, seen.shown, after, (here, place), openings)
        edge = max(EDGE, 0.7 / after.width)
        drawn = smoothstep(openings[0][0], -edge, edge)[..., None]
        skin = now.colours(flat)
        round_ = _roundness(after.ball, here, light)
        skin = skin * torch.lerp(
            torch.ones_like(round_), round_, now.covering(flat) * motion.closed
        )
        found = eye if motion.still else torch.lerp(skin, eye, drawn)
        found = torch.lerp(found, lids.dark.expand_as(found), now.lashes(flat))
        part = frame[top:bottom, left:right]
        part += share * now.weight(flat) * (brightened(found, gain.exp()).clamp(0, 1) - part)

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


def _share(after: EyePlace) -> float:
    """How far an eye is drawn in this way, 0 to 1."""
    wide = after.width / (after.ball.radius * sin(after.ball.iris))
    return float(smoothstep(torch.tensor(wide), *ASIDE))


def _roundness(
    ball: Ball, here: Float[Tensor, "h w 2"], light: Float[Tensor, "9 3"]
) -> Float[Tensor, "h w 1"]:
    """How much brighter a lid is that lies on an eyeball than one that faces the viewer."""
    flat = (here - ball.centre) / ball.radius * here.new_tensor([1.0, -1.0])
    normals = normalized(torch.cat([flat.clamp(-1, 1), ball.front(here).clamp(min=0.3)], dim=-1))
    there, front = (
        irradiance(light, each) for each in (normals.flatten(0, 1), flat.new_tensor([[0.0, 0, 1]]))
    )
    ratio = there.clamp(min=DIMMEST).mean(-1) / front.clamp(min=DIMMEST).mean()
    return ratio.reshape(*here.shape[:2], 1).clamp(*ROUND)
