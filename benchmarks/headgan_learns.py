"""A small one-shot generator learns on this machine: trained, tuned, and measured in one table.

`python -m benchmarks.headgan_learns --cache FOLDER` pre-trains on rendered people, tunes on one
half of a clip, and again without the flow prior. Every 50 steps people of a third seed are made:
how many steps each network needs for as much is in the table. `--prior` and `--without` say how
many steps both have; a run that was stopped goes on, also to another number. Then people held out,
the other half of the clip from one photo, and photos are measured; `--only` measures a part,
and `--dvp 0` leaves the rivals out that need minutes of their own: DVP and rerender on the clip.
"""

import argparse
import json
from functools import lru_cache, partial
from pathlib import Path

import torch

from benchmarks.common import report
from benchmarks.headgan_clip import HALVES, far_rows, filmed, rows_of, takes
from benchmarks.headgan_measures import fits_of, methods, people_of, pictures_of, shown, spread
from benchmarks.headgan_photos import photo_rows
from benchmarks.headgan_rivals import portraits, redrawn
from morphface.evaluate import FeatureDistance, psnr
from morphface.generate import (
    Observer,
    TrainSettings,
    config_of,
    generator_of,
    load_generator,
    stacked_takes,
    train_generator,
)
from morphface.generate.training.journal import read_journal
from morphface.media.images import write_image
from morphface.synthetic import SyntheticPeople

SIDE = 64
SMALL = {"resolution": SIDE, "width": 8, "blend": True}
SETTINGS = Path(__file__).parent / "configs" / "headgan_small.json"
STEPS = {"prior": 1500, "without": 1500, "tuned": 300, "dvp": 300}
WATCHED_SEED, WATCHED = 98, 24
"""Takes of 8 people that are made every 50 steps."""
HELD_SEED, HELD = 99, 240
"""Takes of 8 people at a time; 30 takes each come before others do, so four rounds are 32."""
ROUNDS = 4
EVERY = 8
"""Of the clip's frames that may be tested, themselves a third of all, one of so many is."""
SHEET = 12


def settings(steps: int) -> TrainSettings:
    """Those of the small network, for so many steps."""
    return TrainSettings.from_json(SETTINGS.read_text()).replace(steps=steps)


def config_with(prior: bool):
    """Of the small network."""
    return config_of("headgan", **SMALL, flow_prior=prior)


