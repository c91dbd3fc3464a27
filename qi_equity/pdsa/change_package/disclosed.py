"""A change package as it may leave: effects from disclosed counts, small numbers of people withheld."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qi_equity.data.cells import Bools
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.formulas.suppression import rounded
from qi_equity.pdsa.change_package.facts import ALL

__all__ = ["shown_people"]


def shown_people(
    facts: pd.DataFrame, reach: pd.DataFrame, rule: SuppressionRule
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Withhold small numbers of people, and what they could be worked out from.

    Where a number of an idea is protected, its numbers of all together, planned or reached, are withheld too:
    the others taken from them would give it. Scales in words are withheld, as they often hold a number.
    """
    if not rule.protects and rule.rounding is None:
        return facts, reach
    small = _protected(reach["reached"], rule)
    codes = set(reach.loc[small, "code"])
    for column in ("people_reached", "people_planned"):
        codes |= set(facts.loc[_protected(facts[column], rule), "code"])
    open_facts = ~facts["code"].isin(codes)
    together = reach["group"] == ALL
    told = facts.assign(
        scale="",
        people_reached=_shown(facts["people_reached"], rule).where(open_facts),
        people_planned=_shown(facts["people_planned"], rule).where(open_facts),
    )
    kept = _shown(reach["reached"], rule).where(~(together & reach["code"].isin(codes)))
    return told, reach.assign(reached=kept)


def _protected(counts: pd.Series, rule: SuppressionRule) -> Bools:
    return np.asarray((counts >= rule.smallest) & (counts <= rule.largest)) & rule.protects


def _shown(counts: pd.Series, rule: SuppressionRule) -> pd.Series:
    values = counts.to_numpy(np.float64)
    kept = values if rule.rounding is None else rounded(values, rule.rounding)[0]
    mark = float(rule.mark) if isinstance(rule.mark, int) else np.nan
    return pd.Series(np.where(_protected(counts, rule), mark, kept), index=counts.index)
