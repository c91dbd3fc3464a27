"""Choosing what to withhold: safe by enumeration, and no dearer than need be on small tables.

No published table with a solution that gives all its numbers was found; the least loss is found here by
trying every set of counts.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from qi_equity.errors import OptionError
from qi_equity.formulas.outsider import whole_numbers_left
from qi_equity.formulas.suppression import Entries, known, numbers_left, withhold

NO_PAIRS = np.zeros((0, 2), dtype=np.int64)


def entries(table: Any, largest: int, pairs: Any = NO_PAIRS) -> Entries:
    """Give a table with its margins; dearer the more cells a sum has."""
    array = np.array(table)
    unit = np.eye(array.size)
    at = np.arange(array.size).reshape(array.shape)
    rows = [*unit, *(unit[r].sum(0) for r in at), *(unit[c].sum(0) for c in at.T), unit.sum(0)]
    sums = csr_array(np.array(rows))
    count = sums @ array.ravel().astype(float)
    small, zero = (count >= 1) & (count <= largest), count == 0
    parts = np.diff(sums.indptr)
    return Entries(
        sums,
        count,
        np.where(small, 1.0, count),
        np.where(small, float(largest), count),
        np.where(zero, 0.0, np.where(small, 1.0, largest + 1.0)),
        np.where(zero, 0.0, np.inf),
        np.where(zero, np.inf, np.where(small, 1000.0, 1.0) * (parts + count / 1000)),
        small,
        np.asarray(pairs),
    )


def least_loss(given: Entries, protect: int) -> float:
    """Try all sets of counts, cheapest first."""
    plain = np.flatnonzero(np.isfinite(given.cost) & ~given.protected)
    sets = [s for n in range(len(plain) + 1) for s in combinations(plain, n)]
    which = np.flatnonzero(given.protected)
    for chosen in sorted(sets, key=lambda s: given.cost[list(s)].sum()):
        hidden = np.zeros(len(given.counts), dtype=bool)
        hidden[list(chosen)] = True
        left = whole_numbers_left(known(given, hidden), given.sums[which], enough=protect, bounds=False)
        if (left.n_left >= protect).all():
            return float(given.cost[hidden].sum())
    return np.inf


@pytest.mark.parametrize(
    "table", [[[3, 9], [8, 20]], [[3, 9], [18, 2]], [[3, 40, 9], [30, 8, 12]], [[2, 0, 9], [7, 8, 0]]]
)
def test_no_more_is_lost_than_by_the_best_of_all_sets(table: Any) -> None:
    given = entries(table, 4)
    choice = withhold(given, protect=3)
    assert not choice.unsafe.any()
    assert given.cost[choice.hidden].sum() == pytest.approx(least_loss(given, 3))


@pytest.mark.parametrize("seed", range(5))
def test_every_protected_count_is_left_with_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = entries(rng.poisson(rng.gamma(1, 12, 5) * rng.gamma(2, 0.5, (6, 1))), 7)
    choice = withhold(given, protect=4)
    which = np.flatnonzero(given.protected)
    left = whole_numbers_left(known(given, choice.hidden), given.sums[which], enough=4)
    assert (left.n_left >= 4).all()
    assert not choice.hidden[given.counts == 0].any()
    nothing = np.zeros(len(given.counts), dtype=bool)
    before = whole_numbers_left(known(given, nothing), given.sums[which], enough=4)
    assert (choice.left_by_rule[which] < 4).tolist() == (before.n_left < 4).tolist()
    assert not choice.left_by_rule[~given.protected].any()


def test_nothing_is_withheld_where_nothing_may_be() -> None:
    given = entries([[3, 9], [8, 20]], 4)
    choice = withhold(given, protect=3, allowed=False)
    assert not choice.hidden.any()
    assert choice.unsafe.tolist() == [True] + [False] * 8


def test_what_cannot_be_made_safe_is_said() -> None:
    given = entries([[3, 9], [8, 20]], 4)
    fixed = Entries(
        given.sums,
        given.counts,
        given.shown_lower,
        given.shown_upper,
        given.hidden_lower,
        given.hidden_upper,
        np.full(9, np.inf),
        given.protected,
        NO_PAIRS,
    )
    choice = withhold(fixed, protect=3)
    assert choice.unsafe[0]


def test_events_bound_the_births_they_are_among() -> None:
    # Two groups: events 3 and 20, births 4 and 30; births are withheld where they are 4 or fewer.
    events_births = [3, 20, 4, 30]
    sums = csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 1]], float))
    count = sums @ np.array(events_births, float)
    small = np.array([True, False, True, False, False])
    given = Entries(
        sums, count, np.where(small, 1, count), np.where(small, 4, count), np.where(small, 1, 5.0),
        np.full(5, np.inf), np.where(small, 1000.0, 1 + count / 100), small, np.array([[0, 2], [1, 3]]),
    )  # fmt: skip
    nothing = np.zeros(5, dtype=bool)
    which = np.array([0, 2])
    assert numbers_left(given, nothing, which, enough=3).tolist() == [3, 1]
    choice = withhold(given, protect=3)
    assert numbers_left(given, choice.hidden, which, enough=3).tolist() == [3, 3]
    assert choice.hidden[[3, 4]].sum() == 1


def test_arguments_are_checked() -> None:
    given = entries([[3, 9], [8, 20]], 4)
    with pytest.raises(OptionError, match="protect=0 is too small"):
        withhold(given, protect=0)
    blocks = [given.counts] * 6
    with pytest.raises(OptionError, match="The shapes do not fit together"):
        Entries(given.sums, given.counts[1:], *blocks[1:], given.protected, NO_PAIRS)
    rows = given.sums[1:]
    short = [b[1:] for b in blocks]
    with pytest.raises(OptionError, match="every number must be an entry by itself"):
        Entries(rows, *short, given.protected[1:], NO_PAIRS)
