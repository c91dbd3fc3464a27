"""False signals of charts that draw their lines from their own points, against formulas and listings."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.spc import own_lines
from qi_equity.spc.chance import DRAWN, FalseSignals, false_signals, how_reckoned
from qi_equity.spc.kinds_counts import P, U
from qi_equity.spc.kinds_measurements import Individuals, Xbar
from qi_equity.spc.kinds_weighted import Cusum, Ewma
from qi_equity.spc.rules import BeyondLimits, Crossings, LongestRun, RuleSet, Shift, Test, Trend, TwoInThree

Make = Callable[..., qe.StratifiedSeries]


def a_set(*tests: Test) -> RuleSet:
    return RuleSet("ours", "1", "test", tests)


def close(found: FalseSignals, expected: float, stratum: int = 0) -> bool:
    error = float(found.standard_error[stratum])
    return 0 < error < 0.006 and abs(float(found.probability[stratum]) - expected) < 4 * error


def beyond(bound: float, shift: float = 0.0, scale: float = 1.0) -> float:
    """Chance that |C| passes the bound, C being the quotient of two normal values, and so Cauchy."""
    spread = stats.cauchy(shift, scale)
    return float(spread.sf(bound) + spread.cdf(-bound))


D2 = 2 / math.sqrt(math.pi)
"""Mean range of two standard normal values."""

FURTHER = math.sqrt(1.5 / 2)
"""Standard deviation of a point about the mean of two others, by that of their distance."""


def ramp(start: float) -> float:
    """A CUSUM from there is at 3 after a point of so many standard errors."""
    return 3 + 0.5 - start


# The first two points set the lines: they differ by d, sigma is d / D2, and the third is what signals.
OF_TWO = {
    "i": (Individuals(), beyond(3 / D2 / FURTHER)),
    "i of another constant": (Individuals(constants="mdc"), beyond(2.66 / FURTHER)),
    "mr": ("mr", beyond(1 + 3 * math.sqrt(2 / D2**2 - 1), -0.5, math.sqrt(0.75))),
    "average of all weight": (Ewma(weight=1.0, width=2.0), beyond(2 / D2 / FURTHER)),
    "cusum": (
        Cusum(k=0.5, h=3.0),
        # One of the arms has started on the first two points or on the second only.
        beyond(ramp(0) / D2 / FURTHER) / 2 + beyond(ramp(D2 / 2 - 0.5) / D2 / FURTHER) / 2,
    ),
}


@pytest.mark.parametrize("name", OF_TWO)
def test_lines_of_two_points(make_series: Make, name: str) -> None:
    spec, expected = OF_TWO[name]
    chart = qe.control_chart(make_series([5.0, 7.0, 6.5], kind="mean"), spec, rules="shewhart", baseline=2)
    assert close(false_signals(chart, 0), expected)
    assert how_reckoned(chart) == DRAWN == "by simulation, with lines drawn from the same points"


def subgroups(sizes: list[int]) -> qe.StratifiedSeries:
    rng = np.random.default_rng(9)
    dates = pd.date_range("2024-01-01", periods=len(sizes), freq="MS")
    frame = pd.DataFrame({"date": np.repeat(dates, sizes), "minutes": rng.normal(50, 5, sum(sizes))})
    return qe.from_records(frame, qe.Measure("Minutes", "mean", None), date="date", value="minutes")


@pytest.mark.parametrize(("kind", "bound"), [("s", 3.0), ("r", 3.0), ("xbar", 0.0), ("xbar of ranges", 0.0)])
def test_lines_of_one_subgroup_of_two(kind: str, bound: float) -> None:
    """Spread and range of two are half normal; their means differ by a normal value of variance 1."""
    relative = 3 * math.sqrt(math.pi / 2 - 1)
    expected = beyond(1 + relative) if bound else beyond(3 / (D2 / math.sqrt(2)) / math.sqrt(2))
    spec = Xbar(spread="r") if kind == "xbar of ranges" else kind
    chart = qe.control_chart(subgroups([2, 2]), spec, rules="shewhart", baseline=1)
    assert close(false_signals(chart, 0), expected)


def test_the_range_of_larger_subgroups() -> None:
    """A range of three beyond twice that of two: by the angles between three normal values."""
    chart = qe.control_chart(subgroups([2, 5]), "r", rules="shewhart", baseline=1)
    rng = np.random.default_rng(1)
    one, other = (
        np.ptp(rng.standard_normal((400_000, 2)), axis=1),
        np.ptp(rng.standard_normal((400_000, 5)), axis=1),
    )
    upper = chart.upper[0, 1] / chart.series.cells.range[0, 0]
    lower = chart.lower[0, 1] / chart.series.cells.range[0, 0]
    assert close(false_signals(chart, 0), float(((other > upper * one) | (other < lower * one)).mean()))


def test_subgroups_behind_an_average(make_series: Make) -> None:
    """The standard deviation within the first subgroup sets the limits, not the range between two."""
    chart = qe.control_chart(subgroups([2, 2]), Ewma(weight=1.0), rules="shewhart", baseline=1)
    assert close(false_signals(chart, 0), beyond(3 / (D2 / math.sqrt(2)) / math.sqrt(2)))


def test_denominators_of_individuals(make_series: Make) -> None:
    """Means of 4, 9 and 25: the weighted mean of the first two, and the scale from their distance."""
    chart = qe.control_chart(
        make_series([5.0, 7.0, 6.5], [4, 9, 25], kind="mean"), "ip", rules="shewhart", baseline=2
    )
    bound = 3 * math.sqrt(math.pi / 2) / 5 / math.sqrt(1 / 25 + 1 / 13)
    assert close(false_signals(chart, 0), beyond(bound))


@pytest.mark.parametrize("limits", ["exponential", "weibull", "transform"])
def test_times_between_events(limits: Any) -> None:
    """Of one exponential time: 1 / (1 + c) of the next are more than c times as long."""
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.cumsum([0, 3.5, 11.2, 7.9]), unit="D")
    frame = pd.DataFrame({"date": days, "event": 1})
    measure = qe.Measure("Days between", "between", "higher", unit="days")
    series = qe.between_events(frame, measure, date="date", event="event", unit="days")
    points = 1 if limits == "exponential" else 2
    chart = qe.control_chart(series, qe.T(limits=limits), rules="shewhart", baseline=points)
    found = false_signals(chart, 0)
    if limits == "exponential":
        low, high = -math.log1p(-0.00135), -math.log(0.00135)
        # Two gaps after the one that sets the limits: neither beyond them.
        quiet = 1 / (1 + 2 * low) - 2 / (1 + low + high) + 1 / (1 + 2 * high)
        assert close(found, 1 - quiet)
    elif limits == "transform":
        times = np.random.default_rng(2).standard_exponential((400_000, 3)) ** (1 / 3.6)
        mean, step = times[:, :2].mean(axis=1), 3 * np.abs(times[:, 0] - times[:, 1]) / D2
        assert close(found, float((np.abs(times[:, 2] - mean) > step).mean()))
    else:
        assert 0 < found.standard_error[0] < found.probability[0]


RULES = {
    "shifts": a_set(Shift(3), Trend(4)),
    "runs": a_set(LongestRun(), Crossings(), Trend(5)),
}


@pytest.mark.parametrize("name", RULES)
def test_run_charts_of_some_points_by_listing_all_orders(make_series: Make, name: str) -> None:
    """Eight points, the median of five of them; one more is missing."""
    values: list[Any] = [3.1, 1.2, None, 5.4, 2.2, 4.9, 0.3, 7.0, 6.6]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=RULES[name], baseline=6)
    orders = np.array(list(itertools.permutations(range(8))), dtype=np.float64)
    blank = np.insert(orders, 2, np.nan, axis=1).astype(object)
    blank[np.isnan(blank.astype(float))] = None
    some = np.random.default_rng(3).choice(len(blank), 4000, replace=False)
    groups = [str(i) for i in range(len(some))]
    every = qe.run_chart(make_series(blank[some], kind="mean", groups=groups), rules=RULES[name], baseline=6)
    expected = len(set(every.signals["group"])) / len(some)
    found, error = false_signals(chart, 0), math.sqrt(expected * (1 - expected) / len(some))
    assert abs(found.probability[0] - expected) < 4 * math.hypot(found.standard_error[0], error)
    assert expected > 0


def test_run_charts_whose_median_is_that_of_the_first_points(make_series: Make) -> None:
    """With later points about it the same rules signal more often than about the median of all."""
    groups = [str(i) for i in range(4000)]
    values = np.random.default_rng(15).standard_normal((4000, 20))
    chart = qe.run_chart(make_series(values, kind="mean", groups=groups), baseline=8)
    share = chart.signals["group"].nunique() / 4000
    found, all_of_them = false_signals(chart, 0), false_signals(qe.run_chart(chart.series), 0)
    error = math.hypot(found.standard_error[0], math.sqrt(share * (1 - share) / 4000))
    assert abs(found.probability[0] - share) < 4 * error
    assert found.probability[0] > 2 * all_of_them.probability[0]


def proportions(make_series: Make, births: list[int], spec: Any, rules: RuleSet) -> float:
    """Chance of a signal over all counts that there could be, half of the births with the event."""
    counts = np.array(list(itertools.product(*(range(n + 1) for n in births))))
    weight = stats.binom.pmf(counts, births, 0.5).prod(axis=1)
    groups = [str(i) for i in range(len(counts))]
    chart = qe.control_chart(make_series(counts, births, groups=groups), spec, rules=rules)
    return float(weight[chart.signals["group"].astype(int).unique()].sum())


@pytest.mark.parametrize("spec", [P(limits="laney"), Individuals(), "ip", "mr"], ids=["pp", "i", "ip", "mr"])
def test_counts_on_charts_of_measurements_by_listing(make_series: Make, spec: Any) -> None:
    """Few births, whose lines come from their own few ranges."""
    births, rules = [3, 4, 2, 4, 3], a_set(BeyondLimits(), TwoInThree())
    chart = qe.control_chart(make_series([2, 2, 0, 3, 1], births), spec, rules=rules)
    expected = proportions(make_series, births, spec, rules)
    assert expected > 0
    assert close(false_signals(chart, 0), expected)


@pytest.mark.parametrize(("kind", "spec"), [("rate", U(limits="laney")), ("rate", "i"), ("count", "i")])
def test_rates_and_counts_on_charts_of_measurements(make_series: Make, kind: str, spec: Any) -> None:
    rng = np.random.default_rng(11)
    births = None if kind == "count" else 20
    groups = [str(i) for i in range(3000)]
    stable = make_series(rng.poisson(4, (3000, 12)), births, kind=kind, groups=groups)
    share = qe.control_chart(stable, spec, rules="shewhart").signals["group"].nunique() / 3000
    chart = qe.control_chart(
        make_series([4, 3, 5, 4, 6, 2, 4, 4, 1, 7, 4, 4], births, kind=kind), spec, rules="shewhart"
    )
    found = false_signals(chart, 0)
    error = math.hypot(found.standard_error[0], math.sqrt(share * (1 - share) / 3000))
    assert abs(found.probability[0] - share) < 4 * error


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"baseline": 9},
        {"exclude": ["2022-02", "2022-11"]},
        {"phases": ["2022-08"]},
        {"gaps": True},
        {"baseline": 12, "exclude": ["2022-05", "2023-04"], "gaps": True},
    ],
    ids=["all", "baseline", "excluded", "phases", "gaps", "all of these"],
)
def test_series_that_do_not_change_signal_as_often(make_series: Make, options: dict[str, Any]) -> None:
    """Every chart has the pattern of the one that is asked; what they do is counted."""
    options = dict(options)
    values = np.random.default_rng(12).standard_normal((3000, 18)).astype(object)
    if options.pop("gaps", False):
        values[:, [3, 4, 10]] = None
    groups = [str(i) for i in range(3000)]
    chart = qe.control_chart(
        make_series(values, kind="mean", groups=groups), "i", rules="making_data_count", **options
    )
    for phase in range(chart.few_crossings.shape[1]):
        signals = chart.signals[chart.signals["phase"] == phase + 1]
        share = signals["group"].nunique() / 3000
        found = false_signals(chart, phase)
        assert len(set(found.probability)) == len(set(found.standard_error)) == 1
        error = math.hypot(found.standard_error[0], math.sqrt(share * (1 - share) / 3000))
        assert abs(found.probability[0] - share) < 4 * error


def test_alike_strata_share_what_is_drawn_and_alone_they_say_the_same(make_series: Make) -> None:
    values = np.random.default_rng(13).standard_normal((3, 15)).astype(object)
    values[2, 5:8] = None
    chart = qe.control_chart(make_series(values, kind="mean"), "i", rules="nelson")
    found = false_signals(chart, 0)
    assert found.probability[0] == found.probability[1] != found.probability[2]
    for s in range(3):
        alone = qe.control_chart(make_series(values[s], kind="mean"), "i", rules="nelson")
        assert false_signals(alone, 0).probability[0] == found.probability[s]


def test_many_patterns_are_drawn_together(make_series: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer charts each, and strata with about as many points share them."""
    monkeypatch.setattr(own_lines, "_MOST_PATTERNS", 4)
    monkeypatch.setattr(own_lines, "_POINTS", 200_000)
    values = np.random.default_rng(14).standard_normal((40, 30)).astype(object)
    for s in range(40):
        values[s, 30 - s // 2 :] = None
    groups = [str(i) for i in range(40)]
    chart = qe.control_chart(make_series(values, kind="mean", groups=groups), "i", rules="western_electric")
    found = false_signals(chart, 0)
    assert len(set(found.probability.tolist())) == 4
    assert found.probability[:5].mean() > found.probability[-5:].mean() + 0.05
    assert np.all((found.standard_error > 0.005) & (found.standard_error < 0.02))


def test_strata_without_lines_or_points_never_signal(make_series: Make) -> None:
    values: list[list[Any]] = [[5.0] * 8, [None] * 8, [None] * 7 + [3.0], [1.0, 4.0, 2.0, 6.0] * 2]
    chart = qe.control_chart(make_series(values, kind="mean"), "ewma", rules="shewhart")
    found = false_signals(chart, 0)
    assert found.probability[:3].tolist() == found.standard_error[:3].tolist() == [0, 0, 0]
    assert found.probability[3] > 0


def test_a_missing_value_takes_both_its_ranges_with_it(make_series: Make) -> None:
    values: list[list[Any]] = [[5.0, 7.0, None, 6.5], [5.0, 7.0, 6.0, 6.5]]
    chart = qe.control_chart(make_series(values, kind="mean"), "mr", rules="shewhart", baseline=2)
    found = false_signals(chart, 0)
    assert found.probability[0] == 0
    assert found.probability[1] > 0.2


def test_only_charts_whose_runs_tests_are_given_count(make_series: Make) -> None:
    """Where few births put a quarter of the points on the median, the runs tests are withheld."""
    groups = [str(i) for i in range(3000)]
    counts = np.random.default_rng(16).binomial(20, 0.15, (3000, 20))
    chart = qe.run_chart(make_series(counts, 20, groups=groups), rules=a_set(Shift(5)))
    given = chart.runs.given[:, 0]
    assert 0.3 < given.mean() < 0.9
    hits = np.zeros(3000, dtype=bool)
    hits[chart.signals["group"].astype(int)] = True
    share, found = hits[given].mean(), false_signals(chart, 0)
    error = math.hypot(float(found.standard_error.max()), math.sqrt(share * (1 - share) / given.sum()))
    assert abs(found.probability[given].mean() - share) < 4 * error
    assert not found.probability[~given].any()


def test_an_open_gap_is_not_drawn(make_series: Make) -> None:
    """The births since the last event change nothing: they are no gap yet."""
    outcomes = [0, 1] + [0, 0, 1, 0, 1, 0, 0, 0, 1] * 3
    measure = qe.Measure("Births between", "between", "higher")
    probability = []
    for more in ([], [0] * 4):
        dates = pd.date_range("2024-01-01", periods=len(outcomes + more))
        frame = pd.DataFrame({"date": dates, "event": outcomes + more})
        series = qe.between_events(frame, measure, date="date", event="event", unit="births")
        probability.append(false_signals(qe.control_chart(series, "i", rules="shewhart"), 0).probability[0])
    assert probability[0] == pytest.approx(probability[1], abs=0.02)
    assert probability[0] > 0


def test_how_charts_of_several_kinds_are_reckoned(make_series: Make) -> None:
    series = make_series([[30, 33, 28, 31] * 6, [0, 1, 0, 0] * 6], [[300] * 24, [12] * 24])
    chart = qe.control_chart(series, rules="making_data_count")
    assert chart.kind == "mixed"
    assert how_reckoned(chart) == "partly by simulation"
    assert how_reckoned(qe.control_chart(series, rules="shewhart")) == "reckoned for known lines"


def test_one_sigma_lines_stay_when_groups_are_selected(make_series: Make) -> None:
    """A centre line that groups share is that of all of them, whatever is kept or saved."""
    counts = [[30, 33, 28, 31] * 6, [60, 55, 66, 70] * 6]
    for kind in ("p", "np", P(limits="classical")):
        chart = qe.control_chart(make_series(counts, 300), kind, rules="western_electric", limits="common")
        kept = chart.select(group="A")
        saved = qe.ControlChart.from_dict(json.loads(json.dumps(kept.to_dict())))
        for part in (kept, saved):
            for one, other in zip(part._one_sigma(), chart._one_sigma(), strict=True):
                np.testing.assert_allclose(one, other[:1], rtol=1e-12)
        assert false_signals(saved, 0).probability[0] == false_signals(chart, 0).probability[0] > 0
