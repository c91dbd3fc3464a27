"""Births and days between events."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cells import OBSERVED, PADDING, PROVISIONAL

DEATH = qe.measures["stillbirth"]

# Births between cases of asphyxia in a published worked example: Anhoej, "Mastering Statistical Process
# Control Charts in Healthcare" (Robson group 1, 2016): 2,193 births, 16 cases.
PUBLISHED_GAPS = [99, 64, 255, 68, 148, 73, 35, 63, 286, 24, 176, 33, 418, 139, 54]


def at_minutes(events, step=1):
    return pd.DataFrame(
        {
            "born": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(events)) * step, unit="min"),
            "died": events,
        }
    )


def test_gaps_of_a_published_example_come_back_from_records():
    places = 100 + np.cumsum([0, *PUBLISHED_GAPS])
    events = np.zeros(2193, dtype=int)
    events[places] = 1
    series = qe.between_events(at_minutes(events), DEATH, date="born", event="died")
    cells = series.cells
    assert cells.value[0, :-1].tolist() == PUBLISHED_GAPS
    assert cells.value[0, :-1].mean() == 129
    assert cells.status[0].tolist() == [OBSERVED] * 15 + [PROVISIONAL]
    assert cells.value[0, -1] == 2193 - 1 - places[-1]
    assert cells.numerator[0].tolist() == [1] * 15 + [0]
    assert series.notes["text"].tolist() == ["100 births before the first event are in no gap."]
    assert cells.denominator.sum() + 101 == 2193


def loop_of_gaps(frame):
    """Walk through births in order of time; births of one time have their events spread over them."""
    gaps, since, started = [], 0, False
    for _, births in frame.sort_values("born", kind="stable").groupby("born", sort=True):
        b, e = len(births), int(births["died"].sum())
        chosen = {k * (b + 1) // (e + 1) for k in range(1, e + 1)}
        for place in range(1, b + 1):
            since += 1
            if place in chosen:
                gaps += [since] * started
                since, started = 0, True
    return [*gaps, since]


def test_births_of_one_time_have_no_order_of_their_own():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "born": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 40, 300), unit="D"),
            "died": rng.random(300) < 0.2,
        }
    )
    found = qe.between_events(frame, DEATH, date="born", event="died")
    assert found.cells.value[0].tolist() == loop_of_gaps(frame)
    shuffled = qe.between_events(frame.sample(frac=1, random_state=1), DEATH, date="born", event="died")
    assert shuffled.cells.equals(found.cells)


def test_when_all_births_of_a_day_are_events_each_is_a_gap_of_one():
    frame = pd.DataFrame({"born": ["2024-01-01"] * 3, "died": 1})
    cells = qe.between_events(frame, DEATH, date="born", event="died").cells
    assert cells.value.tolist() == [[1, 1, 0]]


def test_days_between_events_keep_two_on_one_date_and_parts_of_days():
    frame = pd.DataFrame(
        {
            "born": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-03", "2024-01-05"]),
            "died": [1, 1, 1, 0],
        }
    )
    days = qe.between_events(frame, DEATH, date="born", event="died", unit="days")
    assert days.cells.value.tolist() == [[2, 0, 2]]
    assert days.cells.denominator.tolist() == [[1, 1, 1]]
    later = qe.between_events(frame, DEATH, date="born", event="died", unit="days", as_of="2024-01-10")
    assert later.cells.value.tolist() == [[2, 0, 7]]
    assert later.cells.periods[0, -1] == np.datetime64("2024-01-10")
    hours = qe.between_events(
        at_minutes([1, 0, 1], step=360), DEATH, date="born", event="died", unit="days", as_of="2024-01-01"
    )
    assert hours.cells.value.tolist() == [[0.5, 0]]


def test_births_without_recorded_outcome_are_in_no_gap_but_are_told():
    frame = pd.DataFrame({"born": pd.date_range("2024-01-01", periods=6), "died": [1, None, 0, 1, None, 0]})
    cells = qe.between_events(frame, DEATH, date="born", event="died").cells
    assert cells.value.tolist() == [[2, 1]]
    assert cells.unrecorded.tolist() == [[1, 1]]


def test_strata_have_their_own_gaps_and_their_own_number_of_them():
    frame = pd.DataFrame(
        {
            "born": pd.date_range("2024-01-01", periods=9),
            "died": [1, 1, 0, 1, 0, 1, 0, 0, 1],
            "code": ["A", "M", "A", "A", "H", "A", "M", "A", "M"],
        }
    )
    series = qe.between_events(frame, DEATH, date="born", event="died", ethnicity="code")
    white, black, asian = (series.groups.index(g) for g in ("White", "Black", "Asian"))
    cells = series.cells
    assert cells.value[white].tolist() == [2, 1, 1]
    assert cells.value[black, :2].tolist() == [2, 0]
    assert cells.status[black].tolist() == [OBSERVED, PROVISIONAL, PADDING]
    assert np.isnat(cells.periods[black, 2])
    assert (cells.status[asian] == PADDING).all()
    told = series.notes[series.notes["code"] == "no_events"]
    assert told[["group", "text"]].values.tolist() == [
        ["Asian", "1 births and no event: there is no gap to chart."]
    ]
    assert len(series.data) == 5


def test_a_measure_of_events_becomes_one_of_gaps_and_longer_is_better():
    frame = at_minutes([1, 0, 1])
    measure = qe.between_events(frame, DEATH, date="born", event="died", unit="days").measure
    assert (measure.kind, measure.better, measure.unit, measure.multiplier) == (
        "between",
        "higher",
        "days",
        1,
    )
    assert measure.name == f"{DEATH.name}: days between events"
    own = qe.Measure("Births between deaths", "between", "higher", unit="births")
    assert qe.between_events(frame, own, date="born", event="died").measure is own


def test_labels_of_months_do_not_order_births():
    frame = pd.DataFrame({"born": ["2024-01", "2024-02"], "died": [1, 0]})
    with pytest.raises(qe.DataError, match=r"born: the order of births needs days \(2\)"):
        qe.between_events(frame, DEATH, date="born", event="died")


def test_no_event_at_all_is_refused():
    with pytest.raises(
        qe.DataError, match=r"event='died': no event among 3 births; there is no gap to chart"
    ):
        qe.between_events(at_minutes([0, 0, 0]), DEATH, date="born", event="died")


def test_the_unit_is_checked():
    with pytest.raises(qe.OptionError, match=r"unit='day' is not allowed; use one of 'births', 'days'"):
        qe.between_events(at_minutes([1]), DEATH, date="born", event="died", unit="day")
