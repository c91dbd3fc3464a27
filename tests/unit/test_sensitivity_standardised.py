"""Changes with the case-mix held as it was: a naive loop, and cases whose answer is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import qi_equity as qe
from qi_equity.errors import OptionError

MONTHS = [str(m) for m in pd.period_range("2022-01", periods=30, freq="M")]
AFTER = np.arange(30) >= 18
ENDS = ["ratio", "ratio_lower", "ratio_upper", "p"]


def series_of(rows: pd.DataFrame, measure: Any = "pph_1500", **options: Any) -> Any:
    measure = qe.measures[measure] if isinstance(measure, str) else measure
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"} | options
    return qe.from_counts(rows, measure, **columns)


def rows_of(blocks: dict[Any, tuple[Any, Any]], by: str | None = None) -> pd.DataFrame:
    parts = []
    for key, (x, n) in blocks.items():
        names = {"g": key} if by is None else {"g": key[0], by: key[1]}
        parts.append(pd.DataFrame({"m": MONTHS, **names, "x": x, "n": n}))
    return pd.concat(parts, ignore_index=True)


def held(series: Any, standardise: Any = "group", **options: Any) -> pd.DataFrame:
    evaluation = qe.evaluate_change(series, "2023-07", **({"reference": "rest"} | options))
    table = evaluation.sensitivity(standardise=standardise, placebo=False).table
    return table[table["analysis"].str.contains("standardised")].reset_index(drop=True)


def by_loops(x: np.ndarray, n: np.ndarray, *, binomial: bool = True) -> list[float]:
    """One stratum, J strata of case-mix, T periods: ratio, ends and p."""
    total = [n[:, ~AFTER].sum(), n[:, AFTER].sum()]
    assert all(t > 0 for t in total)
    w = [n[j, ~AFTER].sum() / total[0] for j in range(len(n))]
    p, v = [0.0, 0.0], [0.0, 0.0]
    rates = np.zeros((len(n), 2))
    for side, mask in enumerate((~AFTER, AFTER)):
        for j in range(len(n)):
            births = n[j, mask].sum()
            r = rates[j, side] = x[j, mask].sum() / births
            p[side] += w[j] * r
            v[side] += w[j] ** 2 * (r * (1 - r) if binomial else r) / births
    pearson = 0.0
    for t in range(len(MONTHS)):
        side = int(AFTER[t])
        residual = variance = 0.0
        for j in range(len(n)):
            pull = w[j] / n[j, AFTER[t] == AFTER].sum()
            r = rates[j, side]
            residual += pull * (x[j, t] - n[j, t] * r)
            variance += pull**2 * n[j, t] * (r * (1 - r) if binomial else r)
        pearson += residual**2 / variance
    phi, df = max(1.0, pearson / 28), 28
    error = np.sqrt(phi * (v[0] / p[0] ** 2 + v[1] / p[1] ** 2))
    log, t = np.log(p[1] / p[0]), special.stdtrit(df, 0.975)
    return [*np.exp([log, log - t * error, log + t * error]), 2 * special.stdtr(df, -abs(log) / error)]


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    n = rng.poisson(np.where(AFTER, [[60], [150], [90]], [[120], [100], [80]]))
    # What a month has in common (a busy one) makes dispersion above 1.
    shock = np.exp(rng.normal(0, 0.35, size=30))
    return rng.binomial(n, np.clip(np.array([[0.12], [0.05], [0.2]]) * shock, 0, 1)), n


def test_groups_held_fixed_are_the_loop(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    x, n = drawn
    found = held(series_of(rows_of({g: (x[j], n[j]) for j, g in enumerate("ABC")})))
    assert found["analysis"].tolist() == ["level, not standardised", "standardised for group"]
    assert found["group"].tolist() == ["All groups"] * 2
    np.testing.assert_allclose(found.loc[1, ENDS].astype(float), by_loops(x, n), rtol=1e-9)
    total = qe.evaluate_change(
        series_of(rows_of({g: (x[j], n[j]) for j, g in enumerate("ABC")})).total(), "2023-07", reference=0.1
    )
    np.testing.assert_allclose(
        found.loc[0, ENDS].astype(float), total.groups.loc[0, ENDS].astype(float), rtol=1e-12
    )


def test_rates_have_no_binomial_variance(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    x, n = drawn
    falls = qe.Measure("Falls", "rate", "lower")
    found = held(series_of(rows_of({g: (x[j], n[j]) for j, g in enumerate("ABC")}), falls))
    np.testing.assert_allclose(found.loc[1, ENDS].astype(float), by_loops(x, n, binomial=False), rtol=1e-9)
    visits = qe.Measure("Visits", "rate", "higher")
    turned = held(series_of(rows_of({g: (x[j], n[j]) for j, g in enumerate("ABC")}), visits))
    np.testing.assert_allclose(turned["ratio"], 1 / found["ratio"], rtol=1e-12)
    np.testing.assert_allclose(turned["ratio_lower"], 1 / found["ratio_upper"], rtol=1e-12)


def test_further_strata_are_held_within_each_group(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    x, n = drawn
    blocks = {(g, a): (x[j] + k, n[j]) for k, g in enumerate(("East", "West")) for j, a in enumerate("123")}
    found = held(series_of(rows_of(blocks, "age"), by=["age"]), "age")
    assert found[["group", "age"]].drop_duplicates().values.tolist() == [["East", "All"], ["West", "All"]]
    for k, group in enumerate(("East", "West")):
        line = found[(found["group"] == group) & (found["analysis"] == "standardised for age")].iloc[0]
        np.testing.assert_allclose(line[ENDS].astype(float), by_loops(x + k, n), rtol=1e-9)


def test_a_mix_that_moves_and_rates_that_do_not_is_no_change() -> None:
    # Only the share of the group with the higher rate falls: 50 of 100, then 20 of 100.
    a, b = np.where(AFTER, 20, 50), np.where(AFTER, 80, 50)
    found = held(series_of(rows_of({"A": (0.2 * a, a), "B": (0.1 * b, b)})))
    np.testing.assert_allclose(found["ratio"], [0.12 / 0.15, 1.0], rtol=1e-12)
    assert found["verdict"].tolist() == ["improved", "no meaningful change"]
    assert found["stands"].tolist() == ["yes", "no"]


def test_a_mix_that_stays_gives_what_is_crude() -> None:
    x = {"A": np.where(AFTER, 10, 20), "B": np.where(AFTER, 5, 9)}
    found = held(series_of(rows_of({g: (v, 100) for g, v in x.items()})))
    np.testing.assert_allclose(found["ratio"], [15 / 29] * 2, rtol=1e-12)


def test_what_cannot_be_held_says_why() -> None:
    gone = rows_of({"A": (np.where(AFTER, 0, 5), np.where(AFTER, 0, 50)), "B": (9, 90)})
    found = held(series_of(gone))
    assert found["reason"].tolist() == ["", "a stratum of the case-mix has no births on one side"]
    assert found.loc[1, ENDS].isna().all()
    assert found.loc[1, "stands"] == "cannot tell"
    few = rows_of({"A": (np.where(AFTER, 0, 1), 50), "B": (np.where(np.arange(30) == 29, 4, 1), 90)})
    few.loc[few["m"] > "2023-06", "x"] = 0
    assert held(series_of(few)).loc[1, "reason"] == "fewer than 10 events on one side"
    at = pd.DataFrame({"group": ["A", "B"], "start": ["2023-07", "2023-09"]})
    series = series_of(rows_of({"A": (9, 90), "B": (9, 90)}))
    table = qe.evaluate_change(series, at, reference="rest").sensitivity(standardise="group").table
    mixed = table[table["analysis"].str.contains("standardised")]
    assert set(mixed["reason"]) == {"its parts have the change at different dates"}
    assert mixed["ratio"].isna().all()


def test_a_stratum_without_births_before_is_not_in_the_mix() -> None:
    new = rows_of({"A": (9, 90), "B": (np.where(AFTER, 5, 0), np.where(AFTER, 50, 0))})
    np.testing.assert_allclose(held(series_of(new)).loc[1, "ratio"], 1.0, rtol=1e-12)


def test_changes_one_after_the_other_are_each_held_as_before_it() -> None:
    third = np.where(np.arange(30) >= 24, 2, AFTER.astype(int))
    a, b = np.choose(third, [50, 20, 80]), np.choose(third, [50, 80, 20])
    series = series_of(rows_of({"A": (0.2 * a, a), "B": (0.1 * b, b)}))
    evaluation = qe.evaluate_change(series, ["2023-07", "2024-01"], reference="rest")
    table = evaluation.sensitivity(standardise="group", placebo=False).table
    ratios = table.loc[table["analysis"] == "standardised for group", "ratio"]
    np.testing.assert_allclose(ratios, [1.0, 1.0], rtol=1e-12)
    crude = table.loc[table["analysis"] == "level, not standardised", "ratio"]
    np.testing.assert_allclose(crude, [0.12 / 0.15, 0.18 / 0.12], rtol=1e-12)


def test_a_phase_in_is_left_out_of_both() -> None:
    x = np.where(AFTER, 9, 18) + 40 * np.isin(np.arange(30), [18, 19])
    found = held(series_of(rows_of({"A": (x, 100), "B": (x, 100)})), phase_in=2)
    np.testing.assert_allclose(found["ratio"], 0.5, rtol=1e-12)


def test_a_stratum_without_any_births_cannot_be_told() -> None:
    rows = rows_of(
        {("East", "1"): (9, 90), ("East", "2"): (9, 90), ("West", "1"): (0, 0), ("West", "2"): (0, 0)}, "age"
    )
    found = held(series_of(rows, by=["age"]), "age", reference="East")
    assert (found.loc[found["group"] == "West", "stands"] == "cannot tell").all()


@pytest.mark.parametrize(
    ("standardise", "said"),
    [
        (
            "age",
            r"standardise='age' is not possible: the series evaluated has no such strata.*it has \['group'\]",
        ),
        ([], r"standardise=\[\] names no column; give some of \['group'\]"),
    ],
)
def test_columns_that_are_not_there_are_refused(standardise: Any, said: str) -> None:
    series = series_of(rows_of({"A": (9, 90), "B": (9, 90)}))
    with pytest.raises(OptionError, match=said):
        held(series, standardise)


def test_one_stratum_and_other_measures_are_refused() -> None:
    one = series_of(rows_of({"A": (9, 90)}))
    with pytest.raises(OptionError, match="this evaluation has one stratum only"):
        held(one, "group", reference=0.1)
    count = qe.Measure("Calls", "count", "lower")
    rows = rows_of({"A": (9, 90), "B": (9, 90)})
    series = qe.from_counts(rows, count, period="m", numerator="x", group="g")
    with pytest.raises(OptionError, match="of kind 'count': it needs events among births"):
        held(series)


def test_overlapping_groups_are_refused() -> None:
    labels = qe.Scheme.load("nz-level-1-total").known("detail")[:2]
    rows = rows_of(dict.fromkeys(labels, (9, 90)))
    series = series_of(rows, scheme="nz-level-1-total")
    with pytest.raises(OptionError, match="a woman may be in several"):
        held(series, reference=0.1)
    checks = qe.evaluate_change(series, "2023-07", reference=0.1).sensitivity(placebo=False).checks
    shares = checks["check"].isin(["mix of groups", "group not known"])
    assert set(checks.loc[shares, "jumped"]) == {"cannot tell"}


def test_months_that_vary_less_than_chance_do_not_narrow_the_interval() -> None:
    n = np.where(AFTER, [[60], [150]], [[120], [100]])
    x = np.where(AFTER, [[6], [9]], [[15], [7]])
    found = held(series_of(rows_of({"A": (x[0], n[0]), "B": (x[1], n[1])})))
    np.testing.assert_allclose(found.loc[1, ENDS].astype(float), by_loops(x, n), rtol=1e-9)
