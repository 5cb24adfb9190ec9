"""What one-shot generators are told of a head in other poses than its photo's.

The photo's screen positions and fragments are found once; a frame needs one pass over the
geometry, from which its maps, its flow into the photo and the place of its mouth follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.backends import threads
from morphface.render.flow import flow_between
from morphface.render.maps.code import correspondence
from morphface.render.maps.gaze import check_gaze, draw_gaze
from morphface.render.maps.parsing import LABELS, REGIONS, parsing
from morphface.render.maps.scene import Scene, scene_of
from morphface.render.prior import FlowPrior, flow_prior

__all__ = ["Conditions", "Sitter"]

INSIDE = ("mouth", "teeth", "tongue")
"""Labels of what the lips hide when they are closed."""


@dataclass(frozen=True, eq=False)
class Conditions(Record):
    """Some frames of a head, as one-shot generators see them.

    Args:
        maps: channels of all maps that were asked for; from 0 to 1, 0 without surface.
        prior: flow into the photo.
        mouth: middle of the lips, x and y in pixels.
    """

    maps: Float[Tensor, "T H W C"]
    prior: FlowPrior
    mouth: Float[Tensor, "T 2"]


class Sitter:
    """The head of a photo, that can be asked for other poses and expressions.

    Args:
        model: of the head.
        photo: its parameters in the photo, one frame.
        camera: that took the photo.
        maps: of "correspondence" and "gaze", those that the generator wants, in order.
        backend: as in `rasterize`.

    Raises:
        ParameterError: the parameters have several frames, or a map is none of those.
    """

    def __init__(
        self,
        model: MorphableModel,
        photo: FaceParameters,
        camera: Camera,
        maps: Sequence[str] = ("correspondence",),
        *,
        backend: str = "auto",
    ) -> None:
        if photo.frames != 1:
            raise ParameterError(f"photo must have the parameters of 1 frame, got {photo.frames}")
        if not maps or not set(maps) <= {"correspondence", "gaze"}:
            raise ParameterError(f"maps must be of correspondence and gaze, got {', '.join(maps)}")
        self.model, self.names, self._backend = model, tuple(maps), backend
        self._style = check_gaze(model, "dvp") if "gaze" in maps else None
        with torch.no_grad():
            self._scene = scene_of(model, photo, camera, None, backend)
            self.maps = self._maps(self._scene)[0]
            """Those of the photo, H W C."""
        self._inside = torch.tensor([LABELS.index(name) for name in INSIDE])
        self._lips = _lips_of(model)

    def moved(self, parameters: FaceParameters, camera: Camera | None = None) -> Conditions:
        """What a generator is told of frames of this head.

        Args:
            parameters: of the frames; their identity should be the photo's.
            camera: that sees the frames; None if it is the photo's. Its size must be the same.

        Raises:
            ParameterError: the cameras differ in size or kind, or the parameters are those of
                another model.
        """
        photo = self._scene
        seen_by = photo.camera if camera is None else camera
        if seen_by.size != photo.camera.size:
            raise ParameterError(
                f"camera must see {photo.camera.size} pixels as the photo's, got {seen_by.size}"
            )
        with torch.no_grad(), threads.kernels_alone():
            scene = scene_of(self.model, parameters, seen_by, None, self._backend)
            flow = flow_between(
                self.model.faces,
                photo.screen,
                scene.screen,
                seen_by.size,
                perspective=seen_by.weak_depth is None,
                backend=self._backend,
                drawn=(photo.fragments, scene.fragments),
            )
            prior = flow_prior(flow, self._unseen(scene))
            mouth = scene.screen[:, self._lips, :2].mean(1)
        return Conditions(self._maps(scene), prior, mouth)

    def _maps(self, scene: Scene) -> Float[Tensor, "T H W C"]:
        drawn = {"correspondence": lambda: correspondence(scene, 0.0)}
        if self._style is not None:
            style = self._style
            drawn["gaze"] = lambda: draw_gaze(scene, style, 0.0)
        return torch.cat([drawn[name]() for name in self.names], dim=-1)

    def _unseen(self, scene: Scene) -> Tensor | None:
        """Where the frame shows the inside of the mouth."""
        if not set(REGIONS) & set(self.model.regions):
            return None
        labels = (parsing(scene)[..., 0] * 255).round().long()
        return torch.isin(labels, self._inside)


def _lips_of(model: MorphableModel) -> Tensor:
    """Vertices of the lips; of models without regions, those of the front of the face."""
    if "lips" in model.regions:
        return torch.nonzero(model.regions["lips"] > 0.5)[:, 0]
    return model.identity.mean[:, 2].topk(max(model.size // 50, 1)).indices
