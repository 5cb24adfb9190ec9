"""How well and how fast do pixels give all parameters of a face?

    python -m benchmarks.bench_fit [--heads N] [--runs N] [--adam-heads N]

- `recovery`: pictures of random open heads (yaw within 40 degrees, pitch and roll within 10, four
  expressions up to 0.7, gaze, own skin, a light from a random side), twice as fine as they are
  seen, shaded by the pixel, in 8 bits, before a background that is not black. The real detector
  finds the landmarks and the linear stage, measured in the same run, is the start. Error of the
  face region after rigid alignment without scale, at the same vertices and to the surface; pose,
  expression weights, direction of the light, colours. The model is the one that made the
  pictures: this says that the solver finds the minimum, not that the model is right
  (`bench_scan` asks that).
- `speed`: milliseconds after detection for a face of 512 pixels, everything free, and the most
  memory that was in use.
- `adam`: torch's Adam on the same energy, at the same points of the same view, from the same start
  with first light, with gradients by autograd. Its rate is the best of those named below.
- `menpo3d`: the peer that fits pixels without a GPU; `peer_menpo3d` says how to provide it.
"""

import argparse
import resource
import time
from dataclasses import replace
from typing import Any

import numpy as np
import roma
import torch
from torch.nn.functional import normalize

from benchmarks.bench_linear_fit import SIZE, Head, random_head, shape, surface_error
from benchmarks.common import measure, report, seed
from benchmarks.peer_menpo3d import bench_menpo3d
from benchmarks.peers_rasterize import Absent
from morphface.fit import fit_linear, fit_photometric
from morphface.fit.analysis import photometric
from morphface.fit.analysis.problem import Drawn, Problem, draw_all, energy, scenes_of
from morphface.fit.analysis.settings import PhotometricSettings, Stage
from morphface.fit.analysis.state import Look
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks import Landmarks
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render import interpolate, rasterize

FINER = 2
STEPS = 500
PATIENCE = 3000  # steps until Adam gives up reaching our energy
RATES = (0.01, 0.02, 0.05)
UNITS = {"rotation": 0.1, "translation": 10.0, "focal": 0.1, "gaze": 0.2, "illumination": 0.3}


def lit_head(model: MorphableModel, rng: torch.Generator) -> Head:
    """A random head, turned further and lit from a random side."""
    head = random_head(model, rng)
    turn = (torch.rand(1, 3, generator=rng) * 2 - 1) * torch.tensor([40.0, 10.0, 10.0])
    side = torch.randn(1, 3, generator=rng) * torch.tensor([1.0, 1.0, 0.0])
    towards = normalize(side + torch.tensor([0.0, 0.0, 0.6]), dim=-1)
    x, y, z = (towards * (0.2 + 0.3 * torch.rand(1, 1, generator=rng))).unbind(-1)
    light = torch.zeros(1, 9, 3)
    light[:, 0] = 0.3 + 0.1 * torch.randn(1, 1, generator=rng)
    light[:, 1:4] = torch.stack([-y, z, -x], dim=-1)[..., None]
    light[:, 4:] = 0.08 * torch.randn(1, 5, 1, generator=rng)
    light = light * (1 + 0.1 * torch.randn(1, 1, 3, generator=rng))
    rotation = angles_to_rotvec(turn.deg2rad())
    return Head(replace(head.parameters, rotation=rotation, illumination=light), head.camera)


def picture(model: MorphableModel, head: Head) -> torch.Tensor:
    """The head, shaded by the pixel, before a background with a gradient; 8 bits."""
    p, (height, width) = head.parameters, head.camera.size
    vertices = to_camera(shape(model, p)[None], p.rotation, p.translation)
    screen = head.camera.project(vertices) * torch.tensor([FINER, FINER, 1.0])
    found = rasterize(screen, model.faces, (height * FINER, width * FINER))
    values = [model.albedo(p.reflectance), vertex_normals(vertices, model.faces)]
    seen = interpolate(torch.cat(values, dim=-1), model.faces, found)[0].flatten(0, 1)
    colour = seen[:, :3] * irradiance(p.illumination, normalize(seen[None, :, 3:], dim=-1))[0]
    down = torch.linspace(0, 1, height * FINER)[:, None, None]
    behind = torch.lerp(torch.tensor([0.55, 0.6, 0.65]), torch.tensor([0.35, 0.34, 0.33]), down)
    image = torch.where(found.mask[0][..., None], colour.view(*found.mask[0].shape, 3), behind)
    blocks = image.clamp(0, 1).view(height, FINER, width, FINER, 3).mean(dim=(1, 3))
    return (blocks * 255).round() / 255


