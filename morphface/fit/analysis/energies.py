"""What a good fit is: each energy is a function that gives its value and its slope.

All are negative logarithms of probabilities, so that they add up without weights. Near the
current look each is a quadratic, `value + gradient' step + step' hessian step / 2`, over the
columns of one photo.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.jacobian import point_jacobian
from morphface.fit.analysis.lens import Lens, View, difference, look_up
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.state import Look

__all__ = [
    "Markers",
    "Prior",
    "Quadratic",
    "charbonnier",
    "colour_residuals",
    "landmark_energy",
    "landmark_terms",
    "normal_equations",
    "photometric_energy",
    "photometric_scale",
    "prior_energy",
    "prior_terms",
]

_BLOCK = 6144  # rows of the Jacobian that are multiplied at once


@dataclass(frozen=True, eq=False)
class Quadratic:
    """Slope and curvature of an energy over columns."""

    gradient: Float[np.ndarray, " P"]
    hessian: Float[np.ndarray, "P P"]

    def add(self, other: "Quadratic", span: slice) -> None:
        """Adds the energy of some columns to this one, in place."""
        self.gradient[span] += other.gradient
        self.hessian[span, span] += other.hessian


def charbonnier(
    residuals: Float[Tensor, "n c"], noise: float
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The robust l2,1 norm of residuals, and its weights in least squares.

    The length over the channels counts linearly, but for a rounding of the size of the noise, in
    whose units it is: `sqrt(|r|^2 / noise^2 + 1) - 1`.

    Args:
        residuals: of colours.
        noise: standard deviation of a channel.
    """
    root = (residuals.square().sum(dim=1) / noise**2 + 1).sqrt()
    return root - 1, 1 / (root * noise**2)


def colour_residuals(scene: Scene, samples: Samples, view: View) -> Float[Tensor, "n 3"]:
    """Model minus photo at the surface points of `samples`, wherever they are seen now."""
    spots = view.lens.project(samples.blend(scene.points), scene.look.focal)[:, :2]
    return difference(view.mixed(samples.blend(scene.colours)), look_up(view.image, spots))


def photometric_energy(
    residuals: Float[Tensor, "n 3"], trust: Float[Tensor, " n"], noise: float, worth: float
) -> float:
    """Energy of colours: `worth` times the mean robust residual.

    Args:
        residuals: of colours.
        trust: of each.
        noise: standard deviation of a channel.
        worth: how many independent pixels they are.
    """
    value, _ = charbonnier(residuals, noise)
    return worth * float((trust * value).sum() / trust.sum().clamp(min=1e-9))


def photometric_scale(
    residuals: Float[Tensor, "n 3"], trust: Float[Tensor, " n"], noise: float, worth: float
) -> Float[Tensor, "n 3"]:
    """What rows are multiplied by so that least squares has the slope of `photometric_energy`.

    These are the square roots of the weights of iteratively re-weighted least squares; zero for
    saturated channels.
    """
    _, weight = charbonnier(residuals, noise)
    root = (weight * trust * (worth / trust.sum().clamp(min=1e-9))).sqrt()
    return root[:, None] * (residuals != 0)


def normal_equations(
    jacobian: Float[Tensor, "n c P"], residuals: Float[Tensor, "n c"]
) -> Quadratic:
    """Slope and curvature of half the squared residuals, block by block.

    Blocks are multiplied in the precision of the Jacobian and added up in double precision.
    """
    rows, values = jacobian.flatten(0, 1), residuals.flatten()
    gradient = np.zeros(rows.shape[1])
    hessian = np.zeros((rows.shape[1], rows.shape[1]))
    for part, value in zip(rows.split(_BLOCK), values.split(_BLOCK), strict=True):
        gradient += (part.T @ value).cpu().numpy()
        hessian += _squared(part)
    return Quadratic(gradient, hessian)


def _squared(rows: Float[Tensor, "m P"]) -> Float[np.ndarray, "P P"]:
    """`rows.T @ rows`. numpy sees that it is symmetric and computes half of it."""
    if rows.device.type == "cpu":
        array = rows.numpy()
        return array.T @ array
    return (rows.T @ rows).cpu().numpy()


@dataclass(frozen=True, eq=False)
class Markers:
    """Landmarks to reach.

    Args:
        samples: where they are on the surface; irises are on the eyeballs.
        targets: where they were detected, in pixels of the photo.
        root: square root of the inverse covariance of each, in pixels; zero where it is absent.
            Contour points have less weight along the contour.
    """

    samples: Samples
    targets: Float[Tensor, "n 2"]
    root: Float[Tensor, "n 2 2"]


def landmark_residuals(scene: Scene, markers: Markers, lens: Lens) -> Float[Tensor, "n 2"]:
    """Predicted minus detected, in standard deviations."""
    spots = lens.project(markers.samples.blend(scene.points), scene.look.focal)[:, :2]
    return torch.einsum("nij,nj->ni", markers.root, spots - markers.targets)


def landmark_energy(scene: Scene, markers: Markers, lens: Lens) -> float:
    """Energy of landmarks and irises, under normal errors."""
    return 0.5 * float(landmark_residuals(scene, markers, lens).square().sum())


def landmark_terms(
    scene: Scene, basis: Float[Tensor, "V 3 S"], markers: Markers, lens: Lens
) -> Quadratic:
    """Slope and curvature of `landmark_energy`."""
    rows = markers.root @ point_jacobian(scene, basis, markers.samples, lens)
    return normal_equations(rows, landmark_residuals(scene, markers, lens))


@dataclass(frozen=True, eq=False)
class Prior:
    """What is expected of one group before a picture is seen.

    Args:
        name: of the group.
        mean: its expected value.
        precision: inverse covariance around it.
        term: what its energy is called, where a group has several.
    """

    name: str
    mean: Float[np.ndarray, " k"]
    precision: Float[np.ndarray, "k k"]
    term: str = ""

    @property
    def title(self) -> str:
        """What its energy is called."""
        return self.term or self.name


def prior_energy(prior: Prior, look: Look) -> float:
    """Energy of a group's distance from what was expected."""
    off = _distance(prior, look)
    return 0.5 * float(off @ prior.precision @ off)


def prior_terms(prior: Prior, look: Look) -> Quadratic:
    """Slope and curvature of `prior_energy`, over the columns of its group."""
    return Quadratic(prior.precision @ _distance(prior, look), prior.precision)


def _distance(prior: Prior, look: Look) -> Float[np.ndarray, " k"]:
    value = getattr(look, prior.name)
    value = value.log() if prior.name == "focal" else value
    return value.flatten().double().cpu().numpy() - prior.mean
