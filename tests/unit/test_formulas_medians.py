"""The median line against the standard library."""

from __future__ import annotations

import math
import statistics

import numpy as np

from qi_equity.formulas.medians import median_line


def test_median_of_what_was_observed_in_the_baseline() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 9, (40, 13)).astype(float)
    y[rng.random(y.shape) < 0.3] = math.nan
    base = rng.random(y.shape) < 0.7
    line = median_line(y, baseline=base)
    for row, kept, found in zip(y, base, line, strict=True):
        seen = [v for v in row[kept] if not math.isnan(v)]
        expected = statistics.median(seen) if seen else math.nan
        np.testing.assert_array_equal(found, [expected] * 13)


def test_no_point_no_line_and_no_warning() -> None:
    assert np.isnan(median_line([math.nan, math.nan])).all()
    assert np.isnan(median_line([1, 2], baseline=[False, False])).all()


def test_one_point() -> None:
    assert median_line([7]).tolist() == [7]


def test_input_is_left_as_it_was() -> None:
    y = np.array([3.0, 1, 2])
    y.setflags(write=False)
    median_line(y)[0] = 9
    assert y.tolist() == [3, 1, 2]
