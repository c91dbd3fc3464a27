"""Run lengths of EWMA and CUSUM charts against the R package spc and against printed tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.cusum_waiting import count_cusum_waiting, tabular_cusum_waiting
from qi_equity.formulas.ewma_waiting import count_ewma_waiting, ewma_waiting, ewma_width
from qi_equity.formulas.waiting import Waiting

HERE = Path(__file__).parent
EWMA: dict[str, Any] = json.loads((HERE / "run_length_memory.json").read_text(encoding="utf-8"))
CUSUM: dict[str, Any] = json.loads((HERE / "cusum.json").read_text(encoding="utf-8"))["run_length"]
LIMITS: dict[str, Any] = {"fix": "asymptotic", "vacl": "exact"}
SIDES: dict[str, Any] = {"two": "both", "one": "high"}


def cases(source: dict[str, Any], function: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in source["cases"] if case["fn"] == function]


def ewma(case: dict[str, Any]) -> Waiting:
    return ewma_waiting(
        case["mu"],
        weight=case["l"],
        width=case["c"],
        limits=LIMITS[case.get("limits", "fix")],
        side=SIDES[case["sided"]],
        head_start=case.get("hs", 0),
    )


@pytest.mark.parametrize("case", cases(EWMA, "xewma.arl"))
def test_normal_ewma(case: dict[str, Any]) -> None:
    # The package says 2e-8 of itself where the limits widen, by a finer grid; 1e-6 is what it is good for.
    tolerance = 1e-6 if case.get("limits") == "vacl" else 1e-9
    np.testing.assert_allclose(ewma(case).mean(), case["arl"], rtol=tolerance)


@pytest.mark.parametrize("case", cases(EWMA, "xewma.crit"))
def test_width_of_a_normal_ewma(case: dict[str, Any]) -> None:
    limits = LIMITS[case.get("limits", "fix")]
    found = ewma_width(case["par"], case["L0"], limits=limits, side=SIDES[case["sided"]])
    assert found[0] == pytest.approx(case["critical_value"], abs=1e-6)


@pytest.mark.parametrize("case", cases(EWMA, "xewma.q"))
def test_quantiles_of_a_normal_ewma(case: dict[str, Any]) -> None:
    wait = ewma(case)
    found = [wait.quantile(p)[i] for i, p in enumerate(case["p"])]
    assert found == case["q"]


@pytest.mark.parametrize("case", cases(EWMA, "xewma.sf"))
def test_chances_of_a_normal_ewma(case: dict[str, Any]) -> None:
    found = [float(ewma(case).within(m)[0]) for m in range(1, 13)]
    np.testing.assert_allclose(found, case["signalled"], rtol=1e-9)


@pytest.mark.parametrize("case", cases(EWMA, "xcusum.q") + cases(EWMA, "xcusum.sf"))
def test_quantiles_and_chances_of_a_normal_cusum(case: dict[str, Any]) -> None:
    wait = tabular_cusum_waiting(case["mu"], k=case["k"], h=case["h"], side="high")
    if case["fn"] == "xcusum.q":
        assert [wait.quantile(p)[i] for i, p in enumerate(case["p"])] == case["q"]
    else:
        np.testing.assert_allclose(
            [float(wait.within(m)[0]) for m in range(1, 13)], case["signalled"], rtol=1e-9
        )


@pytest.mark.parametrize("case", cases(CUSUM, "xcusum.arl"))
def test_normal_cusum(case: dict[str, Any]) -> None:
    wait = tabular_cusum_waiting(
        case["mu"], k=case["k"], h=case["h"], head_start=case["hs"], side=SIDES[case["sided"]]
    )
    np.testing.assert_allclose(wait.mean(), case["arl"], rtol=1e-9)


@pytest.mark.parametrize("case", cases(CUSUM, "pois.cusum.arl"))
def test_poisson_cusum(case: dict[str, Any]) -> None:
    # Its chart is that of the rate whose reference value is k; its S > h is S >= h and half a step more.
    upper, ratio, m = case["sided"] == "upper", 2.0, case["m"]
    step = math.log(ratio)
    wait = count_cusum_waiting(
        1,
        case["km"] / m * step / (ratio - 1 if upper else 1 - 1 / ratio),
        distribution="poisson",
        ratio=ratio,
        h=(case["hm"] + 0.5) / m * step,
        head_start=case["i0"] / m * step,
        actual=np.array(case["mu"])[:, np.newaxis],
        side="high" if upper else "low",
    )
    np.testing.assert_allclose(wait.mean(), case["arl"], rtol=1e-9)


@pytest.mark.parametrize("case", cases(EWMA, "pois.ewma.arl"))
def test_poisson_ewma(case: dict[str, Any]) -> None:
    wait = count_ewma_waiting(
        1,
        case["mu0"],
        actual=np.array(case["mu"])[:, np.newaxis],
        weight=case["lambda"],
        width=case["AL"],
        distribution="poisson",
        limits="asymptotic",
    )
    np.testing.assert_allclose(wait.mean(), case["arl"], rtol=5e-3)


@pytest.mark.parametrize("case", cases(EWMA, "p.ewma.arl"))
def test_binomial_ewma(case: dict[str, Any]) -> None:
    n, w, p = case["n"], case["lambda"], case["z0"] / case["n"]
    error = math.sqrt(n * p * (1 - p) * w / (2 - w))
    wait = count_ewma_waiting(
        n,
        p,
        actual=np.array(case["p"])[:, np.newaxis],
        weight=w,
        width=(case["ucl"] - case["z0"]) / error,
        limits="asymptotic",
        side="high",
    )
    # The package's own grid leaves 5 % of long run lengths and 1.5 % of those below 50.
    arl = np.array(case["arl"])
    assert (np.abs(wait.mean() / arl - 1) < np.where(arl < 50, 0.015, 0.05)).all()


def test_printed_run_lengths() -> None:
    """Run lengths as quoted from Montgomery and from Lucas and Saccucci (1990), seen at second hand."""
    printed = {4: (168, 8.38, 4.75, 3.34, 2.19), 5: (465, 10.4, 5.75, 4.01, 2.57)}
    for h, runs in printed.items():
        found = tabular_cusum_waiting([0, 1, 1.5, 2, 3], h=h).mean()
        assert (np.abs(found - runs) <= [0.5, 0.05, 0.0051, 0.0051, 0.0051]).all()
    for (w, c), runs in {
        (0.1, 2.814): (500, 10.3, 6.1, 4.4, 2.9),
        (0.2, 2.962): (500, 10.5, 5.5, 3.7, 2.4),
    }.items():
        found = ewma_waiting([0, 1, 1.5, 2, 3], weight=w, width=c, limits="asymptotic").mean()
        assert (np.abs(found - runs) <= [0.5, 0.05, 0.05, 0.05, 0.05]).all()
