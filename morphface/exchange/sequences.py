"""A mesh a frame, and maps as plain arrays: what other programs read without knowing ours."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from morphface.core.errors import ParameterError
from morphface.core.files import atomic_write, output_folder
from morphface.exchange.clip import Clip
from morphface.geometry.mesh import vertex_normals
from morphface.media.meshes import Surface, write_obj, write_ply
from morphface.render.maps import DVP, render_maps

__all__ = ["MESHES", "write_maps", "write_meshes"]

MESHES = {"obj": write_obj, "ply": write_ply}
"""Who writes a mesh, by the ending of its file."""
_TOGETHER = 4  # frames that are drawn in one go


def write_meshes(folder: str | Path, clip: Clip, ending: str) -> None:
    """Write a mesh for each frame, `frame_00000.obj` and so on, and `poses.json`.

    All have the same vertices and faces in the same order. They are in the model frame, in
    millimetres: `poses.json` has for each of them its time and the matrix to the camera frame
    (+x right, +y up, +z towards the viewer), row by row.

    Args:
        folder: where to.
        clip: whose face.
        ending: one of `MESHES`.

    Raises:
        ParameterError: the ending is unknown.
        OutputError: the files cannot be written there.
    """
    if ending not in MESHES:
        raise ParameterError(f"ending must be one of {', '.join(MESHES)}, got {ending!r}")
    model, face = clip.model, clip.parameters
    colours = None if model.reflectance is None else model.albedo(face.reflectance[0])
    with output_folder(folder) as place:
        for k in range(clip.frames):
            vertices = clip.vertices(k)
            surface = Surface(
                vertices=vertices,
                faces=model.faces,
                normals=vertex_normals(vertices, model.faces),
                colours=colours,
            )
            MESHES[ending](place / f"frame_{k:05d}.{ending}", surface)
        _write_json(place / "poses.json", {"unit": "mm", "frames": _poses(clip, ending)})


def write_maps(folder: str | Path, clip: Clip, names: Sequence[str] = DVP) -> None:
    """Write each map of all frames as one array of float32, T x H x W x C: `diffuse.npy`.

    `maps.json` says the times of the frames.

    Args:
        folder: where to.
        clip: whose face.
        names: which maps, as of `render_maps`.

    Raises:
        ParameterError: a name is unknown.
        ModelError: the model lacks what a map shows.
        OutputError: the files cannot be written there.
    """
    arrays: dict[str, np.memmap] = {}
    with output_folder(folder) as place:
        for start in range(0, clip.frames, _TOGETHER):
            some = slice(start, start + _TOGETHER)
            drawn = render_maps(clip.model, clip.parameters[some], clip.camera, names)
            for name in drawn.names:
                values = drawn[name].numpy()
                if name not in arrays:
                    arrays[name] = np.lib.format.open_memmap(
                        place / f"{name}.npy",
                        mode="w+",
                        dtype=np.float32,
                        shape=(clip.frames, *values.shape[1:]),
                    )
                arrays[name][some] = values
        for array in arrays.values():
            array.flush()
        arrays.clear()
        _write_json(
            place / "maps.json",
            {"maps": list(names), "axes": "T H W C", "times": clip.times.tolist()},
        )


def _poses(clip: Clip, ending: str) -> list[dict[str, Any]]:
    out = []
    for k in range(clip.frames):
        face = clip.parameters[k]
        turn = roma.rotvec_to_rotmat(face.rotation[0])
        matrix = torch.cat([turn, face.translation[0][:, None]], dim=1)
        rows = [*matrix.tolist(), [0.0, 0.0, 0.0, 1.0]]
        name = f"frame_{k:05d}.{ending}"
        time, seen = float(clip.times[k]), bool(clip.seen[k])
        out.append({"file": name, "time": time, "seen": seen, "head_to_camera": rows})
    return out


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
