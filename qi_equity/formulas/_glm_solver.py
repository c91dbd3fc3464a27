"""Newton's method for generalised linear models with canonical links, in all strata at once."""

from __future__ import annotations

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._glm_input import Family, Regression
from qi_equity.formulas._slope_fit import Link, log, logit

LINKS: dict[Family, Link] = {
    "binomial": logit,
    "poisson": log,
    "gaussian": Link(np.asarray, np.asarray, np.ones_like, lambda eta: eta**2 / 2),
}

ROUNDS = 50
HALVINGS = 30
# Newton's method squares the distance to the solution: a step of this size ends at the rounding error.
NEAR = 1e-8
# Squared sine of the angle between a term and the others below which it is taken as one of them.
_SAME = 1e-12
# How far a direction may miss a sign, relative to its size, and still count as one without an end.
_SIGN = 1e-8


def predictor(design: FloatArray, coef: FloatArray) -> FloatArray:
    """Give the linear predictor, shape (K, T)."""
    if design.ndim == 2:
        return np.asarray(coef @ design.T)
    return np.asarray((design @ coef[..., np.newaxis])[..., 0])


def crossed(design: FloatArray, values: FloatArray) -> FloatArray:
    """Give the sum over periods of each term times a value, shape (K, P)."""
    if design.ndim == 2:
        return np.asarray(values @ design)
    return np.asarray((values[:, np.newaxis] @ design)[:, 0])


def information(design: FloatArray, weight: FloatArray) -> FloatArray:
    """Give the weighted products of the terms, summed over periods, shape (K, P, P)."""
    if design.ndim == 2:
        terms = design.shape[-1]
        products = (design[:, :, np.newaxis] * design[:, np.newaxis]).reshape(len(design), -1)
        return np.asarray((weight @ products).reshape(-1, terms, terms))
    return np.asarray(np.swapaxes(design * weight[..., np.newaxis], -1, -2) @ design)


def full_rank(gram: FloatArray, size: FloatArray | None = None) -> BoolArray:
    """Whether symmetric matrices of sums of products, shape (..., P, P), have full rank.

    Elimination leaves of each term the part that the earlier ones do not explain. It is judged by the size of
    the term: its sum of squares, or ``size``, shape (..., P), where a part has been taken from it before.
    """
    size = np.diagonal(gram, axis1=-2, axis2=-1) if size is None else size
    root = np.sqrt(np.where(size > 0, size, 1.0))
    left = gram / (root[..., np.newaxis] * root[..., np.newaxis, :])
    good = (size > 0).all(axis=-1)
    for i in range(gram.shape[-1]):
        pivot = left[..., i, i]
        good = good & (pivot > _SAME)
        row = left[..., i, :]
        share = row / np.where(pivot > _SAME, pivot, 1.0)[..., np.newaxis]
        left = left - row[..., :, np.newaxis] * share[..., np.newaxis, :]
    return np.asarray(good)


