"""LPIPS: how far two pictures differ to the eye (Zhang et al. 2018, equation 1).

Features of a network that was trained to name photographs, of unit length at each pixel; their
squared differences are weighed by channels as people judged, averaged, and summed over layers.
The weights are not shipped; `Lpips.load` says how to get them.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.evaluate.score import Measure
from morphface.generate.networks.backbones import BACKBONES, Backbone, load_backbone
from morphface.generate.networks.weight_files import WeightFile

__all__ = ["LPIPS_KINDS", "Lpips", "OfFeatures", "of_unit_length"]

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
"""Mean and spread of the pictures that the networks were trained with, for values in [-1, 1]."""
_EPSILON = 1e-10


def _carried(name: str, sha256: str) -> WeightFile:
    return WeightFile(
        f"lpips-{name}",
        sha256,
        way_out="run: pip install --no-deps lpips",
        package=("lpips", f"weights/v0.1/{name}"),
    )


LPIPS_KINDS = {
    "alexnet": _carried(
        "alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"
    ),
    "vgg16": _carried(
        "vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"
    ),
}
"""Backbones, and the file with the weights of their channels, version 0.1."""


class OfFeatures(nn.Module):
    """A distance of what a network sees in pictures, to be called like other measures of them."""

    @torch.no_grad()
    def forward(
        self, result: Float[Tensor, "T H W 3"], reference: Float[Tensor, "T H W 3"]
    ) -> Float[Tensor, " T"]:
        """One value for each frame.

        Args:
            result: pictures that were made, RGB in [0, 1].
            reference: what they should be.

        Raises:
            ShapeError: the pictures differ in size.
            ParameterError: they are too small for the backbone.
        """
        check_shape("result", result, None, None, None, 3)
        check_shape("reference", reference, *result.shape)
        pairs = zip(self._features(result), self._features(reference), strict=True)
        distance = result.new_zeros(len(result))
        for layer, (one, other) in enumerate(pairs):
            squares = (one - other).square().mean(dim=(2, 3))
            distance += self._weighed(layer, squares)
        return distance

    def _features(self, pictures: Float[Tensor, "T H W 3"]) -> list[Float[Tensor, "T c h w"]]:
        """Features of unit length, layer by layer."""
        raise NotImplementedError

    def _weighed(self, layer: int, squares: Float[Tensor, "T c"]) -> Float[Tensor, " T"]:
        """What the squared differences of a layer's channels count."""
        raise NotImplementedError


class Lpips(OfFeatures):
    """The distance that people's judgements weigh.

    Args:
        backbone: that makes features.
        channels: a weight for each channel of each layer, none negative.

    Raises:
        ModelError: the weights are not as many as the backbone has channels, or are negative.
    """

    def __init__(self, backbone: Backbone, channels: list[Float[Tensor, " C"]]) -> None:
        super().__init__()
        found, wanted = tuple(len(weights) for weights in channels), backbone.widths
        if found != wanted:
            raise ModelError(f"channels must be {wanted} for {backbone.kind}, got {found}")
        if any(bool((weights < 0).any()) for weights in channels):
            raise ModelError("weights of channels must not be negative: it is no distance then")
        self.backbone = backbone
        self.measure = Measure(
            name="LPIPS",
            unit="",
            better="lower",
            convention=f"version 0.1, {backbone.kind}, RGB in [-1, 1], mean over the whole picture",
        )
        for layer, weights in enumerate(channels):
            self.register_buffer(f"channels_{layer}", weights.detach().clone())

    @classmethod
    def load(
        cls,
        kind: str = "alexnet",
        *,
        backbone: str | Path | None = None,
        channels: str | Path | None = None,
    ) -> "Lpips":
        """LPIPS with its published weights.

        Args:
            kind: from `LPIPS_KINDS`.
            backbone: path of torchvision's weights; None looks in the caches of the user and of
                torch hub.
            channels: path of the weights of channels, version 0.1; None looks there, too, and in
                the package `lpips`, which is not imported.

        Raises:
            ParameterError: there is no such kind.
            MissingFileError: weights are not on this machine; the message says how to get them.
            ModelError: a file is not the published one, or does not fit.
        """
        if kind not in LPIPS_KINDS:
            raise ParameterError(f"kind must be one of {', '.join(LPIPS_KINDS)}, got {kind!r}")
        files = ((BACKBONES[kind].file, backbone), (LPIPS_KINDS[kind], channels))
        missing = [file for file, path in files if file.find(path) is None]
        if missing:
            absent = " and ".join(file.name for file in missing)
            ways = "; and ".join(file.way_out for file in missing)
            raise MissingFileError(f"the weights {absent} are not on this machine; {ways}")
        held = LPIPS_KINDS[kind].read(channels)
        network = load_backbone(kind, backbone)
        names = [f"lin{layer}.model.1.weight" for layer in range(len(network.taps))]
        if not set(names) <= set(held):
            raise ModelError(
                f"{channels} holds no weights of LPIPS; use version 0.1 of the package lpips"
            )
        return cls(network, [held[name].flatten().float() for name in names])

    def _weighed(self, layer: int, squares: Float[Tensor, "T c"]) -> Float[Tensor, " T"]:
        return squares @ self.get_buffer(f"channels_{layer}")

    def _features(self, pictures: Float[Tensor, "T H W 3"]) -> list[Float[Tensor, "T c h w"]]:
        """Features of unit length."""
        signed = 2 * pictures.permute(0, 3, 1, 2) - 1
        shift, scale = (signed.new_tensor(v)[:, None, None] for v in (_SHIFT, _SCALE))
        return of_unit_length(self.backbone((signed - shift) / scale))


def of_unit_length(layers: Sequence[Float[Tensor, "T c h w"]]) -> list[Float[Tensor, "T c h w"]]:
    """Features whose channels have unit length at each pixel.

    Args:
        layers: of a backbone.
    """
    return [f / (f.square().sum(dim=1, keepdim=True).sqrt() + _EPSILON) for f in layers]
