"""How fast are synthetic people drawn, and of what kinds are they?

    python -m benchmarks.bench_corpus [--people N] [--sheet OUT.png]

- `speed`: takes a second of one core, at 64 and 128 pixels, over whole lives of people (a take is
  an ordered pair of six frames with its maps, flow and mattes); by the process's own clock, so
  that others on the machine count little, and by the wall's.
- `kinds`: of N people, how many have hair and how much of it stands off the mesh; the range of
  tones of skin (individual typology angle of the cheeks' albedo, Chardon et al. 1991: above 55
  very light, below -30 dark) and how many fall into each class; how far frames of a person differ
  in exposure (corners of the picture, where nothing but the camera changes) and in pose.
- `--sheet`: looks, not numbers: a tile for each person.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import report, seed
from morphface.core.colour import srgb_to_linear
from morphface.evaluate import geodesic
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.synthetic import Scene, SyntheticPeople

CLASSES = {"very light": 55, "light": 41, "intermediate": 28, "tan": 10, "brown": -30, "dark": -90}
PAIRS = 30
COLUMNS = 6


def bench_speed(size: int, people: int) -> dict[str, Any]:
    """Takes a second, after the first few people."""
    source = SyntheticPeople(0, size)
    for number in range(8):
        source.take(number)
    count = people * PAIRS
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(8, 8 + count):
        source.take(number)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "case": f"speed, {size} pixels",
        "takes": count,
        "takes_a_second_of_a_core": round(count / cpu, 1),
        "takes_a_second_of_the_wall": round(count / wall, 1),
        "target": 20 if size == 64 else None,
    }


def typology(albedo: torch.Tensor) -> float:
    """Individual typology angle of a colour, degrees (CIE L* and b* under D65)."""
    linear = srgb_to_linear(albedo).double()
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    matrix = torch.tensor(to_xyz, dtype=torch.float64)
    x, y, z = (matrix @ linear / torch.tensor([0.9505, 1.0, 1.089])).tolist()
    lab = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    light, yellow = 116 * lab[1] - 16, 200 * (lab[1] - lab[2])
    return float(torch.rad2deg(torch.atan2(torch.tensor(light - 50), torch.tensor(yellow))))


def apart(scene: Scene) -> float:
    """Degrees between the poses of two frames of a person, on average."""
    poses = scene.poses
    turns = [geodesic(poses[k], poses[j]) for k in range(poses.frames) for j in range(k)]
    return float(torch.cat(turns).mean())


def bench_kinds(people: int) -> dict[str, Any]:
    """What a corpus of so many people has in it."""
    source, model = SyntheticPeople(1000, 64), load_model()
    cheeks = model.regions["cheeks"] > 0.5
    haired, beyond, angles, change, turned = 0, [], [], [], []
    for who in range(people):
        scene = source.scene(who)
        shot, mesh = scene.shots[0], scene.windows[0, -3:].sum(0) > 0
        haired += int(shot.hair.sum() > 40)
        beyond.append(float((shot.hair * ~mesh).sum() / shot.matte.sum()))
        angles.append(typology(scene.person.colours[cheeks].mean(0)))
        corners = torch.stack([each.image[:6, :6].mean((0, 1)) for each in scene.shots])
        change.append(float((corners.std(0) / corners.mean(0).clamp(min=0.02)).mean()))
        turned.append(apart(scene))
    found = torch.tensor(angles)
    counts, above = {}, float("inf")
    for name, least in CLASSES.items():
        counts[name] = int(((found > least) & (found <= above)).sum())
        above = least
    return {
        "case": "kinds",
        "people": people,
        "with_hair": haired,
        "hair_beyond_the_mesh_of_the_person": round(float(torch.tensor(beyond).mean()), 3),
        "typology_degrees": [round(float(found.min()), 1), round(float(found.max()), 1)],
        "tones": counts,
        "exposure_varies_by": round(float(torch.tensor(change).median()), 3),
        "degrees_between_frames": round(float(torch.tensor(turned).mean()), 1),
    }


def draw_sheet(people: int, place: Path) -> None:
    """A tile for each person."""
    source = SyntheticPeople(1000, 256, frames=2)
    tiles = [source.scene(who).shots[0].image for who in range(people)]
    tiles += [torch.ones_like(tiles[0])] * (-people % COLUMNS)
    rows = [torch.cat(tiles[k : k + COLUMNS], dim=1) for k in range(0, len(tiles), COLUMNS)]
    write_image(place, torch.cat(rows))


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=60)
    options.add_argument("--sheet", type=Path, default=None)
    chosen = options.parse_args()
    seed()
    torch.set_num_threads(1)
    if chosen.sheet is not None:
        draw_sheet(chosen.people, chosen.sheet)
        return
    cases = [bench_speed(64, 8), bench_speed(128, 4), bench_kinds(chosen.people)]
    report("corpus", cases)


if __name__ == "__main__":
    main()
