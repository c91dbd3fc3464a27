"""Each panel in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.data.cells import STATUSES
from qi_equity.spc.kinds import Spec
from qi_equity.spc.plotted import plotted_measure
from qi_equity.spc.words import amount, and_list, period, plural

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_LINES = {"run": "Median", "i": "Mean"}

OF_PHASE: Mapping[str, str] = {
    "crossings": "too few crossings",
    "runs_count": "an unusual number of runs about the centre line",
}
"""Signals of the rules that judge a phase as a whole, which have neither place nor side."""


def kind_title(spec: Spec) -> str:
    """Name a kind of chart as people do."""
    return {"pp": "p′ chart (Laney)", "up": "u′ chart (Laney)"}.get(spec.kind, spec.title)


def alt_text_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the frame that :meth:`ControlChart.alt_text` describes."""
    rows: dict[int, list[Any]] = {}
    for row in chart._summary_rows().itertuples(index=False):
        rows.setdefault(row[0], []).append(row)
    found: dict[int, list[Any]] = {}
    for stratum, signal in zip(chart._found().stratum, chart.signals.itertuples(index=False), strict=True):
        found.setdefault(stratum, []).append(signal)
    strata = chart.strata
    names = (", ".join(str(v) for v in name) for name in strata.itertuples(index=False, name=None))
    texts = [f"{name}: {_panel(chart, rows.get(s, []), found.get(s, []), s)}" for s, name in enumerate(names)]
    return strata.assign(text=pd.Series(texts, dtype="str", index=strata.index))


def _panel(chart: ControlChart, rows: list[Any], signals: list[Any], stratum: int) -> str:
    series, spec = chart.series, chart.specs[chart.spec_of[stratum]]
    title = f"{kind_title(spec)} of {series.measure.name}"
    if not rows or not sum(row.n_points for row in rows):
        return f"{title}. No observed points."
    first, last = period(series, rows[0].start), period(series, rows[-1].end)
    shown = plural(sum(row.n_points for row in rows), "observed point")
    opening = f"{title}, by {series.every}, {first} to {last}: {shown}{_gaps(chart, stratum)}{_counts(rows)}."
    phases = [_phase(chart, spec, row, len(rows) > 1) for row in rows]
    target = _target(chart, spec, stratum)
    return " ".join([opening, *phases, *([target] if target else []), _signals(chart, signals, stratum)])


def _counts(rows: list[Any]) -> str:
    events = np.nansum([row.numerator for row in rows])
    births = np.nansum([row.denominator for row in rows])
    if all(np.isnan(row.numerator) for row in rows):
        return ""
    return f"; {plural(int(events), 'event')}" + (f" among {births:,.0f}" if births else "")


def _gaps(chart: ControlChart, stratum: int) -> str:
    """Count the points that are not observed, by status."""
    status = chart.series.cells.status[stratum]
    parts = [
        f"{np.count_nonzero(status == i)} {name}" for i, name in enumerate(STATUSES) if i and i in status
    ]
    return f", {and_list(parts)}" if parts else ""


def _phase(chart: ControlChart, spec: Spec, row: Any, several: bool) -> str:
    measure = plotted_measure(chart.series.measure, spec)
    start = f"Phase {row.phase} from {period(chart.series, row.start)}: " if several else ""
    line = _LINES.get(spec.kind, "Centre line")
    if np.isnan(row.centre_line):
        return f"{start}No centre line."
    # The line of events moves with the births of each period.
    line += " at the last point" if spec.plots == "events" else ""
    text = f"{start}{line.lower() if start else line} {amount(measure, row.centre_line)}"
    if np.isfinite(row.lower + row.upper):
        text += f", limits at the last point {amount(measure, row.lower)} to {amount(measure, row.upper)}"
    asked = any(t.is_runs_test for t in chart.rules.tests)
    return f"{text}." + (
        f" Runs tests not given: {row.runs_tests}." if asked and row.runs_tests != "given" else ""
    )


def _target(chart: ControlChart, spec: Spec, stratum: int) -> str:
    """Give the target at the last observed point; nothing where the points are not values it speaks of."""
    measure, seen = chart.series.measure, chart._seen()[stratum]
    if plotted_measure(measure, spec) is not measure:
        return ""
    targets = chart.targets[stratum, seen]
    if np.isnan(targets[-1]):
        return ""
    changed = "" if (targets == targets[-1]).all() else " It was not the same at all points."
    return f"Target {amount(measure, targets[-1])}.{changed}"


def _signals(chart: ControlChart, signals: list[Any], stratum: int) -> str:
    if not chart.rules.tests:
        return "No rules applied."
    if not signals:
        return "No signal."
    each = "; ".join(_signal(chart, s, stratum) for s in signals)
    return f"{plural(len(signals), 'signal')}: {each}."


def _signal(chart: ControlChart, signal: Any, stratum: int) -> str:
    start, end = period(chart.series, signal.start), period(chart.series, signal.end)
    when = start if start == end else f"{start} to {end}"
    if signal.rule in OF_PHASE:
        runs = int(chart.runs.crossings[stratum, signal.phase - 1]) + 1
        number = f"{plural(runs, 'run')} in {signal.n_points} points; " if signal.rule == "runs_count" else ""
        return f"{OF_PHASE[signal.rule]} somewhere in {when} ({number}neither place nor direction)"
    side = "" if pd.isna(signal.side) else f", {signal.side}"
    meaning = "" if signal.meaning == "neutral" else f", {signal.meaning}"
    return f"{signal.rule.replace('_', ' ')}{side}, {when}{meaning}"
