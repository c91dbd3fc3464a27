"""Strata: labels of sites, groups and further strata, and the rows of the block they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.errors import DataError

MISSING = "Missing"
ALL = "All"

_TABLE = 20_000_000
_MOST_CELLS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A column of labels: a code for each row (-1: none) and the labels in their order."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Site (if any), group and further strata of each row; the names of the group are all those declared."""

    site: Labels | None
    group: Labels
    by: dict[str, Labels]


def text_of(value: Any) -> str:
    """Write a value as a label; 3, 3.0 and " 3 " are one label."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def natural(label: str) -> tuple[Any, ...]:
    """Give a key that sorts "Ward 2" before "Ward 10"."""
    parts = re.split(r"(\d+)", label.casefold())
    return tuple(int(p) if i % 2 else p for i, p in enumerate(parts)), label


def distinct(column: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Give the code of each row (-1: missing) and the distinct raw values."""
    codes, values = pd.factorize(column, use_na_sentinel=True)
    return np.asarray(codes, dtype=np.int64), list(values)


def read_labels(column: pd.Series, missing: str | None = None) -> Labels:
    """Read a column as labels in natural order; blank is -1, or the label ``missing``, which comes last."""
    codes, values = distinct(column)
    texts = [text_of(v) for v in values]
    names = sorted({t for t in texts if t and t != missing}, key=natural)
    if missing is not None and (missing in texts or "" in texts or (codes < 0).any()):
        names.append(missing)
    blank = -1 if missing is None else len(names) - 1
    place = {name: i for i, name in enumerate(names)} | {"": blank}
    return Labels(np.array([*(place[t] for t in texts), blank], dtype=np.int64)[codes], tuple(names))


def one_group(rows: int) -> Labels:
    """Put all rows into the one group "All"."""
    return Labels(np.zeros(rows, dtype=np.int64), (ALL,))


def arrange(keys: Keys) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Make the strata: every combination of site and further strata that occurs, with every group.

    Parameters
    ----------
    keys : Keys
        Labels of each row.

    Returns
    -------
    strata : pandas.DataFrame
        One row a stratum, ordered by site, group and further strata; categorical columns.
    index : numpy.ndarray of int64
        The stratum of each row.
    """
    group = keys.group
    columns = ({} if keys.site is None else {"site": keys.site}) | keys.by
    combined = np.zeros(len(group.codes), dtype=np.int64)
    parts: dict[str, NDArray[np.int64]] = {}
    for name, labels in columns.items():
        size = len(labels.names)
        combined, pairs = _compress(combined * size + labels.codes, (int(combined.max()) + 1) * size)
        parts = {n: codes[pairs // size] for n, codes in parts.items()} | {name: pairs % size}
    n_groups = len(group.names)
    n_combined = int(combined.max()) + 1
    rows = {name: np.repeat(codes, n_groups) for name, codes in parts.items()}
    rows["group"] = np.tile(np.arange(n_groups), n_combined)
    order = [*(["site"] if keys.site is not None else []), "group", *keys.by]
    sorting = np.lexsort([rows[name] for name in reversed(order)])
    place = np.empty_like(sorting)
    place[sorting] = np.arange(len(sorting))
    names = {name: labels.names for name, labels in (columns | {"group": group}).items()}
    strata = {n: pd.Categorical.from_codes(rows[n][sorting], pd.Index(names[n], dtype="str")) for n in order}
    return pd.DataFrame(strata), place[combined * n_groups + group.codes]


def check_size(n_strata: int, n_periods: int) -> None:
    """Refuse a block that no memory holds, which is what a date far out makes."""
    if n_strata * n_periods > _MOST_CELLS:
        raise DataError(
            f"{n_strata} strata in {n_periods} periods from the first to the last date are too many "
            f"(at most {_MOST_CELLS:,} cells); look for dates far out, or choose a longer every=."
        )


def _compress(codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Renumber the codes that occur from 0, in order; also give those codes."""
    if size > _TABLE:
        present, renumbered = np.unique(codes, return_inverse=True)
        return renumbered.reshape(codes.shape), present
    seen = np.zeros(size, dtype=bool)
    seen[codes] = True
    return (np.cumsum(seen) - 1)[codes], np.flatnonzero(seen)
