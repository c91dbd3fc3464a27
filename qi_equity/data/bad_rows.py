"""Gathering every bad row of a frame, so that all can be mended at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate

_BETWEEN = "; "


class BadRows:
    """Problems found so far; a row may have several.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows, one column a role.
    columns : mapping of str to str
        Role to the caller's name of the column, for the report.
    """

    def __init__(self, table: pd.DataFrame, columns: Mapping[str, str]) -> None:
        self._table = table
        self._columns = columns
        self._problems: NDArray[np.object_] = np.full(len(table), "", dtype=object)

    def add(self, where: NDArray[np.bool_], problem: str) -> None:
        """Note one problem of the rows where ``where`` is true."""
        self._problems[where] += f"{_BETWEEN}{problem}"

    def add_each(self, problems: NDArray[np.object_], column: str) -> None:
        """Note the problem of each row with a column, None where it has none."""
        for problem in pd.unique(problems):
            if problem is not None:
                self.add(problems == problem, f"{column}: {problem}")

    def check(self, what: str, fix: str) -> None:
        """Raise a DataError with all bad rows, if there are any."""
        bad = np.flatnonzero(self._problems != "")
        problems = pd.Series(self._problems[bad], index=bad, dtype="object").str[len(_BETWEEN) :]
        names = [self._columns.get(role, role) for role in self._table.columns]
        rows = self._table.iloc[problems.index].set_axis(names, axis=1)
        rows = rows.loc[:, ~rows.columns.duplicated() & (rows.columns != "problem")]
        _validate.rows(rows.set_axis(problems.index).assign(problem=problems), what, fix)
