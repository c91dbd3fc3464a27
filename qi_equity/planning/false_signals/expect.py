"""How many false signals to expect of all that is shown together, and which rules would hold them down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.planning.drawn import written
from qi_equity.planning.false_signals import text
from qi_equity.planning.false_signals.rules import (
    Chances,
    by_rules,
    rows_of,
    together,
    tuned,
    untuned_kinds,
)
from qi_equity.planning.result import PlanningResult
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.control import control_chart
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet

__all__ = ["RULES", "FalseSignals", "false_signals"]

RULES = ("shewhart", "anhoej", "anhoej+shewhart", "making_data_count", "western_electric")
"""Sets of rules that are compared where none are named."""

Shown = ControlChart | StratifiedSeries


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class FalseSignals(PlanningResult):
    """False signals to expect of all charts that are shown together; what :func:`false_signals` gives.

    ``table`` has one row a chart, stratum and phase: ``chart`` (its place among those given, from 1),
    ``measure``, the strata, ``kind, rules, phase, n_points`` (observed), ``probability`` (that a stable
    process gives at least one signal), ``standard_error`` (of simulation, or the most that an approximation
    leaves out; 0 where it is exact) and ``how`` it was reckoned.

    Parameters
    ----------
    series : None
        The result holds no counts.
    options : mapping
        The level, the rules compared, and what was shown.
    method : mapping
        What was done.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [90, 80]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> found = qe.false_signals(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
    >>> found.table[["kind", "phase", "n_points"]].values.tolist()
    [['p', 1, 2]]
    """

    TABLES: ClassVar[tuple[str, ...]] = ("table", "totals", "by_measure", "rules")

    @property
    def title(self) -> str:
        """What the result is of.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.false_signals(calls).title
        'Calls: false signals to expect of 1 chart'
        """
        return text.title(self._frames)

    @property
    def totals(self) -> pd.DataFrame:
        """All that is shown, together, in one row, made afresh.

        ``charts`` (strata and phases), ``points`` (observed), ``expected`` (charts with at least one false
        signal), ``chance_any`` (that there is any on any of them, taking charts as independent) and
        ``standard_error`` (of either, at most).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.false_signals(qe.control_chart(calls, "c")).totals.round(4).values.tolist()
        [[1.0, 2.0, 0.0053, 0.0053, 0.0]]
        """
        return self._frames["totals"].copy()

    @property
    def by_measure(self) -> pd.DataFrame:
        """The columns of ``totals``, one row a ``measure``, made afresh.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.false_signals(calls).by_measure[["measure", "charts", "points"]].values.tolist()
        [['Calls', 1, 2]]
        """
        return self._frames["by_measure"].copy()

    @property
    def rules(self) -> pd.DataFrame:
        """What would come of other rules for all that is shown, one row a set, made afresh.

        The first row is that of the rules ``as_shown``; the last, ``limits alone, tuned``, has exact or
        probability limits at the largest tail that holds the level. ``tail`` and ``kind`` (the argument of
        ``control_chart`` that draws it) are for that row only; ``expected, chance_any, standard_error`` as
        in ``totals``; ``holds`` whether ``chance_any`` is at most the level; ``cannot_signal`` and
        ``cannot_signal_improvement`` count the charts that then could not signal at all, and not an
        improvement; ``reason`` says why a row is NaN.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.false_signals(calls, rules="shewhart").rules[["rules", "as_shown", "holds"]].values.tolist()
        [['anhoej+shewhart', True, True], ['shewhart', False, True], ['limits alone, tuned', False, True]]
        """
        return self._frames["rules"].copy()

    def sentence(self) -> str:
        """Say in plain words how many false signals to expect, and what would hold them at the level.

        Returns
        -------
        str
            From the same numbers as the tables.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> print(qe.false_signals(qe.control_chart(calls, "c")).sentence())
        If nothing had changed, the chart shown would still signal with a chance of about 0.5 %. Of the...
        """
        return text.sentence(self._frames, self.options["level"])


def false_signals(
    shown: Shown | Sequence[Shown],
    *,
    level: float = 0.05,
    rules: str | RuleSet | Sequence[str | RuleSet] = RULES,
) -> FalseSignals:
    """Say how many false signals to expect of all charts shown together, and which rules would hold them.

    A stable process signals now and then on every chart; a page of groups, sites and measures shows the sum
    of it. The chance of each chart is that of its ``summary()``; see the page on false signals for how it is
    reckoned. ``expected`` is their sum, whatever their dependence. ``chance_any`` takes charts as
    independent, which they are not where groups overlap or measures count the same births; it then lies
    between the largest of the single chances and ``expected``.

    Limits are tuned by bisection on ``chance_any`` itself, over all tails with three digits.

    Parameters
    ----------
    shown : ControlChart, StratifiedSeries or sequence of these
        All that readers see together; of a series the chart that ``control_chart(series)`` makes.
    level : float
        Chance of any false signal that is to be held, > 0 and < 1.
    rules : str, RuleSet or sequence of these
        Rules to compare with those shown.

    Returns
    -------
    FalseSignals
        ``table``, ``totals``, ``by_measure``, ``rules``, ``notes``, ``sentence()``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If nothing is shown, something is shown or named twice, or an option is not allowed.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399.
    .. [2] Šidák Z. Rectangular confidence regions for the means of multivariate normal distributions. J Am
       Stat Assoc 1967;62:626-633 (the chance of any of several independent ones).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "preterm": [5, 3] * 12 + [18, 19] * 12, "births": [66] * 24 + [294] * 24})
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], period="month", numerator="preterm",
    ...                         denominator="births", group="group")
    >>> found = qe.false_signals(qe.control_chart(series, "p"), rules="shewhart", level=0.02)
    >>> found.rules[["rules", "chance_any", "holds"]].round(3).values.tolist()
    [['anhoej+shewhart', 0.18, False], ['shewhart', 0.05, False], ['limits alone, tuned', 0.019, True]]
    """
    charts = _charts(shown)
    asked = _validate.number("level", level, above=0, below=1)
    compared = _rules(rules)
    rows = [rows_of(chart) for chart in charts]
    own = pd.concat(rows, ignore_index=True)
    frames = {"table": _table(charts, rows)}
    frames |= {"totals": _total(frames["table"]), "by_measure": _by_measure(frames["table"])}
    frames["rules"] = _compared(charts, own, compared, asked)
    return FalseSignals(
        series=None,
        options={
            "level": asked,
            "rules": tuple(one.to_dict() for one in compared),
            "shown": tuple(_described(chart) for chart in charts),
        },
        method=_method(asked),
        _frames=frames,
        _notes=_result.notes(
            text.notes_of(charts, frames, own["_silent"].to_numpy(), asked),
            [c for c in _strata_names(charts) if c not in ("site", "group")],
        ),
    )


def _charts(shown: object) -> tuple[ControlChart, ...]:
    """Read what is shown, all that is wrong at once."""
    given = _validate.several("shown", shown)
    many = not isinstance(shown, Shown)
    wrong = [
        f"{f'shown[{k}]' if many and len(given) > 1 else 'shown'} is of type {type(one).__name__}"
        for k, one in enumerate(given)
        if not isinstance(one, Shown)
    ]
    if wrong:
        raise InputTypeError(
            f"{', '.join(wrong)}; give a ControlChart, a StratifiedSeries, or a list of these."
        )
    if not given:
        raise OptionError("shown=[] holds nothing; give at least one chart or series.")
    charts = [one if isinstance(one, ControlChart) else control_chart(one) for one in given]  # type: ignore[arg-type]
    twice = [
        f"shown[{k}] is shown[{j}]" for k, one in enumerate(charts) for j in range(k) if one.equals(charts[j])
    ]
    if twice:
        raise OptionError(f"{', '.join(twice)} again; give each chart once.")
    return tuple(charts)


def _rules(rules: object) -> tuple[RuleSet, ...]:
    found = [resolve_rules(one) for one in _validate.several("rules", rules)]
    twice = [one.name for k, one in enumerate(found) if one in found[:k]]
    if twice:
        raise OptionError(f"rules names {', '.join(map(repr, twice))} twice; give each set once.")
    return tuple(found)


def _strata_names(charts: Sequence[ControlChart]) -> list[str]:
    """Columns of strata of any of the charts: site, group, and further ones."""
    names = dict.fromkeys(name for chart in charts for name in chart.strata.columns)
    return sorted(names, key=lambda name: {"site": 0, "group": 1}.get(name, 2))


def _table(charts: Sequence[ControlChart], rows: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Name the strata; one that a chart does not know is missing there."""
    names = _strata_names(charts)
    parts = []
    for number, (chart, found) in enumerate(zip(charts, rows, strict=True), 1):
        strata = chart.strata.take(found["_stratum"].to_numpy()).reset_index(drop=True).astype("str")
        measure = pd.Series([chart.series.measure.name] * len(found), dtype="str")
        first = pd.DataFrame({"chart": np.full(len(found), number), "measure": measure})
        last = found.drop(columns=["_stratum", "_silent", "_no_improvement"])
        parts.append(pd.concat([first, strata.reindex(columns=names), last], axis=1))
    table = pd.concat(parts, ignore_index=True)
    for name in names:
        known = [c for chart in charts if name in chart.strata for c in chart.strata[name].cat.categories]
        table[name] = pd.Categorical(table[name], categories=pd.Index(dict.fromkeys(known), dtype="str"))
    return table


