"""One code a woman: the published rules on small examples, and every way in which rows can be bad."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from qi_equity.data.ethnicity import resolve_ethnicity
from qi_equity.data.scheme import Scheme
from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError

Row = tuple[object, str, object, str]


def frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["woman", "seen", "code", "from"])


def resolve(rows: list[Row] | Any, **options: Any) -> pd.DataFrame:
    records = frame(rows) if isinstance(rows, list) else rows
    return resolve_ethnicity(records, person="woman", date="seen", ethnicity="code", **options)


def answer(rows: list[Row], **options: Any) -> tuple[object, str, int, int]:
    """Resolve the records of one woman: code (None if null), how, distinct known codes, records."""
    table = resolve(rows, **options)
    assert len(table) == 1
    row = table.iloc[0]
    return (
        None if pd.isna(row["code"]) else row["code"],
        row["resolved_by"],
        row["n_distinct_codes"],
        row["n_records"],
    )


def records(*pairs: tuple[str, object], source: str = "x") -> list[Row]:
    return [("w", day, code, source) for day, code in pairs]


@pytest.mark.parametrize("method", ["recency", "mode"])
@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["A"], ("A", "only code", 1, 1)),
        (["A1", "a", "A "], ("A", "only code", 1, 3)),
        (["A", "Z", "99", None], ("A", "only code", 1, 4)),
        (["Z", "99", None], ("Z", "no known code", 0, 3)),
        (["99", "", None], ("99", "no known code", 0, 3)),
        (["Z", "Z"], ("Z", "no known code", 0, 2)),
        ([None, " ", "X"], (None, "no known code", 0, 3)),
    ],
)
def test_known_beats_not_stated_beats_not_known_beats_missing(
    method: str, codes: list[object], expected: tuple[object, str, int, int]
) -> None:
    days = ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    pairs = list(zip(days, codes, strict=False))
    assert answer(records(*pairs), method=method) == expected
    assert answer(records(*pairs)[::-1], method=method) == expected


def test_recency_takes_the_latest_day() -> None:
    rows = records(("2023-05-01", "L"), ("2024-02-10", "J"), ("2023-06-01", "L"), ("2024-05-01", "Z"))
    assert answer(rows) == ("J", "recency", 2, 4)


def test_recency_looks_at_days_not_at_times() -> None:
    rows = records(("2024-02-10 08:00", "J"), ("2024-02-10 17:30", "L"))
    assert answer(rows) == (None, "conflict", 2, 2)


def test_recency_with_agreement_on_the_latest_day() -> None:
    assert answer(records(("2024-02-10", "J"), ("2024-02-10", "j1"), ("2020-01-01", "L"))) == (
        "J",
        "recency",
        2,
        3,
    )


def test_conflict_on_the_latest_day_has_no_code_and_no_label() -> None:
    table = resolve(records(("2024-02-10", "J"), ("2024-02-10", "L")))
    assert table["code"].isna().all()
    assert table["label"].isna().all()
    assert table["resolved_by"].tolist() == ["conflict"]


def test_priority_of_sources_settles_the_latest_day_only() -> None:
    rows = [
        ("w", "2024-02-10", "J", "hospital"),
        ("w", "2024-02-10", "L", "booking"),
        ("w", "2024-02-10", "L", "booking"),
        ("w", "2020-01-01", "H", "booking"),
    ]
    both = {"source": "from", "priority": ["booking", "hospital"]}
    assert answer(rows, **both) == ("L", "priority", 3, 4)
    assert answer(rows, source="from", priority=["hospital", "booking"]) == ("J", "priority", 3, 4)
    assert answer([*rows, ("w", "2024-02-10", "K", "booking")], **both) == (None, "conflict", 4, 5)
    # A trusted source does not overrule a later day.
    assert answer([("w", "2024-02-11", "M", "hospital"), *rows], **both) == ("M", "recency", 4, 5)


def test_a_trusted_source_without_a_record_on_the_latest_day_has_no_say() -> None:
    rows = [
        ("w", "2024-02-10", "J", "hospital"),
        ("w", "2024-02-10", "L", "clinic"),
        ("w", "2020-01-01", "H", "booking"),
    ]
    found = answer(rows, source="from", priority=["booking", "hospital", "clinic"])
    assert found == ("J", "priority", 3, 3)


def test_unknown_from_the_trusted_source_does_not_settle_anything() -> None:
    rows = [("w", "2024-02-10", "J", "hospital"), ("w", "2024-02-10", "Z", "booking")]
    assert answer(rows, source="from", priority=["booking", "hospital"]) == ("J", "only code", 1, 2)


def test_mode_takes_the_most_frequent() -> None:
    rows = records(("2020-01-01", "L"), ("2020-01-01", "l2"), ("2024-02-10", "J"), ("2024-03-01", "Z"))
    assert answer(rows, method="mode") == ("L", "mode", 2, 4)
    assert answer([*rows, *records(("2024-04-01", "J"))], method="mode") == (None, "tie", 2, 5)


def test_one_row_a_person_in_order_whatever_the_order_of_records() -> None:
    rows: list[Row] = [
        ("b", "2024-01-01", "A", "x"),
        ("a", "2024-01-01", "B", "x"),
        ("b", "2024-03-01", "C", "x"),
    ]
    table = resolve(rows)
    assert table["person"].tolist() == ["a", "b"]
    assert table["code"].tolist() == ["B", "C"]
    assert table["label"].tolist() == ["White - Irish", "White - Any other White background"]
    pd.testing.assert_frame_equal(table, resolve(rows[::-1]))
    assert resolve([(10, *rows[0][1:]), (9, *rows[1][1:])])["person"].tolist() == [9, 10]


def test_columns_and_dtypes_do_not_depend_on_what_is_found() -> None:
    some = resolve(records(("2024-01-01", "A")))
    none = resolve(records(("2024-01-01", None)), method="mode")
    assert some.columns.tolist() == [
        "person",
        "code",
        "label",
        "resolved_by",
        "n_distinct_codes",
        "n_records",
    ]
    assert some.dtypes.tolist() == none.dtypes.tolist()
    assert some["n_records"].dtype == np.int64


def test_codes_can_be_read_again_by_the_scheme() -> None:
    scheme = Scheme.load("census-2021")
    rows = [
        (i, "2024-01-01", code, "x") for i, code in enumerate(["Prefer not to say", 16, None, "Not known"])
    ]
    table = resolve(rows, scheme=scheme)
    assert scheme.assign(table["code"].tolist(), "detail") == [
        "Not stated",
        "White: Roma",
        "Missing",
        "Not known",
    ]


@pytest.mark.parametrize("library", ["polars", "lazy", "pyarrow", "duckdb"])
def test_same_answer_from_every_frame_library(library: str) -> None:
    pandas = frame(
        [("a", "2024-01-01", "A", "x"), ("b", "2024-03-01", None, "x"), ("a", "2024-02-01", "B", "x")]
    )
    other = {
        "polars": lambda: pl.from_pandas(pandas),
        "lazy": lambda: pl.from_pandas(pandas).lazy(),
        "pyarrow": lambda: pl.from_pandas(pandas).to_arrow(),
        "duckdb": lambda: duckdb.from_arrow(pl.from_pandas(pandas).to_arrow()),
    }[library]()
    pd.testing.assert_frame_equal(resolve(other), resolve(pandas))


def test_input_is_left_as_it_was() -> None:
    before = frame(records(("2024-02-10", "J"), ("2024-02-10", "L")))
    given = before.copy()
    resolve(given)
    pd.testing.assert_frame_equal(given, before)


def test_all_bad_rows_at_once() -> None:
    rows: list[Row] = [
        ("w", "2024-02-10", "J", "booking"),
        ("w", "2024-02-31", "J", "booking"),
        (" ", "2024-02-10", "9", "booking"),
        (None, "2024-02-10", "NA", "dentist"),
    ]
    with pytest.raises(DataError, match=r"3 bad row\(s\) in the records of ethnicity.*left blank") as caught:
        resolve(rows, source="from", priority=["booking"])
    bad = caught.value.bad_rows
    assert bad is not None
    assert bad.index.tolist() == [1, 2, 3]
    assert bad["problem"].iloc[0].startswith("seen: ")
    assert bad["problem"].iloc[1:].tolist() == [
        "no person; code is not a code of the scheme",
        "no person; code is not a code of the scheme; from is not in priority",
    ]


def test_bad_rows_keep_the_index_and_a_column_called_problem() -> None:
    table = frame([("w1", "2024-02-31", "J", "x"), ("w2", "2024-02-10", "J", "x")]).set_index(
        pd.Index([7, 9])
    )
    with pytest.raises(DataError, match="seen: no such day") as caught:
        resolve_ethnicity(
            table.rename(columns={"woman": "problem"}), person="problem", date="seen", ethnicity="code"
        )
    bad = caught.value.bad_rows
    assert bad is not None
    assert bad.index.tolist() == [7]
    assert bad[["problem (person)", "seen", "problem"]].to_numpy().tolist() == [
        ["w1", "2024-02-31", "seen: no such day"]
    ]


def test_sources_may_be_numbers() -> None:
    rows: list[Any] = [("w", "2024-02-10", "J", 1), ("w", "2024-02-10", "L", 2)]
    assert answer(rows, source="from", priority=[2, 1]) == ("L", "priority", 2, 2)
    assert answer(rows, source="from", priority=(1.0, 2)) == ("J", "priority", 2, 2)
    assert answer(records(("2024-02-10", "J")), source="from", priority="x")[0] == "J"
    with pytest.raises(OptionError, match=r"priority=\[1, 2, 1\] names 1 twice; give each once"):
        resolve(rows, source="from", priority=[1, 2, 1])
    for wrong in ([1, None], None.__class__):
        with pytest.raises(InputTypeError, match=r"priority holds \[.*\]; give sources as text or numbers"):
            resolve(rows, source="from", priority=wrong)


def test_dates_that_could_mean_two_things_are_refused_unless_told() -> None:
    rows = records(("03/04/2024", "J"), ("01/05/2024", "L"))
    with pytest.raises(DataError, match=r"2 bad row\(s\)"):
        resolve(rows)
    assert answer(rows, date_order="day-first")[0] == "L"
    assert answer(rows, date_order="month-first")[0] == "J"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "latest"}, "method='latest' .*'recency', 'mode'"),
        ({"source": "from"}, "source='from' and priority=None belong together"),
        ({"priority": ["x"]}, r"source=None and priority=\['x'\] belong together"),
        ({"source": "from", "priority": ["x"], "method": "mode"}, r"priority=\['x'\] .* method='mode'"),
        ({"source": "from", "priority": ["x", "x"]}, "priority=.* twice"),
        ({"scheme": "nz-level-1-total"}, "scheme='nz-level-1-total' is overlapping"),
        ({"scheme": "nhs"}, "scheme='nhs' is not allowed"),
        ({"date_order": "ymd"}, "date_order='ymd' is not allowed"),
    ],
)
def test_options_that_are_not_allowed(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        resolve(records(("2024-01-01", "A")), **options)


def test_column_that_is_not_there_and_no_rows() -> None:
    rows = frame(records(("2024-01-01", "A")))
    with pytest.raises(ColumnError, match=r"person='women' is not a column\. Did you mean 'woman'"):
        resolve_ethnicity(rows, person="women", date="seen", ethnicity="code")
    with pytest.raises(DataError, match="records has no rows"):
        resolve(rows.iloc[:0])
