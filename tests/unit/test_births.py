"""Synthetic births: the records agree with the truth, and the truth with what was asked for."""

from __future__ import annotations

import tracemalloc
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.datasets import SyntheticBirths, births

N = 300_000
CHANGES = (None, "helps-all", "helps-majority", "closes-gap", "season", "trend", "case-mix", "recording")
KNOWN = ["Asian", "Black", "Mixed", "Other", "White"]
UNKNOWN = ["Not stated", "Not known", "Missing"]
# First characters of the national codes of each broad group (Chinese, R, with Asian), written out again here.
BROAD = {"Asian": "HJKLR", "Black": "MNP", "Mixed": "DEFG", "Other": "S", "White": "ABC", "Not stated": "Z"}
TARGETS = (
    "pph_1500", "pph_1000", "preterm_birth", "gdm_screened", "depression_asked", "depression_referred",
    "depression_seen", "stillbirth", "neonatal_death", "tear_3_4", "apgar_below_7", "smoking_at_delivery",
    "first_feed_breast_milk",
)  # fmt: skip
ALWAYS_RECORDED = {"preterm_birth", "stillbirth", "neonatal_death"}
OF_BABY = {"preterm_birth", "stillbirth", "neonatal_death", "apgar_below_7", "first_feed_breast_milk"}


@pytest.fixture(scope="module")
def made() -> SyntheticBirths:
    return births(N, seed=11)


def groups(records: pd.DataFrame) -> pd.Series:
    codes = records["ethnicity"].astype("object")
    lookup = {c: g for g, letters in BROAD.items() for c in letters} | {"9": "Not known"}
    found = [lookup.get(c[:1], "Missing") if isinstance(c, str) else "Missing" for c in codes]
    return pd.Series(found, index=records.index)


def observed(b: SyntheticBirths, measure: str, side: str) -> pd.DataFrame:
    """Count events and recorded births by group, on one side of the date of change."""
    records = b.records_for(measure)
    changed = pd.Timestamp(b.method["change_date"])
    records = records[(records["date"] < changed) if side == "before" else (records["date"] >= changed)]
    if measure not in OF_BABY:
        records = records.drop_duplicates("woman")
    records = records[records[measure].notna()]
    frame = pd.DataFrame({"group": groups(records), "x": records[measure].astype(int), "n": 1})
    everyone = frame.assign(group="All groups")
    return pd.concat([frame, everyone]).groupby("group", observed=False)[["x", "n"]].sum()


def row(b: SyntheticBirths, group: str, measure: str = "pph_1500") -> pd.Series:
    found = b.truth[(b.truth["group"] == group) & (b.truth["measure"] == measure)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("change", "measure"),
    [(c, "pph_1500") for c in CHANGES] + [("helps-all", "depression_asked"), ("closes-gap", "stillbirth")],
)
def test_recorded_rates_are_what_the_truth_says(change: str | None, measure: str) -> None:
    b = births(N, change=change, measure=measure, seed=202)
    tails = []
    for side in ("before", "after"):
        for event in b.truth["measure"].unique():
            counts = observed(b, event, side)
            expected = b.truth[b.truth["measure"] == event].set_index("group")[f"recorded_rate_{side}"]
            for group, rate in expected.items():
                x, n = counts.loc[group, ["x", "n"]]
                tails.append(2 * min(stats.binom.cdf(x, n, rate), stats.binom.sf(x - 1, n, rate)))
    # 254 exact binomial tests; a true set fails one of them with a chance of at most 254 x 1e-6.
    # Where the rate moves inside a span the sum of the draws varies less than a binomial: still at most that.
    assert len(tails) == 254
    assert min(tails) > 1e-6


def test_tests_of_rates_would_see_a_wrong_truth(made: SyntheticBirths) -> None:
    counts = observed(made, "pph_1500", "before").loc["White"]
    wrong = row(made, "White")["recorded_rate_before"] * 1.1
    assert stats.binom.cdf(counts["x"], counts["n"], wrong) < 1e-6


