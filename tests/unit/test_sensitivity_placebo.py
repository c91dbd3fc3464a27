"""Fake dates and other sites: naive loops with statsmodels, and enumeration of ranks.

The published example (Sicily, 36 months before a ban, 12 + 12 months: 6 of 13 fake dates told apart without a
season, 1 of 13 with one) was reproduced with the data of its authors, which are not kept here; see
docs/methods/sensitivity.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special

import qi_equity as qe
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.placebo import windows_of
from qi_equity.change.sensitivity.space import beside_untouched
from qi_equity.change.study import make_study
from qi_equity.data.reference import Reference


def months(count: int) -> list[str]:
    return [str(m) for m in pd.period_range("2020-01", periods=count, freq="M")]


def series_of(blocks: dict[Any, Any], count: int, measure: Any = "pph_1500", births: int = 300) -> Any:
    measure = qe.measures[measure] if isinstance(measure, str) else measure
    parts = []
    for key, x in blocks.items():
        site, group = key if isinstance(key, tuple) else (None, key)
        names = {"g": group} if site is None else {"g": group, "s": site}
        parts.append(pd.DataFrame({"m": months(count), **names, "x": x, "n": births}))
    rows = pd.concat(parts, ignore_index=True)
    options = {"site": "s"} if "s" in rows else {}
    return qe.from_counts(rows, measure, period="m", numerator="x", denominator="n", group="g", **options)


def seasonal(count: int, seed: int, change: int) -> Any:
    rng, t = np.random.default_rng(seed), np.arange(count)
    p = 0.1 * np.exp(0.4 * np.sin(2 * np.pi * t / 12) + 0.005 * t - 0.4 * (t >= change))
    return rng.binomial(300, p)


def by_loop(x: np.ndarray, at: int, width: int, columns: Any) -> tuple[float, float, float]:
    """The step at one date in its window: odds are averaged into a ratio as in regression_effects."""
    here = slice(at - width, at + width)
    y, z = x[here], columns(np.arange(len(x)) - at)[here]
    fit = sm.GLM(np.column_stack([y, 300 - y]), z, family=sm.families.Binomial()).fit(tol=1e-12)
    mean = 300 * fit.fittedvalues
    pearson = ((y - mean) ** 2 / (mean * (1 - fit.fittedvalues))).sum()
    covariance = fit.cov_params() * max(1.0, pearson / (2 * width - z.shape[1]))
    after = z[width:]
    without = after * (np.arange(z.shape[1]) != 1)
    p1, p0 = (special.expit(d @ fit.params) for d in (after, without))
    gradient = (p1 * (1 - p1)) @ after / p1.sum() - (p0 * (1 - p0)) @ without / p0.sum()
    log, error = np.log(p1.sum() / p0.sum()), np.sqrt(gradient @ covariance @ gradient)
    half = special.stdtrit(2 * width - z.shape[1], 0.975) * error
    return tuple(np.exp([log, log - half, log + half]))


def trend_and_season(since: np.ndarray) -> np.ndarray:
    month = np.arange(len(since)) % 12 / 12 * 2 * np.pi
    return np.column_stack([np.ones(len(since)), since >= 0, since, np.sin(month), np.cos(month)])


def trend(since: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(since)), since >= 0, since])


@pytest.mark.parametrize(
    ("analysis", "columns"), [("level+trend", trend), ("level+trend+season", trend_and_season)]
)
def test_fake_dates_are_a_loop_of_regressions(analysis: str, columns: Any) -> None:
    x = {"East": seasonal(59, 1, 36), "West": seasonal(59, 2, 36)}
    found = qe.evaluate_change(series_of(x, 59), "2023-01", reference="rest").sensitivity()
    dates, placebo = (t[t["analysis"] == analysis] for t in (found.fake_dates, found.placebo))
    assert placebo[["before", "after", "fakes"]].values.tolist() == [[12, 12, 13]] * 2
    for group, y in x.items():
        mine = dates[dates["group"] == group]
        assert mine["at"].dt.strftime("%Y-%m").tolist() == months(59)[12:25]
        looped = np.array([by_loop(y, at, 12, columns) for at in range(12, 25)])
        np.testing.assert_allclose(mine[["ratio", "ratio_lower", "ratio_upper"]], looped, rtol=1e-6)
        real = abs(np.log(by_loop(y, 36, 12, columns)[0]))
        large = np.abs(np.log(looped[:, 0])) >= real
        apart = (looped[:, 1] > 1) | (looped[:, 2] < 1)
        assert mine["as_large"].tolist() == large.tolist()
        assert mine["told_apart"].tolist() == apart.tolist()
        line = placebo[placebo["group"] == group].iloc[0]
        assert (line["as_large"], line["told_apart"]) == (large.sum(), apart.sum())
        assert line["share"] == large.mean()
        assert np.isnan(line["p"])


def test_a_season_left_out_makes_changes_of_nothing_and_is_said() -> None:
    t = np.arange(59)
    x = np.round(60 * np.exp(0.5 * np.sin(2 * np.pi * t / 12)))
    found = qe.evaluate_change(
        series_of({"All": x}, 59), "2023-01", reference=0.1, model="level+trend"
    ).sensitivity()
    told = found.placebo.set_index("analysis")["told_apart"]
    assert told["as evaluated"] > 3
    assert told["level+trend+season"] == 0
    note = found.notes.set_index("code").loc["model_calls_fake_dates"]
    assert f"would have called {told['as evaluated']} of 13 fake dates a change" in note["text"]


@pytest.mark.parametrize(
    ("count", "at", "phase_in", "window"),
    [
        (59, "2023-01", 0, (12, 12)),
        (39, "2022-01", 0, (8, 8)),
        (24, "2021-01", 0, (6, 6)),
        (24, "2020-12", 0, (0, 0)),
        (27, "2022-01", 0, (8, 3)),
        (39, "2022-01", 2, (8, 10)),
        (26, "2022-01", 2, (0, 0)),
    ],
)
def test_windows(count: int, at: str, phase_in: int, window: tuple[int, int]) -> None:
    series = series_of({"All": [30] * count}, count)
    found = windows_of(make_study(series, at, Reference(0.1), phase_in))
    assert (found.before[0], found.after[0]) == window


def test_windows_of_longer_and_shorter_periods() -> None:
    made = {}
    for every, start, freq, count, at in (
        ("quarter", "2015-01", "Q", 24, "2019-01"),
        ("year", "2000", "Y", 30, "2020"),
        ("week", "2020-01-06", "W-MON", 200, "2023-01-02"),
    ):
        stamps = pd.date_range(start, periods=count, freq={"Q": "QS", "Y": "YS"}.get(freq, freq))
        rows = pd.DataFrame({"m": stamps, "x": 30, "n": 300})
        series = qe.from_counts(
            rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n", every=every
        )
        found = windows_of(make_study(series, at, Reference(0.1), 0))
        made[every] = (int(found.before[0]), int(found.after[0]))
    assert made == {"quarter": (4, 4), "year": (6, 6), "week": (52, 44)}


def test_every_fake_window_lies_wholly_before_the_change() -> None:
    x = np.full(59, 30)
    x[36:] = 0
    for model in ("level", "level+trend"):
        found = qe.evaluate_change(
            series_of({"All": x}, 59), "2023-01", reference=0.1, model=model
        ).sensitivity()
        np.testing.assert_allclose(found.fake_dates["ratio"], 1.0, rtol=1e-6)
        assert not found.fake_dates["as_large"].any()


def test_means_are_compared_by_their_difference() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=59)
    rows = pd.DataFrame({"m": months(59), "v": y, "n": 20})
    series = qe.from_counts(
        rows, qe.Measure("Score", "mean", "lower"), period="m", value="v", denominator="n"
    )
    found = qe.evaluate_change(series, "2023-01", reference=0.0).sensitivity()
    line = found.placebo.iloc[0]
    assert line["fakes"] == 13
    assert 0 <= line["as_large"] <= 13


def test_a_short_baseline_has_no_fake_dates_and_says_so() -> None:
    found = qe.evaluate_change(series_of({"All": [30] * 20}, 20), "2020-10", reference=0.1).sensitivity()
    assert found.placebo["fakes"].tolist() == [0, 0, 0]
    assert found.placebo["share"].isna().all()
    assert found.fake_dates.empty
    assert found.placebo.loc[0, "text"] == "Too few periods before the change for a fake date."
    assert "no_fake_dates" in found.notes["code"].tolist()


def test_a_change_of_unknown_size_has_no_share() -> None:
    x = np.where(np.arange(59) < 36, 30, 30)
    series = series_of({"All": x}, 59)
    rows = series.data.assign(m=lambda d: d["period"].dt.strftime("%Y-%m"))
    rows.loc[rows["m"].between("2022-01", "2022-12"), ["numerator", "denominator"]] = np.nan
    gap = qe.from_counts(
        rows, qe.measures["pph_1500"], period="m", numerator="numerator", denominator="denominator"
    )
    found = qe.evaluate_change(gap, "2023-01", reference=0.1).sensitivity()
    line = found.placebo.iloc[0]
    assert np.isnan(line["share"])
    assert line["fakes"] > 0
    assert "how large the change looks in such windows is not known" in line["text"]


def test_sites_without_the_change_are_set_beside_it() -> None:
    rng = np.random.default_rng(6)
    sites = "ABCDE"
    x = {(s, g): rng.binomial(300, 0.1, 40) for s in sites for g in ("East", "West")}
    for g in ("East", "West"):
        x["A", g] = rng.binomial(300, np.where(np.arange(40) < 24, 0.1, 0.04))
    series = series_of(x, 40)
    at = pd.DataFrame({"site": ["A"], "start": ["2022-01"]})
    found = qe.evaluate_change(series, at, reference="rest").sensitivity()
    space = found.placebo[found.placebo["kind"] == "space"].set_index(["site", "group"])
    line = space.loc[("A", "East")]
    assert (line["fakes"], line["as_large"], line["p"], line["smallest_p"]) == (4, 0, 0.2, 0.2)
    # The level model over 8 and 8 months, by hand.
    log = {s: np.log(x[s, "East"][24:32].sum() / x[s, "East"][16:24].sum()) for s in sites}
    assert (np.abs([log[s] for s in "BCDE"]) >= abs(log["A"])).sum() == 0
    assert (
        space.loc[("B", "East"), "text"]
        == "No other site with this group has a change that can be set beside it."
    )
    assert "of 4 sites without the change at that time, 0 look as large" in line["text"].replace("Of", "of")
    note = found.notes[found.notes["code"] == "few_sites"]
    assert (
        "the smallest possible p is 0.2: a change, however large, cannot be told from chance"
        in note["text"].iloc[0]
    )
    assert "Beside other sites the smallest possible p is 0.2." in found.sentence()


def test_staggered_sites_are_set_beside_those_that_have_not_started() -> None:
    rng = np.random.default_rng(7)
    x = {(s, "East"): rng.binomial(300, 0.1, 48) for s in "ABCD"}
    series = series_of(x, 48)
    at = pd.DataFrame({"site": list("ABC"), "start": ["2022-01", "2022-06", "2023-06"]})
    found = qe.evaluate_change(series, at, reference=0.1).sensitivity()
    space = found.placebo[found.placebo["kind"] == "space"].set_index("site")
    # A (24 months before, windows of 8) beside C and D, not B, which starts within its window.
    assert space["fakes"].to_dict() == {"A": 2, "B": 2, "C": 1, "D": 0}
    for site, start in (("A", 24), ("B", 29)):
        width = {24: 8, 29: 9}[start]
        size = {
            s: abs(
                np.log(x[s, "East"][start : start + width].sum() / x[s, "East"][start - width : start].sum())
            )
            for s in (site, "C", "D")
        }
        assert space.loc[site, "as_large"] == sum(size[s] >= size[site] for s in ("C", "D"))


def test_where_all_had_it_each_site_is_set_beside_the_others() -> None:
    rng = np.random.default_rng(9)
    p = {"A": 0.03, "B": 0.1, "C": 0.1, "D": 0.1}
    x = {(s, "East"): rng.binomial(300, np.where(np.arange(36) < 24, 0.1, p[s])) for s in "ABCD"}
    found = qe.evaluate_change(series_of(x, 36), "2022-01", reference=0.1).sensitivity()
    groups = found.evaluation.groups
    t = np.array([special.stdtrit(d, 0.975) for d in groups["df"]])
    log = np.log(groups["ratio"].to_numpy())
    variance = (np.log(groups["ratio_upper"] / groups["ratio_lower"]).to_numpy() / 2 / t) ** 2
    size = []
    for i in range(4):
        rest = [j for j in range(4) if j != i]
        w = 1 / variance[rest]
        size.append(abs(log[i] - (w * log[rest]).sum() / w.sum()) / np.sqrt(variance[i] + 1 / w.sum()))
    space = found.placebo[found.placebo["kind"] == "space"]
    assert space["as_large"].tolist() == [
        sum(size[j] >= size[i] for j in range(4) if j != i) for i in range(4)
    ]
    np.testing.assert_allclose(space["p"], (space["as_large"] + 1) / 4)
    assert space["smallest_p"].tolist() == [0.25] * 4
    assert space["text"].str.contains("whether a site stands out, not whether the change did anything").all()


def test_ranks_among_sites_that_are_alike_are_evenly_spread() -> None:
    rng = np.random.default_rng(11)
    x = {(s, f"group {k}"): rng.binomial(300, 0.1, 36) for s in "ABC" for k in range(90)}
    at = pd.DataFrame({"site": ["A"], "start": ["2022-01"]})
    study = make_study(series_of(x, 36), at, Reference(0.1), 0)
    found = beside_untouched(study, windows_of(study), ChangeModel(), 0, 0.95)
    p = found.p[(study.strata["site"] == "A").to_numpy()]
    values, counts = np.unique(np.round(p, 9), return_counts=True)
    np.testing.assert_allclose(values, [1 / 3, 2 / 3, 1], rtol=1e-6)
    # Four standard errors about 30 of 90.
    assert np.abs(counts - 30).max() < 4 * np.sqrt(20)


def test_means_of_sites_are_set_beside_one_another() -> None:
    rng = np.random.default_rng(3)
    rows = pd.concat(
        [pd.DataFrame({"m": months(36), "s": s, "v": rng.normal(size=36), "n": 20}) for s in "AB"]
    )
    measure = qe.Measure("Score", "mean", "lower")
    series = qe.from_counts(rows, measure, period="m", value="v", denominator="n", site="s")
    space = qe.evaluate_change(series, "2022-01", reference=0.0).sensitivity().placebo
    assert space.loc[space["kind"] == "space", "fakes"].tolist() == [1, 1]


def test_without_placebo_the_tables_are_empty_with_the_same_columns() -> None:
    evaluation = qe.evaluate_change(series_of({"All": [30] * 59}, 59), "2023-01", reference=0.1)
    some, none = evaluation.sensitivity(), evaluation.sensitivity(placebo=False)
    for name in ("placebo", "fake_dates"):
        one, other = getattr(some, name), getattr(none, name)
        assert len(one) > 0
        assert len(other) == 0
        pd.testing.assert_series_equal(one.dtypes, other.dtypes)
    assert "fake dates" not in none.sentence()


def test_too_few_events_for_a_trend_leave_no_fake_dates_of_that_model() -> None:
    x = np.isin(np.arange(59) % 12, [1, 8]).astype(int)
    found = qe.evaluate_change(series_of({"All": x}, 59), "2023-01", reference=0.1).sensitivity()
    fakes = found.placebo.set_index("analysis")["fakes"]
    assert fakes.to_dict() == {"as evaluated": 13, "level+trend": 0, "level+trend+season": 0}
