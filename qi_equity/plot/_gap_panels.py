"""What each panel of a gap chart holds: the gap as a chart, and under it the rates of both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.measure import Measure
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _words
from qi_equity.plot._days import days
from qi_equity.plot._gap_words import difference_unit
from qi_equity.plot._panels import Arm, Panel, by_stratum, edges_of, runs_of
from qi_equity.plot._rows import ratio_ticks
from qi_equity.plot._scales import ROW_PT, YScale, y_scale
from qi_equity.plot._text import number

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.gap_chart import GapChart

Floats = NDArray[np.float64]

_REACH = 2.5
# A ratio of 0 or infinity on the logarithmic axis; far beyond every scale, so that it gets an arrow.
_ENDLESS = 50.0
_TICK_PT = 18.0


@dataclass(frozen=True, slots=True, eq=False)
class GapPanel:
    """The gap as a panel of a chart, and the rates of the group and of its reference."""

    panel: Panel
    group: Floats
    reference: Floats


class LogScale(YScale):
    """A y axis of logarithms of ratios, written as ratios."""

    __slots__ = ()

    def write(self, value: float) -> str:
        """Write a ratio."""
        return "∞" if value > _ENDLESS - 1 else number(float(np.exp(value)), 2)

    def write_short(self, value: float) -> str:
        """Write a ratio that is far from the others."""
        ratio = 0.0 if value < 1 - _ENDLESS else float(np.exp(value))
        return "∞" if value > _ENDLESS - 1 else f"{ratio:.2g}"

    def labels(self) -> list[str]:
        """Write the ticks."""
        return [f"{np.exp(t):g}" for t in self.ticks]


def shown_rows(chart: GapChart, rows: list[int]) -> list[int]:
    """Leave out the strata that are the reference themselves, unless nothing else is there."""
    own = chart.against.is_reference[chart.shown]
    return [row for row in rows if not own[row]] or rows


def make_gap_panels(chart: GapChart, rows: list[int]) -> list[GapPanel]:
    """Make the panels of some strata (rows of ``chart.strata``), in the order given."""
    strata = chart.strata
    keys, names = list(strata.columns), _words.stratum_names(strata)
    frames = {n: by_stratum(getattr(chart, n), keys) for n in ("points", "signals", "notes")}
    phases = by_stratum(chart.timeline.phases, keys)
    moved = by_stratum(chart.movement(), keys)
    panels = []
    for row in rows:
        key = tuple(strata.iloc[row].astype(str))
        parts = {n: f.get(key) for n, f in frames.items()}
        notes = chart.notes.iloc[:0] if parts["notes"] is None else parts["notes"]
        name = " · ".join(result_words.title_of_group(chart.series, part) for part in names[row].split(" · "))
        panels.append(_panel(chart, name, row, parts, notes, phases[key], moved.get(key)))
    return panels


def _panel(
    chart: GapChart,
    name: str,
    row: int,
    parts: dict[str, Any],
    notes: pd.DataFrame,
    phases: pd.DataFrame,
    moved: pd.DataFrame | None,
) -> GapPanel:
    points, times, measure = parts["points"], times_of(chart), chart.series.measure
    at = int(chart.shown[row])
    x = days(points["period"])
    column = {c: points[c].to_numpy(dtype=float) for c in ("value", "reference_value", "denominator")}
    lines = {
        n: turned(chart, chart.lines[n][at] * times)
        for n in ("gap", "centre_line", "lower", "upper", "lowest", "highest")
    }
    flags = {c: points[c].to_numpy(dtype=bool) for c in ("special_cause", "improvement", "concern")}
    neutral = flags["special_cause"] & ~flags["improvement"] & ~flags["concern"]
    runs = runs_of(parts["signals"])
    arm = Arm(0, "", lines["gap"], flags["improvement"], flags["concern"], neutral, runs)
    known = np.isfinite(column["value"]) & np.isfinite(column["reference_value"])
    panel = Panel(
        name=name,
        kind=0,
        about_zero=chart.scale == "observed-expected",
        why=_movement(moved) if known.any() else "",
        counts=_counts(points, known, measure),
        words=_words.warnings_of(notes, parts["signals"], points),
        x=x,
        edges=edges_of(x),
        phase=points["phase"].to_numpy(dtype=np.int64),
        phase_labels=_words.phase_labels(phases),
        arms=(arm,),
        centre_line=lines["centre_line"],
        target=np.zeros(len(x)),
        lower=lines["lower"],
        upper=lines["upper"],
        lower_crossable=lines["lowest"] < lines["lower"],
        upper_crossable=lines["highest"] > lines["upper"],
        status=points["status"].astype(str).to_numpy(dtype=str),
        births=column["denominator"],
        known=known,
        baseline=points["baseline"].to_numpy(dtype=bool),
        excluded=points["excluded"].to_numpy(dtype=bool),
    )
    return GapPanel(
        panel, column["value"] * measure.multiplier, column["reference_value"] * measure.multiplier
    )


def times_of(chart: GapChart) -> float:
    """Give what gaps are multiplied by."""
    return chart.series.measure.multiplier if chart.scale == "difference" else 1.0


def turned(chart: GapChart, values: Floats) -> Floats:
    """Put ratios on the logarithmic axis, those of 0 and infinity far beyond its ends."""
    if chart.scale != "ratio":
        return values
    with np.errstate(divide="ignore"):
        return np.clip(np.log(values), -_ENDLESS, _ENDLESS)


def unit_of_gap(chart: GapChart) -> str:
    """Give the label of the y axis."""
    named = {"difference": difference_unit(chart.series.measure), "ratio": "ratio"}
    return named.get(chart.scale, "events beyond expected")


def _counts(points: pd.DataFrame, known: NDArray[np.bool_], measure: Measure) -> tuple[str, ...]:
    shown = points[known]
    births, events = shown["denominator"].sum(), shown["numerator"].sum()
    if not births > 0:
        return ()
    if measure.kind == "mean":
        return (f"{births:,.0f} values",)
    who = "babies" if measure.counts == "baby" else "births"
    return (f"{births:,.0f} {who}", f"{events:,.0f} events")


def _movement(moved: pd.DataFrame | None) -> str:
    """Say how the gap moved in the last phase, on both scales."""
    if moved is None or len(moved) < 2:
        return ""
    last = moved.iloc[-1]
    difference, ratio = str(last["difference_moved"]), str(last["ratio_moved"])
    if not difference:
        return ""
    said = difference if difference == ratio else f"difference {difference}; ratio {ratio}"
    return f"Change of the gap: {said}."


def gap_y_scale(chart: GapChart, panels: list[GapPanel], height: float, cycles: float) -> YScale:
    """Choose the scale that all panels share."""
    charts = [p.panel for p in panels]
    if chart.scale != "ratio":
        return y_scale(charts, _REACH, 1.0, height, cycles)
    finite = [_without_endless(p) for p in charts]
    values = np.concatenate([p.arms[0].value for p in charts])
    scale = y_scale(finite, _REACH, 1.0, height, cycles)
    above = ROW_PT * bool((values >= _ENDLESS).any()) * (scale.above == 0)
    below = ROW_PT * bool((values <= -_ENDLESS).any()) * (scale.below == 0)
    most = max(int(height // _TICK_PT), 2)
    return LogScale(
        scale.low,
        scale.high,
        bottom=scale.bottom - below * scale.per_point,
        top=scale.top + above * scale.per_point,
        above=scale.above + above,
        phases=scale.phases,
        below=scale.below + below,
        cycles=scale.cycles,
        marks=scale.marks,
        power=1.0,
        per_point=scale.per_point,
        ticks=np.log(ratio_ticks(float(np.exp(scale.low)), float(np.exp(scale.high)), most)),
        decimals=2,
    )


def _without_endless(panel: Panel) -> Panel:
    """Leave out what is 0 or infinite, which no scale can hold."""

    def finite(values: Floats) -> Floats:
        return np.where(np.abs(values) >= _ENDLESS, np.nan, values)

    arms = tuple(replace(arm, value=finite(arm.value)) for arm in panel.arms)
    lower, upper, centre = (finite(v) for v in (panel.lower, panel.upper, panel.centre_line))
    return replace(
        panel,
        arms=arms,
        lower=lower,
        upper=upper,
        centre_line=centre,
        lower_crossable=panel.lower_crossable & np.isfinite(lower),
        upper_crossable=panel.upper_crossable & np.isfinite(upper),
    )


def phase_notes(chart: GapChart) -> list[str]:
    """Say when the phases after the first start; what is read of a chart is in a gap chart too."""
    return _words.phases_of(cast("Any", chart))
