"""Charts tuned to a false-alarm time: by counting, by simulation, and as the chart that is written is drawn.

No published table of months to detect at an equal false-alarm time was found but that of Bernoulli CUSUMs in
tests/reference/test_detection_tables.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.formulas.count_cusum_detection import count_cusum_detection
from qi_equity.planning.drawn import drawn_as
from qi_equity.planning.tuned import CHARTS, LARGEST_TAIL, Chart, Design, Tuned, can_show, tuned

MONTH = 365.25 / 12


def design(
    births: float,
    before: float,
    after: float,
    every: float = 150,
    family: Any = "binomial",
    months: float = 1.0,
) -> Design:
    one = (np.array([x], dtype=np.float64) for x in (births, before, after, every))
    return Design(*one, family, months)


def numbers(found: Tuned) -> tuple[float, float]:
    return float(found.false_alarm_months[0]), float(found.months_to_detect[0])


def kind_of(text: str) -> Any:
    return eval(text, {"qe": qe})


class TestPoints:
    """Limits of p, u and c charts, by counting what signals."""

    @pytest.mark.parametrize(("chart", "family"), [("p", "binomial"), ("u", "poisson"), ("c", "poisson")])
    @pytest.mark.parametrize("months", [7 / MONTH, 1.0, 3.0])
    @pytest.mark.parametrize("change", [0.5, 1.6])
    @pytest.mark.parametrize("births", [12, 66.4, 294])
    def test_counted(self, chart: Chart, family: Any, months: float, change: float, births: float) -> None:
        before, after = 0.08, 0.08 * change
        found = tuned(chart, design(births, before, after, family=family, months=months))
        size = births * months
        every = np.arange(1500)
        chances = []
        for p in (before, after):
            of = stats.binom(round(size), p) if family == "binomial" else stats.poisson(size * p)
            chances.append(of.cdf(every) if change < 1 else of.sf(every - 1))
        signal = (chances[0] <= months / 150 * (1 + 1e-9)) & (chances[0] > 0)
        if not signal.any():
            assert math.isnan(found.setting[0])
            assert numbers(found) == (math.inf, math.inf)
            return
        last = np.flatnonzero(signal)[-1 if change < 1 else 0]
        expected = [months / chances[k][last] for k in (0, 1)]
        assert numbers(found) == pytest.approx(expected, rel=1e-9)
        assert numbers(found)[0] >= 150 * (1 - 1e-9)
        assert found.setting[0] == pytest.approx(months / 150)

    def test_half_way_between_blind_and_seeing(self) -> None:
        """(1 - 0.12)^n is rarer than 1 in 150 from 40 births on."""
        births = np.arange(30, 50.0)
        same = np.ones(20)
        found = tuned("p", Design(births, 0.12 * same, 0.06 * same, 150 * same, "binomial", 1.0))
        assert births[np.isfinite(found.setting)].min() == 40
        assert np.isinf(found.months_to_detect[births < 40]).all()


class TestGapsAndTimes:
    @pytest.mark.parametrize(
        ("births", "before", "change"), [(66, 0.05, 0.5), (20, 0.3, 0.6), (100, 0.01, 2)]
    )
    def test_g(self, births: float, before: float, change: float) -> None:
        """Birth by birth: an open gap signals as soon as it is too long, a short one with its event."""
        every, charts, rng = 40, 4000, np.random.default_rng(17)
        found = tuned("g", design(births, before, before * change, every))
        (text,) = drawn_as("g", design(births, before, before * change, every), found)
        tail = kind_of(text).tail if text else float(found.setting[0])
        gaps = np.arange(1, 5000)
        signals = (
            stats.geom(before).sf(gaps - 1) < tail if change < 1 else stats.geom(before).cdf(gaps) < tail
        )
        limit = gaps[signals].min() if change < 1 else gaps[signals].max()
        for p, expected in zip((before, before * change), numbers(found), strict=True):
            waited, open_ = np.zeros(charts), np.ones(charts, dtype=bool)
            while open_.any():
                gap = rng.geometric(p, open_.sum())
                over = gap >= limit if change < 1 else gap <= limit
                waited[open_] += np.where(over & (change < 1), limit, gap)
                open_[open_] = ~over
            mean, error = waited.mean() / births, waited.std() / math.sqrt(charts) / births
            assert abs(mean - expected) < 5 * error
        assert numbers(found)[0] >= every * (1 - 1e-9)

    @pytest.mark.parametrize("change", [0.5, 1.8])
    @pytest.mark.parametrize("family", ["binomial", "poisson"])
    def test_t(self, change: float, family: Any) -> None:
        every, charts, rng = 40, 4000, np.random.default_rng(18)
        plan = design(30, 0.06, 0.06 * change, every, family)
        found = tuned("t", plan)
        tail = kind_of(drawn_as("t", plan, found)[0]).tail
        limit = -math.log(tail) / 1.8 if change < 1 else -math.log1p(-tail) / 1.8
        for rate, expected in zip((1.8, 1.8 * change), numbers(found), strict=True):
            waited, open_ = np.zeros(charts), np.ones(charts, dtype=bool)
            while open_.any():
                gap = rng.exponential(1 / rate, open_.sum())
                over = gap > limit if change < 1 else gap < limit
                waited[open_] += np.where(over & (change < 1), limit, gap)
                open_[open_] = ~over
            assert abs(waited.mean() - expected) < 5 * waited.std() / math.sqrt(charts)
        assert numbers(found)[0] == pytest.approx(every)

    def test_so_rare_that_any_event_signals(self) -> None:
        """Rarer than a false alarm is wanted, one event is news; such a chart cannot be drawn."""
        plan = design(2, 0.001, 0.002)
        found = tuned("g", plan)
        assert numbers(found) == pytest.approx((500, 250))
        assert drawn_as("g", plan, found) == ("",)
        found = tuned("t", plan)
        assert numbers(found) == pytest.approx((500, 250))
        assert drawn_as("t", plan, found) == ("",)

    def test_two_events_in_a_row_may_be_too_common(self) -> None:
        found = tuned("g", design(60, 0.2, 0.4))
        assert math.isnan(found.setting[0])
        assert numbers(found) == (math.inf, math.inf)


class TestSums:
    """Charts that add up the past, simulated step by step from their definition."""

    @pytest.mark.parametrize("change", [0.5, 1.7])
    @pytest.mark.parametrize(
        ("births", "before", "months"), [(28, 0.08, 1.0), (60, 0.12, 3.0), (60, 0.3, 7 / MONTH)]
    )
    @pytest.mark.parametrize("family", ["binomial", "poisson"])
    def test_ewma(self, births: float, before: float, change: float, months: float, family: Any) -> None:
        every, charts, rng = 30.0 * months, 3000, np.random.default_rng(19)
        plan = design(births, before, before * change, every, family, months)
        found = tuned("ewma", plan)
        width = kind_of(drawn_as("ewma", plan, found)[0]).width
        size = round(births * months) if family == "binomial" else births * months
        sigma = math.sqrt(before * (1 - before) / size) if family == "binomial" else math.sqrt(before / size)
        # Both sides, of which the one that does not look for the change may be rarer.
        for p, expected in zip((before, before * change), numbers(found), strict=True):
            z, run, open_ = np.full(charts, before), np.zeros(charts), np.ones(charts, dtype=bool)
            t = 0
            while open_.any():
                t += 1
                x = rng.binomial(size, p, charts) if family == "binomial" else rng.poisson(size * p, charts)
                z = 0.2 * x / size + 0.8 * z
                reach = width * sigma * math.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * t)))
                run[open_] += 1
                open_ &= ~(z < before - reach) if change < 1 else ~(z > before + reach)
            error = run.std() / math.sqrt(charts)
            # The averages are followed on a lattice, of which the methods say 1 %.
            assert abs(run.mean() * months - expected) < (5 * error + 0.01 * run.mean()) * months

    def test_ewma_of_few_events_is_blind_to_a_fall(self) -> None:
        """No average of counts of 0 comes down to a limit below 0."""
        found = tuned("ewma", design(12, 0.03, 0.015, family="poisson"))
        assert math.isnan(found.setting[0])
        assert numbers(found) == (math.inf, math.inf)
        assert drawn_as("ewma", design(12, 0.03, 0.015, family="poisson"), found) == ("",)

    @pytest.mark.parametrize("change", [0.5, 2.0])
    @pytest.mark.parametrize(("births", "before"), [(28, 0.08), (120, 0.02)])
    def test_bernoulli(self, births: float, before: float, change: float) -> None:
        every, charts, rng = 12, 3000, np.random.default_rng(20)
        after = before * change
        found = tuned("bernoulli_cusum", design(births, before, after, every))
        event, none = math.log(after / before), math.log((1 - after) / (1 - before))
        for p, expected in zip((before, after), numbers(found), strict=True):
            state, run, open_ = np.zeros(charts), np.zeros(charts), np.ones(charts, dtype=bool)
            while open_.any():
                step = np.where(rng.random(open_.sum()) < p, event, none)
                state[open_] = np.maximum(0, state[open_] + step)
                run[open_] += 1
                open_ &= state < found.setting[0] - 1e-12
            error = run.std() / math.sqrt(charts)
            assert abs(run.mean() - expected * births) < 5 * error + 0.01 * run.mean()
        assert numbers(found)[0] >= every * (1 - 1e-9)

    def test_cusum_is_that_of_counts(self) -> None:
        """Judged in tests/unit/test_formulas_count_cusum_detection.py; here what it is asked for."""
        found = tuned("cusum", design(20.4, 0.1, 0.05, 150, months=3.0))
        # 61 births come in a little less than a quarter.
        months = 61 / 20.4
        # 61 whole births take a little less than the three months of 61.2.
        months = 61 / 20.4
        beside = count_cusum_detection(61, 0.1, 0.05, points_between=150 / months)
        expected = (months * beside.points_between[0], months * beside.points_to_detect[0])
        assert numbers(found) == pytest.approx(expected)


class TestDrawn:
    """The chart as it is written has the false-alarm time and the months to detect that were said."""

    @pytest.mark.parametrize("change", [0.5, 1.5])
    @pytest.mark.parametrize(("births", "before", "months"), [(28, 0.08, 1.0), (66, 0.3, 3.0)])
    @pytest.mark.parametrize(
        ("family", "chart"), [(f, c) for f in CHARTS for c in CHARTS[f] if c not in ("g", "t")]
    )
    def test_run_length_of_what_is_written(
        self, family: Any, chart: Chart, births: float, before: float, change: float, months: float
    ) -> None:
        if chart == "bernoulli_cusum":
            months = 1.0
        plan = design(births, before, before * change, family=family, months=months)
        found = tuned(chart, plan)
        (text,) = drawn_as(chart, plan, found)
        if not text:
            assert math.isnan(found.setting[0])
            return
        expects = {"centre_line": before, "size": float(plan.size[0])}
        if family == "poisson" and chart != "u":
            expects = {"centre_line": before * births * months}
        if chart == "bernoulli_cusum":
            expects["size"] = births
        runs = qe.run_length(
            "shewhart",
            kind=kind_of(text),
            change=[1, change],
            side="low" if change < 1 else "high",
            **expects,
        ).table
        mean = runs["mean"] * (1 / births if runs["unit"].iloc[0] == "birth" else months)
        assert mean.tolist() == pytest.approx(numbers(found), rel=1e-9 if chart in ("p", "u", "c") else 0.02)

    @pytest.mark.parametrize("change", [0.5, 1.5])
    def test_a_gap_as_written_is_the_gap_that_was_tuned(self, change: float) -> None:
        """What is written is rounded, and lies half-way to the next gap, so that it stays this one's."""
        for births in (12, 28, 66, 294):
            for before in (0.01, 0.03, 0.09, 0.3, 0.6):
                plan = design(births, before, before * change, 150)
                found = tuned("g", plan)
                (text,) = drawn_as("g", plan, found)
                if not text:
                    continue
                gaps = np.arange(1, 4000)
                tails = stats.geom(before).sf(gaps - 1) if change < 1 else stats.geom(before).cdf(gaps)
                signals = gaps[tails < kind_of(text).tail]
                p = before
                if change < 1:
                    births_between = sum((1 - p) ** k for k in range(signals[0])) / (1 - p) ** (
                        signals[0] - 1
                    )
                    births_between = ((1 - p) ** (1 - signals[0]) - 1) / p + 1
                else:
                    births_between = 1 / p / (1 - (1 - p) ** signals[-1])
                assert births_between / births == pytest.approx(numbers(found)[0], rel=1e-9)

    @pytest.mark.parametrize(
        ("chart", "months", "change"),
        [("p", 1.0, 0.5), ("p", 1.0, 1.5), ("cusum", 1.0, 0.5), ("cusum", 1.0, 1.5), ("ewma", 1.0, 0.5)],
    )
    def test_control_chart_waits_as_long(self, chart: Chart, months: float, change: float) -> None:
        """Groups whose first month lies on the line, from which the lines come, and which then change."""
        births, before, groups, length = 150, 0.08, 300, 80
        plan = design(births, before, before * change, 60)
        found = tuned(chart, plan)
        kind = kind_of(drawn_as(chart, plan, found)[0])
        rng = np.random.default_rng(23)
        events = rng.binomial(births, before * change, (groups, length))
        events[:, 0] = births * before
        frame = pd.DataFrame(
            {
                "group": np.repeat([f"g{k:03}" for k in range(groups)], length),
                "month": np.tile(pd.date_range("2000-01-01", periods=length, freq="MS"), groups),
                "events": events.ravel(),
                "births": births,
            }
        )
        measure = qe.Measure("Test", "proportion", "lower")
        series = qe.from_counts(
            frame, measure, period="month", numerator="events", denominator="births", group="group"
        )
        drawn = qe.control_chart(series, kind=kind, rules="shewhart", baseline=1)
        signals = drawn.signals
        signals = signals[signals["side"] == ("low" if change < 1 else "high")]
        first = pd.to_datetime(signals.groupby("group", observed=True)["start"].min())
        run = (first.dt.year - 2000) * 12 + first.dt.month - 1
        assert len(run) == groups
        error = run.std() / math.sqrt(groups)
        # An EWMA whose first month lies on the line has wider limits when the change comes.
        near = 0.3 if chart == "ewma" else 0
        assert abs(run.mean() - numbers(found)[1]) < 5 * error + near

    def test_limits_of_the_drawn_chart_are_the_tuned_ones(self) -> None:
        """Of births between events: the same gap, and the same threshold of the evidence."""
        born = pd.date_range("2020-01-01", periods=4001, freq="6h")
        frame = pd.DataFrame({"born": born, "event": np.arange(4001) % 10 == 0})
        series = qe.between_events(
            frame, qe.Measure("Test", "proportion", "lower"), date="born", event="event"
        )
        plan = design(4 * MONTH, 0.1, 0.05)
        g = tuned("g", plan)
        drawn = qe.control_chart(series, kind=kind_of(drawn_as("g", plan, g)[0]))
        longest = math.ceil(math.log1p(0.1 * (150 * 4 * MONTH - 1)) / -math.log(0.9))
        assert drawn.upper[0][0] == longest + 0.5
        for change in (0.5, 1.5):
            plan = design(4 * MONTH, 0.1, 0.1 * change)
            found = tuned("bernoulli_cusum", plan)
            drawn = qe.control_chart(series, kind=kind_of(drawn_as("bernoulli_cusum", plan, found)[0]))
            line = -drawn.lower[0][0] if change < 1 else drawn.upper[0][0]
            assert line == pytest.approx(found.setting[0], rel=0.01)

    def test_tails_that_no_chart_has(self) -> None:
        """A tail above 0.02 would lie within the limits at two sigma."""
        plan = design(294, 0.08, 0.04, 40)
        found = tuned("p", plan)
        assert found.setting[0] == 1 / 40 > LARGEST_TAIL
        assert np.isfinite(numbers(found)).all()
        assert drawn_as("p", plan, found) == ("",)
        assert drawn_as("p", design(294, 0.08, 0.04, 50), tuned("p", design(294, 0.08, 0.04, 50))) == (
            "qe.P(tail=0.02)",
        )

    def test_written_as_python(self) -> None:
        plan = design(28, 0.08, 0.04)
        texts = {c: drawn_as(c, plan, tuned(c, plan))[0] for c in CHARTS["binomial"]}
        assert texts["p"] == ""
        assert kind_of(texts["cusum"]).false_signal_every == 150
        ratio = 0.08 / 0.92 / (0.04 / 0.96)
        assert kind_of(texts["cusum"]).ratio == pytest.approx(ratio, rel=1e-5)
        assert kind_of(texts["bernoulli_cusum"]).odds_ratio == pytest.approx(ratio, rel=1e-5)
        assert kind_of(texts["bernoulli_cusum"]).false_signal_every == 150
        assert kind_of(texts["ewma"]).weight == 0.2
        quarters = plan._replace(months=3.0)
        assert kind_of(drawn_as("cusum", quarters, tuned("cusum", quarters))[0]).false_signal_every == 50
        rise = design(28, 2.0, 3.0, family="poisson")
        assert kind_of(drawn_as("cusum", rise, tuned("cusum", rise))[0]).ratio == 1.5


