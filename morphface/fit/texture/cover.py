"""How likely something is before each point of a head: a hand, hair, glasses.

A fit takes for hidden what it cannot explain, so make-up as well. Lids and lips therefore count as
hidden only as far as the skin around them does.
"""

import torch
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from morphface.fit.texture.points import SurfacePoints
from morphface.models import MorphableModel
from morphface.render.texture import sample_texture

__all__ = ["covered"]

PAINTED = ("eyelids", "lashes", "lips", "under_eyes")
"""Parts that may have make-up."""
AROUND = 60
"""How many vertices of the face around a painted one are asked."""
ALL = 0.4
"""Part of them that is hidden from which the painted one counts as hidden too."""


def covered(
    model: MorphableModel,
    points: SurfacePoints,
    screen: Float[Tensor, "V 2"],
    occlusion: Float[Tensor, "H W"],
) -> Float[Tensor, " N"]:
    """How likely each point is hidden, 0 to 1.

    Args:
        model: whose regions are looked at.
        points: of its surface.
        screen: where the vertices are in the photo.
        occlusion: how likely each pixel of the photo shows something else.
    """
    own = _looked_up(occlusion, points.at(screen))
    painted = torch.zeros(model.size)
    for name in PAINTED:
        painted = torch.maximum(painted, model.regions.get(name, painted))
    if not bool(painted.any()):
        return own
    face = model.regions.get("face", torch.ones(model.size)) > 0.5
    skin = torch.nonzero(face & (painted < 0.1))[:, 0]
    few = torch.nonzero(painted >= 0.1)[:, 0]
    around = torch.ones(model.size)
    if len(skin) >= AROUND:
        place = model.identity.mean
        near = KDTree(place[skin].numpy()).query(place[few].numpy(), AROUND)[1]
        hidden = _looked_up(occlusion, screen[skin])
        around[few] = (hidden[torch.from_numpy(near)].mean(-1) / ALL).clamp(max=1)
    share = points.at((1 - painted * (1 - around))[:, None])[:, 0]
    return own * share


def _looked_up(picture: Float[Tensor, "H W"], screen: Float[Tensor, "N 2"]) -> Float[Tensor, " N"]:
    """Values of a picture at positions in pixels."""
    height, width = picture.shape
    x, y = (screen.nan_to_num() / screen.new_tensor([width, height])).unbind(-1)
    uv = torch.stack([x, 1 - y], dim=-1)[None, None]
    return sample_texture(picture[None, ..., None], uv)[0, 0, :, 0].clamp(0, 1)
