"""The rows of a table of inequality: estimates, intervals, what chance alone gives, and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result
from qi_equity.data.cells import Floats, Ints
from qi_equity.data.reference import BEST, Reference
from qi_equity.data.spans import Spans
from qi_equity.equity.inequality import chance, intervals
from qi_equity.equity.inequality.catalogue import InequalityMeasure
from qi_equity.equity.inequality.counts import MOST_LACKING, GroupCounts, side_by_side
from qi_equity.equity.inequality.estimates import (
    SIMULATED,
    Compared,
    Rule,
    compare,
    estimates,
    groups_named,
)
from qi_equity.equity.inequality.intervals import Found
from qi_equity.formulas.inequality import mean_of_groups
from qi_equity.formulas.inequality_compared import best_group, value_of_group

__all__ = ["MOST_LACKING", "make"]

_NUMBERS = ("estimate", "lower", "upper", "se", "mc_error")
Texts = NDArray[np.object_]


def make(
    spans: Spans,
    chosen: Sequence[InequalityMeasure],
    reference: Reference | None,
    ordered: bool,
    options: Mapping[str, Any],
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Make the table and its notes."""
    counts = side_by_side(spans)
    rule = _rule(spans, counts, reference, ordered)
    compared = compare(counts.value, counts.denominator, rule)
    simulated = tuple(m.id for m in chosen if m.id in SIMULATED)
    estimated = estimates(simulated, counts.value, counts.denominator, compared)
    draws, seed, confidence = options["draws"], options["seed"], options["confidence"]
    by_draws = {i: estimated[i] for i in simulated if i not in intervals.BY_FORMULA}
    limits = chance.bootstrap(by_draws, counts, rule, draws, seed, confidence)
    equal = chance.if_equal(estimated, counts, rule, draws, seed)
    parts = []
    for m in chosen:
        if m.id in limits:
            found = Found(
                estimated[m.id], *limits[m.id][:2], *limits[m.id][2:], "parametric bootstrap, inverted"
            )
        elif m.id in estimated:
            found = intervals.by_formula(m.id, estimated[m.id], counts, compared, confidence)
        else:
            found = intervals.ordered(m.id, counts, confidence)
        found = _where_computed(found, counts)
        parts.append(_columns(m, found, equal.get(m.id), counts, compared, rule))
    return _frame(spans, counts, parts), [*counts.notes, *_notes(chosen, reference, ordered, rule)]


def _rule(spans: Spans, counts: GroupCounts, reference: Reference | None, ordered: bool) -> Rule:
    better = spans.series.measure.better
    minimum = Reference(BEST).minimum if reference is None else reference.minimum
    by_name = reference is not None and reference.name in counts.groups
    able = counts.whole >= minimum
    rule = Rule(
        higher_is_better=better == "higher",
        directed=better is not None,
        ordered=ordered,
        named=counts.groups.index(str(reference.name)) if reference is not None and by_name else None,
        best_is_named=reference is not None and not by_name,
        able=able,
        fixed_best=None,
    )
    if len(spans.labels) == 1:
        return rule
    return Rule(**{f: getattr(rule, f) for f in Rule.__slots__} | {"fixed_best": _best(counts, rule)})


def _best(counts: GroupCounts, rule: Rule) -> Ints:
    """Find the group of each place that is the best over all spans, so that it is the same in each."""
    n_spans = len(counts.value) // len(counts.places)
    there = ~np.isnan(counts.value)
    births, total = (
        np.where(there, a, 0).reshape(len(counts.places), n_spans, -1).sum(axis=1)
        for a in (counts.denominator, counts.denominator * np.nan_to_num(counts.value))
    )
    value = np.divide(total, births, out=np.full(births.shape, np.nan), where=births > 0)
    able = rule.able.reshape(len(counts.places), n_spans, -1)[:, 0]
    best = best_group(np.where(able, value, np.nan), births, higher_is_better=rule.higher_is_better)
    return np.repeat(best, n_spans)


def _where_computed(found: Found, counts: GroupCounts) -> Found:
    """Leave the rows empty in which nothing is computed."""
    dropped = counts.why_not != ""
    parts: dict[str, Any] = {n: np.where(dropped, np.nan, getattr(found, n)) for n in _NUMBERS}
    return replace(found, **parts)


def _columns(
    m: InequalityMeasure,
    found: Found,
    equal: tuple[Floats, Floats] | None,
    counts: GroupCounts,
    compared: Compared,
    rule: Rule,
) -> dict[str, Any]:
    """Give the columns of one measure, each of shape (R,)."""
    at, against = groups_named(m.id, compared, rule)
    at, against = (np.where(counts.why_not == "", g, -1) for g in (at, against))
    alike = 1.0 if m.id.startswith("rii") else 0.0
    expected, likely = equal or (np.where(np.isnan(found.estimate), np.nan, alike), np.nan)
    known = {name: getattr(found, name) for name in _NUMBERS}
    return {
        "measure": m.id,
        "name": m.name,
        **known,
        "method": found.method,
        "unit": m.unit,
        "scale": m.scale,
        "expected_if_equal": np.where(counts.why_not == "", expected, np.nan),
        "chance_if_equal": likely,
        "n_groups": counts.n_groups,
        "compared": _labels(at, counts.groups),
        "reference": _labels(against, counts.groups),
        "reason": _reasons(m, found, counts, against),
    }


