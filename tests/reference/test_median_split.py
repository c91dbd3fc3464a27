"""Runs tests about the median of the same points: exact numbers of another programme."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qi_equity.formulas.false_signals import median_false_signal

CASES = json.loads(Path(__file__).with_name("median_split.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case["n"])) for case in CASES])
def test_half_of_the_points_on_either_side(case: dict[str, Any]) -> None:
    n, half = case["n"], case["n"] // 2
    assert float(median_false_signal(half, half)) == pytest.approx(case["either"], rel=1e-9)
    longest, fewest = case["longest_run_max"], case["crossings_min"]
    runs = median_false_signal(half, half, longest_max=longest, crossings_min=0)
    crossings = median_false_signal(half, half, longest_max=n, crossings_min=fewest)
    assert float(runs) == pytest.approx(case["long_run"], rel=1e-9, abs=1e-14)
    assert float(crossings) == pytest.approx(case["few_crossings"], rel=1e-9)
