"""The person in a photo as layers that can be drawn from other sides.

Pictures here have the working size of `segment`, with some room beyond the photo's border, into
which what the border cuts is continued. Lengths are shares of the head's size in the picture.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.fitted import FittedFace
from morphface.media.images import Photo
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.sight import Sight
from morphface.render.warp import look_up
from morphface.rerender.ears import bare_ears
from morphface.rerender.hair import hair_colours
from morphface.rerender.hairline import hairiness
from morphface.rerender.plate import barred, inpainted
from morphface.rerender.sideburns import hair_beside
from morphface.rerender.turn import above_neck
from morphface.segment import Labels, Working, foreground, label_person, person_matte, working_size
from morphface.segment.filters import blurred, distance, single, widened
from morphface.segment.wisps import wisps

__all__ = ["Person"]

ROOM = 0.3
"""How far beyond the photo's border its pictures go on."""
OLD = 0.03
"""How far from the person their colours reach into the background."""
SHOWN = 0.4
"""How far within the outline a turn may show the background."""
AROUND = 1.0
"""How far from the middle of the head, in each direction, it may."""
BROAD = 0.3
"""How far hair and shoulders of someone else go beyond their head, in sizes of it."""
RIM = 0.06
"""How far around a pixel its foreground colour is looked for."""
INNER = 2.0
"""Pixels within the outline up to which colours are mixed with what is behind, whatever the matte
says."""
SMOOTH = 0.008
"""By how much the outline is smoothed where it says how round a person is."""
CHIN = -85.0
"""Height in the model frame below which a chin is."""
BEARDED = 0.9, 0.78
"""Brightness of a chin's albedo beside that of cheeks, of someone without a beard and with one."""
GROWN = 0.02, 0.1
"""Shares of hair where beards grow, of the same: dark chins beside long hair have none."""
HANGING = 0.12
"""How far beyond where it grows a beard may hang, in sizes of the head."""
LOWER = -10.0, -40.0
"""Heights in the model frame from the first of which on, downwards, a beard may be."""
DRAWN = ("face", "lips", "eyelids", "eyeballs", "eye_sockets", "mouth", "teeth", "tongue")
"""Regions of the mesh that are drawn as such."""
EARS = 0.05
"""How far beside its ear the photo's may be, in sizes of the head."""
HAIRLINED = 0.05
"""How far within the skin beside hair the relief goes on under the mesh, in sizes of the head."""
FAR = 0.5
"""How far beyond the padding the outline goes on."""


