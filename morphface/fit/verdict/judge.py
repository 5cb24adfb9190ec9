"""From measures to a verdict."""

import math

from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.shared.result import FitResult
from morphface.fit.verdict.measures import Measures
from morphface.fit.verdict.quality import quality_of, stage_of
from morphface.fit.verdict.record import WARNINGS, Verdict, Warned
from morphface.fit.verdict.weights import LEAST_QUALITY

__all__ = ["judge"]


def judge(measures: Measures, fit: FitResult, pixels: PhotometricResult | None) -> Verdict:
    """How far a fit may be believed.

    A fit is not believed where a measure is beyond what any fit survives, or where all of them
    together leave less hope than its stage asks for (`weights.LEAST_QUALITY`). What the solver says
    of itself counts for fits to landmarks; of those to pixels all that it looks at is measured here
    and weighed, which tells right fits from wrong ones better than its limits do
    (`benchmarks/bench_verdict.py`).

    Args:
        measures: of the fit.
        fit: to the landmarks.
        pixels: what pixels found, which then counts; None if they were not asked.
    """
    found = measures.record()
    warnings = tuple(
        Warned(kind.name, found[kind.name])
        for kind in WARNINGS.values()
        if kind.passes(found[kind.name], kind.limit)
    )
    stage = stage_of(pixels is not None)
    quality = quality_of(measures, stage)
    reason = (fit.reason if pixels is None else "") or _fatal(warnings)
    if not reason and quality < LEAST_QUALITY[stage]:
        worst = "; ".join(one.words for one in warnings if one.name != "focal")
        reason = f"{quality:.0%} of fits like this one are right" + (f": {worst}" * bool(worst))
    return Verdict(0.0 if reason and math.isnan(quality) else quality, warnings, not reason, reason)


def _fatal(warnings: tuple[Warned, ...]) -> str:
    """The words of the first warning that no fit survives."""
    for one in warnings:
        limit = WARNINGS[one.name].fatal
        if limit is not None and WARNINGS[one.name].passes(one.value, limit):
            return one.words
    return ""
