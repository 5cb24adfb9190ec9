"""From photos of one person and their linear fits to all parameters: analysis by synthesis.

After Deep Video Portraits (Kim et al. 2018, section 4): photometric, landmark and prior energies
are minimised over all parameters by robust Gauss-Newton, from coarse to fine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError
from morphface.core.threads import one_torch_thread
from morphface.fit.analysis.borrowed import with_colours
from morphface.fit.analysis.colour import Balance, balance_of
from morphface.fit.analysis.energies import Prior
from morphface.fit.analysis.exposure import light_prior
from morphface.fit.analysis.eyes import parts_of
from morphface.fit.analysis.finish import Fitted, finish
from morphface.fit.analysis.frame import Frame
from morphface.fit.analysis.lens import Lens, View, box_around
from morphface.fit.analysis.light import first_light
from morphface.fit.analysis.markers import Detected, detected, markers_at
from morphface.fit.analysis.occlusion import cover_of
from morphface.fit.analysis.onlooker import Onlooker, Place
from morphface.fit.analysis.person import Person, person_of
from morphface.fit.analysis.priors import look_priors, person_priors
from morphface.fit.analysis.problem import Photo, Problem, surface_at
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.analysis.sampling import draw, seen_weight
from morphface.fit.analysis.scene import scene_of
from morphface.fit.analysis.settings import GROUPS, PhotometricSettings, Stage, check_groups
from morphface.fit.analysis.solver import run_stage
from morphface.fit.analysis.state import Columns, Look, first_look
from morphface.fit.analysis.whites import hints_of
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.threads import one_thread
from morphface.models import MorphableModel

__all__ = ["fit_photometric"]

_LIGHT_PIXELS = 1500


def fit_photometric(
    model: MorphableModel,
    photos: Sequence[Float[Tensor, "H W 3"]],
    starts: Sequence[FitResult],
    *,
    settings: PhotometricSettings | None = None,
    free: Sequence[str] | None = None,
    masks: Sequence[Float[Tensor, "H W"] | None] | None = None,
    covers: Sequence[Float[Tensor, "H W"] | None] | None = None,
) -> PhotometricResult:
    """The face parameters that explain the pixels of photos of one person.

    It runs in float32 on the device of the photos, on a CPU on one thread: a second one gains
    little, and on a busy machine the threads would wait for each other.

    Args:
        model: any model; the one that made `starts`. Without reflectance it borrows that of the
            open head, or skin has one albedo, and colours count for less.
        photos: RGB in [0, 1]. All show one person, who has one identity and one reflectance.
        starts: for each photo what `fit_linear` found.
        settings: stages, weights and limits; None takes the defaults.
        free: names of the groups that may change, from `GROUPS`; None frees all.
        masks: for each photo where the head is, 0 to 1, to whose edge the face's outline is drawn;
            None where that is not known.
        covers: for each photo how likely each pixel shows something before the face, 0 to 1, which
            then has no say (`fit.covered.find_cover`); None for what is not known.

    Raises:
        ParameterError: there is no photo, or not one start, mask or cover for each; a name in
            `free` is none.
        ShapeError: a photo, mask or cover has not the axes above, or not the size of its start.
    """
    settings = settings or PhotometricSettings()
    free = tuple(GROUPS if free is None else free)
    _check(photos, starts, free)
    masks = _checked("masks", masks, starts)
    covers = _checked("covers", covers, starts)
    with torch.no_grad(), one_thread(), one_torch_thread():
        task = _task(model, tuple(photos), tuple(starts), settings, free)
        result = _fit(replace(task, masks=masks, covers=covers))
    if model.reflectance is not None:
        return result
    own = replace(result.parameters, reflectance=result.parameters.reflectance[:, :0])
    return replace(result, parameters=own)


def _check(photos: Sequence[Tensor], starts: Sequence[FitResult], free: tuple[str, ...]) -> None:
    check_groups("free", free)
    if not photos:
        raise ParameterError("photos must have at least one photo, got none")
    if len(photos) != len(starts):
        raise ParameterError(
            f"starts must have one fit for each photo, got {len(starts)} for {len(photos)} photos"
        )
    for photo, start in zip(photos, starts, strict=True):
        check_shape("photos", photo, *start.camera.size, 3)
        check_finite("photos", photo)


def _checked(
    name: str, given: Sequence[Tensor | None] | None, starts: Sequence[FitResult]
) -> tuple[Tensor | None, ...]:
    """A picture for each photo, or None for those that have none."""
    pictures = (None,) * len(starts) if given is None else tuple(given)
    if len(pictures) != len(starts):
        raise ParameterError(
            f"{name} must have one for each photo, got {len(pictures)} for {len(starts)} photos"
        )
    for picture, start in zip(pictures, starts, strict=True):
        if picture is not None:
            check_shape(name, picture, *start.camera.size)
            check_finite(name, picture)
    return pictures


@dataclass(frozen=True, eq=False)
class _Task:
    """What `fit_photometric` was given."""

    model: MorphableModel
    photos: tuple[Tensor, ...]
    starts: tuple[FitResult, ...]
    settings: PhotometricSettings
    free: tuple[str, ...]
    priors: tuple[Prior, ...]
    person: Person
    masks: tuple[Tensor | None, ...] = ()
    covers: tuple[Tensor | None, ...] = ()

    @property
    def onlooker(self) -> Onlooker | None:
        """Finds the gaze, where it is asked for and the model's eyes look like something."""
        asked = any("gaze" in stage.free for stage in self.settings.stages)
        parts = parts_of(self.model) if "gaze" in self.free and asked else None
        return None if parts is None else Onlooker(self.model, parts, self.settings)


