"""qe.inequality: what is computed, what is refused, what is said, and that its intervals hold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.reference import Reference
from qi_equity.equity.inequality.catalogue import CATALOGUE, inequality_measures
from qi_equity.equity.inequality.inequality import InequalityTable, inequality
from qi_equity.errors import InputTypeError, OptionError

STILLBIRTH = qe.Measure("Stillbirth", "proportion", "lower", unit="per 1000", counts="baby")
GROUPS = ("Asian", "Black", "Mixed", "White")


def series(
    counts: dict[str, tuple[float, float]],
    measure: qe.Measure = STILLBIRTH,
    scheme: str | None = "nhs-2001",
    **more: Any,
) -> qe.StratifiedSeries:
    rows = pd.DataFrame([{"m": "2021-01", "g": g, "x": x, "n": n} for g, (x, n) in counts.items()])
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    return qe.from_counts(rows, measure, scheme=scheme, **columns, **more)


BIRMINGHAM = {"White": (82, 20664), "Asian": (53, 13005), "Black": (29, 3879), "Mixed": (7, 1380)}


def values(table: InequalityTable) -> pd.DataFrame:
    return table.table.set_index("measure")


def test_birmingham_table() -> None:
    found = values(inequality(series(BIRMINGHAM)))
    wanted = {"d": 3.5079e-3, "r": 1.8840, "bgv": 1.09305e-6, "bgsd": 1.04549e-3, "cov": 0.23801}
    wanted |= {"mdmu": 1.12625e-3, "mdmw": 0.66269e-3, "mdbu": 1.17980e-3, "mdbw": 0.42447e-3}
    wanted |= {"idisu": 0.25639, "idisw": 0.15086, "ti": 24.0979e-3, "mld": 20.9088e-3}
    wanted |= {"par": -0.42447e-3, "paf": -0.09663}
    assert found.index.tolist() == list(wanted)
    assert found["estimate"].to_dict() == pytest.approx(wanted, rel=5e-5)
    assert found.loc["ti", "se"] == pytest.approx(17.860e-3, rel=5e-5)
    assert found.loc["mld", "se"] == pytest.approx(14.650e-3, rel=5e-5)
    # The interval of Black women against White women is the one gaps have (published: 1.049 to 6.838).
    assert found.loc["d", ["compared", "reference"]].tolist() == ["Black", "White"]
    assert found.loc["d", ["lower", "upper"]].tolist() == pytest.approx([1.049e-3, 6.838e-3], abs=5e-7)
    assert found.loc["r", ["lower", "upper"]].tolist() == pytest.approx([1.239, 2.863], abs=5e-4)
    assert found["reason"].eq("").all()
    assert found["n_groups"].eq(4).all()


def test_interval_of_the_theil_index_is_a_thousand_times_as_wide_as_the_package_prints_it() -> None:
    found = values(inequality(series(BIRMINGHAM), measures="ti")).loc["ti"]
    assert found["upper"] - found["estimate"] == pytest.approx(1.959964 * 17.860e-3, rel=1e-4)
    assert found["lower"] == 0


def test_interval_of_the_attributable_fraction_is_on_its_own_scale() -> None:
    found = values(inequality(series(BIRMINGHAM), measures=["par", "paf"]))
    widths = found["upper"] - found["lower"]
    assert widths["paf"] == pytest.approx(widths["par"] / 4.39273e-3, rel=0.15)


def test_mean_differences_from_a_named_reference() -> None:
    found = values(inequality(series(BIRMINGHAM), measures=["mdru", "mdrw"], reference="White"))
    assert found["estimate"].tolist() == pytest.approx([1.17980e-3, 0.42447e-3], rel=5e-5)
    assert found["reference"].tolist() == ["White", "White"]


def test_confidence_is_respected_by_every_interval() -> None:
    births = series(BIRMINGHAM)
    wide, narrow = (values(inequality(births, confidence=c)) for c in (0.99, 0.5))
    assert ((wide["upper"] - wide["lower"]) > (narrow["upper"] - narrow["lower"])).all()


def test_chance_alone_beside_the_estimate() -> None:
    # Four groups at the common rate: mean of each measure over plain draws, made here in a loop.
    found = values(inequality(series(BIRMINGHAM), draws=4000))
    n = np.array([n for _, n in BIRMINGHAM.values()])
    rng = np.random.default_rng(5)
    drawn = {"d": [], "mdmu": [], "bgsd": []}
    for _ in range(4000):
        y = rng.binomial(n, 171 / 38928) / n
        mu = (n * y).sum() / n.sum()
        drawn["d"].append(y.max() - y.min())
        drawn["mdmu"].append(np.abs(y - mu).mean())
        drawn["bgsd"].append(np.sqrt((n * (y - mu) ** 2).sum() / n.sum()))
    for name, sample in drawn.items():
        assert found.loc[name, "expected_if_equal"] == pytest.approx(np.mean(sample), rel=0.03)
        share = np.mean(np.array(sample) >= found.loc[name, "estimate"])
        assert found.loc[name, "chance_if_equal"] == pytest.approx(share, abs=0.02)


def test_percentiles_would_miss_equality_and_inverted_limits_do_not() -> None:
    # 200 quarters of five groups of one trust that are all alike, side by side as sites.
    rng = np.random.default_rng(2)
    n = np.array([198, 84, 54, 36, 882])
    sites = [f"S{k:03d}" for k in range(200)]
    rows = pd.DataFrame([(s, g) for s in sites for g in (*GROUPS[:3], "Other", "White")], columns=["s", "g"])
    rows = rows.assign(m="2024-Q1", n=np.tile(n, 200), x=rng.binomial(np.tile(n, 200), 0.06))
    births = qe.from_counts(
        rows, STILLBIRTH, period="m", numerator="x", denominator="n", group="g", site="s", every="quarter",
        scheme="nhs-2001",
    )  # fmt: skip
    found = inequality(births, measures=["bgsd", "mdmw", "idisw"], draws=400).table
    covered = found["lower"].eq(0).groupby(found["measure"]).mean()
    assert (covered > 0.92).all()
    assert (found["mc_error"] > 0).mean() > 0.9
    # The share of places said to differ is that of the tail, by the column that says so, too.
    low = found["chance_if_equal"].lt(0.025).groupby(found["measure"]).mean()
    assert (low < 0.06).all()


def test_inverted_limits_cover_a_true_inequality() -> None:
    rng = np.random.default_rng(8)
    n, p = np.array([792, 336, 216, 144, 3528]), np.array([0.09, 0.10, 0.08, 0.07, 0.06])
    mu = (n * p).sum() / n.sum()
    truth = {"mdmw": (n * np.abs(p - mu)).sum() / n.sum(), "mdmu": np.abs(p - mu).mean()}
    sites = [f"S{k:03d}" for k in range(150)]
    rows = pd.DataFrame([(s, g) for s in sites for g in (*GROUPS[:3], "Other", "White")], columns=["s", "g"])
    rows = rows.assign(m="2024-01", n=np.tile(n, 150), x=rng.binomial(np.tile(n, 150), np.tile(p, 150)))
    births = qe.from_counts(
        rows, STILLBIRTH, period="m", numerator="x", denominator="n", group="g", site="s", scheme="nhs-2001"
    )
    found = inequality(births, measures=list(truth), draws=300).table
    true = found["measure"].map(truth).astype(float)
    covered = ((found["lower"] <= true) & (true <= found["upper"])).groupby(found["measure"]).mean()
    assert (covered > 0.88).all()


def test_unknown_groups_are_left_out_and_said_with_their_births() -> None:
    with_unknown = inequality(series(BIRMINGHAM | {"Not known": (5, 216)}))
    without = inequality(series(BIRMINGHAM))
    pd.testing.assert_frame_equal(with_unknown.table, without.table)
    said = with_unknown.notes.set_index("code").loc["unknown_group_left_out"]
    assert said["group"] == "Not known"
    assert said["text"].startswith("216 births (5 events) to women of unknown group are not in the measures")


def test_groups_without_births_are_left_out_and_said() -> None:
    found = inequality(series(BIRMINGHAM | {"Other": (0, 0)}), measures="ti")
    assert found.table["n_groups"].item() == 4
    assert found.table["estimate"].item() == pytest.approx(24.0979e-3, rel=5e-5)
    said = found.notes.set_index("code").loc["without_births"]
    assert (said["group"], said["text"][:42]) == ("Other", "Other had no births in 1 of 1 spans: the m")


def test_a_group_that_never_reports_is_left_out_and_said() -> None:
    found = inequality(series(BIRMINGHAM), measures="ti")
    assert found.notes.set_index("code").loc["never_reported", "group"] == "Other"


def months(rows: list[tuple[str, str, float, float]], **more: Any) -> qe.StratifiedSeries:
    frame = pd.DataFrame(rows, columns=["m", "g", "x", "n"])
    return qe.from_counts(frame, STILLBIRTH, period="m", numerator="x", denominator="n", group="g", **more)


def test_too_many_missing_groups_are_not_computed() -> None:
    rows = [(m, g, 5.0 + k, 300.0) for m in ("2024-01", "2024-02") for k, g in enumerate("ABCDE")]
    rows[7] = ("2024-02", "C", np.nan, np.nan)
    found = inequality(months(rows), over="period", measures=["d", "ti"])
    by_span = found.table.set_index(["span", "measure"])
    assert by_span.loc[("2024-01", "d"), "estimate"] == pytest.approx(4 / 300)
    late = by_span.loc["2024-02"]
    assert (
        late[["estimate", "lower", "upper", "se", "expected_if_equal", "chance_if_equal"]]
        .isna()
        .all(axis=None)
    )
    assert late["compared"].eq("").all()
    assert late["reason"].unique().tolist() == ["1 of 5 groups missing or suppressed, more than 15%"]
    assert "not_computed" in found.notes["code"].tolist()


def test_few_missing_groups_are_left_out() -> None:
    rows = [(m, g, 5.0 + k, 300.0) for m in ("2024-01", "2024-02") for k, g in enumerate("ABCDEFG")]
    rows[9] = ("2024-02", "C", np.nan, np.nan)
    found = inequality(months(rows), over="period", measures="d")
    assert found.table["n_groups"].tolist() == [7, 6]
    assert found.table["estimate"].notna().all()
    assert found.notes.set_index("code").loc["left_out", "group"] == "C"


def test_one_group_alone_has_no_inequality() -> None:
    found = inequality(series({"White": (3, 100)}, scheme=None), measures=["d", "mld"])
    assert found.table["estimate"].isna().all()
    assert found.table["reason"].unique().tolist() == ["fewer than two groups with births"]


def test_a_value_of_zero_has_no_logarithm_and_a_ratio_over_zero_no_end() -> None:
    found = values(inequality(series({"A": (0, 50), "B": (9, 300), "C": (4, 200)}, scheme=None)))
    for name in ("ti", "mld"):
        assert np.isnan(found.loc[name, "estimate"])
        assert found.loc[name, "reason"] == "the value of a group is 0: no logarithm"
    assert not np.isfinite(found.loc["r", "estimate"])
    assert found.loc["r", "reason"] == "no event in the group that the ratio divides by"
    # A group without event has a sampling error all the same.
    assert found.loc["d", "se"] > np.sqrt(0.03 * 0.97 / 300)


def test_no_events_at_all_are_no_equality() -> None:
    found = values(inequality(series({"A": (0, 50), "B": (0, 300)}, scheme=None)))
    assert found.loc["bgsd", "estimate"] == 0
    assert found.loc[["bgsd", "mdmw"], ["lower", "upper"]].isna().all(axis=None)
    assert found.loc["bgsd", "reason"].startswith("the groups are exactly alike, or have no events")
    assert found.loc["cov", "reason"] == "the mean of the groups is 0"


def test_direction_decides_which_group_is_best() -> None:
    counts = {"A": (30, 300), "B": (90, 300), "C": (60, 300)}
    low, high = (
        values(inequality(series(counts, qe.Measure("M", "proportion", b), scheme=None)))
        for b in ("lower", "higher")
    )
    assert low.loc["par", ["reference", "estimate"]].tolist() == ["A", pytest.approx(-0.1)]
    assert high.loc["par", ["reference", "estimate"]].tolist() == ["B", pytest.approx(0.1)]
    assert low.loc["d", ["compared", "reference"]].tolist() == ["B", "A"]
    assert high.loc["d", ["compared", "reference"]].tolist() == ["A", "B"]
    assert (low.loc["d", "estimate"], high.loc["d", "estimate"]) == pytest.approx((0.2, 0.2))


def test_without_direction_nothing_has_a_best_group() -> None:
    births = series(
        {"A": (30, 300), "B": (90, 300)}, qe.Measure("Diagnosed", "proportion", None), scheme=None
    )
    assert not {"mdbu", "mdbw", "par", "paf"} & set(inequality(births).table["measure"])
    with pytest.raises(OptionError, match="'Diagnosed' has no direction, so no group is the best"):
        inequality(births, measures="par")
    with pytest.raises(OptionError, match="use mdru or mdrw"):
        inequality(births, measures="mdbu", reference="A")
    named = values(inequality(births, measures=["par", "d"], reference="B"))
    assert named["estimate"].tolist() == pytest.approx([0.1, -0.2])


def test_the_best_group_is_large_enough() -> None:
    counts = {"A": (0, 20), "B": (9, 300), "C": (40, 500)}
    found = inequality(series(counts, scheme=None), measures="par")
    assert found.table["reference"].item() == "B"
    assert "best_is_selected" in found.notes["code"].tolist()
    small = inequality(series(counts, scheme=None), measures="par", reference=Reference("best", minimum=10))
    assert small.table["reference"].item() == "A"
    none = inequality(series(counts, scheme=None), measures="par", reference=Reference("best", minimum=1000))
    assert none.table["reason"].item().startswith("the group to compare with has no value here")


def test_the_best_group_is_the_same_in_every_span() -> None:
    rows = [
        ("2024-01", "A", 5, 200),
        ("2024-01", "B", 9, 200),
        ("2024-02", "A", 8, 200),
        ("2024-02", "B", 6, 200),
    ]
    found = inequality(months(rows), over="period", measures="par")
    assert found.table["reference"].tolist() == ["A", "A"]
    assert found.table["estimate"].tolist() == pytest.approx([-0.01, 0.005])


def test_attributable_risk_is_cut_off_where_the_reference_is_not_the_best() -> None:
    births = series(BIRMINGHAM)
    found = inequality(births, measures=["par", "paf"], reference="Black")
    assert found.table["estimate"].tolist() == [0, 0]
    assert (found.table["lower"] < 0).any() or (found.table["upper"] == 0).all()
    assert (found.table["upper"] == 0).all()
    assert "attributable_risk_cut_off" in found.notes["code"].tolist()
    higher = series({"A": (30, 300), "B": (90, 300)}, qe.Measure("M", "proportion", "higher"), scheme=None)
    assert inequality(higher, measures="par", reference="A").table["estimate"].item() == 0


def deprivation(**more: Any) -> qe.StratifiedSeries:
    births = (78, 91, 162, 103, 105)
    events = (63, 52, 65, 27, 16)
    labels = qe.Scheme.load("imd-quintile").known("detail")
    counts = {g: (x, n) for g, x, n in zip(labels, events, (105, 103, 162, 91, 78), strict=True)}
    assert sum(births) == sum(n for _, n in counts.values())
    return series(counts, qe.Measure("Smoking", "proportion", "lower"), scheme="imd-quintile", **more)


def test_ordered_groups() -> None:
    found = values(inequality(deprivation()))
    assert found.index.tolist()[:6] == ["d", "r", "par", "paf", "aci", "rci"]
    # The vector of the WHO package, read from the other end.
    assert found.loc["sii", "estimate"] == pytest.approx(-0.44905, abs=5e-6)
    assert found.loc["rii", "estimate"] == pytest.approx(1 / 3.2239, abs=5e-6)
    assert found.loc["d", ["compared", "reference"]].tolist() == ["1 (most deprived)", "5 (least deprived)"]
    assert found.loc["par", "reference"] == "5 (least deprived)"
    assert found.loc["rii", "expected_if_equal"] == 1
    assert found.loc["sii", "expected_if_equal"] == 0
    assert found.loc["sii", "lower"] < found.loc["sii", "estimate"] < found.loc["sii", "upper"] < 0
    assert found.loc["rii", "lower"] < found.loc["rii", "estimate"] < found.loc["rii", "upper"] < 1
    linear = values(inequality(deprivation(), measures=["sii_linear", "rii_linear"]))
    assert linear["method"].str.contains("linear").all()


def test_unordered_measures_may_be_asked_of_ordered_groups() -> None:
    assert values(inequality(deprivation(), measures=["ti", "mdbw"]))["estimate"].gt(0).all()


@pytest.mark.parametrize("name", [m for m in CATALOGUE if CATALOGUE[m].valid == "ordered groups"])
def test_ordered_measures_are_refused_for_ethnic_groups(name: str) -> None:
    with pytest.raises(OptionError, match=f"measures='{name}' .* is not possible: it ranks the groups"):
        inequality(series(BIRMINGHAM), measures=name)


def test_overlapping_groups_are_refused() -> None:
    total = {"Māori": (3, 100), "Pacific": (4, 100)}
    labels = qe.Scheme.load("nz-level-1-total").known("detail")
    births = series(dict(zip(labels, total.values(), strict=False)), scheme="nz-level-1-total")
    with pytest.raises(OptionError, match="a woman may be in several of them, so the groups have no shares"):
        inequality(births, measures="d")


def test_measures_without_births_are_refused() -> None:
    rows = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["A", "B"], "x": [3, 4]})
    calls = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="m", numerator="x", group="g")
    with pytest.raises(OptionError, match="without births a larger group has more events"):
        inequality(calls)


@pytest.mark.parametrize("reference", ["rest", 0.03, "Not known"])
def test_a_reference_is_one_of_the_groups(reference: Any) -> None:
    with pytest.raises(OptionError, match="compare the groups with one of them"):
        inequality(series(BIRMINGHAM | {"Not known": (5, 216)}), reference=reference)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"measures": "theil"}, OptionError, "measures='theil' is not allowed"),
        ({"measures": []}, OptionError, "names none"),
        ({"measures": "mdru"}, OptionError, "it needs a reference"),
        ({"confidence": 95}, OptionError, "confidence=95 is not allowed"),
        ({"draws": 10}, OptionError, "draws=10 is too small; give 200 or more"),
        ({"seed": -1}, OptionError, "seed=-1 is too small"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        inequality(series(BIRMINGHAM), **arguments)


def test_what_is_not_a_series_is_refused() -> None:
    with pytest.raises(InputTypeError, match="series is of type DataFrame"):
        inequality(pd.DataFrame())


def test_corrections_of_the_concentration_index_are_for_proportions() -> None:
    rate = qe.Measure("Contacts", "rate", "higher")
    labels = qe.Scheme.load("imd-quintile").known("detail")
    births = series(
        {g: (x, 50) for g, x in zip(labels, (20, 30, 35, 60, 70), strict=True)}, rate, "imd-quintile"
    )
    assert {"rci_wagstaff", "rci_erreygers"}.isdisjoint(inequality(births).table["measure"])
    with pytest.raises(OptionError, match="it is for proportions"):
        inequality(births, measures="rci_wagstaff")
    found = values(inequality(births))
    assert found.loc["rii", "method"].endswith("log fit")
    assert found.loc["r", "method"] == "mid-P"
    assert found.loc["d", "lower"] < found.loc["d", "estimate"] < found.loc["d", "upper"]


def means(sd: float | None, scheme: str | None = None) -> qe.StratifiedSeries:
    labels = qe.Scheme.load("imd-quintile").known("detail") if scheme else tuple("ABCDE")
    rows = pd.DataFrame({"m": "2024-01", "g": labels, "v": [520.0, 560, 610, 580, 640]})
    rows["n"] = [20, 40, 60, 50, 30]
    given = {} if sd is None else {"sd": "s"}
    rows = rows if sd is None else rows.assign(s=sd)
    loss = qe.Measure("Blood loss", "mean", "lower", unit="ml")
    return qe.from_counts(
        rows, loss, period="m", value="v", denominator="n", group="g", scheme=scheme, **given
    )


def test_means() -> None:
    found = values(inequality(means(150), reference=Reference("best", minimum=10)))
    assert found.loc["d", ["compared", "reference", "method"]].tolist() == ["E", "A", "Welch"]
    assert found[["lower", "upper"]].notna().all(axis=None)
    spread = found.loc["mdmw", "expected_if_equal"]
    assert 5 < spread < 30


def test_means_without_standard_deviations_have_estimates_only() -> None:
    found = values(inequality(means(None), measures=["bgsd", "ti", "d"]))
    assert found["estimate"].notna().all()
    assert found[["lower", "upper", "expected_if_equal", "chance_if_equal"]].isna().all(axis=None)
    assert (found["reason"] == "the standard deviation of a group is not known, so no interval").all()
    ordered = values(inequality(means(None, "imd-quintile"), measures=["aci", "sii"]))
    assert ordered.loc["aci", "method"] == "normal, convenience regression"
    assert ordered.loc["aci", "lower"] < ordered.loc["aci", "estimate"]


def test_spans_and_sites() -> None:
    rows = pd.DataFrame(
        [
            (s, m, g, x, 400)
            for s in ("North", "South")
            for m in ("2024-01", "2024-02")
            for g, x in (("A", 9), ("B", 20))
        ],
        columns=["s", "m", "g", "x", "n"],
    )
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "site": "s"}
    births = qe.from_counts(rows, STILLBIRTH, **columns)
    found = inequality(births, over="period", measures=["d", "bgsd"]).table
    assert found.columns.tolist() == [
        *("site", "span", "start", "end", "measure", "name", "estimate", "lower", "upper", "se", "mc_error"),
        *("method", "unit", "scale", "expected_if_equal", "chance_if_equal", "n_groups"),
        *("compared", "reference", "reason"),
    ]
    assert found["site"].astype(str).tolist() == ["North"] * 4 + ["South"] * 4
    assert found["span"].astype(str).tolist() == (["2024-01"] * 2 + ["2024-02"] * 2) * 2
    assert str(found.loc[2, "start"].date()) == "2024-02-01"
    assert str(found.loc[2, "end"].date()) == "2024-02-29"
    one = inequality(births.select(site="South"), over="period", measures=["d", "bgsd"]).table
    pd.testing.assert_frame_equal(
        found.iloc[4:].drop(columns="site").reset_index(drop=True), one.drop(columns="site")
    )
    both = inequality(births, over="all", measures="d").table
    assert both["estimate"].tolist() == pytest.approx([11 / 400] * 2)


def test_groups_of_a_site_must_have_the_same_spans() -> None:
    rows = [(m, g, 5, 300) for m in ("2024-01", "2024-02", "2024-03") for g in ("A", "B")]
    starts = pd.DataFrame({"group": ["A", "B"], "start": ["2024-02-01", "2024-03-01"]})
    with pytest.raises(OptionError, match="gives the groups of a site different spans"):
        inequality(months(rows), over=starts)


def test_saved_and_read_again() -> None:
    found = inequality(series(BIRMINGHAM | {"Not known": (5, 216)}), reference="White", draws=300)
    again = InequalityTable.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert not found.equals(inequality(series(BIRMINGHAM), draws=300))


def test_the_seed_decides_the_draws() -> None:
    births = series(BIRMINGHAM)
    one, same, other = (inequality(births, measures="mdmw", seed=s).table for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert one["upper"].item() != other["upper"].item()
    # Two seeds differ by about the Monte Carlo error that is stated.
    assert abs(one["upper"].item() - other["upper"].item()) < 6 * one["mc_error"].item()


def test_method_says_what_was_done() -> None:
    method = inequality(
        series(BIRMINGHAM), reference=Reference("White", reason="largest group"), seed=7
    ).method
    assert method["reference"] == {"name": "White", "reason": "largest group", "minimum": 100}
    assert method["bootstrap"]["seed"] == 7
    assert method["measures"]["ti"]["formula"] == "sum p r ln r"
    assert method["library"].startswith("qi_equity ")


def test_catalogue() -> None:
    listed = inequality_measures()
    assert listed["id"].is_unique
    assert listed["name"].is_unique
    assert set(listed["valid"]) == {"any groups", "ordered groups"}
    assert (listed["source"].str.len() > 10).all()


def of_means(sd: list[float | None], **more: Any) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"m": "2024-01", "g": ["1", "2", "3"], "y": [30.0, 40, 55], "n": [20, 25, 30], "sd": sd}
    )
    return rows.assign(**more)


def made_of_means(rows: pd.DataFrame, **more: Any) -> qe.StratifiedSeries:
    columns = {"period": "m", "value": "y", "sd": "sd", "denominator": "n", "group": "g"}
    return qe.from_counts(rows, qe.Measure("Minutes", "mean", "lower"), **columns, **more)


def test_one_mean_without_spread_leaves_no_interval_of_all_groups() -> None:
    """Draws of the other groups would be of another inequality; two groups that are known can be compared."""
    found = values(
        inequality(made_of_means(of_means([5.0, None, 6.0])), measures=["bgsd", "mdmw", "bgv", "d"])
    )
    assert found["estimate"].notna().all()
    numbers = ["lower", "upper", "expected_if_equal", "chance_if_equal"]
    assert found.loc[["bgsd", "mdmw", "bgv"], numbers].isna().all(axis=None)
    assert found.loc["mdmw", "reason"] == "the standard deviation of a group is not known, so no interval"
    assert found.loc["d", ["lower", "upper"]].notna().all()


def test_a_site_is_alone_what_it_is_among_others() -> None:
    """Also where it knows no spread, and where it never reports a group that another site does."""
    without, known = of_means([None] * 3, site="P"), of_means([5.0, 6.0, 7.0], site="Q")
    both = made_of_means(pd.concat([without, known]), site="site", scheme="imd-quintile")
    alone = inequality(both.select(site="P"), measures=["aci", "rci"]).table
    among = inequality(both, measures=["aci", "rci"]).table
    assert alone["lower"].notna().all()
    pd.testing.assert_frame_equal(alone, among[among["site"] == "P"], check_categorical=False)
    fewer = made_of_means(pd.concat([of_means([5.0] * 3, site="P")[:2], known]), site="site")
    alone = inequality(fewer.select(site="P"), measures=["mdmw", "d"]).table
    among = inequality(fewer, measures=["mdmw", "d"])
    pd.testing.assert_frame_equal(alone, among.table[among.table["site"] == "P"], check_categorical=False)
    said = among.notes[among.notes["code"] == "never_reported"]
    assert said[["site", "group"]].to_numpy().tolist() == [["P", "3"]]


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_an_estimate_smaller_than_chance_gives_lies_in_its_interval(confidence: float) -> None:
    """One event in 4 births and one in 2 are nearer to 118 in 390 than chance mostly lets equal groups be."""
    near = series({"A": (118, 390), "B": (1, 4), "C": (1, 2)}, scheme=None)
    found = values(inequality(near, measures=["bgsd", "mdmu", "mdmw"], confidence=confidence))
    assert (found["lower"] == 0).all()
    assert (found["upper"] >= found["estimate"]).all()
