"""Runs tests of every stratum and phase, and whether each is given: a runs test assumes a fair coin."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.boxes import RunsMethod, runs_limits
from qi_equity.formulas.chances import (
    chance_above_c,
    chance_above_g,
    chance_above_p,
    chance_above_u,
    largest_atom,
)
from qi_equity.formulas.runs import crossings, longest_run, useful
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_between import G
from qi_equity.spc.kinds_counts import NP

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CHANCE_LOW, CHANCE_HIGH = 0.4, 0.6
LARGEST_ATOM = 0.25

REASONS = (
    "given",
    "no useful points",
    "overlapping windows",
    "no events in the baseline",
    "uneven chance",
    "tied points",
    "points carry their past",
)
GIVEN, NO_POINTS, OVERLAP, NO_EVENTS, UNEVEN, TIED, MEMORY = range(len(REASONS))


@dataclass(frozen=True, slots=True, eq=False)
class RunsTests:
    """Runs analysis of S strata in K phases.

    Parameters
    ----------
    n_useful, longest, crossings : numpy.ndarray of float, shape (S, K)
        Points not on the centre line, the longest run on one side, the number of crossings. Points on the
        line, missing and excluded ones are left out and break nothing.
    longest_max, crossings_min : numpy.ndarray of float, shape (S, K)
        A longer run, or fewer crossings, signal; NaN where the test is not given.
    chance : numpy.ndarray of float, shape (S, K)
        Probability that a point lies above the centre line given that it is not on it, averaged over the
        useful points, from the distribution of the counts at their own denominators. NaN where there is no
        distribution (measurements) or the line is the median (run charts).
    atom : numpy.ndarray of float, shape (S, K)
        Share of the baseline's points that lie exactly on the centre line; it decides where ``chance`` is not
        known.
    reason : numpy.ndarray of int8, shape (S, K)
        Index into ``REASONS``; 0 where the test is given.
    """

    n_useful: FloatArray
    longest: FloatArray
    longest_max: FloatArray
    crossings: FloatArray
    crossings_min: FloatArray
    chance: FloatArray
    atom: FloatArray
    reason: npt.NDArray[np.int8]

    @property
    def given(self) -> BoolArray:
        """Where the test is given, shape (S, K)."""
        return np.asarray(self.reason == GIVEN)

    def take(self, rows: npt.NDArray[np.int64]) -> RunsTests:
        """Keep some strata."""
        return RunsTests(*(getattr(self, f.name)[rows] for f in fields(self)))


def runs_of_phase(
    values: FloatArray,
    centre_line: FloatArray,
    baseline: BoolArray,
    chance: FloatArray | None,
    *,
    overlapping: bool,
    memory: bool,
    method: RunsMethod = "anhoej",
) -> RunsTests:
    """Analyse one phase; arrays (S, T), values NaN outside of it, ``chance`` that of each point, if known."""
    sides = useful(values, centre_line)
    n_useful = np.count_nonzero(sides, axis=1)
    atom = largest_atom(np.where(baseline, values, np.nan), centre_line)
    with np.errstate(invalid="ignore"):
        mean_chance = (
            np.full(n_useful.shape, np.nan)
            if chance is None
            else np.where(sides != 0, chance, 0).sum(axis=1) / n_useful
        )
    reason = np.select(
        [
            np.full(n_useful.shape, memory),
            n_useful == 0,
            np.full(n_useful.shape, overlapping),
            np.isnan(mean_chance) & (chance is not None),
            (mean_chance < CHANCE_LOW) | (mean_chance > CHANCE_HIGH),
            (atom > LARGEST_ATOM) & (chance is None),
        ],
        [MEMORY, NO_POINTS, OVERLAP, NO_EVENTS, UNEVEN, TIED],
        GIVEN,
    )
    crossed = crossings(sides)
    longest_max, crossings_min = runs_limits(n_useful, crossed, method=method)
    given = reason == GIVEN
    return RunsTests(
        n_useful=_column(n_useful),
        longest=_column(longest_run(sides)),
        longest_max=_column(np.where(given, longest_max, np.nan)),
        crossings=_column(crossed),
        crossings_min=_column(np.where(given, crossings_min, np.nan)),
        chance=_column(mean_chance),
        atom=_column(atom),
        reason=reason.astype(np.int8)[:, None],
    )


def _column(numbers: npt.NDArray[Any]) -> FloatArray:
    return np.asarray(numbers, dtype=np.float64)[:, None]


def join(phases: list[RunsTests]) -> RunsTests:
    """Put the phases side by side."""
    return RunsTests(
        *(np.concatenate([getattr(p, f.name) for p in phases], axis=1) for f in fields(RunsTests))
    )


def stack(parts: list[tuple[npt.NDArray[np.int64], RunsTests]]) -> RunsTests:
    """Put the strata of several kinds together, each to its rows."""
    if len(parts) == 1:
        return parts[0][1]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    return RunsTests(
        *(np.concatenate([getattr(p, f.name) for _, p in parts])[order] for f in fields(RunsTests))
    )


def padded(runs: RunsTests, phases: int) -> RunsTests:
    """Add the phases that only other strata have, up to so many."""
    size, there = runs.reason.shape
    if there == phases:
        return runs
    nothing, none = np.full((size, 1), np.nan), np.zeros((size, 1), dtype=bool)
    empty = runs_of_phase(nothing, nothing, none, None, overlapping=False, memory=False)
    return join([runs, *[empty] * (phases - there)])


def chance_above(
    spec: Spec, kind: str, births: FloatArray, centre_line: FloatArray, sigma: FloatArray
) -> FloatArray | None:
    """Give each point's chance to lie above the line, if not on it; None without a distribution.

    ``kind`` is that of the measure.
    """
    if spec.plots in ("spread", "statistic"):
        return None
    if isinstance(spec, G):
        mean = (np.sqrt(1 + 4 * sigma**2) + (1 if spec.smallest else -1)) / 2
        return chance_above_g(centre_line, mean, smallest=spec.smallest)
    if isinstance(spec, NP):
        with np.errstate(invalid="ignore", divide="ignore"):
            return chance_above_p(centre_line / births, births)
    match kind:
        case "proportion":
            return chance_above_p(centre_line, births)
        case "rate":
            return chance_above_u(centre_line, births)
        case "count":
            return chance_above_c(centre_line)
        case _:
            return None
