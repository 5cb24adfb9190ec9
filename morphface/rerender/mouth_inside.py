"""What is between lips: teeth of the photo, crowns in their colour where it has none, a tongue."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import to_camera
from morphface.geometry.spherical_harmonics import irradiance
from morphface.render.warp import look_up
from morphface.rerender.eye_place import RINGS
from morphface.rerender.looks import DIMMEST, Look
from morphface.rerender.mouth_move import ABOVE, CHIN, MovedMouth, headed
from morphface.rerender.mouth_photo import MouthPhoto
from morphface.rerender.ring_axes import RingAxes, edge_lines, sampled
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.teeth import DEEP, TOOTH, ArchLines, arches_of

__all__ = ["MouthInside", "white_beside"]

SKIN = [50, 280, 205, 425, 207, 427, 186, 410, 92, 322, 164, 200, 18]
"""Landmarks of skin of cheeks and around the mouth; the brighter half is neither shade nor beard,
and that beside which teeth of fifteen smiles differ least."""
SLIT = 0.6
"""How bright it is between lips that nearly touch, beside what is far behind them."""
WIDER = 2.0, 1.3
"""How many times wider a slit opens until what it shows is drawn anew: as seen, up to the second.
"""
MIDDLE = [13, 82, 312], [14, 87, 317]
"""Landmarks in the middle of the inner edge of the upper and of the lower lip."""
TONGUE = 0.60, 0.30, 0.28
"""Albedo of a tongue."""
HUMP = 0.11
"""How far a tongue rises above the lower teeth, in widths of the mouth."""
BROAD = 20.0
"""Half of how wide it is, along the lower arch, in millimetres."""
LOWER = 0.88, 0.82, 0.78
"""How bright lower teeth are beside upper ones: what lights them has been on lips and tongue."""
SHADOW = 0.2, 0.04
"""Share of the light that a lip takes at its edge, and how far behind it reaches, in widths."""
SOFT = 0.006
"""Half of how wide edges are mixed, in widths of the mouth."""
SHADE = 0.95
"""Share of the light in front of the lips that reaches teeth: in that of the fit, five
smiles have 0.91 of it after the shades of crowns and lips."""
BESIDE = 0.95, 1.2
"""How bright they are beside that skin, at least and at most; fifteen smiles have 0.65 to 1.28,
half of them 0.94 to 1.19."""
WARM = 0.35
"""How far the tint of teeth is that of skin: the error of their tints, a logarithm, is then 0.034
in the seven smiles that it was chosen by (0.072 without), and 0.054 in eight others (0.064)."""
ALIKE = 0.035
"""How far from teeth and tongue of a photo their colours go on, in widths of the mouth."""
SPOT = 0.02
"""How wide spots between crowns are, in widths of the mouth."""
SCLERA = 0.85
"""Albedo of the white of eyes, in the shade of lids."""
GREY = 0.6
"""Share of the tint of an eye's white, or of a fit's light, that is not the light's."""
LIGHT = 0.15, 1.4
"""How bright white is, at least and at most: teeth have four fifths of that."""
WHITE = 0.15, 0.85
"""How far an eye must be open, in its widths, to tell that; and from which share of its pixels on
they are its white."""


