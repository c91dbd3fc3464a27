"""What the reader of a change package must be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from qi_equity import _result
from qi_equity._result import Severity
from qi_equity.change.result import ChangeEvaluation
from qi_equity.pdsa.change_package.effects import PooledIdea, changes_of
from qi_equity.pdsa.change_package.facts import Case
from qi_equity.pdsa.change_package.judged import EXPLAINED, Judged
from qi_equity.pdsa.change_package.ladder import REPLICATED
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
_LOST = "Left out no effect by its own interval, but does not stand among all comparisons: {}."
_WIDENED = "Gaps widened: {}. What was seen overall did not reach these groups in the same way."
_MAY_HARM = "May be worse than before (does not stand among all comparisons; watch it): {}."
_WORSE = "Worse than before: {}. This is no change to spread as it is."
_SAME_WAY = (
    "All {0} sites go in the better direction; with a change that does nothing this happens in 1 of {1:,} "
    "lists."
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
            rows += ((code, *told) for told in _of_effects(row, pooled[code], judged[code]))
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
    row: Mapping[Any, Any], idea: PooledIdea, judged: tuple[pd.DataFrame, ...]
) -> Iterator[tuple[str, Severity, str]]:
    for text in idea.said:
        yield "effect_overall", "caution", text
    if idea.changed_again:
        yield "changed_again", "info", _AGAIN
    if idea.by_group.evaluation.series.measure.better is None:
        yield "no_better_direction", "caution", _NO_BETTER
    if 1 < row["sites_pooled"] < _FEW_SITES:
        yield "few_sites", "caution", _FEW.format(row["sites_pooled"])
    lost, harm = _lost(judged, _BETTER), _lost(judged, _WORSENED)
    if lost:
        yield "lost_to_comparisons", "info", _LOST.format("; ".join(lost))
    if harm:
        yield "may_be_worse", "caution", _MAY_HARM.format("; ".join(harm))
    worse = ["all together"] if row["state"] == "worsened" else []
    worse += [name for name in row["worsened_in"].split("; ") if name]
    if worse:
        yield "worse", "warning", _WORSE.format("; ".join(worse))
    if row["gaps_widened"]:
        yield "gaps_widened", "warning", _WIDENED.format(row["gaps_widened"])
    if row["strength"] == REPLICATED:
        yield "same_direction", "info", _SAME_WAY.format(row["replicated"], 2 ** row["replicated"])


def _lost(judged: tuple[pd.DataFrame, ...], which: tuple[str, ...]) -> list[str]:
    """Name what its own interval shows and the list does not."""
    together, groups, gaps = judged
    said = []
    for table, text in ((together, "all together"), (groups, "{}"), (gaps, "gap of {}")):
        if not table.empty:
            lost = table["counted"] & (table["verdict"] != table["state"])
            gone = table[lost & table["verdict"].str.startswith(which)]
            said += [text.format(group) for group in gone["group"].astype("str")]
    return said
