"""Runs against itertools.groupby, and Anhøj's limits against scipy.stats."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, run_lengths, useful

NAN = math.nan


@pytest.fixture(scope="module")
def sides() -> np.ndarray:
    return np.random.default_rng(6).choice(np.array([-1, -1, 0, 1, 1, 2], dtype=np.int8), (500, 14))


def naive_lengths(row: np.ndarray) -> list[int]:
    lengths = [0] * len(row)
    kept = [(t, s) for t, s in enumerate(row) if s != 0]
    for _, run in itertools.groupby(kept, key=lambda point: point[1]):
        points = [t for t, _ in run]
        for t in points:
            lengths[t] = len(points)
    return lengths


def test_useful_points_are_those_off_the_line() -> None:
    found = useful([3, 4, 5, NAN, 4], [4, 4, 4, 4, NAN])
    assert found.dtype == np.int8
    assert found.tolist() == [-1, 0, 1, 0, 0]


def test_run_lengths_by_loop(sides: np.ndarray) -> None:
    np.testing.assert_array_equal(run_lengths(sides), [naive_lengths(row) for row in sides])


def test_longest_run_by_loop(sides: np.ndarray) -> None:
    np.testing.assert_array_equal(longest_run(sides), [max(naive_lengths(row)) for row in sides])


def test_crossings_by_loop(sides: np.ndarray) -> None:
    expected = [max(sum(1 for _ in itertools.groupby(s for s in row if s)) - 1, 0) for row in sides]
    np.testing.assert_array_equal(crossings(sides), expected)


def test_leading_axes_are_kept(sides: np.ndarray) -> None:
    block = sides.reshape(5, 100, 14)
    np.testing.assert_array_equal(run_lengths(block).reshape(500, 14), run_lengths(sides))
    assert longest_run(block).shape == crossings(block).shape == (5, 100)


def test_no_useful_point() -> None:
    assert run_lengths([0, 0]).tolist() == [0, 0]
    assert int(longest_run([0, 0])) == int(crossings([0, 0])) == 0


@pytest.mark.parametrize("function", [run_lengths, longest_run, crossings])
def test_values_are_not_sides(function: object) -> None:
    with pytest.raises(InputTypeError, match=r"sides holds float64; give whole numbers: 1 above, -1 below"):
        function(np.array([0.5, -0.5]))


def test_runs_are_as_long_as_the_series() -> None:
    """Longer than an int8 can count."""
    assert int(longest_run(np.ones(300, dtype=np.int8))) == 300
    assert int(crossings(np.tile(np.array([1, -1], dtype=np.int8), 150))) == 299


def test_anhoej_limits_are_the_formula() -> None:
    n = np.arange(1, 400)
    longest_max, crossings_min = anhoej_limits(n)
    np.testing.assert_array_equal(longest_max, [round(math.log2(k)) + 3 for k in n])
    np.testing.assert_array_equal(crossings_min[1:], stats.binom.ppf(0.05, n[1:] - 1, 0.5))
    assert crossings_min[0] == 0


def test_anhoej_limits_keep_the_shape_and_never_signal_without_a_point() -> None:
    longest_max, crossings_min = anhoej_limits(np.array([[0, 10], [24, 10]]))
    assert longest_max.tolist() == [[0, 6], [8, 6]]
    assert crossings_min.tolist() == [[0, 2], [8, 2]]
    assert int(anhoej_limits(24)[1]) == 8


def test_anhoej_limits_need_counts() -> None:
    with pytest.raises(InputTypeError, match=r"n_useful=-1 does not hold whole numbers of 0 or more"):
        anhoej_limits(-1)


def test_inputs_are_left_as_they_were(sides: np.ndarray) -> None:
    frozen = sides.copy()
    frozen.setflags(write=False)
    run_lengths(frozen)[:] = 0
    longest_run(frozen)
    crossings(frozen)
    np.testing.assert_array_equal(frozen, sides)
