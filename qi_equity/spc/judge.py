"""From data to lines, runs tests and flags: all strata at once, one pass a phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import OBSERVED, Cells
from qi_equity.data.timeline import Timeline
from qi_equity.errors import OptionError
from qi_equity.formulas import rule_tests
from qi_equity.formulas.limits import Limits
from qi_equity.spc.kinds import Individuals, Run, Spec
from qi_equity.spc.lines import Observations, two_sigma
from qi_equity.spc.lines import lines as draw
from qi_equity.spc.rules import BeyondLimits, Crossings, LongestRun, RuleSet, Shift, Test, Trend, TwoInThree
from qi_equity.spc.runs_tests import RunsTests, chance_above, join, runs_of_phase, would_signal

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Masks = tuple[BoolArray, BoolArray]
IntArray = npt.NDArray[np.int64]
Flags = dict[tuple[str, str], BoolArray]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Lines, flags, and the phases (S, K) with too few crossings."""

    lines: Limits
    flags: Flags
    few_crossings: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What the rules look at: S strata in T periods, the kind of the measure, and whether periods overlap."""

    cells: Cells
    kind: str
    timeline: Timeline
    spec: Spec
    overlapping: bool

    @property
    def phases(self) -> list[BoolArray | None]:
        """The points of each phase; None where there is one only."""
        count = int(self.timeline.phase.max(initial=0)) + 1
        return [self.timeline.phase == k if count > 1 else None for k in range(count)]

    def values(self) -> FloatArray:
        """Values that take part in lines and runs tests; NaN elsewhere."""
        return np.where(observed(self.cells) & ~self.timeline.excluded, self.cells.value, np.nan)

    def runs(
        self, values: FloatArray, centre_line: FloatArray, rows: IntArray | slice = slice(None)
    ) -> RunsTests:
        """Analyse the runs of one phase in some strata; the arrays given are those of these rows."""
        births = self.cells.denominator[rows]
        chance = None if isinstance(self.spec, Run) else chance_above(self.kind, births, centre_line)
        return runs_of_phase(values, centre_line, self.timeline.baseline[rows], chance, self.overlapping)


def judge(case: Case, rules: RuleSet, *, common: bool = False) -> Judged:
    """Draw the lines of each phase from its baseline, then apply the rules."""
    lines = _lines(case, _sites(case.cells, case.timeline) if common else None)
    values, flags = case.values(), dict[tuple[str, str], BoolArray]()
    crossed = []
    for mask in case.phases:
        seen = values if mask is None else np.where(mask, values, np.nan)
        few, found = _runs_flags(case, rules, seen, lines.centre_line)
        crossed.append(few)
        for test in rules.tests:
            _merge(flags, test, found.get(test.name) or _flags_of(case, test, seen, lines))
    if BeyondLimits() in rules.tests:
        _merge(flags, BeyondLimits(), _beyond(case, lines))
    return Judged(lines, _complete(flags, rules, values.shape), np.stack(crossed, axis=1))


def runs_analysis(case: Case, centre_line: FloatArray) -> RunsTests:
    """Analyse the runs of all phases and strata."""
    values = case.values()
    phases = (values if mask is None else np.where(mask, values, np.nan) for mask in case.phases)
    return join([case.runs(seen, centre_line) for seen in phases])


def observed(cells: Cells) -> BoolArray:
    """Points that have a final value, shape (S, T)."""
    return np.asarray((cells.status == OBSERVED) & np.isfinite(cells.value))


def _lines(case: Case, sites: IntArray | None) -> Limits:
    cells, baseline = case.cells, case.timeline.baseline
    if isinstance(case.spec, Individuals):
        # a missing value must stay between its neighbours, or their difference would count as a moving range
        baseline = baseline | (np.isnan(cells.value) & ~case.timeline.excluded)
    seen = Observations(cells.numerator, cells.denominator, cells.value)
    out: Limits | None = None
    for mask in case.phases:
        base = baseline if mask is None else baseline & mask
        part = draw(case.spec, seen, base, None if sites is None else _pooled(cells, base, sites))
        out = part if out is None or mask is None else _within(mask, part, out)
    return out  # type: ignore[return-value]


def _within(mask: BoolArray, inside: Limits, outside: Limits) -> Limits:
    """Take the lines of a phase inside of it."""
    names = ("centre_line", "sigma", "lower", "upper")
    return Limits(*(np.where(mask, getattr(inside, n), getattr(outside, n)) for n in names))


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


def _runs_flags(
    case: Case, rules: RuleSet, values: FloatArray, centre: FloatArray
) -> tuple[BoolArray, dict[str, Masks]]:
    """Flag the points of runs tests in one phase.

    Whether a test is given takes exact tails; they are reckoned only for the strata where it would signal.
    """
    few = np.zeros(len(values), dtype=bool)
    tests = [t for t in rules.tests if t.is_runs_test]
    if not tests:
        return few, {}
    shifts = {t.name: _shift(t, values, centre) for t in tests if isinstance(t, Shift)}
    may = np.zeros(len(values), dtype=bool)
    if len(shifts) < len(tests):
        may |= would_signal(values, centre)
    for low, high in shifts.values():
        may |= (low | high).any(axis=1)
    rows = np.flatnonzero(may)
    runs = case.runs(values[rows], centre[rows], rows)
    if Crossings() in tests:
        few[rows] = runs.few_crossings[:, 0]
    withheld = np.zeros((len(values), 1), dtype=bool)
    withheld[rows] = ~runs.given
    found = {name: (low & ~withheld, high & ~withheld) for name, (low, high) in shifts.items()}
    if LongestRun() in tests:
        long = rows[runs.long_run[:, 0]]
        masks = np.zeros(values.shape, dtype=bool), np.zeros(values.shape, dtype=bool)
        for side, marked in zip(masks, rule_tests.longest_run_mask(values[long], centre[long]), strict=True):
            side[long] = marked
        found[LongestRun.name] = masks
    return few, found


def _shift(test: Shift, values: FloatArray, centre: FloatArray) -> Masks:
    return rule_tests.shift(values, centre, length=test.length, ties=test.ties, missing=test.missing)


def _flags_of(case: Case, test: Test, values: FloatArray, lines: Limits) -> Masks | None:
    """Flag the points of one phase by a test of steps or zones; None for any other."""
    if case.overlapping:
        return None
    if isinstance(test, Trend):
        return rule_tests.trend(values, length=test.length, ties=test.ties)
    if isinstance(test, TwoInThree):
        near = two_sigma(case.spec, lines.centre_line, lines.sigma, case.cells.denominator)
        beyond_three = test.beyond_three_counts
        return rule_tests.two_in_three(
            values, *near, lines.centre_line, lines.lower, lines.upper, beyond_three_counts=beyond_three
        )
    return None


def _beyond(case: Case, lines: Limits) -> Masks:
    """Compare every observed point, excluded ones too; a line of no events (or nothing else) judges none."""
    values = np.where(observed(case.cells), case.cells.value, np.nan)
    low, high = rule_tests.beyond_limits(values, lines.lower, lines.upper)
    if case.spec.kind == "i":
        return low, high
    able = (lines.centre_line > 0) & (lines.centre_line < case.spec.ceiling)
    return low & able, high & able


def _complete(flags: Flags, rules: RuleSet, shape: tuple[int, ...]) -> Flags:
    """Give every test that flags points its two sides in the order of the rules, withheld or not."""
    keys = [(t.name, side) for t in rules.tests if not isinstance(t, Crossings) for side in ("low", "high")]
    return {key: flags.get(key, np.zeros(shape, dtype=bool)) for key in keys}


def _merge(flags: Flags, test: Test, masks: Masks | None) -> None:
    if masks is None:
        return
    for side, mask in zip(("low", "high"), masks, strict=True):
        key = (test.name, side)
        flags[key] = flags[key] | mask if key in flags else mask
