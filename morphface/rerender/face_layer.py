"""The face as its mesh shows it: the photo's own colours where it has them, texture elsewhere.

Every pixel of the new face is a point of the mesh, which lies somewhere in the photo. If it is
seen there, and is not much larger now, its colour is that of the photo, times what the light has
changed; else that of the texture. Where the head was covered beside what is uncovered now, by hair
or a hat, the texture would show bare skin, so that what is behind the layer is left to be seen.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.fit.analysis.colour import LUMINANCE
from morphface.geometry.camera import Camera
from morphface.render import Fragments, interpolate, rasterize
from morphface.render.antialias import antialias
from morphface.render.flow import flow_between
from morphface.render.sight import View, view_from, view_of
from morphface.render.texture import sample_texture
from morphface.render.warp import centres, enlarged, look_up, settled
from morphface.rerender.bare import ALIKE
from morphface.rerender.looks import CONTINUED, Look, brightened, part_around, part_of, shade
from morphface.rerender.seen_head import SeenHead

__all__ = ["FaceLayer"]

GROWTH = 2.0, 5.0
"""How many times larger a part of the photo is trusted: wholly up to the first, not from the
second."""
RIM_GROWTH = 1.1, 1.8
"""The same of the rims of lids: lashes and shadows lie there, which a blink would spread."""
RINGS = 3
"""So many edges away counts as near them."""
SHADED = 0.9
"""Most light that reaches the inside of a mouth: lips shade it, which harmonics do not know."""
TEAR = 6.0
"""Pixels of the photo by which neighbours of a coarse layer may be apart more than they are."""
EDGE = 0.03
"""How wide, in sizes of the head, the edge of a person is mixed with what was behind."""
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
        head: that was fitted, and its photo.
        fineness: for each pixel of the photo so many of the layer along each axis, a whole number
            or one part of a whole number.
        quick: whether edges may be less exact.
    """

    head: SeenHead
    fineness: float
    quick: bool = False

    def over(
        self,
        frame: Float[Tensor, "H W 3"],
        person: Float[Tensor, "H W 1"],
        look: Look,
        camera: Camera,
        sure: Float[Tensor, "H W 1"] | None = None,
    ) -> None:
        """Draws the face in another look over a picture, in place.

        Args:
            frame: of the size of the photo.
            person: how far the picture shows the person, 0 to 1, and not what is behind.
            look: of the face.
            camera: that sees it; of the same size.
            sure: how far each pixel is to be trusted, which is changed with it.
        """
        box = self._box(look, camera)
        if box is None:
            return
        recipe = self._recipe(person, look, camera, box)
        left, top, right, bottom = box
        fine = max(round(self.fineness), 1)
        step = max(_STRIP // max((right - left) * fine * fine, 1), 1)
        changes = []
        for row in range(0, bottom - top, step):
            rows = row, min(row + step, bottom - top)
            changes.append(self._change(frame, recipe, box, rows))
        height, width = self.head.photo.size
        kept = torch.cat(changes)[: height - top, : width - left]
        frame[top:bottom, left:right] += kept
        if sure is not None:
            both = torch.cat([recipe.trust, recipe.cover], dim=-1)
            both = enlarged(both, (bottom - top, right - left))[: height - top, : width - left]
            found, cover = both.split(1, dim=-1)
            part = sure[top:bottom, left:right]
            part.copy_(torch.lerp(part, CONTINUED + (1 - CONTINUED) * found, cover))

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
        parts = [getattr(recipe, field.name) for field in fields(recipe)]
        parts = enlarged(torch.cat(parts, dim=-1), size, strip).split([2, 3, 1, 3, 1], dim=-1)
        flow, gain, trust, paint, cover = parts
        here = centres(strip[1] - strip[0], size[1], flow) + flow.new_tensor([0, strip[0]])
        here = here / fine + flow.new_tensor([left, top])
        seen = look_up(self.head.photo.pixels[None], (here + settled(flow))[None])[0]
        seen = brightened(seen, gain)
        ground = frame[top + rows[0] : top + rows[1], left:right]
        if not self.quick or ground.shape != seen.shape:
            ground = look_up(frame[None], here[None])[0]
        change = cover * (torch.lerp(paint, seen, trust) - ground)
        return change.unflatten(1, (-1, fine)).unflatten(0, (-1, fine)).mean(dim=(1, 3))

    def _recipe(
        self,
        person: Float[Tensor, "H W 1"],
        look: Look,
        camera: Camera,
        box: tuple[int, int, int, int],
    ) -> _Recipe:
        model = self.head.face.model
        inner = part_of(camera, box, self.fineness)
        perspective = camera.weak_depth is None
        screen = inner.project(look.vertices)[None]
        found = rasterize(screen, model.faces, inner.size, perspective=perspective)
        flow, visible = self._flow(screen, inner, box, found)
        head = self.head
        carried = [head.shades(look), self._growth(screen[0])[:, None], head.shown, head.bare]
        carried += [head.hidden, head.rims, head.nearest]
        values = interpolate(torch.cat(carried, dim=-1)[None], model.faces, found)[0]
        gain, growth, shown, bare, hidden, rim, nearest = values.split(
            [3, 1, 1, 1, 1, 1, 2], dim=-1
        )
        now = view_from(found, inner, box[:2], (box[2] - box[0], box[3] - box[1]))
        if not self.quick:
            now = view_of(replace(head.sight, camera=camera, vertices=look.vertices))
        was, after = self._certain(now, flow, box)
        trust = _sharp(growth, rim) * visible
        trust = trust * (1.1 + was - after).clamp(0, 1)
        if self.quick and self.fineness < 1:
            trust = trust * ~_torn(flow, found.mask[0])
        doubtful = (flow.norm(dim=-1, keepdim=True) * self.fineness - 1).clamp(0, 1) * (1 - was)
        other = 1 - look_up(person[None], self._centres(flow, box)[None], "bilinear")[0]
        # Hair and hats end where they are seen to end; skin hides what is left of its old edge.
        other = torch.lerp(other, _widened(other, round(EDGE * max(inner.size))), bare)
        paint = torch.zeros_like(gain)
        if bool((torch.maximum(shown, hidden) * torch.maximum(1 - trust, doubtful)).max() > 1e-3):
            paint = self._painted(look, found)
            trust = trust * (1 - doubtful * bare * self._strange(flow, gain, paint, box))
            stretched = look_up(head.photo.pixels[None], nearest[None], "bilinear")[0]
            paint = torch.lerp(stretched, paint, bare)
        # What was covered shows what has covered it, if that was moved there by the ground.
        share = trust + (1 - trust) * torch.maximum(bare, other)
        cover = torch.maximum(shown * share, hidden * other)
        cover = antialias(
            cover[None], screen, model.faces, found, topology=head.topology, perspective=perspective
        )[0]
        trust = trust / share.clamp(min=1e-6)
        parts = _grown(torch.cat([flow, gain.exp(), trust, paint], dim=-1), found.mask[0])
        flow, gain, trust, paint = parts.split([2, 3, 1, 3], dim=-1)
        return _Recipe(flow, gain, trust, paint, cover)

    def _flow(
        self,
        screen: Float[Tensor, "1 V 3"],
        inner: Camera,
        box: tuple[int, int, int, int],
        drawn: Fragments,
    ) -> tuple[Float[Tensor, "h w 2"], Float[Tensor, "h w 1"]]:
        """To the place in the photo, in its pixels, and whether it is seen there."""
        scale, source = self.fineness, self._source_box
        before, hidden_by = self._source
        found = flow_between(
            self.head.face.model.faces,
            before,
            screen,
            inner.size,
            source_size=(hidden_by.face.shape[1], hidden_by.face.shape[2]),
            perspective=inner.weak_depth is None,
            drawn=(hidden_by, drawn),
        )
        corner = found.flow.new_tensor([source[0] - box[0], source[1] - box[1]])
        flow = settled(found.flow[0] / scale + corner)
        here = (flow == 0).all(-1) & found.covered[0]
        return flow, (found.visible[0] | here)[..., None].float()

    @cached_property
    def _source_box(self) -> tuple[int, int, int, int]:
        return part_around(self.head.face.camera, self.head.look.vertices, None, self.fineness)

    @cached_property
    def _source(self) -> tuple[Float[Tensor, "1 V 3"], Fragments]:
        """The head in the photo, as fine as the layer: on the screen, and what is seen of it."""
        camera = part_of(self.head.face.camera, self._source_box, self.fineness)
        screen, faces = camera.project(self.head.look.vertices)[None], self.head.face.model.faces
        perspective = camera.weak_depth is None
        return screen, rasterize(screen, faces, camera.size, perspective=perspective)

    def _box(self, look: Look, camera: Camera) -> tuple[int, int, int, int] | None:
        """The part of the picture that the layer may touch; None if there is none."""
        box = part_around(camera, look.vertices, None, self.fineness)
        return None if box[0] >= box[2] or box[1] >= box[3] else box

    def _painted(self, look: Look, found: Fragments) -> Float[Tensor, "h w 3"]:
        """The texture in the light of a look."""
        model = self.head.face.model
        colours, texture = self.head.texture
        light = shade(model.faces, look)
        mouth = self.head.mouth
        light = torch.lerp(light, light.clamp(max=SHADED), mouth)
        light = interpolate(light[None], model.faces, found)[0]
        if texture is None or model.uv is None or model.uv_faces is None:
            albedo = interpolate(colours[None], model.faces, found)[0]
        else:
            uv = interpolate(model.uv[None], model.uv_faces, found)
            albedo = sample_texture(texture[None], uv, mask=found.mask)[0]
        painted = (albedo * light).clamp(0, 1)
        if self.head.face.pixels is not None and self.head.face.pixels.grey[0]:
            return (painted @ painted.new_tensor(LUMINANCE))[..., None].expand_as(painted)
        return painted

    def _growth(self, after: Float[Tensor, "V 3"]) -> Float[Tensor, " V"]:
        """How many times larger each vertex' surroundings are than in the photo, as areas."""
        faces = self.head.face.model.faces
        areas = [_areas(points[faces]) for points in (self._source[0][0], after)]
        total = after.new_zeros(len(after), 2)
        for corner in range(3):
            total = total.index_add(0, faces[:, corner], torch.stack(areas, dim=-1))
        growth = total[:, 1] / total[:, 0].clamp(min=1e-3)
        usual = growth[(total > 1e-3).all(-1) & (self.head.shown[:, 0] > 0.5)]
        growth = (growth / (usual.median() if len(usual) else 1.0)).clamp(0, 2 * GROWTH[1])
        here, beside = self.head.near_rims
        most = growth
        for _ in range(RINGS):
            most = most.scatter_reduce(0, here, most[beside], "amax")
        return torch.lerp(growth, most, self.head.rims[:, 0])

    def _certain(
        self, now: View, flow: Float[Tensor, "h w 2"], box: tuple[int, int, int, int]
    ) -> tuple[Float[Tensor, "h w 1"], Float[Tensor, "h w 1"]]:
        """How far each point is from an edge of the surface: in the photo, and now; 1 is far."""
        rows, columns = flow.shape[:2]
        here = self._centres(flow, box)
        was, after = (
            view.at(view.place(place.flatten(0, 1)))[1].reshape(rows, columns, 1)
            for view, place in ((self.head.view, here + flow), (now, here))
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
        here = self._centres(flow, box)
        seen = (
            look_up(self.head.photo.pixels[None], (here + flow)[None], "bilinear")[0] * gain.exp()
        )
        different = (torch.log(seen.clamp(min=0) + 0.05) - torch.log(paint + 0.05)).abs()
        return torch.sigmoid((different.mean(-1, keepdim=True) - ALIKE) * 15)


def _sharp(growth: Float[Tensor, "h w 1"], rim: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w 1"]:
    """How far a part of the photo is trusted that is so many times larger now."""
    low, high = (face + rim * (edge - face) for face, edge in zip(GROWTH, RIM_GROWTH, strict=True))
    return ((high - growth) / (high - low)).clamp(0, 1)


def _torn(flow: Float[Tensor, "h w 2"], mask: Tensor) -> Bool[Tensor, "h w 1"]:
    """Pixels beside one whose place in the photo is far from their own: lips that open."""
    found = torch.zeros_like(mask)
    for axis in (0, 1):
        size = mask.shape[axis] - 1
        first, second = (mask.narrow(axis, start, size) for start in (0, 1))
        jump = (flow.diff(dim=axis).abs().amax(-1) > TEAR) & first & second
        for start in (0, 1):
            found.narrow(axis, start, size).logical_or_(jump)
    return found[..., None]


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


def _widened(share: Float[Tensor, "h w 1"], reach: int) -> Float[Tensor, "h w 1"]:
    """The largest value within a reach along each axis."""
    found = share.movedim(-1, 0)[None]
    for window in ((2 * reach + 1, 1), (1, 2 * reach + 1)):
        padding = tuple(n // 2 for n in window)
        found = torch.nn.functional.max_pool2d(found, window, stride=1, padding=padding)
    return found[0].movedim(0, -1)