def solve(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Solve one set of equations in each stratum; NaN where it has no one solution."""
    try:
        return np.asarray(np.linalg.solve(matrix, vector[..., np.newaxis])[..., 0])
    except np.linalg.LinAlgError:
        good = full_rank(matrix)[..., np.newaxis, np.newaxis]
        safe = np.where(good, matrix, np.eye(matrix.shape[-1]))
        return np.where(good, np.linalg.solve(safe, vector[..., np.newaxis]), np.nan)[..., 0]


def inverse(matrix: FloatArray) -> FloatArray:
    """Invert the symmetric matrix of each stratum; NaN where there is no inverse."""
    good = full_rank(matrix)[..., np.newaxis, np.newaxis]
    inverted = np.linalg.inv(np.where(good, matrix, np.eye(matrix.shape[-1])))
    return np.where(good, (inverted + np.swapaxes(inverted, -1, -2)) / 2, np.nan)


def maximise(data: Regression, family: Family) -> tuple[FloatArray, BoolArray]:
    """Find the coefficients with the highest likelihood.

    Parameters
    ----------
    data : Regression
        K strata.
    family : str
        Distribution of the events.

    Returns
    -------
    coefficients : ndarray of float, shape (K, P)
        NaN where there is no one solution.
    separated : ndarray of bool, shape (K,)
        Whether the likelihood rises without end, though the terms can be told apart.
    """
    scale = np.abs(data.design).max(axis=-2)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = data._replace(design=data.design / scale[..., np.newaxis, :])
    with np.errstate(over="ignore", invalid="ignore"):
        coef, separated = _search(scaled, family)
    return coef / scale, separated


def _search(data: Regression, family: Family) -> tuple[FloatArray, BoolArray]:
    told_apart = full_rank(information(data.design, data.used.astype(np.float64)))
    inner, suspect = _bounded(data, family)
    coef = np.full((len(data.total), data.design.shape[-1]), np.nan)
    separated = np.zeros(len(coef), dtype=bool)
    moving, here = np.flatnonzero(told_apart), data.rows(told_apart)
    beta = _start(here, family)
    best = likelihood(here, predictor(here.design, beta), family)
    for _ in range(ROUNDS):
        if not len(moving):
            break
        step = _newton(here, beta, family)
        endless = np.zeros(len(moving), dtype=bool)
        doubt = suspect[moving]
        if doubt.any():
            endless[doubt] = _endless(here.rows(doubt), inner[moving[doubt]], step[doubt])
        lost = np.isnan(step).any(axis=-1)
        beta, best, near = _uphill(here, beta, step, best, family)
        coef[moving[near & ~endless]] = beta[near & ~endless]
        separated[moving[endless | (lost & doubt)]] = True
        left = ~(near | endless | lost)
        if not left.all():
            here, moving, beta, best = here.rows(left), moving[left], beta[left], best[left]
    separated[moving[suspect[moving]]] = True
    return coef, separated


def _bounded(data: Regression, family: Family) -> tuple[BoolArray, BoolArray]:
    """Mark periods with some but not all births affected, and strata whose terms these alone do not fix."""
    inner = data.used
    if family != "gaussian":
        inner = inner & (data.total > 0)
    if family == "binomial":
        inner = inner & (data.total < data.size)
    return inner, ~full_rank(information(data.design, inner.astype(np.float64)))


def _start(data: Regression, family: Family) -> FloatArray:
    """Fit weighted least squares to the observed rates, or one rate to all, whichever is more likely.

    The observed rates are drawn in a little from where they have no link.
    """
    link, n = LINKS[family], np.where(data.used, data.size, 1.0)
    if family == "gaussian":
        mean = data.total / n
    else:
        mean = (data.total + 0.5) / (n + 1) if family == "binomial" else (data.total + 0.1) / n
    spread = data.size * link.variance(mean)
    aim = spread * link.link(mean) + data.total - data.size * mean
    each = _squares(data, data.weight * spread, data.weight * aim)
    rate = (data.total.sum(axis=-1) + 0.5) / (data.size.sum(axis=-1) + 1)
    one = _squares(data, data.size, data.size * link.link(rate)[:, np.newaxis])
    likely = [likelihood(data, predictor(data.design, beta), family) for beta in (each, one)]
    return np.where((likely[0] >= likely[1])[:, np.newaxis], each, one)


def _squares(data: Regression, weight: FloatArray, aim: FloatArray) -> FloatArray:
    return solve(information(data.design, weight), crossed(data.design, aim))


def _newton(data: Regression, beta: FloatArray, family: Family) -> FloatArray:
    link = LINKS[family]
    mean = link.inverse(predictor(data.design, beta))
    score = crossed(data.design, data.weight * (data.total - data.size * mean))
    return solve(information(data.design, data.weight * data.size * link.variance(mean)), score)


def likelihood(data: Regression, eta: FloatArray, family: Family) -> FloatArray:
    """Give the log-likelihood of each stratum without its constants, shape (K,)."""
    terms = data.weight * (data.total * eta - data.size * LINKS[family].cumulant(eta))
    return np.asarray(np.where(data.used, terms, 0.0).sum(axis=-1))


def _uphill(
    data: Regression, beta: FloatArray, step: FloatArray, best: FloatArray, family: Family
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Take the step, halved where the likelihood would fall; say where it was too small to matter."""
    eta, move = predictor(data.design, beta), predictor(data.design, step)
    length = np.ones(len(beta))
    for _ in range(HALVINGS):
        reached = likelihood(data, eta + length[:, np.newaxis] * move, family)
        falls = ~(reached >= best - 1e-10 * np.abs(best))
        if not falls.any():
            break
        length = np.where(falls, length / 2, length)
    near = np.all(np.abs(np.where(data.used, move, 0.0)) <= NEAR * (1 + np.abs(eta)), axis=-1)
    return beta + length[:, np.newaxis] * step, reached, np.asarray(near)


def _endless(data: Regression, inner: BoolArray, step: FloatArray) -> BoolArray:
    """Whether the likelihood never falls along the step, once it leaves alone the periods within bounds.

    It rises without end where the predictor stays as it is in every period with some but not all births
    affected, does not rise where none is, does not fall where all are, and changes somewhere.
    """
    gram = information(data.design, inner.astype(np.float64))
    within = np.linalg.pinv(gram, rcond=_SAME, hermitian=True) @ gram
    back = (within @ step[..., np.newaxis])[..., 0]
    move = np.where(data.used, predictor(data.design, step - back), 0.0)
    before = np.abs(np.where(data.used, predictor(data.design, step), 0.0)).max(axis=-1)
    size = np.abs(move).max(axis=-1)
    slack = (_SIGN * size)[:, np.newaxis]
    none, every = data.total == 0, data.total == data.size
    allowed = inner | ~data.used | (none & (move <= slack)) | (~none & every & (move >= -slack))
    return np.asarray(allowed.all(axis=-1) & (size > 1e-6 * before) & (before > NEAR))
