"""Totals and rates over several points: of those shown only, or of withheld ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from qi_equity.data.disclosure.from_lines import births_from_lines
from qi_equity.data.disclosure.places import Places
from qi_equity.data.disclosure.readings import Bools, Floats, Meaning, Printed, Range, Told

__all__ = ["SumRow", "as_item", "pooled_rows", "text_rows"]

Ints = NDArray[np.int64]

# A line that a program wrote in full is its pooled rate but for rounding in the last digits.
_REL = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class SumRow:
    """A number about a sum of atoms.

    Parameters
    ----------
    source : str
        Where it was read.
    atoms : scipy.sparse.csr_array, shape (1, A)
        1 for each atom that is summed.
    quantity : str
        "numerator" or "denominator": ``low`` to ``high`` is the sum; "value": the events over the births.
    low, high : float
        Range of the number.
    size : float, optional
        What a "value" is over where that is no number of births: the points of a mean.
    """

    source: str
    atoms: csr_array
    quantity: str
    low: float
    high: float
    size: float | None = None


def as_item(told: Sequence[Told], release: int) -> Printed:
    """Give places to what was told: an item with a row for each, without numbers."""
    columns = list(dict.fromkeys(c for one in told for c in one.stratum))
    strata = pd.DataFrame({c: [one.stratum.get(c) for one in told] for c in columns}, dtype="object")
    if not columns:
        strata = pd.DataFrame(index=range(len(told)))
    nothing = np.zeros(len(told), dtype=bool)
    start, stop = (
        np.array([getattr(one, name) for one in told], dtype="datetime64[us]") for name in ("start", "stop")
    )
    part = np.arange(len(told))
    meaning = Meaning(release=release)
    return Printed("text", strata, start, stop, {}, nothing, nothing, nothing, part, None, meaning)


def pooled_rows(item: Printed, at: Ints, places: Places, shown: Mapping[str, Floats]) -> list[SumRow]:
    """Read the centre lines of a chart that withheld points have a part in.

    Parameters
    ----------
    item : Printed
        Points of a chart.
    at : ndarray of int, shape (R,)
        Their places.
    places : Places
        All places.
    shown : mapping of str to ndarray
        Counts of each place as they were shown; NaN where not.

    Returns
    -------
    list of SumRow
        A line counts as the rate pooled over the points that set it only where standard errors, or another
        part of the chart, show that it is one.
    """
    centre = item.numbers.get("centre_line")
    if centre is None or item.meaning.kind in ("mean", "between"):
        return []
    x, n = shown["numerator"][at], shown["denominator"][at]
    counted = item.meaning.kind == "count"
    n = np.ones(len(x)) if counted else n
    base = centre.there & ~item.missing & ~item.provisional
    if item.baseline is not None:
        base &= item.baseline
    own = _pooled(centre, item.part, base, x, n)
    shared = pd.factorize(np.where(base, np.round(centre.low, 12), np.nan))[0].astype(np.int64)
    several = pd.Series(item.part).groupby(shared).transform("nunique").to_numpy() > 1
    if own.closed.any():
        rows = own if own.fits[own.closed].all() else _pooled(centre, shared, base & several, x, n)
    else:
        rows = _pooled(centre, shared, base, x, n) if several.any() else own
    sure = (rows is own and bool(own.closed.any())) or _confirmed(item, n, counted)
    found = []
    for part in np.unique(rows.part[rows.wanted]) if sure else []:
        inside = np.flatnonzero(rows.base & (rows.part == part))
        low, high = centre.low[inside].max(), centre.high[inside].min()
        size = float(len(inside)) if counted else None
        source = f"the centre line of {item.source}"
        found.append(SumRow(source, _together(places, at[inside]), "value", low, high, size))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Pooled:
    """Rows by the line they share: those that set it, whether the rows shown make it, and whether all are."""

    part: Ints
    base: Bools
    fits: Bools
    closed: Bools

    @property
    def wanted(self) -> Bools:
        """Rows of a line that the rows shown do not make."""
        return self.base & ~self.closed & ~self.fits


def _pooled(centre: Range, part: Ints, base: Bools, x: Floats, n: Floats) -> _Pooled:
    """Compare each line with the rate pooled over those of its rows that are shown."""
    known = base & np.isfinite(x)
    frame = pd.DataFrame({"x": np.where(known, x, np.nan), "n": np.where(known, n, np.nan)})
    sums = frame.groupby(part).transform("sum")
    with np.errstate(invalid="ignore", divide="ignore"):
        visible = (sums["x"] / sums["n"]).to_numpy()
    fits = centre.holds(visible * (1 - _REL), visible * (1 + _REL))
    gaps = pd.Series(base & ~np.isfinite(x)).groupby(part).transform("any").to_numpy()
    return _Pooled(part, base, fits, base & ~gaps)


def _confirmed(item: Printed, births: Floats, counted: bool) -> bool:
    """Tell whether standard errors show a chart of counts, whose line is the pooled rate."""
    sigma, centre = item.numbers.get("sigma"), item.numbers["centre_line"]
    if sigma is None:
        return False
    if counted:
        root = np.sqrt(centre.low)
        return bool(sigma.holds(root * (1 - _REL), root * (1 + _REL))[sigma.there].all())
    known = np.isfinite(births) & sigma.there
    found = births_from_lines(item, Range(births, births))
    return bool(known.any() and ((found.low == births) & (found.high == births))[known].all())


def _together(places: Places, at: Ints) -> csr_array:
    """Give the atoms of several places that have none in common, as one row."""
    ones = csr_array(np.ones((1, len(at))))
    return csr_array(ones @ places.cover[at])


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What frames show of all places, against which a text is read.

    Parameters
    ----------
    counts : mapping of str to ndarray, shape (P,)
        As they were shown; NaN where not.
    in_frame : ndarray of bool, shape (P,)
        Places that a frame has a row for.
    missing, provisional : ndarray of bool, shape (P,)
        How they are shown.
    """

    counts: Mapping[str, Floats]
    in_frame: Bools
    missing: Bools
    provisional: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))


