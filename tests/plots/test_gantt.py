"""Cycles over time as drawn: read from the artists. That bars do not touch is checked pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from qi_equity import pdsa
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.plot import _style as style
from qi_equity.plot.gantt import plot_gantt

Check = Callable[[Figure], None]
START = date(2023, 4, 1)
IDEAS = {"weigh": "Weigh all blood loss", "kit": "Trolley in every room", "ask": "Ask in her own language"}
SITES = (
    "Avon",
    "Brent",
    "Cam",
    "Dee",
    "Exe",
    "Fal",
    "Great Ouse University Hospitals NHS Trust",
    "Humber",
    "Itchen",
)


def cycle(
    key: str, start: int | None, days: int | None, idea: str, decision: str = "adapt", **more: Any
) -> Any:
    """Make a cycle that starts so many days after the first; one without days is under way."""
    first = None if start is None else START + timedelta(start)
    plan = pdsa.Plan(
        objective="o", start=first, predictions=[pdsa.Prediction(text="p")], **more.pop("plan", {})
    )
    steps: dict[str, Any] = {}
    if first and more.pop("done", True):
        steps["do"] = pdsa.Do(start=first, as_planned=True)
        if days is not None:
            end = first + timedelta(days)
            steps["study"] = pdsa.Study(date=end, learning="l", results=[pdsa.Result(matched="yes")])
            steps["act"] = pdsa.Act(date=end, decision=decision, follows="f")
    return pdsa.Cycle(id=key, name=key, idea=idea, plan=plan, **steps, **more)


def site(name: str, number: int, cycles: Sequence[Any], codes: Sequence[str] = tuple(IDEAS)) -> pdsa.Site:
    ideas = [pdsa.ChangeIdea(id=f"{c}-{number}", code=c, name=IDEAS[c]) for c in codes]
    project = pdsa.Project(name="Fewer haemorrhages", site=name, ideas=ideas, cycles=cycles)
    return pdsa.Site(name=name, projects=[project])


@pytest.fixture(scope="module")
def network() -> pdsa.Network:
    """Nine sites with 150 cycles over 15 months, four learning sessions, calls, three action periods."""
    rng = np.random.default_rng(8)
    sites = []
    for number, name in enumerate(SITES):
        cycles = []
        for k in range(17 if number < 6 else 16):
            code = str(rng.choice(list(IDEAS)))
            decision = str(rng.choice(["adopt", "adapt", "abandon", "expand"]))
            purpose = "implement" if k % 6 == 5 else "test"
            days = None if k == 14 else int(rng.integers(3, 45))
            cycles.append(
                cycle(
                    f"c{number}-{k}",
                    int(rng.integers(0, 400)),
                    days,
                    f"{code}-{number}",
                    decision,
                    purpose=purpose,
                )
            )
        sites.append(site(name, number, cycles))
    sessions = [START + timedelta(120 * k) for k in range(4)]
    meetings = [
        *(
            pdsa.Meeting(kind="learning session", date=d, title=f"Session {k}")
            for k, d in enumerate(sessions)
        ),
        *(pdsa.Meeting(kind="data call", date=START + timedelta(30 * k), title="Call") for k in range(15)),
        pdsa.Meeting(kind="coaching call", date=START, title="Coaching", sites=["Avon"]),
    ]
    periods = [
        pdsa.ActionPeriod(name=f"Action period {k + 1}", start=a, end=b - timedelta(1))
        for k, (a, b) in enumerate(itertools.pairwise(sessions))
    ]
    return pdsa.Network(name="Network", sites=sites, meetings=meetings, action_periods=periods)


@pytest.fixture(scope="module")
def drawn_network(network: pdsa.Network) -> Figure:
    return plot_gantt(network)


def bars(ax: Axes) -> dict[str, PathPatch]:
    return {
        p.get_label().removeprefix("_bar "): p
        for p in ax.patches
        if isinstance(p, PathPatch) and p.get_label().startswith("_bar")
    }


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def legend(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def marks(ax: Axes, label: str) -> list[Any]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def test_150_cycles_over_nine_sites_stay_readable(drawn_network: Figure, readable: Check) -> None:
    ax, key = drawn_network.axes
    drawn = bars(ax)
    assert len(drawn) == 150
    boxes = [p.get_path().get_extents() for p in drawn.values()]
    for one, other in itertools.combinations(boxes, 2):
        assert one.x1 < other.x0 or other.x1 < one.x0 or one.y1 < other.y0 or other.y1 < one.y0
    assert [text[:3] for text in words(key)[1:]] == ["1: ", "2: ", "3: "]
    assert {text[3:] for text in words(key)[1:]} == set(IDEAS.values())
    assert words(key)[0] == "Change ideas, by number"
    readable(drawn_network)


def test_bars_hold_the_days_and_the_mark_stands_at_the_end(
    network: pdsa.Network, drawn_network: Figure
) -> None:
    ax = drawn_network.axes[0]
    cycles = {c.id: c for p in network.projects for c in p.cycles if c.act}
    drawn = {key: bar.get_path().get_extents() for key, bar in bars(ax).items() if key in cycles}
    starts = np.array([(cycles[k].start - START).days for k in drawn])
    ends = np.array([(cycles[k].end - START).days for k in drawn])
    scale = np.polyfit(starts, [b.x0 for b in drawn.values()], 1)
    np.testing.assert_allclose(np.polyval(scale, starts), [b.x0 for b in drawn.values()], atol=1e-6)
    np.testing.assert_allclose(np.polyval(scale, ends), [b.x1 for b in drawn.values()], atol=1e-6)
    for decision in ("adopt", "adapt", "abandon", "expand"):
        own = [b for k, b in drawn.items() if cycles[k].act.decision == decision]
        found = marks(ax, f"_{decision}")
        assert len(found) == len(own)
        assert all(li.get_marker() is style.CYCLE_MARKERS[decision] for li in found)
        at = {(round(li.get_xdata()[0], 3), round(li.get_ydata()[0], 3)) for li in found}
        assert at == {(round(b.x1 + 5, 3), round((b.y0 + b.y1) / 2, 3)) for b in own}


def test_numbers_stand_for_ideas_or_for_sites(network: pdsa.Network, readable: Check) -> None:
    figure = plot_gantt(network, rows="idea")
    ax, key = figure.axes
    assert words(key)[0] == "Sites, by number"
    assert words(key)[1:4] == ["1: Avon", "2: Brent", "3: Cam"]
    assert len(bars(ax)) == 150
    assert {"Weigh all blood loss", "Trolley in every", "room"} <= {*words(ax)}
    assert words(ax).count("1") == 17
    readable(figure)


def test_what_is_planned_is_hollow_and_what_is_under_way_is_open(readable: Check) -> None:
    cycles = [
        cycle("done", 0, 30, "weigh-0"),
        cycle("open", 10, None, "weigh-0"),
        cycle("full", 40, 20, "kit-0", purpose="implement"),
        cycle("plan", 50, None, "ask-0", done=False, plan={"end": "2023-07-15"}),
        cycle("day", 60, None, "ask-0", done=False),
        cycle("short", 70, 0, "ask-0"),
        cycle("late", 121, None, "weigh-0"),
    ]
    figure = plot_gantt(site("Avon", 0, cycles))
    ax = figure.axes[0]
    drawn = bars(ax)
    assert drawn["plan"].get_facecolor()[3] == 0
    assert drawn["plan"].get_linestyle() != drawn["done"].get_linestyle()
    assert drawn["done"].get_facecolor() == (1, 1, 1, 1)
    assert drawn["full"].get_facecolor()[:3] != (1, 1, 1)
    assert 79 not in drawn["open"].get_path().codes
    assert 79 in drawn["done"].get_path().codes
    # One that began on the last day has no room for its mark, and is open.
    (sign,) = marks(ax, f"_{style.UNDER_WAY}")
    assert 79 not in drawn["late"].get_path().codes
    assert drawn["open"].get_path().get_extents().x1 == pytest.approx(ax.get_xlim()[1])
    assert sign.get_xdata()[0] < ax.get_xlim()[1]
    assert drawn["short"].get_path().get_extents().width == pytest.approx(3)
    assert legend(figure) == [
        "PDSA cycle: test", "PDSA cycle: implementation", "PDSA cycle: planned", "cycle ended: adapt",
        "cycle under way",
    ]  # fmt: skip
    readable(figure)


def test_the_network_has_its_rhythm_on_top(drawn_network: Figure) -> None:
    ax = drawn_network.axes[0]
    bands = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_label() == "_period"]
    assert len(bands) == 3
    assert len(marks(ax, "_meeting")) == 20
    assert len(marks(ax, "_session")) == 4
    assert {"learning sessions", "data calls", "coaching calls", "Action period 2", "Session 1"} <= {
        *words(ax)
    }
    assert len({str(li.get_marker()) for li in marks(ax, "_meeting")}) == 3
    assert "Call" not in words(ax)
    first, second, _ = sorted(bands, key=lambda b: b.get_x())
    assert first.get_x() + first.get_width() == pytest.approx(second.get_x())


def test_periods_that_overlap_stand_in_rows() -> None:
    periods = [
        pdsa.ActionPeriod(name=n, start=a, end=b)
        for n, a, b in (
            ("A", "2023-04-01", "2023-06-30"),
            ("B", "2023-06-01", "2023-08-31"),
            ("C", "2023-07-01", "2023-08-01"),
        )
    ]
    figure = plot_gantt(pdsa.Network(name="N", sites=[pdsa.Site(name="Avon")], action_periods=periods))
    (ax,) = figure.axes
    at = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_text() in "ABC"}
    assert at["A"] == at["C"] < at["B"]
    assert "no cycle with a date" in words(ax)


def test_cycles_without_dates_are_told(readable: Check) -> None:
    cycles = [cycle(f"c{k}", None, None, "weigh-0") for k in range(9)]
    meeting = pdsa.Meeting(kind="data call", date="2023-05-01", title="Call")
    figure = plot_gantt(pdsa.Network(name="N", sites=[site("Avon", 0, cycles)], meetings=[meeting]))
    feet = figure.texts[-1].get_text().replace("\n", " ")
    assert "Not drawn, because no date is recorded: 9 cycles: c0 (Avon); " in feet
    assert "and 3 more" in feet
    readable(figure)


def test_years_and_long_times_have_fewer_ticks(readable: Check) -> None:
    cycles = [cycle("a", 0, 30, "weigh-0"), cycle("b", 4000, 30, "kit-0"), cycle("c", 4010, 2, "kit-0")]
    figure = plot_gantt(site("Avon", 0, cycles))
    assert {"2024", "2033"} <= set(words(figure.axes[0]))
    readable(figure)
    decades = [cycle("a", 0, 30, "weigh-0"), cycle("b", 30000, 30, "kit-0")]
    readable(plot_gantt(site("Avon", 0, decades)))


def test_long_texts_with_signs_of_formulas_are_cut(readable: Check) -> None:
    long = "A name of $5_000$ and \\alpha^2\nover lines " + "without_any_blank" * 18
    ideas = [pdsa.ChangeIdea(id="x", name=long), pdsa.ChangeIdea(id="y", name=long[1:])]
    cycles = [
        cycle("a", 0, 30, "x").revise({"name": long}, by="x"),
        cycle("b", None, None, "y").revise({"name": long}, by="x"),
    ]
    project = pdsa.Project(name="P", site=long, ideas=ideas, cycles=cycles)
    periods = [pdsa.ActionPeriod(name=long, start="2023-04-01", end="2023-04-20")]
    meetings = [pdsa.Meeting(kind="learning session", date="2023-04-03", title=long)]
    network = pdsa.Network(
        name=long, sites=[pdsa.Site(name=long, projects=[project])], action_periods=periods, meetings=meetings
    )
    for rows in ("site", "idea"):
        figure = plot_gantt(network, rows=rows)
        assert not any(t.get_parse_math() for t in figure.axes[0].texts)
        readable(figure)


def test_letters_that_the_font_lacks_raise_no_warning(readable: Check) -> None:
    name = "😀 Weigh \U0001fa78 \x1b 産後"
    project = pdsa.Project(
        name=name, site=name, ideas=[pdsa.ChangeIdea(id="x", name=name), pdsa.ChangeIdea(id="y", name="Ask")],
        cycles=[cycle("a", 0, 30, "x").revise({"name": name}, by="x"), cycle("b", None, None, "y")],
    )  # fmt: skip
    network = pdsa.Network(
        name=name, sites=[pdsa.Site(name=name, projects=[project])],
        meetings=[pdsa.Meeting(kind="learning session", date="2023-04-03", title=name)],
        action_periods=[pdsa.ActionPeriod(name=name, start="2023-04-01", end="2023-09-20")],
    )  # fmt: skip
    figure = plot_gantt(network)
    assert words(figure.axes[0]).count("😀 Weigh □ □□") == 3
    assert "\x1b 産後: " in figure.get_label()
    readable(figure)


def test_the_description_tells_everything(network: pdsa.Network, drawn_network: Figure) -> None:
    told = drawn_network.get_label()
    assert told.startswith(
        "Network: PDSA cycles over time.\nAction periods: Action period 1 (1 Apr to 29 Jul 2023); "
    )
    assert "\nLearning sessions: Session 0 (1 Apr 2023); Session 1 (30 Jul 2023); " in told
    assert "\n15 data calls on 15 days, 1 Apr 2023 to 25 May 2024.\nCoaching calls: Coaching (1 Apr" in told
    # Of many cycles, tests that were decided on are counted, and all others named.
    assert len(told.split()) < 1200
    for one in network.sites:
        (project,) = one.projects
        full = [c for c in project.cycles if c.purpose == "implement"]
        counts = f"{len(project.cycles) - len(full)} tests, {len(full)} implementations, "
        assert f"\n{one.name}: {len(project.cycles)} cycles: {counts}" in told
        named = [f"\n{c.id} of " in told for c in project.cycles]
        assert named == [c.purpose == "implement" or c.act is None for c in project.cycles]
    decided = [c.act.decision for c in network.sites[0].projects[0].cycles if c.act]
    assert f", {decided.count('adapt')} adapt, " in told.split("\nAvon: ")[1].split("\n")[0]
    assert "1 under way.\n" in told.split("\nAvon: ")[1]
    assert told.endswith("Each test is described in the figure of its site or project.")
    few = plot_gantt(network.sites[0]).get_label()
    assert "\nAvon: 17 cycles.\n" in few
    assert all(f"\n{c.id} of " in few for c in network.sites[0].projects[0].cycles)
    empty = pdsa.Network(name="N", sites=[*network.sites, pdsa.Site(name="Jed")])
    assert "\nJed: 0 cycles.\n" in plot_gantt(empty).get_label()


def test_one_site_by_idea_needs_no_numbers() -> None:
    figure = plot_gantt(
        site("Avon", 0, [cycle("a", 0, 9, "weigh-0"), cycle("b", 2, 9, "kit-0")]), rows="idea"
    )
    (ax,) = figure.axes
    assert not {"1", "2"} & {*words(ax)}
    assert len(bars(ax)) == 2


def test_a_site_that_is_called_as_an_idea_is_not_taken_for_it() -> None:
    sites = [site("weigh", 0, [cycle("a", 0, 60, "kit-0")]), site("Avon", 1, [cycle("b", 9, 60, "weigh-1")])]
    figure = plot_gantt(pdsa.Network(name="N", sites=sites), rows="idea")
    ax, key = figure.axes
    assert words(key)[1:] == ["1: weigh", "2: Avon"]
    numbers = sorted((t.get_position()[1], t.get_text()) for t in ax.texts if t.get_text() in ("1", "2"))
    assert [n for _, n in numbers] == ["1", "2"]


def test_what_cannot_be_drawn_is_refused(network: pdsa.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputTypeError, match="give a Project, a Site or a Network"):
        plot_gantt([network])
    with pytest.raises(OptionError, match="rows='sites' is not allowed"):
        plot_gantt(network, rows="sites")
    with pytest.raises(OptionError, match="No cycle, meeting or action period has a date"):
        plot_gantt(pdsa.Network(name="N", sites=[pdsa.Site(name="Avon")]))
    for start in ("1899-12-31", "9999-12-01"):
        odd = cycle("a", None, None, "weigh-0", plan={"end": start})
        with pytest.raises(DataError, match="a figure holds the years 1900 to 2199"):
            plot_gantt(
                site("Avon", 0, [odd.revise({"plan": {**odd.plan.model_dump(), "start": start}}, by="x")])
            )
    monkeypatch.setattr("qi_equity.plot.gantt.MAX_CYCLES", 149)
    with pytest.raises(OptionError, match="There are 150 cycles in 9 rows; a figure holds at most 149 in 60"):
        plot_gantt(network)
