"""Datasets and trained runs of an older revision of their model: what of them still serves.

Their parameters are converted as those of files are (`parameters/upgrade.py`), and their pictures
stay right, but for the maps that colour each point by its place in the mean shape: a network that
was trained on those of one revision sees others from the next.
"""

from collections.abc import Sequence

from morphface.core.errors import DatasetError
from morphface.media.shards import ShardFolder
from morphface.parameters.upgrade import REVISION, revision_of

__all__ = ["check_dataset", "older_revision", "outdated"]

_OF_THE_MEAN = ("correspondence", "correspondence_flat")


def older_revision(folder: ShardFolder) -> int | None:
    """The revision of its model that a dataset was made with; None if that is the present one.

    Args:
        folder: of the dataset; a model that was never revised has none.
    """
    newest = revision_of(folder.manifest.get("settings", {}).get("model"))
    found = int(folder.manifest.get("versions", {}).get(REVISION, 1))
    return found if newest is not None and found < newest else None


def check_dataset(folder: ShardFolder, maps: Sequence[str]) -> None:
    """Refuse to train on a dataset whose maps will be drawn otherwise.

    Args:
        folder: of the dataset.
        maps: that are trained on.

    Raises:
        DatasetError: it is of an older revision, and one of the maps has other colours since.
    """
    words = outdated(older_revision(folder), maps)
    if words:
        raise DatasetError(f"{folder.path} {words}; prepare its clips again, into another folder")


def outdated(revision: int | None, maps: Sequence[str]) -> str:
    """What differs since a revision, as the end of a sentence; empty if nothing that matters.

    Args:
        revision: older than the present one; None if it is not.
        maps: that are used.
    """
    changed = [name for name in maps if name in _OF_THE_MEAN]
    if revision is None or not changed:
        return ""
    return (
        f"was made with revision {revision} of its model, since when map {changed[0]!r} has other "
        "colours"
    )
