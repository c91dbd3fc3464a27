"""Every kind of chart as drawn: its unit, its arms, its own scale, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

import qi_equity as qe
from qi_equity.plot import _kinds
from qi_equity.plot import _style as style
from qi_equity.plot._panels import make_panels
from qi_equity.plot._scales import data_range, y_scale
from qi_equity.spc.kinds import DEFAULTS
from qi_equity.spc.text import kind_title

FloatArray = npt.NDArray[np.float64]

PPH = qe.Measure("Haemorrhage", "proportion", "lower")
LOSS = qe.Measure("Blood loss", "mean", "lower", unit="ml")
GAPS = qe.Measure("Births between", "between", "higher", unit="births")
DAYS = qe.Measure("Days between", "between", "higher", unit="days")
RISE, FALL = "looks for a rise", "looks for a fall"


def counts_of(groups: Mapping[str, tuple[float, float]], periods: int = 24, seed: int = 1) -> pd.DataFrame:
    """Births (mean) and rate of each group, drawn at random."""
    rng = np.random.default_rng(seed)
    months = pd.period_range("2022-01", periods=periods, freq="M").astype(str)
    frames = []
    for group, (births, rate) in groups.items():
        n = rng.poisson(births, periods)
        frames.append(
            pd.DataFrame({"month": months, "group": group, "births": n, "events": rng.binomial(n, rate)})
        )
    return pd.concat(frames, ignore_index=True)


def proportions(groups: Mapping[str, tuple[float, float]], **options: Any) -> qe.StratifiedSeries:
    return qe.from_counts(
        counts_of(groups, **options),
        PPH,
        period="month",
        numerator="events",
        denominator="births",
        group="group",
    )


def records(births: int = 1500, groups: Sequence[str] = ("A", "J"), seed: int = 1) -> pd.DataFrame:
    """Births in order of time, with an event in about 8 %, an expected probability and a blood loss."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.choice(730 * 86_400, births, replace=False))
    return pd.DataFrame(
        {
            "date": pd.Timestamp("2022-01-01") + pd.to_timedelta(seconds, unit="s"),
            "event": rng.random(births) < 0.08,
            "risk": rng.uniform(0.02, 0.14, births),
            "loss": rng.gamma(4, 100, births).round(),
            "code": rng.choice(groups, births),
        }
    )


def gaps(measure: qe.Measure = GAPS, **options: Any) -> qe.StratifiedSeries:
    return qe.between_events(
        records(**options),
        measure,
        date="date",
        event="event",
        ethnicity="code",
        expected="risk",
        unit=measure.unit,
    )


def losses() -> qe.StratifiedSeries:
    return qe.from_records(records(), LOSS, date="date", value="loss", ethnicity="code")


def expected() -> qe.StratifiedSeries:
    return qe.from_records(records(), PPH, date="date", event="event", ethnicity="code", expected="risk")


def series_for(kind: str) -> qe.StratifiedSeries:
    """A series that the kind can draw."""
    if kind in ("g", "bernoulli_cusum"):
        return gaps()
    if kind == "t":
        return gaps(DAYS)
    if kind in ("xbar", "s", "r", "ip", "i"):
        return losses()
    if kind in ("u", "up", "c"):
        name = "rate" if kind != "c" else "count"
        births = {} if kind == "c" else {"denominator": "births"}
        return qe.from_counts(
            counts_of({"A": (80, 0.1), "B": (30, 0.1)}),
            qe.Measure("Falls", name, "lower"),
            period="month",
            numerator="events",
            group="group",
            **births,
        )
    return expected()


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def one_line(ax: Axes, label: str) -> Line2D:
    (line,) = lines(ax, label)
    return line


def ydata(line: Line2D) -> FloatArray:
    return np.asarray(line.get_ydata(), dtype=float)


