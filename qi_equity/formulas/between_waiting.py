"""How long a g or t chart of rare events runs before it signals: in events, and in births or time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._cusum_arms import within
from qi_equity.formulas.waiting import Waiting, follow

__all__ = [
    "BetweenRuns",
    "g_births_waiting",
    "g_run_length",
    "g_waiting",
    "t_run_length",
    "t_waiting",
]


class BetweenRuns(NamedTuple):
    """Mean run of a chart of gaps up to its first signal; each of the shape of the arguments.

    Parameters
    ----------
    events : numpy.ndarray of float
        Gaps (points of the chart) up to and including the one that signals, >= 1.
    waited : numpy.ndarray of float
        What the gaps are counted in until then: births (g chart) or time (t chart).

    Examples
    --------
    >>> g_run_length(0.5, upper=2).waited
    array([7.])
    """

    events: FloatArray
    waited: FloatArray


def g_run_length(
    chance: ArrayLike, *, lower: ArrayLike = math.nan, upper: ArrayLike = math.nan, open_gap: bool = True
) -> BetweenRuns:
    r"""Mean run of a g chart, in events and in births.

    A gap G of births, that with the event included, signals below ``lower`` or above ``upper``:

    .. math::
        P = q^{r-1} + 1 - q^l, \qquad E(\text{gaps}) = \frac{1}{P}, \qquad
        E(\text{births}) = \frac{E \min(G, r)}{P} = \frac{1 - q^r}{p P}

    with r the least gap above ``upper`` and l the longest below ``lower``. An open gap signals at its r-th
    birth; with the upper limit alone this is the wait for a run of r - 1 births without the event and one
    birth more, :math:`(q^{-(r-1)} - 1) / p + 1`. Where an open gap has to be closed first, births are
    :math:`1 / (p P)`.

    Parameters
    ----------
    chance : array_like, any shape
        True chance p of the event, in [0, 1].
    lower, upper : array_like, broadcastable to ``chance``
        Limits of the chart, births, the birth with the event counted; NaN: none on that side.
    open_gap : bool
        Whether births since the last event signal as soon as they are too many.

    Returns
    -------
    BetweenRuns
        ``events, waited`` (births), of the shape of the arguments (at least one-dimensional); infinite where
        no gap signals or no event comes to end one, NaN where the chance is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or a chance is out of bounds.

    References
    ----------
    .. [1] Feller, An Introduction to Probability Theory and Its Applications, vol. 1, 3rd ed., section XIII.7
       (runs). Benneyan, Health Care Manag Sci 2001;4:319-336 (g charts). Both were seen at second hand.

    Examples
    --------
    The upper limit at three standard errors for 5 %, before and after a halving:

    >>> found = g_run_length([0.05, 0.025], upper=20 + 3 * (20 * 19) ** 0.5)
    >>> found.events.round(1), found.waited.round(0)
    (array([54.6,  7.2]), array([1074.,  249.]))
    """
    p, short, long = _gap_bounds(chance, lower, upper)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_q = np.log1p(-p)
        above, below = _power(log_q, long - 1), -np.expm1(_exponent(log_q, short))
        signal = above + below
        # E min(G, r): each birth of a gap before the r-th is followed by one more if it has no event.
        births = np.where(p > 0, -np.expm1(_exponent(log_q, long)) / p, long)
        births = births if open_gap else 1 / p
        events = 1 / signal
        waited = np.where(signal > 0, births / signal, np.inf)
    return BetweenRuns(np.where(np.isnan(p), np.nan, events), np.where(np.isnan(p), np.nan, waited))


def g_waiting(chance: ArrayLike, *, lower: ArrayLike = math.nan, upper: ArrayLike = math.nan) -> Waiting:
    """Give the distribution of the number of gaps of a g chart up to the one that signals.

    Gaps are independent, so it is geometric.

    Parameters
    ----------
    chance : array_like, any shape
        True chance of the event, in [0, 1].
    lower, upper : array_like, broadcastable to ``chance``
        As in :func:`g_run_length`.

    Returns
    -------
    Waiting
        In events, of the shape of the arguments (at least one-dimensional).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or a chance is out of bounds.

    References
    ----------
    .. [1] The definition; see :func:`g_run_length`.

    Examples
    --------
    >>> g_waiting(0.5, upper=2).quantile(0.95)
    array([11.])
    """
    return _geometric(1 / g_run_length(chance, lower=lower, upper=upper).events)


def g_births_waiting(
    chance: ArrayLike, *, lower: ArrayLike = math.nan, upper: ArrayLike = math.nan
) -> Waiting:
    """Give the distribution of the number of births of a g chart up to its first signal, open gap included.

    By the chain of the births since the last event, birth by birth; the time it takes grows with the limits.

    Parameters
    ----------
    chance : array_like, any shape
        True chance of the event, strictly between 0 and 1.
    lower, upper : array_like, broadcastable to ``chance``
        As in :func:`g_run_length`; there is an upper limit.

    Returns
    -------
    Waiting
        In births, of the shape of the arguments (at least one-dimensional).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, a chance or an upper limit is out of bounds or missing.

    References
    ----------
    .. [1] Feller, An Introduction to Probability Theory and Its Applications, vol. 1, 3rd ed., section XIII.7
       (runs; seen at second hand).

    Examples
    --------
    >>> wait = g_births_waiting(0.05, upper=78.5)
    >>> wait.mean().round(3), g_run_length(0.05, upper=78.5).waited.round(3)
    (array([1073.921]), array([1073.921]))
    """
    p, short, long = _gap_bounds(chance, lower, upper)
    within("chance", np.where(np.isnan(p), 0, p), 0, 1, ends=False)
    within("upper", np.where(np.isnan(long) | np.isinf(long), -1, long), 1, math.inf)
    shape = p.shape
    p, short, long = (a.reshape(-1, 1) for a in (p, short, long))
    after = np.arange(1, int(long.max()) + 1)
    quick, slow = after <= short, after >= long
    start = np.zeros((len(p), len(after)))
    start[:, 0] = 1

    def step(now: FloatArray, _: int) -> tuple[FloatArray, FloatArray]:
        event = now * p
        signal = np.where(quick | slow, event, 0) + np.where(slow, now - event, 0)
        left = np.zeros_like(now)
        left[:, 1:] = np.where(slow, 0, now - event)[:, :-1]
        left[:, 0] = np.where(quick | slow, 0, event).sum(axis=1)
        return left, signal.sum(axis=1)

    # Short gaps can signal long before a gap can be too long.
    wait = follow(start, step, least=2 * len(after))
    return Waiting(wait.survival.reshape(*shape, -1), wait.hazard.reshape(*shape, -1))


def t_run_length(
    rate: ArrayLike, *, lower: ArrayLike = math.nan, upper: ArrayLike = math.nan, open_time: bool = True
) -> BetweenRuns:
    r"""Mean run of a t chart of exponential times between events, in events and in time.

    .. math::
        P = e^{-\lambda u} + 1 - e^{-\lambda l}, \qquad E(\text{gaps}) = \frac{1}{P}, \qquad
        E(\text{time}) = \frac{1 - e^{-\lambda u}}{\lambda P}

    An open time signals as soon as it exceeds the upper limit u; where it has to be closed first, the time is
    :math:`1 / (\lambda P)`.

    Parameters
    ----------
    rate : array_like, any shape
        True events per unit of time, >= 0.
    lower, upper : array_like, broadcastable to ``rate``
        Limits l and u of the chart, in time; NaN: none on that side.
    open_time : bool
        Whether the time since the last event signals as soon as it is too long.

    Returns
    -------
    BetweenRuns
        ``events, waited`` (time), of the shape of the arguments (at least one-dimensional); infinite where
        no time signals or no event comes to end one, NaN where the rate is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or a rate or limit is below 0.

    References
    ----------
    .. [1] Xie, Goh, Ranjan, Some effective control chart procedures for reliability monitoring. Reliab Eng
       Syst Saf 2002;77:143-150 (not read; the definition).

    Examples
    --------
    >>> found = t_run_length(2.0, upper=3.0)
    >>> found.events.round(1), found.waited.round(1)
    (array([403.4]), array([201.2]))
    """
    arguments = {"rate": rate, "lower": lower, "upper": upper}
    r, short, long = floats(arguments)
    for name, value in zip(arguments, (r, short, long), strict=True):
        within(name, value, 0, math.inf)
    short, long = np.where(np.isnan(short), 0, short), np.where(np.isnan(long), np.inf, long)
    with np.errstate(divide="ignore", invalid="ignore"):
        above, below = _power(-r, long), -np.expm1(_exponent(-r, short))
        signal = above + below
        time = np.where(r > 0, -np.expm1(_exponent(-r, long)) / r, long) if open_time else 1 / r
        waited = np.where(signal > 0, time / signal, np.inf)
        events = 1 / signal
    return BetweenRuns(np.where(np.isnan(r), np.nan, events), np.where(np.isnan(r), np.nan, waited))


def t_waiting(rate: ArrayLike, *, lower: ArrayLike = math.nan, upper: ArrayLike = math.nan) -> Waiting:
    """Give the distribution of the number of times of a t chart up to the one that signals.

    Times are independent, so it is geometric.

    Parameters
    ----------
    rate : array_like, any shape
        True events per unit of time, >= 0.
    lower, upper : array_like, broadcastable to ``rate``
        As in :func:`t_run_length`.

    Returns
    -------
    Waiting
        In events, of the shape of the arguments (at least one-dimensional).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or a rate or limit is below 0.

    References
    ----------
    .. [1] The definition; see :func:`t_run_length`.

    Examples
    --------
    >>> t_waiting(2.0, upper=1.0).quantile(0.5)
    array([5.])
    """
    return _geometric(1 / t_run_length(rate, lower=lower, upper=upper).events)


def _gap_bounds(chance: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[FloatArray, ...]:
    """Give the chance, the longest gap that is too short (0: none) and the least too long (infinite)."""
    p, low, high = floats({"chance": chance, "lower": lower, "upper": upper})
    within("chance", p, 0, 1)
    short = np.where(np.isnan(low), 0, np.maximum(np.ceil(low) - 1, 0))
    return p, short, np.where(np.isnan(high), np.inf, np.maximum(np.floor(high) + 1, 1))


def _exponent(log: FloatArray, times: FloatArray) -> FloatArray:
    """Give log * times, 0 where either is 0."""
    return np.where((log == 0) | (times == 0), 0.0, log * times)


def _power(log: FloatArray, times: FloatArray) -> FloatArray:
    """Give exp(log * times), 0 at infinitely many times: such a gap is never seen."""
    return np.where(np.isinf(times), 0.0, np.exp(_exponent(log, times)))


def _geometric(chance: FloatArray) -> Waiting:
    return Waiting(np.ones((*chance.shape, 1)), chance[..., np.newaxis])
