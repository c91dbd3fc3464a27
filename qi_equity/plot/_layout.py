"""Where title, panels, legend and footnotes stand: reckoned in points, so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from qi_equity.plot import _style as style
from qi_equity.plot._figure import Figure
from qi_equity.plot._text import Ruler

LEFT, GAP, MARGIN = 52.0, 46.0, 12.0
_TITLE_PT, _SUBTITLE_PT, _NOTE_PT, _LEGEND_PT, _HANDLE_PT = 19.0, 15.0, 10.2, 15.0, 46.0
_X_LABELS_PT, _BETWEEN_PT = 34.0, 12.0
_WIDE, _NARROW = 12.8 * 72, 10.0 * 72


def columns_for(panels: int, groups: int, sites: int) -> int:
    """Choose the number of columns: a row for each site if its groups fit, else up to 4."""
    if sites > 1 and groups <= 4 and panels == groups * sites:
        return groups
    return {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 9: 3}.get(panels, 4)


class Page:
    """A page of panels, filled from the top; sizes are in points.

    ``labelled`` tells for each panel whether its y axis has labels, for which ``left`` points are kept.
    ``places`` are the row and column of each panel (default: one after the other), ``heights`` those of the
    rows, ``between`` the space under each row but the last.
    """

    def __init__(
        self,
        labelled: Sequence[bool],
        columns: int,
        *,
        left: float = LEFT,
        places: Sequence[tuple[int, int]] | None = None,
        heights: Sequence[float] | None = None,
        between: float = _BETWEEN_PT,
    ) -> None:
        self.panels, self.columns, self.between = len(labelled), columns, between
        self.places = places or [divmod(i, columns) for i in range(self.panels)]
        self.rows = 1 + max(row for row, _ in self.places)
        self.page_width = _WIDE if columns > 1 else _NARROW
        named = {
            column for (_, column), with_labels in zip(self.places, labelled, strict=True) if with_labels
        }
        gaps = [left, *(GAP + left * (c in named) for c in range(1, columns))]
        self.width = (self.page_width - sum(gaps) - GAP) / columns
        self.lefts = [sum(gaps[: c + 1]) + c * self.width for c in range(columns)]
        usual = {1: 250.0 if columns < 3 else 210.0, 2: 170.0 if columns < 3 else 150.0}
        self.heights = [usual.get(self.rows, 125.0)] * self.rows if heights is None else list(heights)
        self.height = self.heights[0]
        # Positions are not known before the legend is; until then the Axes lie on each other.
        self.figure = Figure(figsize=(self.page_width / 72, 7.2), dpi=100, facecolor="white")
        self.figure.set_layout_engine("none")
        self.axes = [
            self.figure.add_axes((0.1, 0.1, 0.8, 0.8), label=f"panel {i}") for i in range(self.panels)
        ]

    def heighten(self, points: float, *, every: int = 1) -> None:
        """Make each row, or every second or third from the first on, higher."""
        self.heights = [h + (0.0 if i % every else points) for i, h in enumerate(self.heights)]
        self.height = self.heights[0]

    def is_lowest(self, i: int) -> bool:
        """Tell whether no panel stands under panel ``i``."""
        row, column = self.places[i]
        return not any(c == column and r > row for r, c in self.places)

    def row_headers(self, heights: Sequence[float]) -> list[float]:
        """Give the height of each row's header: that of the highest in it."""
        return [
            max(h for h, (r, _) in zip(heights, self.places, strict=True) if r == row)
            for row in range(self.rows)
        ]

    def place(
        self, headers: Sequence[float], title: str, subtitle: str, notes: Sequence[str], ruler: Ruler
    ) -> None:
        """Place the panels and write title, legend and footnotes; ``headers`` has a height a row."""
        room = self.page_width - 2 * MARGIN
        titles = ruler.wrap(title.split(" "), room, style.TITLE, weight="bold")
        under = ruler.wrap(subtitle.split(" "), room, style.BODY + 1)
        feet = [line for note in notes for line in ruler.wrap(note.split(" "), room, style.SMALL)]
        legend = _Legend(self.axes, room, ruler)
        top = MARGIN + len(titles) * _TITLE_PT + len(under) * _SUBTITLE_PT
        body = sum(headers) + sum(self.heights) + (self.rows - 1) * self.between + _X_LABELS_PT
        height = top + body + legend.height + 4 + len(feet) * _NOTE_PT + MARGIN
        self.figure.set_size_inches(self.page_width / 72, height / 72)
        self._place_axes(headers, top, height)
        title_line, top_line = (
            1 - MARGIN / 2 / height,
            1 - (MARGIN / 2 + len(titles) * _TITLE_PT + 2) / height,
        )
        self.figure.suptitle(
            "\n".join(titles), **self._font(style.TITLE, style.INK), y=title_line, weight="bold"
        )
        self._write(under, top_line, "top", style.BODY + 1)
        legend.draw(self.figure, MARGIN / self.page_width, 1 - (top + body) / height)
        self._write(feet, (MARGIN - 4) / height, "bottom", style.SMALL)

    def _font(self, size: float, colour: str) -> dict[str, Any]:
        """Give what all texts of the page share: the left margin, and that dollars are no formulas."""
        return {
            "x": MARGIN / self.page_width,
            "ha": "left",
            "fontsize": size,
            "color": colour,
            "linespacing": 1.15,
            "parse_math": False,
        }

    def _write(self, lines: Sequence[str], y: float, va: str, size: float) -> None:
        self.figure.text(y=y, s="\n".join(lines), va=va, **self._font(size, style.MUTED))

    def _place_axes(self, headers: Sequence[float], top: float, height: float) -> None:
        bottoms, y = [], top
        for header, panel in zip(headers, self.heights, strict=True):
            y += header + panel
            bottoms.append(y)
            y += self.between
        for ax, (row, column) in zip(self.axes, self.places, strict=True):
            ax.set_position(
                (
                    self.lefts[column] / self.page_width,
                    1 - bottoms[row] / height,
                    self.width / self.page_width,
                    self.heights[row] / height,
                )
            )


class _Legend:
    """One legend for all panels, with an entry for every mark that is there and for no other."""

    def __init__(self, axes: Sequence[Axes], room: float, ruler: Ruler) -> None:
        found: dict[str, Any] = {}
        for ax in axes:
            for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
                found.setdefault(label, handle)
        rank = {label: i for i, label in enumerate(style.LEGEND_ORDER)}
        self.entries = sorted(found.items(), key=lambda e: rank.get(e[0], rank[style.TARGET]))
        widest = max((ruler.width(label, style.BODY) for label in found), default=0.0) + _HANDLE_PT
        self.across = max(1, min(len(found), int(room // widest)))
        self.height = -(-len(found) // self.across) * _LEGEND_PT

    def draw(self, figure: Figure, left: float, top: float) -> None:
        """Draw it with its upper left corner there (fractions of the figure)."""
        if not self.entries:
            return
        labels, handles = zip(*self.entries, strict=True)
        figure.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(left, top),
            ncols=self.across,
            frameon=False,
            fontsize=style.BODY,
            labelcolor=style.INK,
            borderaxespad=0,
            borderpad=0,
            handlelength=2.4,
            handletextpad=0.7,
            columnspacing=1.5,
            labelspacing=0.45,
            numpoints=1,
            markerscale=1,
        )
