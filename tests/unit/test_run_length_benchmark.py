"""The benchmark of run lengths: a sample of its settings agrees, and it would tell if one did not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
CHARTS = 1500
FIRST = {
    "zones": 11,
    "Anhøj by month": 0,
    "estimated lines": 1,
    "tabular CUSUM": 3,
    "count CUSUM": 4,
    "Bernoulli CUSUM": 1,
    "tuned CUSUM": 1,
    "normal EWMA": 11,
    "count EWMA": 3,
    "g and t": 5,
    "tuned limits": 1,
    "evaluation": 1,
}
"""Which setting of each method is taken; among them a low head start, and an open gap with both limits."""


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    found = importlib.import_module("run_lengths")
    sys.path.remove(str(ROOT / "benchmarks"))
    return found


def test_there_are_more_than_200_settings_of_every_method(bench: Any) -> None:
    made = bench.settings()
    assert len(made) == len({(one.family, one.name) for one in made}) > 200
    assert {one.family for one in made} == set(FIRST)


@pytest.mark.parametrize("family", FIRST)
def test_a_sample_agrees_within_five_errors(bench: Any, family: str) -> None:
    one = [setting for setting in bench.settings() if setting.family == family][FIRST[family]]
    lines = bench.compare(one, np.random.default_rng(17), CHARTS)
    assert lines
    assert max(abs(line.errors) for line in lines) < bench.MOST_ERRORS, lines


def test_a_mean_a_fifth_too_long_is_told(bench: Any) -> None:
    one = bench.settings()[0]
    wrong = one._replace(expected=lambda: bench.Expected(1.2 * one.expected().mean))
    (line,) = bench.compare(wrong, np.random.default_rng(17), CHARTS)
    assert line.errors < -bench.MOST_ERRORS
    assert "| zones | 1 | 1 | 1 | 1 | 1 |" in bench.table([line], 17, CHARTS)


def test_the_table_of_the_docs_is_of_all_settings(bench: Any) -> None:
    text = bench.TABLE.read_text(encoding="utf-8")
    assert f"| all | {len(bench.settings())} |" in text
    assert all(f"| {family} | " in text for family in FIRST)
