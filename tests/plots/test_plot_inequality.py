"""Measures of inequality as drawn: read from the artists."""

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
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.inequality.inequality import inequality
from qi_equity.errors import OptionError
from qi_equity.plot import _style as style
from qi_equity.plot.inequality import plot_inequality

Check = Callable[[Figure], None]


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]


def measured(series: StratifiedSeries, **options: Any) -> Any:
    return inequality(series, draws=200, **options)


@pytest.fixture(scope="module")
def areas() -> StratifiedSeries:
    """Three areas in two years, far apart in the first and alike in the second."""
    rows = pd.DataFrame(
        {
            "year": ["2023"] * 3 + ["2024"] * 3,
            "area": ["East", "North", "West"] * 2,
            "x": [40, 160, 60, 90, 91, 92],
            "n": [1000] * 6,
        }
    )
    columns = {"period": "year", "numerator": "x", "denominator": "n", "group": "area", "every": "year"}
    return qe.from_counts(rows, qe.measures["preterm_birth"], **columns)


def test_absolute_measures_stand_left_and_relative_ones_right(areas: StratifiedSeries) -> None:
    table = measured(areas, over="period", measures=["d", "bgsd", "r"])
    figure = plot_inequality(table)
    assert titles(figure) == ["Difference", "Between-group standard deviation", "Ratio"]
    left, below, right = (ax.get_position() for ax in figure.axes)
    assert left.x0 == below.x0 < right.x0
    assert left.y0 == right.y0 > below.y0
    assert [ax.get_yscale() for ax in figure.axes] == ["linear", "linear", "log"]
    estimates = table.table[table.table["measure"] == "d"]["estimate"] * 1000
    drawn = np.concatenate(
        [m.get_ydata() for lab in (style.UNEQUAL, style.MAYBE_EQUAL) for m in lines(figure.axes[0], lab)]
    )
    np.testing.assert_allclose(np.sort(drawn), np.sort(estimates))
    assert figure.axes[0].get_ylabel() == "per 1,000"


def test_what_chance_alone_could_make_is_hollow(areas: StratifiedSeries) -> None:
    table = measured(areas, over="period", measures=["bgsd"])
    (ax,) = plot_inequality(table).axes
    (solid,), (hollow,) = lines(ax, style.UNEQUAL), lines(ax, style.MAYBE_EQUAL)
    assert (solid.get_xdata().tolist(), hollow.get_xdata().tolist()) == ([0.0], [1.0])
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    equal = [*lines(ax, style.IF_EQUAL), *lines(ax, "_equal")]
    np.testing.assert_allclose([e.get_ydata()[0] for e in equal], table.table["expected_if_equal"] * 1000)


def test_the_groups_compared_are_named(areas: StratifiedSeries) -> None:
    figure = plot_inequality(measured(areas, measures=["d", "mdbu", "bgsd"]))
    texts = dict(zip(titles(figure), [[t.get_text() for t in ax.texts] for ax in figure.axes], strict=True))
    assert texts["Difference"] == ["North against East"]
    assert texts["Mean difference from best, unweighted"] == ["against East"]
    assert texts["Between-group standard deviation"] == []


def test_what_cannot_be_computed_says_why() -> None:
    rows = pd.DataFrame({"m": ["2024-01"] * 3, "g": list("ABC"), "x": [0, 9, 20], "n": [200, 250, 300]})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows, qe.measures["preterm_birth"], **columns)
    figure = plot_inequality(measured(series, measures=["d", "ti"]))
    assert [t.get_text() for t in figure.axes[1].texts] == ["the value of a group is 0: no logarithm"]
    assert "Theil index. 2024-01: the value of a group is 0" in figure.get_label()


def test_places_stand_under_one_another(recorded: StratifiedSeries) -> None:
    figure = plot_inequality(measured(recorded, measures=["d", "r"]))
    assert titles(figure)[:2] == ["Difference · Synthetic site 1", "Ratio · Synthetic site 1"]
    assert len(figure.axes) == 6
    notes = " ".join(t.get_text() for t in figure.texts).replace("\n", " ")
    assert "chosen because they lie furthest apart" in notes


def test_refusals(areas: StratifiedSeries, sites: StratifiedSeries) -> None:
    with pytest.raises(OptionError, match="colours='x' is not allowed"):
        plot_inequality(measured(areas, measures="d"), colours="x")
    with pytest.raises(OptionError, match="holds 36 places and measures; a figure holds at most 24"):
        plot_inequality(measured(sites, measures=["d", "r", "bgsd"]))


def test_no_text_overlaps(recorded: StratifiedSeries, readable: Check) -> None:
    pooled = recorded.pool("site")
    readable(plot_inequality(measured(pooled, over=["2022-07-01", "2023-01-01", "2023-07-01"])))
    readable(plot_inequality(measured(pooled, over="period", measures=["d", "r", "paf"])))
