"""The words of an evaluation: what a team reads first."""

import re

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.change.text import labels, names, plain_words

FELL, SAME, ROSE = [9] * 12 + [4] * 12, [36] * 24, [4] * 12 + [9] * 12
CAUSAL = ("caused", "due to", "led to", "effect of", "resulted", "thanks to", "impact")


def sentence_of(series, at="2023-01", **options):
    return qe.evaluate_change(series, at, **{"reference": series.groups[-1], **options}).sentence()


def row(verdict, beyond="cannot tell"):
    return pd.Series({"verdict": verdict, "beyond_trend": beyond})


def network(make_series, sites, groups, births=60):
    rng = np.random.default_rng(8)
    size = sites * groups
    return make_series(
        rng.binomial(births, 0.1, (size, 24)).tolist(),
        [births] * 24,
        groups=[f"G{g}" for g in range(groups)] * sites,
        sites=[f"S{s}" for s in range(sites) for _ in range(groups)],
    )


@pytest.mark.parametrize(
    ("verdict", "better", "way"),
    [
        ("improved", "lower", "lower than before"),
        ("improved", "higher", "higher than before"),
        ("worsened", "lower", "higher than before"),
        ("worsened", "higher", "lower than before"),
        ("rose", None, "higher than before"),
        ("fell", None, "lower than before"),
    ],
)
def test_a_movement_is_always_told_with_its_trend(verdict, better, way):
    assert plain_words(row(verdict, "yes"), better) == f"{way}; beyond the earlier trend"
    assert plain_words(row(verdict, "no"), better) == f"{way}; no more than the earlier trend"
    assert plain_words(row(verdict), better) == f"{way}; cannot be told from the earlier trend"


@pytest.mark.parametrize("verdict", ["no meaningful change", "not yet visible"])
def test_other_verdicts_are_said_as_they_are(verdict):
    assert plain_words(row(verdict, "yes"), "lower") == verdict


def test_the_sentence_names_groups_gaps_and_needs(make_series):
    births = [[75] * 24, [60] * 24, [300] * 24, [720] * 24]
    series = make_series(
        [FELL, [2, 4] * 12, [15] * 24, SAME], births, groups=["Asian", "Black", "Mixed", "White"]
    )
    evaluation = qe.evaluate_change(series, "2023-01", reference="White")
    told = evaluation.sentence()
    assert evaluation.groups["verdict"].tolist() == [
        "improved",
        "not yet visible",
        "no meaningful change",
        "no meaningful change",
    ]
    assert told == (
        "Test, after the change of 2023-01. Asian: lower than before; beyond the earlier trend. Mixed and "
        "White: no meaningful change. Black: not yet visible; too little before the change to see a ratio of "
        "0.75, however much comes after. Gap to White: narrowed for Asian; for Mixed as a difference not yet "
        "visible, as a ratio no meaningful change; not yet visible for Black."
    )


def test_needs_are_rounded_up_and_told_one_by_one_for_a_few(make_series):
    series = make_series([[8, 10] * 12, [8, 9] * 12], [[100] * 24, [90] * 24], groups=["Asian", "Black"])
    evaluation = qe.evaluate_change(series, "2023-07", reference="Black")
    need = evaluation.groups.set_index("group")[["births_needed", "periods_needed"]]
    assert np.isfinite(need).all(axis=None)
    found = re.search(
        r"Asian and Black: not yet visible; to see a ratio of 0.75 still needed: Asian about ([\d,]+) births "
        r"\((\d+) months\) and Black about ([\d,]+) births \((\d+) months\)\.",
        evaluation.sentence(),
    )
    told = [int(number.replace(",", "")) for number in found.groups()]
    for births, months, exact in zip(told[::2], told[1::2], need.to_numpy(), strict=True):
        assert exact[0] <= births < exact[0] * 1.11
        assert exact[1] <= months < exact[1] * 1.11 + 1
    quarterly = sentence_of(series.resample("quarter"), "2023-Q3")
    assert re.search(r"births \(\d+ quarters?\)", quarterly)


def test_needs_of_rates_are_periods_and_of_many_a_range(make_series):
    counts = make_series([[8, 10] * 12], kind="count")
    assert re.search(
        r"A: not yet visible; .*still needed: \d+ months\.", sentence_of(counts, "2023-07", reference=9)
    )
    series = make_series([[8, 10] * 12] * 6, [[100 + 2 * s] * 24 for s in range(6)])
    assert re.search(
        r"still needed: [\d,]+ to [\d,]+ births \(\d+ to \d+ months\) each\.", sentence_of(series, "2023-07")
    )


def test_nothing_is_said_to_be_needed_where_there_is_enough(make_series):
    """Enough births to show a ratio of 0.75 in 4 of 5 cases, and an interval that still holds it and 1."""
    series = make_series([[21] * 12 + [18] * 12], [400] * 24)
    evaluation = qe.evaluate_change(series, "2023-01", reference=0.1)
    found = evaluation.groups.iloc[0]
    assert (found["verdict"], found["births_needed"]) == ("not yet visible", 0)
    assert "A: not yet visible." in evaluation.sentence()


