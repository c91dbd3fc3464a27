"""Gathering every bad row of a frame, so that all can be mended at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data.marks import decimals_as_text

_BETWEEN = "; "


def row_labels(frame: Any, length: int) -> pd.Index:
    """Give what the caller calls the rows of a frame: the index of pandas, else "row", counted from 0."""
    return frame.index if isinstance(frame, pd.DataFrame) else pd.RangeIndex(length, name="row")


class BadRows:
    """Problems found so far; a row may have several.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows, one column a role.
    columns : mapping of str to str
        Role to the caller's name of the column, for the report.
    labels : pandas.Index, optional
        What the caller calls the rows. Rows that were counted together have no labels; those that are
        reported are put in order and numbered from 0.
    """

    def __init__(
        self, table: pd.DataFrame, columns: Mapping[str, str], labels: pd.Index | None = None
    ) -> None:
        self._table = table
        self._columns = columns
        self._labels = labels
        self._problems: NDArray[np.object_] = np.full(len(table), "", dtype=object)

    def add(self, where: NDArray[np.bool_], problem: str) -> None:
        """Note one problem of the rows where ``where`` is true."""
        self._problems[where] += f"{_BETWEEN}{problem}"

    def add_each(self, problems: NDArray[np.object_], column: str) -> None:
        """Note the problem of each row with a column, None where it has none."""
        found = pd.notna(problems)
        self._problems[found] += f"{_BETWEEN}{column}: " + problems[found]

    def check(self, what: str, fix: str) -> None:
        """Raise a DataError with all bad rows, if there are any."""
        bad = np.flatnonzero(self._problems != "")
        if not len(bad):
            return
        rows = self._table.iloc[bad].set_axis(self._names(), axis=1).apply(decimals_as_text)
        rows = rows.loc[:, ~rows.columns.duplicated()]
        columns = list(rows.columns)
        rows = rows.assign(problem=[p[len(_BETWEEN) :] for p in self._problems[bad]])
        if self._labels is None:
            # Engines give what they counted in any order.
            rows = rows.sort_values(columns, key=lambda c: c.astype(str), kind="stable", ignore_index=True)
        else:
            rows = rows.set_axis(self._labels[bad])
        _validate.rows(rows, what, fix)

    def _names(self) -> list[str]:
        """Give the caller's names of the columns; one that the report has itself is told by its role."""
        own = {"problem", *(role for role in self._table.columns if role not in self._columns)}
        names = {role: self._columns.get(role, role) for role in self._table.columns}
        return [f"{n} ({role})" if role in self._columns and n in own else n for role, n in names.items()]
