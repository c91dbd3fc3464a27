"""Control charts as drawn: read from the artists, never from images."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

import qi_equity as qe
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._kinds import reach_of
from qi_equity.plot._panels import make_panels
from qi_equity.plot._save import save_figure
from qi_equity.plot._scales import data_range, x_ticks, y_scale
from qi_equity.plot._text import Ruler, decimals_for, number

PPH = qe.Measure("Haemorrhage", "proportion", "lower")
Counts = Mapping[str, tuple[Sequence[float | str], Sequence[float]]]


def frame_of(counts: Counts, start: str = "2022-01", every: str = "M") -> pd.DataFrame:
    """One row a group and period, from events and births of each group."""
    rows = []
    for group, (events, births) in counts.items():
        labels = pd.period_range(start, periods=len(events), freq=every).astype(str)
        rows.append(
            pd.DataFrame({"period": labels, "group": group, "events": list(events), "births": list(births)})
        )
    return pd.concat(rows, ignore_index=True)


def series_of(counts: Counts, measure: qe.Measure = PPH, **options: Any) -> qe.StratifiedSeries:
    return qe.from_counts(
        frame_of(counts),
        measure,
        period="period",
        numerator="events",
        denominator="births",
        group="group",
        **options,
    )


def noisy(
    births: int, rate: float = 0.1, periods: int = 24, seed: int = 1
) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    n = rng.poisson(births, periods)
    return rng.binomial(n, rate).astype(float).tolist(), n.astype(float).tolist()


def steady(periods: int = 24, births: int = 100) -> tuple[list[float], list[float]]:
    """Nine and eleven events in turn: nothing signals."""
    return [9.0 + 2 * (i % 2) for i in range(periods)], [float(births)] * periods


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def one_line(ax: Axes, label: str) -> Line2D:
    (line,) = lines(ax, label)
    return line


def days(dates: Any) -> np.ndarray[Any, Any]:
    return (np.asarray(dates, dtype="datetime64[us]") - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")


def words(ax: Axes) -> str:
    """All text of a panel but its ticks."""
    return "\n".join([ax.get_title(loc="left"), *(t.get_text() for t in ax.texts)])


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]


def legend_of(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def drawn(figure: Figure) -> FigureCanvasAgg:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas


# ---- values, limits and centre lines -------------------------------------------------------------------


@pytest.mark.parametrize("measure", [PPH, qe.Measure("Stillbirths", "rate", "lower", unit="per 1000")])
def test_points_are_drawn_in_the_unit_of_the_axis(measure: qe.Measure) -> None:
    events, births = noisy(80)
    chart = qe.control_chart(series_of({"A": (events, births)}, measure))
    (ax,) = chart.plot().axes
    line = one_line(ax, "_value")
    expected = np.array(events) / np.array(births) * measure.multiplier
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
    np.testing.assert_allclose(line.get_xdata(), days(pd.date_range("2022-01-01", periods=24, freq="MS")))
    assert ax.get_ylabel() == {"%": "%", "per 1000": "per 1,000"}[measure.unit]


def test_limits_that_vary_are_steps_and_a_constant_one_is_straight() -> None:
    events, births = noisy(300)
    chart = qe.control_chart(series_of({"A": (events, births)}), qe.P(limits="classical"))
    (ax,) = chart.plot().axes
    for label, column in ((style.LIMITS, "upper"), ("_lower", "lower")):
        line = one_line(ax, label)
        assert line.get_drawstyle() == "steps-mid"
        np.testing.assert_allclose(line.get_ydata()[1:-1], chart.points[column] * 100)
    centre = one_line(ax, style.CENTRE_LINE)
    assert centre.get_drawstyle() == "default"
    np.testing.assert_allclose(centre.get_ydata(), [sum(events) / sum(births) * 100] * 2)

    even = qe.control_chart(series_of({"A": steady(births=300)}), qe.P(limits="classical"))
    (ax,) = even.plot().axes
    line = one_line(ax, style.LIMITS)
    assert line.get_drawstyle() == "default"
    np.testing.assert_allclose(line.get_ydata(), even.points["upper"].iloc[[0, 0]] * 100)


def test_a_limit_that_nothing_can_cross_is_not_drawn() -> None:
    chart = qe.control_chart(series_of({"A": noisy(12, 0.05)}))
    assert (chart.points["lower"] == 0).all()
    (ax,) = chart.plot().axes
    assert not lines(ax, "_lower")
    uncrossable = (chart.points["upper"] == 1).to_numpy()
    assert np.isnan(one_line(ax, style.LIMITS).get_ydata()[1:-1][uncrossable]).all()


def test_a_run_chart_has_a_median_and_no_limits() -> None:
    chart = qe.run_chart(series_of({"A": noisy(80)}))
    figure = chart.plot()
    (ax,) = figure.axes
    np.testing.assert_allclose(
        one_line(ax, style.MEDIAN).get_ydata(), [np.median(chart.points["value"]) * 100] * 2
    )
    assert not lines(ax, style.LIMITS)
    assert style.LIMITS not in legend_of(figure)
    assert "a run chart has no limits" in footnotes(figure)


def test_the_target_is_a_labelled_line() -> None:
    figure = qe.control_chart(series_of({"A": noisy(80)}), target=0.3).plot()
    (ax,) = figure.axes
    line = one_line(ax, "target 30.0")
    np.testing.assert_allclose(line.get_ydata(), [30, 30])
    assert "target\n30.0" in words(ax)
    assert ax.get_ylim()[1] > 30
    assert "target 30.0" in legend_of(figure)


def test_the_label_of_the_target_makes_room_for_that_of_the_centre_line() -> None:
    chart = qe.control_chart(series_of({"A": steady()}), target=0.1)
    figure = chart.plot()
    drawn(figure)
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text() in ("10.0", "target\n10.0")]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


# ---- signals -------------------------------------------------------------------------------------------


def changed(better: str | None) -> qe.ControlChart:
    events = [10.0] * 24
    events[5], events[6] = 40.0, 0.0
    measure = qe.Measure("Events", "proportion", better)
    return qe.control_chart(series_of({"A": (events, [100.0] * 24)}, measure), rules="shewhart")


@pytest.mark.parametrize(
    ("better", "high", "low"), [("lower", "concern", "improvement"), ("higher", "improvement", "concern")]
)
def test_signals_differ_by_shape_and_colour(better: str, high: str, low: str) -> None:
    chart = changed(better)
    (ax,) = chart.plot().axes
    for meaning, point, value in ((high, 5, 40.0), (low, 6, 0.0)):
        mark = one_line(ax, style.SPECIAL[meaning])
        assert mark.get_ydata().tolist() == [value]
        assert mark.get_xdata().tolist() == [days(chart.points["period"])[point]]
        assert mark.get_marker() == {"improvement": "s", "concern": "^"}[meaning]
        assert mark.get_markerfacecolor() == getattr(style.PALETTES["accessible"], meaning)
    assert len(one_line(ax, style.COMMON).get_xdata()) == 22


def test_without_a_better_direction_signals_are_neutral() -> None:
    (ax,) = changed(None).plot().axes
    mark = one_line(ax, style.SPECIAL["neutral"])
    assert sorted(mark.get_ydata()) == [0.0, 40.0]
    assert mark.get_marker() == "D"
    assert not lines(ax, style.SPECIAL["improvement"]) + lines(ax, style.SPECIAL["concern"])


def test_a_point_that_is_both_shows_both_marks() -> None:
    # Rising for seven points from far below the limits: good by its place, bad by its direction.
    events = [10.0, 11.0] * 9 + [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    chart = qe.control_chart(series_of({"A": (events, [100.0] * 25)}), "i", rules="making_data_count")
    both = (chart.points["improvement"] & chart.points["concern"]).to_numpy()
    assert both.any()
    (ax,) = chart.plot().axes
    x = days(chart.points["period"])[both]
    for meaning in ("improvement", "concern"):
        marked = np.concatenate(
            [m.get_xdata() for m in ax.get_lines() if m.get_marker() == style.MARKERS[meaning]]
        )
        assert set(x) <= set(marked)


def test_a_long_run_has_a_halo() -> None:
    events = [12.0, 9.0] * 6 + [15.0] * 12
    chart = qe.control_chart(series_of({"A": (events, [150.0] * 24)}), rules="anhoej", baseline=12)
    signals = chart.signals[(chart.signals["n_points"] > 1) & chart.signals["side"].notna()]
    assert len(signals) == 1
    (ax,) = chart.plot().axes
    halo = one_line(ax, style.RUN)
    assert halo.get_linewidth() > 5
    assert halo.get_xdata()[0] == days(signals["start"])[0]
    assert halo.get_xdata()[-1] == days(signals["end"])[0]
    assert to_hex(halo.get_color()) == style.PALETTES["accessible"].concern


def test_too_few_crossings_have_no_place_and_are_said() -> None:
    events = [12.0] * 6 + [8.0] * 6 + [12.0] * 6 + [8.0] * 6
    chart = qe.run_chart(series_of({"A": (events, [100.0] * 24)}), rules="anhoej")
    if "crossings" not in set(chart.signals["rule"]):
        pytest.fail("the planted series has 3 crossings among 24 points and must signal")
    assert "Signal: too few crossings" in words(chart.plot().axes[0])


@pytest.mark.parametrize("events", [[12.0, 8.0] * 12, [12.0] * 8 + [8.0] * 8 + [12.0] * 4 + [8.0] * 4])
def test_an_unusual_number_of_runs_has_no_place_and_is_said(events: list[float]) -> None:
    chart = qe.run_chart(series_of({"A": (events, [100.0] * 24)}), rules="ihi")
    assert "runs_count" in set(chart.signals["rule"])
    said = words(chart.plot().axes[0])
    assert "Signal: an unusual number of runs about the centre line" in said
    assert "crossings" not in said


def test_an_unusual_number_of_runs_names_its_phase() -> None:
    events = [[12.0, 9.0, 8.0, 11.0] * 6, [12.0, 8.0] * 12]
    series = series_of({"A": (events[0] + events[1], [100.0] * 48), "B": (events[1] * 2, [100.0] * 48)})
    chart = qe.run_chart(series, rules="ihi", phases="2024-01")
    said = [words(ax).replace("\n", " ") for ax in chart.plot().axes]
    assert "number of runs about the centre line (phase 2)" in said[0]
    assert "number of runs about the centre line (phase 1, 2)" in said[1]


@pytest.mark.parametrize("rule", ["alternating", "within", "outside"])
def test_a_signal_without_a_side_is_marked_as_neutral(rule: str) -> None:
    events = {
        "alternating": [9.0, 11.0] * 8,
        "within": [5.0, 15.0] * 5 + [10.0] * 16,
        "outside": [10.0, 11.0, 9.0, 10.0] * 3 + [2.0, 18.0] * 5,
    }[rule]
    chart = qe.control_chart(series_of({"A": (events, [100.0] * len(events))}), "i", rules="nelson")
    flagged = chart.flags[rule, "none"][0]
    assert flagged.any()
    (arm,) = make_panels(chart, [0])[0].arms
    assert (arm.neutral | arm.improvement | arm.concern)[flagged].all()


# ---- phases, baseline, exclusions ----------------------------------------------------------------------


def test_phases_are_separated_by_a_labelled_line_and_have_their_own_centre_line() -> None:
    events = [20.0, 18.0] * 6 + [8.0, 6.0] * 6
    phases = pd.DataFrame({"start": ["2023-01-01"], "label": ["New bundle"], "reason": ["cycle 3"]})
    chart = qe.control_chart(series_of({"A": (events, [100.0] * 24)}), phases=phases)
    figure = chart.plot()
    (ax,) = figure.axes
    boundary = one_line(ax, style.PHASE)
    assert days("2022-12-01") < boundary.get_xdata()[0] < days("2023-01-01")
    assert "New bundle" in words(ax)
    first, second = one_line(ax, style.CENTRE_LINE), one_line(ax, "_centre line")
    np.testing.assert_allclose([first.get_ydata()[0], second.get_ydata()[0]], [19, 7])
    assert first.get_xdata()[-1] == second.get_xdata()[0] == boundary.get_xdata()[0]
    assert "centre 19.0 → 7.0" in words(ax)
    assert "New bundle from Jan 2023" in footnotes(figure)


def test_a_phase_without_a_reason_is_called_post_hoc() -> None:
    chart = qe.control_chart(series_of({"A": steady()}), phases="2023-01-01")
    assert "post hoc" in words(chart.plot().axes[0])


def test_a_label_that_does_not_fit_stands_on_the_other_side_or_is_cut() -> None:
    label = "A name that is much too long to stand beside its line in any panel of a figure " * 3
    phases = pd.DataFrame({"start": ["2023-11-01"], "label": [label], "reason": ["cycle 3"]})
    figure = qe.control_chart(series_of({"A": steady()}), phases=phases).plot()
    (ax,) = figure.axes
    drawn(figure)
    (text,) = [t for t in ax.texts if t.get_text().endswith("…")]
    frame = ax.get_window_extent()
    assert text.get_horizontalalignment() == "right"
    assert frame.x0 - 1 <= text.get_window_extent().x0
    assert label.strip()[:60] in footnotes(figure)


def test_a_partial_baseline_is_marked_and_a_full_one_is_not() -> None:
    series = series_of({"A": steady()})
    (ax,) = qe.control_chart(series, baseline=12).plot().axes
    bar = one_line(ax, style.BASELINE)
    assert days("2021-12-01") < bar.get_xdata()[0] < days("2022-01-01")
    assert days("2022-12-01") < bar.get_xdata()[1] < days("2023-01-01")
    assert not lines(qe.control_chart(series).plot().axes[0], style.BASELINE)


def test_excluded_points_stay_on_the_line_and_are_crossed() -> None:
    chart = qe.control_chart(series_of({"A": steady()}), exclude=["2022-05"])
    (ax,) = chart.plot().axes
    mark = one_line(ax, style.EXCLUDED)
    assert mark.get_marker() == "X"
    assert mark.get_xdata().tolist() == [days("2022-05-01")]
    assert np.isfinite(one_line(ax, "_value").get_ydata()).all()
    assert len(one_line(ax, style.COMMON).get_xdata()) == 23


# ---- what is not there ---------------------------------------------------------------------------------


def test_suppressed_missing_and_no_births_are_told_apart_and_break_the_line() -> None:
    events: list[float | str] = [10.0] * 24
    births = [100.0] * 24
    events[3], events[8], births[8] = "*", 0.0, 0.0
    frame = frame_of({"A": (events, births), "B": steady()})
    frame = frame.drop(index=[14])
    series = qe.from_counts(
        frame, PPH, period="period", numerator="events", denominator="births", group="group"
    )
    figure = qe.control_chart(series).plot()
    ax = figure.axes[0]
    shapes = set()
    for label, month in (
        (style.SUPPRESSED, "2022-04"),
        (style.NO_BIRTHS, "2022-09"),
        (style.MISSING, "2023-03"),
    ):
        mark = one_line(ax, label)
        assert mark.get_xdata().tolist() == [days(month)], label
        assert ax.get_ylim()[0] < mark.get_ydata()[0] < 0
        assert label in legend_of(figure)
        shapes.add(mark.get_marker())
    assert len(shapes) == 3
    assert np.flatnonzero(np.isnan(one_line(ax, "_value").get_ydata())).tolist() == [3, 8, 14]
    assert "1 of 24 periods suppressed" in words(ax).lower()
    assert not lines(figure.axes[1], style.SUPPRESSED)


def births_until(last: str, groups: Sequence[str] = ("A", "J")) -> pd.DataFrame:
    dates = pd.date_range("2023-01-01", last, freq="D")
    return pd.DataFrame(
        {
            "date": dates,
            "event": np.arange(len(dates)) % 9 == 0,
            "code": [groups[i % len(groups)] for i in range(len(dates))],
        }
    )


def test_provisional_points_are_hollow() -> None:
    series = qe.from_records(births_until("2024-02-10"), PPH, date="date", event="event", as_of="2024-02-10")
    chart = qe.control_chart(series)
    (ax,) = chart.plot().axes
    mark = one_line(ax, style.PROVISIONAL)
    assert mark.get_xdata().tolist() == [days("2024-02-01")]
    assert mark.get_markerfacecolor() == "white"


def test_a_group_without_births_has_a_panel_that_says_so() -> None:
    records = births_until("2024-03-31", groups=("H", "N"))
    series = qe.from_records(records, PPH, date="date", event="event", ethnicity="code", as_of="2024-04-01")
    figure = qe.control_chart(series).plot()
    panels = dict(zip(titles(figure), figure.axes, strict=True))
    assert "no births recorded" in words(panels["White"])
    assert "0 births" in words(panels["White"])
    assert not lines(panels["White"], "_value")
    assert style.NO_BIRTHS not in legend_of(figure)
    assert "no births recorded" not in words(panels["Asian"])


def test_a_group_that_was_never_reported_or_is_all_withheld_says_that() -> None:
    hidden: list[float | str] = ["*"] * 24
    series = series_of({"Asian": steady(), "Black": (hidden, [50.0] * 24)}, scheme="nhs-2001")
    figure = qe.control_chart(series).plot()
    panels = dict(zip(titles(figure), figure.axes, strict=True))
    assert "not reported" in words(panels["White"])
    assert "births" not in words(panels["White"])
    assert "numbers are withheld" in words(panels["Black"])


# ---- panels, scales, words -----------------------------------------------------------------------------


def test_panels_share_both_scales_and_label_them_once() -> None:
    figure = qe.control_chart(series_of({g: noisy(80, seed=i) for i, g in enumerate("ABCDE")})).plot(
        columns=3
    )
    assert len({ax.get_ylim() for ax in figure.axes}) == len({ax.get_xlim() for ax in figure.axes}) == 1
    assert [any(t.get_text() for t in ax.get_yticklabels()) for ax in figure.axes] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert [any(t.get_text() for t in ax.get_xticklabels()) for ax in figure.axes] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_titles_give_the_name_and_the_births_and_events_that_are_drawn() -> None:
    events, births = noisy(1000)
    events_shown = list(events)
    hidden: list[float | str] = [*events_shown[:-1], "*"]
    figure = qe.control_chart(series_of({"A": (events, births), "B": (hidden, births)})).plot()
    assert titles(figure) == ["A", "B"]
    assert f"{sum(births):,.0f} births · {sum(events):,.0f} events" in words(figure.axes[0])
    assert f"{sum(births[:-1]):,.0f} births · {sum(events[:-1]):,.0f} events" in words(figure.axes[1])
    assert "shown periods only" in words(figure.axes[1])


def test_measurements_state_n_and_mean_and_babies_are_called_babies() -> None:
    frame = pd.DataFrame(
        {"m": pd.period_range("2023-01", periods=12, freq="M").astype(str), "n": 30, "v": range(12)}
    )
    loss = qe.Measure("Blood loss", "mean", "lower", unit="ml")
    series = qe.from_counts(frame, loss, period="m", value="v", denominator="n")
    figure = qe.control_chart(series).plot()
    assert "n 360 · mean 5.50 ml" in words(figure.axes[0])
    assert figure.axes[0].get_ylabel() == "ml"
    apgar = qe.Measure("Apgar below 7", "proportion", "lower", counts="baby")
    assert "babies" in words(qe.control_chart(series_of({"A": noisy(80)}, apgar)).plot().axes[0])
    count = qe.Measure("Falls", "count", "lower")
    assert "events" in words(qe.control_chart(series_of({"A": noisy(80)}, count)).plot().axes[0])


def test_a_mean_without_sizes_counts_its_values() -> None:
    frame = pd.DataFrame({"m": pd.period_range("2023-01", periods=12, freq="M").astype(str), "v": range(12)})
    series = qe.from_counts(frame, qe.Measure("Wait", "mean", "lower"), period="m", value="v")
    figure = qe.control_chart(series).plot()
    assert "12 values" in words(figure.axes[0])
    assert figure.axes[0].get_ylabel() == "mean"


def test_a_panel_says_what_it_cannot_show() -> None:
    chart = qe.control_chart(series_of({"A": noisy(12, 0.03), "B": noisy(2000, 0.1)}), "p")
    told = chart.notes[chart.notes["group"] == "A"]["code"].tolist()
    assert "cannot_signal_improvement" in told
    small, large = chart.plot().axes
    assert "Cannot signal improvement" in words(small)
    assert "signal improvement" not in words(large)


def test_a_panel_says_where_only_several_points_can_signal() -> None:
    (ax,) = qe.control_chart(series_of({"A": noisy(60, 0.05)})).plot().axes
    assert "Only several points together can signal improvement" in words(ax)


def test_every_note_of_the_charts_has_short_words() -> None:
    charts = [
        qe.control_chart(series_of({"A": noisy(12, 0.03), "B": ([0.0] * 24, [9.0] * 24)}), "p"),
        qe.control_chart(
            series_of({"A": noisy(12, 0.03, periods=6)}, qe.Measure("X", "proportion", None)), "p"
        ),
    ]
    for chart in charts:
        codes = set(chart.notes.loc[chart.notes["severity"] != "info", "code"].dropna())
        said = {*_words.NOTE_WORDS, "no_data", "suppressed_points"}
        assert {c for c in codes if chart.notes.set_index("code").loc[[c], "group"].notna().any()} <= said
    (ax,) = charts[1].plot().axes
    assert "fewer than 12 points" in words(ax).lower()
    assert "cannot signal a fall" in words(ax).lower()


def test_a_warning_about_the_whole_chart_stands_on_every_panel() -> None:
    series = series_of({"A": noisy(80), "B": noisy(60)}, window=3)
    chart = qe.control_chart(series)
    assert "overlapping_windows" in set(chart.notes["code"])
    for ax in chart.plot().axes:
        assert "eriods overlap: signals not valid" in words(ax)


def test_an_unknown_note_is_said_by_its_code() -> None:
    notes = pd.DataFrame(
        {"code": ["fresh_news", "small_print"], "severity": ["caution", "info"], "text": "-"}
    )
    points = pd.DataFrame({"status": ["observed"], "phase": [1]})
    assert _words.warnings_of(notes, None, points) == ("fresh news",)


def test_title_subtitle_and_footnotes_say_what_was_done() -> None:
    chart = qe.control_chart(series_of({"A": noisy(80), "B": noisy(70)}))
    figure = chart.plot()
    assert figure.get_suptitle() == "Haemorrhage"
    foot = footnotes(figure)
    assert "% · by month · Jan 2022 to Dec 2023" in foot
    assert "exact probability limits" in foot
    assert f"Rules: {chart.rules.name}, version {chart.rules.version}." in foot
    assert "Order of the groups: alphabetical" in foot
    assert "synthetic" not in foot.lower()
    assert all(t in foot for t in chart.notes.loc[chart.notes["code"] == "expected_false_signals", "text"])
    classical = qe.control_chart(chart.series, qe.P(limits="classical"), limits="common").plot()
    assert "classical limits (3 standard errors); one centre line for all groups" in footnotes(classical)
    moving = qe.control_chart(chart.series, qe.Individuals(spread="median")).plot()
    assert "limits from moving ranges (median)" in footnotes(moving)


def test_synthetic_data_are_called_synthetic() -> None:
    measure = qe.Measure("Haemorrhage", "proportion", "lower", source="synthetic births")
    by_measure = series_of({"A": noisy(80)}, measure)
    births = qe.datasets.births(2000)
    by_frame = qe.from_records(births.records, qe.measures["pph_1500"], date="date", event="pph_1500")
    for series in (by_measure, by_frame):
        foot = footnotes(qe.control_chart(series).plot())
        assert "synthetic data" in foot
        assert "about no real people" in foot


def test_the_legend_explains_every_mark_that_is_there_and_no_other() -> None:
    events, births = noisy(300)
    plain = qe.control_chart(series_of({"A": (events, births), "B": (events, births)})).plot()
    found = {label for ax in plain.axes for label in ax.get_legend_handles_labels()[1]}
    assert set(legend_of(plain)) == found
    assert len(legend_of(plain)) == len(found)
    assert style.SUPPRESSED not in found


# ---- the scale -----------------------------------------------------------------------------------------


def with_tiny() -> qe.ControlChart:
    counts = {"A": noisy(400, 0.05, seed=1), "B": noisy(300, 0.05, seed=2), "C": noisy(350, 0.05, seed=3)}
    tiny = ([0.0] * 24, [2.0] * 24)
    tiny[0][7] = 2.0
    return qe.control_chart(series_of({**counts, "Z": tiny}), "p")


def test_a_tiny_group_does_not_flatten_the_others() -> None:
    chart = with_tiny()
    figure = chart.plot()
    top = figure.axes[0].get_ylim()[1]
    assert top < 30
    large = chart.points[chart.points["group"] != "Z"]
    assert large["upper"].max() * 100 < top
    tiny = figure.axes[3]
    arrow = one_line(tiny, style.OFF_SCALE)
    assert arrow.get_xdata() == [days("2022-08-01")]
    assert arrow.get_ydata()[0] < top
    assert "100" in [t.get_text() for t in tiny.texts]
    assert one_line(tiny, "_value").get_ydata()[7] == 100
    point = next(
        m for m in tiny.get_lines() if m.get_marker() in ("o", "^") and days("2022-08-01") in m.get_xdata()
    )
    assert max(point.get_ydata()) < top


def test_values_without_room_beside_their_arrows_are_said_in_words() -> None:
    counts = {"A": noisy(400, 0.05, seed=1), "B": noisy(300, 0.05, seed=2), "C": noisy(350, 0.05, seed=3)}
    events, births = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 6, [1.0] * 36
    for i in range(10, 20):
        events[i] = 1.0
    births[0] = 2.0
    chart = qe.control_chart(series_of({**counts, "Z": (events, births)}), "p")
    assert "points above the scale, up to 100" in words(chart.plot(columns=4).axes[3])


def test_no_group_is_off_the_scale_because_its_level_is_another() -> None:
    """The group with the highest rate is the one to look at: its centre line and points stay inside."""
    counts = {
        g: noisy(4000, p, seed=i)
        for i, (g, p) in enumerate({"A": 0.02, "B": 0.02, "C": 0.02, "D": 0.3}.items())
    }
    figure = qe.control_chart(series_of(counts)).plot()
    assert "above the scale" not in "".join(words(ax) for ax in figure.axes)
    low, high = figure.axes[3].get_ylim()
    for label in ("_value", style.CENTRE_LINE):
        y = one_line(figure.axes[3], label).get_ydata()
        assert low < min(y) <= max(y) < high


def test_values_far_below_are_marked_too() -> None:
    measure = qe.Measure("Ethnicity known", "proportion", "higher")
    counts = {g: noisy(400, 0.97, seed=i) for i, g in enumerate("ABC")}
    events = [2.0] * 24
    events[7] = 0.0
    figure = qe.control_chart(series_of({**counts, "Z": (events, [2.0] * 24)}, measure), "p").plot()
    assert figure.axes[0].get_ylim()[0] > 70
    arrow = one_line(figure.axes[3], style.OFF_SCALE)
    assert arrow.get_ydata()[0] > figure.axes[3].get_ylim()[0]
    assert "0.0" in [t.get_text() for t in figure.axes[3].texts]


def test_the_scale_shows_everything_when_groups_are_alike() -> None:
    chart = qe.control_chart(series_of({g: noisy(100, seed=i) for i, g in enumerate("ABCD")}))
    panels = make_panels(chart, range(4))
    low, high = data_range(panels, 1.5)
    assert low == 0
    top = max(chart.points["value"].max(), chart.points["upper"].max()) * 100
    assert high == pytest.approx(top)
    with_target = make_panels(qe.control_chart(chart.series, target=0.6), range(4))
    assert data_range(with_target, 1.5)[1] == pytest.approx(60)


def test_the_scale_ends_at_the_stated_reach() -> None:
    chart = with_tiny()
    reach = reach_of(qe.P())
    low, high = data_range(make_panels(chart, range(4)), reach)
    points = chart.points.assign(over=chart.points["value"] - chart.points["centre_line"])
    points["limit"] = (points["upper"] - points["centre_line"]).where(points["upper"] < 1)
    by_group = points.groupby("group", observed=False)
    spread = np.maximum(by_group["over"].max(), by_group["limit"].median().fillna(0))
    cut = max(reach * np.exp(np.log(spread).median()), np.ptp(by_group["centre_line"].max()) / 2)
    most = np.maximum(by_group["over"].max(), by_group["limit"].max().fillna(0)).clip(upper=cut)
    assert spread.max() > cut
    assert low == 0
    assert high == pytest.approx(100 * (by_group["centre_line"].max() + most).max())


def test_an_empty_or_constant_chart_has_a_scale() -> None:
    chart = qe.control_chart(series_of({"A": (["*"] * 12, [50.0] * 12)}))
    assert data_range(make_panels(chart, [0]), 1.5) == (0, 1)
    flat = qe.run_chart(series_of({"A": ([0.0] * 12, [50.0] * 12)}))
    assert data_range(make_panels(flat, [0]), 1.5) == (0, 1)
    scale = y_scale(make_panels(flat, [0]), 1.5, 1.0, 200)
    assert scale.bottom < scale.low < scale.high < scale.top
    assert not any(label.startswith("−") for label in scale.labels())


@pytest.mark.parametrize(
    ("freq", "every", "periods", "first"),
    [
        ("M", "month", 24, "Jan\n2022"),
        ("Q", "quarter", 8, "Q1\n2022"),
        ("D", "day", 40, "1 Jan\n2022"),
        ("Y", "year", 9, "2022"),
        ("Y-MAR", "financial-year", 5, "2022-23"),
        ("Y-MAR", "financial-year", 1, "2022-23"),
    ],
)
def test_dates_are_labelled_readably(freq: str, every: str, periods: int, first: str) -> None:
    start = "2023-03-31" if freq == "Y-MAR" else "2022-01-01"
    starts = pd.period_range(start, periods=periods, freq=freq).start_time
    panel = type("P", (), {"x": days(starts)})()
    positions, labels = x_ticks([panel], every, 200.0)
    assert labels[0] == first
    assert len(labels) == len(positions) <= 6
    assert set(positions) <= set(days(starts))
    years = [label for label in labels if "\n" in label]
    assert len({y.split("\n")[1] for y in years}) == len(years)


def test_no_dates_no_ticks() -> None:
    assert x_ticks([], "month", 200.0) == ([], [])


# ---- order, columns, errors ----------------------------------------------------------------------------


def ordered_chart() -> qe.ControlChart:
    births = {"White": 90, "Not stated": 300, "Asian": 60, "Black": 120, "Mixed": 30, "Other": 20}
    return qe.control_chart(series_of({g: noisy(n) for g, n in births.items()}, scheme="nhs-2001"))


def test_order_of_the_groups() -> None:
    chart = ordered_chart()
    known = ["Asian", "Black", "Mixed", "Other", "White"]
    alphabetical = titles(chart.plot())
    assert alphabetical[:5] == known
    assert set(alphabetical[5:]) == {"Not stated", "Not known", "Missing"}
    assert titles(chart.plot(order="size"))[:5] == ["Black", "White", "Asian", "Mixed", "Other"]
    assert titles(chart.plot(order="size"))[5] == "Not stated"
    assert titles(chart.plot(order="declared")) == [str(g) for g in chart.strata["group"]]
    given = ["White", "Missing", "Not known", "Not stated", *known[:-1]]
    figure = chart.plot(order=given)
    assert titles(figure) == given
    assert "as the maker of the figure gave it" in footnotes(figure)
    assert "largest first" in footnotes(chart.plot(order="size"))
    assert "declares it" in footnotes(chart.plot(order="declared"))


def test_sites_come_first_and_share_the_order_of_the_groups() -> None:
    frame = pd.concat(
        [frame_of({g: noisy(60) for g in ("B", "A")}).assign(site=s) for s in ("North", "East")]
    )
    series = qe.from_counts(
        frame, PPH, period="period", numerator="events", denominator="births", group="group", site="site"
    )
    chart = qe.control_chart(series)
    figure = chart.plot()
    assert titles(figure) == ["A · East", "B · East", "A · North", "B · North"]
    assert len({ax.get_position().y0 for ax in figure.axes}) == 2
    one = chart.select(site="East").plot()
    assert titles(one) == ["A", "B"]
    assert one.get_suptitle() == "Haemorrhage · East"


def test_order_errors_name_the_groups() -> None:
    chart = qe.control_chart(series_of({"A": steady(), "B": steady()}))
    with pytest.raises(
        qe.OptionError, match=r"order='alphabetic' is not allowed.*Did you mean 'alphabetical'"
    ):
        chart.plot(order="alphabetic")
    with pytest.raises(
        qe.OptionError, match=r"absent: \['B'\], not groups of this figure: \['C'\].*\['A', 'B'\]"
    ):
        chart.plot(order=["A", "C"])
    with pytest.raises(qe.InputTypeError, match="order holds 3"):
        chart.plot(order=["A", 3])


@pytest.mark.parametrize(
    ("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (8, 4), (9, 3), (12, 4)]
)
def test_default_columns(panels: int, columns: int) -> None:
    figure = qe.control_chart(series_of({f"G{i:02d}": steady(12) for i in range(panels)})).plot()
    assert len({round(ax.get_position().x0, 6) for ax in figure.axes}) == columns


def test_columns_are_checked() -> None:
    chart = qe.control_chart(series_of({"A": steady(), "B": steady()}))
    assert len({ax.get_position().x0 for ax in chart.plot(columns=1).axes}) == 1
    assert len(chart.plot(columns=5).axes) == 2
    with pytest.raises(qe.OptionError, match="columns=0 is too small"):
        chart.plot(columns=0)
    with pytest.raises(qe.OptionError, match="columns=7 is too many to read; give 1 to 6"):
        chart.plot(columns=7)
    with pytest.raises(qe.InputTypeError, match=r"columns=1\.5 is not a whole number"):
        chart.plot(columns=1.5)


def test_too_many_panels_say_how_to_select() -> None:
    chart = qe.control_chart(series_of({f"G{i:02d}": steady(12) for i in range(25)}))
    with pytest.raises(qe.OptionError, match=r"25 strata.*at most 24.*chart\.select\(group='G00'\)"):
        chart.plot()


def test_colours_are_checked() -> None:
    with pytest.raises(
        qe.OptionError, match="colours='nhs' is not allowed; use one of 'accessible', 'making_data_count'"
    ):
        qe.control_chart(series_of({"A": steady()})).plot(colours="nhs")


# ---- colours and legibility ----------------------------------------------------------------------------


def contrast_with_white(colour: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (float(np.dot([0.2126, 0.7152, 0.0722], linear)) + 0.05)


def test_accessible_colours_have_contrast_and_shapes_differ() -> None:
    palette = style.PALETTES["accessible"]
    for name in ("common", "improvement", "concern", "neutral", "target", "centre_line", "limits"):
        assert contrast_with_white(getattr(palette, name)) >= 3, name
    for ink in (style.INK, style.MUTED, palette.target):
        assert contrast_with_white(ink) >= 4.5
    assert len({"o", *style.MARKERS.values()}) == 4


def test_making_data_count_colours_are_exact() -> None:
    chart = changed("lower")
    (ax,) = chart.plot(colours="making_data_count").axes
    assert one_line(ax, style.SPECIAL["improvement"]).get_markerfacecolor() == "#00b0f0"
    assert one_line(ax, style.SPECIAL["concern"]).get_markerfacecolor() == "#e46c0a"
    assert one_line(ax, style.COMMON).get_markerfacecolor() == "#a6a6a6"
    assert one_line(ax, style.CENTRE_LINE).get_color() == "#000000"
    assert one_line(ax, style.LIMITS).get_color() == "#a6a6a6"
    palette = style.PALETTES["making_data_count"]
    assert (palette.neutral, palette.target) == ("#490092", "#de1b1b")


LONG_NAMES = (
    "Asian or Asian British - Any other Asian background",
    "Black or Black British - Any other Black background",
    "Mixed - White and Black Caribbean",
    "Other Ethnic Groups - Any other ethnic group",
    "White - British",
)


def texts_of(figure: Figure) -> list[Text]:
    inside = [
        t
        for ax in figure.axes
        for t in [*ax.texts, ax._left_title, *ax.get_xticklabels(), *ax.get_yticklabels()]
    ]
    return [t for t in [*inside, *figure.texts, *figure.legends[0].get_texts()] if t.get_text()]


@pytest.mark.parametrize("kind", ["auto", "p", "np", "ewma", "cusum"])
@pytest.mark.parametrize("births", [5, 30, 300])
def test_no_text_overlaps_another_or_leaves_the_page(births: int, kind: Any) -> None:
    counts = {g: noisy(births * (i + 1), 0.05, periods=36, seed=i) for i, g in enumerate(LONG_NAMES)}
    figure = qe.control_chart(series_of(counts), kind, phases="2024-01-01", target=0.04).plot(columns=4)
    drawn(figure)
    texts = texts_of(figure)
    boxes = [t.get_window_extent().shrunk(0.97, 0.97) for t in texts]
    page = figure.bbox
    for i, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        assert text.get_fontsize() >= 8
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()
        clashes = [texts[j].get_text() for j in range(i) if boxes[j].overlaps(box)]
        assert not clashes, (text.get_text(), clashes)


def test_the_strip_of_warnings_stands_above_the_data() -> None:
    figure = qe.control_chart(series_of({"A": noisy(12, 0.03), "B": noisy(10, 0.03)}), "p").plot()
    drawn(figure)
    for ax in figure.axes:
        (strip,) = [p for p in ax.patches if p.get_label() == "_strip"]
        (said,) = [t for t in ax.texts if "annot signal" in t.get_text()]
        frame, ground, box = ax.get_window_extent(), strip.get_window_extent(), said.get_window_extent()
        assert frame.y1 <= ground.y0 <= box.y0
        assert box.y1 <= ground.y1 + 1
        assert ax._left_title.get_window_extent().y0 >= ground.y1


def test_names_with_dollars_are_not_read_as_formulas() -> None:
    figure = qe.control_chart(series_of({"$x_1$": steady(), "B": steady()})).plot()
    title = next(ax._left_title for ax in figure.axes if "$" in ax.get_title(loc="left"))
    assert not title.get_parse_math()
    drawn(figure)


# ---- the caller's Axes ---------------------------------------------------------------------------------


def test_one_stratum_goes_into_the_callers_axes_and_the_figure_is_left_alone() -> None:
    figure = Figure(figsize=(7, 5))
    left, right = figure.subplots(1, 2)
    chart = qe.control_chart(series_of({"A": noisy(80), "B": noisy(12)}))
    assert chart.select(group="B").plot(ax=right) is right
    assert len(figure.axes) == 2
    assert figure.get_suptitle() == ""
    assert not figure.legends
    assert not figure.texts
    assert figure.get_size_inches().tolist() == [7, 5]
    assert not left.get_lines()
    assert right.get_title(loc="left") == "B"
    points = chart.points[chart.points["group"] == "B"]
    np.testing.assert_allclose(one_line(right, "_value").get_ydata(), points["value"] * 100)
    handles, labels = right.get_legend_handles_labels()
    assert len(handles) == len(set(labels)) > 2
    assert right.get_xticklabels()[0].get_text()
    drawn(figure)


def test_the_callers_axes_are_checked() -> None:
    chart = qe.control_chart(series_of({"A": steady(), "B": steady()}))
    with pytest.raises(
        qe.OptionError, match=r"ax= draws one stratum and the chart holds 2.*select\(group='A'\)"
    ):
        chart.plot(ax=Figure().subplots())
    with pytest.raises(qe.InputTypeError, match="ax='top' is of type str; give a matplotlib Axes"):
        chart.plot(ax="top")


# ---- in a service --------------------------------------------------------------------------------------

SCRIPT = """
import sys
import pandas as pd
import qi_equity as qe
counts = pd.DataFrame({"m": ["2024-01", "2024-02"], "e": [3, 5], "n": 60})
series = qe.from_counts(counts, qe.measures["preterm_birth"], period="m", numerator="e", denominator="n")
chart = qe.control_chart(series)
assert "matplotlib" not in sys.modules, "matplotlib before a figure is wanted"
import matplotlib
# Reading the backend would make matplotlib choose one, and import pyplot for it.
names = [name for name in matplotlib.rcParams if name != "backend"]
before = [matplotlib.rcParams[name] for name in names]
chart.plot().savefig("/dev/null", format="png")
assert "matplotlib.pyplot" not in sys.modules, "pyplot"
assert [matplotlib.rcParams[name] for name in names] == before, "rcParams"
"""


def test_drawing_needs_no_pyplot_and_changes_no_settings() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)


def test_a_style_of_the_process_does_not_reach_the_figure() -> None:
    chart = qe.control_chart(series_of({"A": noisy(80), "B": noisy(60)}))
    plain = bytes_of(chart)
    black, red = (
        ("axes.facecolor", "figure.facecolor"),
        ("text.color", "axes.labelcolor", "xtick.color", "grid.color"),
    )
    on = (
        "axes.grid",
        "figure.autolayout",
        "legend.frameon",
        "axes.spines.top",
        "xtick.top",
        "xtick.minor.visible",
    )
    settings = dict.fromkeys(black, "black") | dict.fromkeys(red, "red") | dict.fromkeys(on, True)
    settings |= {
        "lines.marker": "o",
        "lines.linewidth": 9,
        "font.size": 30,
        "figure.dpi": 55,
        "axes.xmargin": 0.4,
    }
    with mpl.rc_context(settings):
        assert bytes_of(chart) == plain


def bytes_of(chart: qe.ControlChart) -> bytes:
    file = io.BytesIO()
    chart.plot().savefig(file, format="png", dpi=60)
    return file.getvalue()


def test_threads_draw_what_one_draws() -> None:
    charts = [
        qe.control_chart(series_of({"A": noisy(80, seed=i), "B": noisy(12, seed=i)}), target=0.1)
        for i in range(8)
    ]
    serial = [bytes_of(chart) for chart in charts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(bytes_of, charts)) == serial


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_saved_figures_are_the_same_bytes_and_hold_their_description(tmp_path: Any, ending: str) -> None:
    measure = qe.Measure("Loss < 1500 & more", "proportion", "lower")
    chart = qe.control_chart(series_of({"A": noisy(80), "B": noisy(12)}, measure))
    first = save_figure(chart.plot(), tmp_path / f"a.{ending}")
    second = save_figure(chart.plot(), str(tmp_path / f"b.{ending.upper()}"))
    assert first.read_bytes() == second.read_bytes()
    described = chart.alt_text()["text"].iloc[0]
    if ending == "svg":
        import xml.etree.ElementTree as ElementTree

        root = ElementTree.parse(first).getroot()
        name = "{http://www.w3.org/2000/svg}"
        assert root.get("role") == "img"
        assert root.find(f"{name}title").text == "Loss < 1500 & more"
        assert described in (root.find(f"{name}desc").text or "")
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        used = {e.get("{http://www.w3.org/1999/xlink}href", "#")[1:] for e in root.iter()} - {""}
        assert used <= set(ids)
    else:
        content = first.read_bytes()
        assert b"Description" in content


def test_other_endings_are_refused(tmp_path: Any) -> None:
    with pytest.raises(
        qe.OptionError, match=r"path ending='\.jpg' is not allowed; use one of '\.png', '\.svg'"
    ):
        save_figure(Figure(), tmp_path / "a.jpg")


# ---- text ----------------------------------------------------------------------------------------------


def test_numbers_are_written_for_readers() -> None:
    assert number(-1234.5, 1) == "−1,234.5"
    assert [decimals_for(s) for s in (10, 1, 0.5, 0.2, 0.01, 1e-9, 0, float("nan"))] == [
        0,
        0,
        1,
        1,
        2,
        4,
        0,
        0,
    ]


def test_text_is_wrapped_and_cut_to_its_room() -> None:
    ruler = Ruler()
    room = ruler.width("one two", 9)
    assert ruler.wrap(["one", "two", "three"], room + 0.1, 9) == ["one two", "three"]
    assert ruler.wrap([], 100, 9) == []
    assert ruler.shorten("one two", room, 9) == "one two"
    cut = ruler.shorten("one two three", room, 9)
    assert cut.endswith("…")
    assert ruler.width(cut, 9) <= room
    assert ruler.shorten("one two", 0.5, 9) == ""


def test_times_between_events_are_drawn_at_their_dates() -> None:
    records = births_until("2024-06-30")
    between = qe.Measure("Births between events", "between", "higher")
    chart = qe.run_chart(qe.between_events(records, between, date="date", event="event"))
    (ax,) = chart.plot().axes
    np.testing.assert_allclose(one_line(ax, "_value").get_ydata(), chart.points["value"])
    np.testing.assert_allclose(one_line(ax, "_value").get_xdata(), days(chart.points["period"]))
    assert f"{len(chart.points)} intervals" in words(ax)


def test_a_group_without_events_says_so_between_events() -> None:
    records = births_until("2024-06-30", groups=("H", "N")).assign(
        event=lambda f: f["event"] & (f["code"] == "H")
    )
    between = qe.Measure("Births between events", "between", "higher")
    series = qe.between_events(records, between, date="date", event="event", ethnicity="code")
    figure = qe.run_chart(series).plot()
    panels = dict(zip(titles(figure), figure.axes, strict=True))
    assert "no events recorded" in words(panels["White"])
    assert "no events recorded" not in words(panels["Asian"])


def test_one_period_and_no_marks_at_all_can_be_drawn() -> None:
    (ax,) = qe.control_chart(series_of({"A": ([5.0], [50.0])})).plot().axes
    assert one_line(ax, "_value").get_ydata().tolist() == [10.0]
    assert ax.get_xlim()[0] < days("2022-01-01") < ax.get_xlim()[1]
    hidden = qe.control_chart(series_of({"Asian": noisy(50)}, scheme="nhs-2001")).select(group="Black").plot()
    assert not hidden.legends


def test_further_strata_without_a_note_are_drawn() -> None:
    frame = pd.DataFrame({"m": pd.period_range("2023-01", periods=24, freq="M").astype(str), "n": 5000})
    frame = pd.concat([frame.assign(x=500 + np.arange(24) % 7, imd=q) for q in (1, 5)])
    series = qe.from_counts(
        frame, qe.measures["preterm_birth"], period="m", numerator="x", denominator="n", by="imd"
    )
    chart = qe.control_chart(series)
    assert chart.notes["imd"].isna().all()
    assert len(chart.plot().axes) == 2


# ---- what the words say of phases, periods and suppression ---------------------------------------------


def test_a_panel_shows_the_notes_of_its_last_phase_only() -> None:
    chart = qe.control_chart(series_of({"A": noisy(12, 0.05, 36)}), "p", phases="2024-06-01")
    (ax,) = chart.plot().axes
    assert chart.points["phase"].max() == 2
    assert "fewer than 12 points" in words(ax).lower()
    earlier = qe.control_chart(series_of({"A": noisy(12, 0.05, 36)}), "p", phases="2022-06-01")
    of_first = earlier.notes[earlier.notes["text"].str.startswith("Phase 1: ")]
    assert "short_phase" in set(of_first["code"])
    assert "fewer than 12 points" not in words(earlier.plot().axes[0]).lower()


def test_the_last_phase_is_that_of_the_stratum() -> None:
    phases = pd.DataFrame({"start": ["2024-01-01"], "group": ["A"], "label": ["New"], "reason": ["x"]})
    series = series_of({"A": noisy(300, periods=36), "B": noisy(300, periods=8)})
    chart = qe.control_chart(series, phases=phases)
    panels = dict(zip(titles(chart.plot()), chart.plot().axes, strict=True))
    assert "fewer than 12 points" in words(panels["B"]).lower()
    assert "fewer than 12 points" not in words(panels["A"]).lower()


def test_several_points_together_can_signal_where_limits_cannot() -> None:
    said = [_words.NOTE_WORDS[code] for code in _words.NOTE_WORDS if code.startswith("limits_cannot")]
    whats = ("improvement", "deterioration", "a fall", "a rise")
    assert said == [f"only several points together can signal {what}" for what in whats]


def test_suppressed_periods_are_said_to_bias_the_lines() -> None:
    events, births = noisy(200)
    series = series_of({"A": (["*", *events[1:]], births)})
    (ax,) = qe.control_chart(series).plot().axes
    assert "1 of 24 periods suppressed: line and limits biased" in words(ax).replace("\n", " ")
    (ax,) = qe.run_chart(series).plot().axes
    assert "1 of 24 periods suppressed: line biased" in words(ax).replace("\n", " ")


@pytest.mark.parametrize(
    ("every", "freq", "start", "span", "phase"),
    [
        ("quarter", "Q", "2022Q1", "2022 Q1 to 2023 Q2", "2023 Q1"),
        ("year", "Y", "2018", "2018 to 2023", "2022"),
        ("financial-year", "Y", "2018", "2018-19 to 2023-24", "2022-23"),
        ("month", "M", "2022-01", "Jan 2022 to Jun 2022", "May 2022"),
    ],
)
def test_long_periods_are_named_by_their_labels(
    every: str, freq: str, start: str, span: str, phase: str
) -> None:
    frame = frame_of({"A": noisy(300, periods=6)}, start, freq)
    if every == "financial-year":
        frame["period"] = [f"{y}-{(int(y) + 1) % 100}" for y in frame["period"]]
    names = {"period": "period", "numerator": "events", "denominator": "births", "group": "group"}
    series = qe.from_counts(frame, PPH, every=every, **names)
    starts = str(series.periods[4])[:10]
    phases = pd.DataFrame({"start": [starts], "label": ["New"], "reason": ["x"]})
    foot = footnotes(qe.control_chart(series, phases=phases).plot())
    assert f" · {span}" in foot
    assert f"New from {phase}." in foot


def test_the_footnote_says_whose_a_phase_is() -> None:
    groups = ("Asian", "Black", "Mixed", "Other", "White British")
    series = series_of({g: noisy(200, periods=36) for g in groups})

    def foot(some: Sequence[str]) -> str:
        phases = pd.DataFrame({"start": "2024-06-01", "group": list(some), "label": "New guideline"})
        return footnotes(qe.control_chart(series, phases=phases.assign(reason="x")).plot())

    assert "New guideline from Jun 2024 (White British)." in foot(groups[-1:])
    assert "New guideline from Jun 2024 (Asian, Black, Mixed)." in foot(groups[:3])
    assert "New guideline from Jun 2024 (some groups)." in foot(groups[:4])
    assert "New guideline from Jun 2024." in foot(groups)


def test_order_by_size_without_denominators_is_by_events() -> None:
    frame = frame_of({"A": noisy(80), "B": noisy(200)})
    calls = qe.from_counts(
        frame, qe.Measure("Calls", "count", None), period="period", numerator="events", group="group"
    )
    figure = qe.control_chart(calls).plot(order="size")
    assert titles(figure) == ["B", "A"]
    assert "by number of events, largest first" in footnotes(figure)
    with_births = qe.control_chart(series_of({"A": noisy(80), "B": noisy(200)})).plot(order="size")
    assert "by number of births, largest first" in footnotes(with_births)
