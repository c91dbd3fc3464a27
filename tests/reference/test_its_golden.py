"""Segmented regression against R: glm, lm, sandwich and nlme.

No published worked example was found whose data may be stored here. R's Durbin-Watson statistic and R squared
have no counterpart in the library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas.ar1 import fit_ar1
from qi_equity.formulas.glm import GlmFit, fit_glm
from qi_equity.formulas.glm_shared import combination_variance, fit_glm_shared
from qi_equity.formulas.robust_covariance import newey_west_covariance, sandwich_covariance

GOLDEN = json.loads((Path(__file__).parent / "its.json").read_text(encoding="utf-8"))
ALL = {c["id"]: c for c in GOLDEN["cases"]}
GLM = [pytest.param(c, id=i) for i, c in ALL.items() if "gls" not in i]
ONE_GROUP = [p for p in GLM if "two-group" not in str(p.id)]
TWO_GROUPS = [p for p in GLM if "two-group" in str(p.id)]
GLS = [pytest.param(c, m, id=f"{i}-{m}") for i, c in ALL.items() if "gls" in i for m in ("REML", "ML")]
GAPS = [pytest.param(c, id=i) for i, c in ALL.items() if "gaps" in c]


def family(case: dict[str, Any]) -> Any:
    return next(f for f in ("binomial", "poisson", "gaussian") if f in case["id"])


def column(case: dict[str, Any], name: str) -> np.ndarray:
    return np.asarray(case["input"][name], dtype=np.float64)


def design(case: dict[str, Any]) -> np.ndarray:
    t, level, slope = (column(case, k) for k in ("time", "level", "slope"))
    if "grp" not in case["input"]:
        return np.stack([np.ones_like(t), t, level, slope], axis=-1)
    g = column(case, "grp")
    return np.stack([np.ones_like(t), t, g, level, slope, t * g, g * level, g * slope], axis=-1)


def fitted(case: dict[str, Any]) -> GlmFit:
    return fit_glm(case["input"]["y"], case["input"].get("n"), design(case), family=family(case))


@pytest.mark.parametrize("case", GLM)
def test_coefficients_and_summaries(case: dict[str, Any]) -> None:
    fit, expected = fitted(case), case["expected"]
    assert fit.coef == pytest.approx(expected["model"]["estimate"], rel=1e-9)
    assert fit.df == expected.get("df_residual", fit.df)
    for name, value in {
        "dispersion_pearson": fit.dispersion,
        "deviance": fit.deviance,
        "aic": fit.aic,
        "sigma": np.sqrt(fit.dispersion),
    }.items():
        if expected.get(name) is not None:
            assert float(value) == pytest.approx(expected[name], rel=1e-9), name
    assert float(fit.log_likelihood) == pytest.approx(case["ended"]["logLik"], rel=1e-9)
    if "fitted" in expected:
        size = column(case, "n") if family(case) == "poisson" else 1.0
        assert fit.fitted * size == pytest.approx(expected["fitted"], rel=1e-9)


@pytest.mark.parametrize("case", GLM)
def test_covariance_is_that_of_r_once_r_has_ended(case: dict[str, Any]) -> None:
    fit = fitted(case)
    assert fit.coef == pytest.approx(case["ended"]["coef"], rel=1e-9)
    assert fit.covariance == pytest.approx(np.array(case["ended"]["covariance"]), rel=1e-9)


@pytest.mark.parametrize("case", GLM)
def test_table_of_r_has_the_weights_of_its_last_but_one_step(case: dict[str, Any]) -> None:
    fit, expected = fitted(case), case["expected"]["model"]
    by_t = "quasi" in case["id"] or family(case) == "gaussian"
    covariance, weight, residual = as_r_stops(case)
    if by_t:
        covariance = covariance * (weight * residual**2).sum() / float(fit.df)
    error = np.sqrt(np.diag(covariance))
    assert error == pytest.approx(expected["se"], rel=1e-9)
    statistic = fit.coef / error
    assert statistic == pytest.approx(expected["statistic"], rel=1e-9)
    tail = stats.t(float(fit.df)) if by_t else stats.norm()
    assert 2 * tail.sf(np.abs(statistic)) == pytest.approx(expected["p"], rel=1e-9)
    if "vcov" in case["expected"]:
        entries = np.reshape(case["expected"]["vcov"], covariance.shape)
        assert covariance == pytest.approx(entries, rel=1e-9)
        gradient = np.array([0.0, 0.0, 1.0, column(case, "slope")[-1]])
        at_end = case["expected"]["effect_at_end_link"]
        assert gradient @ fit.coef == pytest.approx(at_end["estimate"], rel=1e-9)
        assert np.sqrt(gradient @ covariance @ gradient) == pytest.approx(at_end["se"], rel=1e-9)


def as_r_stops(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Iteratively reweighted least squares that ends as glm.fit does: inverse information, weights, rest.

    R stops where the deviance no longer moves, but keeps the weights from before that step, in the
    covariance, the scores and the dispersion of quasi families: up to 2e-8 from what the solution gives.
    """
    z, kind, x = design(case), family(case), column(case, "y")
    if kind == "gaussian":
        bread = np.linalg.inv(z.T @ z)
        return bread, np.ones_like(x), x - z @ bread @ z.T @ x
    n = column(case, "n")
    mean = (x + 0.5) / (n + 1) if kind == "binomial" else (x + 0.1) / n
    eta = np.log(mean / (1 - mean)) if kind == "binomial" else np.log(mean)
    before, now = np.inf, deviance(x, n, mean, kind)
    while not abs(now - before) / (abs(now) + 0.1) < 1e-13:
        weight = n * mean * (1 - mean) if kind == "binomial" else n * mean
        information = z.T @ (z * weight[:, np.newaxis])
        eta = z @ np.linalg.solve(information, z.T @ (weight * eta + x - n * mean))
        mean = 1 / (1 + np.exp(-eta)) if kind == "binomial" else np.exp(eta)
        before, now = now, deviance(x, n, mean, kind)
    slope = mean * (1 - mean) if kind == "binomial" else mean
    return np.linalg.inv(information), weight, (x / n - mean) / slope


