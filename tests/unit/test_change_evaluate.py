"""evaluate_change(): verdicts of what was planted, families, measures beside, options and errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.errors import DataError, InputTypeError, OptionError

FELL, SAME, ROSE = [9] * 12 + [4] * 12, [9] * 24, [4] * 12 + [9] * 12
UPTAKE = qe.Measure("Bundle given", "proportion", "higher")
HARM = qe.Measure("Transfusion", "proportion", "lower")


@pytest.fixture
def series(make_series):
    return make_series([FELL, [36] * 24], [[75] * 24, [720] * 24], groups=["East", "West"])


def verdicts(evaluation, column="verdict"):
    return evaluation.groups.set_index("group")[column].to_dict()


@pytest.mark.parametrize(
    ("kind", "better", "told"),
    [
        ("proportion", "lower", ["improved", "worsened"]),
        ("proportion", "higher", ["worsened", "improved"]),
        ("proportion", None, ["fell", "rose"]),
        ("rate", "lower", ["improved", "worsened"]),
        ("rate", "higher", ["worsened", "improved"]),
        ("count", None, ["fell", "rose"]),
        ("count", "lower", ["improved", "worsened"]),
    ],
)
def test_verdicts_follow_the_direction_of_the_measure(make_series, kind, better, told):
    made = make_series([FELL, ROSE], None if kind == "count" else [75] * 24, kind=kind, better=better)
    evaluation = qe.evaluate_change(made, "2023-01", reference="B")
    assert list(verdicts(evaluation).values()) == told
    ratio = evaluation.groups["ratio"].to_numpy()
    adverse = [71 / 66, 66 / 71] if (kind, better) == ("proportion", "higher") else [4 / 9, 9 / 4]
    np.testing.assert_allclose(ratio, adverse[::-1] if (kind, better) == ("rate", "higher") else adverse)


@pytest.mark.parametrize(("better", "told"), [("lower", "improved"), ("higher", "worsened"), (None, "fell")])
def test_verdicts_of_means(make_series, better, told):
    rng = np.random.default_rng(2)
    values = np.r_[rng.normal(50, 1, 12), rng.normal(30, 1, 12)]
    made = make_series([values.tolist()], [10] * 24, kind="mean", better=better)
    evaluation = qe.evaluate_change(made, "2023-01", reference=30)
    assert verdicts(evaluation)["A"] == told
    with pytest.raises(OptionError, match=r"model='level\+shared trend' is not for means"):
        qe.evaluate_change(made, "2023-01", reference=30, model="level+shared trend")


def test_a_flat_rate_with_many_births_has_no_meaningful_change(series):
    evaluation = qe.evaluate_change(series, "2023-01", reference="West")
    assert verdicts(evaluation) == {"East": "improved", "West": "no meaningful change"}
    assert set(evaluation.gaps["verdict"]) == {"narrowed", "is the reference"}


def test_all_changes_are_one_family_by_holm(make_series):
    made = make_series([FELL, SAME, [9] * 8 + [4] * 16], [75] * 24)
    groups = qe.evaluate_change(made, ["2022-09", "2023-01"], reference="B").groups
    p = groups["p"].to_numpy()
    order = np.argsort(p)
    adjusted = np.empty(6)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (6 - np.arange(6))), 1)
    np.testing.assert_allclose(groups["family_p"], adjusted, rtol=1e-12)
    assert groups["exploratory"].tolist() == [False] * 6


def test_a_change_that_does_not_survive_the_family_is_not_yet_visible(make_series):
    # p is about 0.02: enough by itself, not for one of six.
    made = make_series([[9] * 12 + [6, 7] * 6, *[SAME] * 5], [75] * 24)
    alone = qe.evaluate_change(made, "2023-01", reference="B", primary="A").groups
    together = qe.evaluate_change(made, "2023-01", reference="B").groups
    assert 0.01 < together["p"].iloc[0] < 0.05
    assert together[["verdict", "family_verdict"]].iloc[0].tolist() == ["improved", "not yet visible"]
    assert alone[["verdict", "family_verdict"]].iloc[0].tolist() == ["improved", "improved"]
    assert alone["exploratory"].tolist() == [False, *[True] * 5]
    assert alone["family_p"].notna().tolist() == [True, *[False] * 5]


@pytest.mark.parametrize(
    ("primary", "declared"),
    [
        (None, [1, 1, 1, 1]),
        ("East", [1, 0, 1, 0]),
        (["East", "West"], [1, 1, 1, 1]),
        (np.array(["West"]), [0, 1, 0, 1]),
        ({"site": "North"}, [1, 1, 0, 0]),
        ({"site": ["South"], "group": "West"}, [0, 0, 0, 1]),
    ],
)
def test_the_aim_declares_strata(make_series, primary, declared):
    made = make_series(
        [FELL, SAME] * 2, [75] * 24, groups=["East", "West"] * 2, sites=["North"] * 2 + ["South"] * 2
    )
    evaluation = qe.evaluate_change(made, "2023-01", reference="West", primary=primary)
    assert (~evaluation.groups["exploratory"]).astype(int).tolist() == declared


def test_the_aim_declares_further_strata():
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame(
        {"m": [*months] * 2, "parity": ["first"] * 24 + ["later"] * 24, "g": "A", "x": 5, "n": 90}
    )
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "by": "parity"}
    made = qe.from_counts(rows, HARM, **columns)
    options = {"reference": 0.05, "primary": {"where": {"parity": "later"}}}
    assert qe.evaluate_change(made, "2023-01", **options).groups["exploratory"].tolist() == [True, False]
    options["primary"] = {"where": {"parity": "latter"}}
    with pytest.raises(OptionError, match=r"primary=.*'latter' is not allowed.*Did you mean 'later'"):
        qe.evaluate_change(made, "2023-01", **options)


@pytest.mark.parametrize(
    ("primary", "told"),
    [
        ("Eats", "primary='Eats'.*Did you mean 'East'"),
        (5, "primary=.'5'.*is not allowed"),
        ([], "primary=.*leave one out"),
        ({}, "names no stratum; give group, site or where"),
        ({"groups": "East"}, "names .'groups'.; give group, site or where"),
        ({"site": "North"}, "the series has no site column"),
    ],
)
def test_strata_that_do_not_exist_are_refused(series, primary, told):
    with pytest.raises(OptionError, match=told):
        qe.evaluate_change(series, "2023-01", reference="West", primary=primary)


@pytest.mark.parametrize(
    ("option", "value", "error", "told"),
    [
        ("reference", "Wset", OptionError, "reference='Wset'.*Did you mean 'West'"),
        ("reference", "target", OptionError, "has no target"),
        ("model", "trend", OptionError, "model='trend'.*'level'"),
        ("model", 3, InputTypeError, "model=3"),
        ("seasonal", 6, OptionError, "seasonal=6 is not possible for periods of a month; give 0 to 5"),
        ("seasonal", -1, OptionError, "seasonal=-1"),
        ("seasonal", 1.5, InputTypeError, "seasonal=1.5"),
        ("phase_in", -1, OptionError, "phase_in=-1"),
        ("phase_in", 12, OptionError, "phase_in=12 leaves no period after the change"),
        ("meaningful", 1, OptionError, "meaningful=1"),
        ("meaningful", 0, OptionError, "meaningful=0"),
        ("confidence", 95, OptionError, "confidence=95"),
        ("confidence", "high", InputTypeError, "confidence='high'"),
        ("balancing", 3, InputTypeError, "balancing is of type int"),
        ("balancing", [3], InputTypeError, "balancing is of type list, or holds something else"),
        ("process", "uptake", InputTypeError, "process is of type str; give a StratifiedSeries"),
        ("until", "later", OptionError, "until='later' cannot be used"),
    ],
)
def test_options_that_are_not_allowed_are_named(series, option, value, error, told):
    with pytest.raises(error, match=told):
        qe.evaluate_change(series, "2023-01", **{"reference": "West", option: value})


def test_a_season_needs_periods_within_the_year(series):
    yearly = series.resample("year")
    with pytest.raises(
        OptionError, match="seasonal=1 is not possible: a year has no season within it; use 0"
    ):
        qe.evaluate_change(yearly, "2023", reference="West", seasonal=1)
    quarterly = series.resample("quarter")
    with pytest.raises(OptionError, match="give 0 to 1"):
        qe.evaluate_change(quarterly, "2023-Q1", reference="West", seasonal=2)


def test_something_else_than_a_series_is_refused():
    with pytest.raises(InputTypeError, match="series is of type DataFrame"):
        qe.evaluate_change(pd.DataFrame(), "2023-01", reference="West")


def test_where_the_uptake_rose_the_change_arrived(make_series, series):
    numbers = [[10] * 12 + [60] * 12, [500] * 24]
    uptake = make_series(numbers, [[75] * 24, [720] * 24], groups=["East", "West"], measure=UPTAKE)
    evaluation = qe.evaluate_change(series, "2023-01", reference="West", process=uptake)
    assert verdicts(evaluation, "arrived") == {"East": "yes", "West": "no"}
    told = evaluation.process.set_index("group")
    assert told["arrived"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(told["rate_after"], [0.8, 500 / 720])
    assert evaluation.process_series is uptake
    notes = evaluation.notes.set_index("code")
    assert notes.loc["change_did_not_arrive", ["severity", "group"]].tolist() == ["warning", "West"]


def test_an_uptake_without_a_direction_or_before_the_change(make_series, series):
    neither = qe.Measure("Bundle given", "proportion", None)
    births = [[75] * 24, [720] * 24]
    rose = make_series(
        [[10] * 12 + [60] * 12, [500] * 12 + [90] * 12], births, groups=["East", "West"], measure=neither
    )
    evaluation = qe.evaluate_change(series, "2023-01", reference="West", process=rose)
    assert verdicts(evaluation, "arrived") == {"East": "yes", "West": "no"}
    new = make_series(
        [[0] * 12 + [60] * 12, [None] * 12 + [90] * 12], births, groups=["East", "West"], measure=UPTAKE
    )
    evaluation = qe.evaluate_change(series, "2023-01", reference="West", process=new)
    assert verdicts(evaluation, "arrived") == {"East": "yes", "West": "cannot tell"}
    notes = evaluation.notes.set_index("code")
    assert notes.loc["arrival_not_visible", "group"] == "West"


def test_harm_is_looked_for_in_every_group_in_the_direction_of_the_measure(make_series, series):
    births, groups = [[75] * 24, [720] * 24], ["East", "West"]
    fewer = make_series([ROSE, [36] * 24], births, groups=groups, measure=HARM)
    given = make_series([[60] * 24, [700] * 12 + [500] * 12], births, groups=groups, measure=UPTAKE)
    evaluation = qe.evaluate_change(series, "2023-01", reference="West", balancing=[fewer, given])
    told = evaluation.balancing
    assert told["measure"].tolist() == ["Transfusion"] * 2 + ["Bundle given"] * 2
    assert told["verdict"].tolist()[0] == "worsened"
    assert told["verdict"].tolist()[3] == "worsened"
    assert "worsened" not in told["verdict"].tolist()[1:3]
    harm = evaluation.notes[evaluation.notes["code"] == "harm"]
    assert harm[["severity", "group", "text"]].to_numpy().tolist() == [
        ["warning", "East", "Harm: Transfusion became worse after the change."],
        ["warning", "West", "Harm: Bundle given became worse after the change."],
    ]
    one = qe.evaluate_change(series, "2023-01", reference="West", balancing=fewer)
    pd.testing.assert_frame_equal(one.balancing, told.iloc[:2])


def test_a_measure_beside_needs_nothing_of_the_reference(make_series, series):
    """It is only set before and after: "best", a target or a group without births do not matter to it."""
    neither = qe.Measure("Stay", "count", None)
    counts = make_series([FELL, SAME], groups=["East", "West"], measure=neither)
    few = make_series([[1] * 24, [1] * 24], [[2] * 24] * 2, groups=["East", "West"], measure=HARM)
    evaluation = qe.evaluate_change(series, "2023-01", reference="best", balancing=[counts, few])
    assert len(evaluation.balancing) == 4
    alone = qe.evaluate_change(counts, "2023-01", reference="West").groups
    np.testing.assert_array_equal(evaluation.balancing["ratio"][:2], alone["ratio"])


def test_measures_beside_with_other_strata_or_times_are_refused(make_series, series):
    def other(names, **options):
        return make_series([SAME] * len(names), [75] * 24, groups=names, measure=HARM, **options)

    def asked(**options):
        return qe.evaluate_change(series, "2023-01", reference="West", **options)

    with pytest.raises(
        OptionError, match=r"balancing= has other strata.*3 and 2.*has 'South'; give a series"
    ):
        asked(balancing=[other(["East", "South", "West"])])
    with pytest.raises(OptionError, match=r"process= has other strata.*lacks 'West' and has 'South'"):
        asked(process=other(["East", "South"]))
    with pytest.raises(
        OptionError, match=r"process= has strata by \['site', 'group'\], the series by \['group'\]"
    ):
        asked(process=other(["East", "West"], sites=["N", "N"]))
    with pytest.raises(OptionError, match="balancing= has periods of a quarter, the series of a month"):
        asked(balancing=[other(["East", "West"]).resample("quarter")])
    late = other(["East", "West"]).select(start="2023-01")
    with pytest.raises(qe.DataError, match=r"process= \('Transfusion'\).* in at: starts no later"):
        asked(process=late)


def test_numbers_do_not_depend_on_order_type_or_library():
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame(
        {"m": [*months] * 2, "g": ["East"] * 24 + ["West"] * 24, "x": FELL + SAME, "n": [75] * 48}
    )
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    shuffled = rows.sample(frac=1, random_state=3)
    made = [
        qe.from_counts(frame, HARM, **columns)
        for frame in (rows, shuffled, rows.astype({"x": "int32", "n": "float64"}), pl.from_pandas(rows))
    ]
    kept = rows.copy()
    tables = [qe.evaluate_change(series, "2023-01", reference="West") for series in made]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(other.groups, tables[0].groups)
        pd.testing.assert_frame_equal(other.gaps, tables[0].gaps)
    pd.testing.assert_frame_equal(rows, kept)


def test_strata_alone_and_together_have_the_same_numbers(make_series):
    together = make_series([FELL, SAME, ROSE], [[75] * 24, [90] * 24, [80] * 24])
    alone = together.select(group="A")
    columns = [
        "ratio",
        "ratio_lower",
        "ratio_upper",
        "difference_lower",
        "p",
        "dispersion",
        "smallest_detectable",
    ]
    one, many = (
        qe.evaluate_change(s, "2023-01", reference=0.1, model="level+trend").groups for s in (alone, together)
    )
    np.testing.assert_allclose(
        one.loc[0, columns].astype(float), many.loc[0, columns].astype(float), rtol=1e-9
    )


def test_a_rate_that_was_falling_is_not_told_from_its_trend(make_series):
    births = [400] * 36
    falling = np.round(40 * 0.99 ** np.arange(36)).astype(int).tolist()
    stepped = [40] * 24 + [20] * 12
    made = make_series([falling, stepped], births)
    groups = qe.evaluate_change(made, "2024-01", reference=0.05).groups
    assert groups["verdict"].tolist() == ["improved", "improved"]
    assert groups["beyond_trend"].iloc[0] != "yes"
    assert groups["beyond_trend"].iloc[1] == "yes"


def test_dispersion_is_each_stratums_own(make_series):
    rng = np.random.default_rng(11)
    wild, calm = rng.choice([2, 18], 24).tolist(), [10, 11] * 12
    made = make_series([wild, calm], [100] * 24)
    groups = qe.evaluate_change(made, "2023-01", reference="B").groups.set_index("group")
    x = np.array(wild)
    fitted = np.repeat([x[:12].mean(), x[12:].mean()], 12)
    pearson = ((x - fitted) ** 2 / (fitted * (1 - fitted / 100))).sum() / 22
    assert groups.loc["A", "dispersion"] == pytest.approx(pearson, rel=1e-12)
    assert groups.loc["B", "dispersion"] == 1
    log, half = np.log(groups.loc["A", "ratio"]), stats.t.ppf(0.975, 22)
    error = np.sqrt(pearson * sum(1 / x[s].sum() - 1 / 1200 for s in (slice(12), slice(12, 24))))
    assert groups.loc["A", "ratio_upper"] == pytest.approx(np.exp(log + half * error), rel=1e-9)


def test_the_method_says_what_was_done(series):
    options = {"model": "level+trend", "seasonal": 1, "phase_in": 1, "primary": "East", "until": "2024-06"}
    at = pd.DataFrame({"start": ["2023-01"], "label": ["bundle"], "reason": ["PDSA 3"]})
    reference = qe.Reference("West", reason="the larger site")
    told = qe.evaluate_change(series, at, reference=reference, **options).method
    assert told["model"] == "level+trend"
    assert told["terms"] == ["level", "step 1", "trend", "sine 1", "cosine 1"]
    assert told["reference"] == {"name": "West", "reason": "the larger site", "minimum": 100}
    assert told["changes"][["label", "reason"]].to_numpy().tolist() == [["bundle", "PDSA 3"]] * 2
    assert told["not_modelled"] == ["autocorrelation between periods"]
    assert (told["meaningful"], told["confidence"], told["phase_in"]) == (0.75, 0.95, 1)
    assert (told["primary"], told["until"]) == ("East", "2024-06")
    assert told["orientation"] == "as measured"
    assert told["library"].startswith("qi_equity")
    plain = qe.evaluate_change(series, "2023-01", reference="West").method
    assert plain["not_modelled"] == ["trend", "autocorrelation between periods", "season"]


def test_a_planned_end_before_the_change_is_refused(series):
    with pytest.raises(OptionError, match=r"until='2022-06' is before the first change \(2023-01\)"):
        qe.evaluate_change(series, "2023-01", reference="rest", until="2022-06")
    qe.evaluate_change(series, "2023-01", reference="rest", until="2023-01")


def test_an_uptake_that_begins_with_the_change_is_told_what_to_give(series, make_series):
    late = make_series([[None] * 12 + [40] * 12] * 2, [75] * 24, groups=["East", "West"], better="higher")
    with pytest.raises(DataError, match=r"process= \('Test'\), which is set before and after the same dates"):
        qe.evaluate_change(series, "2023-01", reference="rest", process=late.select(start="2023-01"))
