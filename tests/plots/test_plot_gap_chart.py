"""Gap charts as drawn: read from the artists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.reference import Reference
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.gap_chart.gap_chart import gap_chart
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _style as style
from qi_equity.plot.gap_chart import plot_gap_chart

Check = Callable[[Figure], None]


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def one(ax: Axes, label: str) -> Line2D:
    (line,) = lines(ax, label)
    return line


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes if ax.get_title(loc="left")]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def quarterly(east: list[int], west: list[int], **options: Any) -> StratifiedSeries:
    quarters = pd.period_range("2022Q1", periods=len(east), freq="Q").start_time.strftime("%Y-%m")
    rows = pd.DataFrame(
        {
            "q": list(quarters) * 2,
            "area": ["East"] * len(east) + ["West"] * len(east),
            "x": [*east, *west],
            "n": [150] * len(east) + [800] * len(east),
        }
    )
    measure = options.pop("measure", qe.Measure("Preterm birth", "proportion", "lower"))
    return qe.from_counts(
        rows, measure, period="q", numerator="x", denominator="n", group="area", every="quarter", **options
    )


EAST, WEST = [9, 8, 10, 7, 9, 8, 9, 25], [25, 27, 24, 25, 26, 25, 27, 25]


def test_the_gap_stands_over_the_rates_of_both_sides() -> None:
    chart = gap_chart(
        quarterly(EAST, WEST), reference=Reference("West", reason="the larger area"), baseline=7
    )
    figure = plot_gap_chart(chart)
    gap, own = figure.axes
    assert titles(figure) == ["East"]
    points = chart.points[chart.points["group"] == "East"]
    np.testing.assert_allclose(one(gap, "_value").get_ydata(), points["gap"] * 100)
    np.testing.assert_allclose(one(own, style.GROUP).get_ydata(), points["value"] * 100)
    np.testing.assert_allclose(one(own, style.REFERENCE).get_ydata(), points["reference_value"] * 100)
    assert set(one(gap, "no gap: as West").get_ydata()) == {0}
    signal = one(gap, style.SPECIAL["concern"])
    assert signal.get_marker() == style.MARKERS["concern"]
    assert signal.get_ydata()[0] == pytest.approx(points["gap"].iloc[-1] * 100)
    assert gap.get_ylabel() == "← better · worse →\npercentage points"
    assert "Compared with West, because: the larger area." in footnotes(figure)
    assert gap.get_position().y0 > own.get_position().y1
    assert figure.get_label().startswith("East: Difference in Preterm birth, compared with West")


def test_ratios_have_a_logarithmic_axis_with_arrows_for_nothing_and_endless() -> None:
    chart = gap_chart(quarterly([0, *EAST[1:]], [*WEST[:3], 0, *WEST[4:]]), reference="West", scale="ratio")
    gap, _ = plot_gap_chart(chart).axes
    labels = [t.get_text() for t in gap.get_yticklabels()]
    assert "1" in labels
    np.testing.assert_allclose(np.exp(gap.get_yticks()), [float(t) for t in labels])
    value = one(gap, "_value").get_ydata()
    ratio = chart.points["gap"].iloc[1]
    assert value[1] == pytest.approx(np.log(ratio))
    assert {"0", "∞"} <= set(words(gap))
    assert set(one(gap, "no gap: as West").get_ydata()) == {0}


def test_observed_minus_expected_lies_about_zero() -> None:
    chart = gap_chart(quarterly(EAST, WEST), reference="rest", scale="observed-expected", phases="2023-01-01")
    figure = plot_gap_chart(chart)
    assert titles(figure) == ["East", "West"]
    assert figure.axes[0].get_ylabel().endswith("events beyond expected")
    assert one(figure.axes[0], style.POST_HOC_PHASE).get_xdata()[0] == pytest.approx(
        one(figure.axes[2], "_phase").get_xdata()[0]
    )
    np.testing.assert_allclose(
        one(figure.axes[0], "_value").get_ydata(), chart.points["gap"][: len(EAST)], atol=1e-12
    )


def test_each_panel_tells_how_the_gap_moved() -> None:
    east, west = [30] * 6 + [30] * 6, [40] * 6 + [160] * 6
    chart = gap_chart(quarterly(east, west), reference="West", phases="2023-07-01")
    text = " ".join(words(plot_gap_chart(chart).axes[0]))
    assert "centre 15.0 → 0.0" in text
    assert "narrowed because the reference worsened" in text.replace("\n", " ")


def test_the_reference_has_no_panel_but_suppressed_and_empty_groups_have(
    suppressed: StratifiedSeries,
) -> None:
    figure = plot_gap_chart(gap_chart(suppressed, reference="White", scale="ratio"))
    assert titles(figure) == ["Asian", "Black", "Mixed", "Other"]
    mixed, other = figure.axes[2], figure.axes[3]
    assert "nothing to show:\nnumbers are withheld" in words(mixed)
    assert len(one(mixed, style.SUPPRESSED).get_xdata()) == 8
    assert "no births recorded" in words(other)
    alone = plot_gap_chart(gap_chart(suppressed, reference="White").select(group="White"))
    assert titles(alone) == ["White"]


def test_order_columns_and_people(recorded: StratifiedSeries) -> None:
    chart = gap_chart(recorded.pool("site"), reference="White")
    figure = plot_gap_chart(chart, order="size", columns=2)
    assert titles(figure)[0] == "Asian women"
    assert "Mixed" in titles(figure)
    assert set(titles(figure)[-3:]) == {"Not stated", "Not known", "Missing"}
    assert "by number of births, largest first" in footnotes(figure)
    assert len({ax.get_position().x0 for ax in figure.axes}) == 2
    assert "gap to White women" in figure.get_suptitle()
    sites = plot_gap_chart(gap_chart(recorded.select(group=["Black", "White"]), reference="White"))
    assert titles(sites)[0] == "Black women · Synthetic site 1"


def test_in_a_frame_of_ones_own() -> None:
    chart = gap_chart(quarterly(EAST, WEST), reference="West")
    figure = Figure(figsize=(8, 5))
    ax = figure.add_subplot()
    assert plot_gap_chart(chart, ax=ax) is ax
    assert lines(ax, style.CENTRE_LINE)
    with pytest.raises(OptionError, match="ax= draws one stratum and the chart holds 2 beside the reference"):
        plot_gap_chart(gap_chart(quarterly(EAST, WEST), reference="rest"), ax=ax)
    with pytest.raises(InputTypeError, match="give a matplotlib Axes"):
        plot_gap_chart(chart, ax=figure)


def test_refusals(sites: StratifiedSeries) -> None:
    chart = gap_chart(quarterly(EAST, WEST), reference="West")
    with pytest.raises(OptionError, match="columns=5 is too many to read; give 1 to 4"):
        plot_gap_chart(chart, columns=5)
    with pytest.raises(OptionError, match="holds 36 strata; a figure holds at most 24"):
        plot_gap_chart(gap_chart(sites, reference="rest", every="year"))


def test_a_rate_far_from_all_others_gets_an_arrow_in_the_lower_panel() -> None:
    _, own = plot_gap_chart(gap_chart(quarterly([5] * 15 + [120], [25] * 16), reference="West")).axes
    arrow = one(own, "_off the scale")
    assert arrow.get_ydata()[0] == own.get_lines()[1].get_ydata().max() < 80


def test_without_a_direction_no_side_is_named() -> None:
    series = quarterly(EAST, WEST, measure=qe.Measure("Found", "proportion", None))
    gap, _ = plot_gap_chart(gap_chart(series, reference="West")).axes
    assert gap.get_ylabel() == "percentage points"


@pytest.mark.parametrize("scale", ["difference", "ratio", "observed-expected"])
def test_no_text_overlaps(recorded: StratifiedSeries, readable: Check, scale: Any) -> None:
    chart = gap_chart(recorded.pool("site"), reference="rest", scale=scale, phases="2023-01-01")
    readable(plot_gap_chart(chart))


def test_long_names_can_be_read(sixteen: StratifiedSeries, readable: Check) -> None:
    readable(plot_gap_chart(gap_chart(sixteen, reference="rest", rules="shewhart")))


def test_sums_of_events_have_a_scale_of_their_own_in_each_panel(readable: Check) -> None:
    large, small = [25 + 3 * (k % 2) for k in range(8)], [2, 1, 3, 2, 1, 2, 3, 1]
    chart = gap_chart(quarterly(small, large), reference=0.01, scale="observed-expected")
    figure = plot_gap_chart(chart)
    gaps = [ax for ax in figure.axes if ax.get_title(loc="left")]
    for ax, group in zip(gaps, ("East", "West"), strict=True):
        points = chart.points[chart.points["group"] == group]
        low, high = ax.get_ylim()
        assert low < points["gap"].min() <= points["gap"].max() < high
        assert any(t.get_text() for t in ax.get_yticklabels())
        assert not lines(ax, style.OFF_SCALE)
    assert gaps[0].get_ylim() != gaps[1].get_ylim()
    assert "each upper panel has a scale of its own" in footnotes(figure)
    readable(figure)
    alone = plot_gap_chart(chart.select(group="East"))
    assert "scale of its own" not in footnotes(alone)
    shared = plot_gap_chart(gap_chart(quarterly(small, large), reference=0.01))
    assert len({ax.get_ylim() for ax in shared.axes if ax.get_title(loc="left")}) == 1
    assert "scale of its own" not in footnotes(shared)


def test_a_target_is_named_with_its_value() -> None:
    chart = gap_chart(quarterly(EAST, WEST), reference=Reference(0.035, reason="national ambition"))
    figure = plot_gap_chart(chart)
    assert figure.get_suptitle() == "Preterm birth: gap to the target of 3.5 %"
    assert "no gap: as the target of 3.5 %" in [t.get_text() for t in figure.legends[0].get_texts()]
    assert "Compared with the target of 3.5 %, because: national ambition." in footnotes(figure)
    assert "Limits are made from the counts of the group;" in footnotes(figure)
    own = quarterly(EAST, WEST, measure=qe.Measure("Preterm birth", "proportion", "lower", target=0.04))
    assert "gap to the target of 4 %" in plot_gap_chart(gap_chart(own, reference="target")).get_suptitle()


def test_phases_without_a_reason_are_called_post_hoc_once() -> None:
    figure = plot_gap_chart(gap_chart(quarterly(EAST, WEST), reference="West", phases="2023-01-01"))
    assert "post hoc" in words(figure.axes[0])
    assert "Phases: post hoc from 2023 Q1." in footnotes(figure)


def test_measurements_have_values_and_no_events() -> None:
    rows = pd.DataFrame(
        {"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2, "v": [3.0, 5, 4, 4],
         "s": [1.0] * 4, "n": [20, 30, 40, 50]}
    )  # fmt: skip
    columns = {"period": "m", "value": "v", "sd": "s", "denominator": "n", "group": "area"}
    measure = qe.Measure("Minutes", "mean", "lower", unit="min")
    chart = gap_chart(qe.from_counts(rows, measure, every="quarter", **columns), reference="West")
    assert "50 values" in words(plot_gap_chart(chart).axes[0])
    babies = quarterly(EAST, WEST, measure=qe.Measure("Apgar", "proportion", "lower", counts="baby"))
    text = " ".join(words(plot_gap_chart(gap_chart(babies, reference="West")).axes[0]))
    assert "1,200 babies · 85 events" in text


def test_no_numbers_stand_beside_panels_in_which_nothing_is_drawn(suppressed: StratifiedSeries) -> None:
    chart = gap_chart(suppressed, reference="Mixed")
    figure = plot_gap_chart(chart)
    gaps = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert not any(t.get_text() for ax in gaps for t in ax.get_yticklabels())


def test_what_starts_a_line_of_warnings_starts_with_a_capital() -> None:
    chart = gap_chart(quarterly([2, 1, 0, 1, 2, 0, 1, 0], WEST), reference="West")
    figure = plot_gap_chart(chart.select(group="East"))
    strip = [t for t in words(figure.axes[0]) if "Fewer than 12" in t or "signal" in t]
    assert strip
    assert all(line[0].isupper() for line in strip)


def test_the_reference_alone_is_told_no_change_of_its_gap() -> None:
    chart = gap_chart(quarterly(EAST, WEST), reference="West", phases="2023-01-01").select(group="West")
    assert "Change of the gap" not in " ".join(words(plot_gap_chart(chart).axes[0]))


def test_some_strata_of_a_chart_with_phases_can_be_drawn() -> None:
    phases = pd.DataFrame(
        {"group": ["East", "West"], "start": ["2023-01-01", "2022-07-01"], "label": ["a", "b"]}
    )
    chart = gap_chart(quarterly(EAST, WEST), reference=0.03, phases=phases.assign(reason="planned"))
    figure = plot_gap_chart(chart.select(group="East"))
    assert "Phases: a from 2023 Q1." in footnotes(figure)
