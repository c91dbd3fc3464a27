"""Tables split into panels: one for each place and span."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from qi_equity import _validate
from qi_equity.errors import OptionError

MAX_PANELS = 24

Parts = list[tuple[str, pd.DataFrame]]


def split(table: pd.DataFrame, within: str, *, spans: bool = True, most: int = MAX_PANELS) -> Parts:
    """Split a table by its strata (but not by the column ``within``), and by span.

    Each part is named by what it differs in from others; the order is that of the rows.

    Raises
    ------
    OptionError
        If there are more parts than ``most``.
    """
    names = list(table.columns)
    keys = [c for c in names[: names.index("span") + spans] if c != within]
    if not keys:
        return [("", table)]
    texts = [table[k].astype(str) for k in keys]
    shown = [t for t in texts if len(set(t)) > 1] or ([texts[-1]] if spans else [])
    named = pd.Series([" · ".join(row) for row in zip(*shown, strict=True)] if shown else "", table.index)
    parts = [(str(named[part.index[0]]), part) for _, part in table.groupby(texts, sort=False, observed=True)]
    if len(parts) > most:
        raise OptionError(
            f"The table holds {len(parts)} places and spans; a figure holds at most {most}. Choose some of "
            "the series first with series.select(site=...), or longer spans with over=."
        )
    return parts


def columns_of(columns: int | None, panels: int) -> int:
    """Give the number of panels side by side."""
    if columns is None:
        return min(panels, 2)
    chosen = _validate.whole_number("columns", columns, at_least=1)
    if chosen > 3:
        raise OptionError(f"columns={columns!r} is too many to read; give 1 to 3.")
    return min(chosen, panels)


def in_order(part: pd.DataFrame, column: str, names: Sequence[str]) -> pd.DataFrame:
    """Put the rows of a part in the order of names; a name without a row becomes an empty one."""
    return part.set_axis(part[column].astype(str), axis=0).reindex(pd.Index(names))
