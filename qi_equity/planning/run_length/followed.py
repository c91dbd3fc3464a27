"""Run lengths that were followed, and the tables that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.formulas.estimated_lines import drawn_error
from qi_equity.formulas.waiting import Waiting
from qi_equity.planning.rules_waiting import EXACT, SIMULATED

__all__ = [
    "CHARTS",
    "DRAWN",
    "ERRORS",
    "EXACT",
    "LATTICE",
    "QUADRATURE",
    "SIMULATED",
    "Followed",
    "Run",
    "frames",
    "run_of",
]

QUADRATURE = "quadrature"
LATTICE = "lattice"
DRAWN = "drawn lines"
ERRORS = {
    EXACT: "none but rounding",
    QUADRATURE: "below 1e-9 of the run length",
    LATTICE: "none where the lattice holds the reference value, else up to about 1 %",
    DRAWN: "that of 100,000 baselines drawn, as stated beside each chance",
    SIMULATED: "that of 2,000 charts drawn, as stated",
}
"""Error of each way to follow a chart."""

CHARTS = 2000
"""Charts that are simulated where no chain follows the tests."""

_CURVE = np.arange(1, 100) / 100
_LOW, _MEDIAN, _HIGH = 0.05, 0.5, 0.95
# No point is looked for beyond so many; and of so many it is found to this share.
_FARTHEST, _CLOSE = 2.0**50, 1e-13
# A mean is given where no more charts than this share run on beyond what was followed.
_LEFT = 0.001


class Run(NamedTuple):
    """A run lengths and how they were found.

    ``error`` is the Monte-Carlo standard error of the mean, ``reach`` the points up to which it holds
    (infinite where no test looks at all points so far), ``draws`` the baselines that were drawn, 0 for none.
    """

    waiting: Waiting
    error: Floats
    how: np.ndarray
    reach: Floats
    draws: int = 0
    has_mean: bool = True


def run_of(waiting: Waiting, how: str) -> Run:
    """Give run lengths that were followed in one way, without chance."""
    shape = waiting.mean().shape
    return Run(waiting, np.zeros(shape), np.full(shape, how, dtype=object), np.full(shape, np.inf))


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Run lengths of charts of one kind: A of them, each that of a stratum after a change or shift.

    Parameters
    ----------
    kind : str
        Of the chart.
    stratum, order : ndarray of int, shape (A,)
        Number of the stratum, and place of the change or shift among those asked for.
    moved : ndarray of float, shape (A,)
        The change (a ratio) or shift (in standard errors).
    counts : bool
        Whether it is a change of the rate.
    unit : str
        What a point is.
    months : ndarray of float, shape (A,)
        Months between points after the change; NaN where there is no time.
    known : ndarray of bool, shape (A,)
        Where anything can be said.
    left_out : ndarray of bool, shape (A,)
        Where tests of the rules are not given.
    run : Run
        Of shape (A,).
    """

    kind: str
    stratum: Ints
    order: Ints
    moved: Floats
    counts: bool
    unit: str
    months: Floats
    known: Bools
    left_out: Bools
    run: Run

    def named(self) -> pd.DataFrame:
        """Give what all tables start with, one row a run length."""
        nothing = np.full(len(self.moved), np.nan)
        return pd.DataFrame(
            {
                "_stratum": self.stratum,
                "_order": self.order,
                "kind": pd.Series([self.kind] * len(self.moved), dtype="str"),
                "change": self.moved if self.counts else nothing,
                "shift": nothing if self.counts else self.moved,
                "unit": pd.Series([self.unit] * len(self.moved), dtype="str"),
            }
        )

    def mean(self) -> Floats:
        """Give the mean number of points; NaN where it lies beyond what was followed."""
        reach, waiting = self.run.reach, self.run.waiting
        far = np.where(np.isinf(reach), 0, reach)
        settled = np.isinf(reach) | (1 - waiting.within(far) <= _LEFT)
        return np.where(self.known & settled & self.run.has_mean, waiting.mean(), np.nan)

    def quantile(self, chance: float) -> Floats:
        """Give the number of points within which it signals with a chance; NaN beyond what was followed."""
        found = self.run.waiting.quantile(chance)
        return np.where(self.known & (found <= self.run.reach), found, np.nan)

    def within(self, points: int) -> tuple[Floats, Floats]:
        """Give the chance of a signal within so many points, and its standard error."""
        run, number = self.run, np.full(len(self.moved), float(points))
        chance = run.waiting.within(number)
        # That none of the charts signals does not make the chance certain.
        cautious = (chance * CHARTS + 1) / (CHARTS + 2)
        error = np.where(run.how == SIMULATED, np.sqrt(cautious * (1 - cautious) / CHARTS), 0.0)
        if run.draws:
            error = drawn_error(run.waiting, number, draws=run.draws)
        told = self.known & (points <= run.reach)
        return np.where(told, chance, np.nan), np.where(told, error, np.nan)


