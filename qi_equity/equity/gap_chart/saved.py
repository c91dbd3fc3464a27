"""Gap charts kept and compared: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from qi_equity import _validate
from qi_equity._result import check_header, from_json, header, notes, to_json
from qi_equity.data.reference import Against, Reference
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.equity.gap_chart.lines import BLOCKS, SCALES
from qi_equity.errors import DataError
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.result import GapChart

_FORMAT = 1
_AGAINST = ("numerator", "denominator", "value", "sd", "status")


def to_dict(chart: GapChart) -> dict[str, Any]:
    """Turn the chart into JSON."""
    return {
        **header("GapChart", _FORMAT),
        "series": chart.series.to_dict(),
        "reference": chart.reference.to_dict(),
        "against": {f.name: to_json(getattr(chart.against, f.name)) for f in fields(Against)},
        "scale": chart.scale,
        "rules": chart.rules.to_dict(),
        "judged": chart.judged,
        "confidence": chart.confidence,
        "timeline": {f.name: to_json(getattr(chart.timeline, f.name)) for f in fields(Timeline)},
        "lines": {name: to_json(block) for name, block in chart.lines.items()},
        "flags": [[test, side, to_json(mask)] for (test, side), mask in chart.flags.items()],
        "few_crossings": to_json(chart.few_crossings),
        "runs": {f.name: to_json(getattr(chart.runs, f.name)) for f in fields(RunsTests)},
        "false_signals": [to_json(block) for block in chart._false_signals()],
        "shown": chart.shown.tolist(),
        "options": to_json(dict(chart.options)),
        "method": to_json(dict(chart.method)),
    }


def from_dict(cls: type[GapChart], data: Mapping[str, Any]) -> GapChart:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of a gap chart.
    """
    check_header(data, "GapChart", _FORMAT)
    try:
        chart = _read(cls, data)
        _check(chart)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a gap chart ({type(error).__name__}: {error}). "
            "Give what to_dict() of one returned."
        ) from error
    return chart


def _read(cls: type[GapChart], data: Mapping[str, Any]) -> GapChart:
    against = {f.name: from_json(data["against"][f.name]) for f in fields(Against)}
    when = {f.name: from_json(data["timeline"][f.name]) for f in fields(Timeline)}
    chance, error = (from_json(block) for block in data["false_signals"])
    return cls(
        series=StratifiedSeries.from_dict(data["series"]),
        reference=Reference(**data["reference"]),
        against=Against(**{**against, "notes": notes([against["notes"]])}),
        scale=_validate.one_of("scale", data["scale"], SCALES),
        rules=RuleSet.from_dict(data["rules"]),
        judged=bool(data["judged"]),
        confidence=_validate.number("confidence", data["confidence"], above=0, below=1),
        timeline=Timeline(**{**when, "notes": notes([when["notes"]])}),
        lines={name: from_json(data["lines"][name]) for name in BLOCKS},
        flags={(test, side): from_json(mask) for test, side, mask in data["flags"]},
        few_crossings=from_json(data["few_crossings"]),
        runs=RunsTests(**{f.name: from_json(data["runs"][f.name]) for f in fields(RunsTests)}),
        shown=np.array(data["shown"], dtype=np.int64),
        options=from_json(data["options"]),
        method=from_json(data["method"]),
        _cache={"false_signals": (chance, error)},
    )


def _check(chart: GapChart) -> None:
    """Check that the parts fit together."""
    shape, phases = chart.series.cells.status.shape, chart.few_crossings.shape
    when = chart.timeline
    blocks: dict[str, Any] = {f"lines {name}": block for name, block in chart.lines.items()}
    blocks |= {f"flags {key}": mask for key, mask in chart.flags.items()}
    blocks |= {f"against {name}": getattr(chart.against, name) for name in _AGAINST}
    blocks |= {name: getattr(when, name) for name in ("phase", "baseline", "excluded")}
    wrong = {name: block.shape for name, block in blocks.items() if block.shape != shape}
    chance: dict[str, Any] = dict(zip(("probability", "error"), chart._false_signals(), strict=True))
    by_phase: dict[str, Any] = chance | {f.name: getattr(chart.runs, f.name) for f in fields(RunsTests)}
    wrong |= {name: block.shape for name, block in by_phase.items() if block.shape != phases}
    if wrong:
        raise DataError(f"parts of shapes {wrong} do not fit a chart of shape {shape}")
    if set(chart.flags) != {(t.name, side) for t in chart.rules.tests for side in t.sides}:
        raise DataError(f"flags are of {list(chart.flags)}, but the rules are {chart.rules.names}")
    if not np.isin(chart.shown, range(shape[0])).all() or len(chart.against.names) != shape[0]:
        raise DataError(f"strata shown or compared do not fit {shape[0]} strata")
    bool(chart.method["overlap"]["found"]), chart.method["orientation"]
    chart.options["baseline"]
