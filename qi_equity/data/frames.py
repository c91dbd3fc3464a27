"""The edge to the caller's frame: any library that narwhals knows, read through ``narwhals.stable.v2``."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeAlias

import narwhals.exceptions as nw_errors
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data import dates
from qi_equity.errors import ColumnError, DataError, InputTypeError

Frame: TypeAlias = nw.DataFrame[Any] | nw.LazyFrame[Any]

_BYTE_ORDER_MARKS = ("\ufeff", "ï»¿")
_PLAIN = (nw.Boolean, nw.String, nw.Categorical, nw.Enum, nw.Date, nw.Datetime)
_SIMPLE_OBJECTS = (
    "string",
    "boolean",
    "integer",
    "floating",
    "decimal",
    "date",
    "datetime",
    "period",
    "empty",
)


def open_frame(frame: Any, argument: str, columns: Mapping[str, str]) -> Frame:
    """Take the wanted columns of a caller's frame, lazily where its engine is lazy.

    Parameters
    ----------
    frame : frame
        pandas, polars (eager or lazy), pyarrow, DuckDB relation, PySpark, Dask, or another known to narwhals.
    argument : str
        What the caller calls the frame, for messages.
    columns : mapping of str to str
        Role (the name of the argument) to the column that plays it. A byte-order mark before a column's name
        is no part of it.

    Returns
    -------
    narwhals DataFrame or LazyFrame
        One column a role, named by the role.

    Raises
    ------
    InputTypeError
        If it is no frame.
    ColumnError
        If columns are absent, or there more than once.
    DataError
        If the engine cannot read the frame, or a column holds what cannot be used at all, such as lists or
        times of several zones.
    """
    with _reading(argument):
        opened: Any = nw.from_native(frame, pass_through=True)
    if not isinstance(opened, nw.DataFrame | nw.LazyFrame):
        raise InputTypeError(
            f"{argument} of type {type(frame).__name__} is not a frame that can be read; "
            "give a frame of pandas, polars, pyarrow, DuckDB or PySpark."
        )
    with _reading(argument):
        present: list[Any] = list(opened.columns)
    actual = {_without_mark(name): name for name in present} | {name: name for name in present}
    if not present:
        raise ColumnError(f"{argument} has no columns; give a frame with {dict(columns)!r}.")
    _validate.columns(list(actual), dict(columns))
    twice = {c: present.count(actual[c]) for c in columns.values() if present.count(actual[c]) > 1}
    if twice:
        told = ", ".join(f"{column!r} {n} times" for column, n in twice.items())
        raise ColumnError(f"{argument} has columns of one name; rename them. It has {told}.")
    with _reading(argument):
        chosen = opened.select(nw.col(actual[column]).alias(role) for role, column in columns.items())
        chosen.collect_schema()
    return _check_types(_without_zones(chosen), argument, columns)


def to_pandas(frame: Frame) -> pd.DataFrame:
    """Bring a (small, or already eager) frame into pandas; columns of a pandas frame keep their types."""
    if isinstance(frame, nw.LazyFrame):
        sql = frame.implementation.is_spark_like() or frame.implementation.is_duckdb()
        with _reading("the frame given"):
            frame = frame.collect(backend="pandas") if sql else frame.collect()
    if frame.implementation.is_pandas():
        native: pd.DataFrame = frame.to_native()
        return native.reset_index(drop=True)
    return pd.DataFrame({name: _to_series(frame[name]) for name in frame.columns})


def collect(frame: Any, columns: Sequence[str], argument: str = "records") -> dict[str, NDArray[Any]]:
    """Read whole columns of a caller's frame as arrays.

    Parameters
    ----------
    frame : frame
        Any that :func:`open_frame` takes.
    columns : sequence of str
        Names of columns.
    argument : str
        What the caller calls the frame, for messages.

    Returns
    -------
    dict of str to numpy.ndarray
        Dates as datetime64[us] (wall clock, NaT missing), numbers as float64 or int64 (NaN missing), bool as
        bool where none is missing, all else as object (None missing).
    """
    table = to_pandas(open_frame(frame, argument, {c: c for c in columns}))
    return {column: as_array(table[column]) for column in columns}


def as_array(column: pd.Series) -> NDArray[Any]:
    """Turn a pandas column of any type into the array that :func:`collect` promises."""
    missing = column.isna().to_numpy(dtype=bool)
    if column.dtype.kind == "M":
        return column.to_numpy(dtype="datetime64[us]", na_value=np.datetime64("NaT", "us"))
    if column.dtype.kind == "b" and not missing.any():
        return column.to_numpy(dtype=bool)
    if column.dtype.kind in "iu" and not missing.any():
        return column.to_numpy(dtype=np.int64)
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = column.to_numpy(dtype=object, copy=True)
    values[missing] = None
    return values


@contextmanager
def _reading(argument: str) -> Iterator[None]:
    """Turn what the caller's engine raises, each engine errors of its own, into an error of this library."""
    try:
        yield
    except nw_errors.DuplicateError as error:
        raise ColumnError(f"{argument} has columns of one name; rename them. {error}") from error
    except Exception as error:
        raise DataError(
            f"{argument} cannot be read ({type(error).__name__}: {error}); give a frame whose file or "
            "connection is there and open."
        ) from error