def light_direction(illumination: torch.Tensor) -> torch.Tensor:
    """Where most of the light comes from: the vector of band 1."""
    _, y, z, x = illumination[0, :4].mean(dim=-1)
    return normalize(torch.stack([-x, -y, z]), dim=0)


def angle(a: torch.Tensor, b: torch.Tensor) -> float:
    """Degrees between two directions."""
    return float((a @ b).clamp(-1, 1).arccos().rad2deg())


def errors(model: MorphableModel, head: Head, found: FaceParameters) -> dict[str, float]:
    """How far fitted parameters are from the true ones."""
    true = head.parameters
    surface, vertex = surface_error(model, shape(model, found), shape(model, true))
    turn = roma.rotvec_geodesic_distance(found.rotation[0], true.rotation[0])
    out = {
        "vertex_mm": vertex,
        "surface_mm": surface,
        "pose_degrees": float(turn.rad2deg()),
        "expression_mae": float((found.expression - true.expression).abs().mean()),
        "gaze_degrees": float((found.gaze - true.gaze).abs().mean().rad2deg()),
    }
    if bool((found.illumination != 0).any()):
        directions = light_direction(found.illumination), light_direction(true.illumination)
        out["light_degrees"] = angle(*directions)
    return out


Case = tuple[Head, torch.Tensor, Landmarks]


def cases(model: MorphableModel, count: int) -> list[Case]:
    """Heads that the detector finds, their pictures and landmarks."""
    rng, out = torch.Generator().manual_seed(0), []
    with MediaPipeDetector() as detector:
        while len(out) < count:
            head = lit_head(model, rng)
            image = picture(model, head)
            faces = detector.detect(Photo(image))
            out += [(head, image, faces[0])] if faces else []
    return out


def bench_recovery(model: MorphableModel, given: list[Case]) -> list[dict[str, Any]]:
    """Truth against the linear stage and against pixels."""
    linear, pixels, seconds = [], [], []
    for head, image, marks in given:
        start = fit_linear(model, marks, size=SIZE)
        began = time.perf_counter()
        fit = fit_photometric(model, [image], [start])
        seconds.append(time.perf_counter() - began)
        linear.append(errors(model, head, start.parameters))
        found = errors(model, head, fit.parameters)
        pixels.append(found | {"rmse": fit.photometric_rmse[0], "steps": fit.iterations})
    tables = {"linear stage": linear, "pixels": pixels}
    out = [summary(f"recovery, {name}", rows) for name, rows in tables.items()]
    out[1]["median_s"] = round(float(np.median(seconds)), 3)
    for name in ("vertex_mm", "surface_mm", "pose_degrees", "expression_mae", "gaze_degrees"):
        out[1][f"times_better_{name}"] = round(out[0][name] / out[1][name], 2)
    return out


def summary(name: str, rows: list[dict[str, float]]) -> dict[str, Any]:
    """Medians, and nine in ten."""
    out: dict[str, Any] = {"case": name, "heads": len(rows)}
    for key in rows[0]:
        values = [row[key] for row in rows]
        out[key] = round(float(np.median(values)), 4)
        out[f"{key}_90"] = round(float(np.quantile(values, 0.9)), 4)
    return out


def bench_speed(model: MorphableModel, given: list[Case], runs: int) -> list[dict[str, Any]]:
    """Milliseconds of the fit after detection."""
    _, image, marks = given[0]
    left, top, right, bottom = marks.box
    larger = 512 / max(right - left, bottom - top)
    size = [round(side * larger) for side in SIZE]
    planes = torch.nn.functional.interpolate(image.permute(2, 0, 1)[None], size, mode="bilinear")
    photo = planes[0].permute(1, 2, 0).contiguous()
    scaled = replace(marks, points=marks.points * larger, depth=None)
    start = fit_linear(model, scaled, size=(size[0], size[1]))
    calls = {
        "linear stage": lambda: fit_linear(model, scaled, size=(size[0], size[1])),
        "pixels": lambda: fit_photometric(model, [photo], [start]),
    }
    times = measure(calls, runs=runs)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        {"case": f"speed, {name}", "face_pixels": 512, "process_peak_mb": round(memory)} | found
        for name, found in times.items()
    ]


