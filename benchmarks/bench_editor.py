"""How long after a slider has moved is its picture there?

    python -m benchmarks.bench_editor [--moves N]

The astronaut's face at 384 pixels, on the threads that torch uses. Each move is one message to a
`Session`, timed until the bytes of its JPEG are there: the median and the 95th percentile over
100 moves of each control, in the re-rendered photo (coarse, as while a hand drags, and fine) and
in the view of the mesh. Beside it, in the same run and taking turns with it, what a notebook
with ipywidgets would do: `edit`, `rerender` on the whole photo, and a PNG; its time divided by
the editor's is `ratio`. The target is 80 ms for the coarse re-rendered photo.

Then the same in a browser (`benchmarks/browser_moves.py`); where there is none, what was reported
of it stays, with the commit it was `measured_at`.
"""

import argparse
import io
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from PIL import Image

from benchmarks.browser_moves import TARGET_MS, browser_cases
from benchmarks.common import report, reported, seed
from morphface.edit import Light, edit
from morphface.fit.fitted import FittedPhoto
from morphface.pipelines.photo import fit_photo
from morphface.rerender import rerender
from morphface.ui.session import Session

MOVES = 100
PEER_EVERY = 20
"""The peer makes one move while the editor makes so many."""
CONTROLS: dict[str, tuple[str, float, float]] = {
    "jawOpen": ("expression/jawOpen", 0.0, 1.0),
    "yaw": ("pose/yaw", -20.0, 20.0),
    "gaze": ("gaze/yaw", -25.0, 25.0),
    "light": ("light/yaw", -80.0, 80.0),
    "identity": ("identity/0", -2.0, 2.0),
}
WAYS = {"rendered, coarse": ("rendered", True), "rendered, fine": ("rendered", False)}
WAYS |= {"mesh": ("mesh", True)}


def changes(control: str, value: float) -> dict[str, Any]:
    """The arguments of `edit` for a value of a control."""
    return {
        "jawOpen": {"expression": {"jawOpen": value}},
        "yaw": {"yaw": value},
        "gaze": {"gaze": (value, 0.0)},
        "light": {"light": Light(direction=(value, 0.0))},
        "identity": {"identity": {0: value}},
    }[control]


def naive(found: FittedPhoto, control: str, value: float) -> bytes:
    """The edited photo as a PNG file, from public functions and nothing kept."""
    face = found.faces[0]
    edited = edit(face.parameters, model=face.model, **changes(control, value))
    pixels = rerender(face, found.photo, edited)[0]
    out = io.BytesIO()
    Image.fromarray((pixels * 255).byte().numpy()).save(out, "PNG")
    return out.getvalue()


def took(call: Callable[[], Any]) -> float:
    """Milliseconds of a call."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def case(found: FittedPhoto, control: str, way: str, moves: int) -> dict[str, Any]:
    """One control in one view."""
    view, coarse = WAYS[way]
    key, low, high = CONTROLS[control]
    session = Session.of(found)
    session.handle({"do": "view", "name": view})

    def move(value: float) -> None:
        message = {"do": "set", "control": key, "value": value, "dragging": coarse}
        assert session.handle(message).error is None

    values = [low + (high - low) * (k + 0.5) / moves for k in range(moves)]
    for value in (low, high, low):
        move(value)
    ours, theirs = [], []
    for k, value in enumerate(values):
        ours.append(took(lambda value=value: move(value)))
        if view == "rendered" and k % PEER_EVERY == 0:
            theirs.append(took(lambda value=value: naive(found, control, value)))
    middle = median(ours)
    out = {"case": f"{control}, {way}", "moves": moves, "median_ms": round(middle, 1)}
    out |= {"p95_ms": round(quantiles(ours, n=20)[-1], 1), "min_ms": round(min(ours), 1)}
    if theirs:
        out |= {"naive_ms": round(median(theirs), 1), "ratio": round(median(theirs) / middle, 1)}
    if way == "rendered, coarse":
        out |= {"target_ms": TARGET_MS, "met": middle <= TARGET_MS}
    return out


def main() -> None:
    """Times all controls in all views."""
    parser = argparse.ArgumentParser(description="The speed of the editor.")
    parser.add_argument("--moves", type=int, default=MOVES)
    moves = parser.parse_args().moves
    seed()
    found = fit_photo("sample:astronaut")
    naive(found, "jawOpen", 0.5)  # compiles what is not yet compiled
    cases = [case(found, control, way, moves) for control in CONTROLS for way in WAYS]
    before = reported("editor", lambda case: "in the browser" in case["case"])
    report("editor", cases + (browser_cases(found, moves) or before))


if __name__ == "__main__":
    main()
