"""Where something hides the face: pixels that the model cannot explain, together."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.lens import View, difference
from morphface.fit.analysis.sampling import see, seen_weight
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.render import Fragments, interpolate
from morphface.render.blur import blurred

__all__ = ["cover_of", "hidden", "residual_map"]

_WIDTH = 4.0  # millimetres over which residuals are smoothed
_LEAST_NEAR = 0.02  # share of face around a pixel below which nothing can be said


def residual_map(scene: Scene, view: View) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w"]]:
    """Model minus photo, and how much each pixel counts as face, occluded or not."""
    return _residuals(scene, view, see(scene, view))


def _residuals(
    scene: Scene, view: View, found: Fragments
) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w"]]:
    values = torch.cat([scene.colours, seen_weight(scene)[:, None]], dim=-1)
    seen = interpolate(values[None], scene.surface.faces, found)[0]
    mask = seen[..., 3] * found.mask[0]
    residual = difference(view.mixed(seen[..., :3]), view.image)
    return residual * (mask > 0)[..., None], mask


def cover_of(
    scene: Scene, view: View, settings: PhotometricSettings, *, settled: bool = False
) -> Float[Tensor, "h w"]:
    """How likely something hides the face at each pixel of a view.

    Args:
        scene: the head as it stands.
        view: the photo.
        settings: what residuals are usual.
        settled: whether shape and light are known: then what is unlike skin beside eyes hides no
            brows, whose colours are still to be found. Until then these have no say.
    """
    found = see(scene, view)
    residual, mask = _residuals(scene, view, found)
    # What hides eyes, lips and lids is told by the skin around them.
    surface = scene.surface
    free = interpolate(surface.any_colour[None, :, None], surface.faces, found)[0, ..., 0]
    known = mask if view.hidden is None else mask * (1 - view.hidden)
    judged = known * (1 - free)
    length = residual.norm(dim=-1)[judged > 0.5]
    typical = float(length.median()) if len(length) else 0.0
    depth = -scene.look.translation[2] if view.lens.weak_depth is None else view.lens.weak_depth
    cover = (mask > 0) * hidden(
        residual,
        known if settled else judged,
        judged,
        max(typical, settings.least_cover),
        scale=settings.occlusion_scale,
        width=_WIDTH * float(scene.look.focal / depth * view.lens.scale.mean()),
    )
    return cover if view.hidden is None else torch.maximum(cover, view.hidden)


def hidden(
    residual: Float[Tensor, "h w 3"],
    mask: Float[Tensor, "h w"],
    judged: Float[Tensor, "h w"],
    typical: float,
    *,
    scale: float,
    width: float,
) -> Float[Tensor, "h w"]:
    """How likely each pixel shows something else, 0 to 1.

    The mean residual around a pixel, robust to single pixels by its square root, is compared with
    what the face as a whole leaves over. Where no face is near it is 0.

    Args:
        residual: of colours.
        mask: how much each pixel counts as face.
        judged: how much of that is judged; the rest is taken as usual.
        typical: length of a residual that is usual.
        scale: mean residual, in those, at which a pixel is as likely hidden as not.
        width: standard deviation of the smoothing, in pixels.
    """
    length = residual.norm(dim=-1).clamp(min=1e-8).sqrt() * judged
    length = length + (mask - judged) * typical**0.5
    near = blurred(mask, width)
    mean = blurred(length, width) / near.clamp(min=1e-6)
    ratio = mean.square() / (typical * scale)
    return (near > _LEAST_NEAR) * (1 - 1 / (1 + ratio.pow(6)))
