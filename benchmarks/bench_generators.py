"""Kinds of generators side by side: small ones, trained with the same people for as many steps.

`python -m benchmarks.bench_generators --cache FOLDER` draws people once, trains each kind on them
and on the first half of a clip, one take in six (a run that was stopped goes on), and makes frames
of people held out, and of the clip's second half from the first half's first frame: against a copy
of the photo, and the photo moved by the mesh's flow. CoNR is measured with one, two and four
photos, DaGAN with depth that asks, with the picture that asks itself, and without attention; and
with key points that it finds, with depth that is read off pictures by a network which consecutive
frames taught, and with both. LIA is told nothing of the mesh at run time: it learns from more
people and for longer, a third of the takes from pairs of frames that differ in the jaw alone, and
what its bridge finds again, what our fit finds in frames that were asked for, and how far off fits
are that its numbers start, are rows of their own. Identity (CSIM, by SFace where its weights are),
pose (ARD, in degrees) and expression (AED) are those of eight frames. What CoNR reads off photos
is a row, too, on the mesh and on hair and clothes.
`--only conr lia` trains some, `--rows` measures what is there. A generator that knows its person
(dvp) learns from the clip's first half alone; `bench_dvp` tells more of it.
"""

import argparse
import json
from functools import lru_cache
from pathlib import Path

import torch

from benchmarks.codes_read import code_row
from benchmarks.common import measure, report
from benchmarks.crowd import SIDE, TWINS, Crowd, Mixed, drawn
from benchmarks.face_depth import depth_row, depth_trained
from benchmarks.headgan_clip import far_rows, filmed, rows_of
from benchmarks.headgan_measures import fits_of, people_of, pictures_of, shown, spread
from benchmarks.headgan_rivals import portraits
from benchmarks.latent_loop import bridge_row, bridged, loop_rows
from benchmarks.latent_start import start_row
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
from morphface.pipelines.oneshot.clip import ClipTakes

CONFIGS = Path(__file__).parent / "configs"
SMALL = {
    "headgan": ("headgan", {"width": 8, "blend": True}),
    "conr": ("conr", {"width": 8, "blend": True}),
    "dagan": ("dagan", {"width": 8, "blend": True}),
    "dagan_picture": ("dagan", {"width": 8, "blend": True, "attention": "picture"}),
    "dagan_none": ("dagan", {"width": 8, "blend": True, "attention": "none"}),
    "dagan_points": ("dagan", {"width": 8, "blend": True, "keypoints": "learned"}),
    "dagan_depth": ("dagan", {"width": 8, "blend": True, "depth": "learned"}),
    "dagan_learned": (
        "dagan",
        {"width": 8, "blend": True, "keypoints": "learned", "depth": "learned"},
    ),
    "lia": ("lia", {"width": 16, "blend": True}),
}
"""Kind and network of each run, with the settings of `configs/KIND_small.json`."""
NAMES = {
    "dagan_picture": "dagan, the picture asks itself",
    "dagan_none": "dagan without attention",
    "dagan_points": "dagan, learned key points",
    "dagan_depth": "dagan, learned depth",
    "dagan_learned": "dagan, learned key points and depth",
}
STEPS, BATCH, PHOTOS = 1500, 4, 4
DVP_STEPS = 300
LIA_STEPS, LIA_BATCH = 5750, 16
TRAINED, LIA_TRAINED, HELD_SEED, HELD = 200, 900, 99, 50
"""People."""
TWIN_SEED, TWINNED, TWIN_SHARE = 1, 600, 3
"""People of LIA whose frames come in pairs that differ in the jaw; one take in so many is of
these."""
APART = 13
"""Of the pairs of people held out, one of so many is made."""
EVERY = 4
"""Of the clip's frames that may be tested, themselves a third of all, one of so many is."""
SPREAD = 8
"""Frames of the clip that are photos."""
SHEET = 8


def config_for(run: str):
    """Of the network of a run."""
    kind, options = SMALL[run]
    return config_of(kind, resolution=SIDE, **options)


def settings_for(run: str, steps: int) -> TrainSettings:
    """Those of the network of a run; all kinds but lia have the same batch."""
    kind = SMALL[run][0]
    settings = TrainSettings.from_json((CONFIGS / f"{kind}_small.json").read_text())
    if kind == "lia":
        return settings.replace(steps=LIA_STEPS, batch=LIA_BATCH)
    return settings.replace(steps=steps, batch=BATCH, precision="no")


def trained(cache: Path, run: str, steps: int) -> None:
    """Learnt from rendered people and the first half of the clip."""
    config, settings = config_for(run), settings_for(run, steps)
    crowd = people_for(cache, config, settings.photos)
    data = Mixed(crowd, _clip(cache, config, rows_of("first"), settings.photos))
    again = (cache / run / "state.pt").is_file()
    sight = depth_trained(cache) if config.depth == "learned" else None
    train_generator(config, data, cache / run, settings=settings, resume=again, depth=sight)


def people_for(cache: Path, config, photos: int):
    """Takes of rendered people, as a network learns from them."""
    folder = cache / "crowd"
    if config.kind != "lia":
        return Crowd(drawn(folder, 0, TRAINED, maps=True), config, photos)
    twins = Crowd(drawn(folder, TWIN_SEED, TWINNED, jaws=True), config, pairs=TWINS)
    return Mixed(Crowd(drawn(folder, 0, LIA_TRAINED), config), twins, TWIN_SHARE)


