"""How long the planning of charts takes, beside what it would take otherwise, in one run.

Run: ``OMP_NUM_THREADS=1 python benchmarks/detection.py``. Aims on two cores: the detection table of 54 strata
under 20 s, the run length of a Bernoulli CUSUM with 100,000 births between false signals under 1 s, months to
detect of 1,000 cells under 60 s. Times differ between machines; the ratios are to work of the same run: to a
loop over the strata or cells (of which some are timed), and to a dense solution of the same chain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

import qi_equity as qe
from qi_equity.formulas.bernoulli_waiting import (
    bernoulli_cusum_run_length,
    bernoulli_cusum_waiting,
    bernoulli_detection,
    bernoulli_score_run_length,
)
from qi_equity.planning.tuned import Chart

SITES, MONTHS = 9, 24
BIRTHS, RATES = (12, 18, 28, 66, 150, 294), (0.12, 0.11, 0.1, 0.08, 0.06, 0.05)
ALONE = (0, 20, 40)
"""Strata that are timed alone."""
CHANCE, CHANGED, BETWEEN = 0.12, 0.06, 100_000
# Scores of a birth without and with the event, near the log likelihood ratio of a halving of 12 %.
OTHER, EVENT = 37, -401
CELLS = 20

Floats = npt.NDArray[np.float64]


def counts(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the counts of six groups at nine sites."""
    shape = (SITES, len(BIRTHS), MONTHS)
    births = rng.poisson(np.broadcast_to(np.array(BIRTHS)[:, None], shape))
    events = rng.binomial(births, np.array(RATES)[:, None])
    site, group, month = (a.ravel() for a in np.indices(shape))
    months = pd.period_range("2022-01", periods=MONTHS, freq="M").astype(str).to_numpy()
    rows = {"site": [f"Site {k}" for k in site], "group": [f"Group {k}" for k in group]}
    return pd.DataFrame({**rows, "month": months[month], "x": events.ravel(), "n": births.ravel()})


def series_of(frame: pd.DataFrame) -> qe.StratifiedSeries:
    return qe.from_counts(
        frame, qe.Measure("Outcome", "proportion", "lower"), period="month", numerator="x", denominator="n",
        group="group", site="site",
    )  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def told(what: str, took: float, aim: str, ratio: float, beside: str) -> None:
    print(f"{what}: {took:.2f} s{aim}; {ratio:.3f} of {beside}", flush=True)


def of_strata(frame: pd.DataFrame) -> None:
    """Time tables of all strata, beside a loop over them."""
    whole, keys = series_of(frame), list(frame.groupby(["site", "group"]).groups)
    alone = [
        series_of(frame[(frame["site"] == s) & (frame["group"] == g)]) for s, g in (keys[k] for k in ALONE)
    ]
    works: dict[str, tuple[Callable[[qe.StratifiedSeries], object], str]] = {
        "detection_table": (qe.detection_table, " (aim 20)"),
        "suggest_design": (qe.suggest_design, ""),
    }
    for name, (work, aim) in works.items():
        loop = len(keys) * float(np.mean([seconds(partial(work, one)) for one in alone]))
        took = seconds(partial(work, whole))
        told(f"{name} of {len(keys)} strata", took, aim, took / loop, "a loop over the strata")
    kinds = qe.detection_table(whole).charts[["chart", "every", "rules"]].drop_duplicates()
    print(f"charts of each stratum: {len(kinds)}")


def dense(chance: float, limit: int) -> float:
    """Solve the chain of the score in full: mean births from 0."""
    states = np.arange(limit)
    matrix = np.eye(limit)
    for score, likely in ((OTHER, 1 - chance), (EVENT, chance)):
        to = np.maximum(states + score, 0)
        inside = to < limit
        np.subtract.at(matrix, (states[inside], to[inside]), likely)
    return float(np.linalg.solve(matrix, np.ones(limit))[0])


def score_limit() -> int:
    """Find the least threshold of the score with so many births between false signals."""
    low, high = 1, 20_000
    while high - low > 1:
        middle = (low + high) // 2
        run = bernoulli_score_run_length(CHANCE, event=EVENT, other=OTHER, h=middle).item()
        low, high = (low, middle) if run >= BETWEEN else (middle, high)
    return high


def of_births() -> None:
    """Time run lengths of a Bernoulli CUSUM, beside the dense solution of its chain."""
    limit = score_limit()
    by_score = bernoulli_score_run_length(CHANCE, event=EVENT, other=OTHER, h=limit).item()
    reference = seconds(lambda: dense(CHANCE, limit))
    apart = abs(dense(CHANCE, limit) / by_score - 1)
    print(f"{limit} states, {by_score:,.0f} births between false signals; dense apart by {apart:.0e}")
    h = bernoulli_detection(CHANCE, CHANGED, BETWEEN).h.item()
    ratio = CHANCE / (1 - CHANCE) / (CHANGED / (1 - CHANGED))
    works: dict[str, Callable[[], object]] = {
        "mean run of a score": lambda: bernoulli_score_run_length(CHANCE, event=EVENT, other=OTHER, h=limit),
        "mean run of log likelihoods": lambda: bernoulli_cusum_run_length(
            CHANCE, odds_ratio=ratio, h=h, side="low"
        ),
        "threshold and both mean runs": lambda: bernoulli_detection(CHANCE, CHANGED, BETWEEN),
        "distribution of the run": lambda: bernoulli_cusum_waiting(CHANCE, odds_ratio=ratio, h=h, side="low"),
    }
    for name, work in works.items():
        took = seconds(work)
        told(f"Bernoulli CUSUM, {name}", took, " (aim 1)", took / reference, "the dense solution")


def grid() -> tuple[Floats, Floats, Floats]:
    """Give 1,000 cells of births a month, rate before and rate after."""
    births = np.geomspace(5, 400, 10)
    before = np.linspace(0.02, 0.2, 10)
    change = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 1.3, 1.5, 1.75, 2.0, 2.5])
    n, p, r = (a.ravel() for a in np.meshgrid(births, before, change, indexing="ij"))
    return n, p, p * r


def of_cells() -> None:
    """Time months to detect of 1,000 cells, beside a loop over them."""
    cells = grid()
    some = np.linspace(0, cells[0].size - 1, CELLS).astype(int)
    charts: tuple[Chart, ...] = ("bernoulli_cusum", "cusum", "ewma", "p", "g")
    for chart in charts:
        work = partial(qe.months_to_detect, chart=chart)
        took = seconds(partial(work, *cells))
        loop = sum(seconds(partial(work, *(a[k] for a in cells))) for k in some)
        ratio = took / loop * CELLS / cells[0].size
        told(
            f"months_to_detect of {cells[0].size} cells, {chart}",
            took,
            " (aim 60)",
            ratio,
            "a loop over the cells",
        )


def main() -> None:
    of_births()
    of_cells()
    of_strata(counts(np.random.default_rng(5)))


if __name__ == "__main__":
    main()
