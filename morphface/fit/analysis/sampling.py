"""Which pixels are compared: points drawn over what is seen of the face."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.kernels import blend
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.scene import Scene
from morphface.render import Fragments, rasterize

__all__ = ["Samples", "draw", "see", "seen_weight", "shown_points"]

_FACING = (0.15, 0.4)  # cosine of the angle of view: below nothing counts, above all does


@dataclass(frozen=True, eq=False)
class Samples(Record):
    """Points of the surface that are seen at pixel centres.

    Args:
        corners: the vertices around each.
        weights: their barycentric weights, correct in perspective.
        pixel: index of the pixel in its view, row by row.
        trust: how much each counts.
    """

    corners: Int[Tensor, "n 3"]
    weights: Float[Tensor, "n 3"]
    pixel: Int[Tensor, " n"]
    trust: Float[Tensor, " n"]

    def blend(self, values: Float[Tensor, "V c"]) -> Float[Tensor, "n c"]:
        """Values at the points."""
        return self._blended(values)

    def blend_rows(self, rows: Float[Tensor, "V c s"]) -> Float[Tensor, "n c s"]:
        """Blends of matrices at vertices."""
        return self._blended(rows.flatten(1)).unflatten(1, rows.shape[1:])

    def _blended(self, values: Float[Tensor, "V c"]) -> Float[Tensor, "n c"]:
        if values.device.type != "cpu" or values.requires_grad or self.weights.requires_grad:
            return torch.einsum("nk,nkc->nc", self.weights, values[self.corners])
        out = values.new_empty(len(self.corners), values.shape[1])
        given = values.contiguous().numpy(), self.corners.contiguous().numpy()
        blend(*given, self.weights.contiguous().numpy(), out.numpy())
        return out


def see(scene: Scene, view: View) -> Fragments:
    """What of the head is seen at the view's pixels."""
    perspective = view.lens.weak_depth is None
    screen = scene.screen(view.lens)[None]
    return rasterize(screen, scene.surface.faces, view.size, perspective=perspective)


def seen_weight(scene: Scene) -> Float[Tensor, " V"]:
    """How much each vertex counts: skin, and turned to the viewer."""
    sight = torch.nn.functional.normalize(scene.points, dim=-1)
    facing = -(scene.normals * sight).sum(dim=-1)
    low, high = _FACING
    return scene.surface.weight * ((facing - low) / (high - low)).clamp(0, 1)


def draw(scene: Scene, view: View, *, count: int, phase: float) -> Samples:
    """About `count` points, spread evenly over what is seen of the face.

    Every pixel's trust lies on a line, row by row, and points are taken from it at equal steps:
    each stratum of the face gets its share.

    Args:
        scene: as it stands.
        view: the photo.
        count: how many points.
        phase: where the first lies within its step, 0 to 1.
    """
    everything, _ = shown_points(scene, view)
    trust = everything.trust
    chosen = _systematic(trust, count, phase)
    some = everything.map(lambda values: values[chosen])
    drawn = len(chosen) == count and float(trust.sum()) > count
    return replace(some, trust=torch.ones_like(some.trust)) if drawn else some


def shown_points(scene: Scene, view: View) -> tuple[Samples, Int[Tensor, " n"]]:
    """All points of the head that are seen, and which face of the surface each is on.

    Args:
        scene: as it stands.
        view: the photo.
    """
    found = see(scene, view)
    index = torch.nonzero(found.mask[0].flatten())[:, 0]
    face = found.face[0].flatten()[index]
    weights = found.barycentric[0].reshape(-1, 3)[index].to(scene.points.dtype)
    seen = Samples(scene.surface.faces[face], weights, index, torch.ones_like(weights[:, 0]))
    trust = seen.blend(seen_weight(scene)[:, None])[:, 0] * view.open.flatten()[index]
    return replace(seen, trust=trust), face


def _systematic(trust: Float[Tensor, " n"], count: int, phase: float) -> Int[Tensor, " m"]:
    """Systematic sampling with probability in proportion to `trust`; all where they are few."""
    along = trust.double().cumsum(dim=0)
    whole = float(along[-1]) if len(along) else 0.0
    if whole <= count:
        return torch.nonzero(trust > 0)[:, 0]
    steps = torch.arange(count, device=trust.device, dtype=along.dtype)
    return torch.searchsorted(along, (steps + phase) * (whole / count)).clamp(max=len(trust) - 1)