def test_group_sizes_are_what_the_truth_says(made: SyntheticBirths) -> None:
    records = made.records
    before = records["date"] < pd.Timestamp(made.method["change_date"])
    for side, rows in (("before", before), ("after", ~before)):
        counts = groups(records[rows]).value_counts()
        for group in KNOWN + UNKNOWN:
            share = row(made, group, "pph_1500")[f"expected_births_{side}"] / N
            # Twins share a group, which widens the spread by the share of twins: 3 %.
            se = np.sqrt(N * share * (1 - share) * 1.03)
            assert abs(counts[group] - N * share) < 5 * se


@pytest.mark.parametrize(
    "measure", ["preterm_birth", "tear_3_4", "gdm_screened", "depression_seen", "apgar_below_7"]
)
def test_numbers_of_births_a_measure_is_about_are_what_the_truth_says(
    made: SyntheticBirths, measure: str
) -> None:
    all_groups = row(made, "All groups", measure)
    expected = all_groups["expected_births_before"] + all_groups["expected_births_after"]
    if measure == "depression_seen":
        expected *= 0.95  # who was referred is not known of the twentieth whose record is missing
    assert abs(len(made.records_for(measure)) - expected) < 5 * np.sqrt(1.03 * expected)


def test_shares_are_those_of_england_2023_24(made: SyntheticBirths) -> None:
    # Deliveries by mother's group, NHS England, Maternity Services Data Set 2023-24.
    published = {"Asian": 79050, "Black": 33355, "Mixed": 13840, "Other": 21050, "White": 352310}
    published |= {"Not stated": 15660, "Not known": 6205, "Missing": 3275}
    women = made.records.drop_duplicates("woman")
    found = groups(women).mask(women["ethnicity"] == "R", "Other").value_counts()
    expected = pd.Series(published) / sum(published.values()) * len(women)
    assert stats.chisquare(found[expected.index], expected).pvalue > 1e-5
    assert found[UNKNOWN].sum() / len(women) == pytest.approx(0.048, abs=0.002)


def test_published_rates_are_those_of_the_sources(made: SyntheticBirths) -> None:
    rates = made.truth.pivot(index="measure", columns="group", values="rate_before")
    assert rates.loc["pph_1500", ["Black", "Other"]].tolist() == pytest.approx([0.039, 0.035])
    assert 0.029 <= rates.loc["pph_1500", "All groups"] <= 0.032
    assert rates.loc["stillbirth", ["White", "Asian", "Black"]].tolist() == pytest.approx(
        [0.0032, 0.0052, 0.0063]
    )
    assert rates.loc["preterm_birth", ["White", "Asian", "Black"]].tolist() == pytest.approx(
        [0.073, 0.075, 0.088]
    )
    overall = {"tear_3_4": 0.030, "apgar_below_7": 0.014, "smoking_at_delivery": 0.056}
    overall |= {"first_feed_breast_milk": 0.719, "gdm_diagnosed": 0.035}
    for measure, rate in overall.items():
        assert rates.loc[measure, "All groups"] == pytest.approx(rate, rel=0.02)
    assert rates.loc["ethnicity_known", "All groups"] == pytest.approx(0.952, abs=0.0005)


def test_not_every_minority_group_is_worse_off(made: SyntheticBirths) -> None:
    rates = made.truth.pivot(index="measure", columns="group", values="rate_before")
    worse = rates.loc[["preterm_birth", "stillbirth", "tear_3_4", "apgar_below_7", "smoking_at_delivery"]]
    against = worse[["Asian", "Black", "Mixed", "Other"]].sub(worse["White"], axis=0)
    assert (against < 0).any(axis=None)
    assert (against > 0).any(axis=None)


def test_blood_loss_passes_1000_ml_as_a_log_normal_does(made: SyntheticBirths) -> None:
    for group in KNOWN:
        at_1500, at_1000 = (row(made, group, f"pph_{ml}")["rate_before"] for ml in (1500, 1000))
        z = stats.norm.isf(at_1500) - np.log(1.5) / 0.81
        assert at_1000 == pytest.approx(stats.norm.sf(z), rel=1e-9)


def test_nothing_planted_nothing_changes(made: SyntheticBirths) -> None:
    assert (made.truth["relative_change"] == 0).all()
    assert (made.truth["caused_change"] == 0).all()
    assert set(made.truth["planted"]) == {"nothing"}


