"""Where the five points, eyes, nose and mouth, lie on a model that has the 68."""

import torch

from morphface.landmarks.schemes import NOSE_AND_MOUTH
from morphface.models import LandmarkEmbedding, MorphableModel

__all__ = ["embed_five"]

_EYES = ((36, 39, 37), (42, 45, 43))  # corners of each eye, and a point above, as seen from ahead


def embed_five(model: MorphableModel) -> LandmarkEmbedding:
    """The positions of the scheme "5" on the surface of `model`.

    Tip of the nose and corners of the mouth are those of the scheme "68"; the centre of an eye is
    halfway between its corners, wherever lids and eyeball are.

    Args:
        model: any model with an embedding of the scheme "68".

    Raises:
        ModelError: it has none.
    """
    known = model.landmark_embedding("68")
    nearest = known.triangles.gather(1, known.barycentric.argmax(dim=1, keepdim=True))[:, 0]
    rest = list(NOSE_AND_MOUTH)
    return LandmarkEmbedding(
        torch.cat([nearest[torch.tensor(_EYES)], known.triangles[rest]]),
        torch.cat([torch.tensor([[0.5, 0.5, 0.0]]).repeat(2, 1), known.barycentric[rest]]),
        torch.ones(5),
    )