def _total(table: pd.DataFrame) -> pd.DataFrame:
    found = together(table["probability"].to_numpy(), table["standard_error"].to_numpy())
    counts = {"charts": [len(table)], "points": [int(table["n_points"].sum())]}
    return pd.DataFrame({**counts, **{name: [value] for name, value in found._asdict().items()}})


def _by_measure(table: pd.DataFrame) -> pd.DataFrame:
    parts = [
        _total(part).assign(measure=pd.Series([name], dtype="str"))
        for name, part in table.groupby("measure", sort=False)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame[["measure", *frame.columns.drop("measure")]]


def _compared(
    charts: Sequence[ControlChart], own: pd.DataFrame, rules: Sequence[RuleSet], level: float
) -> pd.DataFrame:
    """Give one row a set of rules: those shown, others, and limits alone at the tail that holds the level."""
    shown = dict.fromkeys(chart.rules for chart in charts)
    columns = ("probability", "standard_error", "_silent", "_no_improvement")
    as_shown = Chances(*(own[name].to_numpy() for name in columns))
    rows = [_row(" / ".join(one.name for one in shown), as_shown, level) | {"as_shown": True}]
    for one in rules:
        if tuple(shown) != (one,):
            found = by_rules(charts, one)
            rows.append(_row(one.name, found, level, reason="" if found else text.NO_LIMITS))
    rows.append(_tuned_row(charts, level))
    frame = pd.DataFrame(rows)
    return frame.astype({"rules": "str", "kind": "str", "reason": "str"})


def _tuned_row(charts: Sequence[ControlChart], level: float) -> dict[str, Any]:
    name, bare = text.TUNED, untuned_kinds(charts)
    if bare:
        return _row(name, None, level, reason=text.no_tail(bare))
    found = tuned(charts, level)
    if found is None:
        return _row(name, None, level, reason=text.TOO_LOW)
    drawn = " / ".join(written(spec) for spec in found.specs)
    return _row(name, found.found, level) | {"tail": found.tail, "kind": drawn}


def _row(name: str, found: Chances | None, level: float, *, reason: str = "") -> dict[str, Any]:
    total = None if found is None else together(found.probability, found.standard_error)
    return {
        "rules": name,
        "as_shown": False,
        "tail": np.nan,
        "kind": "",
        "expected": total.expected if total else np.nan,
        "chance_any": total.chance_any if total else np.nan,
        "standard_error": total.standard_error if total else np.nan,
        "holds": total is not None and total.chance_any <= level,
        "cannot_signal": float(found.silent.sum()) if found else np.nan,
        "cannot_signal_improvement": float(found.no_improvement.sum()) if found else np.nan,
        "reason": reason,
    }


def _described(chart: ControlChart) -> Mapping[str, Any]:
    return {
        "measure": chart.series.measure.name,
        "kinds": tuple(spec.kind for spec in chart.specs),
        "rules": chart.rules.to_dict(),
        "strata": len(chart.strata),
        "periods": tuple(chart.series.periods[k] for k in (0, -1)) if chart.series.periods else (),
    }


def _method(level: float) -> dict[str, Any]:
    return {
        "what": "charts on which a stable process gives at least one signal",
        "level": level,
        "expected": "sum of the chances of all charts (strata and phases), whatever their dependence",
        "chance_any": "1 - product of (1 - chance), taking charts as independent",
        "standard_error": "sum over the charts: at most that of expected and of chance_any",
        "tuned": "bisection on chance_any over all tails with three digits, 1e-10 to 0.02",
        **library(),
    }
