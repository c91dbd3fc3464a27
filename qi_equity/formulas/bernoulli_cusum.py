"""Bernoulli CUSUM: one birth a step, or one gap between events a step."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, mask
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, follow, log_mixture, within
from qi_equity.formulas.cusum import CusumPath

__all__ = ["bernoulli_cusum", "bernoulli_cusum_gaps"]


def bernoulli_cusum(
    outcomes: ArrayLike,
    *,
    chance: ArrayLike,
    odds_ratio: float = 2.0,
    h: Threshold = 3.5,
    restart: bool = True,
) -> CusumPath:
    r"""Two-sided Bernoulli CUSUM, one birth a step.

    .. math::
        S_t = \max(0, S_{t-1} + W_t), \qquad W_t = y_t \log R - \log(1 - p + R p)

    for the high arm, with 1/R in place of R for the low one: the log likelihood ratio of the chance whose
    odds are R times those of p against p. A signal is :math:`S \ge h`.

    Parameters
    ----------
    outcomes : array_like, shape (..., T)
        1 for a birth with the event and 0 for one without, in the order of the births; NaN where not
        recorded.
    chance : array_like, broadcastable to (..., T)
        Chance p of the event while nothing has changed, in [0, 1].
    odds_ratio : float
        Odds ratio R to be found soonest, > 1.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal. With odds ratio 2,
        3.5 gives a false signal of the high arm about every 12,300 births at a chance of 1 %, but every 1,470
        at 10 %: :func:`~qi_equity.formulas.cusum_run_length.bernoulli_threshold` gives it for a run length.
    restart : bool
        Whether an arm goes on from 0 after its signal. The value at the signal itself is kept.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If outcomes are not 0 or 1, shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108.
    .. [2] Neuburger et al., Comparison of control charts for monitoring clinical performance using binary
       data. BMJ Qual Saf 2017;26:919-928 (odds ratio 2, threshold 3.5).
    .. [3] qicharts2 0.8.1, bchart, which draws 0 at a signal; [1] and [2] were seen at second hand.

    Examples
    --------
    >>> path = bernoulli_cusum([0, 1, 1, 0, 1], chance=0.1, h=1)
    >>> path.high.round(3), path.high_signal.tolist()
    (array([0.   , 0.598, 1.196, 0.   , 0.598]), [False, False, True, False, False])
    """
    y, p, h_low, h_high = floats_and_thresholds({"outcomes": outcomes, "chance": chance}, h)
    ratio = number("odds_ratio", odds_ratio, above=1)
    wrong = y[(y != 0) & (y != 1) & ~np.isnan(y)]
    if wrong.size:
        raise OptionError(
            f"outcomes hold {float(wrong[0])!r}; give 1 for an event, 0 for none, NaN if unknown."
        )
    within("chance", p, 0, 1)
    gained = y * math.log(ratio)
    low, low_signal = follow(-gained - log_mixture(p, 1 / ratio), h_low, restart=restart)
    high, high_signal = follow(gained - log_mixture(p, ratio), h_high, restart=restart)
    return CusumPath(0.0 - low, high, low_signal, high_signal)


def bernoulli_cusum_gaps(
    births: ArrayLike,
    closed: ArrayLike,
    *,
    chance: ArrayLike,
    odds_ratio: float = 2.0,
    h: Threshold = 3.5,
    restart: bool = True,
) -> CusumPath:
    r"""Two-sided Bernoulli CUSUM from the gaps between events, one gap a step.

    The same chart as :func:`bernoulli_cusum` of all births one by one, of which each gap shows the most
    extreme value of either arm and whether it signalled. Within a gap the low arm only rises (in steps of
    :math:`-\log(1 - p + p / R)`) until the event, and the high arm only falls, so both are known in closed
    form.

    Parameters
    ----------
    births : array_like, shape (..., T)
        Births since the last event, including that with the event, in time order; whole numbers >= 0, NaN
        where not known (the arms are carried on past it).
    closed : array_like of bool, broadcastable to (..., T)
        Whether the gap ended with an event; False for births at the end after the last one.
    chance : array_like, broadcastable to (..., T)
        Chance p of the event while nothing has changed, in [0, 1].
    odds_ratio : float
        Odds ratio R to be found soonest, > 1.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal.
    restart : bool
        Whether an arm goes on from 0 after its signal, at the birth that gave it.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood. NaN
        where a gap is missing or holds no birth.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``closed`` not booleans.
    OptionError
        If births are not whole numbers, a gap that ended with an event holds none, shapes do not fit together
        or an option is out of bounds.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108, of which this is the restatement by gaps.

    Examples
    --------
    >>> path = bernoulli_cusum_gaps([2, 1, 2], True, chance=0.1, h=1)
    >>> path.high.round(3), path.high_signal.tolist()
    (array([0.598, 1.196, 0.598]), [False, True, False])
    """
    n, p, h_low, h_high = floats_and_thresholds({"births": births, "chance": chance}, h)
    ended, ratio = mask("closed", closed, n.shape), number("odds_ratio", odds_ratio, above=1)
    check_gaps(n, ended)
    within("chance", p, 0, 1)
    rise, fall = -log_mixture(p, 1 / ratio), log_mixture(p, ratio)
    low, low_signal = _follow_gaps(_low_gap, n, ended, rise, math.log(ratio) - rise, h_low, restart)
    high, high_signal = _follow_gaps(_high_gap, n, ended, fall, math.log(ratio) - fall, h_high, restart)
    return CusumPath(0.0 - low, high, low_signal, high_signal)


def check_gaps(births: FloatArray, closed: BoolArray) -> None:
    """Check that gaps hold whole births, and one at least where an event ended them.

    Raises
    ------
    OptionError
        Names the first gap that does not.
    """
    wrong = births[(births < 0) | (births % 1 > 0)]
    if wrong.size:
        raise OptionError(
            f"births hold {float(wrong[0])!r}; give whole numbers of 0 or more, NaN if unknown."
        )
    if ((births == 0) & closed).any():
        raise OptionError(
            "births hold 0 where closed is True; count the birth with the event as the last of its gap."
        )


_Gap = Callable[..., tuple[FloatArray, FloatArray, BoolArray]]


def _follow_gaps(
    gap: _Gap,
    births: FloatArray,
    closed: BoolArray,
    other: FloatArray,
    event: FloatArray,
    h: FloatArray,
    restart: bool,
) -> tuple[FloatArray, BoolArray]:
    """Follow an arm gap by gap: its peak in each gap, and whether it signalled there."""
    seen = (births > 0) & ~np.isnan(other)
    path, signal = np.full(births.shape, np.nan), np.zeros(births.shape, dtype=np.bool_)
    state = np.zeros(births.shape[:-1])
    for t in range(births.shape[-1]):
        others, ended = births[..., t] - closed[..., t], closed[..., t]
        # Without births or chance a gap gives NaN, and a chance of 0 never reaches h: neither is used.
        with np.errstate(divide="ignore", invalid="ignore"):
            last, peak, fired = gap(state, others, ended, other[..., t], event[..., t], h[..., t], restart)
        state = np.where(seen[..., t], last, state)
        path[..., t] = np.where(seen[..., t], peak, np.nan)
        signal[..., t] = seen[..., t] & fired
    return path, signal


def _low_gap(
    state: FloatArray,
    others: FloatArray,
    closed: BoolArray,
    rise: FloatArray,
    drop: FloatArray,
    h: FloatArray,
    restart: bool,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Rise with every birth, again from 0 after each signal, and drop at the event."""
    top = peak = state + others * rise
    fired = np.zeros(np.shape(top), dtype=np.bool_)
    if restart:
        first, again = np.ceil((h - state) / rise), np.ceil(h / rise)
        fired, left = others >= first, others - first
        highest = np.maximum(state + first * rise, np.where(left >= again, again * rise, 0))
        top = np.where(fired, np.fmod(left, again) * rise, top)
        peak = np.where(fired, highest, peak)
    last = np.where(closed, np.maximum(top - drop, 0), top)
    peak = np.where(others > 0, peak, last)
    return last, peak, fired if restart else peak >= h


def _high_gap(
    state: FloatArray,
    others: FloatArray,
    closed: BoolArray,
    fall: FloatArray,
    gain: FloatArray,
    h: FloatArray,
    restart: bool,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Fall with every birth, no further than to 0, and jump at the event."""
    bottom = np.maximum(state - others * fall, 0)
    last = np.where(closed, np.maximum(bottom + gain, 0), bottom)
    peak = np.maximum(last, np.where(others > 0, state - fall, 0))
    fired = peak >= h
    return np.where(fired & restart, 0, last), peak, fired
