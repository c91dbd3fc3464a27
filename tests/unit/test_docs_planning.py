"""The tables on the pages of planning say what the library gives, and how far it is from what was printed."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import qi_equity as qe
from qi_equity.formulas.bernoulli_waiting import bernoulli_score_run_length
from qi_equity.formulas.detectable_change import smallest_detectable_ratio
from qi_equity.formulas.detectable_gap_change import power_of_gap_change
from qi_equity.formulas.distributions import Binomial
from qi_equity.formulas.ewma_waiting import ewma_waiting
from qi_equity.formulas.expected_inflation import expected_inflation
from qi_equity.formulas.false_signals import anhoej_false_signal
from qi_equity.formulas.zone_chains import together
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.formulas.zone_test_chains import beyond_limits_chain, shift_chain
from qi_equity.formulas.zone_waiting import zone_waiting
from qi_equity.spc.rules import BeyondLimits, FourInFive, RuleSet, Shift, TwoInThree

DOCS = Path(__file__).parents[2] / "docs" / "methods"
PAGES = ("detection", "power")
SIZES = [12, 28, 66, 294]


def text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table after a line that begins so: names of the columns, then rows."""
    after = text(page).split(f"\n{heading}", 1)[1]
    rows = re.search(r"(?:^\|.*\|\n)+", after, flags=re.MULTILINE)
    assert rows is not None
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in rows.group().splitlines()]
    return [cells[0], *cells[2:]]


def numbers(cells: list[str]) -> list[float]:
    """What stands before any bracket; never is infinite."""
    return [math.inf if c == "never" else float(c.split(" (")[0]) for c in cells]


def printed(cells: list[str]) -> list[float]:
    """What stands in brackets, or before them."""
    return [float(re.sub(r".*\((.+)\)", r"\1", c)) for c in cells]


def rate(cell: str) -> float:
    return float(cell.removesuffix("%")) / 100


def change(cell: str) -> tuple[float, float]:
    before, after = re.findall(r"[\d.]+", cell)[:2]
    return float(before) / 100, float(after) / 100


def as_shown(found: float, shown: float, places: int = 1) -> bool:
    return found == shown or abs(found - shown) <= 0.5001 * 10**-places


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_functions_and_modules_that_a_page_names_exist(page: str) -> None:
    content = text(page)
    links = [link for link in re.findall(r"\]\((\S+?\.md)\)", content) if not (DOCS / link).exists()]
    assert links == []
    assert set(re.findall(r"`qe\.(\w+)", content)) <= set(qe.__all__)
    modules = re.findall(r"`(qi_equity(?:\.\w+)+)`", content)
    found = [m for m in modules if importlib.util.find_spec(m.rpartition(".")[0]) is None]
    assert found == []


def test_births_from_which_limits_can_show_a_fall() -> None:
    for cell, classical, exact in table("detection", "## What limits cannot show")[1:]:
        for kind, births in ((qe.P(limits="classical"), int(classical)), (qe.P(), int(exact))):
            options = {"kind": kind, "centre_line": rate(cell), "change": 0.5, "side": "low"}
            first, less = (
                qe.run_length("shewhart", size=n, **options).table["mean"].item()
                for n in (births, births - 2)
            )
            assert math.isfinite(first)
            assert math.isinf(less)


def test_months_of_a_p_chart_with_runs() -> None:
    for row in table("detection", "Runs do not mend it.")[1:]:
        births = float(row[0])
        sizes, half = np.full((3, 1), births), 3 * math.sqrt(0.12 * 0.88 / births)
        points = Binomial(np.array([[0.12], [0.06], [0.09]]), sizes, sizes)
        chances = zone_chances(points, [0.12], three_sigma=(0.12 - half, 0.12 + half))
        rules = together(beyond_limits_chain(), shift_chain(length=8, ties="skip"))
        quiet, halved, quarter = zone_waiting(rules, chances).mean().tolist()
        shown = numbers(row[1:])
        assert as_shown(quiet, shown[0], 0)
        assert as_shown(halved, shown[1])
        assert as_shown(quarter, shown[2])


def test_whole_number_scores() -> None:
    found = [bernoulli_score_run_length([0.12, 0.06], event=-21, other=2, h=h).round() for h in (165, 106)]
    assert [f"{n:,.0f}" for pair in found for n in pair] == ["11,536", "229", "1,501", "135"]
    content = text("detection")
    assert "11,536 births between false alarms and 6 % gives 229" in content
    assert "they are 1,501 and 135" in content


def test_months_of_a_bernoulli_cusum() -> None:
    head, *rows = table("detection", "### Bernoulli CUSUM, one false alarm in 150 months")
    births = np.array([float(row[0]) for row in rows])
    found = np.stack([qe.months_to_detect(births, *change(c)) for c in head[1:]], axis=1)
    for row, months in zip(rows, found, strict=True):
        for ours, shown, was in zip(months, numbers(row[1:]), printed(row[1:]), strict=True):
            assert as_shown(ours, shown)
            assert shown == was or f"{ours:.1f}" != f"{was:.1f}"
            assert abs(ours - was) <= max(0.02 * was, 0.0501)


def test_births_to_a_signal_grow_as_a_logarithm() -> None:
    sizes = np.array([10, 75, 600])
    found = qe.months_to_detect(sizes, 0.12, 0.06) * sizes
    assert found.round().tolist() == [135, 230, 330]
    assert "135 births with 10 a month, 230 with 75, 330 with 600" in text("detection")


