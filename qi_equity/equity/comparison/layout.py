"""Sets of strata that are compared with one another, as dense blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data import regroup
from qi_equity.data.cells import Bools, Ints
from qi_equity.data.spans import Spans
from qi_equity.errors import OptionError

Across = Literal["group", "site", "group within site"]
ACROSS: tuple[Across, ...] = ("group", "site", "group within site")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which stratum is which unit of which set.

    Blocks of the spans have the shape (S, K): strata and spans. Blocks of a comparison have (K, G, U): spans,
    sets and the units of each set.

    Parameters
    ----------
    sets : pandas.DataFrame, G rows
        What the units of a set have in common.
    place : ndarray of int, shape (G, U)
        Stratum of each unit; -1 where a set has fewer.
    set_of, unit_of : ndarray of int, shape (S,)
        The same the other way round.
    """

    sets: pd.DataFrame
    place: Ints
    set_of: Ints
    unit_of: Ints

    def gather(self, block: NDArray[Any], absent: Any = np.nan) -> NDArray[Any]:
        """Turn a block (S, K) into (K, G, U)."""
        spread = np.moveaxis(block[self.place], 2, 0)
        return np.where(self.place >= 0, spread, absent)

    def scatter(self, block: NDArray[Any]) -> NDArray[Any]:
        """Turn a block (K, G, U) into (S, K)."""
        return np.moveaxis(block[:, self.set_of, self.unit_of], 0, 1)


def lay_out(spans: Spans, leaving_out: str) -> Layout:
    """Put strata that differ in nothing but one column into one set."""
    strata = spans.cells.strata
    set_of, sets = regroup.distinct(strata.drop(columns=leaving_out))
    order = np.argsort(set_of, kind="stable")
    size = np.bincount(set_of, minlength=len(sets))
    first = np.cumsum(size) - size
    unit_of = np.empty(len(strata), dtype=np.int64)
    unit_of[order] = np.arange(len(strata)) - first[set_of[order]]
    place = np.full((len(sets), int(size.max(initial=0))), -1, dtype=np.int64)
    place[set_of, unit_of] = np.arange(len(strata))
    return Layout(sets, place, set_of, unit_of)


def layout_of(spans: Spans, across: Across) -> Layout:
    """Lay out what is compared: the groups of each site, or the sites of each group.

    Raises
    ------
    OptionError
        If there are no sites to compare, the groups overlap, or the strata of a set have different spans.
    """
    if across == "group":
        regroup.refuse_overlap(spans.series, "across='group'")
        layout = lay_out(spans, "group")
    else:
        if "site" not in spans.cells.strata:
            raise OptionError(
                f"across={across!r} is not possible: the series has no sites; name the column of the sites "
                "when the series is made, or use across='group'."
            )
        layout = lay_out(spans, "site")
    _check_same_spans(spans, layout, across)
    return layout


def _check_same_spans(spans: Spans, layout: Layout, across: Across) -> None:
    differs = False
    for edge in (spans.start, spans.end):
        days = layout.gather(edge, np.datetime64("NaT", "us"))
        first = np.fmin.reduce(days, axis=-1, keepdims=True)
        differs |= bool((~np.isnat(days) & (days != first)).any())
    if differs:
        raise OptionError(
            f"over= gives strata that across={across!r} compares different spans; give all of them the same "
            "dates."
        )


def judgeable(layout: Layout, spans: Spans) -> Bools:
    """Units whose counts are known and that have births, shape (K, G, U)."""
    cells = spans.cells
    known: Bools = layout.gather(cells.reported & (cells.denominator > 0), False)
    return known
