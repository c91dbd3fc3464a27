"""Measures: what is refused, what is filled in, and that saving loses nothing."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import pytest

from qi_equity.data.measure import Measure
from qi_equity.errors import DataError, InputTypeError, OptionError


def make(**changes: object) -> Measure:
    return Measure(**({"name": "Something", "kind": "proportion", "better": "lower"} | changes))


@pytest.mark.parametrize(
    ("kind", "unit", "multiplier"),
    [
        ("proportion", "%", 100),
        ("rate", "per 1000", 1000),
        ("count", "", 1),
        ("mean", "", 1),
        ("between", "", 1),
    ],
)
def test_usual_unit_of_each_kind(kind: str, unit: str, multiplier: float) -> None:
    measure = make(kind=kind)
    assert (measure.unit, measure.multiplier) == (unit, multiplier)


@pytest.mark.parametrize(
    ("unit", "multiplier"),
    [
        ("per 1000", 1000),
        ("per 10,000 births", 10_000),
        ("per 100 000", 100_000),
        ("%", 100),
        ("ml", 1),
        ("points per day", 1),
    ],
)
def test_multiplier_is_read_from_the_unit(unit: str, multiplier: float) -> None:
    assert make(unit=unit).multiplier == multiplier


def test_multiplier_that_the_unit_leaves_open_is_kept() -> None:
    assert make(kind="mean", unit="ml", multiplier=1000).multiplier == 1000


@pytest.mark.parametrize(("unit", "multiplier", "needed"), [("%", 1000, "100"), ("per 1000", 100, "1000")])
def test_unit_and_multiplier_that_contradict_each_other(unit: str, multiplier: float, needed: str) -> None:
    with pytest.raises(
        OptionError, match=f"unit='{unit}' and multiplier={multiplier} contradict.*needs {needed}:?"
    ):
        make(unit=unit, multiplier=multiplier)


def test_unit_per_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match=r"multiplier=0.0 is not allowed.*> 0"):
        make(unit="per 0")


@pytest.mark.parametrize("multiplier", [0, -1, float("inf"), float("nan")])
def test_multiplier_must_be_positive(multiplier: float) -> None:
    with pytest.raises(OptionError, match=r"multiplier=.* is not allowed; give a finite number > 0"):
        make(unit="ml", multiplier=multiplier)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("kind", "proportions", r"kind='proportions' .*'proportion', 'rate', .*Did you mean 'proportion'"),
        ("better", "low", r"better='low' .*'lower', 'higher', None"),
        ("better", "", r"better='' .*'lower', 'higher', None"),
        ("counts", "mother", r"counts='mother' .*'woman', 'baby'"),
        ("ethnicity_of", "woman", r"ethnicity_of='woman' .*'mother', 'baby'"),
        ("name", "  ", r"name='  ' is empty"),
    ],
)
def test_values_that_are_not_allowed(argument: str, value: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make(**{argument: value})


@pytest.mark.parametrize(
    "argument", ["name", "unit", "definition", "numerator", "denominator", "source", "unconfirmed"]
)
def test_texts_must_be_text(argument: str) -> None:
    with pytest.raises(InputTypeError, match=f"{argument}=7 is of type int; give text"):
        make(**{argument: 7})


def test_numbers_must_be_numbers() -> None:
    with pytest.raises(InputTypeError, match="multiplier='100' is of type str; give a number"):
        make(unit="ml", multiplier="100")
    with pytest.raises(InputTypeError, match="target=True is of type bool; give a number"):
        make(target=True)


@pytest.mark.parametrize("target", [3, -0.01, 1.5])
def test_target_of_a_proportion_is_unscaled(target: float) -> None:
    with pytest.raises(OptionError, match=rf"target={target} .*>= 0 and <= 1, unscaled \(0.03 for 3 %\)"):
        make(target=target)


def test_targets_that_are_allowed() -> None:
    assert make(target=None).target is None
    assert make(target=1).target == 1.0
    assert make(kind="count", target=3).target == 3.0
    assert make(kind="mean", target=-3).target == -3.0
    with pytest.raises(OptionError, match=r"target=-1 .*>= 0"):
        make(kind="between", target=-1)


def test_saved_and_read_back_through_json() -> None:
    measure = make(
        target=0.05, unconfirmed="the threshold", ethnicity_of="baby", counts="baby", unit="per 1000"
    )
    again = Measure.from_dict(json.loads(json.dumps(measure.to_dict())))
    assert again.equals(measure)
    assert again.multiplier == 1000
    assert again.target == 0.05


def test_reading_what_is_not_a_measure() -> None:
    with pytest.raises(DataError, match="wanted is 'Measure' in format 1"):
        Measure.from_dict({"type": "Scheme", "format": 1})
    saved = make().to_dict()
    del saved["better"]
    with pytest.raises(DataError, match=r"absent are \['better'\], unknown are \['colour'\]"):
        Measure.from_dict(saved | {"colour": "blue"})
    with pytest.raises(OptionError, match="kind='x' is not allowed"):
        Measure.from_dict(make().to_dict() | {"kind": "x"})


def test_equality_looks_at_every_part() -> None:
    assert make().equals(make())
    for field in ("definition", "source", "unconfirmed", "numerator"):
        assert not make().equals(make(**{field: "other"}))
    assert not make().equals(make(better=None))
    assert not make().equals("Something")


def test_frozen_and_changed_by_replacing() -> None:
    measure = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        measure.name = "Other"
    assert dataclasses.replace(measure, ethnicity_of="baby").ethnicity_of == "baby"
    assert pickle.loads(pickle.dumps(measure)).equals(measure)
    assert copy.deepcopy(measure).equals(measure)
