"""Which chart to use for each stratum, and why: the simplest of those that see the change about as soon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qi_equity.data.cells import Bools, Ints
from qi_equity.planning.candidates import NO, Candidate
from qi_equity.planning.plan import Plan
from qi_equity.planning.words import a_chart, chart_words, late_words, months_words

__all__ = ["NONE", "best_of", "reasons"]

NONE = -1
ABOUT_AS_SOON = 1.25
"""A simpler chart is taken where it waits no longer than so many times as long as the soonest,"""
A_MONTH = 1.0
"""or no more than a month longer."""


def best_of(found: Sequence[Candidate], *, records: bool) -> Ints:
    """Choose among the tuned charts that the data at hand can draw: an index of each stratum, or -1.

    A chart that cannot show a change to both sides is no choice where another can, as for ``kind="auto"``.
    """
    months = np.stack([one.detect for one in found])
    usable = np.array([_is_choice(one, records=records) for one in found])[:, None]
    able = usable & np.isfinite(months)
    both = np.stack([(one.can_fall != NO) & (one.can_rise != NO) for one in found])
    able &= both | ~(able & both).any(axis=0)
    soonest = np.where(able, months, np.inf).min(axis=0, initial=np.inf)
    longest = np.maximum(ABOUT_AS_SOON * soonest, soonest + A_MONTH)
    soon = able & (np.where(able, months, np.inf) <= longest)
    return np.where(soon.any(axis=0), soon.argmax(axis=0), NONE)


def _is_choice(one: Candidate, *, records: bool) -> bool:
    """Tell whether a chart is tuned, can be drawn from the data, and sees a change as soon whenever it comes.

    The limits of an EWMA are narrow at its start: its months hold for a change that comes then, and are up to
    a third too short for one that comes later.
    """
    return one.is_tuned and (records or not one.records) and one.chart != "ewma"


def reasons(plan: Plan, found: Sequence[Candidate], best: Ints, within: float, *, records: bool) -> list[str]:
    """Say for each stratum why this chart, or why none."""
    fall_or_rise = "fall" if plan.side == "low" else "rise"
    told = []
    for row, choice in enumerate(best.tolist()):
        if not plan.seen[row]:
            told.append(_nothing(plan, row))
            continue
        if choice == NONE:
            told.append(f"Not yet visible: no chart of these data could show this {fall_or_rise}.")
            continue
        told.append(
            " ".join(
                part
                for part in (
                    _chosen(found[choice], row, within),
                    _soonest(found, row, choice, records=records),
                    _blind(found, row, fall_or_rise),
                    "" if records else _from_records(found, row, found[choice].detect[row]),
                )
                if part
            )
        )
    return told


def _nothing(plan: Plan, row: int) -> str:
    """Say why nothing can be reckoned of a stratum."""
    if not np.nan_to_num(plan.births[row]) > 0:
        return "Not yet visible: no births of which the outcome is known."
    if plan.rate[row] == 0:
        return "Not yet visible: no events so far, so that there is no rate to reckon with."
    if plan.family == "binomial" and plan.rate[row] == 1:
        return "Not yet visible: every birth so far has the event, so that there is no rate to reckon with."
    end = "100 % or more" if plan.side == "high" else "0 % or less"
    return f"Not yet visible: this change would bring the rate to {end}."


def _chosen(one: Candidate, row: int, within: float) -> str:
    name, months = chart_words(one.chart, one.every), one.detect[row]
    if months <= within:
        return f"{name[0].upper()}{name[1:]}: sees the change in {months_words(months)} on average."
    return (
        f"Not yet visible within {months_words(within)}: the best of these charts ({name}) takes "
        f"{late_words(months, within)} on average."
    )


def _soonest(found: Sequence[Candidate], row: int, choice: int, *, records: bool) -> str:
    """Name the chart that sees it soonest, where a simpler one was taken."""
    usable = [one for one in found if _is_choice(one, records=records)]
    soonest = min(usable, key=lambda one: np.nan_to_num(one.detect[row], nan=np.inf))
    if soonest is found[choice] or soonest.detect[row] >= found[choice].detect[row]:
        return ""
    name = chart_words(soonest.chart, soonest.every)
    return f"It is simpler than the {name}, which takes {months_words(soonest.detect[row])}."


def _blind(found: Sequence[Candidate], row: int, change: str) -> str:
    """Say which charts of points cannot show the change at all."""
    blind = [
        a_chart(one.chart, one.every)
        for one in found
        if one.is_tuned and one.chart in ("p", "u", "c") and not np.isfinite(one.detect[row])
    ]
    return f"A{' and '.join(blind)[1:]} could not show a {change} of any size." if blind else ""


def _from_records(found: Sequence[Candidate], row: int, months: float) -> str:
    """Say how much sooner charts that need the order of births would be."""
    others = [one for one in found if one.records and one.detect[row] < months - A_MONTH]
    if not others:
        return ""
    best = min(others, key=lambda one: float(one.detect[row]))
    name = a_chart(best.chart, best.every)
    return f"From records in their order, {name} would take {months_words(best.detect[row])}."


def visible(months: np.ndarray, within: float) -> Bools:
    """Tell where the change would be seen in time."""
    with np.errstate(invalid="ignore"):
        return np.asarray(months <= within)
