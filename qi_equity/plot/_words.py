"""The words of a figure: titles, what a panel cannot show, and the footnote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import pandas as pd

from qi_equity.data.measure import Measure
from qi_equity.plot._text import decimals_for, number
from qi_equity.spc.words import period

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# What a note says on its panel, in a few words; the full sentences stand in ``chart.notes``.
NOTE_WORDS: Mapping[str, str] = {
    "short_phase": "fewer than 12 points: lines are rough",
    "cannot_signal_improvement": "cannot signal improvement",
    "cannot_signal_deterioration": "cannot signal deterioration",
    "cannot_signal_low": "cannot signal a fall",
    "cannot_signal_high": "cannot signal a rise",
    "limits_cannot_signal_improvement": "only several points together can signal improvement",
    "limits_cannot_signal_deterioration": "only several points together can signal deterioration",
    "limits_cannot_signal_low": "only several points together can signal a fall",
    "limits_cannot_signal_high": "only several points together can signal a rise",
    "runs_tests_not_given": "runs tests not valid here",
    "no_events_in_baseline": "baseline cannot set limits",
    "overlapping_windows": "periods overlap: signals not valid",
    "run_across_gap": "a run crosses a gap",
    "unrecorded_outcomes": "5 % or more of outcomes not recorded",
    "rounded_counts": "counts are rounded",
}
# Notes of one phase start with its number.
_OF_PHASE = r"^Phase (\d+): "
# Said by the panel's marks or its middle already.
_SHOWN_OTHERWISE = ("no_data", "provisional_points", "suppressed_points")

_EVERY = {
    "day": "by day",
    "week": "by week",
    "month": "by month",
    "quarter": "by quarter",
    "year": "by year",
    "financial-year": "by financial year",
}
# Periods that are longer than a month are named by their labels.
_LONG = ("quarter", "year", "financial-year")
_MOST_NAMED = 3
_KINDS = {"run": "Run chart", "i": "I chart", "p": "p chart", "u": "u chart", "c": "c chart"}
_ORDERS = {
    "alphabetical": "alphabetical, so that no group is set as the norm; unknown ethnicity last",
    "declared": "as the scheme of groups declares it",
    "size": "by number of {what}, largest first; unknown ethnicity last",
    "given": "as the maker of the figure gave it",
}


def unit_of(measure: Measure) -> str:
    """Give the label of the y axis."""
    plain = {"count": "events", "mean": "mean", "between": "between events"}
    return measure.unit.replace("per 1000", "per 1,000") or plain.get(measure.kind, "value")


def counts_of(points: pd.DataFrame, measure: Measure) -> tuple[str, ...]:
    """Say how many births and events the drawn points of a panel stand for."""
    shown = points[points["value"].notna()]
    events, births = shown["numerator"].sum(), shown["denominator"].sum()
    who = "babies" if measure.counts == "baby" else "births"
    match measure.kind:
        case "between":
            parts = [f"{len(shown):,} intervals"]
        case "count":
            parts = [f"{events:,.0f} events"]
        case "mean":
            parts = _mean_of(shown, measure)
        case _:
            parts = [f"{births:,.0f} {who}", f"{events:,.0f} events"]
    if not len(shown) and (points["status"] == "missing").any():
        return ()
    hidden = points["status"].isin(["suppressed", "missing"]).any()
    return (*parts, "shown periods only") if hidden and len(shown) else tuple(parts)


def _mean_of(shown: pd.DataFrame, measure: Measure) -> list[str]:
    size = shown["denominator"].sum()
    if not size > 0:
        return [f"{len(shown):,} values"]
    mean = float((shown["value"] * shown["denominator"]).sum() / size) * measure.multiplier
    text = number(mean, decimals_for(abs(mean) / 100))
    return [f"n {size:,.0f}", f"mean {text} {unit_of(measure) if measure.unit else ''}".rstrip()]


def warnings_of(notes: pd.DataFrame, signals: pd.DataFrame | None, points: pd.DataFrame) -> tuple[str, ...]:
    """Say in short words what a panel cannot show, and which signal has no place to be drawn at."""
    words = []
    if signals is not None and (signals["rule"] == "crossings").any():
        of = signals.loc[signals["rule"] == "crossings", "phase"]
        where = f" (phase {', '.join(str(p) for p in sorted(set(of)))})" if points["phase"].max() > 1 else ""
        words.append(f"signal: too few crossings{where}")
    known = _of_last_phase(notes[~notes["code"].isin(_SHOWN_OTHERWISE)], points)
    told = known["severity"] != "info"
    words += [NOTE_WORDS.get(code, code.replace("_", " ")) for code in known.loc[told, "code"]]
    suppressed = int((points["status"] == "suppressed").sum())
    if suppressed:
        words.append(f"{suppressed} of {len(points)} periods suppressed{_biased(points)}")
    return tuple(dict.fromkeys(words))


def _of_last_phase(notes: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Leave out the notes of the phases before the stratum's last."""
    phase = notes["text"].astype("str").str.extract(_OF_PHASE, expand=False).astype(float)
    shown: pd.DataFrame = notes[phase.isna() | (phase == points["phase"].max())]
    return shown


