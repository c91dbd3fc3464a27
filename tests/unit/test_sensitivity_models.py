"""The table of sensitivity: each row is what evaluate_change gives when asked for it, or a loop's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import qi_equity as qe
from qi_equity.change.sensitivity.run import _stands
from qi_equity.errors import InputTypeError, OptionError

MONTHS = [str(m) for m in pd.period_range("2021-01", periods=42, freq="M")]
NAMES = [
    "as evaluated",
    "level",
    "level+trend",
    "level+shared trend",
    "level+season",
    "level+trend+season",
    "rho 0.0",
    "rho 0.2",
    "rho 0.4",
    "rho 0.6",
    "without the first 3",
    "without the 3 before",
]


def frame(events: dict[str, Any], births: int = 200, months: list[str] = MONTHS) -> pd.DataFrame:
    parts = [pd.DataFrame({"m": months, "g": g, "x": x, "n": births}) for g, x in events.items()]
    return pd.concat(parts, ignore_index=True)


def series_of(rows: pd.DataFrame, measure: Any = "pph_1500", **options: Any) -> Any:
    measure = qe.measures[measure] if isinstance(measure, str) else measure
    return qe.from_counts(rows, measure, period="m", numerator="x", denominator="n", group="g", **options)


@pytest.fixture(scope="module")
def two() -> Any:
    rng = np.random.default_rng(5)
    p = np.where(np.arange(42) < 24, 0.12, 0.06)
    return series_of(frame({"East": rng.binomial(200, p), "West": rng.binomial(200, 0.08, 42)}))


@pytest.fixture(scope="module")
def trended(two: Any) -> Any:
    return evaluate(two, model="level+trend").sensitivity(placebo=False)


def evaluate(series: Any, at: Any = "2023-01", **options: Any) -> Any:
    return qe.evaluate_change(series, at, **({"reference": "rest"} | options))


def row(found: Any, analysis: str) -> pd.DataFrame:
    table = found.table
    return table[table["analysis"] == analysis]


ENDS = ["ratio", "ratio_lower", "ratio_upper", "p"]


def test_every_stratum_has_every_analysis_in_order(two: Any) -> None:
    table = evaluate(two).sensitivity(placebo=False).table
    assert table["analysis"].tolist() == NAMES * 2
    assert table["group"].tolist() == ["East"] * 12 + ["West"] * 12
    assert (table["at"] == pd.Timestamp("2023-01-01")).all()


@pytest.mark.parametrize("model", ["level", "level+trend", "level+shared trend", "level+trend+slope"])
def test_the_first_row_is_what_was_evaluated(two: Any, model: str) -> None:
    evaluation = evaluate(two, model=model, seasonal=1)
    first = row(evaluation.sensitivity(placebo=False), "as evaluated")
    np.testing.assert_array_equal(first[ENDS].to_numpy(), evaluation.groups[ENDS].to_numpy())
    assert first["verdict"].tolist() == evaluation.groups["verdict"].tolist()
    assert first["stands"].tolist() == ["yes", "yes"]


@pytest.mark.parametrize(
    ("analysis", "options"),
    [
        ("level", {"model": "level"}),
        ("level+trend", {"model": "level+trend"}),
        ("level+shared trend", {"model": "level+shared trend"}),
        ("level+season", {"model": "level", "seasonal": 1}),
        ("level+trend+season", {"model": "level+trend", "seasonal": 1}),
        ("without the first 3", {"model": "level+trend", "phase_in": 3}),
        ("rho 0.0", {"model": "level+trend"}),
    ],
)
def test_other_models_are_what_an_evaluation_by_them_gives(
    two: Any, trended: Any, analysis: str, options: dict[str, Any]
) -> None:
    found = row(trended, analysis)
    other = evaluate(two, **options).groups
    # A shared trend counts the reference next to nothing in an evaluation, and not at all here.
    tolerance = 1e-7 if "shared" in analysis else 1e-10
    np.testing.assert_allclose(found[ENDS].to_numpy(), other[ENDS].to_numpy(), rtol=tolerance)


def test_the_season_has_the_harmonics_that_were_evaluated_where_more(two: Any) -> None:
    found = row(evaluate(two, seasonal=2).sensitivity(placebo=False), "level+season")
    other = evaluate(two, seasonal=2).groups
    np.testing.assert_allclose(found[ENDS].to_numpy(), other[ENDS].to_numpy(), rtol=1e-12)


def test_without_the_last_three_is_the_series_without_these_rows(two: Any) -> None:
    rows = two.data.rename(columns={"group": "g", "numerator": "x", "denominator": "n"})
    rows["m"] = rows["period"].dt.strftime("%Y-%m")
    kept = rows[~rows["m"].isin(["2022-10", "2022-11", "2022-12"])]
    other = evaluate(series_of(kept[["m", "g", "x", "n"]])).groups
    found = row(evaluate(two).sensitivity(placebo=False), "without the 3 before")
    np.testing.assert_allclose(found[ENDS].to_numpy(), other[ENDS].to_numpy(), rtol=1e-12)


def test_correlation_widens_the_log_of_a_trend_model_by_dense_matrices(trended: Any) -> None:
    table, study = trended.table, trended.evaluation.study
    time = np.arange(42) - 23.0
    x = np.column_stack([np.ones(42), np.arange(42) >= 24, time])
    at = np.arange(42)
    for s, group in enumerate(("East", "West")):
        events, size = study.events[s], study.size[s]
        rate = [(events[p].sum() + 0.5) / (size[p].sum() + 1) for p in (slice(0, 24), slice(24, None))]
        p = np.repeat(rate, [24, 18])
        w = size * p * (1 - p)
        for rho in (0.2, 0.6):
            r = rho ** np.abs(at[:, None] - at)
            z = x * np.sqrt(w)[:, None]
            inverse = np.linalg.inv(z.T @ z)
            g = z @ inverse[:, 1]
            hat = z @ inverse @ z.T
            factor = (g @ r @ g) / (g @ g) * 39 / np.trace((np.eye(42) - hat) @ r)
            one, wide = (
                table[(table["group"] == group) & (table["analysis"] == name)].iloc[0]
                for name in ("as evaluated", f"rho {rho}")
            )
            halves = [np.log(v["ratio_upper"] / v["ratio_lower"]) for v in (wide, one)]
            np.testing.assert_allclose(halves[0] / halves[1], np.sqrt(factor), rtol=1e-9)
            t = special.stdtrit(39, 1 - one["p"] / 2) / np.sqrt(factor)
            np.testing.assert_allclose(wide["p"], 2 * special.stdtr(39, -t), rtol=1e-6)


def test_the_correlation_of_means_is_generalised_least_squares() -> None:
    rng = np.random.default_rng(2)
    y = 30 + np.repeat([0.0, -2.0], [24, 18]) + rng.normal(size=42)
    rows = pd.DataFrame({"m": MONTHS, "v": y, "n": 20})
    measure = qe.Measure("Minutes", "mean", "lower")
    series = qe.from_counts(rows, measure, period="m", value="v", denominator="n")
    found = qe.evaluate_change(series, "2023-01", reference=30.0).sensitivity(placebo=False)
    x, at = np.column_stack([np.ones(42), np.arange(42) >= 24]), np.arange(42)
    inverse = np.linalg.inv(0.4 ** np.abs(at[:, None] - at))
    bread = np.linalg.inv(x.T @ inverse @ x)
    beta = bread @ x.T @ inverse @ y
    rest = y - x @ beta
    before, after = beta[0], beta.sum()
    gradient = np.array([1 / after - 1 / before, 1 / after])
    error = np.sqrt(rest @ inverse @ rest / 40 * (gradient @ bread @ gradient))
    line = row(found, "rho 0.4").iloc[0]
    log, half = np.log(after / before), special.stdtrit(40, 0.975) * error
    np.testing.assert_allclose(line[ENDS[:3]].astype(float), np.exp([log, log - half, log + half]), rtol=1e-9)
    np.testing.assert_allclose(line["p"], 2 * special.stdtr(40, -abs(log / error)), rtol=1e-7)
    shared = row(found, "level+shared trend").iloc[0]
    assert shared["reason"] == "a shared trend is not for means"
    assert shared["stands"] == "cannot tell"


def test_more_is_better_is_turned_round_in_every_analysis() -> None:
    rng = np.random.default_rng(4)
    y = 30 + np.repeat([0.0, 4.0], [24, 18]) + rng.normal(size=42)
    rows = pd.DataFrame({"m": MONTHS, "v": y, "n": 20})
    series = qe.from_counts(
        rows, qe.Measure("Weeks", "mean", "higher"), period="m", value="v", denominator="n"
    )
    table = qe.evaluate_change(series, "2023-01", reference=30.0).sensitivity(placebo=False).table
    assert (table["ratio"].dropna() < 1).all()
    rates = pd.DataFrame({"m": MONTHS, "x": rng.poisson(np.repeat([40, 60], [24, 18])), "n": 900})
    visits = qe.Measure("Visits", "rate", "higher")
    series = qe.from_counts(rates, visits, period="m", numerator="x", denominator="n")
    table = qe.evaluate_change(series, "2023-01", reference=0.05).sensitivity(placebo=False).table
    assert (table["ratio"].dropna() < 1).all()
    assert (table["verdict"].isin(["improved", "not yet visible"])).all()


def test_few_events_leave_trend_and_season_untold_and_correlation_exact() -> None:
    x = np.array([1, 0, 0, 1, 0, 0] * 4 + [0] * 18)
    found = evaluate(series_of(frame({"East": x, "West": x * 9})), reference="West").sensitivity(
        placebo=False
    )
    east = found.table[found.table["group"] == "East"].set_index("analysis")
    assert set(east.loc[["level+trend", "level+season", "level+trend+season"], "stands"]) == {"cannot tell"}
    assert east.loc["level+trend", "reason"] == "too few events to tell a trend or season from the change"
    assert np.isnan(east.loc["level+trend", "ratio"])
    upper = east.loc[["rho 0.0", "rho 0.2", "rho 0.4", "rho 0.6"], "ratio_upper"].to_numpy()
    assert (np.diff(upper) > 0).all()
    assert (east.loc[["rho 0.0", "rho 0.6"], "ratio"] == 0).all()
    np.testing.assert_array_equal(east.loc["rho 0.0", ENDS], east.loc["as evaluated", ENDS])


def test_a_sparse_stratum_of_a_trend_model_keeps_its_exact_interval_under_correlation() -> None:
    x = np.array([1, 0, 0, 1, 0, 0] * 4 + [0] * 18)
    series = series_of(frame({"East": x, "West": x * 9}))
    table = evaluate(series, model="level+trend", reference="West").sensitivity(placebo=False).table
    level = evaluate(series, reference="West").sensitivity(placebo=False).table
    of = [t[(t["group"] == "East") & (t["analysis"] == "rho 0.4")][ENDS].to_numpy() for t in (table, level)]
    np.testing.assert_array_equal(*of)


def test_years_have_no_season() -> None:
    rows = frame({"East": [30] * 6 + [15] * 6, "West": [20] * 12}, months=[str(y) for y in range(2010, 2022)])
    found = evaluate(series_of(rows, every="year"), "2016").sensitivity()
    assert set(row(found, "level+season")["reason"]) == {"a year has no season"}
    assert found.placebo["analysis"].unique().tolist() == ["as evaluated", "level+trend"]


def test_leaving_out(two: Any) -> None:
    evaluation = evaluate(two)
    assert (
        "without the first 3"
        not in evaluation.sensitivity(leave_out=0, placebo=False).table["analysis"].tolist()
    )
    gone = row(evaluation.sensitivity(leave_out=18, placebo=False), "without the first 18")
    assert gone["stands"].tolist() == ["cannot tell"] * 2
    assert gone["reason"].tolist() == ["no period is left on one side"] * 2
    with pytest.raises(OptionError, match="leave_out"):
        evaluation.sensitivity(leave_out=-1)
    with pytest.raises(InputTypeError, match="placebo='yes' is not allowed; give True or False"):
        evaluation.sensitivity(placebo="yes")


def test_strata_without_a_change_and_several_changes_keep_their_rows(two: Any) -> None:
    at = pd.DataFrame({"group": ["East", "East"], "start": ["2022-01", "2023-01"]})
    found = evaluate(two, at).sensitivity(placebo=False)
    assert len(found.table) == 2 * 2 * 12
    west = found.table[found.table["group"] == "West"]
    assert (west["stands"] == "cannot tell").all()
    assert west["at"].isna().all()
    east = found.table[found.table["group"] == "East"]
    assert (east.loc[east["analysis"] == "level+trend", "stands"] != "cannot tell").all()
    assert found.sentence().count("Change ") == 2
    assert found.checks["change"].unique().tolist() == [1, 2]
    assert set(found.checks.dropna(subset=["group"])["group"]) == {"East"}


def test_what_stands_means() -> None:
    evaluated = np.array(
        ["improved", "improved", "improved", "not yet visible", "not yet visible", "improved", ""]
    )
    verdict = np.array(
        ["improved", "not yet visible", "worsened", "improved", "not yet visible", "improved", "improved"]
    )
    known = np.array([True] * 5 + [False, True])
    assert _stands(evaluated, verdict, known).tolist() == [
        "yes", "weaker", "no", "stronger", "yes", "cannot tell", "cannot tell",
    ]  # fmt: skip


def test_row_order_changes_nothing(two: Any) -> None:
    rows = two.data.rename(columns={"group": "g", "numerator": "x", "denominator": "n"})
    rows["m"] = rows["period"].dt.strftime("%Y-%m")
    mixed = rows[["m", "g", "x", "n"]].sample(frac=1, random_state=3)
    one, other = (evaluate(s).sensitivity() for s in (two, series_of(mixed)))
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.placebo, other.placebo)
    pd.testing.assert_frame_equal(one.checks, other.checks)


def test_alone_and_together_a_stratum_is_the_same(two: Any) -> None:
    alone = evaluate(two.select(group="East"), reference=0.1).sensitivity(placebo=False)
    together = evaluate(two, reference=0.1).sensitivity(placebo=False)
    own = [n for n in NAMES if "shared" not in n]
    one, other = (t[t["analysis"].isin(own)] for t in (alone.table, together.table))
    other = other[other["group"] == "East"].reset_index(drop=True)
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other)
