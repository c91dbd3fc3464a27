"""How often gap charts signal when nothing changes: every scale, over 12 quarters, by simulation.

Run: ``python benchmarks/gap_charts.py --seed 7 --charts 1000``. It prints a Markdown table for each scale;
with ``--write`` it also puts them where docs/methods/gap_chart.md includes them. Group and reference keep
their rates, the group's being the same as, or half as high again as, the reference's. The seed has no
default: a fresh one each time shows that the tables do not hang on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import qi_equity as qe

TABLES = Path(__file__).parents[1] / "docs" / "methods" / "_gap_chart"
SCALES = ("difference", "ratio", "observed-expected")
BIRTHS = (12, 28, 66, 294)
RATES = (0.02, 0.04, 0.08, 0.12)
REFERENCE_BIRTHS = 294
QUARTERS = 12
MEASURE = qe.Measure("Outcome", "proportion", "lower")


def draw(
    rng: np.random.Generator, charts: int, births: int, rates: tuple[float, float]
) -> qe.StratifiedSeries:
    """Draw a group and a reference at each of so many sites, in quarters."""
    quarters = pd.period_range("2021Q1", periods=QUARTERS, freq="Q").start_time.strftime("%Y-%m")
    sizes = (3 * births, 3 * REFERENCE_BIRTHS)
    parts = []
    for group, size, rate in zip(("group", "reference"), sizes, rates, strict=True):
        n = rng.poisson(size, (charts, QUARTERS))
        site = np.repeat(np.arange(charts).astype(str), QUARTERS)
        parts.append(
            pd.DataFrame(
                {"site": site, "quarter": np.tile(quarters, charts), "group": group}
                | {"x": rng.binomial(n, rate).ravel(), "n": n.ravel()}
            )
        )
    columns = {"period": "quarter", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(pd.concat(parts), MEASURE, every="quarter", **columns)


def share(series: qe.StratifiedSeries, scale: str) -> tuple[float, float]:
    """Give the share of charts with a signal, and what summary() expects of the first few."""
    chart = qe.gap_chart(series, reference="reference", scale=scale)
    compared = len(chart.strata) / 2
    signalled = chart.signals["site"].nunique()
    few = chart.series.select(site=[str(k) for k in range(20)])
    told = qe.gap_chart(few, reference="reference", scale=scale).summary()
    return signalled / compared, float(told["false_signal_probability"].sum()) / 20


def rows(scale: str, rng: np.random.Generator, charts: int) -> Iterator[list[str]]:
    """Give the rows of a table: births a month, then one share a rate."""
    for ratio in (1.0, 1.5) if scale != "observed-expected" else (1.0,):
        for births in BIRTHS:
            cells = [share(draw(rng, charts, births, (rate * ratio, rate)), scale) for rate in RATES]
            yield [str(births), f"{ratio:g}", *(f"{100 * a:.1f} ({100 * b:.1f})" for a, b in cells)]


def table(scale: str, seed: int, charts: int) -> str:
    """Write the table of a scale."""
    rng = np.random.default_rng([seed, SCALES.index(scale)])
    head = ["births a month", "rate ratio", *(f"{100 * rate:g} %" for rate in RATES)]
    lines = [head, ["---"] * len(head), *rows(scale, rng, charts)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{body}\n\nShare (%) of {charts} charts of {QUARTERS} quarters that signal though nothing changes, "
        f"beside a reference of {REFERENCE_BIRTHS} births a month at the rate of the column; in brackets "
        f"what `summary()` says. Seed {seed}; the standard error of 5 % is "
        f"{100 * np.sqrt(0.05 * 0.95 / charts):.1f}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--charts", type=int, default=1000)
    parser.add_argument("--only", choices=SCALES, action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    for scale in options.only or SCALES:
        found = table(scale, options.seed, options.charts)
        print(f"## {scale}\n\n{found}")
        if options.write:
            (TABLES / f"{scale}.md").write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
