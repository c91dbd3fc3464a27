"""Draw PDSA cycles over time: a row a site, with the network's action periods and meetings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import DataError, OptionError
from qi_equity.plot import _record_words as words
from qi_equity.plot import _style as style
from qi_equity.plot._gantt import (
    PAD_PT,
    STRIP_PT,
    TICKS_PT,
    Axis,
    Row,
    Strip,
    draw_key,
    draw_legend,
    draw_rows,
    key_shape,
    make_axis,
    make_strip,
)
from qi_equity.plot._gantt_bars import Work, make_bar, pack, work_of
from qi_equity.plot._gantt_words import described
from qi_equity.plot._record_marks import clear
from qi_equity.plot._text import Ruler
from qi_equity.plot._wide_page import WidePage
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.pdsa.records.events import ActionPeriod, Meeting
    from qi_equity.pdsa.records.network import Network, Site
    from qi_equity.pdsa.records.project import Project

__all__ = ["plot_gantt"]

MAX_CYCLES, MAX_ROWS = 600, 60
_NAMES_PT, _INDENT_PT = 118.0, 106.0
# As for cycles under charts.
_YEARS = (1900, 2199)


def plot_gantt(records: Project | Site | Network, *, rows: str = "site") -> Figure:
    """Draw when cycles were planned, carried out and decided on, by site or by change idea.

    One row a site; its cycles are bars in as many lanes as they need, each with the number of its change
    idea and its decision as the mark that stands under charts. Tests are white, implementations filled,
    planned cycles hollow in dashes; a bar that is open at its right is under way. Action periods are shaded,
    meetings are marks at the top. Cycles without dates are told in the footnote.

    Parameters
    ----------
    records : Project, Site or Network
        What to draw; at most 600 cycles in 60 rows.
    rows : {"site", "idea"}
        What the rows are; the numbers are then of the other. Sites stand as recorded, ideas by their first
        cycle; the same idea at several sites is one by its network-wide code.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    InputTypeError
        If ``records`` is of another type.
    OptionError
        If ``rows`` is not allowed, nothing has a date, or there are too many cycles or rows.
    DataError
        If a date lies outside the years 1900 to 2199.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> plan = pdsa.Plan(objective="Try it", start="2024-03-04", end="2024-03-08")
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
    ...     ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss")],
    ...     cycles=[pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan)])
    >>> figure = plot_gantt(project)
    >>> print(figure.get_label())
    Fewer haemorrhages: PDSA cycles over time.
    North: 1 cycle.
    Cycle 1 of 'Weigh all blood loss' (test, planned for 4 to 8 Mar 2024): planned.
    """
    _validate.one_of("rows", rows, ("site", "idea"))
    projects = words.projects_of("records", records)
    work = sorted(work_of(projects), key=lambda w: w.start or date.max)
    periods: Sequence[ActionPeriod] = getattr(records, "action_periods", ())
    meetings: Sequence[Meeting] = getattr(records, "meetings", ())
    names = {"site": _sites(records, projects), "idea": _ideas(work)}
    other = "idea" if rows == "site" else "site"
    shown, numbered = names[rows], names[other]
    _check(work, shown)
    ruler = Ruler()
    width = WidePage([0.0], left=_NAMES_PT, between=0.0).width
    axis = make_axis(_days(work, periods, meetings), width)
    numbers = {key: str(i) for i, key in enumerate(numbered, start=1)} if len(numbered) > 1 else {}
    made = [_row(name, _of(work, rows, key), axis, (other, numbers), ruler) for key, name in shown.items()]
    key = [f"{number}: {words.one_line(numbered[k])}" for k, number in numbers.items()]
    figure = _draw(
        _Parts(made, axis, make_strip(periods, meetings), key, rows), words.brief(records.name), work
    )
    figure.set_label(
        described(figure.get_suptitle(), shown, [_of(work, rows, k) for k in shown], periods, meetings)
    )
    return figure


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a Gantt chart is made of."""

    rows: Sequence[Row]
    axis: Axis
    strip: Strip
    key: Sequence[str]
    by: str


