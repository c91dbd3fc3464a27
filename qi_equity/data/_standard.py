"""The standard of a standardisation: which case-mix, and which rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data import regroup
from qi_equity.data.cells import MISSING, Bools, Floats, Ints
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.strata import text_of
from qi_equity.errors import InputTypeError, OptionError

Standard = str | Mapping[Any, float] | pd.DataFrame

_COUNTS = ("numerator", "denominator")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A standard: births (or weights) and rate of each of J strata of case-mix, and what to call it."""

    weights: Floats
    rates: Floats
    text: str
    in_part: bool = False

    @property
    def overall(self) -> float:
        """Rate of the standard over all its strata; NaN where it is not known."""
        used = self.weights > 0
        total = self.weights[used].sum()
        return float((self.weights[used] * self.rates[used]).sum() / total) if total > 0 else np.nan


def choose(
    series: StratifiedSeries, standard: Standard, mix: pd.DataFrame, codes: Ints, method: str
) -> Chosen:
    """Read the standard asked for.

    Parameters
    ----------
    series : StratifiedSeries
        The series in its own periods.
    standard : str, mapping or pandas.DataFrame
        See the method of the series.
    mix : pandas.DataFrame, J rows
        The strata of the case-mix: the columns named in ``by``.
    codes : ndarray of int, shape (S,)
        The row of ``mix`` of each stratum of the series.
    method : {"direct", "indirect"}
        Whether a mapping holds births or rates.

    Returns
    -------
    Chosen
    """
    if isinstance(standard, str):
        return _of_series(series, standard, mix, codes)
    wanted = "denominator" if method == "direct" else "rate"
    if isinstance(standard, Mapping):
        keys = [_parts(key) for key in standard]
        wrong = [k for k in keys if len(k) != len(mix.columns)]
        if wrong:
            raise OptionError(
                f"standard names {wrong[0]!r}; give one label for each of by={list(mix.columns)}."
            )
        table = pd.DataFrame(keys, columns=list(mix.columns)).assign(**{wanted: list(standard.values())})
        return _of_table(table, mix, method)
    if isinstance(standard, pd.DataFrame):
        return _of_table(standard, mix, method)
    raise InputTypeError(
        f"standard of type {type(standard).__name__} cannot be used; give 'all', the name of a group, a "
        "mapping of labels to numbers, or a frame."
    )


def _parts(key: Any) -> tuple[str, ...]:
    return tuple(text_of(part) for part in (key if isinstance(key, tuple) else (key,)))


def _of_series(series: StratifiedSeries, standard: str, mix: pd.DataFrame, codes: Ints) -> Chosen:
    """Take the births and events of everyone, or of one group, over all periods."""
    regroup.refuse_window(series, f"standard={standard!r}")
    strata = series.cells.strata
    used = np.ones(len(strata), dtype=bool)
    if standard == "all":
        regroup.refuse_overlap(series, "standard='all'")
        text = "all groups together, over all periods"
    elif "group" in mix.columns:
        raise OptionError(
            f"standard={standard!r} cannot be used with by={list(mix.columns)}: one group has no mix of "
            "groups; give 'all', a mapping or a frame."
        )
    else:
        group = _validate.one_of("standard", standard, ["all", *strata["group"].cat.categories])
        used = (strata["group"] == group).to_numpy()
        text = f"{group}, over all periods"
    return replace(_summed(series, used, codes, len(mix)), text=text)


def _summed(series: StratifiedSeries, used: Bools, codes: Ints, size: int) -> Chosen:
    cells = series.cells
    told = used[:, np.newaxis] & (cells.status != MISSING)
    x, n = (
        np.bincount(codes, np.where(told, block, 0.0).sum(axis=1), size).astype(np.float64).astype(np.float64)
        for block in (cells.numerator, cells.denominator)
    )
    if np.isnan(n).any():
        raise OptionError(
            "standard cannot be made from this series: births of it are suppressed or not known; give the "
            "standard as a mapping or a frame."
        )
    # A stratum that never reports is no part of the series; one that reports at times is known in part.
    ever = (cells.status != MISSING).any(axis=1) & used
    in_part = bool((cells.status[ever] == MISSING).any())
    with np.errstate(invalid="ignore"):
        return Chosen(n, x / np.where(n > 0, n, np.nan), "", in_part)


def _of_table(table: pd.DataFrame, mix: pd.DataFrame, method: str) -> Chosen:
    """Read births and rates from a frame: each stratum of the case-mix once, and no other."""
    columns = list(mix.columns)
    counted = set(_COUNTS) <= set(table.columns)
    need = "denominator" if method == "direct" or counted else "rate"
    _validate.columns(list(table.columns), {"standard": need} | {f"by {c}": c for c in columns})
    keys = [tuple(text_of(v) for v in row) for row in table[columns].itertuples(index=False)]
    place = {key: i for i, key in enumerate(mix.astype("str").itertuples(index=False, name=None))}
    strange, absent = [k for k in keys if k not in place], [k for k in place if k not in set(keys)]
    if strange or absent or len(set(keys)) < len(keys):
        raise OptionError(
            f"standard must name every stratum of by={columns} once: not in the data {_shown(strange)}, not "
            f"in the standard {_shown(absent)}, {len(keys) - len(set(keys))} named twice."
        )
    order = np.argsort([place[k] for k in keys])
    held = {c: _numbers(table[c], c)[order] for c in (*_COUNTS, "rate") if c in table}
    none = np.full(len(mix), np.nan)
    n = held.get("denominator", none)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = held["numerator"] / np.where(n > 0, n, np.nan) if counted else held.get("rate", none)
    return Chosen(n, rates, "given by the user")


def _shown(keys: list[tuple[str, ...]]) -> str:
    return ", ".join(" · ".join(k) for k in keys[:5]) + (" ..." if len(keys) > 5 else "") or "none"


def _numbers(column: pd.Series, name: str) -> NDArray[np.float64]:
    try:
        values = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"standard holds {name} that cannot be read as numbers ({error}).") from error
    wrong = values[~(np.isfinite(values) & (values >= 0))]
    if wrong.size:
        raise OptionError(f"standard holds {name}={float(wrong[0])!r}; give finite numbers of 0 or more.")
    return values
