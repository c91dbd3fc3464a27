"""Robust covariances: against sums over periods, gaps included, and what Newey-West does to 24 points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.ar1 import fit_ar1
from qi_equity.formulas.glm import GlmFit, fit_glm
from qi_equity.formulas.robust_covariance import newey_west_covariance, sandwich_covariance

TIME = np.arange(24)
AFTER = (TIME >= 12).astype(np.float64)
TREND = np.stack([np.ones(24), (TIME - 12) / 12, AFTER], axis=-1)


def network(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(30, 300, (6, 24)).astype(np.float64)
    x = rng.binomial(n.astype(int), 0.1).astype(np.float64)
    x[1, 5], n[2, [3, 4, 20]] = np.nan, np.nan
    return x, n


def by_loop(
    x: np.ndarray, n: np.ndarray, z: np.ndarray, fit: GlmFit, i: int, w: np.ndarray, **of: Any
) -> Any:
    """One stratum, period by period; lags are differences of time."""
    kind, lag = of.get("kind", "HC0"), of.get("lag", 0)
    use, bread = np.flatnonzero(fit.used[i]), fit.covariance[i]
    mean = fit.fitted[i]
    spread = {"binomial": mean * (1 - mean), "poisson": mean, "gaussian": np.ones_like(mean)}[of["family"]]
    amount = x[i] * n[i] if of["family"] == "gaussian" else x[i]
    meat = np.zeros_like(bread)
    for s in use:
        for t in use:
            if abs(s - t) <= lag:
                pair = (1 - abs(s - t) / (lag + 1)) * np.outer(z[s], z[t])
                for k in (s, t):
                    pair = pair * w[i, k] * (amount[k] - n[i, k] * mean[k])
                    if kind == "HC3":
                        pair = pair / (1 - w[i, k] * n[i, k] * spread[k] * z[k] @ bread @ z[k])
                meat += pair
    k = len(use)
    factor = k / (k - z.shape[1]) if kind == "HC1" or of.get("adjust") else 1.0
    return factor * bread @ meat @ bread


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian"])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_stratum_is_what_a_loop_gives(family: Any, weighted: bool) -> None:
    x, n = network()
    w = np.random.default_rng(2).uniform(0.4, 1.5, (6, 24)) if weighted else np.ones((6, 24))
    weights = w if weighted else None
    fit = fit_glm(x, n, TREND, family=family, weights=weights, included=TIME != 13)
    for kind in ("HC0", "HC1", "HC3"):
        found = sandwich_covariance(fit, x, n, TREND, kind=kind, family=family, weights=weights)
        for i in range(6):
            expected = by_loop(x, n, TREND, fit, i, w, kind=kind, family=family)
            assert found[i] == pytest.approx(expected, rel=1e-9)
    for lag, adjust in ((0, False), (1, True), (3, False), (40, False)):
        options = {"lag": lag, "adjust": adjust, "family": family}
        found = newey_west_covariance(fit, x, n, TREND, weights=weights, **options)
        for i in range(6):
            assert found[i] == pytest.approx(by_loop(x, n, TREND, fit, i, w, **options), rel=1e-9, abs=1e-18)


def test_no_lag_is_the_plain_sandwich_and_means_need_no_size() -> None:
    y = np.random.default_rng(1).normal(30, 2, (2, 3, 24))
    design = np.broadcast_to(TREND, (3, 24, 3))
    fit = fit_glm(y, None, design, family="gaussian")
    plain = sandwich_covariance(fit, y, None, design, kind="HC0", family="gaussian")
    assert plain.shape == (2, 3, 3, 3)
    assert newey_west_covariance(fit, y, None, design, lag=0, family="gaussian") == pytest.approx(plain)
    alone = fit_glm(y[1, 2], None, TREND, family="gaussian")
    other = sandwich_covariance(alone, y[1, 2], None, TREND, kind="HC0", family="gaussian")
    assert other == pytest.approx(plain[1, 2], rel=1e-12)


def test_where_nothing_is_fitted_or_one_period_decides_there_is_no_covariance() -> None:
    x = np.array([[3.0, 4, 5, 2, 6, 1], [0, 0, 0, 0, 0, 0]])
    design = np.stack([np.ones(6), np.arange(6) == 5], axis=-1)
    fit = fit_glm(x, 50, design)
    robust = sandwich_covariance(fit, x, 50, design)
    assert np.isnan(robust).all()
    plain = sandwich_covariance(fit, x, 50, design, kind="HC0")
    assert not np.isnan(plain[0]).any()
    assert np.isnan(plain[1]).all()
    full = fit_glm([5, 9], [50, 60], [[1, 0], [1, 1]])
    assert np.isnan(sandwich_covariance(full, [5, 9], [50, 60], [[1, 0], [1, 1]], kind="HC1")).all()
    empty = np.empty((0, 6))
    assert sandwich_covariance(fit_glm(empty, 50, design), empty, 50, design).shape == (0, 2, 2)


def test_newey_west_is_too_small_at_24_points() -> None:
    """As its description says: 18 % of intervals miss without autocorrelation, those of REML about 6.5 %.

    Normal series, 12 + 12 points, level and trend (4 terms), 5 % nominal; 2,500 series, 4 standard errors.
    """
    y = np.random.default_rng(24).normal(size=(2500, 24))
    design = np.concatenate([TREND, TREND[:, 1:2] * TREND[:, 2:]], axis=-1)
    fit = fit_glm(y, None, design, family="gaussian")
    error = np.sqrt(newey_west_covariance(fit, y, None, design, lag=3, family="gaussian")[:, 2, 2])
    restricted = fit_ar1(y, design)
    most = stats.t.ppf(0.975, 20)
    missed = (np.abs(fit.coef[:, 2]) > most * error).mean()
    held = (np.abs(restricted.coef[:, 2]) > most * np.sqrt(restricted.covariance[:, 2, 2])).mean()
    assert missed == pytest.approx(0.185, abs=4 * np.sqrt(0.185 * 0.815 / 2500))
    assert held == pytest.approx(0.065, abs=4 * np.sqrt(0.065 * 0.935 / 2500))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"kind": "HC2"}, OptionError, "kind='HC2'"),
        ({"lag": -1}, OptionError, "lag=-1"),
        ({"lag": 1.5}, InputTypeError, "lag=1.5"),
        ({"events": np.ones((2, 24))}, OptionError, "fit of 3 terms .* is not one of these data"),
        ({"events": np.full(24, np.nan)}, OptionError, "is not one of these data"),
        ({"design": TREND[:, :2]}, OptionError, "is not one of these data"),
        ({"family": "normal"}, OptionError, "family='normal'"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], error: type[Exception], text: str) -> None:
    x = np.arange(24) % 5 + 2.0
    fit = fit_glm(x, 100, TREND)
    given = {"events": x, "size": 100, "design": TREND} | change
    of = newey_west_covariance if "lag" in given else sandwich_covariance
    with pytest.raises(error, match=text):
        of(fit, **given)
