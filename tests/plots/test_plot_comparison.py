"""Comparisons as drawn: funnels and rows with limits, read from the artists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.comparison.compare import compare_groups
from qi_equity.errors import OptionError
from qi_equity.plot import _style as style
from qi_equity.plot._labels import place_labels, shortened
from qi_equity.plot._text import Ruler
from qi_equity.plot.comparison import plot_comparison

Check = Callable[[Figure], None]


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def boxes(ax: Axes) -> list[Rectangle]:
    """Boxes of the limits, inner ones filled."""
    return [p for p in ax.patches if str(p.get_label()).lstrip("_") == style.INNER]


def names(ax: Axes) -> list[str]:
    return [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def test_a_funnel_has_points_limits_and_names(suppressed: StratifiedSeries) -> None:
    comparison = compare_groups(suppressed, across="group")
    (ax,) = (figure := plot_comparison(comparison)).axes
    table = comparison.table.set_index("group")
    (worse,) = lines(ax, style.WORSE_THAN_LINE)
    assert worse.get_xydata().tolist() == [[960, pytest.approx(table.loc["Black", "rate"] * 1000)]]
    assert worse.get_marker() == style.MARKERS["concern"]
    (line,) = lines(ax, style.POOLED_LINE)
    np.testing.assert_allclose(line.get_ydata(), table.loc["Asian", "centre_line"] * 1000)
    curve = comparison.limits_curve()
    for label, column in ((style.INNER, "lower"), ("_upper", "upper"), (style.OUTER, "lower_outer")):
        (drawn,) = lines(ax, label)
        np.testing.assert_allclose(drawn.get_ydata(), curve[column] * 1000)
    assert {"Asian", "Black", "White"} <= set(words(ax))
    assert any("Mixed: suppressed (small number withheld) · Other: no births" in text for text in words(ax))
    assert ax.get_ylabel() == "per 1,000 · worse →"
    assert "by chance" in footnotes(figure)
    said = figure.get_label()
    assert "Black: 58.3 (960 births), worse than the line" in said
    assert "Mixed: suppressed" in said


def test_a_wide_range_of_births_is_drawn_on_a_logarithmic_axis(sixteen: StratifiedSeries) -> None:
    assert plot_comparison(compare_groups(sixteen, across="group")).axes[0].get_xscale() == "linear"
    few = sixteen.select(group=["White - British", "Asian or Asian British - Bangladeshi"])
    assert len(plot_comparison(compare_groups(few, across="group")).axes) == 1


def test_of_many_sites_those_beyond_the_limits_are_named(sites: StratifiedSeries) -> None:
    comparison = compare_groups(sites, across="site")
    figure = plot_comparison(comparison)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Asian", "Black", "White"]
    outside = comparison.table[comparison.table["outside"] != ""]
    assert len(outside)
    for _, row in outside.iterrows():
        ax = figure.axes[["Asian", "Black", "White"].index(row["group"])]
        shortened = [text.removesuffix("…") for text in words(ax)]
        assert any(row["site"].startswith(text) for text in shortened if text)
    assert any("within the limits not named" in text for ax in figure.axes for text in words(ax))


def test_rows_have_the_limits_of_each(suppressed: StratifiedSeries) -> None:
    comparison = compare_groups(suppressed, across="group", method="anom")
    (ax,) = plot_comparison(comparison, order=["White", "Black", "Asian", "Other", "Mixed"]).axes
    assert names(ax) == ["White", "Black", "Asian", "Other", "Mixed"]
    table = comparison.table.set_index("group").loc[["White", "Black", "Asian"]]
    drawn = [(box.get_x(), box.get_x() + box.get_width()) for box in boxes(ax)]
    np.testing.assert_allclose(drawn, table[["lower", "upper"]] * 1000)
    (better,) = lines(ax, style.BETTER_THAN_LINE)
    assert better.get_marker() == style.MARKERS["improvement"]
    assert {"suppressed (small number withheld)", "no births", "← better", "worse →"} <= set(words(ax))
    assert "58.3\n56 of 960" in words(ax)


def test_raw_rates_stand_beside_shrunken_ones(sites: StratifiedSeries) -> None:
    comparison = compare_groups(sites, across="group within site", method="anom")
    figure = plot_comparison(comparison, columns=1)
    partial = comparison.table[comparison.table["pooling"].str.startswith("partial")]
    shown = np.concatenate([m.get_xdata() for ax in figure.axes for m in lines(ax, style.SHRUNKEN)])
    np.testing.assert_allclose(np.sort(shown), np.sort(partial["shrunken"] * 1000))
    assert "towards" in figure.legends[0].get_texts()[-1].get_text() or len(shown)


def test_unknown_ethnicity_is_shown_not_judged_and_apart(recorded: StratifiedSeries) -> None:
    figure = plot_comparison(compare_groups(recorded.pool("site"), across="group", method="anom"))
    (ax,) = figure.axes
    (marks,) = lines(ax, style.NOT_JUDGED)
    heights = dict(zip(names(ax), ax.get_yticks(), strict=True))
    assert set(marks.get_ydata()) == {heights[g] for g in ("Not stated", "Not known", "Missing")}
    assert lines(ax, "_apart")
    assert "Women recorded as" in words(ax)


def test_groups_of_sites_are_named_as_people(recorded: StratifiedSeries) -> None:
    figure = plot_comparison(compare_groups(recorded.select(group=["Black", "Mixed"]), across="site"))
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Black women", "Mixed"]


def test_without_any_rate_there_is_still_a_figure(suppressed: StratifiedSeries) -> None:
    for method in ("funnel", "anom"):
        figure = plot_comparison(
            compare_groups(suppressed.select(group=["Mixed", "Other"]), across="group", method=method)
        )
        assert any("suppressed" in text for text in words(figure.axes[0]))


def test_refusals(suppressed: StratifiedSeries) -> None:
    with pytest.raises(OptionError, match="columns=4 is too many"):
        plot_comparison(compare_groups(suppressed, across="group"), columns=4)
    with pytest.raises(OptionError, match="colours='x' is not allowed"):
        plot_comparison(compare_groups(suppressed, across="group"), colours="x")


@pytest.mark.parametrize(
    ("series", "across"), [("sites", "site"), ("sixteen", "group"), ("suppressed", "group")]
)
def test_no_text_overlaps(series: str, across: str, request: pytest.FixtureRequest, readable: Check) -> None:
    data = request.getfixturevalue(series)
    readable(plot_comparison(compare_groups(data, across=across)))
    readable(plot_comparison(compare_groups(data, across=across, method="anom")))


def test_names_find_places_or_are_given_up() -> None:
    ruler = Ruler()
    near = np.array([50.0, 52.0, 51.0, 50.5, 51.5])
    labels, unplaced = place_labels(near, near, ["a long name"] * 5, (100.0, 100.0), range(5), ruler)
    assert len(labels) + len(unplaced) == 5
    assert unplaced
    far = np.array([20.0, 60.0])
    labels, unplaced = place_labels(far, far, ["A", "B"], (100.0, 100.0), [1, 0], ruler)
    assert [label.index for label in labels] == [1, 0]
    assert {label.align for label in labels} == {"left"}
    assert not unplaced


def test_long_names_are_cut_where_it_leaves_them_apart() -> None:
    ruler, room = Ruler(), 90.0
    trusts = [f"The Longest Hospital NHS Foundation Trust {k}" for k in range(3)]
    cut = shortened([*trusts, "Avon", "Barking, Havering and Redbridge University Hospitals"], room, ruler)
    assert len(set(cut)) == 5
    assert [name[-1] for name in cut[:3]] == ["0", "1", "2"]
    assert all("…" in name for name in cut[:3])
    assert cut[3] == "Avon"
    assert cut[4].startswith("Barking, H")
    assert cut[4].endswith("…")
    assert all(ruler.width(name, style.SMALL) <= room for name in cut)
    assert shortened(["Aaaaaaa", "Aaaaaab"], 3.0, ruler) == ["", ""]


def test_units_that_all_lack_a_rate_are_told_once(sites: StratifiedSeries) -> None:
    frame = sites.data.assign(x=lambda f: f["numerator"].astype(object))
    frame.loc[frame["group"] == "Asian", ["numerator", "denominator", "x"]] = None
    again = qe.from_counts(
        frame.assign(year=frame["period"].dt.strftime("%Y")), sites.measure, period="year", numerator="x",
        denominator="denominator", group="group", site="site", every="year",
    )  # fmt: skip
    figure = plot_comparison(compare_groups(again, across="site"))
    first = figure.axes[0]
    assert "All 12: missing (not reported)" in [t.get_text() for t in first.texts]
