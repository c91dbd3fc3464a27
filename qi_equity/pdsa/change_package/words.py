"""A change package in words: a table, and a list for each idea."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.change.verdicts import NARROWED, NO_CHANGE, NOT_VISIBLE, WIDENED
from qi_equity.data.measure import Measure
from qi_equity.pdsa.change_package.facts import DECISIONS
from qi_equity.pdsa.change_package.ladder import TESTED
from qi_equity.pdsa.change_package.tables import NOT_EVALUATED
from qi_equity.pdsa.change_package.whom import (
    gap_moved,
    gaps_moved,
    people_of,
    recorded_as,
    seen_in,
    verdicts_of,
)
from qi_equity.spc.words import and_list, plural

if TYPE_CHECKING:
    from qi_equity.pdsa.change_package.result import BestPractice

__all__ = ["in_short", "markdown"]

_STATES = {
    "improved": "better than before",
    "worsened": "worse than before",
    "fell": "lower than before",
    "rose": "higher than before",
}
_WAYS = {"without the event": ", told as those without it", "reversed": ", told as before over after"}
_MARKS = re.compile(r"([\\`*_\[\]<>|#~&$])")
_HEAD = (
    "Change idea",
    "Strength",
    "Sites",
    "Cycles",
    "All groups together",
    "Seen for",
    "Worse for",
    "Gaps",
    "Harm seen in",
    "Not tested for",
)
_MOST_NAMED = 3
_FEWEST_FOR_ANOTHER = 3


def in_short(package: BestPractice) -> str:
    """Say one line an idea: how strong, for whom, and who fell behind whom."""
    lines = ["Change package, the strongest evidence first:"]
    for row in package._ideas.to_dict("records"):
        told = [_strength(row)]
        if row["state"] == NOT_EVALUATED:
            told.append("not evaluated over sites")
        else:
            told += _for_whom(row, package)
            told.append(f"all groups together: {_overall(row)}")
        lines.append(f"{row['name']}: {'; '.join(told)}")
    return "\n".join(lines)


def markdown(package: BestPractice) -> str:
    """Write what a network would publish."""
    rows = package._ideas.to_dict("records")
    sites = list(dict.fromkeys(s for row in rows for s in row["site_names"].split("; ") if s))
    lines = ["# Change package", "", _how(package), ""]
    if sites:
        lines += [f"Sites with cycles ({len(sites)}): {_plain(and_list(sites))}.", ""]
    lines += [_line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line(_cells(row, _own(row, package))) for row in rows]
    for row in rows:
        notes = package._notes[package._notes["idea"] == row["code"]]
        told = "".join(f"; {_plain(text)}" for text in _for_whom(row, package))
        lines += ["", f"## {_plain(row['name'])}", "", f"**{_strength(row).capitalize()}**{told}.", ""]
        lines += [f"- {text}" for text in _sentences(row, package, len(sites))]
        lines += [f"- Note: {_plain(text)}" for text in notes["text"]]
    general = package._notes.loc[package._notes["idea"].isna(), "text"]
    if len(general):
        lines += ["", "## How to read this", "", *(f"- {_plain(text)}" for text in general)]
    return "\n".join(lines) + "\n"


def _how(package: BestPractice) -> str:
    return (
        "A menu, not a prescription. Strength, weakest first: idea; tested at one site, or at more and not "
        "replicated; replicated (all of two or more sites in the better direction); pooled effect (also "
        "stands among all comparisons of this list, overall or in a group: see for whom); gap-narrowing "
        "shown.\n\n"
        "Effects are ratios of the adverse outcome, after over before, with "
        f"{package.method['confidence']:.0%} intervals: below 1 is better. Numbers of a gap are the effect "
        "in the group over that in those it is compared with: above 1, the group fell behind them. "
        '"Not yet visible" does not mean that there is no difference.'
    )


def _own(row: Mapping[Any, Any], package: BestPractice) -> pd.DataFrame:
    own: pd.DataFrame = package._groups[package._groups["code"] == row["code"]]
    return own


def _people(row: Mapping[Any, Any], package: BestPractice) -> str:
    return people_of(package.evaluations[row["code"]].series.measure)


def _for_whom(row: Mapping[Any, Any], package: BestPractice) -> list[str]:
    """Say beside the strength what nobody may overlook: in whom, worse for whom, and who fell behind whom."""
    if row["state"] == NOT_EVALUATED:
        return []
    own, people = _own(row, package), _people(row, package)
    told = [seen_in(row, own, people)]
    if row["worsened_in"]:
        told.append(f"worse for {recorded_as(row['worsened_in'].split('; '), people)}")
    for state in (NARROWED, WIDENED):
        moved = gaps_moved(own, state, people)
        if moved:
            told.append(f"{'gap' if len(moved) == 1 else 'gaps'} {state}: {', '.join(moved)}")
    return [text for text in told if text]


def _cells(row: Mapping[Any, Any], own: pd.DataFrame) -> list[str]:
    worse, harm, untested = (
        _names(row[n]) if row[n] else "–" for n in ("worsened_in", "harm_seen", "not_tested_for")
    )
    counts = (str(row["sites"]), str(row["cycles"]))
    seen = (_overall(row), _seen_for(row, own), worse, _gaps(row, own), harm, untested)
    return [_plain(row["name"]), _strength(row), *counts, *seen]


def _seen_for(row: Mapping[Any, Any], own: pd.DataFrame) -> str:
    better = row["improved_in"].split("; ") if row["improved_in"] else []
    if better:
        return _plain(and_list(better)) + ("" if len(better) == len(verdicts_of(own)) else " only")
    return "all together, no group by itself" if row["state"] == "improved" else "–"


def _strength(row: Mapping[Any, Any]) -> str:
    """Name the rung; one that was tried at several sites is not said to be tested at one."""
    if row["strength"] == TESTED and max(row["sites"], row["sites_evaluated"]) > 1:
        return "tested, not replicated"
    return str(row["strength"])


def _gaps(row: Mapping[Any, Any], own: pd.DataFrame) -> str:
    """Say which gaps moved, and who lost by it; else what is known of the clearest."""
    moved = [
        f"{state}: {_plain(', '.join(gaps_moved(own, state, '')))}"
        for state in (NARROWED, WIDENED)
        if (own["gap_state"] == state).any()
    ]
    unseen = (own.loc[own["gap_p"].notna(), "gap_state"] == NOT_VISIBLE).any()
    still = NOT_VISIBLE if unseen and row["gap_state"] == NO_CHANGE else str(row["gap_state"])
    return "; ".join(moved) or still


def _sentences(row: Mapping[Any, Any], package: BestPractice, sites: int) -> list[str]:
    """Say where it was tried, what was seen, in whom, of which gaps, of harm, and for whom not."""
    return [
        _tried(row, sites),
        *(_seen(row, package) if row["state"] != NOT_EVALUATED else ["Not evaluated over sites."]),
        *_harm(row),
        *([f"Not tested for: {_names(row['not_tested_for'])}."] if row["not_tested_for"] else []),
    ]


def _tried(row: Mapping[Any, Any], sites: int) -> str:
    if not row["cycles"]:
        return "No cycle has been carried out."
    names = row["site_names"].split("; ")
    where = _names(row["site_names"])
    if len(names) > _MOST_NAMED:
        where = f"all {sites} sites" if len(names) == sites else f"{len(names)} of {sites} sites: {where}"
    said = [f"Carried out in {plural(row['cycles'], 'cycle')} at {where}."]
    if np.isfinite(row["people_reached"]):
        said.append(f"One cycle reached up to {row['people_reached']:,.0f} people.")
    if row["scale"]:
        said.append(f"Largest scale planned: {_plain(row['scale'])}.")
    decided = [f"{d} {row[d]}" for d in DECISIONS if row[d]]
    return " ".join([*said, f"Decisions: {', '.join(decided)}." if decided else "Nothing is decided yet."])


def _seen(row: Mapping[Any, Any], package: BestPractice) -> list[str]:
    """Say what was seen after the change, overall, by group and of gaps."""
    evaluation, own, people = package.evaluations[row["code"]], _own(row, package), _people(row, package)
    measure, way = evaluation.series.measure, _WAYS.get(evaluation.method["orientation"], "")
    said = [f"Measure: {_plain(measure.name)}{way}.", _seen_overall(row, measure)]
    for state, part in verdicts_of(own).groupby("state", sort=False):
        told = recorded_as([_group(g) for g in part.to_dict("records")], people)
        said.append(f"{_STATES.get(str(state), str(state)).capitalize()} for {told}.")
    for state, part in own[own["gap_p"].notna()].groupby("gap_state", sort=False):
        gaps = part.to_dict("records")
        told = ", ".join(_gap(g, str(state), people, own["group"].tolist()) for g in gaps)
        word = "gap" if len(gaps) == 1 else "gaps"
        between = {
            NO_CHANGE: f"No meaningful change of the {word} between",
            NOT_VISIBLE: f"Not yet visible whether the {word} changed between",
            NARROWED: f"{word.capitalize()} narrowed:",
            WIDENED: f"{word.capitalize()} widened:",
        }.get(str(state), f"{word.capitalize()} {state}, between")
        said.append(f"{between} {told}.")
    return said


def _seen_overall(row: Mapping[Any, Any], measure: Measure) -> str:
    if np.isnan(row["effect"]):
        return "No effect is told over all groups together."
    said = [f"All groups together, over {plural(row['sites_pooled'], 'site')}: {_overall(row)}."]
    if np.isfinite(row["difference"]):
        said.append(_difference(row, measure))
    way = "better" if measure.better else "same"
    said.append(f"{row['replicated']} of {plural(row['sites_evaluated'], 'site')} in the {way} direction.")
    another = _range(row["prediction_lower"], row["prediction_upper"])
    if another and row["sites_pooled"] >= _FEWEST_FOR_ANOTHER:
        said.append(f"Another site like these may expect {another}.")
    return " ".join(said)


def _difference(row: Mapping[Any, Any], measure: Measure) -> str:
    ends = [row[name] * measure.multiplier for name in ("difference", "difference_lower", "difference_upper")]
    # Three figures of the largest, and the same places for all.
    largest = max(abs(end) for end in ends if np.isfinite(end))
    places = int(np.clip(2 - np.floor(np.log10(largest)), 0, 4)) if largest else 0
    middle, least, most = (f"{end:+.{places}f}" for end in ends)
    unit = {"%": " percentage points", "": ""}.get(measure.unit, f" {measure.unit}")
    return f"As a difference: {middle}{unit} ({least} to {most})."


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
    return f"{state} ({numbers})" if numbers else str(state)


def _gap(gap: Mapping[Any, Any], state: str, people: str, groups: list[str]) -> str:
    numbers = _numbers(gap["gap_change"], gap["gap_lower"], gap["gap_upper"])
    moved = _plain(gap_moved(gap, state, people, groups))
    return f"{moved} ({numbers})" if numbers else moved


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
