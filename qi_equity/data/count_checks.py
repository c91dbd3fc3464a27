"""What counts must satisfy, and what they give away about themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.cells import MISSING, OBSERVED, SUPPRESSED
from qi_equity.data.marks import Numbers

_ROUNDED_TO = 5
_ENOUGH_COUNTS = 20


def check_numbers(read: Mapping[str, Numbers], columns: Mapping[str, str], kind: str, bad: BadRows) -> None:
    """Note every number that cannot be: unreadable, infinite, negative, fractional, or against another."""
    for role, numbers in read.items():
        name, x = columns[role], numbers.values
        bad.add(numbers.unreadable, f"{name} is not a number")
        bad.add(np.isinf(x), f"{name} is infinite")
        if role != "value":
            bad.add(np.isfinite(x) & (x < 0), f"{name} is negative")
        if role == "numerator" or (role == "denominator" and kind in ("proportion", "mean")):
            bad.add(np.isfinite(x) & (x != np.floor(x)), f"{name} is not a whole number")
    if "numerator" in read and "denominator" in read:
        events, births = read["numerator"].values, read["denominator"].values
        top, bottom = columns["numerator"], columns["denominator"]
        # A number that is wrong in itself is told once, not against the other as well.
        events, births = (np.where(np.isfinite(x) & (x >= 0), x, np.nan) for x in (events, births))
        none = (births == 0) & (events > 0)
        bad.add(none, f"{top} above 0 among no {bottom}")
        if kind == "proportion":
            bad.add((events > births) & ~none, f"{top} is greater than {bottom}")

    if "value" in read and "denominator" in read:
        size = read["denominator"].values
        bad.add((size == 0) & np.isfinite(read["value"].values), f"{columns['value']} of 0 measurements")
        if "range" in read:
            spread = (size == 1) & (read["range"].values > 0)
            bad.add(spread, f"{columns['range']} above 0 of 1 measurement")


def status_of(read: Mapping[str, Numbers]) -> NDArray[np.int8]:
    """Give the status of each row: suppressed before missing before observed; no births need no count."""
    main = [n for role, n in read.items() if role not in ("sd", "range")]
    suppressed = np.logical_or.reduce([n.status == SUPPRESSED for n in main])
    missing = np.logical_or.reduce([n.status == MISSING for n in main])
    status = np.select([suppressed, missing], [SUPPRESSED, MISSING], OBSERVED)
    if "denominator" in read:
        status[(read["denominator"].values == 0) & ~suppressed] = OBSERVED
    return status.astype(np.int8)


def look_rounded(read: Mapping[str, Numbers], kind: str) -> pd.DataFrame:
    """Give a note if all of many counts are multiples of 5, as published counts rounded to 5 are."""
    roles = ("numerator", "denominator") if kind == "proportion" else ("numerator",)
    counts = [read[role].values for role in roles if role in read]
    positive = [x[np.isfinite(x) & (x > 0)] for x in counts]
    if not counts or any(len(x) <= _ENOUGH_COUNTS or (x % _ROUNDED_TO).any() for x in positive):
        return _result.notes([])
    return _result.note(
        "rounded_counts",
        "caution",
        f"All counts are multiples of {_ROUNDED_TO}: they look rounded. Small counts, and limits and tests "
        "based on them, are distorted; chart the true counts where you may.",
    )
