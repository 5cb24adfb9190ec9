"""A prepared corpus for training: people to learn from, and people to be judged by."""

from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.take import Takes
from morphface.media.shards import open_shards
from morphface.pipelines.prepare.takes import CorpusTakes
from morphface.pipelines.revisions import check_dataset

__all__ = ["open_takes"]


def open_takes(
    dataset: str | Path, config: GeneratorConfig, *, validation: float = 0.2, photos: int = 1
) -> tuple[Takes, Takes | None]:
    """What to train with, and what to validate with: other people, or a later part of one person.

    Args:
        dataset: that `morphface prepare --corpus` wrote.
        config: of the generator.
        validation: share of people; of a single one, of the end of each clip; 0 for none.
        photos: of a take.

    Raises:
        ParameterError: the share makes no sense.
        DatasetError: it is no corpus, or of another size.
    """
    if not 0 <= validation < 1:
        raise ParameterError(f"the share to validate must be in [0, 1), got {validation}")
    folder = open_shards(dataset)
    check_dataset(folder, config.maps)
    ways: dict[str, Any] = {"longest": LONGEST, "together": photos}
    takes = CorpusTakes(folder, config, **ways)
    people = takes.people
    if not validation:
        return takes, None
    if len(people) == 1:
        first, last = ((0.0, 1 - validation), (1 - validation, 1.0))
        return (
            CorpusTakes(folder, config, **ways, part=first),
            CorpusTakes(folder, config, **ways, part=last),
        )
    held = people[-max(round(validation * len(people)), 1) :]
    trained = [name for name in people if name not in held]
    return (
        CorpusTakes(folder, config, **ways, identities=trained),
        CorpusTakes(folder, config, **ways, identities=held),
    )


LONGEST = 64
"""The most frames of a take: HeadGAN's clips have 50."""
