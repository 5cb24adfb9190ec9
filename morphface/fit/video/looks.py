"""By what a person is known again: identity as landmarks show it, and the recognition network."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.shared.result import FitResult
from morphface.landmarks import Landmarks
from morphface.landmarks.recognition import find_recogniser
from morphface.media.images import Photo

__all__ = ["STRANGER", "Likeness", "likeness_of"]

STRANGER = 1.5
"""Distance from which two faces are of two people, in standard deviations of identity. Of the five
people for tuning in `benchmarks/bench_clips.py`, frames are at most 1.2 from the mean of the
same person, and means of two people at least 1.65 apart."""
_CLEAR = 80.0  # pixels of a face below which identities scatter more, in proportion
_COSINE = 0.4  # of the network, that counts as much: one person has at least 0.77 there, two 0.29


@dataclass(frozen=True, eq=False)
class Likeness:
    """How somebody looks.

    Args:
        identity: coefficients, fitted to landmarks alone.
        feature: unit vector of the recognition network; None where there is none.
        doubt: by how much identities scatter more than those of faces with enough pixels.
    """

    identity: Float[Tensor, " I"]
    feature: Float[Tensor, "128"] | None = None
    doubt: float = 1.0

    @classmethod
    def of_many(cls, faces: Sequence["Likeness"]) -> "Likeness":
        """The mean of what several frames show.

        Args:
            faces: at least one, all of one person.
        """
        features = [face.feature for face in faces if face.feature is not None]
        return cls(
            torch.stack([face.identity for face in faces]).mean(dim=0),
            torch.nn.functional.normalize(torch.stack(features).mean(dim=0), dim=0)
            if features
            else None,
            sum(face.doubt for face in faces) / len(faces),
        )

    def distance(self, other: "Likeness") -> float:
        """How unlike two faces are; from `STRANGER` on they are of two people.

        The network decides where both have been shown to it.

        Args:
            other: face.
        """
        if self.feature is not None and other.feature is not None:
            return STRANGER * (1 - float(self.feature @ other.feature)) / (1 - _COSINE)
        apart = float((self.identity - other.identity).norm())
        return apart / max(self.doubt, other.doubt) if apart == apart else float("inf")


def likeness_of(photo: Photo, landmarks: Landmarks, fit: FitResult) -> Likeness:
    """What a face of a picture looks like.

    Args:
        photo: the picture.
        landmarks: of the face.
        fit: to them.
    """
    network = find_recogniser()
    feature = None if network is None else network.describe(photo, landmarks)
    left, top, right, bottom = landmarks.box
    doubt = max(1.0, _CLEAR / max(right - left, bottom - top, 1.0))
    return Likeness(torch.nan_to_num(fit.parameters.identity[0], nan=1e3), feature, doubt)
