"""Where lips, skull and jaw of a photo are when a mesh moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks.tables import INNER_LIPS, OUTER_LIPS
from morphface.parameters import FaceParameters
from morphface.render.warp import settled
from morphface.rerender.looks import Look
from morphface.rerender.mouth_photo import MouthPhoto
from morphface.rerender.ring_axes import RingAxes, edge_lines
from morphface.rerender.seen_head import SeenHead

__all__ = ["ABOVE", "CHIN", "MovedMouth", "headed"]

ABOVE = [164, 165, 391, 2, 97, 326]
"""Landmarks of skin between the upper lip and the nose."""
CHIN = [18, 83, 313, 200]
"""Landmarks that go along with the jaw."""
MOVED = 0.004, 0.025
"""How far lips move until they are drawn anew, in widths of the mouth: from the first on, wholly
from the second."""
ANGLE = 0.005, 0.06
"""The same of a turn of a head whose mouth is open, in radians."""
TURNED = 0.4, 0.55
"""Width of a mouth that is seen from aside, beside that in the photo, until it is drawn anew."""
TOUCHING = 0.35, 3.0
"""Share of the gap between the lips of a mesh at which those of a photo touch, and most of that in
millimetres: lips alone do not close a mouth whose jaw is still low."""


@dataclass(frozen=True, eq=False)
class MovedMouth:
    """A mouth in another look.

    Args:
        points: all landmarks in the picture, lips where they are drawn.
        axes: of the mouth.
        upper: height of the edge of the upper lip at each column.
        lower: of the edge of the lower lip.
        back: from the picture to the photo for what turns with the skull: x @ A + b.
        jaw: how far the jaw goes in the picture, in pixels.
        share: how far the mouth is drawn, 0 to 1.
    """

    points: Float[Tensor, "N 2"]
    axes: RingAxes
    upper: Float[Tensor, " K"]
    lower: Float[Tensor, " K"]
    back: Float[Tensor, "3 2"]
    jaw: Float[Tensor, "2"]
    share: float

    @classmethod
    def of(
        cls,
        head: SeenHead,
        mouth: MouthPhoto,
        parameters: FaceParameters,
        look: Look,
        camera: Camera,
    ) -> "MovedMouth":
        """The mouth of a photo in a look.

        Args:
            head: that was fitted, and its photo.
            mouth: in that.
            parameters: of the face, one frame.
            look: that they give.
            camera: that sees it.
        """
        face, ring = head.face, list(INNER_LIPS)
        fitted, seen = face.parameters, face.fit.landmarks.points
        before, after = head.marks, head.landmarks(look.vertices)
        own = headed(before, fitted)
        rigid = to_camera(own, parameters.rotation[0], parameters.translation[0])
        if torch.equal(fitted.rotation[0], parameters.rotation[0]):
            rigid = before + parameters.translation[0] - fitted.translation[0]
        was = face.camera.project(before)[:, :2]
        still, now = (camera.project(points)[:, :2] for points in (rigid, after))
        at_first, wide = (_width(points[ring]) for points in (was, still))
        points = seen + settled(now - was)
        axes, first = RingAxes.of(points[ring], points[ABOVE]), mouth.axes
        wanted = _openings(
            _gaps(first.flat(seen[ring])) * first.width,
            [own[ring], headed(after, parameters)[ring]],
            wide / _width(own[ring]),
        )
        more = (wanted - _gaps(axes.flat(points[ring])) * axes.width)[:, None] / 2 * axes.up
        for lips in (torch.tensor(INNER_LIPS), torch.tensor(OUTER_LIPS)):
            count = len(more)
            points[lips[-count:].flip(0)] += more
            points[lips[1 : count + 1]] -= more
        used = [*ABOVE, *ring, *OUTER_LIPS]
        back = _affine((seen + settled(still - was))[used], seen[used])
        far = float((now - still)[ring].norm(dim=-1).max()) / first.width
        turned = float((parameters.rotation - fitted.rotation).norm()) if mouth.wide else 0.0
        drawn = torch.maximum(
            smoothstep(torch.tensor(far), *MOVED), smoothstep(torch.tensor(turned), *ANGLE)
        )
        share = float(drawn * smoothstep(torch.tensor(wide / at_first), *TURNED))
        lines = edge_lines(points[ring], axes)
        return cls(points, axes, *lines, back, (now - still)[CHIN].mean(0), share)

    @property
    def opening(self) -> float:
        """How far the lips are apart where they are furthest, in pixels."""
        return float((self.upper - self.lower).max()) * self.axes.width

    def photo(self, here: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 2"]:
        """Where in the photo what turns with the skull is.

        Args:
            here: places in the picture.
        """
        return torch.cat([here, torch.ones_like(here[..., :1])], dim=-1) @ self.back


def headed(points: Float[Tensor, "N 3"], parameters: FaceParameters) -> Float[Tensor, "N 3"]:
    """Points before a camera, in the frame of the head.

    Args:
        points: in the camera frame.
        parameters: of the face, one frame.
    """
    away = points - parameters.translation[0]
    return to_camera(away, -parameters.rotation[0], torch.zeros(3))


def _gaps(ring: Float[Tensor, "R C"]) -> Float[Tensor, " r"]:
    """How far the edges of lips are apart between the corners, by the second coordinate."""
    low = torch.arange(1, len(ring) // 2)
    return ring[len(ring) - low, 1] - ring[low, 1]


def _openings(
    seen: Float[Tensor, " r"], heads: Sequence[Float[Tensor, "R 3"]], scale: float
) -> Float[Tensor, " r"]:
    """How far the lips of a photo are apart when a mesh has moved, whose lips never quite touch.

    Args:
        seen: how far they are in the photo, in pixels.
        heads: lips of the mesh in its own frame, in the photo and now.
        scale: pixels of a millimetre.
    """
    before, after = (_gaps(ring).clamp(min=0) for ring in heads)
    touching = (TOUCHING[0] * before).clamp(max=TOUCHING[1])
    share = ((after - touching) / (before - touching).clamp(min=1e-3)).clamp(0, 1)
    return torch.where(after < before, seen.clamp(min=0) * share, seen + scale * (after - before))


def _affine(first: Float[Tensor, "n 2"], second: Float[Tensor, "n 2"]) -> Float[Tensor, "3 2"]:
    """The affine map from points to others, x @ A + b, by least squares."""
    rows = torch.cat([first, torch.ones_like(first[:, :1])], dim=-1)
    return torch.linalg.lstsq(rows.double(), second.double()).solution.float()


def _width(ring: Float[Tensor, "R C"]) -> float:
    """Between the corners of a mouth."""
    return max(float((ring[len(ring) // 2] - ring[0]).norm()), 1e-3)
