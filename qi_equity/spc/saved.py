"""Charts kept, compared and cut to some strata: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from qi_equity import _validate
from qi_equity._result import check_header, from_json, header, notes, to_json
from qi_equity.data.selecting import stratum_mask
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.errors import DataError
from qi_equity.spc.judge import ARMS
from qi_equity.spc.kinds import from_specification, specification
from qi_equity.spc.pieces import LINES, take
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import REASONS, RunsTests

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_FORMAT = 2
_LINES = (*LINES, "lower_2s", "upper_2s")


def select(
    chart: ControlChart,
    *,
    group: str | Sequence[str] | None,
    site: str | Sequence[str] | None,
    where: Mapping[str, str | Sequence[str]] | None,
) -> ControlChart:
    """Keep some strata."""
    mask = stratum_mask(chart.series.cells.strata, group=group, site=site, where=where)
    kept = chart.series.select(group=group, site=site, where=where)
    rows = np.flatnonzero(mask)
    part = take(chart, rows, kept)
    # Drawn before the cut: a centre line that groups share cannot be drawn from some of them.
    part._cache["runs"] = chart.runs.take(rows)
    part._cache["two_sigma"] = (chart.lower_2s[rows], chart.upper_2s[rows])
    return part


def to_dict(chart: ControlChart) -> dict[str, Any]:
    """Turn the chart into JSON."""
    when = chart.timeline
    return {
        **header("ControlChart", _FORMAT),
        "series": chart.series.to_dict(),
        "specs": [specification(spec) for spec in chart.specs],
        "spec_of": chart.spec_of.tolist(),
        "why": list(chart.why),
        "rules": chart.rules.to_dict(),
        "limits": chart.limits,
        "targets": to_json(chart.targets),
        "timeline": {f.name: to_json(getattr(when, f.name)) for f in fields(Timeline)},
        "plotted": {arm: to_json(values) for arm, values in chart.plotted.items()},
        "lines": {name: to_json(getattr(chart, name)) for name in _LINES},
        "runs": {f.name: to_json(getattr(chart.runs, f.name)) for f in fields(RunsTests)},
        "flags": [[test, side, to_json(mask)] for (test, side), mask in chart.flags.items()],
        "few_crossings": to_json(chart.few_crossings),
        "method": to_json(dict(chart.method)),
    }


def from_dict(cls: type[ControlChart], data: Mapping[str, Any]) -> ControlChart:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of a chart.
    """
    check_header(data, "ControlChart", _FORMAT)
    try:
        chart = _read(cls, data)
        _check(chart)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a chart ({type(error).__name__}: {error}). "
            "Give what to_dict() of a chart returned."
        ) from error
    return chart


def _read(cls: type[ControlChart], data: Mapping[str, Any]) -> ControlChart:
    lines = {name: _array(data["lines"], name, "f") for name in _LINES}
    two_sigma = (lines.pop("lower_2s"), lines.pop("upper_2s"))
    saved = data["runs"]
    runs = {f.name: _array(saved, f.name, "i" if f.name == "reason" else "f") for f in fields(RunsTests)}
    timeline = {f.name: from_json(data["timeline"][f.name]) for f in fields(Timeline)}
    series = StratifiedSeries.from_dict(data["series"])
    flags = {(test, side): from_json(mask) for test, side, mask in data["flags"]}
    return cls(
        series=series,
        specs=tuple(from_specification(spec) for spec in data["specs"]),
        spec_of=np.array(data["spec_of"], dtype=np.int64),
        why=tuple(str(reason) for reason in data["why"]),
        rules=RuleSet.from_dict(data["rules"]),
        limits=_validate.one_of("limits", data["limits"], ("own", "common")),
        targets=_array(data, "targets", "f"),
        timeline=Timeline(**{**timeline, "notes": notes([timeline["notes"]])}),
        plotted={arm: _array(data["plotted"], arm, "f") for arm in ARMS},
        flags=flags,
        method=MappingProxyType(from_json(data["method"])),
        few_crossings=_array(data, "few_crossings", "b"),
        _cache={"two_sigma": two_sigma, "runs": RunsTests(**runs)},
        **lines,
    )


def _array(data: Mapping[str, Any], name: str, dtype_kind: str) -> Any:
    array = from_json(data[name])
    if not isinstance(array, np.ndarray) or array.dtype.kind != dtype_kind:
        raise DataError(f"{name} is not an array of its type")
    return array


def _check(chart: ControlChart) -> None:
    """Check that the parts fit together: shapes, tests that flag points, frames."""
    when, shape = chart.timeline, chart.series.cells.status.shape
    phases = (shape[0], max(chart.few_crossings.shape[-1], int(when.phase.max(initial=-1)) + 1))
    wanted = {name: (getattr(chart, name).shape, shape) for name in _LINES}
    wanted |= {n: (getattr(when, n).shape, shape) for n in ("phase", "baseline", "excluded")}
    wanted |= {f"flags {key}": (mask.shape, shape) for key, mask in chart.flags.items()}
    wanted |= {f.name: (getattr(chart.runs, f.name).shape, phases) for f in fields(RunsTests)}
    wanted |= {f"plotted {arm}": (values.shape, shape) for arm, values in chart.plotted.items()}
    wanted |= {"targets": (chart.targets.shape, shape)}
    wanted |= {"spec_of": (chart.spec_of.shape, shape[:1]), "why": ((len(chart.why),), shape[:1])}
    wanted |= {"few_crossings": (chart.few_crossings.shape, phases)}
    for name, (found, right) in wanted.items():
        if found != right:
            raise DataError(f"{name} is of shape {found}, wanted is {right}")
    if not np.isin(chart.runs.reason, range(len(REASONS))).all():
        raise DataError(f"reason of the runs tests holds numbers that are not in 0 to {len(REASONS) - 1}")
    if not np.isin(chart.spec_of, range(len(chart.specs))).all():
        raise DataError(f"spec_of holds numbers that are not in 0 to {len(chart.specs) - 1}")
    masks = (when.baseline, when.excluded, *chart.flags.values())
    if when.phase.dtype.kind != "i" or any(mask.dtype.kind != "b" for mask in masks):
        raise DataError("the timeline or flags are not of their types")
    wanted_flags = {(t.name, side) for t in chart.rules.tests for side in t.sides}
    if set(chart.flags) != wanted_flags:
        raise DataError(f"flags are of {list(chart.flags)}, but the rules have {sorted(wanted_flags)}")
    keys = list(chart.series.cells.strata.columns)
    when.phases[[*keys, "phase", "start", "label", "reason"]]
    when.exclusions[[*keys, "period", "reason"]]
    bool(chart.method["overlap"]["found"])


def equal(one: ControlChart, other: ControlChart) -> bool:
    """Say whether two charts hold the same; NaN equals NaN."""
    return one.series.equals(other.series) and _plain(one) == _plain(other)


def _plain(chart: ControlChart) -> dict[str, Any]:
    """Give all but the series as plain values, which compare by content."""
    data = to_dict(chart)
    del data["series"]
    return data
