"""Variation and assurance icons in words: what the last point, and the target, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.judge import observed, top
from qi_equity.spc.kinds_weighted import Ewma, Vlad
from qi_equity.spc.plotted import good_side
from qi_equity.spc.points import flagged
from qi_equity.spc.rules import TESTS, BeyondLimits
from qi_equity.spc.signals import SIDES, category
from qi_equity.spc.summary import patterns_can_signal, sideless_can_signal
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
_NO_TARGET = "No target."
_NO_LIMITS = (
    "The baseline holds no event (or nothing but events), or has no spread, so there are no limits and no "
    "point is judged."
)

# Signals of the phase as a whole.
_OF_PHASE = {
    "crossings": (
        "Fewer crossings of the centre line than chance gives: the process shifted somewhere in the phase; "
        "the rule gives neither place nor direction."
    ),
    "runs_count": (
        "An unusual number of runs about the centre line: the process changed somewhere in the phase; "
        "the rule gives neither place nor direction."
    ),
}


def icons_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the frame that :meth:`ControlChart.icons` describes.

    The variation icon goes by the rules that the last point takes part in, whatever the kind of chart; of a
    CUSUM the arms do. The assurance icon needs points that are values of the measure, and limits of them.
    """
    parts = [_icons(piece).assign(row=rows) for rows, piece in chart._pieces()]
    icons = pd.concat(parts).set_index("row").sort_index()
    return pd.concat([chart.strata, icons.rename_axis(None)], axis=1)


def _icons(chart: ControlChart) -> pd.DataFrame:
    """Give the icons of a chart of one kind, one row a stratum."""
    seen = chart._seen()
    some = np.asarray(seen.any(axis=1))
    # A gap that is still open and too long already is a signal of now.
    variation, side, variation_text = _variation(chart, _last(seen | flagged(chart)), some)
    assurance, assurance_text = _assurance(chart, _last(seen), some)
    return pd.DataFrame(
        {
            "variation": category(variation, VARIATIONS),
            "variation_side": category(side, SIDES),
            "variation_text": pd.Series(variation_text, dtype="str"),
            "assurance": category(assurance, ASSURANCES),
            "assurance_text": pd.Series(assurance_text, dtype="str"),
        }
    )


def _last(mask: BoolArray) -> IntArray:
    """Position of the last point marked of each stratum, shape (S,)."""
    return np.asarray(mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1))


