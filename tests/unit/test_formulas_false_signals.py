"""False-signal probabilities by listing every possible series, and by simulation with its error."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import false_signals
from qi_equity.formulas.attributes import c_limits, p_limits
from qi_equity.formulas.false_signals import (
    anhoej_false_signal,
    beyond_limits_false_signal,
    median_false_signal,
    runs_false_signal,
)
from qi_equity.formulas.probability_limits import p_probability_limits

NAN = math.nan


def listed(n: int, chance: float) -> float:
    """Probability of a signal over all 2**n series, with the published limits worked out anew."""
    longest_max = round(math.log2(n)) + 3
    crossings_min = int(stats.binom.ppf(0.05, n - 1, 0.5)) if n > 1 else 0
    signal = 0.0
    for series in itertools.product((0, 1), repeat=n):
        runs = [len(list(run)) for _, run in itertools.groupby(series)]
        if max(runs) > longest_max or len(runs) - 1 < crossings_min:
            signal += chance ** sum(series) * (1 - chance) ** (n - sum(series))
    return signal


@pytest.mark.parametrize("chance", [0.0, 0.2, 0.5, 0.57, 1.0])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 12, 14])
def test_runs_by_listing_all_series(n: int, chance: float) -> None:
    assert float(anhoej_false_signal(n, chance)) == pytest.approx(listed(n, chance), abs=1e-12)


def test_runs_of_a_fair_coin_by_simulation() -> None:
    rng = np.random.default_rng(11)
    n, runs = 24, 100_000
    coins = rng.random((runs, n)) < 0.45
    change = coins[:, 1:] != coins[:, :-1]
    position = np.where(change, np.arange(1, n), 0)
    start = np.maximum.accumulate(np.concatenate([np.zeros((runs, 1), dtype=int), position], axis=1), axis=1)
    longest = (np.arange(n) - start + 1).max(axis=1)
    share = ((longest > 8) | (change.sum(axis=1) < 8)).mean()
    exact = float(anhoej_false_signal(n, 0.45))
    assert abs(share - exact) < 4 * math.sqrt(exact * (1 - exact) / runs)


def test_strata_together_are_strata_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the distinct chances do not fit in one block."""
    monkeypatch.setattr(false_signals, "_BLOCK", 3)
    rng = np.random.default_rng(12)
    n, chance = rng.integers(0, 14, (5, 8)), rng.uniform(0.3, 0.7, (5, 8)).round(2)
    chance[0, 0] = NAN
    found = anhoej_false_signal(n, chance)
    for i, j in np.ndindex(5, 8):
        alone = float(anhoej_false_signal(int(n[i, j]), float(chance[i, j])))
        np.testing.assert_allclose(found[i, j], alone, atol=1e-14)


def test_no_point_never_signals_and_an_unknown_chance_is_nan() -> None:
    np.testing.assert_array_equal(anhoej_false_signal([0, 1, 10], [0.5, 0.5, NAN]), [0, 0, NAN])
    assert anhoej_false_signal(12).shape == ()
    assert anhoej_false_signal([12]).shape == (1,)
    assert anhoej_false_signal(12, [0.4, 0.6]).shape == (2,)
    assert anhoej_false_signal(np.empty(0, dtype=int)).shape == (0,)


def test_above_and_below_are_alike() -> None:
    n = np.arange(1, 40)
    np.testing.assert_allclose(anhoej_false_signal(n, 0.37), anhoej_false_signal(n, 0.63), atol=1e-13)


@pytest.mark.parametrize("chance", [-0.1, 1.2])
def test_a_chance_is_a_chance(chance: float) -> None:
    with pytest.raises(OptionError, match=rf"chance holds {chance}; give values from 0 to 1"):
        anhoej_false_signal(12, chance)


def test_numbers_of_points_are_counts() -> None:
    with pytest.raises(InputTypeError, match=r"n_useful=12\.5 does not hold whole numbers"):
        anhoej_false_signal(12.5)
    with pytest.raises(InputTypeError, match=r"n_useful=-3 does not hold whole numbers"):
        anhoej_false_signal(-3)


def any_beyond(values: np.ndarray, chances: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """One minus the product over periods of the probability to stay within the limits."""
    inside = 1.0
    for pmf, y, low, high in zip(chances, values, lower, upper, strict=True):
        inside *= pmf[(y >= low) & (y <= high)].sum()
    return 1 - inside


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("formula", [p_limits, p_probability_limits])
def test_binomial_by_enumeration(p: float, formula: object) -> None:
    births = np.array([1, 12, 28, 66, 100])
    limits = formula(np.zeros(5), births, centre_line=p)
    counts = [np.arange(n + 1) for n in births]
    expected = any_beyond(
        [k / n for k, n in zip(counts, births, strict=True)],
        [stats.binom.pmf(k, n, p) for k, n in zip(counts, births, strict=True)],
        limits.lower,
        limits.upper,
    )
    found = beyond_limits_false_signal(p, limits.lower, limits.upper, distribution="binomial", size=births)
    assert float(found) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.3), (0.2, 0.2), (0, 1), (0.15, 0.25)])
