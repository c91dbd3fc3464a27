"""An evaluation in words: what a verdict means to people, names of strata, and what is still needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.change.study import AS_MEASURED, REVERSED, WITHOUT_EVENT
from qi_equity.change.verdicts import FELL, IMPROVED, NOT_VISIBLE, ROSE, WORSENED
from qi_equity.data.reference import orientation
from qi_equity.data.strata import ALL
from qi_equity.spc.words import amount, and_list, plural

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

LOWER, HIGHER = "lower than before", "higher than before"
_BEYOND = {
    "yes": "beyond the earlier trend",
    "no": "no more than the earlier trend",
    "cannot tell": "cannot be told from the earlier trend",
}
_RATIO = {
    AS_MEASURED: "ratio",
    WITHOUT_EVENT: "ratio without the event",
    REVERSED: "ratio, before over after,",
}
# Names in a full list, names in one that is cut, and strata whose needs are told one by one.
_MOST_NAMES, _FIRST_NAMES, _MOST_NEEDS = 8, 3, 4


def direction(verdict: str, better: str | None) -> str | None:
    """Say to which side a rate moved; None where the verdict is of no movement."""
    way = {
        IMPROVED: HIGHER if better == "higher" else LOWER,
        WORSENED: LOWER if better == "higher" else HIGHER,
        ROSE: HIGHER,
        FELL: LOWER,
    }
    return way.get(verdict)


def plain_words(row: Any, better: str | None) -> str:
    """Say what a verdict means to people, without saying what brought it about."""
    way = direction(row.verdict, better)
    return str(row.verdict) if way is None else f"{way}; {_BEYOND[row.beyond_trend]}"


def phrase(row: Any, better: str | None) -> str:
    """Say the same, and why nothing can be seen where there is nothing to compare."""
    if pd.isna(row.at):
        return "no change is recorded"
    sides = [w for w in ("before", "after") if np.isnan(getattr(row, f"rate_{w}"))]
    if sides and row.verdict == NOT_VISIBLE:
        return f"{NOT_VISIBLE}; nothing is known {' or '.join(sides)}"
    return plain_words(row, better)


def row_text(evaluation: ChangeEvaluation, row: Any) -> str:
    """Say the numbers of one stratum: rates before and after, ratio with its interval, verdict."""
    measure = evaluation.series.measure
    words = phrase(row, measure.better)
    if pd.isna(row.at):
        return words
    known = [
        f"{amount(measure, rate)} {when}"
        for when, rate in (("before", row.rate_before), ("after", row.rate_after))
        if not np.isnan(rate)
    ]
    if not np.isnan(row.ratio):
        known.append(f"{_RATIO[orientation(measure)]} {row.ratio:.2f} ({_ends(row)})")
    return f"{', '.join(known)}: {words}" if known else words


def _ends(row: Any) -> str:
    if np.isnan(row.ratio_lower) and np.isnan(row.ratio_upper):
        return "interval not known"
    if np.isinf(row.ratio_upper):
        return f"{row.ratio_lower:.2f} or more"
    return f"{row.ratio_lower:.2f} to {row.ratio_upper:.2f}"


def named_by(everyone: pd.DataFrame) -> list[str]:
    """Give the columns by which strata are named: not the site, where all are of one."""
    return [c for c in everyone.columns if c != "site" or everyone[c].drop_duplicates().size > 1]


def labels(strata: pd.DataFrame) -> list[str]:
    """Name strata by their groups, with their site and further strata."""
    text = strata.astype("str")
    told = [c for c in text.columns if c not in ("site", "group")]
    names = text["group"]
    if told:
        further = text[told[0]]
        for column in told[1:]:
            further = further + ", " + text[column]
        names = names + " (" + further + ")"
    if "site" in text:
        # Of a series without groups the site says it all.
        ungrouped = names == ALL
        names = (names + " at " + text["site"]).where(~ungrouped, text["site"])
    return names.tolist()


def names(strata: pd.DataFrame, everyone: pd.DataFrame) -> str:
    """List strata, out of all of them; long lists are cut, and say so.

    Where all of many are meant it says so, and where all sites of a group are.
    """
    if len(strata) > _MOST_NAMES and len(strata) == len(everyone):
        return f"all {len(strata):,} {_noun(strata)}"
    listed, rest = [], strata
    if list(strata.columns) == ["site", "group"]:
        own, total = strata["group"].value_counts(), everyone["group"].value_counts()
        whole = [g for g in own.index if own[g] == total[g] > 1]
        whole.sort(key=list(total.sort_index().index).index)
        listed = [f"{'' if group == ALL else f'{group} at '}all {total[group]} sites" for group in whole]
        rest = strata[~strata["group"].isin(whole)]
    count = len(listed) + len(rest)
    if count <= _MOST_NAMES:
        return and_list(listed + labels(rest))
    listed += labels(rest.head(_FIRST_NAMES))
    first, more = ", ".join(listed[:_FIRST_NAMES]), count - _FIRST_NAMES
    return f"{len(strata):,} of {len(everyone):,} {_noun(strata)} ({first} and {more:,} more)"


def _noun(strata: pd.DataFrame) -> str:
    return "strata" if len(strata.columns) > 1 else "groups"


def needed(evaluation: ChangeEvaluation, rows: pd.DataFrame, strata: pd.DataFrame) -> str:
    """Say how many births or periods are still needed in strata where a change is not yet visible.

    Nothing where there are enough already, or where the number is not known.
    """
    need = rows["periods_needed"].to_numpy()
    some, never = np.isfinite(need) & (need > 0), np.isinf(need)
    goal = f"to see a ratio of {evaluation.options['meaningful']:g}"
    parts = []
    if some.any():
        parts.append(f"{goal} still needed: {_amounts(evaluation, rows[some], strata[some])}")
    if never.any():
        everyone = evaluation.series.cells.strata
        who = "" if never.all() else f" for {names(strata[never], everyone)}"
        parts.append(f"too little before the change{who} {goal}, however much comes after")
    return "".join(f"; {part}" for part in parts)


def _amounts(evaluation: ChangeEvaluation, rows: pd.DataFrame, strata: pd.DataFrame) -> str:
    births = rows["births_needed"].to_numpy() if evaluation.series.measure.kind == "proportion" else None
    length = np.ceil(rows["periods_needed"].to_numpy())
    every = evaluation.series.every.replace("-", " ")
    if len(rows) > _MOST_NEEDS:
        each = f"{rounded_up(length.min()):,} to {plural(rounded_up(length.max()), every)}"
        if births is not None:
            each = f"{rounded_up(births.min()):,} to {rounded_up(births.max()):,} births ({each})"
        return f"{each} each"
    texts = [plural(rounded_up(value), every) for value in length]
    if births is not None:
        texts = [
            f"about {plural(rounded_up(b), 'birth')} ({text})" for b, text in zip(births, texts, strict=True)
        ]
    if len(rows) == 1:
        return texts[0]
    return and_list([f"{name} {text}" for name, text in zip(labels(strata), texts, strict=True)])


def rounded_up(value: float) -> int:
    """Round up to two significant digits: needs are no more exact than that."""
    step = 10 ** max(int(np.floor(np.log10(max(value, 1)))) - 1, 0)
    return int(np.ceil(value / step) * step)