def _task(
    model: MorphableModel,
    photos: tuple[Tensor, ...],
    starts: tuple[FitResult, ...],
    settings: PhotometricSettings,
    free: tuple[str, ...],
) -> _Task:
    """The task, with borrowed colours for a model that has none."""
    if model.reflectance is None:
        patches = settings.independent_patches * settings.borrowed_share
        settings = replace(settings, independent_patches=patches)
        model = with_colours(model)
        rank = 0 if model.reflectance is None else model.reflectance.rank
        starts = tuple(
            replace(s, parameters=replace(s.parameters, reflectance=torch.zeros(1, rank)))
            for s in starts
        )
    settings = settings.among(len(photos))
    person = person_of(starts, settings.identity_trust, settings.shared_errors)
    priors = person_priors(model, person, settings)
    return _Task(model, photos, starts, settings, free, priors, person)


def _fit(task: _Task) -> PhotometricResult:
    looks = _one_person(
        task.person,
        tuple(
            replace(
                first_look(start.parameters, start.camera, photo),
                shade=photo.new_tensor(task.settings.shade),
            )
            for start, photo in zip(task.starts, task.photos, strict=True)
        ),
    )
    begun = [_begin(task, k, look) for k, look in enumerate(looks)]
    frames, looks = tuple(frame for frame, _ in begun), tuple(look for _, look in begun)
    views = tuple(
        _covered(task, look, frame.view(task.settings.stages[0].spacing))
        for frame, look in zip(frames, looks, strict=True)
    )
    history: list[float] = []
    onlooker = task.onlooker
    for number, stage in enumerate(task.settings.stages):
        if stage.look and onlooker is not None:
            looks = onlooker.gazes(_places(frames, views, looks))
        views = tuple(
            frame.opened(stage.spacing, view) for frame, view in zip(frames, views, strict=True)
        )
        problem = _problem(task, frames, views, looks, stage)
        looks, steps = run_stage(problem, stage, looks, phase=0.5 + 0.1 * number)
        history += steps
        last = number == len(task.settings.stages) - 1
        views = tuple(
            _covered(task, look, view, settled=last)
            for look, view in zip(looks, views, strict=True)
        )
    if onlooker is not None:
        looks = onlooker.gazes(_places(frames, views, looks))
        looks = (
            onlooker.colours(_places(frames, views, looks)) if "reflectance" in task.free else looks
        )
    done = Fitted(problem, looks, views, tuple(history))
    return finish(done, task.starts, tuple(frame.balance for frame in frames))


