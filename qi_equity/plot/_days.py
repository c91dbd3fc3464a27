"""Dates as days since 1970, as matplotlib counts them unless told otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_EPOCH, _DAY = np.datetime64("1970-01-01", "us"), np.timedelta64(86_400_000_000, "us")


def days(dates: pd.Series | pd.DatetimeIndex | list[pd.Timestamp]) -> NDArray[np.float64]:
    """Turn dates into days since 1970."""
    stamps = np.asarray(dates, dtype="datetime64[us]")
    return (stamps - _EPOCH) / _DAY


def dates(x: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Turn days since 1970 into dates."""
    return pd.DatetimeIndex(_EPOCH + np.round(np.asarray(x) * 86_400e6).astype("timedelta64[us]"))