def _draw(parts: _Parts, name: str, work: Sequence[Work]) -> Figure:
    """Draw the chart, and under it what the numbers stand for."""
    ruler, strip, rows = Ruler(), parts.strip, parts.rows
    height = strip.height + sum(row.height for row in rows) + TICKS_PT
    keys = [(key_shape(len(parts.key))[1] + 1) * STRIP_PT] if parts.key else []
    page = WidePage([height, *keys], left=_NAMES_PT, between=10.0)
    for ax, points in zip(page.axes, page.heights, strict=True):
        clear(ax, page.width, points, 0)
    ax = page.axes[0]
    bottom = height - TICKS_PT
    parts.axis.draw(ax, strip.height, bottom)
    strip.draw(ax, parts.axis, bottom, _INDENT_PT, ruler)
    draw_rows(ax, rows, strip.height, _INDENT_PT, page.width)
    draw_legend(ax, [bar for row in rows for bar in row.bars])
    if parts.key:
        what = "Change ideas" if parts.by == "site" else "Sites"
        draw_key(page.axes[1], f"{what}, by number", parts.key, page.width, ruler)
    page.place([PAD_PT] * page.rows, f"{name}: PDSA cycles over time", _subtitle(work), _said(work), ruler)
    return page.figure


def _sites(records: Project | Site | Network, projects: Sequence[Project]) -> dict[str, str]:
    """Give the sites as recorded, also those without a project."""
    sites = [site.name for site in getattr(records, "sites", ())]
    return {name: name for name in (*sites, *(project.site for project in projects))}


def _ideas(work: Sequence[Work]) -> dict[str, str]:
    """Name the change ideas by their network-wide code, in the order of their first cycles."""
    names: dict[str, str] = {}
    for one in work:
        names.setdefault(one.idea.network_code, one.idea.name)
    return names


def _key(work: Work, of: str) -> str:
    """Give what tells sites, or change ideas, apart."""
    return work.site if of == "site" else work.idea.network_code


def _of(work: Sequence[Work], rows: str, key: str) -> list[Work]:
    return [w for w in work if key == _key(w, rows)]


def _check(work: Sequence[Work], rows: Mapping[str, str]) -> None:
    """Refuse what no reader could read."""
    if len(work) > MAX_CYCLES or len(rows) > MAX_ROWS:
        raise OptionError(
            f"There are {len(work)} cycles in {len(rows)} rows; a figure holds at most {MAX_CYCLES} in "
            f"{MAX_ROWS}. Draw one site or one project, such as network.sites[0]."
        )


def _days(work: Sequence[Work], periods: Sequence[ActionPeriod], meetings: Sequence[Meeting]) -> list[date]:
    """Give all days that the axis has to hold."""
    days = [day for w in work if w.start for day in (w.start, w.end, _last(w)) if day]
    days += [day for p in periods for day in (p.start, p.end)]
    days += [m.date for m in meetings]
    if not days:
        raise OptionError(
            "No cycle, meeting or action period has a date; give cycles a plan.start or a Do first."
        )
    first, last = min(days), max(days)
    if first.year < _YEARS[0] or last.year > _YEARS[1]:
        raise DataError(
            f"The dates run from {words.day(first)} to {words.day(last)}; a figure holds the years "
            f"{_YEARS[0]} to {_YEARS[1]}. Revise the date that is mistaken."
        )
    return days


def _last(work: Work) -> date | None:
    """Give the last day that is recorded of a cycle, also of one that is under way."""
    do, study = work.cycle.do, work.cycle.study
    return study.date if study else do.end if do else None


def _row(
    name: str, work: Sequence[Work], axis: Axis, numbered: tuple[str, Mapping[str, str]], ruler: Ruler
) -> Row:
    """Place the cycles of a row that have a date; ``numbered`` says of what the numbers are."""
    of, numbers = numbered
    bars = [
        make_bar(w, w.start, numbers.get(_key(w, of), ""), axis.at, axis.width, ruler)
        for w in work
        if w.start
    ]
    return Row(tuple(words.clip(name, _NAMES_PT - 20, 3, style.BODY, ruler)), tuple(pack(bars)))


def _subtitle(work: Sequence[Work]) -> str:
    sites = len({w.site for w in work})
    parts = [plural(len(work), "cycle"), plural(sites, "site") if work else "", _counts(work)]
    return " · ".join(part for part in parts if part)


def _counts(work: Sequence[Work]) -> str:
    """Count the cycles by how far they are."""
    signs = Counter(words.sign_of(w.cycle) for w in work)
    decided = len(work) - signs[style.UNDER_WAY] - signs[words.PLANNED]
    return (
        f"{decided} decided, {signs[style.UNDER_WAY]} under way, {signs[words.PLANNED]} planned"
        if work
        else ""
    )


def _said(work: Sequence[Work]) -> list[str]:
    lines = [
        "A bar lasts from the start of a cycle to its decision; without a decision it goes on to the end of "
        "the figure."
    ]
    undated = [w for w in work if not w.start]
    if undated:
        named = words.some_of(f"{w.cycle.name} ({w.site})" for w in undated)
        lines.append(f"Not drawn, because no date is recorded: {plural(len(undated), 'cycle')}: {named}.")
    return lines
