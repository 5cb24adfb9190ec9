"""Add the landmark embeddings to the open head's file. Run after `build.py`.

python assets/open_head/embed.py
"""

from dataclasses import replace

import numpy as np
import torch

from build import OUTPUT
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.embedding import measure_embedding
from morphface.models import LandmarkEmbedding, save_model
from morphface.models.storage import read_header, read_model_file


def _rounded(weights: np.ndarray) -> np.ndarray:
    """Four digits, so that the last bits of the detector do not show; the sum stays 1."""
    weights = weights.astype(np.float64).round(4)
    weights[:, 2] = 1 - weights[:, 0] - weights[:, 1]
    return weights.astype(np.float32)


def main() -> None:
    """Look for the landmarks on the built head and write them into its file."""
    model, notes = read_model_file(OUTPUT), {"source": str(read_header(OUTPUT)["source"])}
    landmarks = {}
    for scheme in ("478", "68"):
        found, _ = measure_embedding(model, MediaPipeDetector(), scheme)
        landmarks[scheme] = LandmarkEmbedding(
            found.triangles,
            torch.from_numpy(_rounded(found.barycentric.numpy())),
            torch.from_numpy(found.confidence.numpy().round(3)),
        )
        print(f"{scheme}: median confidence {np.median(found.confidence.numpy()):.2f}")
    save_model(replace(model, landmarks=landmarks), OUTPUT, notes=notes)


if __name__ == "__main__":
    main()
