"""Run lengths of sets of tests against tables: the R package spc, Champ and Woodall, and simulated charts.

The tables of charts below were made for this library by other programs than its own: a Markov chain for what
is exact, and a few thousand simulated series for what is said to be simulated.
"""

from __future__ import annotations

import json
import math
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from qi_equity.formulas.anhoej_waiting import anhoej_waiting
from qi_equity.formulas.distributions import Binomial, Normal
from qi_equity.formulas.estimated_lines import estimated_normal_waiting
from qi_equity.formulas.false_signals import anhoej_false_signal, runs_false_signal
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run
from qi_equity.formulas.zone_chains import ZoneChain, together
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.formulas.zone_test_chains import beyond_limits_chain, several_beyond_chain, shift_chain
from qi_equity.formulas.zone_waiting import zone_waiting

SPC: dict[str, Any] = json.loads((Path(__file__).parent / "runs_rules.json").read_text(encoding="utf-8"))
LIMITS = beyond_limits_chain()
TWO = several_beyond_chain(points=2, window=3, sigmas=2)
FOUR = several_beyond_chain(points=4, window=5, sigmas=1)
SMOOTH_TWO = several_beyond_chain(points=2, window=3, sigmas=2, same_side="all", beyond_three_counts=False)


def run(length: int) -> ZoneChain:
    return shift_chain(length=length)


SETS = {
    "1": LIMITS,
    "12": together(LIMITS, TWO),
    "13": together(LIMITS, FOUR),
    "14": together(LIMITS, run(8)),
    "SameSide9": together(LIMITS, run(9)),
    "SameSide7": together(LIMITS, run(7)),
    "SameSide6": together(LIMITS, run(6)),
    "1234": together(LIMITS, TWO, FOUR, run(8)),
    "mdc": together(LIMITS, TWO, run(7)),
}
MDC = together(LIMITS, SMOOTH_TWO, run(7))


def normal(mu: Any, factor: float = 1.0) -> np.ndarray:
    means = np.asarray(mu, dtype=float)[..., None]
    one, two, three = ((-m * factor, m * factor) for m in (1, 2, 3))
    return zone_chances(
        Normal(means, np.ones_like(means)), [0.0], one_sigma=one, two_sigma=two, three_sigma=three
    )


def calm(chain: ZoneChain) -> int:
    """State after four points on the line: the sources take a window as full from the start."""
    state = 0
    for _ in range(4):
        state = int(chain.following[state, 4])
    return state


def mean(name: str, chances: np.ndarray) -> np.ndarray:
    found: np.ndarray = zone_waiting(SETS[name], chances, start=calm(SETS[name])).mean()
    return found


@pytest.mark.parametrize("case", [pytest.param(c, id=c["tests"]) for c in SPC["cases"]])
def test_run_lengths_of_spc(case: dict[str, Any]) -> None:
    np.testing.assert_allclose(mean(case["tests"], normal(SPC["mu"])), case["arl"], rtol=1e-9)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["tests"]) for c in SPC["factors"]])
def test_factors_of_spc_for_a_run_length(case: dict[str, Any]) -> None:
    found = mean(case["tests"], normal(0, case["factor"]))
    assert float(found) == pytest.approx(case["arl"], rel=1e-6)


SHIFTS = [0, 0.4, 0.6, 0.8, 1, 1.5, 2, 3]
TABLE = {
    "1": [370.40, 200.08, 119.67, 71.55, 43.89, 14.97, 6.30, 2.00],
    "12": [225.44, 104.46, 57.92, 33.12, 20.01, 7.30, 3.65, 1.68],
    "13": [166.05, 63.88, 33.99, 19.78, 12.66, 5.86, 3.68, 1.89],
    "14": [152.73, 59.76, 33.64, 21.07, 14.58, 7.75, 4.89, 1.99],
    "SameSide9": [216.70, 79.94, 42.80, 25.61, 17.05, 8.51, 5.14, 2.00],
    "SameSide7": [95.73, 42.49, 25.57, 16.90, 12.18, 6.94, 4.59, 1.98],
    "SameSide6": [54.48, 28.74, 18.76, 13.15, 9.91, 6.07, 4.22, 1.97],
    "1234": [91.75, 36.61, 20.91, 13.25, 9.22, 4.87, 3.13, 1.67],
    "mdc": [83.16, 36.98, 22.14, 14.49, 10.29, 5.53, 3.43, 1.68],
}


@pytest.mark.parametrize("name", TABLE)
def test_exact_run_lengths_after_a_shift(name: str) -> None:
    """By the construction of Champ and Woodall 1987, whose values for these sets they are as far as known."""
    np.testing.assert_allclose(mean(name, normal(SHIFTS)), TABLE[name], atol=0.00501)


