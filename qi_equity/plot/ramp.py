"""Draw the PDSA cycles of a change idea as a ramp, from the first small test to implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from matplotlib.figure import Figure

from qi_equity.errors import OptionError
from qi_equity.plot import _record_words as words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._layout import Page
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._ramp import Ramp, height_of, in_order
from qi_equity.plot._text import Ruler
from qi_equity.spc.words import and_list, plural

if TYPE_CHECKING:
    from qi_equity.pdsa.records.charter import ChangeIdea
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.network import Network, Site
    from qi_equity.pdsa.records.project import Project

__all__ = ["plot_ramp"]

_OfIdea: TypeAlias = "tuple[Project, ChangeIdea, list[Cycle]]"
_LEFT, _MOST_BESIDE, _MOST_TOLD = 12.0, 6, 30


def plot_ramp(records: Project | Site | Network, *, idea: str | None = None) -> Figure:
    """Draw the cycles of change ideas as rising ramps, from the first small test to implementation.

    One panel a change idea (and project), read from the bottom left: each cycle stands after those that led
    to it, with lines where ramps branch and merge. Each has its decision as the mark that stands under
    charts and in words, its scale and the people it reached, its dates, and for each prediction whether the
    result matched: yes, no, or not yet visible.

    Parameters
    ----------
    records : Project, Site or Network
        What to draw; at most 24 ramps.
    idea : str, optional
        Only the change idea with this network-wide code or identifier. Default: all that have cycles.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    InputTypeError
        If ``records`` is of another type.
    OptionError
        If there is no such idea, no cycle, or more than 24 ramps.

    References
    ----------
    .. [1] Langley, Moen, Nolan, Nolan, Norman, Provost. The Improvement Guide, 2nd ed. 2009, chapter 7
       (ramps of cycles; seen at second hand).

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> plan = pdsa.Plan(objective="Try it", predictions=[pdsa.Prediction(text="It fits the round")])
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
    ...     ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss")],
    ...     cycles=[pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan)])
    >>> plot_ramp(project).axes[0].get_title(loc="left")
    'Weigh all blood loss'
    """
    ramps, untested = _split(words.projects_of("records", records), idea)
    ruler, sites = Ruler(), {project.site for project, _, _ in ramps}
    page = _page([cycles for _, _, cycles in ramps], ruler)
    names = _names(ramps)
    headers = [_header(name, page.width, ruler) for name in names]
    tops = page.row_headers([h.height for h in headers])
    for i, (project, _, cycles) in enumerate(ramps):
        row = page.places[i][0]
        others = _elsewhere(project, cycles)
        Ramp(tuple(cycles), others, page.width, page.heights[row]).draw(page.axes[i], ruler)
        headers[i].draw(page.axes[i], tops[row])
    title = f"{words.brief(records.name)}: ramps of PDSA cycles"
    where = sites - {records.name} if len(sites) == 1 else ()
    page.place(tops, title, _subtitle(where, ramps), _said(untested), ruler)
    page.figure.set_label(_description(title, names, [cycles for _, _, cycles in ramps], untested))
    return page.figure


def _split(projects: Sequence[Project], idea: str | None) -> tuple[list[_OfIdea], list[str]]:
    """Give the ideas with their cycles in order, and the names of the ideas that have none."""
    ramps: list[_OfIdea] = []
    untested = []
    for project, one in words.chosen_ideas(projects, idea):
        cycles = in_order([c for c in project.cycles if c.idea == one.id])
        if cycles:
            ramps.append((project, one, cycles))
        else:
            untested.append(one.name)
    if not ramps:
        which = "" if idea is None else f" of idea={idea!r}"
        raise OptionError(f"No cycle{which} is recorded; put a Cycle into the project first.")
    if len(ramps) > MAX_PANELS:
        raise OptionError(
            f"There are {len(ramps)} ramps; a figure holds at most {MAX_PANELS}. Choose one change idea with "
            "idea=, or draw one project."
        )
    return ramps, untested


def _page(ramps: Sequence[Sequence[Cycle]], ruler: Ruler) -> Page:
    """Lay out: ramps side by side where all their words have room, else one under the other."""
    page = _in_columns(ramps, min(len(ramps), 2))
    short = max(map(len, ramps)) <= _MOST_BESIDE
    if short and all(Ramp(tuple(cycles), {}, page.width, 0.0).holds_all(ruler) for cycles in ramps):
        return page
    return _in_columns(ramps, 1)


def _in_columns(ramps: Sequence[Sequence[Cycle]], columns: int) -> Page:
    rows = [max(map(len, ramps[i : i + columns])) for i in range(0, len(ramps), columns)]
    heights = [height_of(cycles) for cycles in rows]
    return Page([False] * len(ramps), columns, left=_LEFT, heights=heights, between=16.0)


def _header(name: str, width: float, ruler: Ruler) -> Header:
    lines = words.clip(name, width, 2, style.NAME, ruler, weight="bold")
    return Header(Head(" ".join(lines)), (), (), width, ruler)


def _names(ramps: Sequence[_OfIdea]) -> list[str]:
    """Name each ramp by its idea, with its site where there are several, and its project where needed."""
    several = len({project.site for project, _, _ in ramps}) > 1
    alike = Counter((project.site, one.name) for project, one, _ in ramps)
    return [
        " · ".join(
            [
                *([project.site] if several else []),
                *([project.name] if alike[project.site, one.name] > 1 else []),
                one.name,
            ]
        )
        for project, one, _ in ramps
    ]


def _elsewhere(project: Project, cycles: Sequence[Cycle]) -> dict[str, str]:
    """Name the cycles of other ideas that led to some of these."""
    own = {cycle.id for cycle in cycles}
    names = {one.id: words.brief(one.name) for one in project.ideas}
    return {c.id: f"{words.brief(c.name)} of {names[c.idea]!r}" for c in project.cycles if c.id not in own}


def _subtitle(where: Iterable[str], ramps: Sequence[_OfIdea]) -> str:
    cycles = [cycle for _, _, of in ramps for cycle in of]
    decided = f"{plural(len(cycles), 'cycle')}, {sum(c.act is not None for c in cycles)} decided"
    return " · ".join([*map(words.brief, where), decided, "read from the bottom upwards"])


def _said(untested: Sequence[str]) -> list[str]:
    lines = [
        "Lines lead from a cycle to those that it led to. Height is order, not time: each cycle stands above "
        "those that led to it, and otherwise by start.",
    ]
    if untested:
        lines.append(f"Change ideas without a cycle: {words.some_of(untested)}.")
    return lines


def _description(
    title: str, names: Sequence[str], ramps: Sequence[Sequence[Cycle]], untested: Sequence[str]
) -> str:
    """Describe the figure: every ramp with its cycles in order, and what led to each.

    Of more than 30 cycles the results are counted; each is told in the figure of its idea.
    """
    lines = [f"{title}."]
    counted = sum(map(len, ramps)) > _MOST_TOLD
    for name, cycles in zip(names, ramps, strict=True):
        known = {c.id: words.one_line(c.name) for c in cycles}
        lines.append(f"{words.one_line(name)}: {plural(len(cycles), 'cycle')} in order.")
        for cycle in cycles:
            before = [known[p] for p in cycle.previous if p in known]
            lines.append(
                words.told(cycle, counted=counted) + (f"; follows {and_list(before)}." if before else ".")
            )
    if untested:
        lines.append(f"Change ideas without a cycle: {'; '.join(map(words.one_line, untested))}.")
    return "\n".join(lines)
