"""How often charts signal when nothing has changed: every default, by simulation.

Prints a Markdown table. Run: ``python benchmarks/in_control.py --seed 7 --charts 10000``. The seed has no
default: a fresh one each time shows that the table does not hang on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import Cells

POINTS = 24
BIRTHS = (12, 28, 66, 294)
PANEL = (294, 66, 28, 18, 12, 12)
RATES = (0.02, 0.04, 0.08, 0.12)

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int], float, float], qe.StratifiedSeries]


def series(kind: str, *, numerator: Array, denominator: Array | None = None) -> qe.StratifiedSeries:
    """Make a series of one stratum a row; values in place of counts for kind mean."""
    size, length = numerator.shape
    names = pd.Categorical.from_codes(np.arange(size), categories=[str(i) for i in range(size)])
    months = (np.datetime64("2022-01", "M") + np.arange(length)).astype("datetime64[us]")
    where = np.repeat(np.arange(size), length), np.tile(np.arange(length), size)
    flat = numerator.ravel()
    cells = Cells.dense(
        pd.DataFrame({"group": names}),
        months,
        *where,
        numerator=None if kind == "mean" else flat,
        value=flat if kind == "mean" else None,
        denominator=None if denominator is None else denominator.ravel(),
        kind=kind,
    )
    measure = qe.Measure("in control", kind, "lower")  # type: ignore[arg-type]
    return qe.StratifiedSeries(measure, None, None, "month", 1, cells, {}, _result.notes([]))


def proportions(
    rng: np.random.Generator, shape: tuple[int, int], births: float, rate: float
) -> qe.StratifiedSeries:
    """Events among births whose monthly number varies by chance."""
    n = np.maximum(rng.poisson(births, shape), 1).astype(np.float64)
    return series("proportion", numerator=rng.binomial(n.astype(int), rate).astype(np.float64), denominator=n)


def rates(
    rng: np.random.Generator, shape: tuple[int, int], births: float, rate: float
) -> qe.StratifiedSeries:
    """Events per birth, of which one birth can have several."""
    n = np.maximum(rng.poisson(births, shape), 1).astype(np.float64)
    return series("rate", numerator=rng.poisson(n * rate).astype(np.float64), denominator=n)


def counts(
    rng: np.random.Generator, shape: tuple[int, int], births: float, rate: float
) -> qe.StratifiedSeries:
    """Events of equal opportunity."""
    return series("count", numerator=rng.poisson(births * rate, shape).astype(np.float64))


def measurements(
    rng: np.random.Generator, shape: tuple[int, int], births: float, rate: float
) -> qe.StratifiedSeries:
    """Draw normal values; births and rate play no part."""
    return series("mean", numerator=rng.standard_normal(shape))


CHARTS: tuple[tuple[str, Draw, Callable[[qe.StratifiedSeries], qe.ControlChart]], ...] = (
    ("run_chart, proportions", proportions, qe.run_chart),
    ("control_chart p", proportions, qe.control_chart),
    ("control_chart u", rates, qe.control_chart),
    ("control_chart c", counts, qe.control_chart),
    ("p, making_data_count", proportions, lambda s: qe.control_chart(s, rules="making_data_count")),
    ("p, classical limits", proportions, lambda s: qe.control_chart(s, qe.P(limits="classical"))),
)
NORMAL = (
    ("run_chart, normal values", qe.run_chart),
    ("control_chart i", qe.control_chart),
    ("i, screened moving ranges", lambda s: qe.control_chart(s, qe.Individuals(spread="screened"))),
    ("i, making_data_count", lambda s: qe.control_chart(s, rules="making_data_count")),
)


def signalled(chart: qe.ControlChart) -> npt.NDArray[np.bool_]:
    """Say which strata hold a signal of any rule."""
    out = chart.few_crossings.any(axis=1)
    for mask in chart.flags.values():
        out |= mask.any(axis=1)
    return out


def cell(hits: npt.NDArray[np.bool_]) -> str:
    """Write a share in per cent with its Monte-Carlo standard error."""
    share = hits.mean()
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / hits.size):.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--charts", type=int, default=10_000)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    shape = (options.charts, POINTS)
    print(
        f"Share (%) of in-control charts with a signal within {POINTS} points; "
        f"{options.charts} charts a cell, "
        f"seed {options.seed}, ± Monte-Carlo standard error.\n"
    )
    print("| chart | births a month | " + " | ".join(f"{r:.0%}" for r in RATES) + " |")
    print("|---|---|" + "---|" * len(RATES))
    for name, draw, make in CHARTS:
        for births in BIRTHS:
            hits = [cell(signalled(make(draw(rng, shape, births, rate)))) for rate in RATES]
            print(f"| {name} | {births} | " + " | ".join(hits) + " |")
        panels = []
        for rate in RATES:
            some = [signalled(make(draw(rng, shape, births, rate))) for births in PANEL]
            panels.append(cell(np.logical_or.reduce(some)))
        print(f"| {name} | panel of {len(PANEL)} groups | " + " | ".join(panels) + " |")
    for name, make in NORMAL:
        one, *others = (signalled(make(measurements(rng, shape, 0, 0))) for _ in PANEL)
        panel = np.logical_or.reduce([one, *others])
        print(f"| {name} | - | {cell(one)} | | | |")
        print(f"| {name} | panel of {len(PANEL)} groups | {cell(panel)} | | | |")


if __name__ == "__main__":
    main()
