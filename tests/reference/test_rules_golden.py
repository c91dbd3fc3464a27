"""Rules against qcc, qicharts2 and the published boxes of Anhøj and Wentzel-Larsen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.boxes import find_box, runs_limits
from qi_equity.formulas.rule_tests import alternating, beyond_limits, shift, trend
from qi_equity.formulas.runs_distribution import joint_distribution
from qi_equity.formulas.zone_tests import four_in_five, outside, two_in_three, within

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "rules.json").read_text(encoding="utf-8"))
QCC = REFERENCE["qcc"]["cases"]
BOXES = REFERENCE["boxes"]["rows"]

# qcc judges all points of a window by the limits of its last point (docs/differences.md). In
# qcc-s-30-p-newdata it completes other windows by that, but they hold the same points.
BY_THE_LAST_LIMITS = {
    "qcc-s-29-p-given-center": {"we3", "nelson6"},
    "qcc-s-32-p-conf95": {"we2", "nelson5"},
    "qcc-s-39-u-var": {"we2", "nelson5"},
}


class Chart:
    """A case of qcc: points and lines, with zones at one and two thirds of the limits, cut as these are."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.y = np.asarray(case["values"], dtype=float)
        self.line, self.lower, self.upper = (
            np.broadcast_to(np.asarray(case[k], dtype=float), self.y.shape)
            for k in ("centre", "lower", "upper")
        )

    def zone(self, sigmas: int) -> tuple[np.ndarray, np.ndarray]:
        width = (self.upper - self.line) * sigmas / 3
        return np.maximum(self.line - width, self.lower), self.line + width

    def marks(self, test: str) -> np.ndarray:
        """Points that our test marks, on either side."""
        match test:
            case "we1" | "nelson1":
                found = beyond_limits(self.y, self.lower, self.upper)
            case "we2" | "nelson5":
                found = two_in_three(
                    self.y, *self.zone(2), self.line, self.lower, self.upper, same_side="beyond"
                )
            case "we3" | "nelson6":
                found = four_in_five(self.y, *self.zone(1), self.line)
            case "we4":
                found = shift(self.y, self.line, length=8)
            case "nelson2":
                found = shift(self.y, self.line, length=9)
            case "nelson3":
                found = trend(self.y, length=6)
            case "nelson4":
                return alternating(self.y, length=14)
            case "nelson7":
                return within(self.y, *self.zone(1), length=15)
            case _:
                return outside(self.y, *self.zone(1), length=8)
        return found[0] | found[1]

    def pattern(self, test: str, last: int) -> list[int]:
        """Points of the pattern that is completed at ``last``, by the words of the rule."""
        if test in ("we1", "nelson1"):
            return [last]
        zones = {"we2": (2, 3), "nelson5": (2, 3), "we3": (1, 5), "nelson6": (1, 5)}
        if test in zones:
            sigmas, size = zones[test]
            low, high = self.zone(sigmas)
            beyond = self.y < low if self.y[last] < self.line[last] else self.y > high
            return [t for t in range(max(0, last - size + 1), last + 1) if beyond[t]]
        length = {"we4": 8, "nelson2": 9, "nelson3": 6, "nelson4": 14, "nelson7": 15, "nelson8": 8}[test]
        return list(range(last - length + 1, last + 1))


TESTS = ("we1", "we2", "we3", "we4", *(f"nelson{k}" for k in range(1, 9)))


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in QCC])
def test_qcc_flags_the_last_points_of_our_patterns(case: dict[str, Any], test: str) -> None:
    chart = Chart(case)
    expected = np.zeros(len(chart.y), dtype=bool)
    for position in case["marks"].get(test, []):
        expected[chart.pattern(test, position - 1)] = True
    same = np.array_equal(chart.marks(test), expected)
    assert same == (test not in BY_THE_LAST_LIMITS.get(case["id"], ()))


@pytest.mark.parametrize(
    ("case_id", "test", "sigmas", "need", "size"),
    [
        ("qcc-s-29-p-given-center", "we3", 1, 4, 5),
        ("qcc-s-30-p-newdata", "we2", 2, 2, 3),
        ("qcc-s-39-u-var", "we2", 2, 2, 3),
    ],
)
def test_third_calculation_where_limits_vary(
    case_id: str, test: str, sigmas: int, need: int, size: int
) -> None:
    """Standardise each point by its own limits, and count."""
    chart = Chart(next(c for c in QCC if c["id"] == case_id))
    z = 3 * (chart.y - chart.line) / (chart.upper - chart.line)
    marked = np.zeros(len(z), dtype=bool)
    for start in range(len(z) - size + 1):
        window = np.arange(start, start + size)
        for side in (z[window] > sigmas, z[window] < -sigmas):
            if side.sum() >= need:
                marked[window[side]] = True
    np.testing.assert_array_equal(chart.marks(test), marked)


@pytest.mark.parametrize("row", [pytest.param(r, id=f"n{r[0]}") for r in BOXES])
def test_boxes_as_published(row: list[Any]) -> None:
    n, crossings, longest, cut_crossings, cut_longest, *chances = row
    box, cut = find_box(n), find_box(n, cut=True)
    assert (box.crossings_min, box.longest_max) == (crossings, longest)
    assert (cut.crossings_min, cut.longest_max) == (crossings, longest)
    assert cut.crossings_at_corner == (crossings if cut_crossings is None else cut_crossings)
    assert cut.longest_at_corner == (longest if cut_longest is None else cut_longest)
    found = []
    for chance in (0.5, 0.7881446014166034):
        inside = joint_distribution(n, [longest, longest - 1, cut.longest_at_corner], chance)
        best = inside[crossings:, 0].sum()
        found.append(best)
        if cut_crossings is None:
            found.append(best)
            continue
        found.append(
            inside[cut_crossings:, 0].sum()
            + inside[crossings + 1 : cut_crossings, 1].sum()
            + inside[crossings, 2]
        )
    np.testing.assert_allclose(found, chances, rtol=1e-9)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in REFERENCE["qicharts2"]["cases"]])
def test_decisions_of_qicharts2(case: dict[str, Any]) -> None:
    method = {"anhoej": "anhoej", "bestbox": "best_box", "cutbox": "cut_box"}[case["method"]]
    crossed = np.arange(len(case["largest"]))
    longest, fewest = runs_limits(np.full(crossed.shape, case["n"]), crossed, method=method)
    np.testing.assert_array_equal(np.where(crossed < fewest, 0, longest), case["largest"])


@pytest.mark.parametrize("case", [pytest.param(c, id=f"n{c['n']}") for c in REFERENCE["coins"]["cases"]])
def test_joint_distribution_of_fair_coins(case: dict[str, Any]) -> None:
    quiet = joint_distribution(case["n"], [case["longest"], case["n"]])
    long_run = 1 - quiet[:, 0].sum()
    few = quiet[: case["crossings"], 1].sum()
    either = 1 - quiet[case["crossings"] :, 0].sum()
    found = [long_run, few, either, long_run + few - either]
    names = ("p_long_run", "p_few_crossings", "p_either", "p_both")
    np.testing.assert_allclose(found, [case[name] for name in names], rtol=1e-9)
