"""ChangeEvaluation: frames are copies, what is kept is given back, what leaves is of disclosed counts."""

import copy
import inspect
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe
from qi_equity.errors import DataError

FELL, SAME = [9] * 12 + [4] * 12, [36] * 24
TABLES = ("groups", "gaps", "homogeneity", "balancing", "process", "notes")


@pytest.fixture
def series(make_series):
    return make_series([FELL, SAME], [[75] * 24, [720] * 24], groups=["East", "West"])


@pytest.fixture
def evaluation(series):
    return qe.evaluate_change(series, "2023-01", reference="West", process=series, balancing=[series])


def through_json(evaluation):
    return qe.ChangeEvaluation.from_dict(json.loads(json.dumps(evaluation.to_dict(), allow_nan=False)))


@pytest.mark.parametrize("name", TABLES)
def test_frames_are_copies(evaluation, name):
    frame = getattr(evaluation, name)
    frame["more"] = 1
    assert "more" not in getattr(evaluation, name)


def test_it_cannot_be_changed(evaluation):
    with pytest.raises(AttributeError):
        evaluation.series = None
    with pytest.raises(TypeError):
        evaluation.options["at"] = "2022-05"
    with pytest.raises(TypeError):
        evaluation.method["model"] = "other"


@pytest.mark.parametrize(
    "options",
    [
        {"at": "2023-01"},
        {"at": ["2022-07", "2023-01"], "reference": "rest", "model": "level+trend", "seasonal": 1},
        {"at": pd.Period("2023-01", "M"), "reference": 0.05, "primary": {"group": ["East"]}},
        {"at": pl.DataFrame({"group": ["East", None], "start": ["2023-01", "2022-06"]}), "until": "2024-05"},
        {"at": np.datetime64("2023-01"), "primary": ("East", "West"), "until": pd.Timestamp("2024-05-01")},
        {
            "at": pd.DataFrame({"start": ["2023-01"], "reason": ["plan"]}),
            "reference": qe.Reference("West", "x"),
        },
    ],
    ids=range(6),
)
def test_what_is_kept_as_json_is_given_back(series, options):
    made = qe.evaluate_change(series, **{"reference": "West", "process": series, **options})
    back = through_json(made)
    assert back.equals(made)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(back, name), getattr(made, name))
    assert back.sentence() == made.sentence()
    assert back.alt_text().equals(made.alt_text())
    pd.testing.assert_frame_equal(back.terms(), made.terms())
    assert back.process_series.equals(series)
    np.testing.assert_array_equal(back.study.schedule.starts, made.study.schedule.starts)


def test_an_evaluation_that_was_kept_is_not_computed_anew(evaluation):
    data = json.loads(json.dumps(evaluation.to_dict()))
    column = dict(data["tables"]["groups"]["$frame"])["verdict"]
    column["$array"][0] = "worsened"
    assert qe.ChangeEvaluation.from_dict(data).groups["verdict"].iloc[0] == "worsened"


def test_copies_are_equal(evaluation):
    assert copy.copy(evaluation).equals(evaluation)
    assert copy.deepcopy(evaluation.to_dict()) == evaluation.to_dict()
    assert not evaluation.equals("evaluation")


def test_other_options_make_another_evaluation(series):
    usual = {"at": "2023-01", "reference": "West"}
    others = [
        {"at": "2023-02"},
        {"reference": "East"},
        {"confidence": 0.9},
        {"meaningful": 0.8},
        {"primary": "East"},
        {"until": "2025-01"},
        {"phase_in": 1},
        {"model": "level+trend"},
    ]
    one = qe.evaluate_change(series, **usual)
    assert not any(one.equals(qe.evaluate_change(series, **{**usual, **other})) for other in others)
    assert one.equals(qe.evaluate_change(series, **usual))


def test_other_data_make_another_evaluation(make_series, series, evaluation):
    other = make_series([FELL, [36] * 23 + [35]], [[75] * 24, [720] * 24], groups=["East", "West"])
    assert not evaluation.equals(qe.evaluate_change(other, "2023-01", reference="West"))
    plain = qe.evaluate_change(series, "2023-01", reference="West")
    assert not evaluation.equals(plain)


@pytest.mark.parametrize("spoil", ["type", "format", "tables", "groups", "series", "options"])
def test_data_of_something_else_are_refused(evaluation, spoil):
    data = json.loads(json.dumps(evaluation.to_dict()))
    if spoil in ("type", "format"):
        data[spoil] = "other"
    elif spoil == "groups":
        data["tables"]["groups"] = [1, 2]
    else:
        data[spoil] = 3
    with pytest.raises(DataError, match="ChangeEvaluation"):
        qe.ChangeEvaluation.from_dict(data)


