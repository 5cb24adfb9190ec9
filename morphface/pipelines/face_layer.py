"""The face as its mesh shows it: the photo's own colours where it has them, texture elsewhere.

Every pixel of the new face is a point of the mesh, which lies somewhere in the photo. If it is
seen there, and is not much larger now, its colour is that of the photo, times what the light has
changed; else that of the texture. Where the head was covered beside what is uncovered now, by hair
or a hat, the texture would show bare skin, so that what is behind the layer is left to be seen.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.pipelines.appearance import head_texture
from morphface.pipelines.bare import ALIKE, bare_skin
from morphface.pipelines.looks import (
    Look,
    brightened,
    light_change,
    part_around,
    part_of,
    shade,
)
from morphface.pipelines.photo import FittedFace
from morphface.render import Fragments, interpolate, rasterize
from morphface.render.antialias import antialias
from morphface.render.flow import flow_between
from morphface.render.sight import Sight, View, view_of
from morphface.render.texture import sample_texture
from morphface.render.warp import centres, enlarged, look_up, settled

__all__ = ["FaceLayer"]

GROWTH = 2.0, 5.0
"""How many times larger a part of the photo is trusted: wholly up to the first, not from the
second."""
INNER = ("eyeballs", "eye_sockets", "mouth", "teeth", "tongue")
_STRIP = 2_000_000


@dataclass(frozen=True, eq=False)
class _Recipe:
    """What becomes of the pixels of a part of a picture.

    Args:
        flow: to their place in the photo.
        gain: times which the photo's colour is taken.
        trust: share of that.
        paint: the rest.
        cover: share of both; what remains is what was there.
    """

    flow: Float[Tensor, "h w 2"]
    gain: Float[Tensor, "h w 3"]
    trust: Float[Tensor, "h w 1"]
    paint: Float[Tensor, "h w 3"]
    cover: Float[Tensor, "h w 1"]


@dataclass(frozen=True, eq=False)
class FaceLayer:
    """A fitted face, ready to be drawn in another look.

    Args:
        face: what was fitted.
        photo: to this photo.
        look: of the face in it.
        fineness: for each pixel of the photo so many of the layer along each axis, a whole number
            or one part of a whole number.
    """

    face: FittedFace
    photo: Photo
    look: Look
    fineness: float

    def over(self, frame: Float[Tensor, "H W 3"], look: Look, camera: Camera) -> None:
        """Draws the face in another look over a picture, in place.

        Args:
            frame: of the size of the photo.
            look: of the face.
            camera: that sees it; of the same size.
        """
        box = self._box(look, camera)
        if box is None:
            return
        recipe = self._recipe(look, camera, box)
        left, top, right, bottom = box
        fine = max(round(self.fineness), 1)
        step = max(_STRIP // max((right - left) * fine * fine, 1), 1)
        changes = []
        for row in range(0, bottom - top, step):
            rows = row, min(row + step, bottom - top)
            changes.append(self._change(frame, recipe, box, rows))
        height, width = self.photo.size
        kept = torch.cat(changes)[: height - top, : width - left]
        frame[top:bottom, left:right] += kept

    def _change(
        self,
        frame: Float[Tensor, "H W 3"],
        recipe: _Recipe,
        box: tuple[int, int, int, int],
        rows: tuple[int, int],
    ) -> Float[Tensor, "h w 3"]:
        """What is added to a strip of the box."""
        left, top, right, bottom = box
        fine = max(round(self.fineness), 1)
        size = (bottom - top) * fine, (right - left) * fine
        strip = rows[0] * fine, rows[1] * fine
        flow, gain, trust, paint, cover = (
            enlarged(getattr(recipe, name), size, strip)
            for name in ("flow", "gain", "trust", "paint", "cover")
        )
        here = centres(strip[1] - strip[0], size[1], flow) + flow.new_tensor([0, strip[0]])
        here = here / fine + flow.new_tensor([left, top])
        seen = look_up(self.photo.pixels[None], (here + settled(flow))[None])[0]
        seen = brightened(seen, gain)
        ground = look_up(frame[None], here[None])[0]
        change = cover * (torch.lerp(paint, seen, trust) - ground)
        return change.unflatten(1, (-1, fine)).unflatten(0, (-1, fine)).mean(dim=(1, 3))

    def _recipe(self, look: Look, camera: Camera, box: tuple[int, int, int, int]) -> _Recipe:
        model = self.face.model
        inner = part_of(camera, box, self.fineness)
        perspective = camera.weak_depth is None
        screen = inner.project(look.vertices)[None]
        found = rasterize(screen, model.faces, inner.size, perspective=perspective)
        flow, visible = self._flow(screen, inner, box)
        carried = [self.shades(look), self._growth(screen[0])[:, None], self._shown, self._bare]
        values = interpolate(torch.cat(carried, dim=-1)[None], model.faces, found)[0]
        gain, growth, shown, bare = values.split([3, 1, 1, 1], dim=-1)
        was, after = self._certain(look, camera, flow, box)
        low, high = GROWTH
        trust = ((high - growth) / (high - low)).clamp(0, 1) * visible
        trust = trust * (1 + was - after).clamp(0, 1)
        moved = (flow.norm(dim=-1, keepdim=True) * self.fineness - 1).clamp(0, 1)
        needed = bool((shown * bare * torch.maximum(1 - trust, moved * (1 - was))).max() > 1e-3)
        paint = self._painted(look, found) if needed else torch.zeros_like(gain)
        if needed:
            trust = trust * (1 - moved * (1 - was) * self._strange(flow, gain, paint, box))
        share = trust + (1 - trust) * bare
        cover = antialias(
            (shown * share)[None], screen, model.faces, found, perspective=perspective
        )[0]
        trust = trust / share.clamp(min=1e-6)
        parts = _grown(torch.cat([flow, gain.exp(), trust, paint], dim=-1), found.mask[0])
        flow, gain, trust, paint = parts.split([2, 3, 1, 3], dim=-1)
        return _Recipe(flow, gain, trust, paint, cover)

    def _flow(
        self, screen: Float[Tensor, "1 V 3"], inner: Camera, box: tuple[int, int, int, int]
    ) -> tuple[Float[Tensor, "h w 2"], Float[Tensor, "h w 1"]]:
        """To the place in the photo, in its pixels, and whether it is seen there."""
        scale, source = self.fineness, self._source_box
        before = part_of(self.face.camera, source, scale)
        found = flow_between(
            self.face.model.faces,
            before.project(self.look.vertices)[None],
            screen,
            inner.size,
            source_size=before.size,
            perspective=inner.weak_depth is None,
        )
        corner = found.flow.new_tensor([source[0] - box[0], source[1] - box[1]])
        flow = settled(found.flow[0] / scale + corner)
        here = (flow == 0).all(-1) & found.covered[0]
        return flow, (found.visible[0] | here)[..., None].float()

    @cached_property
    def _source_box(self) -> tuple[int, int, int, int]:
        return part_around(self.face.camera, self.look.vertices, None, self.fineness)

    def _box(self, look: Look, camera: Camera) -> tuple[int, int, int, int] | None:
        """The part of the picture that the layer may touch; None if there is none."""
        box = part_around(camera, look.vertices, self._shown[:, 0] > 0, self.fineness)
        return None if box[0] >= box[2] or box[1] >= box[3] else box

    @cached_property
    def _shown(self) -> Float[Tensor, "V 1"]:
        """How far each vertex belongs to the layer: the face and what its openings show."""
        model = self.face.model
        if "face" not in model.regions:
            return torch.ones(model.size, 1)
        names = [name for name in ("face", *INNER) if name in model.regions]
        return torch.stack([*(model.regions[name] for name in names), _jaw(model)]).amax(0)[:, None]

    @cached_property
    def _bare(self) -> Float[Tensor, "V 1"]:
        return bare_skin(self.face, self.photo)[:, None]

    @cached_property
    def _texture(self) -> tuple[Tensor, Tensor | None]:
        """Colours of vertices and of texels, to be multiplied by light."""
        wide = (self._source_box[2] - self._source_box[0]) > 700
        found = head_texture(self.face, self.photo, size=1024 if wide else 512)
        gain = found.gains[0]
        return found.colours * gain, None if found.albedo is None else found.albedo * gain

    def _painted(self, look: Look, found: Fragments) -> Float[Tensor, "h w 3"]:
        """The texture in the light of a look."""
        model = self.face.model
        colours, texture = self._texture
        light = interpolate(shade(model.faces, look)[None], model.faces, found)[0]
        if texture is None or model.uv is None or model.uv_faces is None:
            albedo = interpolate(colours[None], model.faces, found)[0]
        else:
            uv = interpolate(model.uv[None], model.uv_faces, found)
            albedo = sample_texture(texture[None], uv, mask=found.mask)[0]
        painted = (albedo * light).clamp(0, 1)
        if self.face.pixels is not None and self.face.pixels.grey[0]:
            return (painted @ painted.new_tensor(LUMINANCE))[..., None].expand_as(painted)
        return painted

    def shades(self, look: Look) -> Float[Tensor, "V 3"]:
        """Logarithms of how many times brighter each vertex becomes in a look.

        A turn changes the light of skin by its normals; hair and hats have others.

        Args:
            look: of the face.
        """
        light, turn = light_change(self.face.model.faces, self.look, look)
        return light + turn * self._bare * self._shown

    def _growth(self, after: Float[Tensor, "V 3"]) -> Float[Tensor, " V"]:
        """How many times larger each vertex' surroundings are than in the photo, as areas."""
        faces = self.face.model.faces
        before = part_of(self.face.camera, self._source_box, self.fineness)
        areas = [_areas(points[faces]) for points in (before.project(self.look.vertices), after)]
        total = after.new_zeros(len(after), 2)
        for corner in range(3):
            total = total.index_add(0, faces[:, corner], torch.stack(areas, dim=-1))
        growth = total[:, 1] / total[:, 0].clamp(min=1e-3)
        usual = growth[(total > 1e-3).all(-1) & (self._shown[:, 0] > 0.5)]
        return (growth / (usual.median() if len(usual) else 1.0)).clamp(0, 2 * GROWTH[1])

    def _certain(
        self,
        look: Look,
        camera: Camera,
        flow: Float[Tensor, "h w 2"],
        box: tuple[int, int, int, int],
    ) -> tuple[Float[Tensor, "h w 1"], Float[Tensor, "h w 1"]]:
        """How far each point is from an edge of the surface: in the photo, and now; 1 is far."""
        rows, columns = flow.shape[:2]
        here = self._centres(flow, box)
        now = _view(self.photo, camera, look.vertices, self.face.model.faces)
        was, after = (
            view.at(view.place(place.flatten(0, 1)))[1].reshape(rows, columns, 1)
            for view, place in ((self._view, here + flow), (now, here))
        )
        return was, after

    def _centres(
        self, flow: Float[Tensor, "h w 2"], box: tuple[int, int, int, int]
    ) -> Float[Tensor, "h w 2"]:
        """Where the pixels of the layer are in the picture."""
        inside = centres(flow.shape[0], flow.shape[1], flow) / self.fineness
        return inside + flow.new_tensor(box[:2])

    def _strange(
        self,
        flow: Float[Tensor, "h w 2"],
        gain: Float[Tensor, "h w 3"],
        paint: Float[Tensor, "h w 3"],
        box: tuple[int, int, int, int],
    ) -> Float[Tensor, "h w 1"]:
        """How little the photo's colour is like the texture's: it may be another thing."""
        here = centres(flow.shape[0], flow.shape[1], flow) / self.fineness + flow.new_tensor(
            box[:2]
        )
        seen = look_up(self.photo.pixels[None], (here + flow)[None], "bilinear")[0] * gain.exp()
        different = (torch.log(seen.clamp(min=0) + 0.05) - torch.log(paint + 0.05)).abs()
        return torch.sigmoid((different.mean(-1, keepdim=True) - ALIKE) * 15)

    @cached_property
    def _view(self) -> View:
        return _view(self.photo, self.face.camera, self.look.vertices, self.face.model.faces)


