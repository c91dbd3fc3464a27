"""Run lengths of planned and drawn charts: published values, golden numbers, simulation through charts."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.between_waiting import g_run_length
from qi_equity.planning import simulated
from qi_equity.planning.run_length import followed
from qi_equity.planning.run_length.result import RunLength
from qi_equity.planning.run_length.run import run_length
from qi_equity.spc.expected_signals import false_signal_probability
from qi_equity.spc.rules import BeyondLimits, Crossings, LongestRun, RunsCount, Shift, TwoInThree

REFERENCE = Path(__file__).parents[1] / "reference"
SHIFTS = [0, 0.4, 0.6, 0.8, 1.0, 1.5, 2, 3]
MONTHS = pd.date_range("2021-01-01", periods=60, freq="MS").strftime("%Y-%m")
PRETERM = qe.measures["preterm_birth"]


def rules(*tests: Any) -> qe.RuleSet:
    return qe.RuleSet("ours", "1", "here", tests)


def means(found: RunLength) -> list[float]:
    return [float(x) for x in found.table["mean"]]


def counts(
    births: dict[str, Any], events: dict[str, Any], *, measure: qe.Measure = PRETERM, site: str | None = None
) -> qe.StratifiedSeries:
    rows = [
        {"month": m, "unit": name, "events": e, "births": n}
        for name in births
        for m, e, n in zip(MONTHS, events[name], births[name], strict=False)
    ]
    return qe.from_counts(
        pd.DataFrame(rows),
        measure,
        period="month",
        numerator="events",
        denominator=None if measure.kind == "count" else "births",
        site=site or "unit",
    )


def units(seed: int = 3, points: int = 20) -> qe.StratifiedSeries:
    rng = np.random.default_rng(seed)
    births = {name: rng.integers(n // 2, n * 2, points) for name, n in {"A": 30, "B": 90, "C": 280}.items()}
    return counts(births, {k: rng.binomial(n, 0.08) for k, n in births.items()})


class TestPublished:
    """Exact Markov chains of Champ and Woodall; tests that look at one point and runs start alike anew."""

    @pytest.mark.parametrize(
        ("tests", "expected"),
        [
            ((), [370.40, 200.08, 119.67, 71.55, 43.89, 14.97, 6.30, 2.00]),
            ((Shift(length=8),), [152.73, 59.76, 33.64, 21.07, 14.58, 7.75, 4.89, 1.99]),
            ((Shift(length=9),), [216.70, 79.94, 42.80, 25.61, 17.05, 8.51, 5.14, 2.00]),
            ((Shift(length=7),), [95.73, 42.49, 25.57, 16.90, 12.18, 6.94, 4.59, 1.98]),
            ((Shift(length=6),), [54.48, 28.74, 18.76, 13.15, 9.91, 6.07, 4.22, 1.97]),
        ],
    )
    def test_limits_and_runs(self, tests: tuple[Any, ...], expected: list[float]) -> None:
        found = run_length(rules(BeyondLimits(), *tests), shift=SHIFTS)
        np.testing.assert_allclose(means(found), expected, atol=0.00501)
        assert (found.table["how"] == "exact").all()
        assert (found.table["standard_error"] == 0).all()

    def test_windows_start_empty(self) -> None:
        """Printed values take the window as full; in control that moves the third digit after the point."""
        both = run_length(rules(BeyondLimits(), TwoInThree(same_side="beyond")))
        np.testing.assert_allclose(means(both), [225.44], atol=0.00501)
        np.testing.assert_allclose(means(run_length("western_electric")), [91.75], atol=0.00501)

    def test_the_golden_numbers_of_runs_rules(self) -> None:
        data = json.loads((REFERENCE / "runs_rules.json").read_text(encoding="utf-8"))
        for name, tests in {"1": (), "14": (Shift(length=8),), "SameSide9": (Shift(length=9),)}.items():
            (case,) = [c for c in data["cases"] if c["tests"] == name]
            found = run_length(rules(BeyondLimits(), *tests), shift=data["mu"])
            np.testing.assert_allclose(means(found), case["arl"], rtol=1e-9)

    def test_cusum_and_ewma(self) -> None:
        """Two-sided CUSUM k = 0.5, h = 4 and 5 (Brook, Evans); and the golden EWMA with exact limits."""
        for h, expected in ((4, [167.7, 8.38, 4.75, 3.34, 2.19]), (5, [465.4, 10.38, 5.75, 4.01, 2.57])):
            found = run_length("shewhart", kind=qe.Cusum(h=h), shift=[0, 1, 1.5, 2, 3])
            np.testing.assert_allclose(means(found), expected, rtol=6e-4, atol=0.00501)
        cases = json.loads((REFERENCE / "run_length_memory.json").read_text(encoding="utf-8"))["cases"]
        (case,) = [c for c in cases if c["id"] == "s-xewma-two-vacl-l0.1-c2.7"]
        found = run_length("shewhart", kind=qe.Ewma(weight=0.1, width=2.7), shift=case["mu"])
        np.testing.assert_allclose(means(found), case["arl"], rtol=1e-6)
        assert (found.table["how"] == "quadrature").all()

    def test_p_chart_of_halved_rates(self) -> None:
        """12 % to 6 %, limits at three standard errors and runs of eight that pass over the line."""
        printed = {
            10: (61, 14.6),
            20: (85, 14.4),
            40: (98, 12.5),
            75: (157, 8.4),
            150: (134, 4.2),
            600: (146, 1.0),
        }
        found = {
            n: means(
                run_length(
                    rules(BeyondLimits(), Shift(length=8, ties="skip")),
                    kind=qe.P(limits="classical"),
                    centre_line=0.12,
                    size=n,
                    change=[1, 0.5],
                )
            )
            for n in printed
        }
        # Runs tests are not given where the line is off the middle, as of 10 births: P(below) = 0.66.
        assert found.pop(10)[1] > 100
        np.testing.assert_allclose([m[0] for m in found.values()], [printed[n][0] for n in found], atol=0.501)
        np.testing.assert_allclose(
            [m[1] for m in found.values()], [printed[n][1] for n in found], atol=0.0501
        )

    def test_g_chart(self) -> None:
        """Halving a rate: 0.99865 limits 25 to 27 events, classical limits 53 to 55 in control."""
        exact = run_length("shewhart", kind="g", centre_line=20, change=0.5, side="high")
        assert 25 < means(exact)[0] < 27
        assert exact.table["unit"].tolist() == ["event"]
        classical = run_length("shewhart", kind=qe.G(limits="classical"), centre_line=20, change=[1, 0.5])
        assert 53 < means(classical)[0] < 55
        assert 6.8 < means(classical)[1] < 7.4

    def test_bernoulli_cusum_of_a_halving(self) -> None:
        """Scores +2 and -21, threshold 165, 12 % to 6 %: 11,536 and 229 births."""
        chance, ratio = 0.12, (0.12 / 0.88) / (0.06 / 0.94)
        unit = math.log(0.94 / 0.88) / 2
        found = run_length(
            "shewhart",
            kind=qe.BernoulliCusum(odds_ratio=ratio, h=165 * unit),
            centre_line=chance,
            size=75,
            change=[1, 0.5],
            side="low",
        )
        np.testing.assert_allclose(means(found), [11536, 229], rtol=0.02)
        np.testing.assert_allclose(found.table["mean_months"], found.table["mean"] / 75)
        # 3.1 months for 75 births a month.
        assert found.table["mean_months"].round(1)[1] == 3.1

    def test_false_signals_with_lines_from_a_baseline(self) -> None:
        """Simulated by others to two or three digits: within 12 points after a baseline of so many."""
        for points, expected in {6: 0.25, 12: 0.154, 20: 0.105, 24: 0.094}.items():
            found = run_length("shewhart", baseline=points, within=12)
            assert found.chances.loc[0, "chance"] == pytest.approx(expected, abs=0.002)
            assert 0 < found.chances.loc[0, "standard_error"] < 0.001
        assert found.table["mean"].isna().all()
        assert "no_mean" in set(found.notes["code"])

    def test_what_the_notes_and_the_docstring_say_of_twelve_points(self) -> None:
        """Starting anew after the baseline; runs that look back into it signal in 29 %."""
        ours = rules(BeyondLimits(), TwoInThree(), Shift(length=7))
        chance = {k: run_length(ours, baseline=k, within=12).chances.loc[0, "chance"] for k in (None, 12)}
        assert round(chance[None], 2) == 0.09
        assert round(chance[12], 2) == 0.26
        assert round(run_length("shewhart", within=12).chances.loc[0, "chance"], 2) == 0.03

    def test_a_t_chart_signals_as_a_normal_point_does(self) -> None:
        found = run_length("shewhart", kind="t", centre_line=9, change=[1, 0.5])
        beyond = 0.00135**0.5 + 1 - math.sqrt(1 - 0.00135)
        np.testing.assert_allclose(means(found), [1 / 0.0027, 1 / beyond], rtol=1e-12)


PLANNED: list[dict[str, Any]] = [
    {"kind": "i"},
    {"kind": "p", "centre_line": 0.06, "size": 60},
    {"kind": qe.P(limits="classical"), "centre_line": 0.12, "size": 75},
    {"kind": "np", "centre_line": 0.2, "size": 31},
    {"kind": "u", "centre_line": 0.02, "size": 412.5},
    {"kind": "c", "centre_line": 7.0},
    {"kind": qe.C(limits="classical"), "centre_line": 4.0},
    {"kind": "g", "centre_line": 30.0},
    {"kind": "pp"},
]


@pytest.mark.parametrize("names", ["shewhart", "western_electric", "nelson_zones"])
@pytest.mark.parametrize("chart", PLANNED, ids=lambda c: str(c["kind"])[:12])
def test_a_signal_within_n_points_is_the_false_signal_probability(names: str, chart: dict[str, Any]) -> None:
    ours = rules(BeyondLimits(), Shift(length=9, ties="skip")) if names == "nelson_zones" else names
    found = run_length(ours, within=[1, 12, 24, 60], **chart).chances
    expected = [false_signal_probability(ours, n, **chart).probability for n in (1, 12, 24, 60)]
    np.testing.assert_allclose(found["chance"], expected, rtol=1e-8, atol=1e-12)


def test_points_on_the_line_take_their_time() -> None:
    """Anhøj's tests on counts of which a fifth lie on the line, against simulated charts read as they
    grow."""
    rng = np.random.default_rng(5)
    drawn = rng.poisson(4.0, (4000, 24)) - 4
    signalled = np.zeros(len(drawn), dtype=bool)
    for row, series in enumerate(np.sign(drawn)):
        sides = series[series != 0]
        turns = np.flatnonzero(np.diff(sides) != 0)
        for n in range(1, len(sides) + 1):
            crossed = int((turns < n - 1).sum())
            runs = np.diff([-1, *turns[turns < n - 1], n - 1])
            fewest = qe_fewest(n)
            if runs.max() > round(math.log2(n)) + 3 or crossed < fewest:
                signalled[row] = True
                break
    found = run_length("anhoej", kind="c", centre_line=4.0, within=24).chances.loc[0, "chance"]
    error = math.sqrt(found * (1 - found) / len(drawn))
    # Median 4 is not the middle of the counts; the test is given between 0.4 and 0.6 only.
    assert abs(signalled.mean() - found) < 5 * error


def qe_fewest(n: int) -> int:
    """The 5 % quantile of a binomial of n - 1 turns."""
    total, k = 0.0, 0
    while True:
        total += math.comb(n - 1, k) / 2 ** (n - 1)
        if total >= 0.05:
            return k
        k += 1


@pytest.mark.parametrize("change", [1.0, 0.5])
@pytest.mark.parametrize("kind", ["p", qe.P(limits="classical"), "np"])
def test_a_chart_agrees_with_charts_that_are_drawn(kind: Any, change: float) -> None:
    """Each simulated unit repeats the baseline, then a gap that breaks runs, then the births of late."""
    ours, size = rules(BeyondLimits(), Shift(length=5)), 3000
    rng = np.random.default_rng(11)
    births = rng.integers(15, 120, 12)
    events = rng.binomial(births, 0.15)
    line = events.sum() / births.sum()
    chart = qe.control_chart(counts({"A": births}, {"A": events}), kind, rules=ours)
    found = run_length(chart, change=change, within=12).chances["chance"].to_numpy()
    new = rng.binomial(births, line * change, (size, 12))
    rows = pd.DataFrame(
        {
            "month": np.tile(MONTHS[:25], size),
            "unit": np.repeat(np.arange(size), 25).astype(str),
            "events": np.concatenate(
                [np.tile(events, (size, 1)), np.full((size, 1), np.nan), new], axis=1
            ).ravel(),
            "births": np.tile([*births, np.nan, *births], size),
        }
    )
    series = qe.from_counts(
        rows, PRETERM, period="month", numerator="events", denominator="births", site="unit"
    )
    drawn = qe.control_chart(series, kind, rules=ours, baseline=12)
    flags = np.any(list(drawn.flags.values()), axis=0)[:, 13:]
    share = flags.any(axis=1).mean()
    assert abs(share - found[0]) < 5 * math.sqrt(found[0] * (1 - found[0]) / size)


class TestCharts:
    def test_rows_follow_strata_and_what_was_asked_for(self) -> None:
        found = run_length(qe.control_chart(units(), "p"), change=[1, 0.5, 0.25], within=[6, 12])
        table = found.table
        assert table["site"].tolist() == ["A"] * 3 + ["B"] * 3 + ["C"] * 3
        assert table["change"].tolist() == [1, 0.5, 0.25] * 3
        assert table["shift"].isna().all()
        assert set(table["unit"]) == {"month"}
        np.testing.assert_allclose(table["mean_months"], table["mean"])
        assert len(found.chances) == 18
        assert len(found.curve) == 9 * 99
        assert found.series is not None

    @pytest.mark.parametrize("kind", ["p", "ewma", "cusum", "auto"])
    def test_the_order_of_units_does_not_matter(self, kind: Any) -> None:
        series = units()
        one = run_length(qe.control_chart(series, kind), change=0.5, side="low").table.set_index("site")
        for name in ("A", "C"):
            own = run_length(qe.control_chart(series.select(site=name), kind), change=0.5, side="low").table
            assert one.loc[name, "mean"] == pytest.approx(own.loc[0, "mean"], rel=1e-6, nan_ok=True)
            assert one.loc[name, "median"] == own.loc[0, "median"]

    def test_quarters_take_three_months(self) -> None:
        quarters = units().resample("quarter")
        table = run_length(qe.control_chart(quarters, "p", rules="shewhart"), change=0.5).table
        np.testing.assert_allclose(table["mean_months"], 3 * table["mean"])

    def test_a_change_is_that_of_what_is_adverse(self) -> None:
        """Where more is better, half of those without the event are left."""
        births = {"A": np.full(16, 80)}
        good = qe.Measure("Seen in time", "proportion", "higher")
        without = qe.Measure("Not seen in time", "proportion", "lower")
        events = np.array([8, 9, 7, 8] * 4)
        late = counts(births, {"A": events}, measure=without)
        seen = counts(births, {"A": 80 - events}, measure=good)
        one, other = (
            run_length(qe.control_chart(s, "p", rules="shewhart"), change=0.5, side=side).table["mean"]
            for s, side in ((late, "low"), (seen, "high"))
        )
        np.testing.assert_allclose(one, other, rtol=1e-9)

    def test_nothing_is_said_where_nothing_is_known(self) -> None:
        births = {"A": np.full(14, 20), "B": np.zeros(14), "C": np.full(14, 20), "D": np.full(14, 20)}
        events = {"A": [2, 1, 3, 2] * 4, "B": np.zeros(14), "C": np.zeros(14), "D": [16, 18, 17, 19] * 4}
        found = run_length(qe.control_chart(counts(births, events), "p", rules="shewhart"), change=[1, 1.4])
        known = found.table["mean"].notna().tolist()
        assert known == [True, True, False, False, False, False, True, False]
        assert found.table["how"].tolist()[2] == ""
        told = found.notes[found.notes["code"] == "nothing_to_follow"]
        assert told["site"].tolist() == ["B", "C", "D"]
        assert told["text"].str.contains("not yet visible").all()
        assert not found.notes["text"].str.contains("no difference").any()
        assert "nothing can be said, not yet visible" in found.alt_text()

    def test_a_chart_that_cannot_signal_says_so(self) -> None:
        series = counts({"A": np.full(14, 20)}, {"A": [2, 1, 3, 2] * 4})
        found = run_length(
            qe.control_chart(series, qe.P(limits="classical"), rules="shewhart"), change=0.5, side="low"
        )
        assert found.table.loc[0, ["mean", "median", "lower"]].tolist() == [math.inf] * 3
        assert (found.curve["points"] == math.inf).all()
        assert (found.chances["chance"] == 0).all()
        assert "never_signals" in set(found.notes["code"])
        assert "never" in found.alt_text()

    def test_the_last_phase_of_each_unit_counts(self) -> None:
        """One unit has two phases, the others one: each is followed about its own last line."""
        series = units()
        chart = qe.control_chart(
            series, "p", rules="shewhart", phases=pd.DataFrame({"site": ["A"], "start": ["2021-11"]})
        )
        table = run_length(chart, change=0.5).table.set_index("site")
        assert table["median"].notna().all()
        alone = qe.control_chart(series.select(site="A"), "p", rules="shewhart", phases="2021-11")
        assert table.loc["A", "mean"] == pytest.approx(run_length(alone, change=0.5).table.loc[0, "mean"])
        whole = run_length(qe.control_chart(series, "p", rules="shewhart"), change=0.5).table.set_index(
            "site"
        )
        assert table.loc["A", "mean"] != whole.loc["A", "mean"]
        assert table.loc["C", "mean"] == pytest.approx(whole.loc["C", "mean"])

    def test_births_are_those_of_the_last_twelve_points(self) -> None:
        """The first point is as the twelfth from the end, and no earlier phase is looked at."""
        births = np.array([200] * 8 + [60] + [100] * 11)
        series = counts({"A": births}, {"A": births // 10})
        chart = qe.control_chart(series, "p", rules="shewhart")
        for drawn, size in ((chart, 60), (qe.control_chart(series, "p", phases=["2021-10"]), 100)):
            found = run_length(drawn, change=2, within=1).chances.loc[0, "chance"]
            line = drawn.centre_line[0, -1]
            plan = run_length("shewhart", kind="p", centre_line=line, size=size, change=2, within=1)
            assert found == pytest.approx(plan.chances.loc[0, "chance"], rel=1e-9)

    def test_an_open_gap_counts_until_it_signals(self) -> None:
        records = pd.DataFrame({"born": pd.date_range("2023-01-01", periods=400, freq="6h")})
        records["died"] = (np.arange(400) % 20 == 0).astype(int)
        measure = qe.Measure("Deaths", "proportion", "lower")
        series = qe.between_events(records, measure, date="born", event="died")
        chart = qe.control_chart(series, "g", rules="shewhart")
        table = run_length(chart, change=0.5, side="high").table
        wanted = g_run_length(0.025, upper=chart.upper[0, -1])
        assert table.loc[0, "mean"] == pytest.approx(float(wanted.events[0]), rel=1e-6)
        # Four births a day.
        months = float(wanted.waited[0]) / (4 * 365.25 / 12)
        assert table.loc[0, "mean_months"] == pytest.approx(months, rel=1e-3)

    def test_points_taken_as_normal(self) -> None:
        chart = qe.control_chart(units(), "ip", rules="western_electric")
        found = run_length(chart, shift=[0, 1])
        one = run_length("western_electric", shift=[0, 1])
        np.testing.assert_allclose(found.table["mean"], np.tile(means(one), 3), rtol=1e-12)
        run = run_length(qe.run_chart(units()), shift=1)
        np.testing.assert_allclose(run.table["mean"], means(run_length("anhoej", shift=1))[0], rtol=1e-12)

    @pytest.mark.parametrize("kind", ["ewma", qe.Cusum(h=4)])
    def test_means_with_memory(self, kind: Any) -> None:
        rows = pd.DataFrame({"month": MONTHS[:20], "mean": np.random.default_rng(1).normal(9, 2, 20)})
        series = qe.from_counts(rows, qe.Measure("Minutes", "mean", "lower"), period="month", value="mean")
        found = run_length(qe.control_chart(series, kind), shift=[0, 1])
        np.testing.assert_allclose(means(found), means(run_length("shewhart", kind=kind, shift=[0, 1])))

    @pytest.mark.parametrize("kind", ["ewma", "cusum"])
    def test_counts_with_memory_are_as_planned_where_births_are_alike(self, kind: str) -> None:
        series = counts({"A": np.full(20, 50)}, {"A": [3, 2, 4, 3] * 5})
        found = run_length(qe.control_chart(series, kind), change=[1, 0.5])
        plan = run_length("shewhart", kind=kind, centre_line=0.06, size=50, change=[1, 0.5])
        np.testing.assert_allclose(means(found), means(plan), rtol=1e-6)

    def test_rates_and_targets(self) -> None:
        """Events over an exposure, and a Bernoulli CUSUM against a chance from elsewhere."""
        measure = qe.Measure("Falls", "rate", "lower")
        series = counts({"A": np.full(16, 200)}, {"A": [8, 9, 7, 8] * 4}, measure=measure)
        found = run_length(qe.control_chart(series, "u", rules="shewhart"), change=[1, 0.5, 2])
        plan = run_length("shewhart", kind="u", centre_line=0.04, size=200, change=[1, 0.5, 2])
        np.testing.assert_allclose(means(found), means(plan), rtol=1e-9)
        records = pd.DataFrame({"born": pd.date_range("2023-01-01", periods=400, freq="6h")})
        records["died"] = (np.arange(400) % 20 == 0).astype(int)
        gaps = qe.between_events(
            records, qe.Measure("Deaths", "proportion", "lower"), date="born", event="died"
        )
        spec = qe.BernoulliCusum(chance=0.1, h=3)
        target = run_length(qe.control_chart(gaps, spec), change=[1, 0.5])
        np.testing.assert_allclose(
            means(target), means(run_length("shewhart", kind=spec, change=[1, 0.5])), rtol=1e-6
        )
        patterns = run_length(qe.control_chart(gaps, "g"), change=0.5, side="high").table
        assert patterns.loc[0, "mean_months"] > 0

    def test_gaps_and_births(self) -> None:
        rng = np.random.default_rng(7)
        number = 1200
        records = pd.DataFrame(
            {
                "born": pd.date_range("2023-01-01", periods=number, freq="6h"),
                "died": (rng.random(number) < 0.06).astype(int),
            }
        )
        measure = qe.Measure("Deaths", "proportion", "lower")
        series = qe.between_events(records, measure, date="born", event="died")
        table = run_length(qe.control_chart(series, "g", rules="shewhart"), change=[1, 0.5]).table
        assert table["unit"].tolist() == ["event"] * 2
        assert np.isfinite(table["mean_months"]).all()
        births = run_length(qe.control_chart(series, "bernoulli_cusum"), change=[1, 0.5]).table
        assert births["unit"].tolist() == ["birth"] * 2
        # Some 122 births a month.
        np.testing.assert_allclose(births["mean"] / births["mean_months"], 121.75, rtol=0.02)
        days = qe.between_events(records, measure, date="born", event="died", unit="days")
        times = run_length(qe.control_chart(days, "t", rules="shewhart"), change=[1, 0.5]).table
        np.testing.assert_allclose(times.loc[0, "mean"], 1 / 0.0027, rtol=1e-9)
        # About 7 events a month; the open time signals before it is closed.
        np.testing.assert_allclose(times.loc[0, "mean"] / times.loc[0, "mean_months"], 122 * 0.06, rtol=0.2)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"kind": "mr"}, "kind='mr' is not followed.*spread"),
            ({"kind": qe.S()}, "kind='s' is not followed"),
            ({"kind": "vlad"}, "no limits that could signal"),
            ({"kind": qe.RiskAdjustedCusum()}, "risk of every birth"),
            ({"kind": "x"}, "kind='x' is not allowed"),
            ({"kind": "p"}, "centre_line=None is not allowed"),
            ({"kind": "p", "centre_line": 0.1}, "size=None is not allowed"),
            ({"kind": "u", "centre_line": 0.1}, "size=None is not allowed"),
            ({"kind": "p", "centre_line": 1.2, "size": 9}, "centre_line=1.2 is not allowed"),
            ({"kind": "g", "centre_line": 1.0}, "centre_line=1.0 is not allowed"),
            ({"kind": "c", "centre_line": 4, "size": 9}, "size=9 is not for kind='c'"),
            ({"kind": "ewma", "size": 9}, "size=9 is not for kind='ewma' without centre_line"),
            ({"kind": "i", "centre_line": 4}, "centre_line=4 is not for kind='i'.*shift="),
            ({"kind": qe.Cusum(), "centre_line": 4}, "CountCusum"),
            ({"kind": qe.BernoulliCusum(), "centre_line": 0.1}, "births a month"),
            ({"kind": qe.BernoulliCusum(chance=0.1, h=3), "centre_line": 0.1}, "leave it out"),
            ({"change": 0.5}, "change=.0.5. is not for points that are taken as normal"),
            ({"kind": "c", "centre_line": 4, "shift": 1}, "shift=.1.0. is not for charts of counts"),
            ({"kind": "p", "centre_line": 0.4, "size": 9, "change": 3}, "above 1. Give at most 2.5"),
            ({"change": 0}, "change=0 is not allowed"),
            ({"shift": []}, "shift=.. is empty"),
            ({"within": []}, "within=.. is empty"),
            ({"within": 0}, "within=0 is too small"),
            ({"side": "up"}, "side='up' is not allowed"),
            ({"baseline": 1}, "baseline=1 is too small"),
            ({"kind": "xbar", "baseline": 12}, "baseline= is offered for kinds 'i', 'p'"),
            ({"kind": "ewma", "baseline": 12}, "baseline= is offered"),
            ({"kind": "g", "centre_line": 20, "baseline": 12}, "baseline= is offered"),
            ({"kind": qe.T(limits="weibull"), "centre_line": 20}, "use kind='t'"),
        ],
    )
    def test_options(self, arguments: dict[str, Any], said: str) -> None:
        with pytest.raises(OptionError, match=said):
            run_length("shewhart", **arguments)

    def test_types(self) -> None:
        with pytest.raises(InputTypeError, match="kind=3 is of type int"):
            run_length("shewhart", kind=3)
        with pytest.raises(InputTypeError):
            run_length(3)
        with pytest.raises(InputTypeError, match="shift='a'"):
            run_length("shewhart", shift="a")

    def test_rules(self) -> None:
        with pytest.raises(OptionError, match="baseline=12 is not allowed with rules='anhoej'"):
            run_length("anhoej", baseline=12)
        with pytest.raises(OptionError, match="no test of limits"):
            run_length("anhoej", kind="ewma")

    def test_charts(self) -> None:
        series = units()
        chart = qe.control_chart(series, "p")
        for arguments, said in (
            ({"kind": "p"}, "kind='p' is not for a chart"),
            ({"centre_line": 0.1}, "centre_line=0.1 is not for a chart"),
            ({"size": 9}, "size=9 is not for a chart"),
            ({"baseline": 12}, "baseline=12 is not for a chart"),
            ({"shift": 1}, "is not for charts of counts"),
        ):
            with pytest.raises(OptionError, match=said):
                run_length(chart, **arguments)
        with pytest.raises(OptionError, match="CountCusum"):
            run_length(qe.control_chart(series, qe.Cusum()))
        rolling = counts({"A": np.full(30, 90)}, {"A": [8] * 29 + [9]})
        with pytest.raises(OptionError, match="share births"):
            run_length(qe.control_chart(replace(rolling, window=3), "p"))
        with pytest.raises(OptionError, match="kind='mr' is not followed"):
            run_length(qe.control_chart(series, "mr"))
        with pytest.raises(OptionError, match="no test of limits"):
            run_length(qe.control_chart(series, "ewma", rules="anhoej"))


class TestWays:
    def test_simulated_tests_have_an_error(self) -> None:
        found = run_length("making_data_count", shift=[0, 1])
        table = found.table
        assert table["how"].tolist() == ["simulation"] * 2
        assert (table["standard_error"] > 0).all()
        # NHSRplotthedots logic, simulated by others: 85 and 10.6 points, .098 and .224 within 12 and 24.
        assert abs(table.loc[0, "mean"] - 85) < 5 * table.loc[0, "standard_error"]
        assert abs(table.loc[1, "mean"] - 10.6) < 5 * table.loc[1, "standard_error"]
        chances = found.chances
        errors = 5 * chances["standard_error"][:2]
        assert (abs(chances["chance"][:2] - np.array([0.098, 0.224])) < errors).all()
        assert "simulated" in set(found.notes["code"])

    def test_the_error_is_that_of_as_many_charts_as_are_drawn(self) -> None:
        assert simulated.simulated_waiting.__kwdefaults__["charts"] == followed.CHARTS

    def test_growing_series_are_followed_so_far(self) -> None:
        found = run_length("anhoej", shift=[0, 1], within=[24, 240, 241])
        assert math.isnan(means(found)[0])
        assert means(found)[1] < 20
        assert found.chances["chance"].isna().tolist() == [False, False, True] * 2
        told = found.curve[found.curve["shift"] == 0]
        assert told["points"].isna().any()
        assert told["points"].max() <= 240
        assert "not within what was followed" in found.alt_text()
        (text,) = found.notes.loc[found.notes["code"] == "tests_of_all_points", "text"]
        assert "240 points" in text

    def test_boxes_end_where_their_tables_do(self) -> None:
        boxes = rules(LongestRun(method="best_box"), Crossings(method="best_box"))
        found = run_length(boxes, within=[24, 101])
        assert found.chances["chance"].isna().tolist() == [False, True]
        assert run_length(rules(RunsCount()), within=[24, 201]).chances["chance"].isna().tolist() == [
            False,
            True,
        ]

    def test_runs_tests_that_are_not_given_are_left_out(self) -> None:
        found = run_length("shewhart+anhoej", kind="p", centre_line=0.05, size=8)
        assert means(found) == means(run_length("shewhart", kind="p", centre_line=0.05, size=8))
        assert "runs_tests_not_given" in set(found.notes["code"])

    def test_no_rules_never_signal(self) -> None:
        found = run_length(rules())
        assert means(found) == [math.inf]
        assert "never_signals" in set(found.notes["code"])

    @pytest.mark.parametrize("chart", PLANNED[1:6], ids=lambda c: str(c["kind"])[:12])
    def test_long_baselines_are_as_good_as_known_lines(self, chart: dict[str, Any]) -> None:
        near = run_length("shewhart", baseline=4000, within=24, change=[1, 0.5], **chart).chances["chance"]
        known = run_length("shewhart", within=24, change=[1, 0.5], **chart).chances["chance"]
        # Limits of counts jump from one count to the next as the line moves.
        np.testing.assert_allclose(near, known, rtol=0.25, atol=0.003)

    def test_baselines_of_counts_by_enumeration(self) -> None:
        """Every total of two periods of 6 births, and the chance of a signal within 2 points."""
        found = run_length(
            "shewhart", kind=qe.P(limits="classical"), centre_line=0.3, size=6, baseline=2, within=2
        )
        total = 0.0
        for events in range(1, 13):
            line = events / 12
            sd = math.sqrt(line * (1 - line) / 6)
            inside = sum(
                math.comb(6, k) * 0.3**k * 0.7 ** (6 - k)
                for k in range(7)
                if line - 3 * sd - 1e-12 <= k / 6 <= line + 3 * sd + 1e-12
            )
            total += math.comb(12, events) * 0.3**events * 0.7 ** (12 - events) * (1 - inside**2)
        assert found.chances.loc[0, "chance"] == pytest.approx(total, rel=1e-9)
        assert means(found) == [math.inf]
        assert "no_lines" in set(found.notes["code"])
        assert "lines_from_baseline" in set(found.notes["code"])

    def test_c_and_u_charts_have_the_same_baselines(self) -> None:
        c, u = (
            run_length("western_electric", baseline=12, change=[1, 2], **chart).chances["chance"]
            for chart in (
                {"kind": "c", "centre_line": 5.0},
                {"kind": "u", "centre_line": 0.05, "size": 100.0},
            )
        )
        np.testing.assert_allclose(c, u, rtol=1e-9)

    def test_sides_of_a_normal_chart(self) -> None:
        low, high, both = (means(run_length("shewhart", side=side))[0] for side in ("low", "high", "both"))
        assert low == pytest.approx(high) == pytest.approx(2 * both, rel=1e-6)
        assert low == pytest.approx(740.8, abs=0.05)

    def test_poisson_points_with_memory(self) -> None:
        cusum = run_length("shewhart", kind=qe.CountCusum(h=3), centre_line=4, change=[1, 0.5])
        ewma = run_length("shewhart", kind="ewma", centre_line=4, change=[1, 0.5])
        assert (cusum.table["how"] == "lattice").all()
        assert (ewma.table["how"] == "lattice").all()
        assert means(cusum)[1] < means(cusum)[0]
        assert means(ewma)[1] < means(ewma)[0]

    def test_arms_of_a_bernoulli_cusum_come_together(self) -> None:
        """One birth a point, the same chart as a CUSUM of counts of one birth."""
        births = run_length(
            "shewhart", kind=qe.BernoulliCusum(h=3), centre_line=0.15, change=[1, 0.5, 2], within=[50, 200]
        )
        points = run_length(
            "shewhart",
            kind=qe.CountCusum(h=3),
            centre_line=0.15,
            size=1,
            change=[1, 0.5, 2],
            within=[50, 200],
        )
        np.testing.assert_allclose(means(births), means(points), rtol=0.01)
        np.testing.assert_allclose(births.chances["chance"], points.chances["chance"], rtol=0.02, atol=1e-4)
        np.testing.assert_allclose(births.table["upper"], points.table["upper"], rtol=0.01)
        assert births.table["mean_months"].isna().all()

    def test_a_bernoulli_cusum_that_cannot_signal(self) -> None:
        found = run_length("shewhart", kind=qe.BernoulliCusum(chance=0.1, h=2), change=10, side="low")
        assert means(found) == [math.inf]


class TestResult:
    @pytest.mark.parametrize("name", ["planned", "drawn"])
    def test_json(self, name: str) -> None:
        chart = qe.control_chart(units(), "auto")
        found = run_length(chart, change=0.5) if name == "drawn" else run_length("anhoej", shift=[0, 1])
        again = RunLength.from_dict(json.loads(json.dumps(found.to_dict())))
        assert again.equals(found)
        assert again.alt_text() == found.alt_text()
        pd.testing.assert_frame_equal(again.table, found.table)
        pd.testing.assert_frame_equal(again.curve, found.curve)

    def test_columns_are_always_the_same(self) -> None:
        ours = ["kind", "change", "shift", "unit"]
        for found in (run_length("shewhart"), run_length("shewhart", kind="c", centre_line=4)):
            assert found.table.columns.tolist() == [
                *ours, "mean", "median", "lower", "upper", "mean_months", "standard_error", "how",
            ]  # fmt: skip
            assert found.chances.columns.tolist() == [*ours, "points", "chance", "standard_error"]
            assert found.curve.columns.tolist() == [*ours, "chance", "points"]
            assert found.table.dtypes.astype(str).tolist() == ["str", "float64", "float64", "str"] + [
                "float64"
            ] * 6 + ["str"]

    def test_curve_and_quantiles_agree(self) -> None:
        found = run_length("western_electric", shift=[0, 1])
        curve = found.curve.set_index(["shift", "chance"])["points"]
        for row in found.table.to_dict("records"):
            assert [curve[row["shift"], c] for c in (0.05, 0.5, 0.95)] == [
                row["lower"],
                row["median"],
                row["upper"],
            ]
        drawn = run_length("shewhart", baseline=12)
        assert drawn.curve.set_index("chance").loc[0.5, "points"] == drawn.table.loc[0, "median"]

    def test_in_words(self) -> None:
        found = run_length("shewhart", shift=[0, 1, 2])
        assert found.title == "Run length, kind 'i', rules 'shewhart'"
        assert (
            "No shift: 5 % of charts within 19 points, half of charts within 257 points" in found.alt_text()
        )
        assert "A shift of 1 standard error: " in found.alt_text()
        assert (
            "A rate of 0.5 times: " in run_length("shewhart", kind="c", centre_line=9, change=0.5).alt_text()
        )
        chart = run_length(qe.control_chart(units(), "p"), change=1)
        assert chart.title.startswith(f"{PRETERM.name}: run length, kind 'p'")
        assert "A, All, no change: " in chart.alt_text()


def test_a_limit_above_none_by_rounding_only_signals_for_nothing() -> None:
    # 9 (1 - p) / p is 441 births at 2 %: up to there three sigma cannot show a fall.
    below, at = (
        qe.run_length(
            "shewhart", kind=qe.P(limits="classical"), centre_line=0.02, size=n, change=0.5, side="low"
        ).table.loc[0, "mean"]
        for n in (441, 442)
    )
    assert np.isinf(below)
    assert at == pytest.approx(1 / 0.99**442, rel=1e-9)


@pytest.mark.parametrize("of", [5, None, ["shewhart"]])
def test_what_is_neither_chart_nor_rules_is_named(of: Any) -> None:
    with pytest.raises(qe.InputTypeError, match=r"^of=.*give a chart"):
        qe.run_length(of)
