"""From our files to those of other programs, and back: wiring only."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.pipelines.exports.curves import import_curves
    from morphface.pipelines.exports.run import EXPORTS, export


__all__ = ["EXPORTS", "export", "import_curves"]

_HOMES = {
    "EXPORTS": "run",
    "export": "run",
    "import_curves": "curves",
}

__getattr__ = lazy_names(__name__, _HOMES)
