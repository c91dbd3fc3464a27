"""Mixed models of sites against a likelihood by brute force; ends of the parameter space.

lme4's and metafor's numbers are in tests/reference/test_meta_golden.py. Stijnen et al. 2010 print estimates
of data that could not be read in full; none is used here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._mixed_kernels import Binomial, Hypergeometric, Poisson
from qi_equity.formulas.mixed_sites import PooledChange, conditional_sites, mixed_sites

X = np.array([[60, 20], [45, 70], [80, 25], [30, 42], [12, 1]])
N = np.array([[500, 500], [520, 510], [640, 600], [410, 430], [90, 80]])
SPARSE = np.array([[3, 0], [5, 1], [0, 2], [4, 4], [6, 1], [8, 2], [2, 0]])
FEW = np.array([[40, 44], [75, 80], [30, 28], [55, 60], [90, 85], [110, 120], [25, 22]])
U = np.linspace(-9, 9, 1201)
DENSITY = stats.norm.pdf(U) * (U[1] - U[0])
BOTH = pytest.mark.parametrize("pool", [mixed_sites, conditional_sites])
FAMILIES = pytest.mark.parametrize("family", ["binomial", "poisson"])
Pool = Callable[..., PooledChange]


def log_likelihood(
    x: np.ndarray, n: np.ndarray, family: str, exact: bool
) -> Callable[[np.ndarray, float, float], float]:
    """Sum over sites of the log of an integral by a dense grid; intercepts are not used if exact."""

    def site(i: int, intercept: float, change: float, tau: float) -> float:
        (x0, x1), (n0, n1) = x[i], n[i]
        eta = change + tau * U
        if exact and family == "binomial":
            low, high = max(0, x0 + x1 - n0), min(n1, x0 + x1)
            support = np.arange(low, high + 1)
            log = stats.hypergeom.logpmf(support, n0 + n1, x0 + x1, n1)
            top = log + np.outer(eta, support)
            curve = np.exp(top[:, x1 - low] - np.logaddexp.reduce(top, axis=1))
            return float(np.log((DENSITY * curve).sum()))
        if exact:
            curve = stats.binom.pmf(x1, x0 + x1, 1 / (1 + n0 / n1 * np.exp(-eta)))
            return float(np.log((DENSITY * curve).sum()))
        eta = eta + intercept
        if family == "binomial":
            before = stats.binom.logpmf(x0, n0, 1 / (1 + np.exp(-intercept)))
            curve = stats.binom.pmf(x1, n1, 1 / (1 + np.exp(-eta)))
        else:
            before = stats.poisson.logpmf(x0, n0 * np.exp(intercept))
            curve = stats.poisson.pmf(x1, n1 * np.exp(eta))
        return float(before + np.log((DENSITY * curve).sum()))

    def total(intercepts: np.ndarray, change: float, tau: float) -> float:
        return sum(site(i, intercepts[i], change, tau) for i in range(len(x)))

    return total


def brute(
    x: np.ndarray, n: np.ndarray, family: str, exact: bool, at: PooledChange
) -> tuple[np.ndarray, np.ndarray]:
    """Give gradient and second derivatives of the profile likelihood of change and tau at ``at``."""
    total = log_likelihood(x, n, family, exact)

    def profile(change: float, tau: float) -> float:
        if exact:
            return total(np.zeros(len(x)), change, tau)

        def one(i: int) -> float:
            part = log_likelihood(x[i : i + 1], n[i : i + 1], family, exact)
            start = np.log((x[i, 0] + 0.5) / n[i, 0])
            return -float(
                optimize.minimize_scalar(
                    lambda a: -part(np.array([a]), change, tau),
                    bracket=(start - 0.5, start + 0.5),
                    options={"xtol": 1e-11},
                ).fun
            )

        return sum(one(i) for i in range(len(x)))

    b, t, d = float(at.estimate), float(at.tau), 2e-3
    v = {(i, j): profile(b + i * d, t + j * d) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    gradient = np.array([v[1, 0] - v[-1, 0], v[0, 1] - v[0, -1]]) / (2 * d)
    cross = (v[1, 1] - v[1, -1] - v[-1, 1] + v[-1, -1]) / (4 * d**2)
    own = [(v[1, 0] - 2 * v[0, 0] + v[-1, 0]) / d**2, (v[0, 1] - 2 * v[0, 0] + v[0, -1]) / d**2]
    return gradient, np.array([[own[0], cross], [cross, own[1]]])


@BOTH
@FAMILIES
def test_the_estimate_is_the_top_of_the_likelihood_by_brute_force(pool: Pool, family: str) -> None:
    found = pool(X, N, family=family, test="z")
    exact = pool is conditional_sites
    gradient, bend = brute(X, N, family, exact, found)
    # Central differences err by about d^2 times the third derivative.
    np.testing.assert_allclose(gradient, 0, atol=3e-4)
    assert np.sqrt(-np.linalg.inv(bend)[0, 0]) == pytest.approx(float(found.se), rel=2e-5)
    if exact:
        total = log_likelihood(X, N, family, exact)
        assert total(np.zeros(5), float(found.estimate), float(found.tau)) == pytest.approx(
            float(found.log_likelihood), rel=1e-10
        )


def test_standard_errors_of_sparse_sites_are_those_of_brute_force() -> None:
    """The one place where metafor's numerical derivative is 3e-4 off."""
    found = conditional_sites(SPARSE, FEW, test="z")
    gradient, bend = brute(SPARSE, FEW, "binomial", True, found)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    assert np.sqrt(-np.linalg.inv(bend)[0, 0]) == pytest.approx(float(found.se), rel=2e-5)


