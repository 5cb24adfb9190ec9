"""Implicit heads: trained with rendered people, and written beside a fitted head."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.pipelines.implicit.head import (
        IMPLICIT,
        describe_implicit,
        with_implicit,
        write_implicit,
    )
    from morphface.pipelines.implicit.run import open_implicit
    from morphface.pipelines.implicit.training import train_implicit

__all__ = [
    "IMPLICIT",
    "describe_implicit",
    "open_implicit",
    "train_implicit",
    "with_implicit",
    "write_implicit",
]

_HOMES = {
    "IMPLICIT": "head",
    "describe_implicit": "head",
    "open_implicit": "run",
    "train_implicit": "training",
    "with_implicit": "head",
    "write_implicit": "head",
}

__getattr__ = lazy_names(__name__, _HOMES)
