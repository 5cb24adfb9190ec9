"""From parameters to maps: one pass over the geometry, then each map that is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.backends import threads
from morphface.render.detail import Detail
from morphface.render.maps import code, surface
from morphface.render.maps.gaze import GazeStyle, check_gaze, draw_gaze
from morphface.render.maps.mapset import MapSet
from morphface.render.maps.names import DVP, check_names
from morphface.render.maps.parsing import check_regions, parsing
from morphface.render.maps.scene import Scene, camera_of, check_camera, check_fit, scene_of

__all__ = ["render_maps"]

TOGETHER = 4  # frames that are drawn in one go: bounds the memory beside the result


def render_maps(
    model: MorphableModel,
    parameters: FaceParameters,
    camera: Camera,
    names: Sequence[str] = DVP,
    *,
    albedo: Float[Tensor, "V 3"] | None = None,
    detail: Detail | None = None,
    signed: bool = False,
    background: float = 0.0,
    gaze_style: str | GazeStyle = "dvp",
    backend: str = "auto",
) -> MapSet:
    """Maps of a face in T frames, without gradients; a frame has the same values in any batch.

    - "diffuse": albedo times light, as `shade_sh` has it, clamped to [0, 1].
    - "correspondence": place in the mean shape, the same colours for all faces (PNCC, NMFC);
      "correspondence_flat" has one colour a face, "face_index" its number in 24 bits.
    - "gaze": openings of the eyes, and irises in them.
    - "normal": x, y and z in the camera frame; -1 to 1 is 0 to 1.
    - "depth": 1 is 250 mm nearer than the head's origin, 0 as much farther.
    - "mask": 1 on the head. "uv": texture coordinates, over the tiles that they span.
    - "albedo": colours without light. "shading": light without colours, 1 for twice the light
      that shows the albedo as it is.
    - "detail": how far relief stands out of the mesh: 1 is 2 mm, 0.5 none, 0 as much into it.
    - "parsing": number of the label in `LABELS`, over 255.

    Args:
        model: that the parameters belong to.
        parameters: of the frames.
        camera: one for all frames, or one for each.
        names: which maps, in the order of the result.
        albedo: colours of the vertices instead of the model's reflectance.
        detail: relief on the surface, as `fit_detail` finds it: "normal", "shading" and "diffuse"
            then show it, and "detail" its height.
        signed: values from -1 to 1 instead of from 0 to 1; a background of 0 becomes -1.
        background: value where there is no surface, from 0 to 1; "mask", "parsing" and
            "face_index" have 0.
        gaze_style: "dvp" (white, blue disc), "head2head" (white line, red disc) or a `GazeStyle`.
        backend: as in `rasterize`.

    Raises:
        ParameterError: a name, the style or the background is none of these, or the parameters
            are those of another model.
        ModelError: the model lacks what a map shows.
        ShapeError: `albedo` has not one row for each vertex, or `camera` not one for each frame.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    check_names(names)
    if not 0.0 <= background <= 1.0:
        raise ParameterError(f"background must be from 0 to 1, got {background:g}")
    check_fit(model, parameters)
    check_camera(camera, parameters.frames)
    if albedo is not None:
        _check_colours(model, albedo)
    if "detail" in names and detail is None:
        raise ParameterError(
            "map 'detail' needs relief; find it with fit_detail, then pass it as detail="
        )
    style = _check_model(model, names, albedo, gaze_style)
    with torch.no_grad(), threads.kernels_alone():
        how = _How(names, style, background, albedo, detail, backend)
        maps = _in_parts(model, parameters, camera, how)
        if signed:
            maps = {name: values.mul_(2).sub_(1) for name, values in maps.items()}
    return MapSet(maps, signed, background, model.name)


@dataclass(frozen=True)
class _How:
    """What `render_maps` was asked for."""

    names: tuple[str, ...]
    style: GazeStyle | None
    background: float
    albedo: Tensor | None
    detail: Detail | None
    backend: str


def _in_parts(
    model: MorphableModel, parameters: FaceParameters, camera: Camera, how: _How
) -> dict[str, Tensor]:
    """The maps of all frames, unsigned."""
    frames = parameters.frames
    if frames <= TOGETHER:
        return _drawn(scene_of(model, parameters, camera, how.albedo, how.backend), how)
    maps: dict[str, Tensor] = {}
    for start in range(0, frames, TOGETHER):
        some = slice(start, start + TOGETHER)
        own = camera_of(camera, some)
        scene = scene_of(model, parameters[some], own, how.albedo, how.backend)
        for name, values in _drawn(scene, how).items():
            if not start:
                maps[name] = values.new_empty(frames, *values.shape[1:])
            maps[name][some] = values
    return maps


def _drawn(scene: Scene, how: _How) -> dict[str, Tensor]:
    """The maps of a few frames, unsigned."""
    scene = replace(scene, detail=how.detail)
    names, background = how.names, how.background
    plain = {
        "correspondence": code.correspondence,
        "correspondence_flat": code.correspondence_flat,
        "normal": surface.normal,
        "depth": surface.depth,
        "uv": surface.uv,
        "albedo": surface.albedo,
        "detail": surface.detail,
    }
    fixed = {"mask": surface.mask, "parsing": parsing, "face_index": code.face_index}
    out = {name: plain[name](scene, background) for name in names if name in plain}
    out |= {name: fixed[name](scene) for name in names if name in fixed}
    wanted = {name: name in names for name in ("diffuse", "shading")}
    if any(wanted.values()):
        out |= surface.light(scene, background, **wanted)
    if how.style is not None:
        out["gaze"] = draw_gaze(scene, how.style, background)
    return {name: out[name] for name in names}


def _check_colours(model: MorphableModel, albedo: Tensor) -> None:
    check_shape("albedo", albedo, model.size, 3)
    if albedo.ndim != 2:
        raise ShapeError(f"albedo must have 2 axes, got {tuple(albedo.shape)}")
    check_finite("albedo", albedo)


def _check_model(
    model: MorphableModel,
    names: tuple[str, ...],
    albedo: Tensor | None,
    gaze_style: str | GazeStyle,
) -> GazeStyle | None:
    """Refuses maps that the model has nothing for; the style of the map of gaze, if it is one."""
    for name in {"diffuse", "albedo"} & set(names):
        surface.check_albedo(model, name, albedo)
    checks = {"uv": surface.check_uv, "parsing": check_regions, "face_index": code.check_faces}
    for name in set(checks) & set(names):
        checks[name](model)
    return check_gaze(model, gaze_style) if "gaze" in names else None
