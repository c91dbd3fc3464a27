"""How many births a Bernoulli CUSUM waits before it signals, and how soon every group's chart would see."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of, whole_number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._birth_chain import Moves, likelihood_moves, runs_until
from qi_equity.formulas._birth_waiting import waiting_births
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, within
from qi_equity.formulas.waiting import Waiting

__all__ = [
    "BernoulliDetection",
    "bernoulli_cusum_run_length",
    "bernoulli_cusum_waiting",
    "bernoulli_detection",
    "bernoulli_score_run_length",
]

Side = Literal["low", "high", "both"]
_ROUNDING = 1e-9
# Points the rarer outcome moves an arm by, at least: where the threshold is given, its place between the
# values of the arm matters to 1 % or 2 %; where it is itself found on the lattice, much less.
_FINE = 64
_COARSE = 20


class BernoulliDetection(NamedTuple):
    """Bernoulli CUSUM charts tuned to a false-alarm time, and how soon they see a change.

    Parameters
    ----------
    h : numpy.ndarray of float
        Threshold of the arm that looks for the change, on the scale of log likelihood.
    births_between : numpy.ndarray of float
        Mean births to a false signal of that arm, at least what was asked for.
    births_to_detect : numpy.ndarray of float
        Mean births from the change to the signal, of an arm that starts from 0.

    Examples
    --------
    >>> found = bernoulli_detection(0.12, 0.06, 11250)
    >>> found.births_to_detect.round(0)
    array([230.])
    """

    h: FloatArray
    births_between: FloatArray
    births_to_detect: FloatArray


def bernoulli_score_run_length(chance: ArrayLike, *, event: int, other: int, h: int) -> FloatArray:
    r"""Mean number of births to the signal of a Bernoulli CUSUM of whole-number scores, exactly.

    .. math:: S_t = \max(0, S_{t-1} + w_t), \qquad w_t \in \{\mathrm{event}, \mathrm{other}\},
        \quad S_0 = 0

    by the linear equations of the states 0 to h - 1, which are eliminated one by one.

    Parameters
    ----------
    chance : array_like, any shape
        True chance of the event, in [0, 1].
    event, other : int
        Scores of a birth with and of one without the event: one above 0, one below.
    h : int
        Threshold, >= 1; reaching it signals.

    Returns
    -------
    numpy.ndarray of float
        Births, >= 1, of the shape of ``chance`` (at least one-dimensional); infinite where the score above 0
        never comes, NaN where the chance is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a score or threshold is no whole number, both scores have one sign, or a chance is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108 (whole-number scores and the chain of their sums; seen at second hand).

    Examples
    --------
    A chart that looks for a halving of 12 %, before and after it:

    >>> bernoulli_score_run_length([0.12, 0.06], event=-21, other=2, h=165).round(0)
    array([11536.,   229.])
    """
    (p,) = floats({"chance": chance})
    within("chance", p, 0, 1)
    scores = {"event": event, "other": other}
    for name, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, int | np.integer) or score == 0:
            raise OptionError(f"{name}={score!r} is not allowed; give a whole number other than 0.")
    if (event > 0) == (other > 0):
        raise OptionError(
            f"event={event!r} and other={other!r} have one sign; one score must lead towards h, one away."
        )
    limit = whole_number("h", h, at_least=1)
    unit = math.gcd(int(event), int(other))
    chance_up = np.where(other > 0, 1 - p, p)
    found = np.where(np.isnan(p), np.nan, np.inf)
    some = chance_up > 0
    one = np.ones(int(some.sum()))
    up, down = (one * (abs(int(s)) // unit) for s in (max(event, other), min(event, other)))
    moves = Moves(up, down, one > 0, one, one, one < 0)
    points = one * -(-limit // unit)
    found[some] = runs_until(moves, chance_up[some][np.newaxis], steps=one * np.inf, points=points).mean[0]
    return found


def bernoulli_cusum_run_length(
    chance: ArrayLike,
    *,
    odds_ratio: float = 2.0,
    h: Threshold,
    side: Side = "both",
    actual: ArrayLike | None = None,
) -> FloatArray:
    r"""Mean number of births to the signal of a Bernoulli CUSUM, from 0.

    By a Markov chain of the values of an arm on a lattice that holds the step of the likelier outcome; that
    of the rarer one, 64 points or more, is shared between two points. Births of an event rarer than 0.5 % are
    taken together. Both arms together signal at the sum of their rates, which takes it that one is at 0
    when the other signals: so it is, or very nearly.

    Parameters
    ----------
    chance : array_like, any shape
        Chance of the event that the chart holds for unchanged, in [0, 1].
    odds_ratio : float
        Odds ratio of the chart, > 1; the low arm looks for odds divided by it.
    h : float, array_like broadcastable to ``chance``, or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; an arm with a missing one never signals.
    side : {"both", "low", "high"}
        Arms whose signals count.
    actual : array_like, broadcastable to ``chance``, optional
        True chance. Default: ``chance``, that is, nothing has changed.

    Returns
    -------
    numpy.ndarray of float
        Births, >= 1, within 0.5 %; of the shape of the arguments (at least one-dimensional). Infinite where
        no signal can come, NaN where an argument is missing or the chance of the chart is 0 or 1.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108 (seen at second hand).
    .. [2] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549 (Markov chain).

    Examples
    --------
    >>> bernoulli_cusum_run_length(0.1, h=4.5, side="low", actual=[0.1, 0.05]).round(-1)
    array([6060.,  230.])
    """
    r = number("odds_ratio", odds_ratio, above=1)
    sides = one_of("side", side, ("both", "low", "high"))
    arguments = {"chance": chance, "actual": chance if actual is None else actual}
    p, now, *limits = floats_and_thresholds(arguments, h)
    within("chance", p, 0, 1)
    within("actual", now, 0, 1)
    given = (p > 0) & (p < 1) & ~np.isnan(now)
    rate = np.where(given, 0.0, np.nan)
    for limit, ratio, name in zip(limits, (1 / r, r), ("low", "high"), strict=True):
        some = given & (limit < math.inf) & ((now > 0) if name == "high" else (now < 1))
        if sides in (name, "both") and some.any():
            rate[some] += 1 / _mean_births(p[some], now[some], ratio, limit[some])
    with np.errstate(divide="ignore"):
        return np.asarray(1 / rate)


def bernoulli_cusum_waiting(
    chance: ArrayLike,
    *,
    odds_ratio: float = 2.0,
    h: Threshold,
    side: Literal["low", "high"],
    actual: ArrayLike | None = None,
) -> Waiting:
    """Give the distribution of the number of births to the signal of one arm of a Bernoulli CUSUM, from 0.

    The chain of :func:`bernoulli_cusum_run_length`, birth by birth, until its chance of a signal has settled:
    that takes longer the rarer the event and the nearer ``odds_ratio`` to 1. Where births are taken together,
    a signal among them is as likely at each.

    Parameters
    ----------
    chance : array_like, any shape
        Chance of the event that the chart holds for unchanged, strictly between 0 and 1.
    odds_ratio : float
        Odds ratio of the chart, > 1; the low arm looks for odds divided by it.
    h : float, array_like broadcastable to ``chance``, or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood.
    side : {"low", "high"}
        Which arm.
    actual : array_like, broadcastable to ``chance``, optional
        True chance, in [0, 1]. Default: ``chance``, that is, nothing has changed.

    Returns
    -------
    Waiting
        In births, of the shape of the arguments (at least one-dimensional); its mean is within 1 %.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, or an argument is missing or out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549.

    Examples
    --------
    >>> wait = bernoulli_cusum_waiting(0.1, h=4.5, side="low", actual=0.05)
    >>> wait.quantile(0.5), wait.quantile(0.95)
    (array([205.]), array([448.]))
    """
    r = number("odds_ratio", odds_ratio, above=1)
    which = one_of("side", side, ("low", "high"))
    arguments = {"chance": chance, "actual": chance if actual is None else actual}
    p, now, low, high = floats_and_thresholds(arguments, h)
    limit, ratio = (low, 1 / r) if which == "low" else (high, r)
    within("chance", np.where(np.isnan(p), 0, p), 0, 1, ends=False)
    within("actual", np.where(np.isnan(now), -1, now), 0, 1)
    within("h", np.where(np.isnan(limit), 0, limit), 0, math.inf, ends=False)
    shape, p, now, limit = p.shape, p.ravel(), now.ravel(), limit.ravel()
    moves = likelihood_moves(p, np.full(p.shape, ratio), now, fineness=_FINE)
    points = np.maximum(np.ceil(limit / moves.unit - _ROUNDING), 1)
    wait = waiting_births(moves, moves.chance_up(now), points)
    return Waiting(wait.survival.reshape(*shape, -1), wait.hazard.reshape(*shape, -1))


def bernoulli_detection(before: ArrayLike, after: ArrayLike, births_between: ArrayLike) -> BernoulliDetection:
    r"""Tune a Bernoulli CUSUM to each change and say how many births it takes to see it.

    The chart looks for the odds after the change; of a fall it is the low arm, of a rise the high one. Its
    threshold is the smallest on the lattice with at least ``births_between`` births to a false signal. The
    lattice holds the step of the likelier outcome of a birth; where few births decide (a common event, few
    births between) the next threshold can give a good deal more than what was asked for.

    Parameters
    ----------
    before, after : array_like, any shapes that fit together
        Chance of the event before and after the change, in [0, 1].
    births_between : array_like, broadcastable to these
        Mean births to a false signal of the arm, >= 1: the births of a month times the months wanted. Groups
        of every size then have the same false signals a month.

    Returns
    -------
    BernoulliDetection
        ``h, births_between, births_to_detect``, of the shape of the arguments (at least one-dimensional). NaN
        where an argument is missing, a chance is 0 or 1, or both are equal.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108 (seen at second hand).

    Examples
    --------
    A halving of 12 %, for a group of 10 births a month and one of 150, at one false signal in 150 months:

    >>> found = bernoulli_detection(0.12, 0.06, [1500, 22500])
    >>> (found.births_to_detect / [10, 150]).round(1)
    array([13.5,  1.7])
    """
    p, q, births = floats({"before": before, "after": after, "births_between": births_between})
    within("before", p, 0, 1)
    within("after", q, 0, 1)
    within("births_between", births, 1, math.inf)
    some = (p > 0) & (p < 1) & (q > 0) & (q < 1) & (p != q) & (births < math.inf)
    found = np.full((3, *p.shape), np.nan)
    before_, after_ = p[some], q[some]
    ratio = after_ / (1 - after_) * (1 - before_) / before_
    moves = likelihood_moves(before_, ratio, after_, fineness=_COARSE)
    chance_up = moves.chance_up(np.stack([before_, after_]))
    no_end = np.full(ratio.shape, np.inf)
    runs = runs_until(moves, chance_up, steps=births[some] / moves.together, points=no_end)
    found[0, some] = (runs.points - 0.5 / moves.together) * moves.unit
    found[1:, some] = runs.mean * moves.together
    return BernoulliDetection(*found)


def _mean_births(chance: FloatArray, actual: FloatArray, ratio: float, h: FloatArray) -> FloatArray:
    """Mean births of one arm each, (A,); between two thresholds of births taken together in proportion."""
    moves = likelihood_moves(chance, np.full(chance.shape, ratio), actual, fineness=_FINE)
    place = h / moves.unit - _ROUNDING
    points = np.maximum(np.ceil(place), 1)
    no_end = np.full(chance.shape, np.inf)
    runs = runs_until(moves, moves.chance_up(actual[np.newaxis]), steps=no_end, points=points)
    part = np.where(moves.together > 1, points - place, 0)
    return np.asarray((runs.mean[0] - part * (runs.mean[0] - runs.below[0])) * moves.together)
