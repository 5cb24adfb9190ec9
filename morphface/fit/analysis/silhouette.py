"""The outline of the face, drawn to the edge of a mask that says where the head is.

Outline points are where the surface turns away from the camera and nothing of the head lies
behind. Each is compared with the edge of the mask that is nearest along its normal on the
screen, as closest points are, so that it may slide along the edge.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.fit.analysis.energies import (
    Markers,
    Quadratic,
    landmark_energy,
    landmark_terms,
)
from morphface.fit.analysis.lens import Lens, View, look_up
from morphface.fit.analysis.sampling import Samples, see
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings

__all__ = ["rim_of", "silhouette_energy", "silhouette_terms"]

_Spots = Float[Tensor, "n 2"]
_REACH = 20.0  # millimetres to either side of the outline where an edge is looked for
_STEPS = 64
_BESIDE = 2.0  # pixels of the view off the outline where no head may be
_CUT = 3.0  # standard deviations at which an edge has lost three quarters of its weight


def silhouette_energy(scene: Scene, rim: Markers, lens: Lens) -> float:
    """Energy of the distances between outline and mask along the outline's normals.

    Args:
        scene: of all the head.
        rim: from `rim_of`.
        lens: to the pixels of the mask.
    """
    return landmark_energy(scene, rim, lens)


def silhouette_terms(scene: Scene, rim: Markers, lens: Lens) -> Quadratic:
    """Slope and curvature of `silhouette_energy`."""
    return landmark_terms(scene, scene.surface.basis, rim, lens)


def rim_of(
    scene: Scene,
    view: View,
    mask: Float[Tensor, "H W"],
    lens: Lens,
    settings: PhotometricSettings,
) -> Markers:
    """The outline's points and where the mask has its edge beside them.

    Errors are robust: an edge that is far off compared with most is hair or a neighbour, and
    counts little. All points together are worth `independent_points`.

    Args:
        scene: of all the head.
        view: that holds the face.
        mask: 1 where the head is, in all of the photo.
        lens: to the mask's pixels.
        settings: standard deviation and worth.
    """
    samples, normals = _outline(scene, view)
    look = scene.look
    depth = -look.translation[2] if lens.weak_depth is None else lens.weak_depth
    spots = lens.project(samples.blend(scene.points), look.focal)[:, :2]
    gap, known = _gaps(mask.to(spots), spots, normals, _REACH * float(look.focal / depth))
    trust = samples.trust * known
    typical = 1.4826 * float(gap[known].abs().median()) if known.any() else 0.0
    spread = max(settings.silhouette_noise, typical)
    trust = trust / (1 + (gap / (_CUT * spread)).square()).square()
    share = min(1.0, settings.independent_points / max(float(trust.sum()), 1e-9))
    root = (trust * share).sqrt()[:, None] * normals / settings.silhouette_noise
    across = torch.stack([root, torch.zeros_like(root)], dim=1)
    return Markers(samples, spots + gap[:, None] * normals, across)


def _outline(scene: Scene, view: View) -> tuple[Samples, Float[Tensor, "n 2"]]:
    """Points of the face's outline, and their unit normals on the screen."""
    samples = _turning(scene, view.lens)
    normals = samples.blend(scene.normals)[:, :2] * scene.normals.new_tensor([1.0, -1.0])
    normals = torch.nn.functional.normalize(normals, dim=1)
    spots = view.lens.project(samples.blend(scene.points), scene.look.focal)[:, :2]
    seen = see(scene, view).mask[0]
    outer = _inside(spots, seen) & ~_head(spots + _BESIDE * normals, seen) & (samples.trust > 0)
    return samples.map(lambda values: values[outer]), normals[outer]


def _turning(scene: Scene, lens: Lens) -> Samples:
    """Where edges pass from what faces the camera to what does not."""
    sight = torch.nn.functional.normalize(scene.points, dim=-1)
    if lens.weak_depth is not None:
        sight = torch.zeros_like(sight) - sight.new_tensor([0.0, 0.0, 1.0])
    facing = -(scene.normals * sight).sum(dim=-1)
    faces = scene.surface.faces
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[(edges[:, 0] < edges[:, 1]) & ((facing > 0)[edges].sum(dim=1) == 1)]
    first, second = facing[edges].unbind(dim=1)
    share = first / (first - second)
    weights = torch.stack([1 - share, share, torch.zeros_like(share)], dim=1)
    trust = (weights[:, :2] * scene.surface.weight[edges]).sum(dim=1)
    return Samples(edges[:, [0, 1, 1]], weights, torch.zeros_like(edges[:, 0]), trust)


def _inside(spots: Float[Tensor, "n 2"], seen: Bool[Tensor, "h w"]) -> Bool[Tensor, " n"]:
    limits = spots.new_tensor([seen.shape[1], seen.shape[0]])
    return ((spots >= 0) & (spots < limits)).all(dim=1)


def _head(spots: Float[Tensor, "n 2"], seen: Bool[Tensor, "h w"]) -> Bool[Tensor, " n"]:
    """Whether the head is seen there."""
    x = spots[:, 0].long().clamp(0, seen.shape[1] - 1)
    y = spots[:, 1].long().clamp(0, seen.shape[0] - 1)
    return seen[y, x] & _inside(spots, seen)


def _gaps(
    mask: Float[Tensor, "H W"], spots: _Spots, normals: _Spots, reach: float
) -> tuple[Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """How far out along each normal the mask ends, nearest to the spot, and whether it does."""
    step = max(reach / _STEPS, 0.5)
    along = torch.arange(-reach, reach + step, step).to(spots)
    where = spots[:, None] + along[:, None] * normals[:, None]
    level = look_up(mask[..., None], where.flatten(0, 1)).reshape(len(spots), len(along))
    near, far = level[:, :-1], level[:, 1:]
    edge = along[:-1] + step * (near - 0.5) / (near - far).clamp(min=1e-6)
    edge = torch.where((near >= 0.5) & (far < 0.5), edge, torch.inf)
    index = edge.abs().argmin(dim=1, keepdim=True)
    gap = edge.gather(1, index)[:, 0]
    known = torch.isfinite(gap)
    return torch.where(known, gap, 0.0), known
