"""What skin shows beyond the components of its reflectance: a smooth field over the face.

Components tell people's tones apart, and hardly their brows, beards, make-up and blemishes. What
photos show more becomes a corrective of the albedo (Tewari et al. 2018, section 4), whose prior is
a Gaussian Markov random field over the surface (Lindgren, Rue and Lindström 2011): it is found by
one sparse system, once shape, pose and light are known, and so cannot mislead these.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import csc_matrix, csr_matrix, diags
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.analysis.lens import View, difference
from morphface.fit.analysis.sampling import Samples, shown_points
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.shared.medians import weighted_median
from morphface.geometry.laplacian import cotangent_laplacian, solved

__all__ = ["Shown", "corrective", "normal_equations", "show"]

_RIM = 1.5
"""Millimetres beside what hides the face, whose pixels show a part of it."""
_PARTS = 0.5
"""How far a point is of eyes, lips or brows to be on one of them."""
_DARKEST = 0.03
"""The least colour that a difference is compared with."""


@dataclass(frozen=True, eq=False)
class Shown(Record):
    """What the pixels of one photo tell of the albedo.

    The noise of a photo is that of its values, so that a logarithm counts by their square.

    Args:
        samples: points of the surface.
        face: of the surface, that each is on.
        weight: of each, in square millimetres.
        told: logarithm of the photo's colours by those of the fit.
    """

    samples: Samples
    face: Int[Tensor, " n"]
    weight: Float[np.ndarray, " n"]
    told: Float[np.ndarray, "n 3"]


def show(scene: Scene, view: View, limit: float) -> Shown:
    """What a photo tells.

    Args:
        scene: the head in it, as it was fitted.
        view: the photo, with what hides the face.
        limit: the largest logarithm that counts.
    """
    samples, face = shown_points(scene, replace(view, open=_sure(scene, view)))
    known = _one_piece(scene, view, samples)
    samples = samples.map(lambda values: values[known])
    model = view.mixed(samples.blend(scene.colours)).clamp(min=_DARKEST)
    away = difference(model, view.image.flatten(0, 1)[samples.pixel])
    told = (1 - away / model).clamp(min=1e-3).log().clamp(-limit, limit)
    bright = (model @ model.new_tensor(LUMINANCE)).square()
    weight = samples.trust * bright / bright.mean().clamp(min=1e-9) * scene.pixel(view.lens) ** 2
    return Shown(samples, face[known], weight.double().cpu().numpy(), told.double().cpu().numpy())


def _one_piece(scene: Scene, view: View, samples: Samples) -> Bool[Tensor, " n"]:
    """Which points count: not those on islands of skin amid hair or a hat, which are hair, too.

    What is apart from most of the face is believed if eyes, lips or brows are on it: frames of
    glasses and strands of hair may lie between.
    """
    import cv2

    told = samples.trust > 0
    open_pixels = torch.zeros(view.size, dtype=torch.uint8)
    open_pixels.view(-1)[samples.pixel[told].cpu()] = 1
    count, labels = cv2.connectedComponents(open_pixels.numpy(), connectivity=4)
    own = torch.from_numpy(labels).flatten().to(samples.pixel.device)[samples.pixel].long()
    share = torch.bincount(own[told], minlength=count)
    parts = samples.blend(scene.surface.any_colour[:, None])[:, 0] > _PARTS
    kept = torch.bincount(own[told & parts], minlength=count) > 0
    kept[share.argmax()] = True
    return told & kept[own]


_Told = tuple[
    Int[Tensor, "n 3"],
    Float[Tensor, "n 3"],
    Float[np.ndarray, " n"],
    Float[np.ndarray, "n 3"],
]


def normal_equations(
    photos: Iterable[_Told], size: int
) -> tuple[csc_matrix, Float[np.ndarray, "V 3"]]:
    """Of values at vertices that are told at points of the faces between: matrix and right sides.

    Args:
        photos: of each, the vertices around its points, their barycentric weights, how much each
            point counts, and what is told there.
        size: number of vertices.
    """
    pull, force = csc_matrix((size, size)), np.zeros((size, 3))
    for corners, weights, trust, told in photos:
        rows = _point_rows(corners, weights, size)
        weighted = rows.T @ diags(trust)
        pull, force = pull + weighted @ rows, force + weighted @ told
    return pull, force


def _point_rows(
    corners: Int[Tensor, "n 3"], weights: Float[Tensor, "n 3"], size: int
) -> csr_matrix:
    """Points of a mesh as rows over its vertices."""
    count, values = len(corners), weights.double().cpu().numpy().ravel()
    places = np.repeat(np.arange(count), 3), corners.cpu().numpy().ravel()
    return csr_matrix((values, places), shape=(count, size))


def corrective(
    scenes: tuple[Scene, ...],
    shown: tuple[Shown, ...],
    settings: PhotometricSettings,
    skin: Float[Tensor, " M"],
) -> Float[Tensor, "M 3"]:
    """By what the albedo of each vertex of the model is to be multiplied.

    Where no photo shows the skin it is what it usually is where one does. It is 1 beside the skin:
    on eyeballs, whose colours have their own search, and in the mouth.

    Args:
        scenes: the head in each photo, as it was fitted.
        shown: what each photo tells.
        settings: how fine the field is, how far it goes on, and how large it may be.
        skin: how far each vertex of the model is skin.
    """
    surface = scenes[0].surface
    field, known, area = _field(scenes, shown, settings)
    weight = surface.own_skin
    usual = _usual(field, area * known * weight * (1 - surface.any_colour))
    out = skin.to(field)[:, None] * usual
    laid = surface.place >= 0
    place = surface.place[laid]
    own = field + (1 - known[:, None]) * usual
    out[laid] = torch.lerp(out[laid], own[place], weight[place, None])
    return out.exp()


def _field(
    scenes: tuple[Scene, ...], shown: tuple[Shown, ...], settings: PhotometricSettings
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, " V"], Float[Tensor, " V"]]:
    """Logarithms at the vertices of the surface, how far each is known, and the areas of these.

    Where nothing is known the logarithm is 0.
    """
    surface, size = scenes[0].surface, len(scenes[0].albedo)
    told = ((one.samples.corners, one.samples.weights, one.weight, one.told) for one in shown)
    pull, force = normal_equations(told, size)
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
