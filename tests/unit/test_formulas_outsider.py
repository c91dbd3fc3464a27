"""What an outsider can work out, against plain enumeration of all tables that fit.

No published table of whole numbers left was found; enumeration is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from qi_equity.errors import DataError, OptionError
from qi_equity.formulas import _outsider_search
from qi_equity.formulas.outsider import Knowledge, whole_numbers_left


def margins(rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Give the sums of a table: its rows, its columns, all."""
    at = np.arange(rows * columns).reshape(rows, columns)
    unit = np.eye(rows * columns)
    return np.vstack([*(unit[r].sum(0) for r in at), *(unit[c].sum(0) for c in at.T), unit.sum(0)])


def enumerate_values(known: Knowledge, cells: np.ndarray[Any, Any]) -> list[list[int]]:
    """Try every table within the bounds, cell by cell, leaving off as soon as a sum cannot be reached."""
    sums = known.sums.toarray()
    low, high = known.lower, known.upper
    options = [
        [v for v in range(int(a), int(b) + 1) if i not in known.allowed or v in known.allowed[i]]
        for i, (a, b) in enumerate(zip(low, high, strict=True))
    ]
    found: list[set[int]] = [set() for _ in cells]

    def go(place: int, so_far: np.ndarray[Any, Any], point: list[int]) -> None:
        rest_low = np.where(
            sums[:, place:] > 0, sums[:, place:] * low[place:], sums[:, place:] * high[place:]
        )
        rest_high = np.where(
            sums[:, place:] > 0, sums[:, place:] * high[place:], sums[:, place:] * low[place:]
        )
        if (so_far + rest_low.sum(1) > known.sum_upper + 1e-9).any():
            return
        if (so_far + rest_high.sum(1) < known.sum_lower - 1e-9).any():
            return
        if place == len(options):
            for values, value in zip(found, cells @ np.array(point), strict=True):
                values.add(int(value))
            return
        for value in options[place]:
            go(place + 1, so_far + sums[:, place] * value, [*point, value])

    go(0, np.zeros(len(sums)), [])
    return [sorted(values) for values in found]


def made(rng: np.random.Generator, rows: int, columns: int, way: str) -> Knowledge:
    """Make what is known of a random table: cells withheld or shown, sums shown, rounded or withheld."""
    true = rng.integers(0, 7, rows * columns).astype(float)
    sums = margins(rows, columns)
    total = sums @ true
    withheld = rng.random(len(true)) < 0.6
    lower = np.where(withheld, np.minimum(true, 1), true)
    upper = np.where(withheld, np.where(true > 0, 7, 0), true)
    reach = {"exact": 0, "rounded": 2, "allowed": 1, "rates": 0}[way]
    shown = rng.random(len(total)) < 0.8
    least, most = np.where(shown, total - reach, 0), np.where(shown, total + reach, 7 * len(true))
    allowed = {}
    if way == "allowed":
        for i in np.flatnonzero(withheld & (true > 0)):
            allowed[int(i)] = np.unique([true[i], *rng.choice(np.arange(1, 8), 3)]).astype(int)
    if way == "rates":
        weights = rng.uniform(-2, 2, (2, len(true))).round(2)
        sums = np.vstack([sums, weights])
        least = np.append(least, weights @ true - 0.7)
        most = np.append(most, weights @ true + 0.7)
    return Knowledge(lower, upper, csr_array(sums), least, most, allowed)


@pytest.mark.parametrize("way", ["exact", "rounded", "allowed", "rates"])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 4)])
@pytest.mark.parametrize("seed", range(4))
def test_all_numbers_are_those_of_the_enumeration(way: str, shape: tuple[int, int], seed: int) -> None:
    known = made(np.random.default_rng(seed), *shape, way)
    cells = np.vstack([np.eye(shape[0] * shape[1]), margins(*shape)])
    expected = enumerate_values(known, cells)
    left = whole_numbers_left(known, csr_array(cells), enough=10_000)
    assert [v.tolist() for v in left.values] == expected
    assert left.exact.all()
    assert left.n_left.tolist() == [len(v) for v in expected]
    assert left.lowest.tolist() == [v[0] for v in expected]
    assert left.highest.tolist() == [v[-1] for v in expected]


@pytest.mark.parametrize("way", ["exact", "rounded", "allowed", "rates"])
@pytest.mark.parametrize("bounds", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_enough_numbers_are_possible_ones(way: str, bounds: bool, seed: int) -> None:
    known = made(np.random.default_rng(100 + seed), 3, 3, way)
    expected = enumerate_values(known, np.eye(9))
    left = whole_numbers_left(known, csr_array(np.eye(9)), enough=3, bounds=bounds)
    for values, all_, exact, lowest, highest in zip(
        left.values, expected, left.exact, left.lowest, left.highest, strict=True
    ):
        assert set(values.tolist()) <= set(all_)
        assert len(values) >= min(3, len(all_))
        assert not exact or values.tolist() == all_
        if bounds:
            assert [lowest, highest] == [all_[0], all_[-1]]


@pytest.mark.parametrize("way", ["exact", "rounded"])
@pytest.mark.parametrize("seed", range(2))
def test_a_table_of_four_by_four(way: str, seed: int) -> None:
    known = made(np.random.default_rng(40 + seed), 4, 4, way)
    expected = enumerate_values(known, np.eye(16))
    left = whole_numbers_left(known, csr_array(np.eye(16)), enough=50)
    assert [v.tolist() for v in left.values] == expected


def test_the_theorem_of_nested_families_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = made(np.random.default_rng(7), 3, 3, "exact")
    quick = whole_numbers_left(known, csr_array(np.eye(9)), enough=50)
    monkeypatch.setattr(_outsider_search, "nested_in_two", lambda *_: False)
    slow = whole_numbers_left(known, csr_array(np.eye(9)), enough=50)
    assert [v.tolist() for v in quick.values] == [v.tolist() for v in slow.values]


@pytest.mark.parametrize(
    ("rows", "nested"),
    [
        ([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], True),
        ([[1, 1, 0], [0, 1, 1], [1, 0, 1]], False),
        ([[1, -1, 0, 0]], False),
        ([[2, 2, 0, 0]], False),
    ],
)
def test_two_nested_families_are_recognised(rows: list[list[int]], nested: bool) -> None:
    matrix = csr_array(np.array(rows, dtype=float))
    single = csr_array(np.eye(matrix.shape[1])[:1])
    assert _outsider_search.nested_in_two(matrix, single) is nested


def test_an_odd_cycle_leaves_out_every_other_number() -> None:
    # x + y, y + z and x + z known but for 1: x + y + z takes half values between, whole ones not all.
    rows = np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]])
    known = Knowledge(np.zeros(3), np.full(3, 9.0), csr_array(rows), np.full(3, 3.0), np.full(3, 4.0))
    cells = np.vstack([np.eye(3), np.ones(3)])
    left = whole_numbers_left(known, csr_array(cells), enough=99)
    assert [v.tolist() for v in left.values] == enumerate_values(known, cells)


