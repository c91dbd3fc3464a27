"""What an evaluation must tell its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.study import Study, seasonal_periods, study_notes
from qi_equity.data import selecting
from qi_equity.data.cells import MISSING, SUPPRESSED, Bools, Floats
from qi_equity.spc.words import each

_CELLS = (
    "dispersion of each stratum's own, floored at 1, t quantiles; exact mid-P where a cell has fewer than "
)
ESTIMATORS = {
    "binomial": f"quasi-binomial, {_CELLS}10 events, or births without one",
    "poisson": f"quasi-Poisson, {_CELLS}10 events",
    "gaussian": "restricted maximum likelihood with AR(1) errors, t quantiles",
}
_BEYOND = {
    "no": "Lower than before, by no more than its earlier trend would have brought.",
    "cannot tell": "Lower than before; it cannot be told from the earlier trend.",
}
_NOT_ARRIVED = "The uptake of the change did not rise here: what happened to the outcome cannot have come from the change."
_HARM = "Harm: {} became worse after the change."
_SAME_CHANGE = (
    "The reference had the change too: how a gap changed is the difference between two changes, not the effect "
    "of a change against none."
)
_REPEATED = (
    "Read once {} since the change, one of {} readings calls no change 'improved' with a chance of {:.1%}; one "
    "reading with {:.1%}."
)
_INTERIM = "This reading is interim: the evaluation was planned until {}. "
_NO_DISPERSION = (
    "Too few periods to know how much the rate varies beyond chance: the interval takes it as chance alone, and "
    "may be too narrow."
)
_SHORT = "Only {} periods before the change: a trend or season before it cannot be told from the change."
_SUPPRESSED = "{} of {} periods are suppressed and left out."
_MISSING = "{} of {} periods are missing and left out."
_SHORT_BASELINE_YEARS = 1
_NARROWS = ("narrowed", "narrowed because the reference worsened", "narrowed because the group worsened")


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
    gaps: pd.DataFrame,
    harm: pd.DataFrame,
    looks: Floats,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Put together the notes of an evaluation."""
    further = [c for c in study.strata.columns if c not in ("site", "group")]
    parts = [
        *study_notes(study),
        *_of_data(study),
        *_of_groups(study, groups),
        _opposite_scales(study, gaps),
        _of_harm(study, harm),
        _of_dispersion(study, own),
        *_of_readings(study, looks, options),
        _result.note("reference_had_the_change", "info", _SAME_CHANGE),
    ]
    return _result.notes([p for p in parts if len(p)], further)


def _strata(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[list(study.strata.columns)]


def _of_data(study: Study) -> list[pd.DataFrame]:
    status, periods = study.series.cells.status, study.series.cells.status.shape[1]
    parts = []
    for code, kind, text in (
        ("suppressed_left_out", SUPPRESSED, _SUPPRESSED),
        ("missing_left_out", MISSING, _MISSING),
    ):
        count = (status == kind).sum(axis=1)
        some = np.flatnonzero((count > 0) & (count < periods))
        texts = [text.format(n, periods) for n in count[some]]
        parts.append(_result.note(code, "caution", texts, study.strata.iloc[some]))
    first = np.nanmin(study.schedule.starts, axis=1, initial=np.inf)
    short = np.flatnonzero(first < _SHORT_BASELINE_YEARS * seasonal_periods(study.series.every))
    if seasonal_periods(study.series.every) > 1:
        texts = [_SHORT.format(int(n)) for n in first[short]]
        parts.append(_result.note("short_baseline", "caution", texts, study.strata.iloc[short]))
    return parts


def _of_groups(study: Study, groups: pd.DataFrame) -> list[pd.DataFrame]:
    better = groups["verdict"].isin(["improved", "fell"])
    parts = []
    for word, text in _BEYOND.items():
        rows = groups[better & (groups["beyond_trend"] == word)]
        code = "not_beyond_trend" if word == "no" else "trend_not_told_apart"
        parts.append(_result.note(code, "caution", [text] * len(rows), _strata(study, rows)))
    absent = groups[groups["arrived"] == "no"]
    parts.append(
        _result.note("change_did_not_arrive", "warning", [_NOT_ARRIVED] * len(absent), _strata(study, absent))
    )
    return parts


def _opposite_scales(study: Study, gaps: pd.DataFrame) -> pd.DataFrame:
    """Say where the scales tell opposite stories: one narrows and another does not move, or widens."""
    keys = [*study.strata.columns, "change"]
    wide = gaps.set_index([*keys, "scale"])[["verdict", "gap_change"]].unstack("scale")
    verdict, change = wide["verdict"], wide["gap_change"]
    narrow = verdict.isin(_NARROWS)
    moved = np.sign(change["difference"]) - np.sign(np.log(change["ratio"].where(change["ratio"] > 0)))
    opposite = (narrow.any(axis=1) & (verdict == "widened").any(axis=1)) | (
        (narrow["difference"] != narrow["ratio"])
        & narrow.any(axis=1)
        & ((moved != 0) | _still(verdict, narrow))
    )
    rows = wide.index[opposite].to_frame(index=False)
    texts = [
        "The scales tell opposite stories of the gap: "
        + ", ".join(f"{s}: {v}" for s, v in told.items())
        + "."
        for told in verdict[opposite].to_dict("records")
    ]
    return _result.note("opposite_scales", "caution", texts, rows[list(study.strata.columns)])


def _still(verdict: pd.DataFrame, narrow: pd.DataFrame) -> pd.Series:
    return ((verdict == "no meaningful change") & ~narrow).any(axis=1)


def _of_harm(study: Study, harm: pd.DataFrame) -> pd.DataFrame:
    rows = harm[harm["verdict"] == "worsened"]
    texts = [_HARM.format(name) for name in rows["measure"]]
    return _result.note("harm", "warning", texts, _strata(study, rows))


def _of_dispersion(study: Study, own: Effects) -> pd.DataFrame:
    unknown: Bools = np.isinf(own.df).any(axis=1) & np.isfinite(own.ratio.estimate).any(axis=1)
    rows = study.strata.iloc[np.flatnonzero(unknown)]
    return _result.note("dispersion_not_known", "caution", [_NO_DISPERSION] * len(rows), rows)


def _of_readings(study: Study, looks: Floats, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Say what repeated reading adds, and whether this reading is interim."""
    first = np.nanmin(study.schedule.starts[:, 0], initial=np.inf)
    if not np.isfinite(first) or not np.isfinite(looks).any():
        return []
    readings = study.events.shape[1] - int(first) - options["phase_in"]
    single = (1 - options["confidence"]) / 2
    text = _REPEATED.format(each(study.series.every), readings, float(np.nanmax(looks)), single)
    if not _is_interim(study, options["until"]):
        return [_result.note("repeated_reading", "info", text)]
    return [_result.note("interim", "caution", _INTERIM.format(options["until"]) + text)]


def _is_interim(study: Study, until: Any) -> bool:
    if until is None:
        return False
    end = selecting.bound(study.series, "until", until, last=True)[0]
    return bool(end > study.series.cells.periods[-1])
