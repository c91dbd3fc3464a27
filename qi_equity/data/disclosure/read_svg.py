"""Figures as SVG: where points and lines were drawn, turned back into numbers by the ticks of the axes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from qi_equity.data import periods
from qi_equity.data.disclosure.read_text import Names, read_text
from qi_equity.data.disclosure.readings import Floats, Meaning, Printed, Range, Told
from qi_equity.data.disclosure.svg_ticks import date_ticks, number_ticks
from qi_equity.errors import DataError

__all__ = ["read_svg"]

# Coordinates are written with six decimals; a tick and a point can each be off by half a unit of the last.
_WRITTEN = 2e-6
_NEAR = 1e-4
_LIMIT_DASHES = 2


@dataclass(slots=True, eq=False)
class _Axes:
    """What is drawn in one frame: positions are shares of its width and height."""

    box: tuple[float, float, float, float]
    x_ticks: list[tuple[float, str]] = field(default_factory=list)
    y_ticks: list[tuple[float, str]] = field(default_factory=list)
    unit: str = ""
    texts: list[tuple[float, str]] = field(default_factory=list)
    marks: list[tuple[float, float]] = field(default_factory=list)
    lines: list[tuple[int, Floats]] = field(default_factory=list)

    def share(self, x: float, y: float) -> tuple[float, float]:
        """Turn a position on the page into one in the frame, counted from its lower left corner."""
        left, top, right, bottom = self.box
        return (x - left) / (right - left), (bottom - y) / (bottom - top)


def read_svg(
    svg: str, source: str, meaning: Meaning, names: Names, *, every: str = ""
) -> tuple[list[Printed], list[Told]]:
    """Read a figure that matplotlib wrote as SVG.

    Parameters
    ----------
    svg : str
        The text of the file.
    source : str
        What it is, in words.
    meaning : Meaning
        How its numbers were reckoned.
    names : Names
        The strata that are known: a panel is that of the stratum its title names.
    every : str
        Length of the periods, where it is known; else months.

    Returns
    -------
    printed : list of Printed
        The points and step lines of each panel with dates on its x axis and even numbers on its y axis.
    told : list of Told
        What title, description and the words of the panels say.

    Raises
    ------
    DataError
        If the text is no XML.
    """
    builder = ElementTree.TreeBuilder(insert_comments=True)
    try:
        root = ElementTree.fromstring(svg, parser=ElementTree.XMLParser(target=builder))
    except ElementTree.ParseError as error:
        raise DataError(
            f"{source} is no SVG that can be read ({error}); give the text of an SVG file."
        ) from error
    every = every or "month"
    read = (_axes(group) for group in _groups(root) if str(group.get("id", "")).startswith("axes_"))
    panels = [panel for panel in read if panel is not None]
    _share_ticks(panels)
    printed, told = [], list(_described(root, source, names, meaning.release))
    for panel in panels:
        title = _title(panel, names)
        found = _points(panel, names.find(title), source, meaning, every)
        printed += [found] if found is not None else []
        for _, text in panel.texts:
            for one in read_text(text, source, names, release=meaning.release):
                told.append(replace(one, stratum=names.find(title)))
    return printed, told


def _groups(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    return (child for child in element.iter() if str(child.tag).endswith("}g"))


def _described(root: ElementTree.Element, source: str, names: Names, release: int) -> Iterator[Told]:
    for child in root:
        if str(child.tag).endswith(("}title", "}desc")) and child.text:
            yield from read_text(child.text, source, names, release=release)


def _axes(group: ElementTree.Element) -> _Axes | None:
    """Read one frame and what is in it."""
    frame = next((p for p in group.iter() if str(p.tag).endswith("}path")), None)
    corners = _vertices("" if frame is None else str(frame.get("d", "")))
    if len(corners) < 3 or np.ptp(corners, axis=0).min() <= 0:
        return None
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    axes = _Axes((float(left), float(top), float(right), float(bottom)))
    for child in group:
        name = str(child.get("id", ""))
        if name.startswith("matplotlib.axis_"):
            _ticks(axes, child)
        elif name.startswith("text_"):
            axes.texts.append((_size(child), _words(child)))
        elif name.startswith("line2d_"):
            _drawn(axes, child)
    return axes


def _ticks(axes: _Axes, group: ElementTree.Element) -> None:
    """Read the ticks of an axis, and its label."""
    for tick in group:
        name = str(tick.get("id", ""))
        if name.startswith("text_"):
            axes.unit = axes.unit or _words(tick)
        elif name.startswith(("xtick_", "ytick_")):
            at = _position(tick)
            if at is not None:
                share = axes.share(*at)[0 if name.startswith("x") else 1]
                label = " ".join(_words(t) for t in tick if str(t.get("id", "")).startswith("text_"))
                (axes.x_ticks if name.startswith("x") else axes.y_ticks).append((share, label))


def _position(tick: ElementTree.Element) -> tuple[float, float] | None:
    """Give the place of a tick: of its mark, or of its grid line."""
    for child in tick.iter():
        if str(child.tag).endswith("}use") and child.get("x") is not None and child.get("y") is not None:
            return float(str(child.get("x"))), float(str(child.get("y")))
    path = next((c for c in tick.iter() if str(c.tag).endswith("}path")), None)
    found = _vertices("" if path is None else str(path.get("d", "")))
    return (float(found[0, 0]), float(found[0, 1])) if len(found) else None


def _words(element: ElementTree.Element) -> str:
    """Give the text that matplotlib writes as comments beside its outlines."""
    lines = [str(c.text).strip() for c in element.iter() if callable(c.tag)]
    plain = [str(c.text).strip() for c in element.iter() if str(c.tag).endswith("}text") and c.text]
    return " ".join(lines or plain)


def _size(element: ElementTree.Element) -> float:
    """Give the size of a text's letters, from the scale of its outlines."""
    scales = (re.search(r"scale\(([\d.]+)", str(g.get("transform", ""))) for g in element.iter())
    return max((float(s[1]) for s in scales if s and float(s[1]) > 0.02), default=0.0)


