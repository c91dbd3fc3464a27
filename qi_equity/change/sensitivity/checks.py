"""What else moved at the date of a change: the mix, completeness, recording, births, and where it started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.change.level import segment_sums
from qi_equity.change.sensitivity import check_words as words
from qi_equity.change.sensitivity.jumps import CANNOT_TELL, NO, YES, Jumps, find_jumps
from qi_equity.change.sensitivity.places import Dates, add, dates_of, fitted_segment
from qi_equity.change.sensitivity.worst import worst_start
from qi_equity.change.study import Study
from qi_equity.data import regroup
from qi_equity.data.catalogue import measures
from qi_equity.data.cells import OBSERVED, Floats, Ints
from qi_equity.data.unknown import is_unknown

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

__all__ = ["CHECK_COLUMNS", "checks_of", "recording_check"]

CHECK_COLUMNS = {
    "change": "int64",
    "at": "datetime64[us]",
    "check": "str",
    "before": "float64",
    "after": "float64",
    "ratio": "float64",
    "p": "float64",
    "jumped": "str",
    "text": "str",
}

_THRESHOLDS = "other thresholds of blood loss"
_OF_THRESHOLD = ("rate_before", "rate_after", "ratio", "ratio_lower", "ratio_upper")


def checks_of(evaluation: ChangeEvaluation, study: Study, confidence: float) -> pd.DataFrame:
    """Check what else moved at the date of each change: one row a check, stratum (or place) and change."""
    births = _births(study)
    parts = [
        _mix(study, births, confidence),
        _completeness(study, births, confidence),
        recording_check(study, confidence),
        _number(study, births, confidence),
        _blood_loss(evaluation, study),
        _worst(study),
    ]
    return pd.concat([p for p in parts if p is not None], ignore_index=True)


def _births(study: Study) -> Floats:
    """Give all births of each stratum and period, their outcome recorded or not; NaN where not known.

    NaN too where the denominators are no whole numbers: an exposure is no number of births.
    """
    cells = study.series.cells
    births = np.where(cells.status == OBSERVED, cells.denominator + np.nan_to_num(cells.unrecorded), np.nan)
    known = births[np.isfinite(births)]
    return births if (known == np.rint(known)).all() else np.full(births.shape, np.nan)


def _own_dates(study: Study) -> Dates:
    none = np.zeros(len(study.events), dtype=np.bool_)
    return Dates(fitted_segment(study), study.schedule.starts, none)


def _place(study: Study) -> tuple[Ints, pd.DataFrame]:
    rest = study.strata.drop(columns="group")
    if rest.columns.empty:
        return np.zeros(len(rest), dtype=np.int64), pd.DataFrame(index=range(1))
    return regroup.distinct(rest)


def _whole(study: Study, births: Floats) -> tuple[Floats, Ints, pd.DataFrame]:
    """Give the births of each place, NaN where one of its strata that ever reports did not.

    NaN everywhere where a woman may be in several groups: their births have no sum.
    """
    row, places = _place(study)
    if study.series.scheme is not None and study.series.scheme.overlapping:
        return np.full((len(places), births.shape[1]), np.nan), row, places
    known = np.isfinite(births)
    lacking = known.any(axis=1, keepdims=True) & ~known
    total = add(np.where(known, births, 0.0), row, len(places))
    gaps = add(lacking.astype(np.float64), row, len(places)) > 0
    return np.where(gaps, np.nan, total), row, places


def _mix(study: Study, births: Floats, confidence: float) -> pd.DataFrame:
    total, row, places = _whole(study, births)
    there = add((np.nan_to_num(births).sum(axis=1) > 0).astype(np.float64), row, len(places))[row] > 1
    part = np.where(there[:, None], births, np.nan)
    found = find_jumps(
        part, total[row], _own_dates(study), study.schedule.season, family="binomial", confidence=confidence
    )
    return _rows(study, study.strata, study.schedule.starts, "mix of groups", found, words.mix(found))


def _completeness(study: Study, births: Floats, confidence: float) -> pd.DataFrame:
    total, row, places = _whole(study, births)
    unknown = is_unknown(study.series)
    size = len(places)
    events = add(np.where(unknown[:, None], np.nan_to_num(births), 0.0), row, size)
    there = add(unknown.astype(np.float64), row, size) > 0
    dates = dates_of(study, row, size)
    found = find_jumps(
        np.where(there[:, None], events, np.nan),
        total,
        dates,
        study.schedule.season,
        family="binomial",
        confidence=confidence,
    )
    strata = places.assign(group=None)
    return _rows(study, strata, dates.starts, "group not known", found, words.completeness(found, there))


def recording_check(study: Study, confidence: float) -> pd.DataFrame:
    """Check whether the share of births whose outcome was not recorded moved at the date of each change."""
    cells = study.series.cells
    events = np.where(cells.status == OBSERVED, cells.unrecorded, np.nan)
    dates = _own_dates(study)
    size = events + np.nan_to_num(cells.denominator)
    found = find_jumps(events, size, dates, study.schedule.season, family="binomial", confidence=confidence)
    bounds = _bounds(study, events, dates)
    return _rows(
        study,
        study.strata,
        dates.starts,
        "outcome not recorded",
        found,
        words.unrecorded(study, found, bounds),
    )


def _bounds(study: Study, unrecorded: Floats, dates: Dates) -> tuple[Floats, Floats]:
    """Give the ratios between which the true one lies, whatever happened in the unrecorded births, (S, K)."""
    changes = dates.starts.shape[1]
    x, n = segment_sums(study.events, study.size, dates.segment, changes + 1)
    u = segment_sums(unrecorded, np.ones(unrecorded.shape), dates.segment, changes + 1)[0]
    if study.family != "binomial":
        n = np.full(n.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        least, most = x / (n + u), (x + u) / (n + u)
        return least[:, 1:] / most[:, :-1], most[:, 1:] / least[:, :-1]


def _number(study: Study, births: Floats, confidence: float) -> pd.DataFrame:
    dates = _own_dates(study)
    found = find_jumps(
        births,
        np.ones(births.shape),
        dates,
        study.schedule.season,
        family="poisson",
        confidence=confidence,
    )
    return _rows(study, study.strata, dates.starts, "births a period", found, words.births(study, found))


def _blood_loss(evaluation: ChangeEvaluation, study: Study) -> pd.DataFrame | None:
    """Set a measure of blood loss beside other thresholds among the balancing measures."""
    thresholds = {measures[m].name for m in measures if m.startswith("pph_")}
    own = study.series.measure.name
    if own not in thresholds:
        return None
    harm, groups = evaluation._balancing, evaluation._groups
    names = [n for n in dict.fromkeys(harm["measure"]) if n in thresholds - {own}]
    starts = study.schedule.starts
    nothing = np.full(starts.shape, np.nan)
    if not names:
        empty = Jumps(nothing, nothing, nothing, nothing, np.full(starts.shape, CANNOT_TELL))
        return _rows(
            study, study.strata, starts, _THRESHOLDS, empty, np.full(starts.shape, words.NO_THRESHOLD)
        )
    fell = groups["ratio"].to_numpy().reshape(starts.shape) < 1
    parts = []
    for name in names:
        other = harm[harm["measure"] == name]
        before, after, ratio, lower, upper = (
            other[c].to_numpy(dtype=float).reshape(starts.shape) for c in _OF_THRESHOLD
        )
        still = other["verdict"].eq("no meaningful change").to_numpy().reshape(starts.shape)
        along, against = np.where(fell, upper < 1, lower > 1), np.where(fell, lower > 1, upper < 1)
        jumped = np.select([along, against | still], [YES, NO], CANNOT_TELL)
        found = Jumps(before, after, ratio, nothing, jumped)
        told = words.threshold(name, found, lower, upper)
        parts.append(_rows(study, study.strata, starts, _THRESHOLDS, found, told))
    return pd.concat(parts, ignore_index=True)


def _worst(study: Study) -> pd.DataFrame:
    worst = worst_start(study)
    known = worst.rank > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(known, worst.rank / worst.runs, np.nan)
        ratio = np.where(known, worst.last / worst.rest, np.nan)
    jumped = np.select([~known, worst.rank == 1], [CANNOT_TELL, YES], NO)
    found = Jumps(worst.rest, worst.last, ratio, chance, jumped)
    return _rows(
        study, study.strata, study.schedule.starts, "start after the worst", found, words.worst(study, worst)
    )


def _rows(
    study: Study, strata: pd.DataFrame, starts: Floats, check: str, found: Jumps, texts: Any
) -> pd.DataFrame:
    """Lay out one check: one row a stratum (or place: no group) and change that it has."""
    changes = starts.shape[1]
    row = np.repeat(np.arange(len(strata)), changes)
    columns = study.strata.columns
    frame = pd.DataFrame(index=range(len(row)))
    for name in columns:
        label = strata[name].astype("object").iloc[row].reset_index(drop=True)
        frame[name] = label.astype("str").where(label.notna(), None)
    position = np.nan_to_num(starts.ravel()).astype(np.int64)
    frame["change"] = np.tile(np.arange(1, changes + 1), len(strata))
    frame["at"] = study.series.cells.periods[position]
    frame["check"] = check
    for name in ("before", "after", "ratio", "p", "jumped"):
        frame[name] = getattr(found, name).ravel()
    frame["text"] = np.ravel(texts)
    frame = frame[np.isfinite(starts.ravel())].reset_index(drop=True)
    return frame.astype(CHECK_COLUMNS)
