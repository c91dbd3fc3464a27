"""Run lengths of a chart that is drawn: its own strata, lines and rules, at the births of late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.between_waiting import g_run_length, t_run_length
from qi_equity.formulas.distributions import Binomial, Distribution, Geometric, Normal, Poisson
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.plan import DAYS_A_MONTH, MONTHS, changed_rate, make_plan
from qi_equity.planning.points import Points, _repeated
from qi_equity.planning.run_length.births import of_births, times_process
from qi_equity.planning.run_length.followed import Followed, Run
from qi_equity.planning.run_length.memory import Moving, by_limits_only, of_counts, of_normal_points
from qi_equity.planning.run_length.rules import by_rules, points_of_process
from qi_equity.planning.run_length.spec import is_normal, refuse
from qi_equity.spc.chance import sigmas_of
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_measurements import Run as RunChart
from qi_equity.spc.kinds_weighted import COUNTS, BernoulliCusum, CountCusum, Cusum, Ewma
from qi_equity.spc.rules import BeyondLimits
from qi_equity.spc.stable import Stable, stable
from qi_equity.spc.summary import RECENT

__all__ = ["followed_chart", "moves_by_counts"]


class _Late(NamedTuple):
    """The last phase of each stratum: its number and its last points, (S,) and (S, T)."""

    phase: Ints
    recent: Bools

    @property
    def known(self) -> Bools:
        """Where there is any point."""
        return np.asarray(self.recent.any(axis=1))

    @property
    def last(self) -> Ints:
        """Place of the last point, (S, 1)."""
        back = self.recent[:, ::-1].argmax(axis=1)
        return np.asarray(self.recent.shape[1] - 1 - back)[:, np.newaxis]


def moves_by_counts(chart: ControlChart) -> bool:
    """Whether a change of the rate moves a chart of one kind, and not a shift in standard errors."""
    spec = chart._spec
    if isinstance(spec, Ewma | Cusum):
        return chart.series.measure.kind in COUNTS
    return not (is_normal(spec) or isinstance(spec, RunChart))


def followed_chart(chart: ControlChart, changes: Floats, shifts: Floats, side: Side) -> list[Followed]:
    """Follow every stratum after each change, or each shift where points are taken as normal."""
    return [one for rows, piece in chart._pieces() for one in _of_piece(piece, rows, changes, shifts, side)]


def _of_piece(
    chart: ControlChart, rows: Ints, changes: Floats, shifts: Floats, side: Side
) -> Iterator[Followed]:
    spec, late = chart._spec, _late(chart)
    refuse(spec)
    if chart.method["overlap"]["found"]:
        raise OptionError(
            "The periods of this chart overlap, so that its points share births and no run length can be "
            "followed; chart periods of their own."
        )
    if spec.has_memory:
        by_limits_only(spec.kind, chart.rules)
    follow = _counted if moves_by_counts(chart) else _normal
    for order, moved in enumerate(changes if follow is _counted else shifts):
        yield follow(chart, rows, late, order, float(moved), side)


def _late(chart: ControlChart) -> _Late:
    seen = chart._seen() & np.isfinite(chart.sigma if _has_sigma(chart) else chart.centre_line)
    phase = np.where(seen, chart.timeline.phase, 0).max(axis=1)
    inside = seen & (chart.timeline.phase == phase[:, np.newaxis])
    return _Late(phase, inside & (inside[:, ::-1].cumsum(axis=1)[:, ::-1] <= RECENT))


def _has_sigma(chart: ControlChart) -> bool:
    return not (isinstance(chart._spec, RunChart) or chart._spec.two_arms)


def _normal(chart: ControlChart, rows: Ints, late: _Late, order: int, shift: float, side: Side) -> Followed:
    """Follow points that are taken as normal: all strata alike but for the tests that are given."""
    spec, given = chart._spec, chart.runs.given[np.arange(len(rows)), late.phase]
    if isinstance(spec, Ewma | Cusum):
        run = of_normal_points(spec, np.full(1, shift), side)
        which = np.zeros(len(rows), dtype=np.int64)
    else:
        tests = chart.rules.tests
        shape = np.ones((2, 1))
        zones = {k: (-k * shape, k * shape) for k in sigmas_of(tests)}
        process = Stable(Normal(shift * shape, shape), 0 * shape, zones)
        run = by_rules(points_of_process(process, tests, np.array([False, True])), side)
        which = given.astype(np.int64)
    known = late.known & _varies(chart, late)
    return _followed(chart, rows, order, shift, _taken(run, which), known, counts=False)


def _varies(chart: ControlChart, late: _Late) -> Bools:
    """Tell where points vary: of points that are all alike no standard error is known to move them by."""
    if isinstance(chart._spec, RunChart):
        return late.known
    width = chart.sigma if _has_sigma(chart) else chart.upper
    with np.errstate(invalid="ignore"):
        return np.asarray(np.take_along_axis(width, late.last, axis=1)[:, 0] > 0)


def _taken(run: Run, which: Ints) -> Run:
    waiting = Waiting(run.waiting.survival[which], run.waiting.hazard[which])
    return Run(waiting, run.error[which], run.how[which], run.reach[which])


def _counted(chart: ControlChart, rows: Ints, late: _Late, order: int, change: float, side: Side) -> Followed:
    """Follow counts, births or gaps after a change of the adverse rate."""
    spec = chart._spec
    if isinstance(spec, Cusum):
        raise OptionError(
            "kind=Cusum() takes counts as normal, and its run length on them is not followed; chart "
            "them with "
            "kind='cusum', which is qe.CountCusum()."
        )
    if isinstance(spec, BernoulliCusum):
        rate, top = _chance_of_births(chart, spec, late), 1.0
    elif spec.has_memory:
        line = replace(chart._case(), spec=Ewma(weight=1.0)).lines().limits.centre_line
        rate = np.where(late.known, np.take_along_axis(line, late.last, axis=1)[:, 0], np.nan)
        top = 1.0 if chart.series.measure.kind == "proportion" else np.inf
    elif isinstance(spec, T):
        rate, top = _rate_of_times(chart, late), np.inf
    else:
        points = _points(chart, late)
        rate, top = _rate(points.process.points), _top(points.process.points)
    changed, _ = changed_rate(chart.series, rate, change)
    with np.errstate(invalid="ignore"):
        known = late.known & (rate > 0) & (rate < top) & np.isfinite(changed) & (changed <= top)
    now = np.where(known, changed, rate)
    if isinstance(spec, BernoulliCusum):
        run = of_births(rate, now, spec.odds_ratio, _thresholds(chart, late), side)
    elif isinstance(spec, Ewma | CountCusum):
        run = of_counts(spec, _moving(chart, late, rate, now), side, _thresholds(chart, late))
    elif isinstance(spec, T):
        run = _of_times(chart, spec, late, np.where(known, now / rate, 1.0), side)
    else:
        run = by_rules(points.moved_to(now), side)
    gap = _gap(chart, late, now, side)
    return _followed(chart, rows, order, change, run, known, counts=True, gap=gap)


def _rate_of_times(chart: ControlChart, late: _Late) -> Floats:
    """Give events a unit of time, from the centre line, which is the median."""
    median = np.take_along_axis(chart.centre_line, late.last, axis=1)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(2) / median)


def _of_times(chart: ControlChart, spec: T, late: _Late, change: Floats, side: Side) -> Run:
    given = chart.runs.given[np.arange(len(change)), late.phase]
    process = times_process(spec, change, sigmas_of(chart.rules.tests))
    return by_rules(points_of_process(process, chart.rules.tests, given), side)


def _points(chart: ControlChart, late: _Late) -> Points:
    """Describe the points of late of each stratum, which repeat."""
    strata = np.arange(len(chart.strata))
    process = stable(chart, strata, late.recent, sigmas_of(chart.rules.tests)).at(_repeated(late.recent))
    return points_of_process(process, chart.rules.tests, chart.runs.given[strata, late.phase])


def _rate(points: Distribution) -> Floats:
    """Give chance or rate of each stratum, (S,)."""
    match points:
        case Binomial():
            return points.chance[:, 0]
        case Poisson():
            return np.asarray(points.mean[:, 0] / points.unit[:, 0])
        case Geometric():
            return np.asarray(1 / (points.mean[:, 0] + 1 - points.smallest))
        case _:
            raise NotImplementedError(f"points of {type(points).__name__} have no rate")


def _top(points: Distribution) -> float:
    return np.inf if isinstance(points, Poisson) else 1.0


def _chance_of_births(chart: ControlChart, spec: BernoulliCusum, late: _Late) -> Floats:
    if spec.chance is not None:
        return np.full(len(chart.strata), spec.chance)
    cells = chart.series.cells
    base = chart.timeline.baseline & (chart.timeline.phase == late.phase[:, np.newaxis])
    events, births = (np.where(base, a, 0).sum(axis=1) for a in (cells.numerator, cells.denominator))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(births > 0, events / births, np.nan)


def _thresholds(chart: ControlChart, late: _Late) -> tuple[Floats, Floats]:
    low, high = (np.take_along_axis(h, late.last, axis=1)[:, 0] for h in (-chart.lower, chart.upper))
    return low, high


def _moving(chart: ControlChart, late: _Late, rate: Floats, actual: Floats) -> Moving:
    kind, births = chart.series.measure.kind, chart.series.cells.denominator
    size = np.take_along_axis(births, _repeated(late.recent), axis=1)
    size = np.where(late.known[:, np.newaxis], np.ones(size.shape) if kind == "count" else size, np.nan)
    return Moving(size, rate, actual, "binomial" if kind == "proportion" else "poisson")


def _followed(
    chart: ControlChart,
    rows: Ints,
    order: int,
    moved: float,
    run: Run,
    known: Bools,
    *,
    counts: bool,
    gap: Floats | None = None,
) -> Followed:
    unit, months = _time(chart, gap)
    return Followed(
        kind=chart.kind,
        stratum=rows,
        order=np.full(len(rows), order),
        moved=np.full(len(rows), moved),
        counts=counts,
        unit=unit,
        months=months,
        known=known,
        left_out=known & chart._patterns_hold() & _withheld(chart),
        run=run,
    )


def _withheld(chart: ControlChart) -> Bools:
    """Where runs tests of the rules are not given."""
    asked = any(t.is_runs_test for t in chart.rules.tests)
    late = _late(chart)
    return np.asarray(~chart.runs.given[np.arange(len(late.phase)), late.phase] & asked)


def _time(chart: ControlChart, gap: Floats | None) -> tuple[str, Floats]:
    """Name what a point is, and give the months from one to the next."""
    series, strata = chart.series, len(chart.strata)
    if series.measure.kind != "between":
        return series.every, np.full(strata, MONTHS[series.every])
    days = series.measure.unit == "days"
    births = np.full(strata, DAYS_A_MONTH) if days else make_plan(series, 1.0).births
    if isinstance(chart._spec, BernoulliCusum):
        return "birth", 1 / births
    return "event", np.full(strata, np.nan) if gap is None else gap / births


def _gap(chart: ControlChart, late: _Late, rate: Floats, side: Side) -> Floats | None:
    """Give births or time from one event to the next; an open gap counts until it signals."""
    spec = chart._spec
    if not isinstance(spec, G | T):
        return None
    counted = 1 - spec.smallest if isinstance(spec, G) else 0
    low, high = (
        np.take_along_axis(limit, late.last, axis=1)[:, 0] + counted
        if side in (name, "both")
        else np.full(rate.shape, np.nan)
        for name, limit in (("low", chart.lower), ("high", chart.upper))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = 1 / rate
        if chart.rules.tests == (BeyondLimits(),):
            possible = np.where(np.isfinite(rate), rate, np.nan)
            runs = (g_run_length if isinstance(spec, G) else t_run_length)(possible, lower=low, upper=high)
            whole = np.where(np.isfinite(runs.waited), runs.waited / runs.events, whole)
    return np.asarray(whole - counted)
