"""Draw the driver diagram of a project: aim, primary and secondary drivers, change ideas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.reporting import driver_words
from qi_equity.plot import _style as style
from qi_equity.plot._diagram import Layout, lay_out
from qi_equity.plot._layout import MARGIN
from qi_equity.plot._record_marks import clear, write
from qi_equity.plot._record_words import brief, clip, some_of
from qi_equity.plot._text import Ruler
from qi_equity.plot._wide_page import WidePage
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.pdsa.records.project import Project

__all__ = ["plot_drivers"]

MAX_BOXES, MAX_COLUMNS = 120, 7
_LINE_PT, _SMALL_PT, _PAD_PT, _HEAD_PT, _GAP_PT, _WIDEST_PT = 12.5, 11.5, 6.0, 22.0, 42.0, 215.0
_LINES, _AIM_LINES = 5, 8
_GROUNDS = {"aim": "#dfe6ec", "driver": style.BAND, "idea": "white"}


def plot_drivers(project: Project) -> Figure:
    """Draw what a project's aim hangs on: aim, primary drivers, secondary drivers, change ideas.

    Boxes stand in columns, each near what it is linked to; lines pass between boxes, never through one. The
    box of a change idea tells for which groups it is, how many cycles it had and the last decision, or that
    it is not yet tested.

    Parameters
    ----------
    project : Project
        Whose diagram; at most 120 boxes in 7 columns.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    InputTypeError
        If ``project`` is no project.
    OptionError
        If it has no aim, driver or change idea, or more than can be drawn.

    See Also
    --------
    drivers_dot : The same as text for Graphviz.

    References
    ----------
    .. [1] Bennett, Provost. What's your theory? Driver diagram serves as tool for building and testing
       theories for improvement. Quality Progress 2015;48(7):36-43 (seen at second hand).

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
    ...                        drivers=[pdsa.Driver(id="d1", name="Haemorrhage is seen early")])
    >>> print(plot_drivers(project).get_label())
    Fewer haemorrhages: driver diagram.
    No aim is recorded yet.
    Primary driver: Haemorrhage is seen early. Bears on: the aim.
    """
    columns = _columns(project)
    ruler, last = Ruler(), max(columns.values())
    room = WidePage([0.0], left=MARGIN, between=0.0).width
    width = min((room - last * _GAP_PT) / (last + 1), _WIDEST_PT)
    boxes = _boxes(project, width - 2 * _PAD_PT, ruler)
    layout = lay_out(columns, {k: box.height for k, box in boxes.items()}, driver_words.links_of(project))
    page = WidePage([layout.height + _HEAD_PT + 2], left=MARGIN, between=0.0)
    ax = page.axes[0]
    clear(ax, page.width, page.height, 0)
    for column in range(last + 1):
        head = driver_words.heading(column, last, ideas=bool(project.ideas))
        write(ax, column * (width + _GAP_PT), 8, head, size=style.NAME, weight="bold")
    _links(ax, layout, width)
    for key, box in boxes.items():
        box.draw(ax, columns[key] * (width + _GAP_PT), layout.y[key] + _HEAD_PT, width)
    title = f"{brief(project.name)}: driver diagram"
    page.place([4.0], title, _subtitle(project), _said(project), ruler)
    page.figure.set_label(f"{title}.\n{driver_words.described(project)}")
    return page.figure


def _columns(project: Project) -> dict[str, int]:
    """Give the column of each box, and refuse what cannot be drawn."""
    if not (hasattr(project, "drivers") and hasattr(project, "ideas")):
        raise InputTypeError(
            f"project={project!r:.80} is of type {type(project).__name__}; give a Project of qi_equity.pdsa."
        )
    if not (project.aims or project.drivers or project.ideas):
        raise OptionError(
            f"The project {project.name!r} has no aim, driver or change idea; put one into it first."
        )
    columns = {project.id: 0} | driver_words.columns_of(project)
    if len(columns) > MAX_BOXES or max(columns.values()) >= MAX_COLUMNS:
        raise OptionError(
            f"The diagram has {len(columns)} boxes in {1 + max(columns.values())} columns; a figure holds at "
            f"most {MAX_BOXES} in {MAX_COLUMNS}. Draw it with Graphviz: drivers_dot(project)."
        )
    return columns


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its lines, with how each is written, and what it is."""

    kind: str
    lines: tuple[tuple[str, float, str], ...]

    @property
    def height(self) -> float:
        return sum(_step(size) for _, size, _ in self.lines) + 2 * _PAD_PT

    def draw(self, ax: Axes, left: float, middle: float, width: float) -> None:
        rounding = 6.0 if self.kind == "idea" else 0.01
        patch = FancyBboxPatch(
            (left, middle - self.height / 2), width, self.height, zorder=3, clip_on=False,
            boxstyle=f"round,pad=0,rounding_size={rounding}", label=f"_{self.kind}",
            facecolor=_GROUNDS[self.kind], edgecolor=style.INK, linewidth=2.0 if self.kind == "aim" else 1.0,
        )  # fmt: skip
        ax.add_patch(patch)
        y = middle - self.height / 2 + _PAD_PT
        for text, size, colour in self.lines:
            write(ax, left + _PAD_PT, y + _step(size) / 2, text, size=size, colour=colour)
            y += _step(size)


