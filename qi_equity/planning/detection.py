"""Which chart would show a change to each group, and how long it would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.table import library
from qi_equity.errors import OptionError
from qi_equity.planning.candidates import MONTHS_OF_LOOKS, Candidate, candidates_of
from qi_equity.planning.detection_notes import detection_notes
from qi_equity.planning.detection_table import DetectionTable
from qi_equity.planning.plan import Plan, make_plan
from qi_equity.planning.recommend import ABOUT_AS_SOON, NONE, best_of, reasons, visible
from qi_equity.planning.rules_waiting import is_exact
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.signals import category
from qi_equity.spc.summary import CAN_SIGNAL

__all__ = ["RULES", "check_change", "detected", "detection_table", "of_best"]

RULES = ("anhoej+shewhart", "western_electric", "making_data_count")
"""Sets of rules that are followed where none are named."""


def detection_table(
    series: StratifiedSeries,
    *,
    change: float = 0.5,
    false_alarm_months: float = 150,
    within: float = 12,
    rules: str | RuleSet | Sequence[str | RuleSet] = RULES,
) -> DetectionTable:
    """Say for every group which chart could show a change, and after how many months.

    Births and the rate of each stratum come from all periods of the series, which is taken as its baseline.
    The change is that of the adverse rate: of a proportion that should be high, of the births without the
    event. Limits and thresholds that can be tuned are set so that the side of the chart that looks for the
    change signals falsely once in ``false_alarm_months`` *months*: groups of every size then wait equally
    long between false alarms, not equally many births. Sets of rules cannot be tuned; theirs is stated.

    Run lengths are those of charts that start with the change, about known lines; with lines from a short
    baseline false signals are more (:func:`run_length` with ``baseline=``).

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates or counts; or births or days between events.
    change : float
        Adverse rate after the change over that before, > 0 and not 1: 0.5 halves it.
    false_alarm_months : float
        Mean months between false signals of one side, > 1.
    within : float
        Months in which a team wants to see the change, > 0; a group for which no chart of these data does is
        "not yet visible".
    rules : str, RuleSet or sequence of these
        Sets of rules of which the charts of points (p, u, c) are followed.

    Returns
    -------
    DetectionTable
        ``table`` (one row a stratum, with the recommended chart and its reason), ``charts`` (one row a
        stratum and chart), ``pooled`` (each group over all sites), ``notes``, ``plot()``. Recommended is the
        simplest tuned chart that waits at most 1.25 times as long as the soonest, or a month longer. EWMAs
        are followed and not recommended: their limits are narrow at the start, and their months hold for a
        change that comes then.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or the series holds measurements.

    References
    ----------
    .. [1] Neuburger et al., Comparison of control charts for monitoring clinical performance using binary
       data. BMJ Qual Saf 2017;26:919-928 (charts compared at equal false alarms).
    .. [2] Champ, Woodall, Technometrics 1987;29:393-399; Brook, Evans, Biometrika 1972;59:539-549 (run
       lengths).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "preterm": [2, 3] * 12 + [18, 19] * 12, "births": [28] * 24 + [294] * 24})
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], period="month", numerator="preterm",
    ...                         denominator="births", group="group")
    >>> table = qe.detection_table(series, rules="shewhart").table
    >>> table[["group", "chart", "months_to_detect", "visible"]].round(1).to_numpy().tolist()
    [['Black', 'cusum', 8.2, True], ['White', 'p', 2.4, True]]
    """
    check_series(series)
    options = {
        "change": check_change(change),
        "false_alarm_months": _validate.number("false_alarm_months", false_alarm_months, above=1),
        "within": _validate.number("within", within, above=0),
        "rules": tuple(resolve_rules(one).to_dict() for one in _validate.several("rules", rules)),
    }
    return detected(series, options)


def detected(series: StratifiedSeries, options: Mapping[str, Any]) -> DetectionTable:
    """Make the table from a series and options that were read."""
    rules = [RuleSet.from_dict(one) for one in options["rules"]]
    plan = make_plan(series, options["change"])
    found = candidates_of(plan, rules, options["false_alarm_months"])
    records = series.measure.kind == "between"
    best = best_of(found, records=records)
    why = reasons(plan, found, best, options["within"], records=records)
    frames = {
        "table": _table(plan, found, best, why, options["within"]),
        "charts": _charts(plan, found, best),
        "pooled": _pooled(plan, found, best, options),
    }
    return DetectionTable(
        series=series,
        options=options,
        method=_method(plan, rules, options),
        _frames=frames,
        _notes=_result.notes(
            [series.notes, *detection_notes(plan, found, best, frames, options)],
            [c for c in plan.strata.columns if c not in ("site", "group")],
        ),
    )


def check_change(change: object, argument: str = "change") -> float:
    """Check the adverse rate after a change over that before."""
    value = _validate.number(argument, change, above=0)
    if value == 1:
        raise OptionError(
            f"{argument}=1 is no change; give the adverse rate after over that before, such as 0.5 for half."
        )
    return value


def _table(
    plan: Plan, found: Sequence[Candidate], best: np.ndarray, why: list[str], within: float
) -> pd.DataFrame:
    """Give one row a stratum: what it has, and the chart that is recommended."""
    chosen = of_best(plan, found, best)
    return plan.strata.reset_index(drop=True).assign(
        births_per_month=plan.births,
        events_per_month=plan.events,
        rate=plan.rate,
        changed_rate=plan.changed,
        **chosen,
        visible=visible(chosen["months_to_detect"], within),
        reason=pd.Series(why, dtype="str"),
    )


def of_best(plan: Plan, found: Sequence[Candidate], best: np.ndarray) -> dict[str, Any]:
    """Read the columns of each stratum's own candidate; empty and NaN where it has none."""
    rows, some = np.arange(len(best)), best != NONE
    pick = np.maximum(best, 0)

    def numbers(name: str) -> np.ndarray:
        return np.asarray(np.stack([getattr(one, name) for one in found])[pick, rows])

    def texts(name: str) -> pd.Series:
        return pd.Series(
            [getattr(found[k], name) if s else "" for k, s in zip(pick, some, strict=True)], dtype="str"
        )

    codes = {"fall": numbers("can_fall"), "rise": numbers("can_rise")}
    return {
        "chart": texts("chart"),
        "every": texts("every"),
        **_can_signal(plan, *(np.where(some, codes[side], -1) for side in ("fall", "rise"))),
        "false_alarm_months": np.where(some, numbers("false_alarm"), np.nan),
        "months_to_detect": np.where(some, numbers("detect"), np.where(plan.seen, np.inf, np.nan)),
        "kind": pd.Series(
            [found[k].drawn[row] if s else "" for row, (k, s) in enumerate(zip(pick, some, strict=True))],
            dtype="str",
        ),
    }


