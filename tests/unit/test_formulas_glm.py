"""Regression in all strata: against loops of Newton's method, statsmodels and linear programmes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.glm import fit_glm

TIME = np.arange(24)
AFTER = (TIME >= 12).astype(np.float64)
LEVEL = np.stack([np.ones(24), AFTER], axis=-1)
TREND = np.stack([np.ones(24), (TIME - 12) / 12, AFTER, AFTER * (TIME - 12) / 12], axis=-1)


def network(seed: int = 1, strata: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(8, 300, (strata, 24)).astype(np.float64)
    x = rng.binomial(n.astype(int), rng.uniform(0.03, 0.3, (strata, 1))).astype(np.float64)
    return x, n


def newton(x: np.ndarray, n: np.ndarray, z: np.ndarray, w: np.ndarray, kind: str) -> tuple[np.ndarray, ...]:
    """One stratum by Newton's method, and the inverse information at its end."""
    beta = np.zeros(z.shape[1])
    beta[0] = {"binomial": np.log(x.sum() / (n - x).sum()), "poisson": np.log(x.sum() / n.sum())}[kind]
    for _ in range(60):
        eta = z @ beta
        mean = 1 / (1 + np.exp(-eta)) if kind == "binomial" else np.exp(eta)
        spread = n * mean * ((1 - mean) if kind == "binomial" else 1)
        information = z.T @ (z * (w * spread)[:, np.newaxis])
        beta = beta + np.linalg.solve(information, z.T @ (w * (x - n * mean)))
    return beta, np.linalg.inv(information)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
@pytest.mark.parametrize("design", [LEVEL, TREND], ids=["level", "trend"])
def test_each_stratum_is_what_a_loop_gives(kind: Any, design: np.ndarray) -> None:
    x, n = network()
    x[2, 5], n[3, 7], n[4, 8], x[4, 8] = np.nan, np.nan, 0, 0
    included = np.ones((12, 24), dtype=bool)
    included[:6, 12:14] = False
    w = np.random.default_rng(3).uniform(0.3, 1.2, (12, 24))
    w[5, 0] = np.nan
    fit = fit_glm(x, n, design, family=kind, included=included, weights=w)
    for i in range(12):
        use = included[i] & ~np.isnan(x[i] + n[i] + w[i]) & (n[i] > 0)
        beta, inverse = newton(x[i, use], n[i, use], design[use], w[i, use], kind)
        assert fit.coef[i] == pytest.approx(beta, rel=1e-11)
        assert fit.covariance[i] == pytest.approx(inverse, rel=1e-10)
        assert fit.used[i].tolist() == use.tolist()
        assert fit.df[i] == use.sum() - design.shape[1]


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_each_stratum_is_what_statsmodels_gives(kind: Any) -> None:
    sm = pytest.importorskip("statsmodels.api", reason="the second oracle of generalised linear models")
    x, n = network(seed=7)
    fit = fit_glm(x, n, TREND, family=kind)
    for i in range(len(x)):
        if kind == "binomial":
            model = sm.GLM(np.stack([x[i], n[i] - x[i]], axis=-1), TREND, family=sm.families.Binomial())
        else:
            model = sm.GLM(x[i], TREND, family=sm.families.Poisson(), exposure=n[i])
        other = model.fit(tol=1e-14)
        assert fit.coef[i] == pytest.approx(other.params, rel=1e-9)
        assert np.sqrt(np.diagonal(fit.covariance[i])) == pytest.approx(other.bse, rel=1e-7)
        assert fit.pearson[i] == pytest.approx(other.pearson_chi2, rel=1e-9)
        assert fit.deviance[i] == pytest.approx(other.deviance, rel=1e-9)
        assert fit.log_likelihood[i] == pytest.approx(other.llf, rel=1e-9)
        assert fit.aic[i] == pytest.approx(other.aic, rel=1e-9)


def test_means_are_weighted_least_squares() -> None:
    rng = np.random.default_rng(5)
    y, n, w = rng.normal(3000, 200, 24), rng.integers(1, 40, 24).astype(float), rng.uniform(0.5, 2, 24)
    fit = fit_glm(y, n, TREND, family="gaussian", weights=w)
    root = np.sqrt(n * w)
    beta, squares, *_ = np.linalg.lstsq(TREND * root[:, np.newaxis], y * root, rcond=None)
    assert fit.coef == pytest.approx(beta, rel=1e-11)
    assert float(fit.pearson) == pytest.approx(float(squares[0]), rel=1e-10)
    assert float(fit.dispersion) == pytest.approx(float(squares[0]) / 20, rel=1e-10)
    density = (
        -0.5 * np.log(2 * np.pi * squares[0] / 24 / (n * w))
        - 0.5 * 24 * n * w * (y - TREND @ beta) ** 2 / squares[0]
    )
    assert float(fit.log_likelihood) == pytest.approx(density.sum(), rel=1e-11)
    plain = fit_glm(y, None, TREND, family="gaussian")
    assert plain.coef == pytest.approx(np.linalg.lstsq(TREND, y, rcond=None)[0], rel=1e-11)


