"""Does detail from shading find the relief of a real head, and how long does it take?

    python -m benchmarks.bench_detail --cache FOLDER [--data FOLDER] [--only scan|ict|speed]

The scanned head is photographed by Mitsuba 3 with its own map of normals, from five views in two
lights (`benchmarks/detailed_scan.py`). At the pixels where a point of its face is seen, the normal
of the fit, turned by the rigid motion that aligns both surfaces, is compared with the true one:

- `degrees_without`, `degrees_with`: mean angle between them, and `less_percent`;
- `degrees_aligned`: without detail, but in the poses in which several photos agree (`align_faces`),
  in which detail is found and compared; `less_than_aligned_percent` is by detail alone;
- `correlation`: of displacement with the scan's height over the fit (mesh and map), both without
  what is longer than 20 mm; `correlation_with_relief`: with the map's height alone;
- each photo alone (its own fit), the five of a light, and all ten together (one fit of all);
- the same of random heads of ICT-FaceKit with made relief (`benchmarks/ict_relief.py`), which is
  known exactly: there `correlation_with_relief` is with what was made, and `degrees_of_relief` the
  mean angle by which it turns the normals that are compared;
- `seconds` of processor time, at a face of one megapixel: that of a photo, enlarged.

`detail_sheets.py` shows photos, for which there is no truth.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import interpolate as resized
from torch.nn.functional import normalize

from benchmarks.common import DATA, RESULTS, report, seed
from benchmarks.detailed_scan import VIEWS, Truth, detailed_scan, photographs, truth_of
from benchmarks.ict import IctHeads
from benchmarks.ict_relief import PICTURES, relief_head
from benchmarks.pictures import read_shot
from benchmarks.subjects import DISTANCE, Shot, Subject
from benchmarks.surfaces import Surface, by_landmarks, register, skin_faces
from morphface.fit import FittedFace, align_faces, fit_detail
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.pipelines import fit_photo, fit_photos
from morphface.render import Detail, rasterize
from morphface.render.detail import detail_at, detailed_normals
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments

BAND = 20.0  # millimetres
FACING, NEAR = 0.25, 15.0  # cosine of view, and millimetres to the fit, of points that count
HIDDEN = 1.5  # millimetres behind the nearest surface from which a point is not seen
MEGAPIXEL = 1e6
HEADS = 2  # of ICT-FaceKit


@dataclass(frozen=True)
class Seen:
    """Points of the scan that are seen in a picture, and what a fit has at their pixels.

    Args:
        face: that was fitted.
        spot: column and row of the points in the picture.
        found: the point of the fit at their pixels, in a row.
        normals: of the fit there.
        true: those of the scan, after alignment.
        plain: the same without the scan's relief.
        height: of the scan over the fit.
        relief: of the scan over its own mesh.
        shot: the picture.
    """

    face: FittedFace
    spot: Tensor
    found: Fragments
    normals: Tensor
    true: Tensor
    plain: Tensor
    height: Tensor
    relief: Tensor
    shot: Shot


def seen(face: FittedFace, shot: Shot, person: Subject, truth: Truth, view: int) -> Seen:
    """What of the scan's face a picture shows where the fit has a face, too."""
    told, model, posed = truth.turned(view), face.model, face.vertices_in_camera()
    whole = Surface(posed.double().numpy(), skin_faces(model))
    pose = register(shot.points.double().numpy(), whole, by_landmarks(face, shot))
    turn = torch.from_numpy(pose.rotation).float()
    column, row = shot.camera.project(told.points)[:, :2].long().unbind(-1)
    size = shot.photo.size
    inside = (column >= 0) & (row >= 0) & (column < size[1]) & (row < size[0])
    at = row.clamp(0, size[0] - 1), column.clamp(0, size[1] - 1)
    hit = rasterize(face.camera.project(posed)[None], model.faces, size)
    skin = torch.from_numpy(_is_skin(face))
    number, weights = hit.face[0][at], hit.barycentric[0][at]
    facing = (told.normals * normalize(-told.points, dim=-1)).sum(-1) > FACING
    keep = inside & facing & _nearest(shot, person, told, view, at)
    keep &= (number >= 0) & skin[number.clamp(min=0)]
    found = Fragments(number[None, None], weights[None, None], torch.zeros(1, 1, len(number)))
    values = torch.cat([posed, vertex_normals(posed, model.faces)], dim=-1)[None]
    on, normals = interpolate(values, model.faces, found)[0, 0].split(3, dim=-1)
    normals = normalize(normals, dim=-1)
    moved = torch.from_numpy(pose.apply(told.points.double().numpy())).float()
    away = ((moved - on) * normals).sum(-1)
    keep &= away.abs() < NEAR
    found = found.map(lambda values: values[:, :, keep])
    spot = torch.stack([column, row], dim=-1)[keep]
    true, plain = ((each @ turn.mT)[keep] for each in (told.normals, told.plain))
    height, relief = (away + told.height)[keep], told.relief[keep]
    return Seen(face, spot, found, normals[keep], true, plain, height, relief, shot)


