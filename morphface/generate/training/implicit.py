"""How an implicit head is trained: batches of pictures with points, and one step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import Dataset

from morphface.generate.implicit.network import Answers
from morphface.generate.implicit.probes import Probes, ProbeSource, stacked_probes
from morphface.generate.training.batches import Share, check_shared
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState
from morphface.generate.training.step import Hands, learnt

__all__ = ["balanced", "implicit_step", "points_of_pictures"]


def points_of_pictures(
    source: ProbeSource, settings: TrainSettings, share: Share
) -> Iterator[Probes]:
    """Batches of pictures with points.

    Args:
        source: of them.
        settings: of the run.
        share: of this process.

    Raises:
        ParameterError: there is none, or the batch cannot be shared.
    """
    order: Any
    if source.count is None:
        check_shared(settings.batch, share.world)
        order = _Onward(settings, share)
    else:
        order = share.order(source.count, settings, share.start)
    for batch in share.loader(_Numbered(source), order, stacked_probes):
        yield batch.to(share.device)


@dataclass(frozen=True)
class _Onward:
    """Numbers that each step sees of what has no end: the next ones."""

    settings: TrainSettings
    share: Share

    def __iter__(self) -> Iterator[range]:
        own = self.settings.batch // self.share.world
        for step in range(self.share.start, self.settings.steps):
            first = step * self.settings.batch + self.share.rank * own
            yield range(first, first + own)


class _Numbered(Dataset[Probes]):
    """Probes by number."""

    def __init__(self, source: ProbeSource) -> None:
        self._source = source

    def __getitem__(self, number: int) -> Probes:
        return self._source.probes(number)


def implicit_step(
    state: TrainState, batch: Probes, settings: TrainSettings, hands: Hands
) -> dict[str, Tensor]:
    """Train both levels on a batch; `state` is changed in place.

    Args:
        state: where the run stands.
        batch: pictures with points.
        settings: have the rate.
        hands: how to differentiate.

    Returns:
        The losses by name, and the share of points that the finest level has right.
    """
    answers: Answers = state.generator(batch.picture, batch.places, batch.space)
    each = [balanced(logits, batch.inside, answers.shown) for logits in answers.coarse]
    losses = {"coarse": torch.stack(each).mean()}
    if answers.fine is not None:
        losses["fine"] = balanced(answers.fine, batch.inside, answers.shown)
    learnt(state, torch.stack(list(losses.values())).sum(), settings, hands)
    right = ((answers.inside > 0.5) == (batch.inside & answers.shown)).float().mean()
    return {name: loss.detach() for name, loss in losses.items()} | {"right": right}


def balanced(
    logits: Float[Tensor, "B N"], inside: Bool[Tensor, "B N"], shown: Bool[Tensor, "B N"]
) -> Float[Tensor, ""]:
    """Cross entropy in which inside and outside of a picture count as much, over what it shows.

    Inside has as its weight the share that is outside, and outside the other; PIFuHD, section 7.

    Args:
        logits: of being inside.
        inside: the truth.
        shown: which points the picture shows.
    """
    seen = shown.float()
    count = seen.sum(-1, keepdim=True).clamp(min=1)
    share = (inside & shown).float().sum(-1, keepdim=True) / count
    weight = torch.where(inside, 1 - share, share) * seen
    far = binary_cross_entropy_with_logits(logits.float(), inside.float(), reduction="none")
    return ((weight * far).sum(-1) / count[:, 0]).mean()
