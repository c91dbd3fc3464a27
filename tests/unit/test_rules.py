"""Rule sets as data: names, parameters, composition, saving."""

from __future__ import annotations

import json

import numpy as np
import pytest

import qi_equity as qe
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import (
    TESTS,
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
    parameters,
)


def test_the_catalogue_has_named_versioned_cited_sets() -> None:
    assert list(qe.rule_sets) == [
        "anhoej",
        "anhoej_best_box",
        "anhoej_cut_box",
        "shewhart",
        "making_data_count",
        "making_data_count_2019",
        "western_electric",
        "nelson",
        "ihi",
        "aiag",
        "montgomery",
        "westgard",
    ]
    assert len(qe.rule_sets) == 12
    for name, rules in qe.rule_sets.items():
        assert (rules.name, bool(rules.version), bool(rules.citation)) == (name, True, True)


def test_making_data_count_is_the_wording_of_2023() -> None:
    rules = qe.rule_sets["making_data_count"]
    assert rules.version == "2023"
    assert rules.tests == (BeyondLimits(), Shift(7, "break", "break"), Trend(7, "break"), TwoInThree(True))


def test_making_data_count_of_2019_leaves_out_points_beyond_three_sigma() -> None:
    first, *rest, threes = qe.rule_sets["making_data_count_2019"].tests
    assert (first, *rest) == qe.rule_sets["making_data_count"].tests[:3]
    assert threes == TwoInThree(beyond_three_counts=False)


def test_the_boxes_are_a_method_of_longest_run_and_crossings() -> None:
    for method in ("best_box", "cut_box"):
        rules = qe.rule_sets[f"anhoej_{method}"]
        assert rules.tests == (LongestRun(method), Crossings(method))
        assert rules.runs_method == method
    assert qe.rule_sets["anhoej"].runs_method == qe.rule_sets["shewhart"].runs_method == "anhoej"


def test_longest_run_and_crossings_have_one_method() -> None:
    with pytest.raises(qe.OptionError, match=r"longest_run and crossings are judged together, so give both"):
        qe.RuleSet("ours", "1", "here", (LongestRun("best_box"), Crossings()))


EIGHT = (
    BeyondLimits(),
    Trend(6),
    Alternating(14),
    TwoInThree(same_side="beyond"),
    FourInFive(window=5, same_side="beyond"),
    Within(15),
    Outside(8),
)


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        (
            "western_electric",
            (BeyondLimits(), TwoInThree(same_side="beyond"), FourInFive(), Shift(8)),
        ),
        ("nelson", (*EIGHT, Shift(9))),
        ("aiag", (*EIGHT, Shift(7))),
        ("montgomery", (*EIGHT, Shift(8))),
        ("ihi", (Shift(6, ties="skip"), Trend(5, ties="skip"), RunsCount("exact"))),
        (
            "westgard",
            (BeyondLimits(), TwoInThree(same_side="any"), FourInFive(window=4), Shift(8), Trend(7)),
        ),
    ],
)
def test_run_lengths_of_the_sets(name: str, tests: tuple[Test, ...]) -> None:
    assert set(qe.rule_sets[name].tests) == set(tests)
    assert "not seen" in qe.rule_sets[name].citation


@pytest.mark.parametrize(
    ("test", "needs_limits", "zones", "runs_test", "sides"),
    [
        (BeyondLimits(), True, (), False, ("low", "high")),
        (LongestRun(), False, (), True, ("low", "high")),
        (Crossings(), False, (), True, ()),
        (Shift(), False, (), True, ("low", "high")),
        (Trend(), False, (), False, ("low", "high")),
        (TwoInThree(), True, (2,), False, ("low", "high")),
        (FourInFive(), True, (1,), False, ("low", "high")),
        (Alternating(), False, (), False, ("none",)),
        (Within(), True, (1,), False, ("none",)),
        (Outside(), True, (1,), False, ("none",)),
        (RunsCount(), False, (), True, ()),
    ],
)
def test_what_each_test_needs(
    test: Test, needs_limits: bool, zones: tuple[int, ...], runs_test: bool, sides: tuple[str, ...]
) -> None:
    assert (test.needs_limits, test.needs_zones, test.is_runs_test, test.sides) == (
        needs_limits,
        zones,
        runs_test,
        sides,
    )


def test_sets_are_put_together_by_name() -> None:
    both = qe.rule_sets["anhoej+shewhart"]
    assert both.name == "anhoej+shewhart"
    assert both.tests == (LongestRun(), Crossings(), BeyondLimits())
    assert "Anhøj" in both.citation
    assert "Shewhart" in both.citation


