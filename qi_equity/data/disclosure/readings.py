"""What was printed, as an outsider reads it: where each number belongs and the range it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.errors import InputTypeError

__all__ = ["COUNTS", "LINES", "Meaning", "Printed", "Range", "Told", "exactly", "from_text", "refuse_means"]

COUNTS = ("numerator", "denominator", "unrecorded")
"""Whole numbers, which sums bind together."""

LINES = ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s")
"""Numbers reckoned from counts, besides the value itself."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Dates = NDArray[np.datetime64]
Ints = NDArray[np.int64]

# A float that was written in full stands for itself but for rounding in its own last digits.
_FLOAT = 4e-15
_FULL = 15


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """The lowest and the highest that each number can have been before it was printed; NaN where none was.

    Parameters
    ----------
    low, high : numpy.ndarray of float, shape (R,)
        Both ends belong to it.
    """

    low: Floats
    high: Floats

    @property
    def there(self) -> Bools:
        """Where a number was printed."""
        there: Bools = ~np.isnan(self.low)
        return there

    def only(self, mask: Bools) -> Range:
        """Keep some of the numbers; the others count as not printed."""
        return Range(np.where(mask, self.low, np.nan), np.where(mask, self.high, np.nan))

    def scaled(self, by: float) -> Range:
        """Divide by a multiplier."""
        return Range(self.low / by, self.high / by)

    def holds(self, low: Floats, high: Floats) -> Bools:
        """Tell where a range given by its ends touches this one."""
        touches: Bools = (low <= self.high) & (high >= self.low)
        return touches


def exactly(values: Any) -> Range:
    """Read numbers that were written in full."""
    x = np.asarray(values, dtype=np.float64)
    give = np.abs(x) * _FLOAT
    return Range(x - give, x + give)


def from_text(texts: Sequence[object], *, together: bool = True) -> Range:
    """Read numbers as they were written: each stands for half a unit of its last digit either way.

    Parameters
    ----------
    texts : sequence
        Texts such as "1,234" or "0.0375"; what is no number becomes NaN.
    together : bool
        Whether the number with the most decimals tells the decimals of all: how a program writes a column,
        which drops zeros at the end. Else each number tells its own.

    Returns
    -------
    Range
        A number with 15 digits or more was written in full, and with it its column.

    Examples
    --------
    >>> found = from_text(["0.04", "0.125"])
    >>> found.low.round(4).tolist(), found.high.round(4).tolist()
    ([0.0395, 0.1245], [0.0405, 0.1255])
    """
    plain = pd.Series([str(t) for t in texts], dtype="str").str.strip().str.replace(",", "", regex=False)
    value = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    parts = plain.str.extract(r"^[-+]?\d*\.?(\d*)(?:[eE]([-+]?\d+))?$")
    after, power = parts[0].str.len().fillna(0), pd.to_numeric(parts[1], errors="coerce").fillna(0)
    decimals = np.asarray(after, dtype=np.float64) - np.asarray(power, dtype=np.float64)
    digits = plain.str.replace(r"[eE].*$", "", regex=True).str.replace(r"\D", "", regex=True)
    known = np.isfinite(value)
    if together and known.any():
        full = bool((digits.str.lstrip("0").str.len().fillna(0)[known] >= _FULL).any())
        return exactly(value) if full else _half_unit(value, np.full(len(value), decimals[known].max()))
    return _half_unit(value, decimals)


def _half_unit(value: Floats, decimals: Floats) -> Range:
    # Numbers half-way may have been rounded to either side, and are not exact as floats.
    give = 0.5 * 10.0**-decimals + np.abs(value) * _FLOAT
    return Range(value - give, value + give)


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the numbers of an item were reckoned, as far as it says so.

    Parameters
    ----------
    kind : str
        Kind of the measure: "proportion", "rate", "count", "mean", or "" where nothing tells.
    lines : str
        What ``lower`` and ``upper`` are: "interval" or "limits".
    confidence : float
        Level of the intervals.
    grouping : str
        Grouping of the scheme that the groups are of; "" where there is none.
    release : int
        Number of the release it was published in, from 0.
    tail : float
        Probability of one side beyond exact limits.
    """

    kind: str = ""
    lines: str = "interval"
    confidence: float = 0.95
    grouping: str = ""
    release: int = 0
    tail: float = 0.00135


@dataclass(frozen=True, slots=True, eq=False)
class Printed:
    """The rows of one published item, R of them.

    Parameters
    ----------
    source : str
        What it is, in words.
    strata : pandas.DataFrame
        Labels as text; a column that is absent, or None, stands for all together.
    start, stop : numpy.ndarray of datetime64[us], shape (R,)
        First day, and the day after the last; NaT where the item names no time.
    numbers : mapping of str to Range
        By quantity: ``COUNTS``, "value" and ``LINES``.
    hidden : numpy.ndarray of bool, shape (R,)
        Rows whose numerator is shown as withheld.
    missing : numpy.ndarray of bool, shape (R,)
        Rows that were not reported: no part of any sum.
    provisional : numpy.ndarray of bool, shape (R,)
        Rows that may be changed by a later release.
    part : numpy.ndarray of int, shape (R,)
        Rows with the same number share their lines (one stratum and phase of a chart).
    baseline : numpy.ndarray of bool, shape (R,), optional
        Rows that set the centre line of their part; None where nothing tells.
    meaning : Meaning
        How the numbers were reckoned.
    """

    source: str
    strata: pd.DataFrame
    start: Dates
    stop: Dates
    numbers: Mapping[str, Range]
    hidden: Bools
    missing: Bools
    provisional: Bools
    part: NDArray[np.int64]
    baseline: Bools | None = None
    meaning: Meaning = field(default_factory=Meaning)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.strata)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A total over several points of a stratum.

    Parameters
    ----------
    source : str
        What it is, in words.
    stratum : mapping of str to str
        Label of each column.
    start, stop : datetime64
        The points lie from ``start`` until before ``stop``; NaT where the text names no time.
    numbers : mapping of str to (low, high)
        "numerator" and "denominator".
    n_points : int, optional
        How many points were summed.
    release : int
        Number of the release it was published in, from 0.
    """

    source: str
    stratum: Mapping[str, str]
    start: np.datetime64
    stop: np.datetime64
    numbers: Mapping[str, tuple[float, float]]
    n_points: int | None = None
    release: int = 0


def refuse_means(what: Any) -> None:
    """Refuse events and births a month: times the months they are counts, which are not read here."""
    frame = what if isinstance(what, pd.DataFrame) else getattr(what, "table", None)
    if isinstance(frame, pd.DataFrame) and frame.columns.astype("str").str.endswith("_per_month").any():
        raise InputTypeError(
            f"published holds a {type(what).__name__} with events and births a month, which give counts that "
            "this audit does not read. Make it from disclosed counts (.disclose(rule), or of a disclosed "
            "series) and give its .series to the audit in its place."
        )
