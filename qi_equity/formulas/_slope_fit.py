"""Regression of counts on one variable in all strata at once: Newton's method for canonical links."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

Curve = Callable[[FloatArray], FloatArray]

_ROUNDS = 60
_FAR = 4.0
_NEAR = 1e-12
# A fitted logit or log beyond this has run away: there is no finite solution.
_RUNAWAY = 30.0


def _expit(eta: FloatArray) -> FloatArray:
    return np.asarray(special.expit(eta))


def _exp(eta: FloatArray) -> FloatArray:
    return np.exp(np.minimum(eta, 2 * _RUNAWAY))


class Link(NamedTuple):
    """A canonical link: itself, its inverse, and the variance of one birth as a function of the mean."""

    link: Curve
    inverse: Curve
    variance: Curve


logit = Link(lambda m: np.asarray(special.logit(m)), _expit, lambda m: m * (1 - m))
log = Link(np.log, _exp, lambda m: m)


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
    start, inverse, variance = link
    there = ~np.isnan(y)
    x, y, n = np.where(there[..., np.newaxis], x, 0), np.where(there, y, 0), np.where(there, size, 0)
    beta = np.zeros((*y.shape[:-1], 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        beta[..., 0] = start(mean)
    for _ in range(_ROUNDS):
        fitted = inverse(_dot(x, beta))
        inverted = _inverted(_information(x, n * variance(fitted)))
        step = _dot(inverted, np.einsum("...gi,...g->...i", x, n * (y - fitted)))
        beta = beta + np.clip(step, -_FAR, _FAR)
        if not (np.abs(step) > _NEAR).any():
            break
    found = (np.abs(step) < np.sqrt(_NEAR)).all(axis=-1) & (np.abs(_dot(x, beta)) < _RUNAWAY).all(axis=-1)
    moves = np.einsum("...ij,...gj,...g->...ig", inverted, x, n)
    return np.where(found[..., np.newaxis], beta, np.nan), moves


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
