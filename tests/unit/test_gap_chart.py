"""Gap charts: points, lines and movement against sums by hand; what is said, refused, kept and let out."""

import json

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.equity.gap_chart.gap_chart import GapChart, gap_chart
from qi_equity.equity.gap_chart.reasons import Moved, message, reasons
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas.difference_intervals import newcombe_difference
from qi_equity.formulas.gap_limits import gap_limits
from qi_equity.formulas.observed_expected import observed_expected
from qi_equity.spc.rules import Shift

QUARTERS = pd.period_range("2021Q1", periods=8, freq="Q").start_time.strftime("%Y-%m").tolist()
LOWER = qe.Measure("Harm", "proportion", "lower", target=0.04)
HIGHER = qe.Measure("Care", "proportion", "higher")


def made(events, births=None, measure=LOWER, **options):
    """Make a quarterly series of groups, whose events (and births) are given by name."""
    rows = [
        {"q": q, "g": g, "x": x, "n": (births or {}).get(g, 200)}
        for g, counts in events.items()
        for q, x in zip(QUARTERS, counts, strict=False)
    ]
    columns = {"period": "q", "numerator": "x", "denominator": "n", "group": "g"}
    return qe.from_counts(pd.DataFrame(rows), measure, every="quarter", **columns, **options)


EVENTS = {"East": [9, 12, 7, 10, 11, 8, 9, 10], "West": [20, 24, 22, 19, 21, 25, 20, 21]}
BIRTHS = {"East": 100, "West": 500}
SERIES = made(EVENTS, BIRTHS)


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    (only,) = frame.to_dict("records")
    return only


def codes(chart):
    return set(chart.notes["code"])


def test_points_and_lines_come_from_both_counts():
    points = gap_chart(SERIES, reference="West").points
    east = points[points["group"] == "East"]
    gap = np.array(EVENTS["East"]) / 100 - np.array(EVENTS["West"]) / 500
    np.testing.assert_allclose(east["gap"], gap)
    p, q = sum(EVENTS["East"]) / 800, sum(EVENTS["West"]) / 4000
    limits = gap_limits(np.full(8, p), 100, q, 500, scale="difference")
    for name in ("centre_line", "sigma", "lower", "upper"):
        np.testing.assert_allclose(east[name], getattr(limits, name))
    assert east["reference_numerator"].tolist() == EVENTS["West"]
    assert east["compared_with"].unique().tolist() == ["West"]
    west = points[points["group"] == "West"]
    assert west[["gap", "upper", "reference_value"]].isna().all().all()
    assert (west["status"] == "observed").all()
    assert points["expected"].isna().all()


def test_months_are_summed_and_longer_periods_stay():
    months = pd.date_range("2021-01-01", periods=12, freq="MS").strftime("%Y-%m")
    rows = pd.DataFrame({"m": list(months) * 2, "g": ["A"] * 12 + ["B"] * 12, "x": 3, "n": 50})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows, LOWER, **columns)
    assert gap_chart(series, reference="B").points["numerator"].tolist()[:4] == [9, 9, 9, 9]
    yearly = series.resample("year")
    assert gap_chart(yearly, reference="B").series.every == "year"
    with pytest.raises(OptionError, match="every='week'"):
        gap_chart(series, reference="B", every="week").points.iloc[0]


def test_a_ratio_and_its_limits():
    east = gap_chart(SERIES, reference="West", scale="ratio").points.head(8)
    np.testing.assert_allclose(east["gap"], np.array(EVENTS["East"]) / np.array(EVENTS["West"]) * 5)
    assert (east["lower"] < east["centre_line"]).all()


def test_observed_minus_expected_restarts_with_each_phase_and_passes_over_exclusions():
    chart = gap_chart(
        SERIES, reference="West", scale="observed-expected", phases="2022-01", exclude="2021-04"
    )
    east = chart.points.head(8)
    x, y = np.array(EVENTS["East"], float), np.array(EVENTS["West"], float)
    x[1] = np.nan
    for part in (slice(0, 4), slice(4, 8)):
        found = observed_expected(x[part], np.full(4, 100.0), y[part] / 500, 500)
        np.testing.assert_allclose(east["gap"][part], found.value)
        np.testing.assert_allclose(east["upper"][part], found.upper)
        np.testing.assert_allclose(east["expected"][part], found.expected)
    assert set(chart.summary()["runs_tests"].head(2)) == {"points carry their past"}
    assert set(chart.signals["rule"]) <= {"beyond_limits"}
    assert "points_carry_their_past" in codes(chart)
    assert chart.summary()["false_signal_error"].eq(0).all()


