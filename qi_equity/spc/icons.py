"""Variation and assurance icons in words: what the last point, and the target, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.judge import observed
from qi_equity.spc.points import flagged, good_and_bad_side
from qi_equity.spc.signals import SIDES, category
from qi_equity.spc.words import amount, period

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

VARIATIONS = ("improvement", "concern", "neutral", "common cause", "none")
IMPROVEMENT, CONCERN, NEUTRAL, COMMON, NONE = range(len(VARIATIONS))
ASSURANCES = ("pass", "fail", "inconsistent")
PASS, FAIL, INCONSISTENT = range(len(ASSURANCES))
_MISSING = -1

# A target that a user reads off a limit must lie on it, whatever the last digits.
_ROUNDING = 1e-9

_CROSSINGS = (
    "Fewer crossings of the centre line than chance gives: the process shifted somewhere in the phase; "
    "the rule gives neither place nor direction."
)


def icons_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the frame that :meth:`ControlChart.icons` describes."""
    seen = observed(chart.series.cells)
    last = seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    some = np.asarray(seen.any(axis=1))
    variation, side, variation_text = _variation(chart, last, some)
    assurance, assurance_text = _assurance(chart, last, some)
    return chart.strata.assign(
        variation=category(variation, VARIATIONS),
        variation_side=category(side, SIDES),
        variation_text=pd.Series(variation_text, dtype="str"),
        assurance=category(assurance, ASSURANCES),
        assurance_text=pd.Series(assurance_text, dtype="str"),
    )


def _variation(chart: ControlChart, last: IntArray, some: BoolArray) -> tuple[IntArray, IntArray, list[str]]:
    """Read the last observed point of each stratum; of both, improvement is shown and both are said."""
    rows = np.arange(len(last))
    low, high = (flagged(chart, side)[rows, last] & some for side in SIDES)
    crossed = chart.few_crossings[rows, np.maximum(chart.timeline.phase[rows, last], 0)] & some
    good_bad = good_and_bad_side(chart.series.measure.better)
    good_is_low = good_bad is not None and good_bad[0] == "low"
    side = np.where(low & (~high | good_is_low), 0, np.where(high, 1, _MISSING))
    meant = (
        np.full(rows.shape, NEUTRAL)
        if good_bad is None
        else np.where(side == SIDES.index(good_bad[0]), IMPROVEMENT, CONCERN)
    )
    variation = np.select([~some, low | high, crossed], [NONE, meant, NEUTRAL], COMMON)
    earlier = _signals_in_last_phase(chart, last)
    both = low & high & (good_bad is not None)
    texts = [
        _variation_text(chart, s, int(last[s]), bool(crossed[s]), bool(both[s]), bool(earlier[s]))
        if some[s]
        else "No observed point."
        for s in rows.tolist()
    ]
    return variation, side, texts


def _signals_in_last_phase(chart: ControlChart, last: IntArray) -> BoolArray:
    """Whether the phase of the last point holds any signal, shape (S,)."""
    found, rows = chart._found(), np.arange(len(last))
    here = found.phase == chart.timeline.phase[rows, last][found.stratum]
    return np.bincount(found.stratum[here], minlength=len(last)) > 0


def _variation_text(
    chart: ControlChart, stratum: int, last: int, crossed: bool, both: bool, earlier: bool
) -> str:
    rules = {side: _rules_at(chart, stratum, last, side) for side in SIDES}
    when = period(chart.series, np.broadcast_to(chart.series.cells.periods, chart.lower.shape)[stratum, last])
    where = "; ".join(f"{side}: {', '.join(names)}" for side, names in rules.items() if names)
    if where:
        said = " Both improvement and concern are signalled." if both else ""
        return f"{when} takes part in a signal ({where}).{said} {_CROSSINGS if crossed else ''}".strip()
    if crossed:
        return _CROSSINGS
    asked = any(t.is_runs_test for t in chart.rules.tests)
    given = chart.runs.given[stratum, chart.timeline.phase[stratum, last]]
    caveat = " An earlier point of this phase does." if earlier else ""
    return f"{when} takes part in no signal.{caveat}" + (
        "" if given or not asked else " Runs tests are not given."
    )


def _rules_at(chart: ControlChart, stratum: int, last: int, side: str) -> list[str]:
    return [
        name.replace("_", " ") for (name, s), mask in chart.flags.items() if s == side and mask[stratum, last]
    ]


def _no_assurance(chart: ControlChart) -> str:
    """Say why there is no assurance icon at all; empty if there can be one."""
    if chart.target is None:
        return "No target."
    if chart.series.measure.better is None:
        return "Neither direction is better, so a target cannot be passed or failed."
    return "A run chart has no limits to compare the target with." if chart.kind == "run" else ""


def _assurance(chart: ControlChart, last: IntArray, some: BoolArray) -> tuple[IntArray, list[str]]:
    """Compare the target with the limits at the last point; without variation with the constant itself."""
    rows = np.arange(len(last))
    why_not = _no_assurance(chart)
    if why_not or chart.target is None:
        return np.full(rows.shape, _MISSING), [why_not] * len(rows)
    lower, upper, target = chart.lower[rows, last], chart.upper[rows, last], chart.target
    line, constant = chart.centre_line[rows, last], chart.sigma[rows, last] == 0
    higher = chart.series.measure.better == "higher"
    met = np.where(constant, (line >= target) if higher else (line <= target), (target < lower) == higher)
    near = _ROUNDING * (upper - lower)
    unsure = ~constant & (lower - near <= target) & (target <= upper + near)
    known = some & np.isfinite(lower) & np.isfinite(upper)
    codes = np.select([~known, unsure, met], [_MISSING, INCONSISTENT, PASS], FAIL)
    each = zip(codes.tolist(), *(a.tolist() for a in (constant, line, lower, upper)), strict=True)
    return codes, [_assurance_text(chart, target, *numbers) for numbers in each]


def _assurance_text(
    chart: ControlChart, target: float, code: int, constant: bool, line: float, lower: float, upper: float
) -> str:
    measure = chart.series.measure
    goal, level = amount(measure, target), amount(measure, line)
    between = f"{amount(measure, lower)} to {amount(measure, upper)}"
    if code == _MISSING:
        return "There are too few points for limits."
    if constant:
        verb = "meets" if code == PASS else "misses"
        return f"The value does not vary ({level}); it {verb} the target {goal}."
    if code == INCONSISTENT:
        return (
            f"The target {goal} lies within the limits ({between}): it is sometimes met and sometimes missed."
        )
    side = "better" if code == PASS else "worse"
    return f"The limits ({between}) lie wholly on the {side} side of the target {goal}."