class Race:
    """One energy, at fixed points of one view, for the solver and for Adam."""

    def __init__(self, model: MorphableModel, case: Case) -> None:
        _, self.image, marks = case
        self.model, self.start = model, fit_linear(model, marks, size=SIZE)
        self.problem, self.looks, self.drawn = self._set_up()

    def _set_up(self) -> tuple[Problem, tuple[Look, ...], Drawn]:
        """The last stage's problem around the start, with the noise that the fit ends with."""
        settings = PhotometricSettings()
        caught: list[Any] = []
        finish = photometric.finish

        def catch(done: Any, *rest: Any) -> Any:
            caught.append(done)
            return finish(done, *rest)

        photometric.finish = catch
        try:
            began = time.perf_counter()
            fit_photometric(self.model, [self.image], [self.start], settings=settings)
            self.seconds = time.perf_counter() - began
        finally:
            photometric.finish = finish
        done = caught[0]
        scenes = scenes_of(done.problem, done.looks)
        drawn = draw_all(done.problem, scenes, count=2400, phase=0.5)
        self.ours = energy(done.problem, scenes, drawn, moved=False).total
        first = replace(settings, stages=(Stage(0.8, 2400, 1, ("illumination",)),))
        photometric.finish = catch
        try:
            fit_photometric(
                self.model, [self.image], [self.start], settings=first, free=("illumination",)
            )
        finally:
            photometric.finish = finish
        return done.problem, caught[1].looks, drawn

    def adam(
        self, rate: float, steps_at_most: int = STEPS, goal: float = 0.0
    ) -> list[tuple[float, float]]:
        """Seconds and energy after each step; it stops at the goal."""
        look, limits = self.looks[0], torch.from_numpy(self.problem.limits).float()
        sizes = self.problem.columns.widths
        steps = {
            name: torch.zeros(size, requires_grad=True) for name, size in sizes.items() if size
        }
        optimiser = torch.optim.Adam(list(steps.values()), lr=rate)
        out, spent = [], 0.0
        for _ in range(steps_at_most):
            began = time.perf_counter()
            optimiser.zero_grad()
            moved = look.moved({name: s * UNITS.get(name, 1.0) for name, s in steps.items()})
            moved = replace(moved, expression=moved.expression.clamp(limits[:, 0], limits[:, 1]))
            value = energy_of(self.problem, moved, self.drawn)
            value.backward()
            optimiser.step()
            spent += time.perf_counter() - began
            out.append((spent, float(value.detach())))
            if out[-1][1] <= goal:
                break
        return out


def energy_of(problem: Problem, look: Look, drawn: Drawn) -> torch.Tensor:
    """`solver.energy` of one photo as a tensor that autograd follows."""
    from morphface.fit.analysis.energies import charbonnier, colour_residuals, landmark_residuals
    from morphface.fit.analysis.problem import surface_at
    from morphface.fit.analysis.scene import scene_of

    photo, samples = problem.photos[0], drawn.samples[0]
    scene = scene_of(surface_at(problem.model, look), look)
    value, _ = charbonnier(colour_residuals(scene, samples, photo.view), drawn.noise[0])
    total = drawn.worth[0] * (samples.trust * value).sum() / samples.trust.sum()
    total = total + 0.5 * landmark_residuals(scene, photo.markers, photo.lens).square().sum()
    for prior in (*problem.priors, *photo.priors):
        here = getattr(look, prior.name)
        here = (here.log() if prior.name == "focal" else here).flatten()
        off = here - torch.from_numpy(prior.mean).float()
        total = total + 0.5 * off @ torch.from_numpy(prior.precision).float() @ off
    return total


def bench_adam(model: MorphableModel, given: list[Case]) -> list[dict[str, Any]]:
    """Where Adam gets in its steps, and how long it takes to reach our energy."""
    out = []
    for number, case in enumerate(given):
        race = Race(model, case)
        trials = {rate: race.adam(rate) for rate in RATES}
        rate, trace = min(trials.items(), key=lambda trial: min(e for _, e in trial[1]))
        longer = race.adam(rate, PATIENCE, race.ours)
        reached = longer[-1][1] <= race.ours
        out.append(
            {
                "case": f"adam, head {number}",
                "rate": rate,
                "start_energy": round(trace[0][1], 2),
                "our_energy": round(race.ours, 2),
                "our_s": round(race.seconds, 3),
                "adam_energy": round(min(value for _, value in trace), 2),
                "adam_steps": STEPS,
                "adam_s": round(trace[-1][0], 2),
                "adam_reached_our_energy": reached,
                "adam_steps_to_it_or_given_up": len(longer),
                "adam_s_to_it_or_given_up": round(longer[-1][0], 2),
                "times_faster": round(longer[-1][0] / race.seconds, 1),
            }
        )
    return out


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--heads", type=int, default=30)
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--adam-heads", type=int, default=3)
    chosen = options.parse_args()
    seed()
    model = load_model()
    given = cases(model, chosen.heads)
    found = bench_recovery(model, given)
    found += bench_speed(model, given, chosen.runs)
    found += bench_adam(model, given[: chosen.adam_heads])
    try:
        found += bench_menpo3d(chosen.runs)
    except Absent as reason:
        print(f"skipped menpo3d: {reason}")
    report("fit", found)


if __name__ == "__main__":
    main()
