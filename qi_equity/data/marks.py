"""Numbers as published tables write them: thousands separators, marks for suppressed counts, empty cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.cells import MISSING, OBSERVED, SUPPRESSED

_UNREADABLE = -1

_SUPPRESSED = re.compile(r"\*+|\[c\]|[-–—]|:|(<|<=|≤)\s*\d+|suppressed", re.IGNORECASE)
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
_SEPARATED = re.compile(r"[+-]?\d{1,3}([,\u00a0\u202f\u2009 ]\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_SEPARATORS = re.compile("[,\u00a0\u202f\u2009 ]")


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column of numbers as read.

    Attributes
    ----------
    values : numpy.ndarray of float64
        NaN where there is no number.
    status : numpy.ndarray of int8
        Observed, missing or suppressed.
    unreadable : numpy.ndarray of bool
        Entries that are no number, no mark and not empty.
    """

    values: NDArray[np.float64]
    status: NDArray[np.int8]
    unreadable: NDArray[np.bool_]


def read_numbers(column: pd.Series) -> Numbers:
    """Read a column of numbers, or of text that stands for numbers, each distinct text once.

    ``*``, ``<5``, ``[c]``, ``-`` and ``:`` (blanks around them do not matter) are suppressed: not zero, not
    missing. Commas and blanks may separate thousands. Empty cells, and ``NA`` and its kin, are missing.
    """
    if column.dtype.kind in "iuf":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        status = np.where(np.isnan(values), MISSING, OBSERVED).astype(np.int8)
        return Numbers(values, status, np.zeros(len(values), dtype=bool))
    codes, distinct = pd.factorize(decimals_as_text(column), use_na_sentinel=True)
    read = [_read_one(v) for v in distinct]
    values = np.array([*(value for value, _ in read), np.nan])[codes]
    status = np.array([*(state for _, state in read), MISSING], dtype=np.int8)[codes]
    return Numbers(values, status, status == _UNREADABLE)


def decimals_as_text(column: pd.Series) -> pd.Series:
    """Write decimals as text: pandas cannot compare, hash or show one that is a signalling NaN."""
    if column.dtype != object:
        return column
    return pd.Series([str(v) if isinstance(v, Decimal) else v for v in column], column.index, dtype="object")


def _read_one(value: Any) -> tuple[float, int]:
    if isinstance(value, str):
        return _read_text(value.strip())
    if isinstance(value, bool | np.bool_):
        return np.nan, _UNREADABLE
    try:
        return float(value), OBSERVED
    except (TypeError, ValueError, OverflowError):
        return np.nan, _UNREADABLE


def _read_text(text: str) -> tuple[float, int]:
    if text.lower() in _MISSING:
        return np.nan, MISSING
    if _SUPPRESSED.fullmatch(text):
        return np.nan, SUPPRESSED
    if _SEPARATED.fullmatch(text):
        return float(_SEPARATORS.sub("", text)), OBSERVED
    return (float(text), OBSERVED) if _PLAIN.fullmatch(text) else (np.nan, _UNREADABLE)
