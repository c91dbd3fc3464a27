"""Do exact run lengths agree with drawn charts? Every method of formulas/, at more than 200 settings.

Run: ``python benchmarks/run_lengths.py --seed 6 --charts 10000`` (some minutes). Charts are drawn point by
point from the definition of each until they signal (``_run_length_draws.py``). The mean run and the chance of
a signal within 12 points and within the median run, are compared with what the library says, in Monte-Carlo
errors. Nothing is calibrated. It lists every number beyond three errors, and fails if one is beyond five.
``--write`` puts the table where the pages of docs/methods include it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _run_length_draws import Floats
from _run_length_settings import Expected, Setting, estimated, evaluations, runs, zones
from _run_length_sums import averages, between, births, counts, detections, limits, tabular

TABLE = Path(__file__).parents[1] / "docs" / "methods" / "_run_lengths" / "agreement.md"
POINTS = 12
FEWEST = 25
"""Charts expected on either side of a chance, below which a normal error says nothing."""
MOST_ERRORS = 5.0


FAMILIES = (
    zones,
    runs,
    estimated,
    tabular,
    counts,
    births,
    detections,
    averages,
    between,
    limits,
    evaluations,
)


def settings() -> list[Setting]:
    """List all settings."""
    return [setting for family in FAMILIES for setting in family()]


class Compared(NamedTuple):
    """One number of a setting: what is expected, found, and how many Monte-Carlo errors lie between."""

    family: str
    setting: str
    what: str
    expected: float
    found: float
    errors: float


def compare(setting: Setting, rng: np.random.Generator, charts: int) -> list[Compared]:
    """Draw the charts of a setting and compare mean and chances."""
    expected, drawn = setting.expected(), setting.draw(rng, charts)
    more = 1 + (drawn.size / expected.draws if expected.draws else 0)
    found = []
    if expected.mean is not None and np.isfinite(expected.mean):
        error = np.sqrt(drawn.var(ddof=1) / drawn.size * more + expected.error**2)
        mean = drawn.mean()
        found.append(("mean", expected.mean, mean, (mean - expected.mean) / error))
    if expected.within is not None:
        points = {float(POINTS), expected.median}
        found += [_chance(expected, drawn, m, more) for m in sorted(points) if np.isfinite(m)]
    return [Compared(setting.family, setting.name, *map(_plain, one)) for one in found if one]


def _plain(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def _chance(
    expected: Expected, drawn: Floats, points: float, more: float
) -> tuple[str, float, float, float] | None:
    chance, share = expected.within(points), float((drawn <= points).mean())
    if min(chance, 1 - chance) * drawn.size < FEWEST:
        return None
    error = np.sqrt(chance * (1 - chance) / drawn.size * more)
    return f"within {points:g}", chance, share, (share - chance) / error


def _at(place: int, seed: int, charts: int) -> list[Compared]:
    """Compare the setting of that number, with random numbers of its own."""
    return compare(settings()[place], np.random.default_rng([seed, place]), charts)


def compared(places: Sequence[int], seed: int, charts: int, workers: int) -> list[Compared]:
    """Compare settings by their numbers."""
    one = partial(_at, seed=seed, charts=charts)
    if workers == 1:
        return [line for place in places for line in one(place)]
    with ProcessPoolExecutor(workers) as pool:
        return [line for lines in pool.map(one, places) for line in lines]


def table(lines: Sequence[Compared], seed: int, charts: int) -> str:
    """Write how far off each family is at most."""
    head = "| method | settings | numbers compared | beyond 3 errors | beyond 4 | beyond 5 | farthest |"
    rows = [head, "|---" * 7 + "|"]
    for family in dict.fromkeys(line.family for line in lines):
        own = [line for line in lines if line.family == family]
        rows.append(_row(family, own))
    rows.append(_row("all", lines))
    return "\n".join(
        [*rows, "", f"Up to {charts:,} charts a setting, seed {seed}; farthest in Monte-Carlo errors.", ""]
    )


def _row(name: str, lines: Sequence[Compared]) -> str:
    errors = np.abs([line.errors for line in lines])
    beyond = " | ".join(str(int((errors > k).sum())) for k in (3, 4, 5))
    number = len({line.setting for line in lines})
    return f"| {name} | {number} | {len(lines)} | {beyond} | {errors.max():.1f} |"


def main() -> None:
    """Print, and if wanted write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--charts", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="families whose name holds this")
    parser.add_argument("--write", action="store_true", help="into docs/methods/_run_lengths")
    options = parser.parse_args()
    start = time.perf_counter()
    places = [k for k, one in enumerate(settings()) if not options.only or options.only in one.family]
    lines = compared(places, options.seed, options.charts, options.workers)
    written = table(lines, options.seed, options.charts)
    print(f"{written}\n{time.perf_counter() - start:.0f} s")
    for line in sorted(lines, key=lambda one: -abs(one.errors)):
        if abs(line.errors) > 3:
            numbers = f"{line.expected:.5g}, drawn {line.found:.5g}"
            print(f"{line.errors:+.1f}  {line.family}: {line.setting}, {line.what}: {numbers}")
    if options.write:
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(written, encoding="utf-8")
    worst = max(abs(line.errors) for line in lines)
    if worst > MOST_ERRORS:
        raise SystemExit(f"A number lies {worst:.1f} Monte-Carlo errors off.")


if __name__ == "__main__":
    main()