def deviance(x: np.ndarray, n: np.ndarray, mean: np.ndarray, kind: str) -> float:
    total = sum(a * np.log(a / (b * m)) for a, b, m in zip(x, n, mean, strict=True) if a > 0)
    if kind == "poisson":
        return float(2 * (total - (x - n * mean).sum()))
    rest = zip(n - x, n, 1 - mean, strict=True)
    return float(2 * (total + sum(a * np.log(a / (b * m)) for a, b, m in rest if a > 0)))


@pytest.mark.parametrize("case", ONE_GROUP)
def test_robust_covariances(case: dict[str, Any]) -> None:
    fit, z, x, n = fitted(case), design(case), case["input"]["y"], case["input"].get("n")
    for name, covariance in case["ended"]["robust"].items():
        if name.startswith("HC"):
            found = sandwich_covariance(fit, x, n, z, kind=name, family=family(case))
        else:
            lag, adjust = int(name[3]), name.endswith("TRUE")
            found = newey_west_covariance(fit, x, n, z, lag=lag, adjust=adjust, family=family(case))
        assert found == pytest.approx(np.array(covariance), rel=1e-9), name


@pytest.mark.parametrize("case", ONE_GROUP)
def test_robust_tables_of_r_by_a_loop_over_periods(case: dict[str, Any]) -> None:
    coef, z = np.asarray(case["expected"]["model"]["estimate"]), design(case)
    by_t = family(case) == "gaussian"
    tail = stats.t(len(z) - z.shape[1]) if by_t else stats.norm()
    for name, table in case["expected"]["robust"].items():
        error = np.sqrt(np.diag(robust_as_r(case, name)))
        assert error == pytest.approx(table["se"], rel=1e-9), name
        assert coef / error == pytest.approx(table["statistic"], rel=1e-9), name
        assert 2 * tail.sf(np.abs(coef / error)) == pytest.approx(table["p"], rel=1e-9), name
        if by_t:
            fit = fitted(case)
            kind = (
                {"kind": name} if name.startswith("HC") else {"lag": int(name[3]), "adjust": "TRUE" in name}
            )
            of = sandwich_covariance if name.startswith("HC") else newey_west_covariance
            ours = of(fit, case["input"]["y"], None, z, family="gaussian", **kind)
            assert np.sqrt(np.diag(ours)) == pytest.approx(table["se"], rel=1e-9), name


def robust_as_r(case: dict[str, Any], name: str) -> np.ndarray:
    """Sum the products of scores one by one, with the weights R has kept."""
    z = design(case)
    bread, weight, residual = as_r_stops(case)
    k, p = z.shape
    meat = np.zeros((p, p))
    for i in range(k):
        leverage = weight[i] * z[i] @ bread @ z[i] if name == "HC3" else 0.0
        score = weight[i] * residual[i] * z[i] / (1 - leverage)
        meat += np.outer(score, score)
        for lag in range(1, (0 if name.startswith("HC") else int(name[3])) + 1):
            if i >= lag:
                other = weight[i - lag] * residual[i - lag] * z[i - lag]
                cross = np.outer(score, other)
                meat += (1 - lag / (int(name[3]) + 1)) * (cross + cross.T)
    factor = k / (k - p) if name == "HC1" or name.endswith("TRUE") else 1.0
    return np.asarray(bread @ meat @ bread * factor)


