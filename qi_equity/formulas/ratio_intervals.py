"""Intervals for a ratio of two proportions (risk ratio) and of two rates (rate ratio)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import binomial_cells, edge, rate_cells, tail_of, z_of
from qi_equity.formulas._mid_p import mid_p_lower_odds
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.proportion_intervals import exact_ends

__all__ = ["exact_rate_ratio", "log_adjusted_risk_ratio", "mid_p_rate_ratio", "score_risk_ratio"]


def score_risk_ratio(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Score interval for a risk ratio, with the variance of Miettinen and Nurminen.

    The ratios :math:`\theta` that the score test does not reject, with :math:`\tilde p_i` the proportions
    that make the counts likeliest among those with :math:`\tilde p_1 = \theta \tilde p_0`:

    .. math:: (\hat p_1 - \theta \hat p_0)^2 \le z^2 \, \frac{N}{N - 1}
              \left(\frac{\tilde p_1 (1 - \tilde p_1)}{n_1} +
              \theta^2 \frac{\tilde p_0 (1 - \tilde p_0)}{n_0}\right)

    Koopman's interval is the same without the factor :math:`N / (N - 1)`.
    ``confint_proportions_2indep(compare="ratio", method="score")`` of statsmodels 0.15 agrees, but where
    every birth of a group has the event: there its search stops before the limit.

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
        ``estimate`` (group over reference), ``lower, upper``, of shape (...), >= 0. Without events in the
        group the lower end is 0, without events in the reference the upper end is infinite; without events in
        either the estimate is NaN and the data allow every ratio. All NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    Notes
    -----
    The likelihood equations give :math:`\tilde p_1 = (x_1 - \lambda) / (n_1 - \lambda)` and
    :math:`\tilde p_0 = (x_0 + \lambda) / (n_0 + \lambda)` for one multiplier :math:`\lambda`, and the squared
    score :math:`\lambda^2 \left(\frac{1 - \tilde p_1}{n_1 \tilde p_1} + \frac{1 - \tilde p_0}{n_0 \tilde p_0}
    \right)`, which grows on either side of 0.

    References
    ----------
    .. [1] Miettinen, Nurminen. Comparative analysis of two rates. Statistics in Medicine 1985;4:213-26.
    .. [2] Koopman. Confidence intervals for the ratio of two binomial proportions. Biometrics 1984;40:513-7.

    Examples
    --------
    >>> interval = score_risk_ratio([29, 0], [3879, 259], 82, 20664)
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([1.239, 0.0], [2.863, 3.686])
    """
    x, n, x0, n0 = _proportions(events, births, reference_events, reference_births)
    total = n + n0
    wanted = z_of(confidence) ** 2 * total / (total - 1)
    with np.errstate(divide="ignore"):
        return _ratio(x / n, x0 / n0, _score_end(x, n, x0, n0, wanted), 1 / _score_end(x0, n0, x, n, wanted))


