"""What trainings of all kinds of people share: where a run begins, and what it measured last."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from morphface.generate.checkpoint import read_config
from morphface.generate.config import GeneratorConfig
from morphface.generate.training.journal import read_journal
from morphface.generate.training.loop import GENERATOR

__all__ = ["begun_config", "last_measures"]


def begun_config(
    usual: GeneratorConfig,
    run: Path,
    start: str | Path | None,
    *,
    resume: bool,
    given: Mapping[str, Any],
) -> GeneratorConfig:
    """The configuration of a run: that of what it goes on from, with the user's wishes in it.

    Args:
        usual: of a run that begins with nothing.
        run: the folder of the run.
        start: a run whose weights are the first.
        resume: whether the run goes on.
        given: fields that the user asked for.

    Raises:
        MissingFileError: there is no run to start with.
        ModelError: its weights are damaged.
    """
    known = run if resume and (run / GENERATOR).is_file() else start
    return usual if known is None else read_config(Path(known) / GENERATOR).replace(**given)


def last_measures(run: Path, names: Sequence[str]) -> dict[str, float]:
    """What was measured last in a run; nothing if nothing was.

    Args:
        run: its folder.
        names: of the measures.
    """
    last = [entry for entry in read_journal(run) if any(name in entry for name in names)]
    return {name: last[-1][name] for name in names} if last else {}
