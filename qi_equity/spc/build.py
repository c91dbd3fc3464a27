"""Put a chart together: options read, data judged, and what was done written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity._version import __version__
from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline, timeline
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc import runs_tests
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.judge import Case, judge
from qi_equity.spc.kinds import Run, Spec, specification
from qi_equity.spc.lines import TAIL_3_SIGMA
from qi_equity.spc.overlap import Overlap, overlap_of
from qi_equity.spc.rules import RuleSet

Phases = str | date | np.datetime64 | Sequence[str | date | np.datetime64] | pd.DataFrame
Baseline = int | str | date | np.datetime64


def check_series(series: object) -> StratifiedSeries:
    """Return the series, or say what to make one with.

    Raises
    ------
    InputTypeError
        If it is something else.
    """
    if not isinstance(series, StratifiedSeries):
        raise InputTypeError(
            f"series is of type {type(series).__name__}; make a StratifiedSeries with from_records, "
            "from_counts or between_events."
        )
    return series


def build(
    series: StratifiedSeries,
    spec: Spec,
    rules: RuleSet,
    *,
    phases: Phases | None,
    baseline: Baseline | None,
    exclude: Phases | None,
    limits: str,
    target: float | None,
) -> ControlChart:
    """Make the chart."""
    when = timeline(series, phases=phases, baseline=baseline, exclude=exclude)
    common = _validate.one_of("limits", limits, ("own", "common")) == "common"
    if common:
        _check_common(series, spec)
    overlap = overlap_of(series)
    judged = judge(Case(series.cells, series.measure.kind, when, spec, overlap.found), rules, common=common)
    return ControlChart(
        series=series,
        kind=spec.kind,
        spec=spec,
        rules=rules,
        limits=limits,
        target=_target(series.measure, target),
        timeline=when,
        centre_line=judged.lines.centre_line,
        sigma=judged.lines.sigma,
        lower=judged.lines.lower,
        upper=judged.lines.upper,
        flags=MappingProxyType(judged.flags),
        few_crossings=judged.few_crossings,
        method=_method(series, spec, rules, limits, when, baseline, overlap),
    )


def _target(measure: Measure, target: float | None) -> float | None:
    """Check a target as the measure checks its own; without one, the measure's holds."""
    return measure.target if target is None else replace(measure, target=target).target


def _check_common(series: StratifiedSeries, spec: Spec) -> None:
    if spec.kind not in ("p", "u"):
        raise OptionError(
            f"limits='common' is not allowed with a {spec.kind} chart: only events and births (p, u) can "
            "be pooled over groups. Use limits='own'."
        )
    if series.scheme is not None and series.scheme.overlapping:
        raise OptionError(
            f"limits='common' is not allowed with the scheme {series.scheme.id!r}: a woman can be in several "
            "groups and would be counted more than once. Use limits='own'."
        )


def _method(
    series: StratifiedSeries,
    spec: Spec,
    rules: RuleSet,
    limits: str,
    when: Timeline,
    baseline: Baseline | None,
    overlap: Overlap,
) -> Mapping[str, Any]:
    is_run = isinstance(spec, Run)
    return MappingProxyType(
        {
            "chart": specification(spec),
            "centre_line": "median of the baseline" if is_run else "pooled over the baseline",
            "limits": None if is_run else limits,
            "tail": TAIL_3_SIGMA if getattr(spec, "limits", None) == "exact" else None,
            "rules": rules.to_dict(),
            "runs_tests": {
                "chance_between": [runs_tests.CHANCE_LOW, runs_tests.CHANCE_HIGH],
                "largest_share_on_the_line": runs_tests.LARGEST_ATOM,
            },
            "baseline": None if baseline is None else str(baseline),
            "phases": when.phases.copy(),
            "exclusions": when.exclusions.copy(),
            "overlap": {
                "window": overlap.window,
                "ratio": overlap.ratio,
                "p": overlap.p,
                "found": overlap.found,
            },
            "data": dict(series.method),
            "library": f"qi_equity {__version__}",
        }
    )
