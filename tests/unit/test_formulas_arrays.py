"""The checks every formula makes: numbers, one shape, booleans for masks."""

from __future__ import annotations

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._arrays import counts, floats, mask


def test_floats_broadcasts_to_one_shape_and_reads_none_as_missing() -> None:
    a, b = floats({"a": [1, None, 3], "b": [[1], [2]]})
    assert a.shape == b.shape == (2, 3)
    assert a.dtype == b.dtype == np.float64
    assert np.isnan(a[:, 1]).all()


def test_a_single_number_is_one_period() -> None:
    assert floats({"a": 3})[0].shape == (1,)


def test_floats_keeps_every_real_dtype() -> None:
    for dtype in (np.int8, np.uint16, np.float32, np.bool_):
        assert floats({"a": np.ones(3, dtype=dtype)})[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("value", [["a", "b"], [{}], [1, [2, 3]]])
def test_what_is_not_numbers_is_refused_by_name(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"births of type list cannot be read as numbers; give an array"):
        floats({"births": value})


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(OptionError, match=r"events \(3,\), births \(4,\); give arrays of one shape"):
        floats({"events": [1, 2, 3], "births": [1, 2, 3, 4]})


def test_no_period_is_refused() -> None:
    with pytest.raises(OptionError, match=r"events: shape \(2, 0\) holds no period; give at least one"):
        floats({"events": np.empty((2, 0))})


def test_no_stratum_is_allowed() -> None:
    assert floats({"events": np.empty((0, 5))})[0].shape == (0, 5)


def test_mask_is_all_true_by_default_and_broadcasts() -> None:
    assert mask("baseline", None, (2, 3)).tolist() == [[True] * 3] * 2
    assert mask("baseline", [True, False, True], (2, 3)).tolist() == [[True, False, True]] * 2


def test_positions_are_not_a_mask() -> None:
    with pytest.raises(InputTypeError, match=r"baseline holds int64; give booleans"):
        mask("baseline", np.array([0, 1, 2]), (3,))


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(
        OptionError, match=r"baseline has shape \(2,\), which does not fit data of shape \(3,\)"
    ):
        mask("baseline", [True, False], (3,))


@pytest.mark.parametrize("value", [[-1, 2], [1.5], ["a"], [True]])
def test_counts_are_whole_and_not_negative(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"n_useful=.* does not hold whole numbers of 0 or more"):
        counts("n_useful", value)


def test_counts_keeps_the_shape() -> None:
    assert counts("n", np.array(3, dtype=np.uint8)).shape == ()
    assert counts("n", np.empty((0,), dtype=np.int64)).shape == (0,)
