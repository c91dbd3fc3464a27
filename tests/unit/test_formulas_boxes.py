"""Best box and cut box against a search over the listed distribution."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.boxes import best_box, cut_box, find_box, runs_limits
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run


def tables(n: int, shift: float) -> tuple[dict, dict]:
    """Chance of each pair (crossings, longest run) in a stable and in a shifted process, by listing."""
    series = np.array(list(itertools.product([-1, 1], repeat=n)), dtype=np.int8)
    above = (series == 1).sum(axis=1)
    found = []
    for p in (0.5, float(stats.norm.cdf(shift))):
        table: dict[tuple[int, int], float] = {}
        pairs = zip(crossings(series).tolist(), longest_run(series).tolist(), strict=True)
        for pair, k in zip(pairs, above.tolist(), strict=True):
            table[pair] = table.get(pair, 0) + p**k * (1 - p) ** (n - k)
        found.append(table)
    return found[0], found[1]


@pytest.mark.parametrize("n", [6, 10, 13, 15])
@pytest.mark.parametrize(("specificity", "shift"), [(0.925, 0.8), (0.95, 1.2)])
def test_best_box_by_search(n: int, specificity: float, shift: float) -> None:
    fair, shifted = tables(n, shift)

    def inside(table: dict, c: int, longest: int) -> float:
        return sum(p for (crossed, run), p in table.items() if crossed >= c and run <= longest)

    able = [corner for corner in fair if inside(fair, *corner) >= specificity]
    best = min(able, key=lambda corner: inside(shifted, *corner))
    box = find_box(n, specificity=specificity, shift=shift)
    assert (box.crossings_min, box.longest_max) == best
    assert (box.crossings_at_corner, box.longest_at_corner) == best


@pytest.mark.parametrize("n", [10, 11, 12, 15])
def test_cut_box_by_cutting(n: int) -> None:
    fair, shifted = tables(n, 0.8)
    box = find_box(n)
    c, longest = box.crossings_min, box.longest_max
    kept = {(k, run) for k, run in fair if k >= c and run <= longest}
    if sum(fair[cell] for cell in kept) - fair[c, longest] >= 0.925:
        kept.remove((c, longest))
        down, left = c + 1, longest - 1
        while True:
            able = [
                cell
                for cell in ((down, longest), (c, left))
                if cell in kept and sum(fair[k] for k in kept) - fair[cell] >= 0.925
            ]
            if not able:
                break
            cell = max(able, key=shifted.__getitem__)
            kept.remove(cell)
            down, left = (down + 1, left) if cell[1] == longest else (down, left - 1)
    for crossed, run in fair:
        limit, fewest = cut_box(n, crossed)
        assert ((crossed >= int(fewest)) and (run <= int(limit))) == ((crossed, run) in kept)


def test_below_ten_points_the_limits_are_those_of_anhoej() -> None:
    n = np.arange(10)
    for limits in (best_box(n), cut_box(n, np.minimum(n, 3))):
        np.testing.assert_array_equal(limits, anhoej_limits(n))
    assert tuple(map(int, best_box(10))) == (6, 2)


@pytest.mark.parametrize("n", [150, 400])
def test_boxes_of_long_series_hold_their_specificity(n: int) -> None:
    box = find_box(n, cut=True)
    assert box.longest_at_corner <= box.longest_max < 30
    assert 0 <= box.crossings_at_corner - box.crossings_min < 30
    assert abs(box.crossings_min - n / 2) < 2 * np.sqrt(n)


def test_runs_limits_are_those_of_the_method() -> None:
    n, crossed = np.array([[24, 36, 5]]), np.array([[6, 14, 1]])
    np.testing.assert_array_equal(runs_limits(n, crossed), anhoej_limits(n))
    np.testing.assert_array_equal(runs_limits(n, crossed, method="best_box"), best_box(n))
    np.testing.assert_array_equal(runs_limits(n, crossed, method="cut_box"), cut_box(n, crossed))


def test_a_chart_without_points_has_limits_that_never_signal() -> None:
    assert [a.tolist() for a in best_box([0])] == [[0], [0]]
    assert [a.shape for a in cut_box(np.zeros(0, dtype=int), np.zeros(0, dtype=int))] == [(0,), (0,)]


def test_arguments_are_checked() -> None:
    with pytest.raises(OptionError, match=r"n_useful has shape \(2,\) and crossings \(3,\)"):
        cut_box([20, 24], [1, 2, 3])
    with pytest.raises(InputTypeError, match=r"crossings=-1 does not hold whole numbers"):
        cut_box(20, -1)
    with pytest.raises(InputTypeError, match=r"n_useful=20.5 does not hold whole numbers"):
        best_box(20.5)
    with pytest.raises(OptionError, match=r"specificity=1 is not allowed"):
        find_box(20, specificity=1)
    with pytest.raises(OptionError, match=r"shift=0 is not allowed"):
        find_box(20, shift=0)
    with pytest.raises(OptionError, match=r"n_useful=0 is too small"):
        find_box(0)
    with pytest.raises(InputTypeError, match=r"n_useful=2.5 is not a whole number"):
        find_box(2.5)
    with pytest.raises(OptionError, match=r"method='box' is not allowed"):
        runs_limits(20, 5, method="box")
