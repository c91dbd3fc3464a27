"""The charts that could be used for a series: what each can show, and how soon at equal false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qi_equity.data.cells import Floats, Ints
from qi_equity.data.periods import nests
from qi_equity.formulas.waiting import Waiting
from qi_equity.planning.drawn import drawn_as
from qi_equity.planning.plan import MONTHS, Family, Plan
from qi_equity.planning.points import KINDS, Points, points_of_series
from qi_equity.planning.rules_waiting import looked_at, rules_waiting
from qi_equity.planning.tuned import Chart, Design, can_show, tuned
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.summary import CAN_SIGNAL

__all__ = ["Candidate", "by_the_week", "candidates_of"]

YES, OVER_SEVERAL, NO = range(len(CAN_SIGNAL))
_OF_COUNTS: tuple[Chart, ...] = ("cusum", "ewma")
MONTHS_OF_LOOKS = 24
"""Months over which the false signals are counted of tests that look at the whole series so far."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One chart of all S strata.

    Parameters
    ----------
    chart : str
        Kind of chart.
    every : str
        How often there is a point: a period, "event" or "birth".
    rules : str
        Name of the set of rules; empty where one limit or threshold was tuned.
    records : bool
        Whether it needs the order of births, which counts have lost.
    can_fall, can_rise : ndarray of int, shape (S,)
        How a fall and a rise of the rate can show: index into ``CAN_SIGNAL``.
    false_alarm, detect : ndarray of float, shape (S,)
        Mean months between false signals of the side that looks for the change, and to the signal after it.
        Infinite where it never signals, NaN where nothing can be reckoned.
    drawn : tuple of str
        How to draw it: the argument ``kind`` of ``control_chart``.
    """

    chart: str
    every: str
    rules: str
    records: bool
    can_fall: Ints
    can_rise: Ints
    false_alarm: Floats
    detect: Floats
    drawn: tuple[str, ...]

    @property
    def is_tuned(self) -> bool:
        """Whether its limit or threshold was tuned to the false-alarm time wanted."""
        return not self.rules


def candidates_of(plan: Plan, rules: Sequence[str | RuleSet], false_alarm_months: float) -> list[Candidate]:
    """List every chart that the measure allows, simplest first."""
    kind = plan.series.measure.kind
    if kind == "between":
        return [_tuned(plan, chart, every, false_alarm_months) for chart, every in _of_gaps(plan)]
    spans = _spans(plan.series.every)
    found = [_by_rules(plan, every, one) for one in rules for every in spans]
    points = KINDS[kind]
    found += [_tuned(plan, points, every, false_alarm_months) for every in _longer(plan.series.every)]
    found += [_tuned(plan, chart, spans[0], false_alarm_months) for chart in _OF_COUNTS]
    return found + [_tuned(plan, chart, every, false_alarm_months) for chart, every in _of_gaps(plan)]


def by_the_week(plan: Plan, false_alarm_months: float) -> Candidate:
    """Give the CUSUM of weekly counts, which a team could keep from records."""
    return _tuned(plan, "cusum", "week", false_alarm_months)


def _longer(every: str) -> list[str]:
    """Give the period of the series, and month and quarter where these are longer."""
    return [every, *(one for one in ("month", "quarter") if MONTHS[one] > MONTHS[every])]


def _spans(every: str) -> list[str]:
    """Give the periods of the series, and quarters where they can be made of these."""
    longer = ["quarter"] if every != "quarter" and nests(every, "quarter") else []  # type: ignore[arg-type]
    return [every, *longer]


def _of_gaps(plan: Plan) -> list[tuple[Chart, str]]:
    """Give the charts of births or time between events, and how often they have a point."""
    if plan.family == "poisson":
        return [("t", "event")]
    # A gap of births is a whole number, which no short time of a t chart is.
    times: list[tuple[Chart, str]] = [] if plan.series.measure.kind == "between" else [("t", "event")]
    return [("g", "event"), *times, ("bernoulli_cusum", "birth")]


def _by_rules(plan: Plan, every: str, rules: str | RuleSet) -> Candidate:
    """Follow the chart of points as it would be drawn, at the real denominators of late."""
    months = MONTHS[every]
    series = plan.series if every == plan.series.every else plan.series.resample(every)
    found = resolve_rules(rules)
    points = points_of_series(series, found)
    rates = (plan.rate, plan.changed)
    if plan.series.measure.kind == "count":
        rates = (plan.rate * months, plan.changed * months)
    quiet, moved = (rules_waiting(points.moved_to(rate), plan.side).waiting for rate in rates)
    false_alarm = _months_between(quiet, months, points)
    return Candidate(
        chart=KINDS[plan.series.measure.kind],
        every=every,
        rules=found.name,
        records=False,
        can_fall=np.where(plan.seen, points.low, NO),
        can_rise=np.where(plan.seen, points.high, NO),
        false_alarm=np.where(plan.seen, false_alarm, np.nan),
        detect=np.where(plan.seen, moved.mean() * months, np.nan),
        drawn=(f"{KINDS[plan.series.measure.kind]!r}",) * len(plan.rate),
    )


def _months_between(quiet: Waiting, months: float, points: Points) -> Floats:
    """Give the mean months between false signals.

    Tests that look at the whole series so far signal ever more rarely, so that their mean says little of a
    chart that is kept for two years: theirs is that of a lasting rate with as many false signals in two.
    """
    if not looked_at(points.tests):
        return quiet.mean() * months
    within = quiet.within(np.floor(MONTHS_OF_LOOKS / months))
    with np.errstate(divide="ignore"):
        return np.asarray(-MONTHS_OF_LOOKS / np.log1p(-within))


def _tuned(plan: Plan, chart: Chart, every: str, false_alarm_months: float) -> Candidate:
    """Tune one limit or threshold of every stratum to the false-alarm time wanted."""
    before, after = (np.where(plan.seen, rate, np.nan) for rate in (plan.rate, plan.changed))
    wanted = np.full(before.shape, false_alarm_months)
    design = Design(plan.births, before, after, wanted, plan.family, MONTHS.get(every, 1.0))
    found = tuned(chart, design)
    # The same on the other side, to know whether it could show anything there.
    other = can_show(chart, design._replace(after=_opposite(before, after, plan.family)))
    able = [np.where(one, YES, NO) for one in (np.isfinite(found.setting), other)]
    can_fall, can_rise = able if plan.side == "low" else reversed(able)
    return Candidate(
        chart=chart,
        every=every,
        rules="",
        records=every in ("event", "birth"),
        can_fall=can_fall,
        can_rise=can_rise,
        false_alarm=found.false_alarm_months,
        detect=found.months_to_detect,
        drawn=drawn_as(chart, design, found),
    )


def _opposite(before: Floats, after: Floats, family: Family) -> Floats:
    """Give the rate, of a chance that whose odds are, as many times as far on the other side."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "poisson":
            return np.asarray(before**2 / after)
        odds = (before / (1 - before)) ** 2 / (after / (1 - after))
        return np.asarray(odds / (1 + odds))
