"""Numbers as tables write them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.cells import MISSING, OBSERVED, SUPPRESSED
from qi_equity.data.marks import read_numbers


def read(value):
    numbers = read_numbers(pd.Series([value], dtype="object"))
    return numbers.values[0], int(numbers.status[0]), bool(numbers.unreadable[0])


@pytest.mark.parametrize("mark", ["*", "**", "<5", " < 5 ", "<=7", "≤ 7", "[c]", "[C]", "-", "–", ":", " : "])
def test_marks_are_suppressed_never_zero(mark):
    value, status, unreadable = read(mark)
    assert np.isnan(value)
    assert status == SUPPRESSED
    assert not unreadable


@pytest.mark.parametrize("empty", [None, np.nan, pd.NA, "", "  ", "NA", "n/a", "NaN", "null"])
def test_empty_is_missing(empty):
    value, status, unreadable = read(empty)
    assert np.isnan(value)
    assert status == MISSING
    assert not unreadable


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 17 ", 17),
        ("1,234", 1234),
        ("12,345,678", 12345678),
        ("1 234", 1234),
        ("1\u00a0234", 1234),
        ("-3", -3),
        ("2.5", 2.5),
        ("1e3", 1000),
        ("inf", np.inf),
        (Decimal("4"), 4),
        (7, 7),
    ],
)
def test_numbers_in_text_are_read(text, number):
    assert read(text) == (number, OBSERVED, False)


@pytest.mark.parametrize(
    "text",
    ["1,23", "12,34,567", "5%", "about 5", "1.234,5", "5*", "£5", True, object(), 10**400, Decimal("sNaN")],
    ids=lambda value: str(value)[:9],
)
def test_what_is_no_number_is_told(text):
    value, status, unreadable = read(text)
    assert np.isnan(value)
    assert unreadable
    assert status not in (OBSERVED, SUPPRESSED)


@pytest.mark.parametrize("dtype", ["float64", "Float64", "Int64", "int64[pyarrow]", "double[pyarrow]"])
def test_numeric_columns_are_taken_as_they_are(dtype):
    numbers = read_numbers(pd.Series([3, None, 0], dtype=dtype))
    np.testing.assert_array_equal(numbers.values, [3, np.nan, 0])
    assert numbers.status.tolist() == [OBSERVED, MISSING, OBSERVED]
    assert not numbers.unreadable.any()


def test_a_column_of_bools_holds_no_counts():
    assert read_numbers(pd.Series([True, False])).unreadable.all()
