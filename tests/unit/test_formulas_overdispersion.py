"""Overdispersion by naive loops; FunnelPlotR is in tests/reference/test_funnel_golden.py."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.overdispersion import between_variance, dispersion, truncated, winsorised

RNG = np.random.default_rng(4)
Z = np.where(RNG.random((6, 9)) < 0.2, np.nan, RNG.normal(0, 2, (6, 9)).round(1))


def test_winsorised_clips_to_the_quantiles_of_each_set() -> None:
    for row, found in zip(Z, winsorised(Z, share=0.1), strict=True):
        kept = row[~np.isnan(row)]
        wanted = np.clip(kept, *np.quantile(kept, [0.1, 0.9]))
        np.testing.assert_allclose(found[~np.isnan(row)], wanted, rtol=1e-12)
        assert np.isnan(found[np.isnan(row)]).all()


def test_winsorised_pulls_infinite_values_in() -> None:
    assert winsorised([-np.inf, -1.0, 0.0, 1.0, 2.0], share=0.25)[0] == -1


def test_winsorised_of_nothing_is_nothing() -> None:
    assert np.isnan(winsorised([np.nan, np.nan])).all()
    assert winsorised([3.0]).tolist() == [3.0]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 1 / 3])
def test_truncated_deals_the_ranks_into_classes(share: float) -> None:
    for row, found in zip(Z, truncated(Z, share=share), strict=True):
        there = ~np.isnan(row)
        classes = np.floor(stats.rankdata(row[there]) / share / (there.sum() + 1))
        kept = (classes > 0) & (classes < 1 / share - 1)
        np.testing.assert_array_equal(found[there], np.where(kept, row[there], np.nan))


def test_ties_share_their_rank() -> None:
    # Ranks 1.5, 1.5, 3, 4: with quarters the classes are 1, 1, 2, 3.
    assert truncated([1.0, 1.0, 2.0, 3.0], share=0.25).tolist()[:3] == [1.0, 1.0, 2.0]
    assert np.isnan(truncated([1.0, 1.0, 2.0, 3.0], share=0.25)[3])


def test_dispersion_and_variance_between_by_loops() -> None:
    s = RNG.uniform(0.05, 0.3, Z.shape)
    phi, tau2 = dispersion(Z), between_variance(Z, s)
    for k in range(len(Z)):
        there = ~np.isnan(Z[k])
        z, w, n = Z[k, there], 1 / s[k, there] ** 2, there.sum()
        assert phi[k] == pytest.approx((z**2).mean())
        wanted = max(0, (n * (z**2).mean() - (n - 1)) / (w.sum() - (w**2).sum() / w.sum()))
        assert tau2[k] == pytest.approx(wanted)


def test_little_variation_is_no_variance_between() -> None:
    assert between_variance([0.1, -0.1, 0.0], [1, 1, 1]) == 0


def test_too_few_or_infinite_values_have_no_estimate() -> None:
    assert np.isnan(between_variance([[1.0, np.nan], [np.inf, 1.0]], [1.0, 1.0])).all()
    assert np.isnan(dispersion([np.nan, np.nan]))
    assert np.isnan(dispersion([-np.inf, 1.0]))


def test_variance_between_is_found_again_in_simulated_units() -> None:
    rng, tau, s = np.random.default_rng(6), 0.3, 0.2
    away = rng.normal(0, tau, (400, 30)) + rng.normal(0, s, (400, 30))
    away -= away.mean(axis=1, keepdims=True)
    assert between_variance(away / s, np.full(away.shape, s)).mean() == pytest.approx(tau**2, rel=0.05)


@pytest.mark.parametrize(("function", "share"), [(winsorised, 0.5), (winsorised, -0.1), (truncated, 0.0)])
def test_shares_are_checked(function: object, share: float) -> None:
    with pytest.raises(OptionError, match="share"):
        function([1.0, 2.0], share=share)
