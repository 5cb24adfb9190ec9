"""Depth of a face from one picture, learnt from consecutive frames alone (DaGAN, section 3.1).

A network reads depth off a picture, another how the head moved between two pictures and what the
camera is, which nobody knows of films of faces. With all three one picture can be made from
another; how far it is from the true one is what both learn from (Zhou et al. 2017; the form of the
losses is that of Godard et al. 2019). Depth is without a unit: the motion has the same. Heads turn
about themselves and not about the camera, and so does what the network says of their motion: about
a point on the optical axis, as far as the picture is in the mean.
"""

import math
from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate, softplus

from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.resnet import RESNET18, ResNet
from morphface.geometry.camera import Camera, to_camera

__all__ = ["DepthNetwork", "FaceDepth", "MotionNetwork", "Moved", "about", "depth_of", "view_flow"]

NEAREST, FARTHEST = 0.1, 100.0
"""Depths of a disparity of 1 and of 0, as published."""
_STEP = 0.01
"""Radians, units of depth and parts of the side that 1 of the motion network is, as published."""
_SCALES = 4
"""Sizes at which disparity is read, as published."""
_SHARES = (4, 2, 1, 0.5, 0.25)
"""Channels of the decoder from coarse to fine, by the width: 256 to 16 of 64."""
_ROUND = 1.0
"""Logit by which disparity begins larger in the middle than at the border. Before a far camera a
hollow face that turns the other way moves as a round one: learning must begin on one side."""
_POSE, _CAMERA = 6, 4
_COARSEST, _WIDEST = 4, 8
"""Side of the coarsest features of the motion network, and how many times its width they have."""


@dataclass(frozen=True, eq=False)
class Moved(Record):
    """How what a picture shows got into another one.

    Args:
        rotation: rotation vector in radians, in the camera frame, about its origin.
        translation: in the unit of depth.
        focal: of the camera along x and y, by the side of the picture.
        principal: where the optical axis meets the picture, by its side.
    """

    rotation: Float[Tensor, "B 3"]
    translation: Float[Tensor, "B 3"]
    focal: Float[Tensor, "B 2"]
    principal: Float[Tensor, "B 2"]


