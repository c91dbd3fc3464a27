"""What an evaluation must tell its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects
from qi_equity.change.gap_effects import GapEffects
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.checks import recording_check
from qi_equity.change.sensitivity.jumps import YES
from qi_equity.change.sentence import is_interim
from qi_equity.change.study import Study, of_strata, seasonal_periods, study_notes
from qi_equity.change.text import HIGHER, LOWER
from qi_equity.change.verdicts import NOT_VISIBLE
from qi_equity.data.cells import MISSING, SUPPRESSED, Floats
from qi_equity.data.regroup import distinct
from qi_equity.spc.words import each, plural

_CELLS = (
    "dispersion of each stratum's own, floored at 1, t quantiles; exact mid-P where a cell has fewer than "
)
ESTIMATORS = {
    "binomial": f"quasi-binomial, {_CELLS}10 events, or births without one",
    "poisson": f"quasi-Poisson, {_CELLS}10 events",
    "gaussian": "restricted maximum likelihood with AR(1) errors, t quantiles",
}
_BEYOND = {
    "no": "{}, by no more than its earlier trend would have brought.",
    "cannot tell": "{}; it cannot be told from the earlier trend.",
}
_NOT_ARRIVED = (
    "The uptake of the change, as recorded, did not rise here: the outcome cannot have moved because of it."
)
_ARRIVAL_UNKNOWN = (
    "Whether the change arrived here cannot be told: its uptake is not known on both sides of the change, or "
    "of too few."
)
_LOW_COUNTS_HIDDEN = (
    "Suppression hides the periods with few events: the rates of those left are too high, most where events "
    "are few, so that an improvement looks smaller than it is. Use longer periods, or counts that are not "
    "suppressed."
)
# Share of a stratum's periods above which what is hidden bends its rates.
_MANY_SUPPRESSED = 0.1
_HARM = "Harm: {} became worse after the change."
_SAME_CHANGE = (
    "The reference had the change too: how a gap changed is the difference between two changes, not that "
    "between a change and none."
)
_OTHER_DATES = (
    "Groups of one place have the change at different dates, or some have none: a gap is set before and "
    "after the date of the group, whatever its reference did then."
)
_REPEATED = (
    "Read once {} since the change, one of {} readings calls no change 'improved' with a chance of {:.1%}; "
    "one reading with {:.1%}."
)
_INTERIM = "This reading is interim: the evaluation was planned until {}. "
_NO_DISPERSION = (
    "Too few periods to know how much the rate varies beyond chance: the interval takes it as chance alone, "
    "and may be too narrow."
)
_SHORT = "Only {} before the change: a trend or season before it cannot be told from the change."
_NO_RATIO = (
    "The means are not above 0 on both sides, so that their change has no ratio: the verdict is by the "
    "difference alone, and never 'no meaningful change'."
)
_LEFT_OUT = "{} of {} periods are {} and left out."
_NO_BIRTHS = "No births {} the change: nothing can be said of it."
_FALLBACK = (
    "Too few events for the model: before and after are compared exactly, without its trend, season or ramp."
)
_SHORT_BASELINE_YEARS = 1
_MOVED = (
    "narrowed",
    "narrowed because the reference worsened",
    "narrowed because the group worsened",
    "widened",
    "reversed",
)


def not_modelled(model: ChangeModel, harmonics: int) -> list[str]:
    """Name what the model leaves out, under which its intervals cover less than they say."""
    left = ["autocorrelation between periods"]
    if model.trend == "none":
        left.insert(0, "trend")
    if not harmonics:
        left.append("season")
    return left


def notes_of(
    study: Study,
    design: Design,
    own: Effects,
    groups: pd.DataFrame,
    gaps: Mapping[str, GapEffects],
    harm: pd.DataFrame,
    looks: Floats,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Put together the notes of an evaluation."""
    further = [c for c in study.strata.columns if c not in ("site", "group")]
    parts = [
        *study_notes(study),
        options.get("at_notes", _result.notes([])),
        *_of_data(study, groups),
        *_of_recording(study, options["confidence"]),
        *_of_groups(study, groups),
        *_opposite_scales(study, gaps, own, options["meaningful"]),
        *_of_harm(study, harm),
        *_of_dispersion(study, own),
        *_of_ratio(study, own),
        *_of_fallback(study, design, own),
        *_of_readings(study, design, looks, options),
        *_of_reference(study),
    ]
    return _result.notes([p for p in parts if len(p)], further)


