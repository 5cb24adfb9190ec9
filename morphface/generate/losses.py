"""What generator and discriminator minimise. Each is a function of predictions to a scalar.

Adversarial losses come in three forms; that of the generator does not saturate. They take the
logits of patches and return means over them.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import l1_loss, relu, softplus

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError

__all__ = [
    "ADVERSARIAL",
    "discriminator_loss",
    "feature_matching",
    "generator_loss",
    "perceptual",
    "temporal",
]

ADVERSARIAL = ("vanilla", "least_squares", "hinge")
"""Goodfellow et al. 2014; Mao et al. 2017; Lim and Ye 2017."""
_LAYERS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weights of the features of VGG19, relu1_1 to relu5_1 (pix2pixHD)."""


def discriminator_loss(
    real: Float[Tensor, "*patches"], made: Float[Tensor, "*patches"], kind: str = "vanilla"
) -> Float[Tensor, ""]:
    """What the discriminator minimises: real patches shall pass, made ones shall not.

    Args:
        real: logits of patches of frames of a camera.
        made: logits of patches of frames of the generator.
        kind: from `ADVERSARIAL`.

    Raises:
        ParameterError: `kind` is none.
    """
    _check_kind(kind)
    if kind == "hinge":
        return relu(1 - real).mean() + relu(1 + made).mean()
    if kind == "least_squares":
        return (real - 1).square().mean() + made.square().mean()
    return softplus(-real).mean() + softplus(made).mean()


def generator_loss(made: Float[Tensor, "*patches"], kind: str = "vanilla") -> Float[Tensor, ""]:
    """What the generator minimises: its patches shall pass.

    Args:
        made: logits of its patches.
        kind: from `ADVERSARIAL`.

    Raises:
        ParameterError: `kind` is none.
    """
    _check_kind(kind)
    if kind == "hinge":
        return -made.mean()
    if kind == "least_squares":
        return (made - 1).square().mean()
    return softplus(-made).mean()


def feature_matching(real: Sequence[Tensor], made: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Mean absolute difference of a discriminator's features, its logits left out (pix2pixHD).

    Args:
        real: features of frames of a camera; constants here.
        made: features of frames of the generator.

    Raises:
        ParameterError: the layers differ in number, or there is but one.
    """
    if len(real) != len(made) or len(real) < 2:
        raise ParameterError(
            f"real and made must have the same layers, 2 or more, got {len(real)} and {len(made)}"
        )
    pairs = zip(real[:-1], made[:-1], strict=True)
    return torch.stack([l1_loss(b, a.detach()) for a, b in pairs]).mean()


def perceptual(real: Sequence[Tensor], made: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Weighted mean absolute differences of features of a backbone (pix2pixHD, HeadGAN).

    The coarsest features have the weight 1, each finer level half of the next; the finest of
    VGG19's five have 1/32, as published.

    Args:
        real: features of frames of a camera, the finest first; constants here.
        made: features of frames of the generator.

    Raises:
        ParameterError: the layers differ in number, or there are none.
    """
    if not len(real) == len(made) > 0:
        raise ParameterError(
            f"real and made must have the same layers, 1 or more, got {len(real)} and {len(made)}"
        )
    weights = _LAYERS if len(real) == len(_LAYERS) else [0.5**k for k in range(len(real))][::-1]
    terms = zip(weights, real, made, strict=True)
    return torch.stack([weight * l1_loss(b, a.detach()) for weight, a, b in terms]).sum()


def temporal(
    made: Float[Tensor, "B 3 H W"],
    before: Float[Tensor, "B 3 H W"],
    real: Float[Tensor, "B 3 H W"],
    real_before: Float[Tensor, "B 3 H W"],
) -> Float[Tensor, ""]:
    """How far the change from frame to frame is from the real one: it forbids flicker.

    Args:
        made: frames of the generator.
        before: those of the frames before.
        real: frames of the camera.
        real_before: those before.

    Raises:
        ShapeError: the frames differ in size.
    """
    for name, value in (("before", before), ("real", real), ("real_before", real_before)):
        check_shape(name, value, *made.shape)
    return l1_loss(made - before, real - real_before)


def _check_kind(kind: str) -> None:
    if kind not in ADVERSARIAL:
        raise ParameterError(f"kind must be one of {', '.join(ADVERSARIAL)}, got {kind!r}")