def test_a_test_in_both_sets_counts_once_and_must_be_the_same() -> None:
    assert qe.rule_sets["shewhart+making_data_count"].names == (
        "beyond_limits",
        "shift",
        "trend",
        "two_in_three",
    )
    eight = qe.RuleSet("eight", "1", "here", (Shift(8),))
    mend = r"length 7 in 'making_data_count', length 8 in 'eight'\. Make a RuleSet of the tests that you want"
    with pytest.raises(qe.OptionError, match=rf"'shift' is in both with different parameters: {mend}"):
        qe.rule_sets["making_data_count"] + eight
    with pytest.raises(qe.OptionError, match=r"tests=\('shift', 'shift'\) is not allowed; .*only once"):
        qe.RuleSet("twice", "1", "here", (Shift(7), Shift(8)))


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("western_electric+nelson", r"'shift' .*: length 8 in 'western_electric', length 9 in 'nelson'"),
        (
            "anhoej+anhoej_best_box",
            r"'longest_run' .*: method 'anhoej' in 'anhoej', method 'best_box' in 'anhoej_best_box'; "
            r"'crossings' .*: method 'anhoej' in 'anhoej', method 'best_box' in 'anhoej_best_box'",
        ),
        (
            "shewhart+ihi+nelson",
            r"'shift' .*: length 6, ties 'skip' in 'shewhart\+ihi', length 9, ties 'break'",
        ),
    ],
)
def test_sets_that_differ_in_a_test_say_in_which_and_how(rules: str, says: str) -> None:
    with pytest.raises(qe.OptionError, match=says):
        resolve_rules(rules)


@pytest.mark.parametrize("other", ["shewhart", BeyondLimits(), None])
def test_only_sets_are_added(other: object) -> None:
    anhoej = qe.rule_sets["anhoej"]
    with pytest.raises(
        qe.InputTypeError, match=r"is of type .*; add another RuleSet, such as qe\.rule_sets\["
    ):
        anhoej + other
    with pytest.raises(TypeError):
        other + anhoej


def test_the_catalogue_is_a_mapping() -> None:
    assert qe.rule_sets.get("nelson") is qe.rule_sets["nelson"]
    assert qe.rule_sets.get("anhoej+shewhart") == qe.rule_sets["anhoej+shewhart"]
    assert "anhoej+shewhart" in qe.rule_sets
    ours = qe.RuleSet("ours", "1", "here", (Shift(8),))
    for unknown in ("deming", "anhoej+deming", "western_electric+nelson", None, 7):
        assert unknown not in qe.rule_sets
        assert qe.rule_sets.get(unknown) is None
        assert qe.rule_sets.get(unknown, ours) is ours


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(qe.OptionError, match=r"rules='anhoi' is not allowed; .* Did you mean 'anhoej'"):
        qe.rule_sets["anhoi"]
    with pytest.raises(
        qe.OptionError, match=r"rules='deming' is not allowed; use one of 'anhoej', 'anhoej_best_box'"
    ):
        resolve_rules("anhoej+deming")


def test_run_lengths_are_parameters() -> None:
    assert parameters(Shift(8, ties="skip")) == {"length": 8, "ties": "skip", "missing": "break"}
    with pytest.raises(qe.OptionError, match=r"length=1 is too small; give 2 or more"):
        Shift(1)
    with pytest.raises(qe.OptionError, match=r"length=2 is too small; give 3 or more"):
        Trend(2)
    with pytest.raises(qe.InputTypeError, match=r"length=6.5 is not a whole number"):
        Trend(6.5)
    for make in (lambda: Shift(ties="keep"), lambda: Trend(ties="keep")):
        with pytest.raises(qe.OptionError, match=r"ties='keep' is not allowed; use one of 'break', 'skip'"):
            make()
    with pytest.raises(qe.OptionError, match=r"missing='keep' is not allowed"):
        Shift(missing="keep")
    with pytest.raises(qe.OptionError, match=r"length=3 is too small; give 4 or more"):
        Alternating(3)
    for make in (lambda: Within(1), lambda: Outside(1)):
        with pytest.raises(qe.OptionError, match=r"length=1 is too small; give 2 or more"):
            make()
    for make in (lambda: TwoInThree(same_side="one"), lambda: FourInFive(same_side="one")):
        with pytest.raises(qe.OptionError, match=r"same_side='one' is not allowed; use one of 'all'"):
            make()
    with pytest.raises(qe.OptionError, match=r"window=6 is not allowed; use one of 5, 4"):
        FourInFive(6)
    for make in (lambda: LongestRun("box"), lambda: Crossings("box")):
        with pytest.raises(qe.OptionError, match=r"method='box' is not allowed; use one of 'anhoej'"):
            make()
    with pytest.raises(qe.OptionError, match=r"table='nist' is not allowed; use one of 'exact', 'perla'"):
        RunsCount("nist")
    with pytest.raises(qe.InputTypeError, match=r"beyond_three_counts=1 is not True or False"):
        TwoInThree(1)


