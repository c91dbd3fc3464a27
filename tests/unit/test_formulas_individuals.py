"""Moving ranges and XmR limits against a naive loop, and constants against numerical integration."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from qi_equity.errors import OptionError
from qi_equity.formulas._ranges import PRESETS, Preset, sigma_of_ranges
from qi_equity.formulas.individuals import i_limits, moving_ranges, mr_limits

NAN = math.nan


def naive_ranges(y: np.ndarray, base: np.ndarray) -> list[float]:
    kept = [t for t in range(len(y)) if base[t]]
    found = [NAN] * len(y)
    for s, t in itertools.pairwise(kept):
        found[t] = abs(y[t] - y[s])
    return found


def naive_limits(
    y: np.ndarray, base: np.ndarray, spread: str, d2: float, screen: float
) -> tuple[float, float]:
    kept = [v for v, b in zip(y, base, strict=True) if b and not math.isnan(v)]
    ranges = [r for r in naive_ranges(y, base) if not math.isnan(r)]
    if not ranges:
        return (statistics.fmean(kept) if kept else NAN), NAN
    mean = statistics.fmean(ranges)
    if spread == "screened":
        short = [r for r in ranges if r < screen * mean]
        mean = statistics.fmean(short) if any(short) else mean
    return statistics.fmean(kept), mean / d2


@pytest.fixture(scope="module")
def blocks() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    y = rng.normal(20, 5, (300, 15)).round(1)
    y[rng.random(y.shape) < 0.05] += 60
    y[rng.random(y.shape) < 0.15] = NAN
    return y, rng.random(y.shape) < 0.8


def test_moving_ranges_by_loop(blocks: tuple[np.ndarray, np.ndarray]) -> None:
    y, base = blocks
    np.testing.assert_array_equal(
        moving_ranges(y, baseline=base), [naive_ranges(a, b) for a, b in zip(y, base, strict=True)]
    )


def test_leaving_out_joins_neighbours_but_a_missing_value_takes_both_ranges() -> None:
    assert moving_ranges([1, 9, 4], baseline=[True, False, True])[2] == 3
    assert np.isnan(moving_ranges([1, NAN, 4])).all()


@pytest.mark.parametrize(
    ("constants", "d2", "screen"),
    [("exact", 1.1283791671, 3.2665319), ("mdc", 3 / 2.66, 3.267), ("qicharts2", 1.128, 3.267)],
)
@pytest.mark.parametrize("spread", ["screened", "mean"])
def test_limits_by_loop(
    blocks: tuple[np.ndarray, np.ndarray], spread: str, constants: str, d2: float, screen: float
) -> None:
    y, base = blocks
    limits = i_limits(y, baseline=base, spread=spread, constants=constants)
    expected = np.array([naive_limits(a, b, spread, d2, screen) for a, b in zip(y, base, strict=True)])
    np.testing.assert_allclose(limits.centre_line[:, 0], expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(limits.sigma[:, 0], expected[:, 1], rtol=1e-9)
    np.testing.assert_allclose(limits.upper, (expected[:, :1] + 3 * expected[:, 1:]) + 0 * base, rtol=1e-9)
    np.testing.assert_allclose(
        limits.lower, (expected[:, :1] - 3 * expected[:, 1:]) + 0 * base, rtol=1e-9, atol=1e-7
    )


def test_median_range(blocks: tuple[np.ndarray, np.ndarray]) -> None:
    y, base = blocks
    sigma = i_limits(y, baseline=base, spread="median").sigma[:, 0]
    for a, b, found in zip(y, base, sigma, strict=True):
        ranges = [r for r in naive_ranges(a, b) if not math.isnan(r)]
        np.testing.assert_allclose(found, statistics.median(ranges) / 0.9538726 if ranges else NAN, rtol=1e-7)


def test_exact_constants_by_integration() -> None:
    """The range of two standard normal values is the absolute value of a normal of variance 2."""
    density = stats.halfnorm(scale=math.sqrt(2))
    d2 = integrate.quad(lambda r: r * density.pdf(r), 0, 20)[0]
    d3 = math.sqrt(integrate.quad(lambda r: r * r * density.pdf(r), 0, 20)[0] - d2**2)
    median = optimize.brentq(lambda r: density.cdf(r) - 0.5, 0, 5)
    exact = PRESETS["exact"]
    assert exact.mean == pytest.approx(d2, rel=1e-9)
    assert exact.median == pytest.approx(median, rel=1e-9)
    assert exact.screen == pytest.approx(1 + 3 * d3 / d2, rel=1e-9)


def test_nsigma_and_a_supplied_centre_line() -> None:
    limits = i_limits([1, 3, 2, 4], centre_line=10, nsigma=2, constants="qicharts2", spread="mean")
    assert limits.centre_line.tolist() == [10] * 4
    np.testing.assert_allclose(limits.upper, 10 + 2 * (5 / 3) / 1.128)
    np.testing.assert_allclose(limits.lower, 10 - 2 * (5 / 3) / 1.128)


@pytest.mark.parametrize("spread", ["screened", "mean", "median"])
def test_limits_of_a_constant_series_lie_on_the_centre_line(spread: str) -> None:
    for value in (0.1, 0.7, 1 / 3, 96.4):
        limits = i_limits([value] * 7, spread=spread)
        for part in (limits.centre_line, limits.lower, limits.upper):
            assert part.tolist() == [value] * 7
        assert limits.sigma.tolist() == [0] * 7


def test_one_jump_in_a_constant_series_is_not_screened_away() -> None:
    y = [5.0] * 8 + [9.0] * 8
    assert i_limits(y).equals(i_limits(y, spread="mean"))
    assert i_limits(y).sigma[0] == pytest.approx(4 / 15 / 1.1283791671)


def test_screening_leaves_out_a_range_only_from_the_limit_on() -> None:
    """Of ranges 1, 1, 1, r the last reaches 3.267 times their mean at r = 13.371..."""
    edge = 3.267 * 3 / (4 - 3.267)
    for factor, mean in ((0.9999, (3 + edge * 0.9999) / 4), (1.0001, 1)):
        y = np.cumsum([0, 1, 1, 1, edge * factor])
        assert i_limits(y, spread="screened", constants="qicharts2").sigma[0] * 1.128 == pytest.approx(mean)


def test_a_range_at_the_screening_limit_is_left_out() -> None:
    """In quarters all is exact: a preset that screens at twice the mean, ranges 1, 1, 1, 3 with mean 1.5."""
    assert sigma_of_ranges(np.array([[1.0, 1, 1, 3]]), "screened", Preset(1.0, None, 2.0), "test")[0, 0] == 1


def test_screening_is_done_once() -> None:
    y = np.cumsum([0, 1, 1, 1, 1, 1, 1, 1, 1, 9, 300])
    assert i_limits(y, spread="screened", constants="qicharts2").sigma[0] * 1.128 == pytest.approx(17 / 9)


@pytest.mark.parametrize("y", [[4.0], [4.0, NAN, 5.0], [NAN, NAN]])
def test_too_few_neighbours_give_no_limits_and_no_warning(y: list[float]) -> None:
    limits = i_limits(y)
    assert np.isnan(limits.sigma).all()
    assert np.isnan(limits.lower).all()
    np.testing.assert_array_equal(
        limits.centre_line, [np.nanmean(y) if np.isfinite(y).any() else NAN] * len(y)
    )


@pytest.mark.parametrize("constants", ["mdc", "qicharts2"])
def test_presets_without_a_median_constant_say_so(constants: str) -> None:
    with pytest.raises(
        OptionError, match=rf"constants='{constants}' has none for spread='median'; use constants='exact'"
    ):
        i_limits([1, 2, 3], spread="median", constants=constants)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(
        OptionError, match=r"spread='sd' is not allowed; use one of 'screened', 'mean', 'median'"
    ):
        i_limits([1, 2], spread="sd")
    with pytest.raises(
        OptionError, match=r"constants='nhs' is not allowed; use one of 'exact', 'mdc', 'qicharts2'"
    ):
        i_limits([1, 2], constants="nhs")
    with pytest.raises(OptionError, match=r"nsigma=-1 is not allowed"):
        i_limits([1, 2], nsigma=-1)


def test_inputs_are_left_as_they_were() -> None:
    y, base = np.array([1.0, NAN, 4]), np.array([True, True, False])
    y.setflags(write=False)
    base.setflags(write=False)
    i_limits(y, baseline=base).centre_line[0] = 3
    moving_ranges(y, baseline=base)[0] = 3


def test_limits_of_ranges_by_loop(blocks: tuple[np.ndarray, np.ndarray]) -> None:
    y, base = blocks
    first = np.arange(y.shape[1]) < 10
    ranges = moving_ranges(y, baseline=base)
    limits = mr_limits(ranges, baseline=first, nsigma=1.1)
    for row, used, centre, sigma, lower, upper in zip(
        y, base, limits.centre_line, limits.sigma, limits.lower, limits.upper, strict=True
    ):
        some = [r for r in naive_ranges(row, used)[:10] if not math.isnan(r)]
        mean = statistics.fmean(some) if some else NAN
        np.testing.assert_allclose(centre, mean, rtol=1e-12)
        np.testing.assert_allclose(sigma, mean * 0.8525024664 / 1.1283791671, rtol=1e-9)
        np.testing.assert_allclose(upper, centre + 1.1 * sigma, rtol=1e-12)
        np.testing.assert_allclose(lower, centre - 1.1 * sigma, rtol=1e-12)


@pytest.mark.parametrize(("constants", "d4"), [("exact", 3.2665319), ("mdc", 3.267), ("qicharts2", 3.267)])
def test_limits_of_ranges_are_d4_times_their_mean(constants: str, d4: float) -> None:
    limits = mr_limits([NAN, 1, 2, 6], constants=constants)
    assert limits.centre_line.tolist() == [3] * 4
    np.testing.assert_allclose(limits.upper, 3 * d4, rtol=1e-7)
    assert limits.lower.tolist() == [0] * 4
    assert (limits.sigma > 2).all()


def test_a_supplied_line_of_ranges_needs_no_baseline() -> None:
    limits = mr_limits([1, 2, 6], centre_line=4, baseline=[False] * 3)
    assert limits.centre_line.tolist() == [4] * 3
    np.testing.assert_allclose(limits.upper, 4 * 3.2665319, rtol=1e-7)


def test_ranges_of_a_constant_series_have_limits_on_their_centre() -> None:
    limits = mr_limits(moving_ranges([5, 5, 5]))
    for part in (limits.centre_line, limits.sigma, limits.lower, limits.upper):
        assert part.tolist() == [0] * 3


def test_no_range_no_limits() -> None:
    limits = mr_limits([NAN, NAN])
    assert np.isnan([limits.centre_line, limits.sigma, limits.lower, limits.upper]).all()


def test_unknown_options_of_range_charts_are_refused() -> None:
    with pytest.raises(OptionError, match=r"constants='nhs' is not allowed"):
        mr_limits([1, 2], constants="nhs")
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed"):
        mr_limits([1, 2], nsigma=0)


def test_ranges_are_left_as_they_were() -> None:
    r = np.array([1.0, 2, 6])
    r.setflags(write=False)
    mr_limits(r).centre_line[0] = 3
