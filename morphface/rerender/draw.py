"""A fitted face drawn anew in its photo, with other parameters.

Two layers: the photo as a relief that follows the head (`render/relief.py`), so that hair and
shoulders go along, and over it the face as its mesh shows it (`face_layer.py`). Eyes that look
elsewhere are drawn between the lids of the photo (`eyes.py`). With the parameters that were
fitted all this is the photo itself, bit by bit.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera, to_camera
from morphface.media.images import Photo
from morphface.parameters import FaceParameters
from morphface.render.relief import Relief
from morphface.render.warp import centres, enlarged, look_up, settled
from morphface.rerender.backdrops import backdrop, check_background
from morphface.rerender.eyes import Eyes
from morphface.rerender.face_layer import FaceLayer
from morphface.rerender.looks import Look, brightened, part_of
from morphface.rerender.mouth import Mouth
from morphface.rerender.seen_head import SeenHead, turning

__all__ = ["Rerenderer", "rerender"]

LAYER = 900
"""Pixels along a head in which its face is worked out: more are interpolated, but not colours."""
GROUND = 500
"""The same of what is around it."""
NODES = 110
"""Nodes along a head of the net that carries what is around it."""
MARGIN = 0.9
"""How far around a head, in its sizes, the picture follows it."""
BEYOND = 0.35
"""The same beyond the border of the picture, where the head reaches it."""
QUICK_NODES = 40
"""Nodes of the same net for a quick picture."""
QUICK_GROUND = 3
"""How many times coarser what is around a head is worked out for a quick picture."""
QUICK_LAYER = 160
"""Pixels along a head in which its face is worked out for a quick picture."""
NEARBY = 0.2
"""How far around a head, in its sizes, a quick picture follows what is not a turn."""
REACH = 0.1
"""How far, in sizes of the head, expressions and shades reach beyond it."""
_STRIP = 2_000_000


def rerender(
    face: FittedFace,
    photo: Photo,
    parameters: FaceParameters,
    *,
    camera: Camera | None = None,
    background: str | Float[Tensor, "H W 3"] = "original",
) -> Float[Tensor, "T H W 3"]:
    """The photo with the face as other parameters have it.

    Args:
        face: what was fitted.
        photo: to this photo.
        parameters: of the same model, T frames.
        camera: that sees them, of the size of the photo; None takes the photo's.
        background: "original" lets what is around the head follow it; "blurred", "plain", or a
            picture of the size of the photo take its place.

    Raises:
        ParameterError: the background is unknown, or the camera has another size.
        ShapeError: the background has another size, or the parameters are of another model.
    """
    stage = Rerenderer(face, photo, background)
    return torch.stack([stage(parameters[k], camera) for k in range(parameters.frames)])


@dataclass(frozen=True, eq=False)
class Rerenderer:
    """A face and its photo, ready to be drawn again and again.

    Args:
        face: what was fitted.
        photo: to this photo.
        background: as in `rerender`.
        quick: whether edges may be less smooth and what is around the head less exact, for
            pictures that follow a hand.

    Raises:
        ParameterError: the background is unknown.
        ShapeError: it is a picture of another size.
    """

    face: FittedFace
    photo: Photo
    background: str | Float[Tensor, "H W 3"] = "original"
    quick: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.background, Tensor):
            check_shape("background", self.background, *self.photo.size, 3)
        else:
            check_background(self.background)

    def __call__(
        self, parameters: FaceParameters, camera: Camera | None = None
    ) -> Float[Tensor, "H W 3"]:
        """One picture.

        Args:
            parameters: one frame.
            camera: that sees it; None takes the photo's.

        Raises:
            ParameterError: the camera has another size than the photo.
            ShapeError: the parameters are of another model.
        """
        camera = camera or self.face.camera
        if camera.size != self.photo.size:
            raise ParameterError(
                f"camera must have the size of the photo, {self.photo.size}, got {camera.size}"
            )
        whole = Look.of(self.face.model, parameters)
        resting = self._eyes.resting(parameters)
        look = whole if resting is parameters else Look.of(self.face.model, resting)
        bent = self._head.bent(look)
        if camera is self.face.camera and self._behind is None and bent.same(self._now):
            frame = self.photo.pixels.clone()  # all but the eyes is as in the photo
            self._eyes.over(frame, parameters, (bent, self._head.bent(whole)), camera)
            return frame.clamp(0, 1)
        shades = self._head.shades(bent if self.quick else look)  # those of one look are kept
        frame, person = self._ground(look, shades, resting, camera)
        self._layer.over(frame, person, bent, camera)
        self._mouth.over(frame, resting, bent, camera, turns=not self.quick)
        if resting is not parameters:
            self._eyes.over(frame, parameters, (bent, self._head.bent(whole)), camera)
        return frame.clamp(0, 1)

    @cached_property
    def draft(self) -> "Rerenderer":
        """The quick one; the two share what they know of the photo."""
        other = replace(self, quick=True)
        vars(other).update(_head=self._head, _eyes=self._eyes, _mouth=self._mouth)
        return other

    @cached_property
    def _head(self) -> SeenHead:
        return SeenHead(self.face, self.photo, Look.of(self.face.model, self.face.parameters))

    @cached_property
    def _eyes(self) -> Eyes:
        return Eyes(self._head)

    @cached_property
    def _mouth(self) -> Mouth:
        return Mouth(self._head)

    @property
    def _now(self) -> Look:
        return self._head.look

    @cached_property
    def _size(self) -> float:
        """Of the head in the photo, in pixels."""
        screen = self.face.camera.project(self._now.vertices)[:, :2]
        return max(float((screen.amax(0) - screen.amin(0)).max()), 1.0)

    @cached_property
    def _layer(self) -> FaceLayer:
        ratio = (QUICK_LAYER if self.quick else LAYER) / self._size
        fineness = min(round(ratio), 1 if self.quick else 2) if ratio >= 1 else 1 / -(-1 // ratio)
        return FaceLayer(self._head, fineness, self.quick)

    def _ground(
        self,
        look: Look,
        shades: Float[Tensor, "V 3"],
        parameters: FaceParameters,
        camera: Camera,
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The photo as a relief that the head has moved, and where the person is in it."""
        coarse = int(-(-self._size // GROUND)) * (QUICK_GROUND if self.quick else 1)
        nodes = QUICK_NODES if self.quick else NODES
        turned = _turned(self._now.vertices, self.face.parameters, parameters)
        still = turned is self._now.vertices and camera is self.face.camera
        box = self._box(look, camera, coarse, NEARBY if self.quick and still else MARGIN)
        left, top, right, bottom = box
        height, width = self.photo.size
        scale = 1 / coarse
        relief = Relief(
            part_of(self.face.camera, box, scale),
            self._now.vertices,
            self.face.model.faces,
            turning(self.face.model),
            (-left * scale, -top * scale, (width - left) * scale, (height - top) * scale),
            spacing=max(self._size / nodes * scale, 1.0),
            reach=REACH * self._size * scale,
        )
        flow, gain = relief.flow(look.vertices, turned, shades, part_of(camera, box, scale))
        both = torch.cat([flow * coarse, gain], dim=-1)
        frame = self._still.clone()
        same = turned is self._now.vertices and torch.equal(look.light, self._now.light)
        whole = same and self._behind is None
        person = torch.ones_like(frame[..., :1]) if whole else self._matte.clone()
        x, y = slice(max(left, 0), min(right, width)), slice(max(top, 0), min(bottom, height))
        step = max(_STRIP // (right - left), 1)
        for row in range(y.start, y.stop, step):
            rows = row, min(row + step, y.stop)
            inner = enlarged(both, (bottom - top, right - left), (rows[0] - top, rows[1] - top))
            inner = inner[:, x.start - left : x.stop - left]
            flow_here, gain_here = inner.split([2, 3], dim=-1)
            part = slice(*rows), x
            flow_here, place = _placed(flow_here, part)
            if not whole:
                person[part] = look_up(self._matte[None], place[None], "bilinear")[0]
            # What is behind the person has a light of its own.
            frame[part] = self._moved(flow_here, place, gain_here * person[part], part)
            if self._behind is not None:
                frame[part] = torch.lerp(self._behind[part], frame[part], person[part])
        return frame, person

    def _moved(
        self,
        flow: Float[Tensor, "h w 2"],
        place: Float[Tensor, "h w 2"],
        gain: Float[Tensor, "h w 3"],
        part: tuple[slice, slice],
    ) -> Float[Tensor, "h w 3"]:
        """A part of the moved photo."""
        still = (flow == 0).all(-1, keepdim=True)
        found = self.photo.pixels[part]
        if not bool(still.all()):
            found = torch.where(still, found, look_up(self.photo.pixels[None], place[None])[0])
        return brightened(found, torch.where(gain.abs() < 1e-4, 0.0, gain).exp())

    @property
    def _matte(self) -> Float[Tensor, "H W 1"]:
        return self._head.matte

    @cached_property
    def _behind(self) -> Float[Tensor, "H W 3"] | None:
        """What is put behind the head; None leaves what was there."""
        if isinstance(self.background, str) and self.background == "original":
            return None
        return backdrop(self.background, self.photo.pixels, self._matte)

    @cached_property
    def _still(self) -> Float[Tensor, "H W 3"]:
        """The photo before its background."""
        if self._behind is None:
            return self.photo.pixels
        return torch.lerp(self._behind, self.photo.pixels, self._matte)

    def _box(
        self, look: Look, camera: Camera, whole: int, margin: float
    ) -> tuple[int, int, int, int]:
        """The part of the picture that may move, and some beyond its border."""
        screen = torch.cat(
            [
                self.face.camera.project(self._now.vertices)[:, :2],
                camera.project(look.vertices)[:, :2],
            ]
        ).nan_to_num()
        height, width = self.photo.size
        away, beyond = margin * self._size, BEYOND * self._size
        (left, top), (right, bottom) = (
            (screen.amin(0) - away).tolist(),
            (screen.amax(0) + away).tolist(),
        )
        left, top = int(max(left, -beyond)), int(max(top, -beyond))
        right, bottom = min(right, width + beyond), min(bottom, height + beyond)
        across, down = (-(-max(int(n), 1) // whole) * whole for n in (right - left, bottom - top))
        return left, top, left + across, top + down


def _placed(
    flow: Float[Tensor, "h w 2"], part: tuple[slice, slice]
) -> tuple[Float[Tensor, "h w 2"], Float[Tensor, "h w 2"]]:
    """A flow without what rounding leaves of none, and where in the photo it leads to."""
    flow = settled(flow)
    corner = flow.new_tensor([part[1].start, part[0].start])
    return flow, centres(flow.shape[0], flow.shape[1], flow) + corner + flow


def _turned(
    vertices: Float[Tensor, "V 3"], before: FaceParameters, after: FaceParameters
) -> Float[Tensor, "V 3"]:
    """The head as it was, in another pose."""
    if torch.equal(before.rotation, after.rotation) and torch.equal(
        before.translation, after.translation
    ):
        return vertices
    nothing = torch.zeros(3)
    shape = to_camera(vertices - before.translation[0], -before.rotation[0], nothing)
    return to_camera(shape, after.rotation[0], after.translation[0])
