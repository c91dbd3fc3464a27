"""Time that tables of counts take to become charts, as ratios to one pandas groupby-sum of the same frame.

Run ``python benchmarks/frames.py [--series 100000]``. The table has 36 months of each series in random order,
with sites, groups and months as text, as a CSV file gives them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import qi_equity as qe

MONTHS = 36
REPEATS = 3
LARGEST_RATIO = 6.0


def table_of_counts(n_series: int) -> pd.DataFrame:
    rng = np.random.default_rng(20240101)
    groups = np.array(qe.Scheme.load("nhs-2001").groups("broad"))
    sites = np.array([f"Site {i}" for i in range(-(-n_series // len(groups)))])
    months = np.array(pd.date_range("2022-01-01", periods=MONTHS, freq="MS").strftime("%Y-%m"))
    row = rng.permutation(n_series * MONTHS)
    series, month = row // MONTHS, row % MONTHS
    births = rng.poisson(60, len(row))
    return pd.DataFrame(
        {
            "site": sites[series // len(groups)],
            "group": groups[series % len(groups)],
            "month": months[month],
            "events": rng.binomial(births, 0.04),
            "births": births,
        }
    )


def read(table: pd.DataFrame) -> qe.StratifiedSeries:
    return qe.from_counts(
        table,
        qe.measures["pph_1500"],
        period="month",
        numerator="events",
        denominator="births",
        group="group",
        site="site",
        scheme="nhs-2001",
    )


def shortest(function: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    table = table_of_counts(parser.parse_args().series)
    keys = ["site", "group", "month"]
    base = shortest(lambda: table.groupby(keys, observed=False, dropna=False)[["events", "births"]].sum())
    series = read(table)
    classical, exact = qe.P(limits="classical"), qe.P(limits="exact")
    measured = {
        "from_counts": shortest(lambda: read(table)),
        "from_counts and control_chart, classical": shortest(
            lambda: qe.control_chart(read(table), classical)
        ),
        "from_counts and control_chart, exact": shortest(lambda: qe.control_chart(read(table), exact)),
        "and its table of signals": shortest(lambda: qe.control_chart(read(table), exact).signals),
    }
    print(f"{len(table):,} rows, {len(series.cells.strata):,} series; pandas groupby-sum {base:.2f} s")
    for name, seconds in measured.items():
        print(f"{name:45s} {seconds:6.2f} s   {seconds / base:5.2f} times")
    worst = measured["from_counts and control_chart, exact"] / base
    print(f"aim: from_counts and control_chart at most {LARGEST_RATIO:g} times: {worst <= LARGEST_RATIO}")
    return int(worst > LARGEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
