"""What each panel of an evaluation holds: observed points, the lines with their bands, the words above."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.cells import STATUSES
from qi_equity.plot import _change_words as words
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._days import days
from qi_equity.plot._draw import Pen
from qi_equity.plot._panels import Arm, Panel, by_stratum, edges_of

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# With fewer births one event more or less moves the rate by more than three in a hundred.
_FEW = 30
_POST_HOC = "post hoc"
_STARTS = {style.PHASE: style.CHANGE, style.POST_HOC_PHASE: style.POST_HOC_CHANGE}
_COUNTERFACTUAL = (0, (4, 1.6))


@dataclass(frozen=True, slots=True, eq=False)
class ChangePanel:
    """One stratum: a panel, whose centre line is the fitted one, and what an evaluation has beside it.

    ``fitted`` and ``without`` (as it would be without any change) hold line, lower and upper end.
    """

    panel: Panel
    fitted: Floats
    without: Floats
    few: Bools
    left_out: Bools

    @property
    def as_drawn(self) -> Panel:
        """The panel without the ends of its bands, of which none that is beyond the scale is marked."""
        none = np.zeros(len(self.panel.x), dtype=np.bool_)
        return replace(self.panel, lower_crossable=none, upper_crossable=none)


def make_change_panels(evaluation: ChangeEvaluation, rows: list[int]) -> list[ChangePanel]:
    """Make the panels of some strata, in the order given."""
    frame, names = evaluation.counterfactual(), words.names_of(evaluation)
    study, groups, periods = evaluation.study, evaluation.groups, len(evaluation.series.periods)
    labels = _labels(evaluation, study.when.phases)
    phases = np.asarray(study.schedule.segment)
    changes = study.schedule.starts.shape[1]
    panels = []
    for row in rows:
        part = frame.iloc[row * periods : (row + 1) * periods]
        told = groups.iloc[row * changes : (row + 1) * changes]
        panels.append(_panel(evaluation, names[row], row, part, told, phases[row], labels[row]))
    return panels


def _panel(
    evaluation: ChangeEvaluation,
    name: str,
    row: int,
    part: pd.DataFrame,
    told: pd.DataFrame,
    phase: NDArray[np.int64],
    labels: dict[int, str],
) -> ChangePanel:
    measure = evaluation.series.measure
    block = {c: part[c].to_numpy(dtype=float) for c in ("observed", "denominator")}
    fitted, without = (
        np.stack([part[f"{line}{end}"].to_numpy(dtype=float) for end in ("", "_lower", "_upper")])
        * measure.multiplier
        for line in ("fitted", "counterfactual")
    )
    value = block["observed"] * measure.multiplier
    none, x = np.zeros(len(part), dtype=np.bool_), days(part["period"])
    status = np.asarray(STATUSES)[np.maximum(evaluation.series.cells.status[row], 0)]
    panel = Panel(
        name=name,
        kind=0,
        about_zero=False,
        why=f"{words.counts_of(told, measure)} {words.could_show(told, evaluation)}".strip(),
        counts=tuple(words.verdicts_of(told, measure.better)),
        words=tuple(words.warnings_of(told)),
        x=x,
        edges=edges_of(x),
        phase=phase + 1,
        phase_labels=labels,
        arms=(Arm(0, "", value, none, none, none, ()),),
        centre_line=fitted[0],
        target=np.full(len(part), np.nan),
        lower=np.fmin(fitted[1], without[1]),
        upper=np.fmax(fitted[2], without[2]),
        lower_crossable=~none,
        upper_crossable=~none,
        status=status,
        births=block["denominator"],
        known=np.isfinite(value),
        baseline=none,
        excluded=none,
    )
    few = (block["denominator"] < _FEW) & (measure.kind == "proportion")
    return ChangePanel(panel, fitted, without, few, part["segment"].to_numpy() < 0)


def _labels(evaluation: ChangeEvaluation, phases: pd.DataFrame) -> list[dict[int, str]]:
    """Give the labels of the changes of each stratum, by the number of the phase that each starts."""
    strata = evaluation.series.cells.strata
    parts = by_stratum(phases, list(strata.columns))
    found = []
    for key in strata.astype(str).itertuples(index=False, name=None):
        labels = _words.phase_labels(parts[key])
        which = {n: f" {n - 1}" if len(labels) > 2 else "" for n in labels}
        found.append(
            {n: f"change{which[n]}, {text}" if text == _POST_HOC else text for n, text in labels.items()}
        )
    return found


def draw_change(pen: Pen, panel: ChangePanel) -> None:
    """Draw lines, bands and points of one panel."""
    told = ("", "")
    later = np.isfinite(panel.without[0])
    _draw_line(
        pen, panel, panel.without, later, pen.palette.neutral, _COUNTERFACTUAL,
        (style.COUNTERFACTUAL, style.COUNTERFACTUAL_BAND), 0.13,
    )  # fmt: skip
    for part in panel.panel.phases():
        inside = np.zeros(len(panel.panel.x), dtype=np.bool_)
        inside[part] = np.isfinite(panel.fitted[0][part])
        told = ("_fitted line", "_fitted band") if told[0] else (style.FITTED, style.FITTED_BAND)
        _draw_line(pen, panel, panel.fitted, inside, pen.palette.centre_line, "-", told, 0.16)
    _draw_points(pen, panel)
    for line in pen.ax.get_lines():
        label = str(line.get_label())
        line.set_label(_STARTS.get(label, label))


def _draw_line(
    pen: Pen,
    panel: ChangePanel,
    line: Floats,
    inside: Bools,
    colour: str,
    dashes: str | tuple[float, tuple[float, ...]],
    labels: tuple[str, str],
    alpha: float,
) -> None:
    """Draw a line with its band; a level reaches to the borders of its periods."""
    at = np.flatnonzero(inside)
    if not len(at):
        return
    x, y = panel.panel.x[at], line[:, at]
    if np.ptp(y[0]) <= 1e-9 * max(1.0, abs(float(y[0, 0]))):
        x = np.concatenate([panel.panel.edges[at[:1]], x, panel.panel.edges[at[-1:] + 1]])
        y = np.concatenate([y[:, :1], y, y[:, -1:]], axis=1)
    low, high = (np.clip(end, pen.scale.low, pen.scale.high) for end in y[1:])
    pen.ax.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0, zorder=0.8, label=labels[1])
    pen.line(x, y[0], label=labels[0], colour=colour, width=1.8, dashes=dashes, zorder=3)


def _draw_points(pen: Pen, panel: ChangePanel) -> None:
    chart = panel.panel
    value, there = chart.arms[0].value, np.isfinite(chart.arms[0].value)
    there &= (value >= pen.scale.low) & (value <= pen.scale.high)
    colour = pen.palette.common
    for mask, label, marker, face in (
        (there & ~panel.left_out & ~panel.few, style.OBSERVED, "o", colour),
        (there & ~panel.left_out & panel.few, style.OBSERVED_FEW, "o", "white"),
        (there & panel.left_out, style.LEFT_OUT, "x", colour),
    ):
        pen.marks(chart.x[mask], value[mask], label=label, marker=marker, size=pen.size, face=face,
                  edge=colour, width=1.0, zorder=4)  # fmt: skip
