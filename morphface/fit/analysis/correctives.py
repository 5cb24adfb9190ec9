"""What skin shows beyond the components of its reflectance: a smooth field over the face.

Components tell people's tones apart, and hardly their brows, beards, make-up and blemishes. What
photos show more becomes a corrective of the albedo (Tewari et al. 2018, section 4), whose prior is
a Gaussian Markov random field over the surface (Lindgren, Rue and Lindström 2011): it is found by
one sparse system, once shape, pose and light are known, and so cannot mislead these.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csc_matrix, csr_matrix, diags
from torch import Tensor

from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.analysis.lens import View, difference
from morphface.fit.analysis.sampling import draw
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.shared.medians import weighted_median
from morphface.geometry.laplacian import cotangent_laplacian, solved

__all__ = ["corrective"]

_RIM = 1.5
"""Millimetres beside what hides the face, whose pixels show a part of it."""
_DARKEST = 0.03
"""The least colour that a difference is compared with."""


def corrective(
    scenes: tuple[Scene, ...],
    views: tuple[View, ...],
    settings: PhotometricSettings,
    skin: Float[Tensor, " M"],
) -> Float[Tensor, "M 3"]:
    """By what the albedo of each vertex of the model is to be multiplied.

    Where no photo shows the skin it is what it usually is where one does. It is 1 beside the skin:
    on eyeballs, whose colours have their own search, and in the mouth.

    Args:
        scenes: the head in each photo, as it was fitted.
        views: the photos, with what hides the face.
        settings: how fine the field is, how far it goes on, and how large it may be.
        skin: how far each vertex of the model is skin.
    """
    surface = scenes[0].surface
    field, known, area = _field(scenes, views, settings)
    weight = surface.weight.clone()
    for eye in surface.eyes:
        weight[eye.vertices] = 0.0
    usual = _usual(field, area * known * weight * (1 - surface.any_colour))
    out = skin.to(field)[:, None] * usual
    laid = surface.place >= 0
    place = surface.place[laid]
    own = field + (1 - known[:, None]) * usual
    out[laid] = torch.lerp(out[laid], own[place], weight[place, None])
    return out.exp()


def _field(
    scenes: tuple[Scene, ...], views: tuple[View, ...], settings: PhotometricSettings
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, " V"], Float[Tensor, " V"]]:
    """Logarithms at the vertices of the surface, how far each is known, and the areas of these.

    Where nothing is known the logarithm is 0.
    """
    surface, size = scenes[0].surface, len(scenes[0].albedo)
    pull, force = csc_matrix((size, size)), np.zeros((size, 3))
    for scene, view in zip(scenes, views, strict=True):
        rows, weight, told = _observed(scene, view, settings.corrective_limit)
        weighted = rows.T @ diags(weight)
        pull, force = pull + weighted @ rows, force + weighted @ told
    mean, faces = surface.mean.double().cpu().numpy(), surface.faces.cpu().numpy()
    laplacian, area = cotangent_laplacian(mean, faces)
    grain = max(settings.corrective_grain, float(np.sqrt(np.median(area))))
    prior = grain**2 * (laplacian + diags(area / settings.corrective_reach**2))
    right = np.column_stack([force, pull @ np.ones(size)])
    found = torch.from_numpy(solved(csc_matrix(pull + prior), right)).to(scenes[0].albedo)
    return found[:, :3], found[:, 3], torch.from_numpy(area).to(found)


def _sure(scene: Scene, view: View) -> Float[Tensor, "h w"]:
    """How open the face is to sight, without the rims of what is known to hide it."""
    if view.hidden is None:
        return view.open
    reach = round(_RIM / scene.pixel(view.lens))
    size = 2 * reach + 1
    wider = torch.nn.functional.max_pool2d(view.hidden[None, None], size, 1, reach)[0, 0]
    return torch.minimum(view.open, 1 - wider)


def _usual(field: Float[Tensor, "V 3"], weight: Float[Tensor, " V"]) -> Float[Tensor, "3"]:
    """The weighted median of each channel; 0 where nothing has weight."""
    if not bool(weight.sum() > 0):
        return field.new_zeros(3)
    return weighted_median(field[:, None], weight[:, None])[0]


def _observed(
    scene: Scene, view: View, limit: float
) -> tuple[csr_matrix, Float[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Points of the surface as rows over its vertices, their weights in square millimetres, and
    the logarithm of the photo's colours by those of the fit.

    The noise of a photo is that of its values, so that a logarithm counts by their square.
    """
    samples = draw(scene, replace(view, open=_sure(scene, view)), count=10**9, phase=0.5)
    model = view.mixed(samples.blend(scene.colours)).clamp(min=_DARKEST)
    away = difference(model, view.image.flatten(0, 1)[samples.pixel])
    told = (1 - away / model).clamp(min=1e-3).log().clamp(-limit, limit)
    bright = (model @ model.new_tensor(LUMINANCE)).square()
    weight = samples.trust * bright / bright.mean().clamp(min=1e-9) * scene.pixel(view.lens) ** 2
    count, corners = len(samples.pixel), samples.corners.cpu().numpy()
    values = samples.weights.double().cpu().numpy().ravel()
    places = np.repeat(np.arange(count), 3), corners.ravel()
    rows = csr_matrix((values, places), shape=(count, len(scene.albedo)))
    return rows, weight.double().cpu().numpy(), told.double().cpu().numpy()
