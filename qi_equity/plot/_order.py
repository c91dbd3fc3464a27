"""The order of groups: an explicit choice, whose reason stands in the footnote."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from qi_equity import _validate
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.unknown import unknown_groups
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

_ORDERS = ("alphabetical", "declared", "size")

Sizes = Mapping[str, float]


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
    strata, points = chart.strata, chart.points
    amount = points["denominator"].fillna(points["numerator"])
    size = amount.groupby(points["group"].astype(str)).sum()
    groups, name = order_groups(chart.series, strata, order, {"size": numbers_by(size)})
    return rows_in_order(strata, groups), name


def rows_in_order(strata: pd.DataFrame, groups: Sequence[str]) -> list[int]:
    """Give the rows of some strata: sites in declared order, within each the groups in the order given."""
    rank = {g: i for i, g in enumerate(groups)}
    keys = pd.DataFrame({"group": strata["group"].astype(str).map(rank).to_numpy()})
    if "site" in strata:
        keys.insert(0, "site", pd.Categorical(strata["site"]).codes)
    return keys.sort_values(list(keys.columns), kind="stable").index.tolist()


def order_groups(
    series: StratifiedSeries, strata: pd.DataFrame, order: str | Sequence[str], by: Mapping[str, Sizes]
) -> tuple[list[str], str]:
    """Give the groups of some strata in an order, and the name of that order.

    ``by`` holds the numbers by which groups can be ordered, largest first: ``size``, and ``rate`` where a
    figure knows one. Women of unknown ethnicity come last in every order but the declared and the given one.

    Raises
    ------
    InputTypeError
        If ``order`` is neither text nor a sequence of texts.
    OptionError
        If it is no known order, or does not name each group once.
    """
    declared = list(dict.fromkeys(strata["group"].astype(str)))
    if not isinstance(order, str):
        return _given(order, declared), "given"
    name = _validate.one_of("order", order, tuple(dict.fromkeys((*_ORDERS, *by))))
    if name == "declared":
        return declared, name
    unknown = unknown_groups(series)
    if name == "alphabetical":
        return sorted(declared, key=lambda g: (g in unknown, "" if g in unknown else g.casefold())), name
    return sorted(declared, key=lambda g: (g in unknown, _largest_first(by[name].get(g)))), name


def numbers_by(numbers: pd.Series[float]) -> Sizes:
    """Give a column of numbers by their labels."""
    return {str(label): float(value) for label, value in numbers.items()}


def _largest_first(size: float | None) -> tuple[bool, float]:
    """Give a key that puts what has no number last."""
    return (True, 0.0) if size is None or math.isnan(size) else (False, -size)


def _given(order: Sequence[str], declared: list[str]) -> list[str]:
    names = list(_validate.names("order", order))
    absent, extra = ([g for g in a if g not in b] for a, b in ((declared, names), (names, declared)))
    if absent or extra:
        raise OptionError(
            f"order={names!r} must name each group once; absent: {absent}, not groups of this figure: "
            f"{extra}. The groups are {declared}."
        )
    return names
