"""Which way of estimating a change is taken, and that it is the same for one network and for thousands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from qi_equity.change.averages import mean_effects
from qi_equity.change.design import Schedule, make_design
from qi_equity.change.effects import change_effects
from qi_equity.change.estimate import Effects, around, exponential, inflation, t_of, two_sided_p
from qi_equity.change.level import level_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import regression_effects
from qi_equity.formulas.interval import Interval

NAN = np.nan
RNG = np.random.default_rng(8)
T = 24


def laid_out(model, harmonics=0, starts=None, lead=()):
    starts = np.array([[12.0]] * 4 if starts is None else starts)
    starts = np.broadcast_to(starts, (*lead, *starts.shape))
    time = np.arange(T)
    segment = (time >= starts[..., None]).sum(axis=-2)
    return make_design(Schedule(segment, starts, 0, time / 12 % 1), model, harmonics)


def counts(shape=(4,), rate=0.1):
    size = RNG.integers(50, 300, (*shape, T)).astype(float)
    return RNG.binomial(size.astype(int), rate).astype(float), size


def same(one, other, rtol=1e-12):
    for field in dataclasses.fields(Effects):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, Interval):
            for end in ("estimate", "lower", "upper"):
                np.testing.assert_allclose(getattr(a, end), getattr(b, end), rtol=rtol, atol=1e-12)
        else:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_level_is_the_closed_form_and_a_trend_a_regression(family):
    events, size = counts()
    options = {"family": family, "confidence": 0.9}
    plain = laid_out(ChangeModel())
    found = change_effects(events, size, plain, **options)
    same(found, level_effects(events, size, plain.segment, 1, **options))
    trend = laid_out(ChangeModel("own"), 1)
    same(change_effects(events, size, trend, **options), regression_effects(events, size, trend, **options))


def test_means_are_means():
    values, size = RNG.normal(30, 2, (4, T)), np.full((4, T), 50.0)
    design = laid_out(ChangeModel("own"))
    found = change_effects(values, size, design, family="gaussian", confidence=0.95)
    same(found, mean_effects(values, size, design, confidence=0.95))


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("model", [ChangeModel("own"), ChangeModel("shared"), ChangeModel("own", slope=True)])
def test_next_to_no_events_on_a_side_are_compared_exactly_without_the_trend(model, family):
    events, size = counts()
    events[0, 12:] = 0
    events[1] = 0
    events[1, [3, 20]] = [7, 4]
    events[2] = 0
    events[2, [2, 8, 15]] = [3, 2, 5]
    design = laid_out(model)
    options = {"family": family, "confidence": 0.95}
    found = change_effects(events, size, design, **options)
    level = level_effects(events, size, design.segment, 1, **options)
    fitted = regression_effects(events, size, design, **options)
    assert found.exact[:, 0].tolist() == [True, True, False, False]
    same(found.take([0, 1]), level.take([0, 1]))
    same(found.take([2, 3]), fitted.take([2, 3]))
    assert found.ratio.estimate[0, 0] == 0
    assert found.ratio.lower[0, 0] == 0
    assert np.isfinite(found.ratio.upper[0, 0])


def test_next_to_no_births_without_the_event_are_few_too():
    events, size = counts()
    events[0, 12:] = size[0, 12:]
    found = change_effects(events, size, laid_out(ChangeModel("own")), family="binomial", confidence=0.95)
    assert found.exact[:, 0].tolist() == [True, False, False, False]
    rates = change_effects(events, size, laid_out(ChangeModel("own")), family="poisson", confidence=0.95)
    assert not rates.exact.any()


def test_each_change_falls_back_by_itself():
    events, size = counts()
    events[0, 18:] = 0
    design = laid_out(ChangeModel("own"), starts=[[8.0, 18.0]] * 4)
    found = change_effects(events, size, design, family="poisson", confidence=0.95)
    assert found.exact.tolist() == [[False, True], [False, False], [False, False], [False, False]]
    assert found.ratio.upper[0, 1] < 1
    events[0, [19, 22]] = [2, 1]
    found = change_effects(events, size, design, family="poisson", confidence=0.95)
    fitted = regression_effects(events, size, design, family="poisson", confidence=0.95)
    assert found.exact.tolist()[0] == [False, True]
    assert np.isfinite(fitted.ratio.upper[0, 0])
    np.testing.assert_array_equal(found.ratio.upper[:, 0], fitted.ratio.upper[:, 0])
    assert found.ratio.upper[0, 1] != fitted.ratio.upper[0, 1]


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian"])
@pytest.mark.parametrize("name", ["level", "trend", "shared", "slope"])
def test_one_call_of_many_networks_is_many_calls(name, family):
    model = {
        "level": ChangeModel(),
        "trend": ChangeModel("own"),
        "shared": ChangeModel("shared"),
        "slope": ChangeModel("own", slope=True),
    }[name]
    if family == "gaussian" and name == "shared":
        model = ChangeModel("own")
    events, size = counts((5, 4), 0.04)
    events[0, 0, 12:] = events[1, 2] = 0
    events[2, 1, 5] = NAN
    events[3, 3] = NAN
    if family == "gaussian":
        events = np.where(np.isfinite(events), RNG.normal(20, 3, events.shape), NAN)
    options = {"family": family, "confidence": 0.95, "counted_once": np.array([True, True, True, False])}
    many = change_effects(events, size, laid_out(model, lead=(5,)), **options)
    for r in range(5):
        alone = change_effects(events[r], size[r], laid_out(model), **options)
        same(many.take(r), alone, rtol=1e-7)


def test_quantiles_and_p_values_with_and_without_degrees_of_freedom():
    df = np.array([1.0, 22.0, np.inf, NAN])
    t = t_of(df, 0.95)
    np.testing.assert_allclose(t[:3], [12.706204736, 2.073873068, 1.959963985], rtol=1e-9)
    assert np.isnan(t[3])
    np.testing.assert_allclose(two_sided_p(t[:3], df[:3]), 0.05, rtol=1e-9)
    np.testing.assert_allclose(two_sided_p(-t[:3], df[:3]), 0.05, rtol=1e-9)
    assert np.isnan(two_sided_p(np.array(2.0), np.array(NAN)))
    wide = inflation(np.array([4.0, 1.0]), np.array([22.0, np.inf]), 0.95)
    np.testing.assert_allclose(wide, [2 * 2.073873068 / 1.959963985, 1], rtol=1e-9)


def test_an_interval_on_the_log_scale():
    log = around(np.array([0.0, 1.0]), np.array([0.1, 1e6]), np.array([2.0, 2.0]))
    back = exponential(log)
    np.testing.assert_allclose(back.lower, [np.exp(-0.2), 0])
    np.testing.assert_allclose(back.upper, [np.exp(0.2), np.inf])
