"""The counts of all groups of a place side by side, and what is said of the groups that have no part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result
from qi_equity.data import regroup
from qi_equity.data.cells import MISSING, Bools, Floats
from qi_equity.data.spans import Spans
from qi_equity.data.unknown import is_unknown, unknown_groups
from qi_equity.errors import OptionError
from qi_equity.formulas.inequality_draws import sampling_chance

__all__ = ["MOST_LACKING", "GroupCounts", "side_by_side"]

# With a larger share of the groups missing or suppressed no measure is given, as in WHO's toolkit.
MOST_LACKING = 0.15

_FIELDS = ("numerator", "denominator", "value", "sd")


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """Counts of G groups in R rows, one for each place (site and further strata) and span.

    Parameters
    ----------
    kind : str
        Kind of the measure.
    places : pandas.DataFrame, U rows
        Site and further strata, without the group.
    groups : tuple of str, of length G
        The groups that are known, in declared order.
    numerator, denominator, value, sd, errors : ndarray of float, shape (R, G)
        Rows run over the spans of the first place, then of the next. NaN in the value for a group that has no
        part: without births, missing, suppressed, or in a row that is not computed. ``errors`` are standard
        errors of the values.
    whole : ndarray of float, shape (R, G)
        Births of each group over all spans of its place.
    why_not : ndarray of str, shape (R,)
        Why a row is not computed; empty if it is.
    n_groups : ndarray of int, shape (R,)
        Groups that have a part.
    notes : list of pandas.DataFrame
        What the reader must know of the groups that have none.
    """

    kind: str
    places: pd.DataFrame
    groups: tuple[str, ...]
    numerator: Floats
    denominator: Floats
    value: Floats
    sd: Floats
    errors: Floats
    whole: Floats
    why_not: NDArray[np.str_]
    n_groups: NDArray[np.int64]
    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    notes: list[pd.DataFrame]

    @property
    def unsure(self) -> Bools:
        """Rows with a group whose sampling error is not known, so that nothing can be drawn, shape (R,)."""
        return np.asarray((np.isnan(self.errors) & ~np.isnan(self.value)).any(axis=1))


def side_by_side(spans: Spans) -> GroupCounts:
    """Put the groups whose names are known side by side.

    Raises
    ------
    OptionError
        If the groups of a place have different spans.
    """
    series, cells = spans.series, spans.cells
    unknown = is_unknown(series)
    named = [g for g in series.groups if g not in unknown_groups(series)]
    places, row = _places(spans, unknown, named)
    there = (row >= 0)[:, None, :]

    def block(values: NDArray[Any], absent: Any) -> NDArray[Any]:
        found: NDArray[Any] = np.where(there, np.moveaxis(values[row], 1, 2), absent)
        return found.reshape(-1, len(named))

    parts = {name: block(getattr(cells, name), np.nan) for name in _FIELDS}
    start, end = (block(days, np.datetime64("NaT", "us")) for days in (spans.start, spans.end))
    _check_same_spans(start, end)
    status = block(cells.status, MISSING)
    reported = block(cells.reported, False).astype(np.bool_)
    n_spans = len(spans.labels)
    # Of each place by itself, so that it is alone what it is among others.
    missing = (status == MISSING).reshape(len(places), n_spans, -1)
    never = np.repeat(missing.all(axis=1), n_spans, axis=0)
    whole = np.where(reported, np.nan_to_num(parts["denominator"]), 0.0).reshape(len(places), n_spans, -1)
    used = reported & (parts["denominator"] > 0) & np.isfinite(parts["value"])
    lacking = ~reported & ~never
    why_not = _why_not(used, lacking)
    apart = {"never": never, "empty": reported & ~used, "lacking": lacking & (why_not == "")[:, None]}
    value = np.where(used & (why_not == "")[:, None], parts["value"], np.nan)
    return GroupCounts(
        kind=series.measure.kind,
        places=places,
        groups=tuple(named),
        **parts | {"value": value},
        errors=np.where(np.isnan(value), np.nan, _errors(series.measure.kind, parts)),
        whole=np.repeat(whole.sum(axis=1), n_spans, axis=0),
        why_not=why_not,
        n_groups=used.sum(axis=1),
        start=np.fmin.reduce(start, axis=1),
        end=np.fmax.reduce(end, axis=1),
        notes=[_unknown_note(spans, unknown), *_notes(places, named, apart, why_not)],
    )


def _notes(
    places: pd.DataFrame, named: list[str], apart: Mapping[str, Bools], why_not: NDArray[Any]
) -> list[pd.DataFrame]:
    """Say which groups are in no measure, and where none is given."""
    spans_of = np.repeat(np.arange(len(places)), len(why_not) // len(places))
    return [
        _named_note(places, spans_of, named, apart["never"], "never_reported", "caution", _NEVER),
        _named_note(places, spans_of, named, apart["empty"], "without_births", "info", _EMPTY),
        _named_note(places, spans_of, named, apart["lacking"], "left_out", "caution", _LACK),
        _not_computed_note(places, spans_of, why_not),
    ]


_NEVER = "Nothing was ever reported for {}: the measures of inequality are without this group."
_EMPTY = "{} had no births in {}: the measures of inequality there are without this group."
_LACK = "{} is missing or suppressed in {}: the measures of inequality there are without this group."


def _places(spans: Spans, unknown: Bools, named: list[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Give the places, and the stratum of each place and named group, shape (U, G); -1 for none."""
    strata = spans.cells.strata
    of_place, places = regroup.distinct(strata.drop(columns="group"))
    column = pd.Index(named).get_indexer(pd.Index(strata["group"].astype("str")))
    row = np.full((len(places), len(named)), -1, dtype=np.int64)
    row[of_place[~unknown], column[~unknown]] = np.flatnonzero(~unknown)
    return places, row


