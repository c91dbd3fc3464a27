"""Recorded changes as phases: against the frame a reader would write by hand, and against plain loops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import Cells
from qi_equity.data.recorded import CODES, RecordedChanges
from qi_equity.data.timeline import timeline
from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError

MONTHS = pd.period_range("2022-01", periods=24, freq="M").astype(str).tolist()
GROUPS, SITES = ["East", "West"], ["North", "South"]
COLUMNS = ["start", "site", "group", "label", "reason"]
Row = tuple[Any, Any, Any, Any, Any]


class Diary:
    """Keeps what was asked of it, and gives the same rows whatever the measure."""

    def __init__(self, *rows: Row, frame: Any = None) -> None:
        self.frame = pd.DataFrame(list(rows), columns=COLUMNS, dtype=object) if frame is None else frame
        self.asked: list[str] = []

    def phases(self, measure: str, group: str | None = None) -> pd.DataFrame:
        self.asked.append(measure)
        return self.frame


class Asleep:
    phases = None


TOOL: Row = ("2022-09-12", "North", None, "Risk tool", "Cycle 3: adopted")
LINE: Row = ("2023-03-06", "North", "East", "Phone line", "Cycle 5: adopted")


def counts(sites: Sequence[str] | None = SITES, groups: Sequence[str] = GROUPS) -> qe.StratifiedSeries:
    places = [(s, g) for s in (sites or [None]) for g in groups]
    rows = pd.DataFrame(
        [
            (m, s, g, 6 + (7 * i + 3 * p) % 9, 90)
            for p, (s, g) in enumerate(places)
            for i, m in enumerate(MONTHS)
        ],
        columns=["month", "site", "group", "x", "n"],
    )
    more = {} if sites is None else {"site": "site"}
    return qe.from_counts(
        rows, qe.measures["pph_1500"], period="month", numerator="x", denominator="n", group="group", **more
    )


def said(result: Any, code: str) -> str:
    return "\n".join(result.notes.loc[result.notes["code"] == code, "text"])


def by_hand(*rows: Row) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def test_what_holds_recorded_changes_is_told_from_what_does_not() -> None:
    assert isinstance(Diary(), RecordedChanges)
    assert not isinstance(object(), RecordedChanges)
    for wrong in (Diary, object(), Asleep()):
        with pytest.raises((InputTypeError, TypeError)):
            qe.run_chart(counts(), phases=wrong)
    # A frame is a frame, even with a column of the method's name.
    with pytest.raises(ColumnError, match="phases"):
        qe.run_chart(counts(), phases=pd.DataFrame({"phases": ["2023-01"]}))
    with pytest.raises(InputTypeError, match="exclude"):
        qe.run_chart(counts(), exclude=Diary(TOOL))


CHARTS: dict[str, Any] = {
    "control_chart": lambda series, phases: qe.control_chart(series, phases=phases),
    "run_chart": lambda series, phases: qe.run_chart(series, phases=phases),
    "gap_chart": lambda series, phases: qe.gap_chart(series, reference="West", phases=phases),
}


@pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS.keys())
def test_a_chart_has_the_phases_of_the_frame_written_by_hand(make: Any) -> None:
    series, diary = counts(), Diary(TOOL, LINE)
    chart = make(series, diary)
    assert set(diary.asked) == {series.measure.name}
    assert chart.equals(make(series, by_hand(TOOL, LINE)))
    assert "post hoc" not in " ".join(chart.timeline.phases["label"])
    assert not said(chart, "phase_post_hoc")
    again = type(chart).from_dict(json.loads(json.dumps(chart.to_dict())))
    assert again.equals(chart)
    later = chart.timeline.phases.query("phase > 1")
    assert set(later["label"]) == {"Risk tool", "Phone line"}
    assert len(later[later["site"] == "South"]) == 0
    assert isinstance(chart.method["phases"], pd.DataFrame)
    # Dates without a reason stay what they are.
    assert said(make(series, ["2022-09"]), "phase_post_hoc")


def test_an_evaluation_has_the_changes_of_the_frame_written_by_hand() -> None:
    series = counts()
    found = qe.evaluate_change(series, Diary(TOOL, LINE), reference="West")
    written = qe.evaluate_change(series, by_hand(TOOL, LINE), reference="West")
    assert found.equals(written)
    assert isinstance(found.options["at"], pd.DataFrame)
    assert qe.ChangeEvaluation.from_dict(json.loads(json.dumps(found.to_dict()))).equals(found)
    assert not said(found, "phase_post_hoc")


SERIES = counts()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            st.dates(pd.Timestamp("2022-02-01").date(), pd.Timestamp("2023-12-28").date()),
            st.sampled_from([None, *SITES]),
            st.sampled_from([None, "", *GROUPS]),
            st.sampled_from(["", "A", "B"]),
            st.sampled_from(["", "first cycle", "second cycle"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_records_give_the_phases_of_a_plain_loop(rows: list[Row]) -> None:
    wanted: dict[tuple[str, str], dict[str, tuple[list[str], list[str]]]] = {}
    for start, site, group, label, reason in sorted(rows, key=lambda row: row[0]):
        for s in SITES:
            for g in GROUPS:
                if site in (None, s) and group in (None, "", g):
                    at = wanted.setdefault((s, g), {}).setdefault(f"{start:%Y-%m}", ([], []))
                    name, why = label or reason or "recorded change", reason or "recorded change"
                    for told, text in zip(at, (name, why), strict=True):
                        told.extend([] if text in told else [text])
    expected = [
        [s, g, month, " + ".join(names), " + ".join(whys)]
        for (s, g) in sorted(wanted)
        for month, (names, whys) in sorted(wanted[s, g].items())
    ]
    series = SERIES
    when = timeline(series, phases=Diary(*rows))
    phases = when.phases.query("phase > 1").astype({"site": "str", "group": "str"})
    found = phases.assign(start=phases["start"].dt.strftime("%Y-%m"))[["site", "group", *COLUMNS[:1]]]
    assert [
        [*a, *b] for a, b in zip(found.values, phases[["label", "reason"]].values, strict=True)
    ] == expected
    same = pd.DataFrame(expected, columns=["site", "group", "start", "label", "reason"])
    written = timeline(series, phases=same)
    assert when.phases.equals(written.phases)
    np.testing.assert_array_equal(when.phase, written.phase)


def test_changes_of_one_period_become_one_phase() -> None:
    everyone: Row = ("2022-09-28", None, None, "Poster", "Network month")
    chart = qe.run_chart(counts(), phases=Diary(everyone, TOOL, ("2022-09", "North", None, "Risk tool", "")))
    later = chart.timeline.phases.query("phase > 1").set_index(["site", "group"])
    assert later.loc[("North", "East"), "label"] == "Risk tool + Poster"
    assert later.loc[("North", "West"), "reason"] == "recorded change + Cycle 3: adopted + Network month"
    assert later.loc[("South", "East"), "label"] == "Poster"
    # Of one date, those recorded first come first.
    one = qe.run_chart(counts(), phases=Diary(TOOL, (TOOL[0], None, None, "Poster", "Network month")))
    assert one.timeline.phases.query("phase > 1")["label"].tolist()[0] == "Risk tool + Poster"
    with pytest.raises(DataError, match="starts together"):
        qe.run_chart(counts(), phases=by_hand(everyone, TOOL))


def test_a_series_without_sites_takes_the_records_of_one() -> None:
    series = counts(sites=None)
    chart = qe.run_chart(series, phases=Diary(TOOL, LINE))
    plain = by_hand(TOOL, LINE).drop(columns="site")
    assert chart.equals(qe.run_chart(series, phases=plain))
    two = Diary(TOOL, ("2022-10-01", "South", None, "Huddle", "Cycle 1"))
    calls: dict[str, Any] = {
        "phases": lambda: qe.run_chart(series, phases=two),
        "at": lambda: qe.evaluate_change(series, two, reference="West"),
        "over": lambda: qe.rates(series, over=two),
        "changes": lambda: qe.suggest_phases(qe.run_chart(series), changes=two),
    }
    for argument, call in calls.items():
        with pytest.raises(OptionError, match=r"2 sites \(North, South\).*one of them.*by site") as caught:
            call()
        assert str(caught.value).startswith(argument)


@pytest.mark.parametrize("narrowed", [counts(sites=["North"]), counts().select(site="North")])
def test_changes_of_other_sites_are_left_out_and_said(narrowed: qe.StratifiedSeries) -> None:
    south: Row = ("2022-10-01", "South", "Nobody", "Huddle", "Cycle 1")
    chart = qe.run_chart(narrowed, phases=Diary(TOOL, south))
    assert chart.timeline.phases["label"].tolist() == ["", "Risk tool"] * 2
    assert said(chart, "recorded_change_elsewhere").startswith("1 recorded change(s)")
    assert "South" in said(chart, "recorded_change_elsewhere")
    with pytest.raises(OptionError, match=r"at names no change.*South.*2022-01"):
        qe.evaluate_change(narrowed, Diary(south), reference="West")


def test_groups_that_the_series_does_not_have_are_refused() -> None:
    with pytest.raises(DataError, match="names a group that the series does not have"):
        qe.run_chart(counts(), phases=Diary(("2022-10", "North", "Nobody", "Huddle", "Cycle 1")))
    with pytest.raises(DataError, match=r"in at: .*names a group"):
        qe.evaluate_change(counts(), Diary(("2022-10", None, "Nobody", "x", "y")), reference="West")
    with pytest.raises(DataError, match="not a date"):
        qe.run_chart(counts(), phases=Diary(("soon", "North", None, "Huddle", "Cycle 1")))


@pytest.mark.parametrize("date", ["2021-05-03", "2022-01-20", "2024-01-01"])
def test_changes_outside_the_series_are_left_out_and_named(date: str) -> None:
    outside: Row = (date, "North", "East", "Huddle", "Cycle 1")
    for make in CHARTS.values():
        chart = make(counts(), Diary(outside, TOOL))
        text = said(chart, "recorded_change_outside")
        assert f"'Huddle' (North, East, {date})" in text
        assert ("lies before" if date < "2023" else "lies after") in text
        assert "Risk tool" not in text
        assert set(chart.timeline.phases["label"]) == {"", "Risk tool"}
        note = chart.notes.set_index("code").loc["recorded_change_outside"]
        assert note["severity"] == "caution"
        assert text == said(type(chart).from_dict(chart.to_dict()), "recorded_change_outside")
    found = qe.evaluate_change(counts(), Diary(outside, TOOL), reference="West")
    assert "Huddle" in said(found, "recorded_change_outside")
    assert qe.ChangeEvaluation.from_dict(found.to_dict()).equals(found)
    with pytest.raises(OptionError, match=r"at names no change.*Huddle"):
        qe.evaluate_change(counts(), Diary(outside), reference="West")


def test_what_the_reading_said_stays_with_a_result_made_anew_for_others() -> None:
    series = counts(sites=["North"])
    diary = Diary(TOOL, ("2021-05-03", "North", "East", "Huddle", "Cycle 1"))
    made: list[Any] = [
        *(make(series, diary) for make in CHARTS.values()),
        qe.evaluate_change(series, diary, reference="West"),
    ]
    for result in made:
        out = result.disclose("strict-10")
        assert "Huddle" in said(out, "recorded_change_outside")
        assert said(out, "recorded_change_outside") == said(result, "recorded_change_outside")
    assert not said(qe.run_chart(series, phases=Diary(TOOL)).disclose("strict-10"), "recorded_change_outside")


def test_without_recorded_changes_there_is_one_phase_and_no_evaluation() -> None:
    for make in CHARTS.values():
        chart = make(counts(), Diary())
        assert (chart.timeline.phase == 0).all()
        assert counts().measure.name in said(chart, "no_recorded_change")
        assert not said(make(counts(), Diary(TOOL)), "no_recorded_change")
        assert said(make(counts(sites=None), Diary()), "no_recorded_change")
    with pytest.raises(OptionError, match=r"at names no change: No change of .* record the change .*2022-01"):
        qe.evaluate_change(counts(), Diary(), reference="West")


def test_spans_of_tables_can_be_phases_of_the_records() -> None:
    whole: Row = ("2023-01-09", None, None, "Risk tool", "Cycle 3: adopted")
    found = qe.rates(counts(), over=Diary(whole, LINE))
    assert found.equals(qe.rates(counts(), over=by_hand(whole, LINE)))


def test_suggested_phases_look_at_recorded_changes_whenever_made() -> None:
    rows = pd.DataFrame({"month": MONTHS, "calls": [14, 9, 12, 8, 15, 10] * 2 + [24, 19, 22, 18] * 3})
    series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="calls")
    chart = qe.run_chart(series, baseline=12)
    diary = Diary(("2022-12-04", "North", None, None, "Training"), ("2031-01-01", "North", None, "x", "y"))
    found = qe.suggest_phases(chart, changes=diary)
    frame = pd.DataFrame({"date": ["2022-12-04", "2031-01-01"], "label": ["Training", "x"]})
    assert found["label"].tolist() == ["Training"]
    pd.testing.assert_frame_equal(found, qe.suggest_phases(chart, changes=frame))
    (none,) = qe.suggest_phases(chart, changes=Diary())["reason"]
    assert none.startswith("Post hoc: no change is recorded for this stratum.")


def test_times_between_events_take_recorded_changes() -> None:
    days = (np.datetime64("2023-01-01", "us") + np.arange(0, 400, 20) * np.timedelta64(1, "D"))[None]
    strata = pd.DataFrame({"group": pd.Categorical(["A"])})
    row, column = np.nonzero(~np.isnat(days))
    cells = Cells.dense(strata, days, row, column, value=np.full(20, 20.0))
    measure = qe.Measure("Days between", "between", "higher")
    series = qe.StratifiedSeries(measure, None, None, "day", 1, cells, {}, _result.notes([]))
    rows: list[Row] = [("2023-05-01", None, None, "A", "one"), ("2023-05-01", None, None, "B", "two")]
    chart = qe.run_chart(series, phases=Diary(*rows))
    joined = pd.DataFrame({"start": ["2023-05-01"], "label": ["A + B"], "reason": ["one + two"]})
    assert chart.equals(qe.run_chart(series, phases=joined))
    assert chart.timeline.phases["label"].tolist() == ["", "A + B"]


@pytest.mark.parametrize(
    "make", [lambda f: f, pl.from_pandas, lambda f: f.assign(more=1)], ids=["pandas", "polars", "wider"]
)
def test_records_may_give_any_frame_with_the_columns(make: Any) -> None:
    frame = by_hand(TOOL, LINE)
    chart = qe.run_chart(counts(), phases=Diary(frame=make(frame)))
    assert chart.equals(qe.run_chart(counts(), phases=frame))


def test_records_that_give_no_such_frame_are_refused() -> None:
    with pytest.raises(InputTypeError, match=r"phases: what phases\('Postpartum.*Diary gave is of type list"):
        qe.run_chart(counts(), phases=Diary(frame=[1]))
    with pytest.raises(ColumnError, match="'reason' is not a column"):
        qe.run_chart(counts(), phases=Diary(frame=by_hand(TOOL).drop(columns="reason")))


def test_the_codes_that_are_carried_on_are_those_of_the_reading() -> None:
    assert set(CODES) == {"no_recorded_change", "recorded_change_elsewhere", "recorded_change_outside"}
