"""The edge to the caller's frame."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from qi_equity.data import frames
from qi_equity.errors import ColumnError, DataError, InputTypeError

CONTENT = {
    "text": ["a", None, "b"],
    "whole": [1, 2, 3],
    "gaps": [1, None, 3],
    "number": [1.5, None, 2.0],
    "flag": [True, False, True],
    "unsure": [True, None, False],
    "moment": [dt.datetime(2024, 7, 1, 10), dt.datetime(2024, 7, 1, 11), None],
}


def of_each_library():
    plain = pl.DataFrame(CONTENT)
    return {
        "pandas": pd.DataFrame(CONTENT),
        "pandas nullable": pd.DataFrame(CONTENT).convert_dtypes(),
        "pandas pyarrow": pd.DataFrame(CONTENT).convert_dtypes(dtype_backend="pyarrow"),
        "polars": plain,
        "polars lazy": plain.lazy(),
        "pyarrow": plain.to_arrow(),
        "duckdb": duckdb.from_arrow(plain.to_arrow()),
    }


@pytest.mark.parametrize("library", list(of_each_library()))
def test_collect_gives_the_same_arrays_from_every_library(library):
    found = frames.collect(of_each_library()[library], list(CONTENT))
    assert {n: str(a.dtype) for n, a in found.items()} == {
        "text": "object",
        "whole": "int64",
        "gaps": "float64",
        "number": "float64",
        "flag": "bool",
        "unsure": "object",
        "moment": "datetime64[us]",
    }
    assert found["text"].tolist() == CONTENT["text"]
    assert found["unsure"].tolist() == CONTENT["unsure"]
    np.testing.assert_array_equal(found["gaps"], [1, np.nan, 3])
    assert found["moment"].tolist() == CONTENT["moment"]


def test_collect_drops_the_zone_and_keeps_the_wall_clock():
    naive = pl.DataFrame({"t": [dt.datetime(2024, 7, 1, 23, 30)]})
    aware = naive.with_columns(pl.col("t").dt.replace_time_zone("America/New_York"))
    relation = duckdb.sql("select timestamptz '2024-07-01 23:30:00+00' as t")
    zone = duckdb.sql("select current_setting('TimeZone')").fetchall()[0][0]
    wall_clock = pd.Timestamp("2024-07-01 23:30", tz="UTC").tz_convert(zone).tz_localize(None)
    assert frames.collect(relation, ["t"])["t"].tolist() == [wall_clock]
    pandas = pd.DataFrame({"t": pd.to_datetime(["2024-07-01 23:30"]).tz_localize("America/New_York")})
    for frame in (aware, aware.lazy(), aware.to_arrow(), pandas):
        assert frames.collect(frame, ["t"])["t"].tolist() == [dt.datetime(2024, 7, 1, 23, 30)]


def test_categories_decimals_and_dates_become_plain():
    frame = pl.DataFrame(
        {"c": ["u", None], "d": ["1.50", "2.25"], "e": [dt.date(2024, 1, 1), None]},
    ).with_columns(pl.col("c").cast(pl.Categorical), pl.col("d").cast(pl.Decimal(6, 2)))
    found = frames.collect(frame, ["c", "d", "e"])
    assert found["c"].tolist() == ["u", None]
    assert found["d"].tolist() == [1.5, 2.25]
    assert found["e"].dtype == np.dtype("datetime64[us]")


@pytest.mark.parametrize("name", ["\ufeffData As Of", '\ufeff"Data As Of"', "ï»¿Data As Of"])
def test_a_byte_order_mark_is_no_part_of_a_name(name):
    assert frames.collect(pd.DataFrame({name: [1]}), ["Data As Of"])["Data As Of"].tolist() == [1]


def test_a_column_that_carries_the_exact_name_wins_over_one_with_a_mark():
    frame = pd.DataFrame({"\ufeffn": [1], "n": [2]})
    assert frames.collect(frame, ["n"])["n"].tolist() == [2]


def test_absent_columns_are_named_all_at_once_with_the_nearest():
    with pytest.raises(
        ColumnError, match=r"date='borne' is not a column. Did you mean 'born'\? event='x' is not"
    ):
        frames.open_frame(pd.DataFrame({"born": [1], 7: [2]}), "records", {"date": "borne", "event": "x"})


@pytest.mark.parametrize(
    "frame", [pd.DataFrame([[1, 2]], columns=["a", "a"]), pa.table([[1], [2]], names=["a", "a"])]
)
def test_columns_of_one_name_are_refused(frame):
    with pytest.raises(ColumnError, match=r"(?s)counts has columns of one name; rename them.*'a' 2 times"):
        frames.open_frame(frame, "counts", {"period": "a"})


@pytest.mark.parametrize("thing", [None, 3, {"a": [1]}, [1], pd.Series([1]), "frame.csv"])
def test_what_is_no_frame_is_refused(thing):
    with pytest.raises(InputTypeError, match=rf"records of type {type(thing).__name__} is not a frame"):
        frames.open_frame(thing, "records", {"date": "a"})


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [[1], [2]]}),
        pd.DataFrame({"a": [{}, {}]}),
        pd.DataFrame({"a": [b"x", b"y"]}),
        pd.DataFrame({"a": pd.to_timedelta([1, 2])}),
        pd.DataFrame({"a": [1j, 2j]}),
        pd.DataFrame({"a": pd.interval_range(0, 2)}),
        pl.DataFrame({"a": [[1], [2]]}),
        pl.DataFrame({"a": [object(), object()]}),
        pl.DataFrame({"a": [{"b": 1}, {"b": 2}]}).lazy(),
        pa.table({"a": [[1], [2]]}),
    ],
    ids=lambda f: type(f).__name__,
)
def test_columns_that_hold_neither_text_numbers_nor_dates_are_refused(frame):
    with pytest.raises(
        DataError, match=r"date='a' holds .*, which cannot be read; give text, numbers or dates"
    ):
        frames.open_frame(frame, "records", {"date": "a"})


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"a": [None, None]}), pl.DataFrame({"a": [None, None]}), pa.table({"a": [None, None]})],
)
def test_a_column_with_nothing_in_it_is_empty_text(frame):
    assert frames.collect(frame, ["a"])["a"].tolist() == [None, None]


def test_objects_of_several_plain_types_and_periods_are_taken():
    mixed = ["x", 1, dt.date(2024, 1, 1), None]
    assert frames.collect(pd.DataFrame({"a": mixed}), ["a"])["a"].tolist() == mixed
    months = pd.period_range("2024-01", periods=2, freq="M")
    assert frames.collect(pd.DataFrame({"a": months}), ["a"])["a"].tolist() == list(months)


def test_the_callers_frame_is_not_changed_nor_shared():
    frame = pd.DataFrame({"a": ["x", None]}, index=[5, 9])
    before = frame.copy()
    frames.collect(frame, ["a"])["a"][0] = "changed"
    pd.testing.assert_frame_equal(frame, before)


def test_columns_of_one_name_matter_only_where_they_are_wanted():
    frame = duckdb.sql("select 1 as a, 2 as a, 3 as b")
    with pytest.raises(
        ColumnError, match=r"records has columns of one name; rename them. It has 'a' 2 times"
    ):
        frames.open_frame(frame, "records", {"date": "a"})
    assert frames.collect(frame, ["b"])["b"].tolist() == [3]


def closed_relation():
    connection = duckdb.connect()
    relation = connection.sql("select 1 as a")
    connection.close()
    return relation


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (closed_relation, "ConnectionException"),
        (lambda: pl.scan_csv("/nonexistent.csv"), "FileNotFoundError"),
    ],
)
def test_a_frame_that_its_engine_cannot_read_is_refused(make, reason):
    with pytest.raises(DataError, match=rf"records cannot be read \({reason}: .*\); give a frame whose file"):
        frames.open_frame(make(), "records", {"date": "a"})


def test_values_that_the_engine_stumbles_over_later_are_refused():
    frame = pl.LazyFrame({"a": ["x"]}).select(pl.col("a").cast(pl.Int64))
    with pytest.raises(DataError, match=r"(?s)the frame given cannot be read \(InvalidOperationError: .*'a'"):
        frames.collect(frame, ["a"])


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame(index=[1, 2]), pl.DataFrame()])
def test_a_frame_without_columns_says_so(frame):
    with pytest.raises(ColumnError, match=r"records has no columns; give a frame with \{'date': 'born'\}"):
        frames.open_frame(frame, "records", {"date": "born"})
