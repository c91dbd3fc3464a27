"""Suggested phases against the sustained runs that runcharter finds, and against a plain loop."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "runcharter.json").read_text(encoding="utf-8")
)
CASES = REFERENCE["cases"]
SIDE = {"above": "high", "below": "low", "both": "both"}
MEASURE = qe.Measure("Test", "mean", None)


def chart_of(groups: dict[str, list[float | None]], start: str, baseline: int) -> qe.ControlChart:
    months = pd.date_range(start, periods=max(map(len, groups.values())), freq="MS")
    parts = [
        pd.DataFrame({"month": months, "group": g, "y": pd.array(y, "Float64")}) for g, y in groups.items()
    ]
    series = qe.from_counts(pd.concat(parts), MEASURE, period="month", value="y", group="group")
    return qe.run_chart(series, baseline=baseline)


def sustained(
    values: Sequence[float], baseline: int, length: int, watched: Sequence[int]
) -> list[tuple[int, int, float]]:
    """Rebase the median as runcharter's description says, point by point: first, last, median of each run."""
    line = statistics.median(v for v in values[:baseline] if not np.isnan(v))
    found, run, side = [], [], 0
    for t, value in enumerate(values):
        if t < baseline or np.isnan(value) or value == line:
            continue
        now = 1 if value > line else -1
        run, side = ([*run, t] if now == side else [t]), now
        if len(run) == length and side in watched:
            line = statistics.median(values[i] for i in run)
            found.append((run[0], run[-1], line))
            run, side = [], 0
    return found


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_sustained_runs_are_those_of_runcharter(case: dict[str, Any]) -> None:
    chart = chart_of(case["groups"], case["from"], case["baseline"])
    found = qe.suggest_phases(chart, length=case["length"], side=SIDE[case["direction"]])
    if case["segments"] is None:
        # runcharter stops: the series has fewer points than baseline and run together.
        assert len(found) == 0
        return
    wanted = pd.DataFrame(case["segments"], columns=REFERENCE["segments"]).sort_values(["group", "start"])
    medians = wanted[wanted["type"] == "baseline"].set_index("group")["median"]
    first_lines = pd.Series(chart.centre_line[:, 0], index=chart.strata["group"].astype(str))
    np.testing.assert_allclose(first_lines[medians.index], medians, rtol=1e-9)
    runs = wanted[wanted["type"] == "sustained"]
    assert found["group"].astype(str).tolist() == runs["group"].tolist()
    for column in ("start", "end"):
        assert found[column].dt.strftime("%Y-%m-%d").tolist() == runs[column].tolist()
    np.testing.assert_allclose(found["centre_after"], runs["median"], rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_sustained_runs_are_those_of_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    length, baseline = int(rng.integers(2, 8)), int(rng.integers(3, 15))
    side = ("low", "high", "both")[seed % 3]
    table = np.round(rng.normal(10, 2, (4, 60)) + rng.normal(0, 2, (4, 60)).cumsum(axis=1) / 3)
    table[rng.random(table.shape) < 0.08] = np.nan
    table[:, 0] = 10
    chart = chart_of({f"G{k}": list(row) for k, row in enumerate(table)}, "2015-01-01", baseline)
    found = qe.suggest_phases(chart, length=length, side=side)
    watched = {"low": [-1], "high": [1], "both": [-1, 1]}[side]
    wanted = [
        (f"G{k}", *run) for k, row in enumerate(table) for run in sustained(row, baseline, length, watched)
    ]
    months = chart.series.cells.periods
    got = zip(
        found["group"].astype(str),
        np.searchsorted(months, found["start"]).tolist(),
        np.searchsorted(months, found["end"]).tolist(),
        found["centre_after"],
        strict=True,
    )
    assert [(*r[:3], pytest.approx(r[3], rel=1e-9)) for r in got] == wanted
    assert (found["n_points"] == length).all()
