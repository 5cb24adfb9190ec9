"""How well do pixels say where the eyes look?

    python -m benchmarks.bench_gaze [--heads N] [--runs N]

Portraits of 512 pixels of random open heads, as in `bench_fit` (yaw within 40 degrees, pitch and
roll within 10, own skin, a light from a random side, twice as fine as they are seen, 8 bits) but
nearer, so that the head is about 400 pixels high.
What is drawn for the eyes:

- gaze: yaw and pitch of the head's line of sight, each uniform within 20 degrees; both eyes look
  at one point on it, 0.4 to 3 metres away;
- lids: they follow the gaze as `eyeLook*` says, fully at 30 degrees; blinks of the two eyes, equal
  up to a tenth, within 0.15, but in every sixth head between 0.15 and 0.5; squint and wide
  within 0.3;
- the rest of the face: three expressions up to 0.7.

The error is the angle between the true and the fitted direction of each eye, in degrees, once in
the frame of the head (the parameter itself) and once in that of the camera (with the pose).
Beside the linear stage, which takes the gaze from the iris landmarks alone, two ways without a
model, in the head frame: the detector's `eyeLook` scores, and the place of its iris between the
corners and lids of the eye. Both are told the linear map that suits these very heads best, so
that they are judged better than they are.

An eye's opening is the share of its iris that is seen, of the one that looks ahead out of wide
lids. The target is a mean of at most 3 degrees over all eyes.
"""

import argparse
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.bench_fit import lit_head, picture
from benchmarks.bench_linear_fit import Head
from benchmarks.common import report, seed
from morphface.fit import fit_linear, fit_photometric
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import MorphableModel, gaze_rotation, load_model
from morphface.parameters import FaceParameters
from morphface.render import rasterize

SIZE = (512, 512)
NEARER = 1.5
WIDEST = 20.0
TARGET = 3.0
OPENINGS = (0.0, 0.25, 0.5, 1.01)
SIDES = ("Left", "Right")
CORNERS = ((362, 263, 386, 374, 473), (133, 33, 159, 145, 468))
"""Inner and outer corner, middle of the upper and lower lid, and iris, of each eye."""


@dataclass
class Case:
    """A head, what is seen of it, and how much of each iris."""

    head: Head
    image: Float[Tensor, "H W 3"]
    landmarks: Landmarks
    opening: Float[Tensor, "2"]


def looking_head(model: MorphableModel, rng: torch.Generator, number: int) -> Head:
    """A random head that looks somewhere, with lids that follow."""
    head = lit_head(model, rng)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng)

    ahead = ((uniform(2) * 2 - 1) * WIDEST).deg2rad()
    gaze = _converging(model, head.parameters, ahead, 400 + 2600 * float(uniform(1)))
    names = model.expression.names
    weights = head.parameters.expression[0].clone()
    lids = [k for k, name in enumerate(names) if name.startswith("eye")]
    weights[lids] = 0.0
    blink = 0.15 + 0.35 * uniform(1) if number % 6 == 5 else 0.15 * uniform(1)
    for side, way in enumerate(SIDES):
        found = {
            f"eyeBlink{way}": blink + 0.1 * uniform(1) - 0.05,
            f"eyeSquint{way}": 0.3 * uniform(1),
            f"eyeWide{way}": 0.3 * uniform(1),
        } | _followed(gaze[side], way)
        for name, value in found.items():
            weights[names.index(name)] = value.clamp(0, 1)
    parameters = replace(head.parameters, expression=weights[None], gaze=gaze[None])
    focal = float(head.camera.focal) * NEARER * SIZE[1] / head.camera.size[1]
    return Head(parameters, Camera.facing(SIZE, focal=focal))


def _converging(
    model: MorphableModel, person: FaceParameters, ahead: Float[Tensor, "2"], away: float
) -> Float[Tensor, "2 2"]:
    """(yaw, pitch) of both eyes that look at the point `away` millimetres from between them."""
    still = model.vertices(person.identity, torch.zeros_like(person.expression))[0]
    centres = torch.stack([eye.centre(still) for eye in model.eyes or ()])
    point = centres.mean(dim=0) + away * gaze_rotation(ahead)[:, 2]
    x, y, z = torch.nn.functional.normalize(point - centres, dim=-1).unbind(-1)
    return torch.stack([torch.atan2(x, z), y.asin()], dim=-1)