def _step(size: float) -> float:
    return _LINE_PT if size == style.BODY else _SMALL_PT


def _boxes(project: Project, room: float, ruler: Ruler) -> dict[str, _Box]:
    """Wrap the words of each box."""

    def lines(text: str, most: int, size: float, colour: str) -> list[tuple[str, float, str]]:
        return [(part, size, colour) for part in clip(text, room, most, size, ruler)]

    aims: list[tuple[str, float, str]] = []
    for text, *more in map(driver_words.aim_words, project.aims):
        aims += lines(text, _AIM_LINES, style.BODY, style.INK)
        for part in more:
            aims += lines(part, 2, style.SMALL, style.MUTED)
    aims = aims or lines(driver_words.NO_AIM, _LINES, style.BODY, style.MUTED)
    boxes = {project.id: _Box("aim", tuple(aims))}
    for driver in project.drivers:
        boxes[driver.id] = _Box("driver", tuple(lines(driver.name, _LINES, style.BODY, style.INK)))
    for idea in project.ideas:
        head = lines(idea.name, _LINES, style.BODY, style.INK)
        told = lines(driver_words.idea_words(project, idea), 2, style.SMALL, style.MUTED)
        boxes[idea.id] = _Box("idea", (*head, *told))
    return boxes


def _links(ax: Axes, layout: Layout, width: float) -> None:
    """Draw each link as a curve from box to box, straight through the columns that it passes."""
    for route in layout.routes:
        points: list[tuple[float, float]] = []
        codes: list[int] = []
        for k, (column, y) in enumerate(route):
            left, level = column * (width + _GAP_PT), y + _HEAD_PT
            if k:
                before, from_y = points[-1]
                half = (before + left) / 2
                points += [(half, from_y), (half, level), (left, level)]
                codes += [4, 4, 4]
            if k + 1 < len(route):
                points.append((left + width, level))
                codes.append(2 if k else 1)
        path = PathPatch(
            Path(points, codes), facecolor="none", edgecolor=style.MUTED, linewidth=1.2, zorder=2,
            label="_link",
        )  # fmt: skip
        ax.add_patch(path)


def _subtitle(project: Project) -> str:
    tested = {cycle.idea for cycle in project.cycles if cycle.do}
    parts = [
        brief(project.site),
        plural(len(project.drivers), "driver"),
        f"{plural(len(project.ideas), 'change idea')}, {len(tested)} tested",
    ]
    return " · ".join(parts)


def _said(project: Project) -> list[str]:
    said = ["Read from the left: what the aim hangs on, and what can be tested; links are the team's theory."]
    loose = [idea.name for idea in project.ideas if not idea.drivers]
    if loose:
        said.append(f"Not linked to a driver: {some_of(loose)}.")
    return said
