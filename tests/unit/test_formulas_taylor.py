"""Taylor's I' limits against a naive loop."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.taylor import ip_limits

NAN = math.nan
PARTS = ("centre_line", "sigma", "lower", "upper")


def naive(y: np.ndarray, n: np.ndarray, base: np.ndarray, screened: bool) -> tuple[float, float]:
    """Give the weighted mean and the mean standard deviation of one birth."""
    kept = [t for t in range(len(y)) if base[t]]
    weighed = [t for t in kept if n[t] > 0 and not math.isnan(y[t])]
    total = sum(n[t] for t in weighed)
    centre = sum(n[t] * y[t] for t in weighed) / total if weighed else NAN
    found = [
        math.sqrt(math.pi / 2) * abs(y[t] - y[s]) / math.sqrt(1 / n[t] + 1 / n[s])
        for s, t in itertools.pairwise(kept)
        if s in weighed and t in weighed
    ]
    if not found:
        return centre, NAN
    mean = sum(found) / len(found)
    if screened:
        short = [s for s in found if s < 3.2665319 * mean]
        mean = sum(short) / len(short) if any(short) else mean
    return centre, mean


@pytest.fixture(scope="module")
def blocks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    n = rng.integers(0, 60, (200, 14)).astype(float)
    n[rng.random(n.shape) < 0.1] = NAN
    y = rng.normal(20, 5, n.shape).round(1)
    y[rng.random(y.shape) < 0.05] += 90
    y[rng.random(y.shape) < 0.1] = NAN
    return y, n, rng.random(y.shape) < 0.8


@pytest.mark.parametrize("spread", ["mean", "screened"])
def test_limits_by_loop(blocks: tuple[np.ndarray, np.ndarray, np.ndarray], spread: str) -> None:
    y, n, base = blocks
    limits = ip_limits(y, n, baseline=base, spread=spread, nsigma=2.5)
    for i in range(len(y)):
        centre, one = naive(y[i], n[i], base[i], spread == "screened")
        sigma = np.array([one / math.sqrt(size) if size > 0 else NAN for size in n[i]])
        np.testing.assert_allclose(limits.centre_line[i], centre, rtol=1e-12)
        np.testing.assert_allclose(limits.sigma[i], sigma, rtol=1e-9)
        np.testing.assert_allclose(limits.lower[i], centre - 2.5 * sigma, rtol=1e-9, atol=1e-7)
        np.testing.assert_allclose(limits.upper[i], centre + 2.5 * sigma, rtol=1e-9)


def test_with_equal_sizes_it_is_the_individuals_chart() -> None:
    y = [12.0, 14, 9, 30, 11, 12, 13]
    for spread in ("mean", "screened"):
        normalised, plain = ip_limits(y, 25, spread=spread), i_limits(y, spread=spread)
        for part in PARTS:
            np.testing.assert_allclose(getattr(normalised, part), getattr(plain, part), rtol=1e-12)


def test_limits_of_a_constant_series_lie_on_the_centre_line() -> None:
    for value in (0.1, 0.7, 1 / 3, 96.4):
        limits = ip_limits([value] * 7, [3, 17, 50, 12, 99, 7, 31], spread="screened")
        for part in (limits.centre_line, limits.lower, limits.upper):
            assert part.tolist() == [value] * 7
        assert limits.sigma.tolist() == [0] * 7


def test_screening_that_leaves_only_zeros_is_not_done() -> None:
    y, n = [5.0] * 8 + [9.0] * 8, np.arange(10, 26)
    assert ip_limits(y, n, spread="screened").equals(ip_limits(y, n))


def test_a_supplied_centre_line_moves_the_limits_only() -> None:
    y, n = [1.0, 3, 2, 4], [10, 20, 30, 40]
    own, given = ip_limits(y, n), ip_limits(y, n, centre_line=10)
    assert given.centre_line.tolist() == [10] * 4
    np.testing.assert_array_equal(given.sigma, own.sigma)
    np.testing.assert_allclose(given.upper - 10, own.upper - own.centre_line)


def test_too_little_gives_nan_and_no_warning() -> None:
    limits = ip_limits([4.0, NAN, 5.0], [10, 10, 10])
    assert limits.centre_line.tolist() == [4.5] * 3
    assert np.isnan([limits.sigma, limits.lower, limits.upper]).all()
    limits = ip_limits([4.0, 4.5], [0, NAN])
    assert np.isnan([getattr(limits, part) for part in PARTS]).all()


def test_unknown_options_are_refused() -> None:
    with pytest.raises(OptionError, match=r"spread='median' is not allowed; use one of 'mean', 'screened'"):
        ip_limits([1, 2], [3, 4], spread="median")
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed"):
        ip_limits([1, 2], [3, 4], nsigma=0)
    with pytest.raises(OptionError, match=r"values \(2,\), sizes \(3,\)"):
        ip_limits([1, 2], [3, 4, 5])
    with pytest.raises(InputTypeError, match="baseline holds int64"):
        ip_limits([1, 2], [3, 4], baseline=[0, 1])


def test_inputs_are_left_as_they_were() -> None:
    arrays = np.array([1.0, 2, 4]), np.array([5.0, 0, 9]), np.array([True, True, False]), np.array([2.0] * 3)
    for array in arrays:
        array.setflags(write=False)
    limits: Limits = ip_limits(arrays[0], arrays[1], baseline=arrays[2], centre_line=arrays[3])
    limits.centre_line[0] = 3