def test_what_is_not_known_is_said(make_series):
    series = make_series(
        [[0] * 24, [9] * 12 + [None] * 12, [None] * 12 + [9] * 12, FELL],
        [[0] * 24, *[[75] * 24] * 3],
        sites=["N", "N", "N", "S"],
        groups=["A", "B", "C", "A"],
    )
    at = pd.DataFrame({"site": ["N"], "start": ["2023-01"], "label": ["bundle"], "reason": ["PDSA 1"]})
    evaluation = qe.evaluate_change(series, at, reference=0.1)
    told = evaluation.sentence()
    assert told.startswith("Test, after the change of 2023-01 (bundle). ")
    assert "A at N: not yet visible; nothing is known before or after." in told
    assert "B at N: not yet visible; nothing is known after." in told
    assert "C at N: not yet visible; nothing is known before." in told
    assert "A at S" in told.split("no change is recorded")[0].split(". ")[-1]
    assert "A at S" not in told.split("Gap to")[1]
    texts = evaluation.alt_text().set_index(["site", "group"])["text"]
    assert texts["N", "A"] == "not yet visible; nothing is known before or after"
    assert texts["N", "B"] == "12 % before: not yet visible; nothing is known after"
    assert texts["S", "A"] == "no change is recorded"
    assert not any("nan" in text for text in [told, *texts])


def test_the_description_of_a_stratum(make_series):
    series = make_series([FELL, SAME], [[75] * 24, [720] * 24])
    texts = qe.evaluate_change(series, "2023-01", reference="B").alt_text()
    assert texts.columns.tolist() == ["group", "change", "text"]
    assert texts.loc[0, "text"] == (
        "12 % before, 5.33 % after, ratio 0.44 (0.31 to 0.63): lower than before; beyond the earlier trend"
    )
    without = make_series([[66] * 12 + [71] * 12], [75] * 24, better="higher")
    told = qe.evaluate_change(without, "2023-01", reference=0.9).alt_text().loc[0, "text"]
    assert told == (
        "88 % before, 94.7 % after, ratio without the event 0.44 (0.31 to 0.63): higher than before; beyond "
        "the earlier trend"
    )
    reverse = make_series([ROSE], [75] * 24, kind="rate", better="higher")
    told = qe.evaluate_change(reverse, "2023-01", reference=0.1).alt_text().loc[0, "text"]
    assert "ratio, before over after, 0.44" in told
    assert "higher than before" in told


def test_an_end_that_is_not_there_is_said(make_series):
    none_before = make_series([[0] * 12 + [1] * 12], [75] * 24)
    told = qe.evaluate_change(none_before, "2023-01", reference=0.1).alt_text().loc[0, "text"]
    assert re.search(r"ratio inf \(\d+\.\d\d or more\)", told)


def test_gaps_are_told_on_both_scales_where_they_differ(make_series):
    series = make_series([[720] * 12 + [360] * 12, [300] * 12 + [150] * 12], [6000] * 24)
    told = sentence_of(series)
    assert told.endswith("Gap to B: for A as a difference narrowed, as a ratio no meaningful change.")
    down = make_series([[720] * 24, [300] * 12 + [600] * 12], [6000] * 24)
    assert sentence_of(down).endswith("Gap to B: narrowed for A because the reference worsened.")
    assert "Gap to the target: " in sentence_of(series, reference=0.05)
    assert "Gap to everyone else: " in sentence_of(series, reference="rest")


def test_the_best_of_several_sites_are_all_named(make_series):
    made = make_series([FELL, ROSE, ROSE, FELL], [75] * 24, groups=["A", "B"] * 2, sites=["N", "N", "S", "S"])
    assert "Gap to the reference (A and B): " in sentence_of(made, reference="best")


def test_a_reading_before_the_planned_end_says_so_first(make_series):
    series = make_series([FELL], [75] * 24)
    told = sentence_of(series, reference=0.1, until="2024-06")
    assert told.startswith("Interim reading: the evaluation is planned until 2024-06. Test, after")
    assert "Interim" not in sentence_of(series, reference=0.1, until="2023-12")


def test_strata_outside_the_aim_are_exploratory_and_come_after(make_series):
    series = make_series([FELL, FELL, SAME], [[75] * 24, [75] * 24, [720] * 24])
    told = sentence_of(series, primary="B")
    assert "B: lower than before; beyond the earlier trend. A (exploratory): lower than before" in told
    assert "C (exploratory): no meaningful change." in told


def test_what_does_not_survive_the_family_is_said(make_series):
    series = make_series([[9] * 12 + [6, 7] * 6, *[[9] * 24] * 5], [75] * 24)
    told = sentence_of(series)
    assert "Allowing for 6 comparisons together (Holm), not visible any more: A." in told
    assert "Holm" not in sentence_of(series, primary="A")


