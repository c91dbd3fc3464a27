"""Rule sets as data: names, parameters, composition, saving."""

from __future__ import annotations

import json

import pytest

import qi_equity as qe
from qi_equity.spc.rules import (
    TESTS,
    BeyondLimits,
    Crossings,
    LongestRun,
    Shift,
    Trend,
    TwoInThree,
    parameters,
    resolve_rules,
)


def test_the_catalogue_has_named_versioned_cited_sets() -> None:
    assert list(qe.rule_sets) == ["anhoej", "shewhart", "making_data_count"]
    assert len(qe.rule_sets) == 3
    for name, rules in qe.rule_sets.items():
        assert (rules.name, bool(rules.version), bool(rules.citation)) == (name, True, True)


def test_making_data_count_is_the_wording_of_2023() -> None:
    rules = qe.rule_sets["making_data_count"]
    assert rules.version == "2023"
    assert rules.tests == (BeyondLimits(), Shift(7, "break", "break"), Trend(7, "break"), TwoInThree(True))


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
    with pytest.raises(qe.OptionError, match=r"tests=\('beyond_limits', 'shift'.*'shift'\).*each only once"):
        qe.rule_sets["making_data_count"] + eight


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(qe.OptionError, match=r"rules='anhoi' is not allowed; .* Did you mean 'anhoej'"):
        qe.rule_sets["anhoi"]
    with pytest.raises(
        qe.OptionError, match=r"rules='nelson' is not allowed; use one of 'anhoej', 'shewhart'"
    ):
        resolve_rules("anhoej+nelson")


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
    with pytest.raises(qe.InputTypeError, match=r"beyond_three_counts=1 is not True or False"):
        TwoInThree(1)


def test_a_rule_set_checks_what_it_is_made_of() -> None:
    with pytest.raises(qe.InputTypeError, match=r"version=2 is not text"):
        qe.RuleSet("a", 2, "c", (Shift(),))
    with pytest.raises(qe.InputTypeError, match=r"tests=\['shift'\] is not a tuple of tests; .*Shift, Trend"):
        qe.RuleSet("a", "1", "c", ["shift"])
    with pytest.raises(qe.OptionError, match=r"tests=\(\) is not allowed; give at least one test"):
        qe.RuleSet("a", "1", "c", ())


def test_a_run_chart_allows_only_tests_without_limits() -> None:
    ours = qe.RuleSet("ours", "1", "here", (LongestRun(), Crossings(), Shift(6, ties="skip"), Trend(5)))
    assert resolve_rules(ours, run_chart=True) is ours
    for name in ("shewhart", "anhoej+shewhart", "making_data_count"):
        with pytest.raises(
            qe.OptionError, match=r"needs limits \(beyond_limits.* run chart has none; use 'anhoej'"
        ):
            resolve_rules(name, run_chart=True)


def test_rules_of_another_type_are_refused() -> None:
    with pytest.raises(qe.InputTypeError, match=r"rules=7 is of type int; give one of 'anhoej', 'shewhart'"):
        resolve_rules(7)


@pytest.mark.parametrize(
    "rules", [*qe.rule_sets.values(), qe.RuleSet("x", "1", "c", (Shift(6, "skip", "skip"),))]
)
def test_a_set_survives_json(rules: qe.RuleSet) -> None:
    assert qe.RuleSet.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


def test_an_unknown_test_is_not_read() -> None:
    saved = {"name": "a", "version": "1", "citation": "c", "tests": [{"test": "zone_a"}]}
    with pytest.raises(qe.OptionError, match=r"test='zone_a' is not allowed; use one of 'beyond_limits'"):
        qe.RuleSet.from_dict(saved)


def test_every_test_has_a_name_of_its_own() -> None:
    assert len(TESTS) == 6
    assert all(TESTS[name].name == name for name in TESTS)


@pytest.mark.parametrize(
    "change",
    [
        {"tests": 5},
        {"tests": [5]},
        {"tests": [{}]},
        {"tests": [{"test": "shift", "len": 3}]},
        {"tests": [{"test": "shift", "length": "a"}]},
        {"version": 3},
    ],
)
def test_corrupted_data_are_not_read(change: dict[str, object]) -> None:
    with pytest.raises(qe.OptionError, match="These are not the data of a set of rules"):
        qe.RuleSet.from_dict({**qe.rule_sets["anhoej"].to_dict(), **change})
