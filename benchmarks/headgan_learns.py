"""A small one-shot generator learns on this machine: trained, tuned, and measured in one table.

`python -m benchmarks.headgan_learns --cache FOLDER` pre-trains on rendered people, tunes on one
half of a clip, and tests on people held out and on the other half from one photo; all again
without the flow prior. `--table` measures what the folder holds. About an hour on two free cores;
a run that was stopped goes on.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.common import report
from benchmarks.headgan_clip import far_rows, filmed, rows_of, takes
from benchmarks.headgan_measures import methods, people_of, pictures_of
from morphface.evaluate import FeatureDistance
from morphface.generate import TrainSettings, config_of, load_generator, train_generator
from morphface.media.images import write_image
from morphface.synthetic import SyntheticPeople

SIDE = 64
SMALL = {"resolution": SIDE, "width": 8, "blend": True}
SETTINGS = Path(__file__).parent / "configs" / "headgan_small.json"
STEPS = {"pretrained": 1500, "tuned": 300}
HELD_SEED, HELD = 99, 240
"""Takes of 8 people at a time; 30 takes each come before others do, so four rounds are 32."""
ROUNDS = 4
SHEET = 12


def settings(steps: int) -> TrainSettings:
    """Those of the small network, for so many steps."""
    return TrainSettings.from_json(SETTINGS.read_text()).replace(steps=steps)


def trained(cache: Path, prior: bool) -> None:
    """Both trainings of a network, each resumed if it was stopped."""
    name = "prior" if prior else "without"
    config = config_of("headgan", **SMALL, flow_prior=prior)
    first = cache / f"{name}_pretrained"
    again = (first / "state.pt").is_file()
    chosen = settings(STEPS["pretrained"])
    train_generator(
        config, SyntheticPeople(0, SIDE), first, settings=chosen, resume=again, workers=1
    )
    clip, _, _ = filmed(cache, SIDE)
    second = cache / f"{name}_tuned"
    again = (second / "state.pt").is_file()
    start = None if again else first / "generator.safetensors"
    data = takes(clip, config, rows_of("first"))
    chosen = settings(STEPS["tuned"])
    train_generator(config, data, second, settings=chosen, resume=again, start=start)


def generators(cache: Path, stage: str) -> dict:
    """What was trained so far, by name."""
    places = {name: cache / f"{name}_{stage}" / "generator.safetensors" for name in NAMES}
    return {NAMES[name]: load_generator(p) for name, p in places.items() if p.is_file()}


NAMES = {"prior": "network", "without": "network without prior"}


def tests(cache: Path):
    """Takes to test with: people held out; the clip's other half, near and far."""
    config = config_of("headgan", **SMALL)
    people = SyntheticPeople(HELD_SEED, SIDE)
    yield "people", "pretrained", [people.take(n, 1) for n in range(0, ROUNDS * HELD, 7)]
    clip, track, _ = filmed(cache, SIDE)
    photo, rows = rows_of("first")[0], rows_of("second")[::2]
    far = far_rows(track, photo, rows)
    pairs = takes(clip, config, rows, [photo])
    for name, wanted in (("near", False), ("far", True)):
        chosen = [n for n in range(len(rows)) if far[n] == wanted]
        for stage in ("pretrained", "tuned"):
            yield f"clip {name}", stage, [pairs.take(n, 1) for n in chosen]


def table(cache: Path):
    """A row for each test and method; a sheet of each test."""
    features = FeatureDistance.load()
    for name, stage, some in tests(cache):
        made = methods(some, generators(cache, stage))
        true = made["true"]
        for method, pictures in made.items():
            if method == "true" or (
                stage == "pretrained" and "network" not in method and name != "people"
            ):
                continue
            row = {"test": name, "frames": len(some), "method": method}
            row["stage"] = stage if "network" in method else "none"
            row |= pictures_of(pictures, true, features)
            yield row | people_of(pictures, true, made["photo"])
        places = torch.linspace(0, len(true) - 1, SHEET).round().long()
        rows = torch.cat([made[m][places] for m in made if m != "true"] + [true[places]], 2)
        sheet = cache / f"sheet_{name.replace(' ', '_')}_{stage}.png"
        write_image(sheet, rows.flatten(0, 1).clamp(0, 1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    wishes = parser.parse_args()
    if not wishes.table:
        for prior in (True, False):
            trained(wishes.cache, prior)
    report("headgan", list(table(wishes.cache)))
