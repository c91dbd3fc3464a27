"""Everything a gap chart must tell its reader, as notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity._result import note
from qi_equity.data.cells import PROVISIONAL, SUPPRESSED
from qi_equity.data.unknown import is_unknown
from qi_equity.equity.gap_chart.judge import DRAWS
from qi_equity.equity.gap_chart.movement import words
from qi_equity.equity.gap_chart.summary import can_signal
from qi_equity.equity.gap_chart.text import other_side
from qi_equity.spc import runs_tests
from qi_equity.spc.notes import HARDLY_ANY, SHORT_PHASE, why_not_given
from qi_equity.spc.rules import BeyondLimits
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.state import GapState

BoolArray = npt.NDArray[np.bool_]

MANY_UNDEFINED = 0.01
_COULD = {
    "difference": "Longer periods, the group pooled over sites, or scale='observed-expected' could show it.",
    "ratio": (
        "scale='difference', longer periods, the group pooled over sites, or scale='observed-expected' could "
        "show it."
    ),
    "observed-expected": "More periods, or the group pooled over sites, could show it.",
}


def chart_notes(chart: GapState) -> list[pd.DataFrame]:
    """Give the notes of the data, of the reference, of the phases and of the chart."""
    n_phases = chart.few_crossings.shape[1]
    by_phase = [
        part(chart, k)
        for k in range(n_phases)
        for part in (_short_phase, _no_lines, _cannot_signal, _runs_not_given, _undefined)
    ]
    whole = [
        part(chart)
        for part in (
            _reference,
            _no_points,
            _turned,
            _meaning_of_low,
            _rounded,
            _overlap,
            _expected,
            _cumulative,
        )
    ]
    rest = [_withheld(chart), _unknown(chart), _opposite(chart)]
    return [chart.series.notes, chart.timeline.notes, chart.against.notes, *whole, *by_phase, *rest]


def _strata(chart: GapState, mask: BoolArray) -> pd.DataFrame:
    """Give the strata of a mask that are shown and have a gap."""
    return chart.series.cells.strata[mask]


def _compared(chart: GapState) -> BoolArray:
    """Strata that are shown and are not the reference themselves, shape (S,)."""
    return np.asarray(chart._shown_mask & ~chart.against.is_reference)


def _name(chart: GapState, phase: int) -> str:
    return "" if one_phase(chart) else f"Phase {phase + 1}: "


def _reference(chart: GapState) -> pd.DataFrame:
    """Say what is compared with what, and why."""
    reason = chart.reference.reason
    named = f"{chart.reference.name!r}"
    spoken = {"rest": "everyone else", "best": "the best group"}
    if chart.against.exact:
        named = other_side(chart, 0)
    elif chart.reference.name not in chart.series.groups:
        named = spoken[str(chart.reference.name)]
    why = f" because: {reason}" if reason else "; no reason was given"
    noise = (
        " A target has no sampling error: the limits hold the group's own only."
        if chart.against.exact
        else ""
    )
    return note("reference", "info", f"Each group is compared with {named}{why}.{noise}")


def _no_points(chart: GapState) -> pd.DataFrame:
    empty = _compared(chart) & ~chart._sides.seen.any(axis=1)
    text = "No period in which both the group and its reference are known: nothing can be said of their gap."
    return note("no_data", "caution", [text] * int(empty.sum()), _strata(chart, empty))


def _turned(chart: GapState) -> pd.DataFrame:
    turn = chart.method["orientation"]
    if turn == "as measured":
        return note("orientation", "info", [], chart.strata[:0])
    how = (
        "of births without the event" if turn == "without the event" else "as reference less (or over) group"
    )
    text = f"More of {chart.series.measure.name} is better; gaps are reckoned {how}, so that more is worse."
    return note("orientation", "info", text)


def _meaning_of_low(chart: GapState) -> pd.DataFrame:
    """Say when a low gap is called an improvement."""
    if chart.scale == "observed-expected" or chart.series.measure.better is None:
        return note("low_gap", "info", [], chart.strata[:0])
    text = (
        "A low gap is called an improvement only where the group's own rate is better than in its baseline: "
        "a gap also closes when the reference gets worse. movement() gives both."
    )
    return note("low_gap", "info", text)


def _rounded(chart: GapState) -> pd.DataFrame:
    if chart.judged:
        return note("rules_not_applied", "warning", [], chart.strata[:0])
    text = (
        "Counts are rounded or stand for several, and limits assume exact counts: no rules are applied, so "
        "no point is called a signal."
    )
    return note("rules_not_applied", "warning", text)


def _overlap(chart: GapState) -> pd.DataFrame:
    overlap = chart.method["overlap"]
    if not overlap["found"]:
        return note("overlapping_windows", "warning", [], chart.strata[:0])
    text = (
        f"Neighbouring points differ far less than separate births could (ratio {overlap['ratio']:.2f}, 1 is "
        "expected): they look like rolling windows. Runs, trends and two in three are not given, and sums "
        "over phases may count births more than once."
    )
    return note("overlapping_windows", "warning", text)


def _expected(chart: GapState) -> pd.DataFrame:
    if not chart.judged:
        return note("expected_false_signals", "info", [], chart.strata[:0])
    rows = _compared(chart)
    chance = chart._false_signals()[0][rows]
    number, tried = float(chance.sum()), int((chance > 0).sum())
    exact = "reckoned exactly, for limits looked at at every point"
    drawn = f"by {DRAWS} drawn charts of each, for known rates"
    how = exact if chart.scale == "observed-expected" else drawn
    if number < HARDLY_ANY:
        text = (
            "Hardly any false signal is to be expected here: no test could be applied, or none could signal."
        )
    elif tried == 1:
        text = f"If nothing changes, this chart signals with a chance of about {100 * number:.2g} % ({how})."
    else:
        what = f"about {number:.2g} {'groups' if one_phase(chart) else 'groups or phases'} of the {tried}"
        text = f"If nothing changes, {what} here would still show a signal ({how})."
    return note("expected_false_signals", "info", text)


def one_phase(chart: GapState) -> bool:
    """Whether no stratum has a second phase."""
    return bool(chart.few_crossings.shape[1] == 1)


def _cumulative(chart: GapState) -> pd.DataFrame:
    if chart.scale != "observed-expected":
        return note("points_carry_their_past", "info", [], chart.strata[:0])
    text = (
        "Points are sums from the start of the phase: above 0, more events than at the reference's rate of "
        "the same periods. Limits are those of each point by itself; expected_false_signals gives the chance "
        "of any crossing. Points carry their past, so no other rule is applied."
    )
    return note("points_carry_their_past", "info", text)


def _short_phase(chart: GapState, phase: int) -> pd.DataFrame:
    if chart.scale == "observed-expected":
        return note("short_phase", "caution", [], chart.strata[:0])
    inside = chart.timeline.baseline & (chart.timeline.phase == phase)
    n = inside.sum(axis=1)
    short = (n > 0) & (n < SHORT_PHASE) & _compared(chart)
    texts = [
        f"{_name(chart, phase)}The limits are provisional: the baseline holds {plural(k, 'point')}, fewer "
        f"than {SHORT_PHASE}, and more would move them."
        for k in n[short].tolist()
    ]
    return note("short_phase", "caution", texts, _strata(chart, short))


def _no_lines(chart: GapState, phase: int) -> pd.DataFrame:
    """Say where there are points and no limits, and why."""
    seen = chart._sides.seen & (chart.timeline.phase == phase)
    if chart.scale == "observed-expected":
        seen = seen & ~chart.timeline.excluded
    bare = _compared(chart) & seen.any(axis=1) & ~(seen & np.isfinite(chart.lines["sigma"])).any(axis=1)
    limits = np.isfinite(chart.lines["lower"]) | np.isfinite(chart.lines["upper"])
    blind = _compared(chart) & seen.any(axis=1) & ~(seen & limits).any(axis=1) & ~bare
    nothing = "Every point of the phase is excluded (or none is in the baseline): there are no lines."
    if chart.scale == "observed-expected":
        none = "There was no event in either, or nothing else: no sum could differ, and none is judged."
    else:
        none = (
            "The baseline of the group or of its reference holds no event, or nothing but events. That does "
            "not show what could happen, so no point is judged; a longer baseline, longer periods or "
            "scale='observed-expected' could."
        )
    name = _name(chart, phase)
    return pd.concat(
        [
            note("no_lines", "caution", [name + nothing] * int(bare.sum()), _strata(chart, bare)),
            note("no_events_in_baseline", "caution", [name + none] * int(blind.sum()), _strata(chart, blind)),
        ],
        ignore_index=True,
    )


def _cannot_signal(chart: GapState, phase: int) -> pd.DataFrame:
    """Say on which side the group by itself could not make the gap signal, and what could show it."""
    parts = [note("cannot_signal_low", "caution", [], chart.strata[:0])]
    if not (chart.judged and BeyondLimits() in chart.rules.tests):
        return parts[0]
    seen = chart._sides.seen & (chart.timeline.phase == phase) & np.isfinite(chart.lines["lower"])
    some = _compared(chart) & seen.any(axis=1)
    for side, change, how in (
        ("low", "better", "with no event at all"),
        ("high", "worse", "with every event"),
    ):
        able = can_signal(chart, side)[:, phase]
        for code, index, rest in (
            ("limits_cannot_signal", 1, "so it can show only over several points"),
            ("cannot_signal", 2, "so it cannot show here at all"),
        ):
            who = some & (able == index)
            text = (
                f"{_name(chart, phase)}The limits cannot show that the group fares {change}: even {how} a "
                f"point stays within them while the reference is as expected, {rest}. "
                f"{_COULD[chart.scale]}"
            )
            parts.append(note(f"{code}_{side}", "caution", [text] * int(who.sum()), _strata(chart, who)))
    return pd.concat(parts, ignore_index=True)


def _runs_not_given(chart: GapState, phase: int) -> pd.DataFrame:
    asked = any(test.is_runs_test for test in chart.rules.tests) and chart.judged
    reason = chart.runs.reason[:, phase]
    told = np.isin(reason, (runs_tests.UNEVEN, runs_tests.TIED)) & asked & _compared(chart)
    texts = [
        f"{_name(chart, phase)}Runs tests are not given: {why_not_given(r, chance, atom)}"
        for r, chance, atom in zip(
            reason[told].tolist(),
            chart.runs.chance[told, phase].tolist(),
            chart.runs.atom[told, phase].tolist(),
            strict=True,
        )
    ]
    return note("runs_tests_not_given", "caution", texts, _strata(chart, told))


def _undefined(chart: GapState, phase: int) -> pd.DataFrame:
    """State how often a ratio would be undefined, where that is not rare."""
    inside = (chart.timeline.phase == phase) & np.isfinite(chart.lines["undefined"])
    count = inside.sum(axis=1)
    total = np.where(inside, chart.lines["undefined"], 0.0).sum(axis=1)
    mean = total / np.maximum(count, 1)
    often = (mean > MANY_UNDEFINED) & _compared(chart)
    texts = [
        f"{_name(chart, phase)}In {100 * share:.0f} % of periods neither side would have an event: the ratio "
        "is then undefined and the point not judged. scale='difference' or longer periods avoid it."
        for share in mean[often].tolist()
    ]
    return note("undefined_ratio", "caution", texts, _strata(chart, often))


def _withheld(chart: GapState) -> pd.DataFrame:
    """Count the points that are withheld or not final."""
    parts = []
    for status, code, text in (
        (
            SUPPRESSED,
            "suppressed_points",
            "not zero and not missing; lines and rules do without, and are biased",
        ),
        (PROVISIONAL, "provisional_points", "drawn, but neither judged nor part of the lines"),
    ):
        n = (chart._sides.status == status).sum(axis=1)
        some = (n > 0) & _compared(chart)
        said = [f"{plural(k, code.split('_')[0] + ' point')}: {text}." for k in n[some].tolist()]
        parts.append(note(code, "caution", said, _strata(chart, some)))
    return pd.concat(parts, ignore_index=True)


def _unknown(chart: GapState) -> pd.DataFrame:
    """Remind that women of unknown group are in none, and not at random."""
    unknown = is_unknown(chart.series)
    births = np.nansum(chart.series.cells.denominator, axis=1)
    if not births[unknown].sum() > 0:
        return note("unknown_group", "caution", [], chart.strata[:0])
    share = births[unknown].sum() / births.sum()
    text = (
        f"The group of {100 * share:.2g} % of "
        f"{'values' if chart.series.measure.kind == 'mean' else 'births'} is not known. Those women are not "
        "missing at random: if their share or their outcomes change, gaps change with them. "
        "series.unknown_bounds() gives the range."
    )
    return note("unknown_group", "caution", text)


def _opposite(chart: GapState) -> pd.DataFrame:
    """Say where difference and ratio moved opposite ways."""
    text = words(chart)["message"]
    row, phase = np.nonzero((text != "") & _compared(chart)[:, None])
    texts = [f"From phase {k} to {k + 1}: {text[s, k]}" for s, k in zip(row, phase, strict=True)]
    return note("opposite_scales", "caution", texts, chart.series.cells.strata.take(row))
