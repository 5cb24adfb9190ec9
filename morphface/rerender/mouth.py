"""Mouths that move: lips with their own skin, and what is behind them.

A mesh has its lips never quite where a photo has them, and would take teeth for lips. So the edges
of the lips are those of the landmarks, and go along with the mesh; either side of the mouth moves
as its own landmarks do. What is between the lips is drawn behind them: teeth of the photo stay
with the skull or go with the jaw, and crowns in their colour go on where it shows none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import normalized
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks.tables import INNER_LIPS, OUTER_LIPS
from morphface.parameters import FaceParameters
from morphface.render.warp import centres, enlarged, look_up, settled
from morphface.rerender.eye_place import RINGS
from morphface.rerender.looks import DIMMEST, Look, brightened
from morphface.rerender.mouth_photo import MouthPhoto
from morphface.rerender.ring_axes import RingAxes, edge_lines, sampled
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.teeth import DEEP, TOOTH, Arch, ArchLines, arches_of

__all__ = ["Mouth"]

SMALLEST = 8.0
"""Pixels between the corners of a mouth below which it is too small for all this."""
ABOVE = [164, 165, 391, 2, 97, 326]
"""Landmarks of skin between the upper lip and the nose."""
MIDDLE = [13, 82, 312], [14, 87, 317]
"""Landmarks in the middle of the inner edge of the upper and of the lower lip."""
CHIN = [18, 83, 313, 200]
"""Landmarks that go along with the jaw."""
AROUND = 0.75
"""How far around the middle of a mouth landmarks steer it, in its widths."""
FADE = 0.18, 0.42
"""Distances from the edge of the lips between which the mesh takes over, in widths."""
MOVED = 0.004, 0.025
"""How far lips move until they are drawn here: from the first on, wholly from the second."""
TURNED = 0.4, 0.55
"""Width of a mouth that is seen from aside, beside its own, until it is drawn here."""
TONGUE = 0.60, 0.30, 0.28
"""Albedo of a tongue."""
TOUCH = 0.02
"""How far from where lips touch it is dark, in widths of the mouth."""
DARK = 0.5
"""How much darker it is there."""
TOUCHING = 0.35
"""Share of the gap between the lips of a mesh at which those of a photo touch."""
FACING = 0.2
"""How far skin faces the camera at landmarks that count."""
FOLDED = 0.6
"""How near to the opening a landmark may come, beside how near it was, to count."""
STIFF = 1e-3
"""How far landmarks may be missed, so that what is between them stays smooth."""
SCLERA = 0.85
"""Albedo of the white of eyes, in the shade of lids."""
HUMP = 0.08
"""How far a tongue rises above the lower teeth, in widths of the mouth."""
LOWER = 0.85
"""How bright lower teeth are beside upper ones."""
SHADOW = 0.45, 0.05
"""Share of the light that a lip takes at its edge, and how far behind it reaches, in widths."""
SOFT = 0.006
"""Half of how wide edges are mixed, in widths of the mouth."""
SHADE = 0.95
"""Share of the light in front of the lips that reaches teeth."""


@dataclass(frozen=True, eq=False)
class _Moved:
    """A mouth in another look.

    Args:
        points: all landmarks in the picture, lips where they are drawn.
        axes: of the mouth.
        upper: height of the edge of the upper lip at each column.
        lower: of the edge of the lower lip.
        back: from the picture to the photo for what turns with the skull: x @ A + b.
        jaw: how far the jaw goes in the picture, in pixels.
        share: how far it is drawn, 0 to 1.
    """

    points: Float[Tensor, "N 2"]
    axes: RingAxes
    upper: Float[Tensor, " K"]
    lower: Float[Tensor, " K"]
    back: Float[Tensor, "3 2"]
    jaw: Float[Tensor, "2"]
    share: float

    def photo(self, here: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 2"]:
        """Where in the photo what turns with the skull is.

        Args:
            here: places in the picture.
        """
        return torch.cat([here, torch.ones_like(here[..., :1])], dim=-1) @ self.back


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
    ) -> None:
        """Draws a mouth that is not as in the photo over a picture, in place.

        Args:
            frame: of the size of the photo, with the face drawn in it.
            parameters: of the face, one frame.
            look: that they give.
            camera: that sees it; of the same size.
        """
        if self._seen is None:
            return
        moved = self._moved(parameters, look, camera)
        if moved is None or moved.share <= 0:
            return
        box = _box(moved, self.head.photo.size)
        left, top, right, bottom = box
        if right - left < 2 or bottom - top < 2:
            return
        here = centres(bottom - top, right - left, frame) + frame.new_tensor([left, top])
        flat = moved.axes.flat(here)
        lines = sampled(torch.stack([moved.upper, moved.lower], dim=-1), flat[..., 0])
        upper, lower = lines.unbind(-1)
        lips = self._lips(here, flat, (upper + lower) / 2, moved, box, look)
        soft = max(SOFT, 0.6 / moved.axes.width)
        inside = torch.minimum(upper - flat[..., 1], flat[..., 1] - lower)
        open_ = smoothstep(inside, -soft, soft) * smoothstep(upper - lower, 0.0, 2 * soft)
        found = lips
        if bool((open_ > 0).any()):
            behind = self._inside(here, flat, moved, look)
            found = torch.lerp(lips, behind, open_[..., None])
        weight = moved.share * self._weight(here, inside, moved)
        part = frame[top:bottom, left:right]
        part += weight * (found.clamp(0, 1) - part)

    @property
    def _points(self) -> Float[Tensor, "N 2"]:
        return self.head.face.fit.landmarks.points

    @cached_property
    def _seen(self) -> MouthPhoto | None:
        """The mouth of the photo; None if it is too small or not found."""
        face = self.head.face
        if face.fit.landmarks.scheme != "478":
            return None
        points = self._points
        seen = MouthPhoto.of(self.head.photo.pixels, points[list(INNER_LIPS)], points[ABOVE])
        return seen if seen.axes.width >= SMALLEST else None

    @cached_property
    def _rest(self) -> Float[Tensor, "N 3"]:
        """The landmarks of the head without expression, in its own frame."""
        return self._embedded(self._neutral)

    @cached_property
    def _neutral(self) -> Float[Tensor, "V 3"]:
        face = self.head.face
        shape = face.model.identity.instance(face.parameters.identity)
        return shape.reshape(-1, face.model.size, 3)[0]

    @cached_property
    def _arches(self) -> tuple[Arch, Arch]:
        return arches_of(self.head.face.model, self._neutral, self._rest[[13, 14]])

    def _embedded(self, vertices: Float[Tensor, "V 3"]) -> Float[Tensor, "N 3"]:
        return self.head.face.model.landmark_embedding("478").points(vertices)

    def _moved(self, parameters: FaceParameters, look: Look, camera: Camera) -> _Moved | None:
        """Where lips, skull and jaw are in a look."""
        face, seen = self.head.face, self._seen
        assert seen is not None
        fitted = face.parameters
        before, after = (self._embedded(each.vertices) for each in (self.head.look, look))
        own = _headed(before, fitted)
        rigid = to_camera(own, parameters.rotation[0], parameters.translation[0])
        if torch.equal(fitted.rotation[0], parameters.rotation[0]):
            rigid = before + parameters.translation[0] - fitted.translation[0]
        was = face.camera.project(before)[:, :2]
        still, now = (camera.project(points)[:, :2] for points in (rigid, after))
        ring = list(INNER_LIPS)
        far = float((now - still)[ring].norm(dim=-1).max()) / seen.axes.width
        scale = float(
            (still[ring[10]] - still[ring[0]]).norm() / (own[ring[10]] - own[ring[0]]).norm()
        )
        heads = [own[ring], _headed(after, parameters)[ring]]
        points = self._points + settled(now - was)
        axes = RingAxes.of(points[ring], points[ABOVE])
        wanted = _openings(
            _gaps(seen.axes.flat(self._points[ring])) * seen.axes.width, heads, scale
        )
        more = (wanted - _gaps(axes.flat(points[ring])) * axes.width) / 2
        for lips in (INNER_LIPS, OUTER_LIPS):
            for number, step in enumerate(more, start=1):
                points[lips[-number]] += step * axes.up
                points[lips[number]] -= step * axes.up
        upper, lower = edge_lines(points[ring], axes)
        used = [*ABOVE, *ring, *OUTER_LIPS]
        back = _affine((self._points + settled(still - was))[used], self._points[used])
        jaw = (now - still)[CHIN].mean(0)
        wide = axes.width / (seen.axes.width + 1e-3)
        share = smoothstep(torch.tensor(far), *MOVED) * smoothstep(torch.tensor(wide), *TURNED)
        return _Moved(points, axes, upper, lower, back, jaw, float(share))

    def _lips(
        self,
        here: Float[Tensor, "h w 2"],
        flat: Float[Tensor, "h w 2"],
        middle: Float[Tensor, "h w"],
        moved: _Moved,
        box: tuple[int, int, int, int],
        look: Look,
    ) -> Float[Tensor, "h w 3"]:
        """Lips and the skin around them."""
        gains = self._embedded(self.head.shades(look))
        flow, gain = self._fields(moved, gains, box)
        soft = 0.5 / moved.axes.width + 0.25 * (flat[..., 0] - 0.5).abs().sub(0.5).clamp(min=0)
        above = ((flat[..., 1] - middle) / (2 * soft) + 0.5).clamp(0, 1)[..., None]
        flow, gain = (torch.lerp(low, high, above) for high, low in (flow, gain))
        photo = self._seen
        place = here + flow - flow.new_tensor(photo.corner)
        seen = brightened(look_up(photo.lips[None], place[None])[0], gain.exp())
        # Lips that close touch in a line.
        was = sampled((photo.upper - photo.lower)[:, None], flat[..., 0])
        now = sampled((moved.upper - moved.lower)[:, None], flat[..., 0])
        line = smoothstep((flat[..., 1] - middle).abs()[..., None], TOUCH, 0.0)
        return seen * (1 - DARK * line * (was - now).clamp(min=0) / was.clamp(min=1e-3))

    def _fields(
        self, moved: _Moved, gains: Float[Tensor, "N 3"], box: tuple[int, int, int, int]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Flows to the photo and gains, of what is above the mouth and of what is below."""
        left, top, right, bottom = box
        size = 20, 28
        spacing = gains.new_tensor([(right - left) / size[1], (bottom - top) / size[0]])
        nodes = moved.axes.flat(
            centres(*size, gains).flatten(0, 1) * spacing + gains.new_tensor([left, top])
        )
        flat = moved.axes.flat(moved.points)
        values = torch.cat([self._points - moved.points, gains], dim=-1)
        both, kept = [], self._unfolded(moved)
        for side in self._sides:
            chosen = [number for number in side if kept[number]]
            spline = RBFInterpolator(
                flat[chosen].double().numpy(),
                values[chosen].double().numpy(),
                smoothing=STIFF,
                kernel="linear",
            )
            found = torch.from_numpy(spline(nodes.double().numpy())).float()
            both.append(enlarged(found.reshape(*size, 5), (bottom - top, right - left)))
        return [each[..., :2] for each in both], [each[..., 2:] for each in both]

    def _unfolded(self, moved: _Moved) -> Bool[Tensor, " N"]:
        """Landmarks that no lip has come too near to: seen from aside, it would be before them."""
        ring = list(INNER_LIPS)
        was, now = (
            torch.cdist(points, points[ring]).amin(-1) for points in (self._points, moved.points)
        )
        kept = now >= FOLDED * was
        kept[ring] = True
        return kept

    @cached_property
    def _sides(self) -> tuple[list[int], list[int]]:
        """Landmarks that steer what is above the mouth, and those that steer what is below."""
        face, place = self.head.face, self._rest
        normals = self._embedded(self.head.look.normals(face.model.faces))
        towards = -normalized(self._embedded(self.head.look.vertices))
        seen = (normals * towards).sum(-1)[:468] > FACING
        corners = place[[78, 308]]
        wide = float((corners[1] - corners[0]).norm())
        middle = corners.mean(0)
        near = seen & ((place[:468, :2] - middle[:2]).norm(dim=-1) < AROUND * wide)
        aside = (place[:468, 0] - middle[0]).abs() > 0.52 * wide
        lips = torch.zeros(468, dtype=torch.bool)
        lips[[*INNER_LIPS, *OUTER_LIPS]] = True
        low = place[:468, 1] < middle[1]
        upper, lower = near & ~lips & (~low | aside), near & ~lips & (low | aside)
        for ring in (INNER_LIPS, OUTER_LIPS):
            kept = torch.zeros(468, dtype=torch.bool)
            kept[list(ring)] = True
            kept &= seen if ring is OUTER_LIPS else kept
            upper[[ring[0], *ring[10:]]] = kept[[ring[0], *ring[10:]]]
            lower[list(ring[:11])] = kept[list(ring[:11])]
        return torch.nonzero(upper)[:, 0].tolist(), torch.nonzero(lower)[:, 0].tolist()

    def _weight(
        self, here: Float[Tensor, "h w 2"], inside: Float[Tensor, "h w"], moved: _Moved
    ) -> Float[Tensor, "h w 1"]:
        """How far the surroundings of the mouth are drawn with it."""
        flat = moved.axes.flat(here)
        aside = (flat[..., 0] - flat[..., 0].clamp(0, 1)).square()
        away = (aside + inside.clamp(max=0).square()).sqrt()
        return smoothstep(away, FADE[1], FADE[0])[..., None]

    def _inside(
        self, here: Float[Tensor, "h w 2"], flat: Float[Tensor, "h w 2"], moved: _Moved, look: Look
    ) -> Float[Tensor, "h w 3"]:
        """What is behind the lips."""
        seen, pixels = self._seen, self.head.photo.pixels
        assert seen is not None
        tooth = here.new_tensor(TOOTH)
        change = [
            irradiance(of, here.new_tensor([[0.0, 0.0, 1.0]]))[0].clamp(min=DIMMEST)
            for of in (self.head.look.light, look.light)
        ]
        light = SHADE * self._white * change[1] / change[0]
        teeth = light * tooth
        if seen.teeth is not None:
            teeth = seen.teeth * change[1] / change[0]
            light = (teeth / tooth).mean().expand(3)
        lines = sampled(torch.stack([moved.upper, moved.lower], dim=-1), flat[..., 0])
        shades = [
            _shadow(far) for far in ((lines - flat[..., 1:]) * flat.new_tensor([1, -1])).unbind(-1)
        ]
        places = [moved.photo(here), moved.photo(here - moved.jaw)]
        found = self._behind(seen.axes.flat(places[1]), light)
        soft = max(SOFT, 0.6 / moved.axes.width)
        for row, place, shade in reversed(list(zip(self._rows, places, shades, strict=True))):
            at = seen.axes.flat(place)
            colour, shown = row.drawn(at, (1.0 if row.upper else LOWER) * teeth, soft)
            found = torch.lerp(found, colour * shade, shown)
            own = seen.shows(at, soft, upper=row.upper)
            found = torch.lerp(found, look_up(pixels[None], place[None])[0], own)
        if self.head.face.pixels is not None and self.head.face.pixels.grey[0]:
            return (found @ found.new_tensor(LUMINANCE))[..., None].expand_as(found)
        return found

    def _behind(self, flat: Float[Tensor, "h w 2"], light: Tensor) -> Float[Tensor, "h w 3"]:
        """The tongue, and the dark behind it."""
        hump = 1 - ((flat[..., :1] - 0.5) / 0.38).square()
        edge = sampled(self._rows[1].table, flat[..., 0])[..., 1:2]
        shown = smoothstep(edge + HUMP * hump - flat[..., 1:], -0.03, 0.03)
        tongue = light * light.new_tensor(TONGUE) * (0.4 + 0.35 * hump.clamp(min=0))
        return torch.lerp(
            light * light.new_tensor(DEEP), tongue, shown * smoothstep(hump, 0.0, 0.4)
        )

    @cached_property
    def _white(self) -> Float[Tensor, "3"]:
        """The colour of white before the face: by its eyes, or as the fit has it."""
        pixels = self.head.photo.pixels
        found = irradiance(self.head.look.light, torch.tensor([[0.0, 0.0, 1.0]]))[0].clamp(
            0.15, 1.1
        )
        for ring, _ in RINGS:
            axes = RingAxes.of(self._points[list(ring)], self._points[ABOVE])
            upper, lower = edge_lines(self._points[list(ring)], axes)
            along = torch.linspace(0.1, 0.9, 40)
            edges = sampled(torch.stack([upper, lower], dim=-1), along)
            if float((edges[:, 0] - edges[:, 1]).max()) < 0.15:
                continue
            share = torch.linspace(0.25, 0.75, 7)[:, None]
            high = torch.lerp(edges[:, 0], edges[:, 1], share)
            place = axes.screen(torch.stack([along.expand_as(high), high], dim=-1))
            seen = look_up(pixels[None], place[None], "bilinear")[0].flatten(0, 1)
            light = seen @ seen.new_tensor(LUMINANCE)
            white = seen[light >= light.quantile(0.85)].mean(0) / SCLERA
            if white.mean() > found.mean():
                found = white.clamp(max=1.1)
        return found

    @cached_property
    def _rows(self) -> tuple[ArchLines, ArchLines]:
        """The rows of teeth, where they are in the photo."""
        seen, face = self._seen, self.head.face
        assert seen is not None
        p = face.parameters
        now = self._embedded(self.head.look.vertices)
        missed = self._points - face.camera.project(now)[:, :2]
        opened = (_headed(now, p) - self._rest)[CHIN].mean(0)
        rows = []
        for arch, lip in zip(self._arches, MIDDLE, strict=True):
            ends = torch.cat([arch.edges, arch.gums]) + (0.0 if arch.upper else opened)
            there = face.camera.project(to_camera(ends, p.rotation[0], p.translation[0]))[:, :2]
            edges, gums = (there + missed[lip].mean(0)).chunk(2)
            rows.append(ArchLines.of(arch, edges, gums, seen.axes))
        return seen.fitted(rows[0]), seen.lowered(rows[1])