def words(ax: Axes) -> str:
    return " ".join([ax.get_title(loc="left"), *(t.get_text() for t in ax.texts)]).replace("\n", " ")


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def legend_of(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def panels(figure: Figure) -> dict[str, Axes]:
    return {ax.get_title(loc="left").replace("\n", " "): ax for ax in figure.axes}


def ticks(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels() if t.get_text()]


def points(chart: qe.ControlChart, group: str, arm: str = "both") -> pd.DataFrame:
    found = chart.points
    return found[(found["group"] == group) & (found["arm"] == arm)]


# ---- two arms ------------------------------------------------------------------------------------------


def changed() -> qe.ControlChart:
    """A group that gets worse for a year and a half and then better."""
    frame = counts_of({"A": (100, 0.1), "B": (100, 0.1)}, periods=36)
    frame.loc[(frame["group"] == "A") & (frame["month"] >= "2023-01"), "events"] = 25
    frame.loc[(frame["group"] == "A") & (frame["month"] >= "2024-01"), "events"] = 1
    series = qe.from_counts(
        frame, PPH, period="month", numerator="events", denominator="births", group="group"
    )
    return qe.control_chart(series, qe.CountCusum(h=4), baseline=12)


def test_both_arms_are_drawn_and_told_apart_by_dashes_and_words() -> None:
    chart = changed()
    figure = chart.plot()
    for group, ax in panels(figure).items():
        high, low = one_line(ax, RISE), one_line(ax, FALL)
        np.testing.assert_allclose(ydata(high), points(chart, group, "high")["value"], rtol=1e-12)
        np.testing.assert_allclose(ydata(low), points(chart, group, "low")["value"], rtol=1e-12)
        assert ydata(high).min() >= 0 >= ydata(low).max()
        assert high.get_linestyle() == "-"
        assert low.get_linestyle() == "--"
        rise, fall = ([t for t in ax.texts if t.get_text() == name] for name in ("rise", "fall"))
        assert rise[0].xy[1] > 0 > fall[0].xy[1]
        assert ax.get_ylim()[0] < -4
        assert ax.get_ylim()[1] > 4
    assert {RISE, FALL} <= set(legend_of(figure))
    assert figure.axes[0].get_ylabel() == "CUSUM"
    assert "above 0 for a rise and below 0 for a fall (looks for odds 2 times" in footnotes(figure)


def test_the_thresholds_of_the_arms_are_the_limits() -> None:
    (ax, _) = changed().plot().axes
    np.testing.assert_allclose(ydata(one_line(ax, style.LIMITS)), 4)
    np.testing.assert_allclose(ydata(one_line(ax, "_lower")), -4)
    np.testing.assert_allclose(ydata(one_line(ax, style.CENTRE_LINE)), 0)


def test_signals_are_marked_on_the_arm_that_found_them() -> None:
    chart = changed()
    ax = panels(chart.plot())["A"]
    for meaning, arm, beyond in (("concern", "high", 1), ("improvement", "low", -1)):
        found = points(chart, "A", arm)
        marked = ydata(one_line(ax, style.SPECIAL[meaning]))
        values = found.loc[found[meaning], "value"].to_numpy()
        top, bottom = (make_scale(chart).high, make_scale(chart).low)
        np.testing.assert_allclose(marked, np.clip(values, bottom, top))
        assert len(marked) > 3
        assert (beyond * marked > 4).all()


def make_scale(chart: qe.ControlChart) -> Any:
    found = make_panels(chart, range(len(chart.strata)))
    return y_scale(found, _kinds.reach_of(chart.specs[0]), 1.0, 200.0)


def test_an_arm_at_rest_has_its_line_and_no_points() -> None:
    chart = changed()
    ax = panels(chart.plot())["B"]
    resting = (points(chart, "B", "low")["value"] == 0).sum()
    assert resting > 3
    marked = np.concatenate([ydata(line) for line in lines(ax, style.COMMON) + lines(ax, "_common")])
    assert (marked != 0).all()


def test_a_runaway_cusum_is_cut_and_a_vlad_is_not() -> None:
    frame = counts_of(dict.fromkeys("ABCD", (100, 0.1)), periods=36)
    frame.loc[(frame["group"] == "A") & (frame["month"] >= "2023-01"), "events"] = 60
    series = qe.from_counts(
        frame, PPH, period="month", numerator="events", denominator="births", group="group"
    )
    ax = panels(qe.control_chart(series, qe.CountCusum(h=4), baseline=12).plot())["A"]
    assert ax.get_ylim()[1] < 30 < ydata(one_line(ax, RISE)).max()
    assert "above the scale, up to" in words(ax)

    figure = qe.control_chart(expected(), "vlad").plot()
    for ax in figure.axes:
        for line in lines(ax, "_value"):
            low, high = ax.get_ylim()
            assert low < ydata(line).min() <= ydata(line).max() < high


@pytest.mark.parametrize("spec", [qe.BernoulliCusum(h=2), qe.RiskAdjustedCusum(h=2)])
def test_arms_of_births_between_events_are_called_more_and_fewer_events(spec: Any) -> None:
    chart = qe.control_chart(gaps(), spec)
    figure = chart.plot()
    ax = panels(figure)["Asian"]
    assert "more events" in words(ax)
    assert "fewer events" in words(ax)
    high = one_line(ax, "looks for more events")
    np.testing.assert_allclose(ydata(high), points(chart, "Asian", "high")["value"])
    np.testing.assert_array_equal(
        np.asarray(high.get_xdata(), dtype=float), make_panels(chart, [0])[0].x, strict=False
    )
    assert "above 0 for more events and below 0 for fewer events" in footnotes(figure)
    assert "each event" in footnotes(figure)
    assert "by day" not in footnotes(figure)


def test_what_a_period_has_is_said_once_though_it_has_two_arms() -> None:
    frame = counts_of({"A": (100, 0.1)}).astype({"events": object})
    frame.loc[3, "events"] = "*"
    series = qe.from_counts(
        frame, PPH, period="month", numerator="events", denominator="births", group="group"
    )
    (ax,) = qe.control_chart(series, qe.CountCusum(h=4), exclude=["2022-08"]).plot().axes
    shown = frame.drop(index=3)
    assert f"{shown['births'].sum():,} births" in words(ax)
    assert f"{shown['events'].sum():,} events" in words(ax)
    assert "1 of 24 periods suppressed" in words(ax)
    assert "1 excluded or provisional period not drawn" in words(ax)
    assert np.size(one_line(ax, style.SUPPRESSED).get_xdata()) == 1
    assert not lines(ax, style.MISSING)


# ---- averages and sums ---------------------------------------------------------------------------------


def test_an_ewma_is_a_line_in_the_unit_of_the_measure_with_its_own_limits() -> None:
    chart = qe.control_chart(proportions({"A": (200, 0.1)}), "ewma", target=0.08)
    (ax,) = chart.plot().axes
    np.testing.assert_allclose(ydata(one_line(ax, "_value")), chart.plotted["both"][0] * 100)
    np.testing.assert_allclose(ydata(one_line(ax, style.LIMITS))[1:-1], chart.upper[0] * 100)
    assert ax.get_ylabel() == "%"
    assert "target 8.0" in words(ax)


def test_a_limit_of_an_average_below_0_cannot_be_crossed() -> None:
    chart = qe.control_chart(proportions({"A": (8, 0.1)}), "ewma")
    assert (chart.lower[0, 3:] < 0).all()
    (ax,) = chart.plot().axes
    assert all(not (ydata(line) < 0).any() for line in lines(ax, "_lower"))
    assert "limit −" not in words(ax)
    assert ticks(ax)[0] == "0"


def test_a_vlad_is_a_line_about_0_without_limits() -> None:
    chart = qe.control_chart(expected(), "vlad")
    figure = chart.plot()
    ax = panels(figure)["Asian"]
    np.testing.assert_allclose(ydata(one_line(ax, "_value")), points(chart, "Asian")["value"])
    np.testing.assert_allclose(ydata(one_line(ax, style.CENTRE_LINE)), 0)
    assert not lines(ax, style.LIMITS)
    assert ax.get_ylabel() == "expected − observed"
    assert "hows, and cannot signal" in words(ax)
    assert "0.0" not in words(ax)
    assert "it rises while there are fewer events than expected; no limits" in footnotes(figure)


# ---- units and scales of each kind ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "label", "times"),
    [
        ("p", "%", 100),
        ("pp", "%", 100),
        ("np", "events", 1),
        ("u", "per 1,000", 1000),
        ("up", "per 1,000", 1000),
        ("c", "events", 1),
        ("i", "ml", 1),
        ("ip", "ml", 1),
        ("xbar", "ml", 1),
        ("s", "standard deviation, ml", 1),
        ("r", "range, ml", 1),
        ("mr", "moving range, %", 100),
        ("g", "births", 1),
        ("t", "days", 1),
        ("ewma", "%", 100),
    ],
)
def test_each_kind_is_drawn_in_its_own_unit(kind: Any, label: str, times: float) -> None:
    chart = qe.control_chart(series_for(kind), kind)
    figure = chart.plot()
    first = chart.strata["group"].iloc[0]
    ax = panels(figure)[first]
    assert figure.axes[0].get_ylabel() == label
    np.testing.assert_allclose(
        ydata(one_line(ax, "_value")), points(chart, first)["value"] * times, rtol=1e-12
    )
    subtitle = figure.texts[1].get_text().split(" · ")[0]
    assert subtitle == ("ml" if label == "ml" else label[0].upper() + label[1:])


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_every_kind_says_how_its_lines_are_made(kind: Any) -> None:
    if kind == "bernoulli_cusum":
        chart = qe.control_chart(gaps(), qe.BernoulliCusum(h=3.5))
    else:
        chart = qe.control_chart(series_for(kind), qe.CountCusum(h=4) if kind == "cusum" else kind)
    spec, measure = chart.specs[0], chart.series.measure
    figure = chart.plot()
    how = _kinds.how_made(measure, spec)
    assert f"Lines of the {kind_title(spec)}: {how}" in footnotes(figure)
    assert _kinds.unit_of(measure, spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (qe.P(limits="laney"), "Laney's limits"),
        (qe.C(limits="classical"), "classical limits (3 standard errors)"),
        (qe.NP(), "exact probability limits (each tail below 0.00135)"),
        (qe.P(tail=0.004), "exact probability limits (each tail below 0.004)"),
        (qe.G(tail=0.0005), "geometric distribution (each tail below 0.0005)"),
        (qe.T(tail=0.02), "exponential distribution (each tail below 0.02)"),
        (qe.Individuals(spread="screened"), "limits from moving ranges (screened)"),
        (qe.Xbar(spread="r"), "from the ranges within subgroups"),
        (qe.Xbar(), "from the standard deviations within subgroups"),
        (qe.G(limits="classical"), "classical limits (3 standard deviations)"),
        (qe.T(limits="transform"), "limits from moving ranges of the times to the power 1/3.6"),
        (qe.T(limits="weibull"), "probability limits of the Weibull distribution"),
        (qe.Ewma(weight=0.1, width=2.7), "the weight 0.1 and older ones less and less; limits at 2.7"),
        (qe.Cusum(k=0.25), "looks for shifts of 0.5 × the standard error"),
        (qe.BernoulliCusum(odds_ratio=3), "looks for odds 3 times as high or as low"),
    ],
)
def test_parameters_are_said(spec: Any, said: str) -> None:
    assert said in _kinds.how_made(GAPS if "between" in spec.fits else PPH, spec)


