"""Pooling over sites: numbers by other ways, who is left out and why, one and two sites, sparse sites.

The formulas are held to metafor and lme4 in tests/reference/test_meta_golden.py. No published data set of a
change in several sites with counts by group, site and month was found; the stepped wedge is checked against
statsmodels' GLM with dummies, the randomisation test against a loop over all assignments.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from qi_equity.change.evaluate import evaluate_change
from qi_equity.change.pooling.compute import pool_changes
from qi_equity.change.pooling.layout import layout_of
from qi_equity.change.pooling.pool import pool_sites
from qi_equity.change.pooling.randomisation import assignments, randomisation_test, steps
from qi_equity.change.pooling.result import PooledEffect
from qi_equity.change.pooling.stepped_wedge import period_effects
from qi_equity.change.result import ChangeEvaluation
from qi_equity.data.counts import from_counts
from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas.meta_analysis import meta_analysis
from qi_equity.formulas.mixed_sites import conditional_sites, mixed_sites

PPH = Measure("Postpartum haemorrhage", "proportion", "lower", unit="%")
GROUPS = (("Asian", 60, 0.06, 0.7), ("Black", 40, 0.12, 0.4), ("White", 150, 0.05, 1.0))
MONTHS = 24


def month(m: int) -> str:
    return f"{2022 + m // 12}-{m % 12 + 1:02d}"


def made(
    sites: int = 5,
    *,
    starts: list[int] | None = None,
    groups: tuple[tuple[str, int, float, float], ...] = GROUPS,
    seed: int = 1,
    measure: Measure = PPH,
    months: int = MONTHS,
) -> StratifiedSeries:
    """Counts of several sites; the odds of each group change by a factor at the start of its site."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(sites):
        start = months // 2 if starts is None else starts[s]
        for group, births, rate, factor in groups:
            base = rate / (1 - rate) * np.exp(0.2 * rng.standard_normal())
            after = base * factor * np.exp(0.15 * rng.standard_normal())
            for m in range(months):
                n = int(rng.poisson(births * (0.6 + 0.2 * s)))
                odds = after if m >= start else base
                rows.append((month(m), f"Site {s + 1}", group, int(rng.binomial(n, odds / (1 + odds))), n))
    return of_rows(rows, measure)


def of_rows(rows: list[tuple[Any, ...]], measure: Measure = PPH) -> StratifiedSeries:
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    if measure.kind == "count":
        frame = frame.drop(columns="n")
    denominator = None if measure.kind == "count" else "n"
    return from_counts(
        frame, measure, period="month", numerator="x", denominator=denominator, group="group", site="site"
    )


