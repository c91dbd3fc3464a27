"""What a table of rates must tell its reader: why a rate is not reliable, and what is not in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity._result import Severity, note
from qi_equity.data.cells import MISSING, PROVISIONAL, SUPPRESSED, Bools, Cells
from qi_equity.data.reference import Against
from qi_equity.data.spans import Spans
from qi_equity.data.unknown import is_unknown
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.reliability import REASONS, Reliability
from qi_equity.spc.words import plural

Texts = NDArray[np.object_]
Counts = Cells | Against
"""Counts of strata and spans, of the groups or of what they are compared with; shape (S, K)."""

STANDARD: Mapping[str, str] = {
    "proportion": "NCHS Data Presentation Standards for Proportions (2017)",
    "rate": "NCHS Data Presentation Standards for Rates and Counts (2023)",
    "count": "NCHS Data Presentation Standards for Rates and Counts (2023)",
    "mean": "at least 30 measurements and a standard error below 30 % of the mean (NCHS before 2017)",
}
MANY_UNRECORDED = 0.05

_REASONS: Mapping[str, str] = {
    "precise": "meets the standard",
    "unknown": "not known",
    "few_births": "fewer than 30 births",
    "few_events": "fewer than 10 events",
    "wide": "interval 30 percentage points wide or wider",
    "relatively_wide": "interval wider than 130 % of the rate",
}
_OTHER_REASONS: Mapping[str, Mapping[str, str]] = {
    "rate": {"relatively_wide": "interval wider than 160 % of the rate"},
    "count": {"relatively_wide": "interval wider than 160 % of the count"},
    "mean": {
        "few_births": "fewer than 30 measurements",
        "relatively_wide": "standard error 30 % of the mean or more",
    },
}
_REMEDY = "Longer spans, or the group pooled over sites, could show it."


def reliability_text(kind: str, counts: Counts, judged: Reliability) -> Texts:
    """Say of every cell why its rate is reliable or not, shape (S, K)."""
    words = dict(_REASONS) | dict(_OTHER_REASONS.get(kind, {}))
    text = np.array([words[name] for name in REASONS], dtype=object)[judged.reason]
    text = np.where(judged.complement, text + "; the share without the event does not", text)
    extreme = np.where(counts.numerator == 0, "; no birth with the event", "; every birth with the event")
    text = np.where(judged.review & judged.reliable, text + extreme.astype(object), text)
    unknown = judged.reason == REASONS.index("unknown")
    return np.select(
        [
            counts.status == SUPPRESSED,
            counts.status == MISSING,
            unknown & (counts.denominator == 0),
            unknown & (kind == "mean"),
        ],
        ["suppressed", "missing", "no births", "spread or number of the measurements not known"],
        text,
    )


def rate_notes(spans: Spans, judged: Reliability, interval: Interval) -> list[pd.DataFrame]:
    """Give all notes of a table of rates but those of the counts."""
    return [
        *count_notes(spans),
        _without_interval(spans, interval),
        not_yet_visible(spans, judged),
    ]


def count_notes(spans: Spans) -> list[pd.DataFrame]:
    """Give the notes of counts that any result made of spans needs."""
    return [_no_births(spans), _suppressed(spans), _provisional(spans), _unrecorded(spans), _unknown(spans)]


def not_yet_visible(spans: Spans, judged: Reliability) -> pd.DataFrame:
    """Say which strata have births but no reliable rate."""
    there = judged.reason != REASONS.index("unknown")
    hidden = there & ~judged.reliable
    some = np.asarray(hidden.any(axis=1))
    reasons = reliability_text(spans.series.measure.kind, spans.cells, judged)[
        some, hidden[some].argmax(axis=1)
    ]
    share = in_spans(hidden, there, some)
    texts = [
        f"The rate is not yet visible{when}: {why}. {_REMEDY}"
        for when, why in zip(share, reasons, strict=True)
    ]
    return note("not_yet_visible", "caution", texts, spans.cells.strata.loc[some])


def in_spans(marked: Bools, there: Bools, some: Bools) -> list[str]:
    """Say in how many of the spans something holds; nothing where there is but one."""
    if marked.shape[1] == 1:
        return [""] * int(some.sum())
    counts: zip[tuple[int, int]] = zip(
        marked[some].sum(axis=1).tolist(), there[some].sum(axis=1).tolist(), strict=True
    )
    return [f" in {a} of {plural(b, 'span')}" for a, b in counts]


def _no_births(spans: Spans) -> pd.DataFrame:
    none = spans.cells.denominator == 0
    what = "measurements" if spans.series.measure.kind == "mean" else "births"
    text = f"No {what}{{}}: there is no rate, which does not mean that all is well."
    return _each(spans, none, "no_births", "caution", text)


def _suppressed(spans: Spans) -> pd.DataFrame:
    text = "Suppressed{}: the counts are there but withheld, and so is all that is reckoned from them."
    return _each(spans, spans.cells.status == SUPPRESSED, "suppressed", "caution", text)


def _provisional(spans: Spans) -> pd.DataFrame:
    text = "Provisional counts{}: they can still change."
    return _each(spans, spans.cells.status == PROVISIONAL, "provisional", "info", text)


def _unrecorded(spans: Spans) -> pd.DataFrame:
    unrecorded = np.nan_to_num(spans.cells.unrecorded)
    births = np.nan_to_num(spans.cells.denominator) + unrecorded
    text = (
        f"More than {100 * MANY_UNRECORDED:.0f} % of births have no recorded outcome{{}}; they are not in "
        "the rate, which would be another if their outcomes differ."
    )
    return _each(spans, unrecorded > MANY_UNRECORDED * births, "many_unrecorded", "caution", text)


def _unknown(spans: Spans) -> pd.DataFrame:
    unknown = is_unknown(spans.series)
    text = (
        "Women whose group is not known are a row, not a group: who is not asked can depend on the outcome. "
        "completeness() shows how many they are, unknown_bounds() what they could change."
    )
    return note("group_not_known", "caution", [text] * int(unknown.sum()), spans.cells.strata.loc[unknown])


def _without_interval(spans: Spans, interval: Interval) -> pd.DataFrame:
    absent = np.isnan(interval.lower) & spans.cells.reported & (spans.cells.denominator != 0)
    text = "No interval{}: the spread or the number of the measurements is not known, or is of one only."
    return _each(spans, absent, "no_interval", "caution", text)


def _each(spans: Spans, marked: Bools, code: str, severity: Severity, text: str) -> pd.DataFrame:
    """Make a note for each stratum with a marked span."""
    some = np.asarray(marked.any(axis=1))
    texts = [text.format(when) for when in in_spans(marked, np.ones_like(marked), some)]
    return note(code, severity, texts, spans.cells.strata.loc[some])
