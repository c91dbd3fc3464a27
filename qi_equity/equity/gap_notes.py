"""What a table of gaps must tell its reader: what is not visible yet, and where two scales disagree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qi_equity._result import note
from qi_equity.data.cells import MISSING, SUPPRESSED, Bools, Floats, Ints
from qi_equity.data.measure import Measure
from qi_equity.data.reference import Against
from qi_equity.data.spans import Spans
from qi_equity.equity.gap_columns import AS_MEASURED, WITHOUT_EVENT, Gaps
from qi_equity.equity.rate_notes import count_notes, in_spans
from qi_equity.equity.rates import rate_of
from qi_equity.spc.words import amount

COMMON = 0.10
"""From this rate on an odds ratio is clearly further from 1 than the risk ratio."""


def gap_notes(spans: Spans, against: Against, gaps: Gaps) -> list[pd.DataFrame]:
    """Give all notes of a table of gaps but those of the counts."""
    return [
        against.notes,
        _oriented(spans, gaps),
        _counts_without_births(spans, against),
        *count_notes(spans),
        _reference_not_known(spans, against),
        _zero_events(spans, gaps),
        _no_bound(spans, gaps),
        _not_yet_visible(spans, gaps),
        *_between_spans(spans, gaps),
        _odds_of_common(spans, gaps),
    ]


def gap_amount(measure: Measure, value: float) -> str:
    """Write a difference in the unit of the measure; of per cent it is percentage points."""
    text = amount(measure, value)
    return text.removesuffix("%") + "percentage points" if measure.unit == "%" else text


def _oriented(spans: Spans, gaps: Gaps) -> pd.DataFrame:
    if gaps.orientation == AS_MEASURED:
        return note("orientation", "info", [], spans.cells.strata.iloc[:0])
    how = (
        "on the births without the event"
        if gaps.orientation == WITHOUT_EVENT
        else "as reference less group, and reference over group"
    )
    return note(
        "orientation",
        "info",
        f"More of {spans.series.measure.name} is better, so gaps are reckoned {how}: a positive difference "
        "and a ratio above 1 are worse for the group. The rates stand as measured.",
    )


def _counts_without_births(spans: Spans, against: Against) -> pd.DataFrame:
    if spans.series.measure.kind != "count" or against.exact:
        return note("counts_without_births", "warning", [], spans.cells.strata.iloc[:0])
    text = (
        "These are gaps between numbers of events, not between chances: a larger group has more events, "
        "however it fares. Give the births as denominator to compare groups of different size."
    )
    return note("counts_without_births", "warning", text)


def _reference_not_known(spans: Spans, against: Against) -> pd.DataFrame:
    lost = np.isin(against.status, (MISSING, SUPPRESSED)) & ~against.is_reference[:, None]
    some = np.asarray(lost.any(axis=1))
    names = np.asarray(against.names, dtype=object)[some]
    texts = [
        f"The reference ({name}) is missing or suppressed{when}: there is no gap to give."
        for name, when in zip(names, in_spans(lost, np.ones_like(lost), some), strict=True)
    ]
    return note("reference_not_known", "caution", texts, spans.cells.strata.loc[some])


def _zero_events(spans: Spans, gaps: Gaps) -> pd.DataFrame:
    given = ~np.isnan(gaps.difference.estimate)
    counted = spans.series.measure.kind != "mean"
    zero = counted & given & ((gaps.ratio.estimate == 0) | ~np.isfinite(gaps.ratio.estimate))
    text = (
        "No events in the group or in the reference{}: the ratio is 0, infinite or not defined, and its "
        "interval may have one end only. The difference can be read."
    )
    return _told(spans, zero, "zero_events", text)


def _no_bound(spans: Spans, gaps: Gaps) -> pd.DataFrame:
    free = np.isneginf(gaps.ratio.lower)
    text = (
        "The mean of the reference may be 0{}: the data set no bound to the ratio. The difference can be "
        "read."
    )
    return _told(spans, free, "ratio_without_bound", text)


def _told(spans: Spans, marked: Bools, code: str, text: str) -> pd.DataFrame:
    some = np.asarray(marked.any(axis=1))
    texts = [text.format(when) for when in in_spans(marked, np.ones_like(marked), some)]
    return note(code, "caution", texts, spans.cells.strata.loc[some])


def _not_yet_visible(spans: Spans, gaps: Gaps) -> pd.DataFrame:
    """Say where the data fit no gap at all, and which gaps they fit too."""
    given = ~np.isnan(gaps.difference.lower)
    hidden = given & (
        ((gaps.difference.lower <= 0) & (gaps.difference.upper >= 0))
        | ((gaps.ratio.lower <= 1) & (gaps.ratio.upper >= 1))
    )
    some = np.asarray(hidden.any(axis=1))
    last = _last(hidden)[some]
    rows = np.flatnonzero(some)
    ends = [
        interval[rows, last].tolist()
        for interval in (gaps.difference.lower, gaps.difference.upper, gaps.ratio.lower, gaps.ratio.upper)
    ]
    several = hidden.shape[1] > 1
    measure = spans.series.measure
    texts = [
        f"The data fit no gap{when}, and{f' in {spans.labels[k]}' if several else ''} any gap from "
        f"{gap_amount(measure, low)} to {gap_amount(measure, high)} (ratio {least:.3g} to {most:.3g}): not "
        "yet visible, which is not the same as no gap."
        for when, k, low, high, least, most in zip(
            in_spans(hidden, given, some), last.tolist(), *ends, strict=True
        )
    ]
    return note("not_yet_visible", "caution", texts, spans.cells.strata.loc[some])


def _between_spans(spans: Spans, gaps: Gaps) -> list[pd.DataFrame]:
    """Compare the first and the last span in which both scales can be read."""
    difference, ratio = gaps.difference.estimate, gaps.ratio.estimate
    read = np.isfinite(difference) & np.isfinite(ratio) & (ratio > 0)
    rows = np.arange(len(read))
    first, last = read.argmax(axis=1), _last(read)
    pair = [(block[rows, first], block[rows, last]) for block in (difference, ratio)]
    two = read.any(axis=1) & (first < last)
    with np.errstate(divide="ignore", invalid="ignore"):
        absolute = np.sign(np.abs(pair[0][1]) - np.abs(pair[0][0]))
        relative = np.sign(np.abs(np.log(pair[1][1])) - np.abs(np.log(pair[1][0])))
    # Where the other side fares worse now, both scales say just that, whatever their sizes.
    same_side = pair[0][0] * pair[0][1] >= 0
    opposite: Bools = two & (absolute * relative < 0) & same_side
    found = [_opposite(spans, opposite, absolute, (first, last), pair)]
    worse = _worsening(spans, gaps)
    own, other = (block[rows, last] - block[rows, first] for block in worse)
    down: Bools = two & (absolute < 0) & (own >= 0) & (other > 0) & (pair[0][0] > 0)
    return [*found, _levelled_down(spans, down, (first, last))]


def _worsening(spans: Spans, gaps: Gaps) -> tuple[Floats, Floats]:
    """Give the rates of group and reference with worse above."""
    sign = 1 if gaps.orientation == AS_MEASURED else -1
    undirected = spans.series.measure.better is None
    own = rate_of(spans)
    return (own * np.nan, own * np.nan) if undirected else (sign * own, sign * gaps.reference_rate)


def _opposite(
    spans: Spans,
    opposite: Bools,
    absolute: Floats,
    ends: tuple[Ints, Ints],
    pair: list[tuple[Floats, Floats]],
) -> pd.DataFrame:
    measure, labels = spans.series.measure, spans.labels
    texts = [
        f"From {labels[ends[0][s]]} to {labels[ends[1][s]]} the two scales say opposite things: the "
        f"difference became {'smaller' if absolute[s] < 0 else 'larger'} "
        f"({gap_amount(measure, pair[0][0][s])} to {gap_amount(measure, pair[0][1][s])}), the ratio became "
        f"{'further from' if absolute[s] < 0 else 'nearer to'} 1 ({pair[1][0][s]:.3g} to "
        f"{pair[1][1][s]:.3g}). Give both."
        for s in np.flatnonzero(opposite)
    ]
    return note("scales_disagree", "warning", texts, spans.cells.strata.loc[opposite])


def _levelled_down(spans: Spans, down: Bools, ends: tuple[Ints, Ints]) -> pd.DataFrame:
    labels = spans.labels
    texts = [
        f"From {labels[ends[0][s]]} to {labels[ends[1][s]]} the difference became smaller because the "
        "reference became worse, not because the group became better."
        for s in np.flatnonzero(down)
    ]
    return note("narrowed_by_reference", "warning", texts, spans.cells.strata.loc[down])


def _odds_of_common(spans: Spans, gaps: Gaps) -> pd.DataFrame:
    given = ~np.isnan(gaps.odds_ratio.estimate)
    rate = rate_of(spans)
    adverse = 1 - rate if gaps.orientation == WITHOUT_EVENT else rate
    if not (given & (adverse > COMMON)).any():
        return note("odds_ratio_of_common", "info", [], spans.cells.strata.iloc[:0])
    text = "Where the outcome is common an odds ratio lies further from 1 than the ratio of the rates."
    return note("odds_ratio_of_common", "info", text)


def _last(marked: Bools) -> Ints:
    """Place of the last mark of each row; the last place where there is none."""
    return np.asarray(marked.shape[1] - 1 - marked[:, ::-1].argmax(axis=1))
