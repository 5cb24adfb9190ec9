"""What every benchmark shares: how it times, what it records, where it writes.

A benchmark imports only public names, warms up, runs at least ten times with a fixed seed, and
publishes what it loses beside what it wins. `report` writes one JSON object a case to
`benchmarks/results/<name>.json`. Where two things are compared, their runs take turns, so that
a busy machine slows both.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import torch

SEED = 0
RESULTS = Path(__file__).parent / "results"
DATA = Path(os.environ.get("MORPHFACE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
PACKAGES = ("numpy", "numba", "torch")


def measure(
    calls: Mapping[str, Callable[[], Any]], *, runs: int = 20, warmup: int = 3
) -> dict[str, dict[str, float]]:
    """Milliseconds of each call: median, fastest, and the spread between the quartiles.

    `processor_ms` is the median of what all cores together spent on it, which other programs on
    the machine change little.

    Args:
        calls: what to time, by name; they take turns.
        runs: of each call, after `warmup` runs that do not count.
        warmup: runs before the clock starts; the first compiles.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(warmup + runs):
        for name, call in calls.items():
            _synchronise()
            start, before = time.perf_counter(), time.process_time()
            call()
            _synchronise()
            if turn >= warmup:
                times[name].append((time.perf_counter() - start) * 1e3)
                spent[name].append((time.process_time() - before) * 1e3)
    return {
        name: _summary(values) | {"processor_ms": round(median(spent[name]), 3)}
        for name, values in times.items()
    }


def report(name: str, cases: list[dict[str, Any]]) -> None:
    """Prints the cases, and writes them with this machine to `results/<name>.json`.

    A case that names a machine and a commit, as one that was read from there, keeps its own.
    """
    setting = {"seed": SEED, "machine": machine(), "commit": commit()}
    RESULTS.mkdir(exist_ok=True)
    lines = [json.dumps(case | setting | case, allow_nan=False) for case in cases]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    for case in cases:
        print(json.dumps(case))


def reported(name: str, kept: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Cases that were reported before and are not measured now, with the commit of then.

    Args:
        name: of the results.
        kept: which of their cases.
    """
    path = RESULTS / f"{name}.json"
    cases = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [{"measured_at": case["commit"]} | case for case in cases if kept(case)]


def seed() -> torch.Generator:
    """Seeds numpy and torch, and returns a generator."""
    np.random.seed(SEED)  # noqa: NPY002
    torch.manual_seed(SEED)
    return torch.Generator().manual_seed(SEED)


def machine() -> dict[str, Any]:
    """Processor, its threads in use, how many programs want it, device, and versions."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "device": device,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def commit() -> str:
    """The commit that was measured, with "+" if tracked files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "../morphface")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _summary(values: list[float]) -> dict[str, float]:
    low, _, high = quantiles(values, n=4)
    return {
        "median_ms": round(median(values), 3),
        "min_ms": round(min(values), 3),
        "spread_ms": round(high - low, 3),
        "runs": len(values),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} x {len(names)}" if names else platform.processor()
