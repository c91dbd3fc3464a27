"""The result in words: whether each verdict stands, where it does not, and what else moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.sensitivity.jumps import DRIFTED, YES
from qi_equity.change.sensitivity.models import AS_EVALUATED
from qi_equity.change.sensitivity.standardised import CRUDE, HELD
from qi_equity.change.text import labels, named_by, names
from qi_equity.change.verdicts import FELL, IMPROVED, ROSE, WORSENED
from qi_equity.spc.words import and_list, plural

if TYPE_CHECKING:
    from qi_equity.change.sensitivity.result import Sensitivity

__all__ = ["notes_of", "sentence"]

_ORDER = ("no", "weaker", "stronger")
# Strata that are told of one by one; analyses that are named where there are more.
_MOST, _SHOWN = 8, 3
_OVERLAP = "Fake dates share periods with one another: the share that look as large is no p-value."
_NO_FAKES = (
    "Too few periods before the change for a fake date: how often such a change comes by itself is not known."
)
_WEAKER = (
    "A trend or a season makes the interval of a change two to four times as wide in one or two years of "
    "months: 'weaker' there is want of information, not a finding against the verdict."
)
_SEVERAL = "Each kind of check calls something a jump by luck in up to {:.0%} of cases."
_CALLS = (
    "The model evaluated would have called {} of {} fake dates a change, with nothing known to have been "
    "done: it leaves out something that moves the rate, such as a trend or a season."
)
_SMALLEST = (
    "Beside {} the smallest possible p is {:.2g}: a change, however large, cannot be told from chance in "
    "this way."
)
_NOT_HELD = "Case-mix was not held fixed; standardise= does that for {}."
# Share of fake dates that are called changes beyond which a model is said to leave something out.
_TOO_MANY = 0.25
_CODES = {
    "mix of groups": "mix_moved",
    "group not known": "completeness_moved",
    "outcome not recorded": "recording_moved",
    "births a period": "births_moved",
    "other thresholds of blood loss": "blood_loss_moved",
    "start after the worst": "started_after_worst",
}


def sentence(found: Sensitivity) -> str:
    """Say whether each verdict stands, where it does not, what fake dates give, and what else moved."""
    strata = found.evaluation.series.cells.strata
    everyone = strata[named_by(strata)]
    keys, table = list(everyone.columns), found._table
    parts = [f"{found.evaluation.series.measure.name}."]
    for change, part in table.groupby("change", sort=True):
        head = f"Change {change}: " if table["change"].max() > 1 else ""
        parts.append(head + " ".join(_standing(part, everyone)))
    parts += _of_standardised(table, keys)
    parts += _of_fakes(found._placebo, table, everyone)
    parts.append(_of_checks(found._checks, everyone))
    return " ".join(parts)


def _standing(table: pd.DataFrame, everyone: pd.DataFrame) -> list[str]:
    """Say whether the verdicts stand: for the strata that are alike, or in sum where there are many."""
    keys = list(everyone.columns)
    first = table[table["analysis"] == AS_EVALUATED]
    others = other_analyses(table)
    if len(first) > _MOST:
        return [
            f'"{verdict}" for {names(rows[keys], everyone)}: {_sum(others.merge(rows[keys], on=keys), keys)}.'
            for verdict, rows in first.groupby("verdict", sort=False)
        ]
    patterns = [_pattern(others.merge(first.iloc[[k]][keys], on=keys)) for k in range(len(first))]
    words = pd.Series([f'"{v}" for |: {w}.' for v, w in zip(first["verdict"], patterns, strict=True)])
    return [
        str(text).replace("|", names(first.iloc[rows][keys], everyone), 1)
        for text, rows in words.groupby(words, sort=False).indices.items()
    ]


def _sum(others: pd.DataFrame, keys: list[str]) -> str:
    """Say in how many of many strata a verdict stands, and with which analyses it is lost most often."""
    told = others[others["stands"] != "cannot tell"]
    count = len(others) // others["analysis"].nunique()
    lost = told.loc[told["stands"] != "yes", "analysis"].value_counts(sort=False)
    whole = (told["stands"] == "yes").groupby([told[k] for k in keys], sort=False).all().sum()
    if count == 1:
        return _pattern(others)
    if lost.empty:
        return "it stands in all other analyses that are possible"
    often = lost.sort_values(ascending=False, kind="stable").head(_SHOWN)
    most = and_list([f"{_with(str(name))} ({number})" for name, number in often.items()])
    return (
        f"it stands in all other analyses for {whole or 'none'} of {count}; another comes most often {most}"
    )


def _pattern(others: pd.DataFrame) -> str:
    told = others[others["stands"] != "cannot tell"]
    holds = int((told["stands"] == "yes").sum())
    if told.empty:
        return "no other analysis is possible"
    if holds == len(told):
        return f"it stands in all {len(told)} other analyses"
    text = [f"it stands in {holds} of {len(told)} other analyses"]
    for word in _ORDER:
        some = told[told["stands"] == word]
        text += [
            f'"{verdict}" {and_list([_with(name) for name in rows["analysis"]])}'
            for verdict, rows in some.groupby("verdict", sort=False)
        ]
    return "; ".join(text)


def other_analyses(table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of analyses other than the one evaluated, which some are under another name."""
    numbers = ["ratio", "ratio_lower", "ratio_upper"]
    evaluated = table.loc[table["analysis"] == AS_EVALUATED, numbers].to_numpy()
    own = [
        name
        for name, rows in table.groupby("analysis", sort=False)
        if np.array_equal(rows[numbers].to_numpy(), evaluated, equal_nan=True)
    ]
    return table[~table["analysis"].isin(own) & ~_over_the_mix(table)]


