"""What must hold of every disclosed series, whatever the counts, the rule and the order of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.data.disclosure.rule import SuppressionRule

MEASURE = qe.Measure("Tears", "proportion", "lower")
GROUPS = ("A", "B", "C")
RULES = (
    SuppressionRule("strict", 4, protect=3),
    SuppressionRule("rounded", 4, rounding=5, protect=3),
    SuppressionRule("marked", 4, mark=3, rounding=5, protect=3),
)

Counts = list[tuple[int, int]]
sizes = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 40)).map(lambda t: (t[0], t[0] + t[1])),
    min_size=6,
    max_size=6,
)


def frame_of(counts: Counts, month: str = "2024-01") -> pd.DataFrame:
    rows = [(f"S{i // 3}", GROUPS[i % 3], month, x, n) for i, (x, n) in enumerate(counts)]
    return pd.DataFrame(rows, columns=["site", "group", "month", "x", "n"])


def series_of(frame: pd.DataFrame) -> qe.StratifiedSeries:
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(frame, MEASURE, **columns)


def views(series: qe.StratifiedSeries) -> list[pd.DataFrame]:
    return [s.data for s in (series, series.total(), series.pool(), series.total().pool())]


@settings(max_examples=15, deadline=None)
@given(sizes, st.sampled_from(RULES))
def test_shown_counts_are_those_of_the_rule_and_protected_ones_are_not(counts: Counts, rule: Any) -> None:
    series = series_of(frame_of(counts))
    before = series.data.copy()
    done = series.disclose(rule)
    pd.testing.assert_frame_equal(series.data, before)
    for true, shown in zip(views(series), views(done), strict=True):
        for name in ("numerator", "denominator"):
            x, y = true[name].to_numpy(), shown[name].to_numpy()
            seen = np.isfinite(y)
            small = (x >= 1) & (x <= 4)
            if rule.mark == "*":
                assert not seen[small].any()
            else:
                assert (y[small & seen] == rule.mark).all()
            plain = seen & ~small
            rounded = np.floor(x / 5 + 0.5) * 5 if rule.rounding else x
            assert (y[plain] == rounded[plain]).all()
        rate = shown["numerator"] / shown["denominator"].where(shown["denominator"] > 0)
        np.testing.assert_array_equal(shown["value"], rate)
        withheld = shown["numerator"].isna() | shown["denominator"].isna()
        assert ((shown["status"] == "suppressed") == withheld).all()
        assert shown.loc[shown["denominator"].isna(), "numerator"].isna().all()


@settings(max_examples=10, deadline=None)
@given(sizes, st.sampled_from(RULES), st.randoms())
def test_order_of_rows_does_not_matter(counts: Counts, rule: Any, random: Any) -> None:
    frame = frame_of(counts)
    order = list(range(len(frame)))
    random.shuffle(order)
    assert series_of(frame.iloc[order]).disclose(rule).equals(series_of(frame).disclose(rule))


@settings(max_examples=10, deadline=None)
@given(sizes, sizes, st.sampled_from(RULES))
def test_months_without_common_sums_are_disclosed_apart(one: Counts, other: Counts, rule: Any) -> None:
    first, second = frame_of(one), frame_of(other, "2024-02")
    together = series_of(pd.concat([first, second])).disclose(rule)
    for frame in (first, second):
        alone = series_of(frame).disclose(rule)
        part = together.select(start=frame["month"].iloc[0], end=frame["month"].iloc[0])
        for a, b in zip(views(alone), views(part), strict=True):
            pd.testing.assert_frame_equal(a[["numerator", "status"]], b[["numerator", "status"]])


@settings(max_examples=10, deadline=None)
@given(sizes, st.sampled_from(RULES))
def test_saving_and_reading_gives_the_same(counts: Counts, rule: Any) -> None:
    done = series_of(frame_of(counts)).disclose(rule)
    back = qe.StratifiedSeries.from_dict(done.to_dict())
    assert back.equals(done)
    assert back.total().equals(done.total())