def test_more_of_a_good_thing_is_turned_to_births_without_it():
    good = made({"East": [90] * 8, "West": [480] * 8}, BIRTHS, HIGHER)
    chart = gap_chart(good, reference="West", scale="ratio")
    east = chart.points.iloc[0]
    assert east["gap"] == pytest.approx((10 / 100) / (20 / 500))
    assert east["value"] == 0.9
    assert chart.method["orientation"] == "without the event"
    assert "orientation" in codes(chart)
    first = row(chart.movement(), group="East")
    assert (first["events"], first["rate"]) == (10 * 8, 0.1)


@pytest.mark.parametrize("scale", ["difference", "ratio", "observed-expected"])
def test_a_rate_of_which_more_is_better_is_reversed(scale):
    rate = qe.Measure("Visits", "rate", "higher")
    events = {"East": [40, 44, 38, 41, 40, 42, 39, 20], "West": [260, 250, 255, 240, 262, 251, 249, 255]}
    chart = gap_chart(made(events, BIRTHS, rate), reference="West", scale=scale)
    plain = gap_chart(
        made(events, BIRTHS, qe.Measure("Visits", "rate", "lower")), reference="West", scale=scale
    )
    here, there = chart.points.head(8), plain.points.head(8)
    turned = (1 / there["gap"]) if scale == "ratio" else -there["gap"]
    np.testing.assert_allclose(here["gap"], turned)
    ends = (1 / there["lower"]) if scale == "ratio" else -there["lower"]
    np.testing.assert_allclose(here["upper"], ends)
    np.testing.assert_array_equal(here["special_cause"], there["special_cause"])
    moved = row(chart.movement(), group="East")
    assert moved["ratio"] == pytest.approx(1 / row(plain.movement(), group="East")["ratio"])
    assert moved["difference"] > 0


def test_means_have_welch_limits_and_no_expected_events():
    rows = pd.DataFrame(
        {"q": QUARTERS * 2, "g": ["A"] * 8 + ["B"] * 8, "y": [10.0, 11, 9, 10, 12, 10, 9, 11] + [8.0] * 8}
    ).assign(sd=2.0, n=[16] * 8 + [64] * 8)
    mean = qe.Measure("Wait", "mean", "lower")
    series = qe.from_counts(
        rows, mean, period="q", value="y", sd="sd", denominator="n", group="g", every="quarter"
    )
    a = gap_chart(series, reference="B").points.head(8)
    np.testing.assert_allclose(a["sigma"], np.sqrt(4 / 16 + 4 / 64))
    np.testing.assert_allclose(a["centre_line"], 10.25 - 8)
    assert gap_chart(series, reference=9.0, scale="ratio").points["gap"].iloc[0] == pytest.approx(10 / 9)
    moved = gap_chart(series, reference="B", phases="2022-01").movement()
    assert row(moved, group="A", phase=2)["rate"] == pytest.approx(10.5)
    with pytest.raises(OptionError, match=r"observed-expected.* is not possible for means"):
        gap_chart(series, reference="B", scale="observed-expected")


def test_a_target_has_no_sampling_error_and_its_reason_is_kept():
    chart = gap_chart(SERIES, reference=qe.Reference("target", reason="national ambition"))
    assert chart.points["gap"].iloc[0] == pytest.approx(0.09 - 0.04)
    assert chart.method["reason"] == "national ambition"
    text = chart.notes.set_index("code").loc["reference", "text"]
    assert "national ambition" in text
    assert "no sampling error" in text
    moved = row(chart.movement(), group="East")
    assert moved["reference_rate"] == moved["reference_rate_upper"] == 0.04
    assert moved["ratio"] == pytest.approx(0.095 / 0.04)


