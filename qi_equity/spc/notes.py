"""Everything a chart must tell its reader, as notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity._result import Severity, note
from qi_equity.data.cells import MISSING, PROVISIONAL, SUPPRESSED
from qi_equity.spc import runs_tests
from qi_equity.spc.chance import how_reckoned
from qi_equity.spc.judge import bottom, observed, top
from qi_equity.spc.kinds_weighted import RiskAdjustedCusum, Vlad
from qi_equity.spc.plotted import good_side
from qi_equity.spc.rules import BeyondLimits
from qi_equity.spc.signals import SIDES
from qi_equity.spc.summary import limits_can_signal, patterns_can_signal, recent_points
from qi_equity.spc.words import amount, and_list, each, period, plural

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

BoolArray = npt.NDArray[np.bool_]

SHORT_PHASE = 12
MANY_SUPPRESSED = 0.25
HARDLY_ANY = 0.005
MANY_UNRECORDED = 0.05

_OF_COUNTS = (
    " Longer periods, the group pooled over sites, a CUSUM on the counts, or times between events from "
    "records could show it."
)
_OF_BIRTHS = " Runs of short gaps could show it, or a Bernoulli CUSUM of the same series."
_OF_TIMES = " Runs of short times could show it."
_OF_VALUES = " Longer periods could show it, or a chart of the counts (p, u, c), or a CUSUM on them."


def chart_notes(chart: ControlChart) -> list[pd.DataFrame]:
    """Give the notes of the data, of the phases, and of the chart."""
    n_phases = chart.runs.n_useful.shape[1]
    by_phase = [
        part(piece, k)
        for k in range(n_phases)
        for part in (_short_phase, _no_lines, _passed_over, _no_events, _cannot_signal, _runs_not_given)
        for _, piece in chart._pieces()
    ]
    whole = [
        part(chart) for part in (_no_data, _overlap, _expected, _suppressed, _provisional, _gaps, _unrecorded)
    ]
    return [chart.series.notes, chart.timeline.notes, *whole, *by_phase]


def _strata(chart: ControlChart, mask: BoolArray) -> pd.DataFrame:
    return chart.strata[mask]


def _phase_name(chart: ControlChart, phase: int) -> str:
    return f"Phase {phase + 1}: " if chart.runs.n_useful.shape[1] > 1 else ""


def _points(chart: ControlChart, phase: int) -> npt.NDArray[np.int64]:
    """Observed points of each stratum in a phase, shape (S,)."""
    seen = chart._seen() & (chart.timeline.phase == phase)
    return np.asarray(seen.sum(axis=1))


def _no_data(chart: ControlChart) -> pd.DataFrame:
    empty = np.asarray(~observed(chart.series.cells).any(axis=1))
    text = "No observed point: nothing can be said of this stratum, which does not mean that all is well."
    return note("no_data", "caution", [text] * int(empty.sum()), _strata(chart, empty))


def _short_phase(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Say where few points set the lines; those of a VLAD and a risk-adjusted CUSUM come from elsewhere."""
    own = not isinstance(chart._spec, Vlad | RiskAdjustedCusum)
    inside = chart.timeline.baseline & chart._seen() & (chart.timeline.phase == phase)
    n = inside.sum(axis=1)
    short = (n > 0) & (n < SHORT_PHASE) & ~_without_lines(chart, phase) & own
    lines = "centre line is" if chart.kind == "run" else "limits are"
    texts = [
        f"{_phase_name(chart, phase)}The {lines} provisional: the baseline holds {plural(k, 'point')}, fewer "
        f"than {SHORT_PHASE}, and more would move {'it' if chart.kind == 'run' else 'them'}."
        for k in n[short].tolist()
    ]
    return note("short_phase", "caution", texts, _strata(chart, short))


def _without_lines(chart: ControlChart, phase: int) -> BoolArray:
    """Strata whose phase has points and yet no centre line, shape (S,)."""
    seen = chart._seen() & (chart.timeline.phase == phase)
    return np.asarray(seen.any(axis=1) & ~(seen & np.isfinite(chart.centre_line)).any(axis=1))


def _no_lines(chart: ControlChart, phase: int) -> pd.DataFrame:
    bare = _without_lines(chart, phase)
    text = (
        f"{_phase_name(chart, phase)}Every point of the phase is excluded (or none is in the baseline): "
        "there are no lines."
    )
    said = note("no_lines", "caution", [text] * int(bare.sum()), _strata(chart, bare))
    return pd.concat([said, _no_limits(chart, phase)], ignore_index=True)


