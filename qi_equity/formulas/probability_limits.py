"""Exact probability limits of p, np, u and c charts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._pooling import pooled_or_given, positive
from qi_equity.formulas._tails import binomial_signals, poisson_signals
from qi_equity.formulas.limits import Limits

__all__ = ["c_probability_limits", "np_probability_limits", "p_probability_limits", "u_probability_limits"]


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
    centre = np.broadcast_to(pooled_or_given(x, n, baseline, centre_line, at_most=1.0), n.shape).copy()
    n, (lower, upper) = positive(n), _binomial(n, centre, tail)
    return Limits(centre, np.sqrt(centre * (1 - centre) / n), lower / n, np.minimum(upper / n, 1))


def np_probability_limits(
    events: ArrayLike,
    births: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of an np chart.

    Those of :func:`p_probability_limits` on the scale of events, at :math:`k \mp 1/2`; the centre line
    :math:`n_t \bar p` varies with the births.

    Parameters
    ----------
    events, births : array_like, shape (..., T)
        Events and births of each period, whole numbers; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the proportion. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A proportion (not a count) to use in place of the pooled one; ``baseline`` is then not used.
    tail : float
        Probability of either tail, in (0, 0.5).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events a period. ``lower`` is 0 where no
        low count can signal, ``upper`` is the number of births where no high count can. Where births are 0 or
        missing all four are NaN.

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
    >>> limits = np_probability_limits([0, 4], [12, 12], centre_line=0.04)
    >>> float(limits.upper[0]), float(limits.lower[0])
    (3.5, 0.0)
    """
    x, n = floats({"events": events, "births": births})
    p = np.broadcast_to(pooled_or_given(x, n, baseline, centre_line, at_most=1.0), n.shape)
    n, (lower, upper) = positive(n), _binomial(n, p, tail)
    return Limits(n * p, np.sqrt(n * (p * (1 - p))), lower, np.minimum(upper, n))


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
    centre = np.broadcast_to(pooled_or_given(x, e, baseline, centre_line), e.shape).copy()
    e, alpha = positive(e), number("tail", tail, above=0, below=0.5)
    given = ~np.isnan(centre + e)
    lower, upper = _between(*poisson_signals(centre[given] * e[given], alpha), given)
    return Limits(centre, np.sqrt(centre / e), lower / e, upper / e)


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
    centre = pooled_or_given(x, np.broadcast_to(1.0, x.shape), baseline, centre_line)
    alpha, given = number("tail", tail, above=0, below=0.5), ~np.isnan(centre)
    # One line a series, if it is pooled, has one pair of limits: they are reckoned once and repeated.
    lower, upper = _between(*poisson_signals(centre[given], alpha), given)
    lines = (centre, np.sqrt(centre), lower, upper)
    return Limits(*(np.broadcast_to(line, x.shape).copy() for line in lines))


def _binomial(births: FloatArray, chance: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give the limits on the scale of events; NaN where there are no births."""
    given, alpha = (births > 0) & ~np.isnan(chance), number("tail", tail, above=0, below=0.5)
    size = births[given]
    if np.any(size != np.floor(size)):
        fractional = float(size[size != np.floor(size)][0])
        raise OptionError(f"births holds {fractional!r}; exact limits need whole numbers of births.")
    return _between(*binomial_signals(size, chance[given], alpha), given)


def _between(low: FloatArray, high: FloatArray, given: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Draw the limits half a count inside the counts that signal; NaN where not given."""
    lower, upper = np.full(given.shape, np.nan), np.full(given.shape, np.nan)
    lower[given] = np.maximum(low + 0.5, 0)
    upper[given] = high - 0.5
    return lower, upper