def _places(
    frames: tuple[Frame, ...], views: tuple[View, ...], looks: tuple[Look, ...]
) -> list[Place]:
    return list(zip(frames, views, looks, strict=True))


def _one_person(person: Person, looks: tuple[Look, ...]) -> tuple[Look, ...]:
    """The looks with the identity that their landmarks agree on."""
    mean = torch.from_numpy(person.mean).to(looks[0].identity)
    return tuple(replace(look, identity=mean, reflectance=looks[0].reflectance) for look in looks)


def _begin(task: _Task, number: int, look: Look) -> tuple[Frame, Look]:
    """What stays of a photo, and its look with a first light."""
    photo, start, settings = task.photos[number], task.starts[number], task.settings
    camera = start.camera
    depth = None if camera.weak_depth is None else camera.weak_depth.to(photo)
    principal = camera.principal.to(photo)
    lens = Lens(principal, torch.zeros_like(principal), torch.ones_like(principal), depth)
    scene = scene_of(surface_at(task.model, look), look)
    shown = scene.screen(lens)[seen_weight(scene) > 0, :2]
    away = float(-look.translation[2]) if depth is None else float(depth)
    hints = hints_of(photo.detach().cpu().numpy(), start.landmarks, settings.hints)
    light = light_prior(scene, settings, hints)
    frame = Frame(
        photo=photo,
        lens=lens,
        box=box_around(shown, camera.size),
        scale=float(look.focal) / away,
        balance=Balance(),
        marks=detected(task.model, start, look, settings),
        priors=(*look_priors(task.model, start, look, settings), light),
        cover=task.covers[number],
    )
    view = frame.view(settings.stages[0].spacing)
    samples = draw(scene, view, count=_LIGHT_PIXELS, phase=0.5)
    balance = balance_of(scene, samples, view, settings)
    view = replace(view, mix=balance.mix)
    first = first_light(
        scene,
        samples,
        view,
        light,
        noise=settings.starting_noise,
        worth=settings.independent_patches,
    )
    look = replace(look, illumination=first) if "illumination" in task.free else look
    return replace(frame, balance=balance), look


def _covered(task: _Task, look: Look, view: View, *, settled: bool = False) -> View:
    """The view with what hides the face, seen from where the fit stands."""
    scene = scene_of(surface_at(task.model, look), look)
    cover = cover_of(scene, view, task.settings, settled=settled)
    return replace(view, open=1 - cover)


def _problem(
    task: _Task,
    frames: tuple[Frame, ...],
    views: tuple[View, ...],
    looks: tuple[Look, ...],
    stage: Stage,
) -> Problem:
    photos = tuple(
        Photo(
            views[k],
            frame.lens,
            markers_at(
                _used_marks(task, frame), surface_at(task.model, looks[k]), looks[k], task.settings
            ),
            frame.priors,
            task.masks[k],
        )
        for k, frame in enumerate(frames)
    )
    return Problem(
        model=task.model,
        photos=photos,
        priors=task.priors,
        columns=Columns.of(task.model, len(looks)),
        limits=to_numpy(task.model.expression.bounds),
        settings=task.settings,
        free=tuple(name for name in stage.free if name in task.free),
    )


def _used_marks(task: _Task, frame: Frame) -> Detected:
    """The landmarks of a photo, without irises where these have been looked for in the pixels."""
    if task.onlooker is None:
        return frame.marks
    return replace(frame.marks, irises=np.zeros_like(frame.marks.irises))
