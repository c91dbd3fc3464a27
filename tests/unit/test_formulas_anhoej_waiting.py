"""Anhøj's tests read after every point, against all short series, one look and plain simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import anhoej_waiting as module
from qi_equity.formulas.anhoej_waiting import anhoej_waiting
from qi_equity.formulas.false_signals import runs_false_signal
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run

NAN = math.nan
COIN = np.full(30, 0.5)
READ = [(1, True, True), (8, True, True), (8, True, False), (7, False, True), (10, True, True)]


def looks(series: np.ndarray, first: int, longest: bool, crossed: bool) -> np.ndarray:
    """Whether each of the series (N, T) of -1, 1 and 0 (not useful) signals when read after each point."""
    found = np.zeros(series.shape, dtype=bool)
    for t in range(series.shape[1]):
        seen = series[:, : t + 1]
        n = np.count_nonzero(seen, axis=1)
        most, fewest = anhoej_limits(n)
        signal = np.zeros(len(series), dtype=bool)
        if longest:
            signal |= longest_run(seen) > most
        if crossed:
            signal |= crossings(seen) < fewest
        found[:, t] = signal & (n >= first)
    return found


def quiet(signals: np.ndarray) -> np.ndarray:
    """Whether there has been no signal after 0, 1, ... points."""
    before = np.zeros((len(signals), 1), dtype=bool)
    return ~np.logical_or.accumulate(np.concatenate([before, signals], axis=1), axis=1)


EVERY = np.array(list(itertools.product((-1, 1), repeat=12)))


@pytest.mark.parametrize(("first", "longest", "crossed"), READ)
def test_all_series_of_twelve_points(first: int, longest: bool, crossed: bool) -> None:
    rng = np.random.default_rng(1)
    high = rng.uniform(0.1, 0.9, (3, 12))
    found = anhoej_waiting(1 - high, high, first=first, longest=longest, crossings=crossed)
    silent = quiet(looks(EVERY, first, longest, crossed))
    likely = np.where(EVERY > 0, high[:, None], 1 - high[:, None]).prod(axis=-1)
    np.testing.assert_allclose(found.survival, likely @ silent, atol=1e-13)


@pytest.mark.parametrize("first", [1, 9])
def test_all_series_of_ten_points_with_limits_and_points_on_the_line(first: int) -> None:
    """A point beyond the limits (2) signals at once, before the tests are read too; the fourth is no use."""
    rng = np.random.default_rng(2)
    low, high, beyond = rng.dirichlet([4, 4, 0.5], 10).T
    low[3] = NAN
    series = np.insert(np.array(list(itertools.product((-1, 1, 2), repeat=9))), 3, 0, axis=1)
    likely = np.select([series == -1, series == 1, series == 2], [low, high, beyond], 1.0).prod(axis=1)
    seen = looks(np.where(series == 2, 0, series), first, True, True)
    expected = likely @ quiet(seen | (series == 2))
    np.testing.assert_allclose(anhoej_waiting(low, high, first=first).survival, expected, atol=1e-13)


@given(st.integers(6, 40), st.floats(0.05, 0.95))
def test_one_look_at_the_end_is_the_published_test(n: int, p: float) -> None:
    high = np.full(n, p)
    found = anhoej_waiting(1 - high, high, first=n)
    assert float(found.within(n)) == pytest.approx(float(runs_false_signal(1 - high, high)), rel=1e-9)
    assert float(found.within(n - 1)) == 0
    assert float(anhoej_waiting(1 - high, high).within(n)) >= float(found.within(n)) - 1e-12


def test_simulated_series() -> None:
    """Forty points; five standard errors of 40,000 series at a fixed seed."""
    series = np.where(np.random.default_rng(3).random((40_000, 40)) < 0.6, 1, -1)
    expected = quiet(looks(series, 10, True, True)).mean(axis=0)
    found = anhoej_waiting(np.full(40, 0.4), np.full(40, 0.6), first=10).survival
    assert (np.abs(found - expected) <= 5 * np.sqrt(found * (1 - found) / 40_000) + 1e-12).all()


def test_no_signal_before_the_sixth_point() -> None:
    wait = anhoej_waiting(COIN, COIN)
    assert float(wait.within(5)) == 0
    assert float(wait.within(6)) == pytest.approx(2 / 64)
    assert float(anhoej_waiting(COIN, COIN, crossings=False).within(6)) == 0
    assert float(anhoej_waiting(COIN, COIN, crossings=False).within(7)) == pytest.approx(2 / 128)


def test_points_on_the_line_or_missing_take_their_time_only() -> None:
    sparse = np.full(40, NAN)
    useful = np.sort(np.random.default_rng(4).permutation(38)[:30]) + 2
    sparse[useful] = 0.5
    wait, other = anhoej_waiting(sparse, sparse), anhoej_waiting(COIN, COIN)
    expected = other.survival[np.searchsorted(useful, np.arange(41))]
    np.testing.assert_allclose(wait.survival, expected, rtol=1e-12)
    nothing = anhoej_waiting([NAN] * 3, [NAN] * 3)
    assert float(nothing.mean()) == math.inf


def test_after_its_points_it_goes_on_at_the_rate_of_the_second_half() -> None:
    wait = anhoej_waiting(COIN, COIN)
    rate = 1 - (wait.survival[30] / wait.survival[15]) ** (1 / 15)
    assert float(wait.hazard[0]) == pytest.approx(rate, rel=1e-12)
    certain = anhoej_waiting(np.zeros(12), np.ones(12))
    assert float(certain.mean()) == 6
    assert certain.hazard.tolist() == [1]


def test_the_rate_falls_while_nothing_changes() -> None:
    """So the mean beyond the points is too low, as the docstring says."""
    rates = [float(anhoej_waiting(np.full(n, 0.5), np.full(n, 0.5)).hazard[0]) for n in (24, 48, 96, 192)]
    assert rates == sorted(rates, reverse=True)
    assert 2.5 < rates[0] / rates[3] < 8


def test_without_tests_there_are_only_limits() -> None:
    near = np.full(20, 0.49)
    wait = anhoej_waiting(near, near, longest=False, crossings=False)
    np.testing.assert_allclose(wait.survival, 0.98 ** np.arange(21), rtol=1e-12)
    assert float(wait.mean()) == pytest.approx(50)


def test_strata_together_are_strata_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    high = rng.uniform(0.2, 0.8, (3, 2, 15))
    high[rng.random(high.shape) < 0.2] = NAN
    monkeypatch.setattr(module, "_BLOCK", 4)
    found = anhoej_waiting(1 - high, high, first=5)
    for i, j in np.ndindex(3, 2):
        alone = anhoej_waiting(1 - high[i, j], high[i, j], first=5)
        np.testing.assert_allclose(found.survival[i, j], alone.survival, rtol=1e-12)
        np.testing.assert_allclose(found.hazard[i, j], alone.hazard, rtol=1e-9)
    assert anhoej_waiting(np.empty((0, 4)), np.empty((0, 4))).mean().shape == (0,)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="first=0 is too small; give 1 or more"):
        anhoej_waiting(COIN, COIN, first=0)
    with pytest.raises(InputTypeError, match="first"):
        anhoej_waiting(COIN, COIN, first=1.5)
    with pytest.raises(OptionError, match="do not hold chances"):
        anhoej_waiting(COIN, COIN + 0.1)
    with pytest.raises(OptionError, match="shapes do not fit"):
        anhoej_waiting(COIN, COIN[:7])
