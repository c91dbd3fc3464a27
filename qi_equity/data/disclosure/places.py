"""Where published numbers belong: every row is a place, and every place is a sum of atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from qi_equity.data.disclosure.readings import Printed
from qi_equity.data.regroup import ALL_GROUPS

if TYPE_CHECKING:
    from qi_equity.data.scheme import Scheme

__all__ = ["ALL", "EVERYONE_BUT", "TOTALS", "Places", "place_rows"]

ALL = "(all)"
"""What stands for all labels of a column in the table of places."""

TOTALS = frozenset({ALL_GROUPS.lower(), "all", "all sites", "all women", "everyone", "overall", "total"})
"""Labels (in small letters) that mean everyone, wherever other labels stand beside them."""

EVERYONE_BUT = "everyone but "
"""What starts the label of all groups but one."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Distinct places of all published rows, P of them, and the atoms they are made of, A of them.

    Parameters
    ----------
    names : pandas.DataFrame, P rows
        The strata, ``ALL`` where a place holds all labels, then ``start, stop, release``: ``release`` is -1
        where a place is the same in every release.
    of_row : tuple of ndarray of int
        For each published item the place of each of its rows.
    cover : scipy.sparse.csr_array, shape (P, A)
        1 where an atom belongs to a place.
    """

    names: pd.DataFrame
    of_row: tuple[Ints, ...]
    cover: csr_array

    @property
    def atom(self) -> Ints:
        """The atom of each place that is just one; -1 for the others."""
        alone = np.diff(self.cover.indptr) == 1
        first = self.cover.indices[np.minimum(self.cover.indptr[:-1], max(self.cover.nnz - 1, 0))]
        return np.where(alone, first, -1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One column: the code of each row's label, and the atoms that each code holds."""

    codes: Ints
    labels: list[object]
    holds: csr_array


def place_rows(
    items: Sequence[Printed], scheme: Scheme | None = None, *, changing: pd.DataFrame | None = None
) -> Places:
    """Find the distinct places of published rows and what they are made of.

    Parameters
    ----------
    items : sequence of Printed
        What was published.
    scheme : Scheme, optional
        Tells which groups make up those of a coarser grouping.
    changing : pandas.DataFrame, optional
        Spans of time (``start, stop``) that each release counts anew, so that nothing binds one release's
        counts to another's.

    Returns
    -------
    Places
    """
    columns = list(dict.fromkeys(c for item in items for c in item.strata.columns))
    axes = [_labels_axis(items, c, scheme) for c in columns]
    axes.append(_time_axis(items, changing))
    codes = np.stack([axis.codes for axis in axes], axis=1)
    distinct, of_row = np.unique(codes, axis=0, return_inverse=True)
    names = pd.DataFrame(
        {
            c: [axis.labels[k] for k in distinct[:, i]]
            for i, (c, axis) in enumerate(zip(columns, axes, strict=False))
        }
    )
    times = [axes[-1].labels[k] for k in distinct[:, -1]]
    names[["start", "stop", "release"]] = pd.DataFrame(times, columns=["start", "stop", "release"])
    ends = np.cumsum([len(item) for item in items])
    parts = np.split(of_row.reshape(-1).astype(np.int64), ends[:-1])
    return Places(names, tuple(parts), _cover(distinct, [axis.holds for axis in axes]))


def _labels_axis(items: Sequence[Printed], column: str, scheme: Scheme | None) -> _Axis:
    """Read one column of the strata; None, an absent column and "All groups" stand for all labels."""
    texts, groupings = [], []
    for item in items:
        values = item.strata[column] if column in item.strata else pd.Series([None] * len(item))
        texts += [None if pd.isna(v) else str(v) for v in values]
        groupings += [item.meaning.grouping if column == "group" else ""] * len(item)
    named = {t for t in texts if t is not None}
    specific = {t for t in named if t.lower() not in TOTALS} or named
    keys = [
        (g, t) if t is not None and t in specific else None for g, t in zip(groupings, texts, strict=True)
    ]
    bare = {(g, t.removeprefix(EVERYONE_BUT)) for g, t in (k for k in keys if k is not None)}
    parts = _parts(bare, scheme if column == "group" else None)
    atoms = {label: i for i, label in enumerate(dict.fromkeys(p for ps in parts.values() for p in ps))}
    size = len(atoms) or 1
    held = {key: _held(key, parts, atoms, size) for key in dict.fromkeys(keys)}
    code = {some: i for i, some in enumerate(dict.fromkeys(held.values()))}
    # Of two names for the same labels the first stands.
    names = {code[held[key]]: ALL if key is None else key[1] for key in reversed(held)}
    codes = np.array([code[held[key]] for key in keys], dtype=np.int64)
    return _Axis(codes, [names[i] for i in range(len(code))], _membership(list(code), size))


