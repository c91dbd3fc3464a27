"""Speed of the formulas on 100,000 series of 36 months, as ratios in one run.

A p chart with the rules ``anhoej+shewhart``, arrays in, limits and signals out, against the shortest NumPy
code that computes the same classical limits, longest runs and crossings on a full array without any check.
Wanted: at most 5 times its time with classical limits, at most 15 times with exact ones.

Run: ``python benchmarks/arrays.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from qi_equity.formulas.attributes import p_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import p_probability_limits
from qi_equity.formulas.rule_tests import beyond_limits
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, useful

SERIES, MONTHS, REPEATS = 100_000, 36, 5
Signals = tuple[np.ndarray, ...]


def births() -> tuple[np.ndarray, np.ndarray]:
    """Draw events and births: 12 to 294 births a month, 2 to 12 % with the event."""
    rng = np.random.default_rng(1)
    mean = rng.choice([12, 28, 66, 294], (SERIES, 1))
    n = np.maximum(rng.poisson(mean, (SERIES, MONTHS)), 1)
    x = rng.binomial(n, rng.uniform(0.02, 0.12, (SERIES, 1)))
    return x.astype(np.float64), n.astype(np.float64)


def shortest(x: np.ndarray, n: np.ndarray) -> Signals:
    """Compute limits, longest runs and crossings with no thought of gaps, ties or empty months."""
    y = x / n
    p = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    s = 3 * np.sqrt(p * (1 - p) / n)
    lower, upper = np.maximum(p - s, 0), np.minimum(p + s, 1)
    above = y > p
    run = np.ones(len(x), int)
    longest = run
    for t in range(1, x.shape[1]):
        run = np.where(above[:, t] == above[:, t - 1], run + 1, 1)
        longest = np.maximum(longest, run)
    return lower, upper, (y < lower) | (y > upper), longest, (above[:, 1:] != above[:, :-1]).sum(1)


def with_library(limits_of: Callable[[np.ndarray, np.ndarray], Limits]) -> Callable[..., Signals]:
    """Compute the same with the formulas of the library, and judge it."""

    def chart(x: np.ndarray, n: np.ndarray) -> Signals:
        limits = limits_of(x, n)
        y = x / n
        low, high = beyond_limits(y, limits.lower, limits.upper)
        sides = useful(y, limits.centre_line)
        longest, crossed = longest_run(sides), crossings(sides)
        longest_max, crossings_min = anhoej_limits(np.count_nonzero(sides, axis=-1))
        runs = (longest > longest_max) | (crossed < crossings_min)
        return limits.lower, limits.upper, low | high, longest, crossed, runs

    return chart


def seconds(chart: Callable[..., Signals], x: np.ndarray, n: np.ndarray) -> float:
    """Give the shortest of some runs."""
    best = np.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        chart(x, n)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> int:
    """Print the table; 1 if a ratio is above what is wanted."""
    x, n = births()
    base = seconds(shortest, x, n)
    rows = [
        ("classical limits", seconds(with_library(p_limits), x, n), 5),
        ("exact limits", seconds(with_library(p_probability_limits), x, n), 15),
    ]
    print(f"{SERIES:,} series of {MONTHS} months      seconds    ratio   wanted")
    print(f"{'shortest NumPy code':<34}{base:>10.3f}{1:>9.1f}")
    for name, taken, wanted in rows:
        print(f"{name:<34}{taken:>10.3f}{taken / base:>9.1f}{'<= ' + str(wanted):>9}")
    return int(any(taken / base > wanted for _, taken, wanted in rows))


if __name__ == "__main__":
    sys.exit(main())
