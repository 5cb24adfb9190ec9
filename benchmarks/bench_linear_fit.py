"""How well and how fast do landmarks alone give a face?

    python -m benchmarks.bench_linear_fit [--runs N]

Four questions, each on the open head with all 478 points and all coefficients:

- `exact`: landmarks projected without noise from random heads. Vertex error, nothing aligned.
  The tongue is at rest, as no landmark shows it.
- `rendered`: pictures of random heads (yaw within 30 degrees, pitch and roll within 10, four
  expressions up to 0.7, gaze, own skin and light), seen by the real detector. Pose error; error
  of the face region after rigid alignment, without scale: the distance from each true vertex to
  the fitted surface, and between the same vertices of both.
- `photo`: landmark error on the sample photo.
- `speed`: after detection.

Beside it in the same run, on the same points and the same model: the mean head, and a plain
alternation of an affine camera and a ridge regression, which is how most landmark fitters work.
With `PEERS_SRC` set to a folder that holds `eos/share` with its model files and `eos-py`
installed, its contour fit of 68 points is timed too.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch
from threadpoolctl import threadpool_limits

from benchmarks.common import measure, report, seed
from morphface.core.errors import MorphfaceError
from morphface.fit import fit_linear
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.landmarks import Landmarks, find_faces, outer_eye_distance, to_scheme
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo, read_image
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render import Renderer, shade_sh

HEADS = 20
SIZE = (640, 640)
RIDGE_NOISE = 2.0  # millimetres; the landmark error that the baseline assumes


@dataclass
class Head:
    """A random person before a random camera."""

    parameters: FaceParameters
    camera: Camera


@dataclass
class Fitted:
    """What one of the compared methods says."""

    vertices: torch.Tensor
    rotation: torch.Tensor | None
    nme: float | None


def random_head(model: MorphableModel, rng: torch.Generator) -> Head:
    """Unit-sigma identity, a few expressions, a gaze, a pose, and a lens."""

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=rng)

    visible = [
        k
        for k, name in enumerate(model.expression.names)
        if name != "tongueOut" and not name.startswith("eyeLook")
    ]
    chosen = torch.tensor(visible)[torch.randperm(len(visible), generator=rng)[:4]]
    expression = torch.zeros(1, model.expression.rank)
    expression[0, chosen] = uniform(4) * 0.7
    limits = torch.tensor([30.0, 10.0, 10.0]).deg2rad()
    focal = max(SIZE) * (1.2 + 1.3 * float(uniform(1)))
    gaze = (uniform(1, 1, 2) - 0.5) * torch.tensor([0.6, 0.3])
    light = torch.zeros(1, 9, 3)
    light[:, 0] = 0.3
    light[:, 1:4] = (uniform(1, 3, 1) - 0.5) * 0.5
    parameters = FaceParameters(
        identity=torch.randn(1, model.identity.rank, generator=rng),
        expression=expression,
        reflectance=torch.randn(1, model.reflectance.rank, generator=rng),
        illumination=light,
        rotation=angles_to_rotvec((uniform(1, 3) * 2 - 1) * limits),
        translation=torch.tensor([[0.0, 0.0, -focal / max(SIZE) * 430]])
        + torch.randn(1, 3, generator=rng) * 20,
        gaze=gaze.expand(1, 2, 2).clone(),
    )
    return Head(parameters, Camera.facing(SIZE, focal=focal))


def shape(model: MorphableModel, parameters: FaceParameters) -> torch.Tensor:
    """Vertices in the model frame."""
    return model.vertices(parameters.identity, parameters.expression, parameters.gaze)[0]


def exact_landmarks(model: MorphableModel, head: Head) -> Landmarks:
    """What a perfect detector would say, its depth included."""
    p = head.parameters
    points = model.landmarks["478"].points(shape(model, p))[None]
    screen = head.camera.project(to_camera(points, p.rotation, p.translation))[0]
    away = screen[:, 2]
    depth = (away - away.mean()) * head.camera.focal / away.mean()
    flat = screen[:, :2]
    return Landmarks(flat, "478", torch.ones(len(flat)), (0.0, 0.0, 1.0, 1.0), depth)


def picture(model: MorphableModel, head: Head) -> Photo:
    """The head before a plain background."""
    p = head.parameters
    vertices = to_camera(shape(model, p)[None], p.rotation, p.translation)
    albedo = model.albedo(p.reflectance)
    colours = shade_sh(albedo, vertex_normals(vertices, model.faces), p.illumination)
    drawn = Renderer.of(model, head.camera)(vertices, colours=colours.clamp(0, 1))
    return Photo(drawn.over(torch.tensor([0.55, 0.6, 0.65]))[0])


def ours(model: MorphableModel, marks: Landmarks, size: tuple[int, int], **given: Any) -> Fitted:
    """The fit under test."""
    fit = fit_linear(model, marks, size=size, **given)
    return Fitted(shape(model, fit.parameters), fit.parameters.rotation[0], fit.landmark_nme)


class Alternation:
    """An affine camera and a ridge regression in turn: the plain way to fit landmarks.

    The camera is a least-squares affine map of the current shape, turned into scale, rotation
    and shift; the coefficients are those of least squares with a prior, clipped to their bounds.
    """

    def __init__(self, model: MorphableModel) -> None:
        skin = model.landmarks["478"].confidence > 0.05
        skin[468:] = False
        self.model, self.used = model, skin.numpy()
        points = model.landmarks["478"].points
        bases = torch.cat([model.identity.directions, model.expression.directions])
        self.mean = points(model.identity.mean).double().numpy()[self.used]
        self.basis = points(bases).double().numpy()[:, self.used].transpose(1, 2, 0)
        self.rank = model.identity.rank
        self.spread = np.concatenate([np.ones(self.rank), np.full(model.expression.rank, 0.25)])

    def solve(self, marks: Landmarks, rounds: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients, rotation, and predicted points."""
        screen = marks.points.double().numpy()[self.used] * [1.0, -1.0]
        coefficients = np.zeros(self.basis.shape[2])
        for _ in range(rounds):
            points = self.mean + self.basis @ coefficients
            homogeneous = np.column_stack([points, np.ones(len(points))])
            affine = np.linalg.lstsq(homogeneous, screen, rcond=None)[0].T
            left, singular, right = np.linalg.svd(affine[:, :3], full_matrices=False)
            scale, across = singular.mean(), left @ right
            rows = scale * np.einsum("ij,njk->nik", across, self.basis).reshape(
                -1, len(coefficients)
            )
            target = (screen - affine[:, 3] - scale * self.mean @ across.T).ravel()
            prior = (RIDGE_NOISE * scale / self.spread) ** 2
            coefficients = np.linalg.solve(rows.T @ rows + np.diag(prior), rows.T @ target)
            coefficients[self.rank :] = coefficients[self.rank :].clip(0.0, 1.0)
        seen = scale * (self.mean + self.basis @ coefficients) @ across.T + affine[:, 3]
        rotation = np.vstack([across, np.cross(across[0], across[1])])
        return coefficients, rotation, seen * [1.0, -1.0]

    def __call__(self, marks: Landmarks) -> Fitted:
        """The fit in the form of the others."""
        coefficients, rotation, seen = self.solve(marks)
        numbers = torch.from_numpy(coefficients).float()[None]
        vertices = self.model.vertices(numbers[:, : self.rank], numbers[:, self.rank :])[0]
        error = (torch.from_numpy(seen) - marks.points[self.used]).norm(dim=-1).mean()
        turn = roma.rotmat_to_rotvec(torch.from_numpy(rotation)).float()
        return Fitted(vertices, turn, float(error / outer_eye_distance(marks.points, "478")))


