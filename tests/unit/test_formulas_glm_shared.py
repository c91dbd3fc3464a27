"""Shared terms beside own ones: against one large model with a column for each stratum."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.glm import fit_glm
from qi_equity.formulas.glm_shared import SharedFit, combination_variance, fit_glm_shared

TIME = np.arange(24)
OWN = np.stack([np.ones(24), TIME >= 12], axis=-1)
SHARED = np.stack([np.sin(TIME * np.pi / 6), np.cos(TIME * np.pi / 6), (TIME - 12) / 12], axis=-1)
KINDS = ["binomial", "poisson", "gaussian"]


def network(seed: int = 1, strata: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(30, 300, (strata, 24)).astype(np.float64)
    x = rng.binomial(n.astype(int), rng.uniform(0.05, 0.3, (strata, 1))).astype(np.float64)
    x[1, 5], n[2, [3, 4, 20]] = np.nan, np.nan
    return x, n


def large(
    x: np.ndarray, n: np.ndarray, own: np.ndarray, shared: np.ndarray, w: np.ndarray, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method on all coefficients at once: those of each stratum in turn, then the shared ones."""
    strata, p = len(x), own.shape[-1]
    rows = [(i, t) for i in range(strata) for t in range(24) if not np.isnan(x[i, t] + n[i, t] + w[i])]
    z = np.array([np.concatenate([np.kron(np.eye(strata)[i], own[i, t]), shared[i, t]]) for i, t in rows])
    y, size, weight = (np.array([a[i, t] for i, t in rows]) for a in (x, n, w[:, np.newaxis] + 0 * x))
    y = y * size if kind == "gaussian" else y
    beta = np.zeros(z.shape[1])
    beta[: strata * p : p] = 0.0 if kind == "gaussian" else -2.0
    for _ in range(40):
        eta = z @ beta
        mean = {"binomial": 1 / (1 + np.exp(-eta)), "poisson": np.exp(eta), "gaussian": eta}[kind]
        spread = {"binomial": mean * (1 - mean), "poisson": mean, "gaussian": np.ones_like(mean)}[kind]
        information = z.T @ (z * (weight * size * spread)[:, np.newaxis])
        beta = beta + np.linalg.solve(information, z.T @ (weight * (y - size * mean)))
    return beta, np.linalg.inv(information)


