"""CoNR (Lin et al. 2023): any number of references of one person, and the pose to draw.

References are drawn towards the pose from coarse to fine, by blocks that all of them share and in
which each hears what all have found; a softmax fuses them, so that their order does not matter. Of
Collaborative Neural Rendering are layers and channels; beyond it flows start from those of the
mesh, and fusion from what each photo is known to show.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.behind import background, doubled_size
from morphface.generate.networks.blocks import for_frames, joined
from morphface.generate.networks.codes import CODE, CodeNetwork, shows_mesh
from morphface.generate.networks.fusion import fused
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.resnet import RESNET18, ResNet
from morphface.generate.networks.views import Drawn, View, Viewed, ViewRenderer
from morphface.generate.networks.warp import halved_flow, warped
from morphface.generate.reference import Reference

__all__ = ["Conr"]

_SIZES = 6
_COARSEST = 4
"""Pixels that the coarsest size has at least."""


class Conr(nn.Module):
    """From the maps of a frame and photos of a person to the frame.

    Args:
        config: resolution, width (64 as published), and whether what is painted is added.

    Raises:
        ParameterError: the width is no multiple of 4.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        if width % 4:
            raise ParameterError(f"width must be a multiple of 4 for conr, got {width}")
        self.sizes = min(_SIZES, int(math.log2(config.resolution / _COARSEST)) + 1)
        inner = self.sizes - 1
        self.read = CodeNetwork(width, inner)
        self.pose = ResNet(config.window_channels + 1, width, RESNET18[: inner - 1])
        own = (self.read.encoder.widths[0], *self.read.encoder.widths)
        wanted = (self.pose.widths[0], *self.pose.widths)
        self.draw = ViewRenderer(own, wanted, width, last=2 if config.blend else 1)
        self.shape = nn.Sequential(
            nn.Conv2d(own[0], own[0], 1),
            nn.PReLU(own[0]),
            nn.Conv2d(own[0], own[0], 3, 1, 1),
            nn.PReLU(own[0]),
            nn.Conv2d(own[0], own[0], 1),
        )
        self.last = nn.Conv2d(own[0], CODE, 3, 1, 1)

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
        *,
        features: Sequence[Viewed] | None = None,
        details: bool = False,
    ) -> Float[Tensor, "B 3 H W"] | Painted:
        """The frames that windows show, in [-1, 1], before what the photos show behind the person.

        Args:
            window: maps, from 0 to 1.
            references: photos of the person, one or more.
            style: is not listened to.
            features: what `encode` made of each photo, if that is at hand.
            details: give what the frame was made of, too, which training needs.

        Raises:
            ShapeError: an argument has not the channels or the size of the configuration.
            ParameterError: there is no photo.
        """
        self._check(window, references)
        known = features or [self.encode(reference) for reference in references]
        drawn, views = self._drawn(window, references, known)
        painted = self._painted(drawn, views)
        colours, alpha = painted[:, :3], painted[:, 3:]
        behind = background(
            [for_frames(one.photo, len(window)).float() for one in references],
            [for_frames(one.matte, len(window)).float() for one in references],
        )
        frame = 2 * colours - alpha + (1 - alpha) * behind
        if not details:
            return frame
        moved = tuple(
            warped(for_frames(one.photo, len(window)).float(), view.flow)
            for one, view in zip(references, views, strict=True)
        )
        codes = tuple(self.read.code(list(one.features[1:])) for one in known)
        return Painted(frame, moved, alpha=alpha, codes=codes)

    def encode(self, reference: Reference) -> Viewed:
        """Features of a photo, which serve all frames that are made from it.

        Args:
            reference: the photo; its flow does not matter.
        """
        view = rgba(reference).to(self.last.weight.dtype)
        found = self.read.features(view)
        views = [view]
        for _ in found:
            views.append(avg_pool2d(views[-1], 2))
        return Viewed(tuple(views), (doubled_size(found[0]), *found))

    def code_of(self, reference: Reference) -> Float[Tensor, "B 4 H W"]:
        """The code that the network reads off a photo, of hair and clothes too if it learnt them.

        Args:
            reference: the photo; its maps and its flow are not looked at.
        """
        return self.read.code(list(self.encode(reference).features[1:]))

    def pose_code(self, window: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c H W"]:
        """The code of the pose to draw: maps, and where the newest shows the surface."""
        newest = window[:, -sum(self.config.channels) :]
        return joined([window, shows_mesh(newest)])

    def _drawn(
        self, window: Tensor, references: Sequence[Reference], known: Sequence[Viewed]
    ) -> tuple[Drawn, list[View]]:
        """What the references have in common at the size of the frame, and each of them."""
        pose = self.pose(self.pose_code(window).to(self.last.weight.dtype))
        whole = [one.map(lambda part: for_frames(part, len(window))) for one in known]
        prior = self.config.flow_prior
        flows = [
            self._begun(one.flow) if prior else self._begun(0 * one.flow) for one in references
        ]
        valid = [one.valid for one in references] if prior else []
        return self.draw(whole, flows, valid, [doubled_size(pose[0]), *pose])

    def _begun(self, flow: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 2 h w"]:
        """A flow at the coarsest size."""
        for _ in range(self.sizes - 1):
            flow = halved_flow(flow)
        return flow

    def _painted(self, common: Drawn, views: Sequence[View]) -> Float[Tensor, "B 4 H W"]:
        """Colours times alpha, and alpha."""
        shaped = common.message + self.shape(common.message)
        found = self.last(shaped).float()
        if not self.config.blend:
            colours, alpha = found.sigmoid().split((3, 1), dim=1)
            return torch.cat([colours * alpha, alpha], dim=1)
        moved = fused([warped(one.viewed.views[0], one.flow) for one in views], common.share)
        colours, alpha = (moved.float() + found.tanh()).clamp(0, 1).split((3, 1), dim=1)
        return torch.cat([torch.minimum(colours, alpha), alpha], dim=1)

    def _check(self, window: Tensor, references: Sequence[Reference]) -> None:
        config, side = self.config, self.config.resolution
        check_shape("window", window, None, config.window_channels, side, side)
        if not references:
            raise ParameterError("references must be one or more photos of the person, got none")
        for reference in references:
            check_shape("flow", reference.flow, len(window), 2, side, side)


def rgba(reference: Reference) -> Float[Tensor, "B 4 H W"]:
    """A photo as colours times alpha and alpha, from 0 to 1."""
    colours = (reference.photo.float() + 1) / 2 * reference.matte
    return torch.cat([colours, reference.matte.expand(len(colours), -1, -1, -1)], dim=1)