def test_a_count_on_a_limit_does_not_signal(low: float, high: float) -> None:
    """10 births: the limits lie on counts, as floats that multiplied by 10 need not be whole."""
    k = np.arange(11)
    pmf = stats.binom.pmf(k, 10, 0.2)
    expected = pmf[(k / 10 < low) | (k / 10 > high)].sum()
    found = beyond_limits_false_signal([0.2], low, high, distribution="binomial", size=10)
    assert float(found) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("n", [10, 49, 98, 187])
def test_limits_on_counts_whatever_their_quotients_round_to(n: int) -> None:
    """1 / 49 * 49 is below 1; other quotients come back above their count."""
    k = np.arange(n + 1)
    pmf = stats.binom.pmf(k, n, 0.3)
    limits = (k / n)[:, np.newaxis]
    found = beyond_limits_false_signal(0.3, limits, 1, distribution="binomial", size=n)
    np.testing.assert_allclose(found, [pmf[k < limit].sum() for limit in k], rtol=1e-9, atol=1e-14)
    found = beyond_limits_false_signal(0.3, 0, limits, distribution="binomial", size=n)
    np.testing.assert_allclose(found, [pmf[k > limit].sum() for limit in k], rtol=1e-9, atol=1e-14)


def test_poisson_by_enumeration() -> None:
    exposure = np.array([0.5, 1, 3.7, 20])
    low, high = np.array([0, 0.5, 2 / 3.7, 0.4]), np.array([6, 5, 10 / 3.7, 2.5])
    k = np.arange(400)
    expected = any_beyond(k / exposure[:, None], stats.poisson.pmf(k, 1.3 * exposure[:, None]), low, high)
    found = beyond_limits_false_signal(1.3, low, high, distribution="poisson", size=exposure)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_size_is_one_for_counts() -> None:
    limits = c_limits([4, 4, 4])
    expected = 1 - stats.poisson.cdf(10, 4) ** 3
    found = beyond_limits_false_signal(4, limits.lower, limits.upper, distribution="poisson")
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_normal_by_scipy() -> None:
    expected = 1 - (stats.norm.cdf(8, 5, 2) - stats.norm.cdf(1, 5, 2)) * (1 - 2 * stats.norm.sf(3))
    found = beyond_limits_false_signal([5, 0], [1, -3], [8, 3], distribution="normal", sigma=[2, 1])
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_a_constant_series_cannot_signal() -> None:
    assert float(beyond_limits_false_signal([5, 5], 5, 5, distribution="normal", sigma=0)) == 0


def test_periods_without_limits_count_for_nothing() -> None:
    found = beyond_limits_false_signal(
        [[0, NAN, 0], [NAN] * 3], -3, [3, 3, NAN], distribution="normal", sigma=1
    )
    np.testing.assert_allclose(found, [2 * stats.norm.sf(3), 0], rtol=1e-12)
    found = beyond_limits_false_signal([0.1, 0.1], 0, 0, distribution="binomial", size=[0, 1])
    assert float(found) == pytest.approx(0.1)


def test_certain_signals_have_probability_one_without_a_warning() -> None:
    assert float(beyond_limits_false_signal([0.5], 0.6, 0.4, distribution="binomial", size=10)) == 1


def test_distributions_are_named() -> None:
    with pytest.raises(
        OptionError, match=r"distribution='t' is not allowed; use one of 'binomial', 'poisson'"
    ):
        beyond_limits_false_signal([1], 0, 2, distribution="t")


def naive_runs(sides: tuple[int, ...], longest_max: int, crossings_min: int) -> bool:
    runs = [len(list(run)) for _, run in itertools.groupby(sides)]
    return max(runs) > longest_max or len(runs) - 1 < crossings_min


@pytest.mark.parametrize(("longest_max", "crossings_min"), [(6, 2), (3, 0), (10, 4), (3, 3), (1, 9), (0, 0)])
def test_runs_and_limits_by_listing_all_series(longest_max: int, crossings_min: int) -> None:
    """Ten points with chances of their own: of low inside, high inside, and beyond the limits."""
    rng = np.random.default_rng(13)
    low, high, _ = rng.dirichlet([8, 8, 0.2], 10).T
    quiet = sum(
        math.prod(low[t] if side else high[t] for t, side in enumerate(sides))
        for sides in itertools.product((0, 1), repeat=10)
        if not naive_runs(sides, longest_max, crossings_min)
    )
    found = runs_false_signal(low, high, longest_max=longest_max, crossings_min=crossings_min)
    assert float(found) == pytest.approx(1 - quiet, abs=1e-13)


