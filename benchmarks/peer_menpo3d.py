"""menpo3d's Lucas-Kanade fit, the peer of `bench_fit` that fits pixels without a GPU.

Both fit the Surrey face model of 3,448 vertices to the sample photo, from the same landmarks.
It runs in an interpreter of its own, as it needs numpy before 2:

    pip install "numpy<2" "scipy<1.13" "setuptools<70" "opencv-python-headless<4.12" cython wheel
    pip install --no-build-isolation menpo menpo3d

Its compiled rasterizer also asks for the `long` of Python 2; a file `long.pth` with the line
`import builtins; builtins.long = int` in the folder site-packages gives it.

It runs twice: with weights that follow the pixels, and with those it has by default, which follow
the landmarks. In 0.8.6 the landmarks' part of the gradient of shape and pose replaces the pixels'
instead of being added, so that pixels steer little but texture.

What is not equal: the file has no colours, so menpo3d gets skin of one albedo with four slopes,
and we the reflectance of the open head and spherical harmonics. It solves for identity, texture
and pose with a focal length that it is given, from 1,000 pixels a step, on all threads; we for all
there is, on one. Our time holds the linear stage and all that `fit_photometric` does, and an
iteration is its share of that; neither holds the detector. Landmarks are the same; the difference
of colour is over all that the face covers for menpo3d, and over what is not hidden for us.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import measure
from benchmarks.peers_rasterize import Absent
from morphface.fit import FitResult, fit_linear, fit_photometric
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.schemes import to_scheme
from morphface.media.images import Photo, read_image
from morphface.models import MorphableModel, load_model

SCRIPT = Path(__file__).with_name("menpo3d_fit.py")
HOW = "see benchmarks/peer_menpo3d.py"


def bench_menpo3d(runs: int) -> list[dict[str, Any]]:
    """menpo3d and us on one model and photo, and the ratios.

    Args:
        runs: of our fit.

    Raises:
        Absent: menpo3d or its model is not provided, or does not run.
    """
    share, python = provided()
    model = load_model(share / "sfm_shape_3448.bin")
    photo = read_image("sample:astronaut")
    with MediaPipeDetector() as detector:
        marks = to_scheme(detector.detect(photo)[0], "68")
    start = fit_linear(model, marks, size=photo.size)
    theirs = menpo3d(python, model, photo, start)
    ours = our_fit(model, photo, start, runs)
    rows = theirs | {"menpo3d, ours": ours}
    rows |= {f"{name}, ratio": ratios(row, ours) for name, row in theirs.items()}
    return [
        {"case": name} | {key: round(value, 4) for key, value in row.items()}
        for name, row in rows.items()
    ]


def ratios(theirs: dict[str, float], ours: dict[str, float]) -> dict[str, float]:
    """How many times more menpo3d has of what should be small; below 1 we lose."""
    names = "median_ms", "min_ms", "ms_per_iteration", "landmark_nme", "photometric_rmse"
    return {f"{name}_ratio": theirs[name] / ours[name] for name in names}


def provided() -> tuple[Path, str]:
    """The folder with the model, and the interpreter that has menpo3d."""
    source, python = (os.environ.get(name) for name in ("PEERS_SRC", "MENPO3D_PYTHON"))
    if not source or not python:
        raise Absent(
            "set PEERS_SRC to a folder that holds eos/share, and MENPO3D_PYTHON to an "
            f"interpreter that has menpo3d; {HOW}"
        )
    share = Path(source, "eos", "share")
    if not (share / "sfm_shape_3448.bin").is_file():
        raise Absent(f"{share} does not hold sfm_shape_3448.bin; {HOW}")
    return share, python


def menpo3d(
    python: str, model: MorphableModel, photo: Photo, start: FitResult
) -> dict[str, dict[str, float]]:
    """What menpo3d finds in a process of its own."""
    marks, embedding = start.landmarks, model.landmarks["68"]
    used = (embedding.confidence > 0) & (marks.confidence > 0)
    corner = embedding.barycentric.argmax(dim=-1, keepdim=True)
    given = {
        "mean": model.identity.mean.double(),
        "directions": model.identity.directions.flatten(1).double(),
        "faces": model.faces.long(),
        "vertices": embedding.triangles.gather(1, corner)[used, 0],
        "points": marks.points[used].double(),
        "focal": start.camera.focal.flatten()[0],
        "image": photo.pixels.double(),
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder, "given.npz"), Path(folder, "found.json")
        np.savez(paths[0], **{name: value.numpy() for name, value in given.items()})
        command = [python, "-W", "ignore", str(SCRIPT), *map(str, paths)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise Absent(f"{python} cannot be started: {error}; {HOW}") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Absent(f"menpo3d does not run: {last}; {HOW}")
        found = json.loads(paths[1].read_text(encoding="utf-8"))
    eyes = float((marks.points[36] - marks.points[45]).norm())
    for row in found.values():
        row["landmark_nme"] = row.pop("landmark_px") / eyes
        row["ms_per_iteration"] = row["min_ms"] / row["iterations"]
    return found


def our_fit(model: MorphableModel, photo: Photo, start: FitResult, runs: int) -> dict[str, float]:
    """The same of ours, which begins with the landmarks too."""

    def fit() -> Any:
        first = fit_linear(model, start.landmarks, size=photo.size)
        return fit_photometric(model, [photo.pixels], [first])

    found, times = fit(), measure({"ours": fit}, runs=runs)["ours"]
    return {
        "median_ms": times["median_ms"],
        "min_ms": times["min_ms"],
        "iterations": found.iterations,
        "photometric_rmse": found.photometric_rmse[0],
        "landmark_nme": found.landmark_nme[0],
        "linear_landmark_nme": start.landmark_nme,
        "ms_per_iteration": times["min_ms"] / found.iterations,
    }
