"""Is what is before a face found, and does it pull shape and colours?

    python -m benchmarks.bench_cover [--stage linear|pixels]

Shared photos, bare and with things pasted before their faces (`benchmarks/pasted.py`), are fitted
as they are and as before, when nothing looked for what is hidden.

- `union_overlap`: intersection over union of what is found and what was pasted, over the part of
  the face that is seen; `else_share` is what else is found there, on these photos mostly hair. The
  number of the warning `occluded` is compared with its limit in `said`, and with what was pasted.
- `shape_mm`: mean distance of the neutral face from that of the bare photo, after a rigid motion,
  of the fit to landmarks; with `--stage pixels` also of the fit to pixels, and `albedo`, the mean
  difference of skin's colours. Bare photos are compared with their own fits as they were before.

Half of the photos are those on which constants were chosen, the other half judges.
"""

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import roma
import torch
from PIL import Image

from benchmarks.common import DATA, report, seed
from benchmarks.pasted import THINGS, pasted
from morphface.fit import FitResult, PhotometricResult, fit_linear, fit_photometric
from morphface.fit.analysis.surface import face_weight
from morphface.fit.covered import fit_seen
from morphface.fit.covered.raster import face_raster
from morphface.fit.verdict import WARNINGS, measure
from morphface.landmarks import Landmarks, find_faces
from morphface.landmarks.boxes import overlap
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo, read_image
from morphface.models import MorphableModel, load_model

HALVES = {
    "tuning": (
        ("astronaut.png", 0),
        ("glasses_frontal.jpg", 0),
        ("woman_portrait.jpg", 0),
        ("laos_two_faces.jpg", 0),
    ),
    "judging": (
        ("grace_hopper.jpg", 0),
        ("model_face_hand.jpg", 0),
        ("sunglasses_selfie.jpg", 0),
        ("laos_two_faces.jpg", 1),
    ),
}
LONGEST = 260.0  # pixels of a face; larger photos are shrunk


@dataclass(frozen=True)
class Fits:
    """A photo, what is before its face, and its fits."""

    photo: Photo
    cover: torch.Tensor
    fit: FitResult
    pixels: PhotometricResult | None


def bare(name: str, number: int, detector: MediaPipeDetector) -> tuple[Photo, Landmarks]:
    """A photo, and which of its faces is meant."""
    photo, found = find_faces(read_image(DATA / "photos" / name), detector)
    face = found[number]
    scale = LONGEST / max(face.box[2] - face.box[0], face.box[3] - face.box[1])
    if scale >= 1:
        return photo, face
    picture = Image.fromarray(photo.to_uint8().numpy())
    size = (round(picture.width * scale), round(picture.height * scale))
    small = np.asarray(picture.resize(size, Image.Resampling.LANCZOS)) / 255
    photo = Photo(torch.from_numpy(small).float())
    box = tuple(side * scale for side in face.box)
    return photo, max(detector.detect(photo), key=lambda one: overlap(one.box, box))  # type: ignore[arg-type]


def both(model: MorphableModel, photo: Photo, face: Landmarks, stage: str) -> tuple[Fits, Fits]:
    """Fits of a photo as before, and as they are."""
    plain = fit_linear(model, face, size=photo.size)
    nothing = torch.zeros(photo.size)
    fit, cover = fit_seen(model, photo, face, size=photo.size)
    return fits(model, photo, plain, nothing, stage), fits(model, photo, fit, cover, stage)


def fits(
    model: MorphableModel, photo: Photo, start: FitResult, cover: torch.Tensor, stage: str
) -> Fits:
    """A fit to landmarks, and to pixels if they are asked."""
    seen = None
    if stage == "pixels":
        seen = fit_photometric(model, [photo.pixels], [start], covers=[cover])
    return Fits(photo, cover, start, seen)


def neutral_mm(model: MorphableModel, one: torch.Tensor, other: torch.Tensor) -> float:
    """Mean distance of two people's neutral faces."""
    face = face_weight(model) > 0.5
    rest = torch.zeros(1, model.expression.rank)
    a, b = (model.vertices(identity, rest)[0][face] for identity in (one, other))
    turn, shift = roma.rigid_points_registration(a, b)
    return float((a @ turn.T + shift - b).norm(dim=1).mean())


