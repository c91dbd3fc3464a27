"""A rate before and after a change, with the dispersion of its periods: what evaluations and plans share."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio
from qi_equity.formulas.sparse_change import along_the_margin, conditional_odds_ratio

__all__ = [
    "FEW_EVENTS",
    "TOO_FEW_TO_FIT",
    "Cells",
    "Family",
    "choose",
    "exact_intervals",
    "few_events",
    "inflation",
    "level_dispersion",
    "quasi_intervals",
    "quasi_logs",
    "segment_sums",
    "t_of",
    "two_sided_p",
    "used_periods",
]

Family = Literal["binomial", "poisson"]
# Events and births after a change, then before it.
Cells = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

_ENDS = ("estimate", "lower", "upper")
# Below this many events, or births without one, in a cell the interval is exact.
FEW_EVENTS = 10
# Below this many a regression with a trend or season is not tried.
TOO_FEW_TO_FIT = 5


def choose(where: BoolArray, one: Interval, other: Interval) -> Interval:
    """Take one interval where told, elsewhere the other.

    Parameters
    ----------
    where : ndarray of bool, shape (...)
        Where to take the first.
    one, other : Interval
        Arrays broadcastable to (...).

    Returns
    -------
    Interval
        Arrays of shape (...).

    Examples
    --------
    >>> one, other = (Interval(*(np.array([end]) for end in ends)) for ends in ((1, 0, 2), (3, 2, 4)))
    >>> choose(np.array([False]), one, other).lower.tolist()
    [2]
    """
    return Interval(*(np.where(where, getattr(one, e), getattr(other, e)) for e in _ENDS))


def t_of(df: FloatArray, confidence: float) -> FloatArray:
    """Give the t quantile of a two-sided interval; the normal one for infinite degrees of freedom.

    Parameters
    ----------
    df : ndarray of float, shape (...)
        Degrees of freedom, > 0; may be infinite.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    ndarray of float, shape (...)
        Quantiles; NaN where the degrees of freedom are.

    Examples
    --------
    >>> t_of(np.array([22.0, np.inf]), 0.95).round(3).tolist()
    [2.074, 1.96]
    """
    finite = np.where(np.isfinite(df), df, 1.0)
    t = special.stdtrit(finite, (1 + confidence) / 2)
    return np.where(np.isnan(df), np.nan, np.where(np.isfinite(df), t, special.ndtri((1 + confidence) / 2)))


def two_sided_p(t: FloatArray, df: FloatArray) -> FloatArray:
    """Give the two-sided p-value of a t statistic; of a normal one for infinite degrees of freedom.

    Parameters
    ----------
    t, df : ndarray of float, shape (...)
        Statistic and degrees of freedom.

    Returns
    -------
    ndarray of float, shape (...)
        Chances in [0, 1]; NaN where the degrees of freedom are.

    Examples
    --------
    >>> two_sided_p(np.array([2.074, 1.96]), np.array([22.0, np.inf])).round(3).tolist()
    [0.05, 0.05]
    """
    finite = np.where(np.isfinite(df), df, 1.0)
    tail = np.where(np.isfinite(df), special.stdtr(finite, -np.abs(t)), special.ndtr(-np.abs(t)))
    return np.where(np.isnan(df), np.nan, 2 * tail)


def inflation(dispersion: FloatArray, df: FloatArray, confidence: float) -> FloatArray:
    """Give how many times wider than a plain normal interval one with dispersion and a t quantile is.

    Parameters
    ----------
    dispersion, df : ndarray of float, shape (...)
        Dispersion and degrees of freedom.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    ndarray of float, shape (...)
        Factors; 1 for a dispersion of 1 with infinite degrees of freedom.

    Examples
    --------
    >>> inflation(np.array([1.0, 4.0]), np.array([22.0, np.inf]), 0.95).round(3).tolist()
    [1.058, 2.0]
    """
    return np.asarray(
        np.sqrt(dispersion) * t_of(df, confidence) / special.ndtri((1 + confidence) / 2), dtype=np.float64
    )


def segment_sums(
    events: FloatArray, size: FloatArray, segment: IntArray, segments: int
) -> tuple[FloatArray, FloatArray]:
    """Sum events and births over each segment.

    Parameters
    ----------
    events, size : ndarray of float, shape (..., T)
        Events and births (or exposure) of each period; NaN where not known.
    segment : ndarray of int, shape (..., T)
        Segment of each period from 0; -1 where it is left out.
    segments : int
        Number of segments.

    Returns
    -------
    events, size : ndarray of float, shape (..., segments)
        Sums; NaN where a segment has no births.

    Examples
    --------
    >>> x, n = segment_sums(np.array([1.0, 2, 3]), np.array([10.0, 10, 10]), np.array([0, 0, 1]), 2)
    >>> x.tolist(), n.tolist()
    ([3.0, 3.0], [20.0, 10.0])
    """
    known = used_periods(events, size) & (segment >= 0)
    inside = (segment[..., None, :] == np.arange(segments)[:, None]) & known[..., None, :]
    x, n = (np.where(inside, a[..., None, :], 0.0).sum(axis=-1) for a in (events, size))
    return np.where(n > 0, x, np.nan), np.where(n > 0, n, np.nan)


def used_periods(events: FloatArray, size: FloatArray) -> BoolArray:
    """Tell which periods say something: events and births are known, and there are births.

    Parameters
    ----------
    events, size : ndarray of float, shape (...)
        Events and births (or exposure); NaN where not known.

    Returns
    -------
    ndarray of bool, shape (...)
        True where a period is used.

    Examples
    --------
    >>> used_periods(np.array([1.0, np.nan, 0.0]), np.array([10.0, 10.0, 0.0])).tolist()
    [True, False, False]
    """
    return np.isfinite(events) & (np.nan_to_num(size) > 0)


def level_dispersion(
    events: FloatArray, size: FloatArray, segment: IntArray, x: FloatArray, n: FloatArray, family: Family
) -> tuple[FloatArray, FloatArray]:
    r"""Give the dispersion of each stratum about the rates of its segments, and its degrees of freedom.

    :math:`\hat\phi = \max(1, X^2 / \nu)` with Pearson's :math:`X^2` and :math:`\nu` periods less segments.
    With no period to spare dispersion cannot be known: it is taken as 1, with infinite degrees of freedom.

    Parameters
    ----------
    events, size : ndarray of float, shape (..., T)
        Events and births (or exposure) of each period.
    segment : ndarray of int, shape (..., T)
        Segment of each period from 0; -1 where it is left out.
    x, n : ndarray of float, shape (..., segments)
        What :func:`segment_sums` gives of them.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.

    Returns
    -------
    dispersion, df : ndarray of float, shape (...)
        Dispersion, >= 1, and degrees of freedom, > 0.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5.

    Examples
    --------
    >>> months = np.array([2.0, 12, 1, 9]), np.full(4, 20.0), np.array([0, 0, 1, 1])
    >>> dispersion, df = level_dispersion(*months, *segment_sums(*months, 2), "binomial")
    >>> float(dispersion.round(3)), float(df)
    (9.761, 2.0)
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


