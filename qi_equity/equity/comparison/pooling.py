"""Partial pooling: each group's rates at its sites, drawn towards that group's own mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qi_equity.data.cells import Floats
from qi_equity.data.spans import Spans
from qi_equity.equity.comparison.layout import Layout, judgeable, lay_out
from qi_equity.formulas.shrinkage import Shrunken, beta_binomial_shrinkage, gamma_poisson_shrinkage

FEWEST_SITES = 3
COMPLETE = "complete: sites differ no more than chance makes them"
PARTIAL = "partial"
REASONS = {
    "sites": f"not possible: fewer than {FEWEST_SITES} sites with births",
    "events": "not possible: no event, or nothing but events, at any site",
    "means": "not possible: made for events, not for measurements",
    "cell": "not possible: no births, or counts not known",
}


@dataclass(frozen=True, slots=True)
class Pooled:
    """Shrunken rates of every stratum and span, shape (S, K) each.

    Parameters
    ----------
    shrunken, lower, upper, weight : ndarray of float
        Rates drawn towards the mean of the group over its sites, their intervals, and the weight of the
        site's own rate; NaN where it is not possible.
    pooling : ndarray of str
        ``"partial"``, that it was complete, or why it is not possible.
    """

    shrunken: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    pooling: NDArray[np.object_]


def pool_within_group(spans: Spans, confidence: float) -> Pooled:
    """Shrink the rates of each group at its sites towards the mean of that group; never across groups."""
    kind = spans.series.measure.kind
    if kind == "mean":
        return _none(spans, REASONS["means"])
    if "site" not in spans.cells.strata:
        return _none(spans, REASONS["sites"])
    layout = lay_out(spans, "site")
    there = judgeable(layout, spans)
    events, births = (
        np.where(there, layout.gather(getattr(spans.cells, name)), np.nan)
        for name in ("numerator", "denominator")
    )
    shrink = beta_binomial_shrinkage if kind == "proportion" else gamma_poisson_shrinkage
    found = shrink(events, births, confidence=confidence)
    pooling = _words(found, there, layout)
    rate, lower, upper, weight = (
        layout.scatter(block) for block in (found.estimate, found.lower, found.upper, found.weight)
    )
    return Pooled(rate, lower, upper, weight, pooling)


def _words(found: Shrunken, there: NDArray[np.bool_], layout: Layout) -> NDArray[np.object_]:
    few = np.count_nonzero(there, axis=-1, keepdims=True) < FEWEST_SITES
    said = np.select(
        [few, ~there, np.isnan(found.estimate), found.complete[..., None] & there],
        [REASONS["sites"], REASONS["cell"], REASONS["events"], COMPLETE],
        PARTIAL,
    )
    words: NDArray[np.object_] = layout.scatter(said.astype(object))
    return words


def _none(spans: Spans, reason: str) -> Pooled:
    shape = spans.n_periods.shape
    nothing = np.full(shape, np.nan)
    return Pooled(nothing, nothing, nothing, nothing, np.full(shape, reason, dtype=object))
