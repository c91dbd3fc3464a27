"""What must hold of regressions whatever the counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.formulas.ar1 import fit_ar1
from qi_equity.formulas.glm import GlmFit, fit_glm
from qi_equity.formulas.glm_shared import fit_glm_shared
from qi_equity.formulas.robust_covariance import newey_west_covariance, sandwich_covariance

PERIODS = 10
TIME = np.arange(PERIODS)
LEVEL = np.stack([np.ones(PERIODS), TIME >= 5], axis=-1)
TREND = np.concatenate([LEVEL, ((TIME - 5) / 12)[:, np.newaxis]], axis=-1)
KIND = st.sampled_from(["binomial", "poisson"])
SEED = st.integers(0, 10**6)
# Few births, so that phases without an event or with nothing else are among the draws.
MOST = st.sampled_from([2, 6, 30, 400])


def counts(seed: int, most: int, strata: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events, births and a mask of periods with something in each phase."""
    rng = np.random.default_rng(seed)
    n = rng.integers(0, most + 1, (strata, PERIODS))
    x = rng.binomial(n, rng.uniform(0.02, 0.9, (strata, 1)))
    return x.astype(np.float64), n.astype(np.float64), rng.random((strata, PERIODS)) < 0.3


def same(one: GlmFit, other: GlmFit, rel: float = 1e-8) -> None:
    """Two fits of one thing; where there is none, neither has one."""
    assert one.separated.tolist() == other.separated.tolist()
    for name in ("coef", "covariance", "pearson", "deviance", "df"):
        a, b = getattr(one, name), getattr(other, name)
        assert a == pytest.approx(b, rel=rel, abs=1e-9, nan_ok=True), name


@given(SEED, MOST, KIND)
def test_order_of_strata_and_company_do_not_matter(seed: int, most: int, kind: Any) -> None:
    x, n, _ = counts(seed, most)
    fit, back = fit_glm(x, n, TREND, family=kind), fit_glm(x[::-1], n[::-1], TREND, family=kind)
    assert fit.coef == pytest.approx(back.coef[::-1], rel=1e-9, abs=1e-12, nan_ok=True)
    alone = fit_glm(x[1], n[1], TREND, family=kind)
    assert fit.coef[1] == pytest.approx(alone.coef, rel=1e-9, abs=1e-12, nan_ok=True)
    assert fit.separated[1] == alone.separated


@given(SEED, MOST, KIND)
def test_order_of_periods_does_not_matter(seed: int, most: int, kind: Any) -> None:
    x, n, _ = counts(seed, most)
    place = np.random.default_rng(seed).permutation(PERIODS)
    same(fit_glm(x, n, TREND, family=kind), fit_glm(x[:, place], n[:, place], TREND[place], family=kind))


@given(SEED, MOST, KIND)
def test_a_missing_period_is_one_that_is_not_there(seed: int, most: int, kind: Any) -> None:
    x, n, gone = counts(seed, most)
    gone = gone[0]
    without = fit_glm(x[:, ~gone], n[:, ~gone], TREND[~gone], family=kind)
    same(without, fit_glm(np.where(gone, np.nan, x), n, TREND, family=kind), rel=1e-8)
    same(without, fit_glm(x, n, TREND, family=kind, included=~gone), rel=1e-8)
    same(without, fit_glm(x, np.where(gone, np.nan, n), TREND, family=kind), rel=1e-8)


@given(SEED, MOST)
def test_counting_the_births_without_the_event_turns_every_sign(seed: int, most: int) -> None:
    x, n, _ = counts(seed, most)
    fit, other = fit_glm(x, n, TREND), fit_glm(n - x, n, TREND)
    assert fit.coef == pytest.approx(-other.coef, rel=1e-7, abs=1e-8, nan_ok=True)
    assert fit.covariance == pytest.approx(other.covariance, rel=1e-7, abs=1e-9, nan_ok=True)
    assert fit.separated.tolist() == other.separated.tolist()
    assert fit.deviance == pytest.approx(other.deviance, rel=1e-8, abs=1e-9, nan_ok=True)


@given(SEED, MOST, st.floats(0.01, 1000))
def test_another_unit_of_exposure_moves_the_first_term_alone(seed: int, most: int, unit: float) -> None:
    x, n, _ = counts(seed, most)
    fit, other = fit_glm(x, n, LEVEL, family="poisson"), fit_glm(x, n * unit, LEVEL, family="poisson")
    shift = np.array([np.log(unit), 0.0])
    assert other.coef + shift == pytest.approx(fit.coef, rel=1e-8, abs=1e-9, nan_ok=True)
    assert other.covariance == pytest.approx(fit.covariance, rel=1e-8, nan_ok=True)
    assert other.deviance == pytest.approx(fit.deviance, rel=1e-8, abs=1e-9, nan_ok=True)


