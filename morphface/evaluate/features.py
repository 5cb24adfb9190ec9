"""Distances of features of a network that installs by pip, where LPIPS and FID cannot be had.

They are neither LPIPS nor FID, and their numbers are not comparable with those: the features are
those of EfficientNet-Lite0, and no person's judgement weighs its channels. Over eight ways to spoil
pictures of faces the distance of pictures orders all degrees of each way, and goes along with 1 -
SSIM (rank correlation 0.91), less with PSNR (0.60) and L1 (0.58): `benchmarks/bench_perceptual.py`.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite
from morphface.core.errors import ParameterError
from morphface.evaluate.perceptual import OfFeatures, of_unit_length
from morphface.evaluate.score import Measure, Score
from morphface.generate.networks.backbones import Backbone, load_backbone

__all__ = ["FeatureDistance", "FrechetDistance", "frechet_distance"]

KIND = "efficientnet_lite0"


class FeatureDistance(OfFeatures):
    """How far two pictures differ in their features.

    Features have unit length at each pixel; their squared differences are averaged over the
    picture and summed over channels and layers.

    Args:
        backbone: that makes features of pictures from -1 to 1.
    """

    measure = Measure(
        name="Lite0-distance",
        unit="",
        better="lower",
        convention="features of EfficientNet-Lite0 at five resolutions, of unit length, squared "
        "differences summed over channels and layers; not LPIPS",
    )

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    @classmethod
    def load(cls, path: str | Path | None = None) -> "FeatureDistance":
        """The distance with its published weights.

        Args:
            path: of the weights; None looks in the caches and in the package that carries them.

        Raises:
            MissingFileError: the weights are not on this machine; the message says how to get them.
            ModelError: the file is not the published one.
        """
        return cls(load_backbone(KIND, path))

    def _features(self, pictures: Float[Tensor, "T H W 3"]) -> list[Float[Tensor, "T c h w"]]:
        return of_unit_length(self.backbone(_signed(pictures)))

    def _weighed(self, layer: int, squares: Float[Tensor, "T c"]) -> Float[Tensor, " T"]:
        return squares.sum(-1)


class FrechetDistance:
    """How far two sets of pictures differ as a whole, gathered a few pictures at a time.

    Args:
        backbone: that makes features of pictures from -1 to 1; means of its last layer count.
    """

    measure = Measure(
        name="Frechet-Lite0",
        unit="",
        better="lower",
        convention="Frechet distance of Gaussians over 320 pooled features of EfficientNet-Lite0; "
        "not FID; too small sets come out too far apart",
    )

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._found: dict[str, list[Tensor]] = {"result": [], "reference": []}

    @classmethod
    def load(cls, path: str | Path | None = None) -> "FrechetDistance":
        """The distance with its published weights; arguments and errors as `FeatureDistance.load`.

        Args:
            path: of the weights; None looks in the caches and in the package that carries them.
        """
        return cls(load_backbone(KIND, path))

    @torch.no_grad()
    def add(self, side: str, pictures: Float[Tensor, "T H W 3"]) -> None:
        """Some more pictures.

        Args:
            side: "result" or "reference".
            pictures: RGB in [0, 1].

        Raises:
            ParameterError: there is no such side.
        """
        if side not in self._found:
            raise ParameterError(f"side must be result or reference, got {side!r}")
        self._found[side].append(self._backbone(_signed(pictures))[-1].mean((2, 3)))

    @property
    def pictures(self) -> int:
        """How many pictures the smaller set has."""
        return min(sum(map(len, found)) for found in self._found.values())

    def score(self) -> Score:
        """The distance of what was added.

        Raises:
            ParameterError: a side has fewer than two pictures.
        """
        sides = [torch.cat(found) if found else torch.zeros(0, 1) for found in self._found.values()]
        return self.measure.of(frechet_distance(*sides)[None])


def frechet_distance(
    first: Float[Tensor, "N C"], second: Float[Tensor, "M C"]
) -> Float[Tensor, ""]:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the Gaussians of two sets (Dowson 1982).

    Args:
        first: points of one set.
        second: points of the other.

    Raises:
        ParameterError: a set has fewer than two points, or a value is not finite.
    """
    if min(len(first), len(second)) < 2:
        raise ParameterError(
            f"both sets must have two points or more, got {len(first)} and {len(second)}"
        )
    check_finite("first", first)
    check_finite("second", second)
    means, roots = zip(*(_gaussian(some.double()) for some in (first, second)), strict=True)
    # tr (S1 S2)^(1/2) is the sum of the singular values of R1' R2, where S = R R'
    cross = torch.linalg.svdvals(roots[0] @ roots[1].mT).sum()
    spread = sum(root.square().sum() for root in roots)
    return ((means[0] - means[1]).square().sum() + spread - 2 * cross).clamp(min=0).float()


def _gaussian(points: Float[Tensor, "N C"]) -> tuple[Float[Tensor, " C"], Float[Tensor, "N C"]]:
    """Mean, and rows whose products sum up to the covariance."""
    mean = points.mean(0)
    return mean, (points - mean) / (len(points) - 1) ** 0.5


def _signed(pictures: Float[Tensor, "T H W 3"]) -> Float[Tensor, "T 3 H W"]:
    return pictures.permute(0, 3, 1, 2) * 2 - 1