@dataclass(frozen=True, eq=False)
class Person:
    """A person in a photo, told apart from what is behind them.

    Args:
        face: what was fitted.
        photo: to this photo.
    """

    face: FittedFace
    photo: Photo

    @cached_property
    def sight(self) -> Sight:
        """The head in the photo."""
        faces = self.face.model.faces
        return Sight(self.photo.pixels, self.face.camera, self.face.vertices_in_camera(), faces)

    @cached_property
    def work(self) -> Working:
        """The photo at the working size."""
        return working_size(self.sight)

    @cached_property
    def matte(self) -> Float[np.ndarray, "h w"]:
        """How far each pixel shows the person."""
        neck = self.face.model.regions.get("neck", torch.zeros(self.face.model.size))
        return person_matte(self.sight, self.work, self.on_mesh(neck[:, None])[..., 0])

    @cached_property
    def labels(self) -> Labels:
        """Hair, skin and clothes."""
        model = self.face.model
        height = above_neck(model.identity.mean)
        return label_person(self.sight, model.regions, height, self.matte, self.work)

    @cached_property
    def colours(self) -> Float[np.ndarray, "h w 3"]:
        """Of the person alone, also where the photo mixes them with what is behind."""
        sure = np.maximum(self.unmixed, 0.5 * self.matte)
        return foreground(self.work.pixels, single(sure), RIM * self.work.size)

    @cached_property
    def unmixed(self) -> Float[np.ndarray, "h w"]:
        """How far each pixel shows the person and nothing of what is behind."""
        room = self.room
        inner = ramp(self.depth_within[room:-room, room:-room], 0.0, INNER)
        return single(self.matte * inner)

    @cached_property
    def covered(self) -> Bool[np.ndarray, "h w"]:
        """Where anything of the person is seen, single hairs too."""
        person = self.matte > 0.02
        hair = self.labels.hair * self.matte
        return person | wisps(self.work.pixels, person, hair, self.work.size)

    @cached_property
    def plate(self) -> Float[np.ndarray, "h w 3"]:
        """The photo without the person."""
        size = self.work.size
        hole = widened(self.covered, max(round(OLD * size), 2))
        bars = barred(self.work.pixels)
        away = distance(hole) / size
        y, x = np.mgrid[: hole.shape[0], : hole.shape[1]] + 0.5
        middle = self.work.middle
        near = np.maximum(np.abs(x - middle[0]), np.abs(y - middle[1])) < AROUND * size
        wanted = (away < SHOWN) & near & ~bars
        others = self._others(hole.shape)  # nobody is to be seen twice
        found = inpainted(self.work.pixels, hole | bars, wanted, size, others)
        return np.where(bars[..., None], self.work.pixels, found)

    def _others(self, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """Where other people's heads are, with hair and shoulders."""
        y, x = np.mgrid[: size[0], : size[1]] + 0.5
        found = np.zeros(size, bool)
        for left, top, right, bottom in self.work.others:
            across, down = (x - (left + right) / 2) / (right - left), (y - top) / (bottom - top)
            found |= (np.abs(across) < 0.5 + BROAD) & (down > -BROAD)
        return found

    @cached_property
    def room(self) -> int:
        """Pixels that the padded pictures have more on each side."""
        return max(round(ROOM * self.work.size), 2)

    def padded(self, values: Float[np.ndarray, "h w *C"]) -> Float[np.ndarray, "H W *C"]:
        """A picture of the working size, continued beyond the border.

        Args:
            values: of the picture.
        """
        around = ((self.room, self.room),) * 2 + ((0, 0),) * (values.ndim - 2)
        return np.pad(values.astype(np.float32), around, mode="edge")

    @cached_property
    def outline(self) -> Bool[np.ndarray, "H W"]:
        """Where the person is, in the padded picture."""
        return self.padded(self.matte) > 0.5

    @cached_property
    def depth_within(self) -> Float[np.ndarray, "H W"]:
        """From each padded pixel of the person to the outline, in pixels; the border is none.

        Smooth across the pixels of the outline; negative outside.
        """
        far = max(round(FAR * self.work.size), 2)
        inside = np.pad(self.outline, far, mode="edge")
        away = distance(inside) - distance(~inside)
        away = away[far:-far, far:-far]
        # Half a pixel lies between the centres on both sides of an edge.
        return blurred(single(away - 0.5 * np.sign(away)), SMOOTH * self.work.size)

    @cached_property
    def rear(self) -> Float[np.ndarray, "H W 3"]:
        """Colours of what the photo does not show: the back of hair, or of a neck."""
        labels, size = self.labels, self.work.size
        rows = np.arange(self.matte.shape[0])[:, None] + 0.5
        low = np.clip((rows - (self.work.middle[1] + 0.25 * size)) / (0.15 * size), 0, 1)
        top = labels.hair * (1 - self.bearded)
        chosen = [top, np.maximum(top, labels.skin) * low]
        weight = self.padded(np.maximum(*chosen) * (self.matte > 0.97))
        colours = self.padded(self.colours)
        if self.hairy < 0.5 and labels.hair.sum() < 0.02 * size * size:
            weight = self.padded((labels.skin + labels.hair) * (self.matte > 0.97))
        hair = self.padded(top * (self.matte > 0.97))
        seen = np.pad(np.ones(self.matte.shape, bool), self.room)
        return hair_colours(colours, weight, hair, self.depth_within / size, seen=seen, size=size)

    @cached_property
    def beard(self) -> Float[Tensor, " V"]:
        """How far hair at each vertex is beard: on who has one, all over the lower face."""
        model = self.face.model
        beard = model.regions.get("beard")
        if beard is None:
            return torch.zeros(model.size)
        low = ramp(model.identity.mean[:, 1], *LOWER) * model.regions.get("face", beard)
        return torch.maximum(beard, low * ramp(self._chin, *BEARDED))

    @cached_property
    def bearded(self) -> Float[np.ndarray, "h w"]:
        """Where the photo shows what a beard may grow on, and, of who has one, what hangs below."""
        beard = self.on_mesh(self.beard[:, None])[..., 0]
        place = beard > 0.5
        hair = ramp(self.labels.hair[place].mean(), *GROWN) if place.any() else 0.0
        grown = float(ramp(self._chin, *BEARDED)) * float(hair)
        reach = max(round(HANGING * self.work.size), 1)
        return np.maximum(beard, grown * widened(place, reach))

    @property
    def _chin(self) -> Tensor:
        """How bright the albedo of a chin is, beside that of cheeks."""
        model, seen = self.face.model, self.face.pixels
        cheeks, beard = model.regions.get("cheeks"), model.regions.get("beard")
        if cheeks is None or beard is None or seen is None:
            return torch.ones(())
        bright = seen.albedo @ seen.albedo.new_tensor(LUMINANCE)
        chin = (beard > 0.5) & (model.identity.mean[:, 1] < CHIN)
        return bright[chin].mean() / bright[cheeks > 0.5].mean().clamp(min=1e-3)

    @cached_property
    def drawn_by_mesh(self) -> Float[np.ndarray, "h w"]:
        """Where the photo shows what the mesh of the face is drawn for."""
        return self.on_mesh(self._face_mask)[..., 0]

    @cached_property
    def ears(self) -> Float[Tensor, " V"]:
        """How far each vertex is of an ear that is not under hair."""
        return bare_ears(self)

    def near(self, part: Float[Tensor, " V"]) -> Float[np.ndarray, "h w"]:
        """Where the photo may show ears: they may be larger than those of the mesh.

        Args:
            part: how far each vertex is of them.
        """
        reach = max(round(EARS * self.work.size), 1)
        return single(widened(self.on_mesh(part[:, None])[..., 0] > 0.5, reach))

    @cached_property
    def hair_or_ears(self) -> Float[np.ndarray, "h w 1"]:
        """Where the photo may show hair or an ear, bare or not."""
        model = self.face.model
        ears = self.near(model.regions.get("ears", torch.zeros(model.size)))
        return np.maximum(self.labels.hair, ears)[..., None]

    @cached_property
    def _face_mask(self) -> Float[Tensor, "V 1"]:
        model = self.face.model
        parts = [model.regions[name] for name in DRAWN if name in model.regions]
        if not parts:
            return torch.ones(model.size, 1)
        return torch.stack([*parts, self.ears]).amax(0)[:, None]

    @cached_property
    def hair_at_vertices(self) -> Float[Tensor, " V"]:
        """How far the photo shows hair or headwear where each vertex is."""
        return self.at_vertices(self.labels.hair * self.matte)

    @cached_property
    def hair_beside(self) -> Float[Tensor, " V"]:
        """How far the photo shows hair that stands off the side of the head at each vertex."""
        return hair_beside(self)

    def at_vertices(self, values: Float[np.ndarray, "h w *C"]) -> Float[Tensor, "V *C"]:
        """Values of a picture of the working size where each vertex is.

        Args:
            values: of the picture.
        """
        return self.at_places(values, self.face.camera.project(self.sight.vertices)[:, :2])

    def at_places(
        self, values: Float[np.ndarray, "h w *C"], places: Float[Tensor, "N 2"]
    ) -> Float[Tensor, "N *C"]:
        """Values of a picture of the working size at places in the photo.

        Args:
            values: of the picture.
            places: in pixels of the photo.
        """
        picture = torch.from_numpy(single(values)).reshape(1, *values.shape[:2], -1)
        spots = places[None, None] * self.work.scale
        return look_up(picture, spots, "bilinear")[0, 0].reshape(len(places), *values.shape[2:])

    @cached_property
    def hairy(self) -> float:
        """1 for who has hair or wears something on the head, 0 for who is bald."""
        return hairiness(self)

    def on_mesh(self, values: Float[Tensor, "V C"]) -> Float[np.ndarray, "h w C"]:
        """Values of vertices where the photo shows them; zero elsewhere.

        Args:
            values: of the vertices.
        """
        return interpolate(values[None].float(), self.sight.faces, self._drawn)[0].numpy()

    @cached_property
    def _drawn(self) -> Fragments:
        """What each pixel of the working size shows of the mesh."""
        scale, camera, faces = self.work.scale, self.face.camera, self.sight.faces
        screen = camera.project(self.sight.vertices) * torch.tensor([scale, scale, 1.0])
        size = self.work.pixels.shape[0], self.work.pixels.shape[1]
        return rasterize(screen[None], faces, size, perspective=camera.weak_depth is None)

    @cached_property
    def seen_front(self) -> Float[np.ndarray, "h w"]:
        """Which pixels of the person the relief shows: all but those that the mesh is drawn for."""
        mask = ramp(torch.from_numpy(self.drawn_by_mesh), 0.3, 0.7).numpy()
        reach = max(round(0.008 * self.work.size), 1)
        inner = ~widened(mask < 0.5, reach)
        # Where hair begins, a forehead that turns away leaves it: the relief has both.
        beside = max(round(HAIRLINED * self.work.size), 1)
        hair = blurred(widened(self.labels.hair * self.matte > 0.5, beside), 0.5 * beside)
        drawn = mask * blurred(inner, 0.5 * reach) * np.clip(2 * self.labels.skin, 0, 1)
        return single(self.matte * (1 - drawn * (1 - hair)))
