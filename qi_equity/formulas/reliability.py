"""Whether an estimate is precise enough to be read, by the presentation standards of the US NCHS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._interval_parts import binomial_cells, rate_cells
from qi_equity.formulas.mean_intervals import mean_cells
from qi_equity.formulas.proportion_intervals import clopper_pearson_interval
from qi_equity.formulas.rate_intervals import exact_rate_interval

__all__ = ["REASONS", "Reliability", "mean_reliability", "proportion_reliability", "rate_reliability"]

REASONS = (
    "precise",
    "unknown",
    "few_births",
    "few_events",
    "wide",
    "relatively_wide",
)
"""What ``Reliability.reason`` counts: why an estimate meets the standard or does not."""

_PRECISE, _UNKNOWN, _FEW_BIRTHS, _FEW_EVENTS, _WIDE, _RELATIVELY_WIDE = range(len(REASONS))

FEWEST_BIRTHS = 30
FEWEST_EVENTS = 10
NARROW, WIDE = 0.05, 0.30
WIDEST_OF_PROPORTION, WIDEST_OF_RATE = 1.30, 1.60
LARGEST_ERROR_OF_MEAN = 0.30


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Which estimates meet the presentation standard, and why the others do not.

    Parameters
    ----------
    reliable : numpy.ndarray of bool
        Estimates that meet the standard.
    reason : numpy.ndarray of int8, same shape
        Index into ``REASONS``.
    review : numpy.ndarray of bool, same shape
        Estimates of 0 or 1, which the standard wants looked at whatever their width.
    complement : numpy.ndarray of bool, same shape
        Reliable proportions whose complement (the share without the event) is not.

    Examples
    --------
    >>> reliability = proportion_reliability([4], [400])
    >>> bool(reliability.reliable[0]), REASONS[reliability.reason[0]]
    (True, 'precise')
    """

    reliable: BoolArray
    reason: NDArray[np.int8]
    review: BoolArray
    complement: BoolArray


def proportion_reliability(events: ArrayLike, births: ArrayLike) -> Reliability:
    """Judge proportions by the NCHS Data Presentation Standards for Proportions.

    A proportion of fewer than 30 births is not reliable. Else the width of its 95 % Clopper-Pearson interval
    decides: up to 0.05 it is reliable, from 0.30 on it is not; in between it is unless the width is over
    130 % of the proportion. There, the same share of the complement tells whether that is reliable too.

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births; NaN where not known.

    Returns
    -------
    Reliability
        Arrays of shape (...).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or events outnumber births.

    References
    ----------
    .. [1] Parker, Talih, Malec, et al. National Center for Health Statistics Data Presentation Standards for
       Proportions. Vital and Health Statistics 2017;2(175).

    Examples
    --------
    >>> reliability = proportion_reliability([1, 3, 10], [20, 60, 100])
    >>> reliability.reliable.tolist(), [REASONS[k] for k in reliability.reason]
    ([False, False, True], ['few_births', 'relatively_wide', 'precise'])
    """
    x, n = binomial_cells({"events": events, "births": births})
    interval = clopper_pearson_interval(x, n)
    width = interval.upper - interval.lower
    between = width > NARROW
    relative, opposite = (_share(width, part) for part in (interval.estimate, 1 - interval.estimate))
    reason = np.select(
        [np.isnan(x), n < FEWEST_BIRTHS, width >= WIDE, between & (relative > WIDEST_OF_PROPORTION)],
        [_UNKNOWN, _FEW_BIRTHS, _WIDE, _RELATIVELY_WIDE],
        _PRECISE,
    )
    reliable = reason == _PRECISE
    complement = reliable & between & (opposite > WIDEST_OF_PROPORTION)
    return Reliability(reliable, reason.astype(np.int8), (x == 0) | (x == n), complement)


def rate_reliability(events: ArrayLike, exposure: ArrayLike) -> Reliability:
    """Judge rates and counts by the NCHS Data Presentation Standards for Rates and Counts.

    A rate of fewer than 10 events is not reliable, nor is one whose exact 95 % interval is wider than 160 %
    of it.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, and what they are counted over (1 for a count); NaN where not known.

    Returns
    -------
    Reliability
        Arrays of shape (...).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite.

    References
    ----------
    .. [1] Parker, Talih, Irimata, et al. National Center for Health Statistics Data Presentation Standards
       for Rates and Counts. Vital and Health Statistics 2023;2(200).

    Examples
    --------
    >>> reliability = rate_reliability([9, 10], 1000)
    >>> reliability.reliable.tolist(), [REASONS[k] for k in reliability.reason]
    ([False, True], ['few_events', 'precise'])
    """
    x, e = rate_cells({"events": events, "exposure": exposure})
    interval = exact_rate_interval(x, e)
    relative = _share(interval.upper - interval.lower, interval.estimate)
    reason = np.select(
        [np.isnan(x), x < FEWEST_EVENTS, relative > WIDEST_OF_RATE],
        [_UNKNOWN, _FEW_EVENTS, _RELATIVELY_WIDE],
        _PRECISE,
    )
    return Reliability(reason == _PRECISE, reason.astype(np.int8), x == 0, np.zeros(x.shape, dtype=np.bool_))


def mean_reliability(mean: ArrayLike, sd: ArrayLike, size: ArrayLike) -> Reliability:
    """Judge means by the rule that NCHS used before its standards, which do not speak of means.

    A mean of fewer than 30 measurements is not reliable, nor is one whose standard error is 30 % of it or
    more.

    Parameters
    ----------
    mean, sd, size : array_like, shape (...)
        Mean, standard deviation and number of the measurements; NaN where not known.

    Returns
    -------
    Reliability
        Arrays of shape (...); unknown without a standard deviation.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If ``sd`` or ``size`` is negative.

    References
    ----------
    .. [1] Klein, Proctor, Boudreault, Turczyn. Healthy People 2010 criteria for data suppression.
       Statistical Notes 24. NCHS 2002.

    Examples
    --------
    >>> mean_reliability([50, 50], [10, 10], [12, 40]).reliable.tolist()
    [False, True]
    """
    y, s, n = mean_cells({"mean": mean, "sd": sd, "size": size})
    relative = _share(s / np.sqrt(n), np.abs(y))
    reason = np.select(
        [np.isnan(y + n), n < FEWEST_BIRTHS, np.isnan(s), relative >= LARGEST_ERROR_OF_MEAN],
        [_UNKNOWN, _FEW_BIRTHS, _UNKNOWN, _RELATIVELY_WIDE],
        _PRECISE,
    )
    nowhere = np.zeros(y.shape, dtype=np.bool_)
    return Reliability(reason == _PRECISE, reason.astype(np.int8), nowhere, nowhere)


def _share(width: FloatArray, of: FloatArray) -> FloatArray:
    """Give the width as a share of the estimate; infinite where that is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(of == 0, np.inf, width / of))
