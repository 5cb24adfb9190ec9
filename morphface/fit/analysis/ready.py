"""What fits of pixels need of a model, worked out before they begin.

All of it is kept with the model, so that only the first fit of a process waits for it: how the head
shades itself, drawn from a hundred sides, and the fine mesh of its albedo.
"""

from contextlib import AbstractContextManager, nullcontext
from weakref import WeakSet

import torch

from morphface.core.threads import beside
from morphface.fit.analysis.fine import prepare_fine
from morphface.fit.analysis.surface import surface_of
from morphface.models import MorphableModel

__all__ = ["readied"]

_READY: WeakSet[MorphableModel] = WeakSet()


def readied(model: MorphableModel) -> AbstractContextManager[None]:
    """While it lasts, a thread works out what pixels need of a model, if that is not known.

    Args:
        model: that will be fitted; one without reflectance is given another's first.
    """
    if model in _READY or model.reflectance is None:
        return nullcontext()
    _READY.add(model)
    return beside(lambda: _make_ready(model))


def _make_ready(model: MorphableModel) -> None:
    with torch.no_grad():
        surface_of(model, model.faces.device, model.identity.mean.dtype)
        prepare_fine(model)