def _jaw(model: MorphableModel) -> Float[Tensor, " V"]:
    """What lies between the face, an ear and the neck, which a turn uncovers."""
    y, z = model.identity.mean[:, 1], model.identity.mean[:, 2]
    ears = model.regions.get("ears", torch.zeros(model.size))
    inside = (
        ((y + 112) / 15).clamp(0, 1) * ((-y - 5) / 15).clamp(0, 1) * ((z + 112) / 12).clamp(0, 1)
    )
    return inside * (1 - ears)


def _view(photo: Photo, camera: Camera, vertices: Tensor, faces: Tensor) -> View:
    return view_of(Sight(photo.pixels, camera, vertices, faces))


def _areas(corner: Float[Tensor, "F 3 3"]) -> Float[Tensor, " F"]:
    """Of faces on the screen, zero for those seen from behind."""
    first, second = (corner[:, 1:, :2] - corner[:, :1, :2]).unbind(1)
    return (first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1]).clamp(min=0)


def _grown(values: Float[Tensor, "h w C"], mask: Tensor, steps: int = 2) -> Tensor:
    """Values beyond the edge of `mask`, each the mean of its known neighbours."""
    known = mask[..., None].to(values.dtype)
    both = torch.cat([values * known, known], dim=-1).movedim(-1, 0)[None].contiguous()
    for _ in range(steps):
        wide = torch.nn.functional.avg_pool2d(both, 3, 1, 1)
        mean = wide / wide[:, -1:].clamp(min=1e-6)
        both = torch.where(both[:, -1:] > 0, both, mean * (wide[:, -1:] > 0))
    return both[0, :-1].movedim(0, -1)
