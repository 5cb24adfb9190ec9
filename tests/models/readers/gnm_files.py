"""Writes small GNM heads in the layout of the vendor's file, and moves them by its formulas.

Nothing here is ours: NumPy's `savez` writes, SciPy turns.
"""

from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from tests.toy import sphere

IDENTITIES = (*(f"head_{k}" for k in range(6)), "eyes_0", *(f"teeth_{k}" for k in range(3)))
EXPRESSIONS = (
    *(f"left_eye_region_{k}" for k in range(2)),
    *(f"right_eye_region_{k}" for k in range(2)),
    *(f"lower_face_region_{k}" for k in range(3)),
    *("tongue_0", "tongue_1", "pupils_0"),
)
PARENTS = (0, 0, 1, 1)
BALLS = (slice(0, 20), slice(20, 40))


@cache
def arrays(seed=0):
    """A head of some hundred vertices in metres, all that a file holds."""
    rng = np.random.default_rng(seed)
    unit, faces = (part.numpy() for part in sphere(9, 14))
    mean = unit * [0.075, 0.105, 0.09] + [0.0, 1.5, 0.02]
    joints = np.array([[0, 1.4, 0], [0, 1.45, 0.02], [0.031, 1.53, 0.09], [-0.031, 1.53, 0.09]])
    for joint, ball in zip((2, 3), BALLS, strict=True):
        directions = rng.normal(size=(20, 3))
        mean[ball] = (
            joints[joint] + 0.012 * directions / np.linalg.norm(directions, axis=1)[:, None]
        )
    size, count = len(mean), len(faces)
    weights = np.zeros((4, size))
    weights[:2] = rng.dirichlet(np.ones(2), size).T
    for joint, ball in zip((2, 3), BALLS, strict=True):
        weights[:, ball] = np.eye(4)[joint][:, None]
    groups = ("skin", "eyes", "upper_teeth_and_gums", "ears")
    return {
        "version": np.array("3.0"),
        "variant": np.array("head"),
        "template_vertex_positions": mean,
        "template_joint_positions": joints,
        "vertex_identity_basis": rng.normal(size=(len(IDENTITIES), size, 3)) * 2e-3,
        "joint_identity_basis": rng.normal(size=(len(IDENTITIES), 4, 3)) * 1e-3,
        "expression_basis": rng.normal(size=(len(EXPRESSIONS), size, 3)) * 1e-3,
        "identity_names": np.array(IDENTITIES),
        "expression_names": np.array(EXPRESSIONS),
        "joint_names": np.array(["neck", "head", "left_eye", "right_eye"]),
        "joint_parent_indices": np.array(PARENTS),
        "skinning_weights": weights,
        "quads": np.zeros((5, 4), np.int32),
        "triangles": faces.astype(np.int32),
        "quad_uvs": np.zeros((5, 4, 2)),
        "triangle_uvs": rng.uniform(size=(count, 3, 2)),
        "mesh_component_names": np.array(["skin", "eyes"]),
        "mirror_indices": rng.permutation(size),
        "joint_regressor": rng.dirichlet(np.ones(size), 4),
        "pose_correctives_regressor": rng.normal(size=(36, 3 * size)) * 1e-3,
        "bone_aligned_template_joint_orientations": np.tile(np.eye(3), (4, 1, 1)),
        "vertex_groups": rng.uniform(size=(len(groups), size)),
        "vertex_group_names": np.array(groups),
    }


def forward(given, identity, expression, turns):
    """Vertices in metres: bind, correctives, then the joints, children after their parents.

    `turns` are rotation vectors of the four joints, each about itself.
    """
    bind = given["template_vertex_positions"].copy()
    bind += np.einsum("i,ivc->vc", identity, given["vertex_identity_basis"])
    bind += np.einsum("e,evc->vc", expression, given["expression_basis"])
    joints = given["template_joint_positions"].copy()
    joints += np.einsum("i,ijc->jc", identity, given["joint_identity_basis"])
    local = Rotation.from_rotvec(turns).as_matrix()
    if "pose_correctives_regressor" in given:
        feature = (local - np.eye(3)).reshape(-1)
        bind += (feature @ given["pose_correctives_regressor"]).reshape(-1, 3)
    world = []
    for joint, matrix in enumerate(local):
        parent = None if joint == 0 else PARENTS[joint]
        turned = matrix if parent is None else world[parent][0] @ matrix
        bone = joints[joint] - (0 if parent is None else joints[parent])
        place = joints[joint] if parent is None else world[parent][1] + world[parent][0] @ bone
        world.append((turned, place))
    posed = [
        (bind - joints[joint]) @ turned.T + place for joint, (turned, place) in enumerate(world)
    ]
    return np.einsum("jv,jvc->vc", given["skinning_weights"], np.stack(posed))
