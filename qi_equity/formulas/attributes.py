"""Centre lines and limits of p, u and c charts: classical ones, and exact probability limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask
from qi_equity.formulas._tails import binomial_signals, poisson_signals
from qi_equity.formulas.limits import Limits

__all__ = [
    "c_limits",
    "c_probability_limits",
    "p_limits",
    "p_probability_limits",
    "u_limits",
    "u_probability_limits",
]


def p_limits(
    events: ArrayLike,
    births: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Classical centre line and limits of a p chart.

    The centre line is the pooled proportion of the baseline, never a mean of proportions:

    .. math::
        \bar p = \sum_{t \in B} x_t / \sum_{t \in B} n_t, \qquad \bar p \pm k \sqrt{\bar p (1 - \bar p) / n_t}

    Parameters
    ----------
    events, births : array_like, shape (..., T)
        Events and births of each period; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A proportion to use in place of the pooled one; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), proportions in [0, 1]. Limits are
        clipped to [0, 1], ``sigma`` is not. Where births are 0 or missing the limits are NaN. A lower limit
        of 0 cannot signal improvement.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``nsigma`` is not above 0 or ``centre_line`` not within [0, 1].

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.2.

    Examples
    --------
    >>> limits = p_limits([12, 15, 8], [50, 50, 50])
    >>> float(limits.centre_line[0].round(3)), float(limits.upper[0].round(3))
    (0.233, 0.413)
    """
    x, n = floats({"events": events, "births": births})
    centre = _centre_line(x, n, baseline, centre_line, at_most=1.0)
    n, k = _positive(n), number("nsigma", nsigma, above=0)
    sigma = np.sqrt(centre * (1 - centre) / n)
    lower, upper = np.maximum(centre - k * sigma, 0), np.minimum(centre + k * sigma, 1)
    return Limits(np.broadcast_to(centre, n.shape).copy(), sigma, lower, upper)


def u_limits(
    events: ArrayLike,
    exposure: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Classical centre line and limits of a u chart, for events that can happen more than once.

    .. math:: \bar u = \sum_{t \in B} x_t / \sum_{t \in B} e_t, \qquad \bar u \pm k \sqrt{\bar u / e_t}

    Parameters
    ----------
    events, exposure : array_like, shape (..., T)
        Events, and what they are counted over (births, woman-days); NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A rate to use in place of the pooled one; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events per unit of exposure, >= 0. The
        lower limit is clipped at 0, ``sigma`` is not. Where exposure is 0 or missing the limits are NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``nsigma`` is not above 0 or ``centre_line`` below 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.

    Examples
    --------
    >>> limits = u_limits([2, 3, 8, 1], [50, 50, 50, 50])
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(4))
    (0.07, 0.1822)
    """
    x, e = floats({"events": events, "exposure": exposure})
    centre = _centre_line(x, e, baseline, centre_line)
    e, k = _positive(e), number("nsigma", nsigma, above=0)
    sigma = np.sqrt(centre / e)
    lower = np.maximum(centre - k * sigma, 0)
    return Limits(np.broadcast_to(centre, e.shape).copy(), sigma, lower, centre + k * sigma)


def c_limits(
    events: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Classical centre line and limits of a c chart, for counts over the same opportunity each period.

    .. math:: \bar c = \frac{1}{|B|} \sum_{t \in B} x_t, \qquad \bar c \pm k \sqrt{\bar c}

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A count to use in place of the mean; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events a period, >= 0. The lower limit
        is clipped at 0, ``sigma`` is not. The limits do not depend on a period's own count: they are given
        where it is missing, too.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``nsigma`` is not above 0 or ``centre_line`` below 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.

    Examples
    --------
    >>> limits = c_limits([16, 9, 11])
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (12.0, 22.392)
    """
    (x,) = floats({"events": events})
    return u_limits(x, np.ones_like(x), baseline=baseline, centre_line=centre_line, nsigma=nsigma)


