"""Where do turned heads end, beside those that another renderer photographs?

    python -m benchmarks.turned_outlines [--people N] [--cache FOLDER]

The people of `persons.py`, turned by 15 and 30 degrees, by height and on the side that turns to the
camera (`opens`) or away from it (`shuts`): median of how far ours end beyond theirs, divided by the
sine of the turn. That is about how many millimetres too deep the outline of the photo was believed
(`opens`), or not deep enough by (`shuts`, negative: it lies farther before the plane). The people
with even numbers are those that `rerender/outline.py` was made with.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.bench_views import fitted, similarity
from benchmarks.common import report, seed
from benchmarks.persons import FOCAL, PLACE, SIZE, sitting
from benchmarks.turned_views import Likeness, Turned
from morphface.edit import edit
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.rerender import Rerenderer

ANGLES = (15.0, 30.0)
BANDS = ((60, 140), (20, 60), (-20, 20), (-60, -20), (-100, -60))
"""Heights in the model frame, in millimetres."""
LEAST = 0.3  # difference to what is behind, as a colour, from which there is somebody
FEW = 5  # pixels of a row that are too few to have two ends


def ends(mask: Tensor, rows: range) -> dict[int, tuple[int, int]]:
    """First and last column of a person in rows that show enough of them."""
    found = ((row, np.nonzero(mask[row].numpy())[0]) for row in rows)
    return {row: (int(x[0]), int(x[-1])) for row, x in found if len(x) >= FEW}


def differences(ours: Tensor, theirs: Tensor, yaw: float) -> dict[tuple[str, int], float]:
    """How far ours end beyond theirs, by side and band, in millimetres of depth."""
    millimetres, out = -PLACE[2] / FOCAL, {}
    for band, (low, high) in enumerate(BANDS):
        top, bottom = (int(SIZE / 2 - (y + PLACE[1]) / millimetres) for y in (high, low))
        rows = range(max(top, 0), bottom)
        first, second = ends(ours, rows), ends(theirs, rows)
        both = [(first[row], second[row]) for row in rows if row in first and row in second]
        if not both:
            continue
        left = float(np.median([b[0] - a[0] for a, b in both]))
        right = float(np.median([a[1] - b[1] for a, b in both]))
        scale = millimetres / np.sin(np.radians(abs(yaw)))
        sides = ("shuts", "opens") if yaw < 0 else ("opens", "shuts")
        out |= {(side, band): scale * v for side, v in zip(sides, (left, right), strict=True)}
    return out


def measured(people: int, cache: Path | None) -> list[dict[str, Any]]:
    """A row for each band, for people of even and of odd numbers."""
    fine, coarse = load_model(detail="high"), load_model()
    turned = Turned(fine, coarse, fitted, similarity, Likeness(None), cache)
    magenta = torch.tensor([1.0, 0.0, 1.0]).expand(SIZE, SIZE, 3).contiguous()
    rows: dict[tuple[int, str, int], list[float]] = {}
    with MediaPipeDetector() as detector:
        for number in range(people):
            who = sitting(fine, number)
            image = turned._photograph(who, number, 0.0).image
            found = fitted(coarse, image, detector)
            if found is None:
                continue
            stage = Rerenderer(found, Photo(image), magenta)
            for k, angle in enumerate(ANGLES):
                yaw = angle if (number + k) % 2 else -angle
                picture = stage(edit(found.parameters, model=coarse, yaw=yaw))
                ours = (picture - magenta).abs().amax(-1) > LEAST
                theirs = turned._photograph(who, number, yaw).person
                for (side, band), value in differences(ours, theirs, yaw).items():
                    rows.setdefault((number % 2, side, band), []).append(value)
    return [
        {"case": f"outlines, {'odd' if odd else 'even'} people, {low} to {high} mm"}
        | {
            f"{side}_median_mm": round(float(np.median(rows[odd, side, band])), 1)
            for side in ("opens", "shuts")
        }
        | {"heads": len(rows[odd, "opens", band])}
        for odd in (0, 1)
        for band, (low, high) in enumerate(BANDS)
        if (odd, "opens", band) in rows
    ]


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=20)
    options.add_argument("--cache", type=Path, default=None, help="keeps rendered pictures")
    chosen = options.parse_args()
    seed()
    with torch.no_grad():
        report("outlines", measured(chosen.people, chosen.cache))


if __name__ == "__main__":
    main()
