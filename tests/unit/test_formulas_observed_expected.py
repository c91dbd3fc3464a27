"""Observed minus expected against enumeration of every path; no published worked example was found."""

from math import comb

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.observed_expected import observed_expected

TAIL = 0.02


def hypergeometric(n, m, total):
    return {
        k: comb(n, k) * comb(m, total - k) / comb(n + m, total)
        for k in range(max(0, total - m), min(n, total) + 1)
    }


def binomial(n, m, total):
    share = n / (n + m)
    return {k: comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)}


def paths(x, n, y, m, counts, found):
    """Give the distribution of the sum after each period, and the chance of having left the limits."""
    sums, inside = {0.0: 1.0}, {0.0: 1.0}
    for t in range(len(x)):
        total = int(x[t] + y[t])
        steps = {
            (n[t] + m[t]) / m[t] * (k - total * n[t] / (n[t] + m[t])): chance
            for k, chance in counts(int(n[t]), int(m[t]), total).items()
        }
        after, kept = {}, {}
        for s, chance in sums.items():
            for step, own in steps.items():
                key = round(s + step, 9)
                after[key] = after.get(key, 0.0) + chance * own
        for s, chance in inside.items():
            for step, own in steps.items():
                key = round(s + step, 9)
                if not (key > found.upper[t] or key < found.lower[t]):
                    kept[key] = kept.get(key, 0.0) + chance * own
        sums, inside = after, kept
        yield sums, 1 - sum(inside.values())


@pytest.mark.parametrize(("kind", "counts"), [("proportion", hypergeometric), ("rate", binomial)])
@pytest.mark.parametrize("steady", [True, False])
def test_limits_are_those_of_all_paths(kind, counts, steady):
    rng = np.random.default_rng(8)
    for _ in range(4):
        n, m = rng.integers(3, 9, 4), rng.integers(5, 30, 4)
        if steady:
            n[:], m[:] = n[0], m[0]
        x, y = rng.binomial(n, 0.4), rng.binomial(m, 0.3)
        found = observed_expected(x, n, y / m, m, kind=kind, tail=TAIL)
        np.testing.assert_allclose(found.value, (x - n * y / m).cumsum(), atol=1e-12)
        np.testing.assert_allclose(found.expected, (n * y / m).cumsum(), atol=1e-12)
        for t, (sums, crossed) in enumerate(paths(x, n, y, m, counts, found)):
            at, chance = (np.array(part) for part in (list(sums), list(sums.values())))
            assert found.sigma[t] == pytest.approx(np.sqrt((chance * at**2).sum()), abs=1e-9)
            assert [found.lowest[t], found.highest[t]] == pytest.approx([at.min(), at.max()], abs=1e-6)
            # The signs of a sum that is as far out, and of one a quarter of an event nearer.
            for way, limit in ((1, found.upper[t]), (-1, found.lower[t])):
                far = way * at
                tail, nearer = (
                    np.array([chance[far >= s - room].sum() for s in far]) for room in (1e-7, 0.26)
                )
                signals = far > way * limit
                assert (tail[signals] < TAIL).all()
                np.testing.assert_array_equal(signals if steady else signals | (nearer >= TAIL),
                                              tail < TAIL if steady else np.ones_like(signals))  # fmt: skip
            if steady:
                assert found.crossed[t] == pytest.approx(crossed, abs=1e-9)
            else:
                assert found.crossed[t] == pytest.approx(crossed, abs=0.01)


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_beside_a_target_the_sum_is_a_binomial_or_poisson_count(kind):
    n = np.full(6, 40)
    found = observed_expected([3, 1, 0, 2, 4, 9], n, 0.05, np.inf, kind=kind, tail=TAIL)
    for t in range(6):
        births = 40 * (t + 1)
        law = stats.binom(births, 0.05) if kind == "proportion" else stats.poisson(births * 0.05)
        count = np.arange(60)
        np.testing.assert_array_equal(count - births * 0.05 > found.upper[t], law.sf(count - 1) < TAIL)
        np.testing.assert_array_equal(count - births * 0.05 < found.lower[t], law.cdf(count) < TAIL)
        assert found.sigma[t] == pytest.approx(law.std())


def test_strata_beside_targets_and_references_are_as_each_alone():
    x, n = np.array([[2, 1, 3], [1, 0, 2]]), np.array([[40, 50, 45], [30, 35, 33]])
    q, m = np.array([[0.05] * 3, [0.04, 0.05, 0.03]]), np.array([[np.inf] * 3, [300, 320, 300.0]])
    together = observed_expected(x, n, q, m)
    for s in range(2):
        alone = observed_expected(x[s], n[s], q[s], m[s])
        np.testing.assert_allclose(together.value[s], alone.value)
        np.testing.assert_allclose(together.sigma[s], alone.sigma)
        np.testing.assert_allclose(together.crossed[s], alone.crossed, atol=1e-3)


def test_periods_without_a_number_are_passed_over():
    gap = observed_expected([2, np.nan, 3, 1], [40, 40, 0, 40], 0.05, [300, 300, 300, 300])
    short = observed_expected([2, 1], [40, 40], 0.05, [300, 300])
    assert np.isnan(gap.value[[1, 2]]).all()
    assert np.isnan(gap.upper[[1, 2]]).all()
    np.testing.assert_allclose(gap.value[[0, 3]], short.value)
    np.testing.assert_allclose(gap.sigma[[0, 3]], short.sigma)


def test_without_any_event_nothing_is_judged():
    found = observed_expected([0, 0], [40, 40], 0.0, [300, 300])
    assert np.isnan([found.lower, found.upper]).all()
    np.testing.assert_array_equal(found.value, 0)
    np.testing.assert_array_equal(found.crossed, 0)


def test_large_counts_come_near_the_normal_limits():
    births = np.full(4, 8000)
    found = observed_expected(births * 0.1, births, 0.1, births * 2)
    np.testing.assert_allclose(found.upper / found.sigma, 3, atol=0.06)
    np.testing.assert_allclose(found.lower / found.sigma, -3, atol=0.06)


def test_false_signals_are_as_rare_as_said():
    """Draw both sides at one rate that changes over time: the share that crosses is that stated."""
    rng = np.random.default_rng(1)
    rate = np.linspace(0.03, 0.09, 12)
    n, m = rng.integers(60, 90, 12), rng.integers(500, 700, 12)
    x, y = rng.binomial(n, rate, (300, 12)), rng.binomial(m, rate, (300, 12))
    found = observed_expected(x, n, y / m, m)
    crossed = ((found.value > found.upper) | (found.value < found.lower)).any(axis=1)
    said = found.crossed[:, -1].mean()
    assert crossed.mean() <= said + 3 * np.sqrt(said / 300)
    assert 0.002 < said < 0.03


def test_errors_name_the_argument():
    with pytest.raises(OptionError, match=r"size holds 40\.5"):
        observed_expected([1], [40.5], [0.1], [300])
    with pytest.raises(OptionError, match=r"reference_rate holds 1\.5"):
        observed_expected([1], [40], [1.5], [300])
    with pytest.raises(OptionError, match="tail=0"):
        observed_expected([1], [40], [0.1], [300], tail=0)