def judged(
    model: MorphableModel, now: Fits, before: Fits, clean: tuple[Fits, Fits], mask: np.ndarray
) -> dict[str, Any]:
    """What is right and wrong of a photo."""
    raster = face_raster(model, now.fit, now.photo)
    assert raster is not None
    seen = raster.spread(1.0 * raster.seen, now.photo.size) > 0.5
    true, said = (torch.from_numpy(mask) > 0.5) & seen, (now.cover > 0.5) & seen
    number = measure(model, now.fit, now.pixels, now.photo, cover=now.cover).occluded
    out: dict[str, Any] = {
        "true_share": round(float(true.sum() / seen.sum()), 3),
        "union_overlap": round(float((true & said).sum() / (true | said).sum().clamp(min=1)), 3),
        "else_share": round(float((said & ~true).sum() / seen.sum()), 3),
        "occluded": round(number, 3),
        "said": number > WARNINGS["occluded"].limit,
    }
    for name, one, base in (("now", now, clean[1]), ("before", before, clean[0])):
        identities = [(one.fit.parameters.identity, base.fit.parameters.identity)]
        if one.pixels is not None and base.pixels is not None:
            identities.append((one.pixels.parameters.identity, base.pixels.parameters.identity))
            colours = (one.pixels.albedo - base.pixels.albedo)[face_weight(model) > 0.5]
            out[f"albedo_{name}"] = round(float(colours.abs().mean()), 3)
        out[f"shape_mm_{name}"] = [round(neutral_mm(model, *two), 2) for two in identities]
    return out


def run(
    half: str, model: MorphableModel, detector: MediaPipeDetector, stage: str
) -> list[dict[str, Any]]:
    """All photos of a half, with all things."""
    cases = []
    for name, number in HALVES[half]:
        photo, face = bare(name, number, detector)
        before, now = both(model, photo, face, stage)
        clean = before, now
        nothing = np.zeros(photo.size)
        row = judged(model, now, before, (before, before), nothing)
        cases.append({"half": half, "photo": name, "face": number, "thing": "none"} | row)
        for thing in THINGS:
            pixels, mask = pasted(photo.pixels.float().numpy(), face.points.numpy(), thing)
            spoilt = Photo((torch.from_numpy(pixels) * 255).round() / 255)
            found = detector.detect(spoilt)
            case = {"half": half, "photo": name, "face": number, "thing": thing}
            if found:
                nearest = max(found, key=lambda one: overlap(one.box, face.box))
                before, now = both(model, spoilt, nearest, stage)
                case |= judged(model, now, before, clean, mask)
            cases.append(case)
            print(cases[-1], flush=True)
    return cases


def summary(half: str, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the photos with something before them, and what the warning is worth."""
    found = [c for c in cases if "said" in c]
    hidden = [c for c in found if c["thing"] != "none"]
    said = sum(c["said"] for c in found)
    much = [c for c in hidden if c["true_share"] > WARNINGS["occluded"].limit]
    right = sum(c["said"] for c in much)

    def mean(name: str) -> list[float]:
        return np.mean([c[name] for c in hidden], axis=0).round(3).tolist()

    return {
        "half": half,
        "case": "all",
        "photos": len(found),
        "union_overlap": mean("union_overlap"),
        "occluded_precision": round(right / max(said, 1), 3),
        "occluded_recall": round(right / max(len(much), 1), 3),
        **{name: mean(name) for name in hidden[0] if name.startswith(("shape", "albedo"))},
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stage", choices=("linear", "pixels"), default="pixels")
    wishes = parser.parse_args()
    seed()
    model, cases = load_model(), []
    with MediaPipeDetector() as detector, torch.no_grad():
        for half in HALVES:
            own = run(half, model, detector, wishes.stage)
            cases += [*own, summary(half, own)]
    report("cover", [{"stage": wishes.stage} | case for case in cases])


if __name__ == "__main__":
    main()
