"""Counts of every stratum and period as dense blocks, and the one place where they are summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity._result import from_json, to_json
from qi_equity.data.cases import Cases
from qi_equity.errors import DataError

__all__ = [
    "BLOCKS",
    "COLUMNS",
    "MISSING",
    "OBSERVED",
    "PADDING",
    "PROVISIONAL",
    "STATUSES",
    "SUPPRESSED",
    "Cells",
]

STATUSES = ("observed", "missing", "suppressed", "provisional")
OBSERVED, MISSING, SUPPRESSED, PROVISIONAL = range(4)
PADDING = -1

COLUMNS = ("numerator", "denominator", "unrecorded", "value", "sd")
_FURTHER = ("range", "expected")
BLOCKS = (*COLUMNS, *_FURTHER)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def _unknown() -> Floats:
    """Give a block of which nothing is known, to be stretched to the shape of the others."""
    return np.full((1, 1), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Counts and values of S strata in T periods; every array is read-only.

    Parameters
    ----------
    strata : pandas.DataFrame
        One row a stratum: ``site`` (if any), ``group``, further strata; categorical, in declared order.
    periods : ndarray of datetime64[us], shape (T,) or (S, T)
        Start of each period; for times between events the date of each event, NaT after the last.
    numerator, denominator, unrecorded, value, sd : ndarray of float64, shape (S, T)
        Counts and unscaled values; NaN where not known.
    status : ndarray of int8, shape (S, T)
        Index into ``STATUSES``; -1 after the last event of a stratum.
    range, expected : ndarray of float64, shape (S, T), optional
        Greatest less smallest value of a subgroup, and the sum of the probabilities of the event that were
        expected of its births; NaN where not known. They are no columns of :meth:`frame`.
    cases : Cases, optional
        The expected probability of every birth between events.
    """

    strata: pd.DataFrame
    periods: NDArray[np.datetime64]
    numerator: Floats
    denominator: Floats
    unrecorded: Floats
    value: Floats
    sd: Floats
    status: NDArray[np.int8]
    range: Floats = field(default_factory=_unknown)
    expected: Floats = field(default_factory=_unknown)
    cases: Cases | None = None

    def __post_init__(self) -> None:
        for name in ("periods", *COLUMNS, "status"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        for name in _FURTHER:
            object.__setattr__(self, name, np.broadcast_to(getattr(self, name), self.status.shape))

    @classmethod
    def dense(
        cls,
        strata: pd.DataFrame,
        periods: NDArray[np.datetime64],
        stratum_index: Ints,
        period_index: Ints,
        *,
        numerator: Floats | None = None,
        denominator: Floats | None = None,
        unrecorded: Floats | None = None,
        value: Floats | None = None,
        sd: Floats | None = None,
        range: Floats | None = None,
        expected: Floats | None = None,
        status: NDArray[np.int8] | None = None,
        absent: Literal["missing", "no births"] = "missing",
        kind: str | None = None,
    ) -> Cells:
        """Scatter rows (one for each stratum and period at most) into dense blocks.

        Parameters
        ----------
        strata : pandas.DataFrame, S rows
            The strata.
        periods : ndarray of datetime64[us], shape (T,) or (S, T)
            The periods, or the dates of events with NaT after the last of a stratum.
        stratum_index, period_index : ndarray of int, shape (R,)
            Where each row belongs.
        numerator, denominator, unrecorded, value, sd, range, expected : ndarray of float, (R,), optional
            What the rows hold; what is not given is NaN everywhere.
        status : ndarray of int8, shape (R,), optional
            Status of each row. Default: missing without a count, unless births are 0; else observed.
        absent : {"missing", "no births"}
            What a stratum and period without a row means: nothing is known, or counts of 0.
        kind : str, optional
            Kind of the measure, which says how the value comes from the counts when ``value`` is not given.
            Default: a count without ``denominator``, else a proportion.

        Returns
        -------
        Cells
        """
        shape = (len(strata), periods.shape[-1])
        flat = np.asarray(stratum_index, dtype=np.int64) * shape[1] + np.asarray(period_index, dtype=np.int64)
        fill = 0.0 if absent == "no births" else np.nan
        blocks: dict[str, Any] = {
            "numerator": _scatter(numerator, flat, shape, fill),
            "denominator": _scatter(denominator, flat, shape, fill),
            "unrecorded": _scatter(unrecorded, flat, shape, fill),
            "value": _scatter(value, flat, shape, np.nan),
            "sd": _scatter(sd, flat, shape, np.nan),
            "range": _scatter(range, flat, shape, np.nan),
            "expected": _scatter(expected, flat, shape, fill),
        }
        if value is None:
            kind = kind or ("count" if denominator is None else "proportion")
            blocks["value"] = value_of(kind, blocks["numerator"], blocks["denominator"])
        states = np.full(shape, OBSERVED if absent == "no births" else MISSING, dtype=np.int8)
        states.ravel()[flat] = (
            _row_status(value if numerator is None else numerator, denominator) if status is None else status
        )
        if periods.ndim == 2:
            states[np.isnat(periods)] = PADDING
        return cls(strata.reset_index(drop=True), periods.astype("datetime64[us]"), status=states, **blocks)

    @property
    def reported(self) -> Bools:
        """Cells whose counts are known (observed or provisional), shape (S, T)."""
        reported: Bools = (self.status == OBSERVED) | (self.status == PROVISIONAL)
        return reported

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """Starts of the periods, or the dates of all events in order, shape (N,)."""
        return self.periods if self.periods.ndim == 1 else np.unique(self.periods[~np.isnat(self.periods)])

    @property
    def ends(self) -> NDArray[np.datetime64]:
        """First and last of the dates, shape (2,); NaT without any event."""
        return self.dates[[0, -1]] if self.dates.size else np.full(2, "NaT", dtype="datetime64[us]")

    def take(self, strata: slice | Ints | Bools, periods: slice | Ints | Bools = slice(None)) -> Cells:
        """Keep some strata (rows) and periods (columns), in the order given; labels left without rows go."""
        blocks = {name: getattr(self, name)[strata][:, periods] for name in (*BLOCKS, "status")}
        dates = self.periods[periods] if self.periods.ndim == 1 else self.periods[strata][:, periods]
        kept = tidy_strata(self.strata.iloc[strata])
        cases = self.cases
        if cases is not None:
            cases = cases.gather(*(part[strata][:, periods] for part in cases.places(self.denominator)))
        return replace(self, strata=kept, periods=dates, **blocks, cases=cases)

    def frame(self) -> pd.DataFrame:
        """Make a tidy frame, one row a stratum and period."""
        present = (self.status != PADDING).ravel()
        row = np.repeat(np.arange(len(self.strata)), self.status.shape[1])[present]
        frame = pd.DataFrame({c: self.strata[c].array.take(row) for c in self.strata.columns})
        frame["period"] = np.broadcast_to(self.periods, self.status.shape).ravel()[present]
        for name in COLUMNS:
            frame[name] = getattr(self, name).ravel()[present]
        frame["status"] = pd.Categorical.from_codes(
            self.status.ravel()[present], categories=pd.Index(STATUSES)
        )
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Give the cells as a dictionary that JSON can hold."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        parts |= {name: None for name in _FURTHER if np.isnan(parts[name]).all()}
        if self.cases is not None:
            parts["cases"] = {"risk": self.cases.risk, "start": self.cases.start}
        return {name: to_json(part) for name, part in parts.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cells:
        """Make the cells that :meth:`to_dict` described; a DataError if the data are not those of cells."""
        parts = {f.name: from_json(data[f.name]) for f in fields(cls)}
        shape = (len(parts["strata"]), np.shape(parts["periods"])[-1])
        parts |= {name: np.broadcast_to(np.nan, shape) for name in _FURTHER if parts[name] is None}
        shapes = {name: np.shape(parts[name]) for name in (*BLOCKS, "status")}
        if any(found != shape for found in shapes.values()):
            raise DataError(f"The blocks of these cells have shapes {shapes}; wanted is {shape} for each.")
        if parts["cases"] is not None:
            parts["cases"] = Cases(**parts["cases"])
            parts["cases"].check(parts["denominator"])
        return cls(**parts)

    def equals(self, other: object) -> bool:
        """Tell whether the other holds the same strata, periods and numbers (NaN equals NaN)."""
        if not isinstance(other, Cells) or to_json(self.strata) != to_json(other.strata):
            return False
        if self.cases is None or other.cases is None:
            same_cases = self.cases is other.cases
        else:
            same_cases = self.cases.equals(other.cases)
        return same_cases and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name != "status")
            for name in ("periods", *BLOCKS, "status")
        )