def _biased(points: pd.DataFrame) -> str:
    """Say which lines are made without the suppressed periods."""
    if points["lower"].notna().any() or points["upper"].notna().any():
        return ": line and limits biased"
    return ": line biased" if points["centre_line"].notna().any() else ""


def stratum_names(strata: pd.DataFrame) -> list[str]:
    """Name strata (rows of ``chart.strata``): group, further strata, and the site if there are several."""
    shown = ["group", *(c for c in strata.columns if c not in ("site", "group"))]
    titles = [*shown, "site"] if len(set(strata.get("site", ()))) > 1 else shown
    return [" · ".join(map(str, row)) for row in strata[titles].itertuples(index=False, name=None)]


def phase_labels(phases: pd.DataFrame) -> dict[int, str]:
    """Give the label of each phase of a stratum by its number."""
    return dict(zip(phases["phase"].astype(int), _labels(phases), strict=True))


def _labels(phases: pd.DataFrame) -> list[str]:
    named = zip(phases["label"], phases["phase"], strict=True)
    return [str(label) if isinstance(label, str) and label else f"phase {number}" for label, number in named]


def title_of(chart: ControlChart) -> str:
    """Give the figure's title: the measure, and the site if all panels are of one."""
    strata = chart.strata
    one = "site" in strata and len(set(strata["site"])) == 1
    return chart.series.measure.name + (f" · {strata['site'].iloc[0]}" if one else "")


def subtitle_of(chart: ControlChart) -> str:
    """Give unit, frequency and span of time, and say where the data are synthetic."""
    unit, every = unit_of(chart.series.measure), _EVERY.get(str(chart.series.every), "each event")
    dates = pd.to_datetime(chart.points["period"]).dropna()
    span = f"{_when(chart, dates.min())} to {_when(chart, dates.max())}" if len(dates) else "no periods"
    parts = [unit[:1].upper() + unit[1:], every, span]
    return " · ".join([*parts, "synthetic data"] if is_synthetic(chart) else parts)


def _when(chart: ControlChart, date: pd.Timestamp) -> str:
    """Name the month of a date, or its period where that is longer."""
    if chart.series.every in _LONG and chart.series.measure.kind != "between":
        return period(chart.series, date.to_datetime64())
    return f"{MONTHS[date.month - 1]} {date.year}"


def is_synthetic(chart: ControlChart) -> bool:
    """Tell whether the provenance of the data says that they are synthetic."""
    return "synthetic" in f"{chart.series.method.get('source')} {chart.series.measure.source}".lower()


def footnotes_of(chart: ControlChart, order: str) -> list[str]:
    """Give the footnotes: limits, rules, order with its reason, phases, and what holds for all panels."""
    lines = [
        f"{_KINDS[chart.kind]}: {_limits(chart)}. Rules: {chart.rules.name}, version {chart.rules.version}.",
    ]
    if len(chart.strata) > 1:
        lines.append(f"Order of the groups: {_order_of(chart, order)}. All panels have the same scales.")
    lines += _phases_of(chart)
    notes = chart.notes
    general = notes[
        notes["group"].isna() & (notes["severity"] != "info") | (notes["code"] == "expected_false_signals")
    ]
    lines += list(dict.fromkeys(general["text"]))
    if is_synthetic(chart):
        lines.append("The data are synthetic: made by a computer, about no real people.")
    return lines


def _order_of(chart: ControlChart, order: str) -> str:
    """Give the reason of the order; without denominators the size of a group is its events."""
    return _ORDERS[order].format(what="births" if chart.points["denominator"].notna().any() else "events")


def _phases_of(chart: ControlChart) -> list[str]:
    """Say when the phases after the first start, and whose they are where strata differ."""
    strata, phases = chart.strata, chart.timeline.phases
    later = phases[phases["phase"] > 1]
    if not len(later):
        return []
    keys = list(strata.columns)
    every = strata.astype(str).itertuples(index=False, name=None)
    names = dict(zip(every, stratum_names(strata), strict=True))
    whose = [names[key] for key in later[keys].astype(str).itertuples(index=False, name=None)]
    table = pd.DataFrame({"start": pd.to_datetime(later["start"]), "label": _labels(later), "whose": whose})
    words = []
    for key, part in table.groupby(["start", "label"], sort=True):
        start, label = cast("tuple[pd.Timestamp, str]", key)
        who = list(dict.fromkeys(part["whose"]))
        some = ", ".join(who) if len(who) <= _MOST_NAMED else "some groups"
        told = f" ({some})" if len(who) < len(strata) else ""
        words.append(f"{label} from {_when(chart, start)}{told}")
    return [f"Phases: {'; '.join(words)}."]


def _limits(chart: ControlChart) -> str:
    if chart.kind == "run":
        return "the centre line is the median; a run chart has no limits"
    if chart.kind == "i":
        spec = chart.spec
        how = f"limits from moving ranges ({getattr(spec, 'spread', 'mean')})"
    elif getattr(chart.spec, "limits", "classical") == "exact":
        how = "exact probability limits (each tail below 0.00135)"
    else:
        how = "classical limits (3 standard errors)"
    whose = "one centre line for all groups" if chart.limits == "common" else "each group has its own"
    return f"{how}; {whose}" if len(chart.strata) > 1 else how
