"""Regressions of a change: statsmodels, one dense model, gradients by differences, the uncentred trap.

The averaged rates with and without a change have no published worked example; they are reckoned here period
by period.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special, stats

from qi_equity.change.design import Schedule, make_design
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import fit_design, regression_effects

NAN = np.nan
RNG = np.random.default_rng(11)
T = 36
FAMILIES = {"binomial": sm.families.Binomial(), "poisson": sm.families.Poisson()}
MODELS = {
    "trend": (ChangeModel("own"), 0, 0),
    "trend and season": (ChangeModel("own"), 2, 0),
    "season": (ChangeModel(), 1, 0),
    "slope": (ChangeModel("own", slope=True), 1, 0),
    "phase-in left out": (ChangeModel("own"), 0, 2),
    "ramp": (ChangeModel("own", phase_in="ramp"), 0, 3),
}
INTERVALS = ("before", "after", "difference", "ratio", "odds_ratio")


def laid_out(name, starts, periods=T):
    model, harmonics, phase_in = MODELS[name] if isinstance(name, str) else name
    starts = np.array(starts, float)
    time = np.arange(periods)
    segment = (time >= starts[..., None]).sum(axis=-2)
    return make_design(Schedule(segment, starts, phase_in, time / 12 % 1), model, harmonics)


def counts(strata, family, periods=T, births=(150, 900)):
    size = RNG.integers(*births, (strata, periods)).astype(float)
    trend = np.exp(RNG.uniform(-0.02, 0.02, (strata, 1)) * np.arange(periods))
    chance = RNG.uniform(0.08, 0.2, (strata, 1)) * trend * RNG.gamma(40, 1 / 40, (strata, periods))
    events = RNG.binomial(size.astype(int), chance) if family == "binomial" else RNG.poisson(size * chance)
    return events.astype(float), size


def dense(x, n, columns, family, weights=None):
    if family == "binomial":
        model = sm.GLM(np.column_stack([x, n - x]), columns, family=FAMILIES[family], var_weights=weights)
    else:
        model = sm.GLM(x, columns, family=FAMILIES[family], exposure=n, var_weights=weights)
    return model.fit(tol=1e-15, maxiter=200)


def inverse(eta, family):
    return special.expit(eta) if family == "binomial" else np.exp(eta)


def gradient(function, at):
    """Central differences, with one step of Richardson."""
    found = np.empty(at.size)
    for j in range(at.size):
        ends = []
        for h in (1e-4, 5e-5):
            step = np.zeros(at.size)
            step[j] = h
            ends.append((function(at + step) - function(at - step)) / (2 * h))
        found[j] = (4 * ends[1] - ends[0]) / 3
    return found


def interval(interval, index):
    return [getattr(interval, e)[index] for e in ("estimate", "lower", "upper")]


def check_effects(found, row, fit, covariance, df, pieces, family, confidence=0.95, k=0):
    """Hold the effects of one stratum to functions of the coefficients, differentiated by differences."""
    own, without, births = pieces
    share = births / births.sum()
    t = stats.t.ppf((1 + confidence) / 2, df)

    def rate(columns):
        return lambda b: share @ inverse(columns @ b, family)

    def error(function):
        g = gradient(function, fit)
        return np.sqrt(g @ covariance @ g)

    after, before = rate(own), rate(without)
    link = special.logit if family == "binomial" else np.log
    back = special.expit if family == "binomial" else np.exp
    for got, function in ((found.after, after), (found.before, before)):
        middle, half = link(function(fit)), t * error(lambda b, f=function: link(f(b)))
        np.testing.assert_allclose(
            interval(got, (row, k)), back(middle + np.array([0, -half, half])), rtol=1e-6
        )

    def difference(b):
        return after(b) - before(b)

    def log_ratio(b):
        return np.log(after(b) / before(b))

    half = t * error(difference)
    np.testing.assert_allclose(
        interval(found.difference, (row, k)),
        difference(fit) + np.array([0, -half, half]),
        rtol=1e-6,
        atol=1e-9,
    )
    half = t * error(log_ratio)
    np.testing.assert_allclose(
        interval(found.ratio, (row, k)), np.exp(log_ratio(fit) + np.array([0, -half, half])), rtol=1e-6
    )
    assert found.p[row, k] == pytest.approx(
        2 * stats.t.sf(abs(log_ratio(fit)) / error(log_ratio), df), rel=1e-5
    )
    if family == "binomial":
        step = share @ (own - without)
        half = t * np.sqrt(step @ covariance @ step)
        np.testing.assert_allclose(
            interval(found.odds_ratio, (row, k)), np.exp(step @ fit + np.array([0, -half, half])), rtol=1e-6
        )
    else:
        assert np.isnan(interval(found.odds_ratio, (row, k))).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", MODELS)
def test_each_stratum_by_statsmodels(name, family):
    design = laid_out(name, [[20], [22], [18]])
    events, size = counts(3, family)
    events[1, 5] = NAN
    size[2, 3] = events[2, 3] = 0
    fit = fit_design(events, size, design, family=family)
    found = regression_effects(events, size, design, family=family, confidence=0.9)
    for k in range(3):
        used = np.isfinite(events[k]) & (size[k] > 0) & (design.segment[k] >= 0)
        other = dense(events[k, used], size[k, used], design.own[k, used], family)
        phi = max(1.0, other.pearson_chi2 / other.df_resid)
        np.testing.assert_allclose(fit.coef[k], other.params, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(fit.covariance[k], phi * other.cov_params(), rtol=1e-6, atol=1e-12)
        assert fit.df[k] == other.df_resid == found.df[k, 0]
        assert found.dispersion[k, 0] == pytest.approx(phi, rel=1e-8)
        births = np.where(design.counted[k, 0] & used, size[k], 0)
        pieces = design.own[k], design.without[k, 0], births
        check_effects(
            found, k, np.asarray(other.params), phi * other.cov_params(), other.df_resid, pieces, family, 0.9
        )
    assert not found.exact.any()


def test_without_a_bend_the_ratio_of_rates_is_the_step_itself():
    events, size = counts(2, "poisson")
    design = laid_out("trend and season", [[20], [20]])
    found = regression_effects(events, size, design, family="poisson", confidence=0.95)
    fit = fit_design(events, size, design, family="poisson")
    step = design.terms.index("step 1")
    half = stats.t.ppf(0.975, fit.df) * np.sqrt(fit.covariance[:, step, step])
    np.testing.assert_allclose(found.ratio.estimate[:, 0], np.exp(fit.coef[:, step]), rtol=1e-9)
    np.testing.assert_allclose(found.ratio.upper[:, 0], np.exp(fit.coef[:, step] + half), rtol=1e-9)


def test_a_level_alone_is_the_closed_form():
    """A ramp of no periods is a plain step: the averaged rates are the pooled ones."""
    events, size = counts(2, "binomial")
    design = laid_out((ChangeModel(), 0, 0), [[20], [20]])
    found = regression_effects(events, size, design, family="binomial", confidence=0.95)
    x = np.stack([events[:, 20:].sum(1), events[:, :20].sum(1)])
    n = np.stack([size[:, 20:].sum(1), size[:, :20].sum(1)])
    np.testing.assert_allclose(found.ratio.estimate[:, 0], x[0] / n[0] / (x[1] / n[1]), rtol=1e-9)
    variance = found.dispersion[:, 0] * (1 / x - 1 / n).sum(axis=0)
    half = stats.t.ppf(0.975, T - 2) * np.sqrt(variance)
    np.testing.assert_allclose(np.log(found.ratio.upper / found.ratio.estimate)[:, 0], half, rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shared_trend_by_one_dense_model(family):
    """Weights of one over each stratum's dispersion about a trend of its own, as a stacked GLM has them."""
    strata, design = 4, laid_out((ChangeModel("shared"), 1, 0), [[20], [24], [20], [16]])
    events, size = counts(strata, family)
    events[3, 30] = NAN
    found = regression_effects(events, size, design, family=family, confidence=0.95)
    p = design.own.shape[-1]
    rows, weights, x, n, df, phi = [], [], [], [], [], []
    for k in range(strata):
        used = np.isfinite(events[k])
        own_trend = np.column_stack([design.own[k], np.arange(T)])[used]
        alone = dense(events[k, used], size[k, used], own_trend, family)
        phi.append(max(1.0, alone.pearson_chi2 / alone.df_resid))
        df.append(alone.df_resid)
        block = np.zeros((T, strata * p + 1))
        block[:, k * p : (k + 1) * p] = design.own[k]
        block[:, -1] = design.shared[k, :, 0]
        rows.append(block[used])
        weights.append(np.full(used.sum(), 1 / phi[-1]))
        x.append(events[k, used])
        n.append(size[k, used])
    big = dense(*(np.concatenate(a) for a in (x, n, rows)), family, np.concatenate(weights))
    covariance = big.cov_params() / big.scale
    fit = fit_design(events, size, design, family=family)
    np.testing.assert_allclose(fit.coef.ravel(), big.params[:-1], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fit.shared.ravel(), big.params[-1:], rtol=1e-6)
    np.testing.assert_allclose(fit.shared_covariance.ravel(), covariance[-1:, -1:].ravel(), rtol=1e-6)
    for k in range(strata):
        births = np.where(design.counted[k, 0] & np.isfinite(events[k]), size[k], 0)
        whole = np.zeros((2, T, strata * p + 1))
        for j, own in enumerate((design.own[k], design.without[k, 0])):
            whole[j, :, k * p : (k + 1) * p] = own
            whole[j, :, -1] = design.shared[k, :, 0]
        pieces = whole[0], whole[1], births
        check_effects(found, k, np.asarray(big.params), covariance, df[k], pieces, family)
        assert found.dispersion[k, 0] == pytest.approx(phi[k], rel=1e-7)


