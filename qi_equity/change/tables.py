"""The tables of an evaluation: one row a stratum and change, one row a gap, change and scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from qi_equity.change.design import Design
from qi_equity.change.estimate import SCALES, Effects, t_of
from qi_equity.change.gap_effects import GapEffects
from qi_equity.change.power import Power
from qi_equity.change.study import Study
from qi_equity.data.cells import OBSERVED, Bools, Floats, sum_used
from qi_equity.data.regroup import distinct
from qi_equity.formulas.interval import Interval

__all__ = ["gap_table", "group_table", "homogeneity_table", "interval_columns", "rows_of"]

_COUNTS = {"events": "numerator", "births": "denominator", "unrecorded": "unrecorded"}
_TEXTS = ("verdict", "family_verdict", "beyond_trend", "arrived", "estimator")


def rows_of(study: Study) -> pd.DataFrame:
    """Give the strata with each of their changes: one row a stratum and change, with its date."""
    return pd.DataFrame(_keys(study))


def _keys(study: Study) -> dict[str, Any]:
    """Give the columns of the strata, their changes and the dates."""
    changes = study.schedule.starts.shape[1]
    row = np.repeat(np.arange(len(study.strata)), changes)
    columns: dict[str, Any] = {c: study.strata[c].array.take(row) for c in study.strata.columns}
    columns["change"] = np.tile(np.arange(1, changes + 1), len(study.strata))
    start = study.schedule.starts.ravel()
    when = study.series.cells.periods[np.nan_to_num(start).astype(np.int64)]
    columns["at"] = np.where(np.isnan(start), np.datetime64("NaT", "us"), when)
    return columns


def group_table(
    study: Study, design: Design, own: Effects, power: Power, words: Mapping[str, Any]
) -> pd.DataFrame:
    """Lay out the changes of the strata; ``words`` holds the verdicts and what else is known of each."""
    columns = _keys(study)
    for when, counts in zip(("before", "after"), _counts(study, design), strict=True):
        for name in _COUNTS:
            columns[f"{name}_{when}"] = counts[name].ravel()
        columns[f"rate_{when}"] = counts["value"].ravel()
    for scale in SCALES:
        for name, values in interval_columns(scale, getattr(own, scale)).items():
            columns[name] = values.ravel()
    columns["p"] = own.p.ravel()
    columns["family_p"] = words["family_p"].ravel()
    columns["smallest_detectable"] = power.smallest.ravel()
    for name in ("verdict", "family_verdict", "beyond_trend", "arrived"):
        columns[name] = np.broadcast_to(words[name], own.p.shape).ravel()
    visible = words["verdict"] != "not yet visible"
    columns["births_needed"] = np.where(visible, np.nan, power.births).ravel()
    columns["periods_needed"] = np.where(visible, np.nan, power.periods).ravel()
    columns["exploratory"] = np.broadcast_to(~words["declared"], own.p.shape).ravel()
    columns |= {"dispersion": own.dispersion.ravel(), "df": own.df.ravel()}
    columns["estimator"] = _estimator(study, design, own).ravel()
    return pd.DataFrame(columns | {n: pd.Series(columns[n], dtype="str") for n in _TEXTS})


def _counts(study: Study, design: Design) -> list[dict[str, Floats]]:
    """Sum the counts before and after each change, as measured, shape (S, K) each."""
    observed = study.series.cells.status == OBSERVED
    kind = study.series.measure.kind
    changes = design.counted.shape[-2]
    sums = [sum_used(study.series.cells, observed & (design.segment == k), kind) for k in range(changes + 1)]
    there = [(observed & (design.segment == k)).any(axis=1) for k in range(changes + 1)]
    names = {**_COUNTS, "value": "value"}
    blocks = {
        name: np.stack(
            [np.where(t, getattr(s, block)[:, 0], np.nan) for s, t in zip(sums, there, strict=True)], axis=1
        )
        for name, block in names.items()
    }
    if kind == "count":
        periods = np.stack(
            [(observed & (design.segment == k)).sum(axis=1) for k in range(changes + 1)], axis=1
        )
        blocks["value"] = blocks["events"] / np.where(periods > 0, periods, np.nan)
    return [{name: b[:, :-1] for name, b in blocks.items()}, {name: b[:, 1:] for name, b in blocks.items()}]


def _estimator(study: Study, design: Design, own: Effects) -> Any:
    if study.family == "gaussian":
        return np.full(own.p.shape, "REML AR(1)")
    return np.where(own.exact, "exact mid-P", f"quasi-{study.family}")


def interval_columns(name: str, interval: Interval) -> dict[str, Floats]:
    """Give the three columns of an interval."""
    return {name: interval.estimate, f"{name}_lower": interval.lower, f"{name}_upper": interval.upper}


def gap_table(study: Study, gaps: Mapping[str, GapEffects]) -> pd.DataFrame:
    """Lay out the gaps: one row a stratum, change and scale; the reference itself has none."""
    scales = [scale for scale in gaps if study.family == "binomial" or scale != "odds_ratio"]
    keys, changes = _keys(study), study.schedule.starts.shape[1]
    row = np.repeat(np.arange(len(keys["change"])), len(scales))
    own = np.repeat(study.against.is_reference, changes * len(scales))
    columns = {name: values.take(row) for name, values in keys.items()}
    ends: dict[str, Any] = {}
    for part in ("before", "after", "change"):
        there = [interval_columns(f"gap_{part}", getattr(gaps[scale], part)) for scale in scales]
        ends |= {name: np.where(own, np.nan, _beside([c[name] for c in there])) for name in there[0]}
    verdict = np.where(own, "is the reference", _beside([gaps[scale].verdict for scale in scales]))
    scale = [name.replace("_", " ") for name in scales] * len(keys["change"])
    frame = pd.DataFrame(columns | {"scale": pd.Series(scale, dtype="str")} | ends)
    frame["verdict"] = pd.Series(verdict, dtype="str")
    names = np.repeat(np.asarray(study.against.names, dtype=object), changes * len(scales))
    frame.insert(frame.columns.get_loc("change"), "reference", pd.Series(names, dtype="str"))  # type: ignore[arg-type]
    return frame


def _beside(blocks: Sequence[Any]) -> Any:
    """Lay blocks of shape (S, K) side by side: stratum, change, block."""
    return np.stack(blocks, axis=-1).ravel()


def homogeneity_table(study: Study, own: Effects, confidence: float) -> pd.DataFrame:
    r"""Test whether the changes of all groups of a place are the same (Cochran's Q of the log ratios).

    One row a place (site and further strata) and change: ``groups`` in the test, ``q``, ``df``, ``p``. The
    weights are from the intervals: their half-width on the log scale over the t quantile they were made with
    is the standard error. Groups without a finite interval are not in it.

    References
    ----------
    .. [1] Cochran. The combination of estimates from different experiments. Biometrics 1954;10:101-29.
    """
    place = distinct(study.strata.drop(columns="group"))[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(own.ratio.estimate)
        width = np.log(own.ratio.upper / own.ratio.lower)
        variance = (width / (2 * t_of(own.df, confidence))) ** 2
    used = np.isfinite(log) & np.isfinite(variance) & (variance > 0)
    weight = np.where(used, 1 / np.where(used, variance, 1.0), 0.0)
    value = np.where(used, log, 0.0)
    count, total, first, second = (
        _by_place(a, place) for a in (used, weight, weight * value, weight * value**2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(count > 1, np.maximum(second - first**2 / total, 0), np.nan)
    df = np.where(count > 1, count - 1, np.nan)
    row = np.unique(place, return_index=True)[1]
    changes = own.p.shape[1]
    frame = study.strata.drop(columns="group").iloc[np.repeat(row, changes)].reset_index(drop=True)
    frame["change"] = np.tile(np.arange(1, changes + 1), len(row))
    frame["groups"], frame["q"], frame["df"] = count.astype(np.int64).ravel(), q.ravel(), df.ravel()
    frame["p"] = special.chdtrc(df, q).ravel()
    return frame


def _by_place(values: Floats | Bools, place: Any) -> Floats:
    out = np.zeros((int(place.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(out, place, values)
    return out
