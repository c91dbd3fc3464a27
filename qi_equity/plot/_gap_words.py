"""Gaps as rows: which way is worse, what the marks mean, and the reference with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head
from qi_equity.plot._dots import Dots
from qi_equity.plot._kinds import written_unit
from qi_equity.plot._text import number
from qi_equity.spc.words import and_list

if TYPE_CHECKING:
    from qi_equity.equity.gaps import GapTable

Floats = NDArray[np.float64]

SCALES = ("difference", "ratio")
ORIENTATION = {
    "without the event": "Gaps are those in births without the event, so that more is worse for the group.",
    "reversed": "Gaps are turned round (reference less group, reference over group): more is worse.",
}


def difference_unit(measure: Measure) -> str:
    """Give the unit of a difference."""
    return "percentage points" if measure.unit == "%" else written_unit(measure)


def ends_of(measure: Measure) -> tuple[str, str]:
    """Say what the two directions of an axis of gaps mean."""
    return (
        ("← lower", "higher →")
        if measure.better is None
        else ("← better for the group", "worse for the group →")
    )


def reference_of(gaps: GapTable) -> str:
    """Name what the groups are compared with."""
    return reference_words(gaps.spans.series, gaps.options["reference"]["name"], gaps.table["reference"])


def reference_words(series: StratifiedSeries, name: str | float, compared: pd.Series[str]) -> str:
    """Name a reference as it was given, or those that each group was ``compared`` with."""
    if not isinstance(name, str) or (name == "target" and name not in series.groups):
        return result_words.target_words(series, name)
    names = dict.fromkeys(result_words.people(series, str(n)) for n in compared)
    return and_list(list(names)) if len(names) <= 3 else "the reference"


def gap_said(gaps: GapTable) -> list[str]:
    """Say how gaps are made, with what they are compared and why."""
    given, measure = gaps.options["reference"], gaps.spans.series.measure
    why = f", because: {given['reason']}" if given["reason"] else ", for which no reason was given"
    level = f"{100 * gaps.options['confidence']:g} %"
    lines = [
        f"Compared with {reference_of(gaps)}{why}.",
        f"At the right of each row: gap with {level} interval; rate of the group against that of the "
        "reference, and its events of births.",
        ORIENTATION.get(str(gaps.method["orientation"]), ""),
        "Neither direction is better for this measure." if measure.better is None else "",
        f"Hollow: not reliable by {gaps.method['reliability']}.",
    ]
    return [line for line in lines if line]


def gap_dots(gaps: GapTable, name: str, part: pd.DataFrame, scale: str) -> Dots:
    """Make the panel of one place and span on one scale."""
    measure, relative = gaps.spans.series.measure, scale == "ratio"
    times = 1.0 if relative else measure.multiplier
    estimate, lower, upper = (
        part[f"{scale}{end}"].to_numpy(dtype=float) * times for end in ("", "_lower", "_upper")
    )
    unit = difference_unit(measure)
    at = 1.0 if relative else 0.0
    texts = [
        _text(row, y, low, high, measure, relative)
        for row, y, low, high in zip(part.itertuples(), estimate, lower, upper, strict=True)
    ]
    return Dots(
        Head(f"{name} · {'relative: ratio' if relative else 'absolute: difference'}"),
        estimate,
        lower,
        upper,
        _looks(lower, upper, at, part, measure),
        tuple(texts),
        _instead(part, estimate),
        scale=int(relative),
        unit="ratio" if relative else unit,
        at=at,
        at_label=f"{style.NO_GAP}: as {reference_of(gaps)}",
        ends=ends_of(measure),
    )


def _looks(lower: Floats, upper: Floats, at: float, part: pd.DataFrame, measure: Measure) -> tuple[str, ...]:
    """Choose the marks: by whether the whole interval lies on one side of no gap."""
    above, below = (lower > at), (upper < at)
    if measure.better is None:
        looks = np.where(above | below, "differs", "open")
    else:
        looks = np.select([above, below], ["worse", "better"], "open")
    reliable = part["reliable"].eq(True).to_numpy(dtype=bool)
    return tuple(
        str(look) if sure else f"{look}, not reliable" for look, sure in zip(looks, reliable, strict=True)
    )


def _text(row: object, y: float, low: float, high: float, measure: Measure, relative: bool) -> str:
    if np.isnan(y):
        return ""
    decimals = 2 if relative else _decimals(measure)
    first = number(y, decimals) if np.isfinite(y) else "∞"
    if not (np.isnan(low) or np.isnan(high)):
        first += f" ({number(low, decimals)} to {number(high, decimals) if np.isfinite(high) else '∞'})"
    times = measure.multiplier
    rates = (row.rate * times, row.reference_rate * times)  # type: ignore[attr-defined]
    if relative:
        second = result_words.counts_text(row.events, row.births)  # type: ignore[attr-defined]
        if not row.reliable:  # type: ignore[attr-defined]
            second += " · not reliable"
    else:
        second = " against ".join(number(rate, _decimals(measure)) for rate in rates)
    return f"{first}\n{second}"


def _decimals(measure: Measure) -> int:
    return 1 if measure.multiplier > 1 else 2


def _instead(part: pd.DataFrame, estimate: Floats) -> tuple[str, ...]:
    """Say of each row without a gap why there is none."""
    words = {"suppressed": "suppressed (small number withheld)", "missing": "missing (not reported)"}
    texts = []
    for row, y in zip(part.itertuples(), estimate, strict=True):
        status, births = str(row.status), row.births
        if not np.isnan(y):
            texts.append("")
        elif row.is_reference:
            texts.append("is the reference")
        else:
            why = "no births" if births == 0 else "no events in both" if status == "observed" else "not known"
            texts.append(words.get(status, why))
    return tuple(texts)
