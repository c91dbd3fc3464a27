"""Measures of inequality between groups that have an order: concentration and slope indices.

Groups are on the last axis, from the most disadvantaged to the most advantaged; leading axes are strata. A
group without a value or without births is left out, and with fewer than two groups every measure is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._inequality_groups import Groups, groups, over_groups
from qi_equity.formulas._slope_fit import fit, log, logit

__all__ = [
    "SlopeIndices",
    "concentration_index",
    "concentration_index_error",
    "concentration_regression_error",
    "midpoint_ranks",
    "slope_indices",
]

Kind = Literal["absolute", "relative", "wagstaff", "erreygers"]
Link = Literal["linear", "logit", "log"]
KINDS: tuple[Kind, ...] = ("absolute", "relative", "wagstaff", "erreygers")
LINKS: tuple[Link, ...] = ("linear", "logit", "log")


def midpoint_ranks(births: ArrayLike) -> FloatArray:
    r"""Give the relative rank of each group: the share of births before it, and half its own.

    .. math:: R_j = \sum_{k < j} p_k + p_j / 2

    Parameters
    ----------
    births : array_like, shape (..., G)
        Births of each group, from the most disadvantaged to the most advantaged; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (..., G)
        In (0, 1); NaN for a group without births.

    References
    ----------
    .. [1] Kakwani, Wagstaff, van Doorslaer. Socioeconomic inequalities in health: measurement, computation,
       and statistical inference. J Econom 1997;77:87-103.

    Examples
    --------
    >>> midpoint_ranks([20, 30, 50])
    array([0.1 , 0.35, 0.75])
    """
    (n,) = floats({"births": births})
    return _ranks(groups(np.zeros(n.shape), n).shares)


def concentration_index(values: ArrayLike, births: ArrayLike, *, kind: Kind = "absolute") -> FloatArray:
    r"""Give the concentration index.

    With ranks :math:`R_j` and the mean :math:`\mu`,

    .. math:: \mathrm{ACI} = 2 \sum_j p_j y_j (R_j - 1/2), \quad \mathrm{RCI} = \mathrm{ACI} / \mu, \quad
       \mathrm{Wagstaff} = \mathrm{RCI} / (1 - \mu), \quad \mathrm{Erreygers} = 4 \, \mathrm{ACI}

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births, from the most disadvantaged to the most advantaged group; NaN
        where not known.
    kind : {"absolute", "relative", "wagstaff", "erreygers"}
        The last two are for proportions, whose index is bounded by their mean.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the unit of the values (absolute), or without unit. Negative where high values are concentrated
        among the disadvantaged, 0 where all groups are alike. NaN where the mean is not above 0 (for
        "wagstaff", also where it is not below 1).

    Raises
    ------
    OptionError
        If ``kind`` is not one of these.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.
    .. [2] Wagstaff. The bounds of the concentration index when the variable of interest is binary. Health
       Econ 2005;14:429-432.
    .. [3] Erreygers. Correcting the concentration index. J Health Econ 2009;28:504-515.

    Examples
    --------
    >>> births, smokers = [78, 91, 162, 103, 105], [0.2, 0.3, 0.4, 0.5, 0.6]
    >>> float(concentration_index(smokers, births, kind="relative").round(6))
    0.177769
    """
    found = groups(values, births)
    scale, _ = _scale(found.mean[..., 0], kind)
    return _absolute(found) * scale


def concentration_index_error(
    values: ArrayLike, births: ArrayLike, errors: ArrayLike, *, kind: Kind = "absolute"
) -> FloatArray:
    r"""Give the standard error of the concentration index, from the sampling errors of the groups' values.

    The absolute index is linear in the values, with weights :math:`a_j = 2 p_j (R_j - 1/2)`; the others are
    :math:`h(\mu)` times it, so that the square of the error is

    .. math:: \sum_j \big( a_j h(\mu) + p_j h'(\mu) \, \mathrm{ACI} \big)^2 s_j^2

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value, from the most disadvantaged to
        the most advantaged group; NaN where not known.
    kind : {"absolute", "relative", "wagstaff", "erreygers"}
        Which index.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the index; NaN where the error of a group is not known.

    References
    ----------
    .. [1] Kakwani, Wagstaff, van Doorslaer. Socioeconomic inequalities in health: measurement, computation,
       and statistical inference. J Econom 1997;77:87-103 (grouped data, within-group variances known).

    Examples
    --------
    >>> births, smokers = [78, 91, 162, 103, 105], [0.2, 0.3, 0.4, 0.5, 0.6]
    >>> errors = [0.045, 0.048, 0.038, 0.049, 0.048]
    >>> float(concentration_index_error(smokers, births, errors).round(5))
    0.01109
    """
    found = groups(values, births)
    p, aci = found.shares, _absolute(found)[..., np.newaxis]
    scale, slope = (a[..., np.newaxis] for a in _scale(found.mean[..., 0], kind))
    weights = 2 * p * (_ranks(p) - 0.5) * scale + p * slope * aci
    return _propagated(weights, found.values, errors)


def concentration_regression_error(
    values: ArrayLike, births: ArrayLike, *, kind: Kind = "absolute"
) -> FloatArray:
    r"""Give the standard error of the concentration index from the convenience regression.

    The index is the slope of :math:`2 \sigma_R^2 h(\mu) y_j` on the ranks, weighted by births; its standard
    error is that of ordinary weighted least squares with :math:`J - 2` degrees of freedom. It needs no errors
    of the groups, but it is the departure from a straight line that it measures: with few groups it is rough.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births, from the most disadvantaged to the most advantaged group; NaN
        where not known.
    kind : {"absolute", "relative", "wagstaff", "erreygers"}
        Which index.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the index; NaN for fewer than three groups.

    References
    ----------
    .. [1] O'Donnell, van Doorslaer, Wagstaff, Lindelow. Analyzing health equity using household survey data.
       World Bank 2008, chapter 8.

    Examples
    --------
    >>> births, smokers = [78, 91, 162, 103, 105], [0.2, 0.3, 0.4, 0.5, 0.6]
    >>> float(concentration_regression_error(smokers, births).round(6))
    0.002937
    """
    found = groups(values, births)
    y, p, mu = found
    scale, _ = _scale(mu[..., 0], kind)
    away = _ranks(p) - 0.5
    spread = over_groups(p * away**2)
    rest = y - mu - (over_groups(p * away * y) / spread)[..., np.newaxis] * away
    freedom = (~np.isnan(y)).sum(axis=-1) - 2
    squares = over_groups(p * rest**2) / np.where(freedom > 0, freedom, np.nan)
    return 2 * spread * np.abs(scale) * np.sqrt(squares / spread)


@dataclass(frozen=True, slots=True, eq=False)
class SlopeIndices:
    """Slope and relative index of inequality with their standard errors; arrays of shape (...).

    Parameters
    ----------
    slope : numpy.ndarray
        Fitted value at rank 1 (the most advantaged) less that at rank 0, in the unit of the values.
    slope_error : numpy.ndarray
        Its standard error, in the same unit.
    ratio : numpy.ndarray
        Fitted value at rank 1 over that at rank 0.
    log_ratio_error : numpy.ndarray
        Standard error of the logarithm of the ratio.

    Examples
    --------
    >>> births, smokers = np.array([78, 91, 162, 103, 105]), np.array([16, 27, 65, 52, 63])
    >>> found = slope_indices(smokers / births, births, link="logit")
    >>> float(found.slope.round(5)), float(found.ratio.round(4))
    (0.44905, 3.2239)
    """

    slope: FloatArray
    slope_error: FloatArray
    ratio: FloatArray
    log_ratio_error: FloatArray


def slope_indices(
    values: ArrayLike, births: ArrayLike, errors: ArrayLike | None = None, *, link: Link
) -> SlopeIndices:
    r"""Fit the values of the groups on their ranks, and compare the two ends of the fitted line.

    .. math:: g(y_j) = \beta_0 + \beta_1 R_j, \quad
       \mathrm{SII} = g^{-1}(\beta_0 + \beta_1) - g^{-1}(\beta_0), \quad
       \mathrm{RII} = g^{-1}(\beta_0 + \beta_1) / g^{-1}(\beta_0)

    Each birth counts once: least squares weighted by births for the linear link, the likelihood of counts for
    the others. The errors carry over those of the groups' values,
    :math:`\mathrm{var}(\beta) = A^{-1} \big( \sum_j n_j^2 s_j^2 x_j x_j^T \big) A^{-1}` with
    :math:`x_j = (1, R_j)` and :math:`A` the information, and hold whether or not the line fits.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births (or exposure), from the most disadvantaged to the most advantaged
        group; NaN where not known.
    errors : array_like, shape (..., G), optional
        Standard error of each value. Default: none, and the errors of the indices are NaN.
    link : {"linear", "logit", "log"}
        :math:`g`: "logit" for proportions, "log" for rates, "linear" for values of any kind.

    Returns
    -------
    SlopeIndices
        SII and the logarithm of RII are below 0 where high values are concentrated among the disadvantaged.
        NaN where the fit has no solution, such as with events in the outermost group only; the ratio also
        where the fitted line is not above 0 at both ends.

    Raises
    ------
    OptionError
        If ``link`` is not one of these.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.
    .. [2] Low, Low. Importance of relative measures in policy on health inequalities. BMJ 2006;332:967-969
       (linear).

    Examples
    --------
    >>> found = slope_indices([0.06, 0.05, 0.05, 0.04], [250, 250, 250, 250], [0.01] * 4, link="linear")
    >>> float(found.slope.round(4)), float(found.slope_error.round(4))
    (-0.024, 0.0179)
    """
    one_of("link", link, LINKS)
    y, p, mu = groups(values, births)
    _, n = floats({"values": y, "births": births})
    ranks = _ranks(p)
    s = np.full(y.shape, np.nan) if errors is None else floats({"values": y, "errors": errors})[1]
    if link == "linear":
        away = ranks - 0.5
        slope = away * p / over_groups(p * away**2)[..., np.newaxis]
        ends = np.stack([p - slope / 2, p + slope / 2], axis=-2)
    else:
        x = np.stack([np.ones(ranks.shape), ranks], axis=-1)
        canonical = logit if link == "logit" else log
        beta, moves = fit(x, y, n, mu[..., 0], canonical)
        at = canonical.inverse(np.stack([beta[..., 0], beta.sum(axis=-1)], axis=-1))
        return _compared(at, canonical.variance(at)[..., np.newaxis] * _at_ends(moves), y, s)
    return _compared(over_groups(ends * y[..., np.newaxis, :]), ends, y, s)


def _at_ends(moves: FloatArray) -> FloatArray:
    """Give how the linear predictor at ranks 0 and 1 moves with each value, shape (..., 2, G)."""
    return np.stack([moves[..., 0, :], moves.sum(axis=-2)], axis=-2)


def _compared(ends: FloatArray, weights: FloatArray, y: FloatArray, errors: FloatArray) -> SlopeIndices:
    """Compare the fitted values at ranks 0 and 1, which move with the groups' values by the weights."""
    low, high = ends[..., 0], ends[..., 1]
    positive = (low > 0) & (high > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = weights[..., 1, :] / high[..., np.newaxis] - weights[..., 0, :] / low[..., np.newaxis]
        ratio = np.where(positive, high / low, np.nan)
        log_error = np.where(positive, _propagated(relative, y, errors), np.nan)
    slope_error = _propagated(weights[..., 1, :] - weights[..., 0, :], y, errors)
    return SlopeIndices(high - low, slope_error, ratio, log_error)


def _propagated(weights: FloatArray, y: FloatArray, errors: ArrayLike) -> FloatArray:
    """Give the error of a sum of values with weights; NaN where the error of a group there is not known."""
    _, s = floats({"values": y, "errors": errors})
    unknown = (np.isnan(s) & ~np.isnan(y)).any(axis=-1)
    return np.where(unknown, np.nan, np.sqrt(over_groups((weights * s) ** 2)))


def _ranks(shares: FloatArray) -> FloatArray:
    return np.nancumsum(shares, axis=-1) - shares / 2


def _absolute(found: Groups) -> FloatArray:
    return 2 * over_groups(found.shares * found.values * (_ranks(found.shares) - 0.5))


def _scale(mean: FloatArray, kind: Kind) -> tuple[FloatArray, FloatArray]:
    """Give what the absolute index is multiplied by, and its derivative by the mean."""
    one_of("kind", kind, KINDS)
    mu = np.where(mean > 0, mean, np.nan)
    match kind:
        case "absolute":
            return np.ones(mean.shape), np.zeros(mean.shape)
        case "erreygers":
            return np.full(mean.shape, 4.0), np.zeros(mean.shape)
        case "relative":
            return 1 / mu, -1 / mu**2
        case _:
            both = np.where(mu < 1, mu * (1 - mu), np.nan)
            return 1 / both, (2 * mu - 1) / both**2
