"""Laney's limits against a naive loop, and against data whose extra variation is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import p_limits, u_limits
from qi_equity.formulas.laney import pp_limits, up_limits
from qi_equity.formulas.limits import Limits

NAN = math.nan
PARTS = ("centre_line", "sigma", "lower", "upper")
BOTH = pytest.mark.parametrize("formula", [pp_limits, up_limits])


def naive(
    x: np.ndarray, n: np.ndarray, base: np.ndarray, proportion: bool, d2: float, screen: float
) -> tuple[float, np.ndarray]:
    """Give the centre line and the standard errors."""
    kept = [t for t in range(len(x)) if base[t]]
    whole = [t for t in kept if not math.isnan(x[t] + n[t])]
    births = sum(n[t] for t in whole)
    centre = sum(x[t] for t in whole) / births if births else NAN
    one = centre * (1 - centre) if proportion else centre
    error = [math.sqrt(one / size) if size > 0 else NAN for size in n]
    score = {t: (x[t] / n[t] - centre) / error[t] if n[t] > 0 and error[t] > 0 else NAN for t in kept}
    if one == 0:
        score = {t: 0.0 if n[t] > 0 else NAN for t in kept if not math.isnan(x[t])} | {
            t: NAN for t in kept if math.isnan(x[t])
        }
    found = [abs(score[t] - score[s]) for s, t in itertools.pairwise(kept)]
    found = [r for r in found if not math.isnan(r)]
    if not found:
        return centre, np.full(len(x), NAN)
    mean = sum(found) / len(found)
    short = [r for r in found if r < screen * mean]
    mean = sum(short) / len(short) if any(short) else mean
    return centre, np.array(error) * mean / d2


@pytest.fixture(scope="module")
def blocks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    n = rng.integers(0, 60, (200, 14)).astype(float)
    x = rng.binomial(n.astype(int), rng.choice([0.01, 0.1, 0.3, 0.97], (200, 1))).astype(float)
    n[rng.random(n.shape) < 0.05] = NAN
    x[rng.random(x.shape) < 0.1] = NAN
    return x, n, rng.random(x.shape) < 0.8


@BOTH
@pytest.mark.parametrize(
    ("spread", "constants", "d2", "screen"),
    [
        ("mean", "exact", 1.1283791671, math.inf),
        ("screened", "exact", 1.1283791671, 3.2665319),
        ("screened", "qicharts2", 1.128, 3.267),
        ("mean", "mdc", 3 / 2.66, math.inf),
    ],
)
def test_limits_by_loop(
    blocks: tuple[np.ndarray, np.ndarray, np.ndarray],
    formula: Callable[..., Limits],
    spread: str,
    constants: str,
    d2: float,
    screen: float,
) -> None:
    x, n, base = blocks
    limits = formula(x, n, baseline=base, spread=spread, constants=constants, nsigma=2.5)
    for i in range(len(x)):
        centre, sigma = naive(x[i], n[i], base[i], formula is pp_limits, d2, screen)
        np.testing.assert_allclose(limits.centre_line[i], centre, rtol=1e-12)
        np.testing.assert_allclose(limits.sigma[i], sigma, rtol=1e-9)
        np.testing.assert_allclose(limits.lower[i], np.maximum(centre - 2.5 * sigma, 0), atol=1e-9)
        top = 1 if formula is pp_limits else math.inf
        np.testing.assert_allclose(limits.upper[i], np.minimum(centre + 2.5 * sigma, top), rtol=1e-9)


def test_the_variation_between_periods_widens_the_limits_as_much_as_it_should() -> None:
    """Beta-binomial periods of 20,000 births vary 1 + (n - 1) rho times as much as binomial ones."""
    rng = np.random.default_rng(2)
    n, p, rho = np.full((400, 60), 20_000), 0.1, 0.0008
    chance = rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), n.shape)
    x = rng.binomial(n, chance)
    ratio = np.mean(pp_limits(x, n).sigma / p_limits(x, n).sigma)
    assert ratio == pytest.approx(math.sqrt(1 + (20_000 - 1) * rho), rel=0.02)


def test_with_nothing_but_chance_the_limits_are_about_the_classical_ones() -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(200, 400, (400, 60))
    x = rng.binomial(n, 0.3)
    assert np.mean(pp_limits(x, n).sigma / p_limits(x, n).sigma) == pytest.approx(1, abs=0.02)
    y = rng.poisson(0.3 * n)
    assert np.mean(up_limits(y, n).sigma / u_limits(y, n).sigma) == pytest.approx(1, abs=0.02)


@BOTH
@pytest.mark.parametrize("spread", ["mean", "screened"])
def test_periods_that_are_all_the_same_have_limits_on_the_centre_line(
    formula: Callable[..., Limits], spread: str
) -> None:
    for x, n in (([0] * 6, [40, 7, 90, 30, 12, 66]), ([3, 6, 9, 1, 2], [30, 60, 90, 10, 20])):
        limits = formula(x, n, spread=spread)
        line = [x[0] / n[0]] * len(x)
        assert [limits.centre_line.tolist(), limits.lower.tolist(), limits.upper.tolist()] == [line] * 3
        assert limits.sigma.tolist() == [0] * len(x)


def test_nothing_but_events_has_limits_on_the_centre_line() -> None:
    limits = pp_limits([40, 7, 90], [40, 7, 90])
    for part in (limits.centre_line, limits.lower, limits.upper):
        assert part.tolist() == [1] * 3


@BOTH
def test_a_supplied_line_of_nothing_gives_no_limits_to_events(formula: Callable[..., Limits]) -> None:
    limits = formula([0, 1, 0, 0], [40, 30, 20, 10], centre_line=0)
    assert limits.centre_line.tolist() == [0] * 4
    assert np.isnan([limits.sigma, limits.lower, limits.upper]).all()


@BOTH
def test_a_supplied_centre_line_is_used_as_it_is(formula: Callable[..., Limits]) -> None:
    limits = formula([4, 5, 2, 6], [40, 40, 40, 40], centre_line=0.2)
    assert limits.centre_line.tolist() == [0.2] * 4
    expected = (0.025 + 0.075 + 0.1) / 3 / (2 / math.sqrt(math.pi))
    np.testing.assert_allclose(limits.sigma, expected, rtol=1e-12)


@BOTH
def test_no_births_no_limits_yet_a_centre_line(formula: Callable[..., Limits]) -> None:
    limits = formula([3, 0, 4, NAN, 1, 2], [50, 0, 60, 30, 40, 50])
    assert limits.centre_line.tolist() == [10 / 200] * 6
    assert np.isnan(limits.upper).tolist() == [False, True, False, False, False, False]


@BOTH
def test_a_single_point_has_no_limits(formula: Callable[..., Limits]) -> None:
    limits = formula([3], [50])
    assert limits.centre_line.tolist() == [0.06]
    assert np.isnan([limits.sigma, limits.lower, limits.upper]).all()


@BOTH
def test_unknown_options_are_refused(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"spread='median' is not allowed; use one of 'mean', 'screened'"):
        formula([1, 2], [3, 4], spread="median")
    with pytest.raises(OptionError, match=r"constants='nhs' is not allowed"):
        formula([1, 2], [3, 4], constants="nhs")
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed"):
        formula([1, 2], [3, 4], nsigma=0)
    with pytest.raises(OptionError, match=r"centre_line holds -1\.0"):
        formula([1, 2], [3, 4], centre_line=-1)
    with pytest.raises(InputTypeError, match="baseline holds int64"):
        formula([1, 2], [3, 4], baseline=[0, 1])


@BOTH
def test_inputs_are_left_as_they_were(formula: Callable[..., Limits]) -> None:
    arrays = np.array([1.0, 2, 4]), np.array([5.0, 8, 9]), np.array([True, True, False]), np.array([0.2] * 3)
    for array in arrays:
        array.setflags(write=False)
    formula(arrays[0], arrays[1], baseline=arrays[2], centre_line=arrays[3]).centre_line[0] = 3
