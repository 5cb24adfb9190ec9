"""A fitted face drawn anew in its photo, with other parameters.

First what is around the face: the photo, which follows it (`ground.py`), or, of a head that turns,
what is behind it, its back and its front, layer over layer (`layers.py`). Over that comes the face
as its mesh shows it (`face_layer.py`). Eyes that look elsewhere are drawn between the lids of the
photo (`eyes.py`). With the parameters that were fitted all this is the photo itself, bit by bit.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.parameters import FaceParameters
from morphface.rerender.backdrops import backdrop, check_background
from morphface.rerender.eyes import Eyes
from morphface.rerender.face_layer import FaceLayer
from morphface.rerender.ground import Ground
from morphface.rerender.layers import Layers
from morphface.rerender.looks import Look, light_change
from morphface.rerender.mesh_layer import Drawn, MeshLayer
from morphface.rerender.mouth import Mouth
from morphface.rerender.remainder import Remainder
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.turn import Turn

__all__ = ["Rerenderer", "rerender"]

LAYER = 900
"""Pixels along a head in which its face is worked out: more are interpolated, but not colours."""
QUICK_LAYER = 160
"""The same for a quick picture."""


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
        return self._drawn(parameters, camera)[0]

    def with_confidence(
        self, parameters: FaceParameters, camera: Camera | None = None
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """One picture, and how far each of its pixels is to be trusted.

        1 where the photo shows it, 0.4 where it is continued from what the photo shows beside it,
        0 where it was invented: what is behind the person.

        Args:
            parameters: as in a call.
            camera: likewise.

        Raises:
            ParameterError: the camera has another size than the photo.
        """
        return self._drawn(parameters, camera, sure=True)

    def _drawn(
        self, parameters: FaceParameters, camera: Camera | None, *, sure: bool = False
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """A picture, and how far it is to be trusted if that was asked."""
        camera = camera or self.face.camera
        if camera.size != self.photo.size:
            raise ParameterError(
                f"camera must have the size of the photo, {self.photo.size}, got {camera.size}"
            )
        whole = Look.of(self.face.model, parameters)
        resting = self._eyes.resting(parameters)
        look = whole if resting is parameters else Look.of(self.face.model, resting)
        bent = self._head.bent(look, resting)
        looks = bent, bent if whole is look else self._head.bent(whole, parameters)
        shown, person = None, torch.ones_like(self.photo.pixels[..., :1])
        trust = person
        if camera is self.face.camera and self._around is None and bent.same(self._now):
            frame = self.photo.pixels.clone()  # all but the eyes is as in the photo
            self._eyes.over(frame, parameters, looks, camera)
            return frame.clamp(0, 1), trust
        turn = Turn.between(self.face.parameters, parameters)
        if turn.moves or camera is not self.face.camera:
            with self._layers.prepared():
                mesh = self._mesh.draw(bent, camera, turn.angle, coarse=self._coarse)
            frame, trust = self._turned(turn, look, mesh, camera)
            shown = torch.zeros_like(trust) if mesh is None else mesh.placed(mesh.over, trust)
        else:
            with self._head.texture_ahead():
                shades = self._head.shades(bent if self.quick else look)  # those of a look are kept
                frame, person = self._ground.moved(look, shades)
            self._layer.over(frame, person, bent, camera, trust if sure else None)
        self._mouth.over(frame, resting, bent, camera, turns=not self.quick, shown=shown)
        if resting is not parameters:
            self._eyes.over(frame, parameters, looks, camera)
        return frame.clamp(0, 1), trust.clamp(0, 1)

    def _turned(
        self, turn: Turn, look: Look, mesh: Drawn | None, camera: Camera
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The photo with the person turned, and how far it is to be trusted."""
        same = torch.equal(look.light, self._now.light)
        light = None if same else light_change(self.face.model.faces, self._now, look)[0]
        made = self._layers.draw(
            turn, camera, self._around, light=light, quick=self.quick, mesh=mesh
        )
        if mesh is not None:
            made.under(mesh)
        if same and camera is self.face.camera and Remainder.share(turn) > 0:
            self._remainder.add(made, turn)
        return made.frame, made.trust

    @cached_property
    def _remainder(self) -> Remainder:
        """What the layers miss of the photo while nothing turns."""
        camera, still = self.face.camera, Turn.between(self.face.parameters, self.face.parameters)
        mesh = self._mesh.draw(self._now, camera, 0.0, coarse=self._coarse)
        made = self._layers.draw(still, camera, self._around, quick=self.quick, mesh=mesh)
        if mesh is not None:
            made.under(mesh)
        before = self.photo.pixels if self._around is None else self._around[1]
        return Remainder.of(made, before, mesh, self._head.own)

    @property
    def _coarse(self) -> int:
        """Pixels of the photo for one of those in which the mesh of a turned head is drawn."""
        return max(int(-(-self._ground.size // (QUICK_LAYER if self.quick else LAYER))), 1)

    @cached_property
    def _mesh(self) -> MeshLayer:
        return MeshLayer(self._head)

    @cached_property
    def draft(self) -> "Rerenderer":
        """The quick one; the two share what they know of the photo."""
        other = replace(self, quick=True)
        vars(other).update(
            _head=self._head,
            _mesh=self._mesh,
            _eyes=self._eyes,
            _mouth=self._mouth,
            _layers=self._layers,
        )
        return other

    @cached_property
    def _head(self) -> SeenHead:
        look = Look.of(self.face.model, self.face.parameters)
        return SeenHead(self.face, self.photo, look)

    @cached_property
    def _layers(self) -> Layers:
        return Layers(self._head.person)

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
    def _layer(self) -> FaceLayer:
        ratio = (QUICK_LAYER if self.quick else LAYER) / self._ground.size
        fineness = min(round(ratio), 1 if self.quick else 2) if ratio >= 1 else 1 / -(-1 // ratio)
        return FaceLayer(self._head, fineness, self.quick)

    @cached_property
    def _ground(self) -> Ground:
        return Ground(self._head, self._around, self.quick)

    @cached_property
    def _around(self) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 3"]] | None:
        """What is put behind the person, and the photo before it; None leaves what was there."""
        if isinstance(self.background, str) and self.background == "original":
            return None
        behind = backdrop(self.background, self.photo.pixels, self._head.matte)
        return behind, torch.lerp(behind, self.photo.pixels, self._head.matte)
