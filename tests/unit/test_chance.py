"""False signals of charts and of planned charts, by listing every series that could have been."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import rule_tests, zone_tests
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum
from qi_equity.formulas.boxes import runs_limits
from qi_equity.formulas.false_signals import median_false_signal
from qi_equity.formulas.risk_adjusted import poisson_risk_adjusted_cusum, risk_adjusted_cusum
from qi_equity.formulas.runs import crossings, longest_run, useful
from qi_equity.formulas.runs_distribution import runs_count_limits
from qi_equity.spc import simulated
from qi_equity.spc.chance import ANY_ORDER, KNOWN, PARTLY, FalseSignals, false_signals, how_reckoned
from qi_equity.spc.expected_signals import false_signal_probability
from qi_equity.spc.kinds_between import G
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Cusum, Ewma, RiskAdjustedCusum
from qi_equity.spc.lines import ONE_SIGMA
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RuleSet,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)

Make = Callable[..., qe.StratifiedSeries]


def a_set(*tests: Test) -> RuleSet:
    return RuleSet("ours", "1", "test", tests)


def marks(test: Test, y: np.ndarray, chart: qe.ControlChart) -> np.ndarray:
    """Which of the series y (N, T) one test marks somewhere, by the functions that mark points."""
    line, low, high = chart.centre_line[0], chart.lower[0], chart.upper[0]
    low_2s, high_2s = chart.lower_2s[0], chart.upper_2s[0]
    one = chart._case().lines(ONE_SIGMA).limits
    if isinstance(test, Crossings | LongestRun):
        sides = useful(y, line)
        n, crossed = np.count_nonzero(sides, axis=1), crossings(sides)
        longest_max, crossings_min = runs_limits(n, crossed, method=test.method)
        return longest_run(sides) > longest_max if isinstance(test, LongestRun) else crossed < crossings_min
    found: Any
    match test:
        case BeyondLimits():
            found = rule_tests.beyond_limits(y, low, high)
        case Shift():
            found = rule_tests.shift(y, line, length=test.length, ties=test.ties, missing=test.missing)
        case Trend():
            found = rule_tests.trend(y, length=test.length, ties=test.ties)
        case TwoInThree():
            found = zone_tests.two_in_three(
                y,
                low_2s,
                high_2s,
                line,
                low,
                high,
                beyond_three_counts=test.beyond_three_counts,
                same_side=test.same_side,
            )
        case FourInFive():
            found = zone_tests.four_in_five(
                y, one.lower[0], one.upper[0], line, window=test.window, same_side=test.same_side
            )
        case Within():
            found = (zone_tests.within(y, one.lower[0], one.upper[0], length=test.length),)
        case Outside():
            found = (zone_tests.outside(y, one.lower[0], one.upper[0], length=test.length),)
        case Alternating():
            found = (rule_tests.alternating(y, length=test.length),)
        case _:
            raise NotImplementedError
    return np.any(found, axis=(0, 2))


def every_series(births: list[int], chance: float) -> tuple[np.ndarray, np.ndarray]:
    """All series of proportions, and the probability of each."""
    counts = np.array(list(itertools.product(*(range(n + 1) for n in births))))
    return counts / births, stats.binom.pmf(counts, births, chance).prod(axis=1)


BIRTHS = [4, 6, 3, 5, 4, 6]


@pytest.fixture
def small(make_series: Make) -> qe.StratifiedSeries:
    """Six periods of few births, half of them with the event: 29,400 series could have been."""
    return make_series([2, 3, 1, 3, 2, 3], BIRTHS)


EXACT = {
    "limits": a_set(BeyondLimits()),
    "shift": a_set(Shift(3)),
    "shift past ties": a_set(Shift(3, ties="skip")),
    "two in three": a_set(TwoInThree(same_side="all")),
    "two in three of one side": a_set(TwoInThree(same_side="beyond", beyond_three_counts=False)),
    "two in three of any side": a_set(TwoInThree(same_side="any")),
    "four in five": a_set(FourInFive()),
    "four in four": a_set(FourInFive(window=4, same_side="any")),
    "within": a_set(Within(3)),
    "outside": a_set(Outside(2)),
    "all zones": a_set(BeyondLimits(), Shift(4), TwoInThree(), FourInFive(), Within(4), Outside(3)),
}


@pytest.mark.parametrize("name", EXACT)
def test_zone_tests_by_listing_all_series(small: qe.StratifiedSeries, name: str) -> None:
    chart = qe.control_chart(small, P("classical"), rules=EXACT[name])
    y, weight = every_series(BIRTHS, 0.5)
    expected = weight[np.any([marks(t, y, chart) for t in EXACT[name].tests], axis=0)].sum()
    found = false_signals(chart, 0)
    assert found.probability[0] == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert found.standard_error[0] == 0
    assert how_reckoned(chart) == KNOWN == "reckoned for known lines"


@pytest.mark.parametrize(
    "rules",
    [
        a_set(Trend(3)),
        a_set(Trend(4, ties="skip"), BeyondLimits()),
        a_set(BeyondLimits(), Shift(4), Trend(4), TwoInThree()),
        a_set(Alternating(5)),
        a_set(LongestRun(), Crossings(), Shift(5)),
        a_set(Alternating(4), FourInFive(), Within(5)),
    ],
    ids=["trend", "trend and limits", "four tests", "alternating", "runs and shift", "zones"],
)
def test_other_tests_are_simulated_with_their_error(small: qe.StratifiedSeries, rules: RuleSet) -> None:
    chart = qe.control_chart(small, "p", rules=rules)
    y, weight = every_series(BIRTHS, 0.5)
    expected = weight[np.any([marks(t, y, chart) for t in rules.tests], axis=0)].sum()
    found = false_signals(chart, 0)
    assert abs(found.probability[0] - expected) < 4 * found.standard_error[0]
    assert 0 < found.standard_error[0] < 0.0113  # that of 2,000 charts
    assert how_reckoned(chart) == PARTLY == "reckoned for known lines, partly by simulation"


def test_what_is_followed_has_no_part_in_the_error(small: qe.StratifiedSeries) -> None:
    """Only what trends add to the tests of zones is simulated."""
    zones = a_set(BeyondLimits(), Shift(3), TwoInThree())
    alone = false_signals(qe.control_chart(small, "p", rules=zones), 0)
    both = false_signals(qe.control_chart(small, "p", rules=a_set(*zones.tests, Trend(6))), 0)
    assert 0 <= both.probability[0] - alone.probability[0] < 0.001
    assert both.standard_error[0] < 0.0005


EIGHT = [2, 4, 3, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    "rules",
    [
        qe.rule_sets["anhoej"],
        qe.rule_sets["anhoej"] + qe.rule_sets["shewhart"],
        a_set(LongestRun(), BeyondLimits()),
        a_set(Crossings()),
    ],
    ids=["anhoej", "with limits", "longest run", "crossings"],
)
def test_runs_tests_by_listing_the_series_with_the_same_points_on_the_line(
    make_series: Make, rules: RuleSet
) -> None:
    """Eight points of few births; limits near enough to be passed."""
    series = make_series([1, 3, 1, 1, 0, 2, 1, 2], EIGHT)
    chart = qe.control_chart(series, P("classical"), rules=rules)
    y, weight = every_series(EIGHT, 0.5)
    observed = chart.plotted["both"][0] == chart.centre_line[0]
    alike = ((y == chart.centre_line[0]) == observed).all(axis=1)
    signals = np.any([marks(t, y, chart) for t in rules.tests], axis=0)
    expected = weight[alike & signals].sum() / weight[alike].sum()
    assert chart.runs.given[0, 0]
    assert false_signals(chart, 0).probability[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [10, 15, 16])
def test_the_cut_box_is_followed_too(n: int) -> None:
    """Tosses of a coin: the longest run allowed depends on the crossings."""
    sides = np.array(list(itertools.product((-1, 1), repeat=n)))
    crossed = crossings(sides)
    longest_max, fewest = runs_limits(np.full(len(sides), n), crossed, method="cut_box")
    expected = ((longest_run(sides) > longest_max) | (crossed < fewest)).mean()
    assert len(np.unique(longest_max)) > 1
    found = false_signal_probability("anhoej_cut_box", n)
    assert found.probability == pytest.approx(expected, rel=1e-12)
    assert found.standard_error == 0


def test_excluded_points_are_compared_with_the_limits_only(make_series: Make) -> None:
    births = np.array([30, 60, 45, 80, 50, 40])
    series = make_series([3, 6, 4, 9, 5, 4], births)
    chart = qe.control_chart(series, "p", rules=a_set(BeyondLimits(), Shift(3)), exclude=["2022-03"])
    p, alpha = chart.centre_line[0, 0], []
    for n, low, high in zip(births, chart.lower[0], chart.upper[0], strict=True):
        k = np.arange(n + 1)
        alpha.append(stats.binom.pmf(k, n, p)[(k / n < low) | (k / n > high)].sum())
    shift_only = qe.control_chart(series, "p", rules=a_set(Shift(3)), exclude=["2022-03"])
    both, shift = (false_signals(c, 0).probability[0] for c in (chart, shift_only))
    assert max(shift, 1 - np.prod(1 - np.array(alpha))) < both < shift + sum(alpha)
    limits = qe.control_chart(series, "p", rules="shewhart", exclude=["2022-03"])
    assert false_signals(limits, 0).probability[0] == pytest.approx(1 - np.prod(1 - np.array(alpha)))


def test_the_error_is_that_of_the_charts_that_the_excluded_point_leaves(small: qe.StratifiedSeries) -> None:
    """Three in four of the charts signal by the excluded point, whose limits were drawn without it."""
    rules = a_set(BeyondLimits(), Trend(3))
    chart = qe.control_chart(small, P("classical"), rules=rules, exclude=["2022-03"])
    near = np.where(np.arange(6) == 2, chart.centre_line, chart.upper)
    narrow = dataclasses.replace(chart, upper=near, lower=np.zeros((1, 6)), _cache={})
    wide = dataclasses.replace(chart, upper=np.ones((1, 6)), lower=np.zeros((1, 6)), _cache={})
    one, other = (false_signals(c, 0) for c in (narrow, wide))
    above = stats.binom.sf(1, 3, chart.centre_line[0, 0])
    assert one.probability[0] == pytest.approx(1 - (1 - above) * (1 - other.probability[0]), rel=1e-9)
    assert one.standard_error[0] == pytest.approx((1 - above) * other.standard_error[0], rel=1e-9)


def test_runs_tests_that_are_not_given_count_for_nothing(make_series: Make) -> None:
    series = make_series([0, 1, 0, 0] * 6, 12)
    for more in ("anhoej", "making_data_count", "western_electric"):
        rules = qe.rule_sets[more] + qe.rule_sets["shewhart"]
        chart = qe.control_chart(series, P(), rules=rules)
        without = a_set(*(t for t in rules.tests if not t.is_runs_test))
        assert not chart.runs.given.any()
        expected = false_signals(qe.control_chart(series, P(), rules=without), 0)
        assert false_signals(chart, 0).probability[0] == expected.probability[0]


def test_crossings_alone_are_binomial() -> None:
    found = false_signal_probability(a_set(Crossings()), 24)
    assert found.probability == pytest.approx(stats.binom.cdf(7, 23, 0.5), rel=1e-12)
    longest = false_signal_probability(a_set(LongestRun()), 24)
    both = false_signal_probability("anhoej", 24)
    assert max(found.probability, longest.probability) < both.probability
    assert both.probability < found.probability + longest.probability


def test_strata_together_are_strata_alone(make_series: Make) -> None:
    rng = np.random.default_rng(3)
    births = rng.integers(20, 90, (4, 18))
    counts = rng.binomial(births, 0.2)
    births[3, 4:7] = 0
    counts[3, 4:7] = 0
    for rules in ("anhoej+shewhart", "western_electric", "making_data_count"):
        chart = qe.control_chart(make_series(counts, births), "p", rules=rules)
        together = false_signals(chart, 0)
        for s in range(4):
            one = qe.control_chart(make_series(counts[s], births[s]), "p", rules=rules)
            alone = false_signals(one, 0)
            assert together.probability[s] == pytest.approx(alone.probability[0], rel=1e-12)
            assert together.standard_error[s] == pytest.approx(alone.standard_error[0], rel=1e-12)


def test_each_phase_has_its_own(make_series: Make) -> None:
    values = np.random.default_rng(4).standard_normal(30)
    chart = qe.control_chart(make_series(values, kind="mean"), rules="western_electric", phases=["2023-01"])
    for phase, part in ((0, values[:12]), (1, values[12:])):
        alone = qe.control_chart(make_series(part, kind="mean"), rules="western_electric")
        assert false_signals(chart, phase).probability[0] == false_signals(alone, 0).probability[0] > 0


def test_a_constant_series_never_signals(make_series: Make) -> None:
    chart = qe.control_chart(make_series([5.0] * 20, kind="mean"), rules="making_data_count")
    assert false_signals(chart, 0).probability[0] == 0


@pytest.mark.parametrize("rules", ["anhoej", "anhoej_best_box"])
def test_run_charts_count_the_orders_about_their_own_median(make_series: Make, rules: str) -> None:
    """Also where a point is excluded, or missing, and where some lie on the median."""
    values: list[Any] = [*np.random.default_rng(6).standard_normal(24), None]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rules, exclude=["2022-04", "2022-05"])
    longest, fewest = runs_limits(22, 0, method=qe.rule_sets[rules].runs_method)
    expected = median_false_signal(11, 11, longest_max=longest, crossings_min=fewest)
    found = false_signals(chart, 0)
    assert found.probability[0] == pytest.approx(float(expected), rel=1e-12)
    assert found.standard_error[0] == 0
    assert how_reckoned(chart) == ANY_ORDER == "reckoned for the median of the same points"
    tied = qe.run_chart(make_series([3, 9, 5, 1, 5, 8, 2, 9, 3, 7, 1, 8], kind="mean"), rules=rules)
    sides = list(itertools.product((-1, 1), repeat=10))
    orders = np.array([s for s in sides if sum(s) == 0])
    longest, fewest = runs_limits(10, 0, method=qe.rule_sets[rules].runs_method)
    listed = ((longest_run(orders) > longest) | (crossings(orders) < fewest)).mean()
    assert listed > 0
    assert false_signals(tied, 0).probability[0] == pytest.approx(listed, rel=1e-12)


def test_the_cut_box_of_a_run_chart_by_listing_all_orders(make_series: Make) -> None:
    values = np.random.default_rng(7).standard_normal(16)
    chart = qe.run_chart(make_series(values, kind="mean"), rules="anhoej_cut_box")
    above = np.array(list(itertools.combinations(range(16), 8)))
    sides = np.full((len(above), 16), -1)
    np.put_along_axis(sides, above, 1, axis=1)
    crossed = crossings(sides)
    longest, fewest = runs_limits(np.full(len(sides), 16), crossed, method="cut_box")
    expected = ((longest_run(sides) > longest) | (crossed < fewest)).mean()
    assert len(np.unique(longest)) > 1
    assert false_signals(chart, 0).probability[0] == pytest.approx(expected, rel=1e-12)


def test_of_overlapping_windows_only_the_limits_are_compared(make_series: Make) -> None:
    counts = [50, 60, 40, 45] * 6
    rolling = qe.control_chart(make_series(counts, 120, window=3), P(), rules="making_data_count")
    limits = qe.control_chart(make_series(counts, 120), P(), rules="shewhart")
    assert false_signals(rolling, 0).probability[0] == false_signals(limits, 0).probability[0] > 0


# -- charts whose points carry their past


# The two arms of these are taken as independent.
ARMS = 0.005


@pytest.mark.parametrize("spec", [CountCusum(ratio=2, h=1.5), Cusum(k=0.3, h=1.2), Ewma(weight=0.4, width=2)])
@pytest.mark.parametrize("excluded", [False, True])
def test_two_points_of_counts_by_listing(make_series: Make, spec: Any, excluded: bool) -> None:
    """Also with a third between them that is excluded, and passed over."""
    births = [20, 30]
    if excluded:
        series = make_series([3, 9, 2], [20, 25, 30])
        chart = qe.control_chart(series, spec, rules="shewhart", exclude=["2022-02"])
    else:
        chart = qe.control_chart(make_series([3, 2], births), spec, rules="shewhart")
    y, weight = every_series(births, 0.1)
    signals = np.zeros(len(y), dtype=bool)
    for i, (first, second) in enumerate(y):
        z = np.array([first - 0.1, second - 0.1]) / np.sqrt(0.09 / np.array(births))
        if isinstance(spec, Ewma):
            one, two = 0.4 * (first - 0.1), 0.24 * (first - 0.1) + 0.4 * (second - 0.1)
            var = 0.09 * np.array([0.16 / 20, 0.0576 / 20 + 0.16 / 30])
            signals[i] = (np.abs([one, two]) > 2 * np.sqrt(var)).any()
            continue
        for side in (1, -1):
            if isinstance(spec, Cusum):
                steps, bound = side * z - 0.3, 1.2
            else:
                odds = 0.1 / 0.9 * 2.0**side
                other = odds / (1 + odds)
                k = np.rint(y[i] * births)
                steps = k * np.log(other / 0.1) + (births - k) * np.log((1 - other) / 0.9)
                bound = 1.5
            s = max(0.0, steps[0])
            signals[i] |= s > bound or max(0.0, s + steps[1]) > bound
    found, expected = false_signals(chart, 0), weight[signals].sum()
    assert found.standard_error[0] > 0
    assert abs(found.probability[0] - expected) < max(4 * found.standard_error[0], ARMS)
    assert how_reckoned(chart) == (KNOWN if isinstance(spec, CountCusum) else PARTLY)


def births_between(outcomes: list[int], expected: list[float] | None = None) -> qe.StratifiedSeries:
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=len(outcomes)), "event": outcomes})
    if expected is not None:
        frame["risk"] = expected
    measure = qe.Measure("Births between", "between", "higher")
    columns = {} if expected is None else {"expected": "risk"}
    return qe.between_events(frame, measure, date="date", event="event", unit="births", **columns)


@pytest.mark.parametrize("restart", [True, False])
def test_a_bernoulli_cusum_by_listing_all_outcomes(restart: bool) -> None:
    """Births before the first event do not count: nine are left, and the baseline has two events in eight."""
    outcomes = [0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    spec = BernoulliCusum(odds_ratio=3, h=2.2, restart=restart)
    chart = qe.control_chart(births_between(outcomes), spec, rules="shewhart")
    every = np.array(list(itertools.product((0, 1), repeat=9)))
    path = bernoulli_cusum(every, chance=0.25, odds_ratio=3, h=2.2)
    weight = (0.25**every * 0.75 ** (1 - every)).prod(axis=1)
    expected = weight[(path.low_signal | path.high_signal).any(axis=1)].sum()
    found = false_signals(chart, 0)
    assert 0.01 < expected < 0.2
    assert abs(found.probability[0] - expected) < found.standard_error[0]


def test_a_risk_adjusted_cusum_by_listing_all_outcomes() -> None:
    risks = [0.1, 0.3, 0.2, 0.5, 0.05, 0.2, 0.4, 0.1, 0.3, 0.2]
    outcomes = [0, 1, 0, 1, 0, 0, 1, 0, 0, 0]
    spec = RiskAdjustedCusum(odds_ratio=2, h=0.9)
    chart = qe.control_chart(births_between(outcomes, risks), spec, rules="shewhart")
    every = np.array(list(itertools.product((0, 1), repeat=8)))
    path = risk_adjusted_cusum(every, risks[2:], odds_ratio=2, h=0.9)
    weight = np.where(every, risks[2:], 1 - np.array(risks[2:])).prod(axis=1)
    expected = weight[(path.low_signal | path.high_signal).any(axis=1)].sum()
    found = false_signals(chart, 0)
    assert abs(found.probability[0] - expected) < 4 * found.standard_error[0]


def test_a_risk_adjusted_cusum_of_periods_by_listing(make_series: Make) -> None:
    """Two periods, of which 2 and 3 events are expected."""
    series = make_series([2, 4], [20, 30])
    series = dataclasses.replace(
        series, cells=dataclasses.replace(series.cells, expected=np.array([[2.0, 3.0]]))
    )
    spec = RiskAdjustedCusum(odds_ratio=2, h=1.0)
    chart = qe.control_chart(series, spec, rules="shewhart")
    every = np.array(list(itertools.product(range(40), repeat=2)))
    weight = stats.poisson.pmf(every, [2, 3]).prod(axis=1)
    path = poisson_risk_adjusted_cusum(every, [2.0, 3.0], ratio=2, h=1.0)
    expected = weight[(path.low_signal | path.high_signal).any(axis=1)].sum()
    found = false_signals(chart, 0)
    assert abs(found.probability[0] - expected) < 4 * found.standard_error[0]


def test_the_error_of_arms_taken_apart_is_that_no_chart_signals_with_both(make_series: Make) -> None:
    """Each arm signals with a chance of q: then 1 - (1 - q)^2 is given, and 2 q is the most it can be."""
    chart = qe.control_chart(make_series([30, 33, 27, 30] * 6, 60), CountCusum(h=2.5), rules="shewhart")
    found = false_signals(chart, 0)
    one = 1 - math.sqrt(1 - found.probability[0])
    assert 0.05 < one < 0.5
    assert found.probability[0] + found.standard_error[0] == pytest.approx(2 * one, rel=1e-12)


def test_a_vlad_has_no_limits() -> None:
    series = births_between([0, 1, 0, 1, 0, 0, 1], [0.1, 0.3, 0.2, 0.5, 0.05, 0.2, 0.4])
    chart = qe.control_chart(series, "vlad", rules="shewhart")
    assert false_signals(chart, 0).probability[0] == 0


@pytest.mark.parametrize(("kind", "births"), [("rate", 20), ("count", None)])
def test_averages_and_cusums_of_rates_and_counts(make_series: Make, kind: str, births: int | None) -> None:
    """One point of Poisson 4; the average has all the weight, and 0 and 9 pass the threshold."""
    series = make_series([4], births, kind=kind)
    expected = stats.poisson.sf(10, 4)
    found = false_signals(qe.control_chart(series, Ewma(weight=1), rules="shewhart"), 0)
    assert abs(found.probability[0] - expected) < 4 * found.standard_error[0]
    h = 8.5 * math.log(2) - 4
    found = false_signals(qe.control_chart(series, CountCusum(ratio=2, h=h), rules="shewhart"), 0)
    assert found.probability[0] == pytest.approx(stats.poisson.sf(8, 4) + stats.poisson.pmf(0, 4), abs=ARMS)


def test_a_chart_with_memory_needs_its_limits_among_the_rules(make_series: Make) -> None:
    values = np.random.default_rng(7).standard_normal(24)
    series = [make_series(values, kind="mean")] * 3 + [make_series([3, 4, 5] * 8, 60)]
    for kind, of in zip(("mr", "ewma", "cusum", "ewma"), series, strict=True):
        chart = qe.control_chart(of, kind, rules="anhoej")
        found = false_signals(chart, 0)
        assert isinstance(found, FalseSignals)
        assert found.probability[0] == found.standard_error[0] == 0


# -- planned charts


@pytest.mark.parametrize("kind", ["i", "ip", "xbar", "pp", "up"])
def test_planned_charts_of_normal_points(kind: str) -> None:
    found = false_signal_probability("shewhart", 24, kind=kind)
    assert found.probability == pytest.approx(1 - (2 * stats.norm.cdf(3) - 1) ** 24, rel=1e-12)
    assert found.standard_error == 0


@pytest.mark.parametrize(
    ("limits", "tail"), [("exact", 0.00135), ("exact", 0.012), ("exact", 0.0001), ("classical", 0.00135)]
)
def test_planned_limits_of_counts(limits: Any, tail: float) -> None:
    k, own = np.arange(200), {"tail": tail}
    p = false_signal_probability("shewhart", 10, kind=P(limits, **own), centre_line=0.1, size=60).probability
    np_ = false_signal_probability(
        "shewhart", 10, kind=NP(limits, **own), centre_line=0.1, size=60
    ).probability
    u = false_signal_probability("shewhart", 10, kind=U(limits, **own), centre_line=0.1, size=60).probability
    c = false_signal_probability("shewhart", 10, kind=C(limits, **own), centre_line=6).probability
    if limits == "classical":
        low, high = 6 - 3 * math.sqrt(5.4), 6 + 3 * math.sqrt(5.4)
        beyond = stats.binom.pmf(k, 60, 0.1)[(k < low) | (k > high)].sum()
        beyond_u = stats.poisson.pmf(k, 6)[(k < 6 - 3 * math.sqrt(6)) | (k > 6 + 3 * math.sqrt(6))].sum()
    else:
        pmf, pois = stats.binom.pmf(k, 60, 0.1), stats.poisson.pmf(k, 6)
        beyond, beyond_u = (
            f[(f.cumsum() < tail) | (f[::-1].cumsum()[::-1] < tail)].sum() for f in (pmf, pois)
        )
    assert p == pytest.approx(1 - (1 - beyond) ** 10, rel=1e-9)
    assert np_ == pytest.approx(p, rel=1e-9)
    assert u == pytest.approx(1 - (1 - beyond_u) ** 10, rel=1e-9)
    assert c == pytest.approx(u, rel=1e-9)


@pytest.mark.parametrize(
    ("limits", "tail"), [("probability", 0.00135), ("probability", 0.0125), ("classical", 0.00135)]
)
def test_planned_gaps(limits: Any, tail: float) -> None:
    found = false_signal_probability("shewhart", 5, kind=G(limits, tail=tail), centre_line=30)
    k = np.arange(1, 3000)
    pmf = stats.geom.pmf(k, 1 / 30)
    if limits == "classical":
        beyond = pmf[k > 30 + 3 * math.sqrt(30 * 29)].sum()
    else:
        beyond = pmf[(pmf.cumsum() < tail) | (stats.geom.sf(k - 1, 1 / 30) < tail)].sum()
    assert found.probability == pytest.approx(1 - (1 - beyond) ** 5, rel=1e-9)


def test_planned_runs_tests_by_listing_all_series() -> None:
    """Six points of 4 births, of which three in eight lie on the line: how many do is not known before."""
    y, weight = every_series([4] * 6, 0.5)
    sides = useful(y, 0.5)
    n, crossed = np.count_nonzero(sides, axis=1), crossings(sides)
    longest_max, fewest = runs_limits(n, crossed)
    signals = (longest_run(sides) > longest_max) | (crossed < fewest)
    expected = weight[signals].sum()
    found = false_signal_probability("anhoej", 6, kind=P(), centre_line=0.5, size=4)
    assert found.probability == pytest.approx(expected, rel=1e-12)


def test_planned_runs_tests_are_not_given_where_the_line_is_no_fair_coin() -> None:
    both, limits = (
        false_signal_probability(rules, 24, kind="p", centre_line=0.02, size=12)
        for rules in ("anhoej+shewhart", "shewhart")
    )
    assert both == limits
    assert false_signal_probability("anhoej", 24, kind="p", centre_line=0.02, size=12).probability == 0


def test_the_number_of_runs_is_simulated() -> None:
    """All tosses of twelve coins."""
    sides = np.array(list(itertools.product((-1, 1), repeat=12)))
    fewest, most = runs_count_limits((sides > 0).sum(axis=1), (sides < 0).sum(axis=1))
    runs = crossings(sides) + 1
    expected = ((runs < fewest) | (runs > most)).mean()
    found = false_signal_probability(a_set(RunsCount()), 12)
    assert abs(found.probability - expected) < 4 * found.standard_error
    assert expected > 0


def test_a_stratum_among_others_is_drawn_as_it_is_alone(
    make_series: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    events = rng.binomial(60, 0.2, (40, 12))
    groups = [str(i) for i in range(40)]
    monkeypatch.setattr(simulated, "_AT_ONCE", 90_000)
    together = false_signals(
        qe.control_chart(make_series(events, 60, groups=groups), "p", rules="making_data_count"), 0
    )
    for s in (0, 17, 39):
        alone = false_signals(qe.control_chart(make_series(events[s], 60), "p", rules="making_data_count"), 0)
        assert alone.probability[0] == together.probability[s]
        assert alone.standard_error[0] == together.standard_error[s] > 0


@pytest.mark.parametrize("limits", ["probability", "classical"])
def test_a_mean_gap_need_not_be_whole(limits: Any) -> None:
    less, some, more = (
        false_signal_probability("shewhart", 24, kind=qe.G(limits), centre_line=mean).probability
        for mean in (20.0, 20.5, 21.0)
    )
    assert some == pytest.approx((less + more) / 2, rel=0.2)


def test_planned_charts_are_checked() -> None:
    with pytest.raises(OptionError, match="kind='s' is not allowed; use one of 'i', 'ip'"):
        false_signal_probability("shewhart", 24, kind="s")
    with pytest.raises(InputTypeError, match=r"kind=Ewma.* is of type Ewma; give a name"):
        false_signal_probability("shewhart", 24, kind=Ewma())
    with pytest.raises(OptionError, match="n_points=0 is too small"):
        false_signal_probability("shewhart", 0)
    with pytest.raises(OptionError, match="centre_line=None is not allowed with kind='p'"):
        false_signal_probability("shewhart", 24, kind="p", size=50)
    with pytest.raises(OptionError, match="size=None is not allowed with kind='u'"):
        false_signal_probability("shewhart", 24, kind="u", centre_line=0.1)
    with pytest.raises(OptionError, match=r"centre_line=0\.1 is not for kind='i'"):
        false_signal_probability("shewhart", 24, centre_line=0.1)
    with pytest.raises(OptionError, match=r"size=3 is not for kind='c'"):
        false_signal_probability("shewhart", 24, kind="c", centre_line=4, size=3)
    with pytest.raises(OptionError, match=r"centre_line=1\.5"):
        false_signal_probability("shewhart", 24, kind="p", centre_line=1.5, size=50)
    with pytest.raises(InputTypeError, match=r"size=2\.5"):
        false_signal_probability("shewhart", 24, kind="p", centre_line=0.5, size=2.5)
    with pytest.raises(OptionError, match=r"centre_line=0\.5"):
        false_signal_probability("shewhart", 24, kind="g", centre_line=0.5)
