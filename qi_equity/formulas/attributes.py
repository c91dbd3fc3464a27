"""Centre lines and limits of p, np, u and c charts, at multiples of the standard error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import floats
from qi_equity.formulas._pooling import pooled_or_given, positive
from qi_equity.formulas.limits import Limits

__all__ = ["c_limits", "np_limits", "p_limits", "u_limits"]


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
    centre = pooled_or_given(x, n, baseline, centre_line, at_most=1.0)
    n, k = positive(n), number("nsigma", nsigma, above=0)
    sigma = np.sqrt(centre * (1 - centre) / n)
    lower, upper = np.maximum(centre - k * sigma, 0), np.minimum(centre + k * sigma, 1)
    return Limits(np.broadcast_to(centre, n.shape).copy(), sigma, lower, upper)


def np_limits(
    events: ArrayLike,
    births: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Classical centre line and limits of an np chart: a p chart on the scale of events.

    .. math:: n_t \bar p \pm k \sqrt{n_t \bar p (1 - \bar p)}

    with :math:`\bar p` as in :func:`p_limits`. The centre line varies with the births.

    Parameters
    ----------
    events, births : array_like, shape (..., T)
        Events and births of each period; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the proportion. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A proportion (not a count) to use in place of the pooled one; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events a period. Limits are clipped to
        [0, births], ``sigma`` is not. Where births are 0 or missing all four are NaN.

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
    >>> limits = np_limits([12, 15, 8], [50, 50, 50])
    >>> float(limits.centre_line[0].round(3)), float(limits.upper[0].round(3))
    (11.667, 20.639)
    """
    x, n = floats({"events": events, "births": births})
    p = pooled_or_given(x, n, baseline, centre_line, at_most=1.0)
    n, k = positive(n), number("nsigma", nsigma, above=0)
    centre, sigma = n * p, np.sqrt(n * (p * (1 - p)))
    lower, upper = np.maximum(centre - k * sigma, 0), np.minimum(centre + k * sigma, n)
    return Limits(centre, sigma, lower, upper)


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
    centre = pooled_or_given(x, e, baseline, centre_line)
    e, k = positive(e), number("nsigma", nsigma, above=0)
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
