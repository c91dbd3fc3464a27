"""The order of the panels: an explicit choice, whose reason stands in the footnote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from qi_equity import _validate
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_UNKNOWN = ("Not stated", "Not known", "Missing")
_ORDERS = ("alphabetical", "declared", "size")


def ordered(chart: ControlChart, order: str | Sequence[str]) -> tuple[list[int], str]:
    """Give the rows of ``chart.strata`` in the order of the panels, and the name of that order.

    Sites come first, in declared order, and within each the groups in the same order.

    Raises
    ------
    InputTypeError
        If ``order`` is neither text nor a sequence of texts.
    OptionError
        If it is no known order, or does not name each group once.
    """
    strata = chart.strata
    declared = list(dict.fromkeys(strata["group"].astype(str)))
    name = _validate.one_of("order", order, _ORDERS) if isinstance(order, str) else "given"
    groups = _groups(chart, declared, name) if isinstance(order, str) else _given(order, declared)
    rank = {g: i for i, g in enumerate(groups)}
    keys = pd.DataFrame({"group": strata["group"].astype(str).map(rank).to_numpy()})
    if "site" in strata:
        keys.insert(0, "site", pd.Categorical(strata["site"]).codes)
    return keys.sort_values(list(keys.columns), kind="stable").index.tolist(), name


def _groups(chart: ControlChart, declared: list[str], order: str) -> list[str]:
    scheme = chart.series.scheme
    unknown = {*_UNKNOWN, *(scheme.unknown if scheme is not None else ())}
    if order == "declared":
        return declared
    if order == "alphabetical":
        return sorted(declared, key=lambda g: (g in unknown, "" if g in unknown else g.casefold()))
    points = chart.points
    amount = points["denominator"].fillna(points["numerator"])
    size = amount.groupby(points["group"].astype(str)).sum()
    return sorted(declared, key=lambda g: (g in unknown, -float(size.get(g, 0.0))))


def _given(order: Sequence[str], declared: list[str]) -> list[str]:
    names = list(_validate.names("order", order))
    absent, extra = ([g for g in a if g not in b] for a, b in ((declared, names), (names, declared)))
    if absent or extra:
        raise OptionError(
            f"order={names!r} must name each group once; absent: {absent}, not groups of this chart: {extra}."
            f" The groups are {declared}."
        )
    return names