def test_a_cusum_of_counts_says_whether_odds_or_rates_are_looked_for() -> None:
    assert "odds 2 times" in _kinds.how_made(PPH, qe.CountCusum())
    assert "odds 2 times" in _kinds.how_made(GAPS, qe.RiskAdjustedCusum())
    assert "a rate 2 times" in _kinds.how_made(PPH, qe.RiskAdjustedCusum())
    assert "a rate 1.5 times" in _kinds.how_made(qe.Measure("Falls", "count", None), qe.CountCusum(ratio=1.5))


def test_the_first_moving_range_is_no_missing_report() -> None:
    chart = qe.control_chart(proportions({"A": (80, 0.1)}), "mr")
    (ax,) = chart.plot().axes
    assert np.isnan(ydata(one_line(ax, "_value"))[0])
    assert not lines(ax, style.MISSING)
    births = chart.points["denominator"].sum()
    assert f"{births:,.0f} births" in words(ax)


def test_one_value_has_no_moving_range_and_that_is_said() -> None:
    (ax,) = qe.control_chart(proportions({"A": (80, 0.1)}, periods=1), "mr").plot().axes
    assert "too few numbers to draw" in words(ax)


@pytest.mark.parametrize("kind", ["np", "vlad"])
def test_a_group_without_births_has_no_points(kind: Any) -> None:
    figure = qe.control_chart(
        qe.from_records(
            records(groups=("H", "N")), PPH, date="date", event="event", ethnicity="code", expected="risk"
        ),
        kind,
    ).plot()
    ax = panels(figure)["White"]
    assert "no births recorded" in words(ax)
    assert not lines(ax, "_value")


