"""Limits tuned to a rate of false signals: counts and gaps tried one by one with scipy.stats."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import p_limits, u_limits
from qi_equity.formulas.between_waiting import g_run_length, t_run_length
from qi_equity.formulas.detection_floors import (
    births_for_exact_lower_limit,
    births_for_lower_limit,
    births_for_shift,
)
from qi_equity.formulas.probability_limits import p_probability_limits
from qi_equity.formulas.tuned_limits import (
    points_to_detect,
    tuned_count_limits,
    tuned_gap_limits,
    tuned_time_limits,
)


def distribution(of: str, size: int, p: float):
    return stats.binom(size, p) if of == "binomial" else stats.poisson(size * p)


@given(
    size=st.integers(1, 300),
    p=st.floats(0.001, 0.999),
    between=st.floats(1.5, 2000),
    of=st.sampled_from(["binomial", "poisson"]),
)
@settings(max_examples=150, deadline=None)
def test_counts_one_by_one(size: int, p: float, between: float, of: str) -> None:
    counts = distribution(of, size, p)
    most = size if of == "binomial" else 10 * size + 60
    every = np.arange(most + 1)
    low, high = (every[tail <= 1 / between] for tail in (counts.cdf(every), counts.sf(every - 1)))
    found = tuned_count_limits(size, p, distribution=of, points_between=between, side="low")
    if low.size:
        assert found.limit[0] == low[-1] + 0.5
        assert found.tail[0] == pytest.approx(counts.cdf(low[-1]))
        assert found.points_between[0] >= between * (1 - 1e-9)
    else:
        assert math.isnan(found.limit[0])
        assert found.points_between[0] == math.inf
    found = tuned_count_limits(size, p, distribution=of, points_between=between, side="high")
    if high.size:
        assert found.limit[0] == high[0] - 0.5
        assert found.tail[0] == pytest.approx(counts.sf(high[0] - 1))
    else:
        assert math.isnan(found.limit[0])
        assert found.tail[0] == 0


def test_counts_missing_or_without_births() -> None:
    found = tuned_count_limits([0, math.nan, 20, 20], [0.1, 0.1, math.nan, 0], points_between=50, side="low")
    assert np.isnan(found.limit).all()
    assert np.isnan(found.points_between[:3]).all()
    assert found.points_between[3] == math.inf


@given(size=st.integers(5, 200), p=st.floats(0.02, 0.5), now=st.floats(0.01, 0.9))
@settings(max_examples=60, deadline=None)
def test_points_to_detect(size: int, p: float, now: float) -> None:
    low = tuned_count_limits(size, p, points_between=150, side="low")
    high = tuned_count_limits(size, p, points_between=150, side="high")
    below = points_to_detect(low.limit, size, now, side="low")[0]
    above = points_to_detect(high.limit, size, now, side="high")[0]
    counts = stats.binom(size, now)
    if math.isnan(low.limit[0]):
        assert below == math.inf
    else:
        assert below == pytest.approx(1 / counts.cdf(low.limit[0]))
    if not math.isnan(high.limit[0]):
        assert above == pytest.approx(1 / counts.sf(high.limit[0]))


def test_points_to_detect_at_what_it_is_tuned_to() -> None:
    for of, side in (("binomial", "low"), ("poisson", "low"), ("binomial", "high"), ("poisson", "high")):
        found = tuned_count_limits([80, 200], 0.12, distribution=of, points_between=150, side=side)
        again = points_to_detect(found.limit, [80, 200], 0.12, distribution=of, side=side)
        np.testing.assert_allclose(again, found.points_between)
    # A limit on a count: that count does not signal.
    assert points_to_detect(1.0, 40, 0.06, side="low") == points_to_detect(0.5, 40, 0.06, side="low")
    assert np.isnan(points_to_detect(0.5, [0, 40], [0.06, math.nan], side="low")).all()


@given(p=st.floats(0.001, 0.6), births=st.floats(2, 1e5))
@settings(max_examples=100, deadline=None)
def test_gaps_one_birth_nearer_signal_too_often(p: float, births: float) -> None:
    high = tuned_gap_limits(p, births, side="high")
    assert high.between[0] >= births * (1 - 1e-6)
    if high.limit[0] > 0.5:
        assert g_run_length(p, upper=high.limit - 1).waited[0] < births * (1 + 1e-6)
    low = tuned_gap_limits(p, births, side="low")
    if math.isnan(low.limit[0]):
        assert g_run_length(p, lower=1.5).waited[0] < births * (1 + 1e-6)
    elif low.limit[0] < math.inf:
        assert low.between[0] >= births * (1 - 1e-6)
        assert g_run_length(p, lower=low.limit + 1).waited[0] < births * (1 + 1e-6)
    else:
        assert 1 / p >= births
        assert low.between[0] == pytest.approx(1 / p)


def test_gaps_without_a_chance() -> None:
    for side in ("low", "high"):
        found = tuned_gap_limits([0, 1, math.nan], 100, side=side)
        assert np.isnan(found.limit).all()
        assert np.isnan(found.between).all()


@given(rate=st.floats(0.01, 20), wanted=st.floats(0.5, 1e4))
def test_times_give_just_what_is_wanted(rate: float, wanted: float) -> None:
    high = tuned_time_limits(rate, wanted, side="high")
    assert high.between[0] == pytest.approx(wanted)
    assert t_run_length(rate, upper=high.limit).waited[0] == pytest.approx(wanted)
    low = tuned_time_limits(rate, wanted, side="low")
    if rate * wanted <= 1:
        assert low.limit[0] == math.inf
        assert low.between[0] == pytest.approx(1 / rate)
    else:
        assert low.between[0] == pytest.approx(wanted)


def test_times_without_a_rate() -> None:
    for side in ("low", "high"):
        assert np.isnan(tuned_time_limits([0, math.nan], 100, side=side).limit).all()


@given(p=st.floats(0.01, 0.6), k=st.sampled_from([2.0, 3.0]))
@settings(deadline=None)
def test_births_for_lower_limit_is_where_the_chart_has_one(p: float, k: float) -> None:
    births = births_for_lower_limit(p, nsigma=k)[0]
    for n in (math.floor(births * 0.999), math.ceil(births * 1.001) + 1):
        lower = p_limits([0], [max(n, 1)], centre_line=p, nsigma=k).lower[0]
        assert (lower > 0) == (n > births)
    exposure = births_for_lower_limit(p, distribution="poisson", nsigma=k)[0]
    assert exposure * p == pytest.approx(k * k)
    assert u_limits([0], [exposure * 1.01], centre_line=p, nsigma=k).lower[0] > 0
    assert u_limits([0], [exposure * 0.99], centre_line=p, nsigma=k).lower[0] <= 0


@given(p=st.floats(0.01, 0.6), tail=st.sampled_from([0.00135, 0.02275]))
@settings(deadline=None)
def test_births_for_exact_lower_limit_is_where_the_chart_has_one(p: float, tail: float) -> None:
    n = births_for_exact_lower_limit(p, tail=tail)[0]
    limits = p_probability_limits([0, 0], [n, n - 1], centre_line=p, tail=tail)
    assert limits.lower[0] > 0
    assert limits.lower[1] <= 0
    assert births_for_exact_lower_limit(p, distribution="poisson", tail=tail)[0] == pytest.approx(
        -math.log(tail) / p
    )


def test_floors_at_the_ends() -> None:
    assert births_for_lower_limit([0, 1]).tolist() == [math.inf, 0]
    assert births_for_exact_lower_limit([0, 1]).tolist() == [math.inf, 1]
    assert births_for_shift([0.1, 0.1], [0.1, 0.2], delta=2).tolist() == pytest.approx([math.inf, 36])


@pytest.mark.parametrize(
    "call",
    [
        lambda: tuned_count_limits(10.5, 0.1, points_between=150, side="low"),
        lambda: tuned_count_limits(10, 1.1, points_between=150, side="low"),
        lambda: tuned_count_limits(10, 0.1, points_between=1, side="low"),
        lambda: tuned_count_limits(10, 0.1, points_between=9, side="both"),
        lambda: points_to_detect(0.5, 10, 0.1, side="up"),
        lambda: tuned_gap_limits(0.1, 0.5, side="low"),
        lambda: tuned_gap_limits(0.1, 5, side="up"),
        lambda: tuned_time_limits(0.1, 0, side="low"),
        lambda: births_for_lower_limit(2),
        lambda: births_for_lower_limit(0.1, nsigma=0),
        lambda: births_for_exact_lower_limit(0.1, tail=0.6),
        lambda: births_for_shift(0.1, 2),
    ],
)
def test_arguments_out_of_bounds(call) -> None:
    with pytest.raises(OptionError):
        call()


def test_no_numbers() -> None:
    with pytest.raises(InputTypeError):
        births_for_lower_limit("few")
