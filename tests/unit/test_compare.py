"""Comparisons against loops over strata written out here, and what they say, refuse and keep.

No published comparison of groups and sites with this table was found: limits, lines and shrunken rates are
checked against the formulas, called for one set at a time, whose own tests hold the outside references.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from qi_equity.data.catalogue import measures
from qi_equity.data.cells import MISSING, SUPPRESSED
from qi_equity.data.counts import from_counts
from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.comparison.compare import GroupComparison, compare_groups
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas.analysis_of_means import mean_limits, proportion_limits, rate_limits
from qi_equity.formulas.probability_limits import p_probability_limits
from qi_equity.formulas.shrinkage import beta_binomial_shrinkage

SITES, GROUPS = "ABCD", ("Asian", "Black", "White", "Not stated")
BIRTHS = {"Asian": 300, "Black": 120, "White": 900, "Not stated": 40}
CHANCE = {"Asian": 0.08, "Black": 0.15, "White": 0.07, "Not stated": 0.1}


def made(seed: int = 5, kind: Any = "proportion", better: Any = "lower", **changes: Any) -> StratifiedSeries:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        [(y, u, g, BIRTHS[g]) for y in ("2023", "2024") for u in SITES for g in GROUPS],
        columns=["year", "unit", "who", "births"],
    )
    chance = rows["who"].map(CHANCE) * (1 + 0.4 * (rows["unit"] == "A"))
    rows["n"] = rng.binomial(rows["births"], chance)
    rows = rows.assign(**changes)
    measure = Measure("Preterm", kind, better)
    return from_counts(
        rows,
        measure,
        period="year",
        numerator="n",
        denominator="births",
        group="who",
        site="unit",
        every="year",
    )


def one_site(events: list[int], births: list[int], better: Any = "lower") -> StratifiedSeries:
    rows = pd.DataFrame({"year": "2024", "who": list("PQRST")[: len(events)], "n": events, "births": births})
    measure = Measure("Preterm", "proportion", better)
    return from_counts(
        rows, measure, period="year", numerator="n", denominator="births", group="who", every="year"
    )


def means() -> StratifiedSeries:
    rows = pd.DataFrame(
        {"year": "2024", "who": list("PQRS"), "mean": [30.0, 33.0, 31.0, 30.5], "births": [40, 25, 60, 30]}
    ).assign(sd=[5.0, 6.0, 5.5, 4.5])
    measure = Measure("Minutes to theatre", "mean", "lower", unit="minutes")
    return from_counts(
        rows, measure, period="year", value="mean", sd="sd", denominator="births", group="who", every="year"
    )


def test_groups_are_compared_with_all_known_women_of_their_site() -> None:
    table = compare_groups(made(), across="group").table
    for site, part in table.groupby("site", observed=True):
        known = part[part["group"] != "Not stated"]
        line = known["events"].sum() / known["births"].sum()
        np.testing.assert_allclose(part["centre_line"], line, rtol=1e-12)
        for tail, names in ((0.025, ("lower", "upper")), (0.001, ("lower_outer", "upper_outer"))):
            limits = p_probability_limits(part["events"], part["births"], centre_line=line, tail=tail)
            np.testing.assert_allclose(part[names[0]], limits.lower, rtol=1e-12, err_msg=str(site))
            np.testing.assert_allclose(part[names[1]], limits.upper, rtol=1e-12)
        assert part["sets_line"].tolist() == (part["group"] != "Not stated").tolist()


def test_sites_are_compared_with_their_own_group_and_no_other() -> None:
    table = compare_groups(made(), across="site").table
    for group, part in table.groupby("group", observed=True):
        line = part["events"].sum() / part["births"].sum()
        np.testing.assert_allclose(part["centre_line"], line, rtol=1e-12, err_msg=str(group))
    changed = made()
    cells = changed.cells
    white = np.asarray(cells.strata["group"] == "White")
    doubled = replace(
        changed, cells=replace(cells, numerator=np.where(white[:, None], 2, 1) * cells.numerator)
    )
    after = compare_groups(doubled, across="site").table
    rest = ~after["group"].isin(["White"])
    columns = ["centre_line", "lower", "shrunken", "shrunken_upper"]
    np.testing.assert_allclose(after.loc[rest, columns], table.loc[rest, columns], rtol=1e-7)


def test_flags_and_meanings_follow_limits_and_direction() -> None:
    for better, words in (
        ("lower", ("better than the line", "worse than the line")),
        ("higher", ("worse than the line", "better than the line")),
        (None, ("away from the line", "away from the line")),
    ):
        table = compare_groups(one_site([5, 60, 40], [300, 300, 300], better), across="group").table
        assert table["outside"].tolist() == ["low", "high", ""]
        assert table["meaning"].tolist() == [*words, "within the limits"]
        assert table["beyond_outer"].tolist() == [True, True, False]


def test_what_could_not_have_shown_is_not_yet_visible() -> None:
    comparison = compare_groups(one_site([20, 25, 0], [400, 400, 12]), across="group")
    row = comparison.table.iloc[2]
    assert (row["can_flag_low"], row["can_flag_high"], row["meaning"]) == (False, True, "within the limits")
    higher = compare_groups(one_site([20, 25, 0], [400, 400, 12], "higher"), across="group")
    assert higher.table["meaning"].iloc[2] == "not yet visible"
    notes = higher.notes[higher.notes["code"] == "cannot_flag_low"]
    assert notes["group"].tolist() == ["R"]
    assert "is worse than the line cannot show" in notes["text"].iloc[0]


def test_a_unit_that_can_show_nothing() -> None:
    table = compare_groups(one_site([200, 220, 1], [400, 400, 2]), across="group").table
    assert table.loc[2, ["can_flag_low", "can_flag_high"]].tolist() == [False, False]
    assert table.loc[2, "meaning"] == "not yet visible"


def test_analysis_of_means_shares_its_error_among_the_groups() -> None:
    table = compare_groups(made(), across="group", method="anom").table
    for _, part in table.groupby("site", observed=True):
        known = part[part["group"] != "Not stated"]
        limits = proportion_limits(known["events"], known["births"], tail=0.05 / 6)
        np.testing.assert_allclose(known["upper"], limits.upper, rtol=1e-12)
        unknown = part[part["group"] == "Not stated"]
        assert unknown["reason"].tolist() == ["not part of the mean that is compared with"]
        assert unknown["meaning"].tolist() == ["not judged"]


def test_groups_within_sites_are_one_family() -> None:
    table = compare_groups(made(), across="group within site", method="anom").table
    for _, part in table.groupby("group", observed=True):
        limits = proportion_limits(part["events"], part["births"], tail=0.05 / (2 * 16))
        np.testing.assert_allclose(part["lower"], limits.lower, rtol=1e-12)
    alone = compare_groups(made(), across="site", method="anom").table
    assert (alone["upper"] < table["upper"]).any()


def test_two_units_are_one_comparison() -> None:
    table = compare_groups(one_site([20, 35], [300, 300]), across="group", method="anom").table
    limits = proportion_limits([20, 35], [300, 300], tail=0.025)
    np.testing.assert_allclose(table["upper"], limits.upper)


def test_rates_have_poisson_limits() -> None:
    table = compare_groups(made(kind="rate"), across="site", method="anom").table
    for _, part in table.groupby("group", observed=True):
        limits = rate_limits(part["events"], part["births"], tail=0.05 / 8)
        np.testing.assert_allclose(part["upper"], limits.upper, rtol=1e-12)
    funnel = compare_groups(made(kind="rate"), across="site").table.iloc[0]
    count, mean = round(funnel["upper"] * funnel["births"] + 0.5), funnel["centre_line"] * funnel["births"]
    assert stats.poisson.sf(count - 1, mean) < 0.025 <= stats.poisson.sf(count - 2, mean)


def test_means_have_normal_limits_and_those_of_t() -> None:
    table = compare_groups(means(), across="group").table
    n, y, sd = np.array([40, 25, 60, 30]), table["rate"].to_numpy(), np.array([5.0, 6.0, 5.5, 4.5])
    line, s = (n * y).sum() / n.sum(), np.sqrt(((n - 1) * sd**2).sum() / (n - 1).sum())
    np.testing.assert_allclose(table["upper"], line + 1.959963984540054 * s / np.sqrt(n))
    np.testing.assert_allclose(table["z"], (y - line) / s * np.sqrt(n))
    assert table["can_flag_low"].all()
    assert table["events"].isna().all()
    assert (table["pooling"] == "not possible: made for events, not for measurements").all()
    anom = compare_groups(means(), across="group", method="anom").table
    np.testing.assert_allclose(anom["upper"], mean_limits(y, n, sd).upper)
    curve = compare_groups(means(), across="group").limits_curve()
    np.testing.assert_allclose(curve["upper"], line + 1.959963984540054 * s / np.sqrt(curve["births"]))


@pytest.mark.parametrize("wanted", ["multiplicative", "additive"])
@pytest.mark.parametrize("trimming", ["winsorised", "truncated"])
@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_overdispersion_widens_only_where_there_is_more_than_chance(
    wanted: Any, trimming: str, kind: str
) -> None:
    spread = made(kind=kind, n=[(i * 37) % 40 for i in range(32)])
    plain = compare_groups(spread, across="site").table
    comparison = compare_groups(spread, across="site", overdispersion=wanted, trimming=trimming)
    table = comparison.table
    found = np.array(comparison.method["dispersion_of_sets"])[0]
    widened = found > (1 if wanted == "multiplicative" else 0)
    assert widened.any()
    wide = table["group"].map(dict(zip(GROUPS_SORTED, widened, strict=True))).to_numpy(dtype=bool)
    assert (table["upper"] > plain["upper"])[wide].all()
    np.testing.assert_array_equal(table["upper"][~wide], plain["upper"][~wide])


GROUPS_SORTED = tuple(made().groups)


def test_overdispersion_between_groups_is_warned_of() -> None:
    notes = compare_groups(made(), across="group", overdispersion="additive").notes
    assert notes.set_index("code").loc["dispersion_hides_gaps", "severity"] == "warning"
    assert "dispersion_uncertain" in set(notes["code"])


def test_two_units_have_no_overdispersion() -> None:
    comparison = compare_groups(
        one_site([1, 90], [300, 300]), across="group", overdispersion="multiplicative"
    )
    assert np.isnan(comparison.method["dispersion_of_sets"]).all()
    assert "no_dispersion_found" in set(comparison.notes["code"])


def test_shrunken_rates_are_those_of_the_group_over_its_sites_whatever_is_compared() -> None:
    tables = [compare_groups(made(), across=a).table for a in ("group", "site", "group within site")]
    for _, part in tables[0].groupby("group", observed=True):
        alone = beta_binomial_shrinkage(part["events"], part["births"])
        np.testing.assert_allclose(part["shrunken"], alone.estimate, rtol=1e-6)
        np.testing.assert_allclose(part["shrunken_lower"], alone.lower, rtol=1e-6)
        np.testing.assert_allclose(part["weight"], alone.weight, rtol=1e-4)
    for other in tables[1:]:
        pd.testing.assert_series_equal(tables[0]["shrunken"], other["shrunken"])
    assert tables[0]["raw"].equals(tables[0]["rate"].rename("raw"))


def test_without_three_sites_there_is_no_pooling_and_the_reason_is_given() -> None:
    table = compare_groups(one_site([5, 9], [90, 80]), across="group").table
    assert table["shrunken"].isna().all()
    assert set(table["pooling"]) == {"not possible: fewer than 3 sites with births"}
    two = made().select(site=["A", "B"])
    assert compare_groups(two, across="site").table["shrunken"].isna().all()
    notes = compare_groups(two, across="site").notes
    assert (
        "Partial pooling of 8 rates is not possible"
        in notes.set_index("code").loc["pooling_not_possible", "text"]
    )


def test_a_group_without_events_is_not_pooled() -> None:
    table = compare_groups(made(n=0), across="site").table
    assert set(table["pooling"]) == {"not possible: no event, or nothing but events, at any site"}
    assert (table["outside"] == "").all()


def with_status(series: StratifiedSeries, stratum: int, status: int) -> StratifiedSeries:
    cells = series.cells
    states, gone = cells.status.copy(), np.zeros(cells.status.shape, dtype=bool)
    gone[stratum] = True
    states[gone] = status
    blocks = {
        name: np.where(gone, np.nan, getattr(cells, name)) for name in ("numerator", "denominator", "value")
    }
    return replace(series, cells=replace(cells, status=states, **blocks))


@pytest.mark.parametrize(("status", "word"), [(SUPPRESSED, "suppressed"), (MISSING, "missing")])
def test_what_is_not_known_has_no_limits_and_no_part_in_the_line(status: int, word: str) -> None:
    series = with_status(made(), 1, status)
    comparison = compare_groups(series, across="group")
    row = comparison.table.iloc[1]
    assert (row["reason"], row["meaning"], row["outside"], row["sets_line"]) == (
        word,
        "not judged",
        "",
        False,
    )
    assert np.isnan([row["rate"], row["lower"], row["shrunken"], row["z"]]).all()
    first = comparison.table[(comparison.table["site"] == "A") & comparison.table["sets_line"]]
    assert row["centre_line"] == pytest.approx(first["events"].sum() / first["births"].sum())
    assert "not_in_line" in set(comparison.notes["code"])


def test_no_births_and_nothing_to_compare_with_are_said() -> None:
    table = compare_groups(one_site([4, 0, 0], [90, 0, 0]), across="group").table
    assert table["reason"].tolist() == [
        "nothing to compare with: fewer than two with births",
        *["no births"] * 2,
    ]
    assert table["lower"].isna().all()


def test_a_group_with_most_births_is_told_that_it_sets_the_line() -> None:
    notes = compare_groups(made(), across="group").notes
    assert set(notes.loc[notes["code"] == "line_dominated", "group"]) == {"White"}
    assert "line_dominated" not in set(compare_groups(made(), across="group", method="anom").notes["code"])


def test_expected_false_flags_are_those_of_the_exact_distribution() -> None:
    comparison = compare_groups(one_site([20, 25, 30], [300, 310, 320]), across="group")
    table = comparison.table
    wanted = 0.0
    for _, row in table.iterrows():
        k = np.arange(row["births"] + 1)
        out = (k / row["births"] < row["lower"]) | (k / row["births"] > row["upper"])
        wanted += stats.binom.pmf(k, row["births"], row["centre_line"])[out].sum()
    assert comparison.method["expected_outside"] == pytest.approx(wanted)
    assert comparison.method["comparisons"] == 3
    assert (
        f"about {wanted:.2g} of them"
        in comparison.notes.set_index("code").loc["multiple_comparisons", "text"]
    )
    anom = compare_groups(one_site([20, 25, 30], [300, 310, 320]), across="group", method="anom")
    assert anom.method["expected_outside"] == pytest.approx(0.05)
    poisson = compare_groups(made(kind="rate"), across="site")
    assert 0 < poisson.method["expected_outside"] < 16 * 0.05
    assert compare_groups(means(), across="group").method["expected_outside"] == pytest.approx(0.2)


def test_notes_say_that_unknown_groups_do_not_set_the_line() -> None:
    assert "unknown_not_in_line" in set(compare_groups(made(), across="group").notes["code"])
    assert "unknown_not_in_line" not in set(compare_groups(made(), across="site").notes["code"])


def test_each_period_is_a_comparison_of_its_own() -> None:
    table = compare_groups(made(), across="site", over="period").table
    last = table[table["span"] == "2024"]
    for _, part in last.groupby("group", observed=True):
        line = part["events"].sum() / part["births"].sum()
        np.testing.assert_allclose(part["centre_line"], line)
    assert len(table) == 32


def test_the_curve_has_the_limits_of_the_table_at_its_sizes() -> None:
    for kind in ("proportion", "rate"):
        comparison = compare_groups(made(kind=kind), across="group")
        curve, table = comparison.limits_curve(), comparison.table
        assert curve.columns.tolist() == [
            "site",
            "span",
            "births",
            "centre_line",
            "lower",
            "upper",
            "lower_outer",
            "upper_outer",
        ]
        for site, part in curve.groupby("site", observed=True):
            assert part["births"].is_monotonic_increasing
            largest = table[(table["site"] == site) & (table["births"] == part["births"].max())]
            np.testing.assert_allclose(part["upper"].iloc[-1], largest["upper"].iloc[0])
            assert part["births"].min() == pytest.approx(table["births"].min() / 2)


def test_the_curve_of_an_analysis_of_means_is_at_the_sizes_compared() -> None:
    comparison = compare_groups(one_site([20, 25, 40], [300, 310, 320]), across="group", method="anom")
    curve = comparison.limits_curve()
    assert curve["births"].tolist() == [300, 310, 320]
    assert curve["upper"].tolist() == comparison.table["upper"].tolist()


def test_columns_and_types_are_the_same_whatever_the_options() -> None:
    plain = compare_groups(made(), across="group").table
    for other in (
        compare_groups(made(), across="site", method="anom", over="period"),
        compare_groups(made(n=0), across="group within site", overdispersion="additive"),
    ):
        assert other.table.columns.tolist() == plain.columns.tolist()
        assert other.table.drop(columns="span").dtypes.tolist() == plain.drop(columns="span").dtypes.tolist()


def test_json_gives_the_same_back() -> None:
    comparison = compare_groups(made(), across="site", overdispersion="additive")
    again = GroupComparison.from_dict(json.loads(json.dumps(comparison.to_dict())))
    assert again.equals(comparison)
    pd.testing.assert_frame_equal(again.limits_curve(), comparison.limits_curve())
    assert not again.equals(compare_groups(made(), across="site"))
    with pytest.raises(DataError, match="RateTable"):
        GroupComparison.from_dict({**comparison.to_dict(), "type": "RateTable"})


def test_the_order_of_rows_changes_nothing() -> None:
    series = made()
    shuffled = series.cells.take(np.random.default_rng(1).permutation(len(series.cells.strata)))
    keys = ["site", "group"]
    one, two = (
        compare_groups(s, across="site")
        .table.astype(dict.fromkeys(keys, str))
        .sort_values(keys, ignore_index=True)
        for s in (series, replace(series, cells=shuffled))
    )
    np.testing.assert_allclose(one[["lower", "z", "shrunken"]], two[["lower", "z", "shrunken"]], rtol=1e-7)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"across": "ward"}, "across='ward'"),
        ({"across": "group", "method": "anova"}, "method='anova'"),
        ({"across": "group", "overdispersion": "both"}, "overdispersion='both'"),
        ({"across": "group", "trimming": "none"}, "trimming='none'"),
        ({"across": "group", "confidence": 1.0}, "confidence=1.0"),
        (
            {"across": "group", "confidence": 0.99, "outer_confidence": 0.95},
            "outer_confidence=0.95 is not above",
        ),
        (
            {"across": "site", "method": "anom", "overdispersion": "additive"},
            "not possible with method='anom'",
        ),
    ],
)
def test_options_are_checked(options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        compare_groups(made(), **options)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputTypeError, match="DataFrame"):
        compare_groups(pd.DataFrame(), across="group")
    with pytest.raises(OptionError, match="has no sites"):
        compare_groups(one_site([1, 2], [9, 9]), across="site")
    rows = pd.DataFrame({"year": ["2024"] * 2, "who": ["P", "Q"], "n": [3, 4]})
    calls = from_counts(
        rows, Measure("Calls", "count", None), period="year", numerator="n", group="who", every="year"
    )
    with pytest.raises(OptionError, match="not possible for counts of 'Calls'"):
        compare_groups(calls, across="group")


def test_groups_that_overlap_have_no_common_line() -> None:
    rows = pd.DataFrame({"year": ["2024"] * 2, "who": ["Māori", "Asian"], "n": [3, 4], "births": [90, 80]})
    series = from_counts(
        rows,
        measures["preterm_birth"],
        period="year",
        numerator="n",
        denominator="births",
        group="who",
        scheme="nz-level-1-total",
        every="year",
    )
    with pytest.raises(OptionError, match="across='group' is not possible"):
        compare_groups(series, across="group")


def test_spans_that_differ_are_refused() -> None:
    phases = pd.DataFrame({"group": ["Asian"], "start": ["2024-01-01"]})
    with pytest.raises(OptionError, match="different spans"):
        compare_groups(made(), across="group", over=phases)


@pytest.mark.parametrize("across", ["group", "site", "group within site"])
def test_analysis_of_means_of_rates_is_that_of_a_loop_in_every_period(across: Any) -> None:
    """Given all events those of a unit are binomial: the last low and the first high count that signal."""
    rng = np.random.default_rng(5)
    rows = [
        {"m": m, "unit": u, "who": g, "x": int(rng.poisson(n * 0.3)), "n": n}
        for m in ("2024-01", "2024-02", "2024-03")
        for u in "PQ"
        for g in "ABC"
        for n in [int(rng.integers(5, 90))]
    ]
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "who", "site": "unit"}
    series = from_counts(pd.DataFrame(rows), Measure("Falls", "rate", "lower"), **columns)
    table = compare_groups(series, across=across, over="period", method="anom").table
    comparisons = {"group": 3, "site": 1, "group within site": 3}[across]
    keys = ["span", "site"] if across == "group" else ["span", "group"]
    assert (table["lower"] > 0).any()
    for _, unit in table.groupby(keys, observed=True):
        events, births = unit["events"].sum(), unit["births"].sum()
        for row in unit.itertuples():
            count = stats.binom(events, row.births / births)
            low = [k for k in range(int(events) + 1) if count.cdf(k) < 0.025 / comparisons]
            high = [k for k in range(int(events) + 1) if count.sf(k - 1) < 0.025 / comparisons]
            assert row.lower == pytest.approx((max(low) + 0.5) / row.births if low else 0)
            assert row.upper == pytest.approx((min(high) - 0.5) / row.births if high else np.inf)
