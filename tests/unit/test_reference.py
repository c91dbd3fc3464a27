"""What each group is compared with, against sums by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.reference import Against, Reference, compare_with, orientation, resolve
from qi_equity.data.spans import spans
from qi_equity.data.unknown import is_unknown, unknown_groups

Make = Callable[..., qe.StratifiedSeries]
EVENTS = [[1, 2], [6, 6], [4, 1], [9, 9]]
BIRTHS = [[20, 20], [100, 100], [50, 50], [10, 10]]
GROUPS = ["Asian", "Black", "White", "Not stated"]


def against(series: qe.StratifiedSeries, reference: Any, over: Any = "period") -> Against:
    return compare_with(spans(series, over), resolve(reference, series))


def test_a_group_is_the_reference_of_all_and_has_no_gap_itself(make_series: Make) -> None:
    found = against(make_series(EVENTS, BIRTHS, groups=GROUPS), "Black")
    assert found.names == ("Black",) * 4
    assert found.is_reference.tolist() == [g == "Black" for g in sorted(GROUPS)]
    assert found.numerator.tolist() == [[6, 6]] * 4
    assert not found.exact


def test_everyone_else_is_summed_without_the_group_and_without_unknown_women(make_series: Make) -> None:
    series = make_series(EVENTS, BIRTHS, groups=GROUPS)
    found, order = against(series, "rest"), list(series.groups)
    events = dict(zip(GROUPS, EVENTS, strict=True))
    known = [g for g in GROUPS if g != "Not stated"]
    for g in GROUPS:
        expected = np.sum([events[k] for k in known if k != g], axis=0)
        assert found.numerator[order.index(g)].tolist() == expected.tolist()
    assert found.notes["code"].tolist() == ["rest_is_of_known_group"]
    assert set(found.names) == {"everyone else"}


def test_everyone_else_stays_within_the_site(make_series: Make) -> None:
    series = make_series(
        [[1], [2], [3], [4]], [[10]] * 4, groups=["A", "B"] * 2, sites=["East", "East", "West", "West"]
    )
    found = against(series, "rest")
    assert found.numerator[:, 0].tolist() == [2, 1, 4, 3]


def test_nobody_else_is_missing(make_series: Make) -> None:
    found = against(make_series([[1]], [[10]], groups=["A"]), "rest")
    assert np.isnan(found.numerator).all()
    assert found.status.tolist() == [[1]]


def test_a_suppressed_part_withholds_everyone_else(make_series: Make) -> None:
    found = against(make_series([["*"], [2], [3]], [[10]] * 3), "rest")
    assert found.status[:, 0].tolist() == [0, 2, 2]
    assert np.isnan(found.numerator[1:, 0]).all()


def test_means_of_everyone_else_are_combined_exactly() -> None:
    rng = np.random.default_rng(8)
    values = {g: rng.normal(10, 3, n) for g, n in (("A", 5), ("B", 9), ("C", 4))}
    rows = pd.DataFrame(
        [{"m": "2024-01", "g": g, "v": v.mean(), "s": v.std(ddof=1), "n": len(v)} for g, v in values.items()]
    )
    measure = qe.Measure("Loss", "mean", "lower")
    series = qe.from_counts(rows, measure, period="m", value="v", sd="s", denominator="n", group="g")
    found, rest = against(series, "rest"), np.concatenate([values["B"], values["C"]])
    assert found.value[0, 0] == pytest.approx(rest.mean(), rel=1e-12)
    assert found.sd[0, 0] == pytest.approx(rest.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize(("better", "best"), [("lower", "White"), ("higher", "Asian")])
def test_the_best_is_chosen_over_all_spans_by_direction(make_series: Make, better: str, best: str) -> None:
    events = [[3, 3], [6, 6], [4, 1], [0, 0]]
    series = make_series(events, BIRTHS, groups=GROUPS, better=better)
    reference = Reference("best", minimum=40)
    found = against(series, reference)
    assert set(found.names) == {best}
    assert found.notes["code"].tolist() == ["best_is_selected"]


def test_a_group_below_the_minimum_is_never_the_best(make_series: Make) -> None:
    series = make_series([[0], [5], [6]], [[99], [100], [100]])
    assert set(against(series, "best").names) == {"B"}


def test_of_equal_rates_the_larger_group_is_the_best(make_series: Make) -> None:
    series = make_series([[5], [10], [15]], [[100], [200], [300]])
    assert set(against(series, "best").names) == {"C"}


def test_each_site_has_its_own_best(make_series: Make) -> None:
    series = make_series(
        [[5], [2], [1], [9]], [[200]] * 4, groups=["A", "B"] * 2, sites=["East", "East", "West", "West"]
    )
    assert against(series, "best").names == ("B", "B", "A", "A")


def test_no_best_without_a_group_of_that_size(make_series: Make) -> None:
    with pytest.raises(qe.OptionError, match=r"no group has 100 births or more in 1 of 1 places"):
        against(make_series([[1]], [[10]]), "best")


@pytest.mark.parametrize("reference", [0.03, np.float64(0.03), Reference(0.03, reason="ambition")])
def test_a_number_is_a_target_without_sampling_error(make_series: Make, reference: Any) -> None:
    found = against(make_series(EVENTS, BIRTHS), reference)
    assert found.exact
    assert (found.value == 0.03).all()
    assert np.isnan(found.numerator).all()
    assert not found.is_reference.any()


def test_the_target_of_the_measure(make_series: Make) -> None:
    measure = qe.Measure("Test", "proportion", "lower", target=0.05)
    assert (against(make_series(EVENTS, BIRTHS, measure=measure), "target").value == 0.05).all()


def test_the_reason_is_kept(make_series: Make) -> None:
    found = against(make_series(EVENTS, BIRTHS), Reference("A", reason="largest"))
    assert found.reason == "largest"
    assert found.method["reference"] == {"name": "A", "reason": "largest", "minimum": 100}


def test_a_group_named_like_a_word_is_meant_first(make_series: Make) -> None:
    found = against(make_series([[1], [2]], [[10], [20]], groups=["rest", "other"]), "rest")
    assert found.names == ("rest", "rest")


def test_a_site_without_the_reference_has_none(make_series: Make) -> None:
    series = make_series(
        [[1], [2], [3], [4]], [[10]] * 4, groups=["A", "B"] * 2, sites=["East", "East", "West", "West"]
    )
    mask = ~((series.cells.strata["site"] == "West") & (series.cells.strata["group"] == "A"))
    part = replace(series, cells=series.cells.take(mask.to_numpy()))
    found = against(part, "A")
    assert found.status[:, 0].tolist() == [0, 0, 1]
    assert np.isnan(found.numerator[2, 0])


@pytest.mark.parametrize(
    ("reference", "error", "text"),
    [
        ("Blak", qe.OptionError, r"reference='Blak' is not allowed; use one of .*Did you mean 'Black'"),
        ("", qe.OptionError, r"reference='' is empty"),
        (True, qe.InputTypeError, r"reference=True is of type bool"),
        (None, qe.InputTypeError, r"reference=None is of type NoneType"),
        (3.0, qe.OptionError, r"reference=3.0 is not a proportion; give a number from 0 to 1"),
        ("target", qe.OptionError, r"'Test' has no target"),
    ],
)
def test_references_that_cannot_be_used(make_series: Make, reference: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        against(make_series(EVENTS, BIRTHS, groups=GROUPS), reference)


def test_a_reason_is_text_and_a_minimum_a_whole_number() -> None:
    with pytest.raises(qe.InputTypeError, match=r"reason=3 is of type int"):
        Reference("rest", reason=3)
    with pytest.raises(qe.OptionError, match=r"minimum=0 is too small"):
        Reference("best", minimum=0)


def test_best_needs_a_direction_and_births(make_series: Make) -> None:
    with pytest.raises(qe.OptionError, match=r"'Test' has no direction"):
        against(make_series(EVENTS, BIRTHS, better=None), "best")
    with pytest.raises(qe.OptionError, match=r"not possible for counts"):
        against(make_series(EVENTS, kind="count"), "best")


def test_groups_with_different_spans_are_not_compared(make_series: Make) -> None:
    over = pd.DataFrame({"start": ["2022-02"], "group": ["Black"]})
    with pytest.raises(qe.OptionError, match=r"gives the groups of a site different spans"):
        against(make_series(EVENTS, BIRTHS, groups=GROUPS), "White", over)


def test_overlapping_groups_have_no_rest_and_say_that_they_share_women() -> None:
    rows = pd.DataFrame({"m": ["2024-01"] * 2, "g": ["Maori", "European"], "x": [2, 3], "n": [50, 60]})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    series = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nz-level-1-total", **columns)
    with pytest.raises(qe.OptionError, match=r"reference='rest' is not possible.*in several"):
        against(series, "rest")
    assert against(series, "European").notes["code"].tolist() == ["groups_overlap"]


@pytest.mark.parametrize(
    ("kind", "better", "said"),
    [
        ("proportion", "lower", "as measured"),
        ("proportion", None, "as measured"),
        ("proportion", "higher", "without the event"),
        ("rate", "higher", "reversed"),
        ("mean", "higher", "reversed"),
    ],
)
def test_gaps_are_reckoned_so_that_more_is_worse(kind: Any, better: Any, said: str) -> None:
    assert orientation(qe.Measure("Test", kind, better)) == said


def test_unknown_groups_are_those_of_the_scheme_or_named_so(make_series: Make) -> None:
    series = make_series([[1]] * 3, [[9]] * 3, groups=["Black", "UNKNOWN", "Not stated"])
    assert set(unknown_groups(series)) == {"UNKNOWN", "Not stated"}
    groups = np.asarray(series.cells.strata["group"].astype("str"))
    assert groups[is_unknown(series)].tolist() == sorted(["UNKNOWN", "Not stated"], key=str.casefold)


def test_everyone_else_without_a_group_that_is_missing_is_said(make_series: Make) -> None:
    """B reports nothing in February; D never does, which the table of rates shows."""
    series = make_series([[1, 2], [3, None], [5, 6], [None, None]], [[10, 10]] * 4)
    found = against(series, "rest", "period")
    said = found.notes[found.notes["code"] == "rest_in_part"]
    assert said["group"].tolist() == ["A", "C", "D"]
    assert said["text"].unique().tolist() == [
        "In 1 of 2 spans a part of everyone else was missing: the reference is what was reported."
    ]
    assert found.numerator[0].tolist() == [8, 6]


def test_periods_of_the_reference_are_those_that_it_reports(make_series: Make) -> None:
    series = make_series([[1, 2, 3], [3, None, 4], [5, None, None]], [[10] * 3] * 3)
    assert against(series, "rest", "all").n_periods[:, 0].tolist() == [2, 3, 3]
    assert against(series, "B", "all").n_periods[:, 0].tolist() == [2, 2, 2]
    assert against(series, 0.1, "all").n_periods[:, 0].tolist() == [0, 0, 0]
