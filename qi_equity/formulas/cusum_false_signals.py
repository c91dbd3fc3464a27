"""How likely a CUSUM signals within so many points or births when nothing has changed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import FloatArray, counts
from qi_equity.formulas._count_lattice import count_arms, points_per_event, silent_before, steps
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, within
from qi_equity.formulas._normal_cusum import normal_signal
from qi_equity.formulas._pooling import positive
from qi_equity.formulas.cusum import Distribution

__all__ = ["bernoulli_cusum_false_signal", "count_cusum_false_signal", "tabular_cusum_false_signal"]

_STATES = 256
# Births are taken together until those without the event move an arm by so many events.
_TOGETHER = 1 / 32


def tabular_cusum_false_signal(
    n_points: ArrayLike, *, k: float = 0.5, h: float = 5.0, head_start: float = 0.0
) -> FloatArray:
    """Probability that a two-sided tabular CUSUM signals within so many independent normal points.

    Each arm by Page's integral equation, point by point, without error. The arms are taken as independent,
    which is up to 0.005 too low for probabilities up to 0.2, and up to about 0.04 for those above a half.

    Parameters
    ----------
    n_points : array_like of int, any shape
        Points that are not missing, >= 0.
    k : float
        Reference value of the chart, >= 0.
    h : float
        Decision interval of the chart, > 0.
    head_start : float
        Where both arms start, >= 0 and below ``h``.

    Returns
    -------
    numpy.ndarray of float
        Probabilities in [0, 1] of at least one signal of either arm, of the shape of ``n_points``.

    Raises
    ------
    InputTypeError
        If ``n_points`` does not hold whole numbers of 0 or more, or an option no number.
    OptionError
        If ``k``, ``h`` or ``head_start`` is out of bounds.

    References
    ----------
    .. [1] Page, Continuous inspection schemes. Biometrika 1954;41:100-115; seen at second hand.

    Examples
    --------
    >>> tabular_cusum_false_signal([24, 36], h=4).round(3)
    array([0.113, 0.175])
    """
    n = counts("n_points", n_points)
    reference, limit = number("k", k, at_least=0), number("h", h, above=0)
    start = number("head_start", head_start, at_least=0, below=limit)
    one = normal_signal(n, reference, limit, start)
    return np.asarray(one * (2 - one))


def count_cusum_false_signal(
    size: ArrayLike,
    centre_line: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    ratio: float = 2.0,
    h: Threshold,
    head_start: float = 0.0,
) -> FloatArray:
    """Probability that a two-sided count CUSUM signals at least once while the centre line holds.

    Each arm by a Markov chain of its values on a lattice of 256 points, period by period, each with its own
    denominator. The arms are taken as independent, which is up to 0.005 too low for probabilities up to 0.2,
    and up to about 0.04 for those above a half.

    Parameters
    ----------
    size : array_like, shape (..., T)
        Births (binomial) or exposure (Poisson) of each period; births are rounded to whole ones. Periods
        without any, or missing ones, count for nothing.
    centre_line : array_like, broadcastable to (..., T)
        Chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    ratio : float
        Odds ratio or rate ratio of the chart, > 1.
    h : float, array_like broadcastable to (..., 1), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; an arm with a missing one does not signal.
    head_start : float
        Where both arms start, >= 0, on the scale of log likelihood.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Probabilities in [0, 1]; 0 where there is no period. That the centre line is itself an estimate is not
        allowed for.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549; seen at second hand.

    Examples
    --------
    >>> float(count_cusum_false_signal([50] * 24, 0.06, h=4).round(2))
    0.13
    """
    of, r = one_of("distribution", distribution, ("binomial", "poisson")), number("ratio", ratio, above=1)
    n, p, *limits = floats_and_thresholds({"size": size, "centre_line": centre_line}, h)
    start = number("head_start", head_start, at_least=0) / math.log(r)
    within("size", n, 0, math.inf)
    within("centre_line", p, 0, 1 if of == "binomial" else math.inf)
    births = positive(np.rint(n) if of == "binomial" else n)
    shape, births, p = n.shape[:-1], *(a.reshape(-1, n.shape[-1]) for a in (births, p))
    quiet = np.ones(len(births))
    for side, limit in zip((1 / r, r), limits, strict=True):
        ends = limit.reshape(births.shape)[:, 0] / math.log(r)
        quiet *= _silent(births, p, of, side, ends, start)
    return 1 - quiet.reshape(shape)


def bernoulli_cusum_false_signal(
    births: ArrayLike, chance: ArrayLike, *, odds_ratio: float = 2.0, h: Threshold = 3.5
) -> FloatArray:
    """Probability that a two-sided Bernoulli CUSUM signals within so many births while the chance holds.

    Each arm by a Markov chain of its values on a lattice; births are taken a few at a time where the event
    is rare, which leaves an error of about 3 % of the probability. The arms are taken as independent, which
    is up to 0.005 too low for probabilities up to 0.2, and up to about 0.04 for those above a half.

    Parameters
    ----------
    births : array_like, any shape
        Births that the chart follows, >= 0.
    chance : array_like, broadcastable to ``births``
        Chance of the event, in [0, 1].
    odds_ratio : float
        Odds ratio of the chart, > 1.
    h : float, array_like broadcastable to ``births``, or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; an arm with a missing one does not signal.

    Returns
    -------
    numpy.ndarray of float
        Probabilities in [0, 1], of the shape of the arguments (at least one-dimensional); NaN where births or
        chance are missing. The time it takes grows with the expected number of events.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108; seen at second hand.

    Examples
    --------
    >>> bernoulli_cusum_false_signal([1000, 2000], 0.05, h=4).round(2)
    array([0.27, 0.5 ])
    """
    r = number("odds_ratio", odds_ratio, above=1)
    n, p, *limits = floats_and_thresholds({"births": births, "chance": chance}, h)
    within("births", n, 0, math.inf)
    within("chance", p, 0, 1)
    quiet = np.where(np.isnan(n + p), np.nan, 1.0)
    for side, limit in zip((1 / r, r), limits, strict=True):
        some = (n > 0) & (p > 0) & (p < 1) & (limit < math.inf)
        if some.any():
            quiet[some] *= _silent_births(n[some], p[some], side, limit[some] / math.log(r))
    return np.asarray(1 - quiet)


def _silent(
    births: FloatArray, chance: FloatArray, of: str, ratio: float, ends: FloatArray, start: float
) -> FloatArray:
    """Chance of no signal in the periods of each row, going backward from the last; ``ends`` in events."""
    silent = np.ones((len(births), _STATES + 1))
    silent[:, _STATES] = 0
    for t in range(births.shape[1] - 1, -1, -1):
        n, p = births[:, t], chance[:, t]
        here = (n * p > 0) & ((p < 1) | (of == "poisson")) & (ends < math.inf)
        if here.any():
            arms = count_arms(n[here], p[here], of, ratio)
            kernel = steps(arms, _STATES / ends[here], _STATES)
            silent[here] = silent_before(kernel, silent[here], np.full(len(kernel), _STATES))
    place = np.minimum(start * _STATES / ends, _STATES)
    whole, row = np.floor(np.nan_to_num(place)).astype(np.intp), np.arange(len(silent))
    part = np.nan_to_num(place) - whole
    after = silent[row, np.minimum(whole + 1, _STATES)]
    return np.asarray((1 - part) * silent[row, whole] + part * after)


def _silent_births(births: FloatArray, chance: FloatArray, ratio: float, ends: FloatArray) -> FloatArray:
    """Chance of no signal within the births of each row, a few births at a time; ``ends`` in events."""
    one = count_arms(np.ones(chance.shape), chance, "binomial", ratio)
    together = np.maximum(1, np.rint(_TOGETHER / one.reference))
    arms = count_arms(together, chance, "binomial", ratio)
    # Births taken together miss what happens among them: half-way, on average, an arm peaks or leaves 0.
    ends = np.maximum(ends - (together - 1) / 2 * one.reference, ends / 2)
    per_event = points_per_event(arms.reference, ends)
    states = np.ceil(ends * per_event).astype(np.int64)
    kernel = steps(arms, per_event, int(states.max()))
    silent = np.where(np.arange(states.max() + 1) < states[:, np.newaxis], 1.0, 0.0)
    turns = births / together
    found = np.where(turns < 1, 1 - turns, 0.0)
    for turn in range(1, math.ceil(turns.max()) + 1):
        silent = silent_before(kernel, silent, states)
        # Between two turns the chance is taken in proportion.
        found += np.maximum(1 - np.abs(turns - turn), 0) * silent[:, 0]
    return found