def _clip(cache: Path, config, rows: list[int], together: int = 1) -> ClipTakes:
    """Takes of the clip, from photos that are spread over its first half."""
    first = rows_of("first")
    photos = [first[k * len(first) // SPREAD] for k in range(SPREAD)]
    clip = filmed(cache / "clip", SIDE)[0]
    return ClipTakes(load_model(), clip, config, photos=photos, rows=rows, together=together)


def frames_of(generator, some: list):
    """What a generator makes of takes."""
    made, driving = [], needs_of(generator.config).driving
    for start in range(0, len(some), 8):
        batch = stacked_takes(some[start : start + 8])
        more = {"driving": batch.frame} if driving else {}
        more |= {"style": batch.style} if batch.style.shape[1] else {}
        with torch.no_grad():
            made.append(shown(generator(batch.window, batch.references, **more)))
    return torch.cat(made)


def facts_of(cache: Path, run: str, generator, take) -> dict:
    """How large and how fast a network is; times are of one core that others use, too."""
    settings = settings_for(run, STEPS)
    more = {"driving": take.frame} if needs_of(generator.config).driving else {}
    more |= {"style": take.style} if take.style.shape[1] else {}
    with torch.no_grad():
        known = [generator.encode(one) for one in take.references]
        given = (take.window, take.references)
        times = measure({"frame": lambda: generator(*given, features=known, **more)}, runs=10)
    return {
        "steps": int(read_journal(cache / run)[-1]["step"]),
        "batch": settings.batch,
        "parameters": sum(p.numel() for p in generator.parameters()),
        "processor_ms": times["frame"]["processor_ms"],
        "training_mib": round(memory_needed(generator.config, settings) / 2**20),
    }


@lru_cache
def held_people(cache: Path) -> list:
    """People that no network has seen."""
    return drawn(cache / "crowd", HELD_SEED, HELD, maps=True)


def held_takes(cache: Path, config, photos: int = 1) -> list:
    """Frames of people held out."""
    crowd = Crowd(held_people(cache), config, photos)
    return [crowd.take(number) for number in range(7, crowd.count, APART)]


def near_rows(cache: Path) -> list[int]:
    """Frames of the clip's second half in which the head is no farther than in the photo."""
    track, rows = filmed(cache / "clip", SIDE)[1], rows_of("second")[::EVERY]
    far = far_rows(track, rows_of("first")[0], rows)
    return [row for row, away in zip(rows, far, strict=True) if not away]


def clip_takes(cache: Path, config, photos: int = 1) -> list:
    """Frames of the clip's second half, near ones, from photos of the first."""
    some = _clip(cache, config, near_rows(cache), photos)
    return [some.take(number) for number in range(0, some.count, SPREAD)]


TESTS = {"people held out": held_takes, "clip, second half": clip_takes}


def rows(cache: Path, test: str):
    """A row for each network in a test, and for what needs no network."""
    features, make = FeatureDistance.load(), TESTS[test]
    plain = make(cache, config_for("dagan"))
    true = torch.cat([shown(take.frame) for take in plain])
    one = [take.references[0] for take in plain]
    made = {
        "photo": torch.cat([shown(r.photo) for r in one]),
        "moved by the mesh": torch.cat([shown(warped(r.photo, r.flow)) for r in one]),
    }
    facts: dict[str, dict] = {}
    for run, (kind, _) in SMALL.items():
        weights = cache / run / "generator.safetensors"
        if not weights.is_file():
            continue
        generator = load_generator(weights)
        for photos in (1, 2, PHOTOS) if kind == "conr" else (1,):
            name = f"conr, {photos} photo{'s' * (photos > 1)}" if kind == "conr" else run
            name = NAMES.get(name, name)
            some = make(cache, generator.config, photos)
            made[name] = frames_of(generator, some)
            facts[name] = facts_of(cache, run, generator, some[0])
    if make is clip_takes:
        name = "dvp, which knows the person alone"
        made[name] = portraits(cache / "clip", "first", SIDE, DVP_STEPS, near_rows(cache))
        facts[name] = {"steps": DVP_STEPS, "batch": 16}
    wanted = fits_of(true[spread(len(true))])
    for name, pictures in made.items():
        found = pictures_of(pictures, true, features) | people_of(pictures, wanted, made["photo"])
        yield {"test": test, "method": name, "frames": len(true), **facts.get(name, {}), **found}
    places = torch.linspace(0, len(true) - 1, SHEET).round().long()
    sheet = torch.cat([values[places] for values in (*made.values(), true)], dim=2)
    write_image(cache / f"sheet_{test.split()[0].strip(',')}.png", sheet.flatten(0, 1).clamp(0, 1))


def latent_rows(cache: Path) -> list[dict]:
    """LIA's bridge, and its loop: what was asked for by name, and what our fit finds."""
    generator = load_generator(cache / "lia" / "generator.safetensors")
    bridge = bridged(generator)
    people = held_people(cache)
    looped = loop_rows(cache, generator, bridge, people)
    return [bridge_row(bridge), *looped, start_row(generator, bridge, people)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS, help="of all kinds but lia")
    parser.add_argument("--only", nargs="*", choices=list(SMALL), default=list(SMALL))
    parser.add_argument("--rows", action="store_true", help="train nothing")
    wishes = parser.parse_args()
    for run in [] if wishes.rows else wishes.only:
        trained(wishes.cache, run, wishes.steps)
    table = [row for test in TESTS for row in rows(wishes.cache, test)]
    if (wishes.cache / "depth" / "generator.safetensors").is_file():
        table.append(depth_row(wishes.cache, held_people(wishes.cache)))
    if (wishes.cache / "conr" / "generator.safetensors").is_file():
        conr = load_generator(wishes.cache / "conr" / "generator.safetensors")
        table.append(code_row(conr, held_takes(wishes.cache, conr.config)))
    if (wishes.cache / "lia" / "generator.safetensors").is_file():
        table += latent_rows(wishes.cache)
    print(json.dumps(table, indent=1))
    report("generators", table)
