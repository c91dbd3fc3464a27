"""Runs tests of every stratum and phase, and whether each is given: a runs test assumes a fair coin."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.chances import chance_above_c, chance_above_p, chance_above_u, largest_atom
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, useful

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
)
GIVEN, NO_POINTS, OVERLAP, NO_EVENTS, UNEVEN, TIED = range(len(REASONS))


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

    @property
    def long_run(self) -> BoolArray:
        """Where the longest run is too long, shape (S, K)."""
        return self.longest > self.longest_max

    @property
    def few_crossings(self) -> BoolArray:
        """Where there are too few crossings, shape (S, K)."""
        return self.crossings < self.crossings_min

    def take(self, rows: npt.NDArray[np.int64]) -> RunsTests:
        """Keep some strata."""
        return RunsTests(*(getattr(self, f.name)[rows] for f in fields(self)))


def would_signal(values: FloatArray, centre_line: FloatArray) -> BoolArray:
    """Say where Anhøj's tests would signal if they are given, shape (S,)."""
    sides = useful(values, centre_line)
    longest_max, crossings_min = anhoej_limits(np.count_nonzero(sides, axis=1))
    return (longest_run(sides) > longest_max) | (crossings(sides) < crossings_min)


def runs_of_phase(
    values: FloatArray,
    centre_line: FloatArray,
    baseline: BoolArray,
    chance: FloatArray | None,
    overlapping: bool,
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
            n_useful == 0,
            np.full(n_useful.shape, overlapping),
            np.isnan(mean_chance) & (chance is not None),
            (mean_chance < CHANCE_LOW) | (mean_chance > CHANCE_HIGH),
            (atom > LARGEST_ATOM) & (chance is None),
        ],
        [NO_POINTS, OVERLAP, NO_EVENTS, UNEVEN, TIED],
        GIVEN,
    )
    longest_max, crossings_min = anhoej_limits(n_useful)
    given = reason == GIVEN
    return RunsTests(
        n_useful=_column(n_useful),
        longest=_column(longest_run(sides)),
        longest_max=_column(np.where(given, longest_max, np.nan)),
        crossings=_column(crossings(sides)),
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


def chance_above(kind: str, births: FloatArray, centre_line: FloatArray) -> FloatArray | None:
    """Give each point's chance to lie above the line, if not on it; None without a distribution."""
    match kind:
        case "proportion":
            return chance_above_p(centre_line, births)
        case "rate":
            return chance_above_u(centre_line, births)
        case "count":
            return chance_above_c(centre_line)
        case _:
            return None