def test_a_low_gap_is_no_improvement_when_the_reference_got_worse():
    east, west = [10] * 7, [25] * 7
    worse = gap_chart(made({"East": [*east, 10], "West": [*west, 90]}, BIRTHS), reference="West", baseline=7)
    better = made({"East": [*[80] * 7, 40], "West": [*west, 25]}, {"East": 400, "West": 500})
    improved = gap_chart(better, reference="West", baseline=7)
    low = row(worse.signals, rule="beyond_limits")
    assert (low["side"], low["meaning"]) == ("low", "neutral")
    assert not worse.points["improvement"].any()
    assert row(improved.signals, rule="beyond_limits")["meaning"] == "improvement"
    assert improved.points["improvement"].sum() == 1
    nothing = qe.Measure("Harm", "proportion", None)
    apart = made({"East": [*east, 60], "West": [*west, 25]}, BIRTHS, nothing)
    assert gap_chart(apart, reference="West", baseline=7).signals["meaning"].tolist() == ["neutral"]


def test_movement_gives_both_sides_and_their_gap():
    chart = gap_chart(SERIES, reference="West", phases="2022-01")
    second = row(chart.movement(), group="East", phase=2)
    before, after = (sum(EVENTS["East"][k:][:4]) for k in (0, 4))
    assert (second["events"], second["births"]) == (after, 400)
    assert second["rate_change"] == pytest.approx((after - before) / 400)
    change = newcombe_difference(after, 400, before, 400)
    assert second["rate_change_lower"] == pytest.approx(change.lower[0])
    assert second["rate_change_upper"] == pytest.approx(change.upper[0])
    gap = newcombe_difference(after, 400, sum(EVENTS["West"][4:]), 2000)
    assert second["difference_upper"] == pytest.approx(gap.upper[0])
    first = row(chart.movement(), group="East", phase=1)
    assert second["difference_change"] == pytest.approx(second["difference"] - first["difference"])
    assert second["ratio_change"] == pytest.approx(second["ratio"] / first["ratio"])
    assert (first["difference_moved"], second["difference_moved"]) == ("", "not yet visible")
    text = chart.alt_text().loc[0, "text"]
    assert "this group 9.5 % to 9.5 %, West 4.25 % to 4.35 %" in text
    assert "difference not yet visible, ratio not yet visible" in text
    assert "has no gap" in chart.alt_text().loc[1, "text"]


@pytest.mark.parametrize(
    ("east", "west", "said"),
    [
        ((100, 40), (50, 50), "narrowed because the group improved"),
        ((100, 100), (50, 95), "narrowed because the reference worsened"),
        ((100, 40), (50, 110), "reversed"),
        ((150, 100), (50, 75), "narrowed: the group improved and the reference worsened"),
        ((150, 60), (100, 50), "narrowed while both improved"),
        ((60, 130), (20, 120), "narrowed while both worsened"),
        ((60, 120), (50, 50), "widened because the group worsened"),
        ((120, 120), (100, 40), "widened because the reference improved"),
        ((60, 150), (50, 85), "widened while both worsened"),
        ((150, 110), (140, 40), "widened while both improved"),
        ((100, 150), (90, 40), "widened: the group worsened and the reference improved"),
        ((20, 90), (100, 100), "narrowed because the group worsened"),
        ((60, 61), (50, 49), "not yet visible"),
    ],
)
def test_words_say_by_whose_movement_the_difference_changed(east, west, said):
    births = {"East": 1000, "West": 1000}
    events = {"East": [east[0]] * 4 + [east[1]] * 4, "West": [west[0]] * 4 + [west[1]] * 4}
    chart = gap_chart(made(events, births), reference="West", phases="2022-01")
    second = row(chart.movement(), group="East", phase=2)
    assert second["difference_moved"] == said
    assert said in chart.alt_text().loc[0, "text"]


def test_opposite_messages_are_said():
    births = {"East": 1000, "West": 1000}
    series = made({"East": [120] * 4 + [70] * 4, "West": [50] * 4 + [20] * 4}, births)
    chart = gap_chart(series, reference="West", phases="2022-01")
    second = row(chart.movement(), group="East", phase=2)
    assert second["difference_moved"].startswith("narrowed")
    assert second["ratio_moved"].startswith("widened")
    assert "the difference became smaller, the ratio larger" in second["message"]
    assert "opposite_scales" in codes(chart)


