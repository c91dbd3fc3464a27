"""How long an evaluation takes beside one statsmodels regression per stratum in a loop, in one run.

Run: ``python benchmarks/evaluation.py``. 9 sites, 6 groups and 20 measures over 36 months are 1,080 strata.
Aims: the stacked fit takes at most 1/20 of the loop's time, the whole evaluation with gaps and pooling at
most the time of the loop. Ratios only: times differ between machines.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm

import qi_equity as qe
from qi_equity.formulas.glm import fit_glm

SITES, GROUPS, MEASURES, MONTHS, BEFORE = 9, 6, 20, 36, 24
REPEATS = 3


def draw(rng: np.random.Generator) -> pd.DataFrame:
    """Draw counts of every site, group and measure: a rate of 8 % that falls to 6 %."""
    strata = SITES * GROUPS * MEASURES
    births = rng.poisson(
        np.tile(np.repeat([12, 25, 40, 75, 150, 300], MEASURES), SITES)[:, None], (strata, MONTHS)
    )
    rate = np.where(np.arange(MONTHS) < BEFORE, 0.08, 0.06)
    months = pd.period_range("2022-01", periods=MONTHS, freq="M").astype(str)
    labels = {
        "site": np.repeat([f"Site {k}" for k in range(SITES)], GROUPS * MEASURES),
        "group": np.tile(np.repeat([f"Group {k}" for k in range(GROUPS)], MEASURES), SITES),
        "topic": np.tile([f"Measure {k:02d}" for k in range(MEASURES)], SITES * GROUPS),
    }
    rows = pd.DataFrame({name: np.repeat(values, MONTHS) for name, values in labels.items()})
    return rows.assign(month=np.tile(months, strata), n=births.ravel(), x=rng.binomial(births, rate).ravel())


def shortest(work: Callable[[], object]) -> float:
    """Give the shortest of several times, which the machine's other work disturbs least."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    frame = draw(np.random.default_rng(5))
    series = qe.from_counts(
        frame, qe.Measure("Outcome", "proportion", "lower"), period="month", numerator="x", denominator="n",
        group="group", site="site", by="topic",
    )  # fmt: skip
    cells = series.cells
    step = (np.arange(MONTHS) >= BEFORE).astype(float)
    design = np.column_stack([np.ones(MONTHS), np.arange(MONTHS) - BEFORE + 1, step])

    def loop() -> None:
        for x, n in zip(cells.numerator, cells.denominator, strict=True):
            outcome = np.column_stack([x, n - x])[n > 0]
            sm.GLM(outcome, design[n > 0], family=sm.families.Binomial()).fit(scale="X2")

    def stacked() -> None:
        fit_glm(cells.numerator, cells.denominator, design)

    def whole() -> None:
        qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="rest"))

    times = {name: shortest(work) for name, work in (("loop", loop), ("stacked", stacked), ("whole", whole))}
    print(f"strata: {len(cells.strata)}")
    print(f"stacked fit of all strata / loop: {times['stacked'] / times['loop']:.4f} (aim 0.05)")
    print(f"evaluation with gaps and pooling / loop: {times['whole'] / times['loop']:.3f} (aim 1)")


if __name__ == "__main__":
    main()