@given(SEED, MOST, KIND, st.integers(2, 50))
def test_so_many_times_the_data_leave_so_much_less_variance(seed: int, most: int, kind: Any, k: int) -> None:
    x, n, _ = counts(seed, most)
    fit, other = fit_glm(x, n, LEVEL, family=kind), fit_glm(k * x, k * n, LEVEL, family=kind)
    assert other.coef == pytest.approx(fit.coef, rel=1e-8, abs=1e-9, nan_ok=True)
    assert k * other.covariance == pytest.approx(fit.covariance, rel=1e-8, nan_ok=True)
    weighted = fit_glm(x, n, LEVEL, family=kind, weights=float(k))
    assert weighted.covariance == pytest.approx(other.covariance, rel=1e-8, nan_ok=True)
    assert weighted.pearson == pytest.approx(other.pearson, rel=1e-7, abs=1e-9, nan_ok=True)


@given(SEED, MOST, KIND)
def test_a_level_in_each_phase_is_the_rate_of_each_phase(seed: int, most: int, kind: Any) -> None:
    x, n, _ = counts(seed, most)
    fit = fit_glm(x, n, LEVEL, family=kind)
    for phase in (slice(0, 5), slice(5, 10)):
        events, births = x[:, phase].sum(axis=1), n[:, phase].sum(axis=1)
        expected = np.where(np.isnan(fit.coef[:, 0]), np.nan, events / np.maximum(births, 1))
        assert fit.fitted[:, phase.start] == pytest.approx(expected, rel=1e-10, nan_ok=True)
    x, n = (a.reshape(3, 2, 5).sum(axis=-1) for a in (x, n))
    none, every = (x == 0).any(axis=1), ((x == n) & (n > 0)).any(axis=1)
    unfit = none | (every & (kind == "binomial"))
    assert np.isnan(fit.coef[:, 0]).tolist() == unfit.tolist()
    assert fit.separated.tolist() == (unfit & (n > 0).all(axis=1)).tolist()


@given(SEED, MOST, KIND, st.integers(0, 6))
def test_robust_covariances_are_covariances(seed: int, most: int, kind: Any, lag: int) -> None:
    x, n, _ = counts(seed, most)
    fit = fit_glm(x, n, TREND, family=kind)
    found = ~np.isnan(fit.coef[:, 0])
    for covariance in (
        sandwich_covariance(fit, x, n, TREND, kind="HC0", family=kind),
        newey_west_covariance(fit, x, n, TREND, lag=lag, family=kind),
    ):
        assert (~np.isnan(covariance[:, 0, 0])).tolist() == found.tolist()
        size = np.linalg.eigvalsh(covariance[found])
        assert (size >= -1e-9 * np.abs(size).max(initial=1e-300)).all()


@given(SEED, st.floats(-3000, 3000), st.floats(0.01, 100), st.sampled_from(["reml", "ml"]))
def test_unit_and_origin_of_means_do_not_change_their_correlation(
    seed: int, shift: float, unit: float, method: Any
) -> None:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random((3, 20)) < 0.15, np.nan, rng.normal(30, 2, (3, 20)))
    z = np.stack([np.ones(20), np.arange(20) >= 10], axis=-1)
    one, other = fit_ar1(y, z, method=method), fit_ar1(unit * (y + shift), z, method=method)
    assert other.rho == pytest.approx(one.rho, abs=1e-6, nan_ok=True)
    assert other.coef[:, 1] == pytest.approx(unit * one.coef[:, 1], rel=1e-5, abs=1e-5 * unit, nan_ok=True)
    assert other.sigma == pytest.approx(unit * one.sigma, rel=1e-4, nan_ok=True)
    # Backwards, the errors follow on one another as they do forwards.
    back = fit_ar1(y[:, ::-1], z[::-1], method=method)
    assert back.rho == pytest.approx(one.rho, abs=1e-6, nan_ok=True)
    assert back.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9, nan_ok=True)
    # Periods before the first value and after the last are not there.
    wide = np.pad(y, ((0, 0), (2, 3)), constant_values=np.nan)
    padded = fit_ar1(wide, np.pad(z, ((2, 3), (0, 0))), method=method)
    assert padded.rho == pytest.approx(one.rho, abs=1e-9, nan_ok=True)
    assert padded.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-11, nan_ok=True)


@given(SEED, st.sampled_from([6, 30, 400]), KIND)
def test_order_of_strata_does_not_matter_to_what_they_share(seed: int, most: int, kind: Any) -> None:
    x, n, gone = counts(seed, most, strata=6)
    x = np.where(gone, np.nan, x)
    own, shared = TREND[:, :2], TREND[:, 2:]
    fit, back = (fit_glm_shared(a, b, own, shared, family=kind) for a, b in ((x, n), (x[::-1], n[::-1])))
    assert fit.shared_coef == pytest.approx(back.shared_coef, rel=1e-7, abs=1e-8, nan_ok=True)
    assert fit.shared_covariance == pytest.approx(back.shared_covariance, rel=1e-7, nan_ok=True)
    assert fit.own_coef == pytest.approx(back.own_coef[::-1], rel=1e-7, abs=1e-8, nan_ok=True)
    assert fit.df == pytest.approx(back.df[::-1], nan_ok=True)
    apart = fit_glm(x, n, own, family=kind)
    if not np.isnan(fit.shared_coef).any():
        assert (np.isnan(fit.own_coef[:, 0]) == np.isnan(apart.coef[:, 0])).all()
