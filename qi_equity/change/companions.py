"""Measures beside the outcome: where a balancing measure became worse, and whether the change arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change import tables
from qi_equity.change.found import groups_of
from qi_equity.change.study import Study
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError, QiEquityError

__all__ = ["arrived", "harm_table", "several", "uptake_table"]

_RATES = ("rate_before", "rate_after", "ratio", "ratio_lower", "ratio_upper")
_FROM_THE_START = (
    "which is set before and after the same dates (uptake of a care that did not exist yet is 0 of so many "
    "births)"
)
_ARRIVED = {"improved": "yes", "rose": "yes", "not yet visible": "cannot tell"}


def several(balancing: object) -> tuple[StratifiedSeries, ...]:
    """Read the argument ``balancing``."""
    given = (balancing,) if isinstance(balancing, StratifiedSeries) else balancing
    if not isinstance(given, Sequence) or not all(isinstance(s, StratifiedSeries) for s in given):
        raise InputTypeError(
            f"balancing is of type {type(balancing).__name__}, or holds something else than series; give a "
            "list of StratifiedSeries."
        )
    return tuple(given)


def harm_table(
    study: Study, balancing: tuple[StratifiedSeries, ...], options: Mapping[str, Any]
) -> pd.DataFrame:
    """Lay out the changes of the balancing measures: one row a measure, stratum and change."""
    keys = [*study.strata.columns, "change", "at"]
    columns = list(dict.fromkeys(["measure", *keys, *_RATES, "verdict", "smallest_detectable"]))
    if balancing and "measure" in keys:
        raise OptionError(
            "balancing= is not possible with a further stratum named 'measure': its table has such a column; "
            "rename yours."
        )
    parts = [_empty(study, {"measure": "str", "verdict": "str"}, columns)]
    for other in balancing:
        found = _inner(study.series, other, "balancing", options)
        parts.append(found.assign(measure=other.measure.name)[columns])
    full = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(full, ignore_index=True).astype({"measure": "str"})


def uptake_table(study: Study, process: StratifiedSeries | None, options: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out the uptake, and whether the change arrived: one row a stratum and change; may be empty."""
    columns = [*study.strata.columns, "change", "at", *_RATES, "verdict", "arrived"]
    if process is None:
        return _empty(study, {"verdict": "str", "arrived": "str"}, columns)
    if not isinstance(process, StratifiedSeries):
        raise InputTypeError(f"process is of type {type(process).__name__}; give a StratifiedSeries.")
    found = _inner(study.series, process, "process", options)
    found["arrived"] = found["verdict"].map(_ARRIVED).fillna("no").astype("str")
    return found[columns]


def arrived(study: Study, uptake: pd.DataFrame) -> Any:
    """Tell of each stratum and change whether it arrived, shape (S, K)."""
    shape = study.schedule.starts.shape
    if uptake.empty:
        return np.full(shape, "not given")
    return uptake["arrived"].to_numpy().reshape(shape)


def _empty(study: Study, texts: Mapping[str, str], columns: list[str]) -> pd.DataFrame:
    keys = tables.rows_of(study).iloc[:0]
    rest = {c: pd.Series(dtype=texts.get(c, "float64")) for c in columns if c not in keys}
    return keys.assign(**rest)[columns]


def _inner(
    series: StratifiedSeries, other: StratifiedSeries, argument: str, options: Mapping[str, Any]
) -> pd.DataFrame:
    """Give the groups of another measure's evaluation, by the same dates and model."""
    _same_strata(series, other, argument)
    try:
        return groups_of(other, {**options, "primary": None})
    except QiEquityError as error:
        error.args = (f"{argument}= ({other.measure.name!r}), {_FROM_THE_START}: {error}",)
        raise


def _same_strata(series: StratifiedSeries, other: StratifiedSeries, argument: str) -> None:
    mine, theirs = (s.cells.strata.astype("str").reset_index(drop=True) for s in (series, other))
    if not mine.equals(theirs):
        raise OptionError(_differs(mine, theirs, argument))
    if other.every != series.every:
        raise OptionError(
            f"{argument}= has periods of a {other.every}, the series of a {series.every}; resample one of "
            "them."
        )


def _differs(mine: pd.DataFrame, theirs: pd.DataFrame, argument: str) -> str:
    """Say in which strata two series differ."""
    fix = "give a series with the same sites and groups, in the same order"
    if list(mine.columns) != list(theirs.columns):
        return f"{argument}= has strata by {list(theirs)}, the series by {list(mine)}; {fix}."
    have, want = ([" at ".join(reversed(row)) for row in f.to_numpy().tolist()] for f in (theirs, mine))
    lacks, more = ([v for v in a if v not in set(b)][:5] for a, b in ((want, have), (have, want)))
    said = [f"{word} {', '.join(map(repr, v))}" for word, v in (("lacks", lacks), ("has", more)) if v]
    return (
        f"{argument}= has other strata than the series ({len(have)} and {len(want)}): "
        f"{' and '.join(said) or 'the order differs'}; {fix}."
    )
