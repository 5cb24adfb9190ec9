"""How much of a turned head a photo really shows, and where a view is refused."""

from collections.abc import Sequence

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedFace
from morphface.parameters import FaceParameters
from morphface.rerender.looks import Look

__all__ = ["FARTHEST", "check_turn", "doubt", "shown_of", "shown_share"]

FARTHEST = 100.0
"""Degrees from the pose in the photo beyond which a view is refused: nothing of it is seen."""
MOST_GUESSED = 0.5
"""Share of a head's picture that may be continued or invented before that is said."""
SEEN = 0.75
"""Confidence from which a pixel counts as shown by the photo."""


def turned_degrees(before: FaceParameters, after: FaceParameters) -> float:
    """The angle between two poses, in degrees.

    Args:
        before: one frame.
        after: one frame.
    """
    old, new = (roma.rotvec_to_rotmat(p.rotation[0]) for p in (before, after))
    return float(torch.rad2deg(roma.rotmat_geodesic_distance(old, new)))


def check_turn(face: FittedFace, wanted: FaceParameters, *, force: bool) -> None:
    """Refuse to show what a photo knows nothing of.

    Args:
        face: as fitted.
        wanted: what is to be shown, frames.
        force: whether to go on all the same.

    Raises:
        ParameterError: a frame is turned by more than `FARTHEST`.
    """
    frames = range(wanted.frames)
    angle = max(turned_degrees(face.parameters, wanted[k]) for k in frames)
    if angle > FARTHEST and not force:
        raise ParameterError(
            f"the head would be turned by {angle:.0f} degrees from its pose in the photo, which "
            f"shows nothing of that side; up to {FARTHEST:g} are drawn, or any with force "
            "(--force)"
        )


def shown_of(face: FittedFace, wanted: FaceParameters, confidence: Float[Tensor, "H W 1"]) -> float:
    """Share of a head that was drawn anew which its photo shows.

    Args:
        face: as fitted.
        wanted: what was drawn, one frame.
        confidence: of the picture's pixels.
    """
    vertices = Look.of(face.model, wanted).vertices
    return shown_share(confidence, face.camera.project(vertices), face.camera.size)


def shown_share(
    confidence: Float[Tensor, "H W 1"], face: Float[Tensor, "V 3"], size: tuple[int, int]
) -> float:
    """Share of the head's surroundings in a picture that its photo shows.

    Args:
        confidence: of the picture's pixels.
        face: the head in it, on the screen.
        size: height and width of the picture.
    """
    (left, top), (right, bottom) = face[:, :2].amin(0).tolist(), face[:, :2].amax(0).tolist()
    rows = slice(max(int(top), 0), max(min(int(bottom) + 1, size[0]), 0))
    columns = slice(max(int(left), 0), max(min(int(right) + 1, size[1]), 0))
    part = confidence[rows, columns]
    return float((part >= SEEN).float().mean()) if part.numel() else 0.0


def doubt(shares: Sequence[float]) -> str:
    """What to say of pictures whose photo shows so much of them; empty if that is enough.

    Args:
        shares: of the head that the photo shows, one for each face and frame.
    """
    least = min(shares, default=1.0)
    if 1 - least <= MOST_GUESSED:
        return ""
    return (
        f"{100 * (1 - least):.0f} % of this head is not in the photo and was guessed: "
        "turn it less for a picture to be trusted"
    )
