"""An evaluation in words: what each group's and gap's verdict means, and all of it in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.spc.words import amount, and_list, period

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

_MOST_NAMES = 8
_BEYOND = {
    "yes": "beyond the earlier trend",
    "no": "no more than the earlier trend",
    "cannot tell": "cannot be told from the earlier trend",
}


def plain_words(row: Any, better: str | None) -> str:
    """Say what a verdict means to people, without saying what caused it."""
    way = {
        "improved": "higher than before" if better == "higher" else "lower than before",
        "worsened": "lower than before" if better == "higher" else "higher than before",
        "rose": "higher than before",
        "fell": "lower than before",
    }
    if row.verdict not in way:
        return str(row.verdict)
    return f"{way[row.verdict]}; {_BEYOND[row.beyond_trend]}"


def sentence(evaluation: ChangeEvaluation) -> str:
    """Say in one text what was seen, for whom, of which gaps, and what could not be seen."""
    texts = []
    for change, groups in evaluation._groups.groupby("change", sort=True):
        gaps = evaluation._gaps[evaluation._gaps["change"] == change]
        texts.append(_of_change(evaluation, int(change), groups, gaps))
    return " ".join(texts)


def _of_change(evaluation: ChangeEvaluation, change: int, groups: pd.DataFrame, gaps: pd.DataFrame) -> str:
    dates = groups["at"].dropna().unique()
    when = [period(evaluation.series, np.datetime64(d)) for d in sorted(dates)]
    head = f"{evaluation.series.measure.name}, after the change of {_span(when)}: "
    better = evaluation.series.measure.better
    said = pd.Series([plain_words(row, better) for row in groups.itertuples()], index=groups.index)
    keys = [c for c in evaluation.series.cells.strata.columns]
    parts = [
        f"{words} for {_names(groups.loc[rows, keys])}"
        for words, rows in said.groupby(said, sort=False).groups.items()
    ]
    parts.sort(key=lambda text: text.startswith("not yet visible"))
    text = head + "; ".join(parts) + "."
    return text + _of_gaps(evaluation, gaps, keys)


def _span(when: list[str]) -> str:
    return when[0] if len(when) == 1 else f"{when[0]} to {when[-1]}" if when else "no date"


def _names(strata: pd.DataFrame) -> str:
    """Name strata: groups, with their site where there are several; long lists are cut, and say so."""
    labels = [", ".join(map(str, row)) for row in strata[_group_first(strata)].itertuples(index=False)]
    if len(labels) > _MOST_NAMES:
        return f"{'; '.join(labels[:_MOST_NAMES])}; and {len(labels) - _MOST_NAMES} more"
    return "; ".join(labels) if len(strata.columns) > 1 else and_list(labels)


def _group_first(strata: pd.DataFrame) -> list[str]:
    return ["group", *[c for c in strata.columns if c != "group"]]


def _of_gaps(evaluation: ChangeEvaluation, gaps: pd.DataFrame, keys: list[str]) -> str:
    shown = gaps[(gaps["scale"] != "odds ratio") & (gaps["verdict"] != "is the reference")]
    if shown.empty:
        return ""
    parts = []
    for (scale, verdict), rows in shown.groupby(["scale", "verdict"], sort=False):
        parts.append(f"as a {scale} {verdict} for {_names(rows[keys])}")
    parts.sort(key=lambda text: "not yet visible" in text)
    who = and_list(sorted(set(shown["reference"])))
    return f" The gap to {who}: {'; '.join(parts)}."


def row_text(evaluation: ChangeEvaluation, row: Any) -> str:
    """Say the numbers of one stratum: rates before and after, ratio with its interval, verdict."""
    measure = evaluation.series.measure
    rates = f"{amount(measure, row.rate_before)} before, {amount(measure, row.rate_after)} after"
    ratio = f"ratio {row.ratio:.2f} ({row.ratio_lower:.2f} to {row.ratio_upper:.2f})"
    return f"{rates}, {ratio}: {plain_words(row, measure.better)}"
