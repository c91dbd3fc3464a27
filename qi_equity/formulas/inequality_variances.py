r"""Standard errors of measures of inequality, from those of the groups.

All of them follow one idea: the groups' values are independent, their shares of the births are fixed, and a
measure moves with the values as its derivative says (which is exact where it is linear). So each is

.. math:: \sqrt{\sum_j (\partial m / \partial y_j)^2 \, \mathrm{se}_j^2}

with a term of second order for the between-group variance, whose derivative is 0 where all groups are alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._inequality_groups import defined, groups, over_groups
from qi_equity.formulas.inequality_compared import value_of_group

__all__ = [
    "between_group_variance_error",
    "mean_log_deviation_error",
    "population_attributable_fraction_error",
    "population_attributable_risk_error",
    "ratio_log_error",
    "theil_index_error",
]


def ratio_log_error(
    first: ArrayLike, first_error: ArrayLike, second: ArrayLike, second_error: ArrayLike
) -> FloatArray:
    r"""Give the standard error of the logarithm of a ratio of two groups.

    .. math:: \sqrt{(s_1 / y_1)^2 + (s_2 / y_2)^2}

    Parameters
    ----------
    first, first_error, second, second_error : array_like, shape (...)
        Values and standard errors of the two groups; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the logarithm; NaN where a value is not above 0.

    References
    ----------
    .. [1] Ahn, Harper, Yu, Feuer, Liu. Improved Monte Carlo methods for estimating confidence intervals for
       eleven commonly used health disparity measures. JCO Clin Cancer Inform 2018;2:1-19.

    Examples
    --------
    >>> float(ratio_log_error(0.06, 0.012, 0.02, 0.004)[0].round(4))
    0.2828
    """
    a, s, b, t = floats(
        {"first": first, "first_error": first_error, "second": second, "second_error": second_error}
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a > 0) & (b > 0), np.hypot(s / a, t / b), np.nan)


def between_group_variance_error(values: ArrayLike, births: ArrayLike, errors: ArrayLike) -> FloatArray:
    r"""Give the standard error of the between-group variance.

    .. math::
        4 \sum_j p_j^2 s_j^2 (y_j - \mu)^2
        + 2 \Big[ \big(\sum_j p_j^2 s_j^2\big)^2 - \sum_j p_j^4 s_j^4 + \sum_j p_j^2 (1 - p_j)^2 s_j^4 \Big]

    is its square.

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the squared unit of the values; NaN where the error of a group is not known.

    References
    ----------
    .. [1] Ahn, Harper, Yu, Feuer, Liu. Improved Monte Carlo methods for estimating confidence intervals for
       eleven commonly used health disparity measures. JCO Clin Cancer Inform 2018;2:1-19.

    Examples
    --------
    >>> float(between_group_variance_error([0.02, 0.06], [300, 100], [0.008, 0.024]).round(6))
    0.000416
    """
    y, p, mu, s = _with_errors(values, births, errors)
    own = over_groups(p**2 * s**2)
    first = 4 * over_groups(p**2 * s**2 * (y - mu) ** 2)
    second = own**2 - over_groups(p**4 * s**4) + over_groups(p**2 * (1 - p) ** 2 * s**4)
    return np.sqrt(first + 2 * second)


def theil_index_error(values: ArrayLike, births: ArrayLike, errors: ArrayLike) -> FloatArray:
    r"""Give the standard error of the Theil index.

    .. math:: \sum_j p_j^2 \frac{s_j^2}{\mu^2} \Big[ 1 + \ln r_j - \sum_k p_k r_k (1 + \ln r_k) \Big]^2

    is its square, with :math:`r_j = y_j / \mu`.

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the index itself: where the index is printed times 1000, so must be its error. NaN
        where the index is not defined.

    References
    ----------
    .. [1] Ahn, Harper, Yu, Feuer, Liu. Improved Monte Carlo methods for estimating confidence intervals for
       eleven commonly used health disparity measures. JCO Clin Cancer Inform 2018;2:1-19.

    Examples
    --------
    >>> float(theil_index_error([0.02, 0.06], [300, 100], [0.008, 0.024]).round(4))
    0.1554
    """
    y, p, mu, s = _with_errors(values, births, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = 1 + np.log(y / mu)
        slope -= over_groups(p * y / mu * slope)[..., np.newaxis]
        found = np.sqrt(over_groups((p * s / mu * slope) ** 2))
    return np.where((y <= 0).any(axis=-1), np.nan, found)


def mean_log_deviation_error(values: ArrayLike, births: ArrayLike, errors: ArrayLike) -> FloatArray:
    r"""Give the standard error of the mean log deviation.

    .. math:: \sum_j p_j^2 \frac{s_j^2}{\mu^2} \Big( 1 - \frac{1}{r_j} \Big)^2

    is its square, with :math:`r_j = y_j / \mu`.

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the deviation itself: where that is printed times 1000, so must be its error. NaN
        where the deviation is not defined.

    References
    ----------
    .. [1] Ahn, Harper, Yu, Feuer, Liu. Improved Monte Carlo methods for estimating confidence intervals for
       eleven commonly used health disparity measures. JCO Clin Cancer Inform 2018;2:1-19.

    Examples
    --------
    >>> float(mean_log_deviation_error([0.02, 0.06], [300, 100], [0.008, 0.024]).round(4))
    0.1414
    """
    y, p, mu, s = _with_errors(values, births, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt(over_groups((p * s / mu * (1 - mu / y)) ** 2))
    return np.where((y <= 0).any(axis=-1), np.nan, found)


def population_attributable_risk_error(
    values: ArrayLike, births: ArrayLike, errors: ArrayLike, reference: ArrayLike
) -> FloatArray:
    r"""Give the standard error of the population attributable risk, which is linear in the values.

    .. math:: (1 - p_{\mathrm{ref}})^2 s_{\mathrm{ref}}^2 + \sum_{j \ne \mathrm{ref}} p_j^2 s_j^2

    is its square.

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value; NaN where not known.
    reference : array_like of int, shape (...)
        Position of the reference; -1 for none.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the unit of the values. It takes the reference as chosen beforehand: of the best of several groups
        it is somewhat too small.

    References
    ----------
    .. [1] Armitage, Berry, Matthews. Statistical methods in medical research, 4th ed., section 5.3 (variance
       of a linear function of independent estimates).

    Examples
    --------
    >>> float(population_attributable_risk_error([0.02, 0.06], [300, 100], [0.008, 0.024], 0).round(5))
    0.00632
    """
    _, p, _, s = _with_errors(values, births, errors)
    return _root_of_squares((_indicator(p, reference) - p) * s)


def population_attributable_fraction_error(
    values: ArrayLike, births: ArrayLike, errors: ArrayLike, reference: ArrayLike
) -> FloatArray:
    r"""Give the standard error of the population attributable fraction.

    .. math::
        \Big( \frac{1}{\mu} - \frac{p_{\mathrm{ref}} y_{\mathrm{ref}}}{\mu^2} \Big)^2 s_{\mathrm{ref}}^2
        + \sum_{j \ne \mathrm{ref}} \Big( \frac{p_j y_{\mathrm{ref}}}{\mu^2} \Big)^2 s_j^2

    is its square. For proportions of two groups this is Walter's variance with fixed numbers of births.

    Parameters
    ----------
    values, births, errors : array_like, shape (..., G)
        Value of each group, its births and the standard error of the value; NaN where not known.
    reference : array_like of int, shape (...)
        Position of the reference; -1 for none.

    Returns
    -------
    numpy.ndarray, shape (...)
        On the scale of the fraction itself: where that is printed as a percentage, so must be its error. It
        takes the reference as chosen beforehand. NaN where the mean is not above 0.

    References
    ----------
    .. [1] Walter. Calculation of attributable risks from epidemiological data. Int J Epidemiol
       1978;7:175-182.

    Examples
    --------
    >>> float(population_attributable_fraction_error([0.02, 0.06], [300, 100], [0.008, 0.024], 0).round(4))
    0.1886
    """
    y, p, mu, s = _with_errors(values, births, errors)
    ours = value_of_group(y, reference)[..., np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _root_of_squares((_indicator(p, reference) / mu - p * ours / mu**2) * s)
    return defined(mu, found)


def _with_errors(
    values: ArrayLike, births: ArrayLike, errors: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give values, shares, mean and errors; all errors are NaN where that of a group there is not known."""
    y, p, mu = groups(values, births)
    _, s = floats({"values": y, "errors": errors})
    unknown = (np.isnan(s) & ~np.isnan(y)).any(axis=-1, keepdims=True)
    return y, p, mu, np.where(unknown | np.isnan(y), np.nan, s)


def _indicator(shares: FloatArray, group: ArrayLike) -> FloatArray:
    """1 for the group, 0 for the others, NaN where no group is meant."""
    place = np.asarray(group, dtype=np.int64)[..., np.newaxis]
    return np.where(place >= 0, np.arange(shares.shape[-1]) == place, np.nan).astype(np.float64)


def _root_of_squares(terms: FloatArray) -> FloatArray:
    return np.sqrt(over_groups(terms**2))