def _variation(chart: ControlChart, last: IntArray, some: BoolArray) -> tuple[IntArray, IntArray, list[str]]:
    """Read the last observed point of each stratum; of both, improvement is shown and both are said."""
    rows = np.arange(len(last))
    low, high = (flagged(chart, side)[rows, last] & some for side in SIDES)
    sideless = flagged(chart, "none")[rows, last] & some
    whole = _of_phase(chart, last)
    of_phase = np.array([bool(said) for said in whole], dtype=bool)
    good = good_side(chart._measure.better)
    side = np.where(low & (~high | (good == 0)), 0, np.where(high, 1, _MISSING))
    meant = np.where(side == good, IMPROVEMENT, CONCERN if good >= 0 else NEUTRAL)
    why_not = _not_judged(chart, last)
    unjudged = np.array([bool(w) for w in why_not], dtype=bool)
    variation = np.select(
        [~some, low | high, sideless | of_phase, unjudged], [NONE, meant, NEUTRAL, NONE], COMMON
    )
    earlier = _signals_in_last_phase(chart, last)
    both = low & high & (good >= 0)
    there = np.asarray(observed(chart.series.cells).any(axis=1))
    texts = [
        (_NO_LIMITS if there[s] else "No observed point.")
        if not some[s]
        else why_not[s] + (" An earlier point of this phase takes part in a signal." if earlier[s] else "")
        if variation[s] == NONE
        else _variation_text(chart, s, int(last[s]), whole[s], bool(both[s]), bool(earlier[s]))
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
    births = chart.series.cells.denominator[np.arange(len(last)), last]
    return np.asarray(((line == 0) | (line == top(chart._spec, births))) & chart._spec.is_counted)


def _not_judged(chart: ControlChart, last: IntArray) -> list[str]:
    """Say why no rule could apply to the last point; empty where one could."""
    if isinstance(chart._spec, Vlad):
        return ["A VLAD shows and does not judge: no rule applies to it."] * len(last)
    if not chart.rules.tests:
        return ["No rules are applied to this chart."] * len(last)
    rows, here = np.arange(len(last)), _in_last_phase(chart, last)
    seen = (chart._seen() & here).sum(axis=1)
    bare, degenerate = np.isnan(chart.centre_line[rows, last]), _degenerate(chart, last)
    applied = _applied(chart, last) & ~degenerate
    unlimited = np.isnan(chart.lower[rows, last]) & (chart._spec.plots == "statistic")
    reason = np.select([seen == 1, bare, degenerate, unlimited, ~applied], [1, 2, 3, 4, 5], 0)
    texts = (
        "",
        "There is only one point, and nothing to judge it by.",
        "There are no lines (every point is excluded, or none is in the baseline), so no point is judged.",
        f"{_SHOWS_NO_RATE} No point is judged against it.",
        _NO_LIMITS,
        "No rule could apply to the last point: runs tests are not given or have too few points, or the "
        "point is excluded.",
    )
    return [texts[r] for r in reason.tolist()]


def _applied(chart: ControlChart, last: IntArray) -> BoolArray:
    """Whether any rule could mark the last point, or its phase, shape (S,)."""
    rows = np.arange(len(last))
    patterns = np.stack(
        [
            np.logical_or.reduce([*patterns_can_signal(chart, k), sideless_can_signal(chart, k)])
            for k in range(chart.runs.n_useful.shape[1])
        ],
        axis=1,
    )[rows, np.maximum(chart.timeline.phase[rows, last], 0)]
    by_limits = np.isfinite(chart.lower[rows, last]) & any(
        isinstance(t, BeyondLimits) for t in chart.rules.tests
    )
    return np.asarray(by_limits | (patterns & chart._tested()[rows, last]))


def _of_phase(chart: ControlChart, last: IntArray) -> list[str]:
    """Say for each stratum which rules find its last point's phase, as a whole, unusual."""
    found, names = chart._found(), tuple(TESTS)
    here = np.flatnonzero(found.phase == chart.timeline.phase[np.arange(len(last)), last][found.stratum])
    said: list[list[str]] = [[] for _ in last]
    for stratum, rule in zip(found.stratum[here].tolist(), found.rule[here].tolist(), strict=True):
        said[stratum] += [_OF_PHASE[names[rule]]] if names[rule] in _OF_PHASE else []
    return [" ".join(texts) for texts in said]


def _signals_in_last_phase(chart: ControlChart, last: IntArray) -> BoolArray:
    """Whether the phase of the last point holds any signal, shape (S,)."""
    found, rows = chart._found(), np.arange(len(last))
    here = found.phase == chart.timeline.phase[rows, last][found.stratum]
    return np.bincount(found.stratum[here], minlength=len(last)) > 0


def _variation_text(
    chart: ControlChart, stratum: int, last: int, whole: str, both: bool, earlier: bool
) -> str:
    sides = {**dict(zip(SIDES, SIDES, strict=True)), "no side": "none"}
    rules = {said: _rules_at(chart, stratum, last, side) for said, side in sides.items()}
    when = period(chart.series, np.broadcast_to(chart.series.cells.periods, chart.lower.shape)[stratum, last])
    where = "; ".join(f"{side}: {', '.join(names)}" for side, names in rules.items() if names)
    if where:
        said = " Both improvement and concern are signalled." if both else ""
        return f"{when} takes part in a signal ({where}).{said} {whole}".strip()
    if whole:
        return whole
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
    """Say why no stratum can have an assurance icon, whatever the target; empty if there can be one."""
    if chart.kind == "run":
        return "A run chart has no limits to compare the target with."
    if isinstance(chart._spec, Ewma):
        return "The limits are those of an average, narrower than those of the values the target speaks of."
    if chart._spec.plots not in ("value", "gap"):
        return f"The points are not values that the target speaks of ({chart._spec.title})."
    better = chart._measure.better
    return "" if better else "Neither direction is better, so a target cannot be passed or failed."


def _assurance(chart: ControlChart, last: IntArray, some: BoolArray) -> tuple[IntArray, list[str]]:
    """Compare the latest target with the limits at the last point; of a constant, with its value."""
    rows, why_not = np.arange(len(last)), _no_assurance(chart)
    target = chart.targets[rows, last]
    if why_not:
        return np.full(rows.shape, _MISSING), np.where(np.isnan(target), _NO_TARGET, why_not).tolist()
    lower, upper, line = (block[rows, last] for block in (chart.lower, chart.upper, chart.centre_line))
    constant, unfit = _constant(chart, last)
    higher = chart._measure.better == "higher"
    met = np.where(constant, (line >= target) if higher else (line <= target), (target < lower) == higher)
    near = _ROUNDING * (upper - lower)
    unsure = ~constant & (lower - near <= target) & (target <= upper + near)
    limits = np.isfinite(lower) & np.isfinite(upper)
    known = some & limits & (unfit == "") & np.isfinite(target)
    codes = np.select([~known, unsure, met], [_MISSING, INCONSISTENT, PASS], FAIL)
    why = np.select([known, np.isnan(target), some & (unfit != "")], ["", _NO_TARGET, unfit], _TOO_FEW)
    changed = (chart._seen() & (chart.targets != target[:, None])).any(axis=1)
    bounded = _degenerate(chart, last)
    each = zip(
        *(a.tolist() for a in (why, codes, constant, changed, bounded, target, line, lower, upper)),
        strict=True,
    )
    return codes, [said or _assurance_text(chart, *numbers) for said, *numbers in each]


def _constant(chart: ControlChart, last: IntArray) -> tuple[BoolArray, npt.NDArray[np.str_]]:
    """Where the value does not vary in the last phase, and why the limits there say nothing (else empty)."""
    rows, width = np.arange(len(last)), chart.upper - chart.lower
    tested = chart._tested() & _in_last_phase(chart, last)
    line = chart.centre_line[rows, last][:, None]
    equal = np.isclose(chart._plain, line, rtol=_ROUNDING, atol=0)
    flat = (chart.sigma[rows, last] == 0) | (width[rows, last] == 0)
    # limits of no width speak of the baseline only: the later points must lie on the line as well
    constant = flat & (equal | ~tested).all(axis=1)
    one = tested.sum(axis=1) == 1
    varies = [one, ~constant & _degenerate(chart, last), ~constant & flat]
    return constant, np.select(varies, [_ONE_POINT, _SHOWS_NO_RATE, _NO_SPREAD], "")


def _assurance_text(
    chart: ControlChart,
    code: int,
    constant: bool,
    changed: bool,
    bounded: bool,
    target: float,
    line: float,
    lower: float,
    upper: float,
) -> str:
    measure = chart._measure
    level, between = amount(measure, line), f"{amount(measure, lower)} to {amount(measure, upper)}"
    goal = f"the {'latest ' if changed else ''}target {amount(measure, target)}"
    if constant:
        verb = "meets" if code == PASS else "misses"
        caveat = f" That every value was {level} does not show that the rate is." if bounded else ""
        return f"The value does not vary ({level}); it {verb} {goal}.{caveat}"
    if code == INCONSISTENT:
        return f"T{goal[1:]} lies within the limits ({between}): it is sometimes met and sometimes missed."
    side = "better" if code == PASS else "worse"
    return f"The limits ({between}) lie wholly on the {side} side of {goal}."
