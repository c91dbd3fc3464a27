"""Months to detect at an equal false-alarm time, against tables reckoned independently of this library.

The table of Bernoulli CUSUMs is of integer scores, whose lattice differs from this library's: within 2 %, or
within the half of the last printed digit where that is more. No published tables were found.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.planning.months import months_to_detect
from qi_equity.spc.rules import BeyondLimits, Shift

TABLES = json.loads((Path(__file__).parent / "detection_months.json").read_text(encoding="utf-8"))
BERNOULLI = TABLES["bernoulli_cusum"]
ROWS = np.array(BERNOULLI["rows"])
BEFORE, AFTER = np.array(BERNOULLI["changes"]).T
PRINTED = 0.05


def test_bernoulli_cusum() -> None:
    found = months_to_detect(ROWS[:, :1], BEFORE, AFTER, false_alarm_months=BERNOULLI["false_alarm_months"])
    expected = ROWS[:, 1:]
    off = np.abs(found - expected)
    assert ((off <= PRINTED + 1e-9) | (off <= 0.02 * expected)).all()
    # All but a few are within what is printed, or within 1 %.
    assert ((off <= PRINTED + 1e-9) | (off <= 0.01 * expected)).mean() > 0.9


def test_births_to_detect_grow_only_like_the_logarithm() -> None:
    births, expected = np.array(TABLES["births"]["rows"], dtype=np.float64).T
    found = months_to_detect(births, 0.12, 0.06) * births
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_a_tenth_of_the_births_waits_four_to_six_times_as_long() -> None:
    """Almost in proportion; exactly so were one threshold shared, and false alarms ten times as rare."""
    births = np.array([10.0, 20, 30])[:, None]
    times = months_to_detect(births, BEFORE, AFTER) / months_to_detect(10 * births, BEFORE, AFTER)
    rare = BEFORE == 0.01
    assert times[:, ~rare].min() > 4
    assert times.min() > 3.5
    assert times.max() < 6.5
    shared = months_to_detect([30, 300], 0.12, 0.06, false_alarm_months=[1500, 150])
    assert shared[0] / shared[1] == pytest.approx(10)


def p_chart(births: int, rate: float, actual: float, *, exact: bool) -> tuple[float, float]:
    """Follow limits and runs of eight by a chain of run lengths: the mean of both sides, and of the low side.

    A point on the line is passed over and leaves the run as it is.
    """
    counts = stats.binom(births, actual)
    x = np.arange(births + 1)
    chance = counts.pmf(x)
    line, before = births * rate, stats.binom(births, rate)
    if exact:
        low, high = before.cdf(x) < stats.norm.sf(3), before.sf(x - 1) < stats.norm.sf(3)
    else:
        reach = 3 * np.sqrt(line * (1 - rate))
        low, high = x < line - reach, x > line + reach
    means = []
    for sides in (("low", "high"), ("low",)):
        signal = (low & ("low" in sides)) | (high & ("high" in sides))
        states = [0, *range(1, 8), *range(-7, 0)]
        move = np.zeros((15, 15))
        way = np.where(np.abs(x - line) < 1e-9, 0, np.sign(x - line)).astype(int)
        for i, run in enumerate(states):
            to = np.where(way == 0, run, np.where(way > 0, max(run, 0) + 1, min(run, 0) - 1))
            to = np.minimum(to, 8 if "high" in sides else 7)
            on = ~signal & (np.abs(to) < 8)
            move[i] = [chance[on & (to == state)].sum() for state in states]
        means.append(float(np.linalg.solve(np.eye(15) - move, np.ones(15))[0]))
    return means[0], means[1]


@pytest.mark.parametrize("row", TABLES["p_chart"]["rows"], ids=str)
def test_p_chart(row: list[Any]) -> None:
    """The table's chart by the chain of this test; the library's exact limits by the same chain."""
    births, quiet, half, quarter = row
    found = [p_chart(births, 0.12, p, exact=False)[0] for p in (0.12, 0.06, 0.09)]
    assert found[0] == pytest.approx(quiet, abs=0.5)
    assert found[1:] == pytest.approx([half, quarter], abs=0.0501)
    rules = qe.RuleSet("ours", "1", "here", (BeyondLimits(), Shift(length=8, ties="skip")))
    frame = pd.DataFrame({"month": pd.date_range("2020-01-01", periods=25, freq="MS"), "births": births})
    # 25 months in which exactly 12 % have the event, and which vary as they would.
    rng = np.random.default_rng(3)
    frame["events"] = rng.multivariate_hypergeometric([births] * 25, 3 * births)
    measure = qe.Measure("Test", "proportion", "lower")
    series = qe.from_counts(frame, measure, period="month", numerator="events", denominator="births")
    for change in (0.5, 0.75):
        charts = qe.detection_table(series, change=change, rules=rules).charts
        (one,) = charts[(charts["rules"] == "ours") & (charts["every"] == "month")].to_dict("records")
        expected = [p_chart(births, 0.12, p, exact=True)[1] for p in (0.12, 0.12 * change)]
        assert [one["false_alarm_months"], one["months_to_detect"]] == pytest.approx(expected, rel=1e-9)
