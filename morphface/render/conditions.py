"""What one-shot generators are told of a head in other poses than its photo's.

Each frame needs one pass over the geometry, from which its maps, its flow into the photo and the
place of its mouth follow; the photo's is made once.
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
from morphface.render.maps import surface
from morphface.render.maps.code import correspondence
from morphface.render.maps.gaze import check_gaze, draw_gaze
from morphface.render.maps.parsing import LABELS, REGIONS, parsing
from morphface.render.maps.scene import Scene, scene_of
from morphface.render.points import points_between
from morphface.render.prior import FlowPrior, flow_prior

__all__ = ["DRAWN", "Conditions", "Sitter"]

DRAWN = ("correspondence", "gaze", "depth", "mask")
"""Maps that one-shot generators may want."""
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
    """Heads of a model before a camera, and what a photo of one of them tells of the others.

    Args:
        model: of the heads.
        camera: that sees photo and frames alike.
        maps: of `DRAWN`, those that the generator wants, in order; or none.
        backend: as in `rasterize`.

    Raises:
        ParameterError: a map is none of those.
        ModelError: the model has nothing for a map.
    """

    def __init__(
        self,
        model: MorphableModel,
        camera: Camera,
        maps: Sequence[str] = ("correspondence",),
        *,
        backend: str = "auto",
    ) -> None:
        if not set(maps) <= set(DRAWN):
            raise ParameterError(f"maps must be of {', '.join(DRAWN)}, got {', '.join(maps)}")
        self.model, self.camera, self.names, self._backend = model, camera, tuple(maps), backend
        self._style = check_gaze(model, "dvp") if "gaze" in maps else None
        self._inside = torch.tensor([LABELS.index(name) for name in INSIDE])
        self._lips = _lips_of(model)

    def scene(self, parameters: FaceParameters) -> Scene:
        """The head in some frames, drawn once for all that is asked of it.

        Args:
            parameters: of the frames.

        Raises:
            ParameterError: they are those of another model.
        """
        with torch.no_grad():
            return scene_of(self.model, parameters, self.camera, None, self._backend)

    def between(self, photo: Scene, frames: Scene) -> Conditions:
        """What a generator is told of frames of the head of a photo.

        Args:
            photo: one frame, or as many.
            frames: of the same identity.
        """
        return Conditions(self.maps(frames), self.prior(photo, frames), self.mouth(frames))

    def mouth(self, scene: Scene) -> Float[Tensor, "T 2"]:
        """Middle of the lips, x and y in pixels."""
        return scene.screen[:, self._lips, :2].mean(1)

    def prior(self, photo: Scene, frames: Scene) -> FlowPrior:
        """The flow that leads from frames into a photo of the head, extended beyond it.

        Args:
            photo: one frame, or as many; its camera may be another one, for as many pixels.
            frames: of the head.
        """
        with torch.no_grad(), threads.kernels_alone():
            flow = flow_between(
                self.model.faces,
                photo.screen,
                frames.screen,
                self.camera.size,
                perspective=self.camera.weak_depth is None,
                backend=self._backend,
                drawn=(photo.fragments, frames.fragments),
            )
            return flow_prior(flow, self._unseen(frames))

    def maps(self, scene: Scene) -> Float[Tensor, "T H W C"]:
        """Channels of all maps of some frames."""
        drawn = {
            "correspondence": lambda: correspondence(scene, 0.0),
            "depth": lambda: surface.depth(scene, 0.0),
            "mask": lambda: surface.mask(scene),
        }
        if self._style is not None:
            style = self._style
            drawn["gaze"] = lambda: draw_gaze(scene, style, 0.0)
        if not self.names:
            return scene.screen.new_zeros(*scene.fragments.face.shape, 0)
        return torch.cat([drawn[name]() for name in self.names], dim=-1)

    def points(self, photo: Scene, frames: Scene, count: int) -> Float[Tensor, "T N"]:
        """Key points of some frames and of the photo, as of `points_between`.

        Args:
            photo: one frame, or as many.
            frames: of the head.
            count: of points.
        """
        return points_between(self.model, photo.screen, frames.screen, count, self.camera.size)

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
