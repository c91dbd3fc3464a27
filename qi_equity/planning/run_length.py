"""Run length: how many points a chart takes to signal, in control and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np

from qi_equity import _result, _validate
from qi_equity.data.cells import Floats
from qi_equity.data.table import library
from qi_equity.errors import OptionError
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length_charts import followed_chart, moves_by_counts
from qi_equity.planning.run_length_followed import ERRORS, Followed, frames
from qi_equity.planning.run_length_notes import run_length_notes
from qi_equity.planning.run_length_planned import followed_planned
from qi_equity.planning.run_length_result import RunLength
from qi_equity.planning.run_length_spec import read_planned
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.kinds import Spec, specification
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet

__all__ = ["run_length"]


def run_length(
    of: str | RuleSet | ControlChart,
    *,
    kind: str | Spec = "i",
    centre_line: float | None = None,
    size: float | None = None,
    change: float | Sequence[float] = 1.0,
    shift: float | Sequence[float] = 0.0,
    baseline: int | None = None,
    side: Literal["both", "low", "high"] = "both",
    within: int | Sequence[int] = (12, 24),
) -> RunLength:
    """Say how many points a chart takes to signal.

    Examples
    --------
    >>> import qi_equity as qe
    >>> found = qe.run_length("shewhart", shift=[0, 1, 2])
    >>> found.table[["shift", "mean", "median"]].round(1).values.tolist()
    [[0.0, 370.4, 257.0], [1.0, 43.9, 31.0], [2.0, 6.3, 5.0]]
    """
    looks = cast("Side", _validate.one_of("side", side, ("both", "low", "high")))
    changes, shifts = _numbers("change", change, above=0), _numbers("shift", shift)
    options: dict[str, Any] = {
        "change": changes.tolist(),
        "shift": shifts.tolist(),
        "baseline": None if baseline is None else _validate.whole_number("baseline", baseline, at_least=2),
        "side": looks,
        "within": _whole("within", within),
    }
    if isinstance(of, ControlChart):
        return _of_chart(of, kind, centre_line, size, options)
    rules = resolve_rules(of)
    chart = read_planned(kind, centre_line, size)
    _used(changes, shifts, counts=chart.counts, normal=not chart.counts)
    moved = changes if chart.counts else shifts
    found = followed_planned(chart, rules, moved, looks, options["baseline"])
    options |= {
        "rules": rules.to_dict(),
        "kind": specification(chart.spec),
        "centre_line": centre_line,
        "size": size,
    }
    return _result_of(None, [found], options)


def _of_chart(
    chart: ControlChart,
    kind: object,
    centre_line: float | None,
    size: float | None,
    options: dict[str, Any],
) -> RunLength:
    """Follow a chart that is drawn, which says itself what it is."""
    own = {"kind": (kind, "i"), "centre_line": (centre_line, None), "size": (size, None)}
    for name, (value, left) in own.items():
        if value != left:
            raise OptionError(f"{name}={value!r} is not for a chart, which has its own; leave it out.")
    if options["baseline"] is not None:
        raise OptionError(
            f"baseline={options['baseline']!r} is not for a chart, whose lines are taken as they are drawn; give "
            "its rules, kind, centre_line and size instead of it."
        )
    changes, shifts = (np.array(options[name]) for name in ("change", "shift"))
    counts = [moves_by_counts(piece) for _, piece in chart._pieces()]
    _used(changes, shifts, counts=any(counts), normal=not all(counts))
    found = followed_chart(chart, changes, shifts, options["side"])
    options |= {
        "rules": chart.rules.to_dict(),
        "kind": [specification(spec) for spec in chart.specs],
        "centre_line": None,
        "size": None,
    }
    return _result_of(chart, found, options)


def _result_of(chart: ControlChart | None, found: list[Followed], options: dict[str, Any]) -> RunLength:
    strata = None if chart is None else chart.strata
    keys = [] if strata is None else [c for c in strata.columns if c not in ("site", "group")]
    return RunLength(
        series=None if chart is None else chart.series,
        options=options,
        method={
            "what": "points to the first signal of a chart that starts at 0, with the change if there is one",
            "lines": "known" if options["baseline"] is None else f"from {options['baseline']} points",
            "side": options["side"],
            "errors": dict(ERRORS),
            "chart": None if chart is None else dict(chart.method),
            **library(),
        },
        _frames=frames(found, strata, options["within"]),
        _notes=_result.notes(
            [
                *([] if chart is None else [chart.series.notes]),
                *run_length_notes(found, strata, options["baseline"]),
            ],
            keys,
        ),
    )


def _used(changes: Floats, shifts: Floats, *, counts: bool, normal: bool) -> None:
    """Refuse what would have no effect."""
    if not counts and (changes != 1).any():
        raise OptionError(
            f"change={changes.tolist()!r} is not for points that are taken as normal; give shift= in standard "
            "errors."
        )
    if not normal and (shifts != 0).any():
        raise OptionError(
            f"shift={shifts.tolist()!r} is not for charts of counts; give change=, the rate after over that before."
        )


def _numbers(name: str, value: object, *, above: float = -np.inf) -> Floats:
    """Read one number or several."""
    found = [_validate.number(name, one, above=above) for one in _validate.several(name, value)]
    if not found:
        raise OptionError(f"{name}={value!r} is empty; give one number or several.")
    return np.array(found)


def _whole(name: str, value: object) -> list[int]:
    found = [_validate.whole_number(name, one, at_least=1) for one in _validate.several(name, value)]
    if not found:
        raise OptionError(f"{name}={value!r} is empty; give one number of points or several.")
    return found
