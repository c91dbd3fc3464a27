"""How long a CUSUM runs before it signals, and the threshold for a run length."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._birth_lattice import points_needed
from qi_equity.formulas._count_lattice import count_arms, first_threshold, mean_runs
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, log_mixture, within
from qi_equity.formulas._normal_cusum import normal_mean_runs
from qi_equity.formulas.cusum import Distribution

__all__ = [
    "RunLengths",
    "Thresholds",
    "bernoulli_threshold",
    "count_cusum_run_length",
    "count_cusum_threshold",
    "tabular_cusum_run_length",
]

# Up to here a birth without the event is so small a step that the lattice can be made of it.
_RARE = 0.05
# Rarer than this, births are taken together: their chance of two events is below a thousandth of that of one.
_RAREST = 0.001


class RunLengths(NamedTuple):
    """Average run lengths: mean number of points up to and including that of the first signal.

    Parameters
    ----------
    low, high : numpy.ndarray of float
        Of each arm alone, >= 1.
    either : numpy.ndarray of float
        Of both arms together.

    Examples
    --------
    >>> float(tabular_cusum_run_length().either.round(1)[0])
    465.4
    """

    low: FloatArray
    high: FloatArray
    either: FloatArray


class Thresholds(NamedTuple):
    """Thresholds of both arms; the ``h`` of the CUSUM functions.

    Parameters
    ----------
    low, high : numpy.ndarray of float
        On the scale of log likelihood, > 0; NaN where there is none.

    Examples
    --------
    >>> Thresholds(np.array([2.0]), np.array([2.5])).high
    array([2.5])
    """

    low: FloatArray
    high: FloatArray


def tabular_cusum_run_length(
    shift: ArrayLike = 0.0, *, k: float = 0.5, h: float = 5.0, head_start: float = 0.0
) -> RunLengths:
    r"""Average run length of a two-sided tabular CUSUM of independent normal points.

    .. math::
        L(s) = 1 + \Phi(k - s - \mu) L(0) + \int_0^h \varphi(x + k - s - \mu) L(x) \, dx

    for the high arm from s, and the same with :math:`-\mu` for the low arm. Two arms that start from s and of
    which one is at 0 when the other signals run

    .. math:: \frac{L^+(s) L^-(0) + L^-(s) L^+(0) - L^+(0) L^-(0)}{L^+(0) + L^-(0)}

    Parameters
    ----------
    shift : array_like, any shape
        Shift :math:`\mu` of the mean from the first point on, in standard errors; 0: in control.
    k : float
        Reference value of the chart, >= 0.
    h : float
        Decision interval of the chart, > 0; a signal lies strictly beyond.
    head_start : float
        Where both arms start, >= 0 and below ``h``.

    Returns
    -------
    RunLengths
        ``low, high, either``, of the shape of ``shift`` (at least one-dimensional), in points.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If ``k``, ``h`` or ``head_start`` is out of bounds.

    References
    ----------
    .. [1] Page, Continuous inspection schemes. Biometrika 1954;41:100-115 (integral equation).
    .. [2] Lucas, Crosier, Fast initial response for CUSUM quality-control schemes. Technometrics
       1982;24:199-205 (both arms with a head start). The texts were seen at second hand; the R package spc
       0.6.7 gives the same numbers.

    Examples
    --------
    >>> tabular_cusum_run_length([0, 1], h=4).either.round(2)
    array([167.68,   8.38])
    """
    (mu,) = floats({"shift": shift})
    reference, limit = number("k", k, at_least=0), number("h", h, above=0)
    start = number("head_start", head_start, at_least=0, below=limit)
    shifts = np.concatenate([-mu.ravel(), mu.ravel()])
    return _both(normal_mean_runs(shifts, reference, limit, start).reshape(2, 2, *mu.shape))


def count_cusum_run_length(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    ratio: float = 2.0,
    h: Threshold,
    head_start: float = 0.0,
    actual: ArrayLike | None = None,
) -> RunLengths:
    r"""Average run length of a two-sided count CUSUM with denominators that do not vary.

    By a Markov chain of the values of each arm on a lattice. It is exact where the lattice holds the
    reference value :math:`n \log(1 - p + R p) / \log R` or :math:`n \lambda (R - 1) / \log R` of the arm,
    else within about 1 %.

    Parameters
    ----------
    size : array_like, any shape
        Births (binomial) or exposure (Poisson) of a period, > 0; births are rounded to whole ones.
    chance : array_like, broadcastable to ``size``
        Centre line of the chart: chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    ratio : float
        Odds ratio or rate ratio of the chart, > 1.
    h : float, array_like broadcastable to ``size``, or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; reaching it signals.
    head_start : float
        Where both arms start, >= 0 and below ``h``, on the scale of log likelihood.
    actual : array_like, broadcastable to ``size``, optional
        True chance or rate of an event. Default: ``chance``, that is, nothing has changed.

    Returns
    -------
    RunLengths
        ``low, high, either``, of the shape of the arguments (at least one-dimensional), in points; NaN where
        an argument is missing, no birth or no event is possible, or the event is certain. ``either`` takes
        it that one arm is at 0 when the other signals, which is so or very nearly so.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549.
    .. [2] Lucas, Counted data CUSUM's. Technometrics 1985;27:129-144 (Poisson). The texts were seen at second
       hand; the R package spc 0.6.7 gives the same numbers for Poisson counts.

    Examples
    --------
    >>> found = count_cusum_run_length(50, 0.06, h=4, actual=[0.06, 0.03])
    >>> found.either.round(0)
    array([147.,   8.])
    """
    of, r = one_of("distribution", distribution, ("binomial", "poisson")), number("ratio", ratio, above=1)
    true = chance if actual is None else actual
    arguments = {"size": size, "chance": chance, "actual": true}
    n, p, now, *limits = floats_and_thresholds(arguments, h)
    start = number("head_start", head_start, at_least=0)
    births, some = _checked(n, p, of)
    _checked(n, now, of)
    found = np.full((2, 2, *n.shape), np.nan)
    for side, limit in enumerate(limits):
        within("head_start", np.full(1, start), 0, float(np.nanmin(limit, initial=math.inf)))
        here = some & (now > 0) & (limit < math.inf)
        side_ratio = (1 / r, r)[side]
        reference = count_arms(births[here], p[here], of, side_ratio).reference
        arms = count_arms(births[here], now[here], of, side_ratio)._replace(reference=reference)
        starts = np.full(here.sum(), start / math.log(r))
        found[:, side, here] = mean_runs(arms, limit[here] / math.log(r), starts)
    return _both(found)


def count_cusum_threshold(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    ratio: float = 2.0,
    points_between: ArrayLike = 740.0,
) -> Thresholds:
    r"""Thresholds at which either arm of a count CUSUM signals falsely once in so many points.

    For each arm the smallest threshold whose in-control average run length, from 0, is at least
    ``points_between``; the run length is that of a Markov chain on a lattice of at least 32 points an event.

    Parameters
    ----------
    size : array_like, any shape
        Births (binomial) or exposure (Poisson) of a period, > 0; births are rounded to whole ones. With
        denominators that vary give their median.
    chance : array_like, broadcastable to ``size``
        Chance of an event in [0, 1], or rate per unit of exposure >= 0, while nothing has changed.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    ratio : float
        Odds ratio or rate ratio of the chart, > 1.
    points_between : array_like, broadcastable to ``size``
        Average run length wanted of each arm, >= 1. 740 points is that of a limit at three standard errors
        of a normal distribution, on one side.

    Returns
    -------
    Thresholds
        ``low, high`` of the shape of the arguments, on the scale of log likelihood. The true run length is
        within about 1 % of what the lattice says; counts being whole it can be a good deal longer than
        wanted, above all where many events are expected of a period. NaN where an argument is missing, no
        birth or no event is possible, or the event is certain.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549 (Markov chain).
    .. [2] Page, Continuous inspection schemes. Biometrika 1954;41:100-115 (run length from a sequential
       test).
    .. [3] Golub, Van Loan, Matrix Computations, section 4.7 (Levinson's recursion, here for all thresholds at
       once). The texts were seen at second hand.

    Examples
    --------
    >>> low, high = count_cusum_threshold([28, 150], 0.05)
    >>> low.round(1), high.round(1)
    (array([4.4, 5.2]), array([4.4, 4.8]))
    """
    of, r = one_of("distribution", distribution, ("binomial", "poisson")), number("ratio", ratio, above=1)
    n, p, run = floats({"size": size, "chance": chance, "points_between": points_between})
    within("points_between", run, 1, math.inf)
    births, some = _checked(n, p, of)
    some &= run < math.inf
    found = np.full((2, *n.shape), np.nan)
    found[:, some] = _frequent_thresholds(births[some], p[some], of, r, run[some])
    return Thresholds(*found)


def bernoulli_threshold(chance: ArrayLike, odds_ratio: float, births_between: ArrayLike) -> Thresholds:
    r"""Thresholds at which either arm of a Bernoulli CUSUM signals falsely once in so many births.

    For each arm the smallest threshold whose in-control average number of births to a signal, from 0, is at
    least ``births_between``.

    Parameters
    ----------
    chance : array_like, any shape
        Chance of the event while nothing has changed, in [0, 1].
    odds_ratio : float
        Odds ratio of the chart, > 1.
    births_between : array_like, broadcastable to ``chance``
        Average number of births to a false signal wanted of each arm, >= 1: 740 times the births of a month
        for one in 740 months. Groups of every size then have the same false signals a month, not the same
        threshold.

    Returns
    -------
    Thresholds
        ``low, high`` of the shape of the arguments, on the scale of log likelihood. The true run length is
        what was asked for or up to about 5 % more, rarely 1 % less. NaN where an argument is missing or the
        chance is 0 or 1.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108 (run length by Markov chain; seen at second hand).

    Examples
    --------
    >>> low, high = bernoulli_threshold([0.01, 0.1], 2.0, 10000)
    >>> low.round(1), high.round(1)
    (array([2.9, 5. ]), array([3.3, 5.3]))
    """
    r = number("odds_ratio", odds_ratio, above=1)
    p, births = floats({"chance": chance, "births_between": births_between})
    within("chance", p, 0, 1)
    within("births_between", births, 1, math.inf)
    some = (p > 0) & (p < 1) & (births < math.inf)
    found, event = np.full((2, *p.shape), np.nan), np.minimum(p, 1 - p)
    some = (event > _RARE) & (births < math.inf)
    found[:, some] = _frequent_thresholds(np.ones(some.sum()), p[some], "binomial", r, births[some])
    some = (event > 0) & (event <= _RARE) & (births < math.inf)
    rare = _rare_thresholds(event[some], r, births[some])
    # Where the event is common, its absence is the rare event, and each arm is the other of that.
    found[:, some] = np.where(p[some] > 0.5, rare[::-1], rare)
    return Thresholds(*found)


def _both(found: FloatArray) -> RunLengths:
    """Put two arms together, given the mean run of each from 0 and from the start, shape (2, 2, ...)."""
    (low, high), (low_start, high_start) = found
    with np.errstate(invalid="ignore"):
        # As rates, because the run of the arm that a shift holds down can be too long for a product.
        either = (high_start / high + low_start / low - 1) / (1 / low + 1 / high)
    return RunLengths(low_start, high_start, either)


def _checked(size: FloatArray, chance: FloatArray, distribution: str) -> tuple[FloatArray, BoolArray]:
    """Check size and chance; give whole births, and where a chart is possible."""
    most = 1 if distribution == "binomial" else math.inf
    within("size", size, 0, math.inf)
    within("chance", chance, 0, most)
    births = np.rint(size) if distribution == "binomial" else size
    return births, (births * chance > 0) & (chance < most) & (births < math.inf)


def _frequent_thresholds(
    size: FloatArray, chance: FloatArray, distribution: str, ratio: float, points: FloatArray
) -> FloatArray:
    """Find both thresholds, shape (2, N), on a lattice between the counts."""
    both = [count_arms(size, chance, distribution, r) for r in (1 / ratio, ratio)]
    found = [first_threshold(arms, points) for arms in both]
    return np.stack(found) * math.log(ratio)


def _rare_thresholds(chance: FloatArray, ratio: float, births: FloatArray) -> FloatArray:
    """Find both thresholds, shape (2, N), on the lattice of births without the event."""
    together = np.maximum(1, np.floor(_RAREST / chance))
    some, found = -np.expm1(together * np.log1p(-chance)), []
    for r in (1 / ratio, ratio):
        moved = np.abs(log_mixture(chance, r)) * together
        jump = math.log(ratio) / moved - 1
        found.append((points_needed(some, jump, births / together, rising=r < 1) - 0.5) * moved)
    return np.stack(found)
