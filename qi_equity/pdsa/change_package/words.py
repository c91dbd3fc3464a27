"""A change package in words: a table, and a paragraph for each idea."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.data.measure import Measure
from qi_equity.pdsa.change_package.facts import DECISIONS
from qi_equity.pdsa.change_package.judged import NOT_JUDGED
from qi_equity.pdsa.change_package.ladder import TESTED
from qi_equity.pdsa.change_package.tables import NOT_EVALUATED
from qi_equity.spc.words import and_list, plural

if TYPE_CHECKING:
    from qi_equity.pdsa.change_package.result import BestPractice

__all__ = ["in_short", "markdown"]

_PEOPLE = {"woman": "women", "baby": "babies"}
_STATES = {
    "improved": "better than before",
    "worsened": "worse than before",
    "fell": "lower than before",
    "rose": "higher than before",
    "no meaningful change": "no meaningful change",
}
_WAYS = {"without the event": " (those without it)", "reversed": " (before over after)"}
_MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
_HEAD = (
    "Change idea",
    "Strength",
    "Sites",
    "Cycles",
    "Effect overall",
    "Better for",
    "Worse for",
    "Gaps",
    "Harm seen in",
    "Not tested for",
)


def in_short(package: BestPractice) -> str:
    """Say one line an idea."""
    lines = [
        f"{row['name']}: {_strength(row)} ({_overall(row)}; gaps: {_gaps(row)})"
        for row in package._ideas.to_dict("records")
    ]
    return "\n".join(["Change package, the strongest evidence first:", *lines])


def markdown(package: BestPractice) -> str:
    """Write what a network would publish."""
    rows = package._ideas.to_dict("records")
    lines = ["# Change package", "", _how(package), "", _line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line(_cells(row)) for row in rows]
    for row in rows:
        own = package._groups[package._groups["code"] == row["code"]]
        notes = package._notes[package._notes["idea"] == row["code"]]
        lines += ["", f"## {_plain(row['name'])}", "", " ".join(_sentences(row, own, package))]
        lines += ["", *(f"- {_plain(text)}" for text in notes["text"])] if len(notes) else []
    general = package._notes.loc[package._notes["idea"].isna(), "text"]
    lines += (
        ["", "## How to read this", "", *(f"- {_plain(text)}" for text in general)] if len(general) else []
    )
    return "\n".join(lines) + "\n"


def _how(package: BestPractice) -> str:
    return (
        "Strength, weakest first: idea; tested at one site, or at more and not replicated; "
        "replicated (all of two or more sites in the better direction); pooled effect (also stands among all "
        "comparisons of this list); gap-narrowing shown. Effects are ratios of the adverse outcome, after "
        f"over before, with {package.method['confidence']:.0%} intervals: below 1 is better. This is a menu, "
        'not a prescription; "not yet visible" does not mean that there is no difference.'
    )


def _cells(row: Mapping[Any, Any]) -> list[str]:
    names = ("improved_in", "worsened_in", "harm_seen", "not_tested_for")
    better, worse, harm, untested = (_names(row[n]) if row[n] else "–" for n in names)
    counts = (str(row["sites"]), str(row["cycles"]))
    seen = (_overall(row), better, worse, _gaps(row), harm, untested)
    return [_plain(row["name"]), _strength(row), *counts, *seen]


def _strength(row: Mapping[Any, Any]) -> str:
    """Name the rung; one that was tried at several sites is not said to be tested at one."""
    if row["strength"] == TESTED and max(row["sites"], row["sites_evaluated"]) > 1:
        return "tested, not replicated"
    return str(row["strength"])


def _gaps(row: Mapping[Any, Any]) -> str:
    """Name the gaps that moved; else what is known of the clearest."""
    moved = [
        f"{word} for {_names(row[column])}"
        for column, word in (("gaps_narrowed", "narrowed"), ("gaps_widened", "widened"))
        if row[column]
    ]
    return "; ".join(moved) or str(row["gap_state"])


def _sentences(row: Mapping[Any, Any], own: pd.DataFrame, package: BestPractice) -> list[str]:
    """Say whom it was tried with, what was seen, in whom, of which gaps, of harm, and for whom not."""
    return [
        *_tried(row),
        *(_seen(row, own, package) if row["state"] != NOT_EVALUATED else ["Not evaluated over sites."]),
        *_harm(row),
        *([f"Not tested for: {_names(row['not_tested_for'])}."] if row["not_tested_for"] else []),
    ]


def _tried(row: Mapping[Any, Any]) -> list[str]:
    said = [f"**{_strength(row).capitalize()}.**"]
    if not row["cycles"]:
        return [*said, "No cycle has been carried out."]
    said.append(f"Carried out in {plural(row['cycles'], 'cycle')} at {_names(row['site_names'])}.")
    if np.isfinite(row["people_reached"]):
        said.append(f"The largest reached {row['people_reached']:,.0f} people.")
    if row["scale"]:
        said.append(f"Largest scale planned: {_plain(row['scale'])}.")
    decided = [f"{d} {row[d]}" for d in DECISIONS if row[d]]
    return [*said, f"Decisions: {', '.join(decided)}." if decided else "Nothing is decided yet."]


def _seen(row: Mapping[Any, Any], own: pd.DataFrame, package: BestPractice) -> list[str]:
    """Say what was seen after the change, overall, by group and of gaps."""
    evaluation = package.evaluations[row["code"]]
    measure = evaluation.series.measure
    people, way = _PEOPLE[measure.counts], _WAYS.get(evaluation.method["orientation"], "")
    said = [f"{_plain(measure.name)}{way}.", *_seen_overall(row, measure)]
    judged = own[~own["state"].isin((NOT_EVALUATED, NOT_JUDGED))]
    for state, part in judged.groupby("state", sort=False):
        told = and_list([_group(g) for g in part.to_dict("records")])
        said.append(f"{_STATES.get(str(state), str(state)).capitalize()} for {people} recorded as {told}.")
    moved = own[own["gap_p"].notna()].to_dict("records")
    return said + [f"Gap of {_plain(g['group'])} to {_plain(g['reference'])}: {_gap(g)}." for g in moved]


def _seen_overall(row: Mapping[Any, Any], measure: Measure) -> list[str]:
    if np.isnan(row["effect"]):
        return ["No effect is told over all groups together."]
    said = [f"All groups together, over {plural(row['sites_pooled'], 'site')}: {_overall(row)}."]
    another = _range(row["prediction_lower"], row["prediction_upper"])
    if another:
        said.append(f"Another such site: {another}.")
    if np.isfinite(row["difference"]):
        middle, least, most = (
            f"{row[name] * measure.multiplier:+.3g}"
            for name in ("difference", "difference_lower", "difference_upper")
        )
        said.append(f"{f'As a difference: {middle}, {least} to {most} {measure.unit}'.strip()}.")
    same = f"{row['replicated']} of {plural(row['sites_evaluated'], 'site')}"
    return [*said, f"{same} in the same direction."]


def _group(row: Mapping[Any, Any]) -> str:
    numbers = _numbers(row["effect"], row["lower"], row["upper"])
    return f"{_plain(row['group'])} ({numbers})" if numbers else _plain(row["group"])


def _harm(row: Mapping[Any, Any]) -> list[str]:
    words = {
        "harm_seen": "Harm was seen in",
        "harm_none_seen": "Harm was looked for and none seen in",
        "harm_not_yet_visible": "Harm was looked for and is not yet visible in",
        "harm_not_checked": "Harm was not checked in",
    }
    return [f"{text}: {_names(row[column])}." for column, text in words.items() if row[column]]


def _overall(row: Mapping[Any, Any]) -> str:
    state = _STATES.get(row["state"], row["state"])
    numbers = _numbers(row["effect"], row["lower"], row["upper"])
    return f"{state}: {numbers}" if numbers else str(state)


def _gap(row: Mapping[Any, Any]) -> str:
    numbers = _numbers(row["gap_change"], row["gap_lower"], row["gap_upper"])
    return f"{row['gap_state']} ({numbers})" if numbers else str(row["gap_state"])


def _numbers(estimate: float, lower: float, upper: float) -> str:
    if np.isnan(estimate):
        return ""
    ends = _range(lower, upper)
    return f"{estimate:.2f}, {ends}" if ends else f"{estimate:.2f}, no interval"


def _range(lower: float, upper: float) -> str:
    return "" if np.isnan(lower) or np.isnan(upper) else f"{lower:.2f} to {upper:.2f}"


def _names(cell: str) -> str:
    return _plain(and_list(cell.split("; ")))


def _plain(text: str) -> str:
    """Keep a text on one line, and from being taken for Markdown or HTML."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
