"""Measures of inequality between groups that have no order: what they are, without their errors.

Groups are on the last axis; leading axes are strata. A group without a value or without births is left out,
and with fewer than two groups every measure is NaN. Values are unscaled fractions, and so are the measures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._inequality_groups import average, defined, groups, over_groups

__all__ = [
    "between_group_variance",
    "coefficient_of_variation",
    "index_of_disparity",
    "mean_difference_from",
    "mean_log_deviation",
    "mean_of_groups",
    "population_attributable_fraction",
    "population_attributable_risk",
    "theil_index",
]


def mean_of_groups(values: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Mean of the groups, weighted by their births: :math:`\mu = \sum_j p_j y_j`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the unit of the values.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(mean_of_groups([0.02, 0.06], [300, 100]))
    0.03
    """
    return groups(values, births).mean[..., 0]


def between_group_variance(values: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Between-group variance, :math:`\sum_j p_j (y_j - \mu)^2`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        Squared unit of the values, >= 0; 0 where all groups are alike. Its root is the between-group
        standard deviation, in the unit of the values.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(between_group_variance([0.02, 0.06], [300, 100]).round(6))
    0.0003
    """
    y, p, mu = groups(values, births)
    return over_groups(p * (y - mu) ** 2)


def coefficient_of_variation(values: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Between-group standard deviation over the mean, :math:`\sqrt{\mathrm{BGV}} / \mu`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        A fraction (published tables print 100 times it), >= 0; NaN where the mean is not above 0.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(coefficient_of_variation([0.02, 0.06], [300, 100]).round(6))
    0.57735
    """
    mu = mean_of_groups(values, births)
    with np.errstate(divide="ignore", invalid="ignore"):
        return defined(mu, np.sqrt(between_group_variance(values, births)) / mu)


def mean_difference_from(
    values: ArrayLike, births: ArrayLike, *, against: ArrayLike | None = None, weighted: bool
) -> FloatArray:
    r"""Mean absolute difference of the groups from a value.

    .. math:: \frac{1}{J} \sum_j |y_j - a| \quad \text{or} \quad \sum_j p_j |y_j - a|

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.
    against : array_like, shape (...), optional
        The value :math:`a`: that of the best group or of a reference. Default: the mean :math:`\mu`, which is
        weighted by births in either case.
    weighted : bool
        Whether groups count by their births, or all alike. The group compared with counts too, with a
        difference of 0.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the unit of the values, >= 0.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(mean_difference_from([0.02, 0.06], [300, 100], weighted=True).round(6))
    0.015
    """
    y, p, mu = groups(values, births)
    a = mu if against is None else np.asarray(against, dtype=np.float64)[..., np.newaxis]
    return over_groups(p * np.abs(y - a)) if weighted else average(np.abs(y - a))


def index_of_disparity(values: ArrayLike, births: ArrayLike, *, weighted: bool) -> FloatArray:
    r"""Mean absolute difference from the mean, over the mean.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.
    weighted : bool
        Whether groups count by their births, or all alike.

    Returns
    -------
    numpy.ndarray, shape (...)
        A fraction (published tables print 100 times it), >= 0; NaN where the mean is not above 0.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(index_of_disparity([0.02, 0.06], [300, 100], weighted=True).round(6))
    0.5
    """
    mu = mean_of_groups(values, births)
    with np.errstate(divide="ignore", invalid="ignore"):
        return defined(mu, mean_difference_from(values, births, weighted=weighted) / mu)


def theil_index(values: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Theil index, :math:`\sum_j p_j r_j \ln r_j` with :math:`r_j = y_j / \mu`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        Without unit (published tables print 1000 times it), >= 0; 0 where all groups are alike. NaN where a
        group has a value of 0 or less, of which there is no logarithm: nothing is put in its place.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(theil_index([0.02, 0.06], [300, 100]).round(6))
    0.143841
    """
    y, p, mu = groups(values, births)
    return _of_logarithms(y, lambda log_r: over_groups(p * y / mu * log_r), mu)


def mean_log_deviation(values: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Mean log deviation, :math:`-\sum_j p_j \ln r_j` with :math:`r_j = y_j / \mu`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (...)
        Without unit (published tables print 1000 times it), >= 0; 0 where all groups are alike. NaN where a
        group has a value of 0 or less, of which there is no logarithm: nothing is put in its place.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(mean_log_deviation([0.02, 0.06], [300, 100]).round(6))
    0.130812
    """
    y, p, mu = groups(values, births)
    return _of_logarithms(y, lambda log_r: -over_groups(p * log_r), mu)


def population_attributable_risk(values: ArrayLike, births: ArrayLike, reference: ArrayLike) -> FloatArray:
    r"""Give the population attributable risk, :math:`y_{\mathrm{ref}} - \mu`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.
    reference : array_like, shape (...)
        Value of the reference.

    Returns
    -------
    numpy.ndarray, shape (...)
        In the unit of the values: by how much the mean would change if every group had the value of the
        reference. Negative for an adverse outcome whose reference fares better. Nothing is cut off at 0.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(population_attributable_risk([0.02, 0.06], [300, 100], 0.02).round(6))
    -0.01
    """
    return np.asarray(reference, dtype=np.float64) - mean_of_groups(values, births)


def population_attributable_fraction(
    values: ArrayLike, births: ArrayLike, reference: ArrayLike
) -> FloatArray:
    r"""Give the population attributable fraction, :math:`(y_{\mathrm{ref}} - \mu) / \mu`.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.
    reference : array_like, shape (...)
        Value of the reference.

    Returns
    -------
    numpy.ndarray, shape (...)
        A fraction (published tables print 100 times it), with the sign of the attributable risk; NaN where
        the mean is not above 0.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> float(population_attributable_fraction([0.02, 0.06], [300, 100], 0.02).round(6))
    -0.333333
    """
    mu = mean_of_groups(values, births)
    with np.errstate(divide="ignore", invalid="ignore"):
        return defined(mu, population_attributable_risk(values, births, reference) / mu)


def _of_logarithms(y: FloatArray, measure: Callable[[FloatArray], FloatArray], mu: FloatArray) -> FloatArray:
    """Give a measure of log(y / mean) where every group that is there has a value above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((y <= 0).any(axis=-1), np.nan, measure(np.log(y / mu)))
