"""Individuals chart (XmR): moving ranges, their own chart, and limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import FloatArray, floats, mask
from qi_equity.formulas._ranges import Constants, Spread, distances, mean_along, preset, sigma_of_ranges
from qi_equity.formulas.limits import Limits

__all__ = ["i_limits", "moving_ranges", "mr_limits"]


def moving_ranges(values: ArrayLike, *, baseline: ArrayLike | None = None) -> FloatArray:
    r"""Distances :math:`|y_t - y_s|` of neighbours, s being the period before t in the baseline.

    Leaving a period out of the baseline makes its neighbours consecutive; a missing value takes both its
    ranges with it.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods to use. Default: all.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Each range stands at the later of its two periods, in the unit of the points, >= 0; NaN where there is
        none.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> moving_ranges([3, 5, 9, 4], baseline=[True, True, False, True])
    array([nan,  2., nan,  1.])
    """
    (y,) = floats({"values": values})
    return distances(y, mask("baseline", baseline, y.shape))


def i_limits(
    values: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Spread = "mean",
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an individuals chart (XmR) from moving ranges.

    .. math:: \bar y \pm k \hat\sigma, \qquad \hat\sigma = \overline{MR} / d_2, \quad d_2 = 2 / \sqrt\pi

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line and the moving ranges. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Used in place of the mean; the moving ranges still come from ``baseline``.
    spread : {"screened", "mean", "median"}
        ``"mean"``: the mean moving range. ``"screened"``: ranges of :math:`D_4 = 3.267` times the mean or
        more are left out, once, and the mean taken again. ``"median"``: the median range / 0.9539.
    constants : {"exact", "mdc", "qicharts2"}
        ``"exact"`` computes them (3/d2 = 2.6587, D4 = 3.2665); ``"mdc"`` rounds as NHS England's Making Data
        Count does (limits at 2.66 mean ranges, screening at 3.267), ``"qicharts2"`` as that package (1.128;
        3.267). The last two have no constant for the median.
    nsigma : float
        Half-width of the limits in sigma, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the points, not clipped.
        Fewer than two neighbouring points give NaN limits. In a constant series the limits lie on the centre
        line. Where screening would leave only zeros (a constant series with one jump) nothing is screened.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together or an option is not one of those above.

    References
    ----------
    .. [1] Nelson, Control charts for individual measurements. J Qual Technol 1982;14:172-173 (screening).
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> limits = i_limits([5, 7, 6, 8, 6], constants="mdc", spread="mean")
    >>> float(limits.centre_line[0].round(2)), float(limits.upper[0].round(2))
    (6.4, 11.06)
    """
    (y,) = floats({"values": values})
    used = mask("baseline", baseline, y.shape)
    constant, k = preset(constants), number("nsigma", nsigma, above=0)
    how = one_of("spread", spread, ("screened", "mean", "median"))
    given = mean_along(np.where(used, y, np.nan)) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "values": y})[0].copy()
    one = sigma_of_ranges(distances(y, used), how, constant, constants)
    sigma = np.broadcast_to(one, y.shape).copy()
    return Limits(centre, sigma, centre - k * sigma, centre + k * sigma)


def mr_limits(
    ranges: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of a moving range chart.

    .. math::
        \overline{MR} \pm k \frac{d_3}{d_2} \overline{MR}, \qquad
        d_2 = 2 / \sqrt\pi, \quad d_3 = \sqrt{2 - 4 / \pi}

    Three standard errors above the mean is :math:`D_4 \overline{MR}` with :math:`D_4 = 3.267`.

    Parameters
    ----------
    ranges : array_like, shape (..., T)
        What :func:`moving_ranges` gives of the points (leave an excluded point out there, so that its
        neighbours are compared); NaN where there is none.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Ranges that set the centre line. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A mean range to use in place of that of the baseline; ``baseline`` is then not used.
    constants : {"exact", "mdc", "qicharts2"}
        ``"exact"``: :math:`D_4 = 3.2665`; the other two round it to 3.267.
    nsigma : float
        Half-width of the limits in standard errors of a range, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the points, >= 0. The
        lower limit is clipped at 0 (with three standard errors it always is), ``sigma``, the standard error
        of one range, is not. NaN where the baseline holds no range.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together or an option is not one of those above.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> limits = mr_limits(moving_ranges([5, 7, 6, 8, 6]), constants="mdc")
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (1.75, 5.717)
    """
    (r,) = floats({"ranges": ranges})
    used = mask("baseline", baseline, r.shape)
    relative, k = (preset(constants).screen - 1) / 3, number("nsigma", nsigma, above=0)
    given = mean_along(np.where(used, r, np.nan)) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "ranges": r})[0].copy()
    sigma = relative * centre
    return Limits(centre, sigma, np.maximum(centre - k * sigma, 0), centre + k * sigma)