def few_events(cells: Cells, family: Family, fewer_than: int = FEW_EVENTS) -> BoolArray:
    """Tell where a cell has too few events (or births without one) for a model.

    Parameters
    ----------
    cells : tuple of ndarray of float, shape (...)
        Events and births after a change, then before it.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.
    fewer_than : int
        What is too few.

    Returns
    -------
    ndarray of bool, shape (...)
        True where any of the two (for proportions four) counts is smaller.

    Examples
    --------
    >>> few_events(tuple(np.array([end]) for end in (9.0, 120.0, 14.0, 120.0)), "binomial").tolist()
    [True]
    """
    x1, n1, x0, n0 = cells
    least = np.minimum(x1, x0)
    if family == "binomial":
        least = np.minimum(least, np.minimum(n1 - x1, n0 - x0))
    return np.asarray(least < fewer_than)


def quasi_intervals(
    cells: Cells, dispersion: FloatArray, t: FloatArray, family: Family
) -> tuple[Interval, Interval]:
    r"""Give the quasi-likelihood intervals of a ratio and of an odds ratio.

    .. math:: \log\frac{p_1}{p_0} \pm t \sqrt{\hat\phi \left(\frac{1 - p_1}{x_1} +
              \frac{1 - p_0}{x_0}\right)}

    without :math:`1 - p` for rates, over it for odds.

    Parameters
    ----------
    cells : tuple of ndarray of float, shape (...)
        Events and births after a change, then before it.
    dispersion, t : ndarray of float, broadcastable to (...)
        Dispersion, and the quantile of its degrees of freedom.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.

    Returns
    -------
    ratio, odds_ratio : Interval
        After against before; the second is NaN for rates.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5.

    Examples
    --------
    >>> ratio, _ = quasi_intervals(tuple(map(np.array, (20.0, 400.0, 40.0, 400.0))), *np.ones(2), "binomial")
    >>> float(ratio.estimate.round(3)), float(ratio.lower.round(3)), float(ratio.upper.round(3))
    (0.5, 0.384, 0.651)
    """
    logs, variances = quasi_logs(cells, family)
    with np.errstate(invalid="ignore", over="ignore"):
        ratio, odds_ratio = (
            Interval(*(np.exp(log + s * t * np.sqrt(dispersion * variance)) for s in (0, -1, 1)))
            for log, variance in zip(logs, variances, strict=True)
        )
    return ratio, odds_ratio


