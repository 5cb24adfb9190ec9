"""What a detector or a landmark file says about one face."""

from dataclasses import dataclass, field, replace

from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record

__all__ = ["Landmarks", "moved"]


@dataclass(frozen=True, eq=False)
class Landmarks(Record):
    """The landmarks of one face in one picture.

    Args:
        points: screen position in pixels: x right, y down, the outer corner of the first pixel
            at (0, 0).
        scheme: which points these are: "478" (MediaPipe's mesh with irises), "68" (Multi-PIE
            order) or "5" (eyes, nose tip, mouth corners).
        confidence: weight of each point in a fit, 0 (absent) to 1.
        box: left, top, right, bottom of the face, in pixels.
        depth: depth of each point relative to the others, in pixels at the scale of the face,
            larger is farther from the viewer; None where the source gives none.
        scores: the detector's own estimate of expression weights in [0, 1], by ARKit name.
    """

    points: Float[Tensor, "N 2"]
    scheme: str
    confidence: Float[Tensor, " N"]
    box: tuple[float, float, float, float]
    depth: Float[Tensor, " N"] | None = None
    scores: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_shape("points", self.points, None, 2)
        check_shape("confidence", self.confidence, len(self.points))
        if self.depth is not None:
            check_shape("depth", self.depth, len(self.points))


def moved(face: Landmarks, scale: float, offset: tuple[float, float]) -> Landmarks:
    """`face` scaled about (0, 0), then shifted: from a crop to the picture it was cut from.

    Args:
        face: landmarks in the crop.
        scale: pixels of the picture for a pixel of the crop.
        offset: where the crop's corner lies in the picture, x and y.
    """
    points = face.points * scale + face.points.new_tensor(offset)
    x, y = offset
    left, top, right, bottom = (side * scale for side in face.box)
    depth = None if face.depth is None else face.depth * scale
    return replace(face, points=points, box=(left + x, top + y, right + x, bottom + y), depth=depth)
