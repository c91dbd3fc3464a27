"""Run lengths of a chart that is only planned, with lines from a baseline: what teams have."""

from __future__ import annotations

from typing import Literal

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.errors import OptionError
from qi_equity.formulas.estimated_lines import estimated_count_waiting, estimated_normal_waiting
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_chances import Pair
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length.followed import DRAWN, EXACT, Run, run_of
from qi_equity.planning.run_length.rules import held
from qi_equity.planning.run_length.spec import Planned, is_normal
from qi_equity.spc.chance import ZONE_TESTS, chain_of_tests, sigmas_of
from qi_equity.spc.expected_signals import counted_limits
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals
from qi_equity.spc.rules import RuleSet, Shift, Test
from qi_equity.spc.stable import WIDTHS

__all__ = ["from_baseline", "not_offered"]

_DRAWS = 100_000
_OFFERED = (
    "baseline= is offered for kinds 'i', 'p', 'np', 'u' and 'c' with tests of limits, zones and points "
    "in a row "
    "on one side (such as 'shewhart' or 'western_electric'); leave it out for known lines"
)


def not_offered(what: str, baseline: int) -> OptionError:
    """Make the error for what is only followed about known lines."""
    return OptionError(f"baseline={baseline!r} is not allowed with {what}: {_OFFERED}.")


def from_baseline(
    chart: Planned, rules: RuleSet, moved: Floats, side: Side, baseline: int, *, given: bool
) -> Run:
    """Follow a planned chart from the point after its baseline; ``given``: runs tests are."""
    tests = held(rules.tests, given=given)
    spec = chart.spec
    if not isinstance(spec, Individuals | P | NP | U | C) or (
        is_normal(spec) and not isinstance(spec, Individuals)
    ):
        raise not_offered(f"kind={spec.kind!r}", baseline)
    if not all(isinstance(t, ZONE_TESTS) for t in tests):
        raise not_offered(f"rules={rules.name!r}", baseline)
    if isinstance(spec, Individuals):
        chain = chain_of_tests(tests, side)
        found = estimated_normal_waiting(
            chain,
            baseline=baseline,
            shift=moved,
            spread=spec.spread,
            constants=spec.constants,
            draws=_DRAWS,
        )
        return _drawn(found, tests, len(moved))
    return run_of(_of_counts(chart, spec, tests, moved, side, baseline), EXACT)


def _drawn(waiting: Waiting, tests: tuple[Test, ...], count: int) -> Run:
    """Leave the mean out where it may not exist: points in a row on one side bound every run."""
    bounded = any(isinstance(t, Shift) for t in tests)
    how = np.full(count, DRAWN, dtype=object)
    return Run(waiting, np.full(count, np.nan), how, np.full(count, np.inf), _DRAWS, bounded)


def _of_counts(
    chart: Planned,
    spec: P | NP | U | C,
    tests: tuple[Test, ...],
    moved: Floats,
    side: Side,
    baseline: int,
) -> Waiting:
    births = 1.0 if isinstance(spec, C) else chart.births
    family: Literal["binomial", "poisson"] = "binomial" if isinstance(spec, P | NP) else "poisson"
    # Events are compared as rates: so are the limits of np and c charts.
    rates = (
        P(limits=spec.limits, tail=spec.tail)
        if family == "binomial"
        else U(limits=spec.limits, tail=spec.tail)
    )
    sigmas = sigmas_of(tests)

    def lines(centre: Floats) -> tuple[Pair | None, Pair | None, Pair | None]:
        size = np.full(centre.shape, births)
        drawn = {k: counted_limits(rates, centre, size, WIDTHS[k]) for k in sigmas}
        one, two, three = ((drawn[k].lower, drawn[k].upper) if k in drawn else None for k in (1, 2, 3))
        return one, two, three

    return estimated_count_waiting(
        chain_of_tests(tests, side),
        lines,
        births=[births],
        baseline=np.full(baseline, births),
        before=chart.rate,
        after=chart.changed(moved),
        distribution=family,
    )
