"""Published tables: the figures reproduce what their sources print, and each says where it comes from."""

from __future__ import annotations

from importlib import resources

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.datasets import PublishedTable, published

NAMES = published.names()


@pytest.mark.parametrize("name", NAMES)
def test_every_table_says_where_it_comes_from_and_what_is_not_known(name: str) -> None:
    t = published.load(name)
    for text in (t.title, t.source, t.licence, t.not_known, t.note):
        assert len(text) > 10
    assert "licence" in t.licence.lower()
    assert set(t.columns) <= set(t.data.columns)
    assert not t.data.duplicated().any()
    assert name in repr(t)
    assert t.source in repr(t)


@pytest.mark.parametrize("name", NAMES)
def test_data_are_a_fresh_copy(name: str) -> None:
    t = published.load(name)
    taken = t.data
    taken.insert(0, "new", 1)
    taken.loc[:, "group"] = "changed"
    t.columns["new"] = "x"
    t.arguments["new"] = "x"
    again = published.load(name)
    pd.testing.assert_frame_equal(t.data, again.data)
    assert t.equals(again)
    assert "new" not in again.columns
    assert "new" not in again.arguments


def test_files_and_catalogue_hold_the_same_tables() -> None:
    folder = resources.files("qi_equity.datasets").joinpath("tables")
    files = {f.name.removesuffix(".csv") for f in folder.iterdir() if f.name.endswith(".csv")}
    assert files == {*NAMES, "births_basis"}


def test_table_lists_all() -> None:
    t = published.table()
    assert tuple(t["name"]) == NAMES
    assert t["rows"].min() > 0


def test_unknown_name_is_refused() -> None:
    with pytest.raises(
        qe.OptionError, match=r"name='birmingham' is not allowed; use one of .*Did you mean 'birmingham_"
    ):
        published.load("birmingham")
    assert not published.load(NAMES[0]).equals(published.load(NAMES[1]))
    assert not published.load(NAMES[0]).equals(NAMES[0])


def test_birmingham_births_give_the_rates_of_the_source() -> None:
    t = published.load("birmingham_births").data.set_index("group")
    assert t["births"].sum() == 39_972
    per_1000 = (1000 * t["stillbirths"] / t["births"]).round(3)
    printed = {"White": 3.968, "Asian": 4.075, "Black": 7.476, "Mixed": 5.072, "Middle Eastern": 3.515}
    assert per_1000.to_dict() == printed | {"Other": 0.0, "Unknown": 23.148}
    assert t["neonatal_deaths"].sum() == 208
    assert (t["live_births"] == t["births"] - t["stillbirths"]).all()


def test_birmingham_preterm_gives_the_percentages_of_the_source() -> None:
    t = published.load("birmingham_preterm").data.set_index("group")
    percent = (100 * t["preterm_births"] / t["births"]).round(2)
    printed = {
        "White - British": 8.33, "Asian or Asian British - Pakistani": 8.94,
        "Asian or Asian British - Bangladeshi": 9.34, "Black or Black British - Caribbean": 8.69,
        "Black or Black British - African": 7.40, "Asian or Asian British - Indian": 7.35, "Unknown": 27.31,
    }  # fmt: skip
    assert percent.to_dict() == printed


def test_california_gives_the_percentages_of_the_paper() -> None:
    t = published.load("california_haemorrhage").data
    percent = (100 * t["severe_morbidity"] / t["women_with_haemorrhage"]).round(1)
    assert percent.tolist() == [22.1, 28.6, 19.8, 18.5]


def test_maternal_deaths_give_the_rates_of_the_reports() -> None:
    t = published.load("mbrrace_maternal_deaths").data.set_index("window")
    rate = (1e5 * t["deaths"] / t["maternities"]).round(2)
    assert rate[["2016-18", "2017-19", "2019-21", "2021-23"]].tolist() == [9.71, 8.79, 11.66, 12.67]
    assert (2000 + t.index.str[-2:].astype(int) == t["period"]).all()


def test_ratios_of_maternal_mortality_agree_with_the_rates() -> None:
    t = published.load("mbrrace_maternal_mortality").data
    assert set(t["mark"]) == {"primary", "secondary"}
    latest = t[t["window"] == "2022-24"].set_index("group")
    for group in ("Asian", "Black"):
        ratio = latest.loc[group, "rate_per_100000"] / latest.loc["White", "rate_per_100000"]
        assert round(ratio, 2) == latest.loc[group, "ratio_to_white"]
    assert latest.loc["Mixed", ["ratio_lower", "ratio_upper"]].tolist() == [0.55, 2.93]
    assert t["rate_per_100000"].isna().any()
    assert t[["rate_per_100000", "ratio_to_white"]].notna().any(axis=1).all()


def test_ons_rates_are_the_quoted_ones() -> None:
    t = published.load("ons_stillbirth_preterm").data
    assert set(t["mark"]) == {"secondary"}
    of_2020 = t[(t["period"] == 2020) & (t["measure"] == "stillbirth")].set_index("group")["value"]
    assert of_2020.to_dict() == {"All births": 3.8, "Asian": 5.2, "Black": 6.3, "White": 3.2}
    assert set(t.loc[t["measure"] == "preterm_birth", "per"]) == {100}


def test_england_deliveries_give_the_shares_of_the_publication() -> None:
    t = published.load("england_deliveries").data
    unknown = ["Not stated", "Not known", "Missing"]
    known = t[~t["group"].isin(unknown)].pivot(index="period", columns="group", values="deliveries")
    shares = (100 * known.div(known.sum(axis=1), axis=0)).round(1)
    order = ["White", "Asian or Asian British", "Black or Black British", "Mixed", "Any other ethnic group"]
    assert shares.loc["2021-22", order].tolist() == [75.3, 12.9, 5.2, 2.4, 4.2]
    assert shares.loc["2022-23", order].tolist() == [73.0, 14.1, 6.0, 2.6, 4.3]
    assert shares.loc["2023-24", order].tolist() == [70.5, 15.8, 6.7, 2.8, 4.2]
    assert (
        t.groupby("period", observed=False)["deliveries"].sum()
        == t.groupby("period", observed=False)["all_deliveries"].first()
    ).all()
    assert (t["deliveries"] % 5 == 0).all()


@pytest.mark.parametrize("name", [n for n in NAMES if published.load(n).arguments])
def test_tables_with_counts_go_into_a_series_as_they_are(name: str) -> None:
    t: PublishedTable = published.load(name)
    measure = qe.Measure("events", "proportion", None)
    series = qe.from_counts(t.data, measure, **t.arguments)
    assert series.window == t.arguments.get("window", 1)
    assert series.data["numerator"].sum() == t.data[t.arguments["numerator"]].sum()
    assert set(t.data["group"]) <= set(series.groups)
