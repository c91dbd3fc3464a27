"""How often runs tests and limits signal when nothing has changed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, counts, floats
from qi_equity.formulas.distributions import Binomial, Distribution, Normal, Poisson
from qi_equity.formulas.runs import anhoej_limits

__all__ = [
    "anhoej_false_signal",
    "beyond_limits_false_signal",
    "median_false_signal",
    "runs_false_signal",
    "side_chances",
]

# Strata at a time: the states of so many stay in the cache.
_BLOCK = 256


def anhoej_false_signal(n_useful: ArrayLike, chance: ArrayLike = 0.5) -> FloatArray:
    """Probability that Anhøj's runs tests signal in a series of independent points that does not change.

    Exact, by a recursion over points, runs and crossings: 1 - P(longest run <= limit and crossings >= limit).

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0.
    chance : array_like, broadcastable to ``n_useful``
        Chance that a useful point lies above the centre line, in [0, 1]. With the median of the same points
        as centre line they are not independent, and the true probability is lower:
        :func:`median_false_signal`.

    Returns
    -------
    numpy.ndarray of float
        Probabilities in [0, 1], 0 for fewer than two points; NaN where ``chance`` is NaN.

    Raises
    ------
    InputTypeError
        If ``n_useful`` does not hold whole numbers of 0 or more, or ``chance`` no numbers.
    OptionError
        If a chance is outside [0, 1] or the shapes do not fit together.

    References
    ----------
    .. [1] Anhøj, Vigeland, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations (R package crossrun). PLoS One 2019;14:e0223233.

    Examples
    --------
    >>> anhoej_false_signal([10, 24]).round(4)
    array([0.0449, 0.0662])
    """
    n = counts("n_useful", n_useful)
    p, sizes = (
        a[..., 0] for a in floats({"chance": np.asarray(chance)[..., None], "n_useful": n[..., None]})
    )
    wrong = p[(p < 0) | (p > 1)]
    if wrong.size:
        raise OptionError(f"chance holds {float(wrong[0])!r}; give values from 0 to 1.")
    result = np.full(p.shape, np.nan)
    for size in np.unique(sizes):
        here = (sizes == size) & ~np.isnan(p)
        chances, back = np.unique(p[here], return_inverse=True)
        above = np.broadcast_to(chances, (int(size), len(chances)))
        longest, fewest = (int(limit) for limit in anhoej_limits(int(size)))
        result[here] = _signal(1 - above, above, longest, fewest)[back]
    return result


def beyond_limits_false_signal(
    centre_line: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    distribution: Literal["binomial", "poisson", "normal"],
    size: ArrayLike = 1.0,
    sigma: ArrayLike = np.nan,
) -> FloatArray:
    r"""Probability that at least one point lies beyond the limits while the centre line holds.

    .. math:: 1 - \prod_t (1 - \alpha_t), \qquad \alpha_t = P(Y_t < L_t) + P(Y_t > U_t)

    Parameters
    ----------
    centre_line, lower, upper : array_like, shape (..., T)
        As on the chart; periods where any is NaN count for nothing.
    distribution : {"binomial", "poisson", "normal"}
        Of the events (p chart; u and c charts), or of the points (individuals).
    size : array_like, broadcastable to (..., T)
        Births (binomial) or exposure (Poisson) of each period; 1 for a c chart.
    sigma : array_like, broadcastable to (..., T)
        Standard deviation of a point (normal).

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Probabilities in [0, 1]; 0 where no period has limits. That the centre line is itself an estimate is
        not allowed for.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``distribution`` is not one of the three.

    References
    ----------
    .. [1] The definition, for independent points; Montgomery, Introduction to Statistical Quality Control,
       6th ed., section 5.3, for its use.

    Examples
    --------
    >>> found = beyond_limits_false_signal([0.0] * 24, -3, 3, distribution="normal", sigma=1)
    >>> float(found.round(3))
    0.063
    """
    of = one_of("distribution", distribution, ("binomial", "poisson", "normal"))
    names = ("centre_line", "lower", "upper", "size", "sigma")
    line, low, high, n, sd = floats(dict(zip(names, (centre_line, lower, upper, size, sigma), strict=True)))
    points: Distribution = (
        Normal(line, sd)
        if of == "normal"
        else Binomial(line, n, n)
        if of == "binomial"
        else Poisson(line * n, n)
    )
    alpha = np.nan_to_num(points.below(low) + points.above(high), nan=0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(np.log1p(-np.minimum(alpha, 1)).sum(axis=-1)))


def runs_false_signal(
    low: ArrayLike,
    high: ArrayLike,
    *,
    longest_max: ArrayLike | None = None,
    crossings_min: ArrayLike | None = None,
) -> FloatArray:
    """Probability that runs tests or limits signal in a series of independent points that does not change.

    As :func:`anhoej_false_signal`, with a chance of its own for each point, and together with limits: what
    ``low`` and ``high`` leave to 1 is the chance of a point beyond the limits, which signals at once.

    Parameters
    ----------
    low, high : array_like, shape (..., T)
        Chance of each useful point to lie below, or above, the centre line and within the limits; NaN where a
        point is missing or on the line. They are taken as given: a chance is that of a point known not to
        lie on the line.
    longest_max, crossings_min : array_like of int, shape (...), optional
        A longer run, or fewer crossings, signal. Default: Anhøj's limits for the number of useful points. A
        longest run of T, or 0 crossings, switches the test off.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Probabilities in [0, 1], exact but for rounding; 0 where no point is useful. That the centre line is
        itself an estimate is not allowed for.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or not whole ones of 0 or more.
    OptionError
        If shapes do not fit together, or chances are negative or add up to more than 1.

    References
    ----------
    .. [1] Anhøj, Vigeland, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations (R package crossrun). PLoS One 2019;14:e0223233.

    Examples
    --------
    A fair coin of 24 points, without and with limits at three standard errors:

    >>> float(runs_false_signal([0.5] * 24, [0.5] * 24).round(4))
    0.0662
    >>> float(runs_false_signal([0.49865] * 24, [0.49865] * 24).round(4))
    0.1249
    """
    below, above, useful = side_chances(low, high)
    n = useful.sum(axis=-1)
    limits = anhoej_limits(n)
    longest, fewest = (
        usual if given is None else np.broadcast_to(counts(name, given), n.shape)
        for name, given, usual in zip(
            ("longest_max", "crossings_min"), (longest_max, crossings_min), limits, strict=True
        )
    )
    # Points that are not useful break nothing: the useful ones are moved to the front.
    order = np.argsort(~useful, axis=-1, kind="stable")
    below, above = (
        np.take_along_axis(a, order, axis=-1).reshape(n.size, below.shape[-1]) for a in (below, above)
    )
    return _by_limits(below, above, n.ravel(), longest.ravel(), fewest.ravel()).reshape(n.shape)


def side_chances(low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Check the chances of points to lie on either side of the centre line.

    Parameters
    ----------
    low, high : array_like, shape (..., T)
        As in :func:`runs_false_signal`.

    Returns
    -------
    low, high : numpy.ndarray of float, shape (..., T)
        The same, 0 where a point is not useful.
    useful : numpy.ndarray of bool, shape (..., T)
        Where neither is NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, or chances are negative or add up to more than 1.

    Examples
    --------
    >>> side_chances([0.5, float("nan")], 0.4)
    (array([0.5, 0. ]), array([0.4, 0. ]), array([ True, False]))
    """
    below, above = floats({"low": low, "high": high})
    useful = ~np.isnan(below + above)
    below, above = np.where(useful, below, 0), np.where(useful, above, 0)
    if below.min(initial=0) < 0 or above.min(initial=0) < 0 or (below + above).max(initial=0) > 1 + 1e-9:
        raise OptionError("low and high do not hold chances of 0 to 1 that add up to 1 at most.")
    return below, above, useful


