"""PDSA cycles under the data: what is read, where the marks stand, and what is said of those without one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.recorded_cycles import COLUMNS, RecordedCycles, read_cycles
from qi_equity.errors import ColumnError, DataError, InputTypeError
from qi_equity.plot import _style as style
from qi_equity.plot._around import _phase_text
from qi_equity.plot._cycle_marks import _SIGN_PT, MOST_ROWS, Bar, _stack
from qi_equity.plot._text import Ruler

MONTHS = pd.period_range("2023-01", periods=24, freq="M").astype(str).tolist()
GROUPS, SITES = ("East", "West"), ("North", "South")
Row = tuple[Any, ...]


@pytest.fixture(autouse=True, scope="module")
def measured_once() -> Iterator[None]:
    """Let the figures of these tests share the widths of their texts: measuring is a third of their time."""
    known: dict[tuple[str, float, str], float] = {}
    begin = Ruler.__init__

    def begin_with_known(ruler: Ruler) -> None:
        begin(ruler)
        ruler._known = known

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ruler, "__init__", begin_with_known)
        yield


class Diary:
    """Gives the same cycles whatever the measure."""

    def __init__(self, *rows: Row, frame: Any = None) -> None:
        self.frame = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object) if frame is None else frame
        self.asked: list[str] = []

    def cycle_marks(self, measure: str) -> Any:
        self.asked.append(measure)
        return self.frame


def cycle(
    number: str,
    start: Any,
    end: Any = None,
    *,
    site: str | None = None,
    group: str | None = None,
    purpose: str = "test",
    decision: str | None = None,
) -> Row:
    return (number, f"Cycle {number}", start, end, site, group, purpose, decision)


@cache
def series_of(
    *, sites: tuple[str, ...] | None = SITES, groups: tuple[str, ...] = GROUPS, hidden: bool = False
) -> qe.StratifiedSeries:
    places = [(s, g) for s in (sites or [None]) for g in groups]
    rows = pd.DataFrame(
        [
            (m, s, g, None if hidden and i == 3 else 6 + (7 * i + 3 * p) % 9, 90)
            for p, (s, g) in enumerate(places)
            for i, m in enumerate(MONTHS)
        ],
        columns=["month", "site", "group", "x", "n"],
    )
    more = {} if sites is None else {"site": "site"}
    return qe.from_counts(
        rows, qe.measures["pph_1500"], period="month", numerator="x", denominator="n", group="group", **more
    )


@cache
def one() -> qe.ControlChart:
    """Give a chart of one panel; its notes are made once for all tests."""
    return qe.control_chart(series_of(sites=None, groups=("East",)))


def with_phases(phases: pd.DataFrame) -> qe.ControlChart:
    return qe.control_chart(series_of(sites=None, groups=("East",)), phases=phases)


@cache
def four() -> qe.ControlChart:
    """Give a chart of two groups at two sites."""
    return qe.control_chart(series_of())


@cache
def gap() -> qe.GapChart:
    return qe.gap_chart(series_of(sites=None), reference="West", every="month")


@cache
def evaluation() -> qe.ChangeEvaluation:
    return qe.evaluate_change(series_of(sites=None), "2024-01", reference="West")


def draw(chart: Any, *rows: Row) -> Figure:
    """Make the figure; it is rendered only where a test looks at what only rendering tells."""
    figure: Figure = chart.plot(cycles=Diary(*rows))
    return figure


def rendered(chart: Any, *rows: Row) -> Figure:
    figure = draw(chart, *rows)
    FigureCanvasAgg(figure).draw()
    return figure


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.lines if line.get_label() == label]


def bars(ax: Axes, purpose: str = "test") -> list[tuple[float, float, float]]:
    """Start, end and height of each bar, as drawn."""
    found = []
    for line in lines(ax, style.CYCLE_BARS[purpose]):
        x, y = (np.asarray(v, dtype=float).reshape(-1, 3) for v in (line.get_xdata(), line.get_ydata()))
        assert np.isnan(x[:, 2]).all()
        found += [(float(a), float(b), float(h)) for (a, b, _), (h, _, _) in zip(x, y, strict=True)]
    return sorted(found)


def signs(ax: Axes) -> dict[str, list[float]]:
    """Where each kind of end stands."""
    return {
        sign: [float(v) for line in lines(ax, label) for v in line.get_xdata()]
        for sign, label in style.CYCLE_ENDS.items()
        if lines(ax, label)
    }


def at(day: str) -> float:
    """A day on the axis, by hand: each month spreads half-way to its neighbours' first days."""
    date = pd.Timestamp(day)
    first = [pd.Timestamp(m).toordinal() - pd.Timestamp("1970-01-01").toordinal() for m in MONTHS]
    middle = [(a + b) / 2 for a, b in itertools.pairwise(first)]
    edges = [2 * first[0] - middle[0], *middle, 2 * first[-1] - middle[-1]]
    month = MONTHS.index(f"{date:%Y-%m}")
    part = (date.day - 1) / date.days_in_month
    return edges[month] + part * (edges[month + 1] - edges[month])


