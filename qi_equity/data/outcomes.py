"""Outcomes of single births: event, no event, not recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.bad_rows import BadRows

EVENT, NO_EVENT, UNRECORDED, WRONG = 1, 0, -1, -2


def read_outcomes(column: pd.Series, name: str, bad: BadRows) -> NDArray[np.int8]:
    """Read bool or 0/1 with empty for not recorded; anything else is a bad row."""
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    read = np.array([*(_read_one(v) for v in distinct), UNRECORDED], dtype=np.int8)[codes]
    bad.add(read == WRONG, f"{name} is not 0, 1, true, false or empty")
    return read


def _read_one(value: Any) -> int:
    if value not in (0, 1):
        return WRONG
    return EVENT if value else NO_EVENT
