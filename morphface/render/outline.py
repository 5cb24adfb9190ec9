"""Anti-aliasing in plain torch, for any device: where surfaces end between two pixel centres.

It does what the kernels of `backends/kernels/outline.py` do, for all pairs of neighbours at once:
walks from the nearer pixel's centre over the mesh towards the other, and stops where no face goes
on. The amounts that are blended follow from the positions of that edge, so gradients do too.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.geometry.topology import Topology

__all__ = ["smooth"]

LONGEST = 1000  # faces that a walk crosses at most


def smooth(
    image: Float[Tensor, "B H W C"],
    screen: Float[Tensor, "B V 3"],
    topology: Topology,
    fragments: tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W"]],
    near: float,
) -> Float[Tensor, "B H W C"]:
    """The image with its outlines blended; `fragments` are face and depth."""
    indices = topology.faces.long(), topology.ring.long().flatten()
    sides = _Sides(screen.detach().double(), *indices, near)
    for u in (0, 1):
        lines, face = _pairs(*fragments, u)
        end = sides.outline(lines, face)
        found = end >= 0
        lines, end = lines.kept(found), end[found]
        found = sides.axis(lines, end) == u
        lines, end = lines.kept(found), end[found]
        image = _blended(image, screen, lines, sides.corners(end)[:2])
    return image


@dataclass(frozen=True, eq=False)
class _Lines(Record):
    """From one pixel centre to its neighbour, along axis `u` of the screen (0 for x).

    Args:
        u: axis that they follow.
        image: of the batch.
        pixel: where they begin, and the neighbour, counted through the batch.
        begin: place of the first centre on axis `u`.
        across: place of both on the other axis.
        way: 1 or -1.
    """

    u: int
    image: Int[Tensor, " N"]
    pixel: Int[Tensor, "N 2"]
    begin: Float[Tensor, " N"]
    across: Float[Tensor, " N"]
    way: Float[Tensor, " N"]

    def kept(self, rows: Bool[Tensor, " N"]) -> "_Lines":
        """Only these lines."""
        return self.map(lambda item: item[rows])


def _pairs(face: Tensor, depth: Tensor, u: int) -> tuple[_Lines, Int[Tensor, " N"]]:
    """Neighbours along an axis that see different faces, from the nearer; and its face."""
    _, height, width = face.shape
    dim = 2 - u
    size = face.shape[dim] - 1
    differ = face.narrow(dim, 0, size) != face.narrow(dim, 1, size)
    image, y, x = torch.nonzero(differ).unbind(1)
    first = (image * height + y) * width + x
    second = first + (width if u else 1)
    turned = depth.flatten()[second] < depth.flatten()[first]
    pixel = torch.stack([first, second], dim=1)
    pixel = torch.where(turned[:, None], pixel.flip(1), pixel)
    along, across = ((y if u else x) + 0.5).double(), ((x if u else y) + 0.5).double()
    lines = _Lines(u, image, pixel, along + turned, across, 1.0 - 2.0 * turned.double())
    return lines, face.flatten()[pixel[:, 0]]


def _blended(
    image: Tensor, screen: Tensor, lines: _Lines, ends: tuple[Tensor, Tensor]
) -> Float[Tensor, "B H W C"]:
    here = _meeting(lines, *(screen[lines.image, end].double() for end in ends))
    gone = (lines.way * (here - lines.begin)).clamp(0, 1)
    receives = (gone < 0.5)[:, None]  # whether the nearer pixel does
    taker, giver = torch.where(receives, lines.pixel, lines.pixel.flip(1)).unbind(1)
    amount = torch.where(gone < 0.5, 0.5 - gone, gone - 0.5).to(image.dtype)
    flat = image.flatten(0, 2)
    change = amount[:, None] * (flat[giver] - flat[taker])
    return flat.index_add(0, taker, change).reshape(image.shape)


def _meeting(lines: _Lines, a: Float[Tensor, "N 3"], b: Float[Tensor, "N 3"]) -> Tensor:
    """Where along `u` lines meet the edges from `a` to `b`."""
    u, v = lines.u, 1 - lines.u
    return a[:, u] + (lines.across - a[:, v]) / (b - a)[:, v] * (b - a)[:, u]


@dataclass(frozen=True, eq=False)
class _Sides(Record):
    """The sides of faces on the screen; side k of face f has the number 3 f + k."""

    screen: Float[Tensor, "B V 3"]
    faces: Int[Tensor, "F 3"]
    ring: Int[Tensor, " S"]
    near: float

    def outline(self, lines: _Lines, face: Int[Tensor, " N"]) -> Int[Tensor, " N"]:
        """The side at which the surface of each face ends along its line; -1 for none."""
        end = torch.full_like(face, -1)
        row = torch.arange(len(face), device=face.device)
        side = self._first(lines, face)
        last = side  # where the last face that has an area was left
        for _ in range(LONGEST):
            on = self._reached(lines, side)
            lines, row, side, last = lines.kept(on), row[on], side[on], last[on]
            if not len(row):
                break
            entry = self._beyond(lines, side)
            end[row] = last.where(entry < 0, -1)
            on = entry >= 0
            lines, row, entry, last = lines.kept(on), row[on], entry[on], last[on]
            side = _next(entry, 1)
            side = side.where(self._meets(lines, side), _next(entry, 2))
            last = side.where(self._turn(lines, entry) != 0, last)
        return end

    def corners(self, side: Int[Tensor, " N"]) -> tuple[Tensor, Tensor, Tensor]:
        """Both vertices of each side, and the one opposite."""
        flat = self.faces.flatten()
        return flat[side], flat[_next(side, 1)], flat[_next(side, 2)]

    def axis(self, lines: _Lines, side: Int[Tensor, " N"]) -> Int[Tensor, " N"]:
        """The axis along which neighbours are compared at each side: 0 for x."""
        a, b, _ = self._points(lines, side)
        across, down = (b - a).abs()[:, :2].unbind(1)
        return (across > down).long()

    def _points(self, lines: _Lines, side: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, c = (self.screen[lines.image, vertex] for vertex in self.corners(side))
        return a, b, c

    def _turn(self, lines: _Lines, side: Tensor) -> Float[Tensor, " N"]:
        """Twice the signed area of each side's face on the screen."""
        a, b, c = self._points(lines, side)
        return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]

    def _meets(self, lines: _Lines, side: Tensor) -> Bool[Tensor, " N"]:
        a, b, _ = (point[:, 1 - lines.u] > lines.across for point in self._points(lines, side))
        return a != b

    def _ahead(self, lines: _Lines, side: Tensor) -> Float[Tensor, " N"]:
        """Positive where a side's face lies beyond it on the way, negative where before."""
        a, b, _ = self._points(lines, side)
        facing = lines.way * (b - a)[:, 1 - lines.u]
        return self._turn(lines, side) * (facing if lines.u else -facing)

    def _first(self, lines: _Lines, face: Int[Tensor, " N"]) -> Int[Tensor, " N"]:
        """The side by which each line leaves its face; -1 if it misses it, by rounding."""
        found = torch.full_like(face, -1)
        for side in (3 * face.clamp(min=0) + k for k in range(3)):
            leaves = self._meets(lines, side) & (self._ahead(lines, side) < 0)
            found = side.where(leaves & (face >= 0), found)
        return found

    def _reached(self, lines: _Lines, side: Int[Tensor, " N"]) -> Bool[Tensor, " N"]:
        """Whether the side is met before the neighbour, in a face before the near plane."""
        points = self._points(lines, side.clamp(min=0))
        here = lines.way * (_meeting(lines, *points[:2]) - lines.begin)
        depth = torch.stack([point[:, 2] for point in points]).amin(0)
        return (side >= 0) & (here <= 1) & (depth > self.near)

    def _beyond(self, lines: _Lines, side: Int[Tensor, " N"]) -> Int[Tensor, " N"]:
        """The side by which the surface goes on, -1 if it ends. Faces without area come last."""
        found, flat = torch.full_like(side, -1), torch.full_like(side, -1)
        other = self.ring[side]
        while bool((open_ := (other != side) & (found < 0)).any()):
            ahead = self._ahead(lines, other)
            found = other.where(open_ & (ahead > 0), found)
            flat = other.where(open_ & (ahead == 0), flat)
            other = self.ring[other].where(open_, other)
        return found.where(found >= 0, flat)


def _next(side: Int[Tensor, " N"], steps: int) -> Int[Tensor, " N"]:
    """The side that is `steps` further around the same face."""
    return side - side % 3 + (side + steps) % 3
