"""Limits tuned to a rate of false signals on one side: counts, gaps and times."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._cusum_arms import within
from qi_equity.formulas._tails import (
    Tail,
    binomial_at_least,
    binomial_at_most,
    poisson_at_least,
    poisson_at_most,
)
from qi_equity.formulas.between_waiting import g_run_length, t_run_length
from qi_equity.formulas.cusum import Distribution

__all__ = [
    "TunedCounts",
    "TunedGaps",
    "points_to_detect",
    "tuned_count_limits",
    "tuned_gap_limits",
    "tuned_time_limits",
]

Side = Literal["low", "high"]
_ROUNDING = 1e-12


class TunedCounts(NamedTuple):
    """Limits of counts on one side; each of the shape of the arguments.

    Parameters
    ----------
    limit : numpy.ndarray of float
        Half-way between the last count that does not signal and the first that does; NaN where none does.
    points_between : numpy.ndarray of float
        Mean points between false signals of that side, at least what was asked for; infinite where no count
        signals.
    tail : numpy.ndarray of float
        Chance of a signal at a point, 1 over that.

    Examples
    --------
    >>> tuned_count_limits(12, 0.04, points_between=150, side="low").limit
    array([nan])
    """

    limit: FloatArray
    points_between: FloatArray
    tail: FloatArray


class TunedGaps(NamedTuple):
    """Limits of gaps between events on one side; each of the shape of the arguments.

    Parameters
    ----------
    limit : numpy.ndarray of float
        In births, half-way between the last gap that does not signal and the first that does, or in time; NaN
        where no gap can signal on that side as rarely as was asked for.
    between : numpy.ndarray of float
        Mean births, or time, between false signals, at least what was asked for.

    Examples
    --------
    >>> tuned_gap_limits(0.05, 1000, side="high").limit
    array([77.5])
    """

    limit: FloatArray
    between: FloatArray


def tuned_count_limits(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    points_between: ArrayLike,
    side: Side,
) -> TunedCounts:
    r"""Find the limit of a p, u or c chart that signals falsely at most once in so many points, on one side.

    The largest count k with :math:`P(X \le k) \le 1 / m` (low), or the smallest with
    :math:`P(X \ge k) \le 1 / m` (high), of the exact distribution.

    Parameters
    ----------
    size : array_like, any shape
        Births (binomial, whole numbers) or exposure (Poisson) of a point, > 0.
    chance : array_like, broadcastable to ``size``
        Chance of an event in [0, 1], or rate per unit of exposure >= 0, while nothing has changed.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    points_between : array_like, broadcastable to ``size``
        Mean number m of points between false signals of that side, > 1.
    side : {"low", "high"}
        Whether fewer or more events shall signal.

    Returns
    -------
    TunedCounts
        ``limit, points_between, tail``, of the shape of the arguments (at least one-dimensional). The limit
        is NaN where not even a count of 0 (or of all births) is so rare: the chart cannot signal on that
        side. All are NaN where an argument is missing or there are no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, births are fractional or an argument is out of bounds.

    References
    ----------
    .. [1] The definition; exact tails by the incomplete beta and gamma functions (NIST DLMF 8.17.5, 8.4.10).

    Examples
    --------
    At 12 %, months of 40 births can show fewer events, months of 30 cannot:

    >>> found = tuned_count_limits([30, 40], 0.12, points_between=150, side="low")
    >>> found.limit, found.points_between.round(0)
    (array([nan, 0.5]), array([ inf, 166.]))
    """
    n, p, m, of = _count_arguments(size, chance, distribution, points_between)
    one_of("side", side, ("low", "high"))
    given = (n > 0) & ~np.isnan(p + m)
    n, p, m = n[given], p[given], m[given]
    births, parameter, tail = _tail(n, p, of, side)
    rare = (1 + _ROUNDING) / m
    if side == "low":
        count = _last_count(lambda k: tail(k, births, parameter) <= rare, n.shape)
        none, limit = count < 0, count + 0.5
    else:
        count = _last_count(lambda k: tail(k, births, parameter) > rare, n.shape) + 1
        none, limit = (count > births) & (of == "binomial"), count - 0.5
    signal = np.where(none, 0.0, tail(count, births, parameter))
    found = np.full((3, *given.shape), np.nan)
    with np.errstate(divide="ignore"):
        found[:, given] = np.where(none, np.nan, limit), 1 / signal, signal
    return TunedCounts(*found)


def points_to_detect(
    limit: ArrayLike,
    size: ArrayLike,
    actual: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    side: Side,
) -> FloatArray:
    """Give the mean number of points until a count lies beyond a limit, at a true chance.

    Parameters
    ----------
    limit : array_like, any shape
        Limit on the scale of counts, as in :class:`TunedCounts`; NaN: none.
    size : array_like, broadcastable to ``limit``
        Births (binomial, whole numbers) or exposure (Poisson) of a point, > 0.
    actual : array_like, broadcastable to ``limit``
        True chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    side : {"low", "high"}
        Whether counts below or above the limit signal.

    Returns
    -------
    numpy.ndarray of float
        Points, >= 1; infinite where none can signal, NaN where an argument other than the limit is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, births are fractional or an argument is out of bounds.

    References
    ----------
    .. [1] The definition: points are independent, so the wait is 1 over the chance of a signal.

    Examples
    --------
    >>> points_to_detect(0.5, 40, [0.12, 0.06], side="low").round(1)
    array([166.2,  11.9])
    """
    (line,) = floats({"limit": limit})
    n, p, _, of = _count_arguments(size, actual, distribution, math.inf)
    one_of("side", side, ("low", "high"))
    line, n, p = floats({"limit": line, "size": n, "actual": p})
    births, parameter, tail = _tail(n, p, of, side)
    count = np.ceil(line) - 1 if side == "low" else np.floor(line) + 1
    given = (n > 0) & ~np.isnan(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = 1 / np.where(np.isnan(line), 0.0, tail(count, np.where(given, births, 1), parameter))
    return np.where(given, wait, np.nan)


def tuned_gap_limits(chance: ArrayLike, births_between: ArrayLike, *, side: Side) -> TunedGaps:
    r"""Find the limit of a g chart that signals falsely at most once in so many births, on one side.

    High: the least gap r, the birth with the event counted, with :math:`(q^{-(r-1)} - 1) / p + 1 \ge b`; an
    open gap signals at its r-th birth. Low: the longest gap l with :math:`1 / (p (1 - q^l)) \ge b`.

    Parameters
    ----------
    chance : array_like, any shape
        Chance p of the event while nothing has changed, in [0, 1].
    births_between : array_like, broadcastable to ``chance``
        Mean births b between false signals of that side, >= 1.
    side : {"low", "high"}
        Whether short gaps (more events) or long ones (fewer events) shall signal.

    Returns
    -------
    TunedGaps
        ``limit, between`` in births, of the shape of the arguments (at least one-dimensional). The low limit
        is NaN where not even two events in a row are so rare, and infinite where any event is. NaN where an
        argument is missing or the chance is 0 or 1.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Feller, An Introduction to Probability Theory and Its Applications, vol. 1, 3rd ed., section XIII.7
       (wait for a run; seen at second hand).

    Examples
    --------
    >>> found = tuned_gap_limits([0.05, 0.01], 7500, side="high")
    >>> found.limit, found.between.round(0)
    (array([116.5, 431.5]), array([7656., 7508.]))
    """
    p, b = floats({"chance": chance, "births_between": births_between})
    within("chance", p, 0, 1)
    within("births_between", b, 1, math.inf)
    p = np.where((p > 0) & (p < 1), p, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if one_of("side", side, ("low", "high")) == "high":
            limit = np.ceil(np.log1p(p * (b - 1)) / -np.log1p(-p) - 1e-9) + 0.5
            return TunedGaps(limit, g_run_length(p, upper=limit).waited)
        share = 1 / (p * b)
        longest = np.where(share >= 1, np.inf, np.floor(np.log1p(-share) / np.log1p(-p) + 1e-9))
        limit = np.where(longest >= 1, longest + 0.5, np.nan)
    return TunedGaps(limit, g_run_length(p, lower=limit, open_gap=False).waited)


def tuned_time_limits(rate: ArrayLike, time_between: ArrayLike, *, side: Side) -> TunedGaps:
    r"""Find the limit of a t chart that signals falsely once in so much time, on one side.

    Times between events are exponential.

    High: :math:`\log(1 + \lambda b) / \lambda`, an open time signalling as soon as it exceeds it. Low:
    :math:`-\log(1 - 1 / (\lambda b)) / \lambda`.

    Parameters
    ----------
    rate : array_like, any shape
        Events per unit of time while nothing has changed, >= 0.
    time_between : array_like, broadcastable to ``rate``
        Mean time b between false signals of that side, > 0.
    side : {"low", "high"}
        Whether short times (more events) or long ones (fewer events) shall signal.

    Returns
    -------
    TunedGaps
        ``limit, between`` in time, of the shape of the arguments (at least one-dimensional). The low limit is
        infinite where any event is so rare. NaN where an argument is missing or the rate is 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] The definition; see :func:`~qi_equity.formulas.between_waiting.t_run_length`.

    Examples
    --------
    >>> tuned_time_limits(2.0, 150, side="high").limit.round(3)
    array([2.854])
    """
    r, b = floats({"rate": rate, "time_between": time_between})
    within("rate", r, 0, math.inf)
    within("time_between", b, 0, math.inf, ends=False)
    r = np.where((r > 0) & (r < math.inf), r, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if one_of("side", side, ("low", "high")) == "high":
            limit = np.log1p(r * b) / r
            return TunedGaps(limit, t_run_length(r, upper=limit).waited)
        limit = np.where(r * b <= 1, np.inf, -np.log1p(-1 / (r * b)) / r)
        limit = np.where(np.isnan(r * b), np.nan, limit)
    return TunedGaps(limit, t_run_length(r, lower=limit, open_time=False).waited)


def _count_arguments(
    size: ArrayLike, chance: ArrayLike, distribution: str, points_between: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, str]:
    of = one_of("distribution", distribution, ("binomial", "poisson"))
    n, p, m = floats({"size": size, "chance": chance, "points_between": points_between})
    within("size", n, 0, math.inf)
    within("chance", p, 0, 1 if of == "binomial" else math.inf)
    if (m <= 1).any():
        raise OptionError(f"points_between holds {float(m[m <= 1][0])!r}; give numbers above 1.")
    fractional = n[(n % 1) > 0]
    if of == "binomial" and fractional.size:
        raise OptionError(f"size holds {float(fractional[0])!r}; exact limits need whole numbers of births.")
    return n, p, m, of


def _tail(size: FloatArray, chance: FloatArray, of: str, side: str) -> tuple[FloatArray, FloatArray, Tail]:
    """Give what the exact tails ask for, and the tail of a side."""
    if of == "binomial":
        return size, chance, binomial_at_most if side == "low" else binomial_at_least
    return np.zeros_like(size), size * chance, poisson_at_most if side == "low" else poisson_at_least


def _last_count(inside: Callable[[FloatArray], BoolArray], shape: tuple[int, ...]) -> FloatArray:
    """Find the last count that is inside, -1 where 0 is not; counts are so up to one of them."""
    low, high = np.full(shape, -1.0), np.zeros(shape)
    while (further := inside(high)).any():
        low, high = np.where(further, high, low), np.where(further, 2 * high + 1, high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        so = inside(middle) & (middle > low)
        low, high = np.where(so, middle, low), np.where(so | (middle == low), high, middle)
    return low
