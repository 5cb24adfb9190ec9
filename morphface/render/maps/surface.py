"""Maps of what the surface is like at each pixel: colour, light, direction, place.

Each function gives T H W C in [0, 1], with `background` where there is no surface.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import ModelError, ParameterError
from morphface.geometry.mesh import normalized
from morphface.geometry.spherical_harmonics import irradiance, sh_basis
from morphface.models import MorphableModel
from morphface.render.backends import threads
from morphface.render.detail import detail_at, detailed_normals
from morphface.render.interpolate import interpolate
from morphface.render.maps.scene import Scene

__all__ = [
    "BRIGHTEST",
    "DEPTH_REACH",
    "DETAIL_REACH",
    "albedo",
    "check_albedo",
    "check_uv",
    "depth",
    "detail",
    "interpolated",
    "light",
    "mask",
    "normal",
    "over",
    "standing_out",
    "uv",
]

BRIGHTEST = 2.0
"""Light that is 1 in the map of shading; 0.5 there shows the albedo as it is."""
DEPTH_REACH = 250.0
"""Millimetres in front of and behind the head's origin that are 1 and 0 in the map of depth."""
DETAIL_REACH = 2.0
"""Millimetres out of and into the surface that are 1 and 0 in the map of detail."""


def check_albedo(model: MorphableModel, name: str, given: Tensor | None) -> None:
    """Refuse a map that needs colours.

    Raises:
        ModelError: neither the model nor the caller has any.
    """
    if model.reflectance is None and given is None:
        raise ModelError(
            f"map {name!r} needs reflectance, and model {model.name!r} has none, only shape; "
            "pass the colours of its vertices as albedo="
        )


def check_uv(model: MorphableModel) -> None:
    """Refuse the map of texture coordinates.

    Raises:
        ModelError: the model has none.
    """
    if model.uv is None:
        raise ModelError(f"map 'uv' needs texture coordinates, and model {model.name!r} has none")


def light(
    scene: Scene, background: float, *, diffuse: bool, shading: bool
) -> dict[str, Float[Tensor, "T H W 3"]]:
    """The maps "diffuse" (albedo times irradiance) and "shading" (irradiance alone)."""
    wanted = {"diffuse": diffuse, "shading": shading}
    if scene.vertices.device.type == "cpu" and scene.detail is None:
        out = {
            name: torch.full(
                (*(scene.fragments.face.shape if wanted[name] else (0, 0, 0)), 3), empty
            )
            for name, empty in (("diffuse", background), ("shading", background * BRIGHTEST))
        }
        _shade(scene, out["diffuse"], out["shading"])
    else:
        out = _shaded(scene, background)
    out["shading"] = out["shading"] / BRIGHTEST
    return {name: out[name].clamp_(0, 1) for name in wanted if wanted[name]}


def albedo(scene: Scene, background: float) -> Float[Tensor, "T H W 3"]:
    """Colours under even light."""
    return interpolated(scene, _colours(scene)[None], scene.model.faces, background)


def normal(scene: Scene, background: float) -> Float[Tensor, "T H W 3"]:
    """Unit normals in the camera frame; -1 to 1 becomes 0 to 1."""
    return over(scene, _directions(scene) * 0.5 + 0.5, background)


def detail(scene: Scene, background: float) -> Float[Tensor, "T H W 1"]:
    """How far relief stands out: 1 is `DETAIL_REACH` out of the mesh, 0.5 on it, 0 within."""
    if scene.detail is None:
        raise ParameterError("there is no relief")
    height = detail_at(scene.model, scene.detail.displacement[..., None], scene.fragments)
    return over(scene, standing_out(height), background)


def standing_out(height: Tensor) -> Tensor:
    """Heights in millimetres as values of the map "detail"."""
    return height / (2 * DETAIL_REACH) + 0.5


def depth(scene: Scene, background: float) -> Float[Tensor, "T H W 1"]:
    """How near: 1 is `DEPTH_REACH` in front of the head's origin, 0.5 beside it, 0 behind it."""
    origin = -scene.parameters.translation[:, 2, None, None]
    ahead = (origin - scene.fragments.depth) / (2 * DEPTH_REACH) + 0.5
    return torch.where(scene.fragments.mask, ahead.clamp(0, 1), background)[..., None]