def frames(
    found: Sequence[Followed], strata: pd.DataFrame | None, within: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """Make the tables of run lengths, in the order of the strata and of what was asked for."""
    return {
        "table": _ordered([_row(one) for one in found], strata),
        "chances": _ordered([_chances(one, within) for one in found], strata),
        "curve": _ordered([_curve(one) for one in found], strata),
    }


def _row(one: Followed) -> pd.DataFrame:
    mean = one.mean()
    return one.named().assign(
        mean=mean,
        median=one.quantile(_MEDIAN),
        lower=one.quantile(_LOW),
        upper=one.quantile(_HIGH),
        mean_months=mean * one.months,
        standard_error=np.where(np.isnan(mean), np.nan, one.run.error),
        how=pd.Series(np.where(one.known, one.run.how, ""), dtype="str"),
    )


def _chances(one: Followed, within: Sequence[int]) -> pd.DataFrame:
    parts = []
    for points in within:
        chance, error = one.within(points)
        parts.append(one.named().assign(points=points, chance=chance, standard_error=error))
    return pd.concat(parts, ignore_index=True)


def _curve(one: Followed) -> pd.DataFrame:
    found = _points(one.run.waiting, _CURVE)
    told = one.known[:, np.newaxis] & (found <= one.run.reach[:, np.newaxis])
    rows = np.repeat(np.arange(len(one.moved)), _CURVE.size)
    return (
        one.named()
        .take(rows)
        .reset_index(drop=True)
        .assign(chance=np.tile(_CURVE, len(one.moved)), points=np.where(told, found, np.nan).ravel())
    )


def _points(waiting: Waiting, chance: Floats) -> Floats:
    """Give the points within which a signal comes with each chance, (A, chances), as its quantile does."""
    weight = waiting.weight
    several = Waiting(
        waiting.survival[:, np.newaxis],
        waiting.hazard[:, np.newaxis],
        weight[:, np.newaxis] if weight is not None and weight.ndim > 1 else weight,
    )
    low, high = np.zeros((2, len(waiting.survival), chance.size))
    high += 1
    while (more := (several.within(high) < chance) & (high < _FARTHEST)).any():
        low, high = np.where(more, high, low), np.where(more, 2 * high, high)
    never = several.within(high) < chance
    while (high - low > np.maximum(1, high * _CLOSE)).any():
        middle = np.floor((low + high) / 2)
        enough = several.within(middle) >= chance
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(never, np.inf, high)


def _ordered(parts: list[pd.DataFrame], strata: pd.DataFrame | None) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values(["_stratum", "_order"], kind="stable", ignore_index=True)
    rest = frame.drop(columns=["_stratum", "_order"])
    rest = rest.astype({name: "str" for name in ("kind", "unit", "how") if name in rest})
    if strata is None:
        return rest
    return pd.concat([strata.take(frame["_stratum"].to_numpy()).reset_index(drop=True), rest], axis=1)
