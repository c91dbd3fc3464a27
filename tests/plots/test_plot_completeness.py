"""Completeness as drawn: read from the artists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError
from qi_equity.plot.completeness import plot_completeness

Check = Callable[[Figure], None]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def test_bars_and_lines_hold_the_shares(recorded: StratifiedSeries) -> None:
    figure = plot_completeness(recorded)
    assert titles(figure) == [
        "Ethnic group not known",
        "Outcome not recorded",
        *(f"Synthetic site {k}, over time" for k in (1, 2, 3)),
    ]
    together, by_period = recorded.completeness(by_period=False), recorded.completeness()
    bars = [p for p in figure.axes[0].patches if p.get_height() == 15]
    wide = np.array([p.get_width() for p in bars]).reshape(3, 3).T
    np.testing.assert_allclose(wide, together[["not_stated", "not_known", "missing"]] * 100)
    (line,) = [li for li in figure.axes[2].get_lines() if li.get_label() == "not stated, over time"]
    of_one = by_period[by_period["site"] == "Synthetic site 1"]
    np.testing.assert_allclose(line.get_ydata(), of_one["not_stated"] * 100)
    assert len({(ax.get_ylim(), ax.get_xlim()) for ax in figure.axes[2:]}) == 1


def test_kinds_of_not_knowing_differ_by_more_than_colour(recorded: StratifiedSeries) -> None:
    figure = plot_completeness(recorded)
    bars = [p for p in figure.axes[0].patches if p.get_height() == 15]
    assert len({p.get_hatch() for p in bars}) == 3
    drawn = [li for li in figure.axes[2].get_lines() if "over time" in str(li.get_label())]
    assert len({li.get_marker() for li in drawn}) == 3
    assert {"not stated (asked)", "not known (not asked)", "missing or not valid"} <= set(legend(figure))


def test_unrecorded_outcomes_stand_by_group(recorded: StratifiedSeries) -> None:
    ax = plot_completeness(recorded, order="size").axes[1]
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert names[0] == "White"
    assert names[-3:] == ["Not stated", "Not known", "Missing"] or set(names[-3:]) == {
        "Not stated",
        "Not known",
        "Missing",
    }
    frame = recorded.data
    white = frame[frame["group"] == "White"][["denominator", "unrecorded"]].sum()
    (marks,) = [li for li in ax.get_lines() if li.get_label() == "_unrecorded"]
    assert marks.get_xdata()[0] == pytest.approx(100 * white["unrecorded"] / white.sum())
    assert f"{white['unrecorded']:,.0f} of {white.sum():,.0f}" in words(ax)[0]


def test_counts_do_not_say_what_is_unrecorded() -> None:
    rows = pd.DataFrame(
        {"m": ["2024-01", "2024-01", "2024-03"], "code": ["A", "Z", "A"], "x": 1, "n": [90, 10, 50]}
    )
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
    figure = plot_completeness(qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns))
    assert titles(figure) == ["Ethnic group not known", "All births, over time"]
    notes = " ".join(t.get_text() for t in figure.texts).replace("\n", " ")
    assert "do not say of which births the outcome was not recorded" in notes
    assert any("periods not reported, or withheld" in text for text in words(figure.axes[1]))
    assert "All births: ethnic group not stated (asked)" in figure.get_label()


def test_refusals(sites: StratifiedSeries, recorded: StratifiedSeries) -> None:
    with pytest.raises(OptionError, match="name those groups in unknown="):
        plot_completeness(sites)
    assert len(plot_completeness(sites, unknown="White").axes) == 13
    with pytest.raises(OptionError, match="colours='x' is not allowed"):
        plot_completeness(recorded, colours="x")
    rows = pd.DataFrame({"m": "2024-01", "site": [f"S{k}" for k in range(25)], "code": "A", "x": 1, "n": 90})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code", "site": "site"}
    many = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns)
    with pytest.raises(OptionError, match="holds 25 places; a figure holds at most 24"):
        plot_completeness(many)


def test_no_text_overlaps(recorded: StratifiedSeries, sixteen: StratifiedSeries, readable: Check) -> None:
    readable(plot_completeness(recorded))
    readable(plot_completeness(sixteen))
