"""Charts as they may leave: made anew from the counts that a rule lets out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.data.recorded import kept
from qi_equity.errors import OptionError
from qi_equity.spc.rules import RuleSet

if TYPE_CHECKING:
    from qi_equity.data.disclosure.rule import SuppressionRule
    from qi_equity.data.series import StratifiedSeries
    from qi_equity.spc.chart import ControlChart
    from qi_equity.spc.targets import Target

__all__ = ["disclose"]

_ROUNDED = (
    "Counts are rounded or stand for several, so rules and runs tests are not applied: they would judge the "
    "rounding. Centre line and limits come from the counts shown; read the chart as a picture only."
)
_NO_RULES = RuleSet("none", "1", _ROUNDED, ())
# Baselines are kept as text: from here on a number is a year, not a number of periods.
_FIRST_YEAR = 1900


def disclose(
    chart: ControlChart,
    rule: SuppressionRule | str,
    margins: str | Sequence[str] | None,
    protect: int | None,
) -> ControlChart:
    """Make the chart anew from disclosed counts and attack it; see :meth:`ControlChart.disclose`."""
    # Heavy, and needed by few charts.
    from qi_equity.data.disclosure.audit import attack_releases
    from qi_equity.data.disclosure.outlook import outlook_of

    outlook = outlook_of(rule, protect)
    chosen = outlook.rule
    if not (chosen.protects or chosen.rounding or chosen.minimum_denominator):
        return replace(chart, series=chart.series.disclose(chosen), _cache={})
    _refuse_events(chart, chosen.name)
    series = chart.series.disclose(chosen, margins=margins, protect=protect)
    inexact = chosen.rounding is not None or chosen.shows_a_number
    disclosed = _again(chart, series, inexact)
    audit = attack_releases([[disclosed, series]], outlook, truth=chart.series, figures=False)
    if not audit.passed:
        raise OptionError(
            f"rule={chosen.name!r} cannot be kept for this chart: {len(audit.failures)} protected count(s) "
            "can still be worked out from it. Use longer periods, pooled sites or coarser groups, or a "
            "smaller protect."
        )
    return disclosed


def _refuse_events(chart: ControlChart, rule: str) -> None:
    """Refuse charts whose points are single events, or sums over single births.

    Raises
    ------
    OptionError
        With what to make instead.
    """
    kinds = {spec.kind for spec in chart.specs}
    name = chart.series.measure.name
    if chart.series.measure.kind == "between":
        raise OptionError(
            f"A {' and '.join(sorted(kinds))} chart of {name!r} cannot be disclosed by rule={rule!r}: each "
            "point is the event of one woman, with its date. Count events by month or quarter from the same "
            "records (from_records) and disclose that chart; or keep this one inside (rule='none')."
        )
    if kinds & {"vlad", "risk_adjusted_cusum"}:
        raise OptionError(
            f"A {' and '.join(sorted(kinds))} chart of {name!r} cannot be disclosed by rule={rule!r}: it "
            "needs the expected probability of every birth. Disclose a chart of the counts (kind='auto')."
        )


def _again(chart: ControlChart, series: StratifiedSeries, inexact: bool) -> ControlChart:
    """Make a chart with the options of another from other counts of the same strata and periods."""
    from qi_equity.spc.build import build

    cells = series.cells
    shown = cells.value if series.measure.kind == "mean" else cells.numerator
    if not np.isfinite(shown).any():
        raise OptionError(
            f"Nothing of {series.measure.name!r} is left to draw: every count is withheld. Use longer "
            "periods (series.resample), pooled sites (series.pool) or coarser groups (series.collapse)."
        )
    when = chart.timeline
    later = when.phases[when.phases["phase"] > 1].drop(columns="phase")
    made = build(
        series,
        None if any(chart.why) else chart.specs[0],
        _NO_RULES if inexact else chart.rules,
        phases=later if len(later) else None,
        baseline=_baseline(chart),
        exclude=when.exclusions if len(when.exclusions) else None,
        limits=chart.limits,
        target=_target(chart),
    )
    carried = kept(when.notes)
    if not inexact and not len(carried):
        return made
    said = _result.note("rounded_counts", "warning", _ROUNDED) if inexact else _result.notes([])
    notes = _result.notes([carried, made.timeline.notes, said])
    return replace(made, timeline=replace(made.timeline, notes=notes), _cache={})


def _baseline(chart: ControlChart) -> int | str | None:
    """Give the baseline as it was asked for."""
    said = chart.method["baseline"]
    if said is None:
        return None
    text = str(said)
    return int(text) if text.isdigit() and int(text) < _FIRST_YEAR else text


def _target(chart: ControlChart) -> Target | None:
    """Give the target of all points, or a frame of where targets start."""
    if chart.target is not None or np.isnan(chart.targets).all():
        return chart.target
    before = np.concatenate([np.full((len(chart.targets), 1), np.nan), chart.targets[:, :-1]], axis=1)
    row, time = np.nonzero(np.isfinite(chart.targets) & (chart.targets != before))
    dates = np.broadcast_to(chart.series.cells.periods, chart.targets.shape)
    frame: pd.DataFrame = chart.strata.iloc[row].reset_index(drop=True).astype("str")
    return frame.assign(start=dates[row, time], target=chart.targets[row, time])
