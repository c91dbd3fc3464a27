"""Runs of g and t charts: sums over all gaps written out here, and simulated charts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.between_waiting import (
    g_births_waiting,
    g_run_length,
    g_waiting,
    t_run_length,
    t_waiting,
)


def by_all_gaps(p: float, lower: float, upper: float) -> tuple[float, float, float]:
    """Sum over the gaps one by one: events, births with and without an open gap that signals."""
    signal = births = closed = 0.0
    for gap in range(1, 20_000):
        chance = p * (1 - p) ** (gap - 1)
        beyond = gap > upper
        signal += chance * (beyond or gap < lower)
        births += chance * min(gap, math.floor(upper) + 1 if upper < math.inf else gap)
        closed += chance * gap
    return 1 / signal, births / signal, closed / signal


@given(p=st.floats(0.02, 0.9), lower=st.floats(0.5, 9.5), width=st.floats(0, 40))
@settings(max_examples=40, deadline=None)
def test_g_by_all_gaps(p: float, lower: float, width: float) -> None:
    events, births, closed = by_all_gaps(p, lower, lower + width)
    found = g_run_length(p, lower=lower, upper=lower + width)
    assert (found.events[0], found.waited[0]) == pytest.approx((events, births), rel=1e-9)
    later = g_run_length(p, lower=lower, upper=lower + width, open_gap=False)
    assert (later.events[0], later.waited[0]) == pytest.approx((events, closed), rel=1e-9)


def test_g_of_one_side() -> None:
    q = 0.95
    high = g_run_length(0.05, upper=60.5)
    assert high.events[0] == pytest.approx(q**-60)
    assert high.waited[0] == pytest.approx((q**-60 - 1) / 0.05 + 1)
    low = g_run_length(0.05, lower=2.5)
    assert low.events[0] == pytest.approx(1 / (1 - q**2))
    assert low.waited[0] == pytest.approx(20 / (1 - q**2))


def test_g_limit_on_a_gap_does_not_signal_at_it() -> None:
    assert g_run_length(0.05, upper=60).events == g_run_length(0.05, upper=60.9).events
    assert g_run_length(0.05, lower=3).events == g_run_length(0.05, lower=2.1).events
    assert g_run_length(0.05, lower=1).events[0] == math.inf


def test_g_without_events_or_limits() -> None:
    found = g_run_length([0, 1, math.nan], upper=5.5)
    assert found.events.tolist()[:2] == [1, math.inf]
    assert found.waited.tolist()[:2] == [6, math.inf]
    assert np.isnan([found.events[2], found.waited[2]]).all()
    assert g_run_length([0, 0.1]).events.tolist() == [math.inf, math.inf]
    assert g_run_length([0, 0.1]).waited.tolist() == [math.inf, math.inf]
    assert g_run_length(0, lower=5, upper=9, open_gap=False).waited[0] == math.inf


def test_g_events_are_geometric() -> None:
    wait = g_waiting([0.05, 0.025], upper=78.5)
    events = g_run_length([0.05, 0.025], upper=78.5).events
    np.testing.assert_allclose(wait.mean(), events)
    np.testing.assert_allclose(wait.within(10), 1 - (1 - 1 / events) ** 10)


@pytest.mark.parametrize(("lower", "upper"), [(math.nan, 30.5), (2.5, 30.5), (3.5, 3.5), (math.nan, 0.5)])
def test_g_births_birth_by_birth(lower: float, upper: float) -> None:
    wait = g_births_waiting([0.2, 0.08], lower=lower, upper=upper)
    np.testing.assert_allclose(
        wait.mean(), g_run_length([0.2, 0.08], lower=lower, upper=upper).waited, rtol=1e-9
    )


def test_a_gap_can_be_too_long_only_long_after_short_ones_signal() -> None:
    wait = g_births_waiting(0.02, lower=2, upper=200)
    np.testing.assert_allclose(wait.mean(), g_run_length(0.02, lower=2, upper=200).waited, rtol=1e-9)


def test_g_births_simulated() -> None:
    rng, p, charts = np.random.default_rng(5), 0.1, 4000
    low, high = 1.5, 25.5
    run = np.zeros(charts)
    for chart in range(charts):
        births = 0
        while True:
            gap = int(rng.geometric(p))
            births += min(gap, 26)
            if gap < low or gap > high:
                break
        run[chart] = births
    wait = g_births_waiting(p, lower=low, upper=high)
    assert abs(wait.mean()[0] - run.mean()) < 5 * run.std() / math.sqrt(charts)
    for births in (5, 20, 100):
        seen = (run <= births).mean()
        assert abs(wait.within(births)[0] - seen) < 5 * math.sqrt(0.25 / charts)


def test_t_simulated() -> None:
    rng, rate, charts = np.random.default_rng(6), 0.5, 200_000
    gaps = rng.exponential(1 / rate, charts)
    signal = (gaps < 0.1) | (gaps > 8)
    events, waited = charts / signal.sum(), np.minimum(gaps, 8).sum() / signal.sum()
    found = t_run_length(rate, lower=0.1, upper=8)
    error = 5 / math.sqrt(signal.sum())
    assert found.events[0] == pytest.approx(events, rel=error)
    assert found.waited[0] == pytest.approx(waited, rel=error)


def test_t_of_one_side_and_none() -> None:
    high = t_run_length(2, upper=3)
    assert high.events[0] == pytest.approx(math.exp(6))
    assert high.waited[0] == pytest.approx((math.exp(6) - 1) / 2)
    closed = t_run_length(2, upper=3, open_time=False)
    assert closed.waited[0] == pytest.approx(math.exp(6) / 2)
    low = t_run_length(2, lower=0.01)
    assert low.waited[0] == pytest.approx(1 / 2 / -math.expm1(-0.02))
    assert t_run_length([0, 2]).events.tolist() == [math.inf, math.inf]
    still = t_run_length([0, math.nan], upper=3)
    assert (still.events[0], still.waited[0]) == (1, 3)
    assert np.isnan(still.waited[1])
    assert t_waiting(2, upper=3).mean()[0] == pytest.approx(math.exp(6))


@given(rate=st.floats(0.01, 10), scale=st.floats(0.1, 10))
def test_t_has_no_unit(rate: float, scale: float) -> None:
    one = t_run_length(rate, lower=0.01 / rate, upper=4 / rate)
    other = t_run_length(rate / scale, lower=0.01 / rate * scale, upper=4 / rate * scale)
    assert other.events[0] == pytest.approx(one.events[0])
    assert other.waited[0] == pytest.approx(one.waited[0] * scale)


def test_rare_events_on_g_are_those_on_t() -> None:
    g, t = g_run_length(1e-6, upper=3e6), t_run_length(1e-6, upper=3e6)
    assert g.events[0] == pytest.approx(t.events[0], rel=1e-5)
    assert g.waited[0] == pytest.approx(t.waited[0], rel=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: g_run_length(1.5, upper=3),
        lambda: g_births_waiting(0.1),
        lambda: g_births_waiting(1, upper=3),
        lambda: g_births_waiting(math.nan, upper=3),
        lambda: t_run_length(-1, upper=3),
        lambda: t_run_length(1, upper=-3),
    ],
)
def test_arguments_out_of_bounds(call) -> None:
    with pytest.raises(OptionError):
        call()


def test_no_numbers() -> None:
    with pytest.raises(InputTypeError):
        g_run_length("rare")
