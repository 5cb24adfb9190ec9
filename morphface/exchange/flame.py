"""A face of FLAME as VHAP and GaussianAvatars want it: parameters frame by frame, and a camera.

Their files, as their public sources read and write them: `flame_param/00000.npz` for each frame
with `shape` (300), `expr` (1, 100), `rotation`, `neck_pose`, `jaw_pose` and `translation` (1, 3),
`eyes_pose` (1, 6; the left eye first) and `static_offset` (1, V, 3), in metres and rotation
vectors, the root's about its own joint; `canonical_flame_param.npz`; and `transforms.json` in the
manner of NeRF with camera-to-world matrices in OpenGL's axes. The world is that of the camera,
moved so that the head is at its origin on average.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from morphface.core.errors import ModelError, ParameterError
from morphface.core.files import atomic_write, write_json
from morphface.exchange.clip import Clip
from morphface.models import ArticulatedModel, gaze_rotation

__all__ = ["flame_parameters", "image_name", "is_flame", "mask_name", "write_flame_track"]

_SHAPE, _EXPRESSION = 300, 100
_METRES = 1e-3
_PARENTS, _TURNED = (-1, 0, 1, 1, 1), (1, 2)
_OPEN = 0.3  # radians that the jaw of the canonical head is open, as VHAP has it
_HELD_OUT = 10  # one of so many frames at the end is for validation, and one for tests


def is_flame(clip: Clip) -> bool:
    """Whether the clip's model has the joints of FLAME."""
    rig = getattr(clip.model, "rig", None)
    return rig is not None and (rig.parents, rig.turned) == (_PARENTS, _TURNED)


def flame_parameters(clip: Clip) -> dict[str, Float[np.ndarray, "..."]]:
    """The parameters of FLAME by the names of VHAP, one row a frame; `shape` has none.

    Vertices of FLAME with them are those of the clip in the camera frame, in metres.

    Args:
        clip: of a FLAME model.

    Raises:
        ModelError: the model is not FLAME, its file does not say where its origin was, or it has
            more than 300 identities or 100 expressions.
    """
    model = clip.model
    if not (is_flame(clip) and isinstance(model, ArticulatedModel)):
        raise ModelError(
            f"a track of FLAME needs a FLAME model, and this one is of {model.name!r}: name your "
            "FLAME file as flame=, in the command line --flame"
        )
    rig, face = model.rig, clip.parameters
    if rig.origin is None:
        raise ModelError(
            f"model {model.name!r} does not say where FLAME's origin is: convert FLAME's file anew"
        )
    linear = face.expression[:, : rig.linear]
    turns = pad(face.expression[:, rig.linear :], (0, rig.turns))[:, : rig.turns]
    if face.identity.shape[1] > _SHAPE or linear.shape[1] > _EXPRESSION:
        raise ModelError(
            f"a track of FLAME has up to {_SHAPE} identities and {_EXPRESSION} expressions, got "
            f"{face.identity.shape[1]} and {linear.shape[1]}"
        )
    root = rig.places(face.identity, linear)[:, 0]
    turned = (roma.rotvec_to_rotmat(face.rotation) @ root[..., None])[..., 0]
    eyes = torch.zeros(clip.frames, 2, 3)
    for side, joint in enumerate(rig.eyes):
        eyes[:, joint - 3] = roma.rotmat_to_rotvec(gaze_rotation(face.gaze[:, side]))
    signs = torch.tensor([-1.0, 1.0, 1.0])  # FLAME's pitch is down
    groups = {
        "expr": _filled(linear, _EXPRESSION),
        "rotation": face.rotation,
        "neck_pose": turns[:, :3] * signs,
        "jaw_pose": turns[:, 3:] * signs,
        "eyes_pose": eyes.flatten(1),
        "translation": (turned + face.translation - root - rig.origin) * _METRES,
    }
    found = {name: values.numpy().astype(np.float32) for name, values in groups.items()}
    found["shape"] = _filled(face.identity, _SHAPE)[0].numpy().astype(np.float32)
    found["static_offset"] = np.zeros((1, model.size, 3), np.float32)
    return found


