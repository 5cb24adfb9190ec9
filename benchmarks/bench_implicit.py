"""What does an implicit head know of hair that the fitted mesh and the shell of hair do not?

A small network is trained once, with rendered people that are drawn once (`--cache FOLDER`), as
`configs/implicit_small.json` says; then people that it never saw are photographed and fitted, and
the distance of their true hair is measured to the fitted mesh, to that with the shell of hair, and
to the implicit head. Photos and scans that are shared are drawn for looking at with `--sheets`.

    python -m benchmarks.bench_implicit --cache FOLDER [--train-only] [--heads 8] [--sheets FOLDER]
        [--only scan] [--data FOLDER]

The scanned head is measured, too, with its face and what is beyond it apart; it is shaved.
Nothing is trained with it.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch

from benchmarks.common import DATA, RESULTS, report
from benchmarks.implicit_heads import LOWEST, Held, away, held_out, held_scan, some
from benchmarks.implicit_pool import COUNT, Pool, drawn
from benchmarks.implicit_sheets import draw_sheets
from morphface.generate import Observer, TrainSettings, config_of, load_generator, train_generator
from morphface.generate.implicit import Implicit, extracted, occupancy
from morphface.rerender import hair_shell, implicit_head

CONFIG = Path(__file__).parent / "configs" / "implicit_small.json"
NETWORK = {"resolution": 128, "width": 32, "stacks": 1, "fine": 16}
RUN, WEIGHTS, TIME = "run", "generator.safetensors", "seconds.json"


def main() -> None:
    """Train, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=("scan",), help="keeps the others' rows")
    options = parser.parse_args()
    network, told = trained(options.cache)
    if options.train_only:
        return
    if options.sheets is not None:
        draw_sheets(network, options.sheets)
    scanned = _measured(held_scan(options.data), network, "scan")
    scanned |= {key: told[key] for key in ("steps", "processor_s")}
    if options.only == "scan":
        before = json.loads((RESULTS / "implicit.json").read_text(encoding="utf-8"))
        report("implicit", [*(row for row in before if row["case"] != "scan"), scanned])
        return
    cases = [told, _analytic(), _large(network)]
    heads = [_measured(one, network) for one in held_out(options.heads, options.cache / "held")]
    cases += [{"case": "held-out heads"} | _summary(heads), *heads, scanned]
    report("implicit", cases)


def trained(cache: Path) -> tuple[Implicit, dict[str, Any]]:
    """The small network, from the cache if it was trained before; how long that took."""
    settings = TrainSettings.from_json(CONFIG.read_text(encoding="utf-8"))
    run, config, clock = cache / RUN, config_of("implicit", **NETWORK), cache / TIME
    before = json.loads(clock.read_text()) if clock.is_file() else {"steps": 0, "processor_s": 0}
    if before["steps"] < settings.steps:
        data = Pool(drawn(cache / "pool", COUNT), settings.points, config.resolution)
        begun = time.process_time()

        def note(step: int, _: Any) -> None:
            if step % settings.every == 0 or step == settings.steps:
                spent = before["processor_s"] + time.process_time() - begun
                clock.write_text(json.dumps({"steps": step, "processor_s": round(spent)}))

        again, watch = (run / "state.pt").is_file(), Observer(after=note)
        train_generator(config, data, run, settings=settings, resume=again, observer=watch)
    network: Any = load_generator(run / WEIGHTS)
    spent = json.loads(clock.read_text())
    size = sum(parameter.numel() for parameter in network.parameters())
    told = {"case": "training", "pictures": COUNT, **NETWORK}
    return network, {**told, "parameters": size, **spent}


def _analytic() -> dict[str, Any]:
    """Largest distance of extracted spheres and tori from the true ones, in voxels."""
    low, high = torch.full((3,), -1.0), torch.full((3,), 1.0)

    def sphere(points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=-1) - 0.7

    def torus(points: torch.Tensor) -> torch.Tensor:
        around = points[:, :2].norm(dim=-1) - 0.6
        return torch.stack([around, points[:, 2]], -1).norm(dim=-1) - 0.2

    found: dict[str, Any] = {"case": "analytic", "resolution": 128}
    for name, distance in {"sphere": sphere, "torus": torus}.items():
        asked = 0

        def ask(points: torch.Tensor, distance: Any = distance) -> torch.Tensor:
            nonlocal asked
            asked += len(points)
            return (0.5 - distance(points)).clamp(0, 1)

        values = occupancy(ask, low, high, 128)
        vertices, _ = extracted(values, low, high)
        found[f"{name}_voxels"] = round(float(distance(vertices).abs().max()) * 64, 4)
        found[f"{name}_asked_share"] = round(asked / values.size, 3)
    return found