def test_words_without_direction_rise_and_fall():
    block = [np.array([[np.nan, k]]) for k in (0.05, 0.01, -1.0)]
    gap = Moved(np.array([[np.nan, 0.05]]), np.array([[0.05, 0.01]]), block[2])
    zero = np.zeros((1, 2))
    up = np.array([[0.0, 1.0]])
    assert reasons(gap, zero, up, directed=False)[0, 1] == "narrowed because the reference rose"
    level = Moved(np.array([[np.nan, -0.05]]), np.array([[-0.05, 0.05]]), np.array([[np.nan, 1.0]]))
    assert reasons(level, zero, zero, directed=True)[0].tolist() == ["", "reversed"]
    hidden = np.full((1, 2), "not yet visible", dtype=object)
    wider = Moved(np.array([[np.nan, 0.05]]), np.array([[0.05, 0.09]]), zero)
    text = message(gap, wider, difference_moved=hidden, ratio_moved=hidden)
    assert "not yet visible" in text[0, 1]


def test_what_is_not_known_is_called_so():
    chart = gap_chart(made({"East": [5] * 8, "West": [9] * 4}), reference="West", phases="2022-01")
    assert row(chart.movement(), group="East", phase=2)["difference_moved"] == "not known"
    alone = gap_chart(made({"East": [5] * 4, "West": [9] * 0, "South": [3] * 4}), reference="South")
    assert alone.points["gap"].notna().any()


def test_notes_say_what_a_chart_cannot_show():
    small = made({"East": [1, 0, 1, 0, 0, 1, 0, 1], "West": [20] * 8}, {"East": 30, "West": 500})
    chart = gap_chart(small, reference="West")
    assert {"cannot_signal_low", "short_phase", "expected_false_signals", "reference"} <= codes(chart)
    text = chart.notes.set_index("code").loc["cannot_signal_low", "text"]
    assert "observed-expected" in text
    assert "longer periods" in text.lower()
    summary = row(chart.summary(), group="East")
    assert (summary["can_signal_low"], summary["can_signal_high"]) == ("no", "yes")
    few = made({"East": [0, 1] * 4, "West": [1, 0] * 4}, {"East": 20, "West": 20})
    ratio = gap_chart(few, reference="West", scale="ratio")
    assert "undefined_ratio" in codes(ratio)
    assert {"cannot_signal_high", "limits_cannot_signal_high"} & codes(ratio)
    none = gap_chart(made({"East": [0] * 8, "West": [20] * 8}), reference="West")
    assert "no_events_in_baseline" in codes(none)
    assert none.points["lower"].isna().all()
    assert "no_lines" in codes(gap_chart(SERIES, reference="West", exclude=QUARTERS))
    empty = gap_chart(made({"East": [5] * 4, "West": []} | {"South": [4] * 4}), reference="South")
    assert len(empty.notes)


def test_unknown_groups_are_reminded_of():
    rows = pd.DataFrame({"q": QUARTERS * 3, "g": ["A"] * 8 + ["M"] * 8 + ["Z"] * 8, "x": 4, "n": 90})
    columns = {"period": "q", "numerator": "x", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows, LOWER, every="quarter", scheme="nhs-2001", **columns)
    chart = gap_chart(series, reference="rest")
    assert {"unknown_group", "rest_is_of_known_group"} <= codes(chart)


def test_best_says_that_it_was_selected():
    chart = gap_chart(SERIES, reference="best")
    assert "best_is_selected" in codes(chart)
    assert set(chart.points["compared_with"]) == {"West"}


def test_runs_tests_are_given_only_where_a_point_is_as_likely_above_as_below():
    rare = made({"East": [1, 0, 0, 0, 1, 0, 0, 0], "West": [600] * 8}, {"East": 12, "West": 20_000})
    chart = gap_chart(rare, reference="West")
    summary = row(chart.summary(), group="East")
    assert summary["runs_tests"] == "uneven chance"
    assert np.isnan(summary["longest_run_max"])
    assert "runs_tests_not_given" in codes(chart)
    given = row(gap_chart(SERIES, reference="West").summary(), group="East")
    assert given["runs_tests"] == "given"


def test_a_shift_is_found_and_zones_are_those_of_the_gap():
    events = {"East": [10, 9, 11, 10] + [20] * 4, "West": [25] * 8}
    chart = gap_chart(made(events, BIRTHS), reference="West", baseline=4, rules="western_electric")
    assert "two_in_three" in set(chart.signals["rule"])
    assert chart.summary()["false_signal_probability"].iloc[0] > 0
    shift = qe.RuleSet("ours", "1", "", (Shift(length=4),))
    held = gap_chart(made(events, BIRTHS), reference="West", baseline=4, rules=shift)
    assert held.signals[["rule", "n_points", "side"]].values.tolist() == [["shift", 4, "high"]]
    assert row(held.summary(), group="East")["can_signal_low"] == "only over several points"


