"""Modules that answer like PyTorch3D and nvdiffrast, by their documented conventions.

They stand where the real ones are not installed, or find no GPU; `reference` does their work.
"""

from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import torch

from morphface.render.backends.reference import nearest


class Meshes:
    """As `pytorch3d.structures.Meshes`: a list of vertices and one of faces for each mesh."""

    def __init__(self, verts, faces):
        self.verts, self.faces = verts, faces


def rasterize_meshes(
    meshes, image_size, blur_radius=0.0, faces_per_pixel=8, perspective_correct=False, **_
):
    """PyTorch3D: +x left, +y up, the shorter side spans [-1, 1], the borders of faces are out."""
    height, width = image_size
    half, first = min(image_size) / 2, 0
    found = []
    for verts, faces in zip(meshes.verts, meshes.faces, strict=True):
        assert verts.dtype == torch.float32
        assert faces.dtype == torch.int64
        assert (verts[faces][..., 2] > 0).all()
        centre = torch.tensor([width / 2, height / 2], dtype=torch.float64)
        screen = torch.cat([centre - verts[:, :2].double() * half, verts[:, 2:].double()], dim=1)
        face, weights, _ = nearest(
            screen[None], faces, image_size, perspective=perspective_correct, cull=False
        )
        inside = (face >= 0) & (weights.amin(-1) > 0)
        found.append((face + first).where(inside, -1)[0])
        first += len(faces)
    return torch.stack(found)[..., None], None, None, None


class Context:
    """As `RasterizeCudaContext`; counts how many were made."""

    made = 0

    def __init__(self, device=None):
        Context.made += 1


def rasterize(context, pos, tri, resolution, ranges=None, grad_db=True):
    """nvdiffrast: clip space, the lowest row first, ids from 1, of equal depths the last wins."""
    assert isinstance(context, Context)
    assert (pos.dtype, tri.dtype, ranges.dtype) == (torch.float32, torch.int32, torch.int32)
    assert pos.is_contiguous()
    assert tri.is_contiguous()
    height, width = resolution
    assert height % 8 == width % 8 == 0
    x, y, z = (pos[:, :3].double() / pos[:, 3:].double()).unbind(-1)
    assert z[tri.long()].abs().max() <= 1
    # Row 0 is the lowest: y counts rows from there. z / w is linear on the screen.
    points = torch.stack([(x + 1) / 2 * width, (y + 1) / 2 * height, z], dim=-1)[None]
    out = torch.zeros(len(ranges), height, width, 4)
    for image, (start, count) in enumerate(ranges.tolist()):
        span = torch.arange(start, start + count).flip(0)
        face, _, _ = nearest(
            points, tri[span].long(), (height, width), perspective=False, cull=False
        )
        if count:
            out[image, ..., 3] = (span[face.clamp(min=0)] + 1).where(face >= 0, 0)[0]
    return out, None


def modules(version="0.4.0"):
    """What to put into `sys.modules`, by name."""
    root = ModuleType("pytorch3d")
    root.__spec__ = ModuleSpec("pytorch3d", None)
    structures = ModuleType("pytorch3d.structures")
    structures.Meshes = Meshes
    renderer = ModuleType("pytorch3d.renderer.mesh.rasterize_meshes")
    renderer.rasterize_meshes = rasterize_meshes
    library = SimpleNamespace(RasterizeCudaContext=Context, rasterize=rasterize)
    return {
        "pytorch3d": root,
        "pytorch3d.structures": structures,
        renderer.__name__: renderer,
        "nvdiffrast": SimpleNamespace(__version__=version),
        "nvdiffrast.torch": library,
    }
