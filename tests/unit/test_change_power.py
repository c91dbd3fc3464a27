"""What the births could have shown, never from the change seen; the cost of a trend by statsmodels."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import qi_equity as qe
from qi_equity.change.design import Schedule, make_design
from qi_equity.change.effects import change_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.power import POWER, chance_if_read_each_period, power_of
from qi_equity.change.study import AS_MEASURED, REVERSED
from qi_equity.formulas.detectable_change import births_needed, power_of_change, smallest_detectable_ratio
from qi_equity.formulas.interim_looks import chance_of_false_signal

NAN = np.nan
RNG = np.random.default_rng(21)
MODELS = {
    "level": (ChangeModel(), 0),
    "trend": (ChangeModel("own"), 0),
    "trend and season": (ChangeModel("own"), 1),
    "two harmonics": (ChangeModel("own"), 2),
    "slope": (ChangeModel("own", slope=True), 0),
    "shared": (ChangeModel("shared"), 1),
}


def laid_out(model, harmonics, starts, periods, phase_in=0):
    starts = np.array(starts, float)
    time = np.arange(periods)
    segment = (time >= starts[..., None]).sum(axis=-2)
    return make_design(Schedule(segment, starts, phase_in, time / 12 % 1), model, harmonics)


def study(events, size, family="binomial", way=AS_MEASURED):
    return SimpleNamespace(
        events=np.atleast_2d(np.array(events, float)),
        size=np.atleast_2d(np.array(size, float)),
        family=family,
        way=way,
    )


def seen(of, design, confidence=0.95):
    return change_effects(of.events, of.size, design, family=of.family, confidence=confidence)


def power(of, design, meaningful=0.75, confidence=0.95, own=None):
    own = seen(of, design, confidence) if own is None else own
    return power_of(of, design, own, meaningful, confidence)


@pytest.mark.parametrize("name", MODELS)
@given(after=st.integers(0, 3600), family=st.sampled_from(["binomial", "poisson"]))
def test_the_events_after_the_change_say_nothing_of_what_could_be_seen(name, after, family):
    """Births and dispersion are held; the events after the change are any."""
    design = laid_out(*MODELS[name], [[12], [15]], 24)
    events = np.tile([30.0, 28, 33, 36, 25, 31, 29, 27, 35, 30, 33, 28], (2, 2))
    of = study(events, np.full((2, 24), 300.0), family)
    own = seen(of, design)
    changed = events.copy()
    changed[:, 15:] = 0
    changed[:, 15 : 15 + after // 300] = 300
    changed[:, 15 + after // 300 :][:, :1] = after % 300
    found, other = (power(replace_events(of, x), design, own=own) for x in (events, changed))
    for part in ("smallest", "births", "periods"):
        np.testing.assert_array_equal(getattr(found, part)[1], getattr(other, part)[1])


def replace_events(of, events):
    return SimpleNamespace(**{**vars(of), "events": events})


def test_a_level_is_the_formula_with_dispersion_and_t():
    events = np.array([[9, 14, 5, 12, 11, 7, 3, 6, 9, 2, 4, 8]], float)
    of = study(events, np.full((1, 12), 80.0))
    design = laid_out(ChangeModel(), 0, [[6]], 12)
    own = replace(seen(of, design), dispersion=np.array([[1.8]]), df=np.array([[10.0]]))
    found = power(of, design, own=own)
    wide = 1.8 * (stats.t.ppf(0.975, 10) / stats.norm.ppf(0.975)) ** 2
    smallest = smallest_detectable_ratio(58 / 480, 480, 480, inflation=wide)
    assert found.smallest[0, 0] == pytest.approx(smallest[0], rel=1e-9)
    needed = births_needed(58 / 480, 0.75, 480, inflation=wide)
    assert found.births[0, 0] == needed[0] - 480 or np.isinf(needed[0])
    assert power_of_change(58 / 480, found.smallest, 480, 480, inflation=wide)[0, 0] == pytest.approx(
        POWER, abs=0.01
    )


def test_births_and_periods_still_needed():
    design = laid_out(ChangeModel(), 0, [[24]], 36)
    of = study(np.full((2, 36), 36.0), np.array([[300.0] * 36, [30000.0] * 36]))
    of.events[1] = 3600
    found = power(of, design)
    wide = (stats.t.ppf(0.975, 34) / stats.norm.ppf(0.975)) ** 2
    needed = births_needed(0.12, 0.75, 7200, inflation=wide)[0]
    assert needed < 3600
    assert found.births[:, 0].tolist() == [0, 0]
    few = study(of.events / 4, of.size / 4)
    found = power(few, design)
    needed = births_needed(0.12, 0.75, 1800, inflation=wide)[0]
    assert found.births[0, 0] == pytest.approx(needed - 900, rel=1e-6)
    assert found.periods[0, 0] == pytest.approx((needed - 900) / 75, rel=1e-6)
    blank = study(np.where(np.arange(36) % 3 == 2, NAN, few.events), few.size)
    fewer = power(blank, design)
    assert fewer.periods[0, 0] == pytest.approx(fewer.births[0, 0] / 75, rel=1e-9)
    tiny = power(study([[1.0] * 36], [[9.0] * 36]), design)
    assert tiny.births[0, 0] == tiny.periods[0, 0] == np.inf


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.filterwarnings("ignore:Perfect separation or prediction")
@pytest.mark.parametrize("name", [n for n in MODELS if n != "shared"])
def test_what_trend_and_season_cost_by_statsmodels_at_a_constant_rate(name, family):
    """The variance of the averaged step, fitted to expected counts, over that of two pools."""
    model, harmonics = MODELS[name]
    design = laid_out(model, harmonics, [[14]], 27, phase_in=2)
    size = RNG.integers(100, 400, (1, 27)).astype(float)
    size[0, 4] = 0
    of = study(size * 0.12, size, family)
    used = (size[0] > 0) & (design.segment[0] >= 0)
    x, n, columns = of.events[0, used], size[0, used], design.own[0, used]
    if family == "binomial":
        fit = sm.GLM(np.column_stack([x, n - x]), columns, family=sm.families.Binomial()).fit()
    else:
        fit = sm.GLM(x, columns, family=sm.families.Poisson(), exposure=n).fit()
    share = np.where(design.counted[0, 0], size[0], 0)
    step = share / share.sum() @ (design.own[0] - design.without[0, 0])
    before, after = n[design.segment[0, used] == 0].sum(), n[design.segment[0, used] == 1].sum()
    spread = 0.12 * 0.88 if family == "binomial" else 0.12
    one = 1 / 0.12 / 0.88 if family == "binomial" else 1 / 0.12
    assert one == pytest.approx(1 / spread)
    cost = step @ fit.cov_params(scale=1.0) @ step / ((1 / before + 1 / after) / spread)
    own = seen(of, design)
    found = power(of, design, own=own)
    kind = "proportion" if family == "binomial" else "rate"
    wide = cost * (stats.t.ppf(0.975, own.df[0, 0]) / stats.norm.ppf(0.975)) ** 2
    expected = smallest_detectable_ratio(0.12, before, after, kind=kind, inflation=wide)[0]
    assert found.smallest[0, 0] == pytest.approx(expected, rel=1e-7)
    if name != "level":
        assert cost > 1.5


def test_what_a_trend_costs_is_what_was_published_as_a_factor_of_the_standard_error():
    """12 and 12 months: with a trend 2.01 times that of two means, with one harmonic too 3.01 times."""
    for (model, harmonics), factor in (
        ((ChangeModel("own"), 0), 2.01),
        ((ChangeModel("own"), 1), 3.01),
        ((ChangeModel("own"), 2), 3.96),
    ):
        design = laid_out(model, harmonics, [[12]], 24)
        own = seen(study([[1200.0] * 24], [[10000.0] * 24]), design)
        found = power(study([[1200.0] * 24], [[10000.0] * 24]), design, own=own)
        wide = factor**2 * (stats.t.ppf(0.975, own.df[0, 0]) / stats.norm.ppf(0.975)) ** 2
        expected = smallest_detectable_ratio(0.12, 120000, 120000, inflation=wide)[0]
        assert 1 - found.smallest[0, 0] == pytest.approx(1 - expected, rel=0.005)


@pytest.mark.filterwarnings("ignore:Perfect separation or prediction")
def test_what_a_shared_trend_costs_by_one_dense_model_and_falls_with_the_strata():
    model, harmonics = MODELS["shared"]
    sizes = RNG.integers(100, 900, (3, 24)).astype(float)
    rates = np.array([[0.12], [0.05], [0.2]])
    design = laid_out(model, harmonics, [[12], [14], [10]], 24)
    of = study(sizes * rates, sizes)
    own = seen(of, design)
    p = design.own.shape[-1]
    big = np.zeros((3, 24, 3 * p + 1))
    for k in range(3):
        big[k, :, k * p : (k + 1) * p] = design.own[k]
        big[k, :, -1] = design.shared[k, :, 0]
    x, n = of.events.ravel(), sizes.ravel()
    fit = sm.GLM(np.column_stack([x, n - x]), big.reshape(72, -1), family=sm.families.Binomial()).fit()
    covariance = np.asarray(fit.cov_params(scale=1.0))
    found = power(of, design, own=own)
    alone = power(
        study(of.events[:1], sizes[:1]),
        laid_out(ChangeModel("own"), harmonics, [[12]], 24),
        own=own.take([0]),
    )
    for k in range(3):
        before, after = (
            sizes[k, : design.segment[k].argmax()].sum(),
            sizes[k, design.segment[k].argmax() :].sum(),
        )
        step = k * p + 1
        rate = rates[k, 0]
        cost = covariance[step, step] / ((1 / before + 1 / after) / (rate * (1 - rate)))
        wide = cost * (stats.t.ppf(0.975, own.df[k, 0]) / stats.norm.ppf(0.975)) ** 2
        expected = smallest_detectable_ratio(rate, before, after, inflation=wide)[0]
        assert found.smallest[k, 0] == pytest.approx(expected, rel=1e-6)
    assert alone.smallest[0, 0] < found.smallest[0, 0]
    one = power(study(of.events[:1], sizes[:1]), laid_out(model, harmonics, [[12]], 24), own=own.take([0]))
    assert one.smallest[0, 0] == pytest.approx(alone.smallest[0, 0], rel=1e-9)


def test_a_stratum_with_one_of_two_changes():
    of = study(np.full((2, 30), 36.0), np.full((2, 30), 300.0))
    model = ChangeModel("own")
    found = power(of, laid_out(model, 0, [[10, 20], [15, NAN]], 30))
    alone = power(study(of.events[1:], of.size[1:]), laid_out(model, 0, [[15]], 30))
    assert found.smallest[1, 0] == pytest.approx(alone.smallest[0, 0], rel=1e-9)
    assert np.isnan(found.smallest[1, 1])
    assert np.isfinite(found.smallest[0]).all()


def test_nothing_known_is_nan():
    design = laid_out(ChangeModel("own"), 0, [[12]] * 3, 24)
    events = np.full((3, 24), 30.0)
    events[0, 12:] = NAN
    events[1] = NAN
    found = power(study(events, np.full((3, 24), 300.0)), design)
    assert np.isnan(found.smallest[:2]).all()
    assert np.isnan(found.births[:2]).all()
    assert np.isfinite(found.smallest[2, 0])
    season = laid_out(ChangeModel("own"), 5, [[4]], 8)
    short = power(study([[30.0] * 8], [[300.0] * 8]), season)
    assert np.isnan(short.smallest[0, 0])


def test_of_measures_of_which_more_is_better_a_rise_is_planned_for():
    design = laid_out(ChangeModel(), 0, [[12]], 24)
    of = study([[30.0] * 24], [[300.0] * 24], "poisson", REVERSED)
    own = seen(of, design)
    found = power(of, design, own=own.reversed())
    wide = (stats.t.ppf(0.975, 22) / stats.norm.ppf(0.975)) ** 2
    rise = smallest_detectable_ratio(0.1, 3600, 3600, kind="rate", direction="rise", inflation=wide)[0]
    assert found.smallest[0, 0] == pytest.approx(1 / rise, rel=1e-9)
    needed = births_needed(0.1, 1 / 0.75, 3600, kind="rate", inflation=wide)[0]
    assert found.births[0, 0] == pytest.approx(max(needed - 3600, 0), rel=1e-6)


def test_means_by_their_standard_error():
    values = 30 + RNG.normal(0, 2, (2, 24))
    values[1] = 1.5 + RNG.normal(0, 2, 24)
    design = laid_out(ChangeModel(), 0, [[12], [12]], 24)
    of = study(values, np.full((2, 24), 40.0), "gaussian")
    own = seen(of, design)
    found = power(of, design, own=own)
    error = (own.difference.upper - own.difference.estimate)[0, 0] / stats.norm.ppf(0.975)
    step = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error / own.before.estimate[0, 0]
    assert found.smallest[0, 0] == pytest.approx(1 - step, rel=1e-9)
    assert np.isnan(found.smallest[1, 0])
    assert np.isnan(found.births).all()
    assert np.isnan(found.periods).all()
    moved = seen(study(values - 5 * (np.arange(24) >= 12), of.size, "gaussian"), design)
    np.testing.assert_allclose(power(of, design, own=moved).smallest[0], found.smallest[0], rtol=1e-6)
    rising = SimpleNamespace(**{**vars(of), "way": REVERSED})
    turned = power(rising, design, own=own.reversed())
    assert turned.smallest[0, 0] == pytest.approx(1 / (1 + step), rel=1e-9)
    assert 0 < turned.smallest[1, 0] < 1


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_reading_every_month_adds_to_the_chance_of_a_false_improvement(confidence):
    design = laid_out(ChangeModel(), 0, [[12], [12]], 18)
    of = study(np.full((2, 18), 12.0), np.full((2, 18), 100.0))
    found = chance_if_read_each_period(of, design, confidence)
    information = 1 / (1 / 2400 + 1 / (200 * np.arange(1, 7)))
    assert found[0] == pytest.approx(
        float(chance_of_false_signal(information, confidence=confidence, sides=1))
    )
    assert found[0] > (1 - confidence) / 2
    z = stats.norm.ppf((1 + confidence) / 2)
    increments = np.diff(information, prepend=0)
    rng = np.random.default_rng(4)
    walk = (rng.normal(size=(200000, 6)) * np.sqrt(increments)).cumsum(axis=1) / np.sqrt(information)
    assert found[0] == pytest.approx((walk < -z).any(axis=1).mean(), abs=0.003)


def test_the_readings_of_a_second_change_and_of_months_without_births():
    design = laid_out(ChangeModel(), 0, [[6, 12]], 18)
    size = np.full((1, 18), 100.0)
    size[0, 8] = 0
    events = np.where(np.arange(18) == 14, NAN, np.full((1, 18), 12.0))
    found = chance_if_read_each_period(study(events, size), design, 0.95)
    first = 1 / (1 / 600 + 1 / (100 * np.arange(1, 6)))
    second = 1 / (1 / 500 + 1 / (100 * np.arange(1, 6)))
    expected = [float(chance_of_false_signal(i, confidence=0.95, sides=1)) for i in (first, second)]
    np.testing.assert_allclose(found, expected)
    none = chance_if_read_each_period(study(np.where(np.arange(18) >= 12, NAN, events), size), design, 0.95)
    assert np.isnan(none[1])


def monthly(after, model, births=600):
    months = pd.period_range("2023-01", periods=12 + after, freq="M").astype(str)
    rows = pd.DataFrame({"month": months, "pph": births // 10, "births": births})
    rows.loc[12:, "pph"] = births // 12
    series = qe.from_counts(
        rows, qe.measures["pph_1500"], period="month", numerator="pph", denominator="births"
    )
    return qe.evaluate_change(series, "2024-01", reference=0.05, model=model).groups.iloc[0]


@pytest.mark.parametrize("model", ["level+trend", "level+shared trend"])
def test_what_is_needed_under_a_trend_holds_when_it_has_come(model):
    # With two months after the change a trend costs little, with a year nearly four times the births.
    now = monthly(2, model)
    more = int(now["periods_needed"])
    assert now["births_needed"] == more * 600
    assert more > 4
    # By another path: what the births could have shown once those months are there, and three months earlier.
    assert monthly(2 + more, model)["smallest_detectable"] >= 0.75
    assert not monthly(2 + more - 3, model)["smallest_detectable"] >= 0.75


def test_too_little_before_is_not_said_of_a_trend_that_more_months_would_tell_apart():
    found = monthly(6, "level+trend", births=240)
    assert found["verdict"] == "not yet visible"
    assert np.isfinite(found["periods_needed"])
    assert np.isinf(monthly(6, "level+trend", births=24)["periods_needed"])


def test_nothing_is_needed_any_more_where_another_change_came_since():
    months = pd.period_range("2022-01", periods=36, freq="M").astype(str)
    rows = pd.DataFrame({"month": months, "pph": [6, 5, 7] * 12, "births": 100})
    series = qe.from_counts(
        rows, qe.measures["pph_1500"], period="month", numerator="pph", denominator="births"
    )
    found = qe.evaluate_change(series, ["2023-01", "2024-01"], reference=0.05).groups
    assert found["verdict"].eq("not yet visible").all()
    assert found["births_needed"].isna().tolist() == [True, False]
