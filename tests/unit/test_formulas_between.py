"""Charts of rare events: exact fractions and enumeration for g, naive loops and quantiles for t."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.between import g_limits, g_probability_limits, t_limits, t_probability_limits
from qi_equity.formulas.chances import chance_above_g
from qi_equity.formulas.individuals import i_limits

NAN = math.nan
THREE_SIGMA = Fraction(135, 100_000)


@pytest.fixture(scope="module")
def blocks() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    y = rng.geometric(rng.uniform(0.01, 0.5, (200, 1)), (200, 14)).astype(float)
    y[rng.random(y.shape) < 0.2] = NAN
    return y, rng.random(y.shape) < 0.7


def kept(y: np.ndarray, base: np.ndarray) -> list[float]:
    return [v for v, b in zip(y, base, strict=True) if b and not math.isnan(v)]


# g, classical


@pytest.mark.parametrize("smallest", [0, 1])
def test_classical_limits_by_loop(blocks: tuple[np.ndarray, np.ndarray], smallest: int) -> None:
    y, base = blocks
    limits = g_limits(y, baseline=base, smallest=smallest, nsigma=2)
    for i, (row, flags) in enumerate(zip(y, base, strict=True)):
        gaps = kept(row, flags)
        if not gaps:
            assert np.isnan([limits.centre_line[i], limits.lower[i], limits.upper[i]]).all()
            continue
        mean = statistics.fmean(gaps)
        sd = math.sqrt(mean * (mean + 1) if smallest == 0 else (mean - 1) * mean)
        expected = (statistics.median(gaps), sd, max(mean - 2 * sd, smallest), mean + 2 * sd)
        parts = (limits.centre_line, limits.sigma, limits.lower, limits.upper)
        for part, value in zip(parts, expected, strict=True):
            np.testing.assert_allclose(part[i], value, rtol=1e-12, atol=1e-7)


def test_counting_the_event_or_not_moves_all_lines_by_one() -> None:
    between = np.array([3.0, 9, 2, 6, NAN, 0])
    for formula in (g_limits, g_probability_limits):
        zero, one = formula(between, smallest=0), formula(between + 1, smallest=1)
        for part in ("centre_line", "lower", "upper"):
            np.testing.assert_allclose(getattr(one, part), getattr(zero, part) + 1, rtol=1e-14)
        np.testing.assert_allclose(one.sigma, zero.sigma, rtol=1e-14)


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("mean", [10, 25, 50, 200, 1000, 20_000])
def test_classical_upper_limit_gives_a_false_signal_on_one_to_two_in_a_hundred(
    mean: int, smallest: int
) -> None:
    """Exact geometric probability: e^-4 = 1.83 % for a rare event, over ten times that of three sigma."""
    limits = g_limits([mean], mean=mean, smallest=smallest)
    first = math.floor(limits.upper[0]) + 1
    false = stats.geom.sf(first - smallest, 1 / (mean - smallest + 1))
    assert 0.0165 < false < 0.019
    if mean >= 1000:
        assert false == pytest.approx(math.exp(-4), rel=5e-3)
    exact = g_probability_limits([mean], mean=mean, smallest=smallest)
    first = math.floor(exact.upper[0]) + 1
    assert stats.geom.sf(first - smallest, 1 / (mean - smallest + 1)) < 0.00135


def test_a_classical_lower_limit_never_signals() -> None:
    assert (g_limits([[5, 9, 400], [1, 1, 2]], nsigma=1).lower == 1).all()
    assert (g_limits([[5, 9, 400], [0, 0, 1]], smallest=0).lower == 0).all()


# g, exact


def tails(k: int, mean: Fraction, smallest: int) -> tuple[Fraction, Fraction]:
    """Chances of a gap of at most k, and of at least k, by adding up in exact fractions."""
    p = 1 / (mean - smallest + 1)
    at_most = sum((p * (1 - p) ** (j - smallest) for j in range(smallest, k + 1)), Fraction(0))
    return at_most, 1 - at_most + (p * (1 - p) ** (k - smallest) if k >= smallest else 0)


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("tail", [THREE_SIGMA, Fraction(2275, 100_000), Fraction(3, 10)])
@pytest.mark.parametrize("gaps", [[1, 2], [3, 1, 4, 1, 5], [7, 9, 6], [25, 31, 2, 19]])
def test_exact_limits_by_adding_up_fractions(gaps: list[int], tail: Fraction, smallest: int) -> None:
    mean = Fraction(sum(gaps), len(gaps))
    limits = g_probability_limits(gaps, smallest=smallest, tail=float(tail))
    high, low = int(limits.upper[0] + 0.5), math.ceil(limits.lower[0]) - 1
    assert tails(high, mean, smallest)[1] < tail <= tails(high - 1, mean, smallest)[1]
    assert tails(low, mean, smallest)[0] < tail <= tails(low + 1, mean, smallest)[0]
    assert limits.upper[0] == high - 0.5
    assert limits.lower[0] == max(low + 0.5, smallest)


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("mean", [300, 739, 740, 741, 742, 5000, 20_000])
def test_exact_limits_of_rare_events_in_fractions(mean: int, smallest: int) -> None:
    """The tails in closed form, which the test above adds up."""
    q = Fraction(mean - smallest, mean - smallest + 1)
    limits = g_probability_limits([mean], smallest=smallest)
    high, low = int(limits.upper[0] + 0.5) - smallest, math.ceil(limits.lower[0]) - 1 - smallest
    assert q**high < THREE_SIGMA <= q ** (high - 1)
    assert 1 - q ** (low + 1) < THREE_SIGMA <= 1 - q ** (low + 2)


def test_a_short_gap_signals_only_where_the_event_is_rarer_than_the_tail() -> None:
    assert g_probability_limits([740, 741]).lower[0] == 1
    assert g_probability_limits([741, 742]).lower[0] == 1.5
    assert g_probability_limits([739, 740], smallest=0).lower[0] == 0
    assert g_probability_limits([740, 741], smallest=0).lower[0] == 0.5


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("above", [0.01, 0.4, 0.9, 1.0, 1.3, 1.5, 2.5, 7, 24.2, 166.7, 800])
def test_centre_line_is_the_fairest_beside_the_median(above: float, smallest: int) -> None:
    """By adding up probabilities: no other place, on a gap or between two, splits them more evenly."""
    mean = smallest + above
    line = float(g_probability_limits([math.ceil(mean)], mean=mean, smallest=smallest).centre_line[0])
    k = np.arange(smallest, smallest + math.ceil(above * 40) + 40)
    chance = stats.geom.pmf(k - smallest + 1, 1 / (above + 1))

    def unfair(place: float) -> float:
        high, low = chance[k > place].sum(), chance[k < place].sum()
        return float(abs(high / (high + low) - 0.5))

    places = np.arange(smallest, smallest + above + 3, 0.5)
    assert unfair(line) == pytest.approx(min(map(unfair, places)), abs=1e-9)
    assert abs(line - (stats.geom.median(1 / (above + 1)) - 1 + smallest)) <= 0.5


def test_every_birth_with_the_event() -> None:
    """A gap longer than the only one there can be is a signal; the line lies on it."""
    limits = g_probability_limits([1, 1, 1])
    assert limits.centre_line[0] == limits.lower[0] == 1
    assert limits.upper[0] == 1.5
    assert limits.sigma[0] == 0
    assert math.isnan(chance_above_g(1, 1)[0])


def test_baseline_sets_the_mean_gap() -> None:
    y, base = [10, 30, NAN, 500], [True, True, True, False]
    for formula in (g_limits, g_probability_limits):
        np.testing.assert_array_equal(formula(y, baseline=base).upper, formula([10, 30] * 2).upper)
        assert formula(y, baseline=base).equals(formula(y, mean=20)) == (formula is g_probability_limits)


def test_a_mean_given_has_the_median_of_its_distribution() -> None:
    given, exact = g_limits([4, 7], mean=[25, 26]), g_probability_limits([4, 7], mean=[25, 26])
    np.testing.assert_array_equal(given.centre_line, exact.centre_line)
    np.testing.assert_allclose(given.upper, [25 + 3 * math.sqrt(24 * 25), 26 + 3 * math.sqrt(25 * 26)])


def test_no_gap_in_the_baseline_gives_no_lines() -> None:
    for formula in (g_limits, g_probability_limits, t_limits, t_probability_limits):
        limits = formula([NAN, 4.0], baseline=[True, False])
        assert np.isnan([limits.centre_line, limits.sigma, limits.lower, limits.upper]).all()


def test_bad_gaps_are_refused() -> None:
    for formula in (g_limits, g_probability_limits):
        with pytest.raises(OptionError, match=r"gaps holds 0.0; give gaps of smallest=1 birth or more"):
            formula([4, 0])
        with pytest.raises(OptionError, match=r"gaps holds -1.0; give gaps of smallest=0 birth or more"):
            formula([4, -1], smallest=0)
        with pytest.raises(OptionError, match=r"gaps holds inf"):
            formula([4, math.inf])
        with pytest.raises(OptionError, match=r"mean holds 0.5; no mean gap lies below smallest=1"):
            formula([4], mean=0.5)
        with pytest.raises(OptionError, match=r"smallest=2 is not allowed; use one of 1, 0"):
            formula([4], smallest=2)
        with pytest.raises(InputTypeError, match=r"baseline holds int64; give booleans"):
            formula([4, 5], baseline=[0, 1])
    with pytest.raises(OptionError, match=r"gaps holds 4.5; births between events are whole numbers"):
        g_probability_limits([4.5, NAN])
    with pytest.raises(OptionError, match=r"tail=0.5 is not allowed"):
        g_probability_limits([4], tail=0.5)
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed"):
        g_limits([4], nsigma=0)


# t, transformed


@pytest.mark.parametrize("spread", ["mean", "screened", "median"])
def test_transformed_limits_are_those_of_an_individuals_chart(
    blocks: tuple[np.ndarray, np.ndarray], spread: str
) -> None:
    y, base = blocks
    limits = t_limits(y / 7, baseline=base, spread=spread)
    points = i_limits((y / 7) ** (1 / 3.6), baseline=base, spread=spread)
    np.testing.assert_allclose(limits.centre_line, points.centre_line**3.6, rtol=1e-12)
    np.testing.assert_allclose(limits.upper, points.upper**3.6, rtol=1e-12)
    np.testing.assert_allclose(limits.lower, np.maximum(points.lower, 0) ** 3.6, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(limits.sigma, points.sigma)


def test_presets_and_a_given_centre_line() -> None:
    y, line = [2.0, 5.0, 3.0], [4.0, 5.0, 0.0]
    limits = t_limits(y, centre_line=line, constants="mdc", nsigma=2)
    points = i_limits(
        np.array(y) ** (1 / 3.6), centre_line=np.array(line) ** (1 / 3.6), constants="mdc", nsigma=2
    )
    np.testing.assert_allclose(limits.centre_line, line, rtol=1e-14)
    np.testing.assert_allclose(limits.upper, points.upper**3.6, rtol=1e-14)
    assert limits.lower[2] == 0


@pytest.mark.parametrize("spread", ["mean", "screened", "median"])
def test_a_constant_series_has_all_lines_on_its_value(spread: str) -> None:
    for value in (0.1, 0.7, 7.0, 1 / 3, 96.4):
        limits = t_limits([value] * 7 + [NAN], spread=spread)
        for part in (limits.centre_line, limits.lower, limits.upper):
            assert part.tolist() == [value] * 8
        assert limits.sigma.tolist() == [0] * 8


def test_one_time_has_a_centre_line_only() -> None:
    for formula in (t_limits, t_probability_limits):
        limits = formula([7.0, NAN])
        assert limits.centre_line.tolist() == [7, 7]
        assert np.isnan([limits.sigma, limits.lower, limits.upper]).all()


# t, probability


@pytest.mark.parametrize("tail", [0.00135, 0.02275, 0.2])
@pytest.mark.parametrize("shape", [0.6, 1.0, 2.5])
def test_weibull_limits_cut_off_the_tails(shape: float, tail: float) -> None:
    y = np.random.default_rng(8).weibull(shape, (20, 30)) * 9
    limits = t_probability_limits(y, tail=tail)
    for i in range(20):
        c, b = weibull_of(limits.centre_line[i, 0], limits.upper[i, 0], tail)
        fitted = stats.weibull_min(c, scale=b)
        assert fitted.cdf(limits.lower[i, 0]) == pytest.approx(tail, rel=1e-9)
        assert fitted.std() == pytest.approx(limits.sigma[i, 0], rel=1e-9)
        # The likelihood equations.
        assert ((y[i] / b) ** c).mean() == pytest.approx(1, rel=1e-9)
        logs = np.log(y[i])
        assert c * ((y[i] / b) ** c @ logs / 30 - logs.mean()) == pytest.approx(1, rel=1e-9)


def weibull_of(median: float, upper: float, tail: float) -> tuple[float, float]:
    """Shape and scale from two quantiles."""
    c = math.log(-math.log(tail) / math.log(2)) / math.log(upper / median)
    return c, median / math.log(2) ** (1 / c)


@pytest.mark.parametrize("tail", [0.00135, 0.2])
def test_exponential_limits_are_quantiles_of_the_mean(
    blocks: tuple[np.ndarray, np.ndarray], tail: float
) -> None:
    y, base = blocks
    limits = t_probability_limits(y, baseline=base, distribution="exponential", tail=tail)
    mean = [statistics.fmean(kept(a, b)) if kept(a, b) else NAN for a, b in zip(y, base, strict=True)]
    for part, chance in ((limits.lower, tail), (limits.centre_line, 0.5), (limits.upper, 1 - tail)):
        np.testing.assert_allclose(part[:, 3], stats.expon.ppf(chance, scale=mean), rtol=1e-9)
    np.testing.assert_allclose(limits.sigma[:, 3], mean, rtol=1e-12)


def test_a_weibull_of_times_all_alike_has_a_centre_line_only() -> None:
    for y in ([5.0] * 6, [0.1 + 0.2, 0.3, 0.3]):
        limits = t_probability_limits(y)
        np.testing.assert_allclose(limits.centre_line, y[0], rtol=1e-12)
        assert np.isnan([limits.sigma, limits.lower, limits.upper]).all()
        assert np.isfinite(t_probability_limits(y, distribution="exponential").upper).all()


def test_only_the_baseline_is_fitted() -> None:
    y = np.array([3.0, 8, NAN, 5, 900])
    frozen = t_probability_limits(y, baseline=np.arange(5) < 4)
    np.testing.assert_allclose(frozen.upper, t_probability_limits([3, 8, 5]).upper[0], rtol=1e-12)


def test_bad_times_are_refused() -> None:
    for formula in (t_limits, t_probability_limits):
        with pytest.raises(
            OptionError, match=r"times holds 0.0; .* record the time of day .* count births .* one event"
        ):
            formula([4, 0, -2])
        with pytest.raises(OptionError, match=r"times holds inf"):
            formula([4, math.inf])
    with pytest.raises(OptionError, match=r"centre_line holds -1.0; give times of 0 or more"):
        t_limits([1, 2], centre_line=-1)
    with pytest.raises(
        OptionError, match=r"distribution='gamma' is not allowed; use one of 'weibull', 'exponential'"
    ):
        t_probability_limits([1, 2], distribution="gamma")
    with pytest.raises(OptionError, match=r"tail=0 is not allowed"):
        t_probability_limits([1, 2], tail=0)
    with pytest.raises(OptionError, match=r"spread='sd' is not allowed"):
        t_limits([1, 2], spread="sd")


def test_inputs_are_left_as_they_were() -> None:
    y, base = np.array([1.0, NAN, 4, 6]), np.array([True, True, True, False])
    y.setflags(write=False)
    base.setflags(write=False)
    for formula in (g_limits, g_probability_limits, t_limits, t_probability_limits):
        formula(y, baseline=base).centre_line[0] = 3
        formula(y, baseline=base).lower[0] = 3
