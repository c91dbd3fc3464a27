"""Dense blocks of counts and their sums, against plain loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.cells import (
    BLOCKS,
    COLUMNS,
    MISSING,
    OBSERVED,
    PADDING,
    PROVISIONAL,
    STATUSES,
    SUPPRESSED,
    Cells,
    sum_periods,
    sum_strata,
    value_of,
)

COUNTS = ("numerator", "denominator", "unrecorded", "expected")


def strata_of(labels: list[str], categories: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {"group": pd.Categorical(labels, categories=categories or list(dict.fromkeys(labels)))}
    )


def months(count: int) -> np.ndarray:
    return (np.datetime64("2024-01") + np.arange(count)).astype("datetime64[us]")


def block(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)


def cells_of(
    numerator: list[list[float]],
    denominator: list[list[float]],
    status: list[list[int]],
    *,
    value: list[list[float]] | None = None,
    sd: list[list[float]] | None = None,
    spread: list[list[float]] | None = None,
    expected: list[list[float]] | None = None,
) -> Cells:
    x, n = block(numerator), block(denominator)
    nothing = np.full(x.shape, np.nan)
    return Cells(
        strata_of([f"g{i}" for i in range(len(x))]),
        months(x.shape[1]),
        numerator=x,
        denominator=n,
        unrecorded=np.where(np.isnan(n), np.nan, 1.0),
        value=value_of("proportion", x, n) if value is None else block(value),
        sd=nothing if sd is None else block(sd),
        status=np.array(status, dtype=np.int8),
        range=nothing if spread is None else block(spread),
        expected=nothing if expected is None else block(expected),
    )


def random_cells(rng: np.random.Generator, strata: int, periods: int) -> Cells:
    status = rng.choice(4, size=(strata, periods), p=[0.5, 0.2, 0.15, 0.15])
    births = rng.integers(0, 5, size=status.shape).astype(float)
    events = np.floor(births * rng.random(status.shape))
    known = (status == OBSERVED) | (status == PROVISIONAL)
    births[~known & (rng.random(status.shape) < 0.5)] = np.nan
    events[~known] = np.nan
    # Halves and quarters add up without rounding.
    expected = np.where(rng.random(status.shape) < 0.1, np.nan, births / 4)
    return cells_of(events.tolist(), births.tolist(), status.tolist(), expected=expected.tolist())


def summed_by_loop(cells: Cells, codes: list[int], size: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Sum strata cell by cell, following the words of the rule."""
    width = cells.status.shape[1]
    out = {name: np.full((size, width), np.nan) for name in (*COUNTS, "value")}
    status = np.full((size, width), MISSING)
    partial = np.zeros((size, width), dtype=bool)
    never = [all(s == MISSING for s in row) for row in cells.status]
    for code in range(size):
        for t in range(width):
            parts = [i for i, c in enumerate(codes) if c == code]
            states = [int(cells.status[i, t]) for i in parts]
            reported = [i for i in parts if cells.status[i, t] in (OBSERVED, PROVISIONAL)]
            if SUPPRESSED in states:
                status[code, t] = SUPPRESSED
                used = [i for i in parts if cells.status[i, t] != MISSING]
            elif reported:
                status[code, t] = PROVISIONAL if PROVISIONAL in states else OBSERVED
                used = reported
                partial[code, t] = any(cells.status[i, t] == MISSING and not never[i] for i in parts)
            else:
                used = parts
            for name in COUNTS:
                if used:
                    out[name][code, t] = sum(float(getattr(cells, name)[i, t]) for i in used)
            if SUPPRESSED in states:
                out["numerator"][code, t] = np.nan
            x, n = out["numerator"][code, t], out["denominator"][code, t]
            out["value"][code, t] = x / n if n > 0 else np.nan
    return out | {"status": status}, partial


