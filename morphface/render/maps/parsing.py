"""The map of regions: which part of the head each pixel shows, under numbers all models share."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models import MorphableModel
from morphface.render.interpolate import interpolate
from morphface.render.maps.scene import Scene

__all__ = ["LABELS", "check_regions", "parsing"]

LABELS = (
    *("background", "skin", "neck", "scalp", "ears", "nose", "eyelids", "brows", "lips"),
    *("mouth", "teeth", "tongue", "sclera", "iris", "pupil"),
)
"""The number of a label is its place here. "mouth" is the inside of it."""
REGIONS = {
    **{name: name for name in LABELS[2:]},
    "eye_sockets": "eyelids",
    "eyeballs": "sclera",
}


def check_regions(model: MorphableModel) -> None:
    """Refuse the map of regions.

    Raises:
        ModelError: the model has none of them.
    """
    if not set(REGIONS) & set(model.regions):
        raise ModelError(
            f"map 'parsing' needs regions, and model {model.name!r} has none that have a label"
        )


def parsing(scene: Scene) -> Float[Tensor, "T H W 1"]:
    """The number of the label at each pixel's centre, over 255.

    Where regions overlap, that of the higher number is shown; what is in none is skin.
    """
    regions = scene.model.regions
    names = sorted(set(REGIONS) & set(regions), key=lambda name: LABELS.index(REGIONS[name]))
    masks = torch.stack([regions[name] for name in names], dim=-1)[None]
    numbers = masks.new_tensor([LABELS.index(REGIONS[name]) for name in names])
    shown = interpolate(masks, scene.model.faces, scene.fragments) > 0.5
    label = (shown * numbers).amax(-1).clamp(min=LABELS.index("skin"))
    return (label * scene.fragments.mask)[..., None] / 255