@pytest.mark.parametrize("case", TWO_GROUPS)
def test_two_groups_apart_are_two_groups_in_one_design(case: dict[str, Any]) -> None:
    half = len(case["input"]["y"]) // 2
    x = column(case, "y").reshape(2, half)
    n = column(case, "n").reshape(2, half) if "n" in case["input"] else None
    z = design(case)[:half, [0, 1, 3, 4]]
    fit = fit_glm(x, n, z, family=family(case))
    estimate = np.asarray(case["expected"]["model"]["estimate"])
    assert fit.coef[0] == pytest.approx(estimate[[0, 1, 3, 4]], rel=1e-9)
    assert fit.coef[1] - fit.coef[0] == pytest.approx(estimate[[2, 5, 6, 7]], rel=1e-9)
    one = np.asarray(case["ended"]["covariance"])
    differences = np.diagonal(fit.covariance.sum(axis=0))
    assert differences == pytest.approx(np.diag(one)[[2, 5, 6, 7]], rel=1e-9)
    spread = fit.pearson.sum() / fit.df.sum()
    assert spread == pytest.approx(case["expected"]["dispersion_pearson"], rel=1e-9)


@pytest.mark.parametrize(("case", "method"), GLS)
def test_means_with_autocorrelation(case: dict[str, Any], method: str) -> None:
    """nlme ends its search early: the pack states 1e-5 for phi and what follows from it."""
    y, z, expected = column(case, "y"), design(case), case["expected"][method]
    if "grp" in case["input"]:
        # Two series of one correlation: so far apart that the one does not reach the other.
        middle = [len(y) // 2] * 300
        y, z = np.insert(y, middle, np.nan), np.insert(z, middle, 0.0, axis=0)
    fit = fit_ar1(y, z, method="reml" if method == "REML" else "ml")
    error = np.sqrt(np.diag(fit.covariance))
    assert fit.rho == pytest.approx(expected["phi"], rel=1e-5)
    assert fit.coef == pytest.approx(expected["model"]["estimate"], rel=1e-5)
    assert error == pytest.approx(expected["model"]["se"], rel=1e-5)
    assert fit.coef / error == pytest.approx(expected["model"]["statistic"], rel=1e-5)
    p = 2 * stats.t.sf(np.abs(fit.coef / error), fit.df)
    assert p == pytest.approx(expected["model"]["p"], rel=1e-5)
    assert fit.sigma == pytest.approx(expected["sigma"], rel=1e-5)
    assert fit.log_likelihood == pytest.approx(expected["logLik"], rel=1e-9)
    assert fit.df == expected["df_residual"]


@pytest.mark.parametrize("case", GAPS)
def test_means_with_gaps(case: dict[str, Any]) -> None:
    y, z = column(case, "y"), design(case)
    y[np.asarray(case["gaps"]["missing"]) - 1] = np.nan
    for name, expected in case["gaps"]["expected"].items():
        method, _, rho = name.partition("_")
        fit = fit_ar1(y, z, method=method.lower(), rho_fixed=float(rho) if rho else None)
        rel = 1e-9 if rho else 1e-5
        assert fit.coef == pytest.approx(expected["coef"], rel=rel), name
        assert fit.covariance == pytest.approx(np.array(expected["covariance"]), rel=rel), name
        assert fit.sigma == pytest.approx(expected["sigma"], rel=rel), name
        assert fit.log_likelihood == pytest.approx(expected["logLik"], rel=1e-9), name
        assert fit.rho == pytest.approx(expected.get("phi", float(rho or 0)), rel=1e-5), name


@pytest.mark.parametrize("kind", ["binomial", "poisson", "gaussian"])
def test_shared_terms(kind: Any) -> None:
    data = GOLDEN["shared"]
    expected, strata = data["expected"][kind], max(data["stratum"])
    t, n, x, out = (np.reshape(data[k], (strata, -1)).astype(np.float64) for k in ("t", "n", "y", "out"))
    time = t[0]
    own = np.stack([np.ones_like(time), time > 16], axis=-1)
    shared = np.stack(
        [np.sin(2 * np.pi * time / 12), np.cos(2 * np.pi * time / 12), (time - 16.5) / 12], axis=-1
    )
    if kind == "gaussian":
        x, n = np.reshape(data["v"], (strata, -1)), np.ones_like(n)
    fit = fit_glm_shared(x, n, own, shared, family=kind, included=out == 0, weights=data["weights"])
    # R lists the levels, then the shared terms, then the changes.
    levels, changes = np.arange(strata), strata + 3 + np.arange(strata)
    coef, covariance = np.array(expected["coef"]), np.array(expected["covariance"])
    assert fit.own_coef == pytest.approx(np.stack([coef[levels], coef[changes]], axis=-1), rel=1e-9)
    assert fit.shared_coef == pytest.approx(coef[strata : strata + 3], rel=1e-9)
    place = slice(strata, strata + 3)
    assert fit.shared_covariance == pytest.approx(covariance[place, place], rel=1e-9)
    part, loading = combination_variance(fit, [0.0, 1.0], [0.0, 0.0, 0.0])
    joint = np.diag(part) + loading @ fit.shared_covariance @ loading.T
    assert joint == pytest.approx(covariance[np.ix_(changes, changes)], rel=1e-9)
    assert fit.fitted[out == 0] == pytest.approx(expected["fitted"], rel=1e-9)
