"""Rules of suppression: what they say, what they refuse, and that the presets are those of their sources."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas.suppression import rounded


def nhs_sql(x: int) -> float:
    """Code of the Maternity Services Data Set: between 1 and 7 then 5, above 7 round(x/5, 0) * 5, else 0."""
    if 1 <= x <= 7:
        return 5
    return int(x / 5 + 0.5) * 5 if x > 7 else 0


def test_the_nhs_rule_shows_what_the_published_sql_shows() -> None:
    rule = SuppressionRule.load("nhs-england")
    counts = np.arange(2000.0)
    shown = rounded(counts, rule.rounding or 1)[0]
    shown = np.where((counts >= 1) & (counts <= rule.largest), float(rule.mark), shown)
    assert shown.tolist() == [nhs_sql(int(x)) for x in counts]


@pytest.mark.parametrize("base", [1, 2, 3, 5, 10])
def test_rounding_says_just_what_is_rounded_to_the_same(base: int) -> None:
    counts = np.arange(60.0)
    shown, lower, upper = rounded(counts, base)
    for x, s, a, b in zip(counts, shown, lower, upper, strict=True):
        assert s % base == 0
        assert abs(s - x) <= base / 2
        assert s >= x or s - x != -base / 2
        same = [c for c in range(100) if rounded(np.array([float(c)]), base)[0][0] == s]
        assert [a, b] == [same[0], same[-1]]
    assert np.isnan(rounded(np.array([np.nan]), base)[0]).all()


@pytest.mark.parametrize(
    ("name", "largest", "mark", "rounding", "least", "text"),
    [
        ("nhs-england", 7, 5, 5, 0, "counts of 1 to 7 are shown as 5, others to the nearest 5."),
        ("dqmi", 7, "*", 5, 25, "counts of 1 to 7 are withheld, others to the nearest 5; nothing is shown of "
         "fewer than 25 births."),
        ("strict-10", 9, "*", None, 0, "counts of 1 to 9 are withheld, others as they are."),
        ("none", 0, "*", None, 0, "all counts are shown as they are."),
    ],
)  # fmt: skip
def test_presets(name: str, largest: int, mark: Any, rounding: Any, least: int, text: str) -> None:
    rule = SuppressionRule.load(name)
    assert (rule.largest, rule.mark, rule.rounding, rule.minimum_denominator) == (
        largest,
        mark,
        rounding,
        least,
    )
    assert rule.source
    assert rule.text() == f"Rule {name}: {text}"
    assert rule.protects == (largest > 0)
    back = SuppressionRule.from_dict(json.loads(json.dumps(rule.to_dict())))
    assert back.equals(rule)
    assert not rule.equals(SuppressionRule("other", 3))


def test_texts_of_further_rules() -> None:
    assert SuppressionRule("r", 0, rounding=5).text() == "Rule r: all counts are shown to the nearest 5."
    few = SuppressionRule("r", 0, minimum_denominator=10)
    assert few.text() == "Rule r: counts are shown as they are; nothing is shown of fewer than 10 births."
    assert SuppressionRule("r", 4, zeros=False).text() == (
        "Rule r: counts of 0 to 4 are withheld, others as they are."
    )


def test_usual_protection_is_what_the_rule_can_leave() -> None:
    assert SuppressionRule("r", 9).protect == 3
    assert SuppressionRule("r", 2).protect == 2
    assert SuppressionRule("r", 1, zeros=False).protect == 2
    assert SuppressionRule("r", 0).protect == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": 3}, InputTypeError, "name=3 is of type int; give text"),
        ({"name": " "}, OptionError, "name=' ' is empty"),
        ({"largest": -1}, OptionError, "largest=-1 is too small"),
        ({"largest": 2.5}, InputTypeError, "largest=2.5 is not a whole number"),
        ({"zeros": 1}, OptionError, "zeros=1 is not allowed"),
        ({"secondary": None}, OptionError, "secondary=None is not allowed"),
        ({"protect": 8}, OptionError, "protect=8 cannot be kept by rule 'r'.*is 1 to 7; give at most 7"),
        ({"protect": 0}, OptionError, "protect=0 is too small"),
        ({"mark": ""}, OptionError, "mark='' is empty"),
        ({"mark": 8}, OptionError, "mark=8 is none of the counts it stands for; give one of 1 to 7"),
        ({"mark": 0}, OptionError, "mark=0 is none of the counts"),
        ({"rounding": 0}, OptionError, "rounding=0 is too small"),
        ({"rounding": 20}, OptionError, "rounding=20 shows 8 as 0, less than what stands for smaller counts"),
        ({"largest": 7, "mark": 7, "rounding": 4}, None, ""),
        ({"largest": 0, "zeros": False}, OptionError, "zeros=False needs protected counts"),
        ({"minimum_denominator": -5}, OptionError, "minimum_denominator=-5 is too small"),
    ],
)
def test_rules_are_checked(arguments: dict[str, Any], error: Any, message: str) -> None:
    given = {"name": "r", "largest": 7} | arguments
    if error is None:
        assert SuppressionRule(**given).mark == 7
        return
    with pytest.raises(error, match=message):
        SuppressionRule(**given)


def test_unknown_names_and_other_data_are_refused() -> None:
    with pytest.raises(OptionError, match=r"rule='strict10' is not allowed.*Did you mean 'strict-10'"):
        SuppressionRule.load("strict10")
    with pytest.raises(DataError, match="wanted is 'SuppressionRule'"):
        SuppressionRule.from_dict({"type": "Measure", "format": 1})
    data = SuppressionRule.load("none").to_dict()
    data["extra"] = data.pop("mark")
    with pytest.raises(DataError, match=r"absent are \['mark'\], unknown are \['extra'\]"):
        SuppressionRule.from_dict(data)
