"""How fast are conditioning maps, and the transfer of a sequence, on a CPU?

    python -m benchmarks.bench_maps

Maps are made of the open head at 256 pixels, from parameters: the model, the projection, one
visibility pass, and every map. `one` is a frame alone, `batch` a frame of 32. The case "nine" is
the condition of Deep Video Portraits (diffuse, correspondence, gaze); `parts` says what each map
costs beyond the geometry.

Peers in the same run, each left out with a message where it is not installed:

- `sim3dr`: the C renderer of 3DDFA_V2, PNCC and a lit face in 8 bits, one thread. It is given the
  projected vertices, makes six channels and no gaze; ours evaluates the model, too. Wants its
  folder on the path (`Sim3DR`, built by its own `setup.py`).
- `pytorch3d`: one visibility pass at 64 pixels on its CPU path, whose cost is pixels times faces;
  what that makes at 256 is an estimate, and is named so.

Transfer is that of `transfer_calls.py`.
"""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch

from benchmarks import peers_rasterize as peers
from benchmarks import transfer_calls
from benchmarks.common import measure, report, seed
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render.flow import flow_of_parameters
from morphface.render.maps import DVP, MAP_NAMES, correspondence_code, render_maps
from morphface.render.maps.scene import posed

SIDE, FRAMES = 256, 32
TARGET_MS = 15.0
CAMERA = Camera.facing((SIDE, SIDE), focal=560.0)

Case = dict[str, Any]


def sequence(model: MorphableModel, frames: int) -> FaceParameters:
    """A person who moves, talks and looks around."""
    rng = seed()

    def draw(*shape: int, scale: float) -> torch.Tensor:
        return torch.randn(*shape, generator=rng) * scale

    return FaceParameters(
        identity=draw(1, model.identity.rank, scale=1.0),
        expression=draw(frames, model.expression.rank, scale=0.25).clamp(0, 1),
        reflectance=draw(1, 80, scale=1.0),
        illumination=draw(frames, 9, 3, scale=0.1),
        rotation=draw(frames, 3, scale=0.2),
        translation=torch.tensor([0.0, 0.0, -600.0]) + draw(frames, 3, scale=8.0),
        gaze=draw(frames, 2, 2, scale=0.15),
    )


def speed(model: MorphableModel) -> list[Case]:
    """Milliseconds a frame of sets of maps, alone and in a batch."""
    alone, many = sequence(model, 1), sequence(model, FRAMES)
    sets = {"nine": DVP, "six": DVP[:2], "all": MAP_NAMES}
    rows = []
    for name, names in sets.items():
        times = measure({"one": lambda n=names: render_maps(model, alone, CAMERA, n)}, runs=40)
        batch = measure({"batch": lambda n=names: render_maps(model, many, CAMERA, n)}, runs=10)
        times["batch"] = {
            key: value if key == "runs" else round(value / FRAMES, 3)
            for key, value in batch["batch"].items()
        }
        rows.append({"case": f"maps_{name}@{SIDE}", "maps": names, **times})
    return rows


def parts(model: MorphableModel) -> Case:
    """What each map costs beyond one of the mask alone, and the flow between two frames."""
    alone, other = sequence(model, 1), sequence(model, 2)[1]
    calls: dict[str, Callable[[], Any]] = {
        name: lambda name=name: render_maps(model, alone, CAMERA, (name,)) for name in MAP_NAMES
    }
    calls["flow"] = lambda: flow_of_parameters(model, alone, other, CAMERA)
    times = {name: row["median_ms"] for name, row in measure(calls, runs=10).items()}
    least = times["mask"]
    beyond = {name: round(ms - least, 2) for name, ms in times.items() if name != "mask"}
    return {"case": f"parts@{SIDE}", "mask_ms": least, "beyond_ms": beyond}


def sim3dr(model: MorphableModel, face: FaceParameters) -> Callable[[], Any] | None:
    """PNCC and a lit face of the same vertices, as 3DDFA_V2 draws them."""
    try:
        renderer = import_module("Sim3DR")
    except ImportError as reason:
        print(f"skipped sim3dr: {reason}")
        return None
    screen = CAMERA.project(posed(model, face))[0]
    points = (screen * torch.tensor([1.0, 1.0, -1.0])).numpy().copy()
    faces = model.faces.numpy().astype(np.int32)
    code = correspondence_code(model).numpy().copy()
    albedo = model.albedo(face.reflectance)[0].numpy()
    lit = renderer.RenderPipeline()

    def both() -> tuple[np.ndarray, np.ndarray]:
        blank = np.zeros((SIDE, SIDE, 3), np.uint8)
        pncc = renderer.rasterize(points, faces, code, bg=blank)
        return pncc, lit(points, faces, np.zeros_like(blank), texture=albedo.copy())

    same = (both()[0] > 0).any(-1)
    ours = render_maps(model, face, CAMERA, ("mask",))["mask"][0, ..., 0].numpy() > 0
    print(f"sim3dr covers the same pixels: {(same == ours).mean():.4f}")
    return both


def beside_sim3dr(model: MorphableModel) -> list[Case]:
    """Six channels of one frame each, taking turns."""
    face = sequence(model, 1)
    peer = sim3dr(model, face)
    if peer is None:
        return []
    calls = {
        "ours": lambda: render_maps(model, face, CAMERA, DVP[:2]),
        "ours_with_gaze": lambda: render_maps(model, face, CAMERA),
        "sim3dr": peer,
    }
    times = measure(calls, runs=40)
    ratio = times["sim3dr"]["median_ms"] / times["ours"]["median_ms"]
    return [{"case": f"beside_sim3dr@{SIDE}", "sim3dr_ratio": round(ratio, 2), **times}]


def beside_pytorch3d(model: MorphableModel) -> list[Case]:
    """One visibility pass of PyTorch3D at a quarter of the side, and what it makes at the whole."""
    face = sequence(model, 1)
    scene = peers.Scene.of(posed(model, face)[0], model.faces, SIDE // 4)
    try:
        call = peers.pytorch3d(scene)["pytorch3d"]
    except peers.Absent as reason:
        print(f"skipped pytorch3d: {reason}")
        return []
    start = time.perf_counter()
    call()
    spent = (time.perf_counter() - start) * 1e3
    ours = measure({"nine": lambda: render_maps(model, face, CAMERA)}, runs=20)["nine"]
    foretold = round(16 * spent)
    return [
        {
            "case": f"pytorch3d_estimate@{SIDE}",
            "estimate": True,
            "measured_at": SIDE // 4,
            "measured_ms": round(spent, 1),
            "foretold_ms": foretold,
            "pytorch3d_ratio": round(foretold / ours["median_ms"], 1),
            "nine": ours,
        }
    ]


def main() -> None:
    """Maps, their peers, and transfer."""
    seed()
    model = load_model("open-head")
    cases = speed(model)
    cases += [parts(model), *beside_sim3dr(model), *beside_pytorch3d(model)]
    cases += transfer_calls.cases()
    nine = cases[0]
    reached = {kind: nine[kind]["median_ms"] for kind in ("one", "batch")}
    cases.append({"case": "targets", "nine_channels_at_most_ms": TARGET_MS, "reached_ms": reached})
    report("maps", cases)


if __name__ == "__main__":
    main()
