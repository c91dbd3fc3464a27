"""From the lines of a chart back to the births under them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.disclosure.derived import CEILING
from qi_equity.data.disclosure.readings import Bools, Floats, Printed, Range
from qi_equity.formulas.probability_limits import p_probability_limits, u_probability_limits

__all__ = ["births_from_limits", "births_from_lines"]

Ints = NDArray[np.int64]

# Two programs that reckon the same line differ in the last digits.
_REL = 1e-9
# A centre line that is known less well does not tell at which count a limit lies.
_NARROW = 1e-7
_TWO_SIGMA_TAIL = 0.02275
_LIMITS = ("lower", "upper", "lower_2s", "upper_2s")


def births_from_lines(item: Printed, births: Range) -> Range:
    r"""Give the births that the lines of a chart allow, by the rows of a part whose births are known.

    A standard error is :math:`\sigma_t = c / \sqrt{n_t}` in every chart of rates, with the same :math:`c` in
    a stratum and phase: rows of different births that are known tell :math:`c`. Else
    :math:`c^2 = \bar p (1 - \bar p)` for proportions and :math:`\bar u` for rates, where the standard error
    moves and nothing known contradicts it. A centre line of events is
    :math:`n_t \bar p`. Limits at three standard errors are read as standard errors are, where rows of
    different births agree that they are such.

    Parameters
    ----------
    item : Printed
        A chart's points.
    births : Range, shape (R,)
        What is known of the births of its rows.

    Returns
    -------
    Range, shape (R,)
        0 and infinity where the lines tell nothing.
    """
    out = Range(np.zeros(len(item)), np.full(len(item), np.inf))
    sigma, centre = item.numbers.get("sigma"), item.numbers.get("centre_line")
    upper = item.numbers.get("upper")
    known = (births.low == births.high) & (births.low > 0)
    if sigma is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = Range(sigma.low**2, sigma.high**2)
            share = _share(item, squared, births.low, known & sigma.there)
            out = _tighter(out, share.low / squared.high, share.high / squared.low)
    if centre is not None and upper is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = Range((upper.low - centre.high) ** 2, (upper.high - centre.low) ** 2)
            share = _constant(squared, births.low, known & upper.there, item.part, several=True)
            out = _tighter(out, share.low / squared.high, share.high / squared.low)
    if centre is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            level = _constant(centre, 1 / births.low, known & centre.there, item.part, several=True)
            out = _tighter(out, centre.low / level.high, centre.high / level.low)
    return out


def _share(item: Printed, squared: Range, births: Floats, known: Bools) -> Range:
    """Give the square of c: that on which rows of different births agree, else that of the formula.

    The formula is trusted where the standard error moves, as it does with the births (that of a chart of
    individual values does not), and where no row of known births contradicts it.
    """
    told = _constant(squared, births, known, item.part, several=True)
    centre = item.numbers.get("centre_line")
    if centre is None or item.meaning.kind not in ("proportion", "rate"):
        return told
    formula, alone = _by_formula(centre, item.meaning.kind), _constant(squared, births, known, item.part)
    moves = pd.Series(squared.high).groupby(item.part).transform("nunique").to_numpy() > 1
    some = pd.Series(known).groupby(item.part).transform("any").to_numpy()
    holds = (alone.low <= formula.high * (1 + _REL)) & (formula.low <= alone.high * (1 + _REL))
    trusted = moves & (holds | ~some)
    return _filled(told, Range(*(np.where(trusted, end, np.nan) for end in (formula.low, formula.high))))


def _by_formula(centre: Range, kind: str) -> Range:
    ends = np.stack([centre.low, centre.high])
    spread = ends * (1 - ends) if kind == "proportion" else ends
    return Range(spread.min(axis=0), spread.max(axis=0))


def _constant(column: Range, times: Floats, known: Bools, part: Ints, *, several: bool = False) -> Range:
    """Give column times a number where all known rows of a part agree on it; NaN elsewhere.

    With ``several`` rows of different sizes must agree, since one row alone agrees with itself.
    """
    frame = pd.DataFrame({"low": column.low * times, "high": column.high * times, "times": times})
    frame = frame.where(pd.Series(known), np.nan)
    grouped = frame.groupby(part)
    low, high = grouped["low"].transform("max").to_numpy(), grouped["high"].transform("min").to_numpy()
    agree = low <= high * (1 + _REL)
    if several:
        agree &= (grouped["times"].transform("nunique") > 1).to_numpy()
    return Range(
        np.where(agree, np.minimum(low, high) * (1 - _REL), np.nan),
        np.where(agree, np.maximum(low, high) * (1 + _REL), np.nan),
    )


def _filled(first: Range, second: Range) -> Range:
    return Range(
        np.where(first.there, first.low, second.low * (1 - _REL)),
        np.where(first.there, first.high, second.high * (1 + _REL)),
    )


def _tighter(known: Range, low: Floats, high: Floats) -> Range:
    """Meet two ranges; NaN tells nothing, and a range without a whole number neither."""
    low, high = np.ceil(low * (1 - _REL) - 1e-9), np.floor(high * (1 + _REL) + 1e-9)
    told = (low <= high) & (low > 0)
    return Range(
        np.where(told, np.fmax(known.low, low), known.low),
        np.where(told, np.fmin(known.high, high), known.high),
    )


def births_from_limits(item: Printed, births: Range) -> dict[int, Ints]:
    r"""Give the births for which exact probability limits lie where they were drawn.

    Such a limit is :math:`(k \mp 1/2) / n_t` with a whole number :math:`k`; where the centre line is known
    closely, :math:`k` is that of the binomial or Poisson distribution.

    Parameters
    ----------
    item : Printed
        A chart's points.
    births : Range, shape (R,)
        What is known of the births of its rows.

    Returns
    -------
    dict
        For rows with open births all numbers that fit; a row is not there where its limits tell nothing, or
        where rows of known births show that the limits were made in another way.
    """
    lines = {n: item.numbers[n] for n in _LIMITS if n in item.numbers}
    if not lines or item.meaning.kind not in ("proportion", "rate", ""):
        return {}
    known = (births.low == births.high) & (births.low > 0)
    rows = np.flatnonzero(known)
    kinds = (item.meaning.kind,) if item.meaning.kind or not len(rows) else ("proportion", "rate")
    able = [k for k in kinds if _drawn(item, k, lines, rows, births.low[rows]).all()]
    if not able:
        return {}
    found = {}
    for row in np.flatnonzero((births.low < births.high) & _told(lines)):
        low = max(births.low[row], 1.0)
        tried = np.arange(low, min(births.high[row], low + CEILING) + 1)
        fits = tried[_drawn(item, able[0], lines, np.full(len(tried), row), tried)]
        if len(fits) and len(fits) < len(tried) / 2 and fits[-1] < low + CEILING / 2:
            found[int(row)] = fits.astype(np.int64)
    return found


def _told(lines: dict[str, Range]) -> Bools:
    told: Bools = np.any([line.there & (line.high > 0) for line in lines.values()], axis=0)
    return told


def _drawn(item: Printed, kind: str, lines: dict[str, Range], row: Ints, births: Floats) -> Bools:
    """Tell whether all limits of a row can be those of so many births."""
    fits = np.ones(len(row), dtype=bool)
    for line in lines.values():
        inside = line.there[row] & (line.low[row] > 0) & ~((line.low[row] <= 1) & (line.high[row] >= 1))
        give = _REL * births
        first = np.ceil(line.low[row] * births - give - 0.5) + 0.5
        fits &= ~inside | (first <= line.high[row] * births + give)
    centre = item.numbers.get("centre_line")
    if centre is None or not kind:
        return fits
    close = centre.there[row] & (centre.high[row] - centre.low[row] < _NARROW * np.abs(centre.high[row]))
    at = np.flatnonzero(fits & close & (centre.low[row] > 0))
    fits[at] &= _reckoned(item, kind, lines, row[at], births[at])
    return fits


def _reckoned(item: Printed, kind: str, lines: dict[str, Range], row: Ints, births: Floats) -> Bools:
    """Reckon the limits anew and compare."""
    formula = p_probability_limits if kind == "proportion" else u_probability_limits
    centre = item.numbers["centre_line"]
    middle = (centre.low[row] + centre.high[row]) / 2
    fits = np.ones(len(row), dtype=bool)
    for ending, tail in (("", item.meaning.tail), ("_2s", _TWO_SIGMA_TAIL)):
        wanted = [n for n in ("lower", "upper") if n + ending in lines]
        if not wanted or not len(row):
            continue
        found = formula(np.zeros(len(row)), births, centre_line=middle, tail=tail)
        for name in wanted:
            line, value = lines[name + ending], getattr(found, name)
            give = _REL * np.maximum(np.abs(value), 1e-6)
            fits &= ~line.there[row] | ((value >= line.low[row] - give) & (value <= line.high[row] + give))
    return fits
