"""Counts that are published together, what an outsider knows of them, and what that leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas._outsider_bounds import joined, label_of, stacked, without_zeros
from qi_equity.formulas.outsider import Knowledge, whole_numbers_left

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Counts that are published together, each a sum of some of V unknown whole numbers of 0 or more.

    Parameters
    ----------
    sums : scipy.sparse.csr_array of 0 and 1, shape (E, V)
        What each entry sums. Every number must be an entry by itself.
    counts : ndarray of float, shape (E,)
        The true counts.
    shown_lower, shown_upper : ndarray of float, shape (E,)
        What an outsider knows of an entry that is published as the rule says: the count twice where it is
        shown as it is, the ends of a rounding, or those of the counts for which a mark stands.
    hidden_lower, hidden_upper : ndarray of float, shape (E,)
        What an outsider knows of it if it is withheld beyond the rule: no less than the shown range.
    cost : ndarray of float, shape (E,)
        Loss by withholding it beyond the rule, > 0; infinite if that is not to be done.
    protected : ndarray of bool, shape (E,)
        Entries of which an outsider must be left with several whole numbers. Withholding one "beyond the
        rule" leaves unsaid that it is a protected one; it is done only where nothing else helps.
    pairs : ndarray of int, shape (L, 2)
        Numbers of which the first is at most the second: events among births.

    Raises
    ------
    OptionError
        If the shapes do not fit together, or a number is no entry by itself.
    """

    sums: csr_array
    counts: FloatArray
    shown_lower: FloatArray
    shown_upper: FloatArray
    hidden_lower: FloatArray
    hidden_upper: FloatArray
    cost: FloatArray
    protected: BoolArray
    pairs: IntArray

    def __post_init__(self) -> None:
        names = (*_BLOCKS, "protected")
        shapes = {name: np.shape(getattr(self, name)) for name in names}
        size = self.sums.shape[0]
        if set(shapes.values()) != {(size,)} or self.pairs.shape != (len(self.pairs), 2):
            raise OptionError(
                f"The shapes do not fit together: sums {self.sums.shape}, {shapes}, pairs "
                f"{self.pairs.shape}; wanted is ({size},) for each and (L, 2) for pairs."
            )
        if len(set(self.single[self.single >= 0].tolist())) < self.sums.shape[1]:
            raise OptionError("sums lacks rows with a single 1: every number must be an entry by itself.")

    @property
    def single(self) -> IntArray:
        """The number that an entry is, -1 if it sums several, shape (E,)."""
        found = np.full(self.sums.shape[0], -1)
        alone = np.diff(self.sums.indptr) == 1
        found[alone] = self.sums.indices[self.sums.indptr[:-1][alone]]
        return found

    @property
    def own(self) -> IntArray:
        """The first entry that is each of the numbers, shape (V,)."""
        single = self.single
        alone = np.flatnonzero(single >= 0)
        found = np.zeros(self.sums.shape[1], dtype=np.int64)
        found[single[alone[::-1]]] = alone[::-1]
        return found

    @property
    def fixed(self) -> BoolArray:
        """Whether an entry is known whatever is withheld, shape (E,)."""
        fixed: BoolArray = (self.shown_lower == self.shown_upper) & np.isinf(self.cost)
        return fixed


