"""Which kind of chart suits each stratum: by the measure, what the data hold, and the events expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.formulas.limits import Limits
from qi_equity.spc.judge import Case
from qi_equity.spc.kinds import DEFAULTS, Spec
from qi_equity.spc.kinds_between import G
from qi_equity.spc.kinds_weighted import CountCusum
from qi_equity.spc.rules import BeyondLimits, RuleSet
from qi_equity.spc.runs_tests import CHANCE_HIGH, CHANCE_LOW, chance_above
from qi_equity.spc.words import each

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ONE_BY_ONE = {"proportion": "p", "rate": "u", "count": "c"}
_OF_MEANS = (
    ("i", "i chart: one value a period, and no more is known of it."),
    ("ip", "I' chart: sizes of the subgroups are known, not the spread in them."),
    ("xbar", "xbar chart: the spread within subgroups is known."),
)
RECENT = 12
"""Points of each stratum at whose denominators it is judged what can signal."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The kinds of a chart, which of them each of S strata has, and why (empty where it was asked for)."""

    specs: tuple[Spec, ...]
    spec_of: IntArray
    why: tuple[str, ...]

    def rows(self) -> list[IntArray]:
        """Strata of each kind."""
        return [np.flatnonzero(self.spec_of == k) for k in range(len(self.specs))]

    def reasons(self, strata: pd.DataFrame) -> pd.DataFrame:
        """Kind and reason of each stratum."""
        kinds = [self.specs[k].kind for k in self.spec_of.tolist()]
        return strata.assign(kind=pd.Series(kinds, dtype="str"), reason=pd.Series(self.why, dtype="str"))


def alike(spec: Spec, size: int, why: str = "") -> Chosen:
    """Give all strata the same kind."""
    return Chosen((spec,), np.zeros(size, dtype=np.int64), (why,) * size)


def choose(
    series: StratifiedSeries, when: Timeline, rules: RuleSet, *, common: bool, overlapping: bool
) -> Chosen:
    """Choose the kind of each stratum.

    Counts have lost the order of births: their chart of points (p, u, c) is taken where it can show both a
    rise and a fall, by a point beyond its exact limits or by a runs test that holds, as far as the rules have
    these; else a CUSUM of the counts. Births between events: g, or a Bernoulli CUSUM where g is blind to one
    side; days: t. Means: xbar where the spread within subgroups is known, I' where only their sizes are,
    else i.
    """
    size, kind = len(series.cells.strata), series.measure.kind
    if kind == "mean":
        return _of_means(series, size)
    if kind == "between" and series.measure.unit == "days":
        return _of_days(series, size)
    points = DEFAULTS["g" if kind == "between" else _ONE_BY_ONE[kind]]
    if common:
        return alike(points, size, f"{points.kind} chart: the groups share a centre line.")
    if overlapping:
        why = f"{points.kind} chart: periods share births, which a CUSUM would count again and again."
        return alike(points, size, why)
    if BeyondLimits() not in rules.tests:
        return alike(points, size, f"{points.kind} chart: the rules compare no point with limits.")
    return _where_blind(series, when, points, runs=any(test.is_runs_test for test in rules.tests))


def _of_means(series: StratifiedSeries, size: int) -> Chosen:
    """Go by what is known of the subgroups of each stratum, or of others where it has none."""
    cells = series.cells
    sized = np.isfinite(cells.value) & np.isfinite(cells.denominator)
    known = np.where((sized & np.isfinite(cells.sd)).any(axis=1), 2, sized.any(axis=1).astype(np.int64))
    empty = ~np.isfinite(cells.value).any(axis=1)
    known = np.where(empty, known.max(initial=0), known)
    used, which = np.unique(known, return_inverse=True)
    return Chosen(
        tuple(DEFAULTS[_OF_MEANS[k][0]] for k in used.tolist()),
        which.astype(np.int64),
        tuple(_OF_MEANS[k][1] for k in known.tolist()),
    )


