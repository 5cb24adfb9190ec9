"""Does the tone of skin reach the reflectance, or does the light take it?

    python -m benchmarks.bench_tone [--heads N] [--jobs N]

- `renders`: heads whose tones run evenly over the range of people, each under three of forty
  lights: dim to bright (brightness of the seen face log-normal about its mean), warm to cold, with
  a lamp in front, above or to a side. Behind the head is a wall of random grey that the same light
  falls on. The real detector finds the landmarks. Told is the error of the albedo's luminance over
  the seen face and its correlation with the truth, once as fits are, once without each thing that
  tells of light; and the spread of one head over its three lights, over that of the heads; of the
  eyes, how far the opening of the lids and the colour of the iris are off.
- `photos`: luminance of the fitted albedo of each face in the shared photos, the darkest first,
  beside that of the photo's skin.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from benchmarks.bench_fit import picture
from benchmarks.bench_linear_fit import SIZE, Head, random_head
from benchmarks.common import DATA, report, seed
from morphface.fit import PhotometricResult, PhotometricSettings, fit_linear, fit_photometric
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.analysis.settings import HINTS
from morphface.fit.texture.ambient import ambient
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import (
    AMBIENT,
    sample_directions,
    sh_basis,
    sh_project,
)
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import LinearBasis, MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.pipelines import fit_photo
from morphface.render import rasterize

GREY = torch.tensor(LUMINANCE)
DARKEST, PALEST = 0.25, 0.72
LIDS, CORNERS = ((159, 386), (145, 374)), ((33, 263), (133, 362))  # right eye, left eye
LIGHTS, VIEWS = 40, 3
LAMP = 1.3  # brightness of what the lamp falls on straight, over that of the sky's light
BRIGHTNESS, TINT = 0.25, 0.08  # standard deviations of the logarithm
BLOTCHES = 0.03  # standard deviation of what components do not make
USUAL = 0.95  # irradiance of the seen face
SETTINGS = {
    "as it is": PhotometricSettings(),
    "with surroundings": PhotometricSettings(hints=HINTS),
    "without whites": PhotometricSettings(hints=()),
}


def lights(rng: torch.Generator) -> torch.Tensor:
    """Forty lights whose irradiance is about 1, dim, bright, warm or cold by a factor.

    Each is a sky of 30 to 70 % and a lamp in front, to a side or above: light of which no face is
    lit by less than nothing.
    """
    sky = 0.3 + 0.4 * torch.rand(LIGHTS, 1, generator=rng)
    lamp = torch.randn(LIGHTS, 3, generator=rng) * torch.tensor([0.8, 0.5, 0.0])
    lamp = normalize(lamp + torch.tensor([0.0, 0.3, 1.0]), dim=-1)
    slant = sample_directions().float() @ lamp.mT
    lit = 1 / 4 + slant / 2 + 5 / 32 * (3 * slant.square() - 1)  # Ramamoorthi and Hanrahan 2001
    out = sh_project(sky[:, 0] + (1 - sky[:, 0]) * LAMP * lit).mT
    bright = (BRIGHTNESS * torch.randn(LIGHTS, 1, 1, generator=rng)).exp()
    tint = (TINT * torch.randn(LIGHTS, 1, 1, generator=rng)) * torch.tensor([1.0, 0.0, -1.0])
    return out[..., None] * bright * tint.exp()


def skin(model: MorphableModel) -> torch.Tensor:
    """How far each vertex is bare skin of the face; sums to 1."""
    weight = model.regions["face"] * model.regions["skin"]
    return weight / weight.sum()


def tone(model: MorphableModel, albedo: torch.Tensor) -> float:
    """Luminance of the skin of the face."""
    return float(skin(model) @ albedo @ GREY)


def toned(model: MorphableModel, head: Head, wanted: float) -> Head:
    """The head with its skin made darker or paler, as pigments do, to a luminance."""
    rises = torch.einsum("v,kvc,c->k", skin(model), model.reflectance.directions, GREY)
    p = head.parameters
    short = wanted - tone(model, model.reflectance.instance(p.reflectance[0]))
    moved = p.reflectance + short * rises / rises.square().sum()
    return Head(replace(p, reflectance=moved), head.camera)


def lit(model: MorphableModel, head: Head, light: torch.Tensor) -> Head:
    """The head under a light of irradiance; exposed less where much of it would be white."""
    p = head.parameters
    posed = to_camera(model.vertices(p.identity, p.expression, p.gaze), p.rotation, p.translation)
    normals = vertex_normals(posed, model.faces)[0]
    seen = skin(model) * ((normals * posed[0]).sum(-1) < 0)
    light = light * USUAL
    shown = (model.albedo(p.reflectance)[0] * (sh_basis(normals) @ light))[seen > 0]
    brightest = float(shown.amax(dim=1).quantile(0.9))
    light = light / max(brightest, 1.0) - torch.eye(9)[0][:, None] * AMBIENT
    return Head(replace(p, illumination=light[None]), head.camera)


def blotched(model: MorphableModel, rng: torch.Generator) -> MorphableModel:
    """The model with colours that none of its components makes, skin and eyes alike.

    Lids shade the whites of its eyes, and lips its teeth.
    """
    basis = model.reflectance
    noise = BLOTCHES * torch.randn(*basis.mean.shape, generator=rng)
    noise += BLOTCHES * torch.randn(len(basis.mean), 1, generator=rng)
    for name in ("sclera", "teeth", "lips", "brows"):
        where = (model.regions[name] > 0.5).float()[:, None]
        noise += where * 2 * BLOTCHES * torch.randn(1, 3, generator=rng)
    shade = ambient(model)[:, None]
    return replace(
        model, reflectance=LinearBasis((basis.mean + noise) * shade, basis.directions * shade)
    )


def walled(model: MorphableModel, head: Head, image: torch.Tensor, grey: float) -> torch.Tensor:
    """The picture before a wall with stripes about a grey, which gets the seen face's light."""
    p = head.parameters
    posed = to_camera(model.vertices(p.identity, p.expression, p.gaze), p.rotation, p.translation)
    found = rasterize(head.camera.project(posed), model.faces, head.camera.size)
    level = (p.illumination[0, 0] + AMBIENT) * 0.886
    wave = torch.linspace(0, 6 * math.pi, head.camera.size[1]).sin() * 0.15
    wall = ((grey + wave)[None, :, None] * level).expand_as(image)
    flat = torch.where(found.mask[0][..., None], image, wall).clamp(0, 1)
    return (flat * 255).round() / 255


