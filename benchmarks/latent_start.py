"""Fits that start from LIA's numbers, beside ones that start from a face that looks ahead."""

import torch
from torch import Tensor

from benchmarks.crowd import signed_bytes
from benchmarks.headgan_measures import shown
from morphface.edit.named import named_values
from morphface.fit import fit_photometric
from morphface.generate.bridge import Line, MotionBridge
from morphface.models import load_model
from morphface.pipelines.oneshot.starting import start_of

PEOPLE = 16
"""Of those held out."""
FRAMES = 1, 3
"""Of each of them."""
FOUND = {"yaw": 180 / torch.pi, "jawOpen": 1.0}
"""What is looked at, and in what unit: degrees, and a weight."""


def start_row(generator, bridge: MotionBridge, people: list[dict[str, Tensor]]) -> dict:
    """Mean errors of starts and of the fits of pixels from them, without any landmarks."""
    model = load_model()
    errors: dict[str, list[float]] = {}
    for person in people[:PEOPLE]:
        for frame in FRAMES:
            picture, true = signed_bytes(person["frame"][frame, None]), person["named"][frame]
            with torch.no_grad():
                motion = generator.motion(picture).float()
            ahead = torch.zeros(1, len(bridge.names))
            starts = {"numbers": (bridge, motion), "ahead": (_direct(bridge.names), ahead)}
            for where, given in starts.items():
                start = start_of(*given, model, picture.shape[-1])
                fit = fit_photometric(model, list(shown(picture)), [start])
                for what, face in (("", start), ("fit from ", fit)):
                    values = named_values(face.parameters)[0]
                    for name, unit in FOUND.items():
                        place = bridge.names.index(name)
                        off = unit * float((values[place] - true[place]).abs())
                        errors.setdefault(f"{what}{where}, {name}", []).append(off)
    count = len(next(iter(errors.values())))
    means = {name: round(sum(each) / len(each), 3) for name, each in errors.items()}
    title = "a fit that numbers start: mean errors"
    return {"test": title, "method": "lia", "frames": count} | means


def _direct(names: tuple[str, ...]) -> MotionBridge:
    """A bridge whose numbers are the parameters themselves."""
    zero, one = torch.zeros(len(names)), torch.ones(len(names))
    line = Line(zero, torch.eye(len(names)), zero, one)
    return MotionBridge(names, line, line)
