"""What else moved at the date of a change: planted jumps and drifts, and loops for what is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.change.sensitivity.checks import checks_of
from qi_equity.change.sensitivity.jumps import find_jumps
from qi_equity.change.sensitivity.places import Dates
from qi_equity.change.sensitivity.worst import worst_start
from qi_equity.change.study import make_study
from qi_equity.data.reference import Reference

MONTHS = [str(m) for m in pd.period_range("2022-01", periods=36, freq="M")]
T = np.arange(36)
AFTER = T >= 24


def series_of(blocks: dict[Any, dict[str, Any]], measure: Any = "pph_1500", **options: Any) -> Any:
    measure = qe.measures[measure] if isinstance(measure, str) else measure
    parts = []
    for key, columns in blocks.items():
        site, group = key if isinstance(key, tuple) else (None, key)
        names = {"g": group} if site is None else {"g": group, "s": site}
        parts.append(pd.DataFrame({"m": MONTHS, **names, **columns}))
    rows = pd.concat(parts, ignore_index=True)
    given = {"numerator": "x", "denominator": "n"} | ({"site": "s"} if "s" in rows else {}) | options
    series = qe.from_counts(rows, measure, period="m", group="g", **given)
    if "u" not in rows:
        return series
    # Counts have no column for it; records have.
    unrecorded = rows["u"].to_numpy(dtype=float).reshape(series.cells.status.shape)
    return replace(series, cells=replace(series.cells, unrecorded=unrecorded))


def checks(series: Any, at: Any = "2024-01", **options: Any) -> pd.DataFrame:
    evaluation = qe.evaluate_change(series, at, **({"reference": "rest"} | options))
    return checks_of(evaluation, evaluation.study, 0.95)


def of(found: pd.DataFrame, check: str) -> pd.DataFrame:
    return found[found["check"] == check].reset_index(drop=True)


def noisy(mean: Any, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean * np.ones(36))


def test_a_mix_that_jumps_is_told_from_one_that_drifts() -> None:
    jump = {"East": {"x": 9, "n": noisy(np.where(AFTER, 140, 100), 1)}, "West": {"x": 9, "n": noisy(300, 2)}}
    found = of(checks(series_of(jump)), "mix of groups")
    assert found["jumped"].tolist() == ["yes", "yes"]
    n = [jump[g]["n"] for g in ("East", "West")]
    share = [n[0][m].sum() / (n[0] + n[1])[m].sum() for m in (~AFTER, AFTER)]
    np.testing.assert_allclose(found.loc[0, ["before", "after"]].astype(float), share, rtol=1e-12)
    np.testing.assert_allclose(found.loc[0, "ratio"], share[1] / share[0], rtol=1e-12)
    assert "read each group, or standardise for group" in found.loc[0, "text"]
    drift = {"East": {"x": 9, "n": noisy(100 + 2 * T, 1)}, "West": {"x": 9, "n": noisy(300, 2)}}
    found = of(checks(series_of(drift)), "mix of groups")
    assert found["jumped"].tolist() == ["drifted", "drifted"]
    assert "along a trend rather than at the change" in found.loc[0, "text"]
    still = {"East": {"x": 9, "n": noisy(100, 1)}, "West": {"x": 9, "n": noisy(300, 2)}}
    found = of(checks(series_of(still)), "mix of groups")
    assert found["jumped"].tolist() == ["no", "no"]
    assert found.loc[0, "text"].endswith("not told apart.")


def test_p_is_the_level_model_and_holm_over_the_strata() -> None:
    rng = np.random.default_rng(4)
    blocks = {
        g: {"x": 1, "n": rng.poisson(np.where(AFTER, a, 100))}
        for g, a in zip("ABC", (110, 100, 95), strict=True)
    }
    found = of(checks(series_of(blocks)), "mix of groups")
    total = sum(b["n"] for b in blocks.values())
    raw = []
    for block in blocks.values():
        share = qe.from_counts(
            pd.DataFrame({"m": MONTHS, "x": block["n"], "n": total}),
            qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        )  # fmt: skip
        raw.append(qe.evaluate_change(share, "2024-01", reference=0.3).groups["p"].iloc[0])
    order = np.argsort(raw)
    holm, most = np.zeros(3), 0.0
    for rank, k in enumerate(order):
        most = max(most, min(1.0, (3 - rank) * raw[k]))
        holm[k] = most
    np.testing.assert_allclose(found["p"], holm, rtol=1e-9)


def test_one_group_has_no_mix_and_exposures_are_no_births() -> None:
    found = checks(series_of({"All": {"x": 9, "n": 100}}), reference=0.1)
    assert of(found, "mix of groups")["jumped"].tolist() == ["cannot tell"]
    assert of(found, "births a period")["jumped"].tolist() == ["no"]
    falls = qe.Measure("Falls", "rate", "lower")
    days = checks(series_of({g: {"x": 9, "n": 10.5} for g in "AB"}, falls))
    for check in ("mix of groups", "group not known", "births a period"):
        assert set(of(days, check)["jumped"]) == {"cannot tell"}


def test_completeness_is_of_the_place() -> None:
    blocks = {}
    for site, share in (("North", np.where(AFTER, 6, 20)), ("South", 10)):
        blocks[site, "East"] = {"x": 5, "n": noisy(100, 3)}
        blocks[site, "Not known"] = {"x": 1, "n": noisy(share, len(blocks))}
    found = of(checks(series_of(blocks)), "group not known")
    assert found["site"].tolist() == ["North", "South"]
    assert found["group"].isna().all()
    assert found["jumped"].tolist() == ["yes", "no"]
    assert "the groups are not the same women" in found.loc[0, "text"]
    n = blocks["North", "Not known"]["n"]
    share = n[~AFTER].sum() / (n + blocks["North", "East"]["n"])[~AFTER].sum()
    np.testing.assert_allclose(found.loc[0, "before"], share, rtol=1e-12)


def test_completeness_cannot_be_told_without_such_a_group_or_with_dates_that_differ() -> None:
    none = of(checks(series_of({g: {"x": 5, "n": 100} for g in "AB"})), "group not known")
    assert none["text"].tolist() == ["The series has no group of women whose group is not known."]
    at = pd.DataFrame({"group": ["East", "Not known"], "start": ["2024-01", "2024-03"]})
    mixed = checks(series_of({"East": {"x": 5, "n": 100}, "Not known": {"x": 5, "n": noisy(20, 1)}}), at)
    assert of(mixed, "group not known")["jumped"].tolist() == ["cannot tell"]


def test_recording_that_became_complete_says_which_way_it_biases() -> None:
    u = np.where(AFTER, 2, 20)
    found = of(checks(series_of({g: {"x": 9, "n": 100, "u": u} for g in "AB"})), "outcome not recorded")
    assert found["jumped"].tolist() == ["yes", "yes"]
    np.testing.assert_allclose(
        found.loc[0, ["before", "after"]].astype(float), [20 / 120, 2 / 102], rtol=1e-12
    )
    text = found.loc[0, "text"]
    assert "more complete" in text
    # 9 of 100 recorded: none or all of the 20 (then 2) unrecorded had the event.
    low, high = (9 / 102) / (29 / 120), (11 / 102) / (9 / 120)
    assert f"the ratio lies between {low:.2f} and {high:.2f}" in text
    less = of(
        checks(series_of({g: {"x": 9, "n": 100, "u": u[::-1]} for g in "AB"}), "2023-01"),
        "outcome not recorded",
    )
    assert "less complete" in less.loc[0, "text"]
    note = (
        qe.evaluate_change(
            series_of({g: {"x": 9, "n": 100, "u": u} for g in "AB"}), "2024-01", reference="rest"
        )
        .sensitivity(placebo=False)
        .notes
    )
    rows = note[note["code"] == "recording_moved"]
    assert rows["severity"].tolist() == ["warning"] * 2
    assert rows["group"].tolist() == ["A", "B"]


def test_recording_of_rates_has_no_bounds_and_full_recording_did_not_move() -> None:
    falls = qe.Measure("Falls", "rate", "lower")
    blocks = {g: {"x": 9, "n": 100, "u": np.where(AFTER, 2, 20)} for g in "AB"}
    text = of(checks(series_of(blocks, falls)), "outcome not recorded").loc[0, "text"]
    assert "lies between" not in text
    full = {g: {"x": 9, "n": 100, "u": 0} for g in "AB"}
    assert set(of(checks(series_of(full)), "outcome not recorded")["jumped"]) == {"no"}
    unknown = {g: {"x": 9, "n": 100} for g in "AB"}
    found = of(checks(series_of(unknown)), "outcome not recorded")
    assert set(found["jumped"]) == {"cannot tell"}
    assert found.loc[0, "text"] == "Births whose outcome was not recorded: cannot be told from these data."


def test_births_that_jump() -> None:
    blocks = {"A": {"x": 5, "n": noisy(np.where(AFTER, 140, 100), 1)}, "B": {"x": 5, "n": noisy(100, 2)}}
    found = of(checks(series_of(blocks)), "births a period")
    assert found["jumped"].tolist() == ["yes", "no"]
    assert "Find out whether other births are counted" in found.loc[0, "text"]
    np.testing.assert_allclose(found.loc[0, "before"], blocks["A"]["n"][:24].mean(), rtol=1e-12)


def test_missing_periods_of_one_group_leave_the_mix_of_that_period_unknown() -> None:
    n = np.where(T == 3, np.nan, 100.0)
    x = np.where(T == 3, np.nan, 9.0)
    found = of(checks(series_of({"A": {"x": x, "n": n}, "B": {"x": 9.0, "n": 100.0}})), "mix of groups")
    np.testing.assert_allclose(found["before"], [0.5, 0.5])


@pytest.mark.parametrize(
    ("after", "jumped", "said"),
    [
        (60, "yes", "moved the same way (ratio 0.50"),
        (120, "no", "did not move the same way (ratio 1.00"),
        (112, "cannot tell", "is not yet visible"),
        (180, "no", "did not move the same way (ratio 1.50"),
    ],
)
def test_another_threshold_of_blood_loss(after: int, jumped: str, said: str) -> None:
    births, scale = (1000, 1) if jumped != "cannot tell" else (100, 10)
    main = series_of({g: {"x": np.where(AFTER, 25, 50), "n": 1000} for g in "AB"})
    events = np.where(AFTER, after, 120) // scale
    other = series_of({g: {"x": events, "n": births} for g in "AB"}, "pph_1000")
    found = of(checks(main, balancing=[other]), "other thresholds of blood loss")
    assert found["jumped"].tolist() == [jumped] * 2
    assert said in found.loc[0, "text"]


def test_blood_loss_alone_cannot_be_told_and_other_measures_are_not_asked() -> None:
    alone = of(checks(series_of({g: {"x": 9, "n": 100} for g in "AB"})), "other thresholds of blood loss")
    assert alone["jumped"].tolist() == ["cannot tell"] * 2
    assert "pph_1000" in alone.loc[0, "text"]
    other = checks(series_of({g: {"x": 9, "n": 100} for g in "AB"}, "preterm_birth"))
    assert of(other, "other thresholds of blood loss").empty


@pytest.mark.parametrize("seed", range(4))
def test_the_rank_of_the_last_three_is_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = rng.poisson(100, (2, 36)).astype(float)
    x = rng.binomial(n.astype(int), 0.1).astype(float)
    x[0, 5] = n[0, 5] = np.nan
    series = series_of({g: {"x": x[k], "n": n[k]} for k, g in enumerate("AB")})
    found = worst_start(make_study(series, ["2023-01", "2024-01"], Reference(0.1), 0))
    for s in range(2):
        for k, (first, start) in enumerate(((0, 12), (12, 24))):
            runs = {}
            for t in range(first, start - 2):
                if np.isfinite(x[s, t : t + 3]).all():
                    runs[t] = x[s, t : t + 3].sum() / n[s, t : t + 3].sum()
            last = runs[start - 3]
            assert found.runs[s, k] == len(runs)
            assert found.rank[s, k] == sum(r >= last for r in runs.values())
            np.testing.assert_allclose(found.last[s, k], last, rtol=1e-12)
            rest = slice(first, start - 3)
            np.testing.assert_allclose(
                found.rest[s, k], np.nansum(x[s, rest]) / np.nansum(n[s, rest]), rtol=1e-12
            )


def test_a_start_after_the_worst_quarter_is_said_with_its_chance() -> None:
    x = np.where((T >= 21) & (T < 24), 20, 9 + T % 2)
    found = checks(series_of({"A": {"x": x, "n": 100}, "B": {"x": 9, "n": 100}}))
    rows = of(found, "start after the worst")
    # B is the same in every run: the last is as bad as all others, not the worst.
    assert rows["jumped"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(rows["p"], [1 / 22, 1.0])
    assert (
        "were the worst of 22 runs of 3; chance alone would bring that in about 5% of cases"
        in rows.loc[0, "text"]
    )
    assert "regression to the mean" in rows.loc[0, "text"]
    assert "200 per 1000; the others 94.8 per 1000" in rows.loc[0, "text"]


def test_for_more_is_better_the_worst_is_the_least() -> None:
    low = np.where((T >= 21) & (T < 24), 60, 90 + T % 3)
    kept = qe.Measure("Skin to skin", "proportion", "higher", unit="%", multiplier=100)
    rows = of(checks(series_of({g: {"x": low, "n": 100} for g in "AB"}, kept)), "start after the worst")
    assert rows["jumped"].tolist() == ["yes"] * 2
    assert "(60 %; the others 91 %)" in rows.loc[0, "text"]
    visits = qe.Measure("Visits", "rate", "higher")
    rows = of(checks(series_of({g: {"x": low, "n": 100} for g in "AB"}, visits)), "start after the worst")
    assert rows["jumped"].tolist() == ["yes"] * 2


def test_means_are_weighted_by_their_values() -> None:
    value = np.where((T >= 21) & (T < 24), 9.0, 5.0 + T % 2)
    measure = qe.Measure("Minutes", "mean", "lower")
    blocks = {g: {"v": value, "n": 10 + T} for g in "AB"}
    series = series_of(blocks, measure, numerator=None, value="v")
    rows = of(checks(series), "start after the worst")
    assert rows["jumped"].tolist() == ["yes"] * 2
    np.testing.assert_allclose(rows["before"], np.average(value[:21], weights=(10 + T)[:21]), rtol=1e-12)


def test_too_short_a_baseline_cannot_tell() -> None:
    rows = of(checks(series_of({g: {"x": 9, "n": 100} for g in "AB"}), "2022-06"), "start after the worst")
    assert rows["jumped"].tolist() == ["cannot tell"] * 2
    assert rows["p"].isna().all()
    assert rows.loc[0, "text"].startswith("Too few periods before the change")
    two = of(checks(series_of({g: {"x": 9, "n": 100} for g in "AB"}), "2022-03"), "start after the worst")
    assert two["jumped"].tolist() == ["cannot tell"] * 2


def test_counts_without_births_can_only_be_asked_how_they_began() -> None:
    calls = qe.Measure("Calls", "count", "lower")
    series = series_of({g: {"x": noisy(30, 1)} for g in "AB"}, calls, denominator=None)
    found = checks(series)
    told = found[found["check"] != "start after the worst"]
    assert set(told["jumped"]) == {"cannot tell"}


def test_a_share_that_was_always_nothing_did_not_move() -> None:
    dates = Dates(AFTER.astype(int)[None], np.array([[24.0]]), np.array([False]))
    size = np.full((1, 36), 100.0)
    found = find_jumps(np.zeros((1, 36)), size, dates, T / 12 % 1, family="binomial", confidence=0.95)
    assert found.jumped.tolist() == [["no"]]
    unknown = find_jumps(
        np.full((1, 36), np.nan), size, dates, T / 12 % 1, family="binomial", confidence=0.95
    )
    assert unknown.jumped.tolist() == [["cannot tell"]]


def test_drift_and_jumps_are_called_seldom_where_nothing_moves() -> None:
    rng = np.random.default_rng(12)
    events = rng.binomial(300, 0.1, (100, 4, 36)).astype(float)
    dates = Dates(np.repeat(AFTER.astype(int)[None], 4, axis=0), np.full((4, 1), 24.0), np.zeros(4, bool))
    size, season = np.full((4, 36), 300.0), T / 12 % 1
    called = [
        (find_jumps(x, size, dates, season, family="binomial", confidence=0.95).jumped != "no").any()
        for x in events
    ]
    # 100 families of 4: at most 5 of them with any call, and three standard errors.
    assert sum(called) <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)


def test_two_periods_have_no_run_of_three() -> None:
    rows = pd.DataFrame({"m": ["2024-01", "2024-02"], "x": [9, 9], "n": 100})
    series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n")
    found = of(checks(series, "2024-02", reference=0.1), "start after the worst")
    assert found["jumped"].tolist() == ["cannot tell"]


def test_a_drift_that_levels_off_is_no_jump_although_a_line_bends_against_it() -> None:
    dates = Dates(AFTER.astype(int)[None], np.array([[24.0]]), np.array([False]))
    part = np.round(10 + 90 * (1 - np.exp(-T / 9)))[None]
    found = find_jumps(part, part + 300, dates, T / 12 % 1, family="binomial", confidence=0.95)
    assert found.jumped.tolist() == [["drifted"]]


def test_a_baseline_without_any_event_is_not_the_worst() -> None:
    rows = of(checks(series_of({"A": {"x": np.where(AFTER, 3, 0), "n": 100}, "B": {"x": 9, "n": 100}})),
              "start after the worst")  # fmt: skip
    assert rows.loc[0, "jumped"] == "no"
    assert rows.loc[0, "p"] == 1.0
