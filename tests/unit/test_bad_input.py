"""Bad input ends in an error that names the problem and shows every bad row; never in a number."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe

PPH = qe.measures["pph_1500"]
WAIT = qe.Measure("Wait", "mean", "lower", unit="days")
CALLS = qe.Measure("Calls", "count", None)
GAPS = qe.Measure("Births between deaths", "between", "higher")

GOOD = pd.DataFrame(
    {
        "month": ["2024-01", "2024-02", "2024-03", "2024-04"],
        "pph": ["1", "2", "3", "0"],
        "births": ["10", "20", "30", "0"],
        "group": ["Asian", "Asian", "White", "White"],
        "site": ["n", "n", "s", "s"],
    }
)
BIRTHS = pd.DataFrame(
    {
        "born": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-02-03"]),
        "pph": [1, 0, 1],
        "code": ["A", "M", "Z"],
        "unit": ["n", "n", "s"],
    }
)


def counts(frame=GOOD, measure=PPH, **options):
    names = {"period": "month", "numerator": "pph", "denominator": "births", "group": "group", "site": "site"}
    return qe.from_counts(frame, measure, **(names | options))


def records(frame=BIRTHS, measure=PPH, **options):
    names = {"date": "born", "event": "pph", "ethnicity": "code", "site": "unit"}
    return qe.from_records(frame, measure, **(names | options))


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("pph", "11", "pph is greater than births"),
        ("pph", "-1", "pph is negative"),
        ("pph", "1.5", "pph is not a whole number"),
        ("pph", "inf", "pph is infinite"),
        ("pph", "few", "pph is not a number"),
        ("pph", True, "pph is not a number"),
        ("births", "-10", "births is negative"),
        ("births", "10.5", "births is not a whole number"),
        ("births", np.inf, "births is infinite"),
        ("births", "0", "pph above 0 among no births"),
        ("month", None, "month: no date"),
        ("month", "2024-13", "month: the second year does not follow the first, and it is no month either"),
        ("month", "2024", "month: names a year, but every='month'"),
        ("group", None, "group is empty"),
        ("group", " ", "group is empty"),
        ("site", np.nan, "site is empty"),
    ],
)
def test_every_bad_count_is_named_and_shown(column, value, problem):
    bad = GOOD.astype(object)
    bad.loc[0, column] = value
    with pytest.raises(qe.DataError, match=r"bad row\(s\) in counts: .*Mend or remove") as caught:
        counts(bad)
    shown = caught.value.bad_rows
    assert shown.index.tolist() == [0]
    assert problem in shown["problem"].item().split("; ")
    assert set(GOOD.columns) | {"problem"} == set(shown.columns)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"pph": np.inf}, "pph is infinite"),
        ({"pph": -np.inf}, "pph is infinite"),
        ({"births": -5}, "births is negative"),
        ({"births": -np.inf}, "births is infinite"),
        ({"pph": np.inf, "births": 0}, "pph is infinite"),
        ({"pph": 10**400}, "pph is not a number"),
        ({"pph": Decimal("sNaN")}, "pph is not a number"),
    ],
    ids=repr,
)
def test_one_cause_is_one_problem(row, problem):
    frame = pd.DataFrame([{"month": "2024-01", "pph": 3, "births": 10} | row], dtype=object)
    with pytest.raises(qe.DataError, match=r"1 bad row\(s\) in counts") as caught:
        counts(frame, group=None, site=None)
    assert caught.value.bad_rows["problem"].tolist() == [problem]


def test_bad_rows_of_counts_are_called_what_the_caller_calls_them():
    bad = GOOD.assign(pph=["1", "few", "3", "0"])
    again = pd.concat([GOOD, GOOD.iloc[[1]]])
    for frame, labels in ((bad, ["k"]), (again, ["k", "e"])):
        labelled = frame.set_axis(list("jklme")[: len(frame)])
        with pytest.raises(qe.DataError, match=r"bad row\(s\) in counts") as caught:
            counts(labelled)
        assert caught.value.bad_rows.index.tolist() == labels
    with pytest.raises(qe.DataError, match=r"pph is not a number") as caught:
        counts(pl.from_pandas(bad))
    assert (caught.value.bad_rows.index.tolist(), caught.value.bad_rows.index.name) == ([1], "row")


@pytest.mark.parametrize("own", ["rows", "problem"])
def test_columns_called_as_those_of_the_report_are_shown_too(own):
    with pytest.raises(qe.DataError, match=r"pph is 2") as caught:
        records(BIRTHS.assign(pph=[2, 0, 0]).rename(columns={"unit": own}), site=own)
    shown = caught.value.bad_rows
    assert shown[f"{own} (site)"].tolist() == ["n"]
    assert shown["rows"].tolist() == [1]
    with pytest.raises(qe.DataError, match=r"births is negative") as caught:
        counts(GOOD.assign(births=-1).rename(columns={"site": "rows"}), site="rows")
    assert caught.value.bad_rows["rows"].tolist() == ["n", "n", "s", "s"]


def test_all_bad_rows_come_at_once_each_with_all_its_problems():
    bad = GOOD.assign(pph=["11", "-1", "3", "x"], month=["soon", "2024-02", "2024-03", "2024-04"])
    with pytest.raises(qe.DataError) as caught:
        counts(bad)
    shown = caught.value.bad_rows
    assert shown.index.tolist() == [0, 1, 3]
    assert shown["problem"].tolist() == [
        "month: not a date or period that can be read; write it as 2024-03-31; pph is greater than births",
        "pph is negative",
        "pph is not a number",
    ]


def test_two_rows_for_one_cell_are_both_shown():
    with pytest.raises(
        qe.DataError, match=r"one of several rows for this period, group and site \(2\)"
    ) as caught:
        counts(pd.concat([GOOD, GOOD.iloc[[1]].assign(pph="9")], ignore_index=True))
    assert caught.value.bad_rows.index.tolist() == [1, 4]


def test_labels_that_a_scheme_does_not_know_are_shown_and_totals_named_as_such():
    frame = GOOD.assign(group=["Asian", "Martian", "Total", "White"])
    with pytest.raises(
        qe.DataError, match=r"not a group of 'nhs-2001', grouping 'broad' \(Asian, Black"
    ) as caught:
        counts(frame, scheme="nhs-2001")
    martian, total = caught.value.bad_rows["problem"]
    assert "totals" not in martian
    assert total.endswith("rows that are totals must be removed first")


@pytest.mark.parametrize(
    "label", ["All", "ALL SUBMITTERS", "total births", "Grand Total", "England", "Overall"]
)
def test_writings_of_a_total(label):
    with pytest.raises(qe.DataError, match="rows that are totals must be removed first"):
        counts(GOOD.assign(group=[label, "Asian", "White", "White"]), scheme="nhs-2001")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("x", np.inf, "x is infinite"),
        ("x", "slow", "x is not a number"),
        ("s", -0.1, "s is negative"),
        ("n", 2.5, "n is not a whole number"),
        ("n", 0, "x of 0 measurements"),
    ],
)
def test_bad_measurements(column, value, problem):
    bad = pd.DataFrame({"m": ["2024-01"], "x": [1.0], "s": [0.5], "n": [4]}).astype(object)
    bad.loc[0, column] = value
    with pytest.raises(qe.DataError, match=problem):
        qe.from_counts(bad, WAIT, period="m", value="x", sd="s", denominator="n")


@pytest.mark.parametrize(
    ("measure", "options", "message"),
    [
        (
            PPH,
            {"denominator": None},
            r"denominator missing: measure .* 'proportion' and needs numerator, denominator",
        ),
        (PPH, {"value": "pph"}, r"value='pph' not wanted: .* 'proportion'"),
        (
            CALLS,
            {"sd": "pph"},
            r"sd='pph' not wanted: .* 'count' and needs numerator \(and may have denominator\)",
        ),
        (WAIT, {}, r"value missing: .* 'mean' and needs value \(and may have sd, range, denominator\)"),
        (GAPS, {}, r"kind 'between', which needs the order of births; .* Use between_events"),
        (PPH, {"every": "monthly"}, r"every='monthly' is not allowed; .* Did you mean 'month'\?"),
        (PPH, {"window": 0}, r"window=0 is too small; give 1 or more"),
        (PPH, {"date_order": "dmy"}, r"date_order='dmy' is not allowed"),
        (PPH, {"scheme": "nhs2001"}, r"scheme='nhs2001' is not allowed; .* Did you mean 'nhs-2001'\?"),
        (PPH, {"scheme": "nhs-2001", "group": None}, r"scheme='nhs-2001' is given, but no group="),
        (PPH, {"by": "status"}, r"by=\['status'\]: results have columns named \['status'\] already"),
        (PPH, {"by": ["site", "site"]}, r"by=\['site', 'site'\] names 'site' twice"),
    ],
)
def test_options_that_are_not_allowed(measure, options, message):
    with pytest.raises(qe.OptionError, match=message):
        counts(measure=measure, **options)


@pytest.mark.parametrize("call", [counts, records])
def test_what_is_of_the_wrong_type(call):
    with pytest.raises(qe.InputTypeError, match=r"measure='pph' is of type str; give a Measure"):
        call(measure="pph")
    with pytest.raises(qe.InputTypeError, match=r"site=3 is not text; give the name of a column"):
        call(site=3)
    with pytest.raises(qe.InputTypeError, match=r"by holds 3; give names as text"):
        call(by=[3])
    with pytest.raises(qe.InputTypeError, match=r"(records|counts) of type list is not a frame"):
        call([1, 2])
    with pytest.raises(qe.InputTypeError, match=r"scheme=3 is of type int; give an id or a path"):
        call(scheme=3)


def test_window_must_be_whole():
    with pytest.raises(qe.InputTypeError, match=r"window='12' is not a whole number"):
        counts(window="12")


@pytest.mark.parametrize("call", [counts, records])
def test_empty_frames_and_absent_columns(call):
    empty = (GOOD if call is counts else BIRTHS).iloc[:0]
    with pytest.raises(qe.DataError, match=r"(counts|records) has no rows; give one"):
        call(empty)
    with pytest.raises(qe.ColumnError, match=r"site='sites' is not a column\."):
        call(site="sites")


def test_from_records_and_between_events_refuse_what_they_cannot_count():
    with pytest.raises(qe.OptionError, match=r"of kind 'between'; use between_events"):
        records(measure=GAPS)
    with pytest.raises(qe.OptionError, match=r"of kind 'proportion' and needs event=, and only that"):
        records(value="pph")
    with pytest.raises(qe.OptionError, match=r"of kind 'mean' and needs value=, and only that"):
        records(measure=WAIT)
    with pytest.raises(qe.OptionError, match=r"grouping='broader' is not allowed; .* Did you mean 'broad'\?"):
        records(grouping="broader")
    with pytest.raises(
        qe.OptionError, match=r"as_of='yesterday': not a date .* Give a day, such as '2024-03-31'"
    ):
        records(as_of="yesterday")
    with pytest.raises(qe.OptionError, match=r"as_of='2024-03': names a month. Give a day"):
        records(as_of="2024-03")
    with pytest.raises(qe.DataError, match=r"records has no rows"):
        qe.between_events(BIRTHS.iloc[:0], PPH, date="born", event="pph")
    with pytest.raises(qe.DataError, match=r"pph is 2: not 0, 1, true, false or empty"):
        qe.between_events(BIRTHS.assign(pph=2), PPH, date="born", event="pph")


@pytest.mark.parametrize(
    ("column", "values", "problem", "rows"),
    [
        ("pph", [2, 0, 2], "pph is 2: not 0, 1, true, false or empty", [1, 1]),
        ("pph", [0.5, 0, 1], "pph is 0.5: not 0, 1, true, false or empty", [1]),
        ("pph", [np.inf, 0, 1], "pph is inf: not 0, 1, true, false or empty", [1]),
        ("pph", ["Y", "0", "1"], "pph is 'Y': not 0, 1, true, false or empty", [1]),
        ("pph", ["", "0", "1.0"], "pph is '1.0': not 0, 1, true, false or empty", [1]),
        ("born", pd.to_datetime(["2024-01-01", None, None]), "born: no date", [1, 1]),
        (
            "born",
            ["2024-01-01", "1/2/2024", "1/2/2024"],
            "born: can be read two ways; give date_order='day-first' or 'month-first'",
            [1, 1],
        ),
        (
            "born",
            ["2024-01-01T00:00Z", "2024-01-01", "2024-02-01"],
            "time zones are mixed (+00:00, none)",
            [1, 1, 1],
        ),
        ("code", ["A", "W", "W"], "code: no code of 'nhs-2001'", [1, 1]),
        ("unit", ["n", None, ""], "unit is empty", [1, 1]),
    ],
)
def test_every_bad_record_is_named_and_counted(column, values, problem, rows):
    with pytest.raises(qe.DataError, match=r"bad row\(s\) in records: .*`rows` says how many") as caught:
        records(BIRTHS.assign(**{column: values}))
    shown = caught.value.bad_rows
    assert shown["problem"].str.contains(problem, regex=False).all()
    assert shown["rows"].tolist() == rows


def test_a_column_of_something_else_is_not_quoted_value_by_value():
    frame = pd.DataFrame({"born": "2024-01-01", "pph": np.arange(9), "code": "A", "unit": "n"})
    with pytest.raises(qe.DataError, match=r": pph is not 0, 1, true, false or empty \(7\)\."):
        records(frame)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize("options", [{}, {"as_of": "2024-03-31"}, {"every": "day"}])
def test_bad_records_are_shown_with_their_own_dates(library, options):
    born = pd.to_datetime(["2024-02-03 00:00", "2024-02-20 13:05", "2024-02-21 09:00"])
    with pytest.raises(qe.DataError, match=r"code: no code of 'nhs-2001'") as caught:
        records(library(BIRTHS.assign(born=born, code=["A", "W", "W"])), **options)
    assert caught.value.bad_rows["born"].tolist() == born[1:].tolist()
    assert caught.value.bad_rows.index.tolist() == [0, 1]


def test_a_date_that_stands_for_none_is_shown_as_it_is():
    born = pd.Series([np.datetime64("9999-12-31", "us")] * 3)
    with pytest.raises(qe.DataError, match=r"the year is not in 1900 to 2199") as caught:
        records(BIRTHS.assign(born=born), site=None, ethnicity=None)
    assert {str(d)[:10] for d in caught.value.bad_rows["born"]} == {"9999-12-31"}


VALUES = {
    "infinite": (pd.Series([1.0, np.inf, 2.0]), [np.inf], "x is infinite"),
    "text": (pd.Series(["1", "slow", "2"]), ["slow"], "x is not a number"),
    "stray text": (pd.Series([1, "slow", None], dtype=object), ["slow"], "x is not a number"),
    "mark": (pd.Series([1, "<5", "-"], dtype=object), ["-", "<5"], "x is not a number"),
    "bool": (pd.Series([True, True, True]), [True], "x is not a number"),
    "two": (pd.Series([np.inf, -np.inf, np.inf]), [-np.inf, np.inf], "x is infinite"),
}


@pytest.mark.parametrize(("values", "shown", "problem"), VALUES.values(), ids=VALUES)
def test_bad_values_are_shown_and_counted(values, shown, problem):
    frame = pd.DataFrame({"born": pd.to_datetime(["2024-01-09"] * 3), "x": values})
    with pytest.raises(qe.DataError, match=problem) as caught:
        qe.from_records(frame, WAIT, date="born", value="x")
    bad = caught.value.bad_rows
    assert bad["x"].tolist() == shown
    assert bad["rows"].tolist() == [sum(v == s for v in values) for s in shown]
    assert bad["problem"].tolist() == [problem] * len(shown)
    assert bad["born"].tolist() == [pd.Timestamp("2024-01-09")] * len(shown)


def test_records_that_are_wrong_in_the_same_way_are_counted_together():
    frame = pd.concat([BIRTHS.assign(code="W")] * 3)
    with pytest.raises(qe.DataError) as caught:
        records(frame, site=None)
    assert caught.value.bad_rows["rows"].sum() == 9
    assert len(caught.value.bad_rows) == 3


def test_a_date_far_out_does_not_fill_the_memory():
    frame = pd.DataFrame(
        {"d": ["1900-01-01", "2199-12-31"] * 600, "e": 0, "s": [f"s{i}" for i in range(1200)]}
    )
    with pytest.raises(qe.DataError, match=r"1200 strata in 109573 periods .* look for dates far out"):
        qe.from_records(frame, PPH, date="d", event="e", site="s", every="day")
