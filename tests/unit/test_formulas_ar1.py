"""Linear models with autocorrelated errors: against the whole correlation matrix, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._ar1_likelihood import moments, profile
from qi_equity.formulas.ar1 import fit_ar1

TIME = np.arange(30)
AFTER = (TIME >= 15).astype(np.float64)
TREND = np.stack([np.ones(30), (TIME - 15) / 12, AFTER], axis=-1)


def series(seed: int = 1, strata: int = 8, rho: float = 0.4, periods: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(strata, periods))
    for t in range(1, periods):
        e[:, t] = rho * e[:, t - 1] + np.sqrt(1 - rho**2) * e[:, t]
    return 3000 + 40 * e


def dense(y: np.ndarray, z: np.ndarray, at: np.ndarray, rho: float, method: str) -> dict[str, Any]:
    """Generalised least squares with the whole correlation matrix; likelihoods of Pinheiro, Bates 5.1.1."""
    n, p = z.shape
    r = np.float64(rho) ** np.abs(at[:, np.newaxis] - at)
    inverse = np.linalg.inv(r)
    gram = z.T @ inverse @ z
    beta = np.linalg.solve(gram, z.T @ inverse @ y)
    rest = y - z @ beta
    squares = rest @ inverse @ rest
    m = n - p if method == "reml" else n
    level = -m / 2 * (np.log(2 * np.pi * squares / m) + 1) - np.linalg.slogdet(r)[1] / 2
    if method == "reml":
        level -= np.linalg.slogdet(gram)[1] / 2
    return {
        "coef": beta,
        "covariance": np.linalg.inv(gram) * squares / (n - p),
        "sigma": np.sqrt(squares / m),
        "level": level,
    }


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_each_stratum_with_gaps_is_the_best_of_a_grid_of_whole_matrices(method: Any) -> None:
    y = series()
    y[0, [0, 3, 4, 11, 12, 13, 29]] = np.nan
    y[1, ::4] = np.nan
    included = np.ones(30, dtype=bool)
    included[15:17] = False
    fit = fit_ar1(y, TREND, method=method, included=included)
    for i in range(len(y)):
        use = included & ~np.isnan(y[i])
        grid = np.linspace(-0.99, 0.99, 397)
        levels = [dense(y[i, use], TREND[use], TIME[use], r, method)["level"] for r in grid]
        best = int(np.argmax(levels))
        assert fit.log_likelihood[i] >= levels[best] - 1e-9
        near = minimize_scalar(
            lambda r, i=i, use=use: -dense(y[i, use], TREND[use], TIME[use], r, method)["level"],
            bounds=(grid[best] - 0.005, grid[best] + 0.005),
            method="bounded",
            options={"xatol": 1e-9},
        )
        # The likelihood is flat at its top: its maximum is found to about the root of the rounding error.
        assert fit.rho[i] == pytest.approx(near.x, abs=1e-6)
        expected = dense(y[i, use], TREND[use], TIME[use], float(fit.rho[i]), method)
        assert fit.coef[i] == pytest.approx(expected["coef"], rel=1e-10)
        assert fit.covariance[i] == pytest.approx(expected["covariance"], rel=1e-9)
        assert fit.sigma[i] == pytest.approx(expected["sigma"], rel=1e-10)
        assert fit.log_likelihood[i] == pytest.approx(expected["level"], rel=1e-11)
        assert fit.used[i].tolist() == use.tolist()
        assert fit.fitted[i] == pytest.approx(TREND @ expected["coef"], rel=1e-12)
        assert fit.df[i] == use.sum() - 3


@pytest.mark.parametrize("restricted", [True, False])
def test_the_slope_of_the_likelihood_is_its_slope(restricted: bool) -> None:
    y = series(strata=5)
    used = np.random.default_rng(2).random((5, 30)) > 0.2
    variables = np.concatenate([np.broadcast_to(TREND, (5, 30, 3)), y[..., np.newaxis] - 3000], axis=-1)
    sums = moments(np.where(used[..., np.newaxis], variables, 0), used)
    count = used.sum(axis=-1) - 3.0 * restricted
    rho, step = np.array([-0.8, -0.1, 0.0, 0.3, 0.9]), 1e-6
    low, at, high = (profile(sums, r, count, restricted=restricted) for r in (rho - step, rho, rho + step))
    assert (high[0] - low[0]) / (2 * step) == pytest.approx(at[1], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.4, 0.6, -0.5])
def test_a_correlation_that_is_given_is_used(rho: float) -> None:
    y = series()
    y[2, 9] = np.nan
    fit = fit_ar1(y, TREND, rho_fixed=rho)
    use = ~np.isnan(y[2])
    expected = dense(y[2, use], TREND[use], TIME[use], rho, "reml")
    assert fit.rho.tolist() == [rho] * 8
    assert fit.coef[2] == pytest.approx(expected["coef"], rel=1e-11)
    assert fit.covariance[2] == pytest.approx(expected["covariance"], rel=1e-10)
    if rho == 0:
        beta, squares, *_ = np.linalg.lstsq(TREND, y[0], rcond=None)
        assert fit.coef[0] == pytest.approx(beta, rel=1e-11)
        assert fit.sigma[0] == pytest.approx(np.sqrt(squares[0] / 27), rel=1e-10)


def test_each_stratum_may_be_given_its_own_correlation_and_design() -> None:
    y = series().reshape(2, 4, 30)
    rho = np.linspace(0, 0.6, 4)
    fit = fit_ar1(y, TREND, rho_fixed=rho)
    assert fit.rho.tolist() == [rho.tolist()] * 2
    own = np.stack([np.stack([np.ones(30), start <= TIME], axis=-1) for start in range(10, 14)])
    several = fit_ar1(y, own)
    assert several.coef.shape == (2, 4, 2)
    alone = fit_ar1(y[1, 3], own[3])
    assert alone.rho.shape == ()
    assert several.rho[1, 3] == pytest.approx(float(alone.rho), rel=1e-10)
    assert several.coef[1, 3] == pytest.approx(alone.coef, rel=1e-11)


def test_what_cannot_be_fitted_is_nan_and_not_an_error() -> None:
    y = np.broadcast_to(series(strata=1), (6, 30)).copy()
    y[0], y[1, 4:], y[2, 5:], y[3], y[4, 15:] = np.nan, np.nan, np.nan, 2700.0, np.nan
    level = TREND[:, [0, 2]]
    level_only = fit_ar1(y, level)
    assert np.isnan(level_only.rho).tolist() == [True] * 5 + [False]
    # Level and trend of the first part alone: two terms, with 4 and 5 periods.
    fit = fit_ar1(y, TREND[:, :2])
    assert np.isnan(fit.rho).tolist() == [True, False, False, True, False, False]
    for value in (fit.coef[:, 0], fit.sigma, fit.log_likelihood, fit.covariance[:, 0, 0], fit.fitted[:, 0]):
        assert np.isnan(value).tolist() == np.isnan(fit.rho).tolist()
    assert fit.df.tolist() == [-2, 2, 3, 28, 13, 28]
    short = y[:, :3]
    assert np.isnan(fit_ar1(short, TREND[:3, :2]).rho).all()
    assert np.isnan(fit_ar1(short, TREND[:3, :2], rho_fixed=0.2).coef[:, 0]).tolist() == [
        True, False, False, True, False, False,
    ]  # fmt: skip
    assert fit_ar1(np.empty((0, 30)), TREND).coef.shape == (0, 3)


def test_a_likelihood_that_rises_to_the_end_ends_next_to_one() -> None:
    """A random walk about a constant: the more correlated, the better."""
    walk = np.cumsum(np.random.default_rng(4).normal(size=40))
    fit = fit_ar1(walk, np.ones((40, 1)))
    assert 0.9 < fit.rho < 1
    zigzag = np.where(np.arange(40) % 2, 1.0, -1.0) + 0.001 * np.random.default_rng(4).normal(size=40)
    assert -1 < fit_ar1(zigzag, np.ones((40, 1))).rho < -0.99


def test_where_only_every_other_period_is_seen_the_sign_is_taken_as_positive() -> None:
    y = series(rho=0.8, periods=60)
    y[:, 1::2] = np.nan
    fit = fit_ar1(y, np.ones((60, 1)))
    assert (fit.rho > 0).all()


def test_large_means_do_not_blur_the_correlation() -> None:
    y = series() - 3000
    plain, high = fit_ar1(y, TREND), fit_ar1(y + 3e7, TREND)
    assert high.rho == pytest.approx(plain.rho, abs=1e-7)
    assert high.coef[:, 1:] == pytest.approx(plain.coef[:, 1:], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (([1, 2], [[1], [1]]), {"method": "pw"}, OptionError, "method='pw'.*'reml', 'ml'"),
        (([1, 2], [[1], [1]]), {"rho_fixed": 1.0}, OptionError, "rho_fixed=1.0 .* above -1 and below 1"),
        (([1, 2], [[1], [1]]), {"rho_fixed": np.nan}, OptionError, "rho_fixed=nan"),
        (([1, 2], [[1], [1]]), {"rho_fixed": [0.1, 0.2]}, OptionError, r"rho_fixed has shape \(2,\)"),
        (([1, 2], [[1], [1]]), {"rho_fixed": "high"}, InputTypeError, "rho_fixed of type str"),
        (([1, np.inf], [[1], [1]]), {}, OptionError, "values holds inf; give finite values"),
        (([1, 2, 3], [[1], [1]]), {}, OptionError, "does not fit"),
        ((["a", "b"], [[1], [1]]), {}, InputTypeError, "values of type list"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fit_ar1(*arguments, **options)