def log_adjusted_risk_ratio(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Log interval for a risk ratio after half an event and half a birth more in either group.

    .. math:: \frac{(x_1 + \frac12) / (n_1 + \frac12)}{(x_0 + \frac12) / (n_0 + \frac12)}
              \exp\left(\mp z \sqrt{\frac{1}{x_1 + \frac12} - \frac{1}{n_1 + \frac12} +
              \frac{1}{x_0 + \frac12} - \frac{1}{n_0 + \frac12}}\right)

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
        ``estimate`` (group over reference, without the added births; NaN for 0 / 0), ``lower, upper``, of
        shape (...), > 0. Both ends are finite whatever the counts, and need not hold an estimate of 0 or
        infinity. They are NaN where every birth of both has the event, whose variance would be 0, and where
        either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Walter. The distribution of Levin's measure of attributable risk. Biometrika 1975;62:371-5.
    .. [2] Fagerland, Lydersen, Laake. Recommended confidence intervals for two independent binomial
       proportions. Statistical Methods in Medical Research 2015;24:224-54.

    Examples
    --------
    >>> interval = log_adjusted_risk_ratio([1], [28], [9], [294])
    >>> interval.lower.round(2).tolist(), interval.upper.round(2).tolist()
    ([0.3], [8.74])
    """
    x, n, x0, n0 = _proportions(events, births, reference_events, reference_births)
    more, many, more0, many0 = (count + 0.5 for count in (x, n, x0, n0))
    variance = 1 / more - 1 / many + 1 / more0 - 1 / many0
    half = z_of(confidence) * np.sqrt(np.where((x == n) & (x0 == n0), np.nan, variance))
    middle = np.log(more / many) - np.log(more0 / many0)
    return _ratio(x / n, x0 / n0, np.exp(middle - half), np.exp(middle + half))


def exact_rate_ratio(
    events: ArrayLike,
    exposure: ArrayLike,
    reference_events: ArrayLike,
    reference_exposure: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Exact conditional interval for a rate ratio.

    Given all :math:`x_1 + x_0` events, those of the group are binomial with the chance
    :math:`\pi = \theta e_1 / (\theta e_1 + e_0)`; the ends are those of the Clopper-Pearson interval for
    :math:`\pi`, as ratios :math:`\theta = \frac{\pi}{1 - \pi} \frac{e_0}{e_1}`. It covers at least as
    often as it says. ``confint_poisson_2indep`` of statsmodels 0.15 has neither this nor the mid-P interval.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events of the group, and what they are counted over; NaN where not known.
    reference_events, reference_exposure : array_like, shape (...)
        The same of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group over reference), ``lower, upper``, of shape (...), >= 0. Without events in the
        group the lower end is 0, without events in the reference the upper end is infinite; without events in
        either the estimate is NaN and the data allow every ratio. All NaN where either has no exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Przyborowski, Wilenski. Homogeneity of results in testing samples from Poisson series. Biometrika
       1940;31:313-23.

    Examples
    --------
    >>> interval = exact_rate_ratio([7, 0], [9200, 2600], 45, 150000)
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([0.965, 0.0], [5.666, 4.929])
    """
    x, e, x0, e0 = _rates(events, exposure, reference_events, reference_exposure)
    tail = tail_of(confidence)
    none = (x + x0) == 0
    size = np.where(none, 1.0, x + x0)
    lower, _ = exact_ends(x, size, tail)
    # As a chance of the reference, so that neither end is a difference from 1.
    lower0, _ = exact_ends(x0, size, tail)
    with np.errstate(divide="ignore"):
        odds, odds0 = (np.where(none, 0.0, end / (1 - end)) for end in (lower, lower0))
        return _ratio(x / e, x0 / e0, odds * e0 / e, e0 / e / odds0)


def mid_p_rate_ratio(
    events: ArrayLike,
    exposure: ArrayLike,
    reference_events: ArrayLike,
    reference_exposure: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Mid-P conditional interval for a rate ratio.

    As :func:`exact_rate_ratio`, but half the probability of the count itself belongs to its tail, so that it
    covers about as often as it says:

    .. math:: P_\pi(X > x_1) + \tfrac12 P_\pi(X = x_1) = \alpha/2, \qquad
              P_\pi(X < x_1) + \tfrac12 P_\pi(X = x_1) = \alpha/2

    ``confint_poisson_2indep`` of statsmodels 0.15 has neither this nor the exact interval.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events of the group, and what they are counted over; NaN where not known.
    reference_events, reference_exposure : array_like, shape (...)
        The same of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group over reference), ``lower, upper``, of shape (...), >= 0. Without events in the
        group the lower end is 0, without events in the reference the upper end is infinite; without events in
        either the estimate is NaN and the data allow every ratio. All NaN where either has no exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Berry, Armitage. Mid-P confidence intervals: a brief review. The Statistician 1995;44:417-23.
    .. [2] Rothman, Greenland, Lash. Modern Epidemiology, 3rd ed., chapter 14.

    Examples
    --------
    >>> interval = mid_p_rate_ratio([7, 0], [9200, 2600], 45, 150000)
    >>> interval.lower.round(3).tolist(), interval.upper.round(3).tolist()
    ([1.056, 0.0], [5.383, 3.971])
    """
    x, e, x0, e0 = _rates(events, exposure, reference_events, reference_exposure)
    tail = tail_of(confidence)
    with np.errstate(divide="ignore", over="ignore"):
        lower, lower0 = mid_p_lower_odds(x, x0, tail), mid_p_lower_odds(x0, x, tail)
        return _ratio(x / e, x0 / e0, lower * e0 / e, e0 / e / lower0)


def _proportions(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "births", "reference_events", "reference_births")
    return binomial_cells(dict(zip(names, counts, strict=True)))


def _rates(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "exposure", "reference_events", "reference_exposure")
    return rate_cells(dict(zip(names, counts, strict=True)))


def _ratio(value: FloatArray, reference: FloatArray, lower: FloatArray, upper: FloatArray) -> Interval:
    """Divide: infinite without events in the reference only, NaN without events in either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Interval(np.asarray(value / reference), lower, np.asarray(upper))


def _score_end(
    x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray, wanted: FloatArray
) -> FloatArray:
    """Give the lower end of the score interval; ``wanted`` is the squared score there."""

    def beyond(pull: FloatArray) -> FloatArray:
        spread = (n - x) / (n * (x - pull)) + (n0 - x0) / (n0 * (x0 + pull))
        return np.asarray(pull**2 * spread - wanted)

    pull = edge(np.zeros(x.shape), x, beyond)
    reference = (x0 + pull) / (n0 + pull)
    # Where every birth has the event the multiplier stays at n while the proportion falls from 1.
    left = wanted - n**2 * (n0 - x0) / (n0 * (x0 + n))
    whole = (x == n) & (left > 0)
    value = np.where(whole, n / (n + np.maximum(left, 0)), (x - pull) / np.where(pull < n, n - pull, 1.0))
    reference = np.where(whole, (x0 + n) / (n0 + n), reference)
    with np.errstate(invalid="ignore"):
        return np.where(x == 0, 0.0, value / reference)