def test_no_point_of_a_grid_is_higher() -> None:
    found = conditional_sites(SPARSE, FEW)
    total = log_likelihood(SPARSE, FEW, "binomial", True)
    highest = max(
        total(np.zeros(7), b, t) for b in np.linspace(-2.5, 0.5, 25) for t in np.linspace(0, 2.5, 21)
    )
    assert highest <= float(found.log_likelihood) + 1e-9
    assert total(np.zeros(7), float(found.estimate), float(found.tau)) == pytest.approx(
        float(found.log_likelihood)
    )


def test_the_conditional_distribution_is_that_of_scipy() -> None:
    x, n, total, n0 = (np.array([v], dtype=float) for v in (9, 190, 29, 200))
    kernel = Hypergeometric(x, n, total, n0)
    for log_ratio in (-3.3, -0.52, 0.02, 1.07, 6.0):
        log, slope, bend = (float(part.item()) for part in kernel(np.array([[log_ratio]])))
        truth = stats.nchypergeom_fisher(390, 190, 29, np.exp(log_ratio))
        assert log == pytest.approx(truth.logpmf(9), rel=1e-11)
        assert slope == pytest.approx(9 - truth.mean(), abs=1e-9)
        assert bend == pytest.approx(-truth.var(), rel=1e-9)


@pytest.mark.parametrize("log_ratio", [-90.0, -45.0, 45.0, 90.0])
def test_far_out_the_conditional_curve_is_a_straight_line(log_ratio: float) -> None:
    kernel = Hypergeometric(*(np.array([v], dtype=float) for v in (9, 190, 29, 200)))
    log, slope, bend = (float(part.item()) for part in kernel(np.array([[log_ratio]])))
    support = np.arange(0, 30)
    weights = stats.hypergeom.logpmf(support, 390, 29, 190) + support * log_ratio
    assert log == pytest.approx(weights[9] - np.logaddexp.reduce(weights), rel=1e-10)
    assert slope == pytest.approx(9 if log_ratio < 0 else -20, abs=1e-9)
    assert bend == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("kernel", [Binomial, Poisson])
