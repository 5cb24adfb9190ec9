"""Photos of one person in, one fitted identity out; nothing is written.

Landmarks first: what they say of the person is joined, each photo is fitted again to that person,
and a photo that contradicts the others is told apart. Then pixels: one fit of all photos that
agree. A photo that does not gets pose, expression and light of its own on the head of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.display import Displayed
from morphface.core.errors import NoFaceError, ParameterError
from morphface.fit import FitResult, PhotometricResult, fit_linear, fit_photometric
from morphface.fit.analysis.person import person_of, strangers
from morphface.fit.analysis.settings import GROUPS
from morphface.fit.covered import fit_seen
from morphface.fit.fitted import FittedFace
from morphface.fit.verdict import Verdict
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength, focal_pixels
from morphface.geometry.intrinsics import Intrinsics
from morphface.landmarks import Landmarks, choose
from morphface.media.images import Photo, PictureSource, name_of, read_image
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.calibration import Calibration, CameraSource, check_camera
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.photo import (
    HOPELESS,
    Clock,
    Lens,
    Progress,
    check_device,
    faces_of,
)
from morphface.pipelines.verdicts import known_lens, verdict_on
from morphface.pipelines.wishes import check_wishes

__all__ = ["STRANGER", "FittedPhotos", "Wishes", "fit_photos"]

STRANGER = (
    "its landmarks contradict those of the other photos, so that it had no say in who that is: "
    "is this the same person?"
)
"""Why the face of a photo that does not fit the others may not be trusted."""


class Wishes(TypedDict, total=False):
    """Optional arguments of `fit_photos`, for functions that pass them on."""

    faces: str | int | Sequence[str | int]
    focal: FocalLength | Sequence[FocalLength | None] | None
    stage: str
    device: str


_T = TypeVar("_T")
_R = TypeVar("_R", FitResult, PhotometricResult, Verdict)
_OWN = tuple(name for name in GROUPS if name not in ("identity", "reflectance"))
_PER_FRAME = ("expression", "illumination", "rotation", "translation", "gaze")


@dataclass(frozen=True, eq=False)
class FittedPhotos(Displayed):
    """One person in several photos.

    Args:
        photos: each turned so that its face is upright.
        faces: the person's face in each, all with one identity and one reflectance.
    """

    photos: tuple[Photo, ...]
    faces: tuple[FittedFace, ...]

    @property
    def parameters(self) -> FaceParameters:
        """What was fitted: a frame for each photo."""
        each = [face.parameters for face in self.faces]
        rows = {name: torch.cat([getattr(one, name) for one in each]) for name in _PER_FRAME}
        return replace(each[0], **rows)

    @property
    def converged(self) -> bool:
        """Whether the fit of every photo may be trusted."""
        return all(face.converged for face in self.faces)

    @property
    def trusted(self) -> tuple[int, ...]:
        """Numbers of the photos whose fit may be; all, if none may."""
        numbers = range(len(self.faces))
        return tuple(n for n in numbers if self.faces[n].converged) or tuple(numbers)


def fit_photos(
    images: Sequence[PictureSource],
    *,
    model: str | Path = "open-head",
    faces: str | int | Sequence[str | int] = "largest",
    focal: FocalLength | Sequence[FocalLength | None] | None = None,
    camera: CameraSource | Sequence[CameraSource | None] | None = None,
    stage: str = "pixels",
    device: str = "cpu",
    progress: Progress | None = None,
) -> FittedPhotos:
    """Fit a morphable model to several photos of one person, who has one identity in all of them.

    Args:
        images: pictures, two or more, each as of `fit_photo`.
        model: name or path of a morphable model.
        faces: which face of each photo is the person's: "largest", or an index from 0, the largest
            face first; or one of these for each photo.
        focal: as in `fit_photo`, for all photos, or one for each.
        camera: the same; of a file, each photo takes its own.
        stage: "linear" stops after the landmarks.
        device: where to compute.
        progress: is told what begins now.

    Raises:
        NoFaceError: there are photos without a face, or without the one asked for; all are named.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell = progress or (lambda _: None)
    check_device(device)
    wishes = _wishes(images, faces, focal, camera)
    for lens, taken_by in zip(wishes.focals, wishes.cameras, strict=True):
        check_wishes(lens, stage)
        check_camera(taken_by, lens)
    head = load_model(model)
    seen = _look(images, wishes, tell)
    head = with_landmarks_for(head, model, {one.landmarks.scheme for one in seen}, tell)
    tell("fitting")
    task = _Task(head, tuple(seen), device)
    return FittedPhotos(tuple(one.photo for one in seen), _fit(task, stage))


