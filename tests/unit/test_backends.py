"""The same numbers from every frame library, each counted in its own engine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe

PPH = qe.measures["pph_1500"]
LOSS = qe.Measure("Blood loss", "mean", "lower", unit="ml")
SPARK_COLUMNS = (
    "born timestamp_ntz, pph boolean, code string, unit string, imd long, loss double, who long, risk double"
)
LIBRARIES = [
    "pandas objects",
    "pandas floats",
    "pandas nullable",
    "pandas pyarrow",
    "pandas categories",
    "polars",
    "polars lazy",
    "polars categories",
    "pyarrow",
    "duckdb",
    "spark",
]


def births(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "born": (
                pd.Timestamp("2023-11-05") + pd.to_timedelta(rng.integers(0, 300 * 1440, n), unit="min")
            ).astype("datetime64[us]"),
            "pph": pd.array(rng.choice([True, False, None], n, p=[0.1, 0.8, 0.1]), dtype="boolean"),
            "code": rng.choice(["A", "m1", "Z", "99", "R", None], n),
            "unit": rng.choice(["North", "South 2", "South 10"], n),
            "imd": pd.array(rng.choice([1, 2, None], n), dtype="Int64"),
            "loss": np.where(rng.random(n) < 0.1, np.nan, 1e6 + rng.gamma(4, 100, n)),
            "who": rng.integers(0, n * 9 // 10, n),
            "risk": rng.uniform(0.001, 0.4, n),
        }
    )


BIRTHS = births()
# A woman has one code, so that twins agree.
WOMEN = BIRTHS.assign(code="A", unit="North", imd=1)


def plain_columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    def plain(value: Any) -> Any:
        return None if pd.isna(value) else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value

    return {name: [plain(v) for v in frame[name].tolist()] for name in frame}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    pyspark = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra 'spark')")
    java = shutil.which("java")
    told = "" if java is None else subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = told.split('"')[1].split(".")[0] if '"' in told else "0"
    if not version.isdigit() or int(version) < 17:
        pytest.skip("Spark needs Java 17 or newer, which is not on this machine")
    builder = pyspark.SparkSession.builder.master("local[2]").appName("qi_equity tests")
    for key, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(key, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = builder.getOrCreate()
        yield session
        session.stop()


def convert(frame: pd.DataFrame, library: str, request: pytest.FixtureRequest) -> Any:
    table = pl.DataFrame(plain_columns(frame), infer_schema_length=None)
    text = ["code", "unit"]
    match library:
        case "pandas objects":
            return frame.astype({"pph": object, "code": object, "imd": object})
        case "pandas floats":
            return frame.assign(
                pph=frame["pph"].astype("Float64"), imd=frame["imd"].astype("Float64")
            ).astype({"pph": float, "imd": float})
        case "pandas nullable":
            return frame.convert_dtypes()
        case "pandas pyarrow":
            return frame.convert_dtypes(dtype_backend="pyarrow")
        case "pandas categories":
            return frame.astype(dict.fromkeys([*text, "imd"], "category"))
        case "polars":
            return table
        case "polars lazy":
            return table.lazy()
        case "polars categories":
            return table.with_columns(pl.col(text).cast(pl.Categorical))
        case "pyarrow":
            return table.to_arrow()
        case "duckdb":
            return duckdb.from_arrow(table.to_arrow())
    text_outcome = table.schema["pph"] == pl.String
    schema = SPARK_COLUMNS.replace("pph boolean", "pph string") if text_outcome else SPARK_COLUMNS
    return request.getfixturevalue("spark").createDataFrame(list(table.iter_rows()), schema=schema)


# What pyspark itself does with pandas 3 when it hands over a result is no concern of these tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


@pytest.mark.parametrize("library", LIBRARIES)
def test_counts_from_records_are_identical(library: str, request: pytest.FixtureRequest) -> None:
    frame = convert(BIRTHS, library, request)
    for options in (
        {"site": "unit", "by": ["imd"]},
        {"every": "week", "as_of": "2024-10-01"},
        {"every": "quarter"},
    ):
        found, wanted = (
            qe.from_records(f, PPH, date="born", event="pph", ethnicity="code", **options)
            for f in (frame, BIRTHS)
        )
        assert found.cells.equals(wanted.cells)
        assert found.notes.equals(wanted.notes)


@pytest.mark.parametrize("library", LIBRARIES)
def test_women_with_twins_are_counted_identically(library: str, request: pytest.FixtureRequest) -> None:
    doubled = pd.concat([WOMEN, WOMEN.iloc[::3]], ignore_index=True)
    found, wanted = (
        qe.from_records(f, PPH, date="born", event="pph", ethnicity="code", person="who")
        for f in (convert(doubled, library, request), WOMEN)
    )
    assert found.cells.equals(wanted.cells)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("whole", [False, True], ids=["a table", "with a woman who has other codes"])
def test_other_writings_of_one_group_and_site_are_one_woman(
    library: str, whole: bool, request: pytest.FixtureRequest
) -> None:
    born = [
        "2024-01-05 10:00",
        "2024-01-05 10:10",
        "2024-01-06 09:00",
        "2024-01-06 09:00",
        "2024-02-01 09:00",
    ]
    frame = pd.DataFrame(
        {
            "born": pd.to_datetime(born).astype("datetime64[us]"),
            "pph": pd.array([False, True, None, False, None], dtype="boolean"),
            "code": ["A", "a1", None, "", "M"],
            "unit": ["North", "North ", "South", "South", "South"],
            "imd": pd.array([1, 1, None, None, 2], dtype="Int64"),
            "loss": 1.0,
            "who": [1, 1, 2, 2, 3],
            "risk": 0.1,
        }
    )
    names = {
        "date": "born",
        "event": "pph",
        "ethnicity": "code",
        "site": "unit",
        "by": "imd",
        "person": "who",
    }
    if whole:
        frame = pd.concat([frame, frame.iloc[[4]].assign(code="N1"), frame.iloc[[4]].assign(code="A")])
        frame = frame.reset_index(drop=True)
        with pytest.raises(qe.DataError, match=r"rows of one person and day differ in code \(3\)") as caught:
            qe.from_records(convert(frame, library, request), PPH, **names)
        assert caught.value.bad_rows["who"].tolist() == [3, 3, 3]
        assert sorted(caught.value.bad_rows["code"]) == ["A", "M", "N1"]
        return
    data = qe.from_records(convert(frame, library, request), PPH, **names).data
    there = data[data["denominator"] + data["unrecorded"] > 0]
    found = there[["site", "group", "imd", "numerator", "denominator", "unrecorded"]].to_numpy().tolist()
    assert found == [
        ["North", "White", "1", 1, 1, 0],
        ["South", "Black", "2", 0, 0, 1],
        ["South", "Missing", "Missing", 0, 1, 0],
    ]


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "pandas floats"])
@pytest.mark.parametrize("person", [None, "who"])
def test_outcomes_in_text_count_as_others_do(
    library: str, person: str | None, request: pytest.FixtureRequest
) -> None:
    writings = {True: ["1", "True", " TRUE ", "true"], False: ["0", "False", "false\u00a0", " 0"]}
    text = [
        ["", None, " "][i % 3] if pd.isna(v) else writings[bool(v)][i % 4] for i, v in enumerate(WOMEN["pph"])
    ]
    frame = WOMEN.assign(pph=pd.Series(text, dtype=object))
    names = {"date": "born", "event": "pph", "ethnicity": "code", "person": person}
    found = qe.from_records(convert(frame, library, request), PPH, **names)
    assert found.cells.equals(qe.from_records(WOMEN, PPH, **names).cells)
    bad = convert(frame.assign(pph=frame["pph"].where(frame.index != 3, "Y")), library, request)
    with pytest.raises(qe.DataError, match=r"pph is 'Y': not 0, 1, true, false or empty \(1\)") as caught:
        qe.from_records(bad, PPH, **names)
    assert caught.value.bad_rows[["born", "pph"]].to_numpy().tolist() == [[WOMEN["born"][3], "Y"]]


@pytest.mark.parametrize("library", ["pandas nullable", "polars", "polars lazy", "pyarrow", "duckdb"])
def test_values_in_text_are_read_and_what_is_no_number_is_shown(
    library: str, request: pytest.FixtureRequest
) -> None:
    text = pd.Series([None if np.isnan(v) else repr(float(v)) for v in BIRTHS["loss"]], dtype=object)
    names = {"date": "born", "value": "loss", "site": "unit"}
    found = qe.from_records(convert(BIRTHS.assign(loss=text), library, request), LOSS, **names).cells
    wanted = qe.from_records(BIRTHS, LOSS, **names).cells
    np.testing.assert_array_equal(found.denominator, wanted.denominator)
    np.testing.assert_allclose(found.value, wanted.value, rtol=1e-12)
    for column in (text.where(text.index != 3, "slow"), BIRTHS["loss"].where(BIRTHS.index != 3, np.inf)):
        with pytest.raises(qe.DataError, match=r"loss is (not a number|infinite) \(1\)") as caught:
            qe.from_records(convert(BIRTHS.assign(loss=column), library, request), LOSS, **names)
        assert caught.value.bad_rows[["born", "loss", "rows"]].to_numpy().tolist() == [
            [BIRTHS["born"][3], column[3], 1]
        ]


@pytest.mark.parametrize("library", LIBRARIES)
def test_means_agree_to_twelve_digits(library: str, request: pytest.FixtureRequest) -> None:
    found, wanted = (
        qe.from_records(f, LOSS, date="born", value="loss", ethnicity="code", site="unit").cells
        for f in (convert(BIRTHS, library, request), BIRTHS)
    )
    np.testing.assert_array_equal(found.denominator, wanted.denominator)
    np.testing.assert_array_equal(found.unrecorded, wanted.unrecorded)
    np.testing.assert_allclose(found.value, wanted.value, rtol=1e-12)
    np.testing.assert_allclose(found.sd, wanted.sd, rtol=1e-9)


@pytest.mark.parametrize("library", ["pandas nullable", "pandas pyarrow", "polars", "pyarrow", "duckdb"])
def test_whole_numbers_that_no_float_holds_are_values_and_no_probabilities(
    library: str, request: pytest.FixtureRequest
) -> None:
    large = 2**53 + 2
    frame = BIRTHS.iloc[:3].assign(
        loss=pd.array([large, 5, None], dtype="Int64"), risk=[1, large, 1], pph=True
    )
    given = convert(frame, library, request)
    cells = qe.from_records(given, LOSS, date="born", value="loss", every="year").cells
    assert np.nansum(cells.value * cells.denominator) == pytest.approx(large + 5)
    with pytest.raises(qe.DataError, match=r"risk is not between 0 and 1 \(3\)"):
        qe.from_records(given, PPH, date="born", event="pph", expected="risk")


@pytest.mark.parametrize("library", LIBRARIES)
def test_ranges_are_identical(library: str, request: pytest.FixtureRequest) -> None:
    found, wanted = (
        qe.from_records(f, LOSS, date="born", value="loss", ethnicity="code", site="unit").cells
        for f in (convert(BIRTHS, library, request), BIRTHS)
    )
    assert np.isfinite(wanted.range).any()
    np.testing.assert_array_equal(found.range, wanted.range)


# Where the outcome is empty, what was expected may be empty too.
JUDGED = BIRTHS.assign(risk=BIRTHS["risk"].where(BIRTHS["pph"].notna() | (BIRTHS.index % 2 == 0)))


@pytest.mark.parametrize("library", LIBRARIES)
def test_expected_numbers_agree_to_twelve_digits(library: str, request: pytest.FixtureRequest) -> None:
    names = {"date": "born", "event": "pph", "expected": "risk", "ethnicity": "code", "site": "unit"}
    found, wanted = (
        qe.from_records(f, PPH, **names).cells for f in (convert(JUDGED, library, request), JUDGED)
    )
    np.testing.assert_array_equal(found.numerator, wanted.numerator)
    np.testing.assert_array_equal(found.denominator, wanted.denominator)
    np.testing.assert_allclose(found.expected, wanted.expected, rtol=1e-12)
    bad = JUDGED.assign(risk=JUDGED["risk"].where(JUDGED.index != 3, 1.5))
    with pytest.raises(qe.DataError, match=r"risk is not between 0 and 1 \(1\)") as caught:
        qe.from_records(convert(bad, library, request), PPH, **names)
    assert caught.value.bad_rows[["born", "risk", "rows"]].to_numpy().tolist() == [
        [BIRTHS["born"][3], 1.5, 1]
    ]


@pytest.mark.parametrize("library", LIBRARIES)
def test_expected_numbers_of_women_agree_to_twelve_digits(
    library: str, request: pytest.FixtureRequest
) -> None:
    women = WOMEN.drop_duplicates("who").reset_index(drop=True)
    doubled = pd.concat([women, women.iloc[::3]], ignore_index=True)
    names = {"date": "born", "event": "pph", "expected": "risk", "ethnicity": "code", "person": "who"}
    found, wanted = (
        qe.from_records(f, PPH, **names).cells for f in (convert(doubled, library, request), women)
    )
    np.testing.assert_array_equal(found.denominator, wanted.denominator)
    np.testing.assert_allclose(found.expected, wanted.expected, rtol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES)
def test_cases_between_events_are_identical(library: str, request: pytest.FixtureRequest) -> None:
    found, wanted = (
        qe.between_events(f, PPH, date="born", event="pph", expected="risk", ethnicity="code", site="unit")
        for f in (convert(JUDGED, library, request), JUDGED)
    )
    assert wanted.cells.cases is not None
    assert found.cells.equals(wanted.cells)


@pytest.mark.parametrize("library", LIBRARIES)
def test_gaps_between_events_are_identical(library: str, request: pytest.FixtureRequest) -> None:
    found, wanted = (
        qe.between_events(f, PPH, date="born", event="pph", ethnicity="code", site="unit")
        for f in (convert(BIRTHS, library, request), BIRTHS)
    )
    assert found.cells.equals(wanted.cells)


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_counts_are_read_identically(library: str, request: pytest.FixtureRequest) -> None:
    table = BIRTHS.drop_duplicates(["born"]).drop_duplicates("who")
    found, wanted = (
        qe.from_counts(
            f,
            qe.Measure("Loss", "mean", None),
            period="born",
            value="loss",
            group="unit",
            by="who",
            every="day",
        )
        for f in (convert(table, library, request), table)
    )
    assert found.cells.equals(wanted.cells)


@pytest.mark.parametrize("library", ["polars", "polars lazy", "pyarrow", "duckdb"])
def test_bad_rows_are_found_in_every_library(library: str, request: pytest.FixtureRequest) -> None:
    bad = BIRTHS.assign(code=BIRTHS["code"].where(BIRTHS.index != 3, "W"))
    with pytest.raises(qe.DataError, match="code: no code of 'nhs-2001'") as caught:
        qe.from_records(convert(bad, library, request), PPH, date="born", event="pph", ethnicity="code")
    assert caught.value.bad_rows["rows"].tolist() == [1]


def test_zones_are_dropped_in_the_engine_and_the_wall_clock_stays() -> None:
    table = pl.DataFrame({"born": [pd.Timestamp("2024-01-31 23:30").to_pydatetime()], "pph": [1]})
    aware = table.with_columns(pl.col("born").dt.replace_time_zone("America/New_York"))
    in_pandas = pd.DataFrame(
        {"born": pd.to_datetime(["2024-01-31 23:30"]).tz_localize("America/New_York"), "pph": [1]}
    )
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'America/New_York'")
        relation = connection.sql("select timestamptz '2024-01-31 23:30:00-05' as born, 1 as pph")
        for frame in (aware, aware.lazy(), aware.to_arrow(), in_pandas, relation):
            assert qe.from_records(frame, PPH, date="born", event="pph").periods == ("2024-01",)