def test_spread_within_subgroups_states_no_mean() -> None:
    ax = panels(qe.control_chart(losses(), "s").plot())["Asian"]
    assert "n 7" in words(ax)
    assert "mean" not in words(ax)
    ax = panels(qe.control_chart(losses(), "xbar").plot())["Asian"]
    assert "· mean 3" in words(ax)


def test_no_gap_can_lie_below_the_smallest() -> None:
    chart = qe.control_chart(gaps(), "g")
    ax = panels(chart.plot())["Asian"]
    assert (points(chart, "Asian")["lower"] == 1).all()
    assert not lines(ax, "_lower")
    (panel, *_) = make_panels(chart, [0])
    assert not panel.lower_crossable.any()
    assert panel.upper_crossable.all()


# ---- the axis of times ---------------------------------------------------------------------------------


def test_the_axis_of_a_t_chart_is_stretched_so_that_short_times_can_be_seen() -> None:
    chart = qe.control_chart(gaps(DAYS), "t")
    figure = chart.plot()
    ax = panels(figure)["Asian"]
    height = ax.get_window_extent().height
    drawn = points(chart, "Asian")
    places = {
        name: float((ax.transData.transform((0, value))[1] - ax.get_window_extent().y0) / height)
        for name, value in (
            ("lower", drawn["lower"].iloc[0]),
            ("line", drawn["centre_line"].iloc[0]),
            ("0", 0),
        )
    }
    assert places["lower"] - places["0"] > 0.08
    assert 0.3 < places["line"] < 0.7
    labels = [float(t) for t in ticks(figure.axes[0])]
    assert labels[0] == 0
    positions = [ax.transData.transform((0, t))[1] for t in labels]
    assert len(labels) >= 4
    assert min(np.diff(positions)) > 15
    assert "the axis is stretched towards 0" in footnotes(figure)
    assert np.isfinite(ydata(one_line(ax, style.LIMITS))).all()
    low, high = ax.get_ylim()
    assert low < 0
    assert high > drawn["upper"].iloc[0]