class TestNothing:
    """Where nothing can be reckoned, and where nothing can be seen."""

    @pytest.mark.parametrize(
        "plan",
        [
            design(0, 0.1, 0.05),
            design(math.nan, 0.1, 0.05),
            design(20, 0, 0.05),
            design(20, 0.1, 0),
            design(20, 1, 0.5),
            design(20, 0.5, 1),
            design(20, 0.1, 0.1),
            design(20, 0.1, math.nan),
            design(20, 0.1, 0.05, math.inf),
            design(20, 0, 0.05, family="poisson"),
        ],
    )
    def test_nan(self, plan: Design) -> None:
        for chart in CHARTS[plan.family]:
            found = tuned(chart, plan)
            assert np.isnan(np.array(found)).all()
            assert not can_show(chart, plan).any()
            assert drawn_as(chart, plan, found) == ("",)

    def test_beside_what_can(self) -> None:
        """Each stratum as if alone, falls and rises together."""
        births, before = np.array([28.0, 0, 28, 294, 28]), np.array([0.08, 0.08, 0.08, 0.08, 0.3])
        after = np.array([0.04, 0.04, 0.16, 0.04, np.nan])
        for chart in CHARTS["binomial"]:
            found = tuned(chart, Design(births, before, after, np.full(5, 150.0), "binomial", 1.0))
            for k in range(5):
                alone = tuned(chart, design(births[k], before[k], after[k]))
                np.testing.assert_allclose([a[k] for a in found], [a[0] for a in alone], rtol=1e-9)

    def test_can_show(self) -> None:
        few, many = design(28, 0.08, 0.04), design(294, 0.08, 0.04)
        assert [can_show("p", d)[0] for d in (few, many)] == [False, True]
        assert [can_show("cusum", d)[0] for d in (few, many)] == [True, True]
        assert can_show("p", few._replace(after=np.array([0.16])))[0]

    def test_sizes(self) -> None:
        """Births of a point are whole; exposure need not be."""
        assert design(20.4, 0.1, 0.05, months=3.0).size.tolist() == [61]
        assert design(20.4, 0.1, 0.05, months=3.0, family="poisson").size[0] == pytest.approx(61.2)
        assert np.isnan(design(0.1, 0.1, 0.05).size[0])
        assert design(20, 0.1, 0.05, 2, months=3.0).points.tolist() == [1.0]