def median_false_signal(
    above: ArrayLike,
    below: ArrayLike,
    *,
    longest_max: ArrayLike | None = None,
    crossings_min: ArrayLike | None = None,
) -> FloatArray:
    """Probability that runs tests signal about the median of the same points, while nothing changes.

    The median leaves as many points above as below, so that they are not independent of each other. All
    orders in which points can lie above and below are equally likely, and these are counted: each run is a
    part, and the parts of each side add up to its points.

    Parameters
    ----------
    above, below : array_like of int, any shapes that fit together
        Points above and below the centre line, >= 0. Points on it are left out.
    longest_max, crossings_min : array_like of int, optional
        A longer run, or fewer crossings, signal. Default: Anhøj's limits for the number of useful points. A
        longest run of all points, or 0 crossings, switches the test off.

    Returns
    -------
    numpy.ndarray of float
        Probabilities in [0, 1], exact but for rounding.

    Raises
    ------
    InputTypeError
        If an argument does not hold whole numbers of 0 or more.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Wald, Wolfowitz, On a test whether two samples are from the same population. Ann Math Stat
       1940;11:147-162 (the orders); Mood, The distribution theory of runs. Ann Math Stat 1940;11:367-392.

    Examples
    --------
    24 points about their own median, and about a line that is known:

    >>> float(median_false_signal(12, 12).round(4)), float(anhoej_false_signal(24).round(4))
    (0.0306, 0.0662)
    """
    high, low = (counts(name, given) for name, given in (("above", above), ("below", below)))
    a, b = (side.astype(np.int64) for side in floats({"above": high[..., None], "below": low[..., None]}))
    shape, limits = a.shape[:-1], anhoej_limits(a + b)
    longest, fewest = (
        usual if given is None else np.broadcast_to(counts(name, given)[..., None], a.shape)
        for name, given, usual in zip(
            ("longest_max", "crossings_min"), (longest_max, crossings_min), limits, strict=True
        )
    )
    different, which = np.unique(
        np.stack([side.ravel() for side in (a, b, longest, fewest)]), axis=1, return_inverse=True
    )
    found = np.array([1 - _quiet_orders(*case) for case in different.T.tolist()])
    return np.asarray(np.clip(found[which.reshape(-1)].reshape(shape), 0, 1))


