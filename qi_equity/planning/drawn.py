"""How a tuned chart is drawn: the argument ``kind`` of ``control_chart``, as it is written."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from qi_equity.planning.tuned import EWMA_WEIGHT, LARGEST_TAIL, Chart, Design, Tuned
from qi_equity.spc.kinds import Spec

__all__ = ["drawn_as", "written"]

_LIMITED = {"p": "P", "u": "U", "c": "C", "g": "G", "t": "T"}
_SUMMED = {"cusum": "CountCusum(ratio", "bernoulli_cusum": "BernoulliCusum(odds_ratio"}


def drawn_as(chart: Chart, design: Design, found: Tuned) -> tuple[str, ...]:
    """Write the kind of every stratum; empty where the chart cannot signal, or cannot be drawn so."""
    if chart in _LIMITED:
        return tuple(_with_tail(_LIMITED[chart], tail) for tail in found.setting.tolist())
    if chart == "ewma":
        return tuple(
            "" if math.isnan(width) else f"qe.Ewma(weight={EWMA_WEIGHT:g}, width={width:.4g})"
            for width in found.setting.tolist()
        )
    every = design.points if chart == "cusum" else design.false_alarm
    return tuple(
        "" if math.isnan(h) else f"qe.{_SUMMED[chart]}={ratio:.6g}, false_signal_every={points:.6g})"
        for h, ratio, points in zip(found.setting.tolist(), _ratio(design), every.tolist(), strict=True)
    )


def written(spec: Spec) -> str:
    """Write a specification as it is given: what differs from the defaults only."""
    told = [
        f"{field.name}={getattr(spec, field.name)!r}"
        for field in fields(spec)
        if getattr(spec, field.name) != field.default
    ]
    return f"qe.{type(spec).__name__}({', '.join(told)})"


def _with_tail(name: str, tail: float) -> str:
    return "" if math.isnan(tail) or tail > LARGEST_TAIL else f"qe.{name}(tail={tail:.4g})"


def _ratio(design: Design) -> list[float]:
    """Give the odds ratio (of rates their ratio) above 1 that the chart looks for."""
    before, after = design.before, design.after
    with np.errstate(divide="ignore", invalid="ignore"):
        if design.family == "binomial":
            before, after = before / (1 - before), after / (1 - after)
        return list(np.fmax(after / before, before / after))