def _strata(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[list(study.strata.columns)]


def _of_data(study: Study, groups: pd.DataFrame) -> list[pd.DataFrame]:
    status, periods = study.series.cells.status, study.series.cells.status.shape[1]
    parts = []
    for kind, word in ((SUPPRESSED, "suppressed"), (MISSING, "missing")):
        count = (status == kind).sum(axis=1)
        some = np.flatnonzero(count)
        texts = [_LEFT_OUT.format(n, periods, word) for n in count[some]]
        parts += of_strata(f"{word}_left_out", "caution", texts, study.strata.iloc[some])
        if kind == SUPPRESSED:
            many = np.flatnonzero(count > _MANY_SUPPRESSED * periods)
            texts = [_LOW_COUNTS_HIDDEN] * len(many)
            parts += of_strata("low_counts_hidden", "warning", texts, study.strata.iloc[many])
    for when in ("before", "after"):
        rows = groups[groups["at"].notna() & (groups[f"births_{when}"] == 0)]
        texts = [_NO_BIRTHS.format(when)] * len(rows)
        parts += of_strata("no_births", "caution", texts, _strata(study, rows))
    first = np.nanmin(study.schedule.starts, axis=1, initial=np.inf)
    per_year = seasonal_periods(study.series.every)
    short = np.flatnonzero((first < _SHORT_BASELINE_YEARS * per_year) & (per_year > 1))
    every = study.series.every.replace("-", " ")
    texts = [_SHORT.format(plural(int(n), every)) for n in first[short]]
    return parts + of_strata("short_baseline", "caution", texts, study.strata.iloc[short])


def _of_recording(study: Study, confidence: float) -> list[pd.DataFrame]:
    """Say where outcomes began, or ceased, to be recorded at the date of the change."""
    if not np.nansum(study.series.cells.unrecorded) > 0:
        return []
    found = recording_check(study, confidence)
    moved = found[found["jumped"] == YES]
    return of_strata("recording_moved", "caution", moved["text"].tolist(), _strata(study, moved))


def _of_groups(study: Study, groups: pd.DataFrame) -> list[pd.DataFrame]:
    better = groups["verdict"].isin(["improved", "fell"])
    way = HIGHER if study.series.measure.better == "higher" else LOWER
    parts = []
    for word, text in _BEYOND.items():
        rows = groups[better & (groups["beyond_trend"] == word)]
        code = "not_beyond_trend" if word == "no" else "trend_not_told_apart"
        texts = [text.format(way.capitalize())] * len(rows)
        parts += of_strata(code, "caution", texts, _strata(study, rows))
    told: tuple[tuple[str, str, _result.Severity, str], ...] = (
        ("no", "change_did_not_arrive", "warning", _NOT_ARRIVED),
        ("cannot tell", "arrival_not_visible", "caution", _ARRIVAL_UNKNOWN),
    )
    for word, code, severity, text in told:
        rows = groups[(groups["arrived"] == word) & groups["at"].notna()]
        parts += of_strata(code, severity, [text] * len(rows), _strata(study, rows))
    return parts


def _opposite_scales(
    study: Study, gaps: Mapping[str, GapEffects], own: Effects, meaningful: float
) -> list[pd.DataFrame]:
    """Say where a gap moved on one scale, on the other not, or the other way."""
    difference, ratio = gaps["difference"], gaps["ratio"]
    with np.errstate(divide="ignore", invalid="ignore"):
        # How far each scale moved, in meaningful changes; below 0 where the gap moved towards the reference.
        of_difference = difference.change.estimate / ((1 - meaningful) * own.before.estimate)
        of_ratio = np.log(ratio.change.estimate) / -np.log(meaningful)
        little = (np.abs(of_difference) < 1, np.abs(of_ratio) < 1)
        against = of_difference * of_ratio <= 0
    moved = (np.isin(difference.verdict, _MOVED), np.isin(ratio.verdict, _MOVED))
    # What is not yet visible on one scale is no other story, unless it points the other way or hardly moved.
    one_only = (moved[0] & ~moved[1] & (little[1] | against)) | (moved[1] & ~moved[0] & (little[0] | against))
    both = moved[0] & moved[1] & ((difference.verdict == "widened") != (ratio.verdict == "widened"))
    row, change = np.nonzero((one_only | both) & ~study.against.is_reference[:, None])
    texts = [
        f"The scales tell {'different' if NOT_VISIBLE in (d, r) else 'opposite'} stories of the gap: as a "
        f"difference {d}, as a ratio {r}."
        for d, r in zip(difference.verdict[row, change], ratio.verdict[row, change], strict=True)
    ]
    return of_strata("opposite_scales", "caution", texts, study.strata.iloc[row])


def _of_ratio(study: Study, own: Effects) -> list[pd.DataFrame]:
    rows = np.flatnonzero(own.without_ratio().any(axis=1))
    return of_strata("no_ratio", "caution", [_NO_RATIO] * len(rows), study.strata.iloc[rows])


def _of_harm(study: Study, harm: pd.DataFrame) -> list[pd.DataFrame]:
    rows = harm[harm["verdict"] == "worsened"]
    texts = [_HARM.format(name) for name in rows["measure"]]
    return of_strata("harm", "warning", texts, _strata(study, rows))


def _of_dispersion(study: Study, own: Effects) -> list[pd.DataFrame]:
    unknown = np.isinf(own.df).any(axis=1) & np.isfinite(own.ratio.estimate).any(axis=1)
    rows = study.strata.iloc[np.flatnonzero(unknown)]
    return of_strata("dispersion_not_known", "caution", [_NO_DISPERSION] * len(rows), rows)


def _of_fallback(study: Study, design: Design, own: Effects) -> list[pd.DataFrame]:
    """Say which strata were compared without the trend or season that was asked for."""
    rows = np.flatnonzero(own.exact.any(axis=1) & (not design.level_only))
    return of_strata("too_few_for_the_model", "caution", [_FALLBACK] * len(rows), study.strata.iloc[rows])


def _of_readings(
    study: Study, design: Design, looks: Floats, options: Mapping[str, Any]
) -> list[pd.DataFrame]:
    """Say what repeated reading adds, and whether this reading is interim."""
    if not np.isfinite(looks).any():
        return []
    worst = int(np.nanargmax(looks))
    known = (np.nan_to_num(study.size) > 0) & design.counted[:, worst]
    single = (1 - options["confidence"]) / 2
    readings = int(known.any(axis=0).sum())
    # A first reading repeats nothing.
    again = _REPEATED.format(each(study.series.every), readings, float(looks[worst]), single)
    text = again if readings > 1 else ""
    if is_interim(study.series, options["until"]):
        return [_result.note("interim", "caution", (_INTERIM.format(options["until"]) + text).rstrip())]
    return [_result.note("repeated_reading", "info", text)] if text else []


def _of_reference(study: Study) -> list[pd.DataFrame]:
    """Say what the reference did meanwhile; a target does nothing, and nobody neither."""
    if study.against.exact or np.isnan(study.other_events).all():
        return []
    place = distinct(study.strata.drop(columns="group"))[0]
    first = np.unique(place, return_index=True)[1][place]
    starts = np.nan_to_num(study.schedule.starts, nan=-1.0)
    apart = (starts != starts[first]).any(axis=1)
    if apart.any():
        return [_result.note("reference_at_other_dates", "caution", _OTHER_DATES)]
    return [_result.note("reference_had_the_change", "info", _SAME_CHANGE)]