def endless(x: np.ndarray, n: np.ndarray, z: np.ndarray, kind: str) -> bool:
    """Whether some direction never lowers the likelihood, by a linear programme (Albert, Anderson 1984)."""
    none, every = x == 0, (x == n) & (kind == "binomial")
    inner = ~none & ~every
    bounds = np.concatenate([z[none], -z[every]])
    rise = z[none].sum(axis=0) - z[every].sum(axis=0)
    found = linprog(
        rise, bounds, np.zeros(len(bounds)), z[inner], np.zeros(inner.sum()), bounds=[(-1, 1)] * z.shape[1]
    )
    return bool(found.fun < -1e-7)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_no_maximum_is_found_exactly_where_there_is_none(kind: Any) -> None:
    rng, seen = np.random.default_rng(11), []
    for i in range(150):
        periods, terms = int(rng.integers(4, 9)), int(rng.integers(1, 4))
        z = [rng.normal(size=(periods, terms)), rng.integers(-1, 2, (periods, terms)).astype(float)][i % 2]
        z[:, 0] = 1
        n = rng.integers(1, 5, periods)
        x = rng.binomial(n, rng.choice([0.05, 0.3, 0.9]))
        if np.linalg.matrix_rank(z) < terms:
            continue
        fit = fit_glm(x, n, z, family=kind)
        seen.append(endless(x, n, z, kind))
        assert bool(fit.separated) is seen[-1]
        assert np.isnan(fit.coef).all() == seen[-1]
    assert 20 < sum(seen) < len(seen) - 20


@pytest.mark.parametrize(
    ("events", "kind", "separated"),
    [
        ([3, 2, 4, 0, 0, 0], "binomial", True),
        ([3, 2, 4, 0, 0, 0], "poisson", True),
        ([0, 0, 0, 0, 0, 0], "binomial", True),
        ([9, 9, 9, 4, 2, 3], "binomial", True),
        ([9, 9, 9, 4, 2, 3], "poisson", False),
        ([0, 0, 0, 9, 8, 0], "binomial", True),
        ([0, 0, 0, 0, 0, 0], "gaussian", False),
        ([3, 0, 4, 0, 1, 0], "binomial", False),
    ],
)
def test_a_phase_without_any_event_or_with_nothing_else(
    events: list[int], kind: Any, separated: bool
) -> None:
    fit = fit_glm([events, [3, 2, 4, 1, 2, 1]], 9, LEVEL[[0, 1, 2, 12, 13, 14]], family=kind)
    assert fit.separated.tolist() == [separated, False]
    assert np.isnan(fit.coef[0]).all() == separated
    for value in (
        fit.pearson,
        fit.deviance,
        fit.log_likelihood,
        fit.covariance[..., 0, 0],
        fit.fitted[..., 0],
    ):
        assert np.isnan(value[0]) == separated
        assert not np.isnan(value[1])
    assert fit.df.tolist() == [4, 4]


def test_nothing_to_fit_is_nan_and_not_an_error() -> None:
    x = np.full((4, 24), np.nan)
    x[1, :12], x[2, 0], x[3] = 3, 3, 3
    fit = fit_glm(x, 50, LEVEL)
    assert np.isnan(fit.coef).all(axis=-1).tolist() == [True, True, True, False]
    assert np.isnan(fit.pearson).tolist() == [True, True, True, False]
    assert np.isnan(fit.log_likelihood).tolist() == [True, True, True, False]
    assert not fit.separated.any()
    assert fit.df.tolist() == [-2, 10, -1, 22]
    assert np.isnan(fit.dispersion[:3]).all()
    assert fit_glm(np.empty((0, 24)), 50, LEVEL).coef.shape == (0, 2)
    assert fit_glm(np.empty((0, 24)), 50, np.empty((0, 24, 2))).coef.shape == (0, 2)


def test_as_many_terms_as_periods_leave_nothing_to_judge_dispersion_by() -> None:
    fit = fit_glm([5, 9], [50, 60], [[1, 0], [1, 1]])
    assert fit.fitted == pytest.approx([0.1, 0.15], rel=1e-12)
    assert float(fit.df) == 0
    assert np.isnan(fit.dispersion)
    assert float(fit.deviance) == pytest.approx(0, abs=1e-12)


