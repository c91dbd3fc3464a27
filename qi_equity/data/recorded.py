"""Changes as a record of improvement work holds them, read as the phases of a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pandas as pd

from qi_equity import _result
from qi_equity.data import dates, frames, periods
from qi_equity.data.dated_rows import every_of, is_frame, place, text_or_none
from qi_equity.data.show import extent
from qi_equity.errors import InputTypeError, OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

__all__ = ["RecordedChanges"]

COLUMNS = ("start", "site", "group", "label", "reason")
CODES = ("no_recorded_change", "recorded_change_elsewhere", "recorded_change_outside")
"""Notes that only the reading of the records can make: a result that is made anew carries them on."""

_TEXTS = COLUMNS[1:]
_RECORDED = "recorded change"
_NONE = (
    "No change of {!r} is recorded. To have one, record the change that was implemented, with its date and "
    "the name of the measure."
)


@runtime_checkable
class RecordedChanges(Protocol):
    """What holds recorded changes: anything with a method ``phases``.

    Projects, sites and networks of :mod:`qi_equity.pdsa` are such, and so is any log of a team's own.
    It can be given where phases are asked for, as ``phases=`` of charts and ``at=`` of
    :func:`evaluate_change`.

    Examples
    --------
    >>> import pandas as pd
    >>> from qi_equity.data.recorded import RecordedChanges
    >>> class Diary:
    ...     def phases(self, measure: str, group: str | None = None) -> pd.DataFrame:
    ...         return pd.DataFrame({"start": ["2023-01-09"], "site": ["North"], "group": [None],
    ...                              "label": ["Risk tool"], "reason": ["Cycle 3: adopted"]})
    >>> isinstance(Diary(), RecordedChanges)
    True
    """

    def phases(self, measure: str, group: str | None = None) -> pd.DataFrame:
        """Give the changes of a measure that were implemented.

        Parameters
        ----------
        measure : str
            Name of the measure, as ``series.measure.name``.
        group : str, optional
            Only changes that reached this group. Default: all changes.

        Returns
        -------
        pandas.DataFrame
            One row a change: ``start`` (date, or text as 2024-03-31), ``site`` and ``group`` (empty: all),
            ``label``, ``reason``. Further columns are not read.

        Examples
        --------
        >>> import pandas as pd
        >>> class Diary:
        ...     def phases(self, measure: str, group: str | None = None) -> pd.DataFrame:
        ...         return pd.DataFrame({"start": ["2023-01-09"], "site": ["North"], "group": [None],
        ...                              "label": ["Risk tool"], "reason": ["Cycle 3: adopted"]})
        >>> Diary().phases("Third- and fourth-degree tears")["label"].tolist()
        ['Risk tool']
        """
        ...  # pragma: no cover


def is_recorded(given: Any, argument: str) -> bool:
    """Tell whether something holds recorded changes; a frame, whatever its columns, does not."""
    return (
        isinstance(given, RecordedChanges) and not isinstance(given, type) and not is_frame(given, argument)
    )


def as_phases(series: StratifiedSeries, given: Any, argument: str) -> tuple[Any, pd.DataFrame]:
    """Turn recorded changes into a frame of phases, with notes; leave all else as it was given.

    Raises
    ------
    InputTypeError
        If the records do not give a frame.
    ColumnError
        If that frame lacks a column.
    OptionError
        If the records are of several sites and the series has none.
    DataError
        If a date cannot be read, or a group is none of the series.
    """
    if not is_recorded(given, argument):
        return given, _result.notes([])
    table = _read(series, given, argument)
    recorded = len(table)
    table, elsewhere = _at_sites(series, table, argument)
    if not recorded:
        none = _result.note("no_recorded_change", "info", _NONE.format(series.measure.name))
        return table, _result.notes([none])
    table, outside = _within(series, table)
    return _one_a_period(series, table, argument), _result.notes([elsewhere, outside])


def as_changes(series: StratifiedSeries, given: Any, argument: str) -> Any:
    """Turn recorded changes into a frame of changes, whenever made; leave all else as it was given.

    Raises what :func:`as_phases` does, but for dates and groups, which are for the caller to check.
    """
    if not is_recorded(given, argument):
        return given
    table, _ = _at_sites(series, _read(series, given, argument), argument)
    return table.drop(columns="reason").rename(columns={"start": "date"})


def kept(notes: pd.DataFrame) -> pd.DataFrame:
    """Give the notes that a result made anew from the phases alone would lose."""
    return notes[notes["code"].isin(CODES)]


def _read(series: StratifiedSeries, recorded: RecordedChanges, argument: str) -> pd.DataFrame:
    """Read the five columns; a change without a name has its reason as one, one without a reason says so."""
    name = series.measure.name
    given = recorded.phases(name)
    told = f"{argument}: what phases({name!r}) of {type(recorded).__name__} gave"
    if not is_frame(given, told):
        raise InputTypeError(
            f"{told} is of type {type(given).__name__}; it must be a frame with columns {list(COLUMNS)}."
        )
    columns = frames.collect(given, list(COLUMNS), told)
    table = pd.DataFrame({"start": pd.Series(columns["start"])})
    for text in _TEXTS:
        table[text] = pd.Series([text_or_none(v) for v in columns[text]], index=table.index, dtype="object")
    label = table["label"].fillna(table["reason"]).fillna(_RECORDED)
    return table.assign(label=label, reason=table["reason"].fillna(_RECORDED))


def _at_sites(
    series: StratifiedSeries, table: pd.DataFrame, argument: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the changes of sites that the series has; without sites, those of the one site there is."""
    strata, nothing = series.cells.strata, _result.notes([])
    named = table["site"].dropna().unique().tolist()
    if "site" not in strata.columns:
        if len(named) > 1:
            raise OptionError(
                f"{argument} holds recorded changes of {len(named)} sites ({', '.join(named)}), but the "
                "series is not by site: give the records of one of them, or make the series by site "
                "(site=...)."
            )
        return table.drop(columns="site"), nothing
    here = (table["site"].isna() | table["site"].isin(strata["site"].astype("str"))).to_numpy(bool)
    if here.all():
        return table, nothing
    away = table[~here]
    text = (
        f"{len(away)} recorded change(s) of sites that the series does not have are left out: "
        f"{', '.join(away['site'].unique())}."
    )
    return table[here].reset_index(drop=True), _result.note("recorded_change_elsewhere", "info", text)