def _no_limits(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Say where a chart that carries its past could not be started; a VLAD has no limits anyway."""
    inside = observed(chart.series.cells) & (chart.timeline.phase == phase)
    limited = (inside & chart._seen() & np.isfinite(chart.upper - chart.lower)).any(axis=1)
    bare = inside.any(axis=1) & ~limited & ~_without_lines(chart, phase)
    bare &= chart._spec.plots == "statistic" and not isinstance(chart._spec, Vlad)
    text = (
        f"{_phase_name(chart, phase)}The baseline holds no event (or nothing but events), or has no spread: "
        "there are no limits, and no point is judged."
    )
    return note("no_lines", "caution", [text] * int(bare.sum()), _strata(chart, bare))


def _passed_over(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Say how many observed points an average or sum could not take in."""
    inside = observed(chart.series.cells) & ~chart.timeline.excluded & (chart.timeline.phase == phase)
    n = (inside & ~chart._seen()).sum(axis=1)
    told = (n > 0) & (inside & chart._seen()).any(axis=1) & (chart._spec.plots == "statistic")
    texts = [
        f"{_phase_name(chart, phase)}{plural(k, 'observed point')} passed over: without a standard error (a "
        "mean of one value, no births) a point has no weight among the others."
        for k in n[told].tolist()
    ]
    return note("passed_over", "caution", texts, _strata(chart, told))


def _no_events(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Say where the baseline has no events (or nothing else): there is no chance distribution to judge by."""
    none, only = _degenerate(chart, phase)
    name, measure = _phase_name(chart, phase), chart.series.measure
    texts = [
        f"{name}The baseline holds {'no event' if zero else 'nothing but events'}. That does not show "
        f"that the rate is {amount(measure, 0.0 if zero else 1.0)}, so no point is judged against it, by "
        "limits or runs tests; a longer baseline or times between events would be needed."
        for zero in none[none | only].tolist()
    ]
    return note("no_events_in_baseline", "caution", texts, _strata(chart, none | only))


def _degenerate(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Strata whose centre line is 0, and those where it is the highest possible, each (S,)."""
    inside = chart._seen() & (chart.timeline.phase == phase) & chart._spec.is_counted
    ends = (0.0, top(chart._spec, chart.series.cells.denominator))
    none, only = ((inside & (chart.centre_line == end)).any(axis=1) for end in ends)
    return np.asarray(none), np.asarray(only)


def _cannot_signal(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Say on which side no count can lie beyond the limits, and what could show a change there.

    Where the rules do not look for points beyond the limits, this is said only if nothing else can signal.
    """
    none, only = _degenerate(chart, phase)
    parts = [note("cannot_signal_low", "caution", [], chart.strata[:0])]
    if isinstance(chart._spec, Vlad):
        return _shows_only(chart, phase)
    bounded = np.isfinite(bottom(chart._spec, chart.series.measure.kind))
    if not bounded or not any(t.needs_limits for t in chart.rules.tests):
        return parts[0]
    able = zip(SIDES, limits_can_signal(chart, phase), patterns_can_signal(chart, phase), strict=True)
    for side, by_limits, by_patterns in able:
        unable = ~by_limits & ~none & ~only & (_points(chart, phase) > 0) & ~_without_lines(chart, phase)
        meaning = _meaning(chart, side) or side
        for who, code in (
            (unable & by_patterns & _by_limits(chart), "limits_cannot_signal"),
            (unable & ~by_patterns, "cannot_signal"),
        ):
            texts = _cannot_signal_texts(chart, phase, np.flatnonzero(who), side, code)
            parts.append(note(f"{code}_{meaning}", "caution", texts, _strata(chart, who)))
    return pd.concat(parts, ignore_index=True)


def _by_limits(chart: ControlChart) -> bool:
    """Whether the rules look for points beyond the limits."""
    return any(isinstance(t, BeyondLimits) for t in chart.rules.tests)


def _shows_only(chart: ControlChart, phase: int) -> pd.DataFrame:
    some = _points(chart, phase) > 0
    text = (
        f"{_phase_name(chart, phase)}A VLAD shows and does not judge: it has no limits, so that no point can "
        "signal. A risk-adjusted CUSUM of the same series can."
    )
    return note("cannot_signal", "caution", [text] * int(some.sum()), _strata(chart, some))


def _cannot_signal_texts(
    chart: ControlChart, phase: int, rows: npt.NDArray[np.int64], side: str, code: str
) -> list[str]:
    name, could = _phase_name(chart, phase), _what_could(chart)
    limit, change = ("lower", "fall") if side == "low" else ("upper", "rise")
    meaning = _meaning(chart, side) or f"a {change}"
    who, rest = (
        ("The limits", f"a {change} can show only over several points")
        if code == "limits_cannot_signal"
        else ("This chart", f"a {change} cannot show here at all")
    )
    if not _by_limits(chart):
        names = and_list([rule.replace("_", " ") for rule in chart.rules.names])
        why = f"by its rules ({names}) a {change} cannot show here"
        return [f"{name}This chart cannot signal {meaning}: {why}.{could}"] * len(rows)
    return [
        f"{name}{who} cannot signal {meaning}: {why} can lie beyond the {limit} limit, and {rest}.{could}"
        for why in _none_beyond(chart, phase, rows)
    ]


def _none_beyond(chart: ControlChart, phase: int, rows: npt.NDArray[np.int64]) -> list[str]:
    """Say what cannot lie beyond a limit: a count, given how many are expected, or a gap or spread."""
    if not chart._spec.is_counted:
        return [f"no {'gap' if chart._spec.plots == 'gap' else 'point'}"] * len(rows)
    recent = recent_points(chart, phase)[rows]
    size = np.ones(recent.shape) if chart.kind in ("c", "np") else chart.series.cells.denominator[rows]
    expected = np.where(recent, chart.centre_line[rows] * size, 0).sum(axis=1) / recent.sum(axis=1)
    every = each(chart.series.every)
    return [f"with about {_expected_events(n)} {every}, no count" for n in expected.tolist()]


def _meaning(chart: ControlChart, side: str) -> str:
    """Say what a change to this side means; empty where neither direction is better."""
    good = good_side(chart._measure.better)
    return "" if good < 0 else "improvement" if SIDES[good] == side else "deterioration"


def _rounded(number: float) -> str:
    """Write a number to two digits, without an exponent."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _expected_events(number: float) -> str:
    said = _rounded(number)
    return f"{said} expected event{'' if said == '1' else 's'}"


def _runs_not_given(chart: ControlChart, phase: int) -> pd.DataFrame:
    """Name the reason, with its number, where a runs test was asked for and is not given."""
    runs = chart.runs
    reason = runs.reason[:, phase]
    none, only = _degenerate(chart, phase)
    tested = (chart._tested() & (chart.timeline.phase == phase)).any(axis=1)
    all_tied = (reason == runs_tests.NO_POINTS) & tested & ~(_without_lines(chart, phase) | none | only)
    told = np.isin(reason, (runs_tests.UNEVEN, runs_tests.TIED)) | all_tied
    told &= any(t.is_runs_test for t in chart.rules.tests)
    texts = [
        f"{_phase_name(chart, phase)}Runs tests are not given: {why_not_given(r, chance, atom)}"
        for r, chance, atom in zip(
            reason[told].tolist(),
            runs.chance[told, phase].tolist(),
            runs.atom[told, phase].tolist(),
            strict=True,
        )
    ]
    return note("runs_tests_not_given", "caution", texts, _strata(chart, told))


def _what_could(chart: ControlChart) -> str:
    """Say what could show a change that this kind of chart cannot; nothing for a spread."""
    if chart._spec.is_counted:
        return _OF_COUNTS
    if chart._spec.plots == "gap":
        return _OF_BIRTHS if chart.kind == "g" else _OF_TIMES
    counted = chart.series.measure.kind in ("proportion", "rate", "count")
    return _OF_VALUES if counted and chart._spec.plots != "spread" else ""


def why_not_given(reason: int, chance: float, atom: float) -> str:
    """Say, with its number, why a runs test is not given."""
    if reason == runs_tests.NO_POINTS:
        return "every point lies on the centre line."
    if reason == runs_tests.UNEVEN:
        bounds = (runs_tests.CHANCE_LOW, runs_tests.CHANCE_HIGH)
        digits = 4 if round(chance, 2) in bounds else 2
        return (
            f"a point lies above the centre line with a chance of {chance:.{digits}f}, and the tests hold "
            f"between {runs_tests.CHANCE_LOW} and {runs_tests.CHANCE_HIGH} only. Longer periods bring it to "
            "1/2."
        )
    most = 100 * runs_tests.LARGEST_ATOM
    return f"{100 * atom:.0f} % of the baseline's points lie on the centre line, more than {most:.0f} %."


def _overlap(chart: ControlChart) -> pd.DataFrame:
    overlap, every = chart.method["overlap"], chart.series.every
    if not overlap["found"]:
        return note("overlapping_windows", "warning", [], chart.strata[:0])
    if overlap["window"] > 1:
        seen = f"Each point covers {overlap['window']} periods (by {every}), so that neighbours share births."
    else:
        seen = (
            f"Neighbouring points differ far less than separate births could (ratio {overlap['ratio']:.2f}, "
            "1 is expected): they look like rolling windows, or counts that were smoothed."
        )
    text = (
        f"{seen} Runs, trends and two in three are not given. The centre line and each point's own limits "
        "still hold, but one unusual period shows in several points. Use every period once: separate "
        "periods, or every window that starts where the last one ended."
    )
    return note("overlapping_windows", "warning", text)


def _expected(chart: ControlChart) -> pd.DataFrame:
    rows = chart._summary_rows()
    rows = rows[rows["n_points"] > 0]
    expected = float(rows["false_signal_probability"].sum())
    one, many = ("stratum", "strata") if chart.runs.n_useful.shape[1] == 1 else ("phase", "strata and phases")
    how = how_reckoned(chart)
    if expected == 0:
        text = "No false signal is to be expected here: no test could be applied, or none could signal."
    elif expected < HARDLY_ANY:
        text = f"Hardly any false signal is to be expected here ({how})."
    elif len(rows) == 1:
        text = f"The chance of at least one false signal on this chart is about {_percent(expected)} ({how})."
    else:
        text = (
            f"If nothing had changed anywhere, up to about {_rounded(expected)} of the "
            f"{plural(len(rows), one, many)} here would still show a signal ({how})."
        )
    return note("expected_false_signals", "info", text)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def _suppressed(chart: ControlChart) -> pd.DataFrame:
    """Say that what is withheld is not a random part: small counts are withheld because they are small."""
    status = chart.series.cells.status
    n = (status == SUPPRESSED).sum(axis=1)
    many = n >= MANY_SUPPRESSED * ((status >= 0) & (status != MISSING)).sum(axis=1)
    kinds: list[tuple[Severity, BoolArray]] = [("caution", (n > 0) & ~many), ("warning", (n > 0) & many)]
    parts = []
    for severity, rows in kinds:
        texts = [
            f"{plural(k, 'suppressed point')}: not zero and not missing; lines and rules do without. Small "
            "counts are withheld because they are small, so the centre line and limits are biased: upward if "
            "zeros are withheld too, and possibly downward if zeros are shown. They must not be compared "
            "with those of other groups."
            for k in n[rows].tolist()
        ]
        parts.append(note("suppressed_points", severity, texts, _strata(chart, rows)))
    return pd.concat(parts, ignore_index=True)


def _provisional(chart: ControlChart) -> pd.DataFrame:
    n = (chart.series.cells.status == PROVISIONAL).sum(axis=1)
    texts = [
        f"{plural(k, 'provisional point')}: drawn, but neither judged nor part of the lines."
        for k in n[n > 0].tolist()
    ]
    return note("provisional_points", "info", texts, _strata(chart, n > 0))


def _gaps(chart: ControlChart) -> pd.DataFrame:
    """Say where a run joins across missing or suppressed periods."""
    found = chart._found()
    absent = np.isin(chart.series.cells.status, (MISSING, SUPPRESSED)).cumsum(axis=1)
    spanned = absent[found.stratum, found.end] - absent[found.stratum, found.start]
    rows = np.flatnonzero((spanned > 0) & (found.side >= 0))
    dates = np.broadcast_to(chart.series.cells.periods, absent.shape)
    first, last = (dates[found.stratum[rows], ends[rows]] for ends in (found.start, found.end))
    texts = [
        f"The run from {period(chart.series, a)} to {period(chart.series, b)} joins across "
        f"{plural(k, 'period')} without a known value."
        for a, b, k in zip(first, last, spanned[rows].tolist(), strict=True)
    ]
    return note("run_across_gap", "caution", texts, chart.strata.take(found.stratum[rows]))


def _unrecorded(chart: ControlChart) -> pd.DataFrame:
    """State the births whose outcome was not recorded; a share that could hide a change is a caution."""
    cells = chart.series.cells
    n = np.nansum(cells.unrecorded, axis=1)
    known = np.nansum(cells.denominator, axis=1)
    few = (n > 0) & (n < MANY_UNRECORDED * (n + known))
    kinds: list[tuple[Severity, BoolArray]] = [("info", few), ("caution", (n > 0) & ~few)]
    parts = [note("unrecorded_outcomes", "info", [], chart.strata[:0])]
    for severity, rows in kinds:
        texts = [
            f"{plural(int(k), 'birth')} without a recorded outcome ({100 * k / (k + m):.2g} %) left out; "
            "they are not counted as births without the event."
            for k, m in zip(n[rows].tolist(), known[rows].tolist(), strict=True)
        ]
        parts.append(note("unrecorded_outcomes", severity, texts, _strata(chart, rows)))
    return pd.concat(parts, ignore_index=True)
