"""What the reader of a change package must be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from qi_equity import _result
from qi_equity._result import Severity
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.verdicts import NARROWED, WIDENED, WORSENED
from qi_equity.pdsa.change_package.effects import PooledIdea, changes_of
from qi_equity.pdsa.change_package.facts import Case
from qi_equity.pdsa.change_package.judged import EXPLAINED, Judged
from qi_equity.pdsa.change_package.ladder import REPLICATED
from qi_equity.pdsa.change_package.whom import gap_moved, gaps_moved, people_of, recorded_as
from qi_equity.pdsa.records.network import Network

__all__ = ["notes_of", "of_records"]

_FEW_SITES = 5
_BEFORE_AFTER = (
    "What is told is what was seen after a change beside the time before it; it does not say what caused it. "
    "Whether it stands apart from an earlier trend is told by beyond_trend in the evaluation of each site."
)
_INTERVALS = (
    "Each interval is for its own comparison. What is called an effect also stands among all comparisons of "
    "the list: an interval that leaves out no effect may not."
)
_BESIDE = (
    "At the same sites other changes of the same measure were implemented too: {}. What was seen cannot be "
    "told apart from them by dates alone."
)
_NOT_RECORDED = "Evaluated at sites that have no record of implementing it: {}."
_NOT_EVALUATED = "Implemented, but not in the evaluation: {}."
_NAMES = "Sites call it by different names: {}."
_NOT_SHARED = "No site has shared this idea with the network: ask before its name is published."
_LOST = "Seen by its own interval, but not when all comparisons, and the mix of groups, are held: {}."
_WIDENED = "Gaps widened: {}. What was seen did not come to all alike."
_MAY_HARM = "May be worse than before (does not stand among all comparisons; watch it): {}."
_WORSE = "Worse than before: {}. This is no change to spread as it is."
_SAME_WAY = (
    "All {0} sites go in the better direction; of changes that do nothing, 1 in {1:,} would do so by chance."
)
_SEVERAL = "Carried out at {} sites, but not evaluated over them: no direction can be told."
_NO_BETTER = "The measure has no better direction, so that no effect of it can be called one that helps."
_FEW = "The effect overall is pooled from {} sites: how much sites differ is hardly known from so few."
_AGAIN = "Further changes in the evaluation, such as where it was stopped, are in none of these numbers."

_BETTER, _WORSENED = ("improved", "fell", "rose", "narrowed", "reversed"), ("worsened", "widened")


def of_records(
    network: Network, found: Mapping[str, Case], evaluations: Mapping[str, ChangeEvaluation]
) -> pd.DataFrame:
    """Tell what the records say that bears on the evaluations."""
    rows: list[tuple[str, str, Severity, str]] = []
    for code, case in found.items():
        names = list(dict.fromkeys(idea.name for idea in case.ideas))
        if len(names) > 1:
            rows.append((code, "names_differ", "info", _NAMES.format("; ".join(names))))
        if not any(idea.shared for idea in case.ideas):
            rows.append((code, "idea_not_shared", "caution", _NOT_SHARED))
        if code in evaluations:
            rows += _of_sites(network, found, code, evaluations[code])
    return _frame(rows)


def notes_of(
    ideas: pd.DataFrame,
    groups: pd.DataFrame,
    pooled: Mapping[str, PooledIdea],
    judged: Judged,
    said: pd.DataFrame,
    disclosed: str,
) -> pd.DataFrame:
    """Put together the notes."""
    parts = [_result.note("before_and_after", "caution", _BEFORE_AFTER)] if pooled else []
    parts += [_result.note("comparisons", "info", f"{EXPLAINED} {_INTERVALS}")] if pooled else []
    parts += [_result.note("disclosed", "info", disclosed)] if disclosed else []
    rows: list[tuple[str, str, Severity, str]] = []
    for row in ideas.to_dict("records"):
        code = row["code"]
        if code in pooled:
            own = groups[groups["code"] == code]
            rows += ((code, *told) for told in _of_effects(row, own, pooled[code], judged[code]))
        elif row["sites"] > 1:
            rows.append((code, "not_evaluated", "caution", _SEVERAL.format(row["sites"])))
    return _result.notes([*parts, _frame(rows), said], ("idea",))


def _frame(rows: Iterable[tuple[str, str, Severity, str]]) -> pd.DataFrame:
    parts = [
        _result.note(code, severity, text, pd.DataFrame({"idea": [idea]}))
        for idea, code, severity, text in rows
    ]
    return _result.notes(parts, ("idea",))


def _of_sites(
    network: Network, found: Mapping[str, Case], code: str, evaluation: ChangeEvaluation
) -> Iterator[tuple[str, str, Severity, str]]:
    measure = evaluation.series.measure.name
    evaluated = changes_of(evaluation)["site"].unique().tolist()
    own = network.phases(measure, idea=code)["site"].unique().tolist()
    stray = [site for site in evaluated if site not in own]
    if stray:
        yield code, "site_without_record", "caution", _NOT_RECORDED.format(", ".join(stray))
    away = [site for site in own if site not in evaluated]
    if away:
        yield code, "site_not_evaluated", "caution", _NOT_EVALUATED.format(", ".join(away))
    beside = []
    for other in found.values():
        table = network.phases(measure, idea=other.code)
        sites = [site for site in table["site"].unique() if site in evaluated]
        if other.code != code and sites:
            beside.append(f"{other.name} ({', '.join(sites)})")
    if beside:
        yield code, "other_changes", "caution", _BESIDE.format("; ".join(beside))


def _of_effects(
    row: Mapping[Any, Any], own: pd.DataFrame, idea: PooledIdea, judged: tuple[pd.DataFrame, ...]
) -> Iterator[tuple[str, Severity, str]]:
    for text in idea.said:
        yield "effect_overall", "caution", text
    if idea.changed_again:
        yield "changed_again", "info", _AGAIN
    measure = idea.by_group.evaluation.series.measure
    if measure.better is None:
        yield "no_better_direction", "caution", _NO_BETTER
    if 1 < row["sites_pooled"] < _FEW_SITES:
        yield "few_sites", "caution", _FEW.format(row["sites_pooled"])
    people = people_of(measure)
    lost, harm = _lost(judged, _BETTER, people), _lost(judged, _WORSENED, people)
    if lost:
        yield "lost_to_comparisons", "info", _LOST.format("; ".join(lost))
    if harm:
        yield "may_be_worse", "caution", _MAY_HARM.format("; ".join(harm))
    worse = ["all groups together"] if row["state"] == WORSENED else []
    in_groups = own.loc[own["state"] == WORSENED, "group"].tolist()
    worse += [recorded_as(in_groups, people)] if in_groups else []
    if worse:
        yield "worse", "warning", _WORSE.format("; ".join(worse))
    if row["gaps_widened"]:
        yield "gaps_widened", "warning", _WIDENED.format("; ".join(gaps_moved(own, WIDENED, people)))
    if row["strength"] == REPLICATED:
        yield "same_direction", "info", _SAME_WAY.format(row["replicated"], 2 ** row["replicated"])


def _lost(judged: tuple[pd.DataFrame, ...], which: tuple[str, ...], people: str) -> list[str]:
    """Name what its own interval shows and the list does not."""
    together, groups, gaps = (_gone(table, which) for table in judged)
    said = ["all groups together"] if len(together) else []
    said += [recorded_as(groups["group"], people)] if len(groups) else []
    everyone = judged[1]["group"].astype("str").tolist() if len(judged[1]) else []
    for gap in gaps.to_dict("records"):
        moved = gap_moved(gap, gap["verdict"], people, everyone, maybe=True)
        known = gap["verdict"] in (NARROWED, WIDENED)
        said.append(moved if known else f"gap between {moved} ({gap['verdict']})")
    return said


def _gone(table: pd.DataFrame, which: tuple[str, ...]) -> pd.DataFrame:
    if table.empty:
        return table
    lost = table["counted"] & (table["verdict"] != table["state"])
    return table[lost & table["verdict"].str.startswith(which)]
