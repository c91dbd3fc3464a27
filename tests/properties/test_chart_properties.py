"""What must hold for every chart: mirror images, scale, gaps, row order, strata alone and together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import qi_equity as qe

SIDES = ("low", "high")
WHOLE = st.integers(-40, 40)
RULES = st.sampled_from(["anhoej+shewhart", "making_data_count", "anhoej+making_data_count"])


def frame_of(numbers: Any, births: Any = None) -> pd.DataFrame:
    table = np.atleast_2d(np.asarray(numbers, dtype=float))
    size, length = table.shape
    frame = pd.DataFrame(
        {
            "group": np.repeat([f"G{s}" for s in range(size)], length),
            "month": np.tile(pd.date_range("2020-01-01", periods=length, freq="MS"), size),
            "number": table.ravel(),
        }
    )
    return frame if births is None else frame.assign(births=np.broadcast_to(births, table.shape).ravel())


def values(numbers: Any, better: str = "lower") -> qe.StratifiedSeries:
    measure = qe.Measure("Test", "mean", better)
    return qe.from_counts(frame_of(numbers), measure, period="month", value="number", group="group")


def proportions(events: Any, births: Any) -> qe.StratifiedSeries:
    measure = qe.Measure("Test", "proportion", "lower")
    columns = {"numerator": "number", "denominator": "births", "group": "group"}
    return qe.from_counts(frame_of(events, births), measure, period="month", **columns)


def same_flags(
    one: qe.ControlChart, other: qe.ControlChart, *, swap: bool = False, first: int | None = None
) -> None:
    assert set(one.flags) == set(other.flags)
    for rule, side in one.flags:
        match = SIDES[1 - SIDES.index(side)] if swap else side
        np.testing.assert_array_equal(
            one.flags[rule, side][:, :first], other.flags[rule, match][:, :first], err_msg=f"{rule} {side}"
        )


@given(y=arrays(np.int64, st.integers(2, 40), elements=WHOLE), rules=RULES)
def test_the_mirror_image_swaps_the_sides(y: np.ndarray, rules: str) -> None:
    chart, mirrored = (qe.control_chart(values(v), rules=rules) for v in (y, -y))
    near = np.abs(chart.points["value"] - chart.points[["centre_line", "lower", "upper"]].T).min(axis=None)
    assume(near > 1e-9 or near == 0)
    same_flags(chart, mirrored, swap=True)
    assert chart.points["improvement"].tolist() == mirrored.points["concern"].tolist()
    pd.testing.assert_series_equal(chart.summary()["crossings"], mirrored.summary()["crossings"])


@given(y=arrays(np.int64, st.integers(2, 40), elements=WHOLE), rules=RULES)
def test_the_direction_of_the_measure_swaps_the_meanings_only(y: np.ndarray, rules: str) -> None:
    lower, higher = (qe.control_chart(values(y, better), rules=rules) for better in ("lower", "higher"))
    same_flags(lower, higher)
    assert lower.points["improvement"].tolist() == higher.points["concern"].tolist()
    swapped = lower.signals["meaning"].map(
        {"improvement": "concern", "concern": "improvement", "neutral": "neutral"}
    )
    assert swapped.tolist() == higher.signals["meaning"].tolist()


@given(y=arrays(np.int64, st.integers(2, 40), elements=WHOLE), power=st.integers(-3, 6), rules=RULES)
def test_a_change_of_unit_changes_no_flag(y: np.ndarray, power: int, rules: str) -> None:
    """Powers of two leave every digit as it is, so that ties stay ties."""
    factor = 2.0**power
    chart = qe.control_chart(values(y), rules=rules, target=3.0)
    scaled = qe.control_chart(values(y * factor), rules=rules, target=3.0 * factor)
    same_flags(chart, scaled)
    for line in ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s"):
        np.testing.assert_allclose(getattr(chart, line) * factor, getattr(scaled, line), rtol=1e-12)
    assert chart.icons()["assurance"].tolist() == scaled.icons()["assurance"].tolist()


@given(data=st.data(), births=st.integers(5, 120), size=st.integers(12, 30))
def test_events_and_non_events_mirror_each_other(data: st.DataObject, births: int, size: int) -> None:
    x = data.draw(arrays(np.int64, size, elements=st.integers(0, births)))
    chart, mirrored = (
        qe.control_chart(proportions(v, births), "p", rules="shewhart") for v in (x, births - x)
    )
    np.testing.assert_allclose(chart.lower, 1 - mirrored.upper, atol=1e-12)
    same_flags(chart, mirrored, swap=True)


@given(
    data=st.data(),
    births=st.integers(3, 300),
    size=st.integers(2, 40),
    spec=st.sampled_from(["p", "i", "run"]),
)
def test_an_appended_gap_changes_nothing_before_it(
    data: st.DataObject, births: int, size: int, spec: str
) -> None:
    x = data.draw(arrays(np.float64, size, elements=st.integers(0, births)))
    longer = np.append(x, [np.nan, np.nan])

    def draw(numbers: np.ndarray) -> qe.ControlChart:
        series = proportions(numbers, births)
        return qe.run_chart(series) if spec == "run" else qe.control_chart(series, spec)

    short, extended = draw(x), draw(longer)
    np.testing.assert_allclose(extended.centre_line[:, :size], short.centre_line, rtol=1e-12)
    np.testing.assert_allclose(extended.upper[:, :size], short.upper, rtol=1e-12)
    assert not extended.points["special_cause"].iloc[-2:].any()
    near = np.abs(short.points["value"] - short.points[["centre_line", "lower", "upper"]].T).min(axis=None)
    assume(spec == "p" or near > 1e-9)
    same_flags(short, extended, first=size)
    columns = ["n_points", "n_useful", "longest_run", "crossings", "runs_tests", "n_signals"]
    pd.testing.assert_frame_equal(short.summary()[columns], extended.summary()[columns])


@given(seed=st.integers(0, 10**6), strata=st.integers(2, 4), rules=RULES)
def test_strata_alone_are_as_strata_together(seed: int, strata: int, rules: str) -> None:
    rng = np.random.default_rng(seed)
    births = rng.integers(1, 200, (strata, 24))
    x = rng.binomial(births, rng.uniform(0.01, 0.6, (strata, 1)))
    together = qe.control_chart(proportions(x, births), rules=rules, baseline=15)
    for s in range(strata):
        alone = qe.control_chart(proportions(x[s], births[s]), rules=rules, baseline=15)
        np.testing.assert_array_equal(together.upper[s], alone.upper[0])
        for key, mask in together.flags.items():
            np.testing.assert_array_equal(mask[s], alone.flags[key][0])
        assert together.runs.reason[s, 0] == alone.runs.reason[0, 0]


@given(seed=st.integers(0, 10**6))
def test_row_order_and_number_types_play_no_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    births = rng.integers(20, 90, (3, 20))
    frame = frame_of(rng.binomial(births, 0.1), births)
    shuffled = frame.sample(frac=1, random_state=seed % 1000).astype({"number": "Int64", "births": "int32"})
    measure = qe.Measure("Test", "proportion", "lower")
    columns = {"numerator": "number", "denominator": "births", "group": "group"}
    one, other = (
        qe.control_chart(qe.from_counts(f, measure, period="month", **columns)) for f in (frame, shuffled)
    )
    pd.testing.assert_frame_equal(one.points, other.points)
    pd.testing.assert_frame_equal(one.signals, other.signals)


@given(
    value=st.floats(-1e6, 1e6),
    size=st.integers(2, 30),
    spread=st.sampled_from(["mean", "screened", "median"]),
)
def test_a_constant_series_has_limits_on_its_value(value: float, size: int, spread: str) -> None:
    chart = qe.control_chart(
        values([value] * size), qe.Individuals(spread=spread), rules="anhoej+making_data_count", target=value
    )
    assert (chart.lower == value).all()
    assert (chart.upper == value).all()
    assert len(chart.signals) == 0
    assert chart.icons()[["variation", "assurance"]].to_numpy().tolist() == [["common cause", "pass"]]


@given(data=st.data(), births=st.integers(2, 60), spec=st.sampled_from([qe.P(), qe.P("classical")]))
def test_nothing_but_events_or_none_signals_nothing(data: st.DataObject, births: int, spec: qe.P) -> None:
    level = data.draw(st.sampled_from([0, births]))
    chart = qe.control_chart(proportions([level] * 20, births), spec)
    assert len(chart.signals) == 0


@given(seed=st.integers(0, 10**6), boundary=st.integers(2, 22))
def test_phases_are_charts_of_their_own(seed: int, boundary: int) -> None:
    rng = np.random.default_rng(seed)
    births = rng.integers(20, 90, 24)
    x = rng.binomial(births, np.where(np.arange(24) < boundary, 0.2, 0.05))
    start = str(np.datetime64("2020-01", "M") + boundary)
    chart = qe.control_chart(proportions(x, births), "p", rules="anhoej+making_data_count", phases=start)
    for part in (slice(0, boundary), slice(boundary, 24)):
        alone = qe.control_chart(proportions(x[part], births[part]), "p", rules="anhoej+making_data_count")
        np.testing.assert_array_equal(chart.upper[0, part], alone.upper[0])
        for key, mask in chart.flags.items():
            np.testing.assert_array_equal(mask[0, part], alone.flags[key][0])


@given(seed=st.integers(0, 10**6))
def test_signals_hold_exactly_the_flagged_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(2, 36)).cumsum(axis=1)
    chart = qe.control_chart(values(y), rules="anhoej+making_data_count")
    signals = chart.signals[chart.signals["rule"] != "crossings"]
    assert signals["n_points"].sum() == sum(mask.sum() for mask in chart.flags.values())
    assert (signals["start"] <= signals["end"]).all()
    assert len(signals.drop_duplicates(["group", "rule", "side", "start"])) == len(signals)


@pytest.mark.parametrize("draw", [qe.control_chart, qe.run_chart])
def test_the_caller_s_frame_stays_as_it_is(draw: Any) -> None:
    frame = frame_of([[3, 5, 4, 6]], 50)
    before = frame.copy(deep=True)
    measure = qe.Measure("Test", "proportion", "lower")
    draw(qe.from_counts(frame, measure, period="month", numerator="number", denominator="births"))
    pd.testing.assert_frame_equal(frame, before)
