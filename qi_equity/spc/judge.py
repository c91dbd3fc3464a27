"""From data to points, lines, runs tests and flags: all strata of one kind at once, one pass a phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import OBSERVED, PROVISIONAL, Cells
from qi_equity.data.timeline import Timeline
from qi_equity.errors import OptionError
from qi_equity.formulas import rule_tests
from qi_equity.formulas.boxes import RunsMethod
from qi_equity.formulas.limits import Limits
from qi_equity.spc.flags import Marks, Phase, flag_phase
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.kinds_weighted import Ewma
from qi_equity.spc.lines import THREE_SIGMA, Lines, Observations, Width, shewhart_lines
from qi_equity.spc.rules import TESTS, BeyondLimits, RuleSet
from qi_equity.spc.runs_tests import RunsTests, chance_above, join, runs_of_phase
from qi_equity.spc.weighted_lines import Weighted, weighted_lines

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Masks = tuple[BoolArray, BoolArray]
IntArray = npt.NDArray[np.int64]
Flags = dict[tuple[str, str], BoolArray]

ARMS = ("both", "low", "high")

ROUNDING = 1e-13
"""Share of the largest point of a series by which a line can miss a point through rounding alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Points and lines, flags, and the phases (S, K) that signal by their number of crossings or runs."""

    lines: Lines
    flags: Flags
    few_crossings: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is judged: S strata in T periods of one kind of chart.

    ``kind`` is that of the measure, ``overlapping`` says whether periods share births, ``common`` whether the
    groups of a site share their centre line, ``method`` where the limits of the runs tests come from.
    """

    cells: Cells
    kind: str
    timeline: Timeline
    spec: Spec
    overlapping: bool
    common: bool = False
    method: RunsMethod = "anhoej"

    @property
    def phases(self) -> list[BoolArray | None]:
        """The points of each phase; None where there is one only."""
        count = int(self.timeline.phase.max(initial=0)) + 1
        return [self.timeline.phase == k if count > 1 else None for k in range(count)]

    @property
    def tested(self) -> BoolArray:
        """Points that take part in lines and runs tests, shape (S, T)."""
        return np.asarray((self.cells.status == OBSERVED) & ~self.timeline.excluded)

    def lines(self, width: Width = THREE_SIGMA, centre: FloatArray | None = None) -> Lines:
        """Draw the points and lines of each phase from its baseline, with limits of some width.

        ``centre`` is the centre line of counts where it is known, as a proportion or rate, (S, T).
        """
        sites = _sites(self.cells, self.timeline) if self.common and centre is None else None
        out: Lines | None = None
        for mask in self.phases:
            part = self._lines_of(mask, width, sites, centre)
            out = part if out is None or mask is None else _within(mask, part, out)
        return _settled(out)  # type: ignore[arg-type]

    def runs(self, values: FloatArray, limits: Limits, rows: IntArray | slice = slice(None)) -> RunsTests:
        """Analyse the runs of one phase in some strata: values and lines of all, rows of those wanted."""
        line, sigma = limits.centre_line[rows], limits.sigma[rows]
        births = self.cells.denominator[rows]
        chance = (
            None if isinstance(self.spec, Run) else chance_above(self.spec, self.kind, births, line, sigma)
        )
        return runs_of_phase(
            values[rows],
            line,
            self.timeline.baseline[rows],
            chance,
            overlapping=self.overlapping,
            memory=self.spec.has_memory,
            method=self.method,
        )

    def _lines_of(
        self, mask: BoolArray | None, width: Width, sites: IntArray | None, centre: FloatArray | None
    ) -> Lines:
        when, cells = self.timeline, self.cells
        inside = np.ones(cells.status.shape, dtype=bool) if mask is None else mask
        baseline, included = when.baseline & inside, self.tested & inside
        # A missing value must stay between its neighbours, or their difference would count as a moving range.
        stretch = baseline | (np.isnan(cells.value) & ~when.excluded & inside)
        seen = Observations(self.kind, cells, inside, baseline, stretch, included)
        if isinstance(self.spec, Weighted):
            return weighted_lines(self.spec, seen, width)
        return shewhart_lines(
            self.spec, seen, width, centre if sites is None else _pooled(cells, baseline, sites)
        )


def judge(case: Case, rules: RuleSet) -> Judged:
    """Draw the lines of each phase from its baseline, then apply the rules."""
    lines = case.lines()
    shape = lines.limits.centre_line.shape
    plotted = lines.plotted.get("both", np.broadcast_to(np.nan, shape))
    values = np.where(case.tested, plotted, np.nan)
    zones: dict[Width, tuple[FloatArray, FloatArray]] = {}

    def zone(width: Width) -> tuple[FloatArray, FloatArray]:
        if width not in zones:
            drawn = case.lines(width).limits
            zones[width] = (drawn.lower, drawn.upper)
        return zones[width]

    flags: Flags = {}
    crossed = []
    patterns = not case.overlapping and not case.spec.has_memory
    for mask in case.phases:
        seen = values if mask is None else np.where(mask, values, np.nan)
        rates = np.where(np.isnan(seen), np.nan, case.cells.value) if case.spec.kind == "np" else seen
        few, found = flag_phase(Phase(seen, rates, lines.limits, zone, case.runs, patterns), rules)
        crossed.append(few)
        for name, masks in found.items():
            _merge(flags, name, masks)
    if BeyondLimits() in rules.tests:
        _merge(flags, BeyondLimits.name, _beyond(case, lines))
    return Judged(lines, _complete(flags, rules, shape), np.stack(crossed, axis=1))


def runs_analysis(case: Case, plotted: FloatArray, limits: Limits) -> RunsTests:
    """Analyse the runs of all phases and strata."""
    values = np.where(case.tested, plotted, np.nan)
    phases = (values if mask is None else np.where(mask, values, np.nan) for mask in case.phases)
    return join([case.runs(seen, limits) for seen in phases])


