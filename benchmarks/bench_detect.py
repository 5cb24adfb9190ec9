"""How long does it take to find everybody in a photo, how small may they be, how far turned?

    python -m benchmarks.bench_detect [--runs N]

- `group`: pictures of 3 and 22 megapixels that show many people, made of the photos of single
  ones: heads at random sizes from 40 pixels of a face on, before a background with structure of all
  sizes. Faces that are found and that are nobody's, and seconds: of the clock, and of the processor
  over two, which two quiet cores take at best and a busy machine does not change.
  Targets: 2.5 s and 5 s.
- `two people`, `nobody`: a photo of two enlarged to those sizes; the background alone.
- `small`: the share of the same people's faces that is found by size, on a picture of 1 megapixel.
- `turned`: a rendered head by yaw: 478 points, five points, or nothing.

The peer is MediaPipe's face landmarker alone, in the same run, on the same pictures.
"""

import argparse
import time
from typing import Any

import torch

from benchmarks.common import DATA, report, seed
from morphface.landmarks import Landmarks, MediaPipeDetector, search_faces
from morphface.landmarks.views import view_of
from morphface.media.images import Photo, read_image
from morphface.models import load_model

PEOPLE = ("astronaut.png", "grace_hopper.jpg", "woman_portrait.jpg", "glasses_frontal.jpg")
SIZES = {"3 megapixels": (1500, 2000), "22 megapixels": (3900, 5600)}
TARGETS = {"3 megapixels": 2.5, "22 megapixels": 5.0}
SMALL = (20, 25, 30, 35, 40, 50, 60)
YAWS = (0, 30, 45, 60, 75, 90)
MARGIN = 0.8  # of a face, around it, that is pasted along


def portraits(detector: MediaPipeDetector) -> list[tuple[torch.Tensor, Landmarks]]:
    """Heads cut out, and where their faces are."""
    out = []
    for name in PEOPLE:
        photo = read_image(DATA / "photos" / name)
        face = detector.detect(photo)[0]
        left, top, right, bottom = face.box
        more = MARGIN * max(right - left, bottom - top)
        y, x = max(int(top - more), 0), max(int(left - more), 0)
        part = photo.pixels[y : int(bottom + more), x : int(right + more)]
        box = (left - x, top - y, right - x, bottom - y)
        out.append((part, Landmarks(face.points, "478", face.confidence, box)))
    return out


def scaled(pixels: torch.Tensor, factor: float) -> torch.Tensor:
    """Smaller or larger, without aliasing."""
    size = [max(round(side * factor), 1) for side in pixels.shape[:2]]
    planes = pixels.permute(2, 0, 1)[None]
    out = torch.nn.functional.interpolate(planes, size=size, mode="bilinear", antialias=True)
    return out[0].permute(1, 2, 0)


def ground(size: tuple[int, int], rng: torch.Generator) -> torch.Tensor:
    """A background with structure of every size."""
    out = torch.full((*size, 3), 0.5)
    for side in (4, 16, 64, 256):
        coarse = torch.randn(1, 3, side, side, generator=rng)
        fine = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
        out += 0.08 * fine[0].permute(1, 2, 0)
    return out.clamp(0, 1)


def group(
    heads: list[tuple[torch.Tensor, Landmarks]], size: tuple[int, int], sizes: list[float]
) -> tuple[Photo, list[tuple[float, float]]]:
    """People in rows, and where their faces' middles are."""
    rng = torch.Generator().manual_seed(0)
    pixels, middles = ground(size, rng), []
    top = left = row = 0
    for number, large in enumerate(sizes):
        part, face = heads[number % len(heads)]
        factor = large / (face.box[3] - face.box[1])
        small = scaled(part, factor)
        height, width = small.shape[:2]
        if left + width > size[1]:
            top, left, row = top + row, 0, 0
        if top + height > size[0]:
            continue
        pixels[top : top + height, left : left + width] = small
        x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
        middles.append((left + x * factor, top + y * factor))
        left, row = left + width, max(row, height)
    return Photo((pixels * 255).round().byte()), middles


