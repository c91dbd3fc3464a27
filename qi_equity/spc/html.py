"""The chart in a notebook: a short table, the signals and the notes; the figure is not forced."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_ROWS = 30
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
        _table(summary, "one row a stratum and phase"),
        f"<p><b>Signals: {len(chart.signals)}</b></p>",
        _table(chart.signals, "no signal") if len(chart.signals) else "",
        f"<p><b>Notes: {len(notes)}</b></p>",
        _table(notes, "no note") if len(notes) else "",
        "<p>Draw it with <code>.plot()</code>.</p>",
    ]
    return f"<div>{''.join(parts)}</div>"


def _table(frame: pd.DataFrame, what: str) -> str:
    more = f"<p>and {len(frame) - _ROWS} more rows ({what})</p>" if len(frame) > _ROWS else ""
    with pd.option_context("display.max_colwidth", None):
        shown: str = frame.head(_ROWS).to_html(
            index=False, escape=True, border=0, na_rep="", float_format="{:.4g}".format
        )
    return shown + more