def observed(cells: Cells) -> BoolArray:
    """Points that have a final value, shape (S, T)."""
    return np.asarray((cells.status == OBSERVED) & np.isfinite(cells.value))


def still_open(cells: Cells, kind: str) -> BoolArray:
    """Mark the gap since the last event: provisional, yet at least as long as it is now, (S, T)."""
    return np.asarray((cells.status == PROVISIONAL) & (kind == "between"))


def _within(mask: BoolArray, inside: Lines, outside: Lines) -> Lines:
    """Take the points and lines of a phase inside of it."""
    names = ("centre_line", "sigma", "lower", "upper")
    limits = (np.where(mask, getattr(inside.limits, n), getattr(outside.limits, n)) for n in names)
    return Lines(
        {arm: np.where(mask, values, outside.plotted[arm]) for arm, values in inside.plotted.items()},
        Limits(*limits),
        None
        if inside.beyond is None or outside.beyond is None
        else {side: np.where(mask, marks, outside.beyond[side]) for side, marks in inside.beyond.items()},
    )


def _settled(lines: Lines) -> Lines:
    """Put a line that misses a point by rounding only onto that point.

    A sum of decimals depends on their order and unit; whether a point lies on a line must not.
    """
    points = lines.plotted.get("both")
    if points is None:
        return lines
    size = np.fmax.reduce(np.abs(points), axis=-1, keepdims=True, initial=0.0)

    def settle(line: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            return np.where(np.abs(points - line) <= ROUNDING * size, points, line)

    limits = lines.limits
    settled = Limits(settle(limits.centre_line), limits.sigma, settle(limits.lower), settle(limits.upper))
    return Lines(lines.plotted, settled, lines.beyond)


def _sites(cells: Cells, timeline: Timeline) -> IntArray:
    """Give a number to each site (and further stratum) whose groups share a line; phases must agree."""
    keys = [c for c in cells.strata.columns if c != "group"]
    if keys:
        codes = cells.strata.groupby(keys, observed=True, dropna=False, sort=False).ngroup().to_numpy()
    else:
        codes = np.zeros(len(cells.strata), dtype=np.int64)
    first = np.unique(codes, return_index=True)[1]
    if not np.array_equal(timeline.phase, timeline.phase[first][codes]):
        raise OptionError(
            "limits='common' is not allowed with phases that differ between the groups of a site: they "
            "have no common baseline. Give the same phases to all groups, or use limits='own'."
        )
    return codes.astype(np.int64)


def _pooled(cells: Cells, baseline: BoolArray, sites: IntArray) -> FloatArray:
    """Pool events and births of the baseline over the groups of each site, shape (S, 1)."""
    use = baseline & np.isfinite(cells.numerator) & np.isfinite(cells.denominator)
    events, births = (
        np.bincount(sites, weights=np.where(use, block, 0).sum(axis=1))
        for block in (cells.numerator, cells.denominator)
    )
    with np.errstate(invalid="ignore"):
        return (events / births)[sites][:, None]


def _beyond(case: Case, lines: Lines) -> Masks:
    """Compare every observed point, excluded ones too; a line of no events (or nothing else) judges none."""
    limits = lines.limits
    if lines.beyond is not None:
        return lines.beyond["low"], lines.beyond["high"]
    seen = case.cells.status == OBSERVED
    values = np.where(seen, lines.plotted["both"], np.nan)
    low, high = rule_tests.beyond_limits(values, limits.lower, limits.upper)
    if case.kind == "between":
        # An open gap can only grow: one that is beyond the upper limit already is a signal now.
        waiting = np.where(still_open(case.cells, case.kind), lines.plotted["both"], np.nan)
        high = high | rule_tests.beyond_limits(waiting, limits.lower, limits.upper)[1]
    counts = case.spec.is_counted or (isinstance(case.spec, Ewma) and case.kind != "mean")
    if not counts:
        return low, high
    able = (limits.centre_line > 0) & (limits.centre_line < top(case.spec, case.cells.denominator, case.kind))
    return low & able, high & able


def top(spec: Spec, births: FloatArray, kind: str = "mean") -> FloatArray | float:
    """Give the highest value that a point can have: for an np chart all births of the period.

    ``kind`` is that of the measure: whatever the chart, a proportion is at most 1.
    """
    if spec.kind == "np":
        return births
    return 1.0 if kind == "proportion" and _is_value(spec) else spec.ceiling


def bottom(spec: Spec, kind: str) -> float:
    """Give the lowest value that a point can have: below 0 lie measurements only."""
    return 0.0 if kind != "mean" and _is_value(spec) and spec.floor < 0 else spec.floor


def _is_value(spec: Spec) -> bool:
    """Whether points are values of the measure, or an average of them."""
    return spec.plots == "value" or isinstance(spec, Ewma)


def _complete(flags: Flags, rules: RuleSet, shape: tuple[int, ...]) -> Flags:
    """Give every test that flags points its sides in the order of the rules, withheld or not."""
    keys = [(t.name, side) for t in rules.tests for side in t.sides]
    return {key: flags.get(key, np.zeros(shape, dtype=bool)) for key in keys}


def _merge(flags: Flags, name: str, masks: Marks) -> None:
    for side, mask in zip(TESTS[name].sides, masks, strict=True):
        key = (name, side)
        flags[key] = flags[key] | mask if key in flags else mask


def as_arms(plotted: Mapping[str, FloatArray], shape: tuple[int, ...]) -> dict[str, FloatArray]:
    """Give every arm, NaN where a chart has none."""
    return {arm: plotted.get(arm, np.broadcast_to(np.nan, shape)) for arm in ARMS}