@dataclass(frozen=True)
class _Wishes:
    """What was asked for, for each photo."""

    faces: tuple[str | int, ...]
    focals: tuple[FocalLength | None, ...]
    cameras: tuple[CameraSource | None, ...]


@dataclass(frozen=True, eq=False)
class _Seen:
    """A photo, its face and what is before that, and what is known, and `told`, of its lens."""

    photo: Photo
    landmarks: Landmarks
    focal: float | None
    camera: Camera | None
    clock: Clock
    told: dict[str, Any]
    cover: Float[Tensor, "H W"] | None = None

    @property
    def lens(self) -> Lens:
        """What a fit to landmarks is told of the camera."""
        return {"size": self.photo.size, "focal": self.focal, "camera": self.camera}


@dataclass(frozen=True, eq=False)
class _Task:
    """What is fitted to what, and where."""

    model: MorphableModel
    seen: tuple[_Seen, ...]
    device: str

    def begun(self) -> tuple["_Task", list[FitResult]]:
        """The linear fits of all photos; landmarks are told from those that are hidden."""
        seen, starts = [], []
        for one in self.seen:
            one.clock.skip()
            face = one.landmarks.to(self.device)
            start, cover = fit_seen(self.model, one.photo, face, **one.lens)
            seen.append(replace(one, landmarks=start.landmarks, cover=cover))
            starts.append(start)
            one.clock.lap("fit")
        return replace(self, seen=tuple(seen)), starts

    def landmarks_fit(self, number: int, identity: Tensor) -> FitResult:
        """The linear fit of a photo, of a known person."""
        one = self.seen[number]
        face = one.landmarks.to(self.device)
        return fit_linear(self.model, face, **(one.lens | {"identity": identity}))

    def free(self, groups: Sequence[str]) -> tuple[str, ...]:
        """Those of some groups that pixels may change: no focal length, where cameras are known."""
        known = any(one.camera is not None for one in self.seen)
        return tuple(name for name in groups if not (known and name == "focal"))

    def pixels(
        self, numbers: Sequence[int], starts: Sequence[FitResult], groups: Sequence[str]
    ) -> PhotometricResult:
        """What the pixels of some photos say of some groups."""
        some = [self.seen[n] for n in numbers]
        return fit_photometric(
            self.model,
            [one.photo.pixels.to(self.device) for one in some],
            starts,
            free=self.free(groups),
            covers=[None if one.cover is None else one.cover.to(self.device) for one in some],
        ).to("cpu")


def _wishes(
    images: Sequence[PictureSource],
    faces: str | int | Sequence[str | int],
    focal: FocalLength | Sequence[FocalLength | None] | None,
    camera: CameraSource | Sequence[CameraSource | None] | None,
) -> _Wishes:
    if isinstance(images, str | bytes) or not isinstance(images, Sequence) or len(images) < 2:
        raise ParameterError(
            "a fit of photos together needs at least two photos of one person; fit_photo and "
            "`morphface fit IMAGE` fit a single one"
        )
    count = len(images)
    chosen = _each("faces", [faces] * count if isinstance(faces, str | int) else faces, count)
    if "all" in chosen:
        raise ParameterError(
            'faces must be "largest" or an index where photos are fitted together, got "all": '
            "one person has one face in each photo"
        )
    if focal is None or isinstance(focal, str | int | float):
        focal = [focal] * count
    if camera is None or isinstance(camera, Camera | Intrinsics | str | Path):
        camera = [camera] * count
    return _Wishes(chosen, _each("focal", focal, count), _each("camera", camera, count))


def _each(name: str, values: Sequence[_T], count: int) -> tuple[_T, ...]:
    if len(values) != count:
        raise ParameterError(
            f"{name} must be one for all photos or one for each of the {count}, got {len(values)}"
        )
    return tuple(values)


