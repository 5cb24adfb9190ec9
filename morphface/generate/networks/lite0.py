"""EfficientNet-Lite0 as a backbone of features: small, and its weights install by pip.

Tan and Le 2019, in the variant for phones: no squeeze and excitation, ReLU6, a stem and a first and
last block that are not scaled. Its weights were trained with TensorFlow, whose padding of strided
convolutions is uneven: more below and on the right.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

__all__ = ["LITE0_TAPS", "lite0_layers", "published_name"]

_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, size of kernels, stride of the first, how much wider they are inside, channels."""
_STEM = 32
LITE0_TAPS = (1, 3, 5, 11, 16)
"""The last layer at each of five resolutions, from a half to a 32nd."""


def lite0_layers() -> list[nn.Module]:
    """The stem and sixteen blocks."""
    layers: list[nn.Module] = [_Stem()]
    inputs = _STEM
    for count, kernel, stride, wider, width in _STAGES:
        for number in range(count):
            step = stride if number == 0 else 1
            layers.append(_Block(inputs, width, wider, (kernel, step)))
            inputs = width
    return layers


def published_name(name: str) -> str:
    """Under what name the published weights hold one of ours.

    Args:
        name: as `state_dict` has it, `features.4.expand.0.weight`.
    """
    _, layer, part, place, value = name.split(".")
    batch_norm = place == "1"
    if layer == "0":
        return f"_bn0.{value}" if batch_norm else f"_conv_stem.{value}"
    convolution, norm = _PARTS[part]
    return f"_blocks.{int(layer) - 1}.{norm if batch_norm else convolution}.{value}"


_PARTS = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


def _normed(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, apart: bool = False
) -> nn.Sequential:
    """A convolution without bias, and batch norm with TensorFlow's epsilon."""
    groups = inputs if apart else 1
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, bias=False, groups=groups)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, eps=1e-3))


def _padded(values: Float[Tensor, "B C H W"], kernel: int, stride: int) -> Float[Tensor, "B C h w"]:
    """With the border that TensorFlow's "SAME" adds."""
    around = []
    for size in (values.shape[-1], values.shape[-2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        around += [total // 2, total - total // 2]
    return pad(values, around)


class _Stem(nn.Module):
    """The first convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normed(3, _STEM, 3, 2)
        self.out_channels = _STEM

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 32 h w"]:
        """Features at half the size."""
        return self.stem(_padded(pictures, 3, 2)).clamp(0, 6)


class _Block(nn.Module):
    """An inverted residual (Sandler et al. 2018): wide inside, depthwise, narrow outside."""

    def __init__(self, inputs: int, width: int, wider: int, shape: tuple[int, int]) -> None:
        super().__init__()
        inner = inputs * wider
        self._shape, self.out_channels = shape, width
        self._adds = shape[1] == 1 and inputs == width
        self.expand = _normed(inputs, inner, 1) if wider > 1 else None
        self.depthwise = _normed(inner, inner, *shape, apart=True)
        self.project = _normed(inner, width, 1)

    def forward(self, values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c h w"]:
        """Features, plus what came in where that has their size."""
        here = values if self.expand is None else self.expand(values).clamp(0, 6)
        here = self.depthwise(_padded(here, *self._shape)).clamp(0, 6)
        here = self.project(here)
        return here + values if self._adds else here
