"""Charts that allow for the risk of each birth: risk-adjusted CUSUM, and observed against expected."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, floats, mask
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, within
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum, check_gaps
from qi_equity.formulas.cusum import CusumPath, count_cusum

__all__ = ["poisson_risk_adjusted_cusum", "risk_adjusted_cusum", "risk_adjusted_cusum_gaps", "vlad"]

_CELLS = 2**19


def risk_adjusted_cusum(
    outcomes: ArrayLike,
    risks: ArrayLike,
    *,
    odds_ratio: float = 2.0,
    h: Threshold,
    restart: bool = True,
) -> CusumPath:
    r"""Two-sided risk-adjusted CUSUM, one birth a step.

    .. math::
        S_t = \max(0, S_{t-1} + W_t), \qquad W_t = y_t \log R - \log(1 - r_t + R r_t)

    for the high arm, with 1/R in place of R for the low one: as
    :func:`~qi_equity.formulas.bernoulli_cusum.bernoulli_cusum`, each birth against its own risk. A signal is
    :math:`S \ge h`.

    Parameters
    ----------
    outcomes : array_like, shape (..., T)
        1 for a birth with the event and 0 for one without, in the order of the births; NaN where not
        recorded.
    risks : array_like, broadcastable to (..., T)
        Expected probability of the event of each birth, strictly between 0 and 1; NaN where not known.
    odds_ratio : float
        Odds ratio R to be found soonest, > 1.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal.
    restart : bool
        Whether an arm goes on from 0 after its signal. The value at the signal itself is kept.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood. It
        tells a change from what the risks predict, so it is no better than their calibration.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If outcomes are not 0 or 1, a risk is not within (0, 1), shapes do not fit together or an option is
        out of bounds.

    References
    ----------
    .. [1] Steiner, Cook, Farewell, Treasure, Monitoring surgical performance using risk-adjusted cumulative
       sum charts. Biostatistics 2000;1:441-452.

    Examples
    --------
    >>> path = risk_adjusted_cusum([0, 1, 1], [0.1, 0.5, 0.02], h=0.9)
    >>> path.high.round(3), path.high_signal
    (array([0.   , 0.288, 0.961]), array([False, False,  True]))
    """
    y, r = floats({"outcomes": outcomes, "risks": risks})
    within("risks", r, 0, 1, ends=False)
    return bernoulli_cusum(y, chance=r, odds_ratio=odds_ratio, h=h, restart=restart)


def risk_adjusted_cusum_gaps(
    risks: ArrayLike,
    births: ArrayLike,
    closed: ArrayLike,
    *,
    odds_ratio: float = 2.0,
    h: Threshold,
    restart: bool = True,
) -> CusumPath:
    r"""Two-sided risk-adjusted CUSUM shown by the gaps between events.

    It is followed birth by birth, as :func:`risk_adjusted_cusum`; each gap shows the most extreme value of
    either arm and whether it signalled.

    Parameters
    ----------
    risks : array_like, shape (N,)
        Expected probability of the event of each birth, strictly between 0 and 1, in the order of the births,
        one stratum after the other; N is the sum of ``births``. NaN where not known.
    births : array_like, shape (..., T)
        Births since the last event, including that with the event, in time order; whole numbers >= 0, NaN
        where not known (such a gap has no births among ``risks``).
    closed : array_like of bool, broadcastable to (..., T)
        Whether the gap ended with an event; False for births at the end after the last one.
    odds_ratio : float
        Odds ratio R to be found soonest, > 1.
    h : float, array_like broadcastable to (..., 1), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal.
    restart : bool
        Whether an arm goes on from 0 after its signal, at the birth that gave it.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood. NaN
        where a gap holds no birth with a known risk.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``closed`` not booleans.
    OptionError
        If births are not whole numbers or do not add up to the risks, a gap that ended with an event holds
        none, a risk is not within (0, 1), shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] Steiner, Cook, Farewell, Treasure, Monitoring surgical performance using risk-adjusted cumulative
       sum charts. Biostatistics 2000;1:441-452.

    Examples
    --------
    >>> path = risk_adjusted_cusum_gaps([0.1, 0.5, 0.02], [2, 1], True, h=0.9)
    >>> path.high.round(3), path.high_signal
    (array([0.288, 0.961]), array([False,  True]))
    """
    n, *limits = floats_and_thresholds({"births": births}, h)
    ended, ratio = mask("closed", closed, n.shape), number("odds_ratio", odds_ratio, above=1)
    check_gaps(n, ended)
    size = np.where(np.isnan(n), 0, n).astype(np.int64)
    end = size.cumsum()
    (each,) = floats({"risks": risks}) if end[-1] else (np.zeros(np.shape(risks)),)
    if each.shape != (end[-1],):
        raise OptionError(f"risks has shape {each.shape}, births add up to {end[-1]}; give one risk a birth.")
    event = np.zeros(each.shape)
    event[end[ended.ravel() & (size.ravel() > 0)] - 1] = 1
    low_h, high_h = (a[..., :1].reshape(-1, 1) for a in limits)
    found = CusumPath(*np.empty((2, len(each))), *np.zeros((2, len(each)), dtype=np.bool_))
    for rows, there, place in _blocks(size.sum(axis=-1).ravel()):
        y, r = (_in_rows(a[place], there) for a in (event, each))
        path = risk_adjusted_cusum(y, r, odds_ratio=ratio, h=(low_h[rows], high_h[rows]), restart=restart)
        for name in ("low", "high", "low_signal", "high_signal"):
            getattr(found, name)[place] = getattr(path, name)[there]
    return CusumPath(
        _by_gap(np.fmin, found.low, size),
        _by_gap(np.fmax, found.high, size),
        _by_gap(np.fmax, found.low_signal, size) == 1,
        _by_gap(np.fmax, found.high_signal, size) == 1,
    )


def poisson_risk_adjusted_cusum(
    events: ArrayLike, expected: ArrayLike, *, ratio: float = 2.0, h: Threshold
) -> CusumPath:
    r"""Two-sided CUSUM of the events of periods against the sum of their expected probabilities.

    .. math:: S_t = \max(0, S_{t-1} + O_t \log R - E_t (R - 1))

    for the high arm, with 1/R in place of R for the low one. A signal is :math:`S \ge h`. The arms go on
    after a signal. It takes the events of a period as Poisson, which for rare events is a little cautious.

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period; NaN where not observed.
    expected : array_like, broadcastable to (..., T)
        Sum of the expected probabilities of the births of each period, > 0; a period of 0 is not observed.
    ratio : float
        Ratio R of observed to expected to be found soonest, > 1.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] The definition of the likelihood ratio of Poisson counts, as in
       :func:`~qi_equity.formulas.cusum.count_cusum` with a centre line of 1 per birth expected.

    Examples
    --------
    >>> poisson_risk_adjusted_cusum([2, 5], [1.5, 2.0], h=3).high.round(3)
    array([0.   , 1.466])
    """
    return count_cusum(events, expected, 1.0, distribution="poisson", ratio=ratio, h=h)


def vlad(events: ArrayLike, expected: ArrayLike) -> FloatArray:
    r"""Variable life-adjusted display: running sum of expected less observed events.

    .. math:: V_t = \sum_{s \le t} (E_s - O_s)

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each birth, gap or period, in time order; NaN where not observed.
    expected : array_like, broadcastable to (..., T)
        Sum of the expected probabilities of the same births, >= 0; NaN where not known.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Events fewer than expected up to each point (above 0: fewer events than the risks predict, below 0:
        more); NaN where either is missing, of which neither is counted. It has no limits: it shows, it does
        not test.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an expected number is below 0.

    References
    ----------
    .. [1] Lovegrove, Valencia, Treasure, Sherlaw-Johnson, Gallivan, Monitoring the results of cardiac
       surgery by variable life-adjusted display. Lancet 1997;350:1128-1130.

    Examples
    --------
    >>> vlad([0, 1, float("nan"), 0], [0.2, 0.3, 0.1, 0.4]).round(1)
    array([ 0.2, -0.5,  nan, -0.1])
    """
    observed, e = floats({"events": events, "expected": expected})
    within("expected", e, 0, math.inf)
    less = e - observed
    missing = np.isnan(less)
    return np.where(missing, np.nan, np.where(missing, 0, less).cumsum(axis=-1))


def _blocks(totals: IntArray) -> Iterator[tuple[IntArray, BoolArray, IntArray]]:
    """Take strata of like numbers of births together, so that rows of one length hold little that is empty.

    Gives the strata, where their rows hold births, and the places of these in what is a birth after another.
    """
    order, start = np.argsort(-totals, kind="stable"), totals.cumsum() - totals
    done = 0
    while done < len(order) and totals[order[done]]:
        birth = np.arange(totals[order[done]])
        rows = order[done : done + max(1, _CELLS // len(birth))]
        there = birth < totals[rows, np.newaxis]
        yield rows, there, (start[rows, np.newaxis] + birth)[there]
        done += len(rows)


def _in_rows(flat: FloatArray, place: BoolArray) -> FloatArray:
    """Spread what stands one stratum after the other over rows; NaN fills them."""
    rows = np.full(place.shape, np.nan)
    rows[place] = flat
    return rows


def _by_gap(extreme: np.ufunc, flat: FloatArray | BoolArray, size: IntArray) -> FloatArray:
    """Find the extreme of the births of each gap; NaN where it holds none."""
    found, some = np.full(size.shape, np.nan), size > 0
    found[some] = extreme.reduceat(flat, (size.cumsum() - size.ravel())[some.ravel()])
    return found
