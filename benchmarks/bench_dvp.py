"""Does the translation network learn a person, and which of its inputs does it need?

    python -m benchmarks.bench_dvp [--work FOLDER] [--sheets FOLDER] [--train NAME ...]

The webcam clip is prepared, and networks are trained on its first 80 % and validated on all of
the last 20 % but the ten frames whose windows look into the first part. Finished runs in the work
folder are used again, others go on where they were, so the script can be ended at any time. From
nothing it takes about an hour on two cores.

- `validation`: frames that the network of 128 pixels makes, beside what simple opponents do
  (`dvp_likeness.py` says what they are). L1, PSNR and SSIM, also over the face alone; the warping
  error follows the head with the flow of its parameters, over what both frames show of it.
- `ablation`: the same at 64 pixels, with other windows and maps; all else, the seed too, is equal.
- `reenactment`: the network of 128 pixels driven by others, see `dvp_reenact.py`.

`--train` only trains the runs it names, so that several can be trained at once.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.common import report, seed
from benchmarks.dvp_likeness import Clip, made_by, opponents
from benchmarks.dvp_reenact import bench_reenact, draw_sheet
from benchmarks.dvp_runs import ABLATIONS, MAIN, Plan, clip, dataset, minutes_of, trained, validated
from morphface.media.images import write_image
from morphface.render.maps import DVP

WORK = Path(os.environ.get("MORPHFACE_BENCH_WORK", tempfile.gettempdir())) / "morphface-bench-dvp"
SHOWN = 8
RIVALS = ("nearest", "nearest, best weights", "pasted")


def clip_of(work: Path, plan: Plan) -> Clip:
    """The clip as a run was trained on it."""
    run, kept = trained(work, plan), validated(trained(work, MAIN))
    first = kept[0] - MAIN.window + 1
    return Clip(dataset(work, plan.size), run, list(range(first)), kept)


def row(case: str, plan: Plan, run: Path, found: dict[str, float]) -> dict[str, Any]:
    """A row of the table about a trained network."""
    return {"case": case, **found, **plan.setting, "minutes": minutes_of(run)}


def bench_validation(work: Path, sheets: Path | None) -> list[dict[str, Any]]:
    """The main run beside its opponents."""
    some = clip_of(work, MAIN)
    made, rivals = made_by(some.run, some.dataset, some.kept), opponents(some)
    own = some.scores(made)
    true = {"warping_error": some.scores(some.pictures("frame", some.kept))["warping_error"]}
    rows = [row("validation: network", MAIN, some.run, {**own, "frames": len(made)})]
    found = {name: some.scores(pictures) for name, (pictures, _) in rivals.items()}
    rows += [
        {"case": f"validation: {name}", **found[name], "how": words}
        for name, (_, words) in rivals.items()
    ]
    rows.append({"case": "validation: true frames", **true})
    met = all(beats(own, found[name]) for name in RIVALS)
    print(f"lower L1, higher PSNR and SSIM than {', '.join(RIVALS)}: {'yes' if met else 'NO'}")
    rows[0]["beats_opponents"] = met
    if sheets is not None:
        shown = {name: rivals[name][0] for name in ("nearest", "pasted")}
        write_sheet(sheets / "validation.png", some, {"made": made}, shown)
    return rows


def beats(own: dict[str, float], other: dict[str, float]) -> bool:
    """Lower L1, higher PSNR and SSIM."""
    lower = own["l1"] < other["l1"]
    return lower and all(own[name] > other[name] for name in ("psnr", "ssim"))


def bench_ablations(work: Path, sheets: Path | None) -> list[dict[str, Any]]:
    """Windows and maps."""
    rows, pictures = [], {}
    for plan in ABLATIONS:
        some = clip_of(work, plan)
        pictures[plan.name] = made_by(some.run, some.dataset, some.kept)
        found = some.scores(pictures[plan.name])
        rows.append(row(f"ablation: {plan.name}", plan, some.run, found))
    if sheets is not None:
        write_sheet(sheets / "ablations.png", clip_of(work, ABLATIONS[0]), pictures, {})
    return rows


def bench_drivers(work: Path, sheets: Path | None) -> list[dict[str, Any]]:
    """The main run driven by others."""
    run = trained(work, MAIN)
    rows = bench_reenact(work, run, validated(run))
    for found in rows if sheets is not None else []:
        name = found["case"].split(": ")[1]
        video = work / f"reenact_{name}-compare.mp4"
        if video.is_file():
            draw_sheet(sheets / f"reenact_{name}.png", video, found["frames"])
    return rows


def write_sheet(path: Path, some: Clip, made: dict[str, Tensor], others: dict[str, Tensor]) -> None:
    """A row for each of some kept frames: its maps, what was made, the true one, others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    places = torch.linspace(0, len(some.kept) - 1, SHOWN).round().long().tolist()
    columns = [some.pictures(name, some.kept) for name in DVP]
    columns += [*made.values(), some.pictures("frame", some.kept), *others.values()]
    rows = [torch.cat([column[place] for column in columns], dim=1) for place in places]
    sheet = torch.cat(rows)
    write_image(path, sheet.repeat_interleave(2, dim=0).repeat_interleave(2, dim=1))
    print(f"{path}: {', '.join([*DVP, *made, 'true', *others])}")


def main() -> None:
    """Reads the options, trains what is missing, measures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--work", type=Path, default=WORK)
    options.add_argument("--sheets", type=Path, default=None)
    options.add_argument("--train", nargs="+", metavar="NAME", default=())
    chosen = options.parse_args()
    clip()
    seed()
    plans = {plan.name: plan for plan in (MAIN, *ABLATIONS)}
    for name in chosen.train:
        trained(chosen.work, plans[name])
    if not chosen.train:
        parts = (bench_validation, bench_ablations, bench_drivers)
        report("dvp", [case for part in parts for case in part(chosen.work, chosen.sheets)])


if __name__ == "__main__":
    main()
