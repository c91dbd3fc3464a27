"""Series for the tests of charts, made through the public intake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

COUNTED = {"proportion", "rate", "count"}


@pytest.fixture
def make_series() -> Callable[..., qe.StratifiedSeries]:
    """Give a function that makes a series from numbers of shape (S, T) or (T,)."""

    def make(
        numbers: Any,
        births: Any = None,
        *,
        kind: str = "proportion",
        better: str | None = "lower",
        groups: Sequence[str] | None = None,
        sites: Sequence[str] | None = None,
        window: int = 1,
        measure: qe.Measure | None = None,
    ) -> qe.StratifiedSeries:
        table = np.atleast_2d(np.asarray(numbers, dtype=object))
        size, length = table.shape
        names = list(groups) if groups is not None else [chr(ord("A") + s) for s in range(size)]
        frame = pd.DataFrame({"group": np.repeat(names, length), "number": table.ravel()})
        frame["month"] = np.tile(pd.date_range("2022-01-01", periods=length, freq="MS"), size)
        columns = {"numerator" if kind in COUNTED else "value": "number"}
        if births is not None:
            frame["births"] = np.broadcast_to(np.asarray(births, dtype=object), table.shape).ravel()
            columns["denominator"] = "births"
        if sites is not None:
            frame["site"] = np.repeat(list(sites), length)
            columns["site"] = "site"
        made = measure or qe.Measure("Test", kind, better)
        return qe.from_counts(frame, made, period="month", group="group", window=window, **columns)

    return make
