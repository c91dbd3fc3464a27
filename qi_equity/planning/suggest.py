"""Plain advice for a team: which group on which chart, how often, over which sites, with what baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data.cells import Floats
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.table import library
from qi_equity.formulas.evaluation_power import (
    evaluation_power,
    periods_needed,
    smallest_evaluated_ratio,
)
from qi_equity.planning.advice import advice_texts, design_notes
from qi_equity.planning.candidates import by_the_week, candidates_of
from qi_equity.planning.design_advice import DesignAdvice
from qi_equity.planning.detection import check_change, of_best
from qi_equity.planning.plan import MONTHS, Plan, make_plan
from qi_equity.planning.pooled_sites import PooledSites, fewest_sites
from qi_equity.planning.recommend import best_of, visible

__all__ = ["suggest_design", "suggested"]

POWER = 0.8


def suggest_design(
    series: StratifiedSeries, *, aim: float = 0.5, within: float = 12, false_alarm_months: float = 150
) -> DesignAdvice:
    """Advise a team: which group on which chart, how often, over which sites, and what stays invisible.

    For each group the chart that :func:`detection_table` recommends, tuned to the same false-alarm time for
    all, and whether counting by the week would be sooner; where that is too late, the fewest sites over which
    the group has to be pooled; and what :func:`evaluate_change` could show after as many months,
    with the baseline there is and the baseline it would need. The arithmetic is that of the
    notes of charts and of the verdict "not yet visible".

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates or counts; or births or days between events. All periods are the baseline.
    aim : float
        Adverse rate that the team aims at over that of now, > 0 and not 1: 0.5 halves it.
    within : float
        Months in which the team wants to know, >= 1.
    false_alarm_months : float
        Mean months between false signals of the side that looks for the change, > 1.

    Returns
    -------
    DesignAdvice
        ``table`` (one row a stratum), ``advice()`` in words, ``notes``, ``plot()``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or the series holds measurements.

    References
    ----------
    .. [1] Walker, Neuburger, Groene, Cromwell, van der Meulen. Public reporting of surgeon outcomes: low
       numbers of procedures lead to false complacency. Lancet 2013;382:1674-7 (frequent outcomes, larger
       units, and no evidence of poor performance that is not evidence of acceptable performance; seen at
       second hand).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "preterm": [2, 3] * 12 + [18, 19] * 12, "births": [28] * 24 + [294] * 24})
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], period="month", numerator="preterm",
    ...                         denominator="births", group="group")
    >>> advice = qe.suggest_design(series)
    >>> advice.table[["group", "chart", "every", "power"]].round(1).to_numpy().tolist()
    [['Black', 'cusum', 'month', 0.7], ['White', 'p', 'month', 1.0]]
    """
    check_series(series)
    options = {
        "aim": check_change(aim, "aim"),
        "within": _validate.number("within", within, at_least=1),
        "false_alarm_months": _validate.number("false_alarm_months", false_alarm_months, above=1),
    }
    return suggested(series, options)


def suggested(series: StratifiedSeries, options: Mapping[str, Any]) -> DesignAdvice:
    """Make the advice from a series and options that were read."""
    plan = make_plan(series, options["aim"])
    found = candidates_of(plan, (), options["false_alarm_months"])
    best = best_of(found, records=series.measure.kind == "between")
    own = of_best(plan, found, best)
    step = MONTHS[series.every] if series.measure.kind != "between" else 1.0
    pooled = fewest_sites(plan, options["aim"], options["false_alarm_months"], options["within"], step)
    weekly = by_the_week(plan, options["false_alarm_months"]).detect
    table = _table(plan, own, weekly, pooled, options, step)
    table = table.assign(advice=pd.Series(advice_texts(plan, table, options), dtype="str"))
    return DesignAdvice(
        series=series,
        options=options,
        method=_method(plan, options),
        _frames={"table": table},
        _notes=_result.notes(
            [series.notes, *design_notes(plan, table, options)],
            [c for c in plan.strata.columns if c not in ("site", "group")],
        ),
    )


def _table(
    plan: Plan,
    own: Mapping[str, Any],
    weekly: Floats,
    pooled: PooledSites,
    options: Mapping[str, Any],
    step: float,
) -> pd.DataFrame:
    within = options["within"]
    before = np.maximum(np.rint(plan.months / step), 1.0)
    after = max(round(within / step), 1)
    alone = _evaluated(plan, before, after, step)
    together = _power(plan, (pooled.births, pooled.before, pooled.after), before, after, step)
    seen = visible(own["months_to_detect"], within)
    pooled_seen = visible(pooled.months, within)
    return plan.strata.reset_index(drop=True).assign(
        births_per_month=plan.births,
        events_per_month=plan.events,
        rate=plan.rate,
        aimed_rate=plan.changed,
        **{name: own[name] for name in ("chart", "every", "kind", "months_to_detect")},
        weekly_months=weekly,
        visible=seen,
        baseline_months=plan.months,
        baseline_months_needed=alone["needed"],
        power=alone["power"],
        smallest_ratio=alone["smallest"],
        pooled_sites=pd.Series(pooled.sites, dtype="str"),
        n_sites=pooled.number,
        pooled_births_per_month=pooled.births,
        pooled_months_to_detect=pooled.months,
        pooled_visible=pooled_seen,
        pooled_power=together,
        invisible=~(seen | pooled_seen)
        & ~(np.nan_to_num(alone["power"]) >= POWER)
        & ~(np.nan_to_num(together) >= POWER),
    )


def _evaluated(plan: Plan, before: Floats, after: int, step: float) -> dict[str, Floats]:
    """Give the power of an evaluation, the baseline it needs, and the smallest change it could show."""
    size, *rates = _design(plan, (plan.births, plan.rate, plan.changed), step)
    direction: Literal["fall", "rise"] = "fall" if plan.side == "low" else "rise"
    kind = _kind(plan)
    return {
        "power": _power(plan, (plan.births, plan.rate, plan.changed), before, after, step),
        "needed": periods_needed(size, *rates, periods_after=after, power=POWER, kind=kind) * step,
        "smallest": smallest_evaluated_ratio(
            size, rates[0], periods_before=before, periods_after=after, direction=direction, kind=kind
        ),
    }


def _power(
    plan: Plan, births_and_rates: tuple[Floats, Floats, Floats], before: Floats, after: int, step: float
) -> Floats:
    """Give the power of an evaluation, simulated once of designs that are alike, as those of pooled sites."""
    designs = np.stack([*_design(plan, births_and_rates, step), before])
    (*of, periods), back = np.unique(designs, axis=1, return_inverse=True)
    found = evaluation_power(*of, periods_before=periods, periods_after=after, kind=_kind(plan)).power
    return np.asarray(found[back.reshape(-1)])


def _design(plan: Plan, births_and_rates: tuple[Floats, Floats, Floats], step: float) -> list[Floats]:
    """Give births a period and both rates, NaN where there is nothing to change."""
    births, rate, changed = births_and_rates
    known = np.isfinite(rate + changed)
    return [
        np.where(plan.seen, births * step, np.nan),
        *(np.where(known, a, np.nan) for a in (rate, changed)),
    ]


def _kind(plan: Plan) -> Literal["proportion", "rate"]:
    return "proportion" if plan.family == "binomial" else "rate"


def _method(plan: Plan, options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "what": "a chart, sites to pool and a baseline for each group, for an aim",
        "looks_for": plan.meaning,
        **options,
        "false_alarms_of": "the side of the chart that looks for the change",
        "power": f"of evaluate_change with levels, by simulation; enough is {POWER:g}",
        "pooled": "sites with most births of the group first, by a CUSUM of the counts",
        "steps": plan.series.method.get("steps", []),
        **library(),
    }
