"""What holds for every CUSUM: mirrors, missing points, strata alone, and gaps as births one by one."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum, bernoulli_cusum_gaps
from qi_equity.formulas.cusum import CusumPath, count_cusum, tabular_cusum
from qi_equity.formulas.cusum_run_length import bernoulli_threshold, count_cusum_threshold
from qi_equity.formulas.risk_adjusted import risk_adjusted_cusum, risk_adjusted_cusum_gaps, vlad

ARMS = ("low", "high", "low_signal", "high_signal")
scores = st.lists(st.one_of(st.just(math.nan), st.floats(-4, 4)), min_size=1, max_size=40).map(np.array)
outcomes = st.lists(st.sampled_from([0, 0, 0, 1]), min_size=1, max_size=120).map(
    lambda y: np.array(y, dtype=float)
)
# Away from the lattice of the statistic, where a sum of roundings decides whether the threshold is reached.
thresholds = st.sampled_from([0.31831, 0.7311, 1.2347, 2.7183])
ratios = st.sampled_from([1.5, 2.0, 3.7])


def same(a: CusumPath, b: CusumPath) -> None:
    for name in ("low", "high"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-11)
    for name in ("low_signal", "high_signal"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def by_gap(path: CusumPath, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, CusumPath]:
    """Births of each gap, whether an event closed it, and the extremes of a path within each."""
    ends = np.flatnonzero(y) + 1
    bounds = np.unique(np.append(np.append(0, ends), len(y)))
    pieces = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    shown = CusumPath(
        np.array([path.low[s].min() for s in pieces]),
        np.array([path.high[s].max() for s in pieces]),
        np.array([path.low_signal[s].any() for s in pieces]),
        np.array([path.high_signal[s].any() for s in pieces]),
    )
    return np.diff(bounds).astype(float), np.array([y[s][-1] == 1 for s in pieces]), shown


@given(
    y=outcomes,
    chance=st.sampled_from([0.02, 0.2, 0.5, 0.9]),
    h=thresholds,
    ratio=ratios,
    restart=st.booleans(),
)
def test_gaps_show_the_extremes_of_the_births_one_by_one(
    y: np.ndarray, chance: float, h: float, ratio: float, restart: bool
) -> None:
    options: dict[str, Any] = {"odds_ratio": ratio, "h": h, "restart": restart}
    births, closed, shown = by_gap(bernoulli_cusum(y, chance=chance, **options), y)
    same(bernoulli_cusum_gaps(births, closed, chance=chance, **options), shown)


@given(y=outcomes, h=thresholds, ratio=ratios, restart=st.booleans(), data=st.data())
def test_risk_adjusted_gaps_show_the_extremes_of_the_births_one_by_one(
    y: np.ndarray, h: float, ratio: float, restart: bool, data: st.DataObject
) -> None:
    risk = st.sampled_from([0.013, 0.11, 0.37, 0.83])
    risks = np.array(data.draw(st.lists(risk, min_size=len(y), max_size=len(y))))
    options: dict[str, Any] = {"odds_ratio": ratio, "h": h, "restart": restart}
    births, closed, shown = by_gap(risk_adjusted_cusum(y, risks, **options), y)
    same(risk_adjusted_cusum_gaps(risks, births, closed, **options), shown)


@pytest.mark.parametrize("cells", [1, 200, 10**6])
def test_strata_of_gaps_together_are_as_alone(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qi_equity.formulas.risk_adjusted._CELLS", cells)
    rng = np.random.default_rng(8)
    births = rng.integers(1, 30, (5, 12)).astype(float)
    births[2, 6:] = math.nan
    births[4] = math.nan
    closed = rng.random((5, 12)) < 0.9
    each = rng.uniform(0.01, 0.5, int(np.nansum(births)))
    starts = np.append(0, np.nancumsum(np.nansum(births, axis=1))).astype(int)
    risky = risk_adjusted_cusum_gaps(each, births, closed, h=1.1)
    plain = bernoulli_cusum_gaps(births, closed, chance=0.07, h=1.1)
    for s in range(5):
        own = each[starts[s] : starts[s + 1]]
        for together, alone in (
            (risky, risk_adjusted_cusum_gaps(own, births[s], closed[s], h=1.1)),
            (plain, bernoulli_cusum_gaps(births[s], closed[s], chance=0.07, h=1.1)),
        ):
            for name in ARMS:
                np.testing.assert_array_equal(getattr(together, name)[s], getattr(alone, name))


@given(z=scores, head_start=st.sampled_from([0.0, 1.0]))
def test_the_mirror_image_swaps_the_arms(z: np.ndarray, head_start: float) -> None:
    path, mirrored = (tabular_cusum(y, h=2, head_start=head_start) for y in (z, -z))
    same(path, CusumPath(-mirrored.high, -mirrored.low, mirrored.high_signal, mirrored.low_signal))


@given(z=scores, place=st.integers(0, 40))
def test_a_missing_point_changes_no_other(z: np.ndarray, place: int) -> None:
    place = min(place, len(z))
    more = np.insert(z, place, math.nan)
    for cusum in (
        lambda y: tabular_cusum(y, h=2),
        lambda y: count_cusum(np.round(np.abs(y)), 20, 0.1, h=1),
        lambda y: bernoulli_cusum((y > 1) + 0 * y, chance=0.2, h=1),
    ):
        path, longer = cusum(z), cusum(more)
        for name in ARMS:
            np.testing.assert_array_equal(np.delete(getattr(longer, name), place), getattr(path, name))
    np.testing.assert_array_equal(np.delete(vlad(more, 0.3), place), vlad(z, 0.3))


@given(y=outcomes, chance=st.sampled_from([0.1, 0.4]), h=thresholds)
def test_counting_the_births_without_the_event_swaps_the_arms(y: np.ndarray, chance: float, h: float) -> None:
    path = bernoulli_cusum(y, chance=chance, h=h)
    other = bernoulli_cusum(1 - y, chance=1 - chance, h=h)
    same(path, CusumPath(-other.high, -other.low, other.high_signal, other.low_signal))


@given(y=outcomes, h=thresholds)
def test_one_birth_a_period_is_the_bernoulli_cusum_and_equal_risks_are_a_chance(
    y: np.ndarray, h: float
) -> None:
    path = bernoulli_cusum(y, chance=0.15, h=h, restart=False)
    same(count_cusum(y, 1, 0.15, h=h), path)
    same(risk_adjusted_cusum(y, 0.15, h=h, restart=False), path)


@pytest.mark.parametrize("dtype", [np.int8, np.float32, object])
def test_dtypes_do_not_matter(dtype: Any) -> None:
    x = np.array([1, 0, 4, 2, 7])
    same(
        count_cusum(x.astype(dtype), np.array([20] * 5, dtype=dtype), 0.1, h=1), count_cusum(x, 20, 0.1, h=1)
    )


def test_thresholds_of_strata_together_are_those_of_each_alone() -> None:
    births, chance = np.array([[12.0], [75], [300], [2000]]), np.array([[0.08], [0.004], [0.12], [0.02]])
    together = count_cusum_threshold(births, chance)
    rare = bernoulli_threshold(chance, 2.0, births * 100)
    for s in range(4):
        alone = count_cusum_threshold(births[s], chance[s])
        assert [alone.low[0], alone.high[0]] == [together.low[s, 0], together.high[s, 0]]
        one = bernoulli_threshold(chance[s], 2.0, births[s] * 100)
        assert [one.low[0], one.high[0]] == [rare.low[s, 0], rare.high[s, 0]]


@given(
    births=st.integers(5, 400),
    chance=st.floats(0.005, 0.3),
    runs=st.tuples(st.floats(10, 1500), st.floats(10, 1500)).map(sorted),
)
def test_a_longer_run_needs_no_lower_threshold(births: int, chance: float, runs: list[float]) -> None:
    for arm in count_cusum_threshold(births, chance, points_between=runs):
        assert 0 < arm[0] <= arm[1] * (1 + 1e-12)