def _errors(kind: str, parts: dict[str, Floats]) -> Floats:
    """Give the standard errors of the groups' values."""
    x, n = parts["numerator"], np.where(parts["denominator"] > 0, parts["denominator"], np.nan)
    if kind == "mean":
        return parts["sd"] / np.sqrt(n)
    chance = sampling_chance(x, n, repeatable=kind == "rate")
    return np.sqrt(chance / n if kind == "rate" else chance * (1 - chance) / n)


def _check_same_spans(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> None:
    """Refuse spans that differ between the groups of a place: their inequality would be one of time too."""
    for days in (start, end):
        first = np.fmin.reduce(days, axis=1)[:, None]
        if ((days != first) & ~np.isnat(days)).any():
            raise OptionError(
                "over= gives the groups of a site different spans, which cannot be compared; give all "
                "groups of a site the same dates."
            )


def _why_not(used: Bools, lacking: Bools) -> NDArray[np.str_]:
    """Say of each row why no measure is given."""
    n, lost = used.sum(axis=1), lacking.sum(axis=1)
    text = pd.Series(lost).astype("str") + " of " + pd.Series(n + lost).astype("str")
    too_many = (text + f" groups missing or suppressed, more than {MOST_LACKING:.0%}").to_numpy(dtype=str)
    few = "fewer than two groups with births"
    return np.where(lost > MOST_LACKING * (n + lost), too_many, np.where(n < 2, few, "")).astype(str)


def _unknown_note(spans: Spans, unknown: Bools) -> pd.DataFrame:
    """Say how many births, with how many events, are in no measure because the group is not known."""
    cells = spans.cells
    unknown = unknown & (~cells.reported | (cells.denominator > 0)).any(axis=1)
    unknown &= (cells.status != MISSING).any(axis=1)
    if not unknown.any():
        return _result.notes([])
    births, events = (
        np.where(cells.reported, np.nan_to_num(block), 0.0)[unknown].sum(axis=1)
        for block in (cells.denominator, cells.numerator)
    )
    withheld = (~cells.reported)[unknown].any(axis=1)
    counted = spans.series.measure.kind != "mean"
    said = pd.Series(births).map("{:.0f} births".format)
    said += pd.Series(events).map(" ({:.0f} events)".format) if counted else ""
    said += np.where(withheld, " that are reported", "")
    text = said + " to women of unknown group are not in the measures of inequality."
    return _result.note("unknown_group_left_out", "caution", text.tolist(), cells.strata[unknown])


def _named_note(
    places: pd.DataFrame,
    of_place: NDArray[np.int64],
    named: list[str],
    which: Bools,
    code: str,
    severity: _result.Severity,
    text: str,
) -> pd.DataFrame:
    """Name the groups of each place that have no part in some spans."""
    count = np.zeros((len(places), len(named)), dtype=np.int64)
    np.add.at(count, of_place, which)
    place, group = np.nonzero(count)
    if not place.size:
        return _result.notes([])
    names, spans = pd.Series(named).iloc[group], len(which) // len(places)
    how_many = pd.Series(count[place, group]).astype("str") + f" of {spans} spans"
    said = [text.format(g, n) for g, n in zip(names, how_many, strict=True)]
    strata = places.iloc[place].reset_index(drop=True).assign(group=names.to_numpy())
    return _result.note(code, severity, said, strata)


def _not_computed_note(
    places: pd.DataFrame, of_place: NDArray[np.int64], why_not: NDArray[np.str_]
) -> pd.DataFrame:
    """Say of each place in how many spans no measure is given."""
    count = np.bincount(of_place, weights=why_not != "", minlength=len(places)).astype(np.int64)
    some = np.flatnonzero(count)
    if not some.size:
        return _result.notes([])
    text = "In " + pd.Series(count[some]).astype("str") + f" of {len(why_not) // len(places)} spans "
    text += "too few groups are reported for a measure of inequality: it is not yet visible."
    strata = places.iloc[some] if len(places.columns) else None
    return _result.note("not_computed", "caution", text.tolist() if strata is not None else text[0], strata)