def _look(images: Sequence[PictureSource], wishes: _Wishes, tell: Progress) -> list[_Seen]:
    """The face of each photo; all photos are looked at before one without a face is refused."""
    seen, refused = [], []
    for number, (image, which, focal, camera) in enumerate(
        zip(images, wishes.faces, wishes.focals, wishes.cameras, strict=True)
    ):
        tell(f"looking for the face in photo {number + 1} of {len(images)}")
        clock = Clock()
        photo = read_image(image)
        calibration = None if camera is None else Calibration.of(camera, photo)
        photo = photo if calibration is None else calibration.photo(photo)
        lens = photo.focal if focal is None else focal_pixels(focal, photo.size)
        told = known_lens(focal, lens, camera)
        clock.lap("read")
        try:
            photo, found = faces_of(photo, which, lambda _: None)
            face = choose(found, which)[0]
        except NoFaceError as error:
            refused.append((name_of(image), error))
            continue
        clock.lap("detect")
        taken_by = None if calibration is None else calibration.camera(photo)
        seen.append(_Seen(photo, face, lens, taken_by, clock, told))
    if refused:
        raise _without_face(refused) from refused[0][1]
    return seen


def _without_face(refused: list[tuple[str, NoFaceError]]) -> NoFaceError:
    if len(refused) == 1:
        image, error = refused[0]
        told = str(error)
        return error if image in told else NoFaceError(f"{image}: {told}")
    names = ", ".join(image for image, _ in refused)
    return NoFaceError(
        f"the face that was asked for was not found in {len(refused)} photos: {names}; leave them "
        "out, or use pictures in which both eyes are seen and the face is at least 40 pixels large"
    )


def _fit(task: _Task, stage: str) -> tuple[FittedFace, ...]:
    task, starts = task.begun()
    agreeing = _agreeing(starts)
    person = torch.from_numpy(person_of([starts[n] for n in agreeing], 1.0).mean)
    seen = _joint(task, starts, agreeing) if stage == "pixels" else {}
    if seen:
        person = seen[agreeing[0]].parameters.identity[0]
    done = []
    for number, one in enumerate(task.seen):
        fit, own = task.landmarks_fit(number, person), seen.get(number)
        if seen and own is None:
            fit, own = _apart(task, number, fit, seen[agreeing[0]])
        verdict = verdict_on(task.model, one.photo, fit, own, cover=one.cover, **one.told)
        if number not in agreeing and starts[number].landmark_nme <= HOPELESS:
            fit, own = _doubted(fit), None if own is None else _doubted(own)
            verdict = _doubted(verdict)
        done.append(FittedFace(fit.to("cpu"), task.model, dict(one.clock.laps), own, verdict))
    return tuple(done)


def _agreeing(starts: list[FitResult]) -> list[int]:
    """Numbers of the photos that say who the person is."""
    usable = [n for n, start in enumerate(starts) if start.landmark_nme <= HOPELESS]
    if not usable:
        return list(range(len(starts)))
    strange = strangers([starts[n] for n in usable])
    return [n for n, other in zip(usable, strange, strict=True) if not other] or usable


def _joint(
    task: _Task, starts: list[FitResult], agreeing: list[int]
) -> dict[int, PhotometricResult]:
    """What the pixels of the agreeing photos say together; nothing where landmarks are hopeless."""
    if not starts[agreeing[0]].landmark_nme <= HOPELESS:
        return {}
    for number in agreeing:
        task.seen[number].clock.skip()
    result = task.pixels(agreeing, [starts[n] for n in agreeing], GROUPS)
    for number in agreeing:
        task.seen[number].clock.lap("pixels")
    return {number: result.of_photo(k) for k, number in enumerate(agreeing)}


def _apart(
    task: _Task, number: int, fit: FitResult, known: PhotometricResult
) -> tuple[FitResult, PhotometricResult | None]:
    """A photo that had no say, fitted to the person of the others."""
    look = replace(fit.parameters, reflectance=known.parameters.reflectance.to(task.device))
    fit = replace(fit, parameters=look)
    if not fit.landmark_nme <= HOPELESS:
        return fit, None
    clock = task.seen[number].clock
    clock.skip()
    own = task.pixels([number], [fit], _OWN)
    clock.lap("pixels")
    return fit, own


def _doubted(result: _R) -> _R:
    return replace(result, converged=False, reason=STRANGER)