_BLOCKS = ("counts", "shown_lower", "shown_upper", "hidden_lower", "hidden_upper", "cost")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Entries without common sums with any other, and their rows among all."""

    entries: Entries
    rows: IntArray


def known(entries: Entries, hidden: BoolArray) -> Knowledge:
    """Say what an outsider knows when some entries are withheld beyond the rule.

    Parameters
    ----------
    entries : Entries
        The E entries.
    hidden : ndarray of bool, shape (E,)
        Which of them are withheld beyond the rule.

    Returns
    -------
    Knowledge
        Of the V numbers: an entry that is one number bounds it, the others are sums.
    """
    from scipy.sparse import csr_array

    lower = np.where(hidden, entries.hidden_lower, entries.shown_lower)
    upper = np.where(hidden, entries.hidden_upper, entries.shown_upper)
    number, size, n = entries.single, entries.sums.shape[1], len(entries.pairs)
    alone = number >= 0
    low, high = np.zeros(size), np.full(size, np.inf)
    np.maximum.at(low, number[alone], lower[alone])
    np.minimum.at(high, number[alone], upper[alone])
    at = (np.repeat(np.arange(n), 2), entries.pairs.ravel())
    at_most = csr_array((np.tile([1.0, -1.0], n), at), shape=(n, size))
    return Knowledge(
        low,
        high,
        stacked(entries.sums[~alone], at_most),
        np.append(lower[~alone], np.full(n, -np.inf)),
        np.append(upper[~alone], np.zeros(n)),
    )


def numbers_left(entries: Entries, hidden: BoolArray, which: IntArray, *, enough: int) -> IntArray:
    """Count the whole numbers that an outsider is left with for some entries, up to ``enough``.

    First it is assumed that they also know, of each pair, a number between the two: what is left even then is
    left. Only entries that fail this are attacked with what is really known.

    Parameters
    ----------
    entries : Entries
        The entries.
    hidden : ndarray of bool, shape (E,)
        Which of them are withheld beyond the rule.
    which : ndarray of int, shape (K,)
        Entries asked about.
    enough : int
        How many are enough, >= 1.

    Returns
    -------
    ndarray of int, shape (K,)
    """
    left = np.zeros(len(which), dtype=np.int64)
    for attacked in (parted(entries), entries) if len(entries.pairs) else (entries,):
        still = np.flatnonzero(left < enough)
        if still.size:
            rows = entries.sums[which[still]]
            found = whole_numbers_left(known(attacked, hidden), rows, enough=enough, bounds=False)
            left[still] = np.minimum(np.maximum(left[still], found.n_left), enough)
    return left


def parted(entries: Entries, keep: BoolArray | None = None) -> Entries:
    """Put a number between the two of each pair, as if it were known: what is left then is left for sure.

    Pairs in ``keep`` (shape (L,)) stay pairs.
    """
    kept = np.zeros(len(entries.pairs), dtype=bool) if keep is None else keep
    small, large = entries.own[entries.pairs[~kept].T]
    x, n = entries.counts[small], entries.counts[large]
    between = np.maximum((x + n) // 2, np.minimum(n, entries.shown_upper[small]))
    blocks = {name: getattr(entries, name).copy() for name in _BLOCKS}
    for state in ("shown", "hidden"):
        upper, lower = blocks[f"{state}_upper"], blocks[f"{state}_lower"]
        upper[small], lower[large] = np.minimum(upper[small], between), np.maximum(lower[large], between)
    return replace(entries, **blocks, pairs=entries.pairs[kept])


def parts(entries: Entries) -> Iterator[Part]:
    """Part the entries where they have no numbers in common that are open, and no pairs of such."""
    from scipy.sparse import csr_array, diags_array

    number, n = entries.sums.shape[1], len(entries.pairs)
    open_ = np.ones(number)
    open_[entries.single[entries.fixed & (entries.single >= 0)]] = 0
    sums = without_zeros(entries.sums @ diags_array(open_))
    pairs = csr_array(
        (np.ones(2 * n), (np.repeat(np.arange(n), 2), entries.pairs.ravel())), shape=(n, number)
    )
    both = pairs[np.flatnonzero(pairs @ open_ == 2)]
    of_row = label_of(sums, joined(stacked(sums, both)))
    for each in np.unique(of_row[entries.protected]):
        rows = np.flatnonzero(of_row == each)
        numbers = np.unique(entries.sums[rows].indices)
        rows = np.union1d(rows, entries.own[numbers])
        place = np.full(number, -1)
        place[numbers] = np.arange(len(numbers))
        inside = place[entries.pairs]
        blocks = {name: getattr(entries, name)[rows] for name in (*_BLOCKS, "protected")}
        sub = entries.sums[rows][:, numbers].tocsr()
        yield Part(Entries(sub, **blocks, pairs=inside[(inside >= 0).all(axis=1)]), rows)