@dataclass(frozen=True, eq=False)
class MouthInside:
    """What is behind the lips of a fitted head.

    Args:
        head: whose mouth it is, and its photo.
        seen: the mouth in that.
    """

    head: SeenHead
    seen: MouthPhoto

    def colours(
        self, here: Float[Tensor, "h w 2"], moved: MovedMouth, look: Look
    ) -> Float[Tensor, "h w 3"]:
        """What is behind the lips at places of a picture.

        Args:
            here: in pixels.
            moved: the mouth that is drawn.
            look: of its face.
        """
        seen, pixels = self.seen, self.head.photo.pixels
        flat = moved.axes.flat(here)
        tooth = here.new_tensor(TOOTH)
        brighter = self._brighter(look)
        light = SHADE * self.white * brighter
        usual = light * tooth
        teeth = usual if seen.teeth is None else seen.teeth * brighter
        if seen.teeth is not None:  # they may be in the shade of a lip
            light = torch.lerp(light, (teeth / tooth).mean().expand(3), 0.5)
        lines = sampled(torch.stack([moved.upper, moved.lower], dim=-1), flat[..., 0])
        shades = [
            _shadow(far) for far in ((lines - flat[..., 1:]) * flat.new_tensor([1, -1])).unbind(-1)
        ]
        places = [moved.photo(here), moved.photo(here - moved.jaw)]
        found = self._behind(seen.axes.flat(places[1]), light)
        soft = max(SOFT, 0.6 / moved.axes.width)
        wider = flat.new_tensor(1.0 if seen.clear else moved.opening / seen.opening)
        kept = smoothstep(wider, *WIDER)
        for row, place, shade in reversed(list(zip(self._rows, places, shades, strict=True))):
            at = seen.axes.flat(place)
            paint = teeth if row.upper else light.new_tensor(LOWER) * (teeth + usual) / 2
            colour, shown = row.drawn(at, paint, soft)
            colour = colour * shade
            beside, near = self._beside(at, brighter, upper=row.upper)
            found = torch.lerp(found, torch.lerp(colour, beside, near), shown)
            if not row.upper:
                found = torch.lerp(found, beside, near)
            own = kept * seen.shows(at, soft, upper=row.upper)
            found = torch.lerp(found, look_up(pixels[None], place[None])[0], own)
        if self.head.face.pixels is not None and self.head.face.pixels.grey[0]:
            return (found @ found.new_tensor(LUMINANCE))[..., None].expand_as(found)
        return found

    def _beside(
        self, flat: Float[Tensor, "h w 2"], brighter: Float[Tensor, "3"], *, upper: bool
    ) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 1"]]:
        """The colours of what the photo shows nearest, and how far places have them."""
        near = self.seen.nearest(flat, upper=upper)
        # The median of three columns: a dark spot between two crowns is not to become a line.
        shift = flat.new_tensor([[-SPOT, 0.0], [0.0, 0.0], [SPOT, 0.0]])
        columns = near.nan_to_num(posinf=0.0) + shift[:, None, None]
        pixels = self.head.photo.pixels[None].expand(3, -1, -1, -1)
        found = look_up(pixels, self.seen.axes.screen(columns), "bilinear")
        colour = found.median(0).values * brighter
        away = (flat - near).norm(dim=-1, keepdim=True)
        return colour, torch.exp(-(away / ALIKE).square())

    def _behind(self, flat: Float[Tensor, "h w 2"], light: Tensor) -> Float[Tensor, "h w 3"]:
        """The tongue, and the dark behind it."""
        far, edge, _ = sampled(self._rows[1].table, flat[..., 0]).split(1, dim=-1)
        hump = 1 - (far / BROAD).square()
        shown = smoothstep(edge + HUMP * hump - flat[..., 1:], -0.03, 0.03)
        tongue = light * light.new_tensor(TONGUE) * (0.4 + 0.35 * hump.clamp(min=0))
        return torch.lerp(
            light * light.new_tensor(DEEP), tongue, shown * smoothstep(hump, 0.0, 0.4)
        )

    def slit(self, look: Look) -> Float[Tensor, "3"]:
        """The colour of what is between lips that nearly touch: a line, and no teeth.

        Args:
            look: of the face.
        """
        return SLIT * self.white * self._brighter(look) * self.white.new_tensor(DEEP)

    def _brighter(self, look: Look) -> Float[Tensor, "3"]:
        """How many times brighter what faces the camera becomes in a look."""
        before, after = (
            irradiance(of, self.white.new_tensor([[0.0, 0.0, 1.0]]))[0].clamp(min=DIMMEST)
            for of in (self.head.look.light, look.light)
        )
        return after / before

    @cached_property
    def white(self) -> Float[Tensor, "3"]:
        """The colour of white before the face, that makes teeth as bright as those of others."""
        points, pixels = self.head.face.fit.landmarks.points, self.head.photo.pixels
        skin = look_up(pixels[None], points[SKIN][None, None], "bilinear")[0, 0]
        light = skin @ skin.new_tensor(LUMINANCE)
        return white_beside(skin[light >= light.median()].mean(0), self._lit)

    @cached_property
    def _lit(self) -> Float[Tensor, "3"]:
        """The colour of white before the face: by its eyes, or as the fit has it."""
        pixels, points = self.head.photo.pixels, self.head.face.fit.landmarks.points
        found = irradiance(self.head.look.light, torch.tensor([[0.0, 0.0, 1.0]]))[0].clamp(*LIGHT)
        found = torch.lerp(found, found.mean().expand(3), GREY)
        for ring, _ in RINGS:
            eye = points[list(ring)]
            axes = RingAxes.of(eye, points[ABOVE])
            upper, lower = edge_lines(eye, axes)
            along = torch.linspace(0.1, 0.9, 40)
            edges = sampled(torch.stack([upper, lower], dim=-1), along)
            if float((edges[:, 0] - edges[:, 1]).max()) < WHITE[0]:
                continue
            share = torch.linspace(0.25, 0.75, 7)[:, None]
            high = torch.lerp(edges[:, 0], edges[:, 1], share)
            place = axes.screen(torch.stack([along.expand_as(high), high], dim=-1))
            seen = look_up(pixels[None], place[None], "bilinear")[0].flatten(0, 1)
            light = seen @ seen.new_tensor(LUMINANCE)
            white = seen[light >= light.quantile(WHITE[1])].mean(0) / SCLERA
            white = torch.lerp(white, white.mean().expand(3), GREY)
            if white.mean() > found.mean():
                found = white.clamp(max=LIGHT[1])
        return found

    @cached_property
    def _rows(self) -> tuple[ArchLines, ArchLines]:
        """The rows of teeth, where they are in the photo."""
        seen, head, face = self.seen, self.head, self.head.face
        p = face.parameters
        now = head.marks
        rest = head.landmarks(head.neutral)
        missed = face.fit.landmarks.points - face.camera.project(now)[:, :2]
        opened = (headed(now, p) - rest)[CHIN].mean(0)
        arches, rows = arches_of(face.model, head.neutral, rest[[13, 14]]), []
        for arch, lip in zip(arches, MIDDLE, strict=True):
            ends = torch.cat([arch.edges, arch.gums]) + (0.0 if arch.upper else opened)
            there = face.camera.project(to_camera(ends, p.rotation[0], p.translation[0]))[:, :2]
            edges, gums = (there + missed[lip].mean(0)).chunk(2)
            rows.append(ArchLines.of(arch, edges, gums, seen.axes))
        return seen.fitted(rows[0]), seen.lowered(rows[1])


def white_beside(skin: Float[Tensor, "3"], light: Float[Tensor, "3"]) -> Float[Tensor, "3"]:
    """The colour of white that makes teeth as bright beside skin as those of others, and as warm.

    Args:
        skin: around the mouth.
        light: the colour of white by other signs.
    """
    weights = light.new_tensor(LUMINANCE)
    teeth = SHADE * light.new_tensor(TOOTH) * light
    bright, beside = teeth @ weights, (skin @ weights).clamp(min=DIMMEST)
    wanted = bright.clamp(BESIDE[0] * beside, BESIDE[1] * beside)
    tint = torch.lerp(teeth / bright, skin / beside, WARM)
    return (wanted * tint / (SHADE * light.new_tensor(TOOTH))).clamp(*LIGHT)


def _shadow(far: Float[Tensor, "h w"]) -> Float[Tensor, "h w 1"]:
    """Light that a lip leaves of what is so far behind its edge, in widths of the mouth."""
    return (1 - SHADOW[0] * torch.exp(-far.clamp(min=0) / SHADOW[1]))[..., None]