def p_probability_limits(
    events: ArrayLike,
    births: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of a p chart.

    A count :math:`k` of :math:`n_t` births signals when its tail probability under the centre line is small,
    with :math:`X \sim \mathrm{Binomial}(n_t, \bar p)`:

    .. math:: P(X \ge k) < \alpha \;\text{(high)}, \qquad P(X \le k) < \alpha \;\text{(low)}

    The limit is drawn half-way between the last count that does not signal and the first that does,
    :math:`(k \mp 1/2) / n_t`, so that no point lies on it.

    Parameters
    ----------
    events, births : array_like, shape (..., T)
        Events and births of each period, whole numbers; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line (pooled as in :func:`p_limits`). Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A proportion to use in place of the pooled one; ``baseline`` is then not used.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5). Default: that of three standard errors of a
        normal distribution; 0.02275 is that of two.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), proportions in [0, 1]. ``lower`` is 0
        where no low count can signal, ``upper`` is 1 where no high count can. ``sigma`` is the standard error
        as in :func:`p_limits`. Where births are 0 or missing the limits are NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, births are fractional, ``tail`` is not within (0, 0.5) or
        ``centre_line`` not within [0, 1].

    References
    ----------
    .. [1] Woodall, Control charts based on attribute data: bibliography and review. J Qual Technol
       1997;29:172-183.

    Examples
    --------
    With 12 births and 4 % expected, four events signal and three do not; too few events never do.

    >>> limits = p_probability_limits([0, 4], [12, 12], centre_line=0.04)
    >>> float((limits.upper * 12).round(6)[0]), float(limits.lower[0])
    (3.5, 0.0)
    """
    x, n = floats({"events": events, "births": births})
    centre = np.broadcast_to(_centre_line(x, n, baseline, centre_line, at_most=1.0), n.shape).copy()
    n, alpha = _positive(n), number("tail", tail, above=0, below=0.5)
    given = ~np.isnan(centre + n)
    size = n[given]
    if np.any(size != np.floor(size)):
        fractional = float(size[size != np.floor(size)][0])
        raise OptionError(f"births holds {fractional!r}; exact limits need whole numbers of births.")
    low, high = binomial_signals(size, centre[given], alpha)
    lower, upper = _between(low, high, size, given)
    return Limits(centre, np.sqrt(centre * (1 - centre) / n), lower, np.minimum(upper, 1))


def u_probability_limits(
    events: ArrayLike,
    exposure: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of a u chart.

    As :func:`p_probability_limits`, with :math:`X \sim \mathrm{Poisson}(\bar u e_t)`; the limits lie at
    :math:`(k \mp 1/2) / e_t`.

    Parameters
    ----------
    events, exposure : array_like, shape (..., T)
        Events, whole numbers, and what they are counted over; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line (pooled as in :func:`u_limits`). Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A rate to use in place of the pooled one; ``baseline`` is then not used.
    tail : float
        Probability of either tail, in (0, 0.5).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events per unit of exposure. ``lower``
        is 0 where no low count can signal; a high count always can, so ``upper`` is finite. Where exposure is
        0 or missing the limits are NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``tail`` is not within (0, 0.5) or ``centre_line`` below 0.

    References
    ----------
    .. [1] Woodall, Control charts based on attribute data: bibliography and review. J Qual Technol
       1997;29:172-183.

    Examples
    --------
    >>> limits = u_probability_limits([2, 3], [50, 50], centre_line=0.05)
    >>> float((limits.upper * 50).round(6)[0]), float(limits.lower[0])
    (8.5, 0.0)
    """
    x, e = floats({"events": events, "exposure": exposure})
    centre = np.broadcast_to(_centre_line(x, e, baseline, centre_line), e.shape).copy()
    e, alpha = _positive(e), number("tail", tail, above=0, below=0.5)
    given = ~np.isnan(centre + e)
    size = e[given]
    low, high = poisson_signals(centre[given] * size, alpha)
    return Limits(centre, np.sqrt(centre / e), *_between(low, high, size, given))


def c_probability_limits(
    events: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of a c chart.

    As :func:`u_probability_limits` with the same opportunity in all periods: :math:`X \sim
    \mathrm{Poisson}(\bar c)`, limits at :math:`k \mp 1/2`.

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period, whole numbers; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line (their mean). Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A count to use in place of the mean; ``baseline`` is then not used.
    tail : float
        Probability of either tail, in (0, 0.5).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events a period. ``lower`` is 0 where no
        low count can signal. They are given where a period's own count is missing, too.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``tail`` is not within (0, 0.5) or ``centre_line`` below 0.

    References
    ----------
    .. [1] Woodall, Control charts based on attribute data: bibliography and review. J Qual Technol
       1997;29:172-183.

    Examples
    --------
    >>> limits = c_probability_limits([9, 7, 8, 8])
    >>> float(limits.lower[0]), float(limits.upper[0])
    (0.5, 18.5)
    """
    (x,) = floats({"events": events})
    return u_probability_limits(x, np.ones_like(x), baseline=baseline, centre_line=centre_line, tail=tail)


def _centre_line(
    x: FloatArray,
    n: FloatArray,
    baseline: ArrayLike | None,
    given: ArrayLike | None,
    *,
    at_most: float = np.inf,
) -> FloatArray:
    """Take the centre line given, or pool the baseline; it broadcasts to the shape of x."""
    if given is None:
        return _pooled(x, n, mask("baseline", baseline, x.shape))
    (centre, _) = floats({"centre_line": given, "events": x})
    wrong = centre[(centre < 0) | (centre > at_most)]
    if wrong.size:
        raise OptionError(f"centre_line holds {float(wrong[0])!r}; give values from 0 to {at_most:g}.")
    return centre


def _pooled(x: FloatArray, n: FloatArray, baseline: BoolArray) -> FloatArray:
    """Sum of x over sum of n of the baseline periods that have both, shape (..., 1); NaN for none."""
    used = baseline & ~np.isnan(x + n)
    top, bottom = (np.where(used, a, 0).sum(-1, keepdims=True) for a in (x, n))
    with np.errstate(invalid="ignore"):
        return np.asarray(top / bottom)


def _positive(size: FloatArray) -> FloatArray:
    return np.where(size > 0, size, np.nan)


def _between(
    low: FloatArray, high: FloatArray, size: FloatArray, given: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Draw the limits half a count inside the counts that signal; NaN where not given."""
    lower, upper = np.full(given.shape, np.nan), np.full(given.shape, np.nan)
    lower[given] = np.maximum(low + 0.5, 0) / size
    upper[given] = (high - 0.5) / size
    return lower, upper
