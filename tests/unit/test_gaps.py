"""Tables of gaps: every column against the formulas, orientation, references, zero cells and the notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.reference import Reference
from qi_equity.equity.gap_notes import gap_amount
from qi_equity.equity.gaps import GapTable, gaps
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import (
    difference_intervals,
    mean_intervals,
    odds_ratio_intervals,
    proportion_intervals,
    rate_difference_intervals,
    rate_intervals,
    ratio_intervals,
)
from qi_equity.formulas.interval import Interval

Make = Callable[..., qe.StratifiedSeries]
SCALES = ("difference", "ratio", "odds_ratio")
COLUMNS = [
    "group",
    "span",
    "start",
    "end",
    "n_periods",
    "reference",
    "is_reference",
    "events",
    "births",
    "rate",
    "reference_events",
    "reference_births",
    "reference_rate",
    "orientation",
    *(scale + end for scale in SCALES for end in ("", "_lower", "_upper")),
    "reliable",
    "reliability",
    "status",
]
COUNTS = (29, 3879, 82, 20664)


def pair(make_series: Make, **options: Any) -> qe.StratifiedSeries:
    return make_series([[COUNTS[0]], [COUNTS[2]]], [[COUNTS[1]], [COUNTS[3]]], **options)


def read(table: pd.DataFrame, scale: str, row: int = 0) -> list[float]:
    return table.loc[row, [scale, f"{scale}_lower", f"{scale}_upper"]].tolist()


def told(interval: Interval) -> list[float]:
    return [float(end[0]) for end in (interval.estimate, interval.lower, interval.upper)]


def texts(found: GapTable, code: str) -> list[str]:
    return found.notes.loc[found.notes["code"] == code, "text"].tolist()


def test_one_frame_with_both_scales(make_series: Make) -> None:
    table = gaps(pair(make_series), reference="B").table
    assert table.columns.tolist() == COLUMNS
    assert table["is_reference"].tolist() == [False, True]
    assert table["reference"].tolist() == ["B", "B"]
    row = table.iloc[0]
    assert row[["events", "births", "reference_events", "reference_births"]].tolist() == list(COUNTS)
    assert row["rate"] == 29 / 3879
    assert row["reference_rate"] == 82 / 20664
    assert read(table, "difference") == told(difference_intervals.newcombe_difference(*COUNTS))
    assert read(table, "ratio") == told(ratio_intervals.score_risk_ratio(*COUNTS))
    assert read(table, "odds_ratio") == told(odds_ratio_intervals.score_odds_ratio(*COUNTS))


@pytest.mark.parametrize(
    ("option", "name", "function"),
    [
        ("difference", "miettinen-nurminen", difference_intervals.miettinen_nurminen_difference),
        ("difference", "agresti-caffo", difference_intervals.agresti_caffo_difference),
        ("ratio", "log-adjusted", ratio_intervals.log_adjusted_risk_ratio),
        ("odds_ratio", "log-adjusted", odds_ratio_intervals.log_adjusted_odds_ratio),
    ],
)
def test_other_intervals_of_proportions(make_series: Make, option: str, name: str, function: Any) -> None:
    found = gaps(pair(make_series), reference="B", confidence=0.9, **{option: name})
    assert read(found.table, option) == told(function(*COUNTS, confidence=0.9))
    assert found.method[option] == name


@pytest.mark.parametrize(
    ("option", "name", "function"),
    [
        ("difference", None, rate_difference_intervals.rate_difference),
        ("difference", "score", rate_difference_intervals.score_rate_difference),
        ("ratio", None, ratio_intervals.mid_p_rate_ratio),
        ("ratio", "exact", ratio_intervals.exact_rate_ratio),
    ],
)
def test_intervals_of_rates(make_series: Make, option: str, name: str | None, function: Any) -> None:
    table = gaps(pair(make_series, kind="rate"), reference="B", **{option: name}).table
    assert read(table, option) == told(function(*COUNTS))
    assert table[["odds_ratio", "odds_ratio_lower", "odds_ratio_upper"]].isna().all(axis=None)


@pytest.mark.parametrize("limits", ["mid-p", "exact", "byar"])
def test_limits_of_a_difference_of_rates(make_series: Make, limits: str) -> None:
    table = gaps(pair(make_series, kind="rate"), reference="B", difference=limits).table
    wanted = rate_difference_intervals.rate_difference(*COUNTS, limits=limits)
    assert read(table, "difference") == told(wanted)


def test_counts_are_by_period(make_series: Make) -> None:
    """B did not report its second month: its events are those of one period, also where it is all others."""
    series = make_series([[4, 8], [6, None]], kind="count")
    table = gaps(series, reference="B").table
    assert table.loc[0, ["rate", "reference_rate"]].tolist() == [6, 6]
    assert read(table, "ratio") == told(ratio_intervals.mid_p_rate_ratio(12, 2, 6, 1))
    rest = gaps(series, reference="rest").table
    assert rest["reference_rate"].tolist() == [6, 6]
    assert len(texts(gaps(series, reference="rest"), "counts_without_births")) == 1
    assert not texts(gaps(series, reference=5.0), "counts_without_births")


def test_counts_of_everyone_else_are_over_the_periods_of_the_others(make_series: Make) -> None:
    """Not over those of the group itself, nor of women whose group is not known."""
    series = make_series([[4, 8, 3], [6, None, 2], [5, 5, 5]], kind="count", groups=["A", "B", "not stated"])
    found = gaps(series, reference="rest")
    assert found.table["reference_rate"].tolist() == [4, 5, (15 + 8) / 3]


def test_counts_within_their_site(make_series: Make) -> None:
    series = make_series(
        [[4, 8], [6, 10], [3, 3], [5, None]],
        kind="count",
        groups=["A", "B"] * 2,
        sites=["East", "East", "West", "West"],
    )
    table = gaps(series, reference="B").table
    assert table["reference_rate"].tolist() == [8, 8, 5, 5]


def test_means_of_two_groups() -> None:
    frame = pd.DataFrame(
        {"month": "2024-01", "group": ["A", "B"], "y": [52, 45], "s": [8, 12], "n": [40, 60]}
    )
    series = qe.from_counts(
        frame,
        qe.Measure("Time to theatre", "mean", "lower"),
        period="month",
        value="y",
        sd="s",
        denominator="n",
        group="group",
    )
    found = gaps(series, reference="B")
    counts = (52, 8, 40, 45, 12, 60)
    assert read(found.table, "difference") == told(mean_intervals.mean_difference(*counts))
    assert read(found.table, "ratio") == told(mean_intervals.mean_ratio(*counts))
    assert found.table[["events", "reference_events", "odds_ratio"]].isna().all(axis=None)
    assert found.table["reference_rate"].tolist() == [45, 45]


def test_a_mean_near_0_sets_no_bound_to_the_ratio() -> None:
    frame = pd.DataFrame({"month": "2024-01", "group": ["A", "B"], "y": [5, 0.1], "s": [1, 9], "n": [40, 40]})
    series = qe.from_counts(
        frame,
        qe.Measure("Change", "mean", None),
        period="month",
        value="y",
        sd="s",
        denominator="n",
        group="group",
    )
    found = gaps(series, reference="B")
    assert found.table.loc[0, ["ratio_lower", "ratio_upper"]].tolist() == [-np.inf, np.inf]
    assert texts(found, "ratio_without_bound")[0].startswith("The mean of the reference may be 0:")
    assert not texts(found, "zero_events")


def test_more_is_better_turns_a_proportion_into_its_complement(make_series: Make) -> None:
    found = gaps(pair(make_series, better="higher"), reference="B")
    adverse = (3879 - 29, 3879, 20664 - 82, 20664)
    assert read(found.table, "difference") == told(difference_intervals.newcombe_difference(*adverse))
    assert read(found.table, "ratio") == told(ratio_intervals.score_risk_ratio(*adverse))
    assert read(found.table, "odds_ratio") == told(odds_ratio_intervals.score_odds_ratio(*adverse))
    assert found.table["rate"].tolist() == [29 / 3879, 82 / 20664]
    assert found.table["orientation"].tolist() == ["without the event"] * 2
    assert "on the births without the event" in texts(found, "orientation")[0]


def test_more_is_better_turns_rates_round(make_series: Make) -> None:
    found = gaps(pair(make_series, better="higher", kind="rate"), reference="B")
    turned = (*COUNTS[2:], *COUNTS[:2])
    assert read(found.table, "difference") == told(rate_difference_intervals.rate_difference(*turned))
    assert read(found.table, "ratio") == told(ratio_intervals.mid_p_rate_ratio(*turned))
    assert found.method["orientation"] == "reversed"
    assert "reference over group" in texts(found, "orientation")[0]


@pytest.mark.parametrize("better", ["lower", None])
def test_otherwise_as_measured(make_series: Make, better: str | None) -> None:
    found = gaps(pair(make_series, better=better), reference="B")
    assert set(found.table["orientation"]) == {"as measured"}
    assert not texts(found, "orientation")
    assert found.table.loc[0, "difference"] > 0


def test_a_target_has_no_error_of_its_own(make_series: Make) -> None:
    found = gaps(pair(make_series), reference=0.005)
    p, low, high = told(proportion_intervals.wilson_interval(29, 3879))
    np.testing.assert_allclose(read(found.table, "difference"), [p - 0.005, low - 0.005, high - 0.005])
    np.testing.assert_allclose(read(found.table, "ratio"), [p / 0.005, low / 0.005, high / 0.005])
    odds = [x / (1 - x) / (0.005 / 0.995) for x in (p, low, high)]
    np.testing.assert_allclose(read(found.table, "odds_ratio"), odds)
    assert found.table["reference"].tolist() == ["target"] * 2
    assert found.table["reference_births"].isna().all()
    assert found.method["interval"] == "wilson"
    assert found.method["difference"] is None


def test_a_target_of_which_more_is_better(make_series: Make) -> None:
    table = gaps(make_series([[80], [95]], 100, better="higher"), reference=0.9).table
    p, low, high = (1 - x for x in told(proportion_intervals.wilson_interval(80, 100)))
    np.testing.assert_allclose(read(table, "difference"), [p - 0.1, high - 0.1, low - 0.1])
    np.testing.assert_allclose(read(table, "ratio"), [p / 0.1, high / 0.1, low / 0.1])
    assert read(table, "odds_ratio")[0] == pytest.approx(p / (1 - p) / (0.1 / 0.9))


def test_a_target_of_rates_of_which_more_is_better(make_series: Make) -> None:
    table = gaps(make_series([8], 100, better="higher", kind="rate"), reference=0.1).table
    r, low, high = told(rate_intervals.mid_p_rate_interval(8, 100))
    np.testing.assert_allclose(read(table, "difference"), [0.1 - r, 0.1 - high, 0.1 - low])
    np.testing.assert_allclose(read(table, "ratio"), [0.1 / r, 0.1 / high, 0.1 / low])
    assert np.isnan(read(table, "odds_ratio")).all()


def test_a_target_of_counts_is_by_period(make_series: Make) -> None:
    table = gaps(make_series([4, 8], kind="count"), reference=5).table
    np.testing.assert_allclose(read(table, "difference"), np.array(read(table, "ratio")) * 5 - 5)
    assert table.loc[0, "difference"] == 1


def test_reason_and_choice_are_kept(make_series: Make) -> None:
    found = gaps(pair(make_series), reference=Reference("B", reason="the largest group"))
    assert found.method["reference"] == {"name": "B", "reason": "the largest group", "minimum": 100}
    assert found.method["compared_with"] == ["B"]


def test_the_best_group_is_said_to_be_chosen(make_series: Make) -> None:
    found = gaps(pair(make_series), reference="best")
    assert found.table["reference"].tolist() == ["B", "B"]
    assert "looks better than it is" in texts(found, "best_is_selected")[0]


def test_zero_cells(make_series: Make) -> None:
    found = gaps(make_series([[0], [5], [0], [0]], [[12], [40], [28], [0]]), reference="A")
    table = found.table
    assert np.isinf(table.loc[1, ["ratio", "ratio_upper"]].astype(float)).all()
    assert 0 < table.loc[1, "ratio_lower"] < np.inf
    assert np.isnan(table.loc[2, "ratio"])
    assert (table.loc[2, "ratio_lower"], table.loc[2, "ratio_upper"]) == (0, np.inf)
    assert table.loc[2, "difference"] == 0
    assert table.loc[2, "difference_lower"] < 0 < table.loc[2, "difference_upper"]
    assert np.isnan(read(table, "difference", 3)).all()
    assert found.notes.loc[found.notes["code"] == "zero_events", "group"].tolist() == ["B", "C"]
    turned = gaps(make_series([[0], [5]], [[12], [40]]), reference="B").table
    assert read(turned, "ratio")[:2] == [0, 0]
    assert 0 < read(turned, "ratio")[2] < np.inf


def test_not_yet_visible_says_which_gaps_the_data_fit(make_series: Make) -> None:
    found = gaps(make_series([[3, 9], [40, 60]], [[60, 60], [900, 900]]), reference="B", over="period")
    difference, ratio = (read(found.table, s) for s in ("difference", "ratio"))
    assert difference[1] < 0 < difference[2]
    assert texts(found, "not_yet_visible") == [
        f"The data fit no gap in 1 of 2 spans, and in 2022-01 any gap from {100 * difference[1]:.3g} "
        f"percentage points to {100 * difference[2]:.3g} percentage points (ratio {ratio[1]:.3g} to "
        f"{ratio[2]:.3g}): not yet visible, which is not the same as no gap."
    ]


@pytest.mark.parametrize("events", [(19, 34), (4, 3)])
def test_not_yet_visible_if_either_interval_holds_no_gap(make_series: Make, events: tuple[int, int]) -> None:
    """Of the two intervals one holds no gap, the other just not; they are reckoned in different ways."""
    found = gaps(make_series([[events[0]], [events[1]]], [[100], [300]]), reference="B")
    row = found.table.iloc[0]
    assert (row["difference_lower"] > 0) != (row["ratio_lower"] > 1)
    assert len(texts(found, "not_yet_visible")) == 1


def test_visible_gaps_have_no_such_note(make_series: Make) -> None:
    found = gaps(make_series([[90], [40]], [[900], [900]]), reference="B")
    assert not texts(found, "not_yet_visible")
    assert "no difference" not in " ".join(found.notes["text"])


def test_scales_that_say_opposite_things(make_series: Make) -> None:
    """From 8 % against 4 % to 3 % against 1 %: less between them, more of one for each of the other."""
    series = make_series([[80, 30], [40, 10]], 1000)
    found = gaps(series, reference="B", over="period")
    (text,) = texts(found, "scales_disagree")
    assert text == (
        "From 2022-01 to 2022-02 the two scales say opposite things: the difference became smaller (4 "
        "percentage points to 2 percentage points), the ratio became further from 1 (2 to 3). Give both."
    )
    back = gaps(make_series([[30, 80], [10, 40]], 1000), reference="B", over="period")
    assert (
        "became larger (2 percentage points to 4 percentage points), the ratio became nearer to 1"
        in (texts(back, "scales_disagree")[0])
    )
    assert not texts(gaps(series, reference="B"), "scales_disagree")
    agree = gaps(make_series([[80, 60], [40, 40]], 1000), reference="B", over="period")
    assert not texts(agree, "scales_disagree")


def test_periods_without_a_gap_are_passed_over(make_series: Make) -> None:
    series = make_series([[None, 80, 30, 0], [40, 40, 10, 10]], [[None, 1000, 1000, 0], [1000] * 4])
    (text,) = texts(gaps(series, reference="B", over="period"), "scales_disagree")
    assert text.startswith("From 2022-02 to 2022-03")


@pytest.mark.parametrize(
    ("better", "events", "said"),
    [
        ("lower", [[80, 80], [40, 60]], True),
        ("lower", [[80, 60], [40, 40]], False),
        ("lower", [[80, 70], [40, 60]], False),
        ("higher", [[900, 900], [960, 940]], True),
        (None, [[80, 80], [40, 60]], False),
        ("lower", [[40, 70], [80, 90]], False),
    ],
)
def test_a_gap_that_closes_because_the_reference_became_worse(
    make_series: Make, better: str | None, events: list[list[int]], said: bool
) -> None:
    found = gaps(make_series(events, 1000, better=better), reference="B", over="period")
    assert bool(texts(found, "narrowed_by_reference")) == said


def test_reference_that_is_not_known(make_series: Make) -> None:
    found = gaps(make_series([[9, 9], [9, None]], [[294, 294], [294, None]]), reference="B", over="period")
    assert np.isnan(found.table.loc[1, "difference"])
    assert texts(found, "reference_not_known") == [
        "The reference (B) is missing or suppressed in 1 of 2 spans: there is no gap to give."
    ]


def test_reliable_only_if_both_are(make_series: Make) -> None:
    table = gaps(make_series([[90], [3], [0]], [[900], [60], [20]]), reference="B").table
    assert table["reliable"].tolist() == [False, False, False]
    assert table["reliability"].tolist() == [
        "reference: interval wider than 130 % of the rate",
        "interval wider than 130 % of the rate",
        "fewer than 30 births",
    ]
    other = gaps(make_series([[90], [80]], 900), reference="B").table
    assert other["reliable"].all()
    assert gaps(make_series([[90]], 900), reference=0.05).table["reliable"].all()


def test_odds_ratio_of_a_common_outcome(make_series: Make) -> None:
    assert texts(gaps(make_series([[200], [100]], 900), reference="B"), "odds_ratio_of_common")
    assert not texts(gaps(make_series([[20], [10]], 900), reference="B"), "odds_ratio_of_common")


def test_unit_of_a_difference() -> None:
    per_cent, per_1000 = (qe.Measure("x", "proportion", "lower", unit=unit) for unit in ("%", "per 1000"))
    assert gap_amount(per_cent, 0.015) == "1.5 percentage points"
    assert gap_amount(per_1000, 0.015) == "15 per 1000"


def test_further_strata_in_notes() -> None:
    rows = pd.DataFrame(
        {
            "month": "2024-01",
            "group": ["A", "B"] * 2,
            "age": ["<30", "<30", "30+", "30+"],
            "events": [1, 20, 3, 40],
            "births": [40, 500, 60, 700],
        }
    )
    series = qe.from_counts(
        rows,
        qe.measures["pph_1500"],
        period="month",
        numerator="events",
        denominator="births",
        group="group",
        by=["age"],
    )
    found = gaps(series, reference="B")
    assert found.notes.columns.tolist() == ["code", "severity", "site", "group", "age", "text"]
    assert found.table.groupby("age", observed=True)["reference_births"].first().to_dict() == {
        "30+": 700,
        "<30": 500,
    }


def test_a_stratum_alone_is_as_among_others(make_series: Make) -> None:
    series = make_series([[29, 5], [7, 4], [82, 60]], [[700, 600], [90, 80], [900, 900]])
    alone = gaps(series.select(group=["A", "C"]), reference="C", over="period").table
    among = gaps(series, reference="C", over="period").table
    np.testing.assert_array_equal(
        alone.loc[alone["group"] == "A", COLUMNS[14:23]], among.loc[among["group"] == "A", COLUMNS[14:23]]
    )


def test_saved_and_read(make_series: Make) -> None:
    found = gaps(pair(make_series), reference=Reference("best", minimum=50))
    again = GapTable.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert not found.equals(gaps(pair(make_series), reference="A"))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"reference": "C"}, "reference='C' is not allowed; use one of 'A', 'B', 'rest', 'best', 'target'"),
        ({"reference": "B", "difference": "wald"}, "difference='wald' is not allowed; use one of 'newcombe'"),
        ({"reference": "B", "ratio": "mid-p"}, "ratio='mid-p' is not allowed; use one of 'score'"),
        ({"reference": "B", "confidence": 1.5}, "confidence=1.5 is not allowed"),
        ({"reference": 0.02, "ratio": "score"}, "ratio='score' is not for a target"),
    ],
)
def test_refused(make_series: Make, options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        gaps(pair(make_series), **options)


def test_refused_for_the_kind(make_series: Make) -> None:
    with pytest.raises(
        OptionError, match="odds_ratio='score' is not allowed: a measure of kind 'rate' has none"
    ):
        gaps(pair(make_series, kind="rate"), reference="B", odds_ratio="score")
    with pytest.raises(InputTypeError, match="make a StratifiedSeries with"):
        gaps("series", reference="B")
    with pytest.raises(TypeError, match="reference"):
        gaps(pair(make_series))