def test_terms_that_follow_from_others_are_not_fitted() -> None:
    x, n = network()
    twice = np.concatenate([TREND, TREND[:, 1:2] + 3 * TREND[:, :1]], axis=-1)
    fit = fit_glm(x, n, twice)
    assert np.isnan(fit.coef).all()
    assert not fit.separated.any()
    assert np.isnan(fit_glm(x, n, np.stack([np.ones(24), np.zeros(24)], axis=-1)).coef).all()
    # Three periods cannot hold four terms.
    assert np.isnan(fit_glm(x, n, TREND, included=TIME < 3).coef).all()


def test_time_counted_from_the_change_or_from_the_start_is_one_fit_but_another_level() -> None:
    """The trap of segmented regression: a product with time since the start moves the level (PMC8271192)."""
    x, n = network()
    from_start = TREND.copy()
    from_start[:, 3] = AFTER * (TIME + 1) / 12
    centred, other = fit_glm(x, n, TREND), fit_glm(x, n, from_start)
    assert other.fitted == pytest.approx(centred.fitted, rel=1e-10)
    assert other.coef[:, 3] == pytest.approx(centred.coef[:, 3], rel=1e-9)
    assert other.coef[:, 2] + other.coef[:, 3] * 13 / 12 == pytest.approx(centred.coef[:, 2], rel=1e-8)
    assert np.abs(other.coef[:, 2] - centred.coef[:, 2]).max() > 0.1


def test_periods_left_out_are_fitted_where_the_design_says_what_they_would_be() -> None:
    design = LEVEL.copy()
    design[3] = np.nan
    x, n = network()
    x[:, 5] = np.nan
    fit = fit_glm(x, n, design, included=TIME != 20)
    assert np.isnan(fit.fitted[:, 3]).all()
    assert fit.fitted[:, 5] == pytest.approx(fit.fitted[:, 4])
    assert fit.fitted[:, 20] == pytest.approx(fit.fitted[:, 21])
    assert not fit.used[:, [3, 5, 20]].any()
    assert fit.fitted[:, 0] == pytest.approx(
        np.nansum(np.where(fit.used, x, 0)[:, :12], axis=1) / np.where(fit.used, n, 0)[:, :12].sum(axis=1)
    )


def test_leading_axes_stretch_and_each_stratum_may_have_its_own_design() -> None:
    x, n = network()
    starts = np.arange(6, 18)
    own = np.stack([np.ones((12, 24)), starts[:, np.newaxis] <= TIME], axis=-1)
    together = fit_glm(x.reshape(3, 4, 24), n.reshape(3, 4, 24), own.reshape(3, 4, 24, 2), family="poisson")
    assert together.coef.shape == (3, 4, 2)
    assert together.covariance.shape == (3, 4, 2, 2)
    assert together.separated.shape == together.df.shape == (3, 4)
    for i in range(12):
        alone = fit_glm(x[i], n[i], own[i], family="poisson")
        assert alone.coef.shape == (2,)
        assert together.coef.reshape(12, 2)[i] == pytest.approx(alone.coef, rel=1e-12)
    designs = fit_glm(x[0], n[0], own, family="poisson")
    assert designs.coef.shape == (12, 2)
    assert designs.coef[4] == pytest.approx(fit_glm(x[0], n[0], own[4], family="poisson").coef, rel=1e-12)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_steep_and_large_series_are_fitted_too(kind: Any) -> None:
    """A maximum far out is a maximum: two months fix both terms, ten without an event follow them."""
    x = np.array([1000, 10] + [0] * 10)
    trend = np.stack([np.ones(12), np.arange(12)], axis=-1)
    steep = fit_glm(x, 5000, trend, family=kind)
    assert not steep.separated
    assert trend.T @ (5000 * steep.fitted) == pytest.approx(trend.T @ x, rel=1e-12)
    assert steep.fitted[11] < 1e-18
    large = fit_glm(np.array([1, 2, 3, 4]) * 1e9, 1e10, [[1, 0], [1, 0], [1, 1], [1, 1]], family=kind)
    assert large.fitted == pytest.approx([0.15, 0.15, 0.35, 0.35], rel=1e-12)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_a_step_that_is_too_long_is_halved(kind: Any) -> None:
    """A month of nothing but events makes Newton's whole steps run away here."""
    x, n = np.array([824, 26, 2, 22, 0, 14]), np.array([824, 1802, 271, 2247, 111, 1598])
    at = np.arange(-3.0, 3.0)
    z = np.stack([np.ones(6), at, at**2], axis=-1)
    fit = fit_glm(x, n, z, family=kind)
    assert z.T @ (n * fit.fitted) == pytest.approx(z.T @ x, rel=1e-11)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_a_design_without_a_constant_is_fitted_as_it_is(kind: Any) -> None:
    sm = pytest.importorskip("statsmodels.api", reason="an oracle of models without a constant")
    x, n = network()
    z = np.stack([(TIME - 30) / 10, -1 - AFTER * TIME / 24], axis=-1)
    fit = fit_glm(x[0], n[0], z, family=kind)
    if kind == "binomial":
        model = sm.GLM(np.stack([x[0], n[0] - x[0]], axis=-1), z, family=sm.families.Binomial())
    else:
        model = sm.GLM(x[0], z, family=sm.families.Poisson(), exposure=n[0])
    other = model.fit(tol=1e-14)
    assert fit.coef == pytest.approx(other.params, rel=1e-9)
    assert float(fit.deviance) == pytest.approx(other.deviance, rel=1e-9)
    assert float(fit.log_likelihood) == pytest.approx(other.llf, rel=1e-9)


