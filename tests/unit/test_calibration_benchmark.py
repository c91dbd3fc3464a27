"""The benchmark of calibration: its networks are what they say, and are judged as `evaluate_change` does."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "docs" / "methods"
MODULES = ("_networks", "_tally", "_candidates", "_beside", "_calibration_tables", "calibration")


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    found = {name.strip("_"): importlib.import_module(name) for name in MODULES}
    sys.path.remove(str(ROOT / "benchmarks"))
    return SimpleNamespace(**found)


def scenario(
    bench: Any, *more: Any, rates: str = "3 to 6 %", window: tuple[int, int] = (12, 12), **named: Any
):
    return bench.networks.Scenario(bench.networks.BIRTHS, rates, *window, *more, **named)


def test_the_grid_holds_all_that_is_asked_for(bench):
    grid = bench.networks.grid()
    assert len(grid) == len({str(s) for s in grid}) >= 30
    assert {s.effect for s in grid} == set(bench.networks.EFFECTS)
    assert {(s.before, s.after) for s in grid} == {(12, 12), (24, 15)}
    assert {s.amount for s in grid if s.noise == "trend"} == {-0.1, -0.05, 0.05, 0.1}
    plain = [s for s in grid if s.sites == 1]
    assert {b for s in plain for b in s.births} >= {10, 28, 75, 150, 400}
    rates = [r for s in plain for r in s.baseline]
    assert (min(rates), max(rates)) == (0.01, 0.12)
    assert {s.sites for s in grid} == {1, 3, 9}


@pytest.mark.parametrize(
    ("noise", "amount", "effect"),
    [
        ("chance alone", 0.0, "levelling down"),
        ("beta-binomial", 0.01, "gap closing"),
        ("autocorrelation", 0.3, "for all"),
        ("season", 0.2, "none"),
        ("trend", -0.1, "majority only"),
    ],
)
def test_events_come_at_the_rates_that_are_called_true(bench, noise, amount, effect):
    made = scenario(bench, noise, amount, effect)
    drawn = bench.networks.draw(made, 400, np.random.default_rng(1))
    for truth, side in ((drawn.before, slice(None, 12)), (drawn.after, slice(12, None))):
        births = drawn.births[..., side].sum(axis=-1)
        expected = (births * truth).sum(axis=0)
        spread = 1 + amount * 400 if noise == "beta-binomial" else 2.0
        assert np.abs(drawn.events[..., side].sum(axis=(0, 2)) - expected).max() < 4 * np.sqrt(
            spread * expected.max()
        )
    if noise not in ("season", "trend"):
        assert drawn.after / drawn.before == pytest.approx(np.broadcast_to(made.ratios, (400, 5)))
    if noise == "trend":
        assert drawn.after.mean(axis=0)[0] / drawn.before.mean(axis=0)[0] == pytest.approx(0.9, rel=0.01)


def test_beta_binomial_counts_vary_as_much_as_their_correlation_says(bench):
    drawn = bench.networks.draw(scenario(bench, "beta-binomial", 0.005), 2000, np.random.default_rng(2))
    n, p = drawn.births[:, -1], 0.03
    found = np.mean((drawn.events[:, -1] - n * p) ** 2 / (n * p * (1 - p)))
    assert found == pytest.approx(1 + 399 * 0.005, rel=0.05)


def test_autocorrelated_counts_follow_on_one_another_and_vary_like_binomial_ones(bench):
    drawn = bench.networks.draw(scenario(bench, "autocorrelation", 0.3), 2000, np.random.default_rng(3))
    n, p = drawn.births[:, -1], 0.03
    score = (drawn.events[:, -1] - n * p) / np.sqrt(n * p * (1 - p))
    assert (score**2).mean() == pytest.approx(1, rel=0.03)
    assert (score[:, 1:] * score[:, :-1]).mean() == pytest.approx(0.3, abs=0.02)


def test_a_start_after_the_worst_quarter_comes_after_more_events(bench):
    for noise, groups in ((bench.networks.GROUP_S_WORST, slice(None)), (bench.networks.NETWORK_S_WORST, -1)):
        drawn = bench.networks.draw(scenario(bench, noise), 500, np.random.default_rng(4))
        rate = drawn.events.sum(axis=0) / drawn.births.sum(axis=0)
        last, rest = rate[:, 9:12].mean(axis=1), rate[:, 12:].mean(axis=1)
        assert (last[groups] > 1.08 * rest[groups]).all()
        assert drawn.after == pytest.approx(np.broadcast_to(scenario(bench).baseline, (500, 5)))


def series_of(events: np.ndarray, births: np.ndarray) -> qe.StratifiedSeries:
    groups, months = events.shape
    rows = pd.DataFrame(
        {
            "month": np.tile(pd.period_range("2022-01", periods=months, freq="M").astype(str), groups),
            "group": np.repeat([f"G{k}" for k in range(groups)], months),
            "x": events.ravel(),
            "n": births.ravel(),
        }
    )
    measure = qe.Measure("Outcome", "proportion", "lower")
    return qe.from_counts(rows, measure, period="month", numerator="x", denominator="n", group="group")


@pytest.mark.parametrize("window", [(12, 12), (24, 15)])
def test_networks_are_judged_as_evaluate_change_judges_them(bench, window):
    made = scenario(bench, "beta-binomial", 0.005, "gap closing", window=window, rates="6 to 12 %")
    drawn = bench.networks.draw(made, 6, np.random.default_rng(5))
    own, _, found = bench.tally.evaluate(made, drawn)
    gaps, strata = bench.tally.gaps_of(made, own)
    assert strata.tolist() == [0, 1, 2, 3]
    start = pd.period_range("2022-01", periods=window[0] + 1, freq="M")[-1]
    for k in range(6):
        series = series_of(drawn.events[k], drawn.births[k])
        told = qe.evaluate_change(series, str(start), reference="G4")
        table = told.groups
        for end in ("lower", "upper"):
            assert table[f"ratio_{end}"].to_numpy() == pytest.approx(getattr(own.ratio, end)[k, :, 0])
        for word in ("verdict", "family_verdict", "beyond_trend"):
            assert table[word].tolist() == getattr(found, word)[k, :, 0].tolist()
        beside = told.gaps[told.gaps["group"] != "G4"]
        for scale, gap in gaps.items():
            mine = beside[beside["scale"] == scale.replace("_", " ")]
            assert mine["verdict"].tolist() == gap.verdict[k, :, 0].tolist()
            assert mine["gap_change_lower"].to_numpy() == pytest.approx(gap.change.lower[k, :, 0])


def test_the_default_among_the_candidates_is_the_library_s(bench):
    made = scenario(bench, "beta-binomial", 0.005, rates="1 to 3 %")
    drawn = bench.networks.draw(made, 50, np.random.default_rng(6))
    own, _, _ = bench.tally.evaluate(made, drawn)
    cells = bench.candidates.cells_of(made, drawn)
    found = bench.candidates.intervals(cells, bench.candidates.DEFAULT)
    assert own.exact.any()
    assert not own.exact.all()
    for end, log in zip(("lower", "upper"), found[1:3], strict=True):
        assert np.exp(log) == pytest.approx(getattr(own.ratio, end)[..., 0], rel=1e-9)
    gaps, strata = bench.tally.gaps_of(made, own)
    ends = bench.candidates.gap(found, strata, made.reference[strata], bench.candidates.DEFAULT)
    assert np.exp(ends[0]) == pytest.approx(gaps["ratio"].change.lower[..., 0], rel=1e-9)


@pytest.mark.parametrize(("noise", "amount"), [("chance alone", 0.0), ("beta-binomial", 0.005)])
def test_intervals_hold_what_they_say_within_the_error_of_few_networks(bench, noise, amount):
    found = bench.tally.tally(scenario(bench, noise, amount, "gap closing"), 600, 7)
    for kind in ("strata", "gaps"):
        frame = found[kind].assign(networks=600)
        for scale in ("ratio", "difference", "odds_ratio"):
            assert (frame[f"none_{scale}"] if kind == "gaps" else frame["none"]).max() == 0
            held = frame[f"covers_{scale}"]
            assert bench.calibration_tables.outside(held, frame["networks"], 0.94, 1.0) == 0
            large = frame["expected"] >= 20
            assert bench.calibration_tables.outside(held[large], frame["networks"][large], 0.94, 0.975) == 0
    assert found["networks"]["any_family"].item() < 0.05
    assert found["strata"]["improved"].iloc[2] > found["strata"]["improved"].iloc[0]


@pytest.mark.parametrize("amount", [-0.1, 0.1])
def test_a_trend_is_hardly_ever_called_an_improvement_beyond_it(bench, amount):
    found = bench.tally.tally(
        bench.networks.Scenario(bench.networks.LARGE_BIRTHS, "6 to 12 %", 24, 15, "trend", amount), 300, 8
    )["strata"]
    assert found["improved_beyond"].max() < 0.06
    assert found["improved"].iloc[-1] > 0.9 if amount < 0 else found["improved"].max() < 0.01


def test_shares_are_outside_only_beyond_the_error_of_the_simulation(bench):
    shares, networks = pd.Series([0.93, 0.9, 0.96, 0.98, 0.999]), pd.Series([2000] * 5)
    assert bench.calibration_tables.outside(shares, networks, 0.94, 0.975) == 2


def test_reading_monthly_says_improved_more_often_but_not_more_than_foretold(bench):
    ever, last = bench.beside._read_monthly(scenario(bench, rates="6 to 12 %"), 400, 9)
    told = bench.beside.chance_of_false_signal(1 / (1 / 12 + 1 / np.arange(1, 13)), sides=1)
    assert (ever > last).all()
    assert ever.mean() < told + 3 * np.sqrt(0.09 * 0.91 / 2000)


def test_a_quick_run_writes_every_table(bench, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench.calibration, "FOLDER", tmp_path / "tables")
    some = [s for s in bench.networks.grid() if s.rates == "3 to 6 %" and s.before == 12 and s.sites == 1]
    monkeypatch.setattr(bench.calibration, "grid", lambda: some[1:])
    monkeypatch.setattr(bench.calibration, "ProcessPoolExecutor", InTurn)
    line = ["calibration.py", "--seed", "1", "--fresh", "2", "--networks", "100", "--quick", "--write"]
    monkeypatch.setattr(sys, "argv", line)
    bench.calibration.main()
    assert {p.stem for p in (tmp_path / "tables").glob("*.md")} == set(bench.calibration.HEADS)
    for path in (tmp_path / "tables").glob("*.md"):
        rows = [
            row.count("|") for row in path.read_text(encoding="utf-8").splitlines() if row.startswith("|")
        ]
        assert len(rows) > 2
        assert len(set(rows)) == 1
    assert "## held" in capsys.readouterr().out


class InTurn:
    """A pool that does everything at once, in this process."""

    def __init__(self, workers: int) -> None:
        assert workers == 2

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def map(self, function: Any, things: Any) -> list[Any]:
        return [function(thing) for thing in things]

    def submit(self, function: Any, *arguments: Any) -> Any:
        return SimpleNamespace(result=lambda: function(*arguments))


def test_the_page_includes_every_table_once(bench):
    page = (METHODS / "calibration.md").read_text(encoding="utf-8")
    included = re.findall(r"^```\{include\} _calibration/(\w+)\.md\n```$", page, flags=re.MULTILINE)
    # The table of planted changes is written by another benchmark.
    assert sorted(included) == sorted([*bench.calibration.HEADS, "planted"])
    for name, head in bench.calibration.HEADS.items():
        table = (METHODS / "_calibration" / f"{name}.md").read_text(encoding="utf-8")
        assert table.startswith(f"| {' | '.join(head)} |\n")
        assert re.search(r"seeds? \d+", table)