def _is_skin(face: FittedFace) -> np.ndarray:
    inner = sum(face.model.regions[n] for n in ("eyeballs", "teeth", "tongue"))
    return ~(inner > 0.5)[face.model.faces].any(dim=1).numpy()


def _nearest(
    shot: Shot, person: Subject, told: Truth, view: int, at: tuple[Tensor, Tensor]
) -> Tensor:
    """Whether nothing of the scan hides a point."""
    turn = angles_to_rotvec(torch.tensor([*VIEWS[view], 0.0]).deg2rad())
    vertices = torch.cat([part.vertices for part in person.parts])
    starts = np.cumsum([0, *(len(part.vertices) for part in person.parts)]).tolist()
    faces = torch.cat([p.faces + start for p, start in zip(person.parts, starts, strict=False)])
    posed = to_camera(vertices, turn, torch.tensor([0.0, 0.0, -DISTANCE]))
    depth = rasterize(shot.camera.project(posed)[None], faces, shot.photo.size).depth[0]
    return -told.points[:, 2] <= depth[at] + HIDDEN


def compared(one: Seen, detail: Detail) -> dict[str, float]:
    """Mean angles without detail and with it, of relief, and the correlations of heights."""
    model, posed = one.face.model, one.face.vertices_in_camera()[None]
    plain = one.normals[None, None]
    fine = detailed_normals(model, detail, posed, plain, one.found)[0, 0]
    told = detail_at(model, detail.displacement[..., None], one.found)[0, 0, :, 0]
    bands = _high_band(torch.stack([told, one.height, one.relief], dim=-1), one)
    alike = np.corrcoef(bands.T)[0]
    return {
        "degrees_without": _degrees(one.normals, one.true),
        "degrees_with": _degrees(fine, one.true),
        "degrees_of_relief": _degrees(one.plain, one.true),
        "correlation": float(alike[1]),
        "correlation_with_relief": float(alike[2]),
    }


def _degrees(a: Tensor, b: Tensor) -> float:
    return float(torch.rad2deg(torch.arccos((a * b).sum(-1).clamp(-1, 1))).mean())


def _high_band(values: Tensor, one: Seen) -> np.ndarray:
    """Values without their means over the points around in the picture."""
    column, row = one.spot.numpy().T
    sums = np.zeros((*one.shot.photo.size, values.shape[1] + 1))
    np.add.at(sums, (row, column), np.concatenate([values.numpy(), np.ones((len(row), 1))], 1))
    width = 0.187 * BAND * float(one.shot.camera.focal) / DISTANCE
    wide = np.stack([gaussian_filter(plane, width) for plane in np.moveaxis(sums, -1, 0)], -1)
    around = wide[row, column]
    return values.numpy() - around[:, :-1] / np.maximum(around[:, -1:], 1e-6)


@dataclass(frozen=True)
class Taken:
    """A picture of the scan, and the face that was fitted to it."""

    face: FittedFace
    shot: Shot
    view: int


def case(name: str, taken: Sequence[Taken], person: Subject, truth: Truth) -> dict[str, Any]:
    """A row of the results: one detail from some photos, compared in each of them."""
    photos = [one.shot.photo for one in taken]
    faces = align_faces([one.face for one in taken], photos)
    before = [seen(one.face, one.shot, person, truth, one.view) for one in taken]
    pairs = zip(faces, taken, strict=True)
    after = [seen(face, one.shot, person, truth, one.view) for face, one in pairs]
    detail = fit_detail(faces, photos)
    found = [compared(one, detail) for one in after]
    told = {key: float(np.mean([f[key] for f in found])) for key in found[0]}
    fitted = float(np.mean([_degrees(one.normals, one.true) for one in before]))
    row = {
        "degrees_without": fitted,
        "degrees_aligned": told["degrees_without"],
        "degrees_with": told["degrees_with"],
        "degrees_of_relief": told["degrees_of_relief"],
        "correlation": told["correlation"],
        "correlation_with_relief": told["correlation_with_relief"],
        "less_percent": 100 * (1 - told["degrees_with"] / fitted),
        "less_than_aligned_percent": 100 * (1 - told["degrees_with"] / told["degrees_without"]),
    }
    rounded = {key: round(value, 3) for key, value in row.items()}
    return {"case": name, "photos": len(taken), **rounded}


