"""Regression in which every stratum has coefficients of its own and some are shared by all strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._glm_arrow import blocks, maximise_shared, told_apart
from qi_equity.formulas._glm_input import Family, Regression, regression
from qi_equity.formulas._glm_solver import LINKS, inverse, maximise, predictor

__all__ = ["SharedFit", "combination_variance", "fit_glm_shared"]


@dataclass(frozen=True, slots=True, eq=False)
class SharedFit:
    """A generalised linear model of S strata: P terms with coefficients of each, Q with common ones.

    Where a stratum could not be fitted, everything but ``used`` is NaN for it; where its set could not,
    for all.

    Parameters
    ----------
    own_coef : numpy.ndarray of float, shape (..., S, P)
        Coefficients of each stratum, on the scale of the link.
    own_covariance : numpy.ndarray of float, shape (..., S, P, P)
        Their covariance if the shared ones were known; see :func:`combination_variance`.
    shared_coef : numpy.ndarray of float, shape (..., Q)
        Coefficients shared by the strata.
    shared_covariance : numpy.ndarray of float, shape (..., Q, Q)
        Their covariance V.
    link : numpy.ndarray of float, shape (..., S, P, Q)
        Matrices M by which the own coefficients fall as the shared ones rise: the covariance of the own ones
        is ``own_covariance`` + M V M'.
    fitted : numpy.ndarray of float, shape (..., S, T)
        Fitted proportion, rate or mean of each period whose terms are known.
    used : numpy.ndarray of bool, shape (..., S, T)
        Periods that could be used.
    pearson : numpy.ndarray of float, shape (..., S)
        Sum of squared Pearson residuals at a dispersion of 1, whatever the weights.
    df : numpy.ndarray of float, shape (..., S)
        Periods used, less P, less the stratum's share of Q: the share it has of all periods used.

    Examples
    --------
    >>> own, after = [[1], [1], [1], [1]], [[0], [0], [1], [1]]
    >>> fit = fit_glm_shared([[12, 8, 6, 4], [3, 5, 2, 2]], 100, own, after, family="poisson")
    >>> np.exp(fit.shared_coef).round(3).tolist()
    [0.5]
    """

    own_coef: FloatArray
    own_covariance: FloatArray
    shared_coef: FloatArray
    shared_covariance: FloatArray
    link: FloatArray
    fitted: FloatArray
    used: BoolArray
    pearson: FloatArray
    df: FloatArray


def fit_glm_shared(
    events: ArrayLike,
    size: ArrayLike | None,
    own: ArrayLike,
    shared: ArrayLike,
    *,
    family: Family = "binomial",
    included: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> SharedFit:
    r"""Fit a generalised linear model with coefficients of each stratum and shared ones, together.

    With own terms :math:`z_{it}` and shared terms :math:`s_{it}` of stratum i, and distributions and links as
    in :func:`~qi_equity.formulas.glm.fit_glm`:

    .. math:: g(\mu_{it}) = z_{it}' \alpha_i + s_{it}' \gamma

    Newton's method [1]_. The information has the shape of an arrow; the blocks :math:`A_i` of the own
    coefficients are eliminated one by one [2]_, so that no matrix is larger than :math:`p + q`:

    .. math:: V^{-1} = \sum_i (C_i - B_i' A_i^{-1} B_i), \qquad M_i = A_i^{-1} B_i

    A stratum without a maximum of its own, such as one without events, says nothing of the shared ones and is
    left out.

    Parameters
    ----------
    events : array_like, shape (..., S, T)
        Events of each stratum and period (gaussian: values); NaN where not known.
    size : array_like, shape (..., S, T), or None
        Births or exposure; NaN where not known. None, for means only: every period counts the same.
    own : array_like, shape (T, P) or (..., S, T, P)
        Terms with coefficients of each stratum.
    shared : array_like, shape (T, Q) or (..., S, T, Q)
        Terms with one coefficient for all strata; Q may be 0. None may follow from the own ones.
    family : {'binomial', 'poisson', 'gaussian'}
        Events out of births (logit), events in an exposure (log), or means (identity).
    included : array_like of bool, shape (..., S, T), optional
        False where a period shall not be used.
    weights : array_like, shape (..., S), optional
        One over the dispersion (of means, the variance) of each stratum, above 0; NaN to leave it out.

    Returns
    -------
    SharedFit
        NaN for a stratum that could not be fitted alone (see :func:`~qi_equity.formulas.glm.fit_glm`); for a
        whole set if no stratum is left, shared terms cannot be told apart from others, or the likelihood has
        no maximum, as where a shared term stands for periods without any event.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``included`` no booleans.
    OptionError
        If shapes do not fit together, there is no axis of strata, a value cannot be, or the family is not
        known.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models. 2nd ed. Chapman and Hall, 1989; chapter 2.
    .. [2] Searle. Linear Models. Wiley, 1971; section 1.7 (inverse of a matrix in blocks).

    Examples
    --------
    Two strata with rates of their own and one trend, which halves them every two periods:

    >>> trend = [[0.0], [1.0], [2.0], [3.0]]
    >>> events = [[16, 11, 8, 6], [160, 113, 80, 57]]
    >>> fit = fit_glm_shared(events, [[100] * 4, [500] * 4], [[1]] * 4, trend, family="poisson")
    >>> round(float(np.exp(2 * fit.shared_coef[0])), 2), np.exp(fit.own_coef[:, 0]).round(2).tolist()
    (0.5, [0.16, 0.32])
    """
    joint, terms = _joined(own, shared)
    each = None if weights is None else _by_stratum(weights)
    data = regression(events, size, joint, family, included, each)
    if not data.shape:
        raise OptionError("events has one axis, time; give (..., S, T): strata before time.")
    shape = (int(np.prod(data.shape[:-1])), data.shape[-1])
    start, _ = maximise(data._replace(design=data.design[..., :terms]), family)
    fitted = ~np.isnan(start[:, 0])
    inside = _only(data, fitted)
    fitted = fitted.reshape(shape)
    able = np.asarray(fitted.any(axis=-1))
    able[able] = told_apart(_sets(inside, able, shape), fitted[able], terms)
    first = np.where(fitted[..., np.newaxis], start.reshape(*shape, terms), 0.0)[able]
    with np.errstate(over="ignore", invalid="ignore"):
        part = _sets(inside, able, shape)
        alone, common, found = maximise_shared(part, family, first, fitted[able])
    able[able] = found
    fitted &= able[:, np.newaxis]
    return _result(data, family, able, fitted, alone[found], common[found])


def combination_variance(
    fit: SharedFit, own_gradient: ArrayLike, shared_gradient: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    r"""Variance of a combination of own and shared coefficients of each stratum, in two parts.

    The estimate :math:`g' \alpha_i + h' \gamma` has the variance

    .. math:: g' A_i^{-1} g + l_i' V l_i, \qquad l_i = h - M_i' g

    and those of two strata the covariance :math:`l_i' V l_j`, through what they share.

    Parameters
    ----------
    fit : SharedFit
        The fit.
    own_gradient : array_like, shape (..., S, P)
        Gradients g by the own coefficients; axes before the last stretch.
    shared_gradient : array_like, shape (..., S, Q)
        Gradients h by the shared coefficients; axes before the last stretch.

    Returns
    -------
    own_part : numpy.ndarray of float, shape (..., S)
        Variance if the shared coefficients were known.
    loading : numpy.ndarray of float, shape (..., S, Q)
        By how much the estimate rises as the shared coefficients rise.

    Raises
    ------
    InputTypeError
        If a gradient does not hold numbers.
    OptionError
        If the gradients do not have a number for each term.

    Examples
    --------
    The level of each stratum before a shared change, on the log scale:

    >>> own, after = [[1], [1], [1], [1]], [[0], [0], [1], [1]]
    >>> fit = fit_glm_shared([[12, 8, 6, 4], [3, 5, 2, 2]], 100, own, after, family="poisson")
    >>> part, loading = combination_variance(fit, [1.0], [0.0])
    >>> (part + (loading @ fit.shared_covariance * loading).sum(-1)).round(3).tolist()
    [0.045, 0.095]
    """
    g, h = _two({"own_gradient": own_gradient, "shared_gradient": shared_gradient})
    wanted = fit.link.shape[-2:]
    if (g.shape[-1:], h.shape[-1:]) != (wanted[:1], wanted[1:]):
        raise OptionError(
            f"own_gradient has shape {g.shape} and shared_gradient {h.shape}; give {wanted[0]} and "
            f"{wanted[1]} numbers on the last axis."
        )
    own_part = np.einsum("...p,...pr,...r->...", g, fit.own_covariance, g)
    return np.asarray(own_part), np.asarray(h - np.einsum("...pq,...p->...q", fit.link, g))


def _joined(own: ArrayLike, shared: ArrayLike) -> tuple[FloatArray, int]:
    """Give own and shared terms side by side, and how many are own."""
    first, second = _two({"own": own, "shared": shared})
    if first.ndim < 2 or second.ndim < 2 or first.shape[-1] == 0:
        raise OptionError(
            f"own has shape {first.shape} and shared {second.shape}; give (..., T, P), with at least "
            "one term, and (..., T, Q)."
        )
    try:
        shape = np.broadcast_shapes(first.shape[:-1], second.shape[:-1])
    except ValueError as error:
        raise OptionError(
            f"own of shape {first.shape} and shared of shape {second.shape} do not fit together; give the "
            "same strata and periods."
        ) from error
    wide = [np.broadcast_to(a, (*shape, a.shape[-1])) for a in (first, second)]
    return np.concatenate(wide, axis=-1), first.shape[-1]


def _two(arguments: dict[str, ArrayLike]) -> tuple[FloatArray, FloatArray]:
    try:
        first, second = (np.asarray(a, dtype=np.float64) for a in arguments.values())
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"{' or '.join(arguments)} cannot be read as numbers; give arrays with a number for each term."
        ) from error
    return first, second


def _by_stratum(weights: ArrayLike) -> FloatArray:
    try:
        return np.asarray(weights, dtype=np.float64)[..., np.newaxis]
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"weights of type {type(weights).__name__} cannot be read as numbers; give one for each stratum."
        ) from error


def _only(data: Regression, fitted: BoolArray) -> Regression:
    """Give the data with nothing in the strata that are not fitted."""
    inside = fitted[:, np.newaxis]
    total, size, weight = (np.where(inside, a, 0.0) for a in (data.total, data.size, data.weight))
    return data._replace(total=total, size=size, weight=weight, used=data.used & inside)


def _sets(data: Regression, able: BoolArray, shape: tuple[int, int]) -> Regression:
    return data.rows(np.repeat(able, shape[1]))


def _result(
    data: Regression,
    family: Family,
    able: BoolArray,
    fitted: BoolArray,
    alone: FloatArray,
    common: FloatArray,
) -> SharedFit:
    terms, every = alone.shape[-1], common.shape[-1]
    own = np.full((*fitted.shape, terms), np.nan)
    own[able] = np.where(fitted[able][..., np.newaxis], alone, np.nan)
    shared = np.full((len(able), every), np.nan)
    shared[able] = common
    coef = np.concatenate([own, np.broadcast_to(shared[:, np.newaxis], (*fitted.shape, every))], axis=-1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = LINKS[family].inverse(predictor(data.design, coef.reshape(len(data.used), terms + every)))
        spread = data.size * LINKS[family].variance(mean)
        squares = np.where(data.used, (data.total - data.size * mean) ** 2 / spread, 0.0).sum(axis=-1)
    pieces = blocks(data, np.nan_to_num(data.weight * spread), fitted, terms)
    known = fitted[..., np.newaxis, np.newaxis]
    periods = np.where(fitted, data.used.sum(axis=-1).reshape(fitted.shape), np.nan)
    share = periods / np.where(able, np.nansum(periods, axis=-1), np.nan)[:, np.newaxis]
    covariance = np.where(able[:, np.newaxis, np.newaxis], inverse(pieces.shared), np.nan)
    lead, time = data.shape, data.used.shape[-1]
    return SharedFit(
        own_coef=own.reshape(*lead, terms),
        own_covariance=np.where(known, pieces.own, np.nan).reshape(*lead, terms, terms),
        shared_coef=shared.reshape(*lead[:-1], every),
        shared_covariance=covariance.reshape(*lead[:-1], every, every),
        link=np.where(known, pieces.link, np.nan).reshape(*lead, terms, every),
        fitted=np.where(data.drawn, mean, np.nan).reshape(*lead, time),
        used=data.used.reshape(*lead, time),
        pearson=np.where(fitted, squares.reshape(fitted.shape), np.nan).reshape(lead),
        df=(periods - terms - every * share).reshape(lead),
    )
