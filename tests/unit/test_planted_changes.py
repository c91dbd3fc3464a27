"""Verdicts beside planted changes, for a few seeds: the benchmark of 200 seeds by its own program."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import qi_equity as qe

_FILE = Path(__file__).parents[2] / "benchmarks" / "planted.py"
SEEDS = range(2)


@pytest.fixture(scope="module")
def planted() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_planted", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(planted: Any) -> pd.DataFrame:
    parts = [
        planted.evaluate(setting, change, seed)
        for setting in planted.BIRTHS
        for change in planted.CHANGES
        for seed in SEEDS
    ]
    return planted.judge(pd.concat(parts, ignore_index=True))


def test_few_verdicts_contradict_what_was_planted(rows: pd.DataFrame) -> None:
    # 5 % is the aim over 200 seeds; of 160 verdicts the share has a standard error of 1.7 %.
    assert rows["contradicts"].mean() < 0.09


def test_what_was_planned_for_is_named(rows: pd.DataFrame) -> None:
    planned = rows[rows["planned_for"]]
    assert len(planned) >= 10
    assert planned["named"].mean() >= 0.8


def test_what_only_looks_like_a_change_is_not_called_one_beyond_the_trend(rows: pd.DataFrame) -> None:
    looks = rows[rows["change"].isin(["season", "trend", "case-mix"])]
    beyond = (looks["verdict"] == "improved") & (looks["beyond_trend"] == "yes")
    assert beyond.mean() <= 0.05


def test_a_trend_is_lower_than_before_in_the_network(rows: pd.DataFrame) -> None:
    trend = rows[(rows["change"] == "trend") & (rows["setting"] == "network") & (rows["group"] == "White")]
    assert (trend["verdict"] == "improved").all()


def test_recording_is_named_as_what_it_is(rows: pd.DataFrame) -> None:
    recording = rows[rows["change"] == "recording"]
    worse = recording[recording["verdict"] == "worsened"]
    assert len(worse) >= 5
    assert worse["recording_moved"].all()
    assert not rows.loc[rows["change"] != "recording", "recording_moved"].any()


def test_case_mix_moves_the_total_and_no_group() -> None:
    made = qe.datasets.births(90_000, sites=1, change="case-mix", measure="pph_1000", seed=8, effect=0.6)
    series = qe.from_records(
        made.records, qe.measures["pph_1000"], date="date", event="pph_1000", ethnicity="ethnicity"
    )
    total = qe.evaluate_change(series.total(), "2024-01", reference=0.08).groups
    assert total["verdict"].tolist() == ["worsened"]
    groups = qe.evaluate_change(series, "2024-01", reference="rest")
    known = groups.groups[groups.groups["group"].isin(["Asian", "Black", "White"])]
    assert not known["verdict"].isin(["improved", "worsened"]).any()
    checks = groups.sensitivity(placebo=False).checks
    mix = checks[(checks["check"] == "mix of groups") & checks["group"].isin(["Black", "White"])]
    assert set(mix["jumped"]) <= {"yes", "drifted"}
