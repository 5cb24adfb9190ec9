"""The renderer of CoNR: references drawn towards a pose from coarse to fine, hearing each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.records import Record
from morphface.generate.networks.behind import doubled_size
from morphface.generate.networks.blocks import joined
from morphface.generate.networks.cinn import Finding, ViewBlock
from morphface.generate.networks.fusion import fused, shares
from morphface.generate.networks.warp import warped

__all__ = ["Drawn", "View", "ViewRenderer", "Viewed"]

_VIEW = 4
"""Channels of a reference: colours times alpha, and alpha."""


@dataclass(frozen=True, eq=False)
class Viewed(Record):
    """What is made of a reference once, for all frames; the finest size first.

    Args:
        views: its colours times alpha, and alpha.
        features: of the same sizes.
    """

    views: tuple[Float[Tensor, "B 4 h w"], ...]
    features: tuple[Float[Tensor, "B c h w"], ...]


@dataclass(frozen=True, eq=False)
class View(Record):
    """A reference on its way from coarse to fine.

    Args:
        viewed: what was made of it.
        flow: that leads into it, at the size that was reached.
        local: what it keeps for itself.
    """

    viewed: Viewed
    flow: Float[Tensor, "B 2 h w"]
    local: Float[Tensor, "B l h w"]


@dataclass(frozen=True, eq=False)
class Drawn(Record):
    """What all references have found together.

    Args:
        flow: fused.
        view: fused.
        message: fused.
        share: of each reference in the colours.
    """

    flow: Float[Tensor, "B 2 h w"]
    view: Float[Tensor, "B 4 h w"]
    message: Float[Tensor, "B c h w"]
    share: Float[Tensor, "M B 1 h w"]


class ViewRenderer(nn.Module):
    """A block for each size, with weights that all references share.

    Args:
        own: channels of the features of references, the finest size first; those of messages.
        wanted: channels of the features of the pose.
        width: 64 as published.
        last: logits of the finest block: 2 if its colours are used, else 1.
    """

    def __init__(self, own: Sequence[int], wanted: Sequence[int], width: int, *, last: int) -> None:
        super().__init__()
        heard = [*(2 * channels for channels in own[1:]), 0]  # the message, and what was kept
        common = 2 * (2 + _VIEW)  # flow and view, its own and fused
        self.blocks = nn.ModuleList(
            ViewBlock(
                common + own[k] + wanted[k] + heard[k],
                width * 7 // 2,
                message=own[k],
                local=own[k] if k else 0,
                masks=2 if k else last,
                groups=width // 4,
                rounds=1 if k else 2,
            )
            for k in range(len(own))
        )

    def forward(
        self,
        known: Sequence[Viewed],
        flows: Sequence[Float[Tensor, "B 2 h w"]],
        valid: Sequence[Float[Tensor, "B 1 H W"]],
        pose: Sequence[Float[Tensor, "B c h w"]],
    ) -> tuple[Drawn, list[View]]:
        """What the references have in common at the finest size, and each of them.

        Args:
            known: of each reference.
            flows: that lead into each, at the coarsest size.
            valid: how far each is known to show what is wanted; none if that is not known.
            pose: features of it, the finest first.
        """
        views = [
            View(*pair, pair[1].new_zeros(len(pair[1]), 0, *pair[1].shape[-2:]))
            for pair in zip(known, flows, strict=True)
        ]
        size = len(self.blocks) - 1
        nothing = [Finding(f, f[:, :1] * 0, f[:, :0], f[:, :0]) for f in flows]
        common = _fused(views, nothing, size, valid, masked=False)
        while size >= 0:
            told = [_told(view, size, pose[size], common) for view in views]
            found = [self.blocks[size](each) for each in told]
            views = [
                View(one.viewed, one.flow + each.flow.float(), each.local)
                for one, each in zip(views, found, strict=True)
            ]
            common = _fused(views, found, size, valid)
            if size:
                views = [_doubled_view(view) for view in views]
                common = Drawn(
                    doubled_size(2 * common.flow),
                    doubled_size(common.view),
                    doubled_size(common.message),
                    common.share,
                )
            size -= 1
        return common, views


def _told(view: View, size: int, pose: Tensor, common: Drawn) -> Float[Tensor, "B C h w"]:
    """All that a block is told of a reference."""
    here = view.viewed.views[size], view.viewed.features[size]
    own = [warped(part, view.flow) for part in here]
    return joined([pose, *own, view.flow, common.flow, common.view, common.message, view.local])


def _fused(
    views: Sequence[View],
    found: Sequence[Finding],
    size: int,
    valid: Sequence[Tensor],
    *,
    masked: bool = True,
) -> Drawn:
    """What all say, each where it is to be trusted."""
    logits = [(one.trust[:, :1], one.trust[:, -1:]) for one in found]
    colours, messages = (shares(each, valid) for each in zip(*logits, strict=True))

    def masks(place: int) -> list[Tensor]:
        return [each[place].sigmoid() if masked else torch.ones_like(each[0]) for each in logits]

    def weighted(parts: Sequence[Tensor], place: int, share: Tensor) -> Tensor:
        pairs = zip(parts, masks(place), strict=True)
        return fused([part * mask.to(part) for part, mask in pairs], share)

    flow = weighted([one.flow for one in views], 0, colours)
    view = weighted([warped(one.viewed.views[size], one.flow) for one in views], 0, colours)
    message = weighted([one.message for one in found], 1, messages)
    return Drawn(flow, view, message, colours)


def _doubled_view(view: View) -> View:
    return View(view.viewed, doubled_size(2 * view.flow), doubled_size(view.local))
