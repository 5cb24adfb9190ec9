"""A first light for a photo, from the mean albedo and the linear fit's normals."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import Prior, charbonnier
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene
from morphface.geometry.spherical_harmonics import AMBIENT

__all__ = ["first_light"]

_ROUNDS = 5


def first_light(
    scene: Scene, samples: Samples, view: View, prior: Prior, *, noise: float, worth: float
) -> Float[Tensor, "9 3"]:
    """Illumination that explains the photo best where albedo is as in `scene`.

    The colours are linear in the light: this is robust linear least squares.

    Args:
        scene: albedo and normals.
        samples: which points.
        view: the photo.
        prior: of illumination; its mean is what pixels that say nothing leave.
        noise: standard deviation of a channel.
        worth: how many independent pixels the samples are.
    """
    albedo = scene.albedo[samples.corners] * samples.weights[..., None]
    rows = torch.einsum("nkc,nkj->ncj", albedo, scene.harmonics[samples.corners]).double()
    target = view.image.flatten(0, 1)[samples.pixel].double()
    target = target - AMBIENT * rows[..., 0]
    precision = torch.from_numpy(prior.precision).to(rows)
    expected = (precision @ torch.from_numpy(prior.mean).to(rows)).reshape(9, 3)
    light = rows.new_zeros(9, 3)
    for _ in range(_ROUNDS):
        residual = torch.einsum("ncj,jc->nc", rows, light) - target
        spread = max(noise, float(residual.norm(dim=1).median()) / 1.54)
        _, weight = charbonnier(residual, spread)
        weight = weight * samples.trust * (worth / samples.trust.sum())
        hessian = precision.clone().reshape(9, 3, 9, 3)
        gradient = expected.clone()
        for channel in range(3):
            part = rows[:, channel]
            hessian[:, channel, :, channel] += part.T @ (weight[:, None] * part)
            gradient[:, channel] += part.T @ (weight * target[:, channel])
        light = torch.linalg.solve(hessian.reshape(27, 27), gradient.flatten()).reshape(9, 3)
    return light.to(scene.albedo.dtype)
