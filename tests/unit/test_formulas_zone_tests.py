"""Tests of zones against loops that follow the words of each rule."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.zone_tests import four_in_five, outside, two_in_three, within

NAN = math.nan
BELOW, ABOVE = 0, 1


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Many points on the line and on the limits at one and two, and missing ones."""
    rng = np.random.default_rng(8)
    y = rng.normal(0, 1.8, (600, 16)).round(0)
    y[200:300] = np.abs(y[200:300])
    y[300:400] = y[300:400].clip(-1, 1)
    y[400:500] = np.sign(y[400:500] + 0.5) * (1.5 + np.abs(y[400:500]))
    y[rng.random(y.shape) < 0.03] = NAN
    return y


def naive(y: np.ndarray, low: list, high: list, need: int, size: int, same_side: str) -> np.ndarray:
    """``low`` and ``high`` say which points count as beyond; the line is 0."""
    marked = np.zeros((2, len(y)), dtype=bool)
    for start in range(len(y) - size + 1):
        window = range(start, start + size)
        if any(math.isnan(y[t]) for t in window):
            continue
        for side, beyond, sign in ((BELOW, low, -1), (ABOVE, high, 1)):
            counted = [t for t in window if beyond[t]]
            others = [t for t in window if (high if beyond is low else low)[t]]
            if same_side == "all":
                enough = len(counted) >= need and all(sign * y[t] > 0 for t in window)
            elif same_side == "beyond":
                enough = len(counted) >= need
            else:
                enough = len(counted) + len(others) >= need
            if enough:
                marked[side, counted] = True
    return marked


@pytest.mark.parametrize("same_side", ["all", "beyond", "any"])
@pytest.mark.parametrize("beyond_three_counts", [True, False])
def test_two_in_three_by_loop(values: np.ndarray, same_side: str, beyond_three_counts: bool) -> None:
    found = np.stack(
        two_in_three(values, -2, 2, 0, -3, 3, beyond_three_counts=beyond_three_counts, same_side=same_side)
    )
    assert found.any()
    for i, y in enumerate(values):
        low = [v < -2 and (beyond_three_counts or v >= -3) for v in y]
        high = [v > 2 and (beyond_three_counts or v <= 3) for v in y]
        np.testing.assert_array_equal(found[:, i], naive(y, low, high, 2, 3, same_side))


@pytest.mark.parametrize("same_side", ["all", "beyond", "any"])
@pytest.mark.parametrize("window", [4, 5])
def test_four_in_five_by_loop(values: np.ndarray, same_side: str, window: int) -> None:
    found = np.stack(four_in_five(values, -1, 1, 0, window=window, same_side=same_side))
    assert found.any()
    for i, y in enumerate(values):
        np.testing.assert_array_equal(found[:, i], naive(y, list(y < -1), list(y > 1), 4, window, same_side))


@pytest.mark.parametrize("length", [2, 6])
def test_within_by_loop(values: np.ndarray, length: int) -> None:
    found = within(values, -1, 1, length=length)
    assert found.any()
    for i, y in enumerate(values):
        marked = np.zeros(len(y), dtype=bool)
        for start in range(len(y) - length + 1):
            if all(-1 <= v <= 1 for v in y[start : start + length]):
                marked[start : start + length] = True
        np.testing.assert_array_equal(found[i], marked)


@pytest.mark.parametrize("length", [2, 8])
def test_outside_by_loop(values: np.ndarray, length: int) -> None:
    found = outside(values, -1, 1, length=length)
    assert found.any()
    for i, y in enumerate(values):
        marked = np.zeros(len(y), dtype=bool)
        for start in range(len(y) - length + 1):
            window = y[start : start + length]
            if all(abs(v) > 1 for v in window) and any(window < 0) and any(window > 0):
                marked[start : start + length] = True
        np.testing.assert_array_equal(found[i], marked)