def _shadow(far: Float[Tensor, "h w"]) -> Float[Tensor, "h w 1"]:
    """Light that a lip leaves of what is so far behind its edge, in widths of the mouth."""
    return (1 - SHADOW[0] * torch.exp(-far.clamp(min=0) / SHADOW[1]))[..., None]


def _headed(points: Float[Tensor, "N 3"], parameters: FaceParameters) -> Float[Tensor, "N 3"]:
    """Points before a camera, in the frame of the head."""
    away = points - parameters.translation[0]
    return to_camera(away, -parameters.rotation[0], torch.zeros(3))


def _gaps(ring: Float[Tensor, "R C"]) -> Float[Tensor, " r"]:
    """How far the edges of lips are apart between the corners, by the second coordinate."""
    low = torch.arange(1, len(ring) // 2)
    return ring[len(ring) - low, 1] - ring[low, 1]


def _openings(
    seen: Float[Tensor, " r"], heads: Sequence[Float[Tensor, "R 3"]], scale: float
) -> Float[Tensor, " r"]:
    """How far the lips of a photo are apart when a mesh has moved, whose lips never quite touch.

    Args:
        seen: how far they are in the photo, in pixels.
        heads: lips of the mesh in its own frame, in the photo and now.
        scale: pixels of a millimetre.
    """
    before, after = (_gaps(ring).clamp(min=0) for ring in heads)
    share = ramp(after / before.clamp(min=1e-3), TOUCHING, 1.0)
    return torch.where(after < before, seen.clamp(min=0) * share, seen + scale * (after - before))


def _affine(first: Float[Tensor, "n 2"], second: Float[Tensor, "n 2"]) -> Float[Tensor, "3 2"]:
    """The affine map from points to others, x @ A + b, by least squares."""
    rows = torch.cat([first, torch.ones_like(first[:, :1])], dim=-1)
    return torch.linalg.lstsq(rows.double(), second.double()).solution.float()


def _box(moved: _Moved, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture around a mouth: left, top, right, bottom."""
    ring, away = moved.points[list(INNER_LIPS)], FADE[1] * moved.axes.width + 1
    (left, top), (right, bottom) = (ring.amin(0) - away).tolist(), (ring.amax(0) + away).tolist()
    return max(int(left), 0), max(int(top), 0), min(int(right), size[1]), min(int(bottom), size[0])
