"""Variation and assurance icons in words: what the last point, and the target, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.judge import observed
from qi_equity.spc.points import flagged, good_and_bad_side
from qi_equity.spc.rules import BeyondLimits, Trend, TwoInThree
from qi_equity.spc.signals import SIDES, category
from qi_equity.spc.summary import runs_can_signal
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

_SHOWS_NO_RATE = "The baseline holds no event (or nothing but events), which does not show what the rate is."
_NO_SPREAD = "The baseline has no spread, yet the points vary: its limits cannot be compared with the target."
_ONE_POINT = "There is only one point, which shows no variation."
_TOO_FEW = "There are too few points for limits."

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
    why_not = _not_judged(chart, last)
    unjudged = np.array([bool(w) for w in why_not], dtype=bool)
    variation = np.select([~some, low | high, crossed, unjudged], [NONE, meant, NEUTRAL, NONE], COMMON)
    earlier = _signals_in_last_phase(chart, last)
    both = low & high & (good_bad is not None)
    texts = [
        "No observed point."
        if not some[s]
        else why_not[s] + (" An earlier point of this phase takes part in a signal." if earlier[s] else "")
        if variation[s] == NONE
        else _variation_text(chart, s, int(last[s]), bool(crossed[s]), bool(both[s]), bool(earlier[s]))
        for s in rows.tolist()
    ]
    return variation, side, texts


def _in_last_phase(chart: ControlChart, last: IntArray) -> BoolArray:
    """Mark the points of the phase of each stratum's last point, shape (S, T)."""
    phase = chart.timeline.phase
    return np.asarray(phase == phase[np.arange(len(last)), last][:, None])


def _degenerate(chart: ControlChart, last: IntArray) -> BoolArray:
    """Strata whose line of counts is 0 or the highest possible, shape (S,)."""
    line = chart.centre_line[np.arange(len(last)), last]
    return np.isin(line, (0, chart.spec.ceiling)) & (chart.kind in ("p", "u", "c"))


def _not_judged(chart: ControlChart, last: IntArray) -> list[str]:
    """Say why no rule could apply to the last point; empty where one could."""
    rows, here = np.arange(len(last)), _in_last_phase(chart, last)
    seen = (observed(chart.series.cells) & here).sum(axis=1)
    bare, degenerate = np.isnan(chart.centre_line[rows, last]), _degenerate(chart, last)
    applied = _applied(chart, last, (chart._tested() & here).sum(axis=1)) & ~degenerate
    reason = np.select([seen == 1, bare, degenerate, ~applied], [1, 2, 3, 4], 0)
    texts = (
        "",
        "There is only one point, and nothing to judge it by.",
        "There are no lines (every point is excluded, or none is in the baseline), so no point is judged.",
        f"{_SHOWS_NO_RATE} No point is judged against it.",
        "No rule could apply to the last point: runs tests are not given or have too few points, or the "
        "point is excluded.",
    )
    return [texts[r] for r in reason.tolist()]


def _applied(chart: ControlChart, last: IntArray, n_points: IntArray) -> BoolArray:
    """Whether any rule looks at the last point, given the number of tested points of its phase, (S,)."""
    rows, tests = np.arange(len(last)), chart.rules.tests
    phase = np.maximum(chart.timeline.phase[rows, last], 0)
    runs = np.stack([runs_can_signal(chart, k) for k in range(chart.runs.n_useful.shape[1])], axis=1)
    limits = np.isfinite(chart.lower[rows, last])
    patterns = runs[rows, phase]
    if not chart.method["overlap"]["found"]:
        for test in tests:
            if isinstance(test, Trend):
                patterns = patterns | (n_points >= test.length)
            if isinstance(test, TwoInThree):
                patterns = patterns | (limits & (n_points >= 3))
    by_limits = limits & any(isinstance(t, BeyondLimits) for t in tests)
    return np.asarray(by_limits | (patterns & chart._tested()[rows, last]))


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
    line = chart.centre_line[rows, last]
    constant, unfit = _constant(chart, last)
    higher = chart.series.measure.better == "higher"
    met = np.where(constant, (line >= target) if higher else (line <= target), (target < lower) == higher)
    near = _ROUNDING * (upper - lower)
    unsure = ~constant & (lower - near <= target) & (target <= upper + near)
    limits = np.isfinite(lower) & np.isfinite(upper)
    known = some & limits & (unfit == "")
    codes = np.select([~known, unsure, met], [_MISSING, INCONSISTENT, PASS], FAIL)
    why = np.where(known, "", np.where(some & (unfit != ""), unfit, _TOO_FEW))
    each = zip(*(a.tolist() for a in (why, codes, constant, line, lower, upper)), strict=True)
    return codes, [said or _assurance_text(chart, target, *numbers) for said, *numbers in each]


def _constant(chart: ControlChart, last: IntArray) -> tuple[BoolArray, npt.NDArray[np.str_]]:
    """Where the value does not vary in the last phase, and why the limits there say nothing (else empty)."""
    rows, width = np.arange(len(last)), chart.upper - chart.lower
    tested = chart._tested() & _in_last_phase(chart, last)
    line = chart.centre_line[rows, last][:, None]
    equal = np.isclose(chart.series.cells.value, line, rtol=_ROUNDING, atol=0)
    flat = (chart.sigma[rows, last] == 0) | (width[rows, last] == 0)
    # limits of no width speak of the baseline only: the later points must lie on the line as well
    constant = flat & (equal | ~tested).all(axis=1)
    one = tested.sum(axis=1) == 1
    varies = [one, ~constant & _degenerate(chart, last), ~constant & flat]
    return constant, np.select(varies, [_ONE_POINT, _SHOWS_NO_RATE, _NO_SPREAD], "")


def _assurance_text(
    chart: ControlChart, target: float, code: int, constant: bool, line: float, lower: float, upper: float
) -> str:
    measure = chart.series.measure
    goal, level = amount(measure, target), amount(measure, line)
    between = f"{amount(measure, lower)} to {amount(measure, upper)}"
    if constant:
        verb = "meets" if code == PASS else "misses"
        return f"The value does not vary ({level}); it {verb} the target {goal}."
    if code == INCONSISTENT:
        return (
            f"The target {goal} lies within the limits ({between}): it is sometimes met and sometimes missed."
        )
    side = "better" if code == PASS else "worse"
    return f"The limits ({between}) lie wholly on the {side} side of the target {goal}."