def _followed(gaze: Float[Tensor, "2"], way: str) -> dict[str, Tensor]:
    """The `eyeLook*` weights with which the lids of an eye follow it."""
    yaw, pitch = (gaze.rad2deg() / 30).unbind()
    outward = yaw if way == "Left" else -yaw
    return {
        f"eyeLookOut{way}": outward.clamp(min=0),
        f"eyeLookIn{way}": (-outward).clamp(min=0),
        f"eyeLookUp{way}": pitch.clamp(min=0),
        f"eyeLookDown{way}": (-pitch).clamp(min=0),
    }


def opening(model: MorphableModel, head: Head) -> Float[Tensor, "2"]:
    """The share of each iris that is seen."""
    p = head.parameters
    wide = torch.zeros_like(p.expression)
    for way in SIDES:
        wide[0, model.expression.names.index(f"eyeWide{way}")] = 1.0
    ahead = replace(p, expression=wide, gaze=torch.zeros_like(p.gaze))
    return (_iris(model, head, p) / _iris(model, head, ahead).clamp(min=1)).clamp(max=1)


def _iris(model: MorphableModel, head: Head, p: FaceParameters) -> Float[Tensor, "2"]:
    """Pixels of each iris that are seen."""
    vertices = to_camera(
        model.vertices(p.identity, p.expression, p.gaze), p.rotation, p.translation
    )
    found = rasterize(head.camera.project(vertices), model.faces, head.camera.size)
    of_iris = model.regions["iris"] + model.regions["pupil"] > 0.5
    out = []
    for eye in model.eyes or ():
        own = torch.zeros(model.size, dtype=torch.bool)
        own[eye.vertices.long()] = True
        faces = (own & of_iris)[model.faces].all(dim=1)
        out.append((faces[found.face.clamp(min=0)] & found.mask).sum())
    return torch.stack(out).float()


def cases(model: MorphableModel, count: int) -> list[Case]:
    """Heads that the detector finds."""
    rng, out = torch.Generator().manual_seed(0), list[Case]()
    with MediaPipeDetector() as detector:
        while len(out) < count:
            head = looking_head(model, rng, len(out))
            image = picture(model, head)
            faces = detector.detect(Photo(image))
            out += [Case(head, image, faces[0], opening(model, head))] if faces else []
    return out


def off(found: Float[Tensor, "2 2"], true: Float[Tensor, "2 2"]) -> Float[Tensor, "2"]:
    """Degrees between directions of sight, in the head frame."""
    return _between(gaze_rotation(found)[..., 2], gaze_rotation(true)[..., 2])


def off_in_camera(found: FaceParameters, true: FaceParameters) -> Float[Tensor, "2"]:
    """The same in the camera frame."""
    return _between(_sight(found), _sight(true))


def _sight(p: FaceParameters) -> Float[Tensor, "2 3"]:
    ahead = gaze_rotation(p.gaze[0])[..., 2]
    return to_camera(ahead, p.rotation[0], torch.zeros(3))


