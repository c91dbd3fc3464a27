"""Run length: how many points a chart takes to signal, in control and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np

from qi_equity import _result, _validate
from qi_equity.data.cells import Floats
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length.charts import followed_chart, moves_by_counts
from qi_equity.planning.run_length.followed import ERRORS, Followed, frames
from qi_equity.planning.run_length.notes import notes_of
from qi_equity.planning.run_length.planned import followed_planned
from qi_equity.planning.run_length.result import RunLength
from qi_equity.planning.run_length.spec import read_planned
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
    """Say how many points a chart takes to signal, while nothing changes and after a change.

    The chart starts anew (its tests remember nothing, its sums start at 0) with the change, about lines that
    are known, unless ``baseline`` is given. What teams have are lines from a short baseline: three-sigma
    limits of an i chart from 12 points signal falsely within the next 12 in 15 % of charts, and not in 3 %;
    with two of three points beyond two sigma and runs of seven in 26 %, and not in 9 %.

    Parameters
    ----------
    of : str or RuleSet or ControlChart
        Rules of a chart that is only planned (names of ``rule_sets``, joined with "+", or a set of one's
        own);
        or a chart, with its strata, lines and rules, at the births of its last 12 points, which repeat.
    kind : str or specification
        Of a planned chart: ``"p"``, ``"np"``, ``"u"``, ``"c"`` and ``"g"`` on the distribution of their
        counts,
        ``"t"`` on exponential times, ``"bernoulli_cusum"`` birth by birth; ``"i"``, ``"ip"``, ``"xbar"``,
        ``"pp"`` and ``"up"`` on normal points; ``"ewma"`` and ``"cusum"`` on normal points or, with a
        ``centre_line``, on counts. EWMAs and CUSUMs signal by their limits only.
    centre_line : float, optional
        Of a planned chart of counts, what is to be expected: proportion, rate, events of a point, mean gap.
    size : float, optional
        Births (p, np; of an EWMA or CUSUM: then its counts are binomial, without it Poisson) or exposure (u)
        of a point; births of a month for a Bernoulli CUSUM.
    change : float or sequence of float
        For counts: rate after over rate before, > 0; for a chart the rate of what is adverse. 1: no change.
    shift : float or sequence of float
        For normal points: by how many standard errors they move; 0: in control.
    baseline : int, optional
        Points that set the lines of a planned i, p, np, u or c chart, >= 2; with tests of limits, zones and
        points in a row on one side. Default: the lines are known.
    side : {"both", "low", "high"}
        Signals of one side of what is plotted only. Tests that know no side count for either.
    within : int or sequence of int
        Points within which the chance of a signal is given, >= 1.

    Returns
    -------
    RunLength
        ``table``, ``chances``, ``curve``, ``notes``.

    Raises
    ------
    InputTypeError, OptionError
        If an argument is of the wrong type, out of range, missing for this kind or not for it; for charts
        of spread (mr, s, r), VLADs and risk-adjusted CUSUMs, tabular CUSUMs of counts, and overlapping
        periods.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399.
    .. [2] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549.
    .. [3] Quesenberry, The effect of sample size on estimated limits for X-bar and X control charts. J Qual
       Technol 1993;25:237-247.

    Examples
    --------
    >>> import qi_equity as qe
    >>> found = qe.run_length("shewhart", shift=[0, 1, 2])
    >>> found.table[["shift", "mean", "median"]].round(1).values.tolist()
    [[0.0, 370.4, 257.0], [1.0, 43.9, 31.0], [2.0, 6.3, 5.0]]

    40 births a month at 12 %, which is halved: three-sigma limits cannot show it.

    >>> few = qe.run_length("shewhart", kind=qe.P(limits="classical"), centre_line=0.12, size=40, change=0.5,
    ...                     side="low")
    >>> few.table["mean"].tolist(), few.notes["code"].tolist()
    ([inf], ['known_lines', 'never_signals'])
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
    if not isinstance(of, str | RuleSet):
        raise InputTypeError(
            f"of={of!r} is of type {type(of).__name__}; give a chart (qe.control_chart(series)), the name of "
            "a set of rules such as 'western_electric', or a RuleSet."
        )
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
            f"baseline={options['baseline']!r} is not for a chart, whose lines are taken as they are "
            f"drawn; give "
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
                *notes_of(found, strata, options["baseline"]),
            ],
            keys,
        ),
    )


def _used(changes: Floats, shifts: Floats, *, counts: bool, normal: bool) -> None:
    """Refuse what would have no effect."""
    if not counts and (changes != 1).any():
        raise OptionError(
            f"change={changes.tolist()!r} is not for points that are taken as normal; give shift= in "
            f"standard "
            "errors."
        )
    if not normal and (shifts != 0).any():
        raise OptionError(
            f"shift={shifts.tolist()!r} is not for charts of counts; give change=, the rate after over "
            f"that before."
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