def test_strata_that_are_counted_already_do_not_count_again():
    events, size = counts(3, "binomial")
    design = laid_out((ChangeModel("shared"), 0, 0), [[20], [24], [16]])
    once = regression_effects(events, size, design, family="binomial", confidence=0.95)
    both = regression_effects(
        *(np.concatenate([a, a]) for a in (events, size)),
        design.twice(),
        family="binomial",
        confidence=0.95,
        counted_once=np.arange(6) < 3,
    )
    naive = regression_effects(
        *(np.concatenate([a, a]) for a in (events, size)), design.twice(), family="binomial", confidence=0.95
    )
    for name in INTERVALS:
        for end in ("estimate", "lower", "upper"):
            expected, got = getattr(getattr(once, name), end), getattr(getattr(both, name), end)
            np.testing.assert_allclose(got[:3], expected, rtol=1e-7, atol=1e-10)
            np.testing.assert_allclose(got[3:], expected, rtol=1e-7, atol=1e-10)
    assert (naive.ratio.upper[:3] < once.ratio.upper * (1 - 1e-4)).all()


@pytest.mark.parametrize("name", ["trend", "slope"])
def test_each_of_two_changes_is_against_the_fit_without_it(name):
    events, size = counts(2, "poisson")
    design = laid_out(name, [[12, 24], [10, 20]])
    found = regression_effects(events, size, design, family="poisson", confidence=0.95)
    for row in range(2):
        other = dense(events[row], size[row], design.own[row], "poisson")
        phi = max(1.0, other.pearson_chi2 / other.df_resid)
        for k in range(2):
            births = np.where(design.counted[row, k], size[row], 0)
            pieces = design.own[row], design.without[row, k], births
            covariance = phi * other.cov_params()
            check_effects(
                found, row, np.asarray(other.params), covariance, other.df_resid, pieces, "poisson", k=k
            )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["trend", "slope", (ChangeModel("shared"), 1, 0)])