def quasi_logs(
    cells: Cells, family: Family
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Give the logarithm of a ratio and of an odds ratio, with their variances at dispersion 1.

    Parameters
    ----------
    cells : tuple of ndarray of float, shape (...)
        Events and births after a change, then before it.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.

    Returns
    -------
    logs, variances : pair of ndarray of float, shape (...)
        Of the ratio and of the odds ratio, which is NaN for rates.

    Examples
    --------
    >>> logs, variances = quasi_logs(tuple(map(np.array, (20.0, 400.0, 40.0, 400.0))), "binomial")
    >>> float(logs[0].round(4)), float(variances[0].round(4))
    (-0.6931, 0.07)
    """
    x1, n1, x0, n0 = cells
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(x1 / n1) - np.log(x0 / n0)
        if family == "poisson":
            return (ratio, np.full(ratio.shape, np.nan)), (1 / x1 + 1 / x0, np.full(ratio.shape, np.nan))
        odds = np.log(x1 / (n1 - x1)) - np.log(x0 / (n0 - x0))
        of_ratio = 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
        return (ratio, odds), (of_ratio, 1 / x1 + 1 / (n1 - x1) + 1 / x0 + 1 / (n0 - x0))


def exact_intervals(
    cells: Cells, wide: FloatArray, few: BoolArray, family: Family, confidence: float
) -> tuple[Interval, Interval, Interval]:
    """Give the exact intervals of difference, ratio and odds ratio, reckoned only where they are wanted.

    They are the conditional (mid-P) interval of the odds ratio, at the confidence that widens a normal
    interval as much; for rates that of the ratio of effective counts, each divided by the square of it.

    Parameters
    ----------
    cells : tuple of ndarray of float, shape (...)
        Events and births after a change, then before it.
    wide : ndarray of float, broadcastable to (...)
        How many times wider than a plain normal interval, from :func:`inflation`.
    few : ndarray of bool, shape (...)
        Where they are wanted.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    difference, ratio, odds_ratio : Interval
        After against before, of shape (...); NaN where they are not wanted, and the last for rates.

    Examples
    --------
    >>> cells = tuple(np.array([end]) for end in (2.0, 120.0, 14.0, 130.0))
    >>> ratio = exact_intervals(cells, np.ones(1), np.array([True]), "binomial", 0.95)[1]
    >>> ratio.lower.round(3).tolist(), ratio.upper.round(3).tolist()
    ([0.024], [0.582])
    """
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


def _spread(found: Interval | None, where: BoolArray) -> Interval:
    """Put intervals back where they were reckoned; NaN elsewhere."""
    ends = []
    for name in _ENDS:
        block = np.full(where.shape, np.nan)
        if found is not None:
            block[where] = getattr(found, name)
        ends.append(block)
    return Interval(*ends)
