"""A sensitivity as a whole: words, notes, JSON, and planted cases that only look like a change."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.change.sensitivity.result import Sensitivity
from qi_equity.errors import DataError

MONTHS = [str(m) for m in pd.period_range("2021-01", periods=42, freq="M")]


def counts(blocks: dict[Any, Any], births: Any = 200, **options: Any) -> Any:
    parts = []
    for key, x in blocks.items():
        site, group = key if isinstance(key, tuple) else (None, key)
        names = {"g": group} if site is None else {"g": group, "s": site}
        parts.append(pd.DataFrame({"m": MONTHS, **names, "x": x, "n": births}))
    rows = pd.concat(parts, ignore_index=True)
    given = {"site": "s"} if "s" in rows else {}
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    return qe.from_counts(rows, qe.measures["pph_1500"], **columns, **given, **options)


@pytest.fixture(scope="module")
def asked() -> Sensitivity:
    rng = np.random.default_rng(5)
    p = np.where(np.arange(42) < 24, 0.12, 0.05)
    series = counts({"East": rng.binomial(200, p), "West": rng.binomial(200, 0.08, 42)})
    found = qe.evaluate_change(series, "2023-01", reference="rest").sensitivity(standardise="group")
    assert isinstance(found, Sensitivity)
    return found


def test_json_gives_it_back_and_refuses_what_it_is_not(asked: Sensitivity) -> None:
    data = json.loads(json.dumps(asked.to_dict()))
    again = Sensitivity.from_dict(data)
    assert again.equals(asked)
    for name in ("table", "placebo", "fake_dates", "checks", "notes"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(asked, name), check_dtype=False)
    assert again.sentence() == asked.sentence()
    assert not asked.equals("table")
    with pytest.raises(DataError, match="wanted is 'Sensitivity' in format 1"):
        Sensitivity.from_dict(asked.evaluation.to_dict())
    del data["tables"]["checks"]
    with pytest.raises(DataError, match="not the data of a Sensitivity"):
        Sensitivity.from_dict(data)
    data["tables"]["checks"] = "none"
    with pytest.raises(DataError, match="is not a frame"):
        Sensitivity.from_dict(data)


def test_frames_are_copies_and_have_the_same_columns_whatever_the_options(asked: Sensitivity) -> None:
    for name in ("table", "placebo", "fake_dates", "checks", "notes"):
        frame = getattr(asked, name)
        frame.iloc[:, 0] = "changed"
        assert not getattr(asked, name).equals(frame)
    plain = asked.evaluation.sensitivity(leave_out=0, placebo=False)
    for name in ("table", "placebo", "fake_dates", "checks", "notes"):
        one, other = getattr(asked, name), getattr(plain, name)
        pd.testing.assert_series_equal(one.dtypes, other.dtypes)
    with pytest.raises(AttributeError):
        asked.method = {}


def test_the_sentence_says_where_each_verdict_stands(asked: Sensitivity) -> None:
    text = asked.sentence()
    table = asked.table
    east = table[(table["group"] == "East") & (table["analysis"] != "as evaluated")]
    assert (east["stands"] == "yes").all()
    assert '"improved" for East: it stands in all 9 other analyses.' in text
    # A level model by another name is no other analysis.
    same = ["as evaluated", "level", "rho 0.0"]
    west = table[(table["group"] == "West") & ~table["analysis"].isin(same)]
    holds = (west["stands"] == "yes").sum()
    assert f"for West: it stands in {holds} of 9 other analyses; " in text
    for name in west.loc[west["stands"] == "weaker", "analysis"]:
        assert name in text
    assert 'All groups: "improved" with the mix as it came, "improved" standardised for group.' in text
    assert "0 of 9 fake dates look as large for East" in text
    assert "caused" not in text


def test_where_nothing_moved_it_says_that_this_is_no_proof() -> None:
    rng = np.random.default_rng(1)
    series = counts({"East": rng.binomial(200, 0.1, 42), "West": rng.binomial(200, 0.1, 42)})
    found = qe.evaluate_change(series, "2023-01", reference="rest").sensitivity(placebo=False)
    assert not found.checks["jumped"].isin(["yes", "drifted"]).any()
    assert found.sentence().endswith(
        "No check shows that anything else moved at the same date, which is no proof that nothing did."
    )
    assert "mix_not_held" in found.notes["code"].tolist()


def test_what_moved_is_named_with_its_strata_and_places() -> None:
    births = {("North", "East"): 200, ("North", "Not known"): np.where(np.arange(42) < 24, 40, 4)}
    births |= {("South", "East"): 200, ("South", "Not known"): 20}
    parts = [pd.DataFrame({"m": MONTHS, "s": s, "g": g, "x": 2, "n": n}) for (s, g), n in births.items()]
    series = qe.from_counts(
        pd.concat(parts),
        qe.measures["pph_1500"],
        period="m",
        numerator="x",
        denominator="n",
        group="g",
        site="s",
    )
    found = qe.evaluate_change(series, "2023-01", reference=0.05).sensitivity(placebo=False)
    assert "group not known (North)" in found.sentence()
    one = qe.evaluate_change(series.select(site="North").pool("site"), "2023-01", reference=0.05)
    assert "group not known;" in one.sensitivity(placebo=False).sentence()
    notes = found.notes[found.notes["code"] == "completeness_moved"]
    assert notes[["site"]].values.tolist() == [["North"]]
    assert notes["group"].isna().all()


def test_nothing_else_possible_is_said() -> None:
    series = counts({"East": [20] * 42, "West": [20] * 42})
    at = pd.DataFrame({"group": ["East"], "start": ["2023-01"]})
    found = qe.evaluate_change(series, at, reference="West").sensitivity(placebo=False)
    assert "for West: no other analysis is possible." in found.sentence()


def test_it_shows_itself_without_markup_from_the_data() -> None:
    series = counts({"<b>East": [20] * 42, "West": [20] * 42})
    found = qe.evaluate_change(series, "2023-01", reference="West").sensitivity()
    page = found._repr_html_()
    assert "<b>East" not in page
    assert "&lt;b&gt;East" in page
    assert "does the verdict stand?" in page
    assert repr(found).startswith(
        "<Sensitivity 'Postpartum haemorrhage of 1500 ml or more': 2 strata, 12 analyses"
    )


def made(change: str, seed: int, **options: Any) -> Any:
    births = qe.datasets.births(
        40_000, sites=1, months=39, change=change, change_date="2024-01-01", seed=seed, **options
    )
    return qe.from_records(
        births.records_for("pph_1500"),
        qe.measures["pph_1500"],
        date="date",
        event="pph_1500",
        ethnicity="ethnicity",
        scheme="nhs-2001",
        grouping="broad",
    )


def asked_of(series: Any, **options: Any) -> Sensitivity:
    found = qe.evaluate_change(series, "2024-01", reference="rest").sensitivity(**options)
    assert isinstance(found, Sensitivity)
    return found


def test_recording_is_found_to_have_moved() -> None:
    found = asked_of(made("recording", 1), placebo=False)
    rows = found.checks[found.checks["check"] == "outcome not recorded"]
    assert (rows["jumped"] == "yes").sum() >= 6
    assert (rows["ratio"].dropna() < 0.5).all()
    assert "outcome not recorded" in found.sentence()


def test_a_case_mix_that_moves_the_total_ends_when_it_is_held() -> None:
    found = asked_of(made("case-mix", 0, effect=0.6), standardise="group", placebo=False)
    total = found.table[found.table["group"] == "All groups"]
    assert total["verdict"].tolist() == ["worsened", "no meaningful change"]
    mix = found.checks[found.checks["check"] == "mix of groups"].set_index("group")
    assert mix.loc["Black", "jumped"] == mix.loc["White", "jumped"] == "drifted"


def test_an_earlier_trend_does_not_stand() -> None:
    found = asked_of(made("trend", 0), placebo=False)
    white = found.table[found.table["group"] == "White"].set_index("analysis")
    assert white.loc["as evaluated", "verdict"] == "improved"
    assert white.loc["level+trend", "stands"] in ("weaker", "no")
    assert "level+trend" in found.sentence()


def test_a_season_does_not_stand() -> None:
    # Half a year on each side: the worst half of the wave before the date, the best after it.
    whole = made("season", 0, effect=0.6).total()
    short = whole.select(start="2023-07", end="2024-06")
    table = qe.evaluate_change(short, "2024-01", reference=0.02).sensitivity(placebo=False).table
    lines = table.set_index("analysis")["stands"]
    assert table.loc[0, "verdict"] == "improved"
    assert lines[["level+season", "level+trend+season"]].tolist() == ["weaker", "weaker"]
    # With two years before, the fake dates tell on the model without a season.
    series = whole.select(end="2024-06")
    found = qe.evaluate_change(series, "2024-01", reference=0.02, model="level+trend").sensitivity()
    told = found.placebo.set_index("analysis")["told_apart"]
    assert found.table.loc[0, "verdict"] == "improved"
    assert told["as evaluated"] > told["level+trend+season"]


def test_many_strata_are_told_in_sum() -> None:
    rng = np.random.default_rng(3)
    after = np.arange(42) >= 24
    blocks = {f"g{k:02d}": rng.binomial(200, np.where(after, 0.04 if k < 2 else 0.1, 0.1)) for k in range(12)}
    series = counts(blocks)
    found = qe.evaluate_change(series, "2023-01", reference="rest").sensitivity()
    text, table = found.sentence(), found.table
    others = table[~table["analysis"].isin(["as evaluated", "level", "rho 0.0"])]
    first = table[table["analysis"] == "as evaluated"].set_index("group")["verdict"]
    for verdict in first.unique():
        mine = others[others["group"].isin(first.index[first == verdict])]
        count = mine["group"].nunique()
        whole = (mine["stands"] == "yes").groupby(mine["group"]).all().sum()
        if whole == count > 1:
            assert "it stands in all other analyses that are possible" in text
        elif count > 1:
            assert f"it stands in all other analyses for {whole or 'none'} of {count}" in text
            lost = mine.loc[mine["stands"] != "yes", "analysis"].value_counts()
            assert f"({lost.max()})" in text
    # Of many strata fake dates are told of those whose rate moved, and of no others.
    told = text[text.index("fake date") :].split("Read with caution")[0].split("No check")[0]
    moved = first.index[first.isin(["improved", "worsened"])]
    assert all(group in told for group in moved)
    assert not any(group in told for group in first.index.difference(moved))


def test_many_strata_that_all_stand_and_one_by_itself() -> None:
    blocks = {f"g{k}": [20] * 42 for k in range(9)}
    blocks["g9"] = [30] * 24 + [10] * 18
    found = qe.evaluate_change(counts(blocks), "2023-01", reference="rest").sensitivity(leave_out=0)
    table = found.table[found.table["group"] != "g9"]
    text = found.sentence()
    same = ["as evaluated", "level", "rho 0.0"]
    alone = found.table[(found.table["group"] == "g9") & ~found.table["analysis"].isin(same)]
    holds = (alone["stands"] == "yes").sum()
    said = "all 8" if holds == 8 else f"{holds} of 8"
    assert f'"improved" for g9: it stands in {said} other analyses' in text
    assert table["ratio"].between(0.99, 1.01).all()


def test_many_strata_held_over_their_mix_are_named_in_short() -> None:
    blocks = {(s, g): [20] * 42 for s in "ABCDE" for g in ("East", "West")}
    found = qe.evaluate_change(counts(blocks), "2023-01", reference="rest").sensitivity(standardise="group")
    assert "All groups at A, All groups at B, All groups at C and 2 more: " in found.sentence()
    one = found.notes[found.notes["code"] == "few_sites"]
    assert one["text"].str.startswith("Beside 4 other sites the smallest possible p is 0.2").all()
    assert len(one) == 1


def test_several_changes_held_over_the_mix_are_told_apart() -> None:
    series = counts({"East": [20] * 42, "West": [20] * 42})
    evaluation = qe.evaluate_change(series, ["2022-01", "2023-01"], reference="rest")
    text = evaluation.sensitivity(standardise="group", placebo=False).sentence()
    assert "All groups: change 1: " in text
    assert "All groups: change 2: " in text


def test_many_strata_that_all_stand_are_said_to() -> None:
    x = np.isin(np.arange(42), [3, 17, 30])
    series = counts({f"g{k}": x.astype(int) for k in range(9)})
    text = qe.evaluate_change(series, "2023-01", reference="rest").sensitivity(placebo=False).sentence()
    assert '"not yet visible" for all 9 groups: it stands in all other analyses that are possible.' in text
