"""False signals of all that is shown: sums, products, other rules, and limits tuned to a level.

No published table of false signals over many groups and measures was found. Expected values come from
products written out, from counting binomial tails, from charts that are drawn and judged, and from the chance
within 12 points of limits set by 12 points (0.288 with three rules), which was reckoned by simulation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.estimated_lines import estimated_normal_waiting
from qi_equity.planning.false_signals import rules as false_signals_rules
from qi_equity.planning.false_signals.expect import RULES, FalseSignals
from qi_equity.planning.false_signals.expect import false_signals as with_default_rules
from qi_equity.planning.false_signals.rules import TAILS, by_rules, together, tuned, untuned_kinds
from qi_equity.planning.false_signals.text import _percent
from qi_equity.spc.chance import chain_of_tests
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Ewma
from qi_equity.spc.rules import Alternating, BeyondLimits, RuleSet, Shift, TwoInThree

Make = Callable[..., qe.StratifiedSeries]

ZONES = (BeyondLimits(), TwoInThree(), Shift(length=7))
false_signals = partial(with_default_rules, rules="shewhart")
BIRTHS = np.array([294, 66, 28, 12])[:, None] + np.arange(24) % 5
EVENTS = np.round(BIRTHS * 0.06 + np.tile([1, -1], 12) * np.sqrt(BIRTHS * 0.06) / 2).astype(int)


@pytest.fixture
def series(make_series: Make) -> qe.StratifiedSeries:
    return make_series(EVENTS, BIRTHS, groups=["White", "Asian", "Black", "Mixed"], sites=["North"] * 4)


@pytest.fixture
def p_chart(series: qe.StratifiedSeries) -> qe.ControlChart:
    return qe.control_chart(series, "p")


def naive(chances: list[float]) -> tuple[float, float]:
    """Add up and multiply in a loop."""
    expected, quiet = 0.0, 1.0
    for chance in chances:
        expected += chance
        quiet *= 1 - chance
    return expected, 1 - quiet


def beyond(n: int, rate: float, tail: float) -> float:
    """Chance that a count has a binomial tail below the one given, by listing every count."""
    counts = np.arange(n + 1)
    low, high = stats.binom.cdf(counts, n, rate), stats.binom.sf(counts - 1, n, rate)
    return float(stats.binom.pmf(counts, n, rate)[(low < tail) | (high < tail)].sum())


def limits_alone(tail: float) -> float:
    """Chance of any point beyond limits at a tail in all groups, point by point."""
    rates = EVENTS.sum(axis=1) / BIRTHS.sum(axis=1)
    return naive(
        [
            beyond(int(n), float(rate), tail)
            for births, rate in zip(BIRTHS, rates, strict=True)
            for n in births
        ]
    )[1]


def test_rows_are_those_of_the_summary(p_chart: qe.ControlChart) -> None:
    found, summary = false_signals(p_chart), p_chart.summary()
    table = found.table
    assert table["probability"].tolist() == summary["false_signal_probability"].tolist()
    assert table["standard_error"].tolist() == summary["false_signal_error"].tolist()
    for name in ("site", "group", "kind", "phase", "n_points"):
        assert table[name].tolist() == summary[name].tolist()
    assert set(table["rules"]) == {"anhoej+shewhart"}
    assert set(table["how"]) == {"reckoned for known lines"}
    assert found.totals.loc[0, "expected"] == pytest.approx(
        summary["expected_false_signals_all"].iloc[0], rel=1e-12
    )


def test_totals_are_the_sum_and_the_naive_product(p_chart: qe.ControlChart) -> None:
    found = false_signals(p_chart)
    expected, any_of_them = naive(found.table["probability"].tolist())
    total = found.totals.iloc[0]
    assert (total["charts"], total["points"]) == (4, 96)
    assert total["expected"] == pytest.approx(expected, rel=1e-12)
    assert total["chance_any"] == pytest.approx(any_of_them, rel=1e-12)
    assert found.table["probability"].max() < total["chance_any"] < expected
    first = found.rules.iloc[0]
    assert bool(first["as_shown"])
    assert first["expected"] == total["expected"]
    assert first["chance_any"] == total["chance_any"]


def test_a_certain_signal_makes_any_certain_and_errors_add_up() -> None:
    assert together(np.array([0.2, 1.0]), np.zeros(2)) == (1.2, 1.0, 0.0)
    assert together(np.zeros(2), np.array([0.01, 0.02])) == (0.0, 0.0, pytest.approx(0.03))
    assert together(np.zeros(0), np.zeros(0)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", RULES)
def test_other_rules_say_what_a_chart_with_them_says(series: qe.StratifiedSeries, name: str) -> None:
    found = false_signals(qe.control_chart(series, "p", rules="ihi"), rules=name).rules.iloc[1]
    summary = qe.control_chart(series, "p", rules=name).summary()
    expected, any_of_them = naive(summary["false_signal_probability"].tolist())
    assert (found["rules"], bool(found["as_shown"])) == (name, False)
    assert found["expected"] == pytest.approx(expected, rel=1e-12)
    assert found["chance_any"] == pytest.approx(any_of_them, rel=1e-12)
    assert found["standard_error"] == pytest.approx(summary["false_signal_error"].sum())
    assert bool(found["holds"]) == (any_of_them <= 0.05)
    unable = [summary[f"can_signal_{side}"] == "no" for side in ("low", "high")]
    assert found["cannot_signal"] == (unable[0] & unable[1]).sum()
    assert found["cannot_signal_improvement"] == (summary["can_signal_improvement"] == "no").sum()


def test_limits_alone_by_listing_every_count(p_chart: qe.ControlChart) -> None:
    found = false_signals(p_chart).rules.iloc[1]
    assert found["chance_any"] == pytest.approx(limits_alone(0.00135), rel=1e-9)


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01])
def test_tuned_limits_hold_the_level_and_the_next_tail_does_not(
    p_chart: qe.ControlChart, level: float
) -> None:
    row = false_signals(p_chart, level=level).rules.iloc[-1]
    assert row["rules"] == "limits alone, tuned"
    assert bool(row["holds"])
    following = TAILS[np.flatnonzero(row["tail"] == TAILS)[0] + 1]
    assert limits_alone(row["tail"]) == pytest.approx(row["chance_any"], rel=1e-9)
    assert limits_alone(row["tail"]) <= level < limits_alone(float(following))


def test_tuned_limits_are_drawn_as_they_say(series: qe.StratifiedSeries, p_chart: qe.ControlChart) -> None:
    row = false_signals(p_chart).rules.iloc[-1]
    spec = eval(row["kind"], {"qe": qe})
    assert spec == P(tail=row["tail"])
    again = false_signals(qe.control_chart(series, spec, rules="shewhart"))
    assert again.totals.loc[0, "chance_any"] == pytest.approx(row["chance_any"], rel=1e-12)
    assert bool(again.rules.iloc[0]["holds"])


def test_simulated_charts_signal_as_often_as_said(make_series: Make) -> None:
    """About lines that are known: 2,000 panels of two groups, after a quiet baseline that sets the lines."""
    rng, panels, n, rate, points = np.random.default_rng(11), 2000, 80, 0.1, 12
    known = pd.DataFrame({"e": np.tile([8], 24)})["e"].to_numpy()
    planned = make_series(np.tile(known[:points], (2, 1)), n)
    shown = qe.control_chart(planned, "p", rules="western_electric")
    assert shown.centre_line[0, 0] == rate
    total = false_signals(shown).totals.iloc[0]
    drawn = rng.binomial(n, rate, (2 * panels, points))
    wide = np.concatenate([np.full((2 * panels, 24), 8), drawn], axis=1)
    groups = [f"{k:05d}" for k in range(2 * panels)]
    charts = qe.control_chart(
        make_series(wide, n, groups=groups),
        "p",
        rules="western_electric",
        baseline=24,
    )
    # The quiet months before, all on the line, are part of no pattern.
    signals = charts.signals.groupby("group", observed=False).size().to_numpy() > 0
    pairs = signals.reshape(panels, 2)
    expected, any_of_them = pairs.sum(axis=1).mean(), pairs.any(axis=1).mean()
    error = math.sqrt(any_of_them * (1 - any_of_them) / panels)
    assert abs(expected - total["expected"]) < 5 * pairs.sum(axis=1).std() / math.sqrt(panels)
    assert abs(any_of_them - total["chance_any"]) < 5 * error


@pytest.mark.parametrize(("tests", "printed"), [(ZONES, 0.288), (ZONES[:1], 0.154)])
def test_54_charts_with_limits_from_12_points(make_series: Make, tests: Any, printed: float) -> None:
    """9 sites x 6 groups x 0.288 = 15.6 charts with a false signal in the 12 months after the baseline.

    That counts runs which look back into the baseline, and no signal within it. A chart with its baseline
    signals at least as often, and at most so much more often as the 12 months of the baseline by themselves.
    Signals that start after the baseline are fewer. The printed number has the error of 5000 series.
    """
    rules = RuleSet("zones", "1", "test", tests)
    shape = {"groups": [*"ABCDEF"] * 9, "sites": np.repeat([f"Site {k}" for k in range(9)], 6).tolist()}

    def shown(points: int) -> tuple[float, float]:
        values = np.tile(np.resize([1.0, 2.0, 4.0, 3.0], points), (54, 1))
        chart = qe.control_chart(make_series(values, kind="mean", **shape), "i", baseline=12, rules=rules)
        found = false_signals(chart).totals.iloc[0]
        assert found["charts"] == 54
        return found["expected"], found["standard_error"]

    year, both = 54 * printed, shown(24)
    baseline = shown(12)
    error = 3 * 54 * math.sqrt(printed * (1 - printed) / 5000)
    assert year - error - 3 * both[1] < both[0] < year + error + baseline[0] + 3 * (both[1] + baseline[1])
    anew = 54 * float(estimated_normal_waiting(chain_of_tests(tests), baseline=12).within(12))
    assert anew < both[0]
    assert anew < year + error


def test_several_measures_together_and_each(series: qe.StratifiedSeries, make_series: Make) -> None:
    other = make_series(
        np.tile([20, 24], 12), kind="count", measure=qe.Measure("Calls", "count", None), groups=["All"]
    )
    found = false_signals([series, qe.control_chart(other, "c")])
    one, two = false_signals(series), false_signals(qe.control_chart(other, "c"))
    table = found.table
    assert table["chart"].tolist() == [1, 1, 1, 1, 2]
    assert table["site"].isna().tolist() == [False] * 4 + [True]
    assert list(table["group"].cat.categories) == ["Asian", "Black", "Mixed", "White", "All"]
    assert found.by_measure["measure"].tolist() == ["Test", "Calls"]
    for name in ("charts", "points", "expected", "chance_any", "standard_error"):
        parts = [one.totals.loc[0, name], two.totals.loc[0, name]]
        assert found.by_measure[name].tolist() == parts
        wanted = naive(parts)[1] if name == "chance_any" else sum(parts)
        assert found.totals.loc[0, name] == pytest.approx(wanted, rel=1e-12)
    last = found.rules.iloc[-1]
    assert last["kind"] == f"qe.P(tail={last['tail']}) / qe.C(tail={last['tail']})"
    assert last["tail"] < one.rules.iloc[-1]["tail"]
    assert "5 charts shown, of 2 measures, would" in found.sentence()


def test_the_order_changes_nothing(series: qe.StratifiedSeries, make_series: Make) -> None:
    other = make_series(EVENTS[:2], BIRTHS[:2] + 3, measure=qe.Measure("Second", "proportion", "lower"))
    there, back = false_signals([series, other]), false_signals([other, series])
    pd.testing.assert_frame_equal(there.totals, back.totals)
    numbers = ["expected", "chance_any", "standard_error", "cannot_signal", "cannot_signal_improvement"]
    pd.testing.assert_frame_equal(there.rules[numbers], back.rules[numbers])
    turned = make_series(EVENTS[::-1], BIRTHS[::-1], groups=["Mixed", "Black", "Asian", "White"])
    plain = make_series(EVENTS, BIRTHS, groups=["White", "Asian", "Black", "Mixed"])
    pd.testing.assert_frame_equal(false_signals(plain).totals, false_signals(turned).totals)


def test_a_series_is_shown_as_its_control_chart(series: qe.StratifiedSeries) -> None:
    assert false_signals(series).equals(false_signals(qe.control_chart(series)))
    assert false_signals([series]).equals(false_signals(series))


def test_phases_are_charts_of_their_own(series: qe.StratifiedSeries) -> None:
    found = false_signals(qe.control_chart(series, "p", phases="2023-01"))
    assert found.table["phase"].tolist() == [1, 2] * 4
    assert found.table["n_points"].tolist() == [12] * 8
    assert found.totals.loc[0, "charts"] == 8


def test_phases_of_one_group_only(series: qe.StratifiedSeries) -> None:
    phases = pd.DataFrame({"start": ["2023-01"], "group": ["Black"]})
    found = false_signals(qe.control_chart(series, "p", phases=phases))
    assert found.table.groupby("group", observed=True).size().tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize(
    ("kind", "spec", "drawn"),
    [
        ("proportion", P(limits="classical"), P),
        ("proportion", NP(), NP),
        ("proportion", CountCusum(), P),
        ("proportion", Ewma(), P),
        ("rate", U(limits="classical"), U),
        ("count", CountCusum(), C),
    ],
)
def test_counts_of_every_kind_are_tuned(make_series: Make, kind: str, spec: Any, drawn: Any) -> None:
    chart = qe.control_chart(
        make_series(EVENTS[:2], None if kind == "count" else BIRTHS[:2], kind=kind), spec, exclude="2022-03"
    )
    row = false_signals(chart).rules.iloc[-1]
    assert eval(row["kind"], {"qe": qe}) == drawn(tail=row["tail"])
    redrawn = qe.control_chart(chart.series, drawn(tail=row["tail"]), rules="shewhart", exclude="2022-03")
    assert row["expected"] == pytest.approx(redrawn.summary()["false_signal_probability"].sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("spec", "drawn"),
    [
        (G(limits="classical"), "qe.G(tail={})"),
        (G(smallest=0), "qe.G(smallest=0, tail={})"),
        (T(limits="exponential"), "qe.T(tail={})"),
        (BernoulliCusum(), "qe.G(tail={})"),
    ],
)
def test_times_between_events_are_tuned(spec: Any, drawn: str) -> None:
    days = isinstance(spec, T)
    rng = np.random.default_rng(3)
    when = pd.to_datetime("2022-01-01") + pd.to_timedelta(np.arange(1200), unit="D")
    records = pd.DataFrame({"date": when, "event": rng.random(1200) < 0.03})
    series = qe.between_events(
        records,
        qe.Measure("Event", "proportion", "lower"),
        date="date",
        event="event",
        unit="days" if days else "births",
    )
    row = false_signals(qe.control_chart(series, spec)).rules.iloc[-1]
    assert row["kind"] == drawn.format(row["tail"])
    assert bool(row["holds"])


def test_limits_common_to_groups_are_tuned_about_their_line(series: qe.StratifiedSeries) -> None:
    chart = qe.control_chart(series, "p", limits="common")
    row = false_signals(chart).rules.iloc[-1]
    again = qe.control_chart(series, P(tail=row["tail"]), limits="common", rules="shewhart")
    assert row["expected"] == pytest.approx(again.summary()["false_signal_probability"].sum(), rel=1e-12)
    some = chart.select(group=["Black", "Mixed"])
    part = false_signals(some)
    last = part.rules.iloc[-1]
    wide = qe.control_chart(series, P(tail=last["tail"]), limits="common", rules="shewhart").summary()
    assert last["expected"] == pytest.approx(wide["false_signal_probability"][1:3].sum(), rel=1e-12)
    whole = false_signals(chart)
    assert part.table["probability"].tolist() == whole.table["probability"].tolist()[1:3]


def test_kinds_without_a_tail_say_why(make_series: Make) -> None:
    means = make_series(np.tile([1.0, 2.0, 4.0, 3.0], 6), kind="mean")
    found = false_signals(qe.control_chart(means, Individuals()))
    row = found.rules.iloc[-1]
    assert np.isnan([row[c] for c in ("tail", "expected", "chance_any", "cannot_signal")]).all()
    assert not row["holds"]
    assert "'i' charts" in row["reason"]
    assert "sigma" in row["reason"]
    assert (
        found.notes.set_index("code").loc["not_reckoned", "text"] == f"limits alone, tuned: {row['reason']}"
    )
    assert "kind=" not in found.sentence()


def test_normal_limits_of_proportions_have_no_tail(series: qe.StratifiedSeries) -> None:
    charts = [qe.control_chart(series, spec) for spec in (P(limits="laney"), Individuals(), P())]
    assert untuned_kinds(charts) == ("pp", "i")


def test_run_charts_take_no_rules_that_need_limits(series: qe.StratifiedSeries) -> None:
    rules = with_default_rules([qe.run_chart(series), qe.control_chart(series, "p")]).rules.set_index("rules")
    assert rules.index[0] == "anhoej / anhoej+shewhart"
    assert rules["chance_any"].isna().tolist() == [False, True, False, True, True, True, True]
    assert "no limits" in rules.loc["shewhart", "reason"]
    assert "run chart" in rules.loc["limits alone, tuned", "reason"]
    assert rules.loc["anhoej", "reason"] == ""


def test_a_level_that_nothing_holds(series: qe.StratifiedSeries, p_chart: qe.ControlChart) -> None:
    assert tuned([p_chart], 1e-15) is None
    row = false_signals(p_chart, level=1e-15).rules.iloc[-1]
    assert np.isnan(row["tail"])
    assert "Not even" in row["reason"]


def test_the_largest_tail_is_that_which_limits_take(make_series: Make) -> None:
    chart = qe.control_chart(make_series([[20, 24, 22]], 300), "p")
    row = false_signals(chart, level=0.9).rules.iloc[-1]
    assert row["tail"] == TAILS[-1] == 0.02
    assert (np.diff(TAILS) > 0).all()


def test_fewer_signals_cost_detection_and_hidden_groups_are_counted(make_series: Make) -> None:
    chart = qe.control_chart(make_series([[1, 2, 1, 2] * 6, [50, 55, 52, 48] * 6], [[20], [900]]), "p")
    found = false_signals(chart)
    text = found.notes.set_index("code").loc["fewer_signals_cost_detection", "text"]
    assert "qe.detection_table" in text
    assert "with 'limits alone, tuned' 0 could not signal at all, and 1 not an improvement" in text
    assert "not yet visible" in text
    assert "no difference" not in " ".join(found.notes["text"])
    wide = false_signals(qe.control_chart(make_series([50, 55] * 12, 900), "p"), level=0.9)
    text = wide.notes.set_index("code").loc["fewer_signals_cost_detection", "text"]
    assert "not yet visible" not in text


def test_charts_that_cannot_signal_are_named(make_series: Make) -> None:
    series = make_series([[0] * 24, [9, 12] * 12], 90, groups=["Black", "White"])
    found = false_signals(qe.control_chart(series, "p"))
    notes = found.notes[found.notes["code"] == "not_yet_visible"]
    assert notes["group"].tolist() == ["Black"]
    assert notes["severity"].tolist() == ["warning"]
    assert "24 points" in notes["text"].iloc[0]
    assert found.rules.loc[0, "cannot_signal"] == 1


def test_tests_without_a_side_can_signal(p_chart: qe.ControlChart) -> None:
    found = by_rules([p_chart], RuleSet("turns", "1", "test", (Alternating(length=14),)))
    assert found is not None
    assert not found.silent.any()
    assert found.no_improvement.all()


def test_no_direction_has_no_improvement(make_series: Make) -> None:
    chart = qe.control_chart(make_series([1, 2] * 12, 20, better=None), "p", rules="shewhart")
    assert false_signals(chart).rules.loc[0, "cannot_signal_improvement"] == 0


def test_a_group_without_births_stays_a_row(make_series: Make) -> None:
    series = make_series([[None] * 12, [9, 12] * 6], 90, groups=["Black", "White"])
    found = false_signals(qe.control_chart(series, "p"))
    assert found.table[["group", "n_points", "probability"]].values.tolist()[0] == ["Black", 0, 0.0]
    assert found.rules.loc[0, "cannot_signal"] == 1


def test_notes_of_dependence(series: qe.StratifiedSeries, p_chart: qe.ControlChart) -> None:
    notes = false_signals([p_chart, qe.run_chart(series)]).notes.set_index("code")
    assert "takes the charts as independent" in notes.loc["independence_assumed", "text"]
    assert notes.loc["independence_assumed", "severity"] == "info"
    assert notes.loc["measure_shown_twice", "text"].startswith("Test is shown 2 times")
    assert notes.loc["known_lines", "text"].startswith("4 charts of counts")
    single = false_signals(qe.run_chart(series)).notes
    assert not single["code"].isin(("measure_shown_twice", "known_lines")).any()


def test_groups_that_overlap_are_a_caution() -> None:
    months = pd.date_range("2023-01-01", periods=12, freq="MS").strftime("%Y-%m")
    rows = pd.DataFrame(
        {
            "month": [*months] * 2,
            "ethnicity": ["Māori"] * 12 + ["Pacific Peoples"] * 12,
            "e": [5, 7] * 12,
            "n": 90,
        }
    )
    series = qe.from_counts(
        rows,
        qe.Measure("Event", "proportion", "lower"),
        period="month",
        numerator="e",
        denominator="n",
        group="ethnicity",
        scheme="nz-level-1-total",
    )
    notes = false_signals(series).notes.set_index("code")
    assert notes.loc["independence_assumed", "severity"] == "caution"
    assert notes.loc["independence_assumed", "text"].endswith("a woman can be in several groups (Event).")


def test_json_gives_the_same_back(p_chart: qe.ControlChart) -> None:
    found = false_signals(p_chart, level=0.1, rules=("shewhart", "anhoej"))
    again = FalseSignals.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    assert again.sentence() == found.sentence()
    assert again.title == found.title == "Test: false signals to expect of 4 charts"
    assert not found.equals(false_signals(p_chart))
    for name in ("table", "totals", "by_measure", "rules"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
        frame = getattr(found, name)
        frame["charts"] = -1
        assert again.equals(found)


def test_rules_shown_are_not_repeated(p_chart: qe.ControlChart) -> None:
    names = with_default_rules(p_chart).rules["rules"].tolist()
    others = ["shewhart", "anhoej", "making_data_count", "western_electric"]
    assert names == ["anhoej+shewhart", *others, "limits alone, tuned"]


def test_columns_and_types_are_fixed(series: qe.StratifiedSeries) -> None:
    keys = ["chart", "measure", "site", "group", "kind", "rules", "phase"]
    assert false_signals(series).table.columns.tolist()[:7] == keys
    first, second = false_signals(series), false_signals(qe.run_chart(series), rules="ihi")
    for name in ("table", "totals", "by_measure", "rules"):
        pd.testing.assert_series_equal(getattr(first, name).dtypes, getattr(second, name).dtypes)


def test_words(p_chart: qe.ControlChart, make_series: Make) -> None:
    found = false_signals(p_chart, level=0.3)
    assert found.sentence().startswith("If nothing had changed anywhere, about 0.")
    assert "Of the rules compared, 'anhoej+shewhart' and 'shewhart' would keep that" in found.sentence()
    assert "at 30 % or less; so would limits alone, drawn with kind=qe.P(tail=" in found.sentence()
    assert "none would keep that at 0.1 % or less" in false_signals(p_chart, level=0.001).sentence()
    notes = found.notes.set_index("code")
    assert notes.loc["expected_false_signals", "severity"] == (
        "info" if found.rules.loc[0, "holds"] else "caution"
    )
    one = false_signals(qe.control_chart(make_series([20, 24, 22], 300), "p"))
    assert one.sentence().startswith("If nothing had changed, the chart shown would still signal")
    assert one.notes.set_index("code").loc["expected_false_signals", "severity"] == "info"
    said = [_percent(x) for x in (0.0, 0.004, 0.05, 0.99, 0.999, 1.0)]
    assert said == ["0 %", "0.4 %", "5 %", "99 %", "more than 99 %", "100 %"]


def test_what_is_wrong_is_named_all_at_once(series: qe.StratifiedSeries) -> None:
    with pytest.raises(InputTypeError, match=r"shown\[1\] is of type str, shown\[2\] is of type DataFrame"):
        false_signals([series, "p", series.data])
    with pytest.raises(InputTypeError, match="shown is of type NoneType"):
        false_signals(None)
    with pytest.raises(OptionError, match="at least one chart"):
        false_signals([])
    with pytest.raises(
        OptionError, match=r"shown\[1\] is shown\[0\], shown\[2\] is shown\[0\], shown\[2\] is"
    ):
        false_signals([series, qe.control_chart(series), series])


@pytest.mark.parametrize("level", [0, 1, -0.1, float("nan")])
def test_levels_that_are_none(series: qe.StratifiedSeries, level: float) -> None:
    with pytest.raises(OptionError, match="level="):
        false_signals(series, level=level)


def test_rules_that_are_none(series: qe.StratifiedSeries) -> None:
    with pytest.raises(InputTypeError, match="level="):
        false_signals(series, level="5 %")
    with pytest.raises(OptionError, match="names 'shewhart', 'anhoej' twice"):
        false_signals(series, rules=("shewhart", "anhoej", "shewhart", "anhoej"))
    with pytest.raises(OptionError, match="Did you mean 'shewhart'"):
        false_signals(series, rules="shewart")
    with pytest.raises(InputTypeError, match="rules=3"):
        false_signals(series, rules=[3])


def test_tails_are_found_in_few_steps(p_chart: qe.ControlChart, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    drawn = false_signals_rules._at_tail

    def counted(piece: qe.ControlChart, tail: float) -> qe.ControlChart:
        tried.append(tail)
        return drawn(piece, tail)

    monkeypatch.setattr(false_signals_rules, "_at_tail", counted)
    assert tuned([p_chart], 0.05) is not None
    assert len(tried) <= 16
