"""Everybody's parts in a picture: the network at some sizes, and the assembly at each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from morphface.landmarks.boxes import Box, containment, overlap
from morphface.landmarks.parts.assembly import Assembled, assemble
from morphface.landmarks.parts.graph import FaceGraph, face_graph
from morphface.landmarks.parts.network import STRIDE, PartsNetwork
from morphface.landmarks.parts.pose import HeadPose, head_pose
from morphface.landmarks.parts.settings import AssemblySettings

__all__ = ["SIDES", "PartsFace", "find_parts", "maps_of"]

SIDES = (368, 184)
"""Longer sides in pixels at which a picture is looked at: faces of 20 to 150 pixels there."""
_SAME, _INSIDE = 0.3, 0.7
"""Overlap from which two looks show one face, and containment from which one is a part of it."""


@dataclass(frozen=True, eq=False)
class PartsFace:
    """A face of parts.

    Args:
        graph: whose parts these are.
        points: of each part in pixels of the picture; NaN where it is missing.
        confidence: of each part, 0 where it is missing.
        score: of the face, 0 to about 1.
        pose: of the mean head that shows them so.
        box: of the mean head's face in that pose: left, top, right and bottom.
    """

    graph: FaceGraph
    points: Float[np.ndarray, "P 2"]
    confidence: Float[np.ndarray, " P"]
    score: float
    pose: HeadPose
    box: Box


def find_parts(
    pixels: UInt8[np.ndarray, "H W 3"],
    network: PartsNetwork,
    settings: AssemblySettings | None = None,
    *,
    sides: Sequence[int] = SIDES,
) -> list[PartsFace]:
    """The faces in a picture, the surest first.

    What it costs hardly grows with their number: the network sees the picture once for each size.

    Args:
        pixels: RGB.
        network: trained.
        settings: thresholds; None takes the defaults.
        sides: longer sides that the picture is shown at, in pixels; none is larger than itself.
    """
    longer = max(pixels.shape[:2])
    found: list[PartsFace] = []
    for side in sorted({min(side, longer) for side in sides}, reverse=True):
        maps, fields, scale = maps_of(pixels, network, side)
        graph = face_graph(network.config.graph)
        found += _faces(assemble(maps, fields, graph, settings), network, scale)
    kept: list[PartsFace] = []
    for face in sorted(found, key=lambda each: -each.score):
        if not any(_same(face.box, other.box) for other in kept):
            kept.append(face)
    return kept


def maps_of(
    pixels: UInt8[np.ndarray, "H W 3"], network: PartsNetwork, side: int
) -> tuple[Float[np.ndarray, "P h w"], Float[np.ndarray, "L 2 h w"], Float[np.ndarray, "2"]]:
    """What the network says: maps of parts, fields of limbs, and how far x and y were shrunk.

    Args:
        pixels: RGB.
        network: trained.
        side: longer side that the picture is shown at, in pixels.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    rows, columns = (max(round(each * scale), 1) for each in (height, width))
    shown = cv2.resize(
        np.ascontiguousarray(pixels),
        (columns, rows),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    more = (-rows % STRIDE, -columns % STRIDE)
    shown = np.pad(shown, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    device = network.template.device
    with torch.inference_mode():
        given = torch.from_numpy(shown).to(device).permute(2, 0, 1)[None].float() / 255
        reply = network(given)
        maps = reply.maps[-1][0, :-1].float().cpu().numpy()
        fields = reply.fields[-1][0].unflatten(0, (-1, 2)).float().cpu().numpy()
    return maps, fields, np.array([columns / width, rows / height])


def _faces(
    found: Assembled, network: PartsNetwork, scale: Float[np.ndarray, "2"]
) -> list[PartsFace]:
    """With pose and box, in pixels of the picture."""
    template, mesh = (each.cpu().double().numpy() for each in (network.template, network.mesh))
    graph, out = face_graph(network.config.graph), []
    rows = zip(found.points / scale, found.confidence, found.score.tolist(), strict=True)
    for points, confidence, score in rows:
        pose = head_pose(template, points, confidence)
        face = pose.screen(mesh)
        (left, top), (right, bottom) = face.min(axis=0).tolist(), face.max(axis=0).tolist()
        box = (left, top, right, bottom)
        out.append(PartsFace(graph, points, confidence, score, pose, box))
    return out


def _same(a: Box, b: Box) -> bool:
    return overlap(a, b) > _SAME or containment(a, b) > _INSIDE
