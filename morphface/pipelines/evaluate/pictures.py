"""Measures of pictures, gone through once, a few frames at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import NoFaceError
from morphface.evaluate import (
    FrechetDistance,
    Measure,
    Score,
    akd,
    apd_pixel,
    jitter,
    l1,
    psnr,
    ssim,
)
from morphface.evaluate import warping_error as warping
from morphface.evaluate.motion import MEASURES
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo
from morphface.media.video import Frame
from morphface.pipelines.evaluate.clips import scaled
from morphface.pipelines.evaluate.faces import Faces
from morphface.pipelines.evaluate.networks import Networks

__all__ = ["Looks", "score_pictures"]

_MEASURES = (l1, psnr, ssim, apd_pixel)
_MARGIN = ssim.edge
"""Of a mask, what SSIM has no value for."""
_POINTS = 478


@dataclass(frozen=True, eq=False)
class Looks:
    """What pictures are looked at with.

    Args:
        size: height and width at which they are compared.
        networks: learnt measures.
        detector: of landmarks; None leaves AKD, jitter and CSIM out.
        faces: of the reference, for the warping error; None leaves it out.
        masked: whether pixels count by how much of the reference's face they show.
    """

    size: tuple[int, int]
    networks: Networks = Networks()
    detector: LandmarkDetector | None = None
    faces: Faces | None = None
    masked: bool = False


def score_pictures(
    frames: Iterable[tuple[Frame, Frame]],
    looks: Looks,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Score]:
    """All measures of pictures; frames that a measure says nothing of are missing in it.

    Args:
        frames: those that were made, and what they should be.
        looks: what to look with.
        advance: is told how many frames are done.

    Raises:
        NoFaceError: pixels shall count by the reference's face, which no frame shows.
        MorphfaceError: as of the measures and the detector.
    """
    kept: dict[Measure, list[Tensor]] = {}
    watched = [_Motion(looks, ""), _Motion(looks, ", reference")]
    sets = _sets(looks)
    for number, pair in enumerate(frames):
        pixels = [scaled(frame.photo.pixels, looks.size)[None] for frame in pair]
        for measure, values in _compared(pixels, looks, number):
            kept.setdefault(measure, []).append(values)
        found = [motion.add(values, number) for motion, values in zip(watched, pixels, strict=True)]
        if looks.detector is not None:
            far = akd(found[0][None], found[1][None], side=max(looks.size))
            kept.setdefault(MEASURES["akd"], []).append(far)
            for measure, values in _identities(pixels, watched, looks):
                kept.setdefault(measure, []).append(values)
        if sets is not None:
            for side, values in zip(("result", "reference"), pixels, strict=True):
                sets.add(side, values)
        advance(number + 1)
    scores = [measure.of(torch.cat(values)) for measure, values in kept.items()]
    scores += [sets.score()] if sets is not None and sets.pictures > 1 else []
    if looks.masked and scores and scores[0].missing == len(scores[0].values):
        raise NoFaceError("no frame of the reference shows a face to mask; leave --mask out")
    return [*scores, *(score for motion in watched for score in motion.scores())]


def _compared(
    pixels: list[Float[Tensor, "1 H W 3"]], looks: Looks, number: int
) -> Iterator[tuple[Measure, Float[Tensor, "1"]]]:
    """Measures of a pair of pictures."""
    mask = looks.faces.region(number) if looks.masked and looks.faces is not None else None
    inner = None if mask is None else mask[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN].sum()
    for measure in _MEASURES:
        named = measure if mask is None else _on_face(measure)
        if inner is not None and not inner > 0:
            yield named, torch.full((1,), torch.nan)
        else:
            yield named, measure(pixels[0], pixels[1], mask)
    for learnt in (looks.networks.lpips, looks.networks.features):
        if learnt is not None:
            yield learnt.measure, learnt(*pixels)


def _sets(looks: Looks) -> FrechetDistance | None:
    features = looks.networks.features
    return None if features is None else FrechetDistance(features.backbone)


def _identities(
    pixels: list[Float[Tensor, "1 H W 3"]], watched: "list[_Motion]", looks: Looks
) -> Iterator[tuple[Measure, Float[Tensor, "1"]]]:
    """CSIM of a pair of pictures."""
    csim = looks.networks.csim
    if csim is not None:
        marks = tuple([motion.face] for motion in watched)
        yield csim.measure, csim(pixels[0], pixels[1], (marks[0], marks[1]))


def _on_face(measure: Measure) -> Measure:
    convention = f"{measure.convention}; pixels of the reference's face"
    return Measure(measure.name, measure.unit, measure.better, convention)


class _Motion:
    """What is kept of one side: the last picture, the last three sets of landmarks."""

    def __init__(self, looks: Looks, side: str) -> None:
        self._looks, self._side = looks, side
        self.face: Landmarks | None = None
        self._before: Tensor | None = None
        self._points: deque[Tensor] = deque(maxlen=3)
        self._shaking: list[Tensor] = []
        self._warped: list[Tensor] = []

    def add(self, pixels: Float[Tensor, "1 H W 3"], number: int) -> Float[Tensor, "N 2"]:
        """The next picture; its landmarks, NaN where there are none."""
        if self._looks.faces is not None and self._before is not None:
            self._warped.append(self._warping(torch.cat([self._before, pixels]), number))
        self._before = pixels
        points = torch.full((_POINTS, 2), torch.nan)
        if self._looks.detector is not None:
            faces = self._looks.detector.detect(Photo(pixels[0]))
            self.face = faces[0] if faces else None
            points = faces[0].points if faces else points
            self._points.append(points)
            if len(self._points) == 3:
                self._shaking.append(jitter(torch.stack(list(self._points))))
        return points

    def scores(self) -> Iterator[Score]:
        """Of what needs several frames."""
        for name, values in (("jitter", self._shaking), ("warping_error", self._warped)):
            if values:
                measure = MEASURES[name]
                yield replace(measure, name=measure.name + self._side).of(torch.cat(values))

    def _warping(self, two: Float[Tensor, "2 H W 3"], number: int) -> Float[Tensor, "1"]:
        faces = self._looks.faces
        flow = None if faces is None else faces.flow(number)
        if flow is None:
            return torch.full((1,), torch.nan)
        return warping(two, flow.flow, flow.visible)
