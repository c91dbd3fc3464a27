"""The words of figures of tables: title, subtitle, footnotes, and counts and intervals as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data import periods
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import Spans
from qi_equity.plot import _words
from qi_equity.plot._kinds import written_unit
from qi_equity.plot._words import MONTHS
from qi_equity.spc.words import plural

Dates = NDArray[np.datetime64]

_MOST_NOTES, _MOST_NAMES = 8, 6
# What women are recorded as, not what they are.
_NO_ADJECTIVES = ("Mixed", "Other", "Any other")
# Said by the marks of each row already.
_SHOWN_OTHERWISE = ("not_yet_visible", "zero_events", "suppressed", "no_births", "no_interval")


@dataclass(frozen=True, slots=True)
class Words:
    """The words around the panels, and the description for those who do not see them."""

    title: str
    subtitle: str
    notes: Sequence[str]
    description: str
    whose: str = ""


def people(series: StratifiedSeries, name: str) -> str:
    """Name a group as people in a sentence: "Black women", "women recorded as Mixed"."""
    titled = title_of_group(series, name)
    scheme = series.scheme
    if titled != name or scheme is None or scheme.ordered or name not in series.groups:
        return titled
    return name if name in scheme.unknown else f"{_who(series)} recorded as {name}"


def target_words(series: StratifiedSeries, name: str | float) -> str:
    """Name a target with its value: ``name`` is a number, or "target" for that of the measure."""
    measure = series.measure
    value = measure.target if isinstance(name, str) else name
    if value is None:
        return "the target"
    return f"the target of {value * measure.multiplier:,.3g} {written_unit(measure)}".rstrip()


def title_of_group(series: StratifiedSeries, name: str) -> str:
    """Name a group as people where its label is an adjective: "Black women"; else by its label alone."""
    scheme = series.scheme
    if scheme is None or scheme.ordered or name not in series.groups or name in scheme.unknown:
        return name
    return name if name.startswith(_NO_ADJECTIVES) or " - " in name else f"{name} {_who(series)}"


def _who(series: StratifiedSeries) -> str:
    return "women" if series.measure.ethnicity_of == "mother" else "babies"


def whose(series: StratifiedSeries) -> str:
    """Say over the names of groups what they are: people, as they were recorded."""
    scheme = series.scheme
    if scheme is None or scheme.ordered:
        return ""
    return f"{_words.capital(_who(series))} recorded as"


def title_of(series: StratifiedSeries, what: str) -> str:
    """Give the title: the measure, what is shown of it, and the site if there is but one."""
    one = f" · {series.sites[0]}" if len(series.sites) == 1 else ""
    return f"{series.measure.name}: {what}{one}"


def subtitle_of(spans: Spans, unit: str) -> str:
    """Give unit and span of time, and say where the data are synthetic."""
    return _subtitle(spans.series, unit, spans.start, spans.end)


def subtitle_of_series(series: StratifiedSeries, unit: str) -> str:
    """Give unit and span of time of a series."""
    every: Any = series.every
    first, last = series.cells.ends[:1], periods.end(series.cells.ends[1:], every)
    return _subtitle(series, unit, first, last)


def _subtitle(series: StratifiedSeries, unit: str, start: Dates, end: Dates) -> str:
    first, last = (pd.DatetimeIndex(np.ravel(d)) for d in (start, end))
    months = [month_of(d) for d in (first.min(), last.max()) if not pd.isna(d)]
    parts = [_words.capital(unit), " to ".join(dict.fromkeys(months)) or "no periods"]
    return " · ".join([*parts, "synthetic data"] if _words.is_synthetic(series) else parts)


def month_of(date: pd.Timestamp) -> str:
    """Name the month of a date."""
    return f"{MONTHS[date.month - 1]} {date.year}"


def footnotes_of(series: StratifiedSeries, notes: pd.DataFrame, order: str, said: Sequence[str]) -> list[str]:
    """Give the footnotes: how it was made, the order with its reason, and what the result says of itself."""
    lines = [*said]
    if order:
        lines.append(f"Order of the groups: {_words.order_text(order)}.")
    if whose(series):
        lines.append(f"Groups: {_who(series)} as they were recorded.")
    lines += _notes(notes)
    if _words.is_synthetic(series):
        lines.append(_words.SYNTHETIC)
    return lines


def _notes(notes: pd.DataFrame) -> list[str]:
    """Give each note that is more than information once, with those it speaks of."""
    told = notes[(notes["severity"] != "info") & ~notes["code"].isin(_SHOWN_OTHERWISE)]
    keys = [c for c in told.columns if c not in ("code", "severity", "text")]
    told = _without_site(told)
    names = told[keys].apply(lambda row: " · ".join(str(v) for v in row if pd.notna(v)), axis=1)
    # What holds for all comes first, and is not crowded out by what is said of many groups.
    ranked = told.assign(name=names, last=names != "").sort_values("last", kind="stable")
    lines = []
    for (_, text), part in ranked.groupby(["code", "text"], sort=False):
        who = [name for name in dict.fromkeys(part["name"]) if name]
        more = f" and {len(who) - _MOST_NAMES} more" if len(who) > _MOST_NAMES else ""
        lines.append(f"{', '.join(who[:_MOST_NAMES])}{more}: {text}" if who else str(text))
    if len(lines) > _MOST_NOTES:
        lines = [*lines[:_MOST_NOTES], f"{plural(len(lines) - _MOST_NOTES, 'further note')}: see .notes."]
    return lines


def _without_site(told: pd.DataFrame) -> pd.DataFrame:
    """Leave out the sites where each of several sites is told the same of the same groups."""
    if not len(told):
        return told
    out = told.astype({"site": "object", "group": "object"})
    for _, part in told.dropna(subset=["site", "group"]).groupby(["code", "text"], sort=False):
        sites, groups = part["site"].nunique(), part["group"].nunique()
        if sites > 1 and len(part) == sites * groups == len(part.drop_duplicates(["site", "group"])):
            all_of = sites == told["site"].nunique()
            where = "all sites" if all_of else f"{sites} sites"
            out.loc[part.index, "group"] = [f"{group} ({where})" for group in part["group"]]
            out.loc[part.index, "site"] = None
    return out


def counts_text(events: float, births: float, *, what: str = "births") -> str:
    """Say how many events there were among how many births; nothing where they are not known."""
    if np.isnan(births):
        return "" if np.isnan(events) else f"{events:,.0f} events"
    return f"{births:,.0f} {what}" if np.isnan(events) else f"{events:,.0f} of {births:,.0f}"
