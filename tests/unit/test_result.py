"""Notes, and the round trip of saved results through JSON."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from qi_equity import _result
from qi_equity.errors import DataError


def through_json(value: object) -> object:
    return _result.from_json(json.loads(json.dumps(_result.to_json(value), allow_nan=False)))


def test_note_for_the_whole_result_names_no_stratum() -> None:
    frame = _result.note("rounded_counts", "caution", "Counts look rounded.")
    assert frame.columns.tolist() == list(_result.NOTE_COLUMNS)
    assert frame.loc[0, "text"] == "Counts look rounded."
    assert frame[["site", "group"]].isna().all(axis=None)


def test_note_per_stratum_keeps_further_strata() -> None:
    strata = pd.DataFrame({"group": pd.Categorical(["Asian", "Black"]), "imd": [1, 5]})
    frame = _result.note("no_data", "info", ["a", "b"], strata)
    assert frame.columns.tolist() == ["code", "severity", "site", "group", "imd", "text"]
    assert frame["group"].tolist() == ["Asian", "Black"]
    assert frame["imd"].tolist() == ["1", "5"]
    assert frame["text"].tolist() == ["a", "b"]


def test_notes_put_parts_together_once() -> None:
    one = _result.note("a", "info", "x")
    assert len(_result.notes([one, one, _result.note("b", "warning", "y")])) == 2
    empty = _result.notes([])
    assert empty.columns.tolist() == list(_result.NOTE_COLUMNS)
    assert len(empty) == 0


def test_further_strata_have_their_column_even_when_no_note_speaks_of_them() -> None:
    want = ["code", "severity", "site", "group", "imd", "text"]
    strata = pd.DataFrame({"group": ["Asian"], "imd": [5]})
    for parts in ([], [_result.note("a", "info", "x")], [_result.note("a", "info", "x", strata)]):
        assert _result.notes(parts, ["group", "imd"]).columns.tolist() == want


def test_frames_come_back_as_they_were() -> None:
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan, np.inf],
            "text": ["x", None, "<b>"],
            "group": pd.Categorical(["Black", "Asian", None], ["Asian", "Black"], ordered=True),
            "period": pd.array(pd.to_datetime(["2024-01-01", None, "2024-02-01"])).astype("datetime64[us]"),
            "whole": [1, 2, 3],
            "flag": [True, False, True],
        }
    )
    pd.testing.assert_frame_equal(through_json(frame), frame)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, "text", 2.5, float("inf"), (1, ("a", None)), ["x", 1.5], {"a": (1, 2), 3: None}],
)
def test_plain_values_come_back(value: object) -> None:
    assert through_json(value) == value


def test_special_values_come_back() -> None:
    assert np.isnan(through_json(float("nan")))
    assert through_json(date(2024, 3, 1)) == pd.Timestamp("2024-03-01")
    assert through_json(np.float64(1.5)) == 1.5
    assert through_json(np.datetime64("2024-03-01")) == pd.Timestamp("2024-03-01")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array([1.0, np.nan, -np.inf]),
        np.array([[True, False]]),
        np.array(["2024-01-01", "NaT"], dtype="datetime64[us]"),
        np.zeros((0, 4), dtype=np.int8),
    ],
)
def test_arrays_come_back(array: np.ndarray) -> None:
    back = through_json(array)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_unknown_tag_is_refused() -> None:
    with pytest.raises(DataError, match=r"'\$python' is not a known tag"):
        _result.from_json({"$python": "os.system"})


def test_header_is_checked() -> None:
    head = _result.header("ControlChart", 1)
    _result.check_header(head, "ControlChart", 1)
    assert head["library"].startswith("qi_equity ")
    with pytest.raises(
        DataError, match="hold 'ControlChart' in format 1; wanted is 'StratifiedSeries' in format 1"
    ):
        _result.check_header(head, "StratifiedSeries", 1)
    with pytest.raises(DataError, match="hold 'list' in format None"):
        _result.check_header([], "ControlChart", 1)