def test_helps_all_lowers_every_group_alike() -> None:
    t = births(1000, change="helps-all", effect=0.25).truth
    here = t["measure"] == "pph_1500"
    assert t.loc[here, "rate_after"].to_numpy() == pytest.approx(0.75 * t.loc[here, "rate_before"].to_numpy())
    assert t.loc[here, "caused_change"].to_numpy() == pytest.approx(-0.25)
    assert (t.loc[~here & (t["measure"] != "pph_1000"), "relative_change"] == 0).all()
    assert set(t.loc[here, "planted"]) == {"helps-all"}
    assert set(t.loc[t["measure"] == "pph_1000", "planted"]) == {"follows pph_1500"}
    assert (t.loc[t["measure"] == "pph_1000", "caused_change"] < 0).all()


def test_helps_majority_helps_the_largest_group_only() -> None:
    t = births(1000, change="helps-majority", measure="preterm_birth").truth
    change = t[t["measure"] == "preterm_birth"].set_index("group")["caused_change"]
    assert change["White"] == pytest.approx(-0.3)
    assert (change.drop(["White", "All groups"]) == 0).all()
    assert -0.3 < change["All groups"] < 0


@pytest.mark.parametrize("effect", [0.5, 1.0])
def test_closes_gap_brings_known_groups_to_the_best_of_them(effect: float) -> None:
    t = births(1000, change="closes-gap", measure="stillbirth", effect=effect).truth
    rates = t[t["measure"] == "stillbirth"].set_index("group")
    before, after = rates.loc[KNOWN, "rate_before"], rates.loc[KNOWN, "rate_after"]
    assert after.to_numpy() == pytest.approx((before - effect * (before - before.min())).to_numpy())
    assert (rates.loc[UNKNOWN, "relative_change"] == 0).all()


def test_closes_gap_raises_what_should_be_high() -> None:
    t = births(1000, change="closes-gap", measure="depression_asked").truth
    rates = t[t["measure"] == "depression_asked"].set_index("group").loc[KNOWN]
    assert rates["rate_after"].to_numpy() == pytest.approx(rates["rate_before"].max())


def test_helps_all_lowers_what_is_missing_where_more_is_better() -> None:
    t = births(1000, change="helps-all", measure="gdm_screened").truth
    rates = t[t["measure"] == "gdm_screened"]
    assert (1 - rates["rate_after"]).to_numpy() == pytest.approx(0.7 * (1 - rates["rate_before"]).to_numpy())
    found = t[t["measure"] == "gdm_diagnosed"]
    assert (found["caused_change"] > 0).all()
    assert set(found["planted"]) == {"follows gdm_screened"}


def test_pph_1000_can_be_changed_and_pph_1500_follows() -> None:
    t = births(1000, change="helps-all", measure="pph_1000").truth
    assert t.loc[t["measure"] == "pph_1000", "caused_change"].to_numpy() == pytest.approx(-0.3)
    assert (t.loc[t["measure"] == "pph_1500", "caused_change"] < -0.3).all()


def test_season_is_worst_before_and_best_after_and_caused_by_nothing() -> None:
    b = births(1000, change="season", months=12, change_date="2022-07-02", effect=0.4)
    black = row(b, "Black")
    # The mean of a sine over half its period is 2 / pi of its height.
    assert black["rate_before"] == pytest.approx(0.039 * (1 + 0.4 * 2 / np.pi), rel=0.01)
    assert black["rate_after"] == pytest.approx(0.039 * (1 - 0.4 * 2 / np.pi), rel=0.01)
    assert black["caused_change"] == 0
    assert black["planted"] == "season"


