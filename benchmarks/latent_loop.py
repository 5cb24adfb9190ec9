"""LIA driven by names: values are asked for over its bridge, and looked for in what it makes."""

from pathlib import Path

import torch
from torch import Tensor

from benchmarks.crowd import SIDE, signed_bytes
from benchmarks.headgan_clip import filmed, rows_of
from benchmarks.headgan_measures import faces_of, shown
from morphface.edit.named import named_values, names_of
from morphface.generate import Reference, relative_motion
from morphface.generate.bridge import MotionBridge
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.pipelines.oneshot.bridging import bridge_of
from morphface.pipelines.oneshot.clip import signed
from morphface.synthetic import SyntheticPeople

BRIDGED, BRIDGE_SEED = 480, 123
SHOWN = ("yaw", "pitch", "roll", "jawOpen", "mouthSmileLeft", "eyeBlinkLeft")
ASKED = {"yaw": (-0.4, 0.4), "jawOpen": (0.0, 0.8)}
"""From and to: radians, and a weight."""
VALUES, PEOPLE = 24, 5
SHEET = 8


def bridged(generator) -> MotionBridge:
    """The bridge, of people that neither training nor tests have seen."""
    people = SyntheticPeople(BRIDGE_SEED, SIDE, maps=(), offsets=(0,))
    return bridge_of(generator, people, load_model(), BRIDGED, taught=True)


def bridge_row(bridge: MotionBridge) -> dict:
    """What numbers of a motion tell of parameters with names, of people left out."""
    found = {name: round(bridge.scores()[name], 3) for name in SHOWN}
    return {"test": "bridge: found in numbers", "method": "lia", "frames": BRIDGED, **found}


def loop_rows(cache: Path, generator, bridge: MotionBridge, people: list[dict[str, Tensor]]):
    """What our fit finds in frames that were asked for, and in true ones, as much as it can."""
    clip, photo = filmed(cache / "clip", SIDE)[0], rows_of("first")[0]
    photos = {
        f"person {k}": (signed_bytes(p["frame"][:1]), p["named"][:1]) for k, p in _some(people)
    }
    own = named_values(clip.parameters[photo])
    photos["clip"] = (signed(clip.pictures[photo]), own)
    table, strips = [], []
    for name, (low, high) in ASKED.items():
        asked = torch.linspace(low, high, VALUES)
        rows = {}
        for who, (picture, values) in photos.items():
            frames = asked_frames(generator, bridge, picture, values, (name, asked))
            rows[who] = asked, found_values(frames, name)
            strips.append(torch.cat(list(frames[:: VALUES // SHEET]), dim=1))
        table.append({"test": f"asked and found: {name}", "method": "lia"} | _facts(rows))
        table.append({"test": f"in true frames: {name}", "method": "our fit"} | _true(people, name))
    write_image(cache / "sheet_loop.png", torch.cat(strips).clamp(0, 1))
    return table


def asked_frames(generator, bridge, picture: Tensor, values: Tensor, wish: tuple[str, Tensor]):
    """Frames of a photo with values of one name in place of its own.

    Args:
        generator: in `eval` mode.
        bridge: of it.
        picture: the photo.
        values: of the photo, in the order of the bridge's names.
        wish: the name, and the values.
    """
    name, asked = wish
    wanted = values.repeat(len(asked), 1)
    wanted[:, bridge.names.index(name)] = asked
    line, side = bridge.to_motion, picture.shape[-1]
    nothing = (torch.zeros(1, c, side, side) for c in (0, 1))
    count = len(asked)
    empty = torch.zeros(count, 2, side, side), torch.zeros(count, 1, side, side)
    reference = Reference(picture, *nothing, *empty)
    with torch.no_grad():
        own = generator.motion(picture)
        style = relative_motion(own, line(wanted), line(values))
        return shown(generator(torch.zeros(count, 0, side, side), [reference], style))


def found_values(frames: Tensor, name: str) -> list[float | None]:
    """What our fit says of a name in each frame; None where no face is found."""
    names = names_of(load_model())
    found = [fit for _, fit in faces_of(frames)[1]]
    place = names.index(name)
    return [None if fit is None else float(named_values(fit)[0, place]) for fit in found]


def _true(people: list[dict[str, Tensor]], name: str) -> dict:
    """The same of true frames of some people, whose values are known."""
    some = [person for _, person in _some(people, 4 * PEOPLE)]
    frames = torch.cat([person["frame"][:4] for person in some])
    wanted = torch.cat([person["named"][:4] for person in some])
    place = names_of(load_model()).index(name)
    return _facts({"all": (wanted[:, place], found_values(shown(signed_bytes(frames)), name))})


def _facts(rows: dict[str, tuple[Tensor, list[float | None]]]) -> dict:
    """Correlations and slopes: of each photo, their mean, and of all photos together."""
    each, pairs = {}, []
    for who, (asked, values) in rows.items():
        known = [k for k, value in enumerate(values) if value is not None]
        pairs.append((asked[known], torch.tensor([values[k] for k in known])))
        each[who] = round(_correlation(*pairs[-1]), 3)
    one, two = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    away = one - one.mean()
    facts = {
        "frames": sum(len(asked) for asked, _ in rows.values()),
        "faces found": len(one),
        "correlation": round(sum(each.values()) / len(each), 3),
        "of all together": round(_correlation(one, two), 3),
        "slope": round(float((away * two).sum() / away.square().sum()), 3),
    }
    return facts | (each if len(each) > 1 else {})


def _correlation(one: Tensor, two: Tensor) -> float:
    """0 where one of them does not vary."""
    a, b = one - one.mean(), two - two.mean()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 1e-6 else 0.0


def _some(people: list[dict[str, Tensor]], count: int = PEOPLE):
    """Some people, spread over all."""
    places = torch.linspace(0, len(people) - 1, count).round().long().tolist()
    return [(place, people[place]) for place in places]
