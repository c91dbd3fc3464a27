"""The grid of a review as drawn: read from the artists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.errors import OptionError
from qi_equity.pdsa.calls.result import Review
from qi_equity.pdsa.calls.review import review
from qi_equity.plot import _style as style
from qi_equity.plot._review_cells import LOOKS
from qi_equity.plot.review_grid import plot_review_grid

Check = Callable[[Figure], None]

SITES = tuple(f"Site {k}" for k in range(1, 10))
BIRTHS = {"White": 320, "Asian": 120, "Black": 70, "Mixed": 25, "Other": 8, "Not stated": 12}
MEASURES = {"pph_1500": 0.05, "preterm_birth": 0.09, "tear_3_4": 0.03}


@pytest.fixture(scope="module")
def nine() -> Review:
    """Nine sites, three measures and six groups: one site worse, one better, one without the month."""
    rng = np.random.default_rng(4)
    months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    frame = pd.DataFrame(
        [(m, s, g, n) for m in months for s in SITES for g, n in BIRTHS.items()],
        columns=["month", "site", "group", "n"],
    )
    frame = frame[~((frame["site"] == "Site 8") & (frame["month"] == "2024-05"))]
    late = frame["month"] >= "2023-12"
    times = np.where(
        late & (frame["site"] == "Site 3"), 2.5, np.where(late & (frame["site"] == "Site 5"), 0.2, 1)
    )
    frame["n"] = rng.poisson(frame["n"])
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    series = []
    for measure, rate in MEASURES.items():
        frame["x"] = rng.binomial(frame["n"], rate * times)
        series.append(qe.from_counts(frame, qe.measures[measure], **columns))
    network = pdsa.Network(name="A network", sites=[pdsa.Site(name=name) for name in SITES])
    return review(network, "2024-05", series)


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts if t.get_text() in {look.word for look in LOOKS.values()}]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]


def cells(figure: Figure, panel: int) -> list[list[str]]:
    """The words of a panel, row by row, read from where they stand."""
    ax = figure.axes[panel]
    at = {
        (t.get_position()[1], int(t.get_position()[0])): t.get_text()
        for t in ax.texts
        if t.get_text() in words(ax)
    }
    rows = sorted({y for y, _ in at})
    return [[at[y, c] for c in range(len(MEASURES))] for y in rows]


def expected(found: Review, group: str) -> list[list[str]]:
    """The words of a panel: all sites together first, whose rows have no site."""
    part = found.grid[found.grid["group"] == group]
    return [
        [LOOKS[state].word for state in of["state"].astype("str")]
        for _, of in part.groupby("site", sort=False, dropna=False)
    ]


def test_every_cell_says_its_state(nine: Review) -> None:
    figure = nine.plot()
    assert titles(figure) == ["Asian", "Black", "Mixed", "Other", "White", "Not stated"]
    for panel, group in enumerate(titles(figure)):
        assert cells(figure, panel) == expected(nine, group)
    drawn = {word for ax in figure.axes for word in words(ax)}
    assert drawn == {look.word for look in LOOKS.values()}


def test_all_sites_are_the_first_row_and_stand_out(nine: Review) -> None:
    ax = nine.plot().axes[0]
    names = ax.get_yticklabels()
    assert [t.get_text() for t in names] == ["All sites", *SITES]
    assert [t.get_fontweight() for t in names] == ["bold", *["normal"] * len(SITES)]
    line = next(line for line in ax.get_lines() if line.get_label() == "_together")
    first, second = ax.get_yticks()[:2]
    assert first < line.get_ydata()[0] < second
    one = nine.site("Site 3").plot().axes[0]
    assert [t.get_text() for t in one.get_yticklabels()] == ["Site 3"]
    assert not [line for line in one.get_lines() if line.get_label() == "_together"]


def test_no_state_rests_on_colour_alone() -> None:
    looks = LOOKS.values()
    assert len({look.marker for look in looks}) == len({look.word for look in looks}) == len(LOOKS)


def test_what_is_not_yet_visible_has_a_ground_of_its_own(nine: Review) -> None:
    for ax in nine.plot().axes:
        grounds = [p for p in ax.patches if p.get_label() == "_ground"]
        assert len(grounds) == words(ax).count("not yet visible")
        assert {to_hex(p.get_facecolor()) for p in grounds} <= {style.STRIP}


def test_marks_stand_in_the_cells_of_their_words(nine: Review) -> None:
    ax = nine.plot().axes[4]
    for look in LOOKS.values():
        marks = [
            line
            for line in ax.get_lines()
            if line.get_label() == "_icon" and line.get_marker() == look.marker
        ]
        at = sorted(
            (y, int(x)) for line in marks for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        )
        told = sorted(
            (t.get_position()[1], int(t.get_position()[0])) for t in ax.texts if t.get_text() == look.word
        )
        assert at == told


def test_the_legend_names_the_states_that_are_there(nine: Review) -> None:
    legend = [t.get_text() for t in nine.plot().legends[0].get_texts()]
    assert legend == [look.legend for look in LOOKS.values()]
    few = nine.plot(groups="Other")
    there = {t for ax in few.axes for t in words(ax)}
    assert [t.get_text() for t in few.legends[0].get_texts()] == [
        v.legend for v in LOOKS.values() if v.word in there
    ]


@pytest.mark.parametrize("groups", [None, ["White", "Black"], "Other"])
def test_every_text_can_be_read(nine: Review, readable: Check, groups: str | list[str] | None) -> None:
    readable(nine.plot(groups=groups))


def test_one_site_and_long_names_can_be_read(nine: Review, readable: Check) -> None:
    figure = nine.site("Site 3").plot()
    readable(figure)
    assert figure.get_suptitle() == "A network: what the charts show, May 2024 · Site 3"


def test_words_are_large_where_there_is_room(nine: Review) -> None:
    sizes = [{t.get_fontsize() for t in figure.axes[0].texts if t.get_text() in words(figure.axes[0])}
             for figure in (nine.plot(), nine.plot(groups=["Asian", "White"]))]  # fmt: skip
    assert sizes == [{style.SMALL}, {style.BODY}]


def test_orders_and_groups(nine: Review) -> None:
    assert titles(nine.plot(order="size")) == ["White", "Asian", "Black", "Mixed", "Other", "Not stated"]
    assert titles(nine.plot(groups=["White", "Asian"], order=["White", "Asian"])) == ["White", "Asian"]
    declared = list(nine.charts[qe.measures["pph_1500"].name].series.groups)
    assert titles(nine.plot(groups=["White", "Asian"], order="declared")) == [
        g for g in declared if g in ("White", "Asian")
    ]


def test_footnotes_tell_false_signals_and_order(nine: Review) -> None:
    foot = nine.plot().texts[-1].get_text()
    assert "if nothing had changed, about" in foot
    assert "Order of the groups: alphabetical" in foot


def test_groups_without_data_are_named_and_people_come_first() -> None:
    rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "code": ["M"], "x": [2], "n": [40]})
    series = qe.from_counts(
        rows, qe.measures["pph_1500"], period="month", numerator="x", denominator="n", group="code",
        site="site", scheme="nhs-2001",
    ).collapse("broad")  # fmt: skip
    network = pdsa.Network(name="N", sites=[pdsa.Site(name="North")])
    found = review(network, "2024-01", series)
    figure = found.plot()
    assert len(figure.axes) == 1
    assert "Groups without any data are not drawn: " in figure.texts[-1].get_text()
    assert found.plot(groups=series.groups[0]).get_label().endswith("no data: North.")


def test_the_description_names_the_sites_of_each_state(nine: Review) -> None:
    lines = str(nine.plot().get_label()).splitlines()
    assert lines[0] == "A network: what the charts show, May 2024."
    assert len(lines) == 1 + 6 * 3
    grid = nine.grid.astype({"state": "str"}).set_index(["group", "measure"]).sort_index()
    for line in lines[1:]:
        group, rest = line.split(", ", 1)
        measure, told = rest.split(". ", 1)
        part = grid.loc[(group, measure)]
        for state, of in part.assign(site=part["site"].fillna("all sites")).groupby("state"):
            assert f"{LOOKS[str(state)].word}: {', '.join(of['site'])}" in told.rstrip(".").split("; ")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"groups": "Blak"}, "groups='Blak' is not allowed.*Did you mean 'Black'"),
        ({"order": "rate"}, "order='rate' is not allowed"),
        ({"order": ["White"]}, "must name each group once"),
        ({"colours": "red"}, "colours='red' is not allowed"),
    ],
)
def test_wrong_options_are_told(nine: Review, options: dict[str, object], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        plot_review_grid(nine, **options)


def test_more_than_a_figure_holds_is_refused() -> None:
    sites = [f"Site {k}" for k in range(31)]
    rows = pd.DataFrame({"month": "2024-01", "site": sites, "n": 5})
    series = qe.from_counts(
        rows, qe.Measure("Calls", "count", None), period="month", numerator="n", site="site"
    )
    network = pdsa.Network(name="N", sites=[pdsa.Site(name=s) for s in sites])
    with pytest.raises(
        OptionError, match="31 sites; a figure holds at most 30: review some of them with site="
    ):
        review(network, "2024-01", series).plot()
