"""Intervals of a change where there are too few events for a model: exact, given the total of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas import _sparse_margin as margin
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._interval_parts import binomial_cells, rate_cells, tails_of
from qi_equity.formulas._sparse_tail import lower_odds_ratio, mid_p_tails
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.proportion_intervals import wilson_ends
from qi_equity.formulas.rate_intervals import mid_p_count_ends

__all__ = ["along_the_margin", "conditional_odds_ratio", "conditional_p", "conditional_rate_p"]

Kind = Literal["proportion", "rate"]

# Beyond so many standard deviations the chance (3e-89) is too small to be summed without a loss.
_FARTHEST = 20.0


def conditional_odds_ratio(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    widened: ArrayLike = 1.0,
) -> Interval:
    r"""Mid-P interval for an odds ratio from the noncentral hypergeometric distribution.

    Given all :math:`t = x_1 + x_0` events, and whatever the rates, those of the group follow

    .. math:: P_\psi(X = k) \propto \binom{n_1}{k} \binom{n_0}{t - k} \psi^k

    and the ends are where

    .. math:: P_\psi(X > x_1) + \tfrac12 P_\psi(X = x_1) = \alpha/2, \qquad
              P_\psi(X < x_1) + \tfrac12 P_\psi(X = x_1) = \alpha/2

    The twin for rates is :func:`~qi_equity.formulas.ratio_intervals.mid_p_rate_ratio`.

    Parameters
    ----------
    events, births : array_like of whole numbers, shape (...)
        Events and births of the group, or after a change; NaN where not known.
    reference_events, reference_births : array_like of whole numbers, shape (...)
        Events and births of the reference, or before the change.
    confidence : float, or array_like of float, broadcastable to (...)
        Level of confidence, in (0, 1); one for each cell where they differ.
    widened : float, or array_like of float, broadcastable to (...)
        How many times wider a normal interval would be made, as for overdispersion, > 0: :math:`\alpha / 2`
        is the chance beyond as many times the normal quantile, but not less than that beyond 20.

    Returns
    -------
    Interval
        ``estimate`` (odds of the group over odds of the reference: of the sample, as the other odds ratios
        here, not the conditional maximum likelihood), ``lower, upper``, of shape (...), >= 0. Where the
        estimate is 0 the lower end is 0, where it is infinite the upper end is infinite; where no birth of
        either or every birth of both has the event the estimate is NaN and the data allow every ratio. All
        NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or not whole, events outnumber births, ``confidence`` is not within (0, 1) or
        ``widened`` not above 0.

    References
    ----------
    .. [1] Fisher. The logic of inductive inference. Journal of the Royal Statistical Society 1935;98:39-54.
    .. [2] Lancaster. Significance tests in discrete distributions. Journal of the American Statistical
       Association 1961;56:223-34 (mid-P).
    .. [3] Cornfield. A statistical problem arising from retrospective studies. Proceedings of the Third
       Berkeley Symposium 1956;4:135-48.

    Examples
    --------
    One event in 28 births beside 9 in 294; none in 28:

    >>> interval = conditional_odds_ratio([1, 0], 28, 9, 294)
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([0.051, 0.0], [7.542, 4.219])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    tails = _tails(confidence, widened)
    shape = np.broadcast_shapes(x.shape, tails.shape)
    x, n, x0, n0 = (np.broadcast_to(a, shape) for a in (x, n, x0, n0))
    x1, n1, x2, n2, tail = (a.ravel() for a in (x, n, x0, n0, np.broadcast_to(tails, shape)))
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.asarray(x * (n0 - x0) / ((n - x) * x0))
        upper = 1 / lower_odds_ratio((x2, n2, x1, n1), tail)
    lower = lower_odds_ratio((x1, n1, x2, n2), tail)
    return Interval(estimate, lower.reshape(shape), upper.reshape(shape))


