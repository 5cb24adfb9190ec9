"""Fits of the pictures of `benchmarks/spoilt.py`, kept on disk.

What is kept are pictures and fits, not what is measured of them: measures and verdicts that change
are tried on the same fits. After a change of a fit itself, another folder is needed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.spoilt import Spoilt, kind_of, spoilt
from benchmarks.stored import KNOWN, read_record, write_record
from morphface.fit import FitResult, PhotometricResult, fit_photometric
from morphface.fit.covered import fit_seen
from morphface.landmarks import Landmarks
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel

__all__ = ["FittedPicture", "SpoiltFits"]


HOPELESS = 0.2  # as in the pipeline: landmark error from which pixels are not asked


@dataclass(frozen=True, eq=False)
class FittedPicture:
    """A picture and its fits.

    Args:
        one: the picture.
        start: the fit to landmarks.
        cover: how likely each pixel shows something before the face.
        seen: the fit to pixels; None where it was not asked.
    """

    one: Spoilt
    start: FitResult
    cover: torch.Tensor
    seen: PhotometricResult | None = None


class SpoiltFits:
    """Fits by number, made when they are asked for the first time.

    Args:
        folder: where they are kept.
        model: the open head.
        detector: of landmarks.
    """

    def __init__(self, folder: Path, model: MorphableModel, detector: MediaPipeDetector) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.model, self.detector = folder, model, detector

    def all(
        self, numbers: Iterable[int], stage: str, *, kept: bool = False
    ) -> Iterator[tuple[int, FittedPicture]]:
        """Those of some pictures that have a fit of this stage, with their numbers.

        Args:
            numbers: of the pictures.
            stage: "linear" or "pixels".
            kept: whether to make none, and give only those that are there.
        """
        for number in numbers:
            if kept and not self._path(number, stage).exists():
                continue
            found = self.linear(number) if stage == "linear" else self.pixels(number)
            if found is not None:
                yield number, found

    def _path(self, number: int, stage: str) -> Path:
        return self.folder / f"{number:05d}_{stage}.safetensors"

    def linear(self, number: int) -> FittedPicture | None:
        """The fit to landmarks; None where the detector finds no face.

        Args:
            number: of the picture.
        """
        path = self._path(number, "linear")
        return read_record(path) if path.exists() else _kept(path, self._linear(number))

    def pixels(self, number: int) -> FittedPicture | None:
        """The fits to landmarks and to pixels; None where pixels are not asked.

        Args:
            number: of the picture.
        """
        path = self._path(number, "pixels")
        return read_record(path) if path.exists() else _kept(path, self._pixels(number))

    def _linear(self, number: int) -> FittedPicture | None:
        one = spoilt(number, self.model, self.detector, self._other(number))
        if one is None:
            return None
        start, cover = fit_seen(self.model, one.photo, one.landmarks, size=one.photo.size)
        return FittedPicture(one, start, cover)

    def _pixels(self, number: int) -> FittedPicture | None:
        found = self.linear(number)
        if found is None or not found.start.landmark_nme <= HOPELESS:
            return None
        seen = fit_photometric(
            self.model, [found.one.photo.pixels], [found.start], covers=[found.cover]
        )
        return FittedPicture(found.one, found.start, found.cover, seen)

    def _other(self, number: int) -> Landmarks | None:
        """The landmarks of the last picture before this one with nothing wrong."""
        if kind_of(number) != "another's landmarks":
            return None
        for before in range(number - 1, -1, -1):
            if kind_of(before) == "nothing" and (found := self.linear(before)) is not None:
                return found.one.landmarks
        return None


KNOWN.update({kind.__name__: kind for kind in (FittedPicture, Spoilt)})


def _kept(path: Path, found: FittedPicture | None) -> FittedPicture | None:
    write_record(path, found)
    return found
