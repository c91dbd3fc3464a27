"""How long a review of nine sites takes, from a network of 10,000 cycles, beside one control chart.

Run ``python benchmarks/review.py [cycles]``. A review is to take less than 5 seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.data.series import StratifiedSeries
from qi_equity.pdsa.calls.review import review

SITES = tuple(f"Site {k}" for k in range(1, 10))
MEASURES = ("pph_1500", "preterm_birth", "tear_3_4")
RATES = (0.05, 0.08, 0.03)
BIRTHS = {"Asian": 85, "Black": 55, "Mixed": 25, "Other": 12, "White": 300, "Not stated": 15}
MONTHS = tuple(pd.period_range("2023-01", periods=24, freq="M").astype(str))
REVIEWED = "2024-05"
GOAL, REPEATS = 5.0, 3
_DECISIONS = ("adapt", "adapt", "expand", "adopt", "abandon")


def series() -> list[StratifiedSeries]:
    """Give births of six groups at nine sites over two years, for three measures."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        [(m, s, g, n) for m in MONTHS for s in SITES for g, n in BIRTHS.items()],
        columns=["month", "site", "group", "births"],
    )
    frame["births"] = rng.poisson(frame["births"])
    found = []
    for measure, rate in zip(MEASURES, RATES, strict=True):
        frame["events"] = rng.binomial(frame["births"], rate)
        columns = {"period": "month", "numerator": "events", "denominator": "births", "group": "group"}
        found.append(qe.from_counts(frame, qe.measures[measure], site="site", **columns))
    return found


def network(cycles: int) -> pdsa.Network:
    """Give nine sites with so many cycles together, spread over the two years."""
    each = [cycles // len(SITES) + (k < cycles % len(SITES)) for k in range(len(SITES))]
    sites = [
        pdsa.Site(name=name, projects=[_project(name, count)])
        for name, count in zip(SITES, each, strict=True)
    ]
    calls = [pdsa.Meeting(kind="data call", date=f"{m}-12", title=f"Call of {m}") for m in MONTHS]
    return pdsa.Network(name="A network", sites=sites, meetings=calls)


def _project(site: str, count: int) -> pdsa.Project:
    return pdsa.Project(
        name="Safer birth",
        site=site,
        ideas=[pdsa.ChangeIdea(id=f"{site[-1]}-{k}", name=f"Idea {k}") for k in range(5)],
        measures=[pdsa.MeasureUse(measure=m, role="outcome") for m in MEASURES],
        cycles=[_cycle(site, k, count) for k in range(count)],
        progress=[pdsa.Progress(date=f"{m}-28", score=2.5, scale_version="IHI 2004") for m in MONTHS],
    )


def _cycle(site: str, number: int, count: int) -> pdsa.Cycle:
    start = date(2023, 1, 2) + timedelta(days=700 * number // max(count, 1))
    groups = (None, "Asian", "Black")
    implemented = number == count // 3
    return pdsa.Cycle(
        name=f"Cycle {number}",
        idea=f"{site[-1]}-{number % 5}",
        purpose="implement" if implemented else "test",
        plan=pdsa.Plan(
            objective="Try it", predictions=[pdsa.Prediction(text="Better", group=g) for g in groups]
        ),
        do=pdsa.Do(start=start, end=start + timedelta(days=7), as_planned=True,
                   reached=[pdsa.Reached(group=g, people=5) for g in groups[1:]]),
        study=pdsa.Study(date=start + timedelta(days=9), learning="It fits the round",
                         results=[pdsa.Result(group=g, matched="yes") for g in groups]),
        act=pdsa.Act(date=start + timedelta(days=10), decision=_DECISIONS[number % 5], follows="The next"),
    )  # fmt: skip


def main(cycles: int) -> None:
    """Time the review, and one chart of all strata of one measure."""
    data, records = series(), network(cycles)
    timed = {
        "review of nine sites": min(_time(lambda: review(records, REVIEWED, data)) for _ in range(REPEATS)),
        "one control_chart": min(_time(lambda: qe.control_chart(data[0])) for _ in range(REPEATS)),
    }
    for name, (took, processor) in timed.items():
        print(f"{name:<24} {took:8.2f} s, of which the processor {processor:.2f} s")
    (took, first), (_, second) = timed.values()
    print(f"{cycles:,} cycles; review / chart: {first / second:.0f}; goal < {GOAL:g} s: {took < GOAL}")


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Give the seconds that passed, and those of the processor: others may share it."""
    start, own = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - own


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
