"""Series from series: groups, sites, further strata and periods taken together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import periods
from qi_equity.data.cells import MISSING, SUPPRESSED, Bools, Cells, sum_periods, sum_strata, tidy_strata
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

ALL_GROUPS = "All groups"

_SHOWN = 5


def total(series: StratifiedSeries) -> StratifiedSeries:
    """Sum over the groups."""
    refuse_overlap(series, "total()")
    keys = series.cells.strata.assign(group=pd.Categorical([ALL_GROUPS] * len(series.cells.strata)))
    return replace(_fold(series, keys, "total()", {"step": "total"}), grouping=None)


def pool(series: StratifiedSeries, over: str | Sequence[str]) -> StratifiedSeries:
    """Sum over columns of the strata other than the group."""
    allowed = [c for c in series.cells.strata.columns if c != "group"]
    wanted = _validate.names("over", over)
    if "group" in wanted:
        raise OptionError("over='group' is not for pool(); use total() to sum over the groups.")
    if not allowed:
        raise OptionError(f"over={over!r} cannot be pooled: the series has neither sites nor further strata.")
    for name in wanted:
        _validate.one_of("over", name, allowed)
    keys = series.cells.strata.drop(columns=list(wanted))
    return _fold(series, keys, "pool()", {"step": "pool", "over": list(wanted)})


def collapse(series: StratifiedSeries, grouping: str) -> StratifiedSeries:
    """Sum the groups of one grouping of the scheme into those of another."""
    refuse_overlap(series, "collapse()")
    if series.scheme is None or series.grouping is None:
        raise OptionError(
            f"grouping={grouping!r} cannot be reached: the groups of this series belong to no grouping of a "
            "scheme; name the scheme when the series is made."
        )
    if _validate.one_of("grouping", grouping, series.scheme.groupings) == series.grouping:
        return series
    labels = series.scheme.groups(grouping)
    roll_up = series.scheme.roll_up(series.grouping, grouping)
    group = series.cells.strata["group"]
    targets = [roll_up[label] for label in group.cat.categories]
    codes = np.array([labels.index(t) for t in targets])[group.cat.codes.to_numpy()]
    keys = series.cells.strata.assign(group=pd.Categorical.from_codes(codes, categories=pd.Index(labels)))
    step = {"step": "collapse", "from": series.grouping, "to": grouping}
    result = _fold(series, keys, "collapse()", step)
    notes = _result.notes([result.notes, _collapsed_in_part(roll_up, group.cat.categories.tolist())])
    return replace(result, grouping=grouping, _notes=notes)


def resample(series: StratifiedSeries, every: str) -> StratifiedSeries:
    """Sum periods into longer ones."""
    refuse_between(series, "resample()")
    refuse_unknown_sizes(series, "resample()")
    source: Any = series.every
    to = periods.check_every(every)
    if not periods.nests(source, to):
        fits = [e for e in periods.EVERY if periods.nests(source, e)]
        raise OptionError(f"every={to!r} cannot be made of periods of {source!r}; use one of {fits}.")
    if series.window > 1:
        return _windows(series, to)
    if to == source:
        return series
    numbers = periods.ordinal(series.cells.periods, to)
    whole, codes = np.unique(numbers, return_inverse=True)
    starts = periods.from_ordinal(whole, to)
    cells, partial = sum_periods(series.cells, codes, starts, series.measure.kind)
    parts = [series.notes, sum_notes(cells, partial, to), _ends(series, starts, to)]
    return _after(series, cells, parts, {"step": "resample", "from": source, "to": to}, every=to)


def refuse_between(series: StratifiedSeries, what: str) -> None:
    """Refuse what sums, for times between events."""
    if series.measure.kind == "between":
        raise OptionError(
            f"{what} is not possible for {series.measure.name!r}: times between events cannot be summed; "
            "make the series again from the records with the strata wanted."
        )


def refuse_overlap(series: StratifiedSeries, what: str) -> None:
    """Refuse what sums over groups, where a woman may be in several groups."""
    if series.scheme is not None and series.scheme.overlapping:
        raise OptionError(
            f"{what} is not possible for groups of scheme={series.scheme.id!r}: a woman may be in several "
            "of them, so a sum would count her more than once; use a scheme whose groups do not overlap."
        )


def refuse_window(series: StratifiedSeries, what: str) -> None:
    """Refuse what sums over periods, where the periods overlap."""
    if series.window > 1 and len(series.cells.dates) > 1:
        raise OptionError(
            f"{what} is not possible with window={series.window}: neighbouring periods share births, so a "
            "sum over periods would count them more than once; resample() keeps windows that do not overlap."
        )


def refuse_unknown_sizes(series: StratifiedSeries, what: str) -> None:
    """Refuse what combines means, where it is not known how many values each is of."""
    cells = series.cells
    if series.measure.kind == "mean" and (np.isfinite(cells.value) & ~np.isfinite(cells.denominator)).any():
        raise OptionError(
            f"{what} is not possible for means of {series.measure.name!r} without the number of values in "
            "each; name that column as denominator when the series is made."
        )


def _fold(series: StratifiedSeries, keys: pd.DataFrame, what: str, step: dict[str, Any]) -> StratifiedSeries:
    """Sum the strata that have the same key."""
    refuse_between(series, what)
    refuse_unknown_sizes(series, what)
    codes, strata = distinct(keys)
    cells, partial = sum_strata(series.cells, codes, strata, series.measure.kind)
    parts = [
        series.notes,
        sum_notes(cells, partial, series.every),
        _never_reported(series.cells, cells, codes),
    ]
    return _after(series, cells, parts, step)


def distinct(keys: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Find the distinct rows of categorical columns, in declared order; give each row's number, and them."""
    code = np.zeros(len(keys), dtype=np.int64)
    for name in keys.columns:
        code = code * len(keys[name].cat.categories) + keys[name].cat.codes.to_numpy()
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return inverse, tidy_strata(keys.iloc[first])


