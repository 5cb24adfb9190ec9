"""Which cost of pixels brings the nearest faces, where the albedo is not known?

    python -m benchmarks.bench_costs --cache FOLDER [--data FOLDER] [--only COST ...]
        [--share tuning held] [--sets scan ict]

The pictures of `bench_scan`, one photo each: the linear stage, today's cost, and those of
`benchmarks/pixel_costs.py`, in place of today's wherever shape is free or by turns with it. Six
pictures of each set are for choosing; the others say what the choice is worth. The scan is one
man, so that his other pictures are other views and lights, not other people. ICT heads have one
colour of skin all over, which favours costs that trust albedo; the scan has a photographed one.

None was taken: on pictures that had no say, logarithms without their mean, the best of the others
for both sets, leave either farther than today's. Edges as contours were not tried.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import DATA, report, reported, seed
from benchmarks.faces import Face, Places
from benchmarks.fit_shots import placed, save_model
from benchmarks.fitted import Fitted
from benchmarks.measures import remembered
from benchmarks.peers import Ict
from benchmarks.pictures import read_shot, take
from benchmarks.pixel_costs import COSTS, Cost, cost_in_use
from benchmarks.regions import canonical_face, part_of_marks
from benchmarks.subjects import Shot, scan
from benchmarks.tables import Errors, printed, row, split
from morphface.fit import PhotometricSettings, fit_linear, fit_photometric
from morphface.models import MorphableModel, load_model

SETS = {"scan": "scan", "ict": "ICT heads"}
TUNING = {
    "scan": ("0-0", "0-4", "0-7", "1-1", "1-3", "1-5"),
    "ict": ("0-0", "1-0", "2-0", "3-0", "4-0", "5-0"),
}
TODAY = "pixels, colours"
SURER = 60.0  # `independent_patches`: what is without its surroundings' mean shares fewer errors


def tried() -> dict[str, Cost | None]:
    """The product's cost, and all others."""
    found: dict[str, Cost | None] = {TODAY: None}
    for name, cost in COSTS.items():
        found[f"pixels, {name}"] = cost
        found[f"pixels, {name}, by turns"] = replace(cost, alternates=True)
        found[f"pixels, {name}, surer"] = replace(cost, patches=SURER)
    return found


class Trials:
    """Fits of stored pictures, and their errors.

    Args:
        data: the developers' data.
        cache: where pictures and errors are.
    """

    def __init__(self, data: Path, cache: Path) -> None:
        self.model: MorphableModel = load_model()
        self.cache, self.parts = cache, part_of_marks(canonical_face())
        save_model(self.model, cache / "trial" / "model.npz")
        self.fitted, self.ict = Fitted(cache / "trial"), Ict(data / "ict/ict_facekit.npz")
        self.places: Places = self.fitted.places(self.ict)[0]
        self.outer = {
            "ict": torch.from_numpy(self.ict.outer),
            "scan": scan(data / "scans/lee_perry_smith.obj").outer,
        }

    def errors(self, path: Path, cost: Cost | str | None) -> Errors | None:
        """Of one picture; the cost "linear" is none."""
        shot = replace(read_shot(path), outer=self.outer[path.parent.name])
        if shot.landmarks is None:
            return None
        face = self._face(shot, cost)
        return split(remembered(face, shot, self.places, self.cache / "errors"), shot, self.parts)

    def _face(self, shot: Shot, cost: Cost | str | None) -> Face:
        size, focal = shot.photo.size, float(shot.camera.focal)
        start = fit_linear(self.model, shot.landmarks, size=size, focal=focal)
        found: Any = start
        if not isinstance(cost, str):
            with cost_in_use(cost, PhotometricSettings()) as settings:
                found = fit_photometric(self.model, [shot.photo.pixels], [start], settings=settings)
        told = placed(self.model, found.parameters, 0)
        return self.fitted.face(*(told[name] for name in ("vertices", "marks", "neutral")))


def table(
    trials: Trials, paths: dict[str, list[Path]], costs: dict[str, Any], shares: Sequence[str]
) -> None:
    """A row for each cost, set and share, written as soon as it is known."""
    cases: list[dict[str, Any]] = []
    for (name, cost), share, (group, found) in product(costs.items(), shares, paths.items()):
        chosen = [path for path in found if (path.stem in TUNING[group]) == (share == "tuning")]
        told = [trials.errors(path, cost) for path in chosen]
        title = f"{SETS[group]}, {share}, {name}"
        cases.append(row(title, [errors for errors in told if errors], len(chosen)))
        keep(cases)
    print(printed(cases))


def keep(cases: list[dict[str, Any]]) -> None:
    """Writes rows beside the others that are there."""
    done = {case["case"] for case in cases}
    kept = reported("costs", lambda case: case["case"] not in done)
    report("costs", sorted([*kept, *cases], key=lambda case: case["case"]))


def main() -> None:
    """Fit, measure, write the results."""
    chosen = arguments()
    seed()
    paths = {name: take(name, chosen.data, chosen.cache, 20) for name in chosen.sets}
    costs = {"linear stage": "linear"} | tried()
    if chosen.only:
        costs = {name: cost for name, cost in costs.items() if name in chosen.only}
    trials = Trials(chosen.data, chosen.cache)
    table(trials, paths, costs, chosen.share)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, required=True, help="keeps pictures and errors")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    options.add_argument("--only", nargs="+", help="names of costs, as in the table")
    options.add_argument("--share", nargs="+", choices=("tuning", "held"), default=("tuning",))
    return options.parse_args()


if __name__ == "__main__":
    main()