def conditional_p(
    events: ArrayLike, births: ArrayLike, reference_events: ArrayLike, reference_births: ArrayLike
) -> FloatArray:
    r"""Two-sided mid-P value of equal odds: twice the smaller tail of :func:`conditional_odds_ratio`.

    .. math:: p = \min\{1,\; 2 \min(P_1(X < x_1), P_1(X > x_1)) + P_1(X = x_1)\}

    It is below :math:`\alpha` exactly where the interval at confidence :math:`1 - \alpha` leaves out 1.

    Parameters
    ----------
    events, births : array_like of whole numbers, shape (...)
        Events and births of the group, or after a change; NaN where not known.
    reference_events, reference_births : array_like of whole numbers, shape (...)
        Events and births of the reference, or before the change.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Chances in [0, 1]; 1 where there is nothing to learn, NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or not whole, or events outnumber births.

    References
    ----------
    .. [1] Lancaster. Significance tests in discrete distributions. Journal of the American Statistical
       Association 1961;56:223-34.

    Examples
    --------
    None of two births had the event and both of two others: one of six arrangements, half in either tail.

    >>> conditional_p(0, 2, 2, 2).round(4)
    array([0.1667])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    few, many = mid_p_tails((x.ravel(), n.ravel(), x0.ravel(), n0.ravel()))
    return np.asarray(np.minimum(2 * np.minimum(few, many), 1)).reshape(x.shape)


def conditional_rate_p(
    events: ArrayLike, exposure: ArrayLike, reference_events: ArrayLike, reference_exposure: ArrayLike
) -> FloatArray:
    r"""Two-sided mid-P value of equal rates: twice the smaller tail, given all events.

    With :math:`\pi = e_1 / (e_1 + e_0)` and :math:`I` the regularised incomplete beta function,

    .. math:: P(X > x_1) + \tfrac12 P(X = x_1) = \tfrac12 \{I_\pi(x_1, x_0 + 1) + I_\pi(x_1 + 1, x_0)\}

    It is below :math:`\alpha` exactly where :func:`~qi_equity.formulas.ratio_intervals.mid_p_rate_ratio` at
    confidence :math:`1 - \alpha` leaves out 1.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, which need not be whole, and what they are counted over; NaN where not known.
    reference_events, reference_exposure : array_like, shape (...)
        The same of the reference, or before the change.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Chances in [0, 1]; 1 without any event, NaN where either has no exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite.

    References
    ----------
    .. [1] Berry, Armitage. Mid-P confidence intervals: a brief review. The Statistician 1995;44:417-23.

    Examples
    --------
    Two events here and none there over the same exposure: half of 1/4 in the upper tail.

    >>> conditional_rate_p(2, 100, 0, 100).round(4)
    array([0.25])
    """
    names = ("events", "exposure", "reference_events", "reference_exposure")
    x, e, x0, e0 = rate_cells(
        dict(zip(names, (events, exposure, reference_events, reference_exposure), strict=True))
    )
    share = e / (e + e0)
    some, others = np.where(x > 0, x, 1.0), np.where(x0 > 0, x0, 1.0)
    as_many = np.where(x > 0, special.betainc(some, x0 + 1, share), 1.0)
    more = np.where(x0 > 0, special.betainc(x + 1, others, share), 0.0)
    many = np.where(np.isnan(share), np.nan, (as_many + more) / 2)
    return np.asarray(2 * np.minimum(many, 1 - many))


def along_the_margin(
    change: Interval,
    events: ArrayLike,
    size: ArrayLike,
    reference_events: ArrayLike,
    reference_size: ArrayLike,
    *,
    kind: Kind = "proportion",
    confidence: ArrayLike = 0.95,
    widened: ArrayLike = 1.0,
) -> tuple[Interval, Interval]:
    r"""Ratio and difference of two rates from an interval of their odds ratio, all on one side of no change.

    For an odds ratio :math:`\psi` and a total of events :math:`t` the proportions are those with

    .. math:: n_1 p_1 + n_0 p_0 = t, \qquad \frac{p_1 (1 - p_0)}{(1 - p_1) p_0} = \psi

    which at the :math:`t` observed are the likeliest at that odds ratio. With :math:`g` the ratio (on the log
    scale) or the difference of the two, either end is

    .. math:: g(\hat\psi, t) \mp \sqrt{[g(\psi_e, t) - g(\hat\psi, t)]^2 +
              [g(\hat\psi, t_e) - g(\hat\psi, t)]^2}

    with :math:`\psi_e` an end of the odds ratio and :math:`t_e` an end of the interval of the total (Wilson;
    for rates mid-P), but not beyond :math:`g(\psi_e, t_e)`, which is on the same side of no change as
    :math:`\psi_e`. For rates the ratio is the one given.

    Parameters
    ----------
    change : Interval
        Odds ratio (for ``kind="rate"`` rate ratio) of group over reference, of shape (...).
    events, size : array_like, broadcastable to (...)
        Events of the group, or after a change, and births (exposure, for rates); NaN where not known.
    reference_events, reference_size : array_like, broadcastable to (...)
        The same of the reference, or before the change.
    kind : {"proportion", "rate"}
        Whether the size is births, of which each has the event or not, or exposure.
    confidence : float, or array_like of float, broadcastable to (...)
        Level of confidence of ``change``, in (0, 1), for the interval of the total; for rates one for all.
    widened : float, or array_like of float, broadcastable to (...)
        How many times wider a normal interval would be made, as for ``change``; not for rates.

    Returns
    -------
    ratio, difference : Interval
        The first is p1 / p0, the second p1 - p0, of shape (...). Without events the estimate of the ratio is
        NaN and its ends are 0 and infinity; the difference is bounded by how many events the total can hide.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or an option is not allowed.

    Notes
    -----
    With the total held at the events observed (:math:`t_e = t`) the difference covers too rarely: 94 % at 6 %
    and 60 births each and a true ratio of 1/2, 86 % at 3 %.

    References
    ----------
    .. [1] Cornfield. A statistical problem arising from retrospective studies. Proceedings of the Third
       Berkeley Symposium 1956;4:135-48 (the margin).
    .. [2] Zou, Donner. Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 2008;27:1693-702 (squares added). That the end stays on its side of no change is
       this library's.

    Examples
    --------
    >>> counts = ([2], [120], [14], [130])
    >>> ratio, difference = along_the_margin(conditional_odds_ratio(*counts), *counts)
    >>> ratio.lower.round(3).tolist(), ratio.upper.round(3).tolist()
    ([0.024], [0.582])
    >>> difference.lower.round(3).tolist(), difference.upper.round(3).tolist()
    ([-0.148], [-0.024])
    """
    one_of("kind", kind, ("proportion", "rate"))
    names = ("events", "size", "reference_events", "reference_size")
    counts = dict(zip(names, (events, size, reference_events, reference_size), strict=True))
    x, n, x0, n0 = np.broadcast_arrays(*_known(counts, kind), change.estimate)[:4]
    both = x + x0
    if kind == "rate":
        lower, upper = mid_p_count_ends(both, float(np.asarray(confidence)))
        rates_at = margin.rates(n, n0)
    else:
        share = wilson_ends(both, n + n0, -special.ndtri(_tails(confidence, widened)))
        lower, upper = (end * (n + n0) for end in share)
        rates_at = margin.proportions(n, n0)
    total = margin.Total(both, lower, upper)
    difference = margin.carried(change, total, rates_at, margin.difference)
    if kind == "rate":
        return change, difference
    logs = margin.carried(change, total, rates_at, margin.log_ratio)
    return Interval(*(np.exp(end) for end in (logs.estimate, logs.lower, logs.upper))), difference


def _tails(confidence: ArrayLike, widened: ArrayLike) -> FloatArray:
    """Give the chance of either tail of an interval that is made so many times wider."""
    (times,) = floats({"widened": widened})
    wrong = times[~(times > 0) & ~np.isnan(times)]
    if wrong.size:
        raise OptionError(f"widened holds {float(wrong[0])!r}; give numbers above 0, such as 1.")
    tails = tails_of(confidence)
    return np.where(times == 1, tails, special.ndtr(np.maximum(special.ndtri(tails) * times, -_FARTHEST)))


def _known(counts: Mapping[str, ArrayLike], kind: Kind) -> tuple[FloatArray, ...]:
    return rate_cells(counts) if kind == "rate" else binomial_cells(counts)


def _cells(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "births", "reference_events", "reference_births")
    cells = binomial_cells(dict(zip(names, counts, strict=True)))
    for name, array in zip(names, cells, strict=True):
        broken = array[~np.isnan(array) & (array % 1 != 0)]
        if broken.size:
            raise OptionError(
                f"{name} holds {float(broken[0])!r}; an exact interval counts whole events and births. For "
                "weighted or standardised counts use score_odds_ratio."
            )
    return cells
