"""CUSUM paths and run lengths against qicharts2, qcc and spc, run once on made-up series."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum, bernoulli_cusum_gaps
from qi_equity.formulas.cusum import tabular_cusum
from qi_equity.formulas.cusum_run_length import count_cusum_run_length, tabular_cusum_run_length
from qi_equity.formulas.risk_adjusted import risk_adjusted_cusum

REFERENCE = json.loads((Path(__file__).parent / "cusum.json").read_text(encoding="utf-8"))


def cases(name: str, fn: str = "") -> list[Any]:
    return [pytest.param(c, id=c["id"]) for c in REFERENCE[name]["cases"] if not fn or c["fn"].startswith(fn)]


def births(case: dict[str, Any]) -> np.ndarray:
    return np.isin(np.arange(case["n"]), case["events"]).astype(float)


@pytest.mark.parametrize("case", cases("bchart"))
def test_bernoulli_cusum_agrees_with_qicharts2_but_for_the_value_at_a_signal(case: dict[str, Any]) -> None:
    y = births(case)
    path = bernoulli_cusum(y, chance=case["p0"], odds_ratio=case["or"], h=case["limit"])
    assert np.flatnonzero(path.high_signal).tolist() == case["high_signal"]
    assert np.flatnonzero(path.low_signal).tolist() == case["low_signal"]
    # At a signal the package keeps 0 where this keeps the value that signalled.
    high, low = (np.where(s, 0, v) for s, v in ((path.high_signal, path.high), (path.low_signal, path.low)))
    at = np.array(case["events"])
    np.testing.assert_allclose(high[at], case["high_at_events"], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(np.append(0, low)[at], case["low_before_events"], rtol=1e-9, atol=1e-11)
    if "high" in case:
        np.testing.assert_allclose(high, case["high"], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(low, case["low"], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", cases("bchart"))
def test_gaps_and_equal_risks_signal_at_the_births_of_qicharts2(case: dict[str, Any]) -> None:
    gaps = np.diff([-1, *case["events"], case["n"] - 1]).astype(float)
    closed = np.arange(len(gaps)) < len(case["events"])
    options = {"odds_ratio": case["or"], "h": case["limit"]}
    path = bernoulli_cusum_gaps(gaps, closed, chance=case["p0"], **options)
    ends = np.cumsum(gaps) - 1
    for signal, expected in ((path.low_signal, "low_signal"), (path.high_signal, "high_signal")):
        wanted = set(np.searchsorted(ends, case[expected]).tolist())
        assert set(np.flatnonzero(signal).tolist()) == wanted
    risky = risk_adjusted_cusum(births(case), case["p0"], **options)
    assert np.flatnonzero(risky.high_signal).tolist() == case["high_signal"]


@pytest.mark.parametrize("case", cases("cusum"))
def test_tabular_cusum_agrees_with_qcc(case: dict[str, Any]) -> None:
    error = case["std.dev"] / np.sqrt(np.array(case["sizes"], dtype=float))
    scores = (np.array(case["statistics"]) - case["center"]) / error
    path = tabular_cusum(
        scores, k=case["se.shift"] / 2, h=case["decision.interval"], head_start=case["head.start"]
    )
    np.testing.assert_allclose(path.high, case["pos"], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(path.low, case["neg"], rtol=1e-9, atol=1e-11)
    assert np.flatnonzero(path.high_signal).tolist() == case["upper"]
    assert np.flatnonzero(path.low_signal).tolist() == case["lower"]


@pytest.mark.parametrize("case", cases("run_length", "xcusum.arl"))
def test_normal_run_lengths_agree_with_spc(case: dict[str, Any]) -> None:
    found = tabular_cusum_run_length(case["mu"], k=case["k"], h=case["h"], head_start=case["hs"])
    of = found.either if case["sided"] == "two" else found.high
    np.testing.assert_allclose(of, case["arl"], rtol=1e-9)


@pytest.mark.parametrize("case", cases("run_length", "xcusum.crit"))
def test_critical_values_of_spc_give_the_run_length_they_were_sought_for(case: dict[str, Any]) -> None:
    # The package finds them to 1e-6; a run length changes by about half its size with every 1 of h.
    assert tabular_cusum_run_length(k=case["k"], h=case["h"]).either[0] == pytest.approx(case["L0"], rel=2e-6)


@pytest.mark.parametrize("ratio", [1.3, 2.0])
@pytest.mark.parametrize("case", cases("run_length", "pois.cusum.arl"))
def test_poisson_run_lengths_agree_with_spc(case: dict[str, Any], ratio: float) -> None:
    # Its chart is that of the rate whose reference value is k; its S > h is S >= h and half a step more.
    upper, step, m = case["sided"] == "upper", math.log(ratio), case["m"]
    rate = case["km"] / m * step / (ratio - 1 if upper else 1 - 1 / ratio)
    found = count_cusum_run_length(
        1,
        rate,
        distribution="poisson",
        ratio=ratio,
        h=(case["hm"] + 0.5) / m * step,
        head_start=case["i0"] / m * step,
        actual=case["mu"],
    )
    np.testing.assert_allclose(found.high if upper else found.low, case["arl"], rtol=1e-9)


def test_textbook_run_lengths() -> None:
    """Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.1; rounded as there."""
    five = tabular_cusum_run_length([0, 0.5, 1, 2], h=5).either
    four = tabular_cusum_run_length([0, 1], h=4).either
    assert [round(float(v), d) for v, d in zip(five, (0, 1, 1, 2), strict=True)] == [465, 38.0, 10.4, 4.01]
    assert [round(float(v), d) for v, d in zip(four, (0, 2), strict=True)] == [168, 8.38]
