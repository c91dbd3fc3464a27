"""For whom something was seen, and who fell behind whom: people first, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from qi_equity.change.verdicts import IMPROVED, NARROWED, WIDENED
from qi_equity.data.measure import Measure
from qi_equity.pdsa.change_package.judged import NOT_JUDGED
from qi_equity.pdsa.change_package.tables import NOT_EVALUATED
from qi_equity.spc.words import and_list

__all__ = ["gap_moved", "gaps_moved", "people_of", "recorded_as", "seen_in", "verdicts_of"]

_PEOPLE = {"woman": "women", "baby": "babies"}


def people_of(measure: Measure) -> str:
    """Name whom a measure counts."""
    return _PEOPLE[measure.counts]


def recorded_as(groups: Iterable[str], people: str) -> str:
    """Name people by how they are recorded; by the names alone where no people are given, as in a table."""
    names = and_list([str(group) for group in groups])
    return f"{people} recorded as {names}" if people else names


def verdicts_of(own: pd.DataFrame) -> pd.DataFrame:
    """Keep the groups of an idea that were judged."""
    return own[~own["state"].isin((NOT_EVALUATED, NOT_JUDGED))]


def seen_in(row: Mapping[Any, Any], own: pd.DataFrame, people: str) -> str:
    """Say in whom the effect of an idea was seen; nothing where it was seen in nobody."""
    judged = verdicts_of(own)
    better = judged.loc[judged["state"] == IMPROVED, "group"].tolist()
    if better and len(better) == len(judged) > 1:
        return f"seen in each group: {recorded_as(better, people)}"
    if better:
        return f"so far seen only in {recorded_as(better, people)}"
    return "seen over all groups together, in no group by itself" if row["state"] == IMPROVED else ""


def gap_moved(
    gap: Mapping[Any, Any], state: str, people: str, groups: Iterable[str], *, maybe: bool = False
) -> str:
    """Say who lost ground to whom, or who came closer; of another state only between whom the gap is.

    Parameters
    ----------
    gap : mapping
        ``group, reference, gap_change``: the change of the group over that of the reference, adverse.
    state : str
        "narrowed" or "widened".
    people : str
        Whom the measure counts.
    groups : iterable of str
        The groups: a reference that is one is told as people recorded as it.
    maybe : bool
        Whether it does not stand, and is only told as what may be.
    """
    one = recorded_as([gap["group"]], people)
    other = str(gap["reference"])
    other = recorded_as([other], people) if other in set(groups) else other
    if state == WIDENED:
        behind, ahead = (one, other) if gap["gap_change"] > 1 else (other, one)
        return f"{behind} {'may have fallen' if maybe else 'fell'} behind {ahead}"
    if state == NARROWED:
        nearer, to = (one, other) if gap["gap_change"] < 1 else (other, one)
        return f"{nearer} {'may have come' if maybe else 'came'} closer to {to}"
    return f"{one} and {other}"


def gaps_moved(own: pd.DataFrame, state: str, people: str) -> list[str]:
    """Say of each gap of an idea that has this state who fell behind, or came closer to, whom."""
    groups = own["group"].tolist()
    return [
        gap_moved(gap, state, people, groups) for gap in own[own["gap_state"] == state].to_dict("records")
    ]
