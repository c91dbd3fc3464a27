"""Exact distributions of runs against the listing of all series, all orders, and published counts."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.runs import crossings, longest_run
from qi_equity.formulas.runs_distribution import joint_distribution, perla_limits, runs_count_limits


def listed(n: int, chance: float) -> np.ndarray:
    """P(crossings = c, longest run <= l) by listing every series."""
    series = np.array(list(itertools.product([-1, 1], repeat=n)), dtype=np.int8)
    above = (series == 1).sum(axis=1)
    weight = chance**above * (1 - chance) ** (n - above)
    out = np.zeros((n, n))
    np.add.at(out, (crossings(series), longest_run(series) - 1), weight)
    return out.cumsum(axis=1)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("chance", [0.5, 0.788, 0.05, 0.0, 1.0])
def test_joint_distribution_by_listing(n: int, chance: float) -> None:
    found = joint_distribution(n, range(1, n + 1), chance)
    np.testing.assert_allclose(found, listed(n, chance), rtol=1e-12, atol=1e-15)


def test_joint_distribution_of_sixteen_points_as_published() -> None:
    """Wentzel-Larsen and Anhøj 2019: series of 16 that begin on a given side, of 2^15."""
    times = np.diff(joint_distribution(16, range(17)) * 2**15, axis=1)
    assert times[3, 3:13].round(9).tolist() == [1, 34, 90, 106, 84, 60, 40, 24, 12, 4]
    assert times[5, 2:11].round(9).tolist() == [21, 525, 960, 741, 420, 210, 90, 30, 6]


def test_lengths_may_be_any_and_many() -> None:
    found = joint_distribution(5, [0, 5, 99, 2])
    np.testing.assert_array_equal(found[:, 0], 0)
    np.testing.assert_array_equal(found[:, 1], found[:, 2])
    assert found[:, 1].sum() == pytest.approx(1)
    assert joint_distribution(5, np.array([], dtype=int)).shape == (5, 0)
    long = joint_distribution(200, range(201))
    assert long[:, -1].sum() == pytest.approx(1, rel=1e-12)
    assert (np.diff(long.sum(axis=0)) >= -1e-15).all()


def test_joint_distribution_checks_its_arguments() -> None:
    with pytest.raises(OptionError, match=r"n_useful=0 is too small; give 1 or more"):
        joint_distribution(0, [1])
    with pytest.raises(InputTypeError, match=r"longest=.* does not hold whole numbers"):
        joint_distribution(4, [1.5])
    with pytest.raises(OptionError, match=r"longest has shape \(1, 1\); give a list"):
        joint_distribution(4, [[1]])
    with pytest.raises(OptionError, match=r"chance=1.5 is not allowed"):
        joint_distribution(4, [1], 1.5)


def by_all_orders(above: int, below: int, tail: Fraction) -> tuple[int, int]:
    n = above + below
    runs = []
    for places in itertools.combinations(range(n), above):
        side = [t in places for t in range(n)]
        runs.append(len(list(itertools.groupby(side))))
    rare_low = [r for r in range(1, n + 1) if 0 < sum(x <= r for x in runs) <= tail * len(runs)]
    rare_high = [r for r in range(1, n + 1) if 0 < sum(x >= r for x in runs) <= tail * len(runs)]
    return max(rare_low, default=0), min(rare_high, default=n)


@pytest.mark.parametrize("above", range(7))
@pytest.mark.parametrize("below", [1, 4, 8])
def test_runs_count_limits_by_listing_all_orders(above: int, below: int) -> None:
    fewest, most = runs_count_limits(above, below)
    assert (int(fewest), int(most)) == by_all_orders(above, below, Fraction(1, 20))


def test_a_tail_of_exactly_five_percent_counts() -> None:
    """One point among 39 on the other side makes two runs in 2 of 40 orders."""
    assert int(runs_count_limits(1, 39)[0]) == 2
    assert int(runs_count_limits(1, 38)[0]) == 0


def test_the_table_agrees_with_even_splits_but_for_thirty_points() -> None:
    n = np.arange(10, 42, 2)[:-1]
    fewest, most = runs_count_limits(n // 2, n // 2)
    listed_fewest, listed_most = perla_limits(n)
    np.testing.assert_array_equal(fewest, listed_fewest)
    np.testing.assert_array_equal(np.flatnonzero(most != listed_most), np.flatnonzero(n == 30))


def test_the_table_ends_where_it_ends() -> None:
    fewest, most = perla_limits([[9, 10], [40, 41]])
    assert fewest.tolist() == [[0, 3], [15, 0]]
    assert most.tolist() == [[9, 9], [27, 41]]


def test_shapes_of_runs_count_limits() -> None:
    fewest, most = runs_count_limits([[5], [12]], [5, 12, 5])
    assert fewest.shape == most.shape == (2, 3)
    assert (int(fewest[1, 1]), int(most[1, 1])) == (8, 18)
    assert fewest[0].tolist() == [3, int(runs_count_limits(5, 12)[0]), 3]
    assert runs_count_limits(np.zeros(0, dtype=int), np.zeros(0, dtype=int))[0].shape == (0,)
    with pytest.raises(OptionError, match=r"above has shape \(2,\) and below \(3,\)"):
        runs_count_limits([1, 2], [1, 2, 3])
    with pytest.raises(OptionError, match=r"tail=0.5 is not allowed"):
        runs_count_limits(3, 3, tail=0.5)
    with pytest.raises(InputTypeError, match=r"below=-1 does not hold whole numbers"):
        runs_count_limits(3, -1)
