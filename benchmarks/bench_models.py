"""How fast are foreign models read, how near are computed landmarks, how good are conversions?

    python -m benchmarks.bench_models --ict PATH/ict_facekit.npz --surrey PATH/sfm_shape_3448.bin

Loading: a model of the Basel Face Models' size (53,133 vertices, 199 + 199 + 100 components, random
values) in three layouts, each read by a process of its own: seconds, and how much memory the
process gains at its peak beside the size of the numbers. The peers read the same file and convert
nothing: h5py, scipy.io.loadmat, and eos-py for the Surrey model.

Landmarks: those computed on ICT-FaceKit, and for comparison what the detector sees on it alone,
against its authors' 68 vertices without the 17 of the jaw line, which slide, and against the map of
MediaPipe's 478 points that comes with the test data. That map was registered by shape, and is
itself good to 1 to 3 mm.

Conversions: 20 random ICT faces, each of the 53 expressions present with probability 0.1, to the
open head and back. The error is the distance from each vertex of the narrow face to the nearest
point of the other surface, both in the camera frame.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
import torch

from benchmarks.common import report, seed
from morphface.geometry.camera import to_camera
from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import embed, measure_embedding
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.tables import MESH_OF_68
from morphface.models import LandmarkEmbedding, MorphableModel, load_model, save_model
from morphface.models.conversion import convert_parameters
from morphface.models.skin import face_vertices, skin_faces
from morphface.parameters import FaceParameters

COLUMNS, ROWS = 199, 267
IDENTITIES, COLOURS, EXPRESSIONS = 199, 199, 100
FACES, NARROW, JAW = 20, 6706, 17
RUNS = 2
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
LAYOUTS = {
    "BFM 2019 (.h5)": ("bfm.h5", "h5py"),
    "BFM 2009 (.mat)": ("bfm.mat", "scipy.io.loadmat"),
    "morphface (.safetensors)": ("bfm.safetensors", "safetensors"),
}


def main() -> None:
    """Measure all, print and store it."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[2] / "shared/data/ict/ict_facekit.npz"
    parser.add_argument("--ict", type=Path, default=default)
    parser.add_argument("--surrey", type=Path, help="sfm_shape_3448.bin of the eos library")
    parser.add_argument("--only", choices=("loading", "landmarks", "conversion"))
    parser.add_argument("--child", nargs=2, metavar=("READER", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(read_once(*arguments.child)))
        return
    if arguments.only in (None, "loading"):
        report("models_loading", loading(arguments.surrey))
    if arguments.only == "loading":
        return
    ict = load_model(arguments.ict)
    embedded = replace(ict, landmarks=embedding(ict))
    if arguments.only in (None, "landmarks"):
        report("models_landmarks", landmark_cases(ict, embedded, arguments.ict))
    if arguments.only in (None, "conversion"):
        report("models_conversion", conversions(embedded))


def loading(surrey: Path | None) -> list[dict[str, Any]]:
    """Reading each layout, beside its peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_models(folder)
        files = {layout: (folder / file, peer) for layout, (file, peer) in LAYOUTS.items()}
        if surrey is not None:
            files["Surrey (.bin)"] = (surrey, "eos")
        return [loading_case(layout, *file) for layout, file in files.items()]


def loading_case(layout: str, path: Path, peer: str) -> dict[str, Any]:
    """The fastest of some runs, which take turns, and the largest gain of memory."""
    runs: dict[str, list[dict[str, float]]] = {"morphface": [], peer: []}
    for _ in range(RUNS):
        for reader, found in runs.items():
            found.append(child(reader, path))
    size = runs["morphface"][0]["numbers_mib"]
    case = {"case": f"load {layout}", "peer": peer, "file_mib": mib(path.stat().st_size)}
    for reader, found in runs.items():
        kind = "morphface" if reader == "morphface" else "peer"
        peak = max(run["peak_mib"] for run in found)
        case[f"{kind}_s"] = min(run["seconds"] for run in found)
        case[f"{kind}_peak_mib"] = peak
    return case | {
        "numbers_mib": size,
        "peak_to_numbers": round(case["morphface_peak_mib"] / size, 2),
        "time_to_peer": round(case["morphface_s"] / case["peer_s"], 2),
    }


def child(reader: str, path: Path) -> dict[str, float]:
    """`read_once` in a fresh process, in which freed blocks go back to the system at once."""
    command = [sys.executable, "-m", "benchmarks.bench_models", "--child", reader, str(path)]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], env=environment, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def read_once(reader: str, path: str) -> dict[str, float]:
    """Seconds and the peak of memory that one reading takes, modules imported before."""
    read = reader_of(reader)
    before = memory("VmRSS")
    RESET.write_text("5")
    start = time.perf_counter()
    kept = read(path)
    seconds = time.perf_counter() - start
    numbers = size_of(kept) if isinstance(kept, MorphableModel) else 0
    return {
        "seconds": round(seconds, 4),
        "peak_mib": round((memory("VmHWM") - before) / 1024, 1),
        "numbers_mib": mib(numbers),
    }


def reader_of(name: str) -> Callable[[str], Any]:
    """What reads a file; everything it imports is imported."""
    if name == "eos":
        import eos

        return eos.morphablemodel.load_model
    if name == "safetensors":
        from safetensors.torch import load_file

        return load_file
    if name == "scipy.io.loadmat":
        return scipy.io.loadmat
    if name == "h5py":
        return read_all
    from morphface.models.readers import READERS, import_module

    for module in READERS:
        import_module(f"morphface.models.readers.{module}")
    return load_model


def read_all(path: str) -> dict[str, np.ndarray]:
    """Every dataset of an HDF5 file."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def size_of(model: MorphableModel) -> int:
    """Bytes of the model's bases and means."""
    bases = [model.identity, model.expression, model.reflectance]
    tensors = [v for basis in bases if basis for v in vars(basis).values() if hasattr(v, "nbytes")]
    return sum(tensor.nbytes for tensor in tensors)


def memory(name: str) -> int:
    """KiB of this process."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith(name))
    return int(line.split()[1])


def mib(size: float) -> float:
    """Of bytes."""
    return round(size / 2**20, 1)


def write_models(folder: Path) -> None:
    """The same random model in the layouts of `LAYOUTS`."""
    rng = np.random.default_rng(0)
    mean, faces = shell()
    ranks = {"shape": IDENTITIES, "color": COLOURS, "expression": EXPRESSIONS}
    bases = {
        part: rng.standard_normal((mean.size, rank), np.float32) / np.float32(np.sqrt(mean.size))
        for part, rank in ranks.items()
    }
    tone = np.full_like(mean, 0.5)
    with h5py.File(folder / "bfm.h5", "w") as file:
        for part, basis in bases.items():
            group = file.create_group(part)
            group["model/mean"] = {"shape": mean, "color": tone}.get(part, 0 * mean).ravel()
            group["model/pcaBasis"] = basis
            group["model/pcaVariance"] = np.linspace(9, 1, basis.shape[1], dtype=np.float32)
            group["model/noiseVariance"] = np.zeros(1, np.float32)
            group["representer/points"], group["representer/cells"] = mean.T, faces.T
            group["version/majorVersion"], group["version/minorVersion"] = np.int32(0), np.int32(9)
        file["metadata/landmarks/json"] = np.bytes_(json.dumps(eye_corners(mean)))
    deviations = {name: np.ones((rank, 1), np.float32) for name, rank in ranks.items()}
    arrays = {
        "shapeMU": mean.reshape(-1, 1) * 1000,
        "shapePC": bases["shape"],
        "shapeEV": deviations["shape"] * 1000,
        "texMU": tone.reshape(-1, 1) * 255,
        "texPC": bases["color"],
        "texEV": deviations["color"],
        "tl": (faces[:, ::-1] + 1).astype(np.float64),
        "segbin": np.zeros((len(mean), 4), np.uint8),
    }
    scipy.io.savemat(folder / "bfm.mat", arrays)
    save_model(load_model(folder / "bfm.h5"), folder / "bfm.safetensors")


def shell() -> tuple[np.ndarray, np.ndarray]:
    """A bent sheet as large as a face: vertices in millimetres, and triangles."""
    x, y = np.meshgrid(np.linspace(-75, 75, COLUMNS), np.linspace(-110, 80, ROWS))
    z = 130 - 50 * (x / 75) ** 2 - 60 * ((y + 10) / 110) ** 2
    index = np.arange(COLUMNS * ROWS).reshape(ROWS, COLUMNS)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), faces.astype(np.int32)


def eye_corners(mean: np.ndarray) -> list[dict[str, Any]]:
    """Landmarks of the eyes, as Scalismo stores them."""
    places = {"right.outer": -45, "right.inner": -15, "left.inner": 15, "left.outer": 45}
    found = []
    for name, x in places.items():
        side, corner = name.split(".")
        nearest = np.abs(mean[:, :2] - [x, 20]).sum(1).argmin()
        where = mean[nearest].tolist()
        found.append({"id": f"{side}.eye.corner_{corner}", "coordinates": where})
    return found


def embedding(model: MorphableModel) -> dict[str, LandmarkEmbedding]:
    """The 478 points, computed."""
    with MediaPipeDetector() as detector:
        found = embed(model, detector)
    order = torch.tensor(MESH_OF_68)
    return {"478": found, "68": found.map(lambda values: values[order])}


def landmark_cases(
    model: MorphableModel, embedded: MorphableModel, path: Path
) -> list[dict[str, Any]]:
    """Computed and detected landmarks beside the authors' own and the map of the test data."""
    with MediaPipeDetector() as detector:
        seen = measure_embedding(model, detector)[0]
    cases = []
    for how, each in (("", embedded.landmarks["478"]), ("detected alone, ", seen)):
        cases += landmark_errors(how, each, model, path)
    return cases


def landmark_errors(
    how: str, embedding: LandmarkEmbedding, model: MorphableModel, path: Path
) -> list[dict[str, Any]]:
    """Of one embedding."""
    mean = model.identity.mean
    found, own = embedding.points(mean), model.landmarks["68"].points(mean)
    apart = (found[list(MESH_OF_68)] - own)[JAW:]
    cases = [distances(f"{how}68 without jaw line, to the authors' vertices", apart)]
    mapped = path.with_name("mediapipe478_to_ict.npz")
    if mapped.is_file():
        with np.load(mapped) as data:
            corners = mean[torch.from_numpy(data["triangles"]).long()]
            weights = torch.from_numpy(data["barycentric"]).float()
        there = (weights[..., None] * corners).sum(-2)
        cases.append(distances(f"{how}478, to mediapipe478_to_ict.npz", found - there))
    return cases


def distances(name: str, offsets: torch.Tensor) -> dict[str, Any]:
    """Median and 90th percentile of their lengths."""
    length = offsets.norm(dim=-1)
    return {
        "case": f"landmarks: {name}",
        "points": len(length),
        "median_mm": round(length.median().item(), 2),
        "p90_mm": round(length.quantile(0.9).item(), 2),
    }


def conversions(ict: MorphableModel) -> list[dict[str, Any]]:
    """Errors of both ways over the random faces."""
    rng, head = seed(), load_model()
    there, back, round_trip, seconds = [], [], [], []
    first = time.perf_counter()
    narrow = torch.arange(NARROW)
    for _ in range(FACES):
        face = random_face(ict, rng)
        start = time.perf_counter()
        converted = convert_parameters(face, ict, head).parameters
        seconds.append(time.perf_counter() - start)
        returned = convert_parameters(converted, head, ict).parameters
        seen = {
            "ict": posed(ict, face),
            "head": posed(head, converted),
            "again": posed(ict, returned),
        }
        on_head = torch.nonzero(face_vertices(head, "478"))[:, 0]
        there.append(surface_distance(seen["ict"][narrow], seen["head"], head))
        back.append(surface_distance(seen["head"][on_head], seen["again"], ict))
        round_trip.append((seen["ict"] - seen["again"])[narrow].norm(dim=-1))
    return [
        errors("ICT to the open head", there)
        | {"seconds_each": round(float(np.median(seconds)), 2)},
        errors("the open head back to ICT", back),
        errors("ICT to the open head and back, vertex to vertex", round_trip)
        | {"seconds_in_all": round(time.perf_counter() - first, 1)},
    ]


def random_face(model: MorphableModel, rng: torch.Generator) -> FaceParameters:
    """A person of N(0, 1) coefficients with a few expressions."""
    count = model.expression.rank
    present = torch.rand(1, count, generator=rng) < 0.1
    neutral = FaceParameters.neutral(identity=model.identity.rank, expression=count, reflectance=0)
    return replace(
        neutral,
        identity=torch.randn(1, model.identity.rank, generator=rng),
        expression=present * torch.rand(1, count, generator=rng),
    )


def posed(model: MorphableModel, face: FaceParameters) -> torch.Tensor:
    """Vertices in the camera frame."""
    vertices = model.vertices(face.identity, face.expression)
    return to_camera(vertices, face.rotation, face.translation)[0]


def surface_distance(
    points: torch.Tensor, vertices: torch.Tensor, model: MorphableModel
) -> torch.Tensor:
    """From points to the skin of a posed model."""
    faces = model.faces[skin_faces(model)]
    face, weights = closest_on_mesh(points, vertices, faces, candidates=16)
    return ((weights[..., None] * vertices[faces[face]]).sum(-2) - points).norm(dim=-1)


def errors(name: str, found: list[torch.Tensor]) -> dict[str, Any]:
    """The median over faces of each face's median, its worst, and the mean."""
    medians = torch.stack([each.median() for each in found])
    return {
        "case": f"conversion: {name}",
        "faces": len(found),
        "median_mm": round(medians.median().item(), 3),
        "worst_face_median_mm": round(medians.max().item(), 3),
        "mean_mm": round(torch.stack([each.mean() for each in found]).mean().item(), 3),
    }


if __name__ == "__main__":
    main()
