"""The level model: against regressions of statsmodels, loops, and scalar enumeration where events are few.

No published worked example of a quasi-likelihood before and after comparison with its exact twin was found.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, special, stats

from qi_equity.change.level import FEW_EVENTS, level_dispersion, level_effects, segment_sums
from qi_equity.formulas.interval import Interval

NAN = np.nan
RNG = np.random.default_rng(5)
T = 24
SEGMENT = np.repeat([0, 1], 12)
FAMILIES = {"binomial": sm.families.Binomial(), "poisson": sm.families.Poisson()}
INTERVALS = ("before", "after", "difference", "ratio", "odds_ratio")


def overdispersed(strata, family, births=(200, 2000), rate=(0.05, 0.4)):
    size = RNG.integers(*births, (strata, T)).astype(float)
    spread = RNG.gamma(30, 1 / 30, (strata, T)) if strata else 1
    chance = np.clip(RNG.uniform(*rate, (strata, 1)) * np.where(SEGMENT, 0.8, 1) * spread, 0, 0.95)
    events = RNG.binomial(size.astype(int), chance) if family == "binomial" else RNG.poisson(size * chance)
    return events.astype(float), size


def effects(events, size, segment=SEGMENT, changes=1, *, family="binomial", confidence=0.95, **options):
    events, size = np.atleast_2d(np.array(events, float)), np.atleast_2d(np.array(size, float))
    segment = np.broadcast_to(segment, events.shape)
    return level_effects(events, size, segment, changes, family=family, confidence=confidence, **options)


def regression(x, n, segment, family, link=None):
    design = sm.add_constant(np.asarray(segment, float))
    if family == "binomial":
        outcome, kind = np.column_stack([x, n - x]), sm.families.Binomial(link)
        return sm.GLM(outcome, design, family=kind).fit(tol=1e-14)
    return sm.GLM(x, design, family=sm.families.Poisson(), exposure=n).fit(tol=1e-14)


def same(one, other, **tolerance):
    for name in INTERVALS:
        for end in ("estimate", "lower", "upper"):
            np.testing.assert_allclose(
                getattr(getattr(one, name), end), getattr(getattr(other, name), end), **tolerance
            )
    for name in ("p", "dispersion", "df"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), **tolerance)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_quasi_regression_of_statsmodels(family, confidence):
    events, size = overdispersed(6, family)
    events[2, 3] = NAN
    size[3, 7:9] = events[3, 7:9] = 0
    found = effects(events, size, family=family, confidence=confidence)
    assert not found.exact.any()
    for k in range(len(events)):
        used = np.isfinite(events[k]) & (size[k] > 0)
        fit = regression(events[k, used], size[k, used], SEGMENT[used], family)
        phi = max(1.0, fit.pearson_chi2 / fit.df_resid)
        t = stats.t.ppf((1 + confidence) / 2, fit.df_resid)
        step, half = fit.params[1], t * np.sqrt(phi * fit.cov_params()[1, 1])
        scale = found.odds_ratio if family == "binomial" else found.ratio
        got = [scale.estimate[k, 0], scale.lower[k, 0], scale.upper[k, 0]]
        np.testing.assert_allclose(got, np.exp([step, step - half, step + half]), rtol=1e-9)
        assert found.dispersion[k, 0] == pytest.approx(phi, rel=1e-9)
        assert found.df[k, 0] == fit.df_resid
    assert (found.dispersion > 1).any()


def test_a_dispersion_below_1_counts_as_1():
    found = effects([20, 20, 20, 10, 10, 10], [100] * 6, np.repeat([0, 1], 3))
    assert found.dispersion[0, 0] == 1
    half = stats.t.ppf(0.975, 4) * np.sqrt(0.8 / 60 + 0.9 / 30)
    assert found.ratio.lower[0, 0] == pytest.approx(0.5 * np.exp(-half), rel=1e-12)


@pytest.mark.filterwarnings("ignore:The Log link function does not respect the domain")
def test_the_risk_ratio_is_that_of_a_log_link_and_of_the_delta_method():
    events, size = overdispersed(4, "binomial")
    found = effects(events, size)
    for k in range(4):
        log = regression(events[k], size[k], SEGMENT, "binomial", sm.families.links.Log())
        phi = max(1.0, log.pearson_chi2 / log.df_resid)
        half = stats.t.ppf(0.975, 22) * np.sqrt(phi * log.cov_params()[1, 1])
        expected = np.exp(log.params[1] + np.array([0, -half, half]))
        got = [found.ratio.estimate[k, 0], found.ratio.lower[k, 0], found.ratio.upper[k, 0]]
        np.testing.assert_allclose(got, expected, rtol=1e-7)
        logit = regression(events[k], size[k], SEGMENT, "binomial")
        after, before = special.expit(logit.params.sum()), special.expit(logit.params[0])
        gradient = np.array([before - after, 1 - after])
        variance = phi * gradient @ logit.cov_params() @ gradient
        assert np.log(found.ratio.upper[k, 0] / found.ratio.estimate[k, 0]) == pytest.approx(
            stats.t.ppf(0.975, 22) * np.sqrt(variance), rel=1e-9
        )
        p = 2 * stats.t.sf(abs(np.log(after / before)) / np.sqrt(variance), 22)
        assert found.p[k, 0] == pytest.approx(p, rel=1e-7)


def wilson(x, n, z):
    middle, half = (x + z**2 / 2) / (n + z**2), z * np.sqrt(x * (n - x) / n + z**2 / 4) / (n + z**2)
    return middle - half, middle + half


def test_the_difference_is_of_two_wilson_intervals_of_effective_counts():
    """With t for z and dispersion, dividing the counts and widening z are the same: z w / sqrt(n)."""
    events, size = overdispersed(5, "binomial")
    found = effects(events, size)
    for k in range(5):
        x0, x1 = events[k, :12].sum(), events[k, 12:].sum()
        n0, n1 = size[k, :12].sum(), size[k, 12:].sum()
        z = stats.t.ppf(0.975, 22) * np.sqrt(found.dispersion[k, 0])
        (l0, u0), (l1, u1) = wilson(x0, n0, z), wilson(x1, n1, z)
        p0, p1 = x0 / n0, x1 / n1
        lower = p1 - p0 - np.hypot(p1 - l1, u0 - p0)
        upper = p1 - p0 + np.hypot(u1 - p1, p0 - l0)
        got = [found.difference.lower[k, 0], found.difference.upper[k, 0], found.before.lower[k, 0]]
        np.testing.assert_allclose(got, [lower, upper, l0], rtol=1e-9)
        np.testing.assert_allclose(
            [found.before.estimate[k, 0], found.after.estimate[k, 0]], [p0, p1], rtol=1e-12
        )


def test_the_difference_of_rates_is_of_two_mid_p_intervals_of_effective_counts():
    events, size = overdispersed(3, "poisson")
    found = effects(events, size, family="poisson")
    for k in range(3):
        wide = found.dispersion[k, 0] * (stats.t.ppf(0.975, 22) / stats.norm.ppf(0.975)) ** 2
        ends = []
        for side in (slice(12, None), slice(None, 12)):
            x, e = events[k, side].sum() / wide, size[k, side].sum() / wide

            def few(mean, x=x):
                return (special.gammaincc(x + 1, mean) + special.gammaincc(x, mean)) / 2 - 0.025

            def many(mean, x=x):
                return (special.gammainc(x, mean) + special.gammainc(x + 1, mean)) / 2 - 0.025

            ends += [x / e, *(optimize.brentq(f, 1e-9, 50 * x, xtol=1e-12) / e for f in (many, few))]
        r1, l1, u1, r0, l0, u0 = ends
        expected = [r1 - r0 - np.hypot(r1 - l1, u0 - r0), r1 - r0 + np.hypot(u1 - r1, r0 - l0)]
        np.testing.assert_allclose(
            [found.difference.lower[k, 0], found.difference.upper[k, 0]], expected, rtol=1e-8
        )


def log_tails(log, table):
    """The logarithms of the mid-P tails (few, many) of the noncentral hypergeometric, count by count."""
    x1, n1, x0, n0 = (int(a) for a in table)
    total = x1 + x0
    counts = np.arange(max(0, total - n0), min(n1, total) + 1)
    logs = np.array([counts_of(n1, k) + counts_of(n0, total - k) + k * log for k in counts])
    half = np.where(counts == x1, np.log(0.5), -np.inf)
    few, many = (np.where(c, 0.0, half) for c in (counts < x1, counts > x1))
    whole = special.logsumexp(logs)
    return special.logsumexp(logs + few) - whole, special.logsumexp(logs + many) - whole


def counts_of(n, k):
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


SMALL = {
    "calm": ([1, 0, 2, 1, 0, 1], [30, 28, 35, 31, 25, 40]),
    "dispersed": ([7, 0, 0, 0, 1, 0], [60, 80, 70, 75, 64, 71]),
    "few without the event": ([38, 40, 41, 45, 44, 43], [41, 42, 43, 46, 44, 45]),
    "one period to spare": ([3, 4, NAN, NAN, NAN, 2], [50, 60, 50, 50, 50, 50]),
}


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("case", SMALL)
def test_few_events_by_enumeration_at_the_widened_confidence(case, confidence):
    x, n = (np.array(a, float) for a in SMALL[case])
    segment = np.repeat([0, 1], 3)
    found = effects(x, n, segment, confidence=confidence)
    assert found.exact[0, 0]
    used = np.isfinite(x)
    table = [np.where(used, a, 0)[side].sum() for side in (slice(3, None), slice(None, 3)) for a in (x, n)]
    rates = np.where(segment, table[0] / table[1], table[2] / table[3])
    squares = ((x - n * rates) ** 2 / (n * rates * (1 - rates)))[used]
    df = used.sum() - 2
    phi = max(1.0, squares.sum() / df)
    assert found.dispersion[0, 0] == pytest.approx(phi, rel=1e-12)
    quantile = stats.t.ppf((1 + confidence) / 2, df) * np.sqrt(phi)
    for end, which in ((found.odds_ratio.lower[0, 0], 1), (found.odds_ratio.upper[0, 0], 0)):
        expected = optimize.brentq(
            lambda log, w=which: log_tails(log, table)[w] - stats.norm.logsf(quantile), -90, 90, xtol=1e-13
        )
        assert np.log(end) == pytest.approx(expected, rel=1e-8)
    mid_p = min(1.0, 2 * np.exp(min(log_tails(0.0, table))))
    z = stats.norm.isf(mid_p / 2) / np.sqrt(phi)
    assert found.p[0, 0] == pytest.approx(2 * stats.t.sf(z, df), rel=1e-9)
    p1, p0 = table[0] / table[1], table[2] / table[3]
    assert found.ratio.estimate[0, 0] == pytest.approx(p1 / p0, rel=1e-12)
    assert found.difference.estimate[0, 0] == pytest.approx(p1 - p0, rel=1e-9)


def test_few_events_over_an_exposure_by_enumeration():
    """One period on each side: nothing to know dispersion by, so the counts are as they are."""
    x, e = [7, 2], [310.0, 250.0]
    found = effects(x, e, np.array([0, 1]), family="poisson")
    assert found.exact[0, 0]
    assert np.isinf(found.df[0, 0])
    assert found.dispersion[0, 0] == 1

    def tails(log):
        share = np.exp(log) * e[1] / (np.exp(log) * e[1] + e[0])
        binomial = stats.binom(9, share)
        half = binomial.pmf(2) / 2
        return binomial.cdf(1) + half, binomial.sf(2) + half

    for end, which in ((found.ratio.lower[0, 0], 1), (found.ratio.upper[0, 0], 0)):
        expected = optimize.brentq(lambda log, w=which: tails(log)[w] - 0.025, -20, 20, xtol=1e-14)
        assert np.log(end) == pytest.approx(expected, rel=1e-9)
    assert found.p[0, 0] == pytest.approx(2 * min(tails(0.0)), rel=1e-12)
    assert np.isnan(found.odds_ratio.estimate[0, 0])


def test_few_events_over_an_exposure_are_divided_by_the_widening():
    x, e = np.array([9, 0, 1, 0, 4, 1], float), np.full(6, 100.0)
    found = effects(x, e, np.repeat([0, 1], 3), family="poisson")
    expected = np.repeat([10 / 3, 5 / 3], 3)
    phi = ((x - expected) ** 2 / expected).sum() / 4
    assert found.dispersion[0, 0] == pytest.approx(phi, rel=1e-12)
    wide = phi * (stats.t.ppf(0.975, 4) / stats.norm.ppf(0.975)) ** 2
    x1, x0 = 5 / wide, 10 / wide

    def many(share):
        return (special.betainc(x1, x0 + 1, share) + special.betainc(x1 + 1, x0, share)) / 2

    for end, wanted in ((found.ratio.lower[0, 0], 0.025), (found.ratio.upper[0, 0], 0.975)):
        share = optimize.brentq(lambda s, w=wanted: many(s) - w, 1e-12, 1 - 1e-12, xtol=1e-15)
        assert end == pytest.approx(share / (1 - share), rel=1e-8)
    assert found.p[0, 0] == pytest.approx(2 * min(many(0.5), 1 - many(0.5)), rel=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_from_10_events_in_every_cell_on_a_model_is_used(family):
    size = [100.0] * 4
    segment = np.repeat([0, 1], 2)
    assert not effects([5, 5, 5, 5], size, segment, family=family).exact[0, 0]
    assert effects([5, 4, 5, 5], size, segment, family=family).exact[0, 0]
    assert FEW_EVENTS == 10
    assert effects([95, 96, 80, 80], size, segment).exact[0, 0]
    assert not effects([95, 96, 80, 80], size, segment, family="poisson").exact[0, 0]


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("family", FAMILIES)
def test_p_and_interval_say_the_same(family, confidence):
    """Of the ratio; of exact cells of a proportion also on the other two scales."""
    strata = 600
    size = RNG.integers(5, 60, (strata, T)).astype(float)
    chance = RNG.uniform(0.005, 0.3, (strata, 1)) * np.where(SEGMENT, RNG.uniform(0.2, 1.5, (strata, 1)), 1)
    chance = chance * RNG.gamma(3, 1 / 3, (strata, T))
    events = RNG.binomial(size.astype(int), np.minimum(chance, 0.9)).astype(float)
    found = effects(events, size, family=family, confidence=confidence)
    p = found.p[:, 0]
    away = np.abs(p - (1 - confidence)) > 1e-9
    scales = {"ratio": np.ones(strata, bool)}
    if family == "binomial":
        scales |= {"odds_ratio": found.exact[:, 0], "difference": found.exact[:, 0]}
    else:
        scales["difference"] = found.exact[:, 0]
    for name, where in scales.items():
        interval, none = getattr(found, name), 0.0 if name == "difference" else 1.0
        apart = ((interval.lower > none) | (interval.upper < none))[:, 0]
        np.testing.assert_array_equal((p < 1 - confidence)[away & where], apart[away & where])
    assert 0 < (p < 1 - confidence).mean() < 1
    assert 0 < found.exact.mean() < 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("counts", [(0, 0), (0, 5), (5, 0), (0, 40), (40, 0)])
def test_no_event_on_a_side(family, counts):
    x = np.concatenate([np.full(4, counts[0] / 4), np.full(4, counts[1] / 4)])
    if counts in ((0, 5), (5, 0)):
        x = np.concatenate([[counts[0], 0, 0, 0], [counts[1], 0, 0, 0]])
    found = effects(x, np.full(8, 50.0), np.repeat([0, 1], 4), family=family)
    assert found.exact[0, 0]
    ratio = found.ratio
    assert (ratio.lower[0, 0] == 0) == (counts[1] == 0)
    assert np.isinf(ratio.upper[0, 0]) == (counts[0] == 0)
    assert np.isnan(ratio.estimate[0, 0]) == (counts == (0, 0))
    assert found.difference.lower[0, 0] <= (counts[1] - counts[0]) / 200 <= found.difference.upper[0, 0]
    assert np.isfinite([found.difference.lower[0, 0], found.difference.upper[0, 0]]).all()
    assert found.p[0, 0] == (1 if counts == (0, 0) else pytest.approx(found.p[0, 0]))


@pytest.mark.parametrize("family", FAMILIES)
def test_without_births_on_a_side_nothing_is_said(family):
    events, size = overdispersed(3, family)
    events[0, 12:] = NAN
    size[1, :12] = events[1, :12] = 0
    found = effects(events, size, family=family)
    for name in ("difference", "ratio", "odds_ratio"):
        for end in ("estimate", "lower", "upper"):
            assert np.isnan(getattr(getattr(found, name), end)[:2]).all()
    assert np.isnan(found.p[:2]).all()
    assert not found.exact[:2].any()
    assert np.isfinite(found.ratio.upper[2, 0])
    assert found.before.estimate[0, 0] == pytest.approx(events[0, :12].sum() / size[0, :12].sum())


def test_missing_periods_say_nothing():
    events, size = overdispersed(1, "binomial")
    gone = np.zeros(T, bool)
    gone[[2, 9, 15]] = True
    blank = effects(np.where(gone, NAN, events), size)
    same(blank, effects(events[:, ~gone], size[:, ~gone], SEGMENT[~gone]), rtol=1e-12)
    same(blank, effects(events, np.where(gone, NAN, size)), rtol=1e-12)
    same(blank, effects(np.where(gone, 0, events), np.where(gone, 0, size)), rtol=1e-12)
    same(blank, effects(events, size, np.where(gone, -1, SEGMENT)), rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_of_two_changes_is_set_against_the_time_between(family):
    events, size = overdispersed(4, family)
    events[0], size[0] = np.minimum(events[0], 1), 30.0
    segment = np.repeat([0, 1, 2], [10, 8, 6])
    found = effects(events, size, segment, 2, family=family)
    assert found.p.shape == (4, 2)
    x, n = segment_sums(events, size, np.broadcast_to(segment, events.shape), 3)
    phi, df = level_dispersion(events, size, np.broadcast_to(segment, events.shape), x, n, family)
    for k, two in enumerate(((0, 1), (1, 2))):
        pair = np.where(segment == two[0], 0, np.where(segment == two[1], 1, -1))
        alone = effects(events, size, pair, family=family)
        for name in INTERVALS:
            np.testing.assert_allclose(
                getattr(found, name).estimate[:, k],
                getattr(alone, name).estimate[:, 0],
                rtol=1e-12,
                atol=1e-15,
            )
        np.testing.assert_array_equal(found.exact[:, k], alone.exact[:, 0])
    np.testing.assert_allclose(found.dispersion, phi[:, None] * [1, 1])
    np.testing.assert_array_equal(found.df, df[:, None] * [1, 1])
    assert (df == 21).all()


def test_two_changes_share_the_dispersion_of_their_stratum_as_in_a_regression():
    events, size = overdispersed(3, "poisson")
    segment = np.repeat([0, 1, 2], 8)
    found = effects(events, size, segment, 2, family="poisson")
    steps = np.column_stack([np.ones(T), segment >= 1, segment >= 2]).astype(float)
    for k in range(3):
        fit = sm.GLM(events[k], steps, family=FAMILIES["poisson"], exposure=size[k]).fit(tol=1e-14)
        phi = max(1.0, fit.pearson_chi2 / 21)
        half = stats.t.ppf(0.975, 21) * np.sqrt(phi * np.diagonal(fit.cov_params())[1:])
        np.testing.assert_allclose(found.ratio.estimate[k], np.exp(fit.params[1:]), rtol=1e-9)
        np.testing.assert_allclose(found.ratio.upper[k], np.exp(fit.params[1:] + half), rtol=1e-9)


def test_dispersion_by_a_loop():
    events, size = overdispersed(5, "binomial")
    events[1, 4] = NAN
    events[4, :12] = 0
    segment = np.broadcast_to(np.repeat([0, 1, -1, 2], [8, 8, 3, 5]), events.shape)
    x, n = segment_sums(events, size, segment, 3)
    for family in FAMILIES:
        phi, df = level_dispersion(events, size, segment, x, n, family)
        for k in range(5):
            total, periods = 0.0, 0
            for s in range(3):
                inside = [t for t in range(T) if segment[k, t] == s and not np.isnan(events[k, t])]
                rate = sum(events[k, t] for t in inside) / sum(size[k, t] for t in inside)
                for t in inside:
                    periods += 1
                    variance = size[k, t] * rate * ((1 - rate) if family == "binomial" else 1)
                    total += (events[k, t] - size[k, t] * rate) ** 2 / variance if variance else 0
            assert df[k] == periods - 3
            assert phi[k] == pytest.approx(max(1, total / (periods - 3)), rel=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_order_of_strata_and_whether_they_are_alone_changes_nothing(family):
    events, size = overdispersed(7, family, births=(10, 200))
    order = RNG.permutation(7)
    found, shuffled = effects(events, size, family=family), effects(events[order], size[order], family=family)
    same(found.take(order), shuffled, rtol=1e-12)
    for k in range(7):
        same(found.take([k]), effects(events[k], size[k], family=family), rtol=1e-10)


def test_a_longer_exposure_is_a_unit_only():
    events, size = overdispersed(5, "poisson", births=(10, 300))
    found, other = (effects(events, size * c, family="poisson") for c in (1, 1000))
    for end in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(getattr(found.ratio, end), getattr(other.ratio, end), rtol=1e-9)
        np.testing.assert_allclose(
            getattr(found.difference, end), getattr(other.difference, end) * 1000, rtol=1e-9
        )
    np.testing.assert_allclose(found.p, other.p, rtol=1e-9)


def test_which_outcome_is_the_event_turns_the_odds_ratio_and_the_difference():
    events, size = overdispersed(8, "binomial", births=(4, 12))
    found, turned = effects(events, size), effects(size - events, size)
    np.testing.assert_array_equal(found.exact, turned.exact)
    assert found.exact.any()
    np.testing.assert_allclose(found.odds_ratio.lower, 1 / turned.odds_ratio.upper, rtol=1e-8)
    np.testing.assert_allclose(found.odds_ratio.estimate, 1 / turned.odds_ratio.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.difference.lower, -turned.difference.upper, rtol=1e-7)
    np.testing.assert_allclose(found.dispersion, turned.dispersion, rtol=1e-9)
    np.testing.assert_allclose(found.p[found.exact], turned.p[found.exact], rtol=1e-9)


def test_an_inflated_variance_is_a_larger_dispersion():
    events, size = overdispersed(3, "binomial")
    plain, wider = effects(events, size), effects(events, size, inflate=np.full((3, 1), 2.25))
    np.testing.assert_allclose(wider.dispersion, 2.25 * plain.dispersion)
    half, wide = (np.log(e.ratio.upper / e.ratio.estimate) for e in (plain, wider))
    np.testing.assert_allclose(wide, 1.5 * half)
    assert (wider.before.upper > plain.before.upper).all()
    assert (wider.difference.upper > plain.difference.upper).all()


def test_any_leading_axes():
    events, size = overdispersed(6, "binomial", births=(10, 300))
    segment = np.broadcast_to(SEGMENT, events.shape)
    flat = level_effects(events, size, segment, 1, family="binomial", confidence=0.95)
    block = level_effects(
        *(a.reshape(2, 3, T) for a in (events, size, segment)), 1, family="binomial", confidence=0.95
    )
    for name in INTERVALS:
        for end in ("estimate", "lower", "upper"):
            np.testing.assert_allclose(
                getattr(getattr(block, name), end).reshape(6, 1),
                getattr(getattr(flat, name), end),
                rtol=1e-10,
            )
    assert block.p.shape == (2, 3, 1)


def test_the_parts_of_effects():
    """Choosing, turning round and taking: small tools of every estimate."""
    found = effects(*overdispersed(3, "poisson"), family="poisson")
    turned = found.reversed()
    np.testing.assert_array_equal(turned.ratio.lower, 1 / found.ratio.upper)
    np.testing.assert_array_equal(turned.difference.upper, -found.difference.lower)
    np.testing.assert_array_equal(turned.before.estimate, found.before.estimate)
    again = turned.reversed()
    np.testing.assert_allclose(again.ratio.upper, found.ratio.upper, rtol=1e-15)
    none = effects([0] * 8, [20] * 8, np.repeat([0, 1], 4), family="poisson").reversed()
    assert (none.ratio.lower[0, 0], none.ratio.upper[0, 0]) == (0, np.inf)
    assert isinstance(found.take(slice(0, 1)).ratio, Interval)
    np.testing.assert_array_equal(found.take([2, 0]).p, found.p[[2, 0]])