def test_other_axes_are_even() -> None:
    for kind in ("p", "g"):
        ax = qe.control_chart(series_for(kind), kind).plot().axes[0]
        assert ax.get_yscale() == "linear"


def test_marks_beside_a_stretched_axis_stand_in_their_rows() -> None:
    """A limit off the scale has its arrow above the highest value, in points as on any axis."""
    chart = qe.control_chart(gaps(DAYS), "t", phases="2023-01-01")
    (panel, *_) = made = make_panels(chart, [0])
    scale = y_scale(made, 3.0, 1 / 3.6, 150.0)
    assert panel.phases()[1:]
    assert scale.apart(scale.beside(scale.high, 10), scale.high) == pytest.approx(10)
    assert scale.apart(scale.low, scale.beside(scale.low, -5)) == pytest.approx(5)
    assert scale.beside(scale.low, -5) < 0
    rows = scale.above + scale.below + scale.phases + scale.marks + 10
    assert scale.apart(scale.high, scale.low) == pytest.approx(150 - rows)


# ---- strata with different kinds -----------------------------------------------------------------------

MIXED = {"A": (400, 0.05), "B": (300, 0.06), "C": (9, 0.04), "D": (350, 0.05), "E": (7, 0.04)}


def mixed() -> qe.ControlChart:
    chart = qe.control_chart(proportions(MIXED))
    assert chart.kinds["kind"].tolist() == ["p", "p", "cusum", "p", "cusum"]
    return chart


