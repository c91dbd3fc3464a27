"""By what strata are named in words: a site is named only where there are several."""

from __future__ import annotations

import pandas as pd

import qi_equity as qe


def _series(sites: list[str]) -> qe.StratifiedSeries:
    months = [*pd.period_range("2022-01", periods=36, freq="M").astype(str)]
    rows = [
        (month, site, group, 9 if month < "2024-01" else 4, 75)
        for month in months
        for site in sites
        for group in ("Asian", "Black")
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    return qe.from_counts(
        frame,
        qe.measures["pph_1000"],
        period="month",
        numerator="pph",
        denominator="births",
        group="group",
        site="site",
    )


def _words(series: qe.StratifiedSeries) -> str:
    evaluation = qe.evaluate_change(series, "2024-01", reference="rest")
    return f"{evaluation.sentence()} {evaluation.sensitivity().sentence()}"


def test_one_site_of_several_is_not_named_with_every_group() -> None:
    words = _words(_series(["North", "South"]).select(site="North"))
    assert "Asian and Black: lower than before" in words
    assert "North" not in words


def test_several_sites_are_named_where_they_differ() -> None:
    series = _series(["North", "South"])
    at = pd.DataFrame({"site": ["North", "South"], "start": ["2024-01", "2022-06"], "reason": ["a", "b"]})
    words = qe.evaluate_change(series, at, reference="rest").sentence()
    assert "at North" in words or "at all 2 sites" in words


def test_all_sites_are_all_of_the_series_not_of_those_spoken_of() -> None:
    at = pd.DataFrame({"site": ["North", "South"], "start": ["2024-01"] * 2, "reason": ["a", "b"]})
    words = qe.evaluate_change(_series(["East", "North", "South"]), at, reference="rest").sentence()
    assert "at East" in words
    assert "at all 2 sites" not in words


def test_needs_name_the_sites_among_all_sites() -> None:
    series = _series(["East", "North", "South"]).select(end="2024-02")
    frame = series.data.assign(site=series.data["site"].astype("str"))
    small = frame["site"].ne("East") & frame["group"].eq("Asian")
    frame.loc[small, ["numerator", "denominator"]] = [1.0, 8.0]
    frame.loc[frame["group"].eq("Black"), "numerator"] = 9.0
    few = qe.from_counts(
        frame,
        qe.measures["pph_1000"],
        period="period",
        numerator="numerator",
        denominator="denominator",
        group="group",
        site="site",
    )
    words = qe.evaluate_change(few, "2024-01", reference="rest").sentence()
    assert "too little before the change for Asian at North and Asian at South to see" in words


def test_sites_without_groups_are_named_alone() -> None:
    frame = _series(["North", "South"]).total().data
    frame.loc[frame["site"].eq("South") & frame["period"].ge("2024-01-01"), "numerator"] = 18.0
    columns = {"period": "period", "numerator": "numerator", "denominator": "denominator", "site": "site"}
    series = qe.from_counts(frame, qe.measures["pph_1000"], **columns)
    words = qe.evaluate_change(series, "2024-01", reference="rest").sentence()
    assert "North: lower than before" in words
    assert "All" not in words
    same = qe.from_counts(_series(["North", "South"]).total().data, qe.measures["pph_1000"], **columns)
    words = qe.evaluate_change(same, "2024-01", reference="rest").sentence()
    assert "All 2 sites: lower than before" in words
