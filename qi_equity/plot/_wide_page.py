"""A page whose panels stand one under the other over the whole width of a slide."""

from __future__ import annotations

from collections.abc import Sequence

from qi_equity.plot._layout import MARGIN, Page

_WIDTH_PT = 12.8 * 72


class WidePage(Page):
    """A page of one column, as wide as one of several; sizes are in points."""

    def __init__(self, heights: Sequence[float], *, left: float, between: float) -> None:
        super().__init__([False] * len(heights), 1, left=left, heights=heights, between=between)
        self.page_width = _WIDTH_PT
        self.width = _WIDTH_PT - left - MARGIN
