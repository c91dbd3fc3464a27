"""Fitted and counterfactual lines: against closed forms, and statsmodels' predictions with their bands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import qi_equity as qe
from qi_equity.change.counterfactual import counterfactual_frame
from qi_equity.data.cells import PROVISIONAL
from qi_equity.data.series import StratifiedSeries
from qi_equity.formulas.ar1 import fit_ar1

MONTHS = [*pd.period_range("2022-01", periods=24, freq="M").astype(str)]
COUNTS = {"period": "month", "numerator": "x", "denominator": "n", "group": "group"}
PPH = qe.Measure("Haemorrhage", "proportion", "lower", unit="per 1000")
RNG = np.random.default_rng(7)
BIRTHS = {"Asian": RNG.integers(60, 110, 24), "Black": RNG.integers(90, 160, 24)}
EVENTS = {g: RNG.binomial(n, np.where(np.arange(24) < 12, 0.15, 0.09)) for g, n in BIRTHS.items()}
LINES = ["fitted", "fitted_lower", "fitted_upper"]
WITHOUT = ["counterfactual", "counterfactual_lower", "counterfactual_upper"]


def series(measure: qe.Measure = PPH, events: dict[str, Any] = EVENTS, **options: Any) -> StratifiedSeries:
    rows = pd.concat(
        pd.DataFrame({"month": MONTHS, "group": g, "x": events[g], "n": BIRTHS[g]}) for g in events
    )
    return qe.from_counts(rows, measure, **COUNTS, **options)


def of(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    return frame[frame["group"] == group].reset_index(drop=True)


def wilson(x: float, n: float, z: float) -> list[float]:
    """Wilson's score interval, from its formula."""
    p = x / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return [(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)]


def test_a_level_model_has_the_pooled_rate_of_each_segment() -> None:
    frame = counterfactual_frame(qe.evaluate_change(series(), "2023-01", reference="rest"))
    assert frame["segment"].tolist() == ([0] * 12 + [1] * 12) * 2
    for group in EVENTS:
        part, x, n = of(frame, group), EVENTS[group], BIRTHS[group]
        assert part["numerator"].tolist() == x.tolist()
        np.testing.assert_allclose(part["observed"], x / n)
        before, after = x[:12].sum() / n[:12].sum(), x[12:].sum() / n[12:].sum()
        np.testing.assert_allclose(part["fitted"], [before] * 12 + [after] * 12)
        assert part.loc[:11, WITHOUT].isna().all(axis=None)
        np.testing.assert_allclose(part.loc[12:, "counterfactual"], before)
        np.testing.assert_allclose(part.loc[12:, WITHOUT], [part.loc[0, LINES].tolist()] * 12)


def test_the_interval_of_a_level_is_wilsons_of_effective_counts() -> None:
    part = of(counterfactual_frame(qe.evaluate_change(series(), "2023-01", reference="rest")), "Black")
    x, n = EVENTS["Black"], BIRTHS["Black"]
    p = np.repeat([x[:12].sum() / n[:12].sum(), x[12:].sum() / n[12:].sum()], 12)
    phi = max(1, ((x - n * p) ** 2 / (n * p * (1 - p))).sum() / 22)
    z, wide = stats.norm.ppf(0.975), np.sqrt(phi) * stats.t.ppf(0.975, 22) / stats.norm.ppf(0.975)
    for rows in (slice(0, 12), slice(12, 24)):
        told = part.loc[rows.start, ["fitted_lower", "fitted_upper"]].tolist()
        np.testing.assert_allclose(told, wilson(x[rows].sum() / wide**2, n[rows].sum() / wide**2, z))


