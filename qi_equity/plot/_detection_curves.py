"""Months to detect against births a month: the charts whose lines are drawn, and their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.measure import Measure
from qi_equity.data.periods import EVERY
from qi_equity.planning.months import months_to_detect
from qi_equity.planning.plan import Plan, changed_rate, make_plan
from qi_equity.planning.tuned import Chart
from qi_equity.planning.words import chart_words

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable

Floats = NDArray[np.float64]

# Charts whose months take long to reckon have fewer places; the months of these move smoothly.
_SLOW: tuple[str, ...] = ("cusum", "ewma")
_PLACES, _FEW_PLACES = 160, 18
_MOST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One kind of chart: months to detect (infinite where it is blind) at births, or events, a month."""

    chart: str
    every: str
    x: Floats
    months: Floats

    @property
    def words(self) -> str:
        """Name the chart."""
        return chart_words(self.chart, self.every)


def across(table: DetectionTable, frame: pd.DataFrame) -> Floats:
    """Give what the groups differ in along the axis: births a month, or events where none are counted."""
    plan = make_plan(table.series, table.options["change"])
    if not counts_events(table.series.measure):
        return frame["births_per_month"].to_numpy(dtype=np.float64)
    if "events_per_month" in frame:
        return frame["events_per_month"].to_numpy(dtype=np.float64)
    return _events_of_groups(plan, frame)


def _events_of_groups(plan: Plan, frame: pd.DataFrame) -> Floats:
    """Sum the events of each group over its sites."""
    keys = [c for c in plan.strata.columns if c != "site"]
    events = pd.DataFrame({**plan.strata[keys].astype("str"), "events": np.nan_to_num(plan.events)})
    sums = events.groupby(keys, sort=False)["events"].sum()
    rows = frame[keys].astype("str").itertuples(index=False, name=None)
    return np.array([sums[row if len(keys) > 1 else row[0]] for row in rows], dtype=np.float64)


def counts_events(measure: Measure) -> bool:
    """Tell whether events come at a rate in time, without births to count."""
    return measure.kind == "count" or (measure.kind == "between" and measure.unit == "days")


def typical_rate(table: DetectionTable) -> tuple[float, float]:
    """Give the rate of all strata together, before and after the change; NaN where there are no births."""
    plan = make_plan(table.series, table.options["change"])
    known = np.isfinite(plan.births + plan.events)
    births, events = plan.births[known].sum(), plan.events[known].sum()
    rate = np.array([events / births if births > 0 else np.nan])
    return float(rate[0]), float(changed_rate(table.series, rate, table.options["change"])[0][0])


def curves(table: DetectionTable, low: float, high: float) -> list[Curve]:
    """Give a line for each kind of chart that some group is told to use, and for the plain one."""
    plan = make_plan(table.series, table.options["change"])
    found = []
    for chart, every in _kinds(table, plan):
        places = _FEW_PLACES if chart in _SLOW else _PLACES
        x = np.geomspace(low, high, places)
        births, before, after = _designs(table, plan, x)
        months = months_to_detect(
            births,
            before,
            after,
            chart=cast(Chart, chart),
            every=every if every in EVERY else "month",
            false_alarm_months=table.options["false_alarm_months"],
            kind="proportion" if plan.family == "binomial" else "rate",
        )
        if not np.isnan(months).all():
            found.append(Curve(chart, every, x, months))
    return found


def _kinds(table: DetectionTable, plan: Plan) -> list[tuple[str, str]]:
    """Give charts with how often they have a point: the plain one first, then those most are told to use."""
    told = pd.concat([table.table, table.pooled], ignore_index=True)[["chart", "every"]]
    told = told[told["chart"] != ""]
    plain = [] if plan.series.measure.kind == "between" else [(plain_chart(plan), str(table.series.every))]
    often = [(str(chart), str(every)) for chart, every in told.value_counts(sort=True).index]
    return list(dict.fromkeys([*plain, *often]))[:_MOST]


def plain_chart(plan: Plan) -> Literal["p", "u", "c"]:
    """Name the chart of counts that most teams draw."""
    if plan.family == "binomial":
        return "p"
    return "c" if plan.series.measure.kind == "count" else "u"


def _designs(table: DetectionTable, plan: Plan, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Give births a month and the rate before and after the change, of each place."""
    if counts_events(table.series.measure):
        return np.ones(x.shape), x, changed_rate(plan.series, x, table.options["change"])[0]
    before, after = typical_rate(table)
    return x, np.full(x.shape, before), np.full(x.shape, after)
