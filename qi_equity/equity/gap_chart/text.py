"""Each gap chart in plain words, with the movement of both sides; and its short form for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.data.measure import Measure
from qi_equity.equity.gap_chart.lines import Scale
from qi_equity.equity.gap_chart.movement import movement_of, words
from qi_equity.formulas.interval import Interval
from qi_equity.spc.text import OF_PHASE
from qi_equity.spc.words import amount, period, plural

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.frames import GapFrames
    from qi_equity.equity.gap_chart.state import GapState

_TITLES = {
    "difference": "Difference in {}",
    "ratio": "Ratio of {}",
    "observed-expected": "Observed minus expected events of {}, summed",
}
_ROWS = 30


def gap_amount(measure: Measure, scale: Scale, value: float) -> str:
    """Write a gap: in the unit of the measure (percentage points), as a ratio, or as events."""
    if scale == "ratio":
        return f"{value:.3g}"
    if scale == "observed-expected":
        return f"{value:+.3g} events"
    text = amount(measure, value)
    text = text.replace(" %", " percentage points")
    return f"+{text}" if value > 0 else text


def other_side(chart: GapState, stratum: int) -> str:
    """Name what a stratum is compared with; a target with its value."""
    if chart.against.exact:
        return f"the target of {amount(chart.series.measure, float(chart.against.value[stratum, 0]))}"
    return chart.against.names[stratum]


def alt_text_frame(chart: GapFrames) -> pd.DataFrame:
    """Give the frame that :meth:`GapChart.alt_text` describes."""
    strata = chart.strata
    signals = chart.signals
    keys = list(strata.columns)
    found: dict[tuple[Any, ...], list[Any]] = {}
    for key, signal in zip(
        signals[keys].itertuples(index=False, name=None), signals.itertuples(index=False), strict=True
    ):
        found.setdefault(key, []).append(signal)
    names = list(strata.itertuples(index=False, name=None))
    texts = [
        f"{', '.join(map(str, name))}: {_panel(chart, int(s), found.get(name, []))}"
        for s, name in zip(chart.shown, names, strict=True)
    ]
    return strata.assign(text=pd.Series(texts, dtype="str", index=strata.index))


def _panel(chart: GapFrames, stratum: int, signals: list[Any]) -> str:
    series, name = chart.series, other_side(chart, stratum)
    title = _TITLES[chart.scale].format(series.measure.name)
    if chart.against.is_reference[stratum]:
        return f"{title}. This group is the reference: it has no gap. {_own(chart, stratum)}"
    seen = np.flatnonzero(chart._sides.seen[stratum])
    if not seen.size:
        return f"{title}, compared with {name}. No period in which both are known."
    first, last = (period(series, series.cells.periods[t]) for t in seen[[0, -1]])
    opening = (
        f"{title}, compared with {name}, by {series.every}, {first} to {last}: "
        f"{plural(int(seen.size), 'observed point')}."
    )
    parts = [opening, *_lines(chart, stratum), _own(chart, stratum), _signals(chart, signals)]
    return " ".join(part for part in parts if part)


def _lines(chart: GapFrames, stratum: int) -> list[str]:
    """Give the lines at the last observed point of each phase."""
    measure, scale, out = chart.series.measure, chart.scale, []
    phase, seen = chart.timeline.phase[stratum], chart._sides.seen[stratum]
    several = int(phase.max(initial=0)) > 0
    for k in range(int(phase.max(initial=-1)) + 1):
        at = np.flatnonzero(seen & (phase == k))
        if not at.size:
            continue
        line = {n: float(chart.lines[n][stratum, at[-1]]) for n in ("gap", "centre_line", "lower", "upper")}
        start = f"Phase {k + 1}: " if several else ""
        if scale == "observed-expected":
            text = f"{start}{gap_amount(measure, scale, line['gap'])} at the last point"
        else:
            text = f"{start}centre line {gap_amount(measure, scale, line['centre_line'])}"
        if not np.isnan(line["lower"] + line["upper"]):
            low, high = (gap_amount(measure, scale, line[n]) for n in ("lower", "upper"))
            # The unit once is enough for a reader who hears it.
            unit = "".join(low.partition(" ")[1:])
            text += f", limits there {low.removesuffix(unit) if high.endswith(unit) else low} to {high}"
        out.append(f"{text[0].upper()}{text[1:]}.")
    return out


def _own(chart: GapFrames, stratum: int) -> str:
    """Give the movement of both sides and, in words, of the gap."""
    sums, moved = movement_of(chart)
    said, name = words(chart), other_side(chart, stratum)
    phases = [k for k in range(moved.group.estimate.shape[1]) if not np.isnan(sums.group.size[stratum, k])]
    if not phases:
        return ""
    alone = bool(chart.against.is_reference[stratum])
    measure = chart.series.measure
    turn = chart.method["orientation"]
    unit = f"{measure.name} (births without it)" if turn == "without the event" else measure.name

    def path(interval: Interval) -> str:
        return " to ".join(amount(measure, float(interval.estimate[stratum, k])) for k in phases)

    text = f"{unit}: this group {path(moved.group)}"
    text += "." if alone else f", {name} {path(moved.reference)}."
    if len(phases) == 1 or alone:
        return text
    k = phases[-1]
    gaps = f"difference {said['difference_moved'][stratum, k]}, ratio {said['ratio_moved'][stratum, k]}"
    return " ".join(filter(None, [text, f"From phase {k} to {k + 1}: {gaps}.", said["message"][stratum, k]]))


def _signals(chart: GapFrames, signals: list[Any]) -> str:
    if not chart.judged:
        return "No rules applied."
    if not signals:
        return "No signal."
    return f"{plural(len(signals), 'signal')}: {'; '.join(_signal(chart, s) for s in signals)}."


def _signal(chart: GapFrames, signal: Any) -> str:
    start, end = period(chart.series, signal.start), period(chart.series, signal.end)
    when = start if start == end else f"{start} to {end}"
    if signal.rule in OF_PHASE:
        return f"{OF_PHASE[signal.rule]} somewhere in {when}"
    side = "" if pd.isna(signal.side) else f", {signal.side}"
    meaning = "" if signal.meaning == "neutral" else f", {signal.meaning}"
    return f"{signal.rule.replace('_', ' ')}{side}, {when}{meaning}"


def chart_html(chart: GapFrames) -> str:
    """Give escaped HTML: title, movement, signals, notes."""
    notes = chart.notes.drop(columns="code")
    title = f"{chart.series.measure.name}: gap chart ({chart.scale}), compared with {chart.reference.name}"
    parts = [f"<h4>{escape(title)}</h4>", _table(chart.movement())]
    parts += [f"<p><b>Signals: {len(chart.signals)}</b></p>", _table(chart.signals)]
    parts += [f"<p><b>Notes: {len(notes)}</b></p>", _table(notes)]
    return f"<div>{''.join(parts)}<p>Draw it with <code>.plot()</code>.</p></div>"


def _table(frame: pd.DataFrame) -> str:
    if not len(frame):
        return ""
    more = f"<p>and {len(frame) - _ROWS} more rows</p>" if len(frame) > _ROWS else ""
    with pd.option_context("display.max_colwidth", None):
        shown: str = frame.head(_ROWS).to_html(
            index=False, escape=True, border=0, na_rep="", float_format="{:.4g}".format
        )
    return shown + more