def _over_the_mix(table: pd.DataFrame) -> pd.Series:
    """Tell which rows are of strata taken together over the mix."""
    return (table["analysis"] == CRUDE) | table["analysis"].str.startswith(HELD)


def _with(analysis: str) -> str:
    return analysis if analysis.startswith("without") else f"with {analysis}"


def _of_standardised(table: pd.DataFrame, keys: list[str]) -> list[str]:
    """Set the verdict with the mix as it was beside that with the mix held, for the strata that are alike."""
    crude = table[table["analysis"] == CRUDE].reset_index(drop=True)
    held = table[_over_the_mix(table) & (table["analysis"] != CRUDE)].reset_index(drop=True)
    now = ('"' + held["verdict"] + '"').where(held["reason"] == "", "not known (" + held["reason"] + ")")
    words = '"' + crude["verdict"] + '" with the mix as it came, ' + now + " " + held["analysis"] + "."
    change = "change " + held["change"].astype("str") + ": "
    words = (change if held["change"].max() > 1 else "") + words
    return [
        f"{_shortly(labels(held.loc[rows, keys]))}: {text}"
        for text, rows in words.groupby(words, sort=False).groups.items()
    ]


def _shortly(named: list[str]) -> str:
    more = len(named) - _SHOWN
    return and_list(named) if more <= 1 else f"{', '.join(named[:_SHOWN])} and {more:,} more"


def _of_fakes(placebo: pd.DataFrame, table: pd.DataFrame, everyone: pd.DataFrame) -> list[str]:
    """Say how often fake dates look as large under the model evaluated, and what sites can show.

    Of many strata only of those whose rate moved.
    """
    keys = list(everyone.columns)
    time = placebo[(placebo["kind"] == "time") & (placebo["analysis"] == AS_EVALUATED)]
    time = time[time["share"].notna()]
    if len(everyone) > _MOST:
        first = table[(table["analysis"] == AS_EVALUATED) & (table["change"] == 1)]
        time = time.merge(first.loc[first["verdict"].isin([IMPROVED, WORSENED, ROSE, FELL]), keys], on=keys)
    alike: Any = time.groupby(["fakes", "as_large"], sort=False)
    parts = [
        f"{large} of {plural(fakes, 'fake date')} {'looks' if large == 1 else 'look'} as large for "
        f"{names(rows[keys], everyone)}"
        for (fakes, large), rows in alike
    ]
    text = [f"{'; '.join(parts)}."] if parts else []
    space = placebo[(placebo["kind"] == "space") & placebo["p"].notna()]
    if len(space):
        text.append(f"Beside other sites the smallest possible p is {space['smallest_p'].min():.2g}.")
    return text


