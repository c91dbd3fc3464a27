"""The models of a change by name and by their terms."""

from __future__ import annotations

import dataclasses

import pytest

from qi_equity.change.model import ChangeModel, read_model
from qi_equity.errors import InputTypeError, OptionError

NAMES = {
    "level": ChangeModel(),
    "level+trend": ChangeModel(trend="own"),
    "level+shared trend": ChangeModel(trend="shared"),
    "level+trend+slope": ChangeModel(trend="own", slope=True),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_read_by_its_name(name):
    assert read_model(name) == NAMES[name]
    assert NAMES[name].name == name


def test_a_model_is_read_as_it_is_and_comes_back_from_its_dictionary():
    model = ChangeModel(trend="own", slope=True, phase_in="ramp")
    assert read_model(model) is model
    assert ChangeModel(**model.to_dict()) == model
    assert list(model.to_dict()) == [f.name for f in dataclasses.fields(ChangeModel)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.slope = False


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"trend": "linear"}, OptionError, "trend='linear'"),
        ({"phase_in": "skip"}, OptionError, "phase_in='skip'"),
        ({"trend": "own", "slope": 1}, InputTypeError, "slope=1 is not allowed; give True or False"),
        ({"slope": True}, OptionError, "use trend='own'"),
        ({"trend": "shared", "slope": True}, OptionError, "trend='shared' is not allowed"),
    ],
)
def test_terms_that_do_not_go_together(arguments, error, told):
    with pytest.raises(error, match=told):
        ChangeModel(**arguments)


def test_models_that_there_are_not():
    with pytest.raises(OptionError, match="model='trend'"):
        read_model("trend")
    with pytest.raises(InputTypeError, match="model=3 is of type int"):
        read_model(3)
