"""What the pixels of a frame say about a known person.

The photometric energy is that of `fit_photometric`, at fixed points of the skin, and without
columns for identity, reflectance and focal length.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import photometric_energy
from morphface.fit.analysis.lens import View, difference
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.video.kernels import derive, place, pose_vertices
from morphface.fit.video.skin import Skin
from morphface.fit.video.state import State, span_of
from morphface.geometry.spherical_harmonics import AMBIENT, sh_basis, sh_derivative
from morphface.render import rasterize

__all__ = ["Compared", "compare", "hidden_by_others", "hidden_by_self", "pixel_terms"]

_FACING = (0.15, 0.4)  # cosine of the angle of view: below nothing counts, above all does
_BEHIND = 4.0  # millimetres behind what is seen at its pixel from which a point is hidden


@dataclass(frozen=True, eq=False)
class Compared:
    """The skin and what a frame shows of it.

    Args:
        skin: of the person.
        state: where it was compared.
        view: what it was compared with.
        points: of all vertices, in the camera frame.
        normals: of the skin's points, in the camera frame.
        areas: lengths of their area vectors.
        spots: where they are seen, in pixels of the view.
        slopes: of the frame's colours there.
        edges: of the rings.
        harmonics: of the normals.
        residual: model minus frame.
        shown: the frame's colours.
        trust: how much each point counts.
    """

    skin: Skin
    state: State
    view: View
    points: Float[np.ndarray, "V 3"]
    normals: Float[Tensor, "n 3"]
    areas: Float[Tensor, " n"]
    spots: Float[np.ndarray, "n 2"]
    slopes: Float[Tensor, "n 3 2"]
    edges: Float[np.ndarray, "N 3"]
    harmonics: Float[Tensor, "n 9"]
    residual: Float[Tensor, "n 3"]
    shown: Float[Tensor, "n 3"]
    trust: Float[Tensor, " n"]

    @property
    def share(self) -> float:
        """How much of the skin is seen."""
        return float(self.trust.sum() / self.skin.weight.sum())

    @property
    def rmse(self) -> float:
        """Root-mean-square difference of colour over what is seen."""
        square = (self.residual.square().mean(dim=1) * self.trust).sum()
        return float((square / self.trust.sum().clamp(min=1e-9)).sqrt())

    @property
    def noise(self) -> float:
        """Standard deviation of a channel, from the median length over three."""
        seen = self.residual[self.trust > 0]
        return float(seen.norm(dim=1).median()) / 1.54 if len(seen) else 1.0

    def energy(self, noise: float, worth: float) -> float:
        """The photometric energy."""
        return photometric_energy(self.residual, self.trust, noise, worth)


def compare(
    skin: Skin, state: State, view: View, image: np.ndarray, open: Float[Tensor, " n"]
) -> Compared:
    """The skin of a state beside a frame.

    Args:
        skin: of the person.
        state: of the frame.
        view: of the frame.
        image: of the view, from `image_of`.
        open: how far nothing hides each point.
    """
    rotation = state.rotation.astype(np.float32)
    shape, points = np.empty_like(skin.mean), np.empty_like(skin.mean)
    pose = (rotation, state.translation.astype(np.float32))
    pose_vertices(skin.mean, skin.basis, state.expression.astype(np.float32), pose, shape, points)
    count = len(skin.vertices)
    out = tuple(
        np.empty(shape, np.float32)
        for shape in ((count, 3), count, (count, 2), (count, 9), count, (len(skin.rings[1]), 3))
    )
    place(skin.vertices, skin.rings, (shape, points), rotation, _lens(skin, view), image, out)
    normals, areas, spots, found, facing, edges = out
    seen, cosine = torch.from_numpy(found), torch.from_numpy(facing)
    normal = torch.from_numpy(normals)
    harmonics = sh_basis(normal)
    light = torch.from_numpy(state.light).float()
    glow = harmonics @ light + AMBIENT * harmonics[:, :1]
    low, high = _FACING
    shown = seen[:, :3].contiguous()
    return Compared(
        skin=skin,
        state=state,
        view=view,
        points=points,
        normals=normal,
        areas=torch.from_numpy(areas),
        spots=spots,
        slopes=seen[:, 3:].unflatten(1, (2, 3)).transpose(1, 2),
        edges=edges,
        harmonics=harmonics,
        residual=difference((skin.albedo * glow) @ skin.mix.T, shown),
        shown=shown,
        trust=skin.weight * ((cosine - low) / (high - low)).clamp(0, 1) * open,
    )


def _lens(skin: Skin, view: View) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    lens = view.lens
    middle, corner, scale = (
        part.double().numpy() for part in (lens.principal, lens.corner, lens.scale)
    )
    return float(skin.person.camera.focal), middle, corner, scale


def pixel_terms(
    seen: Compared, scale: Float[Tensor, "n 3"]
) -> tuple[Float[np.ndarray, "P P"], Float[np.ndarray, " P"]]:
    """Curvature and slope of the energy over the columns of `span_of`.

    Args:
        seen: where to linearise.
        scale: of each residual, from `photometric_scale`.
    """
    rows = jacobian(seen, scale).flatten(0, 1).numpy()
    hessian = (rows.T @ rows).astype(np.float64)
    return hessian, (rows.T @ (seen.residual * scale).flatten().numpy()).astype(np.float64)


def jacobian(seen: Compared, scale: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3 P"]:
    """Derivatives of the residuals, scaled."""
    skin, state = seen.skin, seen.state
    span = span_of(skin.basis.shape[2])
    rotation = torch.from_numpy(state.rotation).float()
    spot = torch.from_numpy(seen.points[skin.vertices])
    across = (seen.slopes * scale[..., None]) @ _moves(seen, spot)
    turned = _by_normal(seen) * scale[..., None]
    normal = seen.normals
    tangent = torch.eye(3) - normal[:, :, None] * normal[:, None, :]
    chain = (turned @ (tangent / seen.areas[:, None, None])) @ rotation
    out = torch.empty(len(spot), 3, span.width)
    arms = spot - torch.from_numpy(state.translation).float()
    derive(
        (skin.vertices, normal.numpy(), arms.numpy()),
        skin.rings,
        seen.edges,
        skin.basis,
        rotation.numpy(),
        (across.numpy(), turned.numpy(), chain.numpy()),
        out.numpy(),
    )
    lit = scale[:, :, None] * skin.mix * skin.albedo[:, None]
    out[:, :, span.light] = (lit[:, :, None] * seen.harmonics[:, None, :, None]).flatten(2)
    return out


def _by_normal(seen: Compared) -> Float[Tensor, "n 3 3"]:
    """Colours by unit normal in the camera frame."""
    light = torch.from_numpy(seen.state.light).float()
    slopes = torch.einsum("jd,nja->nda", light, sh_derivative(seen.normals))
    return seen.skin.mix @ (seen.skin.albedo[..., None] * slopes)


def _moves(seen: Compared, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 2 3"]:
    """How spots move across the view as points move in the camera frame."""
    return seen.view.lens.slopes(points, seen.skin.person.camera.focal)


def hidden_by_self(seen: Compared) -> Float[Tensor, " n"]:
    """1 where the face itself hides a point of the skin, as a cheek behind the nose."""
    view, skin = seen.view, seen.skin
    camera = skin.person.camera
    screen = view.lens.project(torch.from_numpy(seen.points), camera.focal)
    depth = rasterize(screen[None], skin.faces, view.size).depth[0]
    height, width = view.size
    own = screen[torch.from_numpy(skin.vertices)]
    x, y = own[:, 0].long().clamp(0, width - 1), own[:, 1].long().clamp(0, height - 1)
    return (own[:, 2] > depth[y, x] + _BEHIND).float()


def hidden_by_others(seen: Compared, settings: PhotometricSettings) -> Float[Tensor, " n"]:
    """How likely something hides each point, 0 to 1: residuals are large, and so around it.

    It is `fit.analysis.occlusion.hidden`, over neighbours on the skin instead of in a picture.
    """
    length = seen.residual.norm(dim=1)
    judged = seen.trust > 0
    typical = float(length[judged].median()) if judged.any() else 0.0
    weight = seen.trust[seen.skin.near]
    root = length.clamp(min=1e-8).sqrt()[seen.skin.near]
    mean = (root * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-9)
    ratio = mean.square() / (max(typical, settings.least_cover) * settings.occlusion_scale)
    return 1 - 1 / (1 + ratio.pow(6))