def mask(scene: Scene) -> Float[Tensor, "T H W 1"]:
    """Where the surface is."""
    return scene.fragments.mask[..., None].float()


def uv(scene: Scene, background: float) -> Float[Tensor, "T H W 2"]:
    """Texture coordinates, over the number of unit tiles that they span where that is several."""
    coordinates = scene.model.uv
    if coordinates is None:
        raise ModelError("the model has no texture coordinates")
    coordinates = coordinates / coordinates.amax(0).ceil().clamp(min=1)
    corners = scene.model.faces if scene.model.uv_faces is None else scene.model.uv_faces
    return interpolated(scene, coordinates[None], corners, background)


def interpolated(
    scene: Scene, values: Float[Tensor, "#T N C"], corners: Int[Tensor, "F 3"], background: float
) -> Float[Tensor, "T H W C"]:
    """Values at the corners of faces, blended over the pixels."""
    blended = interpolate(values, corners, scene.fragments)
    return blended.clamp_(0, 1) if background == 0.0 else over(scene, blended, background)


def over(
    scene: Scene, values: Float[Tensor, "T H W C"], background: float
) -> Float[Tensor, "T H W C"]:
    """Values on the surface, `background` elsewhere."""
    return torch.where(scene.fragments.mask[..., None], values, background).clamp_(0, 1)


def _directions(scene: Scene) -> Float[Tensor, "T H W 3"]:
    """Unit normals, with relief where there is any."""
    plain = normalized(interpolate(scene.normals, scene.model.faces, scene.fragments))
    if scene.detail is None:
        return plain
    return detailed_normals(scene.model, scene.detail, scene.vertices, plain, scene.fragments)


def _colours(scene: Scene) -> Float[Tensor, "V 3"]:
    if scene.albedo is None:
        return scene.model.albedo(scene.parameters.reflectance)[0]
    return scene.albedo


def _shade(scene: Scene, diffuse: Tensor, shading: Tensor) -> None:
    """Compiled: writes what is on the surface."""
    from morphface.render.maps import kernels

    colours = _colours(scene) if len(diffuse) else scene.vertices[0, :1]
    found = scene.fragments
    tensors = (
        *(scene.normals, colours, scene.model.faces),
        *(found.face, found.barycentric, _folded(scene.parameters.illumination)),
    )
    arrays = [tensor.contiguous().numpy() for tensor in tensors]
    threads.run(kernels.shade, threads.split(), *arrays, shading.numpy(), diffuse.numpy())


def _folded(illumination: Float[Tensor, "T 9 3"]) -> Float[Tensor, "T 10 3"]:
    """What multiplies 1, y, z, x, xy, yz, 3zz-1, xz and xx-yy, and what no light takes away."""
    x, y, z = torch.tensor(
        [[0, 0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 0, 1, 1, 0, 0, 0], [0, 0, 1, 0, 0, 1, 1, 1, 0]]
    ).float()
    constants = sh_basis(torch.stack([x, y, z], dim=-1)).diagonal().clone()
    constants[6] /= 2  # 3zz-1 there
    unlit = irradiance(torch.zeros(9, 3), torch.zeros(1, 3))
    folded = illumination * constants[:, None]
    return torch.cat([folded, unlit.expand(len(folded), 1, 3)], dim=1)


def _shaded(scene: Scene, background: float) -> dict[str, Tensor]:
    """The same in plain torch."""
    faces, found = scene.model.faces, scene.fragments
    normals = _directions(scene)
    amount = irradiance(scene.parameters.illumination, normals.flatten(1, 2)).clamp(min=0)
    shading = amount.unflatten(1, normals.shape[1:3])
    mask, colours = found.mask[..., None], shading
    if scene.albedo is not None or scene.model.reflectance is not None:
        colours = interpolate(_colours(scene)[None], faces, found) * shading
    return {
        "diffuse": torch.where(mask, colours, background),
        "shading": torch.where(mask, shading, background * BRIGHTEST),
    }