def check(fit: SharedFit, beta: np.ndarray, covariance: np.ndarray, strata: list[int]) -> None:
    """All of a fit of 2 own and 3 shared terms against the large model of these strata."""
    k = len(strata)
    assert fit.own_coef[strata] == pytest.approx(beta[: 2 * k].reshape(k, 2), rel=1e-10, abs=1e-13)
    assert fit.shared_coef == pytest.approx(beta[2 * k :], rel=1e-9, abs=1e-13)
    assert fit.shared_covariance == pytest.approx(covariance[2 * k :, 2 * k :], rel=1e-9, abs=1e-15)
    spread = fit.own_covariance + fit.link @ fit.shared_covariance @ np.swapaxes(fit.link, -1, -2)
    for j, i in enumerate(strata):
        place = slice(2 * j, 2 * j + 2)
        assert spread[i] == pytest.approx(covariance[place, place], rel=1e-9)
    g, h = np.array([0.3, 1.0]), np.array([-0.2, 0.4, 1.5])
    part, loading = combination_variance(fit, g, h)
    gradient = np.zeros((k, len(beta)))
    for j in range(k):
        gradient[j, 2 * j : 2 * j + 2], gradient[j, 2 * k :] = g, h
    joint = np.diag(part[strata]) + loading[strata] @ fit.shared_covariance @ loading[strata].T
    assert joint == pytest.approx(gradient @ covariance @ gradient.T, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("each", [False, True], ids=["one design", "own designs"])
def test_blocks_are_what_one_large_model_gives(kind: Any, each: bool) -> None:
    x, n = network()
    w = np.array([1.0, 0.4, 0.8, 0.6, 1.0])
    own, shared = (np.broadcast_to(a, (5, *a.shape)).copy() for a in (OWN, SHARED))
    if each:
        own[3, :, 1], shared[4, :, 2] = TIME >= 15, (TIME - 15) / 12
    given = (own, shared) if each else (OWN, SHARED)
    fit = fit_glm_shared(x, n, *given, family=kind, weights=w)
    check(fit, *large(x, n, own, shared, w, kind), strata=[0, 1, 2, 3, 4])
    known = ~np.isnan(x + n)
    assert (fit.used == known).all()
    assert fit.df.sum() == pytest.approx(known.sum() - 5 * 2 - 3)
    assert fit.df == pytest.approx(known.sum(axis=1) - 2 - 3 * known.sum(axis=1) / known.sum())
    eta = (own @ fit.own_coef[..., np.newaxis])[..., 0] + shared @ fit.shared_coef
    mean = {"binomial": 1 / (1 + np.exp(-eta)), "poisson": np.exp(eta), "gaussian": eta}[kind]
    assert fit.fitted == pytest.approx(mean, rel=1e-12)
    spread = {"binomial": mean * (1 - mean), "poisson": mean, "gaussian": 1.0}[kind]
    rest = n * ((x if kind == "gaussian" else x / n) - mean) ** 2 / spread
    assert fit.pearson == pytest.approx(np.nansum(rest, axis=1), rel=1e-9)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_one_large_model_of_statsmodels_agrees(kind: Any) -> None:
    sm = pytest.importorskip("statsmodels.api", reason="the second oracle of generalised linear models")
    x, n = network(seed=4)
    use = ~np.isnan(x + n)
    z = np.concatenate(
        [np.kron(np.eye(5), OWN), np.tile(SHARED, (5, 1))], axis=-1
    )[use.ravel()]  # fmt: skip
    if kind == "binomial":
        model = sm.GLM(np.stack([x[use], (n - x)[use]], axis=-1), z, family=sm.families.Binomial())
    else:
        model = sm.GLM(x[use], z, family=sm.families.Poisson(), exposure=n[use])
    other = model.fit(tol=1e-14)
    fit = fit_glm_shared(x, n, OWN, SHARED, family=kind)
    assert fit.own_coef.ravel() == pytest.approx(other.params[:10], rel=1e-9)
    assert fit.shared_coef == pytest.approx(other.params[10:], rel=1e-9)
    assert np.sqrt(np.diag(fit.shared_covariance)) == pytest.approx(other.bse[10:], rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_without_shared_terms_strata_are_fitted_apart(kind: Any) -> None:
    x, n = network()
    fit, apart = fit_glm_shared(x, n, OWN, SHARED[:, :0], family=kind), fit_glm(x, n, OWN, family=kind)
    assert fit.own_coef == pytest.approx(apart.coef, rel=1e-11)
    assert fit.own_covariance == pytest.approx(apart.covariance, rel=1e-11)
    assert fit.pearson == pytest.approx(apart.pearson, rel=1e-10)
    assert fit.df == pytest.approx(apart.df)
    assert fit.shared_coef.shape == (0,)
    assert fit.link.shape == (5, 2, 0)
    part, loading = combination_variance(fit, [0.0, 1.0], [])
    assert part == pytest.approx(apart.covariance[:, 1, 1], rel=1e-11)
    assert loading.shape == (5, 0)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_strata_without_a_fit_of_their_own_are_left_out(kind: Any) -> None:
    x, n = network()
    x[0], x[3, 12:], x[4] = 0, 0, np.nan
    fit = fit_glm_shared(x, n, OWN, SHARED, family=kind)
    assert np.isnan(fit.own_coef[:, 0]).tolist() == [True, False, False, True, True]
    kept = [1, 2]
    own, shared = (np.broadcast_to(a, (2, *a.shape)) for a in (OWN, SHARED))
    expected = large(x[kept], n[kept], own, shared, np.ones(2), kind)
    check(fit, *expected, strata=kept)
    for value in (fit.own_covariance[:, 0, 0], fit.link[:, 0, 0], fit.pearson, fit.df, fit.fitted[:, 0]):
        assert np.isnan(value).tolist() == [True, False, False, True, True]
    part, loading = combination_variance(fit, [0.0, 1.0], [0.0, 0.0, 0.0])
    assert np.isnan(part).tolist() == np.isnan(loading[:, 0]).tolist() == [True, False, False, True, True]
    assert fit.used[0].all()
    weighted = fit_glm_shared(x, n, OWN, SHARED, family=kind, weights=[1, 1, 1, 1, np.nan])
    assert weighted.shared_coef == pytest.approx(fit.shared_coef, rel=1e-12)


def test_sets_that_cannot_be_fitted_do_not_disturb_others() -> None:
    x, n = (np.broadcast_to(a, (5, 5, 24)).copy() for a in network())
    x[0] = 0
    shared = np.broadcast_to(SHARED, (5, 5, 24, 3)).copy()
    # The second set: a shared term that is constant. The third: one for a month without any event.
    shared[1, ..., 2] = 1
    x[2, :, 7], shared[2, ..., 2] = 0, TIME == 7
    x[3, 1:] = np.nan
    fit = fit_glm_shared(x, n, OWN, shared)
    assert np.isnan(fit.shared_coef).any(axis=-1).tolist() == [True, True, True, False, False]
    assert np.isnan(fit.shared_coef).all(axis=-1).tolist() == [True, True, True, False, False]
    for value in (fit.own_coef, fit.own_covariance, fit.shared_covariance, fit.link, fit.pearson, fit.fitted):
        assert np.isnan(value[:3]).all()
    assert np.isnan(fit.df[:3]).all()
    alone = fit_glm_shared(x[4], n[4], OWN, SHARED)
    assert fit.own_coef[4] == pytest.approx(alone.own_coef, rel=1e-12)
    assert fit.shared_covariance[4] == pytest.approx(alone.shared_covariance, rel=1e-12)
    # One stratum by itself: the shared terms are its own.
    joint = fit_glm(x[3, 0], n[3, 0], np.concatenate([OWN, SHARED], axis=-1))
    assert fit.shared_coef[3] == pytest.approx(joint.coef[2:], rel=1e-10)
    assert fit.shared_covariance[3] == pytest.approx(joint.covariance[2:, 2:], rel=1e-9)
    assert fit.df[3, 0] == joint.df
    empty = fit_glm_shared(np.empty((0, 5, 24)), 50, OWN, SHARED)
    assert empty.own_coef.shape == (0, 5, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_term_that_follows_from_others_but_for_rounding_is_not_fitted(kind: Any) -> None:
    x, n = network()
    parts = np.concatenate([OWN, SHARED[:, :2]], axis=-1)
    for mix in np.random.default_rng(8).normal(size=(10, 4)):
        mixed = np.concatenate([SHARED[:, :2], (parts @ mix)[:, np.newaxis]], axis=-1)
        for shared in (mixed, (OWN @ mix[:2])[:, np.newaxis]):
            fit = fit_glm_shared(x, n, OWN, shared, family=kind)
            assert np.isnan(fit.shared_coef).all()
            assert np.isnan(fit.own_coef).all()


def test_periods_are_left_out() -> None:
    x, n = network()
    shared = SHARED.copy()
    shared[7, 0] = np.nan
    fit = fit_glm_shared(x, n, OWN, shared, included=TIME != 16)
    assert np.flatnonzero(~fit.used[0]).tolist() == [7, 16]
    expected = fit_glm_shared(
        *(np.delete(a, [7, 16], axis=1) for a in (x, n)),
        *(np.delete(a, [7, 16], axis=0) for a in (OWN, SHARED)),
    )
    assert fit.shared_coef == pytest.approx(expected.shared_coef, rel=1e-10)
    assert fit.fitted[:, 8:16] == pytest.approx(expected.fitted[:, 7:15], rel=1e-10)
    assert np.isnan(fit.fitted[:, 7]).all()
    assert not np.isnan(fit.fitted[:, 16]).any()


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_a_step_that_is_too_long_is_halved(kind: Any) -> None:
    """A month of nothing but events makes Newton's whole steps run away here."""
    x, n = np.array([[588.0, 2, 2, 2, 0, 1]]), np.array([[588.0, 1453, 906, 2228, 1287, 1442]])
    shared = np.array([[-2.0, 2], [2, 1], [-1, -7], [73, 0], [18, -60], [1, -5]])
    fit = fit_glm_shared(x, n, np.ones((6, 1)), shared, family=kind)
    joint = fit_glm(x[0], n[0], np.concatenate([np.ones((6, 1)), shared], axis=-1), family=kind)
    assert fit.shared_coef == pytest.approx(joint.coef[1:], rel=1e-9)
    assert fit.own_coef[0] == pytest.approx(joint.coef[:1], rel=1e-9)


def test_a_thousand_strata_and_forty_shared_terms_need_no_large_matrix() -> None:
    """One design of all 2,200 coefficients would hold 0.45 GB, mostly zeros."""
    rng = np.random.default_rng(3)
    n = rng.integers(20, 400, (1080, 24))
    x, shared = rng.binomial(n, 0.1), rng.normal(size=(1080, 24, 40))
    begin = time.perf_counter()
    fit = fit_glm_shared(x, n, OWN, shared)
    assert time.perf_counter() - begin < 5
    assert np.abs(fit.shared_coef / np.sqrt(np.diag(fit.shared_covariance))).max() < 5


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (([1, 2], 5, [[1]] * 2, [[0], [1]]), {}, OptionError, r"events has one axis, time"),
        (([[1, 2]], 5, [1, 1], [[0], [1]]), {}, OptionError, r"own has shape \(2,\) and shared \(2, 1\)"),
        (([[1, 2]], 5, np.ones((2, 0)), [[0], [1]]), {}, OptionError, "at least one term"),
        (([[1, 2]], 5, [[1]] * 2, [[0]] * 3), {}, OptionError, "do not fit together; give the same strata"),
        (([[1, 2]], 5, [["a"]] * 2, [[0]] * 2), {}, InputTypeError, "own or shared cannot be read"),
        (([[1, 2]], 5, [[1]] * 2, [[0], [1]]), {"weights": "all"}, InputTypeError, "weights of type str"),
        (([[1, 2]], 5, [[1]] * 2, [[0], [1]]), {"weights": [0.0]}, OptionError, "weights holds 0.0"),
        (([[6, 2]], 5, [[1]] * 2, [[0], [1]]), {}, OptionError, "events holds 6.0"),
        (([[1, 2]], None, [[1]] * 2, [[0], [1]]), {}, OptionError, "size=None"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fit_glm_shared(*arguments, **options)


def test_gradients_must_have_a_number_for_each_term() -> None:
    fit = fit_glm_shared(*network(), OWN, SHARED)
    with pytest.raises(OptionError, match=r"own_gradient has shape \(3,\) .* give 2 and 3 numbers"):
        combination_variance(fit, [1, 0, 0], [0, 0, 0])
    with pytest.raises(InputTypeError, match="own_gradient or shared_gradient cannot be read"):
        combination_variance(fit, ["level", "change"], [0, 0, 0])
