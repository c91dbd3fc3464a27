"""Chance of a false signal against enumeration of all series, and against the mean run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum
from qi_equity.formulas.cusum import count_cusum
from qi_equity.formulas.cusum_false_signals import (
    bernoulli_cusum_false_signal,
    count_cusum_false_signal,
    tabular_cusum_false_signal,
)
from qi_equity.formulas.cusum_run_length import tabular_cusum_run_length

NAN = math.nan


def test_one_and_two_normal_points() -> None:
    k, h = 0.5, 1.0
    found = tabular_cusum_false_signal([0, 1, 2], k=k, h=h)
    one = stats.norm.sf(k + h)
    stay = stats.norm.cdf(k) * (1 - one)
    stay += integrate.quad(lambda s: stats.norm.pdf(s + k) * stats.norm.cdf(h + k - s), 0, h)[0]
    np.testing.assert_allclose(found, [0, 1 - (1 - one) ** 2, 1 - stay**2], rtol=1e-9)


@pytest.mark.parametrize("head_start", [0.0, 1.0])
def test_the_chances_of_all_numbers_of_points_add_up_to_the_mean_run(head_start: float) -> None:
    either = tabular_cusum_false_signal(np.arange(250), h=1.2, head_start=head_start)
    run = np.sqrt(1 - either).sum()
    assert run == pytest.approx(tabular_cusum_run_length(h=1.2, head_start=head_start).high[0], rel=1e-6)


def enumerated(sizes: list[int], p: float, h: tuple[float, float], head_start: float) -> float:
    series = list(itertools.product(*(range(n + 1) for n in sizes)))
    chance = np.prod(
        [stats.binom.pmf(x, n, p) for x, n in zip(np.array(series).T, sizes, strict=True)], axis=0
    )
    path = count_cusum(series, sizes, p, h=h, head_start=head_start)
    return float(chance[(path.low_signal | path.high_signal).any(axis=1)].sum())


@pytest.mark.parametrize("head_start", [0.0, 0.4])
@pytest.mark.parametrize("h", [(0.83, NAN), (NAN, 1.93), (NAN, 2.5)])
def test_either_arm_by_enumeration_of_all_counts(h: tuple[float, float], head_start: float) -> None:
    sizes = [3, 5, 2, 4, 6, 3]
    expected = enumerated(sizes, 0.2, h, head_start)
    assert 0.01 < expected < 0.9
    found = count_cusum_false_signal(sizes, 0.2, h=h, head_start=head_start)
    assert float(found) == pytest.approx(expected, rel=0.03)


def test_both_arms_are_taken_as_independent() -> None:
    sizes = [50] * 24
    low, high, both = (
        float(count_cusum_false_signal(sizes, 0.06, h=h)) for h in ((3.5, NAN), (NAN, 4.0), (3.5, 4.0))
    )
    assert both == pytest.approx(1 - (1 - low) * (1 - high), rel=1e-12)


@pytest.mark.parametrize(("sign", "k"), [(1, 3), (-1, 3), (-1, 12)])
def test_whole_steps_are_exact(sign: int, k: int) -> None:
    """At this rate the reference value is k events; with h at 8 events the lattice holds every value."""
    step = sign * math.log(2)
    rate = k * step / math.expm1(step)
    chance = stats.poisson.pmf(np.arange(100), rate)
    here = np.zeros(8)
    here[0] = 1
    for _ in range(12):
        after = np.zeros(8)
        for i, x in itertools.product(range(8), range(100)):
            j = max(0, i + sign * (x - k))
            if j < 8:
                after[j] += here[i] * chance[x]
        here = after
    h = 8 * math.log(2)
    found = count_cusum_false_signal(
        [1] * 12, rate, distribution="poisson", h=(NAN, h) if sign > 0 else (h, NAN)
    )
    assert float(found) == pytest.approx(1 - here.sum(), rel=1e-9)


def test_missing_periods_count_for_nothing() -> None:
    found = count_cusum_false_signal([[50, NAN, 0, 50], [50, 50, NAN, NAN], [NAN] * 4], 0.06, h=1.0)
    assert found[0] == found[1] > 0
    assert found[2] == 0
    assert float(count_cusum_false_signal([50] * 5, 0, h=1)) == 0
    assert float(count_cusum_false_signal([50] * 5, 1, h=1)) == 0
    assert float(count_cusum_false_signal([50] * 5, 0.1, h=NAN)) == 0


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("p", [0.3, 0.6])
def test_bernoulli_by_enumeration_of_all_births(p: float, side: int) -> None:
    y = np.array(list(itertools.product([0.0, 1.0], repeat=14)))
    h: tuple[float, float] = (1.22, NAN) if side == 0 else (NAN, 1.22)
    path = bernoulli_cusum(y, chance=p, h=h)
    signals = (path.low_signal | path.high_signal).any(axis=1)
    expected = (p ** y.sum(axis=1) * (1 - p) ** (14 - y.sum(axis=1)))[signals].sum()
    assert float(bernoulli_cusum_false_signal(14, p, h=h)[0]) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("p", "births"), [(0.004, 2500), (0.03, 400)])
def test_bernoulli_by_a_chain_birth_by_birth(p: float, births: int, side: int) -> None:
    ratio, sign = ((0.5, -1), (2.0, 1))[side]
    k = math.log(1 - p + ratio * p) / math.log(ratio)
    other, h = 4, 2.5
    per_event = other / k
    event = sign * (1 - k) * per_event
    whole = math.floor(event)
    n = math.ceil(h / math.log(2) * per_event)
    here = np.zeros(n)
    here[0] = 1
    for _ in range(births):
        after = np.zeros(n)
        for move, chance in (
            (-sign * other, 1 - p),
            (whole, p * (whole + 1 - event)),
            (whole + 1, p * (event - whole)),
        ):
            place = np.maximum(np.arange(n) + move, 0)
            np.add.at(after, place[place < n], chance * here[place < n])
        here = after
    limits: tuple[float, float] = (h, NAN) if side == 0 else (NAN, h)
    found = float(bernoulli_cusum_false_signal(births, p, h=limits)[0])
    assert found == pytest.approx(1 - here.sum(), rel=0.03)


def test_births_that_cannot_signal() -> None:
    found = bernoulli_cusum_false_signal([0, 100, 100, NAN, 100], [0.1, 0, 1, 0.1, NAN])
    np.testing.assert_array_equal(found, [0, 0, 0, NAN, NAN])
    assert 0 < bernoulli_cusum_false_signal(3, 0.01, h=0.5)[0] < 0.05


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tabular_cusum_false_signal(10, h=2, head_start=2), "head_start=2 is not allowed"),
        (lambda: count_cusum_false_signal([50], 1.5, h=1), "centre_line holds 1.5"),
        (lambda: count_cusum_false_signal([-1], 0.5, h=1), "size holds -1.0"),
        (lambda: count_cusum_false_signal([50], 0.5, h=0), "h holds 0.0"),
        (lambda: bernoulli_cusum_false_signal(-1, 0.5), "births holds -1.0"),
        (lambda: bernoulli_cusum_false_signal(1, -0.5), "chance holds -0.5"),
    ],
)
def test_what_is_out_of_bounds_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        call()


def test_points_are_whole() -> None:
    with pytest.raises(InputTypeError, match=r"n_points=2\.5 does not hold whole numbers"):
        tabular_cusum_false_signal(2.5)