def tidy_strata(strata: pd.DataFrame) -> pd.DataFrame:
    """Count the rows from 0 and drop labels without rows."""
    frame = strata.reset_index(drop=True)
    return pd.DataFrame(
        {c: frame[c].cat.remove_unused_categories() for c in frame.columns}, index=frame.index
    )


def value_of(kind: str, numerator: Floats, denominator: Floats) -> Floats:
    """Give the value of counts: numerator / denominator (NaN where 0), or the numerator of a count."""
    if kind == "count":
        return numerator
    out = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
    return out


def sum_strata(cells: Cells, codes: Ints, strata: pd.DataFrame, kind: str) -> tuple[Cells, Bools]:
    """Sum the strata that share a code; also give the cells of which a part was missing, shape (K, T).

    A stratum that never reported is no reason to call a single cell partly missing.
    """
    never = (cells.status == MISSING).all(axis=1, keepdims=True)
    blocks, partial = _combine(
        {name: getattr(cells, name) for name in (*BLOCKS, "status")}, codes, len(strata), kind, never
    )
    return Cells(strata.reset_index(drop=True), cells.periods, **blocks), partial


def sum_periods(cells: Cells, codes: Ints, periods: NDArray[np.datetime64], kind: str) -> tuple[Cells, Bools]:
    """Sum the periods that share a code; also give the cells of which a part was missing, shape (S, K)."""
    parts = {name: getattr(cells, name).T for name in (*BLOCKS, "status")}
    blocks, partial = _combine(parts, codes, len(periods), kind, np.zeros((1, 1), dtype=bool))
    return Cells(cells.strata, periods, **{name: block.T for name, block in blocks.items()}), partial.T