def mean_case(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of rows of as many photos each."""
    numbers = [key for key, value in rows[0].items() if isinstance(value, float)]
    told = {key: round(float(np.mean([row[key] for row in rows])), 3) for key in numbers}
    return {"case": name, "photos": rows[0]["photos"], **told}


def speed(data: Path) -> dict[str, Any]:
    """Seconds for a face of a megapixel: a photo that is enlarged until its face has as much."""
    photo = fit_photo(data / "photos/woman_portrait.jpg").photo
    height, width = photo.size
    found = fit_photo(photo).faces[0]
    covered = float(np.prod(np.ptp(found.predicted.numpy(), axis=0)))
    scale = (MEGAPIXEL / covered) ** 0.5
    size = (round(height * scale), round(width * scale))
    planes = photo.pixels.permute(2, 0, 1)[None]
    large = resized(planes, size, mode="bicubic", align_corners=False)[0].permute(1, 2, 0)
    shown = Photo(large.clamp(0, 1).contiguous())
    face = fit_photo(shown).faces[0]
    times = []
    for _ in range(4):  # the first compiles
        wall, spent = time.perf_counter(), time.process_time()
        detail = fit_detail([face], [shown])
        times.append((time.perf_counter() - wall, time.process_time() - spent))
    wall, spent = (float(np.median([t[k] for t in times[1:]])) for k in (0, 1))
    return {
        "case": "a face of one megapixel",
        "photo": list(size),
        "texels": len(detail.displacement),
        "seconds": round(spent, 3),
        "seconds_by_the_wall": round(wall, 3),
    }


def main() -> None:
    """Take pictures, fit, measure, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, required=True, help="keeps pictures")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--only", choices=("scan", "ict", "speed"), help="keeps the others' rows")
    options.add_argument("--heads", type=int, default=HEADS, help="of ICT-FaceKit")
    chosen = options.parse_args()
    seed()
    torch.set_num_threads(1)
    cases = []
    for kind in ("scan", "ict", "speed"):
        if chosen.only not in (None, kind):
            cases += _kept(kind)
        elif kind == "scan":
            cases += scanned(chosen.data, chosen.cache)
        elif kind == "ict":
            cases += made(chosen.data, chosen.cache, chosen.heads)
        else:
            cases.append(speed(chosen.data))
    report("detail", cases)


def _kept(kind: str) -> list[dict[str, Any]]:
    """Results of before that are not measured anew."""
    place = RESULTS / "detail.json"
    before = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else []
    return [case for case in before if _kind(case) == kind]


def _kind(case: dict[str, Any]) -> str:
    made_ = case["case"].startswith("ICT")
    return "speed" if "seconds" in case else "ict" if made_ else "scan"


def scanned(data: Path, cache: Path) -> list[dict[str, Any]]:
    """What is found of the scanned head."""
    person = detailed_scan(data)
    paths = photographs(person, cache / "detail")
    shots = {key: read_shot(path) for key, path in paths.items()}
    return measured(shots, person, truth_of(person, every=4))


def made(data: Path, cache: Path, heads: int) -> list[dict[str, Any]]:
    """What is found of heads whose relief was made: means over them, then each."""
    ict, each = IctHeads(data / "ict/ict_facekit.npz"), []
    for who in range(heads):
        one = relief_head(ict, who)
        paths = photographs(one.subject, cache / "ict_relief" / str(who), **PICTURES)
        shots = {key: read_shot(path) for key, path in paths.items()}
        each.append(measured(shots, one.subject, one.truth))
    means = [mean_case(f"ICT, {rows[0]['case']}", rows) for rows in zip(*each, strict=True)]
    told = [
        row | {"case": f"ICT {k}, {row['case']}"} for k, rows in enumerate(each) for row in rows
    ]
    return [row for row in (*means, *told) if ", view" not in row["case"]]


def measured(
    shots: Mapping[tuple[int, int], Shot], person: Subject, truth: Truth
) -> list[dict[str, Any]]:
    """Rows of somebody's pictures: alone, those of each light, and all together."""
    alone, focal = [], float(next(iter(shots.values())).camera.focal)
    for (light, view), shot in shots.items():
        taken = Taken(fit_photo(shot.photo, focal=focal).faces[0], shot, view)
        alone.append(case(f"light {light}, view {view}", [taken], person, truth))
    cases = [mean_case("each photo alone, mean of ten", alone), *alone]
    joint = fit_photos([shot.photo for shot in shots.values()], focal=focal)
    pairs = zip(joint.faces, shots.items(), strict=True)
    all_ = [Taken(face, shot, view) for face, ((_, view), shot) in pairs]
    count = len(VIEWS)
    parts = [(f"five views in light {n}", all_[n * count :][:count]) for n in (0, 1)]
    for name, taken in [*parts, ("five views in two lights", all_)]:
        cases.append(case(name, taken, person, truth))
    return cases


if __name__ == "__main__":
    main()
