"""The level model: one rate before the change and one after it, with the dispersion of the stratum's own."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import special

from qi_equity.change.estimate import Effects, choose, inflation, t_of, two_sided_p
from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.formulas.gap_change import square_and_add
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.proportion_intervals import wilson_interval
from qi_equity.formulas.rate_intervals import mid_p_rate_interval
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio
from qi_equity.formulas.sparse_change import (
    along_the_margin,
    conditional_odds_ratio,
    conditional_p,
    conditional_rate_p,
)

__all__ = ["FEW_EVENTS", "Family", "level_effects"]

Family = Literal["binomial", "poisson"]

_ENDS = ("estimate", "lower", "upper")
# After a change, and before it: where they stand among the segments.
_SIDES = (slice(1, None), slice(None, -1))
# Below this many events, or births without one, in a cell the interval is exact.
FEW_EVENTS = 10


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
    cells = tuple(a[..., k] for k in _SIDES for a in (x, n))
    few = np.broadcast_to(few_events(cells, family), cells[0].shape)
    large = _large(cells, dispersion, t_of(df, confidence), family)
    small = _small(cells, wide, few, family, confidence)
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


def segment_sums(events: Floats, size: Floats, segment: Ints, segments: int) -> tuple[Floats, Floats]:
    """Sum events and births over each segment, shape (..., segments); NaN where it has no births."""
    known = used_periods(events, size) & (segment >= 0)
    inside = (segment[..., None, :] == np.arange(segments)[:, None]) & known[..., None, :]
    x, n = (np.where(inside, a[..., None, :], 0.0).sum(axis=-1) for a in (events, size))
    return np.where(n > 0, x, np.nan), np.where(n > 0, n, np.nan)


def used_periods(events: Floats, size: Floats) -> Bools:
    """Tell which periods say something: events and births are known, and there are births."""
    return np.isfinite(events) & (np.nan_to_num(size) > 0)


def level_dispersion(
    events: Floats, size: Floats, segment: Ints, x: Floats, n: Floats, family: Family
) -> tuple[Floats, Floats]:
    """Give the dispersion of each stratum, floored at 1, and its degrees of freedom.

    With no period to spare dispersion cannot be known: it is taken as 1, with infinite degrees of freedom.
    """
    used = used_periods(events, size) & (segment >= 0)
    rate = np.take_along_axis(x / n, np.maximum(segment, 0), axis=-1)
    expected = np.where(used, size * rate, 0.0)
    variance = expected * (1 - rate) if family == "binomial" else expected
    some = used & (variance > 0)
    residual = np.where(some, events, 0.0) - np.where(some, expected, 0.0)
    pearson = (residual**2 / np.where(some, variance, 1.0)).sum(axis=-1)
    df = (used.sum(axis=-1) - np.isfinite(n).sum(axis=-1)).astype(np.float64)
    spare = df > 0
    return np.where(spare, np.maximum(1, pearson / np.where(spare, df, 1.0)), 1.0), np.where(
        spare, df, np.inf
    )


def few_events(cells: tuple[Floats, ...], family: Family) -> Bools:
    """Tell where a cell has too few events (or births without one) for a model."""
    x1, n1, x0, n0 = cells
    least = np.minimum(x1, x0)
    if family == "binomial":
        least = np.minimum(least, np.minimum(n1 - x1, n0 - x0))
    return np.asarray(least < FEW_EVENTS)


def _rates(x: Floats, n: Floats, family: Family, confidence: float) -> Interval:
    function = wilson_interval if family == "binomial" else mid_p_rate_interval
    return function(x, n, confidence=confidence)


def _large(
    cells: tuple[Floats, ...], dispersion: Floats, t: Floats, family: Family
) -> tuple[Interval, Interval]:
    """Give the quasi-likelihood intervals of the ratio and the odds ratio."""
    logs, variances = _logs(cells, family)
    with np.errstate(invalid="ignore", over="ignore"):
        return tuple(  # type: ignore[return-value]
            Interval(*(np.exp(log + s * t * np.sqrt(dispersion * variance)) for s in (0, -1, 1)))
            for log, variance in zip(logs, variances, strict=True)
        )


def _logs(cells: tuple[Floats, ...], family: Family) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Give the logarithm of the ratio and of the odds ratio, with their variances at dispersion 1."""
    x1, n1, x0, n0 = cells
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(x1 / n1) - np.log(x0 / n0)
        if family == "poisson":
            return (ratio, np.full(ratio.shape, np.nan)), (1 / x1 + 1 / x0, np.full(ratio.shape, np.nan))
        odds = np.log(x1 / (n1 - x1)) - np.log(x0 / (n0 - x0))
        of_ratio = 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
        return (ratio, odds), (of_ratio, 1 / x1 + 1 / (n1 - x1) + 1 / x0 + 1 / (n0 - x0))


def _small(
    cells: tuple[Floats, ...], wide: Floats, few: Bools, family: Family, confidence: float
) -> tuple[Interval, Interval, Interval]:
    """Give the exact intervals of difference, ratio and odds ratio, reckoned only where they are wanted."""
    if not few.any():
        return _spread(None, few), _spread(None, few), _spread(None, few)
    widen = np.broadcast_to(wide, few.shape)[few]
    counts = tuple(a[few] for a in cells)
    if family == "poisson":
        counts = tuple(a / widen**2 for a in counts)
        change = mid_p_rate_ratio(*counts, confidence=confidence)
        ratio, difference = along_the_margin(change, *counts, kind="rate", confidence=confidence)
        return _spread(difference, few), _spread(ratio, few), _spread(None, few)
    odds = conditional_odds_ratio(*counts, confidence=confidence, widened=widen)
    ratio, difference = along_the_margin(odds, *counts, confidence=confidence, widened=widen)
    return _spread(difference, few), _spread(ratio, few), _spread(odds, few)


def _spread(found: Interval | None, where: Bools) -> Interval:
    """Put intervals back where they were reckoned; NaN elsewhere."""
    ends = []
    for name in _ENDS:
        block = np.full(where.shape, np.nan)
        if found is not None:
            block[where] = getattr(found, name)
        ends.append(block)
    return Interval(*ends)


def _large_p(cells: tuple[Floats, ...], dispersion: Floats, df: Floats, family: Family) -> Floats:
    logs, variances = _logs(cells, family)
    with np.errstate(divide="ignore", invalid="ignore"):
        return two_sided_p(logs[0] / np.sqrt(dispersion * variances[0]), df)


def _small_p(
    cells: tuple[Floats, ...], wide: Floats, dispersion: Floats, df: Floats, few: Bools, family: Family
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
