"""Kinds of generators side by side: small ones, trained with the same people for as many steps.

`python -m benchmarks.bench_generators --cache FOLDER` draws people once, trains each kind on them
(a run that was stopped goes on), and makes frames of people held out: against a copy of the photo,
and the photo moved by the mesh's flow. CoNR is measured with one, two and four photos, and LIA's
bridge by what it finds again of people that neither was made with. `--only conr lia` trains some.
All begin with the flow of the mesh but LIA, which is told nothing of it at run time.
Of a generator that knows its person (dvp) `bench_dvp` tells.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks.common import measure, report
from benchmarks.generator_pool import HELD, PHOTOS, SIDE, TRAINED, Pool, drawn
from benchmarks.headgan_measures import pictures_of, shown
from morphface.evaluate import FeatureDistance
from morphface.generate import (
    TrainSettings,
    config_of,
    load_generator,
    needs_of,
    stacked_takes,
    train_generator,
)
from morphface.generate.networks.warp import warped
from morphface.generate.training.journal import read_journal
from morphface.generate.training.memory import memory_needed
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.pipelines.oneshot.bridging import bridge_of
from morphface.synthetic import SyntheticPeople

CONFIGS = Path(__file__).parent / "configs"
SMALL = {
    "headgan": {"width": 8, "blend": True},
    "conr": {"width": 8, "blend": True},
    "dagan": {"width": 8, "blend": True},
    "lia": {"width": 16},
}
"""Of each kind, with the settings of `configs/KIND_small.json`."""
STEPS, BATCH = 300, 4
BRIDGED, BRIDGE_SEED = 240, 123
NAMES = ("yaw", "pitch", "roll", "jawOpen", "mouthSmileLeft", "eyeBlinkLeft")
SHEET = 8


def config_for(kind: str):
    """Of the small network of a kind."""
    return config_of(kind, resolution=SIDE, **SMALL[kind])


def settings_for(kind: str, steps: int) -> TrainSettings:
    """Those of the small network of a kind, with the batch that all have."""
    text = (CONFIGS / f"{kind}_small.json").read_text()
    same = {"steps": steps, "batch": BATCH, "precision": "no"}  # which a process cannot change
    return TrainSettings.from_json(text).replace(**same)


def trained(cache: Path, kind: str, steps: int) -> None:
    """Learnt from rendered people."""
    run, settings = cache / kind, settings_for(kind, steps)
    data = Pool(drawn(cache, "trained", TRAINED), config_for(kind), settings.photos)
    again = (run / "state.pt").is_file()
    train_generator(config_for(kind), data, run, settings=settings, resume=again)


def frames_of(generator, takes: list, photos: int):
    """What a generator makes of takes."""
    pool, made = Pool(takes, generator.config, photos), []
    driving = needs_of(generator.config.kind).driving
    for start in range(0, len(takes), 8):
        batch = stacked_takes([pool.take(n) for n in range(start, min(start + 8, len(takes)))])
        more = {"driving": batch.frame} if driving else {}
        more |= {"style": batch.style} if batch.style.shape[1] else {}
        with torch.no_grad():
            made.append(shown(generator(batch.window, batch.references, **more)))
    return torch.cat(made)


def facts_of(cache: Path, kind: str, generator, take) -> dict:
    """How large and how fast a network is; times are of one core that others use, too."""
    batch = Pool([take], generator.config).take(0)
    more = {"driving": batch.frame} if needs_of(kind).driving else {}
    more |= {"style": batch.style} if batch.style.shape[1] else {}
    with torch.no_grad():
        known = [generator.encode(one) for one in batch.references]
        given = (batch.window, batch.references)
        times = measure({"frame": lambda: generator(*given, features=known, **more)}, runs=10)
    settings = settings_for(kind, STEPS)
    return {
        "steps": int(read_journal(cache / kind)[-1]["step"]),
        "parameters": sum(p.numel() for p in generator.parameters()),
        "processor_ms": times["frame"]["processor_ms"],
        "training_mib": round(memory_needed(generator.config, settings) / 2**20),
    }


def rows(cache: Path):
    """A row for each kind on people held out, and for what needs no network."""
    takes, features = drawn(cache, "held", HELD), FeatureDistance.load()
    true = torch.cat([shown(take.frame) for take in takes])
    one = [take.references[0] for take in takes]
    made = {
        "photo": torch.cat([shown(r.photo) for r in one]),
        "moved by the mesh": torch.cat([shown(warped(r.photo, r.flow)) for r in one]),
    }
    facts: dict[str, dict] = {}
    for kind in SMALL:
        weights = cache / kind / "generator.safetensors"
        if not weights.is_file():
            continue
        generator = load_generator(weights)
        for photos in (1, 2, PHOTOS) if kind == "conr" else (1,):
            name = kind if kind != "conr" else f"conr, {photos} photo{'s' * (photos > 1)}"
            made[name] = frames_of(generator, takes, photos)
            facts[name] = facts_of(cache, kind, generator, takes[0])
    for name, pictures in made.items():
        found = pictures_of(pictures, true, features)
        yield {"method": name, "frames": len(true), **facts.get(name, {}), **found}
    places = torch.linspace(0, len(true) - 1, SHEET).round().long()
    sheet = torch.cat([values[places] for values in (*made.values(), true)], dim=2)
    write_image(cache / "sheet.png", sheet.flatten(0, 1).clamp(0, 1))


def bridge_row(cache: Path) -> dict:
    """What LIA's numbers tell of parameters with names, of people left out."""
    people = SyntheticPeople(BRIDGE_SEED, SIDE, maps=())
    generator = load_generator(cache / "lia" / "generator.safetensors")
    bridge = bridge_of(generator, people, load_model(), BRIDGED)
    found = {name: round(bridge.scores()[name], 3) for name in NAMES}
    return {"method": "lia, bridge: correlation", "frames": BRIDGED, **found}


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--only", nargs="*", choices=list(SMALL), default=list(SMALL))
    wishes = parser.parse_args()
    for kind in wishes.only:
        trained(wishes.cache, kind, wishes.steps)
    table = list(rows(wishes.cache))
    if (wishes.cache / "lia" / "generator.safetensors").is_file():
        table.append(bridge_row(wishes.cache))
    print(json.dumps(table, indent=1))
    report("generators", table)
