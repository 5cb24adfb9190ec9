"""HeadGAN (Doukas et al. 2021): one photo, any driver.

F finds where the photo shows what the frame shall show, and R paints the frame from what is moved
there. Beyond the paper F starts from the exact flow of the mesh, extended beyond it, and learns
the rest; and several photos are fused, each pixel from those that are to be trusted there: those
that show it, and beyond that those that F trusts, where it was trained with several.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.flow import FlowNetwork, Moved, hints_of
from morphface.generate.networks.fusion import fused, shares
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.painter import RenderingNetwork
from morphface.generate.reference import Reference

__all__ = ["HeadGan"]

Features = list[Float[Tensor, "B c h w"]]


class HeadGan(nn.Module):
    """From windows of maps and photos of a person to frames of that person.

    Args:
        config: resolution, channels, width and style.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.move = FlowNetwork(config)
        self.paint = RenderingNetwork(config)

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
        *,
        features: Sequence[Features] | None = None,
        details: bool = False,
    ) -> Float[Tensor, "B 3 H W"] | Painted:
        """The last frame of each window, in [-1, 1].

        Args:
            window: maps, oldest frame first, from 0 to 1.
            references: photos of the person, one or more.
            style: as the configuration names it; None where it names nothing.
            features: what `encode` made of each photo, if that is at hand.
            details: give what the frame was made of, too, which training needs.

        Raises:
            ShapeError: an argument has not the channels or the size of the configuration.
            ParameterError: there is no photo, or no style though the configuration names one.
        """
        self._check(window, references, style)
        known = features or [self.encode(reference) for reference in references]
        hints = [hints_of(reference).to(window.dtype) for reference in references]
        moved = [self.move(window, *parts) for parts in zip(references, known, hints, strict=True)]
        levels, photo, hint = _merged(moved, references, hints)
        frame = self.paint(window, levels, photo, hint, style)
        if not details:
            return frame
        photos, masks = (tuple(getattr(one, name) for one in moved) for name in ("photo", "mask"))
        return Painted(frame, photos, masks)

    def encode(self, reference: Reference) -> Features:
        """Features of a photo, which serve all frames that are made from it.

        Args:
            reference: the photo; its flow does not matter.
        """
        return self.move.encode(reference)

    def _check(self, window: Tensor, references: Sequence[Reference], style: Tensor | None) -> None:
        config, side = self.config, self.config.resolution
        check_shape("window", window, None, config.window_channels, side, side)
        if not references:
            raise ParameterError("references must be one or more photos of the person, got none")
        for reference in references:
            check_shape("maps", reference.maps, None, sum(config.channels), side, side)
            check_shape("flow", reference.flow, len(window), 2, side, side)
        if config.style_dim and style is None:
            raise ParameterError(
                f"style must be given, {config.style_dim} numbers for {', '.join(config.style)}"
            )
        if config.style_dim and style is not None:
            check_shape("style", style, len(window), config.style_dim)


def _merged(
    moved: Sequence[Moved], references: Sequence[Reference], hints: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """Features, photo and hints of all photos as one; those of a single one keep their bits."""
    share = shares([one.trust for one in moved], [one.valid for one in references])
    levels = zip(*(one.features for one in moved), strict=True)
    photo = fused([one.photo for one in moved], share)
    return tuple(fused(same, share) for same in levels), photo, fused(hints, share)
