"""Tables of an evaluation: counts by hand, fixed columns, order, homogeneity against statsmodels."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.errors import OptionError

EAST, WEST = [9] * 12 + [4] * 12, [15] * 24
BIRTHS = [[75] * 24, [300] * 24]


@pytest.fixture
def series(make_series):
    return make_series([EAST, WEST], BIRTHS, groups=["East", "West"])


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    (only,) = frame.to_dict("records")
    return only


def test_counts_are_summed_before_and_after(series):
    found = row(qe.evaluate_change(series, "2023-01", reference="West").groups, group="East")
    assert (found["events_before"], found["births_before"], found["rate_before"]) == (108, 900, 0.12)
    assert (found["events_after"], found["births_after"]) == (48, 900)
    assert found["rate_after"] == 48 / 900
    assert np.isnan(found["unrecorded_before"])
    assert found["ratio"] == pytest.approx(48 / 108)
    assert found["at"] == pd.Timestamp("2023-01-01")


def test_each_of_several_changes_is_set_against_the_segment_before(make_series):
    made = make_series([[8] * 8 + [4] * 8 + [2] * 8], [100] * 24)
    found = qe.evaluate_change(made, ["2022-09", "2023-05"], reference=0.1).groups
    assert found["change"].tolist() == [1, 2]
    assert found["events_before"].tolist() == [64, 32]
    assert found["events_after"].tolist() == [32, 16]
    np.testing.assert_allclose(found["ratio"], 0.5)
    assert found["at"].tolist() == [pd.Timestamp("2022-09-01"), pd.Timestamp("2023-05-01")]


def test_periods_of_coming_in_are_in_neither_count(make_series):
    made = make_series([[8] * 12 + [50, 50] + [4] * 10], [100] * 24)
    found = row(qe.evaluate_change(made, "2023-01", reference=0.1, phase_in=2).groups, group="A")
    assert (found["events_before"], found["events_after"], found["births_after"]) == (96, 40, 1000)


def test_unrecorded_outcomes_are_counted():
    dates = pd.date_range("2022-01-05", periods=24, freq="MS").repeat(4)
    rows = pd.DataFrame({"d": dates, "x": [True, None, False, None] * 24, "g": ["East", "West"] * 48})
    made = qe.from_records(rows, qe.Measure("Harm", "proportion", "lower"), date="d", event="x")
    found = qe.evaluate_change(made, "2023-02", reference=0.1).groups.iloc[0]
    assert (found["unrecorded_before"], found["unrecorded_after"]) == (24, 24)
    assert found["births_before"] == 24


def test_counts_without_births_have_a_rate_per_period(make_series):
    made = make_series([EAST, WEST], kind="count", groups=["East", "West"])
    evaluation = qe.evaluate_change(made, "2023-01", reference="West")
    found = row(evaluation.groups, group="East")
    assert (found["rate_before"], found["rate_after"]) == (9, 4)
    assert np.isnan(found["births_before"])
    assert found["estimator"] == "quasi-poisson"
    assert evaluation.gaps["scale"].unique().tolist() == ["difference", "ratio"]
    gap = row(evaluation.gaps, group="East", scale="difference")
    np.testing.assert_allclose([gap["gap_before"], gap["gap_after"], gap["gap_change"]], [-6, -11, -5])


def test_a_count_with_missing_periods_is_per_period_observed(make_series):
    made = make_series([[None, 8] * 6 + [4] * 12], kind="count")
    found = qe.evaluate_change(made, "2023-01", reference=9).groups.iloc[0]
    assert (found["events_before"], found["rate_before"]) == (48, 8)


def test_means_are_those_of_all_values_and_have_no_odds_ratio(make_series):
    values = [[50, 60] * 6 + [40, 50] * 6, [50.5, 49.5] * 12]
    made = make_series(values, [[10, 30] * 12, [5] * 24], kind="mean", groups=["East", "West"])
    evaluation = qe.evaluate_change(made, "2023-01", reference="West")
    found = row(evaluation.groups, group="East")
    assert (found["rate_before"], found["rate_after"]) == (57.5, 47.5)
    assert found["estimator"] == "REML AR(1)"
    assert found["events_before"] != found["events_before"]
    assert np.isnan(found["odds_ratio"])
    assert evaluation.gaps["scale"].unique().tolist() == ["difference", "ratio"]


def test_groups_without_births_stay_rows_and_nothing_is_said_of_them(make_series):
    made = make_series(
        [[0] * 24, [None] * 24, [5] * 12 + [None] * 12, [5] * 24],
        [[0] * 24, [None] * 24, [50] * 24, [50] * 24],
    )
    evaluation = qe.evaluate_change(made, "2023-01", reference="D")
    found = evaluation.groups.set_index("group")
    assert found.index.tolist() == ["A", "B", "C", "D"]
    assert found.loc["A", ["births_before", "births_after"]].tolist() == [0, 0]
    assert found.loc[["A", "B"], ["rate_before", "ratio", "p", "smallest_detectable"]].isna().all(axis=None)
    assert found.loc["C", "rate_before"] == 0.1
    assert np.isnan(found.loc["C", "rate_after"])
    assert (found.loc[["A", "B", "C"], "verdict"] == "not yet visible").all()
    assert (found.loc[["A", "B", "C"], "beyond_trend"] == "cannot tell").all()
    gaps = evaluation.gaps[evaluation.gaps["group"] == "A"]
    assert (gaps["verdict"] == "not yet visible").all()


OPTIONS = [
    {},
    {"model": "level+trend", "seasonal": 1, "phase_in": 1},
    {"model": "level+shared trend"},
    {"primary": "East", "until": "2024-12"},
    {"meaningful": 0.5, "confidence": 0.8},
]


@pytest.mark.parametrize(
    ("reference", "options"), list(zip(["West", "rest", "best", 0.05, "West"], OPTIONS, strict=True))
)
def test_columns_and_types_are_always_the_same(series, reference, options):
    usual = qe.evaluate_change(series, "2023-01", reference="West")
    other = qe.evaluate_change(series, ["2022-08", "2023-03"], reference=reference, **options)
    for name in ("groups", "gaps", "homogeneity", "balancing", "process", "notes"):
        pd.testing.assert_series_equal(getattr(usual, name).dtypes, getattr(other, name).dtypes)


@pytest.mark.parametrize(("kind", "better"), [("rate", "higher"), ("count", None), ("mean", "lower")])
def test_columns_are_the_same_for_every_kind(make_series, series, kind, better):
    noisy = (np.array([EAST, WEST]) + np.random.default_rng(1).normal(0, 0.5, (2, 24))).tolist()
    births = None if kind == "count" else BIRTHS
    made = make_series(
        noisy if kind == "mean" else [EAST, WEST], births, kind=kind, better=better, groups=["East", "West"]
    )
    usual = qe.evaluate_change(series, "2023-01", reference="West")
    other = qe.evaluate_change(made, "2023-01", reference="West", balancing=[made], process=made)
    for name in ("groups", "gaps", "homogeneity", "notes"):
        pd.testing.assert_series_equal(getattr(usual, name).dtypes, getattr(other, name).dtypes)
    for name in ("balancing", "process"):
        pd.testing.assert_series_equal(getattr(usual, name).dtypes, getattr(other, name).dtypes)
        assert len(getattr(other, name)) == 2


def test_rows_are_in_declared_order(make_series):
    made = make_series(
        [EAST, WEST, EAST, WEST], [100] * 24, groups=["West", "East"] * 2, sites=["S", "S", "N", "N"]
    )
    evaluation = qe.evaluate_change(made, ["2022-07", "2023-01"], reference="West")
    strata = made.cells.strata.astype("str").to_numpy().tolist()
    told = evaluation.groups[["site", "group", "change"]].astype("str").to_numpy().tolist()
    assert told == [[*stratum, change] for stratum in strata for change in ("1", "2")]
    gaps = evaluation.gaps[["site", "group", "change", "scale"]].astype("str").to_numpy().tolist()
    assert gaps == [[*r, scale] for r in told for scale in ("difference", "ratio", "odds ratio")]


def test_the_reference_has_no_gap_to_itself(series):
    gaps = qe.evaluate_change(series, "2023-01", reference="West").gaps
    own = gaps[gaps["group"] == "West"]
    assert (own["verdict"] == "is the reference").all()
    assert own.filter(like="gap_").isna().all(axis=None)
    east = row(gaps, group="East", scale="ratio")
    assert east["gap_before"] == pytest.approx(0.12 / 0.05)
    assert east["gap_after"] == pytest.approx((48 / 900) / 0.05)
    assert east["gap_change"] == pytest.approx(48 / 108)
    assert east["reference"] == "West"
    odds = row(gaps, group="East", scale="odds ratio")
    assert odds["gap_before"] == pytest.approx((0.12 / 0.88) / (0.05 / 0.95))


def test_gaps_of_a_rate_of_which_more_is_better_are_turned_round(make_series):
    """More is worse for the group in every gap: 5 in 100 against 10 is twice as bad, and 5 in 100 less."""
    series = make_series([[50] * 12 + [80] * 12, [100] * 24], [1000] * 24, kind="rate", better="higher")
    evaluation = qe.evaluate_change(series, "2023-01", reference="B")
    difference, ratio = (row(evaluation.gaps, group="A", scale=s) for s in ("difference", "ratio"))
    ends = ["gap_before", "gap_after", "gap_change"]
    np.testing.assert_allclose([difference[e] for e in ends], [0.05, 0.02, -0.03], atol=1e-12)
    np.testing.assert_allclose([ratio[e] for e in ends], [2, 1.25, 0.625])
    assert difference["gap_change_lower"] < -0.03 < difference["gap_change_upper"] < 0
    assert ratio["verdict"] == "narrowed"


def test_a_target_is_compared_with_in_every_group(series):
    gaps = qe.evaluate_change(series, "2023-01", reference=0.05).gaps
    assert set(gaps["reference"]) == {"target"}
    assert row(gaps, group="West", scale="difference")["gap_before"] == pytest.approx(0)
    assert row(gaps, group="East", scale="ratio")["gap_before"] == pytest.approx(2.4)


def test_needs_are_told_only_of_what_is_not_yet_visible(make_series):
    made = make_series([EAST, WEST, [3, 5] * 12, [1] * 24], [[75] * 24, [300] * 24, [80] * 24, [40] * 24])
    found = qe.evaluate_change(made, "2023-01", reference="B").groups.set_index("group")
    assert found["verdict"].tolist() == ["improved", "no meaningful change", *["not yet visible"] * 2]
    assert found.loc[["A", "B"], ["births_needed", "periods_needed"]].isna().all(axis=None)
    assert np.isinf(found.loc["D", ["births_needed", "periods_needed"]].astype(float)).all()
    assert (found["smallest_detectable"] < 1)[:3].all()


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_homogeneity_is_cochrans_q(make_series, confidence):
    """The standard errors by hand: those of the log ratio, times the dispersion of each group."""
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    rng = np.random.default_rng(4)
    births = np.array([[300] * 24, [500] * 24, [400] * 24])
    events = rng.binomial(births, 0.1)
    made = make_series(events.tolist(), births.tolist())
    told = qe.evaluate_change(made, "2023-01", reference="rest", confidence=confidence).homogeneity
    x = np.stack([events[:, :12].sum(axis=1), events[:, 12:].sum(axis=1)])
    n = np.stack([births[:, :12].sum(axis=1), births[:, 12:].sum(axis=1)])
    rate = np.repeat((x / n).T, 12, axis=1)
    phi = (((events - births * rate) ** 2) / (births * rate * (1 - rate))).sum(axis=1) / 22
    variance = np.maximum(phi, 1) * (1 / x - 1 / n).sum(axis=0)
    log = np.log(x[1] / n[1]) - np.log(x[0] / n[0])
    q = meta.combine_effects(log, variance).q
    assert told.loc[0, "q"] == pytest.approx(q, rel=1e-9)
    assert told.loc[0, ["groups", "df"]].tolist() == [3, 2]
    assert told.loc[0, "p"] == pytest.approx(stats.chi2.sf(q, 2), rel=1e-9)


def test_homogeneity_is_of_each_site_and_change_and_needs_two_groups(make_series):
    numbers = [EAST, WEST, EAST, [0] * 24]
    made = make_series(numbers, [100] * 24, groups=["E", "W"] * 2, sites=["N", "N", "S", "S"])
    told = qe.evaluate_change(made, ["2022-07", "2023-01"], reference="E").homogeneity
    assert told[["site", "change"]].astype("str").to_numpy().tolist() == [
        ["N", "1"],
        ["N", "2"],
        ["S", "1"],
        ["S", "2"],
    ]
    assert told["groups"].tolist() == [2, 2, 1, 1]
    assert told.loc[2:, ["q", "df", "p"]].isna().all(axis=None)
    assert told.loc[:1, ["q", "p"]].notna().all(axis=None)


def test_a_stratum_named_measure_has_no_balancing_table():
    rows = pd.DataFrame(
        {
            "m": pd.period_range("2022-01", periods=24, freq="M").astype(str).repeat(2),
            "measure": ["a", "b"] * 24,
        }
    ).assign(x=3, n=50, g="A")
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "by": "measure"}
    made = qe.from_counts(rows, qe.Measure("Harm", "proportion", "lower"), **columns)
    evaluation = qe.evaluate_change(made, "2023-01", reference=0.1)
    assert evaluation.groups["measure"].tolist() == ["a", "b"]
    with pytest.raises(
        OptionError, match="balancing= is not possible with a further stratum named 'measure'"
    ):
        qe.evaluate_change(made, "2023-01", reference=0.1, balancing=[made])
