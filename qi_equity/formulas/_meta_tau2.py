"""Estimators of the variance between sites, for every set of sites at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._interval_parts import edge

Tau2 = Literal["reml", "dl", "pm", "ml", "eb", "he", "fixed"]
METHODS: tuple[Tau2, ...] = ("reml", "dl", "pm", "ml", "eb", "he", "fixed")

# Places at which a likelihood is looked at before its maximum is found between two of them.
_PLACES = 48
_NEWTON_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Effects and variances of sites, shape (..., k), with zeros where a site has no estimate."""

    effects: FloatArray
    variances: FloatArray
    known: BoolArray

    @property
    def k(self) -> FloatArray:
        """Number of sites with an estimate."""
        return np.asarray(self.known.sum(axis=-1), dtype=np.float64)

    def weights(self, tau2: FloatArray) -> FloatArray:
        """Give 1 / (v + tau2), 0 where a site has no estimate."""
        total = np.where(self.known, self.variances + tau2[..., None], 1.0)
        return np.where(self.known, 1 / total, 0.0)

    def mean(self, weights: FloatArray) -> FloatArray:
        """Give the weighted mean."""
        return np.asarray((weights * self.effects).sum(axis=-1) / weights.sum(axis=-1))

    def residuals(self, weights: FloatArray) -> FloatArray:
        """Give the distances from the weighted mean, 0 where a site has no estimate."""
        return np.where(self.known, self.effects - self.mean(weights)[..., None], 0.0)

    def q(self, tau2: FloatArray) -> FloatArray:
        """Give the weighted sum of squares about the weighted mean."""
        w = self.weights(tau2)
        return np.asarray((w * self.residuals(w) ** 2).sum(axis=-1))

    @property
    def spread(self) -> FloatArray:
        """Unweighted variance of the effects."""
        return np.asarray((self.residuals(self.known.astype(np.float64)) ** 2).sum(axis=-1) / (self.k - 1))

    @property
    def typical(self) -> FloatArray:
        """Typical variance within sites, of Higgins and Thompson."""
        w = self.weights(np.zeros(self.k.shape))
        return (self.k - 1) / trace_of_projection(w)


def trace_of_projection(weights: FloatArray) -> FloatArray:
    """Give the trace of W - W 1 (1'W 1)^-1 1'W."""
    total = weights.sum(axis=-1)
    return np.asarray(total - (weights**2).sum(axis=-1) / total)


def estimate_tau2(sites: Sites, method: Tau2) -> tuple[FloatArray, FloatArray]:
    """Give the variance between sites, cut at 0, and its standard error; NaN with fewer than two sites."""
    tau2 = np.where(sites.k > 1, np.maximum(_ESTIMATORS[method](sites), 0.0), np.nan)
    return tau2, np.where(sites.k > 1, _standard_error(sites, method, np.nan_to_num(tau2)), np.nan)


def solve_q(sites: Sites, target: FloatArray) -> FloatArray:
    """Give the variance between sites at which Q equals the target; 0 where Q is below it without any.

    Q falls and is convex, so that Newton's steps from 0 come to the root from below and cannot miss it.
    """
    tau2 = np.zeros(sites.k.shape)
    for _ in range(_NEWTON_STEPS):
        w = sites.weights(tau2)
        squares = sites.residuals(w) ** 2
        step = ((w * squares).sum(axis=-1) - target) / np.maximum((w**2 * squares).sum(axis=-1), 1e-300)
        following = tau2 + np.maximum(np.nan_to_num(step), 0.0)
        if np.all(following - tau2 <= 1e-15 * tau2):
            break
        tau2 = following
    return tau2


def _dl(sites: Sites) -> FloatArray:
    zero = np.zeros(sites.k.shape)
    return np.asarray((sites.q(zero) - (sites.k - 1)) / trace_of_projection(sites.weights(zero)))


def _he(sites: Sites) -> FloatArray:
    return np.asarray(sites.spread - sites.variances.sum(axis=-1) / sites.k)


def _pm(sites: Sites) -> FloatArray:
    return solve_q(sites, sites.k - 1)


def _fixed(sites: Sites) -> FloatArray:
    return np.zeros(sites.k.shape)


def _reml(sites: Sites) -> FloatArray:
    return _highest(sites, restricted=True)


def _ml(sites: Sites) -> FloatArray:
    return _highest(sites, restricted=False)