def test_a_stratum_with_fewer_changes_is_fitted_with_those_it_has(name, family):
    events, size = counts(3, family)
    starts = np.array([[12, 24], [15, NAN], [NAN, NAN]])
    found = regression_effects(events, size, laid_out(name, starts), family=family, confidence=0.95)
    assert np.isfinite(found.ratio.upper[0]).all()
    assert np.isnan(found.ratio.estimate[1, 1])
    assert np.isnan(found.ratio.estimate[2]).all()
    if name == "trend" or name == "slope":
        alone = regression_effects(
            events[1:2], size[1:2], laid_out(name, [[15]]), family=family, confidence=0.95
        )
        for scale in INTERVALS:
            np.testing.assert_allclose(
                interval(getattr(found, scale), (1, 0)), interval(getattr(alone, scale), (0, 0)), rtol=1e-8
            )
        assert found.df[1, 0] == alone.df[0, 0]
        assert found.dispersion[1, 0] == pytest.approx(alone.dispersion[0, 0], rel=1e-9)
    else:
        # A place without any change tells of the shared trend nonetheless.
        two = regression_effects(
            events[:2], size[:2], laid_out(name, starts[:2]), family=family, confidence=0.95
        )
        assert (
            found.ratio.upper[1, 0] / found.ratio.lower[1, 0] < two.ratio.upper[1, 0] / two.ratio.lower[1, 0]
        )


def test_a_change_after_which_nothing_is_known_leaves_the_one_before():
    events, size = counts(1, "binomial")
    blank = np.where(np.arange(T) >= 24, NAN, events)
    found = regression_effects(blank, size, laid_out("trend", [[12, 24]]), family="binomial", confidence=0.95)
    alone = regression_effects(
        events[:, :24], size[:, :24], laid_out("trend", [[12]], 24), family="binomial", confidence=0.95
    )
    np.testing.assert_allclose(interval(found.ratio, (0, 0)), interval(alone.ratio, (0, 0)), rtol=1e-9)
    assert np.isnan(interval(found.ratio, (0, 1))).all()
    assert np.isnan(found.p[0, 1])


