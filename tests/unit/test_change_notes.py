"""What an evaluation tells its reader beside the numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cells import SUPPRESSED
from qi_equity.formulas.interim_looks import chance_of_false_signal

FELL, SAME = [9] * 12 + [4] * 12, [9] * 24


def notes_of(series, at="2023-01", **options):
    return qe.evaluate_change(series, at, **{"reference": "B", **options}).notes


def text_of(notes, code):
    return notes.loc[notes["code"] == code, "text"].tolist()


def two_groups(make_series, before, after, births=6000):
    """Make two groups with these adverse rates before and after."""
    numbers = [
        [round(births * p)] * 12 + [round(births * q)] * 12 for p, q in zip(before, after, strict=True)
    ]
    return make_series(numbers, [births] * 24)


@pytest.mark.parametrize(
    ("after", "difference", "ratio"),
    [
        # Both rates halve: 12 % and 5 %.
        ((0.06, 0.025), "narrowed", "no meaningful change"),
        # Both fall by 2.5 in 100.
        ((0.095, 0.025), "no meaningful change", "widened"),
        ((0.10, 0.02), "widened", "widened"),
        ((0.06, 0.05), "narrowed", "narrowed"),
        # Both rise by half: further apart, at the same ratio.
        ((0.18, 0.075), "widened", "no meaningful change"),
    ],
)
def test_scales_that_tell_opposite_stories_are_named(make_series, after, difference, ratio):
    series = two_groups(make_series, (0.12, 0.05), after)
    evaluation = qe.evaluate_change(series, "2023-01", reference="B")
    gaps = evaluation.gaps[evaluation.gaps["group"] == "A"].set_index("scale")["verdict"]
    assert gaps[["difference", "ratio"]].tolist() == [difference, ratio]
    told = evaluation.notes[evaluation.notes["code"] == "opposite_scales"]
    if difference == ratio:
        assert told.empty
    else:
        text = f"opposite stories of the gap: as a difference {difference}, as a ratio {ratio}."
        assert told[["severity", "group", "text"]].to_numpy().tolist() == [
            ["caution", "A", f"The scales tell {text}"]
        ]


def test_a_first_reading_repeats_nothing(make_series):
    series = make_series([FELL, SAME], [75] * 24)
    assert not text_of(notes_of(series, "2023-12"), "repeated_reading")
    (text,) = text_of(notes_of(series, "2023-12", until="2024-06"), "interim")
    assert text == "This reading is interim: the evaluation was planned until 2024-06."


def test_one_group_has_nobody_to_compare_with(make_series):
    evaluation = qe.evaluate_change(make_series([FELL], [75] * 24), "2023-01", reference="rest")
    codes = evaluation.notes["code"].tolist()
    assert codes.count("nobody_to_compare_with") == 1
    assert "reference_not_known" not in codes
    assert "reference_had_the_change" not in codes
    assert "Gap" not in evaluation.sentence()


def test_a_reference_that_is_never_known_is_said_in_notes_and_words(make_series):
    hidden = ["*"] * 24
    evaluation = qe.evaluate_change(make_series([FELL, SAME, hidden], [75] * 24), "2023-01", reference="rest")
    told = evaluation.notes[evaluation.notes["code"] == "reference_not_known"]
    assert told["group"].tolist() == ["A", "B"]
    assert told["text"].str.startswith("The reference is known in no period").all()
    assert evaluation.sentence().endswith(
        "Gap to everyone else: cannot be given for A and B; the reference is not known."
    )


def test_one_scale_that_is_not_yet_visible_tells_no_other_story(make_series):
    """The ratio points the same way and by as much: it is only less sure."""
    series = make_series([[12] * 12 + [6] * 12, [5] * 12 + [4] * 12], [100] * 24)
    evaluation = qe.evaluate_change(series, "2023-01", reference="B")
    gaps = evaluation.gaps[evaluation.gaps["group"] == "A"].set_index("scale")
    assert gaps["verdict"][["difference", "ratio"]].tolist() == ["narrowed", "not yet visible"]
    assert gaps.loc["ratio", "gap_change"] < 0.75
    assert not text_of(evaluation.notes, "opposite_scales")


def test_halved_rates_are_named_even_if_the_ratio_is_not_precise(make_series):
    series = make_series([[12] * 12 + [6] * 12, [5] * 12 + [3, 2] * 6], [100] * 24)
    evaluation = qe.evaluate_change(series, "2023-01", reference="B")
    gaps = evaluation.gaps[evaluation.gaps["group"] == "A"].set_index("scale")["verdict"]
    assert gaps[["difference", "ratio"]].tolist() == ["narrowed", "not yet visible"]
    (text,) = text_of(evaluation.notes, "opposite_scales")
    # What is not yet visible is not the opposite of anything.
    assert text.startswith("The scales tell different stories")


def test_a_reference_that_worsens_is_named(make_series):
    series = two_groups(make_series, (0.12, 0.05), (0.12, 0.10))
    verdict = qe.evaluate_change(series, "2023-01", reference="B").gaps["verdict"].iloc[0]
    assert verdict == "narrowed because the reference worsened"


def test_what_is_not_beyond_the_trend_is_said_in_the_words_of_the_measure(make_series):
    falling = np.round(400 * 0.98 ** np.arange(36)).astype(int).tolist()
    rising = (4000 - np.array(falling)).tolist()
    short = make_series([FELL, SAME], [75] * 24)
    for made, word in (
        (make_series([falling], [4000] * 36), "Lower than before"),
        (make_series([rising], [4000] * 36, better="higher"), "Higher than before"),
    ):
        notes = notes_of(made, "2024-01", reference=0.05)
        told = text_of(notes, "trend_not_told_apart") + text_of(notes, "not_beyond_trend")
        assert len(told) == 1
        assert told[0].startswith(word)
        assert "earlier trend" in told[0]
    assert not text_of(notes_of(short), "trend_not_told_apart")


def test_repeated_reading_has_its_price(make_series):
    series = make_series([FELL, SAME], [75] * 24)
    (text,) = text_of(notes_of(series), "repeated_reading")
    births = 150 * np.arange(1, 13)
    chance = chance_of_false_signal(1 / (1 / 1800 + 1 / births), confidence=0.95, sides=1)
    assert "Read once a month since the change, one of 12 readings" in text
    assert f"chance of {float(chance):.1%}; one reading with 2.5%" in text
    (text,) = text_of(notes_of(series, "2023-06", phase_in=2, confidence=0.9), "repeated_reading")
    assert "one of 5 readings" in text
    assert text.endswith("one reading with 5.0%.")
    (text,) = text_of(notes_of(series, ["2022-07", "2023-01"]), "repeated_reading")
    assert "one of 12 readings" in text


@pytest.mark.parametrize(("until", "interim"), [("2024-06", True), ("2023-12", False), ("2023-06", False)])
def test_a_reading_before_the_planned_end_is_interim(make_series, until, interim):
    series = make_series([FELL, SAME], [75] * 24)
    notes = notes_of(series, until=until)
    told = text_of(notes, "interim")
    assert bool(told) == interim
    assert bool(text_of(notes, "repeated_reading")) != interim
    if interim:
        assert told[0].startswith(
            "This reading is interim: the evaluation was planned until 2024-06. Read once"
        )


def test_what_the_reference_did_meanwhile(make_series):
    names = {"groups": ["A", "B"] * 2, "sites": ["N", "N", "S", "S"]}
    series = make_series([FELL, SAME] * 2, [75] * 24, **names)
    assert len(text_of(notes_of(series), "reference_had_the_change")) == 1
    by_site = pd.DataFrame({"site": ["N", "S"], "start": ["2023-01", "2022-09"]})
    assert len(text_of(notes_of(series, by_site), "reference_had_the_change")) == 1
    by_group = pd.DataFrame({"group": ["A"], "start": ["2023-01"]})
    notes = notes_of(series, by_group)
    assert not text_of(notes, "reference_had_the_change")
    assert "at different dates, or some have none" in text_of(notes, "reference_at_other_dates")[0]
    target = notes_of(series, reference=0.05)
    assert not set(target["code"]) & {"reference_had_the_change", "reference_at_other_dates"}


def test_a_group_without_the_change_is_a_control(make_series):
    """Only one group has the change: its gap is a difference in differences at the date of that group."""
    series = make_series([FELL, [9] * 12 + [8] * 12], [75] * 24)
    at = pd.DataFrame({"group": ["A"], "start": ["2023-01"], "reason": ["trial"]})
    evaluation = qe.evaluate_change(series, at, reference="B")
    gap = evaluation.gaps.set_index(["group", "scale"]).loc[("A", "difference")]
    assert gap["gap_change"] == pytest.approx((4 - 9 - (8 - 9)) / 75)
    assert evaluation.groups["at"].isna().tolist() == [False, True]


def test_few_periods_are_said(make_series):
    series = make_series([[9, 9], [9, 9]], [75, 75])
    notes = notes_of(series, "2022-02")
    assert text_of(notes, "short_baseline")[0].startswith("Only 1 month before the change")
    assert len(text_of(notes, "dispersion_not_known")) == 2
    longer = make_series([[9] * 6 + [4] * 6], [75] * 12)
    told = notes_of(longer, "2022-07", reference=0.1)
    assert text_of(told, "short_baseline")[0].startswith("Only 6 months before")
    assert not text_of(told, "dispersion_not_known")
    assert not text_of(notes_of(make_series([FELL, SAME], [75] * 24)), "short_baseline")


def test_years_have_no_season_and_no_short_baseline(make_series):
    yearly = make_series([FELL, SAME], [75] * 24).resample("year")
    assert not text_of(notes_of(yearly, "2023"), "short_baseline")


def test_what_is_left_out_is_counted(make_series):
    made = make_series([[None, None] + [9] * 22, SAME, [9] * 24], [75] * 24)
    numerator, status = made.cells.numerator.copy(), made.cells.status.copy()
    numerator[2], status[2] = np.nan, SUPPRESSED
    series = replace(made, cells=replace(made.cells, numerator=numerator, status=status))
    notes = notes_of(series)
    missing = notes[notes["code"] == "missing_left_out"]
    assert missing[["group", "text"]].to_numpy().tolist() == [
        ["A", "2 of 24 periods are missing and left out."]
    ]
    withheld = notes[notes["code"] == "suppressed_left_out"]
    assert withheld[["group", "text"]].to_numpy().tolist() == [
        ["C", "24 of 24 periods are suppressed and left out."]
    ]


def test_suppression_that_bends_rates_is_a_warning(make_series):
    made = make_series([FELL, SAME, SAME], [75] * 24)
    numerator, status = made.cells.numerator.copy(), made.cells.status.copy()
    numerator[0, 12:], status[0, 12:] = np.nan, SUPPRESSED
    numerator[1, 3:5], status[1, 3:5] = np.nan, SUPPRESSED
    notes = notes_of(replace(made, cells=replace(made.cells, numerator=numerator, status=status)))
    told = notes[notes["code"] == "low_counts_hidden"]
    assert told[["severity", "group"]].to_numpy().tolist() == [["warning", "A"]]
    assert "an improvement looks smaller than it is" in told["text"].iloc[0]


def test_groups_without_births_are_said(make_series):
    series = make_series([[9] * 12 + [0] * 12, SAME], [[75] * 12 + [0] * 12, [75] * 24])
    notes = notes_of(series)
    told = notes[notes["code"] == "no_births"]
    assert told[["group", "text"]].to_numpy().tolist() == [
        ["A", "No births after the change: nothing can be said of it."]
    ]


def test_notes_name_further_strata_in_columns_of_their_own():
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame({"m": [*months] * 2, "parity": ["first"] * 24 + ["later"] * 24, "g": "A", "n": 75})
    rows["x"] = FELL + SAME
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "by": "parity"}
    series = qe.from_counts(rows, qe.Measure("Harm", "proportion", "lower"), **columns)
    notes = notes_of(series, reference=0.1, balancing=[series])
    assert notes.columns.tolist() == ["code", "severity", "site", "group", "parity", "text"]
    plain = notes_of(series, reference=0.1)
    assert plain.columns.tolist() == notes.columns.tolist()


def test_no_note_claims_a_cause(make_series):
    series = make_series([FELL, SAME], [75] * 24)
    for text in notes_of(series, process=series, balancing=[series], until="2025-01")["text"]:
        assert not any(
            word in text.lower() for word in ("caused", "due to", "led to", "effect of", "thanks to")
        )


def test_recording_that_moved_at_the_date_is_said(make_series):
    made = make_series([SAME, SAME, SAME], [75] * 24)
    unrecorded = np.zeros((3, 24))
    unrecorded[0, :12], unrecorded[1] = 15, 15
    notes = notes_of(replace(made, cells=replace(made.cells, unrecorded=unrecorded)))
    told = notes[notes["code"] == "recording_moved"]
    assert told[["severity", "group"]].to_numpy().tolist() == [["caution", "A"]]
    assert "moved from 16.7 % to 0 % at the change" in told["text"].iloc[0]
    assert "recording_moved" not in notes_of(made)["code"].tolist()


def test_strata_too_small_for_the_model_are_said(make_series):
    made = make_series([[1, 0, 0] * 8, SAME, SAME], [75] * 24)
    assert "too_few_for_the_model" not in notes_of(made)["code"].tolist()
    notes = notes_of(made, model="level+trend")
    told = notes[notes["code"] == "too_few_for_the_model"]
    assert told[["severity", "group"]].to_numpy().tolist() == [["caution", "A"]]


def test_a_date_that_can_be_read_two_ways_says_how_to_write_it(make_series):
    series = make_series([FELL, SAME], [75] * 24)
    with pytest.raises(qe.DataError, match=r"can be read two ways; write it as 2024-03-31"):
        notes_of(series, "01/03/2023")
    with pytest.raises(
        qe.OptionError, match=r"^until='01/03/2023' .*: can be read two ways; give a date such"
    ):
        notes_of(series, until="01/03/2023")
    with pytest.raises(qe.ColumnError, match=r"^at has columns \['day'\]"):
        notes_of(series, pd.DataFrame({"day": ["2023-01-01"]}))