def bench_renders(model: MorphableModel, count: int) -> list[dict[str, Any]]:
    """The table of errors."""
    rng = seed()
    given = lights(rng)
    true, found = [], {name: [] for name in SETTINGS}
    eyes: list[tuple[float, float]] = []
    with MediaPipeDetector() as detector:
        for number in range(count):
            wanted = DARKEST + (PALEST - DARKEST) * number / max(count - 1, 1)
            head = toned(model, random_head(model, rng), wanted)
            head = Head(
                replace(head.parameters, identity=0.7 * head.parameters.identity), head.camera
            )
            painted = blotched(model, rng)
            for view in range(VIEWS):
                light = given[(number * VIEWS + view * 7) % LIGHTS]
                grey = float(0.2 + 0.5 * torch.rand(1, generator=rng))
                shown = lit(model, head, light)
                image = walled(model, shown, picture(painted, shown), grey)
                faces = detector.detect(Photo(image))
                if not faces:
                    continue
                start = fit_linear(model, faces[0], size=SIZE)
                true.append((number, wanted))
                for name, settings in SETTINGS.items():
                    fit = fit_photometric(model, [image], [start], settings=settings)
                    found[name].append(tone(model, fit.albedo))
                    if settings == PhotometricSettings():
                        eyes.append(eye_errors(model, shown, painted, fit))
            print(number, flush=True)
    return [*(told(name, true, values) for name, values in found.items()), told_eyes(eyes)]


def eye_errors(
    model: MorphableModel, head: Head, painted: MorphableModel, fit: PhotometricResult
) -> tuple[float, float]:
    """How far the opening of the lids, in widths of the eye, and the colour of the iris are off."""
    iris = model.regions["iris"] / model.regions["iris"].sum()
    wanted = iris @ painted.albedo(head.parameters.reflectance)[0]
    opening = (openings(model, fit.parameters) - openings(model, head.parameters)).abs().max()
    return float(opening), float((iris @ fit.albedo - wanted).abs().mean())


def openings(model: MorphableModel, face: FaceParameters) -> torch.Tensor:
    """Distance of the lids over the width of each eye."""
    vertices = model.vertices(face.identity, face.expression)
    points = model.landmark_embedding("478").points(vertices)[0]
    (upper, lower), (outer, inner) = (points[torch.tensor(pairs)] for pairs in (LIDS, CORNERS))
    return (upper - lower).norm(dim=-1) / (outer - inner).norm(dim=-1)


def told_eyes(errors: list[tuple[float, float]]) -> dict[str, Any]:
    """Errors of lids and irises."""
    opening, iris = np.array(errors).T
    return {
        "case": "renders, eyes",
        "pictures": len(errors),
        "opening_median_error": round(float(np.median(opening)), 4),
        "opening_within_0.1": round(float((opening < 0.1).mean()), 3),
        "iris_median_error": round(float(np.median(iris)), 4),
        "iris_within_0.1": round(float((iris < 0.1).mean()), 3),
    }


def told(name: str, true: list[tuple[int, float]], values: list[float]) -> dict[str, Any]:
    """Errors of one way."""
    people, wanted = np.array([k for k, _ in true]), np.array([tone for _, tone in true])
    got = np.array(values)
    within = [got[people == k].std(ddof=1) for k in set(people) if (people == k).sum() > 1]
    means = [got[people == k].mean() for k in set(people)]
    return {
        "case": f"renders, {name}",
        "pictures": len(got),
        "median_error": round(float(np.median(np.abs(got - wanted))), 4),
        "largest_error": round(float(np.abs(got - wanted).max()), 4),
        "correlation": round(float(np.corrcoef(got, wanted)[0, 1]), 3),
        "slope": round(float(np.polyfit(wanted, got, 1)[0]), 3),
        "within_over_between": round(float(np.mean(within) / np.std(means, ddof=1)), 3),
    }


def bench_photos() -> list[dict[str, Any]]:
    """Each face of the shared photos, the darkest first."""
    rows = []
    for path in sorted(Path(DATA, "photos").glob("*.*g")):
        try:
            found = fit_photo(path, faces="all")
        except Exception as error:  # noqa: BLE001  told, not hidden
            print(path.name, error)
            continue
        for number, face in enumerate(found.faces):
            if face.pixels is None:
                continue
            rows.append(
                {
                    "case": f"photos, {path.stem} {number}",
                    "albedo": round(tone(face.model, face.albedo()), 3),
                    "colour": [round(float(v), 3) for v in skin(face.model) @ face.albedo()],
                }
            )
    return sorted(rows, key=lambda row: row["albedo"])


def main() -> None:
    """Run and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heads", type=int, default=40)
    wishes = parser.parse_args()
    model = load_model()
    report("tone", [*bench_renders(model, wishes.heads), *bench_photos()])


if __name__ == "__main__":
    main()
