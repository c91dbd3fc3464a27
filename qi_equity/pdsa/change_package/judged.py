"""Which effects stand when all comparisons of the list are held together against chance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change.verdicts import NO_CHANGE, NOT_VISIBLE
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.holm import holm
from qi_equity.pdsa.change_package.effects import ODDS, RATIO, PooledIdea

__all__ = ["EXPLAINED", "NOT_JUDGED", "Judged", "judge"]

EXPLAINED = (
    "Two questions, each with half of the chance of a false claim: whether the effect overall of an idea is "
    "none (Holm over the ideas), and whether that in a group is none (Holm over all groups of all ideas). An "
    "idea with an effect in either is then looked at further: for which groups (Holm over its groups), and "
    "which gaps moved (Holm over its gaps)."
)

NOT_JUDGED = "not judged"
"""The state of those whose group is unknown."""

_UNCHANGED = (NO_CHANGE, NOT_VISIBLE, "is the reference")
Judged = dict[str, tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]
"""For each idea: overall, groups and gaps on the scale of ratios, with ``adjusted_p`` and ``state``."""


def judge(pooled: Mapping[str, PooledIdea], level: float, unknown: Collection[str]) -> Judged:
    r"""Give every effect its p-value among all comparisons, and the state that stands.

    With the chance :math:`\alpha` of a false claim, an idea is opened if one of its effects stands at
    :math:`\alpha / 2` among those of the same question in the whole list. In an idea of which nothing holds,
    a claim needs it to be opened first, so that the list calls any such idea an effect with a chance of at
    most :math:`\alpha`. Those whose group is unknown are no group to compare, and are not judged.
    """
    parts = {
        code: (_on_ratio(i.together), _on_ratio(i.groups, unknown), _on_ratio(i.gaps, unknown))
        for code, i in pooled.items()
    }
    overall = _halves([together for together, _, _ in parts.values()])
    any_group = _halves([groups for _, groups, _ in parts.values()])
    found: Judged = {}
    for (code, (together, groups, gaps)), p, others in zip(parts.items(), overall, any_group, strict=True):
        opened = bool((p < level).any() or (others < level).any())
        meaningful = pooled[code].by_group.evaluation.options["meaningful"]
        found[code] = (
            _stands(together, p, p < level, meaningful),
            _stands(groups, own := _adjusted(groups), opened & (own < level), meaningful),
            # Where a gap that closes is within what is meaningful is for its verdict to say, not for this.
            _stands(gaps, own := _adjusted(gaps), opened & (own < level), np.nan),
        )
    return found


def _on_ratio(table: pd.DataFrame, unknown: Collection[str] = ()) -> pd.DataFrame:
    if table.empty:
        return pd.DataFrame({"p": pd.Series(dtype="float64"), "counted": pd.Series(dtype="bool")})
    # Models of counts give gaps as odds ratios only.
    scale = RATIO if (table["scale"] == RATIO).any() else ODDS
    table = table[table["scale"] == scale].reset_index(drop=True)
    return table.assign(counted=~table["group"].isin(unknown))


def _adjusted(table: pd.DataFrame) -> Floats:
    if table.empty:
        return np.empty(0)
    return holm(table["p"].to_numpy(np.float64), counted=table["counted"].to_numpy(bool))


def _halves(families: list[pd.DataFrame]) -> list[Floats]:
    """Adjust p-values of all ideas together, for half of the level."""
    if not families:
        return []
    together = np.minimum(2 * _adjusted(pd.concat(families, ignore_index=True)), 1)
    return np.split(together, np.cumsum([len(p) for p in families])[:-1])


def _stands(table: pd.DataFrame, p: Floats, stands: Bools, meaningful: float) -> pd.DataFrame:
    """Keep the verdicts that stand; others are what their interval says without them."""
    if table.empty:
        return table.assign(adjusted_p=np.nan, state=pd.Series(dtype="str"))
    verdict = table["verdict"].to_numpy(dtype=object)
    keep: Any = np.isin(verdict.astype(str), _UNCHANGED) | stands
    lower, upper = ("lower", "upper") if "lower" in table else ("gap_change_lower", "gap_change_upper")
    inside = (table[lower] >= meaningful) & (table[upper] <= 1 / meaningful)
    state = np.select([~table["counted"], keep, inside], [NOT_JUDGED, verdict, NO_CHANGE], NOT_VISIBLE)
    return table.assign(adjusted_p=p, state=pd.Series(state.astype(str), dtype="str"))
