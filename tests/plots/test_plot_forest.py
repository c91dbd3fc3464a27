"""Forest plots: what stands where, what is left out, and that it can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from qi_equity.change.evaluate import evaluate_change
from qi_equity.change.pooling.pool import pool_sites
from qi_equity.change.pooling.result import PooledEffect
from qi_equity.change.pooling.two_stage import NO_BIRTHS
from qi_equity.data.counts import from_counts
from qi_equity.data.measure import Measure
from qi_equity.errors import OptionError
from qi_equity.plot import _forest as marks
from qi_equity.plot import _style as style
from qi_equity.plot._rows import x_scale
from qi_equity.plot.forest import plot_forest

Check = Callable[[Figure], None]
PPH = Measure("Postpartum haemorrhage", "proportion", "lower", unit="per 1000")
CELLS = {"Asian": (24, 10, 200), "Black": (40, 30, 300), "Mixed": (4, 0, 40), "White": (90, 88, 2000)}


def made(
    names: list[str], *, measure: Measure = PPH, cells: dict[str, tuple[int, int, int]] | None = None
) -> PooledEffect:
    """Four months before and four after; sites of different sizes, the last with fewest."""
    rows = [
        (f"2023-{m + 1:02d}", s, g, max((x1 if m > 3 else x0) // 4 + (m % 2) * (x0 > 9) - i, 0), n // 4)
        for i, s in enumerate(names)
        for g, (x0, x1, n) in (cells or CELLS).items()
        for m in range(8)
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    series = from_counts(
        frame, measure, period="month", numerator="x", denominator="n", group="group", site="site"
    )
    return pool_sites(evaluate_change(series, "2023-05", reference="White"))


@pytest.fixture(scope="module")
def pooled() -> PooledEffect:
    return made(["Avon", "Brent", "Cam"])


def names(ax: Axes) -> list[str]:
    return [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]


def panel(figure: Figure, group: str) -> Axes:
    (found,) = [ax for ax in figure.axes if ax._left_title.get_text() == group]
    return found


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def site_marks(ax: Axes, label: str) -> list[Any]:
    return [line for line in ax.get_lines() if line.get_label() == label and len(line.get_xdata())]


def test_a_panel_a_group_and_a_row_a_site(pooled: PooledEffect) -> None:
    figure = plot_forest(pooled)
    titles = [ax._left_title.get_text() for ax in figure.axes]
    assert titles == ["Asian", "Black", "Mixed", "White"]
    assert names(figure.axes[0]) == ["Avon", "Brent", "Cam", "All sites"]
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert all(ax.get_xscale() == "log" for ax in figure.axes)


def test_marks_stand_where_the_tables_say(pooled: PooledEffect) -> None:
    ax = panel(plot_forest(pooled), "Black")
    sites = pooled.sites
    own = sites[(sites["group"] == "Black") & (sites["scale"] == "ratio") & (sites["what"] == "change")]
    found = site_marks(ax, marks._SITE)
    np.testing.assert_allclose([m.get_xdata()[0] for m in found], own["estimate"])
    np.testing.assert_allclose([m.get_ydata()[0] for m in found], ax.get_yticks()[:3])
    sizes = np.array([m.get_markersize() for m in found])
    assert (np.argsort(sizes) == np.argsort(own["weight"].to_numpy())).all()
    ends = [line.get_xdata() for line in ax.get_lines() if line.get_label() == "_interval"]
    inside = np.clip(own[["lower", "upper"]].to_numpy(), *np.exp(np.log(ax.get_xlim())))
    assert np.allclose(ends, inside, rtol=0.2)
    groups = pooled.groups
    told = groups[(groups["group"] == "Black") & (groups["scale"] == "ratio")].iloc[0]
    (diamond,) = [p for p in ax.patches if isinstance(p, Polygon) and p.get_label() == "_diamond"]
    x = diamond.get_xy()[:, 0]
    np.testing.assert_allclose([x.min(), x[1], x.max()], told[["lower", "estimate", "upper"]].astype(float))
    assert f"{told['estimate']:.2f} ({told['lower']:.2f} to {told['upper']:.2f})\nnot yet visible" in words(
        ax
    )


def test_a_site_that_is_left_out_keeps_its_row_with_the_reason(pooled: PooledEffect) -> None:
    ax = panel(plot_forest(pooled), "Mixed")
    told = [t for t in words(ax) if t.startswith("left out") or "\nleft out" in t]
    assert len(told) == 3
    assert all("no event before or after" in t for t in told)
    assert "no estimate\nnot yet visible" in words(ax)
    assert not [p for p in ax.patches if p.get_label() == "_diamond"]


def test_a_site_that_is_left_out_with_a_number_is_hollow(pooled: PooledEffect) -> None:
    sites = pooled.sites
    out = sites.assign(left_out=sites["left_out"].where(sites["site"].astype(str) != "Cam", "why not"))
    ax = panel(plot_forest(replace(pooled, _sites=out)), "Black")
    (mark,) = site_marks(ax, marks._LEFT_OUT)
    assert mark.get_markerfacecolor() == "white"
    assert len(site_marks(ax, marks._SITE)) == 2
    assert any(t.endswith("left out: why not") for t in words(ax))


def test_a_site_without_births_has_words_and_no_mark() -> None:
    found = made(["Avon", "Brent"])
    sites = found.sites
    none = (sites["site"].astype(str) == "Brent") & (sites["group"] == "Black")
    sites.loc[none, ["estimate", "lower", "upper"]] = np.nan
    sites.loc[none, "left_out"] = NO_BIRTHS
    ax = panel(plot_forest(replace(found, _sites=sites)), "Black")
    assert "left out: no births before or after" in words(ax)
    assert len(site_marks(ax, marks._SITE)) == 1
    assert not site_marks(ax, marks._LEFT_OUT)


def test_a_group_of_which_no_site_has_a_number_is_named_and_not_drawn() -> None:
    cells = {"Other": (0, 0, 0), "White": (90, 88, 2000)}
    figure = plot_forest(made(["Avon", "Brent"], cells=cells))
    assert [ax._left_title.get_text() for ax in figure.axes] == ["White"]
    footnotes = " ".join(t.get_text() for t in figure.texts).replace("\n", " ")
    assert "Not drawn, as no site has a number: Other." in footnotes


def test_a_site_that_knows_little_does_not_flatten_the_others() -> None:
    cells = {"Black": (400, 300, 4000), "White": (900, 880, 20000)}
    found = made(["Avon", "Brent", "Cam"], cells=cells)
    sites = found.sites
    small = sites["site"].astype(str) == "Cam"
    sites.loc[small, ["lower", "upper", "weight"]] = [0.001, 1000.0, 0.01]
    low, high = plot_forest(replace(found, _sites=sites)).axes[0].get_xlim()
    assert low > 0.2
    assert high < 10


def test_what_would_not_matter_is_shaded_and_no_change_is_a_line(pooled: PooledEffect) -> None:
    ax = plot_forest(pooled).axes[0]
    (zone,) = [p for p in ax.patches if p.get_label() == marks._TOO_SMALL]
    box = zone.get_extents().transformed(ax.transData.inverted())
    np.testing.assert_allclose([box.x0, box.x1], [0.75, 1 / 0.75])
    (line,) = [line for line in ax.get_lines() if line.get_label() == marks._NO_CHANGE]
    assert line.get_xdata()[0] == 1


def test_gaps_have_no_panel_for_the_reference(pooled: PooledEffect) -> None:
    figure = plot_forest(pooled, what="gaps")
    titles = [ax._left_title.get_text() for ax in figure.axes]
    assert titles == ["Asian", "Black", "Mixed"]
    told = pooled.gaps[(pooled.gaps["group"] == "Asian") & (pooled.gaps["scale"] == "ratio")].iloc[0]
    (diamond,) = [p for p in figure.axes[0].patches if p.get_label() == "_diamond"]
    assert diamond.get_xy()[1, 0] == pytest.approx(told["gap_change"])
    assert "how gaps changed" in figure.get_suptitle()


def test_an_estimate_without_an_interval_is_hollow() -> None:
    cells = {"Asian": (8, 0, 200), "White": (90, 88, 2000)}
    found = made(["Avon", "Brent"], cells=cells)
    exact = pool_sites(found.evaluation, method="exact")
    ax = panel(plot_forest(exact), "Asian")
    assert not [p for p in ax.patches if p.get_label() == "_diamond"]
    assert any("not yet visible" in t for t in words(ax))


def test_one_stage_has_no_weight_where_the_model_has_none() -> None:
    rng = np.random.default_rng(1)
    rows = [
        (f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, int(rng.binomial(200, 0.2)), 200)
        for s in ("Avon", "Brent", "Cam")
        for g in ("Asian", "White")
        for m in range(24)
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    series = from_counts(
        frame, PPH, period="month", numerator="x", denominator="n", group="group", site="site"
    )
    at = pd.DataFrame({"site": ["Avon", "Brent", "Cam"], "start": ["2023-07", "2024-01", "2024-07"]})
    pooled = pool_sites(evaluate_change(series, at, reference="White"), method="stepped-wedge")
    ax = plot_forest(pooled).axes[0]
    assert {m.get_markersize() for m in site_marks(ax, marks._SITE)} == {marks._USUAL_PT}
    assert not any("weight" in t for t in words(ax))
    assert not [line for line in ax.get_lines() if line.get_label() == marks._ANOTHER]


def test_differences_have_a_plain_scale_in_the_unit_of_the_measure(pooled: PooledEffect) -> None:
    figure = plot_forest(pooled, scale="difference")
    assert {ax.get_xscale() for ax in figure.axes} == {"linear"}
    assert not [p for p in figure.axes[0].patches if p.get_label() == marks._TOO_SMALL]
    told = pooled.groups[(pooled.groups["group"] == "Black") & (pooled.groups["scale"] == "difference")].iloc[
        0
    ]
    (diamond,) = [p for p in panel(figure, "Black").patches if p.get_label() == "_diamond"]
    assert diamond.get_xy()[1, 0] == pytest.approx(1000 * told["estimate"])
    gaps = plot_forest(pooled, what="gaps", scale="difference")
    assert gaps.axes[-1].get_xlabel() == "difference of the gap, per 1,000"
    exact = pool_sites(pooled.evaluation, method="exact")
    with pytest.raises(OptionError, match="gives ratios only"):
        plot_forest(exact, scale="difference")


def test_several_changes_have_panels_of_their_own(pooled: PooledEffect) -> None:
    twice = evaluate_change(pooled.evaluation.series, ["2023-03", "2023-06"], reference="White")
    titles = [ax._left_title.get_text() for ax in pool_sites(twice).plot().axes]
    assert titles[:2] == ["Asian · change 1", "Asian · change 2"]


def test_measures_without_a_direction_say_fell_and_rose() -> None:
    measure = Measure("Induction", "proportion", None, unit="%")
    figure = plot_forest(made(["Avon", "Brent", "Cam"], measure=measure))
    assert {"← fell", "rose →"} <= set(words(figure.axes[-1]))
    footnotes = " ".join(t.get_text() for t in figure.texts)
    assert "left is better" not in footnotes


def test_it_is_described_for_those_who_do_not_see_it(pooled: PooledEffect) -> None:
    label = str(plot_forest(pooled).get_label())
    assert label.startswith("Postpartum haemorrhage: change of each group, over all sites.")
    assert "Avon: " in label
    assert "All sites: " in label
    assert "left out" in label


@pytest.mark.parametrize("what", ["groups", "gaps"])
def test_its_texts_can_be_read(pooled: PooledEffect, readable: Check, what: str) -> None:
    readable(plot_forest(pooled, what=what))


def test_long_names_and_many_sites_can_be_read(readable: Check) -> None:
    long = [
        f"The {n} University Hospitals NHS Foundation Trust" for n in ("Avon", "Brent", "Cam", "Dee", "Exe")
    ]
    readable(plot_forest(made(long), columns=1))


def test_order_and_palette_are_choices(pooled: PooledEffect) -> None:
    figure = plot_forest(pooled, order="size", colours="making_data_count")
    assert figure.axes[0]._left_title.get_text() == "White"
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert {marks._SITE, marks._ALL, style.INTERVAL, marks._NO_CHANGE} <= set(legend)


def test_options_are_checked(pooled: PooledEffect) -> None:
    with pytest.raises(OptionError, match="what='sites'"):
        plot_forest(pooled, what="sites")
    with pytest.raises(OptionError, match="colours='red'"):
        plot_forest(pooled, colours="red")
    alone = made(["Avon", "Brent"], cells={"White": (90, 88, 2000)})
    with pytest.raises(OptionError, match="makes 0 panels"):
        plot_forest(alone, what="gaps")


def test_an_interval_that_ends_at_the_edge_has_no_arrow() -> None:
    axes, scale = Figure().add_subplot(), x_scale([-1.0], [-2.0], [3.0], width=300, reserve=50)
    marks._ends(axes, (scale.low, scale.high), 0.0, scale, "black")
    assert not axes.get_lines()
    marks._ends(axes, (scale.low - 0.1, scale.high + 0.1), 0.0, scale, "black")
    assert [line.get_marker() for line in axes.get_lines()] == ["<", ">"]