def image_name(row: int) -> str:
    """Where the picture of a frame is wanted."""
    return f"images/{row:05d}_00.png"


def mask_name(row: int) -> str:
    """Where the mask of a frame is wanted."""
    return f"fg_masks/{row:05d}_00.png"


def write_flame_track(folder: Path, clip: Clip, pictures: Sequence[int] = ()) -> None:
    """Write the parameters of all frames, and the camera.

    The frames are numbered from 0; `timestep_index_original` is the number in the video. Of ten
    parts of the clip the last two are for validation and for tests (`transforms_val.json`,
    `transforms_test.json`), the rest is for training.

    Args:
        folder: where to.
        clip: of a FLAME model.
        pictures: rows of the clip whose picture and mask lie, or will lie, where `image_name` and
            `mask_name` say; they alone get a mask's path.

    Raises:
        ModelError: as in `flame_parameters`.
        ParameterError: the camera is not a perspective one.
        OutputError: the files cannot be written there.
    """
    if clip.camera.weak_depth is not None:
        raise ParameterError("a track of FLAME needs a perspective camera, got a weak one")
    values = flame_parameters(clip)
    middle = values["translation"].mean(axis=0)
    values["translation"] = values["translation"] - middle
    for row in range(clip.frames):
        _write_arrays(folder / "flame_param" / f"{row:05d}.npz", _of_row(values, row))
    _write_arrays(folder / "canonical_flame_param.npz", _canonical(values))
    frames = [_frame(clip, row, middle, row in set(pictures)) for row in range(clip.frames)]
    for name, part in _divided(frames).items():
        shared = _camera(clip) | {
            "frames": part,
            "timestep_indices": [frame["timestep_index"] for frame in part],
            "camera_indices": [0],
        }
        write_json(folder / f"{name}.json", shared)


def _filled(values: Float[Tensor, "T K"], count: int) -> Float[Tensor, "T C"]:
    return pad(values, (0, count - values.shape[1]))


def _of_row(values: dict[str, np.ndarray], row: int) -> dict[str, np.ndarray]:
    whole = ("shape", "static_offset")
    return {n: v if n in whole else v[row : row + 1] for n, v in values.items()}


def _canonical(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The person at rest, with an open mouth."""
    first = _of_row(values, 0)
    kept = ("shape", "static_offset")
    still = {n: v if n in kept else np.zeros_like(v) for n, v in first.items()}
    return still | {"jaw_pose": np.array([[_OPEN, 0.0, 0.0]], np.float32)}


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with atomic_write(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _camera(clip: Clip) -> dict[str, Any]:
    height, width = clip.camera.size
    focal = float(clip.camera.focal.reshape(()))
    cx, cy = clip.camera.principal.reshape(2).tolist()
    return {
        "cx": cx,
        "cy": cy,
        "fl_x": focal,
        "fl_y": focal,
        "h": height,
        "w": width,
        "camera_angle_x": 2 * math.atan(width / (2 * focal)),
        "camera_angle_y": 2 * math.atan(height / (2 * focal)),
    }


def _frame(clip: Clip, row: int, middle: np.ndarray, pictured: bool) -> dict[str, Any]:
    matrix = np.eye(4)
    matrix[:3, 3] = -middle
    frame = {
        "timestep_index": row,
        "timestep_index_original": int(clip.indices[row]),
        "timestep_id": f"frame_{int(clip.indices[row]):05d}",
        "camera_index": 0,
        "camera_id": "0",
        **_camera(clip),
        "transform_matrix": matrix.tolist(),
        "file_path": image_name(row),
        "flame_param_path": f"flame_param/{row:05d}.npz",
    }
    return frame | ({"fg_mask_path": mask_name(row)} if pictured else {})


def _divided(frames: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The frames of each file: all of a clip that is too short to be divided."""
    part = len(frames) // _HELD_OUT
    names = ("transforms_train", "transforms_val", "transforms_test")
    if not part:
        return dict.fromkeys(("transforms", *names), frames)
    end = len(frames)
    parts = (frames[: end - 2 * part], frames[end - 2 * part : end - part], frames[end - part :])
    return {"transforms": frames, **dict(zip(names, parts, strict=True))}