def test_harm_and_arrival_are_said(make_series):
    series = make_series([FELL, SAME], [[75] * 24, [720] * 24])
    harm = make_series(
        [ROSE, SAME], [[75] * 24, [720] * 24], measure=qe.Measure("Loss", "proportion", "lower")
    )
    uptake = make_series(
        [[9] * 12 + [60] * 12, [360] * 24],
        [[75] * 24, [720] * 24],
        measure=qe.Measure("Bundle", "proportion", "higher"),
    )
    told = sentence_of(series, balancing=[harm], process=uptake)
    assert "Balancing measure Loss: worse than before for A." in told
    assert "The uptake of the change did not rise for B." in told
    new = make_series(
        [[None] * 12 + [60] * 12, [100] * 12 + [360] * 12],
        [[75] * 24, [720] * 24],
        measure=qe.Measure("Bundle", "proportion", "higher"),
    )
    assert "The uptake of the change cannot be told for A." in sentence_of(series, process=new)


def test_every_change_has_its_own_words(make_series):
    series = make_series([[16] * 8 + [8] * 8 + [8] * 8], [100] * 24)
    told = sentence_of(series, ["2022-09", "2023-05"], reference=0.1)
    first, second = told.split("Test, after the change of ")[1:]
    assert first.startswith("2022-09. A: lower than before")
    assert second.startswith("2023-05. A: not yet visible")
    staggered = make_series([FELL, FELL], [75] * 24, sites=["N", "S"], groups=["A", "A"])
    at = pd.DataFrame({"site": ["N", "S"], "start": ["2022-10", "2023-01"]})
    assert sentence_of(staggered, at, reference=0.1).startswith(
        "Test, after the changes of 2022-10 to 2023-01. "
    )


def test_names_of_strata():
    strata = pd.DataFrame(
        {"site": ["N", "S"], "group": ["A", "B"], "parity": ["1", "2"], "age": ["<20", "20+"]}
    )
    assert labels(strata) == ["A (1, <20) at N", "B (2, 20+) at S"]
    assert labels(strata[["group"]]) == ["A", "B"]
    assert names(strata[["group"]], strata[["group"]]) == "A and B"


def test_long_lists_are_cut_and_say_so(make_series):
    series = network(make_series, 9, 6)
    told = sentence_of(series)
    assert len(told) < 1500
    assert re.search(r"\d+ of 54 strata \(.* and \d+ more\): not yet visible", told)
    for part in re.findall(r"(\d+) of 54 strata \((.*?) and (\d+) more\)", told):
        assert part[1].count(",") == 2
    every = make_series([[2] * 24] * 9, [75] * 24)
    assert "All 9 groups: not yet visible" in sentence_of(every, reference=0.1)
    assert "All 54 strata: " in sentence_of(network(make_series, 9, 6, births=1), reference=0.1)


def test_a_group_with_the_same_verdict_at_all_sites_is_named_once(make_series):
    made = make_series(
        [FELL, SAME] * 5,
        [[75] * 24, [720] * 24] * 5,
        groups=["A", "B"] * 5,
        sites=[f"S{s}" for s in range(5) for _ in range(2)],
    )
    told = sentence_of(made)
    assert "A at all 5 sites: lower than before" in told
    assert "B at all 5 sites: no meaningful change" in told
    assert "narrowed for A at all 5 sites" in told


@pytest.mark.parametrize("better", ["lower", "higher", None])
@pytest.mark.parametrize("model", ["level", "level+trend"])
def test_no_sentence_claims_improvement_or_a_cause(make_series, better, model):
    numbers = [FELL, ROSE, SAME, [30] * 12 + [5] * 12]
    series = make_series(numbers, [[75] * 24, [75] * 24, [720] * 24, [75] * 24], better=better)
    told = sentence_of(series, model=model)
    assert not any(word in told.lower() for word in (*CAUSAL, "improved", "worsened:"))
    for moved in re.findall(r"(?:lower|higher) than before(.{40})", told):
        assert re.match(r"; (beyond|no more than|cannot be told from) the earlier", moved)
    assert told.endswith(".")
    assert ".." not in told
    assert "  " not in told


def test_an_interval_that_is_not_known_is_said(make_series):
    """As many terms as periods: the lines meet every point, and nothing is left to tell how sure they are."""
    counts = make_series([[30, 40, 20, 25]], kind="count")
    options = {"reference": 9, "model": "level+trend+slope"}
    told = qe.evaluate_change(counts, "2022-03", **options).alt_text().loc[0, "text"]
    assert told.startswith("35 before, 22.5 after, ratio 0.")
    assert told.endswith(" (interval not known): not yet visible")


def test_a_group_without_anyone_to_compare_with_has_no_gap_to_speak_of(make_series):
    alone = qe.evaluate_change(make_series([[9] * 12 + [4] * 12], [75] * 24), "2023-01", reference="rest")
    assert "Gap" not in alone.sentence()
    assert "lower than before" in alone.sentence()
