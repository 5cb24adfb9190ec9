"""Does a preparation that is killed again and again come out as if nothing had happened?

    python -m benchmarks.kill_prepare [--kills N] [--frames N]

Eight clips, one of them without a large face, are prepared once undisturbed. Then the same is
begun elsewhere and ended by `kill -9` at random moments of the time that it takes, and begun again,
until so many kills have been dealt; whenever a run gets through, its files are compared with the
undisturbed ones, byte for byte, and another dataset is begun. It takes some minutes.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.clips import FILM, FOLDER, cut, cut_many
from benchmarks.common import SEED, report

OPTIONS = ["--stage", "linear", "--shard-size", "30", "--workers", "2", "--quiet"]


def command(clips: Path, out: Path) -> list[str]:
    """The command that is killed."""
    return [sys.executable, "-m", "morphface", "prepare", str(clips), "-o", str(out), *OPTIONS]


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files."""
    found = [
        {p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()}
        for f in (one, other)
    ]
    return found[0] == found[1]


def main() -> None:
    """Kill, compare and report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--frames", type=int, default=16)
    wishes = options.parse_args()
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = cut_many(folder / "clips", 7, wishes.frames)
        cut(FOLDER / FILM, clips / "film.mp4", 0, wishes.frames)
        began = time.perf_counter()
        code = subprocess.run(command(clips, folder / "whole"), check=False).returncode
        seconds = time.perf_counter() - began
        case = {"case": "kill", "clips": 8, "exit_code": code, "seconds": round(seconds, 1)}
        case |= kill_often(clips, folder, seconds, wishes.kills, chance)
    case["target"] = "20 kills, all datasets identical"
    report("kill_prepare", [case])


def kill_often(
    clips: Path, folder: Path, seconds: float, kills: int, chance: random.Random
) -> dict[str, object]:
    """Deal so many kills; what came of them."""
    dealt, finished, identical, moments = 0, 0, 0, []
    out = folder / "killed"
    while True:
        run = subprocess.Popen(command(clips, out))
        if dealt % 2 and dealt < kills:
            wait_for_work(run, out)
        try:
            run.wait(chance.uniform(0, seconds) if dealt < kills else None)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            dealt += 1
            moments.append(done_of(out))
            print(f"kill {dealt}: {moments[-1]}", flush=True)
            continue
        finished += 1
        identical += same(out, folder / "whole")
        print(f"finished with code {run.returncode}, identical: {identical} of {finished}")
        shutil.rmtree(out)
        if dealt >= kills:
            return {
                "kills": dealt,
                "datasets": finished,
                "identical": identical,
                "killed_with_units_and_shards": moments,
            }


def wait_for_work(run: subprocess.Popen[bytes], out: Path) -> None:
    """Every second kill comes after something is being written, however long starting takes."""
    while run.poll() is None and not list(out.glob(".work/units/*/.*")):
        time.sleep(0.02)


def done_of(out: Path) -> list[int]:
    """Units that were done and shards that were packed when a run was killed."""
    return [len(list(out.rglob("*.outcome"))), len(list(out.glob("shard-*.json")))]


if __name__ == "__main__":
    main()
