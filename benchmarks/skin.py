"""Heads with skin that no fit of ours can have made: fine mottles, moles and strands of brows.

The detail is a function of the place on the mean head, evaluated at each pixel, so that it is as
fine as the picture is and the same from every side.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.bench_linear_fit import Head, shape
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import MorphableModel
from morphface.render import interpolate, rasterize

__all__ = ["Skin", "photograph"]

FINER = 2


@dataclass(frozen=True)
class Skin:
    """Detail over a head.

    Args:
        waves: wave vectors, radians a millimetre.
        phases: of the waves.
        sizes: of the waves, as parts of the albedo.
        moles: their places on the mean head.
        spread: their radii in millimetres.
        dark: how much darker each is.
    """

    waves: Tensor
    phases: Tensor
    sizes: Tensor
    moles: Tensor
    spread: Tensor
    dark: Tensor

    @classmethod
    def drawn(cls, model: MorphableModel, rng: torch.Generator) -> "Skin":
        """Mottles of 2 to 12 mm, and a dozen moles on the face."""
        length = 2 * 6 ** torch.rand(48, 1, generator=rng)
        waves = normalize(torch.randn(48, 3, generator=rng), dim=-1) * 2 * torch.pi / length
        face = torch.nonzero(model.regions["face"] > 0.5)[:, 0]
        chosen = face[torch.randint(len(face), (12,), generator=rng)]
        return cls(
            waves,
            torch.rand(48, generator=rng) * 6.28,
            0.02 * torch.rand(48, generator=rng),
            model.identity.mean[chosen],
            0.7 + 1.2 * torch.rand(12, generator=rng),
            0.3 + 0.5 * torch.rand(12, generator=rng),
        )

    def over(self, albedo: Tensor, places: Tensor, brows: Tensor) -> Tensor:
        """The albedo with its detail.

        Args:
            albedo: N 3.
            places: of these points on the mean head, N 3.
            brows: how far they are brows, N 1.
        """
        mottle = torch.sin(places @ self.waves.T + self.phases) @ self.sizes
        away = torch.cdist(places, self.moles)
        moles = 1 - (self.dark * torch.exp(-((away / self.spread) ** 2))).amax(-1)
        strands = torch.sin(places @ torch.tensor([4.0, 1.5, 0.0])) * 0.25
        factor = (1 + mottle) * moles * (1 + strands * brows[:, 0])
        return albedo * factor[:, None]


def photograph(
    model: MorphableModel, head: Head, skin: Skin, behind: Tensor
) -> tuple[Tensor, Tensor]:
    """A picture in 8 bits, twice as fine as it is seen, and the mask of its face.

    Args:
        model: that made the head.
        head: parameters and camera.
        skin: detail.
        behind: what is behind the head, of the camera's size.
    """
    p, camera, (height, width) = head.parameters, head.camera, head.camera.size
    vertices = to_camera(shape(model, p)[None], p.rotation, p.translation)
    screen = camera.project(vertices) * torch.tensor([FINER, FINER, 1.0])
    found = rasterize(screen, model.faces, (height * FINER, width * FINER))
    regions = torch.stack([model.regions[name] for name in ("brows", "face", "eyeballs")], dim=-1)
    values = [
        model.albedo(p.reflectance),
        vertex_normals(vertices, model.faces),
        model.identity.mean[None],
        regions[None],
    ]
    mask = found.mask[0]
    seen = interpolate(torch.cat(values, dim=-1), model.faces, found)[0][mask]
    albedo, normals, places, parts = seen.split([3, 3, 3, 3], dim=-1)
    albedo = torch.where(parts[:, 2:] > 0.5, albedo, skin.over(albedo, places, parts[:, :1]))
    colour = albedo * irradiance(p.illumination, normalize(normals, dim=-1)[None])[0]
    image = behind.repeat_interleave(FINER, 0).repeat_interleave(FINER, 1)
    image[mask] = colour.clamp(0, 1)
    face = torch.zeros_like(mask)
    face[mask] = parts[:, 1:].amax(-1) > 0.5
    return _halved(image).mul(255).round() / 255, _halved(face[..., None].float())[..., 0] > 0.99


def _halved(image: Tensor) -> Tensor:
    height, width = image.shape[0] // FINER, image.shape[1] // FINER
    return image.view(height, FINER, width, FINER, -1).mean(dim=(1, 3))
