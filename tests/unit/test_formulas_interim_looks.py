"""Repeated looks against the published table, the bivariate normal distribution and a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas import interim_looks
from qi_equity.formulas.interim_looks import chance_of_false_signal

# Armitage, McPherson, Rowe 1969: two-sided 5 %, equally spaced looks.
PUBLISHED = {1: 0.050, 2: 0.083, 3: 0.107, 4: 0.126, 5: 0.142, 10: 0.193, 20: 0.248}
MONTHS = np.arange(1, 16)
TWO_YEARS_BEFORE = 1 / (1 / 24 + 1 / MONTHS)


@pytest.mark.parametrize(("looks", "chance"), PUBLISHED.items())
def test_published_table(looks, chance):
    assert chance_of_false_signal(np.arange(1, looks + 1)) == pytest.approx(chance, abs=5.1e-4)


@pytest.mark.parametrize("correlation", [0.3, 0.9, 0.995])
def test_two_looks_are_a_bivariate_normal(correlation):
    information = [correlation**2, 1.0]
    z = stats.norm.ppf(0.95)
    both = stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    between = both.cdf([z, z], lower_limit=[-z, -z])
    assert chance_of_false_signal(information, confidence=0.9) == pytest.approx(1 - between, abs=1e-6)
    assert chance_of_false_signal(information, confidence=0.9, sides=1) == pytest.approx(
        1 - both.cdf([z, z]), abs=1e-6
    )


def test_monthly_readings_by_simulation():
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(100_000, MONTHS.size)) * np.sqrt(np.diff(TWO_YEARS_BEFORE, prepend=0))
    z = np.cumsum(steps, axis=1) / np.sqrt(TWO_YEARS_BEFORE)
    for sides, signal in ((2, np.abs(z) > 1.959964), (1, z > 1.959964)):
        share = signal.any(axis=1).mean()
        found = chance_of_false_signal(TWO_YEARS_BEFORE, sides=sides)
        assert found == pytest.approx(share, abs=4 * np.sqrt(share / 100_000))


def test_more_points_change_nothing(monkeypatch):
    before = [chance_of_false_signal(TWO_YEARS_BEFORE, sides=sides) for sides in (2, 1)]
    monkeypatch.setattr(interim_looks, "_POINTS", 500)
    after = [chance_of_false_signal(TWO_YEARS_BEFORE, sides=sides) for sides in (2, 1)]
    np.testing.assert_allclose(before, after, atol=1e-8)


def test_many_series_in_portions_are_each_alone(monkeypatch):
    information = np.random.default_rng(1).uniform(0.5, 2, size=(6, 2, 5)).cumsum(axis=-1)
    together = chance_of_false_signal(information)
    monkeypatch.setattr(interim_looks, "_CELLS_AT_ONCE", 1)
    np.testing.assert_allclose(chance_of_false_signal(information), together, rtol=1e-12)
    alone = [[chance_of_false_signal(i) for i in row] for row in information]
    np.testing.assert_allclose(together, alone, atol=1e-9)


def test_looks_not_held_and_looks_without_news():
    found = chance_of_false_signal([[1, np.nan, 2, 2, 2.0001], [np.nan] * 5, [1, 2, np.nan, np.nan, np.nan]])
    assert found[0] == found[2] == pytest.approx(0.0831, abs=1e-4)
    assert np.isnan(found[1])


def test_refused():
    with pytest.raises(OptionError, match="information falls from one look to a later one"):
        chance_of_false_signal([1, np.nan, 0.5])
    with pytest.raises(OptionError, match=r"information holds 0\.0; give finite numbers above 0"):
        chance_of_false_signal([0, 1])
    with pytest.raises(OptionError, match="sides=3 is not allowed"):
        chance_of_false_signal([1, 2], sides=3)
    with pytest.raises(OptionError, match="confidence"):
        chance_of_false_signal([1, 2], confidence=95)
