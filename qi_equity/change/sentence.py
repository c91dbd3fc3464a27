"""All of an evaluation in a few short sentences: what was seen, for whom, and what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.change import text
from qi_equity.change.verdicts import NO_CHANGE, NOT_VISIBLE
from qi_equity.data import selecting
from qi_equity.data.timeline_marks import POST_HOC
from qi_equity.spc.words import and_list, period, plural

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation
    from qi_equity.data.series import StratifiedSeries

_SCALES = ("difference", "ratio")
# In this order things are said: what moved first, what cannot be seen last.
_LATER = (NO_CHANGE, NOT_VISIBLE, "no change is recorded")


def sentence(evaluation: ChangeEvaluation) -> str:
    """Say what was seen, for whom, of which gaps, and what could not be seen."""
    until = evaluation.options["until"]
    texts = []
    if is_interim(evaluation.series, until):
        texts.append(f"Interim reading: the evaluation is planned until {until}.")
    groups, gaps = evaluation._groups, evaluation._gaps
    for change in sorted(set(groups["change"])):
        of_groups, of_gaps = (f[f["change"] == change] for f in (groups, gaps))
        texts += [
            f"{evaluation.series.measure.name}, after {_when(evaluation, change, of_groups)}.",
            *_of_groups(evaluation, of_groups),
            *_of_family(evaluation, of_groups),
            *_of_gaps(evaluation, of_gaps),
            *_of_companions(evaluation, change),
        ]
    return " ".join(texts)


def is_interim(series: StratifiedSeries, until: Any) -> bool:
    """Tell whether a reading comes before the last period that was planned."""
    if until is None:
        return False
    end = selecting.bound(series, "until", until, last=True)[0]
    return bool(end > series.cells.periods[-1])


def _keys(evaluation: ChangeEvaluation) -> list[str]:
    return text.named_by(evaluation.series.cells.strata)


def _when(evaluation: ChangeEvaluation, change: int, groups: pd.DataFrame) -> str:
    """Name the change: its date or dates, and what it is called."""
    dates = sorted(groups["at"].dropna().unique())
    when = [period(evaluation.series, np.datetime64(d)) for d in dates]
    told = evaluation.method["changes"]
    called = sorted(set(told.loc[told["phase"] == change + 1, "label"]) - {POST_HOC, ""})
    name = f" ({called[0].removesuffix(f' ({POST_HOC})')})" if len(called) == 1 else ""
    if len(when) > 1:
        return f"the changes of {when[0]} to {when[-1]}{name}"
    return f"the change of {when[0]}{name}"


def _of_groups(evaluation: ChangeEvaluation, groups: pd.DataFrame) -> list[str]:
    """Say what was seen of the strata: those of the aim first, then the others."""
    parts = []
    everyone = groups[_keys(evaluation)]
    for exploratory in (False, True):
        rows = groups[groups["exploratory"] == exploratory]
        said = pd.Series(
            [text.phrase(row, evaluation.series.measure.better) for row in rows.itertuples()],
            index=rows.index,
            dtype="str",
        )
        for words in sorted(said.unique(), key=_order):
            found = rows[said == words]
            who = text.names(found[_keys(evaluation)], everyone)
            mark = " (exploratory)" if exploratory else ""
            need = text.needed(evaluation, found, found[_keys(evaluation)]) if words == NOT_VISIBLE else ""
            parts.append(f"{_upper(who)}{mark}: {words}{need}.")
    return parts


def _order(words: str) -> tuple[int, str]:
    later = [words.startswith(w) for w in _LATER]
    return (1 + later.index(True) if any(later) else 0, "" if any(later) else words)


def _upper(words: str) -> str:
    """Start a sentence; labels stay as they are."""
    return f"All{words[3:]}" if words.startswith("all ") else words


def _of_family(evaluation: ChangeEvaluation, groups: pd.DataFrame) -> list[str]:
    """Say which changes do not stand when all declared strata are held together against chance."""
    lost = groups[~groups["exploratory"] & (groups["verdict"] != groups["family_verdict"])]
    if lost.empty:
        return []
    count = int(evaluation._groups["family_p"].notna().sum())
    who = text.names(lost[_keys(evaluation)], groups[_keys(evaluation)])
    return [f"Allowing for {plural(count, 'comparison')} together (Holm), not visible any more: {who}."]


def _of_gaps(evaluation: ChangeEvaluation, gaps: pd.DataFrame) -> list[str]:
    """Say how the gaps moved, on both scales."""
    rows = gaps[gaps["verdict"] != "is the reference"]
    shown = rows[rows["at"].notna()]
    sides = [shown[shown["scale"] == scale].reset_index(drop=True) for scale in _SCALES]
    # Without anyone, or any birth, to compare with there is no gap that more births could show.
    keys, there = _keys(evaluation), sides[0][["gap_before", "gap_after"]].notna().any(axis=1)
    unknown = _without_reference(evaluation, sides[0][~there])
    sides = [side[there].reset_index(drop=True) for side in sides]
    if sides[0].empty:
        return unknown
    verdicts = [side["verdict"] for side in sides]
    said = verdicts[0].where(
        verdicts[0] == verdicts[1],
        "as a difference " + verdicts[0] + ", as a ratio " + verdicts[1],
    )
    strata, everyone = sides[0][keys], rows.loc[rows["scale"] == _SCALES[0], keys]
    parts = [
        _gap_words(words, text.names(strata[said == words], everyone))
        for words in sorted(said.unique(), key=lambda w: _LATER.index(w) if w in _LATER else -1)
    ]
    return [f"Gap to {_whom(sides[0]['reference'])}: {'; '.join(parts)}.", *unknown]


def _without_reference(evaluation: ChangeEvaluation, gaps: pd.DataFrame) -> list[str]:
    """Say whose gap cannot be given because the reference is suppressed or missing."""
    notes, keys = evaluation._notes, _keys(evaluation)
    lacking = notes.loc[notes["code"] == "reference_not_known", list(evaluation.series.cells.strata.columns)]
    found = gaps.merge(lacking.astype(object), on=list(lacking.columns))
    if found.empty:
        return []
    who = text.names(found[keys], evaluation.series.cells.strata[keys])
    return [f"Gap to {_whom(found['reference'])}: cannot be given for {who}; the reference is not known."]


def _gap_words(words: str, who: str) -> str:
    """Say of whom something is said: ``narrowed for Black because the reference worsened``."""
    if words.startswith("as a"):
        return f"for {who} {words}"
    verdict, because, reason = words.partition(" because ")
    return f"{verdict} for {who}{because}{reason}"


def _whom(references: pd.Series) -> str:
    who = sorted(set(references))
    if len(who) > 1:
        return f"the reference ({and_list(who)})"
    return "the target" if who[0] == "target" else who[0]


def _of_companions(evaluation: ChangeEvaluation, change: int) -> list[str]:
    """Say where a balancing measure became worse, and where the change did not arrive."""
    keys, parts = _keys(evaluation), []
    harm, uptake = evaluation._balancing, evaluation._process
    harm = harm[(harm["change"] == change) & (harm["verdict"] == "worsened")]
    everyone = evaluation.series.cells.strata
    for measure, rows in harm.groupby("measure", sort=False):
        who = text.names(rows[keys], everyone)
        parts.append(f"Balancing measure {measure}: worse than before for {who}.")
    for word, said in (("no", "did not rise"), ("cannot tell", "cannot be told")):
        rows = uptake[(uptake["change"] == change) & (uptake["arrived"] == word)]
        if len(rows):
            parts.append(f"The uptake of the change {said} for {text.names(rows[keys], everyone)}.")
    return parts
