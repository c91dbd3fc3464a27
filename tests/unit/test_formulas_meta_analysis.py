"""Meta-analysis: a worked example, naive matrices, one and two sites.

The worked example was reckoned twice (statsmodels 0.15 combine_effects and R metafor 3.8-1). metafor's
numbers of 42 further cases are in tests/reference/test_meta_golden.py. No published example of the modified
Knapp-Hartung interval with raw data was found; it is checked by its definition.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.meta_analysis import MetaAnalysis, leave_one_out, meta_analysis
from qi_equity.formulas.meta_intervals import tau2_interval

Y, V = [-0.5, -0.2, -0.7, 0.1, -0.35], [0.04, 0.09, 0.16, 0.02, 0.06]


@pytest.mark.parametrize(
    ("method", "tau2", "mean", "se", "hksj", "modified"),
    [
        ("dl", 0.060991, -0.266457, 0.154928, 0.137171, 0.154928),
        ("pm", 0.039099, None, None, None, None),
        ("reml", 0.0556119, -0.263561, 0.151031, 0.137359, 0.151031),
    ],
)
def test_the_worked_example(
    method: str, tau2: float, mean: float, se: float, hksj: float, modified: float
) -> None:
    plain, knapp, cautious = (
        meta_analysis(Y, V, tau2=method, test=test)
        for test in ("z", "knapp-hartung", "knapp-hartung-modified")
    )
    assert plain.tau2 == pytest.approx(tau2, abs=6e-7)
    if mean is not None:
        assert plain.estimate == pytest.approx(mean, abs=6e-7)
        assert plain.se == pytest.approx(se, abs=6e-7)
        assert knapp.se == pytest.approx(hksj, abs=6e-7)
        assert cautious.se == pytest.approx(modified, abs=6e-7)
        assert cautious.upper - cautious.estimate == pytest.approx(modified * stats.t.ppf(0.975, 4), rel=1e-5)


def test_the_modified_interval_is_never_shorter_than_that_of_t() -> None:
    rng = np.random.default_rng(5)
    y, v = rng.normal(0, 0.5, (200, 6)), rng.uniform(0.02, 0.3, (200, 6))
    found = {t: meta_analysis(y, v, test=t) for t in ("t", "knapp-hartung", "knapp-hartung-modified")}
    longest = np.fmax(found["t"].se, found["knapp-hartung"].se)
    np.testing.assert_allclose(found["knapp-hartung-modified"].se, longest, rtol=1e-12)
    assert (found["knapp-hartung"].se < found["t"].se).any()


def reml(y: np.ndarray, v: np.ndarray) -> float:
    """Maximise the restricted likelihood with matrices, over a fine grid and then between its neighbours."""

    def negative(tau2: float) -> float:
        inverse = np.diag(1 / (v + tau2))
        one = np.ones((len(y), 1))
        inside = one.T @ inverse @ one
        p = inverse - inverse @ one @ np.linalg.inv(inside) @ one.T @ inverse
        return float(np.log(v + tau2).sum() + np.log(np.linalg.det(inside)) + y @ p @ y)

    grid = np.concatenate([[0], np.geomspace(1e-5, 20, 400)])
    best = int(np.argmin([negative(t) for t in grid]))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, 400)]
    found = optimize.minimize_scalar(negative, bounds=ends, method="bounded", options={"xatol": 1e-12})
    return 0.0 if negative(0) <= found.fun else float(found.x)


def test_reml_is_the_highest_restricted_likelihood() -> None:
    rng = np.random.default_rng(11)
    v = rng.gamma(1, 0.2, (40, 7)) + 0.005
    y = rng.normal(0, np.sqrt(v + rng.choice([0, 0.1, 1], (40, 1))))
    found = meta_analysis(y, v).tau2
    np.testing.assert_allclose(found, [reml(*pair) for pair in zip(y, v, strict=True)], rtol=1e-5, atol=2e-8)
    assert 3 < (found == 0).sum() < 35


def test_sets_of_sites_alone_and_together_are_the_same() -> None:
    rng = np.random.default_rng(2)
    y, v = rng.normal(0, 0.4, (3, 4, 6)), rng.uniform(0.01, 0.3, (3, 4, 6))
    y[0, 1, 2] = np.nan
    v[2, 3, :4] = np.nan
    together = meta_analysis(y, v)
    for place in np.ndindex(3, 4):
        keep = ~np.isnan(y[place] + v[place])
        alone = meta_analysis(y[place][keep], v[place][keep])
        for field in fields(MetaAnalysis):
            if field.name != "weights":
                np.testing.assert_allclose(
                    getattr(together, field.name)[place], getattr(alone, field.name), rtol=1e-9, atol=1e-12
                )
        np.testing.assert_allclose(together.weights[place][keep], alone.weights, rtol=1e-9)
        assert (together.weights[place][~keep] == 0).all()


def test_leaving_one_out_is_pooling_the_others() -> None:
    y = [*Y, np.nan]
    without = leave_one_out(y, [*V, 0.1])
    for i in range(5):
        others = meta_analysis(np.delete(Y, i), np.delete(V, i))
        np.testing.assert_allclose(without.estimate[i], others.estimate)
        np.testing.assert_allclose(without.tau2[i], others.tau2)
    assert np.isnan(without.estimate[5])
    assert without.estimate.shape == (6,)
    assert leave_one_out([y, y], [*V, 0.1]).estimate.shape == (2, 6)


def test_one_site_is_itself() -> None:
    found = meta_analysis([np.nan, -0.3], [np.nan, 0.04], test="z")
    assert [found.k, found.estimate, found.se] == [1, -0.3, 0.2]
    assert found.lower == pytest.approx(-0.3 - 0.2 * stats.norm.ppf(0.975))
    assert found.p == pytest.approx(2 * stats.norm.cdf(-1.5))
    for name in ("tau2", "se_tau2", "i2", "h2", "q_p", "prediction_lower", "prediction_upper"):
        assert np.isnan(getattr(found, name)), name
    cautious = meta_analysis([-0.3], [0.04])
    assert [cautious.estimate, cautious.se] == [-0.3, 0.2]
    assert np.isnan([cautious.lower, cautious.p]).all()
    fixed = meta_analysis([-0.3], [0.04], tau2="fixed", test="z")
    assert np.isnan([fixed.tau2, fixed.i2, fixed.h2]).all()
    assert np.isnan(tau2_interval([0.3], [0.1]).upper)


def test_no_site_is_nothing() -> None:
    found = meta_analysis([np.nan, np.nan], [0.1, 0.2])
    assert found.k == 0
    assert np.isnan(found.estimate)
    assert np.isnan(found.se)
    assert np.isnan(found.q)


def test_two_sites_have_no_prediction_with_k_less_2() -> None:
    found = meta_analysis([0.12, 0.55], [0.02, 0.035], prediction_df="k-2")
    assert np.isnan(found.prediction_lower)
    three = meta_analysis(Y[:3], V[:3], prediction_df="k-2")
    reach = stats.t.ppf(0.975, 1) * np.sqrt(three.tau2 + three.se**2)
    assert three.prediction_upper == pytest.approx(three.estimate + reach)


def test_equal_effects_have_no_variance_between_them() -> None:
    for method in ("reml", "dl", "pm", "ml", "eb", "he"):
        found = meta_analysis([0.2, 0.2, 0.2], [0.1, 0.2, 0.3], tau2=method)
        assert found.tau2 == 0
        assert found.estimate == pytest.approx(0.2)
    nothing = tau2_interval([0.2, 0.2, 0.2], [0.1, 0.2, 0.3])
    assert [nothing.lower, nothing.upper] == [0, 0]


def test_very_unequal_variances_are_handled() -> None:
    found = meta_analysis([0.0, 1.0, 2.0], [1e-10, 1e-10, 1e-10])
    assert found.tau2 == pytest.approx(1.0)
    assert meta_analysis([0.0, 1.0, 2.0], [1e-12, 1e6, 1e6]).weights[0] > 0.99


def test_q_profile_ends_are_where_q_is_a_quantile() -> None:
    between = tau2_interval(np.array(Y) * 3, V)
    for end, quantile in ((between.lower, 0.975), (between.upper, 0.025)):
        w = 1 / (np.array(V) + end)
        mean = (w * np.array(Y) * 3).sum() / w.sum()
        assert (w * (np.array(Y) * 3 - mean) ** 2).sum() == pytest.approx(stats.chi2.ppf(quantile, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([0.1], [0.0]), OptionError, "variances holds 0.0; give finite numbers above 0"),
        (([0.1], [-1]), OptionError, "variances holds -1.0"),
        (([0.1], [np.inf]), OptionError, "variances holds inf"),
        (([np.inf], [0.1]), OptionError, "infinite effect"),
        (([0.1, 0.2], [0.1, 0.2, 0.3]), OptionError, "shapes do not fit"),
        ((["a"], [0.1]), InputTypeError, "effects"),
    ],
)
def test_what_cannot_be_pooled_is_refused(
    arguments: tuple[object, object], error: type[Exception], words: str
) -> None:
    for pool in (meta_analysis, tau2_interval, leave_one_out):
        with pytest.raises(error, match=words):
            pool(*arguments)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="tau2='sj' is not allowed"):
        meta_analysis(Y, V, tau2="sj")
    with pytest.raises(OptionError, match="test='f'"):
        meta_analysis(Y, V, test="f")
    with pytest.raises(OptionError, match="prediction_df='k'"):
        meta_analysis(Y, V, prediction_df="k")
    with pytest.raises(OptionError, match="confidence"):
        meta_analysis(Y, V, confidence=1.0)
