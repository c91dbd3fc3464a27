"""Newton's method where strata have coefficients of their own and share some: in blocks, never one matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._glm_input import Family, Regression
from qi_equity.formulas._glm_solver import (
    HALVINGS,
    LINKS,
    NEAR,
    ROUNDS,
    crossed,
    full_rank,
    information,
    inverse,
    likelihood,
    predictor,
    solve,
)


class Blocks(NamedTuple):
    """The information of N sets of S strata, with the own coefficients eliminated.

    Parameters
    ----------
    own : ndarray of float, shape (N, S, P, P)
        Inverse information of the own coefficients, the shared ones given.
    link : ndarray of float, shape (N, S, P, Q)
        By how much the own coefficients fall as the shared ones rise.
    shared : ndarray of float, shape (N, Q, Q)
        Information of the shared coefficients, the own ones not given.
    size : ndarray of float, shape (N, Q)
        The same, the own ones given: what is not much smaller can be told apart from the own terms.
    """

    own: FloatArray
    link: FloatArray
    shared: FloatArray
    size: FloatArray


def blocks(data: Regression, weight: FloatArray, fitted: BoolArray, terms: int) -> Blocks:
    """Eliminate the own coefficients from the information.

    Parameters
    ----------
    data : Regression
        N times S strata; the first ``terms`` terms are their own.
    weight : ndarray of float, shape (N * S, T)
        Working weights.
    fitted : ndarray of bool, shape (N, S)
        Strata in the fit.
    terms : int
        Number P of own terms.
    """
    gram = information(data.design, weight).reshape(*fitted.shape, *(2 * data.design.shape[-1:]))
    inside = fitted[..., np.newaxis, np.newaxis]
    own = np.where(inside, gram[..., :terms, :terms], np.eye(terms))
    mixed = np.where(inside, gram[..., :terms, terms:], 0.0)
    both = np.where(inside, gram[..., terms:, terms:], 0.0).sum(axis=1)
    inverted = inverse(own)
    link = inverted @ mixed
    rest = both - (np.swapaxes(mixed, -1, -2) @ link).sum(axis=1)
    return Blocks(inverted, link, rest, np.diagonal(both, axis1=-2, axis2=-1))


def told_apart(data: Regression, fitted: BoolArray, terms: int) -> BoolArray:
    """Whether the shared terms can be told apart from one another and from the own ones, shape (N,)."""
    at_one = blocks(data, data.used.astype(np.float64), fitted, terms)
    return full_rank(at_one.shared, at_one.size)


def maximise_shared(
    data: Regression, family: Family, own: FloatArray, fitted: BoolArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Find own and shared coefficients of N sets of S strata.

    Parameters
    ----------
    data : Regression
        N times S strata; the first P terms are their own, the others shared.
    family : str
        Distribution of the events.
    own : ndarray of float, shape (N, S, P)
        Where the search starts.
    fitted : ndarray of bool, shape (N, S)
        Strata in the fit; the data of the others are zero.

    Returns
    -------
    own : ndarray of float, shape (N, S, P)
        Coefficients of each stratum.
    shared : ndarray of float, shape (N, Q)
        Coefficients of all strata of a set.
    found : ndarray of bool, shape (N,)
        Whether the search ended in a maximum.
    """
    terms = own.shape[-1]
    shared = np.zeros((len(own), data.design.shape[-1] - terms))
    best = likelihood(data, _eta(data, own, shared), family).reshape(fitted.shape).sum(axis=-1)
    found = np.zeros(len(own), dtype=bool)
    for _ in range(ROUNDS):
        own_step, shared_step = _step(data, family, _eta(data, own, shared), fitted, terms)
        eta, move = _eta(data, own, shared), _eta(data, own_step, shared_step)
        length, best = _length(data, eta, move, best, family, fitted.shape[1])
        small = np.abs(np.where(data.used, move, 0.0)) <= NEAR * (1 + np.abs(eta))
        found = found | small.all(axis=-1).reshape(fitted.shape).all(axis=-1)
        own = own + length[:, np.newaxis, np.newaxis] * own_step
        shared = shared + length[:, np.newaxis] * shared_step
        if found.all():
            break
    return own, shared, found


def _eta(data: Regression, own: FloatArray, shared: FloatArray) -> FloatArray:
    every = np.broadcast_to(shared[:, np.newaxis], (*own.shape[:-1], shared.shape[-1]))
    return predictor(
        data.design, np.concatenate([own, every], axis=-1).reshape(len(data.used), data.design.shape[-1])
    )


def _step(
    data: Regression, family: Family, eta: FloatArray, fitted: BoolArray, terms: int
) -> tuple[FloatArray, FloatArray]:
    link = LINKS[family]
    mean = link.inverse(eta)
    pieces = blocks(data, data.weight * data.size * link.variance(mean), fitted, terms)
    score = crossed(data.design, data.weight * (data.total - data.size * mean))
    score = score.reshape(*fitted.shape, score.shape[-1])
    alone = (pieces.own @ score[..., :terms, np.newaxis])[..., 0]
    passed = np.einsum("nspq,nsp->nq", pieces.link, score[..., :terms])
    shared = solve(pieces.shared, score[..., terms:].sum(axis=1) - passed)
    return alone - np.einsum("nspq,nq->nsp", pieces.link, shared), shared


def _length(
    data: Regression, eta: FloatArray, move: FloatArray, best: FloatArray, family: Family, strata: int
) -> tuple[FloatArray, FloatArray]:
    """Give how much of the step to take, halved where the likelihood of the set would fall."""
    length = np.ones(len(best))
    for _ in range(HALVINGS):
        part = np.repeat(length, strata)[:, np.newaxis]
        reached = likelihood(data, eta + part * move, family).reshape(len(best), strata).sum(axis=-1)
        falls = ~(reached >= best - 1e-10 * np.abs(best))
        if not falls.any():
            break
        length = np.where(falls, length / 2, length)
    return length, reached
