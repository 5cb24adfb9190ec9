"""Cameras, meshes and spherical harmonics. Rotations come from `roma`."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.geometry.angles import angles_to_rotvec, rotvec_to_angles
    from morphface.geometry.camera import Camera, to_camera
    from morphface.geometry.focal import FocalLength, focal_pixels
    from morphface.geometry.intrinsics import Intrinsics
    from morphface.geometry.mesh import (
        face_normals,
        loop_subdivision,
        midpoint_subdivision,
        vertex_normals,
    )
    from morphface.geometry.spherical_harmonics import (
        irradiance,
        rotate_light,
        sh_basis,
        sh_project,
    )
    from morphface.geometry.topology import Topology


__all__ = [
    "Camera",
    "FocalLength",
    "Intrinsics",
    "Topology",
    "angles_to_rotvec",
    "face_normals",
    "focal_pixels",
    "irradiance",
    "loop_subdivision",
    "midpoint_subdivision",
    "rotate_light",
    "rotvec_to_angles",
    "sh_basis",
    "sh_project",
    "to_camera",
    "vertex_normals",
]

_HOMES = {
    "Camera": "camera",
    "FocalLength": "focal",
    "Intrinsics": "intrinsics",
    "Topology": "topology",
    "angles_to_rotvec": "angles",
    "face_normals": "mesh",
    "focal_pixels": "focal",
    "irradiance": "spherical_harmonics",
    "loop_subdivision": "mesh",
    "midpoint_subdivision": "mesh",
    "rotate_light": "spherical_harmonics",
    "rotvec_to_angles": "angles",
    "sh_basis": "spherical_harmonics",
    "sh_project": "spherical_harmonics",
    "to_camera": "camera",
    "vertex_normals": "mesh",
}

__getattr__ = lazy_names(__name__, _HOMES)
