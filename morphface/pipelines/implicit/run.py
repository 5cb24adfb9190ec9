"""The network of a run that was trained for implicit heads."""

from pathlib import Path

from morphface.core.errors import ModelError
from morphface.generate import load_generator
from morphface.generate.implicit import Implicit
from morphface.pipelines.oneshot.run import weights_at

__all__ = ["open_implicit"]


def open_implicit(run: str | Path) -> Implicit:
    """The network of a run of `morphface train implicit`.

    Args:
        run: the folder of the run, or its file of weights.

    Raises:
        MissingFileError: there is none.
        ModelError: it is another generator, or damaged.
    """
    network = load_generator(weights_at(Path(run)))
    if not isinstance(network, Implicit):
        kind = network.config.kind  # type: ignore[union-attr]  # of every generator
        raise ModelError(
            f"{run} holds a {kind} generator; --implicit needs a run of `morphface train implicit`"
        )
    return network
