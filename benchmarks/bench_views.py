"""How well does a photo show a head from the front that it shows from the side?

    python -m benchmarks.bench_views [--heads N] [--people N] [--photos FOLDER] [--weights FOLDER]
        [--scans FOLDER] [--cache FOLDER]
    python -m benchmarks.bench_views --sheet OUT.jpg [PICTURE ...]

- `frontal`: open heads of the finer mesh with mild expressions, their own skin and a light from a
  random side, with mottles, moles and brow strands that no fit of ours makes, photographed at 15,
  30 and 45 degrees of yaw to either side before a wall that is not black. They are fitted from
  these pictures alone, from detection on, and turned to a yaw of zero. PSNR and SSIM against the
  true picture from the front, over the face; beside them a copy of the photo, and the photo moved
  by the similarity that fits its detected landmarks best to the true ones of the frontal picture.
- `turned`: people with hair of ten kinds, in collars, some with glasses, before walls and rooms,
  that another renderer photographs from the front (`persons.py`), fitted from that alone, and
  turned by 15, 30 and 45 degrees to alternating sides. PSNR and SSIM against true pictures over
  all, over the head, over
  hair and what is within 14 pixels of the head, and over the background that both show; with
  `--weights`, the similarity that SFace sees. Beside them a copy, a similarity of the plane,
  `depth` (the photo warped by the mesh's depth), and `net` (that with the mesh of the face over
  it, which is what this package drew before heads had layers).
- `scan`, with `--scans`: a scanned person, photographed from the front by another renderer.
- `gates`, with `--photos`: what of real photos, turned to 25 degrees, changes far from the person,
  shows the background within the head, and is new skin.
- `outlines`: of the same people, whether matte and layers agree with the person that there is.
- `unchanged`: the photo of each head drawn with the parameters that were fitted: PSNR over the
  face, and the largest difference elsewhere.
- `--sheet`: looks, not numbers: pictures turned and edited, side by side; a folder stands for its
  pictures.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.bench_fit import lit_head
from benchmarks.bench_linear_fit import Head
from benchmarks.common import report, seed
from benchmarks.scanned_views import scanned
from benchmarks.skin import Skin, photograph
from benchmarks.turned_views import Likeness, Turned
from benchmarks.view_gates import gates
from morphface.core.errors import NoFaceError
from morphface.edit import edit
from morphface.evaluate import psnr, ssim
from morphface.fit import fit_linear, fit_photometric
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo, write_image
from morphface.models import MorphableModel, load_model
from morphface.pipelines.photo import fit_photo
from morphface.render.warp import centres, look_up
from morphface.rerender import Rerenderer, rerender
from morphface.rerender.looks import Look

SIZE = (480, 480)
YAWS = (15.0, 30.0, 45.0)
METHODS = ("copy", "similarity", "morphface")
LEAST_PSNR = 45.0
BEST = 120.0  # what equal pictures count as, whose PSNR is infinite
SHEET: dict[str, Any] = {
    "photo": {},
    **{f"yaw {yaw:g}": {"yaw": yaw} for yaw in (-40.0, -25.0, -15.0, 0.0, 15.0, 25.0, 40.0)},
    **{f"pitch {pitch:+g}": {"pitch": pitch, "additive": True} for pitch in (-15.0, 15.0)},
    "jaw open": {"expression": {"jawOpen": 0.6}},
    "smile": {"preset": "smile"},
    "blink": {"expression": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}},
    "gaze left": {"gaze": (25.0, 0.0)},
}
TILE = 360


def wall(rng: torch.Generator) -> Tensor:
    """A background of one colour, with soft shades."""
    colour = 0.3 + 0.4 * torch.rand(3, 1, 1, generator=rng)
    shades = 0.2 * (torch.rand(1, 1, 7, 7, generator=rng) - 0.5)
    planes = interpolate(shades, SIZE, mode="bicubic", align_corners=False)
    return (colour + planes[0]).movedim(0, -1).clamp(0, 1)


def subject(model: MorphableModel, rng: torch.Generator) -> tuple[Head, Skin, Tensor]:
    """A head that looks ahead, its skin, and what is behind it."""
    drawn = lit_head(model, rng).parameters
    quiet = edit(drawn, model=model, yaw=0.0, pitch=0.0, roll=0.0)
    vector = quiet.to_vector()
    vector[:, 3:6] = torch.tensor([0.0, 15.0, -700.0])
    sizes = {name: getattr(quiet, name).shape[1] for name in ("identity", "expression")}
    placed = type(quiet).from_vector(vector, reflectance=quiet.reflectance.shape[1], **sizes)
    placed = type(placed)(**{**vars(placed), "expression": 0.6 * placed.expression})
    return Head(placed, Camera.facing(SIZE, focal=900.0)), Skin.drawn(model, rng), wall(rng)


def fitted(model: MorphableModel, image: Tensor, detector: MediaPipeDetector) -> Any:
    """The face of a picture, from detection on; None if none is found."""
    faces = detector.detect(Photo(image))
    if not faces:
        return None
    start = fit_linear(model, faces[0], size=(image.shape[0], image.shape[1]))
    return FittedFace(start, model, {}, fit_photometric(model, [image], [start]))


def similarity(image: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """The picture moved so that points at `source` lie as near as can be at `target`."""
    z, w = (torch.complex(*points.double().T) for points in (target, source))
    middle = z.mean(), w.mean()
    slope = ((w - middle[1]) * (z - middle[0]).conj()).sum() / (z - middle[0]).abs().square().sum()
    x, y = centres(image.shape[0], image.shape[1], image).double().unbind(-1)
    place = slope * (torch.complex(x, y) - middle[0]) + middle[1]
    return look_up(image[None], torch.stack([place.real, place.imag], -1).float()[None])[0]


def scores(image: Tensor, truth: Tensor, face: Tensor) -> dict[str, float]:
    """Likeness over the face."""
    pair, mask = (image.clamp(0, 1)[None], truth[None]), face[None].float()
    return {"psnr": float(psnr(*pair, mask)), "ssim": float(ssim(*pair, mask))}


class Frontal:
    """The heads of `frontal`, and what is measured of them."""

    def __init__(self) -> None:
        self.fine, self.model = load_model(detail="high"), load_model()
        self.rng = torch.Generator().manual_seed(0)
        self.rows: dict[tuple[float, str], list[dict[str, float]]] = {}
        self.times: dict[str, list[float]] = {"fit": [], "view": []}
        self.same: list[tuple[float, float]] = []

    def head(self, number: int, detector: MediaPipeDetector) -> bool:
        """Measures the next head; whether the detector found it from all sides."""
        head, skin, behind = subject(self.fine, self.rng)
        truth, face = photograph(self.fine, head, skin, behind)
        shown = Look.of(self.fine, head.parameters).vertices
        embedding = self.fine.landmark_embedding("478")
        marks = head.camera.project(embedding.points(shown))[:, :2]
        cases = []
        for k, yaw in enumerate(YAWS):
            side = yaw if (number + k) % 2 else -yaw
            parameters = edit(head.parameters, model=self.fine, yaw=side)
            image, here = photograph(self.fine, Head(parameters, head.camera), skin, behind)
            began = time.perf_counter()
            found = fitted(self.model, image, detector)
            if found is None:
                return False
            self.times["fit"].append(time.perf_counter() - began)
            cases.append((yaw, image, here, found))
        for yaw, image, here, found in cases:
            points = found.fit.landmarks.points
            pictures = image, similarity(image, points, marks), self._frontal(found, image)
            for method, picture in zip(METHODS, pictures, strict=True):
                self.rows.setdefault((yaw, method), []).append(scores(picture, truth, face))
            if yaw == YAWS[0]:
                again = rerender(found, Photo(image), found.parameters)[0]
                other = (again - image)[~here].abs().max()
                self.same.append((min(scores(again, image, here)["psnr"], BEST), float(other)))
        return True

    def _frontal(self, found: FittedFace, image: Tensor) -> Tensor:
        began = time.perf_counter()
        wanted = edit(found.parameters, model=self.model, yaw=0.0)
        ours = rerender(found, Photo(image), wanted)[0]
        self.times["view"].append(time.perf_counter() - began)
        return ours


def bench_frontal(heads: int) -> list[dict[str, Any]]:
    """The table, and what an edit of nothing leaves."""
    frontal = Frontal()
    with MediaPipeDetector() as detector:
        done = 0
        while done < heads:
            done += frontal.head(done, detector)
    return [*_table(frontal.rows), _unchanged(frontal.same), _times(frontal.times)]


def bench_turned(people: int, weights: Path | None, cache: Path | None) -> list[dict[str, Any]]:
    """The table of people with hair."""
    models = load_model(detail="high"), load_model()
    turned = Turned(*models, fitted, similarity, Likeness(weights), cache)
    with MediaPipeDetector() as detector:
        done = tried = 0
        while done < people:
            done += turned.person(tried, detector)
            tried += 1
            print(f"turned: {done} of {people}", flush=True)
            if done:  # so that a run that is stopped has told of those it came to
                report("views", turned.table())
    return turned.table()


def _table(rows: dict[tuple[float, str], list[dict[str, float]]]) -> list[dict[str, Any]]:
    out = []
    for yaw in YAWS:
        case: dict[str, Any] = {"case": f"frontal from {yaw:g} degrees"}
        for method in METHODS:
            found = rows[yaw, method]
            for name in ("psnr", "ssim"):
                case[f"{name}_{method}"] = round(float(np.mean([row[name] for row in found])), 3)
        ours = rows[yaw, "morphface"]
        case["heads"] = len(ours)
        for name in ("psnr", "ssim"):
            others = [rows[yaw, method] for method in METHODS[:2]]
            wins = sum(
                row[name] > max(other[k][name] for other in others) for k, row in enumerate(ours)
            )
            case[f"{name}_best_of_all"] = f"{wins} of {len(ours)}"
        case["target"] = "better than both"
        out.append(case)
    return out


def _unchanged(same: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "case": "unchanged",
        "least_psnr_over_face": round(min(found for found, _ in same), 1),
        "target_psnr": LEAST_PSNR,
        "largest_difference_elsewhere": max(other for _, other in same),
    }


def _times(times: dict[str, list[float]]) -> dict[str, Any]:
    named = {f"{name}_median_s": float(np.median(values)) for name, values in times.items()}
    fastest = {f"{name}_min_s": float(np.min(values)) for name, values in times.items()}
    return {"case": "speed, 480 pixels"} | {k: round(v, 3) for k, v in (named | fastest).items()}


def draw_sheet(out: Path, pictures: list[str]) -> None:
    """A row for each face, a column for each edit."""
    rows = []
    for name in _listed(pictures):
        try:
            found = fit_photo(name, faces="all")
        except NoFaceError as error:
            print(error)
            continue
        for face in found.faces:
            stage = Rerenderer(face, found.photo)
            drawn = [
                stage(edit(face.parameters, model=face.model, **change))
                for change in SHEET.values()
            ]
            rows.append(torch.cat([_tile(image, face) for image in drawn], dim=1))
            print(f"{name}: {face.reason or 'converged'}")
    write_image(out, torch.cat(rows))


def _listed(pictures: list[str]) -> list[str]:
    """Pictures, and those in folders."""
    found = []
    for name in pictures:
        files = sorted(Path(name).iterdir()) if Path(name).is_dir() else []
        found += [str(file) for file in files if file.suffix in (".jpg", ".png")] or [name]
    return found


def _tile(image: Tensor, face: FittedFace) -> Tensor:
    """The square around a face."""
    left, top, right, bottom = face.fit.landmarks.box
    side = 2.1 * max(right - left, bottom - top)
    corner = torch.tensor([(left + right - side) / 2, (top + bottom - side) / 2 - 0.03 * side])
    scale = side / TILE
    times = max(int(np.ceil(scale)), 1)
    place = centres(TILE * times, TILE * times, image) * (scale / times) + corner
    extent = place.new_tensor([image.shape[1], image.shape[0]])
    inside = ((place >= 0) & (place < extent)).all(-1, keepdim=True)
    tile = look_up(image[None], place[None])[0].clamp(0, 1) * inside
    return tile.view(TILE, times, TILE, times, 3).mean(dim=(1, 3))


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--heads", type=int, default=20)
    options.add_argument("--people", type=int, default=20)
    options.add_argument("--photos", type=Path, default=None)
    options.add_argument("--scans", type=Path, default=None, help="folder with scans/")
    options.add_argument("--weights", type=Path, default=None)
    options.add_argument("--cache", type=Path, default=None, help="keeps rendered pictures")
    options.add_argument("--sheet", type=Path, default=None)
    options.add_argument("pictures", nargs="*", default=["sample:astronaut"])
    chosen = options.parse_args()
    seed()
    if chosen.sheet is not None:
        draw_sheet(chosen.sheet, chosen.pictures)
        return
    cases = [
        *bench_turned(chosen.people, chosen.weights, chosen.cache),
        *bench_frontal(chosen.heads),
    ]
    report("views", cases)
    if chosen.scans is not None:
        likeness = Likeness(chosen.weights)
        cases += scanned(chosen.scans, fitted, similarity, likeness)
        report("views", cases)
    if chosen.photos is not None:
        report("views", [*cases, *gates(chosen.photos)])


if __name__ == "__main__":
    main()