def _quiet_orders(above: int, below: int, longest: int, fewest: int) -> float:
    """Share of the orders with no longer run and no fewer crossings."""
    n = above + below
    if not (above and below):
        return float(n <= longest and fewest <= 0)
    return _weight(above, below, longest, fewest) / _weight(above, below, n, 0)


def _weight(above: int, below: int, longest: int, fewest: int) -> float:
    """Sum the orders by their number of runs, each as tosses of a coin so that no number overflows."""
    p = above / (above + below)
    high = _filled(above, p, longest, min(above, below + 1))
    low = _filled(below, 1 - p, longest, min(below, above + 1))
    total = 0.0
    for more in (-1, 0, 1):
        ups = np.arange(1, len(high))
        ups = ups[(ups - more > 0) & (ups - more < len(low)) & (2 * ups - more > fewest)]
        orders = float((high[ups] * low[ups - more]).sum()) * (p / (1 - p)) ** more
        # With as many runs above as below, either side can come first.
        total += orders if more else 2 * orders
    return total


def _filled(points: int, chance: float, longest: int, most: int) -> FloatArray:
    """Chance that so many runs (0 to ``most``), ended by a toss of the other side, hold all the points."""
    run = (1 - chance) * chance ** np.arange(min(longest, points))
    held, found = np.zeros(points + 1), np.zeros(most + 1)
    held[0] = 1
    for number in range(1, most + 1):
        held[1:] = np.convolve(held[:-1], run)[:points] if run.size else 0
        held[0] = 0
        found[number] = held[points]
    return found


def _by_limits(
    low: FloatArray, high: FloatArray, n: IntArray, longest: IntArray, fewest: IntArray
) -> FloatArray:
    """Follow the strata with the same number of points and the same limits together."""
    result = np.zeros(n.shape)
    alike, group = np.unique(np.stack([n, longest, fewest]), axis=1, return_inverse=True)
    for number, (size, most, least) in enumerate(alike.T.tolist()):
        here = np.flatnonzero(group.reshape(-1) == number)
        result[here] = _signal(low[here, :size].T, high[here, :size].T, most, least)
    return result


def _signal(low: FloatArray, high: FloatArray, longest: int, fewest: int) -> FloatArray:
    """Give 1 - P(no signal) of strata (n, N)."""
    n, strata = high.shape
    if n == 0:
        return np.zeros(strata)
    longest, fewest = min(longest, n), min(fewest, n)
    parts = [np.s_[:, i : i + _BLOCK] for i in range(0, strata, _BLOCK)]
    quiet = [_quiet(np.stack([high[part], low[part]], axis=1), longest, fewest) for part in parts]
    return np.asarray(np.clip(1 - np.concatenate([*quiet, np.empty(0)]), 0, 1))


def _quiet(sides: FloatArray, longest: int, fewest: int) -> FloatArray:
    """Follow P(side, crossings up to the limit, points in the run) of the series without a signal yet."""
    state = np.zeros((2, fewest + 1, longest, sides.shape[2]))
    if longest:
        state[:, 0, 0] = sides[0]
    for side in sides[1:]:
        crossed = state.sum(axis=2)[::-1] * side[:, np.newaxis]
        state[:, :, 1:] = state[:, :, :-1] * side[:, np.newaxis, np.newaxis]
        state[:, 1:, :1] = crossed[:, :-1, np.newaxis]
        state[:, 0, :1] = 0
        state[:, fewest, :1] += crossed[:, fewest, np.newaxis]
    return np.asarray(state[:, fewest].sum(axis=(0, 1)))
