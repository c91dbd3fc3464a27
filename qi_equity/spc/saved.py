"""Charts kept, compared and cut to some strata: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity._result import check_header, from_json, header, notes, to_json
from qi_equity.data.selecting import stratum_mask
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.spc.kinds import from_specification, specification
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_FORMAT = 1
_LINES = ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s")


def select(
    chart: ControlChart,
    *,
    group: str | Sequence[str] | None,
    site: str | Sequence[str] | None,
    where: Mapping[str, str | Sequence[str]] | None,
) -> ControlChart:
    """Keep some strata."""
    mask = stratum_mask(chart.series.cells.strata, group=group, site=site, where=where)
    rows = np.flatnonzero(mask)
    kept = chart.series.select(group=group, site=site, where=where)
    when = chart.timeline
    lines = {name: getattr(chart, name)[rows] for name in ("centre_line", "sigma", "lower", "upper")}
    phases, exclusions = (_of_strata(f, kept.cells.strata) for f in (when.phases, when.exclusions))
    timeline = replace(
        when,
        phase=when.phase[rows],
        baseline=when.baseline[rows],
        excluded=when.excluded[rows],
        phases=phases,
        exclusions=exclusions,
    )
    return replace(
        chart,
        series=kept,
        timeline=timeline,
        flags=MappingProxyType({key: flags[rows] for key, flags in chart.flags.items()}),
        method=MappingProxyType({**chart.method, "phases": phases.copy(), "exclusions": exclusions.copy()}),
        few_crossings=chart.few_crossings[rows],
        _cache={"runs": chart.runs.take(rows), "two_sigma": (chart.lower_2s[rows], chart.upper_2s[rows])},
        **lines,
    )


def _of_strata(frame: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that speak of the strata kept."""
    keys = list(strata.columns)
    wanted, found = (pd.MultiIndex.from_frame(f[keys].astype("str")) for f in (strata, frame))
    return frame[found.isin(wanted)].reset_index(drop=True)


def to_dict(chart: ControlChart) -> dict[str, Any]:
    """Turn the chart into JSON."""
    when = chart.timeline
    return {
        **header("ControlChart", _FORMAT),
        "series": chart.series.to_dict(),
        "spec": specification(chart.spec),
        "rules": chart.rules.to_dict(),
        "limits": chart.limits,
        "target": chart.target,
        "timeline": {f.name: to_json(getattr(when, f.name)) for f in fields(Timeline)},
        "lines": {name: to_json(getattr(chart, name)) for name in _LINES},
        "runs": {f.name: to_json(getattr(chart.runs, f.name)) for f in fields(RunsTests)},
        "flags": [[test, side, to_json(mask)] for (test, side), mask in chart.flags.items()],
        "few_crossings": to_json(chart.few_crossings),
        "method": to_json(dict(chart.method)),
    }


def from_dict(cls: type[ControlChart], data: Mapping[str, Any]) -> ControlChart:
    """Read what :func:`to_dict` wrote."""
    check_header(data, "ControlChart", _FORMAT)
    lines = {name: from_json(data["lines"][name]) for name in _LINES}
    two_sigma = (lines.pop("lower_2s"), lines.pop("upper_2s"))
    runs = RunsTests(**{f.name: from_json(data["runs"][f.name]) for f in fields(RunsTests)})
    spec = from_specification(data["spec"])
    timeline = {f.name: from_json(data["timeline"][f.name]) for f in fields(Timeline)}
    return cls(
        series=StratifiedSeries.from_dict(data["series"]),
        kind=spec.kind,
        spec=spec,
        rules=RuleSet.from_dict(data["rules"]),
        limits=data["limits"],
        target=data["target"],
        timeline=Timeline(**{**timeline, "notes": notes([timeline["notes"]])}),
        flags=MappingProxyType({(test, side): from_json(mask) for test, side, mask in data["flags"]}),
        method=MappingProxyType(from_json(data["method"])),
        few_crossings=from_json(data["few_crossings"]),
        _cache={"two_sigma": two_sigma, "runs": runs},
        **lines,
    )


def equal(one: ControlChart, other: ControlChart) -> bool:
    """Say whether two charts hold the same; NaN equals NaN."""
    return one.series.equals(other.series) and _plain(one) == _plain(other)


def _plain(chart: ControlChart) -> dict[str, Any]:
    """Give all but the series as plain values, which compare by content."""
    data = to_dict(chart)
    del data["series"]
    return data
