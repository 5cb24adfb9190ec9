"""Nodes over a person in a photo, and what is known at them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.pose import PIVOT
from morphface.geometry.camera import Camera
from morphface.rerender.looks import part_of
from morphface.rerender.person import Person

__all__ = ["Grid"]

NODES = 80
"""Of the net, along a head."""
REACH = 0.8
"""How far around the middle of the head the net goes, in sizes of the head, beyond its half."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Nodes over a person.

    Args:
        person: whose they are.
    """

    person: Person

    @cached_property
    def step(self) -> float:
        """Pixels of the padded picture between nodes."""
        return max(self.person.work.size / NODES, 1.0)

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the net, in pixels of the padded picture."""
        person, room = self.person, self.person.room
        away = (0.5 + REACH) * person.work.size
        height, width = person.outline.shape
        x, y = (middle + room for middle in person.work.middle)
        left, top = int(max(x - away, 0)), int(max(y - away, 0))
        return left, top, int(min(x + away, width)), int(min(y + away, height))

    @cached_property
    def nodes(self) -> Float[Tensor, "R C 2"]:
        """Their places in the padded picture."""
        left, top, right, bottom = self.box
        rows = max(int((bottom - top) / self.step), 2)
        columns = max(int((right - left) / self.step), 2)
        y = torch.linspace(top + 0.5, bottom - 0.5, rows)
        x = torch.linspace(left + 0.5, right - 0.5, columns)
        return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)

    @cached_property
    def places(self) -> Float[Tensor, "R C 2"]:
        """The same in the photo."""
        return (self.nodes - self.person.room) / self.person.work.scale

    def at_nodes(self, values: Float[np.ndarray, "H W"]) -> Float[Tensor, "R C"]:
        """Values of the padded picture at the nodes.

        Args:
            values: of the picture.
        """
        import cv2

        x, y = (self.nodes.numpy()[..., k].astype(np.float32) - 0.5 for k in (0, 1))
        source = np.ascontiguousarray(values, np.float32)
        found = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return torch.from_numpy(found)

    @cached_property
    def within(self) -> Float[Tensor, "R C"]:
        """From each node to the outline, in millimetres; negative outside."""
        return self.at_nodes(self.person.depth_within) * self.pixel

    @cached_property
    def pixel(self) -> float:
        """Millimetres that a pixel of the padded picture is wide on the plane."""
        camera = self.person.face.camera
        depth = self.plane if camera.weak_depth is None else float(camera.weak_depth)
        return depth / float(camera.focal) / self.person.work.scale

    @cached_property
    def plane(self) -> float:
        """Depth of the plane through the neck's pivot, in millimetres."""
        p = self.person.face.parameters
        matrix = roma.rotvec_to_rotmat(p.rotation[0])
        return -float((matrix @ torch.tensor(PIVOT) + p.translation[0])[2])

    @cached_property
    def hair(self) -> Float[Tensor, "R C"]:
        """How far each node is hair or headwear."""
        return self.at_nodes(self.person.padded(self.person.labels.hair))

    @cached_property
    def clothes(self) -> Float[Tensor, "R C"]:
        """How far each node is clothes."""
        return self.at_nodes(self.person.padded(self.person.labels.clothes))

    @cached_property
    def window(self) -> Camera:
        """The camera whose pixels are the nodes."""
        (first, second) = self.places[0, 0], self.places[-1, -1]
        rows, columns = self.nodes.shape[:2]
        camera = self.person.face.camera
        step = (second - first) / torch.tensor([columns - 1.0, rows - 1.0])
        scale = 1 / float(step.mean())
        corner = first - step / 2
        moved = part_of(camera, (0, 0, 1, 1), scale)
        principal = (camera.principal - corner) * scale
        return Camera(moved.focal, principal, (rows, columns), camera.weak_depth)

    def to_model(self, points: Float[Tensor, "R C 3"]) -> Float[Tensor, "R C 3"]:
        """Where points of the camera frame are in the model frame.

        Args:
            points: in millimetres.
        """
        p = self.person.face.parameters
        return (points - p.translation[0]) @ roma.rotvec_to_rotmat(p.rotation[0])

    def points(
        self, depth: Float[Tensor, "R C"], places: Float[Tensor, "R C 2"] | None = None
    ) -> Float[Tensor, "R C 3"]:
        """Points of the camera frame that the nodes see at a depth.

        Args:
            depth: of each, in millimetres.
            places: in the photo; None is where the nodes are.
        """
        places = self.places if places is None else places
        screen = torch.cat([places, depth[..., None]], -1).flatten(0, 1)
        return self.person.face.camera.unproject(screen).unflatten(0, depth.shape)
