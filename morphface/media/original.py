"""What a file holds beyond sRGB in 8 bits, so that what nobody changed is written back as it was.

A picture is worked on as RGB on white. Its transparency, its further bits and the colour profile
that its numbers belong to are kept beside that, and a changed picture gets them back: pixels that
did not change have the very samples of the file, the others are converted to their kind.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.media.profiles import srgb_to_profile

__all__ = ["Original", "Samples"]

Samples = np.ndarray[Any, np.dtype[Any]]
"""H x W x 3 or 4: RGB, and alpha if there is one, uint8 or uint16."""


@dataclass(frozen=True, eq=False)
class Original:
    """The samples of a picture as its file has them.

    Args:
        samples: RGB or RGBA, not premultiplied.
        white: the value of full light and of full opacity: 255, 65535, or less where a file has
            fewer bits than its type.
        profile: the ICC profile of RGB colours that the samples belong to; None is sRGB.
    """

    samples: Samples
    white: int = 255
    profile: bytes | None = None

    @property
    def has_alpha(self) -> bool:
        """Whether there is transparency."""
        return self.samples.shape[2] == 4

    def moved(self, mirror: bool, turns: int) -> "Original":
        """Mirrored left-right if asked for, then turned counter-clockwise by quarter turns.

        Args:
            mirror: whether to mirror.
            turns: how many quarter turns.
        """
        samples = self.samples[:, ::-1] if mirror else self.samples
        return replace(self, samples=np.ascontiguousarray(np.rot90(samples, turns)))

    def redrawn(self, before: Float[Tensor, "H W 3"], after: Float[Tensor, "H W 3"]) -> "Original":
        """The samples of a changed picture.

        Where a transparent pixel changed, it becomes as little more opaque as shows the new colour
        on white.

        Args:
            before: the picture of these samples, on white.
            after: the picture as it was changed, on white.
        """
        changed = (before != after).any(dim=-1)
        here: Bool[np.ndarray, "H W"] = changed.cpu().numpy()
        colour = after.detach().cpu()[changed.cpu()].clamp(0, 1)
        samples = self.samples.copy()
        if self.has_alpha:
            alpha = torch.from_numpy(samples[here][:, 3] / np.float32(self.white))[:, None]
            alpha = torch.maximum(alpha, 1 - colour.amin(dim=-1, keepdim=True))
            colour = 1 - (1 - colour) / alpha.clamp(min=1e-6)
            samples[here, 3] = (alpha[:, 0] * self.white).round().numpy()
        values = colour.numpy()
        if self.profile is not None:
            values = srgb_to_profile(values, self.profile)
        samples[here, :3] = np.round(values.clip(0, 1) * self.white)
        return replace(self, samples=samples)

    def in_8_bits(self) -> Samples:
        """The samples as uint8, 255 for white."""
        if self.samples.dtype == np.uint8:
            return self.samples
        scaled = np.round(self.samples * np.float32(255 / self.white))
        return scaled.clip(0, 255).astype(np.uint8)
