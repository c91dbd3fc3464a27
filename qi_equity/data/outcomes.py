"""Outcomes of single births: event, no event, not recorded; or a measurement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.bad_rows import BadRows
from qi_equity.data.cells import SUPPRESSED
from qi_equity.data.marks import Numbers, read_numbers

EVENT, NO_EVENT, UNRECORDED, WRONG = 1, 0, -1, -2

_TEXTS = {"1": EVENT, "true": EVENT, "0": NO_EVENT, "false": NO_EVENT, "": UNRECORDED}
_MOST_QUOTED = 5


def read_outcomes(column: pd.Series, name: str, bad: BadRows) -> NDArray[np.int8]:
    """Read bool or 0/1, or these as text, with empty for not recorded; anything else is a bad row."""
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    read = np.array([*(_read_one(v) for v in distinct), UNRECORDED], dtype=np.int8)
    wrong = [i for i, value in enumerate(read) if value == WRONG]
    if len(wrong) > _MOST_QUOTED:
        # A column of something else altogether.
        bad.add(read[codes] == WRONG, f"{name} is not 0, 1, true, false or empty")
    else:
        for i in wrong:
            told = repr(distinct[i]) if isinstance(distinct[i], str) else str(distinct[i])
            bad.add(codes == i, f"{name} is {told}: not 0, 1, true, false or empty")
    return read[codes]


def read_values(column: pd.Series, name: str, bad: BadRows) -> NDArray[np.float64]:
    """Read measurements, NaN where empty; what is no number is a bad row, and infinite in the answer."""
    read = read_numbers(column)
    wrong = _no_number(read)
    bad.add(wrong, f"{name} is not a number")
    bad.add(np.isinf(read.values), f"{name} is infinite")
    return np.where(wrong, np.inf, read.values)


def read_risks(column: pd.Series, name: str, outcome: NDArray[np.int8], bad: BadRows) -> NDArray[np.float64]:
    """Read expected probabilities; they lie between 0 and 1, and only without outcome may they be empty."""
    read = read_numbers(column)
    wrong, risk = _no_number(read), read.values
    bad.add(wrong, f"{name} is not a number")
    bad.add(((risk <= 0) | (risk >= 1)) & ~wrong, f"{name} is not between 0 and 1")
    bad.add(np.isnan(risk) & ~wrong & (outcome != UNRECORDED), f"{name} is empty where the outcome is not")
    return risk


def _no_number(read: Numbers) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = read.unreadable | (read.status == SUPPRESSED)
    return wrong


def _read_one(value: Any) -> int:
    if isinstance(value, str):
        return _TEXTS.get(value.strip().lower(), WRONG)
    if value not in (0, 1):
        return WRONG
    return EVENT if value else NO_EVENT
