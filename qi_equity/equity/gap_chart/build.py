"""Put a gap chart together: both sides found, lines drawn, rules applied, and what was done written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity._version import __version__
from qi_equity.data import periods, regroup
from qi_equity.data.recorded import kept
from qi_equity.data.reference import Against, Reference, compare_with, orientation
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import spans
from qi_equity.data.timeline import Timeline, timeline
from qi_equity.equity.gap_chart.judge import Case, judge, runs_analysis
from qi_equity.equity.gap_chart.lines import Scale, draw
from qi_equity.equity.gap_chart.sides import sides_of
from qi_equity.errors import OptionError
from qi_equity.spc import runs_tests
from qi_equity.spc.lines import THREE_SIGMA
from qi_equity.spc.overlap import Overlap, overlap_of
from qi_equity.spc.rules import RuleSet

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.result import GapChart


def resampled(series: StratifiedSeries, every: str) -> StratifiedSeries:
    """Sum periods into longer ones; those that are as long or longer already stay.

    Raises
    ------
    OptionError
        If the periods fit neither way, or still share births.
    """
    regroup.refuse_between(series, "gap_chart()")
    source: Any = series.every
    to = periods.check_every(every)
    longer = source != to and not periods.nests(source, to) and periods.nests(to, source)
    kept = series if longer else series.resample(to)
    regroup.refuse_window(kept, "gap_chart()")
    return kept


def build(
    cls: type[GapChart],
    series: StratifiedSeries,
    reference: Reference,
    scale: Scale,
    rules: RuleSet,
    confidence: float,
    options: Mapping[str, Any],
) -> GapChart:
    """Make the chart of a series in its final periods; ``options`` are those of plain_options()."""
    against = compare_with(spans(series, "period"), reference)
    sides = sides_of(series.cells, against, series.measure)
    if scale == "observed-expected" and not sides.counted:
        raise OptionError(
            "scale='observed-expected' is not possible for means: there are no events to count; use "
            "'difference' or 'ratio'."
        )
    when = timeline(series, **{name: options[name] for name in ("phases", "baseline", "exclude")})
    told = _result.notes([options.get("recorded_notes", when.notes), when.notes])
    when = replace(when, baseline=when.baseline & sides.seen, notes=told)
    lines = draw(sides, when, scale)
    overlap = overlap_of(series)
    case = Case(sides, when, scale, rules, overlap.found, lines)
    judged = not is_rounded(series)
    flags, few = judge(case)
    if not judged:
        flags, few = {key: np.zeros_like(mask) for key, mask in flags.items()}, np.zeros_like(few)
    return cls(
        series=series,
        reference=reference,
        against=against,
        scale=scale,
        rules=rules,
        judged=judged,
        confidence=confidence,
        timeline=when,
        lines=lines,
        flags=flags,
        few_crossings=few,
        runs=runs_analysis(case),
        shown=np.arange(len(series.cells.strata)),
        options=options,
        method=_method(series, against, when, scale, rules, confidence, overlap),
        _cache={"sides": sides, "case": case},
    )


def is_rounded(series: StratifiedSeries) -> bool:
    """Whether counts were rounded, or a number stands for several, before the series was given out."""
    told = series.method.get("disclosed") or {}
    return told.get("rounding") is not None or isinstance(told.get("mark"), int)


def _method(
    series: StratifiedSeries,
    against: Against,
    when: Timeline,
    scale: Scale,
    rules: RuleSet,
    confidence: float,
    overlap: Overlap,
) -> dict[str, Any]:
    exact = {
        "difference": "exact tails of the difference of two independent counts",
        "ratio": "exact tails of the ratio of two independent counts",
        "observed-expected": "exact, given the events of both sides together (hypergeometric, binomial)",
    }
    normal = "normal, with the standard errors of both (Welch; Fieller for ratios)"
    return {
        "chart": "gap",
        "scale": scale,
        "orientation": orientation(series.measure),
        **dict(against.method),
        "reason": against.reason,
        "every": series.every,
        "limits": normal if series.measure.kind == "mean" else exact[scale],
        "tail": THREE_SIGMA.tail,
        "confidence": confidence,
        "movement": "Wilson, mid-P or t intervals; square-and-add (MOVER); log-adjusted ratios",
        "rules": rules.to_dict(),
        "runs_tests": {"chance_between": [runs_tests.CHANCE_LOW, runs_tests.CHANCE_HIGH]},
        "phases": when.phases.copy(),
        "exclusions": when.exclusions.copy(),
        "overlap": overlap.to_dict(),
        "data": dict(series.method),
        "library": f"qi_equity {__version__}",
    }


def plain_options(when: Timeline, baseline: Any) -> dict[str, Any]:
    """Write phases and exclusions as frames, with which the same timeline is made again.

    What only the reading of recorded changes can tell is kept beside them.
    """
    said = kept(when.notes)
    starts = when.phases[when.phases["phase"] > 1].drop(columns="phase").reset_index(drop=True)
    return {
        "phases": _as_text(starts) if len(starts) else None,
        "baseline": baseline if baseline is None or isinstance(baseline, int) else str(baseline),
        "exclude": _as_text(when.exclusions) if len(when.exclusions) else None,
        **({"recorded_notes": said} if len(said) else {}),
    }


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Make the labels of strata text: their categories may be fewer than those of the series."""
    labels = [c for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(labels, "str"))