def _can_signal(plan: Plan, fall: np.ndarray, rise: np.ndarray) -> dict[str, pd.Categorical]:
    """Name how a fall and a rise can show, and where one of them is better, by meaning."""
    low, high = (category(codes, CAN_SIGNAL) for codes in (fall, rise))
    none = category(np.full(len(fall), -1), CAN_SIGNAL)
    better, worse = (none, none) if plan.good < 0 else ((low, high), (high, low))[plan.good]
    return {
        "can_signal_fall": low,
        "can_signal_rise": high,
        "can_signal_improvement": better,
        "can_signal_deterioration": worse,
    }


def _charts(plan: Plan, found: Sequence[Candidate], best: np.ndarray) -> pd.DataFrame:
    """Give one row a stratum and chart."""
    strata, size = plan.strata, len(plan.strata)
    parts = [
        strata.reset_index(drop=True).assign(
            _stratum=np.arange(size),
            chart=one.chart,
            every=one.every,
            rules=one.rules,
            tuned=one.is_tuned,
            needs_records=one.records,
            **_can_signal(plan, one.can_fall, one.can_rise),
            false_alarm_months=one.false_alarm,
            months_to_detect=one.detect,
            recommended=best == k,
            kind=pd.Series(one.drawn, dtype="str"),
        )
        for k, one in enumerate(found)
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values("_stratum", kind="stable", ignore_index=True).drop(columns="_stratum")
    return frame.astype(dict.fromkeys(("chart", "every", "rules", "kind"), "str"))


def _pooled(
    plan: Plan, found: Sequence[Candidate], best: np.ndarray, options: Mapping[str, Any]
) -> pd.DataFrame:
    """Compare each group at one site with the same group over all sites; no row without several sites."""
    own = of_best(plan, found, best)
    keys = [c for c in plan.strata.columns if c != "site"]
    columns = ["births_per_month", "months_to_detect", "one_site_months", "gain"]
    if "site" not in plan.strata or plan.series.measure.kind == "between" or len(plan.series.sites) < 2:
        empty = plan.strata[keys].iloc[:0].assign(sites=np.zeros(0, dtype=np.int64), chart="", every="")
        return empty.assign(**{c: np.zeros(0) for c in columns}, visible=np.zeros(0, dtype=np.bool_)).astype(
            {"chart": "str", "every": "str"}
        )
    together = make_plan(plan.series.pool("site"), options["change"])
    charts = candidates_of(together, (), options["false_alarm_months"])
    found_together = of_best(together, charts, best_of(charts, records=False))
    months = found_together["months_to_detect"]
    one = pd.DataFrame({**plan.strata[keys], "own": own["months_to_detect"]})
    by = one.groupby(keys, observed=False, sort=False, dropna=False)["own"] if keys else None
    if by is None:
        typical = pd.DataFrame({"own": [one["own"].median()], "sites": [len(one)]})
    else:
        typical = by.agg(own="median", sites="size").reset_index()
        typical = (
            together.strata[keys]
            .astype("str")
            .merge(typical.astype(dict.fromkeys(keys, "str")), on=keys, how="left")
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = typical["own"].to_numpy(dtype=np.float64) / months
    return (
        together.strata[keys]
        .reset_index(drop=True)
        .assign(
            sites=typical["sites"].to_numpy(dtype=np.int64),
            chart=found_together["chart"],
            every=found_together["every"],
            births_per_month=together.births,
            months_to_detect=months,
            one_site_months=typical["own"].to_numpy(dtype=np.float64),
            gain=gain,
            visible=visible(months, options["within"]),
        )
    )


def _method(plan: Plan, rules: Sequence[RuleSet], options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "what": "months to detect a change, with charts that start with it, about known lines",
        "change": options["change"],
        "looks_for": plan.meaning,
        "false_alarm_months": options["false_alarm_months"],
        "false_alarms_of": "the side of the chart that looks for the change",
        "false_alarms_of_growing_series": f"counted over the first {MONTHS_OF_LOOKS} months",
        "recommended": f"the simplest that waits at most {ABOUT_AS_SOON} times as long, or a month longer; "
        "no EWMA, whose months hold for a change at its start only",
        "within": options["within"],
        "rules": list(cast("tuple[Any, ...]", options["rules"])),
        "rules_followed": {one.name: "exact" if is_exact(one.tests) else "simulation" for one in rules},
        "steps": plan.series.method.get("steps", []),
        **library(),
    }
