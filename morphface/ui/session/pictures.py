"""The pictures of a session: the photo, drawn anew or with the mesh or a map of the face."""

import io
from dataclasses import dataclass
from functools import cached_property
from math import sin
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from morphface.core.errors import ModelError, ParameterError
from morphface.edit.names import unknown
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.pipelines.overlay import with_landmarks
from morphface.render import Renderer
from morphface.render.maps import MAP_NAMES, MapSet, render_maps
from morphface.rerender import Rerenderer
from morphface.rerender.eye_place import eye_ball
from morphface.rerender.looks import Look
from morphface.show.maps import map_pixels

__all__ = ["Painter", "jpeg"]

VIEWS = ("photo", "landmarks", "rendered", "mesh")
OPACITY = 0.9
"""Of the mesh over the photo."""
QUALITY = {False: 90, True: 80}
"""Of JPEG, fine and coarse."""
_PROBE = (32, 32)
_MAPS: "WeakKeyDictionary[MorphableModel, tuple[str, ...]]" = WeakKeyDictionary()
"""What can be drawn of each model."""


@dataclass(frozen=True, eq=False)
class Painter:
    """Draws a face in its photo, again and again.

    Args:
        found: the photo, as large as its pictures shall be, and one face.
    """

    found: FittedPhoto

    @property
    def face(self) -> FittedFace:
        """Whose pictures these are."""
        return self.found.faces[0]

    @cached_property
    def views(self) -> tuple[str, ...]:
        """The names of what there is to see."""
        model = self.face.model
        if model not in _MAPS:
            bare = [name for name in MAP_NAMES if name != "detail"]  # it needs relief
            _MAPS[model] = tuple(name for name in bare if self._has(name))
        relief = () if self.face.detail is None else ("detail",)
        return *VIEWS, *_MAPS[model], *relief

    def check(self, view: str) -> None:
        """Refuse a view that there is not.

        Raises:
            ParameterError: with those that might have been meant.
        """
        if view not in self.views:
            raise ParameterError(unknown("view", view, self.views))

    def draw(
        self, view: str, parameters: FaceParameters, *, coarse: bool = False
    ) -> tuple[Float[Tensor, "H W 3"], bool]:
        """A picture, and whether it is a coarse one.

        Args:
            view: its name.
            parameters: of the face.
            coarse: whether it may be worse, if it is quicker then.
        """
        with torch.no_grad():
            if view == "rendered":
                return (self._stage.draft if coarse else self._stage)(parameters), coarse
            if view == "mesh":
                return self._mesh(parameters), False
            if view in MAP_NAMES:
                return self._map(view, parameters), False
            return (self._marked if view == "landmarks" else self.found.photo.pixels), False

    def eyes(self, parameters: FaceParameters) -> list[list[float]]:
        """Where the irises are: x, y and their radius, in widths of the picture.

        Args:
            parameters: of the face.
        """
        face, camera = self.face, self.face.camera
        sides = range(len(face.model.eyes or ()))
        seen = filter(None, (eye_ball(face, parameters, camera, side) for side in sides))
        places = [(*middle.tolist(), ball.radius * sin(ball.iris)) for ball, middle in seen]
        return [[round(value / camera.size[1], 4) for value in place] for place in places]

    @cached_property
    def _stage(self) -> Rerenderer:
        return Rerenderer(self.face, self.found.photo)

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer.of(self.face.model, self.face.camera)

    def _mesh(self, parameters: FaceParameters) -> Float[Tensor, "H W 3"]:
        look = Look.of(self.face.model, parameters)
        drawn = self._renderer(look.vertices[None])
        return drawn.over(self.found.photo.pixels, OPACITY)[0].clamp(0, 1)

    def _map(self, name: str, parameters: FaceParameters) -> Float[Tensor, "H W 3"]:
        return map_pixels(self._maps(name, parameters, self.face.camera), name, 0)

    def _maps(self, name: str, parameters: FaceParameters, camera: Camera) -> MapSet:
        model = self.face.model
        albedo = None if model.reflectance is None else self.face.albedo()
        return render_maps(
            model, parameters, camera, (name,), albedo=albedo, detail=self.face.detail
        )

    def _has(self, name: str) -> bool:
        """Whether the model has what a map shows."""
        try:
            self._maps(name, self.face.parameters, Camera.facing(_PROBE))
        except ModelError:
            return False
        return True

    @cached_property
    def _marked(self) -> Float[Tensor, "H W 3"]:
        """The photo with its landmarks, and lines to where the fitted head has them."""
        height, width = self.found.photo.size
        side = max(height, width)
        square = pad(self.found.photo.pixels, (0, 0, 0, side - width, 0, side - height))
        window = Crop(0.0, 0.0, side, side)
        marked = with_landmarks(square, self.face.fit.landmarks, self.face.predicted, window)
        return marked[:height, :width]


def jpeg(pixels: Float[Tensor, "H W 3"], *, coarse: bool = False) -> bytes:
    """A picture as the bytes of a JPEG file.

    Args:
        pixels: RGB in [0, 1].
        coarse: whether it may be worse.
    """
    values = (pixels * 255).round_().to(torch.uint8)
    out = io.BytesIO()
    Image.fromarray(values.contiguous().numpy()).save(out, "JPEG", quality=QUALITY[coarse])
    return out.getvalue()
