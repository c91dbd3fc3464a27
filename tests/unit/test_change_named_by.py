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
    columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    return qe.from_counts(frame, qe.measures["pph_1000"], group="group", site="site", **columns)


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
