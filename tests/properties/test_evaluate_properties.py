"""What must hold of any evaluation: order, mirror, strata alone, JSON, and words that follow the numbers."""

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe

MONTHS = pd.period_range("2022-01", periods=24, freq="M").astype(str)
NUMBERS = ["ratio", "ratio_lower", "ratio_upper", "difference", "difference_lower", "difference_upper", "p"]
# An evaluation takes a tenth of a second.
FEW = settings(max_examples=8)
MODELS = st.sampled_from(["level", "level+trend", "level+shared trend"])


@st.composite
def networks(draw, least=1, most=3):
    """Draw counts of one to three groups, of any size down to none, some of them missing."""
    groups = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    births = rng.poisson(draw(st.sampled_from([3, 30, 300])), (groups, 24))
    rate = draw(st.sampled_from([0.01, 0.1, 0.5, 0.95]))
    events = rng.binomial(
        births, np.where(np.arange(24) < 12, rate, rate * draw(st.sampled_from([0.5, 1.0])))
    )
    frame = pd.DataFrame(
        {"m": np.tile(MONTHS, groups), "g": np.repeat(list("ABC")[:groups], 24), "x": events.ravel()}
    ).assign(n=births.ravel())
    gone = rng.random(len(frame)) < draw(st.sampled_from([0, 0.1]))
    return frame.astype({"x": "float64"}).assign(x=lambda f: f["x"].mask(gone & (f["n"] > 0)))


def made(frame, better="lower", kind="proportion"):
    measure = qe.Measure("Harm", kind, better)
    return qe.from_counts(frame, measure, period="m", numerator="x", denominator="n", group="g")


def evaluated(frame, better="lower", kind="proportion", **options):
    return qe.evaluate_change(made(frame, better, kind), "2023-01", **{"reference": "A", **options})


@FEW
@given(networks(), MODELS, st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(frame, model, seed):
    one = evaluated(frame, model=model)
    other = evaluated(frame.sample(frac=1, random_state=seed), model=model)
    assert one.equals(other)


@FEW
@given(networks(), st.sampled_from(["lower", "higher", None]), MODELS)
def test_verdicts_follow_from_the_interval_and_the_trend(frame, better, model):
    groups = evaluated(frame, better, model=model).groups
    low, high = groups["ratio_lower"], groups["ratio_upper"]
    moved = ["improved", "worsened"] if better else ["fell", "rose"]
    told = np.select(
        [high < 1, low > 1, (low >= 0.75) & (high <= 1 / 0.75)],
        [*moved, "no meaningful change"],
        "not yet visible",
    )
    assert groups["verdict"].tolist() == told.tolist()
    still = ~groups["verdict"].isin(moved)
    assert (groups["family_verdict"] == groups["verdict"])[still].all()
    assert (groups["family_p"] >= groups["p"])[groups["p"].notna()].all()
    visible = groups["verdict"] != "not yet visible"
    assert groups.loc[visible, ["births_needed", "periods_needed"]].isna().all(axis=None)
    assert (groups["births_needed"].dropna() >= 0).all()
    assert (groups["dispersion"].dropna() >= 1).all()
    known = groups["ratio"].notna()
    assert (groups["ratio_lower"] <= groups["ratio"])[known].all()
    assert (groups["ratio"] <= groups["ratio_upper"])[known].all()


@FEW
@given(networks())
def test_counts_add_up(frame):
    groups = evaluated(frame).groups.set_index("group")
    for group, rows in frame[frame["x"].notna()].groupby("g"):
        after = rows["m"] >= "2023-01"
        assert groups.loc[group, "events_before"] == rows.loc[~after, "x"].sum()
        assert groups.loc[group, "births_after"] == rows.loc[after, "n"].sum()


@FEW
@given(networks())
def test_births_without_the_event_tell_the_same_of_a_measure_turned_round(frame):
    """12 in 100 with harm, less is better, are 88 in 100 without it, more is better."""
    turned = frame.assign(x=frame["n"] - frame["x"])
    one, other = evaluated(frame, "lower"), evaluated(turned, "higher")
    pd.testing.assert_frame_equal(one.groups[[*NUMBERS, "verdict"]], other.groups[[*NUMBERS, "verdict"]])
    pd.testing.assert_frame_equal(one.gaps, other.gaps)


@FEW
@given(networks(least=2))
def test_a_stratum_is_evaluated_as_if_alone(frame):
    whole = evaluated(frame, reference=0.1).groups.set_index("group")
    for group, rows in frame.groupby("g"):
        alone = evaluated(rows, reference=0.1).groups.iloc[0]
        np.testing.assert_allclose(
            alone[NUMBERS].astype(float), whole.loc[group, NUMBERS].astype(float), rtol=1e-9, atol=1e-12
        )


@FEW
@given(networks(least=2, most=2))
def test_the_rest_of_two_groups_is_the_other(frame):
    rest, named = (evaluated(frame, reference=r).gaps for r in ("rest", "B"))
    gap = [c for c in rest.columns if c.startswith("gap_")]
    mine = rest["group"] == "A"
    np.testing.assert_allclose(rest.loc[mine, gap], named.loc[mine, gap], rtol=1e-9)
    # Seen from the other side the gap has the other sign, or is its reciprocal.
    difference = rest[rest["scale"] == "difference"].set_index("group")["gap_change"]
    np.testing.assert_allclose(difference["A"], -difference["B"], rtol=1e-9)


@FEW
@given(networks(), MODELS, st.sampled_from(["rest", "A", 0.1]), st.sampled_from(["proportion", "rate"]))
def test_json_gives_all_back_and_words_never_fail(frame, model, reference, kind):
    if kind == "rate" and frame["x"].sum() == 0:
        frame = frame.assign(x=frame["x"] + 1)
    evaluation = evaluated(frame, kind=kind, model=model, reference=reference)
    back = qe.ChangeEvaluation.from_dict(json.loads(json.dumps(evaluation.to_dict(), allow_nan=False)))
    assert back.equals(evaluation)
    told = [evaluation.sentence(), *evaluation.alt_text()["text"]]
    assert not any("nan" in text or "improved" in text for text in told)
    for name in frame["g"].unique():
        assert name in told[0]


@FEW
@given(networks())
def test_nothing_is_said_of_what_is_withheld(frame):
    evaluation = evaluated(frame, reference=0.1)
    rounded = frame[frame["n"] > 0]
    out = evaluation.disclose("dqmi")
    known = out.series.data
    hidden = known[known["status"] != "observed"]
    assert out.groups["events_before"].fillna(0).sum() <= rounded["n"].sum() + 5 * 24 * 3
    gone = hidden.groupby("group", observed=False)["period"].count() == 24
    for group in gone[gone].index:
        row = out.groups[out.groups["group"] == group].iloc[0]
        assert row[[*NUMBERS, "rate_before", "rate_after", "smallest_detectable"]].isna().all()
        assert row["verdict"] == "not yet visible"
