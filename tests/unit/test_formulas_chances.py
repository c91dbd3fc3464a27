"""Chances to lie above the line, by adding up all counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.attributes import p_limits
from qi_equity.formulas.chances import (
    chance_above_c,
    chance_above_g,
    chance_above_p,
    chance_above_u,
    largest_atom,
)

NAN = math.nan


def enumerated(line: float, size: float, probabilities: np.ndarray) -> float:
    values = np.arange(len(probabilities)) / size
    off = probabilities[values != line].sum()
    return float(probabilities[values > line].sum() / off)


@pytest.mark.parametrize("p", [1e-6, 0.02, 0.08, 1 / 12, 0.25, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("n", [1, 2, 12, 66, 294])
def test_p_by_enumeration(p: float, n: int) -> None:
    expected = enumerated(p, n, stats.binom.pmf(np.arange(n + 1), n, p))
    assert chance_above_p(p, n)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mean", [1e-6, 0.5, 1, 2, 3.3, 12, 40])
@pytest.mark.parametrize("exposure", [1, 12.5, 40])
def test_u_by_enumeration(mean: float, exposure: float) -> None:
    expected = enumerated(
        mean / exposure, exposure, stats.poisson.pmf(np.arange(400), mean / exposure * exposure)
    )
    assert chance_above_u(mean / exposure, exposure)[0] == pytest.approx(expected, rel=1e-9)


def test_c_is_u_over_one() -> None:
    line = [0.5, 1, 7.25, NAN]
    np.testing.assert_array_equal(chance_above_c(line), chance_above_u(line, 1))


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("above", [0.02, 0.5, 1, 2.4, 30, 250])
@pytest.mark.parametrize("line", [-0.5, 0, 0.5, 1, 1.5, 2, 2.25, 20, 21.7, 400])
def test_g_by_enumeration(line: float, above: float, smallest: int) -> None:
    gaps = np.arange(smallest, 20_000)
    chance = stats.geom.pmf(gaps - smallest + 1, 1 / (above + 1))
    off = chance[gaps != line].sum()
    expected = chance[gaps > line].sum() / off
    found = chance_above_g(line, smallest + above, smallest=smallest)[0]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_g_where_nothing_is_known_is_nan_without_a_warning() -> None:
    assert np.isnan(chance_above_g([1, NAN, 5], [1, 5, NAN])).all()
    np.testing.assert_array_equal(chance_above_g([0.5, 1.5], 1), [1, 0])


def test_g_is_checked() -> None:
    with pytest.raises(OptionError, match=r"mean holds 0.5; no mean gap lies below smallest=1"):
        chance_above_g(3, 0.5)
    with pytest.raises(OptionError, match=r"smallest=2 is not allowed"):
        chance_above_g(3, 5, smallest=2)


def test_a_count_on_a_pooled_line_is_on_it() -> None:
    """0.1 * 30 is not 3 as a float, but 3 / 30 is 0.1: such a point is not useful, so it is not below."""
    events, births = np.array([3.0, 2, 4, 1]), np.array([30.0, 20, 40, 10])
    line = p_limits(events, births).centre_line
    assert (events / births == line).all()
    expected = [
        enumerated(a, n, stats.binom.pmf(np.arange(n + 1), n, a)) for a, n in zip(line, births, strict=True)
    ]
    np.testing.assert_allclose(chance_above_p(line, births), expected, rtol=1e-9)


def test_nothing_off_the_line_or_nothing_known_is_nan_without_a_warning() -> None:
    assert np.isnan(chance_above_p([0, 1, 0.1, 0.1, NAN], [5, 5, 0, NAN, 5])).all()
    assert np.isnan(chance_above_u([0, 0.1, NAN], [5, 0, 5])).all()


def test_a_symmetric_coin_is_fair() -> None:
    np.testing.assert_allclose(chance_above_p(0.5, [1, 2, 7, 100]), 0.5, rtol=1e-12)


def test_shapes_must_fit() -> None:
    with pytest.raises(OptionError, match=r"centre_line \(2,\), births \(3,\)"):
        chance_above_p([0.1, 0.2], [1, 2, 3])


def test_share_on_the_median() -> None:
    found = largest_atom([[0, 0, 0, 1, NAN], [1, 2, 3, 4, NAN], [NAN] * 5, [2, 2, 1, 3, 2]])
    np.testing.assert_array_equal(found, [0.75, 0, NAN, 0.6])


def test_share_on_a_given_line() -> None:
    assert float(largest_atom([0, 0, 0, 1], 1)) == 0.25
    assert float(largest_atom([0, 0, 0, 1], [0, 1, 1, 1])) == 0.5


def test_inputs_are_left_as_they_were() -> None:
    line, births = np.full(4, 0.1), np.array([10.0, 20, 0, NAN])
    line.setflags(write=False)
    births.setflags(write=False)
    chance_above_p(line, births)[0] = 3
    largest_atom(births, line)
