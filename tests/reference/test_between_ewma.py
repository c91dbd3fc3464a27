"""g, t and EWMA charts against qicharts2 and qcc, run once on made-up series, and published examples."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.between import g_limits, g_probability_limits, t_limits
from qi_equity.formulas.ewma import ewma, ewma_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.rule_tests import beyond_limits
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, useful

REFERENCE = json.loads(Path(__file__).with_name("between_ewma.json").read_text(encoding="utf-8"))
QICHARTS2, QCC = REFERENCE["qicharts2"]["cases"], REFERENCE["qcc"]["cases"]
GIVEN_MEAN = "g-s-10-cl-fixed"
VARYING_SIZES = "ewma-s-10-proportions"


def numbers(values: Any) -> np.ndarray:
    return np.asarray(values.split() if isinstance(values, str) else values, dtype=np.float64)


def named(cases: Any) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


def lines(case: dict[str, Any], nsigma: float) -> Limits:
    y = numbers(case["y"])
    used = np.isin(np.arange(len(y)), case.get("not_used", []), invert=True)
    if case["chart"] == "g":
        return g_limits(y, baseline=used, mean=case.get("given"), smallest=0, nsigma=nsigma)
    return t_limits(
        y,
        baseline=used,
        # The package takes a given line on the transformed scale.
        centre_line=case["given"] ** 3.6 if "given" in case else None,
        spread="screened" if case.get("screened") else "mean",
        constants="qicharts2",
        nsigma=nsigma,
    )


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if "error" not in c))
def test_qicharts2_limits_and_points_beyond(case: dict[str, Any]) -> None:
    wide, narrow = lines(case, 3), lines(case, 2)
    pairs = [(wide.lower, "lcl"), (wide.upper, "ucl"), (narrow.lower, "lcl.95"), (narrow.upper, "ucl.95")]
    if case["id"] != GIVEN_MEAN:
        pairs.append((wide.centre_line, "cl"))
    for found, name in pairs:
        np.testing.assert_allclose(
            found, np.full(found.shape, case[name], dtype=float), rtol=1e-9, atol=1e-14
        )
    low, high = beyond_limits(numbers(case["y"]), wide.lower, wide.upper)
    assert np.flatnonzero(low | high).tolist() == case["beyond"]


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if "error" in c))
def test_qicharts2_refuses_the_same(case: dict[str, Any]) -> None:
    assert case["error"] == "Time between events must be greater than zero"
    with pytest.raises(
        OptionError, match=r"times holds 0.0; times between events must be finite and above 0"
    ):
        t_limits(numbers(case["y"]))


def test_qicharts2_median_of_a_given_mean_gap_is_rounded() -> None:
    """Third calculation: the geometric distribution added up. No whole gap lies between the two lines."""
    (case,) = (c for c in QICHARTS2 if c["id"] == GIVEN_MEAN)
    line = lines(case, 3).centre_line[0]
    assert case["cl"] == pytest.approx(0.693 * case["given"], rel=1e-9)
    below = np.cumsum(stats.geom.pmf(np.arange(1, 400), 1 / (case["given"] + 1)))
    assert int(np.flatnonzero(below >= 0.5)[0]) == line == math.floor(case["cl"]) == 166


@pytest.mark.parametrize("case", named(c for c in QCC if c["chart"] == "ewma"))
def test_qcc_average_and_points_beyond(case: dict[str, Any]) -> None:
    y, limits = numbers(case["y"]), averaged(case)
    z = ewma(y, case["centre"], weight=case["weight"])
    np.testing.assert_allclose(z, case["ewma"], rtol=1e-9)
    low, high = beyond_limits(z, limits.lower, limits.upper)
    assert np.flatnonzero(low | high).tolist() == case["beyond"]


@pytest.mark.parametrize("case", named(c for c in QCC if c["chart"] == "ewma" and c["id"] != VARYING_SIZES))
def test_qcc_limits_of_the_average(case: dict[str, Any]) -> None:
    limits = averaged(case)
    for found, name in ((limits.sigma, "sigma"), (limits.lower, "lcl"), (limits.upper, "ucl")):
        np.testing.assert_allclose(found, case[name], rtol=1e-9)


def averaged(case: dict[str, Any]) -> Limits:
    sigma = case["sd"] / np.sqrt(numbers(case.get("sizes", np.ones(len(case["y"])))))
    return ewma_limits(case["y"], case["centre"], sigma, weight=case["weight"], nsigma=case["nsigma"])


def test_qcc_takes_the_newest_size_for_all() -> None:
    """Third calculation: the variance of the weighted sum of binomial proportions, term by term."""
    (case,) = (c for c in QCC if c["id"] == VARYING_SIZES)
    w, p, n = case["weight"], case["centre"], numbers(case["sizes"])
    for t in range(len(n)):
        weights = w * (1 - w) ** np.arange(t, -1, -1)
        exact = math.sqrt((weights**2 * p * (1 - p) / n[: t + 1]).sum())
        assert averaged(case).sigma[t] == pytest.approx(exact, rel=1e-12)
        newest = math.sqrt(p * (1 - p) / n[t] * (weights**2).sum())
        assert case["sigma"][t] == pytest.approx(newest, rel=1e-9)
    # By hand, 101 births and then 330: sqrt(0.0475 (0.16^2 / 101 + 0.2^2 / 330)).
    assert averaged(case).sigma[1] == pytest.approx(0.0042187, abs=5e-8)
    assert case["sigma"][1] == pytest.approx(0.0030729, abs=5e-8)


@pytest.mark.parametrize("case", named(c for c in QCC if c["chart"] == "g"))
def test_qcc_mean_gap_and_its_spread(case: dict[str, Any]) -> None:
    limits = g_limits(case["y"])
    assert limits.sigma[0] == pytest.approx(case["sd"], rel=1e-9)
    np.testing.assert_allclose(limits.upper, case["centre"] + 3 * case["sd"], rtol=1e-9)


@pytest.mark.parametrize("case", named(c for c in QCC if "confidence" in c))
def test_qcc_counts_exact_g_limits_from_nought_with_the_chance_from_one(case: dict[str, Any]) -> None:
    """Third calculation: tails of the geometric distribution added up, on both ways of counting."""
    alpha = (1 - case["confidence"]) / 2
    limits = g_probability_limits(case["y"], tail=alpha)
    first = int(limits.upper[0] + 0.5)
    gaps = np.arange(1, 20_000)
    chance = stats.geom.pmf(gaps, 1 / case["centre"])
    assert chance[gaps >= first].sum() < alpha <= chance[gaps >= first - 1].sum()
    # The first gap above the package's limit is not yet that unlikely.
    assert chance[gaps > case["ucl"]].sum() > alpha
    assert limits.upper[0] == case["ucl"] + 1.5
    assert case["lcl"] == 0
    assert limits.lower[0] == 1


# Published examples: Montgomery, table 7.14 (hours); Anhøj's book on SPC for health care (birth asphyxia).
def test_montgomery_hours_between_failures() -> None:
    y = numbers("286 948 536 124 816 729 4 143 431 8 2837 596 81 227 603 492 1199 1214 2831 96")
    wide, narrow = t_limits(y, constants="qicharts2"), t_limits(y, constants="qicharts2", nsigma=2)
    assert wide.centre_line[0] == pytest.approx(430.041, abs=5e-4)
    assert wide.lower[0] == 0
    assert wide.upper[0] == pytest.approx(6937.933, abs=5e-4)
    assert narrow.lower[0] == pytest.approx(1.9466, abs=5e-5)
    assert narrow.upper[0] == pytest.approx(3405.255, abs=5e-4)


def test_asphyxia_births_between() -> None:
    y = numbers("99 64 255 68 148 73 35 63 286 24 176 33 418 139 54")
    limits = g_limits(y, smallest=0)
    assert y.mean() == 129
    assert limits.centre_line[0] == 73
    assert limits.upper[0] == pytest.approx(517.4971, abs=5e-5)
    sides = useful(y, limits.centre_line)
    assert [int(longest_run(sides)), int(crossings(sides))] == [2, 11]
    assert not beyond_limits(y, limits.lower, limits.upper)[1].any()
    assert [int(limit) for limit in anhoej_limits(np.count_nonzero(sides))] == [7, 4]


def test_asphyxia_days_between() -> None:
    y = numbers(
        "17.766 10.3764 51.9444 10.025 26.5042 12.2903 5.9625 8.7604 41.5924 3.9701 23.9139 5.7521 62.7799 "
        "24.2 6.5125"
    )
    limits = t_limits(y, spread="screened", constants="qicharts2")
    assert limits.centre_line[0] == pytest.approx(16.324, abs=5e-4)
    assert limits.lower[0] == pytest.approx(1.6e-5, abs=5e-7)
    assert limits.upper[0] == pytest.approx(190.4, abs=1e-3)