def test_curves_are_those_of_scipy_with_their_derivatives(kernel: type[Binomial] | type[Poisson]) -> None:
    curve = kernel(np.array([3.0]), np.array([50.0]))
    eta = np.array([[-3.0, -1.0, 0.4]])
    log, slope, bend = curve(eta)
    truth = (
        stats.binom.logpmf(3, 50, 1 / (1 + np.exp(-eta)))
        if kernel is Binomial
        else stats.poisson.logpmf(3, 50 * np.exp(eta))
    )
    np.testing.assert_allclose(log, truth, rtol=1e-12)
    up, down = curve(eta + 1e-5), curve(eta - 1e-5)
    np.testing.assert_allclose(slope, (up[0] - down[0]) / 2e-5, rtol=1e-6)
    np.testing.assert_allclose(bend, (up[1] - down[1]) / 2e-5, rtol=1e-6)
    assert np.isfinite(curve(np.array([[-1e4, 1e4]]))[1]).all()


@BOTH
@FAMILIES
def test_sets_of_sites_alone_and_together_are_the_same(pool: Pool, family: str) -> None:
    x = np.stack([X, np.vstack([SPARSE[:4], [[0, 0]]])])
    n = np.stack([N, np.vstack([FEW[:4], [[10, 12]]])])
    together = pool(x, n, family=family)
    for i, (one, births) in enumerate(((X, N), (SPARSE[:4], FEW[:4]))):
        alone = pool(one, births, family=family)
        for name in ("estimate", "se", "lower", "upper", "p", "tau", "log_likelihood"):
            np.testing.assert_allclose(
                getattr(together, name)[i], getattr(alone, name), rtol=1e-6, atol=1e-6, err_msg=name
            )
    assert together.used.tolist() == [[True] * 5, [True] * 4 + [False]]


@BOTH
def test_after_and_before_turned_round_are_the_same_change_backwards(pool: Pool) -> None:
    there = pool(X, N, family="poisson")
    back = conditional_sites(X[:, ::-1], N[:, ::-1], family="poisson")
    if pool is conditional_sites:
        np.testing.assert_allclose([back.estimate, back.tau], [-there.estimate, there.tau], rtol=1e-7)
    births = pool(N - X, N)
    np.testing.assert_allclose(births.estimate, -pool(X, N).estimate, rtol=1e-7)


@BOTH
def test_one_site_is_the_logarithm_of_its_own_ratio(pool: Pool) -> None:
    found = pool([[20, 9]], [[200, 190]], family="poisson")
    assert found.estimate == pytest.approx(np.log(9 / 190 / (20 / 200)))
    assert found.se == pytest.approx(np.sqrt(1 / 9 + 1 / 20))
    assert found.upper == pytest.approx(found.estimate + stats.norm.ppf(0.975) * found.se)
    assert found.p == pytest.approx(2 * stats.norm.cdf(found.estimate / found.se))
    assert np.isnan(found.tau)
    odds = mixed_sites([[20, 9]], [[200, 190]])
    assert odds.estimate == pytest.approx(np.log(9 / 181 / (20 / 180)))
    assert odds.se == pytest.approx(np.sqrt(1 / 9 + 1 / 181 + 1 / 20 + 1 / 180))


@BOTH
def test_intervals_are_of_t_or_normal(pool: Pool) -> None:
    normal, t = pool(X, N, test="z"), pool(X, N, test="t", confidence=0.9)
    assert normal.upper - normal.estimate == pytest.approx(stats.norm.ppf(0.975) * normal.se)
    assert t.upper - t.estimate == pytest.approx(stats.t.ppf(0.95, 4) * t.se)
    assert t.p == pytest.approx(2 * stats.t.cdf(-abs(t.estimate / t.se), 4))


@BOTH
@FAMILIES
def test_counts_all_at_one_end_have_no_finite_estimate(pool: Pool, family: str) -> None:
    down = pool([[5, 0], [3, 0], [0, 0]], [[50, 60], [40, 40], [10, 10]], family=family)
    assert down.estimate == -np.inf
    assert np.isnan([down.se, down.lower, down.upper, down.p, down.tau]).all()
    up = pool([[0, 5], [0, 3]], [[50, 60], [40, 40]], family=family)
    assert up.estimate == np.inf