def _of_checks(checks: pd.DataFrame, everyone: pd.DataFrame) -> str:
    parts = []
    for check, rows in checks[checks["jumped"].isin([YES, DRIFTED])].groupby("check", sort=False):
        strata = rows[list(everyone.columns)].drop_duplicates()
        if strata["group"].isna().any():
            places = strata.drop(columns="group").agg(", ".join, axis=1).tolist()
            parts.append(f"{check} ({'; '.join(places)})" if any(places) else str(check))
        else:
            parts.append(f"{check} ({names(strata, everyone)})")
    if not parts:
        return "No check shows that anything else moved at the same date, which is no proof that nothing did."
    return f"Read with caution, for what else moved or came before: {'; '.join(parts)}."


def notes_of(found: Sensitivity) -> pd.DataFrame:
    """Put together what the reader must be told."""
    confidence = found.evaluation.options["confidence"]
    keys = list(found.evaluation.series.cells.strata.columns)
    parts = [*_of_jumps(found._checks, keys), *_of_placebo(found._placebo, keys, 1 - confidence)]
    if (found._table["stands"] == "weaker").any():
        parts.append(_result.note("weaker_for_want_of_data", "info", _WEAKER))
    parts.append(_result.note("checks_are_several", "info", _SEVERAL.format(1 - confidence)))
    possible = [k for k in keys if len(found.evaluation.series.cells.strata[k].cat.categories) > 1]
    if possible and not found.method["standardise"]:
        parts.append(_result.note("mix_not_held", "info", _NOT_HELD.format(and_list(possible))))
    return _result.notes(parts, [k for k in keys if k not in ("site", "group")])


def _of_jumps(checks: pd.DataFrame, keys: list[str]) -> list[pd.DataFrame]:
    parts = []
    for check, rows in checks[checks["jumped"].isin([YES, DRIFTED])].groupby("check", sort=False):
        strata = rows[keys]
        severity: _result.Severity = "warning" if check == "outcome not recorded" else "caution"
        note = _result.note(_CODES[str(check)], severity, rows["text"].tolist(), strata)
        for key in keys:
            note[key] = note[key].where(strata[key].notna().to_numpy(), None)
        parts.append(note)
    return parts


def _of_placebo(placebo: pd.DataFrame, keys: list[str], alpha: float) -> list[pd.DataFrame]:
    time = placebo[(placebo["kind"] == "time") & (placebo["analysis"] == AS_EVALUATED)]
    parts = []
    if (time["fakes"] > 0).any():
        parts.append(_result.note("fake_dates_overlap", "info", _OVERLAP))
    none = time[time["fakes"] == 0]
    parts.append(_result.note("no_fake_dates", "caution", [_NO_FAKES] * len(none), none[keys]))
    many = time[time["told_apart"] > np.maximum(_TOO_MANY * time["fakes"], 1)]
    texts = [_CALLS.format(k, n) for k, n in zip(many["told_apart"], many["fakes"], strict=True)]
    parts.append(_result.note("model_calls_fake_dates", "caution", texts, many[keys]))
    space = placebo[(placebo["kind"] == "space") & (placebo["smallest_p"] > alpha)]
    if len(space):
        most = space.sort_values("fakes").iloc[-1]
        text = _SMALLEST.format(plural(int(most["fakes"]), "other site"), most["smallest_p"])
        parts.append(_result.note("few_sites", "caution", text))
    return parts
