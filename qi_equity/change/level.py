"""The level model: one rate before the change and one after it, with the dispersion of the stratum's own."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.change.estimate import Effects
from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.formulas.gap_change import square_and_add
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.level_change import (
    FEW_EVENTS,
    Cells,
    Family,
    choose,
    exact_intervals,
    few_events,
    inflation,
    level_dispersion,
    quasi_intervals,
    quasi_logs,
    segment_sums,
    t_of,
    two_sided_p,
    used_periods,
)
from qi_equity.formulas.proportion_intervals import wilson_interval
from qi_equity.formulas.rate_intervals import mid_p_rate_interval
from qi_equity.formulas.sparse_change import conditional_p, conditional_rate_p

__all__ = ["FEW_EVENTS", "Family", "level_dispersion", "level_effects", "segment_sums", "used_periods"]

# After a change, and before it: where they stand among the segments.
_SIDES = (slice(1, None), slice(None, -1))


def level_effects(
    events: Floats,
    size: Floats,
    segment: Ints,
    changes: int,
    *,
    family: Family,
    confidence: float,
    inflate: Floats | None = None,
) -> Effects:
    r"""Compare the pooled rates before and after each change.

    With dispersion :math:`\hat\phi = \max(1, X^2 / \nu)`, Pearson's :math:`X^2` about the rate of each
    segment and :math:`\nu` periods less segments,

    .. math:: \log\frac{p_1}{p_0} \pm t_\nu \sqrt{\hat\phi \left(\frac{1 - p_1}{x_1} +
              \frac{1 - p_0}{x_0}\right)}

    which is the quasi-likelihood interval of a regression on the segment (without :math:`1 - p` for rates).
    Where a cell has fewer than 10 events, or births without one, it is the exact conditional (mid-P)
    interval of the odds ratio, at the confidence that widens a normal interval by
    :math:`w = t_\nu \sqrt{\hat\phi} / z`; for rates that of the ratio of effective counts, each divided by
    :math:`w^2`. The difference is that of two Wilson intervals (for rates mid-P) of effective counts
    (Newcombe).

    Parameters
    ----------
    events, size : ndarray of float, shape (..., T)
        Adverse events, and births (or exposure); NaN where not known.
    segment : ndarray of int, shape (..., T)
        Segment of each period from 0; -1 where it is left out.
    changes : int
        Number of changes K.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.
    confidence : float
        Level of confidence, in (0, 1).
    inflate : ndarray of float, shape (..., K), optional
        How many times larger the variance of each change is than with this dispersion, because periods follow
        on one another; the intervals of its two rates are widened alike. Default: 1.

    Returns
    -------
    Effects
        NaN where a stratum has no births on one side.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5.
    .. [2] Newcombe. Interval estimation for the difference between independent proportions. Statistics in
       Medicine 1998;17:873-90.
    """
    x, n = segment_sums(events, size, segment, changes + 1)
    dispersion, df = (a[..., None] for a in level_dispersion(events, size, segment, x, n, family))
    dispersion = dispersion if inflate is None else dispersion * inflate
    wide = inflation(dispersion, df, confidence)
    after, before = (_rates(x[..., k] / wide**2, n[..., k] / wide**2, family, confidence) for k in _SIDES)
    x1, n1, x0, n0 = (a[..., k] for k in _SIDES for a in (x, n))
    cells = x1, n1, x0, n0
    few = np.broadcast_to(few_events(cells, family), x1.shape)
    large = quasi_intervals(cells, dispersion, t_of(df, confidence), family)
    small = exact_intervals(cells, wide, few, family, confidence)
    rough = square_and_add([after, before], [1, -1])
    difference, ratio, odds_ratio = (choose(few, *pair) for pair in zip(small, (rough, *large), strict=True))
    return Effects(
        before=before,
        after=after,
        difference=difference,
        ratio=ratio,
        odds_ratio=odds_ratio,
        p=np.where(
            few, _small_p(cells, wide, dispersion, df, few, family), _large_p(cells, dispersion, df, family)
        ),
        dispersion=np.broadcast_to(dispersion, few.shape),
        df=np.broadcast_to(df, few.shape),
        exact=few,
    )


def _rates(x: Floats, n: Floats, family: Family, confidence: float) -> Interval:
    function = wilson_interval if family == "binomial" else mid_p_rate_interval
    return function(x, n, confidence=confidence)


def _large_p(cells: Cells, dispersion: Floats, df: Floats, family: Family) -> Floats:
    logs, variances = quasi_logs(cells, family)
    with np.errstate(divide="ignore", invalid="ignore"):
        return two_sided_p(logs[0] / np.sqrt(dispersion * variances[0]), df)


def _small_p(
    cells: Cells, wide: Floats, dispersion: Floats, df: Floats, few: Bools, family: Family
) -> Floats:
    """Give the mid-P value where a cell is small, weakened by the dispersion as the interval is."""
    out = np.full(few.shape, np.nan)
    if not few.any():
        return out
    wide, dispersion, df = (np.broadcast_to(a, few.shape)[few] for a in (wide, dispersion, df))
    counts = [a[few] for a in cells]
    if family == "poisson":
        out[few] = conditional_rate_p(*(a / wide**2 for a in counts))
    else:
        out[few] = two_sided_p(special.ndtri(conditional_p(*counts) / 2) / np.sqrt(dispersion), df)
    return out