@pytest.mark.parametrize("kind", ["proportion", "rate"])
@pytest.mark.parametrize(("slope", "harmonics"), [(False, 0), (True, 1)])
def test_regressions_have_the_band_of_statsmodels(kind: Any, slope: bool, harmonics: int) -> None:
    model = qe.ChangeModel(trend="own", slope=slope)
    evaluation = qe.evaluate_change(
        series(qe.Measure("Haemorrhage", kind, "lower")), "2023-01", reference="rest", model=model,
        seasonal=harmonics,
    )  # fmt: skip
    t = np.arange(24.0)
    place = 2 * np.pi * t / 12
    columns = [np.ones(24), t >= 12, t - 11, *([np.maximum(t - 11, 0)] if slope else [])]
    columns += [np.sin(place), np.cos(place)] if harmonics else []
    x = np.column_stack(columns).astype(float)
    none = x.copy()
    none[:, [1, 3] if slope else [1]] = 0
    frame = counterfactual_frame(evaluation)
    for group in EVENTS:
        y, n = EVENTS[group], BIRTHS[group]
        if kind == "proportion":
            glm = sm.GLM(np.column_stack([y, n - y]), x, family=sm.families.Binomial())
        else:
            glm = sm.GLM(y, x, family=sm.families.Poisson(), offset=np.log(n))
        # By default statsmodels stops while its weights still differ in the seventh digit.
        plain = glm.fit(tol=1e-15, maxiter=200)
        phi = max(1.0, plain.pearson_chi2 / plain.df_resid)
        fit = glm.fit(scale=phi, use_t=True, tol=1e-15, maxiter=200)
        part = of(frame, group)
        for design, names, rows in ((x, LINES, slice(0, 24)), (none, WITHOUT, slice(12, 24))):
            offset = {} if kind == "proportion" else {"offset": np.zeros(24)}
            told = fit.get_prediction(design, **offset).summary_frame()
            expected = told[["mean", "mean_ci_lower", "mean_ci_upper"]].to_numpy()
            np.testing.assert_allclose(part.loc[rows, names], expected[rows], rtol=1e-8)


def test_of_what_is_wanted_the_lines_are_turned_back_as_measured() -> None:
    good = {g: BIRTHS[g] - EVENTS[g] for g in EVENTS}
    for model in ("level", "level+trend"):
        bad = qe.evaluate_change(series(), "2023-01", reference="rest", model=model)
        well = qe.evaluate_change(
            series(qe.Measure("Well", "proportion", "higher"), good), "2023-01", reference="rest", model=model
        )
        one, other = counterfactual_frame(bad), counterfactual_frame(well)
        for names in (LINES, WITHOUT):
            estimate, low, high = names
            np.testing.assert_allclose(other[names], 1 - one[[estimate, high, low]], rtol=1e-9)
        np.testing.assert_allclose(other["observed"], 1 - one["observed"])


def test_means_have_the_lines_of_the_regression_with_correlated_neighbours() -> None:
    values = 30 + RNG.normal(0, 1, 24) - 4 * (np.arange(24) >= 12)
    rows = pd.DataFrame({"month": MONTHS, "group": "All", "v": values, "s": 5.0, "n": 50})
    measure = qe.Measure("Minutes", "mean", "lower", unit="min")
    columns = {"period": "month", "value": "v", "sd": "s", "denominator": "n", "group": "group"}
    evaluation = qe.evaluate_change(
        qe.from_counts(rows, measure, **columns), "2023-01", reference=30.0, model="level+trend"
    )
    t = np.arange(24.0)
    x = np.column_stack([np.ones(24), t >= 12, t - 11]).astype(float)
    fit = fit_ar1(values, x)
    half = stats.t.ppf(0.975, 21) * np.sqrt(np.diag(x @ fit.covariance @ x.T))
    frame = counterfactual_frame(evaluation)
    np.testing.assert_allclose(frame["fitted"], x @ fit.coef)
    np.testing.assert_allclose(frame["fitted_upper"], x @ fit.coef + half)
    without = x * [1, 0, 1]
    np.testing.assert_allclose(frame.loc[12:, "counterfactual"], (without @ fit.coef)[12:])


def test_strata_with_next_to_no_events_have_the_level_lines_by_which_they_were_judged() -> None:
    few = {"Asian": np.eye(1, 24, 3, dtype=int)[0], "Black": EVENTS["Black"]}
    evaluation = qe.evaluate_change(series(events=few), "2023-01", reference="Black", model="level+trend")
    assert evaluation.groups["estimator"].tolist() == ["exact mid-P", "quasi-binomial"]
    frame = counterfactual_frame(evaluation)
    assert of(frame, "Asian")["fitted"].nunique() == 2
    assert of(frame, "Asian").loc[23, "fitted"] == 0
    assert of(frame, "Asian").loc[23, "counterfactual"] == pytest.approx(1 / BIRTHS["Asian"][:12].sum())
    assert of(frame, "Black")["fitted"].nunique() == 24


def test_of_two_changes_the_counterfactual_is_that_without_either() -> None:
    evaluation = qe.evaluate_change(series(), ["2022-09", "2023-05"], reference="rest")
    part = of(counterfactual_frame(evaluation), "Black")
    assert part["segment"].tolist() == [0] * 8 + [1] * 8 + [2] * 8
    x, n = EVENTS["Black"], BIRTHS["Black"]
    rates = [x[k : k + 8].sum() / n[k : k + 8].sum() for k in (0, 8, 16)]
    np.testing.assert_allclose(part["fitted"], np.repeat(rates, 8))
    np.testing.assert_allclose(part["counterfactual"], [np.nan] * 8 + [rates[0]] * 16)


