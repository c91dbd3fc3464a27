"""What planning reads of a series: births and events a month, and the changed rate, by naive loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.errors import OptionError
from qi_equity.planning.plan import MONTHS, Plan, changed_rate, make_plan

DAYS = 365.25 / 12
LESS = qe.Measure("Bleeding", "proportion", "lower")
MORE = qe.Measure("Asked", "proportion", "higher")
NEITHER = qe.Measure("Induced", "proportion", None)


def counted(measure: qe.Measure = LESS, *, every: str = "month", **columns: list[Any]) -> qe.StratifiedSeries:
    size = len(columns["events"])
    start = {"month": "MS", "quarter": "QS", "week": "W-MON", "day": "D", "year": "YS"}[every]
    frame = pd.DataFrame(columns)
    if "group" not in columns:
        frame["period"] = pd.date_range("2024-01-01", periods=size, freq=start)
    else:
        frame["period"] = pd.DatetimeIndex(
            np.tile(
                pd.date_range("2024-01-01", periods=size // frame["group"].nunique(), freq=start),
                frame["group"].nunique(),
            )
        )
    return qe.from_counts(
        frame,
        measure,
        period="period",
        numerator="events",
        denominator="births" if "births" in columns else None,
        group="group" if "group" in columns else None,
        every=every,
    )


def records(days: int = 200, a_day: int = 2, seed: int = 3, chance: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    dates = np.repeat(pd.date_range("2023-03-05", periods=days), a_day)
    return pd.DataFrame({"born": dates, "event": rng.random(dates.size) < chance})


def between(frame: pd.DataFrame, measure: qe.Measure = LESS, unit: Any = "births") -> qe.StratifiedSeries:
    return qe.between_events(frame, measure, date="born", event="event", unit=unit)


class TestCounts:
    def test_only_periods_of_which_both_are_known(self) -> None:
        """Missing is not zero and suppressed is not missing: neither has a part, nor has its month."""
        plan = make_plan(counted(events=[3, "*", "", 0, 4], births=[40, 41, 42, 43, 44]), 0.5)
        assert (plan.months[0], plan.births[0], plan.events[0]) == (3, 127 / 3, 7 / 3)
        assert (plan.rate[0], plan.changed[0]) == (7 / 127, 3.5 / 127)
        assert plan.seen.tolist() == [True]
        assert (plan.side, plan.family, plan.good, plan.meaning) == ("low", "binomial", 0, "improvement")

    def test_births_that_are_not_known_take_their_events_along(self) -> None:
        plan = make_plan(counted(events=[3, 9, 0, 4], births=[40, "*", 43, ""]), 0.5)
        assert (plan.months[0], plan.births[0], plan.rate[0]) == (2, 41.5, 3 / 83)

    def test_groups_without_births_events_or_anything(self) -> None:
        series = counted(
            group=["A"] * 2 + ["B"] * 2 + ["C"] * 2 + ["D"] * 2 + ["E"] * 2,
            events=[2, 1, 0, 0, 0, 0, "", "", 5, 7],
            births=[9, 11, 9, 11, 0, 0, 5, 5, 5, 7],
        )
        plan = make_plan(series, 0.5)
        assert plan.strata["group"].tolist() == list("ABCDE")
        assert plan.seen.tolist() == [True, False, False, False, False]
        np.testing.assert_array_equal(plan.births, [10, 10, 0, math.nan, 6])
        np.testing.assert_array_equal(plan.events, [1.5, 0, 0, math.nan, 6])
        np.testing.assert_array_equal(plan.rate, [0.15, 0, math.nan, math.nan, 1])
        np.testing.assert_array_equal(plan.months, [2, 2, 2, 0, 2])

    @pytest.mark.parametrize(
        ("every", "months"),
        [("day", 1 / DAYS), ("week", 7 / DAYS), ("month", 1), ("quarter", 3), ("year", 12)],
    )
    def test_other_periods(self, every: str, months: float) -> None:
        plan = make_plan(counted(every=every, events=[3, 5, 1], births=[30, 40, 20]), 0.5)
        assert MONTHS[every] == pytest.approx(months)
        assert plan.months[0] == pytest.approx(3 * months)
        assert plan.births[0] == pytest.approx(90 / (3 * months))
        assert plan.events[0] == pytest.approx(9 / (3 * months))
        assert plan.rate[0] == 0.1

    def test_rates_and_counts(self) -> None:
        plan = make_plan(counted(qe.Measure("Falls", "rate", "lower"), events=[30, 6], births=[10, 8]), 3)
        assert (plan.family, plan.rate[0], plan.changed[0], plan.side) == ("poisson", 2, 6, "high")
        assert plan.meaning == "deterioration"
        assert plan.seen.tolist() == [True]
        plan = make_plan(counted(qe.Measure("Calls", "count", None), every="quarter", events=[30, 6]), 0.5)
        assert (plan.family, plan.births[0], plan.events[0], plan.rate[0]) == ("poisson", 1, 6, 6)
        assert (plan.good, plan.meaning) == (-1, "fall")

    def test_overlapping_periods_share_births(self) -> None:
        """Twelve rolling years of one hospital hold far fewer births than their sum."""
        frame = pd.DataFrame({"m": pd.date_range("2022-01-01", periods=24, freq="MS"), "x": 24, "n": 600})
        series = qe.from_counts(frame, LESS, period="m", numerator="x", denominator="n", window=12)
        with pytest.raises(OptionError, match="window=12"):
            make_plan(series, 0.5)
        years = make_plan(series.resample("year"), 0.5)
        assert (years.births[0], years.months[0]) == (50, 24)

    def test_means_are_no_events(self) -> None:
        frame = pd.DataFrame({"m": ["2024-01"], "y": [3.2], "n": [5]})
        measure = qe.Measure("Blood loss", "mean", "lower")
        series = qe.from_counts(frame, measure, period="m", value="y", denominator="n")
        with pytest.raises(OptionError, match=r"'Blood loss' holds measurements.*kind='xbar'"):
            make_plan(series, 0.5)


class TestBetween:
    def test_births_after_the_first_event(self) -> None:
        frame = records()
        plan = make_plan(between(frame), 0.5)
        # Of one day the k-th of e events among b births is number floor(k (b + 1) / (e + 1)).
        order: list[bool] = []
        for _, day in frame.groupby("born"):
            events, births = int(day["event"].sum()), len(day)
            places = {k * (births + 1) // (events + 1) for k in range(1, events + 1)}
            order += [b + 1 in places for b in range(births)]
        at = np.flatnonzero(order)
        # The first point is the gap that ends at the second event; when it began is not in the series.
        dated = [frame["born"].iloc[i] for i in at]
        later = [i for i in range(1, at.size) if dated[i] > dated[1]]
        births = sum(int(at[i] - at[i - 1]) for i in later)
        months = (dated[-1] - dated[1]).days / DAYS
        assert plan.events[0] * plan.months[0] == pytest.approx(len(later))
        assert plan.months[0] == pytest.approx(months)
        assert plan.births[0] == pytest.approx(births / months)
        assert plan.rate[0] == pytest.approx(len(later) / births)
        assert plan.changed[0] == pytest.approx(plan.rate[0] / 2)
        assert (plan.family, plan.side, plan.good, plan.meaning) == ("binomial", "low", 0, "improvement")

    def test_days(self) -> None:
        frame = records(chance=0.05)
        plan = make_plan(between(frame, unit="days"), 2)
        dates = frame.loc[frame["event"], "born"]
        dates = dates[dates >= dates.iloc[1]]
        months = (dates.iloc[-1] - dates.iloc[0]).days / DAYS
        assert plan.family == "poisson"
        assert plan.months[0] == pytest.approx(months)
        assert plan.births[0] == pytest.approx(1)
        assert plan.rate[0] == pytest.approx((dates > dates.iloc[0]).sum() / months)
        assert plan.events[0] == pytest.approx(plan.rate[0])
        assert (plan.side, plan.meaning) == ("high", "deterioration")

    @pytest.mark.parametrize("events", [1, 2])
    def test_too_few_events_for_a_gap_with_dates(self, events: int) -> None:
        frame = records(days=20, a_day=1).assign(event=False)
        frame.loc[[4, 11][:events], "event"] = True
        plan = make_plan(between(frame), 0.5)
        assert plan.months.tolist() == [0.0]
        assert np.isnan([plan.births[0], plan.rate[0], plan.events[0]]).all()
        assert not plan.seen.any()


class TestChange:
    """The change is that of the adverse rate."""

    def plan(self, measure: qe.Measure, change: float, events: int = 6, births: int | None = 20) -> Plan:
        columns = {"events": [events]} | ({"births": [births]} if births else {})
        return make_plan(counted(measure, **columns), change)

    @pytest.mark.parametrize(
        ("measure", "change", "changed", "side", "meaning"),
        [
            (LESS, 0.5, 0.15, "low", "improvement"),
            (LESS, 2, 0.6, "high", "deterioration"),
            (MORE, 0.5, 0.65, "high", "improvement"),
            (MORE, 1.2, 0.16, "low", "deterioration"),
            (NEITHER, 0.5, 0.15, "low", "fall"),
            (NEITHER, 2, 0.6, "high", "rise"),
        ],
    )
    def test_proportions(
        self, measure: qe.Measure, change: float, changed: float, side: str, meaning: str
    ) -> None:
        plan = self.plan(measure, change)
        assert plan.changed[0] == pytest.approx(changed)
        assert (plan.side, plan.meaning) == (side, meaning)

    @pytest.mark.parametrize("kind", ["rate", "count"])
    def test_more_is_better_without_a_ceiling(self, kind: Any) -> None:
        births = 20 if kind == "rate" else None
        plan = self.plan(qe.Measure("Visits", kind, "higher"), 0.5, births=births)
        assert plan.changed[0] == plan.rate[0] * 2
        assert (plan.side, plan.meaning) == ("high", "improvement")
        worse = self.plan(qe.Measure("Visits", kind, "higher"), 2, births=births)
        assert worse.changed[0] == worse.rate[0] / 2
        assert (worse.side, worse.meaning) == ("low", "deterioration")

    @pytest.mark.parametrize(
        ("measure", "change", "events"),
        [(LESS, 4, 6), (LESS, 20 / 6, 6), (LESS, 2, 10), (MORE, 3, 10), (MORE, 2, 10)],
    )
    def test_impossible(self, measure: qe.Measure, change: float, events: int) -> None:
        """A rate of 100 % or more, or of nothing or less."""
        plan = self.plan(measure, change, events=events)
        assert math.isnan(plan.changed[0])
        assert not plan.seen.any()

    def test_births_between_events_of_which_more_are_better(self) -> None:
        """Shorter gaps are better there, and what is adverse is a birth without the event."""
        frame = records(chance=0.4)
        series = between(frame, MORE)
        assert series.measure.better == "lower"
        plan = make_plan(series, 0.5)
        assert plan.changed[0] == pytest.approx(1 - (1 - plan.rate[0]) / 2)
        assert (plan.side, plan.good, plan.meaning) == ("high", 1, "improvement")
        assert math.isnan(make_plan(series, 2).changed[0])
        fewer = make_plan(between(frame), 3)
        assert math.isnan(fewer.changed[0])
        days = make_plan(between(frame, MORE, "days"), 0.5)
        assert days.changed[0] == pytest.approx(2 * days.rate[0])
        assert days.meaning == "improvement"

    def test_any_rates(self) -> None:
        """As the rates of pooled sites are changed."""
        series = counted(events=[6], births=[20])
        changed, side = changed_rate(series, np.array([0.1, math.nan, 0.6, 0.0]), 2)
        np.testing.assert_array_equal(changed, [0.2, math.nan, math.nan, math.nan])
        assert side == "high"
