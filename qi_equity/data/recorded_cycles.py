"""PDSA cycles as a record of improvement work holds them, read to be marked under the data of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data import dates, frames
from qi_equity.data.dated_rows import every_of, is_frame, text_or_none
from qi_equity.errors import InputTypeError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

__all__ = ["RecordedCycles"]

COLUMNS = ("cycle", "label", "start", "end", "site", "group", "purpose", "decision")
PURPOSES = ("test", "implement")
DECISIONS = ("adopt", "adapt", "abandon", "expand")

_DATES = ("start", "end")
_TEXTS = tuple(c for c in COLUMNS if c not in _DATES)
_UNNAMED = "cycle without a name"
_FIX = (
    f"Give start and end as dates (end empty: under way), purpose as one of {list(PURPOSES)}, and decision "
    f"as one of {list(DECISIONS)}, or empty: none yet."
)


@runtime_checkable
class RecordedCycles(Protocol):
    """What holds recorded PDSA cycles: anything with a method ``cycle_marks``.

    Projects, sites and networks of :mod:`qi_equity.pdsa` are such, and so is any log of a team's own. It
    can be given as ``cycles=`` where a chart or an evaluation is drawn.

    Examples
    --------
    >>> import pandas as pd
    >>> from qi_equity.data.recorded_cycles import RecordedCycles
    >>> class Diary:
    ...     def cycle_marks(self, measure: str) -> pd.DataFrame:
    ...         return pd.DataFrame({"cycle": ["c1"], "label": ["Risk tool"], "start": ["2023-01-09"],
    ...                              "end": ["2023-01-20"], "site": ["North"], "group": [None],
    ...                              "purpose": ["test"], "decision": ["adapt"]})
    >>> isinstance(Diary(), RecordedCycles)
    True
    """

    def cycle_marks(self, measure: str) -> pd.DataFrame:
        """Give the cycles that bear on a measure.

        Parameters
        ----------
        measure : str
            Name of the measure, as ``series.measure.name``.

        Returns
        -------
        pandas.DataFrame
            One row a cycle and group: ``cycle`` (its id), ``label``, ``start`` and ``end`` (date, or text as
            2024-03-31; both days are part of it; end empty: under way), ``site`` and ``group`` (empty: all),
            ``purpose`` ("test" or "implement"), ``decision`` ("adopt", "adapt", "abandon" or "expand"; empty:
            none yet). Further columns are not read.

        Examples
        --------
        >>> import pandas as pd
        >>> class Diary:
        ...     def cycle_marks(self, measure: str) -> pd.DataFrame:
        ...         return pd.DataFrame({"cycle": ["c1"], "label": ["Risk tool"], "start": ["2023-01-09"],
        ...                              "end": [None], "site": ["North"], "group": [None],
        ...                              "purpose": ["test"], "decision": [None]})
        >>> Diary().cycle_marks("Third- and fourth-degree tears")["label"].tolist()
        ['Risk tool']
        """
        ...  # pragma: no cover


def read_cycles(series: StratifiedSeries, given: Any, argument: str = "cycles") -> pd.DataFrame:
    """Read the cycles of a measure, in the order in which they started.

    Parameters
    ----------
    series : StratifiedSeries
        Whose measure it is.
    given : RecordedCycles
        What holds the cycles.
    argument : str
        What the caller calls it, for messages.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``: ``start`` and ``end`` as datetime64 (NaT: none), texts as objects: ``site`` and ``group``
        None for all, ``decision`` empty for none; a cycle without a label is named by its id.

    Raises
    ------
    InputTypeError
        If it holds no recorded cycles, or does not give a frame.
    ColumnError
        If the frame lacks a column.
    DataError
        With all bad rows: a date that cannot be read, an end before the start, or a purpose or decision that
        is not allowed.
    """
    columns, told = _columns(series, given, argument)
    table = pd.DataFrame(
        {t: pd.Series([text_or_none(v) for v in columns[t]], dtype="object") for t in _TEXTS}
    )
    problems = np.full(len(table), None, dtype=object)
    for day in _DATES:
        read = dates.read(columns[day], financial_years=every_of(series) == "financial-year")
        given_one = np.array([text_or_none(v) is not None for v in columns[day]], dtype=np.bool_)
        bad = given_one & ~pd.isna(read.problems)
        # There is no date_order to give here.
        wrong = np.where(read.problems == dates.AMBIGUOUS, "can be read two ways", read.problems)
        problems[bad] = [f"{day}: {text}" for text in wrong[bad]]
        table[day] = read.stamps.astype("datetime64[D]").astype("datetime64[us]")
    problems[(table["end"] < table["start"]).to_numpy(bool)] = "end before start"
    problems[~table["purpose"].isin(PURPOSES).to_numpy(bool)] = "purpose is not one that is allowed"
    allowed = table["decision"].isna() | table["decision"].isin(DECISIONS)
    problems[~allowed.to_numpy(bool)] = "decision is not one that is allowed"
    shown = pd.DataFrame({c: columns[c] for c in COLUMNS}).assign(problem=problems)
    _validate.rows(shown[shown["problem"].notna()], told, _FIX)
    table["label"] = table["label"].fillna(table["cycle"]).fillna(_UNNAMED)
    table["decision"] = table["decision"].fillna("")
    return table[list(COLUMNS)].sort_values("start", kind="stable", ignore_index=True)


def _columns(series: StratifiedSeries, given: Any, argument: str) -> tuple[dict[str, NDArray[Any]], str]:
    """Ask for the cycles of the measure of a series; give their columns, and what to call them."""
    if not isinstance(given, RecordedCycles) or isinstance(given, type) or is_frame(given, argument):
        raise InputTypeError(
            f"{argument} of type {type(given).__name__} holds no recorded cycles; give a project, or "
            "anything with a method cycle_marks(measure)."
        )
    name = series.measure.name
    frame = given.cycle_marks(name)
    told = f"{argument}: what cycle_marks({name!r}) of {type(given).__name__} gave"
    if not is_frame(frame, told):
        raise InputTypeError(
            f"{told} is of type {type(frame).__name__}; it must be a frame with columns {list(COLUMNS)}."
        )
    return frames.collect(frame, list(COLUMNS), told), told
