"""Standardised rates against PHEindicatormethods and epitools, run once on made-up counts.

No published worked example with a gamma interval was at hand; one stratum of case-mix, where the interval
must be the exact Poisson one, stands in tests/unit/test_formulas_standardisation.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.rate_intervals import ohid_rate_interval
from qi_equity.formulas.standardisation import FEWEST, direct_rate, expected_events

REFERENCE = json.loads(Path(__file__).with_name("standardisation.json").read_text(encoding="utf-8"))
PHE, EPITOOLS = REFERENCE["phe"], REFERENCE["epitools"]
MISSING_AS_ZERO = "calculate_dsr-s-17-dsr-missing-x"


def numbers(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in PHE["direct"]])
def test_directly_standardised_rate(case: dict[str, Any]) -> None:
    x = numbers(case["x"])
    if case["id"] == MISSING_AS_ZERO:
        x = np.nan_to_num(x)
    for confidence, (lower, upper) in case["intervals"].items():
        found = direct_rate(x, case["n"], case["std"], confidence=float(confidence))
        enough = x.sum(axis=-1) >= FEWEST
        for mine, theirs in ((found.estimate, case["value"]), (found.lower, lower), (found.upper, upper)):
            np.testing.assert_allclose(mine[enough] * case["multiplier"], numbers(theirs)[enough], rtol=1e-9)
            # The package gives neither rate nor interval of few events; here the rate itself is kept.
            assert np.isnan(numbers(theirs)[~enough]).all()
        assert np.isnan(found.lower[~enough]).all()
        assert np.isfinite(found.estimate).all()


def test_a_missing_count_is_not_zero() -> None:
    """The package reckons the missing count as 0 events, and so gives unit 1 too low a rate."""
    (case,) = (c for c in PHE["direct"] if c["id"] == MISSING_AS_ZERO)
    found = direct_rate(numbers(case["x"]), case["n"], case["std"])
    assert np.isnan([found.estimate[0], found.lower[0], found.upper[0]]).all()
    np.testing.assert_allclose(found.estimate[1] * case["multiplier"], case["value"][1], rtol=1e-9)


def test_events_that_one_woman_has_twice_are_not_offered_but_understood() -> None:
    """Several events a person, by hand from the same variance; the library does not offer it."""
    case = PHE["non_independent"]
    x, n, std, f = (numbers(case[name]) for name in ("x", "n", "std", "frequency"))
    w = std / std[f == 1].sum()
    assert (w * f * x / n).sum() * 1000 == pytest.approx(case["value"], rel=1e-9)
    as_independent = direct_rate((f * x).reshape(3, -1).sum(0), n[f == 1], std[f == 1])
    assert as_independent.estimate * 1000 == pytest.approx(case["value"], rel=1e-9)
    assert as_independent.lower * 1000 > case["lower"]


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in PHE["indirect"]])
def test_indirectly_standardised_ratio_and_rate(case: dict[str, Any]) -> None:
    rx, rn = numbers(case["rx"]), numbers(case["rn"])
    expected = expected_events(case["n"], rx / rn)
    np.testing.assert_allclose(expected, case["expected"], rtol=1e-9)
    scale = case["multiplier"] * (rx.sum() / rn.sum() if case["what"] == "rate" else 1)
    for confidence, (lower, upper) in case["intervals"].items():
        found = ohid_rate_interval(numbers(case["x"]).sum(-1), expected, confidence=float(confidence))
        for mine, theirs in ((found.estimate, case["value"]), (found.lower, lower), (found.upper, upper)):
            np.testing.assert_allclose(mine * scale, numbers(theirs), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("case", EPITOOLS["cases"])
def test_gamma_interval(case: dict[str, Any]) -> None:
    found = direct_rate(case["x"], case["n"], case["std"], confidence=case["confidence"], interval="gamma")
    for name in ("estimate", "lower", "upper"):
        assert getattr(found, name) == pytest.approx(case["value" if name == "estimate" else name], rel=1e-9)