def test_a_search_that_gets_lost_is_told_from_one_that_ends() -> None:
    """Without a maximum, on the way to where its information is no longer a number."""
    x, n, z = np.array([900, 0, 0]), np.array([900, 1, 5]), np.array([[1, 1], [1, 0], [1, 1]])
    assert endless(x, n, z, "binomial")
    fit = fit_glm([x, [60, 1, 3]], [n, [900, 3, 5]], z)
    assert fit.separated.tolist() == [True, False]
    assert np.isnan(fit.coef[0]).all()
    assert fit.fitted[1] == pytest.approx([63 / 905, 1 / 3, 63 / 905], rel=1e-12)


def test_units_of_a_term_do_not_matter() -> None:
    x, n = network()
    units = np.array([1, 1e6, 1e-6, 1e3])
    plain, other = fit_glm(x, n, TREND), fit_glm(x, n, TREND * units)
    assert other.coef * units == pytest.approx(plain.coef, rel=1e-9)
    assert other.covariance * np.outer(units, units) == pytest.approx(plain.covariance, rel=1e-9)
    # Nor to whether there is a maximum: here two months with an event and two without.
    x, n = [1, 0, 1, 0], [4, 3, 2, 3]
    z = np.array([[1, 0, 0], [1, 1, 1], [1, 0, -1], [1, -1, 1]])
    assert endless(np.array(x), np.array(n), z, "binomial") is False
    for unit in (1e-6, 1, 1e6):
        assert not fit_glm(x, n, z * [1, 1, unit]).separated


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (([1, 2], [5, 5], [[1], [1]]), {"family": "normal"}, OptionError, "family='normal'"),
        (([1, 2], None, [[1], [1]]), {}, OptionError, "size=None .* give births or exposure"),
        (([-1, 2], 5, [[1], [1]]), {}, OptionError, "events holds -1.0; give counts of 0 or more"),
        (([6, 2], 5, [[1], [1]]), {}, OptionError, "events holds 6.0 where size holds 5.0.*family='poisson'"),
        (([np.inf, 2], 5, [[1], [1]]), {"family": "gaussian"}, OptionError, "events holds inf; give finite"),
        (([1, 2], [5, np.inf], [[1], [1]]), {}, OptionError, "size holds inf; give finite sizes"),
        (([1, 2], [5, -1], [[1], [1]]), {"family": "poisson"}, OptionError, "size holds -1.0"),
        (
            ([1, 2], [5, 0], [[1], [1]]),
            {"family": "poisson"},
            OptionError,
            "events holds 2.0 where size is 0",
        ),
        (([1, 2], 5, [[1], [1], [1]]), {}, OptionError, r"design of shape \(3, 1\) does not fit"),
        (([[1, 2]] * 2, 5, np.ones((3, 2, 1))), {}, OptionError, r"design of shape \(3, 2, 1\) does not fit"),
        (([1], 5, np.ones((3, 1))), {}, OptionError, r"design of shape \(3, 1\) does not fit"),
        (([1, 2], 5, np.ones((1, 1))), {}, OptionError, r"design of shape \(1, 1\) does not fit"),
        (([1, 2], 5, [1, 1]), {}, OptionError, r"design has shape \(2,\); give \(\.\.\., T, P\)"),
        (([1, 2], 5, np.ones((2, 0))), {}, OptionError, "at least one"),
        (([1, 2], 5, [[1], [np.inf]]), {}, OptionError, "design holds an infinite value"),
        (([1, 2], 5, [["a"], ["b"]]), {}, InputTypeError, "design of type list"),
        ((["a", "b"], 5, [[1], [1]]), {}, InputTypeError, "events of type list"),
        (([1, 2], [5, 5, 5], [[1], [1]]), {}, OptionError, "shapes do not fit together"),
        (([1, 2], 5, [[1], [1]]), {"included": [1, 1]}, InputTypeError, "included holds int64"),
        (([1, 2], 5, [[1], [1]]), {"weights": [1, 0]}, OptionError, "weights holds 0.0; give finite"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fit_glm(*arguments, **options)
