"""A fixed sample of the benchmark of disclosure: 100 made tables, attacked by the benchmark's own program."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qi_equity.data.disclosure.rule import SuppressionRule

_FILE = Path(__file__).parents[2] / "benchmarks" / "disclosure.py"
_SIZES = {"strict-10": (40, (5, 4)), "dqmi": (30, (7, 4)), "nhs-england": (30, (7, 4))}


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_disclosure", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", list(_SIZES))
def test_after_disclose_no_protected_count_is_left_with_too_few_numbers(name: str, benchmark: Any) -> None:
    rule = SuppressionRule.load(name)
    number, largest = _SIZES[name]
    by_rule = 0
    for inner in benchmark.sample(number, 11, largest):
        table = benchmark.disclosed_table(inner, benchmark.series_of(inner).disclose(rule))
        assert all(n >= rule.protect for n, _ in benchmark.numbers_left(table, rule, rule.protect))
        alone = benchmark.by_rule_alone(inner, rule)
        by_rule += any(n < rule.protect for n, _ in benchmark.numbers_left(alone, rule, rule.protect))
    assert by_rule > 0


def test_the_loss_is_near_the_least_possible(benchmark: Any) -> None:
    rule = SuppressionRule.load("strict-10")
    mine = least = 0.0
    for inner in benchmark.sample(10, 12, (4, 3)):
        table = benchmark.disclosed_table(inner, benchmark.series_of(inner).disclose(rule))
        mine += benchmark.loss(table, rule)
        least += benchmark.exact_loss(inner, rule)
    assert least <= mine <= 1.25 * least


def test_a_table_of_trusts_takes_less_than_a_minute(benchmark: Any) -> None:
    series = benchmark.trusts(3)
    began = time.perf_counter()
    told = series.disclose("strict-10").method["disclosed"]
    assert time.perf_counter() - began < 60
    assert told["rule_leaves_fewer"]
