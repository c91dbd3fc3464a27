"""The words of a figure: titles, what a panel cannot show, and the footnote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.plot._glyphs import drawable
from qi_equity.plot._kinds import has_limits, how_made, unit_of
from qi_equity.plot._text import decimals_for, number
from qi_equity.spc.kinds import Spec
from qi_equity.spc.text import OF_PHASE, kind_title
from qi_equity.spc.words import and_list, period, plural

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

Bools = NDArray[np.bool_]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# What a note says on its panel, in a few words; the full sentences stand in ``chart.notes``.
NOTE_WORDS: Mapping[str, str] = {
    "short_phase": "fewer than 12 points: limits are provisional",
    "cannot_signal_improvement": "cannot signal improvement",
    "cannot_signal_deterioration": "cannot signal deterioration",
    "cannot_signal_low": "cannot signal a fall",
    "cannot_signal_high": "cannot signal a rise",
    "limits_cannot_signal_improvement": "only several points together can signal improvement",
    "limits_cannot_signal_deterioration": "only several points together can signal deterioration",
    "limits_cannot_signal_low": "only several points together can signal a fall",
    "limits_cannot_signal_high": "only several points together can signal a rise",
    "runs_tests_not_given": "runs tests not valid here",
    "cannot_signal": "shows, and cannot signal",
    "passed_over": "points without a standard error passed over",
    "no_events_in_baseline": "baseline cannot set limits",
    "overlapping_windows": "periods overlap: signals not valid",
    "run_across_gap": "a run crosses a gap",
    "unrecorded_outcomes": "5 % or more of outcomes not recorded",
    "rounded_counts": "counts are rounded",
    "rules_not_applied": "counts are rounded: no rules applied",
    "no_lines": "baseline cannot set limits",
    "undefined_ratio": "0 against 0 events has no ratio and is not drawn",
    "opposite_scales": "difference and ratio moved opposite ways",
    "unknown_group": "not a group: women whose group is not known",
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
SYNTHETIC = "The data are synthetic: made by a computer, about no real people."
# Periods that are longer than a month are named by their labels.
_LONG = ("quarter", "year", "financial-year")
_MOST_NAMED = 3
_ORDERS = {
    "alphabetical": "alphabetical, so that no group is set as the norm; unknown ethnicity last",
    "declared": "as the scheme of groups declares it",
    "size": "by number of {what}, largest first; unknown ethnicity last",
    "rate": "by rate, highest first; unknown ethnicity last",
    "given": "as the maker of the figure gave it",
}


def counts_of(points: pd.DataFrame, known: Bools, measure: Measure, spec: Spec) -> tuple[str, ...]:
    """Say how many births and events the points of a panel with known numbers stand for."""
    shown = points[known]
    events, births = shown["numerator"].sum(), shown["denominator"].sum()
    who = "babies" if measure.counts == "baby" else "births"
    match measure.kind:
        case "between":
            parts = [f"{len(shown):,} intervals"]
        case "count":
            parts = [f"{events:,.0f} events"]
        case "mean":
            parts = _mean_of(shown, measure, spec)
        case _:
            parts = [f"{births:,.0f} {who}", f"{events:,.0f} events"]
    if not len(shown) and (points["status"] == "missing").any():
        return ()
    hidden = points["status"].isin(["suppressed", "missing"]).any()
    return (*parts, "shown periods only") if hidden and len(shown) else tuple(parts)


def _mean_of(shown: pd.DataFrame, measure: Measure, spec: Spec) -> list[str]:
    size = shown["denominator"].sum()
    if not size > 0:
        return [f"{len(shown):,} values"]
    if spec.plots != "value":
        return [f"n {size:,.0f}"]
    mean = float((shown["value"] * shown["denominator"]).sum() / size) * measure.multiplier
    text = number(mean, decimals_for(abs(mean) / 100))
    return [f"n {size:,.0f}", f"mean {text} {unit_of(measure, spec) if measure.unit else ''}".rstrip()]


def warnings_of(
    notes: pd.DataFrame, signals: pd.DataFrame | None, points: pd.DataFrame, left_out: int = 0
) -> tuple[str, ...]:
    """Say in short words what a panel cannot show, and which signal has no place to be drawn at."""
    words = []
    for rule, said in OF_PHASE.items():
        of = [] if signals is None else sorted(set(signals.loc[signals["rule"] == rule, "phase"]))
        where = f" (phase {', '.join(map(str, of))})" if points["phase"].max() > 1 else ""
        words += [f"signal: {said}{where}"] if of else []
    known = _of_last_phase(notes[~notes["code"].isin(_SHOWN_OTHERWISE)], points)
    told = known["severity"] != "info"
    words += [NOTE_WORDS.get(code, code.replace("_", " ")) for code in known.loc[told, "code"]]
    suppressed = int((points["status"] == "suppressed").sum())
    if suppressed:
        words.append(f"{suppressed} of {len(points)} periods suppressed{_biased(points)}")
    if left_out:
        words.append(f"{plural(left_out, 'excluded or provisional period')} not drawn")
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
    return [
        drawable(label) if isinstance(label, str) and label else f"phase {number}" for label, number in named
    ]


def title_of(chart: ControlChart) -> str:
    """Give the figure's title: the measure, and the site if all panels are of one."""
    strata = chart.strata
    one = "site" in strata and len(set(strata["site"])) == 1
    return chart.series.measure.name + (f" · {strata['site'].iloc[0]}" if one else "")


