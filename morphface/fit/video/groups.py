"""Whose face is whose among frames that are far apart: by identity alone."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from morphface.fit.video.keys import Candidate

__all__ = ["group_people", "likeness"]

_STRANGER = 4.5  # standard deviations of identity from which two faces are of two people


def group_people(frames: Sequence[Sequence[Candidate]], limit: int) -> list[list[Candidate]]:
    """The faces of each person, the person who is seen most often first.

    Two faces of one frame are of two people. Frames with the most faces come first, so that
    everybody of them founds a group.

    Args:
        frames: the faces of each frame.
        limit: the most people that are returned.
    """
    groups: list[list[Candidate]] = []
    for faces in sorted(frames, key=len, reverse=True):
        chosen = _nearest(groups, faces)
        for index, face in enumerate(faces):
            if index in chosen:
                groups[chosen[index]].append(face)
            else:
                groups.append([face])
    return sorted(groups, key=len, reverse=True)[:limit]


def likeness(faces: Sequence[Candidate]) -> Float[Tensor, " I"]:
    """Mean identity of faces, as landmarks alone show it."""
    return torch.stack([face.identity for face in faces]).mean(dim=0)


def _nearest(groups: list[list[Candidate]], faces: Sequence[Candidate]) -> dict[int, int]:
    """For each face of a frame, the group that it belongs to, if any."""
    if not groups or not faces:
        return {}
    own = torch.stack([face.identity for face in faces])
    known = torch.stack([likeness(group) for group in groups])
    cost = torch.nan_to_num(torch.cdist(own, known), nan=1e3).numpy().astype(np.float64)
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return {int(i): int(j) for i, j in pairs if cost[i, j] < _STRANGER}