_ESTIMATORS: dict[Tau2, Callable[[Sites], FloatArray]] = {
    "reml": _reml,
    "ml": _ml,
    "dl": _dl,
    "pm": _pm,
    "eb": _pm,
    "he": _he,
    "fixed": _fixed,
}


def _score(sites: Sites, tau2: FloatArray, restricted: bool) -> FloatArray:
    """Give twice the slope of the log likelihood."""
    w = sites.weights(tau2)
    trace = trace_of_projection(w) if restricted else w.sum(axis=-1)
    return np.asarray((w**2 * sites.residuals(w) ** 2).sum(axis=-1) - trace)


def _log_likelihood(sites: Sites, tau2: FloatArray, restricted: bool) -> FloatArray:
    """Give twice the log likelihood, less what does not depend on the variance."""
    w = sites.weights(tau2)
    log = np.where(sites.known, np.log(np.where(sites.known, w, 1.0)), 0.0).sum(axis=-1)
    log = log - (w * sites.residuals(w) ** 2).sum(axis=-1)
    return np.asarray(log - np.log(w.sum(axis=-1)) if restricted else log)


def _highest(sites: Sites, *, restricted: bool) -> FloatArray:
    """Find the highest likelihood over all values: the best of many places, then the root of the slope there.

    No maximum lies above ten times the largest variance or twice the variance of the effects: there all
    weights are nearly equal and the slope is negative.
    """
    largest = np.where(sites.known, sites.variances, 0.0).max(axis=-1)
    most = 10 * largest + 2 * np.nan_to_num(sites.spread)
    most = np.where(sites.k > 1, most, 1.0)
    places = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, _PLACES)])
    heights = np.stack([_log_likelihood(sites, most * place, restricted) for place in places])
    best = heights.argmax(axis=0)
    below, above = most * places[np.maximum(best - 1, 0)], most * places[np.minimum(best + 1, _PLACES)]
    found = edge(below, above, lambda tau2: -_score(sites, tau2, restricted))
    falls_from_0 = (best == 0) & (_score(sites, np.zeros(best.shape), restricted) <= 0)
    return np.where(falls_from_0, 0.0, found)


def _standard_error(sites: Sites, method: Tau2, tau2: FloatArray) -> FloatArray:
    """Give the standard error from the expected information, or the variance of the moment estimator."""
    w, k = sites.weights(tau2), sites.k
    if method == "fixed":
        return np.full(k.shape, np.nan)
    if method == "ml":
        return np.asarray(np.sqrt(2 / (w**2).sum(axis=-1)))
    if method == "reml":
        return np.asarray(np.sqrt(2 / _squared_projection(w)))
    if method in ("pm", "eb"):
        return np.asarray(np.sqrt(2 * k**2 / (k - 1)) / w.sum(axis=-1))
    fixed = sites.weights(np.zeros(k.shape)) if method == "dl" else sites.known.astype(np.float64)
    trace, squared = trace_of_projection(fixed), _squared_projection(fixed)
    return np.asarray(
        np.sqrt(2 * (_within(sites, fixed) + 2 * tau2 * _once(sites, fixed) + tau2**2 * squared)) / trace
    )


def _squared_projection(w: FloatArray) -> FloatArray:
    """Give the trace of P P with P = W - W 1 (1'W 1)^-1 1'W."""
    total = w.sum(axis=-1)
    return np.asarray(
        (w**2).sum(axis=-1) - 2 * (w**3).sum(axis=-1) / total + ((w**2).sum(axis=-1) / total) ** 2
    )


def _within(sites: Sites, w: FloatArray) -> FloatArray:
    """Give the trace of P V P V."""
    v, total = sites.variances, w.sum(axis=-1)
    once, twice = (w**2 * v).sum(axis=-1), (w**3 * v**2).sum(axis=-1)
    return np.asarray((w**2 * v**2).sum(axis=-1) - 2 * twice / total + (once / total) ** 2)


def _once(sites: Sites, w: FloatArray) -> FloatArray:
    """Give the trace of P V P."""
    v, total = sites.variances, w.sum(axis=-1)
    squares, cubes = (w**2).sum(axis=-1), (w**3 * v).sum(axis=-1)
    return np.asarray(
        (w**2 * v).sum(axis=-1) - 2 * cubes / total + squares * (w**2 * v).sum(axis=-1) / total**2
    )
