"""Log likelihoods of the counts of sites as functions of a linear predictor, with both derivatives."""

from __future__ import annotations

from math import comb, factorial
from typing import Protocol

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

Curve = tuple[FloatArray, FloatArray, FloatArray]

# Beyond it a rate is 0 or overflows; derivatives there say no more than "further back".
_FARTHEST = 500.0

# Distance of the places at which a noncentral hypergeometric distribution is summed.
_GRID = 0.15

# From what is left at the upper end of a cell (value and derivatives) to the coefficients of degree 4 to 7.
_UPPER = np.linalg.inv([[float(comb(m, k)) for m in range(4, 8)] for k in range(4)])


class Kernel(Protocol):
    """Log likelihood of each site, at places of shape (..., k, Q)."""

    def __call__(self, eta: FloatArray) -> Curve:
        """Give the log likelihood and its first two derivatives."""
        ...  # pragma: no cover


class Binomial:
    """Events among births, with the logit as linear predictor."""

    def __init__(self, events: FloatArray, births: FloatArray) -> None:
        self._x, self._n = events[..., None], births[..., None]
        self._constant = log_choose(self._n, self._x)

    def __call__(self, eta: FloatArray) -> Curve:
        """Give the log likelihood and its first two derivatives."""
        p = special.expit(eta)
        log = self._constant + self._x * eta - self._n * np.logaddexp(0.0, eta)
        return log, self._x - self._n * p, -self._n * p * special.expit(-eta)


class Poisson:
    """Events over an exposure, with the logarithm of the rate as linear predictor."""

    def __init__(self, events: FloatArray, exposure: FloatArray) -> None:
        self._x, self._e = events[..., None], exposure[..., None]
        self._constant = special.xlogy(self._x, self._e) - special.gammaln(self._x + 1)

    def __call__(self, eta: FloatArray) -> Curve:
        """Give the log likelihood and its first two derivatives."""
        eta = np.clip(eta, -_FARTHEST, _FARTHEST)
        mean = self._e * np.exp(eta)
        return self._constant + self._x * eta - mean, self._x - mean, -mean


class Hypergeometric:
    """Events after given the events of both spans, with the log odds ratio as linear predictor.

    Fisher's noncentral hypergeometric distribution. The logarithm of its sum of weights is analytic within
    pi of the real line; it is reckoned exactly, with three derivatives, at places ``_GRID`` apart and taken
    from polynomials of degree seven between them (error below 1e-12 of the number of events). Beyond the
    last place all weight lies on one count and the curve is a straight line.
    """

    def __init__(self, x: FloatArray, n: FloatArray, total: FloatArray, n0: FloatArray) -> None:
        least, most = np.maximum(0.0, total - n0), np.minimum(n, total)
        steps = np.arange(int((most - least).max(initial=0.0)) + 1, dtype=np.float64)
        possible = least[..., None] + steps
        inside = possible <= most[..., None]
        count = np.where(inside, possible, x[..., None])
        log = log_choose(n[..., None], count) + log_choose(n0[..., None], total[..., None] - count)
        own = (log_choose(n, x) + log_choose(n0, total - x))[..., None]
        relative = np.where(inside, log - own, -np.inf)
        steepest = np.abs(np.diff(np.where(inside, log, 0.0), axis=-1)).max(
            initial=0.0, where=inside[..., 1:]
        )
        self._cells = int(np.ceil((36.0 + steepest) / _GRID))
        places = _GRID * np.arange(-self._cells, self._cells + 1)
        moments = [_log_sum(relative, count - x[..., None], place) for place in places]
        values = [np.stack(part, axis=-1) for part in zip(*moments, strict=True)]
        self._pieces = _pieces(values)

    def __call__(self, eta: FloatArray) -> Curve:
        """Give the log likelihood and its first two derivatives."""
        reach = self._cells * _GRID
        near = np.clip(eta, -reach, reach)
        cell = np.clip(np.floor(near / _GRID).astype(np.int64) + self._cells, 0, 2 * self._cells - 1)
        t = near / _GRID + self._cells - cell
        lead = (1,) * (cell.ndim - self._pieces[0].ndim)
        c = [np.take_along_axis(p.reshape(lead + p.shape), cell, axis=-1) for p in self._pieces]
        value, slope, bend = c[7], np.zeros(t.shape), np.zeros(t.shape)
        for coefficient in c[6::-1]:
            bend, slope, value = bend * t + 2 * slope, slope * t + value, value * t + coefficient
        slope, bend = slope / _GRID, bend / _GRID**2
        return -value - slope * (eta - near), -slope, -bend


def _log_sum(log: FloatArray, counts: FloatArray, eta: float) -> tuple[FloatArray, ...]:
    """Give log of the sum of weights at one place, and mean and central moments of the counts."""
    tilted = log + counts * eta
    top = tilted.max(axis=-1, keepdims=True)
    weight = np.exp(tilted - top)
    total = weight.sum(axis=-1)
    mean = (weight * counts).sum(axis=-1) / total
    away = counts - mean[..., None]
    weight *= away**2
    return (
        top[..., 0] + np.log(total),
        mean,
        weight.sum(axis=-1) / total,
        (weight * away).sum(axis=-1) / total,
    )


def _pieces(values: list[FloatArray]) -> list[FloatArray]:
    """Give the coefficients of the polynomials that take values and derivatives at both ends of each cell."""
    scaled = [value * _GRID**order / factorial(order) for order, value in enumerate(values)]
    low, high = [part[..., :-1] for part in scaled], [part[..., 1:] for part in scaled]
    left = [high[k] - sum(comb(m, k) * low[m] for m in range(k, 4)) for k in range(4)]
    return low + [sum(row[k] * left[k] for k in range(4)) for row in _UPPER]


def log_choose(n: FloatArray, x: FloatArray) -> FloatArray:
    """Give the logarithm of the number of ways to choose x out of n."""
    return np.asarray(special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1))
