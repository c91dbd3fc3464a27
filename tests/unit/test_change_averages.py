"""Changes of means: naive generalised least squares at the highest restricted likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.change.averages import fit_means, mean_effects
from qi_equity.change.design import Schedule, make_design
from qi_equity.change.model import ChangeModel

NAN = np.nan
RNG = np.random.default_rng(3)
T = 30


def laid_out(starts, model=None, harmonics=0, phase_in=0, periods=T):
    starts = np.array(starts, float)
    time = np.arange(periods)
    segment = (time >= starts[..., None]).sum(axis=-2)
    return make_design(Schedule(segment, starts, phase_in, time / 12 % 1), model or ChangeModel(), harmonics)


def means(strata, periods=T, level=500.0, spread=20.0, rho=0.4):
    errors = RNG.normal(size=(strata, periods))
    for t in range(1, periods):
        errors[:, t] = rho * errors[:, t - 1] + np.sqrt(1 - rho**2) * errors[:, t]
    values = level + spread * errors - 30 * (np.arange(periods) >= 15)
    return values, RNG.integers(20, 200, (strata, periods)).astype(float)


def correlation(rho, used):
    time = np.flatnonzero(used)
    return rho ** np.abs(time[:, None] - time[None, :]).astype(float)


def least_squares(y, x, rho, used):
    inverse = np.linalg.inv(correlation(rho, used))
    gram = x.T @ inverse @ x
    coef = np.linalg.solve(gram, x.T @ inverse @ y)
    left = y - x @ coef
    variance = left @ inverse @ left / (y.size - x.shape[1])
    return coef, variance * np.linalg.inv(gram), variance


def restricted(rho, y, x, used):
    variance = least_squares(y, x, rho, used)[2]
    return (
        (y.size - x.shape[1]) * np.log(variance)
        + np.linalg.slogdet(correlation(rho, used))[1]
        + np.linalg.slogdet(x.T @ np.linalg.inv(correlation(rho, used)) @ x)[1]
    )


def three(interval, index):
    return [getattr(interval, e)[index] for e in ("estimate", "lower", "upper")]


@pytest.mark.parametrize(
    ("model", "harmonics", "phase_in"),
    [
        (ChangeModel(), 0, 0),
        (ChangeModel("own"), 1, 0),
        (ChangeModel("own", slope=True), 0, 0),
        (ChangeModel(phase_in="ramp"), 0, 3),
        (ChangeModel("own"), 0, 3),
    ],
)
def test_naive_least_squares(model, harmonics, phase_in):
    values, size = means(3)
    values[1, [4, 5, 20]] = NAN
    design = laid_out([[15], [12], [18]], model, harmonics, phase_in)
    found = mean_effects(values, size, design, confidence=0.9)
    fit = fit_means(values, design)
    for k in range(3):
        used = np.isfinite(values[k]) & (design.segment[k] >= 0)
        y, x = values[k, used], design.own[k, used]
        best = optimize.minimize_scalar(
            restricted, bounds=(-0.99, 0.99), args=(y, x, used), method="bounded", options={"xatol": 1e-10}
        )
        assert restricted(fit.rho[k], y, x, used) <= best.fun + 1e-8
        coef, covariance, variance = least_squares(y, x, fit.rho[k], used)
        share = np.where(design.counted[k, 0] & np.isfinite(values[k]), size[k], 0)
        share = share / share.sum()
        own, without = share @ design.own[k], share @ design.without[k, 0]
        df = used.sum() - x.shape[1]
        t = stats.t.ppf(0.95, df)

        def error(g, c=covariance):
            return np.sqrt(g @ c @ g)

        for got, g in ((found.after, own), (found.before, without), (found.difference, own - without)):
            expected = g @ coef + np.array([0, -1, 1]) * t * error(g)
            np.testing.assert_allclose(three(got, (k, 0)), expected, rtol=1e-7)
        log = np.log(own @ coef / (without @ coef))
        gradient = own / (own @ coef) - without / (without @ coef)
        expected = np.exp(log + np.array([0, -1, 1]) * t * error(gradient))
        np.testing.assert_allclose(three(found.ratio, (k, 0)), expected, rtol=1e-8)
        assert found.p[k, 0] == pytest.approx(2 * stats.t.sf(abs(log) / error(gradient), df), rel=1e-6)
        assert found.dispersion[k, 0] == pytest.approx(np.sqrt(variance), rel=1e-7)
        assert found.df[k, 0] == df
    assert np.isnan(found.odds_ratio.upper).all()
    assert not found.exact.any()


def test_a_given_autocorrelation_is_taken_as_it_is():
    values, size = means(2)
    design = laid_out([[15], [15]])
    found = mean_effects(values, size, design, confidence=0.95, rho=0.6)
    coef, covariance, _ = least_squares(values[0], design.own[0], 0.6, np.ones(T, bool))
    np.testing.assert_allclose(found.difference.estimate[0, 0], coef[1], rtol=1e-8)
    half = stats.t.ppf(0.975, T - 2) * np.sqrt(covariance[1, 1])
    np.testing.assert_allclose(found.difference.upper[0, 0], coef[1] + half, rtol=1e-8)
    independent = mean_effects(values, size, design, confidence=0.95, rho=0.0)
    np.testing.assert_allclose(
        independent.difference.estimate[:, 0], values[:, 15:].mean(1) - values[:, :15].mean(1), rtol=1e-9
    )


def test_the_means_with_and_without_a_change_are_weighed_by_their_sizes():
    """With a bend the change differs from period to period: periods of many values count for more."""
    values, size = means(1)
    size[0, 15:] = np.where(np.arange(15, T) < 20, 1e6, 1.0)
    model = ChangeModel("own", slope=True)
    early = mean_effects(values, size, laid_out([[15]], model), confidence=0.95)
    fit = fit_means(values, laid_out([[15]], model))
    step, bend = fit.coef[0, 1], fit.coef[0, 3]
    assert early.difference.estimate[0, 0] == pytest.approx(step + 3 * bend, rel=1e-4)


def test_the_ratio_and_p_say_the_same_and_p_is_of_the_ratio():
    values, size = means(60, spread=60)
    for confidence in (0.8, 0.95):
        found = mean_effects(values, size, laid_out([[15]] * 60), confidence=confidence)
        apart = (found.ratio.upper < 1) | (found.ratio.lower > 1)
        np.testing.assert_array_equal(found.p < 1 - confidence, apart)
        assert 0 < apart.mean() < 1


def test_means_that_are_not_above_0_have_a_difference_only():
    values, size = means(2)
    values[0] -= 500
    found = mean_effects(values, size, laid_out([[15], [15]]), confidence=0.95)
    assert np.isnan(three(found.ratio, (0, 0))).all()
    assert np.isfinite(three(found.difference, (0, 0))).all()
    assert found.p[0, 0] == pytest.approx(
        mean_effects(values[:1], size[:1], laid_out([[15]]), confidence=0.95).p[0, 0]
    )
    change = found.difference
    t = (change.estimate / (change.upper - change.estimate))[0, 0] * stats.t.ppf(0.975, T - 2)
    assert found.p[0, 0] == pytest.approx(2 * stats.t.sf(abs(t), T - 2), rel=1e-9)
    assert np.isfinite(three(found.ratio, (1, 0))).all()


def test_a_mean_next_to_0_has_an_end_too_large_to_hold_without_warning():
    values, size = means(1, level=0.0, spread=1.0)
    values[0, :15] += 1e-4 - values[0, :15].mean()
    values[0, 15:] += 100
    found = mean_effects(values, size, laid_out([[15]]), confidence=0.95, rho=0.0)
    assert found.ratio.upper[0, 0] == np.inf
    assert found.difference.lower[0, 0] > 0


def test_two_changes_and_strata_with_fewer():
    values, size = means(4)
    starts = [[10, 20], [12, NAN], [NAN, NAN], [14, NAN]]
    model = ChangeModel("own")
    found = mean_effects(values, size, laid_out(starts, model), confidence=0.95)
    assert np.isfinite(found.difference.upper[0]).all()
    for k in (1, 3):
        alone = mean_effects(
            values[k : k + 1], size[k : k + 1], laid_out([starts[k][:1]], model), confidence=0.95
        )
        for name in ("before", "after", "difference", "ratio"):
            np.testing.assert_allclose(
                three(getattr(found, name), (k, 0)), three(getattr(alone, name), (0, 0)), rtol=1e-9
            )
        assert found.df[k, 0] == alone.df[0, 0] == T - 3
        assert np.isnan(three(found.difference, (k, 1))).all()
        assert np.isnan(found.p[k, 1])
    assert np.isnan(found.difference.estimate[2]).all()
    fit = fit_means(values, laid_out(starts, model))
    assert fit.coef[1].tolist()[2] == 0
    assert fit.coef[2].tolist()[1:3] == [0, 0]


def test_without_means_on_a_side_nothing_is_said_of_the_change():
    values, size = means(3)
    values[0, 15:] = NAN
    values[1, :15] = NAN
    found = mean_effects(values, size, laid_out([[15]] * 3), confidence=0.95)
    for name in ("difference", "ratio"):
        for k in (0, 1):
            assert np.isnan(three(getattr(found, name), (k, 0))).all()
    assert np.isnan(found.p[:2]).all()
    assert np.isfinite(found.p[2, 0])


def test_more_is_better_turns_the_change_round():
    values, size = means(2)
    found = mean_effects(values, size, laid_out([[15], [15]]), confidence=0.95)
    turned = found.reversed()
    np.testing.assert_array_equal(turned.difference.lower, -found.difference.upper)
    np.testing.assert_array_equal(turned.ratio.upper, 1 / found.ratio.lower)
    np.testing.assert_array_equal(turned.p, found.p)
    assert (found.ratio.estimate < 1).all()
    assert (turned.ratio.estimate > 1).all()


def test_leading_axes():
    values, size = (a.reshape(3, 2, T) for a in means(6))
    starts = np.array([[[15, 20], [12, NAN]]] * 3)
    found = mean_effects(values, size, laid_out(starts), confidence=0.95)
    for r in range(3):
        alone = mean_effects(values[r], size[r], laid_out(starts[r]), confidence=0.95)
        for end in ("estimate", "lower", "upper"):
            np.testing.assert_allclose(getattr(found.ratio, end)[r], getattr(alone.ratio, end), rtol=1e-9)
