"""series.disclose: what is withheld, what is shown, margins, refusals, and plain enumeration of what is left.

Published examples of secondary suppression with all numbers were not found in the sources; small tables are
enumerated here in full, reading nothing but the frames.
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.spans import spans
from qi_equity.errors import DataError, InputTypeError, OptionError

CALLS = qe.Measure("Calls", "count", None)
PPH = qe.measures["pph_1500"]
STRICT = SuppressionRule("strict", 4, protect=3)
PLAIN = SuppressionRule("plain", 4, protect=3, secondary=False)


def counts(table: Any, period: str = "2024-01") -> qe.StratifiedSeries:
    """Make a series of counts of one month: rows are sites, columns groups."""
    array = np.array(table)
    site, group = np.indices(array.shape)
    frame = pd.DataFrame(
        {
            "site": [f"S{i}" for i in site.ravel()],
            "group": [f"G{i}" for i in group.ravel()],
            "n": array.ravel(),
        }
    ).assign(month=period)
    return qe.from_counts(frame, CALLS, period="month", numerator="n", group="group", site="site")


def births(
    rows: list[tuple[Any, ...]], names: str = "group month x n", **options: Any
) -> qe.StratifiedSeries:
    frame = pd.DataFrame(rows, columns=names.split())
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group"}
    columns |= {"site": "site"} if "site" in frame else {}
    return qe.from_counts(frame, PPH, **columns, **options)


def published(series: qe.StratifiedSeries) -> np.ndarray[Any, Any]:
    """Give the cells with their sums in the last row and column."""
    size = (len(series.sites), len(series.groups))
    inner = series.cells.numerator.reshape(size)
    wide = np.column_stack([inner, series.total().cells.numerator.ravel()])
    below = [*series.pool().cells.numerator.ravel(), *series.total().pool().cells.numerator.ravel()]
    return np.vstack([wide, below])


def possible(shown: np.ndarray[Any, Any], most: int) -> np.ndarray[Any, Any]:
    """Count the whole numbers of each cell and sum over all tables that fit; a withheld count is not 0."""
    inner = shown[:-1, :-1]
    options = [[int(v)] if np.isfinite(v) else range(1, most + 1) for v in inner.ravel()]
    found: list[set[int]] = [set() for _ in shown.ravel()]
    for point in product(*options):
        table = np.array(point).reshape(inner.shape)
        wide = np.column_stack([table, table.sum(1)])
        whole = np.vstack([wide, wide.sum(0)])
        if (np.isnan(shown) | (whole == shown)).all() and (whole[np.isnan(shown)] > 0).all():
            for values, value in zip(found, whole.ravel(), strict=True):
                values.add(int(value))
    return np.array([len(v) for v in found]).reshape(shown.shape)


@pytest.mark.parametrize(
    "table",
    [
        [[3, 9], [8, 11]],
        [[3, 9, 6], [8, 20, 7]],
        [[1, 0, 6], [8, 2, 7]],
        [[1, 1, 1], [0, 2, 0]],
        [[4, 4, 5], [5, 6, 1]],
        [[2, 0], [0, 0]],
    ],
)
def test_enumeration_leaves_enough_numbers_of_small_counts(table: Any) -> None:
    series = counts(table)
    shown, true = published(series.disclose(STRICT)), published(series)
    small = (true >= 1) & (true <= 4)
    assert np.isnan(shown[small]).all()
    assert (shown[np.isfinite(shown)] == true[np.isfinite(shown)]).all()
    assert np.isfinite(shown[true == 0]).all()
    assert (possible(shown, 12)[small] >= 3).all()


def test_the_rule_by_itself_is_reported_and_refused_where_nothing_more_may_be_withheld() -> None:
    series = counts([[3, 9, 6], [8, 20, 7]])
    with pytest.raises(
        OptionError,
        match=r"rule='plain' by itself leaves .* fewer than protect=3 .* for 1 of 1 protected counts "
        r"\(down to 1\), and secondary=False",
    ):
        series.disclose(PLAIN)
    done = series.disclose(STRICT)
    assert done.method["disclosed"]["rule_leaves_fewer"] is True
    notes = done.notes.set_index("code")["text"]
    assert notes["rule_leaves_fewer"].endswith("fewer than 3 whole numbers for some protected count.")
    assert "counts of 1 to 4 are withheld" in notes["disclosed"]
    assert "total; site; total + site" in notes["disclosed"]
    assert "rounded_counts" not in notes
    assert series.method.get("disclosed") is None


def test_what_is_said_of_the_rule_tells_no_more_than_the_counts() -> None:
    rule = SuppressionRule("nine", 9, protect=5)

    def written(first: int, second: int) -> str:
        series = counts([[first, second, 53 - first - second]])
        return json.dumps(series.disclose(rule, margins="total").to_dict())

    # One and two leave two numbers by the rule alone, one and one a single one; all are withheld alike.
    tables = [(1, 2), (1, 1), (2, 2), (9, 9), (8, 7)]
    assert len({written(*table) for table in tables}) == 1


def test_where_the_rule_is_enough_nothing_more_is_withheld() -> None:
    series = counts([[3, 2], [20, 30]])
    done = series.disclose(PLAIN, margins=())
    assert np.isnan(done.cells.numerator).sum() == 2
    assert "rule_leaves_fewer" not in done.notes["code"].tolist()
    assert "nothing. Other sums" in done.notes["text"].iloc[0]


def test_fewer_margins_need_fewer_withheld() -> None:
    series = counts([[3, 9, 6], [8, 20, 7]])
    for margins in ((), "total", ["total", "site"]):
        done = series.disclose(STRICT, margins=margins)
        assert np.isnan(done.cells.numerator).sum() == (
            1 if margins == () else 2 if margins == "total" else 4
        )


def test_margins_named_are_published_and_others_are_of_disclosed_counts() -> None:
    done = counts([[3, 9, 6], [8, 20, 7]]).disclose(STRICT, margins="total")
    assert done.total().data["numerator"].tolist() == [18, 35]
    assert done.pool().data["status"].tolist().count("suppressed") == 2
    assert done.total().method["steps"][-1] == {"step": "total", "published": True}
    assert done.total().pool().data["numerator"].tolist() == [53]
    frame = done.margins
    assert frame["margin"].tolist() == ["total", "total"]
    assert frame["site"].tolist() == ["S0", "S1"]
    assert frame["numerator"].tolist() == [18, 35]
    assert counts([[3, 9]]).margins.empty
    assert counts([[3, 9]]).margins.columns.tolist() == frame.columns.tolist()


def test_margins_go_with_what_is_selected_of_the_series() -> None:
    done = counts([[3, 9, 6], [8, 20, 7]]).disclose(STRICT)
    one = done.select(site="S0")
    assert one.total().data["numerator"].tolist() == [18]
    assert one.pool().data["numerator"].isna().tolist() == one.data["numerator"].isna().tolist()
    groups = done.select(group=["G0", "G1"])
    assert groups.pool().data["numerator"].tolist() == [11, 29]
    assert groups.total().data["numerator"].isna().all() == groups.data["numerator"].isna().any()
    assert groups.total().data["status"].tolist()[0] == "suppressed"
    later = done.select(start="2024-01")
    assert later.pool().data["numerator"].tolist() == [11, 29, 13]


def nested() -> qe.StratifiedSeries:
    codes = ["A", "B", "D", "H", "J", "K", "M", "N", "R", "Z"]
    size = [90, 6, 5, 12, 9, 3, 8, 11, 2, 4]
    rows = [
        (c, f"2024-{m:02d}", n // 3, 10 * n + m) for c, n in zip(codes, size, strict=True) for m in (1, 2, 3)
    ]
    return births(rows, scheme="nhs-2001")


def test_groupings_and_periods_are_margins_too() -> None:
    series = nested()
    done = series.disclose(STRICT, margins=["total", "broad", "quarter", "all"])
    for way in (
        lambda s: s.collapse("broad"),
        lambda s: s.total(),
        lambda s: s.resample("quarter"),
        lambda s: s.collapse("broad").total(),
        lambda s: s.resample("quarter").collapse("broad"),
        lambda s: s.collapse("broad").resample("quarter").total(),
    ):
        true, shown = way(series), way(done)
        assert shown.cells.strata.equals(true.cells.strata)
        assert (shown.grouping, shown.every, shown.periods) == (true.grouping, true.every, true.periods)
        seen = np.isfinite(shown.cells.denominator)
        assert (shown.cells.denominator[seen] == true.cells.denominator[seen]).all()
        small = (true.cells.numerator >= 1) & (true.cells.numerator <= 4)
        assert np.isnan(shown.cells.numerator[small]).all()
        withheld = np.isnan(shown.cells.numerator) & np.isfinite(true.cells.numerator)
        assert (shown.cells.status[withheld] == 2).all()
    total = done.total().resample("quarter")
    assert total.data["numerator"].tolist() == series.total().resample("quarter").data["numerator"].tolist()
    assert {"all", "broad + all", "total + quarter"} <= set(done.margins["margin"])
    assert done.resample("year").data["status"].tolist().count("observed") < len(done.groups)
    with pytest.raises(OptionError, match="grouping='maternity' cannot be made from 'broad'"):
        done.collapse("broad").collapse("maternity")
    assert done.collapse("detail").equals(done)
    with pytest.raises(OptionError, match="grouping='nation' is not allowed"):
        done.collapse("nation")
    with pytest.raises(OptionError, match="every='week' cannot be made of"):
        done.resample("week")


def test_rates_come_from_disclosed_counts_and_births_take_events_with_them() -> None:
    series = births([("A", "2024-01", 8, 103), ("B", "2024-01", 3, 61), ("C", "2024-01", 0, 4)])
    done = series.disclose("nhs-england").data
    assert done["numerator"].tolist() == [10, 5, 0]
    assert done["denominator"].tolist() == [105, 60, 5]
    assert done["value"].tolist() == [10 / 105, 5 / 60, 0]
    assert done["status"].tolist() == ["observed"] * 3
    strict = series.disclose("strict-10").data
    assert strict["denominator"].isna().tolist() == [False, True, True]
    assert strict["numerator"].isna().all()
    assert strict["status"].tolist() == ["suppressed"] * 3
    dqmi = births([("A", "2024-01", 8, 103), ("B", "2024-01", 0, 20), ("C", "2024-01", 0, 0)]).disclose(
        "dqmi"
    )
    assert dqmi.data["denominator"].isna().tolist() == [False, True, False]
    assert dqmi.data["numerator"].isna().tolist() == [False, True, False]
    assert "rounded_counts" in dqmi.notes["code"].tolist()


def test_zeros_may_be_protected() -> None:
    rule = SuppressionRule("no zeros", 4, zeros=False, protect=4)
    done = counts([[0, 9, 30], [8, 20, 7]]).disclose(rule)
    assert np.isnan(done.cells.numerator[0, 0])
    shown = SuppressionRule("marked", 4, mark=2, zeros=False, protect=4)
    assert counts([[0, 30], [40, 3]]).disclose(shown, margins=()).cells.numerator.ravel().tolist() == [
        2,
        30,
        40,
        2,
    ]


def test_a_sum_of_ones_is_withheld_without_a_word_of_why() -> None:
    # 4 ones make 4: whoever knew that the sum is 1 to 4 would know every cell.
    done = counts([[1, 1, 1, 1], [30, 40, 50, 60]]).disclose(STRICT, margins="total")
    shown = done.total().data
    assert np.isnan(shown["numerator"].iloc[0])
    assert done.method["disclosed"]["n_protected"] == 4
    marked = SuppressionRule("marked", 4, mark=2, protect=3)
    total = counts([[1, 1, 1, 1], [30, 40, 50, 60]]).disclose(marked, margins="total").total().data
    assert total["status"].tolist() == ["suppressed", "observed"]


def test_means_go_with_their_number_of_values() -> None:
    loss = qe.Measure("Blood loss", "mean", "lower", unit="ml")
    frame = pd.DataFrame(
        {
            "m": ["2024-01"] * 3,
            "g": list("ABC"),
            "mean": [500.0, 400, 450],
            "sd": [9.0, 8, 7],
            "n": [3, 40, 60],
        }
    )
    columns = {"period": "m", "group": "g", "value": "mean", "sd": "sd"}
    series = qe.from_counts(frame, loss, denominator="n", **columns)
    done = series.disclose(STRICT)
    assert done.data["denominator"].isna().tolist() == [True, True, False]
    assert done.data["value"].isna().tolist() == [True, True, False]
    assert done.data["sd"].isna().tolist() == [True, True, False]
    assert done.data["status"].tolist() == ["suppressed", "suppressed", "observed"]
    total = done.total().data
    assert total["denominator"].tolist() == [103]
    assert total["value"].tolist() == series.total().data["value"].tolist()
    with pytest.raises(DataError, match="a mean without the number of values in it"):
        qe.from_counts(frame, loss, **columns).disclose(STRICT, margins=())


def test_missing_and_suppressed_cells_stay_what_they_are() -> None:
    frame = pd.DataFrame(
        {
            "month": ["2024-01"] * 4,
            "group": list("ABCD"),
            "x": ["*", "", "3", "30"],
            "n": ["70", "80", "90", "100"],
        }
    )
    series = qe.from_counts(frame, PPH, period="month", numerator="x", denominator="n", group="group")
    done = series.disclose(STRICT)
    assert done.data["status"].tolist() == ["suppressed", "missing", "suppressed", "observed"]
    assert done.data["denominator"].tolist() == [70, 80, 90, 100]
    assert done.total().data["status"].tolist() == ["suppressed"]
    assert done.total().data["denominator"].tolist() == series.total().data["denominator"].tolist()


def test_saving_keeps_the_margins() -> None:
    done = counts([[3, 9, 6], [8, 20, 7]]).disclose(STRICT)
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(done.to_dict())))
    assert back.equals(done)
    assert back.total().equals(done.total())
    assert back.margins.equals(done.margins)
    saved = done.to_dict()
    del saved["published"]
    bare = qe.StratifiedSeries.from_dict(saved)
    assert not bare.equals(done)
    assert not done.equals(bare)
    assert not done.select(site="S0").equals(counts([[3, 9, 6]]).disclose(STRICT))


def test_nothing_is_withheld_by_the_rule_none() -> None:
    series = counts([[3, 9], [8, 20]])
    same = series.disclose("none")
    assert same.data.equals(series.data)
    assert same.notes["code"].tolist()[-1] == "not_disclosed"
    assert same.margins.empty


def test_notes_that_state_numbers_are_withheld() -> None:
    records = pd.DataFrame(
        {"born": ["2024-01-01", "2024-01-05"] * 20, "pph": [0, 1] * 20, "code": ["A", "H"] * 20}
    )
    series = qe.from_records(records, PPH, date="born", event="pph", ethnicity="code")
    done = series.disclose("strict-10")
    said = done.notes[~done.notes["code"].isin(["disclosed", "rule_leaves_fewer", "notes_withheld"])]["text"]
    assert not said.str.contains("40").any()


def test_what_cannot_be_disclosed_is_refused() -> None:
    series = counts([[3, 9], [8, 20]])
    with pytest.raises(InputTypeError, match="rule=3 is of type int; give a SuppressionRule or the name"):
        series.disclose(3)
    with pytest.raises(OptionError, match="rule='nhs' is not allowed"):
        series.disclose("nhs")
    with pytest.raises(OptionError, match="margins='region' is not allowed; use one of 'total', 'site'"):
        series.disclose(STRICT, margins="region")
    with pytest.raises(OptionError, match="protect=5 cannot be kept by rule 'strict'"):
        series.disclose(STRICT, protect=5)
    with pytest.raises(OptionError, match="was disclosed already, by strict"):
        series.disclose(STRICT).disclose(STRICT)
    window = births([("A", "2024-02", 3, 80), ("A", "2024-03", 5, 90)], window=2)
    with pytest.raises(OptionError, match=r"disclose\('strict'\) is not possible with window=2"):
        window.disclose(STRICT)
    frame = pd.DataFrame({"m": ["2024-01"], "n": [3], "days": [2.5]})
    falls = qe.Measure("Falls", "rate", None)
    half = qe.from_counts(frame, falls, period="m", numerator="n", denominator="days")
    with pytest.raises(DataError, match="denominator is no whole number of 0 or more"):
        half.disclose(STRICT)


def test_times_between_events_are_refused_but_inside() -> None:
    records = pd.DataFrame({"born": pd.date_range("2024-01-01", periods=40), "pph": [0, 0, 0, 1] * 10})
    series = qe.between_events(records, PPH, date="born", event="pph")
    with pytest.raises(OptionError, match=r"each point is the date of one woman's event.*with from_records"):
        series.disclose("strict-10")
    assert series.disclose("none").data.equals(series.data)


def test_groups_that_overlap_have_no_total() -> None:
    frame = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["Māori", "Asian"], "x": [3, 20], "n": [90, 200]})
    series = qe.from_counts(
        frame, PPH, period="m", numerator="x", denominator="n", group="g", scheme="nz-level-1-total"
    )
    assert series.disclose(STRICT).method["disclosed"]["margins"] == []
    with pytest.raises(OptionError, match="margins='total' is not possible for groups of scheme="):
        series.disclose(STRICT, margins="total")


def test_spans_are_disclosed_by_their_sums() -> None:
    series = nested()
    whole = spans(series, "all").disclose(STRICT)
    assert whole.cells.status.shape == (len(series.cells.strata), 1)
    small = spans(series, "all").cells.numerator
    assert np.isnan(whole.cells.numerator[(small >= 1) & (small <= 4)]).all()
    assert whole.series.total().cells.numerator.item() == np.nansum(small)
    with pytest.raises(OptionError, match=r"margins='year' is a sum over time"):
        spans(series, "all").disclose(STRICT, margins=["total", "year"])


def test_a_series_without_any_count_has_nothing_to_withhold() -> None:
    rows = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["A", "B"], "x": [None, None], "n": [None, None]})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    shown = qe.from_counts(rows, qe.measures["pph_1500"], **columns).disclose("strict-10")
    assert shown.data["status"].tolist() == ["missing", "missing"]
    assert "nothing to withhold" in shown.notes["text"].iloc[-1]
