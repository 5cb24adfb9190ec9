"""Implicit heads: trained with rendered people, and written beside a fitted head."""

from morphface.pipelines.implicit.head import (
    IMPLICIT,
    describe_implicit,
    open_implicit,
    with_implicit,
    write_implicit,
)
from morphface.pipelines.implicit.training import train_implicit

__all__ = [
    "IMPLICIT",
    "describe_implicit",
    "open_implicit",
    "train_implicit",
    "with_implicit",
    "write_implicit",
]
