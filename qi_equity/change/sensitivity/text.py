"""The result in words: whether each verdict stands, where it does not, and what else moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.sensitivity.jumps import DRIFTED, YES
from qi_equity.change.sensitivity.models import AS_EVALUATED
from qi_equity.change.text import named_by, names
from qi_equity.spc.words import and_list

if TYPE_CHECKING:
    from qi_equity.change.sensitivity.result import Sensitivity

__all__ = ["notes_of", "sentence"]

_ORDER = ("no", "weaker", "stronger")
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
    parts += _of_fakes(found._placebo, everyone)
    parts.append(_of_checks(found._checks, everyone))
    return " ".join(parts)


def _standing(table: pd.DataFrame, everyone: pd.DataFrame) -> list[str]:
    """Say for the strata that are alike whether their verdict stands."""
    keys = list(everyone.columns)
    evaluated = table[table["analysis"] == AS_EVALUATED]
    said: dict[str, list[pd.Series]] = {}
    grouped = dict(list(table.groupby(keys, sort=False, dropna=False)))
    for row in evaluated.to_dict("records"):
        key = tuple(row[k] for k in keys)
        part = grouped[key]
        said.setdefault(f'"{row["verdict"]}"|{_pattern(part)}', []).append(
            pd.Series({k: row[k] for k in keys})
        )
    texts = []
    for words, rows in said.items():
        verdict, pattern = words.split("|", 1)
        texts.append(f"{verdict} for {names(pd.DataFrame(rows), everyone)}: {pattern}.")
    return texts


def _pattern(part: pd.DataFrame) -> str:
    others = part[part["analysis"] != AS_EVALUATED]
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
            f"{verdict} with {and_list(list(rows['analysis']))}"
            for verdict, rows in some.groupby("verdict", sort=False)
        ]
    return "; ".join(text)


def _of_standardised(table: pd.DataFrame, keys: list[str]) -> list[str]:
    held = table[table["analysis"].str.startswith("standardised for")]
    crude = table[table["analysis"] == "level, not standardised"].set_index([*keys, "change"])["verdict"]
    texts = []
    for row in held.to_dict("records"):
        before = crude[(*(row[k] for k in keys), row["change"])]
        who = ", ".join(str(row[k]) for k in ["group", *(k for k in keys if k != "group")])
        now = f"cannot be told ({row['reason']})" if row["reason"] else f'"{row["verdict"]}"'
        texts.append(f'{who}: "{before}" as the mix was, {now} {row["analysis"]}.')
    return texts


def _of_fakes(placebo: pd.DataFrame, everyone: pd.DataFrame) -> list[str]:
    """Say how often fake dates look as large under the model evaluated, and what sites can show."""
    parts = []
    time = placebo[(placebo["kind"] == "time") & (placebo["analysis"] == AS_EVALUATED)]
    time = time[time["share"].notna()]
    for (fakes, large), rows in time.groupby(["fakes", "as_large"], sort=False):
        parts.append(
            f"{large} of {fakes} fake dates look as large for {names(rows[list(everyone.columns)], everyone)}"
        )
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
    texts = [
        _SMALLEST.format(f"{n} other site{'s' if n > 1 else ''}", p)
        for n, p in zip(space["fakes"], space["smallest_p"], strict=True)
    ]
    parts.append(_result.note("few_sites", "caution", texts, space[keys]))
    return parts