@BOTH
def test_a_site_where_all_have_the_event_before_is_at_its_lowest_after(pool: Pool) -> None:
    assert pool([[5, 2], [3, 0]], [[5, 6], [40, 40]]).estimate == -np.inf
    assert pool([[2, 6], [0, 3]], [[5, 6], [40, 40]]).estimate == np.inf


@BOTH
def test_sites_at_opposite_ends_set_no_bound(pool: Pool) -> None:
    found = conditional_sites([[9, 0], [0, 9], [8, 0], [0, 8]], 40)
    assert found.tau == np.inf
    assert np.isnan([found.estimate, found.se, found.lower]).all()


@BOTH
def test_nothing_known_is_nothing_said(pool: Pool) -> None:
    found = pool([[0, 0], [np.nan, 3], [4, 4]], [[10, 10], [20, 20], [4, 4]])
    assert not found.used.any()
    assert np.isnan([found.estimate, found.se, found.tau, found.log_likelihood]).all()


def test_a_conditional_model_sees_more_variation_than_one_with_intercepts() -> None:
    """Intercepts of each site take up variation (Jackson et al. 2018): the conditional model does not."""
    assert conditional_sites(SPARSE, FEW).tau > mixed_sites(SPARSE, FEW).tau


@pytest.mark.parametrize(
    ("pool", "x", "n", "options", "error", "words"),
    [
        (mixed_sites, [3, 4], [10, 10], {}, OptionError, r"give \(..., k, 2\)"),
        (mixed_sites, [[3, 4, 5]], 10, {}, OptionError, "before and after"),
        (mixed_sites, [[11, 4]], 10, {}, OptionError, "no more events than births"),
        (mixed_sites, [["a", 4]], 10, {}, InputTypeError, "events"),
        (mixed_sites, [[1, 4]], 10, {"family": "normal"}, OptionError, "family='normal'"),
        (mixed_sites, [[1, 4]], 10, {"test": "f"}, OptionError, "test='f'"),
        (mixed_sites, [[1, 4]], 10, {"confidence": 2}, OptionError, "confidence=2"),
        (conditional_sites, [[1.5, 4]], 10, {}, OptionError, "events holds 1.5; the conditional model"),
        (conditional_sites, [[1, 4]], 10.5, {}, OptionError, "births holds 10.5"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    pool: Pool, x: object, n: object, options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        pool(x, n, **options)


@BOTH
@FAMILIES
def test_leaving_sites_out_is_pooling_the_others(pool: Pool, family: str) -> None:
    everyone = pool(X, N, family=family)
    without = pool(X, N, family=family, included=~np.eye(5, dtype=bool))
    assert without.estimate.shape == (5,)
    assert not without.used[np.eye(5, dtype=bool)].any()
    for i in range(5):
        others = pool(np.delete(X, i, 0), np.delete(N, i, 0), family=family)
        np.testing.assert_allclose(without.estimate[i], others.estimate, rtol=1e-7)
        np.testing.assert_allclose(without.tau[i], others.tau, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.delete(without.weights[i], i), others.weights, rtol=1e-6)
    assert everyone.weights.sum() == pytest.approx(1)
    # Without variation between sites the weights are those of inverse variances.
    fixed = pool(X[[0, 2]], N[[0, 2]], family="poisson")
    assert fixed.tau == 0
    information = 1 / (1 / X[[0, 2], 0] + 1 / X[[0, 2], 1])
    np.testing.assert_allclose(fixed.weights, information / information.sum(), rtol=0.01)


def test_who_is_included_is_told_by_booleans() -> None:
    with pytest.raises(InputTypeError, match="included"):
        mixed_sites(X, N, included=[1, 0, 1, 1, 1])
