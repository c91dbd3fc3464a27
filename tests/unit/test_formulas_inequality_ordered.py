"""Concentration and slope indices: published numbers, statsmodels, derivatives, edges.

Published worked examples: the vectors in the tests of healthequal 1.0.1 and PHEindicatormethods 2.1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from qi_equity.errors import OptionError
from qi_equity.formulas.ordered_inequality import (
    concentration_index,
    concentration_index_error,
    concentration_regression_error,
    midpoint_ranks,
    slope_indices,
)

BIRTHS, VALUES = np.array([78, 91, 162, 103, 105]), np.array([0.2, 0.3, 0.4, 0.5, 0.6])
EVENTS = np.array([16, 27, 65, 52, 63])


def test_concentration_of_the_who_package() -> None:
    assert 100 * concentration_index(VALUES, BIRTHS) == pytest.approx(7.3284202, rel=2e-7)
    assert concentration_index(VALUES, BIRTHS, kind="relative") == pytest.approx(0.17776859, rel=2e-7)


def test_slope_of_the_who_package_with_each_birth_counting_once() -> None:
    found = slope_indices(EVENTS / BIRTHS, BIRTHS, link="logit")
    assert 100 * found.slope == pytest.approx(44.905, abs=5e-4)
    assert found.ratio == pytest.approx(3.2239, abs=5e-5)


def test_slope_of_ohid() -> None:
    births = [7291, 7997, 6105, 7666, 5790, 6934, 5918, 5974, 7147, 7534]
    values = [75.933459, 78.344238, 83.836063, 83.637540, 80.465503]
    values += [81.115676, 81.693084, 84.190006, 80.595564, 86.289435]
    found = slope_indices(values, births, link="linear")
    assert found.slope == pytest.approx(6.934616, abs=5e-6)
    assert found.ratio == pytest.approx(1.088818, abs=5e-6)
    assert np.isnan(found.slope_error)


@pytest.mark.parametrize("link", ["logit", "log", "linear"])
def test_fit_is_that_of_statsmodels(link: Any) -> None:
    rng = np.random.default_rng(11)
    for _ in range(5):
        n = rng.integers(50, 900, 5).astype(float)
        x = rng.binomial(n.astype(int), rng.uniform(0.02, 0.3, 5)).astype(float)
        design = sm.add_constant(midpoint_ranks(n))
        if link == "logit":
            model = sm.GLM(np.c_[x, n - x], design, family=sm.families.Binomial())
        elif link == "log":
            model = sm.GLM(x, design, family=sm.families.Poisson(), exposure=n)
        else:
            model = sm.WLS(x / n, design, weights=n)
        fitted = model.fit(tol=1e-13) if link != "linear" else model.fit()
        ends = np.array([[1.0, 0.0], [1.0, 1.0]])
        kwargs = {"exposure": np.ones(2)} if link == "log" else {}
        low, high = fitted.predict(ends, **kwargs)
        found = slope_indices(x / n, n, link=link)
        assert found.slope == pytest.approx(high - low, rel=1e-9)
        assert found.ratio == pytest.approx(high / low, rel=1e-9)


def by_derivative(measure: Callable[[np.ndarray], Any], y: np.ndarray, s: np.ndarray) -> float:
    step = 1e-6
    moves = [(measure(y + e) - measure(y - e)) / (2 * step) for e in np.eye(len(y)) * step]
    return float(np.sqrt(((np.array(moves) * s) ** 2).sum()))


@pytest.mark.parametrize("link", ["logit", "log", "linear"])
def test_errors_of_the_slope_are_those_of_the_derivative(link: Any) -> None:
    y, n = EVENTS / BIRTHS, BIRTHS
    s = np.sqrt(y * (1 - y) / n)
    found = slope_indices(y, n, s, link=link)
    assert found.slope_error == pytest.approx(
        by_derivative(lambda v: slope_indices(v, n, link=link).slope, y, s)
    )
    log_ratio = by_derivative(lambda v: np.log(slope_indices(v, n, link=link).ratio), y, s)
    assert found.log_ratio_error == pytest.approx(log_ratio)


def test_error_of_the_logit_slope_is_the_robust_one_of_births_as_rows() -> None:
    # The sandwich with one row a birth has the lack of fit in it, too; where the line fits they are alike.
    n = np.array([400, 300, 500, 350, 450])
    x = np.rint(n / (1 + np.exp(2.5 - 1.2 * midpoint_ranks(n))))
    rows = np.concatenate([np.repeat([1.0, 0.0], [int(a), int(b - a)]) for a, b in zip(x, n, strict=True)])
    rank = np.repeat(midpoint_ranks(n), n)
    fitted = sm.GLM(rows, sm.add_constant(rank), family=sm.families.Binomial()).fit(cov_type="HC0")
    low, high = fitted.predict(np.array([[1.0, 0.0], [1.0, 1.0]]))
    moves = np.array([(1 - high) - (1 - low), 1 - high])
    wanted = np.sqrt(moves @ fitted.cov_params() @ moves)
    y = x / n
    found = slope_indices(y, n, np.sqrt(y * (1 - y) / n), link="logit")
    assert found.log_ratio_error == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("kind", ["absolute", "relative", "wagstaff", "erreygers"])
def test_errors_of_the_concentration_index_are_those_of_the_derivative(kind: Any) -> None:
    s = np.sqrt(VALUES * (1 - VALUES) / BIRTHS)
    wanted = by_derivative(lambda v: concentration_index(v, BIRTHS, kind=kind), VALUES, s)
    assert concentration_index_error(VALUES, BIRTHS, s, kind=kind) == pytest.approx(wanted)


def test_the_absolute_index_is_the_straight_slope_times_the_spread_of_ranks() -> None:
    ranks, p = midpoint_ranks(BIRTHS), BIRTHS / BIRTHS.sum()
    spread = (p * (ranks - 0.5) ** 2).sum()
    slope = slope_indices(VALUES, BIRTHS, link="linear").slope
    assert concentration_index(VALUES, BIRTHS) == pytest.approx(2 * spread * slope)


def test_regression_error_is_that_of_weighted_least_squares() -> None:
    ranks, p = midpoint_ranks(BIRTHS), BIRTHS / BIRTHS.sum()
    y = np.array([0.2, 0.35, 0.3, 0.5, 0.55])
    fitted = sm.WLS(2 * (p * (ranks - 0.5) ** 2).sum() * y, sm.add_constant(ranks), weights=BIRTHS).fit()
    assert concentration_regression_error(y, BIRTHS) == pytest.approx(fitted.bse[1])
    assert concentration_index(y, BIRTHS) == pytest.approx(fitted.params[1])
    assert np.isnan(concentration_regression_error([0.1, 0.2], [50, 60]))


def test_all_strata_at_once_with_groups_left_out() -> None:
    y = np.array([[0.2, np.nan, 0.4, 0.5, 0.6], VALUES])
    n = np.array([[78, 91, 162, 0, 105.0], BIRTHS])
    for link in ("logit", "log", "linear"):
        both = slope_indices(y, n, link=link)
        alone = slope_indices([0.2, 0.4, 0.6], [78, 162, 105], link=link)
        assert both.slope[0] == pytest.approx(alone.slope, rel=1e-9)
    assert concentration_index(y, n)[0] == pytest.approx(concentration_index([0.2, 0.4, 0.6], [78, 162, 105]))
    assert midpoint_ranks([20, 0, 80])[[0, 2]] == pytest.approx([0.1, 0.6])


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.3]])
def test_no_fit_without_a_finite_solution(values: list[float]) -> None:
    found = slope_indices(values, [50, 60, 70], [0.1] * 3, link="logit")
    assert np.isnan(found.slope)
    assert np.isnan(found.ratio)


def test_no_ratio_of_a_line_that_ends_below_zero() -> None:
    found = slope_indices([0.3, 0.05, 0.01], [50, 60, 70], [0.1] * 3, link="linear")
    assert found.slope < 0
    assert np.isnan(found.ratio)
    assert np.isnan(found.log_ratio_error)


def test_no_relative_index_of_a_mean_of_zero_or_one() -> None:
    assert np.isnan(concentration_index([0.0, 0.0], [5, 5], kind="relative"))
    assert np.isnan(concentration_index([1.0, 1.0], [5, 5], kind="wagstaff"))
    assert np.isnan(concentration_index([0.1], [5]))


def test_unknown_kinds_and_links_are_refused() -> None:
    with pytest.raises(OptionError, match="kind='relativ' is not allowed"):
        concentration_index(VALUES, BIRTHS, kind="relativ")
    with pytest.raises(OptionError, match="link='probit' is not allowed"):
        slope_indices(VALUES, BIRTHS, link="probit")


def test_a_step_that_overshoots_is_halved() -> None:
    # Two groups are fitted exactly, whatever lies between them; a whole first step runs away.
    y, n = np.array([1 / 3000, 30 / 61]), np.array([3000, 61])
    found = slope_indices(y, n, link="logit")
    low, high = np.log(y / (1 - y))
    steep = (high - low) / np.diff(midpoint_ranks(n))[0]
    ends = [1 / (1 + np.exp(-(low + steep * (r - midpoint_ranks(n)[0])))) for r in (0, 1)]
    assert found.ratio == pytest.approx(ends[1] / ends[0], rel=1e-9)