@pytest.mark.parametrize("name", TABLE)
def test_a_chart_that_starts_anew_waits_a_little_longer(name: str) -> None:
    """By less than a quarter of a point: only windows of three and five points are not full at first."""
    longer = zone_waiting(SETS[name], normal(SHIFTS)).mean() - mean(name, normal(SHIFTS))
    assert (longer > -1e-6).all()
    assert longer.max() < 0.25


def test_making_data_count_with_known_limits() -> None:
    """Simulated, with the trend of seven: .098 and .224 within 12 and 24 points; after one sigma .71, 10.6.

    A trend of seven signals at 1 in 2020 points: the set with it is more likely to signal than the one
    without by so much at most. The rest is left to some 2000 simulated series, three standard errors.
    """
    wait = zone_waiting(MDC, normal([0, 1]))
    for points, printed in ((12, 0.098), (24, 0.224)):
        low = float(wait.within(points)[0])
        high = low + max(points - 6, 0) / 2020
        error = 3 * math.sqrt(low * (1 - low) / 2000)
        assert low - error < printed < high + error
    assert float(wait.within(12)[1]) == pytest.approx(0.71, abs=0.005)
    assert float(wait.mean()[1]) == pytest.approx(10.6, abs=0.05)


@pytest.mark.parametrize(("baseline", "limits"), [(6, 0.25), (12, 0.154), (20, 0.105), (24, 0.094)])
def test_limits_from_a_short_baseline(baseline: int, limits: float) -> None:
    """Simulated: chance of a false signal in the next 12 points, 3 sigma only."""
    found = float(estimated_normal_waiting(LIMITS, baseline=baseline).within(12))
    assert found == pytest.approx(limits, abs=0.002)


def test_known_limits() -> None:
    assert float(zone_waiting(LIMITS, normal(0)).within(12)) == pytest.approx(0.032, abs=0.0005)


@pytest.mark.parametrize(("baseline", "printed"), [(6, 0.40), (12, 0.288), (20, 0.232), (24, 0.220)])
def test_all_tests_with_lines_from_a_short_baseline(baseline: int, printed: float) -> None:
    """Simulated, with runs that look back into the baseline; those that start after it signal less often.

    Both are simulated here, and the printed number lies within three standard errors, of 5000 series, of the
    first; what is calculated is the second.
    """
    rng = np.random.default_rng(baseline)
    values = rng.standard_normal((20_000, baseline + 12))
    first = values[:, :baseline]
    sigma = np.abs(np.diff(first, axis=1)).mean(axis=1) * math.sqrt(math.pi) / 2
    z = (values - first.mean(axis=1)[:, None]) / sigma[:, None]
    back, anew = (
        _simulated(z)[:, baseline:].any(axis=1).mean(),
        _simulated(z[:, baseline:]).any(axis=1).mean(),
    )
    assert back == pytest.approx(printed, abs=3 * math.sqrt(printed * (1 - printed) / 5000))
    expected = float(estimated_normal_waiting(MDC, baseline=baseline).within(12))
    assert anew == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 20_000))


def _simulated(z: np.ndarray) -> np.ndarray:
    """Whether each point ends a signal of a point beyond 3, two in three beyond 2, or seven on one side."""
    found = np.asarray(np.abs(z) > 3)
    for t in range(2, z.shape[1]):
        for side in (z[:, t - 2 : t + 1], -z[:, t - 2 : t + 1]):
            found[:, t] |= (side > 0).all(axis=1) & (np.count_nonzero(side > 2, axis=1) >= 2)
    for t in range(6, z.shape[1]):
        found[:, t] |= np.abs(np.sign(z[:, t - 6 : t + 1]).sum(axis=1)) == 7
    return found


P_CHART = {
    10: (61, 14.6, 28.9),
    20: (85, 14.4, 39.0),
    40: (98, 12.5, 48.3),
    75: (157, 8.4, 19.4),
    150: (134, 4.2, 11.5),
    300: (142, 1.5, 7.3),
    600: (146, 1.0, 4.0),
}


@pytest.mark.parametrize("births", P_CHART)
def test_months_of_a_p_chart(births: int) -> None:
    """Three sigma and a run of eight, 12 % to 6 % and to 9 %; a point on the line is passed over.

    From 75 births on the line is itself a possible point. If it broke a run, 75 births would wait 233 months.
    """
    n = np.full((3, 1), float(births))
    half = 3 * math.sqrt(0.12 * 0.88 / births)
    points = Binomial(np.array([[0.12], [0.06], [0.09]]), n, n)
    chances = zone_chances(points, [0.12], three_sigma=(0.12 - half, 0.12 + half))
    found = zone_waiting(together(LIMITS, shift_chain(length=8, ties="skip")), chances).mean()
    quiet, halved, quarter = P_CHART[births]
    assert float(found[0]) == pytest.approx(quiet, abs=0.5)
    np.testing.assert_allclose(found[1:], [halved, quarter], atol=0.0501)
    if births == 75:
        broken = zone_waiting(SETS["14"], chances).mean()
        assert float(broken[0]) == pytest.approx(233, abs=0.5)