def subtitle_of(chart: ControlChart) -> str:
    """Give unit, frequency and span of time, and say where the data are synthetic."""
    units = dict.fromkeys(unit_of(chart.series.measure, spec) for spec in chart.specs)
    between = chart.series.measure.kind == "between"
    unit, every = and_list(list(units)), "each event" if between else _EVERY[str(chart.series.every)]
    dates = pd.to_datetime(chart.points["period"]).dropna()
    span = f"{_when(chart, dates.min())} to {_when(chart, dates.max())}" if len(dates) else "no periods"
    parts = [capital(unit), every, span]
    return " · ".join([*parts, "synthetic data"] if is_synthetic(chart.series) else parts)


def capital(text: str) -> str:
    """Start with a capital letter, unless with a unit such as ml or g/dl."""
    first = text.split()[0].strip(",")
    return text[:1].upper() + text[1:] if len(first) > 2 and first.isalpha() and first.islower() else text


def _when(chart: ControlChart, date: pd.Timestamp) -> str:
    """Name the month of a date, or its period where that is longer."""
    if chart.series.every in _LONG and chart.series.measure.kind != "between":
        return period(chart.series, date.to_datetime64())
    return f"{MONTHS[date.month - 1]} {date.year}"


def is_synthetic(series: StratifiedSeries) -> bool:
    """Tell whether the provenance of the data says that they are synthetic."""
    return "synthetic" in f"{series.method.get('source')} {series.measure.source}".lower()


def footnotes_of(chart: ControlChart, order: str) -> list[str]:
    """Give the footnotes: limits, rules, order with its reason, phases, and what holds for all panels."""
    lines = [*_kinds_of(chart), f"Rules: {chart.rules.name}, version {chart.rules.version}."]
    if len(chart.strata) > 1:
        alike = "All panels" if len(chart.specs) == 1 else "Panels of one kind of chart"
        lines.append(f"Order of the groups: {_order_of(chart, order)}. {alike} have the same scales.")
    lines += phases_of(chart)
    notes = chart.notes
    general = notes[
        notes["group"].isna() & (notes["severity"] != "info") | (notes["code"] == "expected_false_signals")
    ]
    lines += list(dict.fromkeys(general["text"]))
    if is_synthetic(chart.series):
        lines.append(SYNTHETIC)
    return lines


def _order_of(chart: ControlChart, order: str) -> str:
    return order_text(order, has_births=bool(chart.points["denominator"].notna().any()))


def order_text(order: str, *, has_births: bool = True) -> str:
    """Give the reason of an order; without denominators the size of a group is its events."""
    return _ORDERS[order].format(what="births" if has_births else "events")


def phases_of(chart: ControlChart) -> list[str]:
    """Say when the phases after the first start, and whose they are where strata differ."""
    strata, phases = chart.strata, chart.timeline.phases
    keys = list(strata.columns)
    every = strata.astype(str).itertuples(index=False, name=None)
    names = dict(zip(every, stratum_names(strata), strict=True))
    # A gap chart of some strata keeps the phases of all.
    shown = [key in names for key in phases[keys].astype(str).itertuples(index=False, name=None)]
    later = phases[np.asarray(shown, dtype=bool) & (phases["phase"] > 1)]
    if not len(later):
        return []
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


def _kinds_of(chart: ControlChart) -> list[str]:
    """Say of each kind how its lines are made, whose it is where kinds differ, and why it was chosen."""
    names, why = stratum_names(chart.strata), shared_reason(chart)
    lines = []
    for k, spec in enumerate(chart.specs):
        who = [name for name, of in zip(names, chart.spec_of.tolist(), strict=True) if of == k]
        whose = f" ({', '.join(who)})" if len(who) < len(names) and len(who) <= _MOST_NAMED else ""
        how = how_made(chart.series.measure, spec)
        lines.append(f"Lines of the {kind_title(spec)}{whose}: {how}{_common(chart, spec)}.")
    return [*lines, f"The kind was chosen by the data. {why}"] if why else lines


def shared_reason(chart: ControlChart) -> str:
    """Give the reason for the kind of chart where all strata have the same; else it stands on the panels."""
    return chart.why[0] if len(set(chart.why)) == 1 else ""


def _common(chart: ControlChart, spec: Spec) -> str:
    if len(chart.strata) == 1 or not has_limits(spec):
        return ""
    common = chart.limits == "common"
    return "; one centre line for all groups" if common else "; each group has its own lines"