def _after(
    series: StratifiedSeries,
    cells: Cells,
    notes: Sequence[pd.DataFrame],
    step: dict[str, Any],
    *,
    every: str = "",
) -> StratifiedSeries:
    """Give the series with new cells, its notes, and the step written into its method."""
    method = {**series.method, "steps": [*series.method.get("steps", []), step]}
    every = every or series.every
    return replace(series, cells=cells, _notes=_result.notes(notes), method=method, every=every)


def _windows(series: StratifiedSeries, to: Any) -> StratifiedSeries:
    """Keep the windows that cover one longer period each; a window is named by its last period."""
    source: Any = series.every
    exact = _exact(series, to)
    if not exact.any():
        fits = [e for e in periods.EVERY if periods.nests(source, e) and _exact(series, e).any()]
        raise OptionError(
            f"every={to!r} is not possible with window={series.window}: no window of {series.window} periods "
            f"of {source!r} in these data is exactly one {to}; windows that overlap cannot be summed."
            + (f" Possible here: {', '.join(f'every={e!r}' for e in fits)}." if fits else "")
        )
    kept = series.cells.take(np.arange(len(series.cells.strata)), exact)
    cells = replace(kept, periods=periods.start(kept.periods, to))
    step = {"step": "resample", "from": source, "to": to, "window": series.window}
    return replace(_after(series, cells, [series.notes], step, every=to), window=1)


def _exact(series: StratifiedSeries, to: Any) -> Bools:
    """Tell which windows cover exactly one longer period, shape (T,)."""
    source: Any = series.every
    last = periods.ordinal(series.cells.periods, source)
    before, first, whole, after = (
        periods.ordinal(periods.from_ordinal(last + k, source), to)
        for k in (-series.window, 1 - series.window, 0, 1)
    )
    exact: Bools = (before == whole - 1) & (first == whole) & (after == whole + 1)
    return exact


def sum_notes(cells: Cells, partial: Bools, every: str) -> pd.DataFrame:
    """Say of each stratum how many of its sums lack a part, or are withheld."""
    partly = "a part was missing: the sum is over what was reported."
    withheld = "a part is suppressed, so the sum is not known."
    return _result.notes(
        [
            _counted(cells, partial, "partly_missing", every, partly),
            _counted(cells, cells.status == SUPPRESSED, "suppressed_in_sum", every, withheld),
        ]
    )


def _counted(cells: Cells, mask: Bools, code: str, every: str, text: str) -> pd.DataFrame:
    count = mask.sum(axis=1)
    some = np.flatnonzero(count)
    said = "In " + pd.Series(count[some]).astype("str") + f" of {mask.shape[1]} {every}s {text}"
    return _result.note(code, "caution", said.tolist(), cells.strata.iloc[some])


def _never_reported(before: Cells, after: Cells, codes: NDArray[np.int64]) -> pd.DataFrame:
    """Name the strata without any count that went into a sum with others that have some."""
    never = (before.status == MISSING).all(axis=1) & ~(after.status == MISSING).all(axis=1)[codes]
    if not never.any():
        return _result.notes([])
    shown = before.strata[never].head(_SHOWN).astype("str")
    names = "; ".join(" · ".join(row) for row in shown.to_numpy().tolist())
    more = f"; and {int(never.sum()) - _SHOWN} more" if never.sum() > _SHOWN else ""
    return _result.note(
        "never_reported",
        "caution",
        f"Nothing was reported, in any period, for: {names}{more}. The sums are without them.",
    )


def _collapsed_in_part(roll_up: Mapping[str, str], present: Sequence[str]) -> pd.DataFrame:
    absent = [label for label in roll_up if label not in set(present)]
    reached = {roll_up[label] for label in present}
    parts = [f"{roll_up[label]} is without {label}" for label in absent if roll_up[label] in reached]
    if not parts:
        return _result.notes([])
    return _result.note(
        "collapsed_in_part", "caution", f"Groups that were not in the series: {'; '.join(parts)}."
    )


def _ends(series: StratifiedSeries, starts: NDArray[np.datetime64], to: Any) -> pd.DataFrame:
    """Name the first and last period where the data cover them only in part."""
    source: Any = series.every
    first, last = series.cells.periods[[0]], series.cells.periods[[-1]]
    said = []
    if starts[0] < first[0]:
        said.append(f"{periods.labels(starts[[0]], to)[0]} starts with {periods.labels(first, source)[0]}")
    if periods.end(last, source)[0] < periods.end(starts[[-1]], to)[0]:
        said.append(f"{periods.labels(starts[[-1]], to)[0]} ends with {periods.labels(last, source)[0]}")
    if not said:
        return _result.notes([])
    text = (
        f"The data cover part of the outermost periods: {', and '.join(said)}. Their counts are of that part."
    )
    return _result.note("partial_period", "caution", text)
