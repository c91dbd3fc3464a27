"""Notes, alternative texts and the notebook view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cells import PROVISIONAL
from qi_equity.spc.rules import (
    TESTS,
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    RunsCount,
    Test,
    Trend,
    Within,
)
from qi_equity.spc.text import OF_PHASE
from qi_equity.spc.words import amount, and_list, plural

Make = Callable[..., qe.StratifiedSeries]

STEADY = [5, 6, 4, 7, 5, 6, 4, 7, 5, 6, 4, 7]


def codes(chart: qe.ControlChart) -> list[str]:
    return chart.notes["code"].tolist()


def text(chart: qe.ControlChart, code: str) -> str:
    (found,) = chart.notes.loc[chart.notes["code"] == code, "text"]
    return str(found)


def test_notes_have_the_columns_of_every_result(make_series: Make) -> None:
    notes = qe.control_chart(make_series(STEADY, 50)).notes
    assert list(notes.columns) == ["code", "severity", "site", "group", "text"]
    assert set(notes["severity"]) <= {"info", "caution", "warning"}


def test_a_sound_chart_says_only_what_to_expect(make_series: Make) -> None:
    chart = qe.control_chart(make_series([60, 66, 57, 63] * 6, 300))
    assert codes(chart) == ["expected_false_signals"]
    probability = chart.summary().loc[0, "false_signal_probability"]
    assert text(chart, "expected_false_signals") == (
        f"The chance of at least one false signal on this chart is about {100 * probability:.0f} % "
        "(reckoned for known lines)."
    )


def test_a_simulated_set_says_so(make_series: Make) -> None:
    chart = qe.control_chart(make_series([60, 66, 57, 63] * 6, 300), rules="making_data_count")
    assert "(reckoned for known lines, partly by simulation)" in text(chart, "expected_false_signals")


def test_limits_that_cannot_signal_improvement_say_what_could(make_series: Make) -> None:
    chart = qe.control_chart(make_series([2, 3, 1, 2] * 6, 28))
    said = text(chart, "limits_cannot_signal_improvement")
    assert said.startswith(
        "The limits cannot signal improvement: with about 2 expected events a month, no count can lie beyond "
        "the lower limit, and a fall can show only over several points. Longer periods, the group pooled "
        "over sites, a CUSUM"
    )
    assert not {c for c in codes(chart) if c.endswith("cannot_signal_deterioration")}


def test_without_runs_tests_nothing_can_show(make_series: Make) -> None:
    chart = qe.control_chart(make_series([2, 3, 1, 2] * 6, 28), "p", rules="shewhart")
    said = text(chart, "cannot_signal_improvement")
    assert said.startswith("This chart cannot signal improvement: with about 2 expected events a month")
    assert "a fall cannot show here at all" in said


def test_the_side_that_cannot_signal_is_named_by_the_measure(make_series: Make) -> None:
    higher = qe.control_chart(make_series([2, 3, 1, 2] * 6, 28, better="higher"))
    said = text(higher, "limits_cannot_signal_deterioration")
    assert said.startswith("The limits cannot signal deterioration")
    assert "a fall can show only" in said
    screened = qe.control_chart(make_series([26, 25, 27, 26] * 6, 28, better="higher"))
    assert "beyond the upper limit, and a rise" in text(screened, "limits_cannot_signal_improvement")
    neutral = qe.control_chart(make_series([2, 3, 1, 2] * 6, 28, better=None))
    assert text(neutral, "limits_cannot_signal_low").startswith("The limits cannot signal a fall: ")
    assert not {c for c in codes(neutral) if c.endswith("cannot_signal_high")}


def test_counts_state_their_expected_events(make_series: Make) -> None:
    chart = qe.control_chart(make_series([2, 3, 1, 2] * 6, kind="count"))
    assert "with about 2 expected events a month" in text(chart, "limits_cannot_signal_improvement")


def test_measurements_and_run_charts_have_no_such_note(make_series: Make) -> None:
    series = make_series([2, 3, 1, 2] * 6, 28)
    for chart in (
        qe.run_chart(series),
        qe.control_chart(make_series([2, 3, 1, 2] * 6, kind="mean"), "i"),
        qe.control_chart(series, "p", rules="anhoej"),
    ):
        assert not [c for c in codes(chart) if "cannot_signal" in c]
    # The limits of individuals go below 0, a proportion does not.
    assert "limits_cannot_signal_improvement" in codes(qe.control_chart(series, "i"))


def test_a_runs_test_that_is_not_given_states_the_number(make_series: Make) -> None:
    chart = qe.control_chart(make_series([0, 1, 0, 0] * 6, 12), "p")
    assert text(chart, "runs_tests_not_given") == (
        "Runs tests are not given: a point lies above the centre line with a chance of "
        f"{chart.runs.chance[0, 0]:.2f}, and the tests hold between 0.4 and 0.6 only. "
        "Longer periods bring it to 1/2."
    )
    assert "runs_tests_not_given" not in codes(
        qe.control_chart(make_series([0, 1, 0, 0] * 6, 12), "p", rules="shewhart")
    )


def test_a_short_phase_and_its_name(make_series: Make) -> None:
    chart = qe.control_chart(make_series(STEADY * 2, 50), phases="2022-06")
    assert text(chart, "short_phase") == (
        "Phase 1: The limits are provisional: the baseline holds 5 points, fewer than 12, and more would "
        "move them."
    )
    assert "short_phase" not in codes(qe.control_chart(make_series(STEADY, 50)))
    one = qe.control_chart(make_series([5], 50))
    assert text(one, "short_phase").startswith(
        "The limits are provisional: the baseline holds 1 point, fewer"
    )
    run = qe.run_chart(make_series(STEADY[:7], 50))
    assert text(run, "short_phase").startswith("The centre line is provisional: the baseline holds 7 points")


@pytest.mark.parametrize(
    ("options", "points"),
    [
        ({"baseline": 11}, 11),
        ({"baseline": "2022-08"}, 8),
        ({"baseline": 12, "exclude": ["2022-03", "2022-05"]}, 10),
        ({"exclude": [f"2022-{m:02d}" for m in range(1, 13)] + ["2023-02"]}, 11),
    ],
)
def test_the_points_of_the_baseline_count_not_those_of_the_phase(
    make_series: Make, options: dict[str, object], points: int
) -> None:
    chart = qe.control_chart(make_series([60, 66, 57, 63] * 6, 300), **options)
    assert int(chart.timeline.baseline.sum()) == points
    assert f"provisional: the baseline holds {points} points, fewer than 12," in text(chart, "short_phase")
    assert (chart.notes.loc[chart.notes["code"] == "short_phase", "severity"] == "caution").all()


@pytest.mark.parametrize("options", [{"baseline": 12}, {"baseline": 13, "exclude": "2022-03"}, {}])
def test_twelve_points_in_the_baseline_are_enough(make_series: Make, options: dict[str, object]) -> None:
    chart = qe.control_chart(make_series([60, 66, 57, 63] * 6, 300), **options)
    assert "short_phase" not in codes(chart)


def test_lines_that_come_from_elsewhere_are_not_provisional() -> None:
    days = pd.date_range("2023-01-01", "2023-03-31", freq="D")
    records = pd.DataFrame({"date": days, "event": np.arange(len(days)) % 9 == 0, "risk": 0.1})
    series = qe.between_events(
        records, qe.Measure("Births", "between", "higher"), date="date", event="event", expected="risk"
    )
    assert "short_phase" in codes(qe.control_chart(series, "bernoulli_cusum"))
    for kind in ("vlad", "risk_adjusted_cusum"):
        assert "short_phase" not in codes(qe.control_chart(series, kind))


def test_a_baseline_without_events_is_said_once(make_series: Make) -> None:
    chart = qe.control_chart(make_series([0] * 24, 50))
    assert text(chart, "no_events_in_baseline").startswith(
        "The baseline holds no event. That does not show that the rate is 0 %, so no point is judged"
    )
    assert codes(chart) == ["expected_false_signals", "no_events_in_baseline"]


def test_strata_without_data_suppressed_and_provisional_points(make_series: Make) -> None:
    numbers = np.array([[*STEADY, *STEADY], [None] * 24], dtype=object)
    numbers[0, [2, 5]] = "*"
    series = make_series(numbers, 50)
    status = series.cells.status.copy()
    status[0, -1] = PROVISIONAL
    chart = qe.control_chart(replace(series, cells=replace(series.cells, status=status)))
    notes = chart.notes.set_index("code")
    assert notes.loc["no_data", "group"] == "B"
    assert notes.loc["no_data", "text"].startswith("No observed point: nothing can be said")
    assert notes.loc["suppressed_points", "text"].startswith("2 suppressed points: not zero and not missing")
    assert notes.loc["provisional_points", "text"].startswith(
        "1 provisional point: drawn, but neither judged"
    )
    assert (notes.loc["provisional_points", "severity"], notes.loc["suppressed_points", "group"]) == (
        "info",
        "A",
    )


@pytest.mark.parametrize(("missing", "severity"), [(4, "info"), (5, "caution")])
def test_many_unrecorded_outcomes_are_a_caution(missing: int, severity: str) -> None:
    frame = pd.DataFrame({"date": ["2023-01-05"] * 60 + ["2023-02-05"] * 40})
    frame["event"] = [None] * missing + [True, False] * 20 + [False] * (60 - missing)
    series = qe.from_records(frame, qe.measures["pph_1500"], date="date", event="event")
    notes = qe.control_chart(series).notes.set_index("code")
    assert notes.loc["unrecorded_outcomes", "severity"] == severity


def test_unrecorded_outcomes_are_stated() -> None:
    days = pd.date_range("2023-01-01", "2023-12-31", freq="6h")
    event = pd.Series(np.arange(len(days)) % 10 == 0).astype("boolean")
    event[::20] = pd.NA
    births = pd.DataFrame({"date": days, "event": event})
    series = qe.from_records(births, qe.Measure("Test", "proportion", "lower"), date="date", event="event")
    chart = qe.control_chart(series)
    missing = int(event.isna().sum())
    assert text(chart, "unrecorded_outcomes").startswith(f"{missing} births without a recorded outcome (5 %)")


def test_notes_of_the_data_and_of_the_phases_are_kept(make_series: Make) -> None:
    series = make_series([10, 15, 20, 5] * 10, [100, 105, 110, 95] * 10)
    chart = qe.control_chart(series, phases="2023-01-15")
    assert {"rounded_counts", "date_inside_period"} <= set(codes(chart))


def test_alt_text_describes_each_panel(make_series: Make) -> None:
    measure = qe.Measure("Haemorrhage", "proportion", "lower")
    numbers = np.array([[*STEADY, 30], [*STEADY, "*"]], dtype=object)
    chart = qe.control_chart(make_series(numbers, 100, measure=measure), "p", rules="shewhart", baseline=12)
    texts = chart.alt_text()
    assert list(texts.columns) == ["group", "text"]
    assert texts.loc[0, "text"] == (
        "A: p chart of Haemorrhage, by month, 2022-01 to 2023-01: 13 observed points; 96 events among "
        "1,300. Centre line 5.5 %, limits at the last point 0 % to 13.5 %. 1 signal: beyond limits, "
        "high, 2023-01, concern."
    )
    assert "12 observed points, 1 suppressed; 66 events among 1,200." in texts.loc[1, "text"]
    assert texts.loc[1, "text"].endswith("No signal.")


def test_alt_text_of_phases_runs_and_crossings(make_series: Make) -> None:
    values = [*[1, 2] * 6, *[3, 2, 3, 2, 4, 2] * 2, *[9, 8] * 6]
    rules = qe.RuleSet("runs", "1", "test", (LongestRun(), Crossings()))
    chart = qe.run_chart(make_series(values, kind="mean", better=None), phases="2023-01", rules=rules)
    said = chart.alt_text().loc[0, "text"]
    assert said.startswith(
        "A: run chart of Test, by month, 2022-01 to 2024-12: 36 observed points. "
        "Phase 1 from 2022-01: median 1.5."
    )
    assert "Phase 2 from 2023-01: median" in said
    assert "3 signals: longest run, low, 2023-01 to 2023-12; " in said
    assert "too few crossings somewhere in 2023-01 to 2024-12 (neither place nor direction)" in said


def test_alt_text_says_what_is_not_there(make_series: Make) -> None:
    numbers = np.array([[0, 0, 1, 0] * 6, [None] * 24], dtype=object)
    texts = qe.control_chart(make_series(numbers, 12), "p").alt_text()["text"]
    assert "Runs tests not given: uneven chance." in texts[0]
    assert texts[1] == "B: p chart of Test. No observed points."
    status = qe.control_chart(make_series([*STEADY, None], 50)).alt_text().loc[0, "text"]
    assert "12 observed points, 1 missing;" in status
    alone = qe.control_chart(make_series([7], kind="mean")).alt_text().loc[0, "text"]
    assert "Mean 7." in alone
    excluded = qe.control_chart(make_series([7, 8], kind="mean"), exclude=["2022-01", "2022-02"])
    assert "No centre line." in excluded.alt_text().loc[0, "text"]


def test_the_notebook_view_shows_tables_and_no_figure(make_series: Make) -> None:
    measure = qe.Measure("<b>Bold & brave</b>", "proportion", "lower")
    series = make_series([[*STEADY, 40]], 50, measure=measure, groups=["<script>alert(1)</script>"])
    html = qe.control_chart(series, baseline=12)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;Bold &amp; brave&lt;/b&gt;: p chart, rules anhoej+shewhart" in html
    assert "<img" not in html
    assert "<svg" not in html
    assert "beyond_limits" in html
    assert "false signal on this chart" in html


def test_the_notebook_view_is_short(make_series: Make) -> None:
    numbers = np.tile(STEADY, (40, 1))
    html = qe.control_chart(make_series(numbers, 500, groups=[f"G{k:02d}" for k in range(40)]))._repr_html_()
    assert "and 10 more rows (one row a stratum and phase)" in html
    assert "Signals: 0" in html


@pytest.mark.parametrize(
    ("measure", "value", "said"),
    [
        (qe.Measure("a", "proportion", None), 0.0667, "6.67 %"),
        (qe.Measure("a", "rate", None), 0.0031, "3.1 per 1000"),
        (qe.Measure("a", "count", None), 12.0, "12"),
        (qe.Measure("a", "mean", None, unit="ml"), 512.34, "512 ml"),
    ],
)
def test_amounts_have_the_unit_of_the_measure(measure: qe.Measure, value: float, said: str) -> None:
    assert amount(measure, value) == said


def test_words() -> None:
    assert [plural(n, "birth") for n in (0, 1, 1200)] == ["0 births", "1 birth", "1,200 births"]
    assert and_list(["a"]) == "a"
    assert and_list(["a", "b", "c"]) == "a, b and c"


def test_several_strata_are_told_how_many_would_signal(make_series: Make) -> None:
    chart = qe.control_chart(make_series([[60, 66, 57, 63] * 6] * 2, 300))
    expected = chart.summary().loc[0, "expected_false_signals_all"]
    assert f"up to about {expected:.2g} of the 2 strata here would" in text(chart, "expected_false_signals")


@pytest.mark.parametrize(("numbers", "births"), [([0] * 24, 50), ([5], 50)])
def test_a_tiny_chance_has_no_number(make_series: Make, numbers: list[int], births: int) -> None:
    chart = qe.control_chart(make_series(numbers, births))
    assert chart.summary().loc[0, "expected_false_signals_all"] < 0.005
    said = text(chart, "expected_false_signals")
    assert not any(letter.isdigit() for letter in said)
    assert "false signal is to be expected here" in said


@pytest.mark.parametrize(("suppressed", "severity"), [(5, "caution"), (6, "warning")])
def test_suppressed_points_bias_the_lines(make_series: Make, suppressed: int, severity: str) -> None:
    numbers = ["*"] * suppressed + [5, 6] * 12
    chart = qe.control_chart(make_series(numbers[:24], 50))
    row = chart.notes.set_index("code").loc["suppressed_points"]
    assert row["severity"] == severity
    assert "biased: upward if zeros are withheld too" in row["text"]
    assert "must not be compared with those of other groups" in row["text"]


def test_without_lines_one_note_says_so(make_series: Make) -> None:
    months = [f"2022-{m:02d}" for m in range(1, 7)]
    chart = qe.control_chart(make_series([5, 6] * 3, 60), exclude=months)
    assert set(codes(chart)) == {"exclusion_without_reason", "expected_false_signals", "no_lines"}
    assert text(chart, "no_lines") == (
        "Every point of the phase is excluded (or none is in the baseline): there are no lines."
    )
    assert "nan" not in " ".join(chart.notes["text"])


def test_a_run_chart_with_every_point_on_the_median_says_so(make_series: Make) -> None:
    chart = qe.run_chart(make_series([5] * 12, kind="mean"))
    assert text(chart, "runs_tests_not_given").endswith("every point lies on the centre line.")


def test_one_expected_event_is_singular(make_series: Make) -> None:
    chart = qe.control_chart(make_series([1, 2, 0, 1] * 6, 28), "p", rules="shewhart")
    assert "with about 1 expected event a month" in text(chart, "cannot_signal_improvement")


def set_of(*tests: Test) -> qe.RuleSet:
    return qe.RuleSet("ours", "1", "test", tests)


def said(chart: qe.ControlChart, stratum: int = 0) -> str:
    return str(chart.alt_text().loc[stratum, "text"])


def test_a_signal_without_a_side_has_its_own_name_and_place(make_series: Make) -> None:
    series = make_series([10, 10, 10, *[9, 11] * 8, 11], kind="mean")
    text = said(qe.control_chart(series, rules=set_of(Alternating())))
    assert text.endswith("1 signal: alternating, 2022-03 to 2023-07.")


@pytest.mark.parametrize(
    ("values", "runs"), [([1, 2] * 12, "24 runs"), ([1] * 12 + [2] * 12, "2 runs")], ids=["many", "few"]
)
def test_alt_text_of_an_unusual_number_of_runs(make_series: Make, values: list[int], runs: str) -> None:
    chart = qe.run_chart(make_series(values, kind="mean"), rules="ihi")
    text = said(chart)
    assert "an unusual number of runs about the centre line somewhere in 2022-01 to 2023-12" in text
    assert f"({runs} in 24 points; neither place nor direction)" in text
    assert "crossings" not in text


def test_the_runs_of_alt_text_are_those_of_their_stratum_and_phase(make_series: Make) -> None:
    calm, few = [5, 6, 6, 5] * 3, [5] * 6 + [6] * 6
    series = make_series([calm + calm, calm + few], kind="mean")
    chart = qe.run_chart(series, rules=set_of(RunsCount()), phases="2023-01")
    assert said(chart).endswith("No signal.")
    assert "somewhere in 2023-01 to 2023-12 (2 runs in 12 points;" in said(chart, 1)


def test_every_rule_that_judges_a_phase_as_a_whole_has_its_words() -> None:
    assert set(OF_PHASE) == {name for name, test in TESTS.items() if not test.sides}


def test_alt_text_gives_the_target_in_the_unit_of_the_measure(make_series: Make) -> None:
    series = make_series(STEADY * 2, 50)
    assert "%. Target 5 %. " in said(qe.control_chart(series, target=0.05))
    assert "Target 5 %. " in said(qe.run_chart(series, target=0.05))
    assert "Target" not in said(qe.control_chart(series))
    rates = make_series(STEADY * 2, 500, kind="rate")
    assert "Target 3.1 per 1000." in said(qe.control_chart(rates, target=0.0031))


def test_alt_text_gives_the_latest_target(make_series: Make) -> None:
    numbers = np.array([[*STEADY, *STEADY], [*STEADY, *[None] * 12], [None] * 24], dtype=object)
    target = pd.DataFrame({"start": ["2022-01", "2023-01"], "target": [0.2, 0.1]})
    chart = qe.control_chart(make_series(numbers, 50), target=target)
    assert "Target 10 %. It was not the same at all points." in said(chart)
    # the target at the last point that there is, as the icon has it
    assert "Target 20 %. " in said(chart, 1)
    assert "not the same" not in said(chart, 1)
    assert "Target" not in said(chart, 2)
    later = target.iloc[1:].assign(group="B")
    assert "Target" not in said(qe.control_chart(make_series(numbers, 50), target=later), 1)


@pytest.mark.parametrize("kind", ["mr", "np", "cusum", "ewma", "i"])
def test_alt_text_leaves_out_a_target_that_does_not_speak_of_the_points(make_series: Make, kind: str) -> None:
    chart = qe.control_chart(make_series([18, 22, 20, 19, 21, 20] * 4, 200), kind, target=0.3)
    assert ("Target 30 %." in said(chart)) == (kind in ("ewma", "i"))


def test_four_in_five_shows_what_single_points_cannot(make_series: Make) -> None:
    numbers = [4, 5, 6, 4, 7, 3, 5, 6] * 3
    chart = qe.control_chart(make_series(numbers, 100), "p", rules=set_of(BeyondLimits(), FourInFive()))
    assert "a fall can show only over several points" in text(chart, "limits_cannot_signal_improvement")
    assert "cannot_signal_improvement" not in codes(chart)


def test_rules_without_a_side_show_no_improvement(make_series: Make) -> None:
    numbers = [4, 5, 6, 4, 7, 3, 5, 6] * 3
    rules = set_of(BeyondLimits(), Alternating(), Within(), RunsCount())
    chart = qe.control_chart(make_series(numbers, 100), "p", rules=rules)
    assert "a fall cannot show here at all" in text(chart, "cannot_signal_improvement")


def test_rules_that_do_not_look_beyond_limits_are_not_said_to_find_none_there(make_series: Make) -> None:
    series = make_series([4, 5, 6, 4, 7, 3, 5, 6] * 3, 100)
    assert not [c for c in codes(qe.control_chart(series, rules=set_of(FourInFive()))) if "cannot" in c]
    chart = qe.control_chart(series, rules=set_of(Within(), Alternating()))
    assert text(chart, "cannot_signal_deterioration").startswith(
        "This chart cannot signal deterioration: by its rules (within and alternating) a rise cannot show "
        "here. Longer periods"
    )


def test_a_trend_needs_points_enough_to_show_anything(make_series: Make) -> None:
    rules = set_of(BeyondLimits(), Trend(7))
    few, enough = (
        qe.control_chart(make_series([2, 3, 1, 2, 3, 1, 2][:n], 28), "p", rules=rules) for n in (3, 7)
    )
    assert "cannot_signal_improvement" in codes(few)
    assert "limits_cannot_signal_improvement" in codes(enough)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("p", "Longer periods, the group pooled over sites, a CUSUM on the counts"),
        ("i", "Longer periods could show it, or a chart of the counts (p, u, c), or a CUSUM on them."),
        ("mr", ""),
    ],
)
def test_what_could_show_a_change_depends_on_the_kind(make_series: Make, kind: str, advice: str) -> None:
    chart = qe.control_chart(make_series([1, 2, 0, 1] * 6, 28), kind, rules="shewhart")
    said = chart.notes.loc[chart.notes["code"].str.startswith("cannot_signal"), "text"]
    assert len(said)
    assert said.str.contains(advice, regex=False).all()
    assert said.str.contains("could show it").all() == bool(advice)


def test_gaps_are_told_of_runs_and_of_births_one_by_one() -> None:
    times = pd.date_range("2023-01-01", periods=300, freq="6h")
    births = pd.DataFrame({"d": times, "e": np.arange(300) % 7 == 3})
    series = qe.between_events(births, qe.Measure("m", "proportion", "lower"), date="d", event="e")
    chart = qe.control_chart(series, "g", rules="shewhart")
    said = chart.notes.loc[chart.notes["code"] == "cannot_signal_deterioration", "text"].item()
    assert said.endswith("Runs of short gaps could show it, or a Bernoulli CUSUM of the same series.")


def test_strata_without_points_are_not_counted_among_those_that_could_signal(make_series: Make) -> None:
    values = [[5, 7, 4, 6] * 6, [6, 4, 7, 5] * 6, [None] * 24]
    chart = qe.control_chart(make_series(values, 50), "p")
    assert "of the 2 strata here" in chart.notes.set_index("code").loc["expected_false_signals", "text"]


def test_laney_s_charts_have_their_own_names(make_series: Make) -> None:
    chart = qe.control_chart(make_series([5, 7, 4, 6] * 6, 50), "pp")
    assert chart.alt_text().loc[0, "text"].startswith("A: p′ chart (Laney) of Test")