def _labels(group: Ints, names: Sequence[str]) -> Texts:
    table = np.array([*names, ""], dtype=object)
    return np.asarray(table[group])


def _reasons(m: InequalityMeasure, found: Found, counts: GroupCounts, against: Ints) -> Texts:
    """Say why an estimate or a limit is not a number; empty where all are."""
    whole = np.isfinite(found.estimate) & np.isfinite(found.lower) & np.isfinite(found.upper)
    estimated = np.isfinite(found.estimate)
    nothing = mean_of_groups(counts.value, counts.denominator) <= 0
    not_positive = (counts.value <= 0).any(axis=1)
    with_group = np.full(len(whole), m.id in ("d", "r", "mdbu", "mdbw", "mdru", "mdrw", "par", "paf"))
    absent = with_group & np.isnan(value_of_group(counts.value, against))
    conditions = [
        (counts.why_not != "", counts.why_not),
        (whole, ""),
        (absent, "the group to compare with has no value here, or no group is large enough to be the best"),
        (~estimated & (m.id == "r"), "no event in the group that the ratio divides by"),
        (~estimated & not_positive & (m.id in ("ti", "mld")), "the value of a group is 0: no logarithm"),
        (~estimated & nothing, "the mean of the groups is 0"),
        (~estimated & m.id.startswith(("sii", "rii")), "the line cannot be fitted, or ends at 0 or below"),
        (estimated & counts.unsure, "the standard deviation of a group is not known, so no interval"),
        (estimated & (found.upper == np.inf), "the counts are too few to set an upper limit"),
        (estimated, "the groups are exactly alike, or have no events: no interval can be found"),
        (~whole, "not defined for these values"),
    ]
    said = np.select([c for c, _ in conditions], [np.asarray(t, dtype=object) for _, t in conditions], "")
    return np.asarray(said)


def _frame(spans: Spans, counts: GroupCounts, parts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put the measures of each row under one another."""
    rows, n_spans = len(counts.value), len(spans.labels)
    place = np.repeat(np.arange(rows) // n_spans, len(parts))
    frame = pd.DataFrame({c: counts.places[c].array.take(place) for c in counts.places.columns})
    span = np.repeat(np.arange(rows) % n_spans, len(parts))
    frame["span"] = pd.Categorical.from_codes(span, categories=pd.Index(spans.labels))
    frame["start"] = np.repeat(counts.start, len(parts))
    frame["end"] = np.repeat(counts.end, len(parts))
    for name in parts[0]:
        column = np.stack([np.broadcast_to(np.asarray(p[name], dtype=_DTYPES.get(name, "object")), rows)
                           for p in parts], axis=1).ravel()  # fmt: skip
        frame[name] = column if name in _DTYPES else pd.array(column, dtype="str")
    return frame


_DTYPES = dict.fromkeys((*_NUMBERS, "expected_if_equal", "chance_if_equal"), "float64") | {
    "n_groups": "int64"
}


def _notes(
    chosen: Sequence[InequalityMeasure], reference: Reference | None, ordered: bool, rule: Rule
) -> list[pd.DataFrame]:
    """Say what holds for all rows."""
    ids = {m.id for m in chosen}
    lifted = [m.id for m in chosen if m.never_negative and not (ordered and m.id in ("d", "r"))]
    notes = []
    if lifted:
        text = (
            f"Chance alone lifts {', '.join(lifted)}: groups that are all alike do not give 0, and the "
            "smaller they are the less so. Compare the estimate with expected_if_equal before you read it as "
            "inequality."
        )
        notes.append(_result.note("lifted_by_chance", "caution", text))
    if ids & {"d", "r"} and reference is None and not ordered:
        text = (
            "Difference and ratio compare the two extremes, chosen because they lie furthest apart; their "
            "intervals are those of two groups chosen beforehand and are too narrow."
        )
        notes.append(_result.note("extremes_are_selected", "caution", text))
    uses_best = ids & {"mdbu", "mdbw"} or (ids & {"par", "paf"} and reference is None and not ordered)
    if uses_best or rule.best_is_named:
        smallest = Reference(BEST).minimum if reference is None else reference.minimum
        text = (
            f"The best group is the best of those with at least {smallest} births. The best of several looks "
            "better than it is (the luckiest is chosen), so differences from it are somewhat too large."
        )
        notes.append(_result.note("best_is_selected", "caution", text))
    if (
        ids & {"par", "paf"}
        and rule.directed
        and not rule.best_is_named
        and (rule.named is not None or ordered)
    ):
        text = (
            "The attributable risk and fraction are cut off at 0 where the reference does worse than the "
            "mean: there is then nothing to gain from it."
        )
        notes.append(_result.note("attributable_risk_cut_off", "info", text))
    return notes
