"""What `bench_rasterize` measures in processes of their own: first calls, and peak memory."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def first_calls() -> dict[str, Any]:
    """Seconds until the first picture and its gradient, with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        cold, cached = (_child("first", NUMBA_CACHE_DIR=folder) for _ in range(2))
    return {"cold": cold, "cached": cached}


def peak_memory(mesh: str, side: int, batch: int, threads: int) -> dict[str, Any]:
    """MiB that a process gains at its peak, above what it holds before it renders.

    Large blocks that are freed go back to the system at once, so that none is hidden.
    """
    arguments = "peak", mesh, str(side), str(batch), str(threads)
    return _child(*arguments, MALLOC_MMAP_THRESHOLD_="65536")


def _child(*arguments: str, **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.fresh_rasterize", *arguments]
    root, variables = Path(__file__).parents[1], {**os.environ, **environment}
    done = subprocess.run(command, cwd=root, env=variables, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _first() -> dict[str, float]:
    clock = _Clock()
    from benchmarks.rasterize_calls import backward, forward, small_scene

    scene = small_scene()
    return (
        clock.lap("import")
        | clock.lap("forward", forward(scene, 1))
        | clock.lap("backward", backward(scene, 1))
    )


class _Clock:
    """Seconds since the last lap, on the wall and of the processor, which load disturbs less."""

    def __init__(self) -> None:
        self.last = time.perf_counter(), time.process_time()

    def lap(self, name: str, call: Any = None) -> dict[str, float]:
        if call is not None:
            call()
        now = time.perf_counter(), time.process_time()
        wall, processor = (one - other for one, other in zip(now, self.last, strict=True))
        self.last = now
        return {f"{name}_s": round(wall, 2), f"{name}_cpu_s": round(processor, 2)}


def _peak(mesh: str, side: str, batch: str, threads: str) -> dict[str, float]:
    import torch

    from benchmarks.peers_rasterize import Scene
    from benchmarks.rasterize_calls import backward, forward, heads, small_scene

    torch.set_num_threads(int(threads))
    backward(small_scene(), 1)()
    scene = Scene.of(*heads((mesh,))[mesh], int(side))
    return {
        "forward_mib": _gain(forward(scene, int(batch))),
        "backward_mib": _gain(backward(scene, int(batch))),
    }


def _gain(call: Any) -> float:
    before = _resident("VmRSS")
    RESET.write_text("5")  # the peak starts anew
    kept = call()
    peak = _resident("VmHWM")
    del kept
    return round(peak - before, 1)


def _resident(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())
    if found is None:
        raise RuntimeError(f"{STATUS} has no {field}")
    return int(found[1]) / 1024


if __name__ == "__main__":
    kind, *given = sys.argv[1:]
    print(json.dumps({"first": _first, "peak": _peak}[kind](*given)))
