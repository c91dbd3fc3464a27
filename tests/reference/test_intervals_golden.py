"""Intervals against independently computed numbers (``intervals.json``), all to 1e-9.

Not among them, as these intervals are not offered: ``riskratio_wald``, ``riskratio_small``,
``oddsratio_wald``, ``oddsratio_midp``, ``oddsratio_fisher`` and ``pois_byar`` of epitools, and the Wald
intervals of metafor. The root searches of epitools stop at 2e-3; precise numbers stand in for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.difference_intervals import newcombe_difference
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.mean_intervals import mean_interval
from qi_equity.formulas.odds_ratio_intervals import log_adjusted_odds_ratio
from qi_equity.formulas.proportion_intervals import clopper_pearson_interval, wilson_interval
from qi_equity.formulas.rate_intervals import exact_rate_interval, ohid_rate_interval
from qi_equity.formulas.ratio_intervals import exact_rate_ratio, mid_p_rate_ratio

REFERENCE = json.loads(Path(__file__).with_name("intervals.json").read_text(encoding="utf-8"))
ONE, TWO = REFERENCE["one_sample"], REFERENCE["two_samples"]
MULTIPLIER = {"phe_proportion": 1, "phe_rate": 100_000, "phe_mean": 1}
LEVELS = {"lowercl": None, "lower95_0cl": 0.95, "lower99_8cl": 0.998}


def named(cases: list[Any]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


def number(value: Any) -> float:
    return {"Inf": np.inf, "-Inf": -np.inf, None: np.nan}.get(value, value)


def interval_of(case: dict[str, Any], confidence: float) -> Interval:
    table = case["table"]
    if case["fn"] == "phe_mean":
        mean, sd, size = (np.asarray(table[k], float) for k in ("value", "stdev", "value_count"))
        return mean_interval(mean, sd, size, confidence=confidence)
    function = wilson_interval if case["fn"] == "phe_proportion" else ohid_rate_interval
    return function(table["x"], table["n"], confidence=confidence)


def check(found: Interval, wanted: dict[str, Any]) -> None:
    for end in ("lower", "upper"):
        np.testing.assert_allclose(getattr(found, end)[0], number(wanted[end]), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("case", named(ONE))
def test_one_sample(case):
    scale = case["multiplier"] or MULTIPLIER[case["fn"]]
    levels = [name for name in case["table"] if name in LEVELS]
    assert levels
    for name in levels:
        alone = case["confidence"] if np.isscalar(case["confidence"]) else None
        level = LEVELS[name] or (alone / 100 if alone > 1 else alone)
        found = interval_of(case, level)
        for part, column in (("lower", name), ("upper", name.replace("lower", "upper"))):
            wanted = np.asarray(case["table"][column], dtype=float)
            np.testing.assert_allclose(scale * getattr(found, part), wanted, rtol=1e-9, atol=1e-12)
        if case["fn"] != "phe_mean":
            np.testing.assert_allclose(scale * found.estimate, case["table"]["value"], rtol=1e-9)


def test_sums_come_before_rates():
    """Grouped cases of the package sum the counts first."""
    (case,) = (c for c in ONE if c["id"] == "phe_proportion-s-05-wilson-grouped")
    groups = np.asarray(case["input"]["grp"])
    for group, x, n in zip(*(case["table"][k] for k in ("grp", "x", "n")), strict=True):
        assert np.asarray(case["input"]["x"])[groups == group].sum() == x
        assert np.asarray(case["input"]["n"])[groups == group].sum() == n


def test_sd_of_measurements():
    (case,) = (c for c in ONE if c["id"] == "phe_mean-s-10-mean-95")
    values = np.asarray(case["input"]["v"])
    found = mean_interval(values.mean(), values.std(ddof=1), values.size)
    np.testing.assert_allclose(found.lower, case["table"]["lowercl"], rtol=1e-9)


@pytest.mark.parametrize("case", named(TWO))
def test_newcombe(case):
    found = newcombe_difference(*case["counts"], confidence=case["confidence"])
    check(found, case["newcombe_rd"])
    np.testing.assert_allclose(found.estimate[0], case["newcombe_rd"]["estimate"], rtol=1e-9)


@pytest.mark.parametrize("case", named(TWO))
def test_exact_rate_ratio(case):
    found = exact_rate_ratio(*case["counts"], confidence=case["confidence"])
    check(found, case["rateratio_exact"])
    np.testing.assert_allclose(found.estimate[0], number(case["rateratio_exact"]["estimate"]), rtol=1e-9)


@pytest.mark.parametrize("case", named([c for c in TWO if c["rateratio_midp"]["lower"] is not None]))
def test_mid_p_rate_ratio(case):
    check(mid_p_rate_ratio(*case["counts"], confidence=case["confidence"]), case["rateratio_midp"])


@pytest.mark.parametrize("case", named(TWO))
def test_log_adjusted_odds_ratio(case):
    check(log_adjusted_odds_ratio(*case["counts"], confidence=case["confidence"]), case["oddsratio_gart"])


@pytest.mark.parametrize("case", named(TWO))
@pytest.mark.parametrize(("which", "place"), [("index", 0), ("reference", 2)])
def test_exact_limits_of_each(case, which, place):
    x, n = case["counts"][place : place + 2]
    for function, name in ((exact_rate_interval, "poisson_test"), (clopper_pearson_interval, "binom_test")):
        found = function(x, n, confidence=case["confidence"])
        np.testing.assert_allclose([found.lower[0], found.upper[0]], case[which][name], rtol=1e-9, atol=1e-14)


def test_every_case_at_once_is_every_case_alone():
    counts = np.array([c["counts"] for c in TWO if c["confidence"] == 0.95], dtype=float).T
    together = mid_p_rate_ratio(*counts)
    alone = [mid_p_rate_ratio(*column) for column in counts.T]
    np.testing.assert_array_equal(together.upper, [a.upper[0] for a in alone])
