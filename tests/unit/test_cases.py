"""Expected probabilities of single births, against plain loops over the births."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cases import Cases
from qi_equity.data.cells import OBSERVED, PADDING, PROVISIONAL, Cells

DEATH = qe.measures["stillbirth"]


def random_gaps(rng, strata, width):
    """Make gaps and their births: closed gaps, an open one (at times of 0 births), then padding."""
    denominator = np.full((strata, width), np.nan)
    closed = np.zeros((strata, width), dtype=bool)
    for s in range(strata):
        events = rng.integers(0, width)
        if events:
            denominator[s, :events] = rng.integers(1, 5, events)
            denominator[s, events] = rng.integers(0, 3)
            closed[s, :events] = True
    start = np.append(0, np.cumsum(np.nan_to_num(denominator).sum(axis=1))).astype(np.int64)
    return Cases(rng.uniform(0.001, 0.6, start[-1]), start), denominator, closed


def births_by_loop(cases, denominator):
    """Walk through the births, and give those of each gap as a list."""
    risks = iter(cases.risk.tolist())
    return [
        [[next(risks) for _ in range(int(np.nan_to_num(n)))] for n in row] for row in denominator.tolist()
    ]


def test_expected_numbers_worked_by_hand():
    cases = Cases(np.array([0.1, 0.2, 0.5, 0.3]), np.array([0, 3, 3, 4]))
    denominator = np.array([[2.0, 1.0, 0.0], [np.nan] * 3, [1.0, 0.0, np.nan]])
    nan = np.nan
    np.testing.assert_allclose(cases.expected(denominator), [[0.3, 0.5, 0], [nan] * 3, [0.3, 0, nan]])


@pytest.mark.parametrize("seed", range(4))
def test_expected_numbers_are_sums_over_births(seed):
    cases, denominator, _ = random_gaps(np.random.default_rng(seed + 50), 6, 4)
    found = cases.expected(denominator)
    for s, row in enumerate(births_by_loop(cases, denominator)):
        for t, births in enumerate(row):
            wanted = np.nan if math.isnan(denominator[s, t]) else math.fsum(births)
            assert found[s, t] == pytest.approx(wanted, rel=1e-12, nan_ok=True)


def test_no_births_at_all_have_nothing_expected():
    cases = Cases(np.zeros(0), np.array([0, 0]))
    np.testing.assert_array_equal(cases.expected(np.array([[0.0, np.nan]])), [[0, np.nan]])


def test_arrays_of_cases_are_read_only():
    risk = np.array([0.5])
    cases = Cases(risk, np.array([0, 1]))
    with pytest.raises(ValueError, match="read-only"):
        cases.risk[0] = 0.1
    assert risk.flags.writeable
    assert cases.equals(Cases(np.array([0.5]), np.array([0, 1])))
    assert not cases.equals(Cases(np.array([0.4]), np.array([0, 1])))
    assert not cases.equals(Cases(np.array([0.5]), np.array([0, 0, 1])))


def records(births=400, days=60, seed=5):
    """Make records with several births of one date, several events of one date, and empty outcomes."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "born": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, days, births), unit="D"),
            "died": rng.choice([1.0, 0.0, np.nan], births, p=[0.15, 0.75, 0.1]),
            "risk": rng.uniform(0.01, 0.4, births).round(3),
            "code": rng.choice(["A", "M", "H"], births, p=[0.7, 0.25, 0.05]),
        }
    ).assign(risk=lambda d: d["risk"].where(d["died"].notna() | (d.index % 2 == 0)))


GROUPS = {"A": "White", "M": "Black", "H": "Asian"}


