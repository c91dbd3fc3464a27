"""Driver diagrams as drawn and as text for Graphviz. Places are checked against a general optimiser."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from scipy.optimize import minimize

from qi_equity import pdsa
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.reporting.drivers_dot import drivers_dot
from qi_equity.plot._diagram import lay_out, spread
from qi_equity.plot.drivers import plot_drivers

Check = Callable[[Figure], None]
NASTY = 'Say "no" \\N to $a_1$ & <b>b</b>; } -> {\nx &lt; y ' + "without_any_blank" * 12


def driver(key: str, name: str, *parents: str) -> pdsa.Driver:
    return pdsa.Driver(id=key, name=name, level="secondary" if parents else "primary", parents=parents)


@pytest.fixture(scope="module")
def project() -> pdsa.Project:
    """Three primary and six secondary drivers, eight ideas, of which two hang on primary drivers."""
    drivers = [
        driver("p1", "Haemorrhage is seen early"),
        driver("p2", "Treatment starts in time"),
        driver("p3", "Women are heard, whatever their language"),
        driver("s1", "Blood loss is measured, not guessed", "p1"),
        driver("s2", "Risk is known on admission", "p1", "p3"),
        driver("s3", "Medicines and kit at hand", "p2"),
        driver("s4", "Everyone knows their role", "p2"),
        driver("s5", "Interpreters at every hour", "p3"),
        driver("s6", "Concerns raised by women are acted on", "p3", "p1"),
    ]
    hang = {
        "weigh": ("s1",), "trolley": ("s3",), "ask": ("s5", "s6"), "huddle": ("s4",), "pads": ("s1",),
        "medicine": ("s3", "p2"), "risk": ("s2", "s5"), "debrief": ("p3",),
    }  # fmt: skip
    ideas = [
        pdsa.ChangeIdea(id=k, name=f"Change {k}", drivers=d, groups=["Black", "Asian"] if k == "ask" else [])
        for k, d in hang.items()
    ]
    aim = pdsa.Aim(
        text="Halve severe haemorrhage", measure="pph_1500", baseline=0.04, target=0.02,
        for_whom="Black women", by_when="2025-03-31",
    )  # fmt: skip
    plan = pdsa.Plan(objective="o", predictions=[pdsa.Prediction(text="p")])
    do = pdsa.Do(start="2024-03-04", as_planned=True)
    study = pdsa.Study(date="2024-03-05", learning="l", results=[pdsa.Result(matched="yes")])
    acts = [
        pdsa.Act(date=day, decision=decision, follows="f")
        for day, decision in (("2024-03-06", "adapt"), ("2024-03-09", "adopt"), ("2024-03-07", "expand"))
    ]
    cycles = [
        *(pdsa.Cycle(name="c", idea="weigh", plan=plan, do=do, study=study, act=act) for act in acts),
        pdsa.Cycle(name="c", idea="pads", plan=plan, do=do),
        pdsa.Cycle(name="c", idea="huddle", plan=plan),
    ]
    return pdsa.Project(
        id="the-aim",
        name="Fewer haemorrhages",
        site="North",
        aims=[aim],
        drivers=drivers,
        ideas=ideas,
        cycles=cycles,
    )


def boxes(ax: Axes) -> list[FancyBboxPatch]:
    return [p for p in ax.patches if isinstance(p, FancyBboxPatch)]


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_boxes_stand_in_columns_and_never_overlap(project: pdsa.Project, readable: Check) -> None:
    figure = plot_drivers(project)
    (ax,) = figure.axes
    assert {"Aim", "Primary drivers", "Secondary drivers", "Change ideas"} <= {*words(ax)}
    found = boxes(ax)
    assert len(found) == 1 + 9 + 8
    columns: dict[float, int] = {}
    for box in found:
        columns[round(box.get_x(), 3)] = columns.get(round(box.get_x(), 3), 0) + 1
    assert [columns[x] for x in sorted(columns)] == [1, 3, 6, 8]
    spans = [(b.get_x(), b.get_x() + b.get_width(), b.get_y(), b.get_y() + b.get_height()) for b in found]
    for one, other in itertools.combinations(spans, 2):
        assert one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
    FigureCanvasAgg(figure).draw()
    drawn = [b.get_window_extent() for b in found]
    for text in ax.texts[4:]:
        box = text.get_window_extent()
        assert (
            sum(d.x0 <= box.x0 and box.x1 <= d.x1 and d.y0 <= box.y0 and box.y1 <= d.y1 for d in drawn) == 1
        )
    readable(figure)


def test_links_lead_from_box_to_box_and_through_none(project: pdsa.Project) -> None:
    (ax,) = plot_drivers(project).axes
    links = [p for p in ax.patches if isinstance(p, PathPatch)]
    assert len(links) == 3 + 8 + 11
    spans = [
        (b.get_x() + 1, b.get_x() + b.get_width() - 1, b.get_y(), b.get_y() + b.get_height())
        for b in boxes(ax)
    ]
    for link in links:
        (points,) = link.get_path().to_polygons(closed_only=False)
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            for t in np.linspace(0, 1, 40):
                x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
                assert not any(a < x < b and c < y < d for a, b, c, d in spans)


def test_boxes_tell_aim_groups_cycles_and_decisions(project: pdsa.Project) -> None:
    figure = plot_drivers(project)
    said = words(figure.axes[0])
    assert {"for Black women", "by 31 Mar 2025", "from 40 per 1000 to 20 per 1000"} <= {*said}
    assert "3 cycles · last decision: adopt" in said
    assert "1 cycle" in said
    assert "for Black and Asian · not yet tested" in said
    told = figure.get_label()
    assert told.startswith(
        "Fewer haemorrhages: driver diagram.\nAim: Halve severe haemorrhage · for Black women · "
    )
    assert (
        "Secondary driver: Risk is known on admission. Bears on: Haemorrhage is seen early; Women are" in told
    )
    assert "Change idea: Change huddle (not yet tested). Bears on: Everyone knows their role." in told
    assert "North · 9 drivers · 8 change ideas, 2 tested" in [t.get_text() for t in figure.texts]


def test_further_secondary_drivers_and_loose_ends_have_their_place(readable: Check) -> None:
    drivers = [
        driver("c", "third", "b"),
        driver("b", "second", "a"),
        driver("a", "first"),
        driver("d", "fourth", "c", "a"),
    ]
    ideas = [pdsa.ChangeIdea(id="x", name="Loose"), pdsa.ChangeIdea(id="y", name="Bound", drivers=["a"])]
    aims = [
        pdsa.Aim(text=t, for_whom="all", by_when="2025-01-01", target=5.0, measure="Own")
        for t in ("One aim", "Another aim")
    ]
    figure = plot_drivers(pdsa.Project(name="P", site="N", drivers=drivers, ideas=ideas, aims=aims))
    (ax,) = figure.axes
    at = {t.get_text(): t.get_position()[0] for t in ax.texts}
    assert at["first"] < at["second"] < at["third"] < at["fourth"] < at["Loose"] == at["Bound"]
    assert at["One aim"] == at["Another aim"] < at["first"]
    assert "to 5" in at
    assert "Not linked to a driver: Loose." in figure.texts[-1].get_text()
    assert "Bears on: no driver recorded." in figure.get_label()
    readable(figure)


def test_parts_of_a_diagram_can_be_drawn(readable: Check) -> None:
    aim = pdsa.Aim(text="An aim", for_whom="all", by_when="2025-01-01")
    for more in (
        {"aims": [aim]},
        {"ideas": [pdsa.ChangeIdea(name="An idea")]},
        {"drivers": [driver("a", "one")]},
    ):
        readable(plot_drivers(pdsa.Project(name="P", site="N", **more)))


def test_long_texts_with_signs_of_formulas_are_cut(readable: Check) -> None:
    drivers = [driver("a", NASTY), driver("b", NASTY, "a")]
    aim = pdsa.Aim(text=NASTY, for_whom=NASTY, by_when="2025-01-01")
    project = pdsa.Project(
        name=NASTY,
        site=NASTY,
        aims=[aim],
        drivers=drivers,
        ideas=[pdsa.ChangeIdea(name=NASTY, drivers=["b"], groups=[NASTY])],
    )
    figure = plot_drivers(project)
    readable(figure)
    assert any("$a_1$" in t for t in words(figure.axes[0]))
    assert not any(t.get_parse_math() for t in figure.axes[0].texts)
    assert any(t.endswith("…") for t in words(figure.axes[0]))


def test_what_cannot_be_drawn_is_refused(project: pdsa.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputTypeError, match="of type Site; give a Project"):
        plot_drivers(pdsa.Site(name="North"))
    with pytest.raises(OptionError, match="'P' has no aim, driver or change idea"):
        plot_drivers(pdsa.Project(name="P", site="N"))
    monkeypatch.setattr("qi_equity.plot.drivers.MAX_BOXES", 17)
    with pytest.raises(
        OptionError, match=r"18 boxes in 4 columns; a figure holds at most 17 in 7.*drivers_dot"
    ):
        plot_drivers(project)
    with pytest.raises(InputTypeError, match="of type str; give a Project"):
        drivers_dot("North")


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 40)), min_size=1, max_size=6))
def test_boxes_are_moved_apart_by_the_least_squares(given_boxes: list[tuple[float, float]]) -> None:
    wanted, heights = (np.array(v) for v in zip(*given_boxes, strict=True))
    found = spread(wanted, heights)
    least = (heights[1:] + heights[:-1]) / 2 + 9.0
    assert (np.diff(found) >= least - 1e-9).all()
    start = np.cumsum(heights + 9.0)
    best = minimize(
        lambda y: float(((y - wanted) ** 2).sum()), start, jac=lambda y: 2 * (y - wanted), method="SLSQP",
        constraints={"type": "ineq", "fun": lambda y: np.diff(y) - least} if len(wanted) > 1 else (),
        options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    assert ((found - wanted) ** 2).sum() <= best.fun * (1 + 1e-6) + 1e-6


def test_a_diagram_that_can_be_drawn_without_crossings_is() -> None:
    columns = {"r": 0, "a": 1, "b": 1, "c": 1} | dict.fromkeys(("b1", "a1", "c1", "a2", "c2", "b2"), 2)
    links = [("r", n) for n in "abc"] + [(n[0], n) for n in columns if len(n) == 2]
    y = lay_out(columns, dict.fromkeys(columns, 20.0), links).y
    for (a, a1), (b, b1) in itertools.combinations(links[3:], 2):
        assert (y[a] - y[b]) * (y[a1] - y[b1]) >= 0


def test_dot_is_the_same_diagram(project: pdsa.Project) -> None:
    text = drivers_dot(project)
    links = re.findall(r'^  "([^"]+)" -> "([^"]+)";$', text, flags=re.M)
    expected = {(p, d.id) for d in project.drivers for p in d.parents or ("the-aim",)}
    expected |= {(d, i.id) for i in project.ideas for d in i.drivers}
    assert len(links) == len(expected)
    assert set(links) == expected
    assert (
        '"the-aim" [label="Halve severe haemorrhage\\nfor Black women\\nby 31 Mar 2025\\nfrom 40 per' in text
    )
    assert '"weigh" [label="Change weigh\\n3 cycles · last decision: adopt", style=rounded];' in text


def test_dot_escapes_what_people_write() -> None:
    text = drivers_dot(pdsa.Project(id="p", name=NASTY, site="N", drivers=[driver("a", NASTY)]))
    (label,) = re.findall(r'^  "a" \[label="((?:[^"\\]|\\.)*)"\];$', text, flags=re.M)
    read = re.sub(r"\\(.)", lambda m: " " if m[1] == "n" else m[1], label).replace("&amp;", "&")
    assert "".join(read.split()) == "".join(NASTY.split())
    assert text.splitlines()[0].startswith(
        'digraph "Say \\"no\\" \\\\N to $a_1$ &amp; <b>b</b>; } -> { x &amp;lt; y'
    )
    assert text.count("\n") == 7


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it_as_it_was_written(project: pdsa.Project) -> None:
    nasty = pdsa.Project(id="p", name=NASTY, site="N", drivers=[driver("a", NASTY)])
    drawn = [
        subprocess.run(["dot", "-Tsvg"], input=drivers_dot(p), capture_output=True, text=True, check=True)
        for p in (project, nasty)
    ]
    assert not any(run.stderr for run in drawn)
    assert drawn[0].stdout.count('class="node"') == 18
    assert drawn[0].stdout.count('class="edge"') == 22
    assert "x &amp;lt; y" in drawn[1].stdout
    assert "\\N to $a_1$" in drawn[1].stdout