def test_points_that_are_not_useful_are_passed_over() -> None:
    low = np.array([0.5, NAN, 0.3, 0.6, NAN, 0.2, 0.5, 0.5])
    kept = low[~np.isnan(low)]
    assert float(runs_false_signal(low, 1 - low)) == pytest.approx(float(runs_false_signal(kept, 1 - kept)))
    assert float(runs_false_signal([NAN, NAN], [NAN, NAN])) == 0
    assert runs_false_signal(np.empty((0, 5)), np.empty((0, 5))).shape == (0,)


def test_without_limits_and_with_one_chance_it_is_that_of_the_runs_tests() -> None:
    n, chance = np.array([0, 1, 5, 12, 24]), np.array([0.5, 0.4, 0.6, 0.45, 0.5])
    high = np.where(np.arange(24) < n[:, None], chance[:, None], NAN)
    found = runs_false_signal(1 - high, high)
    np.testing.assert_allclose(found, anhoej_false_signal(n, chance), atol=1e-14)


def test_sides_and_limits_are_independent_when_the_sides_are_alike() -> None:
    inside = stats.norm.cdf(3) - 0.5
    found = runs_false_signal([inside] * 24, [inside] * 24)
    expected = 1 - (1 - anhoej_false_signal(24)) * (2 * inside) ** 24
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


def test_strata_together_are_strata_alone_with_limits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_signals, "_BLOCK", 2)
    rng = np.random.default_rng(14)
    low, high, _ = np.moveaxis(rng.dirichlet([5, 5, 0.1], (3, 4, 9)), -1, 0)
    low = np.where(rng.random(low.shape) < 0.2, NAN, low)
    longest, fewest = rng.integers(3, 7, (3, 4)), rng.integers(0, 4, (3, 4))
    found = runs_false_signal(low, high, longest_max=longest, crossings_min=fewest)
    for i, j in np.ndindex(3, 4):
        alone = runs_false_signal(
            low[i, j], high[i, j], longest_max=int(longest[i, j]), crossings_min=int(fewest[i, j])
        )
        assert float(found[i, j]) == pytest.approx(float(alone), abs=1e-14)


def test_chances_of_runs_are_checked() -> None:
    for low, high in (([0.6], [0.5]), ([-0.1], [0.5]), ([0.5], [-0.5])):
        with pytest.raises(OptionError, match="do not hold chances of 0 to 1 that add up to 1 at most"):
            runs_false_signal(low, high)
    with pytest.raises(InputTypeError, match=r"longest_max=3\.5 does not hold whole numbers"):
        runs_false_signal([0.5], [0.5], longest_max=3.5)


# -- about the median of the same points


@pytest.mark.parametrize(("above", "below"), [(3, 5), (6, 4), (1, 7), (5, 5), (0, 6), (7, 0), (1, 1), (0, 1)])
def test_the_median_by_listing_all_orders(above: int, below: int) -> None:
    n = above + below
    orders = [[i in up for i in range(n)] for up in itertools.combinations(range(n), above)]
    runs = [[len(list(run)) for _, run in itertools.groupby(order)] for order in orders]
    for longest, fewest in ((2, 3), (3, 2), (n, 4), (n, 0), (3, 0), (0, 0), (2, 1)):
        expected = np.mean([max(r) > longest or len(r) - 1 < fewest for r in runs])
        found = median_false_signal(above, below, longest_max=longest, crossings_min=fewest)
        assert float(found) == pytest.approx(expected, abs=1e-13)


def test_the_median_of_many_shapes() -> None:
    found = median_false_signal([[10, 6], [12, 0]], [[12], [14]])
    assert found.shape == (2, 2)
    assert found[0, 0] == median_false_signal(10, 12) == median_false_signal(12, 10)
    assert median_false_signal(0, 0) == 0
    assert median_false_signal(3, 3) == 0
    assert median_false_signal(np.empty(0, dtype=int), 3).shape == (0,)


def test_long_series_about_their_median_do_not_overflow() -> None:
    """The share of orders whose runs number at most r, after Wald and Wolfowitz, in exact fractions."""
    above, below, fewest = 600, 700, 630
    orders = sum(
        math.comb(above - 1, ups - 1) * math.comb(below - 1, downs - 1)
        for ups in range(1, fewest)
        for downs in (ups - 1, ups, ups, ups + 1)
        if downs > 0 and ups + downs - 1 < fewest
    )
    found = median_false_signal(above, below, longest_max=1300, crossings_min=fewest)
    assert float(found) == pytest.approx(orders / math.comb(1300, 600), rel=1e-9)


def test_the_median_is_checked() -> None:
    with pytest.raises(InputTypeError, match=r"above=2\.5 does not hold whole numbers"):
        median_false_signal(2.5, 3)
    with pytest.raises(OptionError, match="shapes do not fit"):
        median_false_signal([1, 2, 3], [1, 2])
