"""Records, one row a birth, to series."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import statistics
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe

PPH = qe.measures["pph_1500"]
LOSS = qe.Measure("Blood loss", "mean", "lower", unit="ml")
BABY = qe.Measure("Apgar below 7", "proportion", "lower", counts="baby")


def births(n=400, seed=1):
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 200 * 1440, n)
    outcome = rng.choice([True, False, None], n, p=[0.2, 0.7, 0.1])
    return pd.DataFrame(
        {
            "born": pd.Timestamp("2023-11-05") + pd.to_timedelta(minutes, unit="min"),
            "pph": pd.array(outcome, dtype="boolean"),
            "code": rng.choice(["A", "b1", "M", "R", "Z", "99", "", None], n),
            "unit": rng.choice(["North", "South"], n),
            "imd": rng.choice([1, 2, 3], n),
            "loss": rng.gamma(4, 100, n),
        }
    )


RECORDS = births()
GROUP_OF = {
    "A": "White",
    "b1": "White",
    "M": "Black",
    "R": "Asian",
    "Z": "Not stated",
    "99": "Not known",
    "": "Missing",
    None: "Missing",
}


def counted_by_hand(frame, by, every="M"):
    """Count row by row: key and period to events, recorded births and unrecorded births."""
    found = {}
    for row in frame.to_dict("records"):
        key = (
            *(row[c] if c != "code" else GROUP_OF[row[c] if isinstance(row[c], str) else None] for c in by),
        )
        cell = found.setdefault((key, row["born"].to_period(every)), [0, 0, 0])
        if pd.isna(row["pph"]):
            cell[2] += 1
        else:
            cell[0] += bool(row["pph"])
            cell[1] += 1
    return found


@pytest.mark.parametrize(
    ("every", "code"),
    [("month", "M"), ("quarter", "Q"), ("week", "W-SUN"), ("day", "D"), ("financial-year", "Y-MAR")],
)
def test_counts_are_those_of_a_loop_over_the_births(every, code):
    series = qe.from_records(
        RECORDS, PPH, date="born", event="pph", ethnicity="code", site="unit", by="imd", every=every
    )
    expected = counted_by_hand(RECORDS, ["unit", "code", "imd"], code)
    total = np.zeros(3)
    for row in series.data.to_dict("records"):
        key = ((row["site"], row["group"], int(row["imd"])), pd.Period(row["period"], code))
        assert [row["numerator"], row["denominator"], row["unrecorded"]] == expected.get(key, [0, 0, 0])
        assert row["status"] == "observed"
        total += [row["numerator"], row["denominator"], row["unrecorded"]]
    assert total.tolist() == np.sum(list(expected.values()), axis=0).tolist()
    assert total[1] + total[2] == len(RECORDS)


def test_every_group_of_the_scheme_is_there_in_declared_order():
    series = qe.from_records(RECORDS, PPH, date="born", event="pph", ethnicity="code", grouping="maternity")
    assert series.groups == qe.Scheme.load("nhs-2001").groups("maternity")
    mixed = series.data[series.data["group"] == "Mixed"]
    assert (mixed["denominator"] == 0).all()
    assert mixed["value"].isna().all()


def test_without_ethnicity_there_is_one_group_and_no_scheme():
    series = qe.from_records(RECORDS, PPH, date="born", event="pph")
    assert (series.groups, series.scheme, series.grouping) == (("All",), None, None)
    assert series.method["scheme"] is None


def test_periods_without_births_are_there_with_a_denominator_of_zero_and_no_value():
    frame = pd.DataFrame({"born": ["2024-01-31", "2024-04-01"], "pph": [1, 0]})
    series = qe.from_records(frame, PPH, date="born", event="pph")
    assert series.cells.denominator.tolist() == [[1, 0, 0, 1]]
    assert np.isnan(series.cells.value).tolist() == [[False, True, True, False]]
    assert series.notes["text"].tolist() == [
        "No records at all in 2024-02, 2024-03: no births, or records not sent?",
        "Each row is taken as one woman. If twins have two rows, name the column of the woman in person=.",
    ]


def test_rows_that_are_taken_as_women_are_told():
    frame = pd.DataFrame({"born": ["2024-01-31"] * 2, "pph": [1, 0], "who": ["p", "q"], "loss": [1, 2]})
    notes = qe.from_records(frame, PPH, date="born", event="pph").notes
    assert notes[["code", "severity"]].to_numpy().tolist() == [["rows_taken_as_women", "info"]]
    assert qe.from_records(frame, PPH, date="born", event="pph", person="who").notes.empty
    assert qe.from_records(frame, BABY, date="born", event="pph").notes.empty
    of_values = qe.from_records(frame, LOSS, date="born", value="loss").notes
    assert of_values["text"].item().endswith("If twins have two rows, keep one of them.")


def test_a_site_that_sent_nothing_for_whole_periods_is_told():
    frame = pd.DataFrame(
        {
            "born": pd.to_datetime(["2024-01-01", "2024-06-01", "2024-01-01", "2024-06-30"]),
            "pph": 0,
            "unit": ["a", "a", "b", "b"],
        }
    )
    extra = pd.DataFrame({"born": pd.date_range("2024-01-15", periods=6, freq="MS"), "pph": 1, "unit": "c"})
    notes = qe.from_records(pd.concat([frame, extra]), BABY, date="born", event="pph", site="unit").notes
    assert notes[["code", "severity", "site"]].values.tolist() == [
        ["no_records", "caution", "a"],
        ["no_records", "caution", "b"],
        ["no_records", "caution", "c"],
    ]
    assert notes["text"].iloc[0].startswith("No records at all in 2024-02, 2024-03, 2024-04 and 2 more:")


@pytest.mark.parametrize(
    "outcome",
    [
        pd.array([True, False, None], dtype="boolean"),
        np.array([True, False, None], dtype=object),
        np.array([1, 0, pd.NA], dtype=object),
        np.array([1.0, 0.0, np.nan]),
        pd.array([1, 0, None], dtype="Int8"),
        pd.array([1, 0, None], dtype="Float64"),
        pd.Categorical([1, 0, None]),
        np.array(["1", "0", ""], dtype=object),
        np.array([" TRUE", "false ", None], dtype=object),
        np.array([1, 0, " "], dtype=object),
        np.array(["True", 0, ""], dtype=object),
        pd.Categorical(["True", "False", ""]),
        pd.array(["1", "0", None], dtype="string"),
    ],
    ids=lambda a: f"{a.dtype}: {list(a)}",
)
def test_outcomes_of_every_type_count_the_same_and_empty_is_unrecorded(outcome):
    frame = pd.DataFrame({"born": ["2024-01-01"] * 3, "pph": outcome, "who": [1, 2, 3]})
    for person in (None, "who"):
        cells = qe.from_records(frame, PPH, date="born", event="pph", person=person).cells
        assert (cells.numerator.item(), cells.denominator.item(), cells.unrecorded.item()) == (1, 2, 1)


def test_empty_further_strata_are_visible():
    frame = pd.DataFrame({"born": ["2024-01-01"] * 3, "pph": [0, 1, 1], "imd": [2, None, 1]})
    data = qe.from_records(frame, PPH, date="born", event="pph", by=["imd"]).data
    assert data[["imd", "numerator"]].values.tolist() == [["1", 1.0], ["2", 0.0], ["Missing", 1.0]]


def test_text_dates_count_as_datetimes_do():
    whole = qe.from_records(RECORDS, PPH, date="born", event="pph", ethnicity="code")
    for form in ("%d/%m/%Y", "%Y-%m-%d %H:%M", "%d %B %Y", "%m-%d-%Y"):
        text = RECORDS.assign(born=RECORDS["born"].dt.strftime(form))
        assert qe.from_records(text, PPH, date="born", event="pph", ethnicity="code").cells.equals(
            whole.cells
        )
    objects = RECORDS.assign(born=RECORDS["born"].dt.date)
    assert qe.from_records(objects, PPH, date="born", event="pph", ethnicity="code").cells.equals(whole.cells)


def test_the_period_in_which_the_data_were_drawn_is_provisional():
    series = qe.from_records(RECORDS, PPH, date="born", event="pph", site="unit", as_of="2024-05-23")
    status = series.cells.status
    assert series.periods[-1] == "2024-05"
    assert (status[:, -1] == 3).all()
    assert (status[:, :-1] == 0).all()
    assert series.method["as_of"] == pd.Timestamp("2024-05-23")


@pytest.mark.parametrize(
    "as_of",
    [dt.date(2024, 2, 29), "29 Feb 2024", pd.Timestamp("2024-02-29 18:00"), np.datetime64("2024-02-29")],
)
def test_births_after_the_data_were_drawn_are_bad_rows(as_of):
    frame = pd.DataFrame({"born": pd.to_datetime(["2024-02-29 23:59", "2024-03-01 00:00"]), "pph": [1, 0]})
    with pytest.raises(qe.DataError, match=r"born is after as_of \(1\)") as caught:
        qe.from_records(frame, PPH, date="born", event="pph", as_of=as_of)
    assert caught.value.bad_rows["born"].tolist() == [pd.Timestamp("2024-03-01")]


def test_records_that_end_long_before_they_were_drawn_are_told():
    frame = pd.DataFrame({"born": ["2024-01-15", "2024-02-15"], "pph": [1, 0]})
    notes = qe.from_records(frame, BABY, date="born", event="pph", as_of="2024-05-10").notes
    assert notes["code"].tolist() == ["records_end_early"]
    assert "in 2024-03, 2024-04: no births" in notes["text"].item()
    assert len(qe.from_records(frame, BABY, date="born", event="pph", as_of="2024-04-10").notes) == 1
    assert qe.from_records(frame, BABY, date="born", event="pph", as_of="2024-03-10").notes.empty


def test_twins_of_one_woman_are_one_woman():
    frame = pd.DataFrame(
        {
            "who": ["p", "p", "q", "q", "r", "r", "p"],
            "born": pd.to_datetime(
                [
                    "2024-01-01 10:00",
                    "2024-01-01 10:20",
                    "2024-01-02 09:00",
                    "2024-01-02 09:00",
                    "2024-01-03 09:00",
                    "2024-01-03 09:00",
                    "2024-01-28 09:00",
                ]
            ),
            "pph": pd.array([False, True, None, False, None, None, True], dtype="boolean"),
        }
    )
    cells = qe.from_records(frame, PPH, date="born", event="pph", every="year", person="who").cells
    assert (cells.numerator.item(), cells.denominator.item(), cells.unrecorded.item()) == (2, 3, 1)
    text = frame.assign(born=frame["born"].dt.strftime("%d/%m/%Y %H:%M"))
    assert qe.from_records(
        text, PPH, date="born", event="pph", every="year", person="who", date_order="day-first"
    ).cells.equals(cells)


def test_rows_of_one_woman_and_day_must_agree_and_have_a_person():
    frame = pd.DataFrame(
        {"who": ["p", "p", None], "born": ["2024-01-01"] * 3, "pph": [0, 1, 0], "code": ["A", "M", "A"]}
    )
    with pytest.raises(qe.DataError, match=r"who is empty \(1\).* leave out person="):
        qe.from_records(frame, PPH, date="born", event="pph", ethnicity="code", person="who")
    with pytest.raises(qe.DataError, match=r"who is empty \(1\)"):
        qe.from_records(frame.fillna({"who": " "}), PPH, date="born", event="pph", person="who")
    with pytest.raises(qe.DataError, match=r"rows of one person and day differ in code \(2\)") as caught:
        qe.from_records(frame.iloc[:2], PPH, date="born", event="pph", ethnicity="code", person="who")
    assert caught.value.bad_rows["who"].tolist() == ["p", "p"]
    assert sorted(caught.value.bad_rows["code"]) == ["A", "M"]
    sites = frame.iloc[:2].assign(unit=["North", "South"])
    with pytest.raises(qe.DataError, match=r"rows of one person and day differ in unit \(2\)"):
        qe.from_records(sites, PPH, date="born", event="pph", site="unit", person="who")
    with pytest.raises(qe.DataError, match=r"born: can be read two ways"):
        qe.from_records(frame.iloc[:1].assign(born="01/02/2024"), PPH, date="born", event="pph", person="who")
    with pytest.raises(qe.DataError, match=r"pph is 2: not 0, 1, true, false or empty") as caught:
        qe.from_records(frame.iloc[:1].assign(pph=2), PPH, date="born", event="pph", person="who")
    assert caught.value.bad_rows[["who", "born", "pph"]].to_numpy().tolist() == [["p", "2024-01-01", 2]]


@pytest.mark.parametrize("dtype", [pl.Null, pl.String, pl.Date, pl.Boolean])
def test_outcomes_that_are_all_empty_are_unrecorded_whatever_their_type(dtype):
    table = pl.DataFrame(
        {"who": ["p", "p"], "born": ["2024-01-01"] * 2, "pph": [None, None]}, schema_overrides={"pph": dtype}
    )
    dated = table.with_columns(pl.col("born").str.to_date())
    for frame in (
        table,
        dated,
        dated.lazy(),
        dated.to_arrow(),
        pd.DataFrame({n: table[n].to_numpy() for n in table.columns}),
    ):
        cells = qe.from_records(frame, PPH, date="born", event="pph", person="who").cells
        assert (cells.denominator.item(), cells.unrecorded.item()) == (0, 1)


def test_a_person_is_only_for_measures_and_events_of_women():
    with pytest.raises(qe.OptionError, match=r"person='who' .* measure 'Apgar below 7' counts babies; leave"):
        qe.from_records(RECORDS, BABY, date="born", event="pph", person="who")
    with pytest.raises(qe.OptionError, match=r"person='who' is for events; with value= give one row a woman"):
        qe.from_records(RECORDS, LOSS, date="born", value="loss", person="who")


def test_means_and_standard_deviations_are_those_of_all_the_values():
    frame = RECORDS.assign(loss=RECORDS["loss"].where(RECORDS["pph"].notna()) + 1e6)
    series = qe.from_records(frame, LOSS, date="born", value="loss", ethnicity="code", every="quarter")
    for row in series.data.to_dict("records"):
        of_cell = [
            r["loss"]
            for r in frame.to_dict("records")
            if GROUP_OF[r["code"] if isinstance(r["code"], str) else None] == row["group"]
            and r["born"].to_period("Q") == pd.Period(row["period"], "Q")
        ]
        values = [v for v in of_cell if not math.isnan(v)]
        assert (row["denominator"], row["unrecorded"]) == (len(values), len(of_cell) - len(values))
        if values:
            assert row["value"] == pytest.approx(math.fsum(values) / len(values), rel=1e-12)
        else:
            assert math.isnan(row["value"])
        if len(values) > 1:
            assert row["sd"] == pytest.approx(statistics.stdev(values), rel=1e-9)


@pytest.mark.parametrize("every", ["month", "quarter"])
def test_ranges_are_those_of_all_the_values_of_a_subgroup(every):
    # "A" and "b1" are one group: what is counted apart is taken together exactly.
    frame = RECORDS.assign(loss=RECORDS["loss"].where(RECORDS["pph"].notna()))
    series = qe.from_records(frame, LOSS, date="born", value="loss", ethnicity="code", every=every)
    cells = series.cells
    letter = "M" if every == "month" else "Q"
    group = [GROUP_OF[c if isinstance(c, str) else None] for c in frame["code"]]
    of_cell = frame.groupby([group, frame["born"].dt.to_period(letter)])["loss"].agg(["count", "min", "max"])
    checked = 0
    for (s, label), (t, start) in itertools.product(enumerate(series.groups), enumerate(cells.periods)):
        key = (label, pd.Period(start, letter))
        count, low, high = of_cell.loc[key] if key in of_cell.index else (0, 0, 0)
        wanted = high - low if count > 1 else math.nan
        assert cells.range[s, t] == pytest.approx(wanted, rel=1e-15, nan_ok=True)
        checked += count > 1
    assert checked > 10
    several = (cells.denominator > 0).sum(axis=0) > 1
    assert several.any()
    assert np.isnan(series.total().cells.range[:, several]).all()


RISKS = np.random.default_rng(8).uniform(0.001, 0.3, len(RECORDS))


@pytest.mark.parametrize("every", ["day", "month"])
def test_expected_numbers_are_sums_over_births_with_recorded_outcome(every):
    risk = np.where(RECORDS["pph"].isna() & (np.arange(len(RECORDS)) % 2 == 0), np.nan, RISKS)
    frame = RECORDS.assign(risk=risk)
    names = {"date": "born", "event": "pph", "ethnicity": "code", "site": "unit", "every": every}
    cells = qe.from_records(frame, PPH, **names, expected="risk").cells
    plain = qe.from_records(frame, PPH, **names).cells
    for block in ("numerator", "denominator", "unrecorded", "value", "status"):
        np.testing.assert_array_equal(getattr(cells, block), getattr(plain, block))
    assert np.isnan(plain.expected).all()
    recorded = frame[frame["pph"].notna()]
    group = [GROUP_OF[c if isinstance(c, str) else None] for c in recorded["code"]]
    start = recorded["born"].dt.to_period("D" if every == "day" else "M").dt.start_time
    wanted = recorded["risk"].groupby([recorded["unit"], group, start]).agg(math.fsum).to_dict()
    for (s, stratum), (t, at) in itertools.product(cells.strata.iterrows(), enumerate(cells.periods)):
        of_cell = wanted.get((stratum["site"], stratum["group"], pd.Timestamp(at)), 0.0)
        assert cells.expected[s, t] == pytest.approx(of_cell, rel=1e-12)
    assert cells.cases is None


def test_expected_numbers_add_up_with_the_counts():
    names = {"date": "born", "event": "pph", "expected": "risk", "ethnicity": "code", "site": "unit"}
    series = qe.from_records(RECORDS.assign(risk=RISKS), PPH, **names)
    whole = RISKS[RECORDS["pph"].notna()].sum()
    for made in (series.total(), series.pool(), series.collapse("broad"), series.resample("year")):
        assert made.cells.expected.sum() == pytest.approx(whole, rel=1e-12)
    assert "expected" not in series.data
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(series.to_dict())))
    assert back.equals(series)
    np.testing.assert_array_equal(back.cells.expected, series.cells.expected)


@pytest.mark.parametrize("kind", [str, Decimal, "category", "Float64", "float32[pyarrow]"])
def test_expected_probabilities_of_every_type_are_read(kind):
    frame = pd.DataFrame({"born": ["2024-01-01"] * 3, "pph": [1, 0, None], "risk": [0.25, 0.5, None]})
    risk = frame["risk"]
    if kind in (str, Decimal):
        risk = pd.Series([None if pd.isna(r) else kind(r) for r in risk], dtype=object)
    else:
        risk = risk.astype(kind)
    cells = qe.from_records(frame.assign(risk=risk), BABY, date="born", event="pph", expected="risk").cells
    assert cells.expected.tolist() == [[0.75]]


def test_bad_probabilities_are_all_told_at_once():
    frame = pd.DataFrame(
        {
            "born": pd.date_range("2024-01-01", periods=9),
            "pph": [1, 0, 0, 1, 0, 0, None, None, "maybe"],
            "risk": np.array([0.1, 0.0, 1.0, None, -0.2, np.inf, None, 1.2, 0.1], dtype=object),
        }
    )
    for risk in (frame["risk"], frame["risk"].astype(float)):
        with pytest.raises(qe.DataError, match=r"7 bad row\(s\) in records: ") as caught:
            qe.from_records(frame.assign(risk=risk), BABY, date="born", event="pph", expected="risk")
        told = caught.value.bad_rows.set_index("born")["problem"]
        outside, empty = "risk is not between 0 and 1", "risk is empty where the outcome is not"
        assert told.reindex(frame["born"], fill_value="").tolist() == [
            *("", outside, outside, empty, outside, outside, "", outside),
            "pph is 'maybe': not 0, 1, true, false or empty",
        ]
    with pytest.raises(qe.DataError, match=r"risk is not a number \(1\)"):
        qe.from_records(frame.iloc[:1].assign(risk="5 %"), BABY, date="born", event="pph", expected="risk")
    with pytest.raises(qe.OptionError, match=r"expected='pph' is the probability of an event; leave it out"):
        qe.from_records(RECORDS, LOSS, date="born", value="loss", expected="pph")


def test_twins_bring_the_expected_probability_of_their_mother_once():
    frame = pd.DataFrame(
        {
            "who": ["p", "p", "q", "r", "r"],
            "born": pd.to_datetime(["2024-01-01"] * 5),
            "pph": [0, 1, 0, None, None],
            "risk": [0.25, 0.25, 0.5, None, None],
        }
    )
    names = {"date": "born", "event": "pph", "expected": "risk", "person": "who"}
    cells = qe.from_records(frame, PPH, **names).cells
    assert (cells.numerator.item(), cells.denominator.item(), cells.expected.item()) == (1, 2, 0.75)
    text = frame.assign(risk=["0.25", "0.250", " .5", "", None], code=["A", "a1", "A", "A", "A"])
    assert qe.from_records(text, PPH, **names).cells.equals(cells)
    again = qe.from_records(text, PPH, **names, ethnicity="code").select(group="White").cells
    assert again.expected.item() == 0.75
    for other in (0.26, None):
        with pytest.raises(qe.DataError, match=r"rows of one person and day differ in risk \(2\)") as caught:
            qe.from_records(frame.assign(risk=[0.25, other, 0.5, None, None]), PPH, **names)
        assert caught.value.bad_rows["who"].tolist() == ["p", "p"]


def test_values_of_every_type_are_read():
    frame = pd.DataFrame({"born": ["2024-01-01"] * 3, "loss": np.array([400, 500.5, None], dtype=object)})
    cells = qe.from_records(frame, LOSS, date="born", value="loss").cells
    assert (cells.value.item(), cells.denominator.item(), cells.unrecorded.item()) == (450.25, 2, 1)
    for values in (
        np.array([Decimal(400), Decimal("500.5"), None], dtype=object),
        np.array(["400", " 500.5", ""], dtype=object),
        pd.Categorical([400, 500.5, None]),
    ):
        again = qe.from_records(frame.assign(loss=values), LOSS, date="born", value="loss").cells
        assert again.equals(cells)
    for nothing in (np.array([None] * 3, dtype=object), np.full(3, np.nan), pd.array([pd.NA] * 3)):
        empty = qe.from_records(frame.assign(loss=nothing), LOSS, date="born", value="loss").cells
        assert (empty.denominator.item(), empty.unrecorded.item()) == (0, 3)


def test_row_order_does_not_matter_and_the_frame_is_not_changed():
    before = RECORDS.copy()
    whole = qe.from_records(RECORDS, PPH, date="born", event="pph", ethnicity="code", site="unit")
    shuffled = qe.from_records(
        RECORDS.sample(frac=1, random_state=3), PPH, date="born", event="pph", ethnicity="code", site="unit"
    )
    assert shuffled.cells.equals(whole.cells)
    pd.testing.assert_frame_equal(RECORDS, before)


def test_the_source_that_a_frame_carries_is_kept() -> None:
    made = qe.datasets.births(1000)
    arguments = {"date": "date", "event": "pph_1500", "ethnicity": "ethnicity"}
    series = qe.from_records(made.records, qe.measures["pph_1500"], **arguments)
    assert series.method["source"] == made.source
    bare = made.records.copy()
    bare.attrs = {"source": 3}
    assert qe.from_records(bare, qe.measures["pph_1500"], **arguments).method["source"] is None
