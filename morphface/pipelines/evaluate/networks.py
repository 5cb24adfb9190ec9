"""Networks that some measures need: each is used where its weights are on this machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from morphface.core.errors import MissingFileError
from morphface.evaluate import Csim, FeatureDistance, Lpips

__all__ = ["Networks", "find_networks"]

_N = TypeVar("_N")


@dataclass(frozen=True, eq=False)
class Networks:
    """Measures that are learnt; None leaves one out.

    Args:
        lpips: the perceptual distance.
        features: the distance that installs by pip; its network serves the distance of sets, too.
        csim: the similarity of people.
    """

    lpips: Lpips | None = None
    features: FeatureDistance | None = None
    csim: Csim | None = None


def find_networks(
    note: Callable[[str], None],
    *,
    lpips: tuple[str | Path | None, str | Path | None] = (None, None),
    sface: str | Path | None = None,
) -> Networks:
    """What is on this machine.

    Args:
        note: is told what is left out, and how to get it.
        lpips: paths of AlexNet and of LPIPS' own weights; None looks in the usual places.
        sface: path of SFace; None looks in the folder of models.

    Raises:
        MissingFileError: a path was given, and nothing is there.
        ModelError: a file is not the published one.
    """

    def found(name: str, load: Callable[[], _N], *, given: bool) -> _N | None:
        try:
            return load()
        except MissingFileError as error:
            if given:
                raise
            note(f"{name} is left out: {error}")
            return None

    weights, channels = lpips
    return Networks(
        found(
            "LPIPS",
            lambda: Lpips.load(backbone=weights, channels=channels),
            given=weights is not None or channels is not None,
        ),
        found("Lite0-distance", FeatureDistance.load, given=False),
        found("CSIM", lambda: Csim.load(sface), given=sface is not None),
    )
