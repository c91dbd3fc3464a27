"""From tables of counts to a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import count_checks, frames, groups, intake, periods, strata
from qi_equity.data.bad_rows import BadRows, row_labels
from qi_equity.data.cells import OBSERVED, Cells
from qi_equity.data.marks import Numbers, read_numbers
from qi_equity.data.measure import Measure
from qi_equity.data.periods import DateOrder, Every
from qi_equity.data.scheme import Scheme
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.strata import Keys
from qi_equity.errors import DataError, OptionError

__all__ = ["from_counts"]

_ROLES = ("numerator", "denominator", "value", "sd", "range")
# What each kind of measure needs and may have.
_NUMBERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "proportion": (("numerator", "denominator"), ()),
    "rate": (("numerator", "denominator"), ()),
    "count": (("numerator",), ("denominator",)),
    "mean": (("value",), ("sd", "range", "denominator")),
}


def from_counts(
    counts: Any,
    measure: Measure,
    *,
    period: str,
    numerator: str | None = None,
    denominator: str | None = None,
    value: str | None = None,
    sd: str | None = None,
    range: str | None = None,
    group: str | None = None,
    site: str | None = None,
    by: str | Sequence[str] = (),
    every: Every = "month",
    window: int = 1,
    scheme: str | Scheme | None = None,
    date_order: DateOrder | None = None,
) -> StratifiedSeries:
    """Make a series from a table of counts: one row for each period, group and site.

    Counts may be text with thousands separators. ``*``, ``<5``, ``[c]``, ``-`` and ``:`` are suppressed
    counts (never zero); an empty cell is a missing one. Periods without a row are missing.

    Parameters
    ----------
    counts : frame
        pandas, polars (eager or lazy), pyarrow, DuckDB, PySpark: any that narwhals reads. It is not changed.
    measure : Measure
        What is measured. A proportion and a rate need ``denominator``; a mean needs ``value`` in place of
        ``numerator``.
    period : str
        Column of the period: dates inside it, or labels such as ``2024-03``, ``Mar-2024``, ``2024 Q1``,
        ``2023-24``. With ``window`` it names the last period that the row covers.
    numerator, denominator : str, optional
        Columns of events and of births (or exposure; with ``value``, the size of the subgroup).
    value, sd, range : str, optional
        Columns of the mean, the standard deviation and the range (greatest less smallest) of a measurement.
    group, site : str, optional
        Columns of the ethnic (or other) group and of the site. Without ``group`` there is one group "All".
    by : str or sequence of str
        Columns of further strata.
    every : {"day", "week", "month", "quarter", "year", "financial-year"}
        Length of a period.
    window : int
        Number of periods that one row covers, such as 12 for rolling years published monthly.
    scheme : str or Scheme, optional
        Scheme of the groups: the grouping whose labels (or codes) are in the table is found; declared groups
        that are not in it are missing. Default: the groups as they are labelled, in natural order.
    date_order : {"day-first", "month-first"}, optional
        How text such as ``03/04/2024`` is meant, if the column does not tell.

    Returns
    -------
    StratifiedSeries
        Counts by site, group, further strata and period.

    Raises
    ------
    DataError
        If rows cannot be used; all of them are in ``bad_rows``, each with its ``problem``.
    ColumnError, OptionError, InputTypeError
        If a column is not there, an option is not allowed, or the frame is none.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> table = pd.DataFrame({
    ...     "month": ["Jan-2024", "Jan-2024", "Feb-2024", "Feb-2024"],
    ...     "ethnic_group": ["Black", "White", "Black", "White"],
    ...     "pph": ["<5", "31", "6", "28"],
    ...     "births": ["140", "1,020", "151", "998"],
    ... })
    >>> series = qe.from_counts(
    ...     table, qe.measures["pph_1500"], period="month", numerator="pph", denominator="births",
    ...     group="ethnic_group",
    ... )
    >>> series.data[["group", "period", "numerator", "status"]]
       group     period  numerator      status
    0  Black 2024-01-01        NaN  suppressed
    1  Black 2024-02-01        6.0    observed
    2  White 2024-01-01       31.0    observed
    3  White 2024-02-01       28.0    observed
    """
    intake.check_measure(measure)
    numbers = {"numerator": numerator, "value": value, "sd": sd, "range": range, "denominator": denominator}
    _check_numbers_fit(measure, {role: column for role, column in numbers.items() if column is not None})
    groups.check_given(scheme, group)
    periods.check_every(every)
    periods.check_date_order(date_order)
    window = _validate.whole_number("window", window, at_least=1)
    columns = intake.roles({"period": period, "group": group, "site": site, **numbers}, by)
    loaded = scheme if scheme is None else groups.load_scheme(scheme)
    table = frames.to_pandas(frames.open_frame(counts, "counts", columns))
    if not len(table):
        raise DataError("counts has no rows; give one for each period, group and site.")
    table = table.set_axis(row_labels(counts, len(table)))
    rows = _read_rows(table, columns, measure, loaded, every, date_order)
    return StratifiedSeries(
        measure=measure,
        scheme=loaded,
        grouping=rows.grouping,
        every=every,
        window=window,
        cells=_to_cells(rows, table, columns, measure, every),
        method=intake.method_of("from_counts", counts, columns, every, loaded, rows.grouping, window=window),
        _notes=_result.notes(
            [count_checks.look_rounded(rows.numbers, measure.kind), *_note_totals(rows, loaded)]
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The rows of the table as read."""

    starts: NDArray[np.datetime64]
    keys: Keys
    grouping: str | None
    numbers: dict[str, Numbers]


