"""Two files in, a table of measures out. Wiring only."""

from morphface.pipelines.evaluate.run import MASKS, Evaluation, Wishes, evaluate_files

__all__ = ["MASKS", "Evaluation", "Wishes", "evaluate_files"]