def test_selecting_and_saving_keep_every_number():
    chart = gap_chart(SERIES, reference="West", phases="2022-01", exclude="2021-04", baseline=3)
    again = GapChart.from_dict(json.loads(json.dumps(chart.to_dict())))
    assert again.equals(chart)
    assert not again.equals(SERIES)
    pd.testing.assert_frame_equal(again.points, chart.points)
    pd.testing.assert_frame_equal(again.notes, chart.notes)
    part = chart.select(group="East")
    pd.testing.assert_frame_equal(part.points, chart.points.head(8))
    assert part.strata["group"].tolist() == ["East"]
    assert len(part.movement()) == 2
    assert not part.equals(chart)
    with pytest.raises(OptionError, match="leave no stratum"):
        part.select(group="West")
    assert "GapChart 'Harm' (difference): 1 strata" in repr(part)
    assert "<h4>Harm: gap chart" in chart._repr_html_()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"type": "Other"}, "wanted is 'GapChart'"),
        ({"scale": "odds"}, "scale='odds'"),
        ({"shown": [7]}, "do not fit"),
        ({"few_crossings": {"$array": [], "dtype": "bool", "shape": [0, 0]}}, "parts of shapes"),
        ({"flags": []}, "flags are of"),
    ],
)
def test_broken_data_are_refused(change, text):
    with pytest.raises(DataError, match=text):
        GapChart.from_dict(gap_chart(SERIES, reference="West").to_dict() | change)


def test_disclosed_charts_are_made_again_from_disclosed_counts():
    chart = gap_chart(SERIES, reference="West", exclude="2021-04").select(group="East")
    exact = chart.disclose("strict-10")
    assert exact.strata["group"].tolist() == ["East"]
    assert (exact.points["status"] == "suppressed").any()
    assert (
        exact.points.loc[exact.points["status"] == "suppressed", ["gap", "lower", "sigma"]].isna().all().all()
    )
    assert exact.timeline.excluded[0].sum() == 1
    rounded = gap_chart(made({"East": [30] * 7 + [90], "West": [60] * 8}), reference="West", baseline=7)
    assert len(rounded.signals)
    told = rounded.disclose("dqmi")
    assert not told.judged
    assert not len(told.signals)
    assert "rules_not_applied" in codes(told)
    assert "No rules applied." in told.alt_text().loc[0, "text"]
    assert told.summary()["false_signal_probability"].eq(0).all()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"reference": "North"}, OptionError, "reference='North'"),
        ({"scale": "odds"}, OptionError, "scale='odds'"),
        ({"every": "fortnight"}, OptionError, "every='fortnight'"),
        ({"confidence": 1.0}, OptionError, "confidence=1.0"),
        ({"rules": "mine"}, OptionError, "rules='mine'"),
        ({"phases": "1990-01"}, DataError, "1990"),
    ],
)
def test_options_are_checked(options, error, text):
    with pytest.raises(error, match=text):
        gap_chart(SERIES, **({"reference": "West"} | options))


def test_what_has_no_gap_is_refused():
    with pytest.raises(InputTypeError, match="series is of type DataFrame"):
        gap_chart(pd.DataFrame(), reference="West")
    rows = pd.DataFrame({"q": QUARTERS * 2, "g": ["A"] * 8 + ["B"] * 8, "x": 3})
    calls = qe.Measure("Calls", "count", "lower")
    counts = qe.from_counts(rows, calls, period="q", numerator="x", group="g", every="quarter")
    with pytest.raises(OptionError, match="counts without births"):
        gap_chart(counts, reference="B")


def test_alt_texts_say_what_each_scale_shows():
    events = {"East": [9, 9, 10, 9, 9, 9, 9, 30], "West": [25] * 8}
    series = made(events, BIRTHS)
    texts = {
        scale: gap_chart(series, reference="West", scale=scale, baseline=7).alt_text().loc[0, "text"]
        for scale in ("difference", "ratio", "observed-expected")
    }
    assert texts["difference"].startswith(
        "East: Difference in Harm, compared with West, by quarter, 2021 Q1 to"
    )
    assert "Centre line +4.14 percentage points, limits there" in texts["difference"]
    assert "1 signal: beyond limits, high, 2022 Q4, concern." in texts["difference"]
    assert "Centre line 1.83, limits there" in texts["ratio"]
    assert "+54 events at the last point" in texts["observed-expected"]
    assert "this group 11.8 %, West 5 %." in texts["ratio"]
    level = gap_chart(made({"East": [5] * 8, "West": [30] * 8}, BIRTHS), reference="West")
    assert "No signal." in level.alt_text().loc[0, "text"]


