"""Time zones: the wall clock counts, whatever the type of the column."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import qi_equity as qe

PPH = qe.measures["pph_1500"]
MOMENTS = pd.to_datetime(["2024-06-30 23:30", "2024-06-30 22:30", "2024-07-01 10:00"], utc=True)


def column_of(kind: str) -> pd.Series:
    local = pd.Series(MOMENTS.tz_convert("Europe/London"))
    match kind:
        case "arrow":
            return local.convert_dtypes(dtype_backend="pyarrow")
        case "objects":
            return local.astype(object)
        case "naive":
            return local.dt.tz_localize(None)
    return local


@pytest.mark.parametrize("kind", ["numpy", "arrow", "objects", "naive"])
def test_months_are_those_of_the_wall_clock(kind: str) -> None:
    records = pd.DataFrame({"born": column_of(kind), "pph": [True, False, False]})
    series = qe.from_records(records, PPH, date="born", event="pph")
    assert series.periods == ("2024-06", "2024-07")
    assert series.data["denominator"].tolist() == [1, 2]
    assert series.data["numerator"].tolist() == [0, 1]
    women = records.assign(woman=["a", "b", "c"])
    assert qe.from_records(women, PPH, date="born", event="pph", person="woman").data.equals(series.data)
    counts = pd.DataFrame({"m": column_of(kind)[1:], "x": [0, 1], "n": [1, 2]})
    table = qe.from_counts(counts, PPH, period="m", numerator="x", denominator="n")
    assert table.data["denominator"].tolist() == [1, 2]
    assert table.periods == series.periods


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
@pytest.mark.parametrize("make", ["records", "counts"])
def test_one_moment_in_two_zones_is_refused_whatever_the_order(make: str, order: list[int]) -> None:
    moments = [
        pd.Timestamp("2024-06-30 23:30", tz="UTC"),
        pd.Timestamp("2024-07-01 00:30", tz="Europe/London"),
        None,
    ]
    frame = pd.DataFrame({"t": pd.Series(moments, dtype=object), "x": [0, 1, 0], "n": 1}).iloc[order]
    options: dict[str, Any] = {"date": "t", "event": "x"}
    if make == "counts":
        options = {"period": "t", "numerator": "x", "denominator": "n"}
    with pytest.raises(
        qe.DataError,
        match=rf"2 bad row\(s\) in {make}: t: time zones are mixed \(Europe/London, UTC\) \(2\). Write all",
    ) as caught:
        getattr(qe, f"from_{make}")(frame, PPH, **options)
    assert caught.value.bad_rows is not None
    assert caught.value.bad_rows.index.tolist() == [i for i in order if i != 2]