def test_rows_are_scattered_to_their_cells() -> None:
    rng = np.random.default_rng(1)
    pairs = [(s, t) for s in range(4) for t in range(6) if rng.random() < 0.6]
    rng.shuffle(pairs)
    events, births = (
        rng.integers(0, 3, len(pairs)).astype(float),
        rng.integers(3, 9, len(pairs)).astype(float),
    )
    stratum, period = np.array(pairs).T
    made = Cells.dense(
        strata_of(list("abcd")), months(6), stratum, period, numerator=events, denominator=births
    )
    for s in range(4):
        for t in range(6):
            if (s, t) in [tuple(p) for p in pairs]:
                row = [tuple(p) for p in pairs].index((s, t))
                assert made.numerator[s, t] == events[row]
                assert made.value[s, t] == events[row] / births[row]
                assert made.status[s, t] == OBSERVED
            else:
                assert math.isnan(made.numerator[s, t])
                assert math.isnan(made.denominator[s, t])
                assert made.status[s, t] == MISSING
    assert np.isnan(made.unrecorded).all()
    assert np.isnan(made.sd).all()


def test_absent_rows_can_mean_no_births() -> None:
    made = Cells.dense(
        strata_of(["a"]),
        months(2),
        np.array([0]),
        np.array([1]),
        numerator=np.array([1.0]),
        denominator=np.array([4.0]),
        unrecorded=np.array([2.0]),
        absent="no births",
    )
    assert made.numerator.tolist() == [[0, 1]]
    assert made.denominator.tolist() == [[0, 4]]
    assert made.unrecorded.tolist() == [[0, 2]]
    assert math.isnan(made.value[0, 0])
    assert made.status.tolist() == [[OBSERVED, OBSERVED]]


@pytest.mark.parametrize(
    ("kind", "births", "expected"),
    [
        ("proportion", 4.0, 0.5),
        ("rate", 4.0, 0.5),
        ("count", 4.0, 2.0),
        (None, 4.0, 0.5),
        (None, None, 2.0),
        ("proportion", 0.0, np.nan),
    ],
)
def test_value_follows_the_kind(kind: str | None, births: float | None, expected: float) -> None:
    made = Cells.dense(
        strata_of(["a"]),
        months(1),
        np.array([0]),
        np.array([0]),
        numerator=np.array([2.0]),
        denominator=None if births is None else np.array([births]),
        kind=kind,
    )
    np.testing.assert_equal(made.value, [[expected]])


def test_default_status_knows_missing_from_no_births() -> None:
    made = Cells.dense(
        strata_of(["a"]),
        months(3),
        np.zeros(3, dtype=int),
        np.arange(3),
        value=np.array([3.2, np.nan, np.nan]),
        denominator=np.array([5.0, 0.0, np.nan]),
    )
    assert made.status.tolist() == [[OBSERVED, OBSERVED, MISSING]]
    np.testing.assert_equal(made.value, [[3.2, np.nan, np.nan]])


def test_given_status_is_kept() -> None:
    made = Cells.dense(
        strata_of(["a"]),
        months(2),
        np.array([0, 0]),
        np.array([0, 1]),
        numerator=np.array([np.nan, 2.0]),
        denominator=np.array([9.0, 8.0]),
        status=np.array([SUPPRESSED, PROVISIONAL], dtype=np.int8),
    )
    assert made.status.tolist() == [[SUPPRESSED, PROVISIONAL]]
    assert made.denominator.tolist() == [[9, 8]]


def events_cells() -> Cells:
    dates = np.array([["2024-01-05", "2024-03-01"], ["2024-02-02", "NaT"]], dtype="datetime64[us]")
    return Cells.dense(
        strata_of(["a", "b"]),
        dates,
        np.array([0, 0, 1]),
        np.array([0, 1, 0]),
        value=np.array([7.0, 9.0, 4.0]),
    )


def test_after_the_last_event_there_is_padding() -> None:
    made = events_cells()
    assert made.status.tolist() == [[OBSERVED, OBSERVED], [OBSERVED, PADDING]]
    assert made.dates.astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-05",
        "2024-02-02",
        "2024-03-01",
    ]
    frame = made.frame()
    assert frame["value"].tolist() == [7, 9, 4]
    assert frame["group"].tolist() == ["a", "a", "b"]
    taken = made.take(np.array([False, True]), slice(1))
    assert taken.periods.astype("datetime64[D]").astype(str).tolist() == [["2024-02-02"]]


