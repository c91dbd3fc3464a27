"""Laney's p' and u' charts: limits that also hold the variation between periods."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.formulas._arrays import floats
from qi_equity.formulas._ranges import Constants
from qi_equity.formulas.attributes import p_limits, u_limits
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits

__all__ = ["pp_limits", "up_limits"]


def pp_limits(
    events: ArrayLike,
    births: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Literal["mean", "screened"] = "mean",
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of Laney's p' chart.

    The standard errors of a p chart are multiplied by how far the standardised points really vary:

    .. math::
        \sigma_t = \sqrt{\bar p (1 - \bar p) / n_t}, \qquad z_t = \frac{x_t / n_t - \bar p}{\sigma_t}, \qquad
        \hat\sigma_z = \frac{\overline{MR}(z)}{d_2}, \qquad \bar p \pm k \sigma_t \hat\sigma_z

    :math:`\hat\sigma_z` is about 1 when nothing but chance is at work. It may be below 1; then the limits are
    narrower than those of a p chart.

    Parameters
    ----------
    events, births : array_like, shape (..., T)
        Events and births of each period, in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line and the moving ranges. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A proportion to use in place of the pooled one; the moving ranges still come from ``baseline``.
    spread : {"mean", "screened"}
        Whether ranges of :math:`D_4 = 3.267` times the mean or more are left out, once.
    constants : {"exact", "mdc", "qicharts2"}
        As in :func:`qi_equity.formulas.individuals.i_limits`.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), proportions in [0, 1]. ``sigma`` is
        :math:`\sigma_t \hat\sigma_z`. Limits are clipped to [0, 1], ``sigma`` is not. Where births are 0 or
        missing the limits are NaN; fewer than two neighbouring points give none. Where all points lie on the
        centre line the limits do too.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``centre_line`` is not within [0, 1] or an option is not one of those
        above.

    References
    ----------
    .. [1] Laney, Improved control charts for attributes. Qual Eng 2002;14:531-537 (as computed by qicharts2;
       the paper itself was not seen).

    Examples
    --------
    >>> limits = pp_limits([50, 80, 45, 70], [500, 500, 500, 500])
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (0.1225, 0.282)
    """
    x, n = floats({"events": events, "births": births})
    classical = p_limits(x, n, baseline=baseline, centre_line=centre_line, nsigma=nsigma)
    return _widened(x, n, classical, baseline, spread, constants, nsigma, at_most=1.0)


def up_limits(
    events: ArrayLike,
    exposure: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Literal["mean", "screened"] = "mean",
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of Laney's u' chart.

    As :func:`pp_limits`, with :math:`\sigma_t = \sqrt{\bar u / e_t}`.

    Parameters
    ----------
    events, exposure : array_like, shape (..., T)
        Events, and what they are counted over, in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line and the moving ranges. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A rate to use in place of the pooled one; the moving ranges still come from ``baseline``.
    spread : {"mean", "screened"}
        Whether ranges of :math:`D_4 = 3.267` times the mean or more are left out, once.
    constants : {"exact", "mdc", "qicharts2"}
        As in :func:`qi_equity.formulas.individuals.i_limits`.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), events per unit of exposure, >= 0. The
        lower limit is clipped at 0, ``sigma`` is not. Where exposure is 0 or missing the limits are NaN;
        fewer than two neighbouring points give none. Where all points lie on the centre line the limits do
        too.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, ``centre_line`` is below 0 or an option is not one of those above.

    References
    ----------
    .. [1] Laney, Improved control charts for attributes. Qual Eng 2002;14:531-537 (as computed by qicharts2;
       the paper itself was not seen).

    Examples
    --------
    >>> limits = up_limits([50, 80, 45, 70], [500, 500, 500, 500])
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (0.1225, 0.282)
    """
    x, e = floats({"events": events, "exposure": exposure})
    classical = u_limits(x, e, baseline=baseline, centre_line=centre_line, nsigma=nsigma)
    return _widened(x, e, classical, baseline, spread, constants, nsigma, at_most=np.inf)


def _widened(
    x: ArrayLike,
    n: ArrayLike,
    classical: Limits,
    baseline: ArrayLike | None,
    spread: Literal["mean", "screened"],
    constants: Constants,
    nsigma: float,
    at_most: float,
) -> Limits:
    """Multiply the standard errors by the standard deviation of the standardised points."""
    centre = classical.centre_line
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.divide(x, n) - centre
        # On a line of 0 (or 1) the standard errors are 0: a point on it is none of them away.
        scores = np.where(off == 0, 0.0, off / classical.sigma)
        between = i_limits(
            scores,
            baseline=baseline,
            centre_line=0.0,
            spread=one_of("spread", spread, ("mean", "screened")),
            constants=constants,
        ).sigma
        sigma = classical.sigma * between
    lower, upper = np.maximum(centre - nsigma * sigma, 0), np.minimum(centre + nsigma * sigma, at_most)
    return Limits(centre, sigma, lower, upper)
