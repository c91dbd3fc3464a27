"""Tables of rates: every column against the counts, the reasons in words, and what the notes say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cells import PROVISIONAL, SUPPRESSED
from qi_equity.equity.rates import RateTable, rates
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas import proportion_intervals, rate_intervals
from qi_equity.formulas.mean_intervals import mean_interval

Make = Callable[..., qe.StratifiedSeries]
COLUMNS = [
    "group",
    "span",
    "start",
    "end",
    "n_periods",
    "events",
    "births",
    "unrecorded",
    "rate",
    "lower",
    "upper",
    "reliable",
    "reliability",
    "status",
]
FUNCTIONS = {
    "wilson": proportion_intervals.wilson_interval,
    "jeffreys": proportion_intervals.jeffreys_interval,
    "clopper-pearson": proportion_intervals.clopper_pearson_interval,
    "mid-p": rate_intervals.mid_p_rate_interval,
    "exact": rate_intervals.exact_rate_interval,
    "byar": rate_intervals.byar_rate_interval,
    "ohid": rate_intervals.ohid_rate_interval,
}


def means(rows: list[tuple[str, str, float | None, float | None, int]]) -> qe.StratifiedSeries:
    frame = pd.DataFrame(rows, columns=["month", "group", "mean", "sd", "n"])
    return qe.from_counts(
        frame,
        qe.Measure("Time to theatre", "mean", "lower", unit="minutes"),
        period="month",
        value="mean",
        sd="sd",
        denominator="n",
        group="group",
    )


def test_all_periods_together(make_series: Make) -> None:
    table = rates(make_series([[1, 2, 3], [9, 8, 7]], [[20, 30, 40], [300, 300, 300]])).table
    assert table.columns.tolist() == COLUMNS
    assert table["events"].tolist() == [6, 24]
    assert table["births"].tolist() == [90, 900]
    assert table["rate"].tolist() == [6 / 90, 24 / 900]
    assert table["span"].tolist() == ["2022-01 to 2022-03"] * 2
    assert table["n_periods"].tolist() == [3, 3]
    assert [str(day.date()) for day in table.loc[0, ["start", "end"]]] == ["2022-01-01", "2022-03-31"]


@pytest.mark.parametrize(("over", "events"), [("period", [1, 2, 3]), (["2022-03"], [3, 3])])
def test_spans(make_series: Make, over: object, events: list[int]) -> None:
    assert rates(make_series([1, 2, 3], 20), over=over).table["events"].tolist() == events


@pytest.mark.parametrize("interval", ["wilson", "jeffreys", "clopper-pearson"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_of_proportions(make_series: Make, interval: str, confidence: float) -> None:
    found = rates(make_series([[0], [3], [40]], [[12], [28], [40]]), interval=interval, confidence=confidence)
    wanted = FUNCTIONS[interval]([0, 3, 40], [12, 28, 40], confidence=confidence)
    np.testing.assert_array_equal(found.table["lower"], wanted.lower)
    np.testing.assert_array_equal(found.table["upper"], wanted.upper)
    assert found.method["interval"] == interval
    assert found.method["confidence"] == confidence


@pytest.mark.parametrize("interval", ["mid-p", "exact", "byar", "ohid"])
@pytest.mark.parametrize("kind", ["rate", "count"])
def test_intervals_of_rates_and_counts(make_series: Make, interval: str, kind: str) -> None:
    births = 30 if kind == "rate" else None
    found = rates(make_series([[0, 1], [60, 3]], births, kind=kind), interval=interval).table
    exposure = 60 if kind == "rate" else 2
    wanted = FUNCTIONS[interval]([1, 63], exposure)
    np.testing.assert_allclose(found["rate"], np.array([1, 63]) / exposure)
    np.testing.assert_array_equal(found["lower"], wanted.lower)
    np.testing.assert_array_equal(found["upper"], wanted.upper)


def test_a_count_is_by_period_so_that_spans_of_different_length_compare(make_series: Make) -> None:
    table = rates(make_series([4, 4, 4, 8], kind="count"), over=["2022-04"]).table
    assert table["rate"].tolist() == [4, 8]
    assert table["events"].tolist() == [12, 8]
    assert table["births"].isna().all()


def test_means() -> None:
    series = means([("2024-01", "A", 50, 10, 20), ("2024-02", "A", 56, 12, 40), ("2024-01", "B", 40, 9, 1)])
    table = rates(series).table
    mean = (50 * 20 + 56 * 40) / 60
    squares = 19 * 100 + 39 * 144 + 20 * (50 - mean) ** 2 + 40 * (56 - mean) ** 2
    wanted = mean_interval(mean, np.sqrt(squares / 59), 60)
    assert table.loc[0, "rate"] == pytest.approx(mean)
    assert table.loc[0, ["lower", "upper"]].tolist() == pytest.approx([wanted.lower[0], wanted.upper[0]])
    assert table["events"].isna().all()
    assert table["births"].tolist() == [60, 1]
    assert table["reliability"].tolist() == ["meets the standard", "fewer than 30 measurements"]


def test_a_mean_without_spread_has_no_interval() -> None:
    found = rates(means([("2024-01", "A", 50, None, 40), ("2024-02", "A", 50, 3, 40)]), over="period")
    assert found.table["rate"].tolist() == [50, 50]
    assert found.table["lower"].isna().tolist() == [True, False]
    assert found.table.loc[0, "reliability"] == "spread or number of the measurements not known"
    (text,) = found.notes.loc[found.notes["code"] == "no_interval", "text"]
    assert text.startswith("No interval in 1 of 2 spans: the spread")


@pytest.mark.parametrize(
    ("events", "births", "reliable", "text"),
    [
        (9, 294, True, "meets the standard"),
        (5, 29, False, "fewer than 30 births"),
        (15, 31, False, "interval 30 percentage points wide or wider"),
        (3, 60, False, "interval wider than 130 % of the rate"),
        (0, 900, True, "meets the standard; no birth with the event"),
        (900, 900, True, "meets the standard; every birth with the event"),
        (37, 40, True, "meets the standard; the share without the event does not"),
        (0, 0, False, "no births"),
    ],
)
def test_reliability_in_words(make_series: Make, events: int, births: int, reliable: bool, text: str) -> None:
    row = rates(make_series([events], [births])).table.iloc[0]
    assert (bool(row["reliable"]), row["reliability"]) == (reliable, text)


@pytest.mark.parametrize(("events", "text"), [(9, "fewer than 10 events"), (10, "meets the standard")])
@pytest.mark.parametrize("kind", ["rate", "count"])
def test_reliability_of_rates(make_series: Make, events: int, text: str, kind: str) -> None:
    found = rates(make_series([events], [500] if kind == "rate" else None, kind=kind)).table
    assert found["reliability"].tolist() == [text]


def test_groups_without_births_stay_rows_with_a_note(make_series: Make) -> None:
    found = rates(make_series([[0], [9]], [[0], [294]]))
    assert found.table["rate"].isna().tolist() == [True, False]
    note = found.notes.set_index("code").loc["no_births"]
    assert note["group"] == "A"
    assert "does not mean that all is well" in note["text"]


def test_not_yet_visible_says_why_and_how_often(make_series: Make) -> None:
    found = rates(make_series([[1, 9], [9, 9]], [[20, 294], [294, 294]]), over="period")
    (note,) = found.notes.loc[found.notes["code"] == "not_yet_visible", "text"]
    assert note == (
        "The rate is not yet visible in 1 of 2 spans: fewer than 30 births. Longer spans, or the group "
        "pooled over sites, could show it."
    )


def test_missing_and_suppressed_and_provisional(make_series: Make) -> None:
    series = make_series([[9, None], [9, 9], [9, 9]], [[294, None], [294, 294], [294, 294]])
    numerator, status = series.cells.numerator.copy(), series.cells.status.copy()
    numerator[1, 1], status[1, 1], status[2, 1] = np.nan, SUPPRESSED, PROVISIONAL
    series = replace(series, cells=replace(series.cells, numerator=numerator, status=status))
    found = rates(series)
    assert found.table["status"].tolist() == ["observed", "suppressed", "provisional"]
    assert found.table["rate"].isna().tolist() == [False, True, False]
    assert found.table["n_periods"].tolist() == [1, 2, 2]
    assert found.table["reliability"].tolist() == ["meets the standard", "suppressed", "meets the standard"]
    codes = found.notes.groupby("code")["group"].agg(list)
    assert codes["suppressed"] == ["B"]
    assert codes["provisional"] == ["C"]
    assert "A" in found.notes.loc[found.notes["text"].str.contains("missing"), "group"].tolist()
    monthly = rates(series, over="period").table
    assert monthly.loc[1, "reliability"] == "missing"
    assert monthly.loc[3, "reliability"] == "suppressed"


def test_unrecorded_outcomes_are_said(make_series: Make) -> None:
    series = make_series([[9], [9]], 200)
    series = replace(series, cells=replace(series.cells, unrecorded=np.array([[20.0], [5.0]])))
    found = rates(series)
    assert found.table["births"].tolist() == [200, 200]
    assert found.table["unrecorded"].tolist() == [20, 5]
    note = found.notes.set_index("code").loc["many_unrecorded"]
    assert note["group"] == "A"
    assert note["text"].startswith("More than 5 % of births have no recorded outcome;")


def test_women_whose_group_is_not_known_are_said(make_series: Make) -> None:
    found = rates(make_series([[9], [9]], 294, groups=["Asian", "Not stated"]))
    note = found.notes.set_index("code").loc["group_not_known"]
    assert note["group"] == "Not stated"
    assert len(found.table) == 2


def test_sites_and_further_strata() -> None:
    rows = pd.DataFrame(
        {
            "month": "2024-01",
            "unit": ["North", "North", "South", "South"],
            "age": ["<30", "30+"] * 2,
            "events": [1, 2, 3, 4],
            "births": [40, 50, 60, 70],
        }
    )
    series = qe.from_counts(
        rows,
        qe.measures["pph_1500"],
        period="month",
        numerator="events",
        denominator="births",
        site="unit",
        by=["age"],
    )
    found = rates(series)
    assert found.table.columns.tolist()[:3] == ["site", "group", "age"]
    assert found.notes.columns.tolist() == ["code", "severity", "site", "group", "age", "text"]
    assert len(found.notes) == 4


def test_a_stratum_alone_is_as_among_others(make_series: Make) -> None:
    series = make_series([[1, 2], [9, 8]], [[20, 30], [300, 300]])
    alone, among = rates(series.select(group="B")).table, rates(series).table
    columns = ["events", "births", "rate", "lower", "upper", "reliable", "reliability"]
    assert alone.loc[0, columns].tolist() == among.loc[1, columns].tolist()


def test_saved_and_read(make_series: Make) -> None:
    found = rates(make_series([[1, 0], [9, 8]], [[20, 0], [300, 300]]), over="period")
    again = RateTable.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert "RateTable" in repr(found)
    assert "not yet visible" in found._repr_html_()
    with pytest.raises(DataError, match="wanted is 'RateTable'"):
        RateTable.from_dict({"type": "GapTable", "format": 1})


def test_tables_are_copies(make_series: Make) -> None:
    found = rates(make_series([9], [294]))
    table = found.table
    table["rate"] = 0
    assert found.table.loc[0, "rate"] == 9 / 294


def test_refused(make_series: Make) -> None:
    series = make_series([9], [294])
    with pytest.raises(OptionError, match="interval='mid-p' is not allowed; use one of 'wilson', 'jeffreys'"):
        rates(series, interval="mid-p")
    with pytest.raises(OptionError, match="confidence=95 is not allowed"):
        rates(series, confidence=95)
    with pytest.raises(DataError, match="not a date or period that can be read"):
        rates(series, over="al")
    with pytest.raises(InputTypeError, match="series is of type DataFrame; make a StratifiedSeries"):
        rates(series.data)
