"""Whose face is whose among frames that are far apart: by looks alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from morphface.fit.video.keys import Candidate
from morphface.fit.video.looks import STRANGER, Likeness

__all__ = ["group_people", "likeness"]

_OFTEN = 3  # faces in key frames that make a person


def group_people(frames: Sequence[Sequence[Candidate]], limit: int) -> list[list[Candidate]]:
    """The faces of each person, the person who is seen most often first.

    Two faces of one frame are of two people. Frames with the most faces come first, so that
    everybody of them founds a group. A group that never shares a frame with a larger one and looks
    about like it is of the same person, in frames that show it worse; and a few frames of nobody
    else are not believed yet.

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
    groups = _merged(sorted(groups, key=len, reverse=True))
    return [group for k, group in enumerate(groups) if k == 0 or _believed(group, groups[:k])][
        :limit
    ]


def likeness(faces: Sequence[Candidate]) -> Likeness:
    """What faces of one person look like; those that fit badly count only where all do."""
    good = [face for face in faces if face.fit.converged] or faces
    return Likeness.of_many([face.likeness for face in good])


def _believed(group: list[Candidate], larger: list[list[Candidate]]) -> bool:
    """Whether a group is of somebody else: seen often, or beside another person."""
    frames = {face.frame.index for face in group}
    others = {face.frame.index for other in larger for face in other}
    return len(group) >= _OFTEN or bool(frames & others)


def _merged(groups: list[list[Candidate]]) -> list[list[Candidate]]:
    """Larger groups with those that are of the same people."""
    out: list[list[Candidate]] = []
    for group in groups:
        frames = {face.frame.index for face in group}
        twins = [
            other
            for other in out
            if not frames & {face.frame.index for face in other}
            and likeness(group).distance(likeness(other)) < STRANGER
        ]
        if twins:
            twins[0].extend(group)
        else:
            out.append(list(group))
    return sorted(out, key=len, reverse=True)


def _nearest(groups: list[list[Candidate]], faces: Sequence[Candidate]) -> dict[int, int]:
    """For each face of a frame, the group that it belongs to, if any."""
    if not groups or not faces:
        return {}
    known = [likeness(group) for group in groups]
    cost: Float[np.ndarray, "F G"] = np.array(
        [[min(face.likeness.distance(other), 1e3) for other in known] for face in faces]
    )
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return {int(i): int(j) for i, j in pairs if cost[i, j] < STRANGER}
