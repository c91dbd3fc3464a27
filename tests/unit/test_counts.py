"""Tables of counts to series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

PPH = qe.measures["pph_1500"]
FALLS = qe.Measure("Falls", "rate", "lower")
CALLS = qe.Measure("Calls", "count", None)
WAIT = qe.Measure("Wait", "mean", "lower", unit="days")

TABLE = pd.DataFrame(
    {
        "month": ["2024-03", "2024-01", "2024-01", "2024-03"],
        "group": ["White", "Black", "White", "Black"],
        "pph": [9, 2, 8, 0],
        "births": [300, 30, 290, 0],
    }
)
NAMES = {"period": "month", "numerator": "pph", "denominator": "births"}


def test_rows_go_to_their_cells_whatever_their_order():
    cells = qe.from_counts(TABLE, PPH, group="group", **NAMES).cells
    assert cells.strata["group"].tolist() == ["Black", "White"]
    assert cells.periods.astype("datetime64[M]").astype(str).tolist() == ["2024-01", "2024-02", "2024-03"]
    np.testing.assert_array_equal(cells.numerator, [[2, np.nan, 0], [8, np.nan, 9]])
    np.testing.assert_array_equal(cells.denominator, [[30, np.nan, 0], [290, np.nan, 300]])
    np.testing.assert_allclose(cells.value, [[2 / 30, np.nan, np.nan], [8 / 290, np.nan, 9 / 300]])
    assert cells.status.tolist() == [[0, 1, 0], [0, 1, 0]]
    shuffled = qe.from_counts(TABLE.sample(frac=1, random_state=1), PPH, group="group", **NAMES)
    assert shuffled.cells.equals(cells)


def test_the_series_says_what_it_was_made_from():
    series = qe.from_counts(TABLE, PPH, group="group", window=3, **NAMES)
    assert (series.every, series.window, series.scheme, series.grouping) == ("month", 3, None, None)
    assert series.measure.equals(PPH)
    assert series.method["made_by"] == "from_counts"
    assert series.method["columns"] == {
        "period": "month",
        "group": "group",
        "numerator": "pph",
        "denominator": "births",
    }
    assert series.notes.empty


def test_without_group_there_is_one():
    assert qe.from_counts(TABLE.iloc[[0, 1]], PPH, **NAMES).groups == ("All",)


def test_a_scheme_finds_its_grouping_and_shows_groups_that_are_not_in_the_table():
    series = qe.from_counts(
        TABLE.assign(group=[" white", "BLACK", "White", "black"]),
        PPH,
        group="group",
        scheme="nhs-2001",
        **NAMES,
    )
    assert series.grouping == "broad"
    assert series.groups == (
        "Asian",
        "Black",
        "Mixed",
        "Other",
        "White",
        "Not stated",
        "Not known",
        "Missing",
    )
    data = series.data.set_index("group")
    assert set(data.loc["Asian", "status"]) == {"missing"}
    assert data.loc["White", "numerator"].tolist()[::2] == [8, 9]


def test_codes_of_a_scheme_are_its_detailed_groups():
    series = qe.from_counts(
        TABLE.assign(group=["A", "M", "A", "M"]), PPH, group="group", scheme="nhs-2001", **NAMES
    )
    assert series.grouping == "detail"
    assert np.isfinite(series.cells.numerator).any(axis=1).sum() == 2


def test_a_scheme_may_be_loaded_before():
    scheme = qe.Scheme.load("nhs-2001")
    assert qe.from_counts(TABLE, PPH, group="group", scheme=scheme, **NAMES).scheme is scheme


def test_marks_are_suppressed_and_empty_is_missing():
    table = pd.DataFrame(
        {
            "month": ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"],
            "pph": ["<5", "1,002", None, "7", ""],
            "births": ["150", "20,300", "151", "*", "0"],
        }
    )
    cells = qe.from_counts(table, PPH, **NAMES).cells
    assert cells.status.tolist() == [[2, 0, 1, 2, 0]]
    np.testing.assert_array_equal(cells.numerator, [[np.nan, 1002, np.nan, 7, 0]])
    np.testing.assert_array_equal(cells.denominator, [[150, 20300, 151, np.nan, 0]])
    np.testing.assert_array_equal(cells.value, [[np.nan, 1002 / 20300, np.nan, np.nan, np.nan]])


def test_sites_and_further_strata():
    table = pd.DataFrame(
        {
            "year": ["2023-24"] * 4,
            "unit": ["B", "B", "A 10", "A 9"],
            "imd": [1, None, 2, 1],
            "pph": [1, 2, 3, 4],
            "births": [10, 20, 30, 40],
        }
    )
    series = qe.from_counts(
        table,
        PPH,
        period="year",
        numerator="pph",
        denominator="births",
        site="unit",
        by="imd",
        every="financial-year",
    )
    assert series.sites == ("A 9", "A 10", "B")
    assert series.data[["site", "imd", "numerator"]].values.tolist() == [
        ["A 9", "1", 4.0],
        ["A 10", "2", 3.0],
        ["B", "1", 1.0],
        ["B", "Missing", 2.0],
    ]


def test_rates_may_have_more_events_than_exposure_and_exposure_may_be_fractional():
    table = pd.DataFrame({"m": ["2024-01"], "x": [9], "n": [2.5]})
    assert qe.from_counts(table, FALLS, period="m", numerator="x", denominator="n").cells.value[0, 0] == 3.6


def test_counts_need_no_denominator():
    table = pd.DataFrame({"m": ["2024-01", "2024-02"], "x": [9, 4]})
    cells = qe.from_counts(table, CALLS, period="m", numerator="x").cells
    assert cells.value.tolist() == [[9, 4]]
    assert np.isnan(cells.denominator).all()


def test_measurements_come_with_value_sd_and_size():
    table = pd.DataFrame({"m": ["2024-01", "2024-02"], "x": [-1.5, None], "s": [0.2, None], "n": [8, 0]})
    cells = qe.from_counts(table, WAIT, period="m", value="x", sd="s", denominator="n").cells
    np.testing.assert_array_equal(cells.value, [[-1.5, np.nan]])
    np.testing.assert_array_equal(cells.sd, [[0.2, np.nan]])
    np.testing.assert_array_equal(cells.denominator, [[8, 0]])
    assert cells.status.tolist() == [[0, 0]]


def test_ranges_of_measurements_are_kept_and_cannot_be_those_of_one():
    table = pd.DataFrame(
        {"m": ["2024-01", "2024-02", "2024-03"], "x": [2.5, 3, None], "r": ["1.5", 0, None], "n": [8, 1, 0]}
    )
    series = qe.from_counts(table, WAIT, period="m", value="x", range="r", denominator="n")
    np.testing.assert_array_equal(series.cells.range, [[1.5, 0, np.nan]])
    assert series.cells.status.tolist() == [[0, 0, 0]]
    assert "range" not in series.data
    np.testing.assert_array_equal(series.select(start="2024-02").cells.range, [[0, np.nan]])
    withheld = qe.from_counts(
        table.assign(r=["*", 1, None], n=[8, 2, 0]), WAIT, period="m", value="x", range="r", denominator="n"
    )
    np.testing.assert_array_equal(withheld.cells.range, [[np.nan, 1, np.nan]])
    assert withheld.cells.status.tolist() == [[0, 0, 0]]
    bad = table.assign(r=[-1, 2, "wide"])
    with pytest.raises(
        qe.DataError,
        match=r"r is negative \(1\); r above 0 of 1 measurement \(1\); r is not a number \(1\)",
    ):
        qe.from_counts(bad, WAIT, period="m", value="x", range="r", denominator="n")
    with pytest.raises(qe.OptionError, match=r"range='r' not wanted: measure .* is of kind 'count'"):
        qe.from_counts(table, CALLS, period="m", numerator="n", range="r")


def test_dates_in_text_are_read_when_told():
    table = TABLE.assign(month=["01/03/2024", "01/01/2024", "01/01/2024", "01/03/2024"])
    told = qe.from_counts(table, PPH, group="group", date_order="day-first", **NAMES)
    assert told.cells.equals(qe.from_counts(TABLE, PPH, group="group", **NAMES).cells)
    with pytest.raises(qe.DataError, match=r"month: can be read two ways; give date_order=.* \(2\)"):
        qe.from_counts(table, PPH, group="group", **NAMES)


def rounded(step, n=24, extra=0):
    months = pd.date_range("2022-01-01", periods=n, freq="MS")
    events = np.arange(1, n + 1) * step + extra
    return pd.DataFrame({"m": months, "x": events, "n": np.full(n, 1000)})


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (rounded(5), True),
        (rounded(5, extra=1), False),
        (rounded(5, n=20), False),
        (rounded(5).assign(n=1001), False),
    ],
)
def test_counts_that_look_rounded_are_told(table, told):
    series = qe.from_counts(table, PPH, period="m", numerator="x", denominator="n")
    assert series.notes["code"].tolist() == ["rounded_counts"] * told


def test_rounded_exposure_of_a_rate_says_nothing_and_measurements_are_not_looked_at():
    series = qe.from_counts(rounded(5, extra=1), FALLS, period="m", numerator="x", denominator="n")
    assert series.notes.empty
    assert qe.from_counts(rounded(5), WAIT, period="m", value="x").notes.empty


def test_totals_among_groups_or_sites_are_told():
    table = pd.DataFrame(
        {"m": ["2024-01"] * 3, "g": ["Total", "a", "b"], "s": ["ALL SUBMITTERS", "x", "y"], "x": [2, 1, 1]}
    )
    notes = qe.from_counts(table, CALLS, period="m", numerator="x", group="g", site="s").notes
    assert notes["code"].tolist() == ["total_among_sites", "total_among_groups"]
    assert "'ALL SUBMITTERS' among the sites looks like a total" in notes["text"].iloc[0]


def test_the_table_is_not_changed():
    before = TABLE.copy()
    qe.from_counts(TABLE, PPH, group="group", scheme="nhs-2001", **NAMES)
    pd.testing.assert_frame_equal(TABLE, before)