@pytest.mark.parametrize("seed", range(8))
def test_sum_over_strata_equals_the_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, 7, 9)
    codes = rng.integers(0, 4, 7)
    found, partial = sum_strata(cells, codes, strata_of(list("wxyz")), "proportion")
    expected, expected_partial = summed_by_loop(cells, codes.tolist(), 4)
    for name, numbers in expected.items():
        np.testing.assert_array_equal(getattr(found, name), numbers, err_msg=name)
    np.testing.assert_array_equal(partial, expected_partial)
    assert np.isnan(found.sd).all()
    assert np.isnan(found.range).all()


@pytest.mark.parametrize("seed", range(8))
def test_sum_over_periods_equals_the_loop(seed: int) -> None:
    rng = np.random.default_rng(seed + 100)
    cells = random_cells(rng, 5, 9)
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    found, partial = sum_periods(cells, codes, months(3), "proportion")
    turned = Cells(
        strata_of([f"t{i}" for i in range(9)]),
        months(5),
        **{name: getattr(cells, name).T for name in (*BLOCKS, "status")},
    )
    expected, _ = summed_by_loop(turned, codes.tolist(), 3)
    for name, numbers in expected.items():
        np.testing.assert_array_equal(getattr(found, name), numbers.T, err_msg=name)
    assert found.strata.equals(cells.strata)
    for k in range(3):
        own = cells.status[:, codes == k]
        missed = (own == MISSING).any(axis=1)
        reported = ((own == OBSERVED) | (own == PROVISIONAL)).any(axis=1)
        withheld = (own == SUPPRESSED).any(axis=1)
        np.testing.assert_array_equal(partial[:, k], missed & reported & ~withheld)


def test_sum_of_one_part_is_that_part() -> None:
    cells = cells_of([[1, np.nan, np.nan, 3]], [[4, 5, 6, 7]], [[OBSERVED, MISSING, SUPPRESSED, PROVISIONAL]])
    found, partial = sum_strata(cells, np.array([0]), cells.strata, "proportion")
    assert found.equals(cells)
    assert not partial.any()


def test_a_number_that_is_marked_suppressed_is_in_no_sum() -> None:
    cells = cells_of([[1], [2]], [[4], [5]], [[SUPPRESSED], [OBSERVED]])
    found, _ = sum_strata(cells, np.array([0, 0]), strata_of(["all"]), "proportion")
    assert found.status.tolist() == [[SUPPRESSED]]
    assert np.isnan(found.numerator).all()
    assert np.isnan(found.value).all()
    assert found.denominator.tolist() == [[9]]


def test_sum_without_parts_is_missing() -> None:
    cells = cells_of([[1]], [[4]], [[OBSERVED]])
    found, _ = sum_strata(cells, np.array([1]), strata_of(["none", "one"]), "count")
    assert found.status.tolist() == [[MISSING], [OBSERVED]]
    assert np.isnan(found.numerator[0]).all()
    assert np.isnan(found.denominator[0]).all()
    assert found.value[1].tolist() == [1]


def test_means_are_combined_as_if_all_values_were_at_hand() -> None:
    rng = np.random.default_rng(3)
    samples = [rng.normal(10 + 3 * k, 2, size) for k, size in enumerate([5, 1, 12])]
    sd = [[samples[0].std(ddof=1)], [np.nan], [samples[2].std(ddof=1)], [np.nan]]
    cells = cells_of(
        [[np.nan]] * 4,
        [[5], [1], [12], [0]],
        [[OBSERVED]] * 4,
        value=[[s.mean()] for s in samples] + [[np.nan]],
        sd=sd,
    )
    found, _ = sum_strata(cells, np.zeros(4, dtype=int), strata_of(["all"]), "mean")
    together = np.concatenate(samples)
    assert found.denominator[0, 0] == 18
    assert found.value[0, 0] == pytest.approx(together.mean(), rel=1e-12)
    assert found.sd[0, 0] == pytest.approx(together.std(ddof=1), rel=1e-12)


