"""StratifiedSeries: what it shows, sums, selects and saves, on small series worked by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import MISSING, OBSERVED, PROVISIONAL, STATUSES, SUPPRESSED, Cells

PPH = qe.Measure("Haemorrhage <b>", "proportion", "lower")
NHS = qe.Scheme.load("nhs-2001")
DETAIL = NHS.groups("detail")


def index_of(labels: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(labels))


def series_of(
    rows: list[tuple[Any, ...]],
    columns: str,
    *,
    measure: qe.Measure = PPH,
    scheme: qe.Scheme | None = None,
    grouping: str | None = None,
    every: str = "month",
    window: int = 1,
) -> qe.StratifiedSeries:
    """Make a series from rows; columns x, n, u, value, sd and status hold the cells, "date" is the period."""
    table = pd.DataFrame(rows, columns=columns.split())
    numbers = {"x": "numerator", "n": "denominator", "u": "unrecorded", "value": "value", "sd": "sd"}
    keys = [c for c in table.columns if c not in (*numbers, "status", "date")]
    declared = list(scheme.groups(grouping)) if scheme else index_of(table["group"])
    order = {c: declared if c == "group" else index_of(table[c]) for c in keys}
    for c in keys:
        table[c] = pd.Categorical(table[c], categories=order[c])
    strata = table[keys].drop_duplicates().sort_values(keys).reset_index(drop=True)
    place = {tuple(row): i for i, row in enumerate(strata.to_numpy().tolist())}
    stratum = np.array([place[tuple(row)] for row in table[keys].to_numpy().tolist()])
    dates = pd.to_datetime(table["date"]).to_numpy(dtype="datetime64[us]")
    found, period = np.unique(dates, return_inverse=True)
    blocks = {numbers[c]: table[c].to_numpy(dtype=float) for c in numbers if c in table}
    status = None
    if "status" in table:
        status = np.array([STATUSES.index(s) for s in table["status"]], dtype=np.int8)
    cells = Cells.dense(strata, found, stratum, period, **blocks, status=status, kind=measure.kind)
    first = _result.note("first", "info", "A note from before.")
    return qe.StratifiedSeries(measure, scheme, grouping, every, window, cells, {"made_by": "test"}, first)


def two_sites() -> qe.StratifiedSeries:
    return series_of(
        [
            ("North", "Black", "2024-01", 1, 10, 0),
            ("North", "Black", "2024-02", 2, 20, 1),
            ("North", "White", "2024-01", 3, 30, 0),
            ("North", "White", "2024-02", 4, 40, 2),
            ("South", "Black", "2024-01", 0, 5, 0),
            ("South", "Black", "2024-02", 1, 6, 0),
            ("South", "White", "2024-01", 2, 70, 3),
            ("South", "White", "2024-02", 3, 80, 0),
        ],
        "site group date x n u",
    )


def codes(series: qe.StratifiedSeries) -> list[str]:
    return series.notes["code"].tolist()


def text_of_note(series: qe.StratifiedSeries, code: str) -> str:
    return "\n".join(series.notes.loc[series.notes["code"] == code, "text"])


def months_series(status: Sequence[str] = (), **options: Any) -> qe.StratifiedSeries:
    """Seven months from February to August 2024, 1 to 7 events among 10 births each."""
    states = list(status) or ["observed"] * 7
    rows = [
        ("All", f"2024-{m:02d}", m - 1 if s in ("observed", "provisional") else np.nan, 10, s)
        for m, s in zip(range(2, 9), states, strict=True)
    ]
    return series_of(rows, "group date x n status", **options)


def test_data_lists_every_stratum_and_period_in_order() -> None:
    data = two_sites().data
    assert data.columns.tolist() == [
        *("site", "group", "period", "numerator", "denominator", "unrecorded", "value", "sd", "status")
    ]
    assert data["site"].tolist() == ["North"] * 4 + ["South"] * 4
    assert data["group"].tolist() == ["Black", "Black", "White", "White"] * 2
    assert data["numerator"].tolist() == [1, 2, 3, 4, 0, 1, 2, 3]
    assert data["value"].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.1, 0, 1 / 6, 2 / 70, 3 / 80])


def test_labels() -> None:
    series = two_sites()
    assert series.sites == ("North", "South")
    assert series.groups == ("Black", "White")
    assert series.periods == ("2024-01", "2024-02")
    assert series.pool().sites == ()


def test_total_sums_groups_and_keeps_sites() -> None:
    series = two_sites()
    total = series.total()
    assert total.groups == ("All groups",)
    data = total.data
    assert data["site"].tolist() == ["North", "North", "South", "South"]
    assert data["numerator"].tolist() == [4, 6, 2, 4]
    assert data["denominator"].tolist() == [40, 60, 75, 86]
    assert data["unrecorded"].tolist() == [0, 3, 3, 0]
    assert data["value"].tolist() == pytest.approx([4 / 40, 6 / 60, 2 / 75, 4 / 86])
    assert codes(total) == ["first"]
    assert total.method["steps"] == [{"step": "total"}]
    assert series.method == {"made_by": "test"}


def test_pool_sums_sites_and_keeps_groups() -> None:
    pooled = two_sites().pool("site")
    assert "site" not in pooled.data
    assert pooled.data["numerator"].tolist() == [1, 3, 5, 7]
    assert pooled.data["denominator"].tolist() == [15, 26, 100, 120]
    assert pooled.method["steps"] == [{"step": "pool", "over": ["site"]}]


def with_quintiles() -> qe.StratifiedSeries:
    rows = [
        (site, group, quintile, "2024-01", s + g + q, 100)
        for s, site in enumerate(["North", "South"], 1)
        for g, group in enumerate(["Black", "White"], 10)
        for q, quintile in enumerate(["1", "2"], 20)
    ]
    return series_of(rows, "site group imd date x n")


@pytest.mark.parametrize(
    ("over", "columns", "events"),
    [
        ("imd", ["site", "group"], [63, 65, 65, 67]),
        ("site", ["group", "imd"], [63, 65, 65, 67]),
        (["imd", "site"], ["group"], [128, 132]),
    ],
)
def test_pool_over_further_strata(over: Any, columns: list[str], events: list[float]) -> None:
    pooled = with_quintiles().pool(over)
    assert pooled.data.columns.tolist()[: len(columns) + 1] == [*columns, "period"]
    assert pooled.data["numerator"].tolist() == events


def test_total_keeps_further_strata() -> None:
    assert with_quintiles().total().data["numerator"].tolist() == [63, 65, 65, 67]


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("group", r"over='group' is not for pool\(\); use total\(\)"),
        ("sites", "over='sites' is not allowed; use one of 'site'. Did you mean 'site'?"),
        (3, "over holds 3; give names as text"),
        (["site", "site"], "names 'site' twice"),
    ],
)
def test_pool_refuses_other_columns(over: Any, message: str) -> None:
    with pytest.raises(qe.QiEquityError, match=message):
        two_sites().pool(over)


def test_pool_without_anything_to_pool() -> None:
    with pytest.raises(
        qe.OptionError, match="over='site' cannot be pooled: the series has neither sites nor"
    ):
        months_series().pool("site")


def patchy() -> qe.StratifiedSeries:
    return series_of(
        [
            ("A", "2024-01", 1, 10, "observed"),
            ("A", "2024-02", 2, 10, "observed"),
            ("A", "2024-03", np.nan, 10, "suppressed"),
            ("A", "2024-04", np.nan, np.nan, "missing"),
            ("A", "2024-05", 5, 10, "provisional"),
            ("B", "2024-01", 3, 20, "observed"),
            ("B", "2024-02", np.nan, np.nan, "missing"),
            ("B", "2024-03", 4, 20, "observed"),
            ("B", "2024-04", np.nan, np.nan, "missing"),
            ("B", "2024-05", 6, 20, "observed"),
            ("C", "2024-01", np.nan, np.nan, "missing"),
        ],
        "group date x n status",
    )


def test_statuses_of_sums_and_their_notes() -> None:
    total = patchy().total()
    assert total.data["status"].tolist() == ["observed", "observed", "suppressed", "missing", "provisional"]
    np.testing.assert_equal(total.data["numerator"].to_numpy(), [4, 2, np.nan, np.nan, 11])
    np.testing.assert_equal(total.data["denominator"].to_numpy(), [30, 10, 30, np.nan, 30])
    assert codes(total) == ["first", "partly_missing", "suppressed_in_sum", "never_reported"]
    assert text_of_note(total, "partly_missing").startswith("In 1 of 5 months a part was missing")
    assert text_of_note(total, "suppressed_in_sum").startswith("In 1 of 5 months a part is suppressed")
    assert text_of_note(total, "never_reported").startswith("Nothing was reported, in any period, for: C.")
    assert total.notes["group"].tolist()[1:3] == ["All groups"] * 2


def test_many_strata_without_data_are_counted_not_listed() -> None:
    rows = [(f"g{i}", "2024-01", np.nan, np.nan) for i in range(8)] + [("on", "2024-01", 1, 5)]
    total = series_of(rows, "group date x n").total()
    assert "g0; g1; g2; g3; g4; and 3 more." in text_of_note(total, "never_reported")


def test_strata_that_stay_wholly_missing_need_no_note() -> None:
    total = series_of(
        [("A", "2024-01", np.nan, np.nan), ("B", "2024-01", np.nan, np.nan)], "group date x n"
    ).total()
    assert total.data["status"].tolist() == ["missing"]
    assert codes(total) == ["first"]


def overlapping() -> qe.StratifiedSeries:
    scheme = qe.Scheme.load("nz-level-1-total")
    grouping = scheme.groupings[0]
    rows = [(group, "2024-01", 1, 10) for group in scheme.groups(grouping)]
    return series_of(rows, "group date x n", scheme=scheme, grouping=grouping)


def between() -> qe.StratifiedSeries:
    strata = pd.DataFrame({"group": pd.Categorical(["A", "B"])})
    dates = np.array([["2024-01-05", "2024-03-01T10:30"], ["2024-02-02", "NaT"]], dtype="datetime64[us]")
    cells = Cells.dense(
        strata, dates, np.array([0, 0, 1]), np.array([0, 1, 0]), value=np.array([7.0, 9.0, 4.0])
    )
    measure = qe.Measure("Births between", "between", "higher")
    return qe.StratifiedSeries(measure, None, None, "day", 1, cells, {}, _result.notes([]))


@pytest.mark.parametrize(
    ("make", "call", "message"),
    [
        (
            overlapping,
            lambda s: s.total(),
            r"total\(\) is not possible for groups of scheme='nz-level-1-total'",
        ),
        (
            overlapping,
            lambda s: s.collapse("broad"),
            r"collapse\(\) is not possible .* count her more than once",
        ),
        (overlapping, lambda s: s.completeness(), r"completeness\(\) is not possible for groups of scheme"),
        (
            overlapping,
            lambda s: s.unknown_bounds(),
            r"unknown_bounds\(\) is not possible for groups of scheme",
        ),
        (
            between,
            lambda s: s.total(),
            r"total\(\) is not possible for 'Births between': times between events",
        ),
        (between, lambda s: s.resample("month"), r"resample\(\) is not possible .* again from the records"),
    ],
)
def test_sums_that_make_no_sense_are_refused(make: Any, call: Any, message: str) -> None:
    with pytest.raises(qe.OptionError, match=message):
        call(make())


def test_pooling_sites_of_overlapping_groups_is_allowed() -> None:
    scheme = qe.Scheme.load("nz-level-1-total")
    group = scheme.groups(scheme.groupings[0])[0]
    rows = [("N", group, "2024-01", 1, 10), ("S", group, "2024-01", 2, 20)]
    series = series_of(rows, "site group date x n", scheme=scheme, grouping=scheme.groupings[0])
    assert series.pool().data["numerator"].tolist() == [3]


def detailed() -> qe.StratifiedSeries:
    rows = [(label, "2024-01", i, 100 + i) for i, label in enumerate(DETAIL)]
    return series_of(rows, "group date x n", scheme=NHS, grouping="detail")


@pytest.mark.parametrize("grouping", ["broad", "maternity"])
def test_collapse_sums_the_codes_of_each_group(grouping: str) -> None:
    collapsed = detailed().collapse(grouping)
    assert collapsed.grouping == grouping
    assert collapsed.groups == NHS.groups(grouping)
    codes_of = {label: code for code, label in NHS.codes.items()}
    expected = dict.fromkeys(collapsed.groups, 0)
    for i, label in enumerate(DETAIL):
        group = NHS.assign([codes_of.get(label)], grouping)[0]
        expected[group] += i
    assert collapsed.data.set_index("group")["numerator"].to_dict() == expected
    assert codes(collapsed) == ["first"]


def test_chinese_women_are_where_the_grouping_puts_them() -> None:
    chinese = "Other Ethnic Groups - Chinese"
    rows = [(label, "2024-01", 0, 1000 if label == chinese else 1) for label in DETAIL]
    series = series_of(rows, "group date x n", scheme=NHS, grouping="detail")
    assert series.collapse("broad").select(group="Asian").data["denominator"].item() == 1004
    other = series.collapse("maternity").select(group="Any other ethnic group")
    assert other.data["denominator"].item() == 1001


def test_collapse_of_a_part_of_the_groups_says_so() -> None:
    present = "Asian or Asian British - Indian"
    collapsed = detailed().select(group=present).collapse("broad")
    assert collapsed.groups == ("Asian",)
    text = text_of_note(collapsed, "collapsed_in_part")
    assert "Asian is without Asian or Asian British - Pakistani" in text
    assert "Black" not in text


def test_collapse_to_the_same_grouping_changes_nothing() -> None:
    series = detailed()
    assert series.collapse("detail") is series


@pytest.mark.parametrize(
    ("make", "grouping", "message"),
    [
        (months_series, "broad", "grouping='broad' cannot be reached: .* belong to no grouping of a scheme"),
        (lambda: detailed().total(), "broad", "grouping='broad' cannot be reached"),
        (detailed, "brood", "grouping='brood' is not allowed; use one of .*Did you mean 'broad'"),
        (
            lambda: detailed().collapse("broad"),
            "maternity",
            "grouping='maternity' cannot be made from 'broad'",
        ),
    ],
)
def test_collapse_refuses_what_does_not_nest(make: Any, grouping: str, message: str) -> None:
    with pytest.raises(qe.OptionError, match=message):
        make().collapse(grouping)


def test_resample_sums_periods_and_names_partial_ones() -> None:
    quarters = months_series().resample("quarter")
    assert quarters.every == "quarter"
    assert quarters.periods == ("2024 Q1", "2024 Q2", "2024 Q3")
    assert quarters.data["numerator"].tolist() == [1 + 2, 3 + 4 + 5, 6 + 7]
    assert quarters.data["denominator"].tolist() == [20, 30, 20]
    text = text_of_note(quarters, "partial_period")
    assert "2024 Q1 starts with 2024-02" in text
    assert "2024 Q3 ends with 2024-08" in text
    assert quarters.method["steps"] == [{"step": "resample", "from": "month", "to": "quarter"}]


def test_resample_of_whole_periods_needs_no_note() -> None:
    whole = months_series().select(start="2024-04", end="2024-06").resample("quarter")
    assert codes(whole) == ["first"]
    assert whole.data["numerator"].tolist() == [12]


def test_financial_years_start_in_april() -> None:
    years = months_series().resample("financial-year")
    assert years.periods == ("2023-24", "2024-25")
    assert years.data["numerator"].tolist() == [3, 25]


def test_resample_keeps_to_the_rule_of_statuses() -> None:
    states = ["observed", "missing", "suppressed", "observed", "observed", "observed", "provisional"]
    quarters = months_series(states).resample("quarter")
    assert quarters.data["status"].tolist() == ["observed", "suppressed", "provisional"]
    np.testing.assert_equal(quarters.data["numerator"].to_numpy(), [1, np.nan, 13])
    assert text_of_note(quarters, "partly_missing").startswith("In 1 of 3 quarters a part was missing")


def test_resample_to_the_same_period_changes_nothing() -> None:
    series = months_series()
    assert series.resample("month") is series


@pytest.mark.parametrize(
    ("every", "message"),
    [
        ("week", r"every='week' cannot be made of periods of 'month'; use one of \['month', 'quarter'"),
        ("quarters", "every='quarters' is not allowed; use one of .*Did you mean 'quarter'"),
    ],
)
def test_resample_refuses_periods_that_do_not_nest(every: str, message: str) -> None:
    with pytest.raises(qe.OptionError, match=message):
        months_series().resample(every)


def test_windows_that_are_one_longer_period_are_kept() -> None:
    quarters = months_series(window=3).resample("quarter")
    assert quarters.window == 1
    assert quarters.periods == ("2024 Q1", "2024 Q2")
    # A window is named by its last month: those of March and June are the quarters.
    assert quarters.data["numerator"].tolist() == [2, 5]
    assert quarters.method["steps"][-1]["window"] == 3


def test_rolling_years_become_years() -> None:
    rows = [("All", f"2023-{m:02d}", m, 100) for m in range(1, 13)] + [
        ("All", f"2024-{m:02d}", 20 + m, 100) for m in range(1, 5)
    ]
    series = series_of(rows, "group date x n", window=12)
    assert series.resample("year").data["numerator"].tolist() == [12]
    assert series.resample("financial-year").data["numerator"].tolist() == [3, 23]


@pytest.mark.parametrize(
    ("window", "every"), [(2, "quarter"), (4, "quarter"), (6, "quarter"), (3, "month"), (12, "year")]
)
def test_other_windows_are_refused(window: int, every: str) -> None:
    with pytest.raises(
        qe.OptionError, match=f"every='{every}' is not possible with window={window}: no window"
    ):
        months_series(window=window).resample(every)


def test_means_need_their_numbers_to_be_summed() -> None:
    rows = [("A", "2024-01", 5.0), ("B", "2024-01", 6.0)]
    series = series_of(rows, "group date value", measure=qe.Measure("Stay", "mean", "lower"))
    with pytest.raises(
        qe.OptionError, match=r"total\(\) is not possible for means of 'Stay' without the number"
    ):
        series.total()
    with pytest.raises(qe.OptionError, match=r"resample\(\) is not possible for means of 'Stay'"):
        series.resample("quarter")


def test_means_are_weighted_by_their_numbers() -> None:
    rows = [("A", "2024-01", 5.0, 1.0, 10), ("B", "2024-01", 8.0, 1.0, 20)]
    series = series_of(rows, "group date value sd n", measure=qe.Measure("Stay", "mean", "lower"))
    data = series.total().data
    assert data["value"].tolist() == pytest.approx([7])
    # Sums of squares: within 9 + 19, of the means about 7: 10 * 4 + 20 * 1.
    assert data["sd"].tolist() == pytest.approx([(88 / 29) ** 0.5])


@pytest.mark.parametrize(
    ("options", "events"),
    [
        ({"group": "White"}, [3, 4, 2, 3]),
        ({"group": ["White", "Black"], "site": "South"}, [0, 1, 2, 3]),
        ({"start": "2024-02"}, [2, 4, 1, 3]),
        ({"start": date(2024, 2, 29)}, [2, 4, 1, 3]),
        ({"end": "2024-01-15"}, [1, 3, 0, 2]),
        ({"start": "2024"}, [1, 2, 3, 4, 0, 1, 2, 3]),
        ({"start": "2024-02", "end": "2024 Q1"}, [2, 4, 1, 3]),
        (
            {"start": np.datetime64("2024-01-01"), "end": pd.Timestamp("2025-01-01"), "site": ("North",)},
            [1, 2, 3, 4],
        ),
    ],
)
def test_select(options: dict[str, Any], events: list[float]) -> None:
    selected = two_sites().select(**options)
    assert selected.data["numerator"].tolist() == events
    step = selected.method["steps"][-1]
    assert step["step"] == "select"
    assert set(step) == {"step", *options}


def test_select_keeps_declared_order_and_drops_other_labels() -> None:
    selected = two_sites().select(group=["White", "Black"])
    assert selected.groups == ("Black", "White")
    assert two_sites().select(group="White").groups == ("White",)


def test_select_by_further_strata() -> None:
    selected = with_quintiles().select(where={"imd": 2}, site="South")
    assert selected.data["numerator"].tolist() == [33, 34]
    assert selected.method["steps"][-1]["where"] == {"imd": ["2"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"group": "Blak"},
            "group='Blak' is not allowed; use one of 'Black', 'White'. Did you mean 'Black'",
        ),
        ({"group": 3}, "group='3' is not allowed"),
        ({"group": []}, "No stratum of the series has all of {'group': \\[\\]}"),
        ({"site": "East"}, "site='East' is not allowed; use one of 'North', 'South'"),
        ({"start": "soon"}, "start='soon' cannot be used: not a date"),
        ({"start": "03/04/2024"}, "start='03/04/2024' cannot be used: .*give a date such as"),
        ({"end": "2023-12"}, "No period is left with end 2023-12; the series runs from 2024-01 to 2024-02"),
        ({"start": "2024-02", "end": "2024-01"}, "No period is left with start 2024-02, end 2024-01"),
        ({"where": {"imd": "1"}}, r"where=.* cannot be used: the series has no further strata \(by=\)"),
        ({"where": "imd"}, "where='imd' is not a mapping"),
    ],
)
def test_select_refuses_what_is_not_there(options: dict[str, Any], message: str) -> None:
    with pytest.raises(qe.QiEquityError, match=message):
        two_sites().select(**options)


def test_select_refuses_other_columns_and_labels_of_further_strata() -> None:
    with pytest.raises(
        qe.OptionError, match=r"where='idm' is not allowed; use one of 'imd'. Did you mean 'imd'"
    ):
        with_quintiles().select(where={"idm": "1"})
    with pytest.raises(qe.OptionError, match=r"where\['imd'\]='9' is not allowed; use one of '1', '2'"):
        with_quintiles().select(where={"imd": "9"})
    with pytest.raises(
        qe.OptionError, match=r"site=\['North'\] cannot be used: the series has no site column"
    ):
        months_series().select(site="North")
    assert with_quintiles().select(where={}).data.equals(with_quintiles().data)


def test_select_of_times_between_events_moves_them_to_the_front() -> None:
    later = between().select(start="2024-02")
    assert later.data["value"].tolist() == [9, 4]
    assert later.cells.status.shape == (2, 1)
    assert between().select(end="2024-03-01").data["value"].tolist() == [7, 9, 4]
    assert between().select(group="A", end="2024-02-28").data["value"].tolist() == [7]


def test_between_periods_are_those_of_the_events() -> None:
    assert between().periods == ("2024-01-05", "2024-02-02", "2024-03-01")


@pytest.mark.parametrize(
    "make",
    [
        two_sites,
        with_quintiles,
        patchy,
        between,
        overlapping,
        detailed,
        lambda: patchy().total().resample("quarter"),
    ],
)
def test_json_gives_back_the_same_series(make: Any) -> None:
    series = make()
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(series.to_dict(), allow_nan=False)))
    assert back.equals(series)
    assert series.equals(back)
    pd.testing.assert_frame_equal(back.data, series.data)
    assert back.method == series.method
    assert back.notes.columns.tolist() == series.notes.columns.tolist()


def as_format_1(series: qe.StratifiedSeries) -> dict[str, Any]:
    """Write a series as the version did that knew no ranges, expected numbers nor cases."""
    data = series.to_dict()
    cells = {k: v for k, v in data["cells"].items() if k not in ("range", "expected", "cases")}
    return {**data, "format": 1, "cells": cells}


@pytest.mark.parametrize("make", [two_sites, patchy, between, detailed])
def test_series_saved_in_the_first_format_are_still_read(make: Any) -> None:
    saved = as_format_1(make())
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(saved)))
    assert back.equals(make())
    assert back.to_dict()["format"] == 2
    assert saved == as_format_1(make())


def test_the_present_format_must_say_all_and_later_ones_are_not_read() -> None:
    saved = as_format_1(two_sites())
    with pytest.raises(qe.DataError, match="KeyError: 'range'"):
        qe.StratifiedSeries.from_dict({**saved, "format": 2})
    with pytest.raises(qe.DataError, match="in format 3; wanted is 'StratifiedSeries' in format 2"):
        qe.StratifiedSeries.from_dict({**saved, "format": 3})
    cells = two_sites().to_dict()["cells"] | {"range": _result.to_json(np.zeros((2, 2)))}
    with pytest.raises(qe.DataError, match=r"'range': \(2, 2\).*; wanted is"):
        qe.StratifiedSeries.from_dict({**two_sites().to_dict(), "cells": cells})


def with_ranges() -> qe.StratifiedSeries:
    loss = qe.Measure("Blood loss", "mean", "lower", unit="ml")
    rows = pd.DataFrame(
        {
            "born": ["2024-01-01", "2024-01-02", "2024-02-01", "2024-02-03", "2024-01-05", "2024-02-07"] * 2,
            "loss": [400, 500, 300, 900, 350, 250, 450, 700, 310, 800, 333, 280],
            "area": ["East"] * 4 + ["West"] * 2 + ["East"] * 4 + ["West"] * 2,
        }
    )
    return qe.from_records(rows, loss, date="born", value="loss", site="area")


def test_measurements_of_one_stratum_are_selected_without_loss() -> None:
    series = with_ranges()
    east = series.select(site="East").cells
    assert east.value.tolist() == [[512.5, 577.5]]
    assert east.range.tolist() == [[300, 600]]
    assert east.denominator.tolist() == [[4, 4]]
    np.testing.assert_array_equal(east.sd, series.cells.sd[:1])
    assert series.select(start="2024-02").cells.range.tolist() == [[600], [30]]
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(series.to_dict())))
    assert back.equals(series)
    np.testing.assert_array_equal(back.cells.range, series.cells.range)
    assert np.isnan(series.pool("site").cells.range).all()
    assert series.select(site="West").pool("site").cells.range.tolist() == [[17, 30]]


def test_from_dict_refuses_other_data() -> None:
    with pytest.raises(
        qe.DataError, match="These data hold 'Measure' in format 1; wanted is 'StratifiedSeries'"
    ):
        qe.StratifiedSeries.from_dict(PPH.to_dict())


def test_equals_compares_every_part() -> None:
    series = two_sites()
    assert series.equals(two_sites())
    others = [
        series.select(group="Black"),
        series.pool().select(group="Black"),
        months_series(),
        series_of([("A", "2024-01", 1, 2)], "group date x n"),
        "series",
    ]
    assert not any(series.equals(other) for other in others)
    renamed = qe.Measure("Other", "proportion", "lower")
    one = series_of([("A", "2024-01", 1, 2)], "group date x n")
    assert not one.equals(series_of([("A", "2024-01", 1, 2)], "group date x n", measure=renamed))
    assert not one.equals(series_of([("A", "2024-01", 1, 2)], "group date x n", window=2))


def test_notebook_view_is_short_and_escaped() -> None:
    rows = [("<script>", f"2024-{m:02d}", 1, 10) for m in range(1, 13)]
    shown = series_of(rows, "group date x n")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "Haemorrhage &lt;b&gt;, by month" in shown
    assert "A note from before." in shown
    assert shown.count("<tr>") == 8 + 1
    assert "scheme nhs-2001" in detailed()._repr_html_()
    assert "from 2024-01-05 to 2024-03-01" in between()._repr_html_()


def test_status_codes_are_those_of_the_words() -> None:
    assert [STATUSES[i] for i in (OBSERVED, MISSING, SUPPRESSED, PROVISIONAL)] == list(STATUSES)


def without(name: str) -> dict[str, Any]:
    return {k: v for k, v in two_sites().to_dict().items() if k != name}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "StratifiedSeries", "format": 1}, "KeyError: 'measure'"),
        (without("cells"), "KeyError: 'cells'"),
        (two_sites().to_dict() | {"cells": {}}, "KeyError: 'strata'"),
        (two_sites().to_dict() | {"cells": None}, "TypeError: "),
        (two_sites().to_dict() | {"cells": dict.fromkeys(two_sites().to_dict()["cells"], 1)}, "TypeError: "),
        (two_sites().to_dict() | {"method": {"a": 1}}, "ValueError: "),
        (two_sites().to_dict() | {"method": [1]}, "TypeError: "),
        (two_sites().to_dict() | {"notes": {"$map": [["a", 1]]}}, "TypeError: "),
        (two_sites().to_dict() | {"every": "moon"}, "OptionError: every='moon' is not allowed"),
        (two_sites().to_dict() | {"window": 0}, "OptionError: window=0 is too small"),
    ],
)
def test_from_dict_says_what_is_wrong_with_the_data(data: Any, message: str) -> None:
    with pytest.raises(
        qe.DataError, match=rf"These are not the data of a series \({message}.*Give what to_dict\(\)"
    ):
        qe.StratifiedSeries.from_dict(data)


def test_from_dict_refuses_blocks_that_do_not_fit() -> None:
    data = two_sites().to_dict()
    data["cells"] = data["cells"] | {"value": _result.to_json(np.zeros((2, 2)))}
    with pytest.raises(qe.DataError, match=r"'value': \(2, 2\).*; wanted is \(\d+, \d+\) for each"):
        qe.StratifiedSeries.from_dict(data)


@pytest.mark.parametrize("argument", ["group", "site", "start", "end"])
def test_selecting_by_an_array_without_dimensions_is_refused(argument: str) -> None:
    rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
    calls = qe.Measure("Calls", "count", None)
    series = qe.from_counts(rows, calls, period="month", numerator="n")
    with pytest.raises(qe.InputTypeError, match=rf"{argument}=array\("):
        series.select(**{argument: np.array("Black")})


def test_windows_that_do_not_fit_name_what_does() -> None:
    months = pd.date_range("2022-12-01", periods=14, freq="MS").strftime("%Y-%m")
    rows = pd.DataFrame({"m": months, "x": 3, "n": 90})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "window": 12}
    series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
    with pytest.raises(
        qe.OptionError, match=r"every='quarter' is not possible.*Possible here: every='year', every='fin"
    ):
        series.resample("quarter")