class DepthNetwork(nn.Module):
    """A U-Net on a ResNet-18 that reads disparity.

    Args:
        config: resolution, and the width of the finest features; 64 as published.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.encoder = ResNet(3, config.width, _stages(config))
        skipped = [*self.encoder.widths[-2::-1], 0]
        outputs = [max(int(config.width * share), 1) for share in _SHARES[-len(skipped) :]]
        inputs = [self.encoder.widths[-1], *outputs[:-1]]
        self.up = nn.ModuleList(_conv(a, b) for a, b in zip(inputs, outputs, strict=True))
        self.mix = nn.ModuleList(_conv(b + s, b) for b, s in zip(outputs, skipped, strict=True))
        self.heads = nn.ModuleList(_conv(b, 1) for b in outputs[-_SCALES:])

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B 1 h w"]]:
        """Disparity from 0 to 1, of the picture's size first, then of halves of it.

        Args:
            pictures: from -1 to 1.
        """
        features = self.encoder(pictures)
        found, sizes = features[-1], []
        for up, mix, skipped in zip(self.up, self.mix, [*features[-2::-1], None], strict=True):
            found = interpolate(elu(up(found)), scale_factor=2, mode="nearest")
            found = found if skipped is None else torch.cat([found, skipped], dim=1)
            found = elu(mix(found))
            sizes.append(found)
        pairs = zip(self.heads, sizes[-_SCALES:], strict=True)
        logits = [head(some).float() for head, some in pairs][::-1]
        return [(one + _ROUND * (1 - _outward(one))).sigmoid() for one in logits]


class MotionNetwork(nn.Module):
    """How the head moved between two pictures, and the camera: convolutions down to 4 x 4 pixels.

    Where things are is what tells how they moved: features are not averaged over the picture. On
    pairs of rendered people at 64 pixels, with the true pose as teacher, the mean of a ResNet-18's
    features had learnt nothing after 160 steps; these left 0.65 of its variance after 300.

    Args:
        config: resolution and width.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        count = int(math.log2(config.resolution // _COARSEST))
        widths = [6, *(config.width * min(2 << k, _WIDEST) for k in range(count))]
        self.look = nn.Sequential(
            *(
                layer
                for a, b in zip(widths[:-1], widths[1:], strict=True)
                for layer in (
                    nn.Conv2d(a, b, 3, 2, 1),
                    nn.InstanceNorm2d(b, affine=True),
                    nn.ReLU(),
                )
            )
        )
        self.last = nn.Linear(widths[-1] * _COARSEST**2, _POSE + _CAMERA)
        # from no motion on: pixels that a wrong one makes worse would not count, and not mend it
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, here: Float[Tensor, "B 3 H W"], there: Float[Tensor, "B 3 H W"]) -> Moved:
        """From what `here` shows to what `there` does, about a point one unit ahead.

        Args:
            here: pictures from -1 to 1.
            there: others of the same people.
        """
        found = self.last(self.look(torch.cat([here, there], dim=1)).flatten(1)).float()
        pose, camera = found.split((_POSE, _CAMERA), dim=1)
        focal, principal = softplus(1.0 + _STEP * camera[:, :2]), 0.5 + _STEP * camera[:, 2:]
        return Moved(_STEP * pose[:, :3], _STEP * pose[:, 3:], focal, principal)


class FaceDepth(nn.Module):
    """Both networks, as they are trained together; a generator takes the first of them.

    Args:
        config: of the kind "depth".

    Raises:
        ParameterError: it is not blind, or has a style.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        if config.maps or config.style:
            raise ParameterError(
                f"maps and style must be none for depth, got {config.maps} and {config.style}"
            )
        self.sight, self.ego = DepthNetwork(config), MotionNetwork(config)

    def forward(
        self, target: Float[Tensor, "B 3 H W"], sources: Float[Tensor, "B N 3 H W"]
    ) -> tuple[list[Float[Tensor, "B 1 h w"]], Moved]:
        """Disparity of pictures, and how each source sees what they show; B N rows of motions.

        Args:
            target: pictures from -1 to 1.
            sources: other pictures of the same people, such as the frames beside them.
        """
        count = sources.shape[1]
        here = target[:, None].expand(-1, count, -1, -1, -1).flatten(0, 1)
        sizes = self.sight(target)
        far = depth_of(sizes[0].mean((1, 2, 3))).repeat_interleave(count)
        return sizes, about(self.ego(here, sources.flatten(0, 1)), far)


def about(moved: Moved, far: Float[Tensor, " B"]) -> Moved:
    """A motion about the camera that was one about a point ahead, with that distance as the unit.

    Args:
        moved: about the point.
        far: of it, in the unit of depth.
    """
    point = torch.stack([torch.zeros_like(far), torch.zeros_like(far), -far], dim=1)
    turned = (roma.rotvec_to_rotmat(moved.rotation) @ point[..., None])[..., 0]
    return replace(moved, translation=far[:, None] * moved.translation + point - turned)


def depth_of(disparity: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Depth from `NEAREST` to `FARTHEST`.

    Args:
        disparity: from 0 to 1.
    """
    return 1 / (1 / FARTHEST + (1 / NEAREST - 1 / FARTHEST) * disparity)


def view_flow(depth: Float[Tensor, "B 1 H W"], moved: Moved) -> Float[Tensor, "B 2 H W"]:
    """Where another picture shows what each pixel shows, in pixels from it.

    Args:
        depth: along the optical axis.
        moved: from these pictures to the others.
    """
    height, width = depth.shape[-2:]
    y, x = (torch.arange(n, device=depth.device) + 0.5 for n in (height, width))
    rows = torch.stack([x.expand(height, width), y[:, None].expand(height, width)]).flatten(1)
    # one focal length for both axes: y is stretched as if pixels were square, and back
    square = moved.focal[:, :1] / moved.focal[:, 1:]
    stretch = torch.cat([torch.ones_like(square), square], dim=1)
    camera = Camera(width * moved.focal[:, 0], width * moved.principal * stretch, (height, width))
    seen = rows.T * stretch[:, None]
    points = camera.unproject(torch.cat([seen, depth.flatten(2).mT], dim=2))
    there = camera.project(to_camera(points, moved.rotation, moved.translation))
    flow = there[..., :2] / stretch[:, None] - rows.T
    return flow.mT.unflatten(2, (height, width))


def _stages(config: GeneratorConfig) -> tuple[int, ...]:
    """Stages of the encoder: four, fewer where the coarsest features would be a single pixel."""
    return RESNET18[: int(math.log2(config.resolution)) - 2]


def _outward(like: Float[Tensor, "B 1 h w"]) -> Float[Tensor, "h w"]:
    """Squared distance from the middle of a picture, 1 at the middles of its sides."""
    y, x = ((torch.arange(n, device=like.device) + 0.5) * (2 / n) - 1 for n in like.shape[-2:])
    return y[:, None].square() + x.square()


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    """A convolution before which the border is mirrored."""
    return nn.Conv2d(inputs, outputs, 3, 1, 1, padding_mode="reflect")