def _held(
    key: tuple[str, str] | None,
    parts: Mapping[tuple[str, str], tuple[str, ...]],
    atoms: Mapping[str, int],
    size: int,
) -> tuple[int, ...]:
    """Give the atoms of a label: of all, of all but one, or its own."""
    if key is None:
        return tuple(range(size))
    own = {atoms[part] for part in parts[key[0], key[1].removeprefix(EVERYONE_BUT)]}
    return tuple(sorted(set(range(size)) - own if key[1].startswith(EVERYONE_BUT) else own))


def _parts(keys: set[tuple[str, str]], scheme: Scheme | None) -> dict[tuple[str, str], tuple[str, ...]]:
    """Give the labels of the finest grouping that each label holds: itself where no scheme tells more."""
    plain: dict[tuple[str, str], tuple[str, ...]] = {(g, t): (t,) for g, t in sorted(keys)}
    groupings = sorted({g for g, _ in keys if g})
    if scheme is None or len(groupings) < 2:
        return plain
    known = [g for g in groupings if g in scheme.groupings]
    finest = max(known, key=lambda g: len(scheme.groups(g)), default="")
    for grouping in known:
        try:
            roll_up = scheme.roll_up(finest, grouping)
        except ValueError:
            continue
        for g, t in plain:
            if g == grouping and t in roll_up.values():
                plain[g, t] = tuple(fine for fine, coarse in roll_up.items() if coarse == t)
    return plain


def _time_axis(items: Sequence[Printed], changing: pd.DataFrame | None) -> _Axis:
    """Read the spans of time, cut into atoms at every start and end; NaT stands for all of it."""
    start = np.concatenate([item.start for item in items])
    stop = np.concatenate([item.stop for item in items])
    release = np.repeat([item.meaning.release for item in items], [len(item) for item in items])
    bounds = np.unique(np.concatenate([start, stop]))
    bounds = bounds[~np.isnat(bounds)]
    dated = len(bounds) > 1
    if not dated:
        bounds = np.array(["1970-01-01", "1970-01-02"], dtype="datetime64[us]")
    timeless = np.isnat(start) | np.isnat(stop)
    first = np.where(timeless, 0, np.searchsorted(bounds, start))
    last = np.where(timeless, len(bounds) - 1, np.searchsorted(bounds, stop))
    moves = _moving(bounds, changing)
    touched = (np.append(0, np.cumsum(moves))[last] - np.append(0, np.cumsum(moves))[first]) > 0
    keys = np.stack([first, last, np.where(touched, release, -1)], axis=1)
    distinct, codes = np.unique(keys, axis=0, return_inverse=True)
    releases = int(release.max(initial=0)) + 1
    size = len(bounds) - 1
    held = [
        tuple(t + size * (1 + r) if moves[t] and releases > 1 else t for t in range(a, b))
        for a, b, r in distinct.tolist()
    ]
    never = np.datetime64("NaT", "us")
    labels: list[object] = [
        (bounds[a], bounds[b], r) if dated else (never, never, r) for a, b, r in distinct.tolist()
    ]
    return _Axis(codes.reshape(-1).astype(np.int64), labels, _membership(held, size * (1 + releases)))


def _moving(bounds: NDArray[np.datetime64], changing: pd.DataFrame | None) -> NDArray[np.int64]:
    """Mark the atoms of time that each release counts anew."""
    moves = np.zeros(len(bounds) - 1, dtype=np.int64)
    if changing is not None:
        starts, stops = (changing[c].to_numpy(dtype="datetime64[us]") for c in ("start", "stop"))
        inside = (bounds[:-1, None] >= starts) & (bounds[1:, None] <= stops)
        moves[inside.any(axis=1)] = 1
    return moves


def _membership(sets: Sequence[tuple[int, ...]], size: int) -> csr_array:
    counts = [len(s) for s in sets]
    indices = np.array([i for s in sets for i in s], dtype=np.int64)
    indptr = np.append(0, np.cumsum(counts)).astype(np.int64)
    return csr_array((np.ones(len(indices)), indices, indptr), shape=(len(sets), size))


def _cover(codes: Ints, holds: Sequence[csr_array]) -> csr_array:
    """Give the atoms of each place: every combination of the atoms of its labels."""
    place = np.arange(len(codes))
    atom = np.zeros(len(codes), dtype=np.int64)
    for column, member in enumerate(holds):
        code = codes[place, column]
        counts = np.diff(member.indptr)[code]
        row = np.repeat(np.arange(len(place)), counts)
        within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        atom = atom[row] * member.shape[1] + member.indices[np.repeat(member.indptr[code], counts) + within]
        place = place[row]
    distinct, atom = np.unique(atom, return_inverse=True)
    ones = np.ones(len(place))
    return csr_array((ones, (place, atom.reshape(-1))), shape=(len(codes), len(distinct)))
