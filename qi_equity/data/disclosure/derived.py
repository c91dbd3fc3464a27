"""From rates and intervals back to the counts: every pair of whole numbers that gives what is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from qi_equity.data.disclosure.readings import Range
from qi_equity.formulas import proportion_intervals as proportions
from qi_equity.formulas import rate_intervals as rates
from qi_equity.formulas.interval import Interval

__all__ = ["CEILING", "Pairs", "Rows", "fitting_pairs", "level_of"]

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

_LEVELS = (0.95, 0.99, 0.9, 0.998)


def _wald(events: Floats, births: Floats, *, confidence: float) -> Interval:
    r"""Give :math:`p \pm z \sqrt{p (1 - p) / n}`, the interval of many spreadsheets."""
    p = events / births
    half = ndtri((1 + confidence) / 2) * np.sqrt(p * (1 - p) / births)
    return Interval(p, p - half, p + half)


def _wald_cut(events: Floats, births: Floats, *, confidence: float) -> Interval:
    """Give the same, cut off at 0 and 1."""
    found = _wald(events, births, confidence=confidence)
    return Interval(found.estimate, np.maximum(found.lower, 0.0), np.minimum(found.upper, 1.0))


_BINOMIAL: tuple[Ends, ...] = (
    proportions.wilson_interval,
    proportions.jeffreys_interval,
    proportions.clopper_pearson_interval,
    _wald,
    _wald_cut,
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
    A method of intervals is not always named beside them: a pair is kept where any of Wilson's, Jeffreys's,
    Clopper and Pearson's and Wald's (proportions) or the exact, mid-P, Byar's and OHID's (rates) gives the
    ends that are printed.

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
    if _ends(rows):
        pairs = pairs.keep(_by_interval(rows, pairs, rows.confidence))
    return _settled(pairs, open_ended, rows.births.low)


def level_of(rows: Rows) -> float:
    """Find the level at which intervals of known counts are those printed; NaN where no kind fits.

    Parameters
    ----------
    rows : Rows
        Of which events and births are known: the level that is said is tried first.

    Returns
    -------
    float
        What is said where no row has both known.
    """
    known = (rows.events.low == rows.events.high) & (rows.births.low == rows.births.high)
    known &= rows.births.low > 0
    row = np.flatnonzero(known)
    x, n = rows.events.low[row].astype(np.int64), rows.births.low[row].astype(np.int64)
    levels = dict.fromkeys((rows.confidence, *_LEVELS))
    return next((a for a in levels if _by_interval(rows, Pairs(row, x, n), a).all()), np.nan)


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
    if "lower" in _ends(rows):
        # Where there is no other end: no interval of up to 99.8 % is wider than that.
        most = np.maximum(n * rows.printed["lower"].high[row], 0)
        high = np.where(np.isinf(high), np.fmin(high, np.floor(most + 10 * np.sqrt(most) + 50)), high)
    if rows.kind == "proportion":
        high = np.fmin(high, n)
    high = np.where(np.isfinite(high), high, low + MOST)
    return low.astype(np.int64), high.astype(np.int64)


def _between(rows: Rows) -> Range | None:
    """Give the range of the rate that an interval allows: the estimate lies within every one of them."""
    ends = _ends(rows)
    if not ends:
        return None
    nothing = np.full(len(rows.births.low), np.nan)
    least = rows.printed["lower"].low if "lower" in ends else nothing
    most = rows.printed["upper"].high if "upper" in ends else nothing
    return Range(least, most)


def _ends(rows: Rows) -> set[str]:
    """Name the ends of intervals that are printed."""
    return {"lower", "upper"} & set(rows.printed) if rows.lines == "interval" else set()


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


def _by_interval(rows: Rows, pairs: Pairs, level: float) -> Bools:
    """Tell the pairs that give the ends that are printed, both or one, by some method."""
    printed = {end: rows.printed[end] for end in ("lower", "upper") if end in rows.printed}
    told = np.logical_or.reduce([end.there for end in printed.values()])[pairs.row]
    fits: Bools = ~told
    counted = told & (pairs.events <= pairs.births)
    for methods, mask in ((_BINOMIAL, counted), (_POISSON, told)):
        if rows.kind == ("rate" if methods is _BINOMIAL else "proportion") or not mask.any():
            continue
        x, n, row = pairs.events[mask], pairs.births[mask], pairs.row[mask]
        for method in methods:
            found = method(x.astype(float), n.astype(float), confidence=level)
            ends = [~end.there[row] | _meets(end, row, getattr(found, name)) for name, end in printed.items()]
            fits[np.flatnonzero(mask)[np.logical_and.reduce(ends)]] = True
    return fits


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
