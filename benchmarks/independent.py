"""Pictures of heads whose shape is known, made by Mitsuba 3 and not by us.

Light falls off with the cosine, shadows are cast, and colours are computed in linear light and
encoded as sRGB afterwards, as a camera does: none of it is what the fit assumes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morphface.core.colour import linear_to_srgb, srgb_to_linear
from morphface.geometry.camera import Camera

__all__ = ["LAMPS", "Lamp", "Part", "picture"]

VARIANT = "scalar_rgb"  # needs no LLVM
BACKGROUND = (0.22, 0.26, 0.30)


@dataclass(frozen=True)
class Lamp:
    """A sky of one colour and one distant lamp, both in linear RGB.

    Args:
        sky: radiance from everywhere.
        sun: what a white surface that faces the lamp sends back because of it.
        towards: direction to the lamp, in the camera frame.
    """

    sky: tuple[float, float, float]
    sun: tuple[float, float, float]
    towards: tuple[float, float, float]


LAMPS = {
    "soft, from the left": Lamp((0.55, 0.55, 0.58), (0.70, 0.68, 0.62), (-0.6, 0.5, 0.8)),
    "hard, from the right": Lamp((0.30, 0.31, 0.34), (1.10, 1.02, 0.90), (0.8, 0.6, 0.7)),
}


@dataclass(frozen=True)
class Part:
    """A surface of one material.

    Args:
        vertices: in the camera frame.
        faces: vertex indices.
        colour: albedo in linear RGB, where there is no texture.
        texture: a picture file, encoded as sRGB.
        uv: texture coordinates per vertex, (0, 0) at the lower left.
        normals: per vertex, in the camera frame; None takes those of the faces around it.
        colours: albedo per vertex, in linear RGB; None takes the texture or the colour.
        relief: a picture file of tangent-space normals, green up, for a part with a texture.
    """

    vertices: Tensor
    faces: Tensor
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    texture: Path | None = None
    uv: Tensor | None = None
    normals: Tensor | None = None
    colours: Tensor | None = None
    relief: Path | None = None


def picture(
    parts: Sequence[Part],
    camera: Camera,
    lamp: Lamp,
    samples: int = 64,
    behind: Tensor | None = None,
) -> Tensor:
    """The parts before a background, H x W x 3, encoded as sRGB in [0, 1].

    Args:
        parts: what is seen.
        camera: a perspective camera with its principal point in the middle.
        lamp: what lights it.
        samples: rays a pixel.
        behind: a picture of the same size, encoded; None is a plain background.
    """
    import mitsuba as mi

    mi.set_variant(VARIANT)
    scene = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 3, "hide_emitters": True},
        "sensor": _sensor(mi, camera, samples),
        "sky": {"type": "constant", "radiance": _rgb(lamp.sky)},
        "sun": {
            "type": "directional",
            "direction": [-x for x in lamp.towards],
            "irradiance": _rgb(tuple(np.pi * x for x in lamp.sun)),
        },
    }
    for index, part in enumerate(parts):
        scene[f"part{index}"] = _mesh(mi, f"part{index}", part)
    found = torch.from_numpy(np.array(mi.render(mi.load_dict(scene), spp=samples, seed=0)))
    colour, alpha = found[..., :3], found[..., 3:].clamp(0, 1)
    wall = torch.tensor(BACKGROUND) if behind is None else srgb_to_linear(behind)
    light = colour + (1 - alpha) * wall
    return linear_to_srgb(light.clamp(0, 1))


def _sensor(mi: Any, camera: Camera, samples: int) -> dict[str, Any]:
    height, width = camera.size
    view = mi.ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0])
    return {
        "type": "perspective",
        "to_world": view,
        "fov_axis": "x",
        "fov": float(np.degrees(2 * np.arctan(width / 2 / float(camera.focal)))),
        "near_clip": 1.0,
        "far_clip": 1e5,
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "rfilter": {"type": "box"},
            "pixel_format": "rgba",
        },
        "sampler": {"type": "independent", "sample_count": samples},
    }


def _rgb(values: Sequence[float]) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(x) for x in values]}


def _mesh(mi: Any, name: str, part: Part) -> Any:
    reflectance: dict[str, Any] = _rgb(part.colour)
    if part.texture is not None:
        reflectance = {"type": "bitmap", "filename": str(part.texture)}
    if part.colours is not None:
        reflectance = {"type": "mesh_attribute", "name": "vertex_color"}
    surface: dict[str, Any] = {"type": "diffuse", "reflectance": reflectance}
    if part.relief is not None:
        bumps = {"type": "bitmap", "filename": str(part.relief), "raw": True}
        surface = {"type": "normalmap", "normalmap": bumps, "bsdf": surface}
    material = mi.load_dict({"type": "twosided", "bsdf": surface})
    properties = mi.Properties()
    properties["bsdf"] = material
    mesh = mi.Mesh(
        name,
        len(part.vertices),
        len(part.faces),
        props=properties,
        has_vertex_normals=True,
        has_vertex_texcoords=part.uv is not None,
    )
    if part.colours is not None:
        mesh.add_attribute("vertex_color", 3, part.colours.double().numpy().ravel())
    content = mi.traverse(mesh)
    content["vertex_positions"] = part.vertices.double().numpy().ravel()
    content["faces"] = part.faces.numpy().astype(np.uint32).ravel()
    if part.uv is not None:
        flipped = part.uv * torch.tensor([1.0, -1.0]) + torch.tensor([0.0, 1.0])
        content["vertex_texcoords"] = flipped.double().numpy().ravel()
    if part.normals is not None:
        content["vertex_normals"] = part.normals.double().numpy().ravel()
    content.update()
    if part.normals is None:
        mesh.recompute_vertex_normals()
    return mesh
