"""Does every group wait equally long between false alarms? By simulated series without a change.

Run: ``python benchmarks/false_alarm_months.py --seed 61 --series 1000``. For groups of every size and rate
the chart that ``detection_table`` recommends is drawn by ``control_chart`` of series without a change, and
the months between false signals of the side that looks for a fall are counted: with known lines (from 240
months of exactly the true rate) and with lines from 24 months, which is what teams have. The chart is that
for the true rate; the choice is not made anew from each baseline. ``--write`` puts the table where the pages
of docs/methods include it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from simulated import _monthly

import qi_equity as qe

TABLE = Path(__file__).parents[1] / "docs" / "methods" / "_run_lengths" / "false_alarm_months.md"
BIRTHS, RATES = (12, 28, 66, 294), (0.02, 0.04, 0.08, 0.12)
WANTED, BASELINE, KNOWN, FOLLOWED = 150, 24, 240, 450
MONTHS = {"month": 1, "quarter": 3}

Floats = npt.NDArray[np.float64]


class Waited(NamedTuple):
    """Months between false signals, their standard error, and signals within a year of the baseline."""

    months: float
    error: float
    year: float


def even(births: int, rate: float, months: int) -> Floats:
    """Give events of months that keep as near to the rate as whole numbers can."""
    return np.diff(np.rint(np.arange(months + 1) * births * rate))


def recommended(births: int, rate: float) -> pd.Series:
    """Give the row of the table for such a group."""
    events = even(births, rate, KNOWN)[None]
    series = _monthly("proportion", numerator=events, denominator=np.full(events.shape, float(births)))
    return qe.detection_table(series, false_alarm_months=WANTED, rules="shewhart").table.iloc[0]


def waited(
    chosen: pd.Series, births: int, rate: float, known: bool, rng: np.random.Generator, count: int
) -> Waited:
    """Follow series after their baseline until the side that shows a fall signals."""
    baseline = KNOWN if known else BASELINE
    shape = count, baseline + FOLLOWED
    n = np.maximum(rng.poisson(births, shape), 1).astype(np.float64)
    x = rng.binomial(n.astype(int), rate).astype(np.float64)
    if known:
        n[:, :baseline], x[:, :baseline] = births, even(births, rate, baseline)
    each = MONTHS[chosen["every"]]
    n, x = (a.reshape(count, -1, each).sum(axis=2) for a in (n, x))
    series = _monthly("proportion", numerator=x, denominator=n)
    kind = eval(chosen["kind"], {"qe": qe})
    chart = qe.control_chart(series, kind=kind, baseline=baseline // each, rules="shewhart")
    return counted(chart.signals, series.cells.periods, baseline // each, each, count)


def counted(
    signals: pd.DataFrame, periods: npt.NDArray[np.datetime64], baseline: int, each: int, count: int
) -> Waited:
    """Divide the months that all series were followed by their first signals; points are ``each`` months."""
    low = signals[signals["side"] == "low"]
    start, end = (np.searchsorted(periods, low[name].to_numpy()) - baseline + 1 for name in ("start", "end"))
    later = end > 0
    first = np.full(count, FOLLOWED + each)
    # A sum that still signals when the baseline ends does so at the first point.
    np.minimum.at(first, low["group"].astype(int).to_numpy()[later], each * np.maximum(start, 1)[later])
    seen = first <= FOLLOWED
    signalled = max(int(seen.sum()), 1)
    months = float(np.minimum(first, FOLLOWED).sum() / signalled)
    return Waited(months, months / np.sqrt(signalled), float((first <= 12).mean()))


def rows(seed: int, count: int) -> list[str]:
    """Write a line for every size and rate."""
    rng, found = np.random.default_rng(seed), []
    for births in BIRTHS:
        for rate in RATES:
            chosen = recommended(births, rate)
            ways = [waited(chosen, births, rate, known, rng, count) for known in (True, False)]
            told = f"`{chosen['kind']}`, {chosen['every']}"
            cells = [f"{one.months:.0f} ± {one.error:.0f}" for one in ways]
            year = [f"{one.year:.1%}" for one in ways]
            line = [str(births), f"{rate:.0%}", told, f"{chosen['false_alarm_months']:.0f}", *cells, *year]
            found.append(f"| {' | '.join(line)} |")
            print(found[-1], flush=True)
    return found


def main() -> None:
    """Print, and if wanted write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="into docs/methods/_run_lengths")
    options = parser.parse_args()
    names = ("births a month", "rate", "recommended chart")
    between = "months between false falls"
    ways = ("known lines", f"lines from {BASELINE} months")
    wait = (f"{between}, by the table", *(f"{between}, {way}" for way in ways))
    head = f"| {' | '.join((*names, *wait, *(f'false fall within a year, {way}' for way in ways)))} |"
    told = (
        f"{options.series:,} series a cell followed for up to {FOLLOWED} months, seed {options.seed}; "
        f"± Monte-Carlo standard error. Wanted: {WANTED} months."
    )
    lines = [head, "|---" * 8 + "|", *rows(options.seed, options.series), "", told, ""]
    if options.write:
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
