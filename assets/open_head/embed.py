"""Add the landmark embeddings to the open head's file. Run after `build.py`.

python assets/open_head/embed.py
"""

import json

import numpy as np
from safetensors import safe_open

from build import OUTPUT, write_model
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.embedding import embed
from morphface.models.storage import read_model_file


def _rounded(weights: np.ndarray) -> np.ndarray:
    """Four digits, so that the last bits of the detector do not show; the sum stays 1."""
    weights = weights.astype(np.float64).round(4)
    weights[:, 2] = 1 - weights[:, 0] - weights[:, 1]
    return weights.astype(np.float32)


def main() -> None:
    """Look for the landmarks on the built head and write them into its file."""
    with safe_open(OUTPUT, framework="np") as file:
        header = json.loads(file.metadata()["morphface"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    model = read_model_file(OUTPUT)
    for scheme in ("478", "68"):
        found = embed(model, MediaPipeDetector(), scheme)
        tensors[f"landmarks.{scheme}.triangles"] = found.triangles.numpy().astype(np.int32)
        tensors[f"landmarks.{scheme}.barycentric"] = _rounded(found.barycentric.numpy())
        tensors[f"landmarks.{scheme}.confidence"] = found.confidence.numpy().round(3)
        print(f"{scheme}: median confidence {np.median(found.confidence.numpy()):.2f}")
    write_model(OUTPUT, tensors, header)


if __name__ == "__main__":
    main()
