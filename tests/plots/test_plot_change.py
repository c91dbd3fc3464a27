"""Evaluations as drawn: lines, gaps, effects and words, read from the artists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _change_effects as effects
from qi_equity.plot import _style as style
from qi_equity.plot._change_words import changed
from qi_equity.plot._save import save_figure
from qi_equity.plot._text import Ruler
from qi_equity.plot.change import plot_change, plot_effects

Check = Callable[[Figure], None]

MONTHS = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
COLUMNS: dict[str, Any] = {"period": "month", "numerator": "x", "denominator": "n", "group": "group"}
PPH = qe.Measure("Haemorrhage", "proportion", "lower", unit="per 1000")
REASON = qe.Reference("West", reason="the larger area")


def frame(groups: dict[str, tuple[Any, Any]], **columns: Any) -> pd.DataFrame:
    """Rows of groups with their events and births, by month."""
    parts = [pd.DataFrame({"month": MONTHS, "group": g, "x": x, "n": n}) for g, (x, n) in groups.items()]
    return pd.concat(parts).assign(**columns)


def series(groups: dict[str, tuple[Any, Any]], measure: qe.Measure = PPH, **options: Any) -> StratifiedSeries:
    return qe.from_counts(frame(groups), measure, **COLUMNS, **options)


TWO: dict[str, tuple[Any, Any]] = {
    "East": ([9, 10, 8] * 4 + [4, 3, 5] * 4, [75] * 24),
    "West": ([15, 14, 16] * 8, [300] * 24),
}
NO_EVENTS = [1, 0, 0, 2] * 3 + [0] * 12


@pytest.fixture(scope="module")
def two() -> qe.ChangeEvaluation:
    return qe.evaluate_change(series(TWO), "2024-01", reference=REASON)


@pytest.fixture(scope="module")
def awkward() -> qe.ChangeEvaluation:
    """Groups with few events, none, no births, suppressed counts, and a missing month, at two sites."""
    groups: dict[str, tuple[Any, Any]] = {
        "Asian": ([str(k) for k in [3, 2, 4, 3] * 6], [90] * 24),
        "Black": ([*map(str, NO_EVENTS[:5]), "", *map(str, NO_EVENTS[6:])], [12] * 24),
        "Mixed": (["*"] * 24, [20] * 24),
        "Other": (["0"] * 24, [0] * 24),
        "White": (["11"] * 12 + ["5"] * 12, [240] * 24),
    }
    rows = pd.concat([frame(groups, site=site) for site in ("Avon Infirmary", "Brent General Hospital")])
    return qe.evaluate_change(
        qe.from_counts(rows, PPH, site="site", **COLUMNS), "2024-01", reference="White",
        primary={"group": ["Black", "Asian"], "site": "Avon Infirmary"},
    )  # fmt: skip


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if str(line.get_label()).lstrip("_") == label]


def words(ax: Axes) -> str:
    return " ".join(t.get_text() for t in ax.texts).replace("\n", " ")


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes if ax.get_title(loc="left")]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def test_points_fitted_and_counterfactual_lines_are_those_of_the_table(two: qe.ChangeEvaluation) -> None:
    figure = plot_change(two)
    assert titles(figure) == ["East", "West"]
    table = two.counterfactual()
    for ax, group in zip(figure.axes[:2], ("East", "West"), strict=True):
        part = table[table["group"] == group]
        (points,) = lines(ax, style.OBSERVED)
        np.testing.assert_allclose(points.get_ydata(), part["observed"] * 1000)
        before, after = lines(ax, style.FITTED)[0], lines(ax, "fitted line")[-1]
        assert set(np.round(before.get_ydata(), 9)) == {round(1000 * part["fitted"].iloc[0], 9)}
        assert set(np.round(after.get_ydata(), 9)) == {round(1000 * part["fitted"].iloc[-1], 9)}
        (without,) = lines(ax, style.COUNTERFACTUAL)
        np.testing.assert_allclose(without.get_ydata(), 1000 * part["counterfactual"].iloc[-1])
        assert before.get_linestyle() == "-"
        assert without.get_linestyle() == "--"
        (start,) = lines(ax, style.POST_HOC_CHANGE)
        assert float(start.get_xdata()[0]) == pytest.approx(
            (pd.Timestamp("2023-12-16") - pd.Timestamp("1970-01-01")).days, abs=1
        )
        assert before.get_xdata()[-1] == without.get_xdata()[0] == start.get_xdata()[0]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_bands_reach_from_end_to_end_of_the_intervals(two: qe.ChangeEvaluation) -> None:
    ax = plot_change(two).axes[0]
    part = two.counterfactual().query("group == 'East'")
    bands = {c.get_label(): c.get_paths()[0].vertices[:, 1] for c in ax.collections}
    assert bands[style.FITTED_BAND].min() == pytest.approx(1000 * part["fitted_lower"].iloc[0])
    assert bands["_fitted band"].max() == pytest.approx(1000 * part["fitted_upper"].iloc[-1])
    assert bands[style.COUNTERFACTUAL_BAND].max() == pytest.approx(
        1000 * part["counterfactual_upper"].iloc[-1]
    )


def test_what_was_seen_and_what_could_have_been_stands_over_each_panel(two: qe.ChangeEvaluation) -> None:
    east, west = plot_change(two).axes[:2]
    assert "Lower than before; beyond the earlier trend" in words(east)
    assert "Before 120 (108 of 900); after 53.3 (48 of 900)." in words(east)
    smallest = two.groups.loc[0, "smallest_detectable"]
    assert f"Could have shown a fall of {100 * (1 - smallest):.0f}\u00a0% or more." in words(east)
    assert "No meaningful change" in words(west)
    assert "change, post hoc" in words(east)


def test_gaps_stand_below_before_and_after_with_their_verdict(two: qe.ChangeEvaluation) -> None:
    figure = plot_change(two)
    difference, none, ratio = figure.axes[2:5]
    gaps = two.gaps.query("group == 'East'").set_index("scale")
    for ax, scale, times in ((difference, "difference", 1000.0), (ratio, "ratio", 1.0)):
        (worse,), (open_,) = lines(ax, style.WORSE), lines(ax, style.NOT_YET_VISIBLE)
        np.testing.assert_allclose(worse.get_xdata(), gaps.loc[scale, "gap_before"] * times)
        np.testing.assert_allclose(open_.get_xdata(), gaps.loc[scale, "gap_after"] * times)
        assert [t.get_text() for t in ax.get_yticklabels()] == ["before", "after"]
        assert [worse.get_ydata()[0], open_.get_ydata()[0]] == ax.get_yticks().tolist()
        assert ax.get_position().y1 < figure.axes[0].get_position().y0
    assert "Gap, difference (per 1,000): narrowed" in words(difference)
    assert "Gap, ratio: narrowed" in words(ratio)
    assert ratio.get_xscale() == "log"
    assert "70.0 (" in words(difference)
    assert words(none) == "No gap: is the reference"
    assert not none.axison


def test_footnotes_and_description_say_it_all(two: qe.ChangeEvaluation) -> None:
    figure = plot_change(two)
    told = footnotes(figure)
    assert figure.get_suptitle() == "Haemorrhage: before and after the change of 2024-01"
    assert "Compared with West, because: the larger area." in told
    assert "the model that was named beforehand (level)" in told
    assert "Not in the model: trend, autocorrelation between periods, season." in told
    assert "Order of the groups: alphabetical" in told
    assert "does not say what caused a change" in told
    label = figure.get_label()
    assert label.startswith(two.sentence())
    assert (
        f"East: {two.alt_text().loc[0, 'text']}. Gap as a difference 70.0 before, 3.3 after: narrowed"
        in label
    )
    assert plot_effects(two).get_label() == label


def test_a_trend_and_a_season_bend_the_lines_and_name_the_rows(two: qe.ChangeEvaluation) -> None:
    evaluation = qe.evaluate_change(
        two.series, "2024-01", reference="West", model="level+trend", seasonal=1, phase_in=2
    )
    figure = plot_change(evaluation)
    ax, part = figure.axes[0], evaluation.counterfactual().query("group == 'East'")
    drawn = np.concatenate([line.get_ydata() for line in lines(ax, style.FITTED)])
    np.testing.assert_allclose(drawn, 1000 * part["fitted"].dropna())
    (out,) = lines(ax, style.LEFT_OUT)
    assert len(out.get_xdata()) == 2
    assert out.get_marker() == "x"
    assert [t.get_text() for t in figure.axes[2].get_yticklabels()] == ["without", "with"]
    assert "(level+trend, with a season of 1 harmonic)" in footnotes(figure)


def test_several_changes_have_a_line_a_verdict_and_a_row_each(readable: Check) -> None:
    at = pd.DataFrame(
        {"start": ["2023-09-01", "2024-05-01"], "label": ["form", ""], "reason": ["agreed", ""]}
    )
    evaluation = qe.evaluate_change(series(TWO), at, reference="West")
    figure = plot_change(evaluation)
    told = words(figure.axes[0])
    assert "Change 1: not yet visible" in told or "Change 1: lower than before" in told
    assert "after change 2" in told
    assert "Change 2: could have shown a fall" in told
    assert "form" in told
    assert "change 2, post hoc" in told
    names = [t.get_text() for t in figure.axes[2].get_yticklabels()]
    assert names == ["before", "after 1", "after 2"]
    assert "and after the changes of 2023-09 and 2024-05" in figure.get_suptitle()
    assert "East, change 2: " in figure.get_label()
    readable(figure)
    effects = plot_effects(evaluation)
    assert titles(effects)[0] == "change 1 · Change of each group · ratio"
    assert len(effects.axes) == 8
    trend = plot_change(qe.evaluate_change(series(TWO), at, reference="West", model="level+trend"))
    names = [t.get_text() for t in trend.axes[2].get_yticklabels()]
    assert names == ["without 1", "with 1", "without 2", "with 2"]
    many = qe.evaluate_change(
        series(TWO), ["2023-05", "2023-09", "2024-01", "2024-05", "2024-09"], reference="West"
    )
    assert changed(many) == "the changes of 2023-05 to 2024-09"


def test_what_is_not_there_is_said(awkward: qe.ChangeEvaluation) -> None:
    figure = plot_change(awkward)
    told = {ax.get_title(loc="left").replace("\n", " "): words(ax) for ax in figure.axes[:10]}
    assert "numbers are withheld" in told["Mixed · Avon Infirmary"]
    assert "no births recorded" in told["Other · Avon Infirmary"]
    assert "Before no births; after no births." in told["Other · Avon Infirmary"]
    assert "Lower than before; cannot be told from the earlier trend" in told["Black · Avon Infirmary"]
    assert "Not yet visible" in told["Asian · Avon Infirmary"]
    assert "More births after cannot help: too few before." in told["Asian · Avon Infirmary"]
    assert "Exploratory: not named in the aim" in told["White · Avon Infirmary"]
    assert "Exploratory" not in told["Black · Avon Infirmary"]
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert {style.MISSING, style.OBSERVED_FEW} <= set(labels)
    gaps = [words(ax) for ax in figure.axes[10:]]
    assert sum("not known" in text for text in gaps) == 8


def test_a_verdict_that_many_comparisons_take_back_is_told() -> None:
    rng = np.random.default_rng(2)
    groups: dict[str, tuple[Any, Any]] = {f"G{k}": (rng.binomial(100, 0.1, 24), [100] * 24) for k in range(5)}
    groups["G0"] = ([10] * 12 + [7] * 12, [100] * 24)
    evaluation = qe.evaluate_change(series(groups), "2024-01", reference="rest")
    assert evaluation.groups.loc[0, ["verdict", "family_verdict"]].tolist() == ["improved", "not yet visible"]
    assert "Allowing for all comparisons together: not yet visible" in words(plot_change(evaluation).axes[0])


@pytest.mark.parametrize(("uptake", "text"), [(0.3, "did not arrive here"), (None, "may not have arrived")])
def test_a_change_that_did_not_arrive_is_told(uptake: float | None, text: str) -> None:
    few, done = ([90] * 24, [300] * 24), ([1, 2] * 12, [3] * 24)
    process = series(
        dict.fromkeys(TWO, done if uptake is None else few), qe.Measure("Uptake", "proportion", "higher")
    )
    evaluation = qe.evaluate_change(series(TWO), "2024-01", reference="West", process=process)
    assert f"The change {text}" in words(plot_change(evaluation).axes[0])


def test_births_that_are_still_needed_are_told() -> None:
    groups: dict[str, tuple[Any, Any]] = {
        "East": ([15, 14, 16] * 7 + [13, 15, 14], [150] * 24),
        "West": ([30] * 24, [300] * 24),
    }
    evaluation = qe.evaluate_change(series(groups), "2024-10", reference="West")
    births, months = evaluation.groups.loc[0, ["births_needed", "periods_needed"]]
    told = words(plot_change(evaluation).axes[0])
    needed = f"{np.ceil(births / 100) * 100:,.0f} births more ({np.ceil(months):.0f} months)."
    assert f"A meaningful one needs about {needed}" in told
    rate = series(groups, qe.Measure("Haemorrhage", "rate", "lower"))
    told = words(plot_change(qe.evaluate_change(rate, "2024-10", reference="West")).axes[0])
    assert "months more." in told


def test_a_change_that_these_births_could_hardly_have_shown_is_taken_with_care() -> None:
    groups: dict[str, tuple[Any, Any]] = {"East": ([1, 0] * 6 + [4] * 12, [8] * 24), "West": TWO["West"]}
    evaluation = qe.evaluate_change(series(groups), "2024-01", reference="West")
    assert np.isnan(evaluation.groups.loc[0, "smallest_detectable"])
    told = words(plot_change(evaluation).axes[0])
    assert "Higher than before" in told
    assert "these births could not have shown any change: take its size with care." in told


def test_effects_stand_side_by_side_with_words(two: qe.ChangeEvaluation) -> None:
    figure = plot_effects(two)
    ratio, difference, gap_ratio, gap = figure.axes
    east = two.groups.iloc[0]
    for ax, name, times in ((ratio, "ratio", 1.0), (difference, "difference", 1000.0)):
        (mark,) = lines(ax, style.IMPROVED)
        assert mark.get_marker() == style.MARKERS["improvement"]
        assert mark.get_xdata()[0] == pytest.approx(east[name] * times)
        (still,) = lines(ax, style.UNCHANGED)
        assert still.get_marker() == "o"
        assert [t.get_text() for t in ratio.get_yticklabels()] == ["East", "West"]
    intervals = [line.get_xdata() for line in lines(ratio, "interval") if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(intervals[0], [east["ratio_lower"], east["ratio_upper"]])
    (band,) = [p for p in ratio.patches if p.get_label() == style.MEANINGFUL]
    np.testing.assert_allclose([band.get_x(), band.get_x() + band.get_width()], [0.75, 1 / 0.75])
    assert not difference.patches
    assert "lower than before; beyond the earlier trend" in words(difference)
    assert "no meaningful change" in words(difference)
    assert "0.44 (" in words(ratio)
    (mark,) = lines(gap_ratio, style.IMPROVED)
    assert mark.get_xdata()[0] == pytest.approx(
        two.gaps.loc[two.gaps["scale"] == "ratio", "gap_change"].iloc[0]
    )
    assert "narrowed" in words(gap_ratio)
    assert "narrowed" in words(gap)
    assert "is the reference" in words(gap)
    assert figure.get_suptitle() == "Haemorrhage: what changed after the change of 2024-01"
    assert "Tinted: ratios of 0.75 to 1.33. Model: level." in footnotes(figure)


def test_intervals_without_an_end_are_arrows_and_nothing_seen_is_said(awkward: qe.ChangeEvaluation) -> None:
    figure = plot_effects(awkward, order="declared")
    assert titles(figure)[:2] == [
        "Avon Infirmary · Change of each group · ratio",
        "Avon Infirmary · Change of each group · difference",
    ]
    ratio, difference = figure.axes[:2]
    black = awkward.groups.query("group == 'Black'").iloc[0]
    assert black["ratio_lower"] == 0
    assert lines(ratio, style.OFF_SCALE)[0].get_marker() == "<"
    assert "not known before" in words(ratio)
    assert "no births before" in words(ratio)
    assert "not yet visible" in words(difference)
    (hollow,) = lines(ratio, style.CHANGE_NOT_VISIBLE)
    assert hollow.get_markerfacecolor() == "white"


def test_an_endless_ratio_is_written_with_its_sign() -> None:
    groups: dict[str, tuple[Any, Any]] = {
        "East": ([0] * 12 + [1] * 12, [60] * 24), "None": ([0] * 24, [30] * 24), "West": TWO["West"]
    }  # fmt: skip
    evaluation = qe.evaluate_change(series(groups), "2024-01", reference="West")
    ratio = plot_effects(evaluation).axes[0]
    assert "∞ (" in words(ratio)
    assert "to ∞)" in words(ratio)
    assert "no events to compare" in words(ratio)


def test_of_what_is_wanted_the_figures_say_what_is_counted(readable: Check) -> None:
    well = qe.Measure("Screened", "proportion", "higher", unit="%")
    groups: dict[str, tuple[Any, Any]] = {"East": ([60, 62] * 6 + [70, 71] * 6, [75] * 24)}
    groups["West"] = ([250] * 24, [300] * 24)
    evaluation = qe.evaluate_change(series(groups, well), "2024-01", reference="West")
    figure, effects = plot_change(evaluation), plot_effects(evaluation)
    assert "Higher than before" in words(figure.axes[0])
    assert "or more in births without the event." in words(figure.axes[0])
    assert "births without the event: fewer is better" in words(effects.axes[0])
    np.testing.assert_allclose(
        lines(figure.axes[0], style.OBSERVED)[0].get_ydata()[:2], [80.0, 100 * 62 / 75]
    )
    assert "Gaps are those in births without the event" in footnotes(figure)
    readable(figure)
    readable(effects)


@pytest.mark.parametrize("better", ["lower", "higher", None])
def test_means_have_values_and_no_events(better: Any, readable: Check) -> None:
    rng = np.random.default_rng(5)
    rows = pd.concat(
        pd.DataFrame({"month": MONTHS, "group": g, "v": a + rng.normal(0, 1, 24), "s": 6.0, "n": 50})
        for g, a in (("East", 38 - 5 * (np.arange(24) > 11)), ("West", 33))
    )
    columns = {"period": "month", "value": "v", "sd": "s", "denominator": "n", "group": "group"}
    measured: Any = qe.from_counts(rows, qe.Measure("Minutes", "mean", better, unit="min"), **columns)
    evaluation = qe.evaluate_change(measured, "2024-01", reference="West")
    figure, effects = plot_change(evaluation), plot_effects(evaluation)
    assert "(600 values)" in words(figure.axes[0])
    assert f"Could have shown a {'rise' if better == 'higher' else 'fall'} of" in words(figure.axes[0])
    if better == "higher":
        readable(figure)
        readable(effects)
    ends = {t.get_text() for t in effects.axes[0].texts}
    assert ({"← lower", "higher →"} if better is None else {"← better", "worse →"}) <= ends
    mark = {"lower": style.IMPROVED, "higher": style.WORSENED, None: style.MOVED}[better]
    assert lines(effects.axes[0], mark)
    turned = "turned round, before over after: below 1 is better" in words(effects.axes[0])
    assert turned == (better == "higher")


def test_counts_and_rates_are_drawn() -> None:
    rows = frame(TWO)
    count = qe.from_counts(
        rows, qe.Measure("Deaths", "count", "lower"), period="month", numerator="x", group="group"
    )
    for evaluation in (
        qe.evaluate_change(count, "2024-01", reference="West"),
        qe.evaluate_change(
            series(TWO, qe.Measure("Deaths", "rate", "lower", unit="per 1000")), "2024-01", reference=0.05
        ),
    ):
        figure = plot_change(evaluation)
        assert style.OBSERVED_FEW not in [t.get_text() for t in figure.legends[0].get_texts()]
    assert "Compared with the target of 50 per 1,000" in footnotes(figure)


def test_staggered_starts_and_a_site_without_a_change() -> None:
    rows = pd.concat([frame(TWO, site=site) for site in ("Avon", "Brent", "Cam")])
    at = pd.DataFrame({"site": ["Avon", "Brent"], "start": ["2023-10-01", "2024-03-01"], "reason": "rota"})
    evaluation = qe.evaluate_change(qe.from_counts(rows, PPH, site="site", **COLUMNS), at, reference="West")
    figure = plot_change(evaluation)
    assert titles(figure) == [f"{g} · {s}" for s in ("Avon", "Brent", "Cam") for g in ("East", "West")]
    starts = [lines(ax, style.CHANGE) for ax in figure.axes[:6]]
    assert [len(s) for s in starts] == [1, 1, 1, 1, 0, 0]
    assert "No change is recorded" in words(figure.axes[4])
    assert not lines(figure.axes[4], style.COUNTERFACTUAL)
    assert "no change is recorded" in words(plot_effects(evaluation).axes[8])


def test_the_order_is_the_makers_and_said(two: qe.ChangeEvaluation) -> None:
    assert titles(plot_change(two, order="size")) == ["West", "East"]
    figure = plot_effects(two, order="rate")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["East", "West"]
    assert "Order of the groups: by rate, highest first" in footnotes(figure)
    assert titles(plot_change(two, order=["West", "East"])) == ["West", "East"]


def test_columns_and_refusals(two: qe.ChangeEvaluation, sites: StratifiedSeries) -> None:
    figure = plot_change(two, columns=1)
    tops = [ax.get_position().y1 for ax in figure.axes[:2]]
    assert tops[0] > tops[1]
    with pytest.raises(OptionError, match="columns=5 is too many to read; give 1 to 4"):
        plot_change(two, columns=5)
    with pytest.raises(InputTypeError, match="columns"):
        plot_change(two, columns=1.5)
    with pytest.raises(OptionError, match="colours='x' is not allowed"):
        plot_effects(two, colours="x")
    rows = pd.concat([frame({f"G{k}": TWO["East"] for k in range(25)})])
    many = qe.evaluate_change(qe.from_counts(rows, PPH, **COLUMNS), "2024-01", reference="rest")
    with pytest.raises(
        OptionError, match=r"holds 25 strata; .* at most 24\. Evaluate some of them: .*select"
    ):
        plot_change(many)
    rows = pd.concat([frame(TWO, site=f"Site {k}") for k in range(7)])
    seven = qe.evaluate_change(qe.from_counts(rows, PPH, site="site", **COLUMNS), "2024-01", reference="West")
    with pytest.raises(OptionError, match="holds 7 places and changes; a figure holds at most 6"):
        plot_effects(seven)


def test_palettes_and_global_state(two: qe.ChangeEvaluation, tmp_path: Any) -> None:
    plain = plot_change(two)
    with mpl.rc_context({"axes.facecolor": "red", "lines.marker": "s", "axes.grid": True}):
        styled = plot_change(two)
        assert styled.axes[0].get_facecolor() == plain.axes[0].get_facecolor()
    nhs = plot_effects(two, colours="making_data_count")
    (mark,) = lines(nhs.axes[0], style.IMPROVED)
    assert mark.get_markerfacecolor() == style.PALETTES["making_data_count"].improvement
    first, second = (save_figure(plot_change(two), tmp_path / f"{k}.svg").read_bytes() for k in "ab")
    assert first == second
    assert b"<desc" in first


def test_no_text_overlaps(awkward: qe.ChangeEvaluation, two: qe.ChangeEvaluation, readable: Check) -> None:
    for evaluation in (awkward, two):
        readable(plot_change(evaluation))
        readable(plot_effects(evaluation))


def test_long_names_can_be_read(sixteen: StratifiedSeries, readable: Check) -> None:
    evaluation = qe.evaluate_change(sixteen, "2023-01", reference="rest", model="level+trend")
    readable(plot_effects(evaluation))
    some = sixteen.select(group=[*sixteen.groups[:2], *sixteen.groups[-2:]])
    readable(plot_change(qe.evaluate_change(some, "2023-01", reference="rest"), columns=4))


def test_people_are_named_and_the_unknown_come_last(recorded: StratifiedSeries, readable: Check) -> None:
    evaluation = qe.evaluate_change(recorded.pool("site"), "2023-01", reference="White")
    figure = plot_change(evaluation)
    assert titles(figure)[1] == "Black women"
    assert titles(figure)[-3:] == ["Not stated", "Not known", "Missing"]
    assert "no gap: as White women" in [t.get_text() for t in figure.legends[0].get_texts()]
    assert "synthetic" in footnotes(figure)
    readable(figure)


def test_the_methods_of_an_evaluation_draw(two: qe.ChangeEvaluation) -> None:
    assert two.plot(columns=2).get_label() == plot_change(two).get_label()
    assert len(two.plot_effects().axes) == 4


def test_a_group_that_a_site_does_not_have_keeps_its_row() -> None:
    rows = pd.concat([frame(TWO, site="Avon"), frame({"West": TWO["West"]}, site="Brent")])
    evaluation = qe.evaluate_change(
        qe.from_counts(rows, PPH, site="site", **COLUMNS), "2024-01", reference=0.05
    )
    figure = plot_effects(evaluation)
    assert "not known before" in words(figure.axes[4])
    assert [t.get_text() for t in figure.axes[4].get_yticklabels()] == ["East", "West"]


def test_a_gap_that_moves_with_one_change_only_says_with_which() -> None:
    groups: dict[str, tuple[Any, Any]] = {
        "East": ([20, 21] * 4 + [9, 10] * 8, [100] * 24),
        "West": ([50] * 24, [1000] * 24),
    }
    evaluation = qe.evaluate_change(series(groups), ["2023-09", "2024-05"], reference="West")
    assert "change 1 narrowed; change 2 " in words(plot_change(evaluation).axes[2])


def test_the_axis_of_rates_does_not_reach_below_none():
    halved = {"East": ([9, 0, 12] * 4 + [2, 0, 3] * 4, [75] * 24), "West": ([15] * 12 + [6] * 12, [300] * 24)}
    figure = qe.evaluate_change(series(halved), "2024-01", reference=REASON).plot()
    low, high = figure.axes[0].get_ylim()
    assert -0.1 * high < low < 0


def test_rows_of_gaps_are_named_where_the_reference_stands_first(two: qe.ChangeEvaluation) -> None:
    figure = two.plot(order=["West", "East"])
    named = [[t.get_text() for t in axes.get_yticklabels()] for axes in figure.axes if axes.axison]
    assert named.count(["before", "after"]) == 2


def test_a_gap_that_widens_in_favour_of_the_group_is_not_marked_as_worse() -> None:
    ahead = {"East": ([6] * 12 + [2] * 12, [75] * 24), "West": ([36] * 24, [300] * 24)}
    evaluation = qe.evaluate_change(series(ahead), "2024-01", reference="West")
    behind = {"East": ([12] * 12 + [24] * 12, [75] * 24), "West": ([36] * 24, [300] * 24)}
    worse = qe.evaluate_change(series(behind), "2024-01", reference="West")
    for found, look in ((evaluation, "moved"), (worse, "worsened")):
        assert found.gaps.loc[found.gaps["group"] == "East", "verdict"].eq("widened").all()
        places = effects.places_of(found)
        panels = effects.effect_panels(found, places[0], ["East", "West"], Ruler())
        assert [panel.looks[0] for panel in panels[2:]] == [look, look]
