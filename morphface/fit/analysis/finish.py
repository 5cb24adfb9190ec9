"""From what the solver found to what the caller gets, with a verdict."""

from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.colour import Balance
from morphface.fit.analysis.correctives import corrective, show
from morphface.fit.analysis.fine import fine_albedo
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.occlusion import residual_map
from morphface.fit.analysis.problem import Problem, draw_all, energy, scenes_of
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.errors import landmark_error
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.rows import landmark_rows
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters

__all__ = ["Fitted", "finish"]

_SURE = 0.5  # of the largest landmark error: landmarks that fit so well outvote colours, ...
_MORE = 2.0  # ... which may then be so many times further off, ...
_ALIKE = 0.3  # ... if at least brightness is so much alike: its correlation over the face
_LEAST_SHOWN = 50  # pixels of the face, at the resolution of the last stage


@dataclass(frozen=True, eq=False)
class Fitted:
    """Where the solver ended.

    Args:
        problem: of the last stage.
        looks: that it found.
        views: with what hides the face.
        history: energies.
    """

    problem: Problem
    looks: tuple[Look, ...]
    views: tuple[View, ...]
    history: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Quality:
    """How well one photo is explained."""

    rmse: float
    likeness: float
    hidden: float
    shown: float
    nme: float
    predicted: Float[Tensor, "N 2"]
    occlusion: Float[Tensor, "H W"]


def finish(
    done: Fitted,
    starts: tuple[FitResult, ...],
    balances: tuple[Balance, ...],
) -> PhotometricResult:
    """The result of a fit."""
    problem, looks = done.problem, done.looks
    scenes = scenes_of(problem, looks)
    drawn = draw_all(problem, scenes, count=10**9, phase=0.5)
    terms = energy(problem, scenes, drawn, moved=False)
    qualities = [_quality(done, scenes[k], starts[k], k) for k in range(len(looks))]
    reasons = _verdicts(looks[0], starts, qualities, problem.settings)
    reason = _overall(reasons)
    names = {"photometric": terms.photometric, "landmarks": terms.landmarks, **terms.priors}
    if any(rim is not None for rim in drawn.rims):
        names["silhouette"] = terms.silhouette
    ones = torch.ones_like(looks[0].translation)
    parameters = _parameters(looks)
    albedo, fine = _albedo(done, scenes, parameters)
    return PhotometricResult(
        parameters=parameters,
        cameras=tuple(
            _camera(start.camera, look) for start, look in zip(starts, looks, strict=True)
        ),
        landmarks=tuple(start.landmarks for start in starts),
        predicted=tuple(quality.predicted for quality in qualities),
        landmark_nme=tuple(quality.nme for quality in qualities),
        photometric_rmse=tuple(quality.rmse for quality in qualities),
        energies={name: round(value, 6) for name, value in names.items()},
        history=done.history,
        albedo=albedo,
        fine=fine,
        iterations=len(done.history),
        occlusion=tuple(quality.occlusion for quality in qualities),
        gain=torch.stack([ones if b.gain is None else b.gain for b in balances]),
        grey=tuple(balance.grey for balance in balances),
        converged=not reason,
        reason=reason,
        reasons=reasons,
    )


def _albedo(
    done: Fitted, scenes: tuple[Scene, ...], parameters: FaceParameters
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, "W 3"] | None]:
    """Of all vertices of the model, and of its fine mesh: that of the components, corrected where
    the face was seen.
    """
    problem, settings = done.problem, done.problem.settings
    model = problem.model
    own = model.albedo(parameters.reflectance.to(model.faces.device))[0]
    if "reflectance" not in problem.free or not settings.corrective_limit:
        return own, None
    skin = model.regions.get("skin", torch.zeros(len(own)))
    shown = tuple(
        show(scene, view, settings.corrective_limit)
        for scene, view in zip(scenes, done.views, strict=True)
    )
    factor = corrective(scenes, shown, settings, skin)
    albedo = (own * factor).clamp(0.0, 1.0)
    if not settings.fine_grain:
        return albedo, None
    fine = fine_albedo(model, shown, (albedo, factor), settings.fine_grain)
    return albedo, fine.half()


def _parameters(looks: tuple[Look, ...]) -> FaceParameters:
    def rows(name: str) -> Tensor:
        return torch.stack([getattr(look, name) for look in looks]).float()

    return FaceParameters(
        identity=rows("identity")[:1],
        expression=rows("expression"),
        reflectance=rows("reflectance")[:1],
        illumination=rows("illumination"),
        rotation=roma.rotmat_to_rotvec(rows("rotation")),
        translation=rows("translation"),
        gaze=rows("gaze"),
    )


