"""Regression of counts on one variable in all strata at once: Newton's method for canonical links."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

Curve = Callable[[FloatArray], FloatArray]

_ROUNDS = 60
_HALVINGS = 30
_NEAR = 1e-12
# A fitted logit or log beyond this has run away: there is no finite solution.
_RUNAWAY = 30.0


def _expit(eta: FloatArray) -> FloatArray:
    return np.asarray(special.expit(eta))


class Link(NamedTuple):
    """A canonical link: itself, its inverse, the variance as a function of the mean, and the cumulant.

    The log-likelihood of one birth is y times the linear predictor less the cumulant of the predictor.
    """

    link: Curve
    inverse: Curve
    variance: Curve
    cumulant: Curve


logit = Link(
    lambda m: np.asarray(special.logit(m)), _expit, lambda m: m * (1 - m), lambda eta: np.logaddexp(0, eta)
)
log = Link(np.log, np.exp, lambda m: m, np.exp)


def fit(
    x: FloatArray, y: FloatArray, size: FloatArray, mean: FloatArray, link: Link
) -> tuple[FloatArray, FloatArray]:
    """Fit two coefficients in each stratum, each birth counting once.

    Parameters
    ----------
    x : ndarray, shape (..., G, 2)
        The variables of each group.
    y, size : ndarray, shape (..., G)
        Values and births; groups whose value is NaN are left out.
    mean : ndarray, shape (...)
        Mean of the stratum, where the search starts.
    link : Link
        ``logit`` or ``log``.

    Returns
    -------
    coefficients : ndarray, shape (..., 2)
        NaN where the search finds no finite solution.
    moves : ndarray, shape (..., 2, G)
        By how much each coefficient moves with each value.
    """
    there = ~np.isnan(y)
    x, y, n = np.where(there[..., np.newaxis], x, 0), np.where(there, y, 0), np.where(there, size, 0)
    beta = np.zeros((*y.shape[:-1], 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        beta[..., 0] = link.link(mean)
    for _ in range(_ROUNDS):
        fitted = link.inverse(_dot(x, beta))
        inverted = _inverted(_information(x, n * link.variance(fitted)))
        step = _dot(inverted, np.einsum("...gi,...g->...i", x, n * (y - fitted)))
        beta = _uphill(beta, step, x, y, n, link)
        if not (np.abs(step) > _NEAR).any():
            break
    found = (np.abs(step) < np.sqrt(_NEAR)).all(axis=-1) & (np.abs(_dot(x, beta)) < _RUNAWAY).all(axis=-1)
    moves = np.einsum("...ij,...gj,...g->...ig", inverted, x, n)
    return np.where(found[..., np.newaxis], beta, np.nan), moves


def _uphill(
    beta: FloatArray, step: FloatArray, x: FloatArray, y: FloatArray, n: FloatArray, link: Link
) -> FloatArray:
    """Take the step, halved where the likelihood would fall until it does not."""

    def likelihood(at: FloatArray) -> FloatArray:
        eta = _dot(x, at)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((n * (y * eta - link.cumulant(eta))).sum(axis=-1))

    before = likelihood(beta)
    for _ in range(_HALVINGS):
        falls = likelihood(beta + step) < before - _NEAR * np.abs(before)
        if not falls.any():
            break
        step = np.where(falls[..., np.newaxis], step / 2, step)
    return beta + step


def _dot(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...gi,...i->...g", matrix, vector))


def _information(x: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...gi,...gj,...g->...ij", x, x, weight))


def _inverted(a: FloatArray) -> FloatArray:
    """Invert symmetric 2 by 2 matrices; not finite where one has no inverse."""
    p, q, r = a[..., 0, 0], a[..., 0, 1], a[..., 1, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inverted = np.stack([np.stack([r, -q], -1), np.stack([-q, p], -1)], -2)
        return np.asarray(inverted / (p * r - q * q)[..., np.newaxis, np.newaxis])