def test_a_shared_trend_belongs_to_the_line_without_the_change() -> None:
    evaluation = qe.evaluate_change(series(), "2023-01", reference="rest", model="level+shared trend")
    frame, terms = counterfactual_frame(evaluation), evaluation.terms()
    for group in EVENTS:
        part = of(frame, group)
        step = terms.loc[(terms["group"] == group) & (terms["term"] == "step 1"), "estimate"].item()
        logit = np.log(part[["fitted", "counterfactual"]] / (1 - part[["fitted", "counterfactual"]]))
        moved = (logit["fitted"] - logit["counterfactual"])[12:]
        np.testing.assert_allclose(moved, step, rtol=1e-9)


def test_left_out_periods_have_no_fit_but_a_counterfactual() -> None:
    evaluation = qe.evaluate_change(series(), "2023-01", reference="rest", phase_in=3)
    part = of(counterfactual_frame(evaluation), "Black")
    assert part["segment"].tolist() == [0] * 12 + [-1] * 3 + [1] * 9
    assert part.loc[12:14, LINES].isna().all(axis=None)
    assert part.loc[12:14, [*WITHOUT, "observed"]].notna().all(axis=None)
    ramp = qe.evaluate_change(
        series(), "2023-01", reference="rest", phase_in=3, model=qe.ChangeModel(phase_in="ramp")
    )
    assert of(counterfactual_frame(ramp), "Black")["fitted"].notna().all()


def test_provisional_periods_are_told_as_left_out_and_missing_ones_keep_their_place() -> None:
    given = {**EVENTS, "Asian": [*EVENTS["Asian"][:6], None, *EVENTS["Asian"][7:]]}
    whole = series(events=given)
    status = whole.cells.status.copy()
    status[:, 22:] = PROVISIONAL
    provisional = replace(whole, cells=replace(whole.cells, status=status))
    frame = counterfactual_frame(qe.evaluate_change(provisional, "2023-01", reference="rest"))
    assert (frame["segment"] == -1).sum() == 4
    assert frame.loc[frame["segment"] == -1, "observed"].notna().all()
    assert frame.loc[frame["segment"] == -1, LINES].isna().all(axis=None)
    missing = of(frame, "Asian").loc[6]
    assert missing["segment"] == 0
    assert np.isnan(missing["observed"])
    assert np.isfinite(missing["fitted"])


def test_where_nothing_can_be_said_there_is_no_line() -> None:
    rows = pd.DataFrame(
        {"month": MONTHS * 2, "group": ["Asian"] * 24 + ["Black"] * 24,
         "x": [0] * 24 + [*EVENTS["Black"]], "n": [0] * 24 + [*BIRTHS["Black"]]}
    )  # fmt: skip
    for model in ("level", "level+trend"):
        evaluation = qe.evaluate_change(
            qe.from_counts(rows, PPH, **COUNTS), "2023-01", reference=0.1, model=model
        )
        part = of(counterfactual_frame(evaluation), "Asian")
        assert part[["observed", *LINES, *WITHOUT]].isna().all(axis=None)
        assert len(part) == 24


def test_a_stratum_without_a_change_has_no_counterfactual() -> None:
    at = pd.DataFrame({"group": ["Asian"], "start": ["2023-01-01"], "reason": ["agreed in December"]})
    frame = counterfactual_frame(qe.evaluate_change(series(), at, reference="Black"))
    assert of(frame, "Black")[WITHOUT].isna().all(axis=None)
    assert of(frame, "Black")["segment"].eq(0).all()
    assert of(frame, "Asian").loc[12:, WITHOUT].notna().all(axis=None)


def test_columns_and_types_are_fixed() -> None:
    evaluation = qe.evaluate_change(series(), "2023-01", reference="rest")
    frame = evaluation.counterfactual()
    rest = ["period", "segment", "numerator", "denominator", "observed", *LINES, *WITHOUT]
    assert frame.columns.tolist() == ["group", *rest]
    assert frame["period"].dtype.kind == "M"
    assert frame["segment"].dtype == np.int64
    assert all(frame[c].dtype == np.float64 for c in rest[2:])
    again = qe.ChangeEvaluation.from_dict(evaluation.to_dict()).counterfactual()
    pd.testing.assert_frame_equal(again, frame)
