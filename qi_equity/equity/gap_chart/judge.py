"""The rules applied to the points of a gap chart, and how often they signal when nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import MISSING
from qi_equity.data.timeline import Timeline
from qi_equity.equity.gap_chart.lines import Plain, Scale, held_rates, limits_of, phases_of, settled
from qi_equity.equity.gap_chart.sides import Side, Sides
from qi_equity.formulas import rule_tests
from qi_equity.formulas.gap_limits import gap_of
from qi_equity.formulas.limits import Limits
from qi_equity.spc.flags import Phase, flag_phase
from qi_equity.spc.lines import ONE_SIGMA, TWO_SIGMA, Width
from qi_equity.spc.rules import TESTS, BeyondLimits, RuleSet
from qi_equity.spc.runs_tests import RunsTests, join, runs_of_phase

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Flags = dict[tuple[str, str], BoolArray]

DRAWS = 400
"""Charts drawn of each stratum to reckon its false signals: a standard error of at most 0.025."""

SEED = 20_141_126
"""Seed of these draws, so that the same chart says the same."""

# Strata drawn at a time.
_BLOCK = 64
_NEEDED = ("centre_line", "sigma", "lower", "upper", "chance_above", "rate", "reference_rate")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is judged: the two sides, their lines and the rules; arrays (S, T).

    ``overlapping`` says that periods share births: then no test of several points is given.
    """

    sides: Sides
    when: Timeline
    scale: Scale
    rules: RuleSet
    overlapping: bool
    lines: Mapping[str, FloatArray]
    zones: dict[Width, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @property
    def memory(self) -> bool:
        """Whether points carry their past, so that single ones can be judged only."""
        return self.scale == "observed-expected"

    @property
    def limits(self) -> Limits:
        """The lines of the points."""
        return Limits(*(self.lines[name] for name in ("centre_line", "sigma", "lower", "upper")))

    @property
    def tested(self) -> BoolArray:
        """Points that take part in runs tests, shape (S, T)."""
        return np.asarray(self.sides.seen & ~self.when.excluded)

    def zone(self, width: Width) -> tuple[FloatArray, FloatArray]:
        """Draw the limits at another width, once."""
        if width not in self.zones:
            drawn = limits_of(self.sides, held_rates(self.sides, self.when), self.scale, width)
            self.zones[width] = (drawn.lower, drawn.upper)
        return self.zones[width]

    def runs(self, values: FloatArray, limits: Limits, rows: IntArray | slice = slice(None)) -> RunsTests:
        """Analyse the runs of one phase in some strata; infinite ratios lie above the line."""
        return runs_of_phase(
            values[rows],
            limits.centre_line[rows],
            self.when.baseline[rows],
            self.lines["chance_above"][rows] if self.sides.counted else None,
            overlapping=self.overlapping,
            memory=self.memory,
            method=self.rules.runs_method,
        )


def judge(case: Case) -> tuple[Flags, BoolArray]:
    """Apply the rules; give the flags and the phases (S, K) that signal as a whole."""
    values = np.where(case.tested, case.lines["gap"], np.nan)
    shape = values.shape
    flags: Flags = {
        (test.name, side): np.zeros(shape, dtype=bool) for test in case.rules.tests for side in test.sides
    }
    crossed = []
    patterns = not (case.overlapping or case.memory)
    for mask in phases_of(case.when):
        seen = np.where(mask, values, np.nan)
        few, found = flag_phase(Phase(seen, seen, case.limits, case.zone, case.runs, patterns), case.rules)
        crossed.append(few)
        for name, masks in found.items():
            for side, marked in zip(TESTS[name].sides, masks, strict=True):
                flags[name, side] |= marked
    if BeyondLimits() in case.rules.tests:
        judged = np.where(case.sides.seen, case.lines["gap"], np.nan)
        beyond = rule_tests.beyond_limits(judged, case.limits.lower, case.limits.upper)
        flags |= {(BeyondLimits.name, side): m for side, m in zip(("low", "high"), beyond, strict=True)}
    return flags, np.stack(crossed, axis=1)


def runs_analysis(case: Case) -> RunsTests:
    """Analyse the runs of all phases and strata."""
    values = np.where(case.tested, case.lines["gap"], np.nan)
    return join([case.runs(np.where(mask, values, np.nan), case.limits) for mask in phases_of(case.when)])


def false_signals(case: Case) -> tuple[FloatArray, FloatArray]:
    """Give the chance of at least one false signal of each stratum and phase, and its error, each (S, K).

    Differences and ratios: by drawing charts from the rates of the baseline, whose lines are taken as known.
    Observed minus expected: exact, that of any point of the phase beyond its limits.
    """
    phases = phases_of(case.when)
    if case.memory:
        crossed = np.where(np.isfinite(case.lines["crossed"]), case.lines["crossed"], 0.0)
        able = BeyondLimits() in case.rules.tests
        found = np.stack([np.where(mask, crossed, 0.0).max(axis=1) for mask in phases], axis=1) * able
        return found, np.zeros_like(found)
    strata = np.flatnonzero((case.tested & np.isfinite(case.lines["lower"])).any(axis=1))
    hits = np.zeros((len(case.tested), len(phases)))
    for start in range(0, strata.size, _BLOCK):
        rows = strata[start : start + _BLOCK]
        hits[rows] = _hits(case, rows)
    return hits, np.sqrt(hits * (1 - hits) / DRAWS)


def _hits(case: Case, rows: IntArray) -> FloatArray:
    """Draw charts of some strata; give the share that signal in each phase, (R, K)."""
    for test in case.rules.tests:
        for sigmas in test.needs_zones:
            case.zone(ONE_SIGMA if sigmas == 1 else TWO_SIGMA)
    drawn = _drawn(case, np.tile(rows, DRAWS), np.random.default_rng(SEED))
    flags, crossed = judge(drawn)
    marked = np.zeros(drawn.when.phase.shape, dtype=bool)
    for mask in flags.values():
        marked |= mask
    signals = np.stack([(marked & mask).any(axis=1) for mask in phases_of(drawn.when)], axis=1)
    signals = np.pad(signals, ((0, 0), (0, crossed.shape[1] - signals.shape[1]))) | crossed
    phases = int(case.when.phase.max(initial=0)) + 1
    share = signals.reshape(DRAWS, len(rows), -1).mean(axis=0)
    return np.pad(share, ((0, 0), (0, phases - share.shape[1])))


def _drawn(case: Case, rows: IntArray, rng: np.random.Generator) -> Case:
    """Draw both sides of some strata from the rates that are held."""
    sides, held = case.sides, held_rates(case.sides, case.when)
    judged = case.tested[rows] & np.isfinite(case.lines["lower"][rows])
    group = _side(sides.group, held.rate, held.sd, sides.kind, rows, judged, rng)
    other = Side(*(getattr(sides.reference, name)[rows] for name in ("events", "size", "value", "sd")))
    if not sides.exact:
        other = _side(sides.reference, held.reference_rate, held.reference_sd, sides.kind, rows, judged, rng)
    marks = {name: getattr(case.when, name)[rows] for name in ("phase", "baseline", "excluded")}
    status = np.where(judged, sides.status[rows], MISSING).astype(np.int8)
    both = Sides(group, other, sides.kind, sides.flipped, sides.exact, status)
    scale: Plain = "ratio" if case.scale == "ratio" else "difference"
    lines = {name: case.lines[name][rows] for name in _NEEDED}
    lines["gap"] = both.turned(gap_of(group.value, other.value, scale=scale), scale)
    zones = {width: (low[rows], high[rows]) for width, (low, high) in case.zones.items()}
    when = replace(case.when, **marks)
    return Case(both, when, case.scale, case.rules, case.overlapping, settled(lines), zones)


def _side(
    side: Side,
    rate: FloatArray,
    sd: FloatArray,
    kind: str,
    rows: IntArray,
    judged: BoolArray,
    rng: np.random.Generator,
) -> Side:
    """Draw one side; where nothing is judged there is nothing."""
    size = np.where(judged, side.size[rows], 1.0)
    rates = np.where(judged, rate[rows], 0.0)
    if kind == "mean":
        value = rates + np.where(judged, sd[rows], 0.0) / np.sqrt(size) * rng.standard_normal(size.shape)
        events = np.full(size.shape, np.nan)
    else:
        events = (
            rng.binomial(size.astype(np.int64), rates) if kind == "proportion" else rng.poisson(size * rates)
        ).astype(np.float64)
        value = events / size
    return Side(events, size, np.where(judged, value, np.nan), side.sd[rows])
