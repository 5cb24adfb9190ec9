"""GNM Head v3 of Google (2026), `gnm_head.npz`: a whole head learned from scans.

What the file has: metres; +x to the subject's left, +y up, +z out of the face; 17,821 vertices of
skin, eyes, teeth and tongue; joints of neck, head and both eyes; 253 identities (170 of the head, 3
of the eyes, 80 of the teeth) and 383 expressions, all in standard deviations, with names; masks of
vertices. No reflectance.

What becomes of it: millimetres, the origin between the eyes' joints. The neck does not turn, since
that is the head's pose. Nor does the head on it, unless that is asked for: then three rotations in
radians come after the expressions, which a fit cannot tell from the pose. Eyeballs turn with the
gaze. Identities of the teeth are left out unless they are asked for: no photo tells them, and large
values push teeth through cheeks. Tongue and pupils are bounded for the same reason. Texture
coordinates are left out, since those of different parts lie upon each other.

The layout is that of the public source of google/GNM. It was tried on files written in that layout,
not on the vendor's own.
"""

import numpy as np
import torch
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.articulated import ArticulatedModel, Rig
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.readers.arrays import naming
from morphface.models.readers.assembly import triangles, vertices
from morphface.models.readers.content import Content
from morphface.models.readers.eyeballs import eyeballs
from morphface.models.readers.npz import read_npz

__all__ = ["NAME", "ROTATIONS", "read", "recognises"]

NAME = "a GNM head (.npz)"
ROTATIONS = {"head_pitch": (-0.8, 0.8), "head_yaw": (-1.2, 1.2), "head_roll": (-0.7, 0.7)}
"""The rotations of the head on its neck, and their bounds in radians."""

_NEEDED = (
    *("version", "variant", "template_vertex_positions", "template_joint_positions"),
    *("vertex_identity_basis", "joint_identity_basis", "expression_basis", "identity_names"),
    *("expression_names", "joint_names", "joint_parent_indices", "skinning_weights", "quads"),
    *("triangles", "quad_uvs", "triangle_uvs", "mesh_component_names", "mirror_indices"),
    *("joint_regressor", "vertex_groups", "vertex_group_names"),
)
_OPTIONAL = ("pose_correctives_regressor", "bone_aligned_template_joint_orientations")
_METRE = 1000.0
_LARGEST = 1e6
_JOINTS, _HEAD = 4, 1
_TEETH = "teeth_"
_BOUNDED = ("tongue_", "pupils_", "eyeballs_")
_REACH = 2.0
"""Standard deviations that expressions of tongue and pupils reach; typical values go to 3."""


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    telling = ("template_vertex_positions", "vertex_identity_basis", "expression_basis")
    return content.kind == "npz" and content.has(*telling)


def read(content: Content, *, teeth: bool = False, turns: bool = False) -> ArticulatedModel:
    """Read a GNM head.

    Args:
        content: the file.
        teeth: keep the identities of the teeth, which are unbounded.
        turns: let expressions turn the head on its neck, too.

    Raises:
        ModelError: the file is of another version, lacks an array or has an unknown one, or its
            parts do not belong together.
    """
    with naming(content.path):
        _check_names(content)
        arrays = read_npz(content.path, (*_NEEDED, *_OPTIONAL))
        _check_version(arrays)
        return _assemble(_Parts(arrays), teeth, (_HEAD,) if turns else ())