@torch.no_grad()
def _large(network: Implicit) -> dict[str, Any]:
    """Memory beyond that before, of 256^3 cells with the small network and the points of a ball."""
    channels = 3 + sum(network.config.channels)
    seen = network.seen(
        torch.zeros(1, channels, network.config.resolution, network.config.resolution)
    )
    low, high = torch.full((3,), -1.0), torch.full((3,), 1.0)

    def ask(points: torch.Tensor) -> torch.Tensor:
        space = torch.cat([points.norm(dim=-1, keepdim=True), points], -1)[None]
        network.at(seen, points[None, :, :2], space)
        return (1.2 - points.norm(dim=-1)).clamp(0, 1)

    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    vertices, _ = extracted(occupancy(ask, low, high, 256), low, high)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "case": "256 cells",
        "vertices": len(vertices),
        "processor_s": round(time.process_time() - begun, 1),
        "more_mib": round((after - before) / 1024),
        "limit_mib": 1024,
    }


def _measured(one: Held, network: Implicit, name: str = "head") -> dict[str, Any]:
    """Distances of one head's true surface, by regions, in millimetres."""
    begun = time.process_time()
    found = implicit_head(one.face, one.photo, network)
    spent = time.process_time() - begun
    true, faces = one.surface
    points = {name: some(true[mask]) for name, mask in one.regions.items()}
    mesh = one.aligned(one.face.vertices()), one.face.model.faces.long()
    implicit = one.aligned(found.vertices), found.faces
    case: dict[str, Any] = {"case": name, "seconds": round(spent, 1)}
    case |= _distances("mesh", points, mesh)
    case |= _distances("implicit", points, implicit)
    shell = hair_shell(one.face, one.photo)
    case["shell"] = shell is not None
    if shell is not None:
        both = torch.cat([mesh[0], one.aligned(shell.vertices)])
        joined = torch.cat([mesh[1], shell.faces.long() + len(mesh[0])])
        case |= _distances("shell", points, (both, joined))
    else:  # the mesh alone is what a turned view has then
        case |= {f"shell_{name}_mm": case[f"mesh_{name}_mm"] for name in points}
    low = found.vertices[:, 1] > LOWEST
    back = away(some(implicit[0][low]), true, faces)
    outer = one.face.model.faces.unique()
    own = mesh[0][outer][one.face.vertices()[outer][:, 1] > LOWEST]
    for kind, other in (("implicit", back), ("mesh", away(some(own), true, faces))):
        case[f"{kind}_back_mm"] = round(float(other.mean()), 3)
        case[f"{kind}_chamfer_mm"] = round(
            (case[f"{kind}_back_mm"] + case[f"{kind}_head_mm"]) / 2, 3
        )
    return case


def _distances(name: str, points: dict[str, Any], surface: Any) -> dict[str, float]:
    return {
        f"{name}_{region}_mm": round(float(away(some_, *surface).mean()), 3)
        for region, some_ in points.items()
    }


def _summary(heads: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over heads, and what share of the mesh's distance is left."""
    names = [name for name in heads[0] if name.endswith("_mm")]
    found: dict[str, Any] = {"heads": len(heads)}
    found |= {name: round(mean(one[name] for one in heads), 3) for name in names}
    ratios = [one["implicit_hair_mm"] / one["mesh_hair_mm"] for one in heads]
    found["implicit_of_mesh"] = round(found["implicit_hair_mm"] / found["mesh_hair_mm"], 3)
    found["implicit_of_mesh_median"] = round(median(ratios), 3)
    found["implicit_of_shell"] = round(found["implicit_hair_mm"] / found["shell_hair_mm"], 3)
    better = sum(one["implicit_hair_mm"] < one["shell_hair_mm"] for one in heads)
    found["better_than_shell"] = f"{better} of {len(heads)}"
    return found | {"seconds": round(median(one["seconds"] for one in heads), 1)}


if __name__ == "__main__":
    main()
