"""A one-shot generator in the role of the re-renderer: a photo's face with other parameters."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedPhoto
from morphface.generate.checkpoint import load_generator
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot.people import PhotoRun
from morphface.pipelines.oneshot.run import photo_run, weights_at
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.stage import Stage

__all__ = ["MadeDrawer", "drawers_of"]


class MadeDrawer:
    """Draws one face of a photo by a generator.

    Args:
        run: the photo in the role of a run.
    """

    def __init__(self, run: PhotoRun) -> None:
        self._run = run

    def with_confidence(
        self, parameters: FaceParameters
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """The photo with that face, and where it shows what the photo shows.

        Args:
            parameters: of one frame, for the photo's camera.
        """
        run = self._run
        nothing = torch.zeros(1)
        motion = Motion(parameters, nothing.long(), nothing.double(), 1.0)
        made = next(run.frames(parameters))
        pixels = Stage.of(run, motion, Look(sound="none")).finished(0, made.frame)
        seen = run.seen(parameters)[..., None]
        sure = torch.ones_like(pixels[..., :1])
        return pixels, run.target.crop.paste(sure, seen, fill=1.0).clamp(0, 1)


def drawers_of(
    found: FittedPhoto, generator: str | Path, background: str | Tensor
) -> list[MadeDrawer]:
    """A drawer for each face of a photo.

    Args:
        found: the photo and its faces.
        generator: the folder of a run of a one-shot generator.
        background: must be the original one.

    Raises:
        ParameterError: another background is wanted.
        MissingFileError: there is no such generator.
        ModelError: it is none of a one-shot kind.
    """
    if not (isinstance(background, str) and background == "original"):
        raise ParameterError("background must be original with a generator, which makes its own")
    weights = weights_at(Path(generator))
    made = load_generator(weights)
    drawers = []
    for face in found.faces:
        alone = FittedPhoto(found.photo, (face,), found.focal)
        drawers.append(MadeDrawer(photo_run(alone, weights.parent, made)))
    return drawers