def test_panels_share_the_scale_of_their_kind_only() -> None:
    figure = mixed().plot(columns=3)
    ylims = {name: ax.get_ylim() for name, ax in panels(figure).items()}
    assert ylims["A"] == ylims["B"] == ylims["D"]
    assert ylims["C"] == ylims["E"]
    assert ylims["A"] != ylims["C"]
    assert ylims["A"][1] == pytest.approx(
        mixed().select(group=["A", "B", "D"]).plot().axes[0].get_ylim()[1], rel=0.2
    )
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert "Panels of one kind of chart have the same scales." in footnotes(figure)


def test_the_first_of_a_row_or_kind_has_labels_at_its_axis() -> None:
    figure = mixed().plot(columns=3)
    labels = {name: ax.get_ylabel() for name, ax in panels(figure).items()}
    assert labels == {"A": "%", "B": "", "C": "CUSUM", "D": "%", "E": "CUSUM"}
    for name, ax in panels(figure).items():
        assert bool(ticks(ax)) == bool(labels[name])
    assert "% and CUSUM · by month" in footnotes(figure)


def test_each_panel_names_its_kind_and_the_reason() -> None:
    chart = mixed()
    figure = chart.plot()
    for group, ax in panels(figure).items():
        row = chart.kinds[chart.kinds["group"] == group]
        assert row["reason"].item() in words(ax)
    assert "Lines of the p chart (A, B, D): exact probability limits" in footnotes(figure)
    assert "Lines of the CUSUM chart of counts (C, E): evidence added up" in footnotes(figure)


@pytest.mark.parametrize(
    ("unit", "shown"), [("ml", "ml"), ("mmHg", "mmHg"), ("g/dl", "g/dl"), ("days", "Days"), ("", "Mean")]
)
def test_a_unit_is_not_given_a_capital(unit: str, shown: str) -> None:
    measure = qe.Measure("Level", "mean", None, unit=unit)
    figure = qe.run_chart(qe.from_records(records(), measure, date="date", value="loss")).plot()
    assert figure.texts[1].get_text().startswith(f"{shown} · ")


def test_one_of_several_kinds_can_be_drawn_into_the_callers_axes() -> None:
    ax = Figure(figsize=(6, 4)).subplots()
    mixed().select(group="C").plot(ax=ax)
    assert ax.get_ylabel() == "CUSUM"
    assert lines(ax, RISE)


def test_a_reason_that_all_share_stands_once_under_the_figure() -> None:
    figure = qe.control_chart(losses()).plot()
    why = "xbar chart: the spread within subgroups is known."
    assert f"The kind was chosen by the data. {why}" in footnotes(figure)
    assert why not in " ".join(words(ax) for ax in figure.axes)


def test_reasons_that_differ_stand_on_the_panels_and_a_kind_asked_for_has_none() -> None:
    groups = {"A": (400, 0.05), "B": (300, 0.06)}
    figure = qe.control_chart(proportions(groups)).plot()
    assert "chosen by the data" not in footnotes(figure)
    assert all("expected events a month" in words(ax) for ax in figure.axes)
    asked = qe.control_chart(proportions(groups), "p").plot()
    assert "chosen by the data" not in footnotes(asked)
    assert not any("expected events" in words(ax) for ax in asked.axes)


