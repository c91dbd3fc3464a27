"""Limits, runs and rules against qicharts2 and NHSRplotthedots, run once on made-up series."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.attributes import c_limits, p_limits, u_limits
from qi_equity.formulas.false_signals import anhoej_false_signal
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import median_line
from qi_equity.formulas.rule_tests import beyond_limits, shift, trend
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, useful
from qi_equity.formulas.zone_tests import two_in_three

# Screening leaves no range, or only zeros, in both packages: their limits are missing or without width.
DELIBERATELY_DIFFERENT = {"ptd-s-63-constant", "ptd-s-64-constant-then-jump"}


def read(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def named(cases: Iterable[dict[str, Any]]) -> list[Any]:
    return [pytest.param(c, id="-".join(map(str, (c["id"], *c.get("of", ()))))) for c in cases]


def numbers(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


QICHARTS2 = read("qicharts2.json")["cases"]
PLOTTHEDOTS = read("plotthedots.json")["cases"]
ANHOEJ = read("anhoej_limits.json")


def points(case: dict[str, Any]) -> np.ndarray:
    if "x" not in case:
        return numbers(case["y"])
    with np.errstate(invalid="ignore"):
        return numbers(case["x"]) / numbers(case["n"]) * case["scale"]


def lines(case: dict[str, Any], nsigma: float) -> Limits:
    """Draw the lines in the unit of the case; the package has no limits where a count is missing."""
    size = len(points(case))
    used = np.isin(np.arange(size), case.get("outside_baseline", []), invert=True)
    line, scale = case.get("given_line"), case["scale"]
    match case["kind"]:
        case "i":
            return i_limits(
                case["y"],
                baseline=used,
                centre_line=line,
                nsigma=nsigma,
                spread="screened" if case["screened"] else "mean",
                constants="qicharts2",
            )
        case "c":
            found = c_limits(numbers(case["y"]) / scale, baseline=used, centre_line=line, nsigma=nsigma)
        case kind:
            formula = p_limits if kind == "p" else u_limits
            x, n = numbers(case["x"]), numbers(case["n"])
            births = np.where(np.isnan(x), np.nan, n)
            found = formula(x, births, baseline=used, centre_line=line, nsigma=nsigma)
    parts = (found.centre_line, found.sigma, found.lower, found.upper)
    return Limits(*(part * scale for part in parts))


def centre_line(case: dict[str, Any]) -> np.ndarray:
    y = points(case)
    if case["kind"] != "run":
        return lines(case, 3).centre_line
    if "given_line" in case:
        return np.broadcast_to(numbers(case["given_line"]), y.shape)
    used = np.isin(np.arange(len(y)), case.get("outside_baseline", []), invert=True)
    return median_line(y, baseline=used)


@pytest.mark.parametrize("case", named(QICHARTS2))
def test_qicharts2_centre_line(case: dict[str, Any]) -> None:
    found = centre_line(case)
    np.testing.assert_allclose(found, np.broadcast_to(numbers(case["cl"]), found.shape), rtol=1e-9)


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if c["kind"] != "run"))
def test_qicharts2_limits_and_points_beyond(case: dict[str, Any]) -> None:
    for nsigma, suffix in ((3.0, ""), (2.0, ".95")):
        found = lines(case, nsigma)
        lower = np.maximum(found.lower, 0) if case.get("not_negative") else found.lower
        for limit, name in ((lower, "lcl"), (found.upper, "ucl")):
            expected = np.broadcast_to(numbers(case[name + suffix]), limit.shape)
            np.testing.assert_allclose(limit, expected, rtol=1e-9, atol=1e-11)
    wide = lines(case, 3)
    low, high = beyond_limits(points(case), wide.lower, wide.upper)
    assert np.flatnonzero(low | high).tolist() == case["beyond"]


@pytest.mark.parametrize("case", named(QICHARTS2))
def test_qicharts2_runs(case: dict[str, Any]) -> None:
    y = points(case)
    y[case.get("excluded", [])] = np.nan
    sides = useful(y, centre_line(case))
    n = np.count_nonzero(sides)
    n_expected, longest, longest_max, crossed, crossings_min = case["runs"]
    assert n == n_expected
    if n == 0:
        return
    limits = [int(limit) for limit in anhoej_limits(n)]
    assert [int(longest_run(sides)), int(crossings(sides))] == [longest, crossed]
    assert limits == [longest_max, crossings_min]
    if "runs_signal" in case:
        assert (longest > limits[0] or crossed < limits[1]) == case["runs_signal"]


@pytest.mark.parametrize("record", ANHOEJ["limits"], ids=["n of 10 to 100", "few"])
def test_anhoej_limits(record: dict[str, list[int]]) -> None:
    longest_max, crossings_min = anhoej_limits(record["n"])
    assert longest_max.tolist() == record["longest_run_max"]
    assert crossings_min.tolist() == record["n_crossings_min"]


def test_false_signals_of_a_fair_coin() -> None:
    n, expected = zip(*((r["n"], r["either"]) for r in ANHOEJ["fair_coin"]), strict=True)
    np.testing.assert_allclose(anhoej_false_signal(n), expected, rtol=1e-9)


def xmr(case: dict[str, Any], nsigma: float) -> Limits:
    size = len(case["y"])
    return i_limits(
        numbers(case["y"]),
        baseline=np.arange(size) < case.get("fixed_after", size),
        spread="screened" if case["screened"] else "mean",
        constants="mdc",
        nsigma=nsigma,
    )


@pytest.mark.parametrize("case", named(c for c in PLOTTHEDOTS if c["id"] not in DELIBERATELY_DIFFERENT))
def test_plotthedots_limits(case: dict[str, Any]) -> None:
    wide, narrow = xmr(case, 3), xmr(case, 2)
    for found, name in (
        (wide.centre_line, "mean"),
        (wide.lower, "lpl"),
        (wide.upper, "upl"),
        (narrow.lower, "nlpl"),
        (narrow.upper, "nupl"),
    ):
        expected = np.broadcast_to(numbers(case[name]), found.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def labels(case: dict[str, Any]) -> str:
    """Name the first rule each point meets, in the order of the package."""
    y = numbers(case["y"])
    wide, narrow = xmr(case, 3), xmr(case, 2)
    line = wide.centre_line
    out = beyond_limits(y, wide.lower, wide.upper)
    trends = trend(y, length=7)
    threes = two_in_three(
        y, narrow.lower, narrow.upper, line, wide.lower, wide.upper, beyond_three_counts=False
    )
    shifts = shift(y, line, length=7)
    found = np.full(len(y), ".")
    for low, high, names in ((*shifts, "GH"), (*threes, "BA"), (*trends, "DI"), (*out, "LU")):
        # A peak shared by two trends bears the name of the second.
        second_is_low = low & high & np.append(low[1:], False)
        found[low] = names[0]
        found[high & ~second_is_low] = names[1]
    return "".join(found)


@pytest.mark.parametrize("case", named(c for c in PLOTTHEDOTS if c["id"] not in DELIBERATELY_DIFFERENT))
def test_plotthedots_first_rule_of_every_point(case: dict[str, Any]) -> None:
    assert labels(case) == case["labels"]


@pytest.mark.parametrize("case", named(c for c in PLOTTHEDOTS if c["id"] in DELIBERATELY_DIFFERENT))
def test_plotthedots_screening_that_leaves_nothing(case: dict[str, Any]) -> None:
    """Third calculation: the definition of the mean moving range, without screening."""
    y = numbers(case["y"])
    width = 2.66 * np.abs(np.diff(y)).mean()
    found = xmr(case, 3)
    np.testing.assert_allclose(found.upper, y.mean() + width, rtol=1e-12)
    np.testing.assert_allclose(found.lower, y.mean() - width, rtol=1e-12)
    theirs = [case["lpl"], case["upl"]]
    assert theirs in ([None, None], [case["mean"]] * 2)
