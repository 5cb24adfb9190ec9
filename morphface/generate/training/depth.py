"""How the depth of faces is learnt from consecutive frames: batches of them, losses, one step.

What one frame shows is looked for in those beside it, by its depth and the motion between them.
Each pixel takes the frame that shows it best (Godard et al. 2019; DaGAN, section 3.1), and those
count that change from frame to frame.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from morphface.core.errors import ParameterError
from morphface.generate.networks.depth import Moved, depth_of, view_flow
from morphface.generate.networks.warp import warped
from morphface.generate.take import Take, Takes
from morphface.generate.training.batches import Share, rounds_of
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState
from morphface.generate.training.step import Hands, learnt

__all__ = [
    "changed",
    "depth_step",
    "films_of_takes",
    "photometric",
    "reprojected",
    "smoothness",
    "structural",
]

FRAMES = 3
"""Of a film: the middle one is the target, the others are its sources."""
_STRUCTURE = 0.85
"""Share of the structural term in the photometric one (Godard et al. 2019)."""
_STABLE = 0.01**2, 0.03**2
"""Constants of structural similarity, of values from 0 to 1 (Wang et al. 2004)."""


def films_of_takes(
    takes: Takes, settings: TrainSettings, share: Share
) -> Iterator[Float[Tensor, "B F 3 H W"]]:
    """Batches of consecutive frames, from -1 to 1.

    Args:
        takes: with as many frames.
        settings: of the run.
        share: of this process.

    Raises:
        ParameterError: takes have fewer frames, there is none, or the batch cannot be shared.
    """
    if takes.longest < FRAMES:
        raise ParameterError(
            f"depth is learnt from {FRAMES} consecutive frames, takes have {takes.longest} at most"
        )
    once = settings.replace(length=1, lengthen=0)
    for _, found in rounds_of(_Films(takes), once, share):
        yield torch.stack([_whole(take.frame) for take in found]).to(share.device)


class _Films:
    """Takes, each of which a step sees whole."""

    longest = 1

    def __init__(self, takes: Takes) -> None:
        self._takes, self.count = takes, takes.count

    def take(self, number: int, length: int) -> Take:
        return self._takes.take(number, FRAMES)


def _whole(frames: Float[Tensor, "T 3 H W"]) -> Float[Tensor, "F 3 H W"]:
    """As many frames as a film has; the last again where a take ends before."""
    rows = torch.arange(FRAMES).clamp(max=len(frames) - 1)
    return frames[rows]


def depth_step(
    state: TrainState, batch: Float[Tensor, "B F 3 H W"], settings: TrainSettings, hands: Hands
) -> dict[str, Tensor]:
    """Train depth and motion on a batch; `state` is changed in place.

    Args:
        state: where the run stands.
        batch: consecutive frames.
        settings: have the rate and the weight of smoothness.
        hands: how to differentiate.

    Returns:
        The losses by name, unweighted, and the share of pixels that counted.
    """
    middle = FRAMES // 2
    others = [k for k in range(FRAMES) if k != middle]
    sizes, moved = state.generator(batch[:, middle], batch[:, others])
    films = batch / 2 + 0.5
    target, sources = films[:, middle], films[:, others]
    seen = changed(target, sources)
    terms, rough = [], []
    for scale, disparity in enumerate(sizes):
        whole = interpolate(disparity, size=target.shape[-2:], mode="bilinear", align_corners=False)
        far = reprojected(target, sources, depth_of(whole), moved)
        terms.append((far * seen).sum() / seen.sum().clamp(min=1))
        rough.append(smoothness(disparity, _shrunk(target, scale)) / 2**scale)
    losses = {"photometric": torch.stack(terms).mean(), "smooth": torch.stack(rough).mean()}
    total = losses["photometric"] + settings.smooth * losses["smooth"]
    learnt(state, total, settings, hands)
    found = losses | {"counted": seen.float().mean()}
    return {name: loss.detach() for name, loss in found.items()}


def reprojected(
    target: Float[Tensor, "B 3 H W"],
    sources: Float[Tensor, "B N 3 H W"],
    depth: Float[Tensor, "B 1 H W"],
    moved: Moved,
) -> Float[Tensor, "B 1 H W"]:
    """How far each pixel of a picture is from the source that shows it best.

    Args:
        target: pictures from 0 to 1.
        sources: other pictures of the same people.
        depth: of the pictures.
        moved: into each source; B N rows.
    """
    count = sources.shape[1]
    many = depth[:, None].expand(-1, count, -1, -1, -1).flatten(0, 1)
    made = warped(sources.flatten(0, 1), view_flow(many, moved)).unflatten(0, (-1, count))
    return torch.stack([photometric(made[:, k], target) for k in range(count)]).amin(0)


def changed(
    target: Float[Tensor, "B 3 H W"], sources: Float[Tensor, "B N 3 H W"]
) -> Bool[Tensor, "B 1 H W"]:
    """Which pixels count: those that differ more from their best source than most do.

    Walls and bodies do not move, and tell of no depth. Whether moving makes a pixel better (Godard
    et al. 2019) must not decide: a wrong motion would hide what could mend it. By that rule small
    networks of 64 pixels made faces worse than the frames beside them were (0.21 for 0.15).

    Args:
        target: pictures from 0 to 1.
        sources: other pictures of the same people.
    """
    still = torch.stack([photometric(sources[:, k], target) for k in range(sources.shape[1])])
    least = still.amin(0)
    return least > least.mean((2, 3), keepdim=True)


def photometric(
    made: Float[Tensor, "B 3 H W"], real: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, "B 1 H W"]:
    """Absolute difference and structural difference of each pixel, mixed.

    Args:
        made: pictures from 0 to 1.
        real: what they should be.
    """
    plain = (made - real).abs().mean(1, keepdim=True)
    structure = ((1 - structural(made, real)) / 2).clamp(0, 1).mean(1, keepdim=True)
    return _STRUCTURE * structure + (1 - _STRUCTURE) * plain


def structural(
    a: Float[Tensor, "B C H W"], b: Float[Tensor, "B C H W"]
) -> Float[Tensor, "B C H W"]:
    """Structural similarity of windows of 3 x 3 pixels (Wang et al. 2004, equation 13).

    Args:
        a: pictures from 0 to 1.
        b: others.
    """
    first, second = _STABLE
    x, y = _mean(a), _mean(b)
    xx, yy, xy = _mean(a * a) - x * x, _mean(b * b) - y * y, _mean(a * b) - x * y
    above = (2 * x * y + first) * (2 * xy + second)
    return above / ((x * x + y * y + first) * (xx + yy + second))


def smoothness(
    disparity: Float[Tensor, "B 1 H W"], picture: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, ""]:
    """How disparity changes from pixel to pixel by its mean, less where the picture has an edge.

    Args:
        disparity: of the picture.
        picture: from 0 to 1.
    """
    even = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    terms = []
    for axis in (2, 3):
        edge = picture.diff(dim=axis).abs().mean(1, keepdim=True)
        terms.append((even.diff(dim=axis).abs() * (-edge).exp()).mean())
    return torch.stack(terms).sum()


def _mean(values: Tensor) -> Tensor:
    """Over windows of 3 x 3 pixels; sums of slices are sooner than pooling."""
    wide = pad(values, (1, 1, 1, 1), mode="reflect")
    rows = wide[..., :-2, :] + wide[..., 1:-1, :] + wide[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _shrunk(picture: Tensor, times: int) -> Tensor:
    return avg_pool2d(picture, 2**times) if times else picture