def _camera(camera: Camera, look: Look) -> Camera:
    return replace(camera, focal=look.focal.to(camera.focal).reshape(camera.focal.shape))


def _quality(done: Fitted, scene: Scene, start: FitResult, number: int) -> _Quality:
    photo, view = done.problem.photos[number], done.views[number]
    residual, mask = residual_map(scene, view)
    weight = mask * view.open
    square = (residual.square().mean(dim=-1) * weight).sum() / weight.sum().clamp(min=1e-9)
    markers = photo.markers
    predicted = photo.lens.project(markers.samples.blend(scene.points), scene.look.focal)[:, :2]
    rows = landmark_rows(done.problem.model, start.landmarks.scheme)
    counted = rows.surface.copy()
    for eye in rows.eyes:
        counted[eye.points] = True
    counted &= to_numpy(start.landmarks.confidence) * rows.confidence > 0
    shown = float(mask.sum())
    return _Quality(
        rmse=float(square.sqrt()),
        likeness=_likeness(residual.mean(dim=-1), view.image.mean(dim=-1), weight),
        hidden=1 - float(weight.sum()) / max(shown, 1e-9),
        shown=shown,
        nme=landmark_error(start.landmarks, to_numpy(predicted), counted),
        predicted=predicted.float(),
        occlusion=_whole(view, start.camera.size),
    )


def _likeness(
    residual: Float[Tensor, "h w"], shown: Float[Tensor, "h w"], weight: Float[Tensor, "h w"]
) -> float:
    """Correlation of brightness between model and photo; 0 where either is flat."""
    share = weight / weight.sum().clamp(min=1e-9)
    one, other = (v - (share * v).sum() for v in (residual + shown, shown))
    spread = (share * one.square()).sum() * (share * other.square()).sum()
    return float((share * one * other).sum() / spread.sqrt().clamp(min=1e-9))


def _whole(view: View, size: tuple[int, int]) -> Float[Tensor, "H W"]:
    """What hides the face, in pixels of the whole photo."""
    out = view.open.new_zeros(size)
    left, top = view.lens.corner.int().tolist()
    height, width = (
        round(side / float(scale))
        for side, scale in zip(view.size, view.lens.scale.flip(0), strict=True)
    )
    planes = torch.nn.functional.interpolate(
        1 - view.open[None, None], (height, width), mode="bilinear", align_corners=False
    )
    out[top : top + height, left : left + width] = planes[0, 0]
    return out


def _verdicts(
    look: Look,
    starts: tuple[FitResult, ...],
    qualities: list[_Quality],
    settings: PhotometricSettings,
) -> tuple[str, ...]:
    """Why the fit of each photo may not be trusted; empty for those that may."""
    for name in () if settings.extremes else ("identity", "reflectance"):
        value = getattr(look, name)
        if len(value) and float(value.norm()) >= 0.999 * settings.ellipsoid(len(value)):
            reason = f"{name} is at the bound of its ellipsoid: this is hardly a face of the model"
            return (reason,) * len(starts)
    pairs = zip(starts, qualities, strict=True)
    return tuple(_one_verdict(start, quality, settings) for start, quality in pairs)


def _overall(reasons: tuple[str, ...]) -> str:
    """The first of the reasons, with the number of its photo unless it is that of all."""
    number = next((k for k, reason in enumerate(reasons) if reason), 0)
    same = all(reason == reasons[number] for reason in reasons)
    return reasons[number] if same else f"photo {number}: {reasons[number]}"


def _one_verdict(start: FitResult, quality: _Quality, settings: PhotometricSettings) -> str:
    if quality.shown < _LEAST_SHOWN:
        return "too little of the face is in the picture"
    if quality.hidden > settings.largest_occlusion:
        return f"{quality.hidden:.0%} of the face is hidden"
    if not quality.nme <= settings.largest_nme:
        return (
            f"landmarks are {quality.nme:.3f} eye distances off, "
            f"at most {settings.largest_nme:g} is a fit"
        )
    sure = quality.nme <= _SURE * settings.largest_nme and quality.likeness >= _ALIKE
    most = settings.largest_rmse * (_MORE if sure else 1.0)
    if not quality.rmse <= most:
        return f"colours are {quality.rmse:.3f} off, at most {most:g} is a fit"
    return ""
