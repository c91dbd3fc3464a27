"""Tables of rates and gaps as drawn: read from the artists, never from images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.reference import Reference
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.gaps import gaps
from qi_equity.equity.rates import rates
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _style as style
from qi_equity.plot._rows import make_rows, ratio_ticks, x_scale
from qi_equity.plot._text import Ruler, tick_texts
from qi_equity.plot.dots import plot_gaps, plot_rates

Check = Callable[[Figure], None]


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def names(ax: Axes) -> list[str]:
    return [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def series_of(rows: list[tuple[Any, ...]], measure: qe.Measure) -> StratifiedSeries:
    frame = pd.DataFrame(rows, columns=["group", "x", "n"]).assign(year="2024")
    return qe.from_counts(
        frame, measure, period="year", numerator="x", denominator="n", group="group", every="year"
    )


# ---- rates ---------------------------------------------------------------------------------------------


def test_rates_stand_where_the_table_says(suppressed: StratifiedSeries) -> None:
    table = rates(suppressed)
    (ax,) = plot_rates(table).axes
    (marks,) = lines(ax, style.RATE)
    known = table.table[table.table["rate"].notna()]
    np.testing.assert_allclose(marks.get_xdata(), known["rate"] * 1000)
    ends = [line.get_xdata() for line in lines(ax, "_interval")]
    np.testing.assert_allclose(ends, known[["lower", "upper"]] * 1000)
    heights = dict(zip(names(ax), ax.get_yticks(), strict=True))
    np.testing.assert_allclose(marks.get_ydata(), [heights[g] for g in ("Asian", "Black", "White")])
    assert "32.9 (26.5 to 40.8)\n79 of 2,400" in words(ax)


def test_what_has_no_rate_keeps_its_row_and_says_why(suppressed: StratifiedSeries) -> None:
    (ax,) = plot_rates(rates(suppressed)).axes
    assert names(ax) == ["Asian", "Black", "Mixed", "Other", "White"]
    at = {t.get_text(): t.get_position()[1] for t in ax.texts}
    heights = dict(zip(names(ax), ax.get_yticks(), strict=True))
    assert at["suppressed (small number withheld)"] == heights["Mixed"]
    assert at["no births"] == heights["Other"]


def test_a_missing_group_is_not_one_without_births() -> None:
    series = series_of([("A", 5, 300), ("B", None, None)], qe.Measure("M", "proportion", "lower"))
    assert "missing (not reported)" in words(plot_rates(rates(series)).axes[0])


def test_what_is_not_reliable_is_hollow_and_says_so() -> None:
    series = series_of([("A", 40, 400), ("B", 3, 25)], qe.Measure("M", "proportion", "lower"))
    figure = plot_rates(rates(series))
    (hollow,) = lines(figure.axes[0], style.UNRELIABLE)
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    assert any(text.endswith("3 of 25 · not reliable") for text in words(figure.axes[0]))
    assert style.UNRELIABLE in legend(figure)


def test_unknown_ethnicity_stands_apart_at_the_end(sixteen: StratifiedSeries) -> None:
    (ax,) = plot_rates(rates(sixteen)).axes
    assert names(ax)[-3:] == ["Not stated", "Not known", "Missing"]
    (rule,) = lines(ax, "_apart")
    y = ax.get_yticks()
    assert y[-4] < rule.get_ydata()[0] < y[-3]
    assert y[-3] - y[-4] > y[-2] - y[-3]
    (declared,) = plot_rates(rates(sixteen), order=list(reversed(names(ax)))).axes
    assert not lines(declared, "_apart")


@pytest.mark.parametrize(
    ("order", "first", "reason"),
    [
        ("alphabetical", "Asian", "no group is set as the norm"),
        ("size", "White", "by number of births, largest first"),
        ("rate", "Black", "by rate, highest first"),
        ("declared", "Asian", "as the scheme of groups declares it"),
        (["Other", "Mixed", "White", "Black", "Asian"], "Other", "as the maker of the figure gave it"),
    ],
)
def test_the_order_is_chosen_and_its_reason_told(
    suppressed: StratifiedSeries, order: Any, first: str, reason: str
) -> None:
    figure = plot_rates(rates(suppressed), order=order)
    assert names(figure.axes[0])[0] == first
    assert reason in footnotes(figure)
    if order == "rate":
        assert names(figure.axes[0]) == ["Black", "Asian", "White", "Mixed", "Other"]


def test_panels_share_scale_and_rows(recorded: StratifiedSeries) -> None:
    figure = plot_rates(rates(recorded, over="2023-01"))
    assert len(figure.axes) == 6
    assert len({(ax.get_xlim(), tuple(ax.get_yticks())) for ax in figure.axes}) == 1
    assert names(figure.axes[1]) == [""] * len(names(figure.axes[0]))
    assert "Women recorded as" in words(figure.axes[0])
    titles = [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes[:2]]
    assert titles == ["Synthetic site 1 · 2022 Q1 to 2022 Q4", "Synthetic site 1 · 2023 Q1 to 2023 Q4"]
    assert "synthetic" in footnotes(figure)
    narrow = plot_rates(rates(recorded, over="2023-01"), columns=1)
    assert names(narrow.axes[1])[0] == "Asian"


def test_a_wide_interval_is_cut_with_an_arrow_and_written_in_full() -> None:
    rows = [("A", 40, 900), ("B", 45, 950), ("C", 41, 920), ("D", 2, 21)]
    (ax,) = plot_rates(rates(series_of(rows, qe.Measure("M", "proportion", "lower")))).axes
    (arrow,) = lines(ax, style.OFF_SCALE)
    assert arrow.get_marker() == ">"
    upper = rates(series_of(rows, qe.Measure("M", "proportion", "lower"))).table["upper"].iloc[-1] * 100
    assert arrow.get_xdata()[0] < upper
    assert any(f"to {upper:.1f})" in text for text in words(ax))


def test_the_figure_describes_itself(suppressed: StratifiedSeries) -> None:
    said = plot_rates(rates(suppressed)).get_label()
    assert "Asian: 32.9 (26.5 to 40.8); 79 of 2,400" in said
    assert "Mixed: suppressed" in said


def test_counts_and_means_are_drawn_too() -> None:
    frame = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["A", "B"], "n": [30, 41]})
    calls = qe.from_counts(frame, qe.Measure("Calls", "count", None), period="m", numerator="n", group="g")
    (ax,) = plot_rates(rates(calls)).axes
    assert any(text.endswith("\n30 events") for text in words(ax))
    frame = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["A", "B"], "v": [5.0, 6], "s": [1.0, 2], "n": [90, 1]})
    loss = qe.from_counts(frame, qe.Measure("Minutes", "mean", "lower"), period="m", value="v", sd="s",
                          denominator="n", group="g")  # fmt: skip
    texts = words(plot_rates(rates(loss)).axes[0])
    assert any(text.endswith("90 births") for text in texts)
    assert any(text.startswith("6.0") and "(" not in text for text in texts)


def test_refusals(suppressed: StratifiedSeries, sites: StratifiedSeries) -> None:
    table = rates(suppressed)
    with pytest.raises(OptionError, match="colours='rainbow' is not allowed"):
        plot_rates(table, colours="rainbow")
    with pytest.raises(OptionError, match="order='biggest' is not allowed; use one of 'alphabetical'"):
        plot_rates(table, order="biggest")
    with pytest.raises(OptionError, match="columns=4 is too many to read; give 1 to 3"):
        plot_rates(table, columns=4)
    with pytest.raises(InputTypeError, match="columns"):
        plot_rates(table, columns=1.5)
    with pytest.raises(OptionError, match=r"holds 40 places and spans; a figure holds at most 24.*over="):
        plot_rates(rates(series_over_time(40), over="period"))


def series_over_time(periods: int) -> StratifiedSeries:
    labels = pd.period_range("2020-01", periods=periods, freq="M").astype(str)
    frame = pd.DataFrame({"m": labels, "x": 3, "n": 50})
    return qe.from_counts(
        frame, qe.Measure("M", "proportion", "lower"), period="m", numerator="x", denominator="n"
    )


# ---- gaps ----------------------------------------------------------------------------------------------


def test_absolute_and_relative_gaps_stand_side_by_side(suppressed: StratifiedSeries) -> None:
    table = gaps(suppressed, reference=Reference("White", reason="it is the largest"))
    absolute, relative = (figure := plot_gaps(table)).axes
    assert (absolute.get_xscale(), relative.get_xscale()) == ("linear", "log")
    row = table.table.set_index("group").loc["Black"]
    (mark,) = lines(absolute, style.WORSE)
    assert mark.get_xdata()[0] == pytest.approx(row["difference"] * 1000)
    (mark,) = lines(relative, style.WORSE)
    assert mark.get_xdata()[0] == pytest.approx(row["ratio"])
    assert mark.get_marker() == style.MARKERS["concern"]
    (none,) = lines(absolute, "no gap: as White")
    assert none.get_xdata()[0] == 0
    (none,) = lines(relative, "no gap: as White")
    assert none.get_xdata()[0] == 1
    assert "Compared with White, because: it is the largest." in footnotes(figure)
    assert {"← better for the group", "worse for the group →"} <= set(words(relative))
    assert "is the reference" in words(absolute)
    assert "suppressed (small number withheld)" in words(relative)
    assert "58.3 against 27.3" in "\n".join(words(absolute))


def test_a_gap_that_is_not_visible_is_neither_better_nor_worse(suppressed: StratifiedSeries) -> None:
    figure = plot_gaps(gaps(suppressed, reference="Asian"))
    (mark,) = lines(figure.axes[1], style.NOT_YET_VISIBLE)
    assert mark.get_marker() == "o"
    assert style.NOT_YET_VISIBLE in legend(figure)
    assert style.BETTER not in legend(figure)
    assert "for which no reason was given" in footnotes(figure)


def test_a_ratio_of_nothing_is_an_arrow_at_the_edge_with_its_number() -> None:
    rows = [("A", 0, 300), ("B", 12, 400), ("C", 20, 500)]
    series = series_of(rows, qe.Measure("M", "proportion", "lower"))
    relative = plot_gaps(gaps(series, reference="B")).axes[1]
    arrows = lines(relative, style.OFF_SCALE)
    assert {arrow.get_marker() for arrow in arrows} == {"<"}
    assert any(text.startswith("0.00 (0.00 to") for text in words(relative))
    infinite = plot_gaps(gaps(series, reference="A")).axes[1]
    assert {arrow.get_marker() for arrow in lines(infinite, style.OFF_SCALE)} == {">"}
    assert any(text.startswith("∞ (") and "to ∞)" in text for text in words(infinite))


def test_more_that_is_better_is_turned_and_said() -> None:
    booked = qe.Measure("Booked by 10 weeks", "proportion", "higher")
    series = series_of([("A", 900, 1000), ("B", 700, 1000)], booked)
    figure = plot_gaps(gaps(series, reference="A"))
    (mark,) = lines(figure.axes[0], style.WORSE)
    assert mark.get_xdata()[0] == pytest.approx(20)
    assert "births without the event" in footnotes(figure)
    assert figure.axes[0].get_xlabel() == "percentage points"


def test_without_a_direction_no_side_is_better() -> None:
    found = qe.Measure("Gestational diabetes found", "proportion", None)
    series = series_of([("A", 90, 1000), ("B", 200, 1000), ("C", 9, 30)], found)
    figure = plot_gaps(gaps(series, reference="A"))
    (mark,) = lines(figure.axes[0], style.HIGHER_OR_LOWER)
    assert mark.get_marker() == style.MARKERS["neutral"]
    assert {"← lower", "higher →"} <= set(words(figure.axes[0]))
    assert "Neither direction is better" in footnotes(figure)
    assert lines(figure.axes[0], "_differs") or lines(figure.axes[0], "_open")


def test_groups_of_a_scheme_are_named_as_people(recorded: StratifiedSeries) -> None:
    titles = [
        plot_gaps(gaps(recorded, reference=name)).get_suptitle().replace("\n", " ")
        for name in ("Black", "Mixed", "rest")
    ]
    assert [title.split("each group and ")[1] for title in titles] == [
        "Black women",
        "women recorded as Mixed",
        "everyone else",
    ]
    assert "non-White" not in titles[0]


def test_groups_have_no_colours_of_their_own(recorded: StratifiedSeries) -> None:
    figure = plot_gaps(gaps(recorded.pool("site"), reference="rest"))
    colours = {
        to_hex(m.get_markeredgecolor()) for ax in figure.axes for m in ax.get_lines() if m.get_marker() == "o"
    }
    assert colours <= {"#ffffff", style.PALETTES["accessible"].common}


def test_at_most_twelve_places_of_gaps(sites: StratifiedSeries) -> None:
    assert len(plot_gaps(gaps(sites, reference="rest")).axes) == 24
    with pytest.raises(OptionError, match="holds 13 places and spans; a figure holds at most 12"):
        plot_gaps(gaps(series_over_time(13), reference=0.05, over="period"))


# ---- texts and scales ----------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["suppressed", "sites", "sixteen", "recorded"])
def test_no_text_overlaps(series: str, request: pytest.FixtureRequest, readable: Check) -> None:
    data = request.getfixturevalue(series)
    readable(plot_rates(rates(data)))
    readable(plot_gaps(gaps(data, reference="rest")))


def test_three_columns_and_long_names_can_be_read(recorded: StratifiedSeries, readable: Check) -> None:
    readable(plot_rates(rates(recorded), columns=3))


def test_ticks_of_ratios_are_plain_and_apart() -> None:
    assert ratio_ticks(0.4, 3, 8).tolist() == [0.5, 0.67, 1, 1.5, 2, 3]
    assert ratio_ticks(0.05, 20, 4).tolist() == [0.1, 1, 10]
    assert 1 in ratio_ticks(0.95, 1.05, 3)


def test_a_scale_holds_all_estimates_and_what_is_always_there() -> None:
    nan = np.nan
    scale = x_scale([1, 2, 2, nan], [0.5, 1, 1, nan], [1.5, 3, 40, nan], width=300, reserve=0, always=(3.0,))
    assert scale.low == 0
    assert 3 <= scale.high < 40
    assert x_scale([nan], [nan], [nan], width=100, reserve=0).high == 1
    assert x_scale([nan], [nan], [nan], width=100, reserve=0, log=True).low == 0.5
    assert x_scale([5.0], [nan], [nan], width=100, reserve=0).high > 5
    assert x_scale([0.0], [nan], [nan], width=100, reserve=0).high == 1


def test_rows_have_room_for_their_names() -> None:
    ruler = Ruler()
    rows = make_rows(["A name that is long enough for two lines", "B"], [False, True], 100, ruler)
    assert "\n" in rows.names[0]
    assert rows.y[1] - rows.y[0] > 20
    assert make_rows([], [], 100, ruler).height > 0
    assert make_rows(["Onewordthatismuchtoolong" * 3], [False], 100, ruler).names[0].endswith("…")


def test_ticks_are_written_as_they_are() -> None:
    assert tick_texts([-5.0, -2.5, 0.0]) == ["−5.0", "−2.5", "0.0"]
    assert tick_texts([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert tick_texts([0.0, 25.0, 50.0]) == ["0", "25", "50"]
    assert tick_texts([0.1 + 0.2, 0.4]) == ["0.3", "0.4"]
    assert tick_texts([1.0]) == ["1"]
    assert tick_texts([]) == []
    assert tick_texts([1 / 3, 2 / 3]) == ["0.3333", "0.6667"]
    scale = x_scale([-6.0, -1.0], [-6.5, -1.5], [-5.0, 0.0], width=70.0, reserve=0.0)
    assert [float(t.replace("−", "-")) for t in scale.texts()] == scale.ticks.tolist()


def test_what_is_the_same_at_every_site_is_said_once(recorded: StratifiedSeries) -> None:
    figure = plot_rates(rates(recorded))
    text = " ".join(t.get_text() for t in figure.texts).replace("\n", " ")
    assert "Not stated (all sites), Not known (all sites), Missing (all sites): Women whose group" in text
    some = rates(recorded.select(site=recorded.sites[0]))
    alone = " ".join(t.get_text() for t in plot_rates(some).texts)
    assert "all sites" not in alone


def test_births_are_not_summed_over_what_is_withheld() -> None:
    rows = pd.DataFrame({"m": ["2024"] * 2, "g": ["A", "B"], "x": ["*", "9"], "n": ["*", "300"]})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "every": "year"}
    series = qe.from_counts(rows, qe.measures["preterm_birth"], **columns)
    figure = plot_rates(rates(series))
    assert not any("births" in t.get_text() for t in figure.axes[0].texts)
    whole = plot_rates(rates(series.select(group="B")))
    assert "300 babies" in [t.get_text() for t in whole.axes[0].texts]


def test_means_are_called_means_and_intervals_by_their_names(suppressed: StratifiedSeries) -> None:
    rows = pd.DataFrame({"m": ["2024"] * 2, "g": ["A", "B"], "v": [3.0, 5], "s": [1.0] * 2, "n": [20, 30]})
    columns = {"period": "m", "value": "v", "sd": "s", "denominator": "n", "group": "g", "every": "year"}
    measure = qe.Measure("Minutes", "mean", "lower", unit="min")
    figure = plot_rates(rates(qe.from_counts(rows, measure, **columns)))
    said = " ".join(t.get_text() for t in figure.texts).replace("\n", " ")
    assert "mean with 95 % interval (t); number of values. Hollow: not reliable by" in said
    assert "50 values" in [t.get_text() for t in figure.axes[0].texts]
    other = " ".join(t.get_text() for t in plot_rates(rates(suppressed)).texts)
    assert "rate with 95 % interval (Wilson); events of births." in other


def test_gaps_to_a_target_name_its_value(suppressed: StratifiedSeries) -> None:
    figure = plot_gaps(gaps(suppressed, reference=0.03))
    assert figure.get_suptitle().endswith("each group and the target of 30 per 1,000")