# ---- targets -------------------------------------------------------------------------------------------


def with_targets(kind: Any, change: dict[int, float], phases: str | None = None) -> qe.ControlChart:
    """A chart of two groups; the target of the first changes at some points."""
    series = proportions({"A": (200, 0.1), "B": (200, 0.1)})
    chart = qe.control_chart(series, kind, target=0.08, phases=phases)
    targets = chart.targets.copy()
    for start, target in change.items():
        targets[0, start:] = target
    return replace(chart, targets=targets, _cache={})


def test_a_target_that_changes_is_drawn_in_steps() -> None:
    figure = with_targets("p", {12: 0.06, 18: 0.05}).plot()
    first, second = figure.axes
    line = one_line(first, style.TARGET)
    assert line.get_drawstyle() == "steps-mid"
    np.testing.assert_allclose(ydata(line)[1:-1], [8] * 12 + [6] * 6 + [5] * 6)
    assert "target 8.0 → 6.0 → 5.0" in words(first)
    assert "target 5.0" in words(first)
    np.testing.assert_allclose(ydata(one_line(second, style.TARGET)), [8, 8])
    assert "→" not in words(second)
    assert legend_of(figure).count(style.TARGET) == 1


def test_a_target_that_comes_later_or_never_is_drawn_where_it_is() -> None:
    chart = with_targets("p", {0: np.nan, 12: 0.3})
    first, second = chart.plot().axes
    assert np.flatnonzero(np.isfinite(ydata(one_line(first, style.TARGET))[1:-1])).tolist() == list(
        range(12, 24)
    )
    assert first.get_ylim()[1] > 30
    assert second.get_ylim() == first.get_ylim()
    none = with_targets("p", {0: np.nan})
    first, _ = none.plot().axes
    assert not lines(first, style.TARGET)
    assert "target" not in words(first)


@pytest.mark.parametrize("kind", ["np", "mr", qe.CountCusum(h=4)])
def test_a_target_of_the_measure_is_none_for_counts_spreads_and_sums(kind: Any) -> None:
    figure = with_targets(kind, {12: 0.06}).plot()
    assert "target" not in " ".join([*legend_of(figure), *(words(ax) for ax in figure.axes)])


def test_empty_panels_make_room_for_their_target() -> None:
    frame = counts_of({"A": (50, 0.1)}).assign(events="*")
    series = qe.from_counts(
        frame, PPH, period="month", numerator="events", denominator="births", group="group"
    )
    made = make_panels(qe.control_chart(series, "p", target=0.5), [0])
    assert data_range(made, 1.5) == (0.0, pytest.approx(60))


# ---- legibility of every kind --------------------------------------------------------------------------


def texts_of(figure: Figure) -> list[Text]:
    inside = [
        t
        for ax in figure.axes
        for t in [*ax.texts, ax._left_title, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.yaxis.label]
    ]
    return [t for t in [*inside, *figure.texts, *figure.legends[0].get_texts()] if t.get_text()]


def check_texts(figure: Figure) -> None:
    FigureCanvasAgg(figure).draw()
    texts = texts_of(figure)
    boxes = [t.get_window_extent().shrunk(0.97, 0.97) for t in texts]
    page = figure.bbox
    for i, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        assert text.get_fontsize() >= 8
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()
        clashes = [texts[j].get_text() for j in range(i) if boxes[j].overlaps(box)]
        assert not clashes, (text.get_text(), clashes)


@pytest.mark.parametrize("kind", ["mr", "s", "g", "t", "vlad", "bernoulli_cusum", "risk_adjusted_cusum"])
def test_no_text_of_any_kind_overlaps_another(kind: Any) -> None:
    spec = qe.BernoulliCusum(h=2) if kind == "bernoulli_cusum" else kind
    check_texts(qe.control_chart(series_for(kind), spec).plot())


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_no_text_of_a_mixed_chart_overlaps_another(columns: int) -> None:
    check_texts(mixed().plot(columns=columns))
