"""What every result shares: the frame of notes, and versioned JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd

from qi_equity._version import __version__
from qi_equity.errors import DataError

Severity = Literal["info", "caution", "warning"]

_ROWS_SHOWN = 30

NOTE_COLUMNS = ("code", "severity", "site", "group", "text")


def note(
    code: str, severity: Severity, text: str | Sequence[str], strata: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Make notes: one for the whole result, or one for each stratum.

    Parameters
    ----------
    code : str
        Short stable name, in snake case.
    severity : {"info", "caution", "warning"}
        ``info``: good to know; ``caution``: read before drawing conclusions; ``warning``: a conclusion drawn
        without it would be wrong.
    text : str or sequence of str
        One sentence for all, or one for each row of ``strata``.
    strata : pandas.DataFrame, optional
        The strata spoken of: columns ``site`` (if any), ``group`` and further strata.

    Returns
    -------
    pandas.DataFrame
        Columns ``code, severity, site, group``, further strata, ``text``.
    """
    frame = pd.DataFrame(index=range(1)) if strata is None else strata.astype("str").reset_index(drop=True)
    for column in ("site", "group"):
        if column not in frame:
            frame[column] = None
    further = [c for c in frame.columns if c not in NOTE_COLUMNS]
    frame = frame.assign(code=code, severity=severity, text=text if isinstance(text, str) else list(text))
    return _as_text(frame[["code", "severity", "site", "group", *further, "text"]])


def notes(parts: Sequence[pd.DataFrame], further: Sequence[str] = ()) -> pd.DataFrame:
    """Put notes together in one frame, always with the same columns.

    Parameters
    ----------
    parts : sequence of pandas.DataFrame
        What :func:`note` made.
    further : sequence of str
        Further strata of the result: their columns are there even when no note speaks of a stratum.

    Returns
    -------
    pandas.DataFrame
        Columns ``code, severity, site, group``, further strata, ``text``; each note once.
    """
    full = [p for p in parts if len(p)]
    frame = (
        pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=list(NOTE_COLUMNS), dtype="str")
    )
    told = [c for c in (*further, *frame.columns) if c not in NOTE_COLUMNS]
    columns = ["code", "severity", "site", "group", *dict.fromkeys(told), "text"]
    return _as_text(frame.reindex(columns=columns)).drop_duplicates(ignore_index=True)


def to_json(value: Any) -> Any:
    """Turn a value into what JSON can hold; :func:`from_json` gives it back unchanged.

    Arrays, frames, dates, tuples and non-finite numbers are tagged by a key that starts with ``$``.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case np.generic():
            return (
                to_json(value.item())
                if not isinstance(value, np.datetime64)
                else to_json(pd.Timestamp(value))
            )
        case float():
            return value if np.isfinite(value) else {"$number": str(value)}
        case datetime() | date():
            return {"$date": pd.Timestamp(value).isoformat()}
        case np.ndarray():
            return _array_to_json(value)
        case pd.DataFrame():
            return {"$frame": [[str(c), _column_to_json(value[c])] for c in value.columns]}
        case tuple():
            return {"$tuple": [to_json(v) for v in value]}
        case Mapping():
            return {"$map": [[to_json(k), to_json(v)] for k, v in value.items()]}
        case _:
            return [to_json(v) for v in value]


def from_json(value: Any) -> Any:
    """Give back what :func:`to_json` was given."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = ((k, v) for k, v in value.items() if k.startswith("$"))
    match tag:
        case "$number":
            return float(content)
        case "$date":
            return pd.Timestamp(content)
        case "$tuple":
            return tuple(from_json(v) for v in content)
        case "$map":
            return {from_json(k): from_json(v) for k, v in content}
        case "$array":
            return np.array(content, dtype=value["dtype"]).reshape(value["shape"])
        case "$category":
            return pd.Categorical.from_codes(
                content, categories=value["categories"], ordered=value["ordered"]
            )
        case "$frame":
            return pd.DataFrame({name: _column_from_json(column) for name, column in content})
    raise DataError(f"{tag!r} is not a known tag of saved results; was this written by a newer version?")


def _column_from_json(value: Any) -> Any:
    column = from_json(value)
    # Texts are seen to be texts, but where there are none.
    texts = isinstance(column, np.ndarray) and column.dtype == object and not column.size
    return pd.Series(dtype="str") if texts else column


def frame_from_json(value: Any) -> pd.DataFrame:
    """Give back the frame that :func:`to_json` was given; a TypeError if it was none."""
    frame = from_json(value)
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{frame!r} is not a frame")
    return frame


def header(kind: str, version: int) -> dict[str, Any]:
    """Give the first entries of a saved result: type, version of the format, version of the library."""
    return {"type": kind, "format": version, "library": f"qi_equity {__version__}"}


def check_header(data: Any, kind: str, version: int, *, written_by: str = "to_dict() of that type") -> None:
    """Check that saved data hold the wanted type in a format this version reads.

    Raises
    ------
    DataError
        Names what was found and what is wanted.
    """
    found = (
        (data.get("type"), data.get("format")) if isinstance(data, Mapping) else (type(data).__name__, None)
    )
    if found != (kind, version):
        raise DataError(
            f"These data hold {found[0]!r} in format {found[1]!r}; wanted is {kind!r} in format {version}. "
            f"Give what {written_by} returned."
        )


def frame_html(frame: pd.DataFrame, what: str) -> str:
    """Give the first rows of a frame as escaped HTML; ``what`` says what the rows are, where some are cut."""
    more = f"<p>and {len(frame) - _ROWS_SHOWN} more rows ({what})</p>" if len(frame) > _ROWS_SHOWN else ""
    with pd.option_context("display.max_colwidth", None):
        shown: str = frame.head(_ROWS_SHOWN).to_html(
            index=False, escape=True, border=0, na_rep="", float_format="{:.4g}".format
        )
    return shown + more


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Make every column text; what is missing stays missing."""
    return frame.astype("str").where(frame.notna(), None)


def _array_to_json(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.kind in "OUT":
        return {
            "$array": [None if pd.isna(v) else str(v) for v in array.ravel()],
            "dtype": "object",
            "shape": list(array.shape),
        }
    if array.dtype.kind == "M":
        flat: list[Any] = [None if np.isnat(v) else str(v) for v in array.ravel()]
    elif array.dtype.kind == "f":
        flat = [None if np.isnan(v) else (v if np.isfinite(v) else str(v)) for v in array.ravel().tolist()]
    else:
        flat = array.ravel().tolist()
    return {"$array": flat, "dtype": str(array.dtype), "shape": list(array.shape)}


def _column_to_json(column: pd.Series) -> Any:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return {
            "$category": column.cat.codes.tolist(),
            "categories": column.cat.categories.tolist(),
            "ordered": bool(column.cat.ordered),
        }
    if column.dtype.kind == "M":
        return _array_to_json(column.to_numpy(dtype=f"datetime64[{getattr(column.dtype, 'unit', 'us')}]"))
    return _array_to_json(column.to_numpy())