def test_the_uncentred_parameterisation_has_the_same_fit_and_another_level():
    """The trap: a term X t counts from the start of the study: its "level" is at a time before that."""
    events, size = counts(1, "poisson")
    start = 24
    design = laid_out((ChangeModel("own", slope=True), 1, 0), [[start]])
    fit = fit_design(events, size, design, family="poisson")
    time = np.arange(1, T + 1.0)
    after = (time > start).astype(float)
    waves = [np.sin(2 * np.pi * (time - 1) / 12), np.cos(2 * np.pi * (time - 1) / 12)]
    for term, same in ((after * (time - start), True), (after * time, False)):
        columns = np.column_stack([np.ones(T), after, time, term, *waves])
        other = dense(events[0], size[0], columns, "poisson")
        rate = np.exp(fit.predictor(design.own, design.shared)[0])
        np.testing.assert_allclose(other.fittedvalues / size[0], rate, rtol=1e-7)
        assert other.params[3] == pytest.approx(fit.coef[0, 3], rel=1e-6)
        assert (abs(other.params[1] - fit.coef[0, 1]) < 1e-7) == same
        if not same:
            assert other.params[1] == pytest.approx(fit.coef[0, 1] - start * fit.coef[0, 3], rel=1e-6)
            assert other.bse[1] > 1.5 * np.sqrt(fit.covariance[0, 1, 1] / fit.dispersion[0])
    expected = np.exp(fit.coef[0, 1])
    step_at_the_change = np.exp(design.own[0, start, [1, 3]] @ fit.coef[0, [1, 3]] - fit.coef[0, 3])
    assert step_at_the_change == pytest.approx(expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_where_there_is_no_solution_nothing_is_said(family):
    events, size = counts(4, family)
    events[0, :20] = 0
    events[1, 20:] = NAN
    events[2] = NAN
    design = laid_out("trend", [[20]] * 4)
    found = regression_effects(events, size, design, family=family, confidence=0.95)
    for name in ("difference", "ratio", "odds_ratio"):
        for end in ("estimate", "lower", "upper"):
            assert np.isnan(getattr(getattr(found, name), end)[:3]).all()
    assert np.isnan(found.p[:3]).all()
    assert np.isfinite(found.ratio.upper[3, 0])


def test_without_a_period_to_spare_there_is_no_interval():
    x, n = np.array([[12.0, 15, 9]]), np.full((1, 3), 100.0)
    design = laid_out("trend", [[2]], 3)
    found = regression_effects(x, n, design, family="binomial", confidence=0.95)
    assert np.isfinite(found.ratio.estimate[0, 0])
    assert np.isnan([found.ratio.lower[0, 0], found.ratio.upper[0, 0], found.p[0, 0], found.df[0, 0]]).all()


@pytest.mark.parametrize("name", ["slope", (ChangeModel("shared"), 1, 0)])
def test_leading_axes_are_sets_of_their_own(name):
    events, size = (a.reshape(3, 2, T) for a in counts(6, "binomial"))
    starts = np.array([[[20], [18]]] * 3)
    design = laid_out(name, starts)
    found = regression_effects(events, size, design, family="binomial", confidence=0.95)
    for r in range(3):
        alone = regression_effects(
            events[r], size[r], laid_out(name, starts[r]), family="binomial", confidence=0.95
        )
        for scale in INTERVALS:
            for end in ("estimate", "lower", "upper"):
                np.testing.assert_allclose(
                    getattr(getattr(found, scale), end)[r], getattr(getattr(alone, scale), end), rtol=1e-7
                )


@pytest.mark.parametrize("factor", [1e4, -1e4])
def test_rates_too_small_or_too_large_to_hold_are_no_warning(factor):
    events, size = counts(1, "poisson")
    design = laid_out("trend", [[20]])
    far = replace(design, without=design.without * factor)
    found = regression_effects(events, size, far, family="poisson", confidence=0.95)
    if factor > 0:
        assert found.before.estimate[0, 0] == 0
    else:
        assert np.isnan([found.before.estimate[0, 0], found.ratio.upper[0, 0], found.p[0, 0]]).all()
    assert found.after.estimate[0, 0] == pytest.approx(events[0, 20:].sum() / size[0, 20:].sum(), rel=1e-6)
