"""The smoking ban of Sicily, the standard example of an interrupted time series: its published numbers.

The data are not held here. A series of their shape, made from the published coefficients, goes through the
library as the data did: what it was made from has to come out again, the slope counted from the change and
from the start of the study as published.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import qi_equity as qe
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import fit_design
from qi_equity.change.study import make_study
from qi_equity.data.reference import resolve

NUMBERS = json.loads((Path(__file__).parent / "sicily_numbers.json").read_text("utf-8"))
MONTHS, BEFORE = NUMBERS["months"], NUMBERS["before"]
TIME = np.arange(1, MONTHS + 1.0)
AFTER = (TIME > BEFORE).astype(float)
SEASON = np.column_stack([f(k * 2 * np.pi * TIME / 12) for k in (1, 2) for f in (np.sin, np.cos)])
MODELS = {
    "quasi": (ChangeModel("own"), 0),
    "two_harmonics": (ChangeModel("own"), 2),
    "slope": (ChangeModel("own", slope=True), 2),
}


def study(model: str):
    """Give a study of the counts that the published coefficients expect, and its exposure."""
    step = np.log(NUMBERS[model]["ratio"][0])
    trend = np.log(NUMBERS["two_harmonics"]["trend_a_year"]) / 12
    bend = np.log(NUMBERS["slope"]["slope_ratio"][0]) if model == "slope" else 0.0
    waves = SEASON @ [0.05, 0.08, -0.03, 0.02] if model != "quasi" else 0.0
    # So many people that whole counts are as good as the expected ones.
    people = 3.7e14 * 1.0005**TIME
    log_rate = np.log(0.002) + step * AFTER + trend * TIME + bend * AFTER * (TIME - BEFORE) + waves
    rows = pd.DataFrame(
        {
            "month": pd.period_range("2002-01", periods=MONTHS, freq="M").astype(str),
            "episodes": np.round(people * np.exp(log_rate)),
            "people": people,
        }
    )
    measure = qe.Measure("acute coronary episodes", "rate", "lower")
    series = qe.from_counts(rows, measure, period="month", numerator="episodes", denominator="people")
    return make_study(series, "2005-01", resolve(0.002, series), 0)


@pytest.mark.parametrize("model", MODELS)
def test_the_published_step_and_trend_come_out(model):
    made = study(model)
    design = made.design(*MODELS[model])
    fit = fit_design(made.events, made.size, design, family="poisson")
    coef = dict(zip(design.terms, fit.coef[0], strict=True))
    assert np.exp(coef["step 1"]) == pytest.approx(NUMBERS[model]["ratio"][0], rel=1e-9)
    assert np.exp(12 * coef["trend"]) == pytest.approx(NUMBERS["two_harmonics"]["trend_a_year"], rel=1e-9)
    if model == "slope":
        assert np.exp(coef["slope 1"]) == pytest.approx(NUMBERS["slope"]["slope_ratio"][0], rel=1e-9)
    else:
        own, _ = made.effects(*MODELS[model], 0.95)
        assert own.ratio.estimate[0, 0] == pytest.approx(NUMBERS[model]["ratio"][0], rel=1e-9)


@pytest.mark.filterwarnings("ignore:Perfect separation or prediction")
def test_the_uncentred_level_is_the_published_wrong_one():
    """0.8309 in place of 0.8765, from the same fit: its time 0 is three years before the ban."""
    made = study("slope")
    design = made.design(*MODELS["slope"])
    fit = fit_design(made.events, made.size, design, family="poisson")
    wrong = np.column_stack([np.ones(MONTHS), AFTER, TIME, AFTER * TIME, SEASON])
    other = sm.GLM(made.events[0], wrong, family=sm.families.Poisson(), exposure=made.size[0])
    other = other.fit()
    rate = np.exp(fit.predictor(design.own, design.shared)[0])
    np.testing.assert_allclose(other.fittedvalues / made.size[0], rate, rtol=1e-9)
    assert np.exp(other.params[1]) == pytest.approx(NUMBERS["uncentred"]["ratio"][0], abs=2e-4)
    assert np.exp(fit.coef[0, 1]) == pytest.approx(NUMBERS["slope"]["ratio"][0], rel=1e-9)


def test_the_counterfactual_is_what_there_was_over_the_ratio():
    """Without a bend the expected events are the observed ones over the ratio: 19,723 / 0.8851."""
    made = study("two_harmonics")
    own, _ = made.effects(*MODELS["two_harmonics"], 0.95)
    people, events = made.size[0, BEFORE:].sum(), made.events[0, BEFORE:].sum()
    expected = own.before.estimate[0, 0] * people
    after = NUMBERS["after"]
    assert expected / events == pytest.approx(after["counterfactual"] / after["observed"], rel=1e-4)


@pytest.mark.parametrize("model", ["quasi", "two_harmonics"])
def test_the_published_intervals_are_of_the_published_dispersion(model):
    """And ours have t in place of the normal quantile."""
    entry = NUMBERS[model]
    error = entry.get("se", NUMBERS["poisson"]["se"] * np.sqrt(entry["dispersion"]))
    half = stats.norm.ppf(0.975) * error
    step = np.log(entry["ratio"][0])
    np.testing.assert_allclose(np.exp([step - half, step + half]), entry["ratio"][1:], atol=1e-4)
    made = study(model)
    design = made.design(*MODELS[model])
    own, _ = made.effects(*MODELS[model], 0.95)
    fit = fit_design(made.events, made.size, design, family="poisson")
    width = np.log(own.ratio.upper / own.ratio.estimate)[0, 0] / np.sqrt(fit.covariance[0, 1, 1])
    assert width == pytest.approx(stats.t.ppf(0.975, MONTHS - design.own.shape[-1]), rel=1e-7)
