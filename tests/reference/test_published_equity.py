"""Published figures that can be reproduced from published counts; every number with where it was printed.

Not found: a worked example of the Miettinen-Nurminen interval for rates, of the mid-P rate ratio and of
Fieller's interval for a ratio of means with unequal variances; those are checked by independent calculation
in the unit tests.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.equity.gaps import gaps
from qi_equity.equity.rates import rates
from qi_equity.formulas.difference_intervals import (
    agresti_caffo_difference,
    miettinen_nurminen_difference,
    newcombe_difference,
)
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.proportion_intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    wilson_interval,
)
from qi_equity.formulas.rate_intervals import byar_rate_interval, exact_rate_interval, ohid_rate_interval
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio, score_risk_ratio


def ends(interval: Interval, scale: float = 1, digits: int = 3) -> tuple[float, float]:
    low, high = (round(float(scale * end[0]), digits) for end in (interval.lower, interval.upper))
    return low, high


# Births to women in Birmingham and Solihull, October 2020 to March 2023 (BadgerNet, published under OGL v3).
# group: births, stillbirths, rate per 1000 (Wilson), difference per 1000 (Newcombe), ratio (score) (mid-P)
BIRMINGHAM = {
    "Asian": (
        13005,
        53,
        (4.075, 3.117, 5.326),
        (0.107, -1.245, 1.576),
        (1.027, 0.729, 1.447),
        (0.724, 1.448),
    ),
    "Black": (3879, 29, (7.476, 5.211, 10.716), (3.508, 1.049, 6.838), (1.884, 1.239, 2.863), (1.217, 2.854)),
    "Mixed": (1380, 7, (5.072, 2.459, 10.433), (1.104, -1.678, 6.520), (1.278, 0.602, 2.707), (0.544, 2.629)),
    "Middle Eastern": (
        569,
        2,
        (3.515, 0.964, 12.724),
        (-0.453, -3.176, 8.788),
        (0.886, 0.240, 3.252),
        (0.146, 3.006),
    ),
    "Other": (259, 0, (0, 0, 14.615), (-3.968, -4.923, 10.667), (0, 0, 3.686), (0, 2.969)),
    "Unknown": (
        216,
        5,
        (23.148, 9.927, 53.034),
        (19.180, 5.924, 49.076),
        (5.833, 2.442, 13.714),
        (2.088, 13.388),
    ),
}
WHITE = (20664, 82, (3.968, 3.198, 4.923))


@pytest.fixture(scope="module")
def birmingham() -> qe.StratifiedSeries:
    rows = [{"year": "2021", "group": g, "births": c[0], "events": c[1]} for g, c in BIRMINGHAM.items()]
    rows.append({"year": "2021", "group": "White", "births": WHITE[0], "events": WHITE[1]})
    stillbirth = qe.Measure("Stillbirth", "proportion", "lower", unit="per 1000", counts="baby")
    return qe.from_counts(
        pd.DataFrame(rows),
        stillbirth,
        period="year",
        numerator="events",
        denominator="births",
        group="group",
        every="year",
    )


def test_birmingham_rates(birmingham):
    table = rates(birmingham).table.set_index("group")
    for group, (_, _, wanted, *_) in (BIRMINGHAM | {"White": WHITE}).items():
        found = 1000 * table.loc[group, ["rate", "lower", "upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(found, wanted, atol=0.0005)


def test_birmingham_gaps(birmingham):
    table = gaps(birmingham, reference="White").table.set_index("group")
    for group, (_, _, _, difference, ratio, _) in BIRMINGHAM.items():
        row = table.loc[group]
        found = row[["difference", "difference_lower", "difference_upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(1000 * found, difference, atol=0.0005)
        found = row[["ratio", "ratio_lower", "ratio_upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(found, ratio, atol=0.0005)
    assert table.loc["White", ["difference", "ratio"]].isna().all()


def test_birmingham_mid_p():
    for births, events, _, _, _, wanted in BIRMINGHAM.values():
        found = mid_p_rate_ratio(events, births, WHITE[1], WHITE[0])
        np.testing.assert_allclose(ends(found), wanted, atol=0.0005)


def test_birmingham_notes(birmingham):
    notes = gaps(birmingham, reference="White").notes
    said = notes.groupby("code")["group"].agg(list)
    assert said["not_yet_visible"] == ["Asian", "Middle Eastern", "Mixed", "Other"]
    assert said["group_not_known"] == ["Unknown"]
    assert said["zero_events"] == ["Other"]
    assert not notes["text"].str.contains("no difference").any()


@pytest.mark.parametrize(
    ("deaths", "maternities", "rate", "low", "high"),
    [
        (217, 2_235_159, 9.71, 8.46, 11.09),
        (191, 2_173_810, 8.79, 7.58, 10.12),
        (241, 2_066_997, 11.66, 10.23, 13.23),
        (254, 2_004_184, 12.67, 11.16, 14.33),
    ],
)
def test_maternal_deaths_of_the_uk(deaths, maternities, rate, low, high):
    """MBRRACE-UK overall rates per 100,000; the intervals are reckoned, the published method is not known."""
    found = exact_rate_interval(deaths, maternities)
    assert round(float(1e5 * found.estimate[0]), 2) == rate
    assert ends(found, 1e5, 2) == (low, high)


def test_published_ratios():
    """MBRRACE-UK 2022-24 (Black, Asian, deprivation) and Knight 2020 (ratio of ratios, 5.27 over 2.59)."""
    pairs = ((32.42, 11.93), (15.14, 11.93), (18.10, 9.32))
    assert [round(a / b, 2) for a, b in pairs] == [2.72, 1.27, 1.94]
    assert round(5.27 / 2.59, 2) == 2.03


def test_california_haemorrhage():
    """Main 2020: severe morbidity among women with haemorrhage, Black 973 of 3404, White 3124 of 15775."""
    counts = (973, 3404, 3124, 15775)
    ratio, difference = score_risk_ratio(*counts), newcombe_difference(*counts)
    assert round(float(ratio.estimate[0]), 3) == 1.443
    assert round(float(100 * difference.estimate[0]), 2) == 8.78
    assert ends(difference, 100, 2) == (7.16, 10.44)
    # Printed with Katz's interval, 1.357 to 1.535: of so many events the score interval is next to the same.
    np.testing.assert_allclose(ends(ratio), (1.357, 1.535), atol=0.001)


def test_continuity_of_carer():
    """MSDS April 2025, provisional: women of minority ethnic groups, as published together, against White."""
    counts = (2035, 12190, 4630, 26985)
    difference, ratio = newcombe_difference(*counts), score_risk_ratio(*counts)
    assert round(float(100 * difference.estimate[0]), 3) == -0.464
    assert ends(difference, 100) == (-1.258, 0.343)
    assert round(float(ratio.estimate[0]), 3) == 0.973
    assert ends(ratio) == (0.928, 1.020)


# PHEindicatormethods 2.1.0, its own tests: x, n, confidence, lower, upper
WILSON = [
    (65, 100, 0.95, 0.552544, 0.736358),
    (65, 100, 0.998, 0.495495, 0.778354),
    (1045, 5000, 0.95, 0.197955, 0.220491),
    (1, 100, 0.95, 0.001767, 0.054486),
    (5, 100, 0.95, 0.021544, 0.111750),
]
BYAR = [
    (65, 0.95, 50.163188, 82.849139),
    (1045, 0.95, 982.593202, 1110.331213),
    (1, 0.95, 0.013072, 5.563756),
    (65, 0.998, 42.880261, 94.000291),
    (10, 0.998, 2.916318, 24.193725),
]
OHID = [(1, 0.025318, 5.571643), (5, 1.623486, 11.668332), (20, 12.211429, 30.889880)]


@pytest.mark.parametrize(("x", "n", "confidence", "low", "high"), WILSON)
def test_wilson_of_ohid(x, n, confidence, low, high):
    assert ends(wilson_interval(x, n, confidence=confidence), digits=6) == (low, high)


@pytest.mark.parametrize(("x", "confidence", "low", "high"), BYAR)
def test_byar_of_ohid(x, confidence, low, high):
    assert ends(byar_rate_interval(x, 1, confidence=confidence), digits=6) == (low, high)


def test_byar_has_no_lower_end_where_the_formula_falls_below_0():
    """The package gives no number for one event at 99.8 %; a rate below 0 is none."""
    assert byar_rate_interval(1, 1, confidence=0.998).lower[0] == 0


@pytest.mark.parametrize(("x", "low", "high"), OHID)
def test_rates_of_ohid(x, low, high):
    assert ends(ohid_rate_interval(x, 100), 100, 6) == (low, high)


# Newcombe 1998 (Statistics in Medicine 17:873-90), Table II, and Garner 2016 (WUSS paper 127), page 9.
PAIRS = {"a": (56, 70, 48, 80), "b": (9, 10, 3, 10), "c": (10, 10, 0, 20)}
DIFFERENCES = [
    (newcombe_difference, "a", 0.0524, 0.3339),
    (newcombe_difference, "b", 0.1705, 0.8090),
    (newcombe_difference, "c", 0.6791, 1.0),
    (miettinen_nurminen_difference, "a", 0.0528, 0.3382),
    (miettinen_nurminen_difference, "b", 0.1700, 0.8406),
    (miettinen_nurminen_difference, "c", 0.7156, 1.0),
    (agresti_caffo_difference, "a", 0.0525, 0.3358),
    (agresti_caffo_difference, "b", 0.1600, 0.8400),
    (agresti_caffo_difference, "c", 0.6922, 1.0),
]


@pytest.mark.parametrize(("function", "pair", "low", "high"), DIFFERENCES)
def test_published_differences(function, pair, low, high):
    assert ends(function(*PAIRS[pair]), digits=4) == (low, high)


def test_published_proportions():
    """Newcombe 1998 (Statistics in Medicine 17:857-72), Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    x, n = [81, 15, 0, 1], [263, 148, 20, 29]
    wilson, exact = wilson_interval(x, n), clopper_pearson_interval(x, n)
    np.testing.assert_allclose(wilson.lower, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(wilson.upper, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)
    np.testing.assert_allclose(exact.lower, [0.2527, 0.0578, 0.0, 0.0009], atol=5e-5)
    np.testing.assert_allclose(exact.upper, [0.3676, 0.1617, 0.1684, 0.1776], atol=5e-5)


def test_published_jeffreys():
    """Brown, Cai and DasGupta 2001, Table 5: 0, 1 and 2 of 7 with the ends mended as they say."""
    found = jeffreys_interval([0, 1, 2], 7)
    np.testing.assert_allclose(found.lower, [0.0, 0.016, 0.065], atol=5e-4)
    np.testing.assert_allclose(found.upper, [0.292, 0.501, 0.648], atol=5e-4)