def test_mean_of_one_value_has_no_standard_deviation() -> None:
    cells = cells_of([[np.nan]], [[1]], [[OBSERVED]], value=[[8.5]], sd=[[np.nan]])
    found, _ = sum_strata(cells, np.array([0]), cells.strata, "mean")
    assert found.value.tolist() == [[8.5]]
    assert np.isnan(found.sd).all()


def test_unknown_spread_of_a_part_stays_unknown() -> None:
    cells = cells_of([[np.nan], [np.nan]], [[3], [4]], [[OBSERVED]] * 2, value=[[8], [9]], sd=[[1], [np.nan]])
    found, _ = sum_strata(cells, np.array([0, 0]), strata_of(["all"]), "mean")
    assert found.value[0, 0] == pytest.approx((3 * 8 + 4 * 9) / 7)
    assert np.isnan(found.sd).all()


def test_range_of_a_sum_is_known_only_of_one_subgroup() -> None:
    nan = np.nan
    # Columns: one subgroup and an empty one; two; one and a missing one; one and one of unknown size;
    # one whose range is unknown; none.
    found, _ = sum_strata(
        cells_of(
            [[nan] * 6] * 2,
            [[3, 3, 3, 3, 3, 0], [0, 2, nan, nan, 0, 0]],
            [[OBSERVED] * 6, [OBSERVED, OBSERVED, MISSING, OBSERVED, OBSERVED, OBSERVED]],
            value=[[8, 8, 8, 8, 8, nan], [nan, 9, nan, 9, nan, nan]],
            spread=[[4, 4, 4, 4, nan, nan], [nan, 1, nan, 1, nan, nan]],
        ),
        np.array([0, 0]),
        strata_of(["all"]),
        "mean",
    )
    np.testing.assert_array_equal(found.range, [[4, nan, 4, nan, nan, nan]])


def test_expected_numbers_add_up_over_what_was_reported() -> None:
    cells = cells_of(
        [[1, 1, 1], [2, np.nan, 2]],
        [[4, 4, 4], [5, np.nan, 5]],
        [[OBSERVED] * 3, [OBSERVED, MISSING, OBSERVED]],
        expected=[[0.5, 0.5, 0.5], [0.25, np.nan, np.nan]],
    )
    found, _ = sum_strata(cells, np.array([0, 0]), strata_of(["all"]), "proportion")
    np.testing.assert_array_equal(found.expected, [[0.75, 0.5, np.nan]])


def test_range_and_expected_are_unknown_unless_given() -> None:
    x = block([[1, 2], [3, 4]])
    status = np.zeros(x.shape, dtype=np.int8)
    cells = Cells(strata_of(["a", "b"]), months(2), x, x, x, x, x, status)
    for name in ("range", "expected"):
        assert getattr(cells, name).shape == (2, 2)
        assert np.isnan(getattr(cells, name)).all()
        assert cells.to_dict()[name] is None
    assert cells.cases is None
    empty = cells.take(slice(0))
    assert Cells.from_dict(json.loads(json.dumps(empty.to_dict()))).range.shape == (0, 2)


def test_rows_bring_their_range_and_expected_number() -> None:
    rows = {"range": np.array([3.5]), "expected": np.array([0.4]), "denominator": np.array([4.0])}
    place = (np.array([0]), np.array([1]))
    made = Cells.dense(strata_of(["a"]), months(2), *place, **rows)
    np.testing.assert_array_equal(made.range, [[np.nan, 3.5]])
    np.testing.assert_array_equal(made.expected, [[np.nan, 0.4]])
    counted = Cells.dense(strata_of(["a"]), months(2), *place, **rows, absent="no births")
    np.testing.assert_array_equal(counted.range, [[np.nan, 3.5]])
    np.testing.assert_array_equal(counted.expected, [[0, 0.4]])


