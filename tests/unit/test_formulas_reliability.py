"""The presentation standards, step by step, against a naive reading of each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.reliability import (
    REASONS,
    mean_reliability,
    proportion_reliability,
    rate_reliability,
)


def naive_proportion(x: int, n: int) -> str:
    if n < 30:
        return "few_births"
    ends = stats.binomtest(x, n).proportion_ci(0.95, method="exact")
    width, p = ends.high - ends.low, x / n
    if width <= 0.05:
        return "precise"
    if width >= 0.30:
        return "wide"
    if p == 0 or width / p > 1.30:
        return "relatively_wide"
    return "precise"


def names(judged):
    return [REASONS[k] for k in judged.reason]


def test_proportions_one_by_one():
    pairs = [
        (x, n) for n in (1, 29, 30, 40, 66, 73, 294, 900) for x in {0, 1, 2, 9, n // 3, n // 2, n - 1, n}
    ]
    pairs = [(x, n) for x, n in pairs if x <= n]
    judged = proportion_reliability(*np.array(pairs, dtype=float).T)
    assert names(judged) == [naive_proportion(*pair) for pair in pairs]
    np.testing.assert_array_equal(judged.reliable, [name == "precise" for name in names(judged)])
    np.testing.assert_array_equal(judged.review, [x in (0, n) for x, n in pairs])
    assert set(names(judged)) == {"few_births", "wide", "relatively_wide", "precise"}


def test_complement_of_a_reliable_proportion():
    """37 of 40: the width of 0.19 is a fifth of the proportion but over twice its complement.

    Of the narrow one, 898 of 900, the complement is not asked.
    """
    judged = proportion_reliability([37, 20, 898, 3], [40, 100, 900, 40])
    np.testing.assert_array_equal(judged.reliable, [True, True, True, False])
    np.testing.assert_array_equal(judged.complement, [True, False, False, False])


def test_rates():
    judged = rate_reliability([0, 9, 10, 400, np.nan, 12], [100, 100, 100, 100, 100, 0])
    assert names(judged) == ["few_events", "few_events", "precise", "precise", "unknown", "unknown"]
    np.testing.assert_array_equal(judged.review, [True, False, False, False, False, False])
    assert not judged.complement.any()


def test_ten_events_are_never_relatively_wide():
    """The exact 95 % interval of 10 events is 136 % of them wide, so that the second step decides nothing."""
    low, high = stats.chi2.ppf(0.025, 20) / 2, stats.chi2.isf(0.025, 22) / 2
    assert (high - low) / 10 < 1.6


def test_means():
    judged = mean_reliability([50, 50, 50, 1, np.nan, 0], [10, 10, np.nan, 9, 1, 9], [29, 30, 30, 60, 40, 60])
    assert names(judged) == [
        "few_births",
        "precise",
        "unknown",
        "relatively_wide",
        "unknown",
        "relatively_wide",
    ]
    judged = mean_reliability([1, 1], [10, 2], [60, 60])
    assert names(judged) == ["relatively_wide", "precise"]


def test_unknown():
    judged = proportion_reliability([np.nan, 1, 0], [40, np.nan, 0])
    assert names(judged) == ["unknown"] * 3
    assert not judged.reliable.any()


def test_refused():
    with pytest.raises(OptionError, match=r"events holds 6\.0 where births holds 5\.0"):
        proportion_reliability(6, 5)
