"""What follows from a mesh's topology: normals, edges and subdivision.

Faces are vertex indices, counter-clockwise seen from outside, so that normals point outwards.
A subdivision is a linear map of values at the vertices: it is computed once for a topology
and upsamples positions and every direction of a basis alike.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record

__all__ = [
    "VertexWeights",
    "edges",
    "face_normals",
    "loop_subdivision",
    "midpoint_subdivision",
    "normalized",
    "vertex_normals",
]

_EDGES = WeakTensorKeyDictionary()


def face_normals(
    vertices: Float[Tensor, "*batch V 3"], faces: Int[Tensor, "F 3"]
) -> Float[Tensor, "*batch F 3"]:
    """Unit normal of each face; zero for a face without area."""
    return normalized(_face_areas(vertices, faces))


def vertex_normals(
    vertices: Float[Tensor, "*batch V 3"], faces: Int[Tensor, "F 3"]
) -> Float[Tensor, "*batch V 3"]:
    """Unit normals: the area-weighted mean of the adjacent faces' normals.

    Zero at a vertex whose faces have no area, with a gradient of zero.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    areas = _face_areas(vertices, faces)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(-2, faces[:, corner], areas)
    return normalized(total)


def normalized(vectors: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
    """Each vector with length 1; zero, with a gradient of zero, where it has no direction.

    That is so below 1e-18: above, squares and gradients neither vanish nor overflow.
    """
    largest = vectors.detach().abs().amax(-1, keepdim=True)
    empty = largest < 1e-18
    # The direction does not depend on this scale, so that it may count as a constant.
    scaled = torch.where(empty, 0.0, vectors) / torch.where(empty, 1.0, largest)
    square = scaled.square().sum(-1, keepdim=True)
    return scaled * torch.where(empty, 1.0, square).rsqrt()


def edges(faces: Int[Tensor, "F 3"]) -> Int[Tensor, "E 2"]:
    """Each edge once, lower vertex index first, in ascending order.

    They are kept for as long as `faces`, which are never changed.
    """
    if faces not in _EDGES:
        _EDGES[faces] = _edges_of_faces(faces)[0]
    found: Tensor = _EDGES[faces]
    return found


@dataclass(frozen=True, eq=False)
class VertexWeights(Record):
    """Values at new vertices as weighted sums of values at old ones.

    Args:
        matrix: a sparse matrix, one row a new vertex.
    """

    matrix: Float[Tensor, "N V"]

    def apply(self, values: Float[Tensor, "*batch V C"]) -> Float[Tensor, "*batch N C"]:
        """The values at the new vertices.

        Raises:
            ShapeError: `values` has another number of vertices.
        """
        check_shape("values", values, self.matrix.shape[1], None)
        columns = values.movedim(-2, 0)
        matrix = self.matrix.to(values.dtype)
        moved = torch.sparse.mm(matrix, columns.flatten(1))
        return moved.unflatten(1, columns.shape[1:]).movedim(0, -2)


def loop_subdivision(
    faces: Int[Tensor, "F 3"], size: int, *, boundary: str = "smooth"
) -> tuple[Int[Tensor, "4*F 3"], VertexWeights]:
    """One level of Loop subdivision (Loop 1987) with Warren's vertex weights.

    Old vertices keep their indices, and face f becomes the faces 4 f to 4 f + 3, so that two
    index buffers of the same faces (positions and texture) stay aligned.

    Args:
        faces: triangles. An edge of one face, or of more than two, is a boundary.
        size: number of vertices.
        boundary: "smooth" moves boundaries to a cubic spline; "linear" leaves them where they
            are, which is what texture coordinates need.

    Raises:
        ParameterError: an index is not in 0 to `size` - 1, or `boundary` is unknown.
    """
    if boundary not in ("smooth", "linear"):
        raise ParameterError(f"boundary must be 'smooth' or 'linear', got {boundary!r}")
    pairs, of_face = _checked_edges(faces, size)
    fans = torch.bincount(of_face.flatten(), minlength=len(pairs))
    inner = fans == 2
    parts = [_edge_points(faces, pairs, of_face, inner, size), _inner_points(pairs, inner, size)]
    parts.append(_boundary_points(pairs[~inner], size, smooth=boundary == "smooth"))
    return _split(faces, of_face, size), _weights(parts, size + len(pairs), size)


def midpoint_subdivision(
    faces: Int[Tensor, "F 3"], size: int
) -> tuple[Int[Tensor, "4*F 3"], VertexWeights]:
    """Splits each face at its edges' midpoints; the surface stays as it is.

    Indices follow `loop_subdivision`.

    Raises:
        ParameterError: an index is not in 0 to `size` - 1.
    """
    pairs, of_face = _checked_edges(faces, size)
    old = torch.arange(size, device=faces.device)
    parts = [_entries(old, old, 1.0), *_midpoints(pairs, torch.arange(len(pairs)), size)]
    return _split(faces, of_face, size), _weights(parts, size + len(pairs), size)


_Entries = tuple[Tensor, Tensor, Tensor]  # rows, columns, values of a sparse matrix


def _face_areas(vertices: Tensor, faces: Tensor) -> Tensor:
    check_shape("vertices", vertices, None, 3)
    check_shape("faces", faces, None, 3)
    a, b, c = (vertices[..., faces[:, corner], :] for corner in range(3))
    return torch.linalg.cross(b - a, c - a)


def _edges_of_faces(faces: Tensor) -> tuple[Tensor, Tensor]:
    """Edges, and for each face the index of the edge after each of its corners."""
    if not faces.numel():
        return faces.new_zeros(0, 2), faces.new_zeros(0, 3)
    ends = torch.stack([faces, faces.roll(-1, dims=1)]).long()
    size = ends.amax() + 1
    names = ends.amin(0) * size + ends.amax(0)  # plain numbers are sorted much faster than rows
    unique, of_face = torch.unique(names, return_inverse=True)
    return torch.stack([unique // size, unique % size], dim=-1).to(faces.dtype), of_face


def _checked_edges(faces: Tensor, size: int) -> tuple[Tensor, Tensor]:
    check_shape("faces", faces, None, 3)
    if faces.numel() and (int(faces.min()) < 0 or int(faces.max()) >= size):
        raise ParameterError(
            f"faces must index {size} vertices, got indices from {int(faces.min())} "
            f"to {int(faces.max())}"
        )
    return _edges_of_faces(faces.long())


def _entries(rows: Tensor, columns: Tensor, value: float) -> _Entries:
    return rows, columns, torch.full(rows.shape, value, dtype=torch.float32, device=rows.device)


def _midpoints(pairs: Tensor, rows: Tensor, size: int) -> list[_Entries]:
    rows = rows.to(pairs.device) + size
    return [_entries(rows, pairs[:, end], 0.5) for end in range(2)]


def _edge_points(
    faces: Tensor, pairs: Tensor, of_face: Tensor, inner: Tensor, size: int
) -> _Entries:
    """Interior edges: 3/8 of each end and 1/8 of each opposite corner. Boundaries: midpoints."""
    rows = torch.arange(len(pairs), device=pairs.device)
    parts = _midpoints(pairs[~inner], rows[~inner], size)
    parts += [_entries(rows[inner] + size, pairs[inner, end], 3 / 8) for end in range(2)]
    opposite, edge = faces.long().roll(1, dims=1).flatten(), of_face.flatten()
    across = inner[edge]
    parts.append(_entries(edge[across] + size, opposite[across], 1 / 8))
    return _joined(parts)


def _inner_points(pairs: Tensor, inner: Tensor, size: int) -> _Entries:
    """Vertices off the boundary: Warren's weight for each neighbour, the rest for themselves."""
    free = torch.ones(size, dtype=torch.bool, device=pairs.device)
    free[pairs[~inner].flatten()] = False
    valence = torch.bincount(pairs.flatten(), minlength=size)
    beta = torch.where(valence > 3, 3 / (8 * valence.clamp(min=1)), 3 / 16).float()
    beta = torch.where(valence > 0, beta, 0.0)
    rows = torch.cat([pairs[:, 0], pairs[:, 1]])
    columns = torch.cat([pairs[:, 1], pairs[:, 0]])
    kept = free[rows]
    centre = torch.nonzero(free)[:, 0]
    own = (centre, centre, (1 - valence * beta)[centre])
    return _joined([own, (rows[kept], columns[kept], beta[rows[kept]])])


def _boundary_points(pairs: Tensor, size: int, *, smooth: bool) -> _Entries:
    """Boundary vertices: 3/4, and 1/8 of both neighbours; corners stay where they are."""
    count = torch.bincount(pairs.flatten(), minlength=size)
    on_curve = (count == 2) & torch.tensor(smooth, device=pairs.device)
    vertex = torch.nonzero(count)[:, 0]
    own = (vertex, vertex, torch.where(on_curve, 0.75, 1.0)[vertex])
    rows = torch.cat([pairs[:, 0], pairs[:, 1]])
    columns = torch.cat([pairs[:, 1], pairs[:, 0]])
    return _joined([own, _entries(rows[on_curve[rows]], columns[on_curve[rows]], 1 / 8)])


def _joined(parts: list[_Entries]) -> _Entries:
    rows, columns, values = (torch.cat(column) for column in zip(*parts, strict=True))
    return rows, columns, values


def _weights(parts: list[_Entries], rows: int, columns: int) -> VertexWeights:
    row, column, value = _joined(parts)
    matrix = torch.sparse_coo_tensor(
        torch.stack([row, column]), value, (rows, columns), check_invariants=False
    )
    return VertexWeights(matrix.coalesce())


def _split(faces: Tensor, of_face: Tensor, size: int) -> Tensor:
    """Three faces at the corners and one in the middle, in the orientation of their parent."""
    (a, b, c), (ab, bc, ca) = faces.long().unbind(1), (of_face + size).unbind(1)
    children = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return torch.stack([torch.stack(child, dim=1) for child in children], dim=1).reshape(-1, 3)