def aligned(moving: torch.Tensor, fixed: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """`moving` after the rigid motion that brings its `part` nearest to that of `fixed`."""
    turn, shift = roma.rigid_points_registration(moving[part], fixed[part])
    return moving @ turn.mT + shift


def surface_error(
    model: MorphableModel, guess: torch.Tensor, truth: torch.Tensor
) -> tuple[float, float]:
    """Median distances of the true face to the fitted surface, and to the same vertices."""
    part = model.regions["face"] > 0.5
    moved = aligned(guess, truth, part)
    faces = model.faces[part[model.faces].all(dim=1)]
    index, weights = closest_on_mesh(truth[part], moved, faces, candidates=24)
    nearest = (moved[faces[index]] * weights[..., None]).sum(dim=1)
    to_surface = (nearest - truth[part]).norm(dim=-1).median()
    return float(to_surface), float((moved - truth)[part].norm(dim=-1).median())


def bench_exact(model: MorphableModel, rng: torch.Generator) -> list[dict[str, Any]]:
    """Do exact landmarks give the head back?"""
    cases = []
    for given in ("focal known", "focal estimated"):
        worst, mean = [], []
        for _ in range(HEADS):
            head = random_head(model, rng)
            known = {"focal": float(head.camera.focal)} if given == "focal known" else {}
            marks = exact_landmarks(model, head)
            error = ours(model, marks, SIZE, **known).vertices - shape(model, head.parameters)
            worst.append(error.norm(dim=-1).max().item())
            mean.append(error.norm(dim=-1).mean().item())
        cases.append(
            {
                "case": f"exact, {given}",
                "heads": HEADS,
                "vertex_mm_mean": round(float(np.mean(mean)), 5),
                "vertex_mm_worst": round(max(worst), 5),
            }
        )
    return cases


def bench_rendered(
    model: MorphableModel, rng: torch.Generator, detector: MediaPipeDetector
) -> list[dict[str, Any]]:
    """Do pictures of heads give pose and shape back?"""
    plain = Alternation(model)
    still = shape(model, FaceParameters.neutral())
    methods: dict[str, Callable[[Landmarks, Head], Fitted]] = {
        "morphface": lambda marks, _: ours(model, marks, SIZE),
        "morphface, focal known": lambda marks, head: ours(
            model, marks, SIZE, focal=float(head.camera.focal)
        ),
        "affine and ridge": lambda marks, _: plain(marks),
        "mean head": lambda *_: Fitted(still, None, None),
    }
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
    missed = 0
    for _ in range(HEADS):
        head = random_head(model, rng)
        faces = detector.detect(picture(model, head))
        missed += not faces
        for name, method in methods.items() if faces else ():
            found[name].append(_errors(model, head, method(faces[0], head)))
    return [
        {"case": f"rendered, {name}", "heads": HEADS, "not_found": missed} | _medians(errors)
        for name, errors in found.items()
    ]


def _errors(model: MorphableModel, head: Head, fitted: Fitted) -> tuple[float, ...]:
    to_surface, to_vertex = surface_error(model, fitted.vertices, shape(model, head.parameters))
    if fitted.rotation is None or fitted.nme is None:
        return to_surface, to_vertex
    turn = roma.rotvec_geodesic_distance(fitted.rotation, head.parameters.rotation[0])
    return to_surface, to_vertex, float(turn.rad2deg()), fitted.nme


def _medians(errors: list[tuple[float, ...]]) -> dict[str, float]:
    names = ("surface_mm", "vertex_mm", "pose_degrees", "landmark_nme")
    columns = np.median(np.array(errors), axis=0)
    return {name: round(float(v), 4) for name, v in zip(names, columns, strict=False)}


def bench_photo(
    model: MorphableModel, detector: MediaPipeDetector
) -> tuple[list[dict[str, Any]], Landmarks, tuple[int, int]]:
    """Landmark error on the sample photo; also its landmarks and size."""
    photo, faces = find_faces(read_image("sample:astronaut"), detector)
    fit = fit_linear(model, faces[0], size=photo.size)
    case = {
        "case": "photo, sample:astronaut",
        "landmark_nme": round(fit.landmark_nme, 4),
        "landmark_nme_affine_and_ridge": round(Alternation(model)(faces[0]).nme or 0.0, 4),
        "identity_rms": round(float(fit.parameters.identity.square().mean().sqrt()), 3),
        "converged": fit.converged,
    }
    return [case], faces[0], photo.size


def bench_speed(
    model: MorphableModel, marks: Landmarks, size: tuple[int, int], runs: int
) -> list[dict[str, Any]]:
    """Milliseconds after detection, with the peers that are at hand."""
    plain = Alternation(model)
    sparse = to_scheme(marks, "68")
    calls: dict[str, Callable[[], Any]] = {
        "morphface, 478 points": lambda: fit_linear(model, marks, size=size),
        "morphface, 68 points": lambda: fit_linear(model, sparse, size=size),
        "affine and ridge, 478 points": lambda: plain.solve(marks),
    }
    calls |= eos_fit(sparse, size)
    with threadpool_limits(1):  # or the plain alternation stalls on a busy machine
        times = measure(calls, runs=runs)
    return [{"case": f"speed, {name}"} | found for name, found in times.items()]


def eos_fit(marks: Landmarks, size: tuple[int, int]) -> dict[str, Callable[[], Any]]:
    """The contour fit of eos-py on its own model, if both are here."""
    share = Path(os.environ.get("PEERS_SRC", "")) / "eos" / "share"
    if "PEERS_SRC" not in os.environ or not share.is_dir():
        return {}
    import eos

    file = {key: str(share / name) for key, name in EOS_FILES.items()}
    blendshapes = eos.morphablemodel.load_blendshapes(file["blendshapes"])
    shape_model = eos.morphablemodel.load_model(file["shape"])
    head = eos.morphablemodel.MorphableModel(
        shape_model.get_shape_model(),
        blendshapes,
        color_model=eos.morphablemodel.PcaModel(),
        vertex_definitions=None,
        texture_coordinates=shape_model.get_texture_coordinates(),
    )
    rest = (
        eos.core.LandmarkMapper(file["mapping"]),
        size[1],
        size[0],
        eos.morphablemodel.load_edge_topology(file["edges"]),
        eos.fitting.ContourLandmarks.load(file["mapping"]),
        eos.fitting.ModelContour.load(file["contour"]),
    )
    points = [eos.core.Landmark(str(i + 1), p) for i, p in enumerate(marks.points.tolist())]
    return {
        "eos-py contours, 68 points": lambda: eos.fitting.fit_shape_and_pose(head, points, *rest)
    }


EOS_FILES = {
    "shape": "sfm_shape_3448.bin",
    "blendshapes": "expression_blendshapes_3448.bin",
    "mapping": "ibug_to_sfm.txt",
    "edges": "sfm_3448_edge_topology.json",
    "contour": "sfm_model_contours.json",
}


def main() -> None:
    """Run everything and write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=30)
    runs = options.parse_args().runs
    model, rng = load_model(), seed()
    cases = bench_exact(model, rng)
    try:
        with MediaPipeDetector() as detector:
            cases += bench_rendered(model, rng, detector)
            photo, marks, size = bench_photo(model, detector)
    except MorphfaceError as error:
        raise SystemExit(f"the detector or its sample is not here: {error}") from error
    cases += photo + bench_speed(model, marks, size, runs)
    report("linear_fit", cases)


if __name__ == "__main__":
    main()
