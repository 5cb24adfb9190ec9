"""What a photo shows of each vertex of a mesh, and the colour that it has where it shows nothing.

The texture is the fitted one, times what makes it as bright as the photo: that is known where the
photo shows skin well, and goes on from there over the mesh, so that both meet without a step.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.mesh import edges, normalized
from morphface.render.warp import look_up
from morphface.rerender.bare import continued, feature
from morphface.rerender.beards import MIRRORED, NEAR, Beard
from morphface.rerender.grain import DARK, Grain, grain_of
from morphface.rerender.looks import facing
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.skin_light import believed, under_sky
from morphface.rerender.turn import above_neck
from morphface.segment.filters import blurred, mean_near

__all__ = ["MeshSkin"]

BEHIND = 0.04
"""Weight of what is behind the person in a colour near them, so that there is one everywhere."""
SHADED = 0.9
"""Most light that reaches the inside of a mouth: lips shade it, which harmonics do not know."""
EVENED = 8
"""Times that the colours of skin are smoothed along edges."""
STRANGE = 0.22, 0.42
"""Log differences of colour between skin and what is seen where it ends: as usual, and strange."""
EDGEWISE = 0.8, 0.98
"""Cosines of view at which that is asked, and from which it is not."""
MIDDLE = 0.55, 0.75
"""Cosines of view at which skin is seen from aside, and from which it is the middle of a face."""
FRONTAL = 0.9
"""From which cosine on nothing is strange, whatever is beside it."""
CLOTHED = 0.4, 0.8
"""Shares of clothes in a pixel between which it begins to be clothes."""
WITHIN = 0.01, 0.03
"""How far within the outline, in sizes of the head, that is believed: not at all, and wholly."""
COLLAR = 12.0
"""Millimetres above the end of the neck up to which it fades."""
WIDER = 0.1, 0.45
"""Turns, in radians, from which on a neck may be wider than the outline: not at all, and wholly."""
BESIDE = 35.0
"""Millimetres beside a neck at which hair hangs over it."""
NAPE = 0.0, -40.0
"""Heights in the model frame between which what is not bare begins to be drawn under the relief:
hair above has a shape of its own."""
THROAT = 45.0, 70.0
"""Millimetres below the eyes at which what is not of the face begins to be throat, and is all."""
UNLIKE = 0.8, 0.4
"""Logarithms of how many times brighter one side is: what is in the shade is no picture of what is
in the light from the first on, and wholly one up to the second."""


@dataclass(frozen=True, eq=False)
class MeshSkin:
    """The vertices of a head in a photo.

    Args:
        head: that was fitted, and its photo.
    """

    head: SeenHead

    @cached_property
    def places(self) -> Float[Tensor, "V 2"]:
        """Of the vertices in the photo."""
        return self.head.face.camera.project(self.head.look.vertices)[:, :2]

    @cached_property
    def shown(self) -> Float[Tensor, " V"]:
        """1 for vertices that nothing hides in the photo and that show what they should."""
        return self.head.visible * (1 - self.other) * self._inside

    @cached_property
    def _inside(self) -> Float[Tensor, " V"]:
        """How far the photo shows the person where each vertex is."""
        return smoothstep(self.head.person.at_vertices(self.head.person.matte), 0.6, 0.98)

    def _allowed(self, angle: float) -> Float[Tensor, "V 1"]:
        """How far each vertex may be seen after a turn: at first nothing is beyond the outline."""
        first = torch.maximum(1 - self.head.visible, self._inside)[:, None]
        return first + (1 - first) * smoothstep(torch.tensor(angle), *WIDER)

    @cached_property
    def painted(self) -> Float[Tensor, "V 3"]:
        """The texture in the light of the photo, as bright as what that shows beside it.

        What is not bare has the colour that the back of the hair has.
        """
        painted = (self.lit * self._correction.exp()).clamp(0, 1)
        painted = painted * under_sky(self.head.face.model, self._throat * (1 - self.weight))
        beard = Beard(self.head.person, self._bearded, self.weight, self.twin)
        painted = beard.over(painted)
        return torch.lerp(self._hair, painted, self.head.bare)

    @cached_property
    def _hair(self) -> Float[Tensor, "V 3"]:
        person = self.head.person
        places = self.places * person.work.scale + person.room
        rear = torch.from_numpy(person.rear)[None]
        return look_up(rear, places[None, None], "bilinear")[0, 0]

    @cached_property
    def lit(self) -> Float[Tensor, "V 3"]:
        """The texture in the light of the photo."""
        head = self.head
        painted = head.colours * self._light
        if head.face.pixels is not None and head.face.pixels.grey[0]:
            painted = (painted @ painted.new_tensor(LUMINANCE))[:, None].expand(-1, 3)
        return self._evened(painted.clamp(0, 1))

    @cached_property
    def _light(self) -> Float[Tensor, "V 3"]:
        """That of the photo, nowhere darker or brighter than on the skin that it shows."""
        light = self.head.look.shades(self.head.face.model.faces)
        bounded = believed(light, self.weight > 0.5)
        return torch.lerp(bounded, light.clamp(max=SHADED), self.head.mouth)

    def _evened(self, colours: Float[Tensor, "V 3"]) -> Float[Tensor, "V 3"]:
        """Colours of skin without the shades of folds, which a mesh has elsewhere than a photo."""
        here, beside = self._pairs
        count = torch.bincount(here, minlength=len(colours))[:, None].clamp(min=1)
        for _ in range(EVENED):
            mean = torch.zeros_like(colours).index_add(0, here, colours[beside]) / count
            colours = torch.lerp(mean, colours, self.feature[:, None])
        return colours

    @cached_property
    def feature(self) -> Float[Tensor, " V"]:
        """How far each vertex is of a part that differs from skin."""
        return feature(self.head.face.model)

    @cached_property
    def _difference(self) -> Float[Tensor, "V 3"]:
        """Logarithm of how many times brighter the photo is than the texture."""
        return (self._smooth_photo + DARK).log() - (self.lit + DARK).log()

    @cached_property
    def _smooth_photo(self) -> Float[Tensor, "V 3"]:
        """The mean colour of the person around each vertex."""
        smooth = torch.from_numpy(self._smooth)
        return look_up(smooth[None], self.places[None, None], "bilinear")[0, 0].clamp(min=0)

    @cached_property
    def _smooth(self) -> Float[np.ndarray, "H W 3"]:
        """The photo, smooth; what is behind the person would tint skin near their outline."""
        work, shown = self.head.person.work, self.head.own[..., 0].numpy() + BEHIND
        return mean_near(self.head.photo.pixels.numpy(), shown, NEAR * work.size / work.scale)[0]

    @cached_property
    def weight(self) -> Float[Tensor, " V"]:
        """How far each vertex shows skin, and well."""
        head = self.head
        skin = head.person.at_vertices(head.person.labels.skin)
        known = head.certain * head.visible * smoothstep(skin, 0.5, 0.9)
        return known * (1 - self.feature) * (1 - self.covered)

    @cached_property
    def covered(self) -> Float[Tensor, " V"]:
        """How far something is before each vertex in the photo: glasses, a hand, a microphone."""
        seen = self.head.face.pixels
        if seen is None:
            return torch.zeros(len(self.places))
        cover = seen.occlusion[0][None, ..., None].float()
        found = look_up(cover, self.places[None, None], "bilinear")[0, 0, :, 0]
        return found.clamp(0, 1) * self.head.visible * (1 - self.clothed)

    @cached_property
    def clothed(self) -> Float[Tensor, " V"]:
        """How far the photo shows clothes at each vertex: a collar stays where the body is."""
        person = self.head.person
        deep = person.depth_within[person.room : -person.room, person.room : -person.room]
        inner = smoothstep(person.at_vertices(deep / person.work.size), *WITHIN)
        clothes = smoothstep(person.at_vertices(person.labels.clothes), *CLOTHED)
        return clothes * inner * self.head.visible * (1 - self.feature)

    @cached_property
    def other(self) -> Float[Tensor, " V"]:
        """How far the photo shows another thing than skin where skin ends: hair, or what is behind.

        A mesh is never quite as wide as the head is.
        """
        head = self.head
        usual = continued(
            head.face.model.faces, self._difference, self.weight * (self.weight > 0.6)
        )
        off = (self._difference - usual).abs().mean(-1)
        drawn = torch.maximum(head.shown, self._kept)[:, 0]
        asked = ramp(self.cosine, EDGEWISE[1], EDGEWISE[0]) * (1 - self.feature) * drawn
        skin = smoothstep(head.person.at_vertices(head.person.labels.skin), 0.5, 0.9)
        found = asked * ramp(off, *STRANGE) * head.bare[:, 0] * (1 - skin)
        return self._spread(found * (1 - self.covered) * (1 - head.person.beard))

    @cached_property
    def cosine(self) -> Float[Tensor, " V"]:
        """How well the photo faces each vertex."""
        head = self.head
        return facing(head.face.model.faces, head.look, head.face.camera)

    @cached_property
    def strange(self) -> Float[Tensor, " V"]:
        """How far skin seen from aside has another colour than goes on from the middle of the face.

        An ear or a rim of light would be smeared over a cheek that turns to the camera.
        """
        head = self.head
        cosine = self.cosine
        inner = self.weight * (self.weight > 0.6) * (cosine > MIDDLE[1])
        usual = continued(head.face.model.faces, self._difference, inner)
        off = (self._difference - usual).abs().mean(-1)
        found = ramp(cosine, *MIDDLE[::-1]) * ramp(off, *STRANGE) * (1 - self.feature)
        found = self._spread(found * head.bare[:, 0] * (1 - head.person.beard))
        return found * ramp(cosine, FRONTAL, MIDDLE[1])

    def _spread(self, found: Float[Tensor, " V"]) -> Float[Tensor, " V"]:
        """The largest nearby, softened."""
        here, beside = self._pairs
        found = torch.maximum(found, found.scatter_reduce(0, here, found[beside], "amax"))
        return found.scatter_reduce(0, here, found[beside], "mean")

    @cached_property
    def _pairs(self) -> tuple[Int[Tensor, " E"], Int[Tensor, " E"]]:
        pairs = edges(self.head.face.model.faces).long()
        here, beside = torch.cat([pairs, pairs.flip(1)]).unbind(1)
        return here, beside

    @cached_property
    def _correction(self) -> Float[Tensor, "V 3"]:
        """What makes the texture as bright as the photo where both meet, fading away from there.

        Where only the other side of the face is seen, it varies as it does there.
        """
        faces, values = self.head.face.model.faces, self._difference
        weight = self.weight * (1 - self.other) * (1 - self.strange)
        twin = self.twin
        if twin is not None:
            there, seen = values[twin], weight[twin]
            there = there + continued(faces, values - there, weight * seen)
            share = weight / (weight + MIRRORED * seen).clamp(min=1e-6)
            values = torch.lerp(there, values, share[:, None])
            weight = torch.maximum(weight, seen)
        # A neck is lit and tanned otherwise than the cheek above it.
        upper, lower = (
            continued(faces, values, weight * part) for part in (1 - self._throat, self._throat)
        )
        return torch.lerp(upper, lower, self._throat[:, None]).clamp(-0.7, 0.7)

    @cached_property
    def _throat(self) -> Float[Tensor, " V"]:
        """How far each vertex is below the jaw."""
        model = self.head.face.model
        blank = torch.zeros(model.size)
        above = torch.maximum(
            model.regions.get("face", 1 + blank), model.regions.get("ears", blank)
        )
        return (1 - above) * smoothstep(-model.identity.mean[:, 1], *THROAT)

    @cached_property
    def twin(self) -> Int[Tensor, " V"] | None:
        """For each vertex the one on the other side of the face; None where that is unknown."""
        mirror = self.head.face.model.mirror
        return None if mirror is None else mirror.long()

    @cached_property
    def detail(self) -> tuple[Float[Tensor, "V 2"], Float[Tensor, "V 3"], Float[Tensor, "V 1"]]:
        """Where the photo shows the other side of each vertex, and how it stands in for it.

        That is what makes it as bright as the texture, a logarithm, and how far it is skin.
        """
        twin = self.twin
        if twin is None:
            return self.places, torch.zeros_like(self.lit), torch.zeros_like(self.lit[:, :1])
        gain = (self.painted + DARK).log() - (self._smooth_photo + DARK).log()[twin]
        cosine = self.cosine
        seen = self.weight * (1 - self.other) * (1 - self.strange) * ramp(cosine, *MIDDLE)
        share = seen[twin, None] * self.head.bare
        share = share * ramp(gain.abs().amax(-1, keepdim=True), *UNLIKE)
        beard = (self._bearded * ramp(cosine, *MIDDLE))[twin, None]
        shade = self._light.mean(-1, keepdim=True).log()
        gain = torch.lerp(gain, (shade - shade[twin]).expand_as(gain), beard)
        return self.places[twin], gain.clamp(-1, 1), torch.maximum(share, beard)

    @cached_property
    def _bearded(self) -> Float[Tensor, " V"]:
        """How far the photo shows a beard at each vertex, and well."""
        head = self.head
        hair = smoothstep(head.person.hair_at_vertices, 0.5, 0.9) * head.person.beard
        return head.certain * head.visible * hair * (1 - self.covered)

    @cached_property
    def grain(self) -> Grain | None:
        """What is fine in skin, to be laid over the texture; None where the photo shows too
        little of it.
        """
        mean = self.head.face.model.identity.mean
        known = self.weight * (1 - self.other) * self.cosine
        return grain_of(mean, known, self.places)

    @cached_property
    def _kept(self) -> Float[Tensor, "V 1"]:
        """How far each vertex of a head that turns much is drawn behind the relief: bare skin.

        Hair has a shape of its own, also hair that hangs down over a neck.
        """
        head = self.head
        model, person = head.face.model, head.person
        end = smoothstep(above_neck(model.identity.mean), 0.0, COLLAR)
        blank = torch.zeros(model.size)
        hidden = model.regions.get("ears", blank) - person.ears
        nape = ramp(model.identity.mean[:, 1], *NAPE) * (1 - self._long_hair)
        bald = (1 - person.hairy) * head.bare[:, 0]
        far = model.regions.get("scalp", blank) * (1 - head.visible)
        face = torch.maximum(model.regions.get("face", 1 + blank), person.ears)
        kept = torch.stack([face, nape, bald, far]).amax(0) * (1 - hidden)
        return (kept * end * (1 - self.feature))[:, None]

    @cached_property
    def _long_hair(self) -> Float[Tensor, " V"]:
        """How far hair hangs beside each vertex of a neck, as seen in the photo."""
        person, camera = self.head.person, self.head.face.camera
        middle = self.head.look.vertices.mean(0)
        away = self.head.look.vertices - middle
        aside = torch.stack([away[:, 0], *torch.zeros(2, len(away))], -1)
        beside = self.head.look.vertices + BESIDE * normalized(aside)
        hair = blurred(person.labels.hair * person.matte, 0.02 * person.work.size)
        return smoothstep(person.at_places(hair, camera.project(beside)[:, :2]), 0.2, 0.6)

    def under(self, angle: float) -> Float[Tensor, "V 1"]:
        """How far each vertex is drawn behind the relief.

        Args:
            angle: by which the head has turned, in radians.
        """
        return self._kept * self._allowed(angle)