def test_the_two_wordings_differ_on_a_point_beyond_three_sigma() -> None:
    y = [4.0, 2.6, 0.6, -0.2]
    assert two_in_three(y, -2, 2, 0, -3, 3)[ABOVE].tolist() == [True, True, False, False]
    assert not two_in_three(y, -2, 2, 0, -3, 3, beyond_three_counts=False)[ABOVE].any()


def test_which_points_must_lie_on_one_side() -> None:
    third_below, opposite = [2.5, -0.1, 2.5], [2.5, 0.1, -2.5]
    assert not two_in_three(third_below, -2, 2, 0, -3, 3)[ABOVE].any()
    assert two_in_three(third_below, -2, 2, 0, -3, 3, same_side="beyond")[ABOVE].tolist() == [
        True,
        False,
        True,
    ]
    assert not np.any(two_in_three(opposite, -2, 2, 0, -3, 3, same_side="beyond"))
    low, high = two_in_three(opposite, -2, 2, 0, -3, 3, same_side="any")
    assert (low.tolist(), high.tolist()) == ([False, False, True], [True, False, False])


def test_three_with_a_missing_one_never_qualify() -> None:
    for same_side in ("all", "beyond", "any"):
        assert not np.any(two_in_three([2.5, NAN, 2.5], -2, 2, 0, -3, 3, same_side=same_side))


def test_each_point_is_judged_by_its_own_limits() -> None:
    """By the limits of the third point, the first would lie beyond and the second not."""
    assert two_in_three([5, 8, 9], -9, [6, 4, 8], 0, -9, 20)[ABOVE].tolist() == [False, True, True]
    wide = [3.0, 3.0, 3.0, 3.0, 1.0]
    assert not np.any(four_in_five([2.0] * 5, -1, wide, 0))
    assert within([2.0] * 5, -1, [3.0, 3.0, 1.0, 3.0, 3.0], length=2).tolist() == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_a_point_on_a_limit_is_within_and_not_beyond() -> None:
    assert within([-1.0, 1.0, 0.0], -1, 1, length=3).all()
    assert not outside([1.0, -1.0], -1, 1, length=2).any()
    assert not np.any(four_in_five([1.0] * 5, -1, 1, 0))
    assert not np.any(two_in_three([2.0] * 3, -2, 2, 0, -3, 3))


def test_a_constant_series_does_not_hug_its_line() -> None:
    assert not within([4.0] * 20, 4, 4, length=15).any()


def test_a_run_on_one_side_is_no_mixture() -> None:
    assert not outside([2.0] * 12, -1, 1, length=8).any()
    assert outside([*[2.0] * 8, -2.0, 0], -1, 1, length=8).tolist() == [False, *[True] * 8, False]


@pytest.mark.parametrize("n", [1, 2])
def test_short_series_have_no_patterns(n: int) -> None:
    y = np.full((3, n), 9.0)
    assert not np.any(two_in_three(y, -2, 2, 0, -3, 3))
    assert not np.any(four_in_five(y, -1, 1, 0))
    assert not within(y, -9, 9, length=15).any()
    assert not outside(y, -1, 1, length=8).any()


def test_options_are_checked() -> None:
    with pytest.raises(
        OptionError, match=r"same_side='both' is not allowed; use one of 'all', 'beyond', 'any'"
    ):
        two_in_three([1, 2], -2, 2, 0, -3, 3, same_side="both")
    with pytest.raises(OptionError, match=r"window=6 is not allowed; use one of 5, 4"):
        four_in_five([1, 2], -1, 1, 0, window=6)
    with pytest.raises(OptionError, match=r"length=1 is too small; give 2 or more"):
        within([1, 2], -1, 1, length=1)
    with pytest.raises(InputTypeError, match=r"length=2\.5 is not a whole number"):
        outside([1, 2], -1, 1, length=2.5)


def test_inputs_are_left_as_they_were(values: np.ndarray) -> None:
    y = values.copy()
    y.setflags(write=False)
    two_in_three(y, -2, 2, 0, -3, 3)
    four_in_five(y, -1, 1, 0)
    within(y, -1, 1, length=15)
    outside(y, -1, 1, length=8)
    np.testing.assert_array_equal(y, values)
