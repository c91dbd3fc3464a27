"""What holds for synthetic births whatever is asked for."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.datasets import births

TARGETS = (
    "pph_1500", "pph_1000", "preterm_birth", "gdm_screened", "depression_asked", "depression_referred",
    "depression_seen", "stillbirth", "neonatal_death", "tear_3_4", "apgar_below_7", "smoking_at_delivery",
    "first_feed_breast_milk",
)  # fmt: skip
REAL = ("helps-all", "helps-majority", "closes-gap")
LOOKS = ("season", "trend", "case-mix")

ANY = {
    "n": st.integers(1000, 3000),
    "sites": st.integers(1, 30),
    "months": st.integers(2, 60),
    "measure": st.sampled_from(TARGETS),
    "change": st.sampled_from((None, *REAL, *LOOKS)),
    "seed": st.integers(0, 2**40),
}


@given(**ANY)
def test_rows_dates_and_women_are_as_asked(
    n: int, sites: int, months: int, measure: str, change: str | None, seed: int
) -> None:
    r = births(n, sites=sites, months=months, measure=measure, change=change, seed=seed).records
    assert len(r) == n
    assert r["date"].is_monotonic_increasing
    assert r["date"].between("2022-01-01", pd.Timestamp("2022-01-01") + pd.DateOffset(months=months)).all()
    assert len(r["site"].cat.categories) == sites
    assert (
        r.groupby("woman", observed=False).size() == r.groupby("woman", observed=False)["plurality"].first()
    ).all()
    assert r["woman"].nunique() == r["woman"].max()


@given(**ANY)
def test_truth_is_made_of_rates_and_adds_up(
    n: int, sites: int, months: int, measure: str, change: str | None, seed: int
) -> None:
    t = births(n, sites=sites, months=months, measure=measure, change=change, seed=seed).truth
    rates = t[[f"{r}_{s}" for r in ("rate", "recorded_rate") for s in ("before", "after")]]
    assert ((rates > 0) & (rates < 1)).all(axis=None)
    woman = t[t["measure"] == "pph_1500"].set_index("group")
    births_of = woman["expected_births_before"] + woman["expected_births_after"]
    assert abs(births_of["All groups"] - n) < 1e-6 * n
    assert abs(births_of.drop("All groups").sum() - n) < 1e-6 * n
    for _, part in t[t["measure"] != "ethnicity_known"].groupby("measure", observed=False):
        for side in ("before", "after"):
            rate = part.set_index("group")[f"rate_{side}"]
            assert (
                rate.drop("All groups").min() - 1e-12
                <= rate["All groups"]
                <= rate.drop("All groups").max() + 1e-12
            )
    if change not in REAL:
        assert (t["caused_change"] == 0).all()


@given(measure=st.sampled_from(TARGETS), effect=st.floats(0.01, 0.9), seed=st.integers(0, 9))
def test_help_goes_to_those_it_is_meant_for_and_never_the_wrong_way(
    measure: str, effect: float, seed: int
) -> None:
    higher = {
        "gdm_screened",
        "depression_asked",
        "depression_referred",
        "depression_seen",
        "first_feed_breast_milk",
    }
    sign = 1 if measure in higher else -1
    for change, helped in (("helps-all", 9), ("helps-majority", 2)):
        t = births(1000, measure=measure, change=change, effect=effect, seed=seed).truth
        moved = sign * t.loc[t["measure"] == measure, "caused_change"]
        assert (moved >= 0).all()
        assert (moved > 0).sum() == helped
