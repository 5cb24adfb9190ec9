"""A photo of a person as a generator looks at it: cut out, with its matte and its head."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.fit.fitted import FittedPhoto
from morphface.generate.reference import Reference
from morphface.landmarks.boxes import box_of
from morphface.media.crop import Crop
from morphface.pipelines.oneshot.clip import reference_of, signed
from morphface.render import Sitter
from morphface.render.maps.scene import Scene
from morphface.render.prior import FlowPrior
from morphface.render.sight import Sight
from morphface.segment import person_matte, working_size

__all__ = ["Sitting", "crop_of", "sitting_of"]


@dataclass(frozen=True, eq=False)
class Sitting:
    """A photo of a person.

    Args:
        photo: the crop, from -1 to 1.
        matte: where the person is in it.
        sitter: draws heads before the crop's camera.
        scene: the head as it is in the photo.
    """

    photo: Float[Tensor, "1 3 S S"]
    matte: Float[Tensor, "1 1 S S"]
    sitter: Sitter
    scene: Scene

    @cached_property
    def maps(self) -> Float[Tensor, "1 S S C"]:
        """Of the photo."""
        return self.sitter.maps(self.scene)

    def reference(self, prior: FlowPrior) -> Reference:
        """As a generator sees it for a frame.

        Args:
            prior: of the frame.
        """
        return reference_of(self.photo, self.maps, self.matte, [prior])


def crop_of(found: FittedPhoto, side: int) -> Crop:
    """The square about the first face of a photo."""
    return Crop.around(box_of(found.faces[0].predicted), side)


def sitting_of(
    found: FittedPhoto, side: int, maps: tuple[str, ...], *, like: FittedPhoto | None = None
) -> Sitting:
    """A fitted photo, cut out about its first face.

    Args:
        found: the photo.
        side: of the crop in pixels.
        maps: that the generator wants.
        like: another photo of the person, in whose company it is.

    Raises:
        ModelError: it is fitted with another model than its company.
    """
    face, crop = found.faces[0], crop_of(found, side)
    if like is not None and like.faces[0].model.name != face.model.name:
        raise ModelError(
            f"photos must be fitted with one model, got {like.faces[0].model.name!r} and "
            f"{face.model.name!r}"
        )
    sitter = Sitter(face.model, crop.camera(face.camera), maps)
    pixels = (crop.apply(found.photo.pixels, fill=0.5) * 255).round().to(torch.uint8)
    return Sitting(signed(pixels), _matte(found, crop), sitter, sitter.scene(face.parameters))


def _matte(found: FittedPhoto, crop: Crop) -> Float[Tensor, "1 1 S S"]:
    """Where the person is in the crop."""
    face = found.faces[0]
    sight = Sight(
        found.photo.pixels, face.camera, face.vertices_in_camera().detach(), face.model.faces
    )
    work = working_size(sight)
    matte = person_matte(sight, work)
    share = work.scale
    there = Crop(crop.left * share, crop.top * share, crop.side * share, crop.size)
    return there.apply(torch.from_numpy(matte).float()[..., None])[None, ..., 0][None]