def test_without_an_end_there_are_always_enough() -> None:
    total = csr_array(np.ones((1, 2)))
    known = Knowledge(np.array([1.0, 0]), np.full(2, np.inf), total, np.array([9.0]), np.array([np.inf]))
    left = whole_numbers_left(known, csr_array(np.vstack([np.eye(2), [1.0, 1]])), enough=4)
    assert left.lowest.tolist() == [1, 0, 9]
    assert np.isinf(left.highest).all()
    assert (left.n_left >= 4).all()
    assert not left.exact.any()
    assert left.values[2][:4].tolist() == [9, 10, 11, 12]


@pytest.mark.parametrize("coefficients", [[1.0, 1.0], [1.0, -1.0]])
def test_below_an_upper_end_there_are_always_enough(coefficients: list[float]) -> None:
    row = csr_array(np.array([coefficients]))
    known = Knowledge(np.full(2, -np.inf), np.array([5.0, np.inf]), row, np.array([-np.inf]), np.array([3.0]))
    left = whole_numbers_left(known, csr_array(np.eye(2)), enough=3)
    assert left.lowest[0] == -np.inf
    assert left.highest[0] == 5
    assert (left.n_left >= 3).all()
    assert max(left.values[0]) <= 5


def test_numbers_with_gaps_may_be_without_an_end_too() -> None:
    row, two = csr_array(np.ones((1, 2))), np.array([2.0])
    known = Knowledge(np.zeros(2), np.full(2, np.inf), row, two, np.array([np.inf]), {0: np.array([1, 3, 8])})
    left = whole_numbers_left(known, csr_array(np.eye(2)), enough=5)
    assert left.values[0].tolist() == [1, 3, 8]
    assert left.exact.tolist() == [True, False]
    assert np.isinf(left.highest[1])
    assert left.n_left[1] >= 5


def test_numbers_without_sums_have_their_bounds() -> None:
    none = csr_array((0, 2))
    known = Knowledge(np.array([0.2, 3]), np.array([4.9, 3]), none, np.zeros(0), np.zeros(0))
    left = whole_numbers_left(known, csr_array(np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])), enough=9)
    assert [v.tolist() for v in left.values] == [[1, 2, 3, 4], [3], [4, 5, 6, 7], [0]]


@pytest.mark.parametrize(
    ("lower", "upper", "total", "allowed"),
    [
        ([0, 0], [3, 3], 7, {}),
        ([0, 0], [3, 3], 3, {0: np.array([5])}),
        ([0, 0], [4, 4], 3, {0: np.array([0, 2, 4]), 1: np.array([0, 2, 4])}),
    ],
)
def test_what_nothing_fits_is_an_error(lower: Any, upper: Any, total: float, allowed: Any) -> None:
    row, value = csr_array(np.ones((1, 2))), np.array([total], dtype=float)
    known = Knowledge(np.array(lower, float), np.array(upper, float), row, value, value, allowed)
    with pytest.raises(DataError, match="No whole numbers fit all that is said to be known"):
        whole_numbers_left(known, csr_array(np.eye(2)), enough=2)


def test_shapes_and_numbers_are_checked() -> None:
    row, one = csr_array(np.ones((1, 2))), np.ones(1)
    with pytest.raises(OptionError, match=r"sums \(1, 2\).*wanted are \(V,\)"):
        Knowledge(np.zeros(3), np.ones(3), row, one, one)
    known = Knowledge(np.zeros(2), np.ones(2), row, one, one)
    with pytest.raises(OptionError, match=r"cells has shape \(3, 3\); give one column for each of the 2"):
        whole_numbers_left(known, csr_array(np.eye(3)), enough=2)
    with pytest.raises(OptionError, match="enough=0 is too small"):
        whole_numbers_left(known, csr_array(np.eye(2)), enough=0)


def test_many_cells_are_settled_in_one_go() -> None:
    rng = np.random.default_rng(5)
    true = rng.integers(1, 8, 96).astype(float)
    sums = margins(12, 8)
    known = Knowledge(np.ones(96), np.full(96, 7.0), csr_array(sums), sums @ true, sums @ true)
    left = whole_numbers_left(known, csr_array(np.eye(96)), enough=3, bounds=False)
    for values in left.values:
        assert values.min() >= 1
        assert values.max() <= 7
    assert (left.n_left >= 3).mean() > 0.9