def _drawn(axes: _Axes, group: ElementTree.Element) -> None:
    """Read the marks or the line of a group."""
    uses = [c for c in group.iter() if str(c.tag).endswith("}use") and c.get("x") is not None]
    for use in uses:
        axes.marks.append(axes.share(float(str(use.get("x"))), float(str(use.get("y")))))
    for child in group:
        if str(child.tag).endswith("}path"):
            dashes = re.search(r"stroke-dasharray:\s*([\d., ]+)", str(child.get("style", "")))
            count = len(dashes[1].split(",")) if dashes else 0
            for piece in _pieces(str(child.get("d", ""))):
                axes.lines.append((count, np.array([axes.share(x, y) for x, y in piece])))


def _pieces(path: str) -> list[Floats]:
    """Give the vertices of each unbroken piece of a path of straight lines."""
    return [v for v in (_vertices("M" + part) for part in path.split("M")[1:]) if len(v)]


def _vertices(path: str) -> Floats:
    found = re.findall(r"[ML]\s*(-?[\d.]+)[ ,]+(-?[\d.]+)", path)
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _share_ticks(panels: Sequence[_Axes]) -> None:
    """Give panels without labels those of a panel whose ticks lie at the same places."""
    for name in ("x_ticks", "y_ticks"):
        labelled = [p for p in panels if any(text for _, text in getattr(p, name))]
        for panel in panels:
            own = getattr(panel, name)
            if any(text for _, text in own):
                continue
            for other in labelled:
                theirs = getattr(other, name)
                if len(own) == len(theirs) and all(
                    abs(a - b) < _NEAR for (a, _), (b, _) in zip(own, theirs, strict=True)
                ):
                    setattr(panel, name, theirs)
                    panel.unit = panel.unit or other.unit
                    break


def _title(panel: _Axes, names: Names) -> str:
    """Choose the text that names a stratum; else the largest one."""
    known = [text for _, text in panel.texts if " ".join(text.split()) in names.known]
    return known[0] if known else max(panel.texts, default=(0.0, ""))[1]