def _without_mark(name: Any) -> Any:
    if not isinstance(name, str):
        return name
    for mark in _BYTE_ORDER_MARKS:
        if name.startswith(mark):
            return name.removeprefix(mark).strip('"')
    return name


def _without_zones(frame: Frame) -> Frame:
    """Drop the zones of times; the wall clock stays (of DuckDB and Spark: that of the session)."""
    if not frame.implementation.is_pandas():
        aware = [n for n, t in frame.collect_schema().items() if isinstance(t, nw.Datetime) and t.time_zone]
        return frame.with_columns(nw.col(n).dt.replace_time_zone(None) for n in aware) if aware else frame
    # narwhals does not read zones such as America/New_York in pandas.
    native: pd.DataFrame = frame.to_native()
    opened: Frame = nw.from_native(native.assign(**{str(c): dates.without_zone(native[c]) for c in native}))
    return opened


def _check_types(frame: Frame, argument: str, columns: Mapping[str, str]) -> Frame:
    """Refuse columns of lists and the like; a column without any value and type is one of empty text."""
    empty = []
    for role, dtype in frame.collect_schema().items():
        plain = dtype.is_numeric() or isinstance(dtype, _PLAIN)
        if not plain and frame.implementation.is_pandas():
            column = frame.to_native()[role]
            plain = _holds_plain_values(column)
            _refuse_mixed_zones(column, argument, columns[role])
        elif not plain and isinstance(dtype, nw.Unknown) and _is_empty(frame, role):
            plain = True
            empty.append(role)
        if not plain:
            raise DataError(
                f"{role}={columns[role]!r} holds {dtype}, which cannot be read; give text, numbers or dates."
            )
    return frame.with_columns(nw.col(role).cast(nw.String()) for role in empty) if empty else frame


def _is_empty(frame: Frame, role: str) -> bool:
    filled = frame.select(nw.col(role).is_null()).filter(~nw.col(role)).head(1)
    return len(to_pandas(filled)) == 0


def _holds_plain_values(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.PeriodDtype):
        return True
    if column.dtype != object:
        return False
    if pd.api.types.infer_dtype(column, skipna=True) in _SIMPLE_OBJECTS:
        return True
    plain = (str, numbers.Real, date, pd.Period)
    return all(isinstance(v, plain) for v in column.dropna())


def _refuse_mixed_zones(column: pd.Series, argument: str, name: str) -> None:
    """Refuse times of several zones: an engine takes one moment for one value, whatever its wall clocks."""
    zones = column.map(dates.zone_of)
    distinct = sorted(zones.dropna().unique())
    if len(distinct) > 1:
        problem = f"{name}: time zones are mixed ({', '.join(distinct)})"
        bad = pd.DataFrame({name: column, "problem": problem})[zones.notna()]
        _validate.rows(bad, argument, "Write all times in one zone, or without.")


def _to_series(column: nw.Series[Any]) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        column = column.cast(nw.String())
    elif isinstance(dtype, nw.Decimal):
        column = column.cast(nw.Float64())
    if isinstance(dtype, nw.Date | nw.Datetime):
        return pd.Series(column.to_numpy().astype("datetime64[us]"))
    return pd.Series(column.to_numpy())
