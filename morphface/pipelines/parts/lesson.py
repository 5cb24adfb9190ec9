"""What a network of parts learns from: batches of crowds, and how far it is from the truth."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.landmarks.parts.fields import affinity_fields, confidence_maps
from morphface.landmarks.parts.graph import FaceGraph
from morphface.landmarks.parts.network import STRIDE, PartsNetwork, Reply
from morphface.models import MorphableModel
from morphface.synthetic.crowds.crowd import Crowd, Crowds
from morphface.synthetic.crowds.heads import part_points

__all__ = ["Batch", "batch_of", "know_mean_head", "parts_losses", "rate_at"]


@dataclass(frozen=True, eq=False)
class Batch(Record):
    """Pictures, and what a perfect network would say of them.

    Args:
        pictures: RGB in [0, 1].
        fields: of limbs, x and y of each in turn.
        maps: of parts, then how little there is of any.
    """

    pictures: Float[Tensor, "B 3 H W"]
    fields: Float[Tensor, "B L H W"]
    maps: Float[Tensor, "B P H W"]


def batch_of(crowds: Crowds, first: int, count: int, graph: FaceGraph) -> Batch:
    """Some crowds that follow one another.

    Args:
        crowds: to take them from.
        first: number of the first.
        count: how many.
        graph: whose parts and limbs are meant.
    """
    rows = [_truth(crowds.crowd(first + k), graph) for k in range(count)]
    return Batch(*(torch.from_numpy(np.stack(each)) for each in zip(*rows, strict=True)))


def _truth(crowd: Crowd, graph: FaceGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = list(graph.points)
    known = crowd.points[:, rows], crowd.visible[:, rows]
    shape = crowd.picture.shape[0] // STRIDE, crowd.picture.shape[1] // STRIDE
    maps = confidence_maps(*known, shape, stride=STRIDE)
    along = affinity_fields(*known, graph, shape, stride=STRIDE)
    picture = crowd.picture.transpose(2, 0, 1).astype(np.float32) / 255
    none = 1 - maps.max(axis=0, keepdims=True)
    return picture, along.reshape(-1, *shape), np.concatenate([maps, none])


def parts_losses(reply: Reply, batch: Batch, emphasis: float) -> dict[str, Float[Tensor, ""]]:
    """Mean squared differences of all stages, those of the fields and those of the maps.

    Equations 10 to 12 of the paper, where what is unlabelled is left out: here nothing is.

    Args:
        reply: of the network.
        batch: what it was shown.
        emphasis: how much more cells count on which there is something.
    """
    there = batch.fields.unflatten(1, (-1, 2)).abs().amax(2) > 0
    on_limbs = 1 + emphasis * there.repeat_interleave(2, dim=1)
    on_parts = 1 + emphasis * batch.maps
    on_parts[:, -1] = 1
    along = [((said.float() - batch.fields).square() * on_limbs).mean() for said in reply.fields]
    maps = [((said.float() - batch.maps).square() * on_parts).mean() for said in reply.maps]
    return {"fields": torch.stack(along).sum(), "maps": torch.stack(maps).sum()}


def rate_at(step: int, steps: int) -> float:
    """Share of the highest rate: up over the first twentieth, down along a cosine.

    Args:
        step: from 0.
        steps: of the training.
    """
    rise = max(steps // 20, 1)
    return min((step + 1) / rise, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def know_mean_head(network: PartsNetwork, model: MorphableModel, graph: FaceGraph) -> None:
    """Tell a network where parts and mesh are on the mean of a model.

    Args:
        network: is changed in place.
        model: whose mean is meant.
        graph: of the network.
    """
    mean = model.identity.mean
    network.template.copy_(part_points(model).points(mean)[list(graph.points)])
    network.mesh.copy_(model.landmark_embedding("478").points(mean))