def text_rows(told: Sequence[Told], at: Ints, places: Places, shown: Shown) -> list[SumRow]:
    """Give the totals and pooled rates of texts in which withheld points have a part.

    Parameters
    ----------
    told : sequence of Told
        What texts say.
    at : ndarray of int
        The place of each.
    places : Places
        All places.
    shown : Shown
        What frames show.

    Returns
    -------
    list of SumRow
        None for a number that the points shown make by themselves.
    """
    rows = []
    for one, place in zip(told, at.tolist(), strict=True):
        points = _points(places, place, shown)
        atoms = _summed(one, points, places, place, shown)
        if atoms is None:
            continue
        for quantity, (low, high) in one.numbers.items():
            rows.append(SumRow(one.source, atoms, quantity, low, high))
    return rows


def _points(places: Places, place: int, shown: Shown) -> Ints:
    """Find the places of frames that lie in a place of a text, none of them within another."""
    names, cover = places.names, places.cover
    inside = np.asarray((cover @ cover[[place]].T).todense()).ravel() == np.diff(cover.indptr)
    columns = [c for c in names.columns if c not in ("start", "stop", "release")]
    alike = (names[columns] == names.loc[place, columns]).all(axis=1).to_numpy()
    found = np.flatnonzero(inside & alike & shown.in_frame)
    sizes = np.diff(cover.indptr)[found]
    return found[np.argsort(sizes, kind="stable")][: int((sizes == sizes.min(initial=0)).sum()) or len(found)]


def _summed(one: Told, points: Ints, places: Places, place: int, shown: Shown) -> csr_array | None:
    """Give the atoms that a number of a text sums; None where those shown make it, or nothing tells."""
    counted = points[~shown.missing[points]]
    final = counted[~shown.provisional[counted]]
    for some in (counted, final):
        seen = some[np.isfinite(shown.counts["numerator"][some])]
        if len(some) and _makes(one, {q: shown.counts[q][seen].sum() for q in ("numerator", "denominator")}):
            return None
    if not len(points):
        return csr_array(places.cover[[place]])
    for some in (counted, final):
        if one.n_points in (None, len(some)):
            whole = len(some) == len(points)
            return csr_array(places.cover[[place]]) if whole else _together(places, some)
    return None


def _makes(one: Told, sums: Mapping[str, float]) -> bool:
    """Tell whether these sums give all that a text says."""
    return all(low <= sums[name] <= high for name, (low, high) in one.numbers.items())
