"""The chart in a notebook: a short table, the signals and the notes; the figure is not forced."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qi_equity._result import frame_html

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_SHOWN = (
    "phase",
    "n_points",
    "numerator",
    "denominator",
    "centre_line",
    "lower",
    "upper",
    "n_signals",
    "runs_tests",
)


def chart_html(chart: ControlChart) -> str:
    """Give escaped HTML: title, summary, signals, notes."""
    strata = list(chart.series.cells.strata.columns)
    summary = chart.summary()[[*strata, *_SHOWN]]
    notes = chart.notes.drop(columns="code")
    title = f"{chart.series.measure.name}: {chart.kind} chart, rules {chart.rules.name}"
    parts = [
        f"<h4>{escape(title)}</h4>",
        frame_html(summary, "one row a stratum and phase"),
        f"<p><b>Signals: {len(chart.signals)}</b></p>",
        frame_html(chart.signals, "no signal") if len(chart.signals) else "",
        f"<p><b>Notes: {len(notes)}</b></p>",
        frame_html(notes, "no note") if len(notes) else "",
        "<p>Draw it with <code>.plot()</code>.</p>",
    ]
    return f"<div>{''.join(parts)}</div>"