def gaps_by_loop(frame):
    """Give the risks in each gap, births of one date in the order that is promised, and the open gap."""
    gaps, births_since, started = [], [], False
    for _, births in frame.dropna(subset="died").sort_values("born").groupby("born"):
        with_event = sorted(births.loc[births["died"] == 1, "risk"])
        without = sorted(births.loc[births["died"] == 0, "risk"])
        b, e = len(births), len(with_event)
        chosen = {k * (b + 1) // (e + 1) for k in range(1, e + 1)}
        for place in range(1, b + 1):
            births_since.append((with_event if place in chosen else without).pop(0))
            if place in chosen:
                gaps += [births_since] * started
                births_since, started = [], True
    return [*gaps, births_since] if started else []


def flat(gaps):
    return [risk for gap in gaps for risk in gap]


def test_cases_are_the_births_of_each_gap_in_their_order():
    frame = records()
    series = qe.between_events(
        frame, DEATH, date="born", event="died", expected="risk", ethnicity="code", unit="days"
    )
    cells = series.cells
    assert frame.duplicated(["born", "died", "code"]).any()
    for s, group in enumerate(series.groups):
        codes = [c for c, g in GROUPS.items() if g == group]
        gaps = gaps_by_loop(frame[frame["code"].isin(codes)])
        here = cells.status[s] != PADDING
        assert cells.denominator[s, here].tolist() == [len(gap) for gap in gaps]
        assert cells.cases.risk[cells.cases.start[s] : cells.cases.start[s + 1]].tolist() == flat(gaps)
        assert cells.expected[s, here].tolist() == pytest.approx([math.fsum(g) for g in gaps], rel=1e-12)
        assert np.isnan(cells.expected[s, ~here]).all()


def test_order_of_rows_does_not_matter_to_cases():
    frame = records()
    names = {"date": "born", "event": "died", "expected": "risk", "ethnicity": "code"}
    wanted = qe.between_events(frame, DEATH, **names)
    assert qe.between_events(frame.sample(frac=1, random_state=1), DEATH, **names).cells.equals(wanted.cells)
    plain = qe.between_events(frame, DEATH, **{k: v for k, v in names.items() if k != "expected"})
    assert plain.cells.cases is None
    assert np.isnan(plain.cells.expected).all()
    for name in ("value", "denominator", "unrecorded", "status", "periods"):
        np.testing.assert_array_equal(getattr(wanted.cells, name), getattr(plain.cells, name))


def test_two_events_of_one_date_keep_their_own_cases_in_order():
    frame = pd.DataFrame(
        {
            "born": ["2024-01-01", "2024-01-03", "2024-01-03", "2024-01-03", "2024-01-09"],
            "died": [1, 1, 1, 0, 1],
            "risk": [0.9, 0.3, 0.2, 0.1, 0.4],
        }
    )
    cells = qe.between_events(frame, DEATH, date="born", event="died", expected="risk", unit="days").cells
    # Of the three births of the 3rd, the first (4 // 3) and the second (8 // 3) are the events.
    assert cells.status.tolist() == [[OBSERVED, OBSERVED, OBSERVED, PROVISIONAL]]
    assert cells.value.tolist() == [[2, 0, 6, 0]]
    assert cells.denominator.tolist() == [[1, 1, 2, 0]]
    assert cells.cases.risk.tolist() == [0.2, 0.3, 0.1, 0.4]
    np.testing.assert_allclose(cells.expected, [[0.2, 0.3, 0.5, 0]])


def test_a_group_selected_from_all_is_as_one_that_stood_alone():
    frame = records()
    names = {"date": "born", "event": "died", "expected": "risk", "ethnicity": "code", "unit": "days"}
    whole = qe.between_events(frame, DEATH, **names, as_of="2024-03-01")
    for code, group in GROUPS.items():
        alone = qe.between_events(frame[frame["code"] == code], DEATH, **names, as_of="2024-03-01")
        one, other = (s.select(group=group).cells for s in (whole, alone))
        width = int((other.status != PADDING).sum())
        assert (one.status[:, width:] == PADDING).all()
        kept = slice(width)
        assert one.take(slice(None), kept).equals(other.take(slice(None), kept))
        assert one.cases.equals(other.cases)


@pytest.mark.parametrize(
    ("start", "end"), [("2024-01-20", None), (None, "2024-02-10"), ("2024-01-09", "2024-02-03")]
)
def test_events_selected_by_date_keep_their_cases(start, end):
    series = qe.between_events(records(), DEATH, date="born", event="died", expected="risk", ethnicity="code")
    whole, found = series.cells, series.select(start=start, end=end).cells
    first, last = (None if d is None else np.datetime64(d) for d in (start, end))
    births = births_by_loop(whole.cases, whole.denominator)
    for s in range(len(whole.strata)):
        kept = [
            gap
            for gap, at in zip(births[s], whole.periods[s], strict=True)
            if not np.isnat(at) and (first is None or at >= first) and (last is None or at <= last)
        ]
        assert found.cases.risk[found.cases.start[s] : found.cases.start[s + 1]].tolist() == flat(kept)
    np.testing.assert_allclose(found.expected, found.cases.expected(found.denominator), rtol=1e-12)


def test_strata_taken_in_another_order_take_their_cases_along():
    cases, denominator, closed = random_gaps(np.random.default_rng(3), 4, 5)
    nothing = np.full(denominator.shape, np.nan)
    dates = np.where(np.isnan(denominator), np.datetime64("NaT", "us"), np.datetime64("2024-01-01", "us"))
    cells = Cells(
        pd.DataFrame({"group": pd.Categorical(list("abcd"))}),
        dates,
        closed.astype(float),
        denominator,
        nothing,
        denominator,
        nothing,
        np.where(np.isnan(denominator), PADDING, OBSERVED).astype(np.int8),
        cases=cases,
    )
    births = births_by_loop(cases, denominator)
    taken = cells.take(np.array([2, 0]), np.array([1, 3]))
    assert births_by_loop(taken.cases, taken.denominator) == [[births[s][t] for t in (1, 3)] for s in (2, 0)]
    assert taken.cases.risk.size == sum(len(births[s][t]) for s in (2, 0) for t in (1, 3))
    assert cells.take(slice(None)).equals(cells)


def saved():
    return qe.between_events(records(), DEATH, date="born", event="died", expected="risk", ethnicity="code")


def test_a_series_with_cases_survives_json_and_sees_other_cases():
    series = saved()
    back = qe.StratifiedSeries.from_dict(json.loads(json.dumps(series.to_dict(), allow_nan=False)))
    assert back.equals(series)
    assert back.cells.cases.equals(series.cells.cases)
    other = records().assign(risk=lambda d: d["risk"].where(d.index != d["died"].last_valid_index(), 0.5))
    changed = qe.between_events(other, DEATH, date="born", event="died", expected="risk", ethnicity="code")
    assert not changed.equals(series)
    cells = series.cells
    turned = Cases(cells.cases.risk[::-1], cells.cases.start)
    for cases in (turned, None):
        assert not replace(cells, cases=cases).equals(cells)
        assert not cells.equals(replace(cells, cases=cases))
    assert replace(cells, cases=None).equals(replace(cells, cases=None))


def other_cases(data, **parts):
    tagged = data["cells"]["cases"]["$map"]
    changed = [[name, {**value, **parts.get(name, {})}] for name, value in tagged]
    return {**data, "cells": {**data["cells"], "cases": {"$map": changed}}}


def test_saved_cases_must_fit_the_births():
    data = saved().to_dict()
    risk = data["cells"]["cases"]["$map"][0][1]["$array"]
    short = {"$array": risk[:-1], "shape": [len(risk) - 1]}
    with pytest.raises(qe.DataError, match=rf"{len(risk) - 1} expected probabilities .* one for each birth"):
        qe.StratifiedSeries.from_dict(other_cases(data, risk=short))
    start = data["cells"]["cases"]["$map"][1][1]["$array"]
    with pytest.raises(qe.DataError, match="wanted is one for each birth in a gap"):
        qe.StratifiedSeries.from_dict(other_cases(data, start={"$array": [0, *start[2:], start[-1]]}))
    for wrong in (0.0, 1.0, None):
        with pytest.raises(qe.DataError, match="Expected probabilities of births must lie between 0 and 1"):
            qe.StratifiedSeries.from_dict(other_cases(data, risk={"$array": [wrong, *risk[1:]]}))


def test_bad_probabilities_are_all_told_at_once():
    frame = pd.DataFrame(
        {
            "born": pd.date_range("2024-01-01", periods=8),
            "died": [1, 0, 1, 0, 0, None, None, 0],
            "risk": [0.1, 0, 1, None, "high", None, 2, "0.2"],
        }
    )
    with pytest.raises(
        qe.DataError,
        match=r"risk is not between 0 and 1 \(3\); risk is empty where the outcome is not \(1\); "
        r"risk is not a number \(1\)",
    ) as caught:
        qe.between_events(frame, DEATH, date="born", event="died", expected="risk")
    assert caught.value.bad_rows["born"].tolist() == frame["born"][[1, 2, 3, 4, 6]].tolist()