def _of_days(series: StratifiedSeries, size: int) -> Chosen:
    """Take times as they are; whole days, of which some may be 0, are counted."""
    value = series.cells.value
    if (value[np.isfinite(value)] % 1 == 0).all():
        return alike(G(smallest=0), size, "g chart: whole days between events, which are counted from 0.")
    if (value == 0).any():
        why = "Bernoulli CUSUM chart: two events share a moment, which a chart of times cannot take."
        return alike(DEFAULTS["bernoulli_cusum"], size, why)
    return alike(DEFAULTS["t"], size, "t chart: time between events.")


def _where_blind(series: StratifiedSeries, when: Timeline, points: Spec, *, runs: bool) -> Chosen:
    """Take the chart of points unless it can show nothing on one side, where another could."""
    cells = series.cells
    other: Spec = DEFAULTS["bernoulli_cusum"] if points.kind == "g" else CountCusum()
    case = Case(cells, series.measure.kind, when, points, overlapping=False)
    limits = case.lines().limits
    recent = _recent(case.tested & np.isfinite(limits.centre_line))
    low, high, even = _able(case, limits, recent, runs=runs)
    blind = recent.any(axis=1) & ~((low & high) | even) & _has_events(case, limits, recent)
    events = _expected_events(case, limits, recent)
    unit = "births a gap" if points.kind == "g" else f"expected events {each(series.every)}"
    why = [
        _why(points, other, n, unit, low=a, high=b, even=c)
        if seen
        else f"{points.kind} chart: no points yet."
        for n, a, b, c, seen in zip(
            *(block.tolist() for block in (events, low, high, even, recent.any(axis=1))), strict=True
        )
    ]
    used, which = np.unique(blind.astype(np.int64), return_inverse=True)
    return Chosen(tuple((points, other)[k] for k in used.tolist()), which.astype(np.int64), tuple(why))


def _able(
    case: Case, limits: Limits, recent: BoolArray, *, runs: bool
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Whether a fall and a rise can show beyond the limits at recent points, and either as a run, (S,)."""
    births = case.cells.denominator
    chance = chance_above(case.spec, case.kind, births, limits.centre_line, limits.sigma)
    mean = np.where(recent, np.nan if chance is None else chance, 0).sum(axis=1) / np.maximum(
        recent.sum(axis=1), 1
    )
    even = (mean >= CHANCE_LOW) & (mean <= CHANCE_HIGH) & runs
    low = np.asarray((recent & (limits.lower > case.spec.floor)).any(axis=1))
    high = np.asarray((recent & (limits.upper < case.spec.ceiling)).any(axis=1))
    return low, high, np.asarray(even)


def _has_events(case: Case, limits: Limits, recent: BoolArray) -> BoolArray:
    """Where the centre line is that of some events and of births without: else nothing can be reckoned."""
    inside = (limits.centre_line > 0) & (limits.centre_line < case.spec.ceiling)
    return np.asarray((recent & inside).any(axis=1))


def _expected_events(case: Case, limits: Limits, recent: BoolArray) -> FloatArray:
    """Mean of the expected events of recent points (or births of a gap), shape (S,)."""
    size = case.cells.denominator if case.spec.kind in ("p", "u") else 1.0
    total = np.where(recent, limits.centre_line * size, 0).sum(axis=1)
    return np.asarray(total / np.maximum(recent.sum(axis=1), 1))


def _recent(mask: BoolArray) -> BoolArray:
    """Keep the last points of each stratum."""
    return np.asarray(mask & (mask[:, ::-1].cumsum(axis=1)[:, ::-1] <= RECENT))


def _why(points: Spec, other: Spec, number: float, unit: str, *, low: bool, high: bool, even: bool) -> str:
    about = f"about {number:.2g} {unit}" if number < 10 else f"about {number:,.0f} {unit}"
    if low and high:
        return f"{points.kind} chart: {about}: a rise and a fall can show."
    blind = "a fall" if high else "a rise" if low else "any change"
    if even:
        return f"{points.kind} chart: {about}: {blind} can show over several points only."
    if number <= 0:
        return f"{points.kind} chart: no events yet to reckon with."
    return f"{other.title}: with {about} a {points.kind} chart could not show {blind}."