def _within(series: StratifiedSeries, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out changes with nothing of the series before them, or nothing from them on."""
    every = every_of(series)
    starts, _ = periods.read(table["start"], every)
    first, last = periods.start(series.cells.ends, every)
    early, late = starts <= first, starts > last
    if not (early | late).any():
        return table, _result.notes([])
    parts = [
        f"{what}: {', '.join(_names(series, table[mask]))}"
        for what, mask in (("no period lies before", early), ("no period lies after", late))
        if mask.any()
    ]
    text = f"Recorded changes start no phase, for the series {extent(series)}; {'; '.join(parts)}."
    note = _result.note("recorded_change_outside", "caution", text)
    return table[~(early | late)].reset_index(drop=True), note


def _names(series: StratifiedSeries, table: pd.DataFrame) -> list[str]:
    """Name changes by label, site and group (where said) and date."""
    days = _stamps(series, table["start"]).astype("datetime64[D]")
    where = table[[c for c in ("site", "group") if c in table]].to_numpy(object)
    return [
        f"{label!r} ({', '.join([*(v for v in at if v is not None), str(day)])})"
        for label, at, day in zip(table["label"], where, days, strict=True)
    ]


def _stamps(series: StratifiedSeries, column: pd.Series) -> Any:
    return dates.read(column, financial_years=every_of(series) == "financial-year").stamps


def _one_a_period(series: StratifiedSeries, table: pd.DataFrame, argument: str) -> pd.DataFrame:
    """Put changes that start in the same period of a stratum together; then the frame has a row a stratum."""
    strata = series.cells.strata
    absent = {c: None for c in strata.columns if c not in table}
    starts, row, stratum = place(series, table.assign(**absent), argument, "start")
    pairs = pd.DataFrame({"stratum": stratum, "period": starts[row], "row": row})
    if not pairs.duplicated(["stratum", "period"]).any():
        return table
    pairs["start"] = _stamps(series, table["start"])[row]
    pairs = pairs.assign(label=table["label"].to_numpy()[row], reason=table["reason"].to_numpy()[row])
    pairs = pairs.sort_values(["stratum", "start", "row"])
    joined = pairs.groupby(["stratum", "period"], as_index=False).agg(
        start=("start", "first"), label=("label", _joined), reason=("reason", _joined)
    )
    where = strata.iloc[joined["stratum"]].astype("str").reset_index(drop=True)
    return pd.concat([where, joined[["start", "label", "reason"]]], axis=1)


def _joined(texts: Sequence[str]) -> str:
    return " + ".join(dict.fromkeys(texts))