def test_a_rule_set_checks_what_it_is_made_of() -> None:
    with pytest.raises(qe.InputTypeError, match=r"version=2 is not text"):
        qe.RuleSet("a", 2, "c", (Shift(),))
    with pytest.raises(
        qe.InputTypeError, match=r"tests=\['shift'\] is not a tuple of tests; .*Shift, Trend, .*RunsCount"
    ):
        qe.RuleSet("a", "1", "c", ["shift"])
    assert qe.RuleSet("looked at only", "1", "c", ()).names == ()


def test_a_run_chart_allows_only_tests_without_limits() -> None:
    ours = qe.RuleSet("ours", "1", "here", (LongestRun(), Crossings(), Shift(6, ties="skip"), Trend(5)))
    assert resolve_rules(ours, run_chart=True) is ours
    for name in ("anhoej", "anhoej_best_box", "anhoej_cut_box", "ihi", "anhoej+ihi"):
        assert resolve_rules(name, run_chart=True) == qe.rule_sets[name]
    for name in ("shewhart", "anhoej+shewhart", "making_data_count", "nelson", "westgard"):
        with pytest.raises(
            qe.OptionError, match=r"needs limits \(beyond_limits.* run chart has none; use 'anhoej', 'ihi'"
        ):
            resolve_rules(name, run_chart=True)


def test_rules_of_another_type_are_refused() -> None:
    with pytest.raises(
        qe.InputTypeError, match=r"rules=7 is of type int; give one of 'anhoej', 'anhoej_best_box'"
    ):
        resolve_rules(7)


@pytest.mark.parametrize(
    "rules",
    [
        *qe.rule_sets.values(),
        qe.RuleSet("x", "1", "c", (Shift(6, "skip", "skip"), RunsCount("perla"), TwoInThree(False, "any"))),
    ],
    ids=lambda rules: rules.name,
)
def test_a_set_survives_json(rules: qe.RuleSet) -> None:
    assert qe.RuleSet.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


@pytest.mark.parametrize(
    ("test", "option"),
    [
        (Shift, {"length": np.int64(7)}),
        (Shift, {"length": 7.0}),
        (Trend, {"length": np.float32(7)}),
        (Alternating, {"length": np.int32(14)}),
        (Within, {"length": np.uint8(15)}),
        (Outside, {"length": np.int16(8)}),
        (FourInFive, {"window": np.int64(4)}),
        (FourInFive, {"window": 4.0}),
    ],
)
def test_numbers_of_other_types_are_kept_as_int(test: type[Test], option: dict[str, float]) -> None:
    given = test(**option)
    rules = qe.RuleSet("o", "1", "", (given,))
    assert {name: (int(v), int) for name, v in option.items()}.items() <= {
        name: (v, type(v)) for name, v in parameters(given).items()
    }.items()
    assert qe.RuleSet.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


def test_an_unknown_test_is_not_read() -> None:
    saved = {"name": "a", "version": "1", "citation": "c", "tests": [{"test": "zone_a"}]}
    with pytest.raises(qe.OptionError, match=r"test='zone_a' is not allowed; use one of 'beyond_limits'"):
        qe.RuleSet.from_dict(saved)


def test_every_test_has_a_name_of_its_own() -> None:
    assert len(TESTS) == 11
    assert all(TESTS[name].name == name for name in TESTS)


@pytest.mark.parametrize(
    "change",
    [
        {"tests": 5},
        {"tests": [5]},
        {"tests": [{}]},
        {"tests": [{"test": "shift", "len": 3}]},
        {"tests": [{"test": "shift", "length": "a"}]},
        {"tests": [{"test": "four_in_five", "points": 5}]},
        {"version": 3},
    ],
)
def test_corrupted_data_are_not_read(change: dict[str, object]) -> None:
    with pytest.raises(qe.OptionError, match="These are not the data of a set of rules"):
        qe.RuleSet.from_dict({**qe.rule_sets["anhoej"].to_dict(), **change})
