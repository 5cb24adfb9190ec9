"""One photo of a fit: what stays of it from stage to stage."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.colour import Balance
from morphface.fit.analysis.energies import Prior
from morphface.fit.analysis.lens import Lens, View, crop
from morphface.fit.analysis.markers import Detected

__all__ = ["Frame"]


@dataclass(frozen=True, eq=False)
class Frame:
    """What stays of one photo from stage to stage.

    Args:
        photo: its pixels.
        lens: to them.
        box: the part that holds the face.
        scale: pixels for a millimetre.
        balance: of its colours.
        marks: its landmarks.
        priors: of the groups that it has for itself.
        cover: how likely each pixel of the photo shows something before the face; None: nothing.
    """

    photo: Float[Tensor, "H W 3"]
    lens: Lens
    box: tuple[int, int, int, int]
    scale: float
    balance: Balance
    marks: Detected
    priors: tuple[Prior, ...]
    cover: Float[Tensor, "H W"] | None = None

    def view(self, spacing: float) -> View:
        """The face, a pixel every `spacing` millimetres."""
        ratio = 1 / (spacing * self.scale)
        view = crop(self.photo, self.lens, self.box, ratio=ratio, mix=self.balance.mix)
        if self.cover is None:
            return view
        left, top, right, bottom = self.box
        hidden = torch.nn.functional.interpolate(
            self.cover[None, None, top:bottom, left:right], view.size, mode="area"
        )[0, 0]
        return replace(view, open=1 - hidden, hidden=hidden)

    def opened(self, spacing: float, last: View) -> View:
        """The same, with what was found hidden in the view before.

        Args:
            spacing: millimetres between pixels.
            last: the view of the stage before.
        """
        view = self.view(spacing)
        planes = torch.nn.functional.interpolate(
            last.open[None, None], view.size, mode="bilinear", align_corners=False
        )
        return replace(view, open=planes[0, 0])