def constant(cells: dict[tuple[str, str], tuple[int, int, int]], measure: Measure = PPH) -> StratifiedSeries:
    """Two months before and two after: half of the events before, after, and of the births each."""
    rows = []
    for (site, group), (before, after, births) in cells.items():
        for m, total in ((0, before), (1, before), (2, after), (3, after)):
            rows.append((month(m), site, group, total // 2 + (m % 2) * (total % 2), births // 2))
    return of_rows(rows, measure)


def staggered(starts: list[int], **options: Any) -> ChangeEvaluation:
    series = made(len(starts), starts=starts, **options)
    at = pd.DataFrame(
        {"site": [f"Site {i + 1}" for i in range(len(starts))], "start": [month(m) for m in starts]}
    )
    return evaluate_change(series, at, reference="White")


def row(table: pd.DataFrame, group: str, scale: str = "ratio", change: int = 1) -> pd.Series:
    (found,) = table[
        (table["group"] == group) & (table["scale"] == scale) & (table["change"] == change)
    ].to_dict("records")
    return pd.Series(found)


@pytest.fixture(scope="module")
def evaluation() -> ChangeEvaluation:
    return evaluate_change(made(), month(12), reference="White")


@pytest.fixture(scope="module")
def pooled(evaluation: ChangeEvaluation) -> PooledEffect:
    return pool_sites(evaluation)


# ---- two stages ----------------------------------------------------------------------------------------


def by_hand(evaluation: ChangeEvaluation, group: str) -> tuple[np.ndarray, np.ndarray]:
    """Log ratios of the sites of a group and their variances, from the intervals of the evaluation."""
    own = evaluation.groups[evaluation.groups["group"] == group]
    t = stats.t.ppf(0.975, own["df"])
    width = np.log(own["ratio_upper"]) - np.log(own["ratio_lower"])
    return np.log(own["ratio"].to_numpy()), ((width / (2 * t)) ** 2).to_numpy()


@pytest.mark.parametrize("method", ["reml", "dl", "pm", "ml", "eb", "he", "fixed"])
def test_two_stages_are_a_meta_analysis_of_the_sites(evaluation: ChangeEvaluation, method: str) -> None:
    found = pool_sites(evaluation, method=method)
    for group in ("Asian", "Black", "White"):
        y, v = by_hand(evaluation, group)
        wanted = meta_analysis(y, v, tau2=method)
        told = row(found.groups, group)
        numbers = [told[c] for c in ("estimate", "lower", "upper")]
        np.testing.assert_allclose(numbers, np.exp([wanted.estimate, wanted.lower, wanted.upper]), rtol=1e-9)
        np.testing.assert_allclose(told["p"], wanted.p, rtol=1e-7)
        np.testing.assert_allclose(told["tau2"], wanted.tau2, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(told["i2"], wanted.i2, rtol=1e-7, atol=1e-12)
        own = found.sites[
            (found.sites["group"] == group)
            & (found.sites["what"] == "change")
            & (found.sites["scale"] == "ratio")
        ]
        np.testing.assert_allclose(own["weight"], wanted.weights, rtol=1e-7)
        np.testing.assert_allclose(own["estimate"], np.exp(y))


@pytest.mark.parametrize("interval", ["z", "t", "knapp-hartung", "knapp-hartung-modified"])
def test_the_interval_is_the_one_asked_for(evaluation: ChangeEvaluation, interval: str) -> None:
    found = pool_sites(evaluation, interval=interval)
    y, v = by_hand(evaluation, "Black")
    wanted = meta_analysis(y, v, test=interval)
    assert row(found.groups, "Black")["upper"] == pytest.approx(np.exp(float(wanted.upper)))
    assert found.method["interval"] == interval


def test_the_variance_of_a_gap_is_the_sum_of_both(evaluation: ChangeEvaluation, pooled: PooledEffect) -> None:
    (y, v), (y0, v0) = (by_hand(evaluation, g) for g in ("Black", "White"))
    wanted = meta_analysis(y - y0, v + v0)
    told = row(pooled.gaps, "Black")
    assert told["gap_change"] == pytest.approx(np.exp(float(wanted.estimate)))
    assert told["gap_change_lower"] == pytest.approx(np.exp(float(wanted.lower)))
    assert told["gap_before"] > 1.5
    assert told["verdict"] == "narrowed"
    assert told["reference"] == "White"


def test_leaving_a_site_out_is_pooling_a_series_without_it(
    evaluation: ChangeEvaluation, pooled: PooledEffect
) -> None:
    rest = evaluation.series.select(site=["Site 1", "Site 2", "Site 4", "Site 5"])
    without = pool_sites(evaluate_change(rest, month(12), reference="White"))
    sites = pooled.sites
    told = sites[(sites["site"] == "Site 3") & (sites["group"] == "Asian") & (sites["what"] == "change")]
    wanted = without.groups[without.groups["group"] == "Asian"]
    np.testing.assert_allclose(told["without"], wanted["estimate"], rtol=1e-9)
    np.testing.assert_allclose(told["without_upper"], wanted["upper"], rtol=1e-9)


def test_groups_are_pooled_alone_and_never_together(
    evaluation: ChangeEvaluation, pooled: PooledEffect
) -> None:
    alone = pool_sites(
        evaluate_change(evaluation.series.select(group=["Black", "White"]), month(12), reference="White")
    )
    for table in ("groups", "gaps"):
        one, all_of = getattr(alone, table), getattr(pooled, table)
        both = all_of[all_of["group"].isin(["Black", "White"])].reset_index(drop=True)
        numbers = one.select_dtypes("number").columns.drop("family_p", errors="ignore")
        pd.testing.assert_frame_equal(one[numbers], both[numbers])


def test_the_order_of_sites_does_not_matter(pooled: PooledEffect) -> None:
    frame = made().data.iloc[::-1]
    counts = frame[["period", "site", "group", "numerator", "denominator"]].astype(
        {"site": str, "group": str}
    )
    rows = [(str(p)[:7], s, g, int(x), int(n)) for p, s, g, x, n in counts.itertuples(index=False)]
    other = pool_sites(evaluate_change(of_rows(rows), month(12), reference="White"))
    pd.testing.assert_frame_equal(
        other.groups.select_dtypes("number"), pooled.groups.select_dtypes("number"), rtol=1e-8
    )


def test_family_verdicts_are_holms_over_the_declared_groups(evaluation: ChangeEvaluation) -> None:
    found = pool_sites(evaluate_change(evaluation.series, month(12), reference="White", primary="Black"))
    told = row(found.groups, "Black")
    assert told["family_p"] == pytest.approx(told["p"])
    assert np.isnan(row(found.groups, "Asian")["family_p"])
    every = pool_sites(evaluation).groups
    ratio = every[every["scale"] == "ratio"].sort_values("p")
    assert ratio["family_p"].iloc[0] == pytest.approx(3 * ratio["p"].iloc[0])


# ---- who is left out -----------------------------------------------------------------------------------


def sparse() -> StratifiedSeries:
    return constant(
        {
            ("A", "Asian"): (14, 6, 100),
            ("A", "White"): (30, 30, 900),
            ("B", "Asian"): (10, 0, 80),
            ("B", "White"): (22, 24, 700),
            ("C", "Asian"): (12, 4, 90),
            ("C", "White"): (28, 20, 800),
            ("D", "Asian"): (0, 0, 20),
            ("D", "White"): (40, 44, 900),
            ("E", "Asian"): (0, 0, 0),
            ("E", "White"): (10, 12, 300),
        }
    )


def test_what_is_left_out_is_named_with_its_reason() -> None:
    found = pool_sites(evaluate_change(sparse(), month(2), reference="White"))
    told = row(found.groups, "Asian")
    assert (told["sites"], told["left_out"]) == (2, 3)
    own = found.sites[
        (found.sites["group"] == "Asian")
        & (found.sites["scale"] == "ratio")
        & (found.sites["what"] == "change")
    ].set_index("site")
    assert own.loc["A", "left_out"] == own.loc["C", "left_out"] == ""
    assert own.loc["B", "left_out"].startswith("no event before or after")
    assert own.loc["E", "left_out"].startswith("no births")
    assert own.loc["B", "weight"] == 0
    notes = found.notes.set_index("code")
    (text,) = found.notes.loc[found.notes["code"] == "left_out_of_change", "text"]
    assert "B, D (no event before or after" in text or "B (no event before or after" in text
    assert "method='exact' keeps them" in text
    assert {"left_out_of_change", "left_out_of_gap", "few_sites"} <= set(notes.index)


def test_the_exact_method_keeps_sites_without_an_event_after() -> None:
    found = pool_sites(evaluate_change(sparse(), month(2), reference="White"), method="exact")
    told = row(found.groups, "Asian", "odds ratio")
    assert (told["sites"], told["left_out"]) == (3, 2)
    x = [[14, 6], [10, 0], [12, 4], [0, 0]]
    n = [[100, 100], [80, 80], [90, 90], [20, 20]]
    wanted = conditional_sites(x, n)
    numbers = [told[c] for c in ("estimate", "lower", "upper", "p")]
    np.testing.assert_allclose(
        numbers, [*np.exp([wanted.estimate, wanted.lower, wanted.upper]), wanted.p], rtol=1e-7
    )
    own = found.sites[(found.sites["what"] == "change") & (found.sites["scale"] == "odds ratio")]
    sites = own[own["group"] == "Asian"].set_index("site")
    assert sites.loc["D", "left_out"].startswith("no event in it")
    assert sites.loc["B", "left_out"] == ""
    assert sites.loc["B", "weight"] > 0.05


def test_one_site_is_itself() -> None:
    series = made(1)
    evaluation = evaluate_change(series, month(12), reference="White")
    own = evaluation.groups.set_index("group")
    for method in ("reml", "fixed", "one-stage", "exact"):
        found = pool_sites(evaluation, method=method)
        assert "one_site" in set(found.notes["code"])
        told = row(found.groups, "Black", "odds ratio")
        assert told["estimate"] == pytest.approx(own.loc["Black", "odds_ratio"], rel=2e-3)
        assert np.isnan(told["tau2"])
        assert np.isnan(told["prediction_lower"])
    two_stage = row(pool_sites(evaluation).groups, "Black")
    for theirs, ours in (("ratio", "estimate"), ("ratio_lower", "lower"), ("ratio_upper", "upper")):
        assert two_stage[ours] == pytest.approx(own.loc["Black", theirs])
    gap = row(pool_sites(evaluation).gaps, "Black")
    theirs = evaluation.gaps.set_index(["group", "scale"]).loc[("Black", "ratio")]
    for name in ("gap_before", "gap_after", "gap_change", "gap_change_lower", "gap_change_upper"):
        assert gap[name] == pytest.approx(theirs[name]), name
    assert gap["verdict"] == theirs["verdict"]


def test_two_sites_have_one_degree_of_freedom_and_it_is_said() -> None:
    found = pool_sites(evaluate_change(made(2), month(12), reference="White"))
    told = row(found.groups, "Black")
    assert np.log(told["upper"] / told["lower"]) > 2
    assert told["verdict"] == "not yet visible"
    (text,) = set(found.notes.loc[found.notes["code"] == "few_sites", "text"])
    assert text.startswith("Pooled from 2 sites")


def test_no_event_after_at_any_site_has_no_finite_estimate() -> None:
    cells = {(s, g): (10, 0 if g == "Asian" else 12, 200) for s in "ABC" for g in ("Asian", "White")}
    evaluation = evaluate_change(constant(cells), month(2), reference="White")
    for method in ("one-stage", "exact"):
        found = pool_sites(evaluation, method=method)
        told = row(found.groups, "Asian", "odds ratio")
        assert told["estimate"] == 0
        assert np.isnan([told["lower"], told["upper"], told["p"]]).all()
        assert told["verdict"] == "not yet visible"
        assert "no_finite_estimate" in set(found.notes["code"])
    two = pool_sites(evaluation)
    assert np.isnan(row(two.groups, "Asian")["estimate"])
    assert "no_site" in set(two.notes["code"])
    assert "not yet visible for Asian (no estimate)" in two.sentence()
    assert "no interval" in found.sentence()
    assert "pooled odds ratio" not in found.alt_text()["text"].iloc[0]


def test_a_group_without_births_is_a_row() -> None:
    cells = {(s, g): (10, 8, 200) for s in "AB" for g in ("Asian", "White")}
    cells |= {(s, "Other"): (0, 0, 0) for s in "AB"}
    for method in ("reml", "exact", "one-stage"):
        found = pool_sites(evaluate_change(constant(cells), month(2), reference="White"), method=method)
        told = row(found.groups, "Other", "odds ratio")
        assert np.isnan(told["estimate"])
        assert (told["sites"], told["verdict"]) == (0, "not yet visible")


def test_unknown_ethnicity_stays_a_row() -> None:
    rows = [(month(m), s, g, 5 + (g == "Z"), 100) for m in range(4) for s in "AB" for g in ("A", "M", "Z")]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    series = from_counts(
        frame,
        PPH,
        period="month",
        numerator="x",
        denominator="n",
        group="group",
        site="site",
        scheme="nhs-2001",
    ).collapse("broad")
    groups = pool_sites(evaluate_change(series, month(2), reference="White")).groups["group"].astype(str)
    assert "Not stated" in set(groups)


# ---- one stage -----------------------------------------------------------------------------------------


def totals(series: StratifiedSeries, group: str, start: int) -> tuple[np.ndarray, np.ndarray]:
    data = series.data[series.data["group"].astype(str) == group]
    after = pd.to_datetime(data["period"].astype(str)).rank(method="dense") > start
    sums = (
        data.assign(after=after).groupby(["site", "after"], observed=True)[["numerator", "denominator"]].sum()
    )
    x, n = (sums[c].to_numpy().reshape(-1, 2) for c in ("numerator", "denominator"))
    return x, n


def test_the_exact_gap_is_that_of_two_fits(evaluation: ChangeEvaluation) -> None:
    found = pool_sites(evaluation, method="exact")
    own, other = (conditional_sites(*totals(evaluation.series, g, 12)) for g in ("Black", "White"))
    told = row(found.gaps, "Black", "odds ratio")
    se = np.hypot(own.se, other.se)
    half = stats.t.ppf(0.975, 4) * se
    assert np.log(told["gap_change"]) == pytest.approx(float(own.estimate - other.estimate))
    assert np.log(told["gap_change_upper"]) == pytest.approx(float(own.estimate - other.estimate + half))
    assert told["tau2"] == pytest.approx(float(own.tau**2 + other.tau**2), abs=1e-9)
    assert told["p"] == pytest.approx(2 * stats.t.cdf(-abs(float(own.estimate - other.estimate)) / se, 4))


def test_one_stage_divides_counts_by_their_dispersion(evaluation: ChangeEvaluation) -> None:
    found = pool_sites(evaluation, method="one-stage", interval="z")
    x, n = totals(evaluation.series, "Asian", 12)
    phi = evaluation.groups.loc[evaluation.groups["group"] == "Asian", "dispersion"].to_numpy()[:, None]
    wanted = mixed_sites(x / phi, n / phi, test="z")
    told = row(found.groups, "Asian", "odds ratio")
    np.testing.assert_allclose(
        [told["estimate"], told["lower"]], np.exp([wanted.estimate, wanted.lower]), rtol=1e-7
    )
    assert (phi > 1).any()


def test_ratios_of_count_models_are_at_the_rate_before(evaluation: ChangeEvaluation) -> None:
    found = pool_sites(evaluation, method="exact")
    x, n = totals(evaluation.series, "Black", 12)
    before = x[:, 0].sum() / n[:, 0].sum()
    odds, ratio = (row(found.groups, "Black", s)["estimate"] for s in ("odds ratio", "ratio"))
    after = odds * before / (1 - before) / (1 + odds * before / (1 - before))
    assert ratio == pytest.approx(after / before)
    assert "ratio_from_odds_ratio" in set(found.notes["code"])


def test_rates_are_pooled_as_rates() -> None:
    measure = Measure("Falls", "rate", "lower", unit="per 1000", counts="woman")
    evaluation = evaluate_change(made(measure=measure), month(12), reference="White")
    found = pool_sites(evaluation, method="exact")
    assert set(found.groups["scale"]) == set(found.gaps["scale"]) == {"ratio"}
    wanted = conditional_sites(*totals(evaluation.series, "Black", 12), family="poisson")
    assert row(found.groups, "Black")["estimate"] == pytest.approx(np.exp(float(wanted.estimate)))
    assert set(pool_sites(evaluation).groups["scale"]) == {"difference", "ratio"}


def test_more_is_better_turns_round() -> None:
    measure = Measure("Reviews", "rate", "higher", unit="per 1000", counts="woman")
    groups = (("Asian", 60, 0.06, 1.6), ("White", 150, 0.05, 1.0))
    evaluation = evaluate_change(made(measure=measure, groups=groups), month(12), reference="White")
    for method in ("reml", "exact"):
        told = row(pool_sites(evaluation, method=method).groups, "Asian")
        assert told["estimate"] < 0.8
        assert told["verdict"] == "improved"
    wanted = conditional_sites(*totals(evaluation.series, "Asian", 12), family="poisson")
    exact = row(pool_sites(evaluation, method="exact").groups, "Asian")
    assert exact["estimate"] == pytest.approx(np.exp(-float(wanted.estimate)))
    assert exact["lower"] == pytest.approx(np.exp(-float(wanted.upper)))
    assert "higher than before for Asian" in pool_sites(evaluation).sentence()


def test_a_target_does_not_move(evaluation: ChangeEvaluation) -> None:
    against = evaluate_change(evaluation.series, month(12), reference=0.05)
    for method in ("reml", "one-stage", "exact"):
        found = pool_sites(against, method=method)
        scale = "ratio" if method == "reml" else "odds ratio"
        own, gap = row(found.groups, "Black", scale), row(found.gaps, "Black", scale)
        assert gap["gap_change"] == pytest.approx(own["estimate"])
        assert gap["gap_change_upper"] == pytest.approx(own["upper"])


def test_several_changes_are_pooled_one_by_one() -> None:
    evaluation = evaluate_change(made(), [month(8), month(16)], reference="White")
    for method in ("reml", "exact"):
        found = pool_sites(evaluation, method=method)
        assert found.groups["change"].unique().tolist() == [1, 2]
        assert "change 2" in found.sentence()
    with pytest.raises(OptionError, match="at= names 2 changes"):
        pool_sites(evaluation, method="stepped-wedge")


# ---- stepped wedge -------------------------------------------------------------------------------------


def glm(evaluation: ChangeEvaluation, group: str, starts: list[int]) -> tuple[float, float]:
    """Fit site and month dummies and the step by statsmodels, with each site's own dispersion as weights."""
    data = evaluation.series.data
    data = data[data["group"].astype(str) == group]
    site = data["site"].cat.codes.to_numpy()
    time = pd.to_datetime(data["period"].astype(str)).rank(method="dense").astype(int).to_numpy() - 1
    x, n = data["numerator"].to_numpy(float), data["denominator"].to_numpy(float)
    after = (time >= np.array(starts)[site]).astype(float)
    design = np.column_stack(
        [
            (site[:, None] == np.arange(len(starts))).astype(float),
            (time[:, None] == np.arange(1, MONTHS)).astype(float),
            after,
        ]
    )
    y = np.column_stack([x, n - x])
    fit = sm.GLM(y, design, family=sm.families.Binomial()).fit(tol=1e-13)
    pearson = np.array([((fit.resid_pearson[site == s]) ** 2).sum() for s in range(len(starts))])
    df = MONTHS - 1 - MONTHS / len(starts)
    phi = np.maximum(1, pearson / df)
    weighted = sm.GLM(y, design, family=sm.families.Binomial(), freq_weights=1 / phi[site]).fit(tol=1e-13)
    return float(weighted.params[-1]), float(np.sqrt(weighted.cov_params()[-1, -1]))


def test_the_stepped_wedge_is_a_glm_with_sites_and_months() -> None:
    starts = [4, 8, 12, 16]
    evaluation = staggered(starts, groups=(("Black", 200, 0.15, 0.6), ("White", 300, 0.1, 1.0)))
    found = pool_sites(evaluation, method="stepped-wedge")
    t = stats.t.ppf(0.975, 3)
    fits = {g: glm(evaluation, g, starts) for g in ("Black", "White")}
    for group, (step, se) in fits.items():
        told = row(found.groups, group, "odds ratio")
        assert np.log(told["estimate"]) == pytest.approx(step, rel=1e-6)
        assert np.log(told["upper"]) == pytest.approx(step + t * se, rel=1e-5)
    gap = row(found.gaps, "Black", "odds ratio")
    difference = fits["Black"][0] - fits["White"][0]
    se = np.hypot(fits["Black"][1], fits["White"][1])
    assert np.log(gap["gap_change"]) == pytest.approx(difference, rel=1e-6)
    assert np.log(gap["gap_change_lower"]) == pytest.approx(difference - t * se, rel=1e-5)


def test_the_stepped_wedge_is_not_misled_by_a_trend() -> None:
    """Every site improves with the calendar, none at its start."""
    rng = np.random.default_rng(3)
    starts = [6, 10, 14, 18, 20]
    rows = [
        (month(m), f"Site {s + 1}", g, int(rng.binomial(400, 0.12 * 0.95**m)), 400)
        for s in range(5)
        for g in ("Black", "White")
        for m in range(MONTHS)
    ]
    at = pd.DataFrame({"site": [f"Site {i + 1}" for i in range(5)], "start": [month(m) for m in starts]})
    evaluation = evaluate_change(of_rows(rows), at, reference="White")
    naive = row(pool_sites(evaluation).groups, "Black")
    wedge = row(pool_sites(evaluation, method="stepped-wedge").groups, "Black")
    assert naive["verdict"] == "improved"
    assert wedge["lower"] < 1 < wedge["upper"]
    assert abs(np.log(wedge["estimate"])) < 0.15


def test_periods_with_few_events_are_taken_together() -> None:
    events = np.array([[[3, 1, 4, 9, 0, 1]], [[9, 9, 9, 9, 9, 9]], [[0, 0, 0, 0, 0, 1]]], dtype=float)
    births = np.full(events.shape, 50.0)
    assert period_effects(events, births, "binomial").tolist() == [
        [0, 0, 0, 1, 1, 1],
        [0, 1, 2, 3, 4, 5],
        [0, 0, 0, 0, 0, 0],
    ]
    assert period_effects(births - events, births, "binomial")[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert period_effects(births - events, births, "poisson")[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_stepped_wedge_that_cannot_be_told_apart_says_so() -> None:
    starts = [6, 12, 18]
    groups = (("Black", 1, 0.001, 1.0), ("White", 200, 0.1, 1.0))
    found = pool_sites(staggered(starts, groups=groups, seed=5), method="stepped-wedge")
    told = row(found.groups, "Black", "odds ratio")
    assert np.isnan(told["estimate"])
    assert told["verdict"] == "not yet visible"
    assert "no_stepped_wedge" in set(found.notes["code"])


def test_a_stepped_wedge_against_a_target_has_the_change_of_the_group() -> None:
    evaluation = staggered([6, 12, 18])
    against = evaluate_change(evaluation.series, evaluation.options["at"], reference=0.1)
    found = pool_sites(against, method="stepped-wedge")
    own, gap = row(found.groups, "Black", "odds ratio"), row(found.gaps, "Black", "odds ratio")
    assert gap["gap_change"] == pytest.approx(own["estimate"])
    assert found.randomisation_test().equals(randomisation_test(against))


def test_broken_counts_are_refused_by_the_exact_method(evaluation: ChangeEvaluation) -> None:
    study = evaluation.study
    halves = replace(study, events=study.events + 0.01)
    with pytest.raises(OptionError, match="method='exact' needs whole counts"):
        pool_changes(halves, layout_of(study), dict(evaluation.options), "exact", "t")


def test_starts_at_the_same_time_are_refused(evaluation: ChangeEvaluation) -> None:
    for ask in (lambda e: pool_sites(e, method="stepped-wedge"), randomisation_test):
        with pytest.raises(OptionError, match="all start together: time and change cannot be told apart"):
            ask(evaluation)


# ---- randomisation -------------------------------------------------------------------------------------


def one_step(x: np.ndarray, n: np.ndarray, after: np.ndarray) -> float:
    """One Newton step from the model of sites and months, by matrices."""
    sites, months = x.shape
    site, time = (a.ravel() for a in np.meshgrid(range(sites), range(months), indexing="ij"))
    z = np.column_stack(
        [(site[:, None] == np.arange(sites)), (time[:, None] == np.arange(1, months))]
    ).astype(float)
    y = np.column_stack([x.ravel(), (n - x).ravel()])
    null = sm.GLM(y, z, family=sm.families.Binomial()).fit(tol=1e-13)
    pearson = np.array([(null.resid_pearson[site == s] ** 2).sum() for s in range(sites)])
    phi = np.maximum(1, pearson / (months - 1 - (months - 1) / sites))
    null = sm.GLM(y, z, family=sm.families.Binomial(), freq_weights=1 / phi[site]).fit(tol=1e-13)
    p = null.fittedvalues
    w = n.ravel() * p * (1 - p) / phi[site]
    a = after.ravel().astype(float)
    inside = a - z @ np.linalg.solve(z.T @ (w[:, None] * z), z.T @ (w * a))
    return float(a @ ((x.ravel() - n.ravel() * p) / phi[site]) / (a @ (w * inside)))


def test_the_randomisation_test_is_a_loop_over_all_assignments() -> None:
    starts = [6, 6, 12, 18]
    evaluation = staggered(starts, groups=(("Black", 300, 0.15, 0.7), ("White", 400, 0.1, 1.0)))
    found = randomisation_test(evaluation)
    assert (found.assignments, found.drawn) == (12, 12)
    assert found.smallest_p == pytest.approx(1 / 12)
    for group in ("Black", "White"):
        data = evaluation.series.data
        data = data[data["group"].astype(str) == group].sort_values(["site", "period"])
        x, n = (data[c].to_numpy(float).reshape(4, MONTHS) for c in ("numerator", "denominator"))
        every = {}
        for order in permutations(starts):
            every[order] = one_step(x, n, np.arange(MONTHS) >= np.array(order)[:, None])
        real = every[tuple(starts)]
        told = found.table.set_index("group").loc[group]
        assert told["statistic"] == pytest.approx(real, rel=1e-6)
        assert told["p"] == pytest.approx(np.mean(np.abs([*every.values()]) >= abs(real) - 1e-9))


def test_too_many_assignments_are_drawn_by_the_seed() -> None:
    evaluation = staggered(
        [4, 6, 8, 10, 12, 14, 16], groups=(("Black", 60, 0.1, 0.5), ("White", 90, 0.1, 1.0))
    )
    one, same, other = (randomisation_test(evaluation, draws=200, seed=s) for s in (1, 1, 2))
    assert (one.assignments, one.drawn) == (5040, 200)
    assert one.smallest_p == pytest.approx(1 / 200)
    assert one.equals(same)
    assert not one.equals(other)
    assert not one.table["p"].equals(other.table["p"])
    assert "200 draws" in one.note


def test_assignments_are_distinct_and_the_real_one_is_first() -> None:
    starts = np.array([5.0, -1.0, 5.0, 9.0])
    found, number = assignments(starts, 100, np.random.default_rng(0))
    assert number == len(found) == len(np.unique(found, axis=0)) == 12
    assert (found[0] == starts).all()
    assert (np.sort(found, axis=1) == np.sort(starts)).all()


def test_without_a_change_p_is_that_of_chance_even_where_months_hang_together() -> None:
    """Of 300 networks without a change whose rates walk at random, a tenth has p of 0.1 or less."""
    rng = np.random.default_rng(8)
    starts = np.array([4.0, 8, 12, 16, 20])
    walk = np.cumsum(0.15 * rng.standard_normal((300, 5, MONTHS)), axis=-1)
    rate = (0.1 * np.exp(walk - walk.mean(axis=-1, keepdims=True))).clip(0.01, 0.5)
    births = np.full(rate.shape, 100.0)
    study = staggered([6, 12]).study
    orders, number = assignments(starts, 200, rng)
    step = np.abs(steps(study, rng.binomial(100, rate).astype(float), births, orders))
    p = (step >= step[:, :1] * (1 - 1e-9)).mean(axis=1)
    assert number == 120
    low, high = stats.binom.ppf([0.001, 0.999], 300, 0.1)
    assert low <= (p <= 0.1).sum() <= high


def test_groups_that_start_apart_have_no_randomisation_by_site() -> None:
    series = made(3)
    at = pd.DataFrame(
        {
            "site": ["Site 1", "Site 2", "Site 3"] * 2,
            "group": ["Black"] * 3 + ["White"] * 3,
            "start": [month(m) for m in (6, 10, 14, 8, 12, 16)],
        }
    )
    evaluation = evaluate_change(series, at, reference="White")
    with pytest.raises(OptionError, match="groups of one site start at different times"):
        randomisation_test(evaluation)


# ---- the result ----------------------------------------------------------------------------------------


def test_columns_are_the_same_whatever_the_method(evaluation: ChangeEvaluation) -> None:
    every = [pool_sites(evaluation, method=m) for m in ("reml", "one-stage", "exact")]
    every.append(pool_sites(staggered([4, 8, 12, 16, 20]), method="stepped-wedge"))
    for table in ("groups", "gaps", "sites"):
        kinds = {tuple(getattr(p, table).dtypes.astype(str).items()) for p in every}
        assert len(kinds) == 1, kinds


@pytest.mark.parametrize("method", ["reml", "exact"])
def test_a_pooled_effect_is_kept_by_json(evaluation: ChangeEvaluation, method: str) -> None:
    found = pool_sites(evaluation, method=method)
    again = PooledEffect.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    assert not again.equals(pool_sites(evaluation, method="dl"))
    assert not again.equals("text")
    for table in ("groups", "gaps", "sites", "notes"):
        pd.testing.assert_frame_equal(getattr(again, table), getattr(found, table))


@pytest.mark.parametrize("broken", ["evaluation", "tables", "notes"])
def test_broken_data_are_refused(pooled: PooledEffect, broken: str) -> None:
    data = pooled.to_dict()
    with pytest.raises(DataError, match="not the data of a PooledEffect"):
        PooledEffect.from_dict({**data, broken: 3})
    with pytest.raises(DataError, match="wanted is 'PooledEffect'"):
        PooledEffect.from_dict({"type": "other"})


def test_tables_are_copies(pooled: PooledEffect) -> None:
    for table in ("groups", "gaps", "sites", "notes"):
        taken = getattr(pooled, table)
        taken[taken.columns[0]] = "x"
        assert (getattr(pooled, table)[taken.columns[0]] != "x").all()


def test_it_says_in_words_what_it_found(pooled: PooledEffect) -> None:
    text = pooled.sentence()
    assert text.endswith(" Whether these changes stand apart from an earlier trend is not told here.")
    assert text.startswith("Postpartum haemorrhage, over 5 sites: lower than before for Asian (ratio 0.")
    assert "narrowed for Black (ratio of the gap after to before 0." in text
    assert "caused" not in text
    told = pooled.alt_text().set_index("group")["text"]
    assert told["Black"].startswith("Black: pooled ratio 0.")
    assert "Site 5" in told["Black"]
    assert "3 groups over 5 sites, reml" in repr(pooled)
    assert "<h4>Postpartum haemorrhage" in pooled._repr_html_()


def test_left_out_sites_are_in_the_words_for_those_who_do_not_see() -> None:
    found = pool_sites(evaluate_change(sparse(), month(2), reference="White"))
    text = found.alt_text().set_index("group").loc["Asian", "text"]
    assert "E left out: no births" in text


def test_disclosed_effects_are_reckoned_from_what_may_leave() -> None:
    cells = {(s, g): (14, x, 80) for s, x in (("A", 12), ("B", 4)) for g in ("Asian", "White")}
    evaluation = evaluate_change(constant(cells), month(2), reference="White")
    found = pool_sites(evaluation, method="exact")
    out = found.disclose("dqmi")
    assert out.equals(pool_sites(out.evaluation, method="exact"))
    assert not out.evaluation.equals(evaluation)
    assert row(out.groups, "Asian", "odds ratio")["sites"] < row(found.groups, "Asian", "odds ratio")["sites"]


def test_the_method_says_what_was_done(pooled: PooledEffect) -> None:
    method = dict(pooled.method)
    assert method["variance between sites"] == "restricted maximum likelihood"
    assert method["degrees of freedom"] == "sites less 1"
    assert method["sites"] == [f"Site {i}" for i in range(1, 6)]
    assert method["evaluation"]["model"] == "level"
    with pytest.raises(TypeError):
        pooled.method["x"] = 1


# ---- refused -------------------------------------------------------------------------------------------


def test_options_are_checked(evaluation: ChangeEvaluation) -> None:
    with pytest.raises(OptionError, match="Did you mean 'reml'"):
        pool_sites(evaluation, method="remml")
    with pytest.raises(OptionError, match="interval='wald'"):
        pool_sites(evaluation, interval="wald")
    for ask in (pool_sites, randomisation_test):
        with pytest.raises(InputTypeError, match="give what evaluate_change"):
            ask(3)


def test_a_series_without_sites_has_nothing_to_pool() -> None:
    series = made().pool()
    if "site" in series.cells.strata:
        pytest.fail("the series still has sites")
    evaluation = evaluate_change(series, month(12), reference="White")
    with pytest.raises(OptionError, match="holds no sites"):
        pool_sites(evaluation)


@pytest.mark.parametrize("method", ["one-stage", "exact"])
def test_models_of_totals_are_for_level_models(evaluation: ChangeEvaluation, method: str) -> None:
    trend = evaluate_change(evaluation.series, month(12), reference="White", model="level+trend")
    with pytest.raises(OptionError, match="more than a level"):
        pool_sites(trend, method=method)
    assert np.isfinite(row(pool_sites(trend).groups, "Black")["estimate"])


def test_means_are_pooled_in_two_stages() -> None:
    rng = np.random.default_rng(2)
    measure = Measure("Blood loss", "mean", "lower", unit="ml")
    rows = [
        (month(m), s, g, 500 - 60 * (m >= 12) * (g == "Black") + 10 * rng.standard_normal(), 40.0, 150.0)
        for m in range(MONTHS)
        for s in "ABCD"
        for g in ("Black", "White")
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "y", "n", "sd"])
    series = from_counts(
        frame, measure, period="month", value="y", denominator="n", sd="sd", group="group", site="site"
    )
    evaluation = evaluate_change(series, month(12), reference="White")
    found = pool_sites(evaluation)
    told = row(found.groups, "Black", "difference")
    assert told["estimate"] == pytest.approx(-60, abs=6)
    assert told["verdict"] == "no meaningful change" or told["verdict"] == "improved"
    for method in ("one-stage", "exact", "stepped-wedge"):
        with pytest.raises(OptionError, match="means"):
            pool_sites(evaluation, method=method)


def test_the_sentence_names_what_does_not_stand_among_all_groups() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (month(m), f"S{s}", group, int(rng.binomial(n, 0.08 * (factor if m >= 12 else 1))), n)
        for s in range(6)
        for group, factor in (("A", 0.8), ("B", 0.78), ("C", 1.0), ("D", 0.82))
        for m in range(24)
        for n in (int(rng.poisson(120)),)
    ]
    pooled = pool_sites(evaluate_change(of_rows(rows), month(12), reference="rest"))
    table = pooled.groups[pooled.groups["scale"] == "ratio"].set_index("group")
    lost = table.index[table["verdict"] != table["family_verdict"]].tolist()
    assert lost
    told = pooled.sentence()
    assert (
        f"Allowing for all comparisons together (Holm), not visible any more: {' and '.join(lost)}." in told
    )