def test_it_says_what_it_is(evaluation, series):
    assert repr(evaluation).startswith("<ChangeEvaluation 'Test': 2 strata, 1 change, ")
    two = qe.evaluate_change(series, ["2022-07", "2023-01"], reference="West")
    assert "2 changes" in repr(two)
    assert "'Test': 1 stratum, " in repr(qe.evaluate_change(series.total(), "2023-01", reference=0.1))


def test_html_is_escaped(make_series):
    series = make_series(
        [FELL, SAME],
        [[75] * 24, [720] * 24],
        groups=["<b>East</b>", "A&B"],
        measure=qe.Measure("<script>x</script>", "proportion", "lower"),
    )
    html = qe.evaluate_change(series, "2023-01", reference="A&B")._repr_html_()
    assert "<script>" not in html
    assert "<b>East" not in html
    assert "&lt;b&gt;East" in html
    assert "A&amp;B" in html
    assert html.count("<table") == 3


def test_terms_are_those_of_the_model(series):
    """The level is that before the change on the scale of logits, the step their difference."""
    terms = qe.evaluate_change(series, "2023-01", reference="West").terms()
    assert terms["term"].tolist() == ["level", "step 1"] * 2
    east = terms[terms["group"] == "East"].set_index("term")
    before, after = (np.log(p / (1 - p)) for p in (108 / 900, 48 / 900))
    assert east.loc["level", "estimate"] == pytest.approx(before, rel=1e-9)
    assert east.loc["step 1", "estimate"] == pytest.approx(after - before, rel=1e-9)
    error = np.sqrt(1 / 108 + 1 / 792 + 1 / 48 + 1 / 852)
    assert east.loc["step 1", "se"] == pytest.approx(error, rel=1e-9)


def test_terms_of_a_shared_trend_and_of_means(make_series, series):
    shared = qe.evaluate_change(series, "2023-01", reference="West", model="level+shared trend").terms()
    together = shared[shared["term"] == "shared trend"]
    assert len(together) == 2
    assert together[["estimate", "se"]].nunique().tolist() == [1, 1]
    rng = np.random.default_rng(5)
    values = np.r_[rng.normal(50, 1, 12), rng.normal(40, 1, 12)].tolist()
    means = make_series([values], [10] * 24, kind="mean")
    terms = qe.evaluate_change(means, "2023-01", reference=45).terms().set_index("term")
    assert terms.loc["level", "estimate"] == pytest.approx(np.mean(values[:12]), abs=0.3)
    assert terms.loc["step 1", "lower"] < -10 < terms.loc["step 1", "upper"]


def test_what_leaves_is_made_from_disclosed_counts_only(make_series):
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    rng = np.random.default_rng(6)
    rows = pd.DataFrame({"m": [*months] * 2, "g": ["East"] * 24 + ["West"] * 24})
    rows["n"] = [*rng.integers(300, 400, 24), *rng.integers(700, 800, 24)]
    rows["x"] = rng.binomial(rows["n"], 0.05)
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows, qe.Measure("Harm", "proportion", "lower"), **columns)
    options = {"at": "2023-01", "reference": "West"}
    inside = qe.evaluate_change(series, **options, process=series, balancing=[series])
    out = inside.disclose("dqmi")
    told = series.disclose("dqmi")
    anew = qe.evaluate_change(told, **options, process=told, balancing=[told])
    pd.testing.assert_frame_equal(out.groups, anew.groups)
    pd.testing.assert_frame_equal(out.gaps, anew.gaps)
    pd.testing.assert_frame_equal(out.balancing, anew.balancing)
    assert out.sentence() == anew.sentence()
    assert not out.groups["ratio"].equals(inside.groups["ratio"])
    assert out.options == inside.options
    assert out.series.equals(told)
    assert out.process_series.equals(told)
    assert not json.dumps(out.to_dict()).count(json.dumps(float(inside.groups["p"].iloc[0])))
    assert "disclosed" in out.notes["code"].tolist()


def test_what_is_wholly_withheld_says_nothing(make_series):
    series = make_series([[4] * 24, [5] * 24], [[75] * 24, [90] * 24])
    out = qe.evaluate_change(series, "2023-01", reference="B").disclose("dqmi")
    numbers = out.groups.select_dtypes("number").drop(columns=["change", "dispersion", "df"])
    assert numbers.isna().all(axis=None)
    assert set(out.groups["verdict"]) == {"not yet visible"}
    assert "nothing is known before or after" in out.sentence()
    assert set(out.notes["code"]) >= {"suppressed_left_out"}
    assert "repeated_reading" not in out.notes["code"].tolist()


def test_the_names_of_the_arguments_are_those_of_the_issue():
    told = list(inspect.signature(qe.evaluate_change).parameters)
    assert told[:10] == [
        "series",
        "at",
        "reference",
        "model",
        "seasonal",
        "phase_in",
        "meaningful",
        "confidence",
        "balancing",
        "process",
    ]