@lru_cache
def watcher() -> Observer:
    """Makes some people held out now and then."""
    people = SyntheticPeople(WATCHED_SEED, SIDE)
    batch = stacked_takes([people.take(n) for n in range(0, HELD, HELD // WATCHED)])

    def validate(generator) -> dict[str, float]:
        with torch.no_grad():
            made = shown(generator(batch.window, batch.references))
        return {"held_psnr": float(psnr(made, shown(batch.frame)).mean())}

    return Observer(validate=validate)


def pretrained(cache: Path, name: str, steps: int) -> Path:
    """Learnt from rendered people."""
    run = cache / f"{name}_pretrained"
    config, data = config_with(name == "prior"), SyntheticPeople(0, SIDE)
    again = (run / "state.pt").is_file()
    train_generator(
        config,
        data,
        run,
        settings=settings(steps),
        resume=again,
        workers=1,
        observer=watcher(),
    )
    return run / "generator.safetensors"


def tuned(cache: Path, name: str, half: str, start: Path, steps: int) -> None:
    """Learnt from a half of the clip, beginning with what was learnt from rendered people."""
    run, config = cache / f"{name}_{half}", config_with(name == "prior")
    again = (run / "state.pt").is_file()
    data = takes(filmed(cache, SIDE)[0], config, rows_of(half))
    begin = None if again else start
    train_generator(config, data, run, settings=settings(steps), resume=again, start=begin)


def generators(cache: Path, stage: str) -> dict:
    """What was trained so far, by name."""
    places = {name: cache / f"{name}_{stage}" / "generator.safetensors" for name in NAMES}
    return {NAMES[name]: load_generator(p) for name, p in places.items() if p.is_file()}


NAMES = {"prior": "network", "without": "network without prior"}


def people_rows(cache: Path):
    """People held out."""
    people = SyntheticPeople(HELD_SEED, SIDE)
    some = [people.take(n) for n in range(0, ROUNDS * HELD, 15)]
    made = methods(some, generators(cache, "pretrained"))
    yield from rows("people", made)
    write_sheet(cache, "people", made)


def clip_rows(cache: Path, half: str):
    """A half of the clip from one photo, near and far, by networks tuned on the other half."""
    clip, track, _ = filmed(cache, SIDE)
    other = next(name for name in HALVES if name != half)
    photo, frames = rows_of(other)[0], rows_of(half)[::EVERY]
    far = far_rows(track, photo, frames)
    nets = generators(cache, other)
    early = generators(cache, "pretrained")
    nets |= {f"{name}, not tuned": made for name, made in early.items()}
    for name, wanted in (("near", False), ("far", True)):
        chosen = [row for row, away in zip(frames, far, strict=True) if away == wanted]
        if not chosen:
            continue
        pairs = takes(clip, config_with(True), chosen, [photo])
        made = methods([pairs.take(n) for n in range(len(chosen))], nets)
        if STEPS["dvp"]:
            made["rerender"] = redrawn(cache, photo, SIDE, chosen)
            made["DVP"] = portraits(cache, other, SIDE, STEPS["dvp"], chosen)
        yield from rows(f"clip, {half} half, {name}", made)
        write_sheet(cache, f"{half}_{name}", made)


def rows(name: str, made: dict):
    """A row for each method."""
    true, features = made["true"], FeatureDistance.load()
    wanted = fits_of(true[spread(len(true))])
    for method, pictures in made.items():
        if method != "true":
            row = {"test": name, "frames": len(true), "method": method}
            row |= pictures_of(pictures, true, features)
            yield row | people_of(pictures, wanted, made["photo"])


def write_sheet(cache: Path, name: str, made: dict) -> None:
    """Some frames side by side: a row for each frame, the true one last."""
    places = torch.linspace(0, len(made["true"]) - 1, SHEET).round().long()
    columns = torch.cat([made[m][places] for m in made if m != "true"] + [made["true"][places]], 2)
    write_image(cache / f"sheet_{name}.png", columns.flatten(0, 1).clamp(0, 1))


def curves(cache: Path):
    """How many steps each network needed for as much; 0 steps are those of fresh weights."""
    seen = {}
    for name in NAMES:
        torch.manual_seed(0)
        fresh = watcher().validate(generator_of(config_with(name == "prior")).eval())
        kept = read_journal(cache / f"{name}_pretrained")
        trained = [(e["step"], round(e["held_psnr"], 2)) for e in kept if "held_psnr" in e]
        seen[name] = [(0, round(fresh["held_psnr"], 2)), *trained]
    yield {"test": "psnr by steps", **{NAMES[name]: curve for name, curve in seen.items()}}
    last, most = seen["without"][-1]
    first = next((step for step, value in seen["prior"] if value >= most), None)
    yield {"test": "steps for as much", "psnr": most, "without prior": last, "with prior": first}
    runs = sorted(cache.glob("*/losses.jsonl"))
    made = {file.parent.name: read_journal(file.parent)[-1]["step"] for file in runs}
    yield {"test": "steps that were made", **made}


PARTS = {
    "people": people_rows,
    "first": partial(clip_rows, half="first"),
    "second": partial(clip_rows, half="second"),
    "photos": lambda cache: photo_rows(cache, generators(cache, "pretrained")["network"]),
    "steps": curves,
}
"""Of the table, each kept in a file of its own once it is measured."""


def measured(cache: Path, part: str) -> list[dict]:
    """The rows of a part."""
    file = cache / f"rows_{part}.json"
    if not file.is_file():
        file.write_text(json.dumps(list(PARTS[part](cache))))
    return json.loads(file.read_text())


def train(cache: Path, steps: dict[str, int], halves: list[str]) -> None:
    """All that the table tells of."""
    start = pretrained(cache, "prior", steps["prior"])
    for half in halves:
        tuned(cache, "prior", half, start, steps["tuned"])
    if steps["without"]:
        pretrained(cache, "without", steps["without"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="measure these alone")
    for key, usual in STEPS.items():
        parser.add_argument(f"--{key}", type=int, default=usual, help="steps")
    parser.add_argument("--halves", nargs="+", default=["first", "second"], help="to tune on")
    wishes = parser.parse_args()
    STEPS |= {key: getattr(wishes, key) for key in STEPS}
    if not wishes.only:
        train(wishes.cache, STEPS, wishes.halves)
    for part in wishes.only or PARTS:
        measured(wishes.cache, part)
    kept = [part for part in PARTS if (wishes.cache / f"rows_{part}.json").is_file()]
    report("headgan", [row for part in kept for row in measured(wishes.cache, part)])