def notes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for found in figure.legends for t in found.get_texts()]


def written(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


# ---- reading ---------------------------------------------------------------------------------------------


def test_what_holds_recorded_cycles_is_told_from_what_does_not() -> None:
    assert isinstance(Diary(), RecordedCycles)
    assert not isinstance(object(), RecordedCycles)
    chart = one()
    for wrong in (object(), Diary, pd.DataFrame({"cycle_marks": [1]})):
        with pytest.raises(InputTypeError, match="cycle_marks"):
            chart.plot(cycles=wrong)
    with pytest.raises(InputTypeError, match=r"cycle_marks\('Postpartum.*it must be a frame"):
        chart.plot(cycles=Diary(frame=[1]))


def test_cycles_are_read_by_name_of_the_measure_in_order_of_start_from_any_frame() -> None:
    series = series_of()
    columns = dict(zip(COLUMNS, zip(
        (1, "", "2023-05-01", "", " ", "East", "implement", ""),
        (2, "Tool", "2023-03-01", "2023-03-09", "North", None, "test", "adapt"),
        strict=True), strict=True))  # fmt: skip
    diary = Diary(frame=pl.DataFrame({**columns, "more": [0, 0]}, strict=False))
    table = read_cycles(series, diary)
    assert diary.asked == [series.measure.name]
    assert table["label"].tolist() == ["Tool", "1"]
    assert table["site"].tolist() == ["North", None]
    assert table["decision"].tolist() == ["adapt", ""]
    assert table["start"].tolist() == [pd.Timestamp("2023-03-01"), pd.Timestamp("2023-05-01")]
    assert table["end"].isna().tolist() == [False, True]


def test_a_cycle_without_any_name_is_called_that() -> None:
    row = (None, None, "2023-03-01", None, None, None, "test", None)
    assert read_cycles(series_of(), Diary(row))["label"].tolist() == ["cycle without a name"]


def test_all_bad_rows_are_refused_at_once_with_what_is_wrong() -> None:
    rows = [
        cycle("1", "2023-02-31"),
        cycle("2", "2023-03-09", "2023-03-01"),
        cycle("3", "2023-03-09", purpose="spread"),
        cycle("4", "2023-03-09", "2023-03-10", decision="drop"),
        cycle("5", "2023-03-09", "03/04/2023"),
        cycle("6", "2023-03-09", "2023-03-10", decision="adopt"),
    ]
    with pytest.raises(DataError, match="cycle_marks") as caught:
        read_cycles(series_of(), Diary(*rows))
    bad = caught.value.bad_rows
    assert bad["cycle"].tolist() == ["1", "2", "3", "4", "5"]
    assert bad["problem"].tolist() == [
        "start: no such day",
        "end before start",
        "purpose is not one that is allowed",
        "decision is not one that is allowed",
        "end: can be read two ways",
    ]
    with pytest.raises(ColumnError, match="decision"):
        read_cycles(series_of(), Diary(frame=Diary().frame.drop(columns="decision")))


# ---- where the marks stand -------------------------------------------------------------------------------


def test_a_bar_runs_from_the_first_day_to_the_last_and_ends_in_the_decision() -> None:
    ax = draw(one(), cycle("1", "2023-06-12", "2023-08-31", decision="adopt")).axes[0]
    ((start, end, _),) = bars(ax)
    assert start == pytest.approx(at("2023-06-12"))
    assert end == pytest.approx(at("2023-09-01"))
    ((sign, (where,)),) = signs(ax).items()
    assert sign == "adopt"
    days_a_point = (ax.get_xlim()[1] - ax.get_xlim()[0]) / (ax.get_window_extent().width * 72 / 100)
    assert where == pytest.approx(end + (_SIGN_PT / 2 + 1) * days_a_point)


def test_a_cycle_starts_with_the_phase_that_starts_on_its_day() -> None:
    chart = with_phases(pd.DataFrame({"start": ["2024-01-01"], "label": ["Tool"], "reason": ["Cycle 1"]}))
    ax = draw(chart, cycle("1", "2024-01-01", purpose="implement")).axes[0]
    ((start, _, _),) = bars(ax, "implement")
    (boundary,) = lines(ax, style.PHASE)
    assert start == pytest.approx(boundary.get_xdata()[0])


@pytest.mark.parametrize("decision", ["adopt", "adapt", "abandon", "expand", None])
def test_each_decision_has_its_own_shape_and_words(decision: str | None) -> None:
    figure = draw(one(), cycle("1", "2023-06-12", "2023-08-31", decision=decision))
    sign = decision or style.UNDECIDED
    assert list(signs(figure.axes[0])) == [sign]
    assert [t for t in legend(figure) if t in style.CYCLE_ENDS.values()] == [style.CYCLE_ENDS[sign]]
    told = f"Cycle 1 (test, 12 Jun to 31 Aug 2023): {decision or 'ended, no decision yet'}."
    assert figure.get_label().endswith(f"PDSA cycles: {told}")


def test_no_two_ends_share_a_shape() -> None:
    shapes = [m if isinstance(m, str) else m.vertices.tobytes() for m in style.CYCLE_MARKERS.values()]
    assert len(set(shapes)) == len(shapes) == 6
    assert style.CYCLE_MARKERS.keys() == style.CYCLE_ENDS.keys()
    assert {*style.CYCLE_ENDS.values(), *style.CYCLE_BARS.values()} <= set(style.LEGEND_ORDER)
    assert {style.CYCLE_PLANNED, *style.RESULTS.values()} <= set(style.LEGEND_ORDER)


def test_implementation_is_bolder_than_a_test() -> None:
    rows = (
        cycle("1", "2023-03-01", "2023-05-01"),
        cycle("2", "2023-06-01", "2023-09-01", purpose="implement"),
    )
    ax = draw(one(), *rows).axes[0]
    thin, bold = (lines(ax, style.CYCLE_BARS[p])[0].get_linewidth() for p in ("test", "implement"))
    assert bold > 2 * thin


def test_a_cycle_under_way_is_open_at_the_end_of_the_chart() -> None:
    figure = draw(one(), cycle("1", "2024-06-12"))
    ax = figure.axes[0]
    assert list(signs(ax)) == [style.UNDER_WAY]
    assert signs(ax)[style.UNDER_WAY][0] == pytest.approx(ax.get_xlim()[1], abs=10)
    assert "Cycle 1 (test, from 12 Jun 2024): under way." in figure.get_label()


def test_a_decision_without_an_end_is_drawn_as_under_way_and_told() -> None:
    figure = draw(one(), cycle("1", "2024-06-12", decision="adopt"))
    assert list(signs(figure.axes[0])) == [style.UNDER_WAY]
    assert "decided: adopt; no end recorded" in figure.get_label()


def test_a_cycle_that_reaches_beyond_the_chart_is_cut_there_and_its_decision_told() -> None:
    figure = draw(one(), cycle("1", "2022-06-01", "2025-03-01", decision="expand"))
    ax = figure.axes[0]
    assert [(a, b) for a, b, _ in bars(ax)] == [pytest.approx(ax.get_xlim())]
    assert signs(ax) == {}
    assert "Ended after the last period: Cycle 1: expand." in notes(figure)
    assert "Cycle 1 (test, 1 Jun 2022 to 1 Mar 2025): expand." in figure.get_label()


@pytest.mark.parametrize("day", ["2024-12-31", "2024-06-12", "2023-01-01"])
def test_even_the_shortest_cycle_can_be_seen(day: str) -> None:
    ax = draw(one(), cycle("1", day, day, decision="adopt")).axes[0]
    ((start, end, _),) = bars(ax)
    scaled = ax.get_window_extent().width * 72 / 100 / (ax.get_xlim()[1] - ax.get_xlim()[0])
    assert (end - start) * scaled >= 2
    assert end <= ax.get_xlim()[1] + 1e-6
    assert signs(ax)["adopt"][0] <= ax.get_xlim()[1]


def test_marks_are_only_of_the_site_and_group_of_the_panel() -> None:
    rows = (
        cycle("1", "2023-03-01", "2023-05-01"),
        cycle("2", "2023-06-01", "2023-07-01", site="North"),
        cycle("3", "2023-08-01", "2023-09-01", group="West"),
        cycle("4", "2023-10-01", "2023-11-01", site="South", group="East"),
    )
    figure = draw(four(), *rows)
    shown = {ax.get_title(loc="left"): [round(a) for a, _, _ in bars(ax)] for ax in figure.axes}
    one_, two, three, last = (round(at(d)) for d in ("2023-03-01", "2023-06-01", "2023-08-01", "2023-10-01"))
    assert shown == {
        "East · North": [one_, two],
        "West · North": [one_, two, three],
        "East · South": [one_, last],
        "West · South": [one_, three],
    }
    assert "not marked" not in notes(figure)
    described = figure.get_label().splitlines()
    assert ["Cycle 4" in line for line in described] == [False, False, True, False]


def test_a_cycle_that_reached_several_groups_is_there_once_a_panel() -> None:
    rows = [cycle("1", "2023-03-01", "2023-05-01", group=g) for g in (*GROUPS, None)]
    figure = draw(four(), *rows)
    assert [len(bars(ax)) for ax in figure.axes] == [1] * 4


def test_marks_lie_between_the_data_and_the_row_of_what_is_missing() -> None:
    rows = [cycle(str(i), "2023-06-01", "2023-09-01") for i in range(3)]
    for chart in (
        qe.control_chart(series_of(sites=None, groups=("East",), hidden=True)),
        qe.run_chart(series_of(sites=None, groups=("East",), hidden=True)),
    ):
        figure = draw(chart, *rows)
        (ax,) = figure.axes
        (missing,) = lines(ax, style.MISSING)
        (values,) = lines(ax, "_value")
        heights = [h for _, _, h in bars(ax)]
        low = float(np.nanmin(values.get_ydata()))
        assert missing.get_ydata()[0] < min(heights)
        assert max(heights) < min(low, 0.0) or max(heights) < low
        assert len(set(heights)) == 3
        row = ax.transData.transform([(0, missing.get_ydata()[0]), (0, min(heights))])[:, 1]
        assert np.diff(row)[0] > 8 / 72 * 100
        pixels = sorted(ax.transData.transform([(0, h) for h in heights])[:, 1])
        assert np.diff(pixels) == pytest.approx([11 / 72 * 100] * 2)


def test_panels_are_higher_by_the_rows_of_marks() -> None:
    chart = one()
    plain, marked = chart.plot(), draw(chart, cycle("1", "2023-06-01", "2023-09-01"))
    extra = [f.axes[0].get_window_extent().height for f in (marked, plain)]
    assert extra[0] - extra[1] == pytest.approx(11 / 72 * 100)


# ---- stacking --------------------------------------------------------------------------------------------


def test_cycles_that_overlap_are_stacked_and_those_without_a_row_are_counted() -> None:
    rows = [cycle(str(i), f"2023-0{i}-01", "2023-12-01", decision="adapt") for i in range(1, 8)]
    rows.append(cycle("8", "2024-02-01", "2024-04-01"))
    figure = draw(one(), *rows)
    ax = figure.axes[0]
    assert len({h for _, _, h in bars(ax)}) == MOST_ROWS
    assert len(bars(ax)) == MOST_ROWS + 1
    assert "+4 cycles" in written(ax)
    assert "Counted under the bars" in notes(figure)
    assert all(f"Cycle {i} (" in figure.get_label() for i in range(1, 9))
    assert "+1 cycle" in written(draw(one(), *rows[:4]).axes[0])
    assert not any("+" in t for t in written(draw(one(), *rows[:3]).axes[0]))


def test_implementation_is_never_hidden_behind_tests() -> None:
    rows = [cycle(str(i), f"2023-0{i}-01", "2023-12-01") for i in range(1, 5)]
    rows.append(cycle("5", "2023-09-01", "2023-11-01", purpose="implement"))
    ax = draw(one(), *rows).axes[0]
    assert len(bars(ax, "implement")) == 1
    assert "+2 cycles" in written(ax)


@given(
    st.lists(
        st.tuples(st.floats(0, 290), st.floats(2.5, 120), st.sampled_from(["test", "implement"])), max_size=14
    )
)
def test_bars_of_a_row_never_touch_and_none_is_lost(spans: list[tuple[float, float, str]]) -> None:
    made = [Bar(str(i), p, "adopt", a, a + n, a + n + 5) for i, (a, n, p) in enumerate(spans)]
    lane = _stack(made)
    assert len(lane.rows) <= MOST_ROWS
    assert sum(map(len, lane.rows)) + lane.hidden == len(made)
    assert (lane.hidden == 0) or len(lane.rows) == MOST_ROWS
    for row in lane.rows:
        for before, after in itertools.pairwise(row):
            assert before.until < after.left


def test_names_stand_where_their_row_has_room_and_never_on_each_other() -> None:
    rows = [
        cycle("one", "2023-01-02", "2023-02-01", decision="adopt"),
        cycle("two", "2023-07-02", "2023-08-01", decision="adapt"),
        cycle("three", "2023-08-20", "2023-10-01", decision="adapt"),
        cycle("four", "2024-08-20", decision=None),
    ]
    figure = rendered(one(), *rows)
    ax = figure.axes[0]
    texts = {t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text().startswith("Cycle")}
    assert set(texts) == {"Cycle one", "Cycle two", "Cycle three", "Cycle four"}
    where = {
        name: ax.transData.inverted().transform([(b.x0, b.y0), (b.x1, b.y1)])[:, 0]
        for name, b in texts.items()
    }
    assert where["Cycle one"][0] > at("2023-02-01")
    assert where["Cycle two"][1] < at("2023-07-02")
    assert where["Cycle three"][0] > at("2023-10-01")
    assert where["Cycle four"][1] < at("2024-08-20")
    tight = [rows[0], cycle("two", "2023-05-01", "2023-05-20"), cycle("three", "2023-06-20", "2023-07-20")]
    assert "Cycle two" not in written(draw(one(), *tight).axes[0])
    close = [cycle(str(i), f"2023-{i:02d}-01", f"2023-{i:02d}-20") for i in range(1, 13)]
    boxes = [t.get_window_extent() for t in rendered(one(), *close).axes[0].texts if "Cycle" in t.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# ---- what is not marked ----------------------------------------------------------------------------------


def test_cycles_of_other_sites_groups_and_dates_are_told() -> None:
    rows = (
        cycle("1", "2023-03-01", "2023-05-01"),
        cycle("2", "2023-03-01", "2023-05-01", site="Hill"),
        cycle("3", "2023-03-01", "2023-05-01", site="Hill", group="Else"),
        cycle("4", "2023-03-01", "2023-05-01", group="Else"),
        cycle("5", "2021-03-01", "2022-12-31"),
        cycle("6", "2025-01-01", "2025-02-01"),
        cycle("7", None, None),
        cycle("8", "2023-03-01", "2023-05-01", site="South", group="Else"),
        cycle("8", "2023-03-01", "2023-05-01", site="South", group="East"),
    )
    figure = draw(four(), *rows)
    told = (
        "PDSA cycles not marked: 1 without a start date (Cycle 7); 2 of sites that are not in the figure "
        "(Hill); 1 of groups that are not in the figure (Else); 2 outside its dates (Cycle 5 and Cycle 6)."
    )
    assert told in notes(figure)
    assert figure.get_label().endswith(told)


def test_a_chart_without_sites_takes_the_cycles_of_one_site_and_not_of_several() -> None:
    rows = [cycle("1", "2023-03-01", "2023-05-01", site="North"), cycle("2", "2023-06-01", "2023-07-01")]
    assert len(bars(draw(one(), *rows).axes[0])) == 2
    figure = draw(one(), *rows, cycle("3", "2023-06-01", "2023-07-01", site="South"))
    assert [round(a) for a, _, _ in bars(figure.axes[0])] == [round(at("2023-06-01"))]
    assert "2 of several sites, which the figure does not tell apart (North and South)" in notes(figure)


def test_a_site_and_group_without_a_panel_together_are_told() -> None:
    rows = [cycle("1", "2023-03-01", "2023-05-01", site="South", group="West")]
    assert "1 of groups that are not in the figure (West)" in notes(draw(four().select(group="East"), *rows))
    of_sites = pd.DataFrame(
        [
            (month, site, group, x, 90)
            for site, group, x in (
                ("North", "East", 5),
                ("South", "West", 5),
                ("North", "West", 9),
                ("South", "East", 9),
            )
            for month in MONTHS
        ],
        columns=["month", "site", "group", "x", "n"],
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    series = qe.from_counts(of_sites, qe.measures["pph_1500"], **columns)
    # Each site is compared with the best of its own groups, which has no panel there.
    best = draw(qe.gap_chart(series, reference="best", every="month"), *rows)
    assert {ax.get_title(loc="left") for ax in best.axes} == {"West · North", "East · South", ""}
    assert "PDSA cycles not marked: 1 of a site and group without a panel (Cycle 1)." in notes(best)


def test_into_an_axes_what_is_not_marked_stands_over_the_panel() -> None:
    figure = Figure(figsize=(7, 4), dpi=100)
    ax = figure.add_axes((0.1, 0.2, 0.8, 0.5))
    rows = (cycle("1", "2023-03-01", "2023-05-01"), cycle("2", "2023-03-01", "2023-05-01", group="Else"))
    assert one().plot(ax=ax, cycles=Diary(*rows)) is ax
    assert len(bars(ax)) == 1
    assert "PDSA cycles not marked: 1 of groups" in " ".join(written(ax))
    ax.clear()
    gap().plot(ax=ax, cycles=Diary(*rows))
    assert len(bars(ax)) == 1
    assert "PDSA cycles not marked: 1 of groups" in " ".join(written(ax))


def test_into_an_axes_decisions_after_its_end_stand_over_the_panel() -> None:
    ax = Figure(figsize=(7, 4), dpi=100).add_axes((0.1, 0.2, 0.8, 0.5))
    one().plot(ax=ax, cycles=Diary(cycle("1", "2024-10-01", "2025-03-01", decision="abandon")))
    assert signs(ax) == {}
    assert "Ended after the last period: Cycle 1: abandon" in " ".join(written(ax)).replace("\n", " ")


def test_many_decisions_after_the_end_are_counted() -> None:
    rows = [cycle(str(i), "2024-10-01", "2025-03-01", decision="adapt") for i in range(8)]
    figure = draw(one(), *rows)
    assert "Cycle 5: adapt; and 2 more." in notes(figure)
    assert "Cycle 7 (test, 1 Oct 2024 to 1 Mar 2025): adapt" in figure.get_label()


def test_cycles_of_all_panels_are_described_once() -> None:
    told = "PDSA cycles: Cycle 1 (test, 12 Jun to 31 Aug 2023): adopt."
    row = cycle("1", "2023-06-12", "2023-08-31", decision="adopt")
    for figure in (draw(four(), row), draw(evaluation(), row)):
        assert figure.get_label().splitlines()[-1] == f"Each panel: {told}"
        assert figure.get_label().count("PDSA cycles") == 1


def test_names_that_the_font_cannot_write_raise_no_warning() -> None:
    name = "😀 \U0001fa78 $5_a$\r\nnext\t\x1b[31m 産後 نزيف"
    made = with_phases(pd.DataFrame({"start": ["2024-01-01"], "label": [name], "reason": ["Cycle 1"]}))
    row = ("1", name, "2023-06-12", "2023-08-31", None, None, "test", "adopt")
    late = ("2", name, "2024-06-12", "2025-08-31", None, None, "test", "adopt")
    figure = rendered(made, row, late, cycle("3", "2021-01-01"), (*row[:5], name, *row[6:]))
    # Warnings are errors here; the description keeps every letter.
    assert (
        "; 😀 \U0001fa78 $5_a$ next \x1b[31m 産後 نزيف (test, 12 Jun 2024 to 31 Aug 2025)"
        in figure.get_label()
    )
    assert "😀 □ $5_a$ next [31m □□" in notes(figure)


def test_no_cycles_are_told_apart_from_none_asked_for() -> None:
    chart = one()
    plain, none = chart.plot(), draw(chart)
    assert "PDSA" not in notes(plain) + str(plain.get_label()) + " ".join(legend(plain))
    told = "No PDSA cycle of 'Postpartum haemorrhage of 1500 ml or more' is recorded."
    assert told in notes(none)
    assert none.get_label().endswith(told)
    heights = [f.axes[0].get_window_extent().height for f in (plain, none)]
    assert heights[0] == pytest.approx(heights[1])
    assert not bars(none.axes[0])


def test_panels_without_a_cycle_say_so_beside_those_with_one() -> None:
    row = cycle("1", "2023-03-01", "2023-05-01", site="North")
    described = draw(four(), row).get_label().splitlines()
    assert [line.endswith("PDSA cycles: none.") for line in described] == [False, False, True, True]


# ---- other figures ---------------------------------------------------------------------------------------


def test_the_gap_chart_marks_cycles_under_the_gap_alone() -> None:
    figure = draw(gap(), cycle("1", "2023-06-12", "2023-08-31", decision="adopt"))
    upper, lower = figure.axes
    assert bars(upper)[0][0] == pytest.approx(at("2023-06-12"))
    assert not bars(lower)
    assert "Cycle 1 (test, 12 Jun to 31 Aug 2023): adopt." in figure.get_label()
    plain = gap().plot()
    grown = [
        a.get_window_extent().height - b.get_window_extent().height
        for a, b in zip(figure.axes, plain.axes, strict=True)
    ]
    assert grown == pytest.approx([11 / 72 * 100, 0.0])


def test_the_ratio_gap_chart_has_room_for_the_marks_too() -> None:
    ratio = qe.gap_chart(series_of(sites=None), reference="West", every="month", scale="ratio")
    (upper, _) = draw(ratio, cycle("1", "2023-06-12", "2023-08-31", decision="adopt")).axes
    ((_, _, height),) = bars(upper)
    lowest = min(
        float(np.nanmin(line.get_ydata())) for name in ("_value", "_lower") for line in lines(upper, name)
    )
    assert upper.get_ylim()[0] < height < lowest


def test_the_evaluation_marks_cycles_and_describes_them() -> None:
    figure = draw(evaluation(), cycle("1", "2023-06-12", "2023-08-31", group="East", decision="adopt"))
    assert [len(bars(ax)) for ax in figure.axes] == [1, 0, 0, 0, 0, 0]
    assert "East: PDSA cycles: Cycle 1 (test, 12 Jun to 31 Aug 2023): adopt." in figure.get_label()
    assert "West: PDSA cycles: none." in figure.get_label()
    assert "PDSA" not in evaluation().plot().get_label()


def test_times_between_events_have_their_cycles_at_the_dates_themselves() -> None:
    stamps = pd.date_range("2023-01-05", periods=30, freq="17D").strftime("%Y-%m-%d")
    days = pd.DataFrame({"date": stamps, "tear": True})
    series = qe.between_events(
        days, qe.Measure("Days between", "between", "higher"), date="date", event="tear"
    )
    ax = draw(qe.control_chart(series), cycle("1", "2023-06-12", "2023-08-31", decision="adopt")).axes[0]
    ((start, end, _),) = bars(ax)
    epoch = pd.Timestamp("1970-01-01")
    assert (start, end) == pytest.approx(
        [(pd.Timestamp(d) - epoch).days for d in ("2023-06-12", "2023-09-01")]
    )


# ---- a phase without a recorded change -------------------------------------------------------------------


@pytest.mark.parametrize("room", [200.0, 110.0, 60.0, 42.0])
def test_that_a_phase_is_post_hoc_is_kept_when_its_label_is_cut(room: float) -> None:
    shown = _phase_text("A risk tool for all women (post hoc)", room, Ruler())
    assert "post hoc" in shown
    assert Ruler().width(shown, style.SMALL) <= room


def test_other_labels_and_too_little_room_are_cut_as_before() -> None:
    ruler = Ruler()
    assert _phase_text("Risk tool", 100.0, ruler) == "Risk tool"
    assert _phase_text("A risk tool for all", 30.0, ruler).endswith("…")
    assert _phase_text("Tool (post hoc)", 20.0, ruler).endswith("…")


def test_post_hoc_stands_on_each_panel_and_in_the_notes() -> None:
    series = series_of(groups=("East", "West", "Mid"))
    chart = qe.control_chart(
        series, phases=pd.DataFrame({"start": ["2024-06-01"], "label": ["The new risk tool for all"]})
    )
    figure = chart.plot()
    assert all("(post hoc)" in " ".join(written(ax)) for ax in figure.axes)
    assert style.POST_HOC_PHASE in legend(figure)
    assert style.PHASE not in legend(figure)
    assert "phase_post_hoc" in chart.notes["code"].tolist()
    assert "post hoc" in notes(figure)


def test_a_recorded_phase_and_a_post_hoc_one_differ_in_dashes_and_legend() -> None:
    phases = pd.DataFrame({"start": ["2023-12-01", "2024-08-01"], "reason": ["Cycle 4: adopted", None]})
    figure = with_phases(phases).plot()
    ax = figure.axes[0]
    (recorded,), (post_hoc,) = lines(ax, style.PHASE), lines(ax, style.POST_HOC_PHASE)
    assert recorded.get_xdata()[0] == pytest.approx(at("2023-12-01"))
    assert post_hoc.get_xdata()[0] == pytest.approx(at("2024-08-01"))
    assert recorded._dash_pattern != post_hoc._dash_pattern
    assert {style.PHASE, style.POST_HOC_PHASE} <= set(legend(figure))