def _points(panel: _Axes, stratum: Any, source: str, meaning: Meaning, every: str) -> Printed | None:
    """Turn what a panel draws into values and lines at the periods."""
    when, level = date_ticks(panel.x_ticks), number_ticks(panel.y_ticks)
    if when is None or level is None or not panel.marks or panel.unit.startswith(("CUSUM", "expected")):
        return None
    values: dict[float, float] = {}
    for dashes, line in panel.lines:
        if not dashes and _carries_marks(line, panel.marks):
            values |= dict(line.tolist())
    for x, y in panel.marks:
        # A mark at the edge of the scale may stand for a value beyond it; its line does not.
        if not any(abs(x - known) < _NEAR for known in values) and 0.05 < y < 0.95:
            values[x] = y
    xs = np.array(sorted({x for x, _ in panel.marks} | set(values)))
    xs = xs[np.append(True, np.diff(xs) > _NEAR)]
    lines = {"value": np.array([_near(values, x) for x in xs]), **_levels(panel, xs)}
    times = _multiplier(panel.unit)
    numbers = {name: _ranged(level(y), level, times) for name, y in lines.items()}
    if panel.unit == "events":
        numbers = {"numerator": _whole(numbers["value"])}
    step: Any = every
    number = periods.ordinal(when(xs), step)
    start, stop = periods.from_ordinal(number, step), periods.from_ordinal(number + 1, step)
    nothing = np.zeros(len(xs), dtype=bool)
    strata = pd.DataFrame({c: [v] * len(xs) for c, v in dict(stratum).items()}, dtype="object")
    if not dict(stratum):
        strata = pd.DataFrame(index=range(len(xs)))
    drawn = replace(meaning, lines="limits")
    part = np.zeros(len(xs), dtype=np.int64)
    return Printed(source, strata, start, stop, numbers, nothing, nothing, nothing, part, None, drawn)


def _carries_marks(line: Floats, marks: Sequence[tuple[float, float]]) -> bool:
    """Tell whether points are drawn on at least half of the vertices of a line."""
    there = np.array(marks)
    apart = np.abs(line[:, None, :] - there[None, :, :]).max(axis=2).min(axis=1)
    return bool((apart < _NEAR).mean() >= 0.5)


def _near(values: dict[float, float], x: float) -> float:
    return next((y for known, y in values.items() if abs(known - x) < _NEAR), float("nan"))


def _levels(panel: _Axes, xs: Floats) -> dict[str, Floats]:
    """Give the height of centre line and limits at each point."""
    nowhere = np.full(len(xs), np.nan)
    centre, lower, upper = nowhere.copy(), nowhere.copy(), nowhere.copy()
    for dashes, line in panel.lines:
        if not dashes and not _carries_marks(line, panel.marks):
            centre = np.where(np.isnan(centre), _height(line, xs), centre)
    for dashes, line in panel.lines:
        if dashes == _LIMIT_DASHES:
            height = _height(line, xs)
            upper = np.where(height > centre, height, upper)
            lower = np.where(height < centre, height, lower)
    return {"centre_line": centre, "lower": lower, "upper": upper}


def _height(line: Floats, xs: Floats) -> Floats:
    """Give the height of the level part of a step line at each x; NaN where it has none."""
    out = np.full(len(xs), np.nan)
    level = np.abs(np.diff(line[:, 1])) < 1e-9
    for a, b in zip(line[:-1][level], line[1:][level], strict=True):
        inside = (xs >= min(a[0], b[0]) - 1e-9) & (xs <= max(a[0], b[0]) + 1e-9)
        out[inside] = a[1]
    return out


def _ranged(values: Floats, level: Any, times: float) -> Range:
    give = abs(float(level(np.array(1.0)) - level(np.array(0.0)))) * _WRITTEN / 50
    return Range(values - give, values + give).scaled(times)


def _whole(values: Range) -> Range:
    middle = np.rint((values.low + values.high) / 2)
    return Range(middle, middle)


def _multiplier(unit: str) -> float:
    per = re.search(r"per ([\d,]+)", unit)
    return float(per[1].replace(",", "")) if per else 100.0 if "%" in unit else 1.0