def test_alt_text_of_nothing_to_compare_and_of_a_pattern():
    gone = gap_chart(made({"East": [0] * 4, "West": [9] * 4}, {"East": 0}), reference="West")
    assert "No period in which both are known." in gone.alt_text().loc[0, "text"]
    assert "no_data" in codes(gone)
    halves = made({"East": [5] * 4 + [15] * 4, "West": [50] * 8}, BIRTHS)
    few = gap_chart(halves, reference="West", rules="anhoej", exclude="2021-04").signals
    assert set(few["rule"]) <= {"crossings", "longest_run"}


def test_false_signals_of_means_are_drawn_too():
    rows = pd.DataFrame({"q": QUARTERS * 2, "g": ["A"] * 8 + ["B"] * 8, "y": [10.0, 12] * 4 + [8.0, 9] * 4})
    mean = qe.Measure("Wait", "mean", "lower")
    columns = {"period": "q", "value": "y", "sd": "sd", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows.assign(sd=2.0, n=30), mean, every="quarter", **columns)
    chance = gap_chart(series, reference="B").summary()["false_signal_probability"]
    assert 0.005 < chance.iloc[0] < 0.1
    assert chance.iloc[1] == 0


def test_a_figure_is_drawn():
    assert type(gap_chart(SERIES, reference="West").plot()).__name__ == "Figure"


def test_of_the_reference_itself_no_change_is_told():
    chart = gap_chart(SERIES, reference="West", phases="2022-01-01")
    west = chart.movement()[lambda frame: frame["group"] == "West"]
    assert west["compared_with"].tolist() == ["West", "West"]
    for name in ("difference_moved", "ratio_moved", "message"):
        assert west[name].tolist() == ["", ""]
    east = row(chart.movement(), group="East", phase=2)
    assert east["difference_moved"] != ""


def test_scales_do_not_disagree_where_the_other_side_fares_worse_now():
    # From 0.10 against 0.05 to 0.02 against 0.06: the sizes of the two scales move apart, the message is one.
    with np.errstate(divide="ignore"):
        difference = Moved(np.array([[np.nan, 0.05]]), np.array([[0.05, -0.04]]), np.array([[np.nan, -1.0]]))
        ratio = Moved(np.log([[np.nan, 2.0]]), np.log([[2.0, 1 / 3]]), np.array([[np.nan, -1.0]]))
    words = np.array([["", "narrowed"]], dtype=object)
    assert (difference.nearer * ratio.nearer)[0, 1] < 0
    assert message(difference, ratio, difference_moved=words, ratio_moved=words).tolist() == [["", ""]]


def test_targets_and_other_references_are_spoken_of_in_words():
    told = {
        name: gap_chart(SERIES, reference=name).notes.query("code == 'reference'")["text"].item()
        for name in ("rest", "best", "West", 0.03, "target")
    }
    assert told["rest"].startswith("Each group is compared with everyone else;")
    assert told["best"].startswith("Each group is compared with the best group;")
    assert told["West"].startswith("Each group is compared with 'West';")
    assert "compared with the target of 3 %" in told[0.03]
    assert "compared with the target of 4 %" in told["target"]
    text = gap_chart(SERIES, reference=0.03).alt_text()["text"][0]
    assert "compared with the target of 3 %," in text
    percent = made(EVENTS, BIRTHS, measure=qe.Measure("Harm", "proportion", "lower", unit="%"))
    said = gap_chart(percent, reference="West").alt_text()["text"][0]
    assert said.count("percentage points") == 2
    assert "limits there" in said


def test_labels_of_phases_stay_through_every_round():
    phases = pd.DataFrame({"start": ["2022-01-01"], "label": ["bundle"]})
    chart = gap_chart(SERIES, reference="West", phases=phases)
    again = GapChart.from_dict(json.loads(json.dumps(chart.to_dict())))
    for one in (chart, again):
        assert one.timeline.phases["label"].iloc[1] == "bundle (post hoc)"
    plain = gap_chart(SERIES, reference="West", phases="2022-01-01")
    assert plain.timeline.phases["label"].iloc[1] == "post hoc"