class _Parts:
    """The arrays of the file, checked for their shapes."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.values = arrays
        self.size = len(self.array("template_vertex_positions", None, 3))

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        """The values of that name, with the axes of `shape`; None admits any size."""
        value = self.values[name]
        fits = value.ndim == len(shape) and all(
            want in (None, got) for want, got in zip(shape, value.shape, strict=True)
        )
        if not fits or value.dtype.kind not in "iuf":
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ModelError(
                f"its {name} must be numbers of shape ({wanted}), got {value.dtype} {value.shape}"
            )
        with np.errstate(invalid="ignore"):
            if not bool((np.abs(value) < _LARGEST).all()):
                raise ModelError(f"its {name} has numbers that are not finite, or too large")
        return value

    def metres(self, name: str, *shape: int | None) -> Tensor:
        """Positions or displacements in millimetres."""
        values = self.array(name, *shape)
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)) * _METRE

    def names(self, name: str, count: int) -> tuple[str, ...]:
        """A list of names, of which there must be so many."""
        value = self.values[name]
        if value.dtype.kind not in "SU" or value.shape != (count,):
            raise ModelError(f"its {name} must be {count} names, got {value.dtype} {value.shape}")
        return _texts(name, value)


def _texts(name: str, value: np.ndarray) -> tuple[str, ...]:
    try:
        plain = np.char.decode(value, "latin-1") if value.dtype.kind == "S" else value
        return tuple(str(item) for item in plain.ravel().tolist())
    except ValueError:  # a damaged character
        raise ModelError(f"its {name} holds no text") from None


def _check_names(content: Content) -> None:
    missing = sorted(set(_NEEDED) - content.names)
    extra = sorted(content.names - {*_NEEDED, *_OPTIONAL})
    if missing or extra:
        what = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(extra[:6])}"
        raise ModelError(f"it is no GNM head of version 3: it {what}")


def _check_version(arrays: dict[str, np.ndarray]) -> None:
    (version, *_) = *_texts("version", arrays["version"]), "none"
    if version.split(".")[0] != "3":
        raise ModelError(
            f"it is a GNM of version {version[:20]!r}, and 3 is read; update morphface"
        )


def _assemble(parts: _Parts, teeth: bool, turned: tuple[int, ...]) -> ArticulatedModel:
    identities = parts.array("vertex_identity_basis", None, parts.size, 3).shape[0]
    named = parts.names("identity_names", identities)
    kept = [k for k, name in enumerate(named) if teeth or not name.startswith(_TEETH)]
    mean = parts.metres("template_vertex_positions", parts.size, 3)
    joints = parts.metres("template_joint_positions", _JOINTS, 3)
    eyes = _eye_joints(parts, joints)
    origin = joints[list(eyes)].mean(dim=0)
    directions = parts.metres("vertex_identity_basis", identities, parts.size, 3)[kept]
    moved = parts.metres("joint_identity_basis", identities, _JOINTS, 3)[kept]
    linear = parts.metres("expression_basis", None, parts.size, 3)
    rig = Rig(
        parents=_parents(parts),
        joints=LinearBasis(joints - origin, moved),
        moves=torch.zeros(len(linear), _JOINTS, 3),
        weights=_weights(parts),
        correctives=_correctives(parts),
        turned=turned,
        eyes=eyes,
        origin=origin,
    )
    centred = mean - origin
    faces = torch.from_numpy(triangles(parts.array("triangles", None, 3), parts.size, first=0))
    return ArticulatedModel(
        name="gnm",
        identity=LinearBasis(centred, directions),
        expression=_expression(rig, centred, linear, parts),
        faces=faces,
        mirror=_mirror(parts),
        regions=_regions(parts),
        eyes=eyeballs(rig, centred),
        rig=rig,
    )


def _expression(rig: Rig, mean: Tensor, linear: Tensor, parts: _Parts) -> ExpressionBasis:
    names = parts.names("expression_names", len(linear))
    bounds = torch.tensor([[-torch.inf, torch.inf]]).repeat(len(linear), 1)
    for k, name in enumerate(names):
        if name.startswith(_BOUNDED):
            bounds[k] = torch.tensor([-_REACH, _REACH])
    if not rig.turned:
        return ExpressionBasis(linear, names, bounds)
    turning = rig.turning(torch.zeros(rig.turns), mean, rig.joints.mean)
    reach = torch.tensor(list(ROTATIONS.values()))
    both = torch.cat([linear, turning])
    return ExpressionBasis(both, (*names, *ROTATIONS), torch.cat([bounds, reach]))


def _eye_joints(parts: _Parts, joints: Tensor) -> tuple[int, int]:
    """The joints that have an eye in their names, the left one first, which has the larger x."""
    names = parts.names("joint_names", _JOINTS)
    found = [k for k, name in enumerate(names) if "eye" in name.lower()]
    if len(found) != 2 or found[0] < 2:
        raise ModelError(f"its joints must be neck, head and two eyes, got {', '.join(names)}")
    ahead = float(joints[found, 2].mean() - joints[_HEAD, 2])
    if ahead <= 0:
        raise ModelError("its eyes lie behind its head: the axes of the file are others")
    first, second = found
    return (first, second) if joints[first, 0] >= joints[second, 0] else (second, first)


def _parents(parts: _Parts) -> tuple[int, ...]:
    above = parts.array("joint_parent_indices", _JOINTS)
    return (-1, *(int(joint) for joint in above[1:]))


def _weights(parts: _Parts) -> Tensor:
    weights = parts.array("skinning_weights", _JOINTS, parts.size).T
    if np.abs(weights.sum(axis=1) - 1).max(initial=0) > 1e-2:
        raise ModelError("its skinning_weights do not sum to 1 at each vertex")
    return torch.from_numpy(np.ascontiguousarray(weights, np.float32))


def _correctives(parts: _Parts) -> Tensor:
    """What the rotations add; the root's are left out, since it does not turn."""
    count = 9 * (_JOINTS - 1)
    if "pose_correctives_regressor" not in parts.values:
        return torch.zeros(count, parts.size, 3)
    rows = parts.metres("pose_correctives_regressor", 9 * _JOINTS, 3 * parts.size)
    return rows[9:].unflatten(1, (parts.size, 3)).contiguous()


def _mirror(parts: _Parts) -> Tensor:
    indices = parts.array("mirror_indices", parts.size)
    return torch.from_numpy(vertices(indices, parts.size, 0, "mirror_indices"))


def _regions(parts: _Parts) -> dict[str, Tensor]:
    masks = parts.array("vertex_groups", None, parts.size)
    names = parts.names("vertex_group_names", len(masks))
    values = torch.from_numpy(np.ascontiguousarray(masks, np.float32)).clamp(0.0, 1.0)
    return dict(zip(names, values, strict=True))
