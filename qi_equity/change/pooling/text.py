"""A pooled effect in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.spc.words import and_list, plural

if TYPE_CHECKING:
    from qi_equity.change.pooling.result import PooledEffect

__all__ = ["alt_text", "interval_words", "keys_of", "main_scale", "sentence"]

_TREND_NOT_TOLD = "Whether these changes stand apart from an earlier trend is not told here."
_MOVED = ("improved", "worsened", "fell", "rose")


def keys_of(table: pd.DataFrame) -> list[str]:
    """Name the columns that tell whose row it is: group and further strata."""
    return list(table.columns[: table.columns.get_loc("change")].drop("reference", errors="ignore"))


def main_scale(table: pd.DataFrame) -> str:
    """Name the scale that is told first: the ratio, or the odds ratio where there is no other."""
    return "ratio" if "ratio" in set(table["scale"]) else "odds ratio"


def interval_words(estimate: float, lower: float, upper: float) -> str:
    """Write an estimate with its interval."""
    if np.isnan(estimate):
        return "no estimate"
    if np.isnan(lower) or np.isnan(upper):
        return f"{estimate:.2f}, no interval"
    return f"{estimate:.2f}, {lower:.2f} to {upper:.2f}"


def sentence(pooled: PooledEffect) -> str:
    """Say in one text what was seen over all sites, and what could not be seen."""
    measure = pooled.evaluation.series.measure
    groups, gaps = pooled._groups, pooled._gaps
    several = groups["change"].max() > 1
    head = f"{measure.name}, over {plural(len(pooled.method['sites']), 'site')}"
    texts = []
    for change in groups["change"].unique():
        own = groups[(groups["change"] == change) & (groups["scale"] == main_scale(groups))]
        gap = gaps[(gaps["change"] == change) & (gaps["scale"] == main_scale(gaps))]
        told = [_group_words(row, measure.better, keys_of(groups)) for row in own.to_dict("records")]
        told.sort(key=lambda text: text.startswith("not yet visible"))
        words = _family_words(own, keys_of(groups)) + _gap_words(gap)
        where = f"{head}, change {change}" if several else head
        texts.append(f"{where}: {'; '.join(told)}.{words}")
    moved = groups["verdict"].isin(_MOVED) & (groups["scale"] == main_scale(groups))
    if moved.any() and "trend_not_told" in set(pooled.notes["code"]):
        texts.append(_TREND_NOT_TOLD)
    return " ".join(texts)


def verdict_words(verdict: str, better: str | None) -> str:
    """Say what a verdict means to people, without saying what caused it."""
    lower, higher = "lower than before", "higher than before"
    if better == "higher":
        lower, higher = higher, lower
    plain = {"improved": lower, "worsened": higher, "fell": "lower than before", "rose": "higher than before"}
    return plain.get(verdict, verdict)


def _name(row: dict[Any, Any], keys: list[str]) -> str:
    return ", ".join(str(row[k]) for k in keys)


def _group_words(row: dict[Any, Any], better: str | None, keys: list[str]) -> str:
    numbers = interval_words(row["estimate"], row["lower"], row["upper"])
    told = numbers if np.isnan(row["estimate"]) else f"{row['scale']} {numbers}"
    return f"{verdict_words(row['verdict'], better)} for {_name(row, keys)} ({told})"


def _family_words(own: pd.DataFrame, keys: list[str]) -> str:
    """Say which changes do not stand when all groups are held together against chance."""
    lost = own[own["verdict"] != own["family_verdict"]]
    if lost.empty:
        return ""
    who = and_list([_name(row, keys) for row in lost.to_dict("records")])
    return f" Allowing for all comparisons together (Holm), not visible any more: {who}."


def _gap_words(gap: pd.DataFrame) -> str:
    shown = gap[gap["verdict"] != "is the reference"]
    if shown.empty:
        return ""
    told = [_one_gap(row, keys_of(gap)) for row in shown.to_dict("records")]
    told.sort(key=lambda text: text.startswith("not yet visible"))
    who = " / ".join(dict.fromkeys(shown["reference"]))
    return f" The gap to {who}: {'; '.join(told)}."


def _one_gap(row: dict[Any, Any], keys: list[str]) -> str:
    text = f"{row['verdict']} for {_name(row, keys)}"
    if np.isnan(row["gap_change"]):
        return f"{text} (no estimate)"
    numbers = interval_words(row["gap_change"], row["gap_change_lower"], row["gap_change_upper"])
    return f"{text} ({row['scale']} of the gap after to before {numbers})"


def alt_text(pooled: PooledEffect) -> pd.DataFrame:
    """Describe each pooled change: the number, how much sites differ, the sites one by one."""
    groups, sites = pooled._groups, pooled._sites
    scale, better = main_scale(groups), pooled.evaluation.series.measure.better
    keys = [*keys_of(groups), "change"]
    rows = groups[groups["scale"] == scale].reset_index(drop=True)
    told = sites[(sites["what"] == "change") & (sites["scale"] == scale)]
    texts = []
    for row in rows.to_dict("records"):
        own = told[np.logical_and.reduce([told[k] == row[k] for k in keys])]
        texts.append(f"{_row_text(row, better, keys_of(groups))} {_site_text(own)}".strip())
    return rows[keys].assign(text=pd.Series(texts, dtype="str"))


def _row_text(row: dict[Any, Any], better: str | None, keys: list[str]) -> str:
    text = (
        f"{_name(row, keys)}: pooled {row['scale']} "
        f"{interval_words(row['estimate'], row['lower'], row['upper'])}, from "
        f"{plural(row['sites'], 'site')}: "
        f"{verdict_words(row['verdict'], better)}."
    )
    if np.isfinite(row["prediction_lower"]):
        text += f" Another such site: {row['prediction_lower']:.2f} to {row['prediction_upper']:.2f}."
    return text


def _site_text(sites: pd.DataFrame) -> str:
    parts = []
    for row in sites.to_dict("records"):
        if row["left_out"]:
            parts.append(f"{row['site']} left out: {row['left_out']}")
        else:
            parts.append(f"{row['site']} {interval_words(row['estimate'], row['lower'], row['upper'])}")
    return f"Sites: {'; '.join(parts)}." if parts else ""
