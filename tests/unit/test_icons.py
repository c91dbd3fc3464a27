"""Variation and assurance icons in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import qi_equity as qe
from qi_equity.spc.rules import BeyondLimits, Crossings, Shift, Trend

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
    chart = qe.control_chart(make_series([*STEADY, 40, 5], 50), rules="shewhart", baseline=12)
    found = icon(chart)
    assert found["variation"] == "common cause"
    assert found["variation_text"] == "2023-02 takes part in no signal. An earlier point of this phase does."


def test_an_earlier_phase_is_not_spoken_of(make_series: Make) -> None:
    chart = qe.control_chart(
        make_series([*STEADY, 40, *STEADY], 50), rules="shewhart", phases="2023-02", exclude="2023-01"
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
