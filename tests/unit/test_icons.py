"""Variation and assurance icons in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.spc.rules import (
    TESTS,
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    Outside,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)

Make = Callable[..., qe.StratifiedSeries]

STEADY = [5, 6, 4, 7, 5, 6, 4, 7, 5, 6, 4, 7]
COLUMNS = ["group", "variation", "variation_side", "variation_text", "assurance", "assurance_text"]


def icon(chart: qe.ControlChart) -> dict[str, object]:
    (row,) = chart.icons().to_dict("records")
    return row


@pytest.mark.parametrize(
    ("better", "last", "variation", "side"),
    [
        ("lower", 30, "concern", "high"),
        ("lower", 0, "improvement", "low"),
        ("higher", 30, "improvement", "high"),
        ("higher", 0, "concern", "low"),
        (None, 30, "neutral", "high"),
        (None, 0, "neutral", "low"),
    ],
)
def test_the_variation_icon_speaks_of_the_last_point(
    make_series: Make, better: str | None, last: int, variation: str, side: str
) -> None:
    series = make_series([*STEADY, last], kind="count", better=better)
    found = icon(qe.control_chart(series, "i", rules="shewhart", baseline=12))
    assert list(found) == COLUMNS
    assert (found["variation"], found["variation_side"]) == (variation, side)
    assert found["variation_text"] == f"2023-01 takes part in a signal ({side}: beyond limits)."


def test_an_earlier_signal_is_said_but_does_not_make_the_icon(make_series: Make) -> None:
    chart = qe.control_chart(make_series([*STEADY, 40, 5], 50), "p", rules="shewhart", baseline=12)
    found = icon(chart)
    assert found["variation"] == "common cause"
    assert found["variation_text"] == "2023-02 takes part in no signal. An earlier point of this phase does."


def test_an_earlier_phase_is_not_spoken_of(make_series: Make) -> None:
    chart = qe.control_chart(
        make_series([*STEADY, 40, *STEADY], 50), "p", rules="shewhart", phases="2023-02", exclude="2023-01"
    )
    assert len(chart.signals) == 1
    assert icon(chart)["variation_text"] == "2024-01 takes part in no signal."


def test_crossings_are_neutral_and_say_why(make_series: Make) -> None:
    values = [1, 2, 1, 2, 1, 2, 9, 8, 9, 8, 9, 8] * 2
    rules = qe.RuleSet("crossings", "1", "test", (Crossings(),))
    found = icon(qe.run_chart(make_series(values, kind="mean"), rules=rules))
    assert found["variation"] == "neutral"
    assert found["variation_side"] != found["variation_side"]
    assert "gives neither place nor direction" in found["variation_text"]


def test_crossings_are_added_to_a_last_point_that_signals(make_series: Make) -> None:
    values = [1, 2, 1, 2, 1, 2, 9, 8, 9, 8, 9, 8] * 2 + [40]
    rules = qe.RuleSet("both", "1", "test", (Crossings(), BeyondLimits()))
    found = icon(qe.control_chart(make_series(values, kind="mean"), rules=rules, baseline=24))
    assert found["variation"] == "concern"
    assert found["variation_text"].startswith(
        "2024-01 takes part in a signal (high: beyond limits). Fewer cross"
    )


def test_of_both_improvement_is_shown_and_both_are_said(make_series: Make) -> None:
    values = [1.0, 2, 1, 2, 1, 2, 1, 2, 30, 28, 26, 24, 22, 20, 18]
    rules = qe.RuleSet("both", "1", "test", (Shift(7), Trend(7)))
    for better, side in (("lower", "low"), ("higher", "high")):
        series = make_series(values, kind="mean", better=better)
        found = icon(qe.run_chart(series, rules=rules, baseline=8))
        assert (found["variation"], found["variation_side"]) == ("improvement", side)
        assert (
            "(low: trend; high: shift). Both improvement and concern are signalled."
            in found["variation_text"]
        )


def test_no_data_has_an_icon_of_its_own(make_series: Make) -> None:
    numbers = np.array([STEADY, [None] * 12], dtype=object)
    icons = qe.control_chart(make_series(numbers, 50), target=0.1).icons()
    assert icons["variation"].tolist() == ["common cause", "none"]
    assert icons.loc[1, "variation_text"] == "No observed point."
    assert icons.loc[1, "assurance_text"] == "There are too few points for limits."


def test_common_cause_says_when_runs_tests_are_not_given(make_series: Make) -> None:
    chart = qe.control_chart(make_series([0, 0, 1, 0, 0, 0] * 4, 12))
    assert icon(chart)["variation_text"] == "2023-12 takes part in no signal. Runs tests are not given."


@pytest.mark.parametrize(
    ("better", "target", "assurance"),
    [
        ("higher", 0.0, "pass"),
        ("higher", 11.0, "fail"),
        ("higher", 5.5, "inconsistent"),
        ("lower", 0.0, "fail"),
        ("lower", 11.0, "pass"),
        ("lower", 5.5, "inconsistent"),
    ],
)
def test_the_assurance_icon_compares_the_target_with_the_limits(
    make_series: Make, better: str, target: float, assurance: str
) -> None:
    series = make_series([5, 6, 5, 6] * 6, kind="mean", better=better)
    found = icon(qe.control_chart(series, target=target))
    assert found["assurance"] == assurance
    words = {"pass": "better side of the target", "fail": "worse side", "inconsistent": "sometimes met"}
    assert words[assurance] in found["assurance_text"]


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("line", ["lower", "upper"])
def test_a_target_on_a_limit_is_inconsistent(make_series: Make, better: str, line: str) -> None:
    chart = qe.control_chart(make_series([5, 6.2, 5, 6.1] * 6, kind="mean", better=better))
    limit = float(f"{getattr(chart, line)[0, -1]:.14g}")
    again = qe.control_chart(make_series([5, 6.2, 5, 6.1] * 6, kind="mean", better=better), target=limit)
    assert icon(again)["assurance"] == "inconsistent"


@pytest.mark.parametrize("spec", ["p", qe.P("classical"), "i"])
@pytest.mark.parametrize(
    ("better", "target", "assurance"),
    [("higher", 0.95, "pass"), ("higher", 1.0, "pass"), ("lower", 0.95, "fail"), ("lower", 1.0, "pass")],
)
def test_a_constant_hundred_per_cent_is_compared_itself(
    make_series: Make, spec: object, better: str, target: float, assurance: str
) -> None:
    found = icon(qe.control_chart(make_series([8] * 12, 8, better=better), spec, target=target))
    assert found["assurance"] == assurance
    assert found["assurance_text"].startswith("The value does not vary (100 %); it ")


def test_the_last_phase_and_its_last_point_count(make_series: Make) -> None:
    births = [2000] * 24
    series = make_series([100] * 6 + [99] * 6 + [1000, 1010] * 6, births, better="higher")
    assert icon(qe.control_chart(series, phases="2023-01", target=0.3))["assurance"] == "pass"
    wide = make_series([*[100, 99] * 6, *[1000, 1010] * 5, 1000, 6], [*[2000] * 23, 12], better="higher")
    assert icon(qe.control_chart(wide, phases="2023-01", target=0.3))["assurance"] == "inconsistent"


@pytest.mark.parametrize(
    ("kind", "better", "target", "text"),
    [
        ("p", "lower", None, "No target."),
        ("p", None, 0.1, "Neither direction is better"),
        ("run", "lower", 0.1, "A run chart has no limits"),
    ],
)
def test_no_assurance_says_why(
    make_series: Make, kind: str, better: str | None, target: float | None, text: str
) -> None:
    series = make_series(STEADY, 50, better=better)
    draw = qe.run_chart if kind == "run" else qe.control_chart
    found = icon(draw(series, target=target))
    assert found["assurance"] != found["assurance"]
    assert found["assurance_text"].startswith(text)


def test_the_last_observed_point_is_meant_not_a_missing_one(make_series: Make) -> None:
    series = make_series([*STEADY, 30, None, "*"], kind="count")
    found = icon(qe.control_chart(series, "i", rules="shewhart", baseline=12))
    assert found["variation"] == "concern"
    assert found["variation_text"].startswith("2023-01 ")


@pytest.mark.parametrize(
    ("numbers", "kind", "text"),
    [
        ([0] * 12 + [5, 6, 7] * 4, "p", "which does not show what the rate is."),
        ([50] * 12 + [45, 44, 43] * 4, "p", "which does not show what the rate is."),
        ([5] * 12 + [6, 7, 8] * 4, "i", "The baseline has no spread"),
        ([5], "p", "There is only one point"),
    ],
)
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_baseline_without_spread_or_one_point_has_no_assurance(
    make_series: Make, numbers: list[int], kind: str, text: str, better: str
) -> None:
    series = make_series(numbers, 50, better=better)
    found = icon(qe.control_chart(series, kind, baseline=min(12, len(numbers)), target=0.05))
    assert found["assurance"] != found["assurance"]
    assert text in str(found["assurance_text"])


def test_a_value_is_constant_though_an_excluded_point_is_not(make_series: Make) -> None:
    series = make_series([0] * 12 + [9, 0], 50)
    found = icon(qe.control_chart(series, target=0.05, exclude="2023-01"))
    assert found["assurance"] == "pass"
    assert str(found["assurance_text"]).startswith("The value does not vary (0 %)")


MONTHS = [f"2022-{m:02d}" for m in range(1, 7)]


@pytest.mark.parametrize(
    ("draw", "numbers", "options", "text"),
    [
        (qe.run_chart, [5] * 12, {}, "No rule could apply to the last point"),
        (qe.run_chart, [5, 6, 7, 8], {}, "No rule could apply to the last point"),
        (qe.control_chart, [5], {}, "There is only one point"),
        (qe.control_chart, [5, 6] * 3, {"exclude": MONTHS}, "There are no lines"),
        (qe.control_chart, [0] * 12, {}, "The baseline holds no event"),
    ],
)
def test_where_nothing_was_judged_there_is_no_common_cause(
    make_series: Make,
    draw: Callable[..., qe.ControlChart],
    numbers: list[int],
    options: dict[str, object],
    text: str,
) -> None:
    found = icon(draw(make_series(numbers, 50), **options))
    assert found["variation"] == "none"
    assert str(found["variation_text"]).startswith(text)


@pytest.mark.parametrize("rules", ["making_data_count", "shewhart", "anhoej"])
def test_what_was_judged_is_common_cause(make_series: Make, rules: str) -> None:
    found = icon(qe.control_chart(make_series(STEADY * 2, 50), rules=rules))
    assert found["variation"] == "common cause"


def test_points_of_both_meanings_say_so_everywhere(make_series: Make) -> None:
    values = [1.0, 2, 1, 2, 1, 2, 1, 2, 30, 28, 26, 24, 22, 20, 18]
    rules = qe.RuleSet("both", "1", "test", (Shift(7), Trend(7)))
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rules, baseline=8)
    last = chart.points.iloc[-1]
    assert (bool(last["improvement"]), bool(last["concern"])) == (True, True)
    assert set(chart.signals["meaning"]) == {"improvement", "concern"}


@pytest.mark.parametrize(
    ("kind", "events", "variation", "side"),
    [
        (qe.CountCusum(), 40, "concern", "high"),
        (qe.Cusum(), 40, "concern", "high"),
        (qe.CountCusum(), 4, "improvement", "low"),
        (qe.Cusum(), 4, "improvement", "low"),
        (qe.Ewma(), 40, "concern", "high"),
    ],
)
def test_the_icon_of_a_chart_of_two_arms_is_that_of_the_arm(
    make_series: Make, kind: object, events: int, variation: str, side: str
) -> None:
    series = make_series([18, 22, 20, 19, 21, 20] * 3 + [events] * 8, 200)
    found = icon(qe.control_chart(series, kind, baseline=18, target=0.5))
    assert (found["variation"], found["variation_side"]) == (variation, side)
    assert f"({side}: beyond limits)" in str(found["variation_text"])
    assert found["assurance"] != found["assurance"]


def test_both_arms_of_a_cusum_at_once_are_both_said(make_series: Make) -> None:
    series = make_series([10.0, 11, 9, 10, 11, 9] * 3 + [80, -40], kind="mean")
    found = icon(qe.control_chart(series, qe.Cusum(h=4), baseline=18))
    assert (found["variation"], found["variation_side"]) == ("improvement", "low")
    assert "(low: beyond limits; high: beyond limits). Both improvement and concern are signalled." in str(
        found["variation_text"]
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("mr", "The points are not values that the target speaks of (mr chart"),
        ("np", "The points are not values that the target speaks of (np chart"),
        ("cusum", "The points are not values that the target speaks of (CUSUM chart of counts)."),
        ("ewma", "The limits are those of an average, narrower than those of the values"),
    ],
)
def test_points_that_are_not_values_have_no_assurance(make_series: Make, kind: str, text: str) -> None:
    for measure in (None, qe.Measure("Test", "proportion", "lower", target=0.5)):
        series = make_series([18, 22, 20, 19, 21, 20] * 3, 200, measure=measure)
        found = icon(qe.control_chart(series, kind, target=0.4))
        assert found["assurance"] != found["assurance"]
        assert str(found["assurance_text"]).startswith(text)


def test_a_spread_has_no_good_side(make_series: Make) -> None:
    series = make_series([5.0, 6, 4, 7] * 3 + [40], kind="mean")
    found = icon(qe.control_chart(series, "mr", baseline=12))
    assert (found["variation"], found["variation_side"]) == ("neutral", "high")


def births(chance: float, size: int = 2000, later: float | None = None) -> qe.StratifiedSeries:
    rng = np.random.default_rng(8)
    risk = np.where(np.arange(size) < size / 2, chance, chance if later is None else later)
    records = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=size, freq="6h"), "expected": chance})
    records["event"] = rng.random(size) < risk
    return qe.between_events(
        records,
        qe.Measure("Births between", "between", "higher"),
        date="date",
        event="event",
        expected="expected",
    )


def test_a_vlad_shows_and_does_not_judge() -> None:
    found = icon(qe.control_chart(births(0.05), "vlad"))
    assert found["variation"] == "none"
    assert found["variation_text"] == "A VLAD shows and does not judge: no rule applies to it."


@pytest.mark.parametrize("kind", ["bernoulli_cusum", "risk_adjusted_cusum"])
def test_more_events_are_shorter_gaps_and_a_concern(kind: str) -> None:
    chart = qe.control_chart(births(0.02, later=0.2), kind, baseline=15)
    flags = chart.points[["arm", "improvement", "concern"]]
    assert flags.loc[flags["arm"] == "high", "concern"].any()
    assert not flags.loc[flags["arm"] == "high", "improvement"].any()
    found = icon(chart)
    assert set(found) == set(COLUMNS)


def test_a_gap_that_is_still_open_and_too_long_is_the_icon() -> None:
    records = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=900, freq="D")})
    records["event"] = (np.arange(900) % 7 == 0) & (np.arange(900) < 300)
    series = qe.between_events(
        records, qe.Measure("Births between", "between", "higher"), date="date", event="event"
    )
    chart = qe.control_chart(series, "g", rules="shewhart", target=5)
    found = icon(chart)
    assert (found["variation"], found["variation_side"]) == ("improvement", "high")
    assert "takes part in a signal (high: beyond limits)" in str(found["variation_text"])
    assert found["assurance"] == "inconsistent"


EVERY_KIND = ["i", "mr", "ip", "p", "np", "pp", "ewma", "cusum", qe.Cusum(), qe.P("classical"), "auto"]


@pytest.mark.parametrize("events", [0, 7, 60])
@pytest.mark.parametrize("kind", EVERY_KIND, ids=str)
def test_a_constant_series_has_a_defined_icon(make_series: Make, kind: object, events: int) -> None:
    found = icon(qe.control_chart(make_series([events] * 24, 60), kind, target=0.5))
    assert found["variation"] in ("common cause", "none")
    assert found["variation_side"] != found["variation_side"]
    assert found["variation_text"]
    assert found["assurance_text"]
    values = kind not in ("mr", "np", "ewma", "cusum", qe.Cusum())
    assert (found["assurance"] == ("fail" if events == 60 else "pass")) == values


@pytest.mark.parametrize(("events", "value"), [(0, "0 %"), (60, "100 %")])
def test_a_constant_at_the_end_of_the_scale_says_what_it_does_not_show(
    make_series: Make, events: int, value: str
) -> None:
    found = icon(qe.control_chart(make_series([events] * 24, 60), "p", target=0.5))
    assert str(found["assurance_text"]).endswith(
        f" That every value was {value} does not show that the rate is."
    )
    assert str(found["variation_text"]).endswith("No point is judged against it.")
    plain = icon(qe.control_chart(make_series([events] * 24, 60), "i", target=0.5))
    assert "does not show" not in str(plain["assurance_text"])


@pytest.mark.parametrize("kind", ["cusum", qe.Cusum()], ids=str)
def test_a_cusum_that_cannot_be_started_is_not_called_without_data(make_series: Make, kind: object) -> None:
    chart = qe.control_chart(make_series([0] * 24, 60), kind)
    found = icon(chart)
    assert found["variation"] == "none"
    assert str(found["variation_text"]).startswith(
        "The baseline holds no event (or nothing but events), or has"
    )
    codes = set(chart.notes["code"])
    assert "no_lines" in codes
    assert "no_data" not in codes


def test_strata_of_different_kinds_have_the_icons_of_their_own_charts(make_series: Make) -> None:
    numbers = np.array([[0, 1, 0, 0] * 6, [12, 13, 11, 14] * 6, [0, 1, 0, 0] * 4 + [2] * 8])
    series = make_series(numbers, np.array([[12], [120], [12]]))
    chart = qe.control_chart(series, target=0.01, baseline=16)
    assert chart.kinds["kind"].tolist() == ["cusum", "p", "cusum"]
    icons = chart.icons()
    assert list(icons.columns) == COLUMNS
    for group in series.groups:
        one = qe.control_chart(series.select(group=group), target=0.01, baseline=16).icons().iloc[0]
        pair = icons[icons["group"] == group].iloc[0]
        assert pair.fillna("").astype(str).tolist() == one.fillna("").astype(str).tolist()


def set_of(*tests: Test) -> qe.RuleSet:
    return qe.RuleSet("ours", "1", "test", tests)


ZIGZAG = [9, 11, 8, 12] * 5
SIDELESS = {
    "alternating": (Alternating(length=14), ZIGZAG),
    "within": (Within(length=4), [*ZIGZAG, 10, 10, 10, 10]),
    "outside": (Outside(length=4), [*[10, 10.5, 9.5, 10] * 4, 30, -10, 31, -11]),
}


@pytest.mark.parametrize("better", ["lower", "higher", None])
@pytest.mark.parametrize("rule", SIDELESS)
def test_a_signal_without_a_side_makes_the_icon_neutral(
    make_series: Make, rule: str, better: str | None
) -> None:
    test, values = SIDELESS[rule]
    series = make_series(values, kind="mean", better=better)
    chart = qe.control_chart(series, rules=set_of(test), baseline=16)
    assert chart.flags[rule, "none"][0, -1]
    found = icon(chart)
    assert found["variation"] == "neutral"
    assert found["variation_side"] != found["variation_side"]
    last = chart.points["period"].iloc[-1].strftime("%Y-%m")
    assert found["variation_text"] == f"{last} takes part in a signal (no side: {rule})."


def test_a_signal_with_a_side_goes_before_one_without(make_series: Make) -> None:
    series = make_series([*ZIGZAG, 9, 30], kind="mean")
    found = icon(qe.control_chart(series, rules=set_of(Alternating(), BeyondLimits()), baseline=20))
    assert (found["variation"], found["variation_side"]) == ("concern", "high")
    assert "(high: beyond limits; no side: alternating)" in str(found["variation_text"])


def test_an_earlier_signal_without_a_side_is_only_said(make_series: Make) -> None:
    series = make_series([*ZIGZAG, 10, 10, 10], kind="mean")
    found = icon(qe.control_chart(series, rules=set_of(Alternating()), baseline=20))
    assert found["variation"] == "common cause"
    assert str(found["variation_text"]).endswith("An earlier point of this phase does.")


@pytest.mark.parametrize("values", [[1, 2] * 12, [1] * 12 + [2] * 12], ids=["many", "few"])
def test_an_unusual_number_of_runs_is_not_called_crossings(make_series: Make, values: list[int]) -> None:
    found = icon(qe.run_chart(make_series(values, kind="mean"), rules=set_of(RunsCount())))
    assert found["variation"] == "neutral"
    assert found["variation_side"] != found["variation_side"]
    text = str(found["variation_text"])
    assert text.startswith("An unusual number of runs about the centre line: ")
    assert "neither place nor direction" in text
    assert "ewer crossings" not in text


def test_crossings_and_runs_are_each_said(make_series: Make) -> None:
    both = set_of(Crossings(), RunsCount())
    text = str(
        icon(qe.run_chart(make_series([1] * 12 + [2] * 12, kind="mean"), rules=both))["variation_text"]
    )
    assert text.startswith("Fewer crossings")
    assert " An unusual number of runs" in text
    many = str(icon(qe.run_chart(make_series([1, 2] * 12, kind="mean"), rules=both))["variation_text"])
    assert many.startswith("An unusual number of runs")
    assert "ewer crossings" not in many


def test_the_runs_of_an_earlier_phase_are_not_those_of_the_last(make_series: Make) -> None:
    series = make_series([1] * 12 + [2] * 12 + [5, 6, 6, 5] * 6, kind="mean")
    found = icon(qe.run_chart(series, rules=set_of(RunsCount()), phases="2024-01"))
    assert found["variation"] == "common cause"


ALONE = [test() for test in TESTS.values()]


@pytest.mark.parametrize("test", ALONE, ids=lambda test: test.name)
def test_every_test_alone_judges_ordinary_points(make_series: Make, test: Test) -> None:
    noise = np.random.default_rng(1).binomial(60, 1 / 6, 24)
    for series in (make_series(noise, 60), make_series(noise + 0.5, kind="mean")):
        chart = qe.control_chart(series, rules=set_of(test))
        assert len(chart.signals) == 0
        assert icon(chart)["variation"] == "common cause"


@pytest.mark.parametrize(
    "test",
    [t for t in ALONE if not isinstance(t, BeyondLimits)],
    ids=lambda test: test.name,
)
def test_too_few_points_for_a_test_are_not_judged_by_it(make_series: Make, test: Test) -> None:
    points = 2 if isinstance(test, TwoInThree) else 4 if isinstance(test, FourInFive) else 3
    found = icon(qe.control_chart(make_series([8, 12, 9, 11][:points], 60), rules=set_of(test)))
    assert found["variation"] == "none"
    assert str(found["variation_text"]).startswith("No rule could apply")


@pytest.mark.parametrize("kind", ["ewma", qe.Cusum()], ids=str)
def test_patterns_are_not_applied_where_points_carry_their_past(make_series: Make, kind: object) -> None:
    rules = set_of(FourInFive(), Alternating(), RunsCount())
    found = icon(qe.control_chart(make_series(STEADY * 2, kind="mean"), kind, rules=rules))
    assert found["variation"] == "none"
