"""Linear model with errors that follow on one another (AR(1)), in every stratum at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._ar1_likelihood import Moments, best_rho, moments, whitened
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._glm_input import Regression, regression
from qi_equity.formulas._glm_solver import crossed, full_rank, information, predictor, solve

__all__ = ["Ar1Fit", "fit_ar1"]

# Residuals smaller than this, relative to the values, are rounding errors: nothing is left to model.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Ar1Fit:
    """A linear model with AR(1) errors of each stratum: T periods, P terms.

    Where a stratum could not be fitted, everything but ``used`` and ``df`` is NaN.

    Parameters
    ----------
    coef : numpy.ndarray of float, shape (..., P)
        Coefficients, in the unit of the values.
    covariance : numpy.ndarray of float, shape (..., P, P)
        Their covariance, with ``sigma`` in it.
    rho : numpy.ndarray of float, shape (...)
        Correlation of one period's error with the next, within (-1, 1).
    sigma : numpy.ndarray of float, shape (...)
        Standard deviation of the errors.
    df : numpy.ndarray of float, shape (...)
        Periods used less the number of terms.
    log_likelihood : numpy.ndarray of float, shape (...)
        Restricted (``reml``) or full (``ml``), with all constants; restricted ones of different designs
        cannot be compared.
    fitted : numpy.ndarray of float, shape (..., T)
        Fitted mean of each period whose design is known.
    used : numpy.ndarray of bool, shape (..., T)
        Periods in the fit.

    Examples
    --------
    >>> fit = fit_ar1([3.0, 3.4, 2.9, 2.1, 1.8, 2.3], [[1, 0]] * 3 + [[1, 1]] * 3, rho_fixed=0.0)
    >>> fit.coef.round(2).tolist(), float(fit.df)
    ([3.1, -1.03], 4.0)
    """

    coef: FloatArray
    covariance: FloatArray
    rho: FloatArray
    sigma: FloatArray
    df: FloatArray
    log_likelihood: FloatArray
    fitted: FloatArray
    used: BoolArray


def fit_ar1(
    values: ArrayLike,
    design: ArrayLike,
    *,
    method: Literal["reml", "ml"] = "reml",
    included: ArrayLike | None = None,
    rho_fixed: ArrayLike | None = None,
) -> Ar1Fit:
    r"""Fit a linear model whose errors are autocorrelated, by (restricted) maximum likelihood.

    .. math:: y_t = z_t' \beta + e_t, \qquad \mathrm{cov}(e_s, e_t) = \sigma^2 \rho^{|s - t|}

    Periods are equally spaced; one without a value is a gap, over which the correlation falls. Given
    :math:`\rho`, coefficients are generalised least squares. :math:`\rho` has the highest profile likelihood
    [1]_, restricted by default, which underestimates it least in short series [2]_; it still does, and
    intervals are somewhat too narrow. The covariance takes residual squares by ``df`` for both methods;
    ``sigma`` takes them by the number of periods where the method is ``ml``.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Values in order of time; NaN where none was observed.
    design : array_like, shape (T, P) or (..., T, P)
        Terms of each period, the constant among them; a period whose terms are NaN is left out.
    method : {'reml', 'ml'}
        Restricted or full maximum likelihood.
    included : array_like of bool, shape (..., T), optional
        False where a period shall not be used; it becomes a gap.
    rho_fixed : array_like, shape (...), optional
        Autocorrelation to be taken as given, within (-1, 1), as in a table of sensitivity.

    Returns
    -------
    Ar1Fit
        NaN for a stratum with fewer than two periods more than terms (one, if ``rho_fixed`` is given), whose
        terms cannot be told apart in the periods used, or whose values the terms fit without any error. Where
        the likelihood rises to the end, ``rho`` is next to 1 or -1; where all gaps are even, so that its sign
        cannot be told, it is positive.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``included`` no booleans.
    OptionError
        If shapes do not fit together, a value is infinite or an option is not allowed.

    References
    ----------
    .. [1] Pinheiro, Bates. Mixed-Effects Models in S and S-PLUS. Springer, 2000; sections 5.1.1, 5.3.3.
    .. [2] Turner, Forbes, Karahalios, Taljaard, McKenzie. Evaluation of statistical methods used in the
       analysis of interrupted time series studies: a simulation study. BMC Med Res Methodol 2021;21:181.

    Examples
    --------
    >>> values = [30.1, 31.0, 30.6, 29.8, 30.3, 27.2, 26.5, 27.1, 27.9, 27.4]
    >>> fit = fit_ar1(values, [[1, 0]] * 5 + [[1, 1]] * 5)
    >>> fit.coef.round(2).tolist(), round(float(fit.rho), 2)
    ([30.34, -3.11], 0.24)
    """
    one_of("method", method, ("reml", "ml"))
    data = regression(values, None, design, "gaussian", included, name="values")
    given = None if rho_fixed is None else _given(rho_fixed, data.shape)
    terms, periods = data.design.shape[-1], data.used.sum(axis=-1)
    parts = _fit(data, given, restricted=method == "reml")
    lead, time = data.shape, data.used.shape[-1]
    return Ar1Fit(
        coef=parts[0].reshape(*lead, terms),
        covariance=parts[1].reshape(*lead, terms, terms),
        rho=parts[2].reshape(lead),
        sigma=parts[3].reshape(lead),
        df=(periods - float(terms)).reshape(lead),
        log_likelihood=parts[4].reshape(lead),
        fitted=np.where(data.drawn, predictor(data.design, parts[0]), np.nan).reshape(*lead, time),
        used=data.used.reshape(*lead, time),
    )


def _given(rho: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    (array,) = floats({"rho_fixed": rho})
    if not (np.abs(array) < 1).all():
        raise OptionError(f"rho_fixed={rho!r} is not allowed; give numbers above -1 and below 1.")
    try:
        return np.broadcast_to(np.asarray(rho, dtype=np.float64), shape).reshape(-1)
    except ValueError as error:
        raise OptionError(
            f"rho_fixed has shape {array.shape}, which does not fit strata of shape {shape}; give one "
            "number, or one for each stratum."
        ) from error


def _fit(data: Regression, given: FloatArray | None, *, restricted: bool) -> tuple[FloatArray, ...]:
    """Give coefficients, covariance, autocorrelation, sigma and log-likelihood of K strata."""
    terms, strata = data.design.shape[-1], len(data.used)
    found = tuple(np.full((strata, *shape), np.nan) for shape in ((terms,), (terms, terms), (), (), ()))
    spare = data.used.sum(axis=-1) - terms
    gram = information(data.design, data.used.astype(np.float64))
    able = full_rank(gram) & (spare >= (2 if given is None else 1))
    here = data.rows(able)
    start, basis, variables = _reduced(here, gram[able])
    some = (variables[..., -1] ** 2).sum(axis=-1) > _NOTHING**2 * (here.total**2).sum(axis=-1)
    able[able] = some
    sums = moments(variables[some], here.used[some])
    left = spare[able].astype(np.float64)
    count = left if restricted else left + terms
    rho = best_rho(sums, count, restricted=restricted) if given is None else given[able]
    parts = _estimates(sums, rho, left, basis[some], restricted=restricted)
    for target, value in zip(found, (start[some] + parts[0], *parts[1:]), strict=True):
        target[able] = value
    return found


def _reduced(data: Regression, gram: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give least squares, the basis that makes the terms orthonormal, and these terms with the residuals.

    The likelihood is the same function of the autocorrelation, without the rounding errors of large means.
    """
    size = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
    scaled = gram / (size[..., np.newaxis] * size[..., np.newaxis, :])
    basis = np.swapaxes(np.linalg.inv(np.linalg.cholesky(scaled)), -1, -2) / size[..., np.newaxis]
    start = solve(gram, crossed(data.design, data.total))
    rest = data.total - predictor(data.design, start)
    start = start + solve(gram, crossed(data.design, np.where(data.used, rest, 0.0)))
    rest = np.where(data.used, data.total - predictor(data.design, start), 0.0)
    design = np.where(data.used[..., np.newaxis], data.design, 0.0)
    return start, basis, np.concatenate([design @ basis, rest[..., np.newaxis]], axis=-1)


def _estimates(
    sums: Moments, rho: FloatArray, spare: FloatArray, basis: FloatArray, *, restricted: bool
) -> tuple[FloatArray, ...]:
    products, _, log, _ = whitened(sums, rho)
    inverted = np.linalg.inv(products[:, :-1, :-1])
    shift = (inverted @ products[:, :-1, -1:])[..., 0]
    squares = products[:, -1, -1] - (products[:, :-1, -1] * shift).sum(axis=-1)
    count = spare if restricted else spare + basis.shape[-1]
    likelihood = -(count * (np.log(2 * np.pi * squares / count) + 1) + log) / 2
    if restricted:
        # The determinant of the terms' products, in the terms as given.
        likelihood += np.linalg.slogdet(inverted)[1] / 2 + np.linalg.slogdet(basis)[1]
    covariance = (squares / spare)[:, np.newaxis, np.newaxis] * (
        basis @ inverted @ np.swapaxes(basis, -1, -2)
    )
    return (basis @ shift[..., np.newaxis])[..., 0], covariance, rho, np.sqrt(squares / count), likelihood