CHARTS = {"CUSUM of counts": "cusum", "EWMA of counts": "ewma", "Bernoulli CUSUM": "bernoulli_cusum"}


def test_charts_beside_each_other() -> None:
    head, *rows = table("detection", "### Charts beside each other")
    assert head[1:] == [str(n) for n in SIZES]
    for name, *cells in rows:
        chart, _, every = name.partition(", by ")
        found = qe.months_to_detect(
            SIZES,
            0.08,
            0.04,
            chart=CHARTS.get(chart, chart),
            every=every or "month",
        )
        assert [as_shown(a, b) for a, b in zip(found, numbers(cells), strict=True)] == [True] * 4, name


def test_g_charts() -> None:
    for kind, quiet, halved in (
        (qe.G(limits="classical"), "53 to 55", "6.8 to 7.4"),
        (qe.G(), "744 to 771", "25 to 27"),
    ):
        found = np.stack(
            [
                qe.run_length("shewhart", kind=kind, centre_line=1 / p, change=[1, 0.5]).table["mean"]
                for p in (0.12, 0.05, 0.02, 0.01, 0.005)
            ]
        )
        for column, shown in enumerate((quiet, halved)):
            places = 1 if "." in shown else 0
            ends = (found[:, column].min(), found[:, column].max())
            assert " to ".join(f"{e:.{places}f}" for e in ends) == shown
            assert shown in text("detection")


def test_skewed_waits() -> None:
    cusum = qe.CountCusum(ratio=2.087, false_signal_every=150)
    for size in SIZES[:3]:
        row = qe.run_length("shewhart", kind=cusum, centre_line=0.08, size=size, change=0.5, side="low").table
        assert 0.8 <= row["median"].item() / row["mean"].item() <= 0.9
        assert row["upper"].item() / row["mean"].item() == pytest.approx(2, abs=0.15)
    alone = qe.run_length("shewhart").table
    assert alone["median"].item() / alone["mean"].item() == pytest.approx(0.7, abs=0.01)
    assert alone["upper"].item() / alone["mean"].item() == pytest.approx(3, abs=0.01)


def test_run_lengths_that_differ_from_printed_ones() -> None:
    rows = [row[2] for row in table("detection", "And of run lengths of points")[1:]]
    ewma = ewma_waiting(weight=0.1, width=2.814, limits="asymptotic").mean().item()
    power = [anhoej_false_signal(n, special.ndtr(0.8)).item() for n in (15, 24)]
    limits, two, four, seven = BeyondLimits(), TwoInThree(same_side="beyond"), FourInFive(), Shift(length=7)
    short = qe.run_length(RuleSet("zones", "1", "", (limits, TwoInThree(), seven)), baseline=12, within=12)
    anew = [
        qe.run_length(RuleSet("zones", "1", "", (limits, zone))).table["mean"].item() for zone in (two, four)
    ]
    assert rows == [
        "2,881.85",  # by ranks: trend_mean(7) of test_planning_simulated.py
        f"{ewma:.1f}",
        *(f"{one:.3f}" for one in power),
        f"{short.chances['chance'].item():.3f}",
        ", ".join(f"{one:.3f}" for one in anew),
    ]


DESIGNS = [(0.06, 12, 12), (0.06, 24, 15), (0.09, 12, 12), (0.09, 24, 15)]


def test_power_of_an_evaluation() -> None:
    rows = table("power", "## The change of a group's rate")[1:]
    births = [float(row[0]) for row in rows]
    found = np.stack(
        [
            qe.evaluation_power(
                births, 0.12, after, periods_before=first, periods_after=last, model=model
            ).power
            for after, first, last in DESIGNS
            for model in ("level", "level+trend")
        ],
        axis=1,
    )
    shown, was = (np.array([read(row[1:]) for row in rows]) for read in (numbers, printed))
    np.testing.assert_allclose(found, shown, atol=0.00501)
    # Both are rounded to two digits.
    assert np.argwhere(np.abs(found - was) > 0.045).tolist() == [[0, 1]]


def test_smallest_ratio() -> None:
    head, simulated, closed = table("power", "Smallest fall from 12 % that is shown")
    births = np.array(numbers(head[1:]))
    found = qe.smallest_evaluated_ratio(births, 0.12, periods_before=24, periods_after=12)
    np.testing.assert_allclose(found, numbers(simulated[1:]), atol=0.00501)
    inflation = expected_inflation(24, 12)
    form = smallest_detectable_ratio(0.12, 24 * births, 12 * births, inflation=inflation)
    np.testing.assert_allclose(form, numbers(closed[1:]), atol=0.00501)


def test_baseline_needed() -> None:
    for name, *cells in table("power", "## The baseline that is needed")[1:]:
        found = qe.periods_needed(SIZES, *change(name), periods_after=12)
        assert found.tolist() == numbers(cells)


def test_power_of_the_change_of_a_gap() -> None:
    for sizes, name, cell in table("power", "## The change of a gap")[1:]:
        n, reference = (int(s) for s in sizes.split(" and "))
        before, after = change(name)
        found = qe.gap_change_power(
            n, before, after, reference, 0.05, periods_before=12, periods_after=12
        ).power.item()
        assert as_shown(found, numbers([cell])[0], 2)
        assert 0 < printed([cell])[0] - found < 0.125
        form = power_of_gap_change(
            before, after / before, 12 * n, 12 * n, 0.05, 12 * reference, 12 * reference
        ).item()
        assert form == pytest.approx(printed([cell])[0], abs=0.04)