def _between(a: Float[Tensor, "n 3"], b: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    across = torch.linalg.cross(a, b).norm(dim=-1)
    return torch.atan2(across, (a * b).sum(dim=-1)).rad2deg()


def peers(given: list[Case]) -> dict[str, Float[Tensor, "M 2"]]:
    """Errors of gaze without a model, after the linear map that is best for these heads."""
    true = torch.cat([case.head.parameters.gaze[0] for case in given]).double()
    rows = {
        "eyeLook scores": torch.cat([_scores(case.landmarks) for case in given]),
        "iris between lids": torch.cat([_placed(case.landmarks) for case in given]),
    }
    out = {}
    for name, seen in rows.items():
        sides = torch.arange(len(seen)) % 2
        guess = torch.zeros_like(true)
        for side in (0, 1):
            own = sides == side
            design = torch.cat([seen[own], torch.ones(int(own.sum()), 1).double()], dim=1)
            guess[own] = design @ torch.linalg.lstsq(design, true[own]).solution
        out[name] = off(guess.float(), true.float()).view(-1, 2)
    return out


def _scores(marks: Landmarks) -> Float[Tensor, "2 2"]:
    """Yaw and pitch of each eye, in units of the scores."""
    scores = marks.scores or {}
    rows = []
    for way, sign in zip(SIDES, (1, -1), strict=True):
        look = {name: scores[f"eyeLook{name}{way}"] for name in ("Out", "In", "Up", "Down")}
        rows.append([sign * (look["Out"] - look["In"]), look["Up"] - look["Down"]])
    return torch.tensor(rows, dtype=torch.float64)


def _placed(marks: Landmarks) -> Float[Tensor, "2 2"]:
    """Where each iris is between the corners (x) and off the line through them (y)."""
    rows = []
    for inner, outer, _, _, iris in CORNERS:
        a, b, centre = (marks.points[i].double() for i in (inner, outer, iris))
        width, arm = b - a, centre - (a + b) / 2
        normal = torch.stack([-width[1], width[0]])
        rows.append(torch.stack([arm @ width, arm @ normal]) / width.square().sum())
    return torch.stack(rows)


def bench(model: MorphableModel, given: list[Case], runs: int) -> list[dict[str, Any]]:
    """All errors as tables."""
    errors: dict[str, list[Tensor]] = {}
    seconds: list[float] = []
    for case in given:
        true = case.head.parameters
        start = fit_linear(model, case.landmarks, size=SIZE)
        spent = []
        for _ in range(runs):
            began = time.perf_counter()
            fit = fit_photometric(model, [case.image], [start])
            spent.append(time.perf_counter() - began)
        seconds.append(min(spent))
        for name, found in (("linear stage", start.parameters), ("pixels", fit.parameters)):
            errors.setdefault(name, []).append(off(found.gaze[0], true.gaze[0]))
            errors.setdefault(f"{name}, camera", []).append(off_in_camera(found, true))
    tables = {name: torch.stack(rows) for name, rows in errors.items()} | peers(given)
    seen = torch.stack([case.opening for case in given])
    out = [summary(name, table, seen) for name, table in tables.items()]
    out[2]["target_degrees"] = TARGET
    out[2]["reached"] = out[2]["mean_degrees"] <= TARGET
    out[2]["median_s"] = round(float(np.median(seconds)), 3)
    return out


def summary(name: str, degrees: Float[Tensor, "N 2"], seen: Float[Tensor, "N 2"]) -> dict[str, Any]:
    """Mean, median, nine in ten and worst, and the mean by opening."""
    frame = "camera" if name.endswith("camera") else "head"
    out: dict[str, Any] = {"case": f"gaze, {name}", "frame": frame, "eyes": degrees.numel()}
    out["mean_degrees"] = round(float(degrees.mean()), 2)
    for key, share in (("median", 0.5), ("90", 0.9), ("worst", 1.0)):
        out[f"{key}_degrees"] = round(float(degrees.quantile(share)), 2)
    for low, high in zip(OPENINGS[:-1], OPENINGS[1:], strict=True):
        part = degrees[(seen >= low) & (seen < high)]
        if len(part):
            out[f"mean_opening_{low:g}_{min(high, 1):g}"] = round(float(part.mean()), 2)
            out[f"eyes_opening_{low:g}_{min(high, 1):g}"] = len(part)
    return out


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--heads", type=int, default=30)
    options.add_argument("--runs", type=int, default=1)
    chosen = options.parse_args()
    seed()
    model = load_model()
    given = cases(model, chosen.heads)
    turned = [rotvec_to_angles(case.head.parameters.rotation[0])[0].rad2deg() for case in given]
    print(
        "gaze of each eye relative to the head, left eye first; positive yaw to the subject's "
        "left, positive pitch up; heads turned by up to "
        f"{max(abs(float(yaw)) for yaw in turned):.0f} degrees"
    )
    report("gaze", bench(model, given, chosen.runs))


if __name__ == "__main__":
    main()
