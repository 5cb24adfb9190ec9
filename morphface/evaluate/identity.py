"""CSIM: whether a network that knows people again takes two faces for one person's."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.evaluate.score import Measure
from morphface.landmarks.points import Landmarks
from morphface.landmarks.recognition import Recogniser, load_recogniser
from morphface.media.images import Photo

__all__ = ["Csim"]


class Csim:
    """Cosine similarity of descriptions of faces by SFace (Zhong et al. 2021).

    A face that hardly moves keeps its identity best: tell the error of its pose beside it.

    Args:
        recogniser: that describes faces.
    """

    measure = Measure(
        name="CSIM",
        unit="",
        better="higher",
        convention="cosine of SFace's descriptions (OpenCV Zoo, 2021dec), faces aligned by five "
        "points; papers mostly use ArcFace",
    )

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Csim":
        """With the published network.

        Args:
            path: of its file; None takes that in the folder of models.

        Raises:
            MissingFileError: it is not there; the message says how to get it.
            ModelError: it is another file.
        """
        return cls(load_recogniser(path))

    def __call__(
        self,
        result: Float[Tensor, "T H W 3"],
        reference: Float[Tensor, "S h w 3"],
        marks: tuple[Sequence[Landmarks | None], Sequence[Landmarks | None]],
    ) -> Float[Tensor, " T"]:
        """One value for each frame; NaN where a face has no landmarks.

        Args:
            result: pictures that were made, RGB in [0, 1].
            reference: pictures of the person: one for all, or one for each.
            marks: landmarks in the pictures that were made, and in those of the person: what a
                detector found, or points of a model that were projected.

        Raises:
            ParameterError: pictures and landmarks differ in number.
        """
        check_shape("result", result, None, None, None, 3)
        check_shape("reference", reference, None, None, None, 3)
        counts = len(result), len(reference), len(marks[0]), len(marks[1])
        if counts[0] != counts[2] or counts[1] != counts[3] or counts[1] not in (1, counts[0]):
            raise ParameterError(
                "result and reference must have landmarks for each picture, and reference one "
                f"picture or as many as result; got {counts[0]} and {counts[1]} pictures, "
                f"{counts[2]} and {counts[3]} landmarks"
            )
        one = self._described(result, marks[0])
        other = self._described(reference, marks[1])
        return (one * other).sum(-1)

    def _described(
        self, pictures: Tensor, marks: Sequence[Landmarks | None]
    ) -> Float[Tensor, "T 128"]:
        """Unit vectors; NaN where there is no face."""
        rows = []
        for picture, face in zip(pictures, marks, strict=True):
            found = None if face is None else self._recogniser.describe(Photo(picture), face)
            rows.append(torch.full((128,), torch.nan) if found is None else found)
        return torch.stack(rows)
