"""What each panel of a chart can show, how soon, and what would see it sooner, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from qi_equity.planning.plan import MONTHS, Plan, make_plan
from qi_equity.planning.run_length.run import run_length
from qi_equity.planning.words import chart_words, months_words
from qi_equity.spc.kinds import Spec

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable
    from qi_equity.spc.chart import ControlChart

Side = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Strip:
    """The words under one panel: each way with what the chart can show of it, then when, then what instead.

    ``ways`` are (what, how), where ``how`` is "yes", "only over several points", "no" or "not known";
    ``when`` is empty where nothing can be reckoned.
    """

    ways: tuple[tuple[str, str], ...]
    when: str
    sooner: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        said = "; ".join(f"{what}: {how}" for what, how in self.ways)
        return " ".join(part for part in (f"This chart can show {said}.", self.when, self.sooner) if part)


def make_strips(table: DetectionTable, chart: ControlChart) -> list[Strip]:
    """Give the words under the panel of each stratum, in the order of ``chart.strata``."""
    plan = make_plan(table.series, table.options["change"])
    keys = list(chart.strata.columns)
    # What is judged is the phase the chart is in now; a stratum without points has none.
    last = chart.summary().drop_duplicates(keys, keep="last").astype(dict.fromkeys(keys, "str"))
    last = chart.strata.astype("str").merge(last, on=keys, how="left", validate="1:1")
    waits = _waits(table, chart, plan)
    rows = table.table.to_dict("records")
    strips = []
    for i, row in enumerate(rows):
        ways = tuple((name, _how(last.loc[i, f"can_signal_{name}"])) for name in _names(plan))
        strips.append(Strip(ways, _when(table, plan, row, waits[i]), _sooner(row, table.options["within"])))
    return strips


def _names(plan: Plan) -> tuple[str, str]:
    return ("improvement", "deterioration") if plan.good >= 0 else ("low", "high")


def _how(value: Any) -> str:
    return "not known" if pd.isna(value) else str(value)


def change_name(table: DetectionTable) -> str:
    """Name the change for a sentence: "a halving", "a doubling", "a change to 0.7 times"."""
    change = table.options["change"]
    return {0.5: "a halving", 2.0: "a doubling"}.get(change, f"a change to {change:g} times")


def _waits(table: DetectionTable, chart: ControlChart, plan: Plan) -> list[tuple[str, float]]:
    """Say of each stratum how many months the chart takes: ("mean" or "half", months), ("", NaN) unknown."""
    sides = [_side(chart, spec, plan) for spec in chart.specs]
    found: dict[Side, list[dict[Any, Any]]] = {
        side: run_length(chart, change=table.options["change"], side=side).table.to_dict("records")
        for side in dict.fromkeys(sides)
    }
    births = plan.births.tolist()
    return [_wait(found[sides[k]][i], births[i]) for i, k in enumerate(chart.spec_of.tolist())]


def _side(chart: ControlChart, spec: Spec, plan: Plan) -> Side:
    """Give the side of what is plotted to which the change moves it: gaps grow where the rate falls."""
    gaps = chart.series.measure.kind == "between" and not spec.two_arms
    return ("high" if plan.side == "low" else "low") if gaps else plan.side


def _wait(row: dict[Any, Any], births: float) -> tuple[str, float]:
    """Give the mean in months, or where it is not known the months within which half of charts signal."""
    if not np.isnan(row["mean"]):
        return "mean", float(row["mean_months"] if np.isfinite(row["mean"]) else np.inf)
    months = {"birth": 1 / births if births > 0 else np.nan, **MONTHS}.get(row["unit"], np.nan)
    return ("half", float(row["median"] * months)) if np.isfinite(row["median"] * months) else ("", np.nan)


def _when(table: DetectionTable, plan: Plan, row: dict[Any, Any], wait: tuple[str, float]) -> str:
    """Say how long this chart takes to show the change."""
    name = change_name(table)
    how, months = wait
    if np.isnan(row["months_to_detect"]):
        return ""
    if np.isinf(months):
        return f"Months to detect {name}: it never does."
    if how == "mean":
        return f"Months to detect {name}: {months_words(months).split(' ')[0]} on average."
    if how == "half":
        return f"Months to detect {name}: half of such charts within {months_words(months).split(' ')[0]}."
    return f"Months to detect {name}: half of such charts not within years."


def _sooner(row: dict[Any, Any], within: float) -> str:
    """Say which chart would show it, and when."""
    if not row["chart"]:
        return str(row["reason"])
    name, months = chart_words(row["chart"], row["every"]), months_words(row["months_to_detect"])
    late = "" if row["visible"] else f", not yet visible within {months_words(within)}"
    return f"Best of these data: {name}, {months}{late}."