def test_season_shows_around_the_date_and_not_between_whole_years() -> None:
    years = births(1000, change="season")
    assert abs(row(years, "White")["relative_change"]) < 0.001
    date_of_change = years.method["change_date"]
    around = births(1000, change="season", start="2023-10-01", months=6, change_date=date_of_change)
    # Quarters of a sine, from its height to 0: 2 / pi of the height on either side.
    expected = (1 - 0.3 * 2 / np.pi) / (1 + 0.3 * 2 / np.pi) - 1
    assert row(around, "White")["relative_change"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("effect", [None, "largest"])
@pytest.mark.parametrize("change", CHANGES[1:])
def test_no_change_in_any_measure_warns_or_leaves_a_rate_undefined(change: str, effect: str | None) -> None:
    largest = {"closes-gap": 1.0, "case-mix": 0.6}.get(change, 0.9)
    for measure in TARGETS:
        if change == "recording" and measure in ALWAYS_RECORDED:
            continue
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("error")
            t = births(1000, change=change, measure=measure, effect=largest if effect else None, seed=2).truth
        assert np.isfinite(t.select_dtypes("number")).all(axis=None)
        assert (t["rate_before"] > 0).all()


def test_trend_falls_from_the_first_month_on() -> None:
    b = births(1000, change="trend", months=24, change_date="2023-01-01", effect=0.4)
    white = row(b, "White")
    # Blocks 0..23 lie on the line from 1 to 0.6; the mean places of the two years are 5.5/23 and 17.5/23.
    assert white["rate_before"] == pytest.approx(0.028 * (1 - 0.4 * 5.5 / 23), rel=0.002)
    assert white["rate_after"] == pytest.approx(0.028 * (1 - 0.4 * 17.5 / 23), rel=0.002)
    assert white["caused_change"] == 0


def test_case_mix_changes_the_whole_and_no_part() -> None:
    t = births(1000, change="case-mix", measure="stillbirth").truth
    assert (t.loc[t["group"] != "All groups", "relative_change"] == 0).all()
    overall = t[(t["measure"] == "stillbirth") & (t["group"] == "All groups")].iloc[0]
    parts = t[(t["measure"] == "stillbirth") & (t["group"] != "All groups")]
    assert overall["relative_change"] > 0.05
    assert overall["caused_change"] == 0
    for side in ("before", "after"):
        births_of, rate_of = parts[f"expected_births_{side}"], parts[f"rate_{side}"]
        assert overall[f"rate_{side}"] == pytest.approx((births_of * rate_of).sum() / births_of.sum())
    black = parts.set_index("group").loc["Black"]
    months = {"before": 24, "after": 12}
    assert (
        black["expected_births_after"] / months["after"]
        > 1.5 * black["expected_births_before"] / months["before"]
    )


def test_recording_changes_what_is_recorded_and_not_what_is_true() -> None:
    b = births(N, change="recording", seed=5)
    black = row(b, "Black")
    assert black["rate_before"] == black["rate_after"] == pytest.approx(0.039)
    assert black["recorded_rate_before"] == pytest.approx(0.7 * 0.039)
    assert black["recorded_rate_after"] == pytest.approx(0.039)
    assert black["caused_change"] == black["relative_change"] == 0
    missing = b.records["blood_loss_ml"].isna()
    before = b.records["date"] < pd.Timestamp(b.method["change_date"])
    assert missing[before].mean() == pytest.approx(0.15, abs=0.005)
    assert missing[~before].mean() == pytest.approx(0.02, abs=0.003)


def test_change_inside_a_month_takes_hold_on_that_day() -> None:
    b = births(
        N, change="helps-all", effect=0.9, measure="smoking_at_delivery", change_date="2023-06-16", seed=8
    )
    records = b.records[b.records["date"].between("2023-06-01", "2023-06-30")]
    early = records["date"] < "2023-06-16"
    rate = records["smoking_at_delivery"].groupby(early, observed=False).mean()
    assert rate[True] > 0.04 > 0.015 > rate[False]


def test_measurements_and_events_agree(made: SyntheticBirths) -> None:
    r = made.records
    single, live, term = r["plurality"] == 1, r["liveborn"], r["gestation_days"] >= 259
    recorded = r["blood_loss_ml"].notna()
    for ml in (1500, 1000):
        assert (r.loc[recorded, f"pph_{ml}"] == (r.loc[recorded, "blood_loss_ml"] >= ml)).all()
        assert r.loc[~recorded, f"pph_{ml}"].isna().all()
    assert r["preterm_birth"].notna().equals(single & live)
    assert (r.loc[single & live, "preterm_birth"] == ~term[single & live]).all()
    assert r.loc[single & live, "gestation_days"].between(154, 315).all()
    assert (r["stillbirth"] == ~live).all()
    assert r.loc[~live, "gestation_days"].ge(168).all()
    assert r["neonatal_death"].notna().equals(live)
    scored = r["apgar_5min"].notna()
    assert not scored[~live].any()
    assert r["apgar_5min"].dropna().between(0, 10).all()
    assert r["apgar_below_7"].notna().equals(scored & single & term)
    assert (
        r.loc[r["apgar_below_7"].notna(), "apgar_below_7"]
        == (r["apgar_5min"] < 7)[r["apgar_below_7"].notna()]
    ).all()
    assert not r.loc[~(single & term & r["vaginal"]), "tear_3_4"].notna().any()
    assert not r.loc[~r["gdm_at_risk"], "gdm_screened"].notna().any()
    assert r.loc[r["gdm_diagnosed"].fillna(False), "gdm_screened"].all()
    for later, earlier in (("positive", "asked"), ("referred", "positive"), ("seen", "referred")):
        happened = r[f"depression_{earlier}"].fillna(False).astype(bool)
        assert r[f"depression_{later}"].notna().equals(happened)
    assert (r["ethnicity_known"] == groups(r).isin(KNOWN)).all()


def test_twins_are_two_rows_of_one_woman_and_day(made: SyntheticBirths) -> None:
    r = made.records
    rows = r.groupby("woman", observed=False).agg(
        n=("date", "size"), days=("date", "nunique"), p=("plurality", "first")
    )
    assert (rows["n"] == rows["p"]).all()
    assert (rows["days"] == 1).all()
    share = (rows["n"] == 2).mean()
    assert abs(share - 0.015) < 5 * np.sqrt(0.015 * 0.985 / len(rows))
    same = ["site", "ethnicity", "parity", "blood_loss_ml", "gestation_days", "smoking_at_delivery"]
    twins = r[r["plurality"] == 2]
    first, second = twins.iloc[::2].reset_index(drop=True), twins.iloc[1::2].reset_index(drop=True)
    pd.testing.assert_frame_equal(first[["woman", *same]], second[["woman", *same]])


def test_records_are_in_order_and_inside_the_months(made: SyntheticBirths) -> None:
    r = made.records
    assert len(r) == N
    assert r["date"].is_monotonic_increasing
    assert r["woman"].is_monotonic_increasing
    assert r["woman"].iloc[0] == 1
    assert r["date"].min() >= pd.Timestamp("2022-01-01")
    assert r["date"].max() <= pd.Timestamp("2024-12-31")
    assert r["date"].dt.to_period("M").nunique() == 36


def test_records_are_lean_and_made_without_much_besides() -> None:
    tracemalloc.start()
    r = births(200_000).records
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = r.memory_usage(deep=True).sum()
    assert size <= 64 * len(r)
    assert peak < 2.5 * size


def test_event_columns_are_boolean_with_null(made: SyntheticBirths) -> None:
    events = made.truth["measure"].unique()
    assert set(events) <= set(qe.measures)
    assert {str(made.records[e].dtype) for e in events} == {"bool", "boolean"}


def test_everything_says_that_it_is_synthetic(made: SyntheticBirths) -> None:
    assert made.records.attrs["synthetic"] is True
    assert made.records["synthetic"].all()
    assert "no real patients" in made.records.attrs["source"]
    assert "no real patients" in made.source
    assert made.method["synthetic"] is True
    assert "Synthetic" in repr(made)
    assert all(s.startswith("Synthetic") for s in made.records["site"].cat.categories)


def test_same_arguments_same_data_and_truth_does_not_depend_on_the_seed() -> None:
    one, again, other = births(5000, seed=4), births(5000, seed=4), births(5000, seed=5)
    pd.testing.assert_frame_equal(one.records, again.records)
    assert one.equals(again)
    assert not one.equals(other)
    assert not one.records.equals(other.records)
    pd.testing.assert_frame_equal(one.truth, other.truth)
    assert not one.equals("births")


def test_drawing_leaves_the_global_random_state_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    births(1000)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_codes_are_raw_and_read_by_the_scheme(made: SyntheticBirths) -> None:
    codes = list(made.records["ethnicity"].cat.categories)
    assert {"A1", "A ", "99", "Z", ""} <= set(codes)
    assert made.records["ethnicity"].isna().any()
    assigned = qe.Scheme.load("nhs-2001").assign([*codes, None], "broad")
    lookup = dict(zip(codes, assigned, strict=False))
    theirs = made.records["ethnicity"].astype("object").map(lookup).fillna(assigned[-1])
    assert (theirs.astype(str) == groups(made.records).astype(str)).all()


def test_sites_differ_in_size_mix_and_completeness_but_not_in_rates() -> None:
    b = births(N, sites=["North", "South", "West"], seed=3)
    r = b.records.assign(group=groups(b.records))
    assert list(r["site"].cat.categories) == ["North", "South", "West"]
    mix = pd.crosstab(r["site"], r["group"])
    assert stats.chi2_contingency(mix[KNOWN]).pvalue < 1e-6
    assert stats.chi2_contingency(pd.crosstab(r["site"], r["ethnicity_known"])).pvalue < 1e-6
    white = r[(r["group"] == "White") & r["pph_1500"].notna()].drop_duplicates("woman")
    assert stats.chi2_contingency(pd.crosstab(white["site"], white["pph_1500"].astype(bool))).pvalue > 1e-5


def test_number_of_sites_gives_names_that_sort() -> None:
    names = list(births(1000, sites=12).records["site"].cat.categories)
    assert names == sorted(names)
    assert len(names) == 12
    assert list(births(1000, sites="Only").records["site"].unique()) == ["Only"]


def test_start_and_change_date_are_read_in_several_forms() -> None:
    b = births(1000, start="2020-04", months=3, change_date=date(2020, 5, 20))
    assert b.method["start"] == "2020-04-01"
    assert b.method["change_date"] == "2020-05-20"
    assert births(1000, start=pd.Timestamp("2020-04-01"), months=3).method["start"] == "2020-04-01"
    assert b.records["date"].min() >= pd.Timestamp("2020-04-01")
    assert b.records["date"].max() < pd.Timestamp("2020-07-01")


def test_short_and_long_spans_work() -> None:
    assert births(1000, months=2).method["change_date"] == "2022-02-01"
    assert len(births(1000, months=600).records) == 1000


def test_basis_says_what_each_number_rests_on(made: SyntheticBirths) -> None:
    assert set(made.basis["mark"]) == {"published", "computed", "definition", "assumed"}
    assert made.basis["rests_on"].str.len().gt(5).all()
    assert made.basis.loc[made.basis["mark"] == "assumed", "rests_on"].str.contains("assumed").all()
    basis = births(1000).basis
    basis.loc[:, "value"] = -1.0
    assert births(1000).basis["value"].ge(0).all()


def test_published_is_only_what_was_published_for_that_very_group(made: SyntheticBirths) -> None:
    published = made.basis[made.basis["mark"] == "published"]
    # Of the crude rates by group in the sources, this one alone is for the same women, outcome and group.
    assert published[["quantity", "group", "value"]].to_numpy().tolist() == [["pph_1500", "Black", 0.039]]
    assert not published["rests_on"].str.contains("assumed|merged|holds|given for").any()
    assert set(made.basis.loc[made.basis["quantity"] == "depression_positive", "mark"]) == {"assumed"}


def test_sums_over_groups_claimed_by_the_basis_are_those_of_the_truth(made: SyntheticBirths) -> None:
    claim = (
        r"(?P<of>all known groups|all groups) together have (?:about )?(?P<rate>[\d.]+) (?P<unit>%|per 1,000)"
    )
    basis = made.basis
    claims = basis["rests_on"].str.extract(claim).assign(measure=basis["quantity"]).dropna().drop_duplicates()
    assert set(claims["measure"]) == {
        "pph_1500", "neonatal_death", "tear_3_4", "apgar_below_7", "smoking_at_delivery",
        "first_feed_breast_milk", "gdm_diagnosed",
    }  # fmt: skip
    for _, said in claims.iterrows():
        truth = made.truth[made.truth["measure"] == said["measure"]].set_index("group")
        over = truth.loc[KNOWN if said["of"] == "all known groups" else KNOWN + UNKNOWN]
        rate = np.average(over["rate_before"], weights=over["expected_births_before"])
        scale = 100 if said["unit"] == "%" else 1000
        decimals = len(said["rate"].partition(".")[2])
        assert round(rate * scale, decimals) == pytest.approx(float(said["rate"])), said["measure"]


def test_neonatal_deaths_of_all_births_are_what_the_basis_says(made: SyntheticBirths) -> None:
    words = made.basis.query("quantity == 'neonatal_death' and group == 'White'")["rests_on"].item()
    assert words.endswith("with women of unknown ethnicity 1.72")
    assert row(made, "All groups", "neonatal_death")["rate_before"] == pytest.approx(0.00172, abs=5e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 999}, r"n=999 is not allowed; give a whole number from 1,000 to 10,000,000\.$"),
        ({"n": -1}, r"n=-1 is not allowed; give a whole number from 1,000 to 10,000,000\.$"),
        ({"n": 10_000_001}, r"n=10000001 is not allowed; give a whole number from 1,000 to 10,000,000\.$"),
        ({"months": 1}, r"months=1 is not allowed; give a whole number from 2 to 600\.$"),
        ({"months": 601}, r"months=601 is not allowed; give a whole number from 2 to 600\.$"),
        ({"start": "2022-01-15"}, r"start='2022-01-15' is not the first of a month"),
        ({"start": "01/02/2022"}, r"start='01/02/2022' is not a date; give ISO text"),
        ({"start": "today"}, r"start='today' is not a date; give ISO text"),
        ({"start": ""}, r"start='' is not a date"),
        ({"start": "2022-13"}, r"start='2022-13' is not a date"),
        (
            {"change_date": "2025-01-01"},
            r"change_date='2025-01-01' is not inside .* after 2022-01-01, before 2025",
        ),
        ({"change_date": "2022-01-01"}, r"change_date='2022-01-01' is not inside the months"),
        ({"measure": "gdm_diagnosed"}, r"measure='gdm_diagnosed' is not allowed; use one of 'pph_1500'"),
        ({"measure": "pph1500"}, r"measure='pph1500' is not allowed; .* Did you mean 'pph_1500'\?"),
        ({"change": "helps_all"}, r"change='helps_all' is not allowed; .* Did you mean 'helps-all'\?"),
        ({"effect": 0.3}, r"effect=0\.3 needs a change; give change as one of helps-all"),
        ({"change": "trend", "effect": 0.95}, r"effect=0\.95 is not allowed; .* > 0 and <= 0\.9"),
        ({"change": "case-mix", "effect": 0.7}, r"effect=0\.7 is not allowed; .* <= 0\.6"),
        (
            {"change": "recording", "measure": "stillbirth"},
            r"measure='stillbirth', which is always recorded.*pph_1500",
        ),
        ({"sites": 0}, r"sites=0 is not allowed; give a whole number from 1 to 1,000\.$"),
        ({"sites": 1001}, r"sites=1001 is not allowed; give a whole number from 1 to 1,000\.$"),
        ({"sites": []}, r"sites=\[\] holds no site"),
        ({"sites": ["A", "A"]}, r"sites=\['A', 'A'\] names a column twice|sites=.*twice"),
        ({"seed": -1}, r"seed=-1 is too small"),
    ],
)
def test_wrong_values_are_refused_with_what_is_allowed(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(qe.OptionError, match=message):
        births(**({"n": 1000} | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": "5000"}, r"n='5000' is not a whole number; give a whole number from 1,000 to 10,000,000\.$"),
        ({"n": 1500.5}, r"n=1500\.5 is not a whole number"),
        ({"n": float("nan")}, r"n=nan is not a whole number"),
        ({"months": True}, r"months=True is not a whole number"),
        ({"start": 2022}, r"start=2022 is of type int; give a date or ISO text"),
        ({"sites": 2.5}, r"sites=2\.5 is not a whole number"),
        ({"sites": [1, 2]}, r"sites holds 1, 2; give names as text"),
        ({"change": "trend", "effect": "big"}, r"effect='big' is of type str; give a number"),
        ({"seed": None}, r"seed=None is not a whole number"),
    ],
)
def test_wrong_kinds_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(qe.InputTypeError, match=message):
        births(**({"n": 1000} | wrong))


def test_records_for_refuses_what_is_not_there(made: SyntheticBirths) -> None:
    with pytest.raises(
        qe.OptionError, match=r"measure='maternal_death' is not allowed; use one of 'pph_1500'"
    ):
        made.records_for("maternal_death")
