"""Series in which nothing changes, one chart a stratum, for the simulations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cases import Cases
from qi_equity.data.cells import OBSERVED, PROVISIONAL, Cells

POINTS = 24
DAYS_A_MONTH = 365.25 / 12
MOST_BIRTHS = 10_000_000
"""Births, or values, that are drawn one by one at a time."""

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, float, float], qe.StratifiedSeries]
"""Random numbers, charts wanted, births a month, rate; gives that many strata, or as many as can be held."""


def proportions(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Events among births whose monthly number varies by chance."""
    n = np.maximum(rng.poisson(births, (charts, POINTS)), 1).astype(np.float64)
    events = rng.binomial(n.astype(int), rate).astype(np.float64)
    return _monthly("proportion", numerator=events, denominator=n)


def rates(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Events per birth, of which one birth can have several."""
    n = np.maximum(rng.poisson(births, (charts, POINTS)), 1).astype(np.float64)
    return _monthly("rate", numerator=rng.poisson(n * rate).astype(np.float64), denominator=n)


def counts(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Events of equal opportunity."""
    return _monthly("count", numerator=rng.poisson(births * rate, (charts, POINTS)).astype(np.float64))


def gaps(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Births between the events of 24 months."""
    return _between(rng, charts, births, np.array([rate]), "births")


def days(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Days between the events of 24 months."""
    return _between(rng, charts, births, np.array([rate]), "days")


def risks(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Births between events, where a third of the births has twice the risk of the others, as expected."""
    return _between(rng, charts, births, rate * np.array([0.75, 0.75, 1.5]), "births")


def normal_values(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Draw one normal value a month; births and rate play no part."""
    return _monthly("mean", value=rng.standard_normal((charts, POINTS)))


def skewed_values(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Draw one exponential value a month; births and rate play no part."""
    return _monthly("mean", value=rng.standard_exponential((charts, POINTS)))


def normal_births(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Measure the same number of births each month, by a normal value."""
    return _subgroups(rng.standard_normal, charts, int(births))


def skewed_births(rng: np.random.Generator, charts: int, births: float, rate: float) -> qe.StratifiedSeries:
    """Measure the same number of births each month, by an exponential value."""
    return _subgroups(rng.standard_exponential, charts, int(births))


def _subgroups(draw: Callable[..., Array], charts: int, births: int) -> qe.StratifiedSeries:
    shape = (min(charts, MOST_BIRTHS // (births * POINTS)), POINTS)
    values = draw((*shape, births))
    return _monthly(
        "mean",
        value=values.mean(axis=2),
        sd=values.std(axis=2, ddof=1),
        range=np.ptp(values, axis=2),
        denominator=np.full(shape, float(births)),
    )


def _monthly(kind: str, **blocks: Array) -> qe.StratifiedSeries:
    """Make a series of one stratum a row and one month a column."""
    charts, length = next(iter(blocks.values())).shape
    months = (np.datetime64("2022-01", "M") + np.arange(length)).astype("datetime64[us]")
    where = np.repeat(np.arange(charts), length), np.tile(np.arange(length), charts)
    flat = {name: block.ravel() for name, block in blocks.items()}
    cells = Cells.dense(_strata(charts), months, *where, kind=kind, **flat)
    measure = qe.Measure("in control", kind, "lower")
    return qe.StratifiedSeries(measure, None, None, "month", 1, cells, {}, _result.notes([]))


def _between(
    rng: np.random.Generator, charts: int, births: float, chances: Array, unit: str
) -> qe.StratifiedSeries:
    """Draw births one by one, and keep the gaps between events and the gap still open."""
    charts = min(charts, int(MOST_BIRTHS / (births * POINTS)))
    size = rng.poisson(births * POINTS, charts)
    start = np.cumsum(size) - size
    chart = np.repeat(np.arange(charts), size)
    risk = rng.choice(chances, chart.size)
    event = rng.random(chart.size) < risk
    moment = np.append(0, np.cumsum(rng.standard_exponential(chart.size)) * DAYS_A_MONTH / births)
    # From one event to the next of the same chart, or to its last birth; what comes before is no gap.
    ends = np.union1d(np.flatnonzero(event), (start + size - 1)[size > 0])
    inside = (chart[ends[:-1]] == chart[ends[1:]]) & event[ends[:-1]]
    first, then = ends[:-1][inside] + 1, ends[1:][inside]
    gap, closed, stratum = (then - first + 1).astype(np.float64), event[then], chart[then]
    number = np.arange(stratum.size) - np.searchsorted(stratum, stratum)
    stamps = np.full((charts, int(number.max(initial=0)) + 1), np.datetime64("NaT", "us"))
    elapsed = moment[then + 1] - moment[start[stratum]]
    stamps[stratum, number] = np.datetime64("2022-01-01", "us") + (elapsed * 86_400e6).astype(np.int64)
    total = np.append(0, np.cumsum(risk))
    cells = Cells.dense(
        _strata(charts),
        stamps,
        stratum,
        number,
        numerator=closed.astype(np.float64),
        denominator=gap,
        unrecorded=np.zeros(gap.size),
        value=gap if unit == "births" else moment[then + 1] - moment[first],
        expected=total[then + 1] - total[first],
        status=np.where(closed, OBSERVED, PROVISIONAL).astype(np.int8),
        kind="between",
    )
    cells = replace(cells, cases=_cases(risk, first, gap, np.bincount(stratum, gap, charts)))
    measure = qe.Measure("in control", "between", "higher", unit=unit)
    return qe.StratifiedSeries(measure, None, None, "day", 1, cells, {}, _result.notes([]))


def _cases(risk: Array, first: npt.NDArray[np.int64], gap: Array, births: Array) -> Cases:
    """Give the expected probabilities of the births in the gaps, gap after gap."""
    length = gap.astype(np.int64)
    place = np.arange(length.sum()) + np.repeat(first - (np.cumsum(length) - length), length)
    return Cases(risk[place], np.append(0, np.cumsum(births)).astype(np.int64))


def _strata(charts: int) -> pd.DataFrame:
    codes = np.arange(charts)
    return pd.DataFrame({"group": pd.Categorical.from_codes(codes, categories=[str(i) for i in codes])})
