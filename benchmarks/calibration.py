"""Do the intervals of a change hold what they say, and how often is a verdict wrong? By simulated networks.

Run: ``python benchmarks/calibration.py --seed 1 --fresh 7041 --networks 4000 --write`` (a quarter of an hour
on two cores). Networks of every scenario of ``_networks.grid()`` are drawn and judged by the library's own
functions, all networks of a scenario at once: with the seed that was there when defaults were chosen, and
with a fresh one. With ``--write`` the tables go where docs/methods/calibration.md includes them. ``--quick``
takes every fifth scenario and a tenth of the networks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import _beside as beside
import _calibration_tables as tables
import pandas as pd
from _candidates import compare
from _networks import Scenario, grid
from _tally import KINDS, tally

FOLDER = Path(__file__).parents[1] / "docs" / "methods" / "_calibration"
FIFTH, TENTH = 5, 10
FROM_GRID = ("held", "coverage", "left_out", "wrong", "found", "grid")
BESIDE = ("power", "gap_power", "smallest", "reading", "worst", "means")
_HEADS = {
    "held": "what | wanted (%) | tuning: mean (lowest to highest) | outside | fresh | outside",
    "coverage": "noise | of | events expected | draws | ratio | difference | odds ratio",
    "left_out": "left out | months | draws | change made | change of the rates | of their gaps | "
    "change made, beside trend and season",
    "wrong": "noise | draws | improved | worsened | improved, beyond the trend | any group of a network | "
    "any, family verdict | gap narrowed (ratio)",
    "found": "true change | seen as | rates | months | 10 | 28 | 75 | 150 | 400",
    "grid": "noise | change | rates | months | sites | births a month | groups | gaps | wrong: improved | "
    "beyond the trend | any in the family",
    "candidates": "noise | interval | groups, 20 or more | fewer | gaps, 20 or more | fewer | "
    "largest group, lowest | wrong: improved",
    "power": "rate | months | births a month | level | foretold | level+trend",
    "gap_power": "births a month | rate of the group | ratio of odds ratios | gap narrowed | foretold",
    "smallest": "births a month | smallest ratio of odds ratios | found",
    "reading": "noise | months | rates | 10 | 28 | 75 | 150 | 400 | all | last reading alone | foretold",
    "worst": "start | months | improved, highest | improved, mean | flagged | flagged, of improved",
    "means": "months | correlation | level | level+trend | level+trend+slope | published",
}
HEADS = {name: head.split(" | ") for name, head in _HEADS.items()}


def run(scenarios: list[Scenario], networks: int, seeds: dict[str, int], workers: int) -> tables.Frames:
    """Tally all scenarios with each seed."""
    found: dict[str, list[pd.DataFrame]] = {kind: [] for kind in KINDS}
    with ProcessPoolExecutor(workers) as pool:
        for draws, seed in seeds.items():
            for frames in pool.map(partial(tally, count=networks, seed=seed), scenarios):
                for kind, frame in frames.items():
                    found[kind].append(frame.assign(draws=draws, networks=networks))
    return {kind: pd.concat(parts, ignore_index=True) for kind, parts in found.items()}


def compared(scenarios: list[Scenario], networks: int, seed: int, workers: int) -> pd.DataFrame:
    """Set other intervals beside the default, on the tuning draws."""
    bound = [s for s in scenarios if s.noise in tables.BOUND and s.sites == 1]
    with ProcessPoolExecutor(workers) as pool:
        return pd.concat(pool.map(partial(compare, count=networks, seed=seed), bound), ignore_index=True)


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]], note: str) -> str:
    """Write a table with a note."""
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{note}\n"


def written(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Give the tables asked for, each as soon as it is there."""
    scenarios, networks = grid(), options.networks
    if options.quick:
        scenarios, networks = scenarios[::FIFTH], max(networks // TENTH, 1)
    wanted = options.only or list(HEADS)
    seeds = {"tuning": options.seed, "fresh": options.fresh}
    told = f"{networks:,} networks a scenario, seeds {options.seed} (tuning) and {options.fresh} (fresh)."
    one = f"{networks:,} networks, seed {options.seed}."
    if set(wanted) & set(FROM_GRID):
        frames = run(scenarios, networks, seeds, options.workers)
        for name in (n for n in FROM_GRID if n in wanted):
            yield name, markdown(HEADS[name], getattr(tables, f"{name}_rows")(frames), f"Per cent. {told}")
    if "candidates" in wanted:
        found = compared(scenarios, networks, options.seed, options.workers)
        yield "candidates", markdown(HEADS["candidates"], tables.candidate_rows(found), f"Per cent. {one}")
    with ProcessPoolExecutor(options.workers) as pool:
        asked = [name for name in BESIDE if name in wanted]
        made = {name: pool.submit(getattr(beside, f"{name}_rows"), networks, options.fresh) for name in asked}
        for name, rows in made.items():
            yield name, markdown(HEADS[name], rows.result(), f"{networks:,} draws, seed {options.fresh}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--fresh", type=int, required=True)
    parser.add_argument("--networks", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=list(HEADS), action="append")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    start = time.perf_counter()
    for name, table in written(options):
        print(f"## {name} ({time.perf_counter() - start:.0f} s)\n\n{table}", flush=True)
        if options.write:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{name}.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