ANHOEJ = {
    10: (6, 2, 0.0449, [0.11, 0.31, 0.44, 0.57, 0.91]),
    12: (7, 3, 0.0430, [0.12, 0.37, 0.53, 0.69, 0.98]),
    15: (7, 4, 0.0505, [0.14, 0.41, 0.57, 0.72, 0.98]),
    20: (7, 6, 0.0706, [0.20, 0.54, 0.72, 0.85, 1.0]),
    24: (8, 8, 0.0662, [0.19, 0.57, 0.76, 0.89, 1.0]),
    30: (8, 10, 0.0640, [0.21, 0.63, 0.82, 0.93, 1.0]),
    36: (8, 13, 0.0852, [0.28, 0.74, 0.91, 0.98, 1.0]),
    40: (8, 14, 0.0788, [0.27, 0.74, 0.91, 0.98, 1.0]),
}


@pytest.mark.parametrize("n", ANHOEJ)
def test_anhoej_limits_false_signals_and_power(n: int) -> None:
    longest, fewest, chance, power = ANHOEJ[n]
    assert [int(limit) for limit in anhoej_limits(n)] == [longest, fewest]
    assert float(anhoej_false_signal(n)) == pytest.approx(chance, abs=0.00005)
    found = anhoej_false_signal(n, special.ndtr([0.4, 0.8, 1.0, 1.2, 2.0]))
    # Rounded to three digits, then to two: .4046 of 15 points is given as .41, .5646 of 24 as .57.
    twice = np.floor(np.floor(found * 1000 + 0.5) / 10 + 0.5) / 100
    np.testing.assert_allclose(twice, power, atol=1e-12)


def test_power_of_fifteen_points_by_all_series() -> None:
    """A third calculation of the first of the two: each of 32,768 series of sides."""
    sides = np.array(list(product((-1, 1), repeat=15)))
    longest, fewest = anhoej_limits(15)
    signal = (longest_run(sides) > longest) | (crossings(sides) < fewest)
    p = float(special.ndtr(0.8))
    found = float((np.where(sides > 0, p, 1 - p).prod(axis=1) * signal).sum())
    assert found == pytest.approx(0.40458, abs=5e-6)
    assert float(anhoej_false_signal(15, p)) == pytest.approx(found, rel=1e-12)


def frozen_median(shift: float) -> tuple[float, float]:
    """Chance of a signal at a look at months 13 to 27, and at the last of them, about a median of 12 months.

    Six of the twelve lie on either side, all 924 orders of them being equally likely. The median lies half
    way between the sixth and the seventh, of which the density is known; given it the later points are
    independent.
    """
    middle, apart = np.linspace(-1.6, 1.6, 17), np.linspace(0, 3, 301)
    low, high = middle[:, None] - apart / 2, middle[:, None] + apart / 2
    density = np.exp(-(low**2 + high**2) / 2) * special.ndtr(low) ** 5 * special.ndtr(-high) ** 5
    weight = density.sum(axis=1) / density.sum()
    orders = np.zeros((924, 12))
    for row, places in enumerate(combinations(range(12), 6)):
        orders[row, list(places)] = 1
    above = np.concatenate(
        [
            np.broadcast_to(orders[:, None], (924, 17, 12)),
            np.broadcast_to(special.ndtr(shift - middle)[:, None], (924, 17, 15)),
        ],
        axis=-1,
    )
    some = anhoej_waiting(1 - above, above, first=13).within(27).mean(axis=0) @ weight
    last = runs_false_signal(1 - above, above).mean(axis=0) @ weight if shift == 0 else np.nan
    return float(some), float(last)


@pytest.mark.parametrize(("shift", "printed"), [(0, 0.138), (0.5, 0.26), (1, 0.55), (1.5, 0.83), (2, 0.95)])
def test_median_of_twelve_months_then_fifteen_looks(shift: float, printed: float) -> None:
    """Simulated: the tests read the whole series, baseline and all, after each of months 13 to 27."""
    some, last = frozen_median(shift)
    assert some == pytest.approx(printed, abs=3 * math.sqrt(printed * (1 - printed) / 5000))
    if shift == 0:
        assert last == pytest.approx(0.091, abs=3 * math.sqrt(0.091 * 0.909 / 5000))
