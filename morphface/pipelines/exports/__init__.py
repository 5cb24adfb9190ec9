"""From our files to those of other programs, and back: wiring only."""

from morphface.pipelines.exports.curves import import_curves
from morphface.pipelines.exports.run import EXPORTS, export

__all__ = ["EXPORTS", "export", "import_curves"]