def test_missing_mean_is_left_out() -> None:
    cells = cells_of(
        [[np.nan], [np.nan]],
        [[3], [np.nan]],
        [[OBSERVED], [MISSING]],
        value=[[8], [np.nan]],
        sd=[[1], [np.nan]],
    )
    found, _ = sum_strata(cells, np.array([0, 0]), strata_of(["all"]), "mean")
    assert found.value.tolist() == [[8]]
    assert found.sd[0, 0] == pytest.approx(1)


def test_arrays_are_read_only_and_the_callers_are_not() -> None:
    mine = block([[1.0]])
    cells = Cells(strata_of(["a"]), months(1), mine, mine, mine, mine, mine, np.zeros((1, 1), dtype=np.int8))
    for name in ("numerator", "range", "expected"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(cells, name)[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        Cells(**{**fields_of(cells), "range": mine}).range[0, 0] = 2
    mine[0, 0] = 3
    assert mine.flags.writeable


def test_frame_has_fixed_types_and_is_fresh() -> None:
    cells = cells_of(
        [[1, 2], [3, np.nan]], [[4, 5], [6, 7]], [[OBSERVED, PROVISIONAL], [OBSERVED, SUPPRESSED]]
    )
    frame = cells.frame()
    assert frame.columns.tolist() == ["group", "period", *COLUMNS, "status"]
    assert frame["period"].dtype == "datetime64[us]"
    assert all(frame[name].dtype == np.float64 for name in COLUMNS)
    assert frame["status"].cat.categories.tolist() == list(STATUSES)
    assert frame["status"].tolist() == ["observed", "provisional", "observed", "suppressed"]
    frame.loc[:, "numerator"] = 99.0
    assert cells.frame()["numerator"].tolist()[:3] == [1, 2, 3]


def test_take_keeps_order_and_drops_labels_without_rows() -> None:
    numbers = [[1, 2], [3, 4], [5, 6]]
    cells = cells_of(numbers, [[9, 9]] * 3, [[OBSERVED] * 2] * 3, spread=numbers, expected=numbers)
    taken = cells.take(np.array([2, 0]), np.array([False, True]))
    for name in ("numerator", "range", "expected"):
        assert getattr(taken, name).tolist() == [[6], [2]]
    assert taken.strata["group"].tolist() == ["g2", "g0"]
    assert taken.strata["group"].cat.categories.tolist() == ["g0", "g2"]
    assert taken.periods.tolist() == months(2)[1:].tolist()


@pytest.mark.parametrize("made", [events_cells(), random_cells(np.random.default_rng(0), 3, 4)])
def test_cells_survive_json(made: Cells) -> None:
    back = Cells.from_dict(json.loads(json.dumps(made.to_dict())))
    assert back.equals(made)
    assert back.periods.dtype == made.periods.dtype
    assert back.status.dtype == np.int8


def test_equals_sees_every_difference() -> None:
    cells = cells_of([[1, 2]], [[4, 5]], [[OBSERVED, OBSERVED]])
    others = [
        cells_of([[1, 3]], [[4, 5]], [[OBSERVED, OBSERVED]]),
        cells_of([[1, 2]], [[4, 5]], [[OBSERVED, PROVISIONAL]]),
        cells_of([[1]], [[4]], [[OBSERVED]]),
        Cells(**{**fields_of(cells), "strata": strata_of(["other"])}),
        Cells(**{**fields_of(cells), "strata": strata_of(["g0"], ["g0", "g1"])}),
        Cells(**{**fields_of(cells), "periods": months(3)[1:]}),
        cells_of([[1, 2]], [[4, 5]], [[OBSERVED, OBSERVED]], spread=[[0, np.nan]]),
        cells_of([[1, 2]], [[4, 5]], [[OBSERVED, OBSERVED]], expected=[[0, np.nan]]),
        "cells",
    ]
    assert cells.equals(Cells(**fields_of(cells)))
    assert not any(cells.equals(other) for other in others)


def fields_of(cells: Cells) -> dict[str, object]:
    return {name: getattr(cells, name) for name in ("strata", "periods", *BLOCKS, "status")}
