"""Intervals for a difference of two proportions: Newcombe, Miettinen-Nurminen, Agresti-Caffo."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import binomial_cells, edge, z_of
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.proportion_intervals import wilson_ends

__all__ = ["agresti_caffo_difference", "miettinen_nurminen_difference", "newcombe_difference"]

# The logarithm of the multiplier of the constraint lies between these for all counts below 10^12.
_LOG_MULTIPLIER = (-30.0, 70.0)


def newcombe_difference(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Newcombe's hybrid score interval for a difference of two proportions.

    With the Wilson limits :math:`l_i, u_i` of each proportion:

    .. math:: p_1 - p_0 - \sqrt{(p_1 - l_1)^2 + (u_0 - p_0)^2}, \qquad
              p_1 - p_0 + \sqrt{(u_1 - p_1)^2 + (p_0 - l_0)^2}

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
        ``estimate`` (group less reference), ``lower, upper``, each of shape (...), in [-1, 1]. NaN where
        either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Newcombe. Interval estimation for the difference between independent proportions: comparison of
       eleven methods. Statistics in Medicine 1998;17:873-90, method 10.

    Examples
    --------
    >>> interval = newcombe_difference([29], [3879], [82], [20664])
    >>> [float((1000 * end[0]).round(3)) for end in (interval.estimate, interval.lower, interval.upper)]
    [3.508, 1.049, 6.838]
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    p, p0, z = x / n, x0 / n0, z_of(confidence)
    lower, upper = wilson_ends(x, n, z)
    lower0, upper0 = wilson_ends(x0, n0, z)
    below, above = np.hypot(p - lower, upper0 - p0), np.hypot(upper - p, p0 - lower0)
    return Interval(p - p0, p - p0 - below, p - p0 + above)


def miettinen_nurminen_difference(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Miettinen-Nurminen score interval for a difference of two proportions.

    The differences :math:`\delta` that the score test does not reject, with :math:`\tilde p_i` the
    proportions that make the counts likeliest among those with :math:`\tilde p_1 - \tilde p_0 = \delta`:

    .. math:: (\hat p_1 - \hat p_0 - \delta)^2 \le z^2 \, \frac{N}{N - 1}
              \left(\frac{\tilde p_1 (1 - \tilde p_1)}{n_1} + \frac{\tilde p_0 (1 - \tilde p_0)}{n_0}\right)

    It is given for all counts, 0 and all births too. ``confint_proportions_2indep(compare="diff",
    method="score")`` of statsmodels 0.15 is of no use for it: a coefficient of its cubic equation has the
    events of the reference in the place of the births, so that its limits are wrong, and at 0 or 1 events its
    search for a root mostly fails with a ValueError.

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
        ``estimate`` (group less reference), ``lower, upper``, each of shape (...), in [-1, 1]. NaN where
        either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    Notes
    -----
    The likelihood equations say that one multiplier :math:`\lambda` of the constraint serves both groups:
    :math:`x_1 - n_1 \tilde p_1 = \lambda \tilde p_1 (1 - \tilde p_1)` and the same with :math:`-\lambda` for
    the reference. The squared score is then :math:`\lambda^2` times the variance, so the interval is found
    from :math:`\lambda`, without the cubic equation of the paper.

    References
    ----------
    .. [1] Miettinen, Nurminen. Comparative analysis of two rates. Statistics in Medicine 1985;4:213-26.

    Examples
    --------
    >>> interval = miettinen_nurminen_difference([0, 1], [28, 28], [9, 9], [294, 294])
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([-0.0572, -0.0359], [0.0907, 0.1475])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    total = n + n0
    wanted = z_of(confidence) ** 2 * total / (total - 1)
    lower, upper = _score_end(x, n, x0, n0, wanted), -_score_end(x0, n0, x, n, wanted)
    return Interval(x / n - x0 / n0, lower, upper)


def agresti_caffo_difference(
    events: ArrayLike,
    births: ArrayLike,
    reference_events: ArrayLike,
    reference_births: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Agresti-Caffo interval for a difference of two proportions: Wald's after one event and one other each.

    .. math:: \tilde p_1 - \tilde p_0 \mp z \sqrt{\frac{\tilde p_1 (1 - \tilde p_1)}{n_1 + 2} +
              \frac{\tilde p_0 (1 - \tilde p_0)}{n_0 + 2}}, \qquad \tilde p_i = \frac{x_i + 1}{n_i + 2}

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
        ``estimate`` (group less reference, without the added births), ``lower, upper``, each of shape (...),
        cut to [-1, 1]. NaN where either has no births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Agresti, Caffo. Simple and effective confidence intervals for proportions and differences of
       proportions result from adding two successes and two failures. American Statistician 2000;54:280-8.

    Examples
    --------
    >>> interval = agresti_caffo_difference([1], [28], [9], [294])
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([-0.0587], [0.1245])
    """
    x, n, x0, n0 = _cells(events, births, reference_events, reference_births)
    p, p0 = (x + 1) / (n + 2), (x0 + 1) / (n0 + 2)
    half = z_of(confidence) * np.sqrt(p * (1 - p) / (n + 2) + p0 * (1 - p0) / (n0 + 2))
    return Interval(x / n - x0 / n0, np.maximum(p - p0 - half, -1), np.minimum(p - p0 + half, 1))


def _cells(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "births", "reference_events", "reference_births")
    return binomial_cells(dict(zip(names, counts, strict=True)))


def _score_end(
    x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray, wanted: FloatArray
) -> FloatArray:
    """Give the lower end of the score interval; ``wanted`` is the squared score there."""

    def beyond(log_multiplier: FloatArray) -> FloatArray:
        pull = np.exp(log_multiplier)
        variance = _product(x, n, pull) / n + _product(n0 - x0, n0, pull) / n0
        return np.asarray(pull**2 * variance - wanted)

    least, most = (np.full(x.shape, end) for end in _LOG_MULTIPLIER)
    pull = np.exp(edge(least, most, beyond))
    return np.asarray(_pulled(x, n, pull) - (1 - _pulled(n0 - x0, n0, pull)))


def _pulled(x: FloatArray, n: FloatArray, pull: FloatArray) -> FloatArray:
    """Solve x - n p = pull p (1 - p) for a proportion p <= x / n, with pull > 0."""
    return np.asarray(2 * x / (n + pull + np.sqrt((n - pull) ** 2 + 4 * pull * (n - x))))


def _product(x: FloatArray, n: FloatArray, pull: FloatArray) -> FloatArray:
    """Give p (1 - p) for that p, without differences of nearly equal numbers."""
    p = _pulled(x, n, pull)
    root = np.sqrt((n - pull) ** 2 + 4 * pull * (n - x))
    without = n - x
    q = np.where(pull <= n, 2 * without / (n - pull + root), (pull - n + root) / (2 * pull))
    return np.asarray(p * q)
