"""What the points of a kind of chart measure: their unit, and which direction is better."""

from __future__ import annotations

from dataclasses import replace

from qi_equity.data.measure import Better, Measure
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_weighted import BernoulliCusum, Ewma, RiskAdjustedCusum, Vlad

_REVERSED: dict[Better | None, Better | None] = {"lower": "higher", "higher": "lower", None: None}


def plotted_measure(measure: Measure, spec: Spec) -> Measure:
    """Describe what is plotted; the target goes where it is no value of the points.

    A spread has no better direction. The arms of a CUSUM of births between events look at how often events
    come, and more events are shorter gaps.
    """
    if isinstance(spec, Ewma) or spec.plots in ("value", "gap"):
        return measure
    if spec.plots == "events":
        return replace(measure, unit="events", multiplier=1.0, kind="count", target=None)
    if spec.plots == "spread":
        return replace(measure, better=None, target=None)
    turned = isinstance(spec, BernoulliCusum | RiskAdjustedCusum) and measure.kind == "between"
    # Expected minus observed rises where there are fewer events than expected.
    turned |= isinstance(spec, Vlad) and measure.kind != "between"
    better = _REVERSED[measure.better] if turned else measure.better
    unit = "events" if isinstance(spec, Vlad) else ""
    return replace(measure, better=better, unit=unit, multiplier=1.0, kind="mean", target=None)


def good_side(better: str | None) -> int:
    """Side of improvement: 0 low, 1 high, -1 where neither direction is better."""
    return {"lower": 0, "higher": 1}.get(better or "", -1)