def _check_numbers_fit(measure: Measure, given: dict[str, str]) -> None:
    """Check that the columns of numbers are those that the kind of measure is made of."""
    if measure.kind not in _NUMBERS:
        raise OptionError(
            f"measure {measure.name!r} is of kind {measure.kind!r}, which needs the order of births; "
            "counts do not have it. Use between_events on records."
        )
    needed, possible = _NUMBERS[measure.kind]
    absent = [role for role in needed if role not in given]
    foreign = [f"{role}={column!r}" for role, column in given.items() if role not in (*needed, *possible)]
    if absent or foreign:
        wrong = f"{', '.join(absent)} missing" if absent else f"{', '.join(foreign)} not wanted"
        spare = f" (and may have {', '.join(possible)})" if possible else ""
        raise OptionError(
            f"{wrong}: measure {measure.name!r} is of kind {measure.kind!r} "
            f"and needs {', '.join(needed)}{spare}."
        )


def _read_rows(
    table: pd.DataFrame,
    columns: dict[str, str],
    measure: Measure,
    scheme: Scheme | None,
    every: Every,
    date_order: DateOrder | None,
) -> _Rows:
    """Read every column, and raise with all the bad rows at once."""
    bad = BadRows(table, columns, table.index)
    starts, problems = periods.read(table["period"], every, date_order)
    bad.add_each(problems, columns["period"])
    grouping = None
    if "group" not in columns:
        group = strata.one_group(len(table))
    elif scheme is None:
        group = groups.as_labelled(table["group"], columns["group"], bad)
    else:
        group, grouping = groups.find(table["group"], columns["group"], scheme, bad)
    keys = Keys(groups.read_site(table, columns, bad), group, groups.read_further(table, columns))
    numbers = {role: read_numbers(table[role]) for role in _ROLES if role in columns}
    count_checks.check_numbers(numbers, columns, measure.kind, bad)
    bad.check("counts", "Mend or remove these rows.")
    return _Rows(starts, keys, grouping, numbers)


def _to_cells(
    rows: _Rows, table: pd.DataFrame, columns: dict[str, str], measure: Measure, every: Every
) -> Cells:
    """Put each row into its cell; two rows for one cell are bad rows."""
    frame, stratum = strata.arrange(rows.keys)
    spanned = periods.span(rows.starts, every)
    strata.check_size(len(frame), len(spanned))
    period = periods.place(rows.starts, spanned)
    cell = stratum * len(spanned) + period
    per_cell = np.bincount(cell)
    if per_cell.max() > 1:
        bad = BadRows(table, columns, table.index)
        bad.add(per_cell[cell] > 1, "one of several rows for this period, group and site")
        bad.check("counts", "Keep one row for each; name further strata in by=, or sum them first.")
    status = count_checks.status_of(rows.numbers)
    blocks = {role: numbers.values for role, numbers in rows.numbers.items()}
    if "numerator" in blocks:
        no_births = (status == OBSERVED) & np.isnan(blocks["numerator"])
        blocks["numerator"] = np.where(no_births, 0.0, blocks["numerator"])
    return Cells.dense(
        frame, spanned, stratum, period, **blocks, status=status, absent="missing", kind=measure.kind
    )


def _note_totals(rows: _Rows, scheme: Scheme | None) -> list[pd.DataFrame]:
    """Warn of sites and groups that look like totals over the others (a scheme refuses such groups)."""
    looked_at = {"sites": () if rows.keys.site is None else rows.keys.site.names}
    if scheme is None:
        looked_at["groups"] = rows.keys.group.names
    return [
        _result.note(
            f"total_among_{kind}",
            "warning",
            f"{', '.join(map(repr, found))} among the {kind} looks like a total over the others: sums would "
            "count those births twice. Remove these rows; total() and pool() make totals.",
        )
        for kind, names in looked_at.items()
        if (found := groups.totals(names))
    ]
