"""Figures of planning: marks at their numbers, lines at those of the formulas, words, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.planning.design_advice import DesignAdvice
from qi_equity.planning.detection import detection_table
from qi_equity.planning.detection_table import DetectionTable
from qi_equity.planning.months import months_to_detect
from qi_equity.planning.run_length.run import run_length
from qi_equity.planning.suggest import suggest_design
from qi_equity.plot._blindness_words import make_strips
from qi_equity.plot._detection_curves import curves
from qi_equity.plot._detection_panels import _told
from qi_equity.plot._log_axis import round_ticks
from qi_equity.plot._save import save_figure
from qi_equity.plot.blindness import plot_blindness
from qi_equity.plot.design import plot_design
from qi_equity.plot.detection import _across_words, plot_detection
from qi_equity.plot.run_length import plot_run_length

Check = Callable[[Figure], None]

MONTHS = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
COLUMNS: dict[str, Any] = {"period": "month", "numerator": "x", "denominator": "n", "group": "group"}
PPH = qe.Measure("Haemorrhage", "proportion", "lower", unit="per 1000")
RULES = "western_electric"

AWKWARD: dict[str, tuple[Any, Any]] = {
    "Asian": (["3", "2"] * 12, 90),
    "Black": (["0"] * 24, 12),
    "Mixed": (["*"] * 24, 20),
    "Other": (["0"] * 24, 0),
    "White": (["11", "9"] * 12, 240),
}


def series(groups: dict[str, tuple[Any, Any]], measure: qe.Measure = PPH, **columns: Any) -> StratifiedSeries:
    """Make a series of groups with their events and births a month."""
    parts = [pd.DataFrame({"month": MONTHS, "group": g, "x": x, "n": n}) for g, (x, n) in groups.items()]
    frame = pd.concat(parts).assign(**columns)
    names = {k: v for k, v in COLUMNS.items() if measure.kind != "count" or k != "denominator"}
    return qe.from_counts(frame, measure, **names)


def sited() -> StratifiedSeries:
    """Make three sites with two groups, of which one is too small at each."""
    parts = [
        pd.DataFrame({"month": MONTHS, "group": g, "x": x, "n": n, "site": site})
        for site, of in (("Avon", 1), ("Brent", 2), ("Cam", 3))
        for g, (x, n) in {"Black": ([of, 0] * 12, 10 + 5 * of), "White": ([9, 7] * 12, 180 * of)}.items()
    ]
    return qe.from_counts(pd.concat(parts), PPH, site="site", **COLUMNS)


@pytest.fixture(scope="module")
def awkward() -> DetectionTable:
    return detection_table(series(AWKWARD), rules=RULES)


@pytest.fixture(scope="module")
def sites() -> DetectionTable:
    return detection_table(sited(), rules=RULES)


@pytest.fixture(scope="module")
def gaps() -> DetectionTable:
    """Births between events, of records."""
    rng = np.random.default_rng(3)
    records = pd.DataFrame(
        {
            "date": np.sort(rng.choice(pd.date_range("2023-01-01", "2024-12-31"), 1500)),
            "event": rng.random(1500) < 0.06,
            "ethnicity": rng.choice(["L", "N"], 1500, p=[0.8, 0.2]),
        }
    )
    made = qe.between_events(
        records, qe.Measure("Haemorrhage", "proportion", "lower", unit="%"), date="date", event="event",
        ethnicity="ethnicity",
    )  # fmt: skip
    return detection_table(made, rules=RULES)


@pytest.fixture(scope="module")
def advice() -> DesignAdvice:
    return suggest_design(series(AWKWARD))


@pytest.fixture(scope="module")
def advice_of_sites() -> DesignAdvice:
    return suggest_design(sited())


def marks(ax: Axes) -> list[Line2D]:
    """Marks that stand for something, not the proxies of the legend."""
    return [
        line
        for line in ax.get_lines()
        if len(np.atleast_1d(line.get_xdata())) == 1 and line.get_marker() != "None"
    ]


def words(ax: Axes) -> str:
    return " | ".join(t.get_text() for t in ax.texts).replace("\n", " ")


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_groups_stand_at_their_births_and_months_and_are_named(
    awkward: DetectionTable, readable: Check
) -> None:
    figure = plot_detection(awkward)
    (ax,) = figure.axes
    rows = awkward.table.set_index("group")
    for group in ("Asian", "White"):
        near = [
            line for line in marks(ax)
            if np.allclose([line.get_xdata()[0], line.get_ydata()[0]],
                           rows.loc[group, ["births_per_month", "months_to_detect"]].astype(float))
        ]  # fmt: skip
        assert len(near) == 1
        assert near[0].get_markerfacecolor() != "white"
        (label,) = [t for t in ax.texts if t.get_text().startswith(group)]
        assert label.xy == (near[0].get_xdata()[0], near[0].get_ydata()[0])
    assert f"White: {rows.loc['White', 'months_to_detect']:.1f} months".replace(".0 ", " ") in words(ax)
    readable(figure)


def test_what_no_chart_can_show_stands_at_the_top_and_what_has_no_births_is_named(
    awkward: DetectionTable,
) -> None:
    (ax,) = plot_detection(awkward).axes
    top = max(marks(ax), key=lambda line: float(line.get_ydata()[0]))
    assert top.get_xdata()[0] == 12
    assert top.get_markerfacecolor() == "white"
    edge = next(line.get_ydata()[0] for line in ax.get_lines() if line.get_label() == "_edge")
    assert edge < top.get_ydata()[0] < ax.get_ylim()[1]
    assert "Black: no events so far" in words(ax)
    assert "no chart" in words(ax)
    assert "No births known, no place here: Mixed, Other" in words(ax)


def test_lines_are_those_of_months_to_detect_at_the_rate_of_all(awkward: DetectionTable) -> None:
    figure = plot_detection(awkward)
    (ax,) = figure.axes
    before = 300 / (24 * 342)
    kinds: dict[str, tuple[Any, str]] = {
        "p chart by the month": ("p", "month"),
        "p chart by the quarter": ("p", "quarter"),
        "CUSUM of the counts by the month": ("cusum", "month"),
    }
    for line in ax.get_lines():
        name = str(line.get_label())
        if not name.startswith("_line "):
            continue
        chart, every = kinds[name.removeprefix("_line ")]
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        some = np.flatnonzero(np.isfinite(y))[::9]
        expected = months_to_detect(x[some], before, before / 2, chart=chart, every=every)
        np.testing.assert_allclose(y[some], expected)
        assert np.isfinite(y).any()
    assert legend(figure)[0] == "p chart by the month"
    assert "Lines: at the rate of all groups together, from 36.5 per 1000 to 18.3 per 1000" in footnotes(
        figure
    )


def test_a_line_ends_where_the_chart_is_blind(awkward: DetectionTable) -> None:
    plain = curves(awkward, 5, 400)[0]
    assert plain.words == "p chart by the month"
    assert np.isinf(plain.months[plain.x < 100]).all()
    assert np.isfinite(plain.months[plain.x > 200]).all()


def test_what_is_late_is_shaded_and_named(awkward: DetectionTable) -> None:
    figure = plot_detection(awkward)
    (ax,) = figure.axes
    (shade,) = [p for p in ax.patches if p.get_label() == "_late"]
    assert shade.get_y() == awkward.options["within"]
    assert "not yet visible within 12 months" in words(ax)
    assert {"filled: visible within 12 months", "hollow: not yet visible within 12 months"} <= set(
        legend(figure)
    )


def test_of_several_sites_each_group_has_a_panel_with_all_sites_together(
    sites: DetectionTable, readable: Check
) -> None:
    figure = plot_detection(sites)
    assert titles(figure) == ["Black", "White"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    for ax, row in zip(figure.axes, sites.pooled.to_dict("records"), strict=True):
        (pooled,) = [line for line in marks(ax) if line.get_marker() == "D"]
        assert pooled.get_xdata()[0] == row["births_per_month"]
        assert pooled.get_ydata()[0] == row["months_to_detect"]
        assert "all 3 sites: " in words(ax)
        assert len(marks(ax)) == 4
    assert "the group over all sites" in legend(figure)
    assert "over all 3 sites together: " in figure.get_label()
    assert "Order of the groups: alphabetical" in footnotes(figure)
    readable(figure)


def test_panels_one_above_the_other_share_their_scale(
    sites: DetectionTable, readable: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qi_equity.plot.detection._MOST_COLUMNS", 1)
    figure = plot_detection(sites)
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "births a month"]
    readable(figure)


def test_order_and_colours(sites: DetectionTable) -> None:
    assert titles(plot_detection(sites, order=["White", "Black"])) == ["White", "Black"]
    assert titles(plot_detection(sites, order="size")) == ["White", "Black"]
    for wrong in ({"order": "random"}, {"order": ["White"]}, {"colours": "rainbow"}):
        with pytest.raises(OptionError):
            plot_detection(sites, **wrong)


def test_names_without_room_become_numbers_with_a_key() -> None:
    parts = [
        pd.DataFrame(
            {"month": MONTHS, "group": "Black", "x": [3, 2] * 12, "n": 50, "site": f"The {k} Hospital"}
        )
        for k in range(7)
    ] + [
        pd.DataFrame({"month": MONTHS, "group": "White", "x": [0, 0] * 12, "n": 80, "site": "The 0 Hospital"})
    ]
    table = detection_table(qe.from_counts(pd.concat(parts), PPH, site="site", **COLUMNS), rules=RULES)
    figure = plot_detection(table)
    assert "Numbers: 1 The 0 Hospital; 2 The 1 Hospital; " in footnotes(figure)
    assert "No room to name " in words(figure.axes[0])


def test_counts_stand_at_their_events_where_the_lines_pass() -> None:
    table = detection_table(
        series(
            {"Black": ([1, 0] * 12, 1), "White": ([12, 9] * 12, 1)},
            qe.Measure("Complaints", "count", "lower"),
        ),
        rules=RULES,
    )
    (ax,) = plot_detection(table).axes
    assert ax.get_xlabel() == "events a month"
    np.testing.assert_allclose(sorted(float(line.get_xdata()[0]) for line in marks(ax)), [0.5, 10.5])
    lines = {str(c.words): c for c in curves(table, 0.5, 10.5)}
    row = table.table.iloc[0]
    assert lines["CUSUM of the counts by the month"].months[0] == pytest.approx(row["months_to_detect"])


def test_counts_of_sites_are_added_where_a_group_is_pooled() -> None:
    parts = [
        pd.DataFrame({"month": MONTHS, "x": [1, of] * 12, "site": site})
        for site, of in (("Avon", 0), ("Brent", 2))
    ]
    complaints = qe.Measure("Complaints", "count", "lower")
    made = qe.from_counts(pd.concat(parts), complaints, period="month", numerator="x", site="site")
    (ax,) = plot_detection(detection_table(made, rules=RULES)).axes
    (pooled,) = [line for line in marks(ax) if line.get_marker() == "D"]
    np.testing.assert_allclose(pooled.get_xdata(), [2.0])


def test_a_rate_of_all_or_none_is_said_at_the_edge() -> None:
    every = detection_table(series({"Asian": ([6, 5] * 12, 40), "Black": ([3] * 24, 3)}), rules=RULES)
    (ax,) = plot_detection(every).axes
    assert "Black: nothing can be reckoned" in words(ax)


def test_babies_and_exposure_are_named(awkward: DetectionTable) -> None:
    for measure, name in (
        (qe.measures["first_feed_breast_milk"], "babies a month"),
        (qe.Measure("Falls", "rate", "lower", unit="per 1000"), "births (exposure) a month"),
    ):
        made = replace(awkward, series=series({"Asian": ([3, 2] * 12, 90)}, measure))
        assert _across_words(made) == name


def test_gaps_between_events_have_no_plain_chart_by_the_month(gaps: DetectionTable, readable: Check) -> None:
    figure = plot_detection(gaps)
    assert not any("p chart" in text for text in legend(figure))
    assert "from 1 in " in footnotes(figure)
    readable(figure)


def test_too_many_groups_are_refused(awkward: DetectionTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qi_equity.plot._detection_panels.MAX_MARKS", 4)
    with pytest.raises(OptionError, match="5 marks to name in one panel; a figure holds at most 4"):
        plot_detection(awkward)
    monkeypatch.setattr("qi_equity.plot.blindness.MAX_PANELS", 4)
    with pytest.raises(OptionError, match="5 strata; a figure holds at most 4"):
        plot_blindness(awkward)


def test_nothing_known_draws_an_empty_frame_that_says_so() -> None:
    table = detection_table(series({"Black": (["*"] * 24, 20)}), rules=RULES)
    (ax,) = plot_detection(table).axes
    assert not marks(ax)
    assert "No births known, no place here: Black" in words(ax)


def test_the_description_is_that_of_the_table_and_is_written(awkward: DetectionTable, tmp_path: Any) -> None:
    figure = awkward.plot()
    assert str(figure.get_label()).startswith(awkward.alt_text())
    assert "Black: 12 births a month, not yet visible: no events so far" in str(figure.get_label())
    written = save_figure(figure, tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert "Asian: 90 births a month" in written


def line_of(ax: Axes, name: str) -> Line2D:
    (line,) = [line for line in ax.get_lines() if line.get_label() == f"_{name}"]
    return line


def test_run_length_lines_and_marks_are_the_numbers_of_the_result(readable: Check) -> None:
    found = run_length("western_electric", shift=[0, 1, 2])
    figure = found.plot()
    (ax,) = figure.axes
    for row in found.table.to_dict("records"):
        name = {0: "no shift", 1: "a shift of 1 standard error", 2: "a shift of 2 standard errors"}[
            row["shift"]
        ]
        line = line_of(ax, name)
        part = found.curve[found.curve["shift"] == row["shift"]]
        np.testing.assert_allclose(line.get_xdata(), part["points"])
        np.testing.assert_allclose(line.get_ydata(), 100 * part["chance"])
        placed = {(round(float(m.get_xdata()[0]), 6), m.get_marker()) for m in marks(ax)}
        assert {(row["lower"], "d"), (row["median"], "o"), (row["upper"], "d")} <= placed
        assert (round(row["mean"], 6), "s") in placed
        assert name in words(ax)
    assert len({line_of(ax, n).get_linestyle() for n in ("no shift", "a shift of 1 standard error")}) == 2
    assert "half within 65 points, mean 92 points" in words(ax)
    assert ax.get_xscale() == "log"
    assert figure.get_label() == found.alt_text()
    readable(figure)


def test_runs_that_are_alike_have_a_plain_axis() -> None:
    found = run_length("shewhart", shift=[4])
    (ax,) = plot_run_length(found).axes
    assert ax.get_xscale() == "linear"
    assert ax.get_xlim()[0] == 0


def test_what_never_signals_is_said_over_the_panel() -> None:
    found = run_length(
        "shewhart", kind=qe.P(limits="classical"), centre_line=0.12, size=40, change=[1, 0.5], side="low"
    )
    figure = plot_run_length(found)
    assert "No change: never signals · a rate of 0.5 times: never signals" in words(figure.axes[0])
    assert "has signalled on the low side" in footnotes(figure)


def test_run_lengths_of_a_chart_have_a_panel_a_stratum(readable: Check) -> None:
    chart = qe.control_chart(series(AWKWARD), "p", rules="western_electric")
    found = run_length(chart, change=[1, 0.5])
    figure = plot_run_length(found)
    assert titles(figure) == ["Asian", "Black", "Mixed", "Other", "White"]
    assert figure.axes[0].get_xlim() == figure.axes[4].get_xlim()
    assert "Nothing can be said" in words(figure.axes[2]).replace("nothing", "Nothing")
    assert "Order of the groups: alphabetical" in footnotes(figure)
    assert titles(plot_run_length(found, order="size"))[0] == "White"
    readable(figure)


def test_run_lengths_without_an_end_are_drawn_as_far_as_they_are_known() -> None:
    found = run_length("anhoej", kind="i", shift=[0])
    (ax,) = plot_run_length(found).axes
    assert "half: not within what was followed" in words(ax)
    assert len(line_of(ax, "no shift").get_xdata()) < 99


def test_too_many_lines_and_wrong_options_are_refused() -> None:
    with pytest.raises(OptionError, match="7 changes or shifts"):
        plot_run_length(run_length("shewhart", shift=[*range(7)]))
    for wrong in ({"order": "random"}, {"colours": "rainbow"}):
        with pytest.raises(OptionError):
            plot_run_length(run_length("shewhart"), **wrong)


def test_power_stands_in_rows_beside_what_is_enough(advice: DesignAdvice, readable: Check) -> None:
    figure = advice.plot()
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Asian", "Black", "Mixed", "Other", "White"]
    rows = advice.table.set_index("group")
    shown = np.concatenate(
        [np.asarray(line.get_xdata()) for line in ax.get_lines() if line.get_marker() == "o"]
    )
    np.testing.assert_allclose(sorted(shown), sorted(100 * rows["power"].dropna()))
    (enough,) = [line for line in ax.get_lines() if line.get_label() == "enough: 80 %"]
    assert enough.get_xdata()[0] == 80
    assert f"baseline 24 months; needs {rows.loc['Asian', 'baseline_months_needed']:.0f}" in words(ax)
    least = 1000 * rows.loc["White", "rate"] * rows.loc["White", "smallest_ratio"]
    assert f"shows a change to {least:.3g} per 1000" in words(ax)
    assert "nothing can be planned: no events so far" in words(ax)
    assert "nothing can be planned: no births known" in words(ax)
    assert f"on a chart in {rows.loc['Asian', 'months_to_detect']:.1f} months" in words(ax)
    for text in rows["advice"]:
        assert text in figure.get_label()
    readable(figure)


def test_pooled_power_is_drawn_beside_that_of_one_site(
    advice_of_sites: DesignAdvice, readable: Check
) -> None:
    figure = plot_design(advice_of_sites, order=["White", "Black"])
    assert titles(figure) == ["Avon", "Brent", "Cam"]
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["White", "Black"]
    row = advice_of_sites.table.iloc[0]
    (pooled,) = [line for line in ax.get_lines() if line.get_marker() == "D"]
    assert row["n_sites"] > 1
    assert np.asarray(pooled.get_xdata())[-1] == pytest.approx(100 * row["pooled_power"])
    assert np.asarray(pooled.get_ydata())[-1] == ax.get_yticks()[1]
    assert f"over {row['n_sites']} sites {100 * row['pooled_power']:.0f} %" in words(ax)
    assert "All panels have the same scale." in footnotes(figure)
    readable(figure)


def test_what_stays_invisible_is_hollow_and_said() -> None:
    few = suggest_design(series({"Black": ([1] + [0] * 23, 12)}))
    (ax,) = plot_design(few).axes
    (mark,) = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert mark.get_markerfacecolor() == "white"
    assert "stays invisible" in words(ax)
    assert "baseline 24 months; no length is enough" in words(ax)


def test_an_aim_that_is_not_possible_is_said() -> None:
    (ax,) = plot_design(suggest_design(series({"Black": ([7, 8] * 12, 12)}), aim=2)).axes
    assert "nothing can be planned: not a possible aim" in words(ax)


def test_advice_for_too_many_sites_is_refused(
    advice_of_sites: DesignAdvice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError):
        plot_design(advice_of_sites, colours="rainbow")
    monkeypatch.setattr("qi_equity.plot.design.MAX_PANELS", 2)
    with pytest.raises(OptionError, match="3 sites or further strata; a figure holds at most 2"):
        plot_design(advice_of_sites)


def test_under_each_panel_stands_what_the_chart_can_show(awkward: DetectionTable, readable: Check) -> None:
    figure = awkward.plot_blindness()
    assert titles(figure)[:5] == ["Asian", "Black", "Mixed", "Other", "White"]
    chart = qe.control_chart(awkward.series, "p")
    summary = chart.summary().set_index("group")
    waits = run_length(chart, change=0.5, side="low").table.set_index("group")
    for i, group in enumerate(titles(figure)[:5]):
        panel, strip = figure.axes[i], figure.axes[5 + i]
        assert strip.get_position().y1 < panel.get_position().y0
        for what in ("improvement", "deterioration"):
            assert f"{what}: {summary.loc[group, f'can_signal_{what}']} |" in f"{words(strip)} |"
        fills = [line.get_fillstyle() for line in strip.get_lines()]
        kinds = {"yes": "full", "only over several points": "left", "no": "none"}
        assert fills == [
            kinds[summary.loc[group, f"can_signal_{w}"]] for w in ("improvement", "deterioration")
        ]
    assert f"Months to detect a halving: {waits.loc['White', 'mean_months']:.1f} on average." in words(
        figure.axes[9]
    )
    assert "Best of these data: CUSUM of the counts" in words(figure.axes[5])
    assert "Not yet visible: no events so far" in words(figure.axes[6])
    assert (
        "This chart can show improvement: only over several points; deterioration: yes." in figure.get_label()
    )
    readable(figure)


def test_any_chart_of_the_same_strata_can_be_given(awkward: DetectionTable) -> None:
    chart = qe.control_chart(awkward.series, qe.CountCusum(ratio=2.0))
    figure = plot_blindness(awkward, chart, order="size")
    assert titles(figure)[0] == "White"
    assert "improvement: yes" in words(figure.axes[5])
    with pytest.raises(OptionError, match="not of the measure and the strata"):
        plot_blindness(awkward, qe.control_chart(awkward.series.select(group="Asian")))
    with pytest.raises(InputTypeError, match="give a ControlChart"):
        plot_blindness(awkward, "p")
    with pytest.raises(OptionError):
        plot_blindness(awkward, chart, colours="rainbow")


def test_days_between_events_are_drawn_as_a_t_chart() -> None:
    dates = pd.date_range("2022-01-01", periods=40, freq="17D")
    falls = qe.Measure("Falls", "proportion", "lower", unit="%")
    made = qe.between_events(
        pd.DataFrame({"date": dates, "fall": True}), falls, date="date", event="fall", unit="days"
    )
    table = detection_table(made, rules=RULES)
    figure = plot_blindness(table)
    assert "t chart" in footnotes(figure)
    (ax,) = plot_detection(table).axes
    assert ax.get_xlabel() == "events a month"


def test_where_the_mean_is_not_known_half_of_the_charts_are_told() -> None:
    half = detection_table(series({"Black": ([1, 1, 1, 0, 1, 1] * 4, 22)}), rules=RULES)
    for change, expected in (
        (0.5, "half of such charts within "),
        (0.97, "half of such charts not within years."),
    ):
        table = replace(half, options={**half.options, "change": change})
        chart = qe.control_chart(table.series, "p")
        (row,) = run_length(chart, change=change, side="low").table.to_dict("records")
        (strip,) = make_strips(table, chart)
        assert np.isnan(row["mean"])
        assert expected in strip.when
        if change == 0.5:
            assert f"within {row['median']:.0f}." in strip.when


def test_a_chart_that_never_shows_it_says_so() -> None:
    table = detection_table(series({"Black": ([0, 1] * 12, 12)}), rules=RULES)
    (_, strip) = plot_blindness(table).axes
    assert "improvement: no" in words(strip)
    assert "Months to detect a halving: it never does." in words(strip)


def test_gaps_grow_where_events_become_fewer(gaps: DetectionTable, readable: Check) -> None:
    chart = qe.control_chart(gaps.series, "g", rules="shewhart")
    asian = make_strips(gaps, chart)[0]
    waits = run_length(chart, change=0.5, side="high").table
    assert f"{waits.loc[0, 'mean_months']:.3g}" in asian.when
    readable(plot_blindness(gaps, chart))


def test_where_neither_side_is_better_strips_speak_of_rise_and_fall() -> None:
    neutral = qe.Measure("Induction", "proportion", None, unit="%")
    table = detection_table(series({"Black": ([3, 4] * 12, 40)}, neutral), rules=RULES, change=1.5)
    (_, strip) = plot_blindness(table).axes
    assert "fall: " in words(strip)
    assert "rise: " in words(strip)
    assert "a change to 1.5 times" in words(strip)


def test_round_ticks_are_as_many_as_there_is_room_for() -> None:
    assert round_ticks(1, 100, 9).tolist() == [1, 2, 5, 10, 20, 50, 100]
    assert round_ticks(1, 100, 6).tolist() == [1, 3, 10, 30, 100]
    assert round_ticks(0.7, 100, 2).tolist() == [1, 10, 100]


def test_why_a_group_stands_at_the_edge() -> None:
    edge = {"chart": "", "months_to_detect": np.inf, "rate": 0.1}
    assert _told(edge, short=False) == "no chart of these data"


def test_a_group_that_a_site_does_not_have_keeps_its_row() -> None:
    parts = [
        pd.DataFrame({"month": MONTHS, "group": g, "x": [3, 2] * 12, "n": 60, "site": site})
        for site, g in (("Avon", "Black"), ("Avon", "White"), ("Brent", "Black"))
    ]
    advice = suggest_design(qe.from_counts(pd.concat(parts), PPH, site="site", **COLUMNS))
    figure = plot_design(advice)
    assert titles(figure) == ["Avon", "Brent"]
    assert "nothing can be planned: no births known" in words(figure.axes[1])
