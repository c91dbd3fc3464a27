"""Intervals for an odds ratio of two proportions: score, and logarithm with half an event more."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import binomial_cells, edge, z_of
from qi_equity.formulas.interval import Interval

__all__ = ["log_adjusted_odds_ratio", "score_odds_ratio"]


def score_odds_ratio(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Score interval for an odds ratio, with the variance of Miettinen and Nurminen.

    It is Cornfield's interval without continuity correction: with :math:`m` the events that the group would
    have at the odds ratio :math:`\psi`, keeping the events of both together,

    .. math:: \psi = \frac{m \, (n_0 - x_0 - x_1 + m)}{(n_1 - m)(x_0 + x_1 - m)}, \qquad
              (x_1 - m)^2 \left(\frac1m + \frac1{n_1 - m} + \frac1{x_0 + x_1 - m} +
              \frac1{n_0 - x_0 - x_1 + m}\right) \le z^2 \, \frac{N}{N - 1}

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births of the group; NaN where not known.
    reference_events, reference_births : array_like, shape (...)
        Events and births of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (odds of the group over odds of the reference), ``lower, upper``, of shape (...), >= 0.
        Where the estimate is 0 the lower end is 0, where it is infinite the upper end is infinite; where
        no birth of either or every birth of both has the event the estimate is NaN and the data allow every
        ratio. All NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Miettinen, Nurminen. Comparative analysis of two rates. Statistics in Medicine 1985;4:213-26.
    .. [2] Cornfield. A statistical problem arising from retrospective studies. Proceedings of the Third
       Berkeley Symposium 1956;4:135-48.

    Examples
    --------
    >>> interval = score_odds_ratio([1, 0], 28, 9, 294)
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([0.186, 0.0], [7.549, 4.488])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    wanted = z_of(confidence) ** 2 * (n + n0) / (n + n0 - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = x * (n0 - x0) / ((n - x) * x0)
        return Interval(
            np.asarray(estimate), _score_end(x, n, x0, n0, wanted), 1 / _score_end(x0, n0, x, n, wanted)
        )


def log_adjusted_odds_ratio(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Log interval for an odds ratio after half a birth more in each of the four cells (Gart).

    .. math:: \frac{(x_1 + \frac12)(n_0 - x_0 + \frac12)}{(n_1 - x_1 + \frac12)(x_0 + \frac12)}
              \exp\left(\mp z \sqrt{\frac{1}{x_1 + \frac12} + \frac{1}{n_1 - x_1 + \frac12} +
              \frac{1}{x_0 + \frac12} + \frac{1}{n_0 - x_0 + \frac12}}\right)

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births of the group; NaN where not known.
    reference_events, reference_births : array_like, shape (...)
        Events and births of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (odds of the group over those of the reference, without the added births; NaN for 0 / 0),
        ``lower, upper``, of shape (...), > 0. Both ends are finite whatever the counts, and need not hold an
        estimate of 0 or infinity. All NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Gart. Alternative analyses of contingency tables. Journal of the Royal Statistical Society B
       1966;28:164-79.

    Examples
    --------
    >>> interval = log_adjusted_odds_ratio([1], [28], [9], [294])
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([0.28], [9.585])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    cells = [cell + 0.5 for cell in (x, n - x, x0, n0 - x0)]
    half = z_of(confidence) * np.sqrt(sum(1 / cell for cell in cells))
    middle = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.asarray(x * (n0 - x0) / ((n - x) * x0))
    return Interval(estimate, np.exp(middle - half), np.exp(middle + half))


def _cells(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "births", "reference_events", "reference_births")
    return binomial_cells(dict(zip(names, counts, strict=True)))


def _score_end(
    x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray, wanted: FloatArray
) -> FloatArray:
    """Give the lower end of the score interval, from how many events the group has beyond those expected."""

    def beyond(more: FloatArray) -> FloatArray:
        cells = (x - more, n - x + more, x0 + more, n0 - x0 - more)
        return np.asarray(more**2 * sum(1 / cell for cell in cells) - wanted)

    least = np.minimum(x, n0 - x0)
    more = edge(np.zeros(x.shape), least, beyond)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x - more) * (n0 - x0 - more) / ((n - x + more) * (x0 + more))
    return np.where(least == 0, 0.0, ratio)
