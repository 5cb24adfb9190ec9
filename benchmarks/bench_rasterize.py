"""How fast is a differentiable picture of a head on a CPU, beside its peers?

    python -m benchmarks.bench_rasterize [--quick]

`forward` is visibility: face, weights and depth of every pixel. `backward` is a picture and its
gradient: `paint` of three channels with its outlines blended, then a given gradient of the picture
taken back to the screen positions and the colours of all vertices. `backward_apart` is the same by
`rasterize`, `interpolate` and `antialias`, one after the other.

Peers in the same run, each left out with a message where it is not installed:

- `embree`: primary rays through `embreex`, forward only, its hierarchy built before the clock;
  `embree_threads` splits them among as many Python threads. The faster of both counts.
- `mitsuba`: its LLVM backend, `direct_projective` at one sample a pixel, positions only. Wants
  `DRJIT_LIBLLVM_PATH`.
- `pytorch3d`: on its CPU path every pixel tests every face. One run of small cases; larger ones
  are estimates, by that law, and are named so.
- `drtk`: the CPU kernels of Meta's DRTK, forward only, built from its public source (the name on
  PyPI is another project's).
- `loop`: the plain z-buffer loop in numba, on as many threads, forward only.

The second kind of mesh is a sphere by latitude and longitude, whose faces are thin.

Whatever is compared takes turns. Then: does cost grow with pixels plus faces, or with their
product; how long is a first call; how much memory is needed.
"""

import argparse
import os
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch

from benchmarks import peers_rasterize as peers
from benchmarks.common import measure, report, seed
from benchmarks.fresh_rasterize import first_calls, peak_memory
from benchmarks.peers_rasterize import COVER, Absent, Call, Scene
from benchmarks.rasterize_calls import backward, forward, heads
from morphface.render import rasterize

MESHES = ("5k", "20k", "35k", "53k", "sphere")
SIDES = (256, 512, 1024)
BATCHES = (1, 8)
TARGET = ("35k", 512, 1)
AIMS = {
    "forward_ms": 4,
    "backward_ms": 9,
    "loop_ratio": 2,
    "sphere_loop_ratio": 2,
    "embree_ratio": 1,
    "mitsuba_backward_ratio": 10,
    "pytorch3d_estimated_ratio": 1000,
}

Case = dict[str, Any]


def case(name: str, scene: Scene, batch: int, runs: int, chosen: tuple[str, ...]) -> Case:
    """Ours, and the `chosen` peers, on one head at one size."""
    fragments = rasterize(scene.screen, scene.faces, (scene.side, scene.side))
    found: Case = {
        "case": f"{name}@{scene.side}x{batch}",
        "vertices": len(scene.points),
        "faces": len(scene.faces),
        "covered": int(fragments.mask.sum()),
        "load": round(os.getloadavg()[0], 1),
    }
    calls = {"forward": forward(scene, batch), "backward": backward(scene, batch)}
    calls["backward_apart"] = backward(scene, batch, apart=True)
    if "loop" in chosen:
        calls["loop"] = peers.plain_loop(scene)
    if "embree" in chosen:
        calls |= asked(peers.embree, scene) | asked(peers.drtk, scene)
    for peer in ("loop", "embree"):
        if peer in calls:
            agree = calls[peer]().reshape(scene.side, scene.side) == fragments.face[0].numpy()
            found[f"{peer}_agreement"] = round(float(agree.mean()), 5)
    times = measure(calls, runs=runs)
    for peer in ("loop", "embree"):
        if peer in calls:
            fastest = min((times[name] for name in times if name.startswith(peer)), key=median_ms)
            found[f"{peer}_ratio"] = ratio(fastest, times["forward"])
    if "drtk" in times:
        found["drtk_ratio"] = ratio(times["drtk"], times["forward"])
    return found | times | (beside_mitsuba(scene, runs) if "mitsuba" in chosen else {})


