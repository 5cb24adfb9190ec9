"""What is done with a clip: track it, crop it, render its maps."""

from collections.abc import Callable, Iterator

from morphface.pipelines.prepare.settings import PrepareSettings
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.unit import Sequence

__all__ = ["check_machine", "work_on_clip"]


def check_machine(settings: PrepareSettings) -> None:
    """Refuse."""


def work_on_clip(
    clip: Clip, settings: PrepareSettings, warn: Callable[[str], None]
) -> Iterator[Sequence]:
    """Work."""
    raise NotImplementedError
