"""Standardised series: what a change of mix does, what is lacking, what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.standardise import standardise
from qi_equity.data.standardised import StandardisedRates
from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError
from qi_equity.formulas.rate_intervals import exact_rate_interval
from qi_equity.formulas.standardisation import direct_rate

# Shares of births in England, MSDS: White, Asian, Black, Mixed, Other (Chinese women among Other).
SHARES = {
    "2021-22": (75.3, 12.9, 5.2, 2.4, 4.2),
    "2022-23": (73.0, 14.1, 6.0, 2.6, 4.3),
    "2023-24": (70.5, 15.8, 6.7, 2.8, 4.2),
}
GROUPS = ("White", "Asian", "Black", "Mixed", "Other")
PPH = qe.Measure("Postpartum haemorrhage", "proportion", "lower")


def series_of(rows: list[tuple[Any, ...]], by: list[str], **options: Any) -> StratifiedSeries:
    names = ["month", "group", *by, "x", "n"]
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "by": by}
    return qe.from_counts(
        pd.DataFrame(rows, columns=names), options.pop("measure", PPH), **columns, **options
    )


def england(rates: tuple[float, ...]) -> StratifiedSeries:
    rows = [
        (year, group, round(1000 * share * rate), round(1000 * share))
        for year, shares in SHARES.items()
        for group, share, rate in zip(GROUPS, shares, rates, strict=True)
    ]
    return series_of(rows, [], every="financial-year")


@pytest.fixture
def two_ages() -> StratifiedSeries:
    rows = [
        ("2024-01", "Black", "<35", 20, 500),
        ("2024-01", "Black", "35+", 10, 100),
        ("2024-01", "White", "<35", 30, 900),
        ("2024-01", "White", "35+", 25, 300),
        ("2024-02", "Black", "<35", 15, 500),
        ("2024-02", "Black", "35+", 0, 0),
        ("2024-02", "White", "<35", 2, 90),
        ("2024-02", "White", "35+", 1, 30),
    ]
    return series_of(rows, ["age"])


def row(found: StandardisedRates, group: str, span: str) -> pd.Series:
    table = found.table
    return table[(table["group"] == group) & (table["span"] == span)].iloc[0]


def test_a_total_that_moves_only_with_the_mix_is_flat_when_standardised() -> None:
    """Simpson: no group's rate changes, the share of women with a higher rate grows."""
    series = england((0.03, 0.04, 0.06, 0.035, 0.04))
    table = standardise(series, "group").table
    assert table["group"].unique().tolist() == ["All groups"]
    assert np.diff(table["crude"]).min() > 0.0003
    np.testing.assert_allclose(table["standardised"], table["standardised"][0], rtol=2e-4)


def test_every_group_improves_while_the_total_worsens() -> None:
    better = [1, 0.99, 0.98]
    rows = [
        (year, group, round(100_000 * share * rate * factor), round(100_000 * share))
        for (year, shares), factor in zip(SHARES.items(), better, strict=True)
        for group, share, rate in zip(GROUPS, shares, (0.02, 0.04, 0.08, 0.035, 0.04), strict=True)
    ]
    table = standardise(series_of(rows, [], every="financial-year"), "group").table
    assert np.diff(table["crude"]).min() > 0
    np.testing.assert_allclose(table["standardised"] / table["standardised"][0], better, rtol=1e-5)


def test_direct_rates_are_those_of_the_formula(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, ["age"])
    weights = [100 + 300 + 0 + 30, 500 + 900 + 500 + 90]
    want = direct_rate([[10, 20], [25, 30]], [[100, 500], [300, 900]], weights)
    for k, group in enumerate(("Black", "White")):
        got = row(found, group, "2024-01")
        np.testing.assert_allclose(
            got[["standardised", "lower", "upper"]].to_numpy(dtype=float),
            [want.estimate[k], want.lower[k], want.upper[k]],
        )
    assert row(found, "Black", "2024-01")[["events", "births", "crude"]].tolist() == [30, 600, 0.05]
    assert found.standard["weight"].tolist() == weights
    assert "all groups together" in found.notes.set_index("code").loc["standard", "text"]
    assert found.method["standardised"]["interval"] == "dobson"


