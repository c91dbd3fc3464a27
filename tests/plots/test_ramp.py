"""Ramps of PDSA cycles as drawn: read from the artists. Layout and order are checked against their rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch

from qi_equity import pdsa
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _style as style
from qi_equity.plot._ramp import in_order
from qi_equity.plot._record_words import clip, span
from qi_equity.plot._text import Ruler
from qi_equity.plot.ramp import plot_ramp

Check = Callable[[Figure], None]
START = date(2024, 3, 4)
LONG = (
    "A name that costs $5_000 and 10^6 \\alpha words\nand goes on over the line " + "without_any_blank" * 20
)


def cycle(
    name: str, week: int, previous: Sequence[str] = (), decision: str | None = "adapt", **more: Any
) -> Any:
    """Make a cycle of one week, with a prediction overall and for two groups, decided unless None."""
    start = START + timedelta(weeks=week)
    groups = (None, "Asian", "Black")
    matched = more.pop("matched", ("yes", "no", "not yet visible"))
    scale = pdsa.ScaleOfTest(
        size=more.pop("size", f"size of {name}"), people=5, belief="low", consequence="minor"
    )
    steps: dict[str, Any] = {}
    if more.pop("done", True):
        steps["do"] = pdsa.Do(start=start, as_planned=True, reached=more.pop("reached", ()))
    if decision:
        results = [pdsa.Result(group=g, matched=m) for g, m in zip(groups, matched, strict=True)]
        steps["study"] = pdsa.Study(date=start + timedelta(6), learning="it works", results=results)
        steps["act"] = pdsa.Act(date=start + timedelta(7), decision=decision, follows="the next")
    plan = pdsa.Plan(
        objective="test", start=start, scale=scale,
        predictions=[pdsa.Prediction(text="it helps", group=g) for g in groups],
    )  # fmt: skip
    return pdsa.Cycle(id=name, name=name, previous=previous, plan=plan, **({"idea": "weigh"} | steps | more))


def project(cycles: Sequence[Any], **more: Any) -> pdsa.Project:
    ideas = [
        pdsa.ChangeIdea(id="weigh", code="net-weigh", name="Weigh all blood loss"),
        pdsa.ChangeIdea(id="kit", name="Trolley in every room"),
    ]
    return pdsa.Project(
        **({"name": "Fewer haemorrhages", "site": "North", "ideas": ideas, "cycles": cycles} | more)
    )


@pytest.fixture(scope="module")
def branching() -> pdsa.Project:
    """Eight cycles that branch and merge, and two of another idea that one of them led to."""
    reached = [pdsa.Reached(group="Asian", people=4), pdsa.Reached(group="Black", people=3)]
    return project([
        cycle("One", 0, reached=reached),
        cycle("Two", 1, ["One"], "expand"),
        cycle("Three-a", 2, ["Two"], "abandon", reached=[*reached, pdsa.Reached(people=9)]),
        cycle("Three-b", 2, ["Two"]),
        cycle("Four", 3, ["Three-a", "Three-b"], "adopt"),
        cycle("Five", 5, ["Four"], "adopt", purpose="implement"),
        cycle("Six", 7, ["Five"], None, purpose="implement"),
        cycle("Seven", 9, ["Six"], None, done=False),
        cycle("Kit-one", 4, ["Four"], idea="kit"),
    ])  # fmt: skip


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def nodes(ax: Axes) -> dict[str, Circle]:
    return {p.get_label().removeprefix("_node "): p for p in ax.patches if isinstance(p, Circle)}


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def test_a_ramp_rises_from_each_cycle_to_those_it_led_to(branching: pdsa.Project, readable: Check) -> None:
    figure = plot_ramp(branching, idea="weigh")
    (ax,) = figure.axes
    at = {name: np.array(node.center) for name, node in nodes(ax).items()}
    assert len(at) == 8
    for one in branching.cycles:
        for before in one.previous if one.idea == "weigh" else ():
            assert (at[one.id] > at[before]).all()
    links = [p for p in ax.patches if isinstance(p, PathPatch)]
    ends = {tuple(p.get_path().vertices[0]) for p in links}
    assert len(links) == 8
    assert ends == {tuple(at[n]) for n in at if n != "Seven"}
    readable(figure)


def test_no_link_runs_through_words(branching: pdsa.Project) -> None:
    figure = plot_ramp(branching, idea="weigh")
    FigureCanvasAgg(figure).draw()
    (ax,) = figure.axes
    boxes = [t.get_window_extent() for t in ax.texts]
    for link in (p for p in ax.patches if isinstance(p, PathPatch)):
        points = np.vstack(link.get_path().to_polygons(closed_only=False))
        for x, y in ax.transData.transform(points):
            assert not any(box.contains(x, y) for box in boxes)


def test_each_cycle_has_decision_scale_people_and_results(branching: pdsa.Project) -> None:
    figure = plot_ramp(branching, idea="weigh")
    (ax,) = figure.axes
    said = words(ax)
    assert {
        "One: adapt",
        "Two: expand",
        "Three-a: abandon",
        "Four: adopt",
        "Six: under way",
        "Seven: planned",
    } <= {*said}
    assert "size of One · 7 people reached · 4 to 11 Mar 2024" in said
    assert "size of Three-a · 9 people reached · 18 to 25 Mar 2024" in said
    assert "size of Six · meant for 5 people · from 22 Apr 2024" in said
    assert said.count("3 predictions, not yet studied") == 2
    assert said.count("Asian") == 6
    signs = [li for li in ax.get_lines() if li.get_label() == "_abandon"]
    (x,), (y,) = signs[0].get_data()
    assert (x, y) == nodes(ax)["Three-a"].center
    assert signs[0].get_marker() is style.CYCLE_MARKERS["abandon"]
    results = [li for li in ax.get_lines() if li.get_label() == "_result"]
    assert len(results) == 18
    assert len({(str(li.get_marker()), str(li.get_markerfacecolor())) for li in results}) == 3


def test_what_is_implemented_or_planned_looks_otherwise(branching: pdsa.Project) -> None:
    figure = plot_ramp(branching, idea="weigh")
    by_name = nodes(figure.axes[0])
    assert by_name["One"].get_facecolor() == (1, 1, 1, 1)
    assert by_name["Six"].get_facecolor() != (1, 1, 1, 1)
    assert by_name["Seven"].get_linestyle() != by_name["One"].get_linestyle()
    assert {
        "PDSA cycle: test", "PDSA cycle: implementation", "PDSA cycle: planned", "cycle under way",
        "cycle ended: adopt", "result did not match the prediction", "not yet visible whether it matched",
    } <= set(legend(figure))  # fmt: skip


def test_each_idea_has_a_panel_and_links_between_them_are_told(
    branching: pdsa.Project, readable: Check
) -> None:
    figure = plot_ramp(branching)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "Weigh all blood loss",
        "Trolley in every room",
    ]
    assert "after Four of 'Weigh all blood loss'" in words(figure.axes[1])
    readable(figure)


def test_a_network_has_a_panel_for_each_site(readable: Check) -> None:
    def site(name: str, idea: str) -> pdsa.Site:
        ideas = [pdsa.ChangeIdea(id=idea, code="net", name=f"Weigh at {name}")]
        return pdsa.Site(
            name=name, projects=[project([cycle(f"{name}-1", 1, idea=idea)], site=name, ideas=ideas)]
        )

    network = pdsa.Network(name="Network", sites=[site("Avon", "a"), site("Brent", "b")])
    figure = plot_ramp(network, idea="net")
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "Avon · Weigh at Avon",
        "Brent · Weigh at Brent",
    ]
    readable(figure)
    (ax,) = plot_ramp(network.sites[1]).axes
    assert ax.get_title(loc="left") == "Weigh at Brent"


def test_ramps_stand_side_by_side_only_where_no_word_is_cut(readable: Check) -> None:
    ideas = [pdsa.ChangeIdea(id=i, name=n) for i, n in (("weigh", "Weigh"), ("kit", "Trolley"))]
    short = [cycle("a", 0), cycle("b", 1, ["a"], idea="kit")]
    beside = plot_ramp(project(short, ideas=ideas))
    assert len({ax.get_position().y0 for ax in beside.axes}) == 1
    size = "every shift of the labour ward and of both birth centres for two weeks"
    long = [cycle("a", 0, size=size), cycle("b", 1, ["a"], idea="kit")]
    below = plot_ramp(project(long, ideas=ideas))
    assert len({ax.get_position().y0 for ax in below.axes}) == 2
    assert f"{size} · meant for 5 people · 4 to 11 Mar 2024" in words(below.axes[0])
    readable(below)


def test_the_scale_is_cut_before_the_dates() -> None:
    made = [
        cycle(f"c{k}", k, [f"c{k - 1}"] if k else [], size="a large number of women " * 9) for k in range(9)
    ]
    said = words(plot_ramp(project(made)).axes[0])
    for k in range(9):
        start = START + timedelta(weeks=k)
        end = f"… · meant for 5 people · {span(start, start + timedelta(7))}"
        assert any(text.startswith("a large") and text.endswith(end) for text in said)
    none = [cycle("c", 0, size="W" * 50, reached=[pdsa.Reached(people=10**99)])]
    assert any(text.startswith("1,000,000,") for text in words(plot_ramp(project(none)).axes[0]))


def test_projects_of_one_site_with_like_ideas_are_told_apart() -> None:
    projects = [
        pdsa.Project(
            name=name, site="North", ideas=[pdsa.ChangeIdea(id=name, name="Weigh all blood loss")],
            cycles=[cycle(f"{name}-1", 0, idea=name)],
        )
        for name in ("Fewer", "Safer")
    ]  # fmt: skip
    figure = plot_ramp(pdsa.Site(name="North", projects=projects))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["Fewer · Weigh all blood loss", "Safer · Weigh all blood loss"]


def test_results_of_many_cycles_are_counted_in_the_description() -> None:
    made = [cycle(f"c{k}", k) for k in range(31)]
    told = plot_ramp(project(made)).get_label()
    assert "prediction matched: yes 1, no 1, not yet visible 1): adapt" in told
    assert "Asian" not in told
    assert "Asian: no" in plot_ramp(project(made[:30])).get_label()


def test_the_legend_goes_from_what_a_cycle_is_to_what_it_found(branching: pdsa.Project) -> None:
    assert legend(plot_ramp(branching)) == [
        "PDSA cycle: test", "PDSA cycle: implementation", "PDSA cycle: planned", "cycle ended: adopt",
        "cycle ended: adapt", "cycle ended: expand", "cycle ended: abandon", "cycle under way",
        "result matched the prediction", "result did not match the prediction",
        "not yet visible whether it matched",
    ]  # fmt: skip


def test_letters_that_the_font_lacks_are_boxes_and_raise_no_warning(readable: Check) -> None:
    made = cycle("a", 0, size="\U0001fa78 of 5\x07").revise({"name": "産後 first"}, by="x")
    figure = plot_ramp(project([made], name="\U0001fa78 \ufe0f"))
    assert {"□□ first: adapt", "□ of 5 · meant for 5 people · 4 to 11 Mar 2024"} <= {*words(figure.axes[0])}
    assert "産後 first (test; \U0001fa78 of 5\x07; " in figure.get_label()
    readable(figure)


def test_the_description_tells_all_cycles_and_ideas_without_one() -> None:
    figure = plot_ramp(project([cycle("One", 0), cycle("Two", 1, ["One"], "expand")]))
    told = figure.get_label()
    assert told.startswith(
        "Fewer haemorrhages: ramps of PDSA cycles.\nWeigh all blood loss: 2 cycles in order."
    )
    assert (
        "Two (test; size of Two; meant for 5 people; 11 to 18 Mar 2024; prediction matched: overall: yes, "
        "Asian: no, Black: not yet visible): expand (the next); follows One." in told
    )
    assert told.endswith("Change ideas without a cycle: Trolley in every room.")
    assert "Change ideas without a cycle: Trolley in every room." in figure.texts[-1].get_text()


def test_long_texts_with_signs_of_formulas_are_cut(readable: Check) -> None:
    ideas = [pdsa.ChangeIdea(id="weigh", name=LONG[:400]), pdsa.ChangeIdea(id="kit", name=LONG[:300])]
    cycles = [
        cycle("a", 0, size=LONG[:400]).revise({"name": LONG[:300]}, by="x"),
        cycle("b", 1, ["a"], None, idea="kit").revise({"name": LONG[:300]}, by="x"),
    ]
    figure = plot_ramp(project(cycles, ideas=ideas, name=LONG[:200]))
    readable(figure)
    assert any("…" in text for text in words(figure.axes[0]))
    assert any("$5_000" in text for text in words(figure.axes[0]))
    assert not any(t.get_parse_math() for t in figure.axes[0].texts)


def test_many_predictions_are_counted() -> None:
    groups = [f"A group with quite a long name, number {k}" for k in range(12)]
    plan = pdsa.Plan(
        objective="o", predictions=[pdsa.Prediction(text="p", group=g, measure="pph_1500") for g in groups]
    )
    study = pdsa.Study(
        date=START,
        learning="l",
        results=[pdsa.Result(group=g, measure="pph_1500", matched="yes") for g in groups],
    )
    do = pdsa.Do(start=START, as_planned=True)
    made = pdsa.Cycle(name="c", idea="weigh", plan=plan, do=do, study=study)
    figure = plot_ramp(project([made], measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")]))
    (ax,) = figure.axes
    shown = len([li for li in ax.get_lines() if li.get_label() == "_result"])
    assert f"and {12 - shown} more" in words(ax)
    assert 2 <= shown < 12
    assert "scale not recorded · from 4 Mar 2024" in words(ax)


def test_a_cycle_without_dates_or_predictions_says_so() -> None:
    bare = pdsa.Cycle(name="c", idea="weigh", plan=pdsa.Plan(objective="o"))
    until = pdsa.Cycle(name="d", idea="weigh", plan=pdsa.Plan(objective="o", end="2024-03-04"))
    said = words(plot_ramp(project([bare, until])).axes[0])
    assert "scale not recorded · no date recorded" in said
    assert "scale not recorded · planned until 4 Mar 2024" in said
    assert said.count("no prediction recorded") == 2


@given(st.data())
def test_order_keeps_to_the_links_whatever_the_dates(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    made = [
        pdsa.Cycle(
            id=f"c{i}", name="c", idea="x",
            previous=data.draw(st.lists(st.integers(0, i - 1).map("c{}".format), unique=True, max_size=i))
            if i else [],
            plan=pdsa.Plan(objective="o", start=data.draw(st.none() | st.dates())),
        )
        for i in range(count)
    ]  # fmt: skip
    ordered = in_order(data.draw(st.permutations(made)))
    place = {c.id: i for i, c in enumerate(ordered)}
    assert len(place) == count
    assert all(place[p] < place[c.id] for c in made for p in c.previous)
    if not any(c.previous for c in made):
        starts = [c.start or date.max for c in ordered]
        assert starts == sorted(starts)


@given(st.text(max_size=120), st.integers(1, 4), st.floats(30, 300))
def test_clipped_lines_fit_and_lose_nothing_unsaid(text: str, lines: int, room: float) -> None:
    # Letters whose glyphs the font has, so that their widths are known.
    text = "".join(letter for letter in text if (letter.isascii() and letter.isprintable()) or letter == "\n")
    ruler = Ruler()
    found = clip(text, room, lines, 9.5, ruler)
    assert len(found) <= lines
    assert all(ruler.width(line, 9.5) <= room for line in found)
    whole = "".join(text.split())
    kept = "".join("".join(found).split())
    assert kept == whole or (kept.endswith("…") and whole.startswith(kept[:-1]))


def test_spans_of_days() -> None:
    assert span(START, START) == "4 Mar 2024"
    assert span(START, date(2024, 5, 1)) == "4 Mar to 1 May 2024"
    assert span(date(2023, 12, 30), START) == "30 Dec 2023 to 4 Mar 2024"


def test_what_cannot_be_drawn_is_refused(branching: pdsa.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputTypeError, match="of type str; give a Project, a Site or a Network"):
        plot_ramp("North")
    with pytest.raises(OptionError, match="use one of 'net-weigh', 'weigh', 'kit'"):
        plot_ramp(branching, idea="wiegh")
    with pytest.raises(OptionError, match="no change idea is recorded"):
        plot_ramp(project([], ideas=[]), idea="weigh")
    with pytest.raises(OptionError, match="No cycle is recorded"):
        plot_ramp(project([]))
    with pytest.raises(OptionError, match="No cycle of idea='kit' is recorded"):
        plot_ramp(project([cycle("One", 0)]), idea="kit")
    monkeypatch.setattr("qi_equity.plot.ramp.MAX_PANELS", 1)
    with pytest.raises(OptionError, match="There are 2 ramps; a figure holds at most 1"):
        plot_ramp(branching)
