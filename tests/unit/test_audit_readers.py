"""How frames, texts and figures are read, and what a report says of what was read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.counts import from_counts
from qi_equity.data.disclosure.audit import DisclosureAudit, audit_disclosure
from qi_equity.data.disclosure.derived import MOST, Rows, fitting_pairs
from qi_equity.data.disclosure.outlook import Outlook, outlook_of
from qi_equity.data.disclosure.places import place_rows
from qi_equity.data.disclosure.read_frames import read_frame, read_references, spans_of
from qi_equity.data.disclosure.read_svg import read_svg
from qi_equity.data.disclosure.read_text import Names, read_text, sentences
from qi_equity.data.disclosure.readings import Meaning, Range, exactly, from_text
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.disclosure.svg_ticks import date_ticks, number_ticks
from qi_equity.data.measure import Measure
from qi_equity.data.scheme import Scheme
from qi_equity.equity.comparison.compare import compare_groups
from qi_equity.equity.gap_chart.gap_chart import gap_chart
from qi_equity.equity.gaps import gaps
from qi_equity.equity.inequality.inequality import inequality
from qi_equity.equity.rates import rates
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.spc.control import control_chart
from qi_equity.spc.kinds_counts import C

RULE = SuppressionRule("small", 2, protect=2)
TEARS = Measure("Tears", "proportion", "lower", unit="per 1000")
CALLS = Measure("Calls", "count", None)
TABLE = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})


def made_series(events: tuple[int, ...] = (9, 8, 2, 7), groups: int = 2) -> Any:
    months = [f"2024-0{1 + k // groups}" for k in range(len(events))]
    areas = ["Asian", "Black", "White"][:groups] * (len(events) // groups)
    frame = pd.DataFrame({"m": months, "area": areas, "x": events, "n": 100})
    return from_counts(frame, TEARS, period="m", numerator="x", denominator="n", group="area")


# Numbers


def test_a_number_stands_for_half_a_unit_of_its_last_digit():
    found = from_text(["1,234", "2.5e-3", "x", "0.10"], together=False)
    assert found.low.round(6).tolist()[:2] == [1233.5, 0.00245]
    assert not found.there[2]
    assert round(float(found.high[3]), 6) == 0.105
    assert from_text(["0.1", "0.123456789012345"]).high[0] == pytest.approx(0.1, rel=1e-14)
    assert not from_text(["", "*"]).there.any()


def test_what_a_rule_shows_a_number_for():
    rule = Outlook(SuppressionRule("r", 7, mark=5, rounding=5), 1)
    low, high = rule.stands_for(np.array([0.0, 5, 10, 15, np.nan]))
    assert low[:4].tolist() == [0, 1, 8, 13]
    assert high[:4].tolist() == [0, 7, 12, 17]
    low, high = rule.stands_for(np.array([4.0, 10]))
    assert (low.tolist(), high.tolist()) == ([4, 10], [4, 10])
    wide = Outlook(SuppressionRule("r", 4, mark=4, rounding=2), 1)
    low, high = wide.stands_for(np.array([4.0, 6]))
    assert (low.tolist(), high.tolist()) == ([1, 5], [4, 6])


def test_what_a_withheld_count_can_be():
    assert Outlook(SuppressionRule("r", 7), 1).least_withheld == 1
    assert Outlook(SuppressionRule("r", 7, minimum_denominator=25), 1).least_withheld == 0
    assert Outlook(SuppressionRule("r", 7, secondary=False), 1).most_withheld == 7
    assert np.isinf(Outlook(SuppressionRule("r", 7), 1).most_withheld)
    assert outlook_of("strict-10").enough == 5
    assert outlook_of("strict-10", 2).enough == 2


# Pairs


def pairs(
    events: tuple[float, float], births: tuple[float, float], kind: str = "proportion", **printed: str
) -> Any:
    ranges = {n: from_text([text]) for n, text in printed.items()}
    ends = [Range(np.array([a]), np.array([b])) for a, b in (events, births)]
    found = fitting_pairs(Rows(ends[0], ends[1], ranges, kind, "interval", 0.95))
    return sorted(zip(found.events.tolist(), found.births.tolist(), strict=True))


def test_a_rate_leaves_the_pairs_that_give_it():
    loop = [(x, n) for n in range(58, 63) for x in range(n + 1) if abs(x / n - 0.05) <= 0.0005 + 1e-15]
    assert pairs((0, np.inf), (58, 62), value="0.050") == loop
    assert pairs((3, 3), (0, np.inf), value="0.050")[0] == (3, 60)
    assert pairs((0, np.inf), (0, np.inf), value="0.050") == []
    assert pairs((0, np.inf), (60, 60), kind="rate", value="1.5") == [(x, 60) for x in range(87, 94)]


def test_an_interval_leaves_pairs_also_where_births_are_open():
    found = pairs((0, np.inf), (0, np.inf), lower="0.0171", upper="0.1370", value="0.0500")
    assert (3, 60) in found
    assert len(found) < 4
    assert pairs((0, np.inf), (MOST, MOST), lower="0.0", upper="1.0") == []


# Frames


def read(frame: pd.DataFrame, **options: Any) -> Any:
    return read_frame(frame, "the table", Meaning(), **options)


def test_usual_names_of_columns():
    frame = pd.DataFrame(
        {
            "Ethnicity": ["Asian"],
            "n_events": ["1,200"],
            "Deliveries": [9000],
            "Rate (per 1,000)": ["133.3"],
            "sd": [1.0],
        }
    )
    found = read(frame)
    assert set(found.numbers) == {"numerator", "denominator", "value"}
    assert found.numbers["numerator"].low[0] == pytest.approx(1200)
    assert found.numbers["value"].high[0] == pytest.approx(0.13335)
    assert found.strata.columns.tolist() == ["Ethnicity"]
    assert read(pd.DataFrame({"colour": ["red"]})) is None
    assert read(frame.head(0)) is None


@pytest.mark.parametrize(
    ("column", "values", "likely", "days"),
    [
        ("month", ["2024-01", "2024-02"], "", 31),
        ("quarter", ["2024 Q1", "2024 Q2"], "", 91),
        ("year", ["2023-24", "2024-25"], "", None),
        ("period", ["2024-01-01", "2024-04-01"], "", 91),
        ("period", ["2023-01-01", "2024-01-01"], "", 365),
        ("period", ["2024-01-01"], "year", 366),
        ("period", ["2024-01-01"], "", 31),
        ("date", ["2024-01-05", "2024-01-09"], "", 1),
    ],
)
def test_times_of_rows(column, values, likely, days):
    start, stop, used = spans_of(pd.DataFrame({column: values}), "", likely)
    assert used == {column}
    if days is not None:
        assert (stop - start)[0] == np.timedelta64(days, "D")


def test_times_that_cannot_be_read_are_none():
    for frame in (pd.DataFrame({"x": [1]}), pd.DataFrame({"month": ["never"]})):
        start, stop, _ = spans_of(frame)
        assert np.isnat(start).all()
        assert np.isnat(stop).all()


def test_windows_that_overlap_cover_all_their_periods():
    frame = pd.DataFrame({"m": ["2024-03", "2024-04"], "n": [12, 14]})
    series = from_counts(frame, CALLS, period="m", numerator="n", window=3)
    audit = audit_disclosure(series, SuppressionRule("r", 13, protect=2))
    assert audit.failures["start"].tolist() == [pd.Timestamp("2024-01-01")]


def test_references_of_gaps_are_counts_too():
    series = made_series((9, 8, 7, 9, 2, 7), groups=3)
    table = gaps(series, reference="rest", over="period").table
    small = table["events"] == 2
    blank = table.assign(
        events=table["events"].mask(small),
        rate=table["rate"].mask(small),
        status=table["status"].astype("str").mask(small, "suppressed"),
    )
    rows = audit_disclosure(blank, RULE).failures
    assert rows["numbers"].tolist() == ["2"]
    without = blank.drop(columns=["reference_events", "reference_births", "difference", "ratio"])
    shown = without.drop(columns=[c for c in without if c.startswith(("reference", "diff", "ratio", "odds"))])
    assert audit_disclosure(shown.drop(columns=["lower", "upper"], errors="ignore"), RULE).passed
    only = blank.drop(columns=["reference_events", "reference_births"])
    assert "the value" in audit_disclosure(only, RULE).failures["how"].iloc[0]


def test_references_are_read_only_where_they_are_counts():
    frame = pd.DataFrame(
        {
            "group": ["Asian", "Black"],
            "events": [9, 8],
            "reference": ["Black", "a target"],
            "reference_events": [8.0, np.nan],
            "reference_births": [100.0, np.nan],
        }
    )
    found = read(frame)
    references = read_references(frame, found)
    assert references.strata["group"].tolist() == ["Black"]
    assert read_references(frame.drop(columns="reference"), found) is None


def test_tables_of_rates_are_read_with_their_own_interval():
    table = rates(made_series(), over="period").table
    small = table["events"] == 2
    for kept in (["rate"], ["lower", "upper"]):
        gone = [c for c in ("events", "rate", "lower", "upper") if c not in kept]
        blank = table.assign(
            status=table["status"].astype("str").mask(small, "suppressed"),
            **{c: table[c].mask(small) for c in gone},
        )
        assert audit_disclosure(blank, RULE).failures["numbers"].tolist() == ["2"]


def test_gap_charts_inequality_and_comparisons_are_read_for_their_counts_only():
    series = made_series((9, 8, 7, 9, 12, 7), groups=3)
    chart = gap_chart(series, reference="rest", every="month")
    audit = audit_disclosure([chart, inequality(series), compare_groups(series, across="group")], RULE)
    assert audit.passed
    assert "contradiction" not in set(audit.notes["code"])
    said = " ".join(audit.notes["text"])
    assert "the points of the figure of the GapChart" in said
    assert "InequalityTable" in said
    assert "the references of the GapChart" in audit.method["items"]


def test_a_raw_rate_left_beside_a_blank_one():
    frame = TABLE.assign(rate=[0.03, np.nan], raw=[0.03, 0.05])
    assert audit_disclosure(frame, SuppressionRule("r", 4, protect=2)).failures["numbers"].tolist() == ["3"]


# Places


def test_groupings_that_do_not_nest_stay_apart():
    scheme = Scheme.load("nhs-2001")
    fine, coarse = (
        read_frame(pd.DataFrame({"group": [g], "events": [9]}), "t", Meaning(grouping=grouping))
        for grouping, g in (
            (scheme.groupings[0], scheme.groups(scheme.groupings[0])[0]),
            ("made up", "Others"),
        )
    )
    places = place_rows([fine, coarse], scheme)
    assert places.cover.shape == (2, 2)


# Text


def test_sentences_of_any_text():
    names = Names({"North, Black": {"site": "North", "group": "Black"}})
    told = read_text("North, Black: 3 events among 60 births.\n\n17 women had 4 events", "t", names)
    assert [dict(t.stratum) for t in told] == [{"site": "North", "group": "Black"}, {}]
    assert told[1].numbers == {"numerator": (4.0, 4.0), "denominator": (17.0, 17.0)}
    assert read_text("Nothing was counted: at all", "t", names) == []
    assert read_text("Elsewhere: 3 events", "t", names) == []
    odd = read_text("Black: X, by fortnight, 2024-01 to 2024-02: 2 events", "t", Names({}))
    assert np.isnat(odd[0].start)
    frame = pd.DataFrame({"group": ["Black"], "text": ["p chart: 5 events"]})
    assert sentences(frame, "t")[0].stratum == {"group": "Black"}


def test_a_total_of_points_that_were_not_all_observed_is_left_alone():
    frame = made_series().data.assign(status="suppressed", numerator=np.nan, value=np.nan)
    text = "Black: p chart of Tears, by month, 2024-01 to 2024-02: 1 observed point; 15 events among 200."
    assert audit_disclosure([frame, text], RULE).passed
    two = text.replace("1 observed point", "2 observed points")
    table = audit_disclosure([frame, two], RULE).table.query("group == 'Black'")
    assert table["highest"].max() < 16


# Figures


def test_ticks():
    assert date_ticks([(0.0, "Q1 2024"), (1.0, "Q2")])(np.array(0.0)) == np.datetime64("2024-01-01")
    assert date_ticks([(0.0, "2023-24"), (1.0, "2024-25")])(np.array(0.0)) == np.datetime64("2023-04-01")
    assert date_ticks([(0.0, "5 Jan 2024"), (1.0, "12 Jan 2024")])(np.array(1.0)) == np.datetime64(
        "2024-01-12"
    )
    assert date_ticks([(0.0, "Asian"), (1.0, "Black")]) is None
    assert number_ticks([(0.0, "0"), (1.0, "\N{MINUS SIGN}5")])(np.array(1.0)) == -5
    assert number_ticks([(0.0, "0"), (0.5, "1"), (1.0, "10")]) is None
    assert number_ticks([(0.0, "low"), (1.0, "10")]) is None


def svg_of(chart: Any) -> str:
    import io

    written = io.StringIO()
    chart.plot().savefig(written, format="svg")
    return written.getvalue()


@pytest.mark.parametrize("kind", ["c", C(limits="classical")])
def test_a_figure_of_counts(kind):
    frame = pd.DataFrame({"m": [f"2024-0{k}" for k in range(1, 8)], "n": [9, 8, 2, 7, 9, 12, 8]})
    series = from_counts(frame, CALLS, period="m", numerator="n")
    printed, _ = read_svg(svg_of(control_chart(series, kind)), "the figure", Meaning("count"), Names({}))
    assert printed[0].numbers["numerator"].low.tolist() == frame["n"].tolist()


def test_a_point_with_nothing_beside_it_is_read_from_its_mark():
    frame = pd.DataFrame(
        {"m": [f"2024-0{k}" for k in range(1, 8)], "x": [9, None, 2, None, 9, 12, 8], "n": 100}
    )
    series = from_counts(frame, TEARS, period="m", numerator="x", denominator="n")
    printed, _ = read_svg(svg_of(control_chart(series, "p")), "f", Meaning("proportion"), Names({}))
    by_month = dict(
        zip(
            printed[0].start.astype("datetime64[M]").astype(str), printed[0].numbers["value"].low, strict=True
        )
    )
    assert by_month["2024-03"] == pytest.approx(0.02, abs=1e-6)


def test_a_value_off_the_scale_is_read_from_its_line():
    frame = pd.DataFrame({"m": [f"2024-0{k}" for k in range(1, 8)], "x": [5, 6, 5, 60, 6, 5, 6], "n": 100})
    series = from_counts(frame, TEARS, period="m", numerator="x", denominator="n")
    chart = control_chart(series, "p", exclude="2024-04", baseline=3)
    printed, _ = read_svg(svg_of(chart), "f", Meaning("proportion"), Names({}))
    assert printed[0].numbers["value"].low.max() == pytest.approx(0.6, abs=1e-6)


def test_figures_that_are_no_charts_over_time_are_passed_over():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot([1, 2], [3, 4], marker="o")
    assert (
        read_svg(svg_of(type("F", (), {"plot": lambda self: figure})()), "f", Meaning(), Names({}))[0] == []
    )
    with pytest.raises(DataError, match="no SVG"):
        read_svg("<svg", "the figure", Meaning(), Names({}))


def test_points_that_carry_their_past_are_named_as_not_attacked():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"m": pd.date_range("2023-01-01", periods=14, freq="MS").strftime("%Y-%m")})
    frame = frame.assign(x=rng.integers(5, 12, 14), n=100)
    series = from_counts(frame, TEARS, period="m", numerator="x", denominator="n")
    for kind in ("ewma", "cusum"):
        audit = audit_disclosure(control_chart(series, kind), RULE)
        assert "not_attacked" in set(audit.notes["code"])
    done = audit_disclosure([series.data, series.select().data.assign(known=1.0, births=3)], RULE)
    assert "completeness" in done.notes["text"].iloc[0]


# Reports


def test_reports_are_saved_and_compared():
    audit = audit_disclosure(TABLE, RULE)
    saved = json.loads(json.dumps(audit.to_dict()))
    assert DisclosureAudit.from_dict(saved).equals(audit)
    assert not audit.equals(TABLE)
    assert "passed" in repr(audit)
    assert "<table" in audit._repr_html_()
    failed = audit_disclosure(TABLE.assign(rate=[0.03, 0.05]), SuppressionRule("r", 4, protect=2))
    assert "failed: 1 count" in failed._repr_html_()
    assert DisclosureAudit.from_dict(failed.to_dict()).equals(failed)
    with pytest.raises(DataError, match="not the data of an audit"):
        DisclosureAudit.from_dict(audit.to_dict() | {"table": {"$frame": []}})
    with pytest.raises(DataError, match="DisclosureAudit"):
        DisclosureAudit.from_dict({})


def test_columns_and_types_are_the_same_whatever_was_found():
    empty = audit_disclosure("Asian: 18 events among 1,234 births.", RULE)
    full = audit_disclosure(TABLE, RULE)
    assert empty.passed
    assert empty.table.empty
    assert empty.table.columns.tolist() == full.table.columns.tolist()
    assert empty.table.dtypes.tolist() == full.table.dtypes.tolist()


@pytest.mark.parametrize(
    ("published", "error", "text"),
    [
        ([], OptionError, "published holds nothing"),
        (7, InputTypeError, "type int"),
        ("nowhere.csv", OptionError, "there is no file"),
    ],
)
def test_what_cannot_be_read_is_refused(published, error, text):
    with pytest.raises(error, match=text):
        audit_disclosure(published, RULE)


def test_wrong_rules_and_truths_are_refused():
    with pytest.raises(InputTypeError, match="rule=3"):
        audit_disclosure(TABLE, 3)
    with pytest.raises(InputTypeError, match="truth is of type DataFrame"):
        audit_disclosure(TABLE, RULE, truth=TABLE)


def test_contradictions_are_told_and_nothing_is_ruled_out_by_them():
    table = pd.DataFrame({"group": ["Asian", "Black", "All groups"], "events": [12, None, 9]})
    audit = audit_disclosure(table, RULE)
    assert "contradiction" in set(audit.notes["code"])
    assert np.isinf(audit.table["highest"]).all()
    twice = pd.DataFrame({"group": ["Asian", "Black", "Black"], "events": [12, 3, 4]})
    assert "contradiction" in set(audit_disclosure([twice, TABLE], RULE).notes["code"])


def test_a_file_of_words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("Black: 2 events among 60 births.", encoding="utf-8")
    audit = audit_disclosure([TABLE, path], RULE)
    assert audit.failures["numbers"].tolist() == ["2"]
    assert audit.method["items"] == ["the table", "words.txt"]


def test_numbers_are_read_as_they_stand():
    assert exactly([3]).holds(np.array([3.0]), np.array([3.0])).all()
