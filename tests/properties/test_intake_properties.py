"""Whatever comes in: a series that adds up, or an error of this library."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.data import periods

PPH = qe.measures["pph_1500"]
MEASURES = [PPH, *(qe.Measure("m", kind, None) for kind in ("rate", "count", "mean", "between"))]
NAMES = ["a", "b", "c", "d", "absent"]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.integers(2**62, 2**63 - 1),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        ["<5", "*", "[c]", "1,234", "2024-03", "2023-24", "03/04/2024", "A", "Z", "99", "Total", "٣", "²"]
    ),
    st.dates(dt.date(1, 1, 1)),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.sampled_from([pd.NaT, pd.NA, b"x", (1,), 1j, object(), pd.Period("2024-01"), pd.Timedelta(1)]),
)
COLUMNS = st.one_of(
    st.lists(SCALARS, min_size=4, max_size=4),
    st.lists(st.integers(-1, 9), min_size=4, max_size=4),
    st.lists(st.floats(), min_size=4, max_size=4),
    st.lists(st.sampled_from(["2024-01", "2024-02", "2024 Q1", "2024-01-31"]), min_size=4, max_size=4),
    st.lists(st.sampled_from([True, False, None]), min_size=4, max_size=4),
    st.lists(st.sampled_from(["A", "M1", "r", "Z", None]), min_size=4, max_size=4),
)


@st.composite
def any_frame(draw):
    rows = draw(st.integers(0, 4))
    content = {name: draw(COLUMNS)[:rows] for name in NAMES[:4]}
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in content.items()})


NAME = st.sampled_from([*NAMES[:4], "absent", 3])
MAYBE = st.one_of(st.none(), NAME)


def ends_well(call):
    """Run: a series whose numbers are in order, or an error of the library."""
    try:
        series = call()
    except qe.QiEquityError:
        return
    cells = series.cells
    for block in (cells.numerator, cells.denominator, cells.unrecorded, cells.range, cells.expected):
        assert not np.isinf(block).any()
        assert (block[np.isfinite(block)] >= 0).all()
    assert not np.isinf(cells.value).any()
    if series.measure.kind == "proportion":
        assert (cells.value[np.isfinite(cells.value)] <= 1).all()


@given(any_frame(), st.data())
def test_any_table_of_counts_ends_in_a_series_or_an_error_of_the_library(frame, data):
    options = {
        name: data.draw(MAYBE, name)
        for name in ("numerator", "denominator", "value", "sd", "range", "group", "site")
    }
    ends_well(
        lambda: qe.from_counts(
            frame,
            data.draw(st.sampled_from(MEASURES)),
            period=data.draw(NAME),
            every=data.draw(st.sampled_from([*periods.EVERY, "monthly", None])),
            scheme=data.draw(st.sampled_from([None, "nhs-2001", "imd-quintile"])),
            by=data.draw(st.sampled_from([(), "a", ["b", "c"]])),
            **options,
        )
    )


@given(any_frame(), st.data())
def test_any_records_end_in_a_series_or_an_error_of_the_library(frame, data):
    options = {
        name: data.draw(MAYBE, name) for name in ("event", "value", "expected", "ethnicity", "site", "person")
    }
    ends_well(
        lambda: qe.from_records(
            frame,
            data.draw(st.sampled_from(MEASURES)),
            date=data.draw(NAME),
            every=data.draw(st.sampled_from([*periods.EVERY, "monthly"])),
            as_of=data.draw(SCALARS),
            **options,
        )
    )


@given(any_frame(), st.data())
def test_any_records_of_events_end_in_a_series_or_an_error_of_the_library(frame, data):
    ends_well(
        lambda: qe.between_events(
            frame,
            data.draw(st.sampled_from(MEASURES)),
            date=data.draw(NAME),
            event=data.draw(NAME),
            expected=data.draw(MAYBE),
            ethnicity=data.draw(MAYBE),
            unit=data.draw(st.sampled_from(["births", "days"])),
            as_of=data.draw(SCALARS),
        )
    )


GOOD_COUNTS = pd.DataFrame(
    {
        "m": ["2024-01", "2024-01", "2024-02", "2024-03"],
        "x": [1, 0, 2, 3],
        "n": [10, 20, 30, 40],
        "g": ["Asian", "White", "Asian", "Black"],
        "s": list("uvuv"),
        "d": [1, 2, None, 1],
    }
)
GOOD_RECORDS = pd.DataFrame(
    {
        "m": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02", "2024-03-01"]),
        "x": [True, False, None, True],
        "n": [400.0, 500.0, np.nan, 1500.0],
        "g": ["A", "M1", "Z", None],
        "s": list("uvuv"),
        "d": [1, 2, None, 1],
        "p": [1, 2, 3, 4],
        "r": [0.1, 0.2, None, 0.9],
    }
)
TYPES = st.sampled_from(
    ["object", "str", "category", "float64", "Int64", "boolean", "datetime64[ns, UTC]", "int64[pyarrow]"]
)


@st.composite
def with_one_other_column(draw, good):
    """Take a good frame and put something else in one column, as far as pandas can hold it."""
    column = pd.Series(draw(COLUMNS), dtype=object)
    try:
        column = column.astype(draw(TYPES))
    except (TypeError, ValueError, ArithmeticError, NotImplementedError):
        column = column.infer_objects()
    return good.assign(**{draw(st.sampled_from(list(good))): column})


@given(
    with_one_other_column(GOOD_COUNTS), st.sampled_from(periods.EVERY), st.sampled_from([None, "nhs-2001"])
)
def test_one_odd_column_of_counts_ends_in_a_series_or_an_error_of_the_library(frame, every, scheme):
    options = {"period": "m", "group": "g", "site": "s", "by": "d", "every": every, "scheme": scheme}
    for measure in MEASURES[:2]:
        ends_well(
            lambda measure=measure: qe.from_counts(frame, measure, numerator="x", denominator="n", **options)
        )
    ends_well(lambda: qe.from_counts(frame, MEASURES[2], numerator="x", **options))
    ends_well(lambda: qe.from_counts(frame, MEASURES[3], value="x", sd="n", **options))
    ends_well(lambda: qe.from_counts(frame, MEASURES[3], value="n", range="x", **options))


@given(
    with_one_other_column(GOOD_RECORDS), st.sampled_from(periods.EVERY), st.sampled_from([None, "2024-03-02"])
)
def test_one_odd_column_of_records_ends_in_a_series_or_an_error_of_the_library(frame, every, as_of):
    options = {"date": "m", "ethnicity": "g", "site": "s", "by": "d", "as_of": as_of}
    ends_well(lambda: qe.from_records(frame, PPH, event="x", every=every, **options))
    ends_well(lambda: qe.from_records(frame, PPH, event="x", every=every, person="p", **options))
    ends_well(lambda: qe.from_records(frame, PPH, event="x", expected="r", person="p", **options))
    ends_well(lambda: qe.from_records(frame, PPH, event="x", expected="r", every=every, **options))
    ends_well(lambda: qe.from_records(frame, MEASURES[3], value="n", every=every, **options))
    ends_well(lambda: qe.between_events(frame, PPH, event="x", **options))
    ends_well(lambda: qe.between_events(frame, PPH, event="x", expected="r", **options))


HOLDS_NUMBERS = [pl.Int8, pl.UInt64, pl.Float32, pl.String, pl.Boolean, pl.Decimal(9, 2), pl.Date, pl.Time]
HOLDS_NOTHING = [pl.Null, pl.List(pl.Int8), pl.Binary, pl.Duration, pl.Datetime("ns"), pl.Categorical]


@given(st.data())
def test_any_polars_frame_ends_in_a_series_or_an_error_of_the_library(data):
    columns = {}
    for name in NAMES[:3]:
        dtype = data.draw(st.sampled_from(HOLDS_NUMBERS + HOLDS_NOTHING))
        values = (
            data.draw(st.sampled_from([[0, 1], [None, 1], [None, None]]))
            if dtype in HOLDS_NUMBERS
            else [None]
        )
        columns[name] = pl.Series(values, dtype=None if dtype in HOLDS_NUMBERS else dtype)
        columns[name] = columns[name].cast(dtype).extend_constant(None, 2 - len(values))
    frame = pl.DataFrame(columns)
    taken = frame.lazy() if data.draw(st.booleans()) else frame
    ends_well(lambda: qe.from_records(taken, PPH, date="a", event="b", ethnicity="c"))
    ends_well(lambda: qe.from_records(taken, PPH, date="a", event="b", person="c"))
    ends_well(lambda: qe.from_records(taken, PPH, date="a", event="b", expected="c"))
    ends_well(lambda: qe.from_counts(taken, PPH, period="a", numerator="b", denominator="c"))
    ends_well(lambda: qe.between_events(taken, PPH, date="a", event="b", site="c"))


RECORDS = st.lists(
    st.tuples(
        st.dates(dt.date(2023, 1, 1), dt.date(2025, 1, 1)),
        st.sampled_from([True, False, None]),
        st.sampled_from(["A", "M", "H2", "Z", "99", ""]),
    ),
    min_size=1,
    max_size=40,
)


def frame_of(rows):
    born, event, code = zip(*rows, strict=True)
    return pd.DataFrame({"born": pd.to_datetime(born), "pph": pd.array(event, dtype="boolean"), "code": code})


@given(RECORDS, st.sampled_from(periods.EVERY))
def test_every_birth_is_counted_once(rows, every):
    cells = qe.from_records(
        frame_of(rows), PPH, date="born", event="pph", ethnicity="code", every=every
    ).cells
    assert cells.numerator.sum() == sum(e is True for _, e, _ in rows)
    assert cells.denominator.sum() == sum(e is not None for _, e, _ in rows)
    assert cells.unrecorded.sum() == sum(e is None for _, e, _ in rows)


@given(RECORDS, st.randoms(use_true_random=False))
def test_records_in_any_order_and_counts_made_of_them_give_the_same_series(rows, random):
    frame = frame_of(rows)
    wanted = qe.from_records(frame, PPH, date="born", event="pph", ethnicity="code")
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert qe.from_records(frame_of(shuffled), PPH, date="born", event="pph", ethnicity="code").cells.equals(
        wanted.cells
    )
    counts = wanted.data.assign(period=lambda d: d["period"].dt.strftime("%b-%Y"))
    back = qe.from_counts(
        counts.sample(frac=1, random_state=1),
        PPH,
        period="period",
        numerator="numerator",
        denominator="denominator",
        group="group",
        scheme="nhs-2001",
    )
    for block in ("numerator", "denominator", "value", "status"):
        np.testing.assert_array_equal(getattr(back.cells, block), getattr(wanted.cells, block))


@given(RECORDS, st.sampled_from(periods.EVERY), st.data())
def test_what_is_expected_is_expected_once(rows, every, data):
    # Sums of 64ths are exact in any order.
    sixty_fourths = data.draw(st.lists(st.integers(1, 63), min_size=len(rows), max_size=len(rows)))
    frame = frame_of(rows).assign(risk=np.array(sixty_fourths) / 64)
    names = {"date": "born", "event": "pph", "expected": "risk", "ethnicity": "code"}
    series = qe.from_records(frame, PPH, every=every, **names)
    recorded = frame[frame["pph"].notna()]
    assert series.cells.expected.sum() == recorded["risk"].sum()
    assert series.total().cells.expected.sum() == recorded["risk"].sum()
    if not recorded["pph"].any():
        return
    between = qe.between_events(frame, PPH, **names)
    cells = between.cells
    assert np.nansum(cells.expected) == cells.cases.risk.sum()
    assert len(cells.cases.risk) == np.nansum(cells.denominator)
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    assert qe.between_events(shuffled, PPH, **names).equals(between)
    assert qe.from_records(shuffled, PPH, every=every, **names).equals(series)
    assert qe.StratifiedSeries.from_dict(between.to_dict()).equals(between)


@given(RECORDS)
def test_gaps_and_what_is_in_none_add_up_to_all_births(rows):
    frame = frame_of(rows)
    events, births = int(frame["pph"].sum()), int(frame["pph"].notna().sum())
    if events == 0:
        return
    series = qe.between_events(frame, PPH, date="born", event="pph")
    early = (
        series.notes.loc[series.notes["code"] == "before_first_event", "text"].str.split().str[0].astype(int)
    )
    assert series.cells.numerator.sum() == events - 1
    assert series.cells.denominator.sum() + early.sum() + 1 == births
    days = qe.between_events(frame, PPH, date="born", event="pph", unit="days").cells.value
    first = frame.loc[frame["pph"].fillna(False), "born"].min()
    assert days.sum() == (frame["born"].max() - first).days