def beside_mitsuba(scene: Scene, runs: int) -> Case:
    """Mitsuba takes turns with ours alone, as its threads slow down short calls.

    Both give the gradient by positions only.
    """
    slow = asked(peers.mitsuba, scene)
    if not slow:
        return {}
    ours = {"ours": forward(scene, 1), "ours_backward": backward(scene, 1, painted=False)}
    times = measure(slow | ours, runs=max(10, runs // 2), warmup=2)
    return {
        **{name: times[name] for name in ("mitsuba", "mitsuba_backward", "ours_backward")},
        "mitsuba_ratio": ratio(times["mitsuba"], times["ours"]),
        "mitsuba_backward_ratio": ratio(times["mitsuba_backward"], times["ours_backward"]),
    }


def beside_pytorch3d(scenes: list[Scene], target: Scene) -> list[Case]:
    """PyTorch3D once on each of `scenes`, and what that foretells for `target`."""
    rows = [row for scene in scenes if (row := once(scene))]
    if not rows:
        return []
    ours = measure({"forward": forward(target, 1), "backward": backward(target, 1)}, runs=20)
    grown = tests(target) / rows[-1]["tests"]
    foretold: Case = {"case": "pytorch3d_estimate", "estimate": True, "tests": tests(target)}
    for kind in ("forward", "backward"):
        foretold[f"{kind}_ms"] = round(rows[-1][f"{kind}_ms"] * grown)
        foretold[f"{kind}_ratio"] = round(foretold[f"{kind}_ms"] / ours[kind]["median_ms"])
    return [*rows, foretold]


def tests(scene: Scene) -> int:
    """How many pairs of a pixel and a face there are."""
    return scene.side**2 * len(scene.faces)


def once(scene: Scene) -> Case:
    """One run of PyTorch3D, and ours on the same scene."""
    slow = asked(peers.pytorch3d, scene)
    if not slow:
        return {}
    ours = measure({"forward": forward(scene, 1), "backward": backward(scene, 1)}, runs=20)
    row: Case = {"case": f"pytorch3d_{len(scene.faces)}@{scene.side}", "tests": tests(scene)}
    for kind, peer in (("forward", "pytorch3d"), ("backward", "pytorch3d_backward")):
        start = time.perf_counter()
        slow[peer]()
        row[f"{kind}_ms"] = round((time.perf_counter() - start) * 1e3)
        row[f"{kind}_ratio"] = round(row[f"{kind}_ms"] / ours[kind]["median_ms"])
    return row


_told: set[str] = set()


def asked(peer: Callable[[Scene], dict[str, Call]], scene: Scene) -> dict[str, Call]:
    """The calls of a peer; none, and a message the first time, where it is absent."""
    try:
        return peer(scene)
    except Absent as reason:
        if peer.__name__ not in _told:
            print(f"skipped {peer.__name__}: {reason}")
            _told.add(peer.__name__)
        return {}


def median_ms(times: dict[str, float]) -> float:
    """Of one call."""
    return times["median_ms"]


def ratio(peer: dict[str, float], ours: dict[str, float]) -> float:
    """How many times longer the peer takes."""
    return round(median_ms(peer) / median_ms(ours), 2)


def verdict(cases: list[Case]) -> Case:
    """What was aimed at, and what was reached: milliseconds at most, ratios at least."""
    known = {row["case"]: row for row in cases}
    head = known["{}@{}x{}".format(*TARGET)]
    estimate = known.get("pytorch3d_estimate", {})
    reached = {
        "forward_ms": head["forward"]["median_ms"],
        "backward_ms": head["backward"]["median_ms"],
        "loop_ratio": head.get("loop_ratio"),
        "sphere_loop_ratio": known.get("sphere@512x1", {}).get("loop_ratio"),
        "embree_ratio": head.get("embree_ratio"),
        "mitsuba_backward_ratio": head.get("mitsuba_backward_ratio"),
        "pytorch3d_estimated_ratio": estimate.get("backward_ratio"),
    }
    return {"case": "targets", "head": head["case"], "aims": AIMS, "reached": reached}


def growth(scenes: dict[str, list[Scene]]) -> list[Case]:
    """Processor time of one thread; by a + b covered pixels + c faces, and a + b pixels x faces.

    Prints a row for each mesh and a column for each side.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for kind, make in (("forward", forward), ("backward", backward)):
        print(f"{kind}, one thread, processor ms")
        spent = []
        for name, row in scenes.items():
            spent.append([processor_ms(make(scene, 1)) for scene in row])
            cells = (f"{row[k].side}: {ms:7.2f}" for k, ms in enumerate(spent[-1]))
            print(f"  {name:4} {len(row[0].faces):7} faces  ", "  ".join(cells))
        rows.append({"case": f"growth_{kind}", "one_thread_ms": spent, **laws(spent, scenes)})
    torch.set_num_threads(threads)
    return rows


def processor_ms(call: Call) -> float:
    """The least of ten runs; load on the machine disturbs it less than the time on the wall."""
    call()
    spent = []
    for _ in range(10):
        start = time.process_time()
        call()
        spent.append((time.process_time() - start) * 1e3)
    return round(min(spent), 3)


def laws(spent: list[list[float]], scenes: dict[str, list[Scene]]) -> Case:
    """How well the sum and the product of covered pixels and faces foretell the cost."""
    every = [scene for row in scenes.values() for scene in row]
    covered = np.array([COVER * scene.side**2 for scene in every])
    faces = np.array([len(scene.faces) for scene in every], dtype=float)
    cost = np.array(spent).ravel()
    (_, pixel, face), off_sum = _fitted(cost, covered, faces)
    _, off_product = _fitted(cost, covered * faces)
    return {
        "ns_per_covered_pixel": round(float(pixel) * 1e6, 2),
        "ns_per_face": round(float(face) * 1e6, 2),
        "worst_error_of_sum": round(off_sum, 3),
        "worst_error_of_product": round(off_product, 3),
    }


def _fitted(spent: np.ndarray, *causes: np.ndarray) -> tuple[np.ndarray, float]:
    """Least squares of relative errors; the coefficients and the worst relative error."""
    design = np.stack([np.ones_like(spent), *causes], axis=1) / spent[:, None]
    solution = np.linalg.lstsq(design, np.ones_like(spent), rcond=None)[0]
    return solution, float(np.abs(design @ solution - 1).max())


def chosen_peers(name: str, side: int, batch: int) -> tuple[str, ...]:
    """Mitsuba's larger pictures take seconds a run, so only the head of the target has them."""
    if batch > 1:
        return ()
    slow = side < 1024 or name == TARGET[0]
    return ("loop", "embree", *(("mitsuba",) if slow else ()))


def main(*, quick: bool) -> None:
    """Everything, or the target alone."""
    seed()
    names, sides, batches = ((x,) for x in TARGET) if quick else (MESHES, SIDES, BATCHES)
    found, runs = heads({*names, "5k"}), 10 if quick else 20
    scenes = {name: [Scene.of(*found[name], side) for side in sides] for name in names}
    cases = []
    for (name, row), batch in product(scenes.items(), batches):
        for scene in row:
            few = 10 if scene.side**2 * batch > 1e6 else runs
            cases.append(case(name, scene, batch, few, chosen_peers(name, scene.side, batch)))
            print(cases[-1])
    small = [Scene.of(*found["5k"], side) for side in ((64,) if quick else (128, 256))]
    extra = beside_pytorch3d(small, Scene.of(*found[TARGET[0]], TARGET[1]))
    extra += [] if quick else growth({name: scenes[name] for name in scenes if name != "sphere"})
    extra += [verdict(cases + extra), {"case": "first_call", **first_calls()}]
    for batch in batches:
        memory = peak_memory(TARGET[0], TARGET[1], batch, torch.get_num_threads())
        extra.append({"case": f"peak_memory_{TARGET[0]}@{TARGET[1]}x{batch}", **memory})
    if quick:
        print(*extra, sep="\n")
    else:
        report("rasterize", cases + extra)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="the head of the target alone, only printed"
    )
    main(quick=parser.parse_args().quick)
