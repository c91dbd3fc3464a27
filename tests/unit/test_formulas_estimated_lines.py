"""Charts with lines from a baseline: by quadrature, by listing every baseline, and by plain simulation.

Published tables of run lengths with estimated limits were not found, other than the one in
tests/reference/test_run_length_rules.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.estimated_lines import (
    baseline_totals,
    drawn_error,
    estimated_count_waiting,
    estimated_normal_waiting,
)
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.zone_chains import together
from qi_equity.formulas.zone_test_chains import beyond_limits_chain, several_beyond_chain, shift_chain

LIMITS = beyond_limits_chain()
MDC = together(
    LIMITS, several_beyond_chain(points=2, window=3, sigmas=2, same_side="all"), shift_chain(length=7)
)
Array = np.ndarray


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_a_baseline_of_two_points_by_quadrature(shift: float) -> None:
    """Their mean is normal, their distance half-normal, and the two are independent."""

    centre, distance = np.linspace(-5, 5, 801)[:, None], np.linspace(0, 12, 1601)
    half = 3 * distance * math.sqrt(math.pi) / 2
    beyond = stats.norm.cdf(centre - half - shift) + stats.norm.sf(centre + half - shift)
    weight = stats.norm.pdf(centre, scale=math.sqrt(0.5)) * 2 * stats.norm.pdf(distance, scale=math.sqrt(2))
    over = integrate.simpson(weight * (1 - (1 - beyond) ** 12), x=distance, axis=1)
    expected = float(integrate.simpson(over, x=centre[:, 0]))
    wait = estimated_normal_waiting(LIMITS, baseline=2, shift=shift)
    error = float(drawn_error(wait, 12, draws=100_000))
    assert 0.0003 < error < 0.002
    assert float(wait.within(12)) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("spread", ["mean", "screened", "median"])
def test_simulated_charts(spread: Any) -> None:
    """Twenty thousand baselines of eight points and the twelve after them, moved by half a sigma."""
    values = np.random.default_rng(11).standard_normal((20_000, 20))
    values[:, 8:] += 0.5
    lines = i_limits(values, baseline=np.arange(20) < 8, spread=spread)
    z = ((values - lines.centre_line) / lines.sigma)[:, 8:]
    found = (np.abs(z) > 3).any(axis=1)
    for t in range(2, 12):
        for side in (z[:, t - 2 : t + 1], -z[:, t - 2 : t + 1]):
            found |= (side > 0).all(axis=1) & (np.count_nonzero(side > 2, axis=1) >= 2)
    for t in range(6, 12):
        found |= np.abs(np.sign(z[:, t - 6 : t + 1]).sum(axis=1)) == 7
    wait = estimated_normal_waiting(MDC, baseline=8, shift=0.5, spread=spread, draws=20_000)
    expected = float(wait.within(12))
    assert found.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 20_000))


def test_a_long_baseline_knows_its_lines() -> None:
    wait = estimated_normal_waiting(LIMITS, baseline=2000, shift=[0.0, 2.0], draws=2000)
    np.testing.assert_allclose(wait.mean(), [370.4, 6.3], rtol=0.02)
    assert wait.mean().shape == (2,)


def test_the_error_is_that_of_other_seeds() -> None:
    """Thirty seeds spread as the error says: chi-squared at 1 in 10,000."""
    waits = [estimated_normal_waiting(LIMITS, baseline=6, draws=1000, seed=seed) for seed in range(30)]
    ratio = (
        np.var([float(w.within(12)) for w in waits], ddof=1)
        / float(drawn_error(waits[0], 12, draws=1000)) ** 2
    )
    assert stats.chi2.ppf(1e-4, 29) / 29 < ratio < stats.chi2.ppf(1 - 1e-4, 29) / 29
    assert drawn_error(
        estimated_normal_waiting(LIMITS, baseline=6, shift=[0, 1]), [12, 6], draws=1000
    ).shape == (2,)


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, two, three = (
        estimated_normal_waiting(LIMITS, baseline=6, draws=1000, seed=seed).survival for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, three)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.one_of(st.just(0.0), st.floats(1e-6, 1)),
    st.sampled_from(["binomial", "poisson"]),
)
def test_totals_are_those_of_the_distribution(births: list[int], chance: float, distribution: Any) -> None:
    totals, weights = baseline_totals(births, chance, distribution=distribution)
    size = sum(births)
    law = stats.binom(size, chance) if distribution == "binomial" else stats.poisson(size * chance)
    assert (np.diff(totals) > 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    listed = weights > 0
    np.testing.assert_allclose(weights[listed], law.pmf(totals[listed]), atol=2e-9)
    assert totals[0] == 0
    assert weights[0] == pytest.approx(law.pmf(0), abs=1e-12)


def test_totals_of_strata_together_are_those_alone() -> None:
    births = np.array([[10, 12], [400, 500], [0, 0]])
    chance = np.array([0.1, 0.3, 0.2])
    totals, weights = baseline_totals(births, chance, distribution="binomial")
    for i in range(3):
        alone, weight = baseline_totals(births[i], chance[i], distribution="binomial")
        np.testing.assert_array_equal(totals[i, : len(alone)], alone)
        np.testing.assert_allclose(weights[i, : len(alone)], weight, atol=1e-15)
        assert (weights[i, len(alone) :] == 0).all()
    assert weights[2, 0] == 1


@pytest.mark.parametrize(("chance", "total"), [(0.0, 0), (1.0, 12)])
def test_a_baseline_that_is_sure(chance: float, total: int) -> None:
    totals, weights = baseline_totals([5, 7], chance, distribution="binomial")
    assert totals[weights == 1].tolist() == [total]
    assert weights.sum() == 1


def p_lines(births: Array) -> Any:
    def lines(centre: Array) -> Any:
        sd = np.sqrt(centre * (1 - centre) / births)
        return tuple((centre - m * sd, centre + m * sd) for m in (1, 2, 3))

    return lines


def test_every_baseline_of_a_p_chart_listed() -> None:
    """Twelve and twenty births in turn after a baseline of sixty: limits, by the definition."""
    births = np.array([12.0, 20.0])
    wait = estimated_count_waiting(
        LIMITS,
        p_lines(births),
        births=births,
        baseline=[30, 30],
        before=0.15,
        after=0.3,
        distribution="binomial",
    )
    expected = 0.0
    for events in range(61):
        quiet = 1.0
        p = events / 60
        for n in (12, 20, 12, 20, 12):
            sd = math.sqrt(p * (1 - p) / n)
            inside = [k for k in range(n + 1) if p - 3 * sd <= k / n <= p + 3 * sd]
            quiet *= float(np.sum(stats.binom.pmf(inside, n, 0.3))) if events else 1
        expected += stats.binom.pmf(events, 60, 0.15) * (1 - quiet)
    assert float(wait.within(5)) == pytest.approx(expected, abs=1e-8)


def test_every_baseline_of_a_u_chart_simulated() -> None:
    rng = np.random.default_rng(12)
    exposure = np.array([8.0, 10.0, 12.0])

    def lines(centre: Array) -> Any:
        sd = np.sqrt(centre / exposure)
        return None, None, (centre - 3 * sd, centre + 3 * sd)

    chain = together(LIMITS, shift_chain(length=4))
    wait = estimated_count_waiting(
        chain, lines, births=exposure, baseline=np.full(10, 10.0), before=0.31, distribution="poisson"
    )
    centre = (rng.poisson(31, 50_000) / 100)[:, None]
    rates = rng.poisson(0.31 * np.tile(exposure, 2), (50_000, 6)) / np.tile(exposure, 2)
    found = (np.abs(rates - centre) > 3 * np.sqrt(centre / np.tile(exposure, 2))).any(axis=1)
    for t in range(3, 6):
        found |= np.abs(np.sign(rates - centre)[:, t - 3 : t + 1].sum(axis=1)) == 4
    expected = float(wait.within(6))
    assert found.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 50_000))


def test_a_baseline_without_events_never_signals() -> None:
    births = np.array([5.0])
    wait = estimated_count_waiting(
        together(LIMITS, shift_chain(length=3)),
        p_lines(births),
        births=births,
        baseline=[5] * 4,
        before=0.05,
        after=0.5,
        distribution="binomial",
    )
    assert float(wait.mean()) == math.inf
    assert float(wait.within(10_000)) == pytest.approx(1 - 0.95**20, rel=1e-9)
    none = estimated_count_waiting(
        LIMITS,
        p_lines(births),
        births=births,
        baseline=[5] * 4,
        before=0.0,
        after=0.5,
        distribution="binomial",
    )
    assert float(none.within(1000)) == 0


def test_strata_before_and_after_fit_together() -> None:
    births = np.array([[40.0, 60.0], [10.0, 20.0]])
    wait = estimated_count_waiting(
        MDC,
        p_lines(births[:, None, :]),
        births=births,
        baseline=births,
        before=[0.2, 0.1],
        after=np.array([0.2, 0.05]),
        distribution="binomial",
    )
    for i, (before, after) in enumerate([(0.2, 0.2), (0.1, 0.05)]):
        alone = estimated_count_waiting(
            MDC,
            p_lines(births[i]),
            births=births[i],
            baseline=births[i],
            before=before,
            after=after,
            distribution="binomial",
        )
        assert float(wait.within(12)[i]) == pytest.approx(float(alone.within(12)), rel=1e-9)


def test_a_thinned_baseline_answers_as_the_whole_one() -> None:
    """Half a million events in the baseline: more totals than are listed."""
    births = np.array([40_000.0])
    options: Any = {
        "births": births,
        "baseline": births.repeat(120),
        "before": 0.1,
        "distribution": "binomial",
    }
    thin = estimated_count_waiting(LIMITS, p_lines(births), **options)
    whole = estimated_count_waiting(LIMITS, p_lines(births), most=10**6, **options)
    assert thin.hazard.shape[0] < 4098 < whole.hazard.shape[0]
    assert float(thin.within(12)) == pytest.approx(float(whole.within(12)), abs=1e-6)
    for most in range(40, 60):
        totals, weights = baseline_totals([4000] * 12, 0.1, distribution="poisson", most=most)
        assert totals.size <= most + 1
        assert (weights * totals).sum() == pytest.approx(4800, abs=1)
        assert (totals == np.floor(totals)).all()


def test_options_are_checked() -> None:
    for options, message in (
        ({"baseline": 1}, "baseline=1 is too small; give 2 or more"),
        ({"baseline": 6, "draws": 10}, "draws=10 is too small"),
        ({"baseline": 6, "seed": -1}, "seed=-1"),
        ({"baseline": 6, "spread": "sd"}, "spread='sd' is not allowed"),
        ({"baseline": 6, "constants": "old"}, "constants='old' is not allowed"),
    ):
        with pytest.raises(OptionError, match=message):
            estimated_normal_waiting(LIMITS, **options)
    with pytest.raises(InputTypeError, match="baseline"):
        estimated_normal_waiting(LIMITS, baseline=6.5)
    for births, chance in (
        ([-1], 0.1),
        ([math.nan], 0.1),
        ([5], 1.1),
        ([5], -0.1),
        ([5], math.nan),
        ([math.inf], 0.1),
    ):
        with pytest.raises(OptionError, match="births and chance hold missing or impossible"):
            baseline_totals(births, chance, distribution="binomial")
    with pytest.raises(OptionError, match="parts of a birth"):
        baseline_totals([5.5], 0.1, distribution="binomial")
    with pytest.raises(OptionError, match="distribution='normal' is not allowed"):
        baseline_totals([5], 0.1, distribution="normal")
    with pytest.raises(OptionError, match="tolerance=0"):
        baseline_totals([5], 0.1, distribution="binomial", tolerance=0)
    with pytest.raises(OptionError, match="most=0 is too small"):
        baseline_totals([5], 0.1, distribution="binomial", most=0)
    wait = estimated_normal_waiting(LIMITS, baseline=6, draws=1000)
    with pytest.raises(OptionError, match="draws=5 is too small"):
        drawn_error(wait, 12, draws=5)
