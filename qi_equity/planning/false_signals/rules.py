"""False signals of charts as they are shown, by other rules, and with limits at another tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import expm1, fsum
from typing import NamedTuple

import numpy as np
import pandas as pd

from qi_equity.data.cells import Bools, Floats
from qi_equity.spc.chance import false_signals, how_reckoned
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.judge import as_arms
from qi_equity.spc.kinds import Given, Spec
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Cusum, Ewma
from qi_equity.spc.lines import THREE_SIGMA
from qi_equity.spc.pieces import LINES
from qi_equity.spc.plotted import good_side
from qi_equity.spc.rule_sets import rule_sets
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.summary import CAN_SIGNAL, how_can_signal, sideless_can_signal

__all__ = [
    "TAILS",
    "Chances",
    "Tuned",
    "by_rules",
    "chances",
    "rows_of",
    "together",
    "tuned",
    "untuned_kinds",
]

_OF_COUNTS: Mapping[str, type[P | U | C | G]] = {"proportion": P, "rate": U, "count": C, "between": G}
LIMITS_ALONE = rule_sets["shewhart"]
_NO = CAN_SIGNAL.index("no")

TAILS = np.array([float(f"{m}e{e}") for e in range(-12, -3) for m in range(100, 1000)])
TAILS = TAILS[TAILS <= 0.02]
"""Tails that are tried: every number with three digits from 1e-10 to 0.02, the largest that limits take."""


class Chances(NamedTuple):
    """Some charts, each of shape (S,): one entry a stratum and phase.

    Parameters
    ----------
    probability, standard_error : ndarray of float
        Of at least one false signal.
    silent : ndarray of bool
        Where no signal is possible at all.
    no_improvement : ndarray of bool
        Where an improvement cannot signal; False where neither direction is better.
    """

    probability: Floats
    standard_error: Floats
    silent: Bools
    no_improvement: Bools


class Total(NamedTuple):
    """False signals of all charts together."""

    expected: float
    chance_any: float
    standard_error: float


class Tuned(NamedTuple):
    """The largest tail at which limits alone hold a level, the kinds that draw it, and what comes of it."""

    tail: float
    specs: tuple[Spec, ...]
    found: Chances


def rows_of(chart: ControlChart) -> pd.DataFrame:
    """Give one row a stratum and phase, with ``_stratum``, its number, in place of its names."""
    parts = []
    for rows, piece in chart._pieces():
        for phase in range(_phases(piece)):
            inside = piece.timeline.phase == phase
            here = np.flatnonzero(inside.any(axis=1))
            found = _of_phase(piece, phase)
            parts.append(
                pd.DataFrame(
                    {
                        "_stratum": rows[here],
                        "kind": pd.Series([piece.kind] * here.size, dtype="str"),
                        "rules": pd.Series([chart.rules.name] * here.size, dtype="str"),
                        "phase": np.full(here.size, phase + 1),
                        "n_points": (piece._seen() & inside)[here].sum(axis=1),
                        "probability": found.probability,
                        "standard_error": found.standard_error,
                        "how": pd.Series([how_reckoned(piece)] * here.size, dtype="str"),
                        "_silent": found.silent,
                        "_no_improvement": found.no_improvement,
                    }
                )
            )
    return pd.concat(parts).sort_values(["_stratum", "phase"], ignore_index=True)


def by_rules(charts: Sequence[ControlChart], rules: RuleSet) -> Chances | None:
    """Give the false signals of charts by other rules; None where a chart has no limits that they need."""
    if any(t.needs_limits for t in rules.tests) and any(Run() in chart.specs for chart in charts):
        return None
    return chances([_with_rules(piece, rules) for piece in _pieces(charts)])


def chances(pieces: Sequence[ControlChart]) -> Chances:
    """Put together the strata and phases of charts of one kind each."""
    found = [_of_phase(piece, phase) for piece in pieces for phase in range(_phases(piece))]
    return Chances(*(np.concatenate(a) for a in zip(*found, strict=True)))


def together(probability: Floats, error: Floats) -> Total:
    """Add up false signals, and take charts as independent for the chance of any.

    Sums do not depend on the order. The error is at most what is said: charts that share what is drawn err
    together.
    """
    with np.errstate(divide="ignore"):
        quiet = np.log1p(-np.asarray(probability, dtype=np.float64))
    return Total(
        fsum(probability.tolist()),
        min(1.0, max(0.0, -expm1(fsum(quiet.tolist())))),
        min(1.0, fsum(error.tolist())),
    )


def untuned_kinds(charts: Sequence[ControlChart]) -> tuple[str, ...]:
    """Name the kinds of chart whose limits have no tail probability."""
    pieces = _pieces(charts)
    bare = [p.kind for p in pieces if _with_tail(p._spec, p.series.measure.kind, TAILS[0]) is None]
    return tuple(dict.fromkeys(bare))


def tuned(charts: Sequence[ControlChart], level: float) -> Tuned | None:
    """Find the largest of ``TAILS`` at which limits alone hold the chance of any false signal at a level.

    By bisection on the chance itself, which falls with the tail in steps. All kinds must have a tail; None
    where not even the smallest holds.
    """
    pieces = _pieces(charts)

    def holds(place: int) -> bool:
        found = [_at_tail(piece, float(TAILS[place])) for piece in pieces]
        parts = [false_signals(piece, phase) for piece in found for phase in range(_phases(piece))]
        probability = np.concatenate([part.probability for part in parts])
        return together(probability, np.zeros(0)).chance_any <= level

    if not holds(0):
        return None
    low, high = 0, len(TAILS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    tail = float(TAILS[low])
    drawn = [_at_tail(piece, tail) for piece in pieces]
    return Tuned(tail, tuple(dict.fromkeys(piece._spec for piece in drawn)), chances(drawn))


def _phases(chart: ControlChart) -> int:
    return int(chart.few_crossings.shape[1])


def _pieces(charts: Sequence[ControlChart]) -> list[ControlChart]:
    return [piece for chart in charts for _, piece in chart._pieces()]


def _of_phase(piece: ControlChart, phase: int) -> Chances:
    """Give the strata that have the phase; those of a chart of one kind."""
    here = (piece.timeline.phase == phase).any(axis=1)
    found = false_signals(piece, phase)
    low, high = how_can_signal(piece, phase)
    silent = (low == _NO) & (high == _NO) & ~sideless_can_signal(piece, phase)
    good = good_side(piece._measure.better)
    no_improvement = np.zeros(here.shape, dtype=bool) if good < 0 else (low, high)[good] == _NO
    every = (found.probability, found.standard_error, silent, no_improvement)
    return Chances(*(a[here] for a in every))


def _with_rules(piece: ControlChart, rules: RuleSet) -> ControlChart:
    """Give the same lines with other rules, to reckon with: no point is flagged."""
    return replace(piece, rules=rules, flags={}, _cache={})


def _with_tail(spec: Spec, kind: str, tail: float) -> Given | None:
    """Give the chart with limits at a tail; None where no tail probability makes the limits.

    Counts whose chart carries its past (CUSUM, EWMA) get limits of their own.
    """
    match spec:
        case P(limits="laney") | U(limits="laney") | T(limits="transform"):
            return None
        case P() | U() | NP() | C():
            return type(spec)(tail=tail)
        case G():
            return G(smallest=spec.smallest, tail=tail)
        case T():
            return replace(spec, tail=tail)
        case CountCusum() | BernoulliCusum() | Ewma() | Cusum():
            plain = _OF_COUNTS.get(kind)
            return None if plain is None else plain(tail=tail)
        case _:
            return None


def _at_tail(piece: ControlChart, tail: float) -> ControlChart:
    """Draw the limits at a tail; they are the only rule."""
    spec = _with_tail(piece._spec, piece.series.measure.kind, tail)
    made = _with_rules(replace(piece, specs=(spec,)), LIMITS_ALONE)  # type: ignore[arg-type]
    drawn = made._case().lines(THREE_SIGMA, made._shared_line())
    return replace(
        made,
        plotted=as_arms(drawn.plotted, piece.centre_line.shape),
        _cache={},
        **{name: getattr(drawn.limits, name) for name in LINES},
    )