def sum_used(cells: Cells, used: Bools, kind: str) -> Cells:
    """Sum the periods in use (S, T) into one column; strata without any are missing."""
    blocks: dict[str, Any] = {name: np.where(used, getattr(cells, name), np.nan) for name in BLOCKS}
    status = np.where(used, cells.status, MISSING).astype(np.int8)
    together = np.zeros(used.shape[1], dtype=np.int64)
    kept = replace(cells, **blocks, status=status)
    return sum_periods(kept, together, cells.periods[:1], kind)[0]


def _combine(
    parts: dict[str, NDArray[Any]], codes: Ints, size: int, kind: str, ignore: Bools
) -> tuple[dict[str, Any], Bools]:
    """Sum rows that share a code by one rule for statuses.

    A suppressed part makes the sum suppressed; missing parts are left out of it, and with no part reported
    it is missing; a provisional part makes it provisional.
    """
    status = parts["status"]
    missing, suppressed, provisional = (status == s for s in (MISSING, SUPPRESSED, PROVISIONAL))
    reported = ~missing & ~suppressed
    any_reported, any_suppressed, any_provisional, partly = (
        _add(mask, codes, size) > 0 for mask in (reported, suppressed, provisional, missing & ~ignore)
    )
    total = np.select(
        [any_suppressed, any_provisional, any_reported], [SUPPRESSED, PROVISIONAL, OBSERVED], MISSING
    )
    used = ~missing | ~(any_reported | any_suppressed)[codes]
    sums = {
        n: _add(np.where(used, parts[n], 0.0), codes, size)
        for n in ("numerator", "denominator", "unrecorded", "expected")
    }
    empty = np.bincount(codes, minlength=size) == 0
    for block in sums.values():
        block[empty] = np.nan
    sums["numerator"][any_suppressed] = np.nan
    if kind == "mean":
        sums["value"], sums["sd"] = _combine_means(parts, used, codes, sums["denominator"])
        sums["range"] = _only_range(parts, used, codes, size)
        # A withheld part withholds the sum, also where it is said to be of no measurement.
        for name in ("value", "sd", "range"):
            sums[name] = np.where(any_suppressed, np.nan, sums[name])
    else:
        sums["value"] = value_of(kind, sums["numerator"], sums["denominator"])
        sums["sd"] = sums["range"] = np.full(total.shape, np.nan)
    return {**sums, "status": total.astype(np.int8)}, partly & any_reported & ~any_suppressed


def _combine_means(
    parts: dict[str, NDArray[Any]], used: Bools, codes: Ints, size: Floats
) -> tuple[Floats, Floats]:
    """Give the mean and standard deviation of subgroups taken together, exactly.

    The sum of squares is that within the subgroups plus that of their means about the common mean.
    """
    n = np.where(used, parts["denominator"], 0.0)
    mean = np.where(n == 0, 0.0, parts["value"])
    pooled = value_of("mean", _add(n * mean, codes, len(size)), size)
    within = np.where(n <= 1, 0.0, (n - 1) * parts["sd"] ** 2)
    about = np.where(n == 0, 0.0, n * (mean - pooled[codes]) ** 2)
    return pooled, np.sqrt(value_of("mean", _add(within + about, codes, len(size)), size - 1))


def _only_range(parts: dict[str, NDArray[Any]], used: Bools, codes: Ints, size: int) -> Floats:
    """Give the range of the only subgroup that has values; of several taken together it is not known."""
    there = used & (parts["denominator"] != 0)
    one = _add(there, codes, size) == 1
    return np.where(one, _add(np.where(there, parts["range"], 0.0), codes, size), np.nan)


def _add(block: NDArray[Any], codes: Ints, size: int) -> Floats:
    """Sum the rows of a block that share a code, shape (size, T)."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    out = np.zeros((size, *block.shape[1:]))
    out[ordered[starts]] = np.add.reduceat(block[order].astype(np.float64, copy=False), starts, axis=0)
    return out


def _scatter(rows: Floats | None, flat: Ints, shape: tuple[int, int], fill: float) -> Floats:
    if rows is None:
        return np.broadcast_to(np.nan, shape)
    block = np.full(shape, fill)
    block.ravel()[flat] = rows
    return block


def _row_status(count: Floats | None, births: Floats | None) -> NDArray[np.int8]:
    known = np.isfinite(np.asarray(count, dtype=np.float64))
    if births is not None:
        known |= np.asarray(births) == 0
    return np.where(known, OBSERVED, MISSING).astype(np.int8)
