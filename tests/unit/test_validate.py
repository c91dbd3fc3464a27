"""Checks of arguments: what is accepted comes back, what is not is named with what is allowed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qi_equity import _validate
from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError, QiEquityError


def test_one_of_gives_back_the_option() -> None:
    assert _validate.one_of("every", "month", ("day", "month")) == "month"


def test_one_of_names_argument_value_allowed_and_nearest() -> None:
    with pytest.raises(OptionError, match=r"every='mnth' .* one of 'day', 'month'\. Did you mean 'month'\?"):
        _validate.one_of("every", "mnth", ("day", "month"))


def test_one_of_does_not_take_true_for_one() -> None:
    with pytest.raises(OptionError, match=r"k=True is not allowed; use one of 1, 2\.$"):
        _validate.one_of("k", True, (1, 2))


@pytest.mark.parametrize("value", [np.int64(4), np.float32(4), 4.0])
def test_one_of_takes_numbers_of_any_type_and_gives_back_the_option(value: object) -> None:
    found = _validate.one_of("window", value, (5, 4))
    assert (found, type(found)) == (4, int)
    with pytest.raises(OptionError, match=r"window=.* is not allowed; use one of 5, 6"):
        _validate.one_of("window", value, (5, 6))


def test_one_of_takes_numpy_text_and_gives_back_the_option() -> None:
    found = _validate.one_of("every", np.array(["month"])[0], ("day", "month"))
    assert (found, type(found)) == ("month", str)


@pytest.mark.parametrize("value", [np.True_, "1", None, 1 + 0j])
def test_one_of_takes_nothing_else_for_one(value: object) -> None:
    with pytest.raises(OptionError, match=r"k=.* is not allowed; use one of 1, 2\."):
        _validate.one_of("k", value, (1, 2))


def test_number_accepts_numpy_numbers_and_bounds() -> None:
    assert _validate.number("target", np.float64(0.5), at_least=0, at_most=1) == 0.5
    assert _validate.number("target", np.int64(1), above=0) == 1.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_number_out_of_bounds_says_the_bounds(value: float) -> None:
    with pytest.raises(OptionError, match=r"target=.* give a finite number >= 0 and <= 1\."):
        _validate.number("target", value, at_least=0, at_most=1)


def test_number_exclusive_bounds() -> None:
    with pytest.raises(OptionError, match=r"x=0 .* > 0 and < 1\."):
        _validate.number("x", 0, above=0, below=1)


def test_number_without_bounds_says_finite() -> None:
    with pytest.raises(OptionError, match=r"x=inf is not allowed; give a finite number\."):
        _validate.number("x", float("inf"))


@pytest.mark.parametrize("value", ["3", None, True])
def test_number_refuses_what_is_not_a_number(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"nsigma=.* is of type (str|NoneType|bool); give a number\."):
        _validate.number("nsigma", value)


def test_whole_number() -> None:
    assert _validate.whole_number("window", 12.0, at_least=1) == 12
    with pytest.raises(OptionError, match=r"window=0 is too small; give 1 or more\."):
        _validate.whole_number("window", 0, at_least=1)
    for wrong in (2.5, "3", True, float("inf"), float("nan")):
        with pytest.raises(
            InputTypeError, match=r"window=.* is not a whole number; give an int of 1 or more"
        ):
            _validate.whole_number("window", wrong, at_least=1)


def test_names_from_text_and_sequences() -> None:
    assert _validate.names("by", "imd") == ("imd",)
    assert _validate.names("by", ["imd", "unit"]) == ("imd", "unit")
    assert _validate.names("by", ()) == ()


def test_names_refuses_repeats_and_other_types() -> None:
    with pytest.raises(OptionError, match=r"by=\['a', 'a'\] names 'a' twice; give each once"):
        _validate.names("by", ["a", "a"])
    with pytest.raises(InputTypeError, match="by holds 3; give names as text"):
        _validate.names("by", ["a", 3])
    with pytest.raises(InputTypeError, match="by holds 3; give names as text"):
        _validate.names("by", 3)


def test_columns_names_all_absent_at_once_with_the_nearest() -> None:
    _validate.columns(["month", "births"], {"period": "month"})
    with pytest.raises(ColumnError) as caught:
        _validate.columns(["month", "births"], {"period": "Month", "denominator": "birth", "group": "zzz"})
    message = str(caught.value)
    assert "period='Month' is not a column. Did you mean 'month'?" in message
    assert "denominator='birth' is not a column. Did you mean 'births'?" in message
    assert "group='zzz' is not a column. The frame has: 'month', 'births'." in message


def test_rows_carries_all_bad_rows_and_shows_the_first() -> None:
    _validate.rows(pd.DataFrame({"problem": []}), "counts", "Mend them.")
    bad = pd.DataFrame({"x": range(7), "problem": ["negative"] * 6 + ["missing"]})
    with pytest.raises(
        DataError, match=r"7 bad row\(s\) in counts: negative \(6\); missing \(1\)\. Mend"
    ) as caught:
        _validate.rows(bad, "counts", "Mend them.")
    assert "... and 2 more" in str(caught.value)
    pd.testing.assert_frame_equal(caught.value.bad_rows, bad)


def test_all_errors_share_one_base() -> None:
    for kind in (OptionError, InputTypeError, ColumnError, DataError):
        assert issubclass(kind, QiEquityError)
        assert issubclass(kind, ValueError | TypeError)


@pytest.mark.parametrize("value", [np.array(5), np.array("Black")])
def test_names_refuses_an_array_without_dimensions(value: np.ndarray) -> None:
    with pytest.raises(InputTypeError, match=r"order=array\(.*cannot be gone through"):
        _validate.names("order", value)
