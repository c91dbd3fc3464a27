"""Constants of normal samples against closed forms and integration, limits against naive loops."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, special

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.subgroups import c4, d2, d3, r_limits, s_limits, xbar_limits

NAN = math.nan
PARTS = ("centre_line", "sigma", "lower", "upper")
ALL = pytest.mark.parametrize("constant", [c4, d2, d3])


def naive_c4(n: int) -> float:
    """Use Gamma(x + 1) = x Gamma(x) from 1 and sqrt(pi) upwards, with no function of large numbers."""
    ratio = 1 / math.sqrt(math.pi) if n % 2 == 0 else math.sqrt(math.pi) / 2
    for m in range(2 if n % 2 == 0 else 3, n, 2):
        ratio *= m / (m - 1)
    return math.sqrt(2 / (n - 1)) * ratio


@pytest.mark.parametrize("n", [2, 3, 4, 5, 25, 99, 100, 101, 102, 343, 344, 1001, 20_000])
def test_c4_by_recursion(n: int) -> None:
    assert float(c4(n)) == pytest.approx(naive_c4(n), rel=1e-13)


def test_d2_in_closed_form() -> None:
    root = math.sqrt(math.pi)
    known = [
        2 / root,
        3 / root,
        12 * math.atan(math.sqrt(2)) / math.pi**1.5,
        5 / (2 * root) + 15 * math.asin(1 / 3) / math.pi**1.5,
    ]
    np.testing.assert_allclose(d2([2, 3, 4, 5]), known, rtol=1e-12)


@pytest.mark.parametrize("n", [6, 10, 25, 100, 1000])
def test_d2_by_integration(n: int) -> None:
    found = integrate.quad(
        lambda x: 1 - special.ndtr(x) ** n - special.ndtr(-x) ** n, -9, 9, limit=200, epsabs=1e-13
    )[0]
    assert float(d2(n)) == pytest.approx(found, rel=1e-11)


@pytest.mark.parametrize("n", [2, 5, 12, 40])
def test_d3_by_integration_over_smallest_and_largest(n: int) -> None:
    def square(largest: float, smallest: float) -> float:
        within = special.ndtr(largest) - special.ndtr(smallest)
        density = math.exp(-(largest**2 + smallest**2) / 2) / (2 * math.pi)
        return float(n * (n - 1) * (largest - smallest) ** 2 * within ** (n - 2) * density)

    found = integrate.dblquad(square, -8.5, 8.5, lambda x: x, 8.5, epsabs=1e-10, epsrel=1e-10)[0]
    assert float(d3(n)) ** 2 + float(d2(n)) ** 2 == pytest.approx(found, rel=1e-9)


def test_d3_in_closed_form() -> None:
    known = [math.sqrt(2 - 4 / math.pi), math.sqrt(2 + 3 * math.sqrt(3) / math.pi - 9 / math.pi)]
    np.testing.assert_allclose(d3([2, 3]), known, rtol=1e-11)


@ALL
def test_constants_keep_the_shape_and_know_no_small_sizes(constant: Callable[..., np.ndarray]) -> None:
    found = constant([[5, 1, NAN], [0, -3, 2]])
    assert np.isnan(found).tolist() == [[False, True, True], [True, True, False]]
    assert constant(5).shape == ()
    assert float(constant(5)) == found[0, 0]


@ALL
@pytest.mark.parametrize("size", [2.5, 1_000_001, math.inf])
def test_constants_refuse_sizes_that_are_none(constant: Callable[..., np.ndarray], size: float) -> None:
    with pytest.raises(
        OptionError, match=r"n holds .*; sizes of subgroups are whole numbers of up to 1,000,"
    ):
        constant([4, size])


@ALL
def test_constants_of_very_large_subgroups(constant: Callable[..., np.ndarray]) -> None:
    small, large = constant([100, 1_000_000])
    assert {c4: 1 - 1e-6, d2: 9, d3: 0.3}[constant] < large < {c4: 1, d2: 10, d3: small}[constant]


@pytest.fixture(scope="module")
def blocks() -> dict[str, np.ndarray]:
    """Subgroups of 0 to 7 values, in half of the strata all of one size, with their statistics."""
    rng = np.random.default_rng(6)
    sizes = rng.integers(0, 8, (120, 12))
    sizes[::2] = rng.integers(2, 8, (60, 1))
    means, sds, ranges = (np.full(sizes.shape, NAN) for _ in range(3))
    for place, n in np.ndenumerate(sizes):
        values = rng.normal(30, 6, n).round(1)
        means[place] = values.mean() if n else NAN
        if n > 1:
            sds[place], ranges[place] = statistics.stdev(values), np.ptp(values)
    return {
        "means": means,
        "sds": sds,
        "ranges": ranges,
        "sizes": sizes.astype(float),
        "baseline": rng.random(sizes.shape) < 0.8,
    }


def naive_sd(sds: np.ndarray, sizes: np.ndarray, base: np.ndarray) -> float:
    """Mean of one size, else pooled."""
    there = [t for t in range(len(sds)) if base[t] and sizes[t] >= 1]
    known = [t for t in there if sizes[t] >= 2]
    if not known:
        return NAN
    if len({sizes[t] for t in there}) == 1:
        return statistics.fmean(sds[t] for t in known)
    return math.sqrt(
        sum((sizes[t] - 1) * sds[t] ** 2 for t in known) / sum(sizes[t] - 1 for t in known)
    )  # fmt: skip


def each(blocks: dict[str, np.ndarray], i: int) -> dict[str, np.ndarray]:
    return {name: array[i] for name, array in blocks.items()}


def test_xbar_of_standard_deviations_by_loop(blocks: dict[str, np.ndarray]) -> None:
    limits = xbar_limits(
        blocks["means"], blocks["sizes"], sds=blocks["sds"], baseline=blocks["baseline"], nsigma=2.5
    )
    for i in range(120):
        b = each(blocks, i)
        some = b["baseline"] & (b["sizes"] > 0)
        centre = (b["means"] * b["sizes"])[some].sum() / b["sizes"][some].sum() if some.any() else NAN
        sigma = np.array([
            naive_sd(b["sds"], b["sizes"], b["baseline"]) / naive_c4(int(n)) / math.sqrt(n) if n > 1 else NAN
            for n in b["sizes"]
        ])  # fmt: skip
        np.testing.assert_allclose(limits.centre_line[i], centre, rtol=1e-12)
        np.testing.assert_allclose(limits.sigma[i], sigma, rtol=1e-10)
        np.testing.assert_allclose(limits.lower[i], centre - 2.5 * sigma, rtol=1e-10)
        np.testing.assert_allclose(limits.upper[i], centre + 2.5 * sigma, rtol=1e-10)


def test_s_by_loop(blocks: dict[str, np.ndarray]) -> None:
    limits = s_limits(blocks["sds"], blocks["sizes"], baseline=blocks["baseline"])
    for i in range(120):
        b = each(blocks, i)
        centre = naive_sd(b["sds"], b["sizes"], b["baseline"])
        relative = np.array([
            math.sqrt(1 - naive_c4(int(n)) ** 2) / naive_c4(int(n)) if n > 1 else NAN for n in b["sizes"]
        ])  # fmt: skip
        np.testing.assert_allclose(limits.centre_line[i], centre, rtol=1e-12)
        np.testing.assert_allclose(limits.sigma[i], centre * relative, rtol=1e-10)
        np.testing.assert_allclose(limits.lower[i], np.maximum(centre * (1 - 3 * relative), 0), atol=1e-9)
        np.testing.assert_allclose(limits.upper[i], centre * (1 + 3 * relative), rtol=1e-10)


PUBLISHED = {2: (1.12838, 0.85250), 3: (1.69257, 0.88837), 4: (2.05875, 0.87981), 5: (2.32593, 0.86408),
             6: (2.53441, 0.84804), 7: (2.70436, 0.83321)}  # fmt: skip
"""Mean and standard deviation of the range of 2 to 7 normal values, as published to five decimals."""


def test_ranges_by_loop(blocks: dict[str, np.ndarray]) -> None:
    found = r_limits(blocks["ranges"], blocks["sizes"], baseline=blocks["baseline"])
    means = xbar_limits(
        blocks["means"], blocks["sizes"], ranges=blocks["ranges"], baseline=blocks["baseline"]
    )
    for i in range(120):
        b = each(blocks, i)
        kept = [t for t in range(12) if b["baseline"][t] and b["sizes"][t] > 1]
        one = (
            statistics.fmean(b["ranges"][t] / PUBLISHED[int(b["sizes"][t])][0] for t in kept) if kept else NAN
        )
        mean, error = np.array([PUBLISHED.get(int(n), (NAN, NAN)) for n in b["sizes"]]).T
        np.testing.assert_allclose(found.centre_line[i], mean * one, rtol=2e-5)
        np.testing.assert_allclose(found.sigma[i], error * one, rtol=2e-5)
        np.testing.assert_allclose(found.upper[i], (mean + 3 * error) * one, rtol=2e-5)
        np.testing.assert_allclose(found.lower[i], np.maximum(mean - 3 * error, 0) * one, atol=2e-3)
        root = np.sqrt(np.where(b["sizes"] > 0, b["sizes"], NAN))
        np.testing.assert_allclose(means.sigma[i], one / root, rtol=2e-5)


def test_standard_deviations_and_ranges_speak_of_the_same_sigma() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(2, 9, 4000)
    samples = [rng.normal(10, 3, n) for n in sizes]
    means = [s.mean() for s in samples]
    of_ranges = xbar_limits(means, sizes, ranges=[np.ptp(s) for s in samples])
    assert float(of_ranges.sigma[0] * math.sqrt(sizes[0])) == pytest.approx(3, rel=0.03)
    large = sizes + 40
    samples = [rng.normal(10, 3, n) for n in large]
    of_sds = xbar_limits([s.mean() for s in samples], large, sds=[s.std(ddof=1) for s in samples])
    assert float(of_sds.sigma[0] * math.sqrt(large[0])) == pytest.approx(3, rel=0.02)


def test_one_single_value_makes_the_sizes_vary() -> None:
    """Its standard deviation is not known, but the others are pooled, not averaged."""
    sds, sizes = [2.0, 4.0, NAN], [5, 5, 1]
    assert s_limits(sds, sizes).centre_line[0] == pytest.approx(math.sqrt(10))
    assert s_limits(sds, sizes, baseline=[True, True, False]).centre_line[0] == 3
    assert s_limits(sds, [5, 5, NAN]).centre_line[0] == 3
    assert s_limits(sds, [5, 5, 9]).centre_line[0] == 3


def test_limits_of_constant_subgroups_lie_on_the_centre_line() -> None:
    for value in (0.1, 1 / 3, 96.4):
        sizes = [3, 5, 2, 9, 4]
        limits = xbar_limits([value] * 5, sizes, sds=[0] * 5)
        for part in (limits.centre_line, limits.lower, limits.upper):
            assert part.tolist() == [value] * 5
        for size in range(2, 30):
            assert r_limits([value] * 5, [size] * 5).centre_line.tolist() == [value] * 5
        for of in ([6] * 5, sizes):
            assert s_limits([value] * 5, of).centre_line.tolist() == [value] * 5
    nothing = r_limits([0] * 5, sizes)
    assert [getattr(nothing, part).tolist() for part in PARTS] == [[0] * 5] * 4


def test_supplied_centre_lines() -> None:
    sizes = [5, 4, 5]
    found = xbar_limits([1.0, 2, 3], sizes, sds=[1.0, 2, 1], centre_line=9)
    own = xbar_limits([1.0, 2, 3], sizes, sds=[1.0, 2, 1])
    assert found.centre_line.tolist() == [9] * 3
    np.testing.assert_array_equal(found.sigma, own.sigma)
    found = s_limits([1.0, 2, 1], sizes, centre_line=4)
    np.testing.assert_allclose(found.upper / 4, [2.089, 2.266, 2.089], atol=5e-4)
    found = r_limits([1.0, 2, 1], sizes, centre_line=4)
    np.testing.assert_allclose(found.upper, 4 * (1 + 3 * d3(sizes) / d2(sizes)), rtol=1e-12)


def test_a_single_value_has_limits_from_ranges_only() -> None:
    means, sizes = [30.0, 31, 32], [1, 4, 5]
    assert np.isnan(xbar_limits(means, sizes, sds=[NAN, 2, 2]).upper).tolist() == [True, False, False]
    found = xbar_limits(means, sizes, ranges=[NAN, 2, 2])
    assert found.sigma[0] == pytest.approx(2 * found.sigma[1])


@pytest.mark.parametrize("given", [{}, {"sds": [1, 2], "ranges": [1, 2]}])
def test_xbar_wants_one_of_two(given: dict[str, list[int]]) -> None:
    with pytest.raises(OptionError, match=r"Give either sds= or ranges="):
        xbar_limits([1, 2], [3, 4], **given)


def xbar_of_sds(y: object, n: object, **options: object) -> Limits:
    return xbar_limits(y, n, sds=y, **options)


def xbar_of_ranges(y: object, n: object, **options: object) -> Limits:
    return xbar_limits(y, n, ranges=y, **options)


@pytest.mark.parametrize("formula", [s_limits, r_limits, xbar_of_sds, xbar_of_ranges])
class TestOfSubgroups:
    """What all charts of subgroups share."""

    def test_nothing_is_nan_without_a_warning(self, formula: Callable[..., Limits]) -> None:
        for y, n, base in (
            ([NAN, NAN], [5, 6], None),
            ([1.0, 2.0], [0, NAN], None),
            ([1.0, 2.0], [4, 5], [False, False]),
        ):
            limits = formula(y, n, baseline=base)
            assert np.isnan([getattr(limits, part) for part in PARTS]).all()

    def test_options_are_checked(self, formula: Callable[..., Limits]) -> None:
        with pytest.raises(OptionError, match=r"sizes holds 4\.5; sizes of subgroups are whole numbers"):
            formula([1, 2], [4.5, 5])
        with pytest.raises(OptionError, match=r"nsigma=-1 is not allowed"):
            formula([1, 2], [4, 5], nsigma=-1)
        with pytest.raises(InputTypeError, match="baseline holds int64"):
            formula([1, 2], [4, 5], baseline=[0, 1])
        with pytest.raises(OptionError, match="shapes do not fit"):
            formula([1, 2], [4, 5, 6])

    def test_inputs_are_left_as_they_were(self, formula: Callable[..., Limits]) -> None:
        arrays = (
            np.array([1.0, 2, 4]),
            np.array([5.0, 8, 9]),
            np.array([True, True, False]),
            np.array([2.0] * 3),
        )
        for array in arrays:
            array.setflags(write=False)
        formula(arrays[0], arrays[1], baseline=arrays[2], centre_line=arrays[3]).centre_line[0] = 3

    def test_limits_at_the_centre_are_never_crossed_by_nsigma(self, formula: Callable[..., Limits]) -> None:
        narrow, wide = (formula([2.0, 3, 4], [5, 6, 7], nsigma=k) for k in (1, 2))
        np.testing.assert_allclose(wide.upper - wide.centre_line, 2 * (narrow.upper - narrow.centre_line))
        assert (wide.lower <= narrow.lower).all()