def test_a_stratum_without_births_is_named_and_not_filled(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age")
    lacking = row(found, "Black", "2024-02")
    assert np.isnan(lacking["standardised"])
    assert lacking["reason"] == "a stratum of the case-mix is without births"
    assert lacking["crude"] == 0.03
    note = found.notes.set_index("code").loc["no_births_in_stratum"]
    assert note["group"] == "Black"
    assert note["text"].startswith("In 1 of 2 spans no births in: 35+.")
    few = row(found, "White", "2024-02")
    assert few["reason"] == "fewer than 10 events: no Dobson interval"
    assert few["standardised"] > 0
    assert np.isnan(few["upper"])
    assert found.notes.set_index("code").loc["few_events", "group"] == "White"
    gamma = row(standardise(two_ages, "age", interval="gamma"), "White", "2024-02")
    assert gamma["lower"] < gamma["standardised"] == few["standardised"] < gamma["upper"]
    assert gamma["reason"] == ""


def test_strata_are_merged_on_request_alike_for_all() -> None:
    rows = [
        ("2024-01", group, age, x, n)
        for group, counts in {
            "Black": ((20, 500), (10, 100), (0, 0), (3, 20)),
            "White": ((30, 900), (25, 300), (2, 40), (4, 30)),
        }.items()
        for age, (x, n) in zip(("20", "30", "40", "50"), counts, strict=True)
    ]
    found = standardise(series_of(rows, ["age"]), "age", merge=True)
    # The one that is lacking (40 births in all) and the smallest of the others (50).
    assert found.standard["merged"].tolist() == [False, False, True, True]
    want = direct_rate([[20, 10, 3], [30, 25, 6]], [[500, 100, 20], [900, 300, 70]], [1400, 400, 90])
    np.testing.assert_allclose(found.table["standardised"], want.estimate)
    assert "40, 50" in found.notes.set_index("code").loc["merged", "text"]
    assert "no_births_in_stratum" not in found.notes["code"].tolist()


def test_of_two_strata_merged_the_rate_is_the_crude_one(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age", merge=True, interval="gamma")
    assert found.standard["merged"].all()
    np.testing.assert_allclose(found.table["standardised"], found.table["crude"])


def test_nothing_is_merged_where_nothing_is_lacking() -> None:
    series = england((0.03,) * 5)
    assert standardise(series, "group", merge=True).table.equals(standardise(series, "group").table)


def test_indirect_ratios(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age", standard="White", method="indirect", interval="exact", over="all")
    rates = np.array([32 / 990, 26 / 330])
    want = exact_rate_interval([45], [1000 * rates[0] + 100 * rates[1]])
    black = found.table[found.table["group"] == "Black"].iloc[0]
    np.testing.assert_allclose(
        black[["ratio", "ratio_lower", "ratio_upper"]].to_numpy(dtype=float),
        [want.estimate[0], want.lower[0], want.upper[0]],
    )
    overall = 58 / 1320
    np.testing.assert_allclose(black["standardised"], want.estimate[0] * overall)
    np.testing.assert_allclose(black["upper"], want.upper[0] * overall)
    white = found.table[found.table["group"] == "White"].iloc[0]
    assert white["ratio"] == pytest.approx(1)
    assert "indirect_not_comparable" in found.notes["code"].tolist()


def test_indirect_needs_no_births_in_every_stratum(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age", standard={"<35": 0.03, "35+": 0.06}, method="indirect")
    lacking = row(found, "Black", "2024-02")
    assert lacking["expected"] == pytest.approx(15)
    assert lacking["ratio"] == pytest.approx(1)
    assert np.isnan(lacking["standardised"])
    assert "no_standard_rate" in found.notes["code"].tolist()


def test_standards_are_read_from_mappings_and_frames(two_ages: StratifiedSeries) -> None:
    mapping = standardise(two_ages, "age", standard={"35+": 3, "<35": 7})
    frame = pd.DataFrame({"age": ["<35", "35+"], "denominator": [70, 30], "numerator": [2, 3]})
    both = standardise(two_ages, "age", standard=frame)
    np.testing.assert_allclose(mapping.table["standardised"], both.table["standardised"])
    assert row(mapping, "Black", "2024-01")["standardised"] == pytest.approx(0.7 * 0.04 + 0.3 * 0.1)
    indirect = standardise(two_ages, "age", standard=frame, method="indirect")
    assert row(indirect, "Black", "2024-01")["expected"] == pytest.approx(500 * 2 / 70 + 100 * 3 / 30)
    assert row(indirect, "Black", "2024-01")["standardised"] == pytest.approx(
        row(indirect, "Black", "2024-01")["ratio"] * 5 / 100
    )


def test_a_standard_without_a_rate_for_births_that_there_are(two_ages: StratifiedSeries) -> None:
    frame = pd.DataFrame({"age": ["<35", "35+"], "denominator": [70, 0], "numerator": [2, 0]})
    found = standardise(two_ages, "age", standard=frame, method="indirect")
    assert (
        row(found, "White", "2024-01")["reason"] == "the standard has no rate for a stratum of the case-mix"
    )
    assert np.isfinite(row(found, "Black", "2024-02")["ratio"])


def test_two_columns_are_crossed() -> None:
    rows = [
        ("2024-01", "All", age, parity, x, 100)
        for age, parity, x in (("<35", "0", 4), ("<35", "1+", 3), ("35+", "0", 9), ("35+", "1+", 6))
    ]
    series = series_of(rows, ["age", "parity"])
    standard = {("<35", "0"): 1, ("<35", "1+"): 1, ("35+", "0"): 2, ("35+", "1+"): 0}
    found = standardise(series, ["age", "parity"], standard=standard)
    assert found.table["standardised"][0] == pytest.approx((0.04 + 0.03 + 2 * 0.09) / 4)
    # Over parity alone, age stays a column of the result.
    by_parity = standardise(series, "parity")
    assert by_parity.table["age"].tolist() == ["35+", "<35"]
    assert list(by_parity.notes.columns) == ["code", "severity", "site", "group", "age", "text"]


def test_sites_stay_and_share_one_standard() -> None:
    rows = pd.DataFrame(
        {
            "month": "2024-01",
            "site": ["North", "North", "South", "South"],
            "group": ["Asian", "Black"] * 2,
            "x": [10, 20, 5, 30],
            "n": [200, 300, 400, 100],
        }
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    found = standardise(qe.from_counts(rows, PPH, **columns), "group")
    assert found.table["site"].tolist() == ["North", "South"]
    np.testing.assert_allclose(
        found.table["standardised"],
        [0.6 * 10 / 200 + 0.4 * 20 / 300, 0.6 * 5 / 400 + 0.4 * 30 / 100],
    )


def test_missing_and_suppressed_are_not_zero() -> None:
    rows = pd.DataFrame(
        {
            "month": ["2024-01"] * 2 + ["2024-02"] * 2 + ["2024-03"] * 2,
            "age": ["<35", "35+"] * 3,
            "x": ["20", "10", "*", "10", None, "10"],
            "n": ["500", "100", "500", "100", None, "100"],
        }
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "by": ["age"]}
    found = standardise(qe.from_counts(rows, PPH, **columns), "age", standard={"<35": 1, "35+": 1})
    assert found.table["reason"].tolist() == ["", "suppressed", "a stratum of the case-mix is missing"]
    assert np.isfinite(found.table["standardised"]).tolist() == [True, False, False]
    assert np.isnan(found.table["crude"][1])
    codes = found.notes["code"].tolist()
    assert {"partly_missing", "suppressed_in_sum"} <= set(codes)
    in_part = standardise(qe.from_counts(rows, PPH, **columns), "age", standard="all")
    assert "standard_in_part" in in_part.notes["code"].tolist()
    with_nothing = rows.assign(
        x=rows["x"].where(rows["month"] != "2024-03"), n=rows["n"].where(rows["month"] != "2024-03")
    )
    found = standardise(qe.from_counts(with_nothing, PPH, **columns), "age", standard={"<35": 1, "35+": 1})
    assert found.table["reason"].tolist()[2] == "missing"


def test_a_stratum_that_never_reports_has_no_births() -> None:
    rows = [
        ("2024-01", "Black", "<35", 20, 500),
        ("2024-01", "White", "<35", 30, 900),
        ("2024-01", "White", "35+", 25, 300),
    ]
    series = series_of(rows, ["age"])
    direct = row(standardise(series, "age"), "Black", "2024-01")
    assert direct["reason"] == "a stratum of the case-mix is without births"
    indirect = row(standardise(series, "age", standard="White", method="indirect"), "Black", "2024-01")
    assert indirect["ratio"] == pytest.approx((20 / 500) / (30 / 900))


def test_a_standard_with_suppressed_births_is_refused() -> None:
    rows = pd.DataFrame({"month": "2024-01", "age": ["<35", "35+"], "x": [20, "*"], "n": [500, "*"]})
    columns = {"period": "month", "numerator": "x", "denominator": "n", "by": ["age"]}
    series = qe.from_counts(rows, PPH, **columns)
    with pytest.raises(OptionError, match="births of it are suppressed or not known; give the standard"):
        standardise(series, "age")


def test_phases(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age", over="2024-02")
    assert found.table["span"].tolist() == ["2024-01", "2024-02"] * 2
    phases = pd.DataFrame({"age": ["<35"], "start": ["2024-02"]})
    with pytest.raises(OptionError, match="strata of one case-mix different phases"):
        standardise(two_ages, "age", over=phases)


def test_a_group_without_births_stays_a_row() -> None:
    rows = pd.DataFrame(
        {"month": "2024-01", "code": ["H", "A"], "age": ["<35", "35+"], "x": [3, 4], "n": [50, 80]}
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "code", "by": ["age"]}
    found = standardise(qe.from_counts(rows, PPH, scheme="nhs-2001", **columns), "age")
    assert len(found.table) == len(found.table["group"].cat.categories) > 5
    black = found.table[found.table["group"] == "Mixed - White and Asian"].iloc[0]
    assert black["reason"] == "missing"
    assert np.isnan(black["standardised"])


def test_saved_and_read_again(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age")
    again = StandardisedRates.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    assert not again.equals(standardise(two_ages, "age", confidence=0.9))
    assert not found.equals(found.table)
    with pytest.raises(DataError, match="not the data of a StandardisedRates"):
        StandardisedRates.from_dict({**found.to_dict(), "table": 3})
    with pytest.raises(DataError, match="wanted is 'StandardisedRates'"):
        StandardisedRates.from_dict({})
    assert "2 rows" not in repr(found)
    assert "4 rows; standard: all groups together" in repr(found)
    assert "fewer than 10 events" in found._repr_html_()


def test_what_is_given_is_not_changed(two_ages: StratifiedSeries) -> None:
    found = standardise(two_ages, "age")
    table, standard = found.table, found.standard
    table["crude"] = 0
    standard["weight"] = 0
    assert found.table["crude"].max() > 0
    assert found.standard["weight"].min() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "ages"}, "by='ages' is not allowed; use one of 'group', 'age'. Did you mean 'age'"),
        ({"by": []}, "names no column"),
        ({"method": "both"}, "method='both' is not allowed"),
        ({"interval": "ohid"}, "interval='ohid' is not allowed; use one of 'dobson', 'gamma'"),
        ({"interval": ""}, "interval='' is not allowed; use one of 'dobson', 'gamma'"),
        ({"over": []}, "names no span; give .all., .period., or dates"),
        ({"method": "indirect", "merge": True}, "merge=True is not needed"),
        ({"confidence": 95}, "confidence=95 is not allowed"),
        ({"standard": "Blak"}, "standard='Blak' is not allowed.*Did you mean 'Black'"),
        ({"by": "group", "standard": "Black"}, "one group has no mix of groups"),
        ({"standard": {"<35": 1}}, "not in the standard 35+"),
        ({"standard": {"<35": 1, "35+": 1, "60+": 1}}, r"not in the data 60\+"),
        ({"standard": {("<35", "0"): 1}}, "give one label for each of by="),
        ({"standard": {"<35": 1, "35+": -1}}, "denominator=-1.0; give finite numbers of 0 or more"),
    ],
)
def test_refusals(two_ages: StratifiedSeries, options: dict[str, Any], message: str) -> None:
    message = message.replace("35+", r"35\+") if "\\" not in message else message
    with pytest.raises(OptionError, match=message):
        standardise(two_ages, **{"by": "age", **options})


def test_merge_is_yes_or_no(two_ages: StratifiedSeries) -> None:
    with pytest.raises(InputTypeError, match="merge='no' is of type str; give True or False"):
        two_ages.standardise("age", merge="no")
    assert two_ages.standardise("age", merge=np.True_).options["merge"] is True


def test_refusals_of_what_cannot_be_a_standard(two_ages: StratifiedSeries) -> None:
    with pytest.raises(InputTypeError, match="standard of type int cannot be used"):
        standardise(two_ages, "age", standard=3)
    with pytest.raises(ColumnError, match="standard='denominator' is not a column"):
        standardise(two_ages, "age", standard=pd.DataFrame({"age": ["<35"], "weight": [1]}))
    with pytest.raises(InputTypeError, match="denominator that cannot be read as numbers"):
        standardise(two_ages, "age", standard={"<35": "many", "35+": "few"})
    twice = pd.DataFrame({"age": ["<35", "<35", "35+"], "denominator": [1, 2, 3]})
    with pytest.raises(OptionError, match="1 named twice"):
        standardise(two_ages, "age", standard=twice)


def test_refusals_of_series() -> None:
    count = qe.Measure("Calls", "count", None)
    rows = pd.DataFrame({"month": ["2024-01"], "age": ["<35"], "n": [3]})
    series = qe.from_counts(rows, count, period="month", numerator="n", by=["age"])
    with pytest.raises(OptionError, match="of kind 'count': it needs events among births"):
        standardise(series, "age")
    rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "age": "<35", "x": [1, 2], "n": [30, 30]})
    columns = {"period": "month", "numerator": "x", "denominator": "n", "by": ["age"]}
    with pytest.raises(OptionError, match="standard='all' is not possible with window=3"):
        standardise(qe.from_counts(rows, PPH, window=3, **columns), "age")
    rows = pd.DataFrame({"month": "2024-01", "code": ["1", "2"], "age": "<35", "x": [1, 2], "n": [30, 30]})
    series = qe.from_counts(rows, PPH, scheme="nz-level-1-total", group="code", **columns)
    for options in ({"by": "group", "standard": {}}, {"by": "age"}):
        with pytest.raises(OptionError, match="a woman may be in several"):
            standardise(series, **options)


CELLS = st.lists(st.tuples(st.integers(0, 30), st.integers(30, 300)), min_size=8, max_size=8)


@settings(max_examples=25)
@given(cells=CELLS, order=st.permutations(range(8)))
def test_row_order_and_other_groups_change_nothing(cells: list[tuple[int, int]], order: list[int]) -> None:
    keys = [(m, g, a) for m in ("2024-01", "2024-02") for g in ("A", "B") for a in ("1", "2")]
    rows = [(*k, *c) for k, c in zip(keys, cells, strict=True)]
    standard = {"1": 2, "2": 5}
    found = standardise(series_of(rows, ["age"]), "age", standard=standard, interval="gamma").table
    mixed = standardise(
        series_of([rows[i] for i in order], ["age"]), "age", standard=standard, interval="gamma"
    )
    assert mixed.table.equals(found)
    alone = standardise(
        series_of([r for r in rows if r[1] == "B"], ["age"]), "age", standard=standard, interval="gamma"
    ).table
    both = found[found["group"] == "B"].reset_index(drop=True)
    np.testing.assert_array_equal(alone["standardised"], both["standardised"])
    np.testing.assert_array_equal(alone["upper"], both["upper"])
