"""Limits compare by their numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from qi_equity.formulas.limits import Limits


def limits(**changed: float) -> Limits:
    parts = {"centre_line": 1.0, "sigma": np.nan, "lower": 0.0, "upper": 2.0} | changed
    return Limits(**{name: np.array([value]) for name, value in parts.items()})


def test_equal_where_all_four_arrays_are_equal() -> None:
    assert limits().equals(limits())


@pytest.mark.parametrize("part", ["centre_line", "sigma", "lower", "upper"])
def test_not_equal_where_one_differs(part: str) -> None:
    assert not limits().equals(limits(**{part: 9.0}))


def test_not_equal_to_anything_else() -> None:
    assert not limits().equals("limits")


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="lower"):
        limits().lower = np.array([1.0])
