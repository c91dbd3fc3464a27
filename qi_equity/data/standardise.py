"""Rates of each group as they would be with the case-mix of a standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import regroup
from qi_equity.data._standard import Chosen, Standard, choose
from qi_equity.data.cells import MISSING, SUPPRESSED, Bools, Floats, Ints, sum_strata
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import Over, Spans, spans
from qi_equity.data.standardised import StandardisedRates
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.rate_intervals import exact_rate_interval, ohid_rate_interval
from qi_equity.formulas.standardisation import FEWEST, direct_rate, expected_events

__all__ = ["make", "standardise"]

T = TypeVar("T", bound=StandardisedRates)

_INTERVALS = {"direct": ("dobson", "gamma"), "indirect": ("ohid", "exact")}


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where each of S strata belongs: one of R rows of the result, and one of J strata of case-mix."""

    rows: pd.DataFrame
    row: Ints
    mix: pd.DataFrame
    place: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Events and births of R rows, J strata of case-mix and K spans; NaN where missing or suppressed."""

    x: Floats
    n: Floats


def standardise(
    series: StratifiedSeries,
    by: str | Sequence[str],
    standard: Standard = "all",
    method: Literal["direct", "indirect"] = "direct",
    interval: str | None = None,
    over: Over = "period",
    merge: bool = False,
    confidence: float = 0.95,
) -> StandardisedRates:
    """Standardise the rates of a series; see the method of the series."""
    _validate.one_of("method", method, list(_INTERVALS))
    _validate.number("confidence", confidence, above=0, below=1)
    if not isinstance(merge, bool | np.bool_):
        raise InputTypeError(f"merge={merge!r} is of type {type(merge).__name__}; give True or False.")
    columns = _check(series, by, method, merge)
    options = {
        "by": columns,
        "standard": standard,
        "method": method,
        "interval": _validate.one_of(
            "interval", _INTERVALS[method][0] if interval is None else interval, _INTERVALS[method]
        ),
        "merge": bool(merge),
        "confidence": confidence,
    }
    return make(StandardisedRates, spans(series, over), options)


def make(cls: type[T], summed: Spans, options: Mapping[str, Any]) -> T:
    """Make the rates from counts over spans; see the method of the series for the options."""
    series, method = summed.series, options["method"]
    layout = _layout(series, options["by"])
    chosen = choose(series, options["standard"], layout.mix, layout.place, method)
    together, partial = _rows(summed, layout)
    block = _block(summed, layout)
    merged = _merged(block.n, chosen.weights) if options["merge"] else np.zeros(len(layout.mix), dtype=bool)
    ratio, rate, expected, kept = _reckon(block, chosen, merged, options)
    reason = _reasons(block, kept, chosen, together, rate, method)
    numbers = {
        "events": together.cells.numerator,
        "births": together.cells.denominator,
        "crude": together.cells.value,
        "standardised": rate.estimate,
        "lower": rate.lower,
        "upper": rate.upper,
        "expected": expected,
        "ratio": ratio.estimate,
        "ratio_lower": ratio.lower,
        "ratio_upper": ratio.upper,
        "reason": reason,
    }
    said = {name: options[name] for name in ("method", "interval", "confidence", "merge")}
    mix = layout.mix.assign(weight=chosen.weights, rate=chosen.rates, merged=merged)
    return cls(
        spans=summed,
        options=options,
        method={**series.method, "standardised": {**said, "standard": chosen.text, "mix": mix}, **library()},
        _table=together.frame(numbers),
        _notes=_result.notes(
            [
                together.notes,
                regroup.sum_notes(together.cells, partial, "span"),
                *_notes(layout, block, chosen, merged, reason, method),
            ],
            [c for c in layout.rows.columns if c not in ("site", "group")],
        ),
    )


def _check(series: StratifiedSeries, by: str | Sequence[str], method: str, merge: bool) -> tuple[str, ...]:
    columns = _validate.names("by", by)
    if not columns:
        raise OptionError("by=[] names no column; give the columns of the case-mix, such as by=['age'].")
    for name in columns:
        _validate.one_of("by", name, list(series.cells.strata.columns))
    if series.measure.kind not in ("proportion", "rate"):
        raise OptionError(
            f"standardise() is not possible for {series.measure.name!r} of kind {series.measure.kind!r}: it "
            "needs events among births; use it for a proportion or a rate."
        )
    if "group" in columns:
        regroup.refuse_overlap(series, f"standardise(by={list(columns)})")
    if merge and method == "indirect":
        raise OptionError(
            "merge=True is not needed with method='indirect': a stratum without births adds nothing to the "
            "expected events; leave it out."
        )
    return columns


def _layout(series: StratifiedSeries, columns: tuple[str, ...]) -> _Layout:
    strata = series.cells.strata
    rest = strata.drop(columns=list(columns))
    if "group" in columns:
        rest = rest.assign(group=pd.Categorical([regroup.ALL_GROUPS] * len(strata)))
        rest = rest[[c for c in strata.columns if c in rest]]
    row, rows = regroup.distinct(rest)
    place, mix = regroup.distinct(strata[list(columns)])
    return _Layout(rows, row, mix, place)


def _rows(summed: Spans, layout: _Layout) -> tuple[Spans, Bools]:
    """Sum over the case-mix; the spans of its strata must be the same."""
    cells, partial = sum_strata(summed.cells, layout.row, layout.rows, summed.series.measure.kind)
    start, end = (_one(days, layout) for days in (summed.start, summed.end))
    n_periods = np.zeros(start.shape, dtype=np.int64)
    np.maximum.at(n_periods, layout.row, summed.n_periods)
    return replace(
        summed, series=replace(summed.series, cells=cells), start=start, end=end, n_periods=n_periods
    ), partial


def _one(days: NDArray[np.datetime64], layout: _Layout) -> NDArray[np.datetime64]:
    """Give the day of each row; refuse phases that differ within one case-mix."""
    first = np.full((len(layout.rows), days.shape[1]), np.datetime64("NaT", "us"))
    np.fmin.at(first, layout.row, days)
    if (~np.isnat(days) & (days != first[layout.row])).any():
        raise OptionError(
            "over= gives strata of one case-mix different phases, which cannot be put together; give phases "
            "that are the same for all labels of the columns in by=."
        )
    return first


def _block(summed: Spans, layout: _Layout) -> _Block:
    """Lay out events and births; a stratum that never reports, or is in no row of the data, has no births."""
    cells = summed.cells
    never = (cells.status == MISSING).all(axis=1, keepdims=True)
    withheld = ~cells.reported & ~never
    shape = (len(layout.rows), len(layout.mix), cells.status.shape[1])
    x, n = np.zeros(shape), np.zeros(shape)
    for block, counts, unknown in (
        (x, cells.numerator, withheld),
        (n, cells.denominator, withheld & (cells.status == MISSING)),
    ):
        block[layout.row, layout.place] = np.where(never, 0, np.where(unknown, np.nan, counts))
    return _Block(x, n)


def _merged(n: Floats, weights: Floats) -> Bools:
    """Choose the strata of case-mix to take together: all that a row lacks, and the smallest until none does.

    The same for all rows and spans, so that all are standardised alike.
    """
    there = _somewhere(n)
    together: Bools = ((n == 0) & there[:, np.newaxis]).any(axis=(0, 2)) & (weights > 0)
    if not together.any():
        return together
    for j in np.argsort(weights, kind="stable"):
        lacking = (n[:, together].sum(axis=1) == 0) & there
        if not lacking.any():
            break
        together[j] |= weights[j] > 0
    return together


def _somewhere(n: Floats) -> Bools:
    """Tell which rows have births in a span, whatever their case-mix, shape (R, K)."""
    there: Bools = np.nanmax(n, axis=1, initial=0) > 0
    return there


def _reckon(
    block: _Block, chosen: Chosen, merged: Bools, options: Mapping[str, Any]
) -> tuple[Interval, Interval, Floats, Bools]:
    """Give the ratio and the rate with intervals, and expected events (R, K); which cells lack a stratum."""
    x, n, w = (_join(a, merged, axis) for a, axis in ((block.x, 1), (block.n, 1), (chosen.weights, 0)))
    x, n = (np.moveaxis(a, 1, -1) for a in (x, n))
    lacking: Bools = ((n == 0) & (w > 0)).any(axis=-1)
    interval, confidence = options["interval"], options["confidence"]
    if options["method"] == "direct":
        rate = direct_rate(x, n, w, confidence=confidence, interval=interval)
        none = np.full(rate.estimate.shape, np.nan)
        return Interval(none, none, none), rate, none, lacking
    expected = expected_events(n, chosen.rates)
    ends = ohid_rate_interval if interval == "ohid" else exact_rate_interval
    ratio = ends(x.sum(axis=-1), expected, confidence=confidence)
    overall = chosen.overall
    rate = Interval(ratio.estimate * overall, ratio.lower * overall, ratio.upper * overall)
    return ratio, rate, expected, lacking


def _join(block: Floats, merged: Bools, axis: int) -> Floats:
    """Put the strata to be merged into one, at the end."""
    if not merged.any():
        return block
    whole = np.compress(~merged, block, axis=axis)
    return np.concatenate([whole, np.compress(merged, block, axis=axis).sum(axis=axis, keepdims=True)], axis)


def _reasons(
    block: _Block, lacking: Bools, chosen: Chosen, together: Spans, rate: Interval, method: str
) -> NDArray[np.object_]:
    """Say of each cell why a number is not given; empty where all are."""
    status, births = together.cells.status, together.cells.denominator
    unknown = np.isnan(block.x).any(axis=1) | np.isnan(block.n).any(axis=1)
    strange = ((block.n > 0) & np.isnan(chosen.rates)[:, np.newaxis]).any(axis=1) & (method == "indirect")
    few = np.isfinite(rate.estimate) & np.isnan(rate.lower)
    choices = [
        (status == SUPPRESSED, "suppressed"),
        (status == MISSING, "missing"),
        (births == 0, "no births"),
        (unknown & np.isnan(rate.estimate), "a stratum of the case-mix is missing"),
        (lacking & (method == "direct"), "a stratum of the case-mix is without births"),
        (strange, "the standard has no rate for a stratum of the case-mix"),
        (few, f"fewer than {FEWEST} events: no Dobson interval"),
    ]
    masks, texts = zip(*choices, strict=True)
    return np.asarray(np.select(masks, texts, ""), dtype=object)


def _notes(
    layout: _Layout, block: _Block, chosen: Chosen, merged: Bools, reason: NDArray[np.object_], method: str
) -> list[pd.DataFrame]:
    """Say what was lacking, what was merged and what the standard is."""
    names = layout.mix.astype("str").agg(" · ".join, axis=1).to_numpy()
    parts = [_result.note("standard", "info", f"The standard is: {chosen.text}.")]
    if chosen.in_part:
        text = "Some counts of the standard are missing; it is of what was reported."
        parts.append(_result.note("standard_in_part", "caution", text))
    if method == "indirect":
        text = (
            "Each ratio weights the standard's rates by the group's own case-mix: compare a group with the "
            "standard, not one group's ratio with another's."
        )
        parts.append(_result.note("indirect_not_comparable", "caution", text))
        if np.isnan(chosen.overall):
            text = "The standard was given as rates without births, so there is no standardised rate."
            parts.append(_result.note("no_standard_rate", "info", text))
    if merged.any():
        text = f"Taken together as one stratum of the case-mix: {', '.join(names[merged])}."
        parts.append(_result.note("merged", "info", text))
    if method == "direct":
        parts.append(_lacking(layout, block, names, (chosen.weights > 0) & ~merged))
    few = (reason == f"fewer than {FEWEST} events: no Dobson interval").sum(axis=1)
    said = (
        "In " + pd.Series(few[few > 0]).astype("str") + f" of {reason.shape[1]} spans there are fewer than "
    )
    said += f"{FEWEST} events, too few for this interval; interval='gamma' gives one."
    parts.append(_result.note("few_events", "caution", said.tolist(), layout.rows[few > 0]))
    return parts


def _lacking(layout: _Layout, block: _Block, names: NDArray[Any], weighed: Bools) -> pd.DataFrame:
    """Name the strata of the standard that a row lacks in a span in which it has births."""
    there = _somewhere(block.n)
    lacks = (block.n == 0) & there[:, np.newaxis] & weighed[:, np.newaxis]
    row, mix = np.nonzero(lacks.any(axis=2))
    which = pd.Series(names[mix]).groupby(row).agg(", ".join)
    spans_ = pd.Series(lacks.any(axis=1).sum(axis=1)[which.index.to_numpy()].astype(str), which.index)
    text = "In " + spans_ + f" of {block.n.shape[2]} spans no births in: " + which
    text += ". No rate is given there; longer spans or merge=True would."
    return _result.note("no_births_in_stratum", "caution", text.tolist(), layout.rows.iloc[which.index])
