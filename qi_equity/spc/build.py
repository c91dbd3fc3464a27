"""Put a chart together: options read, data judged, and what was done written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity import _validate
from qi_equity._result import notes
from qi_equity._version import __version__
from qi_equity.data.recorded import RecordedChanges
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline, timeline
from qi_equity.errors import OptionError
from qi_equity.spc import runs_tests
from qi_equity.spc.auto import Chosen, alike, choose
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.judge import ARMS, Case, Judged, as_arms, judge
from qi_equity.spc.kinds import Spec, specification
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.lines import own_tail
from qi_equity.spc.needs import needs
from qi_equity.spc.overlap import Overlap, overlap_of
from qi_equity.spc.pieces import LINES, take_timeline
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.targets import Target, targets_of

Periods = str | date | np.datetime64 | Sequence[str | date | np.datetime64] | pd.DataFrame
Phases = Periods | RecordedChanges
Baseline = int | str | date | np.datetime64


def build(
    series: StratifiedSeries,
    spec: Spec | None,
    rules: RuleSet,
    *,
    phases: Phases | None,
    baseline: Baseline | None,
    exclude: Periods | None,
    limits: str,
    target: Target | None,
) -> ControlChart:
    """Make the chart; without a specification the kind is chosen for each stratum."""
    when = timeline(series, phases=phases, baseline=baseline, exclude=exclude)
    targets, said = targets_of(series, target)
    when = replace(when, notes=notes([when.notes, said]))
    common = _validate.one_of("limits", limits, ("own", "common")) == "common"
    overlap = overlap_of(series)
    chosen = (
        choose(series, when, rules, common=common, overlapping=overlap.found)
        if spec is None
        else alike(spec, len(when.phase))
    )
    if common:
        _check_common(series, chosen.specs)
    _check_data(series, chosen.specs)
    judged = [
        (rows, _judge(series, when, chosen.specs[k], rules, rows, overlapping=overlap.found, common=common))
        for k, rows in enumerate(chosen.rows())
    ]
    return ControlChart(
        series=series,
        specs=chosen.specs,
        spec_of=chosen.spec_of,
        why=chosen.why,
        rules=rules,
        limits=limits,
        targets=targets,
        timeline=when,
        method=_method(series, chosen, rules, limits, when, baseline, overlap),
        **_put_together(judged, when.phase.shape),
    )


def _judge(
    series: StratifiedSeries,
    when: Timeline,
    spec: Spec,
    rules: RuleSet,
    rows: npt.NDArray[np.int64],
    *,
    overlapping: bool,
    common: bool,
) -> Judged:
    """Judge the strata of one kind."""
    cells = series.cells
    if len(rows) < len(cells.strata):
        cells = cells.take(rows)
        when = take_timeline(when, rows, cells.strata)
    return judge(Case(cells, series.measure.kind, when, spec, overlapping, common), rules)


def _put_together(
    judged: list[tuple[npt.NDArray[np.int64], Judged]], shape: tuple[int, ...]
) -> dict[str, Any]:
    """Put the strata of each kind to their rows."""
    if len(judged) == 1:
        found = judged[0][1]
        plotted, few = as_arms(found.lines.plotted, shape), found.few_crossings
        limits = {name: getattr(found.lines.limits, name) for name in LINES}
        return {"plotted": plotted, "flags": found.flags, "few_crossings": few, **limits}
    plotted = {arm: np.full(shape, np.nan) for arm in ARMS}
    limits = {name: np.full(shape, np.nan) for name in LINES}
    flags = {key: np.zeros(shape, dtype=bool) for key in judged[0][1].flags}
    phases = max(found.few_crossings.shape[1] for _, found in judged)
    few = np.zeros((shape[0], phases), dtype=bool)
    for rows, found in judged:
        for arm, values in found.lines.plotted.items():
            plotted[arm][rows] = values
        for name, line in limits.items():
            line[rows] = getattr(found.lines.limits, name)
        for key, mask in found.flags.items():
            flags[key][rows] = mask
        few[rows, : found.few_crossings.shape[1]] = found.few_crossings
    return {"plotted": plotted, "flags": flags, "few_crossings": few, **limits}


def _check_common(series: StratifiedSeries, specs: tuple[Spec, ...]) -> None:
    unfit = [spec.kind for spec in specs if spec.kind not in ("p", "np", "u")]
    if unfit:
        raise OptionError(
            f"limits='common' is not allowed with kind={unfit[0]!r}: only events and births (p, np, u) can "
            "be pooled over groups. Use limits='own'."
        )
    if series.scheme is not None and series.scheme.overlapping:
        raise OptionError(
            f"limits='common' is not allowed with the scheme {series.scheme.id!r}: a woman can be in several "
            "groups and would be counted more than once. Use limits='own'."
        )


def _check_data(series: StratifiedSeries, specs: tuple[Spec, ...]) -> None:
    """Refuse a kind that reads what the series does not hold."""
    cells = series.cells
    for spec in specs:
        lacking = [
            f"{what} ({how})"
            for what, how in needs(spec).items()
            if not np.isfinite(getattr(cells, what)).any()
        ]
        if lacking:
            raise OptionError(
                f"kind={spec.kind!r} cannot be drawn: the series holds no {' and no '.join(lacking)}."
            )


def _method(
    series: StratifiedSeries,
    chosen: Chosen,
    rules: RuleSet,
    limits: str,
    when: Timeline,
    baseline: Baseline | None,
    overlap: Overlap,
) -> Mapping[str, Any]:
    is_run = chosen.specs == (Run(),)
    tails = {own_tail(spec) for spec in chosen.specs} - {None}
    return MappingProxyType(
        {
            "chart": [specification(spec) for spec in chosen.specs],
            "kinds": chosen.reasons(series.cells.strata),
            "centre_line": "median of the baseline" if is_run else "from the baseline of each phase",
            "limits": None if is_run else limits,
            "tail": tails.pop() if tails else None,
            "rules": rules.to_dict(),
            "runs_tests": {
                "chance_between": [runs_tests.CHANCE_LOW, runs_tests.CHANCE_HIGH],
                "largest_share_on_the_line": runs_tests.LARGEST_ATOM,
            },
            "baseline": None if baseline is None else str(baseline),
            "phases": when.phases.copy(),
            "exclusions": when.exclusions.copy(),
            "overlap": overlap.to_dict(),
            "data": dict(series.method),
            "library": f"qi_equity {__version__}",
        }
    )
