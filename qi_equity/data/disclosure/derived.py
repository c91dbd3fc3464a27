"""From rates and intervals back to the counts: every pair of whole numbers that gives what is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qi_equity.data.disclosure.readings import Range
from qi_equity.formulas import proportion_intervals as proportions
from qi_equity.formulas import rate_intervals as rates
from qi_equity.formulas.interval import Interval

__all__ = ["CEILING", "Pairs", "Rows", "fitting_pairs"]

CEILING = 20_000
"""Numbers of births of a row that are tried where nothing bounds them."""

MOST = 400_000
"""Pairs of a row that are tried at most; a row with more is left as it is."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Ends = Callable[..., Interval]

# Two programs that reckon the same interval differ in the last digits.
_REL = 1e-9

_BINOMIAL: tuple[Ends, ...] = (
    proportions.wilson_interval,
    proportions.jeffreys_interval,
    proportions.clopper_pearson_interval,
)
_POISSON: tuple[Ends, ...] = (
    rates.exact_rate_interval,
    rates.mid_p_rate_interval,
    rates.byar_rate_interval,
    rates.ohid_rate_interval,
)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What is known of R rows: ranges of their counts, and the numbers printed beside them.

    Parameters
    ----------
    events, births : Range
        Whole numbers; ``high`` may be infinite.
    printed : mapping of str to Range
        "value", "lower", "upper", unscaled.
    kind : str
        Kind of the measure: "proportion" binds events to births; "" where nothing tells.
    lines : str
        "interval" or "limits": what ``lower`` and ``upper`` are.
    confidence : float
        Level of the intervals.
    """

    events: Range
    births: Range
    printed: Mapping[str, Range]
    kind: str
    lines: str
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs that are left: for each the number of its row, events and births."""

    row: Ints
    events: Ints
    births: Ints

    def keep(self, mask: Bools) -> Pairs:
        """Keep some of them."""
        return Pairs(self.row[mask], self.events[mask], self.births[mask])


def fitting_pairs(rows: Rows) -> Pairs:
    """Find every pair of events and births that gives the numbers printed in its row.

    Parameters
    ----------
    rows : Rows
        What is known.

    Returns
    -------
    Pairs
        Rows with too many pairs to try, or without any that fits, are not there: they tell nothing.

    Notes
    -----
    A method of intervals is not always named beside them: a pair is kept where any of Wilson's, Jeffreys's
    and Clopper and Pearson's (proportions) or the exact, mid-P, Byar's and OHID's (rates) gives both ends.

    Examples
    --------
    Wilson's interval of 3 events among 60 births, written to three decimals, has no other numerator:

    >>> from qi_equity.data.disclosure.readings import from_text
    >>> sixty, ends = np.array([60.0]), {"lower": from_text(["0.017"]), "upper": from_text(["0.137"])}
    >>> rows = Rows(Range(0 * sixty, sixty), Range(sixty, sixty), ends, "proportion", "interval", 0.95)
    >>> fitting_pairs(rows).events.tolist()
    [3]
    """
    births, open_ended = _births(rows)
    low, high = _events(rows, births)
    pairs = _expand(births, np.maximum(high - low + 1, 0), low)
    if rows.lines == "interval" and {"lower", "upper"} <= set(rows.printed):
        pairs = _by_interval(rows, pairs)
    return _settled(pairs, open_ended, rows.births.low)


def _births(rows: Rows) -> tuple[Pairs, Bools]:
    """Give every number of births of each row (as pairs without events), and rows that nothing bounds."""
    low = np.maximum(np.ceil(rows.births.low), 1.0)
    high = np.floor(rows.births.high)
    value = rows.printed.get("value")
    if value is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.where(
                (value.low > 0) & np.isfinite(rows.events.high), rows.events.high / value.low, np.inf
            )
            least = np.where(value.high > 0, rows.events.low / value.high, 0.0)
        high = np.fmin(high, np.floor(most + 1e-6))
        low = np.fmax(low, np.ceil(least - 1e-6))
    open_ended = high - low > CEILING
    size = np.clip(high - low + 1, 0, CEILING + 1).astype(np.int64)
    row, step = _ragged(size)
    births = low[row].astype(np.int64) + step
    return Pairs(row, np.zeros_like(births), births), open_ended


def _events(rows: Rows, pairs: Pairs) -> tuple[Ints, Ints]:
    """Give the lowest and highest number of events for each number of births."""
    row, n = pairs.row, pairs.births
    low, high = np.ceil(rows.events.low)[row], np.floor(rows.events.high)[row]
    value = rows.printed.get("value")
    for bound in (value, _between(rows)):
        if bound is not None:
            low = np.fmax(low, np.ceil(bound.low[row] * n - 1e-9 * n))
            high = np.fmin(high, np.floor(bound.high[row] * n + 1e-9 * n))
    if rows.kind == "proportion":
        high = np.fmin(high, n)
    high = np.where(np.isfinite(high), high, low + MOST)
    return low.astype(np.int64), high.astype(np.int64)


def _between(rows: Rows) -> Range | None:
    """Give the range of the rate that an interval allows: the estimate lies within every one of them."""
    if rows.lines != "interval" or not {"lower", "upper"} <= set(rows.printed):
        return None
    return Range(rows.printed["lower"].low, rows.printed["upper"].high)


def _ragged(size: Ints) -> tuple[Ints, Ints]:
    row = np.repeat(np.arange(len(size)), size)
    step = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    return row.astype(np.int64), step.astype(np.int64)


def _expand(births: Pairs, size: Ints, low: Ints) -> Pairs:
    """Pair every number of births with its events, but for rows that would have too many pairs."""
    rows = int(births.row.max(initial=-1)) + 1
    many = np.bincount(births.row, weights=size, minlength=rows) > MOST
    size = np.where(many[births.row], 0, size)
    of, step = _ragged(size)
    return Pairs(births.row[of], low[of] + step, births.births[of])


def _by_interval(rows: Rows, pairs: Pairs) -> Pairs:
    """Keep the pairs that give both ends by some method."""
    printed = (rows.printed["lower"], rows.printed["upper"])
    told = (printed[0].there & printed[1].there)[pairs.row]
    fits = ~told
    counted = told & (pairs.events <= pairs.births)
    for methods, mask in ((_BINOMIAL, counted), (_POISSON, told)):
        if rows.kind == ("rate" if methods is _BINOMIAL else "proportion") or not mask.any():
            continue
        x, n, row = pairs.events[mask], pairs.births[mask], pairs.row[mask]
        for method in methods:
            found = method(x.astype(float), n.astype(float), confidence=rows.confidence)
            both = _meets(printed[0], row, found.lower) & _meets(printed[1], row, found.upper)
            fits[np.flatnonzero(mask)[both]] = True
    return pairs.keep(fits)


def _meets(printed: Range, row: Ints, found: Floats) -> Bools:
    give = _REL * np.maximum(np.abs(found), 1e-6)
    meets: Bools = (found >= printed.low[row] - give) & (found <= printed.high[row] + give)
    return meets


def _settled(pairs: Pairs, open_ended: Bools, lowest: Floats) -> Pairs:
    """Leave out rows whose pairs go on up to the ceiling: there are more beyond it."""
    highest = np.zeros(len(open_ended))
    np.maximum.at(highest, pairs.row, pairs.births)
    endless = open_ended & (highest > lowest + CEILING / 2)
    return pairs.keep(~endless[pairs.row])