def hits(faces: list[Landmarks], middles: list[tuple[float, float]]) -> tuple[int, int]:
    """How many people are found, and how many faces are nobody's."""
    missing, extra = set(middles), 0
    for face in faces:
        left, top, right, bottom = face.box
        mine = {(x, y) for x, y in missing if left < x < right and top < y < bottom}
        missing -= mine
        extra += not mine
    return len(middles) - len(missing), extra


def timed(call: Any, runs: int) -> tuple[Any, dict[str, float]]:
    """The least of some runs: of the clock, and of the processor over two."""
    clock, processor, found = [], [], None
    for _ in range(runs):
        began, used = time.perf_counter(), time.process_time()
        found = call()
        clock.append(time.perf_counter() - began)
        processor.append((time.process_time() - used) / 2)
    return found, {"s": round(min(clock), 3), "cpu_over_2_s": round(min(processor), 3)}


def seen(
    name: str, photo: Photo, middles: list[Any], detector: MediaPipeDetector, runs: int
) -> list[dict[str, Any]]:
    """A row of ours, and one of the detector alone."""
    calls = {
        "search_faces": lambda: search_faces(photo, detector),
        "mediapipe": lambda: detector.detect(photo),
    }
    out = []
    for who, call in calls.items():
        faces, seconds = timed(call, runs)
        found, extra = hits(faces, middles)
        row = {"case": name, "by": who, "people": len(middles), "found": found, "extra": extra}
        out.append(row | seconds)
    return out


def bench_groups(detector: MediaPipeDetector, runs: int) -> list[dict[str, Any]]:
    """Many people, two, and nobody."""
    heads, out = portraits(detector), []
    for name, size in SIZES.items():
        rng = torch.Generator().manual_seed(1)
        step = (size[0] * size[1] / 3e6) ** 0.5
        sizes = (
            40 * step ** torch.rand(24, generator=rng) * 4 ** torch.rand(24, generator=rng)
        ).tolist()
        target = {"target_s": TARGETS[name]}
        photo, middles = group(heads, size, sorted(sizes))
        out += [row | target for row in seen(f"group, {name}", photo, middles, detector, runs)]
        two = read_image(DATA / "photos" / "laos_two_faces.jpg").pixels
        factor = (size[0] * size[1] / two[..., 0].numel()) ** 0.5
        faces = [
            ((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2)
            for f in detector.detect(Photo(two))
        ]
        middles = [(x * factor, y * factor) for x, y in faces]
        photo = Photo((scaled(two, factor) * 255).round().byte())
        out += [row | target for row in seen(f"two people, {name}", photo, middles, detector, runs)]
        empty = Photo((ground(size, rng) * 255).round().byte())
        out += [row | target for row in seen(f"nobody, {name}", empty, [], detector, runs)]
    return out


def bench_small(detector: MediaPipeDetector) -> list[dict[str, Any]]:
    """The share that is found, by size."""
    heads, out = portraits(detector), []
    for size in SMALL:
        photo, middles = group(heads, (860, 1160), [float(size)] * 12)
        rows = seen(f"small, {size} pixels", photo, middles, detector, 1)
        out += [{k: v for k, v in row.items() if k[-1:] != "s"} for row in rows]
    return out


def bench_turned(detector: MediaPipeDetector) -> list[dict[str, Any]]:
    """What is found of a rendered head, by yaw to either side."""
    model, out = load_model(), []
    for yaw in YAWS:
        kinds = []
        for side in (1, -1):
            photo = view_of(model, side * torch.tensor(float(yaw)).deg2rad().item(), 0.0).photo
            faces = search_faces(photo, detector)
            kinds.append(faces[0].scheme if faces else "none")
        direct = [
            len(detector.detect(view_of(model, s * yaw * 3.14159265 / 180, 0.0).photo))
            for s in (1, -1)
        ]
        out.append({"case": f"turned, {yaw} degrees", "found": kinds, "mediapipe": direct})
    return out


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=5)
    runs = options.parse_args().runs
    seed()
    with MediaPipeDetector() as detector:
        search_faces(read_image(DATA / "photos" / PEOPLE[0]), detector)
        found = bench_groups(detector, runs) + bench_small(detector) + bench_turned(detector)
    report("detect", found)


if __name__ == "__main__":
    main()
