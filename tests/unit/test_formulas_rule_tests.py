"""Rules against loops that follow the words of each rule."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.boxes import find_box
from qi_equity.formulas.rule_tests import alternating, beyond_limits, longest_run_mask, shift, trend
from qi_equity.formulas.runs import anhoej_limits

NAN = math.nan
BELOW, ABOVE = 0, 1


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Many ties with the line and with each other, and missing values; mean 0 and sigma 1 are given lines."""
    rng = np.random.default_rng(8)
    y = rng.normal(0, 1.6, (600, 16)).round(0)
    y[:200] = np.sort(y[:200], axis=1) + rng.normal(0, 0.4, (200, 16)).round(1)
    y[200:300] = np.abs(y[200:300])
    y[rng.random(y.shape) < 0.04] = NAN
    return y


def both(rule: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.stack(rule)


def naive_shift(y: np.ndarray, length: int, ties: str, missing: str) -> np.ndarray:
    marked = np.zeros((2, len(y)), dtype=bool)
    kept = []
    for t, v in enumerate(y):
        if math.isnan(v):
            if missing == "break":
                kept.append((t, None))
        elif v == 0:
            if ties == "break":
                kept.append((t, None))
        else:
            kept.append((t, v > 0))
    for above, run in itertools.groupby(kept, key=lambda point: point[1]):
        points = [t for t, _ in run]
        if above is not None and len(points) >= length:
            marked[int(above), points] = True
    return marked


@pytest.mark.parametrize("ties", ["break", "skip"])
@pytest.mark.parametrize("missing", ["break", "skip"])
@pytest.mark.parametrize("length", [2, 7])
def test_shift_by_loop(values: np.ndarray, length: int, ties: str, missing: str) -> None:
    found = both(shift(values, 0, length=length, ties=ties, missing=missing))
    assert found.any()
    for i, row in enumerate(values):
        np.testing.assert_array_equal(found[:, i], naive_shift(row, length, ties, missing))


def naive_trend(y: np.ndarray, length: int) -> np.ndarray:
    """Every window of ``length`` points whose steps are all strictly of one sign, with nothing missing."""
    marked = np.zeros((2, len(y)), dtype=bool)
    for start in range(len(y) - length + 1):
        steps = np.diff(y[start : start + length])
        marked[BELOW, start : start + length] |= (steps < 0).all()
        marked[ABOVE, start : start + length] |= (steps > 0).all()
    return marked


@pytest.mark.parametrize("length", [3, 5, 7])
def test_trend_by_loop(values: np.ndarray, length: int) -> None:
    found = both(trend(values, length=length))
    assert found.any()
    for i, row in enumerate(values):
        np.testing.assert_array_equal(found[:, i], naive_trend(row, length))


def naive_trend_past_ties(y: np.ndarray, length: int) -> np.ndarray:
    """In a series that never turns: drop repeated points, look for trends, mark the ends of each step."""
    marked = np.zeros((2, len(y)), dtype=bool)
    pieces: list[list[list[int]]] = [[]]
    for t, v in enumerate(y):
        if math.isnan(v):
            pieces.append([])
        elif pieces[-1] and y[pieces[-1][-1][0]] == v:
            pieces[-1][-1].append(t)
        else:
            pieces[-1].append([t])
    for piece in pieces:
        rest = naive_trend(np.array([y[same[0]] for same in piece]), length)
        for side, k in itertools.product((BELOW, ABOVE), range(len(piece))):
            if rest[side, k]:
                first, last = piece[k][0], piece[k][-1]
                inner = k > 0 and rest[side, k - 1], k + 1 < len(piece) and rest[side, k + 1]
                marked[side, first] |= inner[0]
                marked[side, last] |= inner[1]
    return marked


@pytest.mark.parametrize("length", [3, 5])
def test_trend_that_passes_over_ties_by_loop(length: int) -> None:
    rng = np.random.default_rng(9)
    y = np.sort(rng.choice([0.0, 1, 2, 3, 4, 5], (400, 14)), axis=1) * rng.choice([-1, 1], (400, 1))
    y[rng.random(y.shape) < 0.05] = NAN
    found = both(trend(y, length=length, ties="skip"))
    assert found.any()
    for i, row in enumerate(y):
        np.testing.assert_array_equal(found[:, i], naive_trend_past_ties(row, length))


def test_seven_points_are_six_steps() -> None:
    assert trend([1, 2, 3, 4, 5, 6, 7], length=7)[ABOVE].all()
    assert not trend([1, 2, 3, 4, 5, 6, 6], length=7)[ABOVE].any()
    assert not trend([1, 2, 3, 4, 5, 6], length=7)[ABOVE].any()


def test_a_peak_belongs_to_both_trends() -> None:
    low, high = trend([1, 2, 3, 2, 1], length=3)
    assert low.tolist() == [False, False, True, True, True]
    assert high.tolist() == [True, True, True, False, False]


def test_a_tie_ends_a_trend_or_is_passed_over() -> None:
    y = [1, 2, 2, 3]
    assert not trend(y, length=3)[ABOVE].any()
    assert trend(y, length=3, ties="skip")[ABOVE].all()


def naive_alternating(y: np.ndarray, length: int) -> np.ndarray:
    """Every window of ``length`` points that goes up and down by turns."""
    marked = np.zeros(len(y), dtype=bool)
    for start in range(len(y) - length + 1):
        steps = np.diff(y[start : start + length])
        if (steps[1:] * steps[:-1] < 0).all():
            marked[start : start + length] = True
    return marked


@pytest.mark.parametrize("length", [4, 5, 9])
def test_alternating_by_loop(length: int) -> None:
    rng = np.random.default_rng(10)
    y = rng.choice([0.0, 1, 2, 3], (400, 16))
    y[:200] += np.where(np.arange(16) % 2, 3, 0)
    y[rng.random(y.shape) < 0.03] = NAN
    found = alternating(y, length=length)
    assert found.any()
    for i, row in enumerate(y):
        np.testing.assert_array_equal(found[i], naive_alternating(row, length))


def test_fourteen_alternating_points_are_thirteen_steps() -> None:
    y = [1.0, 2.0] * 7
    assert alternating(y, length=14).all()
    assert not alternating(y[:13], length=14).any()
    assert not alternating([*y[:13], y[12]], length=14).any()
    assert not alternating([*y[:7], NAN, *y[7:]], length=14).any()


@pytest.mark.parametrize("n", [1, 2])
def test_short_series_have_no_trends_and_no_patterns(n: int) -> None:
    y = [9.0] * n
    assert both(trend(y, length=3)).tolist() == [[False] * n] * 2
    assert alternating(y, length=4).tolist() == [False] * n


def test_beyond_limits_is_strict_and_silent_on_nan() -> None:
    low, high = beyond_limits([1, 2, NAN, 8, 9, 9], 2, [8, 8, 8, 8, 8, NAN])
    assert low.tolist() == [True, False, False, False, False, False]
    assert high.tolist() == [False, False, False, False, True, False]


def test_long_runs_are_marked_from_one_over_the_limit(values: np.ndarray) -> None:
    found = both(longest_run_mask(values, 0))
    assert found.any()
    for i, row in enumerate(values):
        n = int(np.count_nonzero(row[~np.isnan(row)]))
        limit = int(anhoej_limits(n)[0])
        np.testing.assert_array_equal(found[:, i], naive_shift(row, limit + 1, "skip", "skip"))


@pytest.mark.parametrize("method", ["best_box", "cut_box"])
def test_long_runs_may_be_judged_by_a_box(method: str) -> None:
    rng = np.random.default_rng(11)
    y = rng.choice([-1.0, 0.0, 1.0, 1.0], (400, 24))
    found = both(longest_run_mask(y, 0, method=method))
    assert found.any()
    differs = False
    for i, row in enumerate(y):
        useful_points = row[row != 0]
        box = find_box(len(useful_points), cut=method == "cut_box") if len(useful_points) >= 10 else None
        crossed = int((np.diff(useful_points) != 0).sum())
        limit = int(anhoej_limits(len(useful_points))[0]) if box is None else box.longest_max
        if box is not None and crossed <= box.crossings_min:
            limit = box.longest_at_corner
        elif box is not None and crossed < box.crossings_at_corner:
            limit -= 1
        differs |= limit != int(anhoej_limits(len(useful_points))[0])
        np.testing.assert_array_equal(found[:, i], naive_shift(row, limit + 1, "skip", "skip"))
    assert differs


@pytest.mark.parametrize("rule", ["shift", "trend", "longest_run_mask"])
def test_upside_down_swaps_the_sides_and_nothing_else(values: np.ndarray, rule: str) -> None:
    def marks(y: np.ndarray) -> np.ndarray:
        match rule:
            case "shift":
                return both(shift(y, 0, length=5))
            case "trend":
                return both(trend(y, length=5))
        return both(longest_run_mask(y, 0))

    np.testing.assert_array_equal(marks(-values), marks(values)[::-1])


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match=r"length=1 is too small; give 2 or more"):
        shift([1, 2], 0, length=1)
    with pytest.raises(OptionError, match=r"length=2 is too small; give 3 or more"):
        trend([1, 2], length=2)
    with pytest.raises(InputTypeError, match=r"length=6\.5 is not a whole number"):
        trend([1, 2], length=6.5)
    with pytest.raises(OptionError, match=r"length=3 is too small; give 4 or more"):
        alternating([1, 2], length=3)
    with pytest.raises(OptionError, match=r"method='box' is not allowed; use one of 'anhoej', 'best_box'"):
        longest_run_mask([1, 2], 0, method="box")
    with pytest.raises(OptionError, match=r"ties='count' is not allowed; use one of 'break', 'skip'"):
        shift([1, 2], 0, length=7, ties="count")
    with pytest.raises(OptionError, match=r"missing='zero' is not allowed; use one of 'break', 'skip'"):
        shift([1, 2], 0, length=7, missing="zero")
    with pytest.raises(OptionError, match=r"ties=None is not allowed; use one of 'break', 'skip'"):
        trend([1, 2, 3, 4], length=3, ties=None)


def test_inputs_are_left_as_they_were(values: np.ndarray) -> None:
    y = values.copy()
    y.setflags(write=False)
    shift(y, 0, length=7)
    trend(y, length=7)
    alternating(y, length=4)
    longest_run_mask(y, 0)
    np.testing.assert_array_equal(y, values)
