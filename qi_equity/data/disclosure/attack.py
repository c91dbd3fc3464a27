"""The attack: everything printed in one system, and the whole numbers that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from qi_equity.data.disclosure.derived import Rows, fitting_pairs, level_of
from qi_equity.data.disclosure.from_lines import births_from_limits, births_from_lines
from qi_equity.data.disclosure.outlook import Outlook
from qi_equity.data.disclosure.places import Places
from qi_equity.data.disclosure.readings import COUNTS, Bools, Floats, Printed, Range
from qi_equity.data.disclosure.sums import SumRow
from qi_equity.errors import DataError
from qi_equity.formulas._outsider_bounds import propagate
from qi_equity.formulas.outsider import Knowledge, whole_numbers_left

__all__ = ["Attack", "Remaining"]

Ints = NDArray[np.int64]

_ROUNDS = 4
# Of more cells than this the ends of what is left are not looked for, only whether enough numbers are.
_MANY = 400
_WORDS = {
    ("value", "interval"): "the value",
    ("value", "limits"): "the value",
    ("lower", "interval"): "the interval",
    ("lower", "limits"): "the limits",
}


@dataclass(frozen=True, slots=True, eq=False)
class Remaining:
    """What is left for K places: ends, numbers that were found, and whether these are all."""

    lowest: Floats
    highest: Floats
    values: tuple[Ints, ...]
    exact: Bools


@dataclass(slots=True, eq=False)
class Attack:
    """What an outsider knows of P places, growing as facts are put together.

    Parameters
    ----------
    items : sequence of Printed
        What was published.
    places : Places
        Where its rows belong.
    outlook : Outlook
        How counts were printed, as the rule says.
    told : sequence of SumRow
        Totals and rates over several points.
    """

    items: Sequence[Printed]
    places: Places
    outlook: Outlook
    told: Sequence[SumRow] = ()
    low: dict[str, Floats] = field(default_factory=dict)
    high: dict[str, Floats] = field(default_factory=dict)
    shown: dict[str, Floats] = field(default_factory=dict)
    hidden: dict[str, Bools] = field(default_factory=dict)
    rounded: dict[str, Bools] = field(default_factory=dict)
    missing: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    allowed: dict[tuple[str, int], Ints] = field(default_factory=dict)
    by_pairs: dict[int, set[str]] = field(default_factory=dict)
    by_lines: dict[int, set[str]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.places.names)
        for name in COUNTS:
            self.low[name], self.high[name] = np.zeros(size), np.full(size, np.inf)
            self.shown[name], self.hidden[name] = np.full(size, np.nan), np.zeros(size, dtype=bool)
        self.missing = np.zeros(size, dtype=bool)
        for item, at in zip(self.items, self.places.of_row, strict=True):
            self._take(item, at)
        self.rounded = {q: np.isfinite(self.shown[q]) & (self.high[q] > self.low[q]) for q in COUNTS}

    def _take(self, item: Printed, at: Ints) -> None:
        """Take the counts of an item as they were printed."""
        np.logical_or.at(self.missing, at, item.missing)
        np.logical_or.at(self.hidden["numerator"], at, item.hidden)
        for name in COUNTS:
            printed = item.numbers.get(name)
            if printed is None:
                continue
            there = printed.there
            values = np.rint((printed.low + printed.high) / 2)
            low, high = self.outlook.stands_for(values)
            np.maximum.at(self.low[name], at[there], low[there])
            np.minimum.at(self.high[name], at[there], high[there])
            self.shown[name][at[there]] = values[there]
            withheld = ~there & ~item.missing & (item.hidden if name == "numerator" else there.any())
            np.logical_or.at(self.hidden[name], at, withheld)
            least = self._least_withheld(item, name)
            np.maximum.at(self.low[name], at[withheld], least[withheld])
            np.minimum.at(self.high[name], at[withheld], self.outlook.most_withheld)

    def _least_withheld(self, item: Printed, name: str) -> Floats:
        """Give the lowest that a withheld count of each row can be: events that go with births may be 0."""
        least = np.full(len(item), self.outlook.least_withheld)
        births = item.numbers.get("denominator")
        if births is not None and name != "denominator" and births.there.any():
            least[~births.there] = 0.0
        return least

    @property
    def bound(self) -> bool:
        """Whether events are at most the births."""
        kinds = {item.meaning.kind for item in self.items}
        return bool(kinds - {""}) and kinds <= {"proportion", ""}

    def gather(self) -> None:
        """Put facts together until nothing gets narrower."""
        self._settle_missing()
        self._loosen_totals()
        for item, at in zip(self.items, self.places.of_row, strict=True):
            self._read_lines(item, at)
        for _ in range(_ROUNDS):
            before = [b.copy() for name in COUNTS for b in (self.low[name], self.high[name])]
            if self.bound:
                self.high["numerator"] = np.fmin(self.high["numerator"], self.high["denominator"])
                self.low["denominator"] = np.fmax(self.low["denominator"], self.low["numerator"])
            for name in COUNTS:
                self._carry(name)
            for item, at in zip(self.items, self.places.of_row, strict=True):
                self._read_pairs(item, at)
            after = [b for name in COUNTS for b in (self.low[name], self.high[name])]
            if all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
                break

    def _settle_missing(self) -> None:
        """Count what was not reported as no part of any sum."""
        alone = self.missing & (self.places.atom >= 0)
        for name in COUNTS:
            self.low[name][alone] = self.high[name][alone] = 0.0

    def _loosen_totals(self) -> None:
        """Take totals that are the sums of rounded parts as they are shown for no more than that."""
        several = self.places.atom < 0
        for name in COUNTS:
            parts = np.zeros(self.places.cover.shape[1])
            alone = np.flatnonzero(~several)
            parts[self.places.atom[alone]] = self.shown[name][alone]
            rounded = several & self.rounded[name]
            if rounded.any() and (self.places.cover @ parts == self.shown[name])[rounded].all():
                self.low[name][rounded], self.high[name][rounded] = 0.0, np.inf

    def _read_lines(self, item: Printed, at: Ints) -> None:
        """Narrow births by standard errors and centre lines, unless these come from the births shown."""
        births = Range(self.low["denominator"][at], self.high["denominator"][at])
        open_rows = births.low < births.high
        if item.meaning.lines != "limits" or not open_rows.any():
            return
        shown = self.shown["denominator"][at]
        from_shown = births_from_lines(item, Range(shown, shown))
        told = np.isfinite(shown) & np.isfinite(from_shown.high)
        if told.any() and ((from_shown.low == shown) & (from_shown.high == shown))[told].all():
            open_rows &= ~np.isfinite(shown)
        found = births_from_lines(item, births)
        narrows = open_rows & ((found.low > births.low) | (found.high < births.high))
        self._narrow("denominator", at[narrows], found.low[narrows], found.high[narrows])
        allowed = births_from_limits(item, births)
        for row, values in allowed.items():
            if open_rows[row]:
                self._narrow("denominator", at[[row]], values[:1].astype(float), values[-1:].astype(float))
                self.allowed["denominator", int(at[row])] = values
        told = narrows | np.isin(np.arange(len(at)), list(allowed))
        for place in at[told & open_rows].tolist():
            self.by_lines.setdefault(place, set()).add(f"the limits of {item.source}")

    def _narrow(self, name: str, at: Ints, low: Floats, high: Floats) -> None:
        np.maximum.at(self.low[name], at, low)
        np.minimum.at(self.high[name], at, high)

    def _system(self, name: str) -> tuple[Floats, Floats, csr_array, Floats, Floats, dict[int, Ints]]:
        """Give what is known of the atoms of one quantity: bounds, sums and allowed values."""
        atom, cover = self.places.atom, self.places.cover
        alone = np.flatnonzero(atom >= 0)
        low, high = np.zeros(cover.shape[1]), np.full(cover.shape[1], np.inf)
        np.maximum.at(low, atom[alone], self.low[name][alone])
        np.minimum.at(high, atom[alone], self.high[name][alone])
        if (low > high).any():
            self.doubts.append(f"Some {name}s are printed as different numbers; these were not used.")
            low, high = np.where(low > high, 0.0, low), np.where(low > high, np.inf, high)
        told = (atom < 0) & ((self.low[name] > 0) | np.isfinite(self.high[name]))
        rows = [cover[np.flatnonzero(told)]]
        ends = [np.stack([self.low[name][told], self.high[name][told]])]
        for row in self.told:
            if row.quantity in (name, "value") and name != "unrecorded":
                least, most = self._told_range(row, name)
                rows.append(row.atoms)
                ends.append(np.array([[least], [most]]))
        both = np.concatenate(ends, axis=1)
        allowed = {
            int(atom[place]): values
            for (quantity, place), values in self.allowed.items()
            if quantity == name and atom[place] >= 0
        }
        return low, high, vstack(rows, format="csr"), both[0], both[1], allowed

    def _told_range(self, row: SumRow, name: str) -> tuple[float, float]:
        """Give the range of a total: of a pooled rate, by what is known of the births under it."""
        if row.quantity == name:
            return row.low, row.high
        if name != "numerator":
            return 0.0, np.inf
        if row.size is not None:
            births = (row.size, row.size)
        else:
            low, high, *_ = self._atoms("denominator")
            births = (float((row.atoms @ low)[0]), float((row.atoms @ high)[0]))
        give = 1e-9 * max(births[0], 1.0)
        most = row.high * births[1] + give if np.isfinite(births[1]) else np.inf
        return float(np.ceil(row.low * births[0] - give)), float(np.floor(most)) if most < np.inf else np.inf

    def _atoms(self, name: str) -> tuple[Floats, Floats]:
        atom = self.places.atom
        alone = np.flatnonzero(atom >= 0)
        size = self.places.cover.shape[1]
        low, high = np.zeros(size), np.full(size, np.inf)
        np.maximum.at(low, atom[alone], self.low[name][alone])
        np.minimum.at(high, atom[alone], self.high[name][alone])
        return low, high

    def _carry(self, name: str) -> None:
        """Carry bounds from sums to their parts and back."""
        low, high, sums, least, most, allowed = self._system(name)
        fits = self._fitting(sums, low, high, least, most, name)
        new_low, new_high = propagate(low, high, sums[fits], least[fits], most[fits], allowed)
        if (new_low > new_high).any():
            self.doubts.append(f"The {name}s contradict each other; their sums were not used.")
            return
        cover = self.places.cover
        with np.errstate(invalid="ignore"):
            endless = cover @ np.isinf(new_high).astype(float) > 0
            top = cover @ np.where(np.isinf(new_high), 0.0, new_high)
        self.low[name] = np.fmax(self.low[name], cover @ new_low)
        self.high[name] = np.fmin(self.high[name], np.where(endless, np.inf, top))

    def _fitting(
        self, sums: csr_array, low: Floats, high: Floats, least: Floats, most: Floats, name: str
    ) -> Ints:
        """Find the sums that their parts can make: a total may hold people that no part shows."""
        endless = sums @ np.isinf(high).astype(float) > 0
        top = np.where(endless, np.inf, sums @ np.where(np.isinf(high), 0.0, high))
        fits: Ints = np.flatnonzero((sums @ low <= most) & (top >= least))
        if len(fits) < sums.shape[0]:
            count = sums.shape[0] - len(fits)
            self.doubts.append(f"{count} sum(s) of the {name}s are not those of the parts shown; not used.")
        return fits

    def _read_pairs(self, item: Printed, at: Ints) -> None:
        """Narrow events and births by the rates and intervals beside them."""
        names = [n for n in ("value", "lower", "upper", "lower_2s", "upper_2s") if n in item.numbers]
        rows = self._open_rows(item, at, names)
        if not names or not rows.any() or item.meaning.kind in ("count", "mean"):
            return
        index = np.flatnonzero(rows)
        there = at[index]
        ends = {"lower", "upper"} & set(names)
        level = item.meaning.confidence
        if ends and item.meaning.lines == "interval":
            level = level_of(self._rows(item, at, np.arange(len(item)), sorted(ends), level))
        if np.isnan(level):
            self.doubts.append(f"The intervals of {item.source} are of no kind that is known; not used.")
            names = [n for n in names if n not in ends]
        pairs = fitting_pairs(self._rows(item, at, index, names, level))
        for row, part in pd.DataFrame(
            {"row": pairs.row, "numerator": pairs.events, "denominator": pairs.births}
        ).groupby("row"):
            self._allow(
                int(there[int(str(row))]), part, f"{_columns(names, item.meaning.lines)} of {item.source}"
            )

    def _rows(self, item: Printed, at: Ints, index: Ints, names: Sequence[str], level: float) -> Rows:
        """Give what is known of some rows of an item, and the numbers printed beside them."""
        there = at[index]
        return Rows(
            events=Range(self.low["numerator"][there], self.high["numerator"][there]),
            births=Range(self.low["denominator"][there], self.high["denominator"][there]),
            printed={n: Range(item.numbers[n].low[index], item.numbers[n].high[index]) for n in names},
            kind=item.meaning.kind,
            lines=item.meaning.lines,
            confidence=level,
        )

    def _open_rows(self, item: Printed, at: Ints, names: Sequence[str]) -> Bools:
        """Tell which rows have numbers that can tell more of their counts than is known."""
        x, n = (self.high[q][at] > self.low[q][at] for q in ("numerator", "denominator"))
        told = np.zeros(len(item), dtype=bool)
        for name in names:
            told |= item.numbers[name].there
        rows: Bools = (x | n) & told & ~item.missing
        if self._from_shown(item, at):
            rows &= ~np.isfinite(self.shown["numerator"][at])
        return rows

    def _from_shown(self, item: Printed, at: Ints) -> bool:
        """Tell whether the rates of an item come from the counts as shown, so that they tell no more."""
        value = item.numbers.get("value")
        if value is None:
            return False
        x, n = self.shown["numerator"][at], self.shown["denominator"][at]
        told = (
            value.there & np.isfinite(x) & (n > 0) & (self.high["numerator"][at] > self.low["numerator"][at])
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = x / n
        return bool(told.any() and value.holds(rate * (1 - 1e-12), rate * (1 + 1e-12))[told].all())

    def _allow(self, place: int, pairs: pd.DataFrame, how: str) -> None:
        """Keep the events and births that some pair has."""
        for name in ("numerator", "denominator"):
            values = np.unique(pairs[name].to_numpy(dtype=np.int64))
            before = self.allowed.get((name, place))
            if before is not None:
                both = np.intersect1d(before, values)
                values = both if len(both) else before
            inside = values[(values >= self.low[name][place]) & (values <= self.high[name][place])]
            if not len(inside):
                continue
            if len(inside) < self.high[name][place] - self.low[name][place] + 1:
                self.by_pairs.setdefault(place, set()).add(how)
            self.allowed[name, place] = inside
            self.low[name][place], self.high[name][place] = float(inside[0]), float(inside[-1])

    def left(self, name: str, wanted: Ints, enough: int) -> Remaining:
        """Find the whole numbers that are left for some places.

        Parameters
        ----------
        name : str
            One of ``COUNTS``.
        wanted : ndarray of int, shape (K,)
            The places.
        enough : int
            How many whole numbers need to be found.

        Returns
        -------
        Remaining
        """
        low, high, sums, least, most, allowed = self._system(name)
        fits = self._fitting(sums, low, high, least, most, name)
        cells = self.places.cover[wanted]
        try:
            known = Knowledge(low, high, sums[fits], least[fits], most[fits], allowed)
            found = whole_numbers_left(known, cells, enough=enough, bounds=len(wanted) <= _MANY)
        except DataError:
            self.doubts.append(f"The {name}s contradict each other; their sums were not used.")
            rows = csr_array((0, len(low)))
            known = Knowledge(low, high, rows, np.zeros(0), np.zeros(0), allowed)
            found = whole_numbers_left(known, cells, enough=enough)
        return Remaining(found.lowest, found.highest, found.values, found.exact)


def _columns(names: Sequence[str], lines: str) -> str:
    shown = [_WORDS.get((n, lines), "") for n in names]
    return " and ".join(w for w in shown if w)
