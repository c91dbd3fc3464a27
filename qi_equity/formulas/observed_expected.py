"""Events of a group beside those it would have had at the rate of its reference, summed over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._excess_lattice import Draws, Walk, given_rate, given_totals
from qi_equity.formulas._gap_lattice import CountKind, checked

__all__ = ["ObservedExpected", "observed_expected"]

_ROOM = 2_000_000
# About as many places as the grid of a sum has for each period.
_PLACES = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class ObservedExpected:
    """Observed minus expected events and its limits; arrays of shape (..., T), NaN where nothing was added.

    Parameters
    ----------
    value : numpy.ndarray of float
        Observed minus expected events so far; above 0: more than at the rate of the reference.
    expected : numpy.ndarray of float
        Expected events so far.
    sigma : numpy.ndarray of float
        Standard deviation of the value if nothing differs.
    lower, upper : numpy.ndarray of float
        A value strictly beyond has a tail probability below that asked for, if nothing differs. NaN where
        there was no event yet, so that nothing can vary.
    lowest, highest : numpy.ndarray of float
        Least and greatest value that could have been; a limit beyond cannot be crossed.
    crossed : numpy.ndarray of float
        Chance that this value or an earlier one is beyond its limits, if nothing differs; as exact as the
        grid.

    Examples
    --------
    >>> found = observed_expected([2, 1], [40, 40], [0.02, 0.03], [300, 300])
    >>> found.expected.round(2)
    array([0.8, 2. ])
    """

    value: FloatArray
    expected: FloatArray
    sigma: FloatArray
    lower: FloatArray
    upper: FloatArray
    lowest: FloatArray
    highest: FloatArray
    crossed: FloatArray


def observed_expected(
    events: ArrayLike,
    size: ArrayLike,
    reference_rate: ArrayLike,
    reference_size: ArrayLike,
    *,
    kind: CountKind = "proportion",
    tail: float = 0.00135,
) -> ObservedExpected:
    r"""Cumulative observed minus expected events, with exact limits that hold the reference's own noise.

    Expected is what the group would have had at the reference's rate of the same period:

    .. math:: S_t = \sum_{i \le t} (x_i - n_i\, y_i / m_i) = \sum_{i \le t} \frac{n_i + m_i}{m_i}
       \Bigl(x_i - \frac{n_i (x_i + y_i)}{n_i + m_i}\Bigr)

    with :math:`x` events among :math:`n` births of the group and :math:`y` among :math:`m` of the reference.
    If both have the same rate in each period, whatever it is, then given the events of both together the
    group's own are hypergeometric (binomial for rates, with the share :math:`n / (n + m)` of the exposure):
    Fisher's exact conditional distribution, as in the log-rank and Mantel-Haenszel tests, here summed over
    time. No rate has to be estimated. A reference without sampling error (a target) leaves binomial or
    Poisson counts.

    Parameters
    ----------
    events, size : array_like, shape (..., T)
        Events of the group and its births (whole numbers) or exposure; NaN where not observed.
    reference_rate, reference_size : array_like, shape (..., T)
        Rate of the reference in each period and its births or exposure; an infinite size is a rate without
        sampling error.
    kind : {"proportion", "rate"}
        Whether counts are of births with the event, or of events over exposure.
    tail : float
        Probability of either tail at each point, in (0, 0.5).

    Returns
    -------
    ObservedExpected
        Arrays of shape (..., T). Periods in which a number is missing or a size is 0 are passed over: they
        add nothing and have no value.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, births are fractional or an option is not allowed.

    Notes
    -----
    The distribution is the sum of the periods on a grid, by convolution. Where sizes vary, sums may be off it
    by an eighth of an event in all (or a fiftieth of their standard deviation, if that is more); limits are
    drawn that much further out, so that a tail is never larger than asked for. Where sizes do not vary, and
    for targets, nothing is off the grid.

    References
    ----------
    .. [1] Mantel, Haenszel, Statistical aspects of the analysis of data from retrospective studies of
       disease. J Natl Cancer Inst 1959;22:719-748.
    .. [2] Peto et al., Design and analysis of randomized clinical trials requiring prolonged observation of
       each patient. II. Br J Cancer 1977;35:1-39 (observed minus expected).
    .. [3] Mehta, Patel, Gray, Computing an exact confidence interval for the common odds ratio in several 2 x
       2 contingency tables. J Am Stat Assoc 1985;80:969-973 (convolution of conditional distributions).

    Examples
    --------
    One event in 2 births, none in 2 of the reference: given one event it is the group's in half of cases.

    >>> found = observed_expected([1], [2], [0], [2], tail=0.25)
    >>> found.value, found.highest, bool(found.value > found.upper)
    (array([1.]), array([1.]), False)
    """
    alpha = number("tail", tail, above=0, below=0.5)
    x, n, q, m = floats(
        {"events": events, "size": size, "reference_rate": reference_rate, "reference_size": reference_size}
    )
    checked(np.zeros_like(n), n, q, m, "difference", kind)
    shape = x.shape
    x, n, q, m = (a.reshape(-1, shape[-1]) for a in (x, n, q, m))
    rows = max(_ROOM // (_PLACES * shape[-1]), 1)
    parts = [
        _walked(kind, alpha, *(a[start : start + rows] for a in (x, n, q, m)))
        for start in range(0, max(len(x), 1), rows)
    ]
    blocks = np.concatenate(parts, axis=1)
    return ObservedExpected(*(block.reshape(shape) for block in blocks))


def _walked(
    kind: CountKind, alpha: float, x: FloatArray, n: FloatArray, q: FloatArray, m: FloatArray
) -> FloatArray:
    """Sum over time; give the eight blocks of the result, shape (8, N, T)."""
    part = (n > 0) & (m > 0) & np.isfinite(x + q)
    draws = [_draws(kind, part[:, t], *(a[:, t] for a in (x, n, q, m))) for t in range(x.shape[1])]
    weight, mean, sd = (np.stack([getattr(d, name) for d in draws], 1) for name in ("weight", "mean", "sd"))
    ends = np.stack([np.stack(_ends(d)) for d in draws], axis=2)
    expected = np.where(part, n * q, 0).cumsum(axis=1)
    value = np.where(part, x - n * q, 0).cumsum(axis=1)
    sigma = np.sqrt(((weight * sd) ** 2).cumsum(axis=1))
    lowest, highest = (weight * (ends - mean)).cumsum(axis=2)
    heaviest = np.where(part, weight, 1.0).max(axis=1)
    first = weight[np.arange(len(weight)), part.argmax(axis=1)]
    walk = Walk(sigma[:, -1], first, heaviest, part.sum(axis=1))
    steps = [walk.add(draw, part[:, t], alpha) for t, draw in enumerate(draws)]
    lower, upper, crossed = (np.stack(lines, axis=1) for lines in zip(*steps, strict=True))
    varies = sigma > 0
    blocks = [
        value,
        expected,
        sigma,
        np.where(varies, lower, np.nan),
        np.where(varies, upper, np.nan),
        lowest,
        highest,
        np.clip(crossed, 0, 1),
    ]
    return np.where(part, np.stack(blocks), np.nan)


def _draws(
    kind: CountKind, part: BoolArray, x: FloatArray, n: FloatArray, q: FloatArray, m: FloatArray
) -> Draws:
    """Give what could have happened in one period; nothing where it takes no part."""
    n, q, x = np.where(part, n, 1.0), np.where(part, q, 0.0), np.where(part, x, 0.0)
    fixed = np.isinf(m)
    other = np.where(part & ~fixed, m, 1.0)
    total = x + np.where(fixed, 0.0, np.rint(q * other))
    by_total = given_totals(x, n, np.where(fixed, 0.0, total), other, kind)
    by_rate = given_rate(n, np.where(fixed, q, 0.0), kind)
    if not fixed.any():
        return by_total
    if fixed.all():
        return by_rate
    width = max(by_total.count.shape[1], by_rate.count.shape[1])
    blocks = [
        np.where(fixed[:, None], _wide(getattr(by_rate, name), width), _wide(getattr(by_total, name), width))
        for name in ("count", "mass")
    ]
    rows = [
        np.where(fixed, getattr(by_rate, name), getattr(by_total, name)) for name in ("weight", "mean", "sd")
    ]
    return Draws(*blocks, *rows)


def _wide(block: FloatArray, width: int) -> FloatArray:
    return np.pad(block, ((0, 0), (0, width - block.shape[1])))


def _ends(draws: Draws) -> tuple[FloatArray, FloatArray]:
    """Give the least and the greatest count that happen, each (N,)."""
    there = draws.mass > 0
    return (
        np.where(there, draws.count, np.inf).min(axis=1),
        np.where(there, draws.count, -np.inf).max(axis=1),
    )
