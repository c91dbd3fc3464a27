"""Marginal likelihoods of counts whose rates vary between units, and their most likely mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

_STEPS = 60
# Newton's steps square the error, so that the mean itself is exact to the digits of its slope.
_TOLERANCE = 1e-8

Four = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]


class Compound(NamedTuple):
    """One family: counts ``x`` of sizes ``n``, mean rate and prior size; sums run over the last axis.

    ``likelihood`` is the log likelihood without terms that hold neither mean nor prior size, ``slope`` and
    ``information`` its first and minus its second derivative with respect to the mean; ``variance`` that of
    a rate of the family with the given mean and size, ``most`` the greatest count, ``highest`` a bound of the
    mean.
    """

    likelihood: Four
    slope: Four
    information: Four
    variance: Callable[[FloatArray, FloatArray], FloatArray]
    most: Callable[[FloatArray], FloatArray]
    highest: Callable[[FloatArray, FloatArray], FloatArray]


def mean_given(x: FloatArray, n: FloatArray, prior: FloatArray, model: Compound) -> FloatArray:
    """Find the most likely mean at each prior size (...), by Newton steps kept within bounds.

    The log likelihood is concave in the mean, so there is one.
    """
    shape = np.broadcast_shapes(x.shape[:-1], prior.shape)
    flat = shape or (1,)
    x, n = (np.broadcast_to(a, (*flat, a.shape[-1])) for a in (x, n))
    prior = np.broadcast_to(prior, flat)
    mean, high = np.ravel(x.sum(-1) / n.sum(-1)), np.ravel(model.highest(x, n))
    low = np.zeros(mean.shape)
    rows = np.arange(mean.size)
    for _ in range(_STEPS):
        # Each stops by itself: few need many steps, and none depends on the others.
        at = np.unravel_index(rows, flat)
        counts = x[at], n[at], mean[rows, None], prior[at][:, None]
        slope = model.slope(*counts)
        low[rows] = np.where(slope > 0, mean[rows], low[rows])
        high[rows] = np.where(slope > 0, high[rows], mean[rows])
        step = mean[rows] + slope / model.information(*counts)
        inside = (step > low[rows]) & (step < high[rows])
        new = np.where(inside, step, (low[rows] + high[rows]) / 2)
        moving = np.abs(new - mean[rows]) > _TOLERANCE * mean[rows]
        mean[rows] = new
        rows = rows[moving]
        if not rows.size:
            break
    return mean.reshape(shape)


def _beta_likelihood(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a, b = mean * prior, (1 - mean) * prior
    terms = special.gammaln(x + a) - special.gammaln(a) + special.gammaln(n - x + b) - special.gammaln(b)
    return np.asarray((terms - special.gammaln(n + prior) + special.gammaln(prior)).sum(-1))


def _beta_slope(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a, b = mean * prior, (1 - mean) * prior
    up, down = special.psi(x + a) - special.psi(a), special.psi(n - x + b) - special.psi(b)
    return np.asarray((prior * (up - down)).sum(-1))


def _beta_information(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a, b = mean * prior, (1 - mean) * prior
    up = _trigamma(a) - _trigamma(x + a)
    down = _trigamma(b) - _trigamma(n - x + b)
    return np.asarray((prior**2 * (up + down)).sum(-1))


def _gamma_likelihood(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a = mean * prior
    terms = special.gammaln(x + a) - special.gammaln(a) - a * np.log1p(n / prior) - x * np.log(n + prior)
    return np.asarray(terms.sum(-1))


def _gamma_slope(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a = mean * prior
    return np.asarray((prior * (special.psi(x + a) - special.psi(a) - np.log1p(n / prior))).sum(-1))


def _gamma_information(x: FloatArray, n: FloatArray, mean: FloatArray, prior: FloatArray) -> FloatArray:
    a = mean * prior
    return np.asarray((prior**2 * (_trigamma(a) - _trigamma(x + a))).sum(-1))


def _trigamma(x: FloatArray) -> FloatArray:
    """Second derivative of log gamma for x > 0: scipy's polygamma gives the same and takes 30 times as long.

    Recurrence up to x + 8, then the asymptotic series; the error is below 1e-12 of the value.
    """
    shifted = sum((1 / (x + k) ** 2 for k in range(8)), np.zeros_like(x))
    y = x + 8
    z = 1 / y**2
    series = 1 / 6 - z * (1 / 30 - z * (1 / 42 - z * (1 / 30 - z * 5 / 66)))
    return np.asarray(shifted + 1 / y + z / 2 + z / y * series)


def _highest_rate(x: FloatArray, n: FloatArray) -> FloatArray:
    """Give a bound of the most likely mean: above twice the greatest rate the likelihood falls."""
    return np.asarray(2 * (x / np.where(n > 0, n, np.inf)).max(-1))


BETA_BINOMIAL = Compound(
    _beta_likelihood,
    _beta_slope,
    _beta_information,
    lambda mean, size: mean * (1 - mean) / (size + 1),
    lambda n: n,
    lambda x, n: np.ones(x.shape[:-1]),
)
GAMMA_POISSON = Compound(
    _gamma_likelihood,
    _gamma_slope,
    _gamma_information,
    lambda mean, size: mean / size,
    lambda n: np.full(n.shape, np.inf),
    _highest_rate,
)
