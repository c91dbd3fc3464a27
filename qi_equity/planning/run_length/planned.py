"""Run lengths of a chart that is only planned, of known lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.formulas.cusum_run_length import bernoulli_threshold, count_cusum_threshold
from qi_equity.formulas.distributions import Normal
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length.births import of_births, times_process
from qi_equity.planning.run_length.estimated import from_baseline, not_offered
from qi_equity.planning.run_length.followed import Followed, Run
from qi_equity.planning.run_length.memory import Moving, by_limits_only, of_counts, of_normal_points
from qi_equity.planning.run_length.rules import by_rules, points_of_process, runs_given
from qi_equity.planning.run_length.spec import Planned
from qi_equity.spc.chance import sigmas_of
from qi_equity.spc.expected_signals import planned_process
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Cusum, Ewma
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.stable import Stable

__all__ = ["followed_planned"]


def followed_planned(
    chart: Planned, rules: RuleSet, moved: Floats, side: Side, baseline: int | None
) -> Followed:
    """Follow a planned chart after each change or shift."""
    count, (run, given) = len(moved), _run(chart, rules, moved, side, baseline)
    return Followed(
        kind=chart.spec.kind,
        stratum=np.zeros(count, dtype=np.int64),
        order=np.arange(count),
        moved=moved,
        counts=chart.counts,
        unit=_unit(chart.spec),
        months=np.full(count, 1 / chart.births if isinstance(chart.spec, BernoulliCusum) else np.nan),
        known=np.ones(count, dtype=np.bool_),
        left_out=np.full(count, not given and any(t.is_runs_test for t in rules.tests)),
        run=run,
    )


def _unit(spec: Spec) -> str:
    if isinstance(spec, BernoulliCusum):
        return "birth"
    return "event" if isinstance(spec, G | T) else "point"


def _run(chart: Planned, rules: RuleSet, moved: Floats, side: Side, baseline: int | None) -> tuple[Run, bool]:
    """Follow the chart, and say whether runs tests are given; charts that carry their past have none."""
    spec = chart.spec
    if (spec.has_memory or isinstance(spec, T)) and baseline is not None:
        raise not_offered(f"kind={spec.kind!r}", baseline)
    if spec.has_memory:
        by_limits_only(spec.kind, rules)
    match spec:
        case Ewma() | Cusum() if not chart.counts:
            return of_normal_points(spec, moved, side), True
        case Ewma() | CountCusum():
            return _of_counts(chart, spec, chart.changed(moved), side), True
        case BernoulliCusum():
            return _of_births(chart, spec, chart.changed(moved), side), True
    if isinstance(spec, T):
        sigmas = sigmas_of(rules.tests)
        given = runs_given(times_process(spec, np.ones(1), sigmas))
        process = times_process(spec, moved, sigmas)
        points = points_of_process(process, rules.tests, np.broadcast_to(given, moved.shape))
        return by_rules(points, side), bool(given[0])
    process = _lines(chart, rules)
    given = runs_given(process)
    if baseline is not None:
        return from_baseline(chart, rules, moved, side, baseline, given=bool(given[0])), bool(given[0])
    rows = np.zeros(len(moved), dtype=np.int64)
    points = points_of_process(process.take(rows), rules.tests, given[rows])
    if chart.counts:
        points = points.moved_to(chart.changed(moved))
    else:
        shifted = Normal(moved[:, np.newaxis], np.ones((len(moved), 1)))
        points = replace(points, process=replace(points.process, points=shifted))
    return by_rules(points, side), bool(given[0])


def _lines(chart: Planned, rules: RuleSet) -> Stable:
    line, size = (None if np.isnan(x) else x for x in (chart.line, chart.births))
    return planned_process(chart.spec, 1, line, size, sigmas_of(rules.tests))


def _of_counts(chart: Planned, spec: Ewma | CountCusum, actual: Floats, side: Side) -> Run:
    count, binomial = len(actual), not np.isnan(chart.births)
    size = np.full((count, 1), chart.births if binomial else 1.0)
    family = "binomial" if binomial else "poisson"
    points = Moving(size, np.full(count, chart.rate), actual, family)  # type: ignore[arg-type]
    if isinstance(spec, Ewma):
        return of_counts(spec, points, side, (actual, actual))
    if spec.h is not None:
        h = np.full(count, spec.h)
        return of_counts(spec, points, side, (h, h))
    found = count_cusum_threshold(
        size[:, 0],
        chart.rate,
        distribution=points.family,
        ratio=spec.ratio,
        points_between=spec.false_signal_every,
    )
    return of_counts(spec, points, side, (found.low, found.high))


def _of_births(chart: Planned, spec: BernoulliCusum, actual: Floats, side: Side) -> Run:
    if spec.h is not None:
        low = high = np.full(1, spec.h)
    else:
        between = max(spec.false_signal_every * chart.births, 1)
        found = bernoulli_threshold(chart.rate, spec.odds_ratio, between)
        low, high = found.low, found.high
    count = len(actual)
    thresholds = np.broadcast_to(low, count), np.broadcast_to(high, count)
    return of_births(np.full(count, chart.rate), actual, spec.odds_ratio, thresholds, side)
